/* What the compressed streams of zlib, _bz2 and _lzma have in common. */
#ifndef KR_MODULES_SHARED_STREAM_H
#define KR_MODULES_SHARED_STREAM_H

#include <Python.h>
#include <pythread.h>
#include <stdbool.h>

#include "modules/shared/lock.h"

/* Makes a new stream's lock and its empty unused_data, a new reference; false
 * with MemoryError. */
static inline bool
kr_stream_start(PyThread_type_lock *lock, PyObject **unused_data)
{
    *unused_data = PyBytes_FromStringAndSize(NULL, 0);
    if (*unused_data == NULL) {
        return false;
    }
    *lock = PyThread_allocate_lock();
    if (*lock == NULL) {
        PyErr_SetString(PyExc_MemoryError, "Unable to allocate lock");
    }
    return *lock != NULL;
}

/* Makes room for more output in *out, NULL at first and all used then, at most
 * `max` in all (-1: any). False if the limit is reached or with MemoryError. */
static inline bool
kr_stream_room(PyObject **out, Py_ssize_t max)
{
    Py_ssize_t used = *out == NULL ? 0 : PyBytes_GET_SIZE(*out);
    Py_ssize_t size = used + used / 2 + 32 * 1024;
    if (max >= 0 && size > max) {
        size = max;
    }
    if (*out == NULL) {
        *out = PyBytes_FromStringAndSize(NULL, size);
        return *out != NULL;
    }
    return size > used && _PyBytes_Resize(out, size) == 0;
}

#endif
