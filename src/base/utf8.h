/* UTF-8 decoding step and validation over plain bytes. Nothing here fails. */
#ifndef KR_BASE_UTF8_H
#define KR_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Reads the code point at s, which must lie before `end`. Returns its length;
 * 0 if the data end inside it, -1 if s is no start byte, and -(1 + n) if only
 * the first n bytes fit together. */
static inline int
kr_utf8_read(const uint8_t *s, const uint8_t *end, uint32_t *ch)
{
    uint32_t c = s[0];
    ptrdiff_t left = end - s;
#define CONT(b) (((b)&0xC0) == 0x80)
    if (c < 0x80) {
        *ch = c;
        return 1;
    }
    if (c < 0xC2 || c > 0xF4) {
        return -1;
    }
    if (c < 0xE0) {
        if (left < 2) {
            return 0;
        }
        if (!CONT(s[1])) {
            return -2;
        }
        *ch = (c & 0x1F) << 6 | (s[1] & 0x3Fu);
        return 2;
    }
    if (left < 2) {
        return 0;
    }
    if (c < 0xF0) {
        if (!CONT(s[1]) || (s[1] < 0xA0 ? c == 0xE0 : c == 0xED)) {
            return -2;
        }
        if (left < 3) {
            return 0;
        }
        if (!CONT(s[2])) {
            return -3;
        }
        *ch = (c & 0xF) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
        return 3;
    }
    if (!CONT(s[1]) || (s[1] < 0x90 ? c == 0xF0 : c == 0xF4)) {
        return -2;
    }
    if (left < 3) {
        return 0;
    }
    if (!CONT(s[2])) {
        return -3;
    }
    if (left < 4) {
        return 0;
    }
    if (!CONT(s[3])) {
        return -4;
    }
#undef CONT
    *ch = (c & 7) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 |
          (s[3] & 0x3Fu);
    return 4;
}

/* Writes a code point (surrogates too) and returns the length. */
static inline int
kr_utf8_write(uint32_t ch, char *out)
{
    if (ch < 0x80) {
        out[0] = (char)ch;
        return 1;
    }
    if (ch < 0x800) {
        out[0] = (char)(0xC0 | ch >> 6);
        out[1] = (char)(0x80 | (ch & 0x3F));
        return 2;
    }
    if (ch < 0x10000) {
        out[0] = (char)(0xE0 | ch >> 12);
        out[1] = (char)(0x80 | (ch >> 6 & 0x3F));
        out[2] = (char)(0x80 | (ch & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | ch >> 18);
    out[1] = (char)(0x80 | (ch >> 12 & 0x3F));
    out[2] = (char)(0x80 | (ch >> 6 & 0x3F));
    out[3] = (char)(0x80 | (ch & 0x3F));
    return 4;
}

/* Length of the valid prefix of n bytes; fills in how many characters it has
 * and the bitwise or of them. */
size_t kr_utf8_scan(const uint8_t *s, size_t n, size_t *chars, uint32_t *bits);

#endif
