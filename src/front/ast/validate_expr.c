/* Are expressions and patterns what the grammar could have produced? */
#include "front/ast/validate.h"

int
kr_validate_position(int lineno, int col, int end_lineno, int end_col)
{
    if (lineno > end_lineno) {
        PyErr_Format(PyExc_ValueError,
                     "AST node line range (%d, %d) is not valid", lineno,
                     end_lineno);
        return 0;
    }
    if ((lineno < 0 && end_lineno != lineno) || (col < 0 && col != end_col)) {
        PyErr_Format(PyExc_ValueError,
                     "AST node column range (%d, %d) for line range (%d, %d) "
                     "is not valid",
                     col, end_col, lineno, end_lineno);
        return 0;
    }
    if (lineno == end_lineno && col > end_col) {
        PyErr_Format(PyExc_ValueError,
                     "line %d, column %d-%d is not a valid range", lineno, col,
                     end_col);
        return 0;
    }
    return 1;
}

int
kr_validate_name(PyObject *name)
{
    static const char *const forbidden[] = {"None", "True", "False"};
    for (size_t i = 0; i < KR_ARRAY_LEN(forbidden); i++) {
        if (_PyUnicode_EqualToASCIIString(name, forbidden[i])) {
            PyErr_Format(PyExc_ValueError,
                         "identifier field can't represent '%s' constant",
                         forbidden[i]);
            return 0;
        }
    }
    return 1;
}

int
kr_validate_exprs(asdl_expr_seq *seq, expr_context_ty ctx, bool null_ok)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(seq); i++) {
        expr_ty e = asdl_seq_GET(seq, i);
        if (e == NULL && !null_ok) {
            return kr_invalid("None disallowed in expression list");
        }
        if (e != NULL && !kr_validate_expr(e, ctx)) {
            return 0;
        }
    }
    return 1;
}

static int
validate_comprehension(asdl_comprehension_seq *generators)
{
    if (asdl_seq_LEN(generators) == 0) {
        return kr_invalid("comprehension with no generators");
    }
    for (Py_ssize_t i = 0; i < generators->size; i++) {
        comprehension_ty c = asdl_seq_GET(generators, i);
        if (!kr_validate_expr(c->target, Store) ||
            !kr_validate_expr(c->iter, Load) ||
            !kr_validate_exprs(c->ifs, Load, false)) {
            return 0;
        }
    }
    return 1;
}

int
kr_validate_keywords(asdl_keyword_seq *keywords)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(keywords); i++) {
        if (!kr_validate_expr(asdl_seq_GET(keywords, i)->value, Load)) {
            return 0;
        }
    }
    return 1;
}

static int
validate_arg(arg_ty arg)
{
    return VALID_POSITION(arg) &&
           (!arg->annotation || kr_validate_expr(arg->annotation, Load));
}

static int
validate_args(asdl_arg_seq *args)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(args); i++) {
        if (!validate_arg(asdl_seq_GET(args, i))) {
            return 0;
        }
    }
    return 1;
}

int
kr_validate_arguments(arguments_ty a)
{
    if (!validate_args(a->posonlyargs) || !validate_args(a->args) ||
        (a->vararg && a->vararg->annotation &&
         !kr_validate_expr(a->vararg->annotation, Load)) ||
        !validate_args(a->kwonlyargs) ||
        (a->kwarg && a->kwarg->annotation &&
         !kr_validate_expr(a->kwarg->annotation, Load))) {
        return 0;
    }
    if (asdl_seq_LEN(a->defaults) >
        asdl_seq_LEN(a->posonlyargs) + asdl_seq_LEN(a->args)) {
        return kr_invalid("more positional defaults than args on arguments");
    }
    if (asdl_seq_LEN(a->kw_defaults) != asdl_seq_LEN(a->kwonlyargs)) {
        return kr_invalid("length of kwonlyargs is not the same as "
                          "kw_defaults on arguments");
    }
    return kr_validate_exprs(a->defaults, Load, false) &&
           kr_validate_exprs(a->kw_defaults, Load, true);
}

