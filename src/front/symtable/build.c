/* Building symbol tables: one walk over the tree that notes every binding and
 * use, and reports declarations that contradict each other. */
#include "front/symtable/symtable.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "memory/tstate.h"
#include "objects/ids.h"

/* The walk's C frames are small: it may go deeper than Python calls. */
#define DEPTH_SCALE 3

static int visit_expr(struct kr_symtable *st, expr_ty e);
static int visit_stmt(struct kr_symtable *st, stmt_ty s);
static int visit_pattern(struct kr_symtable *st, pattern_ty p);

struct place {
    int lineno, col_offset, end_lineno, end_col_offset;
};

#define PLACE(node)                                                            \
    ((struct place){(node)->lineno, (node)->col_offset, (node)->end_lineno,    \
                    (node)->end_col_offset})

/* SyntaxError at a place; always -1. */
static int
error_at(struct kr_symtable *st, struct place at, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyErr_FormatV(PyExc_SyntaxError, format, va);
    va_end(va);
    PyErr_RangedSyntaxLocationObject(st->filename, at.lineno,
                                     at.col_offset + 1, at.end_lineno,
                                     at.end_col_offset + 1);
    return -1;
}

/* --- Blocks ------------------------------------------------------------------- */

static KrSte *
new_block(struct kr_symtable *st, PyObject *name, enum kr_block_type type,
          void *key, struct place at)
{
    KrSte *ste = kr_arena_alloc(st->arena, sizeof(*ste));
    if (ste == NULL) {
        return NULL;
    }
    memset(ste, 0, sizeof(*ste));
    ste->key = key;
    ste->name = name;
    ste->ste_type = type;
    ste->ste_lineno = at.lineno;
    ste->ste_col_offset = at.col_offset;
    ste->ste_end_lineno = at.end_lineno;
    ste->ste_end_col_offset = at.end_col_offset;
    KrSte *outer = st->cur;
    ste->outer = outer;
    if (outer != NULL) {
        ste->ste_nested =
            outer->ste_nested || outer->ste_type == KR_FUNCTION_BLOCK;
        ste->ste_comp_iter_expr = outer->ste_comp_iter_expr;
    }
    return ste;
}

static int
register_block(struct kr_symtable *st, KrSte *ste)
{
    int index = kr_names_add(&st->keys, ste->key, st->arena);
    if (index < 0) {
        return -1;
    }
    if (st->capacity < st->keys.capacity) {
        KrSte **blocks = kr_arena_grow(
            st->arena, st->blocks, (size_t)st->capacity * sizeof(*blocks),
            (size_t)st->keys.capacity * sizeof(*blocks));
        if (blocks == NULL) {
            return -1;
        }
        st->blocks = blocks;
        st->capacity = st->keys.capacity;
    }
    st->blocks[index] = ste;
    return 0;
}

/* `name` must live as long as the tree. */
static int
enter_block(struct kr_symtable *st, PyObject *name, enum kr_block_type type,
            void *key, struct place at)
{
    KrSte *ste = new_block(st, name, type, key, at), *outer = st->cur;
    if (ste == NULL || register_block(st, ste) < 0) {
        return -1;
    }
    st->cur = ste;
    if (type == KR_ANNOTATION_BLOCK || outer == NULL) {
        return 0;
    }
    if (outer->last != NULL) {
        outer->last->next = ste;
    }
    else {
        outer->first = ste;
    }
    outer->last = ste;
    return 0;
}

static int
exit_block(struct kr_symtable *st)
{
    st->cur = st->cur->outer;
    return 0;
}

/* --- Symbols ------------------------------------------------------------------- */

/* The name as the class sees it, borrowed; NULL on failure. */
static PyObject *
mangle(struct kr_symtable *st, PyObject *name)
{
    if (st->private == NULL) {
        return name;
    }
    PyObject *mangled = kr_mangle(st->private, name);
    if (mangled == name) {
        Py_DECREF(mangled);
    }
    else if (mangled != NULL && kr_arena_own(st->arena, mangled) < 0) {
        return NULL;
    }
    return mangled;
}

/* Flags of a name in a block, mangled; -1 on failure. */
static long
lookup(struct kr_symtable *st, KrSte *ste, PyObject *name)
{
    PyObject *mangled = mangle(st, name);
    return mangled == NULL ? -1 : kr_ste_flags(ste, mangled);
}

static int
add_param(struct kr_symtable *st, KrSte *ste, PyObject *name)
{
    if (ste->nparams == ste->params_capacity) {
        int capacity = ste->nparams ? 2 * ste->nparams : 8;
        PyObject **params = kr_arena_grow(
            st->arena, ste->params, (size_t)ste->nparams * sizeof(*params),
            (size_t)capacity * sizeof(*params));
        if (params == NULL) {
            return -1;
        }
        ste->params = params;
        ste->params_capacity = capacity;
    }
    ste->params[ste->nparams++] = name;
    return 0;
}

