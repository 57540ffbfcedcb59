/* Magnitude arithmetic: addition, multiplication, shifts.
 *
 * Long products are computed on limbs of 60 bits (two digits packed), where
 * the processor's 64x64 multiplication does four digit products at once:
 * schoolbook, then Karatsuba, then a number-theoretic transform. */
#include "base/intmath.h"

#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

typedef unsigned __int128 u128;
typedef uint64_t limb;

#define LIMB_BITS 60
#define LIMB_MASK (((limb)1 << LIMB_BITS) - 1)

/* Tuning points, in limbs except where said. */
#define SMALL_DIGITS 6     /* below: multiply digit by digit */
#define KARATSUBA_LIMBS 48 /* from here on: Karatsuba */
#define NTT_DIGITS 5000    /* from here on (shorter operand): transform */
#define STACK_LIMBS 256

int
kr_mag_cmp(const kr_digit *a, size_t na, const kr_digit *b, size_t nb)
{
    if (na != nb) {
        return na < nb ? -1 : 1;
    }
    for (size_t i = na; i-- > 0;) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return 0;
}

/* --- Digits in pairs ------------------------------------------------------
 *
 * Two digits lie in 64 bits with two unused bits above each. With those set in
 * one summand, a carry out of the low digit runs through them into the high
 * one, and one out of that is the carry of the whole addition; a borrow runs
 * through clear bits. (The low half must come first in memory.) */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PAIRS 1
#else
#define PAIRS 0
#endif
#define PAIR_MASK 0x3fffffff3fffffffu
#define PAIR_SPARE (~PAIR_MASK)

static inline uint64_t
load_pair(const kr_digit *a)
{
    uint64_t x;
    memcpy(&x, a, sizeof(x));
    return x;
}

/* Four at once: between the additions that made them nothing should touch the
 * processor's carry. */
static inline void
store_pairs(kr_digit *dst, const uint64_t x[4])
{
#pragma GCC unroll 4
    for (size_t k = 0; k < 4; k++) {
        uint64_t y = x[k] & PAIR_MASK;
        memcpy(dst + 2 * k, &y, sizeof(y));
    }
}

/* a + b + *carry, where *carry is 0 or 1 and becomes the carry out. */
static inline uint64_t
add_carry(uint64_t a, uint64_t b, unsigned long long *carry)
{
#if defined(__clang__)
    return __builtin_addcll(a, b, *carry, carry);
#else
    uint64_t x;
    unsigned c = __builtin_add_overflow(a, b, &x);
    c |= __builtin_add_overflow(x, (uint64_t)*carry, &x);
    *carry = c;
    return x;
#endif
}

static inline uint64_t
sub_borrow(uint64_t a, uint64_t b, unsigned long long *borrow)
{
#if defined(__clang__)
    return __builtin_subcll(a, b, *borrow, borrow);
#else
    uint64_t x;
    unsigned c = __builtin_sub_overflow(a, b, &x);
    c |= __builtin_sub_overflow(x, (uint64_t)*borrow, &x);
    *borrow = c;
    return x;
#endif
}

kr_digit
kr_mag_add(kr_digit *dst, const kr_digit *a, size_t na, const kr_digit *b,
           size_t nb)
{
    unsigned long long pair_carry = 0;
    size_t i = 0;
    for (; PAIRS && i + 8 <= nb; i += 8) {
        uint64_t x[4];
#pragma GCC unroll 4
        for (size_t k = 0; k < 4; k++) {
            x[k] = add_carry(load_pair(a + i + 2 * k) | PAIR_SPARE,
                             load_pair(b + i + 2 * k), &pair_carry);
        }
        store_pairs(dst + i, x);
    }
    kr_digit carry = (kr_digit)pair_carry;
    for (; i < nb; i++) {
        carry += a[i] + b[i];
        dst[i] = carry & KR_DIGIT_MASK;
        carry >>= KR_DIGIT_BITS;
    }
    for (; carry && i < na; i++) {
        carry += a[i];
        dst[i] = carry & KR_DIGIT_MASK;
        carry >>= KR_DIGIT_BITS;
    }
    if (dst != a) {
        memcpy(dst + i, a + i, (na - i) * sizeof(kr_digit));
    }
    return carry;
}

