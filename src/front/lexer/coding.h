/* The encoding that source text gives itself (PEP 263). */
#ifndef KR_FRONT_LEXER_CODING_H
#define KR_FRONT_LEXER_CODING_H

#include <Python.h>

#include "base/common.h"

/* The name in a coding comment that is all of one line: "utf-8", "iso-8859-1"
 * or as written, a new bytes object; NULL without an exception if there is
 * none, with MemoryError set on failure. */
PyObject *kr_coding_of_line(const char *line, const char *end);

/* The same for the first two lines of text without a byte order mark. */
PyObject *kr_find_coding(const char *text, size_t len);

/* Does only white space stand in the line before its end or a comment? */
bool kr_is_blank_or_comment(const char *line, const char *end);

static inline bool
kr_has_byte_order_mark(const char *text, size_t len)
{
    return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
}

#endif
