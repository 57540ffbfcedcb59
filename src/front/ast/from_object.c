/* Instances of the classes of module ast to tree nodes, driven by the tables
 * made from ast.def. */
#include <string.h>

#include "front/ast/ast.h"
#include "objects/ids.h"

static int group_from_object(int group, PyObject *object, void *out,
                             KrArena *arena);

static int
object_from_object(PyObject *object, PyObject **out, KrArena *arena)
{
    if (kr_arena_own(arena, Py_NewRef(object)) < 0) {
        return -1;
    }
    *out = object;
    return 0;
}

/* Names are compared by address later on. */
static int
identifier_from_object(PyObject *object, PyObject **out, KrArena *arena)
{
    Py_INCREF(object);
    PyUnicode_InternInPlace(&object);
    *out = object;
    return kr_arena_own(arena, object);
}

static int
int_from_object(PyObject *object, int *out)
{
    if (!PyLong_Check(object)) {
        PyErr_Format(PyExc_ValueError, "invalid integer value: %R", object);
        return -1;
    }
    int value = _PyLong_AsInt(object);
    if (value == -1 && PyErr_Occurred()) {
        return -1;
    }
    *out = value;
    return 0;
}

static int
value_from_object(const struct kr_ast_field *f, PyObject *object, void *out,
                  KrArena *arena)
{
    switch ((enum kr_ast_primitive)f->primitive) {
    case KR_AST_NODE:
        return group_from_object(f->group, object, out, arena);
    case KR_AST_int:
        return int_from_object(object, out);
    case KR_AST_constant:
        return object_from_object(object, out, arena);
    case KR_AST_identifier:
        if (!PyUnicode_CheckExact(object) && object != Py_None) {
            PyErr_SetString(PyExc_TypeError,
                            "AST identifier must be of type str");
            return -1;
        }
        if (object != Py_None) {
            return identifier_from_object(object, out, arena);
        }
        break;
    case KR_AST_string:
        if (!PyUnicode_CheckExact(object) && !PyBytes_CheckExact(object) &&
            object != Py_None) {
            PyErr_SetString(PyExc_TypeError, "AST string must be of type str");
            return -1;
        }
        break;
    }
    if (object == Py_None) {
        *(PyObject **)out = NULL;
        return 0;
    }
    return object_from_object(object, out, arena);
}

/* Whether None may stand in a list of the field: the validator knows where
 * expressions and statements may be left out, and nobody looks at what type
 * checkers are to ignore. */
static bool
may_hold_none(const struct kr_ast_field *f)
{
    return f->primitive == KR_AST_NODE
           && (f->group == KR_AST_GROUP_expr || f->group == KR_AST_GROUP_stmt
               || f->group == KR_AST_GROUP_type_ignore);
}

/* Steals nothing; stores the new sequence in *out. */
static int
seq_from_list(const struct kr_ast_class *c, const struct kr_ast_field *f,
              PyObject *list, void **out, KrArena *arena)
{
    if (!PyList_Check(list)) {
        PyErr_Format(PyExc_TypeError,
                     "%s field \"%s\" must be a list, not a %.200s", c->name,
                     f->name, Py_TYPE(list)->tp_name);
        return -1;
    }
    Py_ssize_t n = PyList_GET_SIZE(list);
    bool ints = f->primitive == KR_AST_NODE && kr_ast_groups[f->group].is_enum;
    void *seq = ints ? (void *)kr_asdl_int_seq_new(n, arena)
                     : kr_asdl_seq_new(n, arena);
    if (seq == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        void *at = ints ? (void *)&((asdl_int_seq *)seq)->typed_elements[i]
                        : (void *)&((asdl_seq *)seq)->typed_elements[i];
        PyObject *item = Py_NewRef(PyList_GET_ITEM(list, i));
        int result = -1;
        if (Py_EnterRecursiveCall(" while traversing a syntax tree") == 0) {
            result = value_from_object(f, item, at, arena);
            Py_LeaveRecursiveCall();
        }
        Py_DECREF(item);
        if (result < 0) {
            return -1;
        }
        if (!ints && *(void **)at == NULL && !may_hold_none(f)) {
            PyErr_Format(PyExc_ValueError, "None disallowed in %s list",
                         f->primitive == KR_AST_NODE
                             ? kr_ast_groups[f->group].name
                             : "identifier");
            return -1;
        }
        if (n != PyList_GET_SIZE(list)) {
            PyErr_Format(PyExc_RuntimeError,
                         "%s field \"%s\" changed size during iteration",
                         c->name, f->name);
            return -1;
        }
    }
    *out = seq;
    return 0;
}

static int
field_from_object(const struct kr_ast_class *c, const struct kr_ast_field *f,
                  PyObject *object, char *node, KrArena *arena)
{
    PyObject *name = PyUnicode_InternFromString(f->name);
    if (name == NULL) {
        return -1;
    }
    PyObject *value;
    int found = _PyObject_LookupAttr(object, name, &value);
    Py_DECREF(name);
    if (found < 0) {
        return -1;
    }
    if (value == NULL || (value == Py_None && f->quantity == '?')) {
        Py_XDECREF(value);
        if (f->quantity == '?') {
            return 0; /* the node is all zeros */
        }
        PyErr_Format(PyExc_TypeError, "required field \"%s\" missing from %s",
                     f->name, c->name);
        return -1;
    }
    int result;
    if (f->quantity == '*') {
        result = seq_from_list(c, f, value, (void **)(node + f->offset), arena);
    }
    else {
        result = value_from_object(f, value, node + f->offset, arena);
    }
    Py_DECREF(value);
    if (result == 0 && f->quantity == ' ' && f->primitive != KR_AST_int) {
        bool is_enum =
            f->primitive == KR_AST_NODE && kr_ast_groups[f->group].is_enum;
        if (!is_enum && *(void **)(node + f->offset) == NULL) {
            PyErr_Format(PyExc_ValueError, "field '%s' is required for %s",
                         f->name, c->name);
            return -1;
        }
    }
    return result;
}

