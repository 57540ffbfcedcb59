/* _json.Encoder: writes any value as JSON. */
#include <Python.h>
#include <structmember.h>

#include <math.h>

#include "modules/_json/json.h"

struct encoder {
    PyObject_HEAD
    PyObject *markers;
    PyObject *defaultfn;
    PyObject *encoder;
    PyObject *indent;
    PyObject *key_separator;
    PyObject *item_separator;
    char sort_keys;
    char skipkeys;
    char allow_nan;
    char native; /* encoder is ours: 1 for the ASCII one, 2 for the other */
};

static int encode(struct encoder *self, _PyUnicodeWriter *w, PyObject *obj);

static int
write_new(_PyUnicodeWriter *w, PyObject *text)
{
    if (text == NULL) {
        return -1;
    }
    int res = _PyUnicodeWriter_WriteStr(w, text);
    Py_DECREF(text);
    return res;
}

static int
encode_string(struct encoder *self, _PyUnicodeWriter *w, PyObject *text)
{
    if (self->native) {
        return PyUnicode_READY(text) < 0
                   ? -1
                   : kr_json_write_string(w, text, self->native == 1);
    }
    PyObject *res = PyObject_CallOneArg(self->encoder, text);
    if (res != NULL && !PyUnicode_Check(res)) {
        PyErr_Format(PyExc_TypeError,
                     "encoder() must return a string, not %.80s",
                     Py_TYPE(res)->tp_name);
        Py_CLEAR(res);
    }
    return write_new(w, res);
}

/* New: the text of a float. */
static PyObject *
float_text(struct encoder *self, PyObject *obj)
{
    double value = PyFloat_AS_DOUBLE(obj);
    if (isfinite(value)) {
        return PyFloat_Type.tp_repr(obj);
    }
    if (!self->allow_nan) {
        PyErr_SetString(PyExc_ValueError,
                        "Out of range float values are not JSON compliant");
        return NULL;
    }
    return PyUnicode_FromString(isnan(value) ? "NaN"
                                : value > 0  ? "Infinity"
                                             : "-Infinity");
}

/* The word for a singleton, or NULL. */
static const char *
constant(PyObject *obj)
{
    return obj == Py_None    ? "null"
           : obj == Py_True  ? "true"
           : obj == Py_False ? "false"
                             : NULL;
}

static int
write_word(_PyUnicodeWriter *w, const char *word)
{
    return _PyUnicodeWriter_WriteASCIIString(w, word, -1);
}

/* ---- circular references ------------------------------------------------ */

/* Notes that `obj` is being written. *ident is what leave() needs. 0 or -1. */
static int
enter(struct encoder *self, PyObject *obj, PyObject **ident)
{
    *ident = NULL;
    if (self->markers == Py_None) {
        return 0;
    }
    *ident = PyLong_FromVoidPtr(obj);
    if (*ident == NULL) {
        return -1;
    }
    int known = PyDict_Contains(self->markers, *ident);
    if (known > 0) {
        PyErr_SetString(PyExc_ValueError, "Circular reference detected");
    }
    if (known != 0 || PyDict_SetItem(self->markers, *ident, obj) < 0) {
        Py_CLEAR(*ident);
        return -1;
    }
    return 0;
}

/* Ends what enter() began; `status` is the result so far. */
static int
leave(struct encoder *self, PyObject *ident, int status)
{
    if (ident != NULL) {
        if (status == 0) {
            status = PyDict_DelItem(self->markers, ident);
        }
        Py_DECREF(ident);
    }
    return status;
}

/* ---- containers --------------------------------------------------------- */

static int
write_items(struct encoder *self, _PyUnicodeWriter *w, PyObject *fast)
{
    if (_PyUnicodeWriter_WriteChar(w, '[') < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast); i++) {
        PyObject *item = Py_NewRef(PySequence_Fast_GET_ITEM(fast, i));
        int res = i > 0 ? _PyUnicodeWriter_WriteStr(w, self->item_separator)
                        : 0;
        if (res == 0) {
            res = encode(self, w, item);
        }
        Py_DECREF(item);
        if (res < 0) {
            return -1;
        }
    }
    return _PyUnicodeWriter_WriteChar(w, ']');
}

