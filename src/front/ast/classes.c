/* The Python classes of module ast, made from the tables of ast.def.
 *
 * ast.AST is a heap type; each sum, product and kind is a subclass made by
 * calling type(), as a Python program could. */
#include <Python.h>
#include <structmember.h>

#include "front/ast/ast.h"
#include "objects/ids.h"
#include "objects/interp.h"

struct kr_ast_state {
    PyObject *base;
    PyObject *groups[KR_AST_GROUP_COUNT];
    PyObject *kinds[KR_AST_CLASS_COUNT];
    PyObject *singletons[KR_AST_CLASS_COUNT];
};

/* Each interpreter has classes of its own; NULL before they are made. */
static inline struct kr_ast_state *
state(void)
{
    return kr_interp()->ast_classes;
}

/* --- ast.AST ------------------------------------------------------------- */

struct ast_object {
    PyObject_HEAD
    PyObject *dict;
};

static void
ast_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, ast_dealloc)
    Py_CLEAR(((struct ast_object *)self)->dict);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static int
ast_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct ast_object *)self)->dict);
    return 0;
}

static int
ast_clear(PyObject *self)
{
    Py_CLEAR(((struct ast_object *)self)->dict);
    return 0;
}

/* New reference to the class's _fields as a fast sequence; an empty tuple if
 * there is none. */
static PyObject *
class_fields(PyTypeObject *type)
{
    PyObject *fields = PyObject_GetAttr((PyObject *)type, KR_ID(_fields));
    if (fields == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return NULL;
        }
        PyErr_Clear();
        return PyTuple_New(0);
    }
    Py_SETREF(fields,
              PySequence_Fast(fields, "AST._fields must be a sequence"));
    return fields;
}

/* Is `key` one of the first `n` fields? -1 with an exception set. */
static int
given_by_position(PyObject *fields, Py_ssize_t n, PyObject *key)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *name = PySequence_Fast_GET_ITEM(fields, i);
        int same = PyObject_RichCompareBool(name, key, Py_EQ);
        if (same != 0) {
            return same;
        }
    }
    return 0;
}

static int
set_fields(PyObject *self, PyObject *fields, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    Py_ssize_t nfields = PySequence_Fast_GET_SIZE(fields);
    if (nargs > nfields) {
        PyErr_Format(PyExc_TypeError,
                     "%.400s constructor takes at most "
                     "%zd positional argument%s",
                     _PyType_Name(Py_TYPE(self)), nfields, nfields == 1 ? "" : "s");
        return -1;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        if (PyObject_SetAttr(self, PySequence_Fast_GET_ITEM(fields, i),
                             PyTuple_GET_ITEM(args, i)) < 0) {
            return -1;
        }
    }
    PyObject *key, *value;
    for (Py_ssize_t pos = 0;
         kwargs != NULL && PyDict_Next(kwargs, &pos, &key, &value);) {
        int twice = given_by_position(fields, nargs, key);
        if (twice > 0) {
            PyErr_Format(PyExc_TypeError,
                         "%.400s got multiple values for argument '%U'",
                         _PyType_Name(Py_TYPE(self)), key);
        }
        if (twice != 0 || PyObject_SetAttr(self, key, value) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
ast_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *fields = class_fields(Py_TYPE(self));
    if (fields == NULL) {
        return -1;
    }
    int result = set_fields(self, fields, args, kwargs);
    Py_DECREF(fields);
    return result;
}

static PyObject *
ast_reduce(PyObject *self, PyObject *unused)
{
    PyObject *dict = PyObject_GetAttr(self, KR_ID(__dict__));
    if (dict == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return NULL;
        }
        PyErr_Clear();
        return Py_BuildValue("O()", Py_TYPE(self));
    }
    return Py_BuildValue("O()N", Py_TYPE(self), dict);
}

static PyMethodDef ast_methods[] = {
    {"__reduce__", ast_reduce, METH_NOARGS, NULL},
    {NULL},
};

static PyMemberDef ast_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(struct ast_object, dict),
     READONLY},
    {NULL},
};

static PyGetSetDef ast_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict},
    {NULL},
};

static PyType_Slot ast_slots[] = {
    {Py_tp_dealloc, ast_dealloc},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_setattro, PyObject_GenericSetAttr},
    {Py_tp_traverse, ast_traverse},
    {Py_tp_clear, ast_clear},
    {Py_tp_members, ast_members},
    {Py_tp_methods, ast_methods},
    {Py_tp_getset, ast_getset},
    {Py_tp_init, ast_init},
    {Py_tp_alloc, PyType_GenericAlloc},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_free, PyObject_GC_Del},
    {0, NULL},
};

static PyType_Spec ast_spec = {
    "ast.AST",
    sizeof(struct ast_object),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    ast_slots,
};

/* --- The classes of ast.def ---------------------------------------------- */

static PyObject *
field_names(const struct kr_ast_class *c)
{
    PyObject *names = PyTuple_New(c->nfields);
    for (int i = 0; names != NULL && i < c->nfields; i++) {
        PyObject *name = PyUnicode_InternFromString(c->fields[i].name);
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyTuple_SET_ITEM(names, i, name);
    }
    return names;
}

