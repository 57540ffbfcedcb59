/* Code of try and with, and of leaving the blocks that return, break and
 * continue jump out of. */
#include "front/compiler/compiler.h"
#include "objects/ids.h"

/* --- Leaving blocks ------------------------------------------------------- */

/* Calls __exit__(None, None, None); the exit method is on the stack. */
static int
call_exit_with_nones(struct kr_compiler *c)
{
    for (int i = 0; i < 3; i++) {
        if (kr_cg_const(c, Py_None) < 0) {
            return -1;
        }
    }
    return kr_cg_call_n(c, 2);
}

static int
await_result(struct kr_compiler *c, int where)
{
    if (kr_cg_op_i(c, GET_AWAITABLE, where) < 0 ||
        kr_cg_const(c, Py_None) < 0) {
        return -1;
    }
    return kr_cg_yield_from(c, 1);
}

/* name = None; del name */
static int
clear_name(struct kr_compiler *c, PyObject *name)
{
    if (kr_cg_const(c, Py_None) < 0 || kr_cg_name(c, name, Store) < 0) {
        return -1;
    }
    return kr_cg_name(c, name, Del);
}

static int
swap_if(struct kr_compiler *c, int condition)
{
    return condition ? kr_cg_op_i(c, SWAP, 2) : 0;
}

static int
unwind_finally(struct kr_compiler *c, struct kr_fblock *info, int preserve_tos)
{
    /* this POP_BLOCK has the line of the statement that leaves */
    if (kr_cg_op(c, POP_BLOCK) < 0) {
        return -1;
    }
    if (preserve_tos &&
        kr_cg_push_fblock(c, KR_FB_POP_VALUE, NULL, NULL, NULL) < 0) {
        return -1;
    }
    if (kr_cg_stmts(c, info->datum) < 0) {
        return -1;
    }
    if (preserve_tos) {
        kr_cg_pop_fblock(c, KR_FB_POP_VALUE, NULL);
    }
    /* what follows happens after the finally block, on no line */
    c->u->loc = KR_NO_LOC;
    return 0;
}

static int
unwind_with(struct kr_compiler *c, struct kr_fblock *info, int preserve_tos)
{
    kr_cg_at_stmt(c, info->datum);
    if (kr_cg_op(c, POP_BLOCK) < 0 || swap_if(c, preserve_tos) < 0 ||
        call_exit_with_nones(c) < 0) {
        return -1;
    }
    if (info->kind == KR_FB_ASYNC_WITH && await_result(c, 2) < 0) {
        return -1;
    }
    if (kr_cg_op(c, POP_TOP) < 0) {
        return -1;
    }
    c->u->loc = KR_NO_LOC;
    return 0;
}

static int
unwind_handler(struct kr_compiler *c, struct kr_fblock *info, int preserve_tos)
{
    if ((info->datum != NULL && kr_cg_op(c, POP_BLOCK) < 0) ||
        swap_if(c, preserve_tos) < 0 || kr_cg_op(c, POP_BLOCK) < 0 ||
        kr_cg_op(c, POP_EXCEPT) < 0) {
        return -1;
    }
    return info->datum != NULL ? clear_name(c, info->datum) : 0;
}

int
kr_cg_unwind_fblock(struct kr_compiler *c, struct kr_fblock *info,
                    int preserve_tos)
{
    switch (info->kind) {
    case KR_FB_WHILE_LOOP:
    case KR_FB_EXCEPTION_HANDLER:
    case KR_FB_EXCEPTION_GROUP_HANDLER:
    case KR_FB_ASYNC_COMPREHENSION_GENERATOR:
        return 0;
    case KR_FB_FOR_LOOP: /* the iterator */
    case KR_FB_POP_VALUE:
        return swap_if(c, preserve_tos) < 0 ? -1 : kr_cg_op(c, POP_TOP);
    case KR_FB_TRY_EXCEPT:
        return kr_cg_op(c, POP_BLOCK);
    case KR_FB_FINALLY_TRY:
        return unwind_finally(c, info, preserve_tos);
    case KR_FB_FINALLY_END:
        if (swap_if(c, preserve_tos) < 0 || kr_cg_op(c, POP_TOP) < 0 ||
            swap_if(c, preserve_tos) < 0 || kr_cg_op(c, POP_BLOCK) < 0) {
            return -1;
        }
        return kr_cg_op(c, POP_EXCEPT);
    case KR_FB_WITH:
    case KR_FB_ASYNC_WITH:
        return unwind_with(c, info, preserve_tos);
    case KR_FB_HANDLER_CLEANUP:
        return unwind_handler(c, info, preserve_tos);
    }
    return 0;
}

