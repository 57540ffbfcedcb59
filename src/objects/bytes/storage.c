/* Creation, concatenation and resizing of bytes objects. */
#include <Python.h>
#include <stdarg.h>

#include "objects/bytes/bytes.h"
#include "objects/bytes/internal.h"
#include "objects/immortal.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#define BYTES_HEAD (offsetof(PyBytesObject, ob_sval) + 1)

struct static_byte {
    PyObject_VAR_HEAD
    Py_hash_t hash;
    char data[8];
};

#define B1(n)                                                                  \
    {.ob_base = KR_IMMORTAL_VAR_HEAD(&PyBytes_Type, 1), .hash = -1,            \
     .data = {(char)(n)}},
#define B4(n) B1(n) B1((n) + 1) B1((n) + 2) B1((n) + 3)
#define B16(n) B4(n) B4((n) + 4) B4((n) + 8) B4((n) + 12)
#define B64(n) B16(n) B16((n) + 16) B16((n) + 32) B16((n) + 48)

static struct kr_bytes_state {
    struct static_byte chars[256];
    struct static_byte empty;
} singletons = {
    .chars = {B64(0) B64(64) B64(128) B64(192)},
    .empty = {.ob_base = KR_IMMORTAL_VAR_HEAD(&PyBytes_Type, 0), .hash = -1},
};

static PyObject *
empty_bytes(void)
{
    return Py_NewRef((PyObject *)&singletons.empty);
}

PyObject *
kr_bytes_char(unsigned char ch)
{
    return Py_NewRef((PyObject *)&singletons.chars[ch]);
}

PyObject *
PyBytes_FromStringAndSize(const char *str, Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_SystemError,
                        "Negative size passed to PyBytes_FromStringAndSize");
        return NULL;
    }
    if (size == 1 && str != NULL) {
        return kr_bytes_char((unsigned char)*str);
    }
    if (size == 0) {
        return empty_bytes();
    }
    PyObject *op = kr_bytes_new(size);
    if (op != NULL && str != NULL) {
        memcpy(PyBytes_AS_STRING(op), str, (size_t)size);
    }
    return op;
}

PyObject *
kr_bytes_new(Py_ssize_t size)
{
    if ((size_t)size > (size_t)PY_SSIZE_T_MAX - BYTES_HEAD) {
        PyErr_SetString(PyExc_OverflowError, "byte string is too large");
        return NULL;
    }
    PyBytesObject *op = PyObject_Malloc(BYTES_HEAD + (size_t)size);
    if (op == NULL) {
        return PyErr_NoMemory();
    }
    Py_SET_REFCNT(op, 1);
    Py_SET_TYPE(op, &PyBytes_Type);
    Py_SET_SIZE(op, size);
    op->ob_shash = -1;
    op->ob_sval[size] = '\0';
    return (PyObject *)op;
}

PyObject *
PyBytes_FromString(const char *str)
{
    return PyBytes_FromStringAndSize(str, (Py_ssize_t)strlen(str));
}

/* --- formats ------------------------------------------------------------------ */

/* One conversion of PyBytes_FromFormatV; returns the position after it, or
 * NULL on error. */
