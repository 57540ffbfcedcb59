/* The module cmath: functions of complex numbers.
 *
 * The C library has them with the special values of C99's Annex G, which are
 * Python's as well; here they get Python's exceptions: ValueError where a
 * value is undefined, OverflowError where a finite argument gives an
 * infinity. */
#include <Python.h>

#include <complex.h>
#include <math.h>

#include "base/common.h"

typedef double complex cplx;

static cplx
to_c99(Py_complex z)
{
    /* the same layout; real + I * imag would spoil infinities */
    cplx c;
    memcpy(&c, &z, sizeof(c));
    return c;
}

static Py_complex
from_c99(cplx z)
{
    return (Py_complex){creal(z), cimag(z)};
}

/* Reads a complex number; false with an exception set. */
static bool
read_complex(PyObject *arg, Py_complex *z)
{
    *z = PyComplex_AsCComplex(arg);
    return !(z->real == -1.0 && PyErr_Occurred());
}

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

static bool
is_finite(Py_complex z)
{
    return isfinite(z.real) && isfinite(z.imag);
}

static bool
is_inf(Py_complex z)
{
    return isinf(z.real) || isinf(z.imag);
}

/* Checks the result r of a function at z. */
static PyObject *
checked(Py_complex z, Py_complex r)
{
    if (is_finite(z) && !is_finite(r)) {
        return range_error();
    }
    return PyComplex_FromCComplex(r);
}

/* Where C99 was changed later (real part zero, the other one NaN), Python keeps
 * the first rule: both parts are NaN. */
static bool
zero_and_nan(cplx z)
{
    return creal(z) == 0.0 && isnan(cimag(z));
}

static cplx
nan_both(void)
{
    return to_c99((Py_complex){NAN, NAN});
}

static cplx
acosh_of(cplx z)
{
    return zero_and_nan(z) ? nan_both() : cacosh(z);
}

static cplx
tanh_of(cplx z)
{
    return zero_and_nan(z) ? nan_both() : ctanh(z);
}

/* --- Functions without undefined values ----------------------------------- */

#define PLAIN(name, func)                                                      \
    static PyObject *cmath_##name(PyObject *module, PyObject *arg)             \
    {                                                                          \
        Py_complex z;                                                          \
        if (!read_complex(arg, &z)) {                                          \
            return NULL;                                                       \
        }                                                                      \
        return checked(z, from_c99(func(to_c99(z))));                          \
    }

PLAIN(acos, cacos)
PLAIN(acosh, acosh_of)
PLAIN(asin, casin)
PLAIN(asinh, casinh)
PLAIN(sqrt, csqrt)

/* --- Functions of the exponential family ---------------------------------- */

/* i * z and back: circular functions are hyperbolic ones, turned. */
static Py_complex
times_i(Py_complex z)
{
    return (Py_complex){-z.imag, z.real};
}

static Py_complex
times_minus_i(Py_complex z)
{
    return (Py_complex){z.imag, -z.real};
}

static PyObject *
cmath_exp(PyObject *module, PyObject *arg)
{
    Py_complex z;
    if (!read_complex(arg, &z)) {
        return NULL;
    }
    if (isinf(z.imag) &&
        (isfinite(z.real) || (isinf(z.real) && z.real > 0))) {
        return domain_error();
    }
    return checked(z, from_c99(cexp(to_c99(z))));
}

static bool
hyperbolic_undefined(Py_complex z)
{
    return isinf(z.imag) && !isnan(z.real);
}

static bool
tanh_undefined(Py_complex z)
{
    return isinf(z.imag) && isfinite(z.real);
}

#define HYPERBOLIC(name, func, undefined)                                      \
    static PyObject *cmath_##name(PyObject *module, PyObject *arg)             \
    {                                                                          \
        Py_complex z;                                                          \
        if (!read_complex(arg, &z)) {                                          \
            return NULL;                                                       \
        }                                                                      \
        if (undefined(z)) {                                                    \
            return domain_error();                                             \
        }                                                                      \
        return checked(z, from_c99(func(to_c99(z))));                          \
    }

HYPERBOLIC(cosh, ccosh, hyperbolic_undefined)
HYPERBOLIC(sinh, csinh, hyperbolic_undefined)
HYPERBOLIC(tanh, tanh_of, tanh_undefined)

static PyObject *
cmath_cos(PyObject *module, PyObject *arg)
{
    Py_complex z;
    if (!read_complex(arg, &z)) {
        return NULL;
    }
    Py_complex w = times_i(z);
    if (hyperbolic_undefined(w)) {
        return domain_error();
    }
    return checked(z, from_c99(ccosh(to_c99(w))));
}

static PyObject *
cmath_sin(PyObject *module, PyObject *arg)
{
    Py_complex z;
    if (!read_complex(arg, &z)) {
        return NULL;
    }
    Py_complex w = times_i(z);
    if (hyperbolic_undefined(w)) {
        return domain_error();
    }
    return checked(z, times_minus_i(from_c99(csinh(to_c99(w)))));
}

