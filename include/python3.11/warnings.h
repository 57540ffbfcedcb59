/* Issuing warnings.
   -1 means that the warning became an exception. */
#ifndef Py_WARNINGS_H
#define Py_WARNINGS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Warn; the category NULL means RuntimeWarning. */
PyAPI_FUNC(int) PyErr_WarnEx(PyObject *, const char *, Py_ssize_t);
PyAPI_FUNC(int) PyErr_WarnExplicit(PyObject *, const char *, const char *, int,
    const char *, PyObject *);
PyAPI_FUNC(int) PyErr_WarnFormat(PyObject *, Py_ssize_t, const char *, ...);

#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03060000
/* Warn; the category NULL means RuntimeWarning. */
PyAPI_FUNC(int) PyErr_ResourceWarning(PyObject *, Py_ssize_t, const char *,
    ...);
#endif

#ifndef Py_LIMITED_API
#include "cpython/warnings.h"
#endif

#ifdef __cplusplus
}
#endif

#endif
