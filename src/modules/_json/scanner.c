/* _json.Scanner: reads one JSON value. */
#include <Python.h>
#include <structmember.h>

#include <string.h>

#include "modules/_json/json.h"
#include "objects/ids.h"

struct scanner {
    PyObject_HEAD
    char strict;
    PyObject *object_hook;
    PyObject *object_pairs_hook;
    PyObject *parse_float;
    PyObject *parse_int;
    PyObject *parse_constant;
    PyObject *memo; /* keys seen in this document */
};

static PyObject *scan(struct scanner *self, PyObject *doc, Py_ssize_t pos,
                      Py_ssize_t *end);

static void
stop_at(Py_ssize_t pos)
{
    PyObject *value = PyLong_FromSsize_t(pos);
    if (value != NULL) {
        PyErr_SetObject(PyExc_StopIteration, value);
        Py_DECREF(value);
    }
}

static inline Py_ssize_t
skip_space(PyObject *doc, Py_ssize_t pos)
{
    int kind = PyUnicode_KIND(doc);
    const void *data = PyUnicode_DATA(doc);
    Py_ssize_t len = PyUnicode_GET_LENGTH(doc);
    while (pos < len) {
        Py_UCS4 c = PyUnicode_READ(kind, data, pos);
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            break;
        }
        pos++;
    }
    return pos;
}

/* The character at `pos`, 0 behind the end. */
static inline Py_UCS4
peek(PyObject *doc, Py_ssize_t pos)
{
    return pos < PyUnicode_GET_LENGTH(doc) ? PyUnicode_READ_CHAR(doc, pos) : 0;
}

static PyObject *
scan_key(struct scanner *self, PyObject *doc, Py_ssize_t *pos)
{
    if (peek(doc, *pos) != '"') {
        kr_json_error("Expecting property name enclosed in double quotes", doc,
                      *pos);
        return NULL;
    }
    PyObject *key = kr_json_scan_string(doc, *pos + 1, self->strict, pos);
    if (key == NULL) {
        return NULL;
    }
    PyObject *known = PyDict_SetDefault(self->memo, key, key);
    Py_XINCREF(known);
    Py_DECREF(key);
    if (known == NULL) {
        return NULL;
    }
    *pos = skip_space(doc, *pos);
    if (peek(doc, *pos) != ':') {
        kr_json_error("Expecting ':' delimiter", doc, *pos);
        Py_DECREF(known);
        return NULL;
    }
    *pos = skip_space(doc, *pos + 1);
    return known;
}

/* Adds an entry to a dict, or a pair to a list; takes over both. */
static int
add_entry(PyObject *to, PyObject *key, PyObject *value)
{
    int res = -1;
    if (PyDict_CheckExact(to)) {
        res = PyDict_SetItem(to, key, value);
    }
    else {
        PyObject *pair = PyTuple_Pack(2, key, value);
        if (pair != NULL) {
            res = PyList_Append(to, pair);
            Py_DECREF(pair);
        }
    }
    Py_DECREF(key);
    Py_DECREF(value);
    return res;
}

/* `pos` is behind the brace. */
static PyObject *
scan_object(struct scanner *self, PyObject *doc, Py_ssize_t pos,
            Py_ssize_t *end)
{
    bool pairs = self->object_pairs_hook != Py_None;
    PyObject *res = pairs ? PyList_New(0) : PyDict_New();
    if (res == NULL) {
        return NULL;
    }
    pos = skip_space(doc, pos);
    if (peek(doc, pos) != '}') {
        for (;;) {
            PyObject *key = scan_key(self, doc, &pos);
            if (key == NULL) {
                goto error;
            }
            PyObject *value = scan(self, doc, pos, &pos);
            if (value == NULL) {
                Py_DECREF(key);
                goto error;
            }
            if (add_entry(res, key, value) < 0) {
                goto error;
            }
            pos = skip_space(doc, pos);
            Py_UCS4 c = peek(doc, pos);
            if (c == '}') {
                break;
            }
            if (c != ',') {
                kr_json_error("Expecting ',' delimiter", doc, pos);
                goto error;
            }
            pos = skip_space(doc, pos + 1);
        }
    }
    *end = pos + 1;
    PyObject *hook = pairs ? self->object_pairs_hook : self->object_hook;
    if (hook != Py_None) {
        PyObject *made = PyObject_CallOneArg(hook, res);
        Py_DECREF(res);
        return made;
    }
    return res;
error:
    Py_DECREF(res);
    return NULL;
}

/* `pos` is behind the bracket. */
static PyObject *
scan_array(struct scanner *self, PyObject *doc, Py_ssize_t pos, Py_ssize_t *end)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    pos = skip_space(doc, pos);
    if (peek(doc, pos) != ']') {
        for (;;) {
            PyObject *value = scan(self, doc, pos, &pos);
            if (value == NULL) {
                goto error;
            }
            int res = PyList_Append(list, value);
            Py_DECREF(value);
            if (res < 0) {
                goto error;
            }
            pos = skip_space(doc, pos);
            Py_UCS4 c = peek(doc, pos);
            if (c == ']') {
                break;
            }
            if (c != ',') {
                kr_json_error("Expecting ',' delimiter", doc, pos);
                goto error;
            }
            pos = skip_space(doc, pos + 1);
        }
    }
    *end = pos + 1;
    return list;
