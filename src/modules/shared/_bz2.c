/* The module _bz2, over libbz2. */
#include <Python.h>
#include <bzlib.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <structmember.h>

#include "modules/addtype.h"
#include "modules/kwargs.h"
#include "modules/modfree.h"
#include "modules/shared/stream.h"

struct module_state {
    PyTypeObject *compressor, *decompressor;
};

/* A stream of either kind. */
struct stream {
    PyObject_HEAD
    bz_stream bz;
    bool open, flushed, broken;
    char eof, needs_input;
    PyObject *pending;     /* bytes: input not yet used, or NULL */
    PyObject *unused_data; /* bytes behind the end of the stream */
    PyThread_type_lock lock;
};

/* Whether `code` is an error, which is raised then. */
static bool
is_error(int code)
{
    switch (code) {
    case BZ_OK:
    case BZ_RUN_OK:
    case BZ_FLUSH_OK:
    case BZ_FINISH_OK:
    case BZ_STREAM_END:
        return false;
    case BZ_PARAM_ERROR:
        PyErr_SetString(PyExc_ValueError,
                        "Internal error - invalid parameters passed to "
                        "libbzip2");
        break;
    case BZ_MEM_ERROR:
        PyErr_NoMemory();
        break;
    case BZ_DATA_ERROR:
    case BZ_DATA_ERROR_MAGIC:
        PyErr_SetString(PyExc_OSError, "Invalid data stream");
        break;
    case BZ_IO_ERROR:
        PyErr_SetString(PyExc_OSError, "Unknown I/O error");
        break;
    case BZ_UNEXPECTED_EOF:
        PyErr_SetString(PyExc_EOFError,
                        "Compressed file ended before the logical "
                        "end-of-stream was detected");
        break;
    case BZ_SEQUENCE_ERROR:
        PyErr_SetString(PyExc_RuntimeError,
                        "Internal error - Invalid sequence of commands sent "
                        "to libbzip2");
        break;
    default:
        PyErr_Format(PyExc_OSError,
                     "Unrecognized error from libbzip2: %d", code);
    }
    return true;
}

/* ---- running a stream --------------------------------------------------- */

/* Feeds `n` bytes with `step` until all is done, the stream ends or the output
 * has `max` bytes; *left is what was not used. */
static PyObject *
run(struct stream *self, const char *data, size_t n, Py_ssize_t max,
    int (*step)(bz_stream *, int), int action, size_t *left)
{
    bz_stream *bz = &self->bz;
    PyObject *out = NULL;
    Py_ssize_t used = 0;
    int code = BZ_OK;
    bz->next_in = (char *)data;
    bz->avail_in = 0;
    bz->avail_out = 0;
    for (;;) {
        if (bz->avail_in == 0 && n > 0) {
            bz->avail_in = n > UINT_MAX ? UINT_MAX : (unsigned)n;
            n -= bz->avail_in;
        }
        if (out == NULL || used == PyBytes_GET_SIZE(out)) {
            if (out != NULL && used == max) {
                break;
            }
            if (!kr_stream_room(&out, max)) {
                Py_XDECREF(out);
                return NULL;
            }
        }
        size_t room = (size_t)(PyBytes_GET_SIZE(out) - used);
        unsigned now = room > UINT_MAX ? UINT_MAX : (unsigned)room;
        bz->next_out = PyBytes_AS_STRING(out) + used;
        bz->avail_out = now;
        Py_BEGIN_ALLOW_THREADS
        code = step(bz, n > 0 && action == BZ_FINISH ? BZ_RUN : action);
        Py_END_ALLOW_THREADS
        used += now - bz->avail_out;
        if (is_error(code)) {
            self->broken = true;
            Py_DECREF(out);
            return NULL;
        }
        if (code == BZ_STREAM_END) {
            self->eof = 1;
            break;
        }
        if (bz->avail_in == 0 && n == 0 && bz->avail_out > 0 &&
            action != BZ_FINISH) {
            break;
        }
    }
    *left = bz->avail_in + n;
    if (used < PyBytes_GET_SIZE(out)) {
        _PyBytes_Resize(&out, used);
    }
    return out;
}

static int
decompress_step(bz_stream *bz, int Py_UNUSED(action))
{
    return BZ2_bzDecompress(bz);
}

/* ---- compressor --------------------------------------------------------- */

