/* The _thread module: starting threads, and what threading is built from. */
#include "modules/_thread/thread.h"

#include <math.h>
#include <signal.h>

#include "objects/ids.h"
#include "runtime/tstate.h"

/* --- starting ------------------------------------------------------------ */

struct boot {
    PyThreadState *ts;
    PyObject *func, *args, *kwargs;
};

static void
free_boot(struct boot *boot)
{
    Py_DECREF(boot->func);
    Py_DECREF(boot->args);
    Py_XDECREF(boot->kwargs);
    PyMem_RawFree(boot);
}

static void
run(void *p)
{
    struct boot *boot = p;
    PyThreadState *ts = boot->ts;
    kr_thread_start(ts);
    ts->interp->num_threads++;
    PyObject *res = PyObject_Call(boot->func, boot->args, boot->kwargs);
    if (res == NULL) {
        if (PyErr_ExceptionMatches(PyExc_SystemExit)) {
            PyErr_Clear();
        }
        else {
            _PyErr_WriteUnraisableMsg("in thread started by", boot->func);
        }
    }
    Py_XDECREF(res);
    free_boot(boot);
    ts->interp->num_threads--;
    PyThreadState_Clear(ts);
    _PyThreadState_DeleteCurrent(ts);
}

static int
check_start(PyObject *func, PyObject *args, PyObject *kwargs)
{
    const char *message = NULL;
    if (!PyCallable_Check(func)) {
        message = "first arg must be callable";
    }
    else if (!PyTuple_Check(args)) {
        message = "2nd arg must be a tuple";
    }
    else if (kwargs != NULL && !PyDict_Check(kwargs)) {
        message = "optional 3rd arg must be a dictionary";
    }
    if (message != NULL) {
        PyErr_SetString(PyExc_TypeError, message);
        return -1;
    }
    return PySys_Audit("_thread.start_new_thread", "OOO", func, args,
                       kwargs ? kwargs : Py_None);
}

static PyObject *
start_new_thread(PyObject *module, PyObject *fargs)
{
    PyObject *func, *args, *kwargs = NULL;
    if (!PyArg_UnpackTuple(fargs, "start_new_thread", 2, 3, &func, &args,
                           &kwargs)
        || check_start(func, args, kwargs) < 0) {
        return NULL;
    }
    if (kr_interp()->config._isolated_interpreter) {
        PyErr_SetString(PyExc_RuntimeError, "thread is not supported for "
                                            "isolated subinterpreters");
        return NULL;
    }
    struct boot *boot = PyMem_RawMalloc(sizeof(*boot));
    if (boot == NULL) {
        return PyErr_NoMemory();
    }
    boot->ts = _PyThreadState_Prealloc(kr_interp());
    if (boot->ts == NULL) {
        PyMem_RawFree(boot);
        return PyErr_NoMemory();
    }
    boot->ts->gilstate_counter = 1;
    boot->func = Py_NewRef(func);
    boot->args = Py_NewRef(args);
    boot->kwargs = Py_XNewRef(kwargs);
    unsigned long id = PyThread_start_new_thread(run, boot);
    if (id == PYTHREAD_INVALID_THREAD_ID) {
        PyErr_SetString(PyExc_RuntimeError, "can't start new thread");
        PyThreadState_Clear(boot->ts);
        PyThreadState_Delete(boot->ts);
        free_boot(boot);
        return NULL;
    }
    return PyLong_FromUnsignedLong(id);
}

static PyObject *
exit_thread(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyErr_SetNone(PyExc_SystemExit);
    return NULL;
}

static PyObject *
interrupt_main(PyObject *module, PyObject *args)
{
    int signum = SIGINT;
    if (!PyArg_ParseTuple(args, "|i:signum", &signum)) {
        return NULL;
    }
    if (PyErr_SetInterruptEx(signum) < 0) {
        PyErr_SetString(PyExc_ValueError, "signal number out of range");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
allocate_lock(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return kr_lock_new(thread_state(module)->lock_type);
}

static PyObject *
get_ident(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromUnsignedLong(PyThread_get_thread_ident());
}

static PyObject *
get_native_id(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromUnsignedLong(PyThread_get_thread_native_id());
}

static PyObject *
count(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(kr_interp()->num_threads);
}

static PyObject *
stack_size(PyObject *module, PyObject *args)
{
    Py_ssize_t size = 0;
    if (!PyArg_ParseTuple(args, "|n:stack_size", &size)) {
        return NULL;
    }
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "size must be 0 or a positive value");
        return NULL;
    }
    size_t old = PyThread_get_stacksize();
    if (PyTuple_GET_SIZE(args) > 0 && PyThread_set_stacksize((size_t)size)) {
        PyErr_Format(PyExc_ValueError, "size not valid: %zd bytes", size);
        return NULL;
    }
    return PyLong_FromSize_t(old);
}

/* --- the end of a thread, for Thread.join -------------------------------- */

static void
release_sentinel(void *p)
{
    PyObject *ref = p, *lock = PyWeakref_GET_OBJECT(ref);
    if (lock != Py_None) {
        kr_lock_release_if_taken(lock);
    }
    Py_DECREF(ref);
}

static PyObject *
set_sentinel(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyThreadState *ts = PyThreadState_Get();
    if (ts->on_delete_data != NULL) {
        PyObject *old = ts->on_delete_data;
        ts->on_delete = NULL;
        ts->on_delete_data = NULL;
        Py_DECREF(old);
    }
    PyObject *lock = kr_lock_new(thread_state(module)->lock_type);
    if (lock == NULL) {
        return NULL;
    }
    PyObject *ref = PyWeakref_NewRef(lock, NULL);
    if (ref == NULL) {
        Py_DECREF(lock);
        return NULL;
    }
    ts->on_delete_data = ref;
    ts->on_delete = release_sentinel;
    return lock;
}

