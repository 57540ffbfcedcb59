/* Source text to code object and to a tree of _ast, back to text.
 *
 * The first byte of the input, counted from the space, chooses what it is
 * compiled as (two bits) and the compiler's flags; the rest is the text. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "front/front.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    fuzz_start(200, 1);
    return 0;
}

/* The tree compiles like the text, and what PyCF_ONLY_AST gives is valid. */
static void
through_tree(const char *text, size_t size, PyObject *name, int start,
             PyCompilerFlags *flags, int optimize)
{
    flags->cf_flags |= PyCF_ONLY_AST;
    PyObject *tree = kr_front_compile(text, (Py_ssize_t)size, name, start,
                                      flags, optimize);
    flags->cf_flags &= ~PyCF_ONLY_AST;
    if (tree != NULL && start != Py_func_type_input) {
        PyObject *code =
            kr_front_compile_tree(tree, name, start, flags, optimize);
        Py_XDECREF(code);
    }
    Py_XDECREF(tree);
    PyErr_Clear();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int starts[] = {Py_file_input, Py_eval_input,
                                 Py_single_input, Py_func_type_input};
    if (size < 1) {
        return -1;
    }
    int choice = (data[0] - ' ') & 255;
    int start = starts[choice & 3];
    PyCompilerFlags flags = {.cf_flags = PyCF_SOURCE_IS_UTF8,
                             .cf_feature_version = PY_MINOR_VERSION};
    flags.cf_flags |= choice & 4 ? PyCF_TYPE_COMMENTS : 0;
    flags.cf_flags |= choice & 8 ? PyCF_ALLOW_TOP_LEVEL_AWAIT : 0;
    flags.cf_flags |= choice & 16 ? CO_FUTURE_ANNOTATIONS : 0;
    flags.cf_flags |= choice & 32 ? CO_FUTURE_BARRY_AS_BDFL : 0;
    if (choice & 128) {
        flags.cf_flags &= ~PyCF_SOURCE_IS_UTF8;
    }
    if (start == Py_func_type_input) {
        flags.cf_flags |= PyCF_ONLY_AST;
    }
    /* a block of exactly this size, so that a look behind the end is seen */
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    PyObject *name = PyUnicode_FromString("<fuzz>");
    int optimize = choice & 64 ? 2 : 0;
    PyObject *code = kr_front_compile(text, (Py_ssize_t)size - 1, name, start,
                                      &flags, optimize);
    if (code != NULL && PyErr_Occurred()) {
        abort();
    }
    if (code != NULL) {
        through_tree(text, size - 1, name, start, &flags, optimize);
    }
    Py_XDECREF(code);
    Py_DECREF(name);
    free(text);
    fuzz_done();
    return 0;
}
