/* Where the lexer's characters come from: the lines of its buffer; and errors
 * that show them. */
#include <string.h>

#include "front/lexer/scan.h"

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

void
kr_lexer_fini(KrLexer *t)
{
    PyMem_Free(t->buf);
    PyMem_Free(t->shown);
    kr_reader_free(t->reader);
    t->buf = t->shown = NULL;
    t->reader = NULL;
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
    if (t->inp == t->end && (t->read_line == NULL || !t->read_line(t))) {
        if (t->read_line == NULL) {
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
    if (t->seek_coding && !kr_check_coding(t)) {
        t->cur = t->inp;
        return 0;
    }
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
