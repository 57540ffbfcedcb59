/* The type XMLParser: expat's events to a target. An exact TreeBuilder is
 * called directly, any other target through its methods. */
#include <Python.h>
#include <limits.h>
#include <structmember.h>

#include "modules/kwargs.h"
#include "modules/shared/_elementtree/etree.h"

/* The methods that a target may have. */
enum method {
    DO_START,
    DO_DATA,
    DO_END,
    DO_START_NS,
    DO_END_NS,
    DO_COMMENT,
    DO_PI,
    DO_CLOSE,
    DO_DOCTYPE,
    METHODS
};

static const char *const method_names[METHODS] = {
    "start",   "data", "end",   "start_ns", "end_ns",
    "comment", "pi",   "close", "doctype"};

struct xml_parser {
    PyObject_HEAD
    XML_Parser expat; /* NULL before __init__ */
    bool parsing;
    PyObject *target;
    PyObject *entity; /* dict: names of entities to text */
    PyObject *names;  /* dict: bytes of expat's names to str */
    PyObject *methods[METHODS]; /* of the target, or NULL */
};

#define XP(op) ((struct xml_parser *)(op))

/* The target if events go to it directly, else NULL. */
static struct kr_builder *
builder_of(struct xml_parser *p)
{
    return Py_IS_TYPE(p->target, &kr_builder_type) ? KR_BUILDER(p->target)
                                                   : NULL;
}

/* ---- values */

static PyObject *
text_of(const XML_Char *s)
{
    if (s == NULL) {
        return PyUnicode_FromString("");
    }
    return PyUnicode_DecodeUTF8(s, (Py_ssize_t)strlen(s), "strict");
}

/* "uri}name" as "{uri}name"; one object for each name. */
static PyObject *
name_of(struct xml_parser *p, const XML_Char *s)
{
    Py_ssize_t n = (Py_ssize_t)strlen(s);
    PyObject *key = PyBytes_FromStringAndSize(s, n);
    if (key == NULL) {
        return NULL;
    }
    PyObject *name = Py_XNewRef(PyDict_GetItemWithError(p->names, key));
    if (name == NULL && !PyErr_Occurred()) {
        name = PyUnicode_DecodeUTF8(s, n, "strict");
        if (name != NULL && strchr(s, '}') != NULL) {
            Py_SETREF(name, PyUnicode_FromFormat("{%U", name));
        }
        if (name != NULL && PyDict_SetItem(p->names, key, name) < 0) {
            Py_CLEAR(name);
        }
    }
    Py_DECREF(key);
    return name;
}

