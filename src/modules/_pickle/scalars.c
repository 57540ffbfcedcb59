/* Pickling numbers, strings and byte strings. */
#include "modules/_pickle/pickle.h"

static void
store_le(unsigned char *p, uint64_t v, int n)
{
    for (int i = 0; i < n; i++) {
        p[i] = (unsigned char)(v >> 8 * i);
    }
}

static int
save_small_int(pickler *self, long v)
{
    unsigned char buf[32];
    if (!self->bin) {
        int n = snprintf((char *)buf, sizeof buf, "I%ld\n", v);
        return kr_pk_write(self, buf, n);
    }
    int size = v >= 0 && v <= 0xff ? 1 : v >= 0 && v <= 0xffff ? 2 : 4;
    buf[0] = size == 1 ? BININT1 : size == 2 ? BININT2 : BININT;
    store_le(buf + 1, (uint64_t)v, size);
    return kr_pk_write(self, buf, size + 1);
}

static int
save_text_long(pickler *self, PyObject *obj)
{
    PyObject *repr = PyObject_Repr(obj);
    if (repr == NULL) {
        return -1;
    }
    Py_ssize_t n;
    const char *s = PyUnicode_AsUTF8AndSize(repr, &n);
    int rc = s == NULL || kr_pk_op(self, LONG) < 0 ||
                     kr_pk_write(self, s, n) < 0 ||
                     kr_pk_write(self, "L\n", 2) < 0
                 ? -1
                 : 0;
    Py_DECREF(repr);
    return rc;
}

int
kr_pk_save_int(pickler *self, PyObject *obj)
{
    int overflow;
    long v = PyLong_AsLongAndOverflow(obj, &overflow);
    if (!overflow && v >= INT32_MIN && v <= INT32_MAX) {
        return v == -1 && PyErr_Occurred() ? -1 : save_small_int(self, v);
    }
    if (self->proto < 2) {
        return save_text_long(self, obj);
    }
    size_t n = _PyLong_NumBits(obj) / 8 + 1;
    if (n > INT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "int too large to pickle");
        return -1;
    }
    unsigned char *bytes = PyMem_Malloc(n), head[5];
    if (bytes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int rc = _PyLong_AsByteArray((PyLongObject *)obj, bytes, n, 1, 1);
    if (rc == 0) {
        /* -128 needs one byte, though its magnitude has eight bits */
        if (n > 1 && bytes[n - 1] == 0xff && (bytes[n - 2] & 0x80)) {
            n--;
        }
        head[0] = n < 256 ? LONG1 : LONG4;
        store_le(head + 1, n, n < 256 ? 1 : 4);
        rc = kr_pk_write(self, head, n < 256 ? 2 : 5);
    }
    if (rc == 0) {
        rc = kr_pk_write(self, bytes, (Py_ssize_t)n);
    }
    PyMem_Free(bytes);
    return rc;
}

