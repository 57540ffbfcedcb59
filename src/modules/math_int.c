/* math: functions on ints. */
#include "modules/math_internal.h"

#include <math.h>

/* --- gcd, lcm ------------------------------------------------------------- */

/* Joins the arguments by `op` from the left; `none` if there are none. */
static PyObject *
join(PyObject *const *args, Py_ssize_t n, binaryfunc op, long none)
{
    if (n == 0) {
        return PyLong_FromLong(none);
    }
    PyObject *res = PyNumber_Index(args[0]);
    if (res != NULL && n == 1) {
        Py_SETREF(res, PyNumber_Absolute(res));
        return res;
    }
    for (Py_ssize_t i = 1; res != NULL && i < n; i++) {
        PyObject *x = PyNumber_Index(args[i]);
        if (x == NULL) {
            Py_DECREF(res);
            return NULL;
        }
        Py_SETREF(res, op(res, x));
        Py_DECREF(x);
    }
    return res;
}

PyObject *
kr_math_gcd(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    return join(args, n, _PyLong_GCD, 0);
}

static PyObject *
lcm2(PyObject *a, PyObject *b)
{
    if (_PyLong_Sign(a) == 0 || _PyLong_Sign(b) == 0) {
        return PyLong_FromLong(0);
    }
    PyObject *g = _PyLong_GCD(a, b);
    PyObject *f = g ? PyNumber_FloorDivide(a, g) : NULL;
    PyObject *m = f ? PyNumber_Multiply(f, b) : NULL;
    PyObject *result = m ? PyNumber_Absolute(m) : NULL;
    Py_XDECREF(g);
    Py_XDECREF(f);
    Py_XDECREF(m);
    return result;
}

PyObject *
kr_math_lcm(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    return join(args, n, lcm2, 1);
}

/* --- isqrt ---------------------------------------------------------------- */

static uint64_t
isqrt64(uint64_t n)
{
    uint64_t r = (uint64_t)sqrt((double)n);
    if (r > UINT32_MAX) {
        r = UINT32_MAX;
    }
    while (r * r > n) {
        r--;
    }
    while (r < UINT32_MAX && (r + 1) * (r + 1) <= n) {
        r++;
    }
    return r;
}

/* a = (a << up) + (n >> down) // a; consumes a. */
static PyObject *
isqrt_step(PyObject *a, PyObject *n, size_t up, size_t down)
{
    PyObject *top = _PyLong_Rshift(n, down);
    PyObject *q = top ? PyNumber_FloorDivide(top, a) : NULL;
    PyObject *shifted = q ? _PyLong_Lshift(a, up) : NULL;
    PyObject *r = shifted ? PyNumber_Add(shifted, q) : NULL;
    Py_DECREF(a);
    Py_XDECREF(top);
    Py_XDECREF(q);
    Py_XDECREF(shifted);
    return r;
}

/* Newton's iteration where the precision doubles with each step; the result of
 * the last one is right or one too large. */
static PyObject *
isqrt_big(PyObject *n)
{
    size_t c = (_PyLong_NumBits(n) - 1) / 2, d = 0;
    int steps = 0;
    while (c >> steps) {
        steps++;
    }
    PyObject *a = PyLong_FromLong(1);
    for (int s = steps - 1; s >= 0 && a != NULL; s--) {
        size_t e = d;
        d = c >> s;
        a = isqrt_step(a, n, d - e - 1, 2 * c - e - d + 1);
    }
    if (a == NULL) {
        return NULL;
    }
    PyObject *square = PyNumber_Multiply(a, a);
    int too_large =
        square ? PyObject_RichCompareBool(n, square, Py_LT) : -1;
    Py_XDECREF(square);
    if (too_large < 0) {
        Py_DECREF(a);
        return NULL;
    }
    if (too_large) {
        PyObject *one = PyLong_FromLong(1);
        Py_SETREF(a, PyNumber_Subtract(a, one));
        Py_DECREF(one);
    }
    return a;
}

PyObject *
kr_math_isqrt(PyObject *module, PyObject *arg)
{
    PyObject *n = PyNumber_Index(arg), *result;
    if (n == NULL) {
        return NULL;
    }
    if (_PyLong_Sign(n) < 0) {
        PyErr_SetString(PyExc_ValueError,
                        "isqrt() argument must be nonnegative");
        result = NULL;
    }
    else if (_PyLong_NumBits(n) <= 64) {
        result = PyLong_FromUnsignedLongLong(
            isqrt64(PyLong_AsUnsignedLongLong(n)));
    }
    else {
        result = isqrt_big(n);
    }
    Py_DECREF(n);
    return result;
}

/* --- Products ------------------------------------------------------------- */

