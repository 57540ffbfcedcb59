/* Iterators over anything. */
#ifndef KR_OBJECTS_ITER_H
#define KR_OBJECTS_ITER_H

#include <Python.h>

/* What anext(it, default) awaits: the awaitable, or the default where it
 * would raise StopAsyncIteration. */
extern PyTypeObject _PyAnextAwaitable_Type;
PyObject *PyAnextAwaitable_New(PyObject *awaitable, PyObject *default_value);

#endif
