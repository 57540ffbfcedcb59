/* Tree nodes to instances of the classes of module ast, driven by the tables
 * made from ast.def. */
#include "front/ast/ast.h"
#include "objects/ids.h"

static PyObject *group_to_object(int group, const void *node);

static PyObject *
value_to_object(const struct kr_ast_field *f, const void *value)
{
    if (f->primitive == KR_AST_int) {
        return PyLong_FromLong(*(const int *)value);
    }
    if (f->primitive == KR_AST_NODE && kr_ast_groups[f->group].is_enum) {
        int first = kr_ast_groups[f->group].first_class;
        return Py_NewRef(kr_ast_singleton(first + *(const int *)value - 1));
    }
    void *p = *(void *const *)value;
    if (f->primitive == KR_AST_NODE) {
        return group_to_object(f->group, p);
    }
    return Py_NewRef(p == NULL ? Py_None : (PyObject *)p);
}

static PyObject *
seq_to_list(const struct kr_ast_field *f, const asdl_seq *seq)
{
    Py_ssize_t n = asdl_seq_LEN(seq);
    PyObject *list = PyList_New(n);
    if (list == NULL) {
        return NULL;
    }
    bool ints = f->primitive == KR_AST_NODE && kr_ast_groups[f->group].is_enum;
    for (Py_ssize_t i = 0; i < n; i++) {
        const void *at =
            ints ? (const void *)&((const asdl_int_seq *)seq)->typed_elements[i]
                 : (const void *)&seq->typed_elements[i];
        PyObject *item = value_to_object(f, at);
        if (item == NULL) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static int
set_new(PyObject *object, const char *name, PyObject *value)
{
    if (value == NULL) {
        return -1;
    }
    int result = PyObject_SetAttrString(object, name, value);
    Py_DECREF(value);
    return result;
}

static int
fill(PyObject *object, const struct kr_ast_class *c, const char *node)
{
    for (int i = 0; i < c->nfields; i++) {
        const struct kr_ast_field *f = &c->fields[i];
        const void *at = node + f->offset;
        PyObject *value = f->quantity == '*'
                              ? seq_to_list(f, *(asdl_seq *const *)at)
                              : value_to_object(f, at);
        if (set_new(object, f->name, value) < 0) {
            return -1;
        }
    }
    int location = kr_ast_groups[c->group].location;
    if (location < 0) {
        return 0;
    }
    const int *where = (const int *)(node + location);
    if (set_new(object, "lineno", PyLong_FromLong(where[0])) < 0 ||
        set_new(object, "col_offset", PyLong_FromLong(where[1])) < 0 ||
        set_new(object, "end_lineno", PyLong_FromLong(where[2])) < 0 ||
        set_new(object, "end_col_offset", PyLong_FromLong(where[3])) < 0) {
        return -1;
    }
    return 0;
}

static PyObject *
group_to_object(int group, const void *node)
{
    if (node == NULL) {
        Py_RETURN_NONE;
    }
    if (Py_EnterRecursiveCall(" during  ast construction") != 0) {
        return NULL;
    }
    const struct kr_ast_group *g = &kr_ast_groups[group];
    int kind = g->first_class;
    if (!g->product) {
        kind += *(const int *)node - 1;
    }
    PyObject *object =
        PyType_GenericNew((PyTypeObject *)kr_ast_kind_class(kind), NULL, NULL);
    if (object != NULL && fill(object, &kr_ast_classes[kind], node) < 0) {
        Py_CLEAR(object);
    }
    Py_LeaveRecursiveCall();
    return object;
}

PyObject *
kr_ast_to_object(mod_ty tree)
{
    if (kr_ast_classes_init() < 0) {
        return NULL;
    }
    return group_to_object(KR_AST_GROUP_mod, tree);
}
