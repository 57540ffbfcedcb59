/* enumerate and reversed. */
#include <Python.h>

#include "base/common.h"
#include "memory/gc.h"
#include "objects/abstract/abstract.h"
#include "objects/ids.h"
#include "objects/unpack.h"
#include "objects/immortal.h"
#include "objects/tuple.h"

#include <stdbool.h>

/* ---- enumerate */

typedef struct {
    PyObject_HEAD
    Py_ssize_t index; /* PY_SSIZE_T_MAX: use long_index */
    PyObject *iter;
    PyObject *result; /* a tuple to be used again */
    PyObject *long_index;
    PyObject *one;
} enumerate;

static PyObject *
enum_make(PyTypeObject *type, PyObject *iterable, PyObject *start)
{
    enumerate *en = (enumerate *)type->tp_alloc(type, 0);
    if (en == NULL) {
        return NULL;
    }
    en->one = PyLong_FromLong(1);
    if (start != NULL) {
        start = PyNumber_Index(start);
        if (start == NULL) {
            Py_DECREF(en);
            return NULL;
        }
        en->index = PyLong_AsSsize_t(start);
        if (en->index == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            en->index = PY_SSIZE_T_MAX;
            en->long_index = start;
        }
        else {
            Py_DECREF(start);
        }
    }
    en->iter = PyObject_GetIter(iterable);
    en->result = en->iter == NULL ? NULL : PyTuple_Pack(2, Py_None, Py_None);
    if (en->result == NULL) {
        Py_DECREF(en);
        return NULL;
    }
    return (PyObject *)en;
}

static PyObject *
enum_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static const char *const keywords[] = {"iterable", "start", NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .fname = "enumerate"};
    PyObject *buf[2];
    PyObject *const *a = kr_unpack_keywords(
        ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), kwargs, NULL,
        &parser, 1, 2, buf, 2);
    /* without keywords `a` is the tuple itself, which may end at one */
    Py_ssize_t given = PyTuple_GET_SIZE(args) +
                       (kwargs == NULL ? 0 : PyDict_GET_SIZE(kwargs));
    return a == NULL ? NULL
                     : enum_make(type, a[0], given > 1 ? a[1] : NULL);
}

static bool
is_keyword(PyObject *kwnames, Py_ssize_t i, const char *expected)
{
    PyObject *name = PyTuple_GET_ITEM(kwnames, i);
    if (_PyUnicode_EqualToASCIIString(name, expected)) {
        return true;
    }
    PyErr_Format(PyExc_TypeError,
                 "'%U' is an invalid keyword argument for enumerate()",
                 name);
    return false;
}

/* The common calls without a dict. */
static PyObject *
enum_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                PyObject *kwnames)
{
    PyTypeObject *tp = (PyTypeObject *)type;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    Py_ssize_t nkw = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    if (nargs == 0 && nkw != 1 && nkw != 2) {
        PyErr_SetString(PyExc_TypeError, "enumerate() missing required "
                                         "argument 'iterable'");
        return NULL;
    }
    if (nargs + nkw > 2) {
        PyErr_Format(PyExc_TypeError,
                     "enumerate() takes at most 2 arguments (%zd given)",
                     nargs + nkw);
        return NULL;
    }
    if (nkw == 2 && _PyUnicode_EqualToASCIIString(
                        PyTuple_GET_ITEM(kwnames, 0), "start")) {
        return is_keyword(kwnames, 1, "iterable")
                   ? enum_make(tp, args[1], args[0])
                   : NULL;
    }
    for (Py_ssize_t i = 0; i < nkw; i++) {
        if (!is_keyword(kwnames, i, nargs + i == 0 ? "iterable" : "start")) {
            return NULL;
        }
    }
    return enum_make(tp, args[0], nargs + nkw == 2 ? args[1] : NULL);
}

static void
enum_dealloc(PyObject *self)
{
    enumerate *en = (enumerate *)self;
    kr_gc_untrack(self);
    Py_XDECREF(en->iter);
    Py_XDECREF(en->result);
    Py_XDECREF(en->long_index);
    Py_XDECREF(en->one);
    Py_TYPE(self)->tp_free(self);
}

static int
enum_traverse(PyObject *self, visitproc visit, void *arg)
{
    enumerate *en = (enumerate *)self;
    Py_VISIT(en->iter);
    Py_VISIT(en->result);
    Py_VISIT(en->long_index);
    Py_VISIT(en->one);
    return 0;
}

/* The index as an object; moves on to the next. */
static PyObject *
next_index(enumerate *en)
{
    if (KR_LIKELY(en->index != PY_SSIZE_T_MAX)) {
        return PyLong_FromSsize_t(en->index++);
    }
    if (en->long_index == NULL) {
        en->long_index = PyLong_FromSsize_t(PY_SSIZE_T_MAX);
        if (en->long_index == NULL) {
            return NULL;
        }
    }
    PyObject *now = en->long_index;
    PyObject *next = PyNumber_Add(now, en->one);
    if (next == NULL) {
        return NULL;
    }
    en->long_index = next;
    return now;
}

static PyObject *
enum_next(PyObject *self)
{
    enumerate *en = (enumerate *)self;
    PyObject *item = Py_TYPE(en->iter)->tp_iternext(en->iter);
    if (item == NULL) {
        return NULL;
    }
    PyObject *index = next_index(en);
    if (index == NULL) {
        Py_DECREF(item);
        return NULL;
    }
    PyObject *result = en->result;
    if (Py_REFCNT(result) != 1) {
        return kr_tuple_pair_steal(index, item);
    }
    Py_INCREF(result);
    PyObject *old_index = PyTuple_GET_ITEM(result, 0);
    PyObject *old_item = PyTuple_GET_ITEM(result, 1);
    PyTuple_SET_ITEM(result, 0, index);
    PyTuple_SET_ITEM(result, 1, item);
    Py_DECREF(old_index);
    Py_DECREF(old_item);
    if (!kr_gc_is_tracked(result)) {
        kr_gc_track(result);
    }
    return result;
}