static PyObject *
cmath_tan(PyObject *module, PyObject *arg)
{
    Py_complex z;
    if (!read_complex(arg, &z)) {
        return NULL;
    }
    Py_complex w = times_i(z);
    if (tanh_undefined(w)) {
        return domain_error();
    }
    return checked(z, times_minus_i(from_c99(tanh_of(to_c99(w)))));
}

/* atanh has poles at 1 and -1. */
static bool
atanh_pole(Py_complex z)
{
    return z.imag == 0.0 && fabs(z.real) == 1.0;
}

static PyObject *
cmath_atanh(PyObject *module, PyObject *arg)
{
    Py_complex z;
    if (!read_complex(arg, &z)) {
        return NULL;
    }
    if (atanh_pole(z)) {
        return domain_error();
    }
    return checked(z, from_c99(catanh(to_c99(z))));
}

static PyObject *
cmath_atan(PyObject *module, PyObject *arg)
{
    Py_complex z;
    if (!read_complex(arg, &z)) {
        return NULL;
    }
    Py_complex w = times_i(z);
    if (atanh_pole(w)) {
        return domain_error();
    }
    return checked(z, times_minus_i(from_c99(catanh(to_c99(w)))));
}

/* --- Logarithms ----------------------------------------------------------- */

static Py_complex
log_of(Py_complex z)
{
    return from_c99(clog(to_c99(z)));
}

static bool
is_zero(Py_complex z)
{
    return z.real == 0.0 && z.imag == 0.0;
}

static PyObject *
cmath_log(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_complex z, base;
    if (!_PyArg_CheckPositional("log", nargs, 1, 2) ||
        !read_complex(args[0], &z) ||
        (nargs == 2 && !read_complex(args[1], &base))) {
        return NULL;
    }
    Py_complex r = log_of(z);
    bool undefined = is_zero(z);
    if (nargs == 2) {
        /* the second logarithm alone decides, as it always did */
        Py_complex den = log_of(base);
        undefined = is_zero(base) || is_zero(den);
        r = _Py_c_quot(r, den);
    }
    return undefined ? domain_error() : PyComplex_FromCComplex(r);
}

static PyObject *
cmath_log10(PyObject *module, PyObject *arg)
{
    Py_complex z;
    if (!read_complex(arg, &z)) {
        return NULL;
    }
    if (is_zero(z)) {
        return domain_error();
    }
    Py_complex r = log_of(z);
    r.real /= log(10.0);
    r.imag /= log(10.0);
    return PyComplex_FromCComplex(r);
}

/* --- Polar coordinates ---------------------------------------------------- */

static PyObject *
cmath_phase(PyObject *module, PyObject *arg)
{
    Py_complex z;
    if (!read_complex(arg, &z)) {
        return NULL;
    }
    return PyFloat_FromDouble(atan2(z.imag, z.real));
}

static PyObject *
cmath_polar(PyObject *module, PyObject *arg)
{
    Py_complex z;
    if (!read_complex(arg, &z)) {
        return NULL;
    }
    double r = _Py_c_abs(z);
    if (errno == ERANGE) {
        return range_error();
    }
    return Py_BuildValue("dd", r, atan2(z.imag, z.real));
}

static PyObject *
cmath_rect(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("rect", nargs, 2, 2)) {
        return NULL;
    }
    double r = PyFloat_AsDouble(args[0]);
    if (r == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    double phi = PyFloat_AsDouble(args[1]);
    if (phi == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    if (isinf(phi) && r != 0.0 && !isnan(r)) {
        return domain_error();
    }
    if (r == 0.0 && !isfinite(phi)) {
        return PyComplex_FromDoubles(0.0, 0.0);
    }
    if (isinf(r) && isfinite(phi) && phi != 0.0) {
        double x = copysign(Py_HUGE_VAL, cos(phi));
        double y = copysign(Py_HUGE_VAL, sin(phi));
        return r > 0 ? PyComplex_FromDoubles(x, y)
                     : PyComplex_FromDoubles(-x, -y);
    }
    if (isinf(r) && isnan(phi)) {
        return PyComplex_FromDoubles(Py_HUGE_VAL, Py_NAN);
    }
    if (phi == 0.0) { /* r * phi is NaN for infinities */
        double y = isnan(r) ? 0.0 : isinf(r) ? (r > 0 ? phi : -phi) : r * phi;
        return PyComplex_FromDoubles(r, y);
    }
    return PyComplex_FromDoubles(r * cos(phi), r * sin(phi));
}

/* --- Tests ---------------------------------------------------------------- */

#define TEST(name, expr)                                                       \
    static PyObject *cmath_##name(PyObject *module, PyObject *arg)             \
    {                                                                          \
        Py_complex z;                                                          \
        return read_complex(arg, &z) ? PyBool_FromLong(expr) : NULL;           \
    }

TEST(isfinite, is_finite(z))
TEST(isinf, is_inf(z))
TEST(isnan, isnan(z.real) || isnan(z.imag))

static PyObject *
cmath_isclose(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames)
{
    static const char *const keywords[] = {"a", "b", "rel_tol", "abs_tol",
                                           NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "isclose"};
    PyObject *buf[4] = {NULL};
    bool named = kwnames != NULL && PyTuple_GET_SIZE(kwnames) > 0;
    Py_complex a, b;
    double tol[2] = {1e-9, 0.0};
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &parser, 2, 2, 0,
                                 buf);
    if (args == NULL || !read_complex(args[0], &a) ||
        !read_complex(args[1], &b)) {
        return NULL;
    }
    for (int i = 0; i < 2 && named; i++) {
        if (args[2 + i] != NULL) {
            tol[i] = PyFloat_AsDouble(args[2 + i]);
            if (tol[i] == -1.0 && PyErr_Occurred()) {
                return NULL;
            }
        }
    }
    if (tol[0] < 0.0 || tol[1] < 0.0) {
        PyErr_SetString(PyExc_ValueError, "tolerances must be non-negative");
        return NULL;
    }
    if (a.real == b.real && a.imag == b.imag) {
        Py_RETURN_TRUE;
    }
    if (is_inf(a) || is_inf(b)) {
        Py_RETURN_FALSE;
    }
    double diff = _Py_c_abs(_Py_c_diff(a, b));
    return PyBool_FromLong(diff <= tol[0] * _Py_c_abs(b) ||
                           diff <= tol[0] * _Py_c_abs(a) || diff <= tol[1]);
}

