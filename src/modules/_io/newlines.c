/* IncrementalNewlineDecoder and the search for line endings. */
#include "modules/_io/io.h"

enum { SEEN_CR = 1, SEEN_LF = 2, SEEN_CRLF = 4, SEEN_ALL = 7 };

typedef struct {
    PyObject_HEAD
    PyObject *decoder; /* None: the input is str already */
    PyObject *errors;
    unsigned int pendingcr : 1;
    unsigned int translate : 1;
    unsigned int seennl : 3;
} NewlineDecoder;

static int
newline_init(NewlineDecoder *self, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("IncrementalNewlineDecoder", "decoder", "translate", "errors");
    PyObject *a[3];
    int translate;
    if (!kr_unpack_tuple(args, kwargs, &parser, 2, 3, 3, a) ||
        !kr_arg_int(a[1], &translate)) {
        return -1;
    }
    PyObject *errors =
        a[2] ? Py_NewRef(a[2]) : PyUnicode_FromString("strict");
    if (errors == NULL) {
        return -1;
    }
    Py_XSETREF(self->errors, errors);
    Py_XSETREF(self->decoder, Py_NewRef(a[0]));
    self->translate = translate != 0;
    self->seennl = 0;
    self->pendingcr = 0;
    return 0;
}

static void
newline_dealloc(NewlineDecoder *self)
{
    Py_CLEAR(self->decoder);
    Py_CLEAR(self->errors);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static bool
newline_ready(NewlineDecoder *self)
{
    if (self->errors == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "IncrementalNewlineDecoder.__init__() not called");
        return false;
    }
    return true;
}

static bool
check_decoded(PyObject *text)
{
    if (text == NULL) {
        return false;
    }
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError,
                     "decoder should return a string result, not '%.200s'",
                     Py_TYPE(text)->tp_name);
        Py_DECREF(text);
        return false;
    }
    return PyUnicode_READY(text) >= 0;
}

/* "\r" + text; steals `text`. */
static PyObject *
prepend_cr(PyObject *text)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    PyObject *res = PyUnicode_New(n + 1, PyUnicode_MAX_CHAR_VALUE(text));
    if (res != NULL) {
        PyUnicode_WRITE(PyUnicode_KIND(res), PyUnicode_DATA(res), 0, '\r');
        PyUnicode_CopyCharacters(res, 1, text, 0, n);
    }
    Py_DECREF(text);
    return res;
}

/* Which endings occur in `text`, added to `seen`. */
static int
record_endings(PyObject *text, int seen)
{
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    for (Py_ssize_t i = 0; i < n && seen != SEEN_ALL; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c == '\n') {
            seen |= SEEN_LF;
        }
        else if (c == '\r') {
            if (i + 1 < n && PyUnicode_READ(kind, data, i + 1) == '\n') {
                seen |= SEEN_CRLF;
                i++;
            }
            else {
                seen |= SEEN_CR;
            }
        }
    }
    return seen;
}

/* All endings become "\n"; adds to *seen. Steals `text`. */
static PyObject *
translate_endings(PyObject *text, int *seen)
{
    int kind = PyUnicode_KIND(text);
    const void *in = PyUnicode_DATA(text);
    Py_ssize_t n = PyUnicode_GET_LENGTH(text), j = 0;
    void *out = PyMem_Malloc((size_t)(kind * n) + 1);
    if (out == NULL) {
        Py_DECREF(text);
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, in, i);
        if (c == '\n') {
            *seen |= SEEN_LF;
        }
        else if (c == '\r') {
            if (i + 1 < n && PyUnicode_READ(kind, in, i + 1) == '\n') {
                *seen |= SEEN_CRLF;
                i++;
            }
            else {
                *seen |= SEEN_CR;
            }
            c = '\n';
        }
        PyUnicode_WRITE(kind, out, j, c);
        j++;
    }
    Py_DECREF(text);
    PyObject *res = PyUnicode_FromKindAndData(kind, out, j);
    PyMem_Free(out);
    return res;
}

