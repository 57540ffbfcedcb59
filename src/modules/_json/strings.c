/* JSON strings: reading with escapes, and writing. */
#include <string.h>

#include "modules/_json/json.h"
#include "objects/ids.h"

void
kr_json_error(const char *msg, PyObject *doc, Py_ssize_t pos)
{
    PyObject *decoder = PyImport_ImportModule("json.decoder");
    if (decoder == NULL) {
        return;
    }
    PyObject *type = PyObject_GetAttr(decoder, KR_ID(JSONDecodeError));
    Py_DECREF(decoder);
    if (type == NULL) {
        return;
    }
    PyObject *exc = PyObject_CallFunction(type, "zOn", msg, doc, pos);
    if (exc != NULL) {
        PyErr_SetObject(type, exc);
        Py_DECREF(exc);
    }
    Py_DECREF(type);
}

/* ---- reading ------------------------------------------------------------ */

/* Four hex digits at `pos`, or -1. */
static int
four_digits(int kind, const void *data, Py_ssize_t pos)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, pos + i);
        Py_UCS4 letter = (c | 32) - 'a';
        if (c - '0' < 10u) {
            value = value << 4 | (int)(c - '0');
        }
        else if (letter < 6u) {
            value = value << 4 | (int)(letter + 10);
        }
        else {
            return -1;
        }
    }
    return value;
}

/* Decodes what follows "\u" at `pos`, maybe a pair of surrogates; *end is behind
 * it. (Py_UCS4)-1 with an exception. */
static Py_UCS4
unicode_escape(PyObject *doc, Py_ssize_t pos, Py_ssize_t *end)
{
    int kind = PyUnicode_KIND(doc);
    const void *data = PyUnicode_DATA(doc);
    Py_ssize_t len = PyUnicode_GET_LENGTH(doc);
    int value = pos + 4 < len ? four_digits(kind, data, pos) : -1;
    if (value < 0) {
        kr_json_error("Invalid \\uXXXX escape", doc, pos - 1);
        return (Py_UCS4)-1;
    }
    Py_UCS4 c = (Py_UCS4)value;
    *end = pos + 4;
    if (Py_UNICODE_IS_HIGH_SURROGATE(c) && pos + 10 < len &&
        PyUnicode_READ(kind, data, pos + 4) == '\\' &&
        PyUnicode_READ(kind, data, pos + 5) == 'u') {
        int low = four_digits(kind, data, pos + 6);
        if (low < 0) {
            kr_json_error("Invalid \\uXXXX escape", doc, pos + 5);
            return (Py_UCS4)-1;
        }
        if (Py_UNICODE_IS_LOW_SURROGATE((Py_UCS4)low)) {
            c = Py_UNICODE_JOIN_SURROGATES(c, (Py_UCS4)low);
            *end = pos + 10;
        }
    }
    return c;
}

/* The place of the next quote, backslash or (if strict) control character. */
static Py_ssize_t
plain_end(int kind, const void *data, Py_ssize_t pos, Py_ssize_t len,
          bool strict)
{
    if (kind == PyUnicode_1BYTE_KIND) {
        const Py_UCS1 *p = data;
        while (pos < len && p[pos] != '"' && p[pos] != '\\' &&
               (p[pos] > 0x1f || !strict)) {
            pos++;
        }
        return pos;
    }
    for (; pos < len; pos++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, pos);
        if (c == '"' || c == '\\' || (c <= 0x1f && strict)) {
            break;
        }
    }
    return pos;
}

static Py_UCS4
simple_escape(Py_UCS4 c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    }
    return 0;
}

/* Decodes the escape whose backslash is at `pos`. */
static Py_UCS4
escape(PyObject *doc, Py_ssize_t pos, Py_ssize_t begin, Py_ssize_t *end)
{
    if (pos + 1 == PyUnicode_GET_LENGTH(doc)) {
        kr_json_error("Unterminated string starting at", doc, begin);
        return (Py_UCS4)-1;
    }
    Py_UCS4 c = PyUnicode_READ_CHAR(doc, pos + 1);
    if (c == 'u') {
        return unicode_escape(doc, pos + 2, end);
    }
    c = simple_escape(c);
    if (c == 0) {
        kr_json_error("Invalid \\escape: ", doc, pos);
        return (Py_UCS4)-1;
    }
    *end = pos + 2;
    return c;
}

