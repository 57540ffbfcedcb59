/* The array module: compact sequences of numbers of one type. */
#include <Python.h>
#include <string.h>
#include <structmember.h>

#include "modules/array/array.h"
#include "objects/ids.h"
#include "objects/unpack.h"

typedef struct {
    PyObject_VAR_HEAD
    char *items;
    Py_ssize_t allocated;
    const struct kr_array_kind *kind;
    PyObject *weakreflist;
    Py_ssize_t exports;
} array;

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;
    array *ao; /* NULL when exhausted */
} array_iterator;

struct state {
    PyTypeObject *array_type;
    PyTypeObject *iter_type;
    PyObject *reconstructor; /* array._array_reconstructor */
};

#define A(op) ((array *)(op))
#define AT(a, i) ((a)->items + (i) * (a)->kind->itemsize)

static struct PyModuleDef definition;

static struct state *
state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

static struct state *
state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &definition);
    return module == NULL ? NULL : state_of(module);
}

/* Whether op is an array; the state comes from `self`, which is one. */
static bool
is_array(PyObject *self, PyObject *op)
{
    struct state *state = state_of_type(Py_TYPE(self));
    if (state == NULL) {
        PyErr_Clear();
        return false;
    }
    return PyObject_TypeCheck(op, state->array_type);
}

/* ---- the buffer */

static int
resize(array *self, Py_ssize_t newsize)
{
    if (self->exports > 0 && newsize != Py_SIZE(self)) {
        PyErr_SetString(PyExc_BufferError,
                        "cannot resize an array that is exporting buffers");
        return -1;
    }
    if (self->allocated >= newsize && Py_SIZE(self) < newsize + 16
        && self->items != NULL) {
        Py_SET_SIZE(self, newsize);
        return 0;
    }
    if (newsize == 0) {
        PyMem_Free(self->items);
        self->items = NULL;
        Py_SET_SIZE(self, 0);
        self->allocated = 0;
        return 0;
    }
    size_t room = ((size_t)newsize >> 4) + (Py_SIZE(self) < 8 ? 3 : 7)
                  + (size_t)newsize;
    char *items = NULL;
    if (room <= (size_t)PY_SSIZE_T_MAX / (size_t)self->kind->itemsize) {
        items = PyMem_Realloc(self->items,
                              room * (size_t)self->kind->itemsize);
    }
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->items = items;
    self->allocated = (Py_ssize_t)room;
    Py_SET_SIZE(self, newsize);
    return 0;
}

static array *
make(PyTypeObject *type, Py_ssize_t size, const struct kr_array_kind *kind)
{
    if (size > PY_SSIZE_T_MAX / kind->itemsize) {
        PyErr_NoMemory();
        return NULL;
    }
    array *op = A(type->tp_alloc(type, 0));
    if (op == NULL) {
        return NULL;
    }
    op->kind = kind;
    op->allocated = size;
    op->weakreflist = NULL;
    op->exports = 0;
    op->items = NULL;
    Py_SET_SIZE(op, size);
    if (size > 0) {
        op->items = PyMem_Malloc((size_t)(size * kind->itemsize));
        if (op->items == NULL) {
            Py_SET_SIZE(op, 0);
            Py_DECREF(op);
            PyErr_NoMemory();
            return NULL;
        }
    }
    return op;
}

static void
array_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (A(op)->weakreflist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    PyMem_Free(A(op)->items);
    type->tp_free(op);
    Py_DECREF(type);
}

static int
array_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

static PyObject *
item_at(array *a, Py_ssize_t i)
{
    return a->kind->get(AT(a, i));
}

static int
insert_at(array *self, Py_ssize_t where, PyObject *v)
{
    char item[8];
    if (self->kind->set(item, v) < 0) {
        return -1;
    }
    Py_ssize_t n = Py_SIZE(self);
    where = where < 0 ? (where + n < 0 ? 0 : where + n) : where;
    where = where > n ? n : where;
    if (resize(self, n + 1) < 0) {
        return -1;
    }
    size_t size = (size_t)self->kind->itemsize;
    if (where != n) {
        memmove(AT(self, where + 1), AT(self, where),
                (size_t)(n - where) * size);
    }
    memcpy(AT(self, where), item, size);
    return 0;
}

/* Removes [low, high). */
static int
delete_range(array *a, Py_ssize_t low, Py_ssize_t high)
{
    Py_ssize_t n = Py_SIZE(a);
    if (high <= low) {
        return 0;
    }
    if (a->exports > 0) {
        PyErr_SetString(PyExc_BufferError,
                        "cannot resize an array that is exporting buffers");
        return -1;
    }
    memmove(AT(a, low), AT(a, high),
            (size_t)((n - high) * a->kind->itemsize));
    return resize(a, n - (high - low));
}

/* ---- sequence slots */

static Py_ssize_t
array_length(PyObject *op)
{
    return Py_SIZE(op);
}

static PyObject *
array_item(PyObject *op, Py_ssize_t i)
{
    if ((size_t)i >= (size_t)Py_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError, "array index out of range");
        return NULL;
    }
    return item_at(A(op), i);
}

static array *
slice_of(array *a, Py_ssize_t low, Py_ssize_t n)
{
    struct state *state = state_of_type(Py_TYPE(a));
    array *np = state ? make(state->array_type, n, a->kind) : NULL;
    if (np != NULL && n > 0) {
        memcpy(np->items, AT(a, low), (size_t)(n * a->kind->itemsize));
    }
    return np;
}

static PyObject *
array_copy(PyObject *op, PyObject *ignored)
{
    return (PyObject *)slice_of(A(op), 0, Py_SIZE(op));
}