PyObject *
kr_io_newline_decode(PyObject *op, PyObject *input, int final)
{
    NewlineDecoder *self = (NewlineDecoder *)op;
    PyObject *text;
    if (!newline_ready(self)) {
        return NULL;
    }
    text = self->decoder == Py_None
               ? Py_NewRef(input)
               : PyObject_CallMethodObjArgs(self->decoder, KR_ID(decode),
                                            input,
                                            final ? Py_True : Py_False, NULL);
    if (!check_decoded(text)) {
        return NULL;
    }
    if (self->pendingcr && (final || PyUnicode_GET_LENGTH(text) > 0)) {
        text = prepend_cr(text);
        if (text == NULL) {
            return NULL;
        }
        self->pendingcr = 0;
    }
    /* a last "\r" waits for a "\n" that may follow */
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    if (!final && n > 0 && PyUnicode_READ_CHAR(text, n - 1) == '\r') {
        PyObject *cut = PyUnicode_Substring(text, 0, n - 1);
        Py_SETREF(text, cut);
        if (text == NULL) {
            return NULL;
        }
        self->pendingcr = 1;
        n--;
    }
    if (n == 0) {
        return text;
    }
    int seen = self->seennl;
    bool only_lf = false;
    if (seen == SEEN_LF || seen == 0) {
        only_lf = PyUnicode_FindChar(text, '\r', 0, n, 1) == -1;
    }
    if (only_lf) {
        if (seen == 0 && PyUnicode_FindChar(text, '\n', 0, n, 1) >= 0) {
            seen |= SEEN_LF;
        }
    }
    else if (!self->translate) {
        seen = record_endings(text, seen);
    }
    else {
        text = translate_endings(text, &seen);
    }
    self->seennl = (unsigned int)seen & SEEN_ALL;
    return text;
}

static PyObject *
newline_decode(NewlineDecoder *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("decode", "input", "final");
    PyObject *a[2];
    int final = 0;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a) ||
        (a[1] != NULL && !kr_arg_int(a[1], &final))) {
        return NULL;
    }
    return kr_io_newline_decode((PyObject *)self, a[0], final);
}

static PyObject *
newline_getstate(NewlineDecoder *self, PyObject *unused)
{
    PyObject *buffer;
    unsigned long long flag = 0;
    if (!newline_ready(self)) {
        return NULL;
    }
    if (self->decoder != Py_None) {
        PyObject *state = io_call(self->decoder, KR_ID(getstate));
        if (state == NULL) {
            return NULL;
        }
        if (!PyTuple_Check(state)) {
            PyErr_SetString(PyExc_TypeError, "illegal decoder state");
            Py_DECREF(state);
            return NULL;
        }
        if (!PyArg_ParseTuple(state, "OK;illegal decoder state", &buffer,
                              &flag)) {
            Py_DECREF(state);
            return NULL;
        }
        Py_INCREF(buffer);
        Py_DECREF(state);
    }
    else {
        buffer = PyBytes_FromString("");
    }
    flag = (flag << 1) | self->pendingcr;
    return Py_BuildValue("NK", buffer, flag);
}

static PyObject *
newline_setstate(NewlineDecoder *self, PyObject *state)
{
    PyObject *buffer;
    unsigned long long flag;
    if (!newline_ready(self)) {
        return NULL;
    }
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state argument must be a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "OK;setstate(): illegal state argument",
                          &buffer, &flag)) {
        return NULL;
    }
    self->pendingcr = (int)(flag & 1);
    flag >>= 1;
    if (self->decoder != Py_None) {
        return PyObject_CallMethod(self->decoder, "setstate", "((OK))",
                                   buffer, flag);
    }
    Py_RETURN_NONE;
}

static PyObject *
newline_reset(NewlineDecoder *self, PyObject *unused)
{
    if (!newline_ready(self)) {
        return NULL;
    }
    self->seennl = 0;
    self->pendingcr = 0;
    if (self->decoder != Py_None) {
        return io_call(self->decoder, KR_ID(reset));
    }
    Py_RETURN_NONE;
}