static int
add_mangled(struct kr_symtable *st, PyObject *name, long flag, KrSte *ste,
            struct place at)
{
    int index = kr_symbols_add(&ste->symbols, name, st->arena);
    if (index < 0) {
        return -1;
    }
    long val = ste->symbols.flags[index];
    if ((flag & KR_DEF_PARAM) && (val & KR_DEF_PARAM)) {
        return error_at(st, at,
                        "duplicate argument '%U' in function definition",
                        name);
    }
    val |= flag;
    if (ste->ste_comp_iter_target) {
        /* an iteration variable: no named expression may share its name */
        if (val & (KR_DEF_GLOBAL | KR_DEF_NONLOCAL)) {
            return error_at(st, at,
                            "comprehension inner loop cannot rebind "
                            "assignment expression target '%U'",
                            name);
        }
        val |= KR_DEF_COMP_ITER;
    }
    ste->symbols.flags[index] = val;
    if (flag & KR_DEF_PARAM) {
        return add_param(st, ste, name);
    }
    if (flag & KR_DEF_GLOBAL) {
        index = kr_symbols_add(&st->top->symbols, name, st->arena);
        if (index < 0) {
            return -1;
        }
        st->top->symbols.flags[index] |= flag;
    }
    return 0;
}

static int
add_to(struct kr_symtable *st, PyObject *name, long flag, KrSte *ste,
       struct place at)
{
    PyObject *mangled = mangle(st, name);
    return mangled == NULL ? -1 : add_mangled(st, mangled, flag, ste, at);
}

static int
add(struct kr_symtable *st, PyObject *name, long flag, struct place at)
{
    return add_to(st, name, flag, st->cur, at);
}

/* Remembers a global or nonlocal declaration for later errors. */
static int
record_directive(struct kr_symtable *st, PyObject *name, struct place at)
{
    PyObject *mangled = mangle(st, name);
    struct kr_directive *d =
        mangled == NULL ? NULL : kr_arena_alloc(st->arena, sizeof(*d));
    if (d == NULL) {
        return -1;
    }
    *d = (struct kr_directive){NULL, mangled, at.lineno, at.col_offset,
                               at.end_lineno, at.end_col_offset};
    struct kr_directive **end = &st->cur->directives;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = d;
    return 0;
}

/* --- Sequences ---------------------------------------------------------------- */