/* A class with the fields of `c` (none if NULL). New reference. */
static PyObject *
make_class(const char *name, PyObject *base, const char *doc,
           const struct kr_ast_class *c)
{
    PyObject *fields = c != NULL ? field_names(c) : PyTuple_New(0);
    if (fields == NULL) {
        return NULL;
    }
    PyObject *type = PyObject_CallFunction(
        (PyObject *)&PyType_Type, "s(O){sOsOssss}", name, base, "_fields",
        fields, "__match_args__", fields, "__module__", "ast", "__doc__", doc);
    Py_DECREF(fields);
    for (int i = 0; type != NULL && c != NULL && i < c->nfields; i++) {
        if (c->fields[i].quantity == '?' &&
            PyObject_SetAttrString(type, c->fields[i].name, Py_None) < 0) {
            Py_CLEAR(type);
        }
    }
    return type;
}

static int
add_attributes(PyObject *type, const struct kr_ast_group *g)
{
    PyObject *names = g->location < 0
                          ? PyTuple_New(0)
                          : PyTuple_Pack(4, KR_ID(lineno), KR_ID(col_offset),
                                         KR_ID(end_lineno),
                                         KR_ID(end_col_offset));
    if (names == NULL) {
        return -1;
    }
    int result = PyObject_SetAttr(type, KR_ID(_attributes), names);
    Py_DECREF(names);
    if (result == 0 && g->location >= 0 && !g->ends_required &&
        (PyObject_SetAttr(type, KR_ID(end_lineno), Py_None) < 0 ||
         PyObject_SetAttr(type, KR_ID(end_col_offset), Py_None) < 0)) {
        result = -1;
    }
    return result;
}

static int
make_kind(const struct kr_ast_group *g, PyObject *group, int i)
{
    const struct kr_ast_class *c = &kr_ast_classes[i];
    state()->kinds[i] = make_class(c->name, group, c->doc, c);
    if (state()->kinds[i] == NULL) {
        return -1;
    }
    if (g->is_enum) {
        state()->singletons[i] =
            PyType_GenericNew((PyTypeObject *)state()->kinds[i], NULL, NULL);
        return state()->singletons[i] == NULL ? -1 : 0;
    }
    return 0;
}

static int
make_group(int i)
{
    const struct kr_ast_group *g = &kr_ast_groups[i];
    const struct kr_ast_class *fields =
        g->product ? &kr_ast_classes[g->first_class] : NULL;
    PyObject *type = make_class(g->name, state()->base, g->doc, fields);
    state()->groups[i] = type;
    if (type == NULL || add_attributes(type, g) < 0) {
        return -1;
    }
    if (g->product) {
        state()->kinds[g->first_class] = Py_NewRef(type);
        return 0;
    }
    for (int k = 0; k < g->nclasses; k++) {
        if (make_kind(g, type, g->first_class + k) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
make_base(void)
{
    PyObject *empty = PyTuple_New(0);
    state()->base = PyType_FromSpec(&ast_spec);
    int result = -1;
    if (empty != NULL && state()->base != NULL &&
        PyObject_SetAttr(state()->base, KR_ID(_fields), empty) == 0 &&
        PyObject_SetAttr(state()->base, KR_ID(__match_args__), empty) == 0 &&
        PyObject_SetAttr(state()->base, KR_ID(_attributes), empty) == 0) {
        result = 0;
    }
    Py_XDECREF(empty);
    return result;
}

int
kr_ast_classes_init(void)
{
    PyInterpreterState *interp = kr_interp();
    if (interp->ast_classes != NULL) {
        return 0;
    }
    interp->ast_classes = PyMem_Calloc(1, sizeof(struct kr_ast_state));
    if (interp->ast_classes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (make_base() < 0) {
        kr_ast_classes_fini(interp);
        return -1;
    }
    for (int i = 0; i < KR_AST_GROUP_COUNT; i++) {
        if (make_group(i) < 0) {
            kr_ast_classes_fini(interp);
            return -1;
        }
    }
    return 0;
}

void
kr_ast_classes_fini(PyInterpreterState *interp)
{
    struct kr_ast_state *st = interp->ast_classes;
    if (st == NULL) {
        return;
    }
    interp->ast_classes = NULL;
    for (int i = 0; i < KR_AST_CLASS_COUNT; i++) {
        Py_XDECREF(st->singletons[i]);
        Py_XDECREF(st->kinds[i]);
    }
    for (int i = 0; i < KR_AST_GROUP_COUNT; i++) {
        Py_XDECREF(st->groups[i]);
    }
    Py_XDECREF(st->base);
    PyMem_Free(st);
}

PyObject *
kr_ast_base_class(void)
{
    return state()->base;
}

PyObject *
kr_ast_group_class(int i)
{
    return state()->groups[i];
}

PyObject *
kr_ast_kind_class(int i)
{
    return state()->kinds[i];
}

PyObject *
kr_ast_singleton(int i)
{
    return state()->singletons[i];
}

int
kr_ast_check(PyObject *object)
{
    if (kr_ast_classes_init() < 0) {
        return -1;
    }
    return PyObject_IsInstance(object, state()->base);
}
