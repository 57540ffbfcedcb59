/* Arithmetic of int: + - * // % divmod / and comparison, hash, gcd. */
#include "objects/int/int.h"

#include <float.h>
#include <math.h>

#define CHECK_BINOP(a, b)                                                      \
    do {                                                                       \
        if (!PyLong_Check(a) || !PyLong_Check(b)) {                            \
            Py_RETURN_NOTIMPLEMENTED;                                          \
        }                                                                      \
    } while (0)

/* --- Addition ------------------------------------------------------------- */

/* |a| + |b| with the given sign. */
static PyObject *
add_magnitudes(PyObject *a, PyObject *b, bool negative)
{
    Py_ssize_t na = kr_int_ndigits(a), nb = kr_int_ndigits(b);
    if (na < nb) {
        PyObject *t = a;
        Py_ssize_t nt = na;
        a = b, na = nb;
        b = t, nb = nt;
    }
    PyLongObject *z = _PyLong_New(na + 1);
    if (z == NULL) {
        return NULL;
    }
    z->ob_digit[na] =
        kr_mag_add(z->ob_digit, KR_INT_DIGITS(a), na, KR_INT_DIGITS(b), nb);
    if (negative) {
        Py_SET_SIZE(z, -(na + 1));
    }
    kr_int_normalize(z);
    return (PyObject *)z;
}

/* |a| - |b|, negated on demand. */
static PyObject *
sub_magnitudes(PyObject *a, PyObject *b, bool negate)
{
    Py_ssize_t na = kr_int_ndigits(a), nb = kr_int_ndigits(b);
    int cmp = kr_mag_cmp(KR_INT_DIGITS(a), na, KR_INT_DIGITS(b), nb);
    if (cmp == 0) {
        return kr_int_from_i64(0);
    }
    if (cmp < 0) {
        PyObject *t = a;
        Py_ssize_t nt = na;
        a = b, na = nb;
        b = t, nb = nt;
        negate = !negate;
    }
    PyLongObject *z = _PyLong_New(na);
    if (z == NULL) {
        return NULL;
    }
    kr_mag_sub(z->ob_digit, KR_INT_DIGITS(a), na, KR_INT_DIGITS(b), nb);
    if (negate) {
        Py_SET_SIZE(z, -na);
    }
    return kr_int_finish(z);
}

static PyObject *
add_signed(PyObject *a, PyObject *b, bool flip_b)
{
    bool neg_a = Py_SIZE(a) < 0, neg_b = (Py_SIZE(b) < 0) ^ flip_b;
    if (neg_a == neg_b) {
        return add_magnitudes(a, b, neg_a);
    }
    return sub_magnitudes(a, b, neg_a);
}

PyObject *
kr_int_add(PyObject *a, PyObject *b)
{
    CHECK_BINOP(a, b);
    if (KR_LIKELY(kr_int_is_compact(a) && kr_int_is_compact(b))) {
        return kr_int_from_i64(kr_int_compact_value(a) +
                               kr_int_compact_value(b));
    }
    return add_signed(a, b, false);
}

PyObject *
kr_int_sub(PyObject *a, PyObject *b)
{
    CHECK_BINOP(a, b);
    if (KR_LIKELY(kr_int_is_compact(a) && kr_int_is_compact(b))) {
        return kr_int_from_i64(kr_int_compact_value(a) -
                               kr_int_compact_value(b));
    }
    return add_signed(a, b, true);
}

