/* Doubles to decimal digits.
 *
 * The shortest digits come from the Schubfach method (R. Giulietti): the
 * rounding interval of the double, scaled by a 128-bit power of ten, is compared
 * with multiples of 10 and of 1. Rounding to a given number of digits starts
 * from the shortest digits where that is provably the same, else it is done
 * with big integers. */
#include "base/dtoa.h"

#include "base/intmath.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 u128;

static inline int
floor_log2_pow10(int e)
{
    return (e * 1741647) >> 19;
}

static inline struct kr_pow10
pow10_rounded_up(int k)
{
    struct kr_pow10 p = kr_pow10_table[k - KR_POW10_MIN];
    if (k < 0 || k > 55) { /* the others are exact */
        p.lo++;
        p.hi += p.lo == 0;
    }
    return p;
}

/* floor(g * cp / 2^128) with the last bit set if anything was lost. */
static inline uint64_t
round_to_odd(struct kr_pow10 g, uint64_t cp)
{
    u128 x = (u128)g.lo * cp;
    u128 y = (u128)g.hi * cp + (uint64_t)(x >> 64);
    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/* d = *m * 2^*e */
static void
decompose(double d, uint64_t *m, int *e)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof(bits));
    int be = (int)(bits >> 52) & 0x7ff;
    *m = bits & (((uint64_t)1 << 52) - 1);
    if (be == 0) {
        *e = -1074;
    }
    else {
        *m |= (uint64_t)1 << 52;
        *e = be - 1075;
    }
}

/* The shortest decimal as an integer times 10^*exp10. */
static uint64_t
schubfach(double d, int *exp10)
{
    uint64_t c;
    int q;
    decompose(d, &c, &q);
    bool closer = c == (uint64_t)1 << 52 && q > -1074; /* to the number below */
    bool open = c & 1;

    int k = (q * 1262611 - (closer ? 524031 : 0)) >> 22;
    int h = q + floor_log2_pow10(-k) + 1;
    struct kr_pow10 g = pow10_rounded_up(-k);
    uint64_t cb = 4 * c;
    uint64_t lower = round_to_odd(g, (cb - 2 + closer) << h) + open;
    uint64_t vb = round_to_odd(g, cb << h);
    uint64_t upper = round_to_odd(g, (cb + 2) << h) - open;

    uint64_t s = vb / 4;
    if (s >= 10) {
        uint64_t sp = s / 10;
        bool down = lower <= 40 * sp, up = 40 * sp + 40 <= upper;
        if (down != up) {
            *exp10 = k + 1;
            return sp + up;
        }
    }
    *exp10 = k;
    bool down = lower <= 4 * s, up = 4 * s + 4 <= upper;
    if (down != up) {
        return s + up;
    }
    uint64_t mid = 4 * s + 2;
    return s + (vb > mid || (vb == mid && (s & 1)));
}

int
kr_dtoa_shortest(double d, char digits[KR_SHORTEST_MAX], int *point)
{
    int exp10;
    uint64_t x = schubfach(d, &exp10);
    while (x % 10 == 0) {
        x /= 10;
        exp10++;
    }
    char tmp[20], *p = tmp + sizeof(tmp);
    while (x) {
        *--p = (char)('0' + x % 10);
        x /= 10;
    }
    int n = (int)(tmp + sizeof(tmp) - p);
    memcpy(digits, p, n);
    *point = n + exp10;
    return n;
}

/* --- With big integers ---------------------------------------------------- */

#define BIG_DIGITS 128 /* 3840 bits: 2^1024 * 10^816, or 10^1100 and more */

/* a *= 10^n; returns the new length. */
static size_t
big_mul_pow10(kr_digit *a, size_t len, int n)
{
    while (n > 0) {
        int step = n < 9 ? n : 9;
        kr_digit f = 1;
        for (int i = 0; i < step; i++) {
            f *= 10;
        }
        kr_digit carry = kr_mag_mul1(a, a, len, f, 0);
        if (carry) {
            a[len++] = carry;
        }
        n -= step;
    }
    return len;
}

static size_t
big_shl(kr_digit *a, size_t len, int bits)
{
    int words = bits / KR_DIGIT_BITS;
    kr_digit carry = kr_mag_shl(a, a, len, bits % KR_DIGIT_BITS);
    if (carry) {
        a[len++] = carry;
    }
    if (words) {
        memmove(a + words, a, len * sizeof(kr_digit));
        memset(a, 0, words * sizeof(kr_digit));
    }
    return len + words;
}

static size_t
big_from_u64(kr_digit *a, uint64_t x)
{
    size_t n = 0;
    while (x) {
        a[n++] = (kr_digit)x & KR_DIGIT_MASK;
        x >>= KR_DIGIT_BITS;
    }
    return n;
}

/* round(d * 10^scale), ties to even, as decimal characters; their number, 0
 * for 0, -1 without memory. `out` gets at most `room` of them. */
