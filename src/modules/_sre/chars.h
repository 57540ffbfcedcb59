/* Characters as regular expressions see them. */
#ifndef KR_MODULES_SRE_CHARS_H
#define KR_MODULES_SRE_CHARS_H

#include <Python.h>
#include <ctype.h>
#include <stdbool.h>

static inline bool
ascii_digit(uint32_t c)
{
    return c - '0' < 10u;
}

static inline bool
ascii_space(uint32_t c)
{
    return c == ' ' || c - '\t' < 5u;
}

static inline bool
ascii_alpha(uint32_t c)
{
    return (c | 32) - 'a' < 26u;
}

static inline bool
ascii_word(uint32_t c)
{
    return ascii_alpha(c) || ascii_digit(c) || c == '_';
}

static inline bool
locale_word(uint32_t c)
{
    return c < 256 && (isalnum((int)c) || c == '_');
}

static inline bool
unicode_word(uint32_t c)
{
    return c < 128 ? ascii_word(c) : Py_UNICODE_ISALNUM(c);
}

static inline uint32_t
ascii_lower(uint32_t c)
{
    return c - 'A' < 26u ? c | 32 : c;
}

static inline uint32_t
locale_lower(uint32_t c)
{
    return c < 256 ? (uint32_t)tolower((int)c) : c;
}

static inline uint32_t
locale_upper(uint32_t c)
{
    return c < 256 ? (uint32_t)toupper((int)c) : c;
}

static inline uint32_t
unicode_lower(uint32_t c)
{
    return c < 128 ? ascii_lower(c) : Py_UNICODE_TOLOWER(c);
}

static inline uint32_t
unicode_upper(uint32_t c)
{
    return Py_UNICODE_TOUPPER(c);
}

/* Whether `c` is `lit` up to case, in the current locale. */
static inline bool
locale_same(uint32_t lit, uint32_t c)
{
    return c == lit || locale_lower(c) == lit || locale_upper(c) == lit;
}

#endif
