/* Ranges and their iterators; the VM steps through the small one inline. */
#ifndef KR_OBJECTS_RANGE_H
#define KR_OBJECTS_RANGE_H

#include <Python.h>

typedef struct {
    PyObject_HEAD
    PyObject *start;
    PyObject *stop;
    PyObject *step;
    PyObject *length;
} kr_range;

/* Item i is start + i * step, for index <= i < len. */
typedef struct {
    PyObject_HEAD
    long index;
    long start;
    long step;
    long len;
} _PyRangeIterObject;

/* New iterators; NULL with an exception. The second shares its arguments. */
PyObject *kr_range_iter_new(long start, long step, long len);
PyObject *kr_longrange_iter_new(PyObject *start, PyObject *step,
                                PyObject *length);

#endif
