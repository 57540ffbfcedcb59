/* Loops over characters that the compiler or SSE2 does many at a time: maximum
 * character, widening, narrowing, ASCII runs. Nothing here fails. */
#ifndef KR_BASE_SIMD_STR_H
#define KR_BASE_SIMD_STR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Length of the leading run of ASCII bytes. */
static inline size_t
kr_ascii_prefix(const void *data, size_t n)
{
    const uint8_t *s = data;
    size_t i = 0;
#ifdef __SSE2__
    for (; i + 16 <= n; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s + i));
        int mask = _mm_movemask_epi8(v);
        if (mask != 0) {
            return i + (size_t)__builtin_ctz((unsigned)mask);
        }
    }
#endif
    for (; i + 8 <= n; i += 8) {
        uint64_t word;
        memcpy(&word, s + i, 8);
        if (word & 0x8080808080808080u) {
            break;
        }
    }
    while (i < n && s[i] < 0x80) {
        i++;
    }
    return i;
}

/* An upper bound of the characters: 0x7F, 0xFF, 0xFFFF or 0x10FFFF. */
static inline uint32_t
kr_max_char1(const uint8_t *s, size_t n)
{
    return kr_ascii_prefix(s, n) == n ? 0x7F : 0xFF;
}

uint32_t kr_max_char2(const uint16_t *s, size_t n);
uint32_t kr_max_char4(const uint32_t *s, size_t n);

/* Copies with a change of width; narrowing needs characters that fit. */
void kr_widen_1_2(const uint8_t *src, size_t n, uint16_t *dst);
void kr_widen_1_4(const uint8_t *src, size_t n, uint32_t *dst);
void kr_widen_2_4(const uint16_t *src, size_t n, uint32_t *dst);
void kr_narrow_2_1(const uint16_t *src, size_t n, uint8_t *dst);
void kr_narrow_4_1(const uint32_t *src, size_t n, uint8_t *dst);
void kr_narrow_4_2(const uint32_t *src, size_t n, uint16_t *dst);

#endif
