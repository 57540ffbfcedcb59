/* Source text to syntax tree.
 *
 * The tree lives in the caller's arena. All functions return NULL with an
 * exception set on failure: SyntaxError and its kin as CPython words them. */
#ifndef KR_FRONT_PARSER_PARSER_H
#define KR_FRONT_PARSER_PARSER_H

#include "front/ast/ast.h"

/* Parses `len` bytes. `mode` is Py_file_input, Py_eval_input, Py_single_input
 * or Py_func_type_input; `flags` may be NULL (default dialect, bytes are
 * decoded by their coding line). With PyCF_IGNORE_COOKIE the text is UTF-8. */
mod_ty kr_parse_string(const char *src, size_t len, PyObject *filename,
                       int mode, PyCompilerFlags *flags, KrArena *arena);

/* Parses what a file holds: like kr_parse_string, but with the reference's
 * rules for files. `text` is changed; `seekable` as for kr_lexer_init_file. */
mod_ty kr_parse_file_text(char *text, size_t len, bool seekable,
                          PyObject *filename, int mode, PyCompilerFlags *flags,
                          KrArena *arena);

/* Reads one statement, line by line, with prompts, through PyOS_Readline
 * if `fp` is a terminal. *reached_end is set to 1 when the input ended before a
 * statement began (the result is then NULL without an exception). */
mod_ty kr_parse_interactive(FILE *fp, PyObject *filename, const char *encoding,
                            const char *ps1, const char *ps2,
                            PyCompilerFlags *flags, int *reached_end,
                            KrArena *arena);

#endif
