/* The module pyexpat, over libexpat: parsers whose handlers are Python
 * callables. Once a handler raises, all handlers are taken away and the error
 * comes out of Parse(). */
#include <Python.h>
#include <expat.h>
#include <stdbool.h>
#include <structmember.h>

#include "modules/kwargs.h"
#include "modules/shared/expat_capi.h"

enum handler {
    START_ELEMENT,
    END_ELEMENT,
    PI,
    CHARACTER_DATA,
    UNPARSED_ENTITY,
    NOTATION,
    START_NS,
    END_NS,
    COMMENT,
    START_CDATA,
    END_CDATA,
    DEFAULT,
    DEFAULT_EXPAND,
    NOT_STANDALONE,
    EXTERNAL_ENTITY,
    START_DOCTYPE,
    END_DOCTYPE,
    ENTITY_DECL,
    XML_DECL,
    ELEMENT_DECL,
    ATTLIST_DECL,
    SKIPPED_ENTITY,
    NUM_HANDLERS
};

static const char *const handler_names[NUM_HANDLERS] = {
    "StartElementHandler",       "EndElementHandler",
    "ProcessingInstructionHandler", "CharacterDataHandler",
    "UnparsedEntityDeclHandler", "NotationDeclHandler",
    "StartNamespaceDeclHandler", "EndNamespaceDeclHandler",
    "CommentHandler",            "StartCdataSectionHandler",
    "EndCdataSectionHandler",    "DefaultHandler",
    "DefaultHandlerExpand",      "NotStandaloneHandler",
    "ExternalEntityRefHandler",  "StartDoctypeDeclHandler",
    "EndDoctypeDeclHandler",     "EntityDeclHandler",
    "XmlDeclHandler",            "ElementDeclHandler",
    "AttlistDeclHandler",        "SkippedEntityHandler"};

typedef struct {
    PyObject_HEAD
    XML_Parser itself;
    int ordered_attributes, specified_attributes, ns_prefixes;
    bool in_callback, failed;
    XML_Char *buffer; /* of character data, or NULL: not buffered */
    int buffer_size, buffer_used;
    PyObject *intern; /* dict or NULL */
    PyObject *handlers[NUM_HANDLERS];
} parser_object;

#define XP(op) ((parser_object *)(op))

static struct pyexpat_state {
    PyTypeObject *type;
    PyObject *error;
} state;

static void install(parser_object *self, int i, bool on);

/* ---- values */

