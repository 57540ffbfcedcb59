/* Running source text, and showing errors.
   The limited API has only what needs no FILE. */
#ifndef Py_PYTHONRUN_H
#define Py_PYTHONRUN_H

#ifdef __cplusplus
extern "C" {
#endif

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) Py_CompileString(const char *, const char *, int);

/* Show the current exception; hooks of the input loop. */
PyAPI_FUNC(void) PyErr_Display(PyObject *, PyObject *, PyObject *);
PyAPI_FUNC(void) PyErr_Print(void);
PyAPI_FUNC(void) PyErr_PrintEx(int);

PyAPI_DATA(int) (*PyOS_InputHook)(void);

/* Bytes of C stack to keep free, for PyOS_CheckStack. */
#define PYOS_STACK_MARGIN 2048

#ifndef Py_LIMITED_API
#include "cpython/pythonrun.h"
#endif

#ifdef __cplusplus
}
#endif

#endif
