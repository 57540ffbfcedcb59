/* The module math: functions of C doubles with Python's rules for errors.
 *
 * A result that is NaN although no argument is, or infinite although all are
 * finite, becomes an exception: ValueError for arguments out of the domain,
 * OverflowError for results out of range. */
#include "modules/math_internal.h"

#include <float.h>
#include <math.h>

#include "objects/abstract/abstract.h"

static PyObject *
domain_error(void)
{
    PyErr_SetString(PyExc_ValueError, "math domain error");
    return NULL;
}

static PyObject *
range_error(void)
{
    PyErr_SetString(PyExc_OverflowError, "math range error");
    return NULL;
}

/* --- Functions of one and two doubles ------------------------------------- */

static PyObject *
call1(PyObject *arg, double (*func)(double), bool can_overflow)
{
    double x;
    if (!kr_math_double(arg, &x)) {
        return NULL;
    }
    double r = func(x);
    if (isnan(r) && !isnan(x)) {
        return domain_error();
    }
    if (isinf(r) && isfinite(x)) {
        return can_overflow ? range_error() : domain_error();
    }
    return PyFloat_FromDouble(r);
}

#define FUNC1(name, func, can_overflow)                                        \
    static PyObject *math_##name(PyObject *module, PyObject *arg)              \
    {                                                                          \
        return call1(arg, func, can_overflow);                                 \
    }

/* Exact at the integers whose factorial is a double. */
static double
gamma_func(double x)
{
    if (x == floor(x) && x >= 1.0 && x <= 23.0) {
        double r = 1.0;
        for (double i = 2.0; i < x; i += 1.0) {
            r *= i;
        }
        return r;
    }
    if (x <= 0.0 && x == floor(x)) {
        return Py_NAN; /* poles, and -inf */
    }
    return tgamma(x);
}

static double
sqrt_func(double x)
{
    return sqrt(x);
}

FUNC1(acos, acos, false)
FUNC1(acosh, acosh, false)
FUNC1(asin, asin, false)
FUNC1(asinh, asinh, false)
FUNC1(atan, atan, false)
FUNC1(atanh, atanh, false)
FUNC1(cbrt, cbrt, false)
FUNC1(cos, cos, false)
FUNC1(cosh, cosh, true)
FUNC1(erf, erf, false)
FUNC1(erfc, erfc, false)
FUNC1(exp, exp, true)
FUNC1(exp2, exp2, true)
FUNC1(expm1, expm1, true)
FUNC1(fabs, fabs, false)
FUNC1(log1p, log1p, false)
FUNC1(sin, sin, false)
FUNC1(sinh, sinh, true)
FUNC1(sqrt, sqrt_func, false)
FUNC1(tan, tan, false)
FUNC1(tanh, tanh, false)

static PyObject *
math_gamma(PyObject *module, PyObject *arg)
{
    double x;
    if (!kr_math_double(arg, &x)) {
        return NULL;
    }
    if (x == 0.0) {
        return domain_error();
    }
    double r = gamma_func(x);
    if (isnan(r) && !isnan(x)) {
        return domain_error();
    }
    return isinf(r) && isfinite(x) ? range_error() : PyFloat_FromDouble(r);
}

static PyObject *
math_lgamma(PyObject *module, PyObject *arg)
{
    double x;
    if (!kr_math_double(arg, &x)) {
        return NULL;
    }
    if (isinf(x)) {
        return PyFloat_FromDouble(Py_HUGE_VAL);
    }
    if (x <= 0.0 && x == floor(x)) {
        return domain_error();
    }
    int sign;
    double r = lgamma_r(x, &sign);
    return isinf(r) ? range_error() : PyFloat_FromDouble(r);
}

static bool
two_doubles(const char *name, PyObject *const *args, Py_ssize_t n, double *x,
            double *y)
{
    return _PyArg_CheckPositional(name, n, 2, 2) &&
           kr_math_double(args[0], x) && kr_math_double(args[1], y);
}

#define ARGS PyObject *module, PyObject *const *args, Py_ssize_t n

