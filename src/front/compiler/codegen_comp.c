/* Comprehensions and generator expressions: functions of one argument, the
 * iterator of the outermost `for`. */
#include "front/compiler/codegen_expr.h"

struct comprehension {
    asdl_comprehension_seq *generators;
    expr_ty elt; /* the key, in dicts */
    expr_ty val; /* in dicts, else NULL */
    enum _expr_kind kind;
};

static int visit_generator(struct kr_compiler *c, struct comprehension *comp,
                           Py_ssize_t index, int depth);

/* Evaluates the element and adds it to the container `depth` iterators down,
 * or yields it. */
static int
emit_element(struct kr_compiler *c, struct comprehension *comp, int depth)
{
    TRY(kr_cg_expr(c, comp->elt));
    switch (comp->kind) {
    case ListComp_kind:
        return kr_cg_op_i(c, LIST_APPEND, depth + 1);
    case SetComp_kind:
        return kr_cg_op_i(c, SET_ADD, depth + 1);
    case DictComp_kind:
        TRY(kr_cg_expr(c, comp->val));
        return kr_cg_op_i(c, MAP_ADD, depth + 1);
    default:
        TRY(kr_cg_yield_op(c));
        return kr_cg_op(c, POP_TOP);
    }
}

/* The conditions of one `for`, and all that is inside it. */
static int
visit_inside(struct kr_compiler *c, struct comprehension *comp,
             Py_ssize_t index, int depth, struct kr_block *if_cleanup)
{
    asdl_expr_seq *ifs = asdl_seq_GET(comp->generators, index)->ifs;
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(ifs); i++) {
        TRY(kr_cg_jump_if(c, asdl_seq_GET(ifs, i), if_cleanup, 0));
    }
    if (index + 1 < asdl_seq_LEN(comp->generators)) {
        return visit_generator(c, comp, index + 1, depth);
    }
    return emit_element(c, comp, depth);
}

/* The element of a display of exactly one, as in `for y in [f(x)]`: that is an
 * assignment. Else NULL. */
static expr_ty
only_element(expr_ty iter)
{
    asdl_expr_seq *elts = iter->kind == List_kind    ? iter->v.List.elts
                          : iter->kind == Tuple_kind ? iter->v.Tuple.elts
                                                     : NULL;
    if (asdl_seq_LEN(elts) != 1) {
        return NULL;
    }
    expr_ty elt = asdl_seq_GET(elts, 0);
    return elt->kind == Starred_kind ? NULL : elt;
}

static int
visit_sync(struct kr_compiler *c, struct comprehension *comp, Py_ssize_t index,
           int depth)
{
    comprehension_ty gen = asdl_seq_GET(comp->generators, index);
    struct kr_block *start = kr_cg_new_block(c);
    struct kr_block *if_cleanup = kr_cg_new_block(c);
    struct kr_block *anchor = kr_cg_new_block(c);
    if (start == NULL || if_cleanup == NULL || anchor == NULL) {
        return -1;
    }
    expr_ty only = index == 0 ? NULL : only_element(gen->iter);
    if (index == 0) {
        c->u->unit.argcount = 1;
        TRY(kr_cg_op_i(c, LOAD_FAST, 0));
    }
    else if (only != NULL) {
        TRY(kr_cg_expr(c, only));
    }
    else {
        TRY(kr_cg_expr(c, gen->iter));
        TRY(kr_cg_op(c, GET_ITER));
    }
    if (only == NULL) {
        depth++;
        kr_cg_use_block(c, start);
        TRY(kr_cg_jump(c, FOR_ITER, anchor));
    }
    TRY(kr_cg_expr(c, gen->target));
    TRY(visit_inside(c, comp, index, depth, if_cleanup));
    kr_cg_use_block(c, if_cleanup);
    if (only == NULL) {
        TRY(kr_cg_jump(c, JUMP, start));
        kr_cg_use_block(c, anchor);
    }
    return 0;
}

static int
visit_async(struct kr_compiler *c, struct comprehension *comp,
            Py_ssize_t index, int depth)
{
    comprehension_ty gen = asdl_seq_GET(comp->generators, index);
    struct kr_block *start = kr_cg_new_block(c);
    struct kr_block *except = kr_cg_new_block(c);
    struct kr_block *if_cleanup = kr_cg_new_block(c);
    if (start == NULL || except == NULL || if_cleanup == NULL) {
        return -1;
    }
    if (index == 0) {
        c->u->unit.argcount = 1;
        TRY(kr_cg_op_i(c, LOAD_FAST, 0));
    }
    else {
        TRY(kr_cg_expr(c, gen->iter));
        TRY(kr_cg_op(c, GET_AITER));
    }
    kr_cg_use_block(c, start);
    TRY(kr_cg_push_fblock(c, KR_FB_ASYNC_COMPREHENSION_GENERATOR, start, NULL,
                          NULL));
    TRY(kr_cg_jump(c, SETUP_FINALLY, except));
    TRY(kr_cg_op(c, GET_ANEXT));
    TRY(kr_cg_const(c, Py_None));
    TRY(kr_cg_yield_from(c, 1));
    TRY(kr_cg_op(c, POP_BLOCK));
    TRY(kr_cg_expr(c, gen->target));
    TRY(visit_inside(c, comp, index, depth + 1, if_cleanup));
    kr_cg_use_block(c, if_cleanup);
    TRY(kr_cg_jump(c, JUMP, start));
    kr_cg_pop_fblock(c, KR_FB_ASYNC_COMPREHENSION_GENERATOR, start);
    kr_cg_use_block(c, except);
    return kr_cg_op(c, END_ASYNC_FOR);
}

