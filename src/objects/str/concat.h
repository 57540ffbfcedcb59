/* Repetition of strings, and the identity of one-character results. */
#ifndef KR_OBJECTS_STR_CONCAT_H
#define KR_OBJECTS_STR_CONCAT_H

#include <Python.h>

/* self * times; new reference, NULL on failure. */
PyObject *kr_str_repeat(PyObject *self, Py_ssize_t times);

/* Takes a one-character string, gives back its singleton if there is one. */
PyObject *kr_str_interned_char(PyObject *op);

#endif
