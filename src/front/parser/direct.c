/* The rules that the first pass spends its time in, without trial and error.
 *
 * python.gram marks them `direct`. Each accepts what its alternatives accept,
 * and gives the same tree, but decides by the next token. When the first pass
 * fails, the second one takes the grammar's own alternatives, whose order and
 * error rules make the message. No function here may look at more tokens than
 * those alternatives would: where the last token read is, is part of some
 * messages. All return NULL when they do not match, or with the error
 * indicator set. */
#include "front/parser/rules.h"

/* The type of the next token, or T_ERRORTOKEN with the error indicator set. */
static inline int
peek(Parser *p)
{
    if (KR_UNLIKELY(p->mark == p->fill) && kr_parser_fill(p) < 0) {
        return T_ERRORTOKEN;
    }
    return p->tokens[p->mark]->type;
}

static inline bool
accept(Parser *p, int type)
{
    if (peek(p) != type) {
        return false;
    }
    p->mark++;
    return true;
}

/* Is the token after the next one, which is there, of a type? */
static inline bool
second_is(Parser *p, int type)
{
    if (KR_UNLIKELY(p->mark + 1 == p->fill) && kr_parser_fill(p) < 0) {
        return false;
    }
    return p->tokens[p->mark + 1]->type == type;
}

static inline bool
starts_comprehension(int type)
{
    return type == KW_for || type == T_ASYNC;
}

/* What an action gives: NULL only with an exception. */
static inline void *
made(Parser *p, void *node)
{
    p->error_indicator |= node == NULL;
    return node;
}

/* --- Operators ------------------------------------------------------------ */

static const struct binary {
    unsigned char op, power;
} binary[KR_TOKEN_COUNT] = {
    [T_VBAR] = {BitOr, 1},       [T_CIRCUMFLEX] = {BitXor, 2},
    [T_AMPER] = {BitAnd, 3},     [T_LEFTSHIFT] = {LShift, 4},
    [T_RIGHTSHIFT] = {RShift, 4}, [T_PLUS] = {Add, 5},
    [T_MINUS] = {Sub, 5},        [T_STAR] = {Mult, 6},
    [T_SLASH] = {Div, 6},        [T_DOUBLESLASH] = {FloorDiv, 6},
    [T_PERCENT] = {Mod, 6},      [T_AT] = {MatMult, 6},
};

/* Precedence climbing: operators that bind at least as tightly as `power`. All
 * levels are left-associative. */
static expr_ty
binary_expression(Parser *p, int power)
{
    int mark = p->mark;
    expr_ty left = kr_rule_factor(p);
    if (left == NULL) {
        return NULL;
    }
    const Token *start = p->tokens[mark];
    for (;;) {
        int operator_mark = p->mark;
        if (operator_mark == p->fill && kr_parser_fill(p) < 0) {
            return NULL;
        }
        struct binary b = binary[p->tokens[operator_mark]->type];
        if (b.power == 0 || b.power < power) {
            return left;
        }
        p->mark++;
        expr_ty right = binary_expression(p, b.power + 1);
        if (right == NULL) {
            p->mark = operator_mark;
            return p->error_indicator ? NULL : left;
        }
        if (b.op == MatMult &&
            !kr_check_version(p, 5, "The '@' operator is")) {
            return NULL;
        }
        left = made(p, kr_ast_BinOp(left, b.op, right, LOC));
        if (left == NULL) {
            return NULL;
        }
    }
}

expr_ty
kr_rule_bitwise_or(Parser *p)
{
    return binary_expression(p, 1);
}

static bool
is_comparison(int type)
{
    switch (type) {
    case T_EQEQUAL:
    case T_NOTEQUAL:
    case T_LESS:
    case T_LESSEQUAL:
    case T_GREATER:
    case T_GREATEREQUAL:
    case KW_in:
    case KW_is:
    case KW_not: return true;
    default: return false;
    }
}

static expr_ty
comparison(Parser *p)
{
    int mark = p->mark;
    expr_ty left = binary_expression(p, 1);
    if (left == NULL || !is_comparison(peek(p))) {
        return p->error_indicator ? NULL : left;
    }
    asdl_seq *pairs =
        kr_parser_repeat(p, (rule_fn)kr_rule_compare_pair, 0);
    if (pairs == NULL) {
        return NULL;
    }
    const Token *start = p->tokens[mark];
    return made(p, kr_compare(p, left, pairs, LOC));
}