static struct stream *
new_stream(PyTypeObject *type)
{
    struct stream *self = (struct stream *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->needs_input = 1;
    if (!kr_stream_start(&self->lock, &self->unused_data)) {
        Py_CLEAR(self);
    }
    return self;
}

static PyObject *
compressor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int level = 9;
    if ((kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0 &&
         !_PyArg_NoKeywords("BZ2Compressor", kwargs)) ||
        !_PyArg_CheckPositional("BZ2Compressor", PyTuple_GET_SIZE(args), 0,
                                1) ||
        (PyTuple_GET_SIZE(args) > 0 &&
         !kr_arg_int(PyTuple_GET_ITEM(args, 0), &level))) {
        return NULL;
    }
    if (level < 1 || level > 9) {
        PyErr_SetString(PyExc_ValueError,
                        "compresslevel must be between 1 and 9");
        return NULL;
    }
    struct stream *self = new_stream(type);
    if (self != NULL &&
        is_error(BZ2_bzCompressInit(&self->bz, level, 0, 0))) {
        Py_CLEAR(self);
    }
    if (self != NULL) {
        self->open = true;
    }
    return (PyObject *)self;
}

static void
compressor_dealloc(PyObject *op)
{
    struct stream *self = (struct stream *)op;
    PyTypeObject *type = Py_TYPE(op);
    if (self->open) {
        BZ2_bzCompressEnd(&self->bz);
    }
    if (self->lock != NULL) {
        PyThread_free_lock(self->lock);
    }
    Py_XDECREF(self->unused_data);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *
compressor_compress(PyObject *op, PyObject *data)
{
    struct stream *self = (struct stream *)op;
    Py_buffer view;
    PyObject *res = NULL;
    size_t left;
    if (!kr_arg_buffer("compress", "argument", data, &view)) {
        return NULL;
    }
    kr_lock_wait(self->lock);
    if (self->flushed) {
        PyErr_SetString(PyExc_ValueError, "Compressor has been flushed");
    }
    else {
        res = view.len == 0
                  ? PyBytes_FromStringAndSize(NULL, 0)
                  : run(self, view.buf, (size_t)view.len, -1, BZ2_bzCompress,
                        BZ_RUN, &left);
    }
    PyThread_release_lock(self->lock);
    PyBuffer_Release(&view);
    return res;
}

static PyObject *
compressor_flush(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct stream *self = (struct stream *)op;
    PyObject *res = NULL;
    size_t left;
    kr_lock_wait(self->lock);
    if (self->flushed) {
        PyErr_SetString(PyExc_ValueError, "Repeated call to flush()");
    }
    else {
        self->flushed = true;
        res = run(self, NULL, 0, -1, BZ2_bzCompress, BZ_FINISH, &left);
    }
    PyThread_release_lock(self->lock);
    return res;
}

static PyMethodDef compressor_methods[] = {
    {"compress", compressor_compress, METH_O,
     PyDoc_STR("compress($self, data, /)\n--\n\n"
               "Provide data to the compressor object; return compressed data "
               "or b''.")},
    {"flush", compressor_flush, METH_NOARGS,
     PyDoc_STR("flush($self, /)\n--\n\n"
               "Finish the compression process; return what is left.")},
    {NULL},
};

static PyType_Slot compressor_slots[] = {
    {Py_tp_dealloc, compressor_dealloc},
    {Py_tp_methods, compressor_methods},
    {Py_tp_new, compressor_new},
    {Py_tp_doc, (void *)PyDoc_STR(
        "BZ2Compressor(compresslevel=9, /)\n--\n\n"
        "Create a compressor object for compressing data incrementally.")},
    {0, NULL},
};

static PyType_Spec compressor_spec = {
    .name = "_bz2.BZ2Compressor",
    .basicsize = sizeof(struct stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = compressor_slots,
};

/* ---- decompressor ------------------------------------------------------- */

static PyObject *
decompressor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (!_PyArg_NoPositional("BZ2Decompressor", args) ||
        !_PyArg_NoKeywords("BZ2Decompressor", kwargs)) {
        return NULL;
    }
    struct stream *self = new_stream(type);
    if (self != NULL && is_error(BZ2_bzDecompressInit(&self->bz, 0, 0))) {
        Py_CLEAR(self);
    }
    if (self != NULL) {
        self->open = true;
    }
    return (PyObject *)self;
}

static void
decompressor_dealloc(PyObject *op)
{
    struct stream *self = (struct stream *)op;
    PyTypeObject *type = Py_TYPE(op);
    if (self->open) {
        BZ2_bzDecompressEnd(&self->bz);
    }
    if (self->lock != NULL) {
        PyThread_free_lock(self->lock);
    }
    Py_XDECREF(self->pending);
    Py_XDECREF(self->unused_data);
    type->tp_free(op);
    Py_DECREF(type);
}

/* Decompresses what is pending and then `view`. */
static PyObject *
decompress(struct stream *self, Py_buffer *view, Py_ssize_t max)
{
    const char *data = view->buf;
    Py_ssize_t n = view->len;
    PyObject *input = NULL;
    size_t left = 0;
    if (self->pending != NULL) {
        Py_ssize_t before = PyBytes_GET_SIZE(self->pending);
        input = PyBytes_FromStringAndSize(NULL, before + n);
        if (input == NULL) {
            return NULL;
        }
        memcpy(PyBytes_AS_STRING(input), PyBytes_AS_STRING(self->pending),
               (size_t)before);
        if (n > 0) {
            memcpy(PyBytes_AS_STRING(input) + before, data, (size_t)n);
        }
        Py_CLEAR(self->pending);
        data = PyBytes_AS_STRING(input);
        n += before;
    }
    PyObject *res =
        run(self, data, (size_t)n, max, decompress_step, 0, &left);
    if (res != NULL && left > 0) {
        PyObject *rest = PyBytes_FromStringAndSize(data + n - left,
                                                   (Py_ssize_t)left);
        if (rest == NULL) {
            Py_CLEAR(res);
        }
        else if (self->eof) {
            Py_SETREF(self->unused_data, rest);
        }
        else {
            self->pending = rest;
        }
    }
    self->needs_input = res != NULL && !self->eof && left == 0;
    Py_XDECREF(input);
    return res;
}

static PyObject *
decompressor_decompress(PyObject *op, KR_FASTCALL_ARGS)
{
    KR_PARSER("decompress", "data", "max_length");
    struct stream *self = (struct stream *)op;
    PyObject *a[2], *res = NULL;
    Py_ssize_t max = -1;
    Py_buffer view;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a) ||
        !kr_arg_buffer("decompress", "argument 'data'", a[0], &view)) {
        return NULL;
    }
    if (a[1] != NULL && !kr_arg_ssize(a[1], &max)) {
        PyBuffer_Release(&view);
        return NULL;
    }
    kr_lock_wait(self->lock);
    if (self->eof) {
        PyErr_SetString(PyExc_EOFError, "End of stream already reached");
    }
    else if (self->broken) { /* libbz2 must not be asked again */
        PyErr_SetString(PyExc_ValueError,
                        "Decompressor is unusable after a previous error");
    }
    else {
        res = decompress(self, &view, max < 0 ? -1 : max);
    }
    PyThread_release_lock(self->lock);
    PyBuffer_Release(&view);
    return res;
}

