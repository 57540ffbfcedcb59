/* BytesIO: a binary stream in memory.
 *
 * The content is a bytes object, shared with callers (getvalue, the initial
 * value) until the next change, which then works on a copy. */
#include "modules/_io/io.h"

#include <structmember.h>

typedef struct {
    PyObject_HEAD
    PyObject *buf; /* bytes; NULL when closed */
    Py_ssize_t pos;
    Py_ssize_t size; /* of the content; buf may be longer */
    PyObject *dict;
    PyObject *weakrefs;
    Py_ssize_t exports;
} BytesIO;

/* What getbuffer() views. */
typedef struct {
    PyObject_HEAD
    BytesIO *source;
} BytesIOBuffer;

static bool
is_open(BytesIO *self)
{
    if (self->buf == NULL) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
        return false;
    }
    return true;
}

static bool
no_exports(BytesIO *self)
{
    if (self->exports > 0) {
        PyErr_SetString(
            PyExc_BufferError,
            "Existing exports of data: object cannot be re-sized");
        return false;
    }
    return true;
}

static inline bool
is_shared(BytesIO *self)
{
    return Py_REFCNT(self->buf) > 1;
}

/* Makes the buffer our own, `size` bytes long; 0 or -1. */
static int
own_copy(BytesIO *self, Py_ssize_t size)
{
    PyObject *copy = PyBytes_FromStringAndSize(NULL, size);
    if (copy == NULL) {
        return -1;
    }
    memcpy(PyBytes_AS_STRING(copy), PyBytes_AS_STRING(self->buf),
           (size_t)Py_MIN(self->size, size));
    Py_SETREF(self->buf, copy);
    return 0;
}

/* Makes room for `size` bytes, with growth in proportion; 0 or -1. */
static int
resize_buffer(BytesIO *self, size_t size)
{
    size_t alloc = (size_t)PyBytes_GET_SIZE(self->buf);
    if (size > PY_SSIZE_T_MAX) {
        goto overflow;
    }
    if (size < alloc / 2) {
        alloc = size + 1; /* a major cut: give memory back */
    }
    else if (size < alloc) {
        return 0;
    }
    else if (size <= alloc + (alloc >> 3)) {
        alloc = size + (size >> 3) + (size < 9 ? 3 : 6);
    }
    else {
        alloc = size + 1;
    }
    if (alloc > PY_SSIZE_T_MAX) {
        goto overflow;
    }
    if (is_shared(self)) {
        return own_copy(self, (Py_ssize_t)alloc);
    }
    return _PyBytes_Resize(&self->buf, (Py_ssize_t)alloc);

overflow:
    PyErr_SetString(PyExc_OverflowError, "new buffer size too large");
    return -1;
}

static Py_ssize_t
write_bytes(BytesIO *self, PyObject *b)
{
    Py_buffer buf;
    Py_ssize_t len = -1;
    if (!is_open(self) || !no_exports(self) ||
        PyObject_GetBuffer(b, &buf, PyBUF_CONTIG_RO) < 0) {
        return -1;
    }
    /* getting the buffer may have run code that closed us */
    if (!is_open(self) || !no_exports(self)) {
        goto done;
    }
    len = buf.len;
    if (len == 0) {
        goto done;
    }
    size_t end = (size_t)self->pos + (size_t)len;
    if (end > (size_t)PyBytes_GET_SIZE(self->buf)) {
        if (resize_buffer(self, end) < 0) {
            len = -1;
            goto done;
        }
    }
    else if (is_shared(self) &&
             own_copy(self, Py_MAX((Py_ssize_t)end, self->size)) < 0) {
        len = -1;
        goto done;
    }
    char *to = PyBytes_AS_STRING(self->buf);
    if (self->pos > self->size) {
        /* seek() went past the end: the gap reads as zeros */
        memset(to + self->size, 0, (size_t)(self->pos - self->size));
    }
    memcpy(to + self->pos, buf.buf, (size_t)len);
    self->pos = (Py_ssize_t)end;
    self->size = Py_MAX(self->size, self->pos);
done:
    PyBuffer_Release(&buf);
    return len;
}

static PyObject *
bytesio_true(BytesIO *self, PyObject *unused)
{
    return is_open(self) ? Py_NewRef(Py_True) : NULL;
}

static PyObject *
bytesio_isatty(BytesIO *self, PyObject *unused)
{
    return is_open(self) ? Py_NewRef(Py_False) : NULL;
}

