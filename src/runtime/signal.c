/* Signal delivery, from the kernel to the Python handler. */
#include "runtime/signal.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "memory/tstate.h"
#include "runtime/pending.h"
#include "runtime/tstate.h"

/* What the C handler touches is atomic; the rest needs the GIL. */
static struct kr_signal_state {
    _Atomic int any;
    struct {
        _Atomic int tripped;
        PyObject *action;
    } signals[KR_NSIG];
    _Atomic int wakeup_fd;
    int warn_on_full_buffer;
} state = {.wakeup_fd = -1, .warn_on_full_buffer = 1};

int
kr_can_handle_signals(void)
{
    PyThreadState *ts = kr_tstate();
    return _PyOS_IsMainThread() && ts != NULL
           && ts->interp == PyInterpreterState_Main();
}

static int
is_int(PyObject *action, long value)
{
    return action != NULL && PyLong_CheckExact(action)
           && PyLong_AsLong(action) == value;
}

int
kr_signal_is_default(PyObject *action)
{
    return is_int(action, (long)SIG_DFL);
}

int
kr_signal_is_ignored(PyObject *action)
{
    return is_int(action, (long)SIG_IGN);
}

PyObject *
kr_signal_action(int signum)
{
    return state.signals[signum].action;
}

PyObject *
kr_signal_set_action(int signum, PyObject *action)
{
    PyObject *old = state.signals[signum].action;
    state.signals[signum].action = Py_XNewRef(action);
    return old;
}

int
kr_signal_set_wakeup_fd(int fd, int warn_on_full_buffer)
{
    state.warn_on_full_buffer = warn_on_full_buffer;
    return atomic_exchange(&state.wakeup_fd, fd);
}

/* --- arrival ------------------------------------------------------------- */

static int
report_wakeup_error(void *data)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    errno = (int)(intptr_t)data;
    PyErr_SetFromErrno(PyExc_OSError);
    _PyErr_WriteUnraisableMsg("when trying to write to the signal wakeup fd",
                              NULL);
    PyErr_Restore(type, value, tb);
    return 0;
}

/* Async-signal-safe. */
static void
trip(int signum)
{
    PyInterpreterState *interp = PyInterpreterState_Main();
    atomic_store(&state.signals[signum].tripped, 1);
    atomic_store(&state.any, 1);
    if (interp == NULL) {
        return;
    }
    _PyEval_SignalReceived(interp);
    int fd = atomic_load(&state.wakeup_fd);
    if (fd == -1) {
        return;
    }
    unsigned char byte = (unsigned char)signum;
    if (write(fd, &byte, 1) < 0
        && (state.warn_on_full_buffer
            || (errno != EWOULDBLOCK && errno != EAGAIN))) {
        _PyEval_AddPendingCall(interp, report_wakeup_error,
                               (void *)(intptr_t)errno);
    }
}

void
kr_signal_handler(int signum)
{
    int saved = errno;
    trip(signum);
    errno = saved;
}

/* --- running handlers ---------------------------------------------------- */