kr_digit
kr_mag_sub(kr_digit *dst, const kr_digit *a, size_t na, const kr_digit *b,
           size_t nb)
{
    unsigned long long pair_borrow = 0;
    size_t i = 0;
    for (; PAIRS && i + 8 <= nb; i += 8) {
        uint64_t x[4];
#pragma GCC unroll 4
        for (size_t k = 0; k < 4; k++) {
            x[k] = sub_borrow(load_pair(a + i + 2 * k),
                              load_pair(b + i + 2 * k), &pair_borrow);
        }
        store_pairs(dst + i, x);
    }
    kr_digit borrow = (kr_digit)pair_borrow;
    for (; i < nb; i++) {
        borrow = a[i] - b[i] - borrow;
        dst[i] = borrow & KR_DIGIT_MASK;
        borrow = (borrow >> KR_DIGIT_BITS) & 1;
    }
    for (; borrow && i < na; i++) {
        borrow = a[i] - borrow;
        dst[i] = borrow & KR_DIGIT_MASK;
        borrow = (borrow >> KR_DIGIT_BITS) & 1;
    }
    if (dst != a) {
        memcpy(dst + i, a + i, (na - i) * sizeof(kr_digit));
    }
    return borrow;
}

#if defined(__SSE2__)
/* The products of a[4] with the factor, carries not yet done: their low halves
 * and, each one place higher, their high halves, both below 2^30. *last keeps
 * the high halves of odd digits for the next call. */
static inline void
mul1_four(const kr_digit *a, __m128i factor, __m128i *last, __m128i *low,
          __m128i *high)
{
    const __m128i mask = _mm_set1_epi64x(KR_DIGIT_MASK);
    __m128i v = _mm_loadu_si128((const __m128i *)a);
    __m128i even = _mm_mul_epu32(v, factor);
    __m128i odd = _mm_mul_epu32(_mm_srli_epi64(v, 32), factor);
    *low = _mm_or_si128(_mm_and_si128(even, mask), _mm_slli_epi64(odd, 32));
    __m128i up = _mm_srli_epi64(odd, KR_DIGIT_BITS);
    __m128i shifted = _mm_castpd_si128(_mm_shuffle_pd(
        _mm_castsi128_pd(*last), _mm_castsi128_pd(up), 1));
    *last = up;
    even = _mm_slli_epi64(_mm_srli_epi64(even, KR_DIGIT_BITS), 32);
    *high = _mm_or_si128(shifted, even);
}

static inline uint64_t
half(__m128i v, int which)
{
    return (uint64_t)_mm_cvtsi128_si64(which ? _mm_unpackhi_epi64(v, v) : v);
}

/* The part of kr_mag_mul1 that goes in steps of 8 digits; returns how many it
 * did. *add is the carry in and out. */
static size_t
mul1_by_eights(kr_digit *dst, const kr_digit *a, size_t n, kr_digit f,
               kr_digit *add)
{
    const __m128i spare = _mm_set1_epi64x((long long)PAIR_SPARE);
    const __m128i factor = _mm_set1_epi64x(f);
    __m128i last = _mm_slli_si128(_mm_cvtsi32_si128((int)*add), 8);
    unsigned long long carry = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m128i low0, low1, high0, high1;
        mul1_four(a + i, factor, &last, &low0, &high0);
        mul1_four(a + i + 4, factor, &last, &low1, &high1);
        low0 = _mm_or_si128(low0, spare);
        low1 = _mm_or_si128(low1, spare);
        uint64_t x[4];
        x[0] = add_carry(half(low0, 0), half(high0, 0), &carry);
        x[1] = add_carry(half(low0, 1), half(high0, 1), &carry);
        x[2] = add_carry(half(low1, 0), half(high1, 0), &carry);
        x[3] = add_carry(half(low1, 1), half(high1, 1), &carry);
        store_pairs(dst + i, x);
    }
    *add = (kr_digit)(half(last, 1) + carry);
    return i;
}
#endif

kr_digit
kr_mag_mul1(kr_digit *dst, const kr_digit *a, size_t n, kr_digit f,
            kr_digit add)
{
    size_t i = 0;
#if defined(__SSE2__)
    i = mul1_by_eights(dst, a, n, f, &add);
#endif
    uint64_t carry = add;
    for (; i < n; i++) {
        carry += (uint64_t)a[i] * f;
        dst[i] = (kr_digit)carry & KR_DIGIT_MASK;
        carry >>= KR_DIGIT_BITS;
    }
    return (kr_digit)carry;
}

kr_digit
kr_mag_shl(kr_digit *dst, const kr_digit *a, size_t n, int bits)
{
    if (n == 0) {
        return 0;
    }
    int rest = KR_DIGIT_BITS - bits;
    kr_digit out = a[n - 1] >> rest;
    for (size_t i = n - 1; i > 0; i--) {
        dst[i] = ((a[i] << bits) & KR_DIGIT_MASK) | a[i - 1] >> rest;
    }
    dst[0] = (a[0] << bits) & KR_DIGIT_MASK;
    return out;
}

