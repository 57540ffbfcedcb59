/* StringIO: a text stream in memory.
 *
 * Writing at the end, as most programs do, appends to a string builder; any
 * other use turns that into an array of code points once. */
#include "modules/_io/io.h"

#include <structmember.h>

typedef struct {
    PyObject_HEAD
    Py_UCS4 *buf; /* content when not accumulating */
    Py_ssize_t pos;
    Py_ssize_t size;     /* in characters */
    size_t alloc;        /* room of buf in characters */
    _PyUnicodeWriter writer;
    bool accumulating;
    bool ok;
    bool closed;
    bool readuniversal;
    bool readtranslate;
    PyObject *decoder; /* for universal newlines */
    PyObject *readnl;
    PyObject *writenl; /* what "\n" becomes, NULL: stays */
    PyObject *dict;
    PyObject *weakrefs;
} StringIO;

static bool
is_usable(StringIO *self)
{
    if (!self->ok) {
        PyErr_SetString(PyExc_ValueError,
                        "I/O operation on uninitialized object");
        return false;
    }
    if (self->closed) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file");
        return false;
    }
    return true;
}

static void
start_accumulating(StringIO *self)
{
    self->accumulating = true;
    _PyUnicodeWriter_Init(&self->writer);
    self->writer.overallocate = 1;
}

static int
resize_buffer(StringIO *self, size_t size)
{
    size_t alloc = self->alloc;
    size += 1;
    if (size > PY_SSIZE_T_MAX / sizeof(Py_UCS4)) {
        PyErr_SetString(PyExc_OverflowError, "new buffer size too large");
        return -1;
    }
    if (size < alloc / 2) {
        alloc = size + 1;
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
    Py_UCS4 *buf = PyMem_Realloc(self->buf, alloc * sizeof(Py_UCS4));
    if (buf == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->alloc = alloc;
    self->buf = buf;
    return 0;
}

/* Turns the builder into the array; 0 or -1. */
static int
realize(StringIO *self)
{
    if (!self->accumulating) {
        return 0;
    }
    self->accumulating = false;
    PyObject *text = _PyUnicodeWriter_Finish(&self->writer);
    if (text == NULL) {
        return -1;
    }
    Py_ssize_t len = PyUnicode_GET_LENGTH(text);
    int rc = resize_buffer(self, (size_t)len);
    if (rc == 0 &&
        PyUnicode_AsUCS4(text, self->buf, len, 0) == NULL) {
        rc = -1;
    }
    Py_DECREF(text);
    return rc;
}

/* The builder's content; it goes on with a copy. */
static PyObject *
accumulated(StringIO *self)
{
    PyObject *text = _PyUnicodeWriter_Finish(&self->writer);
    if (text == NULL) {
        return NULL;
    }
    start_accumulating(self);
    if (_PyUnicodeWriter_WriteStr(&self->writer, text) < 0) {
        Py_DECREF(text);
        return NULL;
    }
    return text;
}

/* Writes a str with translation; 0 or -1. */
static int
write_str(StringIO *self, PyObject *obj)
{
    PyObject *text = self->decoder != NULL
                         ? kr_io_newline_decode(self->decoder, obj, 1)
                         : Py_NewRef(obj);
    if (text != NULL && self->writenl != NULL) {
        PyObject *lf = PyUnicode_FromOrdinal('\n');
        PyObject *translated =
            lf ? PyUnicode_Replace(text, lf, self->writenl, -1) : NULL;
        Py_XDECREF(lf);
        Py_SETREF(text, translated);
    }
    if (text == NULL) {
        return -1;
    }
    int rc = -1;
    Py_ssize_t len = PyUnicode_GET_LENGTH(text);
    if (self->pos > PY_SSIZE_T_MAX - len) {
        PyErr_SetString(PyExc_OverflowError, "new position too large");
        goto done;
    }
    if (self->accumulating) {
        if (self->size == self->pos) {
            rc = _PyUnicodeWriter_WriteStr(&self->writer, text);
            if (rc == 0) {
                self->pos += len;
                self->size = self->pos;
            }
            goto done;
        }
        if (realize(self) < 0) {
            goto done;
        }
    }
    if (self->pos + len > self->size &&
        resize_buffer(self, (size_t)(self->pos + len)) < 0) {
        goto done;
    }
    if (self->pos > self->size) {
        memset(self->buf + self->size, 0,
               (size_t)(self->pos - self->size) * sizeof(Py_UCS4));
    }
    if (PyUnicode_AsUCS4(text, self->buf + self->pos,
                         (Py_ssize_t)self->alloc - self->pos, 0) == NULL) {
        goto done;
    }
    self->pos += len;
    self->size = Py_MAX(self->size, self->pos);
    rc = 0;
done:
    Py_DECREF(text);
    return rc;
}

static PyObject *
stringio_getvalue(StringIO *self, PyObject *unused)
{
    if (!is_usable(self)) {
        return NULL;
    }
    if (self->accumulating) {
        return accumulated(self);
    }
    return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, self->buf,
                                     self->size);
}

static PyObject *
stringio_tell(StringIO *self, PyObject *unused)
{
    return is_usable(self) ? PyLong_FromSsize_t(self->pos) : NULL;
}

static PyObject *
stringio_read(StringIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t size = -1;
    if (!_PyArg_CheckPositional("read", nargs, 0, 1) ||
        (nargs && !kr_io_arg_size(args[0], &size)) || !is_usable(self)) {
        return NULL;
    }
    Py_ssize_t left = self->size - self->pos;
    if (size < 0 || size > left) {
        size = left < 0 ? 0 : left;
    }
    if (self->accumulating && self->pos == 0 && size == left) {
        PyObject *res = accumulated(self);
        self->pos = self->size;
        return res;
    }
    if (realize(self) < 0) {
        return NULL;
    }
    Py_UCS4 *out = self->buf + (size > 0 ? self->pos : 0);
    self->pos += size;
    return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, out, size);
}

