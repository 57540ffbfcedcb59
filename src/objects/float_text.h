/* Doubles as text: what repr, str and the format functions share. */
#ifndef KR_OBJECTS_FLOAT_TEXT_H
#define KR_OBJECTS_FLOAT_TEXT_H

#include <Python.h>

#include "base/common.h"

/* The dtoa interface that CPython exports. */
PyAPI_FUNC(double) _Py_dg_strtod(const char *str, char **ptr);
PyAPI_FUNC(char *)
    _Py_dg_dtoa(double d, int mode, int ndigits, int *decpt, int *sign,
                char **rve);
PyAPI_FUNC(void) _Py_dg_freedtoa(char *s);
PyAPI_FUNC(double) _Py_dg_stdnan(int sign);
PyAPI_FUNC(double) _Py_dg_infinity(int sign);

/* repr(x) into buf (at least 32 bytes), without a NUL; returns the length. */
int kr_float_repr(double x, char *buf);

#endif
