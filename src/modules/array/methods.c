/* The methods of arrays. */
#include "modules/array/array.h"
#include "modules/kwargs.h"
#include "objects/ids.h"
#include "objects/unpack.h"

#include <Python.h>
#include <string.h>

static PyObject *
array_deepcopy(PyObject *op, PyObject *memo)
{
    return kr_array_copy(op, NULL);
}

static PyObject *
array_count(PyObject *op, PyObject *v)
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        PyObject *item = kr_array_item_at(A(op), i);
        if (item == NULL) {
            return NULL;
        }
        int cmp = PyObject_RichCompareBool(item, v, Py_EQ);
        Py_DECREF(item);
        if (cmp < 0) {
            return NULL;
        }
        count += cmp;
    }
    return PyLong_FromSsize_t(count);
}

static PyObject *
array_index(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX, n = Py_SIZE(op);
    if (!_PyArg_CheckPositional("index", nargs, 1, 3) ||
        (nargs > 1 && !_PyEval_SliceIndexNotNone(args[1], &start)) ||
        (nargs > 2 && !_PyEval_SliceIndexNotNone(args[2], &stop))) {
        return NULL;
    }
    start = start < 0 ? (start + n < 0 ? 0 : start + n) : start;
    stop = stop < 0 ? stop + n : stop;
    for (Py_ssize_t i = start; i < stop && i < Py_SIZE(op); i++) {
        PyObject *item = kr_array_item_at(A(op), i);
        if (item == NULL) {
            return NULL;
        }
        int cmp = PyObject_RichCompareBool(item, args[0], Py_EQ);
        Py_DECREF(item);
        if (cmp != 0) {
            return cmp < 0 ? NULL : PyLong_FromSsize_t(i);
        }
    }
    PyErr_SetString(PyExc_ValueError, "array.index(x): x not in array");
    return NULL;
}

static PyObject *
array_remove(PyObject *op, PyObject *v)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        PyObject *item = kr_array_item_at(A(op), i);
        if (item == NULL) {
            return NULL;
        }
        int cmp = PyObject_RichCompareBool(item, v, Py_EQ);
        Py_DECREF(item);
        if (cmp > 0) {
            return kr_array_delete_range(A(op), i, i + 1) < 0
                       ? NULL
                       : Py_NewRef(Py_None);
        }
        if (cmp < 0) {
            return NULL;
        }
    }
    PyErr_SetString(PyExc_ValueError, "array.remove(x): x not in array");
    return NULL;
}

static int
index_arg(PyObject *o, Py_ssize_t *value)
{
    PyObject *index = PyNumber_Index(o);
    if (index == NULL) {
        return -1;
    }
    *value = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *
array_pop(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t i = -1, n;
    if (!_PyArg_CheckPositional("pop", nargs, 0, 1) ||
        (nargs && index_arg(args[0], &i) < 0)) {
        return NULL;
    }
    n = Py_SIZE(op);
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty array");
        return NULL;
    }
    i += i < 0 ? n : 0;
    if (i < 0 || i >= n) {
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
        return NULL;
    }
    PyObject *v = kr_array_item_at(A(op), i);
    if (v != NULL && kr_array_delete_range(A(op), i, i + 1) < 0) {
        Py_CLEAR(v);
    }
    return v;
}

static PyObject *
array_extend(PyObject *op, KR_FASTCALL_ARGS)
{
    KR_PARSER("extend", "");
    PyObject *iterable;
    return !kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, &iterable) ||
                   kr_array_extend_iterable(op, iterable) < 0
               ? NULL
               : Py_NewRef(Py_None);
}

