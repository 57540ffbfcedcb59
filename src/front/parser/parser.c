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
    struct kr_identifiers identifiers = {NULL, 0, 0, NULL};
    kr_parser_init(&parser, lexer, mode, bits, version, arena, &identifiers);
    mod_ty tree = kr_parser_run(&parser);
    if (reached_end != NULL) {
        *reached_end = parser.reached_end;
    }
    kr_parser_fini(&parser);
    PyMem_Free(identifiers.entries);
    return tree;
}

/* UTF-8 of which `encoding` is the name, NULL when nothing names it; `raw` is
 * what was decoded to it, NULL for itself. */
static mod_ty
parse_utf8(const char *src, size_t len, const char *encoding, const char *raw,
           PyObject *filename, int mode, PyCompilerFlags *flags,
           KrArena *arena)
{
    KrLexer lexer;
    if (kr_lexer_init(&lexer, src, len, mode == Py_file_input, filename) < 0) {
        return NULL;
    }
    lexer.encoding = encoding;
    lexer.raw = raw;
    mod_ty tree = parse_lexed(&lexer, mode, flags, NULL, arena);
    kr_lexer_fini(&lexer);
    return tree;
}

static mod_ty
parse_bytes(const char *src, size_t len, PyObject *filename, int mode,
            PyCompilerFlags *flags, KrArena *arena)
{
    PyObject *encoding, *utf8 = kr_decode_source(
        src, len, mode == Py_file_input, filename, &encoding);
    if (utf8 == NULL) {
        return NULL;
    }
    const char *name = encoding ? PyBytes_AS_STRING(encoding) : NULL;
    bool recoded = name != NULL && strcmp(name, "utf-8") != 0;
    mod_ty tree = parse_utf8(PyBytes_AS_STRING(utf8),
                             (size_t)PyBytes_GET_SIZE(utf8), name,
                             recoded ? src : NULL, filename, mode, flags,
                             arena);
    Py_DECREF(utf8);
    Py_XDECREF(encoding);
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
        return parse_utf8(src, len, "utf-8", NULL, filename, mode, flags,
                          arena);
    }
    return parse_bytes(src, len, filename, mode, flags, arena);
}

mod_ty
kr_parse_file_text(char *text, size_t len, bool seekable, PyObject *filename,
                   int mode, PyCompilerFlags *flags, KrArena *arena)
{
    if (PySys_Audit("compile", "OO", Py_None, filename) < 0) {
        return NULL;
    }
    KrLexer lexer;
    if (kr_lexer_init_file(&lexer, text, len, seekable, filename) < 0) {
        return NULL;
    }
    mod_ty tree = parse_lexed(&lexer, mode, flags, NULL, arena);
    kr_lexer_fini(&lexer);
    return tree;
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
