/* Are modules and statements what the grammar could have produced? */
#include "front/ast/validate.h"

static int validate_stmt(stmt_ty s);

static int
nonempty(const void *seq, const char *what, const char *owner)
{
    if (asdl_seq_LEN((const asdl_seq *)seq) != 0) {
        return 1;
    }
    PyErr_Format(PyExc_ValueError, "empty %s on %s", what, owner);
    return 0;
}

static int
validate_stmts(asdl_stmt_seq *seq)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(seq); i++) {
        stmt_ty s = asdl_seq_GET(seq, i);
        if (s == NULL) {
            return kr_invalid("None disallowed in statement list");
        }
        if (!validate_stmt(s)) {
            return 0;
        }
    }
    return 1;
}

static int
validate_body(asdl_stmt_seq *body, const char *owner)
{
    return nonempty(body, "body", owner) && validate_stmts(body);
}

static int
optional(expr_ty e)
{
    return e == NULL || kr_validate_expr(e, Load);
}

static int
validate_targets(asdl_expr_seq *targets, expr_context_ty ctx,
                 const char *owner)
{
    return nonempty(targets, "targets", owner) &&
           kr_validate_exprs(targets, ctx, false);
}

static int
validate_function(asdl_stmt_seq *body, arguments_ty args,
                  asdl_expr_seq *decorators, expr_ty returns,
                  const char *owner)
{
    return validate_body(body, owner) && kr_validate_arguments(args) &&
           kr_validate_exprs(decorators, Load, false) && optional(returns);
}

static int
validate_for(expr_ty target, expr_ty iter, asdl_stmt_seq *body,
             asdl_stmt_seq *orelse, const char *owner)
{
    return kr_validate_expr(target, Store) && kr_validate_expr(iter, Load) &&
           validate_body(body, owner) && validate_stmts(orelse);
}

static int
validate_with(asdl_withitem_seq *items, asdl_stmt_seq *body, const char *owner)
{
    if (!nonempty(items, "items", owner)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < items->size; i++) {
        withitem_ty item = asdl_seq_GET(items, i);
        if (!kr_validate_expr(item->context_expr, Load) ||
            (item->optional_vars &&
             !kr_validate_expr(item->optional_vars, Store))) {
            return 0;
        }
    }
    return validate_body(body, owner);
}

static int
validate_try(asdl_stmt_seq *body, asdl_excepthandler_seq *handlers,
             asdl_stmt_seq *orelse, asdl_stmt_seq *finalbody,
             const char *owner)
{
    if (!validate_body(body, owner)) {
        return 0;
    }
    if (asdl_seq_LEN(handlers) == 0 && asdl_seq_LEN(finalbody) == 0) {
        PyErr_Format(PyExc_ValueError,
                     "%s has neither except handlers nor finalbody", owner);
        return 0;
    }
    if (asdl_seq_LEN(handlers) == 0 && asdl_seq_LEN(orelse) != 0) {
        PyErr_Format(PyExc_ValueError,
                     "%s has orelse but no except handlers", owner);
        return 0;
    }
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(handlers); i++) {
        excepthandler_ty h = asdl_seq_GET(handlers, i);
        if (!VALID_POSITION(h) || !optional(h->v.ExceptHandler.type) ||
            !validate_body(h->v.ExceptHandler.body, "ExceptHandler")) {
            return 0;
        }
    }
    return validate_stmts(finalbody) && validate_stmts(orelse);
}

static int
validate_match(stmt_ty s)
{
    asdl_match_case_seq *cases = s->v.Match.cases;
    if (!kr_validate_expr(s->v.Match.subject, Load) ||
        !nonempty(cases, "cases", "Match")) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < cases->size; i++) {
        match_case_ty c = asdl_seq_GET(cases, i);
        if (!kr_validate_pattern(c->pattern, false) || !optional(c->guard) ||
            !validate_body(c->body, "match_case")) {
            return 0;
        }
    }
    return 1;
}