static expr_ty
inversion(Parser *p)
{
    if (peek(p) != KW_not) {
        return comparison(p);
    }
    if (!enter(p)) {
        return NULL;
    }
    int mark = p->mark++;
    const Token *start = p->tokens[mark];
    expr_ty operand = inversion(p), result = NULL;
    if (operand != NULL) {
        result = made(p, kr_ast_UnaryOp(Not, operand, LOC));
    }
    else {
        p->mark = mark;
    }
    p->level--;
    return result;
}

/* `first` and more operands after each `separator`: a sequence. */
static void *
more_items(Parser *p, void *first, int separator, rule_fn rule)
{
    size_t base = p->stack_size;
    void *item = first;
    int mark;
    do {
        if (kr_parser_push(p, item) < 0) {
            return NULL;
        }
        mark = p->mark;
    } while (accept(p, separator) && (item = rule(p)) != NULL);
    p->mark = mark;
    if (p->error_indicator) {
        p->stack_size = base;
        return NULL;
    }
    return kr_parser_pop_seq(p, base);
}

static expr_ty
conjunction(Parser *p)
{
    int mark = p->mark;
    expr_ty e = inversion(p);
    if (e == NULL || peek(p) != KW_and) {
        return p->error_indicator ? NULL : e;
    }
    void *items = more_items(p, e, KW_and, (rule_fn)inversion);
    const Token *start = p->tokens[mark];
    return items ? made(p, kr_bool_op(p, And, items, LOC)) : NULL;
}

expr_ty
kr_direct_disjunction(Parser *p)
{
    int mark = p->mark;
    expr_ty e = conjunction(p);
    if (e == NULL || peek(p) != KW_or) {
        return p->error_indicator ? NULL : e;
    }
    void *items = more_items(p, e, KW_or, (rule_fn)conjunction);
    const Token *start = p->tokens[mark];
    return items ? made(p, kr_bool_op(p, Or, items, LOC)) : NULL;
}

/* After a condition: 'if' test 'else' expression. */
static expr_ty
conditional(Parser *p, int mark, expr_ty body)
{
    int after = p->mark++;
    expr_ty test = kr_direct_disjunction(p), orelse = NULL;
    if (test != NULL && accept(p, KW_else)) {
        orelse = kr_direct_expression(p);
    }
    if (orelse == NULL) {
        p->mark = after;
        return p->error_indicator ? NULL : body;
    }
    const Token *start = p->tokens[mark];
    return made(p, kr_ast_IfExp(test, body, orelse, LOC));
}

/* Some statements that the first pass tries twice begin with expressions: the
 * token remembers its own. */
expr_ty
kr_direct_expression(Parser *p)
{
    int type = peek(p), mark = p->mark;
    Token *t = type == T_ERRORTOKEN ? NULL : p->tokens[mark];
    if (t != NULL && t->expression_end != 0) {
        p->mark = t->expression_end - 1;
        return t->expression;
    }
    if (t == NULL || !enter(p)) {
        return NULL;
    }
    expr_ty e;
    if (type == KW_lambda) {
        e = kr_rule_lambdef(p);
    }
    else {
        e = kr_direct_disjunction(p);
        if (e != NULL && peek(p) == KW_if) {
            e = conditional(p, mark, e);
        }
    }
    p->level--;
    if (e == NULL || p->error_indicator) {
        p->mark = mark;
        e = NULL;
    }
    t->expression = e;
    t->expression_end = p->mark + 1;
    return e;
}

/* NAME ':=' comes next. */
static expr_ty
assignment_expression(Parser *p)
{
    int mark = p->mark;
    expr_ty name = kr_parser_name(p);
    p->mark++;
    expr_ty value = name ? kr_direct_expression(p) : NULL;
    if (value == NULL) {
        p->mark = mark;
        return NULL;
    }
    const Token *start = p->tokens[mark];
    if (!kr_check_version(p, 8, "Assignment expressions are") ||
        made(p, name = kr_set_context(p, name, Store)) == NULL) {
        return NULL;
    }
    return made(p, kr_ast_NamedExpr(name, value, LOC));
}

