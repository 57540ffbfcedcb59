/* The tuple: a fixed array of references. */
#include <Python.h>

#include <string.h>

#include "memory/gc.h"
#include "memory/tstate.h"
#include "objects/immortal.h"
#include "objects/ids.h"
#include "objects/tuple.h"

PyTupleObject kr_empty_tuple = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyTuple_Type, 0),
};

static PyTupleObject *
alloc(Py_ssize_t n)
{
    if (KR_UNLIKELY((size_t)n > (PY_SSIZE_T_MAX - sizeof(PyTupleObject))
                                    / sizeof(PyObject *))) {
        return (PyTupleObject *)PyErr_NoMemory();
    }
    PyTupleObject *op = kr_gc_malloc(
        offsetof(PyTupleObject, ob_item) + (size_t)n * sizeof(PyObject *), 0);
    if (KR_LIKELY(op != NULL)) {
        op->ob_base.ob_base.ob_refcnt = 1;
        op->ob_base.ob_base.ob_type = &PyTuple_Type;
        op->ob_base.ob_size = n;
    }
    return op;
}

PyObject *
kr_tuple_new_raw(Py_ssize_t n)
{
    PyTupleObject *op = alloc(n);
    if (op != NULL) {
        kr_gc_track((PyObject *)op);
    }
    return (PyObject *)op;
}

PyObject *
PyTuple_New(Py_ssize_t size)
{
    if (size == 0) {
        return Py_NewRef((PyObject *)&kr_empty_tuple);
    }
    if (size < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyTupleObject *op = alloc(size);
    if (op == NULL) {
        return NULL;
    }
    memset(op->ob_item, 0, (size_t)size * sizeof(PyObject *));
    kr_gc_track((PyObject *)op);
    return (PyObject *)op;
}

PyObject *
_PyTuple_FromArray(PyObject *const *items, Py_ssize_t n)
{
    if (n == 0) {
        return PyTuple_New(0);
    }
    PyTupleObject *op = alloc(n);
    if (op == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        op->ob_item[i] = Py_NewRef(items[i]);
    }
    kr_gc_track((PyObject *)op);
    return (PyObject *)op;
}

PyObject *
_PyTuple_FromArraySteal(PyObject *const *items, Py_ssize_t n)
{
    if (n == 0) {
        return PyTuple_New(0);
    }
    PyTupleObject *op = alloc(n);
    if (op == NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_DECREF(items[i]);
        }
        return NULL;
    }
    memcpy(op->ob_item, items, (size_t)n * sizeof(PyObject *));
    kr_gc_track((PyObject *)op);
    return (PyObject *)op;
}

PyObject *
kr_tuple_pair_steal(PyObject *a, PyObject *b)
{
    PyObject *const items[] = {a, b};
    return _PyTuple_FromArraySteal(items, 2);
}

PyObject *
PyTuple_Pack(Py_ssize_t n, ...)
{
    if (n == 0) {
        return PyTuple_New(0);
    }
    PyTupleObject *op = alloc(n);
    if (op == NULL) {
        return NULL;
    }
    va_list va;
    va_start(va, n);
    for (Py_ssize_t i = 0; i < n; i++) {
        op->ob_item[i] = Py_NewRef(va_arg(va, PyObject *));
    }
    va_end(va);
    kr_gc_track((PyObject *)op);
    return (PyObject *)op;
}

