/* Future statements: only the imports from __future__ at the start of a
 * module count; code generation refuses later ones. */
#include "front/compiler/future.h"

#include <string.h>

#include "base/common.h"

static const struct {
    const char *name;
    int flag; /* 0: what it asks for is always so */
} features[] = {
    {FUTURE_NESTED_SCOPES, 0},
    {FUTURE_GENERATORS, 0},
    {FUTURE_DIVISION, 0},
    {FUTURE_ABSOLUTE_IMPORT, 0},
    {FUTURE_WITH_STATEMENT, 0},
    {FUTURE_PRINT_FUNCTION, 0},
    {FUTURE_UNICODE_LITERALS, 0},
    {FUTURE_BARRY_AS_BDFL, CO_FUTURE_BARRY_AS_BDFL},
    {FUTURE_GENERATOR_STOP, 0},
    {FUTURE_ANNOTATIONS, CO_FUTURE_ANNOTATIONS},
};

static int
read_feature(const char *name, PyFutureFeatures *found)
{
    for (size_t i = 0; i < KR_ARRAY_LEN(features); i++) {
        if (strcmp(name, features[i].name) == 0) {
            found->ff_features |= features[i].flag;
            return 0;
        }
    }
    if (strcmp(name, "braces") == 0) {
        PyErr_SetString(PyExc_SyntaxError, "not a chance");
    }
    else {
        PyErr_Format(PyExc_SyntaxError,
                     "future feature %.100s is not defined", name);
    }
    return -1;
}

static int
read_import(stmt_ty stmt, PyObject *filename, PyFutureFeatures *found)
{
    asdl_alias_seq *names = stmt->v.ImportFrom.names;
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(names); i++) {
        const char *name = PyUnicode_AsUTF8(asdl_seq_GET(names, i)->name);
        if (name == NULL) {
            return -1;
        }
        if (read_feature(name, found) < 0) {
            PyErr_SyntaxLocationObject(filename, stmt->lineno,
                                       stmt->col_offset + 1);
            return -1;
        }
    }
    found->ff_lineno = stmt->lineno;
    return 0;
}

static bool
is_future_import(stmt_ty stmt)
{
    return stmt->kind == ImportFrom_kind &&
           stmt->v.ImportFrom.module != NULL &&
           PyUnicode_CompareWithASCIIString(stmt->v.ImportFrom.module,
                                            "__future__") == 0;
}

int
kr_future_read(mod_ty tree, PyObject *filename, PyFutureFeatures *found)
{
    *found = (PyFutureFeatures){.ff_lineno = -1};
    asdl_stmt_seq *body = tree->kind == Module_kind ? tree->v.Module.body
                          : tree->kind == Interactive_kind
                              ? tree->v.Interactive.body
                              : NULL;
    Py_ssize_t i = kr_ast_get_docstring(body) != NULL;
    bool late = false; /* also counts on the line of what is in the way */
    int line = 0;
    for (; i < asdl_seq_LEN(body); i++) {
        stmt_ty stmt = asdl_seq_GET(body, i);
        if (late && stmt->lineno > line) {
            break;
        }
        line = stmt->lineno;
        if (!is_future_import(stmt)) {
            late = true;
        }
        else if (late) {
            PyErr_SetString(PyExc_SyntaxError,
                            "from __future__ imports must occur at the "
                            "beginning of the file");
            PyErr_SyntaxLocationObject(filename, stmt->lineno,
                                       stmt->col_offset);
            return -1;
        }
        else if (read_import(stmt, filename, found) < 0) {
            return -1;
        }
    }
    return 0;
}
