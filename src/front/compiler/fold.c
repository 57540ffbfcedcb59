/* Constant folding: the walk over the tree.
 *
 * Folding never changes what a program does, only when: an operation that
 * would fail, or whose result would be large, is left for run time. */
#include "front/compiler/fold.h"

#include <string.h>

#include "memory/tstate.h"
#include "objects/ids.h"

struct folder {
    KrArena *arena;
    int optimize, features;
    int depth, limit; /* recursion, in units of a third of a frame */
};

static int fold_expr(struct folder *f, expr_ty node);
static int fold_stmt(struct folder *f, stmt_ty node);
static int fold_pattern(struct folder *f, pattern_ty node);

#define SEQ(function, seq) \
    do { \
        for (Py_ssize_t i_ = 0; i_ < asdl_seq_LEN(seq); i_++) { \
            if (asdl_seq_GET(seq, i_) != NULL && \
                !function(f, asdl_seq_GET(seq, i_))) { \
                return 0; \
            } \
        } \
    } while (0)

#define ONE(function, node) \
    do { \
        if (!function(f, node)) { \
            return 0; \
        } \
    } while (0)

#define OPTIONAL(function, node) \
    do { \
        if ((node) != NULL && !function(f, node)) { \
            return 0; \
        } \
    } while (0)

static bool
deep(struct folder *f)
{
    if (++f->depth > f->limit || kr_stack_is_low(kr_tstate())) {
        PyErr_SetString(PyExc_RecursionError,
                        "maximum recursion depth exceeded during compilation");
        return true;
    }
    return false;
}

/* A tuple of all elements if they are constants, else NULL (without an
 * exception unless out of memory). */
static PyObject *
constant_tuple(asdl_expr_seq *elements)
{
    Py_ssize_t n = asdl_seq_LEN(elements);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (asdl_seq_GET(elements, i)->kind != Constant_kind) {
            return NULL;
        }
    }
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple != NULL && i < n; i++) {
        PyObject *value = asdl_seq_GET(elements, i)->v.Constant.value;
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(value));
    }
    return tuple;
}

/* A display that is only iterated over or searched may be immutable. */
static int
fold_iterable(struct folder *f, expr_ty node)
{
    PyObject *value;
    if (node->kind == List_kind) {
        asdl_expr_seq *elements = node->v.List.elts;
        for (Py_ssize_t i = 0; i < asdl_seq_LEN(elements); i++) {
            if (asdl_seq_GET(elements, i)->kind == Starred_kind) {
                return 1;
            }
        }
        expr_context_ty ctx = node->v.List.ctx;
        node->kind = Tuple_kind;
        node->v.Tuple.elts = elements;
        node->v.Tuple.ctx = ctx;
        value = constant_tuple(elements);
    }
    else if (node->kind == Set_kind) {
        value = constant_tuple(node->v.Set.elts);
        if (value != NULL) {
            Py_SETREF(value, PyFrozenSet_New(value));
        }
    }
    else {
        return 1;
    }
    return value == NULL && !PyErr_Occurred()
               ? 1
               : kr_fold_set(node, value, f->arena);
}

static int
fold_comprehension(struct folder *f, comprehension_ty node)
{
    ONE(fold_expr, node->target);
    ONE(fold_expr, node->iter);
    SEQ(fold_expr, node->ifs);
    return fold_iterable(f, node->iter);
}

static int
fold_keyword(struct folder *f, keyword_ty node)
{
    return fold_expr(f, node->value);
}

static int
fold_arg(struct folder *f, arg_ty node)
{
    if (!(f->features & CO_FUTURE_ANNOTATIONS)) {
        OPTIONAL(fold_expr, node->annotation);
    }
    return 1;
}

static int
fold_arguments(struct folder *f, arguments_ty node)
{
    SEQ(fold_arg, node->posonlyargs);
    SEQ(fold_arg, node->args);
    OPTIONAL(fold_arg, node->vararg);
    SEQ(fold_arg, node->kwonlyargs);
    SEQ(fold_expr, node->kw_defaults);
    OPTIONAL(fold_arg, node->kwarg);
    SEQ(fold_expr, node->defaults);
    return 1;
}

static int
fold_compare(struct folder *f, expr_ty node)
{
    ONE(fold_expr, node->v.Compare.left);
    SEQ(fold_expr, node->v.Compare.comparators);
    Py_ssize_t last = asdl_seq_LEN(node->v.Compare.ops) - 1;
    int op = asdl_seq_GET(node->v.Compare.ops, last);
    if (op == In || op == NotIn) {
        return fold_iterable(f, asdl_seq_GET(node->v.Compare.comparators, last));
    }
    return 1;
}

