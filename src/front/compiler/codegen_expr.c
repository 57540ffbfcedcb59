/* Expressions: the dispatcher, and the kinds that are too small for a file of
 * their own. */
#include "front/ast/unparse.h"
#include "front/compiler/codegen_expr.h"
#include "objects/ids.h"

static int
binary_op(operator_ty op)
{
    static const uint8_t ops[] = {
        [Add] = NB_ADD,           [Sub] = NB_SUBTRACT,
        [Mult] = NB_MULTIPLY,     [MatMult] = NB_MATRIX_MULTIPLY,
        [Div] = NB_TRUE_DIVIDE,   [Mod] = NB_REMAINDER,
        [Pow] = NB_POWER,         [LShift] = NB_LSHIFT,
        [RShift] = NB_RSHIFT,     [BitOr] = NB_OR,
        [BitXor] = NB_XOR,        [BitAnd] = NB_AND,
        [FloorDiv] = NB_FLOOR_DIVIDE,
    };
    return ops[op];
}

int
kr_cg_binary(struct kr_compiler *c, operator_ty op, bool inplace)
{
    return kr_cg_op_i(c, BINARY_OP,
                      binary_op(op) + (inplace ? NB_INPLACE_ADD : 0));
}

static int
unary_op(unaryop_ty op)
{
    switch (op) {
    case Invert:
        return UNARY_INVERT;
    case Not:
        return UNARY_NOT;
    case UAdd:
        return UNARY_POSITIVE;
    default:
        return UNARY_NEGATIVE;
    }
}

/* --- yield and await ------------------------------------------------------ */

int
kr_cg_yield_op(struct kr_compiler *c)
{
    KrSte *ste = c->u->ste;
    if (ste->ste_generator && ste->ste_coroutine &&
        kr_cg_op(c, ASYNC_GEN_WRAP) < 0) {
        return -1;
    }
    if (kr_cg_op(c, YIELD_VALUE) < 0) {
        return -1;
    }
    return kr_cg_op_i(c, RESUME, 1);
}

int
kr_cg_yield_from(struct kr_compiler *c, int await)
{
    struct kr_block *start = kr_cg_new_block(c);
    struct kr_block *resume = kr_cg_new_block(c);
    struct kr_block *exit = kr_cg_new_block(c);
    if (start == NULL || resume == NULL || exit == NULL) {
        return -1;
    }
    kr_cg_use_block(c, start);
    TRY(kr_cg_jump(c, SEND, exit));
    kr_cg_use_block(c, resume);
    TRY(kr_cg_op(c, YIELD_VALUE));
    TRY(kr_cg_op_i(c, RESUME, await ? 3 : 2));
    TRY(kr_cg_jump(c, JUMP_NO_INTERRUPT, start));
    kr_cg_use_block(c, exit);
    return 0;
}

int
kr_cg_await_value(struct kr_compiler *c)
{
    TRY(kr_cg_op_i(c, GET_AWAITABLE, 0));
    TRY(kr_cg_const(c, Py_None));
    return kr_cg_yield_from(c, 1);
}

static int
visit_yield(struct kr_compiler *c, expr_ty value)
{
    if (c->u->ste->ste_type != KR_FUNCTION_BLOCK) {
        return kr_cg_error(c, "'yield' outside function");
    }
    TRY(value != NULL ? kr_cg_expr(c, value) : kr_cg_const(c, Py_None));
    return kr_cg_yield_op(c);
}

static int
visit_yield_from(struct kr_compiler *c, expr_ty value)
{
    if (c->u->ste->ste_type != KR_FUNCTION_BLOCK) {
        return kr_cg_error(c, "'yield' outside function");
    }
    if (c->u->kind == KR_UNIT_ASYNC_FUNCTION) {
        return kr_cg_error(c, "'yield from' inside async function");
    }
    TRY(kr_cg_expr(c, value));
    TRY(kr_cg_op(c, GET_YIELD_FROM_ITER));
    TRY(kr_cg_const(c, Py_None));
    return kr_cg_yield_from(c, 0);
}

