/* What the files of `float` share. */
#ifndef KR_OBJECTS_FLOAT_H
#define KR_OBJECTS_FLOAT_H

#include <Python.h>

#include "base/common.h"
#include "memory/domains.h"
#include "objects/float_text.h"

/* PyFloat_FromDouble, inline. */
static inline PyObject *
kr_float_new(double x)
{
    PyFloatObject *op = kr_object_alloc(sizeof(PyFloatObject));
    if (KR_UNLIKELY(op == NULL)) {
        return PyErr_NoMemory();
    }
    /* what PyObject_Init does, for a type that is known to be static */
    Py_SET_TYPE(op, &PyFloat_Type);
    Py_SET_REFCNT(op, 1);
    op->ob_fval = x;
    return (PyObject *)op;
}

/* Py_DECREF of an exact float. */
static inline void
kr_float_decref(PyObject *v)
{
    if (--v->ob_refcnt == 0) {
        kr_object_free(v);
    }
}

/* float.hex and float.fromhex, as methods. */
PyObject *kr_float_hex(PyObject *self, PyObject *ignored);
PyObject *kr_float_fromhex(PyObject *type, PyObject *string);

#endif