int
kr_cg_unwind_fblocks(struct kr_compiler *c, int preserve_tos,
                     struct kr_fblock **loop)
{
    struct kr_scope *u = c->u;
    if (u->nfblocks == 0) {
        return 0;
    }
    struct kr_fblock *top = &u->fblocks[u->nfblocks - 1];
    if (top->kind == KR_FB_EXCEPTION_GROUP_HANDLER) {
        return kr_cg_error(c, "'break', 'continue' and 'return' cannot appear "
                              "in an except* block");
    }
    if (loop != NULL && (top->kind == KR_FB_WHILE_LOOP ||
                         top->kind == KR_FB_FOR_LOOP)) {
        *loop = top;
        return 0;
    }
    /* while its own leaving code is made, the block does not count */
    struct kr_fblock copy = *top;
    u->nfblocks--;
    if (kr_cg_unwind_fblock(c, &copy, preserve_tos) < 0 ||
        kr_cg_unwind_fblocks(c, preserve_tos, loop) < 0) {
        return -1;
    }
    u->fblocks[u->nfblocks++] = copy;
    return 0;
}

/* [exc_info, lasti, exc]: restores the outer exception, raises again. */
static int
pop_except_and_reraise(struct kr_compiler *c)
{
    if (kr_cg_op_i(c, COPY, 3) < 0 || kr_cg_op(c, POP_EXCEPT) < 0) {
        return -1;
    }
    return kr_cg_op_i(c, RERAISE, 1);
}

/* --- try ------------------------------------------------------------------ */

/* What try and try/except* have in common. */
struct try_parts {
    asdl_stmt_seq *body, *orelse, *finalbody;
    asdl_excepthandler_seq *handlers;
    int star;
};

/* Start of an exceptional path at `block`, on no line. */
static int
begin_handler(struct kr_compiler *c, struct kr_block *block,
              struct kr_block *cleanup)
{
    kr_cg_use_block(c, block);
    c->u->loc = KR_NO_LOC;
    if (kr_cg_jump(c, SETUP_CLEANUP, cleanup) < 0) {
        return -1;
    }
    return kr_cg_op(c, PUSH_EXC_INFO);
}

/* Body of a try statement, protected by `except`. */
static int
protected_body(struct kr_compiler *c, struct try_parts *t,
               struct kr_block *body, struct kr_block *except)
{
    if (kr_cg_jump(c, SETUP_FINALLY, except) < 0) {
        return -1;
    }
    kr_cg_use_block(c, body);
    if (kr_cg_push_fblock(c, KR_FB_TRY_EXCEPT, body, NULL, NULL) < 0 ||
        kr_cg_stmts(c, t->body) < 0) {
        return -1;
    }
    kr_cg_pop_fblock(c, KR_FB_TRY_EXCEPT, body);
    return kr_cg_op_noline(c, POP_BLOCK);
}

/* except ... as name: body in a second try, which clears the name. */
static int
named_handler(struct kr_compiler *c, excepthandler_ty handler,
              struct kr_block *end)
{
    PyObject *name = handler->v.ExceptHandler.name;
    struct kr_block *cleanup_end = kr_cg_new_block(c);
    struct kr_block *cleanup_body = kr_cg_new_block(c);
    if (cleanup_end == NULL || cleanup_body == NULL ||
        kr_cg_name(c, name, Store) < 0 ||
        kr_cg_jump(c, SETUP_CLEANUP, cleanup_end) < 0) {
        return -1;
    }
    kr_cg_use_block(c, cleanup_body);
    if (kr_cg_push_fblock(c, KR_FB_HANDLER_CLEANUP, cleanup_body, NULL, name) <
            0 ||
        kr_cg_stmts(c, handler->v.ExceptHandler.body) < 0) {
        return -1;
    }
    kr_cg_pop_fblock(c, KR_FB_HANDLER_CLEANUP, cleanup_body);
    c->u->loc = KR_NO_LOC;
    if (kr_cg_op(c, POP_BLOCK) < 0 || kr_cg_op(c, POP_BLOCK) < 0 ||
        kr_cg_op(c, POP_EXCEPT) < 0 || clear_name(c, name) < 0 ||
        kr_cg_jump(c, JUMP, end) < 0) {
        return -1;
    }
    kr_cg_use_block(c, cleanup_end);
    c->u->loc = KR_NO_LOC;
    if (clear_name(c, name) < 0) {
        return -1;
    }
    return kr_cg_op_i(c, RERAISE, 1);
}

