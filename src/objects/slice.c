/* Slices and the Ellipsis. */
#include <Python.h>
#include <structmember.h>

#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/tuple.h"

/* ---- Ellipsis */

static PyObject *
ellipsis_repr(PyObject *self)
{
    return PyUnicode_FromString("Ellipsis");
}

static PyObject *
ellipsis_reduce(PyObject *self, PyObject *ignored)
{
    return PyUnicode_FromString("Ellipsis");
}

static PyObject *
ellipsis_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) || (kwargs && PyDict_GET_SIZE(kwargs))) {
        PyErr_SetString(PyExc_TypeError, "EllipsisType takes no arguments");
        return NULL;
    }
    return Py_NewRef(Py_Ellipsis);
}

static void
ellipsis_dealloc(PyObject *self)
{
    kr_make_immortal(self);
}

static PyMethodDef ellipsis_methods[] = {
    {"__reduce__", ellipsis_reduce, METH_NOARGS, NULL},
    {NULL},
};

PyTypeObject PyEllipsis_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "ellipsis",
    .tp_dealloc = ellipsis_dealloc,
    .tp_basicsize = sizeof(PyObject),
    .tp_repr = ellipsis_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = ellipsis_methods,
    .tp_new = ellipsis_new,
};

PyObject _Py_EllipsisObject = KR_IMMORTAL_HEAD(&PyEllipsis_Type);

/* ---- making slices */

static PySliceObject *
new_steal(PyObject *start, PyObject *stop, PyObject *step)
{
    PySliceObject *obj = PyObject_GC_New(PySliceObject, &PySlice_Type);
    if (obj == NULL) {
        Py_DECREF(start);
        Py_DECREF(stop);
        Py_DECREF(step);
        return NULL;
    }
    obj->start = start;
    obj->stop = stop;
    obj->step = step;
    kr_gc_track((PyObject *)obj);
    return obj;
}

PyObject *
PySlice_New(PyObject *start, PyObject *stop, PyObject *step)
{
    return (PyObject *)new_steal(Py_NewRef(start ? start : Py_None),
                                 Py_NewRef(stop ? stop : Py_None),
                                 Py_NewRef(step ? step : Py_None));
}

/* slice(start, stop, None) with both references taken over; NULL in, NULL
 * out. Implements the VM's slicing. */
PyObject *_PyBuildSlice_ConsumeRefs(PyObject *start, PyObject *stop);

PyObject *
_PyBuildSlice_ConsumeRefs(PyObject *start, PyObject *stop)
{
    return (PyObject *)new_steal(start, stop, Py_NewRef(Py_None));
}

PyObject *
_PySlice_FromIndices(Py_ssize_t istart, Py_ssize_t istop)
{
    PyObject *start = PyLong_FromSsize_t(istart);
    PyObject *stop = start ? PyLong_FromSsize_t(istop) : NULL;
    if (stop == NULL) {
        Py_XDECREF(start);
        return NULL;
    }
    return (PyObject *)new_steal(start, stop, Py_NewRef(Py_None));
}

/* ---- indices */

/* The old form: no __index__, no error for what does not fit. */
int
PySlice_GetIndices(PyObject *_r, Py_ssize_t length, Py_ssize_t *start,
                   Py_ssize_t *stop, Py_ssize_t *step)
{
    PySliceObject *r = (PySliceObject *)_r;
    *step = 1;
    if (r->step != Py_None) {
        if (!PyLong_Check(r->step)) {
            return -1;
        }
        *step = PyLong_AsSsize_t(r->step);
    }
    *start = *step < 0 ? length - 1 : 0;
    if (r->start != Py_None) {
        if (!PyLong_Check(r->start)) {
            return -1;
        }
        *start = PyLong_AsSsize_t(r->start);
        *start += *start < 0 ? length : 0;
    }
    *stop = *step < 0 ? -1 : length;
    if (r->stop != Py_None) {
        if (!PyLong_Check(r->stop)) {
            return -1;
        }
        *stop = PyLong_AsSsize_t(r->stop);
        *stop += *stop < 0 ? length : 0;
    }
    return *stop > length || *start >= length || *step == 0 ? -1 : 0;
}

