/* The faulthandler module: tracebacks when the program crashes, hangs, or
 * gets a signal. */
#include <Python.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/common.h"
#include "base/lock.h"
#include "modules/faulthandler.h"
#include "objects/ids.h"
#include "runtime/dump_traceback.h"

#define NSIGNALS 65

struct fault {
    int signum;
    bool enabled;
    const char *name;
    struct sigaction previous;
};

static struct kr_faulthandler_state {
    bool enabled;
    PyObject *file;
    int fd;
    bool all_threads;
    PyInterpreterState *interp;
    struct fault faults[5];
    struct {
        bool enabled, all_threads, chain;
        PyObject *file;
        int fd;
        PyInterpreterState *interp;
        struct sigaction previous;
    } users[NSIGNALS];
    struct {
        PyObject *file;
        int fd;
        _PyTime_t timeout;
        bool repeat, exit, running;
        PyInterpreterState *interp;
        char header[64];
        struct kr_lock cancel; /* taken while the watchdog shall wait */
        struct kr_lock ended;  /* taken while it runs */
    } later;
    stack_t stack, old_stack;
} st = {
    .faults = {{.signum = SIGBUS, .name = "Bus error"},
               {.signum = SIGILL, .name = "Illegal instruction"},
               {.signum = SIGFPE, .name = "Floating point exception"},
               {.signum = SIGABRT, .name = "Aborted"},
               {.signum = SIGSEGV, .name = "Segmentation fault"}},
};

static void
put(int fd, const char *s)
{
    if (write(fd, s, strlen(s)) < 0) {
        return;
    }
}

/* A file argument: None means sys.stderr. The descriptor, or -1 with an
 * exception; `*file` is borrowed, NULL if the argument is a number. */
