/* Waiting for children and reading their status words. */
#include "modules/posix/posix.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static PyStructSequence_Field waitid_fields[] = {
    {"si_pid"},    {"si_uid"},  {"si_signo"},
    {"si_status"}, {"si_code"}, {NULL},
};

static PyStructSequence_Desc waitid_desc = {
    "posix.waitid_result",
    "waitid_result: what os.waitid() gives.",
    waitid_fields,
    5,
};

static PyObject *
os_wait(PyObject *module, PyObject *unused)
{
    int status = 0, async_err = 0;
    pid_t pid;
    POSIX_RETRY(pid, wait(&status));
    if (pid < 0) {
        return async_err ? NULL : kr_posix_error();
    }
    return Py_BuildValue("Ni", PyLong_FromLong(pid), status);
}

static PyObject *
os_waitpid(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int pid, options, status = 0, async_err = 0;
    pid_t res;
    if (!_PyArg_CheckPositional("waitpid", nargs, 2, 2) ||
        !kr_arg_int(args[0], &pid) || !kr_arg_int(args[1], &options)) {
        return NULL;
    }
    POSIX_RETRY(res, waitpid(pid, &status, options));
    if (res < 0) {
        return async_err ? NULL : kr_posix_error();
    }
    return Py_BuildValue("Ni", PyLong_FromLong(res), status);
}

static PyObject *
os_waitid(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int idtype, id, options, rc, async_err = 0;
    siginfo_t si;
    if (!_PyArg_CheckPositional("waitid", nargs, 3, 3) ||
        !kr_arg_int(args[0], &idtype) || !kr_arg_int(args[1], &id) ||
        !kr_arg_int(args[2], &options)) {
        return NULL;
    }
    memset(&si, 0, sizeof(si));
    POSIX_RETRY(rc, waitid((idtype_t)idtype, (id_t)id, &si, options));
    if (rc < 0) {
        return async_err ? NULL : kr_posix_error();
    }
    if (si.si_pid == 0) {
        Py_RETURN_NONE;
    }
    PyObject *v =
        PyStructSequence_New(posix_get_state(module)->waitid_result);
    if (v == NULL) {
        return NULL;
    }
    PyStructSequence_SET_ITEM(v, 0, PyLong_FromLong(si.si_pid));
    PyStructSequence_SET_ITEM(v, 1, PyLong_FromLong((long)si.si_uid));
    PyStructSequence_SET_ITEM(v, 2, PyLong_FromLong(si.si_signo));
    PyStructSequence_SET_ITEM(v, 3, PyLong_FromLong(si.si_status));
    PyStructSequence_SET_ITEM(v, 4, PyLong_FromLong(si.si_code));
    if (PyErr_Occurred()) {
        Py_CLEAR(v);
    }
    return v;
}

static double
seconds(const struct timeval *tv)
{
    return (double)tv->tv_sec + (double)tv->tv_usec * 0.000001;
}

PyObject *
kr_posix_wait_result(PyObject *module, pid_t pid, int status, struct rusage *ru)
{
    posix_state *state = posix_get_state(module);
    if (state->struct_rusage == NULL) {
        PyObject *resource = PyImport_ImportModule("resource");
        if (resource == NULL) {
            return NULL;
        }
        state->struct_rusage =
            PyObject_GetAttrString(resource, "struct_rusage");
        Py_DECREF(resource);
        if (state->struct_rusage == NULL) {
            return NULL;
        }
    }
    PyObject *v = PyStructSequence_New((PyTypeObject *)state->struct_rusage);
    if (v == NULL) {
        return NULL;
    }
    const long counts[] = {
        ru->ru_maxrss,  ru->ru_ixrss,   ru->ru_idrss,    ru->ru_isrss,
        ru->ru_minflt,  ru->ru_majflt,  ru->ru_nswap,    ru->ru_inblock,
        ru->ru_oublock, ru->ru_msgsnd,  ru->ru_msgrcv,   ru->ru_nsignals,
        ru->ru_nvcsw,   ru->ru_nivcsw,
    };
    PyStructSequence_SET_ITEM(v, 0, PyFloat_FromDouble(seconds(&ru->ru_utime)));
    PyStructSequence_SET_ITEM(v, 1, PyFloat_FromDouble(seconds(&ru->ru_stime)));
    for (int i = 0; i < (int)Py_ARRAY_LENGTH(counts); i++) {
        PyStructSequence_SET_ITEM(v, i + 2, PyLong_FromLong(counts[i]));
    }
    if (PyErr_Occurred()) {
        Py_DECREF(v);
        return NULL;
    }
    return Py_BuildValue("NiN", PyLong_FromLong(pid), status, v);
}

static PyObject *
os_wait3(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("wait3", "options");
    PyObject *a[1];
    struct rusage ru;
    int options, status = 0, async_err = 0;
    pid_t pid;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !kr_arg_int(a[0], &options)) {
        return NULL;
    }
    memset(&ru, 0, sizeof(ru));
    POSIX_RETRY(pid, wait3(&status, options, &ru));
    if (pid < 0) {
        return async_err ? NULL : kr_posix_error();
    }
    return kr_posix_wait_result(module, pid, status, &ru);
}

