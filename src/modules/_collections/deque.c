/* collections.deque: a ring buffer with a capacity that is a power of two.
 *
 * Any index is reached at once; both ends grow and shrink in constant
 * amortised time. `state` changes with every change of the structure, so that
 * iterators notice. */
#include <Python.h>

#include <string.h>

#include "modules/_collections/collections.h"

typedef struct {
    PyObject_VAR_HEAD
    PyObject **items;
    Py_ssize_t first; /* position of item 0 */
    Py_ssize_t mask;  /* capacity - 1; -1 without a buffer */
    size_t state;
    Py_ssize_t maxlen; /* -1: unbounded */
    PyObject *weakreflist;
} deque;

#define D(op) ((deque *)(op))
#define IS_DEQUE(op) PyObject_TypeCheck(op, &kr_deque_type)

static inline PyObject **
slot(deque *d, Py_ssize_t i)
{
    return &d->items[(d->first + i) & d->mask];
}

/* ---- the buffer */

/* Room for n items in all. */
static int
reserve(deque *d, Py_ssize_t n)
{
    Py_ssize_t capacity = d->mask + 1;
    if (n <= capacity) {
        return 0;
    }
    Py_ssize_t bigger = capacity < 8 ? 8 : capacity;
    while (bigger < n) {
        if (bigger > PY_SSIZE_T_MAX / 2 / (Py_ssize_t)sizeof(PyObject *)) {
            PyErr_NoMemory();
            return -1;
        }
        bigger *= 2;
    }
    PyObject **items = PyMem_New(PyObject *, bigger);
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < Py_SIZE(d); i++) {
        items[i] = *slot(d, i);
    }
    PyMem_Free(d->items);
    d->items = items;
    d->first = 0;
    d->mask = bigger - 1;
    return 0;
}

/* Gives memory back after much was removed. */
static void
shrink(deque *d)
{
    Py_ssize_t capacity = d->mask + 1;
    if (capacity <= 64 || Py_SIZE(d) > capacity / 8) {
        return;
    }
    Py_ssize_t smaller = capacity / 4;
    PyObject **items = PyMem_New(PyObject *, smaller);
    if (items == NULL) {
        return; /* the larger one does as well */
    }
    for (Py_ssize_t i = 0; i < Py_SIZE(d); i++) {
        items[i] = *slot(d, i);
    }
    PyMem_Free(d->items);
    d->items = items;
    d->first = 0;
    d->mask = smaller - 1;
}

static PyObject *
take_left(deque *d)
{
    PyObject *item = *slot(d, 0);
    d->first = (d->first + 1) & d->mask;
    Py_SET_SIZE(d, Py_SIZE(d) - 1);
    d->state++;
    shrink(d);
    return item;
}

static PyObject *
take_right(deque *d)
{
    PyObject *item = *slot(d, Py_SIZE(d) - 1);
    Py_SET_SIZE(d, Py_SIZE(d) - 1);
    d->state++;
    shrink(d);
    return item;
}

/* Adds at an end and takes over `item`; the other end makes room. */
static int
put_right(deque *d, PyObject *item)
{
    if (reserve(d, Py_SIZE(d) + 1) < 0) {
        Py_DECREF(item);
        return -1;
    }
    *slot(d, Py_SIZE(d)) = item;
    Py_SET_SIZE(d, Py_SIZE(d) + 1);
    d->state++;
    if (d->maxlen >= 0 && Py_SIZE(d) > d->maxlen) {
        Py_DECREF(take_left(d));
    }
    return 0;
}

static int
put_left(deque *d, PyObject *item)
{
    if (reserve(d, Py_SIZE(d) + 1) < 0) {
        Py_DECREF(item);
        return -1;
    }
    d->first = (d->first - 1) & d->mask;
    d->items[d->first] = item;
    Py_SET_SIZE(d, Py_SIZE(d) + 1);
    d->state++;
    if (d->maxlen >= 0 && Py_SIZE(d) > d->maxlen) {
        Py_DECREF(take_right(d));
    }
    return 0;
}

