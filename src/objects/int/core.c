/* Int objects: allocation, conversion from and to C integers and doubles. */
#include "memory/tstate.h"
#include "objects/int/int.h"
#include "objects/interp.h"

#include <float.h>
#include <math.h>

PyLongObject *
_PyLong_New(Py_ssize_t size)
{
    if (size > KR_INT_MAX_DIGITS) {
        PyErr_SetString(PyExc_OverflowError, "too many digits in integer");
        return NULL;
    }
    size_t ndigits = size ? size : 1;
    PyLongObject *v = PyObject_Malloc(offsetof(PyLongObject, ob_digit) +
                                      ndigits * sizeof(digit));
    if (v == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    PyObject_InitVar((PyVarObject *)v, &PyLong_Type, size);
    return v;
}

int
kr_mag_poll(void)
{
    PyThreadState *ts = kr_tstate();
    if (KR_LIKELY(ts == NULL
                  || !(atomic_load_explicit(&ts->interp->eval_breaker,
                                            memory_order_relaxed)
                       & KR_BREAK_SIGNALS))) {
        return 0;
    }
    return PyErr_CheckSignals();
}

void
kr_int_stopped(void)
{
    if (!PyErr_Occurred()) {
        PyErr_NoMemory();
    }
}

void
kr_int_normalize(PyLongObject *v)
{
    Py_ssize_t n = kr_int_ndigits((PyObject *)v);
    Py_ssize_t i = kr_mag_trim(v->ob_digit, n);
    if (i != n) {
        Py_SET_SIZE(v, Py_SIZE(v) < 0 ? -i : i);
    }
}

PyObject *
kr_int_finish(PyLongObject *v)
{
    if (v == NULL) {
        return NULL;
    }
    kr_int_normalize(v);
    if (kr_int_is_compact((PyObject *)v)) {
        int64_t value = Py_SIZE(v) ? kr_int_compact_value((PyObject *)v) : 0;
        if (kr_is_small_int(value)) {
            Py_DECREF(v);
            return Py_NewRef(KR_SMALL_INT(value));
        }
    }
    return (PyObject *)v;
}

static PyObject *
from_magnitude(uint64_t mag, bool negative)
{
    int n = (kr_bit_length64(mag) + PyLong_SHIFT - 1) / PyLong_SHIFT;
    PyLongObject *v = _PyLong_New(n);
    if (v == NULL) {
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        v->ob_digit[i] = (digit)mag & PyLong_MASK;
        mag >>= PyLong_SHIFT;
    }
    Py_SET_SIZE(v, negative ? -n : n);
    return (PyObject *)v;
}

PyObject *
kr_int_from_i64_big(int64_t value)
{
    return from_magnitude(value < 0 ? 0 - (uint64_t)value : (uint64_t)value,
                          value < 0);
}

PyObject *
PyLong_FromLong(long value)
{
    return kr_int_from_i64(value);
}

PyObject *
PyLong_FromLongLong(long long value)
{
    return kr_int_from_i64(value);
}

PyObject *
PyLong_FromSsize_t(Py_ssize_t value)
{
    return kr_int_from_i64(value);
}

PyObject *
PyLong_FromUnsignedLongLong(unsigned long long value)
{
    if (value < PyLong_BASE) {
        return kr_int_from_i64((int64_t)value);
    }
    return from_magnitude(value, false);
}

PyObject *
PyLong_FromUnsignedLong(unsigned long value)
{
    return PyLong_FromUnsignedLongLong(value);
}

PyObject *
PyLong_FromSize_t(size_t value)
{
    return PyLong_FromUnsignedLongLong(value);
}

PyObject *
PyLong_FromVoidPtr(void *p)
{
    return PyLong_FromUnsignedLongLong((uintptr_t)p);
}

PyObject *
PyLong_FromDouble(double dval)
{
    if (dval > -9.2e18 && dval < 9.2e18) {
        return kr_int_from_i64((int64_t)dval);
    }
    if (isinf(dval)) {
        PyErr_SetString(PyExc_OverflowError,
                        "cannot convert float infinity to integer");
        return NULL;
    }
    if (isnan(dval)) {
        PyErr_SetString(PyExc_ValueError,
                        "cannot convert float NaN to integer");
        return NULL;
    }
    int expo;
    bool negative = dval < 0.0;
    double frac = frexp(fabs(dval), &expo); /* expo > 62 here */
    Py_ssize_t ndig = (expo - 1) / PyLong_SHIFT + 1;
    PyLongObject *v = _PyLong_New(ndig);
    if (v == NULL) {
        return NULL;
    }
    frac = ldexp(frac, (expo - 1) % PyLong_SHIFT + 1);
    for (Py_ssize_t i = ndig; --i >= 0;) {
        digit bits = (digit)frac;
        v->ob_digit[i] = bits;
        frac = ldexp(frac - (double)bits, PyLong_SHIFT);
    }
    if (negative) {
        Py_SET_SIZE(v, -ndig);
    }
    return (PyObject *)v;
}

PyObject *
_PyLong_Copy(PyLongObject *src)
{
    PyObject *o = (PyObject *)src;
    Py_ssize_t n = kr_int_ndigits(o);
    if (n <= 1) {
        return kr_int_from_i64(n ? kr_int_compact_value(o) : 0);
    }
    PyLongObject *v = _PyLong_New(n);
    if (v != NULL) {
        Py_SET_SIZE(v, Py_SIZE(src));
        memcpy(v->ob_digit, src->ob_digit, n * sizeof(digit));
    }
    return (PyObject *)v;
}

/* --- To C integers -------------------------------------------------------- */

static KR_COLD void
bad_internal_call(void)
{
    PyErr_BadInternalCall();
}

/* The value modulo 2^64; *fits is whether nothing above was cut off. */
static uint64_t
magnitude(PyObject *v, bool *fits)
{
    Py_ssize_t n = kr_int_ndigits(v);
    const digit *d = KR_INT_DIGITS(v);
    uint64_t x = 0;
    *fits = n < 3 || (n == 3 && d[2] < 16);
    for (Py_ssize_t i = n < 3 ? n : 3; --i >= 0;) {
        x = x << PyLong_SHIFT | d[i];
    }
    return x;
}

/* obj as an int by __index__: a new reference in *owned if it had to be made;
 * the result is borrowed. NULL with an exception. */
static PyObject *
as_int(PyObject *obj, PyObject **owned)
{
    *owned = NULL;
    if (obj == NULL) {
        bad_internal_call();
        return NULL;
    }
    if (PyLong_Check(obj)) {
        return obj;
    }
    return *owned = _PyNumber_Index(obj);
}

/* *overflow is set to -1, 0 or 1; -1 with an exception if obj is no integer. */
static int64_t
as_i64_overflow(PyObject *obj, int *overflow)
{
    PyObject *owned, *v = as_int(obj, &owned);
    *overflow = 0;
    if (v == NULL) {
        return -1;
    }
    int64_t result = -1;
    if (KR_LIKELY(kr_int_is_compact(v))) {
        result = kr_int_compact_value(v);
    }
    else {
        bool fits, negative = Py_SIZE(v) < 0;
        uint64_t x = magnitude(v, &fits);
        if (fits && x <= (uint64_t)INT64_MAX) {
            result = negative ? -(int64_t)x : (int64_t)x;
        }
        else if (fits && negative && x == (uint64_t)INT64_MAX + 1) {
            result = INT64_MIN;
        }
        else {
            *overflow = negative ? -1 : 1;
        }
    }
    Py_XDECREF(owned);
    return result;
}

long
PyLong_AsLongAndOverflow(PyObject *obj, int *overflow)
{
    return as_i64_overflow(obj, overflow);
}

long long
PyLong_AsLongLongAndOverflow(PyObject *obj, int *overflow)
{
    return as_i64_overflow(obj, overflow);
}

static int64_t
as_i64(PyObject *obj, const char *message)
{
    int overflow;
    int64_t result = as_i64_overflow(obj, &overflow);
    if (overflow) {
        PyErr_SetString(PyExc_OverflowError, message);
    }
    return result;
}

long
PyLong_AsLong(PyObject *obj)
{
    return as_i64(obj, "Python int too large to convert to C long");
}

long long
PyLong_AsLongLong(PyObject *obj)
{
    return as_i64(obj, "int too big to convert");
}

int
_PyLong_AsInt(PyObject *obj)
{
    int overflow;
    int64_t result = as_i64_overflow(obj, &overflow);
    if (overflow || result > INT_MAX || result < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError,
                        "Python int too large to convert to C int");
        return -1;
    }
    return (int)result;
}

