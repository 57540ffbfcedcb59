/* The hash table of the dict: lookup, insertion, removal, growth.
 *
 * A comparison may run any code, so lookups note what they were looking at and
 * start again when the table was changed under them. */
#include <Python.h>

#include <string.h>

#include "objects/dict/dict_internal.h"

struct kr_dict_state kr_dict_state = {.keys_version = 1};

/* Never written: 8 free indices, no entries. Its fields are those of struct
 * _dictkeysobject. */
static struct {
    Py_ssize_t first;
    uint8_t log2_size, log2_index_bytes, kind;
    uint32_t version;
    Py_ssize_t usable, nentries;
    int8_t indices[8];
} empty_keys = {
    .log2_size = 3,
    .log2_index_bytes = 3,
    .kind = KR_DICT_UNICODE,
    .version = 1,
    .indices = {-1, -1, -1, -1, -1, -1, -1, -1},
};

struct _dictkeysobject *const kr_dict_empty_keys =
    (struct _dictkeysobject *)&empty_keys;

/* ---- watchers and versions */

void
kr_dict_notify(enum kr_dict_event event, PyDictObject *mp, PyObject *key,
               PyObject *value)
{
    uint64_t bits = mp->ma_version_tag & WATCH_MASK;
    for (int i = 0; bits != 0; i++, bits >>= 1) {
        if (bits & 1) {
            kr_dict_state.watcher[i](event, mp, key, value);
        }
    }
}

int
kr_dict_add_watcher(kr_dict_watcher callback)
{
    if (kr_dict_state.watchers == KR_DICT_WATCHERS) {
        return -1;
    }
    kr_dict_state.watcher[kr_dict_state.watchers] = callback;
    return kr_dict_state.watchers++;
}

void
kr_dict_watch(int id, PyDictObject *dict)
{
    dict->ma_version_tag |= (uint64_t)1 << id;
}

void
kr_dict_unwatch(int id, PyDictObject *dict)
{
    dict->ma_version_tag &= ~((uint64_t)1 << id);
}

uint32_t
kr_dict_keys_version(PyDictObject *dict)
{
    PyDictKeysObject *keys = dict->ma_keys;
    if (keys->version == 0 && kr_dict_state.keys_version != UINT32_MAX) {
        keys->version = ++kr_dict_state.keys_version;
    }
    return keys->version;
}

/* ---- tables */

uint8_t
kr_dict_log2_for(Py_ssize_t slots)
{
    size_t n = (((size_t)slots | 8) - 1) | 7;
    return (uint8_t)(64 - __builtin_clzll(n));
}

uint8_t
kr_dict_log2_for_items(Py_ssize_t items)
{
    return kr_dict_log2_for((items * 3 + 1) / 2);
}

static size_t
entry_size(bool str_keys)
{
    return str_keys ? sizeof(struct kr_dict_str_entry)
                    : sizeof(struct kr_dict_entry);
}

static size_t
keys_bytes(const PyDictKeysObject *keys)
{
    return sizeof(*keys) + ((size_t)1 << keys->log2_index_bytes)
           + (size_t)dict_usable_of((size_t)1 << keys->log2_size)
                 * entry_size(kr_dict_keys_are_str(keys));
}

size_t
kr_dict_keys_size(PyDictObject *dict)
{
    return dict->ma_keys == kr_dict_empty_keys ? 0 : keys_bytes(dict->ma_keys);
}

