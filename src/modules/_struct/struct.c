/* The _struct module: Struct objects and the functions that cache them. */
#include <Python.h>
#include <string.h>
#include <structmember.h>

#include "modules/_struct/codec.h"
#include "modules/addtype.h"
#include "objects/ids.h"
#include "objects/unpack.h"

struct state {
    PyObject *cache;
    PyTypeObject *struct_type;
    PyTypeObject *iter_type;
    PyObject *error;
};

/* `repeat` items of `size` bytes from `offset` on. */
struct item {
    const struct kr_codec *codec;
    Py_ssize_t offset;
    Py_ssize_t size;
    Py_ssize_t repeat;
};

typedef struct {
    PyObject_HEAD
    Py_ssize_t size;
    Py_ssize_t len; /* how many values */
    struct item *items; /* ends with codec NULL; NULL before __init__ */
    PyObject *format;   /* bytes */
    PyObject *weakreflist;
} structure;

#define S(op) ((structure *)(op))

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

static struct state *
state_of_self(PyObject *self)
{
    return state_of_type(Py_TYPE(self));
}

/* ---- formats */

struct scanner {
    const char *p;
    char order;
    Py_ssize_t size, len;
    Py_ssize_t nitems;
};

/* The next item, or codec NULL at the end; -1 with an exception. */
static int
scan_item(struct scanner *s, struct item *item, PyObject *error)
{
    while (Py_ISSPACE(*s->p)) {
        s->p++;
    }
    item->codec = NULL;
    if (*s->p == '\0') {
        return 0;
    }
    Py_ssize_t num = 1;
    if (*s->p >= '0' && *s->p <= '9') {
        for (num = 0; *s->p >= '0' && *s->p <= '9'; s->p++) {
            int digit = *s->p - '0';
            if (num > (PY_SSIZE_T_MAX - digit) / 10) {
                goto overflow;
            }
            num = num * 10 + digit;
        }
        if (*s->p == '\0') {
            PyErr_SetString(error,
                            "repeat count given without format specifier");
            return -1;
        }
    }
    const struct kr_codec *codec = kr_codec_find(s->order, *s->p);
    if (codec == NULL) {
        PyErr_SetString(error, "bad char in struct format");
        return -1;
    }
    s->p++;
    if (codec->alignment > 1 && s->size > 0) {
        Py_ssize_t mask = codec->alignment - 1;
        if (s->size > PY_SSIZE_T_MAX - mask) {
            goto overflow;
        }
        s->size = (s->size + mask) & ~mask;
    }
    if (num > (PY_SSIZE_T_MAX - s->size) / codec->size) {
        goto overflow;
    }
    item->codec = codec;
    item->offset = s->size;
    item->size = codec->size;
    item->repeat = num;
    s->size += num * codec->size;
    switch (codec->format) {
    case 'x':
        item->repeat = 0;
        break;
    case 's':
    case 'p':
        item->size = num;
        item->repeat = 1;
        s->len++;
        break;
    default:
        s->len += num;
    }
    return 0;
overflow:
    PyErr_SetString(error, "total struct size too long");
    return -1;
}

static void
scanner_init(struct scanner *s, const char *format)
{
    *s = (struct scanner){.p = format, .order = '@'};
    switch (*format) {
    case '<':
    case '>':
    case '@':
        s->order = *s->p++;
        break;
    case '!':
        s->order = '>';
        s->p++;
        break;
    case '=':
        s->order = '<';
        s->p++;
        break;
    }
}

static int
prepare(structure *self, PyObject *error)
{
    const char *format = PyBytes_AS_STRING(self->format);
    if (strlen(format) != (size_t)PyBytes_GET_SIZE(self->format)) {
        PyErr_SetString(error, "embedded null character");
        return -1;
    }
    struct scanner s;
    struct item item, *items;
    Py_ssize_t n = 0;
    scanner_init(&s, format);
    do {
        if (scan_item(&s, &item, error) < 0) {
            return -1;
        }
        n += item.codec != NULL && item.repeat > 0;
    } while (item.codec != NULL);
    items = PyMem_New(struct item, n + 1);
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->size = s.size;
    self->len = s.len;
    scanner_init(&s, format);
    for (struct item *to = items;;) {
        (void)scan_item(&s, to, error);
        if (to->codec == NULL) {
            break;
        }
        to += to->repeat > 0;
    }
    PyMem_Free(self->items);
    self->items = items;
    return 0;
}

/* ---- Struct objects */

