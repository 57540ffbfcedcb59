/* The module _lzma, over liblzma: compressors and decompressors of streams. */
#include <Python.h>
#include <lzma.h>
#include <structmember.h>

#include "modules/addtype.h"
#include "modules/kwargs.h"
#include "modules/modfree.h"
#include "modules/shared/_lzma/lzma_module.h"
#include "modules/shared/stream.h"

enum { FORMAT_AUTO, FORMAT_XZ, FORMAT_ALONE, FORMAT_RAW };

#define CHECK_UNKNOWN (LZMA_CHECK_ID_MAX + 1)

/* A stream of either kind. */
struct stream {
    PyObject_HEAD
    lzma_stream lz;
    bool open, flushed;
    char eof, needs_input;
    int check;
    PyObject *pending;     /* bytes: input not yet used, or NULL */
    PyObject *unused_data; /* bytes behind the end of the stream */
    PyThread_type_lock lock;
};

#define S(op) ((struct stream *)(op))

static struct kr_lzma_state *
state_of(PyTypeObject *type)
{
    return PyModule_GetState(PyType_GetModule(type));
}

/* ---- errors ---- */

/* Whether `code` is an error, which is raised then. */
static bool
is_error(struct kr_lzma_state *st, lzma_ret code)
{
    const char *text = NULL;
    switch (code) {
    case LZMA_OK:
    case LZMA_GET_CHECK:
    case LZMA_NO_CHECK:
    case LZMA_STREAM_END:
        return false;
    case LZMA_MEM_ERROR:
        PyErr_NoMemory();
        return true;
    case LZMA_UNSUPPORTED_CHECK:
        text = "Unsupported integrity check";
        break;
    case LZMA_MEMLIMIT_ERROR:
        text = "Memory usage limit exceeded";
        break;
    case LZMA_FORMAT_ERROR:
        text = "Input format not supported by decoder";
        break;
    case LZMA_OPTIONS_ERROR:
        text = "Invalid or unsupported options";
        break;
    case LZMA_DATA_ERROR:
        text = "Corrupt input data";
        break;
    case LZMA_BUF_ERROR:
        text = "Insufficient buffer space";
        break;
    case LZMA_PROG_ERROR:
        text = "Internal error";
        break;
    default:
        PyErr_Format(st->error, "Unrecognized error from liblzma: %d", code);
        return true;
    }
    PyErr_SetString(st->error, text);
    return true;
}

/* ---- running a stream ---- */

/* One call of liblzma; running out of input is no error. */
static lzma_ret
step(struct stream *self, lzma_action action)
{
    lzma_stream *lz = &self->lz;
    lzma_ret code;
    Py_BEGIN_ALLOW_THREADS
    code = lzma_code(lz, action);
    Py_END_ALLOW_THREADS
    if (code == LZMA_BUF_ERROR && lz->avail_in == 0 && lz->avail_out > 0) {
        code = LZMA_OK;
    }
    if (code == LZMA_GET_CHECK || code == LZMA_NO_CHECK) {
        self->check = lzma_get_check(lz);
    }
    return code;
}

/* Feeds n bytes until all is done, the stream ends or the output has `max`
 * bytes; what was not used stays in lz.avail_in. */
static PyObject *
run(struct stream *self, const void *data, size_t n, Py_ssize_t max,
    lzma_action action)
{
    lzma_stream *lz = &self->lz;
    PyObject *out = NULL;
    Py_ssize_t used = 0;
    lz->next_in = data;
    lz->avail_in = n;
    for (;;) {
        if (out == NULL || used == PyBytes_GET_SIZE(out)) {
            if ((out != NULL && used == max)
                || !kr_stream_room(&out, max)) {
                break;
            }
        }
        size_t room = (size_t)(PyBytes_GET_SIZE(out) - used);
        lz->next_out = (uint8_t *)PyBytes_AS_STRING(out) + used;
        lz->avail_out = room;
        lzma_ret code = step(self, action);
        used += (Py_ssize_t)(room - lz->avail_out);
        if (is_error(state_of(Py_TYPE(self)), code)) {
            Py_CLEAR(out);
            return NULL;
        }
        if (code == LZMA_STREAM_END) {
            self->eof = 1;
            break;
        }
        if (lz->avail_in == 0 && lz->avail_out > 0
            && action != LZMA_FINISH) {
            break;
        }
    }
    if (out != NULL && used < PyBytes_GET_SIZE(out)) {
        _PyBytes_Resize(&out, used);
    }
    return out;
}

