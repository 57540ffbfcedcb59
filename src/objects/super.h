/* super() without arguments. */
#ifndef KR_OBJECTS_SUPER_H
#define KR_OBJECTS_SUPER_H

#include <Python.h>

/* What a zero-argument super() in the running Python function means: the
 * content of its __class__ cell and its first argument, both borrowed. 0, or
 * -1 with RuntimeError. Implemented by the VM. */
int kr_super_frame_args(PyTypeObject **type, PyObject **self);

/* Attribute `name` behind `type` in the MRO of the class of `self`, without
 * making a super object: new reference, or NULL with AttributeError. With
 * `method` set, *method tells that the result is unbound and wants `self`. */
PyObject *kr_super_lookup(PyTypeObject *type, PyObject *self, PyObject *name,
                          int *method);

#endif
