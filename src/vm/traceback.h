/* Traceback objects beyond the public API. */
#ifndef KR_VM_TRACEBACK_H
#define KR_VM_TRACEBACK_H

#include <Python.h>
#include <frameobject.h>

/* The line of the entry, -1 if none. */
int kr_traceback_line(PyTracebackObject *tb);

#endif
