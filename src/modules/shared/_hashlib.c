/* The module _hashlib: every hash of libcrypto, HMAC and key derivation. */
#include "modules/addtype.h"
#include "modules/modfree.h"
#include "modules/shared/evp_object.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/objects.h>
#include <string.h>

struct hashlib_state {
    PyTypeObject *hash_type, *xof_type, *hmac_type;
    PyObject *constructors; /* dict: openssl_* function -> name */
    PyObject *unsupported;  /* UnsupportedDigestmodError */
};

/* Python's names of algorithms, and libcrypto's where they differ. */
static const struct {
    const char *name, *openssl;
    int nid;
} known[] = {
    {"md5", "MD5", NID_md5},
    {"sha1", "SHA1", NID_sha1},
    {"sha224", "SHA224", NID_sha224},
    {"sha256", "SHA256", NID_sha256},
    {"sha384", "SHA384", NID_sha384},
    {"sha512", "SHA512", NID_sha512},
    {"sha512_224", "SHA512-224", NID_sha512_224},
    {"sha512_256", "SHA512-256", NID_sha512_256},
    {"sha3_224", "SHA3-224", NID_sha3_224},
    {"sha3_256", "SHA3-256", NID_sha3_256},
    {"sha3_384", "SHA3-384", NID_sha3_384},
    {"sha3_512", "SHA3-512", NID_sha3_512},
    {"shake_128", "SHAKE128", NID_shake128},
    {"shake_256", "SHAKE256", NID_shake256},
    {"blake2s", "BLAKE2S-256", NID_blake2s256},
    {"blake2b", "BLAKE2B-512", NID_blake2b512},
};

/* ---- which algorithm ---------------------------------------------------- */

/* New: the implementation called `name`, or NULL with an exception. */
static EVP_MD *
md_by_name(PyObject *name, bool secure)
{
    const char *text = PyUnicode_AsUTF8(name);
    if (text == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(known); i++) {
        if (strcmp(text, known[i].name) == 0) {
            text = known[i].openssl;
            break;
        }
    }
    EVP_MD *md = EVP_MD_fetch(NULL, text, secure ? NULL : "-fips");
    if (md == NULL) {
        evp_raise(PyExc_ValueError, "unsupported hash type %U", name);
    }
    return md;
}

/* As above for an argument that may also be one of our constructors. */
static EVP_MD *
md_by_object(struct hashlib_state *state, PyObject *digestmod)
{
    PyObject *name = digestmod;
    if (!PyUnicode_Check(digestmod)) {
        name = PyDict_GetItemWithError(state->constructors, digestmod);
        if (name == NULL) {
            if (!PyErr_Occurred() ||
                PyErr_ExceptionMatches(PyExc_Exception)) {
                PyErr_Clear();
                PyErr_Format(state->unsupported, "Unsupported digestmod %R",
                             digestmod);
            }
            return NULL;
        }
    }
    return md_by_name(name, true);
}

/* New: Python's name of an algorithm. */
static PyObject *
name_of(const EVP_MD *md)
{
    int nid = EVP_MD_get_type(md);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(known); i++) {
        if (nid == known[i].nid) {
            return PyUnicode_FromString(known[i].name);
        }
    }
    const char *name = OBJ_nid2ln(nid);
    if (name == NULL || nid == NID_undef) {
        name = EVP_MD_get0_name(md);
    }
    return PyUnicode_FromString(name);
}

/* ---- hashes ------------------------------------------------------------- */

static inline const EVP_MD *
md_of(PyObject *self)
{
    return EVP_MD_CTX_get0_md(((struct evp_object *)self)->hash.ctx);
}

static bool
is_xof(const EVP_MD *md)
{
    return (EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF) != 0;
}

/* A new hash object, with the data added unless that is NULL. */
static PyObject *
hash_begin(struct hashlib_state *state, PyObject *name, PyObject *data,
           bool secure)
{
    Py_buffer view = {0};
    if (data != NULL && !evp_get_data(data, &view)) {
        return NULL;
    }
    PyObject *self = NULL;
    EVP_MD *md = md_by_name(name, secure);
    if (md != NULL) {
        self = evp_object_new(is_xof(md) ? state->xof_type : state->hash_type,
                              md, &view);
    }
    EVP_MD_free(md);
    PyBuffer_Release(&view);
    return self;
}

