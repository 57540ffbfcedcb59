/* The list: its array, the C interface, sequence operations. */
#include <Python.h>

#include <string.h>

#include "base/common.h"
#include "memory/gc.h"
#include "objects/immortal.h"
#include "objects/list.h"
#include "objects/unpack.h"
#include "objects/tuple.h"

/* ---- the array */

/* Room for an eighth more, in steps of 4: amortised linear appends, and the
 * sizes that sys.getsizeof shows in the reference. */
int
kr_list_resize(PyListObject *self, Py_ssize_t newsize)
{
    Py_ssize_t allocated = self->allocated;
    if (allocated >= newsize && newsize >= (allocated >> 1)) {
        Py_SET_SIZE(self, newsize);
        return 0;
    }
    size_t room = ((size_t)newsize + ((size_t)newsize >> 3) + 6) & ~(size_t)3;
    if (newsize - Py_SIZE(self) > (Py_ssize_t)(room - (size_t)newsize)) {
        room = ((size_t)newsize + 3) & ~(size_t)3;
    }
    if (newsize == 0) {
        room = 0;
    }
    PyObject **items = NULL;
    if (room <= (size_t)PY_SSIZE_T_MAX / sizeof(PyObject *)) {
        items = PyMem_Realloc(self->ob_item, room * sizeof(PyObject *));
    }
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->ob_item = items;
    self->allocated = (Py_ssize_t)room;
    Py_SET_SIZE(self, newsize);
    return 0;
}

/* First array of a list that has none. */
static int
allocate_exact(PyListObject *self, Py_ssize_t size)
{
    if ((size_t)size > PY_SSIZE_T_MAX / sizeof(PyObject *) - 1) {
        PyErr_NoMemory();
        return -1;
    }
    size = (size + 1) & ~(Py_ssize_t)1; /* blocks come in 16 bytes */
    PyObject **items = PyMem_New(PyObject *, size);
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->ob_item = items;
    self->allocated = size;
    return 0;
}

static PyListObject *
alloc(void)
{
    PyListObject *op = kr_gc_malloc(sizeof(PyListObject), 0);
    if (op != NULL) {
        op->ob_base.ob_base.ob_refcnt = 1;
        op->ob_base.ob_base.ob_type = &PyList_Type;
        op->ob_base.ob_size = 0;
        op->ob_item = NULL;
        op->allocated = 0;
    }
    return op;
}

PyObject *
PyList_New(Py_ssize_t size)
{
    if (size < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyListObject *op = alloc();
    if (op == NULL) {
        return NULL;
    }
    if (size > 0) {
        op->ob_item = PyMem_Calloc((size_t)size, sizeof(PyObject *));
        if (op->ob_item == NULL) {
            kr_gc_free(op, 0);
            return PyErr_NoMemory();
        }
        op->allocated = size;
        Py_SET_SIZE(op, size);
    }
    kr_gc_track((PyObject *)op);
    return (PyObject *)op;
}

/* New list with n uninitialised items, which the caller sets before anything
 * else can happen. */
static PyListObject *
new_raw(Py_ssize_t n)
{
    PyListObject *op = alloc();
    if (op == NULL) {
        return NULL;
    }
    if (n > 0) {
        op->ob_item = (size_t)n > PY_SSIZE_T_MAX / sizeof(PyObject *)
                          ? NULL
                          : PyMem_Malloc((size_t)n * sizeof(PyObject *));
        if (op->ob_item == NULL) {
            kr_gc_free(op, 0);
            PyErr_NoMemory();
            return NULL;
        }
        op->allocated = n;
        Py_SET_SIZE(op, n);
    }
    kr_gc_track((PyObject *)op);
    return op;
}

PyObject *
_PyList_FromArraySteal(PyObject *const *items, Py_ssize_t n)
{
    PyListObject *list = new_raw(n);
    if (list == NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_DECREF(items[i]);
        }
        return NULL;
    }
    if (n > 0) {
        memcpy(list->ob_item, items, (size_t)n * sizeof(PyObject *));
    }
    return (PyObject *)list;
}

void
_PyList_DebugMallocStats(FILE *out)
{
    fprintf(out, "0 free PyListObjects\n");
}

/* ---- C interface */

