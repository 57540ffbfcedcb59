/* _BufferedIOBase and _TextIOBase: the abstract upper layers. */
#include "modules/_io/io.h"

/* readinto by way of read or read1. */
static PyObject *
readinto_by(PyObject *self, PyObject *arg, PyObject *method,
            const char *function)
{
    Py_buffer buf;
    if (PyObject_GetBuffer(arg, &buf, PyBUF_WRITABLE) < 0) {
        PyErr_Clear();
        _PyArg_BadArgument(function, "argument",
                           "read-write bytes-like object", arg);
        return NULL;
    }
    PyObject *size = PyLong_FromSsize_t(buf.len);
    PyObject *data =
        size ? PyObject_CallMethodOneArg(self, method, size) : NULL;
    PyObject *res = NULL;
    Py_XDECREF(size);
    if (data == NULL) {
        goto done;
    }
    if (!PyBytes_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "read() should return bytes");
        goto done;
    }
    Py_ssize_t len = PyBytes_GET_SIZE(data);
    if (len > buf.len) {
        PyErr_Format(PyExc_ValueError,
                     "read() returned too much data: "
                     "%zd bytes requested, %zd returned",
                     buf.len, len);
        goto done;
    }
    memcpy(buf.buf, PyBytes_AS_STRING(data), (size_t)len);
    res = PyLong_FromSsize_t(len);
done:
    Py_XDECREF(data);
    PyBuffer_Release(&buf);
    return res;
}

static PyObject *
base_readinto(PyObject *self, PyObject *arg)
{
    return readinto_by(self, arg, KR_ID(read), "readinto");
}

static PyObject *
base_readinto1(PyObject *self, PyObject *arg)
{
    return readinto_by(self, arg, KR_ID(read1), "readinto1");
}

static PyObject *
base_detach(PyObject *self, PyObject *unused)
{
    return kr_io_unsupported("detach");
}

static PyObject *
base_read(PyObject *self, PyObject *args)
{
    return kr_io_unsupported("read");
}

static PyObject *
base_read1(PyObject *self, PyObject *args)
{
    return kr_io_unsupported("read1");
}

static PyObject *
base_readline(PyObject *self, PyObject *args)
{
    return kr_io_unsupported("readline");
}

static PyObject *
base_write(PyObject *self, PyObject *args)
{
    return kr_io_unsupported("write");
}

static PyMethodDef bufferediobase_methods[] = {
    {"detach", base_detach, METH_NOARGS,
     "detach($self, /)\n--\n\n"
     "Separate the raw stream from the buffer and give it."},
    {"read", base_read, METH_VARARGS,
     "Read up to size bytes, until the end by default."},
    {"read1", base_read1, METH_VARARGS,
     "Read up to size bytes with at most one raw read."},
    {"readinto", base_readinto, METH_O,
     "readinto($self, buffer, /)\n--\n\nRead into a writable buffer."},
    {"readinto1", base_readinto1, METH_O,
     "readinto1($self, buffer, /)\n--\n\n"
     "Read into a writable buffer with at most one raw read."},
    {"write", base_write, METH_VARARGS,
     "Write bytes; gives how many, always all of them."},
    {NULL},
};

PyTypeObject kr_BufferedIOBase_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_io._BufferedIOBase",
    .tp_base = &kr_IOBase_Type,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Base class of buffered binary streams.",
    .tp_methods = bufferediobase_methods,
};

static PyObject *
text_none(PyObject *self, void *closure)
{
    Py_RETURN_NONE;
}

static PyMethodDef textiobase_methods[] = {
    {"detach", base_detach, METH_NOARGS,
     "Separate the buffer from the text stream and give it."},
    {"read", base_read, METH_VARARGS,
     "Read up to size characters, until the end by default."},
    {"readline", base_readline, METH_VARARGS,
     "Read up to the next line ending; empty at the end."},
    {"write", base_write, METH_VARARGS,
     "Write a string; gives its length."},
    {NULL},
};

static PyGetSetDef textiobase_getset[] = {
    {"encoding", text_none, NULL, "Encoding of the stream, or None."},
    {"newlines", text_none, NULL, "Line endings seen so far."},
    {"errors", text_none, NULL, "Error setting of decoder and encoder."},
    {NULL},
};

PyTypeObject kr_TextIOBase_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_io._TextIOBase",
    .tp_base = &kr_IOBase_Type,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Base class of text streams.",
    .tp_methods = textiobase_methods,
    .tp_getset = textiobase_getset,
};