/* ---- making and freeing ---- */

static void *
allocate(void *unused, size_t n, size_t size)
{
    return size != 0 && n > PY_SSIZE_T_MAX / size
               ? NULL
               : PyMem_RawMalloc(n * size);
}

static void
release(void *unused, void *p)
{
    PyMem_RawFree(p);
}

static const lzma_allocator allocator = {allocate, release, NULL};

static PyObject *
stream_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct stream *self = S(type->tp_alloc(type, 0));
    if (self == NULL) {
        return NULL;
    }
    self->lz = (lzma_stream)LZMA_STREAM_INIT;
    self->lz.allocator = &allocator;
    if (!kr_stream_start(&self->lock, &self->unused_data)) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void
stream_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    lzma_end(&S(op)->lz);
    if (S(op)->lock != NULL) {
        PyThread_free_lock(S(op)->lock);
    }
    Py_XDECREF(S(op)->pending);
    Py_XDECREF(S(op)->unused_data);
    type->tp_free(op);
    Py_DECREF(type);
}

/* Back to how stream_new left it: __init__ may be called again. */
static int
reset(struct stream *self)
{
    PyObject *empty = PyBytes_FromStringAndSize(NULL, 0);
    if (empty == NULL) {
        return -1;
    }
    Py_XSETREF(self->unused_data, empty);
    Py_CLEAR(self->pending);
    self->flushed = false;
    self->eof = 0;
    self->needs_input = 1;
    self->check = CHECK_UNKNOWN;
    return 0;
}

/* Whether the stream is ready; ValueError if __init__ has not made it so. */
static bool
is_open(struct stream *self)
{
    if (!self->open) {
        PyErr_Format(PyExc_ValueError, "%s.__init__() was not called",
                     _PyType_Name(Py_TYPE(self)));
    }
    return self->open;
}

/* ---- compressor ---- */

/* What a compressor is made with. */
struct settings {
    int format, check;
    uint32_t preset;
    PyObject *filters; /* None: by the preset */
};

static lzma_ret
begin_alone(struct kr_lzma_state *st, lzma_stream *lz,
            const struct settings *s, struct kr_filter_chain *chain)
{
    if (s->filters == Py_None) {
        lzma_options_lzma options;
        if (lzma_lzma_preset(&options, s->preset)) {
            PyErr_Format(st->error, "Invalid compression preset: %u",
                         s->preset);
            return LZMA_PROG_ERROR;
        }
        return lzma_alone_encoder(lz, &options);
    }
    if (chain->filters[0].id != KR_FILTER_LZMA1
        || chain->filters[1].id != LZMA_VLI_UNKNOWN) {
        PyErr_SetString(PyExc_ValueError,
                        "Invalid filter chain for FORMAT_ALONE - must be a "
                        "single LZMA1 filter");
        return LZMA_PROG_ERROR;
    }
    return lzma_alone_encoder(lz, chain->filters[0].options);
}

/* Begins to compress; an exception may be set besides. */
static lzma_ret
begin(struct kr_lzma_state *st, lzma_stream *lz, const struct settings *s,
      struct kr_filter_chain *chain)
{
    switch (s->format) {
    case FORMAT_XZ: {
        lzma_check check =
            s->check == -1 ? LZMA_CHECK_CRC64 : (lzma_check)s->check;
        return s->filters == Py_None
                   ? lzma_easy_encoder(lz, s->preset, check)
                   : lzma_stream_encoder(lz, chain->filters, check);
    }
    case FORMAT_ALONE:
        return begin_alone(st, lz, s, chain);
    case FORMAT_RAW:
        if (s->filters == Py_None) {
            PyErr_SetString(PyExc_ValueError,
                            "Must specify filters for FORMAT_RAW");
            return LZMA_PROG_ERROR;
        }
        return lzma_raw_encoder(lz, chain->filters);
    default:
        PyErr_Format(PyExc_ValueError, "Invalid container format: %d",
                     s->format);
        return LZMA_PROG_ERROR;
    }
}

