/* Actions of python.gram: sequences, contexts, calls, functions, patterns. */
#include "front/parser/rules.h"

#define NEW(type) ((type *)alloc(p, sizeof(type)))

static void *
alloc(Parser *p, size_t size)
{
    return kr_arena_alloc(p->arena, size);
}

/* --- Sequences ----------------------------------------------------------- */

void *
kr_seq_one(Parser *p, void *item)
{
    asdl_seq *seq = item ? kr_asdl_seq_new(1, p->arena) : NULL;
    if (seq != NULL) {
        seq->typed_elements[0] = item;
    }
    return seq;
}

void *
kr_seq_join(Parser *p, void *a, void *b)
{
    Py_ssize_t na = asdl_seq_LEN((asdl_seq *)a);
    Py_ssize_t nb = asdl_seq_LEN((asdl_seq *)b);
    asdl_seq *seq = kr_asdl_seq_new(na + nb, p->arena);
    if (seq == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < na; i++) {
        seq->typed_elements[i] = ((asdl_seq *)a)->typed_elements[i];
    }
    for (Py_ssize_t i = 0; i < nb; i++) {
        seq->typed_elements[na + i] = ((asdl_seq *)b)->typed_elements[i];
    }
    return seq;
}

void *
kr_seq_prepend(Parser *p, void *item, void *seq)
{
    void *one = kr_seq_one(p, item);
    return one == NULL ? NULL : kr_seq_join(p, one, seq);
}

void *
kr_seq_append(Parser *p, void *seq, void *item)
{
    void *one = kr_seq_one(p, item);
    return one == NULL ? NULL : kr_seq_join(p, seq, one);
}

void *
kr_seq_flatten(Parser *p, asdl_seq *seqs)
{
    Py_ssize_t n = 0;
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(seqs); i++) {
        n += asdl_seq_LEN((asdl_seq *)asdl_seq_GET(seqs, i));
    }
    asdl_seq *flat = kr_asdl_seq_new(n, p->arena);
    n = 0;
    for (Py_ssize_t i = 0; flat && i < asdl_seq_LEN(seqs); i++) {
        asdl_seq *part = asdl_seq_GET(seqs, i);
        for (Py_ssize_t k = 0; k < asdl_seq_LEN(part); k++) {
            flat->typed_elements[n++] = part->typed_elements[k];
        }
    }
    return flat;
}

/* A sequence of the pointers at `offset` in each element. */
static void *
project(Parser *p, asdl_seq *seq, size_t offset)
{
    Py_ssize_t n = asdl_seq_LEN(seq);
    asdl_seq *out = kr_asdl_seq_new(n, p->arena);
    for (Py_ssize_t i = 0; out && i < n; i++) {
        out->typed_elements[i] =
            *(void **)((char *)seq->typed_elements[i] + offset);
    }
    return out;
}

/* --- Modules and names --------------------------------------------------- */

mod_ty
kr_make_module(Parser *p, asdl_stmt_seq *body)
{
    if (body == NULL && (body = kr_asdl_seq_new(0, p->arena)) == NULL) {
        return NULL;
    }
    asdl_type_ignore_seq *ignores = kr_asdl_seq_new(p->nignores, p->arena);
    for (int i = 0; ignores != NULL && i < p->nignores; i++) {
        type_ignore_ty ignore = kr_ast_TypeIgnore(p->ignore_lines[i],
                                                  p->ignore_tags[i], p->arena);
        if (ignore == NULL) {
            return NULL;
        }
        asdl_seq_SET(ignores, i, ignore);
    }
    return ignores ? kr_ast_Module(body, ignores, p->arena) : NULL;
}

void *
kr_interactive_exit(Parser *p)
{
    p->reached_end = true;
    return NULL;
}