PyObject *
kr_int_mul(PyObject *a, PyObject *b)
{
    CHECK_BINOP(a, b);
    if (KR_LIKELY(kr_int_is_compact(a) && kr_int_is_compact(b))) {
        return kr_int_from_i64(kr_int_compact_value(a) *
                               kr_int_compact_value(b));
    }
    Py_ssize_t na = kr_int_ndigits(a), nb = kr_int_ndigits(b);
    if (na == 0 || nb == 0) {
        return kr_int_from_i64(0);
    }
    PyLongObject *z = _PyLong_New(na + nb);
    if (z == NULL) {
        return NULL;
    }
    if (kr_mag_mul(z->ob_digit, KR_INT_DIGITS(a), na, KR_INT_DIGITS(b), nb) <
        0) {
        Py_DECREF(z);
        kr_int_stopped();
        return NULL;
    }
    if ((Py_SIZE(a) < 0) != (Py_SIZE(b) < 0)) {
        Py_SET_SIZE(z, -Py_SIZE(z));
    }
    kr_int_normalize(z);
    return (PyObject *)z;
}

PyObject *
kr_int_neg(PyObject *v)
{
    if (kr_int_is_compact(v)) {
        return kr_int_from_i64(-kr_int_compact_value(v));
    }
    PyObject *z = _PyLong_Copy((PyLongObject *)v);
    if (z != NULL) {
        Py_SET_SIZE(z, -Py_SIZE(v));
    }
    return z;
}

PyObject *
kr_int_abs(PyObject *v)
{
    if (Py_SIZE(v) < 0) {
        return kr_int_neg(v);
    }
    return PyLong_CheckExact(v) ? Py_NewRef(v)
                                : _PyLong_Copy((PyLongObject *)v);
}

/* --- Division ------------------------------------------------------------- */

int
kr_int_divrem(PyObject *a, PyObject *b, PyObject **pdiv, PyObject **prem)
{
    Py_ssize_t na = kr_int_ndigits(a), nb = kr_int_ndigits(b);
    bool neg_q = (Py_SIZE(a) < 0) != (Py_SIZE(b) < 0);
    if (kr_mag_cmp(KR_INT_DIGITS(a), na, KR_INT_DIGITS(b), nb) < 0) {
        PyObject *rem = NULL;
        if (prem) {
            rem = PyLong_CheckExact(a) ? Py_NewRef(a)
                                       : _PyLong_Copy((PyLongObject *)a);
            if (rem == NULL) {
                return -1;
            }
            *prem = rem;
        }
        if (pdiv) {
            *pdiv = kr_int_from_i64(0);
        }
        return 0;
    }
    PyLongObject *q = NULL, *r = NULL;
    if ((pdiv && (q = _PyLong_New(na - nb + 1)) == NULL) ||
        (prem && (r = _PyLong_New(nb)) == NULL)) {
        Py_XDECREF(q);
        return -1;
    }
    if (kr_mag_divrem(q ? q->ob_digit : NULL, r ? r->ob_digit : NULL,
                      KR_INT_DIGITS(a), na, KR_INT_DIGITS(b), nb) < 0) {
        Py_XDECREF(q);
        Py_XDECREF(r);
        kr_int_stopped();
        return -1;
    }
    if (pdiv) {
        if (neg_q) {
            Py_SET_SIZE(q, -Py_SIZE(q));
        }
        *pdiv = kr_int_finish(q);
    }
    if (prem) {
        if (Py_SIZE(a) < 0) {
            Py_SET_SIZE(r, -Py_SIZE(r));
        }
        *prem = kr_int_finish(r);
    }
    return 0;
}