static PyObject *
xof_result(PyObject *self, KR_FASTCALL_ARGS, _PyArg_Parser *parser, bool hex)
{
    PyObject *a[1];
    Py_ssize_t n;
    if (!kr_unpack(args, nargs, kwnames, parser, 1, 1, 1, a) ||
        !kr_arg_ssize(a[0], &n)) {
        return NULL;
    }
    if (n < 0 && hex) {
        return PyErr_NoMemory();
    }
    if (n < 0) {
        PyErr_SetString(PyExc_SystemError,
                        "Negative size passed to PyBytes_FromStringAndSize");
        return NULL;
    }
    return evp_object_result(self, n, hex);
}

static PyObject *
xof_digest(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("digest", "length");
    return xof_result(self, args, nargs, kwnames, &parser, false);
}

static PyObject *
xof_hexdigest(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("hexdigest", "length");
    return xof_result(self, args, nargs, kwnames, &parser, true);
}

static PyObject *
hash_repr(PyObject *self)
{
    PyObject *name = name_of(md_of(self));
    if (name == NULL) {
        return NULL;
    }
    PyObject *res = PyUnicode_FromFormat("<%U %s object @ %p>", name,
                                         Py_TYPE(self)->tp_name, self);
    Py_DECREF(name);
    return res;
}

static PyObject *
hash_digest_size(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(EVP_MD_get_size(md_of(self)));
}

static PyObject *
xof_digest_size(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return PyLong_FromLong(0);
}

static PyObject *
hash_block_size(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(EVP_MD_get_block_size(md_of(self)));
}

static PyObject *
hash_name(PyObject *self, void *Py_UNUSED(closure))
{
    return name_of(md_of(self));
}

static PyMethodDef hash_methods[] = {
    {"update", evp_object_update, METH_O,
     PyDoc_STR("update($self, obj, /)\n--\n\n"
               "Update this hash object's state with the provided string.")},
    {"digest", evp_object_digest, METH_NOARGS,
     PyDoc_STR("digest($self, /)\n--\n\n"
               "Return the digest value as a bytes object.")},
    {"hexdigest", evp_object_hexdigest, METH_NOARGS,
     PyDoc_STR("hexdigest($self, /)\n--\n\n"
               "Return the digest value as a string of hexadecimal digits.")},
    {"copy", evp_object_copy, METH_NOARGS,
     PyDoc_STR("copy($self, /)\n--\n\nReturn a copy of the hash object.")},
    {NULL},
};

static PyMethodDef xof_methods[] = {
    {"digest", KR_CAST(xof_digest), KR_FAST,
     PyDoc_STR("digest($self, /, length)\n--\n\n"
               "Return the digest value as a bytes object.")},
    {"hexdigest", KR_CAST(xof_hexdigest), KR_FAST,
     PyDoc_STR("hexdigest($self, /, length)\n--\n\n"
               "Return the digest value as a string of hexadecimal digits.")},
    {NULL},
};

static PyGetSetDef hash_getset[] = {
    {"digest_size", hash_digest_size},
    {"block_size", hash_block_size},
    {"name", hash_name, NULL, PyDoc_STR("algorithm name.")},
    {NULL},
};

static PyGetSetDef xof_getset[] = {{"digest_size", xof_digest_size}, {NULL}};

PyDoc_STRVAR(hash_doc,
"A hash is an object used to calculate a checksum of a string of information.\n"
"\n"
"Methods: update(), digest(), hexdigest(), copy().\n"
"Attributes: name, digest_size.");

static PyType_Slot hash_slots[] = {
    {Py_tp_dealloc, evp_object_dealloc},
    {Py_tp_repr, hash_repr},
    {Py_tp_doc, (void *)hash_doc},
    {Py_tp_methods, hash_methods},
    {Py_tp_getset, hash_getset},
    {0, NULL},
};

static PyType_Slot xof_slots[] = {
    {Py_tp_doc, (void *)hash_doc},
    {Py_tp_methods, xof_methods},
    {Py_tp_getset, xof_getset},
    {0, NULL},
};

#define TYPE_FLAGS                                                             \
    (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |                  \
     Py_TPFLAGS_IMMUTABLETYPE)