static asdl_expr_seq *
set_contexts(Parser *p, asdl_expr_seq *elts, expr_context_ty ctx)
{
    asdl_expr_seq *out = kr_asdl_seq_new(asdl_seq_LEN(elts), p->arena);
    for (Py_ssize_t i = 0; out && i < asdl_seq_LEN(elts); i++) {
        asdl_seq_SET(out, i, kr_set_context(p, asdl_seq_GET(elts, i), ctx));
    }
    return out;
}

expr_ty
kr_set_context(Parser *p, expr_ty e, expr_context_ty ctx)
{
    if (e == NULL) {
        return NULL;
    }
    expr_ty copy = NEW(struct _expr);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *e;
    switch (e->kind) {
    case Name_kind: copy->v.Name.ctx = ctx; break;
    case Attribute_kind: copy->v.Attribute.ctx = ctx; break;
    case Subscript_kind: copy->v.Subscript.ctx = ctx; break;
    case Starred_kind:
        copy->v.Starred.ctx = ctx;
        copy->v.Starred.value = kr_set_context(p, e->v.Starred.value, ctx);
        break;
    case Tuple_kind:
        copy->v.Tuple.ctx = ctx;
        copy->v.Tuple.elts = set_contexts(p, e->v.Tuple.elts, ctx);
        break;
    case List_kind:
        copy->v.List.ctx = ctx;
        copy->v.List.elts = set_contexts(p, e->v.List.elts, ctx);
        break;
    default: return e;
    }
    return copy;
}

PyObject *
kr_type_comment(Parser *p, const Token *t)
{
    if (t == NULL) {
        return NULL;
    }
    PyObject *s = PyUnicode_DecodeUTF8(t->start, t->end - t->start, NULL);
    if (s == NULL || kr_arena_own(p->arena, s) < 0) {
        p->error_indicator = true;
        return NULL;
    }
    return s;
}

arg_ty
kr_arg_type_comment(Parser *p, arg_ty arg, const Token *t)
{
    if (t == NULL) {
        return arg;
    }
    arg_ty copy = NEW(struct _arg);
    if (copy != NULL) {
        *copy = *arg;
        copy->type_comment = kr_type_comment(p, t);
    }
    return copy;
}

operator_ty
kr_token_operator(const Token *t)
{
    switch (t->type) {
    case T_PLUSEQUAL: return Add;
    case T_MINEQUAL: return Sub;
    case T_STAREQUAL: return Mult;
    case T_ATEQUAL: return MatMult;
    case T_SLASHEQUAL: return Div;
    case T_PERCENTEQUAL: return Mod;
    case T_AMPEREQUAL: return BitAnd;
    case T_VBAREQUAL: return BitOr;
    case T_CIRCUMFLEXEQUAL: return BitXor;
    case T_LEFTSHIFTEQUAL: return LShift;
    case T_RIGHTSHIFTEQUAL: return RShift;
    case T_DOUBLESTAREQUAL: return Pow;
    default: return FloorDiv;
    }
}

asdl_identifier_seq *
kr_names_to_identifiers(Parser *p, asdl_seq *names)
{
    asdl_identifier_seq *ids = kr_asdl_seq_new(asdl_seq_LEN(names), p->arena);
    for (Py_ssize_t i = 0; ids && i < asdl_seq_LEN(names); i++) {
        asdl_seq_SET(ids, i, ((expr_ty)asdl_seq_GET(names, i))->v.Name.id);
    }
    return ids;
}

int
kr_count_dots(asdl_seq *dots)
{
    int n = 0;
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(dots); i++) {
        n += ((Token *)asdl_seq_GET(dots, i))->type == T_ELLIPSIS ? 3 : 1;
    }
    return n;
}

alias_ty
kr_star_alias(Parser *p, LOC_PARAMS)
{
    PyObject *star = kr_new_identifier(p, "*", 1);
    return star ? kr_ast_alias(star, NULL, lineno, col, end_lineno, end_col,
                               arena)
                : NULL;
}