Py_ssize_t
PyTuple_Size(PyObject *op)
{
    if (!PyTuple_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return Py_SIZE(op);
}

PyObject *
PyTuple_GetItem(PyObject *op, Py_ssize_t i)
{
    if (!PyTuple_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if ((size_t)i >= (size_t)Py_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return PyTuple_GET_ITEM(op, i);
}

int
PyTuple_SetItem(PyObject *op, Py_ssize_t i, PyObject *item)
{
    if (!PyTuple_Check(op) || Py_REFCNT(op) != 1) {
        Py_XDECREF(item);
        PyErr_BadInternalCall();
        return -1;
    }
    if ((size_t)i >= (size_t)Py_SIZE(op)) {
        Py_XDECREF(item);
        PyErr_SetString(PyExc_IndexError,
                        "tuple assignment index out of range");
        return -1;
    }
    PyObject **slot = &((PyTupleObject *)op)->ob_item[i];
    Py_XSETREF(*slot, item);
    return 0;
}

/* Whether the collector may have to follow `op`. */
static int
may_be_tracked(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (!PyType_HasFeature(type, Py_TPFLAGS_HAVE_GC)) {
        return 0;
    }
    if (type == &PyTuple_Type) {
        return kr_gc_is_tracked(op);
    }
    return type->tp_is_gc == NULL || type->tp_is_gc(op);
}

void
_PyTuple_MaybeUntrack(PyObject *op)
{
    if (!PyTuple_CheckExact(op) || !kr_gc_is_tracked(op)) {
        return;
    }
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        PyObject *item = PyTuple_GET_ITEM(op, i);
        /* a missing item means that the tuple is being filled */
        if (item == NULL || may_be_tracked(item)) {
            return;
        }
    }
    kr_gc_untrack(op);
}

int
_PyTuple_Resize(PyObject **pv, Py_ssize_t newsize)
{
    PyTupleObject *v = (PyTupleObject *)*pv;
    if (v == NULL || !Py_IS_TYPE(v, &PyTuple_Type)
        || (Py_SIZE(v) != 0 && Py_REFCNT(v) != 1)) {
        *pv = NULL;
        Py_XDECREF(v);
        PyErr_BadInternalCall();
        return -1;
    }
    Py_ssize_t oldsize = Py_SIZE(v);
    if (oldsize == newsize) {
        return 0;
    }
    PyTupleObject *w = (PyTupleObject *)PyTuple_New(newsize);
    if (w != NULL) {
        Py_ssize_t n = oldsize < newsize ? oldsize : newsize;
        for (Py_ssize_t i = 0; i < n; i++) {
            w->ob_item[i] = v->ob_item[i];
            v->ob_item[i] = NULL;
        }
    }
    *pv = (PyObject *)w;
    Py_DECREF(v);
    return w == NULL ? -1 : 0;
}

void
_PyTuple_DebugMallocStats(FILE *out)
{
    fprintf(out, "0 free tuples\n");
}

/* ---- type */

static void
tuple_dealloc(PyObject *self)
{
    PyTupleObject *op = (PyTupleObject *)self;
    if (KR_UNLIKELY(op == &kr_empty_tuple)) {
        kr_make_immortal(self);
        return;
    }
    kr_gc_untrack(self);
    Py_TRASHCAN_BEGIN(op, tuple_dealloc)
    for (Py_ssize_t i = Py_SIZE(op); --i >= 0;) {
        Py_XDECREF(op->ob_item[i]);
    }
    if (Py_IS_TYPE(self, &PyTuple_Type)) {
        kr_gc_free(self, 0);
    }
    else {
        Py_TYPE(self)->tp_free(self);
    }
    Py_TRASHCAN_END
}

static int
tuple_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyTupleObject *op = (PyTupleObject *)self;
    for (Py_ssize_t i = Py_SIZE(op); --i >= 0;) {
        Py_VISIT(op->ob_item[i]);
    }
    return 0;
}

static PyObject *
tuple_repr(PyObject *self)
{
    Py_ssize_t n = Py_SIZE(self);
    if (n == 0) {
        return PyUnicode_FromString("()");
    }
    /* a tuple can contain itself by way of a list or dict */
    int entered = Py_ReprEnter(self);
    if (entered != 0) {
        return entered > 0 ? PyUnicode_FromString("(...)") : NULL;
    }
    _PyUnicodeWriter writer;
    _PyUnicodeWriter_Init(&writer);
    writer.overallocate = 1;
    writer.min_length = n > 1 ? 1 + 1 + (2 + 1) * (n - 1) + 1 : 4;
    int err = _PyUnicodeWriter_WriteChar(&writer, '(');
    for (Py_ssize_t i = 0; err == 0 && i < n; i++) {
        if (i > 0) {
            err = _PyUnicodeWriter_WriteASCIIString(&writer, ", ", 2);
        }
        PyObject *item = PyTuple_GET_ITEM(self, i);
        PyObject *s = err == 0 ? PyObject_Repr(item) : NULL;
        err = s == NULL ? -1 : _PyUnicodeWriter_WriteStr(&writer, s);
        Py_XDECREF(s);
    }
    if (err == 0) {
        writer.overallocate = 0;
        err = n > 1 ? _PyUnicodeWriter_WriteChar(&writer, ')')
                    : _PyUnicodeWriter_WriteASCIIString(&writer, ",)", 2);
    }
    Py_ReprLeave(self);
    if (err != 0) {
        _PyUnicodeWriter_Dealloc(&writer);
        return NULL;
    }
    return _PyUnicodeWriter_Finish(&writer);
}

#define PRIME_1 11400714785074694791ULL
#define PRIME_2 14029467366897019727ULL
#define PRIME_5 2870177450012600261ULL

/* The lanes of xxHash64, so that every hash is the reference's. */
static Py_hash_t
tuple_hash(PyObject *self)
{
    PyTupleObject *v = (PyTupleObject *)self;
    Py_ssize_t n = Py_SIZE(v);
    uint64_t acc = PRIME_5;
    if (KR_UNLIKELY(kr_stack_is_low(kr_tstate()))) {
        PyErr_SetString(PyExc_RecursionError,
                        "maximum recursion depth exceeded while hashing");
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_hash_t lane = PyObject_Hash(v->ob_item[i]);
        if (lane == -1) {
            return -1;
        }
        acc += (uint64_t)lane * PRIME_2;
        acc = (acc << 31) | (acc >> 33);
        acc *= PRIME_1;
    }
    acc += (uint64_t)n ^ (PRIME_5 ^ 3527539ULL);
    return acc == (uint64_t)-1 ? 1546275796 : (Py_hash_t)acc;
}

static Py_ssize_t
tuple_length(PyObject *self)
{
    return Py_SIZE(self);
}

static int
tuple_contains(PyObject *self, PyObject *el)
{
    int cmp = 0;
    for (Py_ssize_t i = 0; cmp == 0 && i < Py_SIZE(self); i++) {
        cmp = PyObject_RichCompareBool(PyTuple_GET_ITEM(self, i), el, Py_EQ);
    }
    return cmp;
}

static PyObject *
tuple_item(PyObject *self, Py_ssize_t i)
{
    if ((size_t)i >= (size_t)Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(self, i));
}

static PyObject *
tuple_slice(PyObject *op, Py_ssize_t low, Py_ssize_t high)
{
    Py_ssize_t n = Py_SIZE(op);
    low = low < 0 ? 0 : low;
    high = high > n ? n : high;
    high = high < low ? low : high;
    if (low == 0 && high == n && PyTuple_CheckExact(op)) {
        return Py_NewRef(op);
    }
    return _PyTuple_FromArray(((PyTupleObject *)op)->ob_item + low, high - low);
}

PyObject *
PyTuple_GetSlice(PyObject *op, Py_ssize_t i, Py_ssize_t j)
{
    if (op == NULL || !PyTuple_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return tuple_slice(op, i, j);
}

static PyObject *
tuple_concat(PyObject *a, PyObject *b)
{
    if (Py_SIZE(a) == 0 && PyTuple_CheckExact(b)) {
        return Py_NewRef(b);
    }
    if (!PyTuple_Check(b)) {
        PyErr_Format(PyExc_TypeError,
                     "can only concatenate tuple (not \"%.200s\") to tuple",
                     Py_TYPE(b)->tp_name);
        return NULL;
    }
    if (Py_SIZE(b) == 0 && PyTuple_CheckExact(a)) {
        return Py_NewRef(a);
    }
    Py_ssize_t na = Py_SIZE(a), n = na + Py_SIZE(b);
    if (n == 0) {
        return PyTuple_New(0);
    }
    PyTupleObject *np = alloc(n);
    if (np == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item =
            i < na ? PyTuple_GET_ITEM(a, i) : PyTuple_GET_ITEM(b, i - na);
        np->ob_item[i] = Py_NewRef(item);
    }
    kr_gc_track((PyObject *)np);
    return (PyObject *)np;
}

static PyObject *
tuple_repeat(PyObject *a, Py_ssize_t n)
{
    Py_ssize_t size = Py_SIZE(a);
    if ((size == 0 || n == 1) && PyTuple_CheckExact(a)) {
        return Py_NewRef(a);
    }
    if (size == 0 || n <= 0) {
        return PyTuple_New(0);
    }
    if (n > PY_SSIZE_T_MAX / size) {
        return PyErr_NoMemory();
    }
    PyTupleObject *np = alloc(n * size);
    if (np == NULL) {
        return NULL;
    }
    PyObject **dest = np->ob_item;
    for (Py_ssize_t k = 0; k < n; k++) {
        for (Py_ssize_t i = 0; i < size; i++) {
            *dest++ = Py_NewRef(PyTuple_GET_ITEM(a, i));
        }
    }
    kr_gc_track((PyObject *)np);
    return (PyObject *)np;
}

static PyObject *
tuple_subscript(PyObject *self, PyObject *item)
{
    if (PyIndex_Check(item)) {
        Py_ssize_t i = PyNumber_AsSsize_t(item, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return tuple_item(self, i < 0 ? i + Py_SIZE(self) : i);
    }
    if (!PySlice_Check(item)) {
        PyErr_Format(PyExc_TypeError,
                     "tuple indices must be integers or slices, not %.200s",
                     Py_TYPE(item)->tp_name);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(item, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if (n <= 0) {
        return PyTuple_New(0);
    }
    if (step == 1) {
        return tuple_slice(self, start, start + n);
    }
    PyTupleObject *result = alloc(n);
    if (result == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        result->ob_item[i] =
            Py_NewRef(PyTuple_GET_ITEM(self, start + i * step));
    }
    kr_gc_track((PyObject *)result);
    return (PyObject *)result;
}

static PyObject *
tuple_richcompare(PyObject *v, PyObject *w, int op)
{
    if (!PyTuple_Check(v) || !PyTuple_Check(w)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t nv = Py_SIZE(v), nw = Py_SIZE(w), i = 0;
    for (; i < nv && i < nw; i++) {
        int eq = PyObject_RichCompareBool(PyTuple_GET_ITEM(v, i),
                                          PyTuple_GET_ITEM(w, i), Py_EQ);
        if (eq < 0) {
            return NULL;
        }
        if (eq == 0) {
            break;
        }
    }
    if (i >= nv || i >= nw) {
        Py_RETURN_RICHCOMPARE(nv, nw, op);
    }
    if (op == Py_EQ) {
        Py_RETURN_FALSE;
    }
    if (op == Py_NE) {
        Py_RETURN_TRUE;
    }
    return PyObject_RichCompare(PyTuple_GET_ITEM(v, i), PyTuple_GET_ITEM(w, i),
                                op);
}

/* ---- construction */

static PyObject *
make(PyTypeObject *type, PyObject *iterable)
{
    PyObject *tuple = iterable == NULL ? PyTuple_New(0)
                                       : PySequence_Tuple(iterable);
    if (tuple == NULL || type == &PyTuple_Type) {
        return tuple;
    }
    Py_ssize_t n = Py_SIZE(tuple);
    PyObject *self = type->tp_alloc(type, n);
    if (self != NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            PyTuple_SET_ITEM(self, i, Py_NewRef(PyTuple_GET_ITEM(tuple, i)));
        }
    }
    Py_DECREF(tuple);
    return self;
}

static PyObject *
tuple_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *iterable = NULL;
    if ((type == &PyTuple_Type || type->tp_init == PyTuple_Type.tp_init)
        && !_PyArg_NoKeywords("tuple", kwds)) {
        return NULL;
    }
    if (!PyArg_UnpackTuple(args, "tuple", 0, 1, &iterable)) {
        return NULL;
    }
    return make(type, iterable);
}

static PyObject *
tuple_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                 PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("tuple", kwnames)
        || !_PyArg_CheckPositional("tuple", nargs, 0, 1)) {
        return NULL;
    }
    return make((PyTypeObject *)type, nargs ? args[0] : NULL);
}

/* ---- methods */

static PyObject *
tuple_index(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX, n = Py_SIZE(self);
    if (!_PyArg_CheckPositional("index", nargs, 1, 3)
        || (nargs > 1 && !_PyEval_SliceIndexNotNone(args[1], &start))
        || (nargs > 2 && !_PyEval_SliceIndexNotNone(args[2], &stop))) {
        return NULL;
    }
    start = start < 0 ? (start + n < 0 ? 0 : start + n) : start;
    stop = stop < 0 ? stop + n : (stop > n ? n : stop);
    for (Py_ssize_t i = start; i < stop; i++) {
        int cmp = PyObject_RichCompareBool(PyTuple_GET_ITEM(self, i), args[0],
                                           Py_EQ);
        if (cmp != 0) {
            return cmp < 0 ? NULL : PyLong_FromSsize_t(i);
        }
    }
    PyErr_SetString(PyExc_ValueError, "tuple.index(x): x not in tuple");
    return NULL;
}

static PyObject *
tuple_count(PyObject *self, PyObject *value)
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        int cmp =
            PyObject_RichCompareBool(PyTuple_GET_ITEM(self, i), value, Py_EQ);
        if (cmp < 0) {
            return NULL;
        }
        count += cmp;
    }
    return PyLong_FromSsize_t(count);
}

