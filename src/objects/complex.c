/* The type complex. */
#include <Python.h>
#include <structmember.h>

#include <float.h>
#include <math.h>

#include "base/common.h"
#include "objects/format_spec.h"
#include "objects/ids.h"
#include "objects/abstract/abstract.h"
#include "objects/smallints.h"

/* --- Arithmetic on C values ----------------------------------------------- */

Py_complex
_Py_c_sum(Py_complex a, Py_complex b)
{
    return (Py_complex){a.real + b.real, a.imag + b.imag};
}

Py_complex
_Py_c_diff(Py_complex a, Py_complex b)
{
    return (Py_complex){a.real - b.real, a.imag - b.imag};
}

Py_complex
_Py_c_neg(Py_complex a)
{
    return (Py_complex){-a.real, -a.imag};
}

Py_complex
_Py_c_prod(Py_complex a, Py_complex b)
{
    return (Py_complex){a.real * b.real - a.imag * b.imag,
                        a.real * b.imag + a.imag * b.real};
}

/* Scales by the larger part of b (Smith), so that nothing overflows early;
 * errno = EDOM for division by zero. */
Py_complex
_Py_c_quot(Py_complex a, Py_complex b)
{
    double abs_re = fabs(b.real), abs_im = fabs(b.imag);
    if (abs_re >= abs_im) {
        if (abs_re == 0.0) {
            errno = EDOM;
            return (Py_complex){0.0, 0.0};
        }
        double ratio = b.imag / b.real;
        double denom = b.real + b.imag * ratio;
        return (Py_complex){(a.real + a.imag * ratio) / denom,
                            (a.imag - a.real * ratio) / denom};
    }
    if (abs_im >= abs_re) {
        double ratio = b.real / b.imag;
        double denom = b.real * ratio + b.imag;
        return (Py_complex){(a.real * ratio + a.imag) / denom,
                            (a.imag * ratio - a.real) / denom};
    }
    return (Py_complex){Py_NAN, Py_NAN}; /* a part of b is NaN */
}

Py_complex
_Py_c_pow(Py_complex a, Py_complex b)
{
    if (b.real == 0.0 && b.imag == 0.0) {
        return (Py_complex){1.0, 0.0};
    }
    if (a.real == 0.0 && a.imag == 0.0) {
        if (b.imag != 0.0 || b.real < 0.0) {
            errno = EDOM;
        }
        return (Py_complex){0.0, 0.0};
    }
    double vabs = hypot(a.real, a.imag);
    double len = pow(vabs, b.real);
    double at = atan2(a.imag, a.real);
    double phase = at * b.real;
    if (b.imag != 0.0) {
        len /= exp(at * b.imag);
        phase += b.imag * log(vabs);
    }
    return (Py_complex){len * cos(phase), len * sin(phase)};
}

double
_Py_c_abs(Py_complex z)
{
    errno = 0;
    if (!isfinite(z.real) || !isfinite(z.imag)) {
        /* an infinite part wins over a NaN */
        if (isinf(z.real) || isinf(z.imag)) {
            return Py_HUGE_VAL;
        }
        return Py_NAN;
    }
    double result = hypot(z.real, z.imag);
    errno = isfinite(result) ? 0 : ERANGE;
    return result;
}

/* a ** n for a small integer exponent, by squaring. */
static Py_complex
pow_integer(Py_complex a, long n)
{
    Py_complex r = {1.0, 0.0}, p = a;
    unsigned long k = n < 0 ? 0 - (unsigned long)n : (unsigned long)n;
    for (unsigned long mask = 1; mask > 0 && k >= mask; mask <<= 1) {
        if (k & mask) {
            r = _Py_c_prod(r, p);
        }
        p = _Py_c_prod(p, p);
    }
    return n < 0 ? _Py_c_quot((Py_complex){1.0, 0.0}, r) : r;
}

/* --- Objects -------------------------------------------------------------- */

PyObject *
PyComplex_FromCComplex(Py_complex cval)
{
    PyComplexObject *op = PyObject_Malloc(sizeof(PyComplexObject));
    if (op == NULL) {
        return PyErr_NoMemory();
    }
    PyObject_Init((PyObject *)op, &PyComplex_Type);
    op->cval = cval;
    return (PyObject *)op;
}

PyObject *
PyComplex_FromDoubles(double real, double imag)
{
    return PyComplex_FromCComplex((Py_complex){real, imag});
}

