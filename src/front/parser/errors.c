/* SyntaxErrors: where they point and what they say. */
#include "front/parser/rules.h"

bool
kr_check_version(Parser *p, int minor, const char *what)
{
    if (p->feature_version >= minor) {
        return true;
    }
    RAISE("%s only supported in Python 3.%i and greater", what, minor);
    return false;
}

/* A line of source, whose end is shown as "\n" whatever it is in the file. */
static PyObject *
decode_line(const char *line, Py_ssize_t size)
{
    if (size >= 2 && line[size - 2] == '\r' && line[size - 1] == '\n') {
        PyObject *text = PyUnicode_DecodeUTF8(line, size - 2, "replace");
        PyObject *newline = PyUnicode_FromString("\n");
        PyUnicode_AppendAndDel(&text, newline);
        return text;
    }
    return PyUnicode_DecodeUTF8(line, size, "replace");
}

/* A line of the source that the lexer keeps, without its end: of bytes that
 * were decoded it is the bytes that the reference keeps. */
static PyObject *
kept_line(Parser *p, int lineno)
{
    const KrLexer *tok = p->tok;
    const char *line = tok->raw != NULL     ? tok->raw
                       : tok->shown != NULL ? tok->shown
                                            : tok->buf;
    const char *last = line == tok->buf ? tok->inp : NULL;
    int n = p->starting_lineno ? lineno - p->starting_lineno + 1 : lineno;
    for (; n > 1; n--) {
        const char *end = line + strcspn(line, "\r\n");
        if (*end == '\0') {
            break;
        }
        end += *end == '\r' && end[1] == '\n' ? 2 : 1;
        if (last != NULL && end > last) {
            break;
        }
        line = end;
    }
    return PyUnicode_DecodeUTF8(line, (Py_ssize_t)strcspn(line, "\r\n"),
                                "replace");
}

/* The text of a line that the lexer has seen; the current one comes with its
 * end. */
static PyObject *
seen_line(Parser *p, int lineno)
{
    if (p->tok->lineno <= lineno && p->tok->inp > p->tok->context) {
        return decode_line(p->tok->context, p->tok->inp - p->tok->context);
    }
    if (p->tok->from_file) {
        return PyUnicode_FromString(""); /* nothing keeps it */
    }
    return kept_line(p, lineno);
}

static PyObject *
error_line(Parser *p, int lineno)
{
    PyObject *filename = p->tok->filename, *line = NULL;
    if (p->tok->interactive ||
        (p->tok->from_file && filename != NULL &&
         _PyUnicode_EqualToASCIIString(filename, "<stdin>"))) {
        return kept_line(p, lineno);
    }
    if (p->start_rule == Py_file_input && filename != NULL) {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        line = _PyErr_ProgramDecodedTextObject(filename, lineno,
                                               p->tok->encoding);
        PyErr_Restore(type, value, traceback);
    }
    return line != NULL ? line : seen_line(p, lineno);
}

/* Makes characters of `*col` bytes of a line; -1 with an exception. */
static int
count_characters(PyObject *line, int *col)
{
    if (*col < 0) {
        return 0;
    }
    Py_ssize_t size;
    const char *s = PyUnicode_AsUTF8AndSize(line, &size);
    if (s == NULL) {
        return -1;
    }
    PyObject *text = PyUnicode_DecodeUTF8(s, Py_MIN(*col, size + 1),
                                          "replace");
    if (text == NULL) {
        return -1;
    }
    *col = (int)PyUnicode_GET_LENGTH(text);
    Py_DECREF(text);
    return 0;
}

