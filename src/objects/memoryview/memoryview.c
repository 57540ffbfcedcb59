/* memoryview: Python's window on the memory of another object.
 *
 * A managed buffer owns the one Py_buffer taken from the exporter; any number
 * of views share it, each with its own description of the memory. The buffer
 * is released with the last view. */
#include "objects/memoryview/memoryview.h"

#include "memory/gc.h"
#include "objects/args/named.h"
#include "objects/bytes/internal.h"
#include "objects/ids.h"
#include "objects/immortal.h"

#include <Python.h>
#include <string.h>

#define MBUF(op) ((_PyManagedBufferObject *)(op))

/* ---- managed buffer */

static _PyManagedBufferObject *
mbuf_alloc(void)
{
    _PyManagedBufferObject *mbuf =
        PyObject_GC_New(_PyManagedBufferObject, &_PyManagedBuffer_Type);
    if (mbuf == NULL) {
        return NULL;
    }
    mbuf->flags = 0;
    mbuf->exports = 0;
    mbuf->master.obj = NULL;
    kr_gc_track((PyObject *)mbuf);
    return mbuf;
}

static _PyManagedBufferObject *
mbuf_from_object(PyObject *base, int flags)
{
    _PyManagedBufferObject *mbuf = mbuf_alloc();
    if (mbuf == NULL) {
        return NULL;
    }
    if (PyObject_GetBuffer(base, &mbuf->master, flags) < 0) {
        mbuf->master.obj = NULL;
        Py_DECREF(mbuf);
        return NULL;
    }
    return mbuf;
}

static void
mbuf_release(_PyManagedBufferObject *self)
{
    if (self->flags & _Py_MANAGED_BUFFER_RELEASED) {
        return;
    }
    self->flags |= _Py_MANAGED_BUFFER_RELEASED;
    kr_gc_untrack((PyObject *)self);
    PyBuffer_Release(&self->master);
}

static void
mbuf_dealloc(PyObject *self)
{
    mbuf_release(MBUF(self));
    if (MBUF(self)->flags & _Py_MANAGED_BUFFER_FREE_FORMAT) {
        PyMem_Free(MBUF(self)->master.format);
    }
    PyObject_GC_Del(self);
}

static int
mbuf_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(MBUF(self)->master.obj);
    return 0;
}

static int
mbuf_clear(PyObject *self)
{
    mbuf_release(MBUF(self));
    return 0;
}

PyTypeObject _PyManagedBuffer_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "managedbuffer",
    .tp_basicsize = sizeof(_PyManagedBufferObject),
    .tp_dealloc = mbuf_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = mbuf_traverse,
    .tp_clear = mbuf_clear,
};

/* ---- making views */

int
kr_mv_check(PyMemoryViewObject *mv)
{
    if (MV_IS_RELEASED(mv)) {
        PyErr_SetString(PyExc_ValueError,
                        "operation forbidden on released memoryview object");
        return -1;
    }
    return 0;
}

void
kr_mv_init_flags(PyMemoryViewObject *mv)
{
    const Py_buffer *view = &mv->view;
    int flags = 0;
    if (view->ndim == 0) {
        flags = _Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_C
                | _Py_MEMORYVIEW_FORTRAN;
    }
    else if (view->ndim == 1) {
        if (view->shape[0] == 1 || view->strides[0] == view->itemsize) {
            flags = _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
        }
    }
    else {
        flags |= PyBuffer_IsContiguous(view, 'C') ? _Py_MEMORYVIEW_C : 0;
        flags |= PyBuffer_IsContiguous(view, 'F') ? _Py_MEMORYVIEW_FORTRAN : 0;
    }
    if (view->suboffsets != NULL) {
        flags |= _Py_MEMORYVIEW_PIL;
        flags &= ~(_Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN);
    }
    mv->flags = flags;
}

