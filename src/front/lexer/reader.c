/* Lines read when the lexer asks for them: typed ones, and those of files
 * with a coding line or NUL characters, where it matters what the reference's
 * buffer holds at that moment. */
#include <string.h>

#include "front/lexer/coding.h"
#include "front/lexer/scan.h"

enum { BUFFER_STEP = 8192 }; /* by which the reference's buffer grows */

struct kr_reader {
    const char *base, *next, *end; /* all of the file; borrowed */
    size_t capacity;    /* of the reference's buffer */
    PyObject *readline; /* of the decoding stream, once there is one */
    PyObject *encoding; /* bytes */
    bool seekable;
};

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

/* Appends UTF-8 text. False with an exception. */
static bool
append(KrLexer *t, const char *text, size_t len)
{
    size_t used = (size_t)(t->end - t->buf);
    if (used + len + 2 > t->capacity) {
        size_t capacity = 2 * t->capacity + len + 2;
        char *old = t->buf, *buf = PyMem_Malloc(capacity);
        if (buf == NULL) {
            t->done = KR_LEX_ERROR;
            PyErr_NoMemory();
            return false;
        }
        memcpy(buf, old, used);
        rebase(t, old, buf);
        PyMem_Free(old);
        t->capacity = capacity;
    }
    memcpy(t->buf + used, text, len);
    t->buf[used + len] = '\0';
    t->end = t->buf + used + len;
    return true;
}

/* Keeps a line for error messages, which show one by its number. */
static bool
keep_shown(KrLexer *t, const char *line, size_t len)
{
    size_t size = t->shown_size + len + 2;
    char *grown = PyMem_Realloc(t->shown, size);
    if (grown == NULL) {
        t->done = KR_LEX_ERROR;
        PyErr_NoMemory();
        return false;
    }
    t->shown = grown;
    memcpy(grown + t->shown_size, line, len);
    t->shown_size += len;
    if (len == 0 || line[len - 1] != '\n') {
        grown[t->shown_size++] = '\n';
    }
    grown[t->shown_size] = '\0';
    return true;
}

/* --- Interactive input --------------------------------------------------- */

/* Makes all line ends '\n'. */
static void
translate_newlines(char *line)
{
    char *out = line;
    for (const char *p = line; *p != '\0'; p++) {
        if (*p == '\r') {
            p += p[1] == '\n';
            *out++ = '\n';
        }
        else {
            *out++ = *p;
        }
    }
    *out = '\0';
}

static int
append_typed(KrLexer *t, const char *line)
{
    size_t len = strlen(line);
    if (t->encoding == NULL) {
        return keep_shown(t, line, len) && append(t, line, len);
    }
    PyObject *text =
        PyUnicode_Decode(line, (Py_ssize_t)len, t->encoding, NULL);
    PyObject *utf8 = text == NULL ? NULL : PyUnicode_AsUTF8String(text);
    Py_XDECREF(text);
    if (utf8 == NULL) {
        t->done = KR_LEX_ERROR;
        return 0;
    }
    len = strlen(PyBytes_AS_STRING(utf8));
    int result = keep_shown(t, PyBytes_AS_STRING(utf8), len) &&
                 append(t, PyBytes_AS_STRING(utf8), len);
    Py_DECREF(utf8);
    return result;
}

static int
read_typed_line(KrLexer *t)
{
    if (t->stop_reading) {
        t->done = KR_LEX_EOF;
        return 0;
    }
    char *line = PyOS_Readline(t->fp ? t->fp : stdin, stdout, t->prompt);
    if ((line == NULL || *line == '\0') && t->fp == stdin) {
        fputc('\n', stderr); /* behind the prompt */
    }
    if (line == NULL) {
        t->prompt = t->next_prompt;
        t->done = KR_LEX_INTERRUPT;
        return 0;
    }
    translate_newlines(line);
    int result = 0;
    if (*line == '\0') {
        t->done = KR_LEX_EOF;
    }
    else {
        result = append_typed(t, line);
    }
    PyMem_Free(line);
    if (t->done != KR_LEX_ERROR) {
        t->prompt = t->next_prompt;
    }
    return result;
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
    t->read_line = read_typed_line;
    t->fp = fp;
    t->encoding = encoding;
    t->prompt = ps1;
    t->next_prompt = ps2;
    return 0;
}

