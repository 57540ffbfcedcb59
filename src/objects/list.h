/* Lists: what the other files of the runtime use beyond PyList_*. */
#ifndef KR_OBJECTS_LIST_H
#define KR_OBJECTS_LIST_H

#include <Python.h>

/* An iterator over a list, forwards or backwards. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t index;
    PyListObject *seq; /* NULL when exhausted */
} kr_list_iterator;

/* New list that takes over `n` items, also on failure (NULL). */
PyObject *_PyList_FromArraySteal(PyObject *const *items, Py_ssize_t n);

/* Sets the size, growing the array with room to spare. New slots are not
 * initialised. 0, or -1 with MemoryError. */
int kr_list_resize(PyListObject *list, Py_ssize_t newsize);

/* Appends and takes over `item`, also on failure (-1). */
static inline int
kr_list_append_take(PyListObject *list, PyObject *item)
{
    Py_ssize_t n = Py_SIZE(list);
    if (__builtin_expect(n >= list->allocated, 0)) {
        if (kr_list_resize(list, n + 1) < 0) {
            Py_DECREF(item);
            return -1;
        }
    }
    else {
        Py_SET_SIZE(list, n + 1);
    }
    list->ob_item[n] = item;
    return 0;
}

/* Appends all items of an iterable: 0, or -1 with an exception. */
int kr_list_extend(PyListObject *list, PyObject *iterable);

/* list.sort: 0, or -1 with an exception. `key` NULL: none. */
int kr_list_sort(PyListObject *list, PyObject *key, int reverse);

/* list[low:high] = v, or its deletion when v is NULL. */
int kr_list_assign_slice(PyListObject *list, Py_ssize_t low, Py_ssize_t high,
                         PyObject *v);

/* Subscripts: tp_as_mapping of the list, and list iterators. */
PyObject *kr_list_subscript(PyObject *self, PyObject *item);
int kr_list_ass_subscript(PyObject *self, PyObject *item, PyObject *value);
PyObject *kr_list_iter(PyObject *list);
PyObject *kr_list_reversed(PyObject *list, PyObject *ignored);

#endif