static PyObject *
array_concat(PyObject *a, PyObject *b)
{
    struct state *state = state_of_type(Py_TYPE(a));
    if (state == NULL) {
        return NULL;
    }
    if (!is_array(a, b)) {
        PyErr_Format(PyExc_TypeError,
                     "can only append array (not \"%.200s\") to array",
                     Py_TYPE(b)->tp_name);
        return NULL;
    }
    if (A(a)->kind != A(b)->kind) {
        PyErr_BadArgument();
        return NULL;
    }
    if (Py_SIZE(a) > PY_SSIZE_T_MAX - Py_SIZE(b)) {
        return PyErr_NoMemory();
    }
    array *np = make(state->array_type, Py_SIZE(a) + Py_SIZE(b), A(a)->kind);
    if (np == NULL) {
        return NULL;
    }
    size_t size = (size_t)np->kind->itemsize;
    if (Py_SIZE(a) > 0) {
        memcpy(np->items, A(a)->items, (size_t)Py_SIZE(a) * size);
    }
    if (Py_SIZE(b) > 0) {
        memcpy(AT(np, Py_SIZE(a)), A(b)->items, (size_t)Py_SIZE(b) * size);
    }
    return (PyObject *)np;
}

/* Copies the first `n` bytes over the rest of `total`. */
static void
repeat_bytes(char *p, Py_ssize_t n, Py_ssize_t total)
{
    for (Py_ssize_t done = n; done < total;) {
        Py_ssize_t k = done < total - done ? done : total - done;
        memcpy(p + done, p, (size_t)k);
        done += k;
    }
}

static PyObject *
array_repeat(PyObject *op, Py_ssize_t n)
{
    struct state *state = state_of_type(Py_TYPE(op));
    n = n < 0 ? 0 : n;
    if (state == NULL
        || (Py_SIZE(op) != 0 && n > PY_SSIZE_T_MAX / Py_SIZE(op))) {
        return state == NULL ? NULL : PyErr_NoMemory();
    }
    array *np = make(state->array_type, Py_SIZE(op) * n, A(op)->kind);
    if (np != NULL && Py_SIZE(np) > 0) {
        Py_ssize_t bytes = Py_SIZE(op) * np->kind->itemsize;
        memcpy(np->items, A(op)->items, (size_t)bytes);
        repeat_bytes(np->items, bytes, bytes * n);
    }
    return (PyObject *)np;
}

static PyObject *
array_inplace_repeat(PyObject *op, Py_ssize_t n)
{
    Py_ssize_t size = Py_SIZE(op);
    n = n < 0 ? 0 : n;
    if (size > 0 && n != 1) {
        if (n > PY_SSIZE_T_MAX / size / A(op)->kind->itemsize) {
            return PyErr_NoMemory();
        }
        if (resize(A(op), size * n) < 0) {
            return NULL;
        }
        if (n > 1) {
            Py_ssize_t bytes = size * A(op)->kind->itemsize;
            repeat_bytes(A(op)->items, bytes, bytes * n);
        }
    }
    return Py_NewRef(op);
}

static int
extend_array(array *self, array *other)
{
    if (self->kind != other->kind) {
        PyErr_SetString(PyExc_TypeError,
                        "can only extend with array of same kind");
        return -1;
    }
    Py_ssize_t n = Py_SIZE(self), m = Py_SIZE(other);
    if (n > PY_SSIZE_T_MAX - m) {
        PyErr_NoMemory();
        return -1;
    }
    if (resize(self, n + m) < 0) {
        return -1;
    }
    if (m > 0) {
        memcpy(AT(self, n), other->items,
               (size_t)(m * self->kind->itemsize));
    }
    return 0;
}

