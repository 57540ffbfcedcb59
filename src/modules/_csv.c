/* The module _csv: readers, writers and dialects of the csv module. */
#include <Python.h>
#include <stdbool.h>
#include <structmember.h>

#include <string.h>

#include "modules/addtype.h"
#include "modules/kwargs.h"
#include "modules/modfree.h"
#include "objects/ids.h"

#define NOT_SET ((Py_UCS4)-1)

enum quoting { QUOTE_MINIMAL, QUOTE_ALL, QUOTE_NONNUMERIC, QUOTE_NONE };

struct csv_state {
    PyObject *error;
    PyObject *dialects; /* dict name -> Dialect */
    PyTypeObject *dialect_type, *reader_type, *writer_type;
    long field_limit;
};

static struct csv_state *state_of_type(PyTypeObject *type);

/* ---- dialects ----------------------------------------------------------- */

struct dialect {
    PyObject_HEAD
    char doublequote;
    char skipinitialspace;
    char strict;
    int quoting;
    Py_UCS4 delimiter, quotechar, escapechar;
    PyObject *lineterminator; /* str */
};

static PyObject *
char_or_none(Py_UCS4 c)
{
    if (c == NOT_SET) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromOrdinal((int)c);
}

static PyObject *
get_delimiter(PyObject *self, void *Py_UNUSED(closure))
{
    return char_or_none(((struct dialect *)self)->delimiter);
}

static PyObject *
get_escapechar(PyObject *self, void *Py_UNUSED(closure))
{
    return char_or_none(((struct dialect *)self)->escapechar);
}

static PyObject *
get_quotechar(PyObject *self, void *Py_UNUSED(closure))
{
    return char_or_none(((struct dialect *)self)->quotechar);
}

static PyObject *
get_quoting(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(((struct dialect *)self)->quoting);
}

static PyObject *
get_lineterminator(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *text = ((struct dialect *)self)->lineterminator;
    return Py_NewRef(text != NULL ? text : Py_None);
}

static bool
set_bool(const char *Py_UNUSED(name), char *target, PyObject *src, bool dflt)
{
    int value = src == NULL ? dflt : PyObject_IsTrue(src);
    *target = (char)value;
    return value >= 0;
}

static bool
set_quoting(int *target, PyObject *src)
{
    if (src == NULL) {
        *target = QUOTE_MINIMAL;
        return true;
    }
    if (!PyLong_CheckExact(src)) {
        PyErr_SetString(PyExc_TypeError, "\"quoting\" must be an integer");
        return false;
    }
    int value = _PyLong_AsInt(src);
    if (value == -1 && PyErr_Occurred()) {
        return false;
    }
    *target = value;
    return true;
}

/* A one-character string; None is allowed where `optional`. */
static bool
set_char(const char *name, Py_UCS4 *target, PyObject *src, Py_UCS4 dflt,
         bool optional)
{
    if (src == NULL) {
        *target = dflt;
        return true;
    }
    *target = NOT_SET;
    if (optional && src == Py_None) {
        return true;
    }
    if (!PyUnicode_Check(src)) {
        PyErr_Format(PyExc_TypeError,
                     optional ? "\"%s\" must be string or None, not %.200s"
                              : "\"%s\" must be string, not %.200s",
                     name, Py_TYPE(src)->tp_name);
        return false;
    }
    Py_ssize_t n = PyUnicode_GetLength(src);
    if (n < 0) {
        return false;
    }
    if (n != 1) {
        PyErr_Format(PyExc_TypeError, "\"%s\" must be a 1-character string",
                     name);
        return false;
    }
    *target = PyUnicode_READ_CHAR(src, 0);
    return true;
}

static bool
set_string(const char *name, PyObject **target, PyObject *src)
{
    PyObject *value;
    if (src == NULL) {
        value = PyUnicode_FromString("\r\n");
        if (value == NULL) {
            return false;
        }
    }
    else if (src == Py_None) {
        value = NULL;
    }
    else if (!PyUnicode_Check(src)) {
        PyErr_Format(PyExc_TypeError, "\"%s\" must be a string", name);
        return false;
    }
    else {
        value = Py_NewRef(src);
    }
    Py_XSETREF(*target, value);
    return true;
}

enum param {
    P_DIALECT, P_DELIMITER, P_DOUBLEQUOTE, P_ESCAPECHAR, P_LINETERMINATOR,
    P_QUOTECHAR, P_QUOTING, P_SKIPINITIALSPACE, P_STRICT, P_COUNT,
};

