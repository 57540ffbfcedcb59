/* Running programs and showing what went wrong. */
#ifndef KR_RUNTIME_RUN_H
#define KR_RUNTIME_RUN_H

#include <Python.h>

/* What sys.unraisablehook does by default: writes "Exception ignored in". New
 * None, or NULL. */
PyObject *kr_unraisable_default(PyObject *unraisable);

/* Writes an exception, its traceback and its causes to a file; errors on the
 * way are cleared. */
PyAPI_FUNC(void) _PyErr_Display(PyObject *file, PyObject *exception,
                                PyObject *value, PyObject *tb);

/* "Did you mean": a name close to the one that a NameError, AttributeError or
 * ImportError missed. New str, or NULL without an exception. */
PyObject *kr_suggest_name(PyObject *exception);

/* Handles a pending SystemExit: gives 1 and the exit status, else 0. */
int kr_handle_system_exit(int *exitcode);

#endif
