/* Fatal errors: what the program says before it ends on the spot. */
#include <Python.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/dump_traceback.h"
#include "runtime/lifecycle.h"
#include "runtime/tstate.h"

static struct kr_fatal_state {
    int entered;
} kr_fatal;

static void
put(int fd, const char *s)
{
    if (write(fd, s, strlen(s)) < 0) {
        return;
    }
}

static void
say_what(int fd, const char *func, const char *message)
{
    put(fd, "Fatal Python error: ");
    if (func != NULL) {
        put(fd, func);
        put(fd, ": ");
    }
    put(fd, message != NULL ? message : "<message not set>");
    put(fd, "\nPython runtime state: ");
    PyThreadState *finalizing = kr_finalizing();
    if (finalizing != NULL) {
        put(fd, "finalizing (tstate=0x");
        _Py_DumpHexadecimal(fd, (uintptr_t)finalizing, sizeof(void *) * 2);
        put(fd, ")\n");
        return;
    }
    put(fd, kr_runtime_stage());
    put(fd, "\n");
}

/* Shows the exception that is set. Whether it had a traceback. */
static bool
show_exception(void)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    if (type == NULL) {
        return false;
    }
    PyErr_NormalizeException(&type, &value, &tb);
    if (tb != NULL && value != NULL) {
        PyException_SetTraceback(value, tb);
    }
    PyErr_Display(type, value, tb);
    bool has_tb = tb != NULL && tb != Py_None;
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(tb);
    return has_tb;
}

static _Py_NO_RETURN void
end(int status)
{
    if (status >= 0) {
        exit(status);
    }
    abort();
}

/* `status` of the process; negative: abort. */
static _Py_NO_RETURN void
fatal(const char *func, const char *message, int status)
{
    int fd = STDERR_FILENO;
    if (kr_fatal.entered) {
        end(status); /* a fatal error while one is told */
    }
    kr_fatal.entered = 1;
    say_what(fd, func, message);
    PyThreadState *ts = kr_tstate();
    PyThreadState *mine = PyGILState_GetThisThreadState();
    PyInterpreterState *interp = ts != NULL     ? ts->interp
                                 : mine != NULL ? mine->interp
                                                : PyInterpreterState_Main();
    bool attached = ts != NULL && ts == mine;
    if (!attached || !show_exception()) {
        put(fd, "\n");
        (void)_Py_DumpTracebackThreads(fd, interp, mine);
    }
    _Py_DumpExtensionModules(fd, interp);
    kr_faulthandler_fini();
    if (attached) {
        kr_flush_streams();
    }
    fflush(stdout);
    fflush(stderr);
    end(status);
}

void _Py_NO_RETURN
_Py_FatalErrorFunc(const char *func, const char *msg)
{
    fatal(func, msg, -1);
}

#undef Py_FatalError
void _Py_NO_RETURN
Py_FatalError(const char *msg)
{
    fatal(NULL, msg, -1);
}

PyAPI_FUNC(void) _Py_FatalErrorFormat(const char *func, const char *format,
                                      ...) __attribute__((noreturn));
void
_Py_FatalErrorFormat(const char *func, const char *format, ...)
{
    char text[512];
    va_list va;
    va_start(va, format);
    vsnprintf(text, sizeof(text), format, va);
    va_end(va);
    fatal(func, text, -1);
}

void
Py_ExitStatusException(PyStatus status)
{
    if (PyStatus_IsExit(status)) {
        exit(status.exitcode);
    }
    if (PyStatus_IsError(status)) {
        fatal(status.func, status.err_msg, 1);
    }
    Py_FatalError("Py_ExitStatusException() must not be called on success");
}

/* A name of the C API that is exported but not written yet. */
void *kr_unwritten(const char *name);
void *
kr_unwritten(const char *name)
{
    if (kr_tstate() == NULL) {
        fprintf(stderr, "Fatal Python error: %s() is not available\n", name);
        abort();
    }
    PyErr_Format(PyExc_SystemError, "%s() is not available", name);
    return NULL;
}
