/* Weak references beyond <weakrefobject.h>. */
#ifndef KR_OBJECTS_WEAKREF_H
#define KR_OBJECTS_WEAKREF_H

#include <Python.h>

/* Clears all weak references to a dying object (count 0) and calls their
 * callbacks. The error indicator is kept. */
PyAPI_FUNC(void) PyObject_ClearWeakRefs(PyObject *object);

#endif