static PyDictKeysObject *
new_keys(uint8_t log2_size, bool str_keys)
{
    uint8_t log2_bytes = log2_size < 8    ? log2_size
                         : log2_size < 16 ? log2_size + 1
                         : log2_size < 32 ? log2_size + 2
                                          : log2_size + 3;
    if (log2_size > 56) {
        PyErr_NoMemory();
        return NULL;
    }
    Py_ssize_t usable = dict_usable_of((size_t)1 << log2_size);
    size_t index = (size_t)1 << log2_bytes;
    size_t entries = (size_t)usable * entry_size(str_keys);
    PyDictKeysObject *keys = PyObject_Malloc(sizeof(*keys) + index + entries);
    if (keys == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    keys->first = 0;
    keys->log2_size = log2_size;
    keys->log2_index_bytes = log2_bytes;
    keys->kind = str_keys ? KR_DICT_UNICODE : KR_DICT_GENERAL;
    keys->version = 0;
    keys->usable = usable;
    keys->nentries = 0;
    memset(keys->indices, 0xff, index);
    memset(keys->indices + index, 0, entries);
    return keys;
}

void
kr_dict_free_keys(PyDictKeysObject *keys)
{
    if (keys == kr_dict_empty_keys) {
        return;
    }
    Py_ssize_t n = keys->nentries;
    if (kr_dict_keys_are_str(keys)) {
        struct kr_dict_str_entry *e = kr_dict_entries(keys);
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_XDECREF(e[i].key);
            Py_XDECREF(e[i].value);
        }
    }
    else {
        struct kr_dict_entry *e = kr_dict_entries(keys);
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_XDECREF(e[i].key);
            Py_XDECREF(e[i].value);
        }
    }
    PyObject_Free(keys);
}

PyDictKeysObject *
kr_dict_clone_keys(PyDictKeysObject *keys)
{
    size_t size = keys_bytes(keys);
    PyDictKeysObject *copy = PyObject_Malloc(size);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(copy, keys, size);
    copy->version = 0;
    Py_ssize_t n = copy->nentries;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *value = *dict_any_value(copy, i);
        if (value != NULL) {
            Py_INCREF(value);
            Py_INCREF(dict_any_key(copy, i));
        }
    }
    return copy;
}

/* ---- lookup */

static inline bool
str_equal(PyObject *a, PyObject *b)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(a);
    unsigned kind = PyUnicode_KIND(a);
    return n == PyUnicode_GET_LENGTH(b) && kind == PyUnicode_KIND(b)
           && memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b),
                     (size_t)n * kind) == 0;
}

#define PROBE_STR(NAME, TYPE)                                                  \
    static Py_ssize_t NAME(PyDictKeysObject *keys, PyObject *key,              \
                           Py_hash_t hash)                                     \
    {                                                                          \
        const TYPE *index = (const TYPE *)keys->indices;                       \
        struct kr_dict_str_entry *entries = kr_dict_entries(keys);             \
        size_t mask = ((size_t)1 << keys->log2_size) - 1;                      \
        size_t perturb = (size_t)hash, i = (size_t)hash & mask;                \
        for (;;) {                                                             \
            Py_ssize_t ix = index[i];                                          \
            if (KR_LIKELY(ix >= 0)) {                                          \
                PyObject *k = entries[ix].key;                                 \
                if (k == key) {                                                \
                    return ix;                                                 \
                }                                                              \
                if (dict_str_hash(k) == hash && str_equal(k, key)) {           \
                    return ix;                                                 \
                }                                                              \
            }                                                                  \
            else if (ix == KR_DICT_EMPTY) {                                    \
                return KR_DICT_EMPTY;                                          \
            }                                                                  \
            perturb >>= 5;                                                     \
            i = (i * 5 + perturb + 1) & mask;                                  \
        }                                                                      \
    }

PROBE_STR(probe_str8, int8_t)
PROBE_STR(probe_str16, int16_t)
PROBE_STR(probe_str32, int32_t)
PROBE_STR(probe_str64, int64_t)

static inline Py_ssize_t
probe_str(PyDictKeysObject *keys, PyObject *key, Py_hash_t hash)
{
    if (KR_LIKELY(keys->log2_size < 8)) {
        return probe_str8(keys, key, hash);
    }
    if (keys->log2_size < 16) {
        return probe_str16(keys, key, hash);
    }
    if (keys->log2_size < 32) {
        return probe_str32(keys, key, hash);
    }
    return probe_str64(keys, key, hash);
}