expr_ty
kr_join_names(Parser *p, expr_ty a, expr_ty b)
{
    PyObject *name =
        PyUnicode_FromFormat("%U.%U", a->v.Name.id, b->v.Name.id);
    if (name == NULL) {
        return NULL;
    }
    PyUnicode_InternInPlace(&name);
    if (kr_arena_own(p->arena, name) < 0) {
        return NULL;
    }
    return kr_ast_Name(name, Load, a->lineno, a->col_offset, b->end_lineno,
                       b->end_col_offset, p->arena);
}

/* --- Calls, classes, functions ------------------------------------------- */

static expr_ty
call_of_nothing(Parser *p, asdl_expr_seq *args, asdl_keyword_seq *keywords,
                LOC_PARAMS)
{
    PyObject *id = kr_new_identifier(p, "", 0);
    expr_ty dummy =
        id ? kr_ast_Name(id, Load, 1, 0, 1, 0, p->arena) : NULL;
    return dummy ? kr_ast_Call(dummy, args, keywords, lineno, col, end_lineno,
                               end_col, arena)
                 : NULL;
}

expr_ty
kr_no_arguments(Parser *p)
{
    return call_of_nothing(p, NULL, NULL, 1, 0, 1, 0, p->arena);
}

expr_ty
kr_make_call(Parser *p, expr_ty func, expr_ty args, LOC_PARAMS)
{
    return kr_ast_Call(func, args ? args->v.Call.args : NULL,
                       args ? args->v.Call.keywords : NULL, lineno, col,
                       end_lineno, end_col, arena);
}

KeywordOrStarred *
kr_keyword_or_starred(Parser *p, void *node, bool keyword)
{
    KeywordOrStarred *k = node ? NEW(KeywordOrStarred) : NULL;
    if (k != NULL) {
        *k = (KeywordOrStarred){node, keyword};
    }
    return k;
}

expr_ty
kr_collect_arguments(Parser *p, asdl_expr_seq *args, asdl_seq *kwargs,
                     LOC_PARAMS)
{
    Py_ssize_t n = asdl_seq_LEN(kwargs), keywords = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        KeywordOrStarred *k = asdl_seq_GET(kwargs, i);
        keywords += k->is_keyword;
    }
    asdl_keyword_seq *named = NULL;
    if (keywords != 0 &&
        (named = kr_asdl_seq_new(keywords, p->arena)) == NULL) {
        return NULL;
    }
    if (keywords != n) {
        asdl_expr_seq *all =
            kr_asdl_seq_new(asdl_seq_LEN(args) + n - keywords, p->arena);
        if (all == NULL) {
            return NULL;
        }
        Py_ssize_t at = 0;
        for (; at < asdl_seq_LEN(args); at++) {
            asdl_seq_SET(all, at, asdl_seq_GET(args, at));
        }
        for (Py_ssize_t i = 0; i < n; i++) {
            KeywordOrStarred *k = asdl_seq_GET(kwargs, i);
            if (!k->is_keyword) {
                asdl_seq_SET(all, at++, k->node);
            }
        }
        args = all;
    }
    Py_ssize_t at = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        KeywordOrStarred *k = asdl_seq_GET(kwargs, i);
        if (k->is_keyword) {
            asdl_seq_SET(named, at++, k->node);
        }
    }
    return call_of_nothing(p, args, named, lineno, col, end_lineno, end_col,
                           arena);
}

stmt_ty
kr_make_class(Parser *p, expr_ty name, expr_ty call, asdl_stmt_seq *body,
              LOC_PARAMS)
{
    return kr_ast_ClassDef(name->v.Name.id, call ? call->v.Call.args : NULL,
                           call ? call->v.Call.keywords : NULL, body, NULL,
                           lineno, col, end_lineno, end_col, arena);
}

stmt_ty
kr_class_decorators(Parser *p, asdl_expr_seq *list, stmt_ty def)
{
    def->v.ClassDef.decorator_list = list;
    return def;
}

