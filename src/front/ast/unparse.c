/* Syntax tree to source text: parentheses only where precedence needs them,
 * spacing in one fixed style. */
#include "front/ast/unparse.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "memory/tstate.h"

/* From loosest to tightest binding. */
enum level {
    PR_TUPLE,
    PR_TEST, /* if-else, lambda */
    PR_OR,
    PR_AND,
    PR_NOT,
    PR_CMP,
    PR_EXPR,
    PR_BOR = PR_EXPR,
    PR_BXOR,
    PR_BAND,
    PR_SHIFT,
    PR_ARITH,
    PR_TERM,
    PR_FACTOR,
    PR_POWER,
    PR_AWAIT,
    PR_ATOM,
};

typedef _PyUnicodeWriter Writer;

#define TRY(step)                                                              \
    do {                                                                       \
        if ((step) < 0) {                                                      \
            return -1;                                                         \
        }                                                                      \
    } while (0)

static int put_expr(Writer *w, expr_ty e, int level);
static int put_fstring_part(Writer *w, expr_ty e, bool is_spec);

static int
put(Writer *w, const char *s)
{
    return _PyUnicodeWriter_WriteASCIIString(w, s, -1);
}

static int
put_if(Writer *w, bool condition, const char *s)
{
    return condition ? put(w, s) : 0;
}

static int
put_str(Writer *w, PyObject *s)
{
    return _PyUnicodeWriter_WriteStr(w, s);
}

/* Consumes `s`, which may be NULL after a failure. */
static int
put_new_str(Writer *w, PyObject *s)
{
    if (s == NULL) {
        return -1;
    }
    int rc = put_str(w, s);
    Py_DECREF(s);
    return rc;
}

static int
put_list(Writer *w, asdl_expr_seq *elts)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(elts); i++) {
        TRY(put_if(w, i > 0, ", "));
        TRY(put_expr(w, asdl_seq_GET(elts, i), PR_TEST));
    }
    return 0;
}

static int
put_enclosed(Writer *w, const char *open, asdl_expr_seq *elts,
             const char *close)
{
    TRY(put(w, open));
    TRY(put_list(w, elts));
    return put(w, close);
}

/* --- constants ------------------------------------------------------------ */

/* repr, with an infinity as a number too large for a float. */
static int
put_repr(Writer *w, PyObject *o)
{
    PyObject *repr = PyObject_Repr(o);
    if (repr == NULL) {
        return -1;
    }
    if ((PyFloat_CheckExact(o) && isinf(PyFloat_AS_DOUBLE(o))) ||
        PyComplex_CheckExact(o)) {
        PyObject *huge = PyUnicode_FromFormat("1e%d", 1 + DBL_MAX_10_EXP);
        PyObject *inf = PyUnicode_FromString("inf");
        if (huge == NULL || inf == NULL) {
            Py_CLEAR(repr);
        }
        else {
            Py_SETREF(repr, PyUnicode_Replace(repr, inf, huge, -1));
        }
        Py_XDECREF(huge);
        Py_XDECREF(inf);
    }
    return put_new_str(w, repr);
}

static int
put_constant(Writer *w, PyObject *o)
{
    if (o == Py_Ellipsis) {
        return put(w, "...");
    }
    if (!PyTuple_CheckExact(o)) {
        return put_repr(w, o);
    }
    Py_ssize_t n = PyTuple_GET_SIZE(o);
    TRY(put(w, "("));
    for (Py_ssize_t i = 0; i < n; i++) {
        TRY(put_if(w, i > 0, ", "));
        TRY(put_constant(w, PyTuple_GET_ITEM(o, i)));
    }
    return put(w, n == 1 ? ",)" : ")");
}

/* --- operators ------------------------------------------------------------ */

static int
put_boolop(Writer *w, expr_ty e, int level)
{
    bool and = e->v.BoolOp.op == And;
    int pr = and ? PR_AND : PR_OR;
    TRY(put_if(w, level > pr, "("));
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(e->v.BoolOp.values); i++) {
        TRY(put_if(w, i > 0, and ? " and " : " or "));
        TRY(put_expr(w, asdl_seq_GET(e->v.BoolOp.values, i), pr + 1));
    }
    return put_if(w, level > pr, ")");
}

