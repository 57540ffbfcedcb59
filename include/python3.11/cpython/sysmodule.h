/* Audit hooks and sizes of objects.
   A hook that fails (-1) makes the audited action fail. */
#ifndef Py_CPYTHON_SYSMODULE_H
#define Py_CPYTHON_SYSMODULE_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
typedef int (*Py_AuditHookFunction)(const char *, PyObject *, void *);

/* Give a borrowed reference. */
PyAPI_FUNC(PyObject *) _PySys_GetAttr(PyThreadState *, PyObject *);

/* -1 means failure. */
PyAPI_FUNC(int) PySys_AddAuditHook(Py_AuditHookFunction, void *);
PyAPI_FUNC(int) PySys_Audit(const char *, const char *, ...);
PyAPI_FUNC(size_t) _PySys_GetSizeOf(PyObject *);
#endif

#ifdef __cplusplus
}
#endif

#endif
