/* The dictionary: insertion-ordered hash table with split index and entries.
 *
 * `ma_keys` holds an index (open addressing, elements of 1, 2, 4 or 8 bytes,
 * -1 = never used, -2 = deleted) followed by a dense array of entries in order
 * of insertion. While all keys are exact str, an entry has no hash word: the
 * str carries it. `ma_values` is always NULL. Everything that changes a dict
 * gives it a fresh version tag; the low byte of the tag says who watches it. */
#ifndef KR_OBJECTS_DICT_H
#define KR_OBJECTS_DICT_H

#include <Python.h>

#include "base/common.h"

#define KR_DICT_MIN_LOG2 3
#define KR_DICT_EMPTY (-1)
#define KR_DICT_DUMMY (-2)
#define KR_DICT_ERROR (-3)

enum { KR_DICT_GENERAL = 0, KR_DICT_UNICODE = 1 };

struct _dictkeysobject {
    Py_ssize_t first; /* all entries below are deleted */
    uint8_t log2_size;
    uint8_t log2_index_bytes;
    uint8_t kind;
    uint32_t version; /* 0: not assigned; see kr_dict_keys_version */
    Py_ssize_t usable;
    Py_ssize_t nentries;
    char indices[];
};

struct kr_dict_entry {
    Py_hash_t hash;
    PyObject *key;
    PyObject *value; /* NULL: deleted */
};

struct kr_dict_str_entry {
    PyObject *key;
    PyObject *value;
};

/* Keys of every dict that never had an item. */
extern struct _dictkeysobject *const kr_dict_empty_keys;

static inline bool
kr_dict_keys_are_str(const PyDictKeysObject *keys)
{
    return keys->kind == KR_DICT_UNICODE;
}

static inline void *
kr_dict_entries(PyDictKeysObject *keys)
{
    return keys->indices + ((size_t)1 << keys->log2_index_bytes);
}

static inline struct kr_dict_entry *
kr_dict_entry_at(PyDictKeysObject *keys, Py_ssize_t i)
{
    return (struct kr_dict_entry *)kr_dict_entries(keys) + i;
}

static inline struct kr_dict_str_entry *
kr_dict_str_entry_at(PyDictKeysObject *keys, Py_ssize_t i)
{
    return (struct kr_dict_str_entry *)kr_dict_entries(keys) + i;
}

/* Where the value of entry `index` is; the caller has checked the keys
 * version, so that the entry exists. Borrowed. */
static inline PyObject **
kr_dict_value_slot(PyDictObject *dict, Py_ssize_t index)
{
    PyDictKeysObject *keys = dict->ma_keys;
    return kr_dict_keys_are_str(keys)
               ? &kr_dict_str_entry_at(keys, index)->value
               : &kr_dict_entry_at(keys, index)->value;
}

static inline PyObject *
kr_dict_entry_value(PyDictObject *dict, Py_ssize_t index)
{
    return *kr_dict_value_slot(dict, index);
}

/* Key of an existing entry; borrowed. */
static inline PyObject *
kr_dict_entry_key(PyDictObject *dict, Py_ssize_t index)
{
    PyDictKeysObject *keys = dict->ma_keys;
    return kr_dict_keys_are_str(keys)
               ? kr_dict_str_entry_at(keys, index)->key
               : kr_dict_entry_at(keys, index)->key;
}

static inline bool
kr_dict_has_str_keys(PyDictObject *dict)
{
    return kr_dict_keys_are_str(dict->ma_keys);
}

/* The version of the set of keys as it is, 0 if none is assigned. */
static inline uint32_t
kr_dict_keys_version_now(PyDictObject *dict)
{
    return dict->ma_keys->version;
}

/* The same, assigned if need be. Equal non-zero versions mean equal keys at
 * equal entry indices; 0 when the numbers are used up. */
uint32_t kr_dict_keys_version(PyDictObject *dict);

/* Changes with every change of the dict, never repeats. */
static inline uint64_t
kr_dict_version(PyDictObject *dict)
{
    return dict->ma_version_tag;
}