static PyObject *
text(const XML_Char *s)
{
    if (s == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_DecodeUTF8(s, (Py_ssize_t)strlen(s), "strict");
}

/* One str object for each name. */
static PyObject *
name(parser_object *self, const XML_Char *s)
{
    PyObject *str = text(s);
    if (str == NULL || s == NULL || self->intern == NULL) {
        return str;
    }
    PyObject *known = PyDict_SetDefault(self->intern, str, str);
    Py_XINCREF(known);
    Py_DECREF(str);
    return known;
}

/* ---- calling handlers */

static void
fail(parser_object *self)
{
    self->failed = true;
    for (int i = 0; i < NUM_HANDLERS; i++) {
        Py_CLEAR(self->handlers[i]);
        install(self, i, false);
    }
    XML_StopParser(self->itself, XML_FALSE);
}

/* Shows in the traceback which event the handler was called for. */
static void
add_traceback(int i, int line)
{
    char event[40];
    snprintf(event, sizeof event, "%s", handler_names[i]);
    char *end = strstr(event, "Handler");
    if (end != NULL && end[7] == '\0') {
        *end = '\0';
    }
    _PyTraceback_Add(event, __FILE__, line);
}

/* Calls a handler; steals args. NULL after having dealt with an exception. */
static PyObject *
call(parser_object *self, int i, PyObject *args)
{
    PyObject *result = NULL, *f = Py_XNewRef(self->handlers[i]);
    if (args != NULL && f != NULL) {
        bool outer = self->in_callback;
        self->in_callback = true;
        result = PyObject_Call(f, args, NULL);
        self->in_callback = outer;
        if (result == NULL) {
            add_traceback(i, __LINE__);
        }
    }
    Py_XDECREF(args);
    Py_XDECREF(f);
    if (result == NULL) {
        fail(self);
    }
    return result;
}

static void
send_text(parser_object *self, const XML_Char *s, int n)
{
    if (self->handlers[CHARACTER_DATA] == NULL) {
        return;
    }
    PyObject *str = PyUnicode_DecodeUTF8(s, n, "strict");
    PyObject *r = call(self, CHARACTER_DATA,
                       str ? Py_BuildValue("(N)", str) : NULL);
    Py_XDECREF(r);
}

static void
flush_text(parser_object *self)
{
    if (self->buffer != NULL && self->buffer_used > 0) {
        int n = self->buffer_used;
        self->buffer_used = 0;
        send_text(self, self->buffer, n);
    }
}

/* Whether to go on to handler i; text before it goes first. */
static bool
ready(parser_object *self, int i)
{
    if (self->handlers[i] == NULL || PyErr_Occurred()) {
        return false;
    }
    flush_text(self);
    return self->handlers[i] != NULL && !PyErr_Occurred();
}

static void
on_text(void *data, const XML_Char *s, int n)
{
    parser_object *self = data;
    if (PyErr_Occurred()) {
        return;
    }
    if (self->buffer == NULL) {
        send_text(self, s, n);
        return;
    }
    if (n > self->buffer_size - self->buffer_used) {
        flush_text(self);
        if (self->handlers[CHARACTER_DATA] == NULL) {
            return;
        }
    }
    if (n > self->buffer_size) {
        send_text(self, s, n);
    }
    else {
        memcpy(self->buffer + self->buffer_used, s, (size_t)n);
        self->buffer_used += n;
    }
}

static PyObject *
attributes(parser_object *self, const XML_Char **atts)
{
    int n = 0;
    if (self->specified_attributes) {
        n = XML_GetSpecifiedAttributeCount(self->itself);
    }
    else {
        while (atts[n] != NULL) {
            n += 2;
        }
    }
    PyObject *all =
        self->ordered_attributes ? PyList_New(0) : PyDict_New();
    for (int i = 0; all != NULL && i < n; i += 2) {
        PyObject *k = name(self, atts[i]), *v = k ? text(atts[i + 1]) : NULL;
        int rc = -1;
        if (v != NULL && self->ordered_attributes) {
            rc = PyList_Append(all, k) < 0 ? -1 : PyList_Append(all, v);
        }
        else if (v != NULL) {
            rc = PyDict_SetItem(all, k, v);
        }
        Py_XDECREF(k);
        Py_XDECREF(v);
        if (rc < 0) {
            Py_CLEAR(all);
        }
    }
    return all;
}

static void
on_start(void *data, const XML_Char *tag, const XML_Char **atts)
{
    parser_object *self = data;
    if (!ready(self, START_ELEMENT)) {
        return;
    }
    PyObject *all = attributes(self, atts), *args = NULL;
    if (all != NULL) {
        args = Py_BuildValue("(NN)", name(self, tag), all);
    }
    Py_XDECREF(call(self, START_ELEMENT, args));
}

/* A handler without result: its parameters, then how its tuple is built. */
#define HANDLER(func, i, params, ...)                                          \
    static void func params                                                    \
    {                                                                          \
        parser_object *self = data;                                            \
        if (ready(self, i)) {                                                  \
            Py_XDECREF(call(self, i, Py_BuildValue(__VA_ARGS__)));             \
        }                                                                      \
    }
#define S const XML_Char *

HANDLER(on_end, END_ELEMENT, (void *data, S tag), "(N)", name(self, tag))
HANDLER(on_pi, PI, (void *data, S target, S value), "(NN)",
        name(self, target), text(value))
HANDLER(on_unparsed, UNPARSED_ENTITY,
        (void *data, S entity, S base, S sys, S pub, S notation), "(NNNNN)",
        name(self, entity), name(self, base), name(self, sys),
        name(self, pub), name(self, notation))
HANDLER(on_notation, NOTATION,
        (void *data, S notation, S base, S sys, S pub), "(NNNN)",
        name(self, notation), name(self, base), name(self, sys),
        name(self, pub))
HANDLER(on_start_ns, START_NS, (void *data, S prefix, S uri), "(NN)",
        name(self, prefix), name(self, uri))
HANDLER(on_end_ns, END_NS, (void *data, S prefix), "(N)", name(self, prefix))
HANDLER(on_comment, COMMENT, (void *data, S s), "(N)", text(s))
HANDLER(on_start_cdata, START_CDATA, (void *data), "()")
HANDLER(on_end_cdata, END_CDATA, (void *data), "()")
HANDLER(on_default, DEFAULT, (void *data, S s, int n), "(N)",
        PyUnicode_DecodeUTF8(s, n, "strict"))
HANDLER(on_default_expand, DEFAULT_EXPAND, (void *data, S s, int n), "(N)",
        PyUnicode_DecodeUTF8(s, n, "strict"))
HANDLER(on_start_doctype, START_DOCTYPE,
        (void *data, S doc, S sys, S pub, int internal), "(NNNi)",
        name(self, doc), name(self, sys), name(self, pub), internal)
HANDLER(on_end_doctype, END_DOCTYPE, (void *data), "()")
HANDLER(on_entity, ENTITY_DECL,
        (void *data, S entity, int param, S value, int n, S base, S sys,
         S pub, S notation),
        "(NiNNNNN)", name(self, entity), param,
        value ? PyUnicode_DecodeUTF8(value, n, "strict")
              : Py_NewRef(Py_None),
        name(self, base), name(self, sys), name(self, pub),
        name(self, notation))
HANDLER(on_xml, XML_DECL, (void *data, S version, S encoding, int alone),
        "(NNi)", text(version), text(encoding), alone)
HANDLER(on_attlist, ATTLIST_DECL,
        (void *data, S el, S att, S type, S dflt, int required), "(NNNNi)",
        name(self, el), name(self, att), text(type), text(dflt), required)
HANDLER(on_skipped, SKIPPED_ENTITY, (void *data, S entity, int param), "(Ni)",
        name(self, entity), param)

static int
int_result(parser_object *self, PyObject *r)
{
    if (r == NULL) {
        return 0;
    }
    int v = _PyLong_AsInt(r);
    Py_DECREF(r);
    if (v == -1 && PyErr_Occurred()) {
        fail(self);
        return 0;
    }
    return v;
}

static int
on_not_standalone(void *data)
{
    parser_object *self = data;
    return ready(self, NOT_STANDALONE)
               ? int_result(self, call(self, NOT_STANDALONE, PyTuple_New(0)))
               : 0;
}

static int
on_external(XML_Parser p, S context, S base, S sys, S pub)
{
    parser_object *self = XML_GetUserData(p);
    if (!ready(self, EXTERNAL_ENTITY)) {
        return 0;
    }
    return int_result(self,
                      call(self, EXTERNAL_ENTITY,
                           Py_BuildValue("(NNNN)", text(context),
                                         name(self, base), name(self, sys),
                                         name(self, pub))));
}

static PyObject *
content_model(parser_object *self, XML_Content *m)
{
    if (Py_EnterRecursiveCall(" in content model")) {
        return NULL;
    }
    PyObject *children = PyTuple_New(m->numchildren), *result = NULL;
    for (unsigned i = 0; children && i < m->numchildren; i++) {
        PyObject *child = content_model(self, m->children + i);
        if (child == NULL) {
            Py_CLEAR(children);
            break;
        }
        PyTuple_SET_ITEM(children, i, child);
    }
    if (children != NULL) {
        result = Py_BuildValue("(iiNN)", m->type, m->quant,
                               name(self, m->name), children);
    }
    Py_LeaveRecursiveCall();
    return result;
}

static void
on_element(void *data, S el, XML_Content *model)
{
    parser_object *self = data;
    if (ready(self, ELEMENT_DECL)) {
        PyObject *m = content_model(self, model);
        PyObject *args = m ? Py_BuildValue("(NN)", name(self, el), m) : NULL;
        Py_XDECREF(call(self, ELEMENT_DECL, args));
    }
    XML_FreeContentModel(self->itself, model);
}

/* Has expat know about handler i, or no more. */
static void
install(parser_object *self, int i, bool on)
{
    XML_Parser p = self->itself;
#define ON(f) (on ? (f) : NULL)
    switch (i) {
    case START_ELEMENT: XML_SetStartElementHandler(p, ON(on_start)); break;
    case END_ELEMENT: XML_SetEndElementHandler(p, ON(on_end)); break;
    case PI: XML_SetProcessingInstructionHandler(p, ON(on_pi)); break;
    case CHARACTER_DATA: XML_SetCharacterDataHandler(p, ON(on_text)); break;
    case UNPARSED_ENTITY:
        XML_SetUnparsedEntityDeclHandler(p, ON(on_unparsed));
        break;
    case NOTATION: XML_SetNotationDeclHandler(p, ON(on_notation)); break;
    case START_NS:
        XML_SetStartNamespaceDeclHandler(p, ON(on_start_ns));
        break;
    case END_NS: XML_SetEndNamespaceDeclHandler(p, ON(on_end_ns)); break;
    case COMMENT: XML_SetCommentHandler(p, ON(on_comment)); break;
    case START_CDATA:
        XML_SetStartCdataSectionHandler(p, ON(on_start_cdata));
        break;
    case END_CDATA: XML_SetEndCdataSectionHandler(p, ON(on_end_cdata)); break;
    case DEFAULT: XML_SetDefaultHandler(p, ON(on_default)); break;
    case DEFAULT_EXPAND:
        XML_SetDefaultHandlerExpand(p, ON(on_default_expand));
        break;
    case NOT_STANDALONE:
        XML_SetNotStandaloneHandler(p, ON(on_not_standalone));
        break;
    case EXTERNAL_ENTITY:
        XML_SetExternalEntityRefHandler(p, ON(on_external));
        break;
    case START_DOCTYPE:
        XML_SetStartDoctypeDeclHandler(p, ON(on_start_doctype));
        break;
    case END_DOCTYPE:
        XML_SetEndDoctypeDeclHandler(p, ON(on_end_doctype));
        break;
    case ENTITY_DECL: XML_SetEntityDeclHandler(p, ON(on_entity)); break;
    case XML_DECL: XML_SetXmlDeclHandler(p, ON(on_xml)); break;
    case ELEMENT_DECL: XML_SetElementDeclHandler(p, ON(on_element)); break;
    case ATTLIST_DECL: XML_SetAttlistDeclHandler(p, ON(on_attlist)); break;
    default: XML_SetSkippedEntityHandler(p, ON(on_skipped)); break;
    }
}

/* ---- errors and parsing */

static int
set_number(PyObject *o, const char *attr, XML_Size v)
{
    PyObject *n = PyLong_FromUnsignedLongLong(v);
    int rc = n ? PyObject_SetAttrString(o, attr, n) : -1;
    Py_XDECREF(n);
    return rc;
}

static PyObject *
raise_error(parser_object *self, enum XML_Error code)
{
    XML_Size line = XML_GetErrorLineNumber(self->itself),
             column = XML_GetErrorColumnNumber(self->itself);
    PyObject *message = PyUnicode_FromFormat(
        "%s: line %zu, column %zu", XML_ErrorString(code), (size_t)line,
        (size_t)column);
    PyObject *err =
        message ? PyObject_CallOneArg(state.error, message) : NULL;
    Py_XDECREF(message);
    if (err != NULL && set_number(err, "code", code) == 0 &&
        set_number(err, "offset", column) == 0 &&
        set_number(err, "lineno", line) == 0) {
        PyErr_SetObject(state.error, err);
    }
    Py_XDECREF(err);
    return NULL;
}

static PyObject *
parsed(parser_object *self, int rc)
{
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (rc == 0) {
        return raise_error(self, XML_GetErrorCode(self->itself));
    }
    flush_text(self);
    return PyErr_Occurred() ? NULL : PyLong_FromLong(rc);
}

static PyObject *
parser_parse(PyObject *op, KR_FASTCALL_ARGS)
{
    KR_PARSER("Parse", "", "");
    PyObject *a[2];
    enum { CHUNK = 1 << 20 };
    Py_buffer view = {NULL};
    int final = 0, rc = 1;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a) ||
        (a[1] != NULL && !kr_arg_int(a[1], &final))) {
        return NULL;
    }
    const char *s;
    Py_ssize_t n;
    if (PyUnicode_Check(a[0])) {
        s = PyUnicode_AsUTF8AndSize(a[0], &n);
        if (s == NULL) {
            return NULL;
        }
        /* whatever the declaration says, this is UTF-8 */
        (void)XML_SetEncoding(XP(op)->itself, "utf-8");
    }
    else {
        if (PyObject_GetBuffer(a[0], &view, PyBUF_SIMPLE) < 0) {
            return NULL;
        }
        s = view.buf;
        n = view.len;
    }
    while (rc && n > CHUNK) {
        rc = XML_Parse(XP(op)->itself, s, CHUNK, 0);
        s += CHUNK;
        n -= CHUNK;
        if (PyErr_Occurred()) {
            rc = 0;
        }
    }
    if (rc) {
        rc = XML_Parse(XP(op)->itself, s, (int)n, final);
    }
    if (view.obj != NULL) {
        PyBuffer_Release(&view);
    }
    return parsed(XP(op), rc);
}

