/* Doubles to and from text, with the rules of Python's repr and % formats. */
#include "objects/float_text.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/dtoa.h"

/* --- Digits --------------------------------------------------------------- */

double
_Py_dg_stdnan(int sign)
{
    return copysign(NAN, sign ? -1.0 : 1.0);
}

double
_Py_dg_infinity(int sign)
{
    return sign ? -HUGE_VAL : HUGE_VAL;
}

double
_Py_dg_strtod(const char *str, char **ptr)
{
    const char *end;
    bool err = false;
    double x = kr_strtod(str, &end, &err);
    if (err) {
        errno = ENOMEM;
        x = -1.0;
    }
    else if (isinf(x)) {
        errno = ERANGE;
    }
    if (ptr != NULL) {
        *ptr = (char *)(err ? str : end);
    }
    return x;
}

void
_Py_dg_freedtoa(char *s)
{
    free(s);
}

static char *
copy_text(const char *s, size_t n, char **rve)
{
    char *copy = malloc(n + 1);
    if (copy != NULL) {
        memcpy(copy, s, n);
        copy[n] = '\0';
        if (rve) {
            *rve = copy + n;
        }
    }
    return copy;
}

char *
_Py_dg_dtoa(double d, int mode, int ndigits, int *decpt, int *sign, char **rve)
{
    *sign = signbit(d) != 0;
    d = fabs(d);
    if (!isfinite(d)) {
        *decpt = 9999;
        return isnan(d) ? copy_text("NaN", 3, rve)
                        : copy_text("Infinity", 8, rve);
    }
    if (d == 0.0) {
        *decpt = 1;
        return copy_text("0", 1, rve);
    }
    char small[400], *digits = small;
    if (kr_dtoa_room(ndigits) > sizeof(small)) {
        digits = malloc(kr_dtoa_room(ndigits));
        if (digits == NULL) {
            return NULL;
        }
    }
    int n;
    switch (mode) {
    case 2:
    case 4:
        n = kr_dtoa_precision(d, ndigits, digits, decpt);
        break;
    case 3:
    case 5:
        n = kr_dtoa_fixed(d, ndigits, digits, decpt);
        if (n == 0) {
            *decpt = -ndigits;
        }
        break;
    default:
        n = kr_dtoa_shortest(d, digits, decpt);
    }
    char *result = n < 0 ? NULL : copy_text(digits, n, rve);
    if (digits != small) {
        free(digits);
    }
    return result;
}

/* --- To text -------------------------------------------------------------- */

/* What the layout of a number depends on. */
struct layout {
    char sign;      /* '-', '+' or 0 */
    bool exponent;  /* 1.5e+20 and not 150000000000000000000 */
    bool upper;     /* E, INF, NAN */
    bool always_dot;
    bool add_dot_0; /* "1.0" for 1 */
    int after_dot;  /* digits wanted behind the dot: padded with zeros */
    int point;      /* the dot stands behind this many digits */
};

/* Digits with the exponent written apart: d.ddde+XX */
static char *
put_exponential(char *p, const char *digits, int n, const struct layout *l)
{
    *p++ = digits[0];
    if (n > 1 || l->after_dot > 0 || l->always_dot) {
        *p++ = '.';
    }
    memcpy(p, digits + 1, n - 1);
    p += n - 1;
    for (int i = n - 1; i < l->after_dot; i++) {
        *p++ = '0';
    }
    int e = l->point - 1;
    *p++ = l->upper ? 'E' : 'e';
    *p++ = e < 0 ? '-' : '+';
    e = abs(e);
    if (e >= 100) {
        *p++ = (char)('0' + e / 100);
    }
    *p++ = (char)('0' + e / 10 % 10);
    *p++ = (char)('0' + e % 10);
    return p;
}

static char *
put_positional(char *p, const char *digits, int n, const struct layout *l)
{
    int point = l->point, behind = 0;
    if (point <= 0) {
        *p++ = '0';
    }
    else {
        int whole = n < point ? n : point;
        memcpy(p, digits, whole);
        memset(p + whole, '0', point - whole);
        p += point;
    }
    char *dot = p;
    *p++ = '.';
    for (; n > 0 && behind < -point; behind++) {
        *p++ = '0';
    }
    if (n > point) {
        int from = point > 0 ? point : 0;
        memcpy(p, digits + from, n - from);
        p += n - from;
        behind += n - from;
    }
    if (behind < l->after_dot) {
        memset(p, '0', l->after_dot - behind);
        p += l->after_dot - behind;
    }
    if (p == dot + 1) {
        if (l->add_dot_0) {
            *p++ = '0';
        }
        else if (!l->always_dot) {
            p = dot;
        }
    }
    return p;
}

