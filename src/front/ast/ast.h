/* The syntax tree: nodes (generated kr_ast.h), their description as tables,
 * conversion to and from Python objects, and validation. */
#ifndef KR_FRONT_AST_AST_H
#define KR_FRONT_AST_AST_H

#include "kr_ast.h"

enum kr_ast_primitive {
    KR_AST_NODE,
    KR_AST_identifier,
    KR_AST_string,
    KR_AST_constant,
    KR_AST_int,
};

struct kr_ast_field {
    const char *name;
    char quantity;      /* ' ' one, '?' optional, '*' sequence */
    uint8_t primitive;  /* enum kr_ast_primitive */
    uint8_t group;      /* enum kr_ast_group_id, for KR_AST_NODE */
    uint16_t offset;    /* in the node */
};

struct kr_ast_class {
    const char *name, *doc;
    int group, nfields;
    const struct kr_ast_field *fields;
};

struct kr_ast_group {
    const char *name, *doc;
    bool product, is_enum;
    int first_class, nclasses;
    int size;     /* of a node */
    int location; /* offset of lineno and its three followers, or -1 */
    bool ends_required; /* may Python code leave out end_lineno ...? */
};

extern const struct kr_ast_class kr_ast_classes[];
extern const struct kr_ast_group kr_ast_groups[];

/* The tree as instances of the classes of module ast: a new reference, or
 * NULL with an exception set. */
PyObject *kr_ast_to_object(mod_ty tree);

/* The opposite; mode 0 = exec, 1 = eval, 2 = single, 3 = func_type. The nodes
 * live in the arena, which also takes its own references to identifiers and
 * constants. NULL with an exception set. */
mod_ty kr_ast_from_object(PyObject *object, KrArena *arena, int mode);

/* 1 if the object is an instance of ast.AST, else 0; -1 with an exception. */
int kr_ast_check(PyObject *object);

/* Checks what the grammar guarantees for parsed trees; 1 if the tree is
 * sound, 0 with an exception set. */
int kr_ast_validate(mod_ty tree);

/* The docstring expression's str of a body, borrowed, or NULL; never fails. */
PyObject *kr_ast_get_docstring(asdl_stmt_seq *body);

/* The classes behind module _ast. Creates them on first use; 0, or -1 with an
 * exception set. */
int kr_ast_classes_init(void);

/* Borrowed: ast.AST, the class of group `i`, the class of kind `i`. */
PyObject *kr_ast_base_class(void);
PyObject *kr_ast_group_class(int i);
PyObject *kr_ast_kind_class(int i);

/* The shared instance of kind `i` of an enumeration, borrowed. */
PyObject *kr_ast_singleton(int i);

/* Drops all classes, at the end of their interpreter. */
void kr_ast_classes_fini(PyInterpreterState *interp);

#endif