static PyObject *
math_atan2(ARGS)
{
    double y, x;
    if (!two_doubles("atan2", args, n, &y, &x)) {
        return NULL;
    }
    return PyFloat_FromDouble(atan2(y, x));
}

static PyObject *
math_copysign(ARGS)
{
    double x, y;
    if (!two_doubles("copysign", args, n, &x, &y)) {
        return NULL;
    }
    return PyFloat_FromDouble(copysign(x, y));
}

static PyObject *
math_fmod(ARGS)
{
    double x, y;
    if (!two_doubles("fmod", args, n, &x, &y)) {
        return NULL;
    }
    if (isinf(y) && isfinite(x)) {
        return PyFloat_FromDouble(x);
    }
    double r = fmod(x, y);
    if (isnan(r) && !isnan(x) && !isnan(y)) {
        return domain_error();
    }
    return PyFloat_FromDouble(r);
}

static PyObject *
math_remainder(ARGS)
{
    double x, y;
    if (!two_doubles("remainder", args, n, &x, &y)) {
        return NULL;
    }
    if (isnan(x) || isnan(y)) {
        return PyFloat_FromDouble(isnan(x) ? x : y);
    }
    if (isinf(x) || y == 0.0) {
        return domain_error();
    }
    return PyFloat_FromDouble(isinf(y) ? x : remainder(x, y));
}

static PyObject *
math_nextafter(ARGS)
{
    double x, y;
    if (!two_doubles("nextafter", args, n, &x, &y)) {
        return NULL;
    }
    return PyFloat_FromDouble(nextafter(x, y));
}

static PyObject *
math_pow(ARGS)
{
    double x, y;
    if (!two_doubles("pow", args, n, &x, &y)) {
        return NULL;
    }
    double r = pow(x, y);
    if (isfinite(x) && isfinite(y)) {
        if (isnan(r) || (isinf(r) && x == 0.0)) {
            return domain_error();
        }
        if (isinf(r)) {
            return range_error();
        }
    }
    return PyFloat_FromDouble(r);
}

static PyObject *
math_ldexp(ARGS)
{
    double x;
    if (!_PyArg_CheckPositional("ldexp", n, 2, 2) ||
        !kr_math_double(args[0], &x)) {
        return NULL;
    }
    if (!PyLong_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError,
                        "Expected an int as second argument to ldexp.");
        return NULL;
    }
    int overflow;
    long e = PyLong_AsLongAndOverflow(args[1], &overflow);
    if (overflow) {
        e = overflow < 0 ? LONG_MIN : LONG_MAX;
    }
    if (x == 0.0 || !isfinite(x)) {
        return PyFloat_FromDouble(x);
    }
    e = e > 10000 ? 10000 : e < -10000 ? -10000 : e;
    double r = ldexp(x, (int)e);
    return isinf(r) ? range_error() : PyFloat_FromDouble(r);
}

static PyObject *
math_frexp(PyObject *module, PyObject *arg)
{
    double x;
    int e = 0;
    if (!kr_math_double(arg, &x)) {
        return NULL;
    }
    if (isfinite(x) && x != 0.0) {
        x = frexp(x, &e);
    }
    return Py_BuildValue("(di)", x, e);
}

static PyObject *
math_modf(PyObject *module, PyObject *arg)
{
    double x, whole;
    if (!kr_math_double(arg, &x)) {
        return NULL;
    }
    double frac = modf(x, &whole);
    return Py_BuildValue("(dd)", frac, whole);
}

static PyObject *
math_degrees(PyObject *module, PyObject *arg)
{
    double x;
    return kr_math_double(arg, &x)
               ? PyFloat_FromDouble(x * (180.0 / Py_MATH_PI))
               : NULL;
}

static PyObject *
math_radians(PyObject *module, PyObject *arg)
{
    double x;
    return kr_math_double(arg, &x)
               ? PyFloat_FromDouble(x * (Py_MATH_PI / 180.0))
               : NULL;
}