PyObject *
kr_mv_add_view(_PyManagedBufferObject *mbuf, const Py_buffer *src)
{
    if (src->ndim > PyBUF_MAX_NDIM) {
        PyErr_SetString(PyExc_ValueError,
                        "memoryview: number of dimensions must not exceed "
                        Py_STRINGIFY(PyBUF_MAX_NDIM));
        return NULL;
    }
    int ndim = src->ndim;
    PyMemoryViewObject *mv = PyObject_GC_NewVar(PyMemoryViewObject,
                                                &PyMemoryView_Type, 3 * ndim);
    if (mv == NULL) {
        return NULL;
    }
    mv->mbuf = NULL;
    mv->hash = -1;
    mv->exports = 0;
    mv->weakreflist = NULL;
    Py_buffer *view = &mv->view;
    *view = *src;
    view->format = src->format ? src->format : "B";
    view->internal = NULL;
    view->shape = ndim > 0 ? mv->ob_array : NULL;
    view->strides = ndim > 0 ? mv->ob_array + ndim : NULL;
    view->suboffsets = NULL;
    if (ndim == 1 && src->shape == NULL) {
        view->shape[0] = src->len / (src->itemsize ? src->itemsize : 1);
    }
    else {
        for (int i = 0; i < ndim; i++) {
            view->shape[i] = src->shape[i];
        }
    }
    Py_ssize_t step = view->itemsize;
    for (int i = ndim; --i >= 0;) {
        view->strides[i] = src->strides ? src->strides[i] : step;
        step *= view->shape[i];
    }
    if (ndim > 0 && src->suboffsets != NULL) {
        view->suboffsets = mv->ob_array + 2 * ndim;
        memcpy(view->suboffsets, src->suboffsets,
               (size_t)ndim * sizeof(Py_ssize_t));
    }
    kr_mv_init_flags(mv);
    mv->mbuf = MBUF(Py_NewRef((PyObject *)mbuf));
    mbuf->exports++;
    kr_gc_track((PyObject *)mv);
    return (PyObject *)mv;
}

/* The first view; takes over mbuf. */
static PyObject *
first_view(_PyManagedBufferObject *mbuf)
{
    if (mbuf == NULL) {
        return NULL;
    }
    PyObject *mv = kr_mv_add_view(mbuf, &mbuf->master);
    Py_DECREF(mbuf);
    return mv;
}

PyObject *
PyMemoryView_FromMemory(char *mem, Py_ssize_t size, int flags)
{
    _PyManagedBufferObject *mbuf = mbuf_alloc();
    if (mbuf == NULL) {
        return NULL;
    }
    if (PyBuffer_FillInfo(&mbuf->master, NULL, mem, size,
                          flags == PyBUF_WRITE ? 0 : 1, PyBUF_FULL_RO) < 0) {
        Py_DECREF(mbuf);
        return NULL;
    }
    return first_view(mbuf);
}

PyObject *
PyMemoryView_FromBuffer(const Py_buffer *info)
{
    if (info->buf == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "PyMemoryView_FromBuffer(): info->buf must not be "
                        "NULL");
        return NULL;
    }
    _PyManagedBufferObject *mbuf = mbuf_alloc();
    if (mbuf == NULL) {
        return NULL;
    }
    /* the buffer stays the caller's */
    mbuf->master = *info;
    mbuf->master.obj = NULL;
    return first_view(mbuf);
}

static PyObject *
from_object(PyObject *v, int flags)
{
    if (PyMemoryView_Check(v)) {
        return kr_mv_check(MV(v)) < 0
                   ? NULL
                   : kr_mv_add_view(MV(v)->mbuf, &MV(v)->view);
    }
    if (PyObject_CheckBuffer(v)) {
        return first_view(mbuf_from_object(v, flags));
    }
    PyErr_Format(PyExc_TypeError,
                 "memoryview: a bytes-like object is required, not '%.200s'",
                 Py_TYPE(v)->tp_name);
    return NULL;
}

PyObject *
PyMemoryView_FromObject(PyObject *v)
{
    return from_object(v, PyBUF_FULL_RO);
}

/* A view of a contiguous copy that it owns. */
static PyObject *
contiguous_copy(PyObject *mv, char order)
{
    Py_buffer *src = PyMemoryView_GET_BUFFER(mv);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, src->len);
    if (bytes == NULL) {
        return NULL;
    }
    if (kr_mv_to_contiguous(PyBytes_AS_STRING(bytes), src, order) < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    _PyManagedBufferObject *mbuf = mbuf_from_object(bytes, PyBUF_FULL_RO);
    Py_DECREF(bytes);
    if (mbuf == NULL) {
        return NULL;
    }
    if (src->format != NULL) {
        char *format = PyMem_Malloc(strlen(src->format) + 1);
        if (format == NULL) {
            Py_DECREF(mbuf);
            return PyErr_NoMemory();
        }
        mbuf->master.format = strcpy(format, src->format);
        mbuf->flags |= _Py_MANAGED_BUFFER_FREE_FORMAT;
    }
    Py_buffer view = *src;
    Py_ssize_t strides[PyBUF_MAX_NDIM];
    PyBuffer_FillContiguousStrides(view.ndim, view.shape, strides,
                                   (int)view.itemsize,
                                   order == 'F' ? 'F' : 'C');
    view.buf = mbuf->master.buf;
    view.obj = mbuf->master.obj;
    view.format = mbuf->master.format;
    view.strides = strides;
    view.suboffsets = NULL;
    view.readonly = 1;
    PyObject *copy = kr_mv_add_view(mbuf, &view);
    Py_DECREF(mbuf);
    return copy;
}