/* lo * (lo + step) * ... over `count` terms, none beyond 2^64. */
static PyObject *
product_range(uint64_t lo, uint64_t step, uint64_t count)
{
    if (count <= 16) {
        uint64_t r = 1;
        PyObject *big = NULL;
        for (uint64_t i = 0; i < count; i++) {
            uint64_t t;
            if (!__builtin_mul_overflow(r, lo + i * step, &t)) {
                r = t;
                continue;
            }
            PyObject *part = PyLong_FromUnsignedLongLong(r);
            if (big != NULL && part != NULL) {
                PyObject *p = PyNumber_Multiply(big, part);
                Py_DECREF(part);
                part = p;
            }
            Py_XSETREF(big, part);
            if (big == NULL) {
                return NULL;
            }
            r = lo + i * step;
        }
        PyObject *part = PyLong_FromUnsignedLongLong(r);
        if (big != NULL && part != NULL) {
            Py_SETREF(part, PyNumber_Multiply(big, part));
        }
        Py_XDECREF(big);
        return part;
    }
    uint64_t half = count / 2;
    PyObject *a = product_range(lo, step, half);
    PyObject *b = a ? product_range(lo + half * step, step, count - half) : NULL;
    PyObject *r = b ? PyNumber_Multiply(a, b) : NULL;
    Py_XDECREF(a);
    Py_XDECREF(b);
    return r;
}

/* n! = odd part * 2^(n - popcount(n)); the odd part collects for each k the odd
 * numbers up to n / 2^k. */
static PyObject *
factorial_u64(uint64_t n)
{
    PyObject *inner = PyLong_FromLong(1), *outer = PyLong_FromLong(1);
    uint64_t done = 1; /* odd numbers up to here are in `inner` */
    for (int k = n ? 63 - __builtin_clzll(n) : 0; k >= 0; k--) {
        uint64_t top = n >> k;
        if (top < 3 || inner == NULL || outer == NULL) {
            continue;
        }
        uint64_t last = (top - 1) | 1; /* the largest odd number <= top */
        PyObject *part = product_range(done + 2, 2, (last - done) / 2);
        if (part != NULL) {
            Py_SETREF(inner, PyNumber_Multiply(inner, part));
            Py_DECREF(part);
        }
        else {
            Py_CLEAR(inner);
        }
        done = last;
        if (inner != NULL) {
            Py_SETREF(outer, PyNumber_Multiply(outer, inner));
        }
    }
    PyObject *result = NULL;
    if (inner != NULL && outer != NULL) {
        result =
            _PyLong_Lshift(outer, (size_t)(n - __builtin_popcountll(n)));
    }
    Py_XDECREF(inner);
    Py_XDECREF(outer);
    return result;
}

PyObject *
kr_math_factorial(PyObject *module, PyObject *arg)
{
    int overflow;
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        return NULL;
    }
    long x = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow > 0) {
        PyErr_Format(PyExc_OverflowError,
                     "factorial() argument should not exceed %ld", LONG_MAX);
        return NULL;
    }
    if (overflow < 0 || x < 0) {
        PyErr_SetString(PyExc_ValueError,
                        "factorial() not defined for negative values");
        return NULL;
    }
    if (x <= 20) {
        uint64_t r = 1;
        for (long i = 2; i <= x; i++) {
            r *= (uint64_t)i;
        }
        return PyLong_FromUnsignedLongLong(r);
    }
    return factorial_u64((uint64_t)x);
}

/* n * (n - 1) * ... * (n - k + 1) */
static PyObject *
falling(PyObject *n, uint64_t k)
{
    if (k == 0) {
        return PyLong_FromLong(1);
    }
    if (_PyLong_NumBits(n) <= 63) {
        uint64_t top = PyLong_AsUnsignedLongLong(n);
        return product_range(top - k + 1, 1, k);
    }
    if (k == 1) {
        return Py_NewRef(n);
    }
    uint64_t half = k / 2;
    PyObject *a = falling(n, half);
    PyObject *off = a ? PyLong_FromUnsignedLongLong(half) : NULL;
    PyObject *rest = off ? PyNumber_Subtract(n, off) : NULL;
    PyObject *b = rest ? falling(rest, k - half) : NULL;
    PyObject *r = b ? PyNumber_Multiply(a, b) : NULL;
    Py_XDECREF(a);
    Py_XDECREF(off);
    Py_XDECREF(rest);
    Py_XDECREF(b);
    return r;
}

/* Reads n and k as ints >= 0; new references. */
static int
read_n_k(PyObject *const *args, PyObject **n, PyObject **k)
{
    *k = NULL;
    *n = PyNumber_Index(args[0]);
    if (*n == NULL || (*k = PyNumber_Index(args[1])) == NULL) {
        Py_CLEAR(*n);
        return -1;
    }
    const char *message = NULL;
    if (_PyLong_Sign(*n) < 0) {
        message = "n must be a non-negative integer";
    }
    else if (_PyLong_Sign(*k) < 0) {
        message = "k must be a non-negative integer";
    }
    if (message) {
        PyErr_SetString(PyExc_ValueError, message);
        Py_CLEAR(*n);
        Py_CLEAR(*k);
        return -1;
    }
    return 0;
}

