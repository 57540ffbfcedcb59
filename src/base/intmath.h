/* Arithmetic on magnitudes: arrays of 30-bit digits, least significant first.
 *
 * "mag" arguments are (pointer, count). Inputs may have leading zeros unless
 * said otherwise. Destinations must not overlap inputs unless said otherwise.
 * Functions returning int give 0, or -1 when scratch memory ran out or
 * kr_mag_poll said to stop. */
#ifndef KR_BASE_INTMATH_H
#define KR_BASE_INTMATH_H

#include "base/common.h"

typedef uint32_t kr_digit;

#define KR_DIGIT_BITS 30
#define KR_DIGIT_MASK ((kr_digit)0x3fffffff)

/* Count without leading zeros. */
static inline size_t
kr_mag_trim(const kr_digit *a, size_t n)
{
    while (n > 0 && a[n - 1] == 0) {
        n--;
    }
    return n;
}

/* Called now and then by what takes long (objects/int implements it): 0, or -1
 * with an exception set if a signal came whose handler raised it. */
int kr_mag_poll(void);

#define KR_POLL_DIGITS 200      /* operands this long ask once */
#define KR_POLL_STEPS (1 << 16) /* steps of an inner loop between questions */

/* Number of bits of x; 0 for 0. */
static inline int
kr_bit_length32(uint32_t x)
{
    return x ? 32 - __builtin_clz(x) : 0;
}

static inline int
kr_bit_length64(uint64_t x)
{
    return x ? 64 - __builtin_clzll(x) : 0;
}

/* <0, 0, >0; both without leading zeros. */
int kr_mag_cmp(const kr_digit *a, size_t na, const kr_digit *b, size_t nb);

/* dst[na] = a + b for na >= nb; returns the carry. dst may be a or b. */
kr_digit kr_mag_add(kr_digit *dst, const kr_digit *a, size_t na,
                    const kr_digit *b, size_t nb);

/* dst[na] = a - b for a >= b, na >= nb; returns the borrow (0 if a >= b).
 * dst may be a or b. */
kr_digit kr_mag_sub(kr_digit *dst, const kr_digit *a, size_t na,
                    const kr_digit *b, size_t nb);

/* dst[na + nb] = a * b; na and nb >= 1. */
int kr_mag_mul(kr_digit *dst, const kr_digit *a, size_t na, const kr_digit *b,
               size_t nb);

/* dst[n] = a * f + add; returns the carry. dst may be a. */
kr_digit kr_mag_mul1(kr_digit *dst, const kr_digit *a, size_t n, kr_digit f,
                     kr_digit add);

/* q[n] = a / d, returns the remainder; q may be a, or NULL. */
kr_digit kr_mag_divrem1(kr_digit *q, const kr_digit *a, size_t n, kr_digit d);

/* q[na - nb + 1], r[nb]: quotient and remainder; na >= nb >= 1, b's top digit
 * not 0. q or r may be NULL. */
int kr_mag_divrem(kr_digit *q, kr_digit *r, const kr_digit *a, size_t na,
                  const kr_digit *b, size_t nb);

/* dst[n] = a << bits for 0 <= bits < 30; returns what fell out. dst may be a. */
kr_digit kr_mag_shl(kr_digit *dst, const kr_digit *a, size_t n, int bits);

/* dst[n] = a >> bits for 0 <= bits < 30; returns the lost bits (low ones). dst
 * may be a. */
kr_digit kr_mag_shr(kr_digit *dst, const kr_digit *a, size_t n, int bits);

/* Writes the decimal digits of a (without leading zeros, n >= 1) so that they
 * end at `end`; returns where they begin, NULL for the -1 of others. There must
 * be room for n * 10 characters. */
char *kr_mag_to_decimal(char *end, const kr_digit *a, size_t n);

/* dst[(len * 10) / 90 + 2 ...]: value of `len` ASCII decimal digits; *n is set
 * to the digits used (without leading zeros). kr_mag_decimal_room(len) digits
 * must be there. */
int kr_mag_from_decimal(kr_digit *dst, size_t *n, const char *s, size_t len);

static inline size_t
kr_mag_decimal_room(size_t len)
{
    return len / 9 + 2;
}

/* One step of multiplication for long operands (intmath_ntt.c): like
 * kr_mag_mul, worthwhile from some thousand digits on. */
int kr_mag_mul_ntt(kr_digit *dst, const kr_digit *a, size_t na,
                   const kr_digit *b, size_t nb);

#endif
