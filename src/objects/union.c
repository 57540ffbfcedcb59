/* types.UnionType: int | str.
 *
 * Members are flat and unique; isinstance() and issubclass() work on them. */
#include "objects/genericalias.h"

#include "base/common.h"
#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/object.h"

#include <structmember.h>

struct union_object {
    PyObject_HEAD
    PyObject *args;
    PyObject *parameters;
};

static inline struct union_object *
cast(PyObject *self)
{
    return (struct union_object *)self;
}

static void
union_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(cast(self)->args);
    Py_XDECREF(cast(self)->parameters);
    Py_TYPE(self)->tp_free(self);
}

static int
union_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(cast(self)->args);
    Py_VISIT(cast(self)->parameters);
    return 0;
}

static Py_hash_t
union_hash(PyObject *self)
{
    PyObject *set = PyFrozenSet_New(cast(self)->args);
    if (set == NULL) {
        return -1;
    }
    Py_hash_t h = PyObject_Hash(set);
    Py_DECREF(set);
    return h;
}

static PyObject *
union_richcompare(PyObject *self, PyObject *other, int op)
{
    if (!Py_IS_TYPE(other, &kr_union_type) || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *a = PySet_New(cast(self)->args);
    PyObject *b = a == NULL ? NULL : PySet_New(cast(other)->args);
    PyObject *res = b == NULL ? NULL : PyObject_RichCompare(a, b, op);
    Py_XDECREF(a);
    Py_XDECREF(b);
    return res;
}

/* ---- making ------------------------------------------------------------- */

/* Appends `arg`, or the members of a union, unless there already. */
static int
add_member(PyObject *list, PyObject *arg)
{
    if (Py_IS_TYPE(arg, &kr_union_type)) {
        PyObject *args = cast(arg)->args;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
            if (add_member(list, PyTuple_GET_ITEM(args, i)) < 0) {
                return -1;
            }
        }
        return 0;
    }
    if (arg == Py_None) {
        arg = (PyObject *)&_PyNone_Type;
    }
    bool is_alias = PyObject_TypeCheck(arg, &Py_GenericAliasType);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *seen = PyList_GET_ITEM(list, i);
        if (seen == arg) {
            return 0;
        }
        /* Equal aliases are one, but classes are told by identity. */
        if (is_alias && PyObject_TypeCheck(seen, &Py_GenericAliasType)) {
            int eq = PyObject_RichCompareBool(seen, arg, Py_EQ);
            if (eq != 0) {
                return eq < 0 ? -1 : 0;
            }
        }
    }
    return PyList_Append(list, arg);
}

static PyObject *
from_list(PyObject *list)
{
    if (PyList_GET_SIZE(list) == 1) {
        return Py_NewRef(PyList_GET_ITEM(list, 0));
    }
    PyObject *args = PyList_AsTuple(list);
    if (args == NULL) {
        return NULL;
    }
    struct union_object *u =
        PyObject_GC_New(struct union_object, &kr_union_type);
    if (u == NULL) {
        Py_DECREF(args);
        return NULL;
    }
    u->args = args;
    u->parameters = NULL;
    kr_gc_track((PyObject *)u);
    return (PyObject *)u;
}

PyObject *
kr_union_make(PyObject *args)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        if (add_member(list, PyTuple_GET_ITEM(args, i)) < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    PyObject *res = from_list(list);
    Py_DECREF(list);
    return res;
}

static bool
unionable(PyObject *obj)
{
    return obj == Py_None || PyType_Check(obj)
           || PyObject_TypeCheck(obj, &Py_GenericAliasType)
           || Py_IS_TYPE(obj, &kr_union_type);
}

