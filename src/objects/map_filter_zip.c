/* The lazy iterators behind the built-ins map, filter and zip. */
#include <Python.h>

#include "memory/gc.h"
#include "memory/tstate.h"
#include "objects/ids.h"
#include "objects/immortal.h"

/* A tuple of new iterators over `sequences[0..n]`, or NULL. */
static PyObject *
make_iterators(PyObject *const *sequences, Py_ssize_t n)
{
    PyObject *iters = PyTuple_New(n);
    for (Py_ssize_t i = 0; iters != NULL && i < n; i++) {
        PyObject *it = PyObject_GetIter(sequences[i]);
        if (it == NULL) {
            Py_CLEAR(iters);
            break;
        }
        PyTuple_SET_ITEM(iters, i, it);
    }
    return iters;
}

static inline PyObject *
advance(PyObject *it)
{
    return Py_TYPE(it)->tp_iternext(it);
}

/* Clears a pending StopIteration. 0, or -1 when another exception is set. */
static int
end_of_iteration(void)
{
    if (!PyErr_Occurred()) {
        return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

/* --- filter ----------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *func;
    PyObject *it;
} filterobject;

static PyObject *
make_filter(PyTypeObject *type, PyObject *func, PyObject *seq)
{
    PyObject *it = PyObject_GetIter(seq);
    if (it == NULL) {
        return NULL;
    }
    filterobject *self = (filterobject *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_DECREF(it);
        return NULL;
    }
    self->func = Py_NewRef(func);
    self->it = it;
    return (PyObject *)self;
}

static PyObject *
filter_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if ((type == &PyFilter_Type || type->tp_init == PyFilter_Type.tp_init) &&
        !_PyArg_NoKeywords("filter", kwds)) {
        return NULL;
    }
    PyObject *func, *seq;
    if (!PyArg_UnpackTuple(args, "filter", 2, 2, &func, &seq)) {
        return NULL;
    }
    return make_filter(type, func, seq);
}

static PyObject *
filter_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                  PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("filter", kwnames) ||
        !_PyArg_CheckPositional("filter", nargs, 2, 2)) {
        return NULL;
    }
    return make_filter((PyTypeObject *)type, args[0], args[1]);
}

static void
filter_dealloc(filterobject *self)
{
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, filter_dealloc)
    Py_XDECREF(self->func);
    Py_XDECREF(self->it);
    Py_TYPE(self)->tp_free(self);
    Py_TRASHCAN_END
}

static int
filter_traverse(filterobject *self, visitproc visit, void *arg)
{
    Py_VISIT(self->it);
    Py_VISIT(self->func);
    return 0;
}

static PyObject *
filter_next(filterobject *self)
{
    int by_truth = self->func == Py_None ||
                   self->func == (PyObject *)&PyBool_Type;
    for (;;) {
        PyObject *item = advance(self->it);
        if (item == NULL) {
            return NULL;
        }
        int ok;
        if (by_truth) {
            ok = PyObject_IsTrue(item);
        }
        else {
            PyObject *good = PyObject_CallOneArg(self->func, item);
            if (good == NULL) {
                Py_DECREF(item);
                return NULL;
            }
            ok = PyObject_IsTrue(good);
            Py_DECREF(good);
        }
        if (ok > 0) {
            return item;
        }
        Py_DECREF(item);
        if (ok < 0) {
            return NULL;
        }
    }
}

static PyObject *
filter_reduce(filterobject *self, PyObject *Py_UNUSED(ignored))
{
    return Py_BuildValue("O(OO)", Py_TYPE(self), self->func, self->it);
}

static PyMethodDef filter_methods[] = {
    {"__reduce__", (PyCFunction)filter_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject PyFilter_Type = {
    .ob_base = {.ob_base = {KR_IMMORTAL_REFCNT, NULL}},
    .tp_name = "filter",
    .tp_basicsize = sizeof(filterobject),
    .tp_dealloc = (destructor)filter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "filter(function or None, iterable) --> filter object\n\n"
              "Give the items for which the function is true, or with None "
              "the true items.",
    .tp_traverse = (traverseproc)filter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)filter_next,
    .tp_methods = filter_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = filter_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = (vectorcallfunc)filter_vectorcall,
};

/* --- map ---------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *iters; /* tuple */
    PyObject *func;
} mapobject;

static PyObject *
make_map(PyTypeObject *type, PyObject *func, PyObject *const *sequences,
         Py_ssize_t n)
{
    PyObject *iters = make_iterators(sequences, n);
    if (iters == NULL) {
        return NULL;
    }
    mapobject *self = (mapobject *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_DECREF(iters);
        return NULL;
    }
    self->iters = iters;
    self->func = Py_NewRef(func);
    return (PyObject *)self;
}

static PyObject *
map_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if ((type == &PyMap_Type || type->tp_init == PyMap_Type.tp_init) &&
        !_PyArg_NoKeywords("map", kwds)) {
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n < 2) {
        PyErr_SetString(PyExc_TypeError,
                        "map() must have at least two arguments.");
        return NULL;
    }
    PyObject **items = &PyTuple_GET_ITEM(args, 0);
    return make_map(type, items[0], items + 1, n - 1);
}

