/* Tuples: what the other files of the runtime use beyond PyTuple_*. */
#ifndef KR_OBJECTS_TUPLE_H
#define KR_OBJECTS_TUPLE_H

#include <Python.h>

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;
    PyTupleObject *seq; /* NULL when exhausted */
} kr_tuple_iterator;

/* The only tuple of length 0; immortal. */
extern PyTupleObject kr_empty_tuple;

/* New tuple of `n` items; NULL with an exception. The first shares the items,
 * the second takes them over, also on failure. */
PyObject *_PyTuple_FromArray(PyObject *const *items, Py_ssize_t n);
PyObject *_PyTuple_FromArraySteal(PyObject *const *items, Py_ssize_t n);

/* New tracked tuple whose items are not initialised: they must be set before
 * anything else happens. n > 0. */
PyObject *kr_tuple_new_raw(Py_ssize_t n);

/* New (a, b), with both references taken over, also on failure. */
PyObject *kr_tuple_pair_steal(PyObject *a, PyObject *b);

#endif
