/* The `zlib` module, over the system's zlib. */
#include <Python.h>
#include <stdbool.h>
#include <structmember.h>
#include <zlib.h>

#include "modules/kwargs.h"
#include "modules/modfree.h"
#include "modules/shared/stream.h"

#define DEF_BUF_SIZE (16 * 1024)
#define DEF_MEM_LEVEL 8
#define DEFLATED Z_DEFLATED

typedef struct {
    PyTypeObject *comp_type;
    PyTypeObject *decomp_type;
    PyObject *error;
} zlib_state;

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"DEFLATED", (long)DEFLATED},
    {"DEF_BUF_SIZE", (long)DEF_BUF_SIZE},
    {"DEF_MEM_LEVEL", (long)DEF_MEM_LEVEL},
    {"MAX_WBITS", (long)MAX_WBITS},
    {"Z_BEST_COMPRESSION", (long)Z_BEST_COMPRESSION},
    {"Z_BEST_SPEED", (long)Z_BEST_SPEED},
    {"Z_BLOCK", (long)Z_BLOCK},
    {"Z_DEFAULT_COMPRESSION", (long)Z_DEFAULT_COMPRESSION},
    {"Z_DEFAULT_STRATEGY", (long)Z_DEFAULT_STRATEGY},
    {"Z_FILTERED", (long)Z_FILTERED},
    {"Z_FINISH", (long)Z_FINISH},
    {"Z_FIXED", (long)Z_FIXED},
    {"Z_FULL_FLUSH", (long)Z_FULL_FLUSH},
    {"Z_HUFFMAN_ONLY", (long)Z_HUFFMAN_ONLY},
    {"Z_NO_COMPRESSION", (long)Z_NO_COMPRESSION},
    {"Z_NO_FLUSH", (long)Z_NO_FLUSH},
    {"Z_PARTIAL_FLUSH", (long)Z_PARTIAL_FLUSH},
    {"Z_RLE", (long)Z_RLE},
    {"Z_SYNC_FLUSH", (long)Z_SYNC_FLUSH},
    {"Z_TREES", (long)Z_TREES},
};

/* A stream under a lock; either direction. */
typedef struct {
    PyObject_HEAD
    z_stream zst;
    PyObject *unused_data;
    PyObject *unconsumed_tail;
    char eof;
    bool is_initialised;
    PyObject *zdict;
    PyThread_type_lock lock;
} Stream;

static PyObject *
zlib_error(zlib_state *state, z_stream *zst, int err, const char *what)
{
    const char *message = NULL;
    if (err == Z_VERSION_ERROR) {
        /* the stream was never set up: its message is garbage */
        message = "library version mismatch";
    }
    if (message == NULL) {
        message = zst->msg;
    }
    if (message == NULL) {
        switch (err) {
        case Z_BUF_ERROR:
            message = "incomplete or truncated stream";
            break;
        case Z_STREAM_ERROR:
            message = "inconsistent stream state";
            break;
        case Z_DATA_ERROR:
            message = "invalid input data";
            break;
        }
    }
    if (message == NULL) {
        PyErr_Format(state->error, "Error %d %s", err, what);
    }
    else {
        PyErr_Format(state->error, "Error %d %s: %.200s", err, what, message);
    }
    return NULL;
}

/* zlib allocates under our accounting; called without the GIL as well. */
static void *
z_malloc(void *opaque, unsigned int items, unsigned int size)
{
    if (size != 0 && items > (size_t)PY_SSIZE_T_MAX / size) {
        return NULL;
    }
    return PyMem_RawMalloc((size_t)items * (size_t)size);
}

static void
z_release(void *opaque, void *ptr)
{
    PyMem_RawFree(ptr);
}

/* Output that grows: a bytes object and how much of it is used. */
struct output {
    PyObject *bytes;
    Py_ssize_t used;
};

static bool
output_start(struct output *out, Py_ssize_t size)
{
    out->used = 0;
    out->bytes = PyBytes_FromStringAndSize(NULL, size);
    return out->bytes != NULL;
}

/* Gives zlib room behind what is used, at most `max` in all (-1: no limit);
 * 1, 0 when the limit is reached, -1 with an exception. */