static PyObject *
map_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
               PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("map", kwnames)) {
        return NULL;
    }
    if (nargs < 2) {
        PyErr_SetString(PyExc_TypeError,
                        "map() must have at least two arguments.");
        return NULL;
    }
    return make_map((PyTypeObject *)type, args[0], args + 1, nargs - 1);
}

static void
map_dealloc(mapobject *self)
{
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, map_dealloc)
    Py_XDECREF(self->iters);
    Py_XDECREF(self->func);
    Py_TYPE(self)->tp_free(self);
    Py_TRASHCAN_END
}

static int
map_traverse(mapobject *self, visitproc visit, void *arg)
{
    Py_VISIT(self->iters);
    Py_VISIT(self->func);
    return 0;
}

static PyObject *
map_next(mapobject *self)
{
    Py_ssize_t n = PyTuple_GET_SIZE(self->iters);
    PyObject *small[8], **stack = small;
    if (n > 8) {
        stack = PyMem_Malloc((size_t)n * sizeof(*stack));
        if (stack == NULL) {
            return PyErr_NoMemory();
        }
    }
    PyObject *result = NULL;
    Py_ssize_t got = 0;
    for (; got < n; got++) {
        stack[got] = advance(PyTuple_GET_ITEM(self->iters, got));
        if (stack[got] == NULL) {
            goto done;
        }
    }
    result = PyObject_Vectorcall(self->func, stack, (size_t)n, NULL);
done:
    for (Py_ssize_t i = 0; i < got; i++) {
        Py_DECREF(stack[i]);
    }
    if (stack != small) {
        PyMem_Free(stack);
    }
    return result;
}

static PyObject *
map_reduce(mapobject *self, PyObject *Py_UNUSED(ignored))
{
    Py_ssize_t n = PyTuple_GET_SIZE(self->iters);
    PyObject *args = PyTuple_New(n + 1);
    if (args == NULL) {
        return NULL;
    }
    PyTuple_SET_ITEM(args, 0, Py_NewRef(self->func));
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTuple_SET_ITEM(args, i + 1,
                         Py_NewRef(PyTuple_GET_ITEM(self->iters, i)));
    }
    return Py_BuildValue("ON", Py_TYPE(self), args);
}

static PyMethodDef map_methods[] = {
    {"__reduce__", (PyCFunction)map_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject PyMap_Type = {
    .ob_base = {.ob_base = {KR_IMMORTAL_REFCNT, NULL}},
    .tp_name = "map",
    .tp_basicsize = sizeof(mapobject),
    .tp_dealloc = (destructor)map_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "map(func, *iterables) --> map object\n\n"
              "Call the function with one item of each iterable at a time, "
              "until the\nshortest of them ends.",
    .tp_traverse = (traverseproc)map_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)map_next,
    .tp_methods = map_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = map_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = (vectorcallfunc)map_vectorcall,
};

/* --- zip ---------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    Py_ssize_t tuplesize;
    PyObject *ittuple;
    PyObject *result; /* reused while nobody else holds it */
    int strict;
} zipobject;

static PyObject *
zip_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    int strict = 0;
    if (kwds != NULL) {
        static char *kwlist[] = {"strict", NULL};
        PyObject *empty = PyTuple_New(0);
        if (empty == NULL) {
            return NULL;
        }
        int ok = PyArg_ParseTupleAndKeywords(empty, kwds, "|$p:zip", kwlist,
                                             &strict);
        Py_DECREF(empty);
        if (!ok) {
            return NULL;
        }
    }
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject *iters = make_iterators(&PyTuple_GET_ITEM(args, 0), n);
    PyObject *result = PyTuple_New(n);
    zipobject *self = NULL;
    if (iters != NULL && result != NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            PyTuple_SET_ITEM(result, i, Py_NewRef(Py_None));
        }
        self = (zipobject *)type->tp_alloc(type, 0);
    }
    if (self == NULL) {
        Py_XDECREF(iters);
        Py_XDECREF(result);
        return NULL;
    }
    self->ittuple = iters;
    self->tuplesize = n;
    self->result = result;
    self->strict = strict;
    return (PyObject *)self;
}

