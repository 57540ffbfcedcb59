/* Width changes and maxima over character arrays; see simd_str.h. The loops
 * are plain so that the compiler vectorises them for each target. */
#include "base/simd_str.h"

enum { BLOCK = 256 };

uint32_t
kr_max_char2(const uint16_t *s, size_t n)
{
    uint32_t all = 0;
    for (size_t i = 0; i < n;) {
        size_t end = n - i > BLOCK ? i + BLOCK : n;
        uint16_t bits = 0;
        for (; i < end; i++) {
            bits |= s[i];
        }
        all |= bits;
        if (all > 0xFF) {
            return 0xFFFF;
        }
    }
    return all > 0x7F ? 0xFF : 0x7F;
}

uint32_t
kr_max_char4(const uint32_t *s, size_t n)
{
    uint32_t all = 0;
    for (size_t i = 0; i < n;) {
        size_t end = n - i > BLOCK ? i + BLOCK : n;
        for (; i < end; i++) {
            all |= s[i];
        }
        if (all > 0xFFFF) {
            return 0x10FFFF;
        }
    }
    return all > 0xFF ? 0xFFFF : all > 0x7F ? 0xFF : 0x7F;
}

#define CONVERT(name, from, to)                                                \
    void name(const from *restrict src, size_t n, to *restrict dst)            \
    {                                                                          \
        for (size_t i = 0; i < n; i++) {                                       \
            dst[i] = (to)src[i];                                               \
        }                                                                      \
    }

CONVERT(kr_widen_1_2, uint8_t, uint16_t)
CONVERT(kr_widen_1_4, uint8_t, uint32_t)
CONVERT(kr_widen_2_4, uint16_t, uint32_t)
CONVERT(kr_narrow_2_1, uint16_t, uint8_t)
CONVERT(kr_narrow_4_1, uint32_t, uint8_t)
CONVERT(kr_narrow_4_2, uint32_t, uint16_t)