static PyObject *
struct_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    structure *self = S(type->tp_alloc(type, 0));
    if (self != NULL) {
        self->format = Py_NewRef(Py_None);
        self->items = NULL;
        self->size = -1;
        self->len = -1;
    }
    return (PyObject *)self;
}

static int
set_format(structure *self, PyObject *format, PyObject *error)
{
    if (PyUnicode_Check(format)) {
        format = PyUnicode_AsASCIIString(format);
        if (format == NULL) {
            return -1;
        }
    }
    else {
        Py_INCREF(format);
    }
    if (!PyBytes_Check(format)) {
        PyErr_Format(PyExc_TypeError,
                     "Struct() argument 1 must be a str or bytes object, not "
                     "%.200s",
                     _PyType_Name(Py_TYPE(format)));
        Py_DECREF(format);
        return -1;
    }
    Py_SETREF(self->format, format);
    return prepare(self, error);
}

static int
struct_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"format", NULL};
    PyObject *format;
    struct state *state = state_of_self(self);
    if (state == NULL
        || !PyArg_ParseTupleAndKeywords(args, kwds, "O:Struct", keywords,
                                        &format)) {
        return -1;
    }
    return set_format(S(self), format, state->error);
}

static int
struct_clear(PyObject *self)
{
    Py_CLEAR(S(self)->format);
    return 0;
}

static int
struct_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(S(self)->format);
    return 0;
}

static void
struct_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (S(self)->weakreflist != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    PyMem_Free(S(self)->items);
    Py_XDECREF(S(self)->format);
    type->tp_free(self);
    Py_DECREF(type);
}

static bool
ready(structure *self)
{
    if (self->items == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Struct object is not initialized");
        return false;
    }
    return true;
}

static PyObject *
unpack_at(structure *so, const unsigned char *start)
{
    PyObject *result = PyTuple_New(so->len);
    if (result == NULL) {
        return NULL;
    }
    Py_ssize_t i = 0;
    for (const struct item *item = so->items; item->codec != NULL; item++) {
        const unsigned char *p = start + item->offset;
        for (Py_ssize_t k = 0; k < item->repeat; k++, p += item->size) {
            PyObject *v;
            char format = item->codec->format;
            if (format == 's') {
                v = PyBytes_FromStringAndSize((const char *)p, item->size);
            }
            else if (format == 'p') {
                /* the first byte is the length */
                Py_ssize_t n = item->size > 0 ? *p : 0;
                n = n >= item->size ? item->size - 1 : n;
                n = n < 0 ? 0 : n;
                v = PyBytes_FromStringAndSize((const char *)p + 1, n);
            }
            else {
                v = item->codec->unpack(item->codec, p);
            }
            if (v == NULL) {
                Py_DECREF(result);
                return NULL;
            }
            PyTuple_SET_ITEM(result, i++, v);
        }
    }
    return result;
}

