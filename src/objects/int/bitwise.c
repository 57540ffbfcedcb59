/* Bit operations on int, which behave as if numbers had infinitely many bits
 * in two's complement. */
#include "objects/int/int.h"

enum bit_op { OP_AND, OP_OR, OP_XOR };

static inline digit
apply(enum bit_op op, digit x, digit y)
{
    return op == OP_AND ? x & y : op == OP_OR ? x | y : x ^ y;
}

/* Two's complement is made on the fly: a digit of -x is ~x plus a carry that
 * runs up from the lowest digit. */
static PyObject *
bitwise_big(PyObject *a, PyObject *b, enum bit_op op)
{
    Py_ssize_t na = kr_int_ndigits(a), nb = kr_int_ndigits(b);
    const digit *da = KR_INT_DIGITS(a), *db = KR_INT_DIGITS(b);
    bool neg_a = Py_SIZE(a) < 0, neg_b = Py_SIZE(b) < 0;
    bool neg_z = apply(op, neg_a, neg_b) != 0;
    digit flip_a = neg_a ? PyLong_MASK : 0, carry_a = neg_a;
    digit flip_b = neg_b ? PyLong_MASK : 0, carry_b = neg_b;
    digit flip_z = neg_z ? PyLong_MASK : 0, carry_z = neg_z;

    Py_ssize_t n = Py_MAX(na, nb);
    if (op == OP_AND) {
        /* a non-negative operand has no bits above its own digits */
        n = neg_a ? (neg_b ? n : nb) : (neg_b ? na : Py_MIN(na, nb));
    }
    PyLongObject *z = _PyLong_New(n + neg_z);
    if (z == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        digit x = ((i < na ? da[i] : 0) ^ flip_a) + carry_a;
        carry_a = x >> PyLong_SHIFT;
        digit y = ((i < nb ? db[i] : 0) ^ flip_b) + carry_b;
        carry_b = y >> PyLong_SHIFT;
        digit r = (apply(op, x, y) & PyLong_MASK) ^ flip_z;
        r += carry_z;
        carry_z = r >> PyLong_SHIFT;
        z->ob_digit[i] = r & PyLong_MASK;
    }
    if (neg_z) {
        z->ob_digit[n] = carry_z;
        Py_SET_SIZE(z, -(n + 1));
    }
    return kr_int_finish(z);
}