static PyObject *
parser_parsefile(PyObject *op, KR_FASTCALL_ARGS)
{
    enum { CHUNK = 2048 };
    KR_PARSER("ParseFile", "");
    PyObject *file, *read;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, &file)) {
        return NULL;
    }
    PyObject *key = PyUnicode_InternFromString("read");
    int found = key ? _PyObject_LookupAttr(file, key, &read) : -1;
    Py_XDECREF(key);
    if (found < 0) {
        return NULL;
    }
    if (read == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "argument must have 'read' attribute");
        return NULL;
    }
    int rc = 1;
    for (bool more = true; rc && more;) {
        PyObject *data = PyObject_CallFunction(read, "i", (int)CHUNK);
        const char *s = NULL;
        Py_ssize_t n = 0;
        if (data != NULL && PyByteArray_Check(data)) {
            s = PyByteArray_AS_STRING(data);
            n = PyByteArray_GET_SIZE(data);
        }
        else if (data != NULL && PyBytes_Check(data)) {
            s = PyBytes_AS_STRING(data);
            n = PyBytes_GET_SIZE(data);
        }
        else if (data != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "read() did not return a bytes object (type=%.400s)",
                         Py_TYPE(data)->tp_name);
        }
        if (s != NULL && n > CHUNK) {
            PyErr_Format(PyExc_ValueError,
                         "read() returned too much data: %i bytes requested, "
                         "%zd returned",
                         (int)CHUNK, n);
            s = NULL;
        }
        if (s != NULL) {
            rc = XML_Parse(XP(op)->itself, s, (int)n, n == 0);
            more = n > 0;
        }
        Py_XDECREF(data);
        if (PyErr_Occurred()) {
            break;
        }
    }
    Py_DECREF(read);
    return parsed(XP(op), rc);
}

