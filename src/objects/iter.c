/* Iterators over sequences and callables, and the awaitable of anext. */
#include <Python.h>

#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/iter.h"

/* ---- sequence iterator */

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *seq; /* NULL when exhausted */
} seqiter;

PyObject *
PySeqIter_New(PyObject *seq)
{
    if (!PySequence_Check(seq)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    seqiter *it = PyObject_GC_New(seqiter, &PySeqIter_Type);
    if (it == NULL) {
        return NULL;
    }
    it->index = 0;
    it->seq = Py_NewRef(seq);
    kr_gc_track((PyObject *)it);
    return (PyObject *)it;
}

static void
seqiter_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(((seqiter *)self)->seq);
    PyObject_GC_Del(self);
}

static int
seqiter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((seqiter *)self)->seq);
    return 0;
}

static PyObject *
seqiter_next(PyObject *self)
{
    seqiter *it = (seqiter *)self;
    PyObject *seq = it->seq;
    if (seq == NULL) {
        return NULL;
    }
    if (it->index == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "iter index too large");
        return NULL;
    }
    PyObject *result = PySequence_GetItem(seq, it->index);
    if (result != NULL) {
        it->index++;
        return result;
    }
    if (PyErr_ExceptionMatches(PyExc_IndexError)
        || PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
        Py_CLEAR(it->seq);
    }
    return NULL;
}

static PyObject *
seqiter_len(PyObject *self, PyObject *ignored)
{
    seqiter *it = (seqiter *)self;
    Py_ssize_t n = 0;
    if (it->seq != NULL) {
        PySequenceMethods *sq = Py_TYPE(it->seq)->tp_as_sequence;
        PyMappingMethods *mp = Py_TYPE(it->seq)->tp_as_mapping;
        if ((sq == NULL || sq->sq_length == NULL)
            && (mp == NULL || mp->mp_length == NULL)) {
            Py_RETURN_NOTIMPLEMENTED;
        }
        n = PySequence_Size(it->seq);
        if (n == -1) {
            return NULL;
        }
        n = n > it->index ? n - it->index : 0;
    }
    return PyLong_FromSsize_t(n);
}

static PyObject *
seqiter_reduce(PyObject *self, PyObject *ignored)
{
    seqiter *it = (seqiter *)self;
    PyObject *iter = _PyEval_GetBuiltin(KR_ID(iter));
    if (it->seq == NULL) {
        return Py_BuildValue("N(())", iter);
    }
    return Py_BuildValue("N(O)n", iter, it->seq, it->index);
}

static PyObject *
seqiter_setstate(PyObject *self, PyObject *state)
{
    seqiter *it = (seqiter *)self;
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (it->seq != NULL) {
        it->index = index < 0 ? 0 : index;
    }
    Py_RETURN_NONE;
}

static PyMethodDef seqiter_methods[] = {
    {"__length_hint__", seqiter_len, METH_NOARGS,
     "Private method returning an estimate of len(list(it))."},
    {"__reduce__", seqiter_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {"__setstate__", seqiter_setstate, METH_O,
     "Set state information for unpickling."},
    {NULL},
};

PyTypeObject PySeqIter_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "iterator",
    .tp_basicsize = sizeof(seqiter),
    .tp_dealloc = seqiter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = seqiter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = seqiter_next,
    .tp_methods = seqiter_methods,
};

PyObject *
kr_iter_reduce_as_list(PyObject *it)
{
    PyObject *list = PySequence_List(it);
    return list != NULL ? Py_BuildValue("N(N)",
                                        _PyEval_GetBuiltin(KR_ID(iter)), list)
                        : NULL;
}

/* ---- iter(callable, sentinel) */

typedef struct {
    PyObject_HEAD
    PyObject *callable; /* both NULL when exhausted */
    PyObject *sentinel;
} calliter;

PyObject *
PyCallIter_New(PyObject *callable, PyObject *sentinel)
{
    calliter *it = PyObject_GC_New(calliter, &PyCallIter_Type);
    if (it == NULL) {
        return NULL;
    }
    it->callable = Py_NewRef(callable);
    it->sentinel = Py_NewRef(sentinel);
    kr_gc_track((PyObject *)it);
    return (PyObject *)it;
}

static void
calliter_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(((calliter *)self)->callable);
    Py_XDECREF(((calliter *)self)->sentinel);
    PyObject_GC_Del(self);
}

static int
calliter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((calliter *)self)->callable);
    Py_VISIT(((calliter *)self)->sentinel);
    return 0;
}

static PyObject *
calliter_next(PyObject *self)
{
    calliter *it = (calliter *)self;
    if (it->callable == NULL) {
        return NULL;
    }
    PyObject *callable = Py_NewRef(it->callable);
    PyObject *result = PyObject_CallNoArgs(callable);
    Py_DECREF(callable);
    if (result == NULL) {
        if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
            PyErr_Clear();
            Py_CLEAR(it->callable);
            Py_CLEAR(it->sentinel);
        }
        return NULL;
    }
    if (it->sentinel == NULL) { /* the call used the iterator up */
        Py_DECREF(result);
        return NULL;
    }
    PyObject *sentinel = Py_NewRef(it->sentinel);
    int same = PyObject_RichCompareBool(sentinel, result, Py_EQ);
    Py_DECREF(sentinel);
    if (same == 0) {
        return result;
    }
    Py_DECREF(result);
    if (same > 0) {
        Py_CLEAR(it->callable);
        Py_CLEAR(it->sentinel);
    }
    return NULL;
}

