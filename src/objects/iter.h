/* Iterators over anything. */
#ifndef KR_OBJECTS_ITER_H
#define KR_OBJECTS_ITER_H

#include <Python.h>

/* What anext(it, default) awaits: the awaitable, or the default where it
 * would raise StopAsyncIteration. */
extern PyTypeObject _PyAnextAwaitable_Type;
PyObject *PyAnextAwaitable_New(PyObject *awaitable, PyObject *default_value);

/* What __reduce__ of an iterator gives that is pickled as a list of what it
 * still has. Uses `it` up, which is a copy therefore; new reference. */
PyObject *kr_iter_reduce_as_list(PyObject *it);

/* The iterator of an awaitable, new; implemented with the coroutines. */
PyObject *_PyCoro_GetAwaitableIter(PyObject *o);

#endif