Py_ssize_t
PyList_Size(PyObject *op)
{
    if (!PyList_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return Py_SIZE(op);
}

PyObject *
PyList_GetItem(PyObject *op, Py_ssize_t i)
{
    if (!PyList_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if ((size_t)i >= (size_t)Py_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError, "list index out of range");
        return NULL;
    }
    return PyList_GET_ITEM(op, i);
}

int
PyList_SetItem(PyObject *op, Py_ssize_t i, PyObject *item)
{
    if (!PyList_Check(op)) {
        Py_XDECREF(item);
        PyErr_BadInternalCall();
        return -1;
    }
    if ((size_t)i >= (size_t)Py_SIZE(op)) {
        Py_XDECREF(item);
        PyErr_SetString(PyExc_IndexError,
                        "list assignment index out of range");
        return -1;
    }
    PyObject **slot = &((PyListObject *)op)->ob_item[i];
    Py_XSETREF(*slot, item);
    return 0;
}

int
PyList_Insert(PyObject *op, Py_ssize_t where, PyObject *item)
{
    if (!PyList_Check(op) || item == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyListObject *self = (PyListObject *)op;
    Py_ssize_t n = Py_SIZE(self);
    if (kr_list_resize(self, n + 1) < 0) {
        return -1;
    }
    where = where < 0 ? (where + n < 0 ? 0 : where + n) : where;
    where = where > n ? n : where;
    PyObject **items = self->ob_item;
    memmove(&items[where + 1], &items[where],
            (size_t)(n - where) * sizeof(PyObject *));
    items[where] = Py_NewRef(item);
    return 0;
}

int
PyList_Append(PyObject *op, PyObject *item)
{
    if (!PyList_Check(op) || item == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    return kr_list_append_take((PyListObject *)op, Py_NewRef(item));
}

static PyObject *
list_slice(PyListObject *a, Py_ssize_t low, Py_ssize_t high)
{
    Py_ssize_t n = high - low;
    if (n <= 0) {
        return PyList_New(0);
    }
    PyListObject *np = new_raw(n);
    if (np == NULL) {
        return NULL;
    }
    /* the allocation may have run a collection, and that code */
    n = low + n > Py_SIZE(a) ? Py_SIZE(a) - low : n;
    n = n < 0 ? 0 : n;
    Py_SET_SIZE(np, n);
    PyObject **src = a->ob_item + low, **dest = np->ob_item;
    for (Py_ssize_t i = 0; i < n; i++) {
        dest[i] = Py_NewRef(src[i]);
    }
    return (PyObject *)np;
}

PyObject *
PyList_GetSlice(PyObject *a, Py_ssize_t low, Py_ssize_t high)
{
    if (!PyList_Check(a)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    Py_ssize_t n = Py_SIZE(a);
    low = low < 0 ? 0 : (low > n ? n : low);
    high = high < low ? low : (high > n ? n : high);
    return list_slice((PyListObject *)a, low, high);
}

/* Drops all items; the list is empty before the first one dies. */
static int
list_clear_items(PyListObject *a)
{
    PyObject **items = a->ob_item;
    if (items != NULL) {
        Py_ssize_t i = Py_SIZE(a);
        Py_SET_SIZE(a, 0);
        a->ob_item = NULL;
        a->allocated = 0;
        while (--i >= 0) {
            Py_XDECREF(items[i]);
        }
        PyMem_Free(items);
    }
    return 0;
}

int
kr_list_assign_slice(PyListObject *a, Py_ssize_t low, Py_ssize_t high,
                     PyObject *v)
{
    PyObject *fast = NULL;
    PyObject **from = NULL;
    Py_ssize_t n = 0;
    if (v != NULL) {
        if (v == (PyObject *)a) {
            v = list_slice(a, 0, Py_SIZE(a));
            if (v == NULL) {
                return -1;
            }
            int err = kr_list_assign_slice(a, low, high, v);
            Py_DECREF(v);
            return err;
        }
        fast = PySequence_Fast(v, "can only assign an iterable");
        if (fast == NULL) {
            return -1;
        }
        n = PySequence_Fast_GET_SIZE(fast);
        from = PySequence_Fast_ITEMS(fast);
    }
    Py_ssize_t size = Py_SIZE(a);
    low = low < 0 ? 0 : (low > size ? size : low);
    high = high < low ? low : (high > size ? size : high);
    Py_ssize_t norig = high - low, d = n - norig;
    if (size + d == 0) {
        Py_XDECREF(fast);
        return list_clear_items(a);
    }
    PyObject *few[8], **recycle = few;
    size_t bytes = (size_t)norig * sizeof(PyObject *);
    int err = -1;
    if (bytes > sizeof(few) && (recycle = PyMem_Malloc(bytes)) == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    if (bytes > 0) {
        memcpy(recycle, &a->ob_item[low], bytes);
    }
    if (d != 0) {
        if (d > 0 && kr_list_resize(a, size + d) < 0) {
            norig = 0;
            goto done;
        }
        memmove(&a->ob_item[high + d], &a->ob_item[high],
                (size_t)(size - high) * sizeof(PyObject *));
        if (d < 0 && kr_list_resize(a, size + d) < 0) {
            /* shrinking failed: the bigger array does as well */
            PyErr_Clear();
            Py_SET_SIZE(a, size + d);
        }
    }
    for (Py_ssize_t k = 0; k < n; k++) {
        a->ob_item[low + k] = Py_XNewRef(from[k]);
    }
    err = 0;
    for (Py_ssize_t k = norig; --k >= 0;) {
        Py_XDECREF(recycle[k]);
    }
done:
    if (recycle != few) {
        PyMem_Free(recycle);
    }
    Py_XDECREF(fast);
    return err;
}

int
PyList_SetSlice(PyObject *a, Py_ssize_t low, Py_ssize_t high, PyObject *v)
{
    if (!PyList_Check(a)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return kr_list_assign_slice((PyListObject *)a, low, high, v);
}

int
PyList_Reverse(PyObject *v)
{
    if (v == NULL || !PyList_Check(v)) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyObject **items = ((PyListObject *)v)->ob_item;
    for (Py_ssize_t lo = 0, hi = Py_SIZE(v) - 1; lo < hi; lo++, hi--) {
        PyObject *t = items[lo];
        items[lo] = items[hi];
        items[hi] = t;
    }
    return 0;
}

int
PyList_Sort(PyObject *v)
{
    if (v == NULL || !PyList_Check(v)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return kr_list_sort((PyListObject *)v, NULL, 0);
}

PyObject *
PyList_AsTuple(PyObject *v)
{
    if (v == NULL || !PyList_Check(v)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return _PyTuple_FromArray(((PyListObject *)v)->ob_item, Py_SIZE(v));
}

/* ---- extend */

static int
extend_fast(PyListObject *self, PyObject *seq)
{
    Py_ssize_t n = PySequence_Fast_GET_SIZE(seq), m = Py_SIZE(self);
    if (n == 0) {
        return 0;
    }
    if (self->ob_item == NULL) {
        if (allocate_exact(self, n) < 0) {
            return -1;
        }
        Py_SET_SIZE(self, n);
    }
    else if (kr_list_resize(self, m + n) < 0) {
        return -1;
    }
    /* after the resize, as seq may be self */
    PyObject **src = PySequence_Fast_ITEMS(seq), **dest = self->ob_item + m;
    for (Py_ssize_t i = 0; i < n; i++) {
        dest[i] = Py_NewRef(src[i]);
    }
    return 0;
}

int
kr_list_extend(PyListObject *self, PyObject *iterable)
{
    if (PyList_CheckExact(iterable) || PyTuple_CheckExact(iterable)
        || (PyObject *)self == iterable) {
        PyObject *seq =
            PySequence_Fast(iterable, "argument must be iterable");
        int err = seq == NULL ? -1 : extend_fast(self, seq);
        Py_XDECREF(seq);
        return err;
    }
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return -1;
    }
    Py_ssize_t n = PyObject_LengthHint(iterable, 8), m = Py_SIZE(self);
    if (n < 0) {
        goto error;
    }
    if (n <= PY_SSIZE_T_MAX - m) {
        if (self->ob_item == NULL) {
            if (n > 0 && allocate_exact(self, n) < 0) {
                goto error;
            }
        }
        else {
            if (kr_list_resize(self, m + n) < 0) {
                goto error;
            }
            Py_SET_SIZE(self, m);
        }
    }
    iternextfunc next = Py_TYPE(it)->tp_iternext;
    for (;;) {
        PyObject *item = next(it);
        if (item == NULL) {
            if (PyErr_Occurred()) {
                if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
                    goto error;
                }
                PyErr_Clear();
            }
            break;
        }
        if (kr_list_append_take(self, item) < 0) {
            goto error;
        }
    }
    if (Py_SIZE(self) < self->allocated
        && kr_list_resize(self, Py_SIZE(self)) < 0) {
        goto error;
    }
    Py_DECREF(it);
    return 0;
error:
    Py_DECREF(it);
    return -1;
}

PyObject *
_PyList_Extend(PyListObject *self, PyObject *iterable)
{
    if (kr_list_extend(self, iterable) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- sequence slots */

static Py_ssize_t
list_length(PyObject *self)
{
    return Py_SIZE(self);
}

static int
list_contains(PyObject *self, PyObject *el)
{
    int cmp = 0;
    for (Py_ssize_t i = 0; cmp == 0 && i < Py_SIZE(self); i++) {
        PyObject *item = Py_NewRef(PyList_GET_ITEM(self, i));
        cmp = PyObject_RichCompareBool(item, el, Py_EQ);
        Py_DECREF(item);
    }
    return cmp;
}

static PyObject *
list_item(PyObject *self, Py_ssize_t i)
{
    if (KR_UNLIKELY((size_t)i >= (size_t)Py_SIZE(self))) {
        PyErr_SetString(PyExc_IndexError, "list index out of range");
        return NULL;
    }
    return Py_NewRef(PyList_GET_ITEM(self, i));
}

static PyObject *
list_concat(PyObject *a, PyObject *b)
{
    if (!PyList_Check(b)) {
        PyErr_Format(PyExc_TypeError,
                     "can only concatenate list (not \"%.200s\") to list",
                     Py_TYPE(b)->tp_name);
        return NULL;
    }
    Py_ssize_t na = Py_SIZE(a), nb = Py_SIZE(b);
    PyListObject *np = (PyListObject *)PyList_New(na + nb);
    if (np == NULL) {
        return NULL;
    }
    na = na > Py_SIZE(a) ? Py_SIZE(a) : na;
    nb = nb > Py_SIZE(b) ? Py_SIZE(b) : nb;
    Py_SET_SIZE(np, na + nb);
    PyObject **src = ((PyListObject *)a)->ob_item, **dest = np->ob_item;
    for (Py_ssize_t i = 0; i < na; i++) {
        dest[i] = Py_NewRef(src[i]);
    }
    src = ((PyListObject *)b)->ob_item;
    for (Py_ssize_t i = 0; i < nb; i++) {
        dest[na + i] = Py_NewRef(src[i]);
    }
    return (PyObject *)np;
}

/* Copies the first `size` items over the rest of `total`. */
static void
repeat_items(PyObject **items, Py_ssize_t size, Py_ssize_t total)
{
    Py_ssize_t times = total / size;
    for (Py_ssize_t i = 0; i < size; i++) {
        Py_SET_REFCNT(items[i], Py_REFCNT(items[i]) + times - 1);
    }
    for (Py_ssize_t done = size; done < total;) {
        Py_ssize_t n = done < total - done ? done : total - done;
        memcpy(items + done, items, (size_t)n * sizeof(PyObject *));
        done += n;
    }
}

static PyObject *
list_repeat(PyObject *a, Py_ssize_t n)
{
    Py_ssize_t size = Py_SIZE(a);
    if (n <= 0 || size == 0) {
        return PyList_New(0);
    }
    if (size > PY_SSIZE_T_MAX / n) {
        return PyErr_NoMemory();
    }
    PyListObject *np = (PyListObject *)PyList_New(size * n);
    if (np == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        np->ob_item[i] = Py_NewRef(PyList_GET_ITEM(a, i));
    }
    repeat_items(np->ob_item, size, size * n);
    return (PyObject *)np;
}

static PyObject *
list_inplace_repeat(PyObject *op, Py_ssize_t n)
{
    PyListObject *self = (PyListObject *)op;
    Py_ssize_t size = Py_SIZE(self);
    if (size == 0 || n == 1) {
        return Py_NewRef(op);
    }
    if (n < 1) {
        list_clear_items(self);
        return Py_NewRef(op);
    }
    if (size > PY_SSIZE_T_MAX / n) {
        return PyErr_NoMemory();
    }
    if (kr_list_resize(self, size * n) < 0) {
        return NULL;
    }
    repeat_items(self->ob_item, size, size * n);
    return Py_NewRef(op);
}

static PyObject *
list_inplace_concat(PyObject *self, PyObject *other)
{
    return kr_list_extend((PyListObject *)self, other) < 0 ? NULL
                                                           : Py_NewRef(self);
}

static int
list_ass_item(PyObject *op, Py_ssize_t i, PyObject *v)
{
    if ((size_t)i >= (size_t)Py_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError,
                        "list assignment index out of range");
        return -1;
    }
    if (v == NULL) {
        return kr_list_assign_slice((PyListObject *)op, i, i + 1, NULL);
    }
    Py_INCREF(v);
    Py_SETREF(((PyListObject *)op)->ob_item[i], v);
    return 0;
}

/* ---- subscripts */

static int
index_of(PyObject *item, Py_ssize_t size, Py_ssize_t *i)
{
    *i = PyNumber_AsSsize_t(item, PyExc_IndexError);
    if (*i == -1 && PyErr_Occurred()) {
        return -1;
    }
    *i += *i < 0 ? size : 0;
    return 0;
}

static void
index_type_error(PyObject *item)
{
    PyErr_Format(PyExc_TypeError,
                 "list indices must be integers or slices, not %.200s",
                 Py_TYPE(item)->tp_name);
}

PyObject *
kr_list_subscript(PyObject *op, PyObject *item)
{
    PyListObject *self = (PyListObject *)op;
    if (PyIndex_Check(item)) {
        Py_ssize_t i = PyNumber_AsSsize_t(item, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return list_item(op, i < 0 ? i + Py_SIZE(op) : i);
    }
    if (!PySlice_Check(item)) {
        index_type_error(item);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(item, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if (n <= 0) {
        return PyList_New(0);
    }
    if (step == 1) {
        return list_slice(self, start, start + n);
    }
    PyObject *result = PyList_New(n);
    if (result == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyList_SET_ITEM(result, i,
                        Py_NewRef(self->ob_item[start + i * step]));
    }
    return result;
}

static int
delete_steps(PyListObject *self, Py_ssize_t start, Py_ssize_t step,
             Py_ssize_t n)
{
    if (n <= 0) {
        return 0;
    }
    if (step < 0) {
        start += step * (n - 1);
        step = -step;
    }
    PyObject **garbage = PyMem_New(PyObject *, n);
    if (garbage == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject **items = self->ob_item;
    Py_ssize_t size = Py_SIZE(self), to = start, next = start, k = 0;
    for (Py_ssize_t i = start; i < size; i++) {
        if (i == next && k < n) {
            garbage[k++] = items[i];
            /* the last one may be close to overflow */
            next = k < n ? next + step : -1;
        }
        else {
            items[to++] = items[i];
        }
    }
    Py_SET_SIZE(self, size - n);
    int err = kr_list_resize(self, Py_SIZE(self));
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_DECREF(garbage[i]);
    }
    PyMem_Free(garbage);
    return err;
}

static int
assign_steps(PyListObject *self, PyObject *seq, Py_ssize_t start,
             Py_ssize_t step, Py_ssize_t n)
{
    if (PySequence_Fast_GET_SIZE(seq) != n) {
        PyErr_Format(PyExc_ValueError,
                     "attempt to assign sequence of size %zd to extended "
                     "slice of size %zd",
                     PySequence_Fast_GET_SIZE(seq), n);
        return -1;
    }
    if (n == 0) {
        return 0;
    }
    PyObject **garbage = PyMem_New(PyObject *, n);
    if (garbage == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject **src = PySequence_Fast_ITEMS(seq);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject **slot = &self->ob_item[start + i * step];
        garbage[i] = *slot;
        *slot = Py_NewRef(src[i]);
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_DECREF(garbage[i]);
    }
    PyMem_Free(garbage);
    return 0;
}

int
kr_list_ass_subscript(PyObject *op, PyObject *item, PyObject *value)
{
    PyListObject *self = (PyListObject *)op;
    Py_ssize_t start, stop, step;
    if (PyIndex_Check(item)) {
        Py_ssize_t i;
        if (index_of(item, Py_SIZE(self), &i) < 0) {
            return -1;
        }
        return list_ass_item(op, i, value);
    }
    if (!PySlice_Check(item)) {
        index_type_error(item);
        return -1;
    }
    if (PySlice_Unpack(item, &start, &stop, &step) < 0) {
        return -1;
    }
    Py_ssize_t from = start, to = stop;
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if (step == 1) {
        return kr_list_assign_slice(self, start, stop, value);
    }
    if (value == NULL) {
        return delete_steps(self, start, step, n);
    }
    PyObject *seq =
        value == op ? list_slice(self, 0, Py_SIZE(self))
                    : PySequence_Fast(value, "must assign iterable to "
                                             "extended slice");
    if (seq == NULL) {
        return -1;
    }
    /* making the sequence may have changed the list */
    n = PySlice_AdjustIndices(Py_SIZE(self), &from, &to, step);
    int err = assign_steps(self, seq, from, step, n);
    Py_DECREF(seq);
    return err;
}

/* ---- methods that need the array */

static PyObject *
list_insert(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("insert", nargs, 2, 2)) {
        return NULL;
    }
    PyObject *index = PyNumber_Index(args[0]);
    if (index == NULL) {
        return NULL;
    }
    Py_ssize_t i = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    if ((i == -1 && PyErr_Occurred())
        || PyList_Insert(self, i, args[1]) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
list_clear(PyObject *self, PyObject *ignored)
{
    list_clear_items((PyListObject *)self);
    Py_RETURN_NONE;
}

static PyObject *
list_copy(PyObject *self, PyObject *ignored)
{
    return list_slice((PyListObject *)self, 0, Py_SIZE(self));
}

static PyObject *
list_append(PyObject *self, PyObject *item)
{
    if (kr_list_append_take((PyListObject *)self, Py_NewRef(item)) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
list_extend(PyObject *self, PyObject *iterable)
{
    return _PyList_Extend((PyListObject *)self, iterable);
}

static PyObject *
list_pop(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    PyListObject *self = (PyListObject *)op;
    Py_ssize_t index = -1;
    if (!_PyArg_CheckPositional("pop", nargs, 0, 1)) {
        return NULL;
    }
    if (nargs == 1) {
        PyObject *number = PyNumber_Index(args[0]);
        if (number == NULL) {
            return NULL;
        }
        index = PyLong_AsSsize_t(number);
        Py_DECREF(number);
        if (index == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    Py_ssize_t n = Py_SIZE(self);
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty list");
        return NULL;
    }
    index += index < 0 ? n : 0;
    if ((size_t)index >= (size_t)n) {
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
        return NULL;
    }
    PyObject *v = self->ob_item[index];
    memmove(&self->ob_item[index], &self->ob_item[index + 1],
            (size_t)(n - 1 - index) * sizeof(PyObject *));
    if (n == 1) {
        Py_SET_SIZE(self, 0);
        PyMem_Free(self->ob_item);
        self->ob_item = NULL;
        self->allocated = 0;
    }
    else if (kr_list_resize(self, n - 1) < 0) {
        PyErr_Clear(); /* the array stays as large as it was */
        Py_SET_SIZE(self, n - 1);
    }
    return v;
}

static PyObject *
list_reverse(PyObject *self, PyObject *ignored)
{
    PyList_Reverse(self);
    Py_RETURN_NONE;
}

static PyObject *
list_index(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX, n = Py_SIZE(self);
    if (!_PyArg_CheckPositional("index", nargs, 1, 3)
        || (nargs > 1 && !_PyEval_SliceIndexNotNone(args[1], &start))
        || (nargs > 2 && !_PyEval_SliceIndexNotNone(args[2], &stop))) {
        return NULL;
    }
    start = start < 0 ? (start + n < 0 ? 0 : start + n) : start;
    stop = stop < 0 ? (stop + n < 0 ? 0 : stop + n) : stop;
    for (Py_ssize_t i = start; i < stop && i < Py_SIZE(self); i++) {
        PyObject *item = Py_NewRef(PyList_GET_ITEM(self, i));
        int cmp = PyObject_RichCompareBool(item, args[0], Py_EQ);
        Py_DECREF(item);
        if (cmp != 0) {
            return cmp < 0 ? NULL : PyLong_FromSsize_t(i);
        }
    }
    PyErr_Format(PyExc_ValueError, "%R is not in list", args[0]);
    return NULL;
}

static PyObject *
list_count(PyObject *self, PyObject *value)
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        PyObject *item = PyList_GET_ITEM(self, i);
        if (item == value) {
            count++;
            continue;
        }
        Py_INCREF(item);
        int cmp = PyObject_RichCompareBool(item, value, Py_EQ);
        Py_DECREF(item);
        if (cmp < 0) {
            return NULL;
        }
        count += cmp;
    }
    return PyLong_FromSsize_t(count);
}

static PyObject *
list_remove(PyObject *self, PyObject *value)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        PyObject *item = Py_NewRef(PyList_GET_ITEM(self, i));
        int cmp = PyObject_RichCompareBool(item, value, Py_EQ);
        Py_DECREF(item);
        if (cmp > 0) {
            if (kr_list_assign_slice((PyListObject *)self, i, i + 1, NULL)
                < 0) {
                return NULL;
            }
            Py_RETURN_NONE;
        }
        if (cmp < 0) {
            return NULL;
        }
    }
    PyErr_SetString(PyExc_ValueError, "list.remove(x): x not in list");
    return NULL;
}

static PyObject *
list_sort(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
          PyObject *kwnames)
{
    static const char *const keywords[] = {"key", "reverse", NULL};
    static _PyArg_Parser parser = {
        .format = NULL, .keywords = keywords, .fname = "sort"};
    PyObject *buf[2], *key = NULL;
    int reverse = 0;
    if (nargs == 0 && (kwnames == NULL || PyTuple_GET_SIZE(kwnames) == 0)) {
        /* unpacking would give back `args` as it is */
        if (kr_list_sort((PyListObject *)self, NULL, 0) < 0) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    args = kr_unpack_keywords(args, nargs, NULL, kwnames, &parser, 0, 0, buf,
                              2);
    if (args == NULL) {
        return NULL;
    }
    if (args[0] != NULL && args[0] != Py_None) {
        key = args[0];
    }
    if (args[1] != NULL) {
        reverse = _PyLong_AsInt(args[1]);
        if (reverse == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    if (kr_list_sort((PyListObject *)self, key, reverse) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
list_sizeof(PyObject *self, PyObject *ignored)
{
    return PyLong_FromSsize_t(
        _PyObject_SIZE(Py_TYPE(self))
        + ((PyListObject *)self)->allocated * (Py_ssize_t)sizeof(PyObject *));
}

/* ---- the type */

static void
list_dealloc(PyObject *self)
{
    PyListObject *op = (PyListObject *)self;
    kr_gc_untrack(self);
    Py_TRASHCAN_BEGIN(op, list_dealloc)
    if (op->ob_item != NULL) {
        for (Py_ssize_t i = Py_SIZE(op); --i >= 0;) {
            Py_XDECREF(op->ob_item[i]);
        }
        PyMem_Free(op->ob_item);
    }
    if (Py_IS_TYPE(self, &PyList_Type)) {
        kr_gc_free(self, 0);
    }
    else {
        Py_TYPE(self)->tp_free(self);
    }
    Py_TRASHCAN_END
}

static int
list_traverse(PyObject *self, visitproc visit, void *arg)
{
    for (Py_ssize_t i = Py_SIZE(self); --i >= 0;) {
        Py_VISIT(PyList_GET_ITEM(self, i));
    }
    return 0;
}

static int
list_clear_gc(PyObject *self)
{
    return list_clear_items((PyListObject *)self);
}

static PyObject *
list_repr(PyObject *self)
{
    if (Py_SIZE(self) == 0) {
        return PyUnicode_FromString("[]");
    }
    int entered = Py_ReprEnter(self);
    if (entered != 0) {
        return entered > 0 ? PyUnicode_FromString("[...]") : NULL;
    }
    _PyUnicodeWriter writer;
    _PyUnicodeWriter_Init(&writer);
    writer.overallocate = 1;
    writer.min_length = 1 + 1 + (2 + 1) * (Py_SIZE(self) - 1) + 1;
    int err = _PyUnicodeWriter_WriteChar(&writer, '[');
    for (Py_ssize_t i = 0; err == 0 && i < Py_SIZE(self); i++) {
        if (i > 0) {
            err = _PyUnicodeWriter_WriteASCIIString(&writer, ", ", 2);
        }
        PyObject *item = Py_NewRef(PyList_GET_ITEM(self, i));
        PyObject *s = err == 0 ? PyObject_Repr(item) : NULL;
        Py_DECREF(item);
        err = s == NULL ? -1 : _PyUnicodeWriter_WriteStr(&writer, s);
        Py_XDECREF(s);
    }
    if (err == 0) {
        writer.overallocate = 0;
        err = _PyUnicodeWriter_WriteChar(&writer, ']');
    }
    Py_ReprLeave(self);
    if (err != 0) {
        _PyUnicodeWriter_Dealloc(&writer);
        return NULL;
    }
    return _PyUnicodeWriter_Finish(&writer);
}

static PyObject *
list_richcompare(PyObject *v, PyObject *w, int op)
{
    if (!PyList_Check(v) || !PyList_Check(w)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (Py_SIZE(v) != Py_SIZE(w) && (op == Py_EQ || op == Py_NE)) {
        return PyBool_FromLong(op == Py_NE);
    }
    Py_ssize_t i = 0;
    for (; i < Py_SIZE(v) && i < Py_SIZE(w); i++) {
        PyObject *a = PyList_GET_ITEM(v, i), *b = PyList_GET_ITEM(w, i);
        if (a == b) {
            continue;
        }
        Py_INCREF(a);
        Py_INCREF(b);
        int eq = PyObject_RichCompareBool(a, b, Py_EQ);
        Py_DECREF(a);
        Py_DECREF(b);
        if (eq < 0) {
            return NULL;
        }
        if (eq == 0) {
            break;
        }
    }
    if (i >= Py_SIZE(v) || i >= Py_SIZE(w)) {
        Py_RETURN_RICHCOMPARE(Py_SIZE(v), Py_SIZE(w), op);
    }
    if (op == Py_EQ) {
        Py_RETURN_FALSE;
    }
    if (op == Py_NE) {
        Py_RETURN_TRUE;
    }
    PyObject *a = Py_NewRef(PyList_GET_ITEM(v, i));
    PyObject *b = Py_NewRef(PyList_GET_ITEM(w, i));
    PyObject *result = PyObject_RichCompare(a, b, op);
    Py_DECREF(a);
    Py_DECREF(b);
    return result;
}

static int
fill(PyListObject *self, PyObject *iterable)
{
    if (self->ob_item != NULL) {
        list_clear_items(self);
    }
    return iterable == NULL ? 0 : kr_list_extend(self, iterable);
}

static int
list_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *iterable = NULL;
    /* a subclass with its own __new__ or __init__ may take keywords */
    if ((Py_IS_TYPE(self, &PyList_Type)
         || Py_TYPE(self)->tp_new == PyList_Type.tp_new)
        && !_PyArg_NoKeywords("list", kwds)) {
        return -1;
    }
    if (!PyArg_UnpackTuple(args, "list", 0, 1, &iterable)) {
        return -1;
    }
    return fill((PyListObject *)self, iterable);
}

static PyObject *
list_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("list", kwnames)
        || !_PyArg_CheckPositional("list", nargs, 0, 1)) {
        return NULL;
    }
    PyTypeObject *tp = (PyTypeObject *)type;
    PyObject *list = tp == &PyList_Type ? PyList_New(0) : tp->tp_alloc(tp, 0);
    if (list != NULL && nargs && fill((PyListObject *)list, args[0]) < 0) {
        Py_DECREF(list);
        return NULL;
    }
    return list;
}

static PyMethodDef methods[] = {
    {"__getitem__", kr_list_subscript, METH_O | METH_COEXIST,
     "__getitem__($self, index, /)\n--\n\nThe item or items at an index."},
    {"__reversed__", kr_list_reversed, METH_NOARGS,
     "__reversed__($self, /)\n--\n\nAn iterator over the items, last first."},
    {"__sizeof__", list_sizeof, METH_NOARGS,
     "__sizeof__($self, /)\n--\n\nSize of the list in bytes."},
    {"clear", list_clear, METH_NOARGS,
     "clear($self, /)\n--\n\nRemove all items."},
    {"copy", list_copy, METH_NOARGS,
     "copy($self, /)\n--\n\nA shallow copy."},
    {"append", list_append, METH_O,
     "append($self, object, /)\n--\n\nAdd an object at the end."},
    {"insert", (PyCFunction)(void *)list_insert, METH_FASTCALL,
     "insert($self, index, object, /)\n--\n\nInsert an object before an "
     "index."},
    {"extend", list_extend, METH_O,
     "extend($self, iterable, /)\n--\n\nAdd the items of an iterable at the "
     "end."},
    {"pop", (PyCFunction)(void *)list_pop, METH_FASTCALL,
     "pop($self, index=-1, /)\n--\n\n"
     "Remove the item at an index and return it.\n\n"
     "Raises IndexError if there is none."},
    {"remove", list_remove, METH_O,
     "remove($self, value, /)\n--\n\n"
     "Remove the first occurrence of a value.\n\n"
     "Raises ValueError if it is not there."},
    {"index", (PyCFunction)(void *)list_index, METH_FASTCALL,
     "index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n"
     "The first index of the value.\n\nRaises ValueError if it is not there."},
    {"count", list_count, METH_O,
     "count($self, value, /)\n--\n\nHow often the value occurs."},
    {"reverse", list_reverse, METH_NOARGS,
     "reverse($self, /)\n--\n\nReverse in place."},
    {"sort", (PyCFunction)(void *)list_sort, METH_FASTCALL | METH_KEYWORDS,
     "sort($self, /, *, key=None, reverse=False)\n--\n\n"
     "Sort in place, ascending, and return None. Equal items keep their\n"
     "order. With a key function, its results are compared instead."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

static PySequenceMethods as_sequence = {
    .sq_length = list_length,
    .sq_concat = list_concat,
    .sq_repeat = list_repeat,
    .sq_item = list_item,
    .sq_ass_item = list_ass_item,
    .sq_contains = list_contains,
    .sq_inplace_concat = list_inplace_concat,
    .sq_inplace_repeat = list_inplace_repeat,
};

static PyMappingMethods as_mapping = {
    .mp_length = list_length,
    .mp_subscript = kr_list_subscript,
    .mp_ass_subscript = kr_list_ass_subscript,
};

PyTypeObject PyList_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "list",
    .tp_basicsize = sizeof(PyListObject),
    .tp_dealloc = list_dealloc,
    .tp_repr = list_repr,
    .tp_as_sequence = &as_sequence,
    .tp_as_mapping = &as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | Py_TPFLAGS_LIST_SUBCLASS | _Py_TPFLAGS_MATCH_SELF
                | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "list(iterable=(), /)\n--\n\n"
              "A mutable sequence.\n\n"
              "Without argument: a new empty list.",
    .tp_traverse = list_traverse,
    .tp_clear = list_clear_gc,
    .tp_richcompare = list_richcompare,
    .tp_iter = kr_list_iter,
    .tp_methods = methods,
    .tp_init = list_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = list_vectorcall,
};