static PyType_Spec hash_spec = {
    .name = "_hashlib.HASH",
    .basicsize = sizeof(struct evp_object),
    .flags = TYPE_FLAGS | Py_TPFLAGS_BASETYPE,
    .slots = hash_slots,
};

static PyType_Spec xof_spec = {
    .name = "_hashlib.HASHXOF",
    .basicsize = sizeof(struct evp_object),
    .flags = TYPE_FLAGS | Py_TPFLAGS_BASETYPE,
    .slots = xof_slots,
};

/* ---- constructors ------------------------------------------------------- */

static PyObject *
hashlib_new(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("new", "name", "string", "usedforsecurity");
    PyObject *a[3];
    int secure = 1;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 3, a) ||
        (a[2] != NULL && !kr_arg_bool(a[2], &secure))) {
        return NULL;
    }
    const char *name;
    if (!PyArg_Parse(a[0], "s", &name)) {
        PyErr_SetString(PyExc_TypeError, "name must be a string");
        return NULL;
    }
    return hash_begin(PyModule_GetState(module), a[0], a[1], secure);
}

static PyObject *
openssl_hash(PyObject *module, const char *name, _PyArg_Parser *parser,
             KR_FASTCALL_ARGS)
{
    PyObject *a[2];
    int secure = 1;
    if (!kr_unpack(args, nargs, kwnames, parser, 0, 1, 2, a) ||
        (a[1] != NULL && !kr_arg_bool(a[1], &secure))) {
        return NULL;
    }
    PyObject *text = PyUnicode_FromString(name);
    if (text == NULL) {
        return NULL;
    }
    PyObject *res =
        hash_begin(PyModule_GetState(module), text, a[0], secure);
    Py_DECREF(text);
    return res;
}

#define FOR_EACH_CONSTRUCTOR(X)                                                \
    X(md5) X(sha1) X(sha224) X(sha256) X(sha384) X(sha512) X(sha3_224)         \
    X(sha3_256) X(sha3_384) X(sha3_512) X(shake_128) X(shake_256)