static int
output_room(struct output *out, z_stream *zst, Py_ssize_t max)
{
    Py_ssize_t size = PyBytes_GET_SIZE(out->bytes);
    if (out->used == size) {
        if (max >= 0 && size >= max) {
            return 0;
        }
        if (size > PY_SSIZE_T_MAX / 2) {
            PyErr_NoMemory();
            return -1;
        }
        Py_ssize_t bigger = size < 64 ? 128 : size * 2;
        if (max >= 0 && bigger > max) {
            bigger = max;
        }
        if (_PyBytes_Resize(&out->bytes, bigger) < 0) {
            return -1;
        }
        size = bigger;
    }
    Py_ssize_t room = size - out->used;
    zst->avail_out = room > UINT_MAX ? UINT_MAX : (uInt)room;
    zst->next_out = (Byte *)PyBytes_AS_STRING(out->bytes) + out->used;
    return 1;
}

static void
output_advance(struct output *out, z_stream *zst)
{
    out->used = (char *)zst->next_out - PyBytes_AS_STRING(out->bytes);
}

static PyObject *
output_finish(struct output *out)
{
    if (out->bytes != NULL && PyBytes_GET_SIZE(out->bytes) != out->used) {
        _PyBytes_Resize(&out->bytes, out->used);
    }
    return out->bytes;
}

/* Hands the next part of a long input to zlib. */
static void
take_input(z_stream *zst, Py_ssize_t *left)
{
    zst->avail_in = *left > UINT_MAX ? UINT_MAX : (uInt)*left;
    *left -= zst->avail_in;
}

/* Deflates all of [data, data + len) with `mode` at its end. The status of
 * the last call, or -100 with an exception set. */
static int
run_deflate(z_stream *zst, struct output *out, char *data, Py_ssize_t len,
            int mode)
{
    int err = Z_OK;
    zst->next_in = (Byte *)data;
    do {
        take_input(zst, &len);
        int flush = len == 0 ? mode : Z_NO_FLUSH;
        do {
            if (output_room(out, zst, -1) < 0) {
                return -100;
            }
            Py_BEGIN_ALLOW_THREADS
            err = deflate(zst, flush);
            Py_END_ALLOW_THREADS
            output_advance(out, zst);
            if (err == Z_STREAM_ERROR) {
                return err;
            }
        } while (zst->avail_out == 0);
    } while (len > 0);
    return err;
}

static PyObject *
zlib_compress(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("compress", "", "level", "wbits");
    zlib_state *state = PyModule_GetState(module);
    PyObject *a[3];
    Py_buffer data;
    int level = Z_DEFAULT_COMPRESSION, wbits = MAX_WBITS;
    struct output out = {NULL, 0};
    z_stream zst = {.zalloc = z_malloc, .zfree = z_release};
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 3, 3, a) ||
        !kr_arg_buffer("compress", "argument 1", a[0], &data)) {
        return NULL;
    }
    if ((a[1] != NULL && !kr_arg_int(a[1], &level)) ||
        (a[2] != NULL && !kr_arg_int(a[2], &wbits)) ||
        !output_start(&out, DEF_BUF_SIZE)) {
        PyBuffer_Release(&data);
        return NULL;
    }
    int err = deflateInit2(&zst, level, DEFLATED, wbits, DEF_MEM_LEVEL,
                           Z_DEFAULT_STRATEGY);
    if (err != Z_OK) {
        Py_CLEAR(out.bytes);
        if (err == Z_MEM_ERROR) {
            PyErr_SetString(PyExc_MemoryError,
                            "Out of memory while compressing data");
        }
        else if (err == Z_STREAM_ERROR) {
            PyErr_SetString(state->error, "Bad compression level");
        }
        else {
            zlib_error(state, &zst, err, "while compressing data");
        }
        PyBuffer_Release(&data);
        return NULL;
    }
    err = run_deflate(&zst, &out, data.buf, data.len, Z_FINISH);
    PyBuffer_Release(&data);
    if (err == -100) {
        deflateEnd(&zst);
        Py_CLEAR(out.bytes);
        return NULL;
    }
    if (err == Z_STREAM_ERROR) {
        deflateEnd(&zst);
        Py_CLEAR(out.bytes);
        PyErr_SetString(state->error, "while compressing data");
        return NULL;
    }
    err = deflateEnd(&zst);
    if (err != Z_OK) {
        zlib_error(state, &zst, err, "while finishing compression");
        Py_CLEAR(out.bytes);
        return NULL;
    }
    return output_finish(&out);
}