static inline bool
is_assignment_expression(Parser *p)
{
    return peek(p) == T_NAME && second_is(p, T_COLONEQUAL);
}

expr_ty
kr_direct_named_expression(Parser *p)
{
    if (is_assignment_expression(p)) {
        return assignment_expression(p);
    }
    int mark = p->mark;
    expr_ty e = kr_direct_expression(p);
    if (e != NULL && peek(p) == T_COLONEQUAL) {
        p->mark = mark;
        return NULL;
    }
    return p->error_indicator ? NULL : e;
}

/* '*' bitwise_or comes next. */
static expr_ty
starred(Parser *p)
{
    int mark = p->mark++;
    expr_ty value = binary_expression(p, 1);
    if (value == NULL) {
        p->mark = mark;
        return NULL;
    }
    const Token *start = p->tokens[mark];
    return made(p, kr_ast_Starred(value, Load, LOC));
}

expr_ty
kr_direct_star_expression(Parser *p)
{
    return peek(p) == T_STAR ? starred(p) : kr_direct_expression(p);
}

expr_ty
kr_direct_star_named_expression(Parser *p)
{
    return peek(p) == T_STAR ? starred(p) : kr_direct_named_expression(p);
}

expr_ty
kr_direct_star_expressions(Parser *p)
{
    int mark = p->mark;
    expr_ty e = kr_direct_star_expression(p);
    if (e == NULL || peek(p) != T_COMMA) {
        return p->error_indicator ? NULL : e;
    }
    void *items =
        more_items(p, e, T_COMMA, (rule_fn)kr_direct_star_expression);
    if (items == NULL) {
        p->mark = mark;
        return NULL;
    }
    accept(p, T_COMMA);
    const Token *start = p->tokens[mark];
    return made(p, kr_ast_Tuple(items, Load, LOC));
}

/* --- Displays ------------------------------------------------------------- */

/* The rest of a comprehension up to its closing bracket. */
static asdl_comprehension_seq *
comprehension(Parser *p, int closing)
{
    asdl_comprehension_seq *clauses = kr_rule_for_if_clauses(p);
    return clauses != NULL && accept(p, closing) ? clauses : NULL;
}

static expr_ty
tuple_rest(Parser *p, int mark, expr_ty first)
{
    void *items = more_items(p, first, T_COMMA,
                             (rule_fn)kr_direct_star_named_expression);
    if (items == NULL) {
        return NULL;
    }
    accept(p, T_COMMA);
    if (!accept(p, T_RPAR)) {
        return NULL;
    }
    const Token *start = p->tokens[mark];
    return made(p, kr_ast_Tuple(items, Load, LOC));
}

/* tuple, group or genexp, after its '('. */
static expr_ty
parentheses(Parser *p, int mark)
{
    const Token *start = p->tokens[mark];
    int type = peek(p);
    if (type == T_RPAR) {
        p->mark++;
        return made(p, kr_ast_Tuple(NULL, Load, LOC));
    }
    if (type == KW_yield) {
        expr_ty e = kr_rule_yield_expr(p);
        return e != NULL && accept(p, T_RPAR) ? e : NULL;
    }
    expr_ty e = kr_direct_star_named_expression(p);
    if (e == NULL) {
        return NULL;
    }
    int next = peek(p);
    if (next == T_COMMA) {
        return tuple_rest(p, mark, e);
    }
    if (type == T_STAR) {
        return NULL;
    }
    if (next == T_RPAR) {
        p->mark++;
        return e;
    }
    if (!starts_comprehension(next)) {
        return NULL;
    }
    asdl_comprehension_seq *clauses = comprehension(p, T_RPAR);
    return clauses ? made(p, kr_ast_GeneratorExp(e, clauses, LOC)) : NULL;
}

/* list or listcomp, after its '['. */
static expr_ty
brackets(Parser *p, int mark)
{
    const Token *start = p->tokens[mark];
    int type = peek(p);
    if (type == T_RSQB) {
        p->mark++;
        return made(p, kr_ast_List(NULL, Load, LOC));
    }
    expr_ty e = kr_direct_star_named_expression(p);
    if (e == NULL) {
        return NULL;
    }
    if (type != T_STAR && starts_comprehension(peek(p))) {
        asdl_comprehension_seq *clauses = comprehension(p, T_RSQB);
        return clauses ? made(p, kr_ast_ListComp(e, clauses, LOC)) : NULL;
    }
    void *items = more_items(p, e, T_COMMA,
                             (rule_fn)kr_direct_star_named_expression);
    if (items == NULL) {
        return NULL;
    }
    accept(p, T_COMMA);
    return accept(p, T_RSQB) ? made(p, kr_ast_List(items, Load, LOC)) : NULL;
}