static PyObject *
unpack_buffer(struct state *state, structure *so, PyObject *input)
{
    Py_buffer data;
    if (!ready(so) || PyObject_GetBuffer(input, &data, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (data.len != so->size) {
        PyErr_Format(state->error, "unpack requires a buffer of %zd bytes",
                     so->size);
    }
    else {
        result = unpack_at(so, data.buf);
    }
    PyBuffer_Release(&data);
    return result;
}

static PyObject *
struct_unpack(PyObject *self, PyObject *input)
{
    struct state *state = state_of_self(self);
    return state == NULL ? NULL : unpack_buffer(state, S(self), input);
}

/* Whether a buffer of that length holds a struct at the offset, which is made
 * positive; else an exception is set. */
static bool
has_room(struct state *state, structure *so, Py_ssize_t len,
         Py_ssize_t *offset, bool packing)
{
    if (*offset < 0) {
        if (*offset + so->size > 0) {
            PyErr_Format(state->error, "%s %zd bytes at offset %zd",
                         packing ? "no space to pack"
                                 : "not enough data to unpack",
                         so->size, *offset);
            return false;
        }
        if (*offset + len < 0) {
            PyErr_Format(state->error,
                         "offset %zd out of range for %zd-byte buffer",
                         *offset, len);
            return false;
        }
        *offset += len;
    }
    if (len - *offset < so->size) {
        PyErr_Format(state->error,
                     "%s requires a buffer of at least %zu bytes for %s %zd "
                     "bytes at offset %zd (actual buffer size is %zd)",
                     packing ? "pack_into" : "unpack_from",
                     (size_t)so->size + (size_t)*offset,
                     packing ? "packing" : "unpacking", so->size, *offset, len);
        return false;
    }
    return true;
}

/* offset as an index, 0 if not given. */
static int
parse_offset(PyObject *arg, Py_ssize_t *offset)
{
    *offset = 0;
    if (arg == NULL) {
        return 0;
    }
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        return -1;
    }
    *offset = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    return *offset == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *
unpack_offset(struct state *state, structure *so, PyObject *input,
              PyObject *start)
{
    Py_buffer data;
    Py_ssize_t offset;
    if (PyObject_GetBuffer(input, &data, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (parse_offset(start, &offset) == 0 && ready(so) &&
        has_room(state, so, data.len, &offset, false)) {
        result = unpack_at(so, (const unsigned char *)data.buf + offset);
    }
    PyBuffer_Release(&data);
    return result;
}

static PyObject *
struct_unpack_from(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                   PyObject *kwnames)
{
    static const char *const keywords[] = {"buffer", "offset", NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .fname = "unpack_from"};
    PyObject *buf[2];
    args = kr_unpack_keywords(args, nargs, NULL, kwnames, &parser, 1, 2, buf,
                              2);
    struct state *state = args == NULL ? NULL : state_of_self(self);
    return state == NULL
               ? NULL
               : unpack_offset(state, S(self), args[0], args[1]);
}

/* ---- iter_unpack */

typedef struct {
    PyObject_HEAD
    PyObject *so;
    Py_buffer buf;
    Py_ssize_t index;
} unpack_iterator;

#define IT(op) ((unpack_iterator *)(op))

static void
iter_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(IT(self)->so);
    PyBuffer_Release(&IT(self)->buf);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(IT(self)->so);
    Py_VISIT(IT(self)->buf.obj);
    return 0;
}

static PyObject *
iter_len(PyObject *self, PyObject *ignored)
{
    unpack_iterator *it = IT(self);
    return PyLong_FromSsize_t(
        it->so == NULL ? 0 : (it->buf.len - it->index) / S(it->so)->size);
}

static PyObject *
iter_next(PyObject *self)
{
    unpack_iterator *it = IT(self);
    if (it->so == NULL) {
        return NULL;
    }
    if (it->index >= it->buf.len) {
        Py_CLEAR(it->so);
        PyBuffer_Release(&it->buf);
        return NULL;
    }
    PyObject *result = unpack_at(
        S(it->so), (const unsigned char *)it->buf.buf + it->index);
    it->index += S(it->so)->size;
    return result;
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_len, METH_NOARGS, NULL},
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
    "_struct.unpack_iterator",
    sizeof(unpack_iterator),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
        | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    iter_slots,
};

static PyObject *
make_iter(struct state *state, structure *self, PyObject *buffer)
{
    if (!ready(self)) {
        return NULL;
    }
    if (self->size == 0) {
        PyErr_Format(state->error,
                     "cannot iteratively unpack with a struct of length 0");
        return NULL;
    }
    unpack_iterator *it = IT(state->iter_type->tp_alloc(state->iter_type, 0));
    if (it == NULL) {
        return NULL;
    }
    if (PyObject_GetBuffer(buffer, &it->buf, PyBUF_SIMPLE) < 0) {
        Py_DECREF(it);
        return NULL;
    }
    if (it->buf.len % self->size != 0) {
        PyErr_Format(state->error,
                     "iterative unpacking requires a buffer of a multiple of "
                     "%zd bytes",
                     self->size);
        Py_DECREF(it);
        return NULL;
    }
    it->so = Py_NewRef((PyObject *)self);
    it->index = 0;
    return (PyObject *)it;
}

static PyObject *
struct_iter_unpack(PyObject *self, PyObject *buffer)
{
    struct state *state = state_of_self(self);
    return state == NULL ? NULL : make_iter(state, S(self), buffer);
}

/* ---- packing */

static int
pack_bytes(const struct item *item, unsigned char *p, PyObject *v,
           PyObject *error)
{
    bool pascal = item->codec->format == 'p';
    const char *src;
    Py_ssize_t n;
    if (PyBytes_Check(v)) {
        src = PyBytes_AS_STRING(v);
        n = PyBytes_GET_SIZE(v);
    }
    else if (PyByteArray_Check(v)) {
        src = PyByteArray_AS_STRING(v);
        n = PyByteArray_GET_SIZE(v);
    }
    else {
        PyErr_Format(error, "argument for '%c' must be a bytes object",
                     item->codec->format);
        return -1;
    }
    if (!pascal) {
        n = n > item->size ? item->size : n;
        memcpy(p, src, (size_t)n);
        return 0;
    }
    n = n > item->size - 1 ? item->size - 1 : n;
    if (n > 0) {
        memcpy(p + 1, src, (size_t)n);
    }
    if (item->size > 0) {
        *p = (unsigned char)(n > 255 ? 255 : n);
    }
    return 0;
}

static int
pack_at(structure *so, PyObject *const *args, unsigned char *start,
        PyObject *error)
{
    memset(start, 0, (size_t)so->size);
    for (const struct item *item = so->items; item->codec != NULL; item++) {
        unsigned char *p = start + item->offset;
        char format = item->codec->format;
        for (Py_ssize_t k = 0; k < item->repeat; k++, p += item->size) {
            PyObject *v = *args++;
            int err = format == 's' || format == 'p'
                          ? pack_bytes(item, p, v, error)
                          : item->codec->pack(item->codec, p, v, error);
            if (err < 0) {
                if (PyLong_Check(v)
                    && PyErr_ExceptionMatches(PyExc_OverflowError)) {
                    PyErr_Format(error, "int too large to convert");
                }
                return -1;
            }
        }
    }
    return 0;
}

static PyObject *
pack_new(struct state *state, structure *so, PyObject *const *args,
         Py_ssize_t nargs)
{
    if (!ready(so)) {
        return NULL;
    }
    if (nargs != so->len) {
        PyErr_Format(state->error,
                     "pack expected %zd items for packing (got %zd)", so->len,
                     nargs);
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, so->size);
    if (bytes == NULL) {
        return NULL;
    }
    if (pack_at(so, args, (unsigned char *)PyBytes_AS_STRING(bytes),
                state->error) < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    return bytes;
}

static PyObject *
struct_pack(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    struct state *state = state_of_self(self);
    return state == NULL ? NULL : pack_new(state, S(self), args, nargs);
}

static PyObject *
pack_into(struct state *state, structure *so, PyObject *const *args,
          Py_ssize_t nargs)
{
    if (!ready(so)) {
        return NULL;
    }
    if (nargs != so->len + 2) {
        if (nargs == 0) {
            PyErr_Format(state->error,
                         "pack_into expected buffer argument");
        }
        else if (nargs == 1) {
            PyErr_Format(state->error,
                         "pack_into expected offset argument");
        }
        else {
            PyErr_Format(state->error,
                         "pack_into expected %zd items for packing (got %zd)",
                         so->len, nargs - 2);
        }
        return NULL;
    }
    Py_buffer data;
    if (!PyArg_Parse(args[0], "w*", &data)) {
        return NULL;
    }
    PyObject *result = NULL;
    Py_ssize_t offset = PyNumber_AsSsize_t(args[1], PyExc_IndexError);
    if ((offset != -1 || !PyErr_Occurred()) &&
        has_room(state, so, data.len, &offset, true) &&
        pack_at(so, args + 2, (unsigned char *)data.buf + offset,
                state->error) == 0) {
        result = Py_NewRef(Py_None);
    }
    PyBuffer_Release(&data);
    return result;
}

static PyObject *
struct_pack_into(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    struct state *state = state_of_self(self);
    return state == NULL ? NULL : pack_into(state, S(self), args, nargs);
}

/* ---- the rest of Struct */

static PyObject *
get_format(PyObject *self, void *ignored)
{
    if (!ready(S(self))) {
        return NULL;
    }
    return PyUnicode_FromStringAndSize(PyBytes_AS_STRING(S(self)->format),
                                       PyBytes_GET_SIZE(S(self)->format));
}

static PyObject *
get_size(PyObject *self, void *ignored)
{
    return PyLong_FromSsize_t(S(self)->size);
}

static PyObject *
struct_sizeof(PyObject *self, PyObject *ignored)
{
    Py_ssize_t size = _PyObject_SIZE(Py_TYPE(self)), n = 1;
    for (const struct item *i = S(self)->items; i != NULL && i->codec; i++) {
        n++;
    }
    return PyLong_FromSsize_t(size + n * (Py_ssize_t)sizeof(struct item));
}

static PyMethodDef struct_methods[] = {
    {"iter_unpack", struct_iter_unpack, METH_O,
     "iter_unpack($self, buffer, /)\n--\n\n"
     "Return an iterator yielding tuples, unpacked from pieces of the buffer\n"
     "of the size of the Struct."},
    {"pack", (PyCFunction)(void *)struct_pack, METH_FASTCALL,
     "S.pack(v1, v2, ...) -> bytes\n\n"
     "Return a bytes object with the values packed by the format."},
    {"pack_into", (PyCFunction)(void *)struct_pack_into, METH_FASTCALL,
     "S.pack_into(buffer, offset, v1, v2, ...)\n\n"
     "Pack the values by the format into a writable buffer, from offset on."},
    {"unpack", struct_unpack, METH_O,
     "unpack($self, buffer, /)\n--\n\n"
     "Return a tuple of unpacked values.\n\n"
     "The buffer must have exactly the size of the Struct."},
    {"unpack_from", (PyCFunction)(void *)struct_unpack_from,
     METH_FASTCALL | METH_KEYWORDS,
     "unpack_from($self, /, buffer, offset=0)\n--\n\n"
     "Return a tuple of values unpacked from offset on."},
    {"__sizeof__", struct_sizeof, METH_NOARGS,
     "S.__sizeof__() -> size of S in memory, in bytes"},
    {NULL},
};

static PyMemberDef struct_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(structure, weakreflist),
     READONLY},
    {NULL},
};

static PyGetSetDef struct_getset[] = {
    {"format", get_format, NULL, "struct format string", NULL},
    {"size", get_size, NULL, "struct size in bytes", NULL},
    {NULL},
};

static PyType_Slot struct_slots[] = {
    {Py_tp_dealloc, struct_dealloc},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_setattro, PyObject_GenericSetAttr},
    {Py_tp_doc, "Struct(format)\n--\n\n"
                "Create a compiled struct object.\n\n"
                "It reads and writes binary data as the format says."},
    {Py_tp_traverse, struct_traverse},
    {Py_tp_clear, struct_clear},
    {Py_tp_methods, struct_methods},
    {Py_tp_members, struct_members},
    {Py_tp_getset, struct_getset},
    {Py_tp_init, struct_init},
    {Py_tp_alloc, PyType_GenericAlloc},
    {Py_tp_new, struct_new},
    {Py_tp_free, PyObject_GC_Del},
    {0},
};

