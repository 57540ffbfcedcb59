/* Internal side of descriptors. */
#ifndef KR_OBJECTS_DESCR_H
#define KR_OBJECTS_DESCR_H

#include <Python.h>

/* Calls the slot of a wrapper_descriptor for `self`, whose type fits. */
PyObject *kr_wrapperdescr_call(PyObject *descr, PyObject *self,
                               PyObject *args, PyObject *kwds);


#endif
