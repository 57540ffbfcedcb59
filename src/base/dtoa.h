/* Binary floating point to decimal digits and back, correctly rounded.
 *
 * Decimal numbers are 0.d1d2d3... * 10^point: digits without sign, dot or
 * leading zeros. */
#ifndef KR_BASE_DTOA_H
#define KR_BASE_DTOA_H

#include "base/common.h"

struct kr_pow10 {
    uint64_t hi, lo;
};

#define KR_POW10_MIN (-342)
#define KR_POW10_MAX 324

extern const struct kr_pow10
    kr_pow10_table[KR_POW10_MAX - KR_POW10_MIN + 1];

/* Longest result of kr_dtoa_shortest. */
#define KR_SHORTEST_MAX 17

/* The fewest digits that read back as d (finite, above 0), and of those the
 * closest to d; no trailing zeros. Returns their number. */
int kr_dtoa_shortest(double d, char digits[KR_SHORTEST_MAX], int *point);

/* d (finite, above 0) rounded, ties to even, to `count` digits (relative) or to
 * `count` digits after the dot (may be negative), without trailing zeros; there
 * must be room for kr_dtoa_room(count) characters. Returns the number of
 * digits (0 when the value rounds to 0), or -1 without memory. */
int kr_dtoa_precision(double d, int count, char *digits, int *point);
int kr_dtoa_fixed(double d, int count, char *digits, int *point);

static inline size_t
kr_dtoa_room(int count)
{
    /* no double has more digits than this in front of or behind the dot */
    int n = count < 0 ? 0 : count > 1100 ? 1100 : count;
    return (size_t)n + 330;
}

/* The double nearest to digits[0 .. n) * 10^exp10 (digits are characters '0' to
 * '9'; leading zeros are fine), ties to even; infinity on overflow. *err is set
 * to true without memory, else left alone. */
double kr_strtod_decimal(const char *digits, size_t n, int64_t exp10,
                         bool *err);

/* Reads [sign] digits [. digits] [e [sign] digits] at s; *end is where it
 * stopped, s itself if there is no number. */
double kr_strtod(const char *s, const char **end, bool *err);

/* m * 2^e rounded to a double, where `sticky` stands for bits below m. */
double kr_double_from_bits(uint64_t m, int64_t e, bool sticky);

#endif
