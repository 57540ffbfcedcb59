/* The module _blake2: blake2b and blake2s with all parameters of the tree mode,
 * which libcrypto does not offer. */
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "modules/addtype.h"
#include "modules/modfree.h"

/* The order of message words in each round. */
static const uint8_t schedule[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static const uint64_t iv64[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
    0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
    0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const uint32_t iv32[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

#define WORD uint64_t
#define NAME(x) b_##x
#define ROUNDS 12
#define BLOCK 128
#define IV iv64
#define R1 32
#define R2 24
#define R3 16
#define R4 63
#include "modules/_blake2/impl.h"
#undef WORD
#undef NAME
#undef ROUNDS
#undef BLOCK
#undef IV
#undef R1
#undef R2
#undef R3
#undef R4

#define WORD uint32_t
#define NAME(x) s_##x
#define ROUNDS 10
#define BLOCK 64
#define IV iv32
#define R1 16
#define R2 12
#define R3 8
#define R4 7
#include "modules/_blake2/impl.h"
#include "objects/bytes/internal.h"

struct module_state {
    PyTypeObject *types[2]; /* blake2b, blake2s */
};

struct blake2 {
    PyObject_HEAD
    bool small; /* blake2s */
    bool last_node;
    int digest_size;
    union {
        struct b_state b;
        struct s_state s;
    } u;
};

static void
add(struct blake2 *self, const void *data, size_t n)
{
    if (self->small) {
        s_update(&self->u.s, data, n);
    }
    else {
        b_update(&self->u.b, data, n);
    }
}

/* Adds a bytes-like object. 0 or -1 with TypeError or BufferError. */
static int
add_object(struct blake2 *self, PyObject *data)
{
    Py_buffer view;
    if (PyUnicode_Check(data)) {
        PyErr_SetString(PyExc_TypeError,
                        "Strings must be encoded before hashing");
        return -1;
    }
    if (!PyObject_CheckBuffer(data)) {
        PyErr_SetString(PyExc_TypeError,
                        "object supporting the buffer API required");
        return -1;
    }
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    add(self, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return 0;
}

/* ---- parameters --------------------------------------------------------- */

struct params {
    int digest_size, fanout, depth, node_depth, inner_size;
    Py_buffer key, salt, person;
    unsigned long leaf_size;
    unsigned long long node_offset;
};

static bool
in_range(const char *name, long value, long min, long max)
{
    if (value < min || value > max) {
        PyErr_Format(PyExc_ValueError, "%s must be between %ld and %ld", name,
                     min, max);
        return false;
    }
    return true;
}

static bool
short_enough(const char *name, Py_buffer *view, int max)
{
    if (view->len > max) {
        PyErr_Format(PyExc_ValueError, "maximum %s length is %d bytes", name,
                     max);
        return false;
    }
    return true;
}

static bool
check(struct params *p, bool small)
{
    int out = small ? 32 : 64;
    if (p->digest_size <= 0 || p->digest_size > out) {
        PyErr_Format(PyExc_ValueError,
                     "digest_size for %s must be between 1 and %d bytes, here "
                     "it is %d",
                     small ? "Blake2s" : "Blake2b", out, p->digest_size);
        return false;
    }
    if (!short_enough("salt", &p->salt, out / 4) ||
        !short_enough("person", &p->person, out / 4) ||
        !in_range("fanout", p->fanout, 0, 255) ||
        !in_range("depth", p->depth, 1, 255)) {
        return false;
    }
    if (p->leaf_size > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "leaf_size is too large");
        return false;
    }
    if (small && p->node_offset > 0xffffffffffff) {
        PyErr_SetString(PyExc_OverflowError, "node_offset is too large");
        return false;
    }
    return in_range("node_depth", p->node_depth, 0, 255) &&
           in_range("inner_size", p->inner_size, 0, out) &&
           short_enough("key", &p->key, out);
}

static void
put_number(uint8_t *to, unsigned long long value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(value >> 8 * i);
    }
}

static void
copy_view(uint8_t *to, Py_buffer *view)
{
    if (view->len > 0) {
        memcpy(to, view->buf, (size_t)view->len);
    }
}

static void
begin(struct blake2 *self, struct params *p)
{
    uint8_t block[64] = {(uint8_t)p->digest_size, (uint8_t)p->key.len,
                         (uint8_t)p->fanout, (uint8_t)p->depth};
    put_number(block + 4, p->leaf_size, 4);
    if (self->small) {
        put_number(block + 8, p->node_offset, 6);
        block[14] = (uint8_t)p->node_depth;
        block[15] = (uint8_t)p->inner_size;
        copy_view(block + 16, &p->salt);
        copy_view(block + 24, &p->person);
        s_begin(&self->u.s, block);
    }
    else {
        put_number(block + 8, p->node_offset, 8);
        block[16] = (uint8_t)p->node_depth;
        block[17] = (uint8_t)p->inner_size;
        copy_view(block + 32, &p->salt);
        copy_view(block + 48, &p->person);
        b_begin(&self->u.b, block);
    }
    self->digest_size = p->digest_size;
    if (p->key.len > 0) { /* the key fills the first block */
        uint8_t first[128] = {0};
        copy_view(first, &p->key);
        add(self, first, self->small ? 64 : 128);
        memset(first, 0, sizeof(first));
        __asm__ volatile("" ::"r"(first) : "memory");
    }
}

/* ---- the types ---------------------------------------------------------- */

static bool
not_negative(PyObject *value)
{
    if (PyLong_Check(value) && _PyLong_Sign(value) < 0) {
        PyErr_SetString(PyExc_ValueError, "value must be positive");
        return false;
    }
    return true;
}

static PyObject *
blake2_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {
        "",       "digest_size", "key",         "salt",       "person",
        "fanout", "depth",       "leaf_size",   "node_offset", "node_depth",
        "inner_size", "last_node", "usedforsecurity", NULL};
    struct module_state *state = PyModule_GetState(PyType_GetModule(type));
    bool small = state->types[1] == type;
    struct params p = {.digest_size = small ? 32 : 64, .fanout = 1, .depth = 1};
    PyObject *data = NULL, *leaf = NULL, *offset = NULL;
    int last_node = 0, secure = 1;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs,
            small ? "|O$iy*y*y*iiOOiipp:blake2s" : "|O$iy*y*y*iiOOiipp:blake2b",
            keywords, &data, &p.digest_size, &p.key, &p.salt, &p.person,
            &p.fanout, &p.depth, &leaf, &offset, &p.node_depth, &p.inner_size,
            &last_node, &secure)) {
        return NULL;
    }
    struct blake2 *self = NULL;
    if (leaf != NULL && not_negative(leaf)) {
        p.leaf_size = PyLong_AsUnsignedLong(leaf);
    }
    if (offset != NULL && !PyErr_Occurred() && not_negative(offset)) {
        p.node_offset = PyLong_AsUnsignedLongLong(offset);
    }
    if (!PyErr_Occurred() && check(&p, small)) {
        self = (struct blake2 *)type->tp_alloc(type, 0);
    }
    if (self != NULL) {
        self->small = small;
        self->last_node = last_node;
        begin(self, &p);
        if (data != NULL && add_object(self, data) < 0) {
            Py_CLEAR(self);
        }
    }
    PyBuffer_Release(&p.key);
    PyBuffer_Release(&p.salt);
    PyBuffer_Release(&p.person);
    return (PyObject *)self;
}

