/* The tokenizer proper: lines, indentation, names, strings, operators. */
#include "front/lexer/lexer.h"

#include <string.h>

#include "front/lexer/scan.h"

enum { TAB_SIZE = 8 };

#define LETTER (KR_CH_NAME | KR_CH_NAME_START)
const unsigned char kr_char_class[256] = {
    ['0' ... '9'] = KR_CH_NAME,
    ['A' ... 'Z'] = LETTER,
    ['_'] = LETTER,
    ['a' ... 'z'] = LETTER,
    [128 ... 255] = LETTER | KR_CH_WIDE,
};

static inline bool
is_name_start(int c)
{
    return kr_char_class[c] & KR_CH_NAME_START;
}

/* Takes a backslash's line end; -1 with lexer->done set if there is none, else
 * the next character, which stays to be read. */
static int
continuation_line(KrLexer *t)
{
    int c = kr_next_char(t);
    if (c != '\n') {
        t->done = KR_LEX_CONTINUATION;
        return -1;
    }
    c = kr_next_char(t);
    if (c == EOF) {
        t->done = KR_LEX_EOF;
        t->cur = t->inp;
        return -1;
    }
    kr_back_up(t, c);
    return c;
}

struct column {
    int col, alt_col; /* the second counts a tab as one column */
};

/* Reads leading white space; -1 if it is broken off. */
static int
read_indentation(KrLexer *t, struct column *where)
{
    int col = 0, alt_col = 0, continued_col = 0;
    for (;;) {
        int c = kr_next_char(t);
        if (c == ' ') {
            col++, alt_col++;
        }
        else if (c == '\t') {
            col = (col / TAB_SIZE + 1) * TAB_SIZE;
            alt_col++;
        }
        else if (c == '\014') {
            col = alt_col = 0;
        }
        else if (c == '\\') {
            continued_col = continued_col ? continued_col : col;
            if (continuation_line(t) == -1) {
                return -1;
            }
        }
        else {
            kr_back_up(t, c);
            where->col = continued_col ? continued_col : col;
            where->alt_col = continued_col ? continued_col : alt_col;
            return 0;
        }
    }
}

/* The usual case of that; false, with nothing read, if it is another. */
static bool
only_spaces(KrLexer *t, struct column *where)
{
    if (t->cur == t->inp && !kr_next_line(t)) {
        where->col = where->alt_col = 0;
        return true;
    }
    const char *p = t->cur;
    while (*p == ' ') {
        p++;
    }
    if (*p == '\t' || *p == '\014' || *p == '\\') {
        return false;
    }
    where->col = where->alt_col = (int)(p - t->cur);
    t->cur = p;
    return true;
}

static int
inconsistent_tabs(KrLexer *t)
{
    t->done = KR_LEX_TABS;
    t->cur = t->inp;
    return -1;
}

/* Compares with the indentation stack and sets t->pending; -1 on error. */
static int
change_indentation(KrLexer *t, struct column where)
{
    if (where.col == t->indents[t->indent]) {
        if (where.alt_col != t->alt_indents[t->indent]) {
            return inconsistent_tabs(t);
        }
        return 0;
    }
    if (where.col > t->indents[t->indent]) {
        if (t->indent + 1 >= KR_MAX_INDENT) {
            t->done = KR_LEX_TOO_DEEP;
            t->cur = t->inp;
            return -1;
        }
        if (where.alt_col <= t->alt_indents[t->indent]) {
            return inconsistent_tabs(t);
        }
        t->pending++;
        t->indent++;
        t->indents[t->indent] = where.col;
        t->alt_indents[t->indent] = where.alt_col;
        return 0;
    }
    while (t->indent > 0 && where.col < t->indents[t->indent]) {
        t->pending--;
        t->indent--;
    }
    if (where.col != t->indents[t->indent]) {
        t->done = KR_LEX_DEDENT;
        t->cur = t->inp;
        return -1;
    }
    if (where.alt_col != t->alt_indents[t->indent]) {
        return inconsistent_tabs(t);
    }
    return 0;
}

