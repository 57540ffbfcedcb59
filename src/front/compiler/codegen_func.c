/* Functions, lambdas and classes: code objects and how they become values. */
#include "front/compiler/codegen_expr.h"
#include "objects/ids.h"

enum {
    HAS_DEFAULTS = 1, /* flags of MAKE_FUNCTION */
    HAS_KWDEFAULTS = 2,
    HAS_ANNOTATIONS = 4,
    HAS_CLOSURE = 8,
};

/* --- closures ------------------------------------------------------------- */

/* A name can be both free and local in a class, where a method uses it too;
 * the closure then takes the free one. */
static Py_ssize_t
closure_index(struct kr_compiler *c, PyObject *name)
{
    struct kr_scope *u = c->u;
    int scope = kr_ste_scope(u->ste, name);
    if (u->kind == KR_UNIT_CLASS &&
        _PyUnicode_EqualToASCIIString(name, "__class__")) {
        scope = KR_CELL;
    }
    int index = kr_names_find(scope == KR_CELL ? &u->unit.cellvars
                                               : &u->unit.freevars,
                              name);
    if (index < 0) {
        PyErr_Format(PyExc_SystemError,
                     "compiler_lookup_arg(name=%R) with reftype=%d failed "
                     "in %S",
                     name, scope, u->unit.name);
        return -1;
    }
    return scope == KR_CELL ? index : index + u->unit.cellvars.count;
}

int
kr_cg_make_closure(struct kr_compiler *c, PyCodeObject *code, Py_ssize_t flags)
{
    if (code->co_nfreevars) {
        int i = code->co_nlocalsplus - code->co_nfreevars;
        for (; i < code->co_nlocalsplus; i++) {
            Py_ssize_t index = closure_index(
                c, PyTuple_GET_ITEM(code->co_localsplusnames, i));
            TRY(index);
            TRY(kr_cg_op_i(c, LOAD_CLOSURE, index));
        }
        flags |= HAS_CLOSURE;
        TRY(kr_cg_op_i(c, BUILD_TUPLE, code->co_nfreevars));
    }
    TRY(kr_cg_const(c, (PyObject *)code));
    return kr_cg_op_i(c, MAKE_FUNCTION, flags);
}

/* Ends the scope, whose body had the result `rc`, and makes a function of
 * it. */
static int
finish_function(struct kr_compiler *c, int rc, bool add_none, Py_ssize_t flags)
{
    TRY(rc);
    PyObject *code = kr_cg_assemble(c, add_none);
    if (code == NULL) {
        return -1;
    }
    kr_cg_exit_scope(c);
    rc = kr_cg_make_closure(c, (PyCodeObject *)code, flags);
    Py_DECREF(code);
    return rc;
}

/* --- arguments ------------------------------------------------------------ */

static int
check_args(struct kr_compiler *c, asdl_arg_seq *args)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(args); i++) {
        TRY(kr_cg_forbidden_name(c, asdl_seq_GET(args, i)->arg, Store));
    }
    return 0;
}

static int
check_arguments(struct kr_compiler *c, arguments_ty args)
{
    TRY(check_args(c, args->posonlyargs));
    TRY(check_args(c, args->args));
    if (args->vararg != NULL) {
        TRY(kr_cg_forbidden_name(c, args->vararg->arg, Store));
    }
    TRY(check_args(c, args->kwonlyargs));
    if (args->kwarg != NULL) {
        TRY(kr_cg_forbidden_name(c, args->kwarg->arg, Store));
    }
    return 0;
}

/* Evaluates the defaults of keyword-only arguments, whose names go into
 * `keys`. */
static int
push_kwdefaults(struct kr_compiler *c, arguments_ty args, PyObject *keys)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(args->kwonlyargs); i++) {
        expr_ty value = asdl_seq_GET(args->kw_defaults, i);
        if (value == NULL) {
            continue;
        }
        PyObject *name = kr_mangle(c->u->private,
                                   asdl_seq_GET(args->kwonlyargs, i)->arg);
        if (name == NULL) {
            return -1;
        }
        int rc = PyList_Append(keys, name);
        Py_DECREF(name);
        TRY(rc);
        TRY(kr_cg_expr(c, value));
    }
    return 0;
}

/* Returns HAS_KWDEFAULTS, 0 if there are none, or -1. */
static int
visit_kwdefaults(struct kr_compiler *c, arguments_ty args)
{
    PyObject *keys = PyList_New(0);
    if (keys == NULL || push_kwdefaults(c, args, keys) < 0) {
        Py_XDECREF(keys);
        return -1;
    }
    Py_ssize_t n = PyList_GET_SIZE(keys);
    if (n == 0) {
        Py_DECREF(keys);
        return 0;
    }
    PyObject *names = PyList_AsTuple(keys);
    Py_DECREF(keys);
    TRY(kr_cg_const_new(c, names));
    TRY(kr_cg_op_i(c, BUILD_CONST_KEY_MAP, n));
    return HAS_KWDEFAULTS;
}

