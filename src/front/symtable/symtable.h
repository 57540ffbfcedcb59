/* Symbol tables: which names each block binds and uses, and in which scope
 * they live. Built from a tree in one walk, then resolved from the module
 * down. */
#ifndef KR_FRONT_SYMTABLE_SYMTABLE_H
#define KR_FRONT_SYMTABLE_SYMTABLE_H

#include <Python.h>

#include "front/arena/names.h"
#include "front/ast/ast.h"

enum kr_block_type {
    KR_FUNCTION_BLOCK,
    KR_CLASS_BLOCK,
    KR_MODULE_BLOCK,
    KR_ANNOTATION_BLOCK, /* only symtable's own: not evaluated annotations */
};

enum kr_comprehension_type {
    KR_NO_COMPREHENSION,
    KR_LIST_COMPREHENSION,
    KR_DICT_COMPREHENSION,
    KR_SET_COMPREHENSION,
    KR_GENERATOR_EXPRESSION,
};

/* Flags of a symbol, in the low bits; its scope above KR_SCOPE_OFFSET. The
 * numbers are those of module _symtable. */
enum {
    KR_DEF_GLOBAL = 1,
    KR_DEF_LOCAL = 2,
    KR_DEF_PARAM = 2 << 1,
    KR_DEF_NONLOCAL = 2 << 2,
    KR_USE = 2 << 3,
    KR_DEF_FREE = 2 << 4,
    KR_DEF_FREE_CLASS = 2 << 5,
    KR_DEF_IMPORT = 2 << 6,
    KR_DEF_ANNOT = 2 << 7,
    KR_DEF_COMP_ITER = 2 << 8,
    KR_DEF_BOUND = KR_DEF_LOCAL | KR_DEF_PARAM | KR_DEF_IMPORT,
    KR_SCOPE_OFFSET = 11,
    KR_SCOPE_MASK = 15,
};

enum kr_scope_kind {
    KR_LOCAL = 1,
    KR_GLOBAL_EXPLICIT,
    KR_GLOBAL_IMPLICIT,
    KR_FREE,
    KR_CELL,
};

/* The symbols of a block, in the order in which they were first seen. */
struct kr_symbols {
    struct kr_names map;
    long *flags; /* of each */
    int capacity;
};

/* A name in a global or nonlocal statement. */
struct kr_directive {
    struct kr_directive *next;
    PyObject *name;
    int lineno, col_offset, end_lineno, end_col_offset;
};

/* One block. Everything in it belongs to the table's arena. */
typedef struct kr_ste {
    struct kr_ste *outer, *next;       /* enclosing block, next in that */
    struct kr_ste *first, *last;       /* inner blocks */
    void *key;                         /* the tree node */
    PyObject *name;
    struct kr_symbols symbols;
    PyObject **params;                 /* in order */
    int nparams, params_capacity;
    struct kr_directive *directives;
    enum kr_block_type ste_type;
    int ste_nested;         /* inside a function */
    unsigned ste_free : 1;  /* has free variables */
    unsigned ste_child_free : 1;
    unsigned ste_generator : 1;
    unsigned ste_coroutine : 1;
    unsigned ste_varargs : 1;
    unsigned ste_varkeywords : 1;
    unsigned ste_returns_value : 1;
    unsigned ste_needs_class_closure : 1;
    unsigned ste_comp_iter_target : 1;
    enum kr_comprehension_type ste_comprehension;
    int ste_comp_iter_expr;
    int ste_lineno, ste_col_offset, ste_end_lineno, ste_end_col_offset;
} KrSte;

struct kr_symtable {
    KrArena *arena;
    PyObject *filename;
    KrSte *cur;        /* while building */
    KrSte *top;        /* the module's block */
    struct kr_names keys; /* tree nodes (not objects): index in blocks */
    KrSte **blocks;
    int capacity;
    PyObject *private; /* class whose private names are mangled */
    int future_annotations;
    int depth, depth_limit; /* of the walk */
};

/* Builds and resolves the tables of a module. NULL with SyntaxError,
 * RecursionError or MemoryError. */
struct kr_symtable *kr_symtable_build(mod_ty mod, PyObject *filename,
                                      int future_annotations);
void kr_symtable_free(struct kr_symtable *st);

/* Decides the scope of every name, from the module down. 0 or -1. */
int kr_symtable_analyze(struct kr_symtable *st);

/* Block of a tree node; NULL with KeyError. */
KrSte *kr_symtable_lookup(struct kr_symtable *st, void *key);

/* The object that module symtable has for a block and what is in it: new, or
 * NULL with an exception set. */
PyObject *kr_symtable_entry(KrSte *ste);

/* Index of a name in a block's symbols, where it is entered with no flags if it
 * is new; -1 with MemoryError set. */
int kr_symbols_add(struct kr_symbols *symbols, PyObject *name, KrArena *arena);

/* Flags of a name; 0 when it is not there. */
static inline long
kr_ste_flags(const KrSte *ste, PyObject *name)
{
    int i = kr_names_find(&ste->symbols.map, name);
    return i < 0 ? 0 : ste->symbols.flags[i];
}

/* Scope of an (already mangled) name in a block; 0 when it is not there. */
static inline int
kr_ste_scope(const KrSte *ste, PyObject *name)
{
    return (int)(kr_ste_flags(ste, name) >> KR_SCOPE_OFFSET) & KR_SCOPE_MASK;
}

/* New reference: `name`, mangled when it is private to the class. */
PyObject *kr_mangle(PyObject *private, PyObject *name);

#endif
