/* Layout of bytes, and a writer that builds one.
   A writer starts with a buffer on the C stack. */
#ifndef Py_CPYTHON_BYTESOBJECT_H
#define Py_CPYTHON_BYTESOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
typedef struct {
    PyObject_VAR_HEAD
    Py_hash_t ob_shash; /* -1: not computed */
    char ob_sval[1];
} PyBytesObject;

typedef struct {
    PyObject *buffer;
    Py_ssize_t allocated;
    Py_ssize_t min_size;
    int use_bytearray; /* make a bytearray */
    int overallocate;
    int use_small_buffer;
    char small_buffer[512];
} _PyBytesWriter;

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) _PyBytes_DecodeEscape(const char *, Py_ssize_t,
    const char *, const char **);
PyAPI_FUNC(PyObject *) _PyBytes_DecodeEscape2(const char *, Py_ssize_t,
    const char *, int *, const char **);
PyAPI_FUNC(PyObject *) _PyBytes_FormatEx(const char *, Py_ssize_t, PyObject *,
    int);
PyAPI_FUNC(PyObject *) _PyBytes_FromHex(PyObject *, int);
PyAPI_FUNC(PyObject *) _PyBytes_Join(PyObject *, PyObject *);
PyAPI_FUNC(PyObject *) _PyBytesWriter_Finish(_PyBytesWriter *, void *);

/* Building bytes; -1 or NULL means failure. */
PyAPI_FUNC(int) _PyBytes_Resize(PyObject **, Py_ssize_t);
PyAPI_FUNC(void *) _PyBytesWriter_Alloc(_PyBytesWriter *, Py_ssize_t);
PyAPI_FUNC(void) _PyBytesWriter_Dealloc(_PyBytesWriter *);
PyAPI_FUNC(void) _PyBytesWriter_Init(_PyBytesWriter *);
PyAPI_FUNC(void *) _PyBytesWriter_Prepare(_PyBytesWriter *, void *, Py_ssize_t);
PyAPI_FUNC(void *) _PyBytesWriter_Resize(_PyBytesWriter *, void *, Py_ssize_t);
PyAPI_FUNC(void *) _PyBytesWriter_WriteBytes(_PyBytesWriter *, void *,
    const void *, Py_ssize_t);

#define _PyBytes_CAST(op) \
    (assert(PyBytes_Check(op)), _Py_CAST(PyBytesObject *, (op)))

static inline char *
PyBytes_AS_STRING(PyObject *op)
{
    return _PyBytes_CAST(op)->ob_sval;
}

static inline Py_ssize_t
PyBytes_GET_SIZE(PyObject *op)
{
    return Py_SIZE(_PyBytes_CAST(op));
}

#define PyBytes_AS_STRING(op) PyBytes_AS_STRING(_PyObject_CAST(op))
#define PyBytes_GET_SIZE(op) PyBytes_GET_SIZE(_PyObject_CAST(op))
#endif

#ifdef __cplusplus
}
#endif

#endif
