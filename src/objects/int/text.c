/* Int to text and back, in any base.
 *
 * Conversions whose cost grows faster than the text (bases that are no power
 * of two) refuse more decimal digits than a settable limit. */
#include "objects/int/int.h"

#include <ctype.h>

#define DEFAULT_MAX_STR_DIGITS 4300
#define LIMIT_THRESHOLD 640 /* shorter texts are never refused */

static struct kr_int_text_state {
    int max_str_digits;
} state = {DEFAULT_MAX_STR_DIGITS};

int
kr_int_max_str_digits(void)
{
    return state.max_str_digits;
}

void
kr_int_set_max_str_digits(int limit)
{
    state.max_str_digits = limit;
}

/* Value of a character as a digit; 37 for all that are none. */
PyAPI_DATA(unsigned char) _PyLong_DigitValue[256];
unsigned char _PyLong_DigitValue[256] = {
    [0 ... 47] = 37,    ['0'] = 0,  ['1'] = 1,  ['2'] = 2,  ['3'] = 3,
    ['4'] = 4,          ['5'] = 5,  ['6'] = 6,  ['7'] = 7,  ['8'] = 8,
    ['9'] = 9,          [58 ... 64] = 37,       ['A'] = 10, ['B'] = 11,
    ['C'] = 12,         ['D'] = 13, ['E'] = 14, ['F'] = 15, ['G'] = 16,
    ['H'] = 17,         ['I'] = 18, ['J'] = 19, ['K'] = 20, ['L'] = 21,
    ['M'] = 22,         ['N'] = 23, ['O'] = 24, ['P'] = 25, ['Q'] = 26,
    ['R'] = 27,         ['S'] = 28, ['T'] = 29, ['U'] = 30, ['V'] = 31,
    ['W'] = 32,         ['X'] = 33, ['Y'] = 34, ['Z'] = 35, [91 ... 96] = 37,
    ['a'] = 10,         ['b'] = 11, ['c'] = 12, ['d'] = 13, ['e'] = 14,
    ['f'] = 15,         ['g'] = 16, ['h'] = 17, ['i'] = 18, ['j'] = 19,
    ['k'] = 20,         ['l'] = 21, ['m'] = 22, ['n'] = 23, ['o'] = 24,
    ['p'] = 25,         ['q'] = 26, ['r'] = 27, ['s'] = 28, ['t'] = 29,
    ['u'] = 30,         ['v'] = 31, ['w'] = 32, ['x'] = 33, ['y'] = 34,
    ['z'] = 35,         [123 ... 255] = 37,
};

/* --- To text -------------------------------------------------------------- */

/* A rendered number: `len` characters at `start`, in `small` or in `heap`. */
struct rendered {
    char *start;
    Py_ssize_t len;
    char *heap;
    char small[64];
};

static char *
write_u64(char *end, uint64_t x)
{
    do {
        *--end = (char)('0' + x % 10);
        x /= 10;
    } while (x);
    return end;
}

static bool
too_long_for_decimal(Py_ssize_t strlen)
{
    int limit = state.max_str_digits;
    if (limit > 0 && strlen > LIMIT_THRESHOLD && strlen > limit) {
        PyErr_Format(PyExc_ValueError,
                     "Exceeds the limit (%d digits) for integer string "
                     "conversion; use sys.set_int_max_str_digits() to "
                     "increase the limit",
                     limit);
        return true;
    }
    return false;
}