static int
put_binop(Writer *w, expr_ty e, int level)
{
    static const struct {
        const char *text;
        int pr;
    } ops[] = {
        [Add] = {" + ", PR_ARITH},   [Sub] = {" - ", PR_ARITH},
        [Mult] = {" * ", PR_TERM},   [MatMult] = {" @ ", PR_TERM},
        [Div] = {" / ", PR_TERM},    [Mod] = {" % ", PR_TERM},
        [Pow] = {" ** ", PR_POWER},  [LShift] = {" << ", PR_SHIFT},
        [RShift] = {" >> ", PR_SHIFT}, [BitOr] = {" | ", PR_BOR},
        [BitXor] = {" ^ ", PR_BXOR}, [BitAnd] = {" & ", PR_BAND},
        [FloorDiv] = {" // ", PR_TERM},
    };
    operator_ty op = e->v.BinOp.op;
    int pr = ops[op].pr, right_assoc = op == Pow;
    TRY(put_if(w, level > pr, "("));
    TRY(put_expr(w, e->v.BinOp.left, pr + right_assoc));
    TRY(put(w, ops[op].text));
    TRY(put_expr(w, e->v.BinOp.right, pr + !right_assoc));
    return put_if(w, level > pr, ")");
}

static int
put_unaryop(Writer *w, expr_ty e, int level)
{
    static const char *const ops[] = {
        [Invert] = "~", [Not] = "not ", [UAdd] = "+", [USub] = "-"};
    int pr = e->v.UnaryOp.op == Not ? PR_NOT : PR_FACTOR;
    TRY(put_if(w, level > pr, "("));
    TRY(put(w, ops[e->v.UnaryOp.op]));
    TRY(put_expr(w, e->v.UnaryOp.operand, pr));
    return put_if(w, level > pr, ")");
}

static int
put_compare(Writer *w, expr_ty e, int level)
{
    static const char *const ops[] = {
        [Eq] = " == ",      [NotEq] = " != ", [Lt] = " < ",
        [LtE] = " <= ",     [Gt] = " > ",     [GtE] = " >= ",
        [Is] = " is ",      [IsNot] = " is not ",
        [In] = " in ",      [NotIn] = " not in ",
    };
    TRY(put_if(w, level > PR_CMP, "("));
    TRY(put_expr(w, e->v.Compare.left, PR_CMP + 1));
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(e->v.Compare.ops); i++) {
        TRY(put(w, ops[asdl_seq_GET(e->v.Compare.ops, i)]));
        TRY(put_expr(w, asdl_seq_GET(e->v.Compare.comparators, i),
                     PR_CMP + 1));
    }
    return put_if(w, level > PR_CMP, ")");
}

static int
put_ifexp(Writer *w, expr_ty e, int level)
{
    TRY(put_if(w, level > PR_TEST, "("));
    TRY(put_expr(w, e->v.IfExp.body, PR_TEST + 1));
    TRY(put(w, " if "));
    TRY(put_expr(w, e->v.IfExp.test, PR_TEST + 1));
    TRY(put(w, " else "));
    TRY(put_expr(w, e->v.IfExp.orelse, PR_TEST));
    return put_if(w, level > PR_TEST, ")");
}

static int
put_named_expr(Writer *w, expr_ty e, int level)
{
    TRY(put_if(w, level > PR_TUPLE, "("));
    TRY(put_expr(w, e->v.NamedExpr.target, PR_ATOM));
    TRY(put(w, " := "));
    TRY(put_expr(w, e->v.NamedExpr.value, PR_ATOM));
    return put_if(w, level > PR_TUPLE, ")");
}

/* --- lambda --------------------------------------------------------------- */

/* `first` is cleared once an argument is out. */
static int
put_arg(Writer *w, const char *stars, arg_ty arg, expr_ty value, bool *first)
{
    TRY(put_if(w, !*first, ", "));
    *first = false;
    TRY(put(w, stars));
    if (arg != NULL) {
        TRY(put_str(w, arg->arg));
        if (arg->annotation != NULL) {
            TRY(put(w, ": "));
            TRY(put_expr(w, arg->annotation, PR_TEST));
        }
    }
    if (value != NULL) {
        TRY(put(w, "="));
        TRY(put_expr(w, value, PR_TEST));
    }
    return 0;
}

