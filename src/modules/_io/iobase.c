/* _IOBase and _RawIOBase: what every stream can do given a few primitives. */
#include "modules/_io/io.h"

#include <errno.h>
#include <structmember.h>

typedef struct {
    PyObject_HEAD
    PyObject *dict;
    PyObject *weakrefs;
} IOBase;

struct kr_io_state kr_io_state;

PyObject *
kr_io_unsupported(const char *message)
{
    PyErr_SetString(kr_io_state.unsupported_operation, message);
    return NULL;
}

void
kr_io_chain(PyObject *type, PyObject *value, PyObject *tb)
{
    if (type == NULL) {
        return;
    }
    if (PyErr_Occurred()) {
        _PyErr_ChainExceptions(type, value, tb);
    }
    else {
        PyErr_Restore(type, value, tb);
    }
}

bool
kr_io_retry_eintr(void)
{
    PyObject *t, *v, *tb;
    if (!PyErr_ExceptionMatches(PyExc_OSError)) {
        return false;
    }
    PyErr_Fetch(&t, &v, &tb);
    PyErr_NormalizeException(&t, &v, &tb);
    PyObject *number = ((PyOSErrorObject *)v)->myerrno;
    bool is_eintr = number != NULL && PyLong_Check(number) &&
                    PyLong_AsLong(number) == EINTR;
    if (is_eintr && PyErr_CheckSignals() == 0) {
        Py_XDECREF(t);
        Py_XDECREF(v);
        Py_XDECREF(tb);
        return true;
    }
    if (PyErr_Occurred()) {
        Py_XDECREF(t);
        Py_XDECREF(v);
        Py_XDECREF(tb);
        return false;
    }
    PyErr_Restore(t, v, tb);
    return false;
}

bool
kr_io_arg_size(PyObject *o, Py_ssize_t *out)
{
    return o == NULL || _Py_convert_optional_to_ssize_t(o, out);
}

PyObject *
kr_io_state_dict(PyObject *dict)
{
    return dict != NULL ? PyDict_Copy(dict) : Py_NewRef(Py_None);
}

bool
kr_io_set_position(PyObject *value, Py_ssize_t *pos)
{
    Py_ssize_t n = PyLong_AsSsize_t(value);
    if (n == -1 && PyErr_Occurred()) {
        return false;
    }
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "position value cannot be negative");
        return false;
    }
    *pos = n;
    return true;
}

bool
kr_io_set_dict(PyObject *value, PyObject **dict, const char *which)
{
    if (value == Py_None) {
        return true;
    }
    if (!PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "%s item of state should be a dict, got a %.200s", which,
                     Py_TYPE(value)->tp_name);
        return false;
    }
    if (*dict != NULL) {
        return PyDict_Update(*dict, value) == 0;
    }
    *dict = Py_NewRef(value);
    return true;
}

off_t
kr_io_offset(PyObject *o, PyObject *overflow_error)
{
    PyObject *index = PyNumber_Index(o);
    if (index == NULL) {
        return -1;
    }
    long value = PyLong_AsLong(index);
    if (value == -1 && PyErr_Occurred() && overflow_error != NULL &&
        PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        PyErr_Format(overflow_error, "cannot fit '%.200s' into an offset-sized "
                                     "integer",
                     Py_TYPE(o)->tp_name);
    }
    Py_DECREF(index);
    return (off_t)value;
}

/* The mark of our own close() in the instance's dictionary. */
static int
is_closed(PyObject *self)
{
    PyObject *mark;
    int rc = _PyObject_LookupAttr(self, KR_ID(__IOBase_closed), &mark);
    Py_XDECREF(mark);
    return rc;
}

int
kr_io_check_closed(PyObject *self)
{
    PyObject *res;
    int rc = _PyObject_LookupAttr(self, KR_ID(closed), &res);
    if (rc <= 0) {
        return rc;
    }
    int closed = io_truth(res);
    if (closed > 0) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
    }
    return closed ? -1 : 0;
}

static int
check_ability(PyObject *self, PyObject *method, const char *message)
{
    PyObject *res = io_call(self, method);
    if (res == NULL) {
        return -1;
    }
    /* exactly True, as duck-typed streams have always been held to */
    bool ok = res == Py_True;
    Py_DECREF(res);
    if (!ok) {
        kr_io_unsupported(message);
        return -1;
    }
    return 0;
}

