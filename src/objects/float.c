/* The type float: construction, arithmetic, comparison, methods. */
#include "objects/float.h"

#include <float.h>
#include <math.h>

#include "objects/format_spec.h"
#include "objects/ids.h"
#include "objects/int/int.h"

PyObject *
PyFloat_FromDouble(double x)
{
    return kr_float_new(x);
}

static void
float_dealloc(PyObject *self)
{
    if (PyFloat_CheckExact(self)) {
        PyObject_Free(self);
        return;
    }
    Py_TYPE(self)->tp_free(self);
}

double
PyFloat_GetMax(void)
{
    return DBL_MAX;
}

double
PyFloat_GetMin(void)
{
    return DBL_MIN;
}

/* --- From other objects --------------------------------------------------- */

static PyObject *
from_ascii(const char *s, Py_ssize_t len, void *obj)
{
    const char *last = s + len;
    char *end;
    double x = PyOS_string_to_double(s, &end, NULL);
    if (end != last || end == s) {
        PyErr_Format(PyExc_ValueError, "could not convert string to float: %R",
                     (PyObject *)obj);
        return NULL;
    }
    if (x == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    return PyFloat_FromDouble(x);
}

/* s[len] must be NUL. */
static PyObject *
from_text(const char *s, Py_ssize_t len, PyObject *obj)
{
    const char *last = s + len;
    while (s < last && Py_ISSPACE(*s)) {
        s++;
    }
    while (s < last && Py_ISSPACE(last[-1])) {
        last--;
    }
    /* if white space follows, the parser stops there by itself */
    return _Py_string_to_number_with_underscores(s, last - s, "float", obj, obj,
                                                 from_ascii);
}

static PyObject *
from_buffer(PyObject *v)
{
    Py_buffer view;
    if (PyObject_GetBuffer(v, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError,
                     "float() argument must be a string or a real number, "
                     "not '%.200s'",
                     Py_TYPE(v)->tp_name);
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(view.buf, view.len);
    PyBuffer_Release(&view);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *x =
        from_text(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), v);
    Py_DECREF(bytes);
    return x;
}

PyObject *
PyFloat_FromString(PyObject *v)
{
    if (PyUnicode_Check(v)) {
        PyObject *ascii = _PyUnicode_TransformDecimalAndSpaceToASCII(v);
        if (ascii == NULL) {
            return NULL;
        }
        PyObject *x = from_text((const char *)PyUnicode_1BYTE_DATA(ascii),
                                PyUnicode_GET_LENGTH(ascii), v);
        Py_DECREF(ascii);
        return x;
    }
    if (PyBytes_Check(v)) {
        return from_text(PyBytes_AS_STRING(v), PyBytes_GET_SIZE(v), v);
    }
    if (PyByteArray_Check(v)) {
        return from_text(PyByteArray_AS_STRING(v), PyByteArray_GET_SIZE(v), v);
    }
    return from_buffer(v);
}

double
PyFloat_AsDouble(PyObject *op)
{
    if (op == NULL) {
        PyErr_BadArgument();
        return -1;
    }
    if (PyFloat_Check(op)) {
        return PyFloat_AS_DOUBLE(op);
    }
    PyNumberMethods *nb = Py_TYPE(op)->tp_as_number;
    if (nb == NULL || nb->nb_float == NULL) {
        if (nb && nb->nb_index) {
            PyObject *index = _PyNumber_Index(op);
            if (index == NULL) {
                return -1;
            }
            double x = PyLong_AsDouble(index);
            Py_DECREF(index);
            return x;
        }
        PyErr_Format(PyExc_TypeError, "must be real number, not %.50s",
                     Py_TYPE(op)->tp_name);
        return -1;
    }
    if (PyLong_CheckExact(op)) {
        return PyLong_AsDouble(op);
    }
    PyObject *res = PyNumber_Float(op);
    if (res == NULL) {
        return -1;
    }
    double x = PyFloat_AS_DOUBLE(res);
    Py_DECREF(res);
    return x;
}

static PyObject *
float_new_impl(PyTypeObject *type, PyObject *x)
{
    PyObject *value;
    if (x == NULL) {
        value = PyFloat_FromDouble(0.0);
    }
    else if (PyUnicode_CheckExact(x)) {
        value = PyFloat_FromString(x);
    }
    else {
        value = PyNumber_Float(x);
    }
    if (type == &PyFloat_Type || value == NULL) {
        return value;
    }
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        ((PyFloatObject *)self)->ob_fval = PyFloat_AS_DOUBLE(value);
    }
    Py_DECREF(value);
    return self;
}