static PyType_Spec struct_spec = {
    "_struct.Struct",
    sizeof(structure),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
        | Py_TPFLAGS_IMMUTABLETYPE,
    struct_slots,
};

/* ---- functions, by way of a cache of Structs */

#define CACHE_SIZE 100

/* New reference to the Struct of a format. */
static structure *
cached(struct state *state, PyObject *format)
{
    PyObject *found = NULL;
    if (format != NULL) {
        found = PyDict_GetItemWithError(state->cache, format);
        if (found != NULL) {
            return S(Py_NewRef(found));
        }
        if (PyErr_Occurred()) {
            return NULL;
        }
    }
    found = PyObject_CallOneArg((PyObject *)state->struct_type, format);
    if (found == NULL) {
        return NULL;
    }
    if (PyDict_GET_SIZE(state->cache) >= CACHE_SIZE) {
        PyDict_Clear(state->cache);
    }
    if (PyDict_SetItem(state->cache, format, found) < 0) {
        PyErr_Clear();
    }
    return S(found);
}

static PyObject *
clearcache(PyObject *module, PyObject *ignored)
{
    PyDict_Clear(state_of(module)->cache);
    Py_RETURN_NONE;
}

static PyObject *
calcsize(PyObject *module, PyObject *format)
{
    structure *so = cached(state_of(module), format);
    if (so == NULL) {
        return NULL;
    }
    PyObject *size = PyLong_FromSsize_t(so->size);
    Py_DECREF(so);
    return size;
}