static PyObject *
math_ulp(PyObject *module, PyObject *arg)
{
    double x;
    if (!kr_math_double(arg, &x)) {
        return NULL;
    }
    x = fabs(x);
    if (!isfinite(x)) {
        return PyFloat_FromDouble(x);
    }
    double up = nextafter(x, Py_HUGE_VAL);
    if (isinf(up)) { /* the largest double: look down */
        return PyFloat_FromDouble(x - nextafter(x, -Py_HUGE_VAL));
    }
    return PyFloat_FromDouble(up - x);
}

#define TEST1(name, test)                                                      \
    static PyObject *math_##name(PyObject *module, PyObject *arg)              \
    {                                                                          \
        double x;                                                              \
        return kr_math_double(arg, &x) ? PyBool_FromLong(test(x) != 0) : NULL; \
    }

TEST1(isfinite, isfinite)
TEST1(isinf, isinf)
TEST1(isnan, isnan)

/* --- Logarithms ----------------------------------------------------------- */

/* log of an int that may be too large for a double: of its leading bits, plus
 * `per_bit` for each factor of two. */
static PyObject *
log_of(PyObject *arg, double (*func)(double), double per_bit)
{
    if (PyLong_Check(arg)) {
        if (_PyLong_Sign(arg) <= 0) {
            return domain_error();
        }
        double x = PyLong_AsDouble(arg);
        if (!(x == -1.0 && PyErr_Occurred())) {
            return PyFloat_FromDouble(func(x));
        }
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) {
            return NULL;
        }
        PyErr_Clear();
        Py_ssize_t e;
        x = _PyLong_Frexp((PyLongObject *)arg, &e);
        if (x == -1.0 && PyErr_Occurred()) {
            return NULL;
        }
        return PyFloat_FromDouble(func(x) + per_bit * (double)e);
    }
    double x;
    if (!kr_math_double(arg, &x)) {
        return NULL;
    }
    if (x <= 0.0) {
        return domain_error();
    }
    return PyFloat_FromDouble(func(x));
}

static PyObject *
math_log(ARGS, PyObject *kwnames)
{
    if (kwnames != NULL && !_PyArg_NoKwnames("log", kwnames)) {
        return NULL;
    }
    if (n < 1 || n > 2) {
        PyErr_SetString(PyExc_TypeError,
                        "math.log requires 1 to 2 arguments");
        return NULL;
    }
    PyObject *num = log_of(args[0], log, log(2.0));
    if (num == NULL || n == 1) {
        return num;
    }
    PyObject *den = log_of(args[1], log, log(2.0));
    PyObject *r = den ? PyNumber_TrueDivide(num, den) : NULL;
    Py_DECREF(num);
    Py_XDECREF(den);
    return r;
}

static PyObject *
math_log2(PyObject *module, PyObject *arg)
{
    return log_of(arg, log2, 1.0);
}

static PyObject *
math_log10(PyObject *module, PyObject *arg)
{
    return log_of(arg, log10, log10(2.0));
}

/* --- To ints -------------------------------------------------------------- */

/* arg.__floor__() or the like, else `func` of the double. */
static PyObject *
to_int(PyObject *arg, PyObject *name, double (*func)(double))
{
    double x;
    if (PyFloat_CheckExact(arg)) {
        x = PyFloat_AS_DOUBLE(arg);
    }
    else {
        PyObject *method = kr_lookup_special(arg, name);
        if (method != NULL) {
            PyObject *result = PyObject_CallNoArgs(method);
            Py_DECREF(method);
            return result;
        }
        if (PyErr_Occurred() || !kr_math_double(arg, &x)) {
            return NULL;
        }
    }
    return PyLong_FromDouble(func(x));
}

static PyObject *
math_floor(PyObject *module, PyObject *arg)
{
    return to_int(arg, KR_ID(__floor__), floor);
}

static PyObject *
math_ceil(PyObject *module, PyObject *arg)
{
    return to_int(arg, KR_ID(__ceil__), ceil);
}

static PyObject *
math_trunc(PyObject *module, PyObject *arg)
{
    if (PyFloat_CheckExact(arg)) {
        return PyLong_FromDouble(PyFloat_AS_DOUBLE(arg));
    }
    PyObject *trunc = kr_lookup_special(arg, KR_ID(__trunc__));
    if (trunc == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_TypeError,
                         "type %.100s doesn't define __trunc__ method",
                         Py_TYPE(arg)->tp_name);
        }
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(trunc);
    Py_DECREF(trunc);
    return result;
}

