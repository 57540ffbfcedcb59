/* UTF-8 validation; see utf8.h. */
#include "base/utf8.h"

#include "base/simd_str.h"

size_t
kr_utf8_scan(const uint8_t *s, size_t n, size_t *chars, uint32_t *bits)
{
    const uint8_t *p = s, *end = s + n;
    size_t count = 0;
    uint32_t all = 0;
    while (p < end) {
        if (*p < 0x80) {
            size_t run = kr_ascii_prefix(p, (size_t)(end - p));
            p += run;
            count += run;
            continue;
        }
        uint32_t ch;
        int len = kr_utf8_read(p, end, &ch);
        if (len <= 0) {
            break;
        }
        p += len;
        count++;
        all |= ch;
    }
    *chars = count;
    *bits = all;
    return (size_t)(p - s);
}
