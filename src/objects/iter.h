/* Internal doors of the generic iterators. */
#ifndef KR_OBJECTS_ITER_H
#define KR_OBJECTS_ITER_H

#include <Python.h>

/* New: an awaitable that gives what `awaitable` (of __anext__) gives, or
 * `default_value` at the end of the iteration. */
PyObject *PyAnextAwaitable_New(PyObject *awaitable, PyObject *default_value);

#endif