/* --- isclose -------------------------------------------------------------- */

static PyObject *
math_isclose(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    static const char *const keywords[] = {"a", "b", "rel_tol", "abs_tol",
                                           NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "isclose"};
    PyObject *buf[4] = {NULL};
    bool named = kwnames != NULL && PyTuple_GET_SIZE(kwnames) > 0;
    double a, b, rel_tol = 1e-9, abs_tol = 0.0;
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &parser, 2, 2, 0,
                                 buf);
    if (args == NULL || !kr_math_double(args[0], &a) ||
        !kr_math_double(args[1], &b) ||
        (named && args[2] && !kr_math_double(args[2], &rel_tol)) ||
        (named && args[3] && !kr_math_double(args[3], &abs_tol))) {
        return NULL;
    }
    if (rel_tol < 0.0 || abs_tol < 0.0) {
        PyErr_SetString(PyExc_ValueError, "tolerances must be non-negative");
        return NULL;
    }
    if (a == b) {
        Py_RETURN_TRUE;
    }
    if (isinf(a) || isinf(b)) {
        Py_RETURN_FALSE;
    }
    double diff = fabs(b - a);
    return PyBool_FromLong(diff <= fabs(rel_tol * b) ||
                           diff <= fabs(rel_tol * a) || diff <= abs_tol);
}

/* --- The module ----------------------------------------------------------- */

#define ONE(name, doc)                                                         \
    {                                                                          \
#name, math_##name, METH_O, #name "($module, x, /)\n--\n\n" doc        \
    }
#define TWO(name, sig, doc)                                                    \
    {                                                                          \
#name, (PyCFunction)(void *)math_##name, METH_FASTCALL,                \
            #name "($module, " sig ", /)\n--\n\n" doc                          \
    }