PyObject *
PyMemoryView_GetContiguous(PyObject *obj, int buffertype, char order)
{
    PyObject *mv = PyMemoryView_FromObject(obj);
    if (mv == NULL) {
        return NULL;
    }
    Py_buffer *view = PyMemoryView_GET_BUFFER(mv);
    if (buffertype == PyBUF_WRITE && view->readonly) {
        PyErr_SetString(PyExc_BufferError,
                        "underlying buffer is not writable");
        Py_DECREF(mv);
        return NULL;
    }
    if (PyBuffer_IsContiguous(view, order)) {
        return mv;
    }
    if (buffertype == PyBUF_WRITE) {
        PyErr_SetString(PyExc_BufferError,
                        "writable contiguous buffer requested for a "
                        "non-contiguous object.");
        Py_DECREF(mv);
        return NULL;
    }
    PyObject *copy = contiguous_copy(mv, order);
    Py_DECREF(mv);
    return copy;
}

static PyObject *
memory_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"object", NULL};
    PyObject *obj;
    if (!kr_parse_tuple_named(args, kwds, "O:memoryview", keywords, &obj)) {
        return NULL;
    }
    return PyMemoryView_FromObject(obj);
}

/* ---- release */

static int
release_view(PyMemoryViewObject *self)
{
    if (self->flags & _Py_MEMORYVIEW_RELEASED) {
        return 0;
    }
    if (self->exports > 0) {
        PyErr_Format(PyExc_BufferError, "memoryview has %zd exported buffer%s",
                     self->exports, self->exports == 1 ? "" : "s");
        return -1;
    }
    self->flags |= _Py_MEMORYVIEW_RELEASED;
    if (--self->mbuf->exports == 0) {
        mbuf_release(self->mbuf);
    }
    return 0;
}

static PyObject *
memory_release(PyObject *self, PyObject *ignored)
{
    return release_view(MV(self)) < 0 ? NULL : Py_NewRef(Py_None);
}

static void
memory_dealloc(PyObject *op)
{
    PyMemoryViewObject *self = MV(op);
    kr_gc_untrack(op);
    if (self->mbuf != NULL) {
        (void)release_view(self);
        Py_CLEAR(self->mbuf);
    }
    if (self->weakreflist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    PyObject_GC_Del(self);
}

static int
memory_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(MV(self)->mbuf);
    return 0;
}

static int
memory_clear(PyObject *op)
{
    PyMemoryViewObject *self = MV(op);
    if (self->mbuf != NULL && self->exports == 0) {
        (void)release_view(self);
        Py_CLEAR(self->mbuf);
    }
    return 0;
}

