/* Between the files of the lexer: characters and numbers. */
#ifndef KR_FRONT_LEXER_SCAN_H
#define KR_FRONT_LEXER_SCAN_H

#include "front/lexer/lexer.h"

/* Makes the next line current; 0 at the end of the input (lexer->done set). */
int kr_next_line(KrLexer *t);

/* Looks for a coding comment in the current line, one of the first two of a
 * file; 0 with an exception set. */
int kr_check_coding(KrLexer *t);
void kr_reader_free(struct kr_reader *reader);

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

/* Classes of bytes. */
enum {
    KR_CH_NAME = 1,       /* letters, digits, _, and all beyond ASCII */
    KR_CH_NAME_START = 2, /* those that are no digits */
    KR_CH_WIDE = 4,       /* beyond ASCII */
};
extern const unsigned char kr_char_class[256];

static inline bool
kr_is_name_char(int c)
{
    return c >= 0 && (kr_char_class[c] & KR_CH_NAME);
}

/* Type and length of the operator at `s` if it is no bracket, else T_OP. Two
 * more characters can be looked at. */
int kr_operator(const char *s, int *length);

/* Reads a number that begins with the digit `c`, or, for a fraction, the
 * digit after a leading dot. */
int kr_read_number(KrLexer *t, int c, const char **start, const char **end);
int kr_read_fraction(KrLexer *t, int c, const char **start, const char **end);

/* As <token.h> declares them, whose other names would be in the way here: the
 * type of an operator, or OP. */
PyAPI_FUNC(int) PyToken_OneChar(int c1);
PyAPI_FUNC(int) PyToken_TwoChars(int c1, int c2);
PyAPI_FUNC(int) PyToken_ThreeChars(int c1, int c2, int c3);

#endif
