/* The iterators over bytes and bytearray. They differ in where the bytes are:
 * a bytearray may move or shrink between two steps. */
#include <Python.h>

#include "memory/gc.h"
#include "objects/bytes/internal.h"
#include "objects/ids.h"

struct byte_iter {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *seq; /* NULL: exhausted */
};

#define IT(op) ((struct byte_iter *)(op))

static PyObject *
iter_new(PyTypeObject *type, PyObject *seq)
{
    struct byte_iter *it = PyObject_GC_New(struct byte_iter, type);
    if (it != NULL) {
        it->index = 0;
        it->seq = Py_NewRef(seq);
        kr_gc_track((PyObject *)it);
    }
    return (PyObject *)it;
}

PyObject *
kr_bytes_iter(PyObject *seq)
{
    return iter_new(&PyBytesIter_Type, seq);
}

PyObject *
kr_bytearray_iter(PyObject *seq)
{
    return iter_new(&PyByteArrayIter_Type, seq);
}

static void
iter_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(IT(self)->seq);
    PyObject_GC_Del(self);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(IT(self)->seq);
    return 0;
}

/* The next of the bytes that start at `data`, which is not read at the end. */
static inline PyObject *
step(struct byte_iter *it, const char *data)
{
    if (it->index < Py_SIZE(it->seq)) {
        return PyLong_FromLong((unsigned char)data[it->index++]);
    }
    Py_CLEAR(it->seq);
    return NULL;
}

static PyObject *
bytes_next(PyObject *self)
{
    struct byte_iter *it = IT(self);
    return it->seq ? step(it, PyBytes_AS_STRING(it->seq)) : NULL;
}

static PyObject *
bytearray_next(PyObject *self)
{
    struct byte_iter *it = IT(self);
    return it->seq ? step(it, PyByteArray_AS_STRING(it->seq)) : NULL;
}

static PyObject *
iter_length_hint(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct byte_iter *it = IT(self);
    Py_ssize_t left = it->seq ? Py_SIZE(it->seq) - it->index : 0;
    return PyLong_FromSsize_t(Py_MAX(left, 0));
}

static PyObject *
iter_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct byte_iter *it = IT(self);
    PyObject *iter = _PyEval_GetBuiltin(KR_ID(iter));
    if (iter == NULL) {
        return NULL;
    }
    return it->seq != NULL
               ? Py_BuildValue("N(O)n", iter, it->seq, it->index)
               : Py_BuildValue("N(())", iter);
}

static PyObject *
iter_setstate(PyObject *self, PyObject *state)
{
    struct byte_iter *it = IT(self);
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (it->seq != NULL) {
        it->index = Py_MIN(Py_MAX(index, 0), Py_SIZE(it->seq));
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

#define ITER_TYPE(type, name, next)                                            \
    PyTypeObject type = {                                                      \
        PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = name,                 \
        .tp_basicsize = sizeof(struct byte_iter),                              \
        .tp_dealloc = iter_dealloc,                                            \
        .tp_getattro = PyObject_GenericGetAttr,                                \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC                    \
                    | Py_TPFLAGS_DISALLOW_INSTANTIATION                        \
                    | Py_TPFLAGS_IMMUTABLETYPE,                                \
        .tp_traverse = iter_traverse,                                          \
        .tp_iter = PyObject_SelfIter,                                          \
        .tp_iternext = next,                                                   \
        .tp_methods = iter_methods,                                            \
    }

ITER_TYPE(PyBytesIter_Type, "bytes_iterator", bytes_next);
ITER_TYPE(PyByteArrayIter_Type, "bytearray_iterator", bytearray_next);