error:
    Py_DECREF(list);
    return NULL;
}

/* ---- numbers ------------------------------------------------------------ */

static inline bool
digit_at(PyObject *doc, Py_ssize_t pos)
{
    return peek(doc, pos) - '0' < 10u;
}

static Py_ssize_t
skip_digits(PyObject *doc, Py_ssize_t pos)
{
    while (digit_at(doc, pos)) {
        pos++;
    }
    return pos;
}

/* The end of the number at `start`, 0 if there is none. */
static Py_ssize_t
number_end(PyObject *doc, Py_ssize_t start, bool *is_float)
{
    Py_ssize_t pos = start;
    *is_float = false;
    if (peek(doc, pos) == '-') {
        pos++;
    }
    if (!digit_at(doc, pos)) {
        return 0;
    }
    pos = peek(doc, pos) == '0' ? pos + 1 : skip_digits(doc, pos);
    if (peek(doc, pos) == '.' && digit_at(doc, pos + 1)) {
        *is_float = true;
        pos = skip_digits(doc, pos + 1);
    }
    if ((peek(doc, pos) | 32) == 'e') {
        Py_ssize_t e = pos + 1;
        if (peek(doc, e) == '+' || peek(doc, e) == '-') {
            e++;
        }
        if (digit_at(doc, e)) {
            *is_float = true;
            pos = skip_digits(doc, e);
        }
    }
    return pos;
}

/* The value of plain number text of ASCII characters. */
static PyObject *
number_value(PyObject *doc, Py_ssize_t start, Py_ssize_t end, bool is_float)
{
    Py_ssize_t n = end - start;
    if (!is_float && n <= 18) {
        bool negative = peek(doc, start) == '-';
        long long value = 0;
        for (Py_ssize_t i = start + negative; i < end; i++) {
            value = value * 10 + (long long)(peek(doc, i) - '0');
        }
        return PyLong_FromLongLong(negative ? -value : value);
    }
    char small[128], *text = n < (Py_ssize_t)sizeof(small)
                                 ? small
                                 : PyMem_Malloc((size_t)n + 1);
    if (text == NULL) {
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        text[i] = (char)peek(doc, start + i);
    }
    text[n] = 0;
    PyObject *res;
    if (is_float) {
        double value = PyOS_string_to_double(text, NULL, NULL);
        res = value == -1.0 && PyErr_Occurred() ? NULL
                                                : PyFloat_FromDouble(value);
    }
    else {
        res = PyLong_FromString(text, NULL, 10);
    }
    if (text != small) {
        PyMem_Free(text);
    }
    return res;
}

static PyObject *
scan_number(struct scanner *self, PyObject *doc, Py_ssize_t start,
            Py_ssize_t *end)
{
    bool is_float;
    Py_ssize_t pos = number_end(doc, start, &is_float);
    if (pos == 0) {
        stop_at(start);
        return NULL;
    }
    *end = pos;
    PyObject *parse = is_float ? self->parse_float : self->parse_int;
    if (parse == (PyObject *)(is_float ? &PyFloat_Type : &PyLong_Type)) {
        return number_value(doc, start, pos, is_float);
    }
    PyObject *text = PyUnicode_Substring(doc, start, pos);
    if (text == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_CallOneArg(parse, text);
    Py_DECREF(text);
    return res;
}

/* ---- any value ---------------------------------------------------------- */

/* Whether `word` stands at `pos`; moves *end behind it then. */
static bool
word_at(PyObject *doc, Py_ssize_t pos, const char *word, Py_ssize_t *end)
{
    for (; *word; word++, pos++) {
        if (peek(doc, pos) != (Py_UCS4)*word) {
            return false;
        }
    }
    *end = pos;
    return true;
}

static PyObject *
scan_constant(struct scanner *self, const char *name)
{
    PyObject *text = PyUnicode_InternFromString(name);
    if (text == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_CallOneArg(self->parse_constant, text);
    Py_DECREF(text);
    return res;
}

static PyObject *
scan(struct scanner *self, PyObject *doc, Py_ssize_t pos, Py_ssize_t *end)
{
    PyObject *res;
    if (pos < 0) {
        PyErr_SetString(PyExc_ValueError, "idx cannot be negative");
        return NULL;
    }
    if (pos >= PyUnicode_GET_LENGTH(doc)) {
        stop_at(pos);
        return NULL;
    }
    switch (PyUnicode_READ_CHAR(doc, pos)) {
    case '"':
        return kr_json_scan_string(doc, pos + 1, self->strict, end);
    case '{':
        if (Py_EnterRecursiveCall(
                " while decoding a JSON object from a unicode string")) {
            return NULL;
        }
        res = scan_object(self, doc, pos + 1, end);
        Py_LeaveRecursiveCall();
        return res;
    case '[':
        if (Py_EnterRecursiveCall(
                " while decoding a JSON array from a unicode string")) {
            return NULL;
        }
        res = scan_array(self, doc, pos + 1, end);
        Py_LeaveRecursiveCall();
        return res;
    case 'n':
        if (word_at(doc, pos, "null", end)) {
            Py_RETURN_NONE;
        }
        break;
    case 't':
        if (word_at(doc, pos, "true", end)) {
            Py_RETURN_TRUE;
        }
        break;
    case 'f':
        if (word_at(doc, pos, "false", end)) {
            Py_RETURN_FALSE;
        }
        break;
    case 'N':
        if (word_at(doc, pos, "NaN", end)) {
            return scan_constant(self, "NaN");
        }
        break;
    case 'I':
        if (word_at(doc, pos, "Infinity", end)) {
            return scan_constant(self, "Infinity");
        }
        break;
    case '-':
        if (word_at(doc, pos, "-Infinity", end)) {
            return scan_constant(self, "-Infinity");
        }
        break;
    }
    return scan_number(self, doc, pos, end);
}

static PyObject *
scanner_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"string", "idx", NULL};
    struct scanner *self = (struct scanner *)op;
    PyObject *doc;
    Py_ssize_t pos, end = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "On:scan_once", keywords, &doc,
                                     &pos)) {
        return NULL;
    }
    if (!kr_json_check_text(doc)) {
        return NULL;
    }
    PyObject *res = scan(self, doc, pos, &end);
    PyDict_Clear(self->memo);
    return res == NULL ? NULL : Py_BuildValue("Nn", res, end);
}