/* Whether the value can be a constant; if not, an exception is set. */
static bool
validate_constant(PyObject *value)
{
    if (value == Py_None || value == Py_Ellipsis || PyLong_CheckExact(value) ||
        PyFloat_CheckExact(value) || PyComplex_CheckExact(value) ||
        PyBool_Check(value) || PyUnicode_CheckExact(value) ||
        PyBytes_CheckExact(value)) {
        return true;
    }
    if (!PyTuple_CheckExact(value) && !PyFrozenSet_CheckExact(value)) {
        PyErr_Format(PyExc_TypeError, "got an invalid type in Constant: %s",
                     _PyType_Name(Py_TYPE(value)));
        return false;
    }
    if (Py_EnterRecursiveCall(" during compilation") != 0) {
        return false;
    }
    PyObject *items = PySequence_Tuple(value);
    bool valid = items != NULL;
    for (Py_ssize_t i = 0; valid && i < PyTuple_GET_SIZE(items); i++) {
        valid = validate_constant(PyTuple_GET_ITEM(items, i));
    }
    Py_XDECREF(items);
    Py_LeaveRecursiveCall();
    return valid;
}

/* The context a node carries, 0 if its kind has none. */
static int
own_context(expr_ty e)
{
    switch (e->kind) {
    case Attribute_kind: return e->v.Attribute.ctx;
    case Subscript_kind: return e->v.Subscript.ctx;
    case Starred_kind: return e->v.Starred.ctx;
    case Name_kind: return e->v.Name.ctx;
    case List_kind: return e->v.List.ctx;
    case Tuple_kind: return e->v.Tuple.ctx;
    default: return 0;
    }
}

static int
validate_context(expr_ty e, expr_context_ty ctx)
{
    static const char *const names[] = {"", "Load", "Store", "Del"};
    int own = own_context(e);
    if (e->kind == Name_kind && !kr_validate_name(e->v.Name.id)) {
        return 0;
    }
    if (own == 0) {
        if (ctx != Load) {
            PyErr_Format(PyExc_ValueError,
                         "expression which can't be assigned to in %s context",
                         names[ctx]);
            return 0;
        }
    }
    else if (own != (int)ctx) {
        PyErr_Format(PyExc_ValueError,
                     "expression must have %s context but has %s instead",
                     names[ctx], names[own]);
        return 0;
    }
    return 1;
}

static int
optional(expr_ty e)
{
    return e == NULL || kr_validate_expr(e, Load);
}

static int
validate_dict(expr_ty e)
{
    if (asdl_seq_LEN(e->v.Dict.keys) != asdl_seq_LEN(e->v.Dict.values)) {
        return kr_invalid(
            "Dict doesn't have the same number of keys as values");
    }
    return kr_validate_exprs(e->v.Dict.keys, Load, true) &&
           kr_validate_exprs(e->v.Dict.values, Load, false);
}

static int
validate_compare(expr_ty e)
{
    if (asdl_seq_LEN(e->v.Compare.comparators) == 0) {
        return kr_invalid("Compare with no comparators");
    }
    if (asdl_seq_LEN(e->v.Compare.comparators) !=
        asdl_seq_LEN(e->v.Compare.ops)) {
        return kr_invalid(
            "Compare has a different number of comparators and operands");
    }
    return kr_validate_exprs(e->v.Compare.comparators, Load, false) &&
           kr_validate_expr(e->v.Compare.left, Load);
}

