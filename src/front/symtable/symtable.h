/* Symbol tables: which names each block binds and uses, and in which scope
 * they live. Built from a tree in one walk, then resolved from the module
 * down. */
#ifndef KR_FRONT_SYMTABLE_SYMTABLE_H
#define KR_FRONT_SYMTABLE_SYMTABLE_H

#include <Python.h>

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

struct kr_symtable;

/* One block; a Python object of type symtable.entry. */
typedef struct kr_ste {
    PyObject_HEAD
    PyObject *ste_id;       /* int: address of the tree node */
    PyObject *ste_symbols;  /* dict: name -> flags */
    PyObject *ste_name;
    PyObject *ste_varnames; /* list: parameters in order */
    PyObject *ste_children; /* list of entries */
    PyObject *ste_directives; /* list of (name, line, ...) of global and
                                 nonlocal statements, or NULL */
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
    int ste_opt_lineno, ste_opt_col_offset;
    struct kr_symtable *ste_table;
} KrSte;

extern PyTypeObject PySTEntry_Type;

struct kr_symtable {
    PyObject *filename;
    KrSte *cur;        /* while building */
    KrSte *top;        /* borrowed: the module's entry */
    PyObject *blocks;  /* dict: address -> entry */
    PyObject *stack;   /* list of enclosing entries */
    PyObject *global;  /* symbols of the module; borrowed */
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

/* Entry of a block by its tree node; new reference, NULL with KeyError. */
KrSte *kr_symtable_lookup(struct kr_symtable *st, void *key);

/* Scope of an (already mangled) name in a block; 0 when it is not there. */
int kr_ste_scope(KrSte *ste, PyObject *name);

/* Flags of a name; 0 when it is not there. */
long kr_ste_flags(KrSte *ste, PyObject *name);

/* New reference: `name`, mangled when it is private to the class. */
PyObject *kr_mangle(PyObject *private, PyObject *name);

#endif
