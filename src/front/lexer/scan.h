/* Between the files of the lexer: characters and numbers. */
#ifndef KR_FRONT_LEXER_SCAN_H
#define KR_FRONT_LEXER_SCAN_H

#include "front/lexer/lexer.h"

/* Makes the next line current; 0 at the end of the input (lexer->done set). */
int kr_next_line(KrLexer *t);

/* The next byte, or EOF. */
static inline int
kr_next_char(KrLexer *t)
{
    if (KR_LIKELY(t->cur != t->inp)) {
        return (unsigned char)*t->cur++;
    }
    return kr_next_line(t) ? (unsigned char)*t->cur++ : EOF;
}

static inline void
kr_back_up(KrLexer *t, int c)
{
    if (c != EOF) {
        t->cur--;
    }
}

static inline bool
kr_is_name_char(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c >= 128;
}

/* Reads a number that begins with the digit `c`, or, for a fraction, the
 * digit after a leading dot. */
int kr_read_number(KrLexer *t, int c, const char **start, const char **end);
int kr_read_fraction(KrLexer *t, int c, const char **start, const char **end);

#endif