static PyObject *
float_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *x = NULL;
    if ((type == &PyFloat_Type || type->tp_init == PyFloat_Type.tp_init) &&
        !_PyArg_NoKeywords("float", kwargs)) {
        return NULL;
    }
    if (!_PyArg_CheckPositional("float", PyTuple_GET_SIZE(args), 0, 1)) {
        return NULL;
    }
    if (PyTuple_GET_SIZE(args) > 0) {
        x = PyTuple_GET_ITEM(args, 0);
    }
    return float_new_impl(type, x);
}

static PyObject *
float_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                 PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("float", kwnames) ||
        !_PyArg_CheckPositional("float", nargs, 0, 1)) {
        return NULL;
    }
    return float_new_impl((PyTypeObject *)type, nargs ? args[0] : NULL);
}

/* --- Arithmetic ----------------------------------------------------------- */

/* Reads a float or int operand. 1: done, 0: another type, -1: exception. */
static inline int
operand(PyObject *v, double *x)
{
    if (PyFloat_Check(v)) {
        *x = PyFloat_AS_DOUBLE(v);
        return 1;
    }
    if (PyLong_Check(v)) {
        *x = PyLong_AsDouble(v);
        return *x == -1.0 && PyErr_Occurred() ? -1 : 1;
    }
    return 0;
}

#define OPERANDS(v, w, a, b)                                                   \
    double a, b;                                                               \
    do {                                                                       \
        int r_ = operand(v, &a);                                               \
        if (r_ > 0) {                                                          \
            r_ = operand(w, &b);                                               \
        }                                                                      \
        if (KR_UNLIKELY(r_ <= 0)) {                                            \
            if (r_ < 0) {                                                      \
                return NULL;                                                   \
            }                                                                  \
            Py_RETURN_NOTIMPLEMENTED;                                          \
        }                                                                      \
    } while (0)

static PyObject *
float_add(PyObject *v, PyObject *w)
{
    OPERANDS(v, w, a, b);
    return PyFloat_FromDouble(a + b);
}

static PyObject *
float_sub(PyObject *v, PyObject *w)
{
    OPERANDS(v, w, a, b);
    return PyFloat_FromDouble(a - b);
}

static PyObject *
float_mul(PyObject *v, PyObject *w)
{
    OPERANDS(v, w, a, b);
    return PyFloat_FromDouble(a * b);
}

static PyObject *
zero_division(const char *message)
{
    PyErr_SetString(PyExc_ZeroDivisionError, message);
    return NULL;
}

static PyObject *
float_div(PyObject *v, PyObject *w)
{
    OPERANDS(v, w, a, b);
    if (b == 0.0) {
        return zero_division("float division by zero");
    }
    return PyFloat_FromDouble(a / b);
}

/* Remainder with the sign of b. */
static double
float_mod_c(double a, double b)
{
    double mod = fmod(a, b);
    if (mod != 0.0) {
        return (b < 0) != (mod < 0) ? mod + b : mod;
    }
    return copysign(0.0, b);
}

static void
float_divmod_c(double a, double b, double *floordiv, double *mod)
{
    *mod = fmod(a, b);
    /* fmod is exact, so this is very nearly a whole number */
    double div = (a - *mod) / b;
    if (*mod != 0.0) {
        if ((b < 0) != (*mod < 0)) {
            *mod += b;
            div -= 1.0;
        }
    }
    else {
        *mod = copysign(0.0, b);
    }
    if (div != 0.0) {
        *floordiv = floor(div);
        if (div - *floordiv > 0.5) {
            *floordiv += 1.0;
        }
    }
    else {
        *floordiv = copysign(0.0, a / b);
    }
}

