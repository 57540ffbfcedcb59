/* Entry points: bytes, files and terminals to trees. */
#include "front/parser/parser.h"

#include <string.h>

#include "front/parser/rules.h"

static mod_ty
parse_lexed(KrLexer *lexer, int mode, PyCompilerFlags *flags, int *reached_end,
            KrArena *arena)
{
    Parser parser;
    int bits = flags ? flags->cf_flags : 0;
    int version = PY_MINOR_VERSION;
    if (flags && (bits & PyCF_ONLY_AST)) {
        version = flags->cf_feature_version;
    }
    struct kr_identifiers identifiers = {NULL, 0, 0};
    kr_parser_init(&parser, lexer, mode, bits, version, arena, &identifiers);
    mod_ty tree = kr_parser_run(&parser);
    if (reached_end != NULL) {
        *reached_end = parser.reached_end;
    }
    kr_parser_fini(&parser);
    PyMem_Free(identifiers.entries);
    return tree;
}

/* How the source came here, which errors depend on. */
struct origin {
    const char *encoding; /* NULL when nothing names it */
    bool from_file;
};

static mod_ty
parse_utf8(const char *src, size_t len, struct origin origin,
           PyObject *filename, int mode, PyCompilerFlags *flags,
           KrArena *arena)
{
    KrLexer lexer;
    if (kr_lexer_init(&lexer, src, len, mode == Py_file_input, filename) < 0) {
        return NULL;
    }
    lexer.encoding = origin.encoding;
    lexer.from_file = origin.from_file;
    mod_ty tree = parse_lexed(&lexer, mode, flags, NULL, arena);
    kr_lexer_fini(&lexer);
    return tree;
}

static mod_ty
parse_bytes(const char *src, size_t len, bool from_file, PyObject *filename,
            int mode, PyCompilerFlags *flags, KrArena *arena)
{
    char encoding[KR_ENCODING_SIZE];
    PyObject *utf8 =
        kr_decode_source(src, len, from_file, filename, encoding);
    if (utf8 == NULL) {
        return NULL;
    }
    struct origin origin = {*encoding != '\0' ? encoding : NULL, from_file};
    mod_ty tree = parse_utf8(PyBytes_AS_STRING(utf8),
                             (size_t)PyBytes_GET_SIZE(utf8), origin, filename,
                             mode, flags, arena);
    Py_DECREF(utf8);
    return tree;
}

mod_ty
kr_parse_string(const char *src, size_t len, PyObject *filename, int mode,
                PyCompilerFlags *flags, KrArena *arena)
{
    if (PySys_Audit("compile", "yO", src, filename ? filename : Py_None) < 0) {
        return NULL;
    }
    if (flags != NULL && (flags->cf_flags & PyCF_IGNORE_COOKIE)) {
        struct origin origin = {.encoding = "utf-8"};
        return parse_utf8(src, len, origin, filename, mode, flags, arena);
    }
    return parse_bytes(src, len, false, filename, mode, flags, arena);
}

/* Takes out what stands between a NUL and the start of the next line, line end
 * included: so the reference reads lines. Returns the new length. */
static size_t
cut_at_nuls(char *text, size_t len)
{
    char *out = text;
    const char *s = text, *end = text + len, *nul;
    while ((nul = memchr(s, '\0', (size_t)(end - s))) != NULL) {
        memmove(out, s, (size_t)(nul - s));
        out += nul - s;
        s = memchr(nul, '\n', (size_t)(end - nul));
        if (s++ == NULL) {
            return (size_t)(out - text);
        }
    }
    memmove(out, s, (size_t)(end - s));
    return (size_t)(out + (end - s) - text);
}

mod_ty
kr_parse_file_text(char *text, size_t len, PyObject *filename, int mode,
                   PyCompilerFlags *flags, KrArena *arena)
{
    if (PySys_Audit("compile", "OO", Py_None, filename) < 0) {
        return NULL;
    }
    len = cut_at_nuls(text, len);
    if (len > 1 && text[len - 2] == '\r' && text[len - 1] == '\n') {
        text[--len - 1] = '\n'; /* no line is added after it */
    }
    return parse_bytes(text, len, true, filename, mode, flags, arena);
}

mod_ty
kr_parse_interactive(FILE *fp, PyObject *filename, const char *encoding,
                     const char *ps1, const char *ps2, PyCompilerFlags *flags,
                     int *reached_end, KrArena *arena)
{
    KrLexer lexer;
    *reached_end = 0;
    if (kr_lexer_init_interactive(&lexer, fp, encoding, ps1, ps2, filename) <
        0) {
        return NULL;
    }
    mod_ty tree =
        parse_lexed(&lexer, Py_single_input, flags, reached_end, arena);
    kr_lexer_fini(&lexer);
    return tree;
}