static bool
parse_settings(PyObject *args, PyObject *kwargs, struct settings *s)
{
    static char *keywords[] = {"format", "check", "preset", "filters", NULL};
    PyObject *preset = Py_None;
    *s = (struct settings){FORMAT_XZ, -1, LZMA_PRESET_DEFAULT, Py_None};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiOO:LZMACompressor",
                                     keywords, &s->format, &s->check,
                                     &preset, &s->filters)) {
        return false;
    }
    if (preset != Py_None && s->filters != Py_None) {
        PyErr_SetString(PyExc_ValueError,
                        "Cannot specify both preset and filter chain");
        return false;
    }
    if (preset != Py_None && !kr_lzma_uint32(preset, &s->preset)) {
        return false;
    }
    if (s->format != FORMAT_XZ && s->check != -1
        && s->check != LZMA_CHECK_NONE) {
        PyErr_SetString(PyExc_ValueError,
                        "Integrity checks are only supported by FORMAT_XZ");
        return false;
    }
    return true;
}

static int
compressor_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    struct kr_lzma_state *st = state_of(Py_TYPE(op));
    struct settings s;
    struct kr_filter_chain chain;
    if (!parse_settings(args, kwargs, &s)
        || (s.filters != Py_None && !kr_lzma_chain(st, &chain, s.filters))) {
        return -1;
    }
    kr_lock_wait(S(op)->lock);
    lzma_ret code = reset(S(op)) < 0 ? LZMA_PROG_ERROR
                                     : begin(st, &S(op)->lz, &s, &chain);
    S(op)->open = code == LZMA_OK;
    PyThread_release_lock(S(op)->lock);
    if (s.filters != Py_None) {
        kr_lzma_chain_free(&chain);
    }
    return PyErr_Occurred() || is_error(st, code) ? -1 : 0;
}

static PyObject *
compressor_compress(PyObject *op, PyObject *data)
{
    struct stream *self = S(op);
    Py_buffer view;
    PyObject *res = NULL;
    if (!kr_arg_buffer("compress", "argument", data, &view)) {
        return NULL;
    }
    kr_lock_wait(self->lock);
    if (self->flushed) {
        PyErr_SetString(PyExc_ValueError, "Compressor has been flushed");
    }
    else if (is_open(self)) {
        res = run(self, view.buf, (size_t)view.len, -1, LZMA_RUN);
    }
    PyThread_release_lock(self->lock);
    PyBuffer_Release(&view);
    return res;
}

static PyObject *
compressor_flush(PyObject *op, PyObject *unused)
{
    struct stream *self = S(op);
    PyObject *res = NULL;
    kr_lock_wait(self->lock);
    if (self->flushed) {
        PyErr_SetString(PyExc_ValueError, "Repeated call to flush()");
    }
    else if (is_open(self)) {
        self->flushed = true;
        res = run(self, NULL, 0, -1, LZMA_FINISH);
    }
    PyThread_release_lock(self->lock);
    return res;
}

static PyMethodDef compressor_methods[] = {
    {"compress", compressor_compress, METH_O,
     "compress($self, data, /)\n--\n\n"
     "Take more data; give what is compressed already, or b''."},
    {"flush", compressor_flush, METH_NOARGS,
     "flush($self, /)\n--\n\nEnd the stream; give the rest of it."},
    {NULL},
};

static PyType_Slot compressor_slots[] = {
    {Py_tp_dealloc, stream_dealloc},
    {Py_tp_methods, compressor_methods},
    {Py_tp_new, stream_new},
    {Py_tp_init, compressor_init},
    {Py_tp_doc,
     (void *)"LZMACompressor(format=FORMAT_XZ, check=-1, preset=None, "
             "filters=None)\n\n"
             "An object that compresses data piece by piece.\n\n"
             "format is the container, check the integrity check (of "
             "FORMAT_XZ),\npreset the level, and filters a sequence of "
             "dicts instead of a preset."},
    {0, NULL},
};