static PyObject *
from_c(PyTypeObject *type, Py_complex c)
{
    PyObject *op = type->tp_alloc(type, 0);
    if (op != NULL) {
        ((PyComplexObject *)op)->cval = c;
    }
    return op;
}

#define CVAL(op) (((PyComplexObject *)(op))->cval)

/* op.__complex__(), checked: new reference, or NULL, with an exception only on
 * a real failure. */
static PyObject *
try_special(PyObject *op)
{
    PyObject *f = kr_lookup_special(op, KR_ID(__complex__));
    if (f == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_CallNoArgs(f);
    Py_DECREF(f);
    if (res == NULL || PyComplex_CheckExact(res)) {
        return res;
    }
    if (!PyComplex_Check(res)) {
        PyErr_Format(PyExc_TypeError,
                     "__complex__ returned non-complex (type %.200s)",
                     Py_TYPE(res)->tp_name);
        Py_DECREF(res);
        return NULL;
    }
    if (PyErr_WarnFormat(
            PyExc_DeprecationWarning, 1,
            "__complex__ returned non-complex (type %.200s).  "
            "The ability to return an instance of a strict subclass of "
            "complex is deprecated, and may not be supported in a future "
            "version of Python.",
            Py_TYPE(res)->tp_name) < 0) {
        Py_DECREF(res);
        return NULL;
    }
    return res;
}

double
PyComplex_RealAsDouble(PyObject *op)
{
    return PyComplex_Check(op) ? CVAL(op).real : PyFloat_AsDouble(op);
}

double
PyComplex_ImagAsDouble(PyObject *op)
{
    return PyComplex_Check(op) ? CVAL(op).imag : 0.0;
}

Py_complex
PyComplex_AsCComplex(PyObject *op)
{
    if (PyComplex_Check(op)) {
        return CVAL(op);
    }
    PyObject *c = try_special(op);
    if (c != NULL) {
        Py_complex cv = CVAL(c);
        Py_DECREF(c);
        return cv;
    }
    if (PyErr_Occurred()) {
        return (Py_complex){-1.0, 0.0};
    }
    return (Py_complex){PyFloat_AsDouble(op), 0.0};
}

/* --- Operators ------------------------------------------------------------ */

/* Reads a complex, float or int. 1: done, 0: another type, -1: exception. */
static int
operand(PyObject *v, Py_complex *c)
{
    if (PyComplex_Check(v)) {
        *c = CVAL(v);
        return 1;
    }
    c->imag = 0.0;
    if (PyFloat_Check(v)) {
        c->real = PyFloat_AS_DOUBLE(v);
        return 1;
    }
    if (PyLong_Check(v)) {
        c->real = PyLong_AsDouble(v);
        return c->real == -1.0 && PyErr_Occurred() ? -1 : 1;
    }
    return 0;
}

#define OPERANDS(v, w, a, b)                                                   \
    Py_complex a, b;                                                           \
    do {                                                                       \
        int r_ = operand(v, &a);                                               \
        if (r_ > 0) {                                                          \
            r_ = operand(w, &b);                                               \
        }                                                                      \
        if (r_ <= 0) {                                                         \
            if (r_ < 0) {                                                      \
                return NULL;                                                   \
            }                                                                  \
            Py_RETURN_NOTIMPLEMENTED;                                          \
        }                                                                      \
    } while (0)

static PyObject *
complex_add(PyObject *v, PyObject *w)
{
    OPERANDS(v, w, a, b);
    return PyComplex_FromCComplex(_Py_c_sum(a, b));
}

static PyObject *
complex_sub(PyObject *v, PyObject *w)
{
    OPERANDS(v, w, a, b);
    return PyComplex_FromCComplex(_Py_c_diff(a, b));
}

static PyObject *
complex_mul(PyObject *v, PyObject *w)
{
    OPERANDS(v, w, a, b);
    return PyComplex_FromCComplex(_Py_c_prod(a, b));
}

static PyObject *
complex_div(PyObject *v, PyObject *w)
{
    OPERANDS(v, w, a, b);
    errno = 0;
    Py_complex quot = _Py_c_quot(a, b);
    if (errno == EDOM) {
        PyErr_SetString(PyExc_ZeroDivisionError, "complex division by zero");
        return NULL;
    }
    return PyComplex_FromCComplex(quot);
}

static PyObject *
complex_pow(PyObject *v, PyObject *w, PyObject *z)
{
    OPERANDS(v, w, a, b);
    if (z != Py_None) {
        PyErr_SetString(PyExc_ValueError, "complex modulo");
        return NULL;
    }
    errno = 0;
    Py_complex p;
    if (b.imag == 0.0 && b.real == floor(b.real) && fabs(b.real) <= 100.0) {
        p = pow_integer(a, (long)b.real);
    }
    else {
        p = _Py_c_pow(a, b);
    }
    if (!isfinite(p.real) || !isfinite(p.imag)) {
        if (errno == 0 && (isinf(p.real) || isinf(p.imag))) {
            errno = ERANGE;
        }
    }
    if (errno == EDOM) {
        PyErr_SetString(PyExc_ZeroDivisionError,
                        "0.0 to a negative or complex power");
        return NULL;
    }
    if (errno == ERANGE && (isinf(p.real) || isinf(p.imag))) {
        PyErr_SetString(PyExc_OverflowError, "complex exponentiation");
        return NULL;
    }
    return PyComplex_FromCComplex(p);
}

static PyObject *
complex_neg(PyObject *v)
{
    return PyComplex_FromCComplex(_Py_c_neg(CVAL(v)));
}

static PyObject *
complex_pos(PyObject *v)
{
    return PyComplex_CheckExact(v) ? Py_NewRef(v)
                                   : PyComplex_FromCComplex(CVAL(v));
}

static PyObject *
complex_abs(PyObject *v)
{
    double result = _Py_c_abs(CVAL(v));
    if (errno == ERANGE) {
        PyErr_SetString(PyExc_OverflowError, "absolute value too large");
        return NULL;
    }
    return PyFloat_FromDouble(result);
}

static int
complex_bool(PyObject *v)
{
    return CVAL(v).real != 0.0 || CVAL(v).imag != 0.0;
}

static PyObject *
complex_richcompare(PyObject *v, PyObject *w, int op)
{
    if (op != Py_EQ && op != Py_NE) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_complex c = CVAL(v);
    int equal;
    if (PyLong_Check(w)) {
        equal = 0;
        if (c.imag == 0.0) { /* exactly, as floats compare with ints */
            PyObject *re = PyFloat_FromDouble(c.real);
            if (re == NULL) {
                return NULL;
            }
            PyObject *r = PyObject_RichCompare(re, w, op);
            Py_DECREF(re);
            return r;
        }
    }
    else if (PyFloat_Check(w)) {
        equal = c.real == PyFloat_AS_DOUBLE(w) && c.imag == 0.0;
    }
    else if (PyComplex_Check(w)) {
        equal = c.real == CVAL(w).real && c.imag == CVAL(w).imag;
    }
    else {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static Py_hash_t
complex_hash(PyObject *v)
{
    Py_uhash_t re = (Py_uhash_t)_Py_HashDouble(v, CVAL(v).real);
    Py_uhash_t im = (Py_uhash_t)_Py_HashDouble(v, CVAL(v).imag);
    Py_uhash_t h = re + _PyHASH_IMAG * im;
    return h == (Py_uhash_t)-1 ? -2 : (Py_hash_t)h;
}

static PyObject *
complex_repr(PyObject *v)
{
    Py_complex c = CVAL(v);
    bool only_imag = c.real == 0.0 && !signbit(c.real);
    char *re = NULL, *im = NULL;
    PyObject *result = NULL;
    im = PyOS_double_to_string(c.imag, 'r', 0, only_imag ? 0 : Py_DTSF_SIGN,
                               NULL);
    if (im != NULL && only_imag) {
        result = PyUnicode_FromFormat("%sj", im);
    }
    else if (im != NULL) {
        re = PyOS_double_to_string(c.real, 'r', 0, 0, NULL);
        if (re != NULL) {
            result = PyUnicode_FromFormat("(%s%sj)", re, im);
        }
    }
    PyMem_Free(re);
    PyMem_Free(im);
    return result;
}

/* --- Construction --------------------------------------------------------- */

static const char *
skip_space(const char *s)
{
    while (Py_ISSPACE(*s)) {
        s++;
    }
    return s;
}

/* A float at *s, which moves on behind it. 1, 0 if there is none, -1. */
static int
read_double(const char **s, double *x)
{
    char *end;
    *x = PyOS_string_to_double(*s, &end, NULL);
    if (*x == -1.0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    *s = end;
    return 1;
}

static bool
is_unit(char c)
{
    return c == 'j' || c == 'J';
}

/* The number at *s: x, yj, x+yj, with j for 1j. */
static int
read_complex(const char **ps, Py_complex *c)
{
    const char *s = *ps;
    double z;
    int r = read_double(&s, &z);
    if (r < 0) {
        return -1;
    }
    *c = (Py_complex){0.0, 0.0};
    if (r > 0 && (*s == '+' || *s == '-')) {
        c->real = z;
        double y;
        r = read_double(&s, &y);
        if (r < 0) {
            return -1;
        }
        if (r == 0) {
            y = *s++ == '+' ? 1.0 : -1.0;
        }
        c->imag = y;
        if (!is_unit(*s)) {
            return 0;
        }
        s++;
    }
    else if (r > 0 && is_unit(*s)) {
        c->imag = z;
        s++;
    }
    else if (r > 0) {
        c->real = z;
    }
    else {
        c->imag = 1.0;
        if (*s == '+' || *s == '-') {
            c->imag = *s++ == '+' ? 1.0 : -1.0;
        }
        if (!is_unit(*s)) {
            return 0;
        }
        s++;
    }
    *ps = s;
    return 1;
}

static PyObject *
from_ascii(const char *s, Py_ssize_t len, void *type)
{
    const char *end = s + len;
    bool parens = false;
    Py_complex c;
    s = skip_space(s);
    if (*s == '(') {
        parens = true;
        s = skip_space(s + 1);
    }
    int r = read_complex(&s, &c);
    if (r < 0) {
        return NULL;
    }
    s = skip_space(s);
    if (r > 0 && parens) {
        if (*s == ')') {
            s = skip_space(s + 1);
        }
        else {
            r = 0;
        }
    }
    if (r == 0 || s != end) {
        PyErr_SetString(PyExc_ValueError,
                        "complex() arg is a malformed string");
        return NULL;
    }
    return from_c(type, c);
}

static PyObject *
from_string(PyTypeObject *type, PyObject *v)
{
    PyObject *ascii = _PyUnicode_TransformDecimalAndSpaceToASCII(v);
    if (ascii == NULL) {
        return NULL;
    }
    PyObject *result = _Py_string_to_number_with_underscores(
        (const char *)PyUnicode_1BYTE_DATA(ascii), PyUnicode_GET_LENGTH(ascii),
        "complex", v, type, from_ascii);
    Py_DECREF(ascii);
    return result;
}

/* Reads one argument. Sets *is_complex if it came as a complex. */
static int
read_argument(PyObject *v, Py_complex *c, bool *is_complex)
{
    *is_complex = PyComplex_Check(v);
    if (*is_complex) {
        *c = CVAL(v);
        return 0;
    }
    PyObject *x = PyNumber_Float(v);
    if (x == NULL) {
        return -1;
    }
    *c = (Py_complex){PyFloat_AS_DOUBLE(x), 0.0};
    Py_DECREF(x);
    return 0;
}

static bool
is_number(PyObject *v)
{
    PyNumberMethods *nb = Py_TYPE(v)->tp_as_number;
    return nb != NULL && (nb->nb_float != NULL || nb->nb_index != NULL);
}

/* complex(r, i) for numbers: r + i*1j, keeping signs of zeros. */
static PyObject *
from_numbers(PyTypeObject *type, PyObject *r, PyObject *i)
{
    PyObject *special = NULL;
    if (!PyComplex_CheckExact(r)) {
        special = try_special(r);
        if (special == NULL && PyErr_Occurred()) {
            return NULL;
        }
        if (special != NULL) {
            r = special;
        }
    }
    PyObject *bad = NULL;
    const char *which = NULL;
    if (!PyComplex_Check(r) && !is_number(r)) {
        bad = r;
        which = "first argument must be a string or a number";
    }
    else if (i != NULL && !PyComplex_Check(i) && !is_number(i)) {
        bad = i;
        which = "second argument must be a number";
    }
    if (bad != NULL) {
        PyErr_Format(PyExc_TypeError, "complex() %s, not '%.200s'", which,
                     Py_TYPE(bad)->tp_name);
        Py_XDECREF(special);
        return NULL;
    }
    Py_complex cr, ci = {0.0, 0.0};
    bool r_complex, i_complex = false;
    int err = read_argument(r, &cr, &r_complex);
    Py_XDECREF(special);
    if (err < 0 || (i != NULL && read_argument(i, &ci, &i_complex) < 0)) {
        return NULL;
    }
    if (i_complex) {
        cr.real -= ci.imag;
    }
    if (r_complex && i != NULL) {
        ci.real += cr.imag;
    }
    if (i == NULL) {
        ci.real = cr.imag;
    }
    return from_c(type, (Py_complex){cr.real, ci.real});
}

static PyObject *
complex_new_impl(PyTypeObject *type, PyObject *r, PyObject *i)
{
    if (r == NULL) {
        r = KR_SMALL_INT(0);
    }
    if (i == NULL && type == &PyComplex_Type && PyComplex_CheckExact(r)) {
        return Py_NewRef(r);
    }
    if (PyUnicode_Check(r)) {
        if (i != NULL) {
            PyErr_SetString(PyExc_TypeError, "complex() can't take second arg "
                                             "if first is a string");
            return NULL;
        }
        return from_string(type, r);
    }
    if (i != NULL && PyUnicode_Check(i)) {
        PyErr_SetString(PyExc_TypeError,
                        "complex() second arg can't be a string");
        return NULL;
    }
    return from_numbers(type, r, i);
}

static PyObject *
complex_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static const char *const keywords[] = {"real", "imag", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "complex"};
    PyObject *buf[2] = {NULL, NULL};
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    bool named = kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0;
    PyObject *const *arg =
        _PyArg_UnpackKeywords(((PyTupleObject *)args)->ob_item, nargs, kwargs,
                              NULL, &parser, 0, 2, 0, buf);
    if (arg == NULL) {
        return NULL;
    }
    return complex_new_impl(type, nargs > 0 || named ? arg[0] : NULL,
                            nargs > 1 || named ? arg[1] : NULL);
}

/* --- Methods -------------------------------------------------------------- */

static PyObject *
complex_conjugate(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyComplex_FromDoubles(CVAL(self).real, -CVAL(self).imag);
}

static PyObject *
complex_complex(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return complex_pos(self);
}

static PyObject *
complex_getnewargs(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return Py_BuildValue("(dd)", CVAL(self).real, CVAL(self).imag);
}

static PyObject *
complex_format(PyObject *self, PyObject *spec)
{
    return kr_format_by(self, spec, _PyComplex_FormatAdvancedWriter);
}

static PyMethodDef complex_methods[] = {
    {"__complex__", complex_complex, METH_NOARGS,
     "__complex__($self, /)\n--\n\nThe value as an exact complex."},
    {"conjugate", complex_conjugate, METH_NOARGS,
     "conjugate($self, /)\n--\n\nThe same with the imaginary part negated."},
    {"__getnewargs__", complex_getnewargs, METH_NOARGS,
     "__getnewargs__($self, /)\n--\n\n"},
    {"__format__", complex_format, METH_O,
     "__format__($self, format_spec, /)\n--\n\n"
     "Text of the value by a format specification."},
    {NULL},
};

static PyMemberDef complex_members[] = {
    {"real", T_DOUBLE, offsetof(PyComplexObject, cval.real), READONLY,
     "the real part of a complex number"},
    {"imag", T_DOUBLE, offsetof(PyComplexObject, cval.imag), READONLY,
     "the imaginary part of a complex number"},
    {NULL},
};

static PyNumberMethods complex_as_number = {
    .nb_add = complex_add,
    .nb_subtract = complex_sub,
    .nb_multiply = complex_mul,
    .nb_power = complex_pow,
    .nb_negative = complex_neg,
    .nb_positive = complex_pos,
    .nb_absolute = complex_abs,
    .nb_bool = complex_bool,
    .nb_true_divide = complex_div,
};

PyTypeObject PyComplex_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "complex",
    .tp_basicsize = sizeof(PyComplexObject),
    .tp_repr = complex_repr,
    .tp_as_number = &complex_as_number,
    .tp_hash = complex_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "complex(real=0, imag=0)\n--\n\n"
              "A complex number from its two parts, or from a string.",
    .tp_richcompare = complex_richcompare,
    .tp_methods = complex_methods,
    .tp_members = complex_members,
    .tp_new = complex_new,
    .tp_free = PyObject_Free,
};