/* Compares entry `ix` with the key: 1, 0, KR_DICT_ERROR, or -1 to start over
 * because the comparison changed the table. */
static int
compare_entry(PyDictObject *mp, Py_ssize_t ix, PyObject *k, PyObject *key)
{
    if (PyUnicode_CheckExact(k) && PyUnicode_CheckExact(key)) {
        return str_equal(k, key);
    }
    PyDictKeysObject *keys = mp->ma_keys;
    uint64_t tag = mp->ma_version_tag;
    uint8_t log2_size = keys->log2_size;
    Py_INCREF(k);
    int eq = PyObject_RichCompareBool(k, key, Py_EQ);
    Py_DECREF(k);
    if (eq < 0) {
        return KR_DICT_ERROR;
    }
    if (KR_LIKELY(tag == mp->ma_version_tag)) {
        return eq;
    }
    if (keys == mp->ma_keys && keys->log2_size == log2_size
        && ix < keys->nentries && dict_any_key(keys, ix) == k) {
        return eq;
    }
    return -1;
}

static Py_ssize_t
probe_any(PyDictObject *mp, PyObject *key, Py_hash_t hash)
{
restart:;
    PyDictKeysObject *keys = mp->ma_keys;
    bool str_keys = kr_dict_keys_are_str(keys);
    size_t mask = ((size_t)1 << keys->log2_size) - 1;
    size_t perturb = (size_t)hash, i = (size_t)hash & mask;
    for (;;) {
        Py_ssize_t ix = dict_index_get(keys, i);
        if (ix >= 0) {
            PyObject *k;
            Py_hash_t h;
            if (str_keys) {
                k = kr_dict_str_entry_at(keys, ix)->key;
                h = dict_str_hash(k);
            }
            else {
                struct kr_dict_entry *e = kr_dict_entry_at(keys, ix);
                k = e->key;
                h = e->hash;
            }
            if (k == key) {
                return ix;
            }
            if (h == hash) {
                int eq = compare_entry(mp, ix, k, key);
                if (eq > 0) {
                    return ix;
                }
                if (eq == KR_DICT_ERROR) {
                    return KR_DICT_ERROR;
                }
                if (eq < 0) {
                    goto restart;
                }
            }
        }
        else if (ix == KR_DICT_EMPTY) {
            return KR_DICT_EMPTY;
        }
        perturb >>= 5;
        i = (i * 5 + perturb + 1) & mask;
    }
}

Py_ssize_t
kr_dict_lookup_index(PyDictObject *dict, PyObject *key, Py_hash_t hash)
{
    if (kr_dict_keys_are_str(dict->ma_keys)
        && KR_LIKELY(PyUnicode_CheckExact(key))) {
        return probe_str(dict->ma_keys, key, hash);
    }
    return probe_any(dict, key, hash);
}

/* As kr_dict_lookup_index; *value is borrowed, NULL if missing. */
Py_ssize_t
kr_dict_lookup(PyDictObject *mp, PyObject *key, Py_hash_t hash,
               PyObject **value)
{
    Py_ssize_t ix = kr_dict_lookup_index(mp, key, hash);
    *value = ix >= 0 ? *dict_any_value(mp->ma_keys, ix) : NULL;
    return ix;
}

/* ---- growth */

static void
index_new_entry(PyDictKeysObject *keys, Py_hash_t hash, Py_ssize_t ix)
{
    size_t mask = ((size_t)1 << keys->log2_size) - 1;
    size_t perturb = (size_t)hash, i = (size_t)hash & mask;
    while (dict_index_get(keys, i) >= 0) {
        perturb >>= 5;
        i = (i * 5 + perturb + 1) & mask;
    }
    dict_index_set(keys, i, ix);
}