/* The deque is empty before the first item dies. */
static int
deque_clear(PyObject *op)
{
    deque *d = D(op);
    PyObject **items = d->items;
    Py_ssize_t n = Py_SIZE(d), first = d->first, mask = d->mask;
    d->items = NULL;
    d->first = 0;
    d->mask = -1;
    d->state++;
    Py_SET_SIZE(d, 0);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_DECREF(items[(first + i) & mask]);
    }
    PyMem_Free(items);
    return 0;
}

static void
rotate(deque *d, Py_ssize_t n)
{
    Py_ssize_t len = Py_SIZE(d);
    if (len <= 1) {
        return;
    }
    n %= len;
    if (n > len / 2) {
        n -= len;
    }
    else if (n < -(len / 2)) {
        n += len;
    }
    d->state++;
    for (; n > 0; n--) {
        PyObject *item = *slot(d, len - 1);
        d->first = (d->first - 1) & d->mask;
        d->items[d->first] = item;
    }
    for (; n < 0; n++) {
        PyObject *item = *slot(d, 0);
        d->first = (d->first + 1) & d->mask;
        *slot(d, len - 1) = item;
    }
}

/* Takes item i out and returns it. */
static PyObject *
remove_at(deque *d, Py_ssize_t i)
{
    Py_ssize_t n = Py_SIZE(d);
    PyObject *item = *slot(d, i);
    if (i < n / 2) {
        for (; i > 0; i--) {
            *slot(d, i) = *slot(d, i - 1);
        }
        d->first = (d->first + 1) & d->mask;
    }
    else {
        for (; i < n - 1; i++) {
            *slot(d, i) = *slot(d, i + 1);
        }
    }
    Py_SET_SIZE(d, n - 1);
    d->state++;
    return item;
}

/* ---- methods */

static PyObject *
deque_pop(PyObject *op, PyObject *ignored)
{
    if (Py_SIZE(op) == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from an empty deque");
        return NULL;
    }
    return take_right(D(op));
}

static PyObject *
deque_popleft(PyObject *op, PyObject *ignored)
{
    if (Py_SIZE(op) == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from an empty deque");
        return NULL;
    }
    return take_left(D(op));
}

