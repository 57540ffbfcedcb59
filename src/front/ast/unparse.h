/* Syntax tree to source text. */
#ifndef KR_FRONT_AST_UNPARSE_H
#define KR_FRONT_AST_UNPARSE_H

#include "front/ast/ast.h"

/* The text of an expression, as annotations that are not evaluated store it:
 * a new str, or NULL with an exception set. */
PyObject *kr_ast_unparse(expr_ty e);

#endif