static char *
put_number(char *p, const char *digits, int n, const struct layout *l)
{
    if (l->sign) {
        *p++ = l->sign;
    }
    return l->exponent ? put_exponential(p, digits, n, l)
                       : put_positional(p, digits, n, l);
}

int
kr_float_repr(double x, char *buf)
{
    char digits[KR_SHORTEST_MAX];
    struct layout l = {.sign = signbit(x) ? '-' : 0, .add_dot_0 = true};
    if (!isfinite(x)) {
        const char *s = isnan(x) ? "nan" : x < 0 ? "-inf" : "inf";
        memcpy(buf, s, strlen(s));
        return (int)strlen(s);
    }
    int n = 1;
    if (x == 0.0) {
        digits[0] = '0';
        l.point = 1;
    }
    else {
        n = kr_dtoa_shortest(fabs(x), digits, &l.point);
    }
    l.exponent = l.point <= -4 || l.point > 16;
    return (int)(put_number(buf, digits, n, &l) - buf);
}

static char *
special_text(double val, int flags, bool upper)
{
    const char *s = isnan(val) ? (upper ? "NAN" : "nan")
                               : (upper ? "INF" : "inf");
    char *buf = PyMem_Malloc(8), *p = buf;
    if (buf == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (isinf(val) && val < 0) {
        *p++ = '-';
    }
    else if (flags & Py_DTSF_SIGN) {
        *p++ = '+';
    }
    strcpy(p, s);
    return buf;
}

/* Digits of |val| for a format; chooses the layout. -1 without memory. */
static int
format_digits(double val, char code, int precision, int flags, char *digits,
              struct layout *l)
{
    double d = fabs(val);
    int n;
    if (d == 0.0) {
        digits[0] = '0';
        n = 1;
        l->point = 1;
        if (code == 'f') {
            n = 0;
            l->point = 0;
        }
    }
    else if (code == 'r') {
        n = kr_dtoa_shortest(d, digits, &l->point);
    }
    else if (code == 'f') {
        n = kr_dtoa_fixed(d, precision, digits, &l->point);
        if (n == 0) {
            l->point = 0;
        }
    }
    else {
        n = kr_dtoa_precision(d, code == 'e' ? precision + 1 : precision,
                              digits, &l->point);
    }
    switch (code) {
    case 'e':
        l->exponent = true;
        l->after_dot = precision;
        break;
    case 'f':
        l->after_dot = precision;
        break;
    case 'g':
        l->exponent = l->point <= -4 ||
                      l->point >
                          precision - (flags & Py_DTSF_ADD_DOT_0 ? 1 : 0);
        if (flags & Py_DTSF_ALT) { /* keeps trailing zeros */
            l->after_dot = l->exponent ? precision - 1 : precision - l->point;
        }
        break;
    case 'r':
        l->exponent = l->point <= -4 || l->point > 16;
        break;
    }
    return n;
}

char *
PyOS_double_to_string(double val, char format_code, int precision, int flags,
                      int *type)
{
    bool upper = isupper((unsigned char)format_code);
    char code = (char)tolower((unsigned char)format_code);
    if (!(code == 'e' || code == 'f' || code == 'g' || format_code == 'r') ||
        (code == 'r' && precision != 0)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (code == 'g' && precision == 0) {
        precision = 1;
    }
    if (type) {
        *type = isnan(val)   ? Py_DTST_NAN
                : isinf(val) ? Py_DTST_INFINITE
                             : Py_DTST_FINITE;
    }
    if (!isfinite(val)) {
        return special_text(val, flags, upper);
    }
    struct layout l = {.upper = upper,
                       .add_dot_0 = (flags & Py_DTSF_ADD_DOT_0) != 0,
                       .always_dot = (flags & Py_DTSF_ALT) != 0};
    char small[400], *digits = small, *buf = NULL;
    if (kr_dtoa_room(precision + 1) > sizeof(small)) {
        digits = PyMem_Malloc(kr_dtoa_room(precision + 1));
    }
    int n = -1;
    if (digits != NULL) {
        n = format_digits(val, code, precision, flags, digits, &l);
    }
    if (n >= 0) {
        bool zero = n == 0 || digits[0] == '0';
        bool minus = signbit(val) && !((flags & Py_DTSF_NO_NEG_0) && zero);
        l.sign = minus ? '-' : flags & Py_DTSF_SIGN ? '+' : 0;
        size_t room = 32 + (size_t)n + (l.after_dot > 0 ? l.after_dot : 0) +
                      (size_t)(l.exponent ? 0 : abs(l.point));
        buf = PyMem_Malloc(room);
    }
    if (buf == NULL) {
        PyErr_NoMemory();
    }
    else {
        *put_number(buf, digits, n, &l) = '\0';
    }
    if (digits != small) {
        PyMem_Free(digits);
    }
    return buf;
}

/* --- From text ------------------------------------------------------------ */

static bool
match_word(const char *s, const char *lower)
{
    for (; *lower; s++, lower++) {
        if (Py_TOLOWER(*s) != *lower) {
            return false;
        }
    }
    return true;
}

double
_Py_parse_inf_or_nan(const char *p, char **endptr)
{
    const char *s = p;
    bool negative = *s == '-';
    double x;
    if (*s == '-' || *s == '+') {
        s++;
    }
    if (match_word(s, "inf")) {
        s += match_word(s + 3, "inity") ? 8 : 3;
        x = _Py_dg_infinity(negative);
    }
    else if (match_word(s, "nan")) {
        s += 3;
        x = _Py_dg_stdnan(negative);
    }
    else {
        s = p;
        x = -1.0;
    }
    *endptr = (char *)s;
    return x;
}

double
PyOS_string_to_double(const char *s, char **endptr,
                      PyObject *overflow_exception)
{
    const char *end;
    bool err = false;
    double x = kr_strtod(s, &end, &err);
    if (end == s && !err) {
        char *word_end;
        x = _Py_parse_inf_or_nan(s, &word_end);
        end = word_end;
        if (end != s) {
            overflow_exception = NULL; /* it was asked for */
        }
    }
    if (err) {
        PyErr_NoMemory();
        end = s;
    }
    else if (end == s || (!endptr && *end != '\0')) {
        PyErr_Format(PyExc_ValueError,
                     "could not convert string to float: '%.200s'", s);
    }
    else if (isinf(x) && overflow_exception != NULL) {
        PyErr_Format(overflow_exception,
                     "value too large to convert to float: '%.200s'", s);
    }
    else {
        if (endptr) {
            *endptr = (char *)end;
        }
        return x;
    }
    if (endptr) {
        *endptr = (char *)end;
    }
    return -1.0;
}

/* Copies without underscores; NULL with an exception if one is not between two
 * digits. */
static char *
drop_underscores(const char *s, Py_ssize_t len, Py_ssize_t *new_len, bool *bad)
{
    char *copy = PyMem_Malloc(len + 1), *p = copy;
    char prev = '\0';
    *bad = false;
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < len && !*bad; i++) {
        char c = s[i];
        if (c == '_') {
            *bad = !(prev >= '0' && prev <= '9');
        }
        else {
            *p++ = c;
            *bad = prev == '_' && !(c >= '0' && c <= '9');
        }
        prev = c;
    }
    if (prev == '_') {
        *bad = true;
    }
    *p = '\0';
    *new_len = p - copy;
    return copy;
}

PyObject *
_Py_string_to_number_with_underscores(
    const char *s, Py_ssize_t orig_len, const char *what, PyObject *obj,
    void *arg, PyObject *(*innerfunc)(const char *, Py_ssize_t, void *))
{
    if (memchr(s, '_', orig_len) == NULL) {
        return innerfunc(s, orig_len, arg);
    }
    bool bad;
    Py_ssize_t len;
    char *copy = drop_underscores(s, orig_len, &len, &bad);
    if (copy == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (bad) {
        PyErr_Format(PyExc_ValueError, "could not convert string to %s: %R",
                     what, obj);
    }
    else {
        result = innerfunc(copy, len, arg);
    }
    PyMem_Free(copy);
    return result;
}
