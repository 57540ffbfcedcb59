/* Code of statements, except definitions, try, with and match. */
#include "front/compiler/compiler.h"
#include "objects/ids.h"

/* --- Bodies --------------------------------------------------------------- */

int
kr_cg_stmts(struct kr_compiler *c, asdl_stmt_seq *body)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(body); i++) {
        if (kr_cg_stmt(c, asdl_seq_GET(body, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
handlers_have_annotations(asdl_excepthandler_seq *handlers)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(handlers); i++) {
        excepthandler_ty h = asdl_seq_GET(handlers, i);
        if (kr_cg_has_annotations(h->v.ExceptHandler.body)) {
            return 1;
        }
    }
    return 0;
}

static int
stmt_has_annotations(stmt_ty s)
{
    switch (s->kind) {
    case AnnAssign_kind:
        return 1;
    case For_kind:
        return kr_cg_has_annotations(s->v.For.body) ||
               kr_cg_has_annotations(s->v.For.orelse);
    case AsyncFor_kind:
        return kr_cg_has_annotations(s->v.AsyncFor.body) ||
               kr_cg_has_annotations(s->v.AsyncFor.orelse);
    case While_kind:
        return kr_cg_has_annotations(s->v.While.body) ||
               kr_cg_has_annotations(s->v.While.orelse);
    case If_kind:
        return kr_cg_has_annotations(s->v.If.body) ||
               kr_cg_has_annotations(s->v.If.orelse);
    case With_kind:
        return kr_cg_has_annotations(s->v.With.body);
    case AsyncWith_kind:
        return kr_cg_has_annotations(s->v.AsyncWith.body);
    case Try_kind:
        return handlers_have_annotations(s->v.Try.handlers) ||
               kr_cg_has_annotations(s->v.Try.body) ||
               kr_cg_has_annotations(s->v.Try.finalbody) ||
               kr_cg_has_annotations(s->v.Try.orelse);
    case TryStar_kind:
        return handlers_have_annotations(s->v.TryStar.handlers) ||
               kr_cg_has_annotations(s->v.TryStar.body) ||
               kr_cg_has_annotations(s->v.TryStar.finalbody) ||
               kr_cg_has_annotations(s->v.TryStar.orelse);
    default:
        return 0; /* match is left out by the reference, too */
    }
}

bool
kr_cg_has_annotations(asdl_stmt_seq *body)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(body); i++) {
        if (stmt_has_annotations(asdl_seq_GET(body, i))) {
            return true;
        }
    }
    return false;
}