static PyObject *
memory_enter(PyObject *self, PyObject *ignored)
{
    return kr_mv_check(MV(self)) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *
memory_exit(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return memory_release(self, NULL);
}

/* ---- exporting */

static int
buffer_error(const char *text)
{
    PyErr_SetString(PyExc_BufferError, text);
    return -1;
}

#define REQ(flag) ((flags & (flag)) == (flag))

static int
memory_getbuf(PyObject *op, Py_buffer *view, int flags)
{
    PyMemoryViewObject *self = MV(op);
    int c = self->flags & _Py_MEMORYVIEW_C;
    int f = self->flags & _Py_MEMORYVIEW_FORTRAN;
    view->obj = NULL;
    if (kr_mv_check(self) < 0) {
        return -1;
    }
    *view = self->view;
    view->obj = NULL;
    if (REQ(PyBUF_WRITABLE) && self->view.readonly) {
        return buffer_error("memoryview: underlying buffer is not writable");
    }
    if (!REQ(PyBUF_FORMAT)) {
        view->format = NULL; /* plain bytes are meant */
    }
    if (REQ(PyBUF_C_CONTIGUOUS) && !c) {
        return buffer_error(
            "memoryview: underlying buffer is not C-contiguous");
    }
    if (REQ(PyBUF_F_CONTIGUOUS) && !f) {
        return buffer_error(
            "memoryview: underlying buffer is not Fortran contiguous");
    }
    if (REQ(PyBUF_ANY_CONTIGUOUS) && !c && !f) {
        return buffer_error("memoryview: underlying buffer is not contiguous");
    }
    if (!REQ(PyBUF_INDIRECT) && (self->flags & _Py_MEMORYVIEW_PIL)) {
        return buffer_error(
            "memoryview: underlying buffer requires suboffsets");
    }
    if (!REQ(PyBUF_STRIDES)) {
        if (!c) {
            return buffer_error(
                "memoryview: underlying buffer is not C-contiguous");
        }
        view->strides = NULL;
    }
    if (!REQ(PyBUF_ND)) {
        if (view->format != NULL) {
            return buffer_error("memoryview: cannot cast to unsigned bytes if "
                                "the format flag is present");
        }
        view->ndim = 1;
        view->shape = NULL;
    }
    view->obj = Py_NewRef(op);
    self->exports++;
    return 0;
}

static void
memory_releasebuf(PyObject *self, Py_buffer *view)
{
    MV(self)->exports--;
}

/* ---- conversions */

static PyObject *
memory_tolist(PyObject *self, PyObject *ignored)
{
    return kr_mv_check(MV(self)) < 0 ? NULL : kr_mv_tolist(MV(self));
}

static PyObject *
bytes_of(PyMemoryViewObject *self, char order)
{
    Py_buffer *src = &self->view;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, src->len);
    if (bytes == NULL) {
        return NULL;
    }
    if (PyBuffer_ToContiguous(PyBytes_AS_STRING(bytes), src, src->len, order)
        < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    return bytes;
}

static PyObject *
memory_tobytes(PyObject *self, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"order", NULL};
    char *order = NULL, ord = 'C';
    if (!kr_parse_tuple_named(args, kwds, "|z:tobytes", keywords, &order) ||
        kr_mv_check(MV(self)) < 0) {
        return NULL;
    }
    if (order != NULL) {
        if (strcmp(order, "C") != 0 && strcmp(order, "F") != 0
            && strcmp(order, "A") != 0) {
            PyErr_SetString(PyExc_ValueError,
                            "order must be 'C', 'F' or 'A'");
            return NULL;
        }
        ord = order[0];
    }
    return bytes_of(MV(self), ord);
}

static PyObject *
memory_hex(PyObject *self, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"sep", "bytes_per_sep", NULL};
    PyObject *sep = NULL;
    int per_sep = 1;
    if (!kr_parse_tuple_named(args, kwds, "|Oi:hex", keywords, &sep,
                              &per_sep) ||
        kr_mv_check(MV(self)) < 0) {
        return NULL;
    }
    PyObject *bytes = bytes_of(MV(self), 'C');
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *hex = _Py_strhex_with_sep(PyBytes_AS_STRING(bytes),
                                        PyBytes_GET_SIZE(bytes), sep, per_sep);
    Py_DECREF(bytes);
    return hex;
}

static PyObject *
memory_toreadonly(PyObject *self, PyObject *ignored)
{
    if (kr_mv_check(MV(self)) < 0) {
        return NULL;
    }
    Py_buffer view = MV(self)->view;
    view.readonly = 1;
    return kr_mv_add_view(MV(self)->mbuf, &view);
}

static Py_hash_t
memory_hash(PyObject *op)
{
    PyMemoryViewObject *self = MV(op);
    Py_buffer *view = &self->view;
    if (self->hash != -1) {
        return self->hash;
    }
    if (kr_mv_check(self) < 0) {
        return -1;
    }
    if (!view->readonly) {
        PyErr_SetString(PyExc_ValueError,
                        "cannot hash writable memoryview object");
        return -1;
    }
    char c = kr_mv_native_char(view->format, NULL);
    if (c != 'B' && c != 'b' && c != 'c') {
        PyErr_SetString(PyExc_ValueError,
                        "memoryview: hashing is restricted to formats 'B', "
                        "'b' or 'c'");
        return -1;
    }
    /* what exports the memory must be hashable too */
    if (view->obj != NULL && PyObject_Hash(view->obj) == -1) {
        return -1;
    }
    if (self->flags & _Py_MEMORYVIEW_C) {
        self->hash = _Py_HashBytes(view->buf, view->len);
        return self->hash;
    }
    PyObject *bytes = bytes_of(self, 'C');
    if (bytes == NULL) {
        return -1;
    }
    self->hash = _Py_HashBytes(PyBytes_AS_STRING(bytes), view->len);
    Py_DECREF(bytes);
    return self->hash;
}

