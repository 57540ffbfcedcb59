/* str.format: the parser of replacement fields, and what _string shows of it. */
#include <Python.h>

#include "objects/str/str.h"

/* A part of a string; str is borrowed. */
struct span {
    PyObject *str;
    Py_ssize_t start, end;
};

static PyObject *
span_object(const struct span *s)
{
    return s->str == NULL ? Py_NewRef(Py_None)
                          : PyUnicode_Substring(s->str, s->start, s->end);
}

static PyObject *
span_or_empty(const struct span *s)
{
    return s->str == NULL ? kr_str_empty()
                          : PyUnicode_Substring(s->str, s->start, s->end);
}

/* A non-negative integer; -1 if it is none, with an exception set only if it
 * is too big. */
static Py_ssize_t
span_integer(const struct span *s)
{
    Py_ssize_t value = 0;
    if (s->start >= s->end) {
        return -1;
    }
    for (Py_ssize_t i = s->start; i < s->end; i++) {
        int digit = Py_UNICODE_TODECIMAL(PyUnicode_READ_CHAR(s->str, i));
        if (digit < 0) {
            return -1;
        }
        if (value > (PY_SSIZE_T_MAX - digit) / 10) {
            PyErr_SetString(PyExc_ValueError,
                            "Too many decimal digits in format string");
            return -1;
        }
        value = value * 10 + digit;
    }
    return value;
}

/* --- field names ---------------------------------------------------------------- */

/* Walks ".name" and "[key]" parts. */
struct parts {
    struct span s;
    Py_ssize_t i;
};

/* 2: a part found, 1: at the end, 0: error. */
static int
next_part(struct parts *p, int *is_attribute, Py_ssize_t *index,
          struct span *name)
{
    if (p->i >= p->s.end) {
        return 1;
    }
    Py_UCS4 c = PyUnicode_READ_CHAR(p->s.str, p->i++);
    *name = (struct span){p->s.str, p->i, p->i};
    *index = -1;
    if (c == '.') {
        *is_attribute = 1;
        while (p->i < p->s.end) {
            c = PyUnicode_READ_CHAR(p->s.str, p->i);
            if (c == '.' || c == '[') {
                break;
            }
            p->i++;
        }
        name->end = p->i;
    }
    else if (c == '[') {
        *is_attribute = 0;
        while (p->i < p->s.end &&
               PyUnicode_READ_CHAR(p->s.str, p->i) != ']') {
            p->i++;
        }
        if (p->i >= p->s.end) {
            PyErr_SetString(PyExc_ValueError, "Missing ']' in format string");
            return 0;
        }
        name->end = p->i++;
        *index = span_integer(name);
        if (*index == -1 && PyErr_Occurred()) {
            return 0;
        }
    }
    else {
        PyErr_SetString(PyExc_ValueError,
                        "Only '.' or '[' may follow ']' in format field "
                        "specifier");
        return 0;
    }
    if (name->start == name->end) {
        PyErr_SetString(PyExc_ValueError, "Empty attribute in format string");
        return 0;
    }
    return 2;
}

/* How fields without a name are numbered. */
struct auto_number {
    enum { AUTO_UNKNOWN, AUTO_YES, AUTO_NO } state;
    Py_ssize_t next;
};

/* Splits a field name into its first part and the rest. `index` is -1 for a
 * keyword. */
static int
split_field(const struct span *field, struct span *first, Py_ssize_t *index,
            struct parts *rest, struct auto_number *number)
{
    Py_ssize_t i = field->start;
    while (i < field->end) {
        Py_UCS4 c = PyUnicode_READ_CHAR(field->str, i);
        if (c == '[' || c == '.') {
            break;
        }
        i++;
    }
    *first = (struct span){field->str, field->start, i};
    *rest = (struct parts){{field->str, i, field->end}, i};
    *index = span_integer(first);
    if (*index == -1 && PyErr_Occurred()) {
        return -1;
    }
    int empty = first->start == first->end;
    if (number == NULL || (*index == -1 && !empty)) {
        return 0;
    }
    if (number->state == AUTO_UNKNOWN) {
        number->state = empty ? AUTO_YES : AUTO_NO;
    }
    if ((number->state == AUTO_YES) != empty) {
        PyErr_SetString(PyExc_ValueError,
                        empty ? "cannot switch from manual field specification "
                                "to automatic field numbering"
                              : "cannot switch from automatic field numbering "
                                "to manual field specification");
        return -1;
    }
    if (empty) {
        *index = number->next++;
    }
    return 0;
}

/* What the fields refer to. args is NULL for format_map. */
struct arguments {
    PyObject *args, *kwargs;
};