/* Inflates input in one call; the status, or -100 with an exception. */
static int
run_inflate(z_stream *zst, struct output *out, Py_ssize_t len)
{
    int err = Z_OK;
    do {
        take_input(zst, &len);
        int flush = len == 0 ? Z_FINISH : Z_NO_FLUSH;
        do {
            if (output_room(out, zst, -1) < 0) {
                return -100;
            }
            Py_BEGIN_ALLOW_THREADS
            err = inflate(zst, flush);
            Py_END_ALLOW_THREADS
            output_advance(out, zst);
            if (err != Z_OK && err != Z_BUF_ERROR && err != Z_STREAM_END) {
                return err;
            }
        } while (zst->avail_out == 0);
    } while (err != Z_STREAM_END && len > 0);
    return err;
}

static PyObject *
zlib_decompress(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("decompress", "", "wbits", "bufsize");
    zlib_state *state = PyModule_GetState(module);
    PyObject *a[3];
    Py_buffer data;
    int wbits = MAX_WBITS;
    Py_ssize_t bufsize = DEF_BUF_SIZE;
    struct output out = {NULL, 0};
    z_stream zst = {.zalloc = z_malloc, .zfree = z_release};
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 3, 3, a) ||
        !kr_arg_buffer("decompress", "argument 1", a[0], &data)) {
        return NULL;
    }
    if ((a[1] != NULL && !kr_arg_int(a[1], &wbits)) ||
        (a[2] != NULL && !kr_arg_ssize(a[2], &bufsize))) {
        goto done;
    }
    if (bufsize < 0) {
        PyErr_SetString(PyExc_ValueError, "bufsize must be non-negative");
        goto done;
    }
    if (!output_start(&out, bufsize ? bufsize : 1)) {
        goto done;
    }
    int err = inflateInit2(&zst, wbits);
    if (err != Z_OK) {
        if (err == Z_MEM_ERROR) {
            PyErr_SetString(PyExc_MemoryError,
                            "Out of memory while decompressing data");
        }
        else {
            zlib_error(state, &zst, err, "while preparing to decompress data");
        }
        Py_CLEAR(out.bytes);
        goto done;
    }
    zst.next_in = data.buf;
    err = run_inflate(&zst, &out, data.len);
    if (err == Z_MEM_ERROR) {
        PyErr_SetString(PyExc_MemoryError,
                        "Out of memory while decompressing data");
    }
    else if (err != -100 && err != Z_STREAM_END) {
        zlib_error(state, &zst, err, "while decompressing data");
    }
    inflateEnd(&zst);
    if (err != Z_STREAM_END) {
        Py_CLEAR(out.bytes);
    }
done:
    PyBuffer_Release(&data);
    return out.bytes ? output_finish(&out) : NULL;
}

static Stream *
stream_new(PyTypeObject *type)
{
    Stream *self = (Stream *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->zst.zalloc = z_malloc;
    self->zst.zfree = z_release;
    self->unconsumed_tail = PyBytes_FromStringAndSize("", 0);
    if (!kr_stream_start(&self->lock, &self->unused_data) ||
        self->unconsumed_tail == NULL) {
        Py_CLEAR(self);
    }
    return self;
}

static PyObject *
zlib_compressobj(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("compressobj", "level", "method", "wbits", "memLevel",
              "strategy", "zdict");
    zlib_state *state = PyModule_GetState(module);
    PyObject *a[6];
    int v[5] = {Z_DEFAULT_COMPRESSION, DEFLATED, MAX_WBITS, DEF_MEM_LEVEL,
                Z_DEFAULT_STRATEGY};
    Py_buffer zdict = {NULL};
    Stream *self = NULL;
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 6, 6, a)) {
        return NULL;
    }
    for (int i = 0; i < 5; i++) {
        if (a[i] != NULL && !kr_arg_int(a[i], &v[i])) {
            return NULL;
        }
    }
    if (a[5] != NULL && a[5] != Py_None &&
        !kr_arg_buffer("compressobj", "argument 'zdict'", a[5], &zdict)) {
        return NULL;
    }
    if (zdict.buf != NULL && (size_t)zdict.len > UINT_MAX) {
        PyErr_SetString(PyExc_OverflowError,
                        "zdict length does not fit in an unsigned int");
        goto done;
    }
    self = stream_new(state->comp_type);
    if (self == NULL) {
        goto done;
    }
    int err = deflateInit2(&self->zst, v[0], v[1], v[2], v[3], v[4]);
    if (err == Z_OK) {
        self->is_initialised = true;
        if (zdict.buf != NULL) {
            err = deflateSetDictionary(&self->zst, zdict.buf,
                                       (unsigned int)zdict.len);
            if (err == Z_STREAM_ERROR) {
                PyErr_SetString(PyExc_ValueError, "Invalid dictionary");
            }
            else if (err != Z_OK) {
                PyErr_SetString(PyExc_ValueError,
                                "deflateSetDictionary()");
            }
        }
    }
    else if (err == Z_MEM_ERROR) {
        PyErr_SetString(PyExc_MemoryError,
                        "Can't allocate memory for compression object");
    }
    else if (err == Z_STREAM_ERROR) {
        PyErr_SetString(PyExc_ValueError, "Invalid initialization option");
    }
    else {
        zlib_error(state, &self->zst, err,
                   "while creating compression object");
    }
    if (err != Z_OK) {
        Py_CLEAR(self);
    }
