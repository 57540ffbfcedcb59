/* OSError and its subclasses by errno.
 *
 * OSError(errno, strerror[, filename[, winerror[, filename2]]]) creates the
 * subclass that belongs to errno. Arguments are taken in __new__, so that the
 * class can be chosen there, unless a Python subclass overrides __init__ only:
 * then in __init__. */
#include <Python.h>
#include <errno.h>
#include <structmember.h>

#include "memory/gc.h"
#include "objects/exceptions/exc.h"
#include "objects/ids.h"
#include "objects/immortal.h"

static int os_error_init(PyOSErrorObject *self, PyObject *args, PyObject *kwds);
static PyObject *os_error_new(PyTypeObject *type, PyObject *args,
                              PyObject *kwds);

/* errno → subclass; several numbers may share one. */
static const struct {
    int err;
    PyTypeObject *type;
} errno_classes[] = {
    {EAGAIN, &KR_EXC(BlockingIOError)},
    {EALREADY, &KR_EXC(BlockingIOError)},
    {EINPROGRESS, &KR_EXC(BlockingIOError)},
    {EWOULDBLOCK, &KR_EXC(BlockingIOError)},
    {EPIPE, &KR_EXC(BrokenPipeError)},
    {ESHUTDOWN, &KR_EXC(BrokenPipeError)},
    {ECHILD, &KR_EXC(ChildProcessError)},
    {ECONNABORTED, &KR_EXC(ConnectionAbortedError)},
    {ECONNREFUSED, &KR_EXC(ConnectionRefusedError)},
    {ECONNRESET, &KR_EXC(ConnectionResetError)},
    {EEXIST, &KR_EXC(FileExistsError)},
    {ENOENT, &KR_EXC(FileNotFoundError)},
    {EISDIR, &KR_EXC(IsADirectoryError)},
    {ENOTDIR, &KR_EXC(NotADirectoryError)},
    {EINTR, &KR_EXC(InterruptedError)},
    {EACCES, &KR_EXC(PermissionError)},
    {EPERM, &KR_EXC(PermissionError)},
    {ESRCH, &KR_EXC(ProcessLookupError)},
    {ETIMEDOUT, &KR_EXC(TimeoutError)},
};

PyObject *
kr_os_error_class(int err)
{
    for (size_t i = 0; i < sizeof(errno_classes) / sizeof(*errno_classes);
         i++) {
        if (errno_classes[i].err == err) {
            return (PyObject *)errno_classes[i].type;
        }
    }
    return (PyObject *)&KR_EXC(OSError);
}

struct os_error_args {
    PyObject *args; /* owned: what self.args becomes */
    PyObject *err, *strerror, *filename, *filename2; /* borrowed or NULL */
};

/* Sorts two to five arguments into the fields. 0 or -1. */
static int
parse_args(struct os_error_args *p)
{
    Py_ssize_t n = PyTuple_GET_SIZE(p->args);
    if (n < 2 || n > 5) {
        return 0;
    }
    PyObject *winerror = NULL;
    return PyArg_UnpackTuple(p->args, "OSError", 2, 5, &p->err, &p->strerror,
                             &p->filename, &winerror, &p->filename2)
               ? 0
               : -1;
}

/* Fills the object from `p`, taking over p->args. 0 or -1. */
static int
fill(PyOSErrorObject *self, struct os_error_args *p)
{
    PyObject *args = p->args;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (p->filename != NULL && p->filename != Py_None) {
        if (Py_IS_TYPE(self, &KR_EXC(BlockingIOError)) &&
            PyNumber_Check(p->filename)) {
            /* the third argument of BlockingIOError may be a count */
            self->written = PyNumber_AsSsize_t(p->filename, PyExc_ValueError);
            if (self->written == -1 && PyErr_Occurred()) {
                return -1;
            }
        }
        else {
            self->filename = Py_NewRef(p->filename);
            if (p->filename2 != NULL && p->filename2 != Py_None) {
                self->filename2 = Py_NewRef(p->filename2);
            }
            if (n >= 2 && n <= 5) {
                /* args stays a pair for those who unpack it */
                PyObject *pair = PyTuple_GetSlice(args, 0, 2);
                if (pair == NULL) {
                    return -1;
                }
                Py_SETREF(p->args, pair);
                args = pair;
            }
        }
    }
    self->myerrno = Py_XNewRef(p->err);
    self->strerror = Py_XNewRef(p->strerror);
    Py_XSETREF(self->args, args);
    p->args = NULL;
    return 0;
}

