/* Printing tracebacks to a file object: the uncaught exception display.
 *
 * The source is read with plain stdio, so that it works at any time, also while
 * the interpreter starts or ends. */
#include <Python.h>
#include <ctype.h>
#include <frameobject.h>

#include "base/common.h"
#include "front/anchors.h"
#include "memory/tstate.h"
#include "objects/ids.h"
#include "vm/frame.h"
#include "vm/traceback.h"

#define LIMIT 1000     /* entries, unless sys.tracebacklimit says otherwise */
#define REPEAT 3       /* equal entries that are printed one by one */

PyAPI_FUNC(int) _Py_WriteIndent(int indent, PyObject *f);
PyAPI_FUNC(int)
    _Py_WriteIndentedMargin(int indent, const char *margin, PyObject *f);

int
_Py_WriteIndent(int indent, PyObject *f)
{
    char spaces[11] = "          ";
    for (int n; indent > 0; indent -= n) {
        n = indent < 10 ? indent : 10;
        spaces[n] = 0;
        if (PyFile_WriteString(spaces, f) < 0) {
            return -1;
        }
        spaces[n] = ' ';
    }
    return 0;
}

int
_Py_WriteIndentedMargin(int indent, const char *margin, PyObject *f)
{
    return _Py_WriteIndent(indent, f) < 0 ||
                   (margin != NULL && PyFile_WriteString(margin, f) < 0)
               ? -1
               : 0;
}

/* Finding the source. */

static FILE *
open_below_path(const char *name)
{
    PyObject *path = PySys_GetObject("path");
    const char *tail = strrchr(name, '/');
    tail = tail ? tail + 1 : name;
    FILE *fp = NULL;
    for (Py_ssize_t i = 0;
         fp == NULL && path != NULL && PyList_Check(path) &&
         i < PyList_GET_SIZE(path);
         i++) {
        PyObject *dir = PyList_GET_ITEM(path, i);
        const char *text =
            PyUnicode_Check(dir) ? PyUnicode_AsUTF8(dir) : NULL;
        char full[4096];
        if (text == NULL) {
            PyErr_Clear();
        }
        else if (snprintf(full, sizeof(full), "%s%s%s", text,
                          *text ? "/" : "", tail) < (int)sizeof(full)) {
            fp = fopen(full, "rb");
        }
    }
    return fp;
}

static FILE *
open_source(PyObject *filename)
{
    PyObject *bytes = PyUnicode_EncodeFSDefault(filename);
    if (bytes == NULL) {
        PyErr_Clear();
        return NULL;
    }
    const char *name = PyBytes_AS_STRING(bytes);
    FILE *fp = NULL;
    if (name[0] != '<' && strlen(name) == (size_t)PyBytes_GET_SIZE(bytes)) {
        fp = fopen(name, "rb");
        if (fp == NULL) {
            fp = open_below_path(name);
        }
    }
    Py_DECREF(bytes);
    return fp;
}

/* The encoding that a comment in the first two lines names (PEP 263). */
static void
find_cookie(const char *line, char *encoding, size_t size)
{
    const char *p = line + strspn(line, " \t\f");
    if (*p != '#' || (p = strstr(p, "coding")) == NULL) {
        return;
    }
    p += 6;
    if (*p != ':' && *p != '=') {
        return;
    }
    p++;
    p += strspn(p, " \t");
    size_t n = 0;
    while (n + 1 < size &&
           (isalnum((unsigned char)p[n]) || strchr("-_.", p[n])) && p[n]) {
        encoding[n] = p[n];
        n++;
    }
    if (n > 0) {
        encoding[n] = 0;
    }
}

/* Reads a line that ends with "\n", "\r" or both, which are left out. Its
 * length, or -1 at the end of the file. */
static ssize_t
read_line(char **line, size_t *capacity, FILE *fp)
{
    size_t n = 0;
    for (int c = getc(fp);; c = getc(fp)) {
        if (c == EOF && n == 0) {
            return -1;
        }
        if (n + 1 >= *capacity) {
            size_t grown = *capacity ? 2 * *capacity : 256;
            char *text = realloc(*line, grown);
            if (text == NULL) {
                return -1;
            }
            *line = text;
            *capacity = grown;
        }
        if (c == EOF || c == '\n' || c == '\r') {
            (*line)[n] = '\0';
            if (c == '\r' && (c = getc(fp)) != '\n') {
                ungetc(c, fp);
            }
            return (ssize_t)n;
        }
        (*line)[n++] = (char)c;
    }
}

