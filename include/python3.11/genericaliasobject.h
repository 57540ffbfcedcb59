/* Parametrised generics such as list[int].
   Usable as the __class_getitem__ of a type. */
#ifndef Py_GENERICALIASOBJECT_H
#define Py_GENERICALIASOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) Py_GenericAlias(PyObject *, PyObject *);

PyAPI_DATA(PyTypeObject) Py_GenericAliasType;

#ifdef __cplusplus
}
#endif

#endif