/* `col` and `end_col` count bytes from 1; -1 means unknown. */
static void *
raise_known(Parser *p, PyObject *type, int lineno, int col, int end_lineno,
            int end_col, const char *format, va_list args)
{
    PyObject *message = NULL, *line = NULL, *value = NULL;
    p->error_indicator = true;
    if (end_lineno == KR_CURRENT_POS) {
        end_lineno = p->tok->lineno;
    }
    if (end_col == KR_CURRENT_POS) {
        end_col = (int)(p->tok->cur - p->tok->line_start);
    }
    message = PyUnicode_FromFormatV(format, args);
    if (message != NULL && p->start_rule == KR_FSTRING_INPUT) {
        Py_SETREF(message, PyUnicode_FromFormat("f-string: %U", message));
    }
    if (message == NULL) {
        return NULL;
    }
    line = error_line(p, lineno);
    if (line == NULL) {
        goto done;
    }
    if (p->start_rule == KR_FSTRING_INPUT) {
        col -= p->starting_col_offset;
        end_col -= p->starting_col_offset;
    }
    if (p->tok->encoding != NULL
        && (count_characters(line, &col) < 0
            || (end_col > 0 && count_characters(line, &end_col) < 0))) {
        goto done;
    }
    value = Py_BuildValue("(O(OiiOii))", message,
                          p->tok->filename ? p->tok->filename : Py_None,
                          lineno, col, line, end_lineno, end_col);
    if (value != NULL) {
        PyErr_SetObject(type, value);
    }
done:
    Py_XDECREF(message);
    Py_XDECREF(line);
    Py_XDECREF(value);
    return NULL;
}

void *
kr_raise_range(Parser *p, PyObject *type, int lineno, int col, int end_lineno,
               int end_col, const char *format, ...)
{
    if (p->error_indicator && PyErr_Occurred()) {
        return NULL;
    }
    va_list args;
    va_start(args, format);
    raise_known(p, type, lineno, col == KR_CURRENT_POS ? col : col + 1,
                end_lineno, end_col == KR_CURRENT_POS ? end_col : end_col + 1,
                format, args);
    va_end(args);
    return NULL;
}

void *
kr_raise(Parser *p, PyObject *type, const char *format, ...)
{
    if (p->error_indicator && PyErr_Occurred()) {
        return NULL;
    }
    va_list args;
    va_start(args, format);
    if (p->fill == 0) {
        raise_known(p, type, 0, 0, 0, -1, format, args);
        va_end(args);
        return NULL;
    }
    const Token *t = p->tokens[p->fill - 1];
    int col, end_col = -1;
    if (t->col_offset == -1) {
        col = p->tok->cur == p->tok->context
                  ? 0
                  : (int)(p->tok->cur - p->tok->line_start);
    }
    else {
        col = t->col_offset + 1;
    }
    if (t->end_col_offset != -1) {
        end_col = t->end_col_offset + 1;
    }
    raise_known(p, type, t->lineno, col, t->end_lineno, end_col, format, args);
    va_end(args);
    return NULL;
}

void
kr_unclosed_bracket(Parser *p)
{
    int i = p->tok->level - 1;
    kr_raise_range(p, PyExc_SyntaxError, p->tok->paren_line[i],
                   p->tok->paren_col[i], p->tok->paren_line[i], -1,
                   "'%c' was never closed", p->tok->paren[i]);
}

void
kr_tokenizer_error(Parser *p)
{
    if (PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
            kr_raise_decode_problem(p);
        }
        return;
    }
    PyObject *type = PyExc_SyntaxError;
    const char *message = "unknown parsing error";
    int col = -1;
    switch (p->tok->done) {
    case KR_LEX_EOF:
        if (p->tok->level != 0) {
            kr_unclosed_bracket(p);
        }
        else {
            RAISE("unexpected EOF while parsing");
        }
        return;
    case KR_LEX_DEDENT:
        RAISE_INDENT("unindent does not match any outer indentation level");
        return;
    case KR_LEX_INTERRUPT:
        PyErr_SetNone(PyExc_KeyboardInterrupt);
        return;
    case KR_LEX_TABS:
        type = PyExc_TabError;
        message = "inconsistent use of tabs and spaces in indentation";
        break;
    case KR_LEX_TOO_DEEP:
        type = PyExc_IndentationError;
        message = "too many levels of indentation";
        break;
    case KR_LEX_CONTINUATION:
        col = (int)(p->tok->cur - p->tok->context - 1);
        message = "unexpected character after line continuation character";
        break;
    default:
        break;
    }
    kr_raise_range(p, type, p->tok->lineno, col >= 0 ? col : 0, p->tok->lineno,
                   -1, "%s", message);
}