static int
visit_exprs(struct kr_symtable *st, asdl_expr_seq *seq)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(seq); i++) {
        expr_ty e = asdl_seq_GET(seq, i);
        if (e != NULL && visit_expr(st, e) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
visit_stmts(struct kr_symtable *st, asdl_stmt_seq *seq)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(seq); i++) {
        if (visit_stmt(st, asdl_seq_GET(seq, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
visit_optional(struct kr_symtable *st, expr_ty e)
{
    return e == NULL ? 0 : visit_expr(st, e);
}

static int
visit_keywords(struct kr_symtable *st, asdl_keyword_seq *seq)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(seq); i++) {
        keyword_ty k = asdl_seq_GET(seq, i);
        if (visit_expr(st, k->value) < 0) {
            return -1;
        }
    }
    return 0;
}

/* --- Parameters and annotations --------------------------------------------------- */

static int
visit_params(struct kr_symtable *st, asdl_arg_seq *args)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(args); i++) {
        arg_ty arg = asdl_seq_GET(args, i);
        if (add(st, arg->arg, KR_DEF_PARAM, PLACE(arg)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
visit_arguments(struct kr_symtable *st, arguments_ty a)
{
    if (visit_params(st, a->posonlyargs) < 0 || visit_params(st, a->args) < 0 ||
        visit_params(st, a->kwonlyargs) < 0) {
        return -1;
    }
    if (a->vararg != NULL) {
        if (add(st, a->vararg->arg, KR_DEF_PARAM, PLACE(a->vararg)) < 0) {
            return -1;
        }
        st->cur->ste_varargs = 1;
    }
    if (a->kwarg != NULL) {
        if (add(st, a->kwarg->arg, KR_DEF_PARAM, PLACE(a->kwarg)) < 0) {
            return -1;
        }
        st->cur->ste_varkeywords = 1;
    }
    return 0;
}

/* Annotations that are not evaluated get a block of their own, which does not
 * bind names of the surrounding one. */
static int
visit_annotation(struct kr_symtable *st, expr_ty annotation)
{
    if (!st->future_annotations) {
        return visit_expr(st, annotation);
    }
    if (enter_block(st, KR_ID(_annotation), KR_ANNOTATION_BLOCK, annotation,
                    PLACE(annotation)) < 0 ||
        visit_expr(st, annotation) < 0) {
        return -1;
    }
    return exit_block(st);
}

static int
visit_arg_annotations(struct kr_symtable *st, asdl_arg_seq *args)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(args); i++) {
        if (visit_optional(st, asdl_seq_GET(args, i)->annotation) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
visit_annotations(struct kr_symtable *st, stmt_ty s, arguments_ty a,
                  expr_ty returns)
{
    if (st->future_annotations &&
        enter_block(st, KR_ID(_annotation), KR_ANNOTATION_BLOCK, a,
                    PLACE(s)) < 0) {
        return -1;
    }
    if (visit_arg_annotations(st, a->posonlyargs) < 0 ||
        visit_arg_annotations(st, a->args) < 0 ||
        (a->vararg != NULL && visit_optional(st, a->vararg->annotation) < 0) ||
        (a->kwarg != NULL && visit_optional(st, a->kwarg->annotation) < 0) ||
        visit_arg_annotations(st, a->kwonlyargs) < 0) {
        return -1;
    }
    if (st->future_annotations && exit_block(st) < 0) {
        return -1;
    }
    return returns == NULL ? 0 : visit_annotation(st, returns);
}

/* --- Expressions ------------------------------------------------------------------- */

static int
refuse_in_annotation(struct kr_symtable *st, const char *name, expr_ty e)
{
    if (st->cur->ste_type != KR_ANNOTATION_BLOCK) {
        return 0;
    }
    return error_at(st, PLACE(e), "'%s' can not be used within an annotation",
                    name);
}

static int
refuse_yield_in_comprehension(struct kr_symtable *st, expr_ty e)
{
    static const char *const where[] = {
        [KR_LIST_COMPREHENSION] = "list comprehension",
        [KR_SET_COMPREHENSION] = "set comprehension",
        [KR_DICT_COMPREHENSION] = "dict comprehension",
        [KR_GENERATOR_EXPRESSION] = "generator expression",
    };
    enum kr_comprehension_type type = st->cur->ste_comprehension;
    if (type == KR_NO_COMPREHENSION) {
        return 0;
    }
    return error_at(st, PLACE(e), "'yield' inside %s", where[type]);
}

/* A named expression in a comprehension binds in the enclosing function or
 * module (PEP 572). */
static int
extend_named_expr(struct kr_symtable *st, expr_ty target)
{
    PyObject *name = target->v.Name.id;
    struct place at = PLACE(target);
    for (KrSte *ent = st->cur; ent != NULL; ent = ent->outer) {
        long flags = lookup(st, ent, name);
        if (flags < 0) {
            return -1;
        }
        if (ent->ste_comprehension) {
            if ((flags & KR_DEF_COMP_ITER) && (flags & KR_DEF_LOCAL)) {
                return error_at(st, at,
                                "assignment expression cannot rebind "
                                "comprehension iteration variable '%U'",
                                name);
            }
            continue;
        }
        if (ent->ste_type == KR_FUNCTION_BLOCK) {
            long declare =
                flags & KR_DEF_GLOBAL ? KR_DEF_GLOBAL : KR_DEF_NONLOCAL;
            if (add(st, name, declare, at) < 0 ||
                record_directive(st, name, at) < 0) {
                return -1;
            }
            return add_to(st, name, KR_DEF_LOCAL, ent, at);
        }
        if (ent->ste_type == KR_MODULE_BLOCK) {
            if (add(st, name, KR_DEF_GLOBAL, at) < 0 ||
                record_directive(st, name, at) < 0) {
                return -1;
            }
            return add_to(st, name, KR_DEF_GLOBAL, ent, at);
        }
        if (ent->ste_type == KR_CLASS_BLOCK) {
            return error_at(st, at,
                            "assignment expression within a comprehension "
                            "cannot be used in a class body");
        }
    }
    return 0;
}

static int
visit_named_expr(struct kr_symtable *st, expr_ty e)
{
    if (st->cur->ste_comp_iter_expr > 0) {
        return error_at(st, PLACE(e),
                        "assignment expression cannot be used in a "
                        "comprehension iterable expression");
    }
    if (st->cur->ste_comprehension &&
        extend_named_expr(st, e->v.NamedExpr.target) < 0) {
        return -1;
    }
    return visit_expr(st, e->v.NamedExpr.value) < 0
               ? -1
               : visit_expr(st, e->v.NamedExpr.target);
}

static int
visit_comp_target(struct kr_symtable *st, comprehension_ty lc)
{
    st->cur->ste_comp_iter_target = 1;
    int res = visit_expr(st, lc->target);
    st->cur->ste_comp_iter_target = 0;
    return res;
}

static int
visit_inner_generator(struct kr_symtable *st, comprehension_ty lc)
{
    if (visit_comp_target(st, lc) < 0) {
        return -1;
    }
    st->cur->ste_comp_iter_expr++;
    int res = visit_expr(st, lc->iter);
    st->cur->ste_comp_iter_expr--;
    if (res < 0 || visit_exprs(st, lc->ifs) < 0) {
        return -1;
    }
    if (lc->is_async) {
        st->cur->ste_coroutine = 1;
    }
    return 0;
}

static int
visit_comprehension(struct kr_symtable *st, expr_ty e, PyObject *name,
                    enum kr_comprehension_type type,
                    asdl_comprehension_seq *generators, expr_ty elt,
                    expr_ty value)
{
    comprehension_ty outermost = asdl_seq_GET(generators, 0);
    /* the outermost iterable is evaluated outside */
    st->cur->ste_comp_iter_expr++;
    int res = visit_expr(st, outermost->iter);
    st->cur->ste_comp_iter_expr--;
    if (res < 0 ||
        enter_block(st, name, KR_FUNCTION_BLOCK, e, PLACE(e)) < 0) {
        return -1;
    }
    if (outermost->is_async) {
        st->cur->ste_coroutine = 1;
    }
    st->cur->ste_comprehension = type;
    PyObject *implicit = PyUnicode_InternFromString(".0");
    if (implicit == NULL || kr_arena_own(st->arena, implicit) < 0) {
        return -1;
    }
    res = add(st, implicit, KR_DEF_PARAM,
              (struct place){st->cur->ste_lineno, st->cur->ste_col_offset,
                             st->cur->ste_end_lineno,
                             st->cur->ste_end_col_offset});
    if (res < 0 || visit_comp_target(st, outermost) < 0 ||
        visit_exprs(st, outermost->ifs) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 1; i < asdl_seq_LEN(generators); i++) {
        if (visit_inner_generator(st, asdl_seq_GET(generators, i)) < 0) {
            return -1;
        }
    }
    if (visit_optional(st, value) < 0 || visit_expr(st, elt) < 0) {
        return -1;
    }
    int is_generator = type == KR_GENERATOR_EXPRESSION;
    st->cur->ste_generator = is_generator;
    int is_async = st->cur->ste_coroutine && !is_generator;
    if (exit_block(st) < 0) {
        return -1;
    }
    if (is_async) {
        st->cur->ste_coroutine = 1;
    }
    return 0;
}

static int
visit_lambda(struct kr_symtable *st, expr_ty e)
{
    arguments_ty args = e->v.Lambda.args;
    if (visit_exprs(st, args->defaults) < 0 ||
        visit_exprs(st, args->kw_defaults) < 0 ||
        enter_block(st, KR_ID(lambda), KR_FUNCTION_BLOCK, e, PLACE(e)) < 0 ||
        visit_arguments(st, args) < 0 ||
        visit_expr(st, e->v.Lambda.body) < 0) {
        return -1;
    }
    return exit_block(st);
}

static int
visit_yield(struct kr_symtable *st, expr_ty e, expr_ty value)
{
    if (refuse_in_annotation(st, "yield expression", e) < 0 ||
        visit_optional(st, value) < 0) {
        return -1;
    }
    st->cur->ste_generator = 1;
    return refuse_yield_in_comprehension(st, e);
}

static int
visit_name(struct kr_symtable *st, expr_ty e)
{
    int is_load = e->v.Name.ctx == Load;
    if (add(st, e->v.Name.id, is_load ? KR_USE : KR_DEF_LOCAL, PLACE(e)) < 0) {
        return -1;
    }
    /* super() without arguments uses the cell __class__ */
    if (is_load && st->cur->ste_type == KR_FUNCTION_BLOCK &&
        e->v.Name.id == KR_ID(super)) {
        return add(st, KR_ID(__class__), KR_USE, PLACE(e));
    }
    return 0;
}

static int
visit_expr_kind(struct kr_symtable *st, expr_ty e)
{
    switch (e->kind) {
    case NamedExpr_kind:
        if (refuse_in_annotation(st, "named expression", e) < 0) {
            return -1;
        }
        return visit_named_expr(st, e);
    case BoolOp_kind:
        return visit_exprs(st, e->v.BoolOp.values);
    case BinOp_kind:
        return visit_expr(st, e->v.BinOp.left) < 0
                   ? -1
                   : visit_expr(st, e->v.BinOp.right);
    case UnaryOp_kind:
        return visit_expr(st, e->v.UnaryOp.operand);
    case Lambda_kind:
        return visit_lambda(st, e);
    case IfExp_kind:
        if (visit_expr(st, e->v.IfExp.test) < 0 ||
            visit_expr(st, e->v.IfExp.body) < 0) {
            return -1;
        }
        return visit_expr(st, e->v.IfExp.orelse);
    case Dict_kind:
        return visit_exprs(st, e->v.Dict.keys) < 0
                   ? -1
                   : visit_exprs(st, e->v.Dict.values);
    case Set_kind:
        return visit_exprs(st, e->v.Set.elts);
    case GeneratorExp_kind:
        return visit_comprehension(st, e, KR_ID(genexpr),
                                   KR_GENERATOR_EXPRESSION,
                                   e->v.GeneratorExp.generators,
                                   e->v.GeneratorExp.elt, NULL);
    case ListComp_kind:
        return visit_comprehension(st, e, KR_ID(listcomp),
                                   KR_LIST_COMPREHENSION,
                                   e->v.ListComp.generators,
                                   e->v.ListComp.elt, NULL);
    case SetComp_kind:
        return visit_comprehension(st, e, KR_ID(setcomp), KR_SET_COMPREHENSION,
                                   e->v.SetComp.generators, e->v.SetComp.elt,
                                   NULL);
    case DictComp_kind:
        return visit_comprehension(st, e, KR_ID(dictcomp),
                                   KR_DICT_COMPREHENSION,
                                   e->v.DictComp.generators, e->v.DictComp.key,
                                   e->v.DictComp.value);
    case Yield_kind:
        return visit_yield(st, e, e->v.Yield.value);
    case YieldFrom_kind:
        return visit_yield(st, e, e->v.YieldFrom.value);
    case Await_kind:
        if (refuse_in_annotation(st, "await expression", e) < 0 ||
            visit_expr(st, e->v.Await.value) < 0) {
            return -1;
        }
        st->cur->ste_coroutine = 1;
        return 0;
    case Compare_kind:
        return visit_expr(st, e->v.Compare.left) < 0
                   ? -1
                   : visit_exprs(st, e->v.Compare.comparators);
    case Call_kind:
        if (visit_expr(st, e->v.Call.func) < 0 ||
            visit_exprs(st, e->v.Call.args) < 0) {
            return -1;
        }
        return visit_keywords(st, e->v.Call.keywords);
    case FormattedValue_kind:
        return visit_expr(st, e->v.FormattedValue.value) < 0
                   ? -1
                   : visit_optional(st, e->v.FormattedValue.format_spec);
    case JoinedStr_kind:
        return visit_exprs(st, e->v.JoinedStr.values);
    case Constant_kind:
        return 0;
    case Attribute_kind:
        return visit_expr(st, e->v.Attribute.value);
    case Subscript_kind:
        return visit_expr(st, e->v.Subscript.value) < 0
                   ? -1
                   : visit_expr(st, e->v.Subscript.slice);
    case Starred_kind:
        return visit_expr(st, e->v.Starred.value);
    case Slice_kind:
        if (visit_optional(st, e->v.Slice.lower) < 0 ||
            visit_optional(st, e->v.Slice.upper) < 0) {
            return -1;
        }
        return visit_optional(st, e->v.Slice.step);
    case Name_kind:
        return visit_name(st, e);
    case List_kind:
        return visit_exprs(st, e->v.List.elts);
    case Tuple_kind:
        return visit_exprs(st, e->v.Tuple.elts);
    }
    return 0;
}

static int
too_deep(struct kr_symtable *st)
{
    if (++st->depth <= st->depth_limit && !kr_stack_is_low(kr_tstate())) {
        return 0;
    }
    PyErr_SetString(PyExc_RecursionError,
                    "maximum recursion depth exceeded during compilation");
    st->depth--;
    return 1;
}

static int
visit_expr(struct kr_symtable *st, expr_ty e)
{
    if (too_deep(st)) {
        return -1;
    }
    int res = visit_expr_kind(st, e);
    st->depth--;
    return res;
}

/* --- Patterns ---------------------------------------------------------------------- */

static int
visit_patterns(struct kr_symtable *st, asdl_pattern_seq *seq)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(seq); i++) {
        if (visit_pattern(st, asdl_seq_GET(seq, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
bind_optional(struct kr_symtable *st, PyObject *name, struct place at)
{
    return name == NULL ? 0 : add(st, name, KR_DEF_LOCAL, at);
}

static int
visit_pattern_kind(struct kr_symtable *st, pattern_ty p)
{
    switch (p->kind) {
    case MatchValue_kind:
        return visit_expr(st, p->v.MatchValue.value);
    case MatchSingleton_kind:
        return 0;
    case MatchSequence_kind:
        return visit_patterns(st, p->v.MatchSequence.patterns);
    case MatchStar_kind:
        return bind_optional(st, p->v.MatchStar.name, PLACE(p));
    case MatchMapping_kind:
        if (visit_exprs(st, p->v.MatchMapping.keys) < 0 ||
            visit_patterns(st, p->v.MatchMapping.patterns) < 0) {
            return -1;
        }
        return bind_optional(st, p->v.MatchMapping.rest, PLACE(p));
    case MatchClass_kind:
        if (visit_expr(st, p->v.MatchClass.cls) < 0 ||
            visit_patterns(st, p->v.MatchClass.patterns) < 0) {
            return -1;
        }
        return visit_patterns(st, p->v.MatchClass.kwd_patterns);
    case MatchAs_kind:
        if (p->v.MatchAs.pattern != NULL &&
            visit_pattern(st, p->v.MatchAs.pattern) < 0) {
            return -1;
        }
        return bind_optional(st, p->v.MatchAs.name, PLACE(p));
    case MatchOr_kind:
        return visit_patterns(st, p->v.MatchOr.patterns);
    }
    return 0;
}

static int
visit_pattern(struct kr_symtable *st, pattern_ty p)
{
    if (too_deep(st)) {
        return -1;
    }
    int res = visit_pattern_kind(st, p);
    st->depth--;
    return res;
}

/* --- Statements ------------------------------------------------------------------------ */

static int
visit_function(struct kr_symtable *st, stmt_ty s, PyObject *name,
               arguments_ty args, expr_ty returns, asdl_expr_seq *decorators,
               asdl_stmt_seq *body, int is_async)
{
    if (add(st, name, KR_DEF_LOCAL, PLACE(s)) < 0 ||
        visit_exprs(st, args->defaults) < 0 ||
        visit_exprs(st, args->kw_defaults) < 0 ||
        visit_annotations(st, s, args, returns) < 0 ||
        visit_exprs(st, decorators) < 0 ||
        enter_block(st, name, KR_FUNCTION_BLOCK, s, PLACE(s)) < 0) {
        return -1;
    }
    st->cur->ste_coroutine = is_async != 0;
    if (visit_arguments(st, args) < 0 || visit_stmts(st, body) < 0) {
        return -1;
    }
    return exit_block(st);
}

static int
visit_class(struct kr_symtable *st, stmt_ty s)
{
    if (add(st, s->v.ClassDef.name, KR_DEF_LOCAL, PLACE(s)) < 0 ||
        visit_exprs(st, s->v.ClassDef.bases) < 0 ||
        visit_keywords(st, s->v.ClassDef.keywords) < 0 ||
        visit_exprs(st, s->v.ClassDef.decorator_list) < 0 ||
        enter_block(st, s->v.ClassDef.name, KR_CLASS_BLOCK, s, PLACE(s)) < 0) {
        return -1;
    }
    PyObject *outer = st->private;
    st->private = s->v.ClassDef.name;
    int res = visit_stmts(st, s->v.ClassDef.body);
    st->private = outer;
    return res < 0 ? -1 : exit_block(st);
}

static int
visit_ann_assign(struct kr_symtable *st, stmt_ty s)
{
    expr_ty target = s->v.AnnAssign.target;
    if (target->kind == Name_kind) {
        PyObject *name = target->v.Name.id;
        long flags = lookup(st, st->cur, name);
        if (flags < 0) {
            return -1;
        }
        if ((flags & (KR_DEF_GLOBAL | KR_DEF_NONLOCAL)) &&
            st->cur != st->top && s->v.AnnAssign.simple) {
            return error_at(st, PLACE(s),
                            flags & KR_DEF_GLOBAL
                                ? "annotated name '%U' can't be global"
                                : "annotated name '%U' can't be nonlocal",
                            name);
        }
        if (s->v.AnnAssign.simple) {
            if (add(st, name, KR_DEF_ANNOT | KR_DEF_LOCAL, PLACE(target)) <
                0) {
                return -1;
            }
        }
        else if (s->v.AnnAssign.value != NULL &&
                 add(st, name, KR_DEF_LOCAL, PLACE(target)) < 0) {
            return -1;
        }
    }
    else if (visit_expr(st, target) < 0) {
        return -1;
    }
    if (visit_annotation(st, s->v.AnnAssign.annotation) < 0) {
        return -1;
    }
    return visit_optional(st, s->v.AnnAssign.value);
}

/* `global` and `nonlocal`. */
static int
visit_declaration(struct kr_symtable *st, stmt_ty s, asdl_identifier_seq *names,
                  long flag, const char *what)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(names); i++) {
        PyObject *name = asdl_seq_GET(names, i);
        long cur = lookup(st, st->cur, name);
        if (cur < 0) {
            return -1;
        }
        if (cur & KR_DEF_PARAM) {
            return error_at(st, PLACE(s), "name '%U' is parameter and %s",
                            name, what);
        }
        if (cur & KR_USE) {
            return error_at(st, PLACE(s),
                            "name '%U' is used prior to %s declaration", name,
                            what);
        }
        if (cur & KR_DEF_ANNOT) {
            return error_at(st, PLACE(s), "annotated name '%U' can't be %s",
                            name, what);
        }
        if (cur & KR_DEF_LOCAL) {
            return error_at(st, PLACE(s),
                            "name '%U' is assigned to before %s declaration",
                            name, what);
        }
        if (add(st, name, flag, PLACE(s)) < 0 ||
            record_directive(st, name, PLACE(s)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
visit_aliases(struct kr_symtable *st, asdl_alias_seq *names)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(names); i++) {
        alias_ty a = asdl_seq_GET(names, i);
        PyObject *name = a->asname != NULL ? a->asname : a->name;
        if (_PyUnicode_EqualToASCIIString(name, "*")) {
            if (st->cur->ste_type != KR_MODULE_BLOCK) {
                return error_at(st, PLACE(a),
                                "import * only allowed at module level");
            }
            continue;
        }
        Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0,
                                            PyUnicode_GET_LENGTH(name), 1);
        if (dot != -1) {
            name = PyUnicode_Substring(name, 0, dot);
            if (name == NULL) {
                return -1;
            }
            PyUnicode_InternInPlace(&name);
            if (kr_arena_own(st->arena, name) < 0) {
                return -1;
            }
        }
        if (add(st, name, KR_DEF_IMPORT, PLACE(a)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
visit_handlers(struct kr_symtable *st, asdl_excepthandler_seq *handlers)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(handlers); i++) {
        excepthandler_ty eh = asdl_seq_GET(handlers, i);
        if (visit_optional(st, eh->v.ExceptHandler.type) < 0 ||
            bind_optional(st, eh->v.ExceptHandler.name, PLACE(eh)) < 0 ||
            visit_stmts(st, eh->v.ExceptHandler.body) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
visit_try(struct kr_symtable *st, asdl_stmt_seq *body, asdl_stmt_seq *orelse,
          asdl_excepthandler_seq *handlers, asdl_stmt_seq *finalbody)
{
    if (visit_stmts(st, body) < 0 || visit_stmts(st, orelse) < 0 ||
        visit_handlers(st, handlers) < 0) {
        return -1;
    }
    return visit_stmts(st, finalbody);
}

static int
visit_with(struct kr_symtable *st, asdl_withitem_seq *items,
           asdl_stmt_seq *body)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(items); i++) {
        withitem_ty item = asdl_seq_GET(items, i);
        if (visit_expr(st, item->context_expr) < 0 ||
            visit_optional(st, item->optional_vars) < 0) {
            return -1;
        }
    }
    return visit_stmts(st, body);
}

static int
visit_match(struct kr_symtable *st, stmt_ty s)
{
    if (visit_expr(st, s->v.Match.subject) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(s->v.Match.cases); i++) {
        match_case_ty m = asdl_seq_GET(s->v.Match.cases, i);
        if (visit_pattern(st, m->pattern) < 0 ||
            visit_optional(st, m->guard) < 0 ||
            visit_stmts(st, m->body) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
visit_loop(struct kr_symtable *st, expr_ty target, expr_ty iter,
           asdl_stmt_seq *body, asdl_stmt_seq *orelse)
{
    if (visit_optional(st, target) < 0 || visit_expr(st, iter) < 0 ||
        visit_stmts(st, body) < 0) {
        return -1;
    }
    return visit_stmts(st, orelse);
}

static int
visit_stmt_kind(struct kr_symtable *st, stmt_ty s)
{
    switch (s->kind) {
    case FunctionDef_kind:
        return visit_function(st, s, s->v.FunctionDef.name,
                              s->v.FunctionDef.args, s->v.FunctionDef.returns,
                              s->v.FunctionDef.decorator_list,
                              s->v.FunctionDef.body, 0);
    case AsyncFunctionDef_kind:
        return visit_function(
            st, s, s->v.AsyncFunctionDef.name, s->v.AsyncFunctionDef.args,
            s->v.AsyncFunctionDef.returns,
            s->v.AsyncFunctionDef.decorator_list, s->v.AsyncFunctionDef.body,
            1);
    case ClassDef_kind:
        return visit_class(st, s);
    case Return_kind:
        if (s->v.Return.value != NULL) {
            if (visit_expr(st, s->v.Return.value) < 0) {
                return -1;
            }
            st->cur->ste_returns_value = 1;
        }
        return 0;
    case Delete_kind:
        return visit_exprs(st, s->v.Delete.targets);
    case Assign_kind:
        return visit_exprs(st, s->v.Assign.targets) < 0
                   ? -1
                   : visit_expr(st, s->v.Assign.value);
    case AnnAssign_kind:
        return visit_ann_assign(st, s);
    case AugAssign_kind:
        return visit_expr(st, s->v.AugAssign.target) < 0
                   ? -1
                   : visit_expr(st, s->v.AugAssign.value);
    case For_kind:
        return visit_loop(st, s->v.For.target, s->v.For.iter, s->v.For.body,
                          s->v.For.orelse);
    case AsyncFor_kind:
        return visit_loop(st, s->v.AsyncFor.target, s->v.AsyncFor.iter,
                          s->v.AsyncFor.body, s->v.AsyncFor.orelse);
    case While_kind:
        return visit_loop(st, NULL, s->v.While.test, s->v.While.body,
                          s->v.While.orelse);
    case If_kind:
        return visit_loop(st, NULL, s->v.If.test, s->v.If.body,
                          s->v.If.orelse);
    case Match_kind:
        return visit_match(st, s);
    case Raise_kind:
        return visit_optional(st, s->v.Raise.exc) < 0
                   ? -1
                   : visit_optional(st, s->v.Raise.cause);
    case Try_kind:
        return visit_try(st, s->v.Try.body, s->v.Try.orelse,
                         s->v.Try.handlers, s->v.Try.finalbody);
    case TryStar_kind:
        return visit_try(st, s->v.TryStar.body, s->v.TryStar.orelse,
                         s->v.TryStar.handlers, s->v.TryStar.finalbody);
    case Assert_kind:
        return visit_expr(st, s->v.Assert.test) < 0
                   ? -1
                   : visit_optional(st, s->v.Assert.msg);
    case Import_kind:
        return visit_aliases(st, s->v.Import.names);
    case ImportFrom_kind:
        return visit_aliases(st, s->v.ImportFrom.names);
    case Global_kind:
        return visit_declaration(st, s, s->v.Global.names, KR_DEF_GLOBAL,
                                 "global");
    case Nonlocal_kind:
        return visit_declaration(st, s, s->v.Nonlocal.names, KR_DEF_NONLOCAL,
                                 "nonlocal");
    case Expr_kind:
        return visit_expr(st, s->v.Expr.value);
    case With_kind:
        return visit_with(st, s->v.With.items, s->v.With.body);
    case AsyncWith_kind:
        return visit_with(st, s->v.AsyncWith.items, s->v.AsyncWith.body);
    case Pass_kind:
    case Break_kind:
    case Continue_kind:
        return 0;
    }
    return 0;
}

static int
visit_stmt(struct kr_symtable *st, stmt_ty s)
{
    if (too_deep(st)) {
        return -1;
    }
    int res = visit_stmt_kind(st, s);
    st->depth--;
    return res;
}

/* --- The table --------------------------------------------------------------------------- */

void
kr_symtable_free(struct kr_symtable *st)
{
    Py_XDECREF(st->filename);
    kr_arena_free(st->arena);
    PyMem_Free(st);
}

static int
visit_module(struct kr_symtable *st, mod_ty mod)
{
    switch (mod->kind) {
    case Module_kind:
        return visit_stmts(st, mod->v.Module.body);
    case Expression_kind:
        return visit_expr(st, mod->v.Expression.body);
    case Interactive_kind:
        return visit_stmts(st, mod->v.Interactive.body);
    default:
        PyErr_SetString(PyExc_RuntimeError,
                        "this compiler does not handle FunctionTypes");
        return -1;
    }
}

struct kr_symtable *
kr_symtable_build(mod_ty mod, PyObject *filename, int future_annotations)
{
    struct kr_symtable *st = PyMem_Calloc(1, sizeof(*st));
    if (st == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    st->filename = Py_NewRef(filename);
    st->arena = kr_arena_new();
    st->future_annotations = future_annotations;
    PyThreadState *tstate = PyThreadState_Get();
    st->depth =
        (tstate->recursion_limit - tstate->recursion_remaining) * DEPTH_SCALE;
    int limit = Py_GetRecursionLimit();
    st->depth_limit =
        limit > INT_MAX / DEPTH_SCALE ? INT_MAX : limit * DEPTH_SCALE;
    struct place nowhere = {0, 0, 0, 0};
    int res = st->arena == NULL ? -1
                                : enter_block(st, KR_ID(top), KR_MODULE_BLOCK,
                                              mod, nowhere);
    if (res == 0) {
        st->top = st->cur;
        res = visit_module(st, mod);
    }
    if (res == 0) {
        res = exit_block(st);
    }
    if (res == 0) {
        res = kr_symtable_analyze(st);
    }
    if (res < 0) {
        kr_symtable_free(st);
        return NULL;
    }
    return st;
}
