/* What the files of the dict share, beyond objects/dict.h. */
#ifndef KR_OBJECTS_DICT_INTERNAL_H
#define KR_OBJECTS_DICT_INTERNAL_H

#include "memory/gc.h"
#include "objects/dict.h"

struct kr_dict_state {
    uint64_t version;      /* last tag given, low byte zero */
    uint32_t keys_version; /* last keys version given */
    int watchers;
    kr_dict_watcher watcher[KR_DICT_WATCHERS];
};

extern struct kr_dict_state kr_dict_state;

#define WATCH_MASK 0xffu

void kr_dict_notify(enum kr_dict_event event, PyDictObject *mp, PyObject *key,
                    PyObject *value);

/* Gives the dict a fresh version tag and tells its watchers. */
static inline void
kr_dict_touch(enum kr_dict_event event, PyDictObject *mp, PyObject *key,
              PyObject *value)
{
    uint64_t watch = mp->ma_version_tag & WATCH_MASK;
    if (KR_UNLIKELY(watch != 0)) {
        kr_dict_notify(event, mp, key, value);
    }
    kr_dict_state.version += WATCH_MASK + 1;
    mp->ma_version_tag = kr_dict_state.version | watch;
}

static inline Py_ssize_t
dict_usable_of(size_t size)
{
    return (Py_ssize_t)((size << 1) / 3);
}

static inline Py_ssize_t
dict_index_get(const PyDictKeysObject *keys, size_t i)
{
    if (keys->log2_size < 8) {
        return ((const int8_t *)keys->indices)[i];
    }
    if (keys->log2_size < 16) {
        return ((const int16_t *)keys->indices)[i];
    }
    if (keys->log2_size < 32) {
        return ((const int32_t *)keys->indices)[i];
    }
    return ((const int64_t *)keys->indices)[i];
}

static inline void
dict_index_set(PyDictKeysObject *keys, size_t i, Py_ssize_t ix)
{
    if (keys->log2_size < 8) {
        ((int8_t *)keys->indices)[i] = (int8_t)ix;
    }
    else if (keys->log2_size < 16) {
        ((int16_t *)keys->indices)[i] = (int16_t)ix;
    }
    else if (keys->log2_size < 32) {
        ((int32_t *)keys->indices)[i] = (int32_t)ix;
    }
    else {
        ((int64_t *)keys->indices)[i] = ix;
    }
}

static inline PyObject *
dict_any_key(PyDictKeysObject *keys, Py_ssize_t i)
{
    return kr_dict_keys_are_str(keys) ? kr_dict_str_entry_at(keys, i)->key
                                      : kr_dict_entry_at(keys, i)->key;
}

static inline PyObject **
dict_any_value(PyDictKeysObject *keys, Py_ssize_t i)
{
    return kr_dict_keys_are_str(keys) ? &kr_dict_str_entry_at(keys, i)->value
                                      : &kr_dict_entry_at(keys, i)->value;
}

static inline Py_hash_t
dict_str_hash(PyObject *str)
{
    return ((PyASCIIObject *)str)->hash;
}

/* Hash of a key: cached for exact str. -1 with an exception. */
static inline Py_hash_t
dict_key_hash(PyObject *key)
{
    if (KR_LIKELY(PyUnicode_CheckExact(key))) {
        Py_hash_t hash = dict_str_hash(key);
        if (KR_LIKELY(hash != -1)) {
            return hash;
        }
    }
    return PyObject_Hash(key);
}

/* Whether the collector might have to follow `op`. */
static inline bool
dict_may_be_tracked(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (!PyType_HasFeature(type, Py_TPFLAGS_HAVE_GC)) {
        return false;
    }
    if (type == &PyTuple_Type) {
        return kr_gc_is_tracked(op);
    }
    return type->tp_is_gc == NULL || type->tp_is_gc(op);
}

static inline void
dict_maintain_tracking(PyDictObject *mp, PyObject *key, PyObject *value)
{
    if ((dict_may_be_tracked(value) || dict_may_be_tracked(key))
        && !kr_gc_is_tracked((PyObject *)mp)) {
        kr_gc_track((PyObject *)mp);
    }
}

/* core.c. Sizes are exponents; all return -1/NULL with an exception. */
uint8_t kr_dict_log2_for(Py_ssize_t slots);
uint8_t kr_dict_log2_for_items(Py_ssize_t items);
int kr_dict_resize(PyDictObject *mp, uint8_t log2_size, bool str_keys);
PyDictKeysObject *kr_dict_clone_keys(PyDictKeysObject *keys);
void kr_dict_free_keys(PyDictKeysObject *keys);
Py_ssize_t kr_dict_lookup(PyDictObject *mp, PyObject *key, Py_hash_t hash,
                          PyObject **value);
int kr_dict_insert(PyDictObject *mp, PyObject *key, Py_hash_t hash,
                   PyObject *value);
/* the same for a key that is known to be missing */
int kr_dict_append(PyDictObject *mp, PyObject *key, Py_hash_t hash,
                   PyObject *value);
PyObject *kr_dict_remove(PyDictObject *mp, Py_hash_t hash, Py_ssize_t ix);
PyDictObject *kr_dict_alloc(PyDictKeysObject *keys, Py_ssize_t used);

#endif
