/* math: exact sums and accurate norms. */
#include "modules/math_internal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* --- fsum ----------------------------------------------------------------- */

/* A sum kept as doubles that do not overlap, from small to large (Shewchuk):
 * their exact sum is the exact sum of everything added. */
struct exact_sum {
    double *parts;
    Py_ssize_t n, room;
    double special;  /* sum of infinities and NaNs */
    double infinite; /* sum of infinities only */
    double small[32];
};

static int
sum_add(struct exact_sum *s, double x)
{
    double given = x;
    Py_ssize_t kept = 0;
    for (Py_ssize_t i = 0; i < s->n; i++) {
        double y = s->parts[i];
        if (fabs(x) < fabs(y)) {
            double t = x;
            x = y;
            y = t;
        }
        double hi = x + y;
        double lo = y - (hi - x);
        if (lo != 0.0) {
            s->parts[kept++] = lo;
        }
        x = hi;
    }
    s->n = kept;
    if (x == 0.0) {
        return 0;
    }
    if (!isfinite(x)) {
        if (isfinite(given)) {
            PyErr_SetString(PyExc_OverflowError,
                            "intermediate overflow in fsum");
            return -1;
        }
        if (isinf(given)) {
            s->infinite += given;
        }
        s->special += given;
        s->n = 0;
        return 0;
    }
    if (s->n >= s->room) {
        Py_ssize_t room = s->room * 2;
        double *p = PyMem_Malloc(room * sizeof(double));
        if (p == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(p, s->parts, s->n * sizeof(double));
        if (s->parts != s->small) {
            PyMem_Free(s->parts);
        }
        s->parts = p;
        s->room = room;
    }
    s->parts[s->n++] = x;
    return 0;
}

static PyObject *
sum_result(struct exact_sum *s)
{
    if (s->special != 0.0) {
        if (isnan(s->infinite)) {
            PyErr_SetString(PyExc_ValueError, "-inf + inf in fsum");
            return NULL;
        }
        return PyFloat_FromDouble(s->special);
    }
    double hi = 0.0, lo = 0.0;
    Py_ssize_t n = s->n;
    if (n > 0) {
        hi = s->parts[--n];
        while (n > 0) {
            double x = hi, y = s->parts[--n];
            hi = x + y;
            lo = y - (hi - x);
            if (lo != 0.0) {
                break;
            }
        }
        /* a tie was rounded to even: the next part may say otherwise */
        if (n > 0 && ((lo < 0.0 && s->parts[n - 1] < 0.0) ||
                      (lo > 0.0 && s->parts[n - 1] > 0.0))) {
            double y = lo * 2.0, x = hi + y;
            if (y == x - hi) {
                hi = x;
            }
        }
    }
    return PyFloat_FromDouble(hi);
}

PyObject *
kr_math_fsum(PyObject *module, PyObject *seq)
{
    struct exact_sum s = {.room = 32};
    s.parts = s.small;
    PyObject *it = PyObject_GetIter(seq), *result = NULL, *item;
    if (it == NULL) {
        return NULL;
    }
    while ((item = PyIter_Next(it)) != NULL) {
        double x;
        bool ok = kr_math_double(item, &x);
        Py_DECREF(item);
        if (!ok || sum_add(&s, x) < 0) {
            goto done;
        }
    }
    if (!PyErr_Occurred()) {
        result = sum_result(&s);
    }
done:
    Py_DECREF(it);
    if (s.parts != s.small) {
        PyMem_Free(s.parts);
    }
    return result;
}

/* --- hypot, dist ---------------------------------------------------------- */

/* hi + lo += x * x, without rounding errors to speak of. */
static inline void
add_square(double *hi, double *lo, double x)
{
    double p = x * x, e = fma(x, x, -p);
    double s = *hi + p, b = s - *hi;
    *lo += ((*hi - (s - b)) + (p - b)) + e;
    *hi = s;
}

/* Root of the sum of squares of v[0 .. n), all >= 0. */
static double
norm(const double *v, Py_ssize_t n, double max, bool found_nan)
{
    if (isinf(max)) {
        return max;
    }
    if (found_nan) {
        return Py_NAN;
    }
    if (max == 0.0 || n <= 1) {
        return max;
    }
    int e;
    frexp(max, &e);
    /* a power of two changes no digit; two steps keep it in range */
    int half = -e / 2, rest = -e - half;
    double hi = 0.0, lo = 0.0;
    for (Py_ssize_t i = 0; i < n; i++) {
        add_square(&hi, &lo, ldexp(ldexp(v[i], half), rest));
    }
    double h = sqrt(hi + lo);
    /* one Newton step on the exact difference */
    double p = h * h, err = fma(h, h, -p);
    double diff = (hi - p) + (lo - err);
    h += diff / (2.0 * h);
    return ldexp(h, e);
}

PyObject *
kr_math_hypot(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    double small[16], *v = small, max = 0.0;
    bool nan_seen = false;
    PyObject *result = NULL;
    if (n > (Py_ssize_t)KR_ARRAY_LEN(small)) {
        v = PyMem_Malloc(n * sizeof(double));
        if (v == NULL) {
            return PyErr_NoMemory();
        }
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        double x;
        if (!kr_math_double(args[i], &x)) {
            goto done;
        }
        v[i] = fabs(x);
        nan_seen |= isnan(x) != 0;
        if (v[i] > max) {
            max = v[i];
        }
    }
    result = PyFloat_FromDouble(norm(v, n, max, nan_seen));
done:
    if (v != small) {
        PyMem_Free(v);
    }
    return result;
}

static PyObject *
dist_tuples(PyObject *p, PyObject *q)
{
    double small[16], *v = small, max = 0.0;
    bool nan_seen = false;
    PyObject *result = NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(p);
    if (n != PyTuple_GET_SIZE(q)) {
        PyErr_SetString(PyExc_ValueError, "both points must have the same "
                                          "number of dimensions");
        return NULL;
    }
    if (n > (Py_ssize_t)KR_ARRAY_LEN(small)) {
        v = PyMem_Malloc(n * sizeof(double));
        if (v == NULL) {
            return PyErr_NoMemory();
        }
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        double x, y;
        if (!kr_math_double(PyTuple_GET_ITEM(p, i), &x) ||
            !kr_math_double(PyTuple_GET_ITEM(q, i), &y)) {
            goto done;
        }
        v[i] = fabs(x - y);
        nan_seen |= isnan(v[i]) != 0;
        if (v[i] > max) {
            max = v[i];
        }
    }
    result = PyFloat_FromDouble(norm(v, n, max, nan_seen));
done:
    if (v != small) {
        PyMem_Free(v);
    }
    return result;
}

PyObject *
kr_math_dist(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    if (!_PyArg_CheckPositional("dist", n, 2, 2)) {
        return NULL;
    }
    PyObject *p = PySequence_Tuple(args[0]);
    if (p == NULL) {
        return NULL;
    }
    PyObject *q = PySequence_Tuple(args[1]);
    PyObject *result = q ? dist_tuples(p, q) : NULL;
    Py_DECREF(p);
    Py_XDECREF(q);
    return result;
}
