/* What a thread does when the eval breaker stops it. */
#ifndef KR_RUNTIME_PENDING_H
#define KR_RUNTIME_PENDING_H

#include <Python.h>

/* Called by the VM when interp->eval_breaker is not zero: signal handlers,
 * pending calls, requests for the GIL, asynchronous exceptions. -1 with an
 * exception set if one of them raised, else 0. */
int kr_eval_breaker_handle(PyThreadState *ts);

/* Lets other threads have the GIL for a moment. */
void _PyEval_DropForRequest(PyThreadState *ts);

/* Makes the ring of a new interpreter ready. */
void kr_pending_init(PyInterpreterState *interp);

/* Runs pending calls until none is left; for the end of the interpreter. */
void kr_finish_pending_calls(PyThreadState *ts);

/* In a child process: forgets calls of the parent's other threads. */
void kr_pending_after_fork(void);

/* Async-signal-safe: handlers are due. */
PyAPI_FUNC(void) _PyEval_SignalReceived(PyInterpreterState *interp);
PyAPI_FUNC(void) _PyEval_SignalAsyncExc(PyInterpreterState *interp);
PyAPI_FUNC(int) _PyEval_AddPendingCall(PyInterpreterState *interp,
                                       int (*func)(void *), void *arg);

/* Runs the Python handlers of signals that came in; -1 if one raised. */
PyAPI_FUNC(int) _PyErr_CheckSignalsTstate(PyThreadState *ts);

#endif
