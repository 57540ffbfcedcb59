/* The hash table of set and frozenset, their C interface and types.
 *
 * Open addressing: nine neighbours of a slot are tried before the next jump,
 * which keeps most searches within a cache line or two. A deleted slot holds
 * `dummy` with hash -1. Up to 4 items live inside the object. */
#include <Python.h>

#include <string.h>

#include "memory/gc.h"
#include "objects/immortal.h"
#include "objects/ids.h"
#include "objects/set/set_internal.h"

#define LINEAR_PROBES 9
#define PERTURB_SHIFT 5

static PyTypeObject dummy_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "<dummy key> type",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
};

static PyObject dummy_object = KR_IMMORTAL_HEAD(&dummy_type);
#define dummy (&dummy_object)
#undef _PySet_Dummy
PyAPI_DATA(PyObject *) _PySet_Dummy;
PyObject *_PySet_Dummy = dummy;

static inline bool
str_equal(PyObject *a, PyObject *b)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(a);
    unsigned kind = PyUnicode_KIND(a);
    return n == PyUnicode_GET_LENGTH(b) && kind == PyUnicode_KIND(b)
           && memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), (size_t)n * kind)
                  == 0;
}

/* Compares the key of an entry that has the same hash: 1, 0, -1 with an
 * exception, or 2 to start over as the comparison changed the table. */
static int
compare(PySetObject *so, setentry *entry, PyObject *key)
{
    PyObject *start = entry->key;
    if (PyUnicode_CheckExact(start) && PyUnicode_CheckExact(key)) {
        return str_equal(start, key);
    }
    setentry *table = so->table;
    Py_ssize_t mask = so->mask;
    Py_INCREF(start);
    int cmp = PyObject_RichCompareBool(start, key, Py_EQ);
    Py_DECREF(start);
    if (cmp < 0) {
        return -1;
    }
    if (table != so->table || mask != so->mask || entry->key != start) {
        return 2;
    }
    return cmp;
}

/* The entry of `key`, or the free one where the search ended. */
static setentry *
look_up(PySetObject *so, PyObject *key, Py_hash_t hash)
{
restart:;
    size_t mask = (size_t)so->mask, perturb = (size_t)hash;
    size_t i = (size_t)hash & mask;
    for (;;) {
        setentry *entry = &so->table[i];
        int probes = i + LINEAR_PROBES <= mask ? LINEAR_PROBES : 0;
        do {
            if (entry->hash == 0 && entry->key == NULL) {
                return entry;
            }
            if (entry->hash == hash) {
                if (entry->key == key) {
                    return entry;
                }
                int cmp = compare(so, entry, key);
                if (cmp == 1) {
                    return entry;
                }
                if (cmp < 0) {
                    return NULL;
                }
                if (cmp == 2) {
                    goto restart;
                }
            }
            entry++;
        } while (probes--);
        perturb >>= PERTURB_SHIFT;
        i = (i * 5 + 1 + perturb) & mask;
    }
}

/* Puts a key that is not there into a table without dummies. */
static void
insert_clean(setentry *table, size_t mask, PyObject *key, Py_hash_t hash)
{
    size_t perturb = (size_t)hash, i = (size_t)hash & mask;
    for (;;) {
        setentry *entry = &table[i];
        int probes = i + LINEAR_PROBES <= mask ? LINEAR_PROBES : 0;
        do {
            if (entry->key == NULL) {
                entry->key = key;
                entry->hash = hash;
                return;
            }
            entry++;
        } while (probes--);
        perturb >>= PERTURB_SHIFT;
        i = (i * 5 + 1 + perturb) & mask;
    }
}