/* A dict of the attributes; NULL if there are none, or with an exception. */
static PyObject *
attributes_of(struct xml_parser *p, const XML_Char **atts)
{
    PyObject *dict = atts[0] != NULL ? PyDict_New() : NULL;
    for (; dict != NULL && atts[0] != NULL; atts += 2) {
        PyObject *key = name_of(p, atts[0]);
        PyObject *value = key ? text_of(atts[1]) : NULL;
        if (value == NULL || PyDict_SetItem(dict, key, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

/* ---- errors */

/* Sets ParseError for an expat error at a place; `message` is instead of
 * expat's own text. */
static void
set_error(struct xml_parser *p, enum XML_Error code, const char *message)
{
    size_t line = XML_GetErrorLineNumber(p->expat);
    size_t column = XML_GetErrorColumnNumber(p->expat);
    PyObject *text = PyUnicode_FromFormat(
        "%s: line %zu, column %zu",
        message ? message : XML_ErrorString(code), line, column);
    PyObject *type = kr_etree()->parse_error;
    PyObject *error = text ? PyObject_CallOneArg(type, text) : NULL;
    PyObject *number = PyLong_FromLong(code);
    PyObject *position =
        Py_BuildValue("(nn)", (Py_ssize_t)line, (Py_ssize_t)column);
    if (error != NULL && number != NULL && position != NULL
        && PyObject_SetAttrString(error, "code", number) == 0
        && PyObject_SetAttrString(error, "position", position) == 0) {
        PyErr_SetObject(type, error);
    }
    Py_XDECREF(text);
    Py_XDECREF(error);
    Py_XDECREF(number);
    Py_XDECREF(position);
}

/* ---- expat's events */

/* Calls a method of the target, if it has it; takes over `args`. */
static PyObject *
call(struct xml_parser *p, enum method m, PyObject *args)
{
    PyObject *res = NULL;
    if (args != NULL) {
        res = PyObject_Call(p->methods[m], args, NULL);
        Py_DECREF(args);
    }
    return res;
}

static void
on_start(void *data, const XML_Char *tag, const XML_Char **atts)
{
    struct xml_parser *p = data;
    struct kr_builder *b = builder_of(p);
    if (PyErr_Occurred() || (b == NULL && p->methods[DO_START] == NULL)) {
        return;
    }
    PyObject *name = name_of(p, tag), *res = NULL;
    PyObject *attrib = name ? attributes_of(p, atts) : NULL;
    if (name != NULL && !PyErr_Occurred()) {
        if (b != NULL) {
            res = kr_builder_start(b, name, attrib);
        }
        else if (attrib != NULL || (attrib = PyDict_New()) != NULL) {
            res = call(p, DO_START, PyTuple_Pack(2, name, attrib));
        }
    }
    Py_XDECREF(attrib);
    Py_XDECREF(name);
    Py_XDECREF(res);
}

/* Gives text to the target. */
static void
send_data(struct xml_parser *p, PyObject *text)
{
    struct kr_builder *b = builder_of(p);
    PyObject *res = NULL;
    if (b != NULL) {
        res = kr_builder_data(b, text);
    }
    else if (p->methods[DO_DATA] != NULL) {
        res = PyObject_CallOneArg(p->methods[DO_DATA], text);
    }
    Py_XDECREF(res);
}

static void
on_data(void *data, const XML_Char *s, int n)
{
    if (PyErr_Occurred()) {
        return;
    }
    PyObject *text = PyUnicode_DecodeUTF8(s, n, "strict");
    if (text != NULL) {
        send_data(data, text);
        Py_DECREF(text);
    }
}

static void
on_end(void *data, const XML_Char *tag)
{
    struct xml_parser *p = data;
    struct kr_builder *b = builder_of(p);
    PyObject *res = NULL;
    if (PyErr_Occurred()) {
        return;
    }
    if (b != NULL) {
        res = kr_builder_end(b);
    }
    else if (p->methods[DO_END] != NULL) {
        PyObject *name = name_of(p, tag);
        res = name ? PyObject_CallOneArg(p->methods[DO_END], name) : NULL;
        Py_XDECREF(name);
    }
    Py_XDECREF(res);
}

static void
on_start_ns(void *data, const XML_Char *prefix, const XML_Char *uri)
{
    struct xml_parser *p = data;
    struct kr_builder *b = builder_of(p);
    if (PyErr_Occurred()
        || (b != NULL ? b->events[KR_EVENT_START_NS] == NULL
                      : p->methods[DO_START_NS] == NULL)) {
        return;
    }
    PyObject *first = text_of(prefix), *second = text_of(uri);
    PyObject *pair =
        first && second ? PyTuple_Pack(2, first, second) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(second);
    if (pair == NULL) {
        return;
    }
    if (b != NULL) {
        kr_builder_report(b, KR_EVENT_START_NS, pair);
        Py_DECREF(pair);
        return;
    }
    Py_XDECREF(call(p, DO_START_NS, pair));
}

static void
on_end_ns(void *data, const XML_Char *prefix)
{
    struct xml_parser *p = data;
    struct kr_builder *b = builder_of(p);
    if (PyErr_Occurred()) {
        return;
    }
    if (b != NULL) {
        kr_builder_report(b, KR_EVENT_END_NS, Py_None);
    }
    else if (p->methods[DO_END_NS] != NULL) {
        PyObject *text = text_of(prefix);
        Py_XDECREF(text ? PyObject_CallOneArg(p->methods[DO_END_NS], text)
                        : NULL);
        Py_XDECREF(text);
    }
}

static void
on_comment(void *data, const XML_Char *s)
{
    struct xml_parser *p = data;
    struct kr_builder *b = builder_of(p);
    if (PyErr_Occurred() || (b == NULL && p->methods[DO_COMMENT] == NULL)) {
        return;
    }
    PyObject *text = text_of(s);
    if (text != NULL) {
        Py_XDECREF(b != NULL
                       ? kr_builder_comment(b, text)
                       : PyObject_CallOneArg(p->methods[DO_COMMENT], text));
        Py_DECREF(text);
    }
}

static void
on_pi(void *data, const XML_Char *target, const XML_Char *s)
{
    struct xml_parser *p = data;
    struct kr_builder *b = builder_of(p);
    /* a builder that neither reports nor keeps it need not make it */
    if (PyErr_Occurred()
        || (b != NULL ? b->events[KR_EVENT_PI] == NULL && !b->insert_pis
                      : p->methods[DO_PI] == NULL)) {
        return;
    }
    PyObject *name = text_of(target), *text = name ? text_of(s) : NULL;
    if (text != NULL) {
        Py_XDECREF(b != NULL ? kr_builder_pi(b, name, text)
                             : call(p, DO_PI, PyTuple_Pack(2, name, text)));
    }
    Py_XDECREF(name);
    Py_XDECREF(text);
}

/* What no other handler takes: here references to entities that the document
 * does not define. */
static void
on_default(void *data, const XML_Char *s, int n)
{
    struct xml_parser *p = data;
    if (n < 2 || s[0] != '&' || PyErr_Occurred()) {
        return;
    }
    PyObject *key = PyUnicode_DecodeUTF8(s + 1, n - 2, "strict");
    if (key == NULL) {
        return;
    }
    PyObject *value = Py_XNewRef(PyDict_GetItemWithError(p->entity, key));
    if (value != NULL) {
        send_data(p, value);
        Py_DECREF(value);
    }
    else if (!PyErr_Occurred()) {
        char message[128];
        snprintf(message, sizeof(message), "undefined entity &%.100s;",
                 PyUnicode_AsUTF8(key));
        set_error(p, XML_ERROR_UNDEFINED_ENTITY, message);
    }
    Py_DECREF(key);
}

static PyObject *
text_or_none(const XML_Char *s)
{
    return s == NULL ? Py_NewRef(Py_None) : text_of(s);
}

/* Parsers of old had a method of that name. */
static void
warn_of_doctype(struct xml_parser *p)
{
    PyObject *own, *name = PyUnicode_InternFromString("doctype");
    if (name != NULL
        && _PyObject_LookupAttr((PyObject *)p, name, &own) > 0) {
        Py_DECREF(own);
        PyErr_WarnEx(PyExc_RuntimeWarning,
                     "The doctype() method of XMLParser is ignored.  Define "
                     "doctype() method on the TreeBuilder target.",
                     1);
    }
    Py_XDECREF(name);
}

static void
on_doctype(void *data, const XML_Char *name, const XML_Char *system,
           const XML_Char *public, int has_internal_subset)
{
    struct xml_parser *p = data;
    if (PyErr_Occurred()) {
        return;
    }
    if (p->methods[DO_DOCTYPE] == NULL) {
        warn_of_doctype(p);
        return;
    }
    PyObject *doc = name_of(p, name), *sys = text_or_none(system),
             *pub = text_or_none(public);
    if (doc != NULL && sys != NULL && pub != NULL) {
        Py_XDECREF(call(p, DO_DOCTYPE, PyTuple_Pack(3, doc, pub, sys)));
    }
    Py_XDECREF(doc);
    Py_XDECREF(sys);
    Py_XDECREF(pub);
}

/* ---- parsing */

static bool
is_ready(struct xml_parser *p)
{
    if (p->target == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "XMLParser.__init__() wasn't called");
        return false;
    }
    if (p->parsing) {
        PyErr_SetString(PyExc_RuntimeError,
                        "XMLParser called by its own target");
        return false;
    }
    return true;
}

/* Has expat read a piece: None, or NULL with an exception. */
static PyObject *
parse(struct xml_parser *p, const char *s, Py_ssize_t n, bool final)
{
    if (n > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "size does not fit in an int");
        return NULL;
    }
    p->parsing = true;
    enum XML_Status ok = XML_Parse(p->expat, s, (int)n, final);
    p->parsing = false;
    if (!PyErr_Occurred() && ok == XML_STATUS_ERROR) {
        set_error(p, XML_GetErrorCode(p->expat), NULL);
    }
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* Parses a str or a bytes-like object; a str is UTF-8 whatever the document
 * says. */
static PyObject *
parse_object(struct xml_parser *p, PyObject *data)
{
    Py_buffer view;
    if (PyUnicode_Check(data)) {
        Py_ssize_t n;
        const char *s = PyUnicode_AsUTF8AndSize(data, &n);
        if (s == NULL) {
            return NULL;
        }
        (void)XML_SetEncoding(p->expat, "utf-8");
        return parse(p, s, n, false);
    }
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *res = parse(p, view.buf, view.len, false);
    PyBuffer_Release(&view);
    return res;
}

static PyObject *
parser_feed(PyObject *self, PyObject *data)
{
    return is_ready(XP(self)) ? parse_object(XP(self), data) : NULL;
}

static PyObject *
parser_close(PyObject *self, PyObject *unused)
{
    struct xml_parser *p = XP(self);
    PyObject *res = is_ready(p) ? parse(p, "", 0, true) : NULL;
    if (res == NULL) {
        return NULL;
    }
    struct kr_builder *b = builder_of(p);
    if (b != NULL) {
        Py_SETREF(res, kr_builder_close(b));
    }
    else if (p->methods[DO_CLOSE] != NULL) {
        Py_SETREF(res, PyObject_CallNoArgs(p->methods[DO_CLOSE]));
    }
    return res;
}

/* The next piece of a file: bytes, or NULL at the end or with an exception.
 * What is neither str nor bytes ends the file, as in the reference. */
static PyObject *
read_piece(struct xml_parser *p, PyObject *read)
{
    PyObject *piece = PyObject_CallFunction(read, "i", 64 * 1024);
    if (piece != NULL && PyUnicode_CheckExact(piece)) {
        if (PyUnicode_GET_LENGTH(piece) > 0) {
            (void)XML_SetEncoding(p->expat, "utf-8");
        }
        Py_SETREF(piece, PyUnicode_AsEncodedString(piece, "utf-8",
                                                   "surrogatepass"));
    }
    if (piece != NULL
        && (!PyBytes_CheckExact(piece) || PyBytes_GET_SIZE(piece) == 0)) {
        Py_CLEAR(piece);
    }
    return piece;
}

static PyObject *
parser_parse_whole(PyObject *self, PyObject *file)
{
    struct xml_parser *p = XP(self);
    PyObject *read =
        is_ready(p) ? PyObject_GetAttrString(file, "read") : NULL, *piece;
    if (read == NULL) {
        return NULL;
    }
    while ((piece = read_piece(p, read)) != NULL) {
        PyObject *res = parse(p, PyBytes_AS_STRING(piece),
                              PyBytes_GET_SIZE(piece), false);
        Py_DECREF(piece);
        Py_XDECREF(res);
        if (res == NULL) {
            break;
        }
    }
    Py_DECREF(read);
    PyObject *res = PyErr_Occurred() ? NULL : parse(p, "", 0, true);
    struct kr_builder *b = builder_of(p);
    if (res != NULL && b != NULL) {
        Py_SETREF(res, kr_builder_close(b));
    }
    return res;
}

/* ---- reporting events */

static const char *const event_names[KR_EVENTS] = {
    "start", "end", "start-ns", "end-ns", "comment", "pi"};

/* Has the builder report the event of that name: -1 with an exception. */
static int
report_event(struct xml_parser *p, struct kr_builder *b, PyObject *name)
{
    const char *text =
        PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    if (text == NULL) {
        PyErr_Clear();
        PyErr_SetString(PyExc_ValueError, "invalid events sequence");
        return -1;
    }
    int event = 0;
    while (event < KR_EVENTS && strcmp(text, event_names[event]) != 0) {
        event++;
    }
    switch (event) {
    case KR_EVENT_START_NS:
    case KR_EVENT_END_NS:
        XML_SetNamespaceDeclHandler(p->expat, on_start_ns, on_end_ns);
        break;
    case KR_EVENT_COMMENT:
        XML_SetCommentHandler(p->expat, on_comment);
        break;
    case KR_EVENT_PI:
        XML_SetProcessingInstructionHandler(p->expat, on_pi);
        break;
    case KR_EVENTS:
        PyErr_Format(PyExc_ValueError, "unknown event '%s'", text);
        return -1;
    default:
        break;
    }
    Py_XSETREF(b->events[event], Py_NewRef(name));
    return 0;
}

/* The usual event: the end of an element. */
static int
report_end(struct xml_parser *p, struct kr_builder *b)
{
    PyObject *name = PyUnicode_InternFromString("end");
    int err = name == NULL ? -1 : report_event(p, b, name);
    Py_XDECREF(name);
    return err;
}

static PyObject *
parser_setevents(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    struct xml_parser *p = XP(self);
    if (!_PyArg_CheckPositional("_setevents", nargs, 1, 2)
        || !is_ready(p)) {
        return NULL;
    }
    struct kr_builder *b = builder_of(p);
    if (b == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "event handling only supported for "
                        "ElementTree.TreeBuilder targets");
        return NULL;
    }
    PyObject *append = PyObject_GetAttrString(args[0], "append");
    if (append == NULL) {
        return NULL;
    }
    Py_XSETREF(b->report, append);
    for (int i = 0; i < KR_EVENTS; i++) {
        Py_CLEAR(b->events[i]);
    }
    if (nargs < 2 || args[1] == Py_None) {
        return report_end(p, b) < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyObject *names = PySequence_Fast(args[1], "events must be a sequence");
    if (names == NULL) {
        return NULL;
    }
    int err = 0;
    for (Py_ssize_t i = 0; err == 0 && i < PySequence_Fast_GET_SIZE(names);
         i++) {
        err = report_event(p, b, PySequence_Fast_GET_ITEM(names, i));
    }
    Py_DECREF(names);
    return err < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- the type */

static int
parser_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct xml_parser *p = XP(self);
    Py_VISIT(p->target);
    Py_VISIT(p->entity);
    Py_VISIT(p->names);
    for (int i = 0; i < METHODS; i++) {
        Py_VISIT(p->methods[i]);
    }
    return 0;
}

static int
parser_tp_clear(PyObject *self)
{
    struct xml_parser *p = XP(self);
    if (p->expat != NULL && !p->parsing) {
        XML_Parser expat = p->expat;
        p->expat = NULL;
        XML_ParserFree(expat);
    }
    Py_CLEAR(p->target);
    Py_CLEAR(p->entity);
    Py_CLEAR(p->names);
    for (int i = 0; i < METHODS; i++) {
        Py_CLEAR(p->methods[i]);
    }
    return 0;
}

static void
parser_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    parser_tp_clear(self);
    Py_TYPE(self)->tp_free(self);
}

/* Looks up what the target can do: -1 with an exception. */
static int
find_methods(struct xml_parser *p)
{
    for (int i = 0; i < METHODS; i++) {
        PyObject *name = PyUnicode_InternFromString(method_names[i]);
        int found = name == NULL ? -1
                                 : _PyObject_LookupAttr(p->target, name,
                                                        &p->methods[i]);
        Py_XDECREF(name);
        if (found < 0) {
            return -1;
        }
    }
    return 0;
}

static void
install_handlers(struct xml_parser *p)
{
    XML_Parser x = p->expat;
    XML_SetUserData(x, p);
    XML_SetElementHandler(x, on_start, on_end);
    XML_SetDefaultHandlerExpand(x, on_default);
    XML_SetCharacterDataHandler(x, on_data);
    if (p->methods[DO_START_NS] != NULL || p->methods[DO_END_NS] != NULL) {
        XML_SetNamespaceDeclHandler(x, on_start_ns, on_end_ns);
    }
    if (p->methods[DO_COMMENT] != NULL) {
        XML_SetCommentHandler(x, on_comment);
    }
    if (p->methods[DO_PI] != NULL) {
        XML_SetProcessingInstructionHandler(x, on_pi);
    }
    XML_SetStartDoctypeDeclHandler(x, on_doctype);
    XML_SetUnknownEncodingHandler(
        x, kr_etree()->expat->DefaultUnknownEncodingHandler, NULL);
}

/* The name of an encoding, NULL for None: false with an exception. */
static bool
encoding_argument(PyObject *v, const char **out)
{
    *out = NULL;
    if (v == NULL || v == Py_None) {
        return true;
    }
    if (!PyUnicode_Check(v)) {
        _PyArg_BadArgument("XMLParser", "argument 'encoding'", "str or None",
                           v);
        return false;
    }
    Py_ssize_t n;
    *out = PyUnicode_AsUTF8AndSize(v, &n);
    if (*out != NULL && strlen(*out) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return false;
    }
    return *out != NULL;
}

static int
parser_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static const XML_Memory_Handling_Suite memory = {
        PyMem_Malloc, PyMem_Realloc, PyMem_Free};
    KR_PARSER("XMLParser", "target", "encoding");
    struct xml_parser *p = XP(self);
    PyObject *a[2];
    const char *encoding;
    if (!kr_unpack_tuple(args, kwargs, &parser, 0, 0, 2, a)
        || !encoding_argument(a[1], &encoding)) {
        return -1;
    }
    if (p->parsing) {
        is_ready(p);
        return -1;
    }
    parser_tp_clear(self);
    p->entity = PyDict_New();
    p->names = p->entity ? PyDict_New() : NULL;
    p->expat = p->names ? XML_ParserCreate_MM(encoding, &memory, "}") : NULL;
    if (p->expat == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
        return -1;
    }
    XML_SetHashSalt(p->expat, (unsigned long)_Py_HashSecret.expat.hashsalt);
    p->target = a[0] != NULL && a[0] != Py_None
                    ? Py_NewRef(a[0])
                    : kr_builder_type.tp_new(&kr_builder_type, NULL, NULL);
    if (p->target == NULL || find_methods(p) < 0) {
        Py_CLEAR(p->target);
        return -1;
    }
    install_handlers(p);
    return 0;
}

static PyObject *
get_version(PyObject *self, void *unused)
{
    return PyUnicode_FromFormat("Expat %d.%d.%d", XML_MAJOR_VERSION,
                                XML_MINOR_VERSION, XML_MICRO_VERSION);
}

static PyMemberDef parser_members[] = {
    {"entity", T_OBJECT, offsetof(struct xml_parser, entity), READONLY,
     NULL},
    {"target", T_OBJECT, offsetof(struct xml_parser, target), READONLY,
     NULL},
    {NULL},
};

static PyGetSetDef parser_getset[] = {
    {"version", get_version, NULL, NULL, NULL},
    {NULL},
};

static PyMethodDef parser_methods[] = {
    {"feed", parser_feed, METH_O, "feed($self, data, /)\n--\n\n"},
    {"close", parser_close, METH_NOARGS, "close($self, /)\n--\n\n"},
    {"_parse_whole", parser_parse_whole, METH_O,
     "_parse_whole($self, file, /)\n--\n\n"},
    {"_setevents", KR_CAST(parser_setevents), METH_FASTCALL,
     "_setevents($self, events_queue, events_to_report=None, /)\n--\n\n"},
    {NULL},
};

PyTypeObject kr_xml_parser_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "xml.etree.ElementTree.XMLParser",
    .tp_basicsize = sizeof(struct xml_parser),
    .tp_dealloc = parser_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = parser_traverse,
    .tp_clear = parser_tp_clear,
    .tp_methods = parser_methods,
    .tp_members = parser_members,
    .tp_getset = parser_getset,
    .tp_init = parser_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};
