/* The standard streams: sys.stdin, sys.stdout, sys.stderr. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "objects/ids.h"
#include "objects/interp.h"
#include "runtime/lifecycle.h"

/* A descriptor that is closed gives None instead of a stream. */
static int
is_open(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0;
}

/* New raw FileIO, or the buffered object around it. */
static PyObject *
open_binary(PyObject *io, int fd, int writing, int buffered)
{
    return PyObject_CallMethod(io, "open", "isiOOOO", fd,
                               writing ? "wb" : "rb", buffered ? -1 : 0,
                               Py_None, Py_None, Py_None, Py_False);
}

/* Names the stream's innermost file "<stdin>" and the like. Gives the raw
 * object, new. */
static PyObject *
name_raw(PyObject *binary, const char *name, int buffered)
{
    PyObject *raw = buffered ? PyObject_GetAttr(binary, KR_ID(raw))
                             : Py_NewRef(binary);
    PyObject *text = raw == NULL ? NULL : PyUnicode_FromString(name);
    if (text == NULL || PyObject_SetAttr(raw, KR_ID(name), text) < 0) {
        Py_CLEAR(raw);
    }
    Py_XDECREF(text);
    return raw;
}

static PyObject *
create_stream(const PyConfig *config, PyObject *io, int fd, int writing,
              const char *name)
{
    if (!is_open(fd)) {
        Py_RETURN_NONE;
    }
    /* stdin is always buffered: the parser and input() share it */
    int buffered = config->buffered_stdio || !writing;
    PyObject *binary = open_binary(io, fd, writing, buffered);
    PyObject *raw = NULL, *stream = NULL, *tty = NULL;
    if (binary == NULL) {
        goto done;
    }
    raw = name_raw(binary, name, buffered);
    tty = raw == NULL ? NULL : PyObject_CallMethodNoArgs(raw, KR_ID(isatty));
    int is_tty = tty == NULL ? -1 : PyObject_IsTrue(tty);
    if (is_tty < 0) {
        goto done;
    }
    int write_through = !config->buffered_stdio;
    int line_buffering =
        config->buffered_stdio && (is_tty || fd == fileno(stderr));
    const wchar_t *errors =
        fd == fileno(stderr) ? L"backslashreplace" : config->stdio_errors;
    PyObject *encoding = PyUnicode_FromWideChar(config->stdio_encoding, -1);
    PyObject *errors_text = PyUnicode_FromWideChar(errors, -1);
    if (encoding != NULL && errors_text != NULL) {
        stream = PyObject_CallMethod(
            io, "TextIOWrapper", "OOOsOO", binary, encoding, errors_text, "\n",
            line_buffering ? Py_True : Py_False,
            write_through ? Py_True : Py_False);
    }
    Py_XDECREF(encoding);
    Py_XDECREF(errors_text);
    if (stream != NULL) {
        PyObject *mode = PyUnicode_FromString(writing ? "w" : "r");
        if (mode == NULL || PyObject_SetAttr(stream, KR_ID(mode), mode) < 0) {
            Py_CLEAR(stream);
        }
        Py_XDECREF(mode);
    }
done:
    Py_XDECREF(tty);
    Py_XDECREF(raw);
    Py_XDECREF(binary);
    if (stream == NULL && PyErr_ExceptionMatches(PyExc_OSError) &&
        !is_open(fd)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return stream;
}

static int
install(const PyConfig *config, PyObject *io, int fd, const char *name)
{
    char shown[16], saved[16];
    snprintf(shown, sizeof(shown), "<%s>", name);
    snprintf(saved, sizeof(saved), "__%s__", name);
    PyObject *stream =
        create_stream(config, io, fd, fd != fileno(stdin), shown);
    if (stream == NULL) {
        return -1;
    }
    int res = PySys_SetObject(saved, stream);
    if (res == 0) {
        res = PySys_SetObject(name, stream);
    }
    Py_DECREF(stream);
    return res;
}

int
kr_create_streams(PyInterpreterState *interp)
{
    const PyConfig *config = &interp->config;
    struct stat st;
    if (fstat(fileno(stdin), &st) == 0 && S_ISDIR(st.st_mode)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "<stdin> is a directory, cannot continue");
        return -1;
    }
    PyObject *io = PyImport_ImportModule("_io");
    if (io == NULL) {
        return -1;
    }
    int res = install(config, io, fileno(stdin), "stdin");
    if (res == 0) {
        res = install(config, io, fileno(stdout), "stdout");
    }
    if (res == 0) {
        res = install(config, io, fileno(stderr), "stderr");
    }
    Py_DECREF(io);
    return res;
}

/* Whether a stream can be asked to flush. */
static int
is_closed(PyObject *stream)
{
    PyObject *value;
    if (_PyObject_LookupAttr(stream, KR_ID(closed), &value) <= 0) {
        PyErr_Clear();
        return 0;
    }
    int closed = PyObject_IsTrue(value);
    Py_DECREF(value);
    if (closed < 0) {
        PyErr_Clear();
    }
    return closed > 0;
}

int
kr_flush_streams(void)
{
    static const char *const names[] = {"stdout", "stderr"};
    int status = 0;
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb); /* the program's own error waits */
    for (int i = 0; i < 2; i++) {
        PyObject *stream = PySys_GetObject(names[i]);
        if (stream == NULL || stream == Py_None || is_closed(stream)) {
            continue;
        }
        Py_INCREF(stream);
        PyObject *res = PyObject_CallMethodNoArgs(stream, KR_ID(flush));
        if (res == NULL) {
            if (i == 0) {
                PyErr_WriteUnraisable(stream);
                status = -1;
            }
            else {
                PyErr_Clear();
            }
        }
        Py_XDECREF(res);
        Py_DECREF(stream);
    }
    PyErr_Restore(type, value, tb);
    return status;
}
