/* range: an arithmetic progression of ints of any size. */
#include <Python.h>
#include <structmember.h>

#include "base/common.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/range.h"

#define RANGE(op) ((kr_range *)(op))

static PyObject *
one_object(void)
{
    return PyLong_FromLong(1); /* a small int: never fails */
}

/* Bounds as C numbers, if they all fit. */
static bool
as_longs(PyObject *start, PyObject *stop, PyObject *step, long *out)
{
    PyObject *objects[] = {start, stop, step};
    for (int i = 0; i < 3; i++) {
        int overflow;
        out[i] = PyLong_AsLongAndOverflow(objects[i], &overflow);
        if (overflow || out[i] == LONG_MIN) {
            return false;
        }
    }
    return true;
}

/* Number of items from lo up to, not including, hi in steps of step > 0. */
static unsigned long
count_items(long lo, long hi, unsigned long step)
{
    return lo >= hi ? 0
                    : ((unsigned long)hi - (unsigned long)lo - 1) / step + 1;
}

/* Length as an int object. */
static PyObject *
compute_length(PyObject *start, PyObject *stop, PyObject *step)
{
    long v[3];
    if (as_longs(start, stop, step, v)) {
        unsigned long n =
            v[2] > 0 ? count_items(v[0], v[1], (unsigned long)v[2])
                     : count_items(v[1], v[0], 0UL - (unsigned long)v[2]);
        return PyLong_FromUnsignedLong(n);
    }
    PyObject *lo = start, *hi = stop, *size = Py_NewRef(step);
    PyObject *result = NULL, *diff = NULL, *one = one_object();
    if (_PyLong_Sign(step) < 0) {
        lo = stop;
        hi = start;
        Py_SETREF(size, PyNumber_Negative(step));
        if (size == NULL) {
            goto done;
        }
    }
    int empty = PyObject_RichCompareBool(lo, hi, Py_GE);
    if (empty != 0) {
        result = empty < 0 ? NULL : PyLong_FromLong(0);
        goto done;
    }
    /* (hi - lo - 1) // size + 1 */
    diff = PyNumber_Subtract(hi, lo);
    if (diff == NULL) {
        goto done;
    }
    Py_SETREF(diff, PyNumber_Subtract(diff, one));
    if (diff == NULL) {
        goto done;
    }
    Py_SETREF(diff, PyNumber_FloorDivide(diff, size));
    if (diff != NULL) {
        result = PyNumber_Add(diff, one);
    }
done:
    Py_XDECREF(diff);
    Py_XDECREF(size);
    Py_DECREF(one);
    return result;
}

/* Takes over the bounds. */
static kr_range *
make_range(PyTypeObject *type, PyObject *start, PyObject *stop,
           PyObject *step)
{
    kr_range *obj = NULL;
    PyObject *length = compute_length(start, stop, step);
    if (length != NULL) {
        obj = PyObject_New(kr_range, type);
    }
    if (obj == NULL) {
        Py_XDECREF(length);
        Py_DECREF(start);
        Py_DECREF(stop);
        Py_DECREF(step);
        return NULL;
    }
    obj->start = start;
    obj->stop = stop;
    obj->step = step;
    obj->length = length;
    return obj;
}

static PyObject *
range_from(PyTypeObject *type, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *start, *stop, *step;
    switch (nargs) {
    case 3:
    case 2:
        start = PyNumber_Index(args[0]);
        if (start == NULL) {
            return NULL;
        }
        stop = PyNumber_Index(args[1]);
        if (stop == NULL) {
            Py_DECREF(start);
            return NULL;
        }
        step = nargs == 3 ? PyNumber_Index(args[2]) : one_object();
        if (step != NULL && _PyLong_Sign(step) == 0) {
            PyErr_SetString(PyExc_ValueError,
                            "range() arg 3 must not be zero");
            Py_CLEAR(step);
        }
        if (step == NULL) {
            Py_DECREF(start);
            Py_DECREF(stop);
            return NULL;
        }
        break;
    case 1:
        stop = PyNumber_Index(args[0]);
        if (stop == NULL) {
            return NULL;
        }
        start = PyLong_FromLong(0);
        step = one_object();
        break;
    case 0:
        PyErr_SetString(PyExc_TypeError,
                        "range expected at least 1 argument, got 0");
        return NULL;
    default:
        PyErr_Format(PyExc_TypeError,
                     "range expected at most 3 arguments, got %zd", nargs);
        return NULL;
    }
    return (PyObject *)make_range(type, start, stop, step);
}

