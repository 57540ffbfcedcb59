/* The arguments (sub[, start[, end]]) of find, count and so on. */
#ifndef KR_OBJECTS_ARGS_SLICE_H
#define KR_OBJECTS_ARGS_SLICE_H

#include <Python.h>

#include "base/common.h"

/* Takes them from the arguments of the function `name`; *sub is borrowed. -1
 * with an exception set. */
int kr_slice_args_parse(const char *name, PyObject *args, PyObject **sub,
                        Py_ssize_t *start, Py_ssize_t *end);

/* The same, at once if there is only the first. */
static inline int
kr_slice_args(const char *name, PyObject *args, PyObject **sub,
              Py_ssize_t *start, Py_ssize_t *end)
{
    if (KR_LIKELY(PyTuple_GET_SIZE(args) == 1)) {
        *sub = PyTuple_GET_ITEM(args, 0);
        *start = 0;
        *end = PY_SSIZE_T_MAX;
        return 0;
    }
    return kr_slice_args_parse(name, args, sub, start, end);
}

#endif