int
kr_cg_body(struct kr_compiler *c, asdl_stmt_seq *body)
{
    Py_ssize_t n = asdl_seq_LEN(body), i = 0;
    if (c->u->kind == KR_UNIT_MODULE && n > 0) {
        kr_cg_at_stmt(c, asdl_seq_GET(body, 0));
    }
    if (kr_cg_has_annotations(body) && kr_cg_op(c, SETUP_ANNOTATIONS) < 0) {
        return -1;
    }
    if (n == 0) {
        return 0;
    }
    if (c->optimize < 2 && kr_ast_get_docstring(body) != NULL) {
        if (kr_cg_expr(c, asdl_seq_GET(body, 0)->v.Expr.value) < 0) {
            return -1;
        }
        c->u->loc = KR_NO_LOC;
        if (kr_cg_name(c, KR_ID(__doc__), Store) < 0) {
            return -1;
        }
        i = 1;
    }
    for (; i < n; i++) {
        if (kr_cg_stmt(c, asdl_seq_GET(body, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

/* --- Branches and loops --------------------------------------------------- */

static int
visit_if(struct kr_compiler *c, stmt_ty s)
{
    struct kr_block *end = kr_cg_new_block(c);
    struct kr_block *next =
        asdl_seq_LEN(s->v.If.orelse) ? kr_cg_new_block(c) : end;
    if (end == NULL || next == NULL ||
        kr_cg_jump_if(c, s->v.If.test, next, 0) < 0 ||
        kr_cg_stmts(c, s->v.If.body) < 0) {
        return -1;
    }
    if (asdl_seq_LEN(s->v.If.orelse)) {
        if (kr_cg_jump_noline(c, JUMP, end) < 0) {
            return -1;
        }
        kr_cg_use_block(c, next);
        if (kr_cg_stmts(c, s->v.If.orelse) < 0) {
            return -1;
        }
    }
    kr_cg_use_block(c, end);
    return 0;
}

static int
visit_for(struct kr_compiler *c, stmt_ty s)
{
    struct kr_block *start = kr_cg_new_block(c), *body = kr_cg_new_block(c);
    struct kr_block *cleanup = kr_cg_new_block(c), *end = kr_cg_new_block(c);
    if (start == NULL || body == NULL || cleanup == NULL || end == NULL ||
        kr_cg_push_fblock(c, KR_FB_FOR_LOOP, start, end, NULL) < 0 ||
        kr_cg_expr(c, s->v.For.iter) < 0 || kr_cg_op(c, GET_ITER) < 0) {
        return -1;
    }
    kr_cg_use_block(c, start);
    if (kr_cg_jump(c, FOR_ITER, cleanup) < 0) {
        return -1;
    }
    kr_cg_use_block(c, body);
    if (kr_cg_expr(c, s->v.For.target) < 0 ||
        kr_cg_stmts(c, s->v.For.body) < 0) {
        return -1;
    }
    c->u->loc = KR_NO_LOC; /* the jump back belongs to no line */
    if (kr_cg_jump(c, JUMP, start) < 0) {
        return -1;
    }
    kr_cg_use_block(c, cleanup);
    kr_cg_pop_fblock(c, KR_FB_FOR_LOOP, start);
    if (kr_cg_stmts(c, s->v.For.orelse) < 0) {
        return -1;
    }
    kr_cg_use_block(c, end);
    return 0;
}

/* Whether the module itself may await (PyCF_ALLOW_TOP_LEVEL_AWAIT). */
static int
is_top_level_await(struct kr_compiler *c)
{
    return (c->cf_flags & PyCF_ALLOW_TOP_LEVEL_AWAIT) &&
           c->u->ste->ste_type == KR_MODULE_BLOCK;
}

static int
visit_async_for(struct kr_compiler *c, stmt_ty s)
{
    if (is_top_level_await(c)) {
        c->u->ste->ste_coroutine = 1;
    }
    else if (c->u->kind != KR_UNIT_ASYNC_FUNCTION) {
        return kr_cg_error(c, "'async for' outside async function");
    }
    struct kr_block *start = kr_cg_new_block(c), *except = kr_cg_new_block(c);
    struct kr_block *end = kr_cg_new_block(c);
    if (start == NULL || except == NULL || end == NULL ||
        kr_cg_expr(c, s->v.AsyncFor.iter) < 0 || kr_cg_op(c, GET_AITER) < 0) {
        return -1;
    }
    kr_cg_use_block(c, start);
    if (kr_cg_push_fblock(c, KR_FB_FOR_LOOP, start, end, NULL) < 0 ||
        kr_cg_jump(c, SETUP_FINALLY, except) < 0 ||
        kr_cg_op(c, GET_ANEXT) < 0 || kr_cg_const(c, Py_None) < 0 ||
        kr_cg_yield_from(c, 1) < 0 || kr_cg_op(c, POP_BLOCK) < 0 ||
        kr_cg_expr(c, s->v.AsyncFor.target) < 0 ||
        kr_cg_stmts(c, s->v.AsyncFor.body) < 0) {
        return -1;
    }
    c->u->loc = KR_NO_LOC;
    if (kr_cg_jump(c, JUMP, start) < 0) {
        return -1;
    }
    kr_cg_pop_fblock(c, KR_FB_FOR_LOOP, start);
    kr_cg_use_block(c, except);
    kr_cg_at_expr(c, s->v.AsyncFor.iter);
    if (kr_cg_op(c, END_ASYNC_FOR) < 0 ||
        kr_cg_stmts(c, s->v.AsyncFor.orelse) < 0) {
        return -1;
    }
    kr_cg_use_block(c, end);
    return 0;
}

static int
visit_while(struct kr_compiler *c, stmt_ty s)
{
    struct kr_block *loop = kr_cg_new_block(c), *body = kr_cg_new_block(c);
    struct kr_block *anchor = kr_cg_new_block(c), *end = kr_cg_new_block(c);
    if (loop == NULL || body == NULL || anchor == NULL || end == NULL) {
        return -1;
    }
    kr_cg_use_block(c, loop);
    if (kr_cg_push_fblock(c, KR_FB_WHILE_LOOP, loop, end, NULL) < 0 ||
        kr_cg_jump_if(c, s->v.While.test, anchor, 0) < 0) {
        return -1;
    }
    kr_cg_use_block(c, body);
    if (kr_cg_stmts(c, s->v.While.body) < 0) {
        return -1;
    }
    kr_cg_at_stmt(c, s);
    if (kr_cg_jump_if(c, s->v.While.test, body, 1) < 0) {
        return -1;
    }
    kr_cg_pop_fblock(c, KR_FB_WHILE_LOOP, loop);
    kr_cg_use_block(c, anchor);
    if (kr_cg_stmts(c, s->v.While.orelse) < 0) {
        return -1;
    }
    kr_cg_use_block(c, end);
    return 0;
}

/* --- Leaving -------------------------------------------------------------- */

static int
visit_return(struct kr_compiler *c, stmt_ty s)
{
    expr_ty value = s->v.Return.value;
    int preserve_tos = value != NULL && value->kind != Constant_kind;
    if (c->u->ste->ste_type != KR_FUNCTION_BLOCK) {
        return kr_cg_error(c, "'return' outside function");
    }
    if (value != NULL && c->u->ste->ste_coroutine &&
        c->u->ste->ste_generator) {
        return kr_cg_error(c, "'return' with value in async generator");
    }
    if (preserve_tos) {
        if (kr_cg_expr(c, value) < 0) {
            return -1;
        }
    }
    else if (value != NULL) {
        kr_cg_at_expr(c, value);
        if (kr_cg_op(c, NOP) < 0) {
            return -1;
        }
    }
    if (value == NULL || value->lineno != s->lineno) {
        kr_cg_at_stmt(c, s);
        if (kr_cg_op(c, NOP) < 0) {
            return -1;
        }
    }
    if (kr_cg_unwind_fblocks(c, preserve_tos, NULL) < 0) {
        return -1;
    }
    if (value == NULL) {
        if (kr_cg_const(c, Py_None) < 0) {
            return -1;
        }
    }
    else if (!preserve_tos && kr_cg_const(c, value->v.Constant.value) < 0) {
        return -1;
    }
    return kr_cg_op(c, RETURN_VALUE);
}

static int
visit_break(struct kr_compiler *c)
{
    struct kr_fblock *loop = NULL;
    struct kr_loc loc = c->u->loc;
    if (kr_cg_op(c, NOP) < 0 || kr_cg_unwind_fblocks(c, 0, &loop) < 0) {
        return -1;
    }
    if (loop == NULL) {
        c->u->loc = loc;
        return kr_cg_error(c, "'break' outside loop");
    }
    if (kr_cg_unwind_fblock(c, loop, 0) < 0) {
        return -1;
    }
    return kr_cg_jump(c, JUMP, loop->exit);
}

static int
visit_continue(struct kr_compiler *c)
{
    struct kr_fblock *loop = NULL;
    struct kr_loc loc = c->u->loc;
    if (kr_cg_op(c, NOP) < 0 || kr_cg_unwind_fblocks(c, 0, &loop) < 0) {
        return -1;
    }
    if (loop == NULL) {
        c->u->loc = loc;
        return kr_cg_error(c, "'continue' not properly in loop");
    }
    return kr_cg_jump(c, JUMP, loop->block);
}

static int
visit_raise(struct kr_compiler *c, stmt_ty s)
{
    int n = 0;
    if (s->v.Raise.exc != NULL) {
        if (kr_cg_expr(c, s->v.Raise.exc) < 0) {
            return -1;
        }
        n++;
        if (s->v.Raise.cause != NULL) {
            if (kr_cg_expr(c, s->v.Raise.cause) < 0) {
                return -1;
            }
            n++;
        }
    }
    return kr_cg_op_i(c, RAISE_VARARGS, n);
}

static int
visit_assert(struct kr_compiler *c, stmt_ty s)
{
    expr_ty test = s->v.Assert.test;
    if (kr_cg_warn_if_tuple_assert(c, test) < 0) {
        return -1;
    }
    if (c->optimize) {
        return 0;
    }
    struct kr_block *end = kr_cg_new_block(c);
    if (end == NULL || kr_cg_jump_if(c, test, end, 1) < 0 ||
        kr_cg_op(c, LOAD_ASSERTION_ERROR) < 0) {
        return -1;
    }
    if (s->v.Assert.msg != NULL &&
        (kr_cg_expr(c, s->v.Assert.msg) < 0 || kr_cg_call_n(c, 0) < 0)) {
        return -1;
    }
    if (kr_cg_op_i(c, RAISE_VARARGS, 1) < 0) {
        return -1;
    }
    kr_cg_use_block(c, end);
    return 0;
}

/* --- Import --------------------------------------------------------------- */

/* import a.b.c as x: c is fetched from b from a. */
static int
import_as(struct kr_compiler *c, PyObject *name, PyObject *asname)
{
    Py_ssize_t len = PyUnicode_GET_LENGTH(name);
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, len, 1);
    if (dot == -2) {
        return -1;
    }
    if (dot < 0) {
        return kr_cg_name(c, asname, Store);
    }
    for (;;) {
        Py_ssize_t pos = dot + 1;
        dot = PyUnicode_FindChar(name, '.', pos, len, 1);
        if (dot == -2) {
            return -1;
        }
        PyObject *attr = kr_cg_own_name(
            c, PyUnicode_Substring(name, pos, dot != -1 ? dot : len));
        if (attr == NULL || kr_cg_op_name(c, IMPORT_FROM, attr) < 0) {
            return -1;
        }
        if (dot == -1) {
            break;
        }
        if (kr_cg_op_i(c, SWAP, 2) < 0 || kr_cg_op(c, POP_TOP) < 0) {
            return -1;
        }
    }
    if (kr_cg_name(c, asname, Store) < 0) {
        return -1;
    }
    return kr_cg_op(c, POP_TOP);
}

/* import a.b.c: binds a. */
static int
store_top_package(struct kr_compiler *c, PyObject *name)
{
    Py_ssize_t dot =
        PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), 1);
    if (dot == -1) {
        return kr_cg_name(c, name, Store);
    }
    PyObject *top = kr_cg_own_name(c, PyUnicode_Substring(name, 0, dot));
    return top == NULL ? -1 : kr_cg_name(c, top, Store);
}

static int
visit_import(struct kr_compiler *c, stmt_ty s)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(s->v.Import.names); i++) {
        alias_ty alias = asdl_seq_GET(s->v.Import.names, i);
        if (kr_cg_const_new(c, PyLong_FromLong(0)) < 0 ||
            kr_cg_const(c, Py_None) < 0 ||
            kr_cg_attr(c, IMPORT_NAME, alias->name) < 0) {
            return -1;
        }
        int res = alias->asname != NULL
                      ? import_as(c, alias->name, alias->asname)
                      : store_top_package(c, alias->name);
        if (res < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
imported_names(asdl_alias_seq *names)
{
    Py_ssize_t n = asdl_seq_LEN(names);
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple != NULL && i < n; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(asdl_seq_GET(names, i)->name));
    }
    return tuple;
}

static int
visit_import_from(struct kr_compiler *c, stmt_ty s)
{
    asdl_alias_seq *names = s->v.ImportFrom.names;
    PyObject *module = s->v.ImportFrom.module;
    if (kr_cg_const_new(c, PyLong_FromLong(s->v.ImportFrom.level)) < 0) {
        return -1;
    }
    if (module != NULL && s->lineno > c->future_lineno &&
        _PyUnicode_EqualToASCIIString(module, "__future__")) {
        return kr_cg_error(c, "from __future__ imports must occur at the "
                              "beginning of the file");
    }
    if (kr_cg_const_new(c, imported_names(names)) < 0) {
        return -1;
    }
    if (module == NULL) {
        module = kr_cg_own_name(c, PyUnicode_FromStringAndSize(NULL, 0));
    }
    if (module == NULL || kr_cg_attr(c, IMPORT_NAME, module) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(names); i++) {
        alias_ty alias = asdl_seq_GET(names, i);
        if (i == 0 && PyUnicode_READ_CHAR(alias->name, 0) == '*') {
            return kr_cg_op(c, IMPORT_STAR);
        }
        PyObject *store = alias->asname ? alias->asname : alias->name;
        if (kr_cg_attr(c, IMPORT_FROM, alias->name) < 0 ||
            kr_cg_name(c, store, Store) < 0) {
            return -1;
        }
    }
    return kr_cg_op(c, POP_TOP);
}

/* --- Simple statements ---------------------------------------------------- */

static int
visit_assign(struct kr_compiler *c, stmt_ty s)
{
    Py_ssize_t n = asdl_seq_LEN(s->v.Assign.targets);
    if (kr_cg_expr(c, s->v.Assign.value) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if ((i + 1 < n && kr_cg_op_i(c, COPY, 1) < 0) ||
            kr_cg_expr(c, asdl_seq_GET(s->v.Assign.targets, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
visit_expr_stmt(struct kr_compiler *c, expr_ty value)
{
    if (c->interactive && c->nestlevel <= 1) {
        return kr_cg_expr(c, value) < 0 ? -1 : kr_cg_op(c, PRINT_EXPR);
    }
    if (value->kind == Constant_kind) {
        return kr_cg_op(c, NOP); /* keeps the line */
    }
    if (kr_cg_expr(c, value) < 0) {
        return -1;
    }
    c->u->loc = KR_NO_LOC;
    return kr_cg_op(c, POP_TOP);
}

int
kr_cg_stmt(struct kr_compiler *c, stmt_ty s)
{
    kr_cg_at_stmt(c, s);
    if (kr_cg_room(c) < 0) {
        return -1;
    }
    switch (s->kind) {
    case FunctionDef_kind: return kr_cg_function(c, s, 0);
    case AsyncFunctionDef_kind: return kr_cg_function(c, s, 1);
    case ClassDef_kind: return kr_cg_class(c, s);
    case Return_kind: return visit_return(c, s);
    case Delete_kind: return kr_cg_exprs(c, s->v.Delete.targets);
    case Assign_kind: return visit_assign(c, s);
    case AugAssign_kind: return kr_cg_augassign(c, s);
    case AnnAssign_kind: return kr_cg_annassign(c, s);
    case For_kind: return visit_for(c, s);
    case AsyncFor_kind: return visit_async_for(c, s);
    case While_kind: return visit_while(c, s);
    case If_kind: return visit_if(c, s);
    case Match_kind: return kr_cg_match(c, s);
    case Raise_kind: return visit_raise(c, s);
    case Try_kind: return kr_cg_try(c, s);
    case TryStar_kind: return kr_cg_try_star(c, s);
    case Assert_kind: return visit_assert(c, s);
    case Import_kind: return visit_import(c, s);
    case ImportFrom_kind: return visit_import_from(c, s);
    case Global_kind: return 0;
    case Nonlocal_kind: return 0;
    case Expr_kind: return visit_expr_stmt(c, s->v.Expr.value);
    case Pass_kind: return kr_cg_op(c, NOP);
    case Break_kind: return visit_break(c);
    case Continue_kind: return visit_continue(c);
    case With_kind: return kr_cg_with(c, s, 0);
    case AsyncWith_kind: return kr_cg_async_with(c, s, 0);
    }
    return 0;
}