PyObject *
kr_math_perm(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("perm", nargs, 1, 2)) {
        return NULL;
    }
    if (nargs == 1 || args[1] == Py_None) {
        return kr_math_factorial(module, args[0]);
    }
    PyObject *n, *k, *result = NULL;
    if (read_n_k(args, &n, &k) < 0) {
        return NULL;
    }
    int less = PyObject_RichCompareBool(n, k, Py_LT);
    if (less > 0) {
        result = PyLong_FromLong(0);
    }
    else if (less == 0) {
        int overflow;
        long long count = PyLong_AsLongLongAndOverflow(k, &overflow);
        if (overflow) {
            PyErr_Format(PyExc_OverflowError, "k must not exceed %lld",
                         LLONG_MAX);
        }
        else {
            result = falling(n, (uint64_t)count);
        }
    }
    Py_DECREF(n);
    Py_DECREF(k);
    return result;
}

/* n over k while everything fits 64 bits; false if it does not. */
static bool
comb64(uint64_t n, uint64_t k, uint64_t *result)
{
    unsigned __int128 r = 1;
    for (uint64_t i = 1; i <= k; i++) {
        r = r * (n - k + i) / i;
        if (r >> 64) {
            return false;
        }
    }
    *result = (uint64_t)r;
    return true;
}

static PyObject *
comb_impl(PyObject *n, uint64_t k)
{
    uint64_t r;
    if (_PyLong_NumBits(n) <= 63 && k <= 64 &&
        comb64(PyLong_AsUnsignedLongLong(n), k, &r)) {
        return PyLong_FromUnsignedLongLong(r);
    }
    PyObject *num = falling(n, k);
    PyObject *den = num ? factorial_u64(k) : NULL;
    PyObject *result = den ? PyNumber_FloorDivide(num, den) : NULL;
    Py_XDECREF(num);
    Py_XDECREF(den);
    return result;
}

PyObject *
kr_math_comb(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *n, *k, *result = NULL;
    if (!_PyArg_CheckPositional("comb", nargs, 2, 2) ||
        read_n_k(args, &n, &k) < 0) {
        return NULL;
    }
    PyObject *other = PyNumber_Subtract(n, k);
    if (other == NULL) {
        goto done;
    }
    if (_PyLong_Sign(other) < 0) {
        result = PyLong_FromLong(0);
        goto done;
    }
    int less = PyObject_RichCompareBool(other, k, Py_LT);
    if (less < 0) {
        goto done;
    }
    int overflow;
    long long count =
        PyLong_AsLongLongAndOverflow(less ? other : k, &overflow);
    if (overflow) {
        PyErr_Format(PyExc_OverflowError,
                     "min(n - k, k) must not exceed %lld", LLONG_MAX);
    }
    else {
        result = comb_impl(n, (uint64_t)count);
    }
done:
    Py_DECREF(n);
    Py_DECREF(k);
    Py_XDECREF(other);
    return result;
}

/* Multiplies exact floats and ints in C as long as it can; *item is the first
 * value it could not take, NULL at the end. Gives the product so far. */
static PyObject *
prod_fast(PyObject *it, PyObject *result, PyObject **item)
{
    *item = NULL;
    if (PyLong_CheckExact(result)) {
        int overflow;
        long long r = PyLong_AsLongLongAndOverflow(result, &overflow);
        if (overflow) {
            return result;
        }
        Py_DECREF(result);
        while ((*item = PyIter_Next(it)) != NULL && PyLong_CheckExact(*item)) {
            long long x = PyLong_AsLongLongAndOverflow(*item, &overflow), t;
            if (overflow || __builtin_mul_overflow(r, x, &t)) {
                break;
            }
            r = t;
            Py_DECREF(*item);
        }
        return PyLong_FromLongLong(r);
    }
    if (PyFloat_CheckExact(result)) {
        double r = PyFloat_AS_DOUBLE(result);
        Py_DECREF(result);
        while ((*item = PyIter_Next(it)) != NULL) {
            if (PyFloat_CheckExact(*item)) {
                r *= PyFloat_AS_DOUBLE(*item);
            }
            else if (PyLong_CheckExact(*item)) {
                int overflow;
                long x = PyLong_AsLongAndOverflow(*item, &overflow);
                if (overflow) {
                    break;
                }
                r *= (double)x;
            }
            else {
                break;
            }
            Py_DECREF(*item);
        }
        return PyFloat_FromDouble(r);
    }
    return result;
}

PyObject *
kr_math_prod(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    static const char *const keywords[] = {"", "start", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "prod"};
    PyObject *buf[2] = {NULL, NULL};
    Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &parser, 1, 1, 0,
                                 buf);
    if (args == NULL) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(args[0]);
    if (it == NULL) {
        return NULL;
    }
    PyObject *result =
        nkw && args[1] ? Py_NewRef(args[1]) : PyLong_FromLong(1);
    while (result != NULL) {
        PyObject *item;
        result = prod_fast(it, result, &item);
        if (item == NULL && !PyErr_Occurred()) {
            item = PyIter_Next(it); /* no value was refused */
        }
        if (item == NULL || result == NULL) {
            Py_XDECREF(item);
            break;
        }
        Py_SETREF(result, PyNumber_Multiply(result, item));
        Py_DECREF(item);
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) {
        Py_CLEAR(result);
    }
    return result;
}