kr_digit
kr_mag_shr(kr_digit *dst, const kr_digit *a, size_t n, int bits)
{
    if (n == 0) {
        return 0;
    }
    int rest = KR_DIGIT_BITS - bits;
    kr_digit lost = a[0] & (((kr_digit)1 << bits) - 1);
    for (size_t i = 0; i + 1 < n; i++) {
        dst[i] = ((a[i + 1] << rest) & KR_DIGIT_MASK) | a[i] >> bits;
    }
    dst[n - 1] = a[n - 1] >> bits;
    return lost;
}

/* --- Limbs ---------------------------------------------------------------- */

static void
pack(limb *dst, const kr_digit *a, size_t n)
{
    size_t i = 0;
    for (; i + 1 < n; i += 2) {
        *dst++ = (limb)a[i + 1] << KR_DIGIT_BITS | a[i];
    }
    if (i < n) {
        *dst = a[i];
    }
}

static void
unpack(kr_digit *dst, size_t n, const limb *a)
{
    size_t i = 0;
    for (; i + 1 < n; i += 2, a++) {
        dst[i] = (kr_digit)*a & KR_DIGIT_MASK;
        dst[i + 1] = (kr_digit)(*a >> KR_DIGIT_BITS);
    }
    if (i < n) {
        dst[i] = (kr_digit)*a & KR_DIGIT_MASK;
    }
}

/* r[na] += b, na >= nb; returns the carry. */
static limb
limbs_add_to(limb *r, size_t na, const limb *b, size_t nb)
{
    limb carry = 0;
    size_t i = 0;
    for (; i < nb; i++) {
        carry += r[i] + b[i];
        r[i] = carry & LIMB_MASK;
        carry >>= LIMB_BITS;
    }
    for (; carry && i < na; i++) {
        carry += r[i];
        r[i] = carry & LIMB_MASK;
        carry >>= LIMB_BITS;
    }
    return carry;
}

/* r[na] -= b, na >= nb, where the result is known not to be negative. */
static void
limbs_sub_from(limb *r, size_t na, const limb *b, size_t nb)
{
    limb borrow = 0;
    size_t i = 0;
    for (; i < nb; i++) {
        borrow = r[i] - b[i] - borrow;
        r[i] = borrow & LIMB_MASK;
        borrow = borrow >> 63;
    }
    for (; borrow && i < na; i++) {
        borrow = r[i] - borrow;
        r[i] = borrow & LIMB_MASK;
        borrow = borrow >> 63;
    }
}

/* Column by column: up to 256 products of limbs fit the accumulator. */
static void
limbs_mul_school(limb *r, const limb *a, size_t na, const limb *b, size_t nb)
{
    u128 column = 0;
    for (size_t k = 0; k < na + nb - 1; k++) {
        size_t i = k < nb ? 0 : k - nb + 1, end = k < na ? k + 1 : na;
        for (; i < end; i++) {
            column += (u128)a[i] * b[k - i];
        }
        r[k] = (limb)column & LIMB_MASK;
        column >>= LIMB_BITS;
    }
    r[na + nb - 1] = (limb)column;
}

/* r[2n] = a[n]^2: products of different limbs occur twice. */
static void
limbs_square_school(limb *r, const limb *a, size_t n)
{
    u128 carry = 0;
    for (size_t k = 0; k < 2 * n - 1; k++) {
        u128 column = 0;
        size_t i = k < n ? 0 : k - n + 1;
        for (; i < k - i; i++) {
            column += (u128)a[i] * a[k - i];
        }
        column = 2 * column + carry;
        if (i == k - i) {
            column += (u128)a[i] * a[i];
        }
        r[k] = (limb)column & LIMB_MASK;
        carry = column >> LIMB_BITS;
    }
    r[2 * n - 1] = (limb)carry;
}

/* dst[h + 1] = low + high, where high may be one limb shorter. */
static void
limbs_sum_halves(limb *dst, const limb *a, size_t h, size_t n)
{
    memcpy(dst, a, h * sizeof(limb));
    dst[h] = limbs_add_to(dst, h, a + h, n - h);
}

/* r[2n] = a[n] * b[n]; `tmp` has room for 4 * (n + 32) limbs. Squares, which
 * are cheaper, are known by a == b. */