static int
validate_kind(stmt_ty s)
{
    switch (s->kind) {
    case FunctionDef_kind:
        return validate_function(s->v.FunctionDef.body, s->v.FunctionDef.args,
                                 s->v.FunctionDef.decorator_list,
                                 s->v.FunctionDef.returns, "FunctionDef");
    case AsyncFunctionDef_kind:
        return validate_function(
            s->v.AsyncFunctionDef.body, s->v.AsyncFunctionDef.args,
            s->v.AsyncFunctionDef.decorator_list,
            s->v.AsyncFunctionDef.returns, "AsyncFunctionDef");
    case ClassDef_kind:
        return validate_body(s->v.ClassDef.body, "ClassDef") &&
               kr_validate_exprs(s->v.ClassDef.bases, Load, false) &&
               kr_validate_keywords(s->v.ClassDef.keywords) &&
               kr_validate_exprs(s->v.ClassDef.decorator_list, Load, false);
    case Return_kind: return optional(s->v.Return.value);
    case Delete_kind:
        return validate_targets(s->v.Delete.targets, Del, "Delete");
    case Assign_kind:
        return validate_targets(s->v.Assign.targets, Store, "Assign") &&
               kr_validate_expr(s->v.Assign.value, Load);
    case AugAssign_kind:
        return kr_validate_expr(s->v.AugAssign.target, Store) &&
               kr_validate_expr(s->v.AugAssign.value, Load);
    case AnnAssign_kind:
        if (s->v.AnnAssign.target->kind != Name_kind &&
            s->v.AnnAssign.simple) {
            PyErr_SetString(PyExc_TypeError,
                            "AnnAssign with simple non-Name target");
            return 0;
        }
        return kr_validate_expr(s->v.AnnAssign.target, Store) &&
               optional(s->v.AnnAssign.value) &&
               kr_validate_expr(s->v.AnnAssign.annotation, Load);
    case For_kind:
        return validate_for(s->v.For.target, s->v.For.iter, s->v.For.body,
                            s->v.For.orelse, "For");
    case AsyncFor_kind:
        return validate_for(s->v.AsyncFor.target, s->v.AsyncFor.iter,
                            s->v.AsyncFor.body, s->v.AsyncFor.orelse,
                            "AsyncFor");
    case While_kind:
        return kr_validate_expr(s->v.While.test, Load) &&
               validate_body(s->v.While.body, "While") &&
               validate_stmts(s->v.While.orelse);
    case If_kind:
        return kr_validate_expr(s->v.If.test, Load) &&
               validate_body(s->v.If.body, "If") &&
               validate_stmts(s->v.If.orelse);
    case With_kind:
        return validate_with(s->v.With.items, s->v.With.body, "With");
    case AsyncWith_kind:
        return validate_with(s->v.AsyncWith.items, s->v.AsyncWith.body,
                             "AsyncWith");
    case Match_kind: return validate_match(s);
    case Raise_kind:
        if (s->v.Raise.exc == NULL && s->v.Raise.cause != NULL) {
            return kr_invalid("Raise with cause but no exception");
        }
        return optional(s->v.Raise.exc) && optional(s->v.Raise.cause);
    case Try_kind:
        return validate_try(s->v.Try.body, s->v.Try.handlers, s->v.Try.orelse,
                            s->v.Try.finalbody, "Try");
    case TryStar_kind:
        return validate_try(s->v.TryStar.body, s->v.TryStar.handlers,
                            s->v.TryStar.orelse, s->v.TryStar.finalbody,
                            "TryStar");
    case Assert_kind:
        return kr_validate_expr(s->v.Assert.test, Load) &&
               optional(s->v.Assert.msg);
    case Import_kind: return nonempty(s->v.Import.names, "names", "Import");
    case ImportFrom_kind:
        if (s->v.ImportFrom.level < 0) {
            return kr_invalid("Negative ImportFrom level");
        }
        return nonempty(s->v.ImportFrom.names, "names", "ImportFrom");
    case Global_kind: return nonempty(s->v.Global.names, "names", "Global");
    case Nonlocal_kind:
        return nonempty(s->v.Nonlocal.names, "names", "Nonlocal");
    case Expr_kind: return kr_validate_expr(s->v.Expr.value, Load);
    case Pass_kind:
    case Break_kind:
    case Continue_kind: return 1;
    }
    PyErr_SetString(PyExc_SystemError, "unexpected statement");
    return 0;
}

static int
validate_stmt(stmt_ty s)
{
    if (!VALID_POSITION(s) ||
        Py_EnterRecursiveCall(" during compilation") != 0) {
        return 0;
    }
    int result = validate_kind(s);
    Py_LeaveRecursiveCall();
    return result;
}

int
kr_ast_validate(mod_ty tree)
{
    switch (tree->kind) {
    case Module_kind: return validate_stmts(tree->v.Module.body);
    case Interactive_kind: return validate_stmts(tree->v.Interactive.body);
    case Expression_kind:
        return kr_validate_expr(tree->v.Expression.body, Load);
    case FunctionType_kind:
        return kr_validate_exprs(tree->v.FunctionType.argtypes, Load, false) &&
               kr_validate_expr(tree->v.FunctionType.returns, Load);
    }
    PyErr_SetString(PyExc_SystemError, "impossible module node");
    return 0;
}

PyObject *
kr_ast_get_docstring(asdl_stmt_seq *body)
{
    if (asdl_seq_LEN(body) == 0) {
        return NULL;
    }
    stmt_ty s = asdl_seq_GET(body, 0);
    if (s->kind != Expr_kind || s->v.Expr.value->kind != Constant_kind ||
        !PyUnicode_CheckExact(s->v.Expr.value->v.Constant.value)) {
        return NULL;
    }
    return s->v.Expr.value->v.Constant.value;
}