static int
nameless_handler(struct kr_compiler *c, excepthandler_ty handler,
                 struct kr_block *end)
{
    struct kr_block *cleanup_body = kr_cg_new_block(c);
    if (cleanup_body == NULL || kr_cg_op(c, POP_TOP) < 0) {
        return -1;
    }
    kr_cg_use_block(c, cleanup_body);
    if (kr_cg_push_fblock(c, KR_FB_HANDLER_CLEANUP, cleanup_body, NULL, NULL) <
            0 ||
        kr_cg_stmts(c, handler->v.ExceptHandler.body) < 0) {
        return -1;
    }
    kr_cg_pop_fblock(c, KR_FB_HANDLER_CLEANUP, cleanup_body);
    c->u->loc = KR_NO_LOC;
    if (kr_cg_op(c, POP_BLOCK) < 0 || kr_cg_op(c, POP_EXCEPT) < 0) {
        return -1;
    }
    return kr_cg_jump(c, JUMP, end);
}

static void
at_handler(struct kr_compiler *c, excepthandler_ty h)
{
    c->u->loc = (struct kr_loc){h->lineno, h->end_lineno, h->col_offset,
                                h->end_col_offset};
}

static int
visit_handlers(struct kr_compiler *c, asdl_excepthandler_seq *handlers,
               struct kr_block *end)
{
    Py_ssize_t n = asdl_seq_LEN(handlers);
    for (Py_ssize_t i = 0; i < n; i++) {
        excepthandler_ty handler = asdl_seq_GET(handlers, i);
        at_handler(c, handler);
        expr_ty type = handler->v.ExceptHandler.type;
        if (type == NULL && i < n - 1) {
            return kr_cg_error(c, "default 'except:' must be last");
        }
        struct kr_block *next = kr_cg_new_block(c);
        if (next == NULL) {
            return -1;
        }
        if (type != NULL && (kr_cg_expr(c, type) < 0 ||
                             kr_cg_op(c, CHECK_EXC_MATCH) < 0 ||
                             kr_cg_jump(c, POP_JUMP_IF_FALSE, next) < 0)) {
            return -1;
        }
        int res = handler->v.ExceptHandler.name != NULL
                      ? named_handler(c, handler, end)
                      : nameless_handler(c, handler, end);
        if (res < 0) {
            return -1;
        }
        kr_cg_use_block(c, next);
    }
    return 0;
}

static int
visit_try_except(struct kr_compiler *c, struct try_parts *t)
{
    struct kr_block *body = kr_cg_new_block(c), *except = kr_cg_new_block(c);
    struct kr_block *end = kr_cg_new_block(c), *cleanup = kr_cg_new_block(c);
    if (body == NULL || except == NULL || end == NULL || cleanup == NULL ||
        protected_body(c, t, body, except) < 0 || kr_cg_stmts(c, t->orelse) < 0 ||
        kr_cg_jump_noline(c, JUMP, end) < 0 ||
        begin_handler(c, except, cleanup) < 0 ||
        kr_cg_push_fblock(c, KR_FB_EXCEPTION_HANDLER, NULL, NULL, NULL) < 0 ||
        visit_handlers(c, t->handlers, end) < 0) {
        return -1;
    }
    c->u->loc = KR_NO_LOC;
    kr_cg_pop_fblock(c, KR_FB_EXCEPTION_HANDLER, NULL);
    if (kr_cg_op_i(c, RERAISE, 0) < 0) {
        return -1;
    }
    kr_cg_use_block(c, cleanup);
    if (pop_except_and_reraise(c) < 0) {
        return -1;
    }
    kr_cg_use_block(c, end);
    return 0;
}

/* --- except* -------------------------------------------------------------- */

/* Stack: [orig, list of raised, rest]. The body of one clause; afterwards the
 * same with what is left of the group. */
