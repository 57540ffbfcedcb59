/* split, rsplit, splitlines, partition, rpartition. */
#include <Python.h>

#include "objects/str/str.h"

static int
append_slice(PyObject *list, PyObject *self, Py_ssize_t start, Py_ssize_t end)
{
    PyObject *part = kr_str_slice(self, start, end);
    if (part == NULL) {
        return -1;
    }
    int rc = PyList_Append(list, part);
    Py_DECREF(part);
    return rc;
}

static inline int
is_space(int kind, const void *data, Py_ssize_t i)
{
    return Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, i));
}

static PyObject *
split_space(PyObject *self, Py_ssize_t max)
{
    PyObject *list = PyList_New(0);
    int kind = STR_KIND(self);
    const void *s = PyUnicode_DATA(self);
    Py_ssize_t n = STR_LEN(self), i = 0;
    while (list != NULL) {
        while (i < n && is_space(kind, s, i)) {
            i++;
        }
        if (i == n) {
            break;
        }
        Py_ssize_t start = i;
        if (max-- <= 0) {
            /* the rest keeps its space, also at the end */
            if (append_slice(list, self, start, n) < 0) {
                Py_CLEAR(list);
            }
            break;
        }
        while (i < n && !is_space(kind, s, i)) {
            i++;
        }
        if (append_slice(list, self, start, i) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *
rsplit_space(PyObject *self, Py_ssize_t max)
{
    PyObject *list = PyList_New(0);
    int kind = STR_KIND(self);
    const void *s = PyUnicode_DATA(self);
    Py_ssize_t i = STR_LEN(self);
    while (list != NULL) {
        while (i > 0 && is_space(kind, s, i - 1)) {
            i--;
        }
        if (i == 0) {
            break;
        }
        Py_ssize_t end = i, start = 0;
        if (max-- <= 0) {
            i = 0;
        }
        else {
            while (i > 0 && !is_space(kind, s, i - 1)) {
                i--;
            }
            start = i;
        }
        if (append_slice(list, self, start, end) < 0) {
            Py_CLEAR(list);
        }
    }
    if (list != NULL && PyList_Reverse(list) < 0) {
        Py_CLEAR(list);
    }
    return list;
}

static PyObject *
split_at(PyObject *self, PyObject *sep, Py_ssize_t max)
{
    PyObject *list = PyList_New(0);
    Py_ssize_t start = 0, n = STR_LEN(self), m = STR_LEN(sep);
    while (list != NULL) {
        Py_ssize_t hit = max-- > 0 ? kr_str_search(self, sep, start, n, 1)
                                   : -1;
        Py_ssize_t end = hit < 0 ? n : hit;
        if (hit == -2 || append_slice(list, self, start, end) < 0) {
            Py_CLEAR(list);
        }
        if (hit < 0) {
            break;
        }
        start = hit + m;
    }
    return list;
}

static PyObject *
rsplit_at(PyObject *self, PyObject *sep, Py_ssize_t max)
{
    PyObject *list = PyList_New(0);
    Py_ssize_t end = STR_LEN(self), m = STR_LEN(sep);
    while (list != NULL) {
        Py_ssize_t hit = max-- > 0 ? kr_str_search(self, sep, 0, end, 0) : -1;
        Py_ssize_t start = hit < 0 ? 0 : hit + m;
        if (hit == -2 || append_slice(list, self, start, end) < 0) {
            Py_CLEAR(list);
        }
        if (hit < 0) {
            break;
        }
        end = hit;
    }
    if (list != NULL && PyList_Reverse(list) < 0) {
        Py_CLEAR(list);
    }
    return list;
}

static int
check_separator(PyObject *sep)
{
    if (STR_LEN(sep) == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
        return -1;
    }
    return 0;
}

PyObject *
kr_str_split(PyObject *self, PyObject *sep, Py_ssize_t max)
{
    if (max < 0) {
        max = PY_SSIZE_T_MAX;
    }
    if (PyUnicode_READY(self) < 0) {
        return NULL;
    }
    if (sep == NULL) {
        return split_space(self, max);
    }
    if (kr_str_require(sep) < 0 || check_separator(sep) < 0) {
        return NULL;
    }
    return split_at(self, sep, max);
}

PyObject *
kr_str_rsplit(PyObject *self, PyObject *sep, Py_ssize_t max)
{
    if (max < 0) {
        max = PY_SSIZE_T_MAX;
    }
    if (PyUnicode_READY(self) < 0) {
        return NULL;
    }
    if (sep == NULL) {
        return rsplit_space(self, max);
    }
    if (kr_str_require(sep) < 0 || check_separator(sep) < 0) {
        return NULL;
    }
    return rsplit_at(self, sep, max);
}

PyObject *
PyUnicode_Split(PyObject *s, PyObject *sep, Py_ssize_t maxsplit)
{
    return kr_str_require(s) < 0 ? NULL : kr_str_split(s, sep, maxsplit);
}

PyObject *
PyUnicode_RSplit(PyObject *s, PyObject *sep, Py_ssize_t maxsplit)
{
    return kr_str_require(s) < 0 ? NULL : kr_str_rsplit(s, sep, maxsplit);
}

static inline int
is_linebreak(Py_UCS4 ch)
{
    if (ch < 128) {
        return (ch >= 0x0A && ch <= 0x0D) || (ch >= 0x1C && ch <= 0x1E);
    }
    return _PyUnicode_IsLinebreak(ch);
}

PyObject *
PyUnicode_Splitlines(PyObject *self, int keepends)
{
    if (kr_str_require(self) < 0) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    int kind = STR_KIND(self);
    const void *s = PyUnicode_DATA(self);
    Py_ssize_t n = STR_LEN(self), i = 0;
    while (list != NULL && i < n) {
        Py_ssize_t start = i;
        while (i < n && !is_linebreak(PyUnicode_READ(kind, s, i))) {
            i++;
        }
        Py_ssize_t end = i;
        if (i < n) {
            int crlf = PyUnicode_READ(kind, s, i) == '\r' && i + 1 < n &&
                       PyUnicode_READ(kind, s, i + 1) == '\n';
            i += 1 + crlf;
            if (keepends) {
                end = i;
            }
        }
        if (append_slice(list, self, start, end) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *
partition(PyObject *self, PyObject *sep, int forward)
{
    if (kr_str_require(self) < 0 || kr_str_require(sep) < 0 ||
        check_separator(sep) < 0) {
        return NULL;
    }
    Py_ssize_t n = STR_LEN(self);
    Py_ssize_t hit = kr_str_search(self, sep, 0, n, forward);
    if (hit == -2) {
        return NULL;
    }
    if (hit < 0) {
        PyObject *all = kr_str_unchanged(self), *none = kr_str_empty();
        PyObject *result = all == NULL ? NULL
                           : forward   ? PyTuple_Pack(3, all, none, none)
                                       : PyTuple_Pack(3, none, none, all);
        Py_XDECREF(all);
        Py_DECREF(none);
        return result;
    }
    PyObject *before = kr_str_slice(self, 0, hit);
    PyObject *after = kr_str_slice(self, hit + STR_LEN(sep), n);
    PyObject *result = NULL;
    if (before != NULL && after != NULL) {
        result = PyTuple_Pack(3, before, sep, after);
    }
    Py_XDECREF(before);
    Py_XDECREF(after);
    return result;
}

PyObject *
PyUnicode_Partition(PyObject *s, PyObject *sep)
{
    return partition(s, sep, 1);
}

PyObject *
PyUnicode_RPartition(PyObject *s, PyObject *sep)
{
    return partition(s, sep, 0);
}