static PyMethodDef decompressor_methods[] = {
    {"decompress", KR_CAST(decompressor_decompress), KR_FAST,
     PyDoc_STR("decompress($self, /, data, max_length=-1)\n--\n\n"
               "Decompress data, returning uncompressed data as bytes.")},
    {NULL},
};

static PyMemberDef decompressor_members[] = {
    {"eof", T_BOOL, offsetof(struct stream, eof), READONLY,
     PyDoc_STR("True if the end-of-stream marker has been reached.")},
    {"unused_data", T_OBJECT_EX, offsetof(struct stream, unused_data),
     READONLY, PyDoc_STR("Data found after the end of the compressed stream.")},
    {"needs_input", T_BOOL, offsetof(struct stream, needs_input), READONLY,
     PyDoc_STR("True if more input is needed before more decompressed data "
               "can be produced.")},
    {NULL},
};

static PyType_Slot decompressor_slots[] = {
    {Py_tp_dealloc, decompressor_dealloc},
    {Py_tp_methods, decompressor_methods},
    {Py_tp_members, decompressor_members},
    {Py_tp_new, decompressor_new},
    {Py_tp_doc, (void *)PyDoc_STR(
        "BZ2Decompressor()\n--\n\n"
        "Create a decompressor object for decompressing data incrementally.")},
    {0, NULL},
};

static PyType_Spec decompressor_spec = {
    .name = "_bz2.BZ2Decompressor",
    .basicsize = sizeof(struct stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = decompressor_slots,
};

/* ---- the module --------------------------------------------------------- */

static int
module_exec(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);
    return kr_add_type(module, &compressor_spec, NULL, &state->compressor) < 0
               ? -1
               : kr_add_type(module, &decompressor_spec, NULL,
                             &state->decompressor);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct module_state *state = PyModule_GetState(module);
    Py_VISIT(state->compressor);
    Py_VISIT(state->decompressor);
    return 0;
}

static int
module_clear(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);
    Py_CLEAR(state->compressor);
    Py_CLEAR(state->decompressor);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_bz2",
    .m_size = sizeof(struct module_state),
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = kr_module_free,
};

PyMODINIT_FUNC
PyInit__bz2(void)
{
    return PyModuleDef_Init(&module_def);
}