static int
visit_await(struct kr_compiler *c, expr_ty value)
{
    if (!kr_cg_top_level_await(c)) {
        if (c->u->ste->ste_type != KR_FUNCTION_BLOCK) {
            return kr_cg_error(c, "'await' outside function");
        }
        if (c->u->kind != KR_UNIT_ASYNC_FUNCTION &&
            c->u->kind != KR_UNIT_COMPREHENSION) {
            return kr_cg_error(c, "'await' outside async function");
        }
    }
    TRY(kr_cg_expr(c, value));
    return kr_cg_await_value(c);
}

/* --- strings with fields -------------------------------------------------- */

static int
visit_joined_str(struct kr_compiler *c, asdl_expr_seq *values)
{
    Py_ssize_t n = asdl_seq_LEN(values);
    if (n <= KR_STACK_USE_GUIDELINE) {
        TRY(kr_cg_exprs(c, values));
        return n == 1 ? 0 : kr_cg_op_i(c, BUILD_STRING, n);
    }
    TRY(kr_cg_const_new(c, PyUnicode_FromStringAndSize(NULL, 0)));
    TRY(kr_cg_op_name(c, LOAD_METHOD, KR_ID(join)));
    TRY(kr_cg_op_i(c, BUILD_LIST, 0));
    for (Py_ssize_t i = 0; i < n; i++) {
        TRY(kr_cg_expr(c, asdl_seq_GET(values, i)));
        TRY(kr_cg_op_i(c, LIST_APPEND, 1));
    }
    return kr_cg_call_n(c, 1);
}

static int
visit_formatted_value(struct kr_compiler *c, expr_ty e)
{
    int conversion = e->v.FormattedValue.conversion, oparg;
    TRY(kr_cg_expr(c, e->v.FormattedValue.value));
    switch (conversion) {
    case 's':
        oparg = 1;
        break;
    case 'r':
        oparg = 2;
        break;
    case 'a':
        oparg = 3;
        break;
    case -1:
        oparg = 0;
        break;
    default:
        PyErr_Format(PyExc_SystemError, "Unrecognized conversion character %d",
                     conversion);
        return -1;
    }
    if (e->v.FormattedValue.format_spec != NULL) {
        TRY(kr_cg_expr(c, e->v.FormattedValue.format_spec));
        oparg |= 4;
    }
    return kr_cg_op_i(c, FORMAT_VALUE, oparg);
}

/* --- attributes and subscripts -------------------------------------------- */

void
kr_cg_at_attr(struct kr_compiler *c, expr_ty attr)
{
    struct kr_loc *loc = &c->u->loc;
    if (loc->lineno == attr->end_lineno) {
        return;
    }
    loc->lineno = attr->end_lineno;
    Py_ssize_t len = PyUnicode_GET_LENGTH(attr->v.Attribute.attr);
    if (len <= attr->end_col_offset) {
        loc->col_offset = attr->end_col_offset - (int)len;
    }
    else {
        /* No source looks like that: a tree made by hand. */
        loc->col_offset = -1;
        loc->end_col_offset = -1;
    }
    loc->end_lineno = Py_MAX(loc->lineno, loc->end_lineno);
    if (loc->lineno == loc->end_lineno) {
        loc->end_col_offset = Py_MAX(loc->col_offset, loc->end_col_offset);
    }
}

static int
visit_attribute(struct kr_compiler *c, expr_ty e)
{
    PyObject *attr = e->v.Attribute.attr;
    TRY(kr_cg_expr(c, e->v.Attribute.value));
    kr_cg_at_attr(c, e);
    switch (e->v.Attribute.ctx) {
    case Load:
        return kr_cg_attr(c, LOAD_ATTR, attr);
    case Store:
        TRY(kr_cg_forbidden_name(c, attr, Store));
        return kr_cg_attr(c, STORE_ATTR, attr);
    default:
        return kr_cg_attr(c, DELETE_ATTR, attr);
    }
}

