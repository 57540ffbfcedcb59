/* List, tuple, set and dict displays, and unpacking into lists and tuples. */
#include <limits.h>

#include "front/compiler/codegen_expr.h"

static bool
all_constant(asdl_expr_seq *elts, Py_ssize_t begin, Py_ssize_t end)
{
    for (Py_ssize_t i = begin; i < end; i++) {
        expr_ty e = asdl_seq_GET(elts, i);
        if (e == NULL || e->kind != Constant_kind) {
            return false;
        }
    }
    return true;
}

/* The values of constant expressions, a new tuple. */
static PyObject *
constant_values(asdl_expr_seq *elts, Py_ssize_t begin, Py_ssize_t end)
{
    PyObject *values = PyTuple_New(end - begin);
    if (values == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = begin; i < end; i++) {
        expr_ty e = asdl_seq_GET(elts, i);
        PyTuple_SET_ITEM(values, i - begin, Py_NewRef(e->v.Constant.value));
    }
    return values;
}

/* The whole display is one constant from which the container is filled. */
static int
build_from_constant(struct kr_compiler *c, asdl_expr_seq *elts, int pushed,
                    int build, int add, int extend, bool tuple)
{
    PyObject *values = constant_values(elts, 0, asdl_seq_LEN(elts));
    if (values == NULL) {
        return -1;
    }
    if (tuple && !pushed) {
        return kr_cg_const_new(c, values);
    }
    if (add == SET_ADD) {
        Py_SETREF(values, PyFrozenSet_New(values));
        if (values == NULL) {
            return -1;
        }
    }
    if (kr_cg_op_i(c, build, pushed) < 0) {
        Py_DECREF(values);
        return -1;
    }
    TRY(kr_cg_const_new(c, values));
    TRY(kr_cg_op_i(c, extend, 1));
    return tuple ? kr_cg_op(c, LIST_TO_TUPLE) : 0;
}

static bool
has_star(asdl_expr_seq *elts)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(elts); i++) {
        if (asdl_seq_GET(elts, i)->kind == Starred_kind) {
            return true;
        }
    }
    return false;
}

int
kr_cg_build(struct kr_compiler *c, asdl_expr_seq *elts, int pushed, int build,
            int add, int extend, bool tuple)
{
    Py_ssize_t n = asdl_seq_LEN(elts);
    if (n > 2 && all_constant(elts, 0, n)) {
        return build_from_constant(c, elts, pushed, build, add, extend, tuple);
    }
    bool built = n + pushed > KR_STACK_USE_GUIDELINE;
    if (!built && !has_star(elts)) {
        TRY(kr_cg_exprs(c, elts));
        return kr_cg_op_i(c, tuple ? BUILD_TUPLE : build, n + pushed);
    }
    if (built) {
        TRY(kr_cg_op_i(c, build, pushed));
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        expr_ty elt = asdl_seq_GET(elts, i);
        if (elt->kind == Starred_kind) {
            if (!built) {
                TRY(kr_cg_op_i(c, build, i + pushed));
                built = true;
            }
            TRY(kr_cg_expr(c, elt->v.Starred.value));
            TRY(kr_cg_op_i(c, extend, 1));
            continue;
        }
        TRY(kr_cg_expr(c, elt));
        if (built) {
            TRY(kr_cg_op_i(c, add, 1));
        }
    }
    return tuple ? kr_cg_op(c, LIST_TO_TUPLE) : 0;
}

/* Spreads the sequence on the stack over the targets. */
static int
unpack(struct kr_compiler *c, asdl_expr_seq *elts)
{
    Py_ssize_t n = asdl_seq_LEN(elts);
    bool seen_star = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (asdl_seq_GET(elts, i)->kind != Starred_kind) {
            continue;
        }
        if (seen_star) {
            return kr_cg_error(c,
                               "multiple starred expressions in assignment");
        }
        if (i >= 1 << 8 || n - i - 1 >= INT_MAX >> 8) {
            return kr_cg_error(
                c, "too many expressions in star-unpacking assignment");
        }
        TRY(kr_cg_op_i(c, UNPACK_EX, i + ((n - i - 1) << 8)));
        seen_star = true;
    }
    return seen_star ? 0 : kr_cg_op_i(c, UNPACK_SEQUENCE, n);
}