static PyObject *
tuple_getnewargs(PyObject *self, PyObject *ignored)
{
    PyObject *copy =
        _PyTuple_FromArray(((PyTupleObject *)self)->ob_item, Py_SIZE(self));
    if (copy == NULL) {
        return NULL;
    }
    PyObject *result = PyTuple_Pack(1, copy);
    Py_DECREF(copy);
    return result;
}

static PyObject *tuple_iter(PyObject *seq);

static PyMethodDef methods[] = {
    {"__getnewargs__", tuple_getnewargs, METH_NOARGS,
     "__getnewargs__($self, /)\n--\n\n"},
    {"index", (PyCFunction)(void *)tuple_index, METH_FASTCALL,
     "index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n"
     "The first index of the value.\n\nRaises ValueError if it is not there."},
    {"count", tuple_count, METH_O,
     "count($self, value, /)\n--\n\nHow often the value occurs."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

static PySequenceMethods as_sequence = {
    .sq_length = tuple_length,
    .sq_concat = tuple_concat,
    .sq_repeat = tuple_repeat,
    .sq_item = tuple_item,
    .sq_contains = tuple_contains,
};

static PyMappingMethods as_mapping = {
    .mp_length = tuple_length,
    .mp_subscript = tuple_subscript,
};

PyTypeObject PyTuple_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "tuple",
    .tp_basicsize = sizeof(PyTupleObject) - sizeof(PyObject *),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = tuple_dealloc,
    .tp_repr = tuple_repr,
    .tp_as_sequence = &as_sequence,
    .tp_as_mapping = &as_mapping,
    .tp_hash = tuple_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | Py_TPFLAGS_TUPLE_SUBCLASS | _Py_TPFLAGS_MATCH_SELF
                | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "tuple(iterable=(), /)\n--\n\n"
              "An immutable sequence.\n\n"
              "Without argument: the empty tuple. With an iterable: a tuple\n"
              "of its items. A tuple is returned as it is.",
    .tp_traverse = tuple_traverse,
    .tp_richcompare = tuple_richcompare,
    .tp_iter = tuple_iter,
    .tp_methods = methods,
    .tp_new = tuple_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = tuple_vectorcall,
};

/* ---- iterator */

static PyObject *
tuple_iter(PyObject *seq)
{
    kr_tuple_iterator *it =
        PyObject_GC_New(kr_tuple_iterator, &PyTupleIter_Type);
    if (it == NULL) {
        return NULL;
    }
    it->index = 0;
    it->seq = (PyTupleObject *)Py_NewRef(seq);
    kr_gc_track((PyObject *)it);
    return (PyObject *)it;
}

static void
iter_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(((kr_tuple_iterator *)self)->seq);
    PyObject_GC_Del(self);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((kr_tuple_iterator *)self)->seq);
    return 0;
}

