/* A persistent hash map: changing one gives a new one that shares most of its
 * parts with the old one. It is what contexts keep their variables in. */
#ifndef KR_OBJECTS_HAMT_H
#define KR_OBJECTS_HAMT_H

#include <Python.h>

/* An empty map, new reference. Maps are GC objects of type kr_hamt_type. */
PyObject *kr_hamt_new(void);

/* A map as `map` with key set to value (new reference). */
PyObject *kr_hamt_set(PyObject *map, PyObject *key, PyObject *value);

/* A map without the key; the same map if it has none. */
PyObject *kr_hamt_without(PyObject *map, PyObject *key);

/* 1 and a borrowed value, 0 if there is none, -1 on error. */
int kr_hamt_find(PyObject *map, PyObject *key, PyObject **value);

Py_ssize_t kr_hamt_len(PyObject *map);

/* 1 if both hold equal values for the same keys, 0 if not, -1 on error. */
int kr_hamt_eq(PyObject *a, PyObject *b);

enum kr_hamt_part { KR_HAMT_KEYS, KR_HAMT_VALUES, KR_HAMT_ITEMS };

/* A new list of the keys, values, or (key, value) tuples. */
PyObject *kr_hamt_list(PyObject *map, enum kr_hamt_part part);

/* A new iterator over them, which has the map's length. */
PyObject *kr_hamt_iter(PyObject *map, enum kr_hamt_part part);

extern PyTypeObject kr_hamt_type, kr_hamt_node_type, kr_hamt_keys_type,
    kr_hamt_values_type, kr_hamt_items_type;

#endif
