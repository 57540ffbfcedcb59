/* Tuples: immutable sequences.
   A new tuple is filled by SetItem before others see it. */
#ifndef Py_TUPLEOBJECT_H
#define Py_TUPLEOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyTuple_Type;
PyAPI_DATA(PyTypeObject) PyTupleIter_Type;

#define PyTuple_Check(op) \
    PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_TUPLE_SUBCLASS)
#define PyTuple_CheckExact(op) Py_IS_TYPE((op), &PyTuple_Type)

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyTuple_GetSlice(PyObject *, Py_ssize_t, Py_ssize_t);
PyAPI_FUNC(PyObject *) PyTuple_New(Py_ssize_t);
PyAPI_FUNC(PyObject *) PyTuple_Pack(Py_ssize_t, ...);

/* Give a borrowed reference. */
PyAPI_FUNC(PyObject *) PyTuple_GetItem(PyObject *, Py_ssize_t);

/* Take over (steal) a reference that is passed in. */
PyAPI_FUNC(int) PyTuple_SetItem(PyObject *, Py_ssize_t, PyObject *);

/* The number of items, -1 if this is no tuple. */
PyAPI_FUNC(Py_ssize_t) PyTuple_Size(PyObject *);

#ifndef Py_LIMITED_API
#include "cpython/tupleobject.h"
#endif

#ifdef __cplusplus
}
#endif

#endif