/* Reads the rest of the source: an error of the lexer tells more than the
 * syntax error that is set now. */
static void
check_rest_of_source(Parser *p)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    p->error_indicator = false;
    int line = p->fill == 0 ? 0 : p->tokens[p->fill - 1]->lineno;
    const char *start, *end;
    int token;
    do {
        token = kr_lexer_next(p->tok, &start, &end);
    } while (token != T_ERRORTOKEN && token != T_ENDMARKER);
    if (token == T_ERRORTOKEN && !PyErr_Occurred() && p->tok->level != 0 &&
        line > p->tok->paren_line[p->tok->level - 1]) {
        kr_unclosed_bracket(p);
    }
    p->error_indicator = true;
    if (PyErr_Occurred()) {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(traceback);
    }
    else {
        PyErr_Restore(type, value, traceback);
    }
}

void
kr_set_syntax_error(Parser *p, Token *last)
{
    if (PyErr_Occurred()) {
        if (p->tok->done == KR_LEX_OK &&
            PyErr_ExceptionMatches(PyExc_SyntaxError)) {
            check_rest_of_source(p);
        }
        return;
    }
    p->error_indicator = false;
    if (p->fill == 0) {
        RAISE("error at start before reading any input");
        return;
    }
    if (last->type == T_ERRORTOKEN && p->tok->done == KR_LEX_EOF) {
        if (p->tok->level != 0) {
            kr_unclosed_bracket(p);
        }
        else {
            RAISE("unexpected EOF while parsing");
        }
        return;
    }
    if (last->type == T_INDENT || last->type == T_DEDENT) {
        RAISE_INDENT(last->type == T_INDENT ? "unexpected indent"
                                            : "unexpected unindent");
        return;
    }
    RAISE_AT(last, "invalid syntax");
    check_rest_of_source(p);
}