static int
encode_list(struct encoder *self, _PyUnicodeWriter *w, PyObject *list)
{
    PyObject *ident;
    PyObject *fast =
        PySequence_Fast(list, "_iterencode_list needs a sequence");
    if (fast == NULL) {
        return -1;
    }
    int res = -1;
    if (PySequence_Fast_GET_SIZE(fast) == 0) {
        res = write_word(w, "[]");
    }
    else if (enter(self, list, &ident) == 0) {
        res = leave(self, ident, write_items(self, w, fast));
    }
    Py_DECREF(fast);
    return res;
}

/* New: the str for a key; NULL without an exception if it is to be skipped. */
static PyObject *
key_text(struct encoder *self, PyObject *key)
{
    if (PyUnicode_Check(key)) {
        return Py_NewRef(key);
    }
    if (PyFloat_Check(key)) {
        return float_text(self, key);
    }
    const char *word = constant(key);
    if (word != NULL) {
        return PyUnicode_FromString(word);
    }
    if (PyLong_Check(key)) {
        return PyLong_Type.tp_repr(key);
    }
    if (!self->skipkeys) {
        PyErr_Format(PyExc_TypeError,
                     "keys must be str, int, float, bool or None, not %.100s",
                     Py_TYPE(key)->tp_name);
    }
    return NULL;
}

static int
write_pairs(struct encoder *self, _PyUnicodeWriter *w, PyObject *items)
{
    bool first = true;
    if (_PyUnicodeWriter_WriteChar(w, '{') < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
            PyErr_SetString(PyExc_ValueError, "items must return 2-tuples");
            return -1;
        }
        PyObject *key = key_text(self, PyTuple_GET_ITEM(pair, 0));
        if (key == NULL) {
            if (PyErr_Occurred()) {
                return -1;
            }
            continue;
        }
        int res = 0;
        if (!first) {
            res = _PyUnicodeWriter_WriteStr(w, self->item_separator);
        }
        first = false;
        if (res == 0) {
            res = encode_string(self, w, key);
        }
        Py_DECREF(key);
        if (res < 0 ||
            _PyUnicodeWriter_WriteStr(w, self->key_separator) < 0 ||
            encode(self, w, PyTuple_GET_ITEM(pair, 1)) < 0) {
            return -1;
        }
    }
    return _PyUnicodeWriter_WriteChar(w, '}');
}

static int
encode_dict(struct encoder *self, _PyUnicodeWriter *w, PyObject *dict)
{
    PyObject *ident;
    if (PyDict_GET_SIZE(dict) == 0) {
        return write_word(w, "{}");
    }
    if (enter(self, dict, &ident) < 0) {
        return -1;
    }
    int res = -1;
    PyObject *items = PyMapping_Items(dict);
    if (items != NULL && (!self->sort_keys || PyList_Sort(items) == 0)) {
        res = write_pairs(self, w, items);
    }
    Py_XDECREF(items);
    return leave(self, ident, res);
}

/* Through the default function of the user. */
static int
encode_other(struct encoder *self, _PyUnicodeWriter *w, PyObject *obj)
{
    PyObject *ident;
    if (enter(self, obj, &ident) < 0) {
        return -1;
    }
    int res = -1;
    PyObject *other = PyObject_CallOneArg(self->defaultfn, obj);
    if (other != NULL &&
        Py_EnterRecursiveCall(" while encoding a JSON object") == 0) {
        res = encode(self, w, other);
        Py_LeaveRecursiveCall();
    }
    Py_XDECREF(other);
    return leave(self, ident, res);
}

static int
encode(struct encoder *self, _PyUnicodeWriter *w, PyObject *obj)
{
    const char *word = constant(obj);
    if (word != NULL) {
        return write_word(w, word);
    }
    if (PyUnicode_Check(obj)) {
        return encode_string(self, w, obj);
    }
    if (PyLong_Check(obj)) {
        return write_new(w, PyLong_Type.tp_repr(obj));
    }
    if (PyFloat_Check(obj)) {
        return write_new(w, float_text(self, obj));
    }
    int (*container)(struct encoder *, _PyUnicodeWriter *, PyObject *) =
        PyList_Check(obj) || PyTuple_Check(obj) ? encode_list
        : PyDict_Check(obj)                     ? encode_dict
                                                : NULL;
    if (container == NULL) {
        return encode_other(self, w, obj);
    }
    if (Py_EnterRecursiveCall(" while encoding a JSON object")) {
        return -1;
    }
    int res = container(self, w, obj);
    Py_LeaveRecursiveCall();
    return res;
}

/* ---- the type ----------------------------------------------------------- */