static int
call_action(PyThreadState *ts, int signum, PyObject *action)
{
    PyObject *frame = (PyObject *)PyThreadState_GetFrame(ts);
    if (frame == NULL) {
        frame = Py_NewRef(Py_None);
    }
    Py_INCREF(action);
    PyObject *res = PyObject_CallFunction(action, "iO", signum, frame);
    Py_DECREF(action);
    Py_DECREF(frame);
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

int
_PyErr_CheckSignalsTstate(PyThreadState *ts)
{
    if (!kr_can_handle_signals()) {
        return 0;
    }
    kr_breaker_clear(ts->interp, KR_BREAK_SIGNALS);
    if (!atomic_exchange(&state.any, 0)) {
        return 0;
    }
    for (int i = 1; i < KR_NSIG; i++) {
        if (!atomic_exchange(&state.signals[i].tripped, 0)) {
            continue;
        }
        PyObject *action = state.signals[i].action;
        if (action == NULL || action == Py_None || kr_signal_is_default(action)
            || kr_signal_is_ignored(action)) {
            /* it was changed between the arrival and now */
            PyErr_Format(PyExc_OSError,
                         "Signal %i ignored due to race condition", i);
            PyErr_WriteUnraisable(Py_None);
            continue;
        }
        if (call_action(ts, i, action) < 0) {
            /* others may be waiting still */
            atomic_store(&state.any, 1);
            _PyEval_SignalReceived(ts->interp);
            return -1;
        }
    }
    return 0;
}

int
PyErr_CheckSignals(void)
{
    return _PyErr_CheckSignalsTstate(PyThreadState_Get());
}

int
_PyErr_CheckSignals(void)
{
    return _PyErr_CheckSignalsTstate(PyThreadState_Get());
}

int
PyErr_SetInterruptEx(int signum)
{
    if (signum < 1 || signum >= KR_NSIG) {
        return -1;
    }
    PyObject *action = state.signals[signum].action;
    if (action == NULL
        || (!kr_signal_is_default(action) && !kr_signal_is_ignored(action))) {
        trip(signum);
    }
    return 0;
}

void
PyErr_SetInterrupt(void)
{
    PyErr_SetInterruptEx(SIGINT);
}

PyAPI_FUNC(int) _PyOS_InterruptOccurred(PyThreadState *ts);

int
_PyOS_InterruptOccurred(PyThreadState *ts)
{
    if (!kr_can_handle_signals()) {
        return 0;
    }
    return atomic_exchange(&state.signals[SIGINT].tripped, 0);
}

int
PyOS_InterruptOccurred(void)
{
    return _PyOS_InterruptOccurred(PyThreadState_Get());
}

/* --- the system's side --------------------------------------------------- */

PyOS_sighandler_t
PyOS_getsig(int sig)
{
    struct sigaction action;
    if (sigaction(sig, NULL, &action) == -1) {
        return SIG_ERR;
    }
    return action.sa_handler;
}

PyOS_sighandler_t
PyOS_setsig(int sig, PyOS_sighandler_t handler)
{
    struct sigaction action = {.sa_handler = handler}, old;
    sigemptyset(&action.sa_mask);
    /* on the alternate stack if the program has set one up */
    action.sa_flags = SA_ONSTACK;
    if (sigaction(sig, &action, &old) == -1) {
        return SIG_ERR;
    }
    return old.sa_handler;
}

void
_Py_RestoreSignals(void)
{
    PyOS_setsig(SIGPIPE, SIG_DFL);
    PyOS_setsig(SIGXFSZ, SIG_DFL);
}

int
kr_signal_init(int install)
{
    if (install) {
        PyOS_setsig(SIGPIPE, SIG_IGN);
        PyOS_setsig(SIGXFSZ, SIG_IGN);
    }
    PyObject *module = PyImport_ImportModule("_signal");
    if (module == NULL) {
        return -1;
    }
    int res = 0;
    if (install && kr_signal_is_default(state.signals[SIGINT].action)) {
        PyObject *handler = PyObject_GetAttrString(module,
                                                   "default_int_handler");
        if (handler == NULL) {
            res = -1;
        }
        else {
            Py_XDECREF(kr_signal_set_action(SIGINT, handler));
            Py_DECREF(handler);
            PyOS_setsig(SIGINT, kr_signal_handler);
        }
    }
    Py_DECREF(module);
    return res;
}

void
kr_signal_fini(void)
{
    for (int i = 1; i < KR_NSIG; i++) {
        PyObject *action = state.signals[i].action;
        atomic_store(&state.signals[i].tripped, 0);
        state.signals[i].action = NULL;
        if (action != NULL && action != Py_None
            && !kr_signal_is_default(action) && !kr_signal_is_ignored(action)) {
            PyOS_setsig(i, SIG_DFL);
        }
        Py_XDECREF(action);
    }
}

void
kr_signal_after_fork(void)
{
    atomic_store(&state.any, 0);
    for (int i = 1; i < KR_NSIG; i++) {
        atomic_store(&state.signals[i].tripped, 0);
    }
}

/* --- sets of signals ----------------------------------------------------- */

static int
add_signal(PyObject *item, sigset_t *set)
{
    int overflow;
    long signum = PyLong_AsLongAndOverflow(item, &overflow);
    if (signum == -1 && !overflow && PyErr_Occurred()) {
        return -1;
    }
    if (overflow || signum <= 0 || signum >= KR_NSIG) {
        if (overflow) {
            PyErr_Format(PyExc_ValueError,
                         "signal number out of range [1; %i]", KR_NSIG - 1);
        }
        else {
            PyErr_Format(PyExc_ValueError,
                         "signal number %ld out of range [1; %i]", signum,
                         KR_NSIG - 1);
        }
        return -1;
    }
    if (sigaddset(set, (int)signum) != 0) {
        if (errno != EINVAL) {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        /* the thread library keeps a few for itself */
        return PyErr_WarnFormat(
            PyExc_RuntimeWarning, 1,
            "invalid signal number %ld, please use valid_signals()", signum);
    }
    return 0;
}

int
_Py_Sigset_Converter(PyObject *obj, void *addr)
{
    sigset_t *set = addr;
    sigemptyset(set);
    PyObject *iter = PyObject_GetIter(obj), *item;
    if (iter == NULL) {
        return 0;
    }
    int res = 0;
    while (res == 0 && (item = PyIter_Next(iter)) != NULL) {
        res = add_signal(item, set);
        Py_DECREF(item);
    }
    Py_DECREF(iter);
    return res == 0 && !PyErr_Occurred();
}