static int
star_handler(struct kr_compiler *c, excepthandler_ty handler,
             struct kr_block *next)
{
    PyObject *name = handler->v.ExceptHandler.name;
    struct kr_block *match = kr_cg_new_block(c);
    struct kr_block *cleanup_end = kr_cg_new_block(c);
    struct kr_block *cleanup_body = kr_cg_new_block(c);
    if (match == NULL || cleanup_end == NULL || cleanup_body == NULL) {
        return -1;
    }
    if (handler->v.ExceptHandler.type != NULL &&
        (kr_cg_expr(c, handler->v.ExceptHandler.type) < 0 ||
         kr_cg_op(c, CHECK_EG_MATCH) < 0 || kr_cg_op_i(c, COPY, 1) < 0 ||
         kr_cg_jump(c, POP_JUMP_IF_NOT_NONE, match) < 0 ||
         kr_cg_op(c, POP_TOP) < 0 || kr_cg_jump(c, JUMP, next) < 0)) {
        return -1;
    }
    kr_cg_use_block(c, match);
    if ((name != NULL ? kr_cg_name(c, name, Store) : kr_cg_op(c, POP_TOP)) <
            0 ||
        kr_cg_jump(c, SETUP_CLEANUP, cleanup_end) < 0) {
        return -1;
    }
    kr_cg_use_block(c, cleanup_body);
    if (kr_cg_push_fblock(c, KR_FB_HANDLER_CLEANUP, cleanup_body, NULL, name) <
            0 ||
        kr_cg_stmts(c, handler->v.ExceptHandler.body) < 0) {
        return -1;
    }
    kr_cg_pop_fblock(c, KR_FB_HANDLER_CLEANUP, cleanup_body);
    c->u->loc = KR_NO_LOC;
    if (kr_cg_op(c, POP_BLOCK) < 0 ||
        (name != NULL && clear_name(c, name) < 0) ||
        kr_cg_jump(c, JUMP, next) < 0) {
        return -1;
    }
    kr_cg_use_block(c, cleanup_end);
    c->u->loc = KR_NO_LOC;
    if ((name != NULL && clear_name(c, name) < 0) ||
        kr_cg_op_i(c, LIST_APPEND, 3) < 0 || kr_cg_op(c, POP_TOP) < 0) {
        return -1;
    }
    return kr_cg_jump(c, JUMP, next);
}

