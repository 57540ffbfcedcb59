/* Ids of users and groups as Python numbers; implemented in path.c. */
#ifndef KR_MODULES_POSIX_IDS_H
#define KR_MODULES_POSIX_IDS_H

#include <Python.h>
#include <sys/types.h>

/* An id from an int, -1 among them: 1, or 0 with TypeError or OverflowError
 * set. */
PyAPI_FUNC(int) _Py_Uid_Converter(PyObject *o, uid_t *p);
PyAPI_FUNC(int) _Py_Gid_Converter(PyObject *o, gid_t *p);

/* New int. */
PyAPI_FUNC(PyObject *) _PyLong_FromUid(uid_t uid);
PyAPI_FUNC(PyObject *) _PyLong_FromGid(gid_t gid);

#endif