/* As cached, of the first argument. */
static structure *
first_cached(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0) {
        PyErr_SetString(PyExc_TypeError, "missing format argument");
        return NULL;
    }
    return cached(state_of(module), args[0]);
}

static PyObject *
pack(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    structure *so = first_cached(module, args, nargs);
    if (so == NULL) {
        return NULL;
    }
    PyObject *result = pack_new(state_of(module), so, args + 1, nargs - 1);
    Py_DECREF(so);
    return result;
}

static PyObject *
pack_into_function(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    structure *so = first_cached(module, args, nargs);
    if (so == NULL) {
        return NULL;
    }
    PyObject *result = pack_into(state_of(module), so, args + 1, nargs - 1);
    Py_DECREF(so);
    return result;
}

static PyObject *
unpack(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("unpack", nargs, 2, 2)) {
        return NULL;
    }
    structure *so = cached(state_of(module), args[0]);
    if (so == NULL) {
        return NULL;
    }
    PyObject *result = unpack_buffer(state_of(module), so, args[1]);
    Py_DECREF(so);
    return result;
}

static PyObject *
unpack_from(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
            PyObject *kwnames)
{
    static const char *const keywords[] = {"", "buffer", "offset", NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .fname = "unpack_from"};
    PyObject *buf[3];
    args = kr_unpack_keywords(args, nargs, NULL, kwnames, &parser, 2, 3, buf,
                              3);
    structure *so =
        args == NULL ? NULL : cached(state_of(module), args[0]);
    if (so == NULL) {
        return NULL;
    }
    PyObject *result = unpack_offset(state_of(module), so, args[1], args[2]);
    Py_DECREF(so);
    return result;
}

