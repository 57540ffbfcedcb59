/* wchar_t: conversions to and from it, and the legacy form of str in which the
 * characters arrive in a wchar_t buffer before the object becomes ready. */
#include <Python.h>
#include <wchar.h>

#include "base/simd_str.h"
#include "objects/str/str.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

PyObject *
PyUnicode_FromWideChar(const wchar_t *u, Py_ssize_t size)
{
    if (u == NULL && size != 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (size == -1) {
        size = (Py_ssize_t)wcslen(u);
    }
    const Py_UCS4 *s = (const Py_UCS4 *)u;
    for (Py_ssize_t i = 0; i < size; i++) {
        if (s[i] > 0x10FFFF) {
            PyErr_Format(PyExc_ValueError,
                         "character U+%x is not in range [U+0000; U+10ffff]",
                         s[i]);
            return NULL;
        }
    }
    return kr_str_from_ucs4(s, size);
}

/* A legacy string with an uninitialised buffer for `size` characters; the
 * empty string for none. */
static PyObject *
new_legacy(Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_SystemError,
                        "Negative size passed to _PyUnicode_New");
        return NULL;
    }
    if (size == 0) {
        return kr_str_empty();
    }
    if (size > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(wchar_t) - 1) {
        return PyErr_NoMemory();
    }
    PyUnicodeObject *op = PyObject_New(PyUnicodeObject, &PyUnicode_Type);
    if (op == NULL) {
        return NULL;
    }
    memset((char *)op + sizeof(PyObject), 0, sizeof(*op) - sizeof(PyObject));
    STR_HASH(op) = -1;
    wchar_t *w = PyObject_Malloc(sizeof(wchar_t) * (size_t)(size + 1));
    if (w == NULL) {
        Py_DECREF(op);
        return PyErr_NoMemory();
    }
    w[0] = w[size] = 0;
    STR_ASCII(op)->wstr = w;
    STR_COMPACT(op)->wstr_length = size;
    return (PyObject *)op;
}

PyObject *
PyUnicode_FromUnicode(const Py_UNICODE *u, Py_ssize_t size)
{
    if (u == NULL) {
        if (size > 0 &&
            PyErr_WarnEx(PyExc_DeprecationWarning,
                         "PyUnicode_FromUnicode(NULL, size) is deprecated; "
                         "use PyUnicode_New() instead", 1) < 0) {
            return NULL;
        }
        return new_legacy(size);
    }
    if (size < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyUnicode_FromWideChar(u, size);
}

PyObject *
PyUnicode_FromStringAndSize(const char *u, Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_SystemError,
                        "Negative size passed to PyUnicode_FromStringAndSize");
        return NULL;
    }
    if (u != NULL) {
        return PyUnicode_DecodeUTF8Stateful(u, size, NULL, NULL);
    }
    if (size > 0 &&
        PyErr_WarnEx(PyExc_DeprecationWarning,
                     "PyUnicode_FromStringAndSize(NULL, size) is deprecated; "
                     "use PyUnicode_New() instead", 1) < 0) {
        return NULL;
    }
    return new_legacy(size);
}

int
_PyUnicode_Ready(PyObject *op)
{
    if (STR_STATE(op).ready) {
        return 0;
    }
    Py_UCS4 *w = (Py_UCS4 *)STR_ASCII(op)->wstr;
    Py_ssize_t n = STR_COMPACT(op)->wstr_length;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (w[i] > 0x10FFFF) {
            PyErr_Format(PyExc_ValueError,
                         "character U+%x is not in range [U+0000; U+10ffff]",
                         w[i]);
            return -1;
        }
    }
    Py_UCS4 max = kr_max_char4(w, (size_t)n);
    int kind = kr_kind_of(max);
    void *data = w;
    if (kind != 4) {
        data = PyObject_Malloc((size_t)(n + 1) * (size_t)kind);
        if (data == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        kr_str_copy(kind, data, 0, 4, w, 0, n + 1);
        PyObject_Free(w);
        STR_ASCII(op)->wstr = NULL;
        STR_COMPACT(op)->wstr_length = 0;
    }
    STR_FULL(op)->data.any = data;
    STR_LEN(op) = n;
    STR_STATE(op).kind = (unsigned)kind & 7;
    STR_STATE(op).ascii = max < 128;
    if (max < 128) {
        STR_COMPACT(op)->utf8 = data;
        STR_COMPACT(op)->utf8_length = n;
    }
    STR_STATE(op).ready = 1;
    return 0;
}

