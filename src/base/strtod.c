/* Decimal text to the nearest double.
 *
 * Most inputs are settled by one multiplication of exact doubles (Clinger) or by
 * a 128-bit product (Eisel and Lemire); the rest by comparing big integers. */
#include "base/dtoa.h"
#include "base/intmath.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 u128;

#define MAX_EXACT_DIGITS 800 /* more than any tie between doubles has */

static double
assemble(uint64_t mantissa, int biased)
{
    uint64_t bits =
        (mantissa & (((uint64_t)1 << 52) - 1)) | (uint64_t)biased << 52;
    double d;
    memcpy(&d, &bits, sizeof(d));
    return d;
}

double
kr_double_from_bits(uint64_t m, int64_t e, bool sticky)
{
    if (m == 0) {
        return 0.0;
    }
    int lz = __builtin_clzll(m);
    m <<= lz;
    int64_t top = e + 63 - lz; /* value = m / 2^63 * 2^top, 1 <= m / 2^63 < 2 */
    if (top > 1023) {
        return HUGE_VAL;
    }
    if (top < -1075) {
        return 0.0;
    }
    /* subnormals keep fewer bits */
    int drop = top >= -1022 ? 11 : (int)(11 - 1022 - top);
    uint64_t kept = drop == 64 ? 0 : m >> drop;
    uint64_t half = (uint64_t)1 << (drop - 1);
    uint64_t low = drop == 64 ? m : m & (2 * half - 1);
    if (low > half || (low == half && (sticky || (kept & 1)))) {
        kept++;
    }
    /* a carry into the next exponent comes out right by itself */
    uint64_t bits = top >= -1022
                        ? kept + ((uint64_t)(top + 1022) << 52)
                        : kept;
    double d;
    memcpy(&d, &bits, sizeof(d));
    return d;
}

/* w * 10^q, if 128 bits are enough to know; w != 0. */
static bool
eisel_lemire(uint64_t w, int64_t q, double *result)
{
    if (q < KR_POW10_MIN) {
        *result = 0.0;
        return true;
    }
    if (q > 308) {
        *result = HUGE_VAL;
        return true;
    }
    int lz = __builtin_clzll(w);
    w <<= lz;
    struct kr_pow10 p = kr_pow10_table[q - KR_POW10_MIN];
    if (q < 0) {
        p.lo++;
        p.hi += p.lo == 0;
    }
    u128 first = (u128)w * p.hi;
    uint64_t hi = (uint64_t)(first >> 64), lo = (uint64_t)first;
    if ((hi & 0x1ff) == 0x1ff) {
        uint64_t more = (uint64_t)(((u128)w * p.lo) >> 64);
        lo += more;
        hi += lo < more;
    }
    if (lo == UINT64_MAX && (q < -27 || q > 55)) {
        return false;
    }
    int upper = (int)(hi >> 63);
    uint64_t m = hi >> (upper + 9);
    int power2 = (int)((217706 * q) >> 16) + 63 + upper - lz + 1023;
    if (power2 <= 0) {
        if (power2 <= -63) {
            *result = 0.0;
            return true;
        }
        m >>= 1 - power2;
        m += m & 1;
        m >>= 1;
        *result = assemble(m, m >> 52 ? 1 : 0);
        return true;
    }
    if (lo <= 1 && q >= -4 && q <= 23 && (m & 3) == 1 &&
        m << (upper + 9) == hi) {
        m &= ~(uint64_t)1; /* an exact tie: to even */
    }
    m += m & 1;
    m >>= 1;
    if (m >> 53) {
        m = (uint64_t)1 << 52;
        power2++;
    }
    *result = power2 >= 0x7ff ? HUGE_VAL : assemble(m, power2);
    return true;
}

static size_t
mul_pow10(kr_digit *a, size_t len, int64_t n)
{
    for (; n > 0; n -= 9) {
        kr_digit f = 1;
        for (int64_t i = 0; i < (n < 9 ? n : 9); i++) {
            f *= 10;
        }
        kr_digit carry = kr_mag_mul1(a, a, len, f, 0);
        if (carry) {
            a[len++] = carry;
        }
    }
    return len;
}

/* Rounds a big integer times 2^e. */
static double
round_big(const kr_digit *a, size_t n, int64_t e, bool sticky)
{
    n = kr_mag_trim(a, n);
    uint64_t m = 0;
    int have = 0;
    size_t i = n;
    while (i > 0 && have + KR_DIGIT_BITS <= 64) {
        m = m << KR_DIGIT_BITS | a[--i];
        have += KR_DIGIT_BITS;
    }
    if (i > 0) { /* the top digit may be short: take as much as fits */
        int room = m ? __builtin_clzll(m) : 0;
        int take = room < KR_DIGIT_BITS ? room : KR_DIGIT_BITS;
        int left = KR_DIGIT_BITS - take;
        kr_digit d = a[--i];
        m = m << take | d >> left;
        sticky |= (d & (((kr_digit)1 << left) - 1)) != 0;
        e += left;
    }
    e += (int64_t)i * KR_DIGIT_BITS;
    sticky |= kr_mag_trim(a, i) != 0;
    return kr_double_from_bits(m, e, sticky);
}

