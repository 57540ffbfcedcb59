/* Identity of interpreters: objects that keep an interpreter alive. */
#ifndef KR_OBJECTS_INTERP_ID_H
#define KR_OBJECTS_INTERP_ID_H

#include <Python.h>

PyAPI_DATA(PyTypeObject) _PyInterpreterID_Type;

/* New id object, or NULL with RuntimeError when there is no such
 * interpreter. */
PyAPI_FUNC(PyObject *) _PyInterpreterID_New(int64_t id);

/* The same for an interpreter that is known to live. */
PyAPI_FUNC(PyObject *)
_PyInterpreterState_GetIDObject(PyInterpreterState *interp);

/* The interpreter that an id object or an int names; NULL with an
 * exception. */
PyAPI_FUNC(PyInterpreterState *) _PyInterpreterID_LookUp(PyObject *id);

/* --- counted by the id objects; implemented beside the interpreters --- */

/* NULL with RuntimeError when no interpreter has that number. */
PyAPI_FUNC(PyInterpreterState *) _PyInterpreterState_LookUpID(int64_t id);

/* Starts counting; adds and drops a count. The last count that goes ends an
 * interpreter that requires one. */
PyAPI_FUNC(int) _PyInterpreterState_IDInitref(PyInterpreterState *interp);
PyAPI_FUNC(int) _PyInterpreterState_IDIncref(PyInterpreterState *interp);
PyAPI_FUNC(void) _PyInterpreterState_IDDecref(PyInterpreterState *interp);

#endif
