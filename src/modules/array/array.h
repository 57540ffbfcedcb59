/* What the files of the array module share. */
#ifndef KR_MODULES_ARRAY_H
#define KR_MODULES_ARRAY_H

#include <Python.h>

#include "base/common.h"

/* How the items of one type code are stored. */
struct kr_array_kind {
    char typecode;
    int itemsize;
    bool is_integer, is_signed;
    const char *format; /* of the buffer */
    PyObject *(*get)(const char *p);
    int (*set)(char *p, PyObject *v);
};

/* NULL-terminated by typecode 0. */
extern const struct kr_array_kind kr_array_kinds[];

/* One machine format of pickled arrays. */
struct kr_array_machine {
    int size;
    bool is_signed, big_endian;
};

enum {
    KR_MACHINE_UNKNOWN = -1,
    KR_MACHINE_UINT8 = 0,
    KR_MACHINE_FLOAT_LE = 14,
    KR_MACHINE_FLOAT_BE = 15,
    KR_MACHINE_DOUBLE_LE = 16,
    KR_MACHINE_DOUBLE_BE = 17,
    KR_MACHINE_UTF16_LE = 18,
    KR_MACHINE_UTF16_BE = 19,
    KR_MACHINE_UTF32_LE = 20,
    KR_MACHINE_UTF32_BE = 21,
    KR_MACHINE_LAST = 21,
};

/* The machine format code of a kind here, and what a code means. */
int kr_array_machine_of(const struct kr_array_kind *kind);
struct kr_array_machine kr_array_machine(int code);

/* The items of machine format `code` in `bytes` as list; NULL on failure. */
PyObject *kr_array_decode(int code, PyObject *bytes);

#endif