void *
kr_raise_decode_problem(Parser *p)
{
    const char *kind = NULL;
    if (PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        kind = "unicode error";
    }
    else if (PyErr_ExceptionMatches(PyExc_ValueError)) {
        kind = "value error";
    }
    if (kind == NULL) {
        p->error_indicator = true;
        return NULL;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *text = value ? PyObject_Str(value) : NULL;
    PyErr_Clear();
    if (text != NULL) {
        RAISE("(%s) %U", kind, text);
    }
    else {
        RAISE("(%s) unknown error", kind);
    }
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return NULL;
}

const char *
kr_expr_name(expr_ty e)
{
    switch (e->kind) {
    case Attribute_kind: return "attribute";
    case Subscript_kind: return "subscript";
    case Starred_kind: return "starred";
    case Name_kind: return "name";
    case List_kind: return "list";
    case Tuple_kind: return "tuple";
    case Lambda_kind: return "lambda";
    case Call_kind: return "function call";
    case BoolOp_kind:
    case BinOp_kind:
    case UnaryOp_kind: return "expression";
    case GeneratorExp_kind: return "generator expression";
    case Yield_kind:
    case YieldFrom_kind: return "yield expression";
    case Await_kind: return "await expression";
    case ListComp_kind: return "list comprehension";
    case SetComp_kind: return "set comprehension";
    case DictComp_kind: return "dict comprehension";
    case Dict_kind: return "dict literal";
    case Set_kind: return "set display";
    case JoinedStr_kind:
    case FormattedValue_kind: return "f-string expression";
    case Compare_kind: return "comparison";
    case IfExp_kind: return "conditional expression";
    case NamedExpr_kind: return "named expression";
    case Slice_kind: return "slice";
    case Constant_kind: {
        PyObject *value = e->v.Constant.value;
        return value == Py_None       ? "None"
               : value == Py_False    ? "False"
               : value == Py_True     ? "True"
               : value == Py_Ellipsis ? "ellipsis"
                                      : "literal";
    }
    }
    kr_unreachable();
}

const char *
kr_token_text(const Token *t)
{
    return t->type == KW_True ? "True" : t->type == KW_None ? "None" : "False";
}

expr_ty
kr_last_comprehension_item(asdl_comprehension_seq *clauses)
{
    comprehension_ty last = asdl_seq_GET(clauses, clauses->size - 1);
    Py_ssize_t n = asdl_seq_LEN(last->ifs);
    return n == 0 ? last->iter : asdl_seq_GET(last->ifs, n - 1);
}

void *
kr_nonparen_genexp(Parser *p, expr_ty call, asdl_comprehension_seq *clauses)
{
    Py_ssize_t n = asdl_seq_LEN(call->v.Call.args);
    if (n <= 1) {
        return NULL;
    }
    return RAISE_RANGE(asdl_seq_GET(call->v.Call.args, n - 1),
                       kr_last_comprehension_item(clauses),
                       "Generator expression must be parenthesized");
}

void *
kr_arguments_error(Parser *p, expr_ty call)
{
    bool unpacking = false;
    for (Py_ssize_t i = 0; i < asdl_seq_LEN(call->v.Call.keywords); i++) {
        unpacking |= asdl_seq_GET(call->v.Call.keywords, i)->arg == NULL;
    }
    return RAISE(unpacking
                     ? "positional argument follows keyword argument unpacking"
                     : "positional argument follows keyword argument");
}

/* The part of an expression that cannot be a target, or NULL. */
static expr_ty
invalid_target(expr_ty e, enum kr_targets kind)
{
    if (e == NULL) {
        return NULL;
    }
    switch (e->kind) {
    case List_kind:
    case Tuple_kind: {
        asdl_expr_seq *elts =
            e->kind == List_kind ? e->v.List.elts : e->v.Tuple.elts;
        for (Py_ssize_t i = 0; i < asdl_seq_LEN(elts); i++) {
            expr_ty bad = invalid_target(asdl_seq_GET(elts, i), kind);
            if (bad != NULL) {
                return bad;
            }
        }
        return NULL;
    }
    case Starred_kind:
        return kind == KR_DEL_TARGETS ? e
                                      : invalid_target(e->v.Starred.value,
                                                       kind);
    case Compare_kind:
        if (kind != KR_FOR_TARGETS) {
            return e;
        }
        return asdl_seq_GET(e->v.Compare.ops, 0) == In
                   ? invalid_target(e->v.Compare.left, kind)
                   : NULL;
    case Name_kind:
    case Subscript_kind:
    case Attribute_kind: return NULL;
    default: return e;
    }
}

void *
kr_invalid_target_error(Parser *p, expr_ty e, enum kr_targets kind)
{
    expr_ty bad = invalid_target(e, kind);
    if (bad == NULL) {
        return NULL;
    }
    return RAISE_AT(bad,
                    kind == KR_DEL_TARGETS ? "cannot delete %s"
                                           : "cannot assign to %s",
                    kr_expr_name(bad));
}

static bool
is_legacy_statement(expr_ty e)
{
    return e->kind == Name_kind &&
           (PyUnicode_CompareWithASCIIString(e->v.Name.id, "print") == 0 ||
            PyUnicode_CompareWithASCIIString(e->v.Name.id, "exec") == 0);
}

void *
kr_legacy_statement(Parser *p, expr_ty a, expr_ty b)
{
    if (!is_legacy_statement(a)) {
        return NULL;
    }
    return RAISE_RANGE(a, b,
                       "Missing parentheses in call to '%U'. Did you mean "
                       "%U(...)?",
                       a->v.Name.id, a->v.Name.id);
}

void *
kr_forgot_comma(Parser *p, expr_ty a, expr_ty b)
{
    if (is_legacy_statement(a) || p->tokens[p->mark - 1]->level == 0) {
        return NULL;
    }
    return RAISE_RANGE(a, b, "invalid syntax. Perhaps you forgot a comma?");
}

void *
kr_assign_hint(Parser *p, expr_ty a)
{
    return RAISE_AT(a,
                    "cannot assign to %s here. Maybe you meant '==' instead "
                    "of '='?",
                    kr_expr_name(a));
}

void *
kr_missing_colon_error(Parser *p, expr_ty key)
{
    return kr_raise_range(p, PyExc_SyntaxError, key->lineno,
                          key->end_col_offset - 1, key->end_lineno, -1,
                          "':' expected after dictionary key");
}
