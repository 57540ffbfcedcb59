/* What the hash modules over libcrypto share: arguments and results. */
#ifndef KR_MODULES_SHARED_EVP_H
#define KR_MODULES_SHARED_EVP_H

#define OPENSSL_SUPPRESS_DEPRECATED /* HMAC_CTX is still the simple way */
#include <Python.h>
#include <openssl/evp.h>
#include <stdbool.h>

#include "modules/kwargs.h"
#include "modules/shared/lock.h"
#include "objects/bytes/internal.h"

/* From this size on, hashing lets other threads run. */
#define EVP_GIL_MINSIZE 2048

/* The bytes to hash; false with TypeError or BufferError. */
static inline bool
evp_get_data(PyObject *obj, Py_buffer *view)
{
    if (PyUnicode_Check(obj)) {
        PyErr_SetString(PyExc_TypeError,
                        "Strings must be encoded before hashing");
        return false;
    }
    if (!PyObject_CheckBuffer(obj)) {
        PyErr_SetString(PyExc_TypeError, "object supporting the buffer API "
                                         "required");
        return false;
    }
    if (PyObject_GetBuffer(obj, view, PyBUF_SIMPLE) < 0) {
        return false;
    }
    if (view->ndim > 1) {
        PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
        PyBuffer_Release(view);
        return false;
    }
    return true;
}

/* A hash context that several threads may use. */
struct evp_hash {
    EVP_MD_CTX *ctx;
    PyThread_type_lock lock; /* or NULL until data was large */
};

static inline bool
evp_raise_memory(void)
{
    PyErr_NoMemory();
    return false;
}

static inline void
evp_lock(PyThread_type_lock lock)
{
    if (lock != NULL) {
        kr_lock_wait(lock);
    }
}

static inline void
evp_unlock(PyThread_type_lock lock)
{
    if (lock != NULL) {
        PyThread_release_lock(lock);
    }
}

static inline bool
evp_begin(struct evp_hash *h, const EVP_MD *md)
{
    h->lock = NULL;
    h->ctx = EVP_MD_CTX_new();
    return h->ctx == NULL ? evp_raise_memory()
                          : EVP_DigestInit_ex(h->ctx, md, NULL) == 1;
}

static inline void
evp_end(struct evp_hash *h)
{
    EVP_MD_CTX_free(h->ctx);
    if (h->lock != NULL) {
        PyThread_free_lock(h->lock);
    }
}

/* Adds data; false if libcrypto fails, without an exception. */
static inline bool
evp_update(struct evp_hash *h, const void *data, Py_ssize_t n)
{
    bool ok;
    if (n >= EVP_GIL_MINSIZE && h->lock == NULL) {
        h->lock = PyThread_allocate_lock();
    }
    if (h->lock != NULL) {
        Py_BEGIN_ALLOW_THREADS
        PyThread_acquire_lock(h->lock, 1);
        ok = EVP_DigestUpdate(h->ctx, data, (size_t)n) == 1;
        PyThread_release_lock(h->lock);
        Py_END_ALLOW_THREADS
        return ok;
    }
    return EVP_DigestUpdate(h->ctx, data, (size_t)n) == 1;
}

static inline bool
evp_copy(struct evp_hash *to, struct evp_hash *from)
{
    to->lock = NULL;
    to->ctx = EVP_MD_CTX_new();
    if (to->ctx == NULL) {
        return evp_raise_memory();
    }
    evp_lock(from->lock);
    bool ok = EVP_MD_CTX_copy_ex(to->ctx, from->ctx) == 1;
    evp_unlock(from->lock);
    return ok;
}

/* New: the digest of what was added so far, as bytes or in hex. `n` is its
 * length for an extendable function, else -1. NULL, maybe with no exception. */
static inline PyObject *
evp_digest(struct evp_hash *h, Py_ssize_t n, bool hex)
{
    struct evp_hash copy;
    PyObject *bytes = NULL;
    bool ok = evp_copy(&copy, h);
    if (ok) {
        Py_ssize_t size = n >= 0 ? n : EVP_MD_CTX_get_size(h->ctx);
        bytes = PyBytes_FromStringAndSize(NULL, size);
    }
    if (bytes != NULL && n != 0) {
        unsigned char *out = (unsigned char *)PyBytes_AS_STRING(bytes);
        ok = n > 0 ? EVP_DigestFinalXOF(copy.ctx, out, (size_t)n) == 1
                   : EVP_DigestFinal_ex(copy.ctx, out, NULL) == 1;
        if (!ok) {
            Py_CLEAR(bytes);
        }
    }
    EVP_MD_CTX_free(copy.ctx);
    if (bytes == NULL || !hex) {
        return bytes;
    }
    PyObject *text = _Py_strhex(PyBytes_AS_STRING(bytes),
                                PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return text;
}

#endif
