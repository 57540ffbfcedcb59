/* Decimal conversion of doubles against the C library's exact printf and
 * strtod. */
#include "base/dtoa.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(cond, ...)                                                       \
    do {                                                                       \
        if (!(cond)) {                                                         \
            printf("%s:%d: failed: %s: ", __FILE__, __LINE__, #cond);          \
            printf(__VA_ARGS__);                                               \
            puts("");                                                          \
            failures++;                                                        \
        }                                                                      \
    } while (0)

static uint64_t seed = 88172645463325252u;

static uint64_t
rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1du;
}

static double
from_bits(uint64_t bits)
{
    double d;
    bits &= INT64_MAX;
    memcpy(&d, &bits, sizeof(d));
    return isfinite(d) && d > 0 ? d : 1.5;
}

static void
check_shortest(double d)
{
    char digits[32], text[64];
    int point, n = kr_dtoa_shortest(d, digits, &point);
    digits[n] = 0;
    CHECK(digits[0] != '0' && digits[n - 1] != '0', "%.17g", d);
    snprintf(text, sizeof(text), "0.%se%d", digits, point);
    CHECK(strtod(text, NULL) == d, "%.17g -> %s", d, text);
    bool err = false;
    const char *end;
    CHECK(kr_strtod(text, &end, &err) == d && *end == 0, "%.17g <- %s", d,
          text);
    /* no text with fewer digits reads back */
    if (n > 1) {
        snprintf(text, sizeof(text), "%.*e", n - 2, d);
        CHECK(strtod(text, NULL) != d, "%.17g: %s is shorter", d, text);
    }
    /* nothing of that length is closer */
    char same[64];
    snprintf(same, sizeof(same), "%.*e", n - 1, d);
    if (strtod(same, NULL) == d) {
        snprintf(text, sizeof(text), "%c%s%se%+03d", digits[0],
                 n > 1 ? "." : "", digits + 1, point - 1);
        CHECK(strcmp(same, text) == 0, "%s is closer than %s", same, text);
    }
}

static void
check_digits(double d, int count)
{
    static char mine[2600], theirs[2600], digits[2600];
    int point, n = kr_dtoa_precision(d, count, digits, &point);
    snprintf(theirs, sizeof(theirs), "%.*e", count - 1, d);
    char *q = mine;
    *q++ = digits[0];
    if (count > 1) {
        *q++ = '.';
    }
    for (int i = 1; i < count; i++) {
        *q++ = i < n ? digits[i] : '0';
    }
    sprintf(q, "e%+03d", point - 1);
    CHECK(strcmp(mine, theirs) == 0, "%.*e: %s", count - 1, d, mine);

    n = kr_dtoa_fixed(d, count, digits, &point);
    snprintf(theirs, sizeof(theirs), "%.*f", count, d);
    if (n == 0) {
        point = 0;
    }
    q = mine;
    if (point <= 0) {
        *q++ = '0';
    }
    for (int i = point < 0 ? 0 : 0; i < point; i++) {
        *q++ = i < n ? digits[i] : '0';
    }
    *q++ = '.';
    for (int i = 0; i < count; i++) {
        int k = point + i;
        *q++ = k >= 0 && k < n ? digits[k] : '0';
    }
    *q = 0;
    CHECK(strcmp(mine, theirs) == 0, "%.*f: %s", count, d, mine);
}

static void
check_parse(const char *s)
{
    bool err = false;
    const char *end;
    double d = kr_strtod(s, &end, &err);
    double x = strtod(s, NULL);
    CHECK(!err && d == x && *end == 0, "%.60s: %a, should be %a", s, d, x);
}

int
main(void)
{
    static const double special[] = {
        5e-324, 2.2250738585072014e-308, 2.225073858507201e-308,
        1.7976931348623157e308, 9007199254740993.0, 1e23, 9.5e-7, 0.3,
        2.5, 0.5, 1.5, 0.125, 4.35, 1e22, 123456789012345680.0, 9.999999e9,
        0.05, 0.25, 1e15, 1e16, 1e17, 9.5, 99.5, 999.5, 8.41e21, 2e-44};
    for (size_t i = 0; i < KR_ARRAY_LEN(special); i++) {
        check_shortest(special[i]);
        for (int c = 1; c < 40; c++) {
            check_digits(special[i], c);
        }
        check_digits(special[i], 800);
        check_digits(special[i], 1100);
    }
    for (int e = 1; e < 2046; e++) {
        check_shortest(from_bits((uint64_t)e << 52));
        check_shortest(from_bits(((uint64_t)e << 52) - 1));
    }
    char text[4096];
    for (int i = 0; i < 60000; i++) {
        double d = from_bits(rnd());
        if (i % 3 == 0) {
            d = (double)(rnd() % 100000000) / 1000.0 + 0.001;
        }
        check_shortest(d);
        check_digits(d, 1 + (int)(rnd() % 25));
        snprintf(text, sizeof(text), "%llu.%llue%d",
                 (unsigned long long)rnd(), (unsigned long long)rnd(),
                 (int)(rnd() % 660) - 340);
        check_parse(text);
        snprintf(text, sizeof(text), "%lluE%d", (unsigned long long)rnd(),
                 (int)(rnd() % 700) - 360);
        check_parse(text);
    }
    for (int i = 0; i < 3000; i++) { /* ties, and just beside them */
        double d = from_bits(rnd());
        double next = nextafter(d, INFINITY);
        if (isinf(next) || d > 1e300) {
            continue;
        }
        int len = snprintf(text, sizeof(text), "%.1100f",
                           d > 1e10 ? d + (next - d) / 2 : d);
        check_parse(text);
        text[len - 1] = '1';
        check_parse(text);
    }
    for (int i = 0; i < 2000; i++) {
        /* halfway between two neighbours, exactly: long double holds it */
        double d = from_bits(rnd() % ((uint64_t)600 << 52) +
                             ((uint64_t)700 << 52));
        long double mid = ((long double)d + nextafter(d, INFINITY)) / 2;
        int len = snprintf(text, sizeof(text), "%.1000Lf", mid);
        check_parse(text);
        text[len - 1]++;
        check_parse(text);
    }
    check_parse("2.4703282292062327208299e-324");
    check_parse("2.4703282292062328e-324");
    check_parse("1.7976931348623158e308");
    check_parse("1.797693134862315807e308");
    check_parse("1e400");
    check_parse("0e999999999999999999999");
    check_parse("1e-99999999999999999999");
    check_parse("-0.0");
    printf(failures ? "%d failures\n" : "ok\n", failures);
    return failures != 0;
}