/* Line `lineno` without its end, or NULL without an exception. */
static PyObject *
source_line(PyObject *filename, int lineno)
{
    FILE *fp = lineno > 0 ? open_source(filename) : NULL;
    if (fp == NULL) {
        return NULL;
    }
    char *line = NULL, encoding[64] = "utf-8";
    size_t capacity = 0;
    ssize_t n = -1;
    bool cookie_possible = true;
    for (int i = 1; i <= lineno; i++) {
        n = read_line(&line, &capacity, fp);
        if (n < 0) {
            break;
        }
        if (i <= 2 && cookie_possible) {
            find_cookie(line, encoding, sizeof(encoding));
            /* the second line counts only below a comment or an empty one */
            cookie_possible = strchr("#", line[strspn(line, " \t\f")]) != NULL;
        }
    }
    fclose(fp);
    PyObject *result = NULL;
    if (n >= 0) {
        char *start = line;
        if (lineno == 1 && n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
            start += 3;
            n -= 3;
        }
        result = PyUnicode_Decode(start, n, encoding, "replace");
        PyErr_Clear();
    }
    free(line);
    return result;
}

static Py_ssize_t
leading_space(PyObject *line)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(line), i = 0;
    while (i < n) {
        Py_UCS4 c = PyUnicode_READ_CHAR(line, i);
        if (c != ' ' && c != '\t' && c != '\014') {
            break;
        }
        i++;
    }
    return i;
}

/* Prints "    text" with its margin; *truncation is the indentation cut off. */
static int
display_line(PyObject *f, PyObject *filename, int lineno, int indent,
             int margin_indent, const char *margin, int *truncation,
             PyObject **line)
{
    PyObject *text = source_line(filename, lineno);
    if (text == NULL) {
        return 1;
    }
    Py_ssize_t cut = leading_space(text);
    PyObject *rest =
        PyUnicode_Substring(text, cut, PyUnicode_GET_LENGTH(text));
    int err = rest == NULL ||
              _Py_WriteIndentedMargin(margin_indent, margin, f) < 0 ||
              _Py_WriteIndent(indent, f) < 0 ||
              PyFile_WriteObject(rest, f, Py_PRINT_RAW) < 0 ||
              PyFile_WriteString("\n", f) < 0;
    if (truncation != NULL) {
        *truncation = (int)cut;
    }
    if (line != NULL && !err) {
        *line = Py_NewRef(text);
    }
    Py_XDECREF(rest);
    Py_DECREF(text);
    return err ? -1 : 0;
}

int
_Py_DisplaySourceLine(PyObject *f, PyObject *filename, int lineno, int indent,
                      int *truncation, PyObject **line)
{
    return display_line(f, filename, lineno, indent, 0, NULL, truncation,
                        line);
}

/* Carets under what raised. */

