/* Concatenation, repetition and join. */
#include <Python.h>

#include "objects/str/concat.h"
#include "objects/str/str.h"

PyObject *
PyUnicode_Concat(PyObject *left, PyObject *right)
{
    if (kr_str_require(left) < 0) {
        return NULL;
    }
    if (!PyUnicode_Check(right)) {
        PyErr_Format(PyExc_TypeError,
                     "can only concatenate str (not \"%.200s\") to str",
                     Py_TYPE(right)->tp_name);
        return NULL;
    }
    if (PyUnicode_READY(right) < 0) {
        return NULL;
    }
    Py_ssize_t n = STR_LEN(left), m = STR_LEN(right);
    if (n == 0) {
        return kr_str_unchanged(right);
    }
    if (m == 0) {
        return kr_str_unchanged(left);
    }
    if (n > PY_SSIZE_T_MAX - m) {
        PyErr_SetString(PyExc_OverflowError, "strings are too large to concat");
        return NULL;
    }
    Py_UCS4 maxchar = Py_MAX(PyUnicode_MAX_CHAR_VALUE(left),
                             PyUnicode_MAX_CHAR_VALUE(right));
    PyObject *result = PyUnicode_New(n + m, maxchar);
    if (result != NULL) {
        _PyUnicode_FastCopyCharacters(result, 0, left, 0, n);
        _PyUnicode_FastCopyCharacters(result, n, right, 0, m);
    }
    return result;
}

/* Appends in place if nobody else holds the left string. 1: done, 0: not
 * possible, -1: error. Both are ready and not empty. */
static int
append_in_place(PyObject **p, PyObject *right)
{
    PyObject *left = *p;
    Py_ssize_t n = STR_LEN(left), m = STR_LEN(right);
    if (Py_REFCNT(left) != 1 || PyUnicode_CHECK_INTERNED(left) ||
        !PyUnicode_CheckExact(left) || !STR_STATE(left).compact ||
        STR_KIND(right) > STR_KIND(left) ||
        (STR_STATE(left).ascii && !STR_STATE(right).ascii) || left == right) {
        return 0;
    }
    STR_HASH(left) = -1;
    if (kr_str_resize(p, n + m) < 0) {
        return -1;
    }
    _PyUnicode_FastCopyCharacters(*p, n, right, 0, m);
    return 1;
}

void
PyUnicode_Append(PyObject **p, PyObject *right)
{
    if (p == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_BadInternalCall();
        }
        return;
    }
    PyObject *left = *p;
    if (right == NULL || left == NULL || !PyUnicode_Check(left) ||
        !PyUnicode_Check(right)) {
        if (!PyErr_Occurred()) {
            PyErr_BadInternalCall();
        }
        Py_CLEAR(*p);
        return;
    }
    if (PyUnicode_READY(left) < 0 || PyUnicode_READY(right) < 0) {
        Py_CLEAR(*p);
        return;
    }
    Py_ssize_t n = STR_LEN(left), m = STR_LEN(right);
    int done = 0;
    if (n > 0 && m > 0 && n <= PY_SSIZE_T_MAX - m) {
        done = append_in_place(p, right);
    }
    if (done == 0) {
        PyObject *result = PyUnicode_Concat(left, right);
        Py_SETREF(*p, result);
    }
    else if (done < 0) {
        Py_CLEAR(*p);
    }
}

void
PyUnicode_AppendAndDel(PyObject **p, PyObject *right)
{
    PyUnicode_Append(p, right);
    Py_XDECREF(right);
}

PyObject *
kr_str_repeat(PyObject *self, Py_ssize_t times)
{
    if (PyUnicode_READY(self) < 0) {
        return NULL;
    }
    Py_ssize_t n = STR_LEN(self);
    if (times < 1 || n == 0) {
        return kr_str_empty();
    }
    if (times == 1) {
        return kr_str_unchanged(self);
    }
    if (n > PY_SSIZE_T_MAX / times) {
        PyErr_SetString(PyExc_OverflowError, "repeated string is too long");
        return NULL;
    }
    PyObject *result = PyUnicode_New(n * times, PyUnicode_MAX_CHAR_VALUE(self));
    if (result == NULL) {
        return NULL;
    }
    int kind = STR_KIND(self);
    char *out = PyUnicode_DATA(result);
    if (n == 1) {
        kr_str_fill(kind, out, 0, times, PyUnicode_READ_CHAR(self, 0));
        return result;
    }
    size_t piece = (size_t)n * (size_t)kind, total = piece * (size_t)times;
    memcpy(out, PyUnicode_DATA(self), piece);
    for (size_t done = piece; done < total;) {
        size_t more = Py_MIN(done, total - done);
        memcpy(out + done, out, more);
        done += more;
    }
    return result;
}

