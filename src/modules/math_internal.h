/* What the files of the module math share. */
#ifndef KR_MODULES_MATH_INTERNAL_H
#define KR_MODULES_MATH_INTERNAL_H

#include <Python.h>

#include "base/common.h"
#include "objects/ids.h"

/* Functions on ints (math_int.c), as methods. */
PyObject *kr_math_factorial(PyObject *module, PyObject *arg);
PyObject *kr_math_isqrt(PyObject *module, PyObject *arg);
PyObject *kr_math_gcd(PyObject *module, PyObject *const *args, Py_ssize_t n);
PyObject *kr_math_lcm(PyObject *module, PyObject *const *args, Py_ssize_t n);
PyObject *kr_math_comb(PyObject *module, PyObject *const *args, Py_ssize_t n);
PyObject *kr_math_perm(PyObject *module, PyObject *const *args, Py_ssize_t n);
PyObject *kr_math_prod(PyObject *module, PyObject *const *args, Py_ssize_t n,
                       PyObject *kwnames);

/* Sums and norms (math_sum.c), as methods. */
PyObject *kr_math_fsum(PyObject *module, PyObject *seq);
PyObject *kr_math_hypot(PyObject *module, PyObject *const *args, Py_ssize_t n);
PyObject *kr_math_dist(PyObject *module, PyObject *const *args, Py_ssize_t n);

/* Reads a real number; false with an exception set. */
static inline bool
kr_math_double(PyObject *arg, double *x)
{
    if (PyFloat_CheckExact(arg)) {
        *x = PyFloat_AS_DOUBLE(arg);
        return true;
    }
    *x = PyFloat_AsDouble(arg);
    return !(*x == -1.0 && PyErr_Occurred());
}

#endif
