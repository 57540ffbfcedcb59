/* UnicodeEncodeError, UnicodeDecodeError, UnicodeTranslateError: the object,
 * the range in it that failed, and why. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include "memory/gc.h"
#include "objects/exceptions/exc.h"
#include "objects/ids.h"
#include "objects/immortal.h"

/* --- Typed access to the attributes -------------------------------------- */

/* New reference to a str attribute, or NULL with TypeError. */
static PyObject *
get_unicode(PyObject *attr, const char *name)
{
    if (attr == NULL) {
        PyErr_Format(PyExc_TypeError, "%.200s attribute not set", name);
        return NULL;
    }
    if (!PyUnicode_Check(attr)) {
        PyErr_Format(PyExc_TypeError, "%.200s attribute must be unicode", name);
        return NULL;
    }
    return Py_NewRef(attr);
}

static PyObject *
get_bytes(PyObject *attr, const char *name)
{
    if (attr == NULL) {
        PyErr_Format(PyExc_TypeError, "%.200s attribute not set", name);
        return NULL;
    }
    if (!PyBytes_Check(attr)) {
        PyErr_Format(PyExc_TypeError, "%.200s attribute must be bytes", name);
        return NULL;
    }
    return Py_NewRef(attr);
}

static int
set_unicode(PyObject **attr, const char *value)
{
    PyObject *obj = PyUnicode_FromString(value);
    if (obj == NULL) {
        return -1;
    }
    Py_XSETREF(*attr, obj);
    return 0;
}

/* Puts start and end into what a range inside `size` items can be. */
static Py_ssize_t
clip_start(Py_ssize_t start, Py_ssize_t size)
{
    if (start < 0) {
        start = 0;
    }
    if (start >= size) {
        start = size - 1;
    }
    return start;
}

static Py_ssize_t
clip_end(Py_ssize_t end, Py_ssize_t size)
{
    if (end < 1) {
        end = 1;
    }
    if (end > size) {
        end = size;
    }
    return end;
}

#define FIELD(exc) ((PyUnicodeErrorObject *)(exc))

PyObject *
PyUnicodeEncodeError_GetEncoding(PyObject *exc)
{
    return get_unicode(FIELD(exc)->encoding, "encoding");
}

PyObject *
PyUnicodeDecodeError_GetEncoding(PyObject *exc)
{
    return get_unicode(FIELD(exc)->encoding, "encoding");
}

PyObject *
PyUnicodeEncodeError_GetObject(PyObject *exc)
{
    return get_unicode(FIELD(exc)->object, "object");
}

PyObject *
PyUnicodeDecodeError_GetObject(PyObject *exc)
{
    return get_bytes(FIELD(exc)->object, "object");
}

PyObject *
PyUnicodeTranslateError_GetObject(PyObject *exc)
{
    return get_unicode(FIELD(exc)->object, "object");
}

/* Length of the object in items, or -1 with TypeError. */
static Py_ssize_t
object_size(PyObject *exc, int is_bytes)
{
    PyObject *obj = is_bytes ? get_bytes(FIELD(exc)->object, "object")
                             : get_unicode(FIELD(exc)->object, "object");
    if (obj == NULL) {
        return -1;
    }
    Py_ssize_t size =
        is_bytes ? PyBytes_GET_SIZE(obj) : PyUnicode_GET_LENGTH(obj);
    Py_DECREF(obj);
    return size;
}

static int
get_start(PyObject *exc, Py_ssize_t *start, int is_bytes)
{
    Py_ssize_t size = object_size(exc, is_bytes);
    if (size < 0) {
        return -1;
    }
    *start = clip_start(FIELD(exc)->start, size);
    return 0;
}

static int
get_end(PyObject *exc, Py_ssize_t *end, int is_bytes)
{
    Py_ssize_t size = object_size(exc, is_bytes);
    if (size < 0) {
        return -1;
    }
    *end = clip_end(FIELD(exc)->end, size);
    return 0;
}

