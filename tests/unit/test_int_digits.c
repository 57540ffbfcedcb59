/* Magnitude kernels against slow, obvious versions of themselves. */
#include "base/intmath.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #cond);          \
            failures++;                                                        \
        }                                                                      \
    } while (0)

static uint64_t seed = 88172645463325252u;

static kr_digit
rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    kr_digit d = (kr_digit)(seed >> 20) & KR_DIGIT_MASK;
    /* extreme digits find the missing carries */
    switch (seed % 11) {
    case 0:
        return 0;
    case 1:
        return KR_DIGIT_MASK;
    default:
        return d;
    }
}

static kr_digit *
number(size_t n)
{
    kr_digit *a = malloc((n + 1) * sizeof(kr_digit));
    for (size_t i = 0; i < n; i++) {
        a[i] = rnd();
    }
    if (n && a[n - 1] == 0) {
        a[n - 1] = 1;
    }
    return a;
}

static void
slow_mul(kr_digit *r, const kr_digit *a, size_t na, const kr_digit *b,
         size_t nb)
{
    memset(r, 0, (na + nb) * sizeof(kr_digit));
    for (size_t i = 0; i < na; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < nb; j++) {
            carry += r[i + j] + (uint64_t)a[i] * b[j];
            r[i + j] = carry & KR_DIGIT_MASK;
            carry >>= KR_DIGIT_BITS;
        }
        r[i + nb] = (kr_digit)carry;
    }
}

static void
check_mul(size_t na, size_t nb)
{
    kr_digit *a = number(na), *b = number(nb);
    kr_digit *r = malloc((na + nb) * 4), *s = malloc((na + nb) * 4);
    CHECK(kr_mag_mul(r, a, na, b, nb) == 0);
    slow_mul(s, a, na, b, nb);
    CHECK(memcmp(r, s, (na + nb) * 4) == 0);
    if (na == nb) {
        CHECK(kr_mag_mul(r, a, na, a, na) == 0);
        slow_mul(s, a, na, a, na);
        CHECK(memcmp(r, s, (na + nb) * 4) == 0);
    }
    free(a), free(b), free(r), free(s);
}

/* What takes linear time, into another place and in place. */
static void
check_linear(size_t na, size_t nb)
{
    kr_digit *a = number(na), *b = number(nb), f = rnd(), add = rnd();
    kr_digit *r = malloc((na + 1) * 4), *s = malloc((na + 1) * 4);
    int bits = (int)(rnd() % KR_DIGIT_BITS);

    uint64_t carry = 0;
    for (size_t i = 0; i < na; i++) {
        carry += a[i] + (i < nb ? b[i] : 0);
        s[i] = carry & KR_DIGIT_MASK;
        carry >>= KR_DIGIT_BITS;
    }
    CHECK(kr_mag_add(r, a, na, b, nb) == carry);
    CHECK(memcmp(r, s, na * 4) == 0);
    /* back again: the borrow of the subtraction is the carry */
    CHECK(kr_mag_sub(r, r, na, b, nb) == carry);
    CHECK(memcmp(r, a, na * 4) == 0);
    CHECK(kr_mag_sub(r, s, na, b, nb) == carry);
    CHECK(memcmp(r, a, na * 4) == 0);
    CHECK(kr_mag_add(r, r, na, b, nb) == carry);
    CHECK(memcmp(r, s, na * 4) == 0);

    carry = add;
    for (size_t i = 0; i < na; i++) {
        carry += (uint64_t)a[i] * f;
        s[i] = carry & KR_DIGIT_MASK;
        carry >>= KR_DIGIT_BITS;
    }
    CHECK(kr_mag_mul1(r, a, na, f, add) == carry);
    CHECK(memcmp(r, s, na * 4) == 0);
    memcpy(r, a, na * 4);
    CHECK(kr_mag_mul1(r, r, na, f, add) == carry);
    CHECK(memcmp(r, s, na * 4) == 0);

    carry = kr_mag_mul1(s, a, na, (kr_digit)1 << bits, 0);
    CHECK(kr_mag_shl(r, a, na, bits) == carry);
    CHECK(memcmp(r, s, na * 4) == 0);
    memcpy(r, a, na * 4);
    CHECK(kr_mag_shl(r, r, na, bits) == carry);
    CHECK(memcmp(r, s, na * 4) == 0);
    r[na] = (kr_digit)carry;
    CHECK(kr_mag_shr(r, r, na + 1, bits) == 0);
    CHECK(r[na] == 0 && memcmp(r, a, na * 4) == 0);
    CHECK(kr_mag_shr(r, a, na, bits) == a[0] % ((kr_digit)1 << bits));
    kr_mag_shl(r, r, na, bits);
    CHECK(memcmp(r + 1, a + 1, (na - 1) * 4) == 0);
    free(a), free(b), free(r), free(s);
}

