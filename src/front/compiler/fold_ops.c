/* Folding of operators on constants, with limits so that short source cannot
 * make large code, and of `literal % tuple` into f-strings. */
#include <stdio.h>

#include "front/compiler/fold.h"

enum {
    MAX_INT_BITS = 128,
    MAX_COLLECTION_SIZE = 256,
    MAX_STR_SIZE = 4096,
    MAX_TOTAL_ITEMS = 1024,
    MAX_DIGITS = 3,
};

int
kr_fold_set(expr_ty node, PyObject *value, KrArena *arena)
{
    if (value == NULL) {
        if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
            return 0;
        }
        PyErr_Clear();
        return 1;
    }
    if (kr_arena_own(arena, value) < 0) {
        return 0;
    }
    node->kind = Constant_kind;
    node->v.Constant.kind = NULL;
    node->v.Constant.value = value;
    return 1;
}

static bool
invert_comparison(cmpop_ty *op)
{
    switch (*op) {
    case Is: *op = IsNot; return true;
    case IsNot: *op = Is; return true;
    case In: *op = NotIn; return true;
    case NotIn: *op = In; return true;
    default: return false;
    }
}

static PyObject *
unary_result(unaryop_ty op, PyObject *value)
{
    switch (op) {
    case Invert: return PyNumber_Invert(value);
    case UAdd: return PyNumber_Positive(value);
    case USub: return PyNumber_Negative(value);
    case Not: break;
    }
    int truth = PyObject_IsTrue(value);
    return truth < 0 ? NULL : PyBool_FromLong(!truth);
}

int
kr_fold_unary(expr_ty node, KrArena *arena)
{
    expr_ty operand = node->v.UnaryOp.operand;
    if (operand->kind == Constant_kind) {
        return kr_fold_set(node,
                           unary_result(node->v.UnaryOp.op,
                                        operand->v.Constant.value),
                           arena);
    }
    if (node->v.UnaryOp.op == Not && operand->kind == Compare_kind &&
        asdl_seq_LEN(operand->v.Compare.ops) == 1) {
        /* the result of these four is always a bool */
        cmpop_ty op = asdl_seq_GET(operand->v.Compare.ops, 0);
        if (invert_comparison(&op)) {
            asdl_seq_SET(operand->v.Compare.ops, 0, op);
            *node = *operand;
        }
    }
    return 1;
}

/* What remains of `limit` after counting all items nested in `object`. */
static Py_ssize_t
count_items(PyObject *object, Py_ssize_t limit)
{
    if (PyTuple_Check(object)) {
        Py_ssize_t n = PyTuple_GET_SIZE(object);
        limit -= n;
        for (Py_ssize_t i = 0; limit >= 0 && i < n; i++) {
            limit = count_items(PyTuple_GET_ITEM(object, i), limit);
        }
    }
    else if (PyFrozenSet_Check(object)) {
        limit -= PySet_GET_SIZE(object);
        PyObject *iter = PyObject_GetIter(object), *item;
        while (limit >= 0 && iter && (item = PyIter_Next(iter)) != NULL) {
            limit = count_items(item, limit);
            Py_DECREF(item);
        }
        Py_XDECREF(iter);
    }
    return limit;
}

static bool
both_nonzero_ints(PyObject *v, PyObject *w)
{
    return PyLong_Check(v) && PyLong_Check(w) && Py_SIZE(v) != 0 &&
           Py_SIZE(w) != 0;
}

static PyObject *
multiply(PyObject *v, PyObject *w)
{
    if (both_nonzero_ints(v, w)) {
        if (_PyLong_NumBits(v) + _PyLong_NumBits(w) > MAX_INT_BITS) {
            return NULL;
        }
    }
    else if (PyLong_Check(v) &&
             (PyTuple_CheckExact(w) || PyFrozenSet_CheckExact(w))) {
        Py_ssize_t size = PyObject_Size(w);
        if (size != 0) {
            long n = PyLong_AsLong(v);
            if (n < 0 || n > MAX_COLLECTION_SIZE / size ||
                (n != 0 && count_items(w, MAX_TOTAL_ITEMS / n) < 0)) {
                return NULL;
            }
        }
    }
    else if (PyLong_Check(v) && (PyUnicode_Check(w) || PyBytes_Check(w))) {
        Py_ssize_t size = PyObject_Size(w);
        if (size != 0) {
            long n = PyLong_AsLong(v);
            if (n < 0 || n > MAX_STR_SIZE / size) {
                return NULL;
            }
        }
    }
    else if (PyLong_Check(w) &&
             (PyTuple_CheckExact(v) || PyFrozenSet_CheckExact(v) ||
              PyUnicode_Check(v) || PyBytes_Check(v))) {
        return multiply(w, v);
    }
    return PyNumber_Multiply(v, w);
}