static int
extend_iterable(PyObject *self, PyObject *iterable)
{
    if (is_array(self, iterable)) {
        return extend_array(A(self), A(iterable));
    }
    PyObject *it = PyObject_GetIter(iterable), *v;
    if (it == NULL) {
        return -1;
    }
    while ((v = PyIter_Next(it)) != NULL) {
        int err = insert_at(A(self), Py_SIZE(self), v);
        Py_DECREF(v);
        if (err < 0) {
            break;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *
array_inplace_concat(PyObject *self, PyObject *other)
{
    if (!is_array(self, other)) {
        PyErr_Format(PyExc_TypeError,
                     "can only extend with array (not \"%.200s\")",
                     Py_TYPE(other)->tp_name);
        return NULL;
    }
    return extend_array(A(self), A(other)) < 0 ? NULL : Py_NewRef(self);
}

static int
array_ass_item(PyObject *op, Py_ssize_t i, PyObject *v)
{
    if ((size_t)i >= (size_t)Py_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError,
                        "array assignment index out of range");
        return -1;
    }
    if (v == NULL) {
        return delete_range(A(op), i, i + 1);
    }
    char item[8];
    if (A(op)->kind->set(item, v) < 0) {
        return -1;
    }
    if ((size_t)i >= (size_t)Py_SIZE(op)) { /* the conversion shrank it */
        PyErr_SetString(PyExc_IndexError,
                        "array assignment index out of range");
        return -1;
    }
    memcpy(AT(A(op), i), item, (size_t)A(op)->kind->itemsize);
    return 0;
}

static int
array_contains(PyObject *op, PyObject *v)
{
    int cmp = 0;
    for (Py_ssize_t i = 0; cmp == 0 && i < Py_SIZE(op); i++) {
        PyObject *item = item_at(A(op), i);
        if (item == NULL) {
            return -1;
        }
        cmp = PyObject_RichCompareBool(item, v, Py_EQ);
        Py_DECREF(item);
    }
    return cmp;
}

static PyObject *
array_subscript(PyObject *op, PyObject *item)
{
    array *self = A(op);
    if (PyIndex_Check(item)) {
        Py_ssize_t i = PyNumber_AsSsize_t(item, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return array_item(op, i < 0 ? i + Py_SIZE(self) : i);
    }
    if (!PySlice_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "array indices must be integers");
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(item, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if (step == 1 || n <= 0) {
        return (PyObject *)slice_of(self, start, n > 0 ? n : 0);
    }
    struct state *state = state_of_type(Py_TYPE(self));
    array *ar = state ? make(state->array_type, n, self->kind) : NULL;
    for (Py_ssize_t i = 0; ar != NULL && i < n; i++) {
        memcpy(AT(ar, i), AT(self, start + i * step),
               (size_t)self->kind->itemsize);
    }
    return (PyObject *)ar;
}

/* self[start:stop:step] = other, or its deletion when that is NULL. */
static int
assign_slice(array *self, array *other, Py_ssize_t start, Py_ssize_t stop,
             Py_ssize_t step, Py_ssize_t n)
{
    Py_ssize_t needed = other ? Py_SIZE(other) : 0, size = Py_SIZE(self);
    size_t itemsize = (size_t)self->kind->itemsize;
    if ((step > 0 && stop < start) || (step < 0 && stop > start)) {
        stop = start;
    }
    if (self->exports > 0
        && ((other == NULL && n > 0) || (step == 1 && needed != n))) {
        PyErr_SetString(PyExc_BufferError,
                        "cannot resize an array that is exporting buffers");
        return -1;
    }
    if (step == 1) {
        if (n > needed) {
            memmove(AT(self, start + needed), AT(self, stop),
                    (size_t)(size - stop) * itemsize);
            if (resize(self, size + needed - n) < 0) {
                return -1;
            }
        }
        else if (n < needed) {
            if (resize(self, size + needed - n) < 0) {
                return -1;
            }
            memmove(AT(self, start + needed), AT(self, stop),
                    (size_t)(size - stop) * itemsize);
        }
        if (needed > 0) {
            memcpy(AT(self, start), other->items, (size_t)needed * itemsize);
        }
        return 0;
    }
    if (other == NULL) {
        if (step < 0) {
            start += step * (n - 1);
            step = -step;
        }
        Py_ssize_t to = start, k = 0;
        for (Py_ssize_t i = start; n > 0 && i < size; i++) {
            if (k < n && i == start + k * step) {
                k++;
                continue;
            }
            memmove(AT(self, to++), AT(self, i), itemsize);
        }
        return n > 0 ? resize(self, size - n) : 0;
    }
    if (needed != n) {
        PyErr_Format(PyExc_ValueError,
                     "attempt to assign array of size %zd to extended slice "
                     "of size %zd",
                     needed, n);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        memcpy(AT(self, start + i * step), AT(other, i), itemsize);
    }
    return 0;
}

static int
array_ass_subscript(PyObject *op, PyObject *item, PyObject *value)
{
    array *self = A(op);
    if (PyIndex_Check(item)) {
        Py_ssize_t i = PyNumber_AsSsize_t(item, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return -1;
        }
        return array_ass_item(op, i < 0 ? i + Py_SIZE(self) : i, value);
    }
    if (!PySlice_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "array indices must be integers");
        return -1;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(item, &start, &stop, &step) < 0) {
        return -1;
    }
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if (value == NULL) {
        return assign_slice(self, NULL, start, stop, step, n);
    }
    if (!is_array(op, value)) {
        PyErr_Format(PyExc_TypeError,
                     "can only assign array (not \"%.200s\") to array slice",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    if (A(value)->kind != self->kind) {
        PyErr_BadArgument();
        return -1;
    }
    if (value == op) {
        array *copy = slice_of(self, 0, Py_SIZE(self));
        if (copy == NULL) {
            return -1;
        }
        int err = assign_slice(self, copy, start, stop, step, n);
        Py_DECREF(copy);
        return err;
    }
    return assign_slice(self, A(value), start, stop, step, n);
}

/* ---- comparison and text */

static PyObject *
array_richcompare(PyObject *v, PyObject *w, int op)
{
    struct state *state = state_of_type(Py_TYPE(v));
    if (state == NULL || !PyObject_TypeCheck(v, state->array_type)
        || !PyObject_TypeCheck(w, state->array_type)) {
        if (state == NULL) {
            PyErr_Clear();
        }
        Py_RETURN_NOTIMPLEMENTED;
    }
    array *va = A(v), *wa = A(w);
    Py_ssize_t nv = Py_SIZE(v), nw = Py_SIZE(w);
    if (nv != nw && (op == Py_EQ || op == Py_NE)) {
        return PyBool_FromLong(op == Py_NE);
    }
    if (va->kind == wa->kind && va->kind->is_integer && nv == nw
        && (op == Py_EQ || op == Py_NE)) {
        bool eq = nv == 0
                  || memcmp(va->items, wa->items,
                            (size_t)(nv * va->kind->itemsize))
                         == 0;
        return PyBool_FromLong(eq == (op == Py_EQ));
    }
    for (Py_ssize_t i = 0; i < nv && i < nw; i++) {
        PyObject *x = item_at(va, i), *y = x ? item_at(wa, i) : NULL;
        int eq = y ? PyObject_RichCompareBool(x, y, Py_EQ) : -1;
        PyObject *result = NULL;
        if (eq == 0) {
            result = op == Py_EQ   ? Py_NewRef(Py_False)
                     : op == Py_NE ? Py_NewRef(Py_True)
                                   : PyObject_RichCompare(x, y, op);
        }
        Py_XDECREF(x);
        Py_XDECREF(y);
        if (eq != 1) {
            return result;
        }
    }
    Py_RETURN_RICHCOMPARE(nv, nw, op);
}

static PyObject *
array_tolist(PyObject *op, PyObject *ignored)
{
    PyObject *list = PyList_New(Py_SIZE(op));
    for (Py_ssize_t i = 0; list != NULL && i < Py_SIZE(op); i++) {
        PyObject *v = item_at(A(op), i);
        if (v == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, v);
    }
    return list;
}

static PyObject *
array_tounicode(PyObject *op, PyObject *ignored)
{
    if (A(op)->kind->typecode != 'u') {
        PyErr_SetString(PyExc_ValueError,
                        "tounicode() may only be called on unicode type "
                        "arrays");
        return NULL;
    }
    return PyUnicode_FromWideChar((wchar_t *)A(op)->items, Py_SIZE(op));
}

static PyObject *
array_repr(PyObject *op)
{
    char typecode = A(op)->kind->typecode;
    const char *name = _PyType_Name(Py_TYPE(op));
    if (Py_SIZE(op) == 0) {
        return PyUnicode_FromFormat("%s('%c')", name, typecode);
    }
    PyObject *v = typecode == 'u' ? array_tounicode(op, NULL)
                                  : array_tolist(op, NULL);
    if (v == NULL) {
        return NULL;
    }
    PyObject *s = PyUnicode_FromFormat("%s('%c', %R)", name, typecode, v);
    Py_DECREF(v);
    return s;
}

/* ---- methods */

static PyObject *
array_deepcopy(PyObject *op, PyObject *memo)
{
    return array_copy(op, NULL);
}

static PyObject *
array_count(PyObject *op, PyObject *v)
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        PyObject *item = item_at(A(op), i);
        if (item == NULL) {
            return NULL;
        }
        int cmp = PyObject_RichCompareBool(item, v, Py_EQ);
        Py_DECREF(item);
        if (cmp < 0) {
            return NULL;
        }
        count += cmp;
    }
    return PyLong_FromSsize_t(count);
}

static PyObject *
array_index(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX, n = Py_SIZE(op);
    if (!_PyArg_CheckPositional("index", nargs, 1, 3)
        || (nargs > 1 && !_PyEval_SliceIndexNotNone(args[1], &start))
        || (nargs > 2 && !_PyEval_SliceIndexNotNone(args[2], &stop))) {
        return NULL;
    }
    start = start < 0 ? (start + n < 0 ? 0 : start + n) : start;
    stop = stop < 0 ? stop + n : stop;
    for (Py_ssize_t i = start; i < stop && i < Py_SIZE(op); i++) {
        PyObject *item = item_at(A(op), i);
        if (item == NULL) {
            return NULL;
        }
        int cmp = PyObject_RichCompareBool(item, args[0], Py_EQ);
        Py_DECREF(item);
        if (cmp != 0) {
            return cmp < 0 ? NULL : PyLong_FromSsize_t(i);
        }
    }
    PyErr_SetString(PyExc_ValueError, "array.index(x): x not in array");
    return NULL;
}

static PyObject *
array_remove(PyObject *op, PyObject *v)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        PyObject *item = item_at(A(op), i);
        if (item == NULL) {
            return NULL;
        }
        int cmp = PyObject_RichCompareBool(item, v, Py_EQ);
        Py_DECREF(item);
        if (cmp > 0) {
            return delete_range(A(op), i, i + 1) < 0 ? NULL
                                                     : Py_NewRef(Py_None);
        }
        if (cmp < 0) {
            return NULL;
        }
    }
    PyErr_SetString(PyExc_ValueError, "array.remove(x): x not in array");
    return NULL;
}

static int
index_arg(PyObject *o, Py_ssize_t *value)
{
    PyObject *index = PyNumber_Index(o);
    if (index == NULL) {
        return -1;
    }
    *value = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *
array_pop(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t i = -1, n;
    if (!_PyArg_CheckPositional("pop", nargs, 0, 1)
        || (nargs && index_arg(args[0], &i) < 0)) {
        return NULL;
    }
    n = Py_SIZE(op);
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty array");
        return NULL;
    }
    i += i < 0 ? n : 0;
    if (i < 0 || i >= n) {
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
        return NULL;
    }
    PyObject *v = item_at(A(op), i);
    if (v != NULL && delete_range(A(op), i, i + 1) < 0) {
        Py_CLEAR(v);
    }
    return v;
}

static PyObject *
array_extend(PyObject *op, PyObject *iterable)
{
    return extend_iterable(op, iterable) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
array_insert(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t i;
    if (!_PyArg_CheckPositional("insert", nargs, 2, 2)
        || index_arg(args[0], &i) < 0
        || insert_at(A(op), i, args[1]) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
array_append(PyObject *op, PyObject *v)
{
    return insert_at(A(op), Py_SIZE(op), v) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
array_buffer_info(PyObject *op, PyObject *ignored)
{
    return Py_BuildValue("(Nn)", PyLong_FromVoidPtr(A(op)->items),
                         Py_SIZE(op));
}

static void
reverse_bytes(char *p, int n)
{
    for (int i = 0, j = n - 1; i < j; i++, j--) {
        char t = p[i];
        p[i] = p[j];
        p[j] = t;
    }
}

static PyObject *
array_byteswap(PyObject *op, PyObject *ignored)
{
    int size = A(op)->kind->itemsize;
    for (Py_ssize_t i = 0; size > 1 && i < Py_SIZE(op); i++) {
        reverse_bytes(AT(A(op), i), size);
    }
    Py_RETURN_NONE;
}

static PyObject *
array_reverse(PyObject *op, PyObject *ignored)
{
    size_t size = (size_t)A(op)->kind->itemsize;
    char tmp[8];
    for (Py_ssize_t i = 0, j = Py_SIZE(op) - 1; i < j; i++, j--) {
        memcpy(tmp, AT(A(op), i), size);
        memcpy(AT(A(op), i), AT(A(op), j), size);
        memcpy(AT(A(op), j), tmp, size);
    }
    Py_RETURN_NONE;
}

static int
append_bytes(array *self, Py_buffer *buffer)
{
    if (buffer->itemsize != 1) {
        PyErr_SetString(PyExc_TypeError, "a bytes-like object is required");
        return -1;
    }
    Py_ssize_t size = self->kind->itemsize, n = buffer->len;
    if (n % size != 0) {
        PyErr_SetString(PyExc_ValueError,
                        "bytes length not a multiple of item size");
        return -1;
    }
    n /= size;
    Py_ssize_t old = Py_SIZE(self);
    if (n > 0) {
        if (n > PY_SSIZE_T_MAX - old || old + n > PY_SSIZE_T_MAX / size) {
            PyErr_NoMemory();
            return -1;
        }
        if (resize(self, old + n) < 0) {
            return -1;
        }
        memcpy(AT(self, old), buffer->buf, (size_t)(n * size));
    }
    return 0;
}

static PyObject *
array_frombytes(PyObject *op, PyObject *arg)
{
    Py_buffer buffer;
    if (PyObject_GetBuffer(arg, &buffer, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    int err = append_bytes(A(op), &buffer);
    PyBuffer_Release(&buffer);
    return err < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
array_fromfile(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n;
    if (!_PyArg_CheckPositional("fromfile", nargs, 2, 2)
        || index_arg(args[1], &n) < 0) {
        return NULL;
    }
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "negative count");
        return NULL;
    }
    Py_ssize_t size = A(op)->kind->itemsize;
    if (n > PY_SSIZE_T_MAX / size) {
        return PyErr_NoMemory();
    }
    PyObject *b = PyObject_CallMethod(args[0], "read", "n", n * size);
    if (b == NULL) {
        return NULL;
    }
    if (!PyBytes_Check(b)) {
        PyErr_SetString(PyExc_TypeError, "read() didn't return bytes");
        Py_DECREF(b);
        return NULL;
    }
    bool all = PyBytes_GET_SIZE(b) == n * size;
    PyObject *res = array_frombytes(op, b);
    Py_DECREF(b);
    if (res != NULL && !all) {
        PyErr_SetString(PyExc_EOFError, "read() didn't return enough bytes");
        Py_CLEAR(res);
    }
    return res;
}

static PyObject *
array_tofile(PyObject *op, PyObject *f)
{
    Py_ssize_t total = Py_SIZE(op) * A(op)->kind->itemsize;
    const Py_ssize_t block = 64 * 1024;
    for (Py_ssize_t at = 0; at < total; at += block) {
        Py_ssize_t n = total - at < block ? total - at : block;
        PyObject *bytes = PyBytes_FromStringAndSize(A(op)->items + at, n);
        if (bytes == NULL) {
            return NULL;
        }
        PyObject *res = PyObject_CallMethodOneArg(f, KR_ID(write), bytes);
        Py_DECREF(bytes);
        if (res == NULL) {
            return NULL;
        }
        Py_DECREF(res);
        total = Py_SIZE(op) * A(op)->kind->itemsize;
    }
    Py_RETURN_NONE;
}

static PyObject *
array_fromlist(PyObject *op, PyObject *list)
{
    array *self = A(op);
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "arg must be list");
        return NULL;
    }
    Py_ssize_t n = PyList_GET_SIZE(list), old = Py_SIZE(self);
    if (n > 0) {
        if (resize(self, old + n) < 0) {
            return NULL;
        }
        for (Py_ssize_t i = 0; i < n; i++) {
            PyObject *v = Py_NewRef(PyList_GET_ITEM(list, i));
            char item[8];
            int err = self->kind->set(item, v);
            Py_DECREF(v);
            if (err == 0 && Py_SIZE(self) != old + n) {
                PyErr_SetString(PyExc_IndexError,
                                "array assignment index out of range");
                return NULL;
            }
            if (err < 0) {
                resize(self, old);
                return NULL;
            }
            memcpy(AT(self, old + i), item, (size_t)self->kind->itemsize);
            if (PyList_GET_SIZE(list) != n) {
                PyErr_SetString(PyExc_RuntimeError,
                                "list changed size during iteration");
                resize(self, old);
                return NULL;
            }
        }
    }
    Py_RETURN_NONE;
}

static PyObject *
array_tobytes(PyObject *op, PyObject *ignored)
{
    if (Py_SIZE(op) > PY_SSIZE_T_MAX / A(op)->kind->itemsize) {
        return PyErr_NoMemory();
    }
    return PyBytes_FromStringAndSize(A(op)->items,
                                     Py_SIZE(op) * A(op)->kind->itemsize);
}

static PyObject *
array_fromunicode(PyObject *op, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        _PyArg_BadArgument("fromunicode", "argument", "str", text);
        return NULL;
    }
    if (A(op)->kind->typecode != 'u') {
        PyErr_SetString(PyExc_ValueError,
                        "fromunicode() may only be called on unicode type "
                        "arrays");
        return NULL;
    }
    Py_ssize_t n = PyUnicode_AsWideChar(text, NULL, 0);
    if (n < 0) {
        return NULL;
    }
    if (--n > 0) { /* without the final null */
        Py_ssize_t old = Py_SIZE(op);
        if (resize(A(op), old + n) < 0) {
            return NULL;
        }
        PyUnicode_AsWideChar(text, (wchar_t *)A(op)->items + old, n);
    }
    Py_RETURN_NONE;
}

static PyObject *
array_sizeof(PyObject *op, PyObject *ignored)
{
    return PyLong_FromSsize_t(_PyObject_SIZE(Py_TYPE(op))
                              + A(op)->allocated * A(op)->kind->itemsize);
}

/* ---- pickling */

static PyObject *
array_reduce_ex(PyObject *op, PyObject *protocol)
{
    struct state *state = state_of_type(Py_TYPE(op));
    if (!PyLong_Check(protocol)) {
        PyErr_SetString(PyExc_TypeError,
                        "__reduce_ex__ argument should be an integer");
        return NULL;
    }
    long proto = PyLong_AsLong(protocol);
    if (state == NULL || (proto == -1 && PyErr_Occurred())) {
        return NULL;
    }
    PyObject *dict;
    if (_PyObject_LookupAttr(op, KR_ID(__dict__), &dict) < 0) {
        return NULL;
    }
    if (dict == NULL) {
        dict = Py_NewRef(Py_None);
    }
    int code = kr_array_machine_of(A(op)->kind);
    if (code == KR_MACHINE_UNKNOWN || proto < 3) {
        /* old pickles have no bytes: a list of items */
        PyObject *list = array_tolist(op, NULL);
        if (list == NULL) {
            Py_DECREF(dict);
            return NULL;
        }
        return Py_BuildValue("O(CN)N", Py_TYPE(op), A(op)->kind->typecode,
                             list, dict);
    }
    if (state->reconstructor == NULL) {
        PyObject *module = PyImport_ImportModule("array");
        if (module != NULL) {
            state->reconstructor =
                PyObject_GetAttr(module, KR_ID(_array_reconstructor));
            Py_DECREF(module);
        }
    }
    PyObject *bytes =
        state->reconstructor ? array_tobytes(op, NULL) : NULL;
    if (bytes == NULL) {
        Py_DECREF(dict);
        return NULL;
    }
    return Py_BuildValue("N(OCiN)N", Py_NewRef(state->reconstructor),
                         Py_TYPE(op), A(op)->kind->typecode, code, bytes,
                         dict);
}

static const struct kr_array_kind *
find_kind(int typecode)
{
    const struct kr_array_kind *kind = kr_array_kinds;
    while (kind->typecode != 0 && kind->typecode != typecode) {
        kind++;
    }
    return kind->typecode ? kind : NULL;
}

/* array(type, typecode, items) by calling the type. */
static PyObject *
build(PyTypeObject *type, int typecode, PyObject *items)
{
    return PyObject_CallFunction((PyObject *)type, "CO", typecode, items);
}

static PyObject *
array_reconstructor(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    struct state *state = state_of(module);
    if (!_PyArg_CheckPositional("_array_reconstructor", nargs, 4, 4)) {
        return NULL;
    }
    PyObject *type = args[0], *items = args[3];
    if (!PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError,
                     "first argument must be a type object, not %.200s",
                     Py_TYPE(type)->tp_name);
        return NULL;
    }
    if (!PyUnicode_Check(args[1]) || PyUnicode_READY(args[1]) < 0
        || PyUnicode_GET_LENGTH(args[1]) != 1) {
        _PyArg_BadArgument("_array_reconstructor", "argument 2",
                           "a unicode character", args[1]);
        return NULL;
    }
    int typecode = (int)PyUnicode_READ_CHAR(args[1], 0);
    int code = _PyLong_AsInt(args[2]);
    if (code == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (!PyType_IsSubtype((PyTypeObject *)type, state->array_type)) {
        PyErr_Format(PyExc_TypeError, "%.200s is not a subtype of %.200s",
                     ((PyTypeObject *)type)->tp_name,
                     state->array_type->tp_name);
        return NULL;
    }
    const struct kr_array_kind *kind = find_kind(typecode);
    if (kind == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "second argument must be a valid type code");
        return NULL;
    }
    if (code < KR_MACHINE_UINT8 || code > KR_MACHINE_LAST) {
        PyErr_SetString(PyExc_ValueError,
                        "third argument must be a valid machine format code.");
        return NULL;
    }
    if (!PyBytes_Check(items)) {
        PyErr_Format(PyExc_TypeError,
                     "fourth argument should be bytes, not %.200s",
                     Py_TYPE(items)->tp_name);
        return NULL;
    }
    PyTypeObject *tp = (PyTypeObject *)type;
    if (code == kr_array_machine_of(kind)) {
        return build(tp, typecode, items);
    }
    struct kr_array_machine m = kr_array_machine(code);
    if (PyBytes_GET_SIZE(items) % m.size != 0) {
        PyErr_SetString(PyExc_ValueError,
                        "bytes length not a multiple of item size");
        return NULL;
    }
    /* a type code of the same size and sign here, if there is one */
    for (const struct kr_array_kind *k = kr_array_kinds;
         code < KR_MACHINE_FLOAT_LE && k->typecode; k++) {
        if (k->is_integer && k->itemsize == m.size
            && k->is_signed == m.is_signed) {
            typecode = k->typecode;
            if (k->typecode == kind->typecode) {
                break;
            }
        }
    }
    PyObject *list = kr_array_decode(code, items);
    if (list == NULL) {
        return NULL;
    }
    PyObject *result = build(tp, typecode, list);
    Py_DECREF(list);
    return result;
}

/* ---- construction */

static int
fill(PyObject *a, PyObject *initial)
{
    if (PyBytes_Check(initial) || PyByteArray_Check(initial)) {
        PyObject *v = array_frombytes(a, initial);
        Py_XDECREF(v);
        return v == NULL ? -1 : 0;
    }
    if (PyUnicode_Check(initial)) {
        Py_ssize_t n = PyUnicode_AsWideChar(initial, NULL, 0);
        if (n > 1) { /* without spare room */
            A(a)->items = PyMem_Malloc((size_t)n * sizeof(wchar_t));
            if (A(a)->items == NULL) {
                PyErr_NoMemory();
                return -1;
            }
            A(a)->allocated = n - 1;
            Py_SET_SIZE(a, n - 1);
            n = PyUnicode_AsWideChar(initial, (wchar_t *)A(a)->items, n);
        }
        return n < 0 ? -1 : 0;
    }
    return extend_iterable(a, initial);
}

/* From a list, tuple or array, without spare room. */
static PyObject *
from_sequence(PyTypeObject *type, const struct kr_array_kind *kind,
              PyObject *initial)
{
    Py_ssize_t n = PySequence_Size(initial);
    array *a = n < 0 ? NULL : make(type, n, kind);
    if (a == NULL) {
        return NULL;
    }
    if (n > 0) {
        memset(a->items, 0, (size_t)(n * kind->itemsize));
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *v = PySequence_GetItem(initial, i);
        int err = v == NULL ? -1 : kind->set(AT(a, i), v);
        Py_XDECREF(v);
        if (err < 0) {
            Py_DECREF(a);
            return NULL;
        }
    }
    return (PyObject *)a;
}

static PyObject *
array_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    struct state *state = state_of_type(type);
    int c;
    PyObject *initial = NULL;
    if (state == NULL) {
        return NULL;
    }
    if ((type == state->array_type
         || type->tp_init == state->array_type->tp_init)
        && !_PyArg_NoKeywords("array.array", kwds)) {
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "C|O:array", &c, &initial)
        || PySys_Audit("array.__new__", "CO", c,
                       initial ? initial : Py_None) < 0) {
        return NULL;
    }
    if (initial != NULL && c != 'u') {
        bool unicode_array = PyObject_TypeCheck(initial, state->array_type)
                             && A(initial)->kind->typecode == 'u';
        if (PyUnicode_Check(initial) || unicode_array) {
            PyErr_Format(PyExc_TypeError,
                         unicode_array
                             ? "cannot use a unicode array to initialize an "
                               "array with typecode '%c'"
                             : "cannot use a str to initialize an array with "
                               "typecode '%c'",
                         c);
            return NULL;
        }
    }
    const struct kr_array_kind *kind = find_kind(c);
    if (kind == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "bad typecode (must be b, B, u, h, H, i, I, l, L, q, "
                        "Q, f or d)");
        return NULL;
    }
    if (initial != NULL
        && (PyList_Check(initial) || PyTuple_Check(initial)
            || PyObject_TypeCheck(initial, state->array_type))) {
        return from_sequence(type, kind, initial);
    }
    PyObject *a = (PyObject *)make(type, 0, kind);
    if (a != NULL && initial != NULL && fill(a, initial) < 0) {
        Py_CLEAR(a);
    }
    return a;
}