/* Entry index of `key`, KR_DICT_EMPTY if missing, KR_DICT_ERROR with an
 * exception when a comparison failed. May run code unless all keys are str. */
Py_ssize_t kr_dict_lookup_index(PyDictObject *dict, PyObject *key,
                                Py_hash_t hash);

/* Replaces the value of an existing entry; takes over `value`. */
void kr_dict_replace_value(PyDictObject *dict, Py_ssize_t index,
                           PyObject *value);

/* d[key] = value with both references taken over, also on failure (-1). */
int kr_dict_set_take2(PyDictObject *dict, PyObject *key, PyObject *value);

/* d[name] = value with the value taken over, also on failure; -1 as well if it
 * is NULL. */
int kr_dict_put(PyObject *dict, const char *name, PyObject *value);

/* As PyDict_SetItem, for an exact dict and an exact str with known hash. */
int kr_dict_set_str(PyDictObject *dict, PyObject *key, PyObject *value);

/* Lookup: 1 and a new reference, 0 and NULL, or -1 with an exception. */
int kr_dict_get_ref(PyObject *dict, PyObject *key, PyObject **result);

/* New dict with room for n items, all with str keys if `str_keys`. */
PyObject *kr_dict_new_presized(Py_ssize_t n, bool str_keys);

/* New dict of `length` pairs, read `offset` elements apart. */
PyObject *_PyDict_FromItems(PyObject *const *keys, Py_ssize_t keys_offset,
                            PyObject *const *values, Py_ssize_t values_offset,
                            Py_ssize_t length);

/* LOAD_GLOBAL: new reference; NULL without exception if in neither. */
PyObject *_PyDict_LoadGlobal(PyDictObject *globals, PyDictObject *builtins,
                             PyObject *key);

/* dict.fromkeys. */
PyObject *_PyDict_FromKeys(PyObject *cls, PyObject *iterable, PyObject *value);

/* __sizeof__ of the keys, 0 for the shared empty ones. */
size_t kr_dict_keys_size(PyDictObject *dict);

/* Makes an existing entry the last or the first one, in constant amortised
 * time. 0, or -1 with an exception: KeyError if it is missing. */
int kr_dict_move(PyDictObject *dict, PyObject *key, Py_hash_t hash, bool last);

/* Key (borrowed) and hash of the first or the last item. The dict must not
 * be empty. */
void kr_dict_end(PyDictObject *dict, bool last, PyObject **key,
                 Py_hash_t *hash);

/* ---- watchers */

enum kr_dict_event {
    KR_DICT_ADDED,
    KR_DICT_MODIFIED,
    KR_DICT_DELETED,
    KR_DICT_CLONED,
    KR_DICT_CLEARED,
    KR_DICT_DEALLOCATED,
};

#define KR_DICT_WATCHERS 8

/* Called before the change; must not change the dict nor raise. */
typedef void (*kr_dict_watcher)(enum kr_dict_event event, PyDictObject *dict,
                                PyObject *key, PyObject *value);

/* Registers a callback: its id, or -1 when there are too many. */
int kr_dict_add_watcher(kr_dict_watcher callback);
void kr_dict_watch(int id, PyDictObject *dict);
void kr_dict_unwatch(int id, PyDictObject *dict);

/* ---- for OrderedDict, the views and the other files of the dict */

/* Removes and returns d[key] (new reference); NULL with KeyError, or without
 * when deflt is given, which then is returned. */
PyAPI_FUNC(PyObject *)
    _PyDict_Pop_KnownHash(PyObject *, PyObject *, Py_hash_t, PyObject *);
PyObject *kr_dict_or(PyObject *self, PyObject *other);
int kr_dict_update_args(PyObject *self, PyObject *args, PyObject *kwds,
                        const char *method);
PyObject *kr_dict_view_new(PyObject *dict, PyTypeObject *type);
PyObject *kr_dict_iter_new(PyDictObject *dict, PyTypeObject *type);
PyObject *kr_dict_iter(PyObject *dict);

#endif
