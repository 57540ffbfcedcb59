/* The body of _md5, _sha1, _sha256, _sha512 and _sha3: types over one algorithm
 * of libcrypto each.
 *
 * The including file lists them in the macro ALGORITHMS, and defines
 * EVP_TYPES_ARE_PUBLIC (as their name in messages) if the types themselves are
 * the constructors, else CONSTRUCTOR functions; DEFINE_MODULE completes it. */
#include "modules/shared/evp_object.h"

struct algorithm {
    const char *name;     /* Python's */
    const char *openssl;  /* libcrypto's */
    const char *type;     /* qualified name of the type */
    const char *exported; /* name of the type in the module */
    int block;
    int suffix; /* of the Keccak family, else 0 */
    bool xof;
};

#define MAX_ALGORITHMS 6

struct module_state {
    PyTypeObject *types[MAX_ALGORITHMS];
    EVP_MD *md[MAX_ALGORITHMS];
};


static const struct algorithm algorithms[] = {ALGORITHMS};
static const size_t algorithm_count = Py_ARRAY_LENGTH(algorithms);

struct hash_object {
    struct evp_object base;
    const struct algorithm *algo;
};

/* A hash of algorithm `i`, begun with `data` unless that is NULL. */
static PyObject *
new_hash(struct module_state *state, size_t i, PyObject *data)
{
    Py_buffer view = {0};
    if (data != NULL && !evp_get_data(data, &view)) {
        return NULL;
    }
    PyObject *self = evp_object_new(state->types[i], state->md[i], &view);
    if (self != NULL) {
        ((struct hash_object *)self)->algo = &algorithms[i];
    }
    PyBuffer_Release(&view);
    return self;
}

static PyObject *
hash_copy(PyObject *op, PyObject *unused)
{
    PyObject *other = evp_object_copy(op, unused);
    if (other != NULL) {
        ((struct hash_object *)other)->algo = ((struct hash_object *)op)->algo;
    }
    return other;
}

static PyObject *
xof_result(PyObject *op, PyObject *arg, bool hex)
{
    unsigned long n = PyLong_AsUnsignedLong(arg);
    if (n == (unsigned long)-1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError) && PyLong_Check(arg) &&
            Py_SIZE(arg) < 0) {
            PyErr_SetString(PyExc_ValueError, "value must be positive");
        }
        return NULL;
    }
    if (n >= 1ul << 29) {
        PyErr_SetString(PyExc_ValueError, "length is too large");
        return NULL;
    }
    return evp_object_result(op, (Py_ssize_t)n, hex);
}

static PyObject *
xof_digest(PyObject *op, PyObject *arg)
{
    return xof_result(op, arg, false);
}

static PyObject *
xof_hexdigest(PyObject *op, PyObject *arg)
{
    return xof_result(op, arg, true);
}

static PyObject *
get_block_size(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(((struct hash_object *)op)->algo->block);
}

static PyObject *
get_name(PyObject *op, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(((struct hash_object *)op)->algo->name);
}

static PyObject *
get_digest_size(PyObject *op, void *Py_UNUSED(closure))
{
    struct hash_object *self = (struct hash_object *)op;
    return PyLong_FromLong(
        self->algo->xof ? 0 : EVP_MD_CTX_get_size(self->base.hash.ctx));
}

static PyObject *
get_rate(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(((struct hash_object *)op)->algo->block * 8);
}

static PyObject *
get_capacity(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(1600 - ((struct hash_object *)op)->algo->block * 8);
}

static PyObject *
get_suffix(PyObject *op, void *Py_UNUSED(closure))
{
    char c = (char)((struct hash_object *)op)->algo->suffix;
    return PyBytes_FromStringAndSize(&c, 1);
}

#ifdef EVP_TYPES_ARE_PUBLIC
#define COPY hash_copy, METH_NOARGS
#else
static PyObject *
hash_copy_call(PyObject *op, KR_FASTCALL_ARGS)
{
    if (nargs) { /* keywords are ignored, as by the reference */
        PyErr_SetString(PyExc_TypeError, "copy() takes no arguments");
        return NULL;
    }
    return hash_copy(op, NULL);
}
#define COPY KR_CAST(hash_copy_call), KR_FAST
#endif

#define COMMON_METHODS                                                         \
    {"copy", COPY,                                                             \
     PyDoc_STR("copy($self, /)\n--\n\nReturn a copy of the hash object.")},    \
    {"update", evp_object_update, METH_O,                                      \
     PyDoc_STR("update($self, obj, /)\n--\n\n"                                 \
               "Update this hash object's state with the provided string.")}

static PyMethodDef hash_methods[] = {
    COMMON_METHODS,
    {"digest", evp_object_digest, METH_NOARGS,
     PyDoc_STR("digest($self, /)\n--\n\n"
               "Return the digest value as a bytes object.")},
    {"hexdigest", evp_object_hexdigest, METH_NOARGS,
     PyDoc_STR("hexdigest($self, /)\n--\n\n"
               "Return the digest value as a string of hexadecimal digits.")},
    {NULL},
};

static PyMethodDef xof_methods[] = {
    COMMON_METHODS,
    {"digest", xof_digest, METH_O,
     PyDoc_STR("digest($self, length, /)\n--\n\n"
               "Return the digest value as a bytes object.")},
    {"hexdigest", xof_hexdigest, METH_O,
     PyDoc_STR("hexdigest($self, length, /)\n--\n\n"
               "Return the digest value as a string of hexadecimal digits.")},
    {NULL},
};

#define COMMON_GETSET                                                          \
    {"block_size", get_block_size}, {"name", get_name},                        \
    {                                                                          \
        "digest_size", get_digest_size                                         \
    }