/* ---- buffer */

static int
array_getbuf(PyObject *op, Py_buffer *view, int flags)
{
    static char empty[1];
    array *self = A(op);
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError,
                        "array_buffer_getbuf: view==NULL argument is "
                        "obsolete");
        return -1;
    }
    view->buf = self->items != NULL ? self->items : empty;
    view->obj = Py_NewRef(op);
    view->len = Py_SIZE(self) * self->kind->itemsize;
    view->readonly = 0;
    view->ndim = 1;
    view->itemsize = self->kind->itemsize;
    view->suboffsets = NULL;
    view->shape = NULL;
    view->strides = NULL;
    view->format = NULL;
    view->internal = NULL;
    if ((flags & PyBUF_ND) == PyBUF_ND) {
        view->shape = &((PyVarObject *)self)->ob_size;
    }
    if ((flags & PyBUF_STRIDES) == PyBUF_STRIDES) {
        view->strides = &view->itemsize;
    }
    if ((flags & PyBUF_FORMAT) == PyBUF_FORMAT) {
        view->format = (char *)self->kind->format;
    }
    self->exports++;
    return 0;
}

static void
array_releasebuf(PyObject *op, Py_buffer *view)
{
    A(op)->exports--;
}

static PyObject *
get_typecode(PyObject *op, void *ignored)
{
    return PyUnicode_FromOrdinal(A(op)->kind->typecode);
}

