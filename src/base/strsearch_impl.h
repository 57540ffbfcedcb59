/* Template of the searches for one character width. Included by strsearch.c
 * with CHAR and SUFFIX defined, after find_char and rfind_char exist. */

#define NAME(x) KR_PASTE(forward_##x, SUFFIX)
#define AT(array, length, index) ((array)[index])
#include "strsearch_twoway.h"
#undef NAME
#undef AT

#define NAME(x) KR_PASTE(backward_##x, SUFFIX)
#define AT(array, length, index) ((array)[(length)-1 - (index)])
#include "strsearch_twoway.h"
#undef NAME
#undef AT

#define NAME(x) KR_PASTE(x, SUFFIX)

/* What comparisons may cost before the two-way algorithm takes over: `scanned`
 * characters pay for them. */
#define BUDGET(scanned) (64 + (scanned))

ssize_t
NAME(kr_find)(const CHAR *s, ssize_t n, const CHAR *p, ssize_t m)
{
    if (m > n) {
        return -1;
    }
    if (m <= 1) {
        return m == 0 ? 0 : NAME(kr_find_char)(s, n, p[0]);
    }
    CHAR first = p[0], last = p[m - 1];
    ssize_t pos = 0, limit = n - m + 1, cost = 0;
#ifdef __SSE2__
    /* both ends of the needle at many positions at a time */
    enum { LANES = 16 / sizeof(CHAR), LANE_BITS = (1 << sizeof(CHAR)) - 1 };
    __m128i vfirst = SET1(first), vlast = SET1(last);
    for (; pos + LANES <= limit; pos += LANES) {
        const void *a = s + pos, *b = s + pos + m - 1;
        __m128i ends = _mm_and_si128(
            CMPEQ(_mm_loadu_si128((const __m128i *)a), vfirst),
            CMPEQ(_mm_loadu_si128((const __m128i *)b), vlast));
        unsigned mask = (unsigned)_mm_movemask_epi8(ends);
        while (mask != 0) {
            int bit = __builtin_ctz(mask);
            const CHAR *at = s + pos + bit / (int)sizeof(CHAR);
            mask &= ~((unsigned)LANE_BITS << bit);
            ssize_t k = 1;
            while (k < m && at[k] == p[k]) {
                k++;
            }
            if (k == m) {
                return at - s;
            }
            cost += k;
        }
        if (cost > BUDGET(pos)) {
            pos += LANES;
            goto two_way;
        }
    }
#endif
    for (; pos < limit; pos++) {
        if (s[pos] != first || s[pos + m - 1] != last) {
            continue;
        }
        ssize_t k = 1;
        while (k < m && s[pos + k] == p[k]) {
            k++;
        }
        if (k == m) {
            return pos;
        }
        cost += k;
        if (cost > BUDGET(pos)) {
            pos++;
            goto two_way;
        }
    }
    return -1;
two_way:;
    ssize_t rest = NAME(forward_two_way)(s + pos, n - pos, p, m);
    return rest < 0 ? -1 : pos + rest;
}

ssize_t
NAME(kr_rfind)(const CHAR *s, ssize_t n, const CHAR *p, ssize_t m)
{
    if (m > n) {
        return -1;
    }
    if (m <= 1) {
        return m == 0 ? n : NAME(kr_rfind_char)(s, n, p[0]);
    }
    CHAR first = p[0];
    ssize_t limit = n - m + 1, work = 64;
    while (limit > 0) {
        ssize_t pos = NAME(kr_rfind_char)(s, limit, first);
        if (pos < 0) {
            return -1;
        }
        ssize_t k = 1;
        while (k < m && s[pos + k] == p[k]) {
            k++;
        }
        if (k == m) {
            return pos;
        }
        work += limit - pos - k - 4;
        limit = pos;
        if (work < 0) {
            ssize_t len = limit + m - 1;
            ssize_t rest = NAME(backward_two_way)(s, len, p, m);
            return rest < 0 ? -1 : len - rest - m;
        }
    }
    return -1;
}

ssize_t
NAME(kr_count)(const CHAR *s, ssize_t n, const CHAR *p, ssize_t m, ssize_t max)
{
    ssize_t count = 0;
    if (m == 1 && max >= n) {
        CHAR ch = p[0];
        for (ssize_t i = 0; i < n; i++) {
            count += s[i] == ch;
        }
        return count;
    }
    while (count < max) {
        ssize_t hit = NAME(kr_find)(s, n, p, m);
        if (hit < 0) {
            break;
        }
        count++;
        s += hit + m;
        n -= hit + m;
    }
    return count;
}

#undef NAME
#undef BUDGET
#undef SET1
#undef CMPEQ
#undef CHAR
#undef SUFFIX