/* ---- other methods */

static PyObject *
parser_setbase(PyObject *op, PyObject *arg)
{
    const char *s;
    if (!PyUnicode_Check(arg)) {
        _PyArg_BadArgument("SetBase", "argument", "str", arg);
        return NULL;
    }
    Py_ssize_t n;
    s = PyUnicode_AsUTF8AndSize(arg, &n);
    if (s == NULL) {
        return NULL;
    }
    if (strlen(s) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    if (!XML_SetBase(XP(op)->itself, s)) {
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

static PyObject *
parser_getbase(PyObject *op, PyObject *ignored)
{
    return text(XML_GetBase(XP(op)->itself));
}

static PyObject *
parser_getinputcontext(PyObject *op, PyObject *ignored)
{
    int offset, size;
    if (!XP(op)->in_callback) {
        Py_RETURN_NONE;
    }
    const char *s = XML_GetInputContext(XP(op)->itself, &offset, &size);
    if (s == NULL) {
        Py_RETURN_NONE;
    }
    return PyBytes_FromStringAndSize(s + offset, size - offset);
}

static PyObject *
parser_setparam(PyObject *op, PyObject *arg)
{
    int flag;
    if (!kr_arg_int(arg, &flag)) {
        return NULL;
    }
    return PyLong_FromLong(XML_SetParamEntityParsing(
        XP(op)->itself, (enum XML_ParamEntityParsing)flag));
}

static PyObject *
parser_foreign(PyObject *op, KR_FASTCALL_ARGS)
{
    KR_PARSER("UseForeignDTD", "");
    PyObject *given;
    int flag = 1;
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 1, 1, &given) ||
        (given != NULL && !kr_arg_bool(given, &flag))) {
        return NULL;
    }
    enum XML_Error rc = XML_UseForeignDTD(XP(op)->itself, (XML_Bool)flag);
    if (rc != XML_ERROR_NONE) {
        return raise_error(XP(op), rc);
    }
    Py_RETURN_NONE;
}

/* ---- making and ending parsers */

/* One byte of an encoding unknown to expat is one character of Python's. */
static int
on_encoding(void *ignored, const XML_Char *encoding, XML_Encoding *info)
{
    unsigned char bytes[256];
    for (int i = 0; i < 256; i++) {
        bytes[i] = (unsigned char)i;
    }
    if (PyErr_Occurred()) {
        return XML_STATUS_ERROR;
    }
    PyObject *all = PyUnicode_Decode((char *)bytes, 256, encoding, "replace");
    if (all == NULL || PyUnicode_READY(all) < 0) {
        Py_XDECREF(all);
        return XML_STATUS_ERROR;
    }
    if (PyUnicode_GET_LENGTH(all) != 256) {
        PyErr_SetString(PyExc_ValueError,
                        "multi-byte encodings are not supported");
        Py_DECREF(all);
        return XML_STATUS_ERROR;
    }
    for (int i = 0; i < 256; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(all, i);
        info->map[i] = c == Py_UNICODE_REPLACEMENT_CHARACTER ? -1 : (int)c;
    }
    info->data = NULL;
    info->convert = NULL;
    info->release = NULL;
    Py_DECREF(all);
    return XML_STATUS_OK;
}

static const XML_Memory_Handling_Suite allocator = {
    PyObject_Malloc, PyObject_Realloc, PyObject_Free};

/* Takes the parser over, also on failure. */
static PyObject *
wrap(XML_Parser p, PyObject *intern)
{
    if (p == NULL) {
        return PyErr_NoMemory();
    }
    parser_object *self = PyObject_GC_New(parser_object, state.type);
    if (self == NULL) {
        XML_ParserFree(p);
        return NULL;
    }
    memset((char *)self + sizeof(PyObject), 0,
           sizeof *self - sizeof(PyObject));
    self->itself = p;
    self->buffer_size = 8192;
    self->intern = Py_XNewRef(intern);
    XML_SetUserData(p, self);
    XML_SetUnknownEncodingHandler(p, on_encoding, NULL);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyObject *
parser_external(PyObject *op, KR_FASTCALL_ARGS)
{
    KR_PARSER("ExternalEntityParserCreate", "", "");
    PyObject *a[2];
    const char *context = NULL, *encoding = NULL;
    parser_object *self = XP(op);
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a) ||
        !_PyArg_ParseStack(a, nargs, "z|s:ExternalEntityParserCreate",
                           &context, &encoding)) {
        return NULL;
    }
    PyObject *result = wrap(
        XML_ExternalEntityParserCreate(self->itself, context, encoding),
        self->intern);
    parser_object *sub = XP(result);
    if (sub == NULL) {
        return NULL;
    }
    sub->ordered_attributes = self->ordered_attributes;
    sub->specified_attributes = self->specified_attributes;
    sub->ns_prefixes = self->ns_prefixes;
    sub->buffer_size = self->buffer_size;
    if (self->buffer != NULL) {
        sub->buffer = PyMem_Malloc((size_t)sub->buffer_size);
        if (sub->buffer == NULL) {
            Py_DECREF(result);
            return PyErr_NoMemory();
        }
    }
    for (int i = 0; i < NUM_HANDLERS; i++) {
        sub->handlers[i] = Py_XNewRef(self->handlers[i]);
        install(sub, i, sub->handlers[i] != NULL);
    }
    return result;
}