static PyObject *
get_itemsize(PyObject *op, void *ignored)
{
    return PyLong_FromLong(A(op)->kind->itemsize);
}

/* ---- iterator */

#define IT(op) ((array_iterator *)(op))

static PyObject *
array_iter(PyObject *op)
{
    struct state *state = state_of_type(Py_TYPE(op));
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
        return item_at(it->ao, it->index++);
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
iter_reduce(PyObject *self, PyObject *ignored)
{
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
    {"__reduce__", iter_reduce, METH_NOARGS,
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

static PyType_Spec iter_spec = {
    .name = "array.arrayiterator",
    .basicsize = sizeof(array_iterator),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC
             | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = iter_slots,
};

/* ---- type */

#define SIG(name, args, text) name "(" args ")\n--\n\n" text

static PyMethodDef methods[] = {
    {"append", array_append, METH_O,
     SIG("append", "$self, v, /", "Append new value v to the end.")},
    {"buffer_info", array_buffer_info, METH_NOARGS,
     SIG("buffer_info", "$self, /",
         "Return a tuple (address, length): where the buffer is and how many "
         "items it has.")},
    {"byteswap", array_byteswap, METH_NOARGS,
     SIG("byteswap", "$self, /", "Byteswap all items of the array.")},
    {"__copy__", array_copy, METH_NOARGS,
     SIG("__copy__", "$self, /", "Return a copy of the array.")},
    {"count", array_count, METH_O,
     SIG("count", "$self, v, /",
         "Return number of occurrences of v in the array.")},
    {"__deepcopy__", array_deepcopy, METH_O,
     SIG("__deepcopy__", "$self, unused, /", "Return a copy of the array.")},
    {"extend", array_extend, METH_O,
     SIG("extend", "$self, bb, /", "Append items to the end of the array.")},
    {"fromfile", (PyCFunction)(void *)array_fromfile, METH_FASTCALL,
     SIG("fromfile", "$self, f, n, /",
         "Read n objects from the file object f and append them.")},
    {"fromlist", array_fromlist, METH_O,
     SIG("fromlist", "$self, list, /", "Append items to array from list.")},
    {"frombytes", array_frombytes, METH_O,
     SIG("frombytes", "$self, buffer, /",
         "Append the machine values in a bytes-like object.")},
    {"fromunicode", array_fromunicode, METH_O,
     SIG("fromunicode", "$self, ustr, /",
         "Extend a type 'u' array with the characters of a str.")},
    {"index", (PyCFunction)(void *)array_index, METH_FASTCALL,
     SIG("index", "$self, v, start=0, stop=sys.maxsize, /",
         "Return index of first occurrence of v in the array.\n\n"
         "Raise ValueError if the value is not present.")},
    {"insert", (PyCFunction)(void *)array_insert, METH_FASTCALL,
     SIG("insert", "$self, i, v, /",
         "Insert a new item v into the array before position i.")},
    {"pop", (PyCFunction)(void *)array_pop, METH_FASTCALL,
     SIG("pop", "$self, i=-1, /",
         "Return the i-th element and delete it from the array.")},
    {"__reduce_ex__", array_reduce_ex, METH_O,
     SIG("__reduce_ex__", "$self, value, /",
         "Return state information for pickling.")},
    {"remove", array_remove, METH_O,
     SIG("remove", "$self, v, /",
         "Remove the first occurrence of v in the array.")},
    {"reverse", array_reverse, METH_NOARGS,
     SIG("reverse", "$self, /",
         "Reverse the order of the items in the array.")},
    {"tofile", array_tofile, METH_O,
     SIG("tofile", "$self, f, /",
         "Write all items (as machine values) to the file object f.")},
    {"tolist", array_tolist, METH_NOARGS,
     SIG("tolist", "$self, /",
         "Convert array to an ordinary list with the same items.")},
    {"tobytes", array_tobytes, METH_NOARGS,
     SIG("tobytes", "$self, /",
         "Return the machine values of the array as bytes.")},
    {"tounicode", array_tounicode, METH_NOARGS,
     SIG("tounicode", "$self, /",
         "Return the contents of a type 'u' array as a str.")},
    {"__sizeof__", array_sizeof, METH_NOARGS,
     SIG("__sizeof__", "$self, /", "Size of the array in memory, in bytes.")},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

static PyGetSetDef getset[] = {
    {"typecode", get_typecode, NULL,
     "the typecode character used to create the array"},
    {"itemsize", get_itemsize, NULL,
     "the size, in bytes, of one array item"},
    {NULL},
};

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(array, weakreflist), READONLY},
    {NULL},
};

static PyType_Slot array_slots[] = {
    {Py_tp_dealloc, array_dealloc},
    {Py_tp_repr, array_repr},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_doc,
     "array(typecode [, initializer]) -> array\n\n"
     "Return a new array whose items are restricted by typecode, and\n"
     "initialized from the optional list, bytes-like object or iterable.\n\n"
     "Type codes: b B signed and unsigned bytes, u characters, h H two\n"
     "bytes, i I four, l L and q Q eight, f d floating point."},
    {Py_tp_richcompare, array_richcompare},
    {Py_tp_iter, array_iter},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, getset},
    {Py_tp_alloc, PyType_GenericAlloc},
    {Py_tp_new, array_new},
    {Py_tp_traverse, array_traverse},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_sq_length, array_length},
    {Py_sq_concat, array_concat},
    {Py_sq_repeat, array_repeat},
    {Py_sq_item, array_item},
    {Py_sq_ass_item, array_ass_item},
    {Py_sq_contains, array_contains},
    {Py_sq_inplace_concat, array_inplace_concat},
    {Py_sq_inplace_repeat, array_inplace_repeat},
    {Py_mp_length, array_length},
    {Py_mp_subscript, array_subscript},
    {Py_mp_ass_subscript, array_ass_subscript},
    {Py_bf_getbuffer, array_getbuf},
    {Py_bf_releasebuffer, array_releasebuf},
    {0},
};

