/* One kind of item in one byte order: its size, and how it is read and
 * written. */
#ifndef KR_MODULES_STRUCT_CODEC_H
#define KR_MODULES_STRUCT_CODEC_H

#include <Python.h>

#include "base/common.h"

struct kr_codec {
    char format;
    Py_ssize_t size;
    Py_ssize_t alignment; /* 0 or 1: none */
    /* NULL/-1 with an exception; `error` is struct.error */
    PyObject *(*unpack)(const struct kr_codec *c, const unsigned char *p);
    int (*pack)(const struct kr_codec *c, unsigned char *p, PyObject *v,
                PyObject *error);
};

/* The codec of a format character, or NULL. order: '@', '=', '<' or '>'. */
const struct kr_codec *kr_codec_find(char order, char format);

#endif
