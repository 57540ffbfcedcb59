/* The error indicator, with the thread state passed explicitly.
 *
 * The indicator is the triple curexc_type/value/traceback of the thread state;
 * the exception being handled is the top of the exc_info stack. */
#ifndef KR_OBJECTS_ERRORS_H
#define KR_OBJECTS_ERRORS_H

#include <Python.h>

/* Borrowed type of the pending exception, or NULL. */
static inline PyObject *
_PyErr_Occurred(PyThreadState *tstate)
{
    return tstate->curexc_type;
}

void _PyErr_Clear(PyThreadState *tstate);

/* Fetch gives new references (or NULLs) and clears; Restore steals three. */
void _PyErr_Fetch(PyThreadState *tstate, PyObject **type, PyObject **value,
                  PyObject **tb);
void _PyErr_Restore(PyThreadState *tstate, PyObject *type, PyObject *value,
                    PyObject *tb);

int _PyErr_ExceptionMatches(PyThreadState *tstate, PyObject *exc);
void _PyErr_SetObject(PyThreadState *tstate, PyObject *type, PyObject *value);
void _PyErr_SetString(PyThreadState *tstate, PyObject *type, const char *text);
void _PyErr_SetNone(PyThreadState *tstate, PyObject *type);
PyObject *_PyErr_NoMemory(PyThreadState *tstate);
PyObject *_PyErr_Format(PyThreadState *tstate, PyObject *type,
                        const char *format, ...);
PyObject *_PyErr_FormatFromCauseTstate(PyThreadState *tstate, PyObject *type,
                                       const char *format, ...);
void _PyErr_NormalizeException(PyThreadState *tstate, PyObject **exc,
                               PyObject **val, PyObject **tb);

/* The innermost entry of the exc_info stack that holds an exception, or the
 * bottom one. */
_PyErr_StackItem *_PyErr_GetTopmostException(PyThreadState *tstate);

/* New: (type, value, traceback) of a stack entry, None for what is absent. */
PyObject *_PyErr_StackItemToExcInfoTuple(_PyErr_StackItem *item);

/* Makes `item`'s exception the context of the pending one. */
void _PyErr_ChainStackItem(_PyErr_StackItem *item);

#endif