static bool
fill_dialect(struct dialect *d, PyObject *const *p)
{
    if (!set_char("delimiter", &d->delimiter, p[P_DELIMITER], ',', false) ||
        !set_bool("doublequote", &d->doublequote, p[P_DOUBLEQUOTE], true) ||
        !set_char("escapechar", &d->escapechar, p[P_ESCAPECHAR], NOT_SET,
                  true) ||
        !set_string("lineterminator", &d->lineterminator,
                    p[P_LINETERMINATOR]) ||
        !set_char("quotechar", &d->quotechar, p[P_QUOTECHAR], '"', true) ||
        !set_quoting(&d->quoting, p[P_QUOTING]) ||
        !set_bool("skipinitialspace", &d->skipinitialspace,
                  p[P_SKIPINITIALSPACE], false) ||
        !set_bool("strict", &d->strict, p[P_STRICT], false)) {
        return false;
    }
    if (d->quoting < QUOTE_MINIMAL || d->quoting > QUOTE_NONE) {
        PyErr_SetString(PyExc_TypeError, "bad \"quoting\" value");
        return false;
    }
    if (p[P_QUOTECHAR] == Py_None && p[P_QUOTING] == NULL) {
        d->quoting = QUOTE_NONE;
    }
    if (d->quoting != QUOTE_NONE && d->quotechar == NOT_SET) {
        PyErr_SetString(PyExc_TypeError,
                        "quotechar must be set if quoting enabled");
        return false;
    }
    if (d->lineterminator == NULL) {
        PyErr_SetString(PyExc_TypeError, "lineterminator must be set");
        return false;
    }
    return true;
}

/* Borrowed: the dialect registered under `name`. */
static PyObject *
find_dialect(struct csv_state *state, PyObject *name)
{
    PyObject *d = PyDict_GetItemWithError(state->dialects, name);
    if (d == NULL && !PyErr_Occurred()) {
        PyErr_SetString(state->error, "unknown dialect");
    }
    return d;
}

/* Takes what was not given from attributes of the dialect. References in `p`
 * become the caller's. */
static bool
inherit(PyObject *dialect, PyObject **p, const char *const *names)
{
    for (int i = P_DELIMITER; i < P_COUNT; i++) {
        if (p[i] != NULL || dialect == NULL) {
            Py_XINCREF(p[i]);
            continue;
        }
        p[i] = PyObject_GetAttrString(dialect, names[i]);
        if (p[i] == NULL) {
            PyErr_Clear(); /* whatever it was, the default is used */
        }
    }
    return true;
}

static PyObject *
dialect_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"dialect",        "delimiter", "doublequote",
                               "escapechar",     "lineterminator",
                               "quotechar",      "quoting",
                               "skipinitialspace", "strict",   NULL};
    PyObject *p[P_COUNT] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOOOOOOO", keywords,
                                     &p[0], &p[1], &p[2], &p[3], &p[4], &p[5],
                                     &p[6], &p[7], &p[8])) {
        return NULL;
    }
    struct csv_state *state = state_of_type(type);
    if (state == NULL) {
        return NULL;
    }
    PyObject *base = p[P_DIALECT];
    if (base != NULL) {
        if (PyUnicode_Check(base)) {
            base = find_dialect(state, base);
            if (base == NULL) {
                return NULL;
            }
        }
        bool bare = true;
        for (int i = P_DELIMITER; i < P_COUNT; i++) {
            bare = bare && p[i] == NULL;
        }
        Py_INCREF(base);
        if (bare && PyObject_TypeCheck(base, state->dialect_type)) {
            return base; /* nothing changes it */
        }
    }
    inherit(base, p, (const char *const *)keywords);
    struct dialect *self = (struct dialect *)type->tp_alloc(type, 0);
    if (self != NULL && !fill_dialect(self, p)) {
        Py_CLEAR(self);
    }
    for (int i = P_DELIMITER; i < P_COUNT; i++) {
        Py_XDECREF(p[i]);
    }
    Py_XDECREF(base);
    return (PyObject *)self;
}

static int
dialect_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct dialect *)self)->lineterminator);
    return 0;
}

static int
dialect_clear(PyObject *self)
{
    Py_CLEAR(((struct dialect *)self)->lineterminator);
    return 0;
}

static void
dialect_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    dialect_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
dialect_no_pickle(PyObject *self, PyObject *Py_UNUSED(args))
{
    return PyErr_Format(PyExc_TypeError, "cannot pickle '%.100s' instances",
                        _PyType_Name(Py_TYPE(self)));
}

static PyMethodDef dialect_methods[] = {
    {"__reduce__", dialect_no_pickle, METH_VARARGS,
     PyDoc_STR("raises an exception to avoid pickling")},
    {"__reduce_ex__", dialect_no_pickle, METH_VARARGS,
     PyDoc_STR("raises an exception to avoid pickling")},
    {NULL},
};

