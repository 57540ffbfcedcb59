/* Attribute lookup along the MRO, version tags and the method cache.
 *
 * Guarantees: a valid version tag changes whenever what a lookup in the type
 * would find may have changed, and is never used twice; the cache gives only
 * answers of the type's current version. */
#include "base/common.h"
#include "base/stress.h"
#include "objects/ids.h"
#include "objects/object.h"
#include "objects/type/type.h"

#define CACHE_BITS KR_IN_STRESS(3, 12)
#define CACHE_SIZE (1u << CACHE_BITS)
#define MAX_CACHED_NAME 100
#define MAX_WATCHERS 8

struct cache_entry {
    unsigned int version;
    PyObject *name;  /* strong */
    PyObject *value; /* borrowed from the type of that version; may be NULL */
};

static struct kr_type_state {
    unsigned int next_version; /* 0: used up */
    int watcher_count;
    kr_type_watcher watchers[MAX_WATCHERS];
    struct cache_entry cache[CACHE_SIZE];
} type_state = {.next_version = 1};

int
kr_type_watch(kr_type_watcher func)
{
    if (type_state.watcher_count == MAX_WATCHERS) {
        PyErr_SetString(PyExc_RuntimeError, "no more type watcher IDs");
        return -1;
    }
    type_state.watchers[type_state.watcher_count++] = func;
    return 0;
}

/* ---- versions ----------------------------------------------------------- */

bool
kr_type_assign_version(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_VALID_VERSION_TAG) {
        return true;
    }
    if (!(type->tp_flags & Py_TPFLAGS_READY)
        || type_state.next_version == 0) {
        return false;
    }
    /* A change of a base reaches this type only if the base is valid too. */
    PyObject *bases = type->tp_bases;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(bases, i);
        if (!kr_type_assign_version((PyTypeObject *)base)) {
            return false;
        }
    }
    if (type_state.next_version == 0) {
        return false;
    }
    type->tp_version_tag = type_state.next_version++;
    type->tp_flags |= Py_TPFLAGS_VALID_VERSION_TAG;
    return true;
}

void
PyType_Modified(PyTypeObject *type)
{
    if (!(type->tp_flags & Py_TPFLAGS_VALID_VERSION_TAG)) {
        return; /* then no subclass has a valid tag either */
    }
    PyObject *subclasses = type->tp_subclasses;
    if (subclasses != NULL) {
        Py_ssize_t i = 0;
        PyObject *ref;
        while (PyDict_Next(subclasses, &i, NULL, &ref)) {
            PyObject *sub = PyWeakref_GET_OBJECT(ref);
            if (sub != Py_None) {
                PyType_Modified((PyTypeObject *)sub);
            }
        }
    }
    for (int k = 0; k < type_state.watcher_count; k++) {
        type_state.watchers[k](type);
    }
    type->tp_flags &= ~Py_TPFLAGS_VALID_VERSION_TAG;
    type->tp_version_tag = 0;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        ((PyHeapTypeObject *)type)->_spec_cache.getitem = NULL;
    }
}

void
kr_type_cache_clear(void)
{
    for (size_t i = 0; i < CACHE_SIZE; i++) {
        struct cache_entry *e = &type_state.cache[i];
        e->version = 0;
        e->value = NULL;
        Py_CLEAR(e->name);
    }
}

unsigned int
PyType_ClearCache(void)
{
    unsigned int last = type_state.next_version - 1;
    kr_type_cache_clear();
    return last;
}

/* ---- lookup ------------------------------------------------------------- */

static inline Py_hash_t
name_hash(PyObject *name)
{
    Py_hash_t h = -1;
    if (PyUnicode_CheckExact(name)) {
        h = ((PyASCIIObject *)name)->hash;
    }
    return h != -1 ? h : PyObject_Hash(name);
}

PyObject *
kr_mro_find(PyTypeObject *type, PyObject *name, int *error)
{
    *error = 0;
    Py_hash_t hash = name_hash(name);
    if (hash == -1) {
        *error = -1;
        return NULL;
    }
    PyObject *mro = type->tp_mro;
    if (mro == NULL) {
        if (!(type->tp_flags & Py_TPFLAGS_READYING)) {
            if (PyType_Ready(type) < 0) {
                *error = -1;
                return NULL;
            }
            mro = type->tp_mro;
        }
        if (mro == NULL) {
            *error = 1;
            return NULL;
        }
    }
    /* A comparison of str subclasses may run code that replaces the MRO. */
    Py_INCREF(mro);
    PyObject *res = NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(mro);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        res = _PyDict_GetItem_KnownHash(base->tp_dict, name, hash);
        if (res != NULL) {
            break;
        }
        if (PyErr_Occurred()) {
            *error = -1;
            break;
        }
    }
    Py_DECREF(mro);
    return res;
}