/* The type that an expression certainly has, borrowed, or NULL. */
static PyTypeObject *
infer_type(expr_ty e)
{
    switch (e->kind) {
    case Tuple_kind:
        return &PyTuple_Type;
    case List_kind:
    case ListComp_kind:
        return &PyList_Type;
    case Dict_kind:
    case DictComp_kind:
        return &PyDict_Type;
    case Set_kind:
    case SetComp_kind:
        return &PySet_Type;
    case GeneratorExp_kind:
        return &PyGen_Type;
    case Lambda_kind:
        return &PyFunction_Type;
    case JoinedStr_kind:
    case FormattedValue_kind:
        return &PyUnicode_Type;
    case Constant_kind:
        return Py_TYPE(e->v.Constant.value);
    default:
        return NULL;
    }
}

int
kr_cg_check_caller(struct kr_compiler *c, expr_ty func)
{
    PyTypeObject *type = infer_type(func);
    if (type == NULL || func->kind == Lambda_kind) {
        return 0;
    }
    return kr_cg_warn(c,
                      "'%.200s' object is not callable; "
                      "perhaps you missed a comma?",
                      type->tp_name);
}

static bool
is_subscriptable_constant(PyObject *v)
{
    return !(v == Py_None || v == Py_Ellipsis || PyLong_Check(v) ||
             PyFloat_Check(v) || PyComplex_Check(v) || PyAnySet_Check(v));
}

static int
check_subscripted(struct kr_compiler *c, expr_ty e)
{
    switch (e->kind) {
    case Constant_kind:
        if (is_subscriptable_constant(e->v.Constant.value)) {
            return 0;
        }
        break;
    case Set_kind:
    case SetComp_kind:
    case GeneratorExp_kind:
    case Lambda_kind:
        break;
    default:
        return 0;
    }
    return kr_cg_warn(c,
                      "'%.200s' object is not subscriptable; "
                      "perhaps you missed a comma?",
                      infer_type(e)->tp_name);
}

static bool
is_sequence(expr_ty e)
{
    switch (e->kind) {
    case Constant_kind:
        return PyUnicode_Check(e->v.Constant.value) ||
               PyBytes_Check(e->v.Constant.value) ||
               PyTuple_Check(e->v.Constant.value);
    case Tuple_kind:
    case List_kind:
    case ListComp_kind:
    case JoinedStr_kind:
    case FormattedValue_kind:
        return true;
    default:
        return false;
    }
}

static int
check_index(struct kr_compiler *c, expr_ty e, expr_ty index)
{
    PyTypeObject *type = infer_type(index);
    if (type == NULL || PyType_HasFeature(type, Py_TPFLAGS_LONG_SUBCLASS) ||
        type == &PySlice_Type || !is_sequence(e)) {
        return 0;
    }
    return kr_cg_warn(c,
                      "%.200s indices must be integers or slices, "
                      "not %.200s; perhaps you missed a comma?",
                      infer_type(e)->tp_name, type->tp_name);
}

static int
visit_subscript(struct kr_compiler *c, expr_ty e)
{
    expr_ty value = e->v.Subscript.value, index = e->v.Subscript.slice;
    int opcode = DELETE_SUBSCR;
    if (e->v.Subscript.ctx == Load) {
        TRY(check_subscripted(c, value));
        TRY(check_index(c, value, index));
        opcode = BINARY_SUBSCR;
    }
    else if (e->v.Subscript.ctx == Store) {
        opcode = STORE_SUBSCR;
    }
    TRY(kr_cg_expr(c, value));
    TRY(kr_cg_expr(c, index));
    return kr_cg_op(c, opcode);
}

static int
visit_slice(struct kr_compiler *c, expr_ty e)
{
    expr_ty lower = e->v.Slice.lower, upper = e->v.Slice.upper;
    TRY(lower != NULL ? kr_cg_expr(c, lower) : kr_cg_const(c, Py_None));
    TRY(upper != NULL ? kr_cg_expr(c, upper) : kr_cg_const(c, Py_None));
    if (e->v.Slice.step != NULL) {
        TRY(kr_cg_expr(c, e->v.Slice.step));
    }
    return kr_cg_op_i(c, BUILD_SLICE, e->v.Slice.step != NULL ? 3 : 2);
}

