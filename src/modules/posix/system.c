/* The machine and its settings: uname, times, load, random bytes, limits,
 * environment variables, messages. */
#include "modules/posix/posix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <unistd.h>

static PyStructSequence_Field uname_fields[] = {
    {"sysname", "operating system name"},
    {"nodename", "name of machine on network (implementation-defined)"},
    {"release", "operating system release"},
    {"version", "operating system version"},
    {"machine", "hardware identifier"},
    {NULL},
};

static PyStructSequence_Desc uname_desc = {
    "posix.uname_result",
    "uname_result: what os.uname() gives.",
    uname_fields,
    5,
};

static PyStructSequence_Field times_fields[] = {
    {"user", "user time"},
    {"system", "system time"},
    {"children_user", "user time of children"},
    {"children_system", "system time of children"},
    {"elapsed", "elapsed time since an arbitrary point in the past"},
    {NULL},
};

static PyStructSequence_Desc times_desc = {
    "posix.times_result",
    "times_result: what os.times() gives.",
    times_fields,
    5,
};

static PyObject *
os_uname(PyObject *module, PyObject *unused)
{
    struct utsname u;
    if (uname(&u) < 0) {
        return kr_posix_error();
    }
    PyObject *v = PyStructSequence_New(posix_get_state(module)->uname_result);
    if (v == NULL) {
        return NULL;
    }
    const char *const values[] = {u.sysname, u.nodename, u.release, u.version,
                                  u.machine};
    for (int i = 0; i < 5; i++) {
        PyObject *item = PyUnicode_DecodeFSDefault(values[i]);
        if (item == NULL) {
            Py_DECREF(v);
            return NULL;
        }
        PyStructSequence_SET_ITEM(v, i, item);
    }
    return v;
}

static PyObject *
os_times(PyObject *module, PyObject *unused)
{
    struct tms t;
    errno = 0;
    clock_t elapsed = times(&t);
    if (elapsed == (clock_t)-1) {
        return kr_posix_error();
    }
    PyObject *v = PyStructSequence_New(posix_get_state(module)->times_result);
    if (v == NULL) {
        return NULL;
    }
    double hz = (double)sysconf(_SC_CLK_TCK);
    const clock_t values[] = {t.tms_utime, t.tms_stime, t.tms_cutime,
                              t.tms_cstime, elapsed};
    for (int i = 0; i < 5; i++) {
        PyObject *item = PyFloat_FromDouble((double)values[i] / hz);
        if (item == NULL) {
            Py_DECREF(v);
            return NULL;
        }
        PyStructSequence_SET_ITEM(v, i, item);
    }
    return v;
}

static PyObject *
os_getloadavg(PyObject *module, PyObject *unused)
{
    double load[3];
    if (getloadavg(load, 3) != 3) {
        PyErr_SetString(PyExc_OSError, "Load averages are unobtainable");
        return NULL;
    }
    return Py_BuildValue("ddd", load[0], load[1], load[2]);
}

static PyObject *
os_cpu_count(PyObject *module, PyObject *unused)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    if (n < 1) {
        Py_RETURN_NONE;
    }
    return PyLong_FromLong(n);
}

static PyObject *
os_urandom(PyObject *module, PyObject *arg)
{
    Py_ssize_t size;
    if (!kr_arg_ssize(arg, &size)) {
        return NULL;
    }
    if (size < 0) {
        return PyErr_Format(PyExc_ValueError,
                            "negative argument not allowed");
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes != NULL && _PyOS_URandom(PyBytes_AS_STRING(bytes), size) == -1) {
        Py_CLEAR(bytes);
    }
    return bytes;
}

static PyObject *
os_getrandom(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("getrandom", "size", "flags");
    PyObject *a[2];
    Py_ssize_t size, n;
    int flags = 0;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a) ||
        !kr_arg_ssize(a[0], &size) ||
        (a[1] != NULL && !kr_arg_int(a[1], &flags))) {
        return NULL;
    }
    if (size < 0) {
        errno = EINVAL;
        return kr_posix_error();
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL) {
        return NULL;
    }
    while ((n = getrandom(PyBytes_AS_STRING(bytes), (size_t)size,
                          (unsigned int)flags)) < 0) {
        if (errno == EINTR && PyErr_CheckSignals() == 0) {
            continue;
        }
        if (!PyErr_Occurred()) {
            kr_posix_error();
        }
        Py_DECREF(bytes);
        return NULL;
    }
    if (n != size) {
        _PyBytes_Resize(&bytes, n);
    }
    return bytes;
}

static PyObject *
os_sysconf(PyObject *module, PyObject *arg)
{
    int name;
    if (!kr_posix_arg_sysconf(arg, &name)) {
        return NULL;
    }
    errno = 0;
    long value = sysconf(name);
    return value == -1 && errno != 0 ? kr_posix_error()
                                     : PyLong_FromLong(value);
}