static PyMemberDef dialect_members[] = {
    {"skipinitialspace", T_BOOL, offsetof(struct dialect, skipinitialspace),
     READONLY},
    {"doublequote", T_BOOL, offsetof(struct dialect, doublequote), READONLY},
    {"strict", T_BOOL, offsetof(struct dialect, strict), READONLY},
    {NULL},
};

static PyGetSetDef dialect_getset[] = {
    {"delimiter", get_delimiter},
    {"escapechar", get_escapechar},
    {"lineterminator", get_lineterminator},
    {"quotechar", get_quotechar},
    {"quoting", get_quoting},
    {NULL},
};

static PyType_Slot dialect_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR(
        "CSV dialect\n\nThe Dialect type records CSV parsing and generation "
        "options.\n")},
    {Py_tp_new, dialect_new},
    {Py_tp_dealloc, dialect_dealloc},
    {Py_tp_traverse, dialect_traverse},
    {Py_tp_clear, dialect_clear},
    {Py_tp_methods, dialect_methods},
    {Py_tp_members, dialect_members},
    {Py_tp_getset, dialect_getset},
    {0, NULL},
};

static PyType_Spec dialect_spec = {
    .name = "_csv.Dialect",
    .basicsize = sizeof(struct dialect),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = dialect_slots,
};

/* New: a dialect for `base` (or NULL) and keyword arguments (or NULL). */
static struct dialect *
make_dialect(struct csv_state *state, PyObject *base, PyObject *kwargs)
{
    PyObject *args =
        base != NULL ? PyTuple_Pack(1, base) : PyTuple_New(0);
    if (args == NULL) {
        return NULL;
    }
    PyObject *d = PyObject_Call((PyObject *)state->dialect_type, args, kwargs);
    Py_DECREF(args);
    return (struct dialect *)d;
}

/* ---- reader ------------------------------------------------------------- */

enum reading {
    START_RECORD, START_FIELD, ESCAPED_CHAR, IN_FIELD, IN_QUOTED_FIELD,
    ESCAPE_IN_QUOTED_FIELD, QUOTE_IN_QUOTED_FIELD, EAT_CRNL,
    AFTER_ESCAPED_CRNL,
};

struct reader {
    PyObject_HEAD
    PyObject *input; /* iterator of lines */
    struct dialect *dialect;
    PyObject *fields; /* of the record being read */
    struct csv_state *state;
    Py_UCS4 *field; /* the text of the field being read */
    Py_ssize_t size, room;
    bool numeric; /* the field is to become a float */
    enum reading reading;
    unsigned long line_num;
};

static bool
save_field(struct reader *r)
{
    PyObject *field = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, r->field,
                                                r->size);
    r->size = 0;
    if (field != NULL && r->numeric) {
        r->numeric = false;
        Py_SETREF(field, PyNumber_Float(field));
    }
    if (field == NULL) {
        return false;
    }
    int res = PyList_Append(r->fields, field);
    Py_DECREF(field);
    return res == 0;
}

static bool
add_char(struct reader *r, Py_UCS4 c)
{
    if (r->size >= r->state->field_limit) {
        PyErr_Format(r->state->error,
                     "field larger than field limit (%ld)",
                     r->state->field_limit);
        return false;
    }
    if (r->size == r->room) {
        Py_ssize_t room = r->room ? r->room * 2 : 4096;
        Py_UCS4 *field = r->field;
        if (room > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(Py_UCS4) ||
            (field = PyMem_Realloc(field, (size_t)room * sizeof(Py_UCS4))) ==
                NULL) {
            PyErr_NoMemory();
            return false;
        }
        r->field = field;
        r->room = room;
    }
    r->field[r->size++] = c;
    return true;
}

/* The end of a line is `c` == NOT_SET. */
static inline bool
ends_line(Py_UCS4 c)
{
    return c == '\n' || c == '\r' || c == NOT_SET;
}

static inline enum reading
after_record(Py_UCS4 c)
{
    return c == NOT_SET ? START_RECORD : EAT_CRNL;
}

static bool
start_field(struct reader *r, Py_UCS4 c)
{
    struct dialect *d = r->dialect;
    if (ends_line(c)) {
        r->reading = after_record(c);
        return save_field(r);
    }
    if (c == d->quotechar && d->quoting != QUOTE_NONE) {
        r->reading = IN_QUOTED_FIELD;
    }
    else if (c == d->escapechar) {
        r->reading = ESCAPED_CHAR;
    }
    else if (c == ' ' && d->skipinitialspace) {
        ;
    }
    else if (c == d->delimiter) {
        return save_field(r);
    }
    else {
        if (d->quoting == QUOTE_NONNUMERIC) {
            r->numeric = true;
        }
        r->reading = IN_FIELD;
        return add_char(r, c);
    }
    return true;
}