static PyObject *
calliter_reduce(PyObject *self, PyObject *ignored)
{
    calliter *it = (calliter *)self;
    PyObject *iter = _PyEval_GetBuiltin(KR_ID(iter));
    if (it->callable == NULL || it->sentinel == NULL) {
        return Py_BuildValue("N(())", iter);
    }
    return Py_BuildValue("N(OO)", iter, it->callable, it->sentinel);
}

static PyMethodDef calliter_methods[] = {
    {"__reduce__", calliter_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {NULL},
};

PyTypeObject PyCallIter_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "callable_iterator",
    .tp_basicsize = sizeof(calliter),
    .tp_dealloc = calliter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = calliter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = calliter_next,
    .tp_methods = calliter_methods,
};

/* ---- anext(it, default) */

typedef struct {
    PyObject_HEAD
    PyObject *wrapped;
    PyObject *default_value;
} anext_awaitable;

PyObject *
PyAnextAwaitable_New(PyObject *awaitable, PyObject *default_value)
{
    anext_awaitable *anext =
        PyObject_GC_New(anext_awaitable, &_PyAnextAwaitable_Type);
    if (anext == NULL) {
        return NULL;
    }
    anext->wrapped = Py_NewRef(awaitable);
    anext->default_value = Py_NewRef(default_value);
    kr_gc_track((PyObject *)anext);
    return (PyObject *)anext;
}

static void
anext_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(((anext_awaitable *)self)->wrapped);
    Py_XDECREF(((anext_awaitable *)self)->default_value);
    PyObject_GC_Del(self);
}

static int
anext_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((anext_awaitable *)self)->wrapped);
    Py_VISIT(((anext_awaitable *)self)->default_value);
    return 0;
}

/* The iterator of the awaitable; an asynchronous generator's __anext__ may be
 * any awaitable, so __await__ is asked once more. */
static PyObject *
anext_iter_of(PyObject *self)
{
    PyObject *awaitable =
        _PyCoro_GetAwaitableIter(((anext_awaitable *)self)->wrapped);
    if (awaitable == NULL) {
        return NULL;
    }
    if (Py_TYPE(awaitable)->tp_iternext == NULL) {
        /* a coroutine: iterate over what its __await__ gives */
        unaryfunc await = Py_TYPE(awaitable)->tp_as_async->am_await;
        Py_SETREF(awaitable, await(awaitable));
        if (awaitable == NULL) {
            return NULL;
        }
        if (!PyIter_Check(awaitable)) {
            PyErr_SetString(PyExc_TypeError,
                            "__await__ must return an iterable");
            Py_DECREF(awaitable);
            return NULL;
        }
    }
    return awaitable;
}

/* The end of the wrapped iteration becomes the default. */
static PyObject *
anext_stopped(PyObject *self)
{
    if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
        PyErr_Clear();
        _PyGen_SetStopIterationValue(((anext_awaitable *)self)->default_value);
    }
    return NULL;
}

static PyObject *
anext_next(PyObject *self)
{
    PyObject *awaitable = anext_iter_of(self);
    if (awaitable == NULL) {
        return NULL;
    }
    PyObject *result = Py_TYPE(awaitable)->tp_iternext(awaitable);
    Py_DECREF(awaitable);
    return result != NULL ? result : anext_stopped(self);
}

static PyObject *
anext_proxy(PyObject *self, const char *method, PyObject *arg)
{
    PyObject *awaitable = anext_iter_of(self);
    if (awaitable == NULL) {
        return NULL;
    }
    PyObject *ret = NULL;
    PyObject *func = PyObject_GetAttrString(awaitable, method);
    if (func != NULL) {
        ret = PyObject_CallObject(func, arg);
        Py_DECREF(func);
    }
    Py_DECREF(awaitable);
    return ret != NULL ? ret : anext_stopped(self);
}

static PyObject *
anext_send(PyObject *self, PyObject *args)
{
    return anext_proxy(self, "send", args);
}

static PyObject *
anext_throw(PyObject *self, PyObject *args)
{
    return anext_proxy(self, "throw", args);
}

static PyObject *
anext_close(PyObject *self, PyObject *args)
{
    return anext_proxy(self, "close", NULL);
}

static PyMethodDef anext_methods[] = {
    {"send", anext_send, METH_VARARGS,
     "send(value) -> send 'value' into the wrapped iterator."},
    {"throw", anext_throw, METH_VARARGS,
     "throw(typ[,val[,tb]]) -> raise an exception in the wrapped iterator."},
    {"close", anext_close, METH_VARARGS,
     "close() -> raise GeneratorExit in the wrapped iterator."},
    {NULL},
};

static PyAsyncMethods anext_as_async = {.am_await = PyObject_SelfIter};

PyTypeObject _PyAnextAwaitable_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "anext_awaitable",
    .tp_basicsize = sizeof(anext_awaitable),
    .tp_dealloc = anext_dealloc,
    .tp_as_async = &anext_as_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = anext_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = anext_next,
    .tp_methods = anext_methods,
};
