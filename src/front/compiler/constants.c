/* The table of merged constants: open addressing, by hashes that look at the
 * value but, for long text, not at all of it. */
#include "front/compiler/constants.h"

#include <math.h>
#include <string.h>

#include "base/common.h"
#include "code/code.h"

enum { FIRST_SIZE = 64, HASHED = 64 };

/* --- Hashes --------------------------------------------------------------- */

static inline uint64_t
mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

/* Of both ends, up to HASHED bytes each, and of the size. */
static uint64_t
hash_data(const void *data, size_t size, uint64_t hash)
{
    const unsigned char *p = data;
    uint64_t word;
    hash = mix(hash, size);
    if (size > 2 * HASHED) {
        hash = hash_data(p + size - HASHED, HASHED, hash);
        size = HASHED;
    }
    for (; size >= 8; size -= 8, p += 8) {
        memcpy(&word, p, 8);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, p, size);
    return mix(hash, word);
}

static uint64_t hash_of(PyObject *o);

static uint64_t
hash_set(PyObject *set)
{
    PyObject *item;
    Py_ssize_t pos = 0;
    Py_hash_t unused;
    uint64_t hash = (uint64_t)PySet_GET_SIZE(set);
    while (_PySet_NextEntry(set, &pos, &item, &unused)) {
        hash += hash_of(item);
    }
    return hash;
}

static uint64_t
hash_of(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    uint64_t hash = (uintptr_t)type;
    if (type == &PyUnicode_Type) {
        return hash_data(PyUnicode_DATA(o),
                         (size_t)PyUnicode_GET_LENGTH(o) * PyUnicode_KIND(o),
                         hash);
    }
    if (type == &PyBytes_Type) {
        return hash_data(PyBytes_AS_STRING(o), (size_t)PyBytes_GET_SIZE(o),
                         hash);
    }
    if (type == &PyTuple_Type) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); i++) {
            hash = mix(hash, hash_of(PyTuple_GET_ITEM(o, i)));
        }
        return hash;
    }
    if (type == &PyLong_Type) {
        return hash_data(((PyLongObject *)o)->ob_digit,
                         (size_t)Py_ABS(Py_SIZE(o)) * sizeof(digit),
                         hash + (Py_SIZE(o) < 0));
    }
    if (type == &PyFloat_Type) {
        return hash_data(&((PyFloatObject *)o)->ob_fval, sizeof(double), hash);
    }
    if (type == &PyComplex_Type) {
        return hash_data(&((PyComplexObject *)o)->cval, sizeof(Py_complex),
                         hash);
    }
    if (type == &PyFrozenSet_Type) {
        return mix(hash, hash_set(o));
    }
    if (type == &PyCode_Type) {
        PyCodeObject *co = (PyCodeObject *)o;
        hash = mix(hash, (uint64_t)co->co_firstlineno);
        return mix(hash, (uint64_t)Py_SIZE(co));
    }
    return mix(hash, (uintptr_t)o);
}

/* --- Equality: 1, 0, or -1 with an exception set -------------------------- */

static bool
equal_double(double a, double b)
{
    return a == b && signbit(a) == signbit(b);
}

static int
equal_sets(PyObject *a, PyObject *b)
{
    PyObject *key_a = _PyCode_ConstantKey(a), *key_b = _PyCode_ConstantKey(b);
    int equal = key_a == NULL || key_b == NULL
                    ? -1
                    : PyObject_RichCompareBool(PyTuple_GET_ITEM(key_a, 0),
                                               PyTuple_GET_ITEM(key_b, 0),
                                               Py_EQ);
    Py_XDECREF(key_a);
    Py_XDECREF(key_b);
    return equal;
}

static int
equal(PyObject *a, PyObject *b)
{
    PyTypeObject *type = Py_TYPE(a);
    if (a == b || type != Py_TYPE(b)) {
        return a == b;
    }
    if (type == &PyUnicode_Type) {
        return _PyUnicode_EQ(a, b);
    }
    if (type == &PyCode_Type) {
        return PyObject_RichCompareBool(a, b, Py_EQ);
    }
    if (type == &PyFloat_Type) {
        return equal_double(PyFloat_AS_DOUBLE(a), PyFloat_AS_DOUBLE(b));
    }
    if (type == &PyComplex_Type) {
        Py_complex x = ((PyComplexObject *)a)->cval;
        Py_complex y = ((PyComplexObject *)b)->cval;
        return equal_double(x.real, y.real) && equal_double(x.imag, y.imag);
    }
    if (type == &PyFrozenSet_Type) {
        return PySet_GET_SIZE(a) == PySet_GET_SIZE(b) ? equal_sets(a, b) : 0;
    }
    if (type != &PyBytes_Type && type != &PyLong_Type &&
        type != &PyTuple_Type) {
        return 0; /* merged by identity */
    }
    if (Py_SIZE(a) != Py_SIZE(b)) {
        return 0;
    }
    if (type == &PyBytes_Type) {
        return memcmp(PyBytes_AS_STRING(a), PyBytes_AS_STRING(b),
                      (size_t)Py_SIZE(a)) == 0;
    }
    if (type == &PyLong_Type) {
        return memcmp(((PyLongObject *)a)->ob_digit,
                      ((PyLongObject *)b)->ob_digit,
                      (size_t)Py_ABS(Py_SIZE(a)) * sizeof(digit)) == 0;
    }
    int same = 1;
    for (Py_ssize_t i = 0; same == 1 && i < PyTuple_GET_SIZE(a); i++) {
        same = equal(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i));
    }
    return same;
}

