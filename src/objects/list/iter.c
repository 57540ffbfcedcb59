/* Iterators over lists, forwards and backwards. */
#include <Python.h>

#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/list.h"

static PyObject *
make(PyTypeObject *type, PyObject *list, Py_ssize_t index)
{
    kr_list_iterator *it = PyObject_GC_New(kr_list_iterator, type);
    if (it == NULL) {
        return NULL;
    }
    it->index = index;
    it->seq = (PyListObject *)Py_NewRef(list);
    kr_gc_track((PyObject *)it);
    return (PyObject *)it;
}

PyObject *
kr_list_iter(PyObject *list)
{
    if (!PyList_Check(list)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return make(&PyListIter_Type, list, 0);
}

PyObject *
kr_list_reversed(PyObject *list, PyObject *ignored)
{
    return make(&PyListRevIter_Type, list, Py_SIZE(list) - 1);
}

static void
iter_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(((kr_list_iterator *)self)->seq);
    kr_gc_free(self, 0);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((kr_list_iterator *)self)->seq);
    return 0;
}

static PyObject *
iter_next(PyObject *self)
{
    kr_list_iterator *it = (kr_list_iterator *)self;
    PyListObject *seq = it->seq;
    if (seq == NULL) {
        return NULL;
    }
    if (it->index < Py_SIZE(seq)) {
        return Py_NewRef(seq->ob_item[it->index++]);
    }
    it->seq = NULL;
    Py_DECREF(seq);
    return NULL;
}

static PyObject *
reviter_next(PyObject *self)
{
    kr_list_iterator *it = (kr_list_iterator *)self;
    PyListObject *seq = it->seq;
    Py_ssize_t index = it->index;
    if (seq == NULL) {
        return NULL;
    }
    if (index >= 0 && index < Py_SIZE(seq)) {
        it->index--;
        return Py_NewRef(seq->ob_item[index]);
    }
    it->index = -1;
    it->seq = NULL;
    Py_DECREF(seq);
    return NULL;
}

static PyObject *
iter_length_hint(PyObject *self, PyObject *ignored)
{
    kr_list_iterator *it = (kr_list_iterator *)self;
    Py_ssize_t n = it->seq == NULL ? 0 : Py_SIZE(it->seq) - it->index;
    return PyLong_FromSsize_t(n < 0 ? 0 : n);
}

static PyObject *
reviter_length_hint(PyObject *self, PyObject *ignored)
{
    kr_list_iterator *it = (kr_list_iterator *)self;
    Py_ssize_t n = it->index + 1;
    return PyLong_FromSsize_t(it->seq == NULL || Py_SIZE(it->seq) < n ? 0 : n);
}

static PyObject *
exhausted(void)
{
    return Py_BuildValue("N(N)", _PyEval_GetBuiltin(KR_ID(iter)),
                         PyList_New(0));
}

static PyObject *
iter_reduce(PyObject *self, PyObject *ignored)
{
    kr_list_iterator *it = (kr_list_iterator *)self;
    PyObject *iter = _PyEval_GetBuiltin(KR_ID(iter));
    if (it->seq == NULL) {
        Py_XDECREF(iter);
        return exhausted();
    }
    return Py_BuildValue("N(O)n", iter, it->seq, it->index);
}

static PyObject *
reviter_reduce(PyObject *self, PyObject *ignored)
{
    kr_list_iterator *it = (kr_list_iterator *)self;
    PyObject *reversed = _PyEval_GetBuiltin(KR_ID(reversed));
    if (it->seq == NULL) {
        Py_XDECREF(reversed);
        return exhausted();
    }
    return Py_BuildValue("N(O)n", reversed, it->seq, it->index);
}

static PyObject *
iter_setstate(PyObject *self, PyObject *state)
{
    kr_list_iterator *it = (kr_list_iterator *)self;
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (it->seq != NULL) {
        Py_ssize_t n = PyList_GET_SIZE(it->seq);
        it->index = index < 0 ? 0 : (index > n ? n : index);
    }
    Py_RETURN_NONE;
}

static PyObject *
reviter_setstate(PyObject *self, PyObject *state)
{
    kr_list_iterator *it = (kr_list_iterator *)self;
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (it->seq != NULL) {
        Py_ssize_t n = PyList_GET_SIZE(it->seq);
        it->index = index < -1 ? -1 : (index > n - 1 ? n - 1 : index);
    }
    Py_RETURN_NONE;
}

#define ITER_METHODS(name)                                                     \
    {"__length_hint__", name##_length_hint, METH_NOARGS,                       \
     "Private method returning an estimate of len(list(it))."},                \
        {"__reduce__", name##_reduce, METH_NOARGS,                             \
         "Return state information for pickling."},                            \
    {                                                                          \
        "__setstate__", name##_setstate, METH_O,                               \
            "Set state information for unpickling."                            \
    }

static PyMethodDef iter_methods[] = {ITER_METHODS(iter), {NULL}};
static PyMethodDef reviter_methods[] = {ITER_METHODS(reviter), {NULL}};

PyTypeObject PyListIter_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "list_iterator",
    .tp_basicsize = sizeof(kr_list_iterator),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};

PyTypeObject PyListRevIter_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "list_reverseiterator",
    .tp_basicsize = sizeof(kr_list_iterator),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = reviter_next,
    .tp_methods = reviter_methods,
};