static int
fold_subscript(struct folder *f, expr_ty node)
{
    expr_ty value = node->v.Subscript.value, index = node->v.Subscript.slice;
    ONE(fold_expr, value);
    ONE(fold_expr, index);
    if (node->v.Subscript.ctx != Load || value->kind != Constant_kind ||
        index->kind != Constant_kind) {
        return 1;
    }
    return kr_fold_set(node,
                       PyObject_GetItem(value->v.Constant.value,
                                        index->v.Constant.value),
                       f->arena);
}

static int
fold_tuple(struct folder *f, expr_ty node)
{
    SEQ(fold_expr, node->v.Tuple.elts);
    if (node->v.Tuple.ctx != Load) {
        return 1;
    }
    PyObject *value = constant_tuple(node->v.Tuple.elts);
    return value == NULL && !PyErr_Occurred()
               ? 1
               : kr_fold_set(node, value, f->arena);
}

static int
fold_comprehensions(struct folder *f, expr_ty first, expr_ty second,
                    asdl_comprehension_seq *generators)
{
    ONE(fold_expr, first);
    OPTIONAL(fold_expr, second);
    SEQ(fold_comprehension, generators);
    return 1;
}

static int
fold_expr_kind(struct folder *f, expr_ty node)
{
    switch (node->kind) {
    case BoolOp_kind: SEQ(fold_expr, node->v.BoolOp.values); return 1;
    case BinOp_kind:
        ONE(fold_expr, node->v.BinOp.left);
        ONE(fold_expr, node->v.BinOp.right);
        return kr_fold_binary(node, f->arena);
    case UnaryOp_kind:
        ONE(fold_expr, node->v.UnaryOp.operand);
        return kr_fold_unary(node, f->arena);
    case Lambda_kind:
        ONE(fold_arguments, node->v.Lambda.args);
        return fold_expr(f, node->v.Lambda.body);
    case IfExp_kind:
        ONE(fold_expr, node->v.IfExp.test);
        ONE(fold_expr, node->v.IfExp.body);
        return fold_expr(f, node->v.IfExp.orelse);
    case Dict_kind:
        SEQ(fold_expr, node->v.Dict.keys);
        SEQ(fold_expr, node->v.Dict.values);
        return 1;
    case Set_kind: SEQ(fold_expr, node->v.Set.elts); return 1;
    case ListComp_kind:
        return fold_comprehensions(f, node->v.ListComp.elt, NULL,
                                   node->v.ListComp.generators);
    case SetComp_kind:
        return fold_comprehensions(f, node->v.SetComp.elt, NULL,
                                   node->v.SetComp.generators);
    case DictComp_kind:
        return fold_comprehensions(f, node->v.DictComp.key,
                                   node->v.DictComp.value,
                                   node->v.DictComp.generators);
    case GeneratorExp_kind:
        return fold_comprehensions(f, node->v.GeneratorExp.elt, NULL,
                                   node->v.GeneratorExp.generators);
    case Await_kind: return fold_expr(f, node->v.Await.value);
    case Yield_kind: OPTIONAL(fold_expr, node->v.Yield.value); return 1;
    case YieldFrom_kind: return fold_expr(f, node->v.YieldFrom.value);
    case Compare_kind: return fold_compare(f, node);
    case Call_kind:
        ONE(fold_expr, node->v.Call.func);
        SEQ(fold_expr, node->v.Call.args);
        SEQ(fold_keyword, node->v.Call.keywords);
        return 1;
    case FormattedValue_kind:
        ONE(fold_expr, node->v.FormattedValue.value);
        OPTIONAL(fold_expr, node->v.FormattedValue.format_spec);
        return 1;
    case JoinedStr_kind: SEQ(fold_expr, node->v.JoinedStr.values); return 1;
    case Attribute_kind: return fold_expr(f, node->v.Attribute.value);
    case Subscript_kind: return fold_subscript(f, node);
    case Starred_kind: return fold_expr(f, node->v.Starred.value);
    case Slice_kind:
        OPTIONAL(fold_expr, node->v.Slice.lower);
        OPTIONAL(fold_expr, node->v.Slice.upper);
        OPTIONAL(fold_expr, node->v.Slice.step);
        return 1;
    case List_kind: SEQ(fold_expr, node->v.List.elts); return 1;
    case Tuple_kind: return fold_tuple(f, node);
    case Name_kind:
        if (node->v.Name.ctx == Load &&
            node->v.Name.id == KR_ID(__debug__)) {
            return kr_fold_set(node, PyBool_FromLong(f->optimize == 0),
                               f->arena);
        }
        return 1;
    case NamedExpr_kind: return fold_expr(f, node->v.NamedExpr.value);
    case Constant_kind: return 1;
    }
    return 1;
}

static int
fold_expr(struct folder *f, expr_ty node)
{
    if (deep(f)) {
        return 0;
    }
    int ok = fold_expr_kind(f, node);
    f->depth--;
    return ok;
}

