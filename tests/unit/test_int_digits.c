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
    free(a), free(b), free(q), free(r), free(p);
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
            }
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
        check_div(nb + rnd() % 20, nb);
    }
    printf(failures ? "%d failures\n" : "ok\n", failures);
    return failures != 0;
}