static expr_ty
set_rest(Parser *p, int mark, expr_ty first, bool is_starred)
{
    const Token *start = p->tokens[mark];
    if (!is_starred && starts_comprehension(peek(p))) {
        asdl_comprehension_seq *clauses = comprehension(p, T_RBRACE);
        return clauses ? made(p, kr_ast_SetComp(first, clauses, LOC)) : NULL;
    }
    void *items = more_items(p, first, T_COMMA,
                             (rule_fn)kr_direct_star_named_expression);
    if (items == NULL) {
        return NULL;
    }
    accept(p, T_COMMA);
    return accept(p, T_RBRACE) ? made(p, kr_ast_Set(items, LOC)) : NULL;
}

static expr_ty
dict_rest(Parser *p, int mark, Pair *first)
{
    void *items = more_items(p, first, T_COMMA,
                             (rule_fn)kr_rule_double_starred_kvpair);
    if (items == NULL) {
        return NULL;
    }
    accept(p, T_COMMA);
    if (!accept(p, T_RBRACE)) {
        return NULL;
    }
    const Token *start = p->tokens[mark];
    return made(p, kr_ast_Dict(kr_dict_keys(p, items),
                               kr_dict_values(p, items), LOC));
}

/* dict or dictcomp, after its first key. */
static expr_ty
dict_after_key(Parser *p, int mark, expr_ty key)
{
    const Token *start = p->tokens[mark];
    p->mark++;
    expr_ty value = kr_direct_expression(p);
    if (value == NULL) {
        return NULL;
    }
    if (starts_comprehension(peek(p))) {
        asdl_comprehension_seq *clauses = comprehension(p, T_RBRACE);
        return clauses ? made(p, kr_ast_DictComp(key, value, clauses, LOC))
                       : NULL;
    }
    Pair *pair = made(p, kr_pair(p, key, value));
    return pair ? dict_rest(p, mark, pair) : NULL;
}

/* What is wrong in a dict is said already in the first pass, if it is said by
 * the rule `dict`. The '{' remembers that it was asked. */
static expr_ty
dict_error(Parser *p, int mark)
{
    if (!p->error_indicator) {
        p->tokens[mark]->node = p;
        p->mark = mark;
        kr_rule_dict(p);
    }
    return NULL;
}

/* dict, set, dictcomp or setcomp, after its '{'. */
static expr_ty
braces(Parser *p, int mark)
{
    const Token *start = p->tokens[mark];
    int type = peek(p);
    if (start->node != NULL) {
        return NULL;
    }
    if (type == T_RBRACE) {
        p->mark++;
        return made(p, kr_ast_Dict(kr_dict_keys(p, NULL),
                                   kr_dict_values(p, NULL), LOC));
    }
    expr_ty e;
    if (type == T_DOUBLESTAR) {
        Pair *pair = kr_rule_double_starred_kvpair(p);
        e = pair ? dict_rest(p, mark, pair) : NULL;
        return e ? e : dict_error(p, mark);
    }
    bool named = is_assignment_expression(p);
    expr_ty key = kr_direct_star_named_expression(p);
    if (key == NULL || p->error_indicator) {
        return NULL;
    }
    if (named || type == T_STAR || peek(p) != T_COLON) {
        return set_rest(p, mark, key, type == T_STAR);
    }
    e = dict_after_key(p, mark, key);
    return e ? e : dict_error(p, mark);
}

static expr_ty
bracketed(Parser *p, expr_ty (*rule)(Parser *p, int mark))
{
    if (!enter(p)) {
        return NULL;
    }
    int mark = p->mark++;
    expr_ty e = rule(p, mark);
    if (e == NULL) {
        p->mark = mark;
    }
    p->level--;
    return e;
}

