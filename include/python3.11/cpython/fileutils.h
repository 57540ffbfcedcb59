/* Files of the operating system.
   Nothing here deals with file objects. */
#ifndef Py_CPYTHON_FILEUTILS_H
#define Py_CPYTHON_FILEUTILS_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
/* fopen() for a path object; NULL with an exception set. */
PyAPI_FUNC(FILE *) _Py_fopen_obj(PyObject *, const char *);
#endif

#ifdef __cplusplus
}
#endif

#endif