static PyObject *
first_object(const struct span *first, Py_ssize_t index,
             const struct arguments *from)
{
    if (index == -1) {
        PyObject *key = span_object(first), *obj = NULL;
        if (key == NULL) {
            return NULL;
        }
        if (from->kwargs == NULL) {
            PyErr_SetObject(PyExc_KeyError, key);
        }
        else {
            /* the exact dict of **kwargs, or the mapping of format_map */
            obj = PyObject_GetItem(from->kwargs, key);
        }
        Py_DECREF(key);
        return obj;
    }
    if (from->args == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "Format string contains positional fields");
        return NULL;
    }
    if (index >= PyTuple_GET_SIZE(from->args)) {
        PyErr_Format(PyExc_IndexError,
                     "Replacement index %zd out of range for positional "
                     "args tuple", index);
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(from->args, index));
}

static PyObject *
field_object(const struct span *field, const struct arguments *from,
             struct auto_number *number)
{
    struct span first, name;
    struct parts rest;
    Py_ssize_t index;
    int is_attribute = 0, rc;
    if (split_field(field, &first, &index, &rest, number) < 0) {
        return NULL;
    }
    PyObject *obj = first_object(&first, index, from);
    if (obj == NULL) {
        return NULL;
    }
    while ((rc = next_part(&rest, &is_attribute, &index, &name)) == 2) {
        PyObject *key = !is_attribute && index != -1
                            ? PyLong_FromSsize_t(index)
                            : span_object(&name);
        PyObject *next = NULL;
        if (key != NULL) {
            next = is_attribute ? PyObject_GetAttr(obj, key)
                                : PyObject_GetItem(obj, key);
            Py_DECREF(key);
        }
        Py_SETREF(obj, next);
        if (obj == NULL) {
            return NULL;
        }
    }
    if (rc == 0) {
        Py_CLEAR(obj);
    }
    return obj;
}

/* --- markup ----------------------------------------------------------------------- */

struct field {
    struct span literal, name, spec;
    Py_UCS4 conversion; /* 0: none */
    int present, nested;
};

/* Reads the field whose '{' has been consumed. */
static int
parse_field(struct span *s, struct field *f)
{
    PyObject *str = s->str;
    Py_UCS4 c = 0;
    f->name = (struct span){str, s->start, s->start};
    int bracket = 0;
    while (s->start < s->end) {
        c = PyUnicode_READ_CHAR(str, s->start++);
        if (c == '{') {
            PyErr_SetString(PyExc_ValueError,
                            "unexpected '{' in field name");
            return -1;
        }
        if (c == '[') {
            /* keys may hold anything but brackets */
            while (s->start < s->end &&
                   PyUnicode_READ_CHAR(str, s->start) != ']') {
                s->start++;
            }
            continue;
        }
        if (c == '}' || c == ':' || c == '!') {
            bracket = 1;
            break;
        }
    }
    f->name.end = s->start - bracket;
    if (!bracket || (c != '}' && c != ':' && c != '!')) {
        PyErr_SetString(PyExc_ValueError,
                        "expected '}' before end of string");
        return -1;
    }
    if (c == '}') {
        return 0;
    }
    if (c == '!') {
        if (s->start >= s->end) {
            PyErr_SetString(PyExc_ValueError,
                            "end of string while looking for conversion "
                            "specifier");
            return -1;
        }
        f->conversion = PyUnicode_READ_CHAR(str, s->start++);
        if (s->start < s->end) {
            c = PyUnicode_READ_CHAR(str, s->start++);
            if (c == '}') {
                return 0;
            }
            if (c != ':') {
                PyErr_SetString(PyExc_ValueError, "expected ':' after "
                                                  "conversion specifier");
                return -1;
            }
        }
    }
    f->spec = (struct span){str, s->start, s->end};
    for (int depth = 1; s->start < s->end; s->start++) {
        c = PyUnicode_READ_CHAR(str, s->start);
        if (c == '{') {
            f->nested = 1;
            depth++;
        }
        else if (c == '}' && --depth == 0) {
            f->spec.end = s->start++;
            return 0;
        }
    }
    PyErr_SetString(PyExc_ValueError, "unmatched '{' in format spec");
    return -1;
}

/* Reads literal text and the field after it. 2: read, 1: at the end, 0:
 * error. */