static PyObject *
range_new(PyTypeObject *type, PyObject *args, PyObject *kw)
{
    if (!_PyArg_NoKeywords("range", kw)) {
        return NULL;
    }
    return range_from(type, ((PyTupleObject *)args)->ob_item,
                      PyTuple_GET_SIZE(args));
}

static PyObject *
range_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                 PyObject *kwnames)
{
    if (!_PyArg_NoKwnames("range", kwnames)) {
        return NULL;
    }
    return range_from((PyTypeObject *)type, args, PyVectorcall_NARGS(nargsf));
}

static void
range_dealloc(PyObject *self)
{
    kr_range *r = RANGE(self);
    Py_DECREF(r->start);
    Py_DECREF(r->stop);
    Py_DECREF(r->step);
    Py_DECREF(r->length);
    PyObject_Free(r);
}

static Py_ssize_t
range_length(PyObject *self)
{
    return PyLong_AsSsize_t(RANGE(self)->length);
}

/* start + i * step */
static PyObject *
compute_item(PyObject *start, PyObject *i, PyObject *step)
{
    PyObject *product = PyNumber_Multiply(i, step);
    if (product == NULL) {
        return NULL;
    }
    PyObject *result = PyNumber_Add(start, product);
    Py_DECREF(product);
    return result;
}

/* Item at an int index, which may count from the end. */
static PyObject *
item_at(kr_range *r, PyObject *arg)
{
    PyObject *i = Py_NewRef(arg), *result = NULL;
    if (_PyLong_Sign(arg) < 0) {
        Py_SETREF(i, PyNumber_Add(r->length, arg));
        if (i == NULL) {
            return NULL;
        }
    }
    int inside = _PyLong_Sign(i) < 0
                     ? 0
                     : PyObject_RichCompareBool(i, r->length, Py_LT);
    if (inside > 0) {
        result = compute_item(r->start, i, r->step);
    }
    else if (inside == 0) {
        PyErr_SetString(PyExc_IndexError, "range object index out of range");
    }
    Py_DECREF(i);
    return result;
}

static PyObject *
range_item(PyObject *self, Py_ssize_t i)
{
    PyObject *index = PyLong_FromSsize_t(i);
    if (index == NULL) {
        return NULL;
    }
    PyObject *res = item_at(RANGE(self), index);
    Py_DECREF(index);
    return res;
}

