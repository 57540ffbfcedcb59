/* The items of an array: storage, sequence slots, comparison, text. */
#include "modules/array/array.h"
#include "objects/ids.h"
#include "objects/unpack.h"

#include <Python.h>
#include <string.h>

/* ---- the buffer */

int
kr_array_resize(array *self, Py_ssize_t newsize)
{
    if (self->exports > 0 && newsize != Py_SIZE(self)) {
        PyErr_SetString(PyExc_BufferError,
                        "cannot resize an array that is exporting buffers");
        return -1;
    }
    if (self->allocated >= newsize && Py_SIZE(self) < newsize + 16 &&
        self->items != NULL) {
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
    size_t room =
        ((size_t)newsize >> 4) + (Py_SIZE(self) < 8 ? 3 : 7) + (size_t)newsize;
    char *items = NULL;
    if (room <= (size_t)PY_SSIZE_T_MAX / (size_t)self->kind->itemsize) {
        items = PyMem_Realloc(self->items, room * (size_t)self->kind->itemsize);
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

array *
kr_array_make(PyTypeObject *type, Py_ssize_t size,
              const struct kr_array_kind *kind)
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

PyObject *
kr_array_item_at(array *a, Py_ssize_t i)
{
    return a->kind->get(AT(a, i));
}

int
kr_array_insert_at(array *self, Py_ssize_t where, PyObject *v)
{
    char item[8];
    if (self->kind->set(item, v) < 0) {
        return -1;
    }
    Py_ssize_t n = Py_SIZE(self);
    where = where < 0 ? (where + n < 0 ? 0 : where + n) : where;
    where = where > n ? n : where;
    if (kr_array_resize(self, n + 1) < 0) {
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
int
kr_array_delete_range(array *a, Py_ssize_t low, Py_ssize_t high)
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
    memmove(AT(a, low), AT(a, high), (size_t)((n - high) * a->kind->itemsize));
    return kr_array_resize(a, n - (high - low));
}

/* ---- sequence slots */

Py_ssize_t
kr_array_length(PyObject *op)
{
    return Py_SIZE(op);
}

PyObject *
kr_array_item(PyObject *op, Py_ssize_t i)
{
    if ((size_t)i >= (size_t)Py_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError, "array index out of range");
        return NULL;
    }
    return kr_array_item_at(A(op), i);
}

static array *
slice_of(array *a, Py_ssize_t low, Py_ssize_t n)
{
    struct kr_array_state *state = kr_array_state_of_type(Py_TYPE(a));
    array *np = state ? kr_array_make(state->array_type, n, a->kind) : NULL;
    if (np != NULL && n > 0) {
        memcpy(np->items, AT(a, low), (size_t)(n * a->kind->itemsize));
    }
    return np;
}

PyObject *
kr_array_copy(PyObject *op, PyObject *ignored)
{
    return (PyObject *)slice_of(A(op), 0, Py_SIZE(op));
}

PyObject *
kr_array_concat(PyObject *a, PyObject *b)
{
    struct kr_array_state *state = kr_array_state_of_type(Py_TYPE(a));
    if (state == NULL) {
        return NULL;
    }
    if (!kr_array_is_array(a, b)) {
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
    array *np =
        kr_array_make(state->array_type, Py_SIZE(a) + Py_SIZE(b), A(a)->kind);
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

PyObject *
kr_array_repeat(PyObject *op, Py_ssize_t n)
{
    struct kr_array_state *state = kr_array_state_of_type(Py_TYPE(op));
    n = n < 0 ? 0 : n;
    if (state == NULL ||
        (Py_SIZE(op) != 0 && n > PY_SSIZE_T_MAX / Py_SIZE(op))) {
        return state == NULL ? NULL : PyErr_NoMemory();
    }
    array *np = kr_array_make(state->array_type, Py_SIZE(op) * n, A(op)->kind);
    if (np != NULL && Py_SIZE(np) > 0) {
        Py_ssize_t bytes = Py_SIZE(op) * np->kind->itemsize;
        memcpy(np->items, A(op)->items, (size_t)bytes);
        repeat_bytes(np->items, bytes, bytes * n);
    }
    return (PyObject *)np;
}

PyObject *
kr_array_inplace_repeat(PyObject *op, Py_ssize_t n)
{
    Py_ssize_t size = Py_SIZE(op);
    n = n < 0 ? 0 : n;
    if (size > 0 && n != 1) {
        if (n > PY_SSIZE_T_MAX / size / A(op)->kind->itemsize) {
            return PyErr_NoMemory();
        }
        if (kr_array_resize(A(op), size * n) < 0) {
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
    if (kr_array_resize(self, n + m) < 0) {
        return -1;
    }
    if (m > 0) {
        memcpy(AT(self, n), other->items, (size_t)(m * self->kind->itemsize));
    }
    return 0;
}

int
kr_array_extend_iterable(PyObject *self, PyObject *iterable)
{
    if (kr_array_is_array(self, iterable)) {
        return extend_array(A(self), A(iterable));
    }
    PyObject *it = PyObject_GetIter(iterable), *v;
    if (it == NULL) {
        return -1;
    }
    while ((v = PyIter_Next(it)) != NULL) {
        int err = kr_array_insert_at(A(self), Py_SIZE(self), v);
        Py_DECREF(v);
        if (err < 0) {
            break;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

PyObject *
kr_array_inplace_concat(PyObject *self, PyObject *other)
{
    if (!kr_array_is_array(self, other)) {
        PyErr_Format(PyExc_TypeError,
                     "can only extend array with array (not \"%.200s\")",
                     Py_TYPE(other)->tp_name);
        return NULL;
    }
    return extend_array(A(self), A(other)) < 0 ? NULL : Py_NewRef(self);
}

int
kr_array_ass_item(PyObject *op, Py_ssize_t i, PyObject *v)
{
    if ((size_t)i >= (size_t)Py_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError,
                        "array assignment index out of range");
        return -1;
    }
    if (v == NULL) {
        return kr_array_delete_range(A(op), i, i + 1);
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

int
kr_array_contains(PyObject *op, PyObject *v)
{
    int cmp = 0;
    for (Py_ssize_t i = 0; cmp == 0 && i < Py_SIZE(op); i++) {
        PyObject *item = kr_array_item_at(A(op), i);
        if (item == NULL) {
            return -1;
        }
        cmp = PyObject_RichCompareBool(item, v, Py_EQ);
        Py_DECREF(item);
    }
    return cmp;
}

PyObject *
kr_array_subscript(PyObject *op, PyObject *item)
{
    array *self = A(op);
    if (PyIndex_Check(item)) {
        Py_ssize_t i = PyNumber_AsSsize_t(item, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return kr_array_item(op, i < 0 ? i + Py_SIZE(self) : i);
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
    struct kr_array_state *state = kr_array_state_of_type(Py_TYPE(self));
    array *ar = state ? kr_array_make(state->array_type, n, self->kind) : NULL;
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
    if (self->exports > 0 &&
        ((other == NULL && n > 0) || (step == 1 && needed != n))) {
        PyErr_SetString(PyExc_BufferError,
                        "cannot resize an array that is exporting buffers");
        return -1;
    }
    if (step == 1) {
        if (n > needed) {
            memmove(AT(self, start + needed), AT(self, stop),
                    (size_t)(size - stop) * itemsize);
            if (kr_array_resize(self, size + needed - n) < 0) {
                return -1;
            }
        }
        else if (n < needed) {
            if (kr_array_resize(self, size + needed - n) < 0) {
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
        return n > 0 ? kr_array_resize(self, size - n) : 0;
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

int
kr_array_ass_subscript(PyObject *op, PyObject *item, PyObject *value)
{
    array *self = A(op);
    if (PyIndex_Check(item)) {
        Py_ssize_t i = PyNumber_AsSsize_t(item, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return -1;
        }
        return kr_array_ass_item(op, i < 0 ? i + Py_SIZE(self) : i, value);
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
    if (!kr_array_is_array(op, value)) {
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

PyObject *
kr_array_richcompare(PyObject *v, PyObject *w, int op)
{
    struct kr_array_state *state = kr_array_state_of_type(Py_TYPE(v));
    if (state == NULL || !PyObject_TypeCheck(v, state->array_type) ||
        !PyObject_TypeCheck(w, state->array_type)) {
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
    if (va->kind == wa->kind && va->kind->is_integer && nv == nw &&
        (op == Py_EQ || op == Py_NE)) {
        bool eq = nv == 0 || memcmp(va->items, wa->items,
                                    (size_t)(nv * va->kind->itemsize)) == 0;
        return PyBool_FromLong(eq == (op == Py_EQ));
    }
    for (Py_ssize_t i = 0; i < nv && i < nw; i++) {
        PyObject *x = kr_array_item_at(va, i),
                 *y = x ? kr_array_item_at(wa, i) : NULL;
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

PyObject *
kr_array_tolist(PyObject *op, PyObject *ignored)
{
    PyObject *list = PyList_New(Py_SIZE(op));
    for (Py_ssize_t i = 0; list != NULL && i < Py_SIZE(op); i++) {
        PyObject *v = kr_array_item_at(A(op), i);
        if (v == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, v);
    }
    return list;
}

PyObject *
kr_array_tounicode(PyObject *op, PyObject *ignored)
{
    if (A(op)->kind->typecode != 'u') {
        PyErr_SetString(PyExc_ValueError,
                        "tounicode() may only be called on unicode type "
                        "arrays");
        return NULL;
    }
    return PyUnicode_FromWideChar((wchar_t *)A(op)->items, Py_SIZE(op));
}

PyObject *
kr_array_repr(PyObject *op)
{
    char typecode = A(op)->kind->typecode;
    const char *name = _PyType_Name(Py_TYPE(op));
    if (Py_SIZE(op) == 0) {
        return PyUnicode_FromFormat("%s('%c')", name, typecode);
    }
    PyObject *v = typecode == 'u' ? kr_array_tounicode(op, NULL)
                                  : kr_array_tolist(op, NULL);
    if (v == NULL) {
        return NULL;
    }
    PyObject *s = PyUnicode_FromFormat("%s('%c', %R)", name, typecode, v);
    Py_DECREF(v);
    return s;
}
