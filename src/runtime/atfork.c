/* fork(): bringing locks and threads into a state that a child can use. */
#include "runtime/atfork.h"

#include "runtime/gil.h"
#include "runtime/pending.h"
#include "runtime/signal.h"
#include "runtime/tstate.h"

static int
add_to(PyObject **list, PyObject *func)
{
    if (func == NULL) {
        return 0;
    }
    if (*list == NULL) {
        *list = PyList_New(0);
        if (*list == NULL) {
            return -1;
        }
    }
    return PyList_Append(*list, func);
}

int
kr_register_at_fork(PyObject *before, PyObject *after_in_child,
                    PyObject *after_in_parent)
{
    PyInterpreterState *interp = kr_interp();
    return add_to(&interp->before_forkers, before) < 0
                   || add_to(&interp->after_forkers_child, after_in_child) < 0
                   || add_to(&interp->after_forkers_parent, after_in_parent)
                          < 0
               ? -1
               : 0;
}

static void
run_all(PyObject *list, bool reverse)
{
    if (list == NULL) {
        return;
    }
    /* a function may register others */
    PyObject *copy = PySequence_List(list);
    if (copy == NULL) {
        PyErr_WriteUnraisable(list);
        return;
    }
    Py_ssize_t n = PyList_GET_SIZE(copy);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *func = PyList_GET_ITEM(copy, reverse ? n - 1 - i : i);
        PyObject *res = PyObject_CallNoArgs(func);
        if (res == NULL) {
            PyErr_WriteUnraisable(func);
        }
        Py_XDECREF(res);
    }
    Py_DECREF(copy);
}

void
PyOS_BeforeFork(void)
{
    run_all(kr_interp()->before_forkers, true);
    _PyImport_AcquireLock();
}

void
PyOS_AfterFork_Parent(void)
{
    if (_PyImport_ReleaseLock() <= 0) {
        Py_FatalError("failed releasing import lock after fork");
    }
    run_all(kr_interp()->after_forkers_parent, false);
}

void
PyOS_AfterFork_Child(void)
{
    PyThreadState *ts = PyThreadState_Get();
    kr_runtime_after_fork();
    kr_gil_after_fork(ts);
    kr_pending_after_fork();
    ts->thread_id = PyThread_get_thread_ident();
    ts->native_thread_id = PyThread_get_thread_native_id();
    /* taken before the fork, by this very thread */
    (void)_PyImport_ReleaseLock();
    kr_signal_after_fork();
    _PyThreadState_DeleteExcept(NULL, ts);
    run_all(ts->interp->after_forkers_child, false);
}

void
PyOS_AfterFork(void)
{
    PyOS_AfterFork_Child();
}
