/* The C API of file objects (PyFile_*), the primitive stderr used before
 * `io` exists, and the hook that opens code files. */
#include "runtime/fileutils.h"

#include <stdio.h>
#include <unistd.h>

#include "objects/ids.h"

static struct kr_open_code_state {
    Py_OpenCodeHookFunction hook;
    void *data;
} open_code_state;

PyObject *
PyFile_FromFd(int fd, const char *name, const char *mode, int buffering,
              const char *encoding, const char *errors, const char *newline,
              int closefd)
{
    PyObject *io = PyImport_ImportModule("_io");
    if (io == NULL) {
        return NULL;
    }
    PyObject *stream = PyObject_CallMethod(
        io, "open", "isisssO", fd, mode, buffering, encoding, errors, newline,
        closefd ? Py_True : Py_False);
    Py_DECREF(io);
    /* The name is informative and ignored: io streams take theirs from fd. */
    (void)name;
    return stream;
}

/* Removes one trailing newline of a line just read; an empty line is the end
 * of the file. Steals `line`. */
static PyObject *
strip_newline(PyObject *line)
{
    if (PyBytes_Check(line)) {
        Py_ssize_t n = PyBytes_GET_SIZE(line);
        if (n == 0) {
            goto eof;
        }
        if (PyBytes_AS_STRING(line)[n - 1] == '\n') {
            PyObject *cut =
                PyBytes_FromStringAndSize(PyBytes_AS_STRING(line), n - 1);
            Py_SETREF(line, cut);
        }
        return line;
    }
    if (PyUnicode_Check(line)) {
        Py_ssize_t n = PyUnicode_GET_LENGTH(line);
        if (n == 0) {
            goto eof;
        }
        if (PyUnicode_READ_CHAR(line, n - 1) == '\n') {
            PyObject *cut = PyUnicode_Substring(line, 0, n - 1);
            Py_SETREF(line, cut);
        }
    }
    return line;

eof:
    Py_DECREF(line);
    PyErr_SetString(PyExc_EOFError, "EOF when reading a line");
    return NULL;
}

