/* Operators and keywords. */
#include <string.h>

#include "front/lexer/scan.h"

PyAPI_DATA(const char *const) _PyParser_TokenNames[65];

const char *const _PyParser_TokenNames[65] = {
    KR_TOKEN_NAMES "<N_TOKENS>",
};

static const unsigned char one_char[128] = {
    ['%'] = T_PERCENT, ['&'] = T_AMPER,      ['('] = T_LPAR,
    [')'] = T_RPAR,    ['*'] = T_STAR,       ['+'] = T_PLUS,
    [','] = T_COMMA,   ['-'] = T_MINUS,      ['.'] = T_DOT,
    ['/'] = T_SLASH,   [':'] = T_COLON,      [';'] = T_SEMI,
    ['<'] = T_LESS,    ['='] = T_EQUAL,      ['>'] = T_GREATER,
    ['@'] = T_AT,      ['['] = T_LSQB,       [']'] = T_RSQB,
    ['^'] = T_CIRCUMFLEX, ['{'] = T_LBRACE,  ['|'] = T_VBAR,
    ['}'] = T_RBRACE,  ['~'] = T_TILDE,
};

int
PyToken_OneChar(int c1)
{
    int type = c1 >= 0 && c1 < 128 ? one_char[c1] : 0;
    return type != 0 ? type : T_OP;
}

static int
with_equal(int c1)
{
    switch (c1) {
    case '!': return T_NOTEQUAL;
    case '%': return T_PERCENTEQUAL;
    case '&': return T_AMPEREQUAL;
    case '*': return T_STAREQUAL;
    case '+': return T_PLUSEQUAL;
    case '-': return T_MINEQUAL;
    case '/': return T_SLASHEQUAL;
    case ':': return T_COLONEQUAL;
    case '<': return T_LESSEQUAL;
    case '=': return T_EQEQUAL;
    case '>': return T_GREATEREQUAL;
    case '@': return T_ATEQUAL;
    case '^': return T_CIRCUMFLEXEQUAL;
    case '|': return T_VBAREQUAL;
    }
    return T_OP;
}

int
PyToken_TwoChars(int c1, int c2)
{
    if (c2 == '=') {
        return with_equal(c1);
    }
    switch (c1 << 8 | c2) {
    case '*' << 8 | '*': return T_DOUBLESTAR;
    case '-' << 8 | '>': return T_RARROW;
    case '/' << 8 | '/': return T_DOUBLESLASH;
    case '<' << 8 | '<': return T_LEFTSHIFT;
    case '<' << 8 | '>': return T_NOTEQUAL;
    case '>' << 8 | '>': return T_RIGHTSHIFT;
    }
    return T_OP;
}

int
PyToken_ThreeChars(int c1, int c2, int c3)
{
    if (c1 == '.' && c2 == '.' && c3 == '.') {
        return T_ELLIPSIS;
    }
    if (c3 != '=' || c1 != c2) {
        return T_OP;
    }
    switch (c1) {
    case '*': return T_DOUBLESTAREQUAL;
    case '/': return T_DOUBLESLASHEQUAL;
    case '<': return T_LEFTSHIFTEQUAL;
    case '>': return T_RIGHTSHIFTEQUAL;
    }
    return T_OP;
}

/* What each character can be the start of. */
enum {
    ALONE = 1,    /* an operator that no other begins with */
    EQUAL = 2,    /* one, or with = another */
    REPEATED = 4, /* or with itself, and then also with = */
};
static const unsigned char kind[128] = {
    [','] = ALONE, [';'] = ALONE,  ['~'] = ALONE,
    ['%'] = EQUAL, ['&'] = EQUAL,  ['+'] = EQUAL, [':'] = EQUAL,
    ['-'] = EQUAL, ['='] = EQUAL, ['@'] = EQUAL,  ['^'] = EQUAL, ['|'] = EQUAL,
    ['*'] = EQUAL | REPEATED,      ['/'] = EQUAL | REPEATED,
    ['>'] = EQUAL | REPEATED,
};

int
kr_operator(const char *s, int *length)
{
    unsigned char c = (unsigned char)s[0];
    unsigned k = c < 128 ? kind[c] : 0;
    if (k == 0) {
        return T_OP;
    }
    if ((k & REPEATED) && s[1] == s[0]) {
        bool equal = s[2] == '=';
        *length = 2 + equal;
        return equal ? PyToken_ThreeChars(c, c, '=') : PyToken_TwoChars(c, c);
    }
    if ((k & EQUAL) && s[1] == '=') {
        *length = 2;
        return with_equal(c);
    }
    if (c == '-' && s[1] == '>') {
        *length = 2;
        return T_RARROW;
    }
    return one_char[c];
}

int
kr_keyword_type(const char *s, size_t len)
{
#define TRY(word)                                                              \
    if (len == sizeof(#word) - 1 && memcmp(s, #word, sizeof(#word) - 1) == 0) {\
        return KW_##word;                                                      \
    }
    switch (s[0]) {
    case 'F': TRY(False) break;
    case 'N': TRY(None) break;
    case 'T': TRY(True) break;
    case 'a':
        if (len == 5 && memcmp(s, "async", 5) == 0) {
            return T_ASYNC;
        }
        if (len == 5 && memcmp(s, "await", 5) == 0) {
            return T_AWAIT;
        }
        TRY(and) TRY(as) TRY(assert) break;
    case 'b': TRY(break) break;
    case 'c': TRY(class) TRY(continue) break;
    case 'd': TRY(def) TRY(del) break;
    case 'e': TRY(else) TRY(elif) TRY(except) break;
    case 'f': TRY(for) TRY(from) TRY(finally) break;
    case 'g': TRY(global) break;
    case 'i': TRY(if) TRY(in) TRY(is) TRY(import) break;
    case 'l': TRY(lambda) break;
    case 'n': TRY(not) TRY(nonlocal) break;
    case 'o': TRY(or) break;
    case 'p': TRY(pass) break;
    case 'r': TRY(return) TRY(raise) break;
    case 't': TRY(try) break;
    case 'w': TRY(while) TRY(with) break;
    case 'y': TRY(yield) break;
    }
    return T_NAME;
#undef TRY
}
