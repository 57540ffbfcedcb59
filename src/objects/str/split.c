/* split, rsplit, splitlines, partition, rpartition. */
#include <Python.h>

#include "objects/str/parts.h"
#include "objects/str/str.h"

static inline int
is_space(int kind, const void *data, Py_ssize_t i)
{
    return Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, i));
}

static inline int
add(struct kr_parts *parts, PyObject *self, Py_ssize_t start, Py_ssize_t end)
{
    return kr_parts_add(parts, kr_str_slice(self, start, end));
}

/* Inlined once for each kind. */
static inline __attribute__((always_inline)) int
split_space_kind(struct kr_parts *parts, PyObject *self, Py_ssize_t max,
                 int kind)
{
    const void *s = PyUnicode_DATA(self);
    Py_ssize_t n = STR_LEN(self), i = 0;
    for (;;) {
        while (i < n && is_space(kind, s, i)) {
            i++;
        }
        if (i == n) {
            return 0;
        }
        if (max-- <= 0) {
            /* the rest keeps its space, also at the end */
            return add(parts, self, i, n);
        }
        Py_ssize_t start = i;
        while (i < n && !is_space(kind, s, i)) {
            i++;
        }
        if (add(parts, self, start, i) < 0) {
            return -1;
        }
    }
}

static int
split_space(struct kr_parts *parts, PyObject *self, Py_ssize_t max)
{
    switch (STR_KIND(self)) {
    case 1:
        return split_space_kind(parts, self, max, 1);
    case 2:
        return split_space_kind(parts, self, max, 2);
    default:
        return split_space_kind(parts, self, max, 4);
    }
}

static int
rsplit_space(struct kr_parts *parts, PyObject *self, Py_ssize_t max)
{
    int kind = STR_KIND(self);
    const void *s = PyUnicode_DATA(self);
    Py_ssize_t i = STR_LEN(self);
    for (;;) {
        while (i > 0 && is_space(kind, s, i - 1)) {
            i--;
        }
        if (i == 0) {
            return 0;
        }
        if (max-- <= 0) {
            return add(parts, self, 0, i);
        }
        Py_ssize_t end = i;
        while (i > 0 && !is_space(kind, s, i - 1)) {
            i--;
        }
        if (add(parts, self, i, end) < 0) {
            return -1;
        }
    }
}

static int
split_at(struct kr_parts *parts, PyObject *self, PyObject *sep,
         Py_ssize_t max)
{
    Py_ssize_t start = 0, n = STR_LEN(self), m = STR_LEN(sep);
    for (;;) {
        Py_ssize_t hit = max-- > 0 ? kr_str_search(self, sep, start, n, 1)
                                   : -1;
        if (hit == -2) {
            return -1;
        }
        if (hit < 0) {
            return add(parts, self, start, n);
        }
        if (add(parts, self, start, hit) < 0) {
            return -1;
        }
        start = hit + m;
    }
}

static int
rsplit_at(struct kr_parts *parts, PyObject *self, PyObject *sep,
          Py_ssize_t max)
{
    Py_ssize_t end = STR_LEN(self), m = STR_LEN(sep);
    for (;;) {
        Py_ssize_t hit = max-- > 0 ? kr_str_search(self, sep, 0, end, 0) : -1;
        if (hit == -2) {
            return -1;
        }
        if (add(parts, self, hit < 0 ? 0 : hit + m, end) < 0) {
            return -1;
        }
        if (hit < 0) {
            return 0;
        }
        end = hit;
    }
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

static PyObject *
do_split(PyObject *self, PyObject *sep, Py_ssize_t max, int reverse)
{
    struct kr_parts parts;
    if (max < 0) {
        max = PY_SSIZE_T_MAX;
    }
    if (PyUnicode_READY(self) < 0 ||
        (sep != NULL &&
         (kr_str_require(sep) < 0 || check_separator(sep) < 0)) ||
        kr_parts_init(&parts, max) < 0) {
        return NULL;
    }
    int rc = sep == NULL
                 ? (reverse ? rsplit_space : split_space)(&parts, self, max)
                 : (reverse ? rsplit_at : split_at)(&parts, self, sep, max);
    return kr_parts_finish(&parts, rc, reverse);
}

PyObject *
kr_str_split(PyObject *self, PyObject *sep, Py_ssize_t max)
{
    return do_split(self, sep, max, 0);
}

PyObject *
kr_str_rsplit(PyObject *self, PyObject *sep, Py_ssize_t max)
{
    return do_split(self, sep, max, 1);
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
    struct kr_parts parts;
    if (kr_str_require(self) < 0 || kr_parts_init(&parts, KR_PARTS_ROOM) < 0) {
        return NULL;
    }
    int kind = STR_KIND(self), rc = 0;
    const void *s = PyUnicode_DATA(self);
    Py_ssize_t n = STR_LEN(self), i = 0;
    while (rc == 0 && i < n) {
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
        rc = add(&parts, self, start, end);
    }
    return kr_parts_finish(&parts, rc, 0);
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