int
kr_pk_save_float(pickler *self, PyObject *obj)
{
    double x = PyFloat_AS_DOUBLE(obj);
    if (self->bin) {
        char buf[9] = {BINFLOAT};
        return PyFloat_Pack8(x, buf + 1, 0) < 0 ? -1
                                                : kr_pk_write(self, buf, 9);
    }
    char *s = PyOS_double_to_string(x, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (s == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int rc = kr_pk_op(self, FLOAT) < 0 ||
                     kr_pk_write(self, s, (Py_ssize_t)strlen(s)) < 0 ||
                     kr_pk_write(self, "\n", 1) < 0
                 ? -1
                 : 0;
    PyMem_Free(s);
    return rc;
}

/* The opcode and length of counted data; op8 is for 64-bit lengths, 0 if there
 * is none. */
static int
write_counted(pickler *self, int op1, int op4, int op8, const char *what,
              const char *data, Py_ssize_t size, PyObject *payload)
{
    unsigned char head[9];
    int width = op1 && size <= 0xff                     ? 1
                : op4 && (uint64_t)size <= 0xffffffffu ? 4
                                                        : 8;
    head[0] = (unsigned char)(width == 1 ? op1 : width == 4 ? op4 : op8);
    if (width == 8 && self->proto < 4) {
        PyErr_Format(PyExc_OverflowError,
                     "serializing a %s larger than 4 GiB requires pickle "
                     "protocol 4 or higher",
                     what);
        return -1;
    }
    store_le(head + 1, (uint64_t)size, width);
    return kr_pk_write_large(self, head, width + 1, data, size, payload);
}

/* ---- str */

static int
save_raw_unicode(pickler *self, PyObject *obj)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(obj);
    int kind = PyUnicode_KIND(obj);
    const void *data = PyUnicode_DATA(obj);
    if (kr_pk_op(self, UNICODE) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        char buf[12];
        int len = 1;
        buf[0] = (char)c;
        if (c >= 0x10000) {
            len = snprintf(buf, sizeof buf, "\\U%08x", (unsigned)c);
        }
        else if (c >= 256 || c == '\\' || c == 0 || c == '\n' || c == '\r' ||
                 c == 0x1a) {
            len = snprintf(buf, sizeof buf, "\\u%04x", (unsigned)c);
        }
        if (kr_pk_write(self, buf, len) < 0) {
            return -1;
        }
    }
    return kr_pk_write(self, "\n", 1);
}

static int
save_utf8(pickler *self, PyObject *obj)
{
    Py_ssize_t n;
    PyObject *bytes = NULL;
    const char *s = PyUnicode_AsUTF8AndSize(obj, &n);
    if (s == NULL) {
        /* lone surrogates */
        PyErr_Clear();
        bytes = PyUnicode_AsEncodedString(obj, "utf-8", "surrogatepass");
        if (bytes == NULL) {
            return -1;
        }
        s = PyBytes_AS_STRING(bytes);
        n = PyBytes_GET_SIZE(bytes);
    }
    int rc = write_counted(self, self->proto >= 4 ? SHORT_BINUNICODE : 0,
                           BINUNICODE, BINUNICODE8, "string", s, n, bytes);
    Py_XDECREF(bytes);
    return rc;
}

int
kr_pk_save_str(pickler *self, PyObject *obj)
{
    if (PyUnicode_READY(obj) < 0) {
        return -1;
    }
    int rc = self->bin ? save_utf8(self, obj) : save_raw_unicode(self, obj);
    return rc < 0 ? -1 : kr_pk_memo_put(self, obj);
}

/* ---- bytes and the like */

static int
save_bytes_data(pickler *self, PyObject *obj, const char *s, Py_ssize_t n)
{
    if (write_counted(self, SHORT_BINBYTES, BINBYTES, BINBYTES8,
                      "bytes object", s, n, obj) < 0) {
        return -1;
    }
    return kr_pk_memo_put(self, obj);
}

static int
save_bytearray_data(pickler *self, PyObject *obj, const char *s, Py_ssize_t n)
{
    if (write_counted(self, 0, 0, BYTEARRAY8, "bytearray", s, n, obj) < 0) {
        return -1;
    }
    return kr_pk_memo_put(self, obj);
}

/* Saves a reduce value; steals it, NULL passes an exception on. */
static int
save_steal(pickler *self, PyObject *value, PyObject *obj)
{
    if (value == NULL) {
        return -1;
    }
    int rc = kr_pk_save_reduce(self, value, obj);
    Py_DECREF(value);
    return rc;
}

int
kr_pk_save_bytes(pickler *self, PyObject *obj)
{
    const char *s = PyBytes_AS_STRING(obj);
    Py_ssize_t n = PyBytes_GET_SIZE(obj);
    if (self->proto >= 3) {
        return save_bytes_data(self, obj, s, n);
    }
    /* Python 2 has no such opcode: a call makes the bytes there and here */
    if (n == 0) {
        return save_steal(self, Py_BuildValue("(O())", &PyBytes_Type), obj);
    }
    PyObject *text = PyUnicode_DecodeLatin1(s, n, "strict");
    if (text == NULL) {
        return -1;
    }
    return save_steal(
        self, Py_BuildValue("(O(NO))", kr_pickle.encode, text, KR_ID(latin1)), obj);
}

int
kr_pk_save_bytearray(pickler *self, PyObject *obj)
{
    const char *s = PyByteArray_AS_STRING(obj);
    Py_ssize_t n = PyByteArray_GET_SIZE(obj);
    if (self->proto >= 5) {
        return save_bytearray_data(self, obj, s, n);
    }
    if (n == 0) {
        return save_steal(self, Py_BuildValue("(O())", &PyByteArray_Type),
                          obj);
    }
    PyObject *bytes = PyBytes_FromStringAndSize(s, n);
    if (bytes == NULL) {
        return -1;
    }
    return save_steal(self, Py_BuildValue("(O(N))", &PyByteArray_Type, bytes),
                      obj);
}

int
kr_pk_save_buffer(pickler *self, PyObject *obj)
{
    if (self->proto < 5) {
        PyErr_SetString(kr_pickle.pickling_error,
                        "PickleBuffer can only be pickled with protocol >= 5");
        return -1;
    }
    const Py_buffer *view = PyPickleBuffer_GetBuffer(obj);
    if (view == NULL) {
        return -1;
    }
    if (view->suboffsets != NULL || !PyBuffer_IsContiguous(view, 'A')) {
        PyErr_SetString(kr_pickle.pickling_error,
                        "PickleBuffer can not be pickled when pointing to a "
                        "non-contiguous buffer");
        return -1;
    }
    int in_band = 1, readonly = view->readonly;
    if (self->buffer_callback != NULL) {
        PyObject *r = PyObject_CallOneArg(self->buffer_callback, obj);
        if (r == NULL) {
            return -1;
        }
        in_band = PyObject_IsTrue(r);
        Py_DECREF(r);
        if (in_band < 0) {
            return -1;
        }
    }
    if (!in_band) {
        return kr_pk_op(self, NEXT_BUFFER) < 0 ||
                       (readonly && kr_pk_op(self, READONLY_BUFFER) < 0)
                   ? -1
                   : 0;
    }
    /* the callback may have released it */
    view = PyPickleBuffer_GetBuffer(obj);
    if (view == NULL) {
        return -1;
    }
    return readonly ? save_bytes_data(self, obj, view->buf, view->len)
                    : save_bytearray_data(self, obj, view->buf, view->len);
}
