/* Tracebacks: the frames an exception passed.
   A traceback refers to the next one, nearer to the raise. */
#ifndef Py_TRACEBACK_H
#define Py_TRACEBACK_H

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyTraceBack_Type;

#define PyTraceBack_Check(v) Py_IS_TYPE((v), &PyTraceBack_Type)

/* Extend and show; -1 means failure. */
PyAPI_FUNC(int) PyTraceBack_Here(PyFrameObject *);
PyAPI_FUNC(int) PyTraceBack_Print(PyObject *, PyObject *);

#ifndef Py_LIMITED_API
#include "cpython/traceback.h"
#endif

#ifdef __cplusplus
}
#endif

#endif