/* Start of a line. Sets *blank if the line has no statement. -1 on error. */
static int
begin_line(KrLexer *t, bool *blank)
{
    struct column where = {0, 0};
    t->at_line_start = false;
    if (!only_spaces(t, &where) && read_indentation(t, &where) < 0) {
        return -1;
    }
    int c = t->cur == t->inp ? EOF : (unsigned char)*t->cur;
    if (c == '#' || c == '\n') {
        if (where.col == 0 && c == '\n' && t->interactive) {
            *blank = false; /* an empty line ends the statement */
        }
        else if (t->interactive && t->lineno == 1) {
            *blank = false;
            where.col = where.alt_col = 0;
        }
        else {
            *blank = true;
        }
    }
    if (!*blank && t->level == 0) {
        return change_indentation(t, where);
    }
    return 0;
}

/* After the '#' of a comment up to the line end: is it a type comment? Returns
 * its token type, or 0 for an ordinary comment. */
static int
type_comment(KrLexer *t, const char *text, const char **start,
             const char **end)
{
    const char *p = text;
    for (const char *prefix = "# type: "; *prefix && p < t->cur; prefix++) {
        if (*prefix == ' ') {
            while (*p == ' ' || *p == '\t') {
                p++;
            }
        }
        else if (*prefix == *p) {
            p++;
        }
        else {
            return 0;
        }
        if (prefix[1] == '\0') {
            goto found;
        }
    }
    return 0;
found:;
    const char *ignore_end = p + 6;
    *end = t->cur;
    if (t->cur >= ignore_end && memcmp(p, "ignore", 6) == 0 &&
        !(t->cur > ignore_end && ((unsigned char)ignore_end[0] >= 128 ||
                                  Py_ISALNUM(ignore_end[0])))) {
        *start = ignore_end;
        return T_TYPE_IGNORE;
    }
    *start = p;
    return T_TYPE_COMMENT;
}

/* Checks a name with characters beyond ASCII; 0 with an exception if bad. */
static int
verify_name(KrLexer *t)
{
    PyObject *s = PyUnicode_DecodeUTF8(t->start, t->cur - t->start, NULL);
    if (s == NULL) {
        t->done = KR_LEX_ERROR;
        return 0;
    }
    if (PyUnicode_IsIdentifier(s)) {
        Py_DECREF(s);
        return 1;
    }
    Py_ssize_t valid = 0, length = PyUnicode_GET_LENGTH(s);
    while (valid < length) {
        PyObject *prefix = PyUnicode_Substring(s, 0, valid + 1);
        int good = prefix != NULL && PyUnicode_IsIdentifier(prefix);
        Py_XDECREF(prefix);
        if (!good) {
            break;
        }
        valid++;
    }
    Py_UCS4 ch = PyUnicode_READ_CHAR(s, valid);
    if (valid + 1 < length) {
        PyObject *head = PyUnicode_Substring(s, 0, valid + 1);
        Py_ssize_t size = 0;
        if (head != NULL && PyUnicode_AsUTF8AndSize(head, &size) != NULL) {
            t->cur = t->start + size;
        }
        Py_XDECREF(head);
    }
    Py_DECREF(s);
    char hex[12];
    PyOS_snprintf(hex, sizeof(hex), "%04X", (unsigned)ch);
    if (_PyUnicode_IsPrintable(ch)) {
        kr_lexer_error(t, "invalid character '%c' (U+%s)", ch, hex);
    }
    else {
        kr_lexer_error(t, "invalid non-printable character U+%s", hex);
    }
    return 0;
}

/* Can `c` stand in a string prefix, after those in *seen? */
static bool
prefix_letter(int c, unsigned *seen)
{
    enum { B = 1, U = 2, R = 4, F = 8 };
    unsigned letter, excludes;
    switch (c | 0x20) {
    case 'b': letter = B; excludes = B | U | F; break;
    case 'u': letter = U; excludes = B | U | R | F; break;
    case 'r': letter = R; excludes = R | U; break;
    case 'f': letter = F; excludes = F | B | U; break;
    default: return false;
    }
    if (c >= 128 || (*seen & excludes)) {
        return false;
    }
    *seen |= letter;
    return true;
}