static PyObject *
iter_next(PyObject *self)
{
    kr_tuple_iterator *it = (kr_tuple_iterator *)self;
    if (it->seq == NULL) {
        return NULL;
    }
    if (it->index < Py_SIZE(it->seq)) {
        return Py_NewRef(it->seq->ob_item[it->index++]);
    }
    Py_CLEAR(it->seq);
    return NULL;
}

static PyObject *
iter_length_hint(PyObject *self, PyObject *ignored)
{
    kr_tuple_iterator *it = (kr_tuple_iterator *)self;
    return PyLong_FromSsize_t(it->seq == NULL ? 0
                                              : Py_SIZE(it->seq) - it->index);
}

static PyObject *
iter_reduce(PyObject *self, PyObject *ignored)
{
    kr_tuple_iterator *it = (kr_tuple_iterator *)self;
    PyObject *iter = _PyEval_GetBuiltin(KR_ID(iter));
    /* the look-up may have run this iterator to its end */
    if (it->seq == NULL) {
        return Py_BuildValue("N()", iter);
    }
    return Py_BuildValue("N(O)n", iter, it->seq, it->index);
}

static PyObject *
iter_setstate(PyObject *self, PyObject *state)
{
    kr_tuple_iterator *it = (kr_tuple_iterator *)self;
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (it->seq != NULL) {
        index = index < 0 ? 0 : index;
        it->index = index > Py_SIZE(it->seq) ? Py_SIZE(it->seq) : index;
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

PyTypeObject PyTupleIter_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "tuple_iterator",
    .tp_basicsize = sizeof(kr_tuple_iterator),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};