/* --- dispatch ------------------------------------------------------------- */

static int
visit_operator(struct kr_compiler *c, expr_ty e)
{
    switch (e->kind) {
    case NamedExpr_kind:
        TRY(kr_cg_expr(c, e->v.NamedExpr.value));
        TRY(kr_cg_op_i(c, COPY, 1));
        return kr_cg_expr(c, e->v.NamedExpr.target);
    case BinOp_kind:
        TRY(kr_cg_expr(c, e->v.BinOp.left));
        TRY(kr_cg_expr(c, e->v.BinOp.right));
        return kr_cg_binary(c, e->v.BinOp.op, false);
    default:
        TRY(kr_cg_expr(c, e->v.UnaryOp.operand));
        return kr_cg_op(c, unary_op(e->v.UnaryOp.op));
    }
}

static int
visit_starred(struct kr_compiler *c, expr_ty e)
{
    /* Where a star is allowed, its parent deals with it. */
    return kr_cg_error(c, e->v.Starred.ctx == Store
                              ? "starred assignment target must be in a list "
                                "or tuple"
                              : "can't use starred expression here");
}

static int
visit(struct kr_compiler *c, expr_ty e)
{
    switch (e->kind) {
    case NamedExpr_kind:
    case BinOp_kind:
    case UnaryOp_kind:
        return visit_operator(c, e);
    case BoolOp_kind:
        return kr_cg_boolop(c, e);
    case Lambda_kind:
        return kr_cg_lambda(c, e);
    case IfExp_kind:
        return kr_cg_ifexp(c, e);
    case Dict_kind:
        return kr_cg_dict(c, e);
    case Set_kind:
        return kr_cg_set(c, e);
    case ListComp_kind:
    case SetComp_kind:
    case DictComp_kind:
    case GeneratorExp_kind:
        return kr_cg_comprehension_expr(c, e);
    case Await_kind:
        return visit_await(c, e->v.Await.value);
    case Yield_kind:
        return visit_yield(c, e->v.Yield.value);
    case YieldFrom_kind:
        return visit_yield_from(c, e->v.YieldFrom.value);
    case Compare_kind:
        return kr_cg_compare(c, e);
    case Call_kind:
        return kr_cg_call(c, e);
    case FormattedValue_kind:
        return visit_formatted_value(c, e);
    case JoinedStr_kind:
        return visit_joined_str(c, e->v.JoinedStr.values);
    case Constant_kind:
        return kr_cg_const(c, e->v.Constant.value);
    case Attribute_kind:
        return visit_attribute(c, e);
    case Subscript_kind:
        return visit_subscript(c, e);
    case Starred_kind:
        return visit_starred(c, e);
    case Name_kind:
        return kr_cg_name(c, e->v.Name.id, e->v.Name.ctx);
    case List_kind:
        return kr_cg_list(c, e);
    case Tuple_kind:
        return kr_cg_tuple(c, e);
    case Slice_kind:
        return visit_slice(c, e);
    }
    Py_UNREACHABLE();
}

int
kr_cg_expr(struct kr_compiler *c, expr_ty e)
{
    struct kr_scope *u = c->u;
    struct kr_loc old = u->loc;
    TRY(kr_cg_room(c));
    kr_cg_at_expr(c, e);
    int rc = visit(c, e);
    u->loc = old;
    return rc;
}

int
kr_cg_exprs(struct kr_compiler *c, asdl_expr_seq *exprs)
{
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(exprs); i++) {
        TRY(kr_cg_expr(c, asdl_seq_GET(exprs, i)));
    }
    return 0;
}

int
kr_cg_annotation_expr(struct kr_compiler *c, expr_ty annotation)
{
    return kr_cg_const_new(c, kr_ast_unparse(annotation));
}