static int
big_scaled(double d, int scale, char *out)
{
    kr_digit *mem = malloc(5 * BIG_DIGITS * sizeof(kr_digit));
    if (mem == NULL) {
        return -1;
    }
    kr_digit *num = mem, *den = num + BIG_DIGITS, *q = den + BIG_DIGITS,
             *r = q + BIG_DIGITS, *twice = r + BIG_DIGITS;
    uint64_t m;
    int e, n = -1;
    decompose(d, &m, &e);
    size_t nn = big_from_u64(num, m), nd = big_from_u64(den, 1);
    if (scale >= 0) {
        nn = big_mul_pow10(num, nn, scale);
    }
    else {
        nd = big_mul_pow10(den, nd, -scale);
    }
    if (e >= 0) {
        nn = big_shl(num, nn, e);
    }
    else {
        nd = big_shl(den, nd, -e);
    }
    size_t nq = 1, nr = nn;
    q[0] = 0;
    if (kr_mag_cmp(num, nn, den, nd) >= 0) {
        nq = nn - nd + 1;
        nr = nd;
        if (kr_mag_divrem(q, r, num, nn, den, nd) < 0) {
            goto done;
        }
    }
    else {
        memcpy(r, num, nn * sizeof(kr_digit));
    }
    nr = kr_mag_trim(r, nr);
    twice[nr] = kr_mag_shl(twice, r, nr, 1);
    int cmp = kr_mag_cmp(twice, kr_mag_trim(twice, nr + 1), den, nd);
    if (cmp > 0 || (cmp == 0 && (q[0] & 1))) {
        kr_digit one = 1;
        q[nq] = kr_mag_add(q, q, nq, &one, 1);
        nq++;
    }
    nq = kr_mag_trim(q, nq);
    if (nq == 0) {
        n = 0;
        goto done;
    }
    char text[BIG_DIGITS * 10];
    char *s = kr_mag_to_decimal(text + sizeof(text), q, nq);
    if (s != NULL) {
        n = (int)(text + sizeof(text) - s);
        memcpy(out, s, n);
    }
done:
    free(mem);
    return n;
}

static int
strip_zeros(const char *digits, int n)
{
    while (n > 0 && digits[n - 1] == '0') {
        n--;
    }
    return n;
}

/* Rounds the shortest digits of d to `want` digits (may be <= 0). Returns their
 * new number, or -2 if only the exact value can tell.
 *
 * A tie between two results has want + 1 digits. If it lay between d and the
 * shortest digits, it would itself be as short and closer to d; so both are on
 * the same side of it, unless the shortest digits are the tie. */
static int
round_shortest(double d, char *digits, int n, int want, int *point)
{
    if (want >= n) {
        /* 15 digits are coarser than normal doubles: the rest is zeros */
        return want <= DBL_DIG && d >= DBL_MIN ? n : -2;
    }
    if (want < 0) {
        return 0;
    }
    if (digits[want] == '5' && want + 1 == n) {
        return -2;
    }
    bool up = digits[want] >= '5';
    if (!up) {
        return strip_zeros(digits, want);
    }
    int i = want;
    while (i > 0 && digits[i - 1] == '9') {
        i--;
    }
    if (i == 0) {
        digits[0] = '1';
        ++*point;
        return 1;
    }
    digits[i - 1]++;
    return i;
}

int
kr_dtoa_fixed(double d, int count, char *digits, int *point)
{
    int n = kr_dtoa_shortest(d, digits, point);
    int want = count > 2000 ? 2000 : *point + count;
    int got = round_shortest(d, digits, n, want, point);
    if (got != -2) {
        return got;
    }
    /* m * 2^e has no digits behind the -e-th after the dot */
    uint64_t m;
    int e, scale = count;
    decompose(d, &m, &e);
    if (scale > 0 && scale > -e) {
        scale = e < 0 ? -e : 0;
    }
    got = big_scaled(d, scale, digits);
    if (got > 0) {
        *point = got - scale;
        got = strip_zeros(digits, got);
    }
    return got;
}

int
kr_dtoa_precision(double d, int count, char *digits, int *point)
{
    if (count < 1) {
        count = 1;
    }
    int n = kr_dtoa_shortest(d, digits, point);
    int got = round_shortest(d, digits, n, count, point);
    if (got != -2) {
        return got;
    }
    if (count > 780) { /* 767 are exact */
        count = 780;
    }
    int exp = *point;
    if (n == 1 && digits[0] == '1') {
        exp--; /* d may be just below this power of ten */
    }
    got = big_scaled(d, count - exp, digits);
    if (got > count) {
        exp++;
        got = big_scaled(d, count - exp, digits);
    }
    if (got > 0) {
        *point = got - (count - exp);
        got = strip_zeros(digits, got);
    }
    return got;
}