static int
get_fd(PyObject **file)
{
    PyObject *f = *file;
    if (f == NULL || f == Py_None) {
        f = PySys_GetObject("stderr");
        if (f == NULL) {
            PyErr_SetString(PyExc_RuntimeError, "unable to get sys.stderr");
            return -1;
        }
        if (f == Py_None) {
            PyErr_SetString(PyExc_RuntimeError, "sys.stderr is None");
            return -1;
        }
    }
    else if (PyLong_Check(f)) {
        int fd = _PyLong_AsInt(f);
        if (fd == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (fd < 0) {
            PyErr_SetString(PyExc_ValueError,
                            "file is not a valid file descripter");
            return -1;
        }
        *file = NULL;
        return fd;
    }
    PyObject *number = PyObject_CallMethodNoArgs(f, KR_ID(fileno));
    if (number == NULL) {
        return -1;
    }
    long fd = PyLong_Check(number) ? PyLong_AsLong(number) : -1;
    Py_DECREF(number);
    if (fd < 0 || fd > INT_MAX) {
        PyErr_SetString(PyExc_RuntimeError,
                        "file.fileno() is not a valid file descriptor");
        return -1;
    }
    PyObject *res = PyObject_CallMethodNoArgs(f, KR_ID(flush));
    if (res == NULL) {
        PyErr_Clear(); /* a file that can't be flushed may still be written */
    }
    Py_XDECREF(res);
    *file = f;
    return (int)fd;
}

static void
dump(int fd, bool all_threads, PyInterpreterState *interp)
{
    /* the signal may come while the thread does not hold the GIL */
    PyThreadState *ts = PyGILState_GetThisThreadState();
    if (all_threads) {
        (void)_Py_DumpTracebackThreads(fd, interp, ts);
    }
    else if (ts != NULL) {
        _Py_DumpTraceback(fd, ts);
    }
}

/* --- dump_traceback ------------------------------------------------------ */

static PyObject *
dump_traceback(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"file", "all_threads", NULL};
    PyObject *file = NULL;
    int all_threads = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Oi:dump_traceback",
                                     keywords, &file, &all_threads)) {
        return NULL;
    }
    int fd = get_fd(&file);
    if (fd < 0) {
        return NULL;
    }
    PyThreadState *ts = PyThreadState_Get();
    if (!all_threads) {
        _Py_DumpTraceback(fd, ts);
    }
    else {
        const char *wrong = _Py_DumpTracebackThreads(fd, NULL, ts);
        if (wrong != NULL) {
            PyErr_SetString(PyExc_RuntimeError, wrong);
            return NULL;
        }
    }
    if (PyErr_CheckSignals()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* --- crashes ------------------------------------------------------------- */

static void
disable_fault(struct fault *f)
{
    if (f->enabled) {
        f->enabled = false;
        sigaction(f->signum, &f->previous, NULL);
    }
}

static void
on_fault(int signum)
{
    int saved = errno;
    if (!st.enabled) {
        return;
    }
    struct fault *f = NULL;
    for (size_t i = 0; i < 5; i++) {
        if (st.faults[i].signum == signum) {
            f = &st.faults[i];
        }
    }
    if (f == NULL) {
        return;
    }
    disable_fault(f);
    put(st.fd, "Fatal Python error: ");
    put(st.fd, f->name);
    put(st.fd, "\n\n");
    dump(st.fd, st.all_threads, st.interp);
    _Py_DumpExtensionModules(st.fd, st.interp);
    errno = saved;
    /* now what would have happened without us */
    raise(signum);
}

static int
enable_faults(void)
{
    if (st.enabled) {
        return 0;
    }
    st.enabled = true;
    for (size_t i = 0; i < 5; i++) {
        struct sigaction action = {.sa_handler = on_fault,
                                   .sa_flags = SA_NODEFER};
        sigemptyset(&action.sa_mask);
        if (st.stack.ss_sp != NULL) {
            action.sa_flags |= SA_ONSTACK;
        }
        if (sigaction(st.faults[i].signum, &action, &st.faults[i].previous)) {
            PyErr_SetFromErrno(PyExc_RuntimeError);
            return -1;
        }
        st.faults[i].enabled = true;
    }
    return 0;
}

/* Overflowing the stack must leave room for the handler. */
static void
set_up_stack(void)
{
    if (st.stack.ss_sp != NULL) {
        return;
    }
    st.stack.ss_size = (size_t)SIGSTKSZ * 4;
    st.stack.ss_sp = PyMem_RawMalloc(st.stack.ss_size);
    if (st.stack.ss_sp != NULL && sigaltstack(&st.stack, &st.old_stack)) {
        PyMem_RawFree(st.stack.ss_sp);
        st.stack.ss_sp = NULL;
    }
}

static PyObject *
enable(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"file", "all_threads", NULL};
    PyObject *file = NULL;
    int all_threads = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Oi:enable", keywords,
                                     &file, &all_threads)) {
        return NULL;
    }
    int fd = get_fd(&file);
    if (fd < 0) {
        return NULL;
    }
    Py_XINCREF(file);
    Py_XSETREF(st.file, file);
    st.fd = fd;
    st.all_threads = all_threads;
    st.interp = PyInterpreterState_Get();
    set_up_stack();
    if (enable_faults() < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static void
disable_faults(void)
{
    st.enabled = false;
    for (size_t i = 0; i < 5; i++) {
        disable_fault(&st.faults[i]);
    }
    Py_CLEAR(st.file);
}

static PyObject *
disable(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    bool was = st.enabled;
    disable_faults();
    return PyBool_FromLong(was);
}

static PyObject *
is_enabled(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(st.enabled);
}

/* --- dump_traceback_later ------------------------------------------------ */

static void *
watch(void *unused)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    do {
        if (kr_lock_timed(&st.later.cancel, st.later.timeout, 0)
            == KR_LOCK_TAKEN) {
            kr_lock_release(&st.later.cancel);
            break;
        }
        put(st.later.fd, st.later.header);
        const char *wrong = _Py_DumpTracebackThreads(st.later.fd,
                                                     st.later.interp, NULL);
        if (st.later.exit) {
            _exit(1);
        }
        if (wrong != NULL) {
            break;
        }
    } while (st.later.repeat);
    kr_lock_release(&st.later.ended);
    return NULL;
}