static inline PyObject *
bitwise(PyObject *a, PyObject *b, enum bit_op op)
{
    if (!PyLong_Check(a) || !PyLong_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (kr_int_is_compact(a) && kr_int_is_compact(b)) {
        int64_t x = kr_int_compact_value(a), y = kr_int_compact_value(b);
        return kr_int_from_i64(op == OP_AND  ? x & y
                               : op == OP_OR ? x | y
                                             : x ^ y);
    }
    return bitwise_big(a, b, op);
}

PyObject *
kr_int_and(PyObject *a, PyObject *b)
{
    return bitwise(a, b, OP_AND);
}

PyObject *
kr_int_or(PyObject *a, PyObject *b)
{
    return bitwise(a, b, OP_OR);
}

PyObject *
kr_int_xor(PyObject *a, PyObject *b)
{
    return bitwise(a, b, OP_XOR);
}

PyObject *
kr_int_invert(PyObject *v)
{
    if (kr_int_is_compact(v)) {
        return kr_int_from_i64(~kr_int_compact_value(v));
    }
    PyObject *x = kr_int_add(v, KR_SMALL_INT(1));
    if (x != NULL) {
        Py_SETREF(x, kr_int_neg(x));
    }
    return x;
}

/* --- Shifts --------------------------------------------------------------- */

PyObject *
_PyLong_Lshift(PyObject *a, size_t bits)
{
    size_t words = bits / PyLong_SHIFT;
    int rest = (int)(bits % PyLong_SHIFT);
    Py_ssize_t n = kr_int_ndigits(a);
    if (n == 0) {
        return kr_int_from_i64(0);
    }
    if (words == 0 && n == 1) {
        return kr_int_from_i64(kr_int_compact_value(a) * ((int64_t)1 << rest));
    }
    if (words > (size_t)KR_INT_MAX_DIGITS - n - 1) {
        PyErr_SetString(PyExc_OverflowError, "too many digits in integer");
        return NULL;
    }
    Py_ssize_t nz = n + (Py_ssize_t)words + 1;
    PyLongObject *z = _PyLong_New(nz);
    if (z == NULL) {
        return NULL;
    }
    memset(z->ob_digit, 0, words * sizeof(digit));
    z->ob_digit[nz - 1] =
        kr_mag_shl(z->ob_digit + words, KR_INT_DIGITS(a), n, rest);
    if (Py_SIZE(a) < 0) {
        Py_SET_SIZE(z, -nz);
    }
    kr_int_normalize(z);
    return (PyObject *)z;
}

PyObject *
_PyLong_Rshift(PyObject *a, size_t bits)
{
    if (kr_int_is_compact(a)) {
        int64_t x = kr_int_compact_value(a);
        return kr_int_from_i64(x >> (bits > 62 ? 62 : bits));
    }
    size_t words = bits / PyLong_SHIFT;
    int rest = (int)(bits % PyLong_SHIFT);
    Py_ssize_t n = kr_int_ndigits(a);
    bool negative = Py_SIZE(a) < 0;
    if (words >= (size_t)n) {
        return kr_int_from_i64(negative ? -1 : 0);
    }
    Py_ssize_t nz = n - (Py_ssize_t)words;
    PyLongObject *z = _PyLong_New(nz + negative);
    if (z == NULL) {
        return NULL;
    }
    const digit *d = KR_INT_DIGITS(a);
    bool lost = kr_mag_shr(z->ob_digit, d + words, nz, rest) != 0;
    if (negative) {
        /* rounds down: away from zero if any bit was lost */
        digit one = lost || kr_mag_trim(d, words) != 0;
        z->ob_digit[nz] = kr_mag_add(z->ob_digit, z->ob_digit, nz, &one, 1);
        Py_SET_SIZE(z, -(nz + 1));
    }
    return kr_int_finish(z);
}

/* Reads a shift count. 1: in *bits; 0: larger than any size; -1: exception. */
static int
shift_count(PyObject *b, size_t *bits)
{
    if (Py_SIZE(b) < 0) {
        PyErr_SetString(PyExc_ValueError, "negative shift count");
        return -1;
    }
    if (kr_int_ndigits(b) > 2) {
        int overflow;
        long long x = PyLong_AsLongLongAndOverflow(b, &overflow);
        *bits = (size_t)x;
        return !overflow;
    }
    *bits = kr_int_ndigits(b) == 2
                ? (size_t)KR_INT_DIGITS(b)[1] << PyLong_SHIFT |
                      KR_INT_DIGITS(b)[0]
                : (size_t)kr_int_compact_value(b);
    return 1;
}

PyObject *
kr_int_lshift(PyObject *a, PyObject *b)
{
    if (!PyLong_Check(a) || !PyLong_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    size_t bits;
    int ok = shift_count(b, &bits);
    if (ok < 0) {
        return NULL;
    }
    if (Py_SIZE(a) == 0) {
        return kr_int_from_i64(0);
    }
    if (ok == 0 && _PyLong_NumBits(b) <= 64) { /* fewer digits than allowed */
        return PyErr_NoMemory();
    }
    if (ok == 0) {
        PyErr_SetString(PyExc_OverflowError, "too many digits in integer");
        return NULL;
    }
    return _PyLong_Lshift(a, bits);
}

PyObject *
kr_int_rshift(PyObject *a, PyObject *b)
{
    if (!PyLong_Check(a) || !PyLong_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    size_t bits;
    int ok = shift_count(b, &bits);
    if (ok < 0) {
        return NULL;
    }
    if (ok == 0) {
        return kr_int_from_i64(Py_SIZE(a) < 0 ? -1 : 0);
    }
    return _PyLong_Rshift(a, bits);
}