/* The exact way; n <= MAX_EXACT_DIGITS + 1 and the value is not far out of the
 * range of doubles. */
static double
exact(const char *digits, size_t n, int64_t exp10, bool *err)
{
    size_t pow = (size_t)(exp10 < 0 ? -exp10 : exp10);
    size_t room = (n + pow) / 9 + 64;
    kr_digit *mem = malloc(4 * room * sizeof(kr_digit));
    if (mem == NULL) {
        *err = true;
        return 0.0;
    }
    kr_digit *num = mem, *den = mem + 2 * room, *q = mem + 3 * room;
    size_t nn, nd;
    double result = 0.0;
    if (kr_mag_from_decimal(num, &nn, digits, n) < 0) {
        *err = true;
    }
    else if (exp10 >= 0) {
        nn = mul_pow10(num, nn, exp10);
        result = round_big(num, nn, 0, false);
    }
    else {
        den[0] = 1;
        nd = mul_pow10(den, 1, -exp10);
        /* enough zeros below for a quotient of more than 64 bits */
        size_t shift = nd + 3 > nn ? nd + 3 - nn : 0;
        memmove(num + shift, num, nn * sizeof(kr_digit));
        memset(num, 0, shift * sizeof(kr_digit));
        nn += shift;
        kr_digit *r = malloc(nd * sizeof(kr_digit));
        if (r == NULL || kr_mag_divrem(q, r, num, nn, den, nd) < 0) {
            *err = true;
        }
        else {
            result = round_big(q, nn - nd + 1,
                               -(int64_t)shift * KR_DIGIT_BITS,
                               kr_mag_trim(r, nd) != 0);
        }
        free(r);
    }
    free(mem);
    return result;
}

double
kr_strtod_decimal(const char *digits, size_t n, int64_t exp10, bool *err)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,
                                    1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
                                    1e18, 1e19, 1e20, 1e21, 1e22};
    while (n > 0 && *digits == '0') {
        digits++;
        n--;
    }
    while (n > 0 && digits[n - 1] == '0') {
        n--;
        exp10++;
    }
    if (n == 0) {
        return 0.0;
    }
    uint64_t w = 0;
    size_t used = n < 19 ? n : 19;
    for (size_t i = 0; i < used; i++) {
        w = w * 10 + (uint64_t)(digits[i] - '0');
    }
    int64_t q = exp10 + (int64_t)(n - used);
    if (n == used) {
        if (w >> 53 == 0 && q >= -22 && q <= 22) {
            return q < 0 ? (double)w / powers[-q] : (double)w * powers[q];
        }
        double d;
        if (eisel_lemire(w, q, &d)) {
            return d;
        }
    }
    else {
        double low, high;
        if (eisel_lemire(w, q, &low) && eisel_lemire(w + 1, q, &high) &&
            low == high) {
            return low;
        }
    }
    if (n <= MAX_EXACT_DIGITS) {
        return exact(digits, n, exp10, err);
    }
    /* what follows can only break a tie: any nonzero digit says the same */
    char cut[MAX_EXACT_DIGITS + 1];
    memcpy(cut, digits, MAX_EXACT_DIGITS);
    cut[MAX_EXACT_DIGITS] = '1';
    return exact(cut, sizeof(cut),
                 exp10 + (int64_t)(n - MAX_EXACT_DIGITS - 1), err);
}

static inline bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digits of s[0 .. len) except a dot, in memory to be freed. */
static char *
without_dot(const char *s, size_t len, size_t dot)
{
    char *copy = malloc(len);
    if (copy != NULL) {
        memcpy(copy, s, dot);
        memcpy(copy + dot, s + dot + 1, len - dot - 1);
    }
    return copy;
}

double
kr_strtod(const char *s, const char **end, bool *err)
{
    const char *p = s;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+') {
        p++;
    }
    const char *start = p;
    while (is_digit(*p)) {
        p++;
    }
    size_t whole = (size_t)(p - start), fraction = 0;
    bool dot = *p == '.';
    if (dot) {
        p++;
        while (is_digit(*p)) {
            p++;
        }
        fraction = (size_t)(p - start) - whole - 1;
    }
    *end = s;
    if (whole + fraction == 0) {
        return 0.0;
    }
    *end = p;
    int64_t exp = 0;
    if (*p == 'e' || *p == 'E') {
        p++;
        bool minus = *p == '-';
        if (*p == '-' || *p == '+') {
            p++;
        }
        if (is_digit(*p)) {
            for (; is_digit(*p); p++) {
                if (exp < INT64_MAX / 100) {
                    exp = exp * 10 + (*p - '0');
                }
            }
            *end = p;
            exp = minus ? -exp : exp;
        }
    }
    const char *digits = start;
    char small[64], *heap = NULL;
    if (dot && fraction > 0) {
        size_t len = whole + 1 + fraction;
        if (len <= sizeof(small)) {
            memcpy(small, start, whole);
            memcpy(small + whole, start + whole + 1, fraction);
            digits = small;
        }
        else {
            digits = heap = without_dot(start, len, whole);
            if (heap == NULL) {
                *err = true;
                return 0.0;
            }
        }
    }
    double d = kr_strtod_decimal(digits, whole + fraction,
                                 exp - (int64_t)fraction, err);
    free(heap);
    return negative ? -d : d;
}