static int
read_string(KrLexer *t, int quote, const char **start, const char **end)
{
    int quotes = 1, closing = 0;
    t->first_lineno = t->lineno;
    t->multi_line_start = t->line_start;
    int c = kr_next_char(t);
    if (c == quote) {
        c = kr_next_char(t);
        if (c == quote) {
            quotes = 3;
        }
        else {
            closing = 1; /* empty */
        }
    }
    if (c != quote) {
        kr_back_up(t, c);
    }
    while (closing != quotes) {
        const char *p = t->cur;
        while (p < t->inp && *p != quote && *p != '\\' && *p != '\n') {
            p++;
        }
        if (p != t->cur) {
            closing = 0;
            t->cur = p;
        }
        c = kr_next_char(t);
        if (t->done == KR_LEX_ERROR) {
            return T_ERRORTOKEN;
        }
        if (c == EOF || (quotes == 1 && c == '\n')) {
            int line = t->lineno;
            t->cur = t->start + 1;
            t->line_start = t->multi_line_start;
            t->lineno = t->first_lineno;
            kr_lexer_error(t,
                           quotes == 3
                               ? "unterminated triple-quoted string literal "
                                 "(detected at line %d)"
                               : "unterminated string literal (detected at "
                                 "line %d)",
                           line);
            if (c != '\n') {
                t->done = quotes == 3 ? KR_LEX_EOF_STRING : KR_LEX_EOL_STRING;
            }
            return T_ERRORTOKEN;
        }
        if (c == quote) {
            closing++;
        }
        else {
            closing = 0;
            if (c == '\\') {
                kr_next_char(t);
            }
        }
    }
    *start = t->start;
    *end = t->cur;
    return T_STRING;
}

/* Are the letters from `p` on, up to a quote, the prefix of a string? */
static bool
is_prefix(const char *p, const char *end)
{
    unsigned seen = 0;
    while (p < end && prefix_letter((unsigned char)*p, &seen)) {
        p++;
    }
    return p == end;
}

static int
read_name(KrLexer *t, const char **start, const char **end)
{
    const char *p = t->start;
    unsigned classes = 0, class;
    while ((class = kr_char_class[(unsigned char)*p]) & KR_CH_NAME) {
        classes |= class;
        p++;
    }
    t->cur = p;
    if (p == t->inp) {
        kr_back_up(t, kr_next_char(t)); /* notes the end of input */
    }
    else if ((*p == '"' || *p == '\'') && p - t->start <= 2 &&
             is_prefix(t->start, p)) {
        t->cur++;
        return read_string(t, *p, start, end);
    }
    if ((classes & KR_CH_WIDE) && !verify_name(t)) {
        return T_ERRORTOKEN;
    }
    *start = t->start;
    *end = t->cur;
    return T_NAME;
}

static int
open_bracket(KrLexer *t, int c)
{
    if (t->level >= KR_MAX_PARENS) {
        return kr_lexer_error(t, "too many nested parentheses");
    }
    t->paren[t->level] = (char)c;
    t->paren_line[t->level] = t->lineno;
    t->paren_col[t->level] = (int)(t->start - t->line_start);
    t->level++;
    return 0;
}

static int
close_bracket(KrLexer *t, int c)
{
    if (t->level == 0) {
        return kr_lexer_error(t, "unmatched '%c'", c);
    }
    t->level--;
    int opening = t->paren[t->level];
    if ((opening == '(' && c == ')') || (opening == '[' && c == ']') ||
        (opening == '{' && c == '}')) {
        return 0;
    }
    if (t->paren_line[t->level] != t->lineno) {
        return kr_lexer_error(t,
                              "closing parenthesis '%c' does not match opening "
                              "parenthesis '%c' on line %d",
                              c, opening, t->paren_line[t->level]);
    }
    return kr_lexer_error(t,
                          "closing parenthesis '%c' does not match opening "
                          "parenthesis '%c'",
                          c, opening);
}

static bool
is_bracket(int c)
{
    return c == '(' || c == ')' || c == '[' || c == ']' || c == '{' ||
           c == '}';
}