static PyObject *
slice_of(kr_range *r, PyObject *slice)
{
    PyObject *start, *stop, *step;
    if (_PySlice_GetLongIndices((PySliceObject *)slice, r->length, &start,
                                &stop, &step) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    PyObject *substep = PyNumber_Multiply(r->step, step);
    PyObject *substart =
        substep ? compute_item(r->start, start, r->step) : NULL;
    PyObject *substop = substart ? compute_item(r->start, stop, r->step) : NULL;
    if (substop != NULL) {
        result = (PyObject *)make_range(Py_TYPE(r), substart, substop, substep);
    }
    else {
        Py_XDECREF(substart);
        Py_XDECREF(substep);
    }
    Py_DECREF(start);
    Py_DECREF(stop);
    Py_DECREF(step);
    return result;
}

static PyObject *
range_subscript(PyObject *self, PyObject *item)
{
    if (PyIndex_Check(item)) {
        PyObject *i = PyNumber_Index(item);
        if (i == NULL) {
            return NULL;
        }
        PyObject *result = item_at(RANGE(self), i);
        Py_DECREF(i);
        return result;
    }
    if (PySlice_Check(item)) {
        return slice_of(RANGE(self), item);
    }
    PyErr_Format(PyExc_TypeError,
                 "range indices must be integers or slices, not %.200s",
                 Py_TYPE(item)->tp_name);
    return NULL;
}

/* ---- membership, for ints and bools only */

static int
contains_int(kr_range *r, PyObject *ob)
{
    PyObject *low = r->start, *high = ob;
    int up = _PyLong_Sign(r->step) > 0;
    int cmp1 = PyObject_RichCompareBool(r->start, ob, up ? Py_LE : Py_GE);
    int cmp2 = cmp1 <= 0
                   ? cmp1
                   : PyObject_RichCompareBool(ob, r->stop, up ? Py_LT : Py_GT);
    if (cmp2 <= 0) {
        return cmp2;
    }
    PyObject *diff = PyNumber_Subtract(high, low);
    if (diff == NULL) {
        return -1;
    }
    Py_SETREF(diff, PyNumber_Remainder(diff, r->step));
    if (diff == NULL) {
        return -1;
    }
    int zero = _PyLong_Sign(diff) == 0;
    Py_DECREF(diff);
    return zero;
}

static bool
is_plain_int(PyObject *ob)
{
    return PyLong_CheckExact(ob) || PyBool_Check(ob);
}

static int
range_contains(PyObject *self, PyObject *ob)
{
    if (is_plain_int(ob)) {
        return contains_int(RANGE(self), ob);
    }
    return (int)_PySequence_IterSearch(self, ob, PY_ITERSEARCH_CONTAINS);
}

static PyObject *
range_count(PyObject *self, PyObject *ob)
{
    if (is_plain_int(ob)) {
        int found = contains_int(RANGE(self), ob);
        return found < 0 ? NULL : PyLong_FromLong(found);
    }
    Py_ssize_t count = _PySequence_IterSearch(self, ob, PY_ITERSEARCH_COUNT);
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject *
range_index(PyObject *self, PyObject *ob)
{
    kr_range *r = RANGE(self);
    if (!is_plain_int(ob)) {
        Py_ssize_t index =
            _PySequence_IterSearch(self, ob, PY_ITERSEARCH_INDEX);
        return index < 0 ? NULL : PyLong_FromSsize_t(index);
    }
    int found = contains_int(r, ob);
    if (found < 0) {
        return NULL;
    }
    if (found == 0) {
        PyErr_Format(PyExc_ValueError, "%R is not in range", ob);
        return NULL;
    }
    PyObject *index = PyNumber_Subtract(ob, r->start);
    if (index != NULL) {
        Py_SETREF(index, PyNumber_FloorDivide(index, r->step));
    }
    return index;
}

/* ---- comparison: equal as sequences */

static int
range_equals(kr_range *a, kr_range *b)
{
    if (a == b) {
        return 1;
    }
    int eq = PyObject_RichCompareBool(a->length, b->length, Py_EQ);
    if (eq != 1 || _PyLong_Sign(a->length) == 0) {
        return eq;
    }
    eq = PyObject_RichCompareBool(a->start, b->start, Py_EQ);
    if (eq != 1) {
        return eq;
    }
    PyObject *one = one_object();
    eq = PyObject_RichCompareBool(a->length, one, Py_EQ);
    Py_DECREF(one);
    return eq != 0 ? eq : PyObject_RichCompareBool(a->step, b->step, Py_EQ);
}

static PyObject *
range_richcompare(PyObject *self, PyObject *other, int op)
{
    if (!PyRange_Check(other) || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int eq = range_equals(RANGE(self), RANGE(other));
    return eq < 0 ? NULL : PyBool_FromLong(eq == (op == Py_EQ));
}

/* As that of (length, start, step), with None for what does not matter. */
static Py_hash_t
range_hash(PyObject *self)
{
    kr_range *r = RANGE(self);
    PyObject *start = r->start, *step = r->step;
    if (_PyLong_Sign(r->length) == 0) {
        start = step = Py_None;
    }
    else {
        PyObject *one = one_object();
        int single = PyObject_RichCompareBool(r->length, one, Py_EQ);
        Py_DECREF(one);
        if (single < 0) {
            return -1;
        }
        step = single ? Py_None : step;
    }
    PyObject *t = PyTuple_Pack(3, r->length, start, step);
    if (t == NULL) {
        return -1;
    }
    Py_hash_t hash = PyObject_Hash(t);
    Py_DECREF(t);
    return hash;
}

static PyObject *
range_repr(PyObject *self)
{
    kr_range *r = RANGE(self);
    Py_ssize_t step = PyNumber_AsSsize_t(r->step, NULL);
    if (step == 1) {
        return PyUnicode_FromFormat("range(%R, %R)", r->start, r->stop);
    }
    return PyUnicode_FromFormat("range(%R, %R, %R)", r->start, r->stop,
                                r->step);
}

static PyObject *
range_reduce(PyObject *self, PyObject *ignored)
{
    kr_range *r = RANGE(self);
    return Py_BuildValue("(O(OOO))", Py_TYPE(r), r->start, r->stop, r->step);
}

static int
range_bool(PyObject *self)
{
    return _PyLong_Sign(RANGE(self)->length) != 0;
}

/* ---- iteration */

static PyObject *
range_iter(PyObject *self)
{
    kr_range *r = RANGE(self);
    long v[3];
    if (as_longs(r->start, r->stop, r->step, v)) {
        long len = PyLong_AsLong(r->length);
        if (len == -1 && PyErr_Occurred()) {
            PyErr_Clear();
        }
        else if (v[1] <= LONG_MAX - labs(v[2])
                 && v[1] >= -LONG_MAX + labs(v[2])) {
            return kr_range_iter_new(v[0], v[2], len);
        }
    }
    return kr_longrange_iter_new(r->start, r->step, r->length);
}

static PyObject *
range_reverse(PyObject *self, PyObject *ignored)
{
    kr_range *r = RANGE(self);
    long v[3];
    if (as_longs(r->start, r->stop, r->step, v)
        && v[0] <= LONG_MAX - labs(v[2]) && v[0] >= -LONG_MAX + labs(v[2])) {
        long len = PyLong_AsLong(r->length);
        if (len != -1 || !PyErr_Occurred()) {
            long last = (long)((unsigned long)v[0]
                               + (unsigned long)(len - 1)
                                     * (unsigned long)v[2]);
            return kr_range_iter_new(last, -v[2], len);
        }
        PyErr_Clear();
    }
    PyObject *result = NULL, *one = one_object(), *last = NULL, *step = NULL;
    PyObject *index = PyNumber_Subtract(r->length, one);
    if (index != NULL) {
        last = compute_item(r->start, index, r->step);
        Py_DECREF(index);
    }
    if (last != NULL) {
        step = PyNumber_Negative(r->step);
    }
    if (step != NULL) {
        result = kr_longrange_iter_new(last, step, r->length);
    }
    Py_XDECREF(last);
    Py_XDECREF(step);
    Py_DECREF(one);
    return result;
}

static PyMethodDef range_methods[] = {
    {"__reversed__", range_reverse, METH_NOARGS,
     "An iterator over the items, last first."},
    {"__reduce__", range_reduce, METH_VARARGS, NULL},
    {"count", range_count, METH_O,
     "rangeobject.count(value) -> integer -- how often the value occurs"},
    {"index", range_index, METH_O,
     "rangeobject.index(value) -> integer -- the index of the value.\n"
     "Raises ValueError if it is not there."},
    {NULL},
};

static PyMemberDef range_members[] = {
    {"start", T_OBJECT_EX, offsetof(kr_range, start), READONLY},
    {"stop", T_OBJECT_EX, offsetof(kr_range, stop), READONLY},
    {"step", T_OBJECT_EX, offsetof(kr_range, step), READONLY},
    {NULL},
};

static PyNumberMethods range_as_number = {.nb_bool = range_bool};

static PySequenceMethods range_as_sequence = {
    .sq_length = range_length,
    .sq_item = range_item,
    .sq_contains = range_contains,
};

static PyMappingMethods range_as_mapping = {
    .mp_length = range_length,
    .mp_subscript = range_subscript,
};

PyTypeObject PyRange_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "range",
    .tp_basicsize = sizeof(kr_range),
    .tp_dealloc = range_dealloc,
    .tp_repr = range_repr,
    .tp_as_number = &range_as_number,
    .tp_as_sequence = &range_as_sequence,
    .tp_as_mapping = &range_as_mapping,
    .tp_hash = range_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "range(stop) -> range object\n"
              "range(start, stop[, step]) -> range object\n\n"
              "The integers from start up to, not including, stop, in steps\n"
              "of step.",
    .tp_richcompare = range_richcompare,
    .tp_iter = range_iter,
    .tp_methods = range_methods,
    .tp_members = range_members,
    .tp_new = range_new,
    .tp_vectorcall = range_vectorcall,
};