/* --- The table ------------------------------------------------------------ */

static int
resize(struct kr_constants *table, size_t size)
{
    struct kr_constant *entries = PyMem_Calloc(size, sizeof(*entries));
    if (entries == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; table->entries != NULL && i <= table->mask; i++) {
        if (table->entries[i].object != NULL) {
            size_t at = table->entries[i].hash & (size - 1);
            while (entries[at].object != NULL) {
                at = (at + 1) & (size - 1);
            }
            entries[at] = table->entries[i];
        }
    }
    PyMem_Free(table->entries);
    table->entries = entries;
    table->mask = size - 1;
    return 0;
}

int
kr_constants_init(struct kr_constants *table)
{
    *table = (struct kr_constants){NULL, 0, 0};
    return resize(table, FIRST_SIZE);
}

void
kr_constants_fini(struct kr_constants *table)
{
    for (size_t i = 0; table->entries != NULL && i <= table->mask; i++) {
        Py_XDECREF(table->entries[i].object);
    }
    PyMem_Free(table->entries);
}

/* The entry of an object: its own, or the free one where it belongs. NULL with
 * an exception set. */
static struct kr_constant *
find(struct kr_constants *table, PyObject *object, uint64_t hash)
{
    for (size_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        struct kr_constant *entry = &table->entries[at];
        if (entry->object == NULL || entry->object == object) {
            return entry;
        }
        if (entry->hash == hash) {
            int same = equal(entry->object, object);
            if (same != 0) {
                return same < 0 ? NULL : entry;
            }
        }
    }
}

/* Takes over the reference. */
static int
fill(struct kr_constants *table, struct kr_constant *entry, uint64_t hash,
     PyObject *object)
{
    *entry = (struct kr_constant){hash, object};
    return ++table->used > table->mask / 2 ? resize(table, 2 * table->mask + 2)
                                           : 0;
}

PyObject *
kr_constants_merge(struct kr_constants *table, PyObject *object)
{
    if (object == NULL) {
        return NULL;
    }
    uint64_t hash = hash_of(object);
    struct kr_constant *entry = find(table, object, hash);
    if (entry == NULL) {
        Py_DECREF(object);
        return NULL;
    }
    if (entry->object != NULL) {
        Py_DECREF(object);
        return Py_NewRef(entry->object);
    }
    if (fill(table, entry, hash, Py_NewRef(object)) < 0) {
        Py_DECREF(object);
        return NULL;
    }
    return object;
}

PyObject *
kr_constants_bytes(struct kr_constants *table, const void *data, size_t size)
{
    uint64_t hash = hash_data(data, size, (uintptr_t)&PyBytes_Type);
    size_t at = hash & table->mask;
    for (PyObject *o; (o = table->entries[at].object) != NULL;
         at = (at + 1) & table->mask) {
        if (table->entries[at].hash == hash && PyBytes_CheckExact(o) &&
            (size_t)PyBytes_GET_SIZE(o) == size &&
            memcmp(PyBytes_AS_STRING(o), data, size) == 0) {
            return Py_NewRef(o);
        }
    }
    PyObject *bytes = PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
    if (bytes != NULL &&
        fill(table, &table->entries[at], hash, Py_NewRef(bytes)) < 0) {
        Py_CLEAR(bytes);
    }
    return bytes;
}

static int
merge_items(struct kr_constants *table, PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        PyObject *shared = kr_constants_add(table, item);
        if (shared == NULL) {
            return -1;
        }
        if (shared != item) {
            PyTuple_SET_ITEM(tuple, i, Py_NewRef(shared));
            Py_DECREF(item);
        }
    }
    return 0;
}

/* Sets cannot be changed in place: a new one, or NULL. */
static PyObject *
merged_set(struct kr_constants *table, PyObject *set)
{
    PyObject *items = PySequence_Tuple(set), *merged = NULL;
    if (items != NULL && merge_items(table, items) == 0) {
        merged = PyFrozenSet_New(items);
    }
    Py_XDECREF(items);
    return merged;
}

PyObject *
kr_constants_add(struct kr_constants *table, PyObject *object)
{
    if (object == Py_None || object == Py_Ellipsis) {
        return object;
    }
    uint64_t hash = hash_of(object);
    struct kr_constant *entry = find(table, object, hash);
    if (entry == NULL || entry->object != NULL) {
        return entry == NULL ? NULL : entry->object;
    }
    if (PyFrozenSet_CheckExact(object) && PySet_GET_SIZE(object) > 0) {
        object = merged_set(table, object);
        if (object == NULL) {
            return NULL;
        }
        /* merging may have moved the entries */
        entry = find(table, object, hash);
        if (entry == NULL) {
            Py_DECREF(object);
            return NULL;
        }
    }
    else {
        Py_INCREF(object);
    }
    if (fill(table, entry, hash, object) < 0 ||
        (PyTuple_CheckExact(object) && merge_items(table, object) < 0)) {
        return NULL;
    }
    return object;
}