int
PySlice_Unpack(PyObject *_r, Py_ssize_t *start, Py_ssize_t *stop,
               Py_ssize_t *step)
{
    PySliceObject *r = (PySliceObject *)_r;
    *step = 1;
    if (r->step != Py_None) {
        if (!_PyEval_SliceIndex(r->step, step)) {
            return -1;
        }
        if (*step == 0) {
            PyErr_SetString(PyExc_ValueError, "slice step cannot be zero");
            return -1;
        }
        /* so that -step is defined */
        *step = *step < -PY_SSIZE_T_MAX ? -PY_SSIZE_T_MAX : *step;
    }
    *start = *step < 0 ? PY_SSIZE_T_MAX : 0;
    if (r->start != Py_None && !_PyEval_SliceIndex(r->start, start)) {
        return -1;
    }
    *stop = *step < 0 ? PY_SSIZE_T_MIN : PY_SSIZE_T_MAX;
    if (r->stop != Py_None && !_PyEval_SliceIndex(r->stop, stop)) {
        return -1;
    }
    return 0;
}

static Py_ssize_t
clamp(Py_ssize_t i, Py_ssize_t length, Py_ssize_t step)
{
    if (i < 0) {
        i += length;
        return i < 0 ? (step < 0 ? -1 : 0) : i;
    }
    return i >= length ? (step < 0 ? length - 1 : length) : i;
}

