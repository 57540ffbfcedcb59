/* None and NotImplemented: two singletons and their types. */
#include <Python.h>

#include "objects/immortal.h"

static PyObject *
none_repr(PyObject *op)
{
    return PyUnicode_FromString("None");
}

/* What a dealloc does that nobody may ever reach. */
static void
none_dealloc(PyObject *op)
{
    op->ob_refcnt = KR_IMMORTAL_REFCNT;
}

static int
none_bool(PyObject *op)
{
    return 0;
}

static Py_hash_t
none_hash(PyObject *op)
{
    return _Py_HashPointer(op);
}

/* __new__ of None and NotImplemented: gives the one object, takes nothing. */
static PyObject *
singleton_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args)
        || (kwargs != NULL && PyDict_GET_SIZE(kwargs))) {
        PyErr_Format(PyExc_TypeError, "%s takes no arguments", type->tp_name);
        return NULL;
    }
    return Py_NewRef(type == &_PyNone_Type ? &_Py_NoneStruct
                                           : &_Py_NotImplementedStruct);
}

static PyNumberMethods none_as_number = {.nb_bool = none_bool};

PyTypeObject _PyNone_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "NoneType",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = none_dealloc,
    .tp_repr = none_repr,
    .tp_as_number = &none_as_number,
    .tp_hash = none_hash,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = singleton_new,
};

PyObject _Py_NoneStruct = KR_IMMORTAL_HEAD(&_PyNone_Type);

/* ---- NotImplemented ----------------------------------------------------- */

static PyObject *
notimplemented_repr(PyObject *op)
{
    return PyUnicode_FromString("NotImplemented");
}

static PyObject *
notimplemented_reduce(PyObject *op, PyObject *unused)
{
    return PyUnicode_FromString("NotImplemented");
}

static int
notimplemented_bool(PyObject *op)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning,
                     "NotImplemented should not be used in a boolean context",
                     1)
        < 0) {
        return -1;
    }
    return 1;
}

static PyMethodDef notimplemented_methods[] = {
    {"__reduce__", notimplemented_reduce, METH_NOARGS, NULL},
    {NULL},
};

static PyNumberMethods notimplemented_as_number = {
    .nb_bool = notimplemented_bool,
};

PyTypeObject _PyNotImplemented_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "NotImplementedType",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = none_dealloc,
    .tp_repr = notimplemented_repr,
    .tp_as_number = &notimplemented_as_number,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = notimplemented_methods,
    .tp_new = singleton_new,
};

PyObject _Py_NotImplementedStruct = KR_IMMORTAL_HEAD(&_PyNotImplemented_Type);
