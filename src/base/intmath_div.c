/* Division of magnitudes: one digit, schoolbook (Knuth's algorithm D), and
 * recursive (Burnikel and Ziegler) for long divisors. */
#include "base/intmath.h"

#include <stdlib.h>
#include <string.h>

#define RECURSIVE_DIGITS 120 /* divisors this long are divided recursively */

kr_digit
kr_mag_divrem1(kr_digit *q, const kr_digit *a, size_t n, kr_digit d)
{
    uint64_t rem = 0;
    for (size_t i = n; i-- > 0;) {
        rem = rem << KR_DIGIT_BITS | a[i];
        kr_digit hi = (kr_digit)(rem / d);
        if (q) {
            q[i] = hi;
        }
        rem -= (uint64_t)hi * d;
    }
    return (kr_digit)rem;
}

/* --- Schoolbook -----------------------------------------------------------
 *
 * On limbs of 60 bits (two digits): a quarter of the steps. */

typedef unsigned __int128 u128;
typedef uint64_t limb;

#define LIMB_BITS 60
#define LIMB_MASK (((limb)1 << LIMB_BITS) - 1)
#define STACK_LIMBS 128

/* n / d, where the quotient is known to fit 64 bits. */
static inline limb
divide_u128(u128 n, limb d, limb *rem)
{
#if defined(__x86_64__)
    limb q;
    __asm__("divq %4"
            : "=a"(q), "=d"(*rem)
            : "0"((limb)n), "1"((limb)(n >> 64)), "r"(d)
            : "cc");
    return q;
#else
    *rem = (limb)(n % d);
    return (limb)(n / d);
#endif
}

/* dst[n] = a << shift for 0 <= shift < 60; there is room for all of it. */
static void
pack_shifted(limb *dst, size_t n, const kr_digit *a, size_t na, int shift)
{
    limb carry = 0;
    size_t i = 0, j = 0;
    if (shift >= KR_DIGIT_BITS) {
        shift -= KR_DIGIT_BITS;
        limb x = (limb)a[i++] << KR_DIGIT_BITS;
        dst[j++] = (x << shift) & LIMB_MASK;
        carry = x >> (LIMB_BITS - shift);
    }
    for (; i + 1 < na; i += 2, j++) {
        limb x = (limb)a[i + 1] << KR_DIGIT_BITS | a[i];
        dst[j] = ((x << shift) & LIMB_MASK) | carry;
        carry = x >> (LIMB_BITS - shift);
    }
    if (i < na) {
        dst[j++] = (((limb)a[i] << shift) & LIMB_MASK) | carry;
        carry = (limb)a[i] >> (LIMB_BITS - shift);
    }
    for (; j < n; j++) {
        dst[j] = carry;
        carry = 0;
    }
}

/* dst[n] = a[(n + 1) / 2] >> shift for 0 <= shift < 60. */
static void
unpack_shifted(kr_digit *dst, size_t n, const limb *a, int shift)
{
    size_t last = (n + 1) / 2 - 1, i = 0, j = 0;
    if (shift >= KR_DIGIT_BITS) {
        shift -= KR_DIGIT_BITS;
        limb next = j < last ? a[j + 1] : 0;
        limb x = a[j] >> shift | next << (LIMB_BITS - shift);
        dst[i++] = (kr_digit)(x >> KR_DIGIT_BITS) & KR_DIGIT_MASK;
        j++;
    }
    for (; i < n; j++) {
        limb next = j < last ? a[j + 1] : 0;
        limb x = a[j] >> shift | next << (LIMB_BITS - shift);
        dst[i++] = (kr_digit)x & KR_DIGIT_MASK;
        if (i < n) {
            dst[i++] = (kr_digit)(x >> KR_DIGIT_BITS) & KR_DIGIT_MASK;
        }
    }
}

/* v[nw] -= qhat * w[nw]; returns what is to be added to the next limb, <= 0. */
static inline int64_t
submul(limb *v, const limb *w, size_t nw, limb qhat)
{
    int64_t carry = 0;
    limb high = 0;
    for (size_t i = 0; i < nw; i++) {
        u128 p = (u128)qhat * w[i];
        int64_t z = (int64_t)(v[i] - ((limb)p & LIMB_MASK) - high) + carry;
        high = (limb)(p >> LIMB_BITS);
        v[i] = (limb)z & LIMB_MASK;
        carry = z >> LIMB_BITS;
    }
    return carry - (int64_t)high;
}

static void
add_back(limb *v, const limb *w, size_t nw)
{
    limb carry = 0;
    for (size_t i = 0; i < nw; i++) {
        carry += v[i] + w[i];
        v[i] = carry & LIMB_MASK;
        carry >>= LIMB_BITS;
    }
}

/* Divides v[nv] by w[nw] in place (algorithm D): w has its top bit set, v's top
 * limb is below w's top one. The remainder stays in v[0 .. nw), the quotient's
 * limbs take the places above. 0, or -1 to stop. */