done:
    if (zdict.obj != NULL) {
        PyBuffer_Release(&zdict);
    }
    return (PyObject *)self;
}

/* Gives the stream's dictionary to inflate; 0 or -1. */
static int
set_inflate_dict(zlib_state *state, Stream *self)
{
    Py_buffer zdict;
    if (PyObject_GetBuffer(self->zdict, &zdict, PyBUF_SIMPLE) == -1) {
        return -1;
    }
    if ((size_t)zdict.len > UINT_MAX) {
        PyErr_SetString(PyExc_OverflowError,
                        "zdict length does not fit in an unsigned int");
        PyBuffer_Release(&zdict);
        return -1;
    }
    int err = inflateSetDictionary(&self->zst, zdict.buf,
                                   (unsigned int)zdict.len);
    PyBuffer_Release(&zdict);
    if (err != Z_OK) {
        zlib_error(state, &self->zst, err, "while setting zdict");
        return -1;
    }
    return 0;
}

static PyObject *
zlib_decompressobj(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("decompressobj", "wbits", "zdict");
    zlib_state *state = PyModule_GetState(module);
    PyObject *a[2];
    int wbits = MAX_WBITS;
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 2, 2, a) ||
        (a[0] != NULL && !kr_arg_int(a[0], &wbits))) {
        return NULL;
    }
    if (a[1] != NULL && !PyObject_CheckBuffer(a[1])) {
        PyErr_SetString(PyExc_TypeError,
                        "zdict argument must support the buffer protocol");
        return NULL;
    }
    Stream *self = stream_new(state->decomp_type);
    if (self == NULL) {
        return NULL;
    }
    self->zdict = Py_XNewRef(a[1]);
    int err = inflateInit2(&self->zst, wbits);
    if (err == Z_OK) {
        self->is_initialised = true;
        /* a raw stream never asks for its dictionary */
        if (self->zdict != NULL && wbits < 0 &&
            set_inflate_dict(state, self) < 0) {
            Py_CLEAR(self);
        }
        return (PyObject *)self;
    }
    if (err == Z_STREAM_ERROR) {
        PyErr_SetString(PyExc_ValueError, "Invalid initialization option");
    }
    else if (err == Z_MEM_ERROR) {
        PyErr_SetString(PyExc_MemoryError,
                        "Can't allocate memory for decompression object");
    }
    else {
        zlib_error(state, &self->zst, err,
                   "while creating decompression object");
    }
    Py_DECREF(self);
    return NULL;
}

static void
stream_free(Stream *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (self->lock != NULL) {
        PyThread_free_lock(self->lock);
    }
    Py_XDECREF(self->unused_data);
    Py_XDECREF(self->unconsumed_tail);
    Py_XDECREF(self->zdict);
    type->tp_free(self);
    Py_DECREF(type);
}

static void
comp_dealloc(Stream *self)
{
    if (self->is_initialised) {
        (void)deflateEnd(&self->zst);
    }
    stream_free(self);
}

static void
decomp_dealloc(Stream *self)
{
    if (self->is_initialised) {
        (void)inflateEnd(&self->zst);
    }
    stream_free(self);
}

static PyObject *
comp_compress(Stream *self, PyTypeObject *cls, KR_FASTCALL_ARGS)
{
    KR_PARSER("compress", "");
    zlib_state *state = PyType_GetModuleState(cls);
    PyObject *a[1];
    Py_buffer data;
    struct output out = {NULL, 0};
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !kr_arg_buffer("compress", "argument 1", a[0], &data)) {
        return NULL;
    }
    kr_lock_wait(self->lock);
    if (output_start(&out, DEF_BUF_SIZE)) {
        int err = run_deflate(&self->zst, &out, data.buf, data.len,
                              Z_NO_FLUSH);
        if (err == Z_STREAM_ERROR) {
            zlib_error(state, &self->zst, err, "while compressing data");
        }
        if (err == -100 || err == Z_STREAM_ERROR) {
            Py_CLEAR(out.bytes);
        }
    }
    PyThread_release_lock(self->lock);
    PyBuffer_Release(&data);
    return output_finish(&out);
}

