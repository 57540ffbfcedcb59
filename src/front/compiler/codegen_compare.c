/* Comparisons and conditions: values of and/or, ternaries, and jumps that
 * depend on the truth of an expression. */
#include "front/compiler/codegen_expr.h"

int
kr_cg_compare_op(struct kr_compiler *c, cmpop_ty op)
{
    switch (op) {
    case Eq:
        return kr_cg_op_i(c, COMPARE_OP, Py_EQ);
    case NotEq:
        return kr_cg_op_i(c, COMPARE_OP, Py_NE);
    case Lt:
        return kr_cg_op_i(c, COMPARE_OP, Py_LT);
    case LtE:
        return kr_cg_op_i(c, COMPARE_OP, Py_LE);
    case Gt:
        return kr_cg_op_i(c, COMPARE_OP, Py_GT);
    case GtE:
        return kr_cg_op_i(c, COMPARE_OP, Py_GE);
    case Is:
        return kr_cg_op_i(c, IS_OP, 0);
    case IsNot:
        return kr_cg_op_i(c, IS_OP, 1);
    case In:
        return kr_cg_op_i(c, CONTAINS_OP, 0);
    case NotIn:
        return kr_cg_op_i(c, CONTAINS_OP, 1);
    }
    Py_UNREACHABLE();
}

/* Is identity a sensible question about this operand? */
static bool
has_identity(expr_ty e)
{
    if (e->kind != Constant_kind) {
        return true;
    }
    PyObject *value = e->v.Constant.value;
    return value == Py_None || value == Py_False || value == Py_True ||
           value == Py_Ellipsis;
}

static int
check_compare(struct kr_compiler *c, expr_ty e)
{
    bool left = has_identity(e->v.Compare.left);
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(e->v.Compare.ops); i++) {
        int op = asdl_seq_GET(e->v.Compare.ops, i);
        bool right = has_identity(asdl_seq_GET(e->v.Compare.comparators, i));
        if ((op == Is || op == IsNot) && !(left && right)) {
            return kr_cg_warn(
                c, op == Is
                       ? "\"is\" with a literal. Did you mean \"==\"?"
                       : "\"is not\" with a literal. Did you mean \"!=\"?");
        }
        left = right;
    }
    return 0;
}

/* The operands and operators of a chain. Each but the last operator jumps to
 * `cleanup` by `jump` when false, with the operand still on the stack. */
static int
visit_chain(struct kr_compiler *c, expr_ty e, int jump,
            struct kr_block *cleanup)
{
    Py_ssize_t n = asdl_seq_LEN(e->v.Compare.ops) - 1;
    TRY(kr_cg_expr(c, e->v.Compare.left));
    for (Py_ssize_t i = 0; i < n; i++) {
        TRY(kr_cg_expr(c, asdl_seq_GET(e->v.Compare.comparators, i)));
        TRY(kr_cg_op_i(c, SWAP, 2));
        TRY(kr_cg_op_i(c, COPY, 2));
        TRY(kr_cg_compare_op(c, asdl_seq_GET(e->v.Compare.ops, i)));
        TRY(kr_cg_jump(c, jump, cleanup));
    }
    TRY(kr_cg_expr(c, asdl_seq_GET(e->v.Compare.comparators, n)));
    return kr_cg_compare_op(c, asdl_seq_GET(e->v.Compare.ops, n));
}

int
kr_cg_compare(struct kr_compiler *c, expr_ty e)
{
    TRY(check_compare(c, e));
    if (asdl_seq_LEN(e->v.Compare.ops) == 1) {
        return visit_chain(c, e, 0, NULL);
    }
    struct kr_block *cleanup = kr_cg_new_block(c);
    if (cleanup == NULL) {
        return -1;
    }
    TRY(visit_chain(c, e, JUMP_IF_FALSE_OR_POP, cleanup));
    struct kr_block *end = kr_cg_new_block(c);
    if (end == NULL) {
        return -1;
    }
    TRY(kr_cg_jump_noline(c, JUMP, end));
    kr_cg_use_block(c, cleanup);
    TRY(kr_cg_op_i(c, SWAP, 2));
    TRY(kr_cg_op(c, POP_TOP));
    kr_cg_use_block(c, end);
    return 0;
}

int
kr_cg_boolop(struct kr_compiler *c, expr_ty e)
{
    int jump =
        e->v.BoolOp.op == And ? JUMP_IF_FALSE_OR_POP : JUMP_IF_TRUE_OR_POP;
    asdl_expr_seq *values = e->v.BoolOp.values;
    Py_ssize_t last = asdl_seq_LEN(values) - 1;
    struct kr_block *end = kr_cg_new_block(c);
    if (end == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < last; i++) {
        TRY(kr_cg_expr(c, asdl_seq_GET(values, i)));
        TRY(kr_cg_jump(c, jump, end));
        struct kr_block *next = kr_cg_new_block(c);
        if (next == NULL) {
            return -1;
        }
        kr_cg_use_block(c, next);
    }
    TRY(kr_cg_expr(c, asdl_seq_GET(values, last)));
    kr_cg_use_block(c, end);
    return 0;
}

