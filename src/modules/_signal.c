/* The _signal module: what the signal module wraps. */
#include <Python.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "runtime/signal.h"
#include "runtime/tstate.h"

struct signal_module {
    PyObject *itimer_error;
    PyTypeObject *siginfo_type;
    PyObject *sig_dfl, *sig_ign;
};

static struct signal_module *
state_of(PyObject *module)
{
    return (struct signal_module *)PyModule_GetState(module);
}

static bool
int_arg(PyObject *obj, int *value)
{
    *value = _PyLong_AsInt(obj);
    return *value != -1 || !PyErr_Occurred();
}

static bool
signum_arg(PyObject *obj, int *signum)
{
    if (!int_arg(obj, signum)) {
        return false;
    }
    if (*signum < 1 || *signum >= KR_NSIG) {
        PyErr_SetString(PyExc_ValueError, "signal number out of range");
        return false;
    }
    return true;
}

static PyObject *
none_or_errno(int failed)
{
    if (failed) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

/* --- handlers ------------------------------------------------------------ */

static PyObject *
default_int_handler(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int signum;
    if (!_PyArg_CheckPositional("default_int_handler", nargs, 2, 2)
        || !int_arg(args[0], &signum)) {
        return NULL;
    }
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return NULL;
}

static PyObject *
signal_signal(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int signum;
    if (!_PyArg_CheckPositional("signal", nargs, 2, 2)
        || !int_arg(args[0], &signum)) {
        return NULL;
    }
    PyObject *handler = args[1];
    if (!kr_can_handle_signals()) {
        PyErr_SetString(PyExc_ValueError, "signal only works in main thread "
                                          "of the main interpreter");
        return NULL;
    }
    if (!signum_arg(args[0], &signum)) {
        return NULL;
    }
    PyOS_sighandler_t func = kr_signal_handler;
    if (kr_signal_is_ignored(handler)) {
        func = SIG_IGN;
    }
    else if (kr_signal_is_default(handler)) {
        func = SIG_DFL;
    }
    else if (!PyCallable_Check(handler)) {
        PyErr_SetString(PyExc_TypeError,
                        "signal handler must be signal.SIG_IGN, "
                        "signal.SIG_DFL, or a callable object");
        return NULL;
    }
    /* what came in so far is for the old handler */
    if (PyErr_CheckSignals() < 0) {
        return NULL;
    }
    if (PyOS_setsig(signum, func) == SIG_ERR) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyObject *old = kr_signal_set_action(signum, handler);
    return old == NULL ? Py_NewRef(Py_None) : old;
}

static PyObject *
signal_getsignal(PyObject *module, PyObject *arg)
{
    int signum;
    if (!signum_arg(arg, &signum)) {
        return NULL;
    }
    PyObject *action = kr_signal_action(signum);
    return Py_NewRef(action == NULL ? Py_None : action);
}

static PyObject *
signal_strsignal(PyObject *module, PyObject *arg)
{
    int signum;
    if (!signum_arg(arg, &signum)) {
        return NULL;
    }
    errno = 0;
    const char *text = strsignal(signum);
    if (errno || text == NULL || strncmp(text, "Unknown signal", 14) == 0) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(text);
}

static PyObject *
signal_siginterrupt(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int signum, flag;
    if (!_PyArg_CheckPositional("siginterrupt", nargs, 2, 2)
        || !signum_arg(args[0], &signum) || !int_arg(args[1], &flag)) {
        return NULL;
    }
    struct sigaction action;
    sigaction(signum, NULL, &action);
    if (flag) {
        action.sa_flags &= ~SA_RESTART;
    }
    else {
        action.sa_flags |= SA_RESTART;
    }
    return none_or_errno(sigaction(signum, &action, NULL) < 0);
}

static PyObject *
signal_set_wakeup_fd(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "warn_on_full_buffer", NULL};
    int fd, warn = 1;
    struct stat st;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|$p:set_wakeup_fd",
                                     keywords, &fd, &warn)) {
        return NULL;
    }
    if (!kr_can_handle_signals()) {
        PyErr_SetString(PyExc_ValueError,
                        "set_wakeup_fd only works in main thread of the main "
                        "interpreter");
        return NULL;
    }
    if (fd != -1) {
        if (fstat(fd, &st) != 0) {
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0) {
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        if (!(flags & O_NONBLOCK)) {
            PyErr_Format(PyExc_ValueError,
                         "the fd %i must be in non-blocking mode", fd);
            return NULL;
        }
    }
    return PyLong_FromLong(kr_signal_set_wakeup_fd(fd, warn));
}