/* --- Files --------------------------------------------------------------- */

/* Copies what remains of the line, up to `size` bytes, into `piece`, with a
 * line end as '\n'. The number of bytes. */
static size_t
take_piece(struct kr_reader *r, char *piece, size_t size)
{
    size_t n = 0;
    while (n < size && r->next < r->end) {
        char c = *r->next++;
        if (c == '\r') {
            r->next += r->next < r->end && *r->next == '\n';
            c = '\n';
        }
        piece[n++] = c;
        if (c == '\n') {
            break;
        }
    }
    return n;
}

/* Room for one more piece in the reference's buffer, which begins with the
 * line of the current token. */
static size_t
room_for_piece(struct kr_reader *r, size_t used)
{
    size_t needed = used + Py_MAX((size_t)BUFFER_STEP, used >> 1);
    r->capacity = Py_MAX(r->capacity, needed);
    return r->capacity - used - 1;
}

/* Reads a line as bytes. What follows a NUL in a piece is lost; then the next
 * line continues this one. A line with nothing before a NUL ends the reading,
 * but for once only. */
static int
read_raw_line(KrLexer *t)
{
    struct kr_reader *r = t->reader;
    size_t used = t->start == NULL ? 0 : (size_t)(t->inp - t->context);
    size_t before = used;
    do {
        size_t room = room_for_piece(r, used);
        char *piece = PyMem_Malloc(room);
        if (piece == NULL) {
            t->done = KR_LEX_ERROR;
            PyErr_NoMemory();
            return 0;
        }
        size_t n = take_piece(r, piece, room), len = strnlen(piece, n);
        bool good = n == 0 || (keep_shown(t, piece, len) &&
                               append(t, piece, len));
        PyMem_Free(piece);
        if (!good) {
            return 0;
        }
        if (n == 0) {
            break;
        }
        used += len;
        if (used == 0) {
            return 0;
        }
    } while (t->end[-1] != '\n');
    if (used == before) {
        t->done = KR_LEX_EOF;
        return 0;
    }
    return t->end[-1] == '\n' || append(t, "\n", 1);
}

static int
read_decoded_line(KrLexer *t)
{
    PyObject *line = PyObject_CallNoArgs(t->reader->readline);
    Py_ssize_t size = 0;
    const char *utf8 =
        line == NULL ? NULL : PyUnicode_AsUTF8AndSize(line, &size);
    int result = 0;
    if (utf8 == NULL) {
        t->done = KR_LEX_ERROR;
    }
    else if (size == 0) {
        t->done = KR_LEX_EOF;
    }
    else {
        result = keep_shown(t, utf8, strlen(utf8)) &&
                 append(t, utf8, (size_t)size) &&
                 (t->end[-1] == '\n' || append(t, "\n", 1));
    }
    Py_XDECREF(line);
    return result;
}

/* The readline of a stream that decodes what follows the current line; false
 * with an exception. As in the reference it starts one byte before. */
