/* Magnitude arithmetic: addition, multiplication, shifts.
 *
 * Long products are computed on limbs of 60 bits (two digits packed), where
 * the processor's 64x64 multiplication does four digit products at once:
 * schoolbook, then Karatsuba, then a number-theoretic transform. */
#include "base/intmath.h"

#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 u128;
typedef uint64_t limb;

#define LIMB_BITS 60
#define LIMB_MASK (((limb)1 << LIMB_BITS) - 1)

/* Tuning points, in limbs except where said. */
#define SMALL_DIGITS 6     /* below: multiply digit by digit */
#define KARATSUBA_LIMBS 28 /* from here on: Karatsuba */
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

kr_digit
kr_mag_add(kr_digit *dst, const kr_digit *a, size_t na, const kr_digit *b,
           size_t nb)
{
    kr_digit carry = 0;
    size_t i = 0;
    for (; i < nb; i++) {
        carry += a[i] + b[i];
        dst[i] = carry & KR_DIGIT_MASK;
        carry >>= KR_DIGIT_BITS;
    }
    for (; i < na; i++) {
        carry += a[i];
        dst[i] = carry & KR_DIGIT_MASK;
        carry >>= KR_DIGIT_BITS;
    }
    return carry;
}

kr_digit
kr_mag_sub(kr_digit *dst, const kr_digit *a, size_t na, const kr_digit *b,
           size_t nb)
{
    kr_digit borrow = 0;
    size_t i = 0;
    for (; i < nb; i++) {
        borrow = a[i] - b[i] - borrow;
        dst[i] = borrow & KR_DIGIT_MASK;
        borrow = (borrow >> KR_DIGIT_BITS) & 1;
    }
    for (; i < na; i++) {
        borrow = a[i] - borrow;
        dst[i] = borrow & KR_DIGIT_MASK;
        borrow = (borrow >> KR_DIGIT_BITS) & 1;
    }
    return borrow;
}

kr_digit
kr_mag_mul1(kr_digit *dst, const kr_digit *a, size_t n, kr_digit f,
            kr_digit add)
{
    uint64_t carry = add;
    for (size_t i = 0; i < n; i++) {
        carry += (uint64_t)a[i] * f;
        dst[i] = (kr_digit)carry & KR_DIGIT_MASK;
        carry >>= KR_DIGIT_BITS;
    }
    return (kr_digit)carry;
}

kr_digit
kr_mag_shl(kr_digit *dst, const kr_digit *a, size_t n, int bits)
{
    kr_digit carry = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t x = (uint64_t)a[i] << bits | carry;
        dst[i] = (kr_digit)x & KR_DIGIT_MASK;
        carry = (kr_digit)(x >> KR_DIGIT_BITS);
    }
    return carry;
}

kr_digit
kr_mag_shr(kr_digit *dst, const kr_digit *a, size_t n, int bits)
{
    kr_digit mask = ((kr_digit)1 << bits) - 1;
    kr_digit low = 0;
    for (size_t i = n; i-- > 0;) {
        uint64_t x = (uint64_t)low << KR_DIGIT_BITS | a[i];
        low = a[i] & mask;
        dst[i] = (kr_digit)(x >> bits) & KR_DIGIT_MASK;
    }
    return low;
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

static void
limbs_mul_school(limb *r, const limb *a, size_t na, const limb *b, size_t nb)
{
    memset(r, 0, na * sizeof(limb));
    for (size_t j = 0; j < nb; j++) {
        limb f = b[j], carry = 0;
        limb *p = r + j;
        for (size_t i = 0; i < na; i++) {
            u128 t = (u128)a[i] * f + p[i] + carry;
            p[i] = (limb)t & LIMB_MASK;
            carry = (limb)(t >> LIMB_BITS);
        }
        p[na] = carry;
    }
}

/* dst[h + 1] = low + high, where high may be one limb shorter. */
static void
limbs_sum_halves(limb *dst, const limb *a, size_t h, size_t n)
{
    memcpy(dst, a, h * sizeof(limb));
    dst[h] = limbs_add_to(dst, h, a + h, n - h);
}

/* r[2n] = a[n] * b[n]; `tmp` has room for 4 * (n + 32) limbs. */
static void
limbs_karatsuba(limb *r, const limb *a, const limb *b, size_t n, limb *tmp)
{
    if (n < KARATSUBA_LIMBS) {
        limbs_mul_school(r, a, n, b, n);
        return;
    }
    size_t h = (n + 1) / 2, l = n - h;
    limb *mid = tmp;              /* 2h + 2 limbs */
    limb *rest = tmp + 2 * h + 2; /* for the calls */
    /* the sums live in r until the middle product is there */
    limbs_sum_halves(r, a, h, n);
    limbs_sum_halves(r + h + 1, b, h, n);
    limbs_karatsuba(mid, r, r + h + 1, h + 1, rest);
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
 * 2 * nb limbs. */
static void
limbs_mul(limb *r, const limb *a, size_t na, const limb *b, size_t nb,
          limb *tmp)
{
    if (nb < KARATSUBA_LIMBS) {
        limbs_mul_school(r, a, na, b, nb);
        return;
    }
    if (na == nb) {
        limbs_karatsuba(r, a, b, na, tmp);
        return;
    }
    /* blocks of a as long as b */
    limb *block = tmp;
    tmp += 2 * nb;
    memset(r, 0, (na + nb) * sizeof(limb));
    size_t i = 0;
    for (; i + nb <= na; i += nb) {
        limbs_karatsuba(block, a + i, b, nb, tmp);
        limbs_add_to(r + i, na + nb - i, block, 2 * nb);
    }
    size_t left = na - i;
    if (left > 0) {
        limbs_mul(block, b, nb, a + i, left, tmp);
        limbs_add_to(r + i, na + nb - i, block, nb + left);
    }
}

/* --- Multiplication ------------------------------------------------------- */

static void
mul_small(kr_digit *dst, const kr_digit *a, size_t na, const kr_digit *b,
          size_t nb)
{
    memset(dst, 0, na * sizeof(kr_digit));
    for (size_t j = 0; j < nb; j++) {
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
    pack(pb, b, nb);
    limbs_mul(pr, pa, la, pb, lb, tmp);
    unpack(dst, na + nb, pr);
    if (mem != stack) {
        free(mem);
    }
    return 0;
}