static int
parser_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(XP(op)->intern);
    for (int i = 0; i < NUM_HANDLERS; i++) {
        Py_VISIT(XP(op)->handlers[i]);
    }
    return 0;
}

static int
parser_clear(PyObject *op)
{
    Py_CLEAR(XP(op)->intern);
    for (int i = 0; i < NUM_HANDLERS; i++) {
        if (XP(op)->itself != NULL) {
            install(XP(op), i, false);
        }
        Py_CLEAR(XP(op)->handlers[i]);
    }
    return 0;
}

static void
parser_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    parser_clear(op);
    XML_ParserFree(XP(op)->itself);
    PyMem_Free(XP(op)->buffer);
    PyObject_GC_Del(op);
    Py_DECREF(type);
}

static PyMethodDef parser_methods[] = {
    {"Parse", KR_CAST(parser_parse), KR_FAST,
     "Parse($self, data, isfinal=False, /)\n--\n\n"
     "Parse XML data; isfinal must be true at the end of input."},
    {"ParseFile", KR_CAST(parser_parsefile), KR_FAST,
     "ParseFile($self, file, /)\n--\n\nParse XML data from a file."},
    {"SetBase", parser_setbase, METH_O,
     "SetBase($self, base, /)\n--\n\nSet the base URL."},
    {"GetBase", parser_getbase, METH_NOARGS,
     "GetBase($self, /)\n--\n\nReturn the base URL."},
    {"GetInputContext", parser_getinputcontext, METH_NOARGS,
     "GetInputContext($self, /)\n--\n\n"
     "The input from the current event on; None outside of handlers."},
    {"ExternalEntityParserCreate", KR_CAST(parser_external), KR_FAST,
     "A parser of an external entity, with the handlers of this one."},
    {"SetParamEntityParsing", parser_setparam, METH_O,
     "SetParamEntityParsing($self, flag, /)\n--\n\n"
     "Choose when parameter entities are parsed."},
    {"UseForeignDTD", KR_CAST(parser_foreign), KR_FAST,
     "UseForeignDTD($self, flag=True, /)\n--\n\n"
     "Have the application provide a DTD as an external entity."},
    {NULL},
};

/* ---- attributes */

static PyObject *
get_handler(PyObject *op, void *i)
{
    PyObject *f = XP(op)->handlers[(intptr_t)i];
    return Py_NewRef(f ? f : Py_None);
}

static int
set_handler(PyObject *op, PyObject *v, void *index)
{
    int i = (int)(intptr_t)index;
    parser_object *self = XP(op);
    if (v == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Cannot delete attribute");
        return -1;
    }
    if (i == CHARACTER_DATA) {
        /* what is buffered was meant for the old one */
        flush_text(self);
        if (PyErr_Occurred()) {
            return -1;
        }
    }
    v = v == Py_None ? NULL : v;
    if (v == NULL && i == CHARACTER_DATA && self->in_callback) {
        /* expat must not lose this one amid text: keep it, and do nothing */
        Py_CLEAR(self->handlers[i]);
        return 0;
    }
    Py_XSETREF(self->handlers[i], Py_XNewRef(v));
    install(self, i, v != NULL);
    return 0;
}

enum number { E_CODE, E_LINE, E_COLUMN, E_BYTE };