static int
divide_limbs(limb *v, size_t nv, const limb *w, size_t nw)
{
    limb w1 = w[nw - 1], r;
    if (nw == 1) {
        for (size_t k = nv - 1; k-- > 0;) {
            u128 num = (u128)v[k + 1] << LIMB_BITS | v[k];
            v[k + 1] = divide_u128(num, w1, &r);
            v[k] = r;
        }
        return 0;
    }
    size_t done = 0;
    limb w2 = w[nw - 2];
    for (size_t k = nv - nw; k-- > 0;) {
        limb *vk = v + k, top = vk[nw];
        u128 num = (u128)top << LIMB_BITS | vk[nw - 1];
        limb qhat = divide_u128(num, w1, &r);
        while (qhat > LIMB_MASK || (u128)qhat * w2
               > ((u128)r << LIMB_BITS | vk[nw - 2])) {
            qhat--;
            r += w1;
            if (r > LIMB_MASK) {
                break;
            }
        }
        if ((int64_t)top + submul(vk, w, nw, qhat) < 0) {
            add_back(vk, w, nw); /* was one too much */
            qhat--;
        }
        vk[nw] = qhat;
        done += nw;
        if (done >= KR_POLL_STEPS) {
            done = 0;
            if (kr_mag_poll() < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* kr_mag_divrem for nb >= 2, in time na * nb. */
static int
schoolbook(kr_digit *q, kr_digit *r, const kr_digit *a, size_t na,
           const kr_digit *b, size_t nb)
{
    int shift = KR_DIGIT_BITS - kr_bit_length32(b[nb - 1]);
    if (nb % 2 != 0) {
        shift += KR_DIGIT_BITS;
    }
    size_t nw = (nb + 1) / 2;
    size_t nv = (na * KR_DIGIT_BITS + (size_t)shift) / LIMB_BITS + 1;
    limb stack[STACK_LIMBS];
    limb *v = stack;
    if (nv + nw + 1 > STACK_LIMBS) {
        v = malloc((nv + nw + 1) * sizeof(limb));
        if (v == NULL) {
            return -1;
        }
    }
    limb *w = v + nv + 1;
    pack_shifted(v, nv, a, na, shift);
    pack_shifted(w, nw, b, nb, shift);
    int err = divide_limbs(v, nv, w, nw);
    if (q && err == 0) {
        size_t nq = na - nb + 1;
        v[nv] = 0; /* read for an odd count */
        unpack_shifted(q, nq, v + nw, 0);
    }
    if (r && err == 0) {
        unpack_shifted(r, nb, v, shift);
    }
    if (v != stack) {
        free(v);
    }
    return err;
}

/* --- Recursion ------------------------------------------------------------ */

static int divide_2n1n(kr_digit *q, kr_digit *r, const kr_digit *a,
                       const kr_digit *b, size_t n);

/* q[h], r[2h] = [a12 : a3] / b, where a12 has 2h digits and is below b, a3 has
 * h, b 2h. */
static int
divide_3n2n(kr_digit *q, kr_digit *r, const kr_digit *a12, const kr_digit *a3,
            const kr_digit *b, size_t h)
{
    kr_digit *mem = malloc((2 * h + 1 + 2 * h) * sizeof(kr_digit));
    if (mem == NULL) {
        return -1;
    }
    kr_digit *t = mem;             /* remainder with one digit more */
    kr_digit *d = mem + 2 * h + 1; /* q * low half of b */
    kr_digit extra = 0;
    int err = 0;

    memcpy(t, a3, h * sizeof(kr_digit));
    if (memcmp(a12 + h, b + h, h * sizeof(kr_digit)) != 0) {
        err = divide_2n1n(q, t + h, a12, b + h, h);
    }
    else {
        /* equal tops: the largest quotient, remainder a2 + b1 */
        for (size_t i = 0; i < h; i++) {
            q[i] = KR_DIGIT_MASK;
        }
        extra = kr_mag_add(t + h, a12, h, b + h, h);
    }
    if (err == 0) {
        err = kr_mag_mul(d, q, h, b, h);
    }
    if (err == 0) {
        t[2 * h] = extra;
        /* at most two corrections bring the remainder back above 0 */
        kr_digit one = 1;
        bool negative = kr_mag_sub(t, t, 2 * h + 1, d, 2 * h) != 0;
        while (negative) {
            negative = kr_mag_add(t, t, 2 * h + 1, b, 2 * h) == 0;
            kr_mag_sub(q, q, h, &one, 1);
        }
        memcpy(r, t, 2 * h * sizeof(kr_digit));
    }
    free(mem);
    return err;
}

/* q[n], r[n] = a[2n] / b[n], where a < b * B^n and b has its top bit set. */
static int
divide_2n1n(kr_digit *q, kr_digit *r, const kr_digit *a, const kr_digit *b,
            size_t n)
{
    if (kr_mag_poll() < 0) {
        return -1;
    }
    if (n % 2 != 0 || n < RECURSIVE_DIGITS) {
        /* one digit more of the quotient is known to be 0 */
        kr_digit *quot = malloc((n + 1) * sizeof(kr_digit));
        int bad = quot == NULL || schoolbook(quot, r, a, 2 * n, b, n) < 0;
        if (!bad) {
            memcpy(q, quot, n * sizeof(kr_digit));
        }
        free(quot);
        return bad ? -1 : 0;
    }
    size_t h = n / 2;
    kr_digit *mid = malloc(n * sizeof(kr_digit));
    if (mid == NULL) {
        return -1;
    }
    int err = divide_3n2n(q + h, mid, a + n, a + h, b, h);
    if (err == 0) {
        err = divide_3n2n(q, r, mid, a, b, h);
    }
    free(mid);
    return err;
}

/* Makes the divisor a multiple of a power of two digits long, with its top bit
 * set, and divides block by block. */
static int
recursive(kr_digit *q, kr_digit *r, const kr_digit *a, size_t na,
          const kr_digit *b, size_t nb)
{
    size_t parts = 1;
    while (nb / parts >= RECURSIVE_DIGITS) {
        parts *= 2;
    }
    size_t n = (nb + parts - 1) / parts * parts;
    size_t pad = n - nb;
    int bits = __builtin_clz(b[nb - 1]) - (32 - KR_DIGIT_BITS);
    /* one spare digit keeps the top block below b */
    size_t blocks = (na + pad + 1 + n - 1) / n;
    if (blocks < 2) {
        blocks = 2;
    }
    size_t total = n + blocks * n + blocks * n + n;
    kr_digit *mem = calloc(total, sizeof(kr_digit));
    if (mem == NULL) {
        return -1;
    }
    kr_digit *bb = mem, *aa = bb + n, *qq = aa + blocks * n,
             *rem = qq + blocks * n;
    kr_mag_shl(bb + pad, b, nb, bits);
    aa[pad + na] = kr_mag_shl(aa + pad, a, na, bits);
    /* the top block is below b: it is the first remainder */
    int err = 0;
    size_t k = blocks - 1;
    if (kr_mag_cmp(aa + k * n, n, bb, n) >= 0) {
        /* cannot be: the spare digit is less than b's top one */
        kr_unreachable();
    }
    kr_digit *cur = malloc(2 * n * sizeof(kr_digit));
    if (cur == NULL) {
        free(mem);
        return -1;
    }
    memcpy(rem, aa + k * n, n * sizeof(kr_digit));
    while (k-- > 0 && err == 0) {
        memcpy(cur, aa + k * n, n * sizeof(kr_digit));
        memcpy(cur + n, rem, n * sizeof(kr_digit));
        err = divide_2n1n(qq + k * n, rem, cur, bb, n);
    }
    if (err == 0) {
        if (q) {
            memcpy(q, qq, (na - nb + 1) * sizeof(kr_digit));
        }
        if (r) {
            kr_mag_shr(rem, rem, n, bits);
            memcpy(r, rem + pad, nb * sizeof(kr_digit));
        }
    }
    free(cur);
    free(mem);
    return err;
}

/* The quotient of nq digits alone, from the leading digits of a and b: with
 * s digits cut off both, q = a' / b' is never too small, and it is right if
 * the remainder a' - q * b' is at least q, for then no rest of b, times q, can
 * make it negative. 1 if that was so, 0 if it stays unknown, or -1. */
static int
leading_quotient(kr_digit *q, size_t nq, const kr_digit *a, size_t na,
                 const kr_digit *b, size_t nb)
{
    size_t keep = nq + 2, s = nb - keep;
    kr_digit stack[32];
    kr_digit *r = stack;
    if (keep > KR_ARRAY_LEN(stack)) {
        r = malloc(keep * sizeof(kr_digit));
        if (r == NULL) {
            return -1;
        }
    }
    int result = kr_mag_divrem(q, r, a + s, na - s, b + s, keep);
    if (result == 0) {
        result = kr_mag_cmp(r, kr_mag_trim(r, keep), q, kr_mag_trim(q, nq))
                 >= 0;
    }
    if (r != stack) {
        free(r);
    }
    return result;
}

int
kr_mag_divrem(kr_digit *q, kr_digit *r, const kr_digit *a, size_t na,
              const kr_digit *b, size_t nb)
{
    if (na >= KR_POLL_DIGITS && kr_mag_poll() < 0) {
        return -1;
    }
    if (nb == 1) {
        kr_digit rem = kr_mag_divrem1(q, a, na, b[0]);
        if (r) {
            r[0] = rem;
        }
        return 0;
    }
    size_t nq = na - nb + 1;
    if (r == NULL && q != NULL && nb > 2 * nq + 8) {
        int known = leading_quotient(q, nq, a, na, b, nb);
        if (known != 0) {
            return known < 0 ? -1 : 0;
        }
    }
    if (nb >= 2 * RECURSIVE_DIGITS && na - nb >= RECURSIVE_DIGITS) {
        return recursive(q, r, a, na, b, nb);
    }
    return schoolbook(q, r, a, na, b, nb);
}
