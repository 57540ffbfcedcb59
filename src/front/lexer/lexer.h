/* Source text to tokens.
 *
 * Works on UTF-8 with '\n' line ends, one line at a time, so that errors know
 * the line they are in and interactive input is read no further than needed.
 * Columns are byte offsets in the line. */
#ifndef KR_FRONT_LEXER_LEXER_H
#define KR_FRONT_LEXER_LEXER_H

#include <Python.h>

#include "base/common.h"
#include "kr_tokens.h"

enum { KR_MAX_INDENT = 100, KR_MAX_PARENS = 200 };

enum kr_lexer_done {
    KR_LEX_OK,
    KR_LEX_EOF,        /* no more input */
    KR_LEX_ERROR,      /* exception set */
    KR_LEX_EOF_STRING, /* exception set; the input ended in a string, */
    KR_LEX_EOL_STRING, /* of one line */
    KR_LEX_DEDENT,
    KR_LEX_TABS,
    KR_LEX_TOO_DEEP,
    KR_LEX_CONTINUATION,
    KR_LEX_INTERRUPT,
};

typedef struct KrLexer KrLexer;

struct KrLexer {
    char *buf; /* all source known so far, '\0'-terminated; owned */
    const char *cur, *inp; /* next character; end of the current line */
    const char *end;       /* end of the source */
    const char *start;     /* of the current token */
    const char *line_start, *multi_line_start;
    const char *context; /* line in which the current token starts */
    enum kr_lexer_done done;
    int lineno, first_lineno;
    int level; /* of open brackets */
    char paren[KR_MAX_PARENS];
    int paren_line[KR_MAX_PARENS], paren_col[KR_MAX_PARENS];
    int indent, pending; /* pending INDENTs, or DEDENTs if negative */
    int indents[KR_MAX_INDENT], alt_indents[KR_MAX_INDENT];
    bool at_line_start, after_continuation;
    bool type_comments, interactive, stop_reading;
    bool from_file;         /* as the reference reads files, line by line */
    bool seek_coding;       /* the next line may name the encoding */
    PyObject *filename; /* borrowed; may be NULL */
    const char *encoding; /* named by the source or its reader, or NULL: then
                             columns of errors count bytes */
    /* More input: appends a line to the buffer, which may move. 0 if there is
     * none: `done` tells why, and may be KR_LEX_OK. NULL: all is there. */
    int (*read_line)(KrLexer *lexer);
    struct kr_reader *reader; /* of a file; owned */
    size_t capacity;          /* of buf, 0 for one that does not grow */
    const char *raw; /* what was decoded to buf, if that was; borrowed */
    char *shown; /* lines for errors if they are not those of buf; owned */
    size_t shown_size;
    FILE *fp; /* to PyOS_Readline */
    const char *prompt, *next_prompt;
};

/* Starts on `len` bytes of UTF-8 source, which are copied with line ends made
 * '\n'; with `add_newline` the last line gets one. 0, or -1 with MemoryError
 * set. */
int kr_lexer_init(KrLexer *lexer, const char *src, size_t len,
                  bool add_newline, PyObject *filename);

/* Starts on all that a file holds, of which the end may be changed and which
 * must stay while lexing. `seekable`: whether it could be read once more. 0,
 * or -1 with MemoryError set. */
int kr_lexer_init_file(KrLexer *lexer, char *text, size_t len, bool seekable,
                       PyObject *filename);

/* Starts on the terminal `fp`. 0, or -1 with an exception. */
int kr_lexer_init_interactive(KrLexer *lexer, FILE *fp, const char *encoding,
                              const char *ps1, const char *ps2,
                              PyObject *filename);

void kr_lexer_fini(KrLexer *lexer);

/* The next token's type, and its text (NULL for INDENT, DEDENT, ENDMARKER).
 * T_ERRORTOKEN: see lexer->done, and whether an exception is set. */
int kr_lexer_next(KrLexer *lexer, const char **start, const char **end);

/* Type of the keyword spelled so, or T_NAME. */
int kr_keyword_type(const char *text, size_t len);

/* Raises SyntaxError at the current position (col < 0) or a range of byte
 * columns of the current line; returns T_ERRORTOKEN. */
int kr_lexer_error(KrLexer *lexer, const char *format, ...);
int kr_lexer_error_range(KrLexer *lexer, int col, int end_col,
                         const char *format, ...);

/* Warns with the lexer's position. 0, or -1 with an exception set. */
int kr_lexer_warn(KrLexer *lexer, PyObject *category, const char *format, ...);

/* Decodes bytes by BOM and coding line (PEP 263) to UTF-8: a new bytes object,
 * or NULL with an exception set. What should be UTF-8 is not checked: the
 * lexer and the parser find errors where they matter. `encoding` gets the name
 * that the source gives itself, a new bytes object or NULL. `add_newline` as
 * for kr_lexer_init. */
PyObject *kr_decode_source(const char *src, size_t len, bool add_newline,
                           PyObject *filename, PyObject **encoding);

#endif