#define ACCESSORS(kind, is_bytes)                                              \
    int PyUnicode##kind##Error_GetStart(PyObject *exc, Py_ssize_t *start)      \
    {                                                                          \
        return get_start(exc, start, is_bytes);                                \
    }                                                                          \
    int PyUnicode##kind##Error_GetEnd(PyObject *exc, Py_ssize_t *end)          \
    {                                                                          \
        return get_end(exc, end, is_bytes);                                    \
    }                                                                          \
    int PyUnicode##kind##Error_SetStart(PyObject *exc, Py_ssize_t start)       \
    {                                                                          \
        FIELD(exc)->start = start;                                             \
        return 0;                                                              \
    }                                                                          \
    int PyUnicode##kind##Error_SetEnd(PyObject *exc, Py_ssize_t end)           \
    {                                                                          \
        FIELD(exc)->end = end;                                                 \
        return 0;                                                              \
    }                                                                          \
    PyObject *PyUnicode##kind##Error_GetReason(PyObject *exc)                  \
    {                                                                          \
        return get_unicode(FIELD(exc)->reason, "reason");                      \
    }                                                                          \
    int PyUnicode##kind##Error_SetReason(PyObject *exc, const char *reason)    \
    {                                                                          \
        return set_unicode(&FIELD(exc)->reason, reason);                       \
    }
ACCESSORS(Encode, 0)
ACCESSORS(Decode, 1)
ACCESSORS(Translate, 0)
#undef ACCESSORS

/* --- Slots ---------------------------------------------------------------- */

static int
unicode_error_clear(PyUnicodeErrorObject *self)
{
    Py_CLEAR(self->encoding);
    Py_CLEAR(self->object);
    Py_CLEAR(self->reason);
    return kr_base_exception_clear((PyBaseExceptionObject *)self);
}

static int
unicode_error_traverse(PyUnicodeErrorObject *self, visitproc visit, void *arg)
{
    Py_VISIT(self->encoding);
    Py_VISIT(self->object);
    Py_VISIT(self->reason);
    return kr_base_exception_traverse((PyBaseExceptionObject *)self, visit,
                                      arg);
}

static void
set_fields(PyUnicodeErrorObject *self, PyObject *encoding, PyObject *object,
           Py_ssize_t start, Py_ssize_t end, PyObject *reason)
{
    Py_XSETREF(self->encoding, Py_XNewRef(encoding));
    Py_XSETREF(self->object, Py_NewRef(object));
    Py_XSETREF(self->reason, Py_NewRef(reason));
    self->start = start;
    self->end = end;
}

static int
encode_error_init(PyUnicodeErrorObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *encoding, *object, *reason;
    Py_ssize_t start, end;
    if (kr_base_exception_init((PyBaseExceptionObject *)self, args, kwds) < 0 ||
        !PyArg_ParseTuple(args, "UUnnU", &encoding, &object, &start, &end,
                          &reason)) {
        return -1;
    }
    set_fields(self, encoding, object, start, end, reason);
    return 0;
}

static int
decode_error_init(PyUnicodeErrorObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *encoding, *object, *reason;
    Py_ssize_t start, end;
    if (kr_base_exception_init((PyBaseExceptionObject *)self, args, kwds) < 0 ||
        !PyArg_ParseTuple(args, "UOnnU", &encoding, &object, &start, &end,
                          &reason)) {
        return -1;
    }
    Py_INCREF(object);
    if (!PyBytes_Check(object)) {
        /* keep a copy: the buffer may change under us */
        Py_buffer view;
        if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) != 0) {
            Py_DECREF(object);
            return -1;
        }
        Py_SETREF(object, PyBytes_FromStringAndSize(view.buf, view.len));
        PyBuffer_Release(&view);
        if (object == NULL) {
            return -1;
        }
    }
    set_fields(self, encoding, object, start, end, reason);
    Py_DECREF(object);
    return 0;
}

static int
translate_error_init(PyUnicodeErrorObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *object, *reason;
    Py_ssize_t start, end;
    if (kr_base_exception_init((PyBaseExceptionObject *)self, args, kwds) < 0 ||
        !PyArg_ParseTuple(args, "UnnU", &object, &start, &end, &reason)) {
        return -1;
    }
    set_fields(self, NULL, object, start, end, reason);
    return 0;
}

/* Whether one character of `size` is meant. */
static bool
is_one(PyUnicodeErrorObject *self, Py_ssize_t size)
{
    return self->start >= 0 && self->start < size &&
           self->end == self->start + 1;
}

/* "'\xe9'"-like text for the one character of a str, in a buffer of 16 bytes;
 * NULL if there are several. */
static const char *
one_character(PyUnicodeErrorObject *self, char *buffer)
{
    if (!is_one(self, PyUnicode_GET_LENGTH(self->object))) {
        return NULL;
    }
    Py_UCS4 ch = PyUnicode_READ_CHAR(self->object, self->start);
    const char *format = ch <= 0xff     ? "'\\x%02x'"
                         : ch <= 0xffff ? "'\\u%04x'"
                                        : "'\\U%08x'";
    snprintf(buffer, 16, format, (unsigned int)ch);
    return buffer;
}