static expr_ty
keyword_constant(Parser *p, PyObject *value)
{
    const Token *start = p->tokens[p->mark++];
    return made(p, kr_ast_Constant(value, NULL, LOC));
}

expr_ty
kr_direct_atom(Parser *p)
{
    switch (peek(p)) {
    case T_NAME: return kr_parser_name(p);
    case T_NUMBER: return kr_parser_number(p);
    case T_STRING: return kr_rule_strings(p);
    case T_LPAR: return bracketed(p, parentheses);
    case T_LSQB: return bracketed(p, brackets);
    case T_LBRACE: return bracketed(p, braces);
    case KW_True: return keyword_constant(p, Py_True);
    case KW_False: return keyword_constant(p, Py_False);
    case KW_None: return keyword_constant(p, Py_None);
    case T_ELLIPSIS: return keyword_constant(p, Py_Ellipsis);
    default: return NULL;
    }
}

/* --- Calls and subscripts ------------------------------------------------- */

/* Arguments on the parser's stack: keywords are marked in the lowest bit. */
#define KEYWORD ((uintptr_t)1)

/* Makes the call of what was pushed since `base`; ')' is read. */
static expr_ty
finish_call(Parser *p, const Token *start, expr_ty func, size_t base)
{
    size_t n = p->stack_size - base, nkeywords = 0;
    void **pushed = n != 0 ? p->stack + base : NULL; /* none may be there */
    for (size_t i = 0; i < n; i++) {
        nkeywords += (uintptr_t)pushed[i] & KEYWORD;
    }
    asdl_expr_seq *args = NULL;
    asdl_keyword_seq *keywords = NULL;
    if (n != nkeywords) {
        args = kr_asdl_seq_new((Py_ssize_t)(n - nkeywords), p->arena);
    }
    if (nkeywords != 0) {
        keywords = kr_asdl_seq_new((Py_ssize_t)nkeywords, p->arena);
    }
    if ((n != nkeywords && args == NULL) ||
        (nkeywords != 0 && keywords == NULL)) {
        return made(p, NULL);
    }
    Py_ssize_t at = 0, keyword = 0;
    for (size_t i = 0; i < n; i++) {
        uintptr_t item = (uintptr_t)pushed[i];
        if (item & KEYWORD) {
            asdl_seq_SET(keywords, keyword++, (keyword_ty)(item - KEYWORD));
        }
        else {
            asdl_seq_SET(args, at++, (expr_ty)item);
        }
    }
    p->stack_size = base;
    return made(p, kr_ast_Call(func, args, keywords, LOC));
}

/* What may still come in a list of arguments. */
enum stage { POSITIONAL, NAMED, DOUBLE_STARRED };

static int
push_keyword(Parser *p, const Token *start, expr_ty name)
{
    expr_ty value = kr_direct_expression(p);
    if (value == NULL) {
        return -1;
    }
    keyword_ty keyword =
        made(p, kr_ast_keyword(name ? name->v.Name.id : NULL, value, LOC));
    return keyword == NULL
               ? -1
               : kr_parser_push(p, (void *)((uintptr_t)keyword | KEYWORD));
}

/* One argument; -1 if it does not match. */
static int
argument(Parser *p, enum stage *stage)
{
    int type = peek(p);
    if (type == T_ERRORTOKEN) {
        return -1;
    }
    const Token *start = p->tokens[p->mark];
    if (type == T_DOUBLESTAR) {
        *stage = DOUBLE_STARRED;
        p->mark++;
        return push_keyword(p, start, NULL);
    }
    if (type == T_NAME && second_is(p, T_EQUAL)) {
        *stage = *stage == POSITIONAL ? NAMED : *stage;
        expr_ty name = kr_parser_name(p);
        p->mark++;
        return name ? push_keyword(p, start, name) : -1;
    }
    expr_ty e;
    if (type == T_STAR) {
        if (*stage == DOUBLE_STARRED) {
            return -1;
        }
        p->mark++;
        e = kr_direct_expression(p);
        e = e ? made(p, kr_ast_Starred(e, Load, LOC)) : NULL;
    }
    else {
        e = *stage == POSITIONAL ? kr_direct_named_expression(p) : NULL;
        if (e != NULL && peek(p) == T_EQUAL) {
            return -1;
        }
    }
    return e == NULL || p->error_indicator ? -1 : kr_parser_push(p, e);
}