Py_ssize_t
PyLong_AsSsize_t(PyObject *v)
{
    if (v == NULL) {
        bad_internal_call();
        return -1;
    }
    if (!PyLong_Check(v)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return -1;
    }
    return as_i64(v, "Python int too large to convert to C ssize_t");
}

/* For exact conversions to unsigned types, which take only ints. */
static uint64_t
as_u64(PyObject *v, const char *negative, const char *too_large)
{
    if (v == NULL) {
        bad_internal_call();
        return (uint64_t)-1;
    }
    if (!PyLong_Check(v)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return (uint64_t)-1;
    }
    if (Py_SIZE(v) < 0) {
        PyErr_SetString(PyExc_OverflowError, negative);
        return (uint64_t)-1;
    }
    bool fits;
    uint64_t x = magnitude(v, &fits);
    if (!fits) {
        PyErr_SetString(PyExc_OverflowError, too_large);
        return (uint64_t)-1;
    }
    return x;
}

unsigned long
PyLong_AsUnsignedLong(PyObject *v)
{
    return as_u64(v, "can't convert negative value to unsigned int",
                  "Python int too large to convert to C unsigned long");
}

size_t
PyLong_AsSize_t(PyObject *v)
{
    return as_u64(v, "can't convert negative value to size_t",
                  "Python int too large to convert to C size_t");
}