static int
put_positional(Writer *w, arguments_ty args, bool *first)
{
    Py_ssize_t nposonly = asdl_seq_LEN(args->posonlyargs);
    Py_ssize_t n = nposonly + asdl_seq_LEN(args->args);
    Py_ssize_t ndefaults = asdl_seq_LEN(args->defaults);
    for (Py_ssize_t i = 0; i < n; i++) {
        arg_ty arg = i < nposonly ? asdl_seq_GET(args->posonlyargs, i)
                                  : asdl_seq_GET(args->args, i - nposonly);
        Py_ssize_t at = i - n + ndefaults;
        TRY(put_arg(w, "", arg,
                    at >= 0 ? asdl_seq_GET(args->defaults, at) : NULL, first));
        TRY(put_if(w, i + 1 == nposonly, ", /"));
    }
    return 0;
}

static int
put_arguments(Writer *w, arguments_ty args)
{
    bool first = true;
    TRY(put_positional(w, args, &first));
    if (args->vararg != NULL || asdl_seq_LEN(args->kwonlyargs)) {
        TRY(put_arg(w, "*", args->vararg, NULL, &first));
    }
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(args->kwonlyargs); i++) {
        TRY(put_arg(w, "", asdl_seq_GET(args->kwonlyargs, i),
                    asdl_seq_GET(args->kw_defaults, i), &first));
    }
    return args->kwarg != NULL ? put_arg(w, "**", args->kwarg, NULL, &first)
                               : 0;
}

static int
put_lambda(Writer *w, expr_ty e, int level)
{
    arguments_ty args = e->v.Lambda.args;
    bool positional =
        asdl_seq_LEN(args->posonlyargs) + asdl_seq_LEN(args->args) > 0;
    TRY(put_if(w, level > PR_TEST, "("));
    TRY(put(w, positional ? "lambda " : "lambda"));
    TRY(put_arguments(w, args));
    TRY(put(w, ": "));
    TRY(put_expr(w, e->v.Lambda.body, PR_TEST));
    return put_if(w, level > PR_TEST, ")");
}

/* --- displays and comprehensions ------------------------------------------ */

static int
put_dict(Writer *w, expr_ty e)
{
    TRY(put(w, "{"));
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(e->v.Dict.values); i++) {
        expr_ty key = asdl_seq_GET(e->v.Dict.keys, i);
        TRY(put_if(w, i > 0, ", "));
        if (key != NULL) {
            TRY(put_expr(w, key, PR_TEST));
            TRY(put(w, ": "));
        }
        else {
            TRY(put(w, "**"));
        }
        TRY(put_expr(w, asdl_seq_GET(e->v.Dict.values, i),
                     key != NULL ? PR_TEST : PR_EXPR));
    }
    return put(w, "}");
}

static int
put_tuple(Writer *w, expr_ty e, int level)
{
    Py_ssize_t n = asdl_seq_LEN(e->v.Tuple.elts);
    if (n == 0) {
        return put(w, "()");
    }
    TRY(put_if(w, level > PR_TUPLE, "("));
    TRY(put_list(w, e->v.Tuple.elts));
    TRY(put_if(w, n == 1, ","));
    return put_if(w, level > PR_TUPLE, ")");
}

static int
put_generators(Writer *w, asdl_comprehension_seq *generators)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(generators); i++) {
        comprehension_ty gen = asdl_seq_GET(generators, i);
        TRY(put(w, gen->is_async ? " async for " : " for "));
        TRY(put_expr(w, gen->target, PR_TUPLE));
        TRY(put(w, " in "));
        TRY(put_expr(w, gen->iter, PR_TEST + 1));
        for (Py_ssize_t j = 0; j < asdl_seq_LEN(gen->ifs); j++) {
            TRY(put(w, " if "));
            TRY(put_expr(w, asdl_seq_GET(gen->ifs, j), PR_TEST + 1));
        }
    }
    return 0;
}

static int
put_comprehension(Writer *w, const char *open, expr_ty elt, expr_ty value,
                  asdl_comprehension_seq *generators, const char *close)
{
    TRY(put(w, open));
    TRY(put_expr(w, elt, PR_TEST));
    if (value != NULL) {
        TRY(put(w, ": "));
        TRY(put_expr(w, value, PR_TEST));
    }
    TRY(put_generators(w, generators));
    return put(w, close);
}

/* --- calls, attributes, subscripts ---------------------------------------- */