/* f(x for x in y): the parentheses belong to the generator expression. */
static expr_ty
call_of_generator(Parser *p, const Token *start, int opening, expr_ty func,
                  expr_ty element)
{
    asdl_comprehension_seq *clauses = comprehension(p, T_RPAR);
    if (clauses == NULL) {
        return NULL;
    }
    const Token *first = p->tokens[opening], *last = last_token(p);
    expr_ty generator = made(
        p, kr_ast_GeneratorExp(element, clauses, first->lineno,
                               first->col_offset, last->end_lineno,
                               last->end_col_offset, p->arena));
    void *args = generator ? made(p, kr_seq_one(p, generator)) : NULL;
    return args ? made(p, kr_ast_Call(func, args, NULL, LOC)) : NULL;
}

/* A call, from its '('. */
static expr_ty
call(Parser *p, const Token *start, expr_ty func)
{
    size_t base = p->stack_size;
    int opening = p->mark++;
    enum stage stage = POSITIONAL;
    expr_ty result = NULL;
    bool more = true;
    while (more && peek(p) != T_RPAR) {
        bool only_one = p->stack_size == base && peek(p) != T_STAR;
        if (argument(p, &stage) < 0) {
            goto done;
        }
        if (only_one && stage == POSITIONAL &&
            starts_comprehension(peek(p))) {
            expr_ty element = p->stack[base];
            result = call_of_generator(p, start, opening, func, element);
            goto done;
        }
        more = accept(p, T_COMMA);
    }
    if (accept(p, T_RPAR)) {
        result = finish_call(p, start, func, base);
    }
done:
    p->stack_size = base;
    if (result == NULL) {
        p->mark = opening;
    }
    return result;
}

static bool
starts_expression(int type)
{
    return type != T_COLON && type != T_COMMA && type != T_RSQB;
}

/* A slice or index: part of a subscript. */
static expr_ty
slice(Parser *p)
{
    int mark = p->mark;
    expr_ty lower = NULL, upper = NULL, step = NULL;
    if (peek(p) != T_COLON) {
        bool named = is_assignment_expression(p);
        lower = kr_direct_named_expression(p);
        if (lower == NULL || named || peek(p) != T_COLON) {
            return p->error_indicator ? NULL : lower;
        }
    }
    p->mark++;
    if (starts_expression(peek(p))) {
        upper = kr_direct_expression(p);
    }
    if (!p->error_indicator && accept(p, T_COLON) &&
        starts_expression(peek(p))) {
        step = kr_direct_expression(p);
    }
    if (p->error_indicator) {
        return NULL;
    }
    const Token *start = p->tokens[mark];
    return made(p, kr_ast_Slice(lower, upper, step, LOC));
}

static expr_ty
slice_or_starred(Parser *p)
{
    if (peek(p) != T_STAR) {
        return slice(p);
    }
    int mark = p->mark++;
    expr_ty value = kr_direct_expression(p);
    if (value == NULL) {
        p->mark = mark;
        return NULL;
    }
    const Token *start = p->tokens[mark];
    return made(p, kr_ast_Starred(value, Load, LOC));
}

static expr_ty
slices(Parser *p)
{
    int mark = p->mark, type = peek(p);
    expr_ty e = slice_or_starred(p);
    if (e == NULL || (type != T_STAR && peek(p) != T_COMMA)) {
        return p->error_indicator ? NULL : e;
    }
    void *items = more_items(p, e, T_COMMA, (rule_fn)slice_or_starred);
    if (items == NULL) {
        return NULL;
    }
    accept(p, T_COMMA);
    const Token *start = p->tokens[mark];
    return made(p, kr_ast_Tuple(items, Load, LOC));
}

static expr_ty
subscript(Parser *p, const Token *start, expr_ty value)
{
    int mark = p->mark++;
    expr_ty index = slices(p);
    if (index == NULL || !accept(p, T_RSQB)) {
        p->mark = mark;
        return NULL;
    }
    return made(p, kr_ast_Subscript(value, index, Load, LOC));
}

static expr_ty
attribute(Parser *p, const Token *start, expr_ty value)
{
    int mark = p->mark++;
    expr_ty name = kr_parser_name(p);
    if (name == NULL) {
        p->mark = mark;
        return NULL;
    }
    return made(p, kr_ast_Attribute(value, name->v.Name.id, Load, LOC));
}

