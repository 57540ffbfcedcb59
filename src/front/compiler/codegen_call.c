/* Calls. Plain ones put a NULL below the callable; method calls load the method
 * without binding it; those with * or ** or very many arguments pass a tuple
 * and a dict. */
#include "front/compiler/codegen_expr.h"

static int
refuse_repeated(struct kr_compiler *c, asdl_keyword_seq *keywords,
                Py_ssize_t i)
{
    keyword_ty key = asdl_seq_GET(keywords, i);
    for (Py_ssize_t j = i + 1; j < asdl_seq_LEN(keywords); j++) {
        keyword_ty other = asdl_seq_GET(keywords, j);
        if (other->arg != NULL &&
            PyUnicode_Compare(key->arg, other->arg) == 0) {
            c->u->loc = (struct kr_loc){other->lineno, other->end_lineno,
                                        other->col_offset,
                                        other->end_col_offset};
            return kr_cg_error(c, "keyword argument repeated: %U", key->arg);
        }
    }
    return 0;
}

static int
check_keywords(struct kr_compiler *c, asdl_keyword_seq *keywords)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(keywords); i++) {
        keyword_ty key = asdl_seq_GET(keywords, i);
        if (key->arg != NULL) {
            TRY(kr_cg_forbidden_name(c, key->arg, Store));
            TRY(refuse_repeated(c, keywords, i));
        }
    }
    return 0;
}

/* The names of keywords[begin:end], new. */
static PyObject *
keyword_names(asdl_keyword_seq *keywords, Py_ssize_t begin, Py_ssize_t end)
{
    PyObject *names = PyTuple_New(end - begin);
    if (names == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = begin; i < end; i++) {
        keyword_ty kw = asdl_seq_GET(keywords, i);
        PyTuple_SET_ITEM(names, i - begin, Py_NewRef(kw->arg));
    }
    return names;
}

/* Pushes the values and tells the following CALL their names. */
static int
push_keywords(struct kr_compiler *c, asdl_keyword_seq *keywords)
{
    Py_ssize_t n = asdl_seq_LEN(keywords);
    if (n == 0) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        TRY(kr_cg_expr(c, asdl_seq_GET(keywords, i)->value));
    }
    PyObject *names = keyword_names(keywords, 0, n);
    if (names == NULL) {
        return -1;
    }
    Py_ssize_t index = kr_cg_const_index(c, names);
    Py_DECREF(names);
    return index < 0 ? -1 : kr_cg_op_i(c, KW_NAMES, index);
}

static bool
has_stars(asdl_expr_seq *args, asdl_keyword_seq *keywords)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(args); i++) {
        if (asdl_seq_GET(args, i)->kind == Starred_kind) {
            return true;
        }
    }
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(keywords); i++) {
        if (asdl_seq_GET(keywords, i)->arg == NULL) {
            return true;
        }
    }
    return false;
}

/* Functions of imported modules are called as attributes: modules have no
 * methods. Only imports at the module level are looked at. */
static bool
is_imported(struct kr_compiler *c, expr_ty e)
{
    return e->kind == Name_kind &&
           (kr_ste_flags(c->st->top, e->v.Name.id) & KR_DEF_IMPORT);
}

static bool
is_method_call(struct kr_compiler *c, expr_ty e)
{
    expr_ty meth = e->v.Call.func;
    if (meth->kind != Attribute_kind || meth->v.Attribute.ctx != Load ||
        is_imported(c, meth->v.Attribute.value)) {
        return false;
    }
    Py_ssize_t nkw = asdl_seq_LEN(e->v.Call.keywords);
    if (asdl_seq_LEN(e->v.Call.args) + nkw + (nkw != 0) >=
        KR_STACK_USE_GUIDELINE) {
        return false;
    }
    return !has_stars(e->v.Call.args, e->v.Call.keywords);
}

static int
method_call(struct kr_compiler *c, expr_ty e)
{
    expr_ty meth = e->v.Call.func;
    TRY(kr_cg_expr(c, meth->v.Attribute.value));
    kr_cg_at_expr(c, meth);
    kr_cg_at_attr(c, meth);
    TRY(kr_cg_attr(c, LOAD_METHOD, meth->v.Attribute.attr));
    TRY(kr_cg_exprs(c, e->v.Call.args));
    TRY(push_keywords(c, e->v.Call.keywords));
    kr_cg_at_expr(c, e);
    kr_cg_at_attr(c, meth);
    return kr_cg_call_n(c, (int)(asdl_seq_LEN(e->v.Call.args) +
                                 asdl_seq_LEN(e->v.Call.keywords)));
}