static PyObject *
power(PyObject *v, PyObject *w)
{
    if (both_nonzero_ints(v, w) && Py_SIZE(w) > 0) {
        size_t exponent = PyLong_AsSize_t(w);
        if (exponent == (size_t)-1 ||
            _PyLong_NumBits(v) > MAX_INT_BITS / exponent) {
            return NULL;
        }
    }
    return PyNumber_Power(v, w, Py_None);
}

static PyObject *
shift_left(PyObject *v, PyObject *w)
{
    if (both_nonzero_ints(v, w)) {
        size_t count = PyLong_AsSize_t(w);
        if (count == (size_t)-1 || count > MAX_INT_BITS ||
            _PyLong_NumBits(v) > MAX_INT_BITS - count) {
            return NULL;
        }
    }
    return PyNumber_Lshift(v, w);
}

static PyObject *
binary_result(operator_ty op, PyObject *v, PyObject *w)
{
    switch (op) {
    case Add: return PyNumber_Add(v, w);
    case Sub: return PyNumber_Subtract(v, w);
    case Mult: return multiply(v, w);
    case Div: return PyNumber_TrueDivide(v, w);
    case FloorDiv: return PyNumber_FloorDivide(v, w);
    case Mod:
        /* formatting may make anything large */
        return PyUnicode_Check(v) || PyBytes_Check(v)
                   ? NULL
                   : PyNumber_Remainder(v, w);
    case Pow: return power(v, w);
    case LShift: return shift_left(v, w);
    case RShift: return PyNumber_Rshift(v, w);
    case BitOr: return PyNumber_Or(v, w);
    case BitXor: return PyNumber_Xor(v, w);
    case BitAnd: return PyNumber_And(v, w);
    case MatMult: break; /* no constant has it */
    }
    return NULL;
}

struct directive {
    Py_UCS4 type;
    bool left;
    int width, precision; /* -1: not given */
};

/* Reads up to MAX_DIGITS - 1 digits; false if there are more or the text
 * ends. *c is the character behind them. */
static bool
read_digits(PyObject *format, Py_ssize_t *pos, Py_UCS4 *c, int *value)
{
    *value = 0;
    for (int n = 1; *c >= '0' && *c <= '9'; n++) {
        *value = *value * 10 + (int)(*c - '0');
        if (*pos >= PyUnicode_GET_LENGTH(format)) {
            return false;
        }
        *c = PyUnicode_READ_CHAR(format, (*pos)++);
        if (n >= MAX_DIGITS) {
            return false;
        }
    }
    return true;
}

/* Reads what follows a percent sign. */
static bool
read_directive(PyObject *format, Py_ssize_t *pos, struct directive *d)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(format);
    Py_UCS4 c;
    d->left = false;
    do {
        if (*pos >= length) {
            return false;
        }
        c = PyUnicode_READ_CHAR(format, (*pos)++);
        d->left |= c == '-';
    } while (c == '-' || c == '+' || c == ' ' || c == '#' || c == '0');
    d->width = d->precision = -1;
    if (c >= '0' && c <= '9' && !read_digits(format, pos, &c, &d->width)) {
        return false;
    }
    if (c == '.') {
        if (*pos >= length) {
            return false;
        }
        c = PyUnicode_READ_CHAR(format, (*pos)++);
        if (!read_digits(format, pos, &c, &d->precision)) {
            return false;
        }
    }
    d->type = c;
    return true;
}

#define LOCATION(n) \
    (n)->lineno, (n)->col_offset, (n)->end_lineno, (n)->end_col_offset