static PyObject *
get_number(PyObject *op, void *which)
{
    XML_Parser p = XP(op)->itself;
    switch ((intptr_t)which) {
    case E_CODE: return PyLong_FromLong((long)XML_GetErrorCode(p));
    case E_LINE: return PyLong_FromLong((long)XML_GetErrorLineNumber(p));
    case E_COLUMN: return PyLong_FromLong((long)XML_GetErrorColumnNumber(p));
    default: return PyLong_FromLong((long)XML_GetErrorByteIndex(p));
    }
}

static PyObject *
get_buffer_text(PyObject *op, void *ignored)
{
    return PyBool_FromLong(XP(op)->buffer != NULL);
}

static int
set_buffer_text(PyObject *op, PyObject *v, void *ignored)
{
    parser_object *self = XP(op);
    if (v == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Cannot delete attribute");
        return -1;
    }
    int on = PyObject_IsTrue(v);
    if (on < 0) {
        return -1;
    }
    if (on && self->buffer == NULL) {
        self->buffer = PyMem_Malloc((size_t)self->buffer_size);
        self->buffer_used = 0;
        if (self->buffer == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    else if (!on && self->buffer != NULL) {
        flush_text(self);
        PyMem_Free(self->buffer);
        self->buffer = NULL;
    }
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *
get_buffer_size(PyObject *op, void *ignored)
{
    return PyLong_FromLong(XP(op)->buffer_size);
}

static int
set_buffer_size(PyObject *op, PyObject *v, void *ignored)
{
    parser_object *self = XP(op);
    if (v == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Cannot delete attribute");
        return -1;
    }
    if (!PyLong_Check(v)) {
        PyErr_SetString(PyExc_TypeError, "buffer_size must be an integer");
        return -1;
    }
    long size = PyLong_AsLong(v);
    if (size <= 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError,
                            "buffer_size must be greater than zero");
        }
        return -1;
    }
    if (size > INT_MAX) {
        PyErr_Format(PyExc_ValueError,
                     "buffer_size must not be greater than %i", INT_MAX);
        return -1;
    }
    flush_text(self);
    if (PyErr_Occurred()) {
        return -1;
    }
    if (self->buffer != NULL) {
        char *fresh = PyMem_Realloc(self->buffer, (size_t)size);
        if (fresh == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->buffer = fresh;
    }
    self->buffer_size = (int)size;
    return 0;
}

static PyObject *
get_buffer_used(PyObject *op, void *ignored)
{
    return PyLong_FromLong(XP(op)->buffer ? XP(op)->buffer_used : 0);
}

static PyObject *
get_flag(PyObject *op, void *offset)
{
    return PyBool_FromLong(*(int *)((char *)op + (intptr_t)offset));
}

static int
set_flag(PyObject *op, PyObject *v, void *offset)
{
    if (v == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Cannot delete attribute");
        return -1;
    }
    int on = PyObject_IsTrue(v);
    if (on < 0) {
        return -1;
    }
    *(int *)((char *)op + (intptr_t)offset) = on;
    if ((intptr_t)offset == offsetof(parser_object, ns_prefixes)) {
        XML_SetReturnNSTriplet(XP(op)->itself, on);
    }
    return 0;
}

#define NUMBER(n, i) {n, get_number, NULL, NULL, (void *)(i)}
#define FLAG(n, f)                                                             \
    {n, get_flag, set_flag, NULL, (void *)offsetof(parser_object, f)}

/* The handlers come first, filled in from their names. */
static PyGetSetDef parser_getset[NUM_HANDLERS + 15] = {
    [NUM_HANDLERS] = NUMBER("ErrorCode", E_CODE),
    NUMBER("ErrorLineNumber", E_LINE),
    NUMBER("ErrorColumnNumber", E_COLUMN),
    NUMBER("ErrorByteIndex", E_BYTE),
    NUMBER("CurrentLineNumber", E_LINE),
    NUMBER("CurrentColumnNumber", E_COLUMN),
    NUMBER("CurrentByteIndex", E_BYTE),
    {"buffer_size", get_buffer_size, set_buffer_size},
    {"buffer_text", get_buffer_text, set_buffer_text},
    {"buffer_used", get_buffer_used},
    FLAG("namespace_prefixes", ns_prefixes),
    FLAG("ordered_attributes", ordered_attributes),
    FLAG("specified_attributes", specified_attributes),
};

static PyMemberDef parser_members[] = {
    {"intern", T_OBJECT, offsetof(parser_object, intern), READONLY},
    {NULL},
};

static PyType_Slot parser_slots[] = {
    {Py_tp_dealloc, parser_dealloc},  {Py_tp_doc, "XML parser"},
    {Py_tp_traverse, parser_traverse}, {Py_tp_clear, parser_clear},
    {Py_tp_methods, parser_methods},  {Py_tp_members, parser_members},
    {Py_tp_getset, parser_getset},    {0, NULL},
};

static PyType_Spec parser_spec = {
    .name = "pyexpat.xmlparser",
    .basicsize = sizeof(parser_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = parser_slots,
};

/* ---- functions */

/* A str or None of ParserCreate(). */
static int
text_argument(PyObject *o, const char *what, const char **out)
{
    if (o == Py_None) {
        return 0;
    }
    if (!PyUnicode_Check(o)) {
        _PyArg_BadArgument("ParserCreate", what, "str or None", o);
        return -1;
    }
    Py_ssize_t n;
    *out = PyUnicode_AsUTF8AndSize(o, &n);
    if (*out != NULL && strlen(*out) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return -1;
    }
    return *out == NULL ? -1 : 0;
}

static PyObject *
parser_create(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"encoding", "namespace_separator", "intern",
                               NULL};
    const char *encoding = NULL, *sep = NULL;
    PyObject *intern = NULL, *enc = Py_None, *ns = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOO:ParserCreate",
                                     keywords, &enc, &ns, &intern) ||
        text_argument(enc, "argument 'encoding'", &encoding) < 0 ||
        text_argument(ns, "argument 'namespace_separator'", &sep) < 0) {
        return NULL;
    }
    if (sep != NULL && strlen(sep) > 1) {
        PyErr_SetString(PyExc_ValueError,
                        "namespace_separator must be at most one character, "
                        "omitted, or None");
        return NULL;
    }
    if (intern != NULL && intern != Py_None && !PyDict_Check(intern)) {
        PyErr_SetString(PyExc_TypeError, "intern must be a dictionary");
        return NULL;
    }
    PyObject *table = intern == NULL      ? PyDict_New()
                      : intern == Py_None ? NULL
                                          : Py_NewRef(intern);
    if (table == NULL && intern == NULL) {
        return NULL;
    }
    PyObject *self =
        wrap(XML_ParserCreate_MM(encoding, &allocator, sep), table);
    Py_XDECREF(table);
    return self;
}