/* --- sending and waiting ------------------------------------------------- */

static PyObject *
signal_alarm(PyObject *module, PyObject *arg)
{
    int seconds;
    if (!int_arg(arg, &seconds)) {
        return NULL;
    }
    return PyLong_FromLong((long)alarm((unsigned)seconds));
}

static PyObject *
signal_pause(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    Py_BEGIN_ALLOW_THREADS
    (void)pause();
    Py_END_ALLOW_THREADS
    if (PyErr_CheckSignals()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
signal_raise_signal(PyObject *module, PyObject *arg)
{
    int signum, err;
    if (!int_arg(arg, &signum)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    err = raise(signum);
    Py_END_ALLOW_THREADS
    if (err) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    /* if it was for this thread, its handler ran or is due now */
    if (PyErr_CheckSignals()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
signal_pthread_kill(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int signum;
    if (!_PyArg_CheckPositional("pthread_kill", nargs, 2, 2)) {
        return NULL;
    }
    if (!PyLong_Check(args[0])) {
        _PyArg_BadArgument("pthread_kill", "argument 1", "int", args[0]);
        return NULL;
    }
    unsigned long id = PyLong_AsUnsignedLongMask(args[0]);
    if (!int_arg(args[1], &signum)
        || PySys_Audit("signal.pthread_kill", "ki", id, signum) < 0) {
        return NULL;
    }
    int err = pthread_kill((pthread_t)id, signum);
    if (err != 0) {
        errno = err;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (PyErr_CheckSignals()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
signal_pidfd_send_signal(PyObject *module, PyObject *const *args,
                         Py_ssize_t nargs)
{
    int pidfd, signum, flags = 0;
    if (!_PyArg_CheckPositional("pidfd_send_signal", nargs, 2, 4)
        || !int_arg(args[0], &pidfd) || !int_arg(args[1], &signum)
        || (nargs > 3 && !int_arg(args[3], &flags))) {
        return NULL;
    }
    if (nargs > 2 && args[2] != Py_None) {
        PyErr_SetString(PyExc_TypeError, "siginfo must be None");
        return NULL;
    }
    return none_or_errno(
        syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, flags) < 0);
}

/* --- timers -------------------------------------------------------------- */

static PyObject *
from_itimerval(const struct itimerval *iv)
{
    return Py_BuildValue(
        "(dd)", (double)iv->it_value.tv_sec + iv->it_value.tv_usec / 1e6,
        (double)iv->it_interval.tv_sec + iv->it_interval.tv_usec / 1e6);
}

static bool
timeval_arg(PyObject *obj, struct timeval *tv)
{
    _PyTime_t t;
    if (obj == NULL) {
        tv->tv_sec = 0;
        tv->tv_usec = 0;
        return true;
    }
    return _PyTime_FromSecondsObject(&t, obj, _PyTime_ROUND_CEILING) == 0
           && _PyTime_AsTimeval(t, tv, _PyTime_ROUND_CEILING) == 0;
}

static PyObject *
signal_setitimer(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int which;
    struct itimerval new, old;
    if (!_PyArg_CheckPositional("setitimer", nargs, 2, 3)
        || !int_arg(args[0], &which) || !timeval_arg(args[1], &new.it_value)
        || !timeval_arg(nargs > 2 ? args[2] : NULL, &new.it_interval)) {
        return NULL;
    }
    if (setitimer((__itimer_which_t)which, &new, &old) != 0) {
        return PyErr_SetFromErrno(state_of(module)->itimer_error);
    }
    return from_itimerval(&old);
}

static PyObject *
signal_getitimer(PyObject *module, PyObject *arg)
{
    int which;
    struct itimerval old;
    if (!int_arg(arg, &which)) {
        return NULL;
    }
    if (getitimer((__itimer_which_t)which, &old) != 0) {
        return PyErr_SetFromErrno(state_of(module)->itimer_error);
    }
    return from_itimerval(&old);
}

/* --- sets of signals ----------------------------------------------------- */

static PyObject *
from_sigset(const sigset_t *set)
{
    PyObject *result = PySet_New(NULL);
    for (int i = 1; result != NULL && i < KR_NSIG; i++) {
        if (sigismember(set, i) != 1) {
            continue;
        }
        PyObject *n = PyLong_FromLong(i);
        if (n == NULL || PySet_Add(result, n) < 0) {
            Py_CLEAR(result);
        }
        Py_XDECREF(n);
    }
    return result;
}

static PyObject *
signal_pthread_sigmask(PyObject *module, PyObject *const *args,
                       Py_ssize_t nargs)
{
    int how;
    sigset_t mask, old;
    if (!_PyArg_CheckPositional("pthread_sigmask", nargs, 2, 2)
        || !int_arg(args[0], &how) || !_Py_Sigset_Converter(args[1], &mask)) {
        return NULL;
    }
    int err = pthread_sigmask(how, &mask, &old);
    if (err != 0) {
        errno = err;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    /* a signal that was let in runs its handler now */
    if (PyErr_CheckSignals()) {
        return NULL;
    }
    return from_sigset(&old);
}

static PyObject *
signal_sigpending(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    sigset_t mask;
    if (sigpending(&mask) != 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return from_sigset(&mask);
}

static PyObject *
signal_sigwait(PyObject *module, PyObject *arg)
{
    sigset_t set;
    int err, signum;
    if (!_Py_Sigset_Converter(arg, &set)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    err = sigwait(&set, &signum);
    Py_END_ALLOW_THREADS
    if (err) {
        errno = err;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLong(signum);
}

static PyObject *
from_siginfo(PyObject *module, const siginfo_t *si)
{
    PyObject *res = PyStructSequence_New(state_of(module)->siginfo_type);
    if (res == NULL) {
        return NULL;
    }
    PyStructSequence_SET_ITEM(res, 0, PyLong_FromLong(si->si_signo));
    PyStructSequence_SET_ITEM(res, 1, PyLong_FromLong(si->si_code));
    PyStructSequence_SET_ITEM(res, 2, PyLong_FromLong(si->si_errno));
    PyStructSequence_SET_ITEM(res, 3, PyLong_FromLong(si->si_pid));
    PyStructSequence_SET_ITEM(res, 4, PyLong_FromUnsignedLong(si->si_uid));
    PyStructSequence_SET_ITEM(res, 5, PyLong_FromLong(si->si_status));
    PyStructSequence_SET_ITEM(res, 6, PyLong_FromLong(si->si_band));
    if (PyErr_Occurred()) {
        Py_CLEAR(res);
    }
    return res;
}

static PyObject *
signal_sigwaitinfo(PyObject *module, PyObject *arg)
{
    sigset_t set;
    siginfo_t si;
    int err;
    if (!_Py_Sigset_Converter(arg, &set)) {
        return NULL;
    }
    do {
        Py_BEGIN_ALLOW_THREADS
        err = sigwaitinfo(&set, &si);
        Py_END_ALLOW_THREADS
        if (err != -1) {
            return from_siginfo(module, &si);
        }
        if (errno != EINTR) {
            return PyErr_SetFromErrno(PyExc_OSError);
        }
    } while (PyErr_CheckSignals() == 0);
    return NULL;
}

static PyObject *
signal_sigtimedwait(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    sigset_t set;
    siginfo_t si;
    _PyTime_t timeout;
    if (!_PyArg_CheckPositional("sigtimedwait", nargs, 2, 2)
        || !_Py_Sigset_Converter(args[0], &set)
        || _PyTime_FromSecondsObject(&timeout, args[1], _PyTime_ROUND_CEILING)
               < 0) {
        return NULL;
    }
    if (timeout < 0) {
        PyErr_SetString(PyExc_ValueError, "timeout must be non-negative");
        return NULL;
    }
    _PyTime_t deadline = _PyDeadline_Init(timeout);
    while (timeout >= 0) {
        struct timespec ts;
        int res;
        if (_PyTime_AsTimespec(timeout, &ts) < 0) {
            return NULL;
        }
        Py_BEGIN_ALLOW_THREADS
        res = sigtimedwait(&set, &si, &ts);
        Py_END_ALLOW_THREADS
        if (res != -1) {
            return from_siginfo(module, &si);
        }
        if (errno == EAGAIN) {
            break;
        }
        if (errno != EINTR) {
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        if (PyErr_CheckSignals()) {
            return NULL;
        }
        timeout = _PyDeadline_Get(deadline);
    }
    Py_RETURN_NONE;
}

static PyObject *
signal_valid_signals(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    sigset_t set;
    if (sigfillset(&set) != 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return from_sigset(&set);
}

/* --- the module ---------------------------------------------------------- */

#define FN(f) (PyCFunction)(void *)(f)

static PyMethodDef methods[] = {
    {"default_int_handler", FN(default_int_handler), METH_FASTCALL,
     "default_int_handler($module, signalnum, frame, /)\n--\n\n"
     "The handler of SIGINT: raises KeyboardInterrupt."},
    {"alarm", signal_alarm, METH_O,
     "alarm($module, seconds, /)\n--\n\n"
     "Have SIGALRM arrive after a number of seconds."},
    {"setitimer", FN(signal_setitimer), METH_FASTCALL,
     "setitimer($module, which, seconds, interval=0.0, /)\n--\n\n"
     "Set an interval timer; its old (delay, interval)."},
    {"getitimer", signal_getitimer, METH_O,
     "getitimer($module, which, /)\n--\n\n"
     "The (delay, interval) of an interval timer."},
    {"signal", FN(signal_signal), METH_FASTCALL,
     "signal($module, signalnum, handler, /)\n--\n\n"
     "Set what a signal does: SIG_DFL, SIG_IGN or a function of two\n"
     "arguments, the number and the interrupted frame. The previous action\n"
     "is returned."},
    {"raise_signal", signal_raise_signal, METH_O,
     "raise_signal($module, signalnum, /)\n--\n\n"
     "Send a signal to this process."},
    {"strsignal", signal_strsignal, METH_O,
     "strsignal($module, signalnum, /)\n--\n\n"
     "The system's description of a signal, or None."},
    {"getsignal", signal_getsignal, METH_O,
     "getsignal($module, signalnum, /)\n--\n\n"
     "What a signal does: SIG_IGN, SIG_DFL, a function, or None if it is\n"
     "handled by other than Python code."},
    {"set_wakeup_fd", FN(signal_set_wakeup_fd), METH_VARARGS | METH_KEYWORDS,
     "set_wakeup_fd(fd, *, warn_on_full_buffer=True) -> fd\n\n"
     "Have the number of each signal written to a descriptor (-1: none); the\n"
     "previous one."},
    {"siginterrupt", FN(signal_siginterrupt), METH_FASTCALL,
     "siginterrupt($module, signalnum, flag, /)\n--\n\n"
     "Choose whether a signal interrupts system calls (true) or they go on."},
    {"pause", signal_pause, METH_NOARGS,
     "pause($module, /)\n--\n\nWait for a signal."},
    {"pidfd_send_signal", FN(signal_pidfd_send_signal), METH_FASTCALL,
     "pidfd_send_signal($module, pidfd, signalnum, siginfo=None, flags=0, /)\n"
     "--\n\nSend a signal to a process known by a descriptor."},
    {"pthread_kill", FN(signal_pthread_kill), METH_FASTCALL,
     "pthread_kill($module, thread_id, signalnum, /)\n--\n\n"
     "Send a signal to a thread."},
    {"pthread_sigmask", FN(signal_pthread_sigmask), METH_FASTCALL,
     "pthread_sigmask($module, how, mask, /)\n--\n\n"
     "Change which signals this thread blocks; the old set."},
    {"sigpending", signal_sigpending, METH_NOARGS,
     "sigpending($module, /)\n--\n\nThe set of blocked signals that wait."},
    {"sigwait", signal_sigwait, METH_O,
     "sigwait($module, sigset, /)\n--\n\n"
     "Wait for one of a set of signals and take it; its number."},
    {"sigwaitinfo", signal_sigwaitinfo, METH_O,
     "sigwaitinfo($module, sigset, /)\n--\n\n"
     "Wait for one of a set of signals; a struct_siginfo."},
    {"sigtimedwait", FN(signal_sigtimedwait), METH_FASTCALL,
     "sigtimedwait($module, sigset, timeout, /)\n--\n\n"
     "As sigwaitinfo(), but give up after a number of seconds: None."},
    {"valid_signals", signal_valid_signals, METH_NOARGS,
     "valid_signals($module, /)\n--\n\nThe set of signals that exist here."},
    {NULL},
};

static const struct {
    const char *name;
    int value;
} constants[] = {
    {"NSIG", KR_NSIG}, {"SIG_BLOCK", SIG_BLOCK},
    {"SIG_UNBLOCK", SIG_UNBLOCK}, {"SIG_SETMASK", SIG_SETMASK},
#define S(name) {#name, name}
    S(SIGHUP), S(SIGINT), S(SIGQUIT), S(SIGILL), S(SIGTRAP), S(SIGIOT),
    S(SIGABRT), S(SIGFPE), S(SIGKILL), S(SIGBUS), S(SIGSEGV), S(SIGSYS),
    S(SIGPIPE), S(SIGALRM), S(SIGTERM), S(SIGUSR1), S(SIGUSR2), S(SIGCHLD),
    S(SIGPWR), S(SIGIO), S(SIGURG), S(SIGWINCH), S(SIGPOLL), S(SIGSTOP),
    S(SIGTSTP), S(SIGCONT), S(SIGTTIN), S(SIGTTOU), S(SIGVTALRM), S(SIGPROF),
    S(SIGXCPU), S(SIGXFSZ), S(SIGSTKFLT), {"SIGCLD", SIGCHLD},
    S(ITIMER_REAL), S(ITIMER_VIRTUAL), S(ITIMER_PROF),
};

static PyStructSequence_Field siginfo_fields[] = {
    {"si_signo", "signal number"},
    {"si_code", "signal code"},
    {"si_errno", "errno associated with this signal"},
    {"si_pid", "sending process ID"},
    {"si_uid", "real user ID of sending process"},
    {"si_status", "exit value or signal"},
    {"si_band", "band event for SIGPOLL"},
    {NULL},
};

static PyStructSequence_Desc siginfo_desc = {
    .name = "signal.struct_siginfo",
    .doc = "What sigwaitinfo() and sigtimedwait() return.",
    .fields = siginfo_fields,
    .n_in_sequence = 7,
};

static int
add_constants(PyObject *module)
{
    for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    return PyModule_AddIntConstant(module, "SIGRTMIN", SIGRTMIN) < 0
                   || PyModule_AddIntConstant(module, "SIGRTMAX", SIGRTMAX) < 0
               ? -1
               : 0;
}

/* Notes how the process was started. */
static void
read_actions(struct signal_module *st)
{
    for (int i = 1; i < KR_NSIG; i++) {
        if (kr_signal_action(i) != NULL) {
            continue;
        }
        PyOS_sighandler_t now = PyOS_getsig(i);
        PyObject *action = now == SIG_DFL   ? st->sig_dfl
                           : now == SIG_IGN ? st->sig_ign
                                            : Py_None;
        kr_signal_set_action(i, action);
    }
}

static int
exec(PyObject *module)
{
    struct signal_module *st = state_of(module);
    st->sig_dfl = PyLong_FromVoidPtr((void *)SIG_DFL);
    st->sig_ign = PyLong_FromVoidPtr((void *)SIG_IGN);
    st->itimer_error = PyErr_NewException("signal.itimer_error",
                                          PyExc_OSError, NULL);
    st->siginfo_type = PyStructSequence_NewType(&siginfo_desc);
    if (st->sig_dfl == NULL || st->sig_ign == NULL || st->itimer_error == NULL
        || st->siginfo_type == NULL || add_constants(module) < 0
        || PyModule_AddObjectRef(module, "SIG_DFL", st->sig_dfl) < 0
        || PyModule_AddObjectRef(module, "SIG_IGN", st->sig_ign) < 0
        || PyModule_AddObjectRef(module, "ItimerError", st->itimer_error) < 0
        || PyModule_AddType(module, st->siginfo_type) < 0) {
        return -1;
    }
    if (_PyOS_IsMainThread()) {
        read_actions(st);
    }
    return 0;
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    struct signal_module *st = state_of(module);
    Py_VISIT(st->itimer_error);
    Py_VISIT(st->siginfo_type);
    return 0;
}

static int
clear(PyObject *module)
{
    struct signal_module *st = state_of(module);
    Py_CLEAR(st->itimer_error);
    Py_CLEAR(st->siginfo_type);
    Py_CLEAR(st->sig_dfl);
    Py_CLEAR(st->sig_ign);
    return 0;
}

static void
free_module(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_signal",
    .m_doc = "Signals: actions, timers, masks and waiting.",
    .m_size = sizeof(struct signal_module),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_module,
};

PyMODINIT_FUNC
PyInit__signal(void)
{
    return PyModuleDef_Init(&definition);
}