#define DEFINE_CONSTRUCTOR(h)                                                  \
    static PyObject *openssl_##h(PyObject *module, KR_FASTCALL_ARGS)           \
    {                                                                          \
        KR_PARSER("openssl_" #h, "string", "usedforsecurity");                 \
        return openssl_hash(module, #h, &parser, args, nargs, kwnames);        \
    }
FOR_EACH_CONSTRUCTOR(DEFINE_CONSTRUCTOR)

/* ---- HMAC --------------------------------------------------------------- */

struct hmac_object {
    PyObject_HEAD
    HMAC_CTX *ctx;
    PyThread_type_lock lock; /* or NULL until data was large */
};

static bool
hmac_add(struct hmac_object *self, PyObject *data)
{
    Py_buffer view;
    int ok;
    if (!evp_get_data(data, &view)) {
        return false;
    }
    if (view.len >= EVP_GIL_MINSIZE && self->lock == NULL) {
        self->lock = PyThread_allocate_lock();
    }
    if (self->lock != NULL) {
        Py_BEGIN_ALLOW_THREADS
        PyThread_acquire_lock(self->lock, 1);
        ok = HMAC_Update(self->ctx, view.buf, (size_t)view.len);
        PyThread_release_lock(self->lock);
        Py_END_ALLOW_THREADS
    }
    else {
        ok = HMAC_Update(self->ctx, view.buf, (size_t)view.len);
    }
    PyBuffer_Release(&view);
    if (!ok) {
        evp_failed();
    }
    return ok;
}

/* New: a copy of a context; NULL without an exception if that failed. */
static HMAC_CTX *
hmac_copy_ctx(struct hmac_object *self)
{
    HMAC_CTX *ctx = HMAC_CTX_new();
    if (ctx == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    evp_lock(self->lock);
    int ok = HMAC_CTX_copy(ctx, self->ctx);
    evp_unlock(self->lock);
    if (!ok) {
        HMAC_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

static PyObject *
hmac_new(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("hmac_new", "key", "msg", "digestmod");
    PyObject *a[3];
    Py_buffer key;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 3, 3, a) ||
        !kr_arg_buffer("hmac_new", "argument 'key'", a[0], &key)) {
        return NULL;
    }
    struct hashlib_state *state = PyModule_GetState(module);
    struct hmac_object *self = NULL;
    EVP_MD *md = NULL;
    if (key.len > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "key is too long.");
    }
    else if (a[2] == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "Missing required parameter 'digestmod'.");
    }
    else if ((md = md_by_object(state, a[2])) != NULL) {
        self = PyObject_New(struct hmac_object, state->hmac_type);
    }
    if (self != NULL) {
        self->lock = NULL;
        self->ctx = HMAC_CTX_new();
        if (self->ctx == NULL) {
            PyErr_NoMemory();
            Py_CLEAR(self);
        }
        else if (!HMAC_Init_ex(self->ctx, key.buf, (int)key.len, md, NULL)) {
            evp_failed();
            Py_CLEAR(self);
        }
        else if (a[1] != NULL && a[1] != Py_None && !hmac_add(self, a[1])) {
            Py_CLEAR(self);
        }
    }
    EVP_MD_free(md);
    PyBuffer_Release(&key);
    return (PyObject *)self;
}

static void
hmac_dealloc(PyObject *op)
{
    struct hmac_object *self = (struct hmac_object *)op;
    PyTypeObject *type = Py_TYPE(op);
    if (self->lock != NULL) {
        PyThread_free_lock(self->lock);
    }
    HMAC_CTX_free(self->ctx);
    PyObject_Free(op);
    Py_DECREF(type);
}

static PyObject *
hmac_copy(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    HMAC_CTX *ctx = hmac_copy_ctx((struct hmac_object *)op);
    if (ctx == NULL) {
        return evp_failed();
    }
    struct hmac_object *other = PyObject_New(struct hmac_object, Py_TYPE(op));
    if (other == NULL) {
        HMAC_CTX_free(ctx);
        return NULL;
    }
    other->ctx = ctx;
    other->lock = NULL;
    return (PyObject *)other;
}

static PyObject *
hmac_update(PyObject *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("update", "msg");
    PyObject *a[1];
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !hmac_add((struct hmac_object *)self, a[0])) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
hmac_result(PyObject *self, bool hex)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    HMAC_CTX *ctx = hmac_copy_ctx((struct hmac_object *)self);
    int ok = ctx != NULL && HMAC_Final(ctx, out, &n);
    HMAC_CTX_free(ctx);
    if (!ok) {
        return evp_failed();
    }
    return hex ? _Py_strhex((const char *)out, n)
               : PyBytes_FromStringAndSize((const char *)out, n);
}

static PyObject *
hmac_digest(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return hmac_result(self, false);
}

static PyObject *
hmac_hexdigest(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return hmac_result(self, true);
}

static const EVP_MD *
hmac_md(PyObject *self)
{
    return HMAC_CTX_get_md(((struct hmac_object *)self)->ctx);
}

static PyObject *
hmac_repr(PyObject *self)
{
    PyObject *name = name_of(hmac_md(self));
    if (name == NULL) {
        return NULL;
    }
    PyObject *res =
        PyUnicode_FromFormat("<%U HMAC object @ %p>", name, self);
    Py_DECREF(name);
    return res;
}

static PyObject *
hmac_digest_size(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(EVP_MD_get_size(hmac_md(self)));
}

static PyObject *
hmac_block_size(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(EVP_MD_get_block_size(hmac_md(self)));
}

static PyObject *
hmac_name(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *name = name_of(hmac_md(self));
    if (name == NULL) {
        return NULL;
    }
    PyObject *res = PyUnicode_FromFormat("hmac-%U", name);
    Py_DECREF(name);
    return res;
}

static PyMethodDef hmac_methods[] = {
    {"update", KR_CAST(hmac_update), KR_FAST,
     PyDoc_STR("update($self, /, msg)\n--\n\n"
               "Update the HMAC object with msg.")},
    {"digest", hmac_digest, METH_NOARGS,
     PyDoc_STR("digest($self, /)\n--\n\n"
               "Return the digest of the bytes passed to update() so far.")},
    {"hexdigest", hmac_hexdigest, METH_NOARGS,
     PyDoc_STR("hexdigest($self, /)\n--\n\n"
               "Return hexadecimal digest of the bytes passed so far.")},
    {"copy", hmac_copy, METH_NOARGS,
     PyDoc_STR("copy($self, /)\n--\n\n"
               "Return a copy (\"clone\") of the HMAC object.")},
    {NULL},
};

