/* Floats in other forms: packed bytes, hexadecimal text, sys.float_info. */
#include "objects/float.h"

#include <float.h>
#include <math.h>

#include "base/dtoa.h"

/* --- Packing -------------------------------------------------------------- */

static void
store(uint64_t bits, int size, char *p, int le)
{
    for (int i = 0; i < size; i++) {
        p[le ? i : size - 1 - i] = (char)(bits >> (8 * i));
    }
}

static uint64_t
load(const char *p, int size, int le)
{
    uint64_t bits = 0;
    for (int i = 0; i < size; i++) {
        bits |= (uint64_t)(unsigned char)p[le ? i : size - 1 - i] << (8 * i);
    }
    return bits;
}

/* |x| as an IEEE half, ties to even; false if it is too large. */
static bool
to_half(double x, unsigned *half)
{
    int e;
    double f = frexp(x, &e); /* 0.5 <= f < 1 */
    if (e > 16) {
        return false;
    }
    if (e < -25) {
        *half = 0;
        return true;
    }
    /* the unit in the last place is 2^(e-11), for subnormals 2^-24 */
    int unit = e - 11 < -24 ? -24 : e - 11;
    double scaled = ldexp(f, e - unit); /* exact */
    unsigned m = (unsigned)nearbyint(scaled);
    /* a carry out of the fraction moves into the exponent by itself */
    *half = unit == -24 && m < 1024 ? m
                                    : m - 1024 + ((unsigned)(unit + 25) << 10);
    return *half < 0x7c00;
}

int
PyFloat_Pack2(double x, char *p, int le)
{
    unsigned bits;
    if (x == 0.0) {
        bits = 0;
    }
    else if (isinf(x)) {
        bits = 0x7c00;
    }
    else if (isnan(x)) {
        bits = 0x7e00;
    }
    else if (!to_half(fabs(x), &bits)) {
        PyErr_SetString(PyExc_OverflowError,
                        "float too large to pack with e format");
        return -1;
    }
    if (signbit(x)) {
        bits |= 0x8000;
    }
    store(bits, 2, p, le);
    return 0;
}

int
PyFloat_Pack4(double x, char *p, int le)
{
    float y = (float)x;
    uint32_t bits;
    if (isinf(y) && !isinf(x)) {
        PyErr_SetString(PyExc_OverflowError,
                        "float too large to pack with f format");
        return -1;
    }
    memcpy(&bits, &y, sizeof(bits));
    store(bits, 4, p, le);
    return 0;
}

int
PyFloat_Pack8(double x, char *p, int le)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    store(bits, 8, p, le);
    return 0;
}

double
PyFloat_Unpack2(const char *p, int le)
{
    unsigned bits = (unsigned)load(p, 2, le);
    int e = bits >> 10 & 0x1f;
    unsigned f = bits & 0x3ff;
    double x;
    if (e == 0x1f) {
        x = f ? fabs(Py_NAN) : Py_HUGE_VAL;
    }
    else {
        x = e ? ldexp(1024 + f, e - 25) : ldexp(f, -24);
    }
    return bits & 0x8000 ? -x : x;
}