static PyObject *
next_line(StringIO *self, Py_ssize_t limit)
{
    if (self->pos >= self->size) {
        return PyUnicode_New(0, 0);
    }
    Py_UCS4 *start = self->buf + self->pos;
    Py_ssize_t len = self->size - self->pos, consumed;
    if (limit >= 0 && limit < len) {
        len = limit;
    }
    Py_ssize_t end = kr_io_find_line_ending(
        self->readtranslate, self->readuniversal, self->readnl,
        PyUnicode_4BYTE_KIND, (char *)start, (char *)(start + len), &consumed);
    if (end >= 0) {
        len = end;
    }
    self->pos += len;
    return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, start, len);
}

static PyObject *
stringio_readline(StringIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t limit = -1;
    if (!_PyArg_CheckPositional("readline", nargs, 0, 1) ||
        (nargs && !kr_io_arg_size(args[0], &limit)) || !is_usable(self) ||
        realize(self) < 0) {
        return NULL;
    }
    return next_line(self, limit);
}

static PyObject *
stringio_next(StringIO *self)
{
    PyObject *line;
    if (!is_usable(self) || realize(self) < 0) {
        return NULL;
    }
    if (Py_IS_TYPE(self, &kr_StringIO_Type)) {
        line = next_line(self, -1);
    }
    else {
        line = kr_io_call_readline((PyObject *)self, true);
    }
    if (line != NULL && PyUnicode_GET_LENGTH(line) == 0) {
        Py_CLEAR(line);
    }
    return line;
}

static PyObject *
stringio_truncate(StringIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t size = self->pos;
    if (!_PyArg_CheckPositional("truncate", nargs, 0, 1) ||
        (nargs && !kr_io_arg_size(args[0], &size)) || !is_usable(self)) {
        return NULL;
    }
    if (size < 0) {
        return PyErr_Format(PyExc_ValueError, "Negative size value %zd",
                            size);
    }
    if (size < self->size) {
        if (realize(self) < 0 || resize_buffer(self, (size_t)size) < 0) {
            return NULL;
        }
        self->size = size;
    }
    return PyLong_FromSsize_t(size);
}