static PyObject *
comp_flush(Stream *self, PyTypeObject *cls, KR_FASTCALL_ARGS)
{
    KR_PARSER("flush", "");
    zlib_state *state = PyType_GetModuleState(cls);
    PyObject *a[1];
    int mode = Z_FINISH;
    struct output out = {NULL, 0};
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 1, 1, a) ||
        (a[0] != NULL && !kr_arg_int(a[0], &mode))) {
        return NULL;
    }
    if (mode == Z_NO_FLUSH) {
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    kr_lock_wait(self->lock);
    if (!output_start(&out, DEF_BUF_SIZE)) {
        goto done;
    }
    int err = run_deflate(&self->zst, &out, NULL, 0, mode);
    if (err == -100) {
        Py_CLEAR(out.bytes);
    }
    else if (err == Z_STREAM_END && mode == Z_FINISH) {
        err = deflateEnd(&self->zst);
        if (err != Z_OK) {
            zlib_error(state, &self->zst, err, "while finishing compression");
            Py_CLEAR(out.bytes);
        }
        else {
            self->is_initialised = false;
        }
    }
    else if (err != Z_OK && err != Z_BUF_ERROR) {
        zlib_error(state, &self->zst, err, "while flushing");
        Py_CLEAR(out.bytes);
    }
done:
    PyThread_release_lock(self->lock);
    return output_finish(&out);
}

/* A copy of either kind; `cls` is the type that defines the method. */
static PyObject *
stream_twin(Stream *self, PyTypeObject *cls)
{
    zlib_state *state = PyType_GetModuleState(cls);
    bool compresses = cls == state->comp_type;
    const char *what = compresses ? "compression" : "decompression";
    Stream *twin = stream_new(cls);
    if (twin == NULL) {
        return NULL;
    }
    kr_lock_wait(self->lock);
    int err = compresses ? deflateCopy(&twin->zst, &self->zst)
                         : inflateCopy(&twin->zst, &self->zst);
    if (err == Z_OK) {
        Py_XSETREF(twin->unused_data, Py_NewRef(self->unused_data));
        Py_XSETREF(twin->unconsumed_tail, Py_NewRef(self->unconsumed_tail));
        Py_XSETREF(twin->zdict, Py_XNewRef(self->zdict));
        twin->eof = self->eof;
        twin->is_initialised = true;
    }
    else if (err == Z_STREAM_ERROR) {
        PyErr_SetString(PyExc_ValueError, "Inconsistent stream state");
    }
    else if (err == Z_MEM_ERROR) {
        PyErr_Format(PyExc_MemoryError,
                     "Can't allocate memory for %s object", what);
    }
    else {
        char message[60];
        PyOS_snprintf(message, sizeof(message), "while copying %s object",
                      what);
        zlib_error(state, &self->zst, err, message);
    }
    PyThread_release_lock(self->lock);
    if (err != Z_OK) {
        Py_CLEAR(twin);
    }
    return (PyObject *)twin;
}

/* Keywords are ignored, as by the reference. */
static bool
no_arguments(const char *name, Py_ssize_t nargs)
{
    if (nargs) {
        PyErr_Format(PyExc_TypeError, "%s() takes no arguments", name);
        return false;
    }
    return true;
}

static PyObject *
stream_copy(Stream *self, PyTypeObject *cls, KR_FASTCALL_ARGS)
{
    return no_arguments("copy", nargs) ? stream_twin(self, cls) : NULL;
}

static PyObject *
stream_copy_special(Stream *self, PyTypeObject *cls, KR_FASTCALL_ARGS)
{
    return no_arguments("__copy__", nargs) ? stream_twin(self, cls) : NULL;
}

static PyObject *
stream_deepcopy(Stream *self, PyTypeObject *cls, KR_FASTCALL_ARGS)
{
    KR_PARSER("__deepcopy__", "");
    PyObject *memo;
    return kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, &memo)
               ? stream_twin(self, cls)
               : NULL;
}

/* Keeps what inflate left of the input: behind the end of the stream it is
 * unused_data, before a limit it is unconsumed_tail. */