/* "'ascii' codec " */
static PyObject *
codec_text(PyUnicodeErrorObject *self)
{
    PyObject *name = PyObject_Str(self->encoding), *res = NULL;
    if (name != NULL) {
        res = PyUnicode_FromFormat("'%U' codec ", name);
        Py_DECREF(name);
    }
    return res;
}

/* The message: what could not be done with the unit `one`, or with several if
 * that is NULL. */
static PyObject *
describe(PyUnicodeErrorObject *self, bool by_codec, const char *what,
         const char *one)
{
    PyObject *codec = by_codec ? codec_text(self) : PyUnicode_FromString("");
    PyObject *reason = codec ? PyObject_Str(self->reason) : NULL, *res = NULL;
    if (reason != NULL) {
        res = one != NULL
                  ? PyUnicode_FromFormat("%Ucan't %s %s in position %zd: %U",
                                         codec, what, one, self->start, reason)
                  : PyUnicode_FromFormat("%Ucan't %ss in position %zd-%zd: %U",
                                         codec, what, self->start,
                                         self->end - 1, reason);
    }
    Py_XDECREF(reason);
    Py_XDECREF(codec);
    return res;
}

static PyObject *
encode_error_str(PyObject *exc)
{
    PyUnicodeErrorObject *self = FIELD(exc);
    char text[16];
    if (self->object == NULL) {
        return PyUnicode_FromString(""); /* __init__ was not called */
    }
    return describe(self, true, "encode character", one_character(self, text));
}

static PyObject *
decode_error_str(PyObject *exc)
{
    PyUnicodeErrorObject *self = FIELD(exc);
    char text[16];
    if (self->object == NULL) {
        return PyUnicode_FromString("");
    }
    bool one = is_one(self, PyBytes_GET_SIZE(self->object));
    if (one) {
        const char *s = PyBytes_AS_STRING(self->object);
        snprintf(text, sizeof(text), "0x%02x", (unsigned char)s[self->start]);
    }
    return describe(self, true, "decode byte", one ? text : NULL);
}

static PyObject *
translate_error_str(PyObject *exc)
{
    PyUnicodeErrorObject *self = FIELD(exc);
    char text[16];
    if (self->object == NULL) {
        return PyUnicode_FromString("");
    }
    return describe(self, false, "translate character",
                    one_character(self, text));
}

static PyMemberDef unicode_error_members[] = {
    {"encoding", T_OBJECT, offsetof(PyUnicodeErrorObject, encoding), 0,
     "exception encoding"},
    {"object", T_OBJECT, offsetof(PyUnicodeErrorObject, object), 0,
     "exception object"},
    {"start", T_PYSSIZET, offsetof(PyUnicodeErrorObject, start), 0,
     "exception start"},
    {"end", T_PYSSIZET, offsetof(PyUnicodeErrorObject, end), 0,
     "exception end"},
    {"reason", T_OBJECT, offsetof(PyUnicodeErrorObject, reason), 0,
     "exception reason"},
    {NULL, 0, 0, 0, NULL},
};

#define UNICODE_ERROR(name, str, init, doc)                                    \
    PyTypeObject KR_EXC(name) = {                                              \
        KR_EXC_TYPE(name, UnicodeError, PyUnicodeErrorObject, doc),            \
        .tp_str = str,                                                         \
        .tp_traverse = (traverseproc)unicode_error_traverse,                   \
        .tp_clear = (inquiry)unicode_error_clear,                              \
        .tp_members = unicode_error_members,                                   \
        .tp_init = (initproc)init,                                             \
        .tp_new = kr_base_exception_new,                                       \
    }

UNICODE_ERROR(UnicodeEncodeError, encode_error_str, encode_error_init,
              "Unicode encoding error.");
UNICODE_ERROR(UnicodeDecodeError, decode_error_str, decode_error_init,
              "Unicode decoding error.");
UNICODE_ERROR(UnicodeTranslateError, translate_error_str, translate_error_init,
              "Unicode translation error.");

PyObject *
PyUnicodeDecodeError_Create(const char *encoding, const char *object,
                            Py_ssize_t length, Py_ssize_t start, Py_ssize_t end,
                            const char *reason)
{
    return PyObject_CallFunction(PyExc_UnicodeDecodeError, "sy#nns", encoding,
                                 object, length, start, end, reason);
}

PyObject *
_PyUnicodeTranslateError_Create(PyObject *object, Py_ssize_t start,
                                Py_ssize_t end, const char *reason)
{
    return PyObject_CallFunction(PyExc_UnicodeTranslateError, "Onns", object,
                                 start, end, reason);
}