static void
zip_dealloc(zipobject *self)
{
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, zip_dealloc)
    Py_XDECREF(self->ittuple);
    Py_XDECREF(self->result);
    Py_TYPE(self)->tp_free(self);
    Py_TRASHCAN_END
}

static int
zip_traverse(zipobject *self, visitproc visit, void *arg)
{
    Py_VISIT(self->ittuple);
    Py_VISIT(self->result);
    return 0;
}

/* With strict: all must end together. `i` is the first that ended. NULL
 * always, with ValueError when they do not. */
static PyObject *
check_strict(zipobject *self, Py_ssize_t i)
{
    if (end_of_iteration() < 0) {
        return NULL;
    }
    if (i > 0) {
        PyErr_Format(PyExc_ValueError,
                     "zip() argument %zd is shorter than argument%s%zd", i + 1,
                     i == 1 ? " " : "s 1-", i);
        return NULL;
    }
    for (i = 1; i < self->tuplesize; i++) {
        PyObject *item = advance(PyTuple_GET_ITEM(self->ittuple, i));
        if (item != NULL) {
            Py_DECREF(item);
            PyErr_Format(PyExc_ValueError,
                         "zip() argument %zd is longer than argument%s%zd",
                         i + 1, i == 1 ? " " : "s 1-", i);
            return NULL;
        }
        if (end_of_iteration() < 0) {
            return NULL;
        }
    }
    return NULL;
}

static PyObject *
zip_next(zipobject *self)
{
    Py_ssize_t n = self->tuplesize;
    PyObject *result = self->result;
    if (n == 0) {
        return NULL;
    }
    int reuse = Py_REFCNT(result) == 1;
    if (reuse) {
        Py_INCREF(result);
    }
    else {
        result = PyTuple_New(n);
        if (result == NULL) {
            return NULL;
        }
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = advance(PyTuple_GET_ITEM(self->ittuple, i));
        if (item == NULL) {
            Py_DECREF(result);
            return self->strict ? check_strict(self, i) : NULL;
        }
        PyObject *old = PyTuple_GET_ITEM(result, i);
        PyTuple_SET_ITEM(result, i, item);
        Py_XDECREF(old);
    }
    /* a collection may have found the old items uninteresting */
    if (reuse && !kr_gc_is_tracked(result)) {
        kr_gc_track(result);
    }
    return result;
}

static PyObject *
zip_reduce(zipobject *self, PyObject *Py_UNUSED(ignored))
{
    if (self->strict) {
        return PyTuple_Pack(3, Py_TYPE(self), self->ittuple, Py_True);
    }
    return PyTuple_Pack(2, Py_TYPE(self), self->ittuple);
}

static PyObject *
zip_setstate(zipobject *self, PyObject *state)
{
    int strict = PyObject_IsTrue(state);
    if (strict < 0) {
        return NULL;
    }
    self->strict = strict;
    Py_RETURN_NONE;
}

static PyMethodDef zip_methods[] = {
    {"__reduce__", (PyCFunction)zip_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {"__setstate__", (PyCFunction)zip_setstate, METH_O,
     "Set state information for unpickling."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject PyZip_Type = {
    .ob_base = {.ob_base = {KR_IMMORTAL_REFCNT, NULL}},
    .tp_name = "zip",
    .tp_basicsize = sizeof(zipobject),
    .tp_dealloc = (destructor)zip_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "zip(*iterables, strict=False) --> tuples of one item of each\n"
              "\nEnds with the shortest iterable; if strict is true they "
              "must be of equal\nlength.\n\n"
              "   >>> list(zip('abcdefg', range(3), range(4)))\n"
              "   [('a', 0, 0), ('b', 1, 1), ('c', 2, 2)]",
    .tp_traverse = (traverseproc)zip_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)zip_next,
    .tp_methods = zip_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = zip_new,
    .tp_free = PyObject_GC_Del,
};