stmt_ty
kr_function_decorators(Parser *p, asdl_expr_seq *list, stmt_ty def)
{
    if (def->kind == AsyncFunctionDef_kind) {
        def->v.AsyncFunctionDef.decorator_list = list;
    }
    else {
        def->v.FunctionDef.decorator_list = list;
    }
    return def;
}

static arguments_ty
no_parameters(Parser *p)
{
    asdl_arg_seq *none = kr_asdl_seq_new(0, p->arena);
    asdl_expr_seq *no_values = kr_asdl_seq_new(0, p->arena);
    if (none == NULL || no_values == NULL) {
        return NULL;
    }
    return kr_ast_arguments(none, none, NULL, none, no_values, NULL, no_values,
                            p->arena);
}

stmt_ty
kr_make_function_def(Parser *p, expr_ty name, arguments_ty args,
                 asdl_stmt_seq *body, expr_ty returns, const Token *t,
                 bool async, LOC_PARAMS)
{
    if (args == NULL && (args = no_parameters(p)) == NULL) {
        return NULL;
    }
    PyObject *comment = kr_type_comment(p, t);
    return async ? kr_ast_AsyncFunctionDef(
                       name->v.Name.id, args, body, NULL, returns, comment,
                       lineno, col, end_lineno, end_col, arena)
                 : kr_ast_FunctionDef(name->v.Name.id, args, body, NULL,
                                      returns, comment, lineno, col, end_lineno,
                                      end_col, arena);
}

expr_ty
kr_make_lambda(Parser *p, arguments_ty args, expr_ty body, LOC_PARAMS)
{
    if (args == NULL && (args = no_parameters(p)) == NULL) {
        return NULL;
    }
    return kr_ast_Lambda(args, body, lineno, col, end_lineno, end_col, arena);
}

#define NAMES(seq) project(p, seq, offsetof(NameDefault, arg))
#define VALUES(seq) project(p, seq, offsetof(NameDefault, value))

arguments_ty
kr_make_arguments(Parser *p, asdl_seq *slash, SlashWithDefault *slash_with,
                  asdl_seq *plain, asdl_seq *with_default, StarEtc *star)
{
    void *posonly = slash, *defaults = NULL;
    if (slash_with != NULL) {
        posonly = kr_seq_join(p, slash_with->plain,
                              NAMES(slash_with->with_default));
        defaults = VALUES(slash_with->with_default);
    }
    else if (posonly == NULL) {
        posonly = kr_asdl_seq_new(0, p->arena);
    }
    void *args = kr_seq_join(p, plain, NAMES(with_default));
    defaults = kr_seq_join(p, defaults, VALUES(with_default));
    asdl_seq *kwonly = star ? star->kwonly : NULL;
    void *kwonly_names = NAMES(kwonly), *kw_defaults = VALUES(kwonly);
    if (!posonly || !args || !defaults || !kwonly_names || !kw_defaults) {
        return NULL;
    }
    return kr_ast_arguments(posonly, args, star ? star->vararg : NULL,
                            kwonly_names, kw_defaults,
                            star ? star->kwarg : NULL, defaults, p->arena);
}

SlashWithDefault *
kr_slash_with_default(Parser *p, void *a, void *b)
{
    SlashWithDefault *s = NEW(SlashWithDefault);
    if (s != NULL) {
        *s = (SlashWithDefault){a, b};
    }
    return s;
}

StarEtc *
kr_star_etc(Parser *p, arg_ty vararg, void *kwonly, arg_ty kwarg)
{
    StarEtc *s = NEW(StarEtc);
    if (s != NULL) {
        *s = (StarEtc){vararg, kwonly, kwarg};
    }
    return s;
}

NameDefault *
kr_name_default(Parser *p, arg_ty arg, expr_ty value, const Token *t)
{
    NameDefault *n = NEW(NameDefault);
    if (n != NULL) {
        *n = (NameDefault){kr_arg_type_comment(p, arg, t), value};
    }
    return n;
}