static bool
in_field(struct reader *r, Py_UCS4 c)
{
    struct dialect *d = r->dialect;
    if (ends_line(c)) {
        r->reading = after_record(c);
        return save_field(r);
    }
    if (c == d->escapechar) {
        r->reading = ESCAPED_CHAR;
        return true;
    }
    if (c == d->delimiter) {
        r->reading = START_FIELD;
        return save_field(r);
    }
    return add_char(r, c);
}

/* A quote has come inside a quoted field. */
static bool
after_quote(struct reader *r, Py_UCS4 c)
{
    struct dialect *d = r->dialect;
    if (d->quoting != QUOTE_NONE && c == d->quotechar) {
        r->reading = IN_QUOTED_FIELD; /* a doubled one */
        return add_char(r, c);
    }
    if (c == d->delimiter) {
        r->reading = START_FIELD;
        return save_field(r);
    }
    if (ends_line(c)) {
        r->reading = after_record(c);
        return save_field(r);
    }
    if (d->strict) {
        PyErr_Format(r->state->error, "'%c' expected after '%c'", d->delimiter,
                     d->quotechar);
        return false;
    }
    r->reading = IN_FIELD;
    return add_char(r, c);
}

static bool
in_quotes(struct reader *r, Py_UCS4 c)
{
    struct dialect *d = r->dialect;
    if (c == NOT_SET) {
        return true;
    }
    if (c == d->escapechar) {
        r->reading = ESCAPE_IN_QUOTED_FIELD;
        return true;
    }
    if (c == d->quotechar && d->quoting != QUOTE_NONE) {
        r->reading = d->doublequote ? QUOTE_IN_QUOTED_FIELD : IN_FIELD;
        return true;
    }
    return add_char(r, c);
}

static bool
process_char(struct reader *r, Py_UCS4 c)
{
    switch (r->reading) {
    case START_RECORD:
        if (c == NOT_SET) {
            return true; /* an empty line: an empty record */
        }
        if (c == '\n' || c == '\r') {
            r->reading = EAT_CRNL;
            return true;
        }
        r->reading = START_FIELD;
        return start_field(r, c);
    case START_FIELD:
        return start_field(r, c);
    case ESCAPED_CHAR:
        if (c == '\n' || c == '\r') {
            r->reading = AFTER_ESCAPED_CRNL;
            return add_char(r, c);
        }
        r->reading = IN_FIELD;
        return add_char(r, c == NOT_SET ? '\n' : c);
    case AFTER_ESCAPED_CRNL:
        return c == NOT_SET || in_field(r, c);
    case IN_FIELD:
        return in_field(r, c);
    case IN_QUOTED_FIELD:
        return in_quotes(r, c);
    case ESCAPE_IN_QUOTED_FIELD:
        r->reading = IN_QUOTED_FIELD;
        return add_char(r, c == NOT_SET ? '\n' : c);
    case QUOTE_IN_QUOTED_FIELD:
        return after_quote(r, c);
    case EAT_CRNL:
        if (c == '\n' || c == '\r') {
            return true;
        }
        if (c == NOT_SET) {
            r->reading = START_RECORD;
            return true;
        }
        PyErr_SetString(r->state->error,
                        "new-line character seen in unquoted field - do you "
                        "need to open the file with newline=''?");
        return false;
    }
    return false;
}

/* The input is at its end in the middle of a record, perhaps. */
static bool
finish_input(struct reader *r)
{
    if (PyErr_Occurred() || (r->size == 0 && r->reading != IN_QUOTED_FIELD)) {
        return false;
    }
    if (r->dialect->strict) {
        PyErr_SetString(r->state->error, "unexpected end of data");
        return false;
    }
    return save_field(r);
}

static bool
process_line(struct reader *r, PyObject *line)
{
    int kind = PyUnicode_KIND(line);
    const void *data = PyUnicode_DATA(line);
    Py_ssize_t n = PyUnicode_GET_LENGTH(line);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!process_char(r, PyUnicode_READ(kind, data, i))) {
            return false;
        }
    }
    return process_char(r, NOT_SET);
}