double
PyFloat_Unpack4(const char *p, int le)
{
    uint32_t bits = (uint32_t)load(p, 4, le);
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

double
PyFloat_Unpack8(const char *p, int le)
{
    uint64_t bits = load(p, 8, le);
    double x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* --- Hexadecimal text ----------------------------------------------------- */

PyObject *
kr_float_hex(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    double x = PyFloat_AS_DOUBLE(self);
    if (!isfinite(x)) {
        return PyObject_Repr(self);
    }
    const char *sign = signbit(x) ? "-" : "";
    if (x == 0.0) {
        return PyUnicode_FromFormat("%s0x0.0p+0", sign);
    }
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    int biased = (int)(bits >> 52) & 0x7ff;
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int e = biased ? biased - 1023 : -1022;
    char buf[40];
    PyOS_snprintf(buf, sizeof(buf), "%s0x%d.%013llxp%+d", sign, biased != 0,
                  (unsigned long long)fraction, e);
    return PyUnicode_FromString(buf);
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum hex_result { HEX_OK, HEX_SYNTAX, HEX_TOO_LARGE };

/* Reads hex digits with a dot and an exponent at *s, which moves on. */
static enum hex_result
read_hex(const char **s, double *result)
{
    const char *p = *s;
    uint64_t m = 0;
    bool sticky = false, dot = false;
    int64_t e = 0;
    Py_ssize_t ndigits = 0;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        p += 2;
    }
    for (;; p++) {
        int d = hex_value(*p);
        if (d < 0) {
            if (*p == '.' && !dot) {
                dot = true;
                continue;
            }
            break;
        }
        ndigits++;
        if (m >> 60 == 0) {
            m = m << 4 | (unsigned)d;
            e -= dot ? 4 : 0;
        }
        else {
            sticky |= d != 0;
            e += dot ? 0 : 4;
        }
    }
    if (ndigits == 0) {
        return HEX_SYNTAX;
    }
    if (*p == 'p' || *p == 'P') {
        p++;
        bool negative = *p == '-';
        if (*p == '-' || *p == '+') {
            p++;
        }
        if (!(*p >= '0' && *p <= '9')) {
            return HEX_SYNTAX;
        }
        int64_t x = 0;
        for (; *p >= '0' && *p <= '9'; p++) {
            if (x < INT64_MAX / 1000) {
                x = x * 10 + (*p - '0');
            }
        }
        e += negative ? -x : x;
    }
    *s = p;
    *result = kr_double_from_bits(m, e, sticky);
    return isinf(*result) ? HEX_TOO_LARGE : HEX_OK;
}

PyObject *
kr_float_fromhex(PyObject *type, PyObject *string)
{
    Py_ssize_t len;
    const char *s = PyUnicode_AsUTF8AndSize(string, &len);
    if (s == NULL) {
        return NULL;
    }
    const char *last = s + len;
    while (Py_ISSPACE(*s)) {
        s++;
    }
    char *end;
    double x = _Py_parse_inf_or_nan(s, &end);
    enum hex_result r = HEX_OK;
    if (end != s) {
        s = end;
    }
    else {
        bool negative = *s == '-';
        if (*s == '-' || *s == '+') {
            s++;
        }
        r = read_hex(&s, &x);
        x = negative ? -x : x;
    }
    while (Py_ISSPACE(*s)) {
        s++;
    }
    if (r == HEX_SYNTAX || s != last) {
        PyErr_SetString(PyExc_ValueError,
                        "invalid hexadecimal floating-point string");
        return NULL;
    }
    if (r == HEX_TOO_LARGE) {
        PyErr_SetString(PyExc_OverflowError, "hexadecimal value too large to "
                                             "represent as a float");
        return NULL;
    }
    PyObject *result = PyFloat_FromDouble(x);
    if (type != (PyObject *)&PyFloat_Type && result != NULL) {
        Py_SETREF(result, PyObject_CallOneArg(type, result));
    }
    return result;
}

/* --- sys.float_info ------------------------------------------------------- */

static struct kr_float_state {
    PyTypeObject info_type;
} state;

static PyStructSequence_Field info_fields[] = {
    {"max", "largest finite float"},
    {"max_exp", "largest int e such that radix**(e-1) is a float"},
    {"max_10_exp", "largest int e such that 10**e is a float"},
    {"min", "smallest positive normal float"},
    {"min_exp", "smallest int e such that radix**(e-1) is normal"},
    {"min_10_exp", "smallest int e such that 10**e is normal"},
    {"dig", "decimal digits that any float keeps"},
    {"mant_dig", "digits of the mantissa in base radix"},
    {"epsilon", "distance from 1 to the next float"},
    {"radix", "base of the exponent"},
    {"rounds", "rounding mode of arithmetic"},
    {NULL},
};

static PyStructSequence_Desc info_desc = {
    "sys.float_info",
    "sys.float_info\n\nLimits and precision of floats. Read-only.",
    info_fields,
    11,
};

PyObject *
PyFloat_GetInfo(void)
{
    if (state.info_type.tp_name == NULL &&
        PyStructSequence_InitType2(&state.info_type, &info_desc) < 0) {
        return NULL;
    }
    PyObject *info = PyStructSequence_New(&state.info_type);
    if (info == NULL) {
        return NULL;
    }
    int i = 0;
#define SET(value) PyStructSequence_SET_ITEM(info, i++, value)
    SET(PyFloat_FromDouble(DBL_MAX));
    SET(PyLong_FromLong(DBL_MAX_EXP));
    SET(PyLong_FromLong(DBL_MAX_10_EXP));
    SET(PyFloat_FromDouble(DBL_MIN));
    SET(PyLong_FromLong(DBL_MIN_EXP));
    SET(PyLong_FromLong(DBL_MIN_10_EXP));
    SET(PyLong_FromLong(DBL_DIG));
    SET(PyLong_FromLong(DBL_MANT_DIG));
    SET(PyFloat_FromDouble(DBL_EPSILON));
    SET(PyLong_FromLong(FLT_RADIX));
    SET(PyLong_FromLong(FLT_ROUNDS));
#undef SET
    if (PyErr_Occurred()) {
        Py_CLEAR(info);
    }
    return info;
}

PyAPI_FUNC(void) _PyFloat_DebugMallocStats(FILE *out);

/* Floats have no free list of their own; the line keeps the report's form. */
void
_PyFloat_DebugMallocStats(FILE *out)
{
    fprintf(out, "%d free PyFloatObjects of %zu bytes each\n", 0,
            sizeof(PyFloatObject));
}