static PyType_Spec array_spec = {
    .name = "array.array",
    .basicsize = sizeof(array),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE
             | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC
             | Py_TPFLAGS_SEQUENCE,
    .slots = array_slots,
};

/* ---- module */

static PyMethodDef functions[] = {
    {"_array_reconstructor", (PyCFunction)(void *)array_reconstructor,
     METH_FASTCALL,
     "_array_reconstructor($module, arraytype, typecode, mformat_code, items, "
     "/)\n--\n\nInternal. Used for pickling support."},
    {NULL},
};

static int
exec(PyObject *module)
{
    struct state *state = state_of(module);
    state->array_type = (PyTypeObject *)PyType_FromModuleAndSpec(
        module, &array_spec, NULL);
    state->iter_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &iter_spec, NULL);
    if (state->array_type == NULL || state->iter_type == NULL
        || PyModule_AddObjectRef(module, "ArrayType",
                                 (PyObject *)state->array_type) < 0
        || PyModule_AddType(module, state->array_type) < 0) {
        return -1;
    }
    /* arrays are mutable sequences to isinstance */
    PyObject *abc = PyImport_ImportModule("collections.abc");
    PyObject *sequence =
        abc ? PyObject_GetAttrString(abc, "MutableSequence") : NULL;
    Py_XDECREF(abc);
    PyObject *res = sequence ? PyObject_CallMethod(sequence, "register", "O",
                                                   state->array_type)
                             : NULL;
    Py_XDECREF(sequence);
    if (res == NULL) {
        return -1;
    }
    Py_DECREF(res);
    char codes[16];
    int n = 0;
    for (; kr_array_kinds[n].typecode; n++) {
        codes[n] = kr_array_kinds[n].typecode;
    }
    codes[n] = '\0';
    return PyModule_AddStringConstant(module, "typecodes", codes);
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    struct state *state = state_of(module);
    Py_VISIT(state->array_type);
    Py_VISIT(state->iter_type);
    Py_VISIT(state->reconstructor);
    return 0;
}

static int
clear(PyObject *module)
{
    struct state *state = state_of(module);
    Py_CLEAR(state->array_type);
    Py_CLEAR(state->iter_type);
    Py_CLEAR(state->reconstructor);
    return 0;
}

static void
free_state(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "array",
    .m_doc = "This module defines an object type which can efficiently "
             "represent\nan array of basic values: characters, integers, "
             "floating point\nnumbers.",
    .m_size = sizeof(struct state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_state,
};

PyMODINIT_FUNC
PyInit_array(void)
{
    return PyModuleDef_Init(&definition);
}
