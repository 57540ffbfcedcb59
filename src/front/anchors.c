/* Anchors of an expression: where its operator or its subscript stands. */
#include "front/anchors.h"

#include <string.h>

#include "front/parser/parser.h"

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

/* The operator is what is not white space between the operands, two
 * characters at the most; parentheses belong to no operand and count too. */
static bool
binary_anchors(const char *text, expr_ty e, Py_ssize_t *left,
               Py_ssize_t *right)
{
    int end = e->v.BinOp.right->col_offset;
    for (int i = e->v.BinOp.left->end_col_offset; i < end; i++) {
        if (!is_space(text[i])) {
            *left = i;
            *right = i + 1 < end && !is_space(text[i + 1]) ? i + 2 : i + 1;
            return true;
        }
    }
    return false;
}

static bool
expression_anchors(const char *text, expr_ty e, Py_ssize_t *left,
                   Py_ssize_t *right)
{
    if (e->kind == BinOp_kind) {
        return binary_anchors(text, e, left, right);
    }
    if (e->kind == Subscript_kind) {
        *left = e->v.Subscript.value->end_col_offset;
        *right = e->v.Subscript.slice->end_col_offset + 1;
        return true;
    }
    return false;
}

bool
kr_front_anchors(const char *text, Py_ssize_t *left, Py_ssize_t *right)
{
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    PyObject *filename = PyUnicode_FromString("<input>");
    KrArena *arena = filename ? kr_arena_new() : NULL;
    mod_ty tree = arena ? kr_parse_string(text, strlen(text), filename,
                                          Py_file_input, &flags, arena)
                        : NULL;
    bool found = false;
    if (tree != NULL && asdl_seq_LEN(tree->v.Module.body) == 1) {
        stmt_ty statement = asdl_seq_GET(tree->v.Module.body, 0);
        found = statement->kind == Expr_kind
                && expression_anchors(text, statement->v.Expr.value, left,
                                      right);
    }
    PyErr_Clear();
    kr_arena_free(arena);
    Py_XDECREF(filename);
    return found;
}
