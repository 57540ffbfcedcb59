/* Inline attributes of instances of Python classes.
 *
 * An instance of a type with Py_TPFLAGS_MANAGED_DICT looks like this:
 *
 *   obj - 16   PyObject *dict       NULL until somebody asks for __dict__
 *   obj -  8   PyObject **values    NULL: all attributes are in `dict`
 *   obj        the fixed part, tp_basicsize bytes
 *              header bytes, then the values, if the instance got some
 *
 * The type's shape maps an attribute name to an index into the values; it only
 * ever grows, so (type version, index) stays a valid cache key. Exactly one of
 * `values` and `dict` holds attributes; both NULL means that there are none.
 * The bytes before the values run backwards: capacity, number in use, then
 * the indices in order of insertion. */
#ifndef KR_OBJECTS_SHAPE_H
#define KR_OBJECTS_SHAPE_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#define KR_SHAPE_MAX 30
#define KR_SHAPE_HASH 64

struct kr_shape {
    uint8_t count;    /* names known, at most KR_SHAPE_MAX */
    uint16_t learned; /* instances seen, saturating */
    uint8_t hash[KR_SHAPE_HASH]; /* index + 1 by name address, 0 = free */
    PyObject *names[KR_SHAPE_MAX]; /* strong, interned */
};

static inline bool
kr_has_shape(PyTypeObject *type)
{
    return (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) != 0;
}

/* The shape of a type with managed dict; NULL before the first instance. */
static inline struct kr_shape *
kr_type_shape(PyTypeObject *type)
{
    return (struct kr_shape *)((PyHeapTypeObject *)type)->ht_cached_keys;
}

/* Index of an interned exact str, or -1. Never fails, never adds. */
static inline int
kr_shape_find(const struct kr_shape *shape, PyObject *name)
{
    size_t i = ((uintptr_t)name >> 4) ^ ((uintptr_t)name >> 10);
    for (;; i++) {
        int at = shape->hash[i % KR_SHAPE_HASH];
        if (at == 0) {
            return -1;
        }
        if (shape->names[at - 1] == name) {
            return at - 1;
        }
    }
}

/* Same for a type; -1 also when the type has no shape yet. */
static inline int
kr_shape_index(PyTypeObject *type, PyObject *name)
{
    const struct kr_shape *shape = kr_type_shape(type);
    return shape == NULL ? -1 : kr_shape_find(shape, name);
}

/* Index of `name` (interned exact str), added if there is room; -1 if full or
 * the type has no instance yet. No exception. */
int kr_shape_add(PyTypeObject *type, PyObject *name);

/* The inline values, indexed by shape index below their capacity (NULL entry
 * = not set), or NULL in dict mode. Only for types with a shape. */
static inline PyObject **
kr_instance_values(PyObject *obj)
{
    return ((PyObject ***)obj)[-1];
}

/* Where the real dict is or would be; does not materialise. */
static inline PyObject **
kr_instance_dict_slot(PyObject *obj)
{
    return (PyObject **)obj - 2;
}

static inline int
kr_values_capacity(PyObject **values)
{
    return ((uint8_t *)values)[-1];
}

static inline int
kr_values_used(PyObject **values)
{
    return ((uint8_t *)values)[-2];
}

/* Shape index of the k-th inserted attribute. */
static inline int
kr_values_order(PyObject **values, int k)
{
    return ((uint8_t *)values)[-3 - k];
}

/* Stores into an entry that is below capacity. Takes over the reference to
 * `value`; drops the old one last, which may run any code. */
static inline void
kr_values_store(PyObject **values, int index, PyObject *value)
{
    PyObject *old = values[index];
    values[index] = value;
    if (old == NULL) {
        uint8_t *head = (uint8_t *)values;
        int used = head[-2]++;
        head[-3 - used] = (uint8_t)index;
    }
    else {
        Py_DECREF(old);
    }
}

/* New, tracked, zeroed instance of a GC type with shape and itemsize 0; the
 * type's count is taken. NULL with MemoryError on failure. */
PyObject *kr_instance_new(PyTypeObject *type);

/* Attribute of the instance itself: 1 and a new reference in *result, 0 and
 * NULL if missing, -1 with an exception. `name` may be any str. */
int kr_instance_get(PyObject *obj, PyObject *name, PyObject **result);

/* Sets or, with value NULL, deletes. 0 on success, 1 if the attribute to
 * delete is missing (no exception), -1 with an exception. */
int kr_instance_set(PyObject *obj, PyObject *name, PyObject *value);

/* The real dict, borrowed. Moves inline values into it; when there are no
 * attributes and no dict, makes one only if `create`. NULL: none, or an
 * exception is set. */
PyObject *kr_instance_dict(PyObject *obj, bool create);

/* Replaces the dict (steals nothing, NULL = none); inline values are dropped.
 * Never fails. */
void kr_instance_replace_dict(PyObject *obj, PyObject *dict);

/* Leaves dict mode unchanged, or moves the values out of the object, so that
 * its class may change. 0, or -1 with MemoryError. */
int kr_instance_detach(PyObject *obj);

/* For tp_traverse and tp_clear of types with a shape. */
int kr_instance_traverse(PyObject *obj, visitproc visit, void *arg);
void kr_instance_clear(PyObject *obj);

/* Number of attributes, -1 if they are in a real dict. */
Py_ssize_t kr_instance_inline_count(PyObject *obj);

/* Bytes behind tp_basicsize and before the object, for __sizeof__. */
size_t kr_instance_extra_size(PyObject *obj);

/* Frees the shape of a dying heap type. */
void kr_shape_free(PyTypeObject *type);

#endif