unsigned long long
PyLong_AsUnsignedLongLong(PyObject *v)
{
    return as_u64(v, "can't convert negative int to unsigned",
                  "int too big to convert");
}

unsigned long long
PyLong_AsUnsignedLongLongMask(PyObject *obj)
{
    PyObject *owned, *v = as_int(obj, &owned);
    if (v == NULL) {
        return (unsigned long long)-1;
    }
    bool fits;
    uint64_t x = magnitude(v, &fits);
    if (Py_SIZE(v) < 0) {
        x = 0 - x;
    }
    Py_XDECREF(owned);
    return x;
}

unsigned long
PyLong_AsUnsignedLongMask(PyObject *obj)
{
    return PyLong_AsUnsignedLongLongMask(obj);
}

void *
PyLong_AsVoidPtr(PyObject *v)
{
    if (PyLong_Check(v) && _PyLong_Sign(v) < 0) {
        long x = PyLong_AsLong(v);
        return x == -1 && PyErr_Occurred() ? NULL : (void *)x;
    }
    unsigned long x = PyLong_AsUnsignedLong(v);
    return x == (unsigned long)-1 && PyErr_Occurred() ? NULL : (void *)x;
}

/* --- Argument converters -------------------------------------------------- */

/* Reads a non-negative int up to `max`. */
static bool
convert_unsigned(PyObject *obj, uint64_t max, const char *too_large,
                 uint64_t *result)
{
    if (PyLong_Check(obj) && _PyLong_Sign(obj) < 0) {
        PyErr_SetString(PyExc_ValueError, "value must be positive");
        return false;
    }
    uint64_t x = PyLong_AsUnsignedLong(obj);
    if (x == (uint64_t)-1 && PyErr_Occurred()) {
        return false;
    }
    if (x > max) {
        PyErr_SetString(PyExc_OverflowError, too_large);
        return false;
    }
    *result = x;
    return true;
}

int
_PyLong_UnsignedShort_Converter(PyObject *obj, void *ptr)
{
    uint64_t x;
    if (!convert_unsigned(obj, USHRT_MAX,
                          "Python int too large for C unsigned short", &x)) {
        return 0;
    }
    *(unsigned short *)ptr = (unsigned short)x;
    return 1;
}

int
_PyLong_UnsignedInt_Converter(PyObject *obj, void *ptr)
{
    uint64_t x;
    if (!convert_unsigned(obj, UINT_MAX,
                          "Python int too large for C unsigned int", &x)) {
        return 0;
    }
    *(unsigned int *)ptr = (unsigned int)x;
    return 1;
}

/* The wide converters differ in the messages of their conversion. */
#define WIDE_CONVERTER(name, type, convert)                                    \
    int name(PyObject *obj, void *ptr)                                         \
    {                                                                          \
        if (PyLong_Check(obj) && _PyLong_Sign(obj) < 0) {                      \
            PyErr_SetString(PyExc_ValueError, "value must be positive");       \
            return 0;                                                          \
        }                                                                      \
        type x = convert(obj);                                                 \
        if (x == (type) - 1 && PyErr_Occurred()) {                             \
            return 0;                                                          \
        }                                                                      \
        *(type *)ptr = x;                                                      \
        return 1;                                                              \
    }