static PyObject *
iter_unpack(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("iter_unpack", nargs, 2, 2)) {
        return NULL;
    }
    structure *so = cached(state_of(module), args[0]);
    if (so == NULL) {
        return NULL;
    }
    PyObject *result = make_iter(state_of(module), so, args[1]);
    Py_DECREF(so);
    return result;
}

static PyMethodDef functions[] = {
    {"_clearcache", clearcache, METH_NOARGS,
     "_clearcache($module, /)\n--\n\nClear the internal cache."},
    {"calcsize", calcsize, METH_O,
     "calcsize($module, format, /)\n--\n\n"
     "Return size in bytes of the struct described by the format string."},
    {"iter_unpack", (PyCFunction)(void *)iter_unpack, METH_FASTCALL,
     "iter_unpack($module, format, buffer, /)\n--\n\n"
     "Return an iterator yielding tuples unpacked from the given bytes."},
    {"pack", (PyCFunction)(void *)pack, METH_FASTCALL,
     "pack(format, v1, v2, ...) -> bytes\n\n"
     "Return a bytes object with the values packed by the format."},
    {"pack_into", (PyCFunction)(void *)pack_into_function, METH_FASTCALL,
     "pack_into(format, buffer, offset, v1, v2, ...)\n\n"
     "Pack the values by the format into a writable buffer, from offset on."},
    {"unpack", (PyCFunction)(void *)unpack, METH_FASTCALL,
     "unpack($module, format, buffer, /)\n--\n\n"
     "Return a tuple of values unpacked by the format."},
    {"unpack_from", (PyCFunction)(void *)unpack_from,
     METH_FASTCALL | METH_KEYWORDS,
     "unpack_from($module, format, /, buffer, offset=0)\n--\n\n"
     "Return a tuple of values unpacked by the format from offset on."},
    {NULL},
};

/* ---- module */

static int
exec(PyObject *module)
{
    struct state *state = state_of(module);
    state->cache = PyDict_New();
    if (state->cache == NULL) {
        return -1;
    }
    /* the members of the spec fix where the list of weak references is */
    if (kr_add_type(module, &struct_spec, NULL, &state->struct_type) < 0) {
        return -1;
    }
    state->iter_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &iter_spec, NULL);
    state->error = PyErr_NewException("struct.error", NULL, NULL);
    if (state->iter_type == NULL || state->error == NULL) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "error", state->error);
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    struct state *state = state_of(module);
    Py_VISIT(state->cache);
    Py_VISIT(state->struct_type);
    Py_VISIT(state->iter_type);
    Py_VISIT(state->error);
    return 0;
}

static int
clear(PyObject *module)
{
    struct state *state = state_of(module);
    Py_CLEAR(state->cache);
    Py_CLEAR(state->struct_type);
    Py_CLEAR(state->iter_type);
    Py_CLEAR(state->error);
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
    .m_name = "_struct",
    .m_doc =
        "Functions to convert between Python values and C structs.\n"
        "Python bytes objects are used to hold the data representing the C\n"
        "struct and also as format strings. The optional first format char\n"
        "indicates byte order, size and alignment:\n"
        "  @: native order, size & alignment (default)\n"
        "  =: native order, std. size & alignment\n"
        "  <: little-endian, std. size & alignment\n"
        "  >: big-endian, std. size & alignment\n"
        "  !: same as >",
    .m_size = sizeof(struct state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_state,
};

PyMODINIT_FUNC
PyInit__struct(void)
{
    return PyModuleDef_Init(&definition);
}
