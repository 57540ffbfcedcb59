/* Keyword arguments into an array with a slot for each. */
#ifndef KR_OBJECTS_UNPACK_H
#define KR_OBJECTS_UNPACK_H

#include <Python.h>

/* As _PyArg_UnpackKeywords, but the result always is `buf`, whose `n` slots
 * are NULL where no argument was given, so that it may be read in full. */
static inline PyObject *const *
kr_unpack_keywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs,
                   PyObject *kwnames, struct _PyArg_Parser *parser, int minpos,
                   int maxpos, PyObject **buf, int n)
{
    for (int i = 0; i < n; i++) {
        buf[i] = NULL;
    }
    if (kwargs == NULL && kwnames == NULL && minpos <= nargs
        && nargs <= maxpos) {
        for (Py_ssize_t i = 0; i < nargs; i++) {
            buf[i] = args[i];
        }
        return buf;
    }
    return (_PyArg_UnpackKeywords)(args, nargs, kwargs, kwnames, parser,
                                   minpos, maxpos, 0, buf);
}

#endif