/* Moves the entries to an empty table, leaving `gap` free ones in front. */
static void
move_entries(PyDictKeysObject *from, PyDictKeysObject *to, Py_ssize_t gap)
{
    Py_ssize_t n = from->nentries, at = gap;
    to->first = gap;
    for (Py_ssize_t i = from->first; i < n; i++) {
        PyObject *key, *value;
        Py_hash_t hash;
        if (kr_dict_keys_are_str(from)) {
            struct kr_dict_str_entry *e = kr_dict_str_entry_at(from, i);
            if (e->value == NULL) {
                continue;
            }
            key = e->key;
            value = e->value;
            hash = dict_str_hash(key);
        }
        else {
            struct kr_dict_entry *e = kr_dict_entry_at(from, i);
            if (e->value == NULL) {
                continue;
            }
            key = e->key;
            value = e->value;
            hash = e->hash;
        }
        if (kr_dict_keys_are_str(to)) {
            *kr_dict_str_entry_at(to, at) =
                (struct kr_dict_str_entry){key, value};
        }
        else {
            *kr_dict_entry_at(to, at) =
                (struct kr_dict_entry){hash, key, value};
        }
        index_new_entry(to, hash, at++);
    }
    to->nentries = at;
    to->usable -= at;
}

static int
resize_with_gap(PyDictObject *mp, uint8_t log2_size, bool str_keys,
                Py_ssize_t gap)
{
    PyDictKeysObject *old = mp->ma_keys;
    if (!kr_dict_keys_are_str(old)) {
        str_keys = false;
    }
    PyDictKeysObject *keys = new_keys(log2_size, str_keys);
    if (keys == NULL) {
        return -1;
    }
    move_entries(old, keys, gap);
    mp->ma_keys = keys;
    if (old != kr_dict_empty_keys) {
        PyObject_Free(old);
    }
    return 0;
}

int
kr_dict_resize(PyDictObject *mp, uint8_t log2_size, bool str_keys)
{
    return resize_with_gap(mp, log2_size, str_keys, 0);
}

/* ---- changes */

static int
append_entry(PyDictObject *mp, PyObject *key, Py_hash_t hash, PyObject *value)
{
    PyDictKeysObject *keys = mp->ma_keys;
    bool str_key = PyUnicode_CheckExact(key);
    if (KR_UNLIKELY(keys->usable <= 0
                    || (!str_key && kr_dict_keys_are_str(keys)))) {
        uint8_t log2_size = keys == kr_dict_empty_keys
                                ? KR_DICT_MIN_LOG2
                                : kr_dict_log2_for(mp->ma_used * 3);
        if (kr_dict_resize(mp, log2_size, str_key) < 0) {
            return -1;
        }
        keys = mp->ma_keys;
    }
    kr_dict_touch(KR_DICT_ADDED, mp, key, value);
    keys->version = 0;
    Py_ssize_t at = keys->nentries;
    index_new_entry(keys, hash, at);
    if (kr_dict_keys_are_str(keys)) {
        *kr_dict_str_entry_at(keys, at) =
            (struct kr_dict_str_entry){key, value};
    }
    else {
        *kr_dict_entry_at(keys, at) = (struct kr_dict_entry){hash, key, value};
    }
    keys->nentries++;
    keys->usable--;
    mp->ma_used++;
    return 0;
}

void
kr_dict_replace_value(PyDictObject *dict, Py_ssize_t index, PyObject *value)
{
    PyObject **slot = kr_dict_value_slot(dict, index);
    PyObject *old = *slot;
    if (old != value) {
        kr_dict_touch(KR_DICT_MODIFIED, dict, kr_dict_entry_key(dict, index),
                      value);
        if (dict_may_be_tracked(value) && !kr_gc_is_tracked((PyObject *)dict)) {
            kr_gc_track((PyObject *)dict);
        }
        *slot = value;
    }
    Py_DECREF(old);
}

int
kr_dict_append(PyDictObject *mp, PyObject *key, Py_hash_t hash, PyObject *value)
{
    dict_maintain_tracking(mp, key, value);
    if (KR_UNLIKELY(append_entry(mp, key, hash, value) < 0)) {
        Py_DECREF(key);
        Py_DECREF(value);
        return -1;
    }
    return 0;
}

