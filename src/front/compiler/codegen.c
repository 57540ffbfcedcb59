/* Scopes and instructions: the lower half of code generation.
 *
 * When a visitor fails, it leaves the scopes it entered on the stack;
 * kr_codegen takes them all down. */
#include <stdlib.h>
#include <string.h>

#include "code/code.h"
#include "front/compiler/compiler.h"
#include "memory/tstate.h"
#include "objects/ids.h"

static int
less(const void *a, const void *b)
{
    return PyUnicode_Compare(*(PyObject *const *)a, *(PyObject *const *)b);
}

/* The symbols of one scope kind, or with one of `flags`, in the order of their
 * names (so that code does not depend on hashes). */
static int
symbols_of_kind(struct kr_compiler *c, int scope, long flags,
                struct kr_names *out)
{
    const struct kr_symbols *symbols = &c->u->ste->symbols;
    struct kr_names found = {0};
    for (int i = 0; i < symbols->map.count; i++) {
        long bits = symbols->flags[i];
        int kind = (int)(bits >> KR_SCOPE_OFFSET) & KR_SCOPE_MASK;
        if ((kind == scope || (bits & flags)) &&
            kr_names_add(&found, symbols->map.names[i], c->arena) < 0) {
            return -1;
        }
    }
    if (found.count > 1) {
        qsort(found.names, (size_t)found.count, sizeof(*found.names), less);
    }
    for (int i = 0; i < found.count; i++) {
        if (kr_names_add(out, found.names[i], c->arena) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
init_variables(struct kr_compiler *c)
{
    struct kr_unit *unit = &c->u->unit;
    KrSte *ste = c->u->ste;
    for (int i = 0; i < ste->nparams; i++) {
        if (kr_names_add(&unit->varnames, ste->params[i], c->arena) < 0) {
            return -1;
        }
    }
    if (symbols_of_kind(c, KR_CELL, 0, &unit->cellvars) < 0 ||
        (ste->ste_needs_class_closure &&
         kr_names_add(&unit->cellvars, KR_ID(__class__), c->arena) < 0)) {
        return -1;
    }
    return symbols_of_kind(c, KR_FREE, KR_DEF_FREE_CLASS, &unit->freevars);
}

static int
start_code(struct kr_compiler *c, int lineno)
{
    struct kr_scope *u = c->u;
    u->loc = (struct kr_loc){lineno, lineno, 0, 0};
    if (u->kind == KR_UNIT_MODULE) {
        u->loc.lineno = 0;
    }
    else if (kr_cg_set_qualname(c) < 0) {
        return -1;
    }
    if (kr_cg_op_i(c, RESUME, 0) < 0) {
        return -1;
    }
    u->loc.lineno = lineno;
    return 0;
}

int
kr_cg_enter_scope(struct kr_compiler *c, PyObject *name,
                  enum kr_unit_kind kind, void *key, int lineno)
{
    struct kr_arena_mark mark = kr_arena_mark(c->arena);
    struct kr_scope *u = kr_arena_alloc(c->arena, sizeof *u);
    if (u == NULL) {
        return -1;
    }
    memset(u, 0, sizeof *u);
    u->mark = mark;
    u->kind = kind;
    u->unit.name = Py_NewRef(name);
    u->unit.firstlineno = lineno;
    u->prev = c->u;
    if (c->u != NULL) {
        u->private = Py_XNewRef(c->u->private);
    }
    c->u = u;
    c->nestlevel++;
    u->ste = kr_symtable_lookup(c->st, key);
    if (u->ste == NULL || init_variables(c) < 0 ||
        kr_cfg_init(&u->cfg, c->arena) < 0) {
        return -1;
    }
    u->cfg.observer = c->observer;
    return start_code(c, lineno);
}

void
kr_cg_exit_scope(struct kr_compiler *c)
{
    struct kr_scope *u = c->u;
    c->u = u->prev;
    c->nestlevel--;
    Py_XDECREF(u->unit.name);
    Py_XDECREF(u->unit.qualname);
    Py_XDECREF(u->private);
    kr_arena_release(c->arena, u->mark);
}

static bool
is_function_like(enum kr_unit_kind kind)
{
    return kind == KR_UNIT_FUNCTION || kind == KR_UNIT_ASYNC_FUNCTION;
}

/* 1 if the enclosing scope declares the name of `u` global; -1 on failure. */
static int
declared_global(struct kr_scope *u)
{
    if (!is_function_like(u->kind) && u->kind != KR_UNIT_CLASS) {
        return 0;
    }
    PyObject *mangled = kr_mangle(u->prev->private, u->unit.name);
    if (mangled == NULL) {
        return -1;
    }
    int scope = kr_ste_scope(u->prev->ste, mangled);
    Py_DECREF(mangled);
    return scope == KR_GLOBAL_EXPLICIT;
}

int
kr_cg_set_qualname(struct kr_compiler *c)
{
    struct kr_scope *u = c->u, *parent = u->prev;
    PyObject *name = u->unit.name, *qualname;
    int global = 1;
    if (parent != NULL && parent->prev != NULL) {
        global = declared_global(u);
    }
    if (global < 0) {
        return -1;
    }
    if (global) {
        qualname = Py_NewRef(name);
    }
    else if (is_function_like(parent->kind) ||
             parent->kind == KR_UNIT_LAMBDA) {
        qualname = PyUnicode_FromFormat("%U.<locals>.%U",
                                        parent->unit.qualname, name);
    }
    else {
        qualname =
            PyUnicode_FromFormat("%U.%U", parent->unit.qualname, name);
    }
    Py_XSETREF(u->unit.qualname, qualname);
    return qualname == NULL ? -1 : 0;
}

static int
code_flags(struct kr_compiler *c)
{
    KrSte *ste = c->u->ste;
    int flags = (c->cf_flags | c->future_flags) & PyCF_MASK;
    if (ste->ste_type == KR_FUNCTION_BLOCK) {
        flags |= CO_NEWLOCALS | CO_OPTIMIZED;
        flags |= ste->ste_nested ? CO_NESTED : 0;
        if (ste->ste_generator) {
            flags |= ste->ste_coroutine ? CO_ASYNC_GENERATOR : CO_GENERATOR;
        }
        else if (ste->ste_coroutine) {
            flags |= CO_COROUTINE;
        }
        flags |= ste->ste_varargs ? CO_VARARGS : 0;
        flags |= ste->ste_varkeywords ? CO_VARKEYWORDS : 0;
    }
    else if (kr_cg_top_level_await(c) && ste->ste_coroutine &&
             !ste->ste_generator) {
        flags |= CO_COROUTINE;
    }
    return flags;
}

PyObject *
kr_cg_assemble(struct kr_compiler *c, bool add_none)
{
    struct kr_scope *u = c->u;
    u->unit.flags = code_flags(c);
    return kr_assemble(&u->unit, &u->cfg, c->filename, &c->constants,
                       add_none);
}

bool
kr_cg_top_level_await(struct kr_compiler *c)
{
    return (c->cf_flags & PyCF_ALLOW_TOP_LEVEL_AWAIT) &&
           c->u->ste->ste_type == KR_MODULE_BLOCK;
}

/* --- instructions --------------------------------------------------------- */

struct kr_block *
kr_cg_new_block(struct kr_compiler *c)
{
    return kr_cfg_new_block(&c->u->cfg);
}

void
kr_cg_use_block(struct kr_compiler *c, struct kr_block *b)
{
    kr_cfg_use_next_block(&c->u->cfg, b);
}

int
kr_cg_op(struct kr_compiler *c, int opcode)
{
    return kr_cfg_addop(&c->u->cfg, opcode, 0, c->u->loc);
}

int
kr_cg_op_i(struct kr_compiler *c, int opcode, Py_ssize_t oparg)
{
    return kr_cfg_addop(&c->u->cfg, opcode,
                        Py_SAFE_DOWNCAST(oparg, Py_ssize_t, int), c->u->loc);
}

int
kr_cg_op_i_noline(struct kr_compiler *c, int opcode, Py_ssize_t oparg)
{
    return kr_cfg_addop(&c->u->cfg, opcode,
                        Py_SAFE_DOWNCAST(oparg, Py_ssize_t, int), KR_NO_LOC);
}

int
kr_cg_jump(struct kr_compiler *c, int opcode, struct kr_block *target)
{
    return kr_cfg_addop_jump(&c->u->cfg, opcode, target, c->u->loc);
}

int
kr_cg_op_noline(struct kr_compiler *c, int opcode)
{
    return kr_cfg_addop(&c->u->cfg, opcode, 0, KR_NO_LOC);
}

int
kr_cg_jump_noline(struct kr_compiler *c, int opcode, struct kr_block *target)
{
    return kr_cfg_addop_jump(&c->u->cfg, opcode, target, KR_NO_LOC);
}

Py_ssize_t
kr_cg_const_index(struct kr_compiler *c, PyObject *value)
{
    PyObject *shared = kr_constants_add(&c->constants, value);
    return shared == NULL
               ? -1
               : kr_names_add(&c->u->unit.consts, shared, c->arena);
}

int
kr_cg_const(struct kr_compiler *c, PyObject *value)
{
    Py_ssize_t index = kr_cg_const_index(c, value);
    return index < 0 ? -1 : kr_cg_op_i(c, LOAD_CONST, index);
}

int
kr_cg_const_new(struct kr_compiler *c, PyObject *value)
{
    if (value == NULL) {
        return -1;
    }
    int rc = kr_cg_const(c, value);
    Py_DECREF(value);
    return rc;
}

int
kr_cg_op_name(struct kr_compiler *c, int opcode, PyObject *name)
{
    int index = kr_names_add(&c->u->unit.names, name, c->arena);
    return index < 0 ? -1 : kr_cg_op_i(c, opcode, index);
}

PyObject *
kr_cg_own_name(struct kr_compiler *c, PyObject *name)
{
    if (name == NULL) {
        return NULL;
    }
    PyUnicode_InternInPlace(&name);
    return kr_arena_own(c->tree, name) < 0 ? NULL : name;
}

PyObject *
kr_cg_mangle(struct kr_compiler *c, PyObject *name)
{
    PyObject *mangled = kr_mangle(c->u->private, name);
    if (mangled == name) {
        Py_DECREF(mangled);
        return name;
    }
    return kr_cg_own_name(c, mangled);
}

int
kr_cg_attr(struct kr_compiler *c, int opcode, PyObject *name)
{
    PyObject *mangled = kr_cg_mangle(c, name);
    return mangled == NULL ? -1 : kr_cg_op_name(c, opcode, mangled);
}

int
kr_cg_call_n(struct kr_compiler *c, int nargs)
{
    if (kr_cg_op_i(c, PRECALL, nargs) < 0) {
        return -1;
    }
    return kr_cg_op_i(c, CALL, nargs);
}

/* --- variables ------------------------------------------------------------ */

enum access { BY_NAME, BY_GLOBAL, BY_FAST, BY_DEREF };

/* Opcodes by access and context (load, store, delete). */
static const uint8_t name_ops[][3] = {
    [BY_NAME] = {LOAD_NAME, STORE_NAME, DELETE_NAME},
    [BY_GLOBAL] = {LOAD_GLOBAL, STORE_GLOBAL, DELETE_GLOBAL},
    [BY_FAST] = {LOAD_FAST, STORE_FAST, DELETE_FAST},
    [BY_DEREF] = {LOAD_DEREF, STORE_DEREF, DELETE_DEREF},
};

static enum access
access_of(struct kr_scope *u, int scope, struct kr_names **names)
{
    bool function = u->ste->ste_type == KR_FUNCTION_BLOCK;
    *names = &u->unit.names;
    switch (scope) {
    case KR_FREE:
        *names = &u->unit.freevars;
        return BY_DEREF;
    case KR_CELL:
        *names = &u->unit.cellvars;
        return BY_DEREF;
    case KR_LOCAL:
        if (function) {
            *names = &u->unit.varnames;
        }
        return function ? BY_FAST : BY_NAME;
    case KR_GLOBAL_IMPLICIT:
        return function ? BY_GLOBAL : BY_NAME;
    case KR_GLOBAL_EXPLICIT:
        return BY_GLOBAL;
    default:
        return BY_NAME;
    }
}

int
kr_cg_name(struct kr_compiler *c, PyObject *name, expr_context_ty ctx)
{
    if (kr_cg_forbidden_name(c, name, ctx) < 0) {
        return -1;
    }
    PyObject *mangled = kr_cg_mangle(c, name);
    if (mangled == NULL) {
        return -1;
    }
    struct kr_names *names;
    int scope = kr_ste_scope(c->u->ste, mangled);
    enum access access = access_of(c->u, scope, &names);
    int index = kr_names_add(names, mangled, c->arena);
    if (index < 0) {
        return -1;
    }
    if (scope == KR_FREE) {
        index += c->u->unit.cellvars.count;
    }
    int opcode = name_ops[access][ctx - Load];
    if (opcode == LOAD_GLOBAL) {
        index <<= 1; /* the low bit asks for a NULL below */
    }
    else if (opcode == LOAD_DEREF && c->u->ste->ste_type == KR_CLASS_BLOCK) {
        opcode = LOAD_CLASSDEREF;
    }
    return kr_cg_op_i(c, opcode, index);
}

/* --- locations, blocks, messages ------------------------------------------ */

#define LOC_OF(node)                                                           \
    ((struct kr_loc){(node)->lineno, (node)->end_lineno, (node)->col_offset,   \
                     (node)->end_col_offset})

void
kr_cg_at_expr(struct kr_compiler *c, expr_ty e)
{
    c->u->loc = LOC_OF(e);
}

void
kr_cg_at_stmt(struct kr_compiler *c, stmt_ty s)
{
    c->u->loc = LOC_OF(s);
}

void
kr_cg_at_pattern(struct kr_compiler *c, pattern_ty p)
{
    c->u->loc = LOC_OF(p);
}

int
kr_cg_push_fblock(struct kr_compiler *c, enum kr_fblock_kind kind,
                  struct kr_block *block, struct kr_block *exit, void *datum)
{
    if (c->u->nfblocks >= CO_MAXBLOCKS) {
        return kr_cg_error(c, "too many statically nested blocks");
    }
    c->u->fblocks[c->u->nfblocks++] =
        (struct kr_fblock){kind, block, exit, datum};
    return 0;
}

void
kr_cg_pop_fblock(struct kr_compiler *c, enum kr_fblock_kind kind,
                 struct kr_block *block)
{
    (void)kind;
    (void)block;
    c->u->nfblocks--;
}

static int
error_at_loc(struct kr_compiler *c, PyObject *msg)
{
    struct kr_loc *loc = &c->u->loc;
    PyObject *text = PyErr_ProgramTextObject(c->filename, loc->lineno);
    if (text == NULL) {
        text = Py_NewRef(Py_None);
    }
    PyObject *args = Py_BuildValue(
        "O(OiiOii)", msg, c->filename, loc->lineno, loc->col_offset + 1, text,
        loc->end_lineno, loc->end_col_offset + 1);
    Py_DECREF(text);
    if (args != NULL) {
        PyErr_SetObject(PyExc_SyntaxError, args);
        Py_DECREF(args);
    }
    return -1;
}

int
kr_cg_room(struct kr_compiler *Py_UNUSED(c))
{
    if (!kr_stack_is_low(kr_tstate())) {
        return 0;
    }
    PyErr_SetString(PyExc_RecursionError,
                    "maximum recursion depth exceeded during compilation");
    return -1;
}

int
kr_cg_error(struct kr_compiler *c, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *msg = PyUnicode_FromFormatV(format, va);
    va_end(va);
    if (msg == NULL) {
        return -1;
    }
    error_at_loc(c, msg);
    Py_DECREF(msg);
    return -1;
}

int
kr_cg_warn(struct kr_compiler *c, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *msg = PyUnicode_FromFormatV(format, va);
    va_end(va);
    if (msg == NULL) {
        return -1;
    }
    int rc = PyErr_WarnExplicitObject(PyExc_SyntaxWarning, msg, c->filename,
                                      c->u->loc.lineno, NULL, NULL);
    if (rc < 0 && PyErr_ExceptionMatches(PyExc_SyntaxWarning)) {
        /* A SyntaxError can show the place. */
        PyErr_Clear();
        error_at_loc(c, msg);
    }
    Py_DECREF(msg);
    return rc < 0 ? -1 : 0;
}

int
kr_cg_forbidden_name(struct kr_compiler *c, PyObject *name,
                     expr_context_ty ctx)
{
    if (ctx == Load || name != KR_ID(__debug__)) {
        return 0;
    }
    return kr_cg_error(c, ctx == Store ? "cannot assign to __debug__"
                                       : "cannot delete __debug__");
}

/* --- whole trees ---------------------------------------------------------- */

static int
visit_interactive(struct kr_compiler *c, asdl_stmt_seq *body)
{
    if (kr_cg_has_annotations(body) && kr_cg_op(c, SETUP_ANNOTATIONS) < 0) {
        return -1;
    }
    c->interactive = 1;
    return kr_cg_stmts(c, body);
}

static int
visit_mod(struct kr_compiler *c, mod_ty mod)
{
    switch (mod->kind) {
    case Module_kind:
        return kr_cg_body(c, mod->v.Module.body);
    case Interactive_kind:
        return visit_interactive(c, mod->v.Interactive.body);
    case Expression_kind:
        return kr_cg_expr(c, mod->v.Expression.body);
    default:
        PyErr_Format(PyExc_SystemError, "module kind %d should not be possible",
                     mod->kind);
        return -1;
    }
}

PyObject *
kr_codegen(mod_ty mod, PyObject *filename, struct kr_symtable *st,
           const PyFutureFeatures *future, int cf_flags, int optimize,
           const struct kr_observer *observer, KrArena *arena)
{
    struct kr_compiler c = {
        .tree = arena,
        .arena = kr_arena_new(),
        .filename = filename,
        .st = st,
        .future_flags = future->ff_features,
        .future_lineno = future->ff_lineno,
        .cf_flags = cf_flags,
        .optimize = optimize,
        .observer = observer,
    };
    PyObject *name = PyUnicode_InternFromString("<module>");
    PyObject *code = NULL;
    if (c.arena != NULL && kr_constants_init(&c.constants) == 0 &&
        name != NULL &&
        kr_cg_enter_scope(&c, name, KR_UNIT_MODULE, mod, 1) == 0 &&
        visit_mod(&c, mod) == 0) {
        code = kr_cg_assemble(&c, mod->kind != Expression_kind);
    }
    while (c.u != NULL) {
        kr_cg_exit_scope(&c);
    }
    Py_XDECREF(name);
    kr_constants_fini(&c.constants);
    kr_arena_free(c.arena);
    return code;
}