PyObject *
kr_union_or(PyObject *self, PyObject *other)
{
    if (!unionable(self) || !unionable(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *pair = PyTuple_Pack(2, self, other);
    if (pair == NULL) {
        return NULL;
    }
    PyObject *res = kr_union_make(pair);
    Py_DECREF(pair);
    return res;
}

/* ---- use ---------------------------------------------------------------- */

static bool
is_alias(PyObject *o)
{
    return PyObject_TypeCheck(o, &Py_GenericAliasType);
}

/* Whether `test`, called `name`, holds for obj and any class of the union. */
static PyObject *
test_members(PyObject *self, PyObject *obj,
             int (*test)(PyObject *, PyObject *), const char *name)
{
    PyObject *args = cast(self)->args;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        if (is_alias(PyTuple_GET_ITEM(args, i))) {
            return PyErr_Format(PyExc_TypeError,
                                "%s() argument 2 cannot be a parameterized "
                                "generic", name);
        }
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        PyObject *arg = PyTuple_GET_ITEM(args, i);
        if (PyType_Check(arg)) {
            int r = test(obj, arg);
            if (r != 0) {
                return r < 0 ? NULL : Py_NewRef(Py_True);
            }
        }
    }
    Py_RETURN_FALSE;
}

static PyObject *
union_instancecheck(PyObject *self, PyObject *instance)
{
    return test_members(self, instance, PyObject_IsInstance, "isinstance");
}

static PyObject *
union_subclasscheck(PyObject *self, PyObject *cls)
{
    if (!PyType_Check(cls)) {
        PyErr_SetString(PyExc_TypeError,
                        "issubclass() arg 1 must be a class");
        return NULL;
    }
    return test_members(self, cls, PyObject_IsSubclass, "issubclass");
}

static PyObject *
union_repr(PyObject *self)
{
    PyObject *args = cast(self)->args;
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        PyObject *arg = PyTuple_GET_ITEM(args, i);
        PyObject *text = arg == (PyObject *)&_PyNone_Type
                             ? PyUnicode_FromString("None")
                             : kr_type_arg_repr(arg);
        bool ok = text != NULL
                  && (i == 0
                      || _PyUnicodeWriter_WriteASCIIString(&w, " | ", 3) == 0)
                  && _PyUnicodeWriter_WriteStr(&w, text) == 0;
        Py_XDECREF(text);
        if (!ok) {
            _PyUnicodeWriter_Dealloc(&w);
            return NULL;
        }
    }
    return _PyUnicodeWriter_Finish(&w);
}

static PyObject *
parameters_of(PyObject *self)
{
    struct union_object *u = cast(self);
    if (u->parameters == NULL) {
        u->parameters = kr_make_parameters(u->args);
    }
    return u->parameters;
}

static PyObject *
union_getitem(PyObject *self, PyObject *item)
{
    if (parameters_of(self) == NULL) {
        return NULL;
    }
    PyObject *args = kr_subs_parameters(self, cast(self)->args,
                                        cast(self)->parameters, item);
    if (args == NULL) {
        return NULL;
    }
    /* By `|`, since the values may be of types of their own (typing). */
    PyObject *res = NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n > 0) {
        res = Py_NewRef(PyTuple_GET_ITEM(args, 0));
        for (Py_ssize_t i = 1; res != NULL && i < n; i++) {
            Py_SETREF(res, PyNumber_Or(res, PyTuple_GET_ITEM(args, i)));
        }
    }
    Py_DECREF(args);
    return res;
}

static PyObject *
union_get_parameters(PyObject *self, void *context)
{
    return Py_XNewRef(parameters_of(self));
}

/* A union stands for a class where people ask for the module. */
static PyObject *
union_getattro(PyObject *self, PyObject *name)
{
    if (PyUnicode_Check(name)
        && _PyUnicode_EqualToASCIIString(name, "__module__")) {
        return PyObject_GetAttr((PyObject *)Py_TYPE(self), name);
    }
    return PyObject_GenericGetAttr(self, name);
}

static PyMethodDef union_methods[] = {
    {"__instancecheck__", union_instancecheck, METH_O},
    {"__subclasscheck__", union_subclasscheck, METH_O},
    {NULL},
};

static PyMemberDef union_members[] = {
    {"__args__", T_OBJECT, offsetof(struct union_object, args), READONLY},
    {NULL},
};

static PyGetSetDef union_getsets[] = {
    {"__parameters__", union_get_parameters, NULL,
     PyDoc_STR("Type variables in the types.UnionType.")},
    {NULL},
};

static PyMappingMethods union_as_mapping = {.mp_subscript = union_getitem};
static PyNumberMethods union_as_number = {.nb_or = kr_union_or};

PyTypeObject kr_union_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "types.UnionType",
    .tp_basicsize = sizeof(struct union_object),
    .tp_dealloc = union_dealloc,
    .tp_repr = union_repr,
    .tp_as_number = &union_as_number,
    .tp_as_mapping = &union_as_mapping,
    .tp_hash = union_hash,
    .tp_getattro = union_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("Represent a PEP 604 union type\n\nE.g. for "
                        "int | str"),
    .tp_traverse = union_traverse,
    .tp_richcompare = union_richcompare,
    .tp_methods = union_methods,
    .tp_members = union_members,
    .tp_getset = union_getsets,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
};
