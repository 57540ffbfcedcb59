/* Where the lexer's characters come from: decoding, lines, interactive input;
 * and errors that show them. */
#include <string.h>

#include "front/lexer/scan.h"

/* --- Decoding (PEP 263) -------------------------------------------------- */

/* The encoding named by a coding comment in one line, in `name` (normalised as
 * far as utf-8 and latin-1 go); false if there is none. */
static bool
coding_of_line(const char *line, const char *end, char name[KR_ENCODING_SIZE])
{
    const char *p = line;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\014')) {
        p++;
    }
    if (p == end || *p != '#') {
        return false;
    }
    for (; p + 7 <= end; p++) {
        if (memcmp(p, "coding", 6) != 0 || (p[6] != ':' && p[6] != '=')) {
            continue;
        }
        const char *s = p + 7;
        while (s < end && (*s == ' ' || *s == '\t')) {
            s++;
        }
        size_t n = 0;
        while (s + n < end && n + 1 < KR_ENCODING_SIZE &&
               (Py_ISALNUM(s[n]) || s[n] == '-' || s[n] == '_' ||
                s[n] == '.')) {
            name[n] = s[n];
            n++;
        }
        name[n] = '\0';
        if (n != 0) {
            return true;
        }
    }
    return false;
}

static bool
only_blank_or_comment(const char *line, const char *end)
{
    while (line < end && (*line == ' ' || *line == '\t' || *line == '\014')) {
        line++;
    }
    return line == end || *line == '#' || *line == '\r';
}