static void
cancel_later(void)
{
    if (!st.later.running) {
        return;
    }
    st.later.running = false;
    kr_lock_release(&st.later.cancel);
    Py_BEGIN_ALLOW_THREADS
    kr_lock_timed(&st.later.ended, -1, 0);
    Py_END_ALLOW_THREADS
    kr_lock_release(&st.later.ended);
    Py_CLEAR(st.later.file);
}

static void
make_header(_PyTime_t timeout)
{
    unsigned long us = (unsigned long)(timeout / 1000 % 1000000);
    unsigned long s = (unsigned long)(timeout / 1000000000);
    char fraction[24] = "";
    if (us != 0) {
        snprintf(fraction, sizeof(fraction), ".%06lu", us);
    }
    snprintf(st.later.header, sizeof(st.later.header),
             "Timeout (%lu:%02lu:%02lu%s)!\n", s / 3600, s / 60 % 60, s % 60,
             fraction);
}

static PyObject *
dump_traceback_later(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"timeout", "repeat", "file", "exit", NULL};
    PyObject *timeout_obj, *file = NULL;
    int repeat = 0, do_exit = 0;
    _PyTime_t timeout;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs,
                                     "O|iOi:dump_traceback_later", keywords,
                                     &timeout_obj, &repeat, &file, &do_exit)
        || _PyTime_FromSecondsObject(&timeout, timeout_obj,
                                     _PyTime_ROUND_TIMEOUT) < 0) {
        return NULL;
    }
    if (timeout / 1000 <= 0) {
        PyErr_SetString(PyExc_ValueError, "timeout must be greater than 0");
        return NULL;
    }
    if (timeout / 1000 > PY_TIMEOUT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "timeout value is too large");
        return NULL;
    }
    int fd = get_fd(&file);
    if (fd < 0) {
        return NULL;
    }
    cancel_later();
    st.later.file = Py_XNewRef(file);
    st.later.fd = fd;
    st.later.timeout = timeout;
    st.later.repeat = repeat;
    st.later.exit = do_exit;
    st.later.interp = PyInterpreterState_Get();
    make_header(timeout);
    kr_lock_try(&st.later.cancel);
    kr_lock_try(&st.later.ended);
    pthread_t thread;
    if (pthread_create(&thread, NULL, watch, NULL) != 0) {
        kr_lock_release(&st.later.cancel);
        kr_lock_release(&st.later.ended);
        Py_CLEAR(st.later.file);
        PyErr_SetString(PyExc_RuntimeError, "unable to start watchdog thread");
        return NULL;
    }
    pthread_detach(thread);
    st.later.running = true;
    Py_RETURN_NONE;
}

static PyObject *
cancel_dump_traceback_later(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    cancel_later();
    Py_RETURN_NONE;
}

/* --- register ------------------------------------------------------------ */

static void on_user(int signum);

static int
install_user(int signum, struct sigaction *previous)
{
    struct sigaction action = {.sa_handler = on_user};
    sigemptyset(&action.sa_mask);
    /* a handler that chains may be interrupted by its own signal */
    action.sa_flags = st.users[signum].chain ? SA_NODEFER : SA_RESTART;
    if (st.stack.ss_sp != NULL) {
        action.sa_flags |= SA_ONSTACK;
    }
    return sigaction(signum, &action, previous);
}

static void
on_user(int signum)
{
    int saved = errno;
    if (!st.users[signum].enabled) {
        return;
    }
    dump(st.users[signum].fd, st.users[signum].all_threads,
         st.users[signum].interp);
    if (st.users[signum].chain) {
        sigaction(signum, &st.users[signum].previous, NULL);
        errno = saved;
        raise(signum);
        saved = errno;
        install_user(signum, NULL);
    }
    errno = saved;
}

