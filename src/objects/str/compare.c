/* Equality, order and hashing of strings. */
#include <Python.h>

#include "objects/str/str.h"

int
kr_str_equal(PyObject *a, PyObject *b)
{
    Py_ssize_t n = STR_LEN(a);
    int kind = STR_KIND(a);
    if (n != STR_LEN(b) || kind != STR_KIND(b)) {
        return 0;
    }
    return memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b),
                  (size_t)n * (size_t)kind) == 0;
}

PyAPI_FUNC(int)
_PyUnicode_EQ(PyObject *a, PyObject *b)
{
    return kr_str_equal(a, b);
}

int
_PyUnicode_Equal(PyObject *a, PyObject *b)
{
    if (a == b) {
        return 1;
    }
    if (PyUnicode_READY(a) < 0 || PyUnicode_READY(b) < 0) {
        return -1;
    }
    return kr_str_equal(a, b);
}

static int
compare(PyObject *a, PyObject *b)
{
    int ka = STR_KIND(a), kb = STR_KIND(b);
    const void *da = PyUnicode_DATA(a), *db = PyUnicode_DATA(b);
    Py_ssize_t na = STR_LEN(a), nb = STR_LEN(b), n = Py_MIN(na, nb);
    if (ka == 1 && kb == 1) {
        int c = memcmp(da, db, (size_t)n);
        if (c != 0) {
            return c < 0 ? -1 : 1;
        }
    }
    else {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS4 x = PyUnicode_READ(ka, da, i);
            Py_UCS4 y = PyUnicode_READ(kb, db, i);
            if (x != y) {
                return x < y ? -1 : 1;
            }
        }
    }
    return na < nb ? -1 : na > nb;
}

int
PyUnicode_Compare(PyObject *left, PyObject *right)
{
    if (!PyUnicode_Check(left) || !PyUnicode_Check(right)) {
        PyErr_Format(PyExc_TypeError, "Can't compare %.100s and %.100s",
                     Py_TYPE(left)->tp_name, Py_TYPE(right)->tp_name);
        return -1;
    }
    if (PyUnicode_READY(left) < 0 || PyUnicode_READY(right) < 0) {
        return -1;
    }
    return left == right ? 0 : compare(left, right);
}

PyObject *
PyUnicode_RichCompare(PyObject *left, PyObject *right, int op)
{
    if (!PyUnicode_Check(left) || !PyUnicode_Check(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (PyUnicode_READY(left) < 0 || PyUnicode_READY(right) < 0) {
        return NULL;
    }
    if (op == Py_EQ || op == Py_NE) {
        int equal = left == right || kr_str_equal(left, right);
        return Py_NewRef(equal == (op == Py_EQ) ? Py_True : Py_False);
    }
    int c = left == right ? 0 : compare(left, right);
    Py_RETURN_RICHCOMPARE(c, 0, op);
}

int
PyUnicode_CompareWithASCIIString(PyObject *op, const char *str)
{
    if (PyUnicode_READY(op) < 0) {
        PyErr_Clear();
        return -1;
    }
    Py_ssize_t n = STR_LEN(op);
    int kind = STR_KIND(op);
    const void *data = PyUnicode_DATA(op);
    size_t len = strlen(str);
    if (kind == 1) {
        int c = memcmp(data, str, Py_MIN((size_t)n, len));
        if (c != 0) {
            return c < 0 ? -1 : 1;
        }
        return (size_t)n < len ? -1 : (size_t)n > len;
    }
    Py_ssize_t i = 0;
    for (; i < n && str[i] != '\0'; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        if (ch != (unsigned char)str[i]) {
            return ch < (unsigned char)str[i] ? -1 : 1;
        }
    }
    return i < n ? 1 : str[i] != '\0' ? -1 : 0;
}

int
_PyUnicode_EqualToASCIIString(PyObject *op, const char *str)
{
    if (PyUnicode_READY(op) < 0) {
        PyErr_Clear();
        return 0;
    }
    if (!STR_STATE(op).ascii) {
        return 0;
    }
    size_t n = (size_t)STR_LEN(op);
    return strlen(str) == n && memcmp(PyUnicode_DATA(op), str, n) == 0;
}

int
_PyUnicode_EqualToASCIIId(PyObject *left, _Py_Identifier *right)
{
    return _PyUnicode_EqualToASCIIString(left, right->string);
}