/* An atom with what may follow it. A follower that does not match ends it. */
static expr_ty
primary(Parser *p)
{
    int mark = p->mark;
    expr_ty e = kr_direct_atom(p);
    if (e == NULL) {
        return NULL;
    }
    const Token *start = p->tokens[mark];
    for (;;) {
        expr_ty next;
        switch (peek(p)) {
        case T_DOT: next = attribute(p, start, e); break;
        case T_LPAR: next = call(p, start, e); break;
        case T_LSQB: next = subscript(p, start, e); break;
        default: next = NULL;
        }
        if (next == NULL) {
            return p->error_indicator ? NULL : e;
        }
        e = next;
    }
}

static expr_ty
await_primary(Parser *p)
{
    if (peek(p) != T_AWAIT) {
        return primary(p);
    }
    int mark = p->mark++;
    expr_ty e = primary(p);
    if (e == NULL) {
        p->mark = mark;
        return NULL;
    }
    const Token *start = p->tokens[mark];
    return kr_check_version(p, 5, "Await expressions are")
               ? made(p, kr_ast_Await(e, LOC))
               : NULL;
}

static expr_ty
power(Parser *p)
{
    int mark = p->mark;
    expr_ty e = await_primary(p);
    if (e == NULL || peek(p) != T_DOUBLESTAR) {
        return p->error_indicator ? NULL : e;
    }
    int after = p->mark++;
    expr_ty exponent = kr_direct_factor(p);
    if (exponent == NULL) {
        p->mark = after;
        return p->error_indicator ? NULL : e;
    }
    const Token *start = p->tokens[mark];
    return made(p, kr_ast_BinOp(e, Pow, exponent, LOC));
}

expr_ty
kr_direct_factor(Parser *p)
{
    unaryop_ty op;
    switch (peek(p)) {
    case T_PLUS: op = UAdd; break;
    case T_MINUS: op = USub; break;
    case T_TILDE: op = Invert; break;
    default: op = 0;
    }
    if (!enter(p)) {
        return NULL;
    }
    expr_ty result = NULL;
    if (op == 0) {
        result = power(p);
    }
    else {
        int mark = p->mark++;
        const Token *start = p->tokens[mark];
        expr_ty operand = kr_direct_factor(p);
        if (operand != NULL) {
            result = made(p, kr_ast_UnaryOp(op, operand, LOC));
        }
        else {
            p->mark = mark;
        }
    }
    p->level--;
    return result;
}

/* --- Assignments ---------------------------------------------------------- */

/* May the expression, as it was written, be assigned to? */
static bool
is_target(expr_ty e, bool star_allowed)
{
    asdl_expr_seq *elements;
    switch (e->kind) {
    case Name_kind:
    case Attribute_kind:
    case Subscript_kind: return true;
    case Starred_kind:
        return star_allowed && is_target(e->v.Starred.value, false);
    case Tuple_kind: elements = e->v.Tuple.elts; break;
    case List_kind: elements = e->v.List.elts; break;
    default: return false;
    }
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(elements); i++) {
        if (!is_target(asdl_seq_GET(elements, i), true)) {
            return false;
        }
    }
    return true;
}

/* Nobody else has the nodes of a target. */
static void
make_target(expr_ty e)
{
    asdl_expr_seq *elements;
    switch (e->kind) {
    case Name_kind: e->v.Name.ctx = Store; return;
    case Attribute_kind: e->v.Attribute.ctx = Store; return;
    case Subscript_kind: e->v.Subscript.ctx = Store; return;
    case Starred_kind:
        e->v.Starred.ctx = Store;
        make_target(e->v.Starred.value);
        return;
    case Tuple_kind:
        e->v.Tuple.ctx = Store;
        elements = e->v.Tuple.elts;
        break;
    default:
        e->v.List.ctx = Store;
        elements = e->v.List.elts;
    }
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(elements); i++) {
        make_target(asdl_seq_GET(elements, i));
    }
}

/* The value of an assignment. */
static expr_ty
value(Parser *p)
{
    return peek(p) == KW_yield ? kr_rule_yield_expr(p)
                               : kr_direct_star_expressions(p);
}