static int
read_operator(KrLexer *t, int c, const char **start, const char **end)
{
    if (KR_LIKELY(t->inp - t->cur >= 2)) {
        int length = 1, simple = kr_operator(t->start, &length);
        if (simple != T_OP) {
            t->cur = t->start + length;
            *start = t->start;
            *end = t->cur;
            return simple;
        }
    }
    int c2 = kr_next_char(t);
    int type = is_bracket(c) ? T_OP : PyToken_TwoChars(c, c2);
    if (type != T_OP) {
        int c3 = kr_next_char(t);
        int longer = PyToken_ThreeChars(c, c2, c3);
        if (longer != T_OP) {
            type = longer;
        }
        else {
            kr_back_up(t, c3);
        }
        *start = t->start;
        *end = t->cur;
        return type;
    }
    kr_back_up(t, c2);
    int error = 0;
    if (c == '(' || c == '[' || c == '{') {
        error = open_bracket(t, c);
    }
    else if (c == ')' || c == ']' || c == '}') {
        error = close_bracket(t, c);
    }
    if (error != 0) {
        return error;
    }
    if (!_PyUnicode_IsPrintable((Py_UCS4)c)) {
        char hex[9];
        PyOS_snprintf(hex, sizeof(hex), "%04X", c);
        return kr_lexer_error(t, "invalid non-printable character U+%s", hex);
    }
    *start = t->start;
    *end = t->cur;
    return PyToken_OneChar(c);
}

static int
read_dot(KrLexer *t, const char **start, const char **end)
{
    int c = kr_next_char(t);
    if (Py_ISDIGIT(c)) {
        return kr_read_fraction(t, c, start, end);
    }
    int type = T_DOT;
    if (c == '.') {
        c = kr_next_char(t);
        if (c == '.') {
            type = T_ELLIPSIS;
        }
        else {
            kr_back_up(t, c);
            kr_back_up(t, '.');
        }
    }
    else {
        kr_back_up(t, c);
    }
    *start = t->start;
    *end = t->cur;
    return type;
}

static int
end_of_input(KrLexer *t)
{
    if (t->level != 0) {
        return T_ERRORTOKEN;
    }
    return t->done == KR_LEX_EOF ? T_ENDMARKER : T_ERRORTOKEN;
}

/* Skips the rest of a comment; its token type if it is a type comment. */
static int
read_comment(KrLexer *t, const char **start, const char **end)
{
    const char *text = t->cur - 1;
    t->cur = t->inp[-1] == '\n' ? t->inp - 1 : t->inp;
    return t->type_comments ? type_comment(t, text, start, end) : 0;
}

int
kr_lexer_next(KrLexer *t, const char **start, const char **end)
{
    *start = *end = NULL;
    for (;;) {
        t->start = NULL;
        bool blank = false;
        if (t->at_line_start && begin_line(t, &blank) < 0) {
            return T_ERRORTOKEN;
        }
        t->start = t->cur;
        if (t->pending != 0) {
            if (t->pending < 0) {
                t->pending++;
                return T_DEDENT;
            }
            t->pending--;
            return T_INDENT;
        }
    again:
        t->start = NULL;
        int c = kr_next_char(t);
        while (c == ' ' || c == '\t' || c == '\014') {
            c = kr_next_char(t);
        }
        t->start = t->cur == NULL ? NULL : t->cur - 1;
        if (c == '#') {
            int type = read_comment(t, start, end);
            if (type != 0) {
                t->at_line_start |= blank && type == T_TYPE_IGNORE;
                return type;
            }
            c = kr_next_char(t);
        }
        if (c == EOF) {
            return end_of_input(t);
        }
        if (is_name_start(c)) {
            return read_name(t, start, end);
        }
        if (c == '\n') {
            t->at_line_start = true;
            if (blank || t->level > 0) {
                continue;
            }
            *start = t->start;
            *end = t->cur - 1;
            t->after_continuation = false;
            return T_NEWLINE;
        }
        if (c == '.') {
            return read_dot(t, start, end);
        }
        if (Py_ISDIGIT(c)) {
            return kr_read_number(t, c, start, end);
        }
        if (c == '\'' || c == '"') {
            return read_string(t, c, start, end);
        }
        if (c == '\\') {
            if (continuation_line(t) == -1) {
                return T_ERRORTOKEN;
            }
            t->after_continuation = true;
            goto again;
        }
        return read_operator(t, c, start, end);
    }
}