static PyObject *
array_insert(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t i;
    if (!_PyArg_CheckPositional("insert", nargs, 2, 2) ||
        index_arg(args[0], &i) < 0 ||
        kr_array_insert_at(A(op), i, args[1]) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
array_append(PyObject *op, PyObject *v)
{
    return kr_array_insert_at(A(op), Py_SIZE(op), v) < 0 ? NULL
                                                         : Py_NewRef(Py_None);
}

static PyObject *
array_buffer_info(PyObject *op, PyObject *ignored)
{
    return Py_BuildValue("(Nn)", PyLong_FromVoidPtr(A(op)->items), Py_SIZE(op));
}

static void
reverse_bytes(char *p, int n)
{
    for (int i = 0, j = n - 1; i < j; i++, j--) {
        char t = p[i];
        p[i] = p[j];
        p[j] = t;
    }
}

static PyObject *
array_byteswap(PyObject *op, PyObject *ignored)
{
    int size = A(op)->kind->itemsize;
    for (Py_ssize_t i = 0; size > 1 && i < Py_SIZE(op); i++) {
        reverse_bytes(AT(A(op), i), size);
    }
    Py_RETURN_NONE;
}

static PyObject *
array_reverse(PyObject *op, PyObject *ignored)
{
    size_t size = (size_t)A(op)->kind->itemsize;
    char tmp[8];
    for (Py_ssize_t i = 0, j = Py_SIZE(op) - 1; i < j; i++, j--) {
        memcpy(tmp, AT(A(op), i), size);
        memcpy(AT(A(op), i), AT(A(op), j), size);
        memcpy(AT(A(op), j), tmp, size);
    }
    Py_RETURN_NONE;
}

static int
append_bytes(array *self, Py_buffer *buffer)
{
    if (buffer->itemsize != 1) {
        PyErr_SetString(PyExc_TypeError, "a bytes-like object is required");
        return -1;
    }
    Py_ssize_t size = self->kind->itemsize, n = buffer->len;
    if (n % size != 0) {
        PyErr_SetString(PyExc_ValueError,
                        "bytes length not a multiple of item size");
        return -1;
    }
    n /= size;
    Py_ssize_t old = Py_SIZE(self);
    if (n > 0) {
        if (n > PY_SSIZE_T_MAX - old || old + n > PY_SSIZE_T_MAX / size) {
            PyErr_NoMemory();
            return -1;
        }
        if (kr_array_resize(self, old + n) < 0) {
            return -1;
        }
        memcpy(AT(self, old), buffer->buf, (size_t)(n * size));
    }
    return 0;
}

PyObject *
kr_array_frombytes(PyObject *op, PyObject *arg)
{
    Py_buffer buffer;
    if (PyObject_GetBuffer(arg, &buffer, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    int err = append_bytes(A(op), &buffer);
    PyBuffer_Release(&buffer);
    return err < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
array_fromfile(PyObject *op, KR_FASTCALL_ARGS)
{
    KR_PARSER("fromfile", "", "");
    PyObject *a[2];
    Py_ssize_t n;
    if (!kr_unpack(args, nargs, kwnames, &parser, 2, 2, 2, a) ||
        index_arg(a[1], &n) < 0) {
        return NULL;
    }
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "negative count");
        return NULL;
    }
    Py_ssize_t size = A(op)->kind->itemsize;
    if (n > PY_SSIZE_T_MAX / size) {
        return PyErr_NoMemory();
    }
    PyObject *b = PyObject_CallMethod(a[0], "read", "n", n * size);
    if (b == NULL) {
        return NULL;
    }
    if (!PyBytes_Check(b)) {
        PyErr_SetString(PyExc_TypeError, "read() didn't return bytes");
        Py_DECREF(b);
        return NULL;
    }
    bool all = PyBytes_GET_SIZE(b) == n * size;
    PyObject *res = kr_array_frombytes(op, b);
    Py_DECREF(b);
    if (res != NULL && !all) {
        PyErr_SetString(PyExc_EOFError, "read() didn't return enough bytes");
        Py_CLEAR(res);
    }
    return res;
}

static PyObject *
array_tofile(PyObject *op, KR_FASTCALL_ARGS)
{
    KR_PARSER("tofile", "");
    PyObject *f;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, &f)) {
        return NULL;
    }
    Py_ssize_t total = Py_SIZE(op) * A(op)->kind->itemsize;
    const Py_ssize_t block = 64 * 1024;
    for (Py_ssize_t at = 0; at < total; at += block) {
        Py_ssize_t n = total - at < block ? total - at : block;
        PyObject *bytes = PyBytes_FromStringAndSize(A(op)->items + at, n);
        if (bytes == NULL) {
            return NULL;
        }
        PyObject *res = PyObject_CallMethodOneArg(f, KR_ID(write), bytes);
        Py_DECREF(bytes);
        if (res == NULL) {
            return NULL;
        }
        Py_DECREF(res);
        total = Py_SIZE(op) * A(op)->kind->itemsize;
    }
    Py_RETURN_NONE;
}

static PyObject *
array_reduce_ex(PyObject *op, KR_FASTCALL_ARGS)
{
    KR_PARSER("__reduce_ex__", "");
    PyObject *protocol;
    return kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, &protocol)
               ? kr_array_reduce_ex(op, protocol)
               : NULL;
}

static PyObject *
array_fromlist(PyObject *op, PyObject *list)
{
    array *self = A(op);
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "arg must be list");
        return NULL;
    }
    Py_ssize_t n = PyList_GET_SIZE(list), old = Py_SIZE(self);
    if (n > 0) {
        if (kr_array_resize(self, old + n) < 0) {
            return NULL;
        }
        for (Py_ssize_t i = 0; i < n; i++) {
            PyObject *v = Py_NewRef(PyList_GET_ITEM(list, i));
            char item[8];
            int err = self->kind->set(item, v);
            Py_DECREF(v);
            if (err == 0 && Py_SIZE(self) != old + n) {
                PyErr_SetString(PyExc_IndexError,
                                "array assignment index out of range");
                return NULL;
            }
            if (err < 0) {
                kr_array_resize(self, old);
                return NULL;
            }
            memcpy(AT(self, old + i), item, (size_t)self->kind->itemsize);
            if (PyList_GET_SIZE(list) != n) {
                PyErr_SetString(PyExc_RuntimeError,
                                "list changed size during iteration");
                kr_array_resize(self, old);
                return NULL;
            }
        }
    }
    Py_RETURN_NONE;
}