static PyObject *
memory_repr(PyObject *self)
{
    const char *kind = MV(self)->flags & _Py_MEMORYVIEW_RELEASED
                           ? "released memory"
                           : "memory";
    return PyUnicode_FromFormat("<%s at %p>", kind, self);
}

static Py_ssize_t
memory_length(PyObject *self)
{
    if (kr_mv_check(MV(self)) < 0) {
        return -1;
    }
    return MV(self)->view.ndim == 0 ? 1 : MV(self)->view.shape[0];
}

/* ---- attributes */

static PyObject *
tuple_from(const Py_ssize_t *numbers, int n)
{
    PyObject *tuple = PyTuple_New(numbers == NULL ? 0 : n);
    for (int i = 0; tuple != NULL && numbers != NULL && i < n; i++) {
        PyObject *x = PyLong_FromSsize_t(numbers[i]);
        if (x == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, x);
    }
    return tuple;
}

#define GETTER(name, expr)                                                     \
    static PyObject *get_##name(PyObject *self, void *ignored)                 \
    {                                                                          \
        Py_buffer *view = &MV(self)->view;                                     \
        (void)view;                                                            \
        return kr_mv_check(MV(self)) < 0 ? NULL : (expr);                      \
    }

#define FLAG(bits) PyBool_FromLong((MV(self)->flags & (bits)) != 0)

GETTER(obj, Py_NewRef(view->obj ? view->obj : Py_None))
GETTER(nbytes, PyLong_FromSsize_t(view->len))
GETTER(format, PyUnicode_FromString(view->format))
GETTER(itemsize, PyLong_FromSsize_t(view->itemsize))
GETTER(shape, tuple_from(view->shape, view->ndim))
GETTER(strides, tuple_from(view->strides, view->ndim))
GETTER(suboffsets, tuple_from(view->suboffsets, view->ndim))
GETTER(readonly, PyBool_FromLong(view->readonly))
GETTER(ndim, PyLong_FromLong(view->ndim))
GETTER(c_contiguous, FLAG(_Py_MEMORYVIEW_C))
GETTER(f_contiguous, FLAG(_Py_MEMORYVIEW_FORTRAN))
GETTER(contiguous, FLAG(_Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN))

static PyGetSetDef getset[] = {
    {"obj", get_obj, NULL, "The underlying object of the memoryview.", NULL},
    {"nbytes", get_nbytes, NULL,
     "The amount of space in bytes that the array would use in a contiguous "
     "representation.",
     NULL},
    {"readonly", get_readonly, NULL,
     "A bool indicating whether the memory is read only.", NULL},
    {"itemsize", get_itemsize, NULL,
     "The size in bytes of each element of the memoryview.", NULL},
    {"format", get_format, NULL,
     "The format (in struct module style) of each element.", NULL},
    {"ndim", get_ndim, NULL, "How many dimensions the memory has.", NULL},
    {"shape", get_shape, NULL,
     "A tuple of ndim integers: the length in each dimension.", NULL},
    {"strides", get_strides, NULL,
     "A tuple of ndim integers: the step in bytes in each dimension.", NULL},
    {"suboffsets", get_suboffsets, NULL,
     "A tuple of integers used internally for PIL-style arrays.", NULL},
    {"c_contiguous", get_c_contiguous, NULL,
     "A bool indicating whether the memory is C contiguous.", NULL},
    {"f_contiguous", get_f_contiguous, NULL,
     "A bool indicating whether the memory is Fortran contiguous.", NULL},
    {"contiguous", get_contiguous, NULL,
     "A bool indicating whether the memory is contiguous.", NULL},
    {NULL},
};