static void
blake2_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    struct blake2 *self = (struct blake2 *)op;
    memset(&self->u, 0, sizeof(self->u)); /* it may hold a key */
    __asm__ volatile("" ::"r"(self) : "memory");
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *
blake2_copy(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct blake2 *self = (struct blake2 *)op;
    struct blake2 *other = (struct blake2 *)Py_TYPE(op)->tp_alloc(Py_TYPE(op), 0);
    if (other != NULL) {
        other->small = self->small;
        other->last_node = self->last_node;
        other->digest_size = self->digest_size;
        other->u = self->u;
    }
    return (PyObject *)other;
}

static PyObject *
blake2_update(PyObject *op, PyObject *data)
{
    if (add_object((struct blake2 *)op, data) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static void
finish(struct blake2 *self, uint8_t *out)
{
    if (self->small) {
        s_finish(self->u.s, self->last_node, out);
    }
    else {
        b_finish(self->u.b, self->last_node, out);
    }
}

static PyObject *
blake2_digest(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    uint8_t out[64];
    finish((struct blake2 *)op, out);
    return PyBytes_FromStringAndSize((char *)out,
                                     ((struct blake2 *)op)->digest_size);
}

static PyObject *
blake2_hexdigest(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    uint8_t out[64];
    finish((struct blake2 *)op, out);
    return _Py_strhex((char *)out, ((struct blake2 *)op)->digest_size);
}

static PyObject *
get_name(PyObject *op, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(((struct blake2 *)op)->small ? "blake2s"
                                                             : "blake2b");
}

static PyObject *
get_block_size(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(((struct blake2 *)op)->small ? 64 : 128);
}

static PyObject *
get_digest_size(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(((struct blake2 *)op)->digest_size);
}

static PyMethodDef blake2_methods[] = {
    {"copy", blake2_copy, METH_NOARGS,
     PyDoc_STR("copy($self, /)\n--\n\nReturn a copy of the hash object.")},
    {"digest", blake2_digest, METH_NOARGS,
     PyDoc_STR("digest($self, /)\n--\n\n"
               "Return the digest value as a bytes object.")},
    {"hexdigest", blake2_hexdigest, METH_NOARGS,
     PyDoc_STR("hexdigest($self, /)\n--\n\n"
               "Return the digest value as a string of hexadecimal digits.")},
    {"update", blake2_update, METH_O,
     PyDoc_STR("update($self, data, /)\n--\n\n"
               "Update this hash object's state with the provided bytes-like "
               "object.")},
    {NULL},
};

static PyGetSetDef blake2_getset[] = {
    {"name", get_name},
    {"block_size", get_block_size},
    {"digest_size", get_digest_size},
    {NULL},
};

#define BLAKE2_DOC(name)                                                       \
    name "(data=b'', /, *, digest_size=_blake2." name ".MAX_DIGEST_SIZE,\n"    \
         "        key=b'', salt=b'', person=b'', fanout=1, depth=1, "          \
         "leaf_size=0,\n        node_offset=0, node_depth=0, inner_size=0, "   \
         "last_node=False,\n        usedforsecurity=True)\n--\n\n"             \
         "Return a new BLAKE2 hash object."

static int
add_type(PyObject *module, const char *name, const char *doc,
         PyTypeObject **slot, bool small)
{
    PyType_Slot slots[] = {
        {Py_tp_dealloc, blake2_dealloc}, {Py_tp_doc, (void *)doc},
        {Py_tp_methods, blake2_methods}, {Py_tp_getset, blake2_getset},
        {Py_tp_new, blake2_new},         {0, NULL},
    };
    PyType_Spec spec = {
        .name = name,
        .basicsize = sizeof(struct blake2),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    if (kr_add_type(module, &spec, NULL, slot) < 0) {
        return -1;
    }
    const struct {
        const char *name, *global;
        int value;
    } constants[] = {
        {"SALT_SIZE", small ? "BLAKE2S_SALT_SIZE" : "BLAKE2B_SALT_SIZE",
         small ? 8 : 16},
        {"PERSON_SIZE", small ? "BLAKE2S_PERSON_SIZE" : "BLAKE2B_PERSON_SIZE",
         small ? 8 : 16},
        {"MAX_KEY_SIZE",
         small ? "BLAKE2S_MAX_KEY_SIZE" : "BLAKE2B_MAX_KEY_SIZE",
         small ? 32 : 64},
        {"MAX_DIGEST_SIZE",
         small ? "BLAKE2S_MAX_DIGEST_SIZE" : "BLAKE2B_MAX_DIGEST_SIZE",
         small ? 32 : 64},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        PyObject *value = PyLong_FromLong(constants[i].value);
        int res = value == NULL
                      ? -1
                      : PyDict_SetItemString((*slot)->tp_dict,
                                             constants[i].name, value);
        Py_XDECREF(value);
        if (res < 0 || PyModule_AddIntConstant(module, constants[i].global,
                                               constants[i].value) < 0) {
            return -1;
        }
    }
    PyType_Modified(*slot);
    return 0;
}

static int
module_exec(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);
    return add_type(module, "_blake2.blake2b", BLAKE2_DOC("blake2b"),
                    &state->types[0], false) < 0
               ? -1
               : add_type(module, "_blake2.blake2s", BLAKE2_DOC("blake2s"),
                          &state->types[1], true);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct module_state *state = PyModule_GetState(module);
    Py_VISIT(state->types[0]);
    Py_VISIT(state->types[1]);
    return 0;
}

static int
module_clear(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);
    Py_CLEAR(state->types[0]);
    Py_CLEAR(state->types[1]);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_blake2",
    .m_doc = PyDoc_STR("_blake2b provides BLAKE2b for hashlib\n"),
    .m_size = sizeof(struct module_state),
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = kr_module_free,
};

PyMODINIT_FUNC
PyInit__blake2(void)
{
    return PyModuleDef_Init(&module_def);
}