static int
next_markup(struct span *s, struct field *f)
{
    memset(f, 0, sizeof(*f));
    if (s->start >= s->end) {
        return 1;
    }
    PyObject *str = s->str;
    Py_ssize_t start = s->start;
    Py_UCS4 c = 0;
    int brace = 0;
    while (s->start < s->end) {
        c = PyUnicode_READ_CHAR(str, s->start++);
        if (c == '{' || c == '}') {
            brace = 1;
            break;
        }
    }
    int at_end = s->start >= s->end;
    Py_ssize_t len = s->start - start;
    f->literal.str = str;
    f->literal.start = start;
    if (c == '}' && (at_end || PyUnicode_READ_CHAR(str, s->start) != c)) {
        PyErr_SetString(PyExc_ValueError,
                        "Single '}' encountered in format string");
        return 0;
    }
    if (at_end && c == '{') {
        PyErr_SetString(PyExc_ValueError,
                        "Single '{' encountered in format string");
        return 0;
    }
    if (!at_end && brace) {
        if (PyUnicode_READ_CHAR(str, s->start) == c) {
            /* a doubled brace: keep the first */
            s->start++;
            brace = 0;
        }
        else {
            len--;
        }
    }
    f->literal.end = start + len;
    if (!brace) {
        return 2;
    }
    f->present = 1;
    return parse_field(s, f) < 0 ? 0 : 2;
}

static PyObject *
convert(PyObject *obj, Py_UCS4 conversion)
{
    switch (conversion) {
    case 'r':
        return PyObject_Repr(obj);
    case 's':
        return PyObject_Str(obj);
    case 'a':
        return PyObject_ASCII(obj);
    default:
        if (conversion > 32 && conversion < 127) {
            PyErr_Format(PyExc_ValueError, "Unknown conversion specifier %c",
                         (int)conversion);
        }
        else {
            PyErr_Format(PyExc_ValueError,
                         "Unknown conversion specifier \\x%x",
                         (unsigned)conversion);
        }
        return NULL;
    }
}

static PyObject *build(const struct span *s, const struct arguments *from,
                       int depth, struct auto_number *number);

static int
format_object(PyObject *obj, PyObject *spec, _PyUnicodeWriter *w)
{
    PyObject *text;
    Py_ssize_t n = spec == NULL ? 0 : STR_LEN(spec);
    if (n == 0 && PyUnicode_CheckExact(obj)) {
        return _PyUnicodeWriter_WriteStr(w, obj);
    }
    if (n == 0 && PyLong_CheckExact(obj)) {
        text = PyObject_Str(obj);
    }
    else {
        text = PyObject_Format(obj, spec);
    }
    if (text == NULL) {
        return -1;
    }
    int rc = _PyUnicodeWriter_WriteStr(w, text);
    Py_DECREF(text);
    return rc;
}

static int
output_field(const struct field *f, const struct arguments *from,
             _PyUnicodeWriter *w, int depth, struct auto_number *number)
{
    PyObject *obj = field_object(&f->name, from, number), *spec = NULL;
    int rc = -1;
    if (obj == NULL) {
        return -1;
    }
    if (f->conversion != 0) {
        Py_SETREF(obj, convert(obj, f->conversion));
        if (obj == NULL) {
            return -1;
        }
    }
    if (f->nested) {
        spec = build(&f->spec, from, depth - 1, number);
    }
    else if (f->spec.str != NULL && f->spec.end > f->spec.start) {
        spec = span_object(&f->spec);
    }
    else {
        rc = format_object(obj, NULL, w);
        goto done;
    }
    if (spec != NULL) {
        rc = format_object(obj, spec, w);
    }
done:
    Py_DECREF(obj);
    Py_XDECREF(spec);
    return rc;
}