/* Folds statements without turning an expression into a docstring. */
static int
fold_body(struct folder *f, asdl_stmt_seq *body)
{
    bool had_docstring = kr_ast_get_docstring(body) != NULL;
    SEQ(fold_stmt, body);
    if (!had_docstring && kr_ast_get_docstring(body) != NULL) {
        stmt_ty first = asdl_seq_GET(body, 0);
        asdl_expr_seq *values = kr_asdl_seq_new(1, f->arena);
        if (values == NULL) {
            return 0;
        }
        asdl_seq_SET(values, 0, first->v.Expr.value);
        expr_ty joined = kr_ast_JoinedStr(
            values, first->lineno, first->col_offset, first->end_lineno,
            first->end_col_offset, f->arena);
        if (joined == NULL) {
            return 0;
        }
        first->v.Expr.value = joined;
    }
    return 1;
}

static int
fold_withitem(struct folder *f, withitem_ty node)
{
    ONE(fold_expr, node->context_expr);
    OPTIONAL(fold_expr, node->optional_vars);
    return 1;
}

static int
fold_handler(struct folder *f, excepthandler_ty node)
{
    OPTIONAL(fold_expr, node->v.ExceptHandler.type);
    SEQ(fold_stmt, node->v.ExceptHandler.body);
    return 1;
}

static int
fold_case(struct folder *f, match_case_ty node)
{
    ONE(fold_pattern, node->pattern);
    OPTIONAL(fold_expr, node->guard);
    SEQ(fold_stmt, node->body);
    return 1;
}

static int
fold_pattern_kind(struct folder *f, pattern_ty node)
{
    switch (node->kind) {
    case MatchValue_kind: return fold_expr(f, node->v.MatchValue.value);
    case MatchSingleton_kind:
    case MatchStar_kind: return 1;
    case MatchSequence_kind:
        SEQ(fold_pattern, node->v.MatchSequence.patterns);
        return 1;
    case MatchMapping_kind:
        SEQ(fold_expr, node->v.MatchMapping.keys);
        SEQ(fold_pattern, node->v.MatchMapping.patterns);
        return 1;
    case MatchClass_kind:
        ONE(fold_expr, node->v.MatchClass.cls);
        SEQ(fold_pattern, node->v.MatchClass.patterns);
        SEQ(fold_pattern, node->v.MatchClass.kwd_patterns);
        return 1;
    case MatchAs_kind:
        OPTIONAL(fold_pattern, node->v.MatchAs.pattern);
        return 1;
    case MatchOr_kind: SEQ(fold_pattern, node->v.MatchOr.patterns); return 1;
    }
    return 1;
}

static int
fold_pattern(struct folder *f, pattern_ty node)
{
    if (deep(f)) {
        return 0;
    }
    int ok = fold_pattern_kind(f, node);
    f->depth--;
    return ok;
}

static int
fold_function(struct folder *f, arguments_ty args, asdl_stmt_seq *body,
              asdl_expr_seq *decorators, expr_ty returns)
{
    ONE(fold_arguments, args);
    ONE(fold_body, body);
    SEQ(fold_expr, decorators);
    if (!(f->features & CO_FUTURE_ANNOTATIONS)) {
        OPTIONAL(fold_expr, returns);
    }
    return 1;
}

static int
fold_for(struct folder *f, expr_ty target, expr_ty iter, asdl_stmt_seq *body,
         asdl_stmt_seq *orelse)
{
    ONE(fold_expr, target);
    ONE(fold_expr, iter);
    SEQ(fold_stmt, body);
    SEQ(fold_stmt, orelse);
    return 1;
}

static int
fold_try(struct folder *f, asdl_stmt_seq *body,
         asdl_excepthandler_seq *handlers, asdl_stmt_seq *orelse,
         asdl_stmt_seq *finalbody)
{
    SEQ(fold_stmt, body);
    SEQ(fold_handler, handlers);
    SEQ(fold_stmt, orelse);
    SEQ(fold_stmt, finalbody);
    return 1;
}

static int
fold_test(struct folder *f, expr_ty test, asdl_stmt_seq *body,
          asdl_stmt_seq *orelse)
{
    ONE(fold_expr, test);
    SEQ(fold_stmt, body);
    SEQ(fold_stmt, orelse);
    return 1;
}

static int
fold_with(struct folder *f, asdl_withitem_seq *items, asdl_stmt_seq *body)
{
    SEQ(fold_withitem, items);
    SEQ(fold_stmt, body);
    return 1;
}

static int
fold_class(struct folder *f, stmt_ty node)
{
    SEQ(fold_expr, node->v.ClassDef.bases);
    SEQ(fold_keyword, node->v.ClassDef.keywords);
    ONE(fold_body, node->v.ClassDef.body);
    SEQ(fold_expr, node->v.ClassDef.decorator_list);
    return 1;
}