static PyObject *
float_rem(PyObject *v, PyObject *w)
{
    OPERANDS(v, w, a, b);
    if (b == 0.0) {
        return zero_division("float modulo");
    }
    return PyFloat_FromDouble(float_mod_c(a, b));
}

static PyObject *
float_divmod(PyObject *v, PyObject *w)
{
    OPERANDS(v, w, a, b);
    if (b == 0.0) {
        return zero_division("float divmod()");
    }
    double floordiv, mod;
    float_divmod_c(a, b, &floordiv, &mod);
    return Py_BuildValue("(dd)", floordiv, mod);
}

static PyObject *
float_floor_div(PyObject *v, PyObject *w)
{
    OPERANDS(v, w, a, b);
    if (b == 0.0) {
        return zero_division("float floor division by zero");
    }
    double floordiv, mod;
    float_divmod_c(a, b, &floordiv, &mod);
    return PyFloat_FromDouble(floordiv);
}

static bool
is_odd_integer(double x)
{
    return fmod(fabs(x), 2.0) == 1.0;
}

/* a ** b where something is infinite, not a number or zero: C libraries differ
 * there, Python does not. */
static double
special_pow(double a, double b)
{
    bool odd = is_odd_integer(b);
    if (b == 0.0) {
        return 1.0;
    }
    if (isnan(a)) {
        return a;
    }
    if (isnan(b)) {
        return a == 1.0 ? 1.0 : b;
    }
    if (isinf(b)) {
        a = fabs(a);
        if (a == 1.0) {
            return 1.0;
        }
        return (b > 0.0) == (a > 1.0) ? fabs(b) : 0.0;
    }
    if (isinf(a)) {
        if (b > 0.0) {
            return odd ? a : fabs(a);
        }
        return odd ? copysign(0.0, a) : 0.0;
    }
    return odd ? a : 0.0; /* a is 0, b > 0 */
}

static PyObject *
float_pow(PyObject *v, PyObject *w, PyObject *z)
{
    if (z != Py_None) {
        PyErr_SetString(PyExc_TypeError,
                        "pow() 3rd argument not allowed unless all arguments "
                        "are integers");
        return NULL;
    }
    OPERANDS(v, w, a, b);
    if (a == 0.0 && b < 0.0 && !isinf(b)) {
        return zero_division("0.0 cannot be raised to a negative power");
    }
    if (b == 0.0 || a == 0.0 || !isfinite(a) || !isfinite(b)) {
        if (a == 0.0 && isinf(b) && b < 0.0) {
            return PyFloat_FromDouble(fabs(b));
        }
        return PyFloat_FromDouble(special_pow(a, b));
    }
    bool negate = false;
    if (a < 0.0) {
        if (b != floor(b)) {
            return PyComplex_Type.tp_as_number->nb_power(v, w, z);
        }
        a = -a;
        negate = is_odd_integer(b);
    }
    if (a == 1.0) {
        return PyFloat_FromDouble(negate ? -1.0 : 1.0);
    }
    double x = pow(a, b);
    if (isinf(x)) {
        errno = ERANGE;
        return PyErr_SetFromErrno(PyExc_OverflowError);
    }
    return PyFloat_FromDouble(negate ? -x : x);
}

static PyObject *
float_neg(PyObject *v)
{
    return PyFloat_FromDouble(-PyFloat_AS_DOUBLE(v));
}

static PyObject *
float_abs(PyObject *v)
{
    return PyFloat_FromDouble(fabs(PyFloat_AS_DOUBLE(v)));
}

static PyObject *
float_float(PyObject *v)
{
    if (PyFloat_CheckExact(v)) {
        return Py_NewRef(v);
    }
    return PyFloat_FromDouble(PyFloat_AS_DOUBLE(v));
}