static PyGetSetDef hmac_getset[] = {
    {"digest_size", hmac_digest_size},
    {"block_size", hmac_block_size},
    {"name", hmac_name},
    {NULL},
};

PyDoc_STRVAR(hmac_doc,
"The object used to calculate HMAC of a message.\n"
"\n"
"Methods: update(), digest(), hexdigest(), copy().\n"
"Attributes: name, digest_size.");

static PyType_Slot hmac_slots[] = {
    {Py_tp_dealloc, hmac_dealloc},   {Py_tp_repr, hmac_repr},
    {Py_tp_doc, (void *)hmac_doc},   {Py_tp_methods, hmac_methods},
    {Py_tp_getset, hmac_getset},     {0, NULL},
};

static PyType_Spec hmac_spec = {
    .name = "_hashlib.HMAC",
    .basicsize = sizeof(struct hmac_object),
    .flags = TYPE_FLAGS,
    .slots = hmac_slots,
};

static PyObject *
hmac_once(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("hmac_digest", "key", "msg", "digest");
    PyObject *a[3], *res = NULL;
    Py_buffer key, msg;
    if (!kr_unpack(args, nargs, kwnames, &parser, 3, 3, 3, a) ||
        !kr_arg_buffer("hmac_digest", "argument 'key'", a[0], &key)) {
        return NULL;
    }
    if (!kr_arg_buffer("hmac_digest", "argument 'msg'", a[1], &msg)) {
        PyBuffer_Release(&key);
        return NULL;
    }
    EVP_MD *md = md_by_object(PyModule_GetState(module), a[2]);
    if (md != NULL && (key.len > INT_MAX || msg.len > INT_MAX)) {
        PyErr_SetString(PyExc_OverflowError, key.len > INT_MAX
                                                 ? "key is too long."
                                                 : "msg is too long.");
    }
    else if (md != NULL) {
        unsigned char out[EVP_MAX_MD_SIZE], *done;
        unsigned int n = 0;
        Py_BEGIN_ALLOW_THREADS
        done = HMAC(md, key.buf, (int)key.len, msg.buf, (size_t)msg.len, out,
                    &n);
        Py_END_ALLOW_THREADS
        res = done == NULL ? evp_failed()
                           : PyBytes_FromStringAndSize((char *)out, n);
    }
    EVP_MD_free(md);
    PyBuffer_Release(&key);
    PyBuffer_Release(&msg);
    return res;
}

/* ---- key derivation ----------------------------------------------------- */

static PyObject *
pbkdf2(PyObject *module, KR_FASTCALL_ARGS)
{
    static const char *const keywords[] = {"hash_name",  "password", "salt",
                                           "iterations", "dklen",    NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .fname = "pbkdf2_hmac"};
    PyObject *a[5], *name, *dklen, *key = NULL;
    Py_buffer password = {0}, salt = {0};
    long iterations;
    EVP_MD *md = NULL;
    if (!kr_unpack(args, nargs, kwnames, &parser, 4, 5, 5, a)) {
        return NULL;
    }
    name = a[0];
    dklen = a[4] == NULL ? Py_None : a[4];
    if (!PyUnicode_Check(name)) {
        _PyArg_BadArgument("pbkdf2_hmac", "argument 'hash_name'", "str", name);
        return NULL;
    }
    if (!kr_arg_buffer("pbkdf2_hmac", "argument 'password'", a[1],
                       &password) ||
        !kr_arg_buffer("pbkdf2_hmac", "argument 'salt'", a[2], &salt) ||
        !kr_arg_long(a[3], &iterations) ||
        (md = md_by_name(name, true)) == NULL) {
        goto done;
    }
    if (password.len > INT_MAX || salt.len > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, password.len > INT_MAX
                                                 ? "password is too long."
                                                 : "salt is too long.");
        goto done;
    }
    if (iterations < 1) {
        PyErr_SetString(PyExc_ValueError,
                        "iteration value must be greater than 0.");
        goto done;
    }
    if (iterations > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "iteration value is too great.");
        goto done;
    }
    long n = dklen == Py_None ? EVP_MD_get_size(md) : PyLong_AsLong(dklen);
    if (n == -1 && PyErr_Occurred()) {
        goto done;
    }
    if (n < 1) {
        PyErr_SetString(PyExc_ValueError,
                        "key length must be greater than 0.");
        goto done;
    }
    if (n > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "key length is too great.");
        goto done;
    }
    key = PyBytes_FromStringAndSize(NULL, n);
    if (key != NULL) {
        int ok;
        unsigned char *out = (unsigned char *)PyBytes_AS_STRING(key);
        Py_BEGIN_ALLOW_THREADS
        ok = PKCS5_PBKDF2_HMAC(password.buf, (int)password.len, salt.buf,
                               (int)salt.len, (int)iterations, md, (int)n, out);
        Py_END_ALLOW_THREADS
        if (!ok) {
            Py_CLEAR(key);
            evp_failed();
        }
    }