/* Length and widest character of the result; -1 on a bad item. */
static Py_ssize_t
measure(PyObject *sep, PyObject *const *items, Py_ssize_t count,
        Py_UCS4 *maxchar)
{
    Py_ssize_t total = 0, sep_len = sep == NULL ? 0 : STR_LEN(sep);
    *maxchar = sep_len ? PyUnicode_MAX_CHAR_VALUE(sep) : 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = items[i];
        if (!PyUnicode_Check(item)) {
            PyErr_Format(PyExc_TypeError,
                         "sequence item %zd: expected str instance,"
                         " %.80s found", i, Py_TYPE(item)->tp_name);
            return -1;
        }
        if (PyUnicode_READY(item) < 0) {
            return -1;
        }
        Py_ssize_t add = STR_LEN(item);
        *maxchar = Py_MAX(*maxchar, PyUnicode_MAX_CHAR_VALUE(item));
        if (i > 0) {
            if (add > PY_SSIZE_T_MAX - sep_len) {
                goto overflow;
            }
            add += sep_len;
        }
        if (add > PY_SSIZE_T_MAX - total) {
            goto overflow;
        }
        total += add;
    }
    return total;
overflow:
    PyErr_SetString(PyExc_OverflowError,
                    "join() result is too long for a Python string");
    return -1;
}

PyObject *
_PyUnicode_JoinArray(PyObject *separator, PyObject *const *items,
                     Py_ssize_t count)
{
    if (count == 0) {
        return kr_str_empty();
    }
    if (count == 1 && PyUnicode_CheckExact(items[0])) {
        return Py_NewRef(items[0]);
    }
    PyObject *sep = NULL;
    if (count > 1) {
        if (separator == NULL) {
            sep = kr_str_char(' ');
        }
        else if (!PyUnicode_Check(separator)) {
            PyErr_Format(PyExc_TypeError,
                         "separator: expected str instance, %.80s found",
                         Py_TYPE(separator)->tp_name);
            return NULL;
        }
        else if (PyUnicode_READY(separator) < 0) {
            return NULL;
        }
        else {
            sep = separator;
        }
    }
    Py_UCS4 maxchar;
    Py_ssize_t total = measure(sep, items, count, &maxchar);
    if (total < 0) {
        return NULL;
    }
    PyObject *result = PyUnicode_New(total, maxchar);
    if (result == NULL || total == 0) {
        return result;
    }
    int kind = STR_KIND(result);
    char *out = PyUnicode_DATA(result);
    int sep_kind = sep == NULL ? 1 : STR_KIND(sep);
    Py_ssize_t sep_len = sep == NULL ? 0 : STR_LEN(sep), at = 0;
    const void *sep_data = sep == NULL ? NULL : PyUnicode_DATA(sep);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (i > 0 && sep_len > 0) {
            if (sep_len == 1) {
                PyUnicode_WRITE(kind, out, at,
                                PyUnicode_READ(sep_kind, sep_data, 0));
            }
            else {
                kr_str_copy(kind, out, at, sep_kind, sep_data, 0, sep_len);
            }
            at += sep_len;
        }
        Py_ssize_t n = STR_LEN(items[i]);
        kr_str_copy(kind, out, at, STR_KIND(items[i]),
                    PyUnicode_DATA(items[i]), 0, n);
        at += n;
    }
    if (total == 1) {
        return kr_str_interned_char(result);
    }
    return result;
}

PyObject *
PyUnicode_Join(PyObject *separator, PyObject *seq)
{
    PyObject *fast = PySequence_Fast(seq, "can only join an iterable");
    if (fast == NULL) {
        return NULL;
    }
    PyObject *result = _PyUnicode_JoinArray(separator,
                                            PySequence_Fast_ITEMS(fast),
                                            PySequence_Fast_GET_SIZE(fast));
    Py_DECREF(fast);
    return result;
}

PyObject *
kr_str_interned_char(PyObject *op)
{
    Py_UCS4 ch = PyUnicode_READ_CHAR(op, 0);
    if (ch < 256) {
        Py_DECREF(op);
        return Py_NewRef(kr_str_char((unsigned char)ch));
    }
    return op;
}