static PyObject *
encoder_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"obj", "_current_indent_level", NULL};
    PyObject *obj;
    Py_ssize_t level; /* the Python encoder's; indenting is not done here */
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "On:_iterencode", keywords,
                                     &obj, &level)) {
        return NULL;
    }
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    if (encode((struct encoder *)op, &w, obj) < 0) {
        _PyUnicodeWriter_Dealloc(&w);
        return NULL;
    }
    PyObject *text = _PyUnicodeWriter_Finish(&w);
    return text == NULL ? NULL : Py_BuildValue("[N]", text);
}

static int
encoder_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct encoder *self = (struct encoder *)op;
    Py_VISIT(self->markers);
    Py_VISIT(self->defaultfn);
    Py_VISIT(self->encoder);
    Py_VISIT(self->indent);
    Py_VISIT(self->key_separator);
    Py_VISIT(self->item_separator);
    return 0;
}

static int
encoder_clear(PyObject *op)
{
    struct encoder *self = (struct encoder *)op;
    Py_CLEAR(self->markers);
    Py_CLEAR(self->defaultfn);
    Py_CLEAR(self->encoder);
    Py_CLEAR(self->indent);
    Py_CLEAR(self->key_separator);
    Py_CLEAR(self->item_separator);
    return 0;
}

static void
encoder_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    encoder_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *
encoder_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"markers",        "default",
                               "encoder",        "indent",
                               "key_separator",  "item_separator",
                               "sort_keys",      "skipkeys",
                               "allow_nan",      NULL};
    PyObject *markers, *defaultfn, *encoder, *indent, *key_sep, *item_sep;
    int sort_keys, skipkeys, allow_nan;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "OOOOUUppp:make_encoder",
                                     keywords, &markers, &defaultfn, &encoder,
                                     &indent, &key_sep, &item_sep, &sort_keys,
                                     &skipkeys, &allow_nan)) {
        return NULL;
    }
    if (markers != Py_None && !PyDict_Check(markers)) {
        PyErr_Format(PyExc_TypeError,
                     "make_encoder() argument 1 must be dict or None, not "
                     "%.200s",
                     Py_TYPE(markers)->tp_name);
        return NULL;
    }
    struct encoder *self = (struct encoder *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->markers = Py_NewRef(markers);
    self->defaultfn = Py_NewRef(defaultfn);
    self->encoder = Py_NewRef(encoder);
    self->indent = Py_NewRef(indent);
    self->key_separator = Py_NewRef(key_sep);
    self->item_separator = Py_NewRef(item_sep);
    self->sort_keys = (char)sort_keys;
    self->skipkeys = (char)skipkeys;
    self->allow_nan = (char)allow_nan;
    if (PyCFunction_Check(encoder)) {
        PyCFunction f = PyCFunction_GET_FUNCTION(encoder);
        self->native = f == kr_json_encode_basestring_ascii ? 1
                       : f == kr_json_encode_basestring     ? 2
                                                            : 0;
    }
    return (PyObject *)self;
}

#define OFF(f) offsetof(struct encoder, f)
static PyMemberDef encoder_members[] = {
    {"markers", T_OBJECT, OFF(markers), READONLY, "markers"},
    {"default", T_OBJECT, OFF(defaultfn), READONLY, "default"},
    {"encoder", T_OBJECT, OFF(encoder), READONLY, "encoder"},
    {"indent", T_OBJECT, OFF(indent), READONLY, "indent"},
    {"key_separator", T_OBJECT, OFF(key_separator), READONLY,
     "key_separator"},
    {"item_separator", T_OBJECT, OFF(item_separator), READONLY,
     "item_separator"},
    {"sort_keys", T_BOOL, OFF(sort_keys), READONLY, "sort_keys"},
    {"skipkeys", T_BOOL, OFF(skipkeys), READONLY, "skipkeys"},
    {NULL},
};

PyTypeObject kr_json_encoder_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_json.Encoder",
    .tp_basicsize = sizeof(struct encoder),
    .tp_dealloc = encoder_dealloc,
    .tp_call = encoder_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("Encoder(markers, default, encoder, indent, "
                        "key_separator, item_separator, sort_keys, skipkeys, "
                        "allow_nan)"),
    .tp_traverse = encoder_traverse,
    .tp_clear = encoder_clear,
    .tp_members = encoder_members,
    .tp_new = encoder_new,
};