static int
validate_parts(expr_ty e, expr_context_ty ctx)
{
#define LOADED(x) kr_validate_expr(x, Load)
#define LOADED_SEQ(x) kr_validate_exprs(x, Load, false)
    switch (e->kind) {
    case BoolOp_kind:
        if (asdl_seq_LEN(e->v.BoolOp.values) < 2) {
            return kr_invalid("BoolOp with less than 2 values");
        }
        return LOADED_SEQ(e->v.BoolOp.values);
    case BinOp_kind: return LOADED(e->v.BinOp.left) && LOADED(e->v.BinOp.right);
    case UnaryOp_kind: return LOADED(e->v.UnaryOp.operand);
    case Lambda_kind:
        return kr_validate_arguments(e->v.Lambda.args) &&
               LOADED(e->v.Lambda.body);
    case IfExp_kind:
        return LOADED(e->v.IfExp.test) && LOADED(e->v.IfExp.body) &&
               LOADED(e->v.IfExp.orelse);
    case Dict_kind: return validate_dict(e);
    case Set_kind: return LOADED_SEQ(e->v.Set.elts);
    case ListComp_kind:
    case SetComp_kind:
    case GeneratorExp_kind:
        return validate_comprehension(e->v.ListComp.generators) &&
               LOADED(e->v.ListComp.elt);
    case DictComp_kind:
        return validate_comprehension(e->v.DictComp.generators) &&
               LOADED(e->v.DictComp.key) && LOADED(e->v.DictComp.value);
    case Yield_kind: return optional(e->v.Yield.value);
    case YieldFrom_kind: return LOADED(e->v.YieldFrom.value);
    case Await_kind: return LOADED(e->v.Await.value);
    case Compare_kind: return validate_compare(e);
    case Call_kind:
        return LOADED(e->v.Call.func) && LOADED_SEQ(e->v.Call.args) &&
               kr_validate_keywords(e->v.Call.keywords);
    case Constant_kind: return validate_constant(e->v.Constant.value);
    case JoinedStr_kind: return LOADED_SEQ(e->v.JoinedStr.values);
    case FormattedValue_kind:
        return LOADED(e->v.FormattedValue.value) &&
               optional(e->v.FormattedValue.format_spec);
    case Attribute_kind: return LOADED(e->v.Attribute.value);
    case Subscript_kind:
        return LOADED(e->v.Subscript.slice) && LOADED(e->v.Subscript.value);
    case Starred_kind: return kr_validate_expr(e->v.Starred.value, ctx);
    case List_kind: return kr_validate_exprs(e->v.List.elts, ctx, false);
    case Tuple_kind: return kr_validate_exprs(e->v.Tuple.elts, ctx, false);
    case NamedExpr_kind: return LOADED(e->v.NamedExpr.value);
    case Slice_kind:
        return optional(e->v.Slice.lower) && optional(e->v.Slice.upper) &&
               optional(e->v.Slice.step);
    case Name_kind: return 1;
    }
    PyErr_SetString(PyExc_SystemError, "unexpected expression");
    return 0;
}

int
kr_validate_expr(expr_ty e, expr_context_ty ctx)
{
    if (!VALID_POSITION(e) ||
        Py_EnterRecursiveCall(" during compilation") != 0) {
        return 0;
    }
    int result = validate_context(e, ctx) && validate_parts(e, ctx);
    Py_LeaveRecursiveCall();
    return result;
}

/* --- Patterns ------------------------------------------------------------ */

static bool
is_number(expr_ty e, bool real, bool imaginary)
{
    if (e->kind != Constant_kind) {
        return false;
    }
    PyObject *v = e->v.Constant.value;
    return (real && (PyFloat_CheckExact(v) || PyLong_CheckExact(v))) ||
           (imaginary && PyComplex_CheckExact(v));
}

static bool
is_negative(expr_ty e, bool imaginary)
{
    return e->kind == UnaryOp_kind && e->v.UnaryOp.op == USub &&
           is_number(e->v.UnaryOp.operand, true, imaginary);
}

static bool
is_complex(expr_ty e)
{
    if (e->v.BinOp.op != Add && e->v.BinOp.op != Sub) {
        return false;
    }
    expr_ty left = e->v.BinOp.left;
    return (is_number(left, true, false) || is_negative(left, false)) &&
           is_number(e->v.BinOp.right, false, true);
}

static int
validate_match_value(expr_ty e)
{
    if (!kr_validate_expr(e, Load)) {
        return 0;
    }
    switch (e->kind) {
    case Constant_kind: {
        PyObject *v = e->v.Constant.value;
        if (PyLong_CheckExact(v) || PyFloat_CheckExact(v) ||
            PyBytes_CheckExact(v) || PyComplex_CheckExact(v) ||
            PyUnicode_CheckExact(v)) {
            return 1;
        }
        return kr_invalid("unexpected constant inside of a literal pattern");
    }
    case Attribute_kind:
    case JoinedStr_kind: return 1;
    case UnaryOp_kind:
        if (is_negative(e, true)) {
            return 1;
        }
        break;
    case BinOp_kind:
        if (is_complex(e)) {
            return 1;
        }
        break;
    default: break;
    }
    return kr_invalid(
        "patterns may only match literals and attribute lookups");
}

static int
validate_capture(PyObject *name)
{
    if (_PyUnicode_EqualToASCIIString(name, "_")) {
        return kr_invalid("can't capture name '_' in patterns");
    }
    return kr_validate_name(name);
}

