/* types.SimpleNamespace: an object that is all attributes. */
#include "objects/namespace.h"

#include "base/common.h"
#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/immortal.h"

#include <structmember.h>

struct namespace {
    PyObject_HEAD
    PyObject *dict;
};

static inline PyObject *
dict_of(PyObject *self)
{
    return ((struct namespace *)self)->dict;
}

static PyObject *
namespace_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        ((struct namespace *)self)->dict = PyDict_New();
        if (dict_of(self) == NULL) {
            Py_CLEAR(self);
        }
    }
    return self;
}

static int
namespace_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) != 0) {
        PyErr_Format(PyExc_TypeError, "no positional arguments expected");
        return -1;
    }
    if (kwds == NULL) {
        return 0;
    }
    if (!PyArg_ValidateKeywordArguments(kwds)) {
        return -1;
    }
    return PyDict_Update(dict_of(self), kwds);
}

static void
namespace_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_CLEAR(((struct namespace *)self)->dict);
    Py_TYPE(self)->tp_free(self);
}

/* "key=value" of every attribute that has an identifier-like name. */
static PyObject *
repr_pairs(PyObject *self)
{
    PyObject *pairs = PyList_New(0);
    PyObject *keys = pairs == NULL ? NULL : PyDict_Keys(dict_of(self));
    if (keys == NULL) {
        Py_XDECREF(pairs);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i);
        if (!PyUnicode_Check(key) || PyUnicode_GET_LENGTH(key) == 0) {
            continue;
        }
        PyObject *value = PyDict_GetItemWithError(dict_of(self), key);
        if (value == NULL) {
            if (PyErr_Occurred()) {
                goto error;
            }
            continue; /* gone meanwhile */
        }
        Py_INCREF(value);
        PyObject *item = PyUnicode_FromFormat("%U=%R", key, value);
        Py_DECREF(value);
        if (item == NULL || PyList_Append(pairs, item) < 0) {
            Py_XDECREF(item);
            goto error;
        }
        Py_DECREF(item);
    }
    Py_DECREF(keys);
    return pairs;

error:
    Py_DECREF(keys);
    Py_DECREF(pairs);
    return NULL;
}

static PyObject *
namespace_repr(PyObject *self)
{
    const char *name = Py_IS_TYPE(self, &_PyNamespace_Type)
                           ? "namespace"
                           : Py_TYPE(self)->tp_name;
    int seen = Py_ReprEnter(self);
    if (seen != 0) {
        return seen > 0 ? PyUnicode_FromFormat("%s(...)", name) : NULL;
    }
    PyObject *res = NULL;
    PyObject *pairs = repr_pairs(self);
    if (pairs != NULL) {
        PyObject *comma = PyUnicode_FromString(", ");
        PyObject *text = comma ? PyUnicode_Join(comma, pairs) : NULL;
        if (text != NULL) {
            res = PyUnicode_FromFormat("%s(%U)", name, text);
            Py_DECREF(text);
        }
        Py_XDECREF(comma);
        Py_DECREF(pairs);
    }
    Py_ReprLeave(self);
    return res;
}

static int
namespace_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(dict_of(self));
    return 0;
}

static int
namespace_clear(PyObject *self)
{
    Py_CLEAR(((struct namespace *)self)->dict);
    return 0;
}

static PyObject *
namespace_richcompare(PyObject *self, PyObject *other, int op)
{
    if (PyObject_TypeCheck(self, &_PyNamespace_Type)
        && PyObject_TypeCheck(other, &_PyNamespace_Type)) {
        return PyObject_RichCompare(dict_of(self), dict_of(other), op);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *
namespace_reduce(PyObject *self, PyObject *unused)
{
    PyObject *args = PyTuple_New(0);
    if (args == NULL) {
        return NULL;
    }
    PyObject *res = PyTuple_Pack(3, Py_TYPE(self), args, dict_of(self));
    Py_DECREF(args);
    return res;
}

static PyMemberDef namespace_members[] = {
    {"__dict__", T_OBJECT, offsetof(struct namespace, dict), READONLY},
    {NULL},
};

static PyMethodDef namespace_methods[] = {
    {"__reduce__", namespace_reduce, METH_NOARGS,
     PyDoc_STR("Return state information for pickling")},
    {NULL},
};

PyTypeObject _PyNamespace_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "types.SimpleNamespace",
    .tp_basicsize = sizeof(struct namespace),
    .tp_dealloc = namespace_dealloc,
    .tp_repr = namespace_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("SimpleNamespace(**kwargs)\n--\n\n"
                        "A simple attribute-based namespace."),
    .tp_traverse = namespace_traverse,
    .tp_clear = namespace_clear,
    .tp_richcompare = namespace_richcompare,
    .tp_methods = namespace_methods,
    .tp_members = namespace_members,
    .tp_dictoffset = offsetof(struct namespace, dict),
    .tp_init = namespace_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = namespace_new,
    .tp_free = PyObject_GC_Del,
};

PyObject *
_PyNamespace_New(PyObject *kwds)
{
    PyObject *self = namespace_new(&_PyNamespace_Type, NULL, NULL);
    if (self != NULL && kwds != NULL
        && PyDict_Update(dict_of(self), kwds) < 0) {
        Py_CLEAR(self);
    }
    return self;
}