static int
one_location(const struct kr_ast_group *g, PyObject *object, PyObject *name,
             bool optional, int fallback, int *out)
{
    PyObject *value;
    if (_PyObject_LookupAttr(object, name, &value) < 0) {
        return -1;
    }
    if (value == NULL || (optional && value == Py_None)) {
        Py_XDECREF(value);
        if (optional) {
            *out = fallback;
            return 0;
        }
        PyErr_Format(PyExc_TypeError, "required field \"%U\" missing from %s",
                     name, g->name);
        return -1;
    }
    int result = int_from_object(value, out);
    Py_DECREF(value);
    return result;
}

static int
location_from_object(const struct kr_ast_group *g, PyObject *object, int *where)
{
    bool optional = !g->ends_required;
    if (one_location(g, object, KR_ID(lineno), false, 0, &where[0]) < 0 ||
        one_location(g, object, KR_ID(col_offset), false, 0, &where[1]) < 0 ||
        one_location(g, object, KR_ID(end_lineno), optional, where[0],
                     &where[2]) < 0 ||
        one_location(g, object, KR_ID(end_col_offset), optional, where[1],
                     &where[3]) < 0) {
        return -1;
    }
    return 0;
}

/* Index of the kind of group `g` that the object is; -1 with an exception. */
static int
find_kind(const struct kr_ast_group *g, PyObject *object)
{
    int end = g->first_class + g->nclasses;
    for (int i = g->first_class; i < end; i++) {
        if ((PyObject *)Py_TYPE(object) == kr_ast_kind_class(i)) {
            return i;
        }
    }
    for (int i = g->first_class; i < end; i++) {
        int is = PyObject_IsInstance(object, kr_ast_kind_class(i));
        if (is != 0) {
            return is < 0 ? -1 : i;
        }
    }
    PyErr_Format(PyExc_TypeError, "expected some sort of %s, but got %R",
                 g->name, object);
    return -1;
}

static int
node_from_object(const struct kr_ast_group *g, int kind, PyObject *object,
                 char *node, KrArena *arena)
{
    const struct kr_ast_class *c = &kr_ast_classes[kind];
    for (int i = 0; i < c->nfields; i++) {
        if (field_from_object(c, &c->fields[i], object, node, arena) < 0) {
            return -1;
        }
    }
    if (g->product && g->location >= 0) {
        return location_from_object(g, object, (int *)(node + g->location));
    }
    return 0;
}

static int
group_from_object(int group, PyObject *object, void *out, KrArena *arena)
{
    const struct kr_ast_group *g = &kr_ast_groups[group];
    int kind = g->first_class;
    if (g->is_enum) {
        kind = find_kind(g, object);
        *(int *)out = kind - g->first_class + 1;
        return kind < 0 ? -1 : 0;
    }
    if (object == Py_None && !g->product) {
        *(void **)out = NULL;
        return 0;
    }
    char *node = kr_arena_alloc(arena, g->size);
    if (node == NULL) {
        return -1;
    }
    memset(node, 0, g->size);
    if (!g->product) {
        if (g->location >= 0 &&
            location_from_object(g, object, (int *)(node + g->location)) < 0) {
            return -1;
        }
        kind = find_kind(g, object);
        if (kind < 0) {
            return -1;
        }
        *(int *)node = kind - g->first_class + 1;
    }
    char where[80];
    PyOS_snprintf(where, sizeof(where), " while traversing '%s' node",
                  kr_ast_classes[kind].name);
    if (Py_EnterRecursiveCall(where) != 0) {
        return -1;
    }
    int result = node_from_object(g, kind, object, node, arena);
    Py_LeaveRecursiveCall();
    *(void **)out = node;
    return result;
}

mod_ty
kr_ast_from_object(PyObject *object, KrArena *arena, int mode)
{
    static const int kinds[] = {Module_kind, Expression_kind, Interactive_kind,
                                FunctionType_kind};
    if (PySys_Audit("compile", "OO", object, Py_None) < 0 ||
        kr_ast_classes_init() < 0) {
        return NULL;
    }
    int first = kr_ast_groups[KR_AST_GROUP_mod].first_class;
    int kind = first + kinds[mode] - 1;
    int is = PyObject_IsInstance(object, kr_ast_kind_class(kind));
    if (is == 0) {
        PyErr_Format(PyExc_TypeError, "expected %s node, got %.400s",
                     kr_ast_classes[kind].name, Py_TYPE(object)->tp_name);
    }
    mod_ty tree = NULL;
    if (is <= 0 ||
        group_from_object(KR_AST_GROUP_mod, object, &tree, arena) < 0) {
        return NULL;
    }
    return tree;
}