static PyObject *
bytesio_flush(BytesIO *self, PyObject *unused)
{
    return is_open(self) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *
bytesio_tell(BytesIO *self, PyObject *unused)
{
    return is_open(self) ? PyLong_FromSsize_t(self->pos) : NULL;
}

static PyObject *
bytesio_getbuffer(BytesIO *self, PyObject *unused)
{
    if (!is_open(self)) {
        return NULL;
    }
    BytesIOBuffer *buf = (BytesIOBuffer *)_PyBytesIOBuffer_Type.tp_alloc(
        &_PyBytesIOBuffer_Type, 0);
    if (buf == NULL) {
        return NULL;
    }
    buf->source = (BytesIO *)Py_NewRef(self);
    PyObject *view = PyMemoryView_FromObject((PyObject *)buf);
    Py_DECREF(buf);
    return view;
}

static PyObject *
bytesio_getvalue(BytesIO *self, PyObject *unused)
{
    if (!is_open(self)) {
        return NULL;
    }
    if (self->size != PyBytes_GET_SIZE(self->buf) && self->exports == 0) {
        if (is_shared(self)) {
            if (own_copy(self, self->size) < 0) {
                return NULL;
            }
        }
        else if (_PyBytes_Resize(&self->buf, self->size) < 0) {
            return NULL;
        }
    }
    if (self->size != PyBytes_GET_SIZE(self->buf)) {
        return PyBytes_FromStringAndSize(PyBytes_AS_STRING(self->buf),
                                         self->size);
    }
    return Py_NewRef(self->buf);
}

/* Length of the line at the position, at most `len` (any if negative). */
static Py_ssize_t
scan_line(BytesIO *self, Py_ssize_t len)
{
    if (self->pos >= self->size) {
        return 0;
    }
    const char *start = PyBytes_AS_STRING(self->buf) + self->pos;
    Py_ssize_t max = self->size - self->pos;
    if (len < 0 || len > max) {
        len = max;
    }
    if (len) {
        const char *nl = memchr(start, '\n', (size_t)len);
        if (nl != NULL) {
            len = nl - start + 1;
        }
    }
    self->pos += len;
    return len;
}

static PyObject *
read_bytes(BytesIO *self, Py_ssize_t size)
{
    /* all of it: share the object; a later change makes the copy */
    if (size > 1 && self->pos == 0 && self->exports == 0 &&
        size == PyBytes_GET_SIZE(self->buf)) {
        self->pos += size;
        return Py_NewRef(self->buf);
    }
    PyObject *res = PyBytes_FromStringAndSize(
        PyBytes_AS_STRING(self->buf) + (size > 0 ? self->pos : 0), size);
    self->pos += size;
    return res;
}

static PyObject *
read_at_most(BytesIO *self, const char *name, PyObject *const *args,
             Py_ssize_t nargs)
{
    Py_ssize_t size = -1;
    if (!_PyArg_CheckPositional(name, nargs, 0, 1) ||
        (nargs && !kr_io_arg_size(args[0], &size)) || !is_open(self)) {
        return NULL;
    }
    Py_ssize_t left = self->size - self->pos;
    if (size < 0 || size > left) {
        size = left < 0 ? 0 : left;
    }
    return read_bytes(self, size);
}

static PyObject *
bytesio_read(BytesIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    return read_at_most(self, "read", args, nargs);
}

static PyObject *
bytesio_read1(BytesIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    return read_at_most(self, "read1", args, nargs);
}

static PyObject *
bytesio_readline(BytesIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t size = -1;
    if (!_PyArg_CheckPositional("readline", nargs, 0, 1) ||
        (nargs && !kr_io_arg_size(args[0], &size)) || !is_open(self)) {
        return NULL;
    }
    Py_ssize_t n = scan_line(self, size);
    self->pos -= n;
    return read_bytes(self, n);
}

static PyObject *
bytesio_readlines(BytesIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t maxsize = 0, total = 0, n;
    if (!_PyArg_CheckPositional("readlines", nargs, 0, 1) ||
        !is_open(self)) {
        return NULL;
    }
    if (nargs && args[0] != Py_None) {
        if (!PyLong_Check(args[0])) {
            return PyErr_Format(
                PyExc_TypeError, "integer argument expected, got '%s'",
                Py_TYPE(args[0])->tp_name);
        }
        maxsize = PyLong_AsSsize_t(args[0]);
        if (maxsize == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    PyObject *list = PyList_New(0);
    while (list != NULL && (n = scan_line(self, -1)) != 0) {
        PyObject *line = PyBytes_FromStringAndSize(
            PyBytes_AS_STRING(self->buf) + self->pos - n, n);
        if (line == NULL || PyList_Append(list, line) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(line);
        total += n;
        if (maxsize > 0 && total >= maxsize) {
            break;
        }
    }
    return list;
}

static PyObject *
bytesio_readinto(BytesIO *self, PyObject *arg)
{
    Py_buffer buf;
    if (PyObject_GetBuffer(arg, &buf, PyBUF_WRITABLE) < 0) {
        PyErr_Clear();
        _PyArg_BadArgument("readinto", "argument",
                           "read-write bytes-like object", arg);
        return NULL;
    }
    if (!is_open(self)) {
        PyBuffer_Release(&buf);
        return NULL;
    }
    Py_ssize_t left = self->size - self->pos;
    Py_ssize_t len = Py_MIN(buf.len, left < 0 ? 0 : left);
    if (len > 0) {
        memcpy(buf.buf, PyBytes_AS_STRING(self->buf) + self->pos,
               (size_t)len);
        self->pos += len;
    }
    PyBuffer_Release(&buf);
    return PyLong_FromSsize_t(len);
}

static PyObject *
bytesio_truncate(BytesIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t size = self->pos;
    if (!_PyArg_CheckPositional("truncate", nargs, 0, 1) ||
        (nargs && !kr_io_arg_size(args[0], &size)) || !is_open(self) ||
        !no_exports(self)) {
        return NULL;
    }
    if (size < 0) {
        return PyErr_Format(PyExc_ValueError, "negative size value %zd",
                            size);
    }
    if (size < self->size) {
        self->size = size;
        if (resize_buffer(self, (size_t)size) < 0) {
            return NULL;
        }
    }
    return PyLong_FromSsize_t(size);
}

static PyObject *
bytesio_next(BytesIO *self)
{
    if (!is_open(self)) {
        return NULL;
    }
    Py_ssize_t n = scan_line(self, -1);
    if (n == 0) {
        return NULL;
    }
    self->pos -= n;
    return read_bytes(self, n);
}

static PyObject *
bytesio_iter(BytesIO *self)
{
    return is_open(self) ? Py_NewRef(self) : NULL;
}

static PyObject *
bytesio_seek(BytesIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t pos;
    int whence = 0;
    if (!_PyArg_CheckPositional("seek", nargs, 1, 2) ||
        !kr_arg_ssize(args[0], &pos) ||
        (nargs > 1 && !kr_arg_int(args[1], &whence)) || !is_open(self)) {
        return NULL;
    }
    if (pos < 0 && whence == 0) {
        return PyErr_Format(PyExc_ValueError, "negative seek value %zd", pos);
    }
    if (whence == 1 || whence == 2) {
        Py_ssize_t base = whence == 1 ? self->pos : self->size;
        if (pos > PY_SSIZE_T_MAX - base) {
            PyErr_SetString(PyExc_OverflowError, "new position too large");
            return NULL;
        }
        pos += base;
    }
    else if (whence != 0) {
        return PyErr_Format(PyExc_ValueError,
                            "invalid whence (%i, should be 0, 1 or 2)",
                            whence);
    }
    self->pos = pos < 0 ? 0 : pos;
    return PyLong_FromSsize_t(self->pos);
}

static PyObject *
bytesio_write(BytesIO *self, PyObject *b)
{
    Py_ssize_t n = write_bytes(self, b);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

static PyObject *
bytesio_writelines(BytesIO *self, PyObject *lines)
{
    if (!is_open(self)) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(lines), *line;
    if (it == NULL) {
        return NULL;
    }
    while ((line = PyIter_Next(it)) != NULL) {
        Py_ssize_t n = write_bytes(self, line);
        Py_DECREF(line);
        if (n < 0) {
            break;
        }
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
bytesio_close(BytesIO *self, PyObject *unused)
{
    if (!no_exports(self)) {
        return NULL;
    }
    Py_CLEAR(self->buf);
    Py_RETURN_NONE;
}

static PyObject *
bytesio_getstate(BytesIO *self, PyObject *unused)
{
    PyObject *value = bytesio_getvalue(self, NULL);
    PyObject *dict = NULL, *state = NULL;
    if (value == NULL) {
        return NULL;
    }
    dict = kr_io_state_dict(self->dict);
    if (dict != NULL) {
        state = Py_BuildValue("(OnN)", value, self->pos, dict);
    }
    Py_DECREF(value);
    return state;
}

static int
set_initial(BytesIO *self, PyObject *value)
{
    if (!no_exports(self)) {
        return -1;
    }
    self->pos = self->size = 0;
    if (value != NULL && PyBytes_CheckExact(value)) {
        Py_XSETREF(self->buf, Py_NewRef(value));
        self->size = PyBytes_GET_SIZE(value);
        return 0;
    }
    PyObject *empty = PyBytes_FromStringAndSize(NULL, 0);
    if (empty == NULL) {
        return -1;
    }
    Py_XSETREF(self->buf, empty);
    if (value != NULL && value != Py_None) {
        if (write_bytes(self, value) < 0) {
            return -1;
        }
        self->pos = 0;
    }
    return 0;
}

static PyObject *
bytesio_setstate(BytesIO *self, PyObject *state)
{
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) < 3) {
        return PyErr_Format(
            PyExc_TypeError,
            "%.200s.__setstate__ argument should be 3-tuple, got %.200s",
            Py_TYPE(self)->tp_name, Py_TYPE(state)->tp_name);
    }
    if (!is_open(self) ||
        set_initial(self, PyTuple_GET_ITEM(state, 0)) < 0) {
        return NULL;
    }
    self->pos = self->size; /* it counts as written if the rest is wrong */
    PyObject *posobj = PyTuple_GET_ITEM(state, 1);
    if (!PyLong_Check(posobj)) {
        return PyErr_Format(
            PyExc_TypeError,
            "second item of state must be an integer, not %.200s",
            Py_TYPE(posobj)->tp_name);
    }
    if (!kr_io_set_position(posobj, &self->pos) ||
        !kr_io_set_dict(PyTuple_GET_ITEM(state, 2), &self->dict, "third")) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
bytesio_sizeof(BytesIO *self, PyObject *unused)
{
    size_t n = (size_t)Py_TYPE(self)->tp_basicsize;
    if (self->buf != NULL && !is_shared(self)) {
        size_t size = _PySys_GetSizeOf(self->buf);
        if (size == (size_t)-1) {
            return NULL;
        }
        n += size;
    }
    return PyLong_FromSize_t(n);
}

static PyObject *
bytesio_get_closed(BytesIO *self, void *closure)
{
    return PyBool_FromLong(self->buf == NULL);
}

static PyObject *
bytesio_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    BytesIO *self = (BytesIO *)type->tp_alloc(type, 0);
    if (self != NULL &&
        (self->buf = PyBytes_FromStringAndSize(NULL, 0)) == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int
bytesio_init(BytesIO *self, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("BytesIO", "initial_bytes");
    PyObject *a[1];
    if (!kr_unpack_tuple(args, kwargs, &parser, 0, 1, 1, a)) {
        return -1;
    }
    return set_initial(self, a[0]);
}

static void
bytesio_dealloc(BytesIO *self)
{
    PyObject_GC_UnTrack(self);
    if (self->exports > 0) {
        PyErr_SetString(
            PyExc_SystemError,
            "deallocated BytesIO object has exported buffers");
        PyErr_Print();
    }
    Py_CLEAR(self->buf);
    Py_CLEAR(self->dict);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    Py_TYPE(self)->tp_free(self);
}

static int
bytesio_traverse(BytesIO *self, visitproc visit, void *arg)
{
    Py_VISIT(self->dict);
    return 0;
}

static int
bytesio_clear(BytesIO *self)
{
    Py_CLEAR(self->dict);
    return 0;
}

static PyMethodDef bytesio_methods[] = {
    {"readable", (PyCFunction)bytesio_true, METH_NOARGS,
     "readable($self, /)\n--\n\nTrue: it can be read."},
    {"seekable", (PyCFunction)bytesio_true, METH_NOARGS,
     "seekable($self, /)\n--\n\nTrue: it has random access."},
    {"writable", (PyCFunction)bytesio_true, METH_NOARGS,
     "writable($self, /)\n--\n\nTrue: it can be written."},
    {"close", (PyCFunction)bytesio_close, METH_NOARGS,
     "close($self, /)\n--\n\nDrop the content; nothing works after that."},
    {"flush", (PyCFunction)bytesio_flush, METH_NOARGS,
     "flush($self, /)\n--\n\nDoes nothing."},
    {"isatty", (PyCFunction)bytesio_isatty, METH_NOARGS,
     "isatty($self, /)\n--\n\nFalse: it is no terminal."},
    {"tell", (PyCFunction)bytesio_tell, METH_NOARGS,
     "tell($self, /)\n--\n\nThe position."},
    {"write", (PyCFunction)bytesio_write, METH_O,
     "write($self, b, /)\n--\n\nWrite bytes; gives how many."},
    {"writelines", (PyCFunction)bytesio_writelines, METH_O,
     "writelines($self, lines, /)\n--\n\nWrite each item of an iterable."},
    {"read1", KR_CAST(bytesio_read1), METH_FASTCALL,
     "read1($self, size=-1, /)\n--\n\nRead at most size bytes."},
    {"readinto", (PyCFunction)bytesio_readinto, METH_O,
     "readinto($self, buffer, /)\n--\n\nRead into a writable buffer."},
    {"readline", KR_CAST(bytesio_readline), METH_FASTCALL,
     "readline($self, size=-1, /)\n--\n\nRead one line."},
    {"readlines", KR_CAST(bytesio_readlines), METH_FASTCALL,
     "readlines($self, size=None, /)\n--\n\nRead a list of lines."},
    {"read", KR_CAST(bytesio_read), METH_FASTCALL,
     "read($self, size=-1, /)\n--\n\nRead at most size bytes."},
    {"getbuffer", (PyCFunction)bytesio_getbuffer, METH_NOARGS,
     "getbuffer($self, /)\n--\n\nA writable view of the content."},
    {"getvalue", (PyCFunction)bytesio_getvalue, METH_NOARGS,
     "getvalue($self, /)\n--\n\nThe whole content."},
    {"seek", KR_CAST(bytesio_seek), METH_FASTCALL,
     "seek($self, pos, whence=0, /)\n--\n\nMove the position."},
    {"truncate", KR_CAST(bytesio_truncate), METH_FASTCALL,
     "truncate($self, size=None, /)\n--\n\nCut the content."},
    {"__getstate__", (PyCFunction)bytesio_getstate, METH_NOARGS, NULL},
    {"__setstate__", (PyCFunction)bytesio_setstate, METH_O, NULL},
    {"__sizeof__", (PyCFunction)bytesio_sizeof, METH_NOARGS, NULL},
    {NULL},
};

static PyGetSetDef bytesio_getset[] = {
    {"closed", (getter)bytesio_get_closed, NULL,
     "True if the file is closed."},
    {NULL},
};

PyTypeObject kr_BytesIO_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_io.BytesIO",
    .tp_base = &kr_BufferedIOBase_Type,
    .tp_basicsize = sizeof(BytesIO),
    .tp_dealloc = (destructor)bytesio_dealloc,
    .tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "BytesIO(initial_bytes=b'')\n--\n\n"
              "Buffered I/O on bytes in memory.",
    .tp_traverse = (traverseproc)bytesio_traverse,
    .tp_clear = (inquiry)bytesio_clear,
    .tp_weaklistoffset = offsetof(BytesIO, weakrefs),
    .tp_iter = (getiterfunc)bytesio_iter,
    .tp_iternext = (iternextfunc)bytesio_next,
    .tp_methods = bytesio_methods,
    .tp_getset = bytesio_getset,
    .tp_dictoffset = offsetof(BytesIO, dict),
    .tp_init = (initproc)bytesio_init,
    .tp_new = bytesio_new,
};

static int
view_getbuffer(BytesIOBuffer *self, Py_buffer *view, int flags)
{
    BytesIO *b = self->source;
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError,
                        "bytesiobuf_getbuffer: view==NULL argument is "
                        "obsolete");
        return -1;
    }
    if (b->exports == 0 && is_shared(b) && own_copy(b, b->size) < 0) {
        return -1;
    }
    /* the view may be written: it always fits */
    (void)PyBuffer_FillInfo(view, (PyObject *)self, PyBytes_AS_STRING(b->buf),
                            b->size, 0, flags);
    b->exports++;
    return 0;
}

static void
view_releasebuffer(BytesIOBuffer *self, Py_buffer *view)
{
    self->source->exports--;
}

static int
view_traverse(BytesIOBuffer *self, visitproc visit, void *arg)
{
    Py_VISIT(self->source);
    return 0;
}

static void
view_dealloc(BytesIOBuffer *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->source);
    Py_TYPE(self)->tp_free(self);
}

static PyBufferProcs view_as_buffer = {
    (getbufferproc)view_getbuffer,
    (releasebufferproc)view_releasebuffer,
};

PyTypeObject _PyBytesIOBuffer_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_io._BytesIOBuffer",
    .tp_basicsize = sizeof(BytesIOBuffer),
    .tp_dealloc = (destructor)view_dealloc,
    .tp_as_buffer = &view_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = (traverseproc)view_traverse,
};