static PyObject *
reader_next(PyObject *op)
{
    struct reader *r = (struct reader *)op;
    PyObject *fields = PyList_New(0);
    if (fields == NULL) {
        return NULL;
    }
    Py_XSETREF(r->fields, fields);
    r->size = 0;
    r->reading = START_RECORD;
    r->numeric = false;
    do {
        PyObject *line = PyIter_Next(r->input);
        if (line == NULL) {
            if (finish_input(r)) {
                break;
            }
            return NULL;
        }
        if (!PyUnicode_Check(line)) {
            PyErr_Format(r->state->error,
                         "iterator should return strings, not %.200s (the "
                         "file should be opened in text mode)",
                         Py_TYPE(line)->tp_name);
            Py_DECREF(line);
            return NULL;
        }
        r->line_num++;
        bool ok = PyUnicode_READY(line) == 0 && process_line(r, line);
        Py_DECREF(line);
        if (!ok) {
            return NULL;
        }
    } while (r->reading != START_RECORD);
    fields = r->fields;
    r->fields = NULL;
    return fields;
}

static int
reader_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct reader *r = (struct reader *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(r->dialect);
    Py_VISIT(r->input);
    Py_VISIT(r->fields);
    return 0;
}

static int
reader_clear(PyObject *op)
{
    struct reader *r = (struct reader *)op;
    Py_CLEAR(r->dialect);
    Py_CLEAR(r->input);
    Py_CLEAR(r->fields);
    return 0;
}

static void
reader_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    reader_clear(op);
    PyMem_Free(((struct reader *)op)->field);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMemberDef reader_members[] = {
    {"dialect", T_OBJECT, offsetof(struct reader, dialect), READONLY},
    {"line_num", T_ULONG, offsetof(struct reader, line_num), READONLY},
    {NULL},
};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR(
        "CSV reader\n\nReader objects are responsible for reading and parsing "
        "tabular data\nin CSV format.\n")},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_traverse, reader_traverse},
    {Py_tp_clear, reader_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, reader_next},
    {Py_tp_members, reader_members},
    {0, NULL},
};

#define RW_FLAGS                                                               \
    (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |           \
     Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION)

static PyType_Spec reader_spec = {
    .name = "_csv.reader",
    .basicsize = sizeof(struct reader),
    .flags = RW_FLAGS,
    .slots = reader_slots,
};

static PyObject *
csv_reader(PyObject *module, PyObject *args, PyObject *kwargs)
{
    struct csv_state *state = PyModule_GetState(module);
    PyObject *source, *base = NULL;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &source, &base)) {
        return NULL;
    }
    struct reader *r =
        (struct reader *)PyType_GenericAlloc(state->reader_type, 0);
    if (r == NULL) {
        return NULL;
    }
    r->state = state;
    r->input = PyObject_GetIter(source);
    if (r->input != NULL) {
        r->dialect = make_dialect(state, base, kwargs);
    }
    if (r->dialect == NULL) {
        Py_CLEAR(r);
    }
    return (PyObject *)r;
}

/* ---- writer ------------------------------------------------------------- */

struct writer {
    PyObject_HEAD
    PyObject *write; /* method of the file */
    struct dialect *dialect;
    struct csv_state *state;
    _PyUnicodeWriter record;
    int fields; /* in the record so far */
};

/* Whether a field with character `c` must be quoted, or the character escaped
 * (*escape). */
static bool
special(struct dialect *d, Py_UCS4 c)
{
    return c == d->delimiter || c == d->escapechar || c == d->quotechar ||
           c == '\n' || c == '\r' ||
           PyUnicode_FindChar(d->lineterminator, c, 0,
                              PyUnicode_GET_LENGTH(d->lineterminator), 1) >= 0;
}

static bool
put(struct writer *w, Py_UCS4 c)
{
    return _PyUnicodeWriter_WriteChar(&w->record, c) == 0;
}

/* Looks for characters that need care: sets *quoted if quotes do it; false with
 * an exception if one can't be written. */
static bool
inspect(struct writer *w, PyObject *field, bool *quoted, bool *plain)
{
    struct dialect *d = w->dialect;
    int kind = PyUnicode_KIND(field);
    const void *data = PyUnicode_DATA(field);
    Py_ssize_t n = PyUnicode_GET_LENGTH(field);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (!special(d, c)) {
            continue;
        }
        *plain = false;
        bool escape = d->quoting == QUOTE_NONE;
        if (!escape) {
            if (c == d->quotechar) {
                escape = !d->doublequote;
            }
            else if (c == d->escapechar) {
                escape = true;
            }
            if (!escape) {
                *quoted = true;
            }
        }
        if (escape && d->escapechar == NOT_SET) {
            PyErr_SetString(w->state->error,
                            "need to escape, but no escapechar set");
            return false;
        }
    }
    return true;
}