static PyType_Spec compressor_spec = {
    .name = "_lzma.LZMACompressor",
    .basicsize = sizeof(struct stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = compressor_slots,
};

/* ---- decompressor ---- */

/* Begins to decompress; an exception may be set besides. */
static lzma_ret
begin_decoding(struct stream *self, int format, uint64_t memlimit,
               struct kr_filter_chain *chain)
{
    const uint32_t flags = LZMA_TELL_ANY_CHECK | LZMA_TELL_NO_CHECK;
    switch (format) {
    case FORMAT_AUTO:
        return lzma_auto_decoder(&self->lz, memlimit, flags);
    case FORMAT_XZ:
        return lzma_stream_decoder(&self->lz, memlimit, flags);
    case FORMAT_ALONE:
        self->check = LZMA_CHECK_NONE;
        return lzma_alone_decoder(&self->lz, memlimit);
    case FORMAT_RAW:
        self->check = LZMA_CHECK_NONE;
        return lzma_raw_decoder(&self->lz, chain->filters);
    default:
        PyErr_Format(PyExc_ValueError, "Invalid container format: %d",
                     format);
        return LZMA_PROG_ERROR;
    }
}

/* Whether the three fit together; sets the limit. */
static bool
check_decoding(int format, PyObject *limit, PyObject *filters,
               uint64_t *memlimit)
{
    const char *text = NULL;
    *memlimit = UINT64_MAX;
    if (limit != Py_None) {
        if (format == FORMAT_RAW) {
            text = "Cannot specify memory limit with FORMAT_RAW";
        }
        else {
            *memlimit = PyLong_AsUnsignedLongLong(limit);
            if (PyErr_Occurred()) {
                return false;
            }
        }
    }
    if (text == NULL && format == FORMAT_RAW && filters == Py_None) {
        text = "Must specify filters for FORMAT_RAW";
    }
    if (text == NULL && format != FORMAT_RAW && filters != Py_None) {
        text = "Cannot specify filters except with FORMAT_RAW";
    }
    if (text != NULL) {
        PyErr_SetString(PyExc_ValueError, text);
    }
    return text == NULL;
}

static int
decompressor_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("LZMADecompressor", "format", "memlimit", "filters");
    struct kr_lzma_state *st = state_of(Py_TYPE(op));
    struct kr_filter_chain chain;
    PyObject *a[3];
    int format = FORMAT_AUTO;
    uint64_t memlimit;
    if (!kr_unpack_tuple(args, kwargs, &parser, 0, 3, 3, a)
        || (a[0] != NULL && !kr_arg_int(a[0], &format))) {
        return -1;
    }
    PyObject *filters = a[2] ? a[2] : Py_None;
    if (!check_decoding(format, a[1] ? a[1] : Py_None, filters, &memlimit)
        || (filters != Py_None && !kr_lzma_chain(st, &chain, filters))) {
        return -1;
    }
    kr_lock_wait(S(op)->lock);
    lzma_ret code = reset(S(op)) < 0 ? LZMA_PROG_ERROR
                                     : begin_decoding(S(op), format, memlimit,
                                                      &chain);
    S(op)->open = code == LZMA_OK;
    PyThread_release_lock(S(op)->lock);
    if (filters != Py_None) {
        kr_lzma_chain_free(&chain);
    }
    return PyErr_Occurred() || is_error(st, code) ? -1 : 0;
}

/* Keeps what was not used: as input to come, or behind the end. */
static int
keep_rest(struct stream *self)
{
    size_t left = self->lz.avail_in;
    self->needs_input = !self->eof && left == 0;
    if (left == 0) {
        return 0;
    }
    PyObject *rest = PyBytes_FromStringAndSize((const char *)self->lz.next_in,
                                               (Py_ssize_t)left);
    if (rest == NULL) {
        return -1;
    }
    Py_XSETREF(*(self->eof ? &self->unused_data : &self->pending), rest);
    return 0;
}

/* Decompresses what is pending and then `view`. */
static PyObject *
decompress(struct stream *self, Py_buffer *view, Py_ssize_t max)
{
    const char *data = view->buf;
    Py_ssize_t n = view->len;
    PyObject *input = NULL;
    if (self->pending != NULL) {
        PyObject *more = PyBytes_FromStringAndSize(data, n);
        input = self->pending;
        self->pending = NULL;
        PyBytes_ConcatAndDel(&input, more);
        if (input == NULL) {
            return NULL;
        }
        data = PyBytes_AS_STRING(input);
        n = PyBytes_GET_SIZE(input);
    }
    self->needs_input = 0;
    PyObject *res = run(self, data, (size_t)n, max, LZMA_RUN);
    if (res != NULL && keep_rest(self) < 0) {
        Py_CLEAR(res);
    }
    /* it may have more output without more input */
    if (res != NULL && max >= 0 && PyBytes_GET_SIZE(res) == max
        && self->lz.avail_out == 0) {
        self->needs_input = 0;
    }
    Py_XDECREF(input);
    return res;
}

