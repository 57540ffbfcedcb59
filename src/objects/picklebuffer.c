/* pickle.PickleBuffer: a buffer that may be pickled out of band. */
#include <Python.h>

#include "memory/gc.h"
#include "objects/immortal.h"

typedef struct {
    PyObject_HEAD
    Py_buffer view; /* view.obj is NULL after release */
    PyObject *weakreflist;
} pickle_buffer;

#define PB(op) ((pickle_buffer *)(op))

static PyObject *
make(PyTypeObject *type, PyObject *base)
{
    pickle_buffer *self = (pickle_buffer *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->view.obj = NULL;
    self->weakreflist = NULL;
    if (PyObject_GetBuffer(base, &self->view, PyBUF_FULL_RO) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyObject *
PyPickleBuffer_FromObject(PyObject *base)
{
    return make(&PyPickleBuffer_Type, base);
}

const Py_buffer *
PyPickleBuffer_GetBuffer(PyObject *obj)
{
    if (!PyPickleBuffer_Check(obj)) {
        PyErr_Format(PyExc_TypeError, "expected PickleBuffer, %.200s found",
                     Py_TYPE(obj)->tp_name);
        return NULL;
    }
    if (PB(obj)->view.obj == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "operation forbidden on released PickleBuffer object");
        return NULL;
    }
    return &PB(obj)->view;
}

int
PyPickleBuffer_Release(PyObject *obj)
{
    if (!PyPickleBuffer_Check(obj)) {
        PyErr_Format(PyExc_TypeError, "expected PickleBuffer, %.200s found",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    PyBuffer_Release(&PB(obj)->view);
    return 0;
}

static PyObject *
picklebuf_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"", NULL};
    PyObject *base;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O:PickleBuffer", keywords,
                                     &base)) {
        return NULL;
    }
    return make(type, base);
}

static int
picklebuf_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(PB(self)->view.obj);
    return 0;
}

static int
picklebuf_clear(PyObject *self)
{
    PyBuffer_Release(&PB(self)->view);
    return 0;
}

static void
picklebuf_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    if (PB(self)->weakreflist != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    PyBuffer_Release(&PB(self)->view);
    Py_TYPE(self)->tp_free(self);
}

static int
picklebuf_getbuf(PyObject *self, Py_buffer *view, int flags)
{
    if (PB(self)->view.obj == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "operation forbidden on released PickleBuffer object");
        return -1;
    }
    return PyObject_GetBuffer(PB(self)->view.obj, view, flags);
}

static void
picklebuf_releasebuf(PyObject *self, Py_buffer *view)
{
    /* the view belongs to the underlying object, which releases it */
}

static PyObject *
picklebuf_raw(PyObject *self, PyObject *ignored)
{
    Py_buffer *view = &PB(self)->view;
    if (view->obj == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "operation forbidden on released PickleBuffer object");
        return NULL;
    }
    if (view->suboffsets != NULL
        || !PyBuffer_IsContiguous(view, 'A')) {
        PyErr_SetString(PyExc_BufferError,
                        "cannot extract raw buffer from non-contiguous "
                        "buffer");
        return NULL;
    }
    PyObject *m = PyMemoryView_FromObject(self);
    if (m == NULL) {
        return NULL;
    }
    /* the same memory as a row of unsigned bytes */
    Py_buffer *x = PyMemoryView_GET_BUFFER(m);
    PyMemoryViewObject *mv = (PyMemoryViewObject *)m;
    mv->flags &= ~(_Py_MEMORYVIEW_SCALAR);
    mv->flags |= _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
    x->format = "B";
    x->itemsize = 1;
    x->suboffsets = NULL;
    if (x->ndim != 1) {
        x->ndim = 1;
        x->shape = mv->ob_array;
        x->strides = mv->ob_array + 1;
        if (Py_SIZE(mv) < 3) {
            /* a scalar's view has no room for shape and strides */
            Py_buffer flat = *view;
            Py_DECREF(m);
            Py_ssize_t len = flat.len;
            flat.format = "B";
            flat.itemsize = 1;
            flat.ndim = 1;
            flat.shape = &len;
            flat.strides = NULL;
            flat.obj = NULL;
            Py_ssize_t one = 1;
            flat.strides = &one;
            m = PyMemoryView_FromBuffer(&flat);
            if (m != NULL) {
                ((PyMemoryViewObject *)m)->mbuf->master.obj = Py_NewRef(self);
            }
            return m;
        }
    }
    x->shape[0] = x->len;
    x->strides[0] = 1;
    return m;
}

static PyObject *
picklebuf_release(PyObject *self, PyObject *ignored)
{
    PyBuffer_Release(&PB(self)->view);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"raw", picklebuf_raw, METH_NOARGS,
     "raw($self, /)\n--\n\n"
     "Return a memoryview of the raw memory underlying this buffer.\n\n"
     "Raises BufferError if it is not contiguous."},
    {"release", picklebuf_release, METH_NOARGS,
     "release($self, /)\n--\n\n"
     "Release the underlying buffer held by this PickleBuffer object."},
    {NULL},
};

static PyBufferProcs as_buffer = {
    .bf_getbuffer = picklebuf_getbuf,
    .bf_releasebuffer = picklebuf_releasebuf,
};

PyTypeObject PyPickleBuffer_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "pickle.PickleBuffer",
    .tp_doc = "Wrapper for potentially out-of-band buffers",
    .tp_basicsize = sizeof(pickle_buffer),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = picklebuf_new,
    .tp_dealloc = picklebuf_dealloc,
    .tp_traverse = picklebuf_traverse,
    .tp_clear = picklebuf_clear,
    .tp_weaklistoffset = offsetof(pickle_buffer, weakreflist),
    .tp_as_buffer = &as_buffer,
    .tp_methods = methods,
};
