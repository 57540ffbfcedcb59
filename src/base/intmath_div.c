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

/* Divides v[nv + 1 .. ] in place: v has nv digits, its top one below w's top;
 * w has its top bit set and nw >= 2. The quotient's nv - nw digits go to q, the
 * remainder stays in v[0 .. nw). */
static void
schoolbook(kr_digit *q, kr_digit *v, size_t nv, const kr_digit *w, size_t nw)
{
    uint64_t w1 = w[nw - 1], w2 = w[nw - 2];
    for (size_t k = nv - nw; k-- > 0;) {
        kr_digit *vk = v + k;
        uint64_t top = vk[nw];
        uint64_t num = top << KR_DIGIT_BITS | vk[nw - 1];
        uint64_t qhat = num / w1, r = num - qhat * w1;
        while (qhat > KR_DIGIT_MASK ||
               qhat * w2 > (r << KR_DIGIT_BITS | vk[nw - 2])) {
            qhat--;
            r += w1;
            if (r > KR_DIGIT_MASK) {
                break;
            }
        }
        int64_t borrow = 0;
        for (size_t i = 0; i < nw; i++) {
            int64_t z = (int64_t)vk[i] + borrow - (int64_t)(qhat * w[i]);
            vk[i] = (kr_digit)z & KR_DIGIT_MASK;
            borrow = z >> KR_DIGIT_BITS;
        }
        if ((int64_t)top + borrow < 0) {
            kr_mag_add(vk, vk, nw, w, nw); /* was one too much */
            qhat--;
        }
        vk[nw] = 0;
        q[k] = (kr_digit)qhat;
    }
}

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
    if (n % 2 != 0 || n < RECURSIVE_DIGITS) {
        kr_digit *v = malloc((2 * n + 1) * sizeof(kr_digit));
        if (v == NULL) {
            return -1;
        }
        memcpy(v, a, 2 * n * sizeof(kr_digit));
        schoolbook(q, v, 2 * n, b, n);
        memcpy(r, v, n * sizeof(kr_digit));
        free(v);
        return 0;
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

int
kr_mag_divrem(kr_digit *q, kr_digit *r, const kr_digit *a, size_t na,
              const kr_digit *b, size_t nb)
{
    if (nb == 1) {
        kr_digit rem = kr_mag_divrem1(q, a, na, b[0]);
        if (r) {
            r[0] = rem;
        }
        return 0;
    }
    if (nb >= 2 * RECURSIVE_DIGITS && na - nb >= RECURSIVE_DIGITS) {
        return recursive(q, r, a, na, b, nb);
    }
    kr_digit stack[128];
    kr_digit *mem = stack;
    size_t nq = na - nb + 1;
    size_t need = na + 1 + nb + (q ? 0 : nq);
    if (need > KR_ARRAY_LEN(stack)) {
        mem = malloc(need * sizeof(kr_digit));
        if (mem == NULL) {
            return -1;
        }
    }
    kr_digit *v = mem, *w = v + na + 1;
    if (q == NULL) {
        q = w + nb;
    }
    int bits = __builtin_clz(b[nb - 1]) - (32 - KR_DIGIT_BITS);
    kr_mag_shl(w, b, nb, bits);
    v[na] = kr_mag_shl(v, a, na, bits);
    schoolbook(q, v, na + 1, w, nb);
    if (r) {
        kr_mag_shr(r, v, nb, bits);
    }
    if (mem != stack) {
        free(mem);
    }
    return 0;
}