static PyObject *
build(const struct span *input, const struct arguments *from, int depth,
      struct auto_number *number)
{
    if (depth <= 0) {
        PyErr_SetString(PyExc_ValueError, "Max string recursion exceeded");
        return NULL;
    }
    struct span s = *input;
    struct field f;
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    w.min_length = s.end - s.start + 100;
    int rc;
    while ((rc = next_markup(&s, &f)) == 2) {
        if (f.literal.end > f.literal.start) {
            if (!f.present && s.start >= s.end) {
                w.overallocate = 0;
            }
            if (_PyUnicodeWriter_WriteSubstring(&w, f.literal.str,
                                                f.literal.start,
                                                f.literal.end) < 0) {
                goto fail;
            }
        }
        if (f.present) {
            if (s.start >= s.end) {
                w.overallocate = 0;
            }
            if (output_field(&f, from, &w, depth, number) < 0) {
                goto fail;
            }
        }
    }
    if (rc == 1) {
        return _PyUnicodeWriter_Finish(&w);
    }
fail:
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

static PyObject *
do_format(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (PyUnicode_READY(self) < 0) {
        return NULL;
    }
    struct span s = {self, 0, STR_LEN(self)};
    struct arguments from = {args, kwargs};
    struct auto_number number = {AUTO_UNKNOWN, 0};
    return build(&s, &from, 2, &number);
}

PyObject *
kr_str_do_format(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return do_format(self, args, kwargs);
}

PyObject *
kr_str_do_format_map(PyObject *self, PyObject *mapping)
{
    return do_format(self, NULL, mapping);
}

PyObject *
kr_str_dunder_format(PyObject *self, PyObject *spec)
{
    if (PyUnicode_READY(self) < 0) {
        return NULL;
    }
    if (STR_LEN(spec) == 0) {
        return PyUnicode_CheckExact(self) ? Py_NewRef(self)
                                          : PyObject_Str(self);
    }
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    if (_PyUnicode_FormatAdvancedWriter(&w, self, spec, 0, STR_LEN(spec)) <
        0) {
        _PyUnicodeWriter_Dealloc(&w);
        return NULL;
    }
    return _PyUnicodeWriter_Finish(&w);
}

/* --- _string ------------------------------------------------------------------------ */

struct formatter_iter {
    PyObject_HEAD
    PyObject *str;
    struct span s;
};

static void
formatter_dealloc(PyObject *self)
{
    Py_XDECREF(((struct formatter_iter *)self)->str);
    PyObject_Free(self);
}

static PyObject *
formatter_next(PyObject *self)
{
    struct field f;
    if (next_markup(&((struct formatter_iter *)self)->s, &f) != 2) {
        return NULL;
    }
    PyObject *literal = span_object(&f.literal);
    PyObject *name = f.present ? span_or_empty(&f.name) : Py_NewRef(Py_None);
    PyObject *spec = f.present ? span_or_empty(&f.spec) : Py_NewRef(Py_None);
    PyObject *conversion = f.conversion == 0 ? Py_NewRef(Py_None)
                                             : kr_str_from_char(f.conversion);
    if (literal == NULL || name == NULL || spec == NULL ||
        conversion == NULL) {
        Py_XDECREF(literal);
        Py_XDECREF(name);
        Py_XDECREF(spec);
        Py_XDECREF(conversion);
        return NULL;
    }
    return Py_BuildValue("(NNNN)", literal, name, spec, conversion);
}

PyTypeObject kr_formatter_iter_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "formatteriterator",
    .tp_basicsize = sizeof(struct formatter_iter),
    .tp_dealloc = formatter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = formatter_next,
};

PyObject *
kr_str_formatter_parser(PyObject *self)
{
    if (!PyUnicode_Check(self)) {
        PyErr_Format(PyExc_TypeError, "expected str, got %s",
                     Py_TYPE(self)->tp_name);
        return NULL;
    }
    if (PyUnicode_READY(self) < 0) {
        return NULL;
    }
    struct formatter_iter *it = PyObject_New(struct formatter_iter,
                                             &kr_formatter_iter_type);
    if (it != NULL) {
        it->str = Py_NewRef(self);
        it->s = (struct span){self, 0, STR_LEN(self)};
    }
    return (PyObject *)it;
}

struct field_iter {
    PyObject_HEAD
    PyObject *str;
    struct parts rest;
};

static void
field_dealloc(PyObject *self)
{
    Py_XDECREF(((struct field_iter *)self)->str);
    PyObject_Free(self);
}

static PyObject *
field_next(PyObject *self)
{
    int is_attribute;
    Py_ssize_t index;
    struct span name;
    if (next_part(&((struct field_iter *)self)->rest, &is_attribute, &index,
                  &name) != 2) {
        return NULL;
    }
    PyObject *key = !is_attribute && index != -1 ? PyLong_FromSsize_t(index)
                                                 : span_object(&name);
    if (key == NULL) {
        return NULL;
    }
    return Py_BuildValue("(NN)", PyBool_FromLong(is_attribute), key);
}

PyTypeObject kr_field_iter_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "fieldnameiterator",
    .tp_basicsize = sizeof(struct field_iter),
    .tp_dealloc = field_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = field_next,
};

PyObject *
kr_str_field_name_split(PyObject *self)
{
    if (!PyUnicode_Check(self)) {
        PyErr_Format(PyExc_TypeError, "expected str, got %s",
                     Py_TYPE(self)->tp_name);
        return NULL;
    }
    if (PyUnicode_READY(self) < 0) {
        return NULL;
    }
    struct field_iter *it = PyObject_New(struct field_iter,
                                         &kr_field_iter_type);
    if (it == NULL) {
        return NULL;
    }
    it->str = Py_NewRef(self);
    struct span s = {self, 0, STR_LEN(self)}, first;
    Py_ssize_t index;
    PyObject *head = NULL;
    if (split_field(&s, &first, &index, &it->rest, NULL) == 0) {
        head = index != -1 ? PyLong_FromSsize_t(index) : span_object(&first);
    }
    if (head == NULL) {
        Py_DECREF(it);
        return NULL;
    }
    return Py_BuildValue("(NN)", head, it);
}