PyObject *
kr_array_tobytes(PyObject *op, PyObject *ignored)
{
    if (Py_SIZE(op) > PY_SSIZE_T_MAX / A(op)->kind->itemsize) {
        return PyErr_NoMemory();
    }
    return PyBytes_FromStringAndSize(A(op)->items,
                                     Py_SIZE(op) * A(op)->kind->itemsize);
}

static PyObject *
array_fromunicode(PyObject *op, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        _PyArg_BadArgument("fromunicode", "argument", "str", text);
        return NULL;
    }
    if (A(op)->kind->typecode != 'u') {
        PyErr_SetString(PyExc_ValueError,
                        "fromunicode() may only be called on unicode type "
                        "arrays");
        return NULL;
    }
    Py_ssize_t n = PyUnicode_AsWideChar(text, NULL, 0);
    if (n < 0) {
        return NULL;
    }
    if (--n > 0) { /* without the final null */
        Py_ssize_t old = Py_SIZE(op);
        if (kr_array_resize(A(op), old + n) < 0) {
            return NULL;
        }
        PyUnicode_AsWideChar(text, (wchar_t *)A(op)->items + old, n);
    }
    Py_RETURN_NONE;
}

static PyObject *
array_sizeof(PyObject *op, PyObject *ignored)
{
    return PyLong_FromSsize_t(_PyObject_SIZE(Py_TYPE(op)) +
                              A(op)->allocated * A(op)->kind->itemsize);
}

#define SIG(name, args, text) name "(" args ")\n--\n\n" text

PyMethodDef kr_array_methods[] = {
    {"append", array_append, METH_O,
     SIG("append", "$self, v, /", "Append new value v to the end.")},
    {"buffer_info", array_buffer_info, METH_NOARGS,
     SIG("buffer_info", "$self, /",
         "Return a tuple (address, length): where the buffer is and how many "
         "items it has.")},
    {"byteswap", array_byteswap, METH_NOARGS,
     SIG("byteswap", "$self, /", "Byteswap all items of the array.")},
    {"__copy__", kr_array_copy, METH_NOARGS,
     SIG("__copy__", "$self, /", "Return a copy of the array.")},
    {"count", array_count, METH_O,
     SIG("count", "$self, v, /",
         "Return number of occurrences of v in the array.")},
    {"__deepcopy__", array_deepcopy, METH_O,
     SIG("__deepcopy__", "$self, unused, /", "Return a copy of the array.")},
    {"extend", KR_CAST(array_extend), KR_FAST,
     SIG("extend", "$self, bb, /", "Append items to the end of the array.")},
    {"fromfile", KR_CAST(array_fromfile), KR_FAST,
     SIG("fromfile", "$self, f, n, /",
         "Read n objects from the file object f and append them.")},
    {"fromlist", array_fromlist, METH_O,
     SIG("fromlist", "$self, list, /", "Append items to array from list.")},
    {"frombytes", kr_array_frombytes, METH_O,
     SIG("frombytes", "$self, buffer, /",
         "Append the machine values in a bytes-like object.")},
    {"fromunicode", array_fromunicode, METH_O,
     SIG("fromunicode", "$self, ustr, /",
         "Extend a type 'u' array with the characters of a str.")},
    {"index", (PyCFunction)(void *)array_index, METH_FASTCALL,
     SIG("index", "$self, v, start=0, stop=sys.maxsize, /",
         "Return index of first occurrence of v in the array.\n\n"
         "Raise ValueError if the value is not present.")},
    {"insert", (PyCFunction)(void *)array_insert, METH_FASTCALL,
     SIG("insert", "$self, i, v, /",
         "Insert a new item v into the array before position i.")},
    {"pop", (PyCFunction)(void *)array_pop, METH_FASTCALL,
     SIG("pop", "$self, i=-1, /",
         "Return the i-th element and delete it from the array.")},
    {"__reduce_ex__", KR_CAST(array_reduce_ex), KR_FAST,
     SIG("__reduce_ex__", "$self, value, /",
         "Return state information for pickling.")},
    {"remove", array_remove, METH_O,
     SIG("remove", "$self, v, /",
         "Remove the first occurrence of v in the array.")},
    {"reverse", array_reverse, METH_NOARGS,
     SIG("reverse", "$self, /",
         "Reverse the order of the items in the array.")},
    {"tofile", KR_CAST(array_tofile), KR_FAST,
     SIG("tofile", "$self, f, /",
         "Write all items (as machine values) to the file object f.")},
    {"tolist", kr_array_tolist, METH_NOARGS,
     SIG("tolist", "$self, /",
         "Convert array to an ordinary list with the same items.")},
    {"tobytes", kr_array_tobytes, METH_NOARGS,
     SIG("tobytes", "$self, /",
         "Return the machine values of the array as bytes.")},
    {"tounicode", kr_array_tounicode, METH_NOARGS,
     SIG("tounicode", "$self, /",
         "Return the contents of a type 'u' array as a str.")},
    {"__sizeof__", array_sizeof, METH_NOARGS,
     SIG("__sizeof__", "$self, /", "Size of the array in memory, in bytes.")},
    {NULL},
};
