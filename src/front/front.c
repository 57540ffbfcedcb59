/* The front end as a whole: each function owns one arena, in which all that
 * its phases make lives. */
#include "front/front.h"

#include "front/compiler/compiler.h"
#include "front/compiler/fold.h"
#include "front/compiler/future.h"
#include "front/parser/parser.h"
#include "objects/interp.h"

/* A checked tree to a code object. The tree is changed on the way; the
 * caller's flags get the future features that the tree asks for. */
PyAPI_FUNC(PyCodeObject *)
_PyAST_Compile(mod_ty tree, PyObject *filename, PyCompilerFlags *flags,
               int optimize, KrArena *arena);

static PyObject *
compile_tree(mod_ty tree, PyObject *filename, PyCompilerFlags *flags,
             int optimize, const struct kr_observer *observer, KrArena *arena)
{
    PyFutureFeatures future;
    if (kr_future_read(tree, filename, &future) < 0) {
        return NULL;
    }
    int features = future.ff_features | (flags ? flags->cf_flags : 0);
    future.ff_features = features;
    if (flags != NULL) {
        flags->cf_flags = features;
    }
    if (optimize == -1) {
        optimize = kr_interp()->config.optimization_level;
    }
    if (!kr_fold(tree, arena, optimize, features)) {
        return NULL;
    }
    struct kr_symtable *st = kr_symtable_build(
        tree, filename, (features & CO_FUTURE_ANNOTATIONS) != 0);
    if (st == NULL) {
        return NULL;
    }
    PyObject *code = kr_codegen(tree, filename, st, &future, features,
                                optimize, observer, arena);
    kr_symtable_free(st);
    return code;
}

PyCodeObject *
_PyAST_Compile(mod_ty tree, PyObject *filename, PyCompilerFlags *flags,
               int optimize, KrArena *arena)
{
    return (PyCodeObject *)compile_tree(tree, filename, flags, optimize, NULL,
                                        arena);
}

static PyObject *
compile_or_convert(mod_ty tree, PyObject *filename, PyCompilerFlags *flags,
                   int optimize, KrArena *arena)
{
    if (flags != NULL && (flags->cf_flags & PyCF_ONLY_AST)) {
        return kr_ast_to_object(tree);
    }
    return (PyObject *)_PyAST_Compile(tree, filename, flags, optimize, arena);
}

PyObject *
kr_front_compile(const char *source, Py_ssize_t len, PyObject *filename,
                 int start, PyCompilerFlags *flags, int optimize)
{
    KrArena *arena = kr_arena_new();
    if (arena == NULL) {
        return NULL;
    }
    mod_ty tree = kr_parse_string(source, (size_t)len, filename, start, flags,
                                  arena);
    PyObject *result =
        tree == NULL
            ? NULL
            : compile_or_convert(tree, filename, flags, optimize, arena);
    kr_arena_free(arena);
    return result;
}

PyObject *
kr_front_compile_file(char *text, Py_ssize_t len, bool seekable,
                      PyObject *filename, int start, PyCompilerFlags *flags)
{
    KrArena *arena = kr_arena_new();
    if (arena == NULL) {
        return NULL;
    }
    mod_ty tree = kr_parse_file_text(text, (size_t)len, seekable, filename,
                                     start, flags, arena);
    PyObject *code =
        tree == NULL
            ? NULL
            : (PyObject *)_PyAST_Compile(tree, filename, flags, -1, arena);
    kr_arena_free(arena);
    return code;
}

PyObject *
kr_front_compile_observed(PyObject *source, PyObject *filename, int start,
                          PyCompilerFlags *flags, int optimize,
                          const struct kr_observer *observer)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(source, &len);
    KrArena *arena = text == NULL ? NULL : kr_arena_new();
    if (arena == NULL) {
        return NULL;
    }
    flags->cf_flags |= PyCF_IGNORE_COOKIE;
    mod_ty tree = kr_parse_string(text, (size_t)len, filename, start, flags,
                                  arena);
    PyObject *code = tree == NULL
                         ? NULL
                         : compile_tree(tree, filename, flags, optimize,
                                        observer, arena);
    kr_arena_free(arena);
    return code;
}

int
kr_front_is_tree(PyObject *obj)
{
    return kr_ast_check(obj);
}

/* The mode number of kr_ast_from_object. */
static int
tree_mode(int start)
{
    switch (start) {
    case Py_eval_input: return 1;
    case Py_single_input: return 2;
    case Py_func_type_input: return 3;
    default: return 0;
    }
}

PyObject *
kr_front_compile_tree(PyObject *object, PyObject *filename, int start,
                      PyCompilerFlags *flags, int optimize)
{
    if (flags != NULL && (flags->cf_flags & PyCF_ONLY_AST)) {
        return Py_NewRef(object);
    }
    KrArena *arena = kr_arena_new();
    if (arena == NULL) {
        return NULL;
    }
    mod_ty tree = kr_ast_from_object(object, arena, tree_mode(start));
    PyObject *code = NULL;
    if (tree != NULL && kr_ast_validate(tree)) {
        code = (PyObject *)_PyAST_Compile(tree, filename, flags, optimize,
                                          arena);
    }
    kr_arena_free(arena);
    return code;
}

/* The encoding of the lines of `fp`: sys.stdin knows its own. New reference;
 * NULL without an exception if unknown. */
static PyObject *
stream_encoding(FILE *fp)
{
    PyObject *in = fp == stdin ? PySys_GetObject("stdin") : NULL;
    if (in == NULL || in == Py_None) {
        return NULL;
    }
    PyObject *encoding = PyObject_GetAttrString(in, "encoding");
    if (encoding == NULL || !PyUnicode_Check(encoding)) {
        PyErr_Clear();
        Py_CLEAR(encoding);
    }
    return encoding;
}

PyObject *
kr_front_compile_interactive(FILE *fp, PyObject *filename, const char *ps1,
                             const char *ps2, PyCompilerFlags *flags, int *eof)
{
    *eof = 0;
    KrArena *arena = kr_arena_new();
    if (arena == NULL) {
        return NULL;
    }
    PyObject *encoding = stream_encoding(fp);
    const char *name = encoding ? PyUnicode_AsUTF8(encoding) : NULL;
    if (name == NULL) {
        PyErr_Clear();
    }
    mod_ty tree = kr_parse_interactive(fp, filename, name, ps1, ps2, flags, eof,
                                       arena);
    PyObject *code =
        tree == NULL
            ? NULL
            : (PyObject *)_PyAST_Compile(tree, filename, flags, -1, arena);
    Py_XDECREF(encoding);
    kr_arena_free(arena);
    return code;
}
