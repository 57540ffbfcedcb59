/* Tree nodes to instances of the classes of module ast, driven by the tables
 * made from ast.def. */
#include <limits.h>

#include "front/ast/ast.h"
#include "memory/tstate.h"
#include "objects/ids.h"

/* Depths count in thirds of a Python frame, as in the compiler. */
#define DEPTH_SCALE 3

struct walk {
    PyThreadState *tstate;
    int depth, limit;
};

static PyObject *group_to_object(struct walk *w, int group, const void *node);

static PyObject *
value_to_object(struct walk *w, const struct kr_ast_field *f, const void *value)
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
        return group_to_object(w, f->group, p);
    }
    return Py_NewRef(p == NULL ? Py_None : (PyObject *)p);
}

static PyObject *
seq_to_list(struct walk *w, const struct kr_ast_field *f, const asdl_seq *seq)
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
        PyObject *item = value_to_object(w, f, at);
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
fill(struct walk *w, PyObject *object, const struct kr_ast_class *c,
     const char *node)
{
    for (int i = 0; i < c->nfields; i++) {
        const struct kr_ast_field *f = &c->fields[i];
        const void *at = node + f->offset;
        PyObject *value = f->quantity == '*'
                              ? seq_to_list(w, f, *(asdl_seq *const *)at)
                              : value_to_object(w, f, at);
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
group_to_object(struct walk *w, int group, const void *node)
{
    if (node == NULL) {
        Py_RETURN_NONE;
    }
    if (w->depth >= w->limit || kr_stack_is_low(w->tstate)) {
        PyErr_SetString(PyExc_RecursionError, "maximum recursion depth "
                                              "exceeded during ast "
                                              "construction");
        return NULL;
    }
    w->depth++;
    const struct kr_ast_group *g = &kr_ast_groups[group];
    int kind = g->first_class;
    if (!g->product) {
        kind += *(const int *)node - 1;
    }
    PyObject *object =
        PyType_GenericNew((PyTypeObject *)kr_ast_kind_class(kind), NULL, NULL);
    if (object != NULL && fill(w, object, &kr_ast_classes[kind], node) < 0) {
        Py_CLEAR(object);
    }
    w->depth--;
    return object;
}

PyObject *
kr_ast_to_object(mod_ty tree)
{
    if (kr_ast_classes_init() < 0) {
        return NULL;
    }
    PyThreadState *ts = PyThreadState_Get();
    struct walk w = {
        .tstate = ts,
        .depth = (ts->recursion_limit - ts->recursion_remaining) * DEPTH_SCALE,
        .limit = ts->recursion_limit > INT_MAX / DEPTH_SCALE
                     ? INT_MAX
                     : ts->recursion_limit * DEPTH_SCALE,
    };
    return group_to_object(&w, KR_AST_GROUP_mod, tree);
}
