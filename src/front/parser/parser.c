/* Entry points: bytes, files and terminals to trees. */
#include "front/parser/parser.h"

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
    kr_parser_init(&parser, lexer, mode, bits, version, arena);
    mod_ty tree = kr_parser_run(&parser);
    if (reached_end != NULL) {
        *reached_end = parser.reached_end;
    }
    kr_parser_fini(&parser);
    return tree;
}

static mod_ty
parse_utf8(const char *src, size_t len, PyObject *filename, int mode,
           PyCompilerFlags *flags, KrArena *arena)
{
    KrLexer lexer;
    if (kr_lexer_init(&lexer, src, len, mode == Py_file_input, filename) < 0) {
        return NULL;
    }
    mod_ty tree = parse_lexed(&lexer, mode, flags, NULL, arena);
    kr_lexer_fini(&lexer);
    return tree;
}

static mod_ty
parse_bytes(const char *src, size_t len, const char *encoding, bool strict,
            PyObject *filename, int mode, PyCompilerFlags *flags,
            KrArena *arena)
{
    PyObject *utf8 = kr_decode_source(src, len, encoding, strict, filename);
    if (utf8 == NULL) {
        return NULL;
    }
    mod_ty tree = parse_utf8(PyBytes_AS_STRING(utf8),
                             (size_t)PyBytes_GET_SIZE(utf8), filename, mode,
                             flags, arena);
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
        return parse_utf8(src, len, filename, mode, flags, arena);
    }
    return parse_bytes(src, len, NULL, false, filename, mode, flags, arena);
}

mod_ty
kr_parse_file(FILE *fp, PyObject *filename, const char *encoding, int mode,
              PyCompilerFlags *flags, KrArena *arena)
{
    size_t len = 0, capacity = 1 << 16, n;
    char *text = PyMem_Malloc(capacity);
    while (text != NULL &&
           (n = fread(text + len, 1, capacity - len, fp)) != 0) {
        len += n;
        if (len == capacity) {
            char *grown = PyMem_Realloc(text, capacity *= 2);
            if (grown == NULL) {
                PyMem_Free(text);
            }
            text = grown;
        }
    }
    if (text == NULL) {
        return (mod_ty)PyErr_NoMemory();
    }
    mod_ty tree = NULL;
    if (ferror(fp)) {
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, filename);
    }
    else if (memchr(text, '\0', len) != NULL) {
        PyErr_SetString(PyExc_SyntaxError,
                        "source code cannot contain null bytes");
    }
    else {
        tree = parse_bytes(text, len, encoding, true, filename, mode, flags,
                           arena);
    }
    PyMem_Free(text);
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