static bool
open_decoder(struct kr_reader *r, const char *encoding)
{
    if (!r->seekable) {
        return false;
    }
    const char *from = r->next > r->base ? r->next - 1 : r->next;
    PyObject *io = PyImport_ImportModule("io");
    PyObject *rest = PyBytes_FromStringAndSize(from, r->end - from);
    PyObject *bytes =
        io == NULL || rest == NULL
            ? NULL
            : PyObject_CallMethod(io, "BytesIO", "O", rest);
    PyObject *stream =
        bytes == NULL ? NULL
                      : PyObject_CallMethod(io, "TextIOWrapper", "Os", bytes,
                                            encoding);
    r->readline = stream == NULL ? NULL
                                 : PyObject_GetAttrString(stream, "readline");
    PyObject *line =
        r->readline == NULL ? NULL : PyObject_CallNoArgs(r->readline);
    bool good = line != NULL;
    Py_XDECREF(line);
    Py_XDECREF(stream);
    Py_XDECREF(bytes);
    Py_XDECREF(rest);
    Py_XDECREF(io);
    return good;
}

/* After one of the first two lines, now from t->cur to t->inp: does it name an
 * encoding? False with an exception. */
static bool
note_coding(KrLexer *t)
{
    struct kr_reader *r = t->reader;
    PyObject *name = kr_coding_of_line(t->cur, t->inp);
    if (name == NULL) {
        t->seek_coding = t->lineno < 2 && kr_is_blank_or_comment(t->cur, t->inp);
        return !PyErr_Occurred();
    }
    t->seek_coding = false;
    const char *s = PyBytes_AS_STRING(name);
    bool utf8 = strcmp(s, "utf-8") == 0;
    if (t->encoding != NULL && !utf8) {
        PyErr_Format(PyExc_SyntaxError, "encoding problem: %s with BOM", s);
    }
    else if (!utf8 && !open_decoder(r, s)) {
        PyErr_Format(PyExc_SyntaxError, "encoding problem: %s", s);
    }
    else {
        Py_XSETREF(r->encoding, name);
        t->encoding = s;
        if (!utf8) {
            t->read_line = read_decoded_line;
        }
        return true;
    }
    Py_DECREF(name);
    return false;
}

int
kr_check_coding(KrLexer *t)
{
    if (note_coding(t)) {
        return 1;
    }
    t->done = KR_LEX_ERROR;
    return 0;
}

/* Can the lexer have the text as it is? */
static bool
is_plain(const char *text, size_t len, PyObject *name)
{
    return memchr(text, '\0', len) == NULL &&
           (name == NULL || strcmp(PyBytes_AS_STRING(name), "utf-8") == 0);
}

int
kr_lexer_init_file(KrLexer *t, char *text, size_t len, bool seekable,
                   PyObject *filename)
{
    bool bom = kr_has_byte_order_mark(text, len);
    text += bom ? 3 : 0;
    len -= bom ? 3 : 0;
    PyObject *name = kr_find_coding(text, len);
    if (name == NULL && PyErr_Occurred()) {
        return -1;
    }
    bool plain = is_plain(text, len, name), utf8 = bom || name != NULL;
    Py_XDECREF(name);
    if (plain && len > 1 && text[len - 2] == '\r' && text[len - 1] == '\n') {
        text[--len - 1] = '\n'; /* no line is added after it */
    }
    if (kr_lexer_init(t, text, plain ? len : 0, plain, filename) < 0) {
        return -1;
    }
    t->from_file = true;
    if (plain) {
        t->encoding = utf8 ? "utf-8" : NULL;
        return 0;
    }
    t->reader = PyMem_Calloc(1, sizeof(*t->reader));
    if (t->reader == NULL) {
        kr_lexer_fini(t);
        PyErr_NoMemory();
        return -1;
    }
    *t->reader = (struct kr_reader){.base = text - (bom ? 3 : 0),
                                    .next = text,
                                    .end = text + len,
                                    .capacity = BUFFER_STEP,
                                    .seekable = seekable};
    t->encoding = bom ? "utf-8" : NULL;
    t->read_line = read_raw_line;
    t->seek_coding = true;
    return 0;
}

void
kr_reader_free(struct kr_reader *r)
{
    if (r != NULL) {
        Py_XDECREF(r->readline);
        Py_XDECREF(r->encoding);
        PyMem_Free(r);
    }
}
