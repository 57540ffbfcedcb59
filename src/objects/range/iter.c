/* Iterators over ranges: one for C numbers, one for ints of any size. */
#include <Python.h>

#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/range.h"

/* ---- small */

PyObject *
kr_range_iter_new(long start, long step, long len)
{
    _PyRangeIterObject *it = PyObject_New(_PyRangeIterObject,
                                          &PyRangeIter_Type);
    if (it == NULL) {
        return NULL;
    }
    it->index = 0;
    it->start = start;
    it->step = step;
    it->len = len;
    return (PyObject *)it;
}

static PyObject *
iter_next(PyObject *self)
{
    _PyRangeIterObject *r = (_PyRangeIterObject *)self;
    if (r->index >= r->len) {
        return NULL;
    }
    return PyLong_FromLong((long)((unsigned long)r->start
                                  + (unsigned long)r->index++
                                        * (unsigned long)r->step));
}

static PyObject *
iter_len(PyObject *self, PyObject *ignored)
{
    _PyRangeIterObject *r = (_PyRangeIterObject *)self;
    return PyLong_FromLong(r->len - r->index);
}

/* iter(range(...)) and an index, as the reference pickles it. */
static PyObject *
reduce_to(PyObject *start, PyObject *stop, PyObject *step, PyObject *index)
{
    PyObject *range = NULL;
    if (start != NULL && stop != NULL && step != NULL && index != NULL) {
        range = PyObject_CallFunctionObjArgs((PyObject *)&PyRange_Type, start,
                                             stop, step, NULL);
    }
    Py_XDECREF(start);
    Py_XDECREF(stop);
    Py_XDECREF(step);
    if (range == NULL) {
        Py_XDECREF(index);
        return NULL;
    }
    return Py_BuildValue("N(N)N", _PyEval_GetBuiltin(KR_ID(iter)), range,
                         index);
}

static PyObject *
iter_reduce(PyObject *self, PyObject *ignored)
{
    _PyRangeIterObject *r = (_PyRangeIterObject *)self;
    long stop = (long)((unsigned long)r->start
                       + (unsigned long)r->len * (unsigned long)r->step);
    return reduce_to(PyLong_FromLong(r->start), PyLong_FromLong(stop),
                     PyLong_FromLong(r->step), PyLong_FromLong(r->index));
}

static PyObject *
iter_setstate(PyObject *self, PyObject *state)
{
    _PyRangeIterObject *r = (_PyRangeIterObject *)self;
    long index = PyLong_AsLong(state);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    r->index = index < 0 ? 0 : (index > r->len ? r->len : index);
    Py_RETURN_NONE;
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_len, METH_NOARGS,
     "Private method returning an estimate of len(list(it))."},
    {"__reduce__", iter_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {"__setstate__", iter_setstate, METH_O,
     "Set state information for unpickling."},
    {NULL},
};

PyTypeObject PyRangeIter_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "range_iterator",
    .tp_basicsize = sizeof(_PyRangeIterObject),
    .tp_dealloc = (destructor)PyObject_Del,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};

/* ---- any size */

typedef struct {
    PyObject_HEAD
    PyObject *index;
    PyObject *start;
    PyObject *step;
    PyObject *len;
} longrange_iterator;

PyObject *
kr_longrange_iter_new(PyObject *start, PyObject *step, PyObject *length)
{
    longrange_iterator *it =
        PyObject_New(longrange_iterator, &PyLongRangeIter_Type);
    if (it == NULL) {
        return NULL;
    }
    it->index = PyLong_FromLong(0);
    it->start = Py_NewRef(start);
    it->step = Py_NewRef(step);
    it->len = Py_NewRef(length);
    return (PyObject *)it;
}

static void
longiter_dealloc(PyObject *self)
{
    longrange_iterator *r = (longrange_iterator *)self;
    Py_XDECREF(r->index);
    Py_XDECREF(r->start);
    Py_XDECREF(r->step);
    Py_XDECREF(r->len);
    PyObject_Free(r);
}

static PyObject *
longiter_next(PyObject *self)
{
    longrange_iterator *r = (longrange_iterator *)self;
    if (PyObject_RichCompareBool(r->index, r->len, Py_LT) != 1) {
        return NULL;
    }
    PyObject *one = PyLong_FromLong(1), *result = NULL;
    PyObject *next = PyNumber_Add(r->index, one);
    Py_DECREF(one);
    PyObject *product = next ? PyNumber_Multiply(r->index, r->step) : NULL;
    if (product != NULL) {
        result = PyNumber_Add(r->start, product);
        Py_DECREF(product);
    }
    if (result == NULL) {
        Py_XDECREF(next);
        return NULL;
    }
    Py_SETREF(r->index, next);
    return result;
}

static PyObject *
longiter_len(PyObject *self, PyObject *ignored)
{
    longrange_iterator *r = (longrange_iterator *)self;
    return PyNumber_Subtract(r->len, r->index);
}

static PyObject *
longiter_reduce(PyObject *self, PyObject *ignored)
{
    longrange_iterator *r = (longrange_iterator *)self;
    PyObject *product = PyNumber_Multiply(r->len, r->step);
    if (product == NULL) {
        return NULL;
    }
    PyObject *stop = PyNumber_Add(r->start, product);
    Py_DECREF(product);
    return reduce_to(Py_NewRef(r->start), stop, Py_NewRef(r->step),
                     Py_NewRef(r->index));
}

static PyObject *
longiter_setstate(PyObject *self, PyObject *state)
{
    longrange_iterator *r = (longrange_iterator *)self;
    PyObject *zero = PyLong_FromLong(0);
    int below = PyObject_RichCompareBool(state, zero, Py_LT);
    int beyond = below != 0 ? 0 : PyObject_RichCompareBool(r->len, state,
                                                           Py_LT);
    if (below < 0 || beyond < 0) {
        return NULL;
    }
    PyObject *index = below ? zero : beyond ? r->len : state;
    if (!PyLong_Check(index)) { /* what follows runs no other code */
        PyErr_Format(PyExc_TypeError, "state must be an int, not %.200s",
                     Py_TYPE(index)->tp_name);
        return NULL;
    }
    Py_SETREF(r->index, _PyLong_Copy((PyLongObject *)index));
    Py_RETURN_NONE;
}

static PyMethodDef longiter_methods[] = {
    {"__length_hint__", longiter_len, METH_NOARGS,
     "Private method returning an estimate of len(list(it))."},
    {"__reduce__", longiter_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {"__setstate__", longiter_setstate, METH_O,
     "Set state information for unpickling."},
    {NULL},
};

PyTypeObject PyLongRangeIter_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "longrange_iterator",
    .tp_basicsize = sizeof(longrange_iterator),
    .tp_dealloc = longiter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = longiter_next,
    .tp_methods = longiter_methods,
};