static int
put_call(Writer *w, expr_ty e)
{
    asdl_expr_seq *args = e->v.Call.args;
    asdl_keyword_seq *keywords = e->v.Call.keywords;
    TRY(put_expr(w, e->v.Call.func, PR_ATOM));
    if (asdl_seq_LEN(args) == 1 && asdl_seq_LEN(keywords) == 0 &&
        asdl_seq_GET(args, 0)->kind == GeneratorExp_kind) {
        /* It brings the parentheses. */
        return put_expr(w, asdl_seq_GET(args, 0), PR_TEST);
    }
    TRY(put(w, "("));
    TRY(put_list(w, args));
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(keywords); i++) {
        keyword_ty kw = asdl_seq_GET(keywords, i);
        TRY(put_if(w, i > 0 || asdl_seq_LEN(args), ", "));
        if (kw->arg == NULL) {
            TRY(put(w, "**"));
        }
        else {
            TRY(put_str(w, kw->arg));
            TRY(put(w, "="));
        }
        TRY(put_expr(w, kw->value, PR_TEST));
    }
    return put(w, ")");
}

static int
put_attribute(Writer *w, expr_ty e)
{
    expr_ty value = e->v.Attribute.value;
    TRY(put_expr(w, value, PR_ATOM));
    /* 1.real would be a float and a syntax error. */
    bool number = value->kind == Constant_kind &&
                  PyLong_CheckExact(value->v.Constant.value);
    TRY(put(w, number ? " ." : "."));
    return put_str(w, e->v.Attribute.attr);
}

static int
put_slice(Writer *w, expr_ty e)
{
    if (e->v.Slice.lower != NULL) {
        TRY(put_expr(w, e->v.Slice.lower, PR_TEST));
    }
    TRY(put(w, ":"));
    if (e->v.Slice.upper != NULL) {
        TRY(put_expr(w, e->v.Slice.upper, PR_TEST));
    }
    if (e->v.Slice.step != NULL) {
        TRY(put(w, ":"));
        TRY(put_expr(w, e->v.Slice.step, PR_TEST));
    }
    return 0;
}

static int
put_subscript(Writer *w, expr_ty e)
{
    TRY(put_expr(w, e->v.Subscript.value, PR_ATOM));
    TRY(put(w, "["));
    TRY(put_expr(w, e->v.Subscript.slice, PR_TUPLE));
    return put(w, "]");
}

/* --- f-strings ------------------------------------------------------------ */

/* Literal text, with braces doubled. */
static int
put_fstring_text(Writer *w, PyObject *text)
{
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(text); i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(text, i);
        TRY(_PyUnicodeWriter_WriteChar(w, ch));
        if (ch == '{' || ch == '}') {
            TRY(_PyUnicodeWriter_WriteChar(w, ch));
        }
    }
    return 0;
}

static PyObject *
unparse_at(expr_ty e, int level)
{
    Writer w;
    _PyUnicodeWriter_Init(&w);
    w.min_length = 256;
    w.overallocate = 1;
    if (put_expr(&w, e, level) < 0) {
        _PyUnicodeWriter_Dealloc(&w);
        return NULL;
    }
    return _PyUnicodeWriter_Finish(&w);
}

static int
put_field(Writer *w, expr_ty e)
{
    PyObject *text = unparse_at(e->v.FormattedValue.value, PR_TEST + 1);
    if (text == NULL) {
        return -1;
    }
    bool brace =
        PyUnicode_GET_LENGTH(text) && PyUnicode_READ_CHAR(text, 0) == '{';
    /* "{{" would be a literal brace. */
    if (put(w, brace ? "{ " : "{") < 0) {
        Py_DECREF(text);
        return -1;
    }
    TRY(put_new_str(w, text));
    int conversion = e->v.FormattedValue.conversion;
    if (conversion > 0) {
        if (conversion != 'a' && conversion != 'r' && conversion != 's') {
            PyErr_SetString(PyExc_SystemError,
                            "unknown f-value conversion kind");
            return -1;
        }
        TRY(_PyUnicodeWriter_WriteChar(w, '!'));
        TRY(_PyUnicodeWriter_WriteChar(w, (Py_UCS4)conversion));
    }
    if (e->v.FormattedValue.format_spec != NULL) {
        TRY(put(w, ":"));
        TRY(put_fstring_part(w, e->v.FormattedValue.format_spec, true));
    }
    return put(w, "}");
}