static PyObject *
error_string(PyObject *module, PyObject *arg)
{
    long code = PyLong_AsLong(arg);
    if (code == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return Py_BuildValue("z", XML_ErrorString((enum XML_Error)code));
}

static PyMethodDef functions[] = {
    {"ParserCreate", (PyCFunction)(void *)parser_create,
     METH_VARARGS | METH_KEYWORDS,
     "ParserCreate($module, /, encoding=None, namespace_separator=None, "
     "intern=None)\n--\n\nReturn a new XML parser object."},
    {"ErrorString", error_string, METH_O,
     "ErrorString($module, code, /)\n--\n\n"
     "Return the text of an error code."},
    {NULL},
};

/* ---- module */

static const char *const error_names[] = {
    NULL, "NO_MEMORY", "SYNTAX", "NO_ELEMENTS", "INVALID_TOKEN",
    "UNCLOSED_TOKEN", "PARTIAL_CHAR", "TAG_MISMATCH", "DUPLICATE_ATTRIBUTE",
    "JUNK_AFTER_DOC_ELEMENT", "PARAM_ENTITY_REF", "UNDEFINED_ENTITY",
    "RECURSIVE_ENTITY_REF", "ASYNC_ENTITY", "BAD_CHAR_REF",
    "BINARY_ENTITY_REF", "ATTRIBUTE_EXTERNAL_ENTITY_REF", "MISPLACED_XML_PI",
    "UNKNOWN_ENCODING", "INCORRECT_ENCODING", "UNCLOSED_CDATA_SECTION",
    "EXTERNAL_ENTITY_HANDLING", "NOT_STANDALONE", "UNEXPECTED_STATE",
    "ENTITY_DECLARED_IN_PE", "FEATURE_REQUIRES_XML_DTD",
    "CANT_CHANGE_FEATURE_ONCE_PARSING", "UNBOUND_PREFIX",
    "UNDECLARING_PREFIX", "INCOMPLETE_PE", "XML_DECL", "TEXT_DECL",
    "PUBLICID", "SUSPENDED", "NOT_SUSPENDED", "ABORTED", "FINISHED",
    "SUSPEND_PE", "RESERVED_PREFIX_XML", "RESERVED_PREFIX_XMLNS",
    "RESERVED_NAMESPACE_URI", "INVALID_ARGUMENT", "NO_BUFFER",
    "AMPLIFICATION_LIMIT_BREACH"};

/* A module inside this one, known to import as pyexpat.NAME. */
static PyObject *
submodule(PyObject *m, const char *full)
{
    PyObject *sub = PyImport_AddModule(full);
    if (sub == NULL ||
        PyModule_AddObjectRef(m, strchr(full, '.') + 1, sub) < 0) {
        return NULL;
    }
    return sub;
}

static int
add_error(PyObject *sub, PyObject *codes, PyObject *messages, int i)
{
    const char *s = XML_ErrorString((enum XML_Error)i);
    char full[64];
    snprintf(full, sizeof full, "XML_ERROR_%s", error_names[i]);
    if (s == NULL) {
        return 0;
    }
    PyObject *str = PyUnicode_FromString(s), *n = PyLong_FromLong(i);
    int rc = str == NULL || n == NULL ||
                     PyModule_AddObjectRef(sub, full, str) < 0 ||
                     PyDict_SetItem(codes, str, n) < 0 ||
                     PyDict_SetItem(messages, n, str) < 0
                 ? -1
                 : 0;
    Py_XDECREF(str);
    Py_XDECREF(n);
    return rc;
}

static int
add_errors(PyObject *m)
{
    PyObject *sub = submodule(m, "pyexpat.errors");
    PyObject *codes = PyDict_New(), *messages = PyDict_New();
    int rc = sub && codes && messages ? 0 : -1;
    for (int i = 1; rc == 0 && i < (int)Py_ARRAY_LENGTH(error_names); i++) {
        rc = add_error(sub, codes, messages, i);
    }
    if (rc == 0) {
        rc = PyModule_AddStringConstant(
            sub, "__doc__", "Constants used to describe error conditions.");
    }
    if (rc == 0) {
        rc = PyModule_AddObjectRef(sub, "codes", codes);
    }
    if (rc == 0) {
        rc = PyModule_AddObjectRef(sub, "messages", messages);
    }
    Py_XDECREF(codes);
    Py_XDECREF(messages);
    return rc;
}

static int
add_model(PyObject *m)
{
    static const struct {
        const char *name;
        int value;
    } constants[] = {{"XML_CTYPE_EMPTY", XML_CTYPE_EMPTY},
                     {"XML_CTYPE_ANY", XML_CTYPE_ANY},
                     {"XML_CTYPE_MIXED", XML_CTYPE_MIXED},
                     {"XML_CTYPE_NAME", XML_CTYPE_NAME},
                     {"XML_CTYPE_CHOICE", XML_CTYPE_CHOICE},
                     {"XML_CTYPE_SEQ", XML_CTYPE_SEQ},
                     {"XML_CQUANT_NONE", XML_CQUANT_NONE},
                     {"XML_CQUANT_OPT", XML_CQUANT_OPT},
                     {"XML_CQUANT_REP", XML_CQUANT_REP},
                     {"XML_CQUANT_PLUS", XML_CQUANT_PLUS}};
    PyObject *sub = submodule(m, "pyexpat.model");
    int rc = sub ? PyModule_AddStringConstant(
                       sub, "__doc__",
                       "Constants used to interpret content models.")
                 : -1;
    for (size_t i = 0; rc == 0 && i < Py_ARRAY_LENGTH(constants); i++) {
        rc = PyModule_AddIntConstant(sub, constants[i].name,
                                     constants[i].value);
    }
    return rc;
}

static int
add_steal(PyObject *m, const char *attr, PyObject *v)
{
    int rc = v ? PyModule_AddObjectRef(m, attr, v) : -1;
    Py_XDECREF(v);
    return rc;
}

static int
add_features(PyObject *m)
{
    const XML_Feature *f = XML_GetFeatureList();
    PyObject *list = PyList_New(0);
    for (; list && f->feature != XML_FEATURE_END; f++) {
        PyObject *pair = Py_BuildValue("si", f->name, (int)f->value);
        if (pair == NULL || PyList_Append(list, pair) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(pair);
    }
    return add_steal(m, "features", list);
}

static int
add_capi(PyObject *m)
{
    static const struct kr_expat_capi api = {
        .magic = KR_EXPAT_CAPI_MAGIC,
        .size = sizeof api,
        .major = XML_MAJOR_VERSION,
        .minor = XML_MINOR_VERSION,
        .micro = XML_MICRO_VERSION,
        .ErrorString = XML_ErrorString,
        .GetErrorCode = XML_GetErrorCode,
        .GetErrorColumnNumber = XML_GetErrorColumnNumber,
        .GetErrorLineNumber = XML_GetErrorLineNumber,
        .Parse = XML_Parse,
        .ParserCreate_MM = XML_ParserCreate_MM,
        .ParserFree = XML_ParserFree,
        .SetCharacterDataHandler = XML_SetCharacterDataHandler,
        .SetCommentHandler = XML_SetCommentHandler,
        .SetDefaultHandlerExpand = XML_SetDefaultHandlerExpand,
        .SetElementHandler = XML_SetElementHandler,
        .SetNamespaceDeclHandler = XML_SetNamespaceDeclHandler,
        .SetProcessingInstructionHandler = XML_SetProcessingInstructionHandler,
        .SetUnknownEncodingHandler = XML_SetUnknownEncodingHandler,
        .SetUserData = XML_SetUserData,
        .SetStartDoctypeDeclHandler = XML_SetStartDoctypeDeclHandler,
        .SetEncoding = XML_SetEncoding,
        .DefaultUnknownEncodingHandler = on_encoding,
        .SetHashSalt = XML_SetHashSalt,
    };
    return add_steal(m, "expat_CAPI",
                     PyCapsule_New((void *)&api, "pyexpat.expat_CAPI", NULL));
}

static int
exec(PyObject *m)
{
    for (int i = 0; i < NUM_HANDLERS; i++) {
        parser_getset[i] = (PyGetSetDef){handler_names[i], get_handler,
                                         set_handler, NULL,
                                         (void *)(intptr_t)i};
    }
    XML_Expat_Version v = XML_ExpatVersionInfo();
    Py_XSETREF(state.type, (PyTypeObject *)PyType_FromSpec(&parser_spec));
    Py_XSETREF(state.error, PyErr_NewException("xml.parsers.expat.ExpatError",
                                               NULL, NULL));
    if (state.type == NULL || state.error == NULL ||
        PyModule_AddObjectRef(m, "error", state.error) < 0 ||
        PyModule_AddObjectRef(m, "ExpatError", state.error) < 0 ||
        PyModule_AddObjectRef(m, "XMLParserType", (PyObject *)state.type) <
            0 ||
        PyModule_AddStringConstant(m, "EXPAT_VERSION", XML_ExpatVersion()) <
            0 ||
        add_steal(m, "version_info",
                  Py_BuildValue("(iii)", v.major, v.minor, v.micro)) < 0 ||
        PyModule_AddStringConstant(m, "native_encoding", "UTF-8") < 0 ||
        add_features(m) < 0 || add_errors(m) < 0 || add_model(m) < 0 ||
        PyModule_AddIntConstant(m, "XML_PARAM_ENTITY_PARSING_NEVER", 0) < 0 ||
        PyModule_AddIntConstant(
            m, "XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE", 1) < 0 ||
        PyModule_AddIntConstant(m, "XML_PARAM_ENTITY_PARSING_ALWAYS", 2) < 0) {
        return -1;
    }
    return add_capi(m);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0, NULL}};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pyexpat",
    .m_doc = "Python wrapper for Expat parser.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_pyexpat(void)
{
    return PyModuleDef_Init(&module_def);
}
