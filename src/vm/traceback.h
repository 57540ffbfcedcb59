/* Traceback objects beyond the public API. */
#ifndef KR_VM_TRACEBACK_H
#define KR_VM_TRACEBACK_H

#include <Python.h>
#include <frameobject.h>

/* The line of the entry, -1 if none. */
int kr_traceback_line(PyTracebackObject *tb);

/* New traceback entry for where `frame` is, before `next` (or NULL); NULL
 * with an exception set. */
PyAPI_FUNC(PyObject *)
_PyTraceBack_FromFrame(PyObject *next, PyFrameObject *frame);

#endif