/* d[key] = value. Takes over both references, also on failure. */
int
kr_dict_insert(PyDictObject *mp, PyObject *key, Py_hash_t hash, PyObject *value)
{
    Py_ssize_t ix = kr_dict_lookup_index(mp, key, hash);
    if (ix >= 0) {
        kr_dict_replace_value(mp, ix, value);
        Py_DECREF(key);
        return 0;
    }
    if (KR_UNLIKELY(ix == KR_DICT_ERROR)) {
        Py_DECREF(key);
        Py_DECREF(value);
        return -1;
    }
    return kr_dict_append(mp, key, hash, value);
}

/* Takes entry `ix` out of the table; the reference to its value goes to the
 * caller. The key is released, which may run code. */
PyObject *
kr_dict_remove(PyDictObject *mp, Py_hash_t hash, Py_ssize_t ix)
{
    PyDictKeysObject *keys = mp->ma_keys;
    kr_dict_touch(KR_DICT_DELETED, mp, dict_any_key(keys, ix), NULL);
    size_t mask = ((size_t)1 << keys->log2_size) - 1;
    size_t perturb = (size_t)hash, i = (size_t)hash & mask;
    while (dict_index_get(keys, i) != ix) {
        perturb >>= 5;
        i = (i * 5 + perturb + 1) & mask;
    }
    dict_index_set(keys, i, KR_DICT_DUMMY);
    keys->version = 0;
    keys->first += ix == keys->first;
    mp->ma_used--;
    PyObject *key, *value;
    if (kr_dict_keys_are_str(keys)) {
        struct kr_dict_str_entry *e = kr_dict_str_entry_at(keys, ix);
        key = e->key;
        value = e->value;
        e->key = e->value = NULL;
    }
    else {
        struct kr_dict_entry *e = kr_dict_entry_at(keys, ix);
        key = e->key;
        value = e->value;
        e->key = e->value = NULL;
        e->hash = 0;
    }
    Py_DECREF(key);
    return value;
}

/* ---- order */

/* Index slot of entry `ix`. */
static size_t
slot_of(PyDictKeysObject *keys, Py_hash_t hash, Py_ssize_t ix)
{
    size_t mask = ((size_t)1 << keys->log2_size) - 1;
    size_t perturb = (size_t)hash, i = (size_t)hash & mask;
    while (dict_index_get(keys, i) != ix) {
        perturb >>= 5;
        i = (i * 5 + perturb + 1) & mask;
    }
    return i;
}

/* Moves the contents of entry `ix` to the free entry `to`. */
static void
move_entry(PyDictKeysObject *keys, Py_hash_t hash, Py_ssize_t ix,
           Py_ssize_t to)
{
    dict_index_set(keys, slot_of(keys, hash, ix), to);
    if (kr_dict_keys_are_str(keys)) {
        struct kr_dict_str_entry *e = kr_dict_entries(keys);
        e[to] = e[ix];
        e[ix] = (struct kr_dict_str_entry){0};
    }
    else {
        struct kr_dict_entry *e = kr_dict_entries(keys);
        e[to] = e[ix];
        e[ix] = (struct kr_dict_entry){0};
    }
}

static Py_ssize_t
first_entry(PyDictKeysObject *keys)
{
    Py_ssize_t i = keys->first;
    while (*dict_any_value(keys, i) == NULL) {
        i++;
    }
    keys->first = i;
    return i;
}

static Py_ssize_t
last_entry(PyDictKeysObject *keys)
{
    Py_ssize_t i = keys->nentries - 1;
    while (*dict_any_value(keys, i) == NULL) {
        i--;
    }
    return i;
}