static PyObject *
decompressor_decompress(PyObject *op, KR_FASTCALL_ARGS)
{
    KR_PARSER("decompress", "data", "max_length");
    struct stream *self = S(op);
    PyObject *a[2], *res = NULL;
    Py_ssize_t max = -1;
    Py_buffer view;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a)
        || !kr_arg_buffer("decompress", "argument 'data'", a[0], &view)) {
        return NULL;
    }
    if (a[1] != NULL && !kr_arg_ssize(a[1], &max)) {
        PyBuffer_Release(&view);
        return NULL;
    }
    kr_lock_wait(self->lock);
    if (self->eof) {
        PyErr_SetString(PyExc_EOFError, "Already at end of stream");
    }
    else if (is_open(self)) {
        res = decompress(self, &view, max < 0 ? -1 : max);
    }
    PyThread_release_lock(self->lock);
    PyBuffer_Release(&view);
    return res;
}

static PyMethodDef decompressor_methods[] = {
    {"decompress", KR_CAST(decompressor_decompress), KR_FAST,
     "decompress($self, /, data, max_length=-1)\n--\n\n"
     "Give decompressed bytes, at most max_length unless it is negative."},
    {NULL},
};

static PyMemberDef decompressor_members[] = {
    {"check", T_INT, offsetof(struct stream, check), READONLY,
     "The integrity check of the stream."},
    {"eof", T_BOOL, offsetof(struct stream, eof), READONLY,
     "Whether the end of the stream has been reached."},
    {"needs_input", T_BOOL, offsetof(struct stream, needs_input), READONLY,
     "Whether more output needs more input."},
    {"unused_data", T_OBJECT_EX, offsetof(struct stream, unused_data),
     READONLY, "What came behind the end of the stream."},
    {NULL},
};

static PyType_Slot decompressor_slots[] = {
    {Py_tp_dealloc, stream_dealloc},
    {Py_tp_methods, decompressor_methods},
    {Py_tp_members, decompressor_members},
    {Py_tp_new, stream_new},
    {Py_tp_init, decompressor_init},
    {Py_tp_doc,
     (void *)"LZMADecompressor(format=FORMAT_AUTO, memlimit=None, "
             "filters=None)\n--\n\n"
             "An object that decompresses data piece by piece.\n\n"
             "filters describe the stream of FORMAT_RAW, and only that."},
    {0, NULL},
};

