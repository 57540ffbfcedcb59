/* Names and numbers: tokens to tree nodes. */
#include "front/parser/rules.h"

PyObject *
kr_new_identifier(Parser *p, const char *text, size_t len)
{
    PyObject *id = PyUnicode_DecodeUTF8(text, (Py_ssize_t)len, NULL);
    if (id != NULL && !PyUnicode_IS_ASCII(id)) {
        PyObject *module = PyImport_ImportModule("unicodedata");
        PyObject *normal =
            module == NULL ? NULL
                           : PyObject_CallMethod(module, "normalize", "sO",
                                                 "NFKC", id);
        Py_XDECREF(module);
        Py_SETREF(id, normal);
    }
    if (id == NULL) {
        p->error_indicator = true;
        return NULL;
    }
    PyUnicode_InternInPlace(&id);
    if (kr_arena_own(p->arena, id) < 0) {
        p->error_indicator = true;
        return NULL;
    }
    return id;
}

expr_ty
kr_parser_name(Parser *p)
{
    Token *t = expect(p, T_NAME);
    if (t == NULL) {
        return NULL;
    }
    if (t->node == NULL) {
        PyObject *id =
            kr_new_identifier(p, t->start, (size_t)(t->end - t->start));
        t->node = id == NULL ? NULL
                             : kr_ast_Name(id, Load, t->lineno, t->col_offset,
                                           t->end_lineno, t->end_col_offset,
                                           p->arena);
        if (t->node == NULL) {
            p->error_indicator = true;
        }
    }
    return t->node;
}

static PyObject *
float_value(const char *s, size_t len)
{
    bool imaginary = (s[len - 1] | 0x20) == 'j';
    char *end;
    double d = PyOS_string_to_double(s, &end, NULL);
    if (d == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    return imaginary ? PyComplex_FromDoubles(0.0, d) : PyFloat_FromDouble(d);
}

/* `s` has no underscores and ends with a NUL. */
static PyObject *
number_value(const char *s, size_t len)
{
    bool radix = len > 1 && s[0] == '0' && Py_ISALPHA(s[1]) &&
                 strchr("xXoObB", s[1]) != NULL;
    if (radix) {
        return PyLong_FromString(s, NULL, 0);
    }
    if (strcspn(s, ".eEjJ") != len) {
        return float_value(s, len);
    }
    if (len < 10) {
        return PyLong_FromLong(strtol(s, NULL, 10));
    }
    return PyLong_FromString(s, NULL, 0);
}

static void
raise_huge_integer(Parser *p, const Token *t)
{
    PyObject *type, *value, *traceback;
    if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
        return;
    }
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    p->error_indicator = false;
    kr_raise_range(p, PyExc_SyntaxError, t->lineno, -1, t->end_lineno, -1,
                   "%S - Consider hexadecimal for huge integer literals to "
                   "avoid decimal conversion limits.",
                   value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

static expr_ty
make_number(Parser *p, const Token *t)
{
    char small[64];
    size_t len = 0, size = (size_t)(t->end - t->start);
    char *text = size < sizeof(small) ? small : PyMem_Malloc(size + 1);
    if (text == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (size_t i = 0; i < size; i++) {
        if (t->start[i] != '_') {
            text[len++] = t->start[i];
        }
    }
    text[len] = '\0';
    PyObject *value =
        len != size && !kr_check_version(
                           p, 6, "Underscores in numeric literals are")
            ? NULL
            : number_value(text, len);
    if (text != small) {
        PyMem_Free(text);
    }
    if (value == NULL) {
        raise_huge_integer(p, t);
        return NULL;
    }
    if (kr_arena_own(p->arena, value) < 0) {
        return NULL;
    }
    return kr_ast_Constant(value, NULL, t->lineno, t->col_offset,
                           t->end_lineno, t->end_col_offset, p->arena);
}

expr_ty
kr_parser_number(Parser *p)
{
    Token *t = expect(p, T_NUMBER);
    if (t == NULL) {
        return NULL;
    }
    if (t->node == NULL) {
        t->node = make_number(p, t);
        if (t->node == NULL) {
            p->error_indicator = true;
        }
    }
    return t->node;
}
