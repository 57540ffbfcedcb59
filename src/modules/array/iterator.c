/* The iterator over an array. */
#include "modules/array/array.h"
#include "modules/kwargs.h"
#include "objects/ids.h"

#include <Python.h>
#include <string.h>

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;
    array *ao; /* NULL when exhausted */
} array_iterator;

#define IT(op) ((array_iterator *)(op))

PyObject *
kr_array_iter(PyObject *op)
{
    struct kr_array_state *state = kr_array_state_of_type(Py_TYPE(op));
    array_iterator *it =
        state ? PyObject_GC_New(array_iterator, state->iter_type) : NULL;
    if (it != NULL) {
        it->ao = A(Py_NewRef(op));
        it->index = 0;
        PyObject_GC_Track(it);
    }
    return (PyObject *)it;
}

static PyObject *
iter_next(PyObject *self)
{
    array_iterator *it = IT(self);
    if (it->ao == NULL) {
        return NULL;
    }
    if (it->index < Py_SIZE(it->ao)) {
        return kr_array_item_at(it->ao, it->index++);
    }
    Py_CLEAR(it->ao);
    return NULL;
}

static void
iter_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(IT(self)->ao);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(IT(self)->ao);
    return 0;
}

static PyObject *
iter_reduce(PyObject *self, KR_FASTCALL_ARGS)
{
    if (nargs) { /* keywords are ignored, as by the reference */
        PyErr_SetString(PyExc_TypeError, "__reduce__() takes no arguments");
        return NULL;
    }
    PyObject *func = _PyEval_GetBuiltin(KR_ID(iter));
    if (IT(self)->ao == NULL) {
        return Py_BuildValue("N(())", func);
    }
    return Py_BuildValue("N(O)n", func, IT(self)->ao, IT(self)->index);
}

static PyObject *
iter_setstate(PyObject *self, PyObject *state)
{
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    array *ao = IT(self)->ao;
    if (ao != NULL) {
        index = index < 0 ? 0 : index;
        IT(self)->index = index > Py_SIZE(ao) ? Py_SIZE(ao) : index;
    }
    Py_RETURN_NONE;
}

static PyMethodDef iter_methods[] = {
    {"__reduce__", KR_CAST(iter_reduce), KR_FAST,
     "Return state information for pickling."},
    {"__setstate__", iter_setstate, METH_O,
     "Set state information for unpickling."},
    {NULL},
};

static PyType_Slot iter_slots[] = {
    {Py_tp_dealloc, iter_dealloc},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_traverse, iter_traverse},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, iter_next},
    {Py_tp_methods, iter_methods},
    {0},
};

PyType_Spec kr_array_iter_spec = {
    .name = "array.arrayiterator",
    .basicsize = sizeof(array_iterator),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = iter_slots,
};
