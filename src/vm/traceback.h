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

/* Writes a traceback to `f`, each line behind `margin` and `indent` spaces, the
 * header behind a margin of its own; 0 or -1. */
PyAPI_FUNC(int) _PyTraceBack_Print_Indented(PyObject *tb, int indent,
                                            const char *margin,
                                            const char *header_margin,
                                            const char *header, PyObject *f);

#endif