static PyObject *
newline_newlines(NewlineDecoder *self, void *context)
{
    if (!newline_ready(self)) {
        return NULL;
    }
    switch (self->seennl) {
    case SEEN_CR:
        return PyUnicode_FromString("\r");
    case SEEN_LF:
        return PyUnicode_FromString("\n");
    case SEEN_CRLF:
        return PyUnicode_FromString("\r\n");
    case SEEN_CR | SEEN_LF:
        return Py_BuildValue("ss", "\r", "\n");
    case SEEN_CR | SEEN_CRLF:
        return Py_BuildValue("ss", "\r", "\r\n");
    case SEEN_LF | SEEN_CRLF:
        return Py_BuildValue("ss", "\n", "\r\n");
    case SEEN_ALL:
        return Py_BuildValue("sss", "\r", "\n", "\r\n");
    default:
        Py_RETURN_NONE;
    }
}

static PyMethodDef newline_methods[] = {
    {"decode", KR_CAST(newline_decode), KR_FAST,
     "decode($self, /, input, final=False)\n--\n\n"
     "Decode and treat line endings."},
    {"getstate", (PyCFunction)newline_getstate, METH_NOARGS,
     "getstate($self, /)\n--\n\nThe state of the decoder."},
    {"setstate", (PyCFunction)newline_setstate, METH_O,
     "setstate($self, state, /)\n--\n\nSet the state of the decoder."},
    {"reset", (PyCFunction)newline_reset, METH_NOARGS,
     "reset($self, /)\n--\n\nForget all state."},
    {NULL},
};

static PyGetSetDef newline_getset[] = {
    {"newlines", (getter)newline_newlines, NULL, NULL},
    {NULL},
};

PyTypeObject kr_NewlineDecoder_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_io.IncrementalNewlineDecoder",
    .tp_basicsize = sizeof(NewlineDecoder),
    .tp_dealloc = (destructor)newline_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "IncrementalNewlineDecoder(decoder, translate, "
              "errors='strict')\n--\n\n"
              "Decoder that also turns line endings into \\n if asked to.",
    .tp_methods = newline_methods,
    .tp_getset = newline_getset,
    .tp_init = (initproc)newline_init,
    .tp_new = PyType_GenericNew,
};

/* Index of `c` in [0, n) of the data, or -1. */
static Py_ssize_t
find_char(int kind, const char *s, Py_ssize_t n, Py_UCS4 c)
{
    if (kind == PyUnicode_1BYTE_KIND) {
        const char *p = n > 0 ? memchr(s, (int)c, (size_t)n) : NULL;
        return p ? p - s : -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if (PyUnicode_READ(kind, s, i) == c) {
            return i;
        }
    }
    return -1;
}

Py_ssize_t
kr_io_find_line_ending(bool translated, bool universal, PyObject *readnl,
                       int kind, const char *start, const char *end,
                       Py_ssize_t *consumed)
{
    Py_ssize_t n = (end - start) / kind;
    if (translated) {
        Py_ssize_t pos = find_char(kind, start, n, '\n');
        *consumed = n;
        return pos < 0 ? -1 : pos + 1;
    }
    if (universal) {
        /* the earlier of "\n" and "\r", the latter maybe with "\n" */
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS4 c = PyUnicode_READ(kind, start, i);
            if (c == '\n') {
                return i + 1;
            }
            if (c == '\r') {
                bool crlf =
                    i + 1 < n && PyUnicode_READ(kind, start, i + 1) == '\n';
                return i + 1 + crlf;
            }
        }
        *consumed = n;
        return -1;
    }
    Py_ssize_t len = PyUnicode_GET_LENGTH(readnl);
    Py_UCS4 first = PyUnicode_READ_CHAR(readnl, 0);
    for (Py_ssize_t at = 0; at < n;) {
        Py_ssize_t pos =
            find_char(kind, start + (size_t)at * (size_t)kind, n - at, first);
        if (pos < 0) {
            break;
        }
        pos += at;
        Py_ssize_t i = 1;
        while (i < len && pos + i < n &&
               PyUnicode_READ(kind, start, pos + i) ==
                   PyUnicode_READ_CHAR(readnl, i)) {
            i++;
        }
        if (i == len) {
            return pos + len;
        }
        if (pos + i >= n) {
            *consumed = pos; /* the ending may go on in the next chunk */
            return -1;
        }
        at = pos + 1;
    }
    *consumed = n;
    return -1;
}