static const char *
format_one(_PyBytesWriter *w, char **out, const char *f, va_list *vargs)
{
    char buffer[32];
    const char *start = f, *s = buffer;
    Py_ssize_t precision = -1, n;
    int is_long = 0, is_size = 0;
    for (f++; Py_ISDIGIT(*f); f++) {
    }
    if (*f == '.') {
        precision = 0;
        for (f++; Py_ISDIGIT(*f); f++) {
            precision = precision * 10 + (*f - '0');
        }
    }
    while (*f != '\0' && *f != '%' && !Py_ISALPHA(*f)) {
        f++;
    }
    if (*f == 'l' && (f[1] == 'd' || f[1] == 'u')) {
        is_long = 1;
        f++;
    }
    else if (*f == 'z' && (f[1] == 'd' || f[1] == 'u')) {
        is_size = 1;
        f++;
    }
    switch (*f) {
    case 'c': {
        int c = va_arg(*vargs, int);
        if (c < 0 || c > 255) {
            PyErr_SetString(PyExc_OverflowError,
                            "PyBytes_FromFormatV(): %c format expects an "
                            "integer in range [0; 255]");
            return NULL;
        }
        buffer[0] = (char)c;
        n = 1;
        break;
    }
    case 'd':
        n = is_long   ? sprintf(buffer, "%ld", va_arg(*vargs, long))
            : is_size ? sprintf(buffer, "%zd", va_arg(*vargs, Py_ssize_t))
                      : sprintf(buffer, "%d", va_arg(*vargs, int));
        break;
    case 'u':
        n = is_long   ? sprintf(buffer, "%lu", va_arg(*vargs, unsigned long))
            : is_size ? sprintf(buffer, "%zu", va_arg(*vargs, size_t))
                      : sprintf(buffer, "%u", va_arg(*vargs, unsigned int));
        break;
    case 'i':
        n = sprintf(buffer, "%i", va_arg(*vargs, int));
        break;
    case 'x':
        n = sprintf(buffer, "%x", va_arg(*vargs, unsigned int));
        break;
    case 'p':
        n = sprintf(buffer, "%p", va_arg(*vargs, void *));
        break;
    case 's':
        s = va_arg(*vargs, const char *);
        n = (Py_ssize_t)(precision < 0 ? strlen(s)
                                       : strnlen(s, (size_t)precision));
        break;
    case '%':
        buffer[0] = '%';
        n = 1;
        break;
    default:
        /* unknown: the rest is copied as it is */
        n = (Py_ssize_t)strlen(start);
        *out = _PyBytesWriter_WriteBytes(w, *out, start, n);
        return *out == NULL ? NULL : start + n;
    }
    *out = _PyBytesWriter_WriteBytes(w, *out, s, n);
    return *out == NULL ? NULL : f + 1;
}

PyObject *
PyBytes_FromFormatV(const char *format, va_list vargs)
{
    _PyBytesWriter w;
    va_list copy;
    _PyBytesWriter_Init(&w);
    char *out = _PyBytesWriter_Alloc(&w, (Py_ssize_t)strlen(format));
    if (out == NULL) {
        return NULL;
    }
    w.overallocate = 1;
    w.min_size = 0;
    va_copy(copy, vargs);
    for (const char *f = format; f != NULL && *f != '\0';) {
        if (*f == '%') {
            f = format_one(&w, &out, f, &copy);
        }
        else {
            const char *end = strchrnul(f, '%');
            out = _PyBytesWriter_WriteBytes(&w, out, f, end - f);
            f = end;
        }
        if (f == NULL || out == NULL) {
            va_end(copy);
            _PyBytesWriter_Dealloc(&w);
            return NULL;
        }
    }
    va_end(copy);
    return _PyBytesWriter_Finish(&w, out);
}

PyObject *
PyBytes_FromFormat(const char *format, ...)
{
    va_list vargs;
    va_start(vargs, format);
    PyObject *result = PyBytes_FromFormatV(format, vargs);
    va_end(vargs);
    return result;
}

/* --- access -------------------------------------------------------------------- */

static int
check_bytes(PyObject *op)
{
    if (!PyBytes_Check(op)) {
        PyErr_Format(PyExc_TypeError, "expected bytes, %.200s found",
                     Py_TYPE(op)->tp_name);
        return -1;
    }
    return 0;
}

Py_ssize_t
PyBytes_Size(PyObject *op)
{
    return check_bytes(op) < 0 ? -1 : Py_SIZE(op);
}

char *
PyBytes_AsString(PyObject *op)
{
    return check_bytes(op) < 0 ? NULL : ((PyBytesObject *)op)->ob_sval;
}