static bool
find_coding(const char *src, size_t len, char name[KR_ENCODING_SIZE])
{
    const char *line = src, *end = src + len;
    for (int i = 0; i < 2 && line < end; i++) {
        const char *stop = line + strcspn(line, "\r\n");
        if (stop > end) {
            stop = end;
        }
        if (coding_of_line(line, stop, name)) {
            return true;
        }
        if (!only_blank_or_comment(line, stop)) {
            return false;
        }
        line = stop;
        line += line < end && *line == '\r';
        line += line < end && *line == '\n';
    }
    return false;
}

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
raise_encoding_problem(const char *encoding, bool from_file,
                       PyObject *filename)
{
    if (!PyErr_ExceptionMatches(PyExc_LookupError) &&
        !PyErr_ExceptionMatches(PyExc_ValueError)) {
        return;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *text = value ? PyObject_Str(value) : NULL;
    if (from_file) {
        PyErr_Format(PyExc_SyntaxError, "encoding problem: %s", encoding);
    }
    else if (text != NULL) {
        raise_source_error(filename, "%s", PyUnicode_AsUTF8(text));
    }
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

static bool
is_latin_1(const char *name)
{
    return is_encoding(name, "latin-1") || is_encoding(name, "iso-8859-1") ||
           is_encoding(name, "iso-latin-1");
}

static PyObject *
recode(const char *src, size_t len, const char *encoding)
{
    PyObject *text = PyUnicode_Decode(src, (Py_ssize_t)len, encoding, NULL);
    PyObject *utf8 = text == NULL ? NULL : PyUnicode_AsUTF8String(text);
    Py_XDECREF(text);
    return utf8;
}

PyObject *
kr_decode_source(const char *src, size_t len, bool from_file,
                 PyObject *filename, char encoding[KR_ENCODING_SIZE])
{
    bool bom = len >= 3 && memcmp(src, "\xef\xbb\xbf", 3) == 0;
    if (bom) {
        src += 3;
        len -= 3;
    }
    bool declared = find_coding(src, len, encoding);
    if (!declared) {
        strcpy(encoding, bom ? "utf-8" : "");
    }
    else if (is_latin_1(encoding)) {
        strcpy(encoding, "iso-8859-1");
    }
    if (!declared || is_encoding(encoding, "utf-8")) {
        return PyBytes_FromStringAndSize(src, (Py_ssize_t)len);
    }
    if (bom) {
        const char *format = "encoding problem: %s with BOM";
        if (from_file) {
            PyErr_Format(PyExc_SyntaxError, format, encoding);
        }
        else {
            raise_source_error(filename, format, encoding);
        }
        return NULL;
    }
    PyObject *utf8 = recode(src, len, encoding);
    if (utf8 == NULL) {
        raise_encoding_problem(encoding, from_file, filename);
    }
    return utf8;
}

/* --- Lines --------------------------------------------------------------- */

int
kr_lexer_init(KrLexer *t, const char *src, size_t len, bool add_newline,
              PyObject *filename)
{
    memset(t, 0, sizeof(*t));
    t->buf = PyMem_Malloc(len + 2);
    if (t->buf == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    char *out = t->buf;
    if (memchr(src, '\r', len) == NULL) {
        memcpy(out, src, len);
        out += len;
    }
    else {
        for (const char *p = src, *end = src + len; p < end; p++) {
            if (*p == '\r') {
                p += p + 1 < end && p[1] == '\n';
                *out++ = '\n';
            }
            else {
                *out++ = *p;
            }
        }
    }
    /* The reference adds one after "\r\n" too. */
    if (add_newline && (out == t->buf || out[-1] != '\n' ||
                        (len > 1 && src[len - 1] == '\n' &&
                         src[len - 2] == '\r'))) {
        *out++ = '\n';
    }
    *out = '\0';
    t->cur = t->inp = t->line_start = t->context = t->buf;
    t->end = out;
    t->at_line_start = true;
    t->filename = filename;
    return 0;
}

int
kr_lexer_init_interactive(KrLexer *t, FILE *fp, const char *encoding,
                          const char *ps1, const char *ps2,
                          PyObject *filename)
{
    if (kr_lexer_init(t, "", 0, false, filename) < 0) {
        return -1;
    }
    t->interactive = true;
    t->fp = fp;
    t->encoding = encoding;
    t->prompt = ps1;
    t->next_prompt = ps2;
    return 0;
}

void
kr_lexer_fini(KrLexer *t)
{
    PyMem_Free(t->buf);
    t->buf = NULL;
}

/* Moves the pointers into a buffer that has moved. */
static void
rebase(KrLexer *t, char *old, char *new)
{
    const char **pointers[] = {&t->cur, &t->inp, &t->end, &t->start,
                               &t->line_start, &t->multi_line_start,
                               &t->context};
    for (size_t i = 0; i < KR_ARRAY_LEN(pointers); i++) {
        if (*pointers[i] != NULL) {
            *pointers[i] = new + (*pointers[i] - old);
        }
    }
    t->buf = new;
}

/* Appends decoded text. */
static int
append(KrLexer *t, const char *text, size_t len)
{
    size_t old_len = (size_t)(t->end - t->buf);
    char *old = t->buf;
    char *buf = PyMem_Malloc(old_len + len + 2);
    if (buf == NULL) {
        t->done = KR_LEX_ERROR;
        PyErr_NoMemory();
        return 0;
    }
    memcpy(buf, old, old_len);
    memcpy(buf + old_len, text, len);
    len += old_len;
    if (buf[len - 1] != '\n') {
        buf[len++] = '\n';
    }
    buf[len] = '\0';
    rebase(t, old, buf);
    PyMem_Free(old);
    t->end = buf + len;
    return 1;
}

static int
read_interactive_line(KrLexer *t)
{
    if (t->stop_reading) {
        t->done = KR_LEX_EOF;
        return 0;
    }
    char *line = PyOS_Readline(t->fp ? t->fp : stdin, stdout, t->prompt);
    t->prompt = t->next_prompt;
    if (line == NULL) {
        t->done = KR_LEX_INTERRUPT;
        return 0;
    }
    if (*line == '\0') {
        PyMem_Free(line);
        t->done = KR_LEX_EOF;
        return 0;
    }
    int result = 0;
    if (t->encoding != NULL && strcmp(t->encoding, "utf-8") != 0) {
        PyObject *text =
            PyUnicode_Decode(line, (Py_ssize_t)strlen(line), t->encoding, NULL);
        Py_ssize_t size = 0;
        const char *utf8 =
            text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &size);
        if (utf8 == NULL) {
            t->done = KR_LEX_ERROR;
        }
        else {
            result = append(t, utf8, (size_t)size);
        }
        Py_XDECREF(text);
    }
    else {
        result = append(t, line, strlen(line));
    }
    PyMem_Free(line);
    return result;
}

/* Whether the line is UTF-8; else false with a SyntaxError set. */
static bool
line_is_utf8(KrLexer *t, const char *line, const char *end)
{
    PyObject *text = PyUnicode_DecodeUTF8(line, end - line, NULL);
    if (text != NULL) {
        Py_DECREF(text);
        return true;
    }
    t->done = KR_LEX_ERROR;
    if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        return false;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    Py_ssize_t at = 0;
    if (value == NULL || PyUnicodeDecodeError_GetStart(value, &at) < 0) {
        at = 0;
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    PyErr_Format(PyExc_SyntaxError,
                 "Non-UTF-8 code starting with '\\x%.2x' in file %U on line "
                 "%i, but no encoding declared; see "
                 "https://peps.python.org/pep-0263/ for details",
                 (unsigned char)line[at],
                 t->filename == NULL ? Py_None : t->filename, t->lineno);
    return false;
}

int
kr_next_line(KrLexer *t)
{
    if (t->done != KR_LEX_OK) {
        return 0;
    }
    if (t->inp == t->end && (!t->interactive || !read_interactive_line(t))) {
        if (t->done == KR_LEX_OK) {
            t->done = KR_LEX_EOF;
        }
        t->cur = t->inp;
        if (t->from_file && t->start == NULL) {
            t->context = t->cur;
        }
        return 0;
    }
    const char *newline = memchr(t->inp, '\n', (size_t)(t->end - t->inp));
    t->line_start = t->cur;
    if (t->start == NULL) {
        t->context = t->cur;
    }
    t->inp = newline != NULL ? newline + 1 : t->end;
    t->lineno++;
    if (t->from_file && t->encoding == NULL &&
        !line_is_utf8(t, t->cur, t->inp)) {
        t->cur = t->inp;
        return 0;
    }
    return 1;
}

/* --- Errors -------------------------------------------------------------- */

static int
raise_at(KrLexer *t, int col, int end_col, PyObject *message)
{
    PyObject *text = NULL, *args = NULL;
    if (message == NULL) {
        goto done;
    }
    text = PyUnicode_DecodeUTF8(t->line_start, t->cur - t->line_start,
                                "replace");
    if (text == NULL) {
        goto done;
    }
    if (col == -1) {
        col = (int)PyUnicode_GET_LENGTH(text);
    }
    if (end_col == -1) {
        end_col = col;
    }
    size_t line_len = strcspn(t->line_start, "\n");
    if (line_len != (size_t)(t->cur - t->line_start)) {
        Py_SETREF(text, PyUnicode_DecodeUTF8(t->line_start,
                                             (Py_ssize_t)line_len, "replace"));
        if (text == NULL) {
            goto done;
        }
    }
    args = Py_BuildValue("(O(OiiOii))", message,
                         t->filename ? t->filename : Py_None, t->lineno, col,
                         text, t->lineno, end_col);
    if (args != NULL) {
        PyErr_SetObject(PyExc_SyntaxError, args);
    }
done:
    Py_XDECREF(message);
    Py_XDECREF(text);
    Py_XDECREF(args);
    t->done = KR_LEX_ERROR;
    return T_ERRORTOKEN;
}

int
kr_lexer_error(KrLexer *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyObject *message = PyUnicode_FromFormatV(format, args);
    va_end(args);
    return raise_at(t, -1, -1, message);
}

int
kr_lexer_error_range(KrLexer *t, int col, int end_col, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyObject *message = PyUnicode_FromFormatV(format, args);
    va_end(args);
    return raise_at(t, col, end_col, message);
}

int
kr_lexer_warn(KrLexer *t, PyObject *category, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyObject *message = PyUnicode_FromFormatV(format, args);
    va_end(args);
    if (message == NULL) {
        t->done = KR_LEX_ERROR;
        return -1;
    }
    int result =
        PyErr_WarnExplicitObject(category, message,
                                 t->filename ? t->filename : Py_None,
                                 t->lineno, NULL, NULL);
    if (result < 0) {
        if (PyErr_ExceptionMatches(category)) {
            /* The user sees a syntax error where the warning points. */
            PyErr_Clear();
            kr_lexer_error(t, "%U", message);
        }
        t->done = KR_LEX_ERROR;
    }
    Py_DECREF(message);
    return result;
}
