/* Hexadecimal text of bytes, both ways. */
#include "objects/args/named.h"
#include "objects/bytes/bytes.h"
#include "objects/bytes/internal.h"

#include <Python.h>

static int
separator(PyObject *sep, unsigned char *ch)
{
    Py_ssize_t n = PyObject_Length(sep);
    if (n < 0) {
        return -1;
    }
    if (n != 1) {
        PyErr_SetString(PyExc_ValueError, "sep must be length 1.");
        return -1;
    }
    Py_UCS4 c;
    if (PyUnicode_Check(sep)) {
        if (PyUnicode_READY(sep) < 0) {
            return -1;
        }
        if (PyUnicode_KIND(sep) != PyUnicode_1BYTE_KIND) {
            PyErr_SetString(PyExc_ValueError, "sep must be ASCII.");
            return -1;
        }
        c = PyUnicode_READ_CHAR(sep, 0);
    }
    else if (PyBytes_Check(sep)) {
        c = (unsigned char)PyBytes_AS_STRING(sep)[0];
    }
    else {
        PyErr_SetString(PyExc_TypeError, "sep must be str or bytes.");
        return -1;
    }
    *ch = (unsigned char)c;
    return 0;
}

static PyObject *
hex(const char *s, Py_ssize_t n, PyObject *sep, int group, int as_bytes)
{
    unsigned char sep_char = 0;
    if (sep != NULL) {
        if (separator(sep, &sep_char) < 0) {
            return NULL;
        }
        if (sep_char > 127 && !as_bytes) {
            PyErr_SetString(PyExc_ValueError, "sep must be ASCII.");
            return NULL;
        }
    }
    else {
        group = 0;
    }
    Py_ssize_t width = group < 0 ? -(Py_ssize_t)group : group, breaks = 0;
    if (width != 0 && n > 0) {
        breaks = (n - 1) / width;
    }
    if (n >= (PY_SSIZE_T_MAX - breaks) / 2) {
        return PyErr_NoMemory();
    }
    Py_ssize_t size = n * 2 + breaks;
    PyObject *result = as_bytes ? PyBytes_FromStringAndSize(NULL, size)
                                : PyUnicode_New(size, 127);
    if (result == NULL || size == 0) {
        return result;
    }
    unsigned char *out = as_bytes ? (unsigned char *)PyBytes_AS_STRING(result)
                                  : PyUnicode_1BYTE_DATA(result);
    /* groups are counted from the right end, or from the left if negative */
    for (Py_ssize_t i = 0; i < n; i++) {
        if (breaks != 0 && i > 0 &&
            (group > 0 ? n - i : i) % width == 0) {
            *out++ = sep_char;
        }
        unsigned char c = (unsigned char)s[i];
        *out++ = (unsigned char)Py_hexdigits[c >> 4];
        *out++ = (unsigned char)Py_hexdigits[c & 15];
    }
    return result;
}

PyObject *
_Py_strhex(const char *argbuf, Py_ssize_t arglen)
{
    return hex(argbuf, arglen, NULL, 0, 0);
}

PyObject *
_Py_strhex_bytes(const char *argbuf, Py_ssize_t arglen)
{
    return hex(argbuf, arglen, NULL, 0, 1);
}

PyObject *
_Py_strhex_with_sep(const char *argbuf, Py_ssize_t arglen, PyObject *sep,
                    int bytes_per_group)
{
    return hex(argbuf, arglen, sep, bytes_per_group, 0);
}

PyObject *
_Py_strhex_bytes_with_sep(const char *argbuf, Py_ssize_t arglen,
                          PyObject *sep, int bytes_per_group)
{
    return hex(argbuf, arglen, sep, bytes_per_group, 1);
}

KR_BM_KEYWORDS(hex)
{
    static const char *const names[] = {"sep", "bytes_per_sep", NULL};
    static _PyArg_Parser parser = {.keywords = names, .format = "|Oi:hex"};
    PyObject *sep = NULL;
    int group = 1;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &sep, &group)) {
        return NULL;
    }
    Py_ssize_t n;
    const char *s = kr_bytes_view(self, &n);
    return hex(s, n, sep, group, 0);
}

PyObject *
_PyBytes_FromHex(PyObject *string, int use_bytearray)
{
    _PyBytesWriter w;
    if (PyUnicode_READY(string) < 0) {
        return NULL;
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH(string), i = 0;
    int kind = PyUnicode_KIND(string);
    const void *s = PyUnicode_DATA(string);
    _PyBytesWriter_Init(&w);
    w.use_bytearray = use_bytearray;
    char *out = _PyBytesWriter_Alloc(&w, n / 2);
    if (out == NULL) {
        return NULL;
    }
    while (i < n) {
        Py_UCS4 ch = PyUnicode_READ(kind, s, i);
        if (ch < 128 && Py_ISSPACE(ch)) {
            i++;
            continue;
        }
        unsigned top = kr_hex_digit(ch);
        unsigned bottom = top < 16 && ++i < n
                              ? kr_hex_digit(PyUnicode_READ(kind, s, i))
                              : 37;
        if (bottom >= 16) {
            PyErr_Format(PyExc_ValueError,
                         "non-hexadecimal number found in fromhex() arg at "
                         "position %zd", i);
            _PyBytesWriter_Dealloc(&w);
            return NULL;
        }
        *out++ = (char)(top << 4 | bottom);
        i++;
    }
    return _PyBytesWriter_Finish(&w, out);
}