static PyMethodDef methods[] = {
    {"release", memory_release, METH_NOARGS,
     "release($self, /)\n--\n\n"
     "Release the underlying buffer exposed by the memoryview object."},
    {"tobytes", (PyCFunction)(void *)memory_tobytes,
     METH_VARARGS | METH_KEYWORDS,
     "tobytes($self, /, order='C')\n--\n\n"
     "Return the data in the buffer as a byte string, in the given order."},
    {"hex", (PyCFunction)(void *)memory_hex, METH_VARARGS | METH_KEYWORDS,
     "hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)\n--\n\n"
     "Return the data in the buffer as a str of hexadecimal numbers.\n\n"
     ">>> view = memoryview(bytearray(range(250, 256)))\n"
     ">>> view.hex()\n'fafbfcfdfeff'\n"
     ">>> view[::-2].hex('-')\n'ff-fd-fb'\n"
     ">>> view[:5].hex('/', 2)\n'fa/fbfc/fdfe'\n"
     ">>> view[:5].hex('/', -2)\n'fafb/fcfd/fe'"},
    {"tolist", memory_tolist, METH_NOARGS,
     "tolist($self, /)\n--\n\n"
     "Return the data in the buffer as a list of elements."},
    {"cast", (PyCFunction)(void *)kr_mv_cast, METH_FASTCALL | METH_KEYWORDS,
     "cast($self, /, format, shape=<unrepresentable>)\n--\n\n"
     "Cast a memoryview to a new format or shape."},
    {"toreadonly", memory_toreadonly, METH_NOARGS,
     "toreadonly($self, /)\n--\n\n"
     "Return a readonly version of the memoryview."},
    {"__enter__", memory_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void *)memory_exit, METH_FASTCALL, NULL},
    {NULL},
};

/* ---- iterator */

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;
    PyMemoryViewObject *seq; /* NULL when exhausted */
    Py_ssize_t length;
    const char *format;
} memory_iterator;

extern PyTypeObject _PyMemoryIter_Type;

static PyObject *
memory_iter(PyObject *seq)
{
    PyMemoryViewObject *mv = MV(seq);
    if (kr_mv_check(mv) < 0) {
        return NULL;
    }
    if (mv->view.ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return NULL;
    }
    if (mv->view.ndim != 1) {
        PyErr_SetString(PyExc_NotImplementedError,
                        "multi-dimensional sub-views are not implemented");
        return NULL;
    }
    const char *format = mv->view.format;
    if (!kr_mv_native_char(format, NULL)) {
        PyErr_Format(PyExc_NotImplementedError,
                     "memoryview: unsupported format %s", format);
        return NULL;
    }
    memory_iterator *it = PyObject_GC_New(memory_iterator, &_PyMemoryIter_Type);
    if (it == NULL) {
        return NULL;
    }
    it->format = format[0] == '@' ? format + 1 : format;
    it->index = 0;
    it->length = memory_length(seq);
    it->seq = MV(Py_NewRef(seq));
    kr_gc_track((PyObject *)it);
    return (PyObject *)it;
}

static void
iter_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(((memory_iterator *)self)->seq);
    PyObject_GC_Del(self);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((memory_iterator *)self)->seq);
    return 0;
}

static PyObject *
iter_next(PyObject *self)
{
    memory_iterator *it = (memory_iterator *)self;
    PyMemoryViewObject *seq = it->seq;
    if (seq == NULL) {
        return NULL;
    }
    if (it->index < it->length) {
        if (kr_mv_check(seq) < 0) {
            return NULL;
        }
        char *ptr = (char *)seq->view.buf
                    + seq->view.strides[0] * it->index++;
        ptr = MV_ADJUST(ptr, seq->view.suboffsets, 0);
        return kr_mv_unpack(ptr, it->format);
    }
    it->seq = NULL;
    Py_DECREF(seq);
    return NULL;
}

PyTypeObject _PyMemoryIter_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "memory_iterator",
    .tp_basicsize = sizeof(memory_iterator),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
};

/* ---- type */

static PySequenceMethods as_sequence = {
    .sq_length = memory_length,
    .sq_item = kr_mv_item,
};

static PyMappingMethods as_mapping = {
    .mp_length = memory_length,
    .mp_subscript = kr_mv_subscript,
    .mp_ass_subscript = kr_mv_ass_subscript,
};

static PyBufferProcs as_buffer = {
    .bf_getbuffer = memory_getbuf,
    .bf_releasebuffer = memory_releasebuf,
};

PyTypeObject PyMemoryView_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "memoryview",
    .tp_basicsize = offsetof(PyMemoryViewObject, ob_array),
    .tp_itemsize = sizeof(Py_ssize_t),
    .tp_dealloc = memory_dealloc,
    .tp_repr = memory_repr,
    .tp_as_sequence = &as_sequence,
    .tp_as_mapping = &as_mapping,
    .tp_hash = memory_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_as_buffer = &as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "memoryview(object)\n--\n\n"
              "Create a new memoryview object which references the given "
              "object.",
    .tp_traverse = memory_traverse,
    .tp_clear = memory_clear,
    .tp_richcompare = kr_mv_richcompare,
    .tp_weaklistoffset = offsetof(PyMemoryViewObject, weakreflist),
    .tp_iter = memory_iter,
    .tp_methods = methods,
    .tp_getset = getset,
    .tp_new = memory_new,
};
