/* Subscripts of memoryviews. */
#include <Python.h>

#include <string.h>

#include "objects/memoryview/memoryview.h"

/* Address of element `index` along `dim`, or NULL with IndexError. */
static char *
lookup_dimension(Py_buffer *view, char *ptr, int dim, Py_ssize_t index)
{
    Py_ssize_t n = view->shape[dim];
    index += index < 0 ? n : 0;
    if (index < 0 || index >= n) {
        PyErr_Format(PyExc_IndexError, "index out of bounds on dimension %d",
                     dim + 1);
        return NULL;
    }
    ptr += view->strides[dim] * index;
    return MV_ADJUST(ptr, view->suboffsets, dim);
}

static char *
ptr_from_tuple(Py_buffer *view, PyObject *tup)
{
    char *ptr = view->buf;
    Py_ssize_t n = PyTuple_GET_SIZE(tup);
    if (n > view->ndim) {
        PyErr_Format(PyExc_TypeError,
                     "cannot index %d-dimension view with %zd-element tuple",
                     view->ndim, n);
        return NULL;
    }
    for (Py_ssize_t dim = 0; dim < n; dim++) {
        Py_ssize_t index = PyNumber_AsSsize_t(PyTuple_GET_ITEM(tup, dim),
                                              PyExc_IndexError);
        if (index == -1 && PyErr_Occurred()) {
            return NULL;
        }
        ptr = lookup_dimension(view, ptr, (int)dim, index);
        if (ptr == NULL) {
            return NULL;
        }
    }
    return ptr;
}

static const char *
native_format(PyMemoryViewObject *self)
{
    const char *format = self->view.format ? self->view.format : "B";
    if (!kr_mv_native_char(format, NULL)) {
        PyErr_Format(PyExc_NotImplementedError,
                     "memoryview: unsupported format %s", format);
        return NULL;
    }
    return format[0] == '@' ? format + 1 : format;
}

PyObject *
kr_mv_item(PyObject *op, Py_ssize_t index)
{
    PyMemoryViewObject *self = MV(op);
    if (kr_mv_check(self) < 0) {
        return NULL;
    }
    const char *format = native_format(self);
    if (format == NULL) {
        return NULL;
    }
    if (self->view.ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return NULL;
    }
    if (self->view.ndim != 1) {
        PyErr_SetString(PyExc_NotImplementedError,
                        "multi-dimensional sub-views are not implemented");
        return NULL;
    }
    char *ptr = lookup_dimension(&self->view, self->view.buf, 0, index);
    return ptr == NULL ? NULL : kr_mv_unpack(ptr, format);
}

static bool
all_of(PyObject *key, bool slices)
{
    if (!PyTuple_Check(key)) {
        return false;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(key);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *x = PyTuple_GET_ITEM(key, i);
        if (slices ? !PySlice_Check(x) : !PyIndex_Check(x)) {
            return false;
        }
    }
    return slices ? n > 0 : true;
}

/* Narrows dimension 0 of a view to a slice. */
static int
apply_slice(Py_buffer *base, PyObject *key)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) {
        return -1;
    }
    Py_ssize_t n = PySlice_AdjustIndices(base->shape[0], &start, &stop, step);
    /* a suboffset of dimension 0 counts from what is found there */
    base->buf = (char *)base->buf + base->strides[0] * start;
    base->shape[0] = n;
    base->strides[0] *= step;
    base->len = n * base->itemsize;
    for (int i = 1; i < base->ndim; i++) {
        base->len *= base->shape[i];
    }
    return 0;
}