/* --- the module ---------------------------------------------------------- */

#define FN(f) (PyCFunction)(void *)(f)

#define START_DOC                                                              \
    "start_new_thread(function, args[, kwargs])\n\n"                           \
    "Call function(*args, **kwargs) in a new thread and return the thread's\n" \
    "identifier. The thread ends when the function returns; an exception\n"    \
    "other than SystemExit is reported."
#define LOCK_DOC "allocate_lock($module, /)\n--\n\nA new lock object."
#define EXIT_DOC                                                               \
    "exit($module, /)\n--\n\nEnd this thread by raising SystemExit."

static PyMethodDef methods[] = {
    {"start_new_thread", start_new_thread, METH_VARARGS, START_DOC},
    {"start_new", start_new_thread, METH_VARARGS, START_DOC},
    {"allocate_lock", allocate_lock, METH_NOARGS, LOCK_DOC},
    {"allocate", allocate_lock, METH_NOARGS, LOCK_DOC},
    {"exit_thread", exit_thread, METH_NOARGS, EXIT_DOC},
    {"exit", exit_thread, METH_NOARGS, EXIT_DOC},
    {"interrupt_main", interrupt_main, METH_VARARGS,
     "interrupt_main(signum=signal.SIGINT, /)\n\n"
     "Let the main thread act as if the signal had arrived."},
    {"get_ident", get_ident, METH_NOARGS,
     "get_ident($module, /)\n--\n\nA number that no other running thread has."},
    {"get_native_id", get_native_id, METH_NOARGS,
     "get_native_id($module, /)\n--\n\nThe number the kernel gave the thread."},
    {"_count", count, METH_NOARGS,
     "_count($module, /)\n--\n\nHow many threads Python code has started that "
     "still run."},
    {"stack_size", stack_size, METH_VARARGS,
     "stack_size([size])\n\n"
     "The stack size in bytes of new threads (0: the system's); with an\n"
     "argument, set it."},
    {"_set_sentinel", set_sentinel, METH_NOARGS,
     "_set_sentinel($module, /)\n--\n\n"
     "A lock that is released when this thread has ended."},
    {"_excepthook", kr_thread_excepthook, METH_O,
     "_excepthook($module, args, /)\n--\n\n"
     "Report an exception that nobody caught in a thread."},
    {NULL},
};

static PyStructSequence_Field hook_fields[] = {
    {"exc_type", "class of the exception"},
    {"exc_value", "the exception"},
    {"exc_traceback", "its traceback"},
    {"thread", "the Thread object, or None"},
    {NULL},
};

static PyStructSequence_Desc hook_desc = {
    .name = "_thread._ExceptHookArgs",
    .doc = "What threading.excepthook is called with.",
    .fields = hook_fields,
    .n_in_sequence = 4,
};

static int
add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **where,
         const char *name)
{
    *where = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (*where == NULL) {
        return -1;
    }
    return name == NULL ? 0
                        : PyModule_AddObjectRef(module, name,
                                                (PyObject *)*where);
}

static int
exec(PyObject *module)
{
    struct thread_module *st = thread_state(module);
    if (add_type(module, &kr_lock_spec, &st->lock_type, "LockType") < 0
        || add_type(module, &kr_rlock_spec, &st->rlock_type, "RLock") < 0
        || add_type(module, &kr_dummy_spec, &st->dummy_type, NULL) < 0
        || add_type(module, &kr_local_spec, &st->local_type, "_local") < 0) {
        return -1;
    }
    st->hook_args_type = PyStructSequence_NewType(&hook_desc);
    if (st->hook_args_type == NULL
        || PyModule_AddType(module, st->hook_args_type) < 0
        || PyModule_AddObjectRef(module, "error", PyExc_RuntimeError) < 0) {
        return -1;
    }
    double max = (double)PY_TIMEOUT_MAX * 1e-6;
    double limit = _PyTime_AsSecondsDouble(_PyTime_MAX);
    if (max > limit) {
        max = limit;
    }
    PyObject *timeout = PyFloat_FromDouble(floor(max));
    int res = timeout == NULL
                  ? -1
                  : PyModule_AddObjectRef(module, "TIMEOUT_MAX", timeout);
    Py_XDECREF(timeout);
    return res;
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    struct thread_module *st = thread_state(module);
    Py_VISIT(st->lock_type);
    Py_VISIT(st->rlock_type);
    Py_VISIT(st->local_type);
    Py_VISIT(st->dummy_type);
    Py_VISIT(st->hook_args_type);
    return 0;
}

static int
clear(PyObject *module)
{
    struct thread_module *st = thread_state(module);
    Py_CLEAR(st->lock_type);
    Py_CLEAR(st->rlock_type);
    Py_CLEAR(st->local_type);
    Py_CLEAR(st->dummy_type);
    Py_CLEAR(st->hook_args_type);
    return 0;
}

static void
free_module(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

PyModuleDef kr_thread_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_thread",
    .m_doc = "Threads and locks, for the threading module.",
    .m_size = sizeof(struct thread_module),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_module,
};

PyMODINIT_FUNC
PyInit__thread(void)
{
    return PyModuleDef_Init(&kr_thread_module);
}
