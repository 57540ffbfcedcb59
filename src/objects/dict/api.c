/* The C interface of the dict: what PyDict_* and _PyDict_* promise. */
#include <Python.h>

#include <string.h>

#include "memory/tstate.h"
#include "objects/dict/dict_internal.h"
#include "objects/ids.h"
#include "objects/shape.h"

/* ---- reading */

Py_ssize_t
PyDict_Size(PyObject *op)
{
    if (op == NULL || !PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return ((PyDictObject *)op)->ma_used;
}

/* Looks up and keeps a pending exception: failures count as missing. */
PyObject *
PyDict_GetItem(PyObject *op, PyObject *key)
{
    if (!PyDict_Check(op)) {
        return NULL;
    }
    PyDictObject *mp = (PyDictObject *)op;
    PyObject *value;
    if (PyUnicode_CheckExact(key) && dict_str_hash(key) != -1
        && kr_dict_has_str_keys(mp)) {
        kr_dict_lookup(mp, key, dict_str_hash(key), &value);
        return value;
    }
    PyObject *type, *exc, *tb;
    PyErr_Fetch(&type, &exc, &tb);
    Py_hash_t hash = dict_key_hash(key);
    value = NULL;
    if (hash != -1) {
        kr_dict_lookup(mp, key, hash, &value);
    }
    PyErr_Restore(type, exc, tb);
    return value;
}

PyObject *
PyDict_GetItemWithError(PyObject *op, PyObject *key)
{
    if (!PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    Py_hash_t hash = dict_key_hash(key);
    if (hash == -1) {
        return NULL;
    }
    PyObject *value;
    kr_dict_lookup((PyDictObject *)op, key, hash, &value);
    return value;
}

#undef _PyDict_GetItemWithError
PyAPI_FUNC(PyObject *) _PyDict_GetItemWithError(PyObject *op, PyObject *key);

PyObject *
_PyDict_GetItemWithError(PyObject *op, PyObject *key)
{
    return PyDict_GetItemWithError(op, key);
}

PyObject *
_PyDict_GetItem_KnownHash(PyObject *op, PyObject *key, Py_hash_t hash)
{
    if (!PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *value;
    kr_dict_lookup((PyDictObject *)op, key, hash, &value);
    return value;
}

int
kr_dict_get_ref(PyObject *dict, PyObject *key, PyObject **result)
{
    *result = NULL;
    Py_hash_t hash = dict_key_hash(key);
    if (hash == -1) {
        return -1;
    }
    PyObject *value;
    Py_ssize_t ix = kr_dict_lookup((PyDictObject *)dict, key, hash, &value);
    if (value == NULL) {
        return ix == KR_DICT_ERROR ? -1 : 0;
    }
    *result = Py_NewRef(value);
    return 1;
}

PyObject *
_PyDict_GetItemIdWithError(PyObject *dp, _Py_Identifier *id)
{
    PyObject *key = _PyUnicode_FromId(id); /* borrowed */
    return key == NULL ? NULL : PyDict_GetItemWithError(dp, key);
}

PyObject *
_PyDict_GetItemStringWithError(PyObject *v, const char *key)
{
    PyObject *str = PyUnicode_FromString(key);
    if (str == NULL) {
        return NULL;
    }
    PyObject *value = PyDict_GetItemWithError(v, str);
    Py_DECREF(str);
    return value;
}

PyObject *
PyDict_GetItemString(PyObject *v, const char *key)
{
    PyObject *str = PyUnicode_FromString(key);
    if (str == NULL) {
        PyErr_Clear();
        return NULL;
    }
    PyObject *value = PyDict_GetItem(v, str);
    Py_DECREF(str);
    return value;
}

PyObject *
_PyDict_LoadGlobal(PyDictObject *globals, PyDictObject *builtins,
                   PyObject *key)
{
    Py_hash_t hash = dict_key_hash(key);
    if (hash == -1) {
        return NULL;
    }
    PyObject *value;
    Py_ssize_t ix = kr_dict_lookup(globals, key, hash, &value);
    if (value == NULL) {
        if (ix == KR_DICT_ERROR) {
            return NULL;
        }
        kr_dict_lookup(builtins, key, hash, &value);
    }
    return Py_XNewRef(value);
}

int
_PyDict_Contains_KnownHash(PyObject *op, PyObject *key, Py_hash_t hash)
{
    Py_ssize_t ix = kr_dict_lookup_index((PyDictObject *)op, key, hash);
    return ix == KR_DICT_ERROR ? -1 : ix >= 0;
}

int
PyDict_Contains(PyObject *op, PyObject *key)
{
    Py_hash_t hash = dict_key_hash(key);
    return hash == -1 ? -1 : _PyDict_Contains_KnownHash(op, key, hash);
}

int
_PyDict_ContainsId(PyObject *op, _Py_Identifier *id)
{
    PyObject *key = _PyUnicode_FromId(id);
    return key == NULL ? -1 : PyDict_Contains(op, key);
}

int
_PyDict_Next(PyObject *op, Py_ssize_t *ppos, PyObject **pkey,
             PyObject **pvalue, Py_hash_t *phash)
{
    if (!PyDict_Check(op)) {
        return 0;
    }
    PyDictKeysObject *keys = ((PyDictObject *)op)->ma_keys;
    Py_ssize_t i = *ppos, n = keys->nentries;
    if (i < keys->first) {
        if (i < 0) {
            return 0;
        }
        i = keys->first;
    }
    PyObject *key, *value;
    Py_hash_t hash;
    if (kr_dict_keys_are_str(keys)) {
        struct kr_dict_str_entry *e = kr_dict_entries(keys);
        while (i < n && e[i].value == NULL) {
            i++;
        }
        if (i >= n) {
            return 0;
        }
        key = e[i].key;
        value = e[i].value;
        hash = dict_str_hash(key);
    }
    else {
        struct kr_dict_entry *e = kr_dict_entries(keys);
        while (i < n && e[i].value == NULL) {
            i++;
        }
        if (i >= n) {
            return 0;
        }
        key = e[i].key;
        value = e[i].value;
        hash = e[i].hash;
    }
    *ppos = i + 1;
    if (pkey != NULL) {
        *pkey = key;
    }
    if (pvalue != NULL) {
        *pvalue = value;
    }
    if (phash != NULL) {
        *phash = hash;
    }
    return 1;
}

int
PyDict_Next(PyObject *op, Py_ssize_t *ppos, PyObject **pkey, PyObject **pvalue)
{
    return _PyDict_Next(op, ppos, pkey, pvalue, NULL);
}

int
_PyDict_HasOnlyStringKeys(PyObject *dict)
{
    if (kr_dict_has_str_keys((PyDictObject *)dict)) {
        return 1;
    }
    Py_ssize_t pos = 0;
    PyObject *key;
    while (PyDict_Next(dict, &pos, &key, NULL)) {
        if (!PyUnicode_Check(key)) {
            return 0;
        }
    }
    return 1;
}

/* ---- writing */

int
PyDict_SetItem(PyObject *op, PyObject *key, PyObject *value)
{
    if (!PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    Py_hash_t hash = dict_key_hash(key);
    if (hash == -1) {
        return -1;
    }
    return kr_dict_insert((PyDictObject *)op, Py_NewRef(key), hash,
                          Py_NewRef(value));
}

int
kr_dict_set_str(PyDictObject *dict, PyObject *key, PyObject *value)
{
    return kr_dict_insert(dict, Py_NewRef(key), dict_str_hash(key),
                          Py_NewRef(value));
}

int
kr_dict_set_take2(PyDictObject *dict, PyObject *key, PyObject *value)
{
    Py_hash_t hash = dict_key_hash(key);
    if (hash == -1) {
        Py_DECREF(key);
        Py_DECREF(value);
        return -1;
    }
    return kr_dict_insert(dict, key, hash, value);
}

int
_PyDict_SetItem_KnownHash(PyObject *op, PyObject *key, PyObject *value,
                          Py_hash_t hash)
{
    if (!PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return kr_dict_insert((PyDictObject *)op, Py_NewRef(key), hash,
                          Py_NewRef(value));
}

int
_PyDict_SetItemId(PyObject *v, _Py_Identifier *id, PyObject *item)
{
    PyObject *key = _PyUnicode_FromId(id);
    return key == NULL ? -1 : PyDict_SetItem(v, key, item);
}

int
PyDict_SetItemString(PyObject *v, const char *key, PyObject *item)
{
    PyObject *str = PyUnicode_FromString(key);
    if (str == NULL) {
        return -1;
    }
    PyUnicode_InternInPlace(&str);
    int err = PyDict_SetItem(v, str, item);
    Py_DECREF(str);
    return err;
}

PyObject *
PyDict_SetDefault(PyObject *d, PyObject *key, PyObject *defaultobj)
{
    if (!PyDict_Check(d)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyDictObject *mp = (PyDictObject *)d;
    Py_hash_t hash = dict_key_hash(key);
    if (hash == -1) {
        return NULL;
    }
    PyObject *value;
    Py_ssize_t ix = kr_dict_lookup(mp, key, hash, &value);
    if (ix == KR_DICT_ERROR) {
        return NULL;
    }
    if (value == NULL) {
        /* no second look-up: each key is compared only once */
        if (kr_dict_append(mp, Py_NewRef(key), hash, Py_NewRef(defaultobj)) <
            0) {
            return NULL;
        }
        value = defaultobj;
    }
    return value;
}

int
_PyDict_DelItem_KnownHash(PyObject *op, PyObject *key, Py_hash_t hash)
{
    if (!PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyDictObject *mp = (PyDictObject *)op;
    Py_ssize_t ix = kr_dict_lookup_index(mp, key, hash);
    if (ix < 0) {
        if (ix == KR_DICT_EMPTY) {
            _PyErr_SetKeyError(key);
        }
        return -1;
    }
    Py_DECREF(kr_dict_remove(mp, hash, ix));
    return 0;
}

int
PyDict_DelItem(PyObject *op, PyObject *key)
{
    Py_hash_t hash = dict_key_hash(key);
    return hash == -1 ? -1 : _PyDict_DelItem_KnownHash(op, key, hash);
}

int
_PyDict_DelItemId(PyObject *v, _Py_Identifier *id)
{
    PyObject *key = _PyUnicode_FromId(id);
    return key == NULL ? -1 : PyDict_DelItem(v, key);
}

int
kr_dict_put(PyObject *dict, const char *name, PyObject *value)
{
    int res = value == NULL ? -1 : PyDict_SetItemString(dict, name, value);
    Py_XDECREF(value);
    return res;
}

int
PyDict_DelItemString(PyObject *v, const char *key)
{
    PyObject *str = PyUnicode_FromString(key);
    if (str == NULL) {
        return -1;
    }
    int err = PyDict_DelItem(v, str);
    Py_DECREF(str);
    return err;
}

/* Deletes d[key] if predicate(value); the predicate must not change d. */
int
_PyDict_DelItemIf(PyObject *op, PyObject *key,
                  int (*predicate)(PyObject *value))
{
    if (!PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyDictObject *mp = (PyDictObject *)op;
    Py_hash_t hash = PyObject_Hash(key);
    if (hash == -1) {
        return -1;
    }
    PyObject *value;
    Py_ssize_t ix = kr_dict_lookup(mp, key, hash, &value);
    if (value == NULL) {
        if (ix == KR_DICT_EMPTY) {
            _PyErr_SetKeyError(key);
        }
        return -1;
    }
    int yes = predicate(value);
    if (yes <= 0) {
        return yes;
    }
    Py_DECREF(kr_dict_remove(mp, hash, ix));
    return 0;
}

PyObject *
_PyDict_Pop_KnownHash(PyObject *dict, PyObject *key, Py_hash_t hash,
                      PyObject *deflt)
{
    PyDictObject *mp = (PyDictObject *)dict;
    if (mp->ma_used == 0) {
        if (deflt != NULL) {
            return Py_NewRef(deflt);
        }
        _PyErr_SetKeyError(key);
        return NULL;
    }
    Py_ssize_t ix = kr_dict_lookup_index(mp, key, hash);
    if (ix >= 0) {
        return kr_dict_remove(mp, hash, ix);
    }
    if (ix == KR_DICT_EMPTY) {
        if (deflt != NULL) {
            return Py_NewRef(deflt);
        }
        _PyErr_SetKeyError(key);
    }
    return NULL;
}

PyObject *
_PyDict_Pop(PyObject *dict, PyObject *key, PyObject *deflt)
{
    if (((PyDictObject *)dict)->ma_used == 0) {
        /* not even hashed, as an empty dict has no use for it */
        return _PyDict_Pop_KnownHash(dict, key, 0, deflt);
    }
    Py_hash_t hash = dict_key_hash(key);
    return hash == -1 ? NULL : _PyDict_Pop_KnownHash(dict, key, hash, deflt);
}

void
PyDict_Clear(PyObject *op)
{
    if (!PyDict_Check(op)) {
        return;
    }
    PyDictObject *mp = (PyDictObject *)op;
    PyDictKeysObject *old = mp->ma_keys;
    if (old == kr_dict_empty_keys) {
        return;
    }
    kr_dict_touch(KR_DICT_CLEARED, mp, NULL, NULL);
    mp->ma_keys = kr_dict_empty_keys;
    mp->ma_used = 0;
    kr_dict_free_keys(old); /* may run code, which sees an empty dict */
}

/* ---- copies and merges */

PyObject *
PyDict_Copy(PyObject *o)
{
    if (o == NULL || !PyDict_Check(o)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyDictObject *mp = (PyDictObject *)o;
    if (mp->ma_used == 0) {
        return PyDict_New();
    }
    /* a table with many holes is better built anew */
    if (Py_TYPE(mp)->tp_iter == kr_dict_iter
        && mp->ma_used >= mp->ma_keys->nentries * 2 / 3) {
        PyDictKeysObject *keys = kr_dict_clone_keys(mp->ma_keys);
        if (keys == NULL) {
            return NULL;
        }
        PyDictObject *copy = kr_dict_alloc(keys, mp->ma_used);
        if (copy != NULL && kr_gc_is_tracked(o)) {
            kr_gc_track((PyObject *)copy);
        }
        return (PyObject *)copy;
    }
    PyObject *copy = PyDict_New();
    if (copy == NULL) {
        return NULL;
    }
    if (_PyDict_MergeEx(copy, o, 1) < 0) {
        Py_DECREF(copy);
        return NULL;
    }
    return copy;
}

/* An empty dict may take over the whole table of a compact one. */
static int
merge_into_empty(PyDictObject *mp, PyDictObject *other)
{
    PyDictKeysObject *from = other->ma_keys;
    if (other->ma_used != from->nentries
        || (from->log2_size != KR_DICT_MIN_LOG2
            && dict_usable_of((size_t)1 << (from->log2_size - 1))
                   >= other->ma_used)) {
        return 0;
    }
    kr_dict_touch(KR_DICT_CLONED, mp, (PyObject *)other, NULL);
    PyDictKeysObject *keys = kr_dict_clone_keys(from);
    if (keys == NULL) {
        return -1;
    }
    PyDictKeysObject *old = mp->ma_keys;
    mp->ma_keys = keys;
    mp->ma_used = other->ma_used;
    if (kr_gc_is_tracked((PyObject *)other)
        && !kr_gc_is_tracked((PyObject *)mp)) {
        kr_gc_track((PyObject *)mp);
    }
    kr_dict_free_keys(old);
    return 1;
}

static int
merge_dict(PyDictObject *mp, PyDictObject *other, int override)
{
    if (other == mp || other->ma_used == 0) {
        return 0;
    }
    if (mp->ma_used == 0) {
        override = 1;
        int done = merge_into_empty(mp, other);
        if (done != 0) {
            return done < 0 ? -1 : 0;
        }
    }
    if (dict_usable_of((size_t)1 << mp->ma_keys->log2_size) < other->ma_used) {
        bool str_keys = kr_dict_has_str_keys(other);
        if (kr_dict_resize(mp,
                           kr_dict_log2_for_items(mp->ma_used + other->ma_used),
                           str_keys) < 0) {
            return -1;
        }
    }
    Py_ssize_t before = other->ma_keys->nentries, pos = 0;
    PyObject *key, *value;
    Py_hash_t hash;
    while (_PyDict_Next((PyObject *)other, &pos, &key, &value, &hash)) {
        int err = 0;
        Py_INCREF(key);
        Py_INCREF(value);
        if (override == 1) {
            err = kr_dict_insert(mp, Py_NewRef(key), hash, Py_NewRef(value));
        }
        else {
            err = _PyDict_Contains_KnownHash((PyObject *)mp, key, hash);
            if (err == 0) {
                err =
                    kr_dict_insert(mp, Py_NewRef(key), hash, Py_NewRef(value));
            }
            else if (err > 0) {
                err = 0;
                if (override != 0) {
                    _PyErr_SetKeyError(key);
                    err = -1;
                }
            }
        }
        Py_DECREF(value);
        Py_DECREF(key);
        if (err != 0) {
            return -1;
        }
        if (before != other->ma_keys->nentries) {
            PyErr_SetString(PyExc_RuntimeError,
                            "dict mutated during update");
            return -1;
        }
    }
    return 0;
}

static int
merge_mapping(PyObject *a, PyObject *b, int override)
{
    PyObject *keys = PyMapping_Keys(b);
    if (keys == NULL) {
        return -1;
    }
    PyObject *iter = PyObject_GetIter(keys);
    Py_DECREF(keys);
    if (iter == NULL) {
        return -1;
    }
    PyObject *key;
    while ((key = PyIter_Next(iter)) != NULL) {
        int err = 0;
        if (override != 1) {
            err = PyDict_Contains(a, key);
            if (err > 0 && override == 0) {
                Py_DECREF(key);
                continue;
            }
            if (err > 0) {
                _PyErr_SetKeyError(key);
            }
        }
        if (err == 0) {
            PyObject *value = PyObject_GetItem(b, key);
            err = value == NULL ? -1 : PyDict_SetItem(a, key, value);
            Py_XDECREF(value);
        }
        Py_DECREF(key);
        if (err != 0) {
            Py_DECREF(iter);
            return -1;
        }
    }
    Py_DECREF(iter);
    return PyErr_Occurred() ? -1 : 0;
}

/* override: 0 keeps what is there, 1 replaces it, 2 raises KeyError. */
int
_PyDict_MergeEx(PyObject *a, PyObject *b, int override)
{
    if (a == NULL || !PyDict_Check(a) || b == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (PyDict_Check(b) && Py_TYPE(b)->tp_iter == kr_dict_iter) {
        return merge_dict((PyDictObject *)a, (PyDictObject *)b, override);
    }
    return merge_mapping(a, b, override);
}

int
PyDict_Update(PyObject *a, PyObject *b)
{
    return _PyDict_MergeEx(a, b, 1);
}

int
PyDict_Merge(PyObject *a, PyObject *b, int override)
{
    return _PyDict_MergeEx(a, b, override != 0);
}

static int
merge_pair(PyObject *d, PyObject *item, Py_ssize_t i, int override)
{
    PyObject *fast = PySequence_Fast(item, "");
    if (fast == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(PyExc_TypeError,
                         "cannot convert dictionary update sequence element "
                         "#%zd to a sequence",
                         i);
        }
        return -1;
    }
    Py_ssize_t n = PySequence_Fast_GET_SIZE(fast);
    if (n != 2) {
        PyErr_Format(PyExc_ValueError,
                     "dictionary update sequence element #%zd has length %zd; "
                     "2 is required",
                     i, n);
        Py_DECREF(fast);
        return -1;
    }
    PyObject *key = Py_NewRef(PySequence_Fast_GET_ITEM(fast, 0));
    PyObject *value = Py_NewRef(PySequence_Fast_GET_ITEM(fast, 1));
    int err = override ? PyDict_SetItem(d, key, value)
                       : (PyDict_SetDefault(d, key, value) == NULL ? -1 : 0);
    Py_DECREF(key);
    Py_DECREF(value);
    Py_DECREF(fast);
    return err;
}

int
PyDict_MergeFromSeq2(PyObject *d, PyObject *seq2, int override)
{
    PyObject *it = PyObject_GetIter(seq2);
    if (it == NULL) {
        return -1;
    }
    int err = 0;
    for (Py_ssize_t i = 0; err == 0; i++) {
        PyObject *item = PyIter_Next(it);
        if (item == NULL) {
            err = PyErr_Occurred() ? -1 : 0;
            break;
        }
        err = merge_pair(d, item, i, override);
        Py_DECREF(item);
    }
    Py_DECREF(it);
    return err;
}

/* ---- lists of the contents */

enum { LIST_KEYS, LIST_VALUES, LIST_ITEMS };

static PyObject *
list_of(PyObject *op, int what)
{
    if (op == NULL || !PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyDictObject *mp = (PyDictObject *)op;
again:;
    Py_ssize_t n = mp->ma_used;
    PyObject *v = PyList_New(n);
    if (v == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; what == LIST_ITEMS && i < n; i++) {
        PyObject *item = PyTuple_New(2);
        if (item == NULL) {
            Py_DECREF(v);
            return NULL;
        }
        PyList_SET_ITEM(v, i, item);
    }
    if (n != mp->ma_used) {
        Py_DECREF(v); /* an allocation ran a collection that changed it */
        goto again;
    }
    Py_ssize_t pos = 0, j = 0;
    PyObject *key, *value;
    while (PyDict_Next(op, &pos, &key, &value)) {
        if (what == LIST_ITEMS) {
            PyObject *item = PyList_GET_ITEM(v, j++);
            PyTuple_SET_ITEM(item, 0, Py_NewRef(key));
            PyTuple_SET_ITEM(item, 1, Py_NewRef(value));
        }
        else {
            PyList_SET_ITEM(v, j++, Py_NewRef(what == LIST_KEYS ? key : value));
        }
    }
    return v;
}

PyObject *
PyDict_Keys(PyObject *mp)
{
    return list_of(mp, LIST_KEYS);
}

PyObject *
PyDict_Values(PyObject *mp)
{
    return list_of(mp, LIST_VALUES);
}

PyObject *
PyDict_Items(PyObject *mp)
{
    return list_of(mp, LIST_ITEMS);
}

PyObject *
_PyDict_FromKeys(PyObject *cls, PyObject *iterable, PyObject *value)
{
    PyObject *d = PyObject_CallNoArgs(cls);
    if (d == NULL) {
        return NULL;
    }
    if (PyDict_CheckExact(d) && ((PyDictObject *)d)->ma_used == 0
        && (PyDict_CheckExact(iterable) || PyAnySet_CheckExact(iterable))) {
        PyDictObject *mp = (PyDictObject *)d;
        bool dict = PyDict_CheckExact(iterable);
        Py_ssize_t n = dict ? PyDict_GET_SIZE(iterable)
                            : PySet_GET_SIZE(iterable);
        bool str_keys =
            dict && kr_dict_has_str_keys((PyDictObject *)iterable);
        if (kr_dict_resize(mp, kr_dict_log2_for_items(n), str_keys) < 0) {
            Py_DECREF(d);
            return NULL;
        }
        Py_ssize_t pos = 0;
        PyObject *key;
        Py_hash_t hash;
        while (dict ? _PyDict_Next(iterable, &pos, &key, NULL, &hash)
                    : _PySet_NextEntry(iterable, &pos, &key, &hash)) {
            if (kr_dict_insert(mp, Py_NewRef(key), hash, Py_NewRef(value)) <
                0) {
                Py_DECREF(d);
                return NULL;
            }
        }
        return d;
    }
    PyObject *it = PyObject_GetIter(iterable), *key;
    if (it == NULL) {
        Py_DECREF(d);
        return NULL;
    }
    bool exact = PyDict_CheckExact(d);
    while ((key = PyIter_Next(it)) != NULL) {
        int err = exact ? PyDict_SetItem(d, key, value)
                        : PyObject_SetItem(d, key, value);
        Py_DECREF(key);
        if (err < 0) {
            break;
        }
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) {
        Py_DECREF(d);
        return NULL;
    }
    return d;
}

/* ---- the rest */

Py_ssize_t
_PyDict_SizeOf(PyDictObject *mp)
{
    return _PyObject_SIZE(Py_TYPE(mp)) + (Py_ssize_t)kr_dict_keys_size(mp);
}

void
_PyDict_MaybeUntrack(PyObject *op)
{
    if (!PyDict_CheckExact(op) || !kr_gc_is_tracked(op)) {
        return;
    }
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (PyDict_Next(op, &pos, &key, &value)) {
        if (dict_may_be_tracked(value) || dict_may_be_tracked(key)) {
            return;
        }
    }
    kr_gc_untrack(op);
}

PyAPI_FUNC(int) _PyDict_CheckConsistency(PyObject *op, int check_content);

int
_PyDict_CheckConsistency(PyObject *op, int check_content)
{
    PyDictObject *mp = (PyDictObject *)op;
    PyDictKeysObject *keys = mp->ma_keys;
    return PyDict_Check(op) && mp->ma_used >= 0
           && mp->ma_used <= keys->nentries && keys->usable >= 0;
}

void
_PyDict_DebugMallocStats(FILE *out)
{
    fprintf(out, "0 free PyDictObjects\n");
}

/* ---- __dict__ of any object */

static PyObject **
dict_slot(PyObject *obj)
{
    PyObject **slot = _PyObject_GetDictPtr(obj);
    if (slot == NULL) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
    }
    return slot;
}

PyObject *
PyObject_GenericGetDict(PyObject *obj, void *context)
{
    if (kr_has_shape(Py_TYPE(obj))) {
        PyObject *dict = kr_instance_dict(obj, true);
        return Py_XNewRef(dict);
    }
    PyObject **slot = dict_slot(obj);
    if (slot == NULL) {
        return NULL;
    }
    if (*slot == NULL) {
        PyObject *dict = PyDict_New();
        if (dict == NULL) {
            return NULL;
        }
        *slot = dict;
    }
    return Py_NewRef(*slot);
}

int
PyObject_GenericSetDict(PyObject *obj, PyObject *value, void *context)
{
    bool shaped = kr_has_shape(Py_TYPE(obj));
    PyObject **slot = shaped ? NULL : dict_slot(obj);
    if (!shaped && slot == NULL) {
        return -1;
    }
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "cannot delete __dict__");
        return -1;
    }
    if (!PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "__dict__ must be set to a dictionary, not a '%.200s'",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    if (shaped) {
        kr_instance_replace_dict(obj, value);
        return 0;
    }
    Py_INCREF(value);
    Py_XSETREF(*slot, value);
    return 0;
}