static void
limbs_karatsuba(limb *r, const limb *a, const limb *b, size_t n, limb *tmp)
{
    if (n < KARATSUBA_LIMBS) {
        if (a == b) {
            limbs_square_school(r, a, n);
        }
        else {
            limbs_mul_school(r, a, n, b, n);
        }
        return;
    }
    size_t h = (n + 1) / 2, l = n - h;
    limb *mid = tmp;              /* 2h + 2 limbs */
    limb *rest = tmp + 2 * h + 2; /* for the calls */
    /* the sums live in r until the middle product is there */
    limb *sum_b = a == b ? r : r + h + 1;
    limbs_sum_halves(r, a, h, n);
    if (a != b) {
        limbs_sum_halves(sum_b, b, h, n);
    }
    limbs_karatsuba(mid, r, sum_b, h + 1, rest);
    limbs_karatsuba(r, a, b, h, rest);
    limbs_karatsuba(r + 2 * h, a + h, b + h, l, rest);
    limbs_sub_from(mid, 2 * h + 2, r, 2 * h);
    limbs_sub_from(mid, 2 * h + 2, r + 2 * h, 2 * l);
    size_t nm = 2 * h + 2;
    while (nm > 0 && mid[nm - 1] == 0) {
        nm--;
    }
    limbs_add_to(r + h, 2 * n - h, mid, nm);
}

/* r[na + nb] = a * b, na >= nb; `tmp` as limbs_karatsuba wants it for nb, plus
 * 2 * nb limbs. 0, or -1 to stop. */
static int
limbs_mul(limb *r, const limb *a, size_t na, const limb *b, size_t nb,
          limb *tmp)
{
    if (na == nb) {
        limbs_karatsuba(r, a, b, na, tmp);
        return 0;
    }
    if (nb < KARATSUBA_LIMBS) {
        limbs_mul_school(r, a, na, b, nb);
        return 0;
    }
    /* blocks of a as long as b */
    limb *block = tmp;
    tmp += 2 * nb;
    memset(r, 0, (na + nb) * sizeof(limb));
    size_t i = 0;
    for (; i + nb <= na; i += nb) {
        if (kr_mag_poll() < 0) {
            return -1;
        }
        limbs_karatsuba(block, a + i, b, nb, tmp);
        limbs_add_to(r + i, na + nb - i, block, 2 * nb);
    }
    size_t left = na - i;
    if (left > 0) {
        if (limbs_mul(block, b, nb, a + i, left, tmp) < 0) {
            return -1;
        }
        limbs_add_to(r + i, na + nb - i, block, nb + left);
    }
    return 0;
}

/* --- Multiplication ------------------------------------------------------- */

static void
mul_small(kr_digit *dst, const kr_digit *a, size_t na, const kr_digit *b,
          size_t nb)
{
    dst[na] = kr_mag_mul1(dst, a, na, b[0], 0);
    for (size_t j = 1; j < nb; j++) {
        uint64_t f = b[j], carry = 0;
        kr_digit *p = dst + j;
        for (size_t i = 0; i < na; i++) {
            carry += p[i] + a[i] * f;
            p[i] = (kr_digit)carry & KR_DIGIT_MASK;
            carry >>= KR_DIGIT_BITS;
        }
        p[na] = (kr_digit)carry;
    }
}

/* Scratch of limbs_mul for a shorter operand of n limbs: each level of
 * recursion takes 2h + 2, and the blocks of unbalanced operands 2n a level. */
static size_t
mul_scratch(size_t n)
{
    return 10 * n + 1024;
}

int
kr_mag_mul(kr_digit *dst, const kr_digit *a, size_t na, const kr_digit *b,
           size_t nb)
{
    if (na < nb) {
        const kr_digit *t = a;
        size_t nt = na;
        a = b, na = nb;
        b = t, nb = nt;
    }
    if (na >= KR_POLL_DIGITS && kr_mag_poll() < 0) {
        return -1;
    }
    if (nb < SMALL_DIGITS) {
        mul_small(dst, a, na, b, nb);
        return 0;
    }
    if (nb >= NTT_DIGITS) {
        return kr_mag_mul_ntt(dst, a, na, b, nb);
    }
    limb stack[STACK_LIMBS];
    limb *mem = stack;
    size_t la = (na + 1) / 2, lb = (nb + 1) / 2;
    size_t need = 2 * (la + lb);
    if (lb >= KARATSUBA_LIMBS) {
        need += mul_scratch(lb);
    }
    if (need > STACK_LIMBS) {
        mem = malloc(need * sizeof(limb));
        if (mem == NULL) {
            return -1;
        }
    }
    limb *pa = mem, *pb = pa + la, *pr = pb + lb, *tmp = pr + la + lb;
    pack(pa, a, na);
    if (a == b && na == nb) {
        pb = pa;
    }
    else {
        pack(pb, b, nb);
    }
    int err = limbs_mul(pr, pa, la, pb, lb, tmp);
    if (err == 0) {
        unpack(dst, na + nb, pr);
    }
    if (mem != stack) {
        free(mem);
    }
    return err;
}
