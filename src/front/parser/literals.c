/* Names and numbers: tokens to tree nodes. */
#include "front/parser/rules.h"

static uint64_t
hash_name(const char *text, size_t len)
{
    uint64_t hash = len, word;
    for (; len >= 8; len -= 8, text += 8) {
        memcpy(&word, text, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    word = 0;
    for (size_t i = 0; i < len; i++) {
        word = word << 8 | (unsigned char)text[i];
    }
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

/* The entry of a name, or the free one where it belongs. */
static struct kr_identifier *
find_name(struct kr_identifiers *table, uint64_t hash, const char *text,
          size_t len)
{
    for (size_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        struct kr_identifier *e = &table->entries[at];
        if (e->id == NULL ||
            (e->hash == hash && (size_t)PyUnicode_GET_LENGTH(e->id) == len &&
             memcmp(PyUnicode_1BYTE_DATA(e->id), text, len) == 0)) {
            return e;
        }
    }
}

static int
grow_names(struct kr_identifiers *table)
{
    size_t size = table->entries == NULL ? 256 : 2 * (table->mask + 1);
    struct kr_identifier *entries = PyMem_Calloc(size, sizeof(*entries));
    if (entries == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; table->entries != NULL && i <= table->mask; i++) {
        struct kr_identifier *e = &table->entries[i];
        if (e->id != NULL) {
            size_t at = e->hash & (size - 1);
            while (entries[at].id != NULL) {
                at = (at + 1) & (size - 1);
            }
            entries[at] = *e;
        }
    }
    PyMem_Free(table->entries);
    table->entries = entries;
    table->mask = size - 1;
    return 0;
}

/* unicodedata.normalize as it is when the first name asks for it; borrowed. */
static PyObject *
normalize_function(Parser *p)
{
    struct kr_identifiers *table = p->identifiers;
    if (table->normalize == NULL) {
        PyObject *function =
            _PyImport_GetModuleAttrString("unicodedata", "normalize");
        if (function == NULL || kr_arena_own(p->arena, function) < 0) {
            return NULL;
        }
        table->normalize = function;
    }
    return table->normalize;
}

static PyObject *
make_identifier(Parser *p, const char *text, size_t len)
{
    PyObject *id = PyUnicode_DecodeUTF8(text, (Py_ssize_t)len, NULL);
    if (id != NULL && !PyUnicode_IS_ASCII(id)) {
        PyObject *function = normalize_function(p);
        PyObject *normal =
            function == NULL ? NULL
                             : PyObject_CallFunction(function, "sO", "NFKC",
                                                     id);
        if (normal != NULL && !PyUnicode_Check(normal)) {
            PyErr_Format(PyExc_TypeError,
                         "unicodedata.normalize() must return a string, not "
                         "%.200s",
                         _PyType_Name(Py_TYPE(normal)));
            Py_CLEAR(normal);
        }
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

PyObject *
kr_new_identifier(Parser *p, const char *text, size_t len)
{
    struct kr_identifiers *table = p->identifiers;
    if (table->used >= table->mask / 2 && grow_names(table) < 0) {
        p->error_indicator = true;
        return NULL;
    }
    uint64_t hash = hash_name(text, len);
    struct kr_identifier *e = find_name(table, hash, text, len);
    if (e->id != NULL) {
        return e->id;
    }
    PyObject *id = make_identifier(p, text, len);
    if (id != NULL && PyUnicode_IS_ASCII(id) &&
        (size_t)PyUnicode_GET_LENGTH(id) == len) {
        *e = (struct kr_identifier){hash, id};
        table->used++;
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
