/* Events for trace and profile functions. */
#ifndef KR_VM_TRACE_H
#define KR_VM_TRACE_H

#include "vm/frame.h"

/* Calls a trace or profile function, unless one is running. -1 with an
 * exception. */
int kr_trace_event(PyThreadState *ts, _PyInterpreterFrame *f,
                   Py_tracefunc func, PyObject *self, int what, PyObject *arg);

/* Tells the profiler how a built-in function ended. Takes over `result`, gives
 * it back, or NULL if the profiler raised. */
PyObject *kr_trace_c_result(PyThreadState *ts, _PyInterpreterFrame *f,
                            PyObject *func, PyObject *result);

/* sys.call_tracing. New reference. */
PyObject *_PyEval_CallTracing(PyObject *func, PyObject *args);

#endif