int
kr_cg_call(struct kr_compiler *c, expr_ty e)
{
    TRY(check_keywords(c, e->v.Call.keywords));
    if (is_method_call(c, e)) {
        return method_call(c, e);
    }
    TRY(kr_cg_check_caller(c, e->v.Call.func));
    kr_cg_at_expr(c, e->v.Call.func);
    TRY(kr_cg_op(c, PUSH_NULL));
    kr_cg_at_expr(c, e);
    TRY(kr_cg_expr(c, e->v.Call.func));
    return kr_cg_call_helper(c, 0, e->v.Call.args, e->v.Call.keywords);
}

/* --- with a tuple and a dict ---------------------------------------------- */

/* Builds a dict of keywords[begin:end], which have no **. */
static int
keyword_dict(struct kr_compiler *c, asdl_keyword_seq *keywords,
             Py_ssize_t begin, Py_ssize_t end)
{
    Py_ssize_t n = end - begin;
    bool big = n * 2 > KR_STACK_USE_GUIDELINE;
    if (n > 1 && !big) {
        for (Py_ssize_t i = begin; i < end; i++) {
            TRY(kr_cg_expr(c, asdl_seq_GET(keywords, i)->value));
        }
        TRY(kr_cg_const_new(c, keyword_names(keywords, begin, end)));
        return kr_cg_op_i(c, BUILD_CONST_KEY_MAP, n);
    }
    if (big) {
        TRY(kr_cg_op_i_noline(c, BUILD_MAP, 0));
    }
    for (Py_ssize_t i = begin; i < end; i++) {
        keyword_ty kw = asdl_seq_GET(keywords, i);
        TRY(kr_cg_const(c, kw->arg));
        TRY(kr_cg_expr(c, kw->value));
        if (big) {
            TRY(kr_cg_op_i_noline(c, MAP_ADD, 1));
        }
    }
    return big ? 0 : kr_cg_op_i(c, BUILD_MAP, n);
}

/* Adds keywords[begin:end] to the dict on the stack, or makes that. */
static int
merge_keywords(struct kr_compiler *c, asdl_keyword_seq *keywords,
               Py_ssize_t begin, Py_ssize_t end, bool have_dict)
{
    TRY(keyword_dict(c, keywords, begin, end));
    return have_dict ? kr_cg_op_i(c, DICT_MERGE, 1) : 0;
}

static int
push_keyword_dict(struct kr_compiler *c, asdl_keyword_seq *keywords)
{
    Py_ssize_t n = asdl_seq_LEN(keywords), nseen = 0;
    bool have_dict = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        keyword_ty kw = asdl_seq_GET(keywords, i);
        if (kw->arg != NULL) {
            nseen++;
            continue;
        }
        if (nseen) {
            TRY(merge_keywords(c, keywords, i - nseen, i, have_dict));
            have_dict = true;
            nseen = 0;
        }
        if (!have_dict) {
            TRY(kr_cg_op_i(c, BUILD_MAP, 0));
            have_dict = true;
        }
        TRY(kr_cg_expr(c, kw->value));
        TRY(kr_cg_op_i(c, DICT_MERGE, 1));
    }
    return nseen ? merge_keywords(c, keywords, n - nseen, n, have_dict) : 0;
}

static int
call_ex(struct kr_compiler *c, int n, asdl_expr_seq *args,
        asdl_keyword_seq *keywords)
{
    if (n == 0 && asdl_seq_LEN(args) == 1 &&
        asdl_seq_GET(args, 0)->kind == Starred_kind) {
        TRY(kr_cg_expr(c, asdl_seq_GET(args, 0)->v.Starred.value));
    }
    else {
        TRY(kr_cg_build(c, args, n, BUILD_LIST, LIST_APPEND, LIST_EXTEND,
                        true));
    }
    TRY(push_keyword_dict(c, keywords));
    return kr_cg_op_i(c, CALL_FUNCTION_EX, asdl_seq_LEN(keywords) > 0);
}

int
kr_cg_call_helper(struct kr_compiler *c, int n, asdl_expr_seq *args,
                  asdl_keyword_seq *keywords)
{
    Py_ssize_t nargs = asdl_seq_LEN(args), nkw = asdl_seq_LEN(keywords);
    TRY(check_keywords(c, keywords));
    if (nargs + nkw * 2 > KR_STACK_USE_GUIDELINE ||
        has_stars(args, keywords)) {
        return call_ex(c, n, args, keywords);
    }
    TRY(kr_cg_exprs(c, args));
    TRY(push_keywords(c, keywords));
    return kr_cg_call_n(c, (int)(n + nargs + nkw));
}