static int
visit_star_handlers(struct kr_compiler *c, asdl_excepthandler_seq *handlers,
                    struct kr_block *reraise_star)
{
    Py_ssize_t n = asdl_seq_LEN(handlers);
    for (Py_ssize_t i = 0; i < n; i++) {
        excepthandler_ty handler = asdl_seq_GET(handlers, i);
        at_handler(c, handler);
        struct kr_block *next = kr_cg_new_block(c);
        if (next == NULL) {
            return -1;
        }
        if (i == 0 &&
            (kr_cg_op_i(c, COPY, 1) < 0 || kr_cg_op_i(c, BUILD_LIST, 0) < 0 ||
             kr_cg_op_i(c, SWAP, 2) < 0)) {
            return -1;
        }
        if (star_handler(c, handler, next) < 0) {
            return -1;
        }
        kr_cg_use_block(c, next);
        if (i == n - 1) {
            /* what nobody caught, or None */
            if (kr_cg_op_i(c, LIST_APPEND, 1) < 0 ||
                kr_cg_jump(c, JUMP, reraise_star) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int
finish_star(struct kr_compiler *c, struct kr_block *reraise_star,
            struct kr_block *end)
{
    struct kr_block *reraise = kr_cg_new_block(c);
    if (reraise == NULL) {
        return -1;
    }
    kr_cg_use_block(c, reraise_star);
    if (kr_cg_op(c, PREP_RERAISE_STAR) < 0 || kr_cg_op_i(c, COPY, 1) < 0 ||
        kr_cg_jump(c, POP_JUMP_IF_NOT_NONE, reraise) < 0 ||
        kr_cg_op(c, POP_TOP) < 0 || kr_cg_op(c, POP_BLOCK) < 0 ||
        kr_cg_op(c, POP_EXCEPT) < 0 || kr_cg_jump(c, JUMP, end) < 0) {
        return -1;
    }
    kr_cg_use_block(c, reraise);
    if (kr_cg_op(c, POP_BLOCK) < 0 || kr_cg_op_i(c, SWAP, 2) < 0 ||
        kr_cg_op(c, POP_EXCEPT) < 0) {
        return -1;
    }
    return kr_cg_op_i(c, RERAISE, 0);
}

static int
visit_try_star_except(struct kr_compiler *c, struct try_parts *t)
{
    struct kr_block *body = kr_cg_new_block(c), *except = kr_cg_new_block(c);
    struct kr_block *orelse = kr_cg_new_block(c), *end = kr_cg_new_block(c);
    struct kr_block *cleanup = kr_cg_new_block(c);
    struct kr_block *reraise_star = kr_cg_new_block(c);
    if (body == NULL || except == NULL || orelse == NULL || end == NULL || cleanup == NULL ||
        reraise_star == NULL || protected_body(c, t, body, except) < 0 ||
        kr_cg_jump_noline(c, JUMP, orelse) < 0 ||
        begin_handler(c, except, cleanup) < 0 ||
        kr_cg_push_fblock(c, KR_FB_EXCEPTION_GROUP_HANDLER, NULL, NULL, NULL) <
            0 ||
        visit_star_handlers(c, t->handlers, reraise_star) < 0) {
        return -1;
    }
    c->u->loc = KR_NO_LOC;
    kr_cg_pop_fblock(c, KR_FB_EXCEPTION_GROUP_HANDLER, NULL);
    if (finish_star(c, reraise_star, end) < 0) {
        return -1;
    }
    kr_cg_use_block(c, cleanup);
    if (pop_except_and_reraise(c) < 0) {
        return -1;
    }
    kr_cg_use_block(c, orelse);
    if (kr_cg_stmts(c, t->orelse) < 0) {
        return -1;
    }
    kr_cg_use_block(c, end);
    return 0;
}

/* --- finally -------------------------------------------------------------- */

static int
visit_inner_try(struct kr_compiler *c, struct try_parts *t)
{
    return t->star ? visit_try_star_except(c, t) : visit_try_except(c, t);
}

static int
visit_try_finally(struct kr_compiler *c, struct try_parts *t)
{
    struct kr_block *body = kr_cg_new_block(c), *end = kr_cg_new_block(c);
    struct kr_block *exit = kr_cg_new_block(c), *cleanup = kr_cg_new_block(c);
    if (body == NULL || end == NULL || exit == NULL || cleanup == NULL ||
        kr_cg_jump(c, SETUP_FINALLY, end) < 0) {
        return -1;
    }
    kr_cg_use_block(c, body);
    if (kr_cg_push_fblock(c, KR_FB_FINALLY_TRY, body, end, t->finalbody) < 0) {
        return -1;
    }
    int res = asdl_seq_LEN(t->handlers) ? visit_inner_try(c, t)
                                        : kr_cg_stmts(c, t->body);
    if (res < 0 || kr_cg_op_noline(c, POP_BLOCK) < 0) {
        return -1;
    }
    kr_cg_pop_fblock(c, KR_FB_FINALLY_TRY, body);
    if (kr_cg_stmts(c, t->finalbody) < 0 ||
        kr_cg_jump_noline(c, JUMP, exit) < 0 ||
        begin_handler(c, end, cleanup) < 0 ||
        kr_cg_push_fblock(c, KR_FB_FINALLY_END, end, NULL, NULL) < 0 ||
        kr_cg_stmts(c, t->finalbody) < 0) {
        return -1;
    }
    kr_cg_pop_fblock(c, KR_FB_FINALLY_END, end);
    if (kr_cg_op_i(c, RERAISE, 0) < 0) {
        return -1;
    }
    kr_cg_use_block(c, cleanup);
    if (pop_except_and_reraise(c) < 0) {
        return -1;
    }
    kr_cg_use_block(c, exit);
    return 0;
}

static int
visit_try(struct kr_compiler *c, struct try_parts *t)
{
    return asdl_seq_LEN(t->finalbody) ? visit_try_finally(c, t)
                                      : visit_inner_try(c, t);
}

int
kr_cg_try(struct kr_compiler *c, stmt_ty s)
{
    struct try_parts t = {s->v.Try.body, s->v.Try.orelse, s->v.Try.finalbody,
                          s->v.Try.handlers, 0};
    return visit_try(c, &t);
}

int
kr_cg_try_star(struct kr_compiler *c, stmt_ty s)
{
    struct try_parts t = {s->v.TryStar.body, s->v.TryStar.orelse,
                          s->v.TryStar.finalbody, s->v.TryStar.handlers, 1};
    return visit_try(c, &t);
}

/* --- with ----------------------------------------------------------------- */

/* The exceptional path after __exit__ was called: its result decides. */
static int
finish_with_except(struct kr_compiler *c, struct kr_block *cleanup)
{
    struct kr_block *suppress = kr_cg_new_block(c);
    c->u->loc = KR_NO_LOC;
    if (suppress == NULL ||
        kr_cg_jump(c, POP_JUMP_IF_TRUE, suppress) < 0 ||
        kr_cg_op_i(c, RERAISE, 2) < 0) {
        return -1;
    }
    kr_cg_use_block(c, cleanup);
    if (pop_except_and_reraise(c) < 0) {
        return -1;
    }
    kr_cg_use_block(c, suppress);
    if (kr_cg_op(c, POP_TOP) < 0 || kr_cg_op(c, POP_BLOCK) < 0 ||
        kr_cg_op(c, POP_EXCEPT) < 0 || kr_cg_op(c, POP_TOP) < 0) {
        return -1;
    }
    return kr_cg_op(c, POP_TOP);
}

/* What with and async with share, from the protected body on. */
static int
visit_with_body(struct kr_compiler *c, stmt_ty s, int pos,
                asdl_withitem_seq *items, asdl_stmt_seq *body, int is_async)
{
    withitem_ty item = asdl_seq_GET(items, pos);
    struct kr_block *block = kr_cg_new_block(c), *final = kr_cg_new_block(c);
    struct kr_block *exit = kr_cg_new_block(c), *cleanup = kr_cg_new_block(c);
    enum kr_fblock_kind kind = is_async ? KR_FB_ASYNC_WITH : KR_FB_WITH;
    if (block == NULL || final == NULL || exit == NULL || cleanup == NULL ||
        kr_cg_jump(c, SETUP_WITH, final) < 0) {
        return -1;
    }
    kr_cg_use_block(c, block);
    if (kr_cg_push_fblock(c, kind, block, final, s) < 0) {
        return -1;
    }
    int res = item->optional_vars != NULL
                  ? kr_cg_expr(c, item->optional_vars)
                  : kr_cg_op(c, POP_TOP);
    if (res == 0) {
        res = pos + 1 == asdl_seq_LEN(items) ? kr_cg_stmts(c, body)
              : is_async ? kr_cg_async_with(c, s, pos + 1)
                         : kr_cg_with(c, s, pos + 1);
    }
    if (res < 0) {
        return -1;
    }
    if (!is_async) {
        c->u->loc = KR_NO_LOC;
    }
    if (kr_cg_op(c, POP_BLOCK) < 0) {
        return -1;
    }
    kr_cg_pop_fblock(c, kind, block);
    kr_cg_at_stmt(c, s);
    if (call_exit_with_nones(c) < 0 ||
        (is_async && await_result(c, 2) < 0) || kr_cg_op(c, POP_TOP) < 0 ||
        kr_cg_jump(c, JUMP, exit) < 0) {
        return -1;
    }
    kr_cg_use_block(c, final);
    if (kr_cg_jump(c, SETUP_CLEANUP, cleanup) < 0 ||
        kr_cg_op(c, PUSH_EXC_INFO) < 0 ||
        kr_cg_op(c, WITH_EXCEPT_START) < 0 ||
        (is_async && await_result(c, 2) < 0) ||
        finish_with_except(c, cleanup) < 0) {
        return -1;
    }
    kr_cg_use_block(c, exit);
    return 0;
}

int
kr_cg_with(struct kr_compiler *c, stmt_ty s, int pos)
{
    withitem_ty item = asdl_seq_GET(s->v.With.items, pos);
    if (kr_cg_expr(c, item->context_expr) < 0 ||
        kr_cg_op(c, BEFORE_WITH) < 0) {
        return -1;
    }
    return visit_with_body(c, s, pos, s->v.With.items, s->v.With.body, 0);
}

int
kr_cg_async_with(struct kr_compiler *c, stmt_ty s, int pos)
{
    withitem_ty item = asdl_seq_GET(s->v.AsyncWith.items, pos);
    if ((c->cf_flags & PyCF_ALLOW_TOP_LEVEL_AWAIT) &&
        c->u->ste->ste_type == KR_MODULE_BLOCK) {
        c->u->ste->ste_coroutine = 1;
    }
    else if (c->u->kind != KR_UNIT_ASYNC_FUNCTION) {
        return kr_cg_error(c, "'async with' outside async function");
    }
    if (kr_cg_expr(c, item->context_expr) < 0 ||
        kr_cg_op(c, BEFORE_ASYNC_WITH) < 0 || await_result(c, 1) < 0) {
        return -1;
    }
    return visit_with_body(c, s, pos, s->v.AsyncWith.items,
                           s->v.AsyncWith.body, 1);
}