static int
save_rest(Stream *self, const Byte *start, Py_ssize_t len, int err)
{
    Py_ssize_t left = start + len - self->zst.next_in;
    if (err == Z_STREAM_END && left > 0) {
        Py_ssize_t old = PyBytes_GET_SIZE(self->unused_data);
        if (left > PY_SSIZE_T_MAX - old) {
            PyErr_NoMemory();
            return -1;
        }
        PyObject *joined = PyBytes_FromStringAndSize(NULL, old + left);
        if (joined == NULL) {
            return -1;
        }
        memcpy(PyBytes_AS_STRING(joined),
               PyBytes_AS_STRING(self->unused_data), (size_t)old);
        memcpy(PyBytes_AS_STRING(joined) + old, self->zst.next_in,
               (size_t)left);
        Py_SETREF(self->unused_data, joined);
        self->zst.avail_in = 0;
        left = 0;
    }
    if (err == Z_STREAM_END) {
        left = 0;
    }
    if (left > 0 || PyBytes_GET_SIZE(self->unconsumed_tail)) {
        PyObject *tail = PyBytes_FromStringAndSize(
            (char *)self->zst.next_in, left > 0 ? left : 0);
        if (tail == NULL) {
            return -1;
        }
        Py_SETREF(self->unconsumed_tail, tail);
    }
    return 0;
}

/* Inflates with at most `max` bytes of output (-1: no limit), `flush` at the
 * end of the input. The status or -100 with an exception. */
static int
inflate_limited(zlib_state *state, Stream *self, struct output *out,
                Py_ssize_t len, Py_ssize_t max, int flush_mode)
{
    int err = Z_OK;
    do {
        take_input(&self->zst, &len);
        int flush = len == 0 ? flush_mode : Z_SYNC_FLUSH;
        bool again;
        do {
            int room = output_room(out, &self->zst, max);
            if (room < 0) {
                return -100;
            }
            if (room == 0) {
                return err;
            }
            Py_BEGIN_ALLOW_THREADS
            err = inflate(&self->zst, flush);
            Py_END_ALLOW_THREADS
            output_advance(out, &self->zst);
            if (err == Z_NEED_DICT && self->zdict != NULL) {
                if (set_inflate_dict(state, self) < 0) {
                    return -100;
                }
                again = true;
                continue;
            }
            if (err != Z_OK && err != Z_BUF_ERROR && err != Z_STREAM_END) {
                return err;
            }
            again = self->zst.avail_out == 0;
        } while (again);
    } while (err != Z_STREAM_END && len > 0);
    return err;
}

static PyObject *
decomp_decompress(Stream *self, PyTypeObject *cls, KR_FASTCALL_ARGS)
{
    KR_PARSER("decompress", "", "max_length");
    zlib_state *state = PyType_GetModuleState(cls);
    PyObject *a[2];
    Py_buffer data;
    Py_ssize_t max = 0;
    struct output out = {NULL, 0};
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a) ||
        !kr_arg_buffer("decompress", "argument 1", a[0], &data)) {
        return NULL;
    }
    if (a[1] != NULL && !kr_arg_ssize(a[1], &max)) {
        PyBuffer_Release(&data);
        return NULL;
    }
    if (max < 0) {
        PyErr_SetString(PyExc_ValueError, "max_length must be non-negative");
        PyBuffer_Release(&data);
        return NULL;
    }
    Py_ssize_t limit = max == 0 ? -1 : max;
    Py_ssize_t start = limit >= 0 && limit < DEF_BUF_SIZE ? limit
                                                          : DEF_BUF_SIZE;
    kr_lock_wait(self->lock);
    if (output_start(&out, start)) {
        self->zst.next_in = data.buf;
        int err = inflate_limited(state, self, &out, data.len, limit,
                                  Z_SYNC_FLUSH);
        if (err == -100 || save_rest(self, data.buf, data.len, err) < 0) {
            Py_CLEAR(out.bytes);
        }
        else if (err == Z_STREAM_END) {
            self->eof = 1;
        }
        else if (err != Z_OK && err != Z_BUF_ERROR) {
            zlib_error(state, &self->zst, err, "while decompressing data");
            Py_CLEAR(out.bytes);
        }
    }
    PyThread_release_lock(self->lock);
    PyBuffer_Release(&data);
    return output_finish(&out);
}