int
kr_set_resize(PySetObject *so, Py_ssize_t minused)
{
    size_t newsize = PySet_MINSIZE;
    while (newsize <= (size_t)minused) {
        newsize <<= 1;
    }
    setentry *old = so->table, small[PySet_MINSIZE], *table;
    Py_ssize_t oldmask = so->mask;
    bool heap = old != so->smalltable;
    if (newsize == PySet_MINSIZE) {
        table = so->smalltable;
        if (table == old) {
            if (so->fill == so->used) {
                return 0; /* no dummies to get rid of */
            }
            memcpy(small, old, sizeof(small));
            old = small;
        }
    }
    else {
        table = newsize > PY_SSIZE_T_MAX / sizeof(setentry)
                    ? NULL
                    : PyMem_Malloc(newsize * sizeof(setentry));
        if (table == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    memset(table, 0, sizeof(setentry) * newsize);
    so->mask = (Py_ssize_t)newsize - 1;
    so->table = table;
    for (setentry *e = old; e <= old + oldmask; e++) {
        if (e->key != NULL && e->key != dummy) {
            insert_clean(table, (size_t)so->mask, e->key, e->hash);
        }
    }
    so->fill = so->used;
    if (heap) {
        PyMem_Free(old);
    }
    return 0;
}

int
kr_set_add_hash(PySetObject *so, PyObject *key, Py_hash_t hash)
{
    Py_INCREF(key); /* the comparison may drop the last reference */
    setentry *entry = look_up(so, key, hash);
    if (entry == NULL) {
        Py_DECREF(key);
        return -1;
    }
    if (entry->key != NULL) {
        Py_DECREF(key);
        return 0;
    }
    so->fill++;
    so->used++;
    entry->key = key;
    entry->hash = hash;
    size_t mask = (size_t)so->mask;
    if ((size_t)so->fill * 5 < mask * 3) {
        return 0;
    }
    return kr_set_resize(so, so->used > 50000 ? so->used * 2 : so->used * 4);
}

int
kr_set_contains_hash(PySetObject *so, PyObject *key, Py_hash_t hash)
{
    setentry *entry = look_up(so, key, hash);
    return entry == NULL ? -1 : entry->key != NULL;
}

int
kr_set_discard_hash(PySetObject *so, PyObject *key, Py_hash_t hash)
{
    setentry *entry = look_up(so, key, hash);
    if (entry == NULL) {
        return -1;
    }
    PyObject *old = entry->key;
    if (old == NULL) {
        return 0;
    }
    entry->key = dummy;
    entry->hash = -1;
    so->used--;
    Py_DECREF(old);
    return 1;
}

int
kr_set_add_key(PySetObject *so, PyObject *key)
{
    Py_hash_t hash = set_key_hash(key);
    return hash == -1 ? -1 : kr_set_add_hash(so, key, hash);
}

int
kr_set_contains_key(PySetObject *so, PyObject *key)
{
    Py_hash_t hash = set_key_hash(key);
    return hash == -1 ? -1 : kr_set_contains_hash(so, key, hash);
}

int
kr_set_discard_key(PySetObject *so, PyObject *key)
{
    Py_hash_t hash = set_key_hash(key);
    return hash == -1 ? -1 : kr_set_discard_hash(so, key, hash);
}

static void
make_empty(PySetObject *so)
{
    memset(so->smalltable, 0, sizeof(so->smalltable));
    so->fill = 0;
    so->used = 0;
    so->mask = PySet_MINSIZE - 1;
    so->table = so->smalltable;
    so->hash = -1;
}

/* The set is empty before the first key dies. */
int
kr_set_clear_all(PySetObject *so)
{
    setentry *table = so->table, small[PySet_MINSIZE];
    bool heap = table != so->smalltable;
    Py_ssize_t used = so->used;
    if (so->fill == 0 && !heap) {
        return 0;
    }
    if (!heap) {
        memcpy(small, table, sizeof(small));
        table = small;
    }
    make_empty(so);
    for (setentry *e = table; used > 0; e++) {
        if (e->key != NULL && e->key != dummy) {
            used--;
            Py_DECREF(e->key);
        }
    }
    if (heap) {
        PyMem_Free(table);
    }
    return 0;
}

int
kr_set_next(PySetObject *so, Py_ssize_t *pos, setentry **entry)
{
    Py_ssize_t i = *pos;
    if (i < 0) {
        return 0;
    }
    while (i <= so->mask
           && (so->table[i].key == NULL || so->table[i].key == dummy)) {
        i++;
    }
    *pos = i + 1;
    if (i > so->mask) {
        return 0;
    }
    *entry = &so->table[i];
    return 1;
}

/* Exchanges the contents; for frozensets the hash as well. */
void
kr_set_swap(PySetObject *a, PySetObject *b)
{
    setentry tab[PySet_MINSIZE];
    setentry *at = a->table == a->smalltable ? b->smalltable : a->table;
    setentry *bt = b->table == b->smalltable ? a->smalltable : b->table;
    Py_ssize_t fill = a->fill, used = a->used, mask = a->mask;
    a->fill = b->fill;
    a->used = b->used;
    a->mask = b->mask;
    b->fill = fill;
    b->used = used;
    b->mask = mask;
    a->table = bt;
    b->table = at;
    memcpy(tab, a->smalltable, sizeof(tab));
    memcpy(a->smalltable, b->smalltable, sizeof(tab));
    memcpy(b->smalltable, tab, sizeof(tab));
    Py_hash_t h = a->hash;
    bool frozen = PyType_IsSubtype(Py_TYPE(a), &PyFrozenSet_Type)
                  && PyType_IsSubtype(Py_TYPE(b), &PyFrozenSet_Type);
    a->hash = frozen ? b->hash : -1;
    b->hash = frozen ? h : -1;
}

/* Adds all keys of a set. */
int
kr_set_merge(PySetObject *so, PyObject *otherset)
{
    PySetObject *other = (PySetObject *)otherset;
    if (other == so || other->used == 0) {
        return 0;
    }
    /* grow once; other may have few keys that so does not have already */
    if ((so->fill + other->used) * 5 >= so->mask * 3 &&
        kr_set_resize(so, (so->used + other->used) * 2) < 0) {
        return -1;
    }
    if (so->fill == 0) {
        if (so->mask == other->mask && other->fill == other->used) {
            for (Py_ssize_t i = 0; i <= other->mask; i++) {
                so->table[i].key = Py_XNewRef(other->table[i].key);
                so->table[i].hash = other->table[i].hash;
            }
        }
        else {
            setentry *entry;
            for (Py_ssize_t pos = 0; kr_set_next(other, &pos, &entry);) {
                insert_clean(so->table, (size_t)so->mask,
                             Py_NewRef(entry->key), entry->hash);
            }
        }
        so->fill = other->used;
        so->used = other->used;
        return 0;
    }
    setentry *entry;
    for (Py_ssize_t pos = 0; kr_set_next(other, &pos, &entry);) {
        if (kr_set_add_hash(so, entry->key, entry->hash) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
update_from_dict(PySetObject *so, PyObject *dict)
{
    Py_ssize_t dictsize = PyDict_GET_SIZE(dict);
    if ((so->fill + dictsize) * 5 >= so->mask * 3 &&
        kr_set_resize(so, (so->used + dictsize) * 2) < 0) {
        return -1;
    }
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    Py_hash_t hash;
    while (_PyDict_Next(dict, &pos, &key, &value, &hash)) {
        if (kr_set_add_hash(so, key, hash) < 0) {
            return -1;
        }
    }
    return 0;
}

int
kr_set_update(PySetObject *so, PyObject *other)
{
    if (PyAnySet_Check(other)) {
        return kr_set_merge(so, other);
    }
    if (PyDict_CheckExact(other)) {
        return update_from_dict(so, other);
    }
    PyObject *it = PyObject_GetIter(other), *key;
    if (it == NULL) {
        return -1;
    }
    while ((key = PyIter_Next(it)) != NULL) {
        int err = kr_set_add_key(so, key);
        Py_DECREF(key);
        if (err < 0) {
            break;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

PyObject *
kr_set_make(PyTypeObject *type, PyObject *iterable)
{
    PySetObject *so;
    bool exact = type == &PySet_Type || type == &PyFrozenSet_Type;
    if (exact) {
        so = kr_gc_malloc(sizeof(PySetObject), 0);
    }
    else {
        so = (PySetObject *)type->tp_alloc(type, 0);
    }
    if (so == NULL) {
        return NULL;
    }
    make_empty(so);
    so->weakreflist = NULL;
    if (exact) {
        so->ob_base.ob_refcnt = 1;
        so->ob_base.ob_type = type;
        so->finger = 0;
        kr_gc_track((PyObject *)so);
    }
    if (iterable != NULL && kr_set_update(so, iterable) < 0) {
        Py_DECREF(so);
        return NULL;
    }
    return (PyObject *)so;
}

PyObject *
kr_set_make_base(PyTypeObject *type, PyObject *iterable)
{
    if (type != &PySet_Type && type != &PyFrozenSet_Type) {
        type = PyType_IsSubtype(type, &PySet_Type) ? &PySet_Type
                                                   : &PyFrozenSet_Type;
    }
    return kr_set_make(type, iterable);
}

/* ---- the types */

static void
set_dealloc(PyObject *self)
{
    PySetObject *so = (PySetObject *)self;
    kr_gc_untrack(self);
    Py_TRASHCAN_BEGIN(so, set_dealloc)
    if (so->weakreflist != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_ssize_t used = so->used;
    for (setentry *e = so->table; used > 0; e++) {
        if (e->key != NULL && e->key != dummy) {
            used--;
            Py_DECREF(e->key);
        }
    }
    if (so->table != so->smalltable) {
        PyMem_Free(so->table);
    }
    if (Py_IS_TYPE(self, &PySet_Type)) {
        kr_gc_free(self, 0);
    }
    else {
        Py_TYPE(self)->tp_free(self);
    }
    Py_TRASHCAN_END
}

static int
set_traverse(PyObject *self, visitproc visit, void *arg)
{
    setentry *entry;
    for (Py_ssize_t pos = 0; kr_set_next((PySetObject *)self, &pos, &entry);) {
        Py_VISIT(entry->key);
    }
    return 0;
}

static int
set_clear_gc(PyObject *self)
{
    return kr_set_clear_all((PySetObject *)self);
}

static PyObject *
repr_of_keys(PyObject *self)
{
    PySetObject *so = (PySetObject *)self;
    const char *name = Py_TYPE(so)->tp_name;
    if (so->used == 0) {
        return PyUnicode_FromFormat("%s()", name);
    }
    PyObject *keys = PySequence_List(self);
    if (keys == NULL) {
        return NULL;
    }
    PyObject *listrepr = PyObject_Repr(keys);
    Py_DECREF(keys);
    if (listrepr == NULL) {
        return NULL;
    }
    /* the list's text without its brackets */
    PyObject *inner = PyUnicode_Substring(
        listrepr, 1, PyUnicode_GET_LENGTH(listrepr) - 1);
    Py_DECREF(listrepr);
    if (inner == NULL) {
        return NULL;
    }
    PyObject *result = Py_IS_TYPE(so, &PySet_Type)
                           ? PyUnicode_FromFormat("{%U}", inner)
                           : PyUnicode_FromFormat("%s({%U})", name, inner);
    Py_DECREF(inner);
    return result;
}

static PyObject *
set_repr(PyObject *self)
{
    int status = Py_ReprEnter(self);
    if (status != 0) {
        return status < 0 ? NULL
                          : PyUnicode_FromFormat("%s(...)",
                                                 Py_TYPE(self)->tp_name);
    }
    PyObject *result = repr_of_keys(self);
    Py_ReprLeave(self);
    return result;
}

static Py_ssize_t
set_len(PyObject *so)
{
    return ((PySetObject *)so)->used;
}

int
kr_set_contains_any(PySetObject *so, PyObject *key)
{
    int found = kr_set_contains_key(so, key);
    if (found >= 0 || !PySet_Check(key)
        || !PyErr_ExceptionMatches(PyExc_TypeError)) {
        return found;
    }
    PyErr_Clear();
    PyObject *tmp = kr_set_make(&PyFrozenSet_Type, key);
    if (tmp == NULL) {
        return -1;
    }
    found = kr_set_contains_key(so, tmp);
    Py_DECREF(tmp);
    return found;
}

static int
set_contains(PyObject *so, PyObject *key)
{
    return kr_set_contains_any((PySetObject *)so, key);
}

static uint64_t
shuffle(uint64_t h)
{
    return ((h ^ 89869747UL) ^ (h << 16)) * 3644798167UL;
}

/* Independent of the order, and equal to the reference's. */
static Py_hash_t
frozenset_hash(PyObject *self)
{
    PySetObject *so = (PySetObject *)self;
    if (so->hash != -1) {
        return so->hash;
    }
    uint64_t hash = 0;
    for (setentry *e = so->table; e <= &so->table[so->mask]; e++) {
        hash ^= shuffle((uint64_t)e->hash);
    }
    /* take free and deleted entries out again */
    if ((so->mask + 1 - so->fill) & 1) {
        hash ^= shuffle(0);
    }
    if ((so->fill - so->used) & 1) {
        hash ^= shuffle((uint64_t)-1);
    }
    hash ^= ((uint64_t)so->used + 1) * 1927868237UL;
    hash ^= (hash >> 11) ^ (hash >> 25);
    hash = hash * 69069U + 907133923UL;
    if (hash == (uint64_t)-1) {
        hash = 590923713UL;
    }
    so->hash = (Py_hash_t)hash;
    return so->hash;
}

static PyObject *
set_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    return kr_set_make(type, NULL);
}

static int
set_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    PySetObject *self = (PySetObject *)op;
    PyObject *iterable = NULL;
    if (!_PyArg_NoKeywords("set", kwds)
        || !PyArg_UnpackTuple(args, Py_TYPE(self)->tp_name, 0, 1, &iterable)) {
        return -1;
    }
    if (self->fill) {
        kr_set_clear_all(self);
    }
    self->hash = -1;
    return iterable == NULL ? 0 : kr_set_update(self, iterable);
}

static PyObject *
set_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
               PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("set", kwnames)
        || !_PyArg_CheckPositional("set", nargs, 0, 1)) {
        return NULL;
    }
    return kr_set_make((PyTypeObject *)type, nargs ? args[0] : NULL);
}

static PyObject *
make_frozen(PyTypeObject *type, PyObject *iterable)
{
    if (type == &PyFrozenSet_Type && iterable != NULL
        && PyFrozenSet_CheckExact(iterable)) {
        return Py_NewRef(iterable);
    }
    return kr_set_make(type, iterable);
}

static PyObject *
frozenset_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *iterable = NULL;
    if ((type == &PyFrozenSet_Type
         || type->tp_init == PyFrozenSet_Type.tp_init)
        && !_PyArg_NoKeywords("frozenset", kwds)) {
        return NULL;
    }
    if (!PyArg_UnpackTuple(args, type->tp_name, 0, 1, &iterable)) {
        return NULL;
    }
    return make_frozen(type, iterable);
}

static PyObject *
frozenset_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                     PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("frozenset", kwnames)
        || !_PyArg_CheckPositional("frozenset", nargs, 0, 1)) {
        return NULL;
    }
    return make_frozen((PyTypeObject *)type, nargs ? args[0] : NULL);
}

static PySequenceMethods as_sequence = {
    .sq_length = set_len,
    .sq_contains = set_contains,
};

PyTypeObject PySet_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "set",
    .tp_basicsize = sizeof(PySetObject),
    .tp_dealloc = set_dealloc,
    .tp_repr = set_repr,
    .tp_as_number = &kr_set_as_number,
    .tp_as_sequence = &as_sequence,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "set() -> new empty set object\n"
              "set(iterable) -> new set object\n\n"
              "An unordered collection of unique elements.",
    .tp_traverse = set_traverse,
    .tp_clear = set_clear_gc,
    .tp_richcompare = kr_set_richcompare,
    .tp_weaklistoffset = offsetof(PySetObject, weakreflist),
    .tp_iter = kr_set_iter,
    .tp_methods = kr_set_methods,
    .tp_init = set_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = set_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = set_vectorcall,
};

PyTypeObject PyFrozenSet_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "frozenset",
    .tp_basicsize = sizeof(PySetObject),
    .tp_dealloc = set_dealloc,
    .tp_repr = set_repr,
    .tp_as_number = &kr_frozenset_as_number,
    .tp_as_sequence = &as_sequence,
    .tp_hash = frozenset_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "frozenset() -> empty frozenset object\n"
              "frozenset(iterable) -> frozenset object\n\n"
              "An immutable unordered collection of unique elements.",
    .tp_traverse = set_traverse,
    .tp_clear = set_clear_gc,
    .tp_richcompare = kr_set_richcompare,
    .tp_weaklistoffset = offsetof(PySetObject, weakreflist),
    .tp_iter = kr_set_iter,
    .tp_methods = kr_frozenset_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = frozenset_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = frozenset_vectorcall,
};

