/* What the files that generate code for expressions share. All functions
 * return 0, or -1 with an exception set. */
#ifndef KR_FRONT_COMPILER_CODEGEN_EXPR_H
#define KR_FRONT_COMPILER_CODEGEN_EXPR_H

#include "front/compiler/compiler.h"

/* Longer literals and calls are built item by item, to keep the stack small. */
#define KR_STACK_USE_GUIDELINE 30

/* Gives up when a step fails. */
#define TRY(step)                                                              \
    do {                                                                       \
        if ((step) < 0) {                                                      \
            return -1;                                                         \
        }                                                                      \
    } while (0)

/* BINARY_OP. */
int kr_cg_binary(struct kr_compiler *c, operator_ty op, bool inplace);
/* The operation of a comparison. */
int kr_cg_compare_op(struct kr_compiler *c, cmpop_ty op);
/* Yields the value on the stack to the caller of a generator. */
int kr_cg_yield_op(struct kr_compiler *c);
/* Awaits the value on the stack. */
int kr_cg_await_value(struct kr_compiler *c);
/* Moves the location's start to the last line of an attribute: its name. */
void kr_cg_at_attr(struct kr_compiler *c, expr_ty attr);

/* Warns about calls of what can not be called. */
int kr_cg_check_caller(struct kr_compiler *c, expr_ty func);

/* Builds a list or set (or tuple, by way of a list) of expressions and the
 * `pushed` values on the stack before them. */
int kr_cg_build(struct kr_compiler *c, asdl_expr_seq *elts, int pushed,
                int build, int add, int extend, bool tuple);

int kr_cg_boolop(struct kr_compiler *c, expr_ty e);
int kr_cg_ifexp(struct kr_compiler *c, expr_ty e);
int kr_cg_compare(struct kr_compiler *c, expr_ty e);
int kr_cg_list(struct kr_compiler *c, expr_ty e);
int kr_cg_tuple(struct kr_compiler *c, expr_ty e);
int kr_cg_set(struct kr_compiler *c, expr_ty e);
int kr_cg_dict(struct kr_compiler *c, expr_ty e);
int kr_cg_call(struct kr_compiler *c, expr_ty e);

#endif
