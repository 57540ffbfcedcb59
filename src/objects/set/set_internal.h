/* What the files of the set share. */
#ifndef KR_OBJECTS_SET_INTERNAL_H
#define KR_OBJECTS_SET_INTERNAL_H

#include <Python.h>

#include "base/common.h"

/* table.c. -1 with an exception; KnownHash forms take no reference. */
int kr_set_contains_hash(PySetObject *so, PyObject *key, Py_hash_t hash);
int kr_set_add_hash(PySetObject *so, PyObject *key, Py_hash_t hash);
int kr_set_discard_hash(PySetObject *so, PyObject *key, Py_hash_t hash);
int kr_set_add_key(PySetObject *so, PyObject *key);
int kr_set_contains_key(PySetObject *so, PyObject *key);
int kr_set_discard_key(PySetObject *so, PyObject *key);
/* `key in so`: a set stands for the frozenset with its items */
int kr_set_contains_any(PySetObject *so, PyObject *key);
int kr_set_resize(PySetObject *so, Py_ssize_t minused);
int kr_set_merge(PySetObject *so, PyObject *other);
int kr_set_update(PySetObject *so, PyObject *iterable);
int kr_set_clear_all(PySetObject *so);
void kr_set_swap(PySetObject *a, PySetObject *b);
int kr_set_next(PySetObject *so, Py_ssize_t *pos, setentry **entry);
PyObject *kr_set_make(PyTypeObject *type, PyObject *iterable);
/* the same for set or frozenset itself when `type` is a subclass */
PyObject *kr_set_make_base(PyTypeObject *type, PyObject *iterable);

/* ops.c */
extern PyMethodDef kr_set_methods[], kr_frozenset_methods[];
extern PyNumberMethods kr_set_as_number, kr_frozenset_as_number;
PyObject *kr_set_richcompare(PyObject *v, PyObject *w, int op);
PyObject *kr_set_iter(PyObject *so);

/* Hash of a key: cached for exact str. */
static inline Py_hash_t
set_key_hash(PyObject *key)
{
    if (PyUnicode_CheckExact(key)) {
        Py_hash_t hash = ((PyASCIIObject *)key)->hash;
        if (hash != -1) {
            return hash;
        }
    }
    return PyObject_Hash(key);
}

#endif
