/* Parametrised types: what list[int] and int | str share. */
#ifndef KR_OBJECTS_GENERICALIAS_H
#define KR_OBJECTS_GENERICALIAS_H

#include <Python.h>

extern PyTypeObject kr_genericalias_iter_type;
extern PyTypeObject kr_union_type;

/* Tuple of the type variables in a tuple of arguments, without repeats. */
PyObject *kr_make_parameters(PyObject *args);

/* `args` with the parameters replaced by `item`: a new tuple. `self` is named
 * in errors. */
PyObject *kr_subs_parameters(PyObject *self, PyObject *args,
                             PyObject *parameters, PyObject *item);

/* Text of one argument as it stands inside the brackets. */
PyObject *kr_type_arg_repr(PyObject *arg);

/* X | Y. New reference or NotImplemented. */
PyObject *kr_union_or(PyObject *self, PyObject *other);

/* Union of the members of a tuple, or the member if it is only one. */
PyObject *kr_union_make(PyObject *args);

#endif
