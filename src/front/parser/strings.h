/* Between the files that read string literals. */
#ifndef KR_FRONT_PARSER_STRINGS_H
#define KR_FRONT_PARSER_STRINGS_H

#include "front/parser/rules.h"

/* A str under construction: text, then fields if any part is an f-string. */
struct kr_joined {
    const Token *start, *last; /* of the whole concatenation */
    PyObject *text;            /* owned, not yet a node; may be NULL */
    expr_ty *values;
    int size, capacity;
    bool format; /* some part is an f-string */
};

/* Adds text; steals the reference. -1 with an exception. */
int kr_joined_text(Parser *p, struct kr_joined *j, PyObject *text);

/* Adds the f-string body *s up to `end`, or up to the '}' that ends a format
 * specification when depth > 0. -1 with an exception. */
int kr_joined_format(Parser *p, struct kr_joined *j, const char **s,
                     const char *end, bool raw, int depth, const Token *t);

/* The Constant or JoinedStr; NULL with an exception. */
expr_ty kr_joined_finish(Parser *p, struct kr_joined *j);
void kr_joined_clear(struct kr_joined *j);

/* The str that a non-raw literal's body means: new reference. */
PyObject *kr_decode_escapes(Parser *p, const char *s, size_t len,
                            const Token *t);
/* Warns about the escape at `bad`; as an error it becomes a SyntaxError at the
 * token. -1 with an exception. */
int kr_warn_escape(Parser *p, const char *bad, const Token *t);

#endif
