/* Code generation: what its files share.
 *
 * A scope is one code object being made; scopes nest on a stack. Every visitor
 * returns 0, or -1 with an exception set. Instructions get the location that
 * the scope holds (`u->loc`), which visitors set from the node they are at and
 * restore. */
#ifndef KR_FRONT_COMPILER_COMPILER_H
#define KR_FRONT_COMPILER_COMPILER_H

#include <Python.h>

#include "front/ast/ast.h"
#include "front/compiler/flowgraph.h"
#include "front/symtable/symtable.h"

enum kr_unit_kind {
    KR_UNIT_MODULE,
    KR_UNIT_CLASS,
    KR_UNIT_FUNCTION,
    KR_UNIT_ASYNC_FUNCTION,
    KR_UNIT_LAMBDA,
    KR_UNIT_COMPREHENSION,
};

/* Constructs that a return, break or continue has to leave properly. */
enum kr_fblock_kind {
    KR_FB_WHILE_LOOP,
    KR_FB_FOR_LOOP,
    KR_FB_TRY_EXCEPT,
    KR_FB_FINALLY_TRY,
    KR_FB_FINALLY_END,
    KR_FB_WITH,
    KR_FB_ASYNC_WITH,
    KR_FB_HANDLER_CLEANUP,
    KR_FB_POP_VALUE,
    KR_FB_EXCEPTION_HANDLER,
    KR_FB_EXCEPTION_GROUP_HANDLER,
    KR_FB_ASYNC_COMPREHENSION_GENERATOR,
};

struct kr_fblock {
    enum kr_fblock_kind kind;
    struct kr_block *block, *exit;
    void *datum; /* depends on the kind: statements, name, with item */
};

struct kr_scope {
    struct kr_scope *prev;
    enum kr_unit_kind kind;
    KrSte *ste;
    struct kr_unit unit;
    struct kr_cfg cfg;
    struct kr_arena_mark mark; /* of what the scope has in the arena */
    PyObject *private; /* class name for mangling, or NULL */
    struct kr_loc loc; /* of the instructions added now */
    int nfblocks;
    struct kr_fblock fblocks[CO_MAXBLOCKS];
};

struct kr_compiler {
    KrArena *tree;  /* of the tree; owns the names */
    KrArena *arena; /* of scopes: each releases what it used */
    PyObject *filename;
    struct kr_symtable *st;
    int future_flags;  /* CO_FUTURE_* in force */
    int future_lineno; /* of the last valid __future__ import, else -1 */
    int cf_flags;     /* PyCF_* of the call */
    int optimize;
    int interactive;
    const struct kr_observer *observer; /* of the passes, or NULL */
    int nestlevel;
    struct kr_constants constants;
    struct kr_scope *u;  /* innermost scope */
};

/* Compiles a checked tree (after folding) with its symbol table. New code
 * object. */
PyObject *kr_codegen(mod_ty mod, PyObject *filename, struct kr_symtable *st,
                     const PyFutureFeatures *future, int cf_flags,
                     int optimize, const struct kr_observer *observer,
                     KrArena *arena);

/* --- codegen.c: scopes and instructions ----------------------------------- */

/* `key` is the tree node under which the symbol table knows the block. */
int kr_cg_enter_scope(struct kr_compiler *c, PyObject *name,
                      enum kr_unit_kind kind, void *key, int lineno);
void kr_cg_exit_scope(struct kr_compiler *c);
int kr_cg_set_qualname(struct kr_compiler *c);

/* Optimises and assembles the innermost scope. New code object. */
PyObject *kr_cg_assemble(struct kr_compiler *c, bool add_none);

/* Is this module code in which await is allowed? */
bool kr_cg_top_level_await(struct kr_compiler *c);

struct kr_block *kr_cg_new_block(struct kr_compiler *c);
void kr_cg_use_block(struct kr_compiler *c, struct kr_block *b);

int kr_cg_op(struct kr_compiler *c, int opcode); /* without argument */
int kr_cg_op_i(struct kr_compiler *c, int opcode, Py_ssize_t oparg);
int kr_cg_jump(struct kr_compiler *c, int opcode, struct kr_block *target);
/* An instruction without a location. */
int kr_cg_op_noline(struct kr_compiler *c, int opcode);
int kr_cg_op_i_noline(struct kr_compiler *c, int opcode, Py_ssize_t oparg);
int kr_cg_jump_noline(struct kr_compiler *c, int opcode,
                      struct kr_block *target);