/* Columns of code objects count bytes of UTF-8. */
static Py_ssize_t
byte_to_char(PyObject *line, int offset)
{
    const char *utf8 = PyUnicode_AsUTF8(line);
    if (utf8 == NULL) {
        PyErr_Clear();
        return -1;
    }
    Py_ssize_t n = (Py_ssize_t)strlen(utf8);
    PyObject *head =
        PyUnicode_DecodeUTF8(utf8, offset < n ? offset : n, "replace");
    if (head == NULL) {
        PyErr_Clear();
        return -1;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(head);
    Py_DECREF(head);
    return length;
}

struct anchors {
    Py_ssize_t left, right; /* of the operator; -1: none */
};

static struct anchors
find_anchors(PyObject *segment)
{
    struct anchors a = {-1, -1};
    const char *text = PyUnicode_AsUTF8(segment);
    if (text == NULL) {
        PyErr_Clear();
        return a;
    }
    if (kr_front_anchors(text, &a.left, &a.right)) {
        a.left = byte_to_char(segment, (int)a.left);
        a.right = byte_to_char(segment, (int)a.right);
    }
    return a;
}

static int
write_carets(PyObject *f, Py_ssize_t start, Py_ssize_t end, struct anchors a)
{
    for (Py_ssize_t i = 0; i < start; i++) {
        if (PyFile_WriteString(" ", f) < 0) {
            return -1;
        }
    }
    for (Py_ssize_t i = start; i < end; i++) {
        int primary = a.left < 0 || (i - start >= a.left &&
                                     i - start < a.right);
        if (PyFile_WriteString(primary ? "^" : "~", f) < 0) {
            return -1;
        }
    }
    return PyFile_WriteString("\n", f);
}

static int
underline(PyObject *f, PyTracebackObject *tb, PyObject *line, int cut,
          int lineno, int indent, const char *margin)
{
    int start_line, col, end_line, end_col;
    if (!PyCode_Addr2Location(tb->tb_frame->f_frame->f_code, tb->tb_lasti,
                              &start_line, &col, &end_line, &end_col) ||
        start_line < 0 || start_line != lineno || col < 0 || end_col < 0) {
        return 0;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(line);
    while (length > cut) {
        Py_UCS4 c = PyUnicode_READ_CHAR(line, length - 1);
        if (c != ' ' && c != '\t' && c != '\014') {
            break;
        }
        length--;
    }
    Py_ssize_t start = byte_to_char(line, col);
    Py_ssize_t end =
        end_line == start_line ? byte_to_char(line, end_col) : length;
    if (start < 0 || end < 0) {
        return 0;
    }
    struct anchors a = {-1, -1};
    if (end_line == start_line) {
        PyObject *segment = PyUnicode_Substring(line, start, end);
        if (segment != NULL) {
            a = find_anchors(segment);
            Py_DECREF(segment);
        }
        PyErr_Clear();
    }
    if (start < cut) {
        start = cut;
    }
    /* carets under the whole line say nothing */
    if (start <= cut && end >= length && a.left < 0) {
        return 0;
    }
    if (_Py_WriteIndentedMargin(indent, margin, f) < 0 ||
        _Py_WriteIndent(4, f) < 0) {
        return -1;
    }
    return write_carets(f, start - cut, end - cut, a);
}

static int
print_entry(PyObject *f, PyTracebackObject *tb, int indent, const char *margin)
{
    PyCodeObject *co = tb->tb_frame->f_frame->f_code;
    int lineno = kr_traceback_line(tb);
    PyObject *text =
        lineno < 0
            ? PyUnicode_FromFormat("  File \"%U\", line None, in %U\n",
                                   co->co_filename, co->co_name)
            : PyUnicode_FromFormat("  File \"%U\", line %d, in %U\n",
                                   co->co_filename, lineno, co->co_name);
    if (text == NULL) {
        return -1;
    }
    int err = _Py_WriteIndentedMargin(indent, margin, f) < 0 ||
              PyFile_WriteObject(text, f, Py_PRINT_RAW) < 0;
    Py_DECREF(text);
    if (err) {
        return -1;
    }
    PyObject *line = NULL;
    int cut = 0;
    int rc = display_line(f, co->co_filename, lineno, 4, indent, margin, &cut,
                          &line);
    if (rc != 0) {
        return rc < 0 ? -1 : 0; /* no source: no line */
    }
    err = underline(f, tb, line, cut, lineno, indent, margin);
    Py_XDECREF(line);
    return err;
}

static int
print_repeated(PyObject *f, long count, int indent, const char *margin)
{
    if (count <= REPEAT) {
        return 0;
    }
    count -= REPEAT;
    PyObject *text = PyUnicode_FromFormat(
        count > 1 ? "  [Previous line repeated %ld more times]\n"
                  : "  [Previous line repeated %ld more time]\n",
        count);
    int err = text == NULL ||
              _Py_WriteIndentedMargin(indent, margin, f) < 0 ||
              PyFile_WriteObject(text, f, Py_PRINT_RAW) < 0;
    Py_XDECREF(text);
    return err ? -1 : 0;
}

static int
print_entries(PyObject *f, PyTracebackObject *tb, long limit, int indent,
              const char *margin)
{
    long depth = 0, count = 0;
    for (PyTracebackObject *t = tb; t != NULL; t = t->tb_next) {
        depth++;
    }
    for (; tb != NULL && depth > limit; tb = tb->tb_next) {
        depth--;
    }
    PyCodeObject *last = NULL;
    int last_line = -1;
    for (; tb != NULL; tb = tb->tb_next) {
        PyCodeObject *co = tb->tb_frame->f_frame->f_code;
        int line = kr_traceback_line(tb);
        if (last == NULL ||
            PyUnicode_Compare(co->co_filename, last->co_filename) != 0 ||
            line != last_line ||
            PyUnicode_Compare(co->co_name, last->co_name) != 0) {
            if (print_repeated(f, count, indent, margin) < 0) {
                return -1;
            }
            last = co;
            last_line = line;
            count = 0;
        }
        if (++count <= REPEAT && (print_entry(f, tb, indent, margin) < 0 ||
                                  PyErr_CheckSignals() < 0)) {
            return -1;
        }
    }
    return print_repeated(f, count, indent, margin);
}

int
_PyTraceBack_Print_Indented(PyObject *v, int indent, const char *margin,
                            const char *header_margin, const char *header,
                            PyObject *f)
{
    if (v == NULL) {
        return 0;
    }
    if (!PyTraceBack_Check(v)) {
        PyErr_BadInternalCall();
        return -1;
    }
    long limit = LIMIT;
    PyObject *setting = PySys_GetObject("tracebacklimit");
    if (setting != NULL && PyLong_Check(setting)) {
        int overflow;
        limit = PyLong_AsLongAndOverflow(setting, &overflow);
        if (overflow > 0) {
            limit = LONG_MAX;
        }
        else if (limit <= 0) {
            return 0;
        }
    }
    if (_Py_WriteIndentedMargin(indent, header_margin, f) < 0 ||
        PyFile_WriteString(header, f) < 0) {
        return -1;
    }
    return print_entries(f, (PyTracebackObject *)v, limit, indent, margin);
}

int
PyTraceBack_Print(PyObject *v, PyObject *f)
{
    return _PyTraceBack_Print_Indented(
        v, 0, NULL, NULL, "Traceback (most recent call last):\n", f);
}