static PyObject *
decomp_flush(Stream *self, PyTypeObject *cls, KR_FASTCALL_ARGS)
{
    KR_PARSER("flush", "");
    zlib_state *state = PyType_GetModuleState(cls);
    PyObject *a[1];
    Py_ssize_t length = DEF_BUF_SIZE;
    struct output out = {NULL, 0};
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 1, 1, a) ||
        (a[0] != NULL && !kr_arg_ssize(a[0], &length))) {
        return NULL;
    }
    if (length <= 0) {
        PyErr_SetString(PyExc_ValueError,
                        "length must be greater than zero");
        return NULL;
    }
    kr_lock_wait(self->lock);
    /* the tail is replaced while it is read: hold it */
    PyObject *tail = Py_NewRef(self->unconsumed_tail);
    if (output_start(&out, length)) {
        Byte *start = (Byte *)PyBytes_AS_STRING(tail);
        Py_ssize_t len = PyBytes_GET_SIZE(tail);
        self->zst.next_in = start;
        int err = inflate_limited(state, self, &out, len, -1, Z_FINISH);
        if (err == -100 || save_rest(self, start, len, err) < 0) {
            Py_CLEAR(out.bytes);
        }
        else if (err == Z_STREAM_END) {
            self->eof = 1;
            self->is_initialised = false;
            err = inflateEnd(&self->zst);
            if (err != Z_OK) {
                zlib_error(state, &self->zst, err,
                           "while finishing decompression");
                Py_CLEAR(out.bytes);
            }
        }
    }
    Py_DECREF(tail);
    PyThread_release_lock(self->lock);
    return output_finish(&out);
}