static bool
check_signum(int signum)
{
    for (size_t i = 0; i < 5; i++) {
        if (st.faults[i].signum == signum) {
            PyErr_Format(PyExc_RuntimeError,
                         "signal %i cannot be registered, use enable() "
                         "instead",
                         signum);
            return false;
        }
    }
    if (signum < 1 || signum >= NSIGNALS) {
        PyErr_SetString(PyExc_ValueError, "signal number out of range");
        return false;
    }
    return true;
}

static PyObject *
register_user(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"signum", "file", "all_threads", "chain", NULL};
    int signum, all_threads = 1, chain = 0;
    PyObject *file = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|Oii:register", keywords,
                                     &signum, &file, &all_threads, &chain)
        || !check_signum(signum)) {
        return NULL;
    }
    int fd = get_fd(&file);
    if (fd < 0) {
        return NULL;
    }
    if (!st.users[signum].enabled) {
        st.users[signum].chain = chain;
        if (install_user(signum, &st.users[signum].previous)) {
            return PyErr_SetFromErrno(PyExc_OSError);
        }
    }
    Py_XINCREF(file);
    Py_XSETREF(st.users[signum].file, file);
    st.users[signum].fd = fd;
    st.users[signum].all_threads = all_threads;
    st.users[signum].chain = chain;
    st.users[signum].interp = PyInterpreterState_Get();
    st.users[signum].enabled = true;
    Py_RETURN_NONE;
}

static bool
drop_user(int signum)
{
    if (!st.users[signum].enabled) {
        return false;
    }
    st.users[signum].enabled = false;
    sigaction(signum, &st.users[signum].previous, NULL);
    Py_CLEAR(st.users[signum].file);
    st.users[signum].fd = -1;
    return true;
}

static PyObject *
unregister_user(PyObject *self, PyObject *args)
{
    int signum;
    if (!PyArg_ParseTuple(args, "i:unregister", &signum)
        || !check_signum(signum)) {
        return NULL;
    }
    return PyBool_FromLong(drop_user(signum));
}

/* --- crashing, for the tests --------------------------------------------- */

/* No core files for crashes that are wanted. */
static void
no_core(void)
{
    struct rlimit rl;
    if (getrlimit(RLIMIT_CORE, &rl) == 0) {
        rl.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &rl);
    }
}

static PyObject *
crash(int signum)
{
    no_core();
    raise(signum);
    Py_RETURN_NONE;
}

static PyObject *
read_null(PyObject *self, PyObject *args)
{
    no_core();
    volatile int *x = NULL;
    return PyLong_FromLong(*x);
}

static PyObject *
sigsegv(PyObject *self, PyObject *args)
{
    int release_gil = 0;
    if (!PyArg_ParseTuple(args, "|i:_sigsegv", &release_gil)) {
        return NULL;
    }
    if (release_gil) {
        Py_BEGIN_ALLOW_THREADS
        no_core();
        raise(SIGSEGV);
        Py_END_ALLOW_THREADS
        Py_RETURN_NONE;
    }
    return crash(SIGSEGV);
}

static PyObject *
sigfpe(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return crash(SIGFPE);
}

static PyObject *
sigabrt(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    no_core();
    abort();
}

static void *
faulthandler_fatal_error_thread(void *arg)
{
    no_core();
    Py_FatalError("in new thread");
    return NULL;
}

static PyObject *
fatal_error_c_thread(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, faulthandler_fatal_error_thread, NULL)
        != 0) {
        PyErr_SetString(PyExc_RuntimeError, "unable to start the thread");
        return NULL;
    }
    pthread_join(thread, NULL);
    Py_RETURN_NONE;
}

KR_NOINLINE static uintptr_t
overflow(uintptr_t low, uintptr_t high, size_t *depth)
{
    volatile unsigned char buffer[4096];
    uintptr_t here = (uintptr_t)&buffer;
    ++*depth;
    if (here < low || high < here) {
        return here;
    }
    buffer[0] = 1;
    buffer[4095] = 0;
    return overflow(low, high, depth) + buffer[0] - 1;
}

