/* File objects, and the encoding of file names.
   Files are objects of the io module: any object with its methods serves. */
#ifndef Py_FILEOBJECT_H
#define Py_FILEOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

#define PY_STDIOTEXTMODE "b"

/* Encoding of file names and how errors in it are handled. */
PyAPI_DATA(const char *) Py_FileSystemDefaultEncoding;
#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03060000
PyAPI_DATA(const char *) Py_FileSystemDefaultEncodeErrors;
#endif
PyAPI_DATA(int) Py_HasFileSystemDefaultEncoding;
#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03070000
PyAPI_DATA(int) Py_UTF8Mode;
#endif

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyFile_FromFd(int, const char *, const char *, int,
    const char *, const char *, const char *, int);
PyAPI_FUNC(PyObject *) PyFile_GetLine(PyObject *, int);

/* Writing and file descriptors; -1 means failure. */
PyAPI_FUNC(int) PyFile_WriteObject(PyObject *, PyObject *, int);
PyAPI_FUNC(int) PyFile_WriteString(const char *, PyObject *);
PyAPI_FUNC(int) PyObject_AsFileDescriptor(PyObject *);

#define _PyIsSelectable_fd(fd) ((unsigned int)(fd) < (unsigned int)FD_SETSIZE)

#ifndef Py_LIMITED_API
#include "cpython/fileobject.h"
#endif

#ifdef __cplusplus
}
#endif

#endif