/* Pushes the defaults there are; the flags that tell which, or -1. */
static int
visit_defaults(struct kr_compiler *c, arguments_ty args)
{
    int flags = 0;
    Py_ssize_t n = asdl_seq_LEN(args->defaults);
    if (n > 0) {
        TRY(kr_cg_exprs(c, args->defaults));
        TRY(kr_cg_op_i(c, BUILD_TUPLE, n));
        flags |= HAS_DEFAULTS;
    }
    if (asdl_seq_LEN(args->kwonlyargs) > 0) {
        int kwflags = visit_kwdefaults(c, args);
        TRY(kwflags);
        flags |= kwflags;
    }
    return flags;
}

static int
visit_annotation(struct kr_compiler *c, PyObject *name, expr_ty annotation,
                 Py_ssize_t *n)
{
    if (annotation == NULL) {
        return 0;
    }
    *n += 2;
    TRY(kr_cg_const_new(c, kr_mangle(c->u->private, name)));
    if (c->future_flags & CO_FUTURE_ANNOTATIONS) {
        return kr_cg_annotation_expr(c, annotation);
    }
    if (annotation->kind == Starred_kind) {
        /* *args: *Ts is worth what [x] = [*Ts] gives x. */
        TRY(kr_cg_expr(c, annotation->v.Starred.value));
        return kr_cg_op_i(c, UNPACK_SEQUENCE, 1);
    }
    return kr_cg_expr(c, annotation);
}

static int
visit_arg_annotations(struct kr_compiler *c, asdl_arg_seq *args, Py_ssize_t *n)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(args); i++) {
        arg_ty arg = asdl_seq_GET(args, i);
        TRY(visit_annotation(c, arg->arg, arg->annotation, n));
    }
    return 0;
}

/* Pushes the tuple of annotations; HAS_ANNOTATIONS, 0 if there are none,
 * or -1. */
static int
visit_annotations(struct kr_compiler *c, arguments_ty args, expr_ty returns)
{
    Py_ssize_t n = 0;
    TRY(visit_arg_annotations(c, args->args, &n));
    TRY(visit_arg_annotations(c, args->posonlyargs, &n));
    if (args->vararg != NULL) {
        TRY(visit_annotation(c, args->vararg->arg, args->vararg->annotation,
                             &n));
    }
    TRY(visit_arg_annotations(c, args->kwonlyargs, &n));
    if (args->kwarg != NULL) {
        TRY(visit_annotation(c, args->kwarg->arg, args->kwarg->annotation,
                             &n));
    }
    TRY(visit_annotation(c, KR_ID(return), returns, &n));
    if (n == 0) {
        return 0;
    }
    TRY(kr_cg_op_i(c, BUILD_TUPLE, n));
    return HAS_ANNOTATIONS;
}

static void
set_counts(struct kr_compiler *c, arguments_ty args)
{
    c->u->unit.argcount = (int)asdl_seq_LEN(args->args);
    c->u->unit.posonlyargcount = (int)asdl_seq_LEN(args->posonlyargs);
    c->u->unit.kwonlyargcount = (int)asdl_seq_LEN(args->kwonlyargs);
}

/* --- functions ------------------------------------------------------------ */

static int
apply_decorators(struct kr_compiler *c, asdl_expr_seq *decorators)
{
    struct kr_loc old = c->u->loc;
    for (Py_ssize_t i = asdl_seq_LEN(decorators) - 1; i >= 0; i--) {
        kr_cg_at_expr(c, asdl_seq_GET(decorators, i));
        TRY(kr_cg_call_n(c, 0));
    }
    c->u->loc = old;
    return 0;
}

static int
first_line(stmt_ty s, asdl_expr_seq *decorators)
{
    return asdl_seq_LEN(decorators) ? asdl_seq_GET(decorators, 0)->lineno
                                    : s->lineno;
}

/* The first constant is the docstring, or None. */
static int
visit_function_body(struct kr_compiler *c, asdl_stmt_seq *body)
{
    PyObject *doc =
        c->optimize < 2 ? kr_ast_get_docstring(body) : NULL;
    if (kr_cg_const_index(c, doc != NULL ? doc : Py_None) < 0) {
        return -1;
    }
    for (Py_ssize_t i = doc != NULL; i < asdl_seq_LEN(body); i++) {
        TRY(kr_cg_stmt(c, asdl_seq_GET(body, i)));
    }
    return 0;
}