static int
uses_init(PyTypeObject *type)
{
    return type->tp_init != (initproc)os_error_init &&
           type->tp_new == os_error_new;
}

static PyObject *
os_error_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    struct os_error_args p = {.args = Py_NewRef(args)};
    PyOSErrorObject *self = NULL;
    if (!uses_init(type)) {
        if (!_PyArg_NoKeywords(type->tp_name, kwds) || parse_args(&p) < 0) {
            goto error;
        }
        if (p.err != NULL && PyLong_Check(p.err) &&
            type == &KR_EXC(OSError)) {
            int overflow;
            long err = PyLong_AsLongAndOverflow(p.err, &overflow);
            if (err == -1 && PyErr_Occurred()) {
                goto error;
            }
            if (!overflow && err == (int)err) {
                type = (PyTypeObject *)kr_os_error_class((int)err);
            }
        }
    }
    self = (PyOSErrorObject *)type->tp_alloc(type, 0);
    if (self == NULL) {
        goto error;
    }
    self->written = -1;
    if (!uses_init(type)) {
        if (fill(self, &p) < 0) {
            goto error;
        }
    }
    else {
        self->args = PyTuple_New(0);
        if (self->args == NULL) {
            goto error;
        }
    }
    Py_XDECREF(p.args);
    return (PyObject *)self;

error:
    Py_XDECREF(p.args);
    Py_XDECREF(self);
    return NULL;
}

static int
os_error_init(PyOSErrorObject *self, PyObject *args, PyObject *kwds)
{
    PyTypeObject *type = Py_TYPE(self);
    if (!uses_init(type)) {
        return 0; /* __new__ did it */
    }
    if (!_PyArg_NoKeywords(type->tp_name, kwds)) {
        return -1;
    }
    struct os_error_args p = {.args = Py_NewRef(args)};
    if (parse_args(&p) < 0 || fill(self, &p) < 0) {
        Py_XDECREF(p.args);
        return -1;
    }
    return 0;
}

static int
os_error_clear(PyOSErrorObject *self)
{
    Py_CLEAR(self->myerrno);
    Py_CLEAR(self->strerror);
    Py_CLEAR(self->filename);
    Py_CLEAR(self->filename2);
    return kr_base_exception_clear((PyBaseExceptionObject *)self);
}

static int
os_error_traverse(PyOSErrorObject *self, visitproc visit, void *arg)
{
    Py_VISIT(self->myerrno);
    Py_VISIT(self->strerror);
    Py_VISIT(self->filename);
    Py_VISIT(self->filename2);
    return kr_base_exception_traverse((PyBaseExceptionObject *)self, visit,
                                      arg);
}

static PyObject *
os_error_str(PyOSErrorObject *self)
{
    PyObject *err = self->myerrno != NULL ? self->myerrno : Py_None;
    PyObject *text = self->strerror != NULL ? self->strerror : Py_None;
    if (self->filename != NULL) {
        if (self->filename2 != NULL) {
            return PyUnicode_FromFormat("[Errno %S] %S: %R -> %R", err, text,
                                        self->filename, self->filename2);
        }
        return PyUnicode_FromFormat("[Errno %S] %S: %R", err, text,
                                    self->filename);
    }
    if (self->myerrno != NULL && self->strerror != NULL) {
        return PyUnicode_FromFormat("[Errno %S] %S", err, text);
    }
    return kr_base_exception_str((PyBaseExceptionObject *)self);
}

