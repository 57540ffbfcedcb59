/* The hash objects over libcrypto, of _hashlib and of the modules of single
 * algorithms. An object of a type may be larger than struct evp_object. */
#ifndef KR_MODULES_SHARED_EVP_OBJECT_H
#define KR_MODULES_SHARED_EVP_OBJECT_H

#include "modules/shared/evp.h"

#include <openssl/err.h>

struct evp_object {
    PyObject_HEAD
    struct evp_hash hash;
};

/* Raises `type` with libcrypto's own words, or else with the given ones. */
static PyObject *
evp_raise(PyObject *type, const char *otherwise, PyObject *arg)
{
    unsigned long code = ERR_peek_last_error();
    const char *lib = ERR_lib_error_string(code);
    const char *reason = ERR_reason_error_string(code);
    ERR_clear_error();
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (code == 0 || reason == NULL) {
        if (arg != NULL) {
            return PyErr_Format(type, otherwise, arg);
        }
        PyErr_SetString(type, otherwise);
        return NULL;
    }
    if (lib != NULL) {
        return PyErr_Format(type, "[%s] %s", lib, reason);
    }
    PyErr_SetString(type, reason);
    return NULL;
}

static PyObject *
evp_failed(void)
{
    return evp_raise(PyExc_ValueError, "no reason supplied", NULL);
}

/* New: a hash of `type` begun with the bytes in view, or NULL. */
static PyObject *
evp_object_new(PyTypeObject *type, const EVP_MD *md, const Py_buffer *view)
{
    struct evp_object *self = PyObject_New(struct evp_object, type);
    if (self != NULL && (!evp_begin(&self->hash, md) ||
                         !evp_update(&self->hash, view->buf, view->len))) {
        Py_CLEAR(self);
        evp_failed();
    }
    return (PyObject *)self;
}

static void
evp_object_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    evp_end(&((struct evp_object *)self)->hash);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* copy(); what a larger object has besides is the caller's to set. */
static PyObject *
evp_object_copy(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct evp_object *other = PyObject_New(struct evp_object, Py_TYPE(self));
    if (other != NULL &&
        !evp_copy(&other->hash, &((struct evp_object *)self)->hash)) {
        Py_CLEAR(other);
        evp_failed();
    }
    return (PyObject *)other;
}

static PyObject *
evp_object_update(PyObject *self, PyObject *data)
{
    Py_buffer view;
    if (!evp_get_data(data, &view)) {
        return NULL;
    }
    bool ok =
        evp_update(&((struct evp_object *)self)->hash, view.buf, view.len);
    PyBuffer_Release(&view);
    if (!ok) {
        return evp_failed();
    }
    Py_RETURN_NONE;
}

/* As evp_digest, but with an exception whenever it is NULL. */
static PyObject *
evp_object_result(PyObject *self, Py_ssize_t n, bool hex)
{
    PyObject *res = evp_digest(&((struct evp_object *)self)->hash, n, hex);
    return res != NULL ? res : evp_failed();
}

static PyObject *
evp_object_digest(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return evp_object_result(self, -1, false);
}

static PyObject *
evp_object_hexdigest(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return evp_object_result(self, -1, true);
}

#endif
