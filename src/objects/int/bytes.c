/* Int to and from arrays of bytes. */
#include "objects/ids.h"
#include "objects/int/int.h"

PyObject *
_PyLong_FromByteArray(const unsigned char *bytes, size_t n, int little_endian,
                      int is_signed)
{
    if (n == 0) {
        return kr_int_from_i64(0);
    }
    const unsigned char *p = little_endian ? bytes : bytes + n - 1;
    int step = little_endian ? 1 : -1;
    bool negative = is_signed && (p[step * (ptrdiff_t)(n - 1)] & 0x80);
    unsigned char fill = negative ? 0xff : 0;
    while (n > 0 && p[step * (ptrdiff_t)(n - 1)] == fill) {
        n--;
    }
    /* -256 and the like: the magnitude needs one more byte than the rest */
    if (negative) {
        n++;
    }
    if (n > (size_t)(PY_SSIZE_T_MAX - PyLong_SHIFT) / 8) {
        PyErr_SetString(PyExc_OverflowError,
                        "byte array too long to convert to int");
        return NULL;
    }
    Py_ssize_t ndigits = (n * 8 + PyLong_SHIFT - 1) / PyLong_SHIFT, i = 0;
    PyLongObject *v = _PyLong_New(ndigits);
    if (v == NULL) {
        return NULL;
    }
    uint64_t accum = 0;
    int have = 0;
    unsigned carry = 1;
    for (size_t k = 0; k < n; k++, p += step) {
        unsigned b = negative && k == n - 1 ? 0xff : *p;
        if (negative) {
            b = (b ^ 0xff) + carry;
            carry = b >> 8;
            b &= 0xff;
        }
        accum |= (uint64_t)b << have;
        have += 8;
        if (have >= PyLong_SHIFT) {
            v->ob_digit[i++] = (digit)accum & PyLong_MASK;
            accum >>= PyLong_SHIFT;
            have -= PyLong_SHIFT;
        }
    }
    if (have && i < ndigits) {
        v->ob_digit[i++] = (digit)accum;
    }
    Py_SET_SIZE(v, negative ? -i : i);
    return kr_int_finish(v);
}

int
_PyLong_AsByteArray(PyLongObject *v, unsigned char *bytes, size_t n,
                    int little_endian, int is_signed)
{
    Py_ssize_t ndigits = kr_int_ndigits((PyObject *)v), i = 0;
    bool negative = Py_SIZE(v) < 0;
    if (negative && !is_signed) {
        PyErr_SetString(PyExc_OverflowError,
                        "can't convert negative int to unsigned");
        return -1;
    }
    unsigned char *p = little_endian ? bytes : bytes + n - 1;
    int step = little_endian ? 1 : -1;
    uint64_t accum = 0;
    int have = 0;
    unsigned carry = 1, last = 0;
    for (size_t k = 0; k < n; k++, p += step) {
        if (have < 8 && i < ndigits) {
            accum |= (uint64_t)v->ob_digit[i++] << have;
            have += PyLong_SHIFT;
        }
        unsigned b = accum & 0xff;
        accum >>= 8;
        have = have > 8 ? have - 8 : 0;
        if (negative) {
            b = (b ^ 0xff) + carry;
            carry = b >> 8;
            b &= 0xff;
        }
        *p = (unsigned char)(last = b);
    }
    bool more = accum != 0 || i < ndigits;
    if (more || (n == 0 && ndigits != 0) ||
        (is_signed && n > 0 && ndigits != 0 &&
         ((last & 0x80) != 0) != negative)) {
        PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        return -1;
    }
    return 0;
}

/* 1 for little, 0 for big (also for NULL), -1 with an exception. */
static int
read_byteorder(const char *func, PyObject *order)
{
    if (order == NULL) {
        return 0;
    }
    if (!PyUnicode_Check(order)) {
        _PyArg_BadArgument(func, "argument 'byteorder'", "str", order);
        return -1;
    }
    if (PyUnicode_READY(order) < 0) {
        return -1;
    }
    if (PyUnicode_CompareWithASCIIString(order, "big") == 0) {
        return 0;
    }
    if (PyUnicode_CompareWithASCIIString(order, "little") == 0) {
        return 1;
    }
    PyErr_SetString(PyExc_ValueError,
                    "byteorder must be either 'little' or 'big'");
    return -1;
}

/* Truth of an optional argument, 0 for NULL. */
static int
read_flag(PyObject *flag)
{
    return flag == NULL ? 0 : PyObject_IsTrue(flag);
}

/* The arguments of both methods: x, byteorder, signed. Absent ones come out as
 * NULL. */
static int
unpack(_PyArg_Parser *parser, int minpos, PyObject *const *args,
       Py_ssize_t nargs, PyObject *kwnames, PyObject *out[3])
{
    PyObject *buf[3] = {NULL, NULL, NULL};
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, parser, minpos, 2,
                                 0, buf);
    if (args == NULL) {
        return -1;
    }
    bool named = kwnames != NULL && PyTuple_GET_SIZE(kwnames) > 0;
    Py_ssize_t given = named ? 3 : nargs;
    for (int i = 0; i < 3; i++) {
        out[i] = i < given ? args[i] : NULL;
    }
    return 0;
}

PyObject *
kr_int_to_bytes(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                PyObject *kwnames)
{
    static const char *const keywords[] = {"length", "byteorder", "signed",
                                           NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "to_bytes"};
    PyObject *arg[3];
    if (unpack(&parser, 0, args, nargs, kwnames, arg) < 0) {
        return NULL;
    }
    Py_ssize_t length = 1;
    if (arg[0] != NULL) {
        PyObject *index = _PyNumber_Index(arg[0]);
        if (index == NULL) {
            return NULL;
        }
        length = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (length == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    int little = read_byteorder("to_bytes", arg[1]);
    int is_signed = little < 0 ? -1 : read_flag(arg[2]);
    if (is_signed < 0) {
        return NULL;
    }
    if (length < 0) {
        PyErr_SetString(PyExc_ValueError,
                        "length argument must be non-negative");
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, length);
    if (bytes == NULL) {
        return NULL;
    }
    if (_PyLong_AsByteArray((PyLongObject *)self,
                            (unsigned char *)PyBytes_AS_STRING(bytes), length,
                            little, is_signed) < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    return bytes;
}

PyObject *
kr_int_from_bytes(PyObject *type, PyObject *const *args, Py_ssize_t nargs,
                  PyObject *kwnames)
{
    static const char *const keywords[] = {"bytes", "byteorder", "signed",
                                           NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .fname = "from_bytes"};
    PyObject *arg[3];
    if (unpack(&parser, 1, args, nargs, kwnames, arg) < 0) {
        return NULL;
    }
    int little = read_byteorder("from_bytes", arg[1]);
    int is_signed = little < 0 ? -1 : read_flag(arg[2]);
    if (is_signed < 0) {
        return NULL;
    }
    PyObject *bytes = PyObject_Bytes(arg[0]);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *v =
        _PyLong_FromByteArray((unsigned char *)PyBytes_AS_STRING(bytes),
                              PyBytes_GET_SIZE(bytes), little, is_signed);
    Py_DECREF(bytes);
    if (v != NULL && type != (PyObject *)&PyLong_Type) {
        Py_SETREF(v, PyObject_CallOneArg(type, v));
    }
    return v;
}
