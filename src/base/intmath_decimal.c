/* Magnitudes to and from decimal digits.
 *
 * Short numbers go nine decimals at a time; long ones are cut in halves at a
 * power of ten, with fast division and multiplication. */
#include "base/intmath.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 9
#define CHUNK_BASE 1000000000u
#define SPLIT_DIGITS 200    /* magnitudes this long are divided in halves */
#define SPLIT_DECIMALS 2000 /* texts this long are read in halves */

/* 10^(9 * 2^k) for k = 0, 1, ... */
struct powers {
    kr_digit *value[64];
    size_t len[64];
    int count;
};

static void
powers_free(struct powers *p)
{
    for (int i = 0; i < p->count; i++) {
        free(p->value[i]);
    }
}

static int
powers_add(struct powers *p)
{
    int k = p->count;
    size_t n = k ? 2 * p->len[k - 1] : 1;
    kr_digit *v = malloc(n * sizeof(kr_digit));
    if (v == NULL) {
        return -1;
    }
    if (k == 0) {
        v[0] = CHUNK_BASE;
    }
    else if (kr_mag_mul(v, p->value[k - 1], p->len[k - 1], p->value[k - 1],
                        p->len[k - 1]) < 0) {
        free(v);
        return -1;
    }
    p->value[k] = v;
    p->len[k] = kr_mag_trim(v, n);
    p->count++;
    return 0;
}

/* --- To decimal ----------------------------------------------------------- */

/* Puts digits in front of `end` until the value is used up and at least
 * `min_digits` are there; destroys `a`. */
static char *
write_short(char *end, kr_digit *a, size_t n, size_t min_digits)
{
    char *p = end;
    n = kr_mag_trim(a, n);
    while (n > 0) {
        kr_digit chunk = kr_mag_divrem1(a, a, n, CHUNK_BASE);
        n = kr_mag_trim(a, n);
        for (int i = 0; i < CHUNK && (n > 0 || chunk > 0); i++) {
            *--p = (char)('0' + chunk % 10);
            chunk /= 10;
        }
    }
    while ((size_t)(end - p) < min_digits) {
        *--p = '0';
    }
    return p;
}

/* As write_short, by halves; a is below 10^(9 * 2^(level + 1)). */
static char *
write_long(char *end, kr_digit *a, size_t n, int level, struct powers *pw,
           size_t min_digits)
{
    n = kr_mag_trim(a, n);
    while (level >= 0 &&
           kr_mag_cmp(a, n, pw->value[level], pw->len[level]) < 0) {
        level--;
    }
    if (kr_mag_poll() < 0) {
        return NULL;
    }
    if (level < 0 || n < SPLIT_DIGITS) {
        return write_short(end, a, n, min_digits);
    }
    size_t nb = pw->len[level], nq = n - nb + 1;
    size_t low_digits = (size_t)CHUNK << level;
    kr_digit *mem = malloc((nq + nb) * sizeof(kr_digit));
    if (mem == NULL) {
        return NULL;
    }
    char *p = NULL;
    if (kr_mag_divrem(mem, mem + nq, a, n, pw->value[level], nb) == 0) {
        p = write_long(end, mem + nq, nb, level - 1, pw, low_digits);
    }
    if (p != NULL) {
        p = write_long(p, mem, nq, level - 1, pw,
                       min_digits > low_digits ? min_digits - low_digits : 0);
    }
    free(mem);
    return p;
}

char *
kr_mag_to_decimal(char *end, const kr_digit *a, size_t n)
{
    kr_digit stack[64];
    kr_digit *copy = stack;
    if (n > KR_ARRAY_LEN(stack)) {
        copy = malloc(n * sizeof(kr_digit));
        if (copy == NULL) {
            return NULL;
        }
    }
    memcpy(copy, a, n * sizeof(kr_digit));
    char *p = NULL;
    if (n < SPLIT_DIGITS) {
        p = write_short(end, copy, n, 1);
    }
    else {
        struct powers pw = {.count = 0};
        int err = 0;
        do {
            err = powers_add(&pw);
        } while (err == 0 && 2 * pw.len[pw.count - 1] <= n + 1);
        if (err == 0) {
            p = write_long(end, copy, n, pw.count - 1, &pw, 1);
        }
        powers_free(&pw);
    }
    if (copy != stack) {
        free(copy);
    }
    return p;
}

/* --- From decimal --------------------------------------------------------- */

static size_t
read_short(kr_digit *dst, const char *s, size_t len)
{
    size_t n = 0;
    size_t first = len % CHUNK;
    for (size_t i = 0; i < len;) {
        size_t take = i == 0 && first ? first : CHUNK;
        kr_digit chunk = 0;
        for (size_t k = 0; k < take; k++) {
            chunk = chunk * 10 + (kr_digit)(s[i + k] - '0');
        }
        i += take;
        kr_digit carry = kr_mag_mul1(dst, dst, n, CHUNK_BASE, chunk);
        if (carry) {
            dst[n++] = carry;
        }
    }
    return n;
}

/* dst has room for kr_mag_decimal_room(len) digits. */
static int
read_long(kr_digit *dst, size_t *n, const char *s, size_t len,
          struct powers *pw)
{
    if (kr_mag_poll() < 0) {
        return -1;
    }
    if (len < SPLIT_DECIMALS) {
        *n = read_short(dst, s, len);
        return 0;
    }
    int level = 0;
    while (((size_t)CHUNK << (level + 1)) < len) {
        level++;
    }
    size_t low = (size_t)CHUNK << level, high = len - low;
    while (pw->count <= level) {
        if (powers_add(pw) < 0) {
            return -1;
        }
    }
    size_t room_hi = kr_mag_decimal_room(high), nh, nl;
    size_t room_prod = room_hi + pw->len[level];
    kr_digit *mem = malloc((room_hi + room_prod) * sizeof(kr_digit));
    if (mem == NULL) {
        return -1;
    }
    kr_digit *prod = mem + room_hi;
    int err = read_long(mem, &nh, s, high, pw);
    if (err == 0) {
        err = read_long(dst, &nl, s + high, low, pw);
    }
    if (err == 0 && nh > 0) {
        err = kr_mag_mul(prod, mem, nh, pw->value[level], pw->len[level]);
        if (err == 0) {
            size_t np = nh + pw->len[level];
            kr_digit carry = kr_mag_add(prod, prod, np, dst, nl);
            (void)carry; /* the sum is below 10^len, which prod can hold */
            np = kr_mag_trim(prod, np);
            memcpy(dst, prod, np * sizeof(kr_digit));
            nl = np;
        }
    }
    free(mem);
    if (err == 0) {
        *n = kr_mag_trim(dst, nl);
    }
    return err;
}

int
kr_mag_from_decimal(kr_digit *dst, size_t *n, const char *s, size_t len)
{
    struct powers pw = {.count = 0};
    int err = read_long(dst, n, s, len, &pw);
    powers_free(&pw);
    return err;
}