/* target '=' target '=' ... value, the first target being read. */
static stmt_ty
assignment(Parser *p, const Token *start, expr_ty first)
{
    size_t base = p->stack_size;
    expr_ty e = first;
    bool yields = false;
    while (e != NULL && peek(p) == T_EQUAL) {
        if (yields || !is_target(e, true)) {
            e = NULL;
            break;
        }
        make_target(e);
        if (kr_parser_push(p, e) < 0) {
            return NULL;
        }
        p->mark++;
        yields = peek(p) == KW_yield;
        e = value(p);
    }
    if (e == NULL || p->error_indicator) {
        p->stack_size = base;
        return NULL;
    }
    asdl_expr_seq *targets = kr_parser_pop_seq(p, base);
    Token *comment =
        p->tok->type_comments ? expect(p, T_TYPE_COMMENT) : NULL;
    if (targets == NULL || p->error_indicator) {
        return NULL;
    }
    PyObject *text = kr_type_comment(p, comment);
    return p->error_indicator ? NULL
                              : made(p, kr_ast_Assign(targets, e, text, LOC));
}

static bool
is_augmented(int type)
{
    return (type >= T_PLUSEQUAL && type <= T_DOUBLESTAREQUAL) ||
           type == T_DOUBLESLASHEQUAL || type == T_ATEQUAL;
}

static stmt_ty
augmented_assignment(Parser *p, const Token *start, expr_ty target)
{
    if (target->kind != Name_kind && target->kind != Attribute_kind &&
        target->kind != Subscript_kind) {
        return NULL;
    }
    const Token *op = p->tokens[p->mark++];
    if (op->type == T_ATEQUAL &&
        !kr_check_version(p, 5, "The '@' operator is")) {
        return NULL;
    }
    make_target(target);
    expr_ty e = value(p);
    return e ? made(p, kr_ast_AugAssign(target, kr_token_operator(op), e, LOC))
             : NULL;
}

/* A statement that begins with an expression. */
static stmt_ty
expression_statement(Parser *p)
{
    int mark = p->mark;
    expr_ty e = kr_direct_star_expressions(p);
    if (e == NULL) {
        return NULL;
    }
    const Token *start = p->tokens[mark];
    int next = peek(p);
    stmt_ty s;
    if (next == T_EQUAL) {
        s = assignment(p, start, e);
    }
    else if (is_augmented(next)) {
        s = augmented_assignment(p, start, e);
    }
    else if (next == T_COLON) {
        p->mark = mark; /* an annotation */
        return kr_peg_simple_stmt(p);
    }
    else {
        s = next == T_ERRORTOKEN ? NULL : made(p, kr_ast_Expr(e, LOC));
    }
    if (s == NULL) {
        p->mark = mark;
    }
    return s;
}

stmt_ty
kr_direct_simple_stmt(Parser *p)
{
    int type = peek(p);
    if (type >= KW_False) {
        switch (type) {
        case KW_False:
        case KW_None:
        case KW_True:
        case KW_lambda:
        case KW_not: return expression_statement(p);
        default: return kr_peg_simple_stmt(p);
        }
    }
    return type == T_ERRORTOKEN ? NULL : expression_statement(p);
}

/* One target of a loop. */
static expr_ty
star_target(Parser *p)
{
    int mark = p->mark;
    bool star = peek(p) == T_STAR;
    p->mark += star;
    expr_ty e = star && peek(p) == T_STAR ? NULL : primary(p);
    if (e == NULL || !is_target(e, false)) {
        p->mark = mark;
        return NULL;
    }
    make_target(e);
    const Token *start = p->tokens[mark];
    return star ? made(p, kr_ast_Starred(e, Store, LOC)) : e;
}

expr_ty
kr_direct_star_targets(Parser *p)
{
    int mark = p->mark;
    expr_ty e = star_target(p);
    if (e == NULL || peek(p) != T_COMMA) {
        return p->error_indicator ? NULL : e;
    }
    void *items = more_items(p, e, T_COMMA, (rule_fn)star_target);
    if (items == NULL) {
        p->mark = mark;
        return NULL;
    }
    accept(p, T_COMMA);
    const Token *start = p->tokens[mark];
    return made(p, kr_ast_Tuple(items, Store, LOC));
}