Py_UNICODE *
PyUnicode_AsUnicodeAndSize(PyObject *unicode, Py_ssize_t *size)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadArgument();
        return NULL;
    }
    wchar_t *w = STR_ASCII(unicode)->wstr;
    if (w == NULL) {
        Py_ssize_t n = STR_LEN(unicode);
        w = PyObject_Malloc(sizeof(wchar_t) * (size_t)(n + 1));
        if (w == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        kr_str_copy(4, w, 0, STR_KIND(unicode), PyUnicode_DATA(unicode), 0, n);
        w[n] = 0;
        STR_ASCII(unicode)->wstr = w;
        if (!PyUnicode_IS_COMPACT_ASCII(unicode)) {
            STR_COMPACT(unicode)->wstr_length = n;
        }
    }
    if (size != NULL) {
        *size = PyUnicode_WSTR_LENGTH(unicode);
    }
    return w;
}

Py_UNICODE *
PyUnicode_AsUnicode(PyObject *unicode)
{
    return PyUnicode_AsUnicodeAndSize(unicode, NULL);
}

const Py_UNICODE *
_PyUnicode_AsUnicode(PyObject *unicode)
{
    Py_ssize_t size;
    const Py_UNICODE *w = PyUnicode_AsUnicodeAndSize(unicode, &size);
    if (w != NULL && wcslen(w) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return w;
}

Py_ssize_t
PyUnicode_GetSize(PyObject *unicode)
{
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadArgument();
        return -1;
    }
    if (STR_ASCII(unicode)->wstr == NULL) {
        return STR_LEN(unicode);
    }
    return PyUnicode_WSTR_LENGTH(unicode);
}

Py_ssize_t
PyUnicode_AsWideChar(PyObject *unicode, wchar_t *w, Py_ssize_t size)
{
    if (unicode == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadArgument();
        return -1;
    }
    if (PyUnicode_READY(unicode) < 0) {
        return -1;
    }
    Py_ssize_t n = STR_LEN(unicode);
    if (w == NULL) {
        return n + 1; /* what there must be room for */
    }
    Py_ssize_t copied = size > n ? n : size;
    kr_str_copy(4, w, 0, STR_KIND(unicode), PyUnicode_DATA(unicode), 0,
                copied);
    if (size > n) {
        w[n] = 0;
    }
    return copied;
}

wchar_t *
PyUnicode_AsWideCharString(PyObject *unicode, Py_ssize_t *size)
{
    if (unicode == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (!PyUnicode_Check(unicode)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_READY(unicode) < 0) {
        return NULL;
    }
    Py_ssize_t n = STR_LEN(unicode);
    wchar_t *w = PyMem_New(wchar_t, n + 1);
    if (w == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    PyUnicode_AsWideChar(unicode, w, n + 1);
    if (size != NULL) {
        *size = n;
    }
    else if (wcslen(w) != (size_t)n) {
        PyMem_Free(w);
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return w;
}

int
_PyUnicode_WideCharString_Converter(PyObject *obj, void *ptr)
{
    wchar_t **p = ptr;
    if (obj == NULL) {
        PyMem_Free(*p);
        *p = NULL;
        return 1;
    }
    if (!PyUnicode_Check(obj)) {
        PyErr_Format(PyExc_TypeError, "argument must be str, not %.50s",
                     Py_TYPE(obj)->tp_name);
        return 0;
    }
    *p = PyUnicode_AsWideCharString(obj, NULL);
    return *p != NULL ? Py_CLEANUP_SUPPORTED : 0;
}

int
_PyUnicode_WideCharString_Opt_Converter(PyObject *obj, void *ptr)
{
    if (obj == Py_None) {
        *(wchar_t **)ptr = NULL;
        return 1;
    }
    if (obj != NULL && !PyUnicode_Check(obj)) {
        PyErr_Format(PyExc_TypeError,
                     "argument must be str or None, not %.50s",
                     Py_TYPE(obj)->tp_name);
        return 0;
    }
    return _PyUnicode_WideCharString_Converter(obj, ptr);
}