static PyObject *
enum_reduce(PyObject *self, PyObject *ignored)
{
    enumerate *en = (enumerate *)self;
    if (en->long_index != NULL) {
        return Py_BuildValue("O(OO)", Py_TYPE(en), en->iter, en->long_index);
    }
    return Py_BuildValue("O(On)", Py_TYPE(en), en->iter, en->index);
}

static PyMethodDef enum_methods[] = {
    {"__reduce__", enum_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

PyTypeObject PyEnum_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "enumerate",
    .tp_basicsize = sizeof(enumerate),
    .tp_dealloc = enum_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "enumerate(iterable, start=0)\n--\n\n"
              "An iterator over pairs of a count and an item.\n\n"
              "The count begins at start.",
    .tp_traverse = enum_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = enum_next,
    .tp_methods = enum_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = enum_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = enum_vectorcall,
};

/* ---- reversed */

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *seq; /* NULL when exhausted */
} reversed;

static PyObject *
reversed_make(PyTypeObject *type, PyObject *seq)
{
    PyObject *method = kr_lookup_special(seq, KR_ID(__reversed__));
    if (method == Py_None) {
        Py_DECREF(method);
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not reversible",
                     Py_TYPE(seq)->tp_name);
        return NULL;
    }
    if (method != NULL) {
        PyObject *res = PyObject_CallNoArgs(method);
        Py_DECREF(method);
        return res;
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (!PySequence_Check(seq)) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not reversible",
                     Py_TYPE(seq)->tp_name);
        return NULL;
    }
    Py_ssize_t n = PySequence_Size(seq);
    if (n == -1) {
        return NULL;
    }
    reversed *ro = (reversed *)type->tp_alloc(type, 0);
    if (ro == NULL) {
        return NULL;
    }
    ro->index = n - 1;
    ro->seq = Py_NewRef(seq);
    return (PyObject *)ro;
}

static PyObject *
reversed_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *seq;
    if ((type == &PyReversed_Type || type->tp_init == PyReversed_Type.tp_init)
        && !_PyArg_NoKeywords("reversed", kwds)) {
        return NULL;
    }
    if (!PyArg_UnpackTuple(args, "reversed", 1, 1, &seq)) {
        return NULL;
    }
    return reversed_make(type, seq);
}

static PyObject *
reversed_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                    PyObject *kwnames)
{
    if (!_PyArg_NoKwnames("reversed", kwnames)
        || !_PyArg_CheckPositional("reversed", PyVectorcall_NARGS(nargsf), 1,
                                   1)) {
        return NULL;
    }
    return reversed_make((PyTypeObject *)type, args[0]);
}

static void
reversed_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(((reversed *)self)->seq);
    Py_TYPE(self)->tp_free(self);
}

static int
reversed_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((reversed *)self)->seq);
    return 0;
}

static PyObject *
reversed_next(PyObject *self)
{
    reversed *ro = (reversed *)self;
    Py_ssize_t index = ro->index;
    if (index >= 0) {
        PyObject *item = PySequence_GetItem(ro->seq, index);
        if (item != NULL) {
            ro->index--;
            return item;
        }
        if (PyErr_ExceptionMatches(PyExc_IndexError)
            || PyErr_ExceptionMatches(PyExc_StopIteration)) {
            PyErr_Clear();
        }
    }
    ro->index = -1;
    Py_CLEAR(ro->seq);
    return NULL;
}

static PyObject *
reversed_len(PyObject *self, PyObject *ignored)
{
    reversed *ro = (reversed *)self;
    if (ro->seq == NULL) {
        return PyLong_FromLong(0);
    }
    Py_ssize_t n = PySequence_Size(ro->seq);
    if (n == -1) {
        return NULL;
    }
    return PyLong_FromSsize_t(n < ro->index + 1 ? 0 : ro->index + 1);
}

static PyObject *
reversed_reduce(PyObject *self, PyObject *ignored)
{
    reversed *ro = (reversed *)self;
    if (ro->seq != NULL) {
        return Py_BuildValue("O(O)n", Py_TYPE(ro), ro->seq, ro->index);
    }
    return Py_BuildValue("O(())", Py_TYPE(ro));
}

static PyObject *
reversed_setstate(PyObject *self, PyObject *state)
{
    reversed *ro = (reversed *)self;
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (ro->seq != NULL) {
        Py_ssize_t n = PySequence_Size(ro->seq);
        if (n < 0) {
            return NULL;
        }
        ro->index = index < -1 ? -1 : (index > n - 1 ? n - 1 : index);
    }
    Py_RETURN_NONE;
}

static PyMethodDef reversed_methods[] = {
    {"__length_hint__", reversed_len, METH_NOARGS,
     "Private method returning an estimate of len(list(it))."},
    {"__reduce__", reversed_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {"__setstate__", reversed_setstate, METH_O,
     "Set state information for unpickling."},
    {NULL},
};

PyTypeObject PyReversed_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "reversed",
    .tp_basicsize = sizeof(reversed),
    .tp_dealloc = reversed_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "reversed(sequence, /)\n--\n\n"
              "An iterator over the items of a sequence, last first.",
    .tp_traverse = reversed_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = reversed_next,
    .tp_methods = reversed_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = reversed_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = reversed_vectorcall,
};