/* --- Patterns ------------------------------------------------------------ */

expr_ty
kr_ensure_real(Parser *p, expr_ty e)
{
    if (PyComplex_CheckExact(e->v.Constant.value)) {
        return RAISE_AT(e, "real number required in complex literal");
    }
    return e;
}

expr_ty
kr_ensure_imaginary(Parser *p, expr_ty e)
{
    if (!PyComplex_CheckExact(e->v.Constant.value)) {
        return RAISE_AT(e, "imaginary number required in complex literal");
    }
    return e;
}

KeyPattern *
kr_key_pattern(Parser *p, expr_ty key, pattern_ty pattern)
{
    KeyPattern *k = NEW(KeyPattern);
    if (k != NULL) {
        *k = (KeyPattern){key, pattern};
    }
    return k;
}

void *
kr_pattern_keys(Parser *p, asdl_seq *pairs)
{
    return project(p, pairs, offsetof(KeyPattern, key));
}

void *
kr_pattern_values(Parser *p, asdl_seq *pairs)
{
    return project(p, pairs, offsetof(KeyPattern, pattern));
}

/* --- Expressions --------------------------------------------------------- */

expr_ty
kr_tuple_or_single(Parser *p, asdl_expr_seq *items, void *comma, LOC_PARAMS)
{
    if (comma == NULL && items->size == 1) {
        return asdl_seq_GET(items, 0);
    }
    return kr_ast_Tuple(items, Load, lineno, col, end_lineno, end_col, arena);
}

Pair *
kr_pair(Parser *p, expr_ty first, expr_ty second)
{
    Pair *pair = NEW(Pair);
    if (pair != NULL) {
        *pair = (Pair){first, second};
    }
    return pair;
}

void *
kr_dict_keys(Parser *p, asdl_seq *pairs)
{
    return project(p, pairs, offsetof(Pair, first));
}

void *
kr_dict_values(Parser *p, asdl_seq *pairs)
{
    return project(p, pairs, offsetof(Pair, second));
}

expr_ty
kr_bool_op(Parser *p, boolop_ty op, asdl_expr_seq *values, LOC_PARAMS)
{
    if (values->size == 1) {
        return asdl_seq_GET(values, 0);
    }
    return kr_ast_BoolOp(op, values, lineno, col, end_lineno, end_col, arena);
}

expr_ty
kr_compare(Parser *p, expr_ty left, asdl_seq *pairs, LOC_PARAMS)
{
    Py_ssize_t n = asdl_seq_LEN(pairs);
    if (n == 0) {
        return left;
    }
    asdl_int_seq *ops = kr_asdl_int_seq_new(n, p->arena);
    asdl_expr_seq *exprs = kr_asdl_seq_new(n, p->arena);
    if (ops == NULL || exprs == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        CmpPair *pair = asdl_seq_GET(pairs, i);
        asdl_seq_SET(ops, i, (int)pair->op);
        asdl_seq_SET(exprs, i, pair->expr);
    }
    return kr_ast_Compare(left, ops, exprs, lineno, col, end_lineno, end_col,
                          arena);
}

CmpPair *
kr_cmp_pair(Parser *p, cmpop_ty op, expr_ty e)
{
    CmpPair *pair = NEW(CmpPair);
    if (pair != NULL) {
        *pair = (CmpPair){op, e};
    }
    return pair;
}

bool
kr_check_barry(Parser *p, const Token *t)
{
    bool diamond = t->end - t->start == 2 && t->start[0] == '<';
    if (p->flags & CO_FUTURE_BARRY_AS_BDFL) {
        if (!diamond) {
            RAISE("with Barry as BDFL, use '<>' instead of '!='");
        }
        return !diamond;
    }
    return diamond;
}

void *
kr_no_step(Parser *p)
{
    return p;
}

expr_ty
kr_step(Parser *p, void *step)
{
    return step == p ? NULL : step;
}