WIDE_CONVERTER(_PyLong_UnsignedLong_Converter, unsigned long,
               PyLong_AsUnsignedLong)
WIDE_CONVERTER(_PyLong_UnsignedLongLong_Converter, unsigned long long,
               PyLong_AsUnsignedLongLong)
WIDE_CONVERTER(_PyLong_Size_t_Converter, size_t, PyLong_AsSize_t)

/* --- Sign, bits, doubles -------------------------------------------------- */

int
_PyLong_Sign(PyObject *v)
{
    return (Py_SIZE(v) > 0) - (Py_SIZE(v) < 0);
}

size_t
_PyLong_NumBits(PyObject *v)
{
    Py_ssize_t n = kr_int_ndigits(v);
    if (n == 0) {
        return 0;
    }
    if ((size_t)(n - 1) > SIZE_MAX / PyLong_SHIFT - 1) {
        PyErr_SetString(PyExc_OverflowError,
                        "int has too many bits to express in a platform "
                        "size_t");
        return (size_t)-1;
    }
    return (size_t)(n - 1) * PyLong_SHIFT +
           kr_bit_length32(KR_INT_DIGITS(v)[n - 1]);
}

/* The 64 bits of v below its top bit at `bits`, last bit sticky. */
static uint64_t
top_bits(PyObject *v, Py_ssize_t bits)
{
    const digit *d = KR_INT_DIGITS(v);
    Py_ssize_t n = kr_int_ndigits(v);
    Py_ssize_t low = bits - 64; /* first bit wanted; negative: pad below */
    unsigned __int128 x = 0;
    Py_ssize_t first = low > 0 ? low / PyLong_SHIFT : 0;
    for (Py_ssize_t i = n; --i >= first;) {
        x = x << PyLong_SHIFT | d[i];
    }
    if (low <= 0) {
        return (uint64_t)(x << -low);
    }
    int shift = (int)(low % PyLong_SHIFT);
    bool sticky = (x & (((unsigned __int128)1 << shift) - 1)) != 0;
    for (Py_ssize_t i = 0; i < first && !sticky; i++) {
        sticky = d[i] != 0;
    }
    return (uint64_t)(x >> shift) | sticky;
}

double
_PyLong_Frexp(PyLongObject *a, Py_ssize_t *e)
{
    PyObject *v = (PyObject *)a;
    if (Py_SIZE(a) == 0) {
        *e = 0;
        return 0.0;
    }
    size_t bits = _PyLong_NumBits(v);
    if (bits > (size_t)PY_SSIZE_T_MAX) {
        PyErr_Clear();
        PyErr_SetString(PyExc_OverflowError, "huge integer: number of bits "
                                             "overflows a Py_ssize_t");
        *e = 0;
        return -1.0;
    }
    /* the conversion of a 64-bit integer rounds to nearest, ties to even; the
       sticky bit keeps ties honest */
    double x = ldexp((double)top_bits(v, (Py_ssize_t)bits), -64);
    Py_ssize_t expo = (Py_ssize_t)bits;
    if (x == 1.0) {
        if (expo == PY_SSIZE_T_MAX) {
            PyErr_SetString(PyExc_OverflowError,
                            "huge integer: number of bits overflows a "
                            "Py_ssize_t");
            *e = 0;
            return -1.0;
        }
        x = 0.5;
        expo++;
    }
    *e = expo;
    return Py_SIZE(a) < 0 ? -x : x;
}

double
PyLong_AsDouble(PyObject *v)
{
    if (v == NULL) {
        bad_internal_call();
        return -1.0;
    }
    if (!PyLong_Check(v)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return -1.0;
    }
    if (kr_int_is_compact(v)) {
        return (double)kr_int_compact_value(v);
    }
    Py_ssize_t expo;
    double x = _PyLong_Frexp((PyLongObject *)v, &expo);
    if ((x == -1.0 && PyErr_Occurred()) || expo > DBL_MAX_EXP) {
        PyErr_SetString(PyExc_OverflowError,
                        "int too large to convert to float");
        return -1.0;
    }
    return ldexp(x, (int)expo);
}