static PyMethodDef math_methods[] = {
    ONE(acos, "The arc cosine of x in radians, from 0 to pi."),
    ONE(acosh, "The inverse hyperbolic cosine of x."),
    ONE(asin, "The arc sine of x in radians, from -pi/2 to pi/2."),
    ONE(asinh, "The inverse hyperbolic sine of x."),
    ONE(atan, "The arc tangent of x in radians, from -pi/2 to pi/2."),
    TWO(atan2, "y, x", "The angle of the point (x, y) in radians."),
    ONE(atanh, "The inverse hyperbolic tangent of x."),
    ONE(cbrt, "The cube root of x."),
    ONE(ceil, "The smallest int not below x."),
    TWO(copysign, "x, y", "The absolute value of x with the sign of y."),
    ONE(cos, "The cosine of x radians."),
    ONE(cosh, "The hyperbolic cosine of x."),
    ONE(degrees, "The angle x, given in radians, in degrees."),
    {"dist", (PyCFunction)(void *)kr_math_dist, METH_FASTCALL,
     "dist($module, p, q, /)\n--\n\n"
     "The Euclidean distance of two points, given as sequences."},
    ONE(erf, "The error function at x."),
    ONE(erfc, "1 - erf(x), accurate for large x."),
    ONE(exp, "e raised to the power of x."),
    ONE(exp2, "2 raised to the power of x."),
    ONE(expm1, "exp(x) - 1, accurate for small x."),
    ONE(fabs, "The absolute value of the float x."),
    {"factorial", kr_math_factorial, METH_O,
     "factorial($module, n, /)\n--\n\nThe product of the ints from 1 to n."},
    ONE(floor, "The largest int not above x."),
    TWO(fmod, "x, y", "The remainder of x / y with the sign of x."),
    ONE(frexp, "The pair (m, e) with x == m * 2**e and 0.5 <= abs(m) < 1."),
    {"fsum", kr_math_fsum, METH_O,
     "fsum($module, seq, /)\n--\n\n"
     "The sum of floats, rounded only once at the end."},
    ONE(gamma, "The Gamma function at x."),
    {"gcd", (PyCFunction)(void *)kr_math_gcd, METH_FASTCALL,
     "gcd($module, *integers)\n--\n\nThe greatest common divisor."},
    {"hypot", (PyCFunction)(void *)kr_math_hypot, METH_FASTCALL,
     "hypot(*coordinates) -> value\n\n"
     "The distance of a point from the origin."},
    {"isclose", (PyCFunction)(void *)math_isclose,
     METH_FASTCALL | METH_KEYWORDS,
     "isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)\n--\n\n"
     "Whether a and b differ by at most rel_tol times the larger one, or by\n"
     "at most abs_tol."},
    ONE(isfinite, "Whether x is neither infinite nor NaN."),
    ONE(isinf, "Whether x is an infinity."),
    ONE(isnan, "Whether x is NaN."),
    {"isqrt", kr_math_isqrt, METH_O,
     "isqrt($module, n, /)\n--\n\nThe integer part of the square root."},
    {"lcm", (PyCFunction)(void *)kr_math_lcm, METH_FASTCALL,
     "lcm($module, *integers)\n--\n\nThe least common multiple."},
    TWO(ldexp, "x, i", "x * 2**i"),
    ONE(lgamma, "The logarithm of the absolute value of gamma(x)."),
    {"log", (PyCFunction)(void *)math_log, METH_FASTCALL | METH_KEYWORDS,
     "log(x, [base=math.e])\nThe logarithm of x to the given base."},
    ONE(log10, "The logarithm of x to base 10."),
    ONE(log1p, "The natural logarithm of 1 + x, accurate for small x."),
    ONE(log2, "The logarithm of x to base 2."),
    ONE(modf, "The fraction and the integer part of x, both as floats."),
    TWO(nextafter, "x, y", "The next float after x towards y."),
    TWO(pow, "x, y", "x raised to the power of y, as floats."),
    ONE(radians, "The angle x, given in degrees, in radians."),
    TWO(remainder, "x, y",
        "x - n * y, where n is the int nearest to x / y."),
    ONE(sin, "The sine of x radians."),
    ONE(sinh, "The hyperbolic sine of x."),
    ONE(sqrt, "The square root of x."),
    ONE(tan, "The tangent of x radians."),
    ONE(tanh, "The hyperbolic tangent of x."),
    ONE(trunc, "x cut towards 0, by its __trunc__ method."),
    {"prod", (PyCFunction)(void *)kr_math_prod, METH_FASTCALL | METH_KEYWORDS,
     "prod($module, iterable, /, *, start=1)\n--\n\n"
     "The product of start and all values."},
    {"perm", (PyCFunction)(void *)kr_math_perm, METH_FASTCALL,
     "perm($module, n, k=None, /)\n--\n\n"
     "In how many ways k of n things can be put in order."},
    {"comb", (PyCFunction)(void *)kr_math_comb, METH_FASTCALL,
     "comb($module, n, k, /)\n--\n\n"
     "In how many ways k of n things can be chosen."},
    ONE(ulp, "The value of the least significant bit of x."),
    {NULL},
};

static int
math_exec(PyObject *module)
{
    static const struct {
        const char *name;
        double value;
    } constants[] = {{"pi", Py_MATH_PI}, {"e", Py_MATH_E},
                     {"tau", Py_MATH_TAU}, {"inf", Py_HUGE_VAL},
                     {"nan", NAN}};
    for (size_t i = 0; i < KR_ARRAY_LEN(constants); i++) {
        PyObject *x = PyFloat_FromDouble(constants[i].value);
        int err = x ? PyModule_AddObjectRef(module, constants[i].name, x) : -1;
        Py_XDECREF(x);
        if (err < 0) {
            return -1;
        }
    }
    return 0;
}

static PyModuleDef_Slot math_slots[] = {{Py_mod_exec, math_exec}, {0, NULL}};

static struct PyModuleDef math_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "math",
    .m_doc = "Mathematical functions of real numbers.",
    .m_methods = math_methods,
    .m_slots = math_slots,
};

PyMODINIT_FUNC
PyInit_math(void)
{
    return PyModuleDef_Init(&math_module);
}