static PyObject *
deque_append(PyObject *op, PyObject *item)
{
    return put_right(D(op), Py_NewRef(item)) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
deque_appendleft(PyObject *op, PyObject *item)
{
    return put_left(D(op), Py_NewRef(item)) < 0 ? NULL : Py_NewRef(Py_None);
}

static int
extend_with(deque *d, PyObject *iterable, int (*put)(deque *, PyObject *))
{
    if ((PyObject *)d == iterable) {
        PyObject *copy = PySequence_List(iterable);
        if (copy == NULL) {
            return -1;
        }
        int err = extend_with(d, copy, put);
        Py_DECREF(copy);
        return err;
    }
    PyObject *it = PyObject_GetIter(iterable), *item;
    if (it == NULL) {
        return -1;
    }
    while ((item = PyIter_Next(it)) != NULL) {
        if (put(d, item) < 0) {
            Py_DECREF(it);
            return -1;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *
deque_extend(PyObject *op, PyObject *iterable)
{
    return extend_with(D(op), iterable, put_right) < 0 ? NULL
                                                       : Py_NewRef(Py_None);
}

static PyObject *
deque_extendleft(PyObject *op, PyObject *iterable)
{
    return extend_with(D(op), iterable, put_left) < 0 ? NULL
                                                      : Py_NewRef(Py_None);
}

static PyObject *
deque_inplace_concat(PyObject *op, PyObject *other)
{
    return extend_with(D(op), other, put_right) < 0 ? NULL : Py_NewRef(op);
}

static PyObject *
deque_copy(PyObject *op, PyObject *ignored)
{
    deque *old = D(op);
    PyTypeObject *type = Py_TYPE(op);
    if (type == &kr_deque_type) {
        deque *copy = D(type->tp_new(type, NULL, NULL));
        if (copy == NULL) {
            return NULL;
        }
        copy->maxlen = old->maxlen;
        if (reserve(copy, Py_SIZE(old)) < 0) {
            Py_DECREF(copy);
            return NULL;
        }
        for (Py_ssize_t i = 0; i < Py_SIZE(old); i++) {
            copy->items[i] = Py_NewRef(*slot(old, i));
        }
        Py_SET_SIZE(copy, Py_SIZE(old));
        return (PyObject *)copy;
    }
    PyObject *result =
        old->maxlen < 0
            ? PyObject_CallOneArg((PyObject *)type, op)
            : PyObject_CallFunction((PyObject *)type, "On", op, old->maxlen);
    if (result != NULL && !IS_DEQUE(result)) {
        PyErr_Format(PyExc_TypeError,
                     "%.200s() must return a deque, not %.200s", type->tp_name,
                     Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *
deque_concat(PyObject *op, PyObject *other)
{
    int is_deque = PyObject_IsInstance(other, (PyObject *)&kr_deque_type);
    if (is_deque <= 0) {
        if (is_deque == 0) {
            PyErr_Format(PyExc_TypeError,
                         "can only concatenate deque (not \"%.200s\") to "
                         "deque",
                         Py_TYPE(other)->tp_name);
        }
        return NULL;
    }
    PyObject *result = deque_copy(op, NULL);
    if (result != NULL && extend_with(D(result), other, put_right) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *
deque_clear_method(PyObject *op, PyObject *ignored)
{
    deque_clear(op);
    Py_RETURN_NONE;
}

static PyObject *
deque_inplace_repeat(PyObject *op, Py_ssize_t n)
{
    deque *d = D(op);
    Py_ssize_t size = Py_SIZE(d);
    if (size == 0 || n == 1) {
        return Py_NewRef(op);
    }
    if (n <= 0) {
        deque_clear(op);
        return Py_NewRef(op);
    }
    if (size > PY_SSIZE_T_MAX / n) {
        return PyErr_NoMemory();
    }
    if (d->maxlen >= 0 && n * size > d->maxlen) {
        /* what comes before would fall out again */
        n = (d->maxlen + size - 1) / size;
        Py_ssize_t skip = n * size - d->maxlen;
        if (reserve(d, n * size) < 0) {
            return NULL;
        }
        for (Py_ssize_t i = size; i < n * size; i++) {
            *slot(d, i) = Py_NewRef(*slot(d, i - size));
        }
        Py_SET_SIZE(d, n * size);
        d->state++;
        while (skip-- > 0) {
            Py_DECREF(take_left(d));
        }
        return Py_NewRef(op);
    }
    if (reserve(d, n * size) < 0) {
        return NULL;
    }
    for (Py_ssize_t i = size; i < n * size; i++) {
        *slot(d, i) = Py_NewRef(*slot(d, i - size));
    }
    Py_SET_SIZE(d, n * size);
    d->state++;
    return Py_NewRef(op);
}

static PyObject *
deque_repeat(PyObject *op, Py_ssize_t n)
{
    PyObject *copy = deque_copy(op, NULL);
    if (copy == NULL) {
        return NULL;
    }
    PyObject *result = deque_inplace_repeat(copy, n);
    Py_DECREF(copy);
    return result;
}

static PyObject *
deque_rotate(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n = 1;
    if (!_PyArg_CheckPositional("deque.rotate", nargs, 0, 1)) {
        return NULL;
    }
    if (nargs) {
        PyObject *index = PyNumber_Index(args[0]);
        if (index == NULL) {
            return NULL;
        }
        n = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (n == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    rotate(D(op), n);
    Py_RETURN_NONE;
}

static PyObject *
deque_reverse(PyObject *op, PyObject *ignored)
{
    deque *d = D(op);
    for (Py_ssize_t i = 0, j = Py_SIZE(d) - 1; i < j; i++, j--) {
        PyObject *t = *slot(d, i);
        *slot(d, i) = *slot(d, j);
        *slot(d, j) = t;
    }
    Py_RETURN_NONE;
}

static int
mutated(void)
{
    PyErr_SetString(PyExc_RuntimeError, "deque mutated during iteration");
    return -1;
}

/* Compares item i: 1, 0, or -1 with an exception. */
static int
item_equals(deque *d, Py_ssize_t i, PyObject *v)
{
    PyObject *item = Py_NewRef(*slot(d, i));
    int cmp = PyObject_RichCompareBool(item, v, Py_EQ);
    Py_DECREF(item);
    return cmp;
}

static PyObject *
deque_count(PyObject *op, PyObject *v)
{
    deque *d = D(op);
    Py_ssize_t count = 0, n = Py_SIZE(d);
    size_t state = d->state;
    for (Py_ssize_t i = 0; i < n; i++) {
        int cmp = item_equals(d, i, v);
        if (cmp < 0 || (state != d->state && mutated() < 0)) {
            return NULL;
        }
        count += cmp;
    }
    return PyLong_FromSsize_t(count);
}

static int
deque_contains(PyObject *op, PyObject *v)
{
    deque *d = D(op);
    Py_ssize_t n = Py_SIZE(d);
    size_t state = d->state;
    for (Py_ssize_t i = 0; i < n; i++) {
        int cmp = item_equals(d, i, v);
        if (cmp != 0) {
            return cmp;
        }
        if (state != d->state) {
            return mutated();
        }
    }
    return 0;
}

static PyObject *
deque_index(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    deque *d = D(op);
    Py_ssize_t n = Py_SIZE(d), start = 0, stop = n;
    PyObject *v;
    if (!_PyArg_ParseStack(args, nargs, "O|O&O&:index", &v,
                           _PyEval_SliceIndexNotNone, &start,
                           _PyEval_SliceIndexNotNone, &stop)) {
        return NULL;
    }
    start = start < 0 ? (start + n < 0 ? 0 : start + n) : start;
    stop = stop < 0 ? (stop + n < 0 ? 0 : stop + n) : stop;
    stop = stop > n ? n : stop;
    size_t state = d->state;
    for (Py_ssize_t i = start; i < stop; i++) {
        int cmp = item_equals(d, i, v);
        if (cmp > 0) {
            return PyLong_FromSsize_t(i);
        }
        if (cmp < 0 || (state != d->state && mutated() < 0)) {
            return NULL;
        }
    }
    PyErr_Format(PyExc_ValueError, "%R is not in deque", v);
    return NULL;
}

static PyObject *
deque_insert(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    deque *d = D(op);
    PyObject *v;
    Py_ssize_t index;
    if (!_PyArg_ParseStack(args, nargs, "nO:insert", &index, &v)) {
        return NULL;
    }
    Py_ssize_t n = Py_SIZE(d); /* __index__ may have changed it */
    if (d->maxlen == n) {
        PyErr_SetString(PyExc_IndexError,
                        "deque already at its maximum size");
        return NULL;
    }
    if (index >= n) {
        return deque_append(op, v);
    }
    if (index <= -n || index == 0) {
        return deque_appendleft(op, v);
    }
    index += index < 0 ? n : 0;
    if (index < n / 2) {
        if (put_left(d, Py_NewRef(v)) < 0) {
            return NULL;
        }
        for (Py_ssize_t i = 0; i < index; i++) {
            *slot(d, i) = *slot(d, i + 1);
        }
    }
    else {
        if (put_right(d, Py_NewRef(v)) < 0) {
            return NULL;
        }
        for (Py_ssize_t i = n; i > index; i--) {
            *slot(d, i) = *slot(d, i - 1);
        }
    }
    *slot(d, index) = v;
    Py_RETURN_NONE;
}

static PyObject *
deque_remove(PyObject *op, PyObject *value)
{
    deque *d = D(op);
    Py_ssize_t n = Py_SIZE(d);
    size_t state = d->state;
    for (Py_ssize_t i = 0; i < n; i++) {
        int cmp = item_equals(d, i, value);
        if (cmp < 0) {
            return NULL;
        }
        if (state != d->state) {
            PyErr_SetString(PyExc_IndexError,
                            "deque mutated during remove().");
            return NULL;
        }
        if (cmp > 0) {
            Py_DECREF(remove_at(d, i));
            Py_RETURN_NONE;
        }
    }
    PyErr_Format(PyExc_ValueError, "%R is not in deque", value);
    return NULL;
}

/* ---- slots */

static Py_ssize_t
deque_len(PyObject *op)
{
    return Py_SIZE(op);
}

static PyObject *
deque_item(PyObject *op, Py_ssize_t i)
{
    if ((size_t)i >= (size_t)Py_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError, "deque index out of range");
        return NULL;
    }
    return Py_NewRef(*slot(D(op), i));
}

static int
deque_ass_item(PyObject *op, Py_ssize_t i, PyObject *v)
{
    deque *d = D(op);
    if ((size_t)i >= (size_t)Py_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError, "deque index out of range");
        return -1;
    }
    if (v == NULL) {
        Py_DECREF(remove_at(d, i));
        return 0;
    }
    PyObject **at = slot(d, i), *old = *at;
    *at = Py_NewRef(v);
    Py_DECREF(old);
    return 0;
}

static void
deque_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, deque_dealloc)
    if (D(op)->weakreflist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    deque_clear(op);
    Py_TYPE(op)->tp_free(op);
    Py_TRASHCAN_END
}

static int
deque_traverse(PyObject *op, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        Py_VISIT(*slot(D(op), i));
    }
    return 0;
}

static PyObject *
deque_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    deque *d = D(type->tp_alloc(type, 0));
    if (d != NULL) {
        d->items = NULL;
        d->first = 0;
        d->mask = -1;
        d->state = 0;
        d->maxlen = -1;
        d->weakreflist = NULL;
    }
    return (PyObject *)d;
}

static int
deque_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"iterable", "maxlen", NULL};
    PyObject *iterable = NULL, *maxlenobj = NULL;
    Py_ssize_t maxlen = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "|OO:deque", keywords,
                                     &iterable, &maxlenobj)) {
        return -1;
    }
    if (maxlenobj != NULL && maxlenobj != Py_None) {
        maxlen = PyLong_AsSsize_t(maxlenobj);
        if (maxlen == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (maxlen < 0) {
            PyErr_SetString(PyExc_ValueError, "maxlen must be non-negative");
            return -1;
        }
    }
    D(op)->maxlen = maxlen;
    if (Py_SIZE(op) > 0) {
        deque_clear(op);
    }
    return iterable == NULL ? 0 : extend_with(D(op), iterable, put_right);
}

static PyObject *
deque_reduce(PyObject *op, PyObject *ignored)
{
    PyObject *state = _PyObject_GetState(op);
    if (state == NULL) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(op);
    if (it == NULL) {
        Py_DECREF(state);
        return NULL;
    }
    if (D(op)->maxlen < 0) {
        return Py_BuildValue("O()NN", Py_TYPE(op), state, it);
    }
    return Py_BuildValue("O(()n)NN", Py_TYPE(op), D(op)->maxlen, state, it);
}

static PyObject *
deque_repr(PyObject *op)
{
    int status = Py_ReprEnter(op);
    if (status != 0) {
        return status < 0 ? NULL : PyUnicode_FromString("[...]");
    }
    PyObject *list = PySequence_List(op), *result = NULL;
    if (list != NULL) {
        const char *name = _PyType_Name(Py_TYPE(op));
        result = D(op)->maxlen >= 0
                     ? PyUnicode_FromFormat("%s(%R, maxlen=%zd)", name, list,
                                            D(op)->maxlen)
                     : PyUnicode_FromFormat("%s(%R)", name, list);
        Py_DECREF(list);
    }
    Py_ReprLeave(op);
    return result;
}

static PyObject *
deque_richcompare(PyObject *v, PyObject *w, int op)
{
    if (!IS_DEQUE(v) || !IS_DEQUE(w)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t nv = Py_SIZE(v), nw = Py_SIZE(w);
    if (nv != nw && (op == Py_EQ || op == Py_NE)) {
        return PyBool_FromLong(op == Py_NE);
    }
    PyObject *iv = PyObject_GetIter(v), *iw = iv ? PyObject_GetIter(w) : NULL;
    PyObject *x = NULL, *y = NULL, *result = NULL;
    int cmp = iw == NULL ? -1 : 1;
    while (cmp == 1) {
        Py_XDECREF(x);
        Py_XDECREF(y);
        x = PyIter_Next(iv);
        y = x == NULL && PyErr_Occurred() ? NULL : PyIter_Next(iw);
        if (x == NULL || y == NULL) {
            break;
        }
        cmp = PyObject_RichCompareBool(x, y, Py_EQ);
    }
    if (cmp >= 0 && !PyErr_Occurred()) {
        if (x != NULL && y != NULL) { /* the first that differ */
            result = op == Py_EQ   ? Py_NewRef(Py_False)
                     : op == Py_NE ? Py_NewRef(Py_True)
                                   : PyObject_RichCompare(x, y, op);
        }
        else {
            int a = x != NULL, b = y != NULL;
            result = PyBool_FromLong(op == Py_LT   ? a < b
                                     : op == Py_LE ? a <= b
                                     : op == Py_EQ ? a == b
                                     : op == Py_NE ? a != b
                                     : op == Py_GT ? a > b
                                                   : a >= b);
        }
    }
    Py_XDECREF(x);
    Py_XDECREF(y);
    Py_XDECREF(iv);
    Py_XDECREF(iw);
    return result;
}

static PyObject *
deque_sizeof(PyObject *op, PyObject *ignored)
{
    return PyLong_FromSsize_t(_PyObject_SIZE(Py_TYPE(op))
                              + (D(op)->mask + 1)
                                    * (Py_ssize_t)sizeof(PyObject *));
}

static PyObject *
deque_get_maxlen(PyObject *op, void *ignored)
{
    if (D(op)->maxlen < 0) {
        Py_RETURN_NONE;
    }
    return PyLong_FromSsize_t(D(op)->maxlen);
}

/* ---- iterators */

typedef struct {
    PyObject_HEAD
    deque *d;
    Py_ssize_t left; /* items to come */
    size_t state;
} deque_iterator;

#define IT(op) ((deque_iterator *)(op))

static PyObject *
iter_make(PyTypeObject *type, PyObject *op)
{
    deque_iterator *it = PyObject_GC_New(deque_iterator, type);
    if (it == NULL) {
        return NULL;
    }
    it->d = D(Py_NewRef(op));
    it->state = D(op)->state;
    it->left = Py_SIZE(op);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static PyObject *
deque_iter(PyObject *op)
{
    return iter_make(&kr_deque_iter_type, op);
}

static PyObject *
deque_reversed(PyObject *op, PyObject *ignored)
{
    return iter_make(&kr_deque_reviter_type, op);
}

static void
iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(IT(op)->d);
    PyObject_GC_Del(op);
}

static int
iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(IT(op)->d);
    return 0;
}

static PyObject *
iter_next(PyObject *op)
{
    deque_iterator *it = IT(op);
    if (it->d->state != it->state) {
        it->left = 0;
        mutated();
        return NULL;
    }
    if (it->left == 0) {
        return NULL;
    }
    return Py_NewRef(*slot(it->d, Py_SIZE(it->d) - it->left--));
}

static PyObject *
reviter_next(PyObject *op)
{
    deque_iterator *it = IT(op);
    if (it->left == 0) {
        return NULL;
    }
    if (it->d->state != it->state) {
        it->left = 0;
        mutated();
        return NULL;
    }
    return Py_NewRef(*slot(it->d, --it->left));
}

static PyObject *
iter_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *op;
    Py_ssize_t index = 0;
    if (!PyArg_ParseTuple(args, "O!|n", &kr_deque_type, &op, &index)) {
        return NULL;
    }
    PyObject *it = iter_make(type, op);
    for (Py_ssize_t i = 0; it != NULL && i < index; i++) {
        PyObject *item = type->tp_iternext(it);
        if (item == NULL) {
            if (PyErr_Occurred()) {
                Py_CLEAR(it);
            }
            break;
        }
        Py_DECREF(item);
    }
    return it;
}

static PyObject *
iter_len(PyObject *op, PyObject *ignored)
{
    return PyLong_FromSsize_t(IT(op)->left);
}

static PyObject *
iter_reduce(PyObject *op, PyObject *ignored)
{
    deque_iterator *it = IT(op);
    return Py_BuildValue("O(On)", Py_TYPE(it), it->d,
                         Py_SIZE(it->d) - it->left);
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_len, METH_NOARGS,
     "Private method returning an estimate of len(list(it))."},
    {"__reduce__", iter_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {NULL},
};

#define ITER_TYPE(var, text, next)                                             \
    PyTypeObject var = {                                                       \
        .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),                      \
        .tp_name = "_collections." text,                                       \
        .tp_basicsize = sizeof(deque_iterator),                                \
        .tp_dealloc = iter_dealloc,                                            \
        .tp_getattro = PyObject_GenericGetAttr,                                \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,                   \
        .tp_traverse = iter_traverse,                                          \
        .tp_iter = PyObject_SelfIter,                                          \
        .tp_iternext = next,                                                   \
        .tp_methods = iter_methods,                                            \
        .tp_new = iter_new,                                                    \
    }

ITER_TYPE(kr_deque_iter_type, "_deque_iterator", iter_next);
ITER_TYPE(kr_deque_reviter_type, "_deque_reverse_iterator", reviter_next);

/* ---- type */

static PyMethodDef methods[] = {
    {"append", deque_append, METH_O,
     "Add an element to the right side of the deque."},
    {"appendleft", deque_appendleft, METH_O,
     "Add an element to the left side of the deque."},
    {"clear", deque_clear_method, METH_NOARGS,
     "Remove all elements from the deque."},
    {"__copy__", deque_copy, METH_NOARGS, "Return a shallow copy of a deque."},
    {"copy", deque_copy, METH_NOARGS, "Return a shallow copy of a deque."},
    {"count", deque_count, METH_O,
     "D.count(value) -- return number of occurrences of value"},
    {"extend", deque_extend, METH_O,
     "Extend the right side of the deque with elements from the iterable"},
    {"extendleft", deque_extendleft, METH_O,
     "Extend the left side of the deque with elements from the iterable"},
    {"index", (PyCFunction)(void *)deque_index, METH_FASTCALL,
     "D.index(value, [start, [stop]]) -- return first index of value.\n"
     "Raises ValueError if the value is not present."},
    {"insert", (PyCFunction)(void *)deque_insert, METH_FASTCALL,
     "D.insert(index, object) -- insert object before index"},
    {"pop", deque_pop, METH_NOARGS, "Remove and return the rightmost element."},
    {"popleft", deque_popleft, METH_NOARGS,
     "Remove and return the leftmost element."},
    {"__reduce__", deque_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {"remove", deque_remove, METH_O,
     "D.remove(value) -- remove first occurrence of value."},
    {"__reversed__", deque_reversed, METH_NOARGS,
     "D.__reversed__() -- return a reverse iterator over the deque"},
    {"reverse", deque_reverse, METH_NOARGS,
     "D.reverse() -- reverse *IN PLACE*"},
    {"rotate", (PyCFunction)(void *)deque_rotate, METH_FASTCALL,
     "Rotate the deque n steps to the right (default n=1).  If n is "
     "negative, rotates left."},
    {"__sizeof__", deque_sizeof, METH_NOARGS,
     "D.__sizeof__() -- size of D in memory, in bytes"},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

static PyGetSetDef getset[] = {
    {"maxlen", deque_get_maxlen, NULL,
     "maximum size of a deque or None if unbounded", NULL},
    {NULL},
};

static PySequenceMethods as_sequence = {
    .sq_length = deque_len,
    .sq_concat = deque_concat,
    .sq_repeat = deque_repeat,
    .sq_item = deque_item,
    .sq_ass_item = deque_ass_item,
    .sq_contains = deque_contains,
    .sq_inplace_concat = deque_inplace_concat,
    .sq_inplace_repeat = deque_inplace_repeat,
};

PyTypeObject kr_deque_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "collections.deque",
    .tp_basicsize = sizeof(deque),
    .tp_dealloc = deque_dealloc,
    .tp_repr = deque_repr,
    .tp_as_sequence = &as_sequence,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC
                | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "deque([iterable[, maxlen]]) --> deque object\n\n"
              "A list-like sequence optimized for data accesses near its "
              "endpoints.",
    .tp_traverse = deque_traverse,
    .tp_clear = deque_clear,
    .tp_richcompare = deque_richcompare,
    .tp_weaklistoffset = offsetof(deque, weakreflist),
    .tp_iter = deque_iter,
    .tp_methods = methods,
    .tp_getset = getset,
    .tp_init = deque_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = deque_new,
    .tp_free = PyObject_GC_Del,
};