PyObject *
PyFile_GetLine(PyObject *f, int n)
{
    if (f == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *line;
    if (n <= 0) {
        line = PyObject_CallMethodNoArgs(f, KR_ID(readline));
    }
    else {
        line = PyObject_CallMethod(f, "readline", "i", n);
    }
    if (line != NULL && !PyBytes_Check(line) && !PyUnicode_Check(line)) {
        Py_DECREF(line);
        PyErr_SetString(PyExc_TypeError,
                        "object.readline() returned non-string");
        return NULL;
    }
    return line != NULL && n < 0 ? strip_newline(line) : line;
}

int
PyFile_WriteObject(PyObject *v, PyObject *f, int flags)
{
    if (f == NULL) {
        PyErr_SetString(PyExc_TypeError, "writeobject with NULL file");
        return -1;
    }
    PyObject *writer = PyObject_GetAttr(f, KR_ID(write));
    if (writer == NULL) {
        return -1;
    }
    PyObject *text = flags & Py_PRINT_RAW ? PyObject_Str(v) : PyObject_Repr(v);
    PyObject *res = NULL;
    if (text != NULL) {
        res = PyObject_CallOneArg(writer, text);
        Py_DECREF(text);
    }
    Py_DECREF(writer);
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

int
PyFile_WriteString(const char *s, PyObject *f)
{
    if (f == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_SystemError,
                            "null file for PyFile_WriteString");
        }
        return -1;
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    PyObject *text = PyUnicode_FromString(s);
    if (text == NULL) {
        return -1;
    }
    int rc = PyFile_WriteObject(text, f, Py_PRINT_RAW);
    Py_DECREF(text);
    return rc;
}

int
PyObject_AsFileDescriptor(PyObject *o)
{
    int fd;
    if (PyLong_Check(o)) {
        fd = _PyLong_AsInt(o);
    }
    else {
        PyObject *meth;
        if (_PyObject_LookupAttr(o, KR_ID(fileno), &meth) < 0) {
            return -1;
        }
        if (meth == NULL) {
            PyErr_SetString(
                PyExc_TypeError,
                "argument must be an int, or have a fileno() method.");
            return -1;
        }
        PyObject *res = PyObject_CallNoArgs(meth);
        Py_DECREF(meth);
        if (res == NULL) {
            return -1;
        }
        if (!PyLong_Check(res)) {
            PyErr_SetString(PyExc_TypeError,
                            "fileno() returned a non-integer");
            Py_DECREF(res);
            return -1;
        }
        fd = _PyLong_AsInt(res);
        Py_DECREF(res);
    }
    if (fd == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (fd < 0) {
        PyErr_Format(PyExc_ValueError,
                     "file descriptor cannot be a negative integer (%i)", fd);
        return -1;
    }
    return fd;
}

int
_PyLong_FileDescriptor_Converter(PyObject *o, void *ptr)
{
    int fd = PyObject_AsFileDescriptor(o);
    if (fd == -1) {
        return 0;
    }
    *(int *)ptr = fd;
    return 1;
}

char *
Py_UniversalNewlineFgets(char *buf, int n, FILE *stream, PyObject *fobj)
{
    char *p = buf;
    int c = 0;
    if (fobj != NULL) {
        errno = ENXIO;
        return NULL;
    }
    flockfile(stream);
    while (--n > 0 && (c = getc_unlocked(stream)) != EOF) {
        if (c == '\r') {
            /* "\r\n" and a lone "\r" both end the line as "\n". */
            int next = getc_unlocked(stream);
            if (next != '\n' && next != EOF) {
                ungetc(next, stream);
            }
            c = '\n';
        }
        *p++ = (char)c;
        if (c == '\n') {
            break;
        }
    }
    funlockfile(stream);
    *p = '\0';
    return p == buf ? NULL : buf;
}

PyObject *
PyFile_OpenCodeObject(PyObject *path)
{
    if (!PyUnicode_Check(path)) {
        PyErr_Format(PyExc_TypeError, "'path' must be 'str', not '%.200s'",
                     Py_TYPE(path)->tp_name);
        return NULL;
    }
    if (open_code_state.hook != NULL) {
        return open_code_state.hook(path, open_code_state.data);
    }
    PyObject *io = PyImport_ImportModule("_io");
    if (io == NULL) {
        return NULL;
    }
    PyObject *stream = PyObject_CallMethod(io, "open", "Os", path, "rb");
    Py_DECREF(io);
    return stream;
}

PyObject *
PyFile_OpenCode(const char *utf8path)
{
    PyObject *path = PyUnicode_FromString(utf8path);
    if (path == NULL) {
        return NULL;
    }
    PyObject *stream = PyFile_OpenCodeObject(path);
    Py_DECREF(path);
    return stream;
}

int
PyFile_SetOpenCodeHook(Py_OpenCodeHookFunction hook, void *data)
{
    if (Py_IsInitialized() && PySys_Audit("setopencodehook", NULL) < 0) {
        return -1;
    }
    if (open_code_state.hook != NULL) {
        if (Py_IsInitialized()) {
            PyErr_SetString(PyExc_SystemError,
                            "failed to change existing open_code hook");
        }
        return -1;
    }
    open_code_state.hook = hook;
    open_code_state.data = data;
    return 0;
}

/* The stand-in for sys.stderr before `io` is imported. */
typedef struct {
    PyObject_HEAD
    int fd;
} StdPrinter;

PyObject *
PyFile_NewStdPrinter(int fd)
{
    if (fd != fileno(stdout) && fd != fileno(stderr)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    StdPrinter *self = PyObject_New(StdPrinter, &PyStdPrinter_Type);
    if (self != NULL) {
        self->fd = fd;
    }
    return (PyObject *)self;
}

static PyObject *
stdprinter_write(PyObject *op, PyObject *args)
{
    StdPrinter *self = (StdPrinter *)op;
    PyObject *text, *bytes;
    if (self->fd < 0) {
        Py_RETURN_NONE;
    }
    if (!PyArg_ParseTuple(args, "U", &text)) {
        return NULL;
    }
    bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    if (bytes == NULL) {
        return NULL;
    }
    Py_ssize_t n = _Py_write(self->fd, PyBytes_AS_STRING(bytes),
                             (size_t)PyBytes_GET_SIZE(bytes));
    int err = errno;
    Py_DECREF(bytes);
    if (n < 0) {
        if (err != EAGAIN) {
            return NULL;
        }
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return PyLong_FromSsize_t(n);
}

static PyObject *
stdprinter_fileno(PyObject *op, PyObject *unused)
{
    return PyLong_FromLong(((StdPrinter *)op)->fd);
}

static PyObject *
stdprinter_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<stderrprinter(fd=%d) object at %p>",
                                ((StdPrinter *)op)->fd, op);
}

static PyObject *
stdprinter_noop(PyObject *op, PyObject *unused)
{
    Py_RETURN_NONE;
}

static PyObject *
stdprinter_isatty(PyObject *op, PyObject *unused)
{
    int fd = ((StdPrinter *)op)->fd, res;
    if (fd < 0) {
        Py_RETURN_FALSE;
    }
    Py_BEGIN_ALLOW_THREADS
    res = isatty(fd);
    Py_END_ALLOW_THREADS
    return PyBool_FromLong(res);
}

static PyObject *
stdprinter_encoding(PyObject *op, void *closure)
{
    Py_RETURN_NONE;
}

static PyObject *
stdprinter_mode(PyObject *op, void *closure)
{
    return PyUnicode_FromString("w");
}

static PyObject *
stdprinter_closed(PyObject *op, void *closure)
{
    Py_RETURN_FALSE;
}

static PyMethodDef stdprinter_methods[] = {
    {"close", stdprinter_noop, METH_NOARGS, NULL},
    {"flush", stdprinter_noop, METH_NOARGS, NULL},
    {"fileno", stdprinter_fileno, METH_NOARGS, NULL},
    {"isatty", stdprinter_isatty, METH_NOARGS, NULL},
    {"write", stdprinter_write, METH_VARARGS, NULL},
    {NULL},
};

static PyGetSetDef stdprinter_getset[] = {
    {"encoding", stdprinter_encoding, NULL, "Encoding of the file."},
    {"closed", stdprinter_closed, NULL, "True if the file is closed."},
    {"mode", stdprinter_mode, NULL, "String giving the file mode."},
    {NULL},
};

PyTypeObject PyStdPrinter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "stderrprinter",
    .tp_basicsize = sizeof(StdPrinter),
    .tp_repr = stdprinter_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = stdprinter_methods,
    .tp_getset = stdprinter_getset,
};