int
kr_cg_ifexp(struct kr_compiler *c, expr_ty e)
{
    struct kr_block *end = kr_cg_new_block(c);
    struct kr_block *next = kr_cg_new_block(c);
    if (end == NULL || next == NULL) {
        return -1;
    }
    TRY(kr_cg_jump_if(c, e->v.IfExp.test, next, 0));
    TRY(kr_cg_expr(c, e->v.IfExp.body));
    TRY(kr_cg_jump_noline(c, JUMP, end));
    kr_cg_use_block(c, next);
    TRY(kr_cg_expr(c, e->v.IfExp.orelse));
    kr_cg_use_block(c, end);
    return 0;
}

/* --- conditional jumps ---------------------------------------------------- */

static int
jump_if_boolop(struct kr_compiler *c, expr_ty e, struct kr_block *next,
               int cond)
{
    asdl_expr_seq *values = e->v.BoolOp.values;
    Py_ssize_t last = asdl_seq_LEN(values) - 1;
    int decisive = e->v.BoolOp.op == Or; /* the value that ends evaluation */
    struct kr_block *decided = next;
    if (decisive != !!cond) {
        decided = kr_cg_new_block(c);
        if (decided == NULL) {
            return -1;
        }
    }
    for (Py_ssize_t i = 0; i < last; i++) {
        TRY(kr_cg_jump_if(c, asdl_seq_GET(values, i), decided, decisive));
    }
    TRY(kr_cg_jump_if(c, asdl_seq_GET(values, last), next, cond));
    if (decided != next) {
        kr_cg_use_block(c, decided);
    }
    return 0;
}

static int
jump_if_ifexp(struct kr_compiler *c, expr_ty e, struct kr_block *next,
              int cond)
{
    struct kr_block *end = kr_cg_new_block(c);
    struct kr_block *orelse = kr_cg_new_block(c);
    if (end == NULL || orelse == NULL) {
        return -1;
    }
    TRY(kr_cg_jump_if(c, e->v.IfExp.test, orelse, 0));
    TRY(kr_cg_jump_if(c, e->v.IfExp.body, next, cond));
    TRY(kr_cg_jump_noline(c, JUMP, end));
    kr_cg_use_block(c, orelse);
    TRY(kr_cg_jump_if(c, e->v.IfExp.orelse, next, cond));
    kr_cg_use_block(c, end);
    return 0;
}

static int
jump_if_chain(struct kr_compiler *c, expr_ty e, struct kr_block *next,
              int cond)
{
    TRY(check_compare(c, e));
    struct kr_block *cleanup = kr_cg_new_block(c);
    if (cleanup == NULL) {
        return -1;
    }
    TRY(visit_chain(c, e, POP_JUMP_IF_FALSE, cleanup));
    TRY(kr_cg_jump(c, cond ? POP_JUMP_IF_TRUE : POP_JUMP_IF_FALSE, next));
    struct kr_block *end = kr_cg_new_block(c);
    if (end == NULL) {
        return -1;
    }
    TRY(kr_cg_jump_noline(c, JUMP, end));
    kr_cg_use_block(c, cleanup);
    TRY(kr_cg_op(c, POP_TOP));
    if (!cond) {
        TRY(kr_cg_jump_noline(c, JUMP, next));
    }
    kr_cg_use_block(c, end);
    return 0;
}

int
kr_cg_jump_if(struct kr_compiler *c, expr_ty e, struct kr_block *next,
              int cond)
{
    switch (e->kind) {
    case UnaryOp_kind:
        if (e->v.UnaryOp.op == Not) {
            return kr_cg_jump_if(c, e->v.UnaryOp.operand, next, !cond);
        }
        break;
    case BoolOp_kind:
        return jump_if_boolop(c, e, next, cond);
    case IfExp_kind:
        return jump_if_ifexp(c, e, next, cond);
    case Compare_kind:
        /* The location stays, for the jump and what follows it. */
        kr_cg_at_expr(c, e);
        if (asdl_seq_LEN(e->v.Compare.ops) > 1) {
            return jump_if_chain(c, e, next, cond);
        }
        break;
    default:
        break;
    }
    TRY(kr_cg_expr(c, e));
    return kr_cg_jump(c, cond ? POP_JUMP_IF_TRUE : POP_JUMP_IF_FALSE, next);
}