done:
    EVP_MD_free(md);
    PyBuffer_Release(&password);
    PyBuffer_Release(&salt);
    return key;
}

/* A required positive number of scrypt(). */
static bool
scrypt_number(const char *name, PyObject *obj, unsigned long *out)
{
    if (!PyLong_Check(obj)) {
        PyErr_Format(PyExc_TypeError,
                     "%s is required and must be an unsigned int", name);
        return false;
    }
    *out = PyLong_AsUnsignedLong(obj);
    if (*out == (unsigned long)-1 && PyErr_Occurred()) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError,
                     "%s is required and must be an unsigned int", name);
        return false;
    }
    return true;
}

static PyObject *
scrypt_derive(Py_buffer *password, Py_buffer *salt, PyObject *const *nrp,
              long maxmem, long dklen)
{
    unsigned long n, r, p;
    if (password->len > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "password is too long.");
        return NULL;
    }
    if (salt->buf == NULL) {
        PyErr_SetString(PyExc_TypeError, "salt is required");
        return NULL;
    }
    if (salt->len > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "salt is too long.");
        return NULL;
    }
    if (!scrypt_number("n", nrp[0], &n)) {
        return NULL;
    }
    if (n < 2 || n & (n - 1)) {
        PyErr_SetString(PyExc_ValueError, "n must be a power of 2.");
        return NULL;
    }
    if (!scrypt_number("r", nrp[1], &r) || !scrypt_number("p", nrp[2], &p)) {
        return NULL;
    }
    if (maxmem < 0 || maxmem > INT_MAX) {
        return PyErr_Format(
            PyExc_ValueError,
            "maxmem must be positive and smaller than %d", INT_MAX);
    }
    if (dklen < 1 || dklen > INT_MAX) {
        return PyErr_Format(
            PyExc_ValueError,
            "dklen must be greater than 0 and smaller than %d", INT_MAX);
    }
    if (!EVP_PBE_scrypt(NULL, 0, NULL, 0, n, r, p, (uint64_t)maxmem, NULL,
                        0)) {
        return evp_raise(PyExc_ValueError,
                         "Invalid parameter combination for n, r, p, "
                         "maxmem.",
                         NULL);
    }
    PyObject *key = PyBytes_FromStringAndSize(NULL, dklen);
    if (key == NULL) {
        return NULL;
    }
    int ok;
    unsigned char *out = (unsigned char *)PyBytes_AS_STRING(key);
    Py_BEGIN_ALLOW_THREADS
    ok = EVP_PBE_scrypt(password->buf, (size_t)password->len, salt->buf,
                        (size_t)salt->len, n, r, p, (uint64_t)maxmem, out,
                        (size_t)dklen);
    Py_END_ALLOW_THREADS
    if (!ok) {
        Py_DECREF(key);
        return evp_failed();
    }
    return key;
}

static PyObject *
scrypt(PyObject *Py_UNUSED(module), KR_FASTCALL_ARGS)
{
    static const char *const keywords[] = {"password", "salt",   "n",
                                           "r",        "p",      "maxmem",
                                           "dklen",    NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .fname = "scrypt"};
    Py_buffer password = {0}, salt = {0};
    PyObject *a[7], *res = NULL;
    long maxmem = 0, dklen = 64;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 7, a) ||
        !kr_arg_buffer("scrypt", "argument 'password'", a[0], &password)) {
        return NULL;
    }
    for (int i = 1; i < 5; i++) {
        a[i] = a[i] == NULL ? Py_None : a[i];
    }
    if ((a[1] == Py_None ||
         kr_arg_buffer("scrypt", "argument 'salt'", a[1], &salt)) &&
        (a[5] == NULL || kr_arg_long(a[5], &maxmem)) &&
        (a[6] == NULL || kr_arg_long(a[6], &dklen))) {
        res = scrypt_derive(&password, &salt, a + 2, maxmem, dklen);
    }
    PyBuffer_Release(&password);
    PyBuffer_Release(&salt);
    return res;
}

