/* The `syslog` module. */
#include <Python.h>
#include <syslog.h>

#include "modules/kwargs.h"

/* The C library keeps the ident by pointer: we keep its owner. */
static struct kr_syslog_state {
    PyObject *ident;
    bool open;
} syslog_state;

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"LOG_ALERT", (long)LOG_ALERT},
    {"LOG_AUTH", (long)LOG_AUTH},
    {"LOG_AUTHPRIV", (long)LOG_AUTHPRIV},
    {"LOG_CONS", (long)LOG_CONS},
    {"LOG_CRIT", (long)LOG_CRIT},
    {"LOG_CRON", (long)LOG_CRON},
    {"LOG_DAEMON", (long)LOG_DAEMON},
    {"LOG_DEBUG", (long)LOG_DEBUG},
    {"LOG_EMERG", (long)LOG_EMERG},
    {"LOG_ERR", (long)LOG_ERR},
    {"LOG_INFO", (long)LOG_INFO},
    {"LOG_KERN", (long)LOG_KERN},
    {"LOG_LOCAL0", (long)LOG_LOCAL0},
    {"LOG_LOCAL1", (long)LOG_LOCAL1},
    {"LOG_LOCAL2", (long)LOG_LOCAL2},
    {"LOG_LOCAL3", (long)LOG_LOCAL3},
    {"LOG_LOCAL4", (long)LOG_LOCAL4},
    {"LOG_LOCAL5", (long)LOG_LOCAL5},
    {"LOG_LOCAL6", (long)LOG_LOCAL6},
    {"LOG_LOCAL7", (long)LOG_LOCAL7},
    {"LOG_LPR", (long)LOG_LPR},
    {"LOG_MAIL", (long)LOG_MAIL},
    {"LOG_NDELAY", (long)LOG_NDELAY},
    {"LOG_NEWS", (long)LOG_NEWS},
    {"LOG_NOTICE", (long)LOG_NOTICE},
    {"LOG_NOWAIT", (long)LOG_NOWAIT},
    {"LOG_ODELAY", (long)LOG_ODELAY},
    {"LOG_PERROR", (long)LOG_PERROR},
    {"LOG_PID", (long)LOG_PID},
    {"LOG_SYSLOG", (long)LOG_SYSLOG},
    {"LOG_USER", (long)LOG_USER},
    {"LOG_UUCP", (long)LOG_UUCP},
    {"LOG_WARNING", (long)LOG_WARNING},
};

/* The base name of the program, or NULL (an exception may be set). */
static PyObject *
program_ident(void)
{
    PyObject *argv = PySys_GetObject("argv"); /* borrowed */
    if (argv == NULL) {
        return NULL;
    }
    Py_ssize_t n = PyList_Check(argv) ? PyList_Size(argv) : 0;
    if (n < 1) {
        return NULL;
    }
    PyObject *script = PyList_GetItem(argv, 0);
    if (script == NULL || !PyUnicode_Check(script) ||
        PyUnicode_GET_LENGTH(script) == 0) {
        return NULL;
    }
    Py_ssize_t len = PyUnicode_GET_LENGTH(script);
    Py_ssize_t slash = PyUnicode_FindChar(script, '/', 0, len, -1);
    if (slash == -2) {
        return NULL;
    }
    return slash == -1 ? Py_NewRef(script)
                       : PyUnicode_Substring(script, slash + 1, len);
}

static bool
open_log(PyObject *ident, long option, long facility)
{
    PyObject *owned = ident ? Py_NewRef(ident) : program_ident();
    if (owned == NULL) {
        PyErr_Clear();
    }
    const char *text = owned ? PyUnicode_AsUTF8(owned) : NULL;
    if (owned != NULL && text == NULL) {
        Py_DECREF(owned);
        return false;
    }
    if (PySys_Audit("syslog.openlog", "Oll", owned ? owned : Py_None, option,
                    facility) < 0) {
        Py_XDECREF(owned);
        return false;
    }
    openlog(text, (int)option, (int)facility);
    syslog_state.open = true;
    Py_XSETREF(syslog_state.ident, owned);
    return true;
}