int
PyBytes_AsStringAndSize(PyObject *obj, char **s, Py_ssize_t *len)
{
    if (s == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (check_bytes(obj) < 0) {
        return -1;
    }
    *s = PyBytes_AS_STRING(obj);
    if (len != NULL) {
        *len = PyBytes_GET_SIZE(obj);
    }
    else if (strlen(*s) != (size_t)PyBytes_GET_SIZE(obj)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        return -1;
    }
    return 0;
}

/* --- resizing -------------------------------------------------------------------- */

int
_PyBytes_Resize(PyObject **pv, Py_ssize_t newsize)
{
    PyObject *v = *pv;
    if (!PyBytes_Check(v) || newsize < 0) {
        goto bad;
    }
    if (Py_SIZE(v) == newsize) {
        return 0;
    }
    if (Py_SIZE(v) == 0 || newsize == 0) {
        *pv = PyBytes_FromStringAndSize(NULL, newsize);
        Py_DECREF(v);
        return *pv == NULL ? -1 : 0;
    }
    if (Py_REFCNT(v) != 1) {
        goto bad;
    }
    PyBytesObject *sv = PyObject_Realloc(v, BYTES_HEAD + (size_t)newsize);
    if (sv == NULL) {
        *pv = NULL;
        PyObject_Free(v);
        PyErr_NoMemory();
        return -1;
    }
    Py_SET_SIZE(sv, newsize);
    sv->ob_sval[newsize] = '\0';
    sv->ob_shash = -1;
    *pv = (PyObject *)sv;
    return 0;
bad:
    *pv = NULL;
    Py_XDECREF(v);
    PyErr_BadInternalCall();
    return -1;
}

/* a + b as bytes; either may be anything with a buffer. */
static PyObject *
concat(PyObject *a, PyObject *b)
{
    Py_buffer va = {.len = -1}, vb = {.len = -1};
    PyObject *result = NULL;
    if (PyObject_GetBuffer(a, &va, PyBUF_SIMPLE) < 0 ||
        PyObject_GetBuffer(b, &vb, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s",
                     Py_TYPE(b)->tp_name, Py_TYPE(a)->tp_name);
        goto done;
    }
    if (va.len == 0 && PyBytes_CheckExact(b)) {
        result = Py_NewRef(b);
    }
    else if (vb.len == 0 && PyBytes_CheckExact(a)) {
        result = Py_NewRef(a);
    }
    else if (va.len > PY_SSIZE_T_MAX - vb.len) {
        PyErr_NoMemory();
    }
    else {
        result = PyBytes_FromStringAndSize(NULL, va.len + vb.len);
        if (result != NULL) {
            char *out = PyBytes_AS_STRING(result);
            memcpy(out, va.buf, (size_t)va.len);
            memcpy(out + va.len, vb.buf, (size_t)vb.len);
        }
    }
done:
    if (va.len != -1) {
        PyBuffer_Release(&va);
    }
    if (vb.len != -1) {
        PyBuffer_Release(&vb);
    }
    return result;
}

PyObject *
kr_bytes_concat(PyObject *a, PyObject *b)
{
    return concat(a, b);
}

void
PyBytes_Concat(PyObject **pv, PyObject *w)
{
    if (*pv == NULL) {
        return;
    }
    if (w == NULL) {
        Py_CLEAR(*pv);
        return;
    }
    if (Py_REFCNT(*pv) != 1 || !PyBytes_CheckExact(*pv)) {
        PyObject *v = concat(*pv, w);
        Py_SETREF(*pv, v);
        return;
    }
    /* nobody else sees the left one: extend it in place */
    Py_buffer view;
    if (PyObject_GetBuffer(w, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s",
                     Py_TYPE(w)->tp_name, Py_TYPE(*pv)->tp_name);
        Py_CLEAR(*pv);
        return;
    }
    Py_ssize_t old = PyBytes_GET_SIZE(*pv);
    if (old > PY_SSIZE_T_MAX - view.len) {
        PyErr_NoMemory();
        Py_CLEAR(*pv);
    }
    else if (_PyBytes_Resize(pv, old + view.len) == 0) {
        memcpy(PyBytes_AS_STRING(*pv) + old, view.buf, (size_t)view.len);
    }
    PyBuffer_Release(&view);
}

void
PyBytes_ConcatAndDel(PyObject **pv, PyObject *w)
{
    PyBytes_Concat(pv, w);
    Py_XDECREF(w);
}