int
kr_cg_function(struct kr_compiler *c, stmt_ty s, int is_async)
{
    /* Both kinds have the same fields in the same places. */
    arguments_ty args = s->v.FunctionDef.args;
    asdl_expr_seq *decorators = s->v.FunctionDef.decorator_list;
    PyObject *name = s->v.FunctionDef.name;
    TRY(check_arguments(c, args));
    TRY(kr_cg_exprs(c, decorators));
    int flags = visit_defaults(c, args);
    TRY(flags);
    int annotations = visit_annotations(c, args, s->v.FunctionDef.returns);
    TRY(annotations);
    flags |= annotations;
    TRY(kr_cg_enter_scope(
        c, name, is_async ? KR_UNIT_ASYNC_FUNCTION : KR_UNIT_FUNCTION, s,
        first_line(s, decorators)));
    set_counts(c, args);
    int rc = visit_function_body(c, s->v.FunctionDef.body);
    TRY(finish_function(c, rc, true, flags));
    TRY(apply_decorators(c, decorators));
    return kr_cg_name(c, name, Store);
}

static int
visit_lambda_body(struct kr_compiler *c, expr_ty body)
{
    /* None comes first, so that a str cannot pass for a docstring. */
    if (kr_cg_const_index(c, Py_None) < 0) {
        return -1;
    }
    TRY(kr_cg_expr(c, body));
    return c->u->ste->ste_generator ? 0 : kr_cg_op(c, RETURN_VALUE);
}

int
kr_cg_lambda(struct kr_compiler *c, expr_ty e)
{
    arguments_ty args = e->v.Lambda.args;
    TRY(check_arguments(c, args));
    int flags = visit_defaults(c, args);
    TRY(flags);
    PyObject *name = PyUnicode_InternFromString("<lambda>");
    if (name == NULL) {
        return -1;
    }
    int rc = kr_cg_enter_scope(c, name, KR_UNIT_LAMBDA, e, e->lineno);
    Py_DECREF(name);
    TRY(rc);
    set_counts(c, args);
    rc = visit_lambda_body(c, e->v.Lambda.body);
    return finish_function(c, rc, !c->u->ste->ste_generator, flags);
}

/* --- classes -------------------------------------------------------------- */

/* Returns the class cell to __build_class__, and leaves it in the namespace
 * for type.__new__; or None. */
static int
return_class_cell(struct kr_compiler *c)
{
    c->u->loc.lineno = -1;
    if (c->u->ste->ste_needs_class_closure) {
        TRY(kr_cg_op_i(c, LOAD_CLOSURE, 0));
        TRY(kr_cg_op_i(c, COPY, 1));
        TRY(kr_cg_name(c, KR_ID(__classcell__), Store));
    }
    else {
        TRY(kr_cg_const(c, Py_None));
    }
    return kr_cg_op(c, RETURN_VALUE);
}

static int
visit_class_body(struct kr_compiler *c, stmt_ty s)
{
    Py_XSETREF(c->u->private, Py_NewRef(s->v.ClassDef.name));
    TRY(kr_cg_name(c, KR_ID(__name__), Load));
    TRY(kr_cg_name(c, KR_ID(__module__), Store));
    TRY(kr_cg_const(c, c->u->unit.qualname));
    TRY(kr_cg_name(c, KR_ID(__qualname__), Store));
    TRY(kr_cg_body(c, s->v.ClassDef.body));
    return return_class_cell(c);
}

/* The code object of the body, new. */
static PyObject *
compile_class(struct kr_compiler *c, stmt_ty s)
{
    int lineno = first_line(s, s->v.ClassDef.decorator_list);
    if (kr_cg_enter_scope(c, s->v.ClassDef.name, KR_UNIT_CLASS, s, lineno) <
            0 ||
        visit_class_body(c, s) < 0) {
        return NULL;
    }
    PyObject *code = kr_cg_assemble(c, true);
    kr_cg_exit_scope(c);
    return code;
}

int
kr_cg_class(struct kr_compiler *c, stmt_ty s)
{
    asdl_expr_seq *decorators = s->v.ClassDef.decorator_list;
    TRY(kr_cg_exprs(c, decorators));
    PyObject *code = compile_class(c, s);
    if (code == NULL) {
        return -1;
    }
    int rc = kr_cg_op(c, PUSH_NULL);
    if (rc == 0) {
        rc = kr_cg_op(c, LOAD_BUILD_CLASS);
    }
    if (rc == 0) {
        rc = kr_cg_make_closure(c, (PyCodeObject *)code, 0);
    }
    Py_DECREF(code);
    TRY(rc);
    TRY(kr_cg_const(c, s->v.ClassDef.name));
    TRY(kr_cg_call_helper(c, 2, s->v.ClassDef.bases, s->v.ClassDef.keywords));
    TRY(apply_decorators(c, decorators));
    return kr_cg_name(c, s->v.ClassDef.name, Store);
}