static PyType_Spec decompressor_spec = {
    .name = "_lzma.LZMADecompressor",
    .basicsize = sizeof(struct stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = decompressor_slots,
};

/* ---- functions ---- */

static PyObject *
is_check_supported(PyObject *module, PyObject *arg)
{
    int check;
    return kr_arg_int(arg, &check)
               ? PyBool_FromLong(lzma_check_is_supported((lzma_check)check))
               : NULL;
}

static PyObject *
encode_filter_properties(PyObject *module, PyObject *spec)
{
    struct kr_lzma_state *st = PyModule_GetState(module);
    lzma_filter filter;
    uint32_t size;
    if (!kr_lzma_filter(st, &filter, spec)) {
        return NULL;
    }
    PyObject *res = NULL;
    if (!is_error(st, lzma_properties_size(&size, &filter))) {
        res = PyBytes_FromStringAndSize(NULL, size);
    }
    if (res != NULL
        && is_error(st, lzma_properties_encode(
                            &filter, (uint8_t *)PyBytes_AS_STRING(res)))) {
        Py_CLEAR(res);
    }
    PyMem_Free(filter.options);
    return res;
}

static PyObject *
decode_filter_properties(PyObject *module, PyObject *const *args,
                         Py_ssize_t nargs)
{
    struct kr_lzma_state *st = PyModule_GetState(module);
    lzma_filter filter = {0};
    Py_buffer view;
    if (!_PyArg_CheckPositional("_decode_filter_properties", nargs, 2, 2)
        || !kr_lzma_vli(args[0], &filter.id)
        || !kr_arg_buffer("_decode_filter_properties", "argument 2", args[1],
                          &view)) {
        return NULL;
    }
    lzma_ret code = lzma_properties_decode(&filter, &allocator, view.buf,
                                           (size_t)view.len);
    PyBuffer_Release(&view);
    if (is_error(st, code)) {
        return NULL;
    }
    PyObject *spec = kr_lzma_filter_spec(&filter);
    PyMem_RawFree(filter.options);
    return spec;
}

static PyMethodDef functions[] = {
    {"is_check_supported", is_check_supported, METH_O,
     "is_check_supported($module, check_id, /)\n--\n\n"
     "Whether this liblzma has that integrity check."},
    {"_encode_filter_properties", encode_filter_properties, METH_O,
     "_encode_filter_properties($module, filter, /)\n--\n\n"
     "The options of a filter, a dict, as bytes; without its id."},
    {"_decode_filter_properties", KR_CAST(decode_filter_properties),
     METH_FASTCALL,
     "_decode_filter_properties($module, filter_id, encoded_props, /)\n"
     "--\n\nThe dict that describes a filter with these options."},
    {NULL},
};

/* ---- the module ---- */

static int
add_constants(PyObject *m)
{
    static const struct {
        const char *name;
        long long value;
    } constants[] = {
        {"FORMAT_AUTO", FORMAT_AUTO},
        {"FORMAT_XZ", FORMAT_XZ},
        {"FORMAT_ALONE", FORMAT_ALONE},
        {"FORMAT_RAW", FORMAT_RAW},
        {"CHECK_NONE", LZMA_CHECK_NONE},
        {"CHECK_CRC32", LZMA_CHECK_CRC32},
        {"CHECK_CRC64", LZMA_CHECK_CRC64},
        {"CHECK_SHA256", LZMA_CHECK_SHA256},
        {"CHECK_ID_MAX", LZMA_CHECK_ID_MAX},
        {"CHECK_UNKNOWN", CHECK_UNKNOWN},
        {"FILTER_LZMA1", (long long)KR_FILTER_LZMA1},
        {"FILTER_LZMA2", LZMA_FILTER_LZMA2},
        {"FILTER_DELTA", LZMA_FILTER_DELTA},
        {"FILTER_X86", LZMA_FILTER_X86},
        {"FILTER_IA64", LZMA_FILTER_IA64},
        {"FILTER_ARM", LZMA_FILTER_ARM},
        {"FILTER_ARMTHUMB", LZMA_FILTER_ARMTHUMB},
        {"FILTER_SPARC", LZMA_FILTER_SPARC},
        {"FILTER_POWERPC", LZMA_FILTER_POWERPC},
        {"MF_HC3", LZMA_MF_HC3},
        {"MF_HC4", LZMA_MF_HC4},
        {"MF_BT2", LZMA_MF_BT2},
        {"MF_BT3", LZMA_MF_BT3},
        {"MF_BT4", LZMA_MF_BT4},
        {"MODE_FAST", LZMA_MODE_FAST},
        {"MODE_NORMAL", LZMA_MODE_NORMAL},
        {"PRESET_DEFAULT", LZMA_PRESET_DEFAULT},
        {"PRESET_EXTREME", LZMA_PRESET_EXTREME},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        PyObject *v = PyLong_FromLongLong(constants[i].value);
        int err =
            v == NULL ? -1 : PyModule_AddObjectRef(m, constants[i].name, v);
        Py_XDECREF(v);
        if (err < 0) {
            return -1;
        }
    }
    return 0;
}

static int
module_exec(PyObject *m)
{
    struct kr_lzma_state *st = PyModule_GetState(m);
    st->error = PyErr_NewExceptionWithDoc(
        "_lzma.LZMAError", "Call to liblzma failed.", NULL, NULL);
    if (st->error == NULL || add_constants(m) < 0
        || PyModule_AddType(m, (PyTypeObject *)st->error) < 0
        || kr_add_type(m, &compressor_spec, NULL, &st->compressor) < 0) {
        return -1;
    }
    return kr_add_type(m, &decompressor_spec, NULL, &st->decompressor);
}

static int
module_traverse(PyObject *m, visitproc visit, void *arg)
{
    struct kr_lzma_state *st = PyModule_GetState(m);
    Py_VISIT(st->compressor);
    Py_VISIT(st->decompressor);
    Py_VISIT(st->error);
    return 0;
}

static int
module_clear(PyObject *m)
{
    struct kr_lzma_state *st = PyModule_GetState(m);
    Py_CLEAR(st->compressor);
    Py_CLEAR(st->decompressor);
    Py_CLEAR(st->error);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_lzma",
    .m_size = sizeof(struct kr_lzma_state),
    .m_methods = functions,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = kr_module_free,
};

PyMODINIT_FUNC
PyInit__lzma(void)
{
    return PyModuleDef_Init(&module_def);
}
