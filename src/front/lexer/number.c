/* Numeric literals. */
#include "front/lexer/scan.h"

/* The character at `p`, which is read nowhere but at the end of the line: then
 * the lexer notes the end of the input. */
static int
look_at(KrLexer *t, const char *p)
{
    if (p < t->inp) {
        return (unsigned char)*p;
    }
    ptrdiff_t here = t->cur - t->buf;
    t->cur = t->inp;
    int c = kr_next_char(t);
    t->cur = t->buf + here;
    return c;
}

/* Are the next characters `rest`? Reads nothing. */
static bool
followed_by(KrLexer *t, const char *rest)
{
    const char *p = t->cur;
    for (; *rest != '\0'; rest++, p++) {
        if (look_at(t, p) != *rest) {
            return false;
        }
    }
    return !kr_is_name_char(look_at(t, p));
}

/* Could a keyword that may follow a number begin with `c`, already read? */
static bool
keyword_follows(KrLexer *t, int c)
{
    switch (c) {
    case 'a': return followed_by(t, "nd");
    case 'e': return followed_by(t, "lse");
    case 'f': return followed_by(t, "or");
    case 'i': {
        int next = look_at(t, t->cur);
        return next == 'f' || next == 'n' || next == 's';
    }
    case 'n': return followed_by(t, "ot");
    case 'o': return followed_by(t, "r");
    }
    return false;
}

/* Checks the character after a number, and puts it back. */
static int
finish(KrLexer *t, int c, const char *kind, const char **start,
       const char **end)
{
    kr_back_up(t, c);
    if (c != EOF && kr_is_name_char(c)) {
        t->cur++;
        bool keyword = keyword_follows(t, c);
        t->cur--;
        if (!keyword) {
            t->cur++;
            t->cur--;
            return kr_lexer_error(t, "invalid %s literal", kind);
        }
        if (kr_lexer_warn(t, PyExc_SyntaxWarning, "invalid %s literal",
                          kind) < 0) {
            return T_ERRORTOKEN;
        }
    }
    *start = t->start;
    *end = t->cur;
    return T_NUMBER;
}

/* Reads digits with single underscores between, the first one being read
 * already; returns the character after them, or 0 with an exception set. */
static int
decimal_tail(KrLexer *t)
{
    for (;;) {
        int c;
        do {
            c = kr_next_char(t);
        } while (Py_ISDIGIT(c));
        if (c != '_') {
            return c;
        }
        c = kr_next_char(t);
        if (!Py_ISDIGIT(c)) {
            kr_back_up(t, c);
            kr_lexer_error(t, "invalid decimal literal");
            return 0;
        }
    }
}

static int
finish_imaginary(KrLexer *t, const char **start, const char **end)
{
    return finish(t, kr_next_char(t), "imaginary", start, end);
}

/* `c` is the character after the digits of the fraction (or integer part). */
static int
read_exponent(KrLexer *t, int c, const char **start, const char **end)
{
    if (c == 'e' || c == 'E') {
        int e = c;
        c = kr_next_char(t);
        if (c == '+' || c == '-') {
            c = kr_next_char(t);
            if (!Py_ISDIGIT(c)) {
                kr_back_up(t, c);
                return kr_lexer_error(t, "invalid decimal literal");
            }
        }
        else if (!Py_ISDIGIT(c)) {
            kr_back_up(t, c);
            return finish(t, e, "decimal", start, end);
        }
        c = decimal_tail(t);
        if (c == 0) {
            return T_ERRORTOKEN;
        }
    }
    if (c == 'j' || c == 'J') {
        return finish_imaginary(t, start, end);
    }
    return finish(t, c, "decimal", start, end);
}

int
kr_read_fraction(KrLexer *t, int c, const char **start, const char **end)
{
    if (Py_ISDIGIT(c)) {
        c = decimal_tail(t);
        if (c == 0) {
            return T_ERRORTOKEN;
        }
    }
    return read_exponent(t, c, start, end);
}

static int
digit_value(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* After 0x, 0o or 0b. */
static int
read_radix(KrLexer *t, int base, const char *kind, const char **start,
           const char **end)
{
    int c = kr_next_char(t);
    do {
        if (c == '_') {
            c = kr_next_char(t);
        }
        if (digit_value(c) >= base) {
            if (Py_ISDIGIT(c)) {
                return kr_lexer_error(t, "invalid digit '%c' in %s literal", c,
                                      kind);
            }
            kr_back_up(t, c);
            return kr_lexer_error(t, "invalid %s literal", kind);
        }
        do {
            c = kr_next_char(t);
        } while (digit_value(c) < base);
    } while (c == '_');
    if (Py_ISDIGIT(c)) {
        return kr_lexer_error(t, "invalid digit '%c' in %s literal", c, kind);
    }
    return finish(t, c, kind, start, end);
}

/* After a leading 0: more zeros, or a float or imaginary number. */
static int
read_zeros(KrLexer *t, int c, const char **start, const char **end)
{
    bool nonzero = false;
    for (;;) {
        if (c == '_') {
            c = kr_next_char(t);
            if (!Py_ISDIGIT(c)) {
                kr_back_up(t, c);
                return kr_lexer_error(t, "invalid decimal literal");
            }
        }
        if (c != '0') {
            break;
        }
        c = kr_next_char(t);
    }
    const char *zeros_end = t->cur;
    if (Py_ISDIGIT(c)) {
        nonzero = true;
        c = decimal_tail(t);
        if (c == 0) {
            return T_ERRORTOKEN;
        }
    }
    if (c == '.') {
        return kr_read_fraction(t, kr_next_char(t), start, end);
    }
    if (c == 'e' || c == 'E') {
        return read_exponent(t, c, start, end);
    }
    if (c == 'j' || c == 'J') {
        return finish_imaginary(t, start, end);
    }
    if (nonzero) {
        kr_back_up(t, c);
        return kr_lexer_error_range(
            t, (int)(t->start + 1 - t->line_start),
            (int)(zeros_end - t->line_start),
            "leading zeros in decimal integer literals are not permitted; use "
            "an 0o prefix for octal integers");
    }
    return finish(t, c, "decimal", start, end);
}

int
kr_read_number(KrLexer *t, int c, const char **start, const char **end)
{
    if (c == '0') {
        c = kr_next_char(t);
        switch (c) {
        case 'x':
        case 'X': return read_radix(t, 16, "hexadecimal", start, end);
        case 'o':
        case 'O': return read_radix(t, 8, "octal", start, end);
        case 'b':
        case 'B': return read_radix(t, 2, "binary", start, end);
        }
        return read_zeros(t, c, start, end);
    }
    c = decimal_tail(t);
    if (c == 0) {
        return T_ERRORTOKEN;
    }
    if (c == '.') {
        return kr_read_fraction(t, kr_next_char(t), start, end);
    }
    return read_exponent(t, c, start, end);
}