#define METHOD(prefix, name, doc)                                              \
    {#name, KR_CAST(prefix##_##name), METH_METHOD | KR_FAST, doc}

static PyMethodDef comp_methods[] = {
    METHOD(comp, compress,
           "compress($self, data, /)\n--\n\nCompress more data."),
    METHOD(comp, flush,
           "flush($self, mode=zlib.Z_FINISH, /)\n--\n\n"
           "Give what is held back."),
    METHOD(stream, copy, "copy($self, /)\n--\n\nA copy of the object."),
    {"__copy__", KR_CAST(stream_copy_special), METH_METHOD | KR_FAST,
     "__copy__($self, /)\n--\n\n"},
    {"__deepcopy__", KR_CAST(stream_deepcopy), METH_METHOD | KR_FAST,
     "__deepcopy__($self, memo, /)\n--\n\n"},
    {NULL},
};

static PyMethodDef decomp_methods[] = {
    METHOD(decomp, decompress,
           "decompress($self, data, /, max_length=0)\n--\n\n"
           "Decompress more data, to at most max_length bytes unless 0."),
    METHOD(decomp, flush,
           "flush($self, length=zlib.DEF_BUF_SIZE, /)\n--\n\n"
           "Give what is held back."),
    METHOD(stream, copy, "copy($self, /)\n--\n\nA copy of the object."),
    {"__copy__", KR_CAST(stream_copy_special), METH_METHOD | KR_FAST,
     "__copy__($self, /)\n--\n\n"},
    {"__deepcopy__", KR_CAST(stream_deepcopy), METH_METHOD | KR_FAST,
     "__deepcopy__($self, memo, /)\n--\n\n"},
    {NULL},
};

static PyMemberDef decomp_members[] = {
    {"unused_data", T_OBJECT, offsetof(Stream, unused_data), READONLY, NULL},
    {"unconsumed_tail", T_OBJECT, offsetof(Stream, unconsumed_tail),
     READONLY, NULL},
    {"eof", T_BOOL, offsetof(Stream, eof), READONLY, NULL},
    {NULL},
};

static PyType_Slot comp_slots[] = {
    {Py_tp_dealloc, comp_dealloc},
    {Py_tp_methods, comp_methods},
    {0, NULL},
};

static PyType_Slot decomp_slots[] = {
    {Py_tp_dealloc, decomp_dealloc},
    {Py_tp_methods, decomp_methods},
    {Py_tp_members, decomp_members},
    {0, NULL},
};

#define STREAM_FLAGS                                                           \
    (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |                  \
     Py_TPFLAGS_IMMUTABLETYPE)

static PyType_Spec comp_spec = {
    .name = "zlib.Compress",
    .basicsize = sizeof(Stream),
    .flags = STREAM_FLAGS,
    .slots = comp_slots,
};

static PyType_Spec decomp_spec = {
    .name = "zlib.Decompress",
    .basicsize = sizeof(Stream),
    .flags = STREAM_FLAGS,
    .slots = decomp_slots,
};

typedef uLong (*checksum)(uLong, const Bytef *, uInt);

/* A checksum over any length; without the GIL where that pays. */
static PyObject *
do_checksum(const char *name, checksum sum, unsigned int value,
            PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer data;
    if (!_PyArg_CheckPositional(name, nargs, 1, 2) ||
        !kr_arg_buffer(name, "argument 1", args[0], &data)) {
        return NULL;
    }
    if (nargs > 1) {
        value = (unsigned int)PyLong_AsUnsignedLongMask(args[1]);
        if (value == (unsigned int)-1 && PyErr_Occurred()) {
            PyBuffer_Release(&data);
            return NULL;
        }
    }
    const Byte *buf = data.buf;
    Py_ssize_t len = data.len;
    PyThreadState *save = len > 1024 * 5 ? PyEval_SaveThread() : NULL;
    while ((size_t)len > UINT_MAX) {
        value = (unsigned int)sum(value, buf, UINT_MAX);
        buf += (size_t)UINT_MAX;
        len -= (size_t)UINT_MAX;
    }
    value = (unsigned int)sum(value, buf, (uInt)len);
    if (save != NULL) {
        PyEval_RestoreThread(save);
    }
    PyBuffer_Release(&data);
    return PyLong_FromUnsignedLong(value & 0xffffffffU);
}

static PyObject *
zlib_adler32(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return do_checksum("adler32", adler32, 1, args, nargs);
}

static PyObject *
zlib_crc32(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return do_checksum("crc32", crc32, 0, args, nargs);
}

static PyMethodDef zlib_methods[] = {
    {"adler32", KR_CAST(zlib_adler32), METH_FASTCALL,
     "adler32($module, data, value=1, /)\n--\n\n"
     "The Adler-32 checksum of data, going on from value."},
    {"crc32", KR_CAST(zlib_crc32), METH_FASTCALL,
     "crc32($module, data, value=0, /)\n--\n\n"
     "The CRC-32 checksum of data, going on from value."},
    {"compress", KR_CAST(zlib_compress), KR_FAST,
     "compress($module, data, /, level=Z_DEFAULT_COMPRESSION, "
     "wbits=MAX_WBITS)\n--\n\nCompress data at once."},
    {"decompress", KR_CAST(zlib_decompress), KR_FAST,
     "decompress($module, data, /, wbits=MAX_WBITS, "
     "bufsize=DEF_BUF_SIZE)\n--\n\nDecompress data at once."},
    {"compressobj", KR_CAST(zlib_compressobj), KR_FAST,
     "compressobj($module, /, level=Z_DEFAULT_COMPRESSION, "
     "method=DEFLATED,\n            wbits=MAX_WBITS, "
     "memLevel=DEF_MEM_LEVEL,\n            strategy=Z_DEFAULT_STRATEGY, "
     "zdict=None)\n--\n\nAn object that compresses step by step."},
    {"decompressobj", KR_CAST(zlib_decompressobj), KR_FAST,
     "decompressobj($module, /, wbits=MAX_WBITS, zdict=b'')\n--\n\n"
     "An object that decompresses step by step."},
    {NULL},
};

static int
zlib_exec(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    zlib_state *state = PyModule_GetState(module);
    state->comp_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &comp_spec, NULL);
    state->decomp_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &decomp_spec, NULL);
    state->error = PyErr_NewException("zlib.error", NULL, NULL);
    if (!state->comp_type || !state->decomp_type || !state->error ||
        PyModule_AddObjectRef(module, "error", state->error) < 0 ||
        PyModule_AddStringConstant(module, "ZLIB_VERSION", ZLIB_VERSION) < 0 ||
        PyModule_AddStringConstant(module, "ZLIB_RUNTIME_VERSION",
                                   zlibVersion()) < 0) {
        return -1;
    }
    return PyModule_AddStringConstant(module, "__version__", "1.0");
}

static int
zlib_traverse(PyObject *module, visitproc visit, void *arg)
{
    zlib_state *state = PyModule_GetState(module);
    Py_VISIT(state->comp_type);
    Py_VISIT(state->decomp_type);
    Py_VISIT(state->error);
    return 0;
}

static int
zlib_clear(PyObject *module)
{
    zlib_state *state = PyModule_GetState(module);
    Py_CLEAR(state->comp_type);
    Py_CLEAR(state->decomp_type);
    Py_CLEAR(state->error);
    return 0;
}

static PyModuleDef_Slot zlib_slots[] = {{Py_mod_exec, zlib_exec}, {0, NULL}};

static PyModuleDef zlib_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "zlib",
    .m_doc = "Compression and decompression by the zlib library.",
    .m_size = sizeof(zlib_state),
    .m_methods = zlib_methods,
    .m_slots = zlib_slots,
    .m_traverse = zlib_traverse,
    .m_clear = zlib_clear,
    .m_free = kr_module_free,
};

PyMODINIT_FUNC
PyInit_zlib(void)
{
    return PyModuleDef_Init(&zlib_def);
}