static int
visit_generator(struct kr_compiler *c, struct comprehension *comp,
                Py_ssize_t index, int depth)
{
    TRY(kr_cg_room(c));
    return asdl_seq_GET(comp->generators, index)->is_async
               ? visit_async(c, comp, index, depth)
               : visit_sync(c, comp, index, depth);
}

/* --- the function and its call -------------------------------------------- */

static const char *
scope_name(enum _expr_kind kind)
{
    switch (kind) {
    case ListComp_kind:
        return "<listcomp>";
    case SetComp_kind:
        return "<setcomp>";
    case DictComp_kind:
        return "<dictcomp>";
    default:
        return "<genexpr>";
    }
}

static void
get_parts(expr_ty e, struct comprehension *comp)
{
    comp->kind = e->kind;
    comp->val = NULL;
    switch (e->kind) {
    case ListComp_kind:
        comp->elt = e->v.ListComp.elt;
        comp->generators = e->v.ListComp.generators;
        break;
    case SetComp_kind:
        comp->elt = e->v.SetComp.elt;
        comp->generators = e->v.SetComp.generators;
        break;
    case DictComp_kind:
        comp->elt = e->v.DictComp.key;
        comp->val = e->v.DictComp.value;
        comp->generators = e->v.DictComp.generators;
        break;
    default:
        comp->elt = e->v.GeneratorExp.elt;
        comp->generators = e->v.GeneratorExp.generators;
        break;
    }
}

/* The body of the entered scope. `in_async`: its parent may await. */
static int
visit_scope(struct kr_compiler *c, struct comprehension *comp, bool in_async)
{
    bool generator = comp->kind == GeneratorExp_kind;
    if (c->u->ste->ste_coroutine && !generator && !in_async) {
        return kr_cg_error(c, "asynchronous comprehension outside of an "
                              "asynchronous function");
    }
    if (!generator) {
        TRY(kr_cg_op_i(c,
                       comp->kind == ListComp_kind  ? BUILD_LIST
                       : comp->kind == SetComp_kind ? BUILD_SET
                                                    : BUILD_MAP,
                       0));
    }
    TRY(visit_generator(c, comp, 0, 0));
    return generator ? 0 : kr_cg_op(c, RETURN_VALUE);
}

/* The code object, new. *is_async: does it await? */
static PyObject *
compile_scope(struct kr_compiler *c, expr_ty e, struct comprehension *comp,
              bool *is_async)
{
    bool top_level = kr_cg_top_level_await(c);
    bool in_async = c->u->kind == KR_UNIT_ASYNC_FUNCTION ||
                    c->u->kind == KR_UNIT_COMPREHENSION || top_level;
    PyObject *name = PyUnicode_InternFromString(scope_name(e->kind));
    if (name == NULL) {
        return NULL;
    }
    int rc = kr_cg_enter_scope(c, name, KR_UNIT_COMPREHENSION, e, e->lineno);
    Py_DECREF(name);
    if (rc < 0) {
        return NULL;
    }
    kr_cg_at_expr(c, e);
    *is_async = c->u->ste->ste_coroutine;
    if (visit_scope(c, comp, in_async) < 0) {
        return NULL;
    }
    PyObject *code = kr_cg_assemble(c, true);
    kr_cg_exit_scope(c);
    if (top_level && *is_async) {
        c->u->ste->ste_coroutine = 1;
    }
    return code;
}

int
kr_cg_comprehension_expr(struct kr_compiler *c, expr_ty e)
{
    struct comprehension comp;
    bool is_async;
    get_parts(e, &comp);
    PyObject *code = compile_scope(c, e, &comp, &is_async);
    if (code == NULL) {
        return -1;
    }
    int rc = kr_cg_make_closure(c, (PyCodeObject *)code, 0);
    Py_DECREF(code);
    TRY(rc);
    comprehension_ty outermost = asdl_seq_GET(comp.generators, 0);
    TRY(kr_cg_expr(c, outermost->iter));
    TRY(kr_cg_op(c, outermost->is_async ? GET_AITER : GET_ITER));
    TRY(kr_cg_call_n(c, 0));
    if (is_async && e->kind != GeneratorExp_kind) {
        return kr_cg_await_value(c);
    }
    return 0;
}