static bool
write_special(struct writer *w, PyObject *field)
{
    struct dialect *d = w->dialect;
    int kind = PyUnicode_KIND(field);
    const void *data = PyUnicode_DATA(field);
    Py_ssize_t n = PyUnicode_GET_LENGTH(field);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (special(d, c)) {
            if (d->quoting == QUOTE_NONE || c == d->escapechar ||
                (c == d->quotechar && !d->doublequote)) {
                if (!put(w, d->escapechar)) {
                    return false;
                }
            }
            else if (c == d->quotechar && !put(w, c)) {
                return false;
            }
        }
        if (!put(w, c)) {
            return false;
        }
    }
    return true;
}

/* Appends one field; `field` is NULL for an empty one. */
static bool
append_field(struct writer *w, PyObject *field, bool quoted)
{
    struct dialect *d = w->dialect;
    bool plain = true;
    if (w->fields > 0 && !put(w, d->delimiter)) {
        return false;
    }
    w->fields++;
    if (field != NULL && !inspect(w, field, &quoted, &plain)) {
        return false;
    }
    if (quoted && !put(w, d->quotechar)) {
        return false;
    }
    if (field != NULL &&
        !(plain ? _PyUnicodeWriter_WriteStr(&w->record, field) == 0
                : write_special(w, field))) {
        return false;
    }
    return !quoted || put(w, d->quotechar);
}

static bool
write_value(struct writer *w, PyObject *value)
{
    bool quoted = false;
    switch (w->dialect->quoting) {
    case QUOTE_NONNUMERIC:
        quoted = !PyNumber_Check(value);
        break;
    case QUOTE_ALL:
        quoted = true;
        break;
    }
    if (value == Py_None) {
        return append_field(w, NULL, quoted);
    }
    PyObject *text =
        PyUnicode_Check(value) ? Py_NewRef(value) : PyObject_Str(value);
    if (text == NULL) {
        return false;
    }
    bool ok = PyUnicode_READY(text) == 0 && append_field(w, text, quoted);
    Py_DECREF(text);
    return ok;
}

/* Writes the fields of a row and the line terminator to the record. */
static bool
compose(struct writer *w, PyObject *iter)
{
    PyObject *value;
    Py_ssize_t size = -1;
    while ((value = PyIter_Next(iter)) != NULL) {
        bool ok = write_value(w, value);
        Py_DECREF(value);
        if (!ok) {
            return false;
        }
        size = w->record.pos;
    }
    if (PyErr_Occurred()) {
        return false;
    }
    if (w->fields > 0 && size == 0) { /* one empty field must be visible */
        if (w->dialect->quoting == QUOTE_NONE) {
            PyErr_SetString(w->state->error,
                            "single empty field record must be quoted");
            return false;
        }
        w->fields--;
        if (!append_field(w, NULL, true)) {
            return false;
        }
    }
    return _PyUnicodeWriter_WriteStr(&w->record, w->dialect->lineterminator) ==
           0;
}

static PyObject *
writer_writerow(PyObject *op, PyObject *row)
{
    struct writer *w = (struct writer *)op;
    PyObject *iter = PyObject_GetIter(row);
    if (iter == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(w->state->error, "iterable expected, not %.200s",
                         Py_TYPE(row)->tp_name);
        }
        return NULL;
    }
    /* str() of a value could write another row with this writer */
    _PyUnicodeWriter outer_record = w->record;
    int outer_fields = w->fields;
    _PyUnicodeWriter_Init(&w->record);
    w->record.overallocate = 1;
    w->fields = 0;
    PyObject *line = NULL;
    if (compose(w, iter)) {
        line = _PyUnicodeWriter_Finish(&w->record);
    }
    else {
        _PyUnicodeWriter_Dealloc(&w->record);
    }
    w->record = outer_record;
    w->fields = outer_fields;
    Py_DECREF(iter);
    if (line == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_CallOneArg(w->write, line);
    Py_DECREF(line);
    return res;
}

static PyObject *
writer_writerows(PyObject *self, PyObject *rows)
{
    PyObject *row, *iter = PyObject_GetIter(rows);
    if (iter == NULL) {
        return NULL;
    }
    while ((row = PyIter_Next(iter)) != NULL) {
        PyObject *res = writer_writerow(self, row);
        Py_DECREF(row);
        if (res == NULL) {
            Py_DECREF(iter);
            return NULL;
        }
        Py_DECREF(res);
    }
    Py_DECREF(iter);
    if (PyErr_Occurred()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static int
writer_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((struct writer *)op)->dialect);
    Py_VISIT(((struct writer *)op)->write);
    return 0;
}

