/* repr() of strings, and their iterators. */
#include <Python.h>

#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/str/str.h"

static inline int
escape_size(Py_UCS4 ch)
{
    if (ch < 128) {
        if (ch == '\\' || ch == '\t' || ch == '\r' || ch == '\n') {
            return 2;
        }
        return ch < ' ' || ch == 0x7F ? 4 : 1;
    }
    if (Py_UNICODE_ISPRINTABLE(ch)) {
        return 1;
    }
    return ch < 0x100 ? 4 : ch < 0x10000 ? 6 : 10;
}

static Py_ssize_t
put_escape(int kind, void *out, Py_ssize_t at, Py_UCS4 ch, int size)
{
    PyUnicode_WRITE(kind, out, at++, '\\');
    if (size == 2) {
        Py_UCS4 c = ch == '\t' ? 't' : ch == '\r' ? 'r' : ch == '\n' ? 'n'
                                                                   : ch;
        PyUnicode_WRITE(kind, out, at++, c);
        return at;
    }
    PyUnicode_WRITE(kind, out, at++, size == 4 ? 'x' : size == 6 ? 'u' : 'U');
    for (int shift = (size - 3) * 4; shift >= 0; shift -= 4) {
        PyUnicode_WRITE(kind, out, at++,
                        (Py_UCS4)Py_hexdigits[(ch >> shift) & 15]);
    }
    return at;
}

PyObject *
kr_str_repr(PyObject *self)
{
    if (PyUnicode_READY(self) < 0) {
        return NULL;
    }
    int kind = STR_KIND(self);
    const void *s = PyUnicode_DATA(self);
    Py_ssize_t n = STR_LEN(self), total = 2, single = 0, dbl = 0;
    Py_UCS4 max = 127;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, s, i);
        int size = escape_size(ch);
        if (size == 1) {
            single += ch == '\'';
            dbl += ch == '"';
            max = ch > max ? ch : max;
        }
        if (size > PY_SSIZE_T_MAX - total) {
            PyErr_SetString(PyExc_OverflowError,
                            "string is too long to generate repr");
            return NULL;
        }
        total += size;
    }
    Py_UCS4 quote = '\'';
    int unchanged = total == n + 2;
    if (single > 0) {
        if (dbl > 0) {
            total += single;
            unchanged = 0;
        }
        else {
            quote = '"';
        }
    }
    PyObject *result = PyUnicode_New(total, max);
    if (result == NULL) {
        return NULL;
    }
    int to = STR_KIND(result);
    void *out = PyUnicode_DATA(result);
    PyUnicode_WRITE(to, out, 0, quote);
    PyUnicode_WRITE(to, out, total - 1, quote);
    if (unchanged) {
        kr_str_copy(to, out, 1, kind, s, 0, n);
        return result;
    }
    Py_ssize_t at = 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, s, i);
        int size = escape_size(ch);
        if (size == 1) {
            if (ch == quote) {
                PyUnicode_WRITE(to, out, at++, '\\');
            }
            PyUnicode_WRITE(to, out, at++, ch);
        }
        else {
            at = put_escape(to, out, at, ch, size);
        }
    }
    return result;
}

/* --- iterators ------------------------------------------------------------------ */

struct str_iter {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *seq; /* NULL: exhausted */
};

extern PyTypeObject kr_str_ascii_iter_type;

PyObject *
kr_str_iter(PyObject *seq)
{
    if (PyUnicode_READY(seq) < 0) {
        return NULL;
    }
    PyTypeObject *type = PyUnicode_IS_COMPACT_ASCII(seq) ? &kr_str_ascii_iter_type
                                                         : &PyUnicodeIter_Type;
    struct str_iter *it = PyObject_GC_New(struct str_iter, type);
    if (it != NULL) {
        it->index = 0;
        it->seq = Py_NewRef(seq);
        kr_gc_track((PyObject *)it);
    }
    return (PyObject *)it;
}

static void
iter_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(((struct str_iter *)self)->seq);
    PyObject_GC_Del(self);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((struct str_iter *)self)->seq);
    return 0;
}

static PyObject *
iter_next(PyObject *self)
{
    struct str_iter *it = (struct str_iter *)self;
    PyObject *seq = it->seq;
    if (seq == NULL) {
        return NULL;
    }
    if (it->index < STR_LEN(seq)) {
        return kr_str_from_char(PyUnicode_READ_CHAR(seq, it->index++));
    }
    it->seq = NULL;
    Py_DECREF(seq);
    return NULL;
}

static PyObject *
ascii_iter_next(PyObject *self)
{
    struct str_iter *it = (struct str_iter *)self;
    PyObject *seq = it->seq;
    if (seq == NULL) {
        return NULL;
    }
    if (it->index < STR_LEN(seq)) {
        const Py_UCS1 *data = (const Py_UCS1 *)(STR_ASCII(seq) + 1);
        return Py_NewRef(kr_str_char(data[it->index++]));
    }
    it->seq = NULL;
    Py_DECREF(seq);
    return NULL;
}

static PyObject *
iter_length_hint(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct str_iter *it = (struct str_iter *)self;
    return PyLong_FromSsize_t(it->seq ? STR_LEN(it->seq) - it->index : 0);
}

static PyObject *
iter_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct str_iter *it = (struct str_iter *)self;
    PyObject *iter = _PyEval_GetBuiltin(KR_ID(iter));
    if (iter == NULL) {
        return NULL;
    }
    if (it->seq != NULL) {
        return Py_BuildValue("N(O)n", iter, it->seq, it->index);
    }
    return Py_BuildValue("N(N)", iter, kr_str_empty());
}

static PyObject *
iter_setstate(PyObject *self, PyObject *state)
{
    struct str_iter *it = (struct str_iter *)self;
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (it->seq != NULL) {
        it->index = index < 0                  ? 0
                    : index > STR_LEN(it->seq) ? STR_LEN(it->seq)
                                               : index;
    }
    Py_RETURN_NONE;
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_length_hint, METH_NOARGS,
     "Private method returning an estimate of len(list(it))."},
    {"__reduce__", iter_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {"__setstate__", iter_setstate, METH_O,
     "Set state information for unpickling."},
    {NULL},
};

#define ITER_TYPE(next)                                                        \
    .tp_basicsize = sizeof(struct str_iter), .tp_dealloc = iter_dealloc,       \
    .tp_getattro = PyObject_GenericGetAttr,                                    \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |                      \
                Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,  \
    .tp_traverse = iter_traverse, .tp_iter = PyObject_SelfIter,                \
    .tp_iternext = (next), .tp_methods = iter_methods

PyTypeObject PyUnicodeIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "str_iterator",
    ITER_TYPE(iter_next),
};

PyTypeObject kr_str_ascii_iter_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "str_ascii_iterator",
    ITER_TYPE(ascii_iter_next),
};