static int
float_bool(PyObject *v)
{
    return PyFloat_AS_DOUBLE(v) != 0.0;
}

static PyObject *
float_trunc(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromDouble(PyFloat_AS_DOUBLE(self));
}

static PyObject *
float_int(PyObject *self)
{
    return PyLong_FromDouble(PyFloat_AS_DOUBLE(self));
}

/* --- Comparison ----------------------------------------------------------- */

/* Compares exactly: no int is rounded. x is finite; *cmp gets <0, 0 or >0. */
static int
compare_with_int(double x, PyObject *w, int *cmp)
{
    int sign_x = (x > 0) - (x < 0), sign_w = _PyLong_Sign(w);
    if (sign_x != sign_w) {
        *cmp = sign_x - sign_w;
        return 0;
    }
    size_t bits = _PyLong_NumBits(w);
    if (bits == (size_t)-1 && PyErr_Occurred()) {
        PyErr_Clear();
        *cmp = -sign_w;
        return 0;
    }
    if (bits <= 53) {
        double y = PyLong_AsDouble(w);
        *cmp = (x > y) - (x < y);
        return 0;
    }
    int expo;
    frexp(x, &expo);
    if (expo < 0 || (size_t)expo != bits) {
        *cmp = expo > 0 && (size_t)expo > bits ? sign_x : -sign_x;
        return 0;
    }
    double whole;
    double frac = modf(x, &whole);
    PyObject *v = PyLong_FromDouble(whole);
    if (v == NULL) {
        return -1;
    }
    *cmp = kr_int_compare(v, w);
    Py_DECREF(v);
    if (*cmp == 0) {
        *cmp = (frac > 0) - (frac < 0);
    }
    return 0;
}

static bool
compare_doubles(double a, double b, int op)
{
    switch (op) {
    case Py_EQ:
        return a == b;
    case Py_NE:
        return a != b;
    case Py_LE:
        return a <= b;
    case Py_GE:
        return a >= b;
    case Py_LT:
        return a < b;
    default:
        return a > b;
    }
}