/* With an index into names (interned and mangled, borrowed name). */
int kr_cg_op_name(struct kr_compiler *c, int opcode, PyObject *name);
/* LOAD_CONST of a borrowed object; of a new one, which is consumed. */
int kr_cg_const(struct kr_compiler *c, PyObject *value);
int kr_cg_const_new(struct kr_compiler *c, PyObject *value);
/* Index of a borrowed constant, which is added if it is new; -1 on failure. */
Py_ssize_t kr_cg_const_index(struct kr_compiler *c, PyObject *value);
/* LOAD_ATTR/STORE_ATTR/DELETE_ATTR/LOAD_METHOD name, mangled here. */
int kr_cg_attr(struct kr_compiler *c, int opcode, PyObject *name);
/* The name as its scope knows it, borrowed; NULL with an exception set. */
PyObject *kr_cg_mangle(struct kr_compiler *c, PyObject *name);
/* Interns a new str (may be NULL), which the tree's arena takes over. */
PyObject *kr_cg_own_name(struct kr_compiler *c, PyObject *name);
/* Loads, stores or deletes a variable of any scope. */
int kr_cg_name(struct kr_compiler *c, PyObject *name, expr_context_ty ctx);
/* PRECALL and CALL with n arguments. */
int kr_cg_call_n(struct kr_compiler *c, int nargs);

/* Location handling: visitors do
 *     struct kr_loc old = c->u->loc; kr_cg_at_expr(c, e); ...; c->u->loc = old;
 */
void kr_cg_at_expr(struct kr_compiler *c, expr_ty e);
void kr_cg_at_stmt(struct kr_compiler *c, stmt_ty s);
void kr_cg_at_pattern(struct kr_compiler *c, pattern_ty p);

int kr_cg_push_fblock(struct kr_compiler *c, enum kr_fblock_kind kind,
                      struct kr_block *block, struct kr_block *exit,
                      void *datum);
void kr_cg_pop_fblock(struct kr_compiler *c, enum kr_fblock_kind kind,
                      struct kr_block *block);

/* Whether there is C stack left to go deeper: 0, or -1 with RecursionError. */
int kr_cg_room(struct kr_compiler *c);
/* SyntaxError at the current location; always -1. */
int kr_cg_error(struct kr_compiler *c, const char *format, ...);
/* SyntaxWarning at the current location; -1 when it became an error. */
int kr_cg_warn(struct kr_compiler *c, const char *format, ...);
/* Refuses to bind __debug__. */
int kr_cg_forbidden_name(struct kr_compiler *c, PyObject *name,
                         expr_context_ty ctx);

/* --- codegen_expr.c and others: expressions ------------------------------- */

int kr_cg_expr(struct kr_compiler *c, expr_ty e);
int kr_cg_exprs(struct kr_compiler *c, asdl_expr_seq *exprs);
/* Jumps to `next` when the truth of `e` is `cond`. */
int kr_cg_jump_if(struct kr_compiler *c, expr_ty e, struct kr_block *next,
                  int cond);
int kr_cg_call_helper(struct kr_compiler *c, int n, asdl_expr_seq *args,
                      asdl_keyword_seq *keywords);
int kr_cg_comprehension_expr(struct kr_compiler *c, expr_ty e);
int kr_cg_augassign(struct kr_compiler *c, stmt_ty s);
int kr_cg_annotation_expr(struct kr_compiler *c, expr_ty annotation);
int kr_cg_match(struct kr_compiler *c, stmt_ty s);
int kr_cg_check_annotation(struct kr_compiler *c, stmt_ty s);
int kr_cg_annassign(struct kr_compiler *c, stmt_ty s);
int kr_cg_yield_from(struct kr_compiler *c, int await);
int kr_cg_warn_if_tuple_assert(struct kr_compiler *c, expr_ty test);

/* --- codegen_func.c: functions, lambdas, classes -------------------------- */

int kr_cg_function(struct kr_compiler *c, stmt_ty s, int is_async);
int kr_cg_lambda(struct kr_compiler *c, expr_ty e);
int kr_cg_class(struct kr_compiler *c, stmt_ty s);
/* Pushes the closure cells of `code` if it has any, the code, and
 * MAKE_FUNCTION with `flags`. */
int kr_cg_make_closure(struct kr_compiler *c, PyCodeObject *code,
                       Py_ssize_t flags);

/* --- codegen_stmt.c: statements ------------------------------------------- */

int kr_cg_stmt(struct kr_compiler *c, stmt_ty s);
int kr_cg_stmts(struct kr_compiler *c, asdl_stmt_seq *body);
/* Does a body annotate variables of its own block? */
bool kr_cg_has_annotations(asdl_stmt_seq *body);
/* The statements of a module or class: docstring, __annotations__, rest. */
int kr_cg_body(struct kr_compiler *c, asdl_stmt_seq *body);

/* --- codegen_try.c: try, with, and leaving them --------------------------- */

int kr_cg_try(struct kr_compiler *c, stmt_ty s);
int kr_cg_try_star(struct kr_compiler *c, stmt_ty s);
int kr_cg_with(struct kr_compiler *c, stmt_ty s, int pos);
int kr_cg_async_with(struct kr_compiler *c, stmt_ty s, int pos);
/* Leaves all blocks up to the innermost loop (or all, loop NULL): emits what
 * each needs. */
int kr_cg_unwind_fblocks(struct kr_compiler *c, int preserve_tos,
                         struct kr_fblock **loop);
int kr_cg_unwind_fblock(struct kr_compiler *c, struct kr_fblock *info,
                        int preserve_tos);

#endif
