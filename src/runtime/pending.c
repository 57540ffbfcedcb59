/* Pending calls, recursion limits, and the eval breaker's work list. */
#include "runtime/pending.h"

#include <pthread.h>

#include "runtime/tstate.h"

void
kr_pending_init(PyInterpreterState *interp)
{
    pthread_mutex_init(&interp->pending.mutex, NULL);
}

void
_PyEval_SignalReceived(PyInterpreterState *interp)
{
    kr_breaker_set(interp, KR_BREAK_SIGNALS);
}

void
_PyEval_SignalAsyncExc(PyInterpreterState *interp)
{
    kr_breaker_set(interp, KR_BREAK_ASYNC_EXC);
}

int
_PyEval_AddPendingCall(PyInterpreterState *interp, int (*func)(void *),
                       void *arg)
{
    struct kr_pending_calls *p = &interp->pending;
    int res = -1;
    pthread_mutex_lock(&p->mutex);
    if (p->count < KR_MAX_PENDING) {
        unsigned i = (p->first + p->count++) % KR_MAX_PENDING;
        p->calls[i].func = func;
        p->calls[i].arg = arg;
        res = 0;
    }
    pthread_mutex_unlock(&p->mutex);
    kr_breaker_set(interp, KR_BREAK_PENDING);
    return res;
}

int
Py_AddPendingCall(int (*func)(void *), void *arg)
{
    return _PyEval_AddPendingCall(PyInterpreterState_Main(), func, arg);
}

static int
pop_call(struct kr_pending_calls *p, int (**func)(void *), void **arg)
{
    int found = 0;
    pthread_mutex_lock(&p->mutex);
    if (p->count > 0) {
        *func = p->calls[p->first].func;
        *arg = p->calls[p->first].arg;
        p->first = (p->first + 1) % KR_MAX_PENDING;
        p->count--;
        found = 1;
    }
    pthread_mutex_unlock(&p->mutex);
    return found;
}

static int
make_pending_calls(PyInterpreterState *interp)
{
    struct kr_pending_calls *p = &interp->pending;
    int (*func)(void *);
    void *arg;
    if (!_PyOS_IsMainThread() || p->busy) {
        return 0;
    }
    p->busy = 1;
    kr_breaker_clear(interp, KR_BREAK_PENDING);
    int res = 0;
    /* no more than fit: a call may add itself again */
    for (int i = 0; i < KR_MAX_PENDING && pop_call(p, &func, &arg); i++) {
        if (func(arg) != 0) {
            res = -1;
            break;
        }
    }
    p->busy = 0;
    if (p->count > 0) {
        kr_breaker_set(interp, KR_BREAK_PENDING);
    }
    return res;
}

int
Py_MakePendingCalls(void)
{
    PyThreadState *ts = PyThreadState_Get();
    if (_PyErr_CheckSignalsTstate(ts) != 0) {
        return -1;
    }
    return make_pending_calls(ts->interp);
}

void
kr_finish_pending_calls(PyThreadState *ts)
{
    if (ts->interp->pending.count > 0
        && make_pending_calls(ts->interp) < 0) {
        PyErr_WriteUnraisable(NULL);
    }
}

void
kr_pending_after_fork(void)
{
    PyInterpreterState *i = PyInterpreterState_Head();
    for (; i != NULL; i = PyInterpreterState_Next(i)) {
        kr_pending_init(i);
        i->pending.busy = 0;
    }
}

int
kr_eval_breaker_handle(PyThreadState *ts)
{
    PyInterpreterState *interp = ts->interp;
    uint32_t due = atomic_load_explicit(&interp->eval_breaker,
                                        memory_order_acquire);
    if (due & KR_BREAK_GC) {
        kr_breaker_clear(interp, KR_BREAK_GC);
        PyGC_Collect();
    }
    if ((due & KR_BREAK_SIGNALS) && _PyErr_CheckSignalsTstate(ts) < 0) {
        return -1;
    }
    if ((due & KR_BREAK_PENDING) && make_pending_calls(interp) < 0) {
        return -1;
    }
    if (due & KR_BREAK_GIL) {
        _PyEval_DropForRequest(ts);
    }
    if (ts->async_exc != NULL) {
        PyObject *exc = ts->async_exc;
        ts->async_exc = NULL;
        kr_breaker_clear(interp, KR_BREAK_ASYNC_EXC);
        PyErr_SetNone(exc);
        Py_DECREF(exc);
        return -1;
    }
    return 0;
}

/* --- recursion ----------------------------------------------------------- */

static int
recursion_error(PyThreadState *ts, const char *where)
{
    ts->recursion_headroom++;
    PyErr_Format(PyExc_RecursionError, "maximum recursion depth exceeded%s",
                 where);
    ts->recursion_headroom--;
    ts->recursion_remaining++;
    return -1;
}

int
_Py_CheckRecursiveCall(PyThreadState *ts, const char *where)
{
    if (ts->recursion_headroom) {
        /* an error is being made; it needs a little room */
        if (ts->recursion_remaining < -50) {
            Py_FatalError("Cannot recover from stack overflow.");
        }
        return 0;
    }
    if (ts->recursion_remaining <= 0 || kr_stack_is_low(ts)) {
        return recursion_error(ts, where);
    }
    return 0;
}

int
Py_EnterRecursiveCall(const char *where)
{
    return kr_enter_recursive(PyThreadState_Get(), where);
}

void
Py_LeaveRecursiveCall(void)
{
    kr_leave_recursive(PyThreadState_Get());
}

void
kr_set_recursion_limit(PyInterpreterState *interp, int limit)
{
    interp->recursion_limit = limit;
    for (PyThreadState *t = interp->threads; t != NULL; t = t->next) {
        int depth = t->recursion_limit - t->recursion_remaining;
        t->recursion_limit = limit;
        t->recursion_remaining = limit - depth;
    }
}

int
Py_GetRecursionLimit(void)
{
    return kr_interp()->recursion_limit;
}

void
Py_SetRecursionLimit(int limit)
{
    kr_set_recursion_limit(kr_interp(), limit);
}
