/* Substring search; see strsearch.h. */
#include "base/strsearch.h"

#include <string.h>
#include <wchar.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define KR_PASTE2(a, b) a##b
#define KR_PASTE(a, b) KR_PASTE2(a, b)

ssize_t
kr_find_char1(const uint8_t *s, ssize_t n, uint8_t ch)
{
    const uint8_t *hit = memchr(s, ch, (size_t)n);
    return hit == NULL ? -1 : hit - s;
}

ssize_t
kr_rfind_char1(const uint8_t *s, ssize_t n, uint8_t ch)
{
    const uint8_t *hit = memrchr(s, ch, (size_t)n);
    return hit == NULL ? -1 : hit - s;
}

ssize_t
kr_find_char2(const uint16_t *s, ssize_t n, uint16_t ch)
{
    ssize_t i = 0;
#ifdef __SSE2__
    __m128i want = _mm_set1_epi16((short)ch);
    for (; i + 8 <= n; i += 8) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s + i));
        int mask = _mm_movemask_epi8(_mm_cmpeq_epi16(v, want));
        if (mask != 0) {
            return i + __builtin_ctz((unsigned)mask) / 2;
        }
    }
#endif
    for (; i < n; i++) {
        if (s[i] == ch) {
            return i;
        }
    }
    return -1;
}

ssize_t
kr_find_char4(const uint32_t *s, ssize_t n, uint32_t ch)
{
    const wchar_t *start = (const wchar_t *)s;
    const wchar_t *hit = wmemchr(start, (wchar_t)ch, (size_t)n);
    return hit == NULL ? -1 : hit - start;
}

ssize_t
kr_rfind_char2(const uint16_t *s, ssize_t n, uint16_t ch)
{
    while (--n >= 0 && s[n] != ch) {
    }
    return n;
}

ssize_t
kr_rfind_char4(const uint32_t *s, ssize_t n, uint32_t ch)
{
    while (--n >= 0 && s[n] != ch) {
    }
    return n;
}

#define CHAR uint8_t
#define SUFFIX 1
#define SET1(c) _mm_set1_epi8((char)(c))
#define CMPEQ _mm_cmpeq_epi8
#include "strsearch_impl.h"

#define CHAR uint16_t
#define SUFFIX 2
#define SET1(c) _mm_set1_epi16((short)(c))
#define CMPEQ _mm_cmpeq_epi16
#include "strsearch_impl.h"

#define CHAR uint32_t
#define SUFFIX 4
#define SET1(c) _mm_set1_epi32((int)(c))
#define CMPEQ _mm_cmpeq_epi32
#include "strsearch_impl.h"