static PyObject *
syslog_openlog(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("openlog", "ident", "logoption", "facility");
    PyObject *a[3];
    long option = 0, facility = LOG_USER;
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 3, 3, a)) {
        return NULL;
    }
    if (a[0] != NULL && !PyUnicode_Check(a[0])) {
        _PyArg_BadArgument("openlog", "argument 1", "str", a[0]);
        return NULL;
    }
    if ((a[1] != NULL && !kr_arg_long(a[1], &option)) ||
        (a[2] != NULL && !kr_arg_long(a[2], &facility)) ||
        !open_log(a[0], option, facility)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
syslog_syslog(PyObject *module, PyObject *args)
{
    PyObject *text;
    int priority = LOG_INFO;
    if (!PyArg_ParseTuple(args, "iU;[priority,] message string", &priority,
                          &text)) {
        PyErr_Clear();
        if (!PyArg_ParseTuple(args, "U;[priority,] message string", &text)) {
            return NULL;
        }
    }
    const char *message = PyUnicode_AsUTF8(text);
    if (message == NULL ||
        PySys_Audit("syslog.syslog", "is", priority, message) < 0) {
        return NULL;
    }
    if (!syslog_state.open && !open_log(NULL, 0, LOG_USER)) {
        return NULL;
    }
    /* closelog() in another thread may drop the ident meanwhile */
    PyObject *ident = Py_XNewRef(syslog_state.ident);
    Py_BEGIN_ALLOW_THREADS
    syslog(priority, "%s", message);
    Py_END_ALLOW_THREADS
    Py_XDECREF(ident);
    Py_RETURN_NONE;
}

static PyObject *
syslog_closelog(PyObject *module, PyObject *unused)
{
    if (PySys_Audit("syslog.closelog", NULL) < 0) {
        return NULL;
    }
    if (syslog_state.open) {
        closelog();
        Py_CLEAR(syslog_state.ident);
        syslog_state.open = false;
    }
    Py_RETURN_NONE;
}

static PyObject *
syslog_setlogmask(PyObject *module, PyObject *args)
{
    long mask;
    if (!PyArg_ParseTuple(args, "l;mask for priority", &mask) ||
        PySys_Audit("syslog.setlogmask", "l", mask) < 0) {
        return NULL;
    }
    return PyLong_FromLong(setlogmask((int)mask));
}

static PyObject *
syslog_LOG_MASK(PyObject *module, PyObject *args)
{
    long pri;
    return PyArg_ParseTuple(args, "l:LOG_MASK", &pri)
               ? PyLong_FromLong(LOG_MASK(pri))
               : NULL;
}

static PyObject *
syslog_LOG_UPTO(PyObject *module, PyObject *args)
{
    long pri;
    return PyArg_ParseTuple(args, "l:LOG_UPTO", &pri)
               ? PyLong_FromLong(LOG_UPTO(pri))
               : NULL;
}

static PyMethodDef syslog_methods[] = {
    {"openlog", KR_CAST(syslog_openlog), KR_FAST, NULL},
    {"closelog", syslog_closelog, METH_NOARGS, NULL},
    {"syslog", syslog_syslog, METH_VARARGS, NULL},
    {"setlogmask", syslog_setlogmask, METH_VARARGS, NULL},
    {"LOG_MASK", syslog_LOG_MASK, METH_VARARGS, NULL},
    {"LOG_UPTO", syslog_LOG_UPTO, METH_VARARGS, NULL},
    {NULL},
};

static int
syslog_exec(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyModuleDef_Slot syslog_slots[] = {
    {Py_mod_exec, syslog_exec},
    {0, NULL},
};

static PyModuleDef syslog_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "syslog",
    .m_doc = "Messages to the system log.",
    .m_methods = syslog_methods,
    .m_slots = syslog_slots,
};

PyMODINIT_FUNC
PyInit_syslog(void)
{
    return PyModuleDef_Init(&syslog_def);
}