Py_ssize_t
PySlice_AdjustIndices(Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop,
                      Py_ssize_t step)
{
    *start = clamp(*start, length, step);
    *stop = clamp(*stop, length, step);
    if (step < 0) {
        return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
    }
    return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

#undef PySlice_GetIndicesEx
PyAPI_FUNC(int)
    PySlice_GetIndicesEx(PyObject *, Py_ssize_t, Py_ssize_t *, Py_ssize_t *,
                         Py_ssize_t *, Py_ssize_t *);

int
PySlice_GetIndicesEx(PyObject *_r, Py_ssize_t length, Py_ssize_t *start,
                     Py_ssize_t *stop, Py_ssize_t *step,
                     Py_ssize_t *slicelength)
{
    if (PySlice_Unpack(_r, start, stop, step) < 0) {
        return -1;
    }
    *slicelength = PySlice_AdjustIndices(length, start, stop, *step);
    return 0;
}

static PyObject *
as_int(PyObject *v)
{
    if (!PyIndex_Check(v)) {
        PyErr_SetString(PyExc_TypeError,
                        "slice indices must be integers or "
                        "None or have an __index__ method");
        return NULL;
    }
    return PyNumber_Index(v);
}

/* A bound as an int within [lower, upper], counted from the end if negative;
 * `missing` if it is None. New reference, or NULL with an exception. */
static PyObject *
long_bound(PyObject *v, PyObject *length, PyObject *lower, PyObject *upper,
           PyObject *missing)
{
    if (v == Py_None) {
        return Py_NewRef(missing);
    }
    PyObject *i = as_int(v);
    if (i == NULL) {
        return NULL;
    }
    PyObject *limit = upper;
    int op = Py_GT;
    if (_PyLong_Sign(i) < 0) {
        Py_SETREF(i, PyNumber_Add(i, length));
        if (i == NULL) {
            return NULL;
        }
        limit = lower;
        op = Py_LT;
    }
    int beyond = PyObject_RichCompareBool(i, limit, op);
    if (beyond < 0) {
        Py_DECREF(i);
        return NULL;
    }
    if (beyond) {
        Py_SETREF(i, Py_NewRef(limit));
    }
    return i;
}

/* indices() for a length of any size. */
int
_PySlice_GetLongIndices(PySliceObject *self, PyObject *length,
                        PyObject **start_ptr, PyObject **stop_ptr,
                        PyObject **step_ptr)
{
    PyObject *step, *start = NULL, *stop = NULL, *lower = NULL, *upper = NULL;
    step = self->step == Py_None ? PyLong_FromLong(1) : as_int(self->step);
    if (step == NULL) {
        goto error;
    }
    int sign = _PyLong_Sign(step);
    if (sign == 0) {
        PyErr_SetString(PyExc_ValueError, "slice step cannot be zero");
        goto error;
    }
    lower = PyLong_FromLong(sign < 0 ? -1 : 0);
    if (lower == NULL) {
        goto error;
    }
    upper = sign < 0 ? PyNumber_Add(length, lower) : Py_NewRef(length);
    if (upper == NULL) {
        goto error;
    }
    start = long_bound(self->start, length, lower, upper,
                       sign < 0 ? upper : lower);
    if (start == NULL) {
        goto error;
    }
    stop = long_bound(self->stop, length, lower, upper,
                      sign < 0 ? lower : upper);
    if (stop == NULL) {
        goto error;
    }
    *start_ptr = start;
    *stop_ptr = stop;
    *step_ptr = step;
    Py_DECREF(upper);
    Py_DECREF(lower);
    return 0;
error:
    *start_ptr = *stop_ptr = *step_ptr = NULL;
    Py_XDECREF(start);
    Py_XDECREF(stop);
    Py_XDECREF(step);
    Py_XDECREF(lower);
    Py_XDECREF(upper);
    return -1;
}

static PyObject *
slice_indices(PyObject *self, PyObject *len)
{
    PyObject *start, *stop, *step;
    PyObject *length = PyNumber_Index(len);
    if (length == NULL) {
        return NULL;
    }
    if (_PyLong_Sign(length) < 0) {
        PyErr_SetString(PyExc_ValueError, "length should not be negative");
        Py_DECREF(length);
        return NULL;
    }
    int err = _PySlice_GetLongIndices((PySliceObject *)self, length, &start,
                                      &stop, &step);
    Py_DECREF(length);
    return err < 0 ? NULL : Py_BuildValue("(NNN)", start, stop, step);
}

/* ---- the type */

static PyObject *
slice_new(PyTypeObject *type, PyObject *args, PyObject *kw)
{
    PyObject *start = NULL, *stop = NULL, *step = NULL;
    if (!_PyArg_NoKeywords("slice", kw)
        || !PyArg_UnpackTuple(args, "slice", 1, 3, &start, &stop, &step)) {
        return NULL;
    }
    if (stop == NULL) { /* the only argument is where it stops */
        stop = start;
        start = NULL;
    }
    return PySlice_New(start, stop, step);
}

static void
slice_dealloc(PyObject *self)
{
    PySliceObject *r = (PySliceObject *)self;
    kr_gc_untrack(self);
    Py_DECREF(r->step);
    Py_DECREF(r->start);
    Py_DECREF(r->stop);
    PyObject_GC_Del(r);
}

static int
slice_traverse(PyObject *self, visitproc visit, void *arg)
{
    PySliceObject *v = (PySliceObject *)self;
    Py_VISIT(v->start);
    Py_VISIT(v->stop);
    Py_VISIT(v->step);
    return 0;
}

static PyObject *
slice_repr(PyObject *self)
{
    PySliceObject *r = (PySliceObject *)self;
    return PyUnicode_FromFormat("slice(%R, %R, %R)", r->start, r->stop,
                                r->step);
}

static PyObject *
slice_reduce(PyObject *op, PyObject *ignored)
{
    PySliceObject *self = (PySliceObject *)op;
    return Py_BuildValue("O(OOO)", Py_TYPE(self), self->start, self->stop,
                         self->step);
}

static PyObject *
slice_richcompare(PyObject *v, PyObject *w, int op)
{
    if (!PySlice_Check(v) || !PySlice_Check(w)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (v == w) {
        return PyBool_FromLong(op == Py_EQ || op == Py_LE || op == Py_GE);
    }
    PySliceObject *a = (PySliceObject *)v, *b = (PySliceObject *)w;
    PyObject *t1 = PyTuple_Pack(3, a->start, a->stop, a->step);
    PyObject *t2 = PyTuple_Pack(3, b->start, b->stop, b->step);
    PyObject *res =
        t1 != NULL && t2 != NULL ? PyObject_RichCompare(t1, t2, op) : NULL;
    Py_XDECREF(t1);
    Py_XDECREF(t2);
    return res;
}

static PyMemberDef slice_members[] = {
    {"start", T_OBJECT, offsetof(PySliceObject, start), READONLY},
    {"stop", T_OBJECT, offsetof(PySliceObject, stop), READONLY},
    {"step", T_OBJECT, offsetof(PySliceObject, step), READONLY},
    {NULL},
};

static PyMethodDef slice_methods[] = {
    {"indices", slice_indices, METH_O,
     "S.indices(len) -> (start, stop, stride)\n\n"
     "The indices that the slice stands for in a sequence of length len:\n"
     "none of them is out of bounds."},
    {"__reduce__", slice_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {NULL},
};

PyTypeObject PySlice_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "slice",
    .tp_basicsize = sizeof(PySliceObject),
    .tp_dealloc = slice_dealloc,
    .tp_repr = slice_repr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "slice(stop)\nslice(start, stop[, step])\n\n"
              "A slice object, as extended slicing makes it (a[0:10:2]).",
    .tp_traverse = slice_traverse,
    .tp_richcompare = slice_richcompare,
    .tp_methods = slice_methods,
    .tp_members = slice_members,
    .tp_new = slice_new,
};
