/* Coding comments, and source decoded by them (PEP 263). */
#include <string.h>

#include "front/lexer/coding.h"
#include "front/lexer/lexer.h"

/* Does the name mean the same as `canonical`, itself or with a suffix? */
static bool
is_encoding(const char *name, const char *canonical)
{
    size_t n = strlen(canonical);
    for (size_t i = 0; i < n; i++) {
        char c = Py_TOLOWER(name[i]);
        if ((c == '_' ? '-' : c) != canonical[i]) {
            return false;
        }
    }
    return name[n] == '\0' || name[n] == '-' || name[n] == '_';
}

static PyObject *
normal_name(const char *text, size_t len)
{
    PyObject *name = PyBytes_FromStringAndSize(text, (Py_ssize_t)len);
    if (name == NULL) {
        return NULL;
    }
    const char *s = PyBytes_AS_STRING(name);
    if (is_encoding(s, "utf-8")) {
        Py_SETREF(name, PyBytes_FromString("utf-8"));
    }
    else if (is_encoding(s, "latin-1") || is_encoding(s, "iso-8859-1") ||
             is_encoding(s, "iso-latin-1")) {
        Py_SETREF(name, PyBytes_FromString("iso-8859-1"));
    }
    return name;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\014';
}

PyObject *
kr_coding_of_line(const char *line, const char *end)
{
    const char *p = line;
    while (p < end && is_blank(*p)) {
        p++;
    }
    if (p == end || *p != '#') {
        return NULL;
    }
    for (; p + 7 <= end; p++) {
        if (memcmp(p, "coding", 6) != 0 || (p[6] != ':' && p[6] != '=')) {
            continue;
        }
        const char *s = p + 7;
        while (s < end && (*s == ' ' || *s == '\t')) {
            s++;
        }
        const char *stop = s;
        while (stop < end && (Py_ISALNUM(*stop) || *stop == '-' ||
                              *stop == '_' || *stop == '.')) {
            stop++;
        }
        if (stop != s) {
            return normal_name(s, (size_t)(stop - s));
        }
    }
    return NULL;
}

bool
kr_is_blank_or_comment(const char *line, const char *end)
{
    while (line < end && is_blank(*line)) {
        line++;
    }
    return line == end || *line == '#' || *line == '\r' || *line == '\n';
}

PyObject *
kr_find_coding(const char *text, size_t len)
{
    const char *line = text, *end = text + len;
    for (int i = 0; i < 2 && line < end; i++) {
        const char *stop = line + strcspn(line, "\r\n");
        if (stop > end) {
            stop = end;
        }
        PyObject *name = kr_coding_of_line(line, stop);
        if (name != NULL || PyErr_Occurred() ||
            !kr_is_blank_or_comment(line, stop)) {
            return name;
        }
        line = stop;
        line += line < end && *line == '\r';
        line += line < end && *line == '\n';
    }
    return NULL;
}

static void
raise_source_error(PyObject *filename, const char *format, const char *name)
{
    PyObject *message = PyUnicode_FromFormat(format, name);
    if (message == NULL) {
        return;
    }
    PyObject *args =
        Py_BuildValue("(O(OiiO))", message, filename ? filename : Py_None, 0,
                      -1, Py_None);
    if (args != NULL) {
        PyErr_SetObject(PyExc_SyntaxError, args);
        Py_DECREF(args);
    }
    Py_DECREF(message);
}

/* Makes a SyntaxError of the failure to decode. */
static void
raise_encoding_problem(PyObject *filename)
{
    if (!PyErr_ExceptionMatches(PyExc_LookupError) &&
        !PyErr_ExceptionMatches(PyExc_ValueError)) {
        return;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *text = value ? PyObject_Str(value) : NULL;
    if (text != NULL) {
        raise_source_error(filename, "%s", PyUnicode_AsUTF8(text));
    }
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

/* Decoded after the lines have got the ends that the lexer wants: so positions
 * in errors count. */
static PyObject *
recode(const char *src, size_t len, bool add_newline, const char *encoding)
{
    KrLexer lines;
    if (kr_lexer_init(&lines, src, len, add_newline, NULL) < 0) {
        return NULL;
    }
    PyObject *text = PyUnicode_Decode(lines.buf, lines.end - lines.buf,
                                      encoding, NULL);
    PyObject *utf8 = text == NULL ? NULL : PyUnicode_AsUTF8String(text);
    Py_XDECREF(text);
    kr_lexer_fini(&lines);
    return utf8;
}

PyObject *
kr_decode_source(const char *src, size_t len, bool add_newline,
                 PyObject *filename, PyObject **encoding)
{
    *encoding = NULL;
    bool bom = kr_has_byte_order_mark(src, len);
    if (bom) {
        src += 3;
        len -= 3;
    }
    PyObject *name = kr_find_coding(src, len);
    if (name == NULL && !PyErr_Occurred() && bom) {
        name = PyBytes_FromString("utf-8");
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    *encoding = name;
    const char *s = name == NULL ? "utf-8" : PyBytes_AS_STRING(name);
    if (strcmp(s, "utf-8") == 0) {
        return PyBytes_FromStringAndSize(src, (Py_ssize_t)len);
    }
    PyObject *utf8 = NULL;
    if (bom) {
        raise_source_error(filename, "encoding problem: %s with BOM", s);
    }
    else {
        utf8 = recode(src, len, add_newline, s);
        if (utf8 == NULL) {
            raise_encoding_problem(filename);
        }
    }
    if (utf8 == NULL) {
        Py_CLEAR(*encoding);
    }
    return utf8;
}