static PyObject *
stringio_seek(StringIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t pos;
    int whence = 0;
    if (!_PyArg_CheckPositional("seek", nargs, 1, 2) ||
        !kr_arg_ssize(args[0], &pos) ||
        (nargs > 1 && !kr_arg_int(args[1], &whence)) || !is_usable(self)) {
        return NULL;
    }
    if (whence != 0 && whence != 1 && whence != 2) {
        return PyErr_Format(PyExc_ValueError,
                            "Invalid whence (%i, should be 0, 1 or 2)",
                            whence);
    }
    if (pos < 0 && whence == 0) {
        return PyErr_Format(PyExc_ValueError, "Negative seek position %zd",
                            pos);
    }
    if (whence != 0 && pos != 0) {
        PyErr_SetString(PyExc_OSError,
                        "Can't do nonzero cur-relative seeks");
        return NULL;
    }
    self->pos = whence == 0 ? pos : whence == 1 ? self->pos : self->size;
    return PyLong_FromSsize_t(self->pos);
}

static PyObject *
stringio_write(StringIO *self, PyObject *obj)
{
    if (!is_usable(self)) {
        return NULL;
    }
    if (!PyUnicode_Check(obj)) {
        return PyErr_Format(PyExc_TypeError,
                            "string argument expected, got '%s'",
                            Py_TYPE(obj)->tp_name);
    }
    if (PyUnicode_READY(obj)) {
        return NULL;
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH(obj);
    if (n > 0 && write_str(self, obj) < 0) {
        return NULL;
    }
    return PyLong_FromSsize_t(n);
}

static PyObject *
stringio_close(StringIO *self, PyObject *unused)
{
    self->closed = true;
    if (resize_buffer(self, 0) < 0) {
        return NULL;
    }
    if (self->accumulating) {
        _PyUnicodeWriter_Dealloc(&self->writer);
        self->accumulating = false;
    }
    Py_RETURN_NONE;
}

static void
drop_settings(StringIO *self)
{
    if (self->accumulating) {
        _PyUnicodeWriter_Dealloc(&self->writer);
        self->accumulating = false;
    }
    Py_CLEAR(self->readnl);
    Py_CLEAR(self->writenl);
    Py_CLEAR(self->decoder);
}

static int
set_newline(StringIO *self, const char *newline)
{
    if (newline != NULL) {
        self->readnl = PyUnicode_FromString(newline);
        if (self->readnl == NULL) {
            return -1;
        }
    }
    self->readuniversal = newline == NULL || newline[0] == '\0';
    self->readtranslate = newline == NULL;
    if (newline != NULL && newline[0] == '\r') {
        self->writenl = Py_NewRef(self->readnl);
    }
    if (self->readuniversal) {
        self->decoder = PyObject_CallFunctionObjArgs(
            (PyObject *)&kr_NewlineDecoder_Type, Py_None,
            self->readtranslate ? Py_True : Py_False, NULL);
        if (self->decoder == NULL) {
            return -1;
        }
    }
    return 0;
}

static int
stringio_setup(StringIO *self, PyObject *value, PyObject *newline_obj)
{
    const char *newline = "\n";
    if (newline_obj != NULL && newline_obj != Py_None &&
        !PyUnicode_Check(newline_obj)) {
        PyErr_Format(PyExc_TypeError, "newline must be str or None, not %.200s",
                     Py_TYPE(newline_obj)->tp_name);
        return -1;
    }
    if (newline_obj != NULL) {
        newline = newline_obj == Py_None ? NULL : PyUnicode_AsUTF8(newline_obj);
        if (newline == NULL && newline_obj != Py_None) {
            return -1;
        }
    }
    if (newline && newline[0] != '\0' && strcmp(newline, "\n") != 0 &&
        strcmp(newline, "\r") != 0 && strcmp(newline, "\r\n") != 0) {
        PyErr_Format(PyExc_ValueError, "illegal newline value: %R",
                     newline_obj);
        return -1;
    }
    if (value && value != Py_None && !PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "initial_value must be str or None, not %.200s",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    self->ok = false;
    drop_settings(self);
    if (set_newline(self, newline) < 0) {
        return -1;
    }
    self->size = 0;
    self->pos = 0;
    if (value && value != Py_None && PyUnicode_GET_LENGTH(value) > 0) {
        if (resize_buffer(self, (size_t)PyUnicode_GET_LENGTH(value)) < 0 ||
            write_str(self, value) < 0) {
            return -1;
        }
        self->pos = 0;
    }
    else {
        if (resize_buffer(self, 0) < 0) {
            return -1;
        }
        start_accumulating(self);
    }
    self->closed = false;
    self->ok = true;
    return 0;
}

static int
stringio_init(StringIO *self, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("StringIO", "initial_value", "newline");
    PyObject *a[2];
    if (!kr_unpack_tuple(args, kwargs, &parser, 0, 2, 2, a)) {
        return -1;
    }
    return stringio_setup(self, a[0], a[1]);
}

static PyObject *
stringio_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    StringIO *self = (StringIO *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->buf = PyMem_Malloc(0);
        if (self->buf == NULL) {
            Py_DECREF(self);
            return PyErr_NoMemory();
        }
    }
    return (PyObject *)self;
}

static int
stringio_traverse(StringIO *self, visitproc visit, void *arg)
{
    Py_VISIT(self->decoder);
    Py_VISIT(self->dict);
    return 0;
}

static int
stringio_clear(StringIO *self)
{
    Py_CLEAR(self->dict);
    return 0;
}

static void
stringio_dealloc(StringIO *self)
{
    PyObject_GC_UnTrack(self);
    self->ok = false;
    PyMem_Free(self->buf);
    self->buf = NULL;
    drop_settings(self);
    Py_CLEAR(self->dict);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *
stringio_true(StringIO *self, PyObject *unused)
{
    return is_usable(self) ? Py_NewRef(Py_True) : NULL;
}

static PyObject *
stringio_getstate(StringIO *self, PyObject *unused)
{
    PyObject *value = stringio_getvalue(self, NULL);
    if (value == NULL) {
        return NULL;
    }
    PyObject *dict = kr_io_state_dict(self->dict);
    PyObject *state = NULL;
    if (dict != NULL) {
        state = Py_BuildValue("(OOnN)", value,
                              self->readnl ? self->readnl : Py_None,
                              self->pos, dict);
    }
    Py_DECREF(value);
    return state;
}

static PyObject *
stringio_setstate(StringIO *self, PyObject *state)
{
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) < 4) {
        return PyErr_Format(
            PyExc_TypeError,
            "%.200s.__setstate__ argument should be 4-tuple, got %.200s",
            Py_TYPE(self)->tp_name, Py_TYPE(state)->tp_name);
    }
    PyObject *value = PyTuple_GET_ITEM(state, 0);
    if (self->closed) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file");
        return NULL;
    }
    if (stringio_setup(self, NULL, PyTuple_GET_ITEM(state, 1)) < 0) {
        return NULL;
    }
    /* the value has its newlines translated already: store it as it is */
    if (!PyUnicode_Check(value)) {
        return PyErr_Format(PyExc_TypeError,
                            "initial_value must be str or None, not %.200s",
                            Py_TYPE(value)->tp_name);
    }
    Py_ssize_t len = PyUnicode_GET_LENGTH(value);
    if (realize(self) < 0 || resize_buffer(self, (size_t)len) < 0 ||
        PyUnicode_AsUCS4(value, self->buf, (Py_ssize_t)self->alloc, 0) ==
            NULL) {
        return NULL;
    }
    self->size = len;
    PyObject *posobj = PyTuple_GET_ITEM(state, 2);
    if (!PyLong_Check(posobj)) {
        return PyErr_Format(PyExc_TypeError,
                            "third item of state must be an integer, "
                            "got %.200s",
                            Py_TYPE(posobj)->tp_name);
    }
    if (!kr_io_set_position(posobj, &self->pos) ||
        !kr_io_set_dict(PyTuple_GET_ITEM(state, 3), &self->dict, "fourth")) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
