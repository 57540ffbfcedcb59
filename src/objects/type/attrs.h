/* Computed attributes of type objects, and their documentation format. */
#ifndef KR_OBJECTS_TYPE_ATTRS_H
#define KR_OBJECTS_TYPE_ATTRS_H

#include <Python.h>

extern PyGetSetDef kr_type_getsets[];


/* A new dict whose keys are the names of a class and of all its bases. */
PyObject *kr_class_dir(PyObject *cls);

#endif