/* q * b + r == a and r < b */
static void
check_div(size_t na, size_t nb)
{
    kr_digit *a = number(na), *b = number(nb);
    size_t nq = na - nb + 1;
    kr_digit *q = malloc(nq * 4), *r = malloc(nb * 4),
             *p = malloc((na + 1) * 4);
    CHECK(kr_mag_divrem(q, r, a, na, b, nb) == 0);
    CHECK(kr_mag_cmp(r, kr_mag_trim(r, nb), b, nb) < 0);
    CHECK(kr_mag_mul(p, q, nq, b, nb) == 0);
    CHECK(kr_mag_add(p, p, na + 1, r, nb) == 0);
    CHECK(p[na] == 0 && memcmp(p, a, na * 4) == 0);
    CHECK(kr_mag_divrem(p, NULL, a, na, b, nb) == 0);
    CHECK(memcmp(p, q, nq * 4) == 0);
    CHECK(kr_mag_divrem(NULL, p, a, na, b, nb) == 0);
    CHECK(memcmp(p, r, nb * 4) == 0);
    free(a), free(b), free(q), free(r), free(p);
}

/* Quotients next to a change: (q * b - 1) / b and (q * b) / b. */
static void
check_close_quotient(size_t nq, size_t nb)
{
    kr_digit *q = number(nq), *b = number(nb), one = 1;
    size_t na = nq + nb;
    kr_digit *a = malloc(na * 4), *got = malloc((nq + 1) * 4);
    CHECK(kr_mag_mul(a, q, nq, b, nb) == 0);
    CHECK(kr_mag_divrem(got, NULL, a, na, b, nb) == 0);
    CHECK(got[nq] == 0 && memcmp(got, q, nq * 4) == 0);
    kr_mag_sub(a, a, na, &one, 1);
    CHECK(kr_mag_divrem(got, NULL, a, na, b, nb) == 0);
    kr_mag_add(got, got, nq, &one, 1);
    CHECK(got[nq] == 0 && memcmp(got, q, nq * 4) == 0);
    free(q), free(b), free(a), free(got);
}

static void
check_decimal(size_t n)
{
    kr_digit *a = number(n);
    char *text = malloc(n * 10 + 1);
    char *end = text + n * 10;
    char *s = kr_mag_to_decimal(end, a, n);
    CHECK(s != NULL && *s != '0');
    size_t len = (size_t)(end - s), m;
    kr_digit *back = malloc(kr_mag_decimal_room(len) * 4);
    CHECK(kr_mag_from_decimal(back, &m, s, len) == 0);
    CHECK(m == n && memcmp(back, a, n * 4) == 0);
    free(a), free(text), free(back);
}

int
main(void)
{
    static const size_t sizes[] = {1,   2,   3,   5,   6,   7,   12,   55,
                                   56,  57,  64,  111, 119, 120, 121,  239,
                                   240, 241, 255, 300, 481, 777, 1024, 2500};
    for (size_t i = 0; i < KR_ARRAY_LEN(sizes); i++) {
        for (size_t j = 0; j < KR_ARRAY_LEN(sizes); j++) {
            check_mul(sizes[i], sizes[j]);
            if (sizes[i] >= sizes[j]) {
                check_div(sizes[i], sizes[j]);
                check_linear(sizes[i], sizes[j]);
            }
            check_close_quotient(sizes[i], sizes[j]);
        }
        check_decimal(sizes[i]);
    }
    check_mul(5000, 5000);
    check_mul(16500, 5001);
    check_mul(6000, 5999);
    check_div(12000, 5500);
    check_decimal(12000);
    for (int i = 0; i < 3000; i++) {
        check_mul(1 + rnd() % 90, 1 + rnd() % 90);
        size_t nb = 1 + rnd() % 20;
        size_t na = nb + rnd() % 20;
        check_div(na, nb);
        check_linear(na, nb);
        check_close_quotient(1 + rnd() % 4, nb);
    }
    printf(failures ? "%d failures\n" : "ok\n", failures);
    return failures != 0;
}