/* ---- the type ----------------------------------------------------------- */

static int
scanner_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct scanner *self = (struct scanner *)op;
    Py_VISIT(self->object_hook);
    Py_VISIT(self->object_pairs_hook);
    Py_VISIT(self->parse_float);
    Py_VISIT(self->parse_int);
    Py_VISIT(self->parse_constant);
    Py_VISIT(self->memo);
    return 0;
}

static int
scanner_clear(PyObject *op)
{
    struct scanner *self = (struct scanner *)op;
    Py_CLEAR(self->object_hook);
    Py_CLEAR(self->object_pairs_hook);
    Py_CLEAR(self->parse_float);
    Py_CLEAR(self->parse_int);
    Py_CLEAR(self->parse_constant);
    Py_CLEAR(self->memo);
    return 0;
}

static void
scanner_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    scanner_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *
scanner_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"context", NULL};
    PyObject *context;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O:make_scanner", keywords,
                                     &context)) {
        return NULL;
    }
    struct scanner *self = (struct scanner *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    int flag = -1;
    self->memo = PyDict_New();
    PyObject *strict =
        self->memo == NULL ? NULL : PyObject_GetAttr(context, KR_ID(strict));
    if (strict != NULL) {
        flag = PyObject_IsTrue(strict);
        Py_DECREF(strict);
    }
    if (flag < 0 ||
        !(self->object_hook =
              PyObject_GetAttr(context, KR_ID(object_hook))) ||
        !(self->object_pairs_hook =
              PyObject_GetAttr(context, KR_ID(object_pairs_hook))) ||
        !(self->parse_float =
              PyObject_GetAttr(context, KR_ID(parse_float))) ||
        !(self->parse_int = PyObject_GetAttr(context, KR_ID(parse_int))) ||
        !(self->parse_constant =
              PyObject_GetAttr(context, KR_ID(parse_constant)))) {
        Py_DECREF(self);
        return NULL;
    }
    self->strict = (char)flag;
    return (PyObject *)self;
}

#define OFF(f) offsetof(struct scanner, f)
static PyMemberDef scanner_members[] = {
    {"strict", T_BOOL, OFF(strict), READONLY, "strict"},
    {"object_hook", T_OBJECT, OFF(object_hook), READONLY, "object_hook"},
    {"object_pairs_hook", T_OBJECT, OFF(object_pairs_hook), READONLY},
    {"parse_float", T_OBJECT, OFF(parse_float), READONLY, "parse_float"},
    {"parse_int", T_OBJECT, OFF(parse_int), READONLY, "parse_int"},
    {"parse_constant", T_OBJECT, OFF(parse_constant), READONLY,
     "parse_constant"},
    {NULL},
};

PyTypeObject kr_json_scanner_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_json.Scanner",
    .tp_basicsize = sizeof(struct scanner),
    .tp_dealloc = scanner_dealloc,
    .tp_call = scanner_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("JSON scanner object"),
    .tp_traverse = scanner_traverse,
    .tp_clear = scanner_clear,
    .tp_members = scanner_members,
    .tp_new = scanner_new,
};