PyObject *
_PyType_Lookup(PyTypeObject *type, PyObject *name)
{
    size_t at = (type->tp_version_tag ^ ((uintptr_t)name >> 3))
                & (CACHE_SIZE - 1);
    struct cache_entry *e = &type_state.cache[at];
    if (KR_LIKELY(e->version == type->tp_version_tag && e->name == name
                  && e->version != 0)) {
        return e->value;
    }
    int error;
    PyObject *res = kr_mro_find(type, name, &error);
    if (KR_UNLIKELY(error != 0)) {
        /* This function sets no exceptions, so the caller cannot see a
         * failure; the next lookup may find out. */
        if (error < 0) {
            PyErr_Clear();
        }
        return NULL;
    }
    if (PyUnicode_CheckExact(name)
        && PyUnicode_GET_LENGTH(name) <= MAX_CACHED_NAME
        && kr_type_assign_version(type)) {
        at = (type->tp_version_tag ^ ((uintptr_t)name >> 3))
             & (CACHE_SIZE - 1);
        e = &type_state.cache[at];
        e->version = type->tp_version_tag;
        e->value = res;
        PyObject *old = e->name;
        e->name = Py_NewRef(name);
        Py_XDECREF(old);
    }
    return res;
}

PyObject *
_PyType_LookupId(PyTypeObject *type, _Py_Identifier *id)
{
    PyObject *name = _PyUnicode_FromId(id);
    return name == NULL ? NULL : _PyType_Lookup(type, name);
}

/* ---- attributes of types ------------------------------------------------ */

PyObject *
kr_type_getattr(PyTypeObject *type, PyObject *name, bool quiet)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError,
                     "attribute name must be string, not '%.200s'",
                     Py_TYPE(name)->tp_name);
        return NULL;
    }
    if (!(type->tp_flags & Py_TPFLAGS_READY) && PyType_Ready(type) < 0) {
        return NULL;
    }
    PyTypeObject *meta = Py_TYPE(type);
    PyObject *res = NULL;
    PyObject *meta_attr = _PyType_Lookup(meta, name);
    descrgetfunc meta_get = NULL;
    if (meta_attr != NULL) {
        Py_INCREF(meta_attr);
        meta_get = Py_TYPE(meta_attr)->tp_descr_get;
        if (meta_get != NULL && Py_TYPE(meta_attr)->tp_descr_set != NULL) {
            res = meta_get(meta_attr, (PyObject *)type, (PyObject *)meta);
            Py_DECREF(meta_attr);
            return res;
        }
    }
    PyObject *attr = _PyType_Lookup(type, name);
    if (attr != NULL) {
        descrgetfunc get = Py_TYPE(attr)->tp_descr_get;
        Py_INCREF(attr);
        Py_XDECREF(meta_attr);
        if (get == NULL) {
            return attr;
        }
        res = get(attr, NULL, (PyObject *)type);
        Py_DECREF(attr);
        return res;
    }
    if (meta_get != NULL) {
        res = meta_get(meta_attr, (PyObject *)type, (PyObject *)meta);
        Py_DECREF(meta_attr);
        return res;
    }
    if (meta_attr != NULL) {
        return meta_attr;
    }
    if (!quiet) {
        PyErr_Format(PyExc_AttributeError,
                     "type object '%.50s' has no attribute '%U'",
                     type->tp_name, name);
    }
    return NULL;
}

PyObject *
kr_type_getattro(PyObject *type, PyObject *name)
{
    return kr_type_getattr((PyTypeObject *)type, name, false);
}

int
PyType_IsSubtype(PyTypeObject *a, PyTypeObject *b)
{
    PyObject *mro = a->tp_mro; /* a custom one may even lack `a` */
    if (mro != NULL) {
        Py_ssize_t n = PyTuple_GET_SIZE(mro);
        for (Py_ssize_t i = 0; i < n; i++) {
            if (PyTuple_GET_ITEM(mro, i) == (PyObject *)b) {
                return 1;
            }
        }
        return 0;
    }
    /* Not ready yet: the chain of bases is all there is. */
    for (; a != NULL; a = a->tp_base) {
        if (a == b) {
            return 1;
        }
    }
    return b == &PyBaseObject_Type;
}

unsigned long
PyType_GetFlags(PyTypeObject *type)
{
    return type->tp_flags;
}
