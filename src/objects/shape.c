/* Inline attributes: growth of shapes, moving to a real dict, allocation.
 *
 * Guarantees: `dict` and `values` of an instance never both hold attributes;
 * an instance's iteration order is its order of insertion; a value is dropped
 * only after the instance is consistent again. */
#include "objects/shape.h"

#include "base/common.h"
#include "memory/gc.h"

#include <string.h>

/* The first instances get room for any attributes; the later ones for those
 * that the shape has learned by then. */
#define LEARNING 16

static struct kr_shape *
shape_new(PyTypeObject *type)
{
    struct kr_shape *shape = PyMem_Calloc(1, sizeof(*shape));
    if (shape == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    ((PyHeapTypeObject *)type)->ht_cached_keys = (void *)shape;
    return shape;
}

void
kr_shape_free(PyTypeObject *type)
{
    struct kr_shape *shape = kr_type_shape(type);
    if (shape == NULL) {
        return;
    }
    ((PyHeapTypeObject *)type)->ht_cached_keys = NULL;
    for (int i = 0; i < shape->count; i++) {
        Py_DECREF(shape->names[i]);
    }
    PyMem_Free(shape);
}

int
kr_shape_add(PyTypeObject *type, PyObject *name)
{
    struct kr_shape *shape = kr_type_shape(type);
    if (shape == NULL) {
        return -1;
    }
    int at = kr_shape_find(shape, name);
    if (at >= 0 || shape->count == KR_SHAPE_MAX) {
        return at;
    }
    size_t i = ((uintptr_t)name >> 4) ^ ((uintptr_t)name >> 10);
    while (shape->hash[i % KR_SHAPE_HASH] != 0) {
        i++;
    }
    Py_INCREF(name);
    at = shape->count++;
    shape->names[at] = name;
    shape->hash[i % KR_SHAPE_HASH] = (uint8_t)(at + 1);
    return at;
}

/* Space for the header bytes of `capacity` values. */
static inline size_t
header_size(size_t capacity)
{
    return (capacity + 2 + 7) & ~(size_t)7;
}

/* The capacity an instance gets: what was learned, and what fills a size
 * class of 16 bytes. */
static inline size_t
choose_capacity(struct kr_shape *shape, size_t basicsize)
{
    size_t n = shape->learned < LEARNING ? KR_SHAPE_MAX : shape->count;
    if (n == 0) {
        n = 1;
    }
    if (((basicsize + header_size(n) + 8 * n) & 8) && n < KR_SHAPE_MAX) {
        n++;
    }
    return n;
}

PyObject *
kr_instance_new(PyTypeObject *type)
{
    struct kr_shape *shape = kr_type_shape(type);
    if (KR_UNLIKELY(shape == NULL)) {
        shape = shape_new(type);
        if (shape == NULL) {
            return NULL;
        }
    }
    size_t basic = ((size_t)type->tp_basicsize + 7) & ~(size_t)7;
    size_t n = choose_capacity(shape, basic);
    size_t head = header_size(n);
    size_t size = basic + head + 8 * n;
    char *p = kr_gc_malloc(size, 16);
    if (KR_UNLIKELY(p == NULL)) {
        return NULL;
    }
    memset(p - 16, 0, size + 16);
    PyObject **values = (PyObject **)(p + basic + head);
    ((uint8_t *)values)[-1] = (uint8_t)n;
    ((PyObject ***)p)[-1] = values;
    if (shape->learned < LEARNING) {
        shape->learned++;
    }
    Py_INCREF(type);
    PyObject *obj = (PyObject *)p;
    obj->ob_type = type;
    obj->ob_refcnt = 1;
    kr_gc_track(obj);
    return obj;
}

/* Finds the index by spelling, for names that are not interned. */
static int
find_by_text(const struct kr_shape *shape, PyObject *name)
{
    for (int i = 0; i < shape->count; i++) {
        PyObject *other = shape->names[i];
        if (PyUnicode_GET_LENGTH(other) == PyUnicode_GET_LENGTH(name)
            && PyUnicode_Compare(other, name) == 0) {
            return i;
        }
    }
    return -1;
}

static inline int
find_any(const struct kr_shape *shape, PyObject *name)
{
    if (KR_LIKELY(PyUnicode_CHECK_INTERNED(name))) {
        return kr_shape_find(shape, name);
    }
    return find_by_text(shape, name);
}

/* Moves the values into a new dict and enters dict mode. */
static PyObject *
materialise(PyObject *obj)
{
    PyObject **values = kr_instance_values(obj);
    struct kr_shape *shape = kr_type_shape(Py_TYPE(obj));
    int used = kr_values_used(values);
    PyObject *dict = used > 5 ? _PyDict_NewPresized(used) : PyDict_New();
    if (dict == NULL) {
        return NULL;
    }
    if (kr_instance_values(obj) != values) {
        /* The allocation ran a collection that ran a finaliser that got
         * here first. */
        Py_DECREF(dict);
        return kr_instance_dict(obj, true);
    }
    used = kr_values_used(values);
    for (int k = 0; k < used; k++) {
        int i = kr_values_order(values, k);
        if (PyDict_SetItem(dict, shape->names[i], values[i]) < 0) {
            Py_DECREF(dict);
            return NULL;
        }
    }
    /* The dict holds all of them now, so none of these can die. */
    ((PyObject ***)obj)[-1] = NULL;
    *kr_instance_dict_slot(obj) = dict;
    for (int k = 0; k < used; k++) {
        PyObject **entry = &values[kr_values_order(values, k)];
        PyObject *value = *entry;
        *entry = NULL;
        Py_DECREF(value);
    }
    ((uint8_t *)values)[-2] = 0;
    return dict;
}

PyObject *
kr_instance_dict(PyObject *obj, bool create)
{
    PyObject **slot = kr_instance_dict_slot(obj);
    if (*slot != NULL) {
        return *slot;
    }
    PyObject **values = kr_instance_values(obj);
    if (values != NULL && (create || kr_values_used(values) != 0)) {
        return materialise(obj);
    }
    if (create) {
        *slot = PyDict_New();
    }
    return *slot;
}

int
kr_instance_detach(PyObject *obj)
{
    PyObject **values = kr_instance_values(obj);
    if (values == NULL) {
        return 0;
    }
    if (kr_values_used(values) == 0) {
        ((PyObject ***)obj)[-1] = NULL;
        return 0;
    }
    return materialise(obj) == NULL ? -1 : 0;
}

void
kr_instance_clear(PyObject *obj)
{
    PyObject **values = kr_instance_values(obj);
    if (values != NULL) {
        int used = kr_values_used(values);
        int capacity = kr_values_capacity(values);
        /* Code that runs meanwhile sees an instance without attributes. */
        ((PyObject ***)obj)[-1] = NULL;
        ((uint8_t *)values)[-2] = 0;
        for (int i = 0; used > 0 && i < capacity; i++) {
            PyObject *value = values[i];
            if (value != NULL) {
                values[i] = NULL;
                used--;
                Py_DECREF(value);
            }
        }
    }
    Py_CLEAR(*kr_instance_dict_slot(obj));
}

void
kr_instance_replace_dict(PyObject *obj, PyObject *dict)
{
    PyObject **slot = kr_instance_dict_slot(obj);
    PyObject *old = *slot;
    PyObject **values = kr_instance_values(obj);
    Py_XINCREF(dict);
    *slot = dict;
    ((PyObject ***)obj)[-1] = NULL;
    if (values != NULL) {
        int capacity = kr_values_capacity(values);
        ((uint8_t *)values)[-2] = 0;
        for (int i = 0; i < capacity; i++) {
            Py_CLEAR(values[i]);
        }
    }
    Py_XDECREF(old);
}

int
kr_instance_traverse(PyObject *obj, visitproc visit, void *arg)
{
    PyObject **values = kr_instance_values(obj);
    if (values != NULL) {
        int capacity = kr_values_capacity(values);
        for (int i = 0; i < capacity; i++) {
            Py_VISIT(values[i]);
        }
    }
    Py_VISIT(*kr_instance_dict_slot(obj));
    return 0;
}

int
kr_instance_get(PyObject *obj, PyObject *name, PyObject **result)
{
    PyObject **values = kr_instance_values(obj);
    if (KR_LIKELY(values != NULL && PyUnicode_CheckExact(name))) {
        int i = find_any(kr_type_shape(Py_TYPE(obj)), name);
        if (i >= 0 && i < kr_values_capacity(values) && values[i] != NULL) {
            *result = Py_NewRef(values[i]);
            return 1;
        }
        *result = NULL;
        return 0;
    }
    *result = NULL;
    PyObject *dict = kr_instance_dict(obj, false);
    if (dict == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    Py_INCREF(dict);
    PyObject *found = PyDict_GetItemWithError(dict, name);
    Py_XINCREF(found);
    Py_DECREF(dict);
    if (found != NULL) {
        *result = found;
        return 1;
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* Removes entry `index` from the order and drops its value. */
static void
values_delete(PyObject **values, int index)
{
    uint8_t *head = (uint8_t *)values;
    PyObject *old = values[index];
    int used = head[-2];
    int k = 0;
    while (head[-3 - k] != index) {
        k++;
    }
    for (; k + 1 < used; k++) {
        head[-3 - k] = head[-3 - (k + 1)];
    }
    head[-2] = (uint8_t)(used - 1);
    values[index] = NULL;
    Py_DECREF(old);
}

/* kr_instance_set for an interned or odd name in dict mode. */
static int
set_in_dict(PyObject *obj, PyObject *name, PyObject *value)
{
    PyObject *dict = kr_instance_dict(obj, true);
    if (dict == NULL) {
        return -1;
    }
    Py_INCREF(dict);
    int res = PyDict_SetItem(dict, name, value);
    Py_DECREF(dict);
    return res;
}

/* Stores inline if there is an entry for the name, else in a real dict. */
static int
set_inline(PyObject *obj, PyObject *name, PyObject *value)
{
    PyObject **values = kr_instance_values(obj);
    Py_INCREF(name);
    PyUnicode_InternInPlace(&name);
    int i = -1;
    if (PyUnicode_CHECK_INTERNED(name)) {
        i = kr_shape_add(Py_TYPE(obj), name);
    }
    int res = 0;
    if (i >= 0 && i < kr_values_capacity(values)) {
        kr_values_store(values, i, Py_NewRef(value));
    }
    else {
        res = set_in_dict(obj, name, value);
    }
    Py_DECREF(name);
    return res;
}

static int
delete_attr(PyObject *obj, PyObject *name)
{
    PyObject **values = kr_instance_values(obj);
    if (values != NULL && PyUnicode_CheckExact(name)) {
        int i = find_any(kr_type_shape(Py_TYPE(obj)), name);
        if (i < 0 || i >= kr_values_capacity(values) || values[i] == NULL) {
            return 1;
        }
        values_delete(values, i);
        return 0;
    }
    PyObject *dict = kr_instance_dict(obj, false);
    if (dict == NULL) {
        return PyErr_Occurred() ? -1 : 1;
    }
    Py_INCREF(dict);
    int res = PyDict_DelItem(dict, name);
    Py_DECREF(dict);
    if (res < 0 && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        return 1;
    }
    return res;
}

int
kr_instance_set(PyObject *obj, PyObject *name, PyObject *value)
{
    if (value == NULL) {
        return delete_attr(obj, name);
    }
    PyObject **values = kr_instance_values(obj);
    if (KR_LIKELY(values != NULL && PyUnicode_CheckExact(name))) {
        return set_inline(obj, name, value);
    }
    if (values == NULL && PyUnicode_CheckExact(name)
        && PyUnicode_CHECK_INTERNED(name)) {
        /* Instances that overflowed early teach their successors. */
        struct kr_shape *shape = kr_type_shape(Py_TYPE(obj));
        if (shape != NULL && shape->learned < LEARNING) {
            kr_shape_add(Py_TYPE(obj), name);
        }
    }
    return set_in_dict(obj, name, value);
}

Py_ssize_t
kr_instance_inline_count(PyObject *obj)
{
    PyObject **values = kr_instance_values(obj);
    if (values == NULL) {
        return *kr_instance_dict_slot(obj) == NULL ? 0 : -1;
    }
    return kr_values_used(values);
}

size_t
kr_instance_extra_size(PyObject *obj)
{
    PyObject **values = kr_instance_values(obj);
    if (values == NULL) {
        return 16;
    }
    size_t n = (size_t)kr_values_capacity(values);
    return 16 + header_size(n) + 8 * n;
}