static PyObject *
stack_overflow(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    size_t depth = 0, size = 100 * 1024 * 1024;
    uintptr_t here = (uintptr_t)&depth;
    no_core();
    uintptr_t low = here > size ? here - size : 0;
    uintptr_t end = overflow(low, here + size, &depth);
    PyErr_Format(PyExc_RuntimeError,
                 "unable to raise a stack overflow (allocated %zu bytes on "
                 "the stack, %zu recursive calls)",
                 (size_t)(here - end), depth);
    return NULL;
}

/* --- the module ---------------------------------------------------------- */

int
kr_faulthandler_init(int on)
{
    if (!on) {
        return 0;
    }
    PyObject *module = PyImport_ImportModule("faulthandler");
    PyObject *res = module == NULL
                        ? NULL
                        : PyObject_CallMethodNoArgs(module, KR_ID(enable));
    Py_XDECREF(module);
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

void
kr_faulthandler_fini(void)
{
    cancel_later();
    for (int i = 1; i < NSIGNALS; i++) {
        drop_user(i);
    }
    disable_faults();
    if (st.stack.ss_sp != NULL) {
        sigaltstack(&st.old_stack, NULL);
        PyMem_RawFree(st.stack.ss_sp);
        st.stack.ss_sp = NULL;
    }
}

#define FN(f) (PyCFunction)(void *)(f)

static PyMethodDef methods[] = {
    {"enable", FN(enable), METH_VARARGS | METH_KEYWORDS,
     "enable(file=sys.stderr, all_threads=True): show tracebacks when the "
     "program crashes"},
    {"disable", disable, METH_NOARGS, "disable(): undo enable()"},
    {"is_enabled", is_enabled, METH_NOARGS,
     "is_enabled()->bool: whether enable() is in effect"},
    {"dump_traceback", FN(dump_traceback), METH_VARARGS | METH_KEYWORDS,
     "dump_traceback(file=sys.stderr, all_threads=True): write the tracebacks "
     "of all threads, or of this one, to a file"},
    {"dump_traceback_later", FN(dump_traceback_later),
     METH_VARARGS | METH_KEYWORDS,
     "dump_traceback_later(timeout, repeat=False, file=sys.stderr, "
     "exit=False): write the tracebacks of all threads after timeout seconds"},
    {"cancel_dump_traceback_later", cancel_dump_traceback_later, METH_NOARGS,
     "cancel_dump_traceback_later(): undo dump_traceback_later()"},
    {"register", FN(register_user), METH_VARARGS | METH_KEYWORDS,
     "register(signum, file=sys.stderr, all_threads=True, chain=False): write "
     "tracebacks when a signal arrives"},
    {"unregister", unregister_user, METH_VARARGS,
     "unregister(signum): undo register()"},
    {"_read_null", read_null, METH_NOARGS, "_read_null(): read address 0"},
    {"_sigsegv", sigsegv, METH_VARARGS,
     "_sigsegv(release_gil=False): raise SIGSEGV"},
    {"_fatal_error_c_thread", fatal_error_c_thread, METH_NOARGS,
     "_fatal_error_c_thread(): call Py_FatalError() in a new C thread"},
    {"_sigabrt", sigabrt, METH_NOARGS, "_sigabrt(): raise SIGABRT"},
    {"_sigfpe", sigfpe, METH_NOARGS, "_sigfpe(): raise SIGFPE"},
    {"_stack_overflow", stack_overflow, METH_NOARGS,
     "_stack_overflow(): recurse until the stack is full"},
    {NULL},
};

static PyModuleDef_Slot slots[] = {{0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "faulthandler",
    .m_doc = "Tracebacks of a program that crashes or hangs.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_faulthandler(void)
{
    return PyModuleDef_Init(&definition);
}