/* Fills `r`; -1 with an exception. The sign is in front. */
static int
render_decimal(PyObject *v, struct rendered *r)
{
    Py_ssize_t n = kr_int_ndigits(v);
    const digit *d = KR_INT_DIGITS(v);
    char *end = r->small + sizeof(r->small), *p;
    r->heap = NULL;
    if (n <= 2) {
        uint64_t x = n == 0 ? 0 : n == 1 ? d[0] : (uint64_t)d[1] << 30 | d[0];
        p = write_u64(end, x);
    }
    else {
        /* a digit is worth a bit more than 9 decimals */
        if (n > LIMIT_THRESHOLD / 9 && too_long_for_decimal((n - 1) * 9)) {
            return -1;
        }
        if (n > PY_SSIZE_T_MAX / 10 - 2) {
            PyErr_SetString(PyExc_OverflowError,
                            "int too large to format");
            return -1;
        }
        size_t room = n * 10 + 1;
        r->heap = PyMem_Malloc(room);
        if (r->heap == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        end = r->heap + room;
        p = kr_mag_to_decimal(end, d, n);
        if (p == NULL || too_long_for_decimal(end - p)) {
            PyMem_Free(r->heap);
            if (p == NULL) {
                kr_int_stopped();
            }
            return -1;
        }
    }
    if (Py_SIZE(v) < 0) {
        *--p = '-';
    }
    r->start = p;
    r->len = end - p;
    return 0;
}

static int
render_binary(PyObject *v, int base, bool alternate, struct rendered *r)
{
    int bits = base == 16 ? 4 : base == 8 ? 3 : 1;
    Py_ssize_t n = kr_int_ndigits(v);
    const digit *d = KR_INT_DIGITS(v);
    size_t room = 3 + 1;
    r->heap = NULL;
    if ((size_t)n > (PY_SSIZE_T_MAX - 8) / PyLong_SHIFT) {
        PyErr_SetString(PyExc_OverflowError, "int too large to format");
        return -1;
    }
    room += ((size_t)n * PyLong_SHIFT + bits - 1) / bits;
    char *end = r->small + sizeof(r->small), *p;
    if (room > sizeof(r->small)) {
        r->heap = PyMem_Malloc(room);
        if (r->heap == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        end = r->heap + room;
    }
    p = end;
    if (n == 0) {
        *--p = '0';
    }
    uint64_t accum = 0;
    int have = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        accum |= (uint64_t)d[i] << have;
        have += PyLong_SHIFT;
        /* the top digit gives no leading zeros */
        while (i < n - 1 ? have >= bits : accum > 0) {
            *--p = "0123456789abcdef"[accum & (base - 1)];
            accum >>= bits;
            have -= bits;
        }
    }
    if (alternate) {
        *--p = base == 16 ? 'x' : base == 8 ? 'o' : 'b';
        *--p = '0';
    }
    if (Py_SIZE(v) < 0) {
        *--p = '-';
    }
    r->start = p;
    r->len = end - p;
    return 0;
}

static int
render(PyObject *v, int base, bool alternate, struct rendered *r)
{
    if (!PyLong_Check(v)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return base == 10 ? render_decimal(v, r)
                      : render_binary(v, base, alternate, r);
}

static PyObject *
ascii_str(const char *s, Py_ssize_t len)
{
    PyObject *str = PyUnicode_New(len, 127);
    if (str != NULL) {
        memcpy(PyUnicode_1BYTE_DATA(str), s, len);
    }
    return str;
}

PyObject *
_PyLong_Format(PyObject *obj, int base)
{
    struct rendered r;
    if (render(obj, base, true, &r) < 0) {
        return NULL;
    }
    PyObject *str = ascii_str(r.start, r.len);
    PyMem_Free(r.heap);
    return str;
}

PyObject *
kr_int_repr(PyObject *v)
{
    if (Py_SIZE(v) == 0 || (Py_SIZE(v) == 1 && KR_INT_DIGITS(v)[0] < 10)) {
        digit d = Py_SIZE(v) ? KR_INT_DIGITS(v)[0] : 0;
        return PyUnicode_FromOrdinal((int)('0' + d)); /* the shared one */
    }
    return _PyLong_Format(v, 10);
}

int
_PyLong_FormatWriter(_PyUnicodeWriter *writer, PyObject *obj, int base,
                     int alternate)
{
    struct rendered r;
    if (render(obj, base, alternate, &r) < 0) {
        return -1;
    }
    int err = _PyUnicodeWriter_WriteASCIIString(writer, r.start, r.len);
    PyMem_Free(r.heap);
    return err;
}

char *
_PyLong_FormatBytesWriter(_PyBytesWriter *writer, char *str, PyObject *obj,
                          int base, int alternate)
{
    struct rendered r;
    if (render(obj, base, alternate, &r) < 0) {
        return NULL;
    }
    str = _PyBytesWriter_Prepare(writer, str, r.len);
    if (str != NULL) {
        memcpy(str, r.start, r.len);
        str += r.len;
    }
    PyMem_Free(r.heap);
    return str;
}

/* --- From text ------------------------------------------------------------ */

enum parse_result { PARSE_RAISED = -1, PARSE_SYNTAX = 0, PARSE_OK = 1 };

/* Finds the end of a run of digits with single underscores between them; counts
 * the digits. NULL if an underscore is misplaced or there is no digit. */
static const char *
scan_digits(const char *s, int base, Py_ssize_t *count)
{
    Py_ssize_t n = 0;
    char prev = 0;
    const char *p = s;
    for (; _PyLong_DigitValue[(unsigned char)*p] < base || *p == '_'; p++) {
        if (*p == '_') {
            if (prev == '_') {
                return NULL;
            }
        }
        else {
            n++;
        }
        prev = *p;
    }
    *count = n;
    return n == 0 || prev == '_' ? NULL : p;
}

static PyLongObject *
from_binary_digits(const char *s, const char *end, int base, Py_ssize_t count)
{
    int bits = 0;
    while (1 << bits < base) {
        bits++;
    }
    if (count > (PY_SSIZE_T_MAX - PyLong_SHIFT) / bits) {
        PyErr_SetString(PyExc_ValueError,
                        "int string too large to convert");
        return NULL;
    }
    Py_ssize_t n = (count * bits + PyLong_SHIFT - 1) / PyLong_SHIFT, i = 0;
    PyLongObject *z = _PyLong_New(n);
    if (z == NULL) {
        return NULL;
    }
    uint64_t accum = 0;
    int have = 0;
    while (end-- > s) {
        if (*end == '_') {
            continue;
        }
        accum |= (uint64_t)_PyLong_DigitValue[(unsigned char)*end] << have;
        have += bits;
        if (have >= PyLong_SHIFT) {
            z->ob_digit[i++] = (digit)accum & PyLong_MASK;
            accum >>= PyLong_SHIFT;
            have -= PyLong_SHIFT;
        }
    }
    if (i < n) {
        z->ob_digit[i++] = (digit)accum;
    }
    while (i < n) {
        z->ob_digit[i++] = 0;
    }
    return z;
}

static PyLongObject *
from_decimal_digits(const char *s, const char *end, Py_ssize_t count)
{
    char *copy = NULL;
    if (end - s != count) { /* has underscores */
        copy = PyMem_Malloc(count);
        if (copy == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        char *p = copy;
        for (; s < end; s++) {
            if (*s != '_') {
                *p++ = *s;
            }
        }
        s = copy;
    }
    size_t n = 0;
    PyLongObject *z = _PyLong_New(kr_mag_decimal_room(count));
    if (z != NULL) {
        if (kr_mag_from_decimal(z->ob_digit, &n, s, count) < 0) {
            Py_CLEAR(z);
            kr_int_stopped();
        }
        else {
            Py_SET_SIZE(z, n);
        }
    }
    PyMem_Free(copy);
    return z;
}

static PyLongObject *
from_other_digits(const char *s, const char *end, int base, Py_ssize_t count)
{
    /* as many digits at once as fit one of ours */
    int width = 1;
    digit power = base;
    while ((uint64_t)power * base < PyLong_BASE) {
        power *= base;
        width++;
    }
    int bits = kr_bit_length32(base - 1);
    if (count > (PY_SSIZE_T_MAX - 64) / bits) {
        PyErr_SetString(PyExc_ValueError,
                        "int string too large to convert");
        return NULL;
    }
    PyLongObject *z = _PyLong_New(count * bits / PyLong_SHIFT + 2);
    if (z == NULL) {
        return NULL;
    }
    Py_ssize_t n = 0;
    while (s < end) {
        digit chunk = 0, scale = 1;
        for (int k = 0; k < width && s < end; s++) {
            if (*s != '_') {
                chunk = chunk * base + _PyLong_DigitValue[(unsigned char)*s];
                scale *= base;
                k++;
            }
        }
        digit carry = kr_mag_mul1(z->ob_digit, z->ob_digit, n, scale, chunk);
        if (carry) {
            z->ob_digit[n++] = carry;
        }
    }
    Py_SET_SIZE(z, n);
    return z;
}

static bool
text_too_long(Py_ssize_t count)
{
    int limit = state.max_str_digits;
    if (count > LIMIT_THRESHOLD && limit > 0 && count > limit) {
        PyErr_Format(PyExc_ValueError,
                     "Exceeds the limit (%d digits) for integer string "
                     "conversion: value has %zd digits; use "
                     "sys.set_int_max_str_digits() to increase the limit",
                     limit, count);
        return true;
    }
    return false;
}

/* Skips a base prefix, settles base 0. *zero_only is set when a decimal number
 * begins with 0, which is good only for zero. */
static const char *
read_prefix(const char *p, int *base, bool *zero_only)
{
    int found = 0;
    *zero_only = false;
    if (p[0] == '0') {
        char c = (char)tolower((unsigned char)p[1]);
        found = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
    }
    if (*base == 0) {
        *base = found ? found : 10;
        *zero_only = !found && p[0] == '0';
    }
    if (found && found == *base) {
        p += 2;
        if (*p == '_') { /* one underscore may follow the prefix */
            p++;
        }
    }
    return p;
}

/* Parses a number with white space around it; *end is where it stopped. */
static enum parse_result
parse(const char *s, const char **pend, int base, PyObject **result)
{
    bool negative = false, zero_only;
    const char *p = s;
    *pend = s;
    while (Py_ISSPACE(*p)) {
        p++;
    }
    if (*p == '+' || *p == '-') {
        negative = *p++ == '-';
    }
    p = read_prefix(p, &base, &zero_only);
    Py_ssize_t count;
    if (*p == '_') {
        return PARSE_SYNTAX;
    }
    const char *end = scan_digits(p, base, &count);
    if (end == NULL) {
        return PARSE_SYNTAX;
    }
    PyLongObject *z;
    if ((base & (base - 1)) == 0) {
        z = from_binary_digits(p, end, base, count);
    }
    else if (text_too_long(count)) {
        return PARSE_RAISED;
    }
    else if (base == 10) {
        z = from_decimal_digits(p, end, count);
    }
    else {
        z = from_other_digits(p, end, base, count);
    }
    if (z == NULL) {
        return PARSE_RAISED;
    }
    if (negative) {
        Py_SET_SIZE(z, -Py_SIZE(z));
    }
    *result = kr_int_finish(z);
    if (zero_only && Py_SIZE(*result) != 0) {
        Py_CLEAR(*result);
        return PARSE_SYNTAX;
    }
    while (Py_ISSPACE(*end)) {
        end++;
    }
    *pend = end;
    return PARSE_OK;
}

static bool
bad_base(int base)
{
    if (base == 0 || (base >= 2 && base <= 36)) {
        return false;
    }
    PyErr_SetString(PyExc_ValueError,
                    "int() arg 2 must be >= 2 and <= 36, or 0");
    return true;
}

static PyObject *
invalid_literal(int base, PyObject *text)
{
    if (text != NULL) {
        PyErr_Format(PyExc_ValueError,
                     "invalid literal for int() with base %d: %.200R", base,
                     text);
    }
    return NULL;
}

PyObject *
PyLong_FromString(const char *str, char **pend, int base)
{
    if (bad_base(base)) {
        return NULL;
    }
    PyObject *result = NULL;
    const char *end;
    enum parse_result r = parse(str, &end, base, &result);
    if (pend != NULL) {
        *pend = r == PARSE_RAISED ? NULL : (char *)end;
    }
    if (r == PARSE_RAISED) {
        return NULL;
    }
    if (r == PARSE_OK && (pend != NULL || *end == '\0')) {
        return result;
    }
    Py_XDECREF(result);
    size_t len = strlen(str);
    PyObject *text = PyUnicode_FromStringAndSize(str, len < 200 ? len : 200);
    invalid_literal(base, text);
    Py_XDECREF(text);
    return NULL;
}

PyObject *
_PyLong_FromBytes(const char *s, Py_ssize_t len, int base)
{
    if (bad_base(base)) {
        return NULL;
    }
    PyObject *result = NULL;
    const char *end;
    enum parse_result r = parse(s, &end, base, &result);
    if (r == PARSE_RAISED || (r == PARSE_OK && end == s + len)) {
        return result;
    }
    Py_XDECREF(result);
    PyObject *text = PyBytes_FromStringAndSize(s, Py_MIN(len, 200));
    invalid_literal(base, text);
    Py_XDECREF(text);
    return NULL;
}

PyObject *
PyLong_FromUnicodeObject(PyObject *u, int base)
{
    if (bad_base(base)) {
        return NULL;
    }
    PyObject *ascii = _PyUnicode_TransformDecimalAndSpaceToASCII(u);
    if (ascii == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    const char *s = (const char *)PyUnicode_1BYTE_DATA(ascii), *end;
    enum parse_result r = parse(s, &end, base, &result);
    bool complete = end == s + PyUnicode_GET_LENGTH(ascii);
    Py_DECREF(ascii);
    if (r == PARSE_RAISED || (r == PARSE_OK && complete)) {
        return result;
    }
    Py_XDECREF(result);
    return invalid_literal(base, u);
}

/* --- C integers ----------------------------------------------------------- */

unsigned long
PyOS_strtoul(const char *str, char **ptr, int base)
{
    const char *p = str;
    bool zero_only;
    while (*p && Py_ISSPACE(*p)) {
        p++;
    }
    const char *digits = p;
    if (base == 0 || base == 16 || base == 8 || base == 2) {
        bool leading_zero = *p == '0';
        int asked = base;
        p = read_prefix(p, &base, &zero_only);
        if (p != digits && _PyLong_DigitValue[(unsigned char)*p] >= base) {
            /* a prefix without a number: only its 0 counts */
            if (ptr) {
                *ptr = (char *)(asked == 0 ? str : digits + 1);
            }
            return 0;
        }
        if (asked == 0 && leading_zero && p == digits) {
            while (*p == '0') {
                p++;
            }
            if (ptr) {
                *ptr = (char *)p;
            }
            return 0;
        }
    }
    if (base < 2 || base > 36) {
        if (ptr) {
            *ptr = (char *)str;
        }
        return 0;
    }
    unsigned long result = 0;
    bool overflow = false;
    int d;
    for (; (d = _PyLong_DigitValue[(unsigned char)*p]) < base; p++) {
        overflow |= __builtin_mul_overflow(result, (unsigned long)base,
                                           &result);
        overflow |= __builtin_add_overflow(result, (unsigned long)d, &result);
    }
    if (ptr) {
        *ptr = (char *)p;
    }
    if (overflow) {
        errno = ERANGE;
        return (unsigned long)-1;
    }
    return result;
}

long
PyOS_strtol(const char *str, char **ptr, int base)
{
    while (*str && Py_ISSPACE(*str)) {
        str++;
    }
    char sign = *str;
    if (sign == '+' || sign == '-') {
        str++;
    }
    unsigned long x = PyOS_strtoul(str, ptr, base);
    if (x <= (unsigned long)LONG_MAX) {
        return sign == '-' ? -(long)x : (long)x;
    }
    if (sign == '-' && x == (unsigned long)LONG_MAX + 1) {
        return LONG_MIN;
    }
    errno = ERANGE;
    return LONG_MAX;
}
