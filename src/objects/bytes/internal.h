/* Functions that CPython exports without declaring them publicly, and the
 * parts of the bytes type. */
#ifndef KR_OBJECTS_BYTES_INTERNAL_H
#define KR_OBJECTS_BYTES_INTERNAL_H

#include <Python.h>

/* Offset of the needle (plus `offset`), or -1. */
PyAPI_FUNC(Py_ssize_t)
_PyBytes_Find(const char *haystack, Py_ssize_t len_haystack,
              const char *needle, Py_ssize_t len_needle, Py_ssize_t offset);
PyAPI_FUNC(Py_ssize_t)
_PyBytes_ReverseFind(const char *haystack, Py_ssize_t len_haystack,
                     const char *needle, Py_ssize_t len_needle,
                     Py_ssize_t offset);

/* Fills dest with copies of src; lengths in bytes. */
PyAPI_FUNC(void)
_PyBytes_Repeat(char *dest, Py_ssize_t len_dest, const char *src,
                Py_ssize_t len_src);

/* Hexadecimal digits as str or as bytes; `sep` (NULL: none) goes between groups
 * of |bytes_per_group| bytes, counted from the right if positive. */
PyAPI_FUNC(PyObject *) _Py_strhex(const char *argbuf, Py_ssize_t arglen);
PyAPI_FUNC(PyObject *) _Py_strhex_bytes(const char *argbuf, Py_ssize_t arglen);
PyAPI_FUNC(PyObject *)
_Py_strhex_with_sep(const char *argbuf, Py_ssize_t arglen, PyObject *sep,
                    int bytes_per_group);
PyAPI_FUNC(PyObject *)
_Py_strhex_bytes_with_sep(const char *argbuf, Py_ssize_t arglen,
                          PyObject *sep, int bytes_per_group);

/* A new object of `size` unset bytes, even if none; or NULL. */
PyObject *kr_bytes_new(Py_ssize_t size);

/* a + b for anything with a buffer, as bytes; new reference or NULL. */
PyObject *kr_bytes_concat(PyObject *a, PyObject *b);

/* tp_iter of bytes and of bytearray: a new iterator, or NULL. */
PyObject *kr_bytes_iter(PyObject *seq);
PyObject *kr_bytearray_iter(PyObject *seq);

/* Value of a hexadecimal digit, 37 if it is none. */
static inline unsigned
kr_hex_digit(Py_UCS4 ch)
{
    return ch >= '0' && ch <= '9'   ? ch - '0'
           : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
           : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
                                    : 37;
}

#endif
