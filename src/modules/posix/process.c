/* Making and ending processes: fork, forkpty, _exit, abort. */
#include "modules/posix/posix.h"

#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef KR_HOST_BUILD
#include "objects/interp.h"

/* The lists that PyOS_BeforeFork and PyOS_AfterFork_* run through. */
static PyObject **
fork_hooks(int which)
{
    PyInterpreterState *interp = kr_interp();
    PyObject **lists[] = {&interp->before_forkers,
                          &interp->after_forkers_child,
                          &interp->after_forkers_parent};
    return lists[which];
}

static int
add_fork_hook(int which, PyObject *func)
{
    PyObject **list = fork_hooks(which);
    if (*list == NULL && (*list = PyList_New(0)) == NULL) {
        return -1;
    }
    return PyList_Append(*list, func);
}
#else
/* CPython's lists are out of reach: its own module adds the hook. */
static int
add_fork_hook(int which, PyObject *func)
{
    static const char *const names[] = {"before", "after_in_child",
                                        "after_in_parent"};
    PyObject *real = PyImport_ImportModule("_real_posix");
    if (real == NULL) {
        return -1;
    }
    PyObject *f = PyObject_GetAttrString(real, "register_at_fork");
    PyObject *args = PyTuple_New(0);
    PyObject *kwargs = Py_BuildValue("{sO}", names[which], func);
    PyObject *res = PyObject_Call(f, args, kwargs);
    Py_XDECREF(f);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    Py_XDECREF(res);
    Py_DECREF(real);
    return res ? 0 : -1;
}
#endif

static PyObject *
os_register_at_fork(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("register_at_fork", "before", "after_in_child",
              "after_in_parent");
    static const char *const names[] = {"before", "after_in_child",
                                        "after_in_parent"};
    PyObject *a[3];
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 0, 3, a)) {
        return NULL;
    }
    if (!a[0] && !a[1] && !a[2]) {
        PyErr_SetString(PyExc_TypeError,
                        "At least one argument is required.");
        return NULL;
    }
    for (int i = 0; i < 3; i++) {
        if (a[i] != NULL && !PyCallable_Check(a[i])) {
            return PyErr_Format(PyExc_TypeError,
                                "'%.200s' must be callable, not %.200s",
                                names[i], Py_TYPE(a[i])->tp_name);
        }
    }
    for (int i = 0; i < 3; i++) {
        if (a[i] != NULL && add_fork_hook(i, a[i]) < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static bool
is_isolated(void)
{
    PyInterpreterState *interp = PyInterpreterState_Get();
    return _PyInterpreterState_GetConfig(interp)->_isolated_interpreter;
}

static PyObject *
os_fork(PyObject *module, PyObject *unused)
{
    if (is_isolated()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "fork not supported for isolated subinterpreters");
        return NULL;
    }
    if (PySys_Audit("os.fork", NULL) < 0) {
        return NULL;
    }
    PyOS_BeforeFork();
    pid_t pid = fork();
    if (pid == 0) {
        PyOS_AfterFork_Child();
    }
    else {
        PyOS_AfterFork_Parent();
    }
    return pid == -1 ? kr_posix_error() : PyLong_FromLong(pid);
}

static PyObject *
os_forkpty(PyObject *module, PyObject *unused)
{
    int master = -1;
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "fork not supported for subinterpreters");
        return NULL;
    }
    if (PySys_Audit("os.forkpty", NULL) < 0) {
        return NULL;
    }
    PyOS_BeforeFork();
    pid_t pid = forkpty(&master, NULL, NULL, NULL);
    if (pid == 0) {
        PyOS_AfterFork_Child();
    }
    else {
        PyOS_AfterFork_Parent();
    }
    if (pid == -1) {
        return kr_posix_error();
    }
    return Py_BuildValue("(Ni)", PyLong_FromLong(pid), master);
}

static PyObject *
os__exit(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("_exit", "status");
    PyObject *a[1];
    int status;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !kr_arg_int(a[0], &status)) {
        return NULL;
    }
    _exit(status);
}

static PyObject *
os_abort(PyObject *module, PyObject *unused)
{
    abort();
}

PyMethodDef kr_posix_process_methods[] = {
    {"fork", os_fork, METH_NOARGS,
     "fork($module, /)\n--\n\n"
     "Fork a child; gives 0 in the child, its pid in the parent."},
    {"forkpty", os_forkpty, METH_NOARGS,
     "forkpty($module, /)\n--\n\n"
     "Fork a child with a new pseudo-terminal; gives (pid, master_fd)."},
    {"register_at_fork", KR_CAST(os_register_at_fork), KR_FAST,
     "register_at_fork($module, /, *, before=<unrepresentable>,\n"
     "                 after_in_child=<unrepresentable>,\n"
     "                 after_in_parent=<unrepresentable>)\n--\n\n"
     "Register functions to call around fork()."},
    {"_exit", KR_CAST(os__exit), KR_FAST,
     "_exit($module, /, status)\n--\n\n"
     "End the process at once, without any cleanup."},
    {"abort", os_abort, METH_NOARGS,
     "abort($module, /)\n--\n\nEnd the process with a core dump."},
    {NULL},
};