PyObject *
kr_json_scan_string(PyObject *doc, Py_ssize_t pos, bool strict,
                    Py_ssize_t *end)
{
    Py_ssize_t len = PyUnicode_GET_LENGTH(doc), begin = pos - 1;
    int kind = PyUnicode_KIND(doc);
    const void *data = PyUnicode_DATA(doc);
    if (pos < 0 || len < pos) {
        PyErr_SetString(PyExc_ValueError, "end is out of bounds");
        return NULL;
    }
    _PyUnicodeWriter w;
    bool writing = false;
    for (;;) {
        Py_ssize_t stop = plain_end(kind, data, pos, len, strict);
        Py_UCS4 c = stop < len ? PyUnicode_READ(kind, data, stop) : 0;
        if (stop == len || (c != '"' && c != '\\')) {
            if (stop == len) {
                kr_json_error("Unterminated string starting at", doc, begin);
            }
            else {
                kr_json_error("Invalid control character at", doc, stop);
            }
            break;
        }
        if (c == '"' && !writing) {
            *end = stop + 1;
            return PyUnicode_Substring(doc, pos, stop);
        }
        if (!writing) {
            _PyUnicodeWriter_Init(&w);
            w.overallocate = 1;
            writing = true;
        }
        if (stop > pos &&
            _PyUnicodeWriter_WriteSubstring(&w, doc, pos, stop) < 0) {
            break;
        }
        if (c == '"') {
            *end = stop + 1;
            return _PyUnicodeWriter_Finish(&w);
        }
        c = escape(doc, stop, begin, &pos);
        if (c == (Py_UCS4)-1 || _PyUnicodeWriter_WriteChar(&w, c) < 0) {
            break;
        }
    }
    if (writing) {
        _PyUnicodeWriter_Dealloc(&w);
    }
    return NULL;
}

/* ---- writing ------------------------------------------------------------ */

/* Writes the escape of `c` to `out`; returns its length. */
static int
put_escape(char *out, Py_UCS4 c)
{
    static const char hex[] = "0123456789abcdef";
    out[0] = '\\';
    switch (c) {
    case '"':
    case '\\': out[1] = (char)c; return 2;
    case '\b': out[1] = 'b'; return 2;
    case '\f': out[1] = 'f'; return 2;
    case '\n': out[1] = 'n'; return 2;
    case '\r': out[1] = 'r'; return 2;
    case '\t': out[1] = 't'; return 2;
    }
    int n = 0;
    Py_UCS4 units[2] = {c, 0};
    int count = 1;
    if (c >= 0x10000) {
        units[0] = Py_UNICODE_HIGH_SURROGATE(c);
        units[1] = Py_UNICODE_LOW_SURROGATE(c);
        count = 2;
    }
    for (int i = 0; i < count; i++) {
        out[n++] = '\\';
        out[n++] = 'u';
        for (int shift = 12; shift >= 0; shift -= 4) {
            out[n++] = hex[units[i] >> shift & 15];
        }
    }
    return n;
}

static inline bool
needs_escape(Py_UCS4 c, bool ascii)
{
    return c < ' ' || c == '"' || c == '\\' || (ascii && c > '~');
}

int
kr_json_write_string(_PyUnicodeWriter *w, PyObject *text, bool ascii)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(text), from = 0;
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    if (_PyUnicodeWriter_WriteChar(w, '"') < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < n;) {
        if (kind == PyUnicode_1BYTE_KIND) {
            const Py_UCS1 *p = data;
            while (i < n && !needs_escape(p[i], ascii)) {
                i++;
            }
        }
        else {
            while (i < n &&
                   !needs_escape(PyUnicode_READ(kind, data, i), ascii)) {
                i++;
            }
        }
        if (i > from && (from == 0 && i == n
                             ? _PyUnicodeWriter_WriteStr(w, text)
                             : _PyUnicodeWriter_WriteSubstring(w, text, from,
                                                               i)) < 0) {
            return -1;
        }
        char buf[12 * 8];
        int used = 0; /* a run of escapes at once */
        while (i < n && used <= 12 * 7) {
            Py_UCS4 c = PyUnicode_READ(kind, data, i);
            if (!needs_escape(c, ascii)) {
                break;
            }
            used += put_escape(buf + used, c);
            i++;
        }
        if (used > 0 && _PyUnicodeWriter_WriteASCIIString(w, buf, used) < 0) {
            return -1;
        }
        from = i;
    }
    return _PyUnicodeWriter_WriteChar(w, '"');
}

bool
kr_json_check_text(PyObject *arg)
{
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError,
                     "first argument must be a string, not %.80s",
                     Py_TYPE(arg)->tp_name);
        return false;
    }
    return PyUnicode_READY(arg) == 0;
}

static PyObject *
quoted(PyObject *text, bool ascii)
{
    if (!kr_json_check_text(text)) {
        return NULL;
    }
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.min_length = PyUnicode_GET_LENGTH(text) + 2;
    w.overallocate = 1;
    if (kr_json_write_string(&w, text, ascii) < 0) {
        _PyUnicodeWriter_Dealloc(&w);
        return NULL;
    }
    return _PyUnicodeWriter_Finish(&w);
}

PyObject *
kr_json_encode_basestring(PyObject *Py_UNUSED(module), PyObject *text)
{
    return quoted(text, false);
}

PyObject *
kr_json_encode_basestring_ascii(PyObject *Py_UNUSED(module), PyObject *text)
{
    return quoted(text, true);
}