static int
writer_clear(PyObject *op)
{
    Py_CLEAR(((struct writer *)op)->dialect);
    Py_CLEAR(((struct writer *)op)->write);
    return 0;
}

static void
writer_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    writer_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef writer_methods[] = {
    {"writerow", writer_writerow, METH_O,
     PyDoc_STR("writerow(iterable)\n\nConstruct and write a CSV record from an "
               "iterable of fields.")},
    {"writerows", writer_writerows, METH_O,
     PyDoc_STR("writerows(iterable of iterables)\n\nConstruct and write a "
               "series of records.")},
    {NULL},
};

static PyMemberDef writer_members[] = {
    {"dialect", T_OBJECT, offsetof(struct writer, dialect), READONLY},
    {NULL},
};

static PyType_Slot writer_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR(
        "CSV writer\n\nWriter objects are responsible for generating tabular "
        "data\nin CSV format from sequence input.\n")},
    {Py_tp_dealloc, writer_dealloc},
    {Py_tp_traverse, writer_traverse},
    {Py_tp_clear, writer_clear},
    {Py_tp_methods, writer_methods},
    {Py_tp_members, writer_members},
    {0, NULL},
};

static PyType_Spec writer_spec = {
    .name = "_csv.writer",
    .basicsize = sizeof(struct writer),
    .flags = RW_FLAGS,
    .slots = writer_slots,
};

static PyObject *
csv_writer(PyObject *module, PyObject *args, PyObject *kwargs)
{
    struct csv_state *state = PyModule_GetState(module);
    PyObject *file, *base = NULL;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &file, &base)) {
        return NULL;
    }
    struct writer *w =
        (struct writer *)PyType_GenericAlloc(state->writer_type, 0);
    if (w == NULL) {
        return NULL;
    }
    w->state = state;
    if (_PyObject_LookupAttr(file, KR_ID(write), &w->write) < 0) {
        Py_DECREF(w);
        return NULL;
    }
    if (w->write == NULL || !PyCallable_Check(w->write)) {
        PyErr_SetString(PyExc_TypeError,
                        "argument 1 must have a \"write\" method");
        Py_DECREF(w);
        return NULL;
    }
    w->dialect = make_dialect(state, base, kwargs);
    if (w->dialect == NULL) {
        Py_CLEAR(w);
    }
    return (PyObject *)w;
}

/* ---- the module --------------------------------------------------------- */

static PyObject *
list_dialects(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyDict_Keys(
        ((struct csv_state *)PyModule_GetState(module))->dialects);
}

static PyObject *
register_dialect(PyObject *module, PyObject *args, PyObject *kwargs)
{
    struct csv_state *state = PyModule_GetState(module);
    PyObject *name, *base = NULL;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &name, &base)) {
        return NULL;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "dialect name must be a string");
        return NULL;
    }
    PyObject *d = (PyObject *)make_dialect(state, base, kwargs);
    if (d == NULL) {
        return NULL;
    }
    int res = PyDict_SetItem(state->dialects, name, d);
    Py_DECREF(d);
    if (res < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
unregister_dialect(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("unregister_dialect", "name");
    struct csv_state *state = PyModule_GetState(module);
    PyObject *name;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, &name)) {
        return NULL;
    }
    if (PyDict_DelItem(state->dialects, name) < 0) {
        if (PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_SetString(state->error, "unknown dialect");
        }
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
get_dialect(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("get_dialect", "name");
    PyObject *name;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, &name)) {
        return NULL;
    }
    PyObject *d = find_dialect(PyModule_GetState(module), name);
    Py_XINCREF(d);
    return d;
}

static PyObject *
field_size_limit(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("field_size_limit", "new_limit");
    struct csv_state *state = PyModule_GetState(module);
    PyObject *limit;
    long old = state->field_limit;
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 1, 1, &limit)) {
        return NULL;
    }
    if (limit != NULL) {
        if (!PyLong_CheckExact(limit)) {
            PyErr_SetString(PyExc_TypeError, "limit must be an integer");
            return NULL;
        }
        long value = PyLong_AsLong(limit);
        if (value == -1 && PyErr_Occurred()) {
            return NULL;
        }
        state->field_limit = value;
    }
    return PyLong_FromLong(old);
}

PyDoc_STRVAR(reader_doc,
"    csv_reader = reader(iterable [, dialect='excel']\n"
"                             [optional keyword args])\n"
"\n"
"Return an iterator over the records of an iterable of lines.");
PyDoc_STRVAR(writer_doc,
"    csv_writer = csv.writer(fileobj [, dialect='excel']\n"
"                                 [optional keyword args])\n"
"\n"
"Return an object whose writerow() writes a record to the file.");