static int
assign_to(struct kr_compiler *c, asdl_expr_seq *elts)
{
    TRY(unpack(c, elts));
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(elts); i++) {
        expr_ty elt = asdl_seq_GET(elts, i);
        TRY(kr_cg_expr(c, elt->kind == Starred_kind ? elt->v.Starred.value
                                                    : elt));
    }
    return 0;
}

static int
visit_sequence(struct kr_compiler *c, asdl_expr_seq *elts, expr_context_ty ctx,
               bool tuple)
{
    switch (ctx) {
    case Store:
        return assign_to(c, elts);
    case Load:
        return kr_cg_build(c, elts, 0, BUILD_LIST, LIST_APPEND, LIST_EXTEND,
                           tuple);
    default:
        return kr_cg_exprs(c, elts);
    }
}

int
kr_cg_list(struct kr_compiler *c, expr_ty e)
{
    return visit_sequence(c, e->v.List.elts, e->v.List.ctx, false);
}

int
kr_cg_tuple(struct kr_compiler *c, expr_ty e)
{
    return visit_sequence(c, e->v.Tuple.elts, e->v.Tuple.ctx, true);
}

int
kr_cg_set(struct kr_compiler *c, expr_ty e)
{
    return kr_cg_build(c, e->v.Set.elts, 0, BUILD_SET, SET_ADD, SET_UPDATE,
                       false);
}

/* --- dicts ---------------------------------------------------------------- */

/* Builds a dict of items [begin, end), none of which is a **. */
static int
build_items(struct kr_compiler *c, expr_ty e, Py_ssize_t begin, Py_ssize_t end)
{
    asdl_expr_seq *keys = e->v.Dict.keys, *values = e->v.Dict.values;
    Py_ssize_t n = end - begin;
    bool big = n * 2 > KR_STACK_USE_GUIDELINE;
    if (n > 1 && !big && all_constant(keys, begin, end)) {
        for (Py_ssize_t i = begin; i < end; i++) {
            TRY(kr_cg_expr(c, asdl_seq_GET(values, i)));
        }
        TRY(kr_cg_const_new(c, constant_values(keys, begin, end)));
        return kr_cg_op_i(c, BUILD_CONST_KEY_MAP, n);
    }
    if (big) {
        TRY(kr_cg_op_i(c, BUILD_MAP, 0));
    }
    for (Py_ssize_t i = begin; i < end; i++) {
        TRY(kr_cg_expr(c, asdl_seq_GET(keys, i)));
        TRY(kr_cg_expr(c, asdl_seq_GET(values, i)));
        if (big) {
            TRY(kr_cg_op_i(c, MAP_ADD, 1));
        }
    }
    return big ? 0 : kr_cg_op_i(c, BUILD_MAP, n);
}

/* The same, and merges it into the dict below, if there is one. */
static int
add_items(struct kr_compiler *c, expr_ty e, Py_ssize_t begin, Py_ssize_t end,
          bool *have_dict)
{
    TRY(build_items(c, e, begin, end));
    if (*have_dict) {
        TRY(kr_cg_op_i(c, DICT_UPDATE, 1));
    }
    *have_dict = true;
    return 0;
}

static int
add_mapping(struct kr_compiler *c, expr_ty mapping, bool *have_dict)
{
    if (!*have_dict) {
        TRY(kr_cg_op_i(c, BUILD_MAP, 0));
        *have_dict = true;
    }
    TRY(kr_cg_expr(c, mapping));
    return kr_cg_op_i(c, DICT_UPDATE, 1);
}

int
kr_cg_dict(struct kr_compiler *c, expr_ty e)
{
    Py_ssize_t n = asdl_seq_LEN(e->v.Dict.values);
    Py_ssize_t pending = 0; /* items before i that are not built yet */
    bool have_dict = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (asdl_seq_GET(e->v.Dict.keys, i) == NULL) {
            if (pending) {
                TRY(add_items(c, e, i - pending, i, &have_dict));
                pending = 0;
            }
            TRY(add_mapping(c, asdl_seq_GET(e->v.Dict.values, i),
                            &have_dict));
        }
        else if (pending * 2 > KR_STACK_USE_GUIDELINE) {
            TRY(add_items(c, e, i - pending, i + 1, &have_dict));
            pending = 0;
        }
        else {
            pending++;
        }
    }
    if (pending) {
        TRY(add_items(c, e, n - pending, n, &have_dict));
    }
    return have_dict ? 0 : kr_cg_op_i(c, BUILD_MAP, 0);
}