static PyGetSetDef hash_getset[] = {COMMON_GETSET, {NULL}};
static PyGetSetDef keccak_getset[] = {
    COMMON_GETSET,
    {"_capacity_bits", get_capacity},
    {"_rate_bits", get_rate},
    {"_suffix", get_suffix},
    {NULL},
};

/* The arguments (string=b'', *, usedforsecurity=True). */
static inline bool
read_data(KR_FASTCALL_ARGS, _PyArg_Parser *parser, PyObject **data)
{
    PyObject *a[2];
    int secure;
    if (!kr_unpack(args, nargs, kwnames, parser, 0, 1, 2, a) ||
        (a[1] != NULL && !kr_arg_bool(a[1], &secure))) {
        return false;
    }
    *data = a[0];
    return true;
}

#ifdef EVP_TYPES_ARE_PUBLIC
static PyObject *
hash_new(PyTypeObject *type, PyObject *tuple, PyObject *kwargs)
{
    static const char *const keywords[] = {"", "usedforsecurity", NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .fname = EVP_TYPES_ARE_PUBLIC};
    PyObject *a[2];
    int secure;
    if (!kr_unpack_tuple(tuple, kwargs, &parser, 0, 1, 2, a) ||
        (a[1] != NULL && !kr_arg_bool(a[1], &secure))) {
        return NULL;
    }
    PyObject *module = PyType_GetModule(type);
    if (module == NULL) {
        return NULL;
    }
    struct module_state *state = PyModule_GetState(module);
    for (size_t i = 0; i < algorithm_count; i++) {
        if (state->types[i] == type) {
            return new_hash(state, i, a[0]);
        }
    }
    return evp_failed();
}
#endif

/* Makes the type of algorithm `i` and fetches its implementation. */
static int
add_algorithm(PyObject *module, struct module_state *state, size_t i)
{
    const struct algorithm *algo = &algorithms[i];
    PyType_Slot slots[] = {
        {Py_tp_dealloc, evp_object_dealloc},
        {Py_tp_methods, algo->xof ? xof_methods : hash_methods},
        {Py_tp_getset, algo->suffix ? keccak_getset : hash_getset},
#ifdef EVP_TYPES_ARE_PUBLIC
        {Py_tp_new, hash_new},
        {Py_tp_doc, (void *)PyDoc_STR(
            "hash([data], *, usedforsecurity=True) -> hash object")},
#endif
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = algo->type,
        .basicsize = sizeof(struct hash_object),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE
#ifndef EVP_TYPES_ARE_PUBLIC
                 | Py_TPFLAGS_DISALLOW_INSTANTIATION
#endif
        ,
        .slots = slots,
    };
    state->md[i] = EVP_MD_fetch(NULL, algo->openssl, NULL);
    if (state->md[i] == NULL) {
        PyErr_Format(PyExc_ImportError, "libcrypto has no %s", algo->openssl);
        return -1;
    }
    state->types[i] =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    if (state->types[i] == NULL) {
        return -1;
    }
    return PyModule_AddObjectRef(module, algo->exported,
                                 (PyObject *)state->types[i]);
}

static int
module_exec(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);
    for (size_t i = 0; i < algorithm_count; i++) {
        if (add_algorithm(module, state, i) < 0) {
            return -1;
        }
    }
#ifdef EVP_TYPES_ARE_PUBLIC
    if (PyModule_AddStringConstant(module, "implementation", "OpenSSL") < 0) {
        return -1;
    }
#endif
    return 0;
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct module_state *state = PyModule_GetState(module);
    for (size_t i = 0; i < algorithm_count; i++) {
        Py_VISIT(state->types[i]);
    }
    return 0;
}

static int
module_clear(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);
    for (size_t i = 0; i < algorithm_count; i++) {
        Py_CLEAR(state->types[i]);
        EVP_MD_free(state->md[i]);
        state->md[i] = NULL;
    }
    return 0;
}

static void
module_free(void *module)
{
    module_clear(module);
}

/* A constructor function of algorithm number `i`. */
#define CONSTRUCTOR(fname, i)                                                  \
    static PyObject *make_##fname(PyObject *module, KR_FASTCALL_ARGS)          \
    {                                                                          \
        KR_PARSER(#fname, "string", "usedforsecurity");                        \
        PyObject *data;                                                        \
        if (!read_data(args, nargs, kwnames, &parser, &data)) {                \
            return NULL;                                                       \
        }                                                                      \
        return new_hash(PyModule_GetState(module), i, data);                   \
    }
#define CONSTRUCTOR_METHOD(fname)                                              \
    {#fname, KR_CAST(make_##fname), KR_FAST,                                   \
     PyDoc_STR(#fname "($module, /, string=b'', *, usedforsecurity=True)\n"    \
               "--\n\nReturn a new " #fname " hash object; optionally "        \
               "initialized with a string.")}

#define DEFINE_MODULE(modname, methods)                                        \
    static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec},      \
                                              {0, NULL}};                      \
    static struct PyModuleDef module_def = {                                   \
        PyModuleDef_HEAD_INIT,                                                 \
        .m_name = #modname,                                                    \
        .m_size = sizeof(struct module_state),                                 \
        .m_methods = methods,                                                  \
        .m_slots = module_slots,                                               \
        .m_traverse = module_traverse,                                         \
        .m_clear = module_clear,                                               \
        .m_free = module_free,                                                 \
    };                                                                         \
    PyMODINIT_FUNC PyInit_##modname(void)                                      \
    {                                                                          \
        return PyModuleDef_Init(&module_def);                                  \
    }