PyObject *
kr_mv_subscript(PyObject *op, PyObject *key)
{
    PyMemoryViewObject *self = MV(op);
    Py_buffer *view = &self->view;
    if (kr_mv_check(self) < 0) {
        return NULL;
    }
    if (view->ndim == 0) {
        if (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0) {
            const char *format = native_format(self);
            return format == NULL ? NULL : kr_mv_unpack(view->buf, format);
        }
        if (key == Py_Ellipsis) {
            return Py_NewRef(op);
        }
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return NULL;
    }
    if (PyIndex_Check(key)) {
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (index == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return kr_mv_item(op, index);
    }
    if (PySlice_Check(key)) {
        PyMemoryViewObject *sliced = MV(kr_mv_add_view(self->mbuf, view));
        if (sliced == NULL) {
            return NULL;
        }
        if (apply_slice(&sliced->view, key) < 0) {
            Py_DECREF(sliced);
            return NULL;
        }
        kr_mv_init_flags(sliced);
        return (PyObject *)sliced;
    }
    if (all_of(key, false)) {
        const char *format = native_format(self);
        if (format == NULL) {
            return NULL;
        }
        if (PyTuple_GET_SIZE(key) < view->ndim) {
            PyErr_SetString(PyExc_NotImplementedError,
                            "sub-views are not implemented");
            return NULL;
        }
        char *ptr = ptr_from_tuple(view, key);
        if (ptr == NULL) {
            return NULL;
        }
        return kr_mv_check(self) < 0 ? NULL : kr_mv_unpack(ptr, format);
    }
    if (all_of(key, true)) {
        PyErr_SetString(PyExc_NotImplementedError,
                        "multi-dimensional slicing is not implemented");
        return NULL;
    }
    PyErr_SetString(PyExc_TypeError, "memoryview: invalid slice key");
    return NULL;
}

/* Packs into the view; reading the value may have released the view, so it is
 * packed aside first. */
static int
store(PyMemoryViewObject *self, char *ptr, const char *format, PyObject *value)
{
    char item[16];
    Py_ssize_t size;
    kr_mv_native_char(format, &size);
    if (kr_mv_pack(item, format, value) < 0 || kr_mv_check(self) < 0) {
        return -1;
    }
    memcpy(ptr, item, (size_t)size);
    return 0;
}

static int
assign_slice(PyMemoryViewObject *self, PyObject *key, PyObject *value)
{
    Py_buffer src, dest = self->view;
    Py_ssize_t arrays[3];
    if (PyObject_GetBuffer(value, &src, PyBUF_FULL_RO) < 0) {
        return -1;
    }
    dest.shape = &arrays[0];
    dest.shape[0] = self->view.shape[0];
    dest.strides = &arrays[1];
    dest.strides[0] = self->view.strides[0];
    if (self->view.suboffsets != NULL) {
        dest.suboffsets = &arrays[2];
        dest.suboffsets[0] = self->view.suboffsets[0];
    }
    int ret = apply_slice(&dest, key);
    if (ret == 0 && (ret = kr_mv_check(self)) == 0) {
        Py_ssize_t stride = src.itemsize;
        if (src.ndim == 1 && src.strides == NULL) {
            src.strides = &stride;
            ret = kr_mv_copy(&dest, &src);
            src.strides = NULL;
        }
        else {
            ret = kr_mv_copy(&dest, &src);
        }
    }
    PyBuffer_Release(&src);
    return ret;
}

int
kr_mv_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    PyMemoryViewObject *self = MV(op);
    Py_buffer *view = &self->view;
    if (kr_mv_check(self) < 0) {
        return -1;
    }
    const char *format = native_format(self);
    if (format == NULL) {
        return -1;
    }
    if (view->readonly) {
        PyErr_SetString(PyExc_TypeError, "cannot modify read-only memory");
        return -1;
    }
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "cannot delete memory");
        return -1;
    }
    if (view->ndim == 0) {
        if (key == Py_Ellipsis
            || (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0)) {
            return store(self, view->buf, format, value);
        }
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return -1;
    }
    if (PyIndex_Check(key)) {
        if (view->ndim > 1) {
            PyErr_SetString(PyExc_NotImplementedError,
                            "sub-views are not implemented");
            return -1;
        }
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (index == -1 && PyErr_Occurred()) {
            return -1;
        }
        char *ptr = lookup_dimension(view, view->buf, 0, index);
        return ptr == NULL ? -1 : store(self, ptr, format, value);
    }
    if (PySlice_Check(key) && view->ndim == 1) {
        return assign_slice(self, key, value);
    }
    if (all_of(key, false)) {
        if (PyTuple_GET_SIZE(key) < view->ndim) {
            PyErr_SetString(PyExc_NotImplementedError,
                            "sub-views are not implemented");
            return -1;
        }
        char *ptr = ptr_from_tuple(view, key);
        return ptr == NULL ? -1 : store(self, ptr, format, value);
    }
    if (PySlice_Check(key) || all_of(key, true)) {
        PyErr_SetString(PyExc_NotImplementedError,
                        "memoryview slice assignments are currently "
                        "restricted to ndim = 1");
        return -1;
    }
    PyErr_SetString(PyExc_TypeError, "memoryview: invalid slice key");
    return -1;
}
