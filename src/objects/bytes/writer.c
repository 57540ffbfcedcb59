/* _PyBytesWriter: builds bytes (or a bytearray) piece by piece, in a buffer on
 * the stack while it is small. */
#include <Python.h>

#include "objects/bytes/bytes.h"

void
_PyBytesWriter_Init(_PyBytesWriter *w)
{
    /* all but the small buffer */
    memset(w, 0, offsetof(_PyBytesWriter, small_buffer));
}

void
_PyBytesWriter_Dealloc(_PyBytesWriter *w)
{
    Py_CLEAR(w->buffer);
}

static char *
start_of(_PyBytesWriter *w)
{
    return w->use_small_buffer ? w->small_buffer : kr_bytes_data(w->buffer);
}

void *
_PyBytesWriter_Resize(_PyBytesWriter *w, void *str, Py_ssize_t size)
{
    Py_ssize_t pos = w->buffer == NULL && !w->use_small_buffer
                         ? 0
                         : (char *)str - start_of(w);
    if (w->overallocate && size <= PY_SSIZE_T_MAX - size / 4) {
        size += size / 4;
    }
    if (!w->use_small_buffer && w->buffer != NULL) {
        int rc = w->use_bytearray ? PyByteArray_Resize(w->buffer, size)
                                  : _PyBytes_Resize(&w->buffer, size);
        if (rc < 0) {
            goto error;
        }
    }
    else {
        w->buffer = w->use_bytearray
                        ? PyByteArray_FromStringAndSize(NULL, size)
                        : PyBytes_FromStringAndSize(NULL, size);
        if (w->buffer == NULL) {
            goto error;
        }
        if (pos != 0) {
            memcpy(kr_bytes_data(w->buffer), w->small_buffer, (size_t)pos);
        }
        w->use_small_buffer = 0;
    }
    w->allocated = size;
    return start_of(w) + pos;
error:
    _PyBytesWriter_Dealloc(w);
    return NULL;
}

void *
_PyBytesWriter_Prepare(_PyBytesWriter *w, void *str, Py_ssize_t size)
{
    if (size == 0) {
        return str;
    }
    if (w->min_size > PY_SSIZE_T_MAX - size) {
        PyErr_NoMemory();
        _PyBytesWriter_Dealloc(w);
        return NULL;
    }
    Py_ssize_t need = w->min_size + size;
    if (need > w->allocated) {
        str = _PyBytesWriter_Resize(w, str, need);
    }
    w->min_size = need;
    return str;
}

void *
_PyBytesWriter_Alloc(_PyBytesWriter *w, Py_ssize_t size)
{
    w->use_small_buffer = 1;
    w->allocated = sizeof(w->small_buffer);
    return _PyBytesWriter_Prepare(w, w->small_buffer, size);
}

PyObject *
_PyBytesWriter_Finish(_PyBytesWriter *w, void *str)
{
    Py_ssize_t size = w->buffer == NULL && !w->use_small_buffer
                          ? 0
                          : (char *)str - start_of(w);
    if (size == 0 && !w->use_bytearray) {
        Py_CLEAR(w->buffer);
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    if (w->use_small_buffer) {
        return w->use_bytearray
                   ? PyByteArray_FromStringAndSize(w->small_buffer, size)
                   : PyBytes_FromStringAndSize(w->small_buffer, size);
    }
    PyObject *result = w->buffer;
    w->buffer = NULL;
    if (size != w->allocated) {
        if (w->use_bytearray) {
            if (PyByteArray_Resize(result, size) < 0) {
                Py_CLEAR(result);
            }
        }
        else {
            _PyBytes_Resize(&result, size);
        }
    }
    if (result != NULL && size == 1 && !w->use_bytearray) {
        unsigned char c = (unsigned char)PyBytes_AS_STRING(result)[0];
        Py_DECREF(result);
        return kr_bytes_char(c);
    }
    return result;
}

void *
_PyBytesWriter_WriteBytes(_PyBytesWriter *w, void *ptr, const void *bytes,
                          Py_ssize_t size)
{
    char *str = _PyBytesWriter_Prepare(w, ptr, size);
    if (str == NULL) {
        return NULL;
    }
    memcpy(str, bytes, (size_t)size);
    return str + size;
}