static int
fold_annotated(struct folder *f, stmt_ty node)
{
    ONE(fold_expr, node->v.AnnAssign.target);
    if (!(f->features & CO_FUTURE_ANNOTATIONS)) {
        ONE(fold_expr, node->v.AnnAssign.annotation);
    }
    OPTIONAL(fold_expr, node->v.AnnAssign.value);
    return 1;
}

/* Statements that hold no other statements. */
static int
fold_simple(struct folder *f, stmt_ty node)
{
    switch (node->kind) {
    case Return_kind: OPTIONAL(fold_expr, node->v.Return.value); break;
    case Delete_kind: SEQ(fold_expr, node->v.Delete.targets); break;
    case Assign_kind:
        SEQ(fold_expr, node->v.Assign.targets);
        ONE(fold_expr, node->v.Assign.value);
        break;
    case AugAssign_kind:
        ONE(fold_expr, node->v.AugAssign.target);
        ONE(fold_expr, node->v.AugAssign.value);
        break;
    case AnnAssign_kind: return fold_annotated(f, node);
    case Raise_kind:
        OPTIONAL(fold_expr, node->v.Raise.exc);
        OPTIONAL(fold_expr, node->v.Raise.cause);
        break;
    case Assert_kind:
        ONE(fold_expr, node->v.Assert.test);
        OPTIONAL(fold_expr, node->v.Assert.msg);
        break;
    case Expr_kind: ONE(fold_expr, node->v.Expr.value); break;
    default: break;
    }
    return 1;
}

static int
fold_stmt_kind(struct folder *f, stmt_ty node)
{
    switch (node->kind) {
    case FunctionDef_kind:
        return fold_function(
            f, node->v.FunctionDef.args, node->v.FunctionDef.body,
            node->v.FunctionDef.decorator_list, node->v.FunctionDef.returns);
    case AsyncFunctionDef_kind:
        return fold_function(f, node->v.AsyncFunctionDef.args,
                             node->v.AsyncFunctionDef.body,
                             node->v.AsyncFunctionDef.decorator_list,
                             node->v.AsyncFunctionDef.returns);
    case ClassDef_kind: return fold_class(f, node);
    case For_kind:
        ONE(fold_expr, node->v.For.target);
        ONE(fold_expr, node->v.For.iter);
        SEQ(fold_stmt, node->v.For.body);
        SEQ(fold_stmt, node->v.For.orelse);
        return fold_iterable(f, node->v.For.iter);
    case AsyncFor_kind:
        return fold_for(f, node->v.AsyncFor.target, node->v.AsyncFor.iter,
                        node->v.AsyncFor.body, node->v.AsyncFor.orelse);
    case While_kind:
        return fold_test(f, node->v.While.test, node->v.While.body,
                         node->v.While.orelse);
    case If_kind:
        return fold_test(f, node->v.If.test, node->v.If.body,
                         node->v.If.orelse);
    case With_kind: return fold_with(f, node->v.With.items, node->v.With.body);
    case AsyncWith_kind:
        return fold_with(f, node->v.AsyncWith.items, node->v.AsyncWith.body);
    case Try_kind:
        return fold_try(f, node->v.Try.body, node->v.Try.handlers,
                        node->v.Try.orelse, node->v.Try.finalbody);
    case TryStar_kind:
        return fold_try(f, node->v.TryStar.body, node->v.TryStar.handlers,
                        node->v.TryStar.orelse, node->v.TryStar.finalbody);
    case Match_kind:
        ONE(fold_expr, node->v.Match.subject);
        SEQ(fold_case, node->v.Match.cases);
        return 1;
    default: return fold_simple(f, node);
    }
}

static int
fold_stmt(struct folder *f, stmt_ty node)
{
    if (deep(f)) {
        return 0;
    }
    int ok = fold_stmt_kind(f, node);
    f->depth--;
    return ok;
}

static int
fold_mod(struct folder *f, mod_ty tree)
{
    switch (tree->kind) {
    case Module_kind: return fold_body(f, tree->v.Module.body);
    case Interactive_kind: SEQ(fold_stmt, tree->v.Interactive.body); return 1;
    case Expression_kind: return fold_expr(f, tree->v.Expression.body);
    case FunctionType_kind: return 1;
    }
    return 1;
}

int
kr_fold(mod_ty tree, KrArena *arena, int optimize, int features)
{
    PyThreadState *ts = PyThreadState_Get();
    int limit = Py_GetRecursionLimit();
    int scale = limit > INT_MAX / 3 ? 1 : 3;
    struct folder f = {
        .arena = arena,
        .optimize = optimize,
        .features = features,
        .depth = (limit - ts->recursion_remaining) * scale,
        .limit = limit * scale,
    };
    return fold_mod(&f, tree);
}