static int
validate_patterns(asdl_pattern_seq *patterns, bool star_ok)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(patterns); i++) {
        if (!kr_validate_pattern(asdl_seq_GET(patterns, i), star_ok)) {
            return 0;
        }
    }
    return 1;
}

static int
validate_mapping(pattern_ty p)
{
    asdl_expr_seq *keys = p->v.MatchMapping.keys;
    if (asdl_seq_LEN(keys) != asdl_seq_LEN(p->v.MatchMapping.patterns)) {
        return kr_invalid(
            "MatchMapping doesn't have the same number of keys as patterns");
    }
    if (p->v.MatchMapping.rest && !validate_capture(p->v.MatchMapping.rest)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(keys); i++) {
        expr_ty key = asdl_seq_GET(keys, i);
        if (key == NULL) {
            return kr_invalid("None disallowed in expression list");
        }
        if (key->kind == Constant_kind) {
            PyObject *v = key->v.Constant.value;
            if (v == Py_None || v == Py_True || v == Py_False) {
                continue;
            }
        }
        if (!validate_match_value(key)) {
            return 0;
        }
    }
    return validate_patterns(p->v.MatchMapping.patterns, false);
}

static int
validate_class(pattern_ty p)
{
    if (asdl_seq_LEN(p->v.MatchClass.kwd_attrs) !=
        asdl_seq_LEN(p->v.MatchClass.kwd_patterns)) {
        return kr_invalid("MatchClass doesn't have the same number of keyword "
                          "attributes as patterns");
    }
    if (!kr_validate_expr(p->v.MatchClass.cls, Load)) {
        return 0;
    }
    expr_ty cls = p->v.MatchClass.cls;
    while (cls->kind == Attribute_kind) {
        cls = cls->v.Attribute.value;
    }
    if (cls->kind != Name_kind) {
        return kr_invalid("MatchClass cls field can only contain Name or "
                          "Attribute nodes.");
    }
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(p->v.MatchClass.kwd_attrs); i++) {
        if (!kr_validate_name(asdl_seq_GET(p->v.MatchClass.kwd_attrs, i))) {
            return 0;
        }
    }
    return validate_patterns(p->v.MatchClass.patterns, false) &&
           validate_patterns(p->v.MatchClass.kwd_patterns, false);
}

static int
validate_pattern_kind(pattern_ty p, bool star_ok)
{
    switch (p->kind) {
    case MatchValue_kind: return validate_match_value(p->v.MatchValue.value);
    case MatchSingleton_kind: {
        PyObject *v = p->v.MatchSingleton.value;
        if (v == Py_None || PyBool_Check(v)) {
            return 1;
        }
        return kr_invalid(
            "MatchSingleton can only contain True, False and None");
    }
    case MatchSequence_kind:
        return validate_patterns(p->v.MatchSequence.patterns, true);
    case MatchMapping_kind: return validate_mapping(p);
    case MatchClass_kind: return validate_class(p);
    case MatchStar_kind:
        if (!star_ok) {
            return kr_invalid("can't use MatchStar here");
        }
        return !p->v.MatchStar.name || validate_capture(p->v.MatchStar.name);
    case MatchAs_kind:
        if (p->v.MatchAs.name && !validate_capture(p->v.MatchAs.name)) {
            return 0;
        }
        if (p->v.MatchAs.pattern == NULL) {
            return 1;
        }
        if (p->v.MatchAs.name == NULL) {
            return kr_invalid("MatchAs must specify a target name if a "
                              "pattern is given");
        }
        return kr_validate_pattern(p->v.MatchAs.pattern, false);
    case MatchOr_kind:
        if (asdl_seq_LEN(p->v.MatchOr.patterns) < 2) {
            return kr_invalid("MatchOr requires at least 2 patterns");
        }
        return validate_patterns(p->v.MatchOr.patterns, false);
    }
    PyErr_SetString(PyExc_SystemError, "unexpected pattern");
    return 0;
}

int
kr_validate_pattern(pattern_ty p, bool star_ok)
{
    if (!VALID_POSITION(p) ||
        Py_EnterRecursiveCall(" during compilation") != 0) {
        return 0;
    }
    int result = validate_pattern_kind(p, star_ok);
    Py_LeaveRecursiveCall();
    return result;
}