int
kr_io_check_seekable(PyObject *self)
{
    return check_ability(self, KR_ID(seekable),
                         "File or stream is not seekable.");
}

int
kr_io_check_readable(PyObject *self)
{
    return check_ability(self, KR_ID(readable),
                         "File or stream is not readable.");
}

int
kr_io_check_writable(PyObject *self)
{
    return check_ability(self, KR_ID(writable),
                         "File or stream is not writable.");
}

static PyObject *
true_or_null(int rc)
{
    return rc < 0 ? NULL : Py_NewRef(Py_True);
}

static PyObject *
iobase_check_closed(PyObject *self, PyObject *args)
{
    return kr_io_check_closed(self) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
iobase_check_seekable(PyObject *self, PyObject *args)
{
    return true_or_null(kr_io_check_seekable(self));
}

static PyObject *
iobase_check_readable(PyObject *self, PyObject *args)
{
    return true_or_null(kr_io_check_readable(self));
}

static PyObject *
iobase_check_writable(PyObject *self, PyObject *args)
{
    return true_or_null(kr_io_check_writable(self));
}

static PyObject *
iobase_seek(PyObject *self, PyObject *args)
{
    return kr_io_unsupported("seek");
}

static PyObject *
iobase_tell(PyObject *self, PyObject *unused)
{
    return PyObject_CallMethod(self, "seek", "ii", 0, 1);
}

static PyObject *
iobase_truncate(PyObject *self, PyObject *args)
{
    return kr_io_unsupported("truncate");
}

static PyObject *
iobase_fileno(PyObject *self, PyObject *unused)
{
    return kr_io_unsupported("fileno");
}

static PyObject *
iobase_flush(PyObject *self, PyObject *unused)
{
    int closed = is_closed(self);
    if (closed != 0) {
        if (closed > 0) {
            PyErr_SetString(PyExc_ValueError,
                            "I/O operation on closed file.");
        }
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
iobase_close(PyObject *self, PyObject *unused)
{
    int closed = is_closed(self);
    if (closed < 0) {
        return NULL;
    }
    if (closed) {
        Py_RETURN_NONE;
    }
    PyObject *t, *v, *tb;
    PyObject *res = io_call(self, KR_ID(flush));
    PyErr_Fetch(&t, &v, &tb);
    int rc = PyObject_SetAttr(self, KR_ID(__IOBase_closed), Py_True);
    kr_io_chain(t, v, tb);
    if (rc < 0) {
        Py_CLEAR(res);
    }
    if (res == NULL) {
        return NULL;
    }
    Py_DECREF(res);
    Py_RETURN_NONE;
}

static PyObject *
iobase_false(PyObject *self, PyObject *unused)
{
    Py_RETURN_FALSE;
}

static PyObject *
iobase_isatty(PyObject *self, PyObject *unused)
{
    return kr_io_check_closed(self) < 0 ? NULL : Py_NewRef(Py_False);
}

static PyObject *
iobase_enter(PyObject *self, PyObject *unused)
{
    return kr_io_check_closed(self) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *
iobase_exit(PyObject *self, PyObject *args)
{
    return io_call(self, KR_ID(close));
}

/* How many bytes read() may take without passing a line's end: what peek()
 * shows up to the newline, else 1. -1 with an exception set. */
static Py_ssize_t
readahead(PyObject *peek, Py_ssize_t limit)
{
    PyObject *seen;
    do {
        seen = PyObject_CallFunction(peek, "i", 1);
    } while (seen == NULL && kr_io_retry_eintr());
    if (seen == NULL) {
        return -1;
    }
    if (!PyBytes_Check(seen)) {
        PyErr_Format(PyExc_OSError,
                     "peek() should have returned a bytes object, "
                     "not '%.200s'",
                     Py_TYPE(seen)->tp_name);
        Py_DECREF(seen);
        return -1;
    }
    Py_ssize_t n = 1, size = PyBytes_GET_SIZE(seen);
    if (size > 0) {
        const char *buf = PyBytes_AS_STRING(seen);
        Py_ssize_t most = limit >= 0 ? Py_MIN(limit, size) : size;
        const char *nl = memchr(buf, '\n', (size_t)most);
        n = nl ? nl - buf + 1 : most;
    }
    Py_DECREF(seen);
    return n;
}

PyObject *
kr_io_call_readline(PyObject *self, bool text)
{
    PyObject *line = io_call(self, KR_ID(readline));
    if (line != NULL && !(text ? PyUnicode_Check(line) : PyBytes_Check(line))) {
        PyErr_Format(PyExc_OSError,
                     "readline() should have returned a %s object, "
                     "not '%.200s'",
                     text ? "str" : "bytes", Py_TYPE(line)->tp_name);
        Py_CLEAR(line);
    }
    return line;
}

PyObject *
kr_io_readline(PyObject *self, Py_ssize_t limit)
{
    PyObject *peek, *line = NULL;
    if (_PyObject_LookupAttr(self, KR_ID(peek), &peek) < 0) {
        return NULL;
    }
    PyObject *buffer = PyByteArray_FromStringAndSize(NULL, 0);
    if (buffer == NULL) {
        goto done;
    }
    while (limit < 0 || PyByteArray_GET_SIZE(buffer) < limit) {
        Py_ssize_t n = 1;
        if (peek != NULL) {
            Py_ssize_t left =
                limit >= 0 ? limit - PyByteArray_GET_SIZE(buffer) : -1;
            if ((n = readahead(peek, left)) < 0) {
                goto done;
            }
        }
        PyObject *b = PyObject_CallMethod(self, "read", "n", n);
        if (b == NULL) {
            if (kr_io_retry_eintr()) {
                continue;
            }
            goto done;
        }
        if (!PyBytes_Check(b)) {
            PyErr_Format(PyExc_OSError,
                         "read() should have returned a bytes object, "
                         "not '%.200s'",
                         Py_TYPE(b)->tp_name);
            Py_DECREF(b);
            goto done;
        }
        Py_ssize_t got = PyBytes_GET_SIZE(b);
        Py_ssize_t old = PyByteArray_GET_SIZE(buffer);
        if (got == 0) {
            Py_DECREF(b);
            break;
        }
        if (PyByteArray_Resize(buffer, old + got) < 0) {
            Py_DECREF(b);
            goto done;
        }
        memcpy(PyByteArray_AS_STRING(buffer) + old, PyBytes_AS_STRING(b),
               (size_t)got);
        Py_DECREF(b);
        if (PyByteArray_AS_STRING(buffer)[old + got - 1] == '\n') {
            break;
        }
    }
    line = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(buffer),
                                     PyByteArray_GET_SIZE(buffer));
done:
    Py_XDECREF(peek);
    Py_XDECREF(buffer);
    return line;
}

static PyObject *
iobase_readline(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t limit = -1;
    if (!_PyArg_CheckPositional("readline", nargs, 0, 1) ||
        (nargs && !kr_io_arg_size(args[0], &limit))) {
        return NULL;
    }
    return kr_io_readline(self, limit);
}

static PyObject *
iobase_iter(PyObject *self)
{
    return kr_io_check_closed(self) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *
iobase_next(PyObject *self)
{
    PyObject *line = io_call(self, KR_ID(readline));
    if (line != NULL && PyObject_Size(line) <= 0) {
        /* an empty line ends the iteration; an error stays set */
        Py_CLEAR(line);
    }
    return line;
}

static PyObject *
iobase_readlines(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t hint = -1, length = 0;
    if (!_PyArg_CheckPositional("readlines", nargs, 0, 1) ||
        (nargs && !kr_io_arg_size(args[0], &hint))) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    if (hint <= 0) {
        PyObject *none = _PyList_Extend((PyListObject *)list, self);
        if (none == NULL) {
            Py_DECREF(list);
            return NULL;
        }
        Py_DECREF(none);
        return list;
    }
    PyObject *it = PyObject_GetIter(self), *line = NULL;
    while (it != NULL && (line = PyIter_Next(it)) != NULL) {
        Py_ssize_t n = PyList_Append(list, line) < 0 ? -1
                                                      : PyObject_Size(line);
        Py_DECREF(line);
        if (n < 0 || n > hint - length) {
            break;
        }
        length += n;
    }
    Py_XDECREF(it);
    if (PyErr_Occurred()) {
        Py_CLEAR(list);
    }
    return list;
}

static PyObject *
iobase_writelines(PyObject *self, PyObject *lines)
{
    if (kr_io_check_closed(self) < 0) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(lines), *line;
    if (it == NULL) {
        return NULL;
    }
    while ((line = PyIter_Next(it)) != NULL) {
        PyObject *res;
        do {
            res = PyObject_CallMethodOneArg(self, KR_ID(write), line);
        } while (res == NULL && kr_io_retry_eintr());
        Py_DECREF(line);
        if (res == NULL) {
            break;
        }
        Py_DECREF(res);
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
iobase_closed_get(PyObject *self, void *closure)
{
    int closed = is_closed(self);
    return closed < 0 ? NULL : PyBool_FromLong(closed);
}

/* __del__: closes what is open, quietly unless in development mode. */
static void
iobase_finalize(PyObject *self)
{
    PyObject *t, *v, *tb, *res;
    int closed = 0;
    PyErr_Fetch(&t, &v, &tb);
    if (_PyObject_LookupAttr(self, KR_ID(closed), &res) <= 0) {
        PyErr_Clear();
    }
    else {
        closed = io_truth(res);
        if (closed == -1) {
            PyErr_Clear();
        }
    }
    if (closed == 0) {
        /* lets close() tell a forgotten stream from a closed one */
        if (PyObject_SetAttr(self, KR_ID(_finalizing), Py_True)) {
            PyErr_Clear();
        }
        res = io_call(self, KR_ID(close));
        if (res == NULL) {
            if (_Py_GetConfig()->dev_mode) {
                PyErr_WriteUnraisable(self);
            }
            PyErr_Clear();
        }
        Py_XDECREF(res);
    }
    PyErr_Restore(t, v, tb);
}

int
kr_io_finalize(PyObject *self)
{
    if (PyObject_CallFinalizerFromDealloc(self) < 0) {
        /* subtype_dealloc will drop the type's reference on return */
        if (IO_HEAP_TYPE(self)) {
            Py_INCREF(Py_TYPE(self));
        }
        return -1;
    }
    return 0;
}

static int
iobase_traverse(IOBase *self, visitproc visit, void *arg)
{
    Py_VISIT(self->dict);
    return 0;
}

static int
iobase_clear(IOBase *self)
{
    Py_CLEAR(self->dict);
    return 0;
}

static void
iobase_dealloc(IOBase *self)
{
    if (kr_io_finalize((PyObject *)self) < 0) {
        return;
    }
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    Py_CLEAR(self->dict);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef iobase_methods[] = {
    {"seek", iobase_seek, METH_VARARGS,
     "Move the stream position; gives the new one.\n\n"
     "whence 0: from the start, 1: from here, 2: from the end."},
    {"tell", iobase_tell, METH_NOARGS,
     "tell($self, /)\n--\n\nThe stream position."},
    {"truncate", iobase_truncate, METH_VARARGS,
     "Set the size of the file, by default to the position."},
    {"flush", iobase_flush, METH_NOARGS,
     "flush($self, /)\n--\n\nWrite out what is buffered."},
    {"close", iobase_close, METH_NOARGS,
     "close($self, /)\n--\n\nFlush and close; more calls do nothing."},
    {"seekable", iobase_false, METH_NOARGS,
     "seekable($self, /)\n--\n\nTrue if the stream has random access."},
    {"readable", iobase_false, METH_NOARGS,
     "readable($self, /)\n--\n\nTrue if the stream can be read from."},
    {"writable", iobase_false, METH_NOARGS,
     "writable($self, /)\n--\n\nTrue if the stream can be written to."},
    {"_checkClosed", iobase_check_closed, METH_NOARGS, NULL},
    {"_checkSeekable", iobase_check_seekable, METH_NOARGS, NULL},
    {"_checkReadable", iobase_check_readable, METH_NOARGS, NULL},
    {"_checkWritable", iobase_check_writable, METH_NOARGS, NULL},
    {"fileno", iobase_fileno, METH_NOARGS,
     "fileno($self, /)\n--\n\nThe descriptor, OSError if there is none."},
    {"isatty", iobase_isatty, METH_NOARGS,
     "isatty($self, /)\n--\n\nTrue if the stream is a terminal."},
    {"__enter__", iobase_enter, METH_NOARGS, NULL},
    {"__exit__", iobase_exit, METH_VARARGS, NULL},
    {"readline", KR_CAST(iobase_readline), METH_FASTCALL,
     "readline($self, size=-1, /)\n--\n\n"
     "Read one line, of at most size bytes if given."},
    {"readlines", KR_CAST(iobase_readlines), METH_FASTCALL,
     "readlines($self, hint=-1, /)\n--\n\n"
     "Read a list of lines, until hint bytes are passed if given."},
    {"writelines", iobase_writelines, METH_O,
     "writelines($self, lines, /)\n--\n\n"
     "Write lines; no line endings are added."},
    {NULL},
};

static PyGetSetDef iobase_getset[] = {
    {"__dict__", PyObject_GenericGetDict, NULL, NULL},
    {"closed", iobase_closed_get, NULL, NULL},
    {NULL},
};

PyTypeObject kr_IOBase_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_io._IOBase",
    .tp_basicsize = sizeof(IOBase),
    .tp_dealloc = (destructor)iobase_dealloc,
    .tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "The base class of all streams.",
    .tp_traverse = (traverseproc)iobase_traverse,
    .tp_clear = (inquiry)iobase_clear,
    .tp_weaklistoffset = offsetof(IOBase, weakrefs),
    .tp_iter = iobase_iter,
    .tp_iternext = iobase_next,
    .tp_methods = iobase_methods,
    .tp_getset = iobase_getset,
    .tp_dictoffset = offsetof(IOBase, dict),
    .tp_new = PyType_GenericNew,
    .tp_finalize = iobase_finalize,
};

static PyObject *
rawio_read(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n = -1;
    if (!_PyArg_CheckPositional("read", nargs, 0, 1) ||
        (nargs && !kr_arg_ssize(args[0], &n))) {
        return NULL;
    }
    if (n < 0) {
        return io_call(self, KR_ID(readall));
    }
    PyObject *b = PyByteArray_FromStringAndSize(NULL, n);
    if (b == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_CallMethodOneArg(self, KR_ID(readinto), b);
    if (res != NULL && res != Py_None) {
        Py_ssize_t got = PyNumber_AsSsize_t(res, PyExc_ValueError);
        Py_CLEAR(res);
        if (got != -1 || !PyErr_Occurred()) {
            /* a readinto() that lies about its count gets what there is */
            Py_ssize_t size = PyByteArray_GET_SIZE(b);
            if (got < 0 || got > size) {
                PyErr_Format(PyExc_ValueError,
                             "readinto returned %zd outside buffer size %zd",
                             got, size);
            }
            else {
                res = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(b),
                                                got);
            }
        }
    }
    Py_DECREF(b);
    return res;
}

static PyObject *
rawio_readall(PyObject *self, PyObject *unused)
{
    PyObject *chunks = PyList_New(0);
    if (chunks == NULL) {
        return NULL;
    }
    for (;;) {
        PyObject *data =
            PyObject_CallMethod(self, "read", "i", IO_DEFAULT_BUFFER_SIZE);
        if (data == NULL) {
            if (kr_io_retry_eintr()) {
                continue;
            }
            Py_DECREF(chunks);
            return NULL;
        }
        if (data == Py_None) {
            if (PyList_GET_SIZE(chunks) == 0) {
                Py_DECREF(chunks);
                return data;
            }
            Py_DECREF(data);
            break;
        }
        if (!PyBytes_Check(data)) {
            Py_DECREF(chunks);
            Py_DECREF(data);
            PyErr_SetString(PyExc_TypeError, "read() should return bytes");
            return NULL;
        }
        if (PyBytes_GET_SIZE(data) == 0) {
            Py_DECREF(data);
            break;
        }
        int rc = PyList_Append(chunks, data);
        Py_DECREF(data);
        if (rc < 0) {
            Py_DECREF(chunks);
            return NULL;
        }
    }
    PyObject *empty = PyBytes_FromStringAndSize(NULL, 0);
    PyObject *res = empty ? _PyBytes_Join(empty, chunks) : NULL;
    Py_XDECREF(empty);
    Py_DECREF(chunks);
    return res;
}

static PyObject *
rawio_readinto(PyObject *self, PyObject *args)
{
    PyErr_SetNone(PyExc_NotImplementedError);
    return NULL;
}

static PyMethodDef rawio_methods[] = {
    {"read", KR_CAST(rawio_read), METH_FASTCALL,
     "read($self, size=-1, /)\n--\n\n"
     "Read up to size bytes, all if negative."},
    {"readall", rawio_readall, METH_NOARGS,
     "readall($self, /)\n--\n\nRead until the end, by several reads."},
    {"readinto", rawio_readinto, METH_VARARGS, NULL},
    {"write", rawio_readinto, METH_VARARGS, NULL},
    {NULL},
};

PyTypeObject kr_RawIOBase_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_io._RawIOBase",
    .tp_base = &kr_IOBase_Type,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Base class of raw binary streams.",
    .tp_methods = rawio_methods,
};