static PyObject *
os_confstr(PyObject *module, PyObject *arg)
{
    char stack[255], *buf = stack;
    int name;
    if (!kr_posix_arg_confstr(arg, &name)) {
        return NULL;
    }
    errno = 0;
    size_t len = confstr(name, stack, sizeof(stack));
    if (len == 0) {
        if (errno != 0) {
            return kr_posix_error();
        }
        Py_RETURN_NONE;
    }
    if (len > sizeof(stack)) {
        buf = PyMem_Malloc(len);
        if (buf == NULL) {
            return PyErr_NoMemory();
        }
        confstr(name, buf, len);
    }
    PyObject *res =
        PyUnicode_DecodeFSDefaultAndSize(buf, (Py_ssize_t)len - 1);
    if (buf != stack) {
        PyMem_Free(buf);
    }
    return res;
}

static PyObject *
os_strerror(PyObject *module, PyObject *arg)
{
    int code;
    if (!kr_arg_int(arg, &code)) {
        return NULL;
    }
    const char *message = strerror(code);
    if (message == NULL) {
        return PyErr_Format(PyExc_ValueError,
                            "strerror() argument out of range");
    }
    return PyUnicode_DecodeLocale(message, "surrogateescape");
}

static PyObject *
os_putenv(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *name, *value, *res = NULL;
    if (!_PyArg_CheckPositional("putenv", nargs, 2, 2) ||
        !PyUnicode_FSConverter(args[0], &name)) {
        return NULL;
    }
    if (PyUnicode_FSConverter(args[1], &value)) {
        const char *n = PyBytes_AS_STRING(name);
        if (strchr(n, '=') != NULL) {
            PyErr_SetString(PyExc_ValueError,
                            "illegal environment variable name");
        }
        else if (PySys_Audit("os.putenv", "OO", name, value) >= 0) {
            res = kr_posix_none_or_error(
                setenv(n, PyBytes_AS_STRING(value), 1) ? -1 : 0);
        }
        Py_DECREF(value);
    }
    Py_DECREF(name);
    return res;
}

static PyObject *
os_unsetenv(PyObject *module, PyObject *arg)
{
    PyObject *name, *res = NULL;
    if (!PyUnicode_FSConverter(arg, &name)) {
        return NULL;
    }
    if (PySys_Audit("os.unsetenv", "(O)", name) >= 0) {
        res =
            kr_posix_none_or_error(unsetenv(PyBytes_AS_STRING(name)) ? -1 : 0);
    }
    Py_DECREF(name);
    return res;
}

static PyObject *
os_system(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("system", "command");
    PyObject *a[1], *command;
    long result;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !PyUnicode_FSConverter(a[0], &command)) {
        return NULL;
    }
    if (PySys_Audit("os.system", "(O)", command) < 0) {
        Py_DECREF(command);
        return NULL;
    }
    POSIX_NO_GIL(result = system(PyBytes_AS_STRING(command)));
    Py_DECREF(command);
    return PyLong_FromLong(result);
}

int
kr_posix_system_exec(PyObject *module, posix_state *state)
{
    state->uname_result =
        kr_posix_add_structseq(module, "uname_result", &uname_desc);
    state->times_result =
        kr_posix_add_structseq(module, "times_result", &times_desc);
    return state->uname_result && state->times_result ? 0 : -1;
}

PyMethodDef kr_posix_system_methods[] = {
    {"uname", os_uname, METH_NOARGS,
     "uname($module, /)\n--\n\nWhat identifies this operating system."},
    {"times", os_times, METH_NOARGS,
     "times($module, /)\n--\n\nProcess times and elapsed time in seconds."},
    {"getloadavg", os_getloadavg, METH_NOARGS,
     "getloadavg($module, /)\n--\n\n"
     "Average length of the run queue over 1, 5 and 15 minutes."},
    {"cpu_count", os_cpu_count, METH_NOARGS,
     "cpu_count($module, /)\n--\n\n"
     "Number of CPUs of the system, None if unknown."},
    {"urandom", os_urandom, METH_O,
     "urandom($module, size, /)\n--\n\nRandom bytes fit for cryptography."},
    {"getrandom", KR_CAST(os_getrandom), KR_FAST,
     "getrandom($module, /, size, flags=0)\n--\n\n"
     "Random bytes straight from the kernel."},
    {"sysconf", os_sysconf, METH_O,
     "sysconf($module, name, /)\n--\n\nAn integer setting of the system."},
    {"confstr", os_confstr, METH_O,
     "confstr($module, name, /)\n--\n\nA string setting of the system."},
    {"strerror", os_strerror, METH_O,
     "strerror($module, code, /)\n--\n\nThe message of an error code."},
    {"putenv", KR_CAST(os_putenv), METH_FASTCALL,
     "putenv($module, name, value, /)\n--\n\n"
     "Set or change an environment variable."},
    {"unsetenv", os_unsetenv, METH_O,
     "unsetenv($module, name, /)\n--\n\nDelete an environment variable."},
    {"system", KR_CAST(os_system), KR_FAST,
     "system($module, /, command)\n--\n\nRun a command in a subshell."},
    {NULL},
};
