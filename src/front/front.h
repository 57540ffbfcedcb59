/* The front end's door: source text or tree in, code object out. */
#ifndef KR_FRONT_FRONT_H
#define KR_FRONT_FRONT_H

#include <Python.h>

#include "base/common.h"
#include "front/compiler/observer.h"

/* Compiles NUL-terminated UTF-8 (or, with a coding cookie, other) source of
 * `len` bytes. `start` is Py_file_input, Py_eval_input, Py_single_input or
 * Py_func_type_input; `optimize` -1 takes the interpreter's level. With
 * PyCF_ONLY_AST in flags the result is a tree of _ast classes. New reference,
 * or NULL with SyntaxError or another exception. */
PyObject *kr_front_compile(const char *source, Py_ssize_t len,
                           PyObject *filename, int start,
                           PyCompilerFlags *flags, int optimize);

/* The same for all that a file holds, which is changed: its lines and errors
 * are those of files. One that is not `seekable` cannot be decoded. */
PyObject *kr_front_compile_file(char *text, Py_ssize_t len, bool seekable,
                                PyObject *filename, int start,
                                PyCompilerFlags *flags);

/* Compiles str in mode `start` while `observer` watches. */
PyObject *kr_front_compile_observed(PyObject *source, PyObject *filename,
                                    int start, PyCompilerFlags *flags,
                                    int optimize,
                                    const struct kr_observer *observer);

/* Whether `obj` is an instance of _ast.AST: 1, 0, or -1 on failure. */
int kr_front_is_tree(PyObject *obj);

/* Checks a tree of _ast objects for `start` and compiles it; with
 * PyCF_ONLY_AST gives the tree back after checking its kind. New or NULL. */
PyObject *kr_front_compile_tree(PyObject *tree, PyObject *filename, int start,
                                PyCompilerFlags *flags, int optimize);

/* Reads one statement from an interactive stream, prompting with ps1 and ps2,
 * and compiles it with Py_single_input. New code object; NULL with an
 * exception, or with *eof set to 1 and none at the end of input. */
PyObject *kr_front_compile_interactive(FILE *fp, PyObject *filename,
                                       const char *ps1, const char *ps2,
                                       PyCompilerFlags *flags, int *eof);

#endif
