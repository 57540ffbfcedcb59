/* Augmented and annotated assignment. */
#include "front/compiler/codegen_expr.h"
#include "objects/ids.h"

static int
bad_target(expr_ty target, const char *what)
{
    PyErr_Format(PyExc_SystemError, "invalid node type (%d) for %s assignment",
                 target->kind, what);
    return -1;
}

/* Loads the target's old value, leaving below it what storing needs. */
static int
load_target(struct kr_compiler *c, expr_ty e)
{
    switch (e->kind) {
    case Attribute_kind:
        TRY(kr_cg_expr(c, e->v.Attribute.value));
        TRY(kr_cg_op_i(c, COPY, 1));
        kr_cg_at_attr(c, e);
        return kr_cg_attr(c, LOAD_ATTR, e->v.Attribute.attr);
    case Subscript_kind:
        TRY(kr_cg_expr(c, e->v.Subscript.value));
        TRY(kr_cg_expr(c, e->v.Subscript.slice));
        TRY(kr_cg_op_i(c, COPY, 2));
        TRY(kr_cg_op_i(c, COPY, 2));
        return kr_cg_op(c, BINARY_SUBSCR);
    case Name_kind:
        return kr_cg_name(c, e->v.Name.id, Load);
    default:
        return bad_target(e, "augmented");
    }
}

static int
store_target(struct kr_compiler *c, expr_ty e)
{
    switch (e->kind) {
    case Attribute_kind:
        kr_cg_at_attr(c, e);
        TRY(kr_cg_op_i(c, SWAP, 2));
        return kr_cg_attr(c, STORE_ATTR, e->v.Attribute.attr);
    case Subscript_kind:
        TRY(kr_cg_op_i(c, SWAP, 3));
        TRY(kr_cg_op_i(c, SWAP, 2));
        return kr_cg_op(c, STORE_SUBSCR);
    default:
        return kr_cg_name(c, e->v.Name.id, Store);
    }
}

int
kr_cg_augassign(struct kr_compiler *c, stmt_ty s)
{
    expr_ty target = s->v.AugAssign.target;
    struct kr_loc old = c->u->loc;
    kr_cg_at_expr(c, target);
    TRY(load_target(c, target));
    c->u->loc = old;
    TRY(kr_cg_expr(c, s->v.AugAssign.value));
    TRY(kr_cg_binary(c, s->v.AugAssign.op, true));
    kr_cg_at_expr(c, target);
    return store_target(c, target);
}

/* --- annotations ---------------------------------------------------------- */

/* Evaluates for the effects. */
static int
evaluate(struct kr_compiler *c, expr_ty e)
{
    if (e == NULL) {
        return 0;
    }
    TRY(kr_cg_expr(c, e));
    return kr_cg_op(c, POP_TOP);
}

static int
evaluate_index(struct kr_compiler *c, expr_ty e)
{
    switch (e->kind) {
    case Slice_kind:
        TRY(evaluate(c, e->v.Slice.lower));
        TRY(evaluate(c, e->v.Slice.upper));
        return evaluate(c, e->v.Slice.step);
    case Tuple_kind:
        for (Py_ssize_t i = 0; i < asdl_seq_LEN(e->v.Tuple.elts); i++) {
            TRY(evaluate_index(c, asdl_seq_GET(e->v.Tuple.elts, i)));
        }
        return 0;
    default:
        return evaluate(c, e);
    }
}

static bool
evaluates_annotations(struct kr_compiler *c)
{
    return c->u->kind == KR_UNIT_MODULE || c->u->kind == KR_UNIT_CLASS;
}

int
kr_cg_check_annotation(struct kr_compiler *c, stmt_ty s)
{
    if ((c->future_flags & CO_FUTURE_ANNOTATIONS) ||
        !evaluates_annotations(c)) {
        return 0;
    }
    return evaluate(c, s->v.AnnAssign.annotation);
}

/* __annotations__[name] = annotation */
static int
store_annotation(struct kr_compiler *c, PyObject *name, expr_ty annotation)
{
    TRY(c->future_flags & CO_FUTURE_ANNOTATIONS
            ? kr_cg_annotation_expr(c, annotation)
            : kr_cg_expr(c, annotation));
    TRY(kr_cg_op_name(c, LOAD_NAME, KR_ID(__annotations__)));
    TRY(kr_cg_const_new(c, kr_mangle(c->u->private, name)));
    return kr_cg_op(c, STORE_SUBSCR);
}

static int
annotate_name(struct kr_compiler *c, stmt_ty s)
{
    PyObject *name = s->v.AnnAssign.target->v.Name.id;
    TRY(kr_cg_forbidden_name(c, name, Store));
    if (s->v.AnnAssign.simple && evaluates_annotations(c)) {
        return store_annotation(c, name, s->v.AnnAssign.annotation);
    }
    return 0;
}

int
kr_cg_annassign(struct kr_compiler *c, stmt_ty s)
{
    expr_ty target = s->v.AnnAssign.target;
    bool assigns = s->v.AnnAssign.value != NULL;
    if (assigns) {
        TRY(kr_cg_expr(c, s->v.AnnAssign.value));
        TRY(kr_cg_expr(c, target));
    }
    switch (target->kind) {
    case Name_kind:
        TRY(annotate_name(c, s));
        break;
    case Attribute_kind:
        TRY(kr_cg_forbidden_name(c, target->v.Attribute.attr, Store));
        if (!assigns) {
            TRY(evaluate(c, target->v.Attribute.value));
        }
        break;
    case Subscript_kind:
        if (!assigns) {
            TRY(evaluate(c, target->v.Subscript.value));
            TRY(evaluate_index(c, target->v.Subscript.slice));
        }
        break;
    default:
        return bad_target(target, "annotated");
    }
    return s->v.AnnAssign.simple ? 0 : kr_cg_check_annotation(c, s);
}

int
kr_cg_warn_if_tuple_assert(struct kr_compiler *c, expr_ty test)
{
    bool tuple = test->kind == Tuple_kind
                     ? asdl_seq_LEN(test->v.Tuple.elts) > 0
                     : test->kind == Constant_kind &&
                           PyTuple_Check(test->v.Constant.value) &&
                           PyTuple_GET_SIZE(test->v.Constant.value) > 0;
    return tuple ? kr_cg_warn(c, "assertion is always true, "
                                 "perhaps remove parentheses?")
                 : 0;
}