void
kr_dict_end(PyDictObject *dict, bool last, PyObject **key, Py_hash_t *hash)
{
    PyDictKeysObject *keys = dict->ma_keys;
    Py_ssize_t i = last ? last_entry(keys) : first_entry(keys);
    *key = dict_any_key(keys, i);
    *hash = kr_dict_keys_are_str(keys) ? dict_str_hash(*key)
                                       : kr_dict_entry_at(keys, i)->hash;
}

int
kr_dict_move(PyDictObject *dict, PyObject *key, Py_hash_t hash, bool last)
{
    Py_ssize_t ix = kr_dict_lookup_index(dict, key, hash);
    if (ix < 0) {
        if (ix == KR_DICT_EMPTY) {
            PyErr_SetObject(PyExc_KeyError, key); /* a tuple is spread */
        }
        return -1;
    }
    PyDictKeysObject *keys = dict->ma_keys;
    if (ix == (last ? last_entry(keys) : first_entry(keys))) {
        return 0;
    }
    if (last ? keys->usable <= 0 : keys->first == 0) {
        /* a new table, with room at the wanted end */
        PyObject *own = dict_any_key(keys, ix);
        Py_ssize_t gap = last ? 0 : dict->ma_used / 4 + 2;
        if (resize_with_gap(dict, kr_dict_log2_for((dict->ma_used + gap) * 3),
                            kr_dict_keys_are_str(keys), gap) < 0) {
            return -1;
        }
        keys = dict->ma_keys;
        for (ix = keys->first; dict_any_key(keys, ix) != own; ix++) {
        }
    }
    kr_dict_touch(KR_DICT_MODIFIED, dict, dict_any_key(keys, ix), NULL);
    keys->version = 0;
    if (last) {
        move_entry(keys, hash, ix, keys->nentries++);
        keys->usable--;
    }
    else {
        move_entry(keys, hash, ix, --keys->first);
    }
    return 0;
}

/* ---- new dicts */

PyDictObject *
kr_dict_alloc(PyDictKeysObject *keys, Py_ssize_t used)
{
    PyDictObject *mp = kr_gc_malloc(sizeof(PyDictObject), 0);
    if (mp == NULL) {
        kr_dict_free_keys(keys);
        return NULL;
    }
    mp->ob_base.ob_refcnt = 1;
    mp->ob_base.ob_type = &PyDict_Type;
    mp->ma_used = used;
    kr_dict_state.version += WATCH_MASK + 1;
    mp->ma_version_tag = kr_dict_state.version;
    mp->ma_keys = keys;
    mp->ma_values = NULL;
    return mp;
}

PyObject *
PyDict_New(void)
{
    return (PyObject *)kr_dict_alloc(kr_dict_empty_keys, 0);
}

PyObject *
kr_dict_new_presized(Py_ssize_t n, bool str_keys)
{
    const Py_ssize_t most = 128 * 1024;
    if (n <= dict_usable_of(8)) {
        return PyDict_New();
    }
    uint8_t log2_size =
        n > dict_usable_of(most) ? 17 : kr_dict_log2_for_items(n);
    PyDictKeysObject *keys = new_keys(log2_size, str_keys);
    return keys == NULL ? NULL : (PyObject *)kr_dict_alloc(keys, 0);
}

PyObject *
_PyDict_NewPresized(Py_ssize_t minused)
{
    return kr_dict_new_presized(minused, false);
}

PyObject *
_PyDict_FromItems(PyObject *const *keys, Py_ssize_t keys_offset,
                  PyObject *const *values, Py_ssize_t values_offset,
                  Py_ssize_t length)
{
    bool str_keys = true;
    for (Py_ssize_t i = 0; i < length && str_keys; i++) {
        str_keys = PyUnicode_CheckExact(keys[i * keys_offset]);
    }
    PyObject *dict = kr_dict_new_presized(length, str_keys);
    if (dict == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        if (PyDict_SetItem(dict, keys[i * keys_offset],
                           values[i * values_offset]) < 0) {
            Py_DECREF(dict);
            return NULL;
        }
    }
    return dict;
}