stringio_get_closed(StringIO *self, void *closure)
{
    if (!self->ok) {
        PyErr_SetString(PyExc_ValueError,
                        "I/O operation on uninitialized object");
        return NULL;
    }
    return PyBool_FromLong(self->closed);
}

static PyObject *
stringio_get_line_buffering(StringIO *self, void *closure)
{
    return is_usable(self) ? Py_NewRef(Py_False) : NULL;
}

static PyObject *
stringio_get_newlines(StringIO *self, void *closure)
{
    if (!is_usable(self)) {
        return NULL;
    }
    if (self->decoder == NULL) {
        Py_RETURN_NONE;
    }
    return PyObject_GetAttr(self->decoder, KR_ID(newlines));
}

static PyMethodDef stringio_methods[] = {
    {"close", (PyCFunction)stringio_close, METH_NOARGS,
     "close($self, /)\n--\n\nDrop the content; nothing works after that."},
    {"getvalue", (PyCFunction)stringio_getvalue, METH_NOARGS,
     "getvalue($self, /)\n--\n\nThe whole content."},
    {"read", KR_CAST(stringio_read), METH_FASTCALL,
     "read($self, size=-1, /)\n--\n\nRead at most size characters."},
    {"readline", KR_CAST(stringio_readline), METH_FASTCALL,
     "readline($self, size=-1, /)\n--\n\nRead one line."},
    {"tell", (PyCFunction)stringio_tell, METH_NOARGS,
     "tell($self, /)\n--\n\nThe position."},
    {"truncate", KR_CAST(stringio_truncate), METH_FASTCALL,
     "truncate($self, pos=None, /)\n--\n\nCut the content."},
    {"seek", KR_CAST(stringio_seek), METH_FASTCALL,
     "seek($self, pos, whence=0, /)\n--\n\nMove the position."},
    {"write", (PyCFunction)stringio_write, METH_O,
     "write($self, s, /)\n--\n\nWrite a string; gives its length."},
    {"seekable", (PyCFunction)stringio_true, METH_NOARGS,
     "seekable($self, /)\n--\n\nTrue: it has random access."},
    {"readable", (PyCFunction)stringio_true, METH_NOARGS,
     "readable($self, /)\n--\n\nTrue: it can be read."},
    {"writable", (PyCFunction)stringio_true, METH_NOARGS,
     "writable($self, /)\n--\n\nTrue: it can be written."},
    {"__getstate__", (PyCFunction)stringio_getstate, METH_NOARGS, NULL},
    {"__setstate__", (PyCFunction)stringio_setstate, METH_O, NULL},
    {NULL},
};

static PyGetSetDef stringio_getset[] = {
    {"closed", (getter)stringio_get_closed, NULL, NULL},
    {"newlines", (getter)stringio_get_newlines, NULL, NULL},
    {"line_buffering", (getter)stringio_get_line_buffering, NULL, NULL},
    {NULL},
};

PyTypeObject kr_StringIO_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_io.StringIO",
    .tp_base = &kr_TextIOBase_Type,
    .tp_basicsize = sizeof(StringIO),
    .tp_dealloc = (destructor)stringio_dealloc,
    .tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "StringIO(initial_value='', newline='\\n')\n--\n\n"
              "Text I/O on a string in memory.",
    .tp_traverse = (traverseproc)stringio_traverse,
    .tp_clear = (inquiry)stringio_clear,
    .tp_weaklistoffset = offsetof(StringIO, weakrefs),
    .tp_iternext = (iternextfunc)stringio_next,
    .tp_methods = stringio_methods,
    .tp_getset = stringio_getset,
    .tp_dictoffset = offsetof(StringIO, dict),
    .tp_init = (initproc)stringio_init,
    .tp_new = stringio_new,
};
