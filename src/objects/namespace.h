/* types.SimpleNamespace from C. */
#ifndef KR_OBJECTS_NAMESPACE_H
#define KR_OBJECTS_NAMESPACE_H

#include <Python.h>

PyAPI_DATA(PyTypeObject) _PyNamespace_Type;

/* A new namespace with a copy of the entries of `kwds` (may be NULL). */
PyAPI_FUNC(PyObject *) _PyNamespace_New(PyObject *kwds);

#endif
