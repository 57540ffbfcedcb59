/* The marshal format (version 4): one byte of type, then the value. */
#ifndef KR_CODE_MARSHAL_FORMAT_H
#define KR_CODE_MARSHAL_FORMAT_H

#include <Python.h>
#include <stdio.h>

enum kr_marshal_type {
    KR_M_NULL = '0',
    KR_M_NONE = 'N',
    KR_M_FALSE = 'F',
    KR_M_TRUE = 'T',
    KR_M_STOPITER = 'S',
    KR_M_ELLIPSIS = '.',
    KR_M_INT = 'i',
    KR_M_INT64 = 'I',
    KR_M_FLOAT = 'f',
    KR_M_BINARY_FLOAT = 'g',
    KR_M_COMPLEX = 'x',
    KR_M_BINARY_COMPLEX = 'y',
    KR_M_LONG = 'l',
    KR_M_STRING = 's',
    KR_M_INTERNED = 't',
    KR_M_REF = 'r',
    KR_M_TUPLE = '(',
    KR_M_LIST = '[',
    KR_M_DICT = '{',
    KR_M_CODE = 'c',
    KR_M_UNICODE = 'u',
    KR_M_UNKNOWN = '?',
    KR_M_SET = '<',
    KR_M_FROZENSET = '>',
    KR_M_ASCII = 'a',
    KR_M_ASCII_INTERNED = 'A',
    KR_M_SMALL_TUPLE = ')',
    KR_M_SHORT_ASCII = 'z',
    KR_M_SHORT_ASCII_INTERNED = 'Z',
};

#define KR_M_FLAG_REF 0x80 /* the object gets an index in the list of refs */
#define KR_M_MAX_DEPTH 2000
#define KR_M_LONG_SHIFT 15 /* bits in a digit of KR_M_LONG */
#define KR_M_LONG_BASE (1 << KR_M_LONG_SHIFT)

/* Reads one object from the Python file object `file` (read and readinto). New
 * reference; NULL with an exception set. */
PyObject *kr_marshal_load_file(PyObject *file);

/* Reads one object from memory; trailing bytes are ignored. */
PyObject *kr_marshal_load_bytes(const char *data, Py_ssize_t size);

/* The same for what our own compiler has made: its code objects may run without
 * a check. */
PyObject *kr_marshal_load_trusted(const char *data, Py_ssize_t size);

#endif