static inline int64_t
floor_div64(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

static inline int64_t
floor_mod64(int64_t a, int64_t b)
{
    int64_t r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

int
kr_int_divmod(PyObject *a, PyObject *b, PyObject **pdiv, PyObject **pmod)
{
    if (kr_int_is_compact(a) && kr_int_is_compact(b)) {
        int64_t x = kr_int_compact_value(a), y = kr_int_compact_value(b);
        PyObject *div = NULL, *mod = NULL;
        if (pdiv && (div = kr_int_from_i64(floor_div64(x, y))) == NULL) {
            return -1;
        }
        if (pmod && (mod = kr_int_from_i64(floor_mod64(x, y))) == NULL) {
            Py_XDECREF(div);
            return -1;
        }
        if (pdiv) {
            *pdiv = div;
        }
        if (pmod) {
            *pmod = mod;
        }
        return 0;
    }
    if (pmod == NULL && (Py_SIZE(a) < 0) == (Py_SIZE(b) < 0)) {
        return kr_int_divrem(a, b, pdiv, NULL); /* nothing to adjust */
    }
    PyObject *div = NULL, *mod;
    if (kr_int_divrem(a, b, pdiv ? &div : NULL, &mod) < 0) {
        return -1;
    }
    /* the remainder has the sign of a; it should have that of b */
    if (Py_SIZE(mod) != 0 && (Py_SIZE(mod) < 0) != (Py_SIZE(b) < 0)) {
        if (pmod) {
            Py_SETREF(mod, add_signed(mod, b, false));
        }
        if (pdiv) {
            Py_SETREF(div, kr_int_sub(div, KR_SMALL_INT(1)));
        }
        if (mod == NULL || (pdiv && div == NULL)) {
            Py_XDECREF(mod);
            Py_XDECREF(div);
            return -1;
        }
    }
    if (pdiv) {
        *pdiv = div;
    }
    if (pmod) {
        *pmod = mod;
    }
    else {
        Py_DECREF(mod);
    }
    return 0;
}

static bool
divisor_is_zero(PyObject *b, const char *message)
{
    if (Py_SIZE(b) != 0) {
        return false;
    }
    PyErr_SetString(PyExc_ZeroDivisionError, message);
    return true;
}

PyObject *
kr_int_floor_div(PyObject *a, PyObject *b)
{
    CHECK_BINOP(a, b);
    if (divisor_is_zero(b, "integer division or modulo by zero")) {
        return NULL;
    }
    PyObject *div;
    return kr_int_divmod(a, b, &div, NULL) < 0 ? NULL : div;
}

PyObject *
kr_int_mod(PyObject *a, PyObject *b)
{
    CHECK_BINOP(a, b);
    if (divisor_is_zero(b, "integer modulo by zero")) {
        return NULL;
    }
    PyObject *mod;
    return kr_int_divmod(a, b, NULL, &mod) < 0 ? NULL : mod;
}

PyObject *
kr_int_divmod_slot(PyObject *a, PyObject *b)
{
    CHECK_BINOP(a, b);
    if (divisor_is_zero(b, "integer division or modulo by zero")) {
        return NULL;
    }
    PyObject *div, *mod;
    if (kr_int_divmod(a, b, &div, &mod) < 0) {
        return NULL;
    }
    PyObject *pair = PyTuple_New(2);
    if (pair == NULL) {
        Py_DECREF(div);
        Py_DECREF(mod);
        return NULL;
    }
    PyTuple_SET_ITEM(pair, 0, div);
    PyTuple_SET_ITEM(pair, 1, mod);
    return pair;
}

/* a / b for values that are no exact doubles: scales a so that the integer
 * quotient has at least two bits more than a double, keeps what is lost as a
 * sticky bit, and rounds once. */
static PyObject *
true_div_big(PyObject *a, PyObject *b)
{
    bool negate = (Py_SIZE(a) < 0) != (Py_SIZE(b) < 0);
    Py_ssize_t bits_a = (Py_ssize_t)_PyLong_NumBits(a);
    Py_ssize_t bits_b = (Py_ssize_t)_PyLong_NumBits(b);
    if (bits_a < 0 || bits_b < 0) {
        return NULL;
    }
    Py_ssize_t diff = bits_a - bits_b;
    if (diff > DBL_MAX_EXP) {
        goto overflow;
    }
    if (diff < DBL_MIN_EXP - DBL_MANT_DIG - 1) {
        return PyFloat_FromDouble(negate ? -0.0 : 0.0);
    }
    /* the quotient |a| * 2^scale / |b| has 64 or 65 bits */
    Py_ssize_t scale = 64 - diff;
    PyObject *abs_a = kr_int_abs(a), *num = NULL, *q = NULL, *r = NULL;
    bool sticky = false;
    if (abs_a == NULL) {
        return NULL;
    }
    if (scale >= 0) {
        num = _PyLong_Lshift(abs_a, (size_t)scale);
    }
    else {
        num = _PyLong_Rshift(abs_a, (size_t)-scale);
        Py_ssize_t whole = -scale / PyLong_SHIFT;
        const digit *d = KR_INT_DIGITS(abs_a);
        sticky = kr_mag_trim(d, whole) != 0 ||
                 (d[whole] & (((digit)1 << (-scale % PyLong_SHIFT)) - 1)) != 0;
    }
    Py_DECREF(abs_a);
    if (num == NULL || kr_int_divrem(num, b, &q, &r) < 0) {
        Py_XDECREF(num);
        return NULL;
    }
    Py_DECREF(num);
    sticky |= Py_SIZE(r) != 0;
    Py_DECREF(r);

    unsigned __int128 m = 0;
    for (Py_ssize_t i = kr_int_ndigits(q); --i >= 0;) {
        m = m << PyLong_SHIFT | KR_INT_DIGITS(q)[i];
    }
    Py_DECREF(q);
    /* value = m * 2^-scale: cut to 53 bits, fewer for subnormals */
    int bits = m >> 64 ? 64 + kr_bit_length64((uint64_t)(m >> 64))
                       : kr_bit_length64((uint64_t)m);
    Py_ssize_t drop = bits - DBL_MANT_DIG;
    Py_ssize_t lowest = DBL_MIN_EXP - DBL_MANT_DIG; /* smallest exponent */
    if (drop - scale < lowest) {
        drop = lowest + scale;
    }
    double x;
    if (drop > bits + 1) {
        x = 0.0;
    }
    else {
        unsigned __int128 half = (unsigned __int128)1 << (drop - 1);
        unsigned __int128 low = m & (half * 2 - 1);
        m >>= drop;
        if (low > half || (low == half && (sticky || (m & 1)))) {
            m++;
        }
        x = ldexp((double)(uint64_t)m, (int)(drop - scale));
    }
    if (isinf(x)) {
        goto overflow;
    }
    return PyFloat_FromDouble(negate ? -x : x);

overflow:
    PyErr_SetString(PyExc_OverflowError,
                    "integer division result too large for a float");
    return NULL;
}

/* Whether v is exact as a double; gives the value. */
static inline bool
exact_double(PyObject *v, double *x)
{
    Py_ssize_t n = kr_int_ndigits(v);
    const digit *d = KR_INT_DIGITS(v);
    if (n > 2 || (n == 2 && d[1] >> (DBL_MANT_DIG - PyLong_SHIFT))) {
        return false;
    }
    uint64_t m = n == 0 ? 0 : n == 1 ? d[0] : (uint64_t)d[1] << 30 | d[0];
    *x = Py_SIZE(v) < 0 ? -(double)m : (double)m;
    return true;
}

PyObject *
kr_int_true_div(PyObject *a, PyObject *b)
{
    CHECK_BINOP(a, b);
    if (divisor_is_zero(b, "division by zero")) {
        return NULL;
    }
    double x, y;
    if (exact_double(a, &x) && exact_double(b, &y)) {
        return PyFloat_FromDouble(x / y);
    }
    if (Py_SIZE(a) == 0) {
        return PyFloat_FromDouble(Py_SIZE(b) < 0 ? -0.0 : 0.0);
    }
    return true_div_big(a, b);
}

/* a rounded to a multiple: q = nearest to a / b (ties to even), r = a - q*b. */
PyObject *
_PyLong_DivmodNear(PyObject *a, PyObject *b)
{
    if (!PyLong_Check(a) || !PyLong_Check(b)) {
        PyErr_SetString(PyExc_TypeError,
                        "non-integer arguments in division");
        return NULL;
    }
    if (divisor_is_zero(b, "integer division or modulo by zero")) {
        return NULL;
    }
    PyObject *q = NULL, *r = NULL, *twice = NULL;
    if (kr_int_divmod(a, b, &q, &r) < 0) {
        return NULL;
    }
    /* r has the sign of b: one step up when 2|r| > |b|, or == and q is odd */
    twice = _PyLong_Lshift(r, 1);
    if (twice == NULL) {
        goto error;
    }
    int cmp = kr_mag_cmp(KR_INT_DIGITS(twice), kr_int_ndigits(twice),
                         KR_INT_DIGITS(b), kr_int_ndigits(b));
    Py_DECREF(twice);
    bool odd = Py_SIZE(q) != 0 && (KR_INT_DIGITS(q)[0] & 1);
    if (cmp > 0 || (cmp == 0 && odd)) {
        Py_SETREF(q, kr_int_add(q, KR_SMALL_INT(1)));
        Py_SETREF(r, kr_int_sub(r, b));
        if (q == NULL || r == NULL) {
            goto error;
        }
    }
    PyObject *pair = PyTuple_New(2);
    if (pair == NULL) {
        goto error;
    }
    PyTuple_SET_ITEM(pair, 0, q);
    PyTuple_SET_ITEM(pair, 1, r);
    return pair;

error:
    Py_XDECREF(q);
    Py_XDECREF(r);
    return NULL;
}

/* --- Comparison and hash -------------------------------------------------- */

int
kr_int_compare(PyObject *a, PyObject *b)
{
    Py_ssize_t sa = Py_SIZE(a), sb = Py_SIZE(b);
    if (sa != sb) {
        return sa < sb ? -1 : 1;
    }
    Py_ssize_t n = Py_ABS(sa);
    int cmp = kr_mag_cmp(KR_INT_DIGITS(a), n, KR_INT_DIGITS(b), n);
    return sa < 0 ? -cmp : cmp;
}

PyObject *
kr_int_richcompare(PyObject *a, PyObject *b, int op)
{
    CHECK_BINOP(a, b);
    int cmp = a == b ? 0 : kr_int_compare(a, b);
    Py_RETURN_RICHCOMPARE(cmp, 0, op);
}

Py_hash_t
kr_int_hash(PyObject *v)
{
    if (kr_int_is_compact(v)) {
        int64_t x = kr_int_compact_value(v);
        return x == -1 ? -2 : x;
    }
    const digit *d = KR_INT_DIGITS(v);
    uint64_t x = 0;
    for (Py_ssize_t i = kr_int_ndigits(v); --i >= 0;) {
        /* x * 2^30 modulo 2^61 - 1 is a rotation by 30 of 61 bits */
        x = ((x << PyLong_SHIFT) & _PyHASH_MODULUS) |
            (x >> (_PyHASH_BITS - PyLong_SHIFT));
        x += d[i];
        if (x >= _PyHASH_MODULUS) {
            x -= _PyHASH_MODULUS;
        }
    }
    Py_hash_t h = Py_SIZE(v) < 0 ? -(Py_hash_t)x : (Py_hash_t)x;
    return h == -1 ? -2 : h;
}

/* --- Greatest common divisor ---------------------------------------------- */

static uint64_t
gcd64(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0) {
        return a | b;
    }
    int shift = __builtin_ctzll(a | b);
    a >>= __builtin_ctzll(a);
    while (b != 0) {
        b >>= __builtin_ctzll(b);
        if (a > b) {
            uint64_t t = a;
            a = b;
            b = t;
        }
        b -= a;
    }
    return a << shift;
}

static uint64_t
two_digits(PyObject *v)
{
    const digit *d = KR_INT_DIGITS(v);
    switch (kr_int_ndigits(v)) {
    case 0:
        return 0;
    case 1:
        return d[0];
    default:
        return (uint64_t)d[1] << PyLong_SHIFT | d[0];
    }
}

/* The top 60 bits of a, and of b at the same position. */
static void
leading_bits(PyObject *a, PyObject *b, int64_t *x, int64_t *y)
{
    Py_ssize_t n = kr_int_ndigits(a), nb = kr_int_ndigits(b);
    const digit *p = KR_INT_DIGITS(a), *q = KR_INT_DIGITS(b);
    int up = PyLong_SHIFT - kr_bit_length32(p[n - 1]);
    unsigned __int128 v = 0, w = 0;
    for (Py_ssize_t i = n - 1; i >= n - 3; i--) {
        v = v << PyLong_SHIFT | p[i];
        w = w << PyLong_SHIFT | (i < nb ? q[i] : 0);
    }
    *x = (int64_t)((v << up) >> PyLong_SHIFT);
    *y = (int64_t)((w << up) >> PyLong_SHIFT);
}

/* One Lehmer step: replaces (a, b) by (c0 a + c1 b, c2 a + c3 b). Returns new
 * ints through the pointers, consuming the old ones. */
static int
lehmer_apply(PyObject **pa, PyObject **pb, const int64_t c[4])
{
    PyObject *r[2] = {NULL, NULL};
    for (int k = 0; k < 2; k++) {
        PyObject *f = kr_int_from_i64(c[2 * k]);
        PyObject *g = kr_int_from_i64(c[2 * k + 1]);
        PyObject *u = f ? kr_int_mul(f, *pa) : NULL;
        PyObject *v = g ? kr_int_mul(g, *pb) : NULL;
        r[k] = u && v ? kr_int_add(u, v) : NULL;
        Py_XDECREF(f);
        Py_XDECREF(g);
        Py_XDECREF(u);
        Py_XDECREF(v);
        if (r[k] == NULL) {
            Py_XDECREF(r[0]);
            return -1;
        }
    }
    Py_SETREF(*pa, r[0]);
    Py_SETREF(*pb, r[1]);
    return 0;
}

/* Simulates Euclid's algorithm on the leading bits as long as the quotients
 * are certain (Lehmer). False if not even one step is. */
static bool
lehmer_steps(int64_t x, int64_t y, int64_t c[4])
{
    int64_t A = 1, B = 0, C = 0, D = 1;
    bool any = false;
    while (y + C != 0 && y + D != 0) {
        int64_t q = (x + A) / (y + C);
        if (q != (x + B) / (y + D)) {
            break;
        }
        int64_t t;
        if (__builtin_mul_overflow(q, C, &t) || llabs(t) > (1ll << 29)) {
            break;
        }
        int64_t nA = A - t;
        if (__builtin_mul_overflow(q, D, &t) || llabs(t) > (1ll << 29)) {
            break;
        }
        int64_t nB = B - t;
        A = C, B = D;
        C = nA, D = nB;
        t = x - q * y;
        x = y, y = t;
        any = true;
    }
    c[0] = A, c[1] = B, c[2] = C, c[3] = D;
    return any;
}

PyObject *
_PyLong_GCD(PyObject *aarg, PyObject *barg)
{
    PyObject *a = kr_int_abs(aarg), *b = kr_int_abs(barg);
    if (a == NULL || b == NULL) {
        goto error;
    }
    if (kr_int_compare(a, b) < 0) {
        PyObject *t = a;
        a = b;
        b = t;
    }
    /* a >= b */
    while (kr_int_ndigits(a) > 2 && Py_SIZE(b) != 0) {
        int64_t c[4], x, y;
        leading_bits(a, b, &x, &y);
        if (y != 0 && lehmer_steps(x, y, c)) {
            if (lehmer_apply(&a, &b, c) < 0) {
                goto error;
            }
            continue;
        }
        PyObject *r;
        if (kr_int_divrem(a, b, NULL, &r) < 0) {
            goto error;
        }
        Py_SETREF(a, b);
        b = r;
    }
    if (Py_SIZE(b) == 0) {
        Py_DECREF(b);
        return a;
    }
    uint64_t g = gcd64(two_digits(a), two_digits(b));
    Py_DECREF(a);
    Py_DECREF(b);
    return PyLong_FromUnsignedLongLong(g);

error:
    Py_XDECREF(a);
    Py_XDECREF(b);
    return NULL;
}