/* ---- the rest ----------------------------------------------------------- */

static PyObject *
get_fips_mode(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(EVP_default_properties_is_fips_enabled(NULL));
}

/* Whether two texts are equal, in a time that depends on their length only. */
static PyObject *
same(const void *a, Py_ssize_t alen, const void *b, Py_ssize_t blen)
{
    /* of different length: compare b with itself, to take as long */
    int diff = alen != blen;
    diff |= CRYPTO_memcmp(diff ? b : a, b, (size_t)blen);
    return PyBool_FromLong(diff == 0);
}

static PyObject *
compare_digest(PyObject *Py_UNUSED(module), PyObject *const *args,
               Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("compare_digest", nargs, 2, 2)) {
        return NULL;
    }
    PyObject *a = args[0], *b = args[1];
    if (PyUnicode_Check(a) && PyUnicode_Check(b)) {
        if (PyUnicode_READY(a) < 0 || PyUnicode_READY(b) < 0) {
            return NULL;
        }
        if (!PyUnicode_IS_ASCII(a) || !PyUnicode_IS_ASCII(b)) {
            PyErr_SetString(PyExc_TypeError,
                            "comparing strings with non-ASCII characters is "
                            "not supported");
            return NULL;
        }
        return same(PyUnicode_DATA(a), PyUnicode_GET_LENGTH(a),
                    PyUnicode_DATA(b), PyUnicode_GET_LENGTH(b));
    }
    if (!PyObject_CheckBuffer(a) && !PyObject_CheckBuffer(b)) {
        return PyErr_Format(PyExc_TypeError,
                            "unsupported operand types(s) or combination of "
                            "types: '%.100s' and '%.100s'",
                            Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
    }
    Py_buffer va, vb;
    PyObject *res = NULL;
    if (PyObject_GetBuffer(a, &va, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    if (PyObject_GetBuffer(b, &vb, PyBUF_SIMPLE) == 0) {
        if (va.ndim > 1 || vb.ndim > 1) {
            PyErr_SetString(PyExc_BufferError,
                            "Buffer must be single dimension");
        }
        else {
            res = same(va.buf, va.len, vb.buf, vb.len);
        }
        PyBuffer_Release(&vb);
    }
    PyBuffer_Release(&va);
    return res;
}

#define CONSTRUCTOR_ENTRY(h)                                                   \
    {"openssl_" #h, KR_CAST(openssl_##h), KR_FAST,                             \
     PyDoc_STR("openssl_" #h                                                   \
               "($module, /, string=b'', *, usedforsecurity=True)\n--\n\n"     \
               "Returns a " #h " hash object; optionally initialized with a "  \
               "string")},

static PyMethodDef module_methods[] = {
    {"new", KR_CAST(hashlib_new), KR_FAST,
     PyDoc_STR("new($module, /, name, string=b'', *, usedforsecurity=True)\n"
               "--\n\nReturn a new hash object using the named algorithm.")},
    {"pbkdf2_hmac", KR_CAST(pbkdf2), KR_FAST,
     PyDoc_STR("pbkdf2_hmac($module, /, hash_name, password, salt, "
               "iterations,\n            dklen=None)\n--\n\n"
               "Password based key derivation function 2 (PKCS #5 v2.0) with "
               "HMAC.")},
    {"scrypt", KR_CAST(scrypt), KR_FAST,
     PyDoc_STR("scrypt($module, /, password, *, salt=None, n=None, r=None, "
               "p=None,\n       maxmem=0, dklen=64)\n--\n\n"
               "scrypt password-based key derivation function.")},
    {"get_fips_mode", get_fips_mode, METH_NOARGS,
     PyDoc_STR("get_fips_mode($module, /)\n--\n\n"
               "Determine the OpenSSL FIPS mode of operation.")},
    {"compare_digest", KR_CAST(compare_digest), METH_FASTCALL,
     PyDoc_STR("compare_digest($module, a, b, /)\n--\n\n"
               "Return 'a == b' in a time that tells nothing of the values.")},
    {"hmac_digest", KR_CAST(hmac_once), KR_FAST,
     PyDoc_STR("hmac_digest($module, /, key, msg, digest)\n--\n\n"
               "Single-shot HMAC.")},
    {"hmac_new", KR_CAST(hmac_new), KR_FAST,
     PyDoc_STR("hmac_new($module, /, key, msg=b'', digestmod=None)\n--\n\n"
               "Return a new hmac object.")},
    FOR_EACH_CONSTRUCTOR(CONSTRUCTOR_ENTRY){NULL},
};

/* Fills the dict of constructors and shows it as _constructors. */
static int
add_constructors(PyObject *module, struct hashlib_state *state)
{
    static const char prefix[] = "openssl_";
    state->constructors = PyDict_New();
    if (state->constructors == NULL) {
        return -1;
    }
    for (PyMethodDef *m = module_methods; m->ml_name != NULL; m++) {
        if (strncmp(m->ml_name, prefix, sizeof(prefix) - 1) != 0) {
            continue;
        }
        PyObject *f = PyObject_GetAttrString(module, m->ml_name);
        PyObject *name =
            PyUnicode_FromString(m->ml_name + sizeof(prefix) - 1);
        int res = f == NULL || name == NULL
                      ? -1
                      : PyDict_SetItem(state->constructors, f, name);
        Py_XDECREF(f);
        Py_XDECREF(name);
        if (res < 0) {
            return -1;
        }
    }
    PyObject *proxy = PyDictProxy_New(state->constructors);
    int res = proxy == NULL
                  ? -1
                  : PyModule_AddObjectRef(module, "_constructors", proxy);
    Py_XDECREF(proxy);
    return res;
}

static void
add_name(EVP_MD *md, void *set)
{
    if (md == NULL || PyErr_Occurred()) {
        return;
    }
    int nid = EVP_MD_get_type(md);
    if (nid == NID_undef) { /* a variant without a name of its own */
        return;
    }
    PyObject *name = name_of(md);
    if (name != NULL) {
        PySet_Add(set, name);
        Py_DECREF(name);
    }
}

static int
add_names(PyObject *module)
{
    PyObject *set = PyFrozenSet_New(NULL);
    if (set == NULL) {
        return -1;
    }
    EVP_MD_do_all_provided(NULL, add_name, set);
    int res = PyErr_Occurred()
                  ? -1
                  : PyModule_AddObjectRef(module, "openssl_md_meth_names", set);
    Py_DECREF(set);
    return res;
}

static int
module_exec(PyObject *module)
{
    struct hashlib_state *state = PyModule_GetState(module);
    if (kr_add_type(module, &hash_spec, NULL, &state->hash_type) < 0 ||
        kr_add_type(module, &xof_spec, state->hash_type,
                    &state->xof_type) < 0 ||
        kr_add_type(module, &hmac_spec, NULL, &state->hmac_type) < 0) {
        return -1;
    }
    state->unsupported = PyErr_NewException(
        "_hashlib.UnsupportedDigestmodError", PyExc_ValueError, NULL);
    if (state->unsupported == NULL ||
        PyModule_AddObjectRef(module, "UnsupportedDigestmodError",
                              state->unsupported) < 0) {
        return -1;
    }
    return add_constructors(module, state) < 0 ? -1 : add_names(module);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct hashlib_state *state = PyModule_GetState(module);
    Py_VISIT(state->hash_type);
    Py_VISIT(state->xof_type);
    Py_VISIT(state->hmac_type);
    Py_VISIT(state->constructors);
    Py_VISIT(state->unsupported);
    return 0;
}

static int
module_clear(PyObject *module)
{
    struct hashlib_state *state = PyModule_GetState(module);
    Py_CLEAR(state->hash_type);
    Py_CLEAR(state->xof_type);
    Py_CLEAR(state->hmac_type);
    Py_CLEAR(state->constructors);
    Py_CLEAR(state->unsupported);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_hashlib",
    .m_doc = PyDoc_STR("OpenSSL interface for hashlib module"),
    .m_size = sizeof(struct hashlib_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = kr_module_free,
};

PyMODINIT_FUNC
PyInit__hashlib(void)
{
    return PyModuleDef_Init(&module_def);
}
