/* Issuing warnings of unusual form.
   -1 means that the warning became an exception. */
#ifndef Py_CPYTHON_WARNINGS_H
#define Py_CPYTHON_WARNINGS_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
/* Warn. */
PyAPI_FUNC(int) PyErr_WarnExplicitFormat(PyObject *, const char *, int,
    const char *, PyObject *, const char *, ...);
PyAPI_FUNC(int) PyErr_WarnExplicitObject(PyObject *, PyObject *, PyObject *,
    int, PyObject *, PyObject *);

#define PyErr_Warn(category, msg) PyErr_WarnEx((category), (msg), 1)
#endif

#ifdef __cplusplus
}
#endif

#endif