static int
put_joined_str(Writer *w, expr_ty e, bool is_spec)
{
    Writer body;
    _PyUnicodeWriter_Init(&body);
    body.min_length = 256;
    body.overallocate = 1;
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(e->v.JoinedStr.values); i++) {
        if (put_fstring_part(&body, asdl_seq_GET(e->v.JoinedStr.values, i),
                             is_spec) < 0) {
            _PyUnicodeWriter_Dealloc(&body);
            return -1;
        }
    }
    PyObject *text = _PyUnicodeWriter_Finish(&body);
    if (text == NULL || is_spec) {
        return put_new_str(w, text);
    }
    PyObject *repr = PyObject_Repr(text);
    Py_DECREF(text);
    if (repr == NULL || put(w, "f") < 0) {
        Py_XDECREF(repr);
        return -1;
    }
    return put_new_str(w, repr);
}

static int
put_fstring_part(Writer *w, expr_ty e, bool is_spec)
{
    switch (e->kind) {
    case Constant_kind:
        return put_fstring_text(w, e->v.Constant.value);
    case JoinedStr_kind:
        return put_joined_str(w, e, is_spec);
    case FormattedValue_kind:
        return put_field(w, e);
    default:
        PyErr_SetString(PyExc_SystemError,
                        "unknown expression kind inside f-string");
        return -1;
    }
}

/* --- dispatch ------------------------------------------------------------- */

static int
put_yield(Writer *w, const char *keyword, expr_ty value)
{
    TRY(put(w, keyword));
    if (value != NULL) {
        TRY(put(w, " "));
        TRY(put_expr(w, value, PR_TEST));
    }
    return put(w, ")");
}

static int
put_await(Writer *w, expr_ty e, int level)
{
    TRY(put_if(w, level > PR_AWAIT, "("));
    TRY(put(w, "await "));
    TRY(put_expr(w, e->v.Await.value, PR_ATOM));
    return put_if(w, level > PR_AWAIT, ")");
}

static int
put_expr(Writer *w, expr_ty e, int level)
{
    if (kr_stack_is_low(kr_tstate())) {
        PyErr_SetString(PyExc_RecursionError,
                        "maximum recursion depth exceeded during compilation");
        return -1;
    }
    switch (e->kind) {
    case BoolOp_kind:
        return put_boolop(w, e, level);
    case NamedExpr_kind:
        return put_named_expr(w, e, level);
    case BinOp_kind:
        return put_binop(w, e, level);
    case UnaryOp_kind:
        return put_unaryop(w, e, level);
    case Lambda_kind:
        return put_lambda(w, e, level);
    case IfExp_kind:
        return put_ifexp(w, e, level);
    case Dict_kind:
        return put_dict(w, e);
    case Set_kind:
        return put_enclosed(w, "{", e->v.Set.elts, "}");
    case ListComp_kind:
        return put_comprehension(w, "[", e->v.ListComp.elt, NULL,
                                 e->v.ListComp.generators, "]");
    case SetComp_kind:
        return put_comprehension(w, "{", e->v.SetComp.elt, NULL,
                                 e->v.SetComp.generators, "}");
    case DictComp_kind:
        return put_comprehension(w, "{", e->v.DictComp.key,
                                 e->v.DictComp.value,
                                 e->v.DictComp.generators, "}");
    case GeneratorExp_kind:
        return put_comprehension(w, "(", e->v.GeneratorExp.elt, NULL,
                                 e->v.GeneratorExp.generators, ")");
    case Await_kind:
        return put_await(w, e, level);
    case Yield_kind:
        return put_yield(w, "(yield", e->v.Yield.value);
    case YieldFrom_kind:
        return put_yield(w, "(yield from", e->v.YieldFrom.value);
    case Compare_kind:
        return put_compare(w, e, level);
    case Call_kind:
        return put_call(w, e);
    case FormattedValue_kind:
        return put_field(w, e);
    case JoinedStr_kind:
        return put_joined_str(w, e, false);
    case Constant_kind:
        if (e->v.Constant.kind != NULL) {
            TRY(put_str(w, e->v.Constant.kind));
        }
        return put_constant(w, e->v.Constant.value);
    case Attribute_kind:
        return put_attribute(w, e);
    case Subscript_kind:
        return put_subscript(w, e);
    case Starred_kind:
        TRY(put(w, "*"));
        return put_expr(w, e->v.Starred.value, PR_EXPR);
    case Name_kind:
        return put_str(w, e->v.Name.id);
    case List_kind:
        return put_enclosed(w, "[", e->v.List.elts, "]");
    case Tuple_kind:
        return put_tuple(w, e, level);
    case Slice_kind:
        return put_slice(w, e);
    }
    Py_UNREACHABLE();
}

PyObject *
kr_ast_unparse(expr_ty e)
{
    return unparse_at(e, PR_TEST);
}
