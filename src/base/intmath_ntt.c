/* Multiplication of very long magnitudes by a number-theoretic transform.
 *
 * Works modulo p = 2^64 - 2^32 + 1, which has roots of unity of order 2^32 and
 * a cheap reduction. Operands are cut into 15-bit pieces, so a product's
 * coefficient stays below 2^30 * pieces < p for every size that fits memory. */
#include "base/intmath.h"

#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 u128;

#define P 0xffffffff00000001ull
#define GENERATOR 7

static inline uint64_t
add_mod(uint64_t a, uint64_t b)
{
    uint64_t r = a + b;
    if (r < a || r >= P) {
        r -= P;
    }
    return r;
}

static inline uint64_t
sub_mod(uint64_t a, uint64_t b)
{
    return a >= b ? a - b : a - b + P;
}

/* With e = 2^32: e^2 = e - 1 and e^3 = -1 modulo p. */
static inline uint64_t
mul_mod(uint64_t a, uint64_t b)
{
    u128 t = (u128)a * b;
    uint64_t lo = (uint64_t)t, hi = (uint64_t)(t >> 64);
    uint64_t hi_hi = hi >> 32, hi_lo = hi & 0xffffffffu;
    uint64_t r = lo - hi_hi;
    if (lo < hi_hi) {
        r -= 0xffffffffu; /* a borrow of 2^64 is worth e - 1 */
    }
    uint64_t m = (hi_lo << 32) - hi_lo;
    uint64_t s = r + m;
    if (s < m) {
        s += 0xffffffffu;
    }
    return s >= P ? s - P : s;
}

static uint64_t
pow_mod(uint64_t b, uint64_t e)
{
    uint64_t r = 1;
    for (; e; e >>= 1) {
        if (e & 1) {
            r = mul_mod(r, b);
        }
        b = mul_mod(b, b);
    }
    return r;
}

/* roots[k .. 2k) for every power of two k < n: powers of the root of order 2k,
 * so that each pass reads its factors in sequence. */
static void
fill_roots(uint64_t *roots, size_t n, uint64_t g)
{
    for (size_t k = 1; k < n; k *= 2) {
        uint64_t w = pow_mod(g, (P - 1) / (2 * k)), x = 1;
        for (size_t i = 0; i < k; i++) {
            roots[k + i] = x;
            x = mul_mod(x, w);
        }
    }
}

/* Counts steps of a transform; -1 to stop. */
static inline int
count_steps(size_t *done, size_t k)
{
    *done += k;
    if (*done < KR_POLL_STEPS) {
        return 0;
    }
    *done = 0;
    return kr_mag_poll();
}

/* Decimation in frequency: natural order in, bit-reversed order out. */
static int
forward(uint64_t *x, size_t n, const uint64_t *roots)
{
    size_t done = 0;
    for (size_t k = n / 2; k > 0; k /= 2) {
        for (size_t base = 0; base < n; base += 2 * k) {
            uint64_t *lo = x + base, *hi = lo + k;
            for (size_t i = 0; i < k; i++) {
                uint64_t u = lo[i], v = hi[i];
                lo[i] = add_mod(u, v);
                hi[i] = mul_mod(sub_mod(u, v), roots[k + i]);
            }
            if (count_steps(&done, k) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* Decimation in time with the inverse roots: bit-reversed in, natural out. */
static int
backward(uint64_t *x, size_t n, const uint64_t *roots)
{
    size_t done = 0;
    for (size_t k = 1; k < n; k *= 2) {
        for (size_t base = 0; base < n; base += 2 * k) {
            uint64_t *lo = x + base, *hi = lo + k;
            for (size_t i = 0; i < k; i++) {
                uint64_t u = lo[i], v = mul_mod(hi[i], roots[k + i]);
                lo[i] = add_mod(u, v);
                hi[i] = sub_mod(u, v);
            }
            if (count_steps(&done, k) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static void
split(uint64_t *x, size_t n, const kr_digit *a, size_t na)
{
    for (size_t i = 0; i < na; i++) {
        x[2 * i] = a[i] & 0x7fff;
        x[2 * i + 1] = a[i] >> 15;
    }
    memset(x + 2 * na, 0, (n - 2 * na) * sizeof(uint64_t));
}

/* dst[n] = sum of x[i] * 2^(15 i), scaled by `scale` modulo p before. */
static void
carry_out(kr_digit *dst, size_t n, const uint64_t *x, uint64_t scale)
{
    u128 carry = 0;
    for (size_t i = 0; i < n; i++) {
        carry += mul_mod(x[2 * i], scale);
        carry += (u128)mul_mod(x[2 * i + 1], scale) << 15;
        dst[i] = (kr_digit)carry & KR_DIGIT_MASK;
        carry >>= KR_DIGIT_BITS;
    }
}

static int
mul_balanced(kr_digit *dst, const kr_digit *a, size_t na, const kr_digit *b,
             size_t nb)
{
    size_t n = 2;
    while (n < 2 * (na + nb)) {
        n *= 2;
    }
    uint64_t *mem = malloc(3 * n * sizeof(uint64_t));
    if (mem == NULL) {
        return -1;
    }
    uint64_t *x = mem, *y = mem + n, *roots = mem + 2 * n;
    fill_roots(roots, n, GENERATOR);
    split(x, n, a, na);
    int err = forward(x, n, roots);
    if (a == b && na == nb) {
        y = x;
    }
    else if (err == 0) {
        split(y, n, b, nb);
        err = forward(y, n, roots);
    }
    if (err == 0) {
        for (size_t i = 0; i < n; i++) {
            x[i] = mul_mod(x[i], y[i]);
        }
        fill_roots(roots, n, pow_mod(GENERATOR, P - 2));
        err = backward(x, n, roots);
    }
    if (err == 0) {
        carry_out(dst, na + nb, x, pow_mod(n, P - 2));
    }
    free(mem);
    return err;
}

int
kr_mag_mul_ntt(kr_digit *dst, const kr_digit *a, size_t na, const kr_digit *b,
               size_t nb)
{
    if (na <= 3 * nb) {
        return mul_balanced(dst, a, na, b, nb);
    }
    /* blocks of a as long as b */
    kr_digit *block = malloc(2 * nb * sizeof(kr_digit));
    if (block == NULL) {
        return -1;
    }
    memset(dst, 0, (na + nb) * sizeof(kr_digit));
    for (size_t i = 0; i < na; i += nb) {
        size_t len = na - i < nb ? na - i : nb;
        if (kr_mag_mul(block, b, nb, a + i, len) < 0) {
            free(block);
            return -1;
        }
        kr_mag_add(dst + i, dst + i, na + nb - i, block, nb + len);
    }
    free(block);
    return 0;
}