/* The replacement field for one item, or NULL (perhaps without exception). */
static expr_ty
format_item(PyObject *format, Py_ssize_t *pos, expr_ty item, KrArena *arena)
{
    struct directive d;
    if (!read_directive(format, pos, &d) ||
        (d.type != 's' && d.type != 'r' && d.type != 'a')) {
        return NULL;
    }
    char text[32];
    int n = 0;
    if (!d.left && d.width > 0) {
        text[n++] = '>';
    }
    if (d.width >= 0) {
        n += snprintf(text + n, 12, "%d", d.width);
    }
    if (d.precision >= 0) {
        n += snprintf(text + n, 12, ".%d", d.precision);
    }
    expr_ty spec = NULL;
    if (n > 0) {
        PyObject *str = PyUnicode_FromStringAndSize(text, n);
        if (str == NULL || kr_arena_own(arena, str) < 0) {
            return NULL;
        }
        spec = kr_ast_Constant(str, NULL, -1, -1, -1, -1, arena);
        if (spec == NULL) {
            return NULL;
        }
    }
    return kr_ast_FormattedValue(item, (int)d.type, spec, LOCATION(item),
                                 arena);
}

/* The text up to the next directive, or NULL (perhaps without exception). */
static expr_ty
literal_part(PyObject *format, Py_ssize_t *pos, KrArena *arena)
{
    Py_ssize_t start = *pos, end = start;
    Py_ssize_t length = PyUnicode_GET_LENGTH(format);
    bool doubled = false;
    while (end < length) {
        if (PyUnicode_READ_CHAR(format, end) != '%') {
            end++;
        }
        else if (end + 1 < length &&
                 PyUnicode_READ_CHAR(format, end + 1) == '%') {
            doubled = true;
            end += 2;
        }
        else {
            break;
        }
    }
    *pos = end;
    if (end == start) {
        return NULL;
    }
    PyObject *str = PyUnicode_Substring(format, start, end);
    if (str != NULL && doubled) {
        PyObject *two = PyUnicode_FromString("%%");
        PyObject *one = PyUnicode_FromString("%");
        Py_SETREF(str, two && one ? PyUnicode_Replace(str, two, one, -1)
                                  : NULL);
        Py_XDECREF(two);
        Py_XDECREF(one);
    }
    if (str == NULL || kr_arena_own(arena, str) < 0) {
        return NULL;
    }
    return kr_ast_Constant(str, NULL, -1, -1, -1, -1, arena);
}

static int
fold_format(expr_ty node, PyObject *format, asdl_expr_seq *items,
            KrArena *arena)
{
    Py_ssize_t nitems = asdl_seq_LEN(items), used = 0, pos = 0, size = 0;
    for (Py_ssize_t i = 0; i < nitems; i++) {
        if (asdl_seq_GET(items, i)->kind == Starred_kind) {
            return 1;
        }
    }
    asdl_expr_seq *parts = kr_asdl_seq_new(nitems * 2 + 1, arena);
    if (parts == NULL) {
        return 0;
    }
    for (;;) {
        expr_ty part = literal_part(format, &pos, arena);
        if (part != NULL) {
            asdl_seq_SET(parts, size++, part);
        }
        else if (PyErr_Occurred()) {
            return 0;
        }
        if (pos >= PyUnicode_GET_LENGTH(format)) {
            break;
        }
        if (used >= nitems) {
            return 1; /* an error at run time */
        }
        pos++;
        part = format_item(format, &pos, asdl_seq_GET(items, used++), arena);
        if (part == NULL) {
            return !PyErr_Occurred();
        }
        asdl_seq_SET(parts, size++, part);
    }
    if (used < nitems) {
        return 1;
    }
    parts->size = size;
    expr_ty joined = kr_ast_JoinedStr(parts, LOCATION(node), arena);
    if (joined == NULL) {
        return 0;
    }
    *node = *joined;
    return 1;
}

int
kr_fold_binary(expr_ty node, KrArena *arena)
{
    expr_ty left = node->v.BinOp.left, right = node->v.BinOp.right;
    if (left->kind != Constant_kind) {
        return 1;
    }
    PyObject *v = left->v.Constant.value;
    if (node->v.BinOp.op == Mod && right->kind == Tuple_kind &&
        PyUnicode_Check(v)) {
        return fold_format(node, v, right->v.Tuple.elts, arena);
    }
    if (right->kind != Constant_kind || node->v.BinOp.op == MatMult) {
        return 1;
    }
    return kr_fold_set(
        node, binary_result(node->v.BinOp.op, v, right->v.Constant.value),
        arena);
}
