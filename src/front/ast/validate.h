/* Between the files of the validator: 1 = sound, 0 = exception set. */
#ifndef KR_FRONT_AST_VALIDATE_H
#define KR_FRONT_AST_VALIDATE_H

#include "front/ast/ast.h"

int kr_validate_expr(expr_ty e, expr_context_ty ctx);
int kr_validate_exprs(asdl_expr_seq *seq, expr_context_ty ctx, bool null_ok);
int kr_validate_arguments(arguments_ty args);
int kr_validate_keywords(asdl_keyword_seq *keywords);
int kr_validate_name(PyObject *name);
int kr_validate_pattern(pattern_ty pattern, bool star_ok);
int kr_validate_position(int lineno, int col, int end_lineno, int end_col);

#define VALID_POSITION(n)                                                      \
    kr_validate_position((n)->lineno, (n)->col_offset, (n)->end_lineno,        \
                         (n)->end_col_offset)

static inline int
kr_invalid(const char *message)
{
    PyErr_SetString(PyExc_ValueError, message);
    return 0;
}

#endif