/* --- The module ----------------------------------------------------------- */

#define ONE(name, doc)                                                         \
    {                                                                          \
#name, cmath_##name, METH_O, #name "($module, z, /)\n--\n\n" doc       \
    }

static PyMethodDef cmath_methods[] = {
    ONE(acos, "The arc cosine of z."),
    ONE(acosh, "The inverse hyperbolic cosine of z."),
    ONE(asin, "The arc sine of z."),
    ONE(asinh, "The inverse hyperbolic sine of z."),
    ONE(atan, "The arc tangent of z."),
    ONE(atanh, "The inverse hyperbolic tangent of z."),
    ONE(cos, "The cosine of z."),
    ONE(cosh, "The hyperbolic cosine of z."),
    ONE(exp, "e raised to the power of z."),
    {"isclose", (PyCFunction)(void *)cmath_isclose,
     METH_FASTCALL | METH_KEYWORDS,
     "isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)\n--\n\n"
     "Whether a and b differ by at most rel_tol times the larger one, or by\n"
     "at most abs_tol."},
    ONE(isfinite, "Whether both parts are finite."),
    ONE(isinf, "Whether a part is infinite."),
    ONE(isnan, "Whether a part is NaN."),
    {"log", (PyCFunction)(void *)cmath_log, METH_FASTCALL,
     "log($module, z, base=<unrepresentable>, /)\n--\n\n"
     "The logarithm of z to the given base, by default e."},
    ONE(log10, "The logarithm of z to base 10."),
    ONE(phase, "The angle of z, from -pi to pi."),
    ONE(polar, "Distance from 0 and angle of z."),
    {"rect", (PyCFunction)(void *)cmath_rect, METH_FASTCALL,
     "rect($module, r, phi, /)\n--\n\n"
     "The number at distance r from 0 and angle phi."},
    ONE(sin, "The sine of z."),
    ONE(sinh, "The hyperbolic sine of z."),
    ONE(sqrt, "The square root of z."),
    ONE(tan, "The tangent of z."),
    ONE(tanh, "The hyperbolic tangent of z."),
    {NULL},
};

/* Consumes the value. */
static int
add(PyObject *module, const char *name, PyObject *value)
{
    int err = value ? PyModule_AddObjectRef(module, name, value) : -1;
    Py_XDECREF(value);
    return err;
}

static int
cmath_exec(PyObject *module)
{
    double nan = NAN;
    if (add(module, "pi", PyFloat_FromDouble(Py_MATH_PI)) < 0 ||
        add(module, "e", PyFloat_FromDouble(Py_MATH_E)) < 0 ||
        add(module, "tau", PyFloat_FromDouble(Py_MATH_TAU)) < 0 ||
        add(module, "inf", PyFloat_FromDouble(Py_HUGE_VAL)) < 0 ||
        add(module, "infj", PyComplex_FromDoubles(0.0, Py_HUGE_VAL)) < 0 ||
        add(module, "nan", PyFloat_FromDouble(nan)) < 0 ||
        add(module, "nanj", PyComplex_FromDoubles(0.0, nan)) < 0) {
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot cmath_slots[] = {{Py_mod_exec, cmath_exec}, {0, NULL}};

static struct PyModuleDef cmath_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "cmath",
    .m_doc = "Mathematical functions of complex numbers.",
    .m_methods = cmath_methods,
    .m_slots = cmath_slots,
};

PyMODINIT_FUNC
PyInit_cmath(void)
{
    return PyModuleDef_Init(&cmath_module);
}