static PyObject *
os_error_reduce(PyOSErrorObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *args = self->args;
    if (PyTuple_GET_SIZE(args) == 2 && self->filename != NULL) {
        /* args was cut down to a pair: give back what __new__ needs */
        PyObject *err = PyTuple_GET_ITEM(args, 0);
        PyObject *text = PyTuple_GET_ITEM(args, 1);
        args = self->filename2 == NULL
                   ? PyTuple_Pack(3, err, text, self->filename)
                   : PyTuple_Pack(5, err, text, self->filename, Py_None,
                                  self->filename2);
        if (args == NULL) {
            return NULL;
        }
    }
    else {
        Py_INCREF(args);
    }
    PyObject *res = self->dict != NULL
                        ? PyTuple_Pack(3, Py_TYPE(self), args, self->dict)
                        : PyTuple_Pack(2, Py_TYPE(self), args);
    Py_DECREF(args);
    return res;
}

static PyObject *
get_written(PyOSErrorObject *self, void *Py_UNUSED(closure))
{
    if (self->written == -1) {
        PyErr_SetString(PyExc_AttributeError, "characters_written");
        return NULL;
    }
    return PyLong_FromSsize_t(self->written);
}

static int
set_written(PyOSErrorObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == NULL) {
        if (self->written == -1) {
            PyErr_SetString(PyExc_AttributeError, "characters_written");
            return -1;
        }
        self->written = -1;
        return 0;
    }
    Py_ssize_t n = PyNumber_AsSsize_t(value, PyExc_ValueError);
    if (n == -1 && PyErr_Occurred()) {
        return -1;
    }
    self->written = n;
    return 0;
}

static PyMemberDef os_error_members[] = {
    {"errno", T_OBJECT, offsetof(PyOSErrorObject, myerrno), 0,
     "POSIX exception code"},
    {"strerror", T_OBJECT, offsetof(PyOSErrorObject, strerror), 0,
     "exception strerror"},
    {"filename", T_OBJECT, offsetof(PyOSErrorObject, filename), 0,
     "exception filename"},
    {"filename2", T_OBJECT, offsetof(PyOSErrorObject, filename2), 0,
     "second exception filename"},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef os_error_methods[] = {
    {"__reduce__", (PyCFunction)os_error_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef os_error_getset[] = {
    {"characters_written", (getter)get_written, (setter)set_written, NULL,
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject KR_EXC(OSError) = {
    KR_EXC_TYPE(OSError, Exception, PyOSErrorObject,
                "Base class for I/O related errors."),
    .tp_str = (reprfunc)os_error_str,
    .tp_traverse = (traverseproc)os_error_traverse,
    .tp_clear = (inquiry)os_error_clear,
    .tp_methods = os_error_methods,
    .tp_members = os_error_members,
    .tp_getset = os_error_getset,
    .tp_init = (initproc)os_error_init,
    .tp_new = os_error_new,
};

#define OS_SUBCLASS(name, base, doc)                                           \
    PyTypeObject KR_EXC(name) = {                                              \
        KR_EXC_TYPE(name, base, PyOSErrorObject, doc),                         \
        .tp_traverse = (traverseproc)os_error_traverse,                        \
        .tp_clear = (inquiry)os_error_clear,                                   \
        .tp_init = (initproc)os_error_init,                                    \
    }

OS_SUBCLASS(BlockingIOError, OSError, "I/O operation would block.");
OS_SUBCLASS(ConnectionError, OSError, "Connection error.");
OS_SUBCLASS(ChildProcessError, OSError, "Child process error.");
OS_SUBCLASS(BrokenPipeError, ConnectionError, "Broken pipe.");
OS_SUBCLASS(ConnectionAbortedError, ConnectionError, "Connection aborted.");
OS_SUBCLASS(ConnectionRefusedError, ConnectionError, "Connection refused.");
OS_SUBCLASS(ConnectionResetError, ConnectionError, "Connection reset.");
OS_SUBCLASS(FileExistsError, OSError, "File already exists.");
OS_SUBCLASS(FileNotFoundError, OSError, "File not found.");
OS_SUBCLASS(IsADirectoryError, OSError,
            "Operation doesn't work on directories.");
OS_SUBCLASS(NotADirectoryError, OSError,
            "Operation only works on directories.");
OS_SUBCLASS(InterruptedError, OSError, "Interrupted by signal.");
OS_SUBCLASS(PermissionError, OSError, "Not enough permissions.");
OS_SUBCLASS(ProcessLookupError, OSError, "Process not found.");
OS_SUBCLASS(TimeoutError, OSError, "Timeout expired.");