/* ---- C interface */

PyObject *
PySet_New(PyObject *iterable)
{
    return kr_set_make(&PySet_Type, iterable);
}

PyObject *
PyFrozenSet_New(PyObject *iterable)
{
    return kr_set_make(&PyFrozenSet_Type, iterable);
}

Py_ssize_t
PySet_Size(PyObject *anyset)
{
    if (!PyAnySet_Check(anyset)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return PySet_GET_SIZE(anyset);
}

int
PySet_Clear(PyObject *set)
{
    if (!PySet_Check(set)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return kr_set_clear_all((PySetObject *)set);
}

int
PySet_Contains(PyObject *anyset, PyObject *key)
{
    if (!PyAnySet_Check(anyset)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return kr_set_contains_key((PySetObject *)anyset, key);
}

int
PySet_Discard(PyObject *set, PyObject *key)
{
    if (!PySet_Check(set)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return kr_set_discard_key((PySetObject *)set, key);
}

/* A frozenset that nobody else has seen may be filled too. */
int
PySet_Add(PyObject *anyset, PyObject *key)
{
    if (!PySet_Check(anyset)
        && (!PyFrozenSet_Check(anyset) || Py_REFCNT(anyset) != 1)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return kr_set_add_key((PySetObject *)anyset, key);
}

int
_PySet_NextEntry(PyObject *set, Py_ssize_t *pos, PyObject **key,
                 Py_hash_t *hash)
{
    if (!PyAnySet_Check(set)) {
        PyErr_BadInternalCall();
        return -1;
    }
    setentry *entry;
    if (!kr_set_next((PySetObject *)set, pos, &entry)) {
        return 0;
    }
    *key = entry->key;
    *hash = entry->hash;
    return 1;
}

PyObject *
PySet_Pop(PyObject *set)
{
    if (!PySet_Check(set)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PySetObject *so = (PySetObject *)set;
    if (so->used == 0) {
        PyErr_SetString(PyExc_KeyError, "pop from an empty set");
        return NULL;
    }
    /* `finger` is where the last search ended, so that popping everything
     * takes linear time */
    setentry *entry = so->table + (so->finger & so->mask);
    setentry *limit = so->table + so->mask;
    while (entry->key == NULL || entry->key == dummy) {
        entry = entry == limit ? so->table : entry + 1;
    }
    PyObject *key = entry->key;
    entry->key = dummy;
    entry->hash = -1;
    so->used--;
    so->finger = entry - so->table + 1;
    return key;
}

int
_PySet_Update(PyObject *set, PyObject *iterable)
{
    if (!PySet_Check(set)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return kr_set_update((PySetObject *)set, iterable);
}