static PyMethodDef module_methods[] = {
    {"reader", KR_CAST(csv_reader), METH_VARARGS | METH_KEYWORDS, reader_doc},
    {"writer", KR_CAST(csv_writer), METH_VARARGS | METH_KEYWORDS, writer_doc},
    {"list_dialects", list_dialects, METH_NOARGS,
     PyDoc_STR("list_dialects($module, /)\n--\n\n"
               "Return a list of all known dialect names.")},
    {"register_dialect", KR_CAST(register_dialect),
     METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("Create a mapping from a string name to a dialect class.\n"
               "    dialect = csv.register_dialect(name[, dialect[, "
               "**fmtparams]])")},
    {"unregister_dialect", KR_CAST(unregister_dialect), KR_FAST,
     PyDoc_STR("unregister_dialect($module, /, name)\n--\n\n"
               "Delete the dialect associated with a string name.")},
    {"get_dialect", KR_CAST(get_dialect), KR_FAST,
     PyDoc_STR("get_dialect($module, /, name)\n--\n\n"
               "Return the dialect instance associated with name.")},
    {"field_size_limit", KR_CAST(field_size_limit), KR_FAST,
     PyDoc_STR("field_size_limit($module, /, new_limit=<unrepresentable>)\n"
               "--\n\nSet an upper limit on parsed fields; return the old "
               "one.")},
    {NULL},
};

static const struct {
    const char *name, *alias;
} type_names[] = {{"reader", "Reader"}, {"writer", "Writer"}};

/* Made by a specification, its name in messages is the qualified one. */
static PyType_Slot error_slots[] = {{0, NULL}};
static PyType_Spec error_spec = {
    .name = "_csv.Error",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = error_slots,
};

static int
module_exec(PyObject *module)
{
    struct csv_state *state = PyModule_GetState(module);
    state->field_limit = 128 * 1024;
    state->dialects = PyDict_New();
    state->error = PyType_FromModuleAndSpec(module, &error_spec,
                                            PyExc_Exception);
    if (state->dialects == NULL || state->error == NULL ||
        kr_add_type(module, &dialect_spec, NULL, &state->dialect_type) < 0) {
        return -1;
    }
    PyTypeObject **types[] = {&state->reader_type, &state->writer_type};
    PyType_Spec *specs[] = {&reader_spec, &writer_spec};
    for (int i = 0; i < 2; i++) {
        *types[i] =
            (PyTypeObject *)PyType_FromModuleAndSpec(module, specs[i], NULL);
        if (*types[i] == NULL ||
            PyModule_AddObjectRef(module, type_names[i].alias,
                                  (PyObject *)*types[i]) < 0) {
            return -1;
        }
    }
    if (PyModule_AddStringConstant(module, "__version__", "1.0") < 0 ||
        PyModule_AddIntMacro(module, QUOTE_MINIMAL) < 0 ||
        PyModule_AddIntMacro(module, QUOTE_ALL) < 0 ||
        PyModule_AddIntMacro(module, QUOTE_NONNUMERIC) < 0 ||
        PyModule_AddIntMacro(module, QUOTE_NONE) < 0 ||
        PyModule_AddObjectRef(module, "_dialects", state->dialects) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "Error", state->error);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct csv_state *state = PyModule_GetState(module);
    Py_VISIT(state->error);
    Py_VISIT(state->dialects);
    Py_VISIT(state->dialect_type);
    Py_VISIT(state->reader_type);
    Py_VISIT(state->writer_type);
    return 0;
}

static int
module_clear(PyObject *module)
{
    struct csv_state *state = PyModule_GetState(module);
    Py_CLEAR(state->error);
    Py_CLEAR(state->dialects);
    Py_CLEAR(state->dialect_type);
    Py_CLEAR(state->reader_type);
    Py_CLEAR(state->writer_type);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

PyDoc_STRVAR(module_doc,
"CSV parsing and writing.\n"
"\n"
"Classes that assist in the reading and writing of Comma Separated Value\n"
"(CSV) files, in whatever dialect. The module csv is their interface.");

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_csv",
    .m_doc = module_doc,
    .m_size = sizeof(struct csv_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = kr_module_free,
};

/* The state of the module that made `type` or a base of it. */
static struct csv_state *
state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &module_def);
    return module == NULL ? NULL : PyModule_GetState(module);
}

PyMODINIT_FUNC
PyInit__csv(void)
{
    return PyModuleDef_Init(&module_def);
}