static PyObject *
os_wait4(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("wait4", "pid", "options");
    PyObject *a[2];
    struct rusage ru;
    int which, options, status = 0, async_err = 0;
    pid_t pid;
    if (!kr_unpack(args, nargs, kwnames, &parser, 2, 2, 2, a) ||
        !kr_arg_int(a[0], &which) || !kr_arg_int(a[1], &options)) {
        return NULL;
    }
    memset(&ru, 0, sizeof(ru));
    POSIX_RETRY(pid, wait4(which, &status, options, &ru));
    if (pid < 0) {
        return async_err ? NULL : kr_posix_error();
    }
    return kr_posix_wait_result(module, pid, status, &ru);
}

/* One W* macro as a function of a status argument. */
#define STATUS_FUNCTION(name, convert)                                         \
    static PyObject *os_##name(PyObject *module, KR_FASTCALL_ARGS)             \
    {                                                                          \
        KR_PARSER(#name, "status");                                            \
        PyObject *a[1];                                                        \
        int status;                                                            \
        if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||           \
            !kr_arg_int(a[0], &status)) {                                      \
            return NULL;                                                       \
        }                                                                      \
        return convert(name(status));                                          \
    }

STATUS_FUNCTION(WIFCONTINUED, PyBool_FromLong)
STATUS_FUNCTION(WIFEXITED, PyBool_FromLong)
STATUS_FUNCTION(WIFSIGNALED, PyBool_FromLong)
STATUS_FUNCTION(WIFSTOPPED, PyBool_FromLong)
STATUS_FUNCTION(WEXITSTATUS, PyLong_FromLong)
STATUS_FUNCTION(WSTOPSIG, PyLong_FromLong)
STATUS_FUNCTION(WTERMSIG, PyLong_FromLong)

static PyObject *
os_WCOREDUMP(PyObject *module, PyObject *arg)
{
    int status;
    return kr_arg_int(arg, &status) ? PyBool_FromLong(WCOREDUMP(status))
                                    : NULL;
}

static PyObject *
os_waitstatus_to_exitcode(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("waitstatus_to_exitcode", "status");
    PyObject *a[1];
    int status;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !kr_arg_int(a[0], &status)) {
        return NULL;
    }
    if (WIFEXITED(status)) {
        return PyLong_FromLong(WEXITSTATUS(status));
    }
    if (WIFSIGNALED(status)) {
        int sig = WTERMSIG(status);
        if (sig <= 0) {
            return PyErr_Format(PyExc_ValueError, "invalid WTERMSIG: %i",
                                sig);
        }
        return PyLong_FromLong(-sig);
    }
    if (WIFSTOPPED(status)) {
        return PyErr_Format(PyExc_ValueError,
                            "process stopped by delivery of signal %i",
                            WSTOPSIG(status));
    }
    return PyErr_Format(PyExc_ValueError, "invalid wait status: %i", status);
}

int
kr_posix_wait_exec(PyObject *module, posix_state *state)
{
    state->waitid_result =
        kr_posix_add_structseq(module, "waitid_result", &waitid_desc);
    return state->waitid_result ? 0 : -1;
}

#define STATUS(name, doc)                                                      \
    {#name, KR_CAST(os_##name), KR_FAST,                                       \
     #name "($module, /, status)\n--\n\n" doc}

PyMethodDef kr_posix_wait_methods[] = {
    {"wait", os_wait, METH_NOARGS,
     "wait($module, /)\n--\n\nWait for a child; gives (pid, status)."},
    {"waitpid", KR_CAST(os_waitpid), METH_FASTCALL,
     "waitpid($module, pid, options, /)\n--\n\n"
     "Wait for a given child; gives (pid, status)."},
    {"waitid", KR_CAST(os_waitid), METH_FASTCALL,
     "waitid($module, idtype, id, options, /)\n--\n\n"
     "Wait for children; gives a waitid_result or None."},
    {"wait3", KR_CAST(os_wait3), KR_FAST,
     "wait3($module, /, options)\n--\n\n"
     "Wait for a child; gives (pid, status, rusage)."},
    {"wait4", KR_CAST(os_wait4), KR_FAST,
     "wait4($module, /, pid, options)\n--\n\n"
     "Wait for a given child; gives (pid, status, rusage)."},
    STATUS(WIFCONTINUED, "True if the child was continued."),
    STATUS(WIFEXITED, "True if the child ended by exit()."),
    STATUS(WIFSIGNALED, "True if the child ended by a signal."),
    STATUS(WIFSTOPPED, "True if the child was stopped."),
    STATUS(WEXITSTATUS, "Exit code of the child."),
    STATUS(WSTOPSIG, "Signal that stopped the child."),
    STATUS(WTERMSIG, "Signal that ended the child."),
    {"WCOREDUMP", os_WCOREDUMP, METH_O,
     "WCOREDUMP($module, status, /)\n--\n\n"
     "True if the child dumped core."},
    STATUS(waitstatus_to_exitcode,
           "Exit code of a wait status: negative for a signal."),
    {NULL},
};