static PyObject *
float_richcompare(PyObject *v, PyObject *w, int op)
{
    double a = PyFloat_AS_DOUBLE(v);
    if (PyFloat_Check(w)) {
        return PyBool_FromLong(compare_doubles(a, PyFloat_AS_DOUBLE(w), op));
    }
    if (!PyLong_Check(w)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (!isfinite(a)) {
        return PyBool_FromLong(compare_doubles(a, 0.0, op));
    }
    int cmp;
    if (compare_with_int(a, w, &cmp) < 0) {
        return NULL;
    }
    return PyBool_FromLong(compare_doubles(cmp, 0.0, op));
}

static Py_hash_t
float_hash(PyObject *v)
{
    return _Py_HashDouble(v, PyFloat_AS_DOUBLE(v));
}

static PyObject *
float_repr(PyObject *v)
{
    char buf[40];
    int n = kr_float_repr(PyFloat_AS_DOUBLE(v), buf);
    PyObject *s = PyUnicode_New(n, 127);
    if (s != NULL) {
        memcpy(PyUnicode_1BYTE_DATA(s), buf, n);
    }
    return s;
}

/* --- Methods -------------------------------------------------------------- */

static PyObject *
float_is_integer(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    double x = PyFloat_AS_DOUBLE(self);
    return PyBool_FromLong(isfinite(x) && floor(x) == x);
}

static PyObject *
float_floor(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromDouble(floor(PyFloat_AS_DOUBLE(self)));
}

static PyObject *
float_ceil(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromDouble(ceil(PyFloat_AS_DOUBLE(self)));
}

static PyObject *
float_conjugate(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return float_float(self);
}

/* Rounds to decimals: through the exact decimal value, so that 2.675 goes down
 * as the number it is. */
static PyObject *
round_decimals(double x, Py_ssize_t ndigits)
{
    int decpt, sign;
    char *end;
    char *digits = _Py_dg_dtoa(x, 3, (int)ndigits, &decpt, &sign, &end);
    if (digits == NULL) {
        return PyErr_NoMemory();
    }
    Py_ssize_t n = end - digits;
    char buf[1500];
    double result;
    if (n == 0) {
        result = sign ? -0.0 : 0.0;
    }
    else {
        PyOS_snprintf(buf, sizeof(buf), "%s0.%se%d", sign ? "-" : "", digits,
                      decpt);
        result = _Py_dg_strtod(buf, NULL);
    }
    _Py_dg_freedtoa(digits);
    if (isinf(result)) {
        PyErr_SetString(PyExc_OverflowError,
                        "rounded value too large to represent");
        return NULL;
    }
    return PyFloat_FromDouble(result);
}

static PyObject *
float_round(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("__round__", nargs, 0, 1)) {
        return NULL;
    }
    double x = PyFloat_AS_DOUBLE(self);
    if (nargs == 0 || args[0] == Py_None) {
        double rounded = round(x);
        if (fabs(x - rounded) == 0.5) {
            rounded = 2.0 * round(x / 2.0);
        }
        return PyLong_FromDouble(rounded);
    }
    Py_ssize_t ndigits = PyNumber_AsSsize_t(args[0], NULL);
    if (ndigits == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (!isfinite(x) || ndigits > 323) {
        return PyFloat_FromDouble(x);
    }
    if (ndigits < -308) {
        return PyFloat_FromDouble(0.0 * x);
    }
    return round_decimals(x, ndigits);
}

static PyObject *
float_as_integer_ratio(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    double x = PyFloat_AS_DOUBLE(self);
    if (isinf(x)) {
        PyErr_SetString(PyExc_OverflowError,
                        "cannot convert Infinity to integer ratio");
        return NULL;
    }
    if (isnan(x)) {
        PyErr_SetString(PyExc_ValueError,
                        "cannot convert NaN to integer ratio");
        return NULL;
    }
    int e;
    int64_t m = (int64_t)ldexp(frexp(x, &e), DBL_MANT_DIG);
    e -= DBL_MANT_DIG;
    if (m == 0) {
        e = 0;
    }
    else {
        int zeros = __builtin_ctzll((uint64_t)m);
        m /= (int64_t)1 << zeros;
        e += zeros;
    }
    PyObject *num = PyLong_FromLongLong(m), *den = KR_SMALL_INT(1);
    Py_INCREF(den);
    if (num != NULL && e > 0) {
        Py_SETREF(num, _PyLong_Lshift(num, (size_t)e));
    }
    else if (e < 0) {
        Py_SETREF(den, _PyLong_Lshift(den, (size_t)-e));
    }
    PyObject *pair = num && den ? PyTuple_Pack(2, num, den) : NULL;
    Py_XDECREF(num);
    Py_XDECREF(den);
    return pair;
}

static PyObject *
float_getnewargs(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return Py_BuildValue("(d)", PyFloat_AS_DOUBLE(self));
}

static PyObject *
float_getformat(PyObject *type, PyObject *arg)
{
    if (!PyUnicode_Check(arg)) {
        _PyArg_BadArgument("__getformat__", "argument", "str", arg);
        return NULL;
    }
    Py_ssize_t size;
    const char *name = PyUnicode_AsUTF8AndSize(arg, &size);
    if (name == NULL) {
        return NULL;
    }
    if (strlen(name) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    if (strcmp(name, "double") != 0 && strcmp(name, "float") != 0) {
        PyErr_SetString(PyExc_ValueError,
                        "__getformat__() argument 1 must be "
                        "'double' or 'float'");
        return NULL;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return PyUnicode_FromString("IEEE, little-endian");
#else
    return PyUnicode_FromString("IEEE, big-endian");
#endif
}

static PyObject *
float_format(PyObject *self, PyObject *spec)
{
    return kr_format_by(self, spec, _PyFloat_FormatAdvancedWriter);
}

static PyObject *
float_get_real(PyObject *self, void *Py_UNUSED(closure))
{
    return float_float(self);
}

static PyObject *
float_get_imag(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return PyFloat_FromDouble(0.0);
}

static PyMethodDef float_methods[] = {
    {"conjugate", float_conjugate, METH_NOARGS,
     "conjugate($self, /)\n--\n\n"
     "The complex conjugate of a float is the float itself."},
    {"__trunc__", float_trunc, METH_NOARGS,
     "__trunc__($self, /)\n--\n\nThe int next to self towards 0."},
    {"__floor__", float_floor, METH_NOARGS,
     "__floor__($self, /)\n--\n\nThe largest int not above self."},
    {"__ceil__", float_ceil, METH_NOARGS,
     "__ceil__($self, /)\n--\n\nThe smallest int not below self."},
    {"__round__", (PyCFunction)(void *)float_round, METH_FASTCALL,
     "__round__($self, ndigits=None, /)\n--\n\n"
     "The nearest int, or float with ndigits decimals; ties go to even."},
    {"as_integer_ratio", float_as_integer_ratio, METH_NOARGS,
     "as_integer_ratio($self, /)\n--\n\n"
     "The two ints, without a common factor and the second one positive,\n"
     "whose quotient is exactly self.\n\n"
     ">>> (2.5).as_integer_ratio()\n(5, 2)\n"
     ">>> (-0.75).as_integer_ratio()\n(-3, 4)\n"
     ">>> 1e3.as_integer_ratio()\n(1000, 1)"},
    {"fromhex", kr_float_fromhex, METH_O | METH_CLASS,
     "fromhex($type, string, /)\n--\n\n"
     "The float that a hexadecimal literal such as 0x1.8p+1 stands for.\n\n"
     ">>> float.fromhex('0x1.8p+1')\n3.0\n"
     ">>> float.fromhex('-a.4')\n-10.25"},
    {"hex", kr_float_hex, METH_NOARGS,
     "hex($self, /)\n--\n\nThe value as a hexadecimal literal.\n\n"
     ">>> (3.0).hex()\n'0x1.8000000000000p+1'\n"
     ">>> (-0.1).hex()\n'-0x1.999999999999ap-4'"},
    {"is_integer", float_is_integer, METH_NOARGS,
     "is_integer($self, /)\n--\n\nWhether self has no fraction."},
    {"__getnewargs__", float_getnewargs, METH_NOARGS,
     "__getnewargs__($self, /)\n--\n\n"},
    {"__getformat__", float_getformat, METH_O | METH_CLASS,
     "__getformat__($type, typestr, /)\n--\n\n"
     "How 'double' or 'float' is laid out in memory; for tests."},
    {"__format__", float_format, METH_O,
     "__format__($self, format_spec, /)\n--\n\n"
     "Text of the value by a format specification."},
    {NULL},
};

static PyGetSetDef float_getset[] = {
    {"real", float_get_real, NULL, "the real part of a complex number", NULL},
    {"imag", float_get_imag, NULL, "the imaginary part of a complex number",
     NULL},
    {NULL},
};

static PyNumberMethods float_as_number = {
    .nb_add = float_add,
    .nb_subtract = float_sub,
    .nb_multiply = float_mul,
    .nb_remainder = float_rem,
    .nb_divmod = float_divmod,
    .nb_power = float_pow,
    .nb_negative = float_neg,
    .nb_positive = float_float,
    .nb_absolute = float_abs,
    .nb_bool = float_bool,
    .nb_int = float_int,
    .nb_float = float_float,
    .nb_floor_divide = float_floor_div,
    .nb_true_divide = float_div,
};

PyTypeObject PyFloat_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "float",
    .tp_basicsize = sizeof(PyFloatObject),
    .tp_dealloc = float_dealloc,
    .tp_repr = float_repr,
    .tp_as_number = &float_as_number,
    .tp_hash = float_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "float(x=0, /)\n--\n\n"
              "A double-precision number made from a string or a number.",
    .tp_richcompare = float_richcompare,
    .tp_methods = float_methods,
    .tp_getset = float_getset,
    .tp_new = float_new,
    .tp_free = PyObject_Free,
    .tp_vectorcall = float_vectorcall,
};
