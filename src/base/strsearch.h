/* Substring search over arrays of 1-, 2- and 4-byte characters.
 *
 * Every search is linear in the worst case: short scans with a fast character
 * search first, and the two-way algorithm once those cost too much.
 * Results are indexes into the haystack, or -1. Nothing here fails. */
#ifndef KR_BASE_STRSEARCH_H
#define KR_BASE_STRSEARCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define KR_STRSEARCH_API(CHAR, SUFFIX)                                         \
    ssize_t kr_find_char##SUFFIX(const CHAR *s, ssize_t n, CHAR ch);           \
    ssize_t kr_rfind_char##SUFFIX(const CHAR *s, ssize_t n, CHAR ch);          \
    ssize_t kr_find##SUFFIX(const CHAR *s, ssize_t n, const CHAR *p,           \
                            ssize_t m);                                        \
    ssize_t kr_rfind##SUFFIX(const CHAR *s, ssize_t n, const CHAR *p,          \
                             ssize_t m);                                       \
    /* non-overlapping occurrences of a non-empty p, at most `max` */          \
    ssize_t kr_count##SUFFIX(const CHAR *s, ssize_t n, const CHAR *p,          \
                             ssize_t m, ssize_t max);

KR_STRSEARCH_API(uint8_t, 1)
KR_STRSEARCH_API(uint16_t, 2)
KR_STRSEARCH_API(uint32_t, 4)

#undef KR_STRSEARCH_API

#endif
