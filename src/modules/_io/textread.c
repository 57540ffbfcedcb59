/* Reading text: chunks, lines, and positions as cookies. */
#include "modules/_io/textio.h"

#include <structmember.h>

/* decode() with the result checked. */
static PyObject *
decode(PyObject *decoder, PyObject *bytes, bool eof)
{
    PyObject *text;
    if (Py_IS_TYPE(decoder, &kr_NewlineDecoder_Type)) {
        text = kr_io_newline_decode(decoder, bytes, eof);
    }
    else {
        text = PyObject_CallMethodObjArgs(decoder, KR_ID(decode), bytes,
                                          eof ? Py_True : Py_False, NULL);
    }
    if (text != NULL && !PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError,
                     "decoder should return a string result, not '%.200s'",
                     Py_TYPE(text)->tp_name);
        Py_CLEAR(text);
    }
    return text;
}

/* getstate() of a decoder: new references to bytes and flags; 0 or -1. */
static int
decoder_state(PyObject *decoder, PyObject **buffer, PyObject **flags)
{
    PyObject *state = io_call(decoder, KR_ID(getstate));
    if (state == NULL) {
        return -1;
    }
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "illegal decoder state");
        Py_DECREF(state);
        return -1;
    }
    if (!PyArg_ParseTuple(state, "OO;illegal decoder state", buffer, flags)) {
        Py_DECREF(state);
        return -1;
    }
    if (!PyBytes_Check(*buffer)) {
        PyErr_Format(PyExc_TypeError,
                     "illegal decoder state: the first item should be a "
                     "bytes object, not '%.200s'",
                     Py_TYPE(*buffer)->tp_name);
        Py_DECREF(state);
        return -1;
    }
    Py_INCREF(*buffer);
    Py_INCREF(*flags);
    Py_DECREF(state);
    return 0;
}

/* The next `n` decoded characters, all if negative. */
static PyObject *
take_decoded(TextIO *self, Py_ssize_t n)
{
    if (self->decoded_chars == NULL) {
        return PyUnicode_New(0, 0);
    }
    Py_ssize_t used = self->decoded_used;
    Py_ssize_t avail = PyUnicode_GET_LENGTH(self->decoded_chars) - used;
    if (n < 0 || n > avail) {
        n = avail;
    }
    PyObject *chars =
        used > 0 || n < avail
            ? PyUnicode_Substring(self->decoded_chars, used, used + n)
            : Py_NewRef(self->decoded_chars);
    if (chars != NULL) {
        self->decoded_used += n;
    }
    return chars;
}

/* Remembers what the decoder was fed; steals both parts of its state. */
static int
take_snapshot(TextIO *self, PyObject *dec_buffer, PyObject *dec_flags,
              const char *input, Py_ssize_t n)
{
    Py_ssize_t old = PyBytes_GET_SIZE(dec_buffer);
    PyObject *next = PyBytes_FromStringAndSize(NULL, old + n);
    PyObject *snapshot = NULL;
    if (next != NULL) {
        memcpy(PyBytes_AS_STRING(next), PyBytes_AS_STRING(dec_buffer),
               (size_t)old);
        memcpy(PyBytes_AS_STRING(next) + old, input, (size_t)n);
        snapshot = Py_BuildValue("OO", dec_flags, next);
        Py_DECREF(next);
    }
    Py_DECREF(dec_buffer);
    Py_DECREF(dec_flags);
    if (snapshot == NULL) {
        self->b2cratio = 0.0;
        return -1;
    }
    Py_XSETREF(self->snapshot, snapshot);
    return 0;
}

/* Reads and decodes one chunk: 1, 0 at the end, -1 with an exception. */
static int
read_chunk(TextIO *self, Py_ssize_t hint)
{
    PyObject *dec_buffer = NULL, *dec_flags = NULL;
    if (self->decoder == NULL) {
        kr_io_unsupported("not readable");
        return -1;
    }
    if (self->telling &&
        decoder_state(self->decoder, &dec_buffer, &dec_flags) < 0) {
        return -1;
    }
    if (hint > 0) {
        hint = (Py_ssize_t)(Py_MAX(self->b2cratio, 1.0) * (double)hint);
    }
    PyObject *size = PyLong_FromSsize_t(Py_MAX(self->chunk_size, hint));
    PyObject *input = NULL;
    if (size != NULL) {
        input = PyObject_CallMethodOneArg(
            self->buffer, self->has_read1 ? KR_ID(read1) : KR_ID(read), size);
        Py_DECREF(size);
    }
    Py_buffer buf;
    if (input == NULL) {
        goto fail;
    }
    if (PyObject_GetBuffer(input, &buf, 0) != 0) {
        PyErr_Format(PyExc_TypeError,
                     "underlying %s() should have returned a bytes-like "
                     "object, not '%.200s'",
                     self->has_read1 ? "read1" : "read",
                     Py_TYPE(input)->tp_name);
        goto fail;
    }
    Py_ssize_t nbytes = buf.len;
    bool eof = nbytes == 0;
    PyObject *text = decode(self->decoder, input, eof);
    if (text == NULL) {
        PyBuffer_Release(&buf);
        goto fail;
    }
    textio_set_decoded(self, text);
    Py_ssize_t nchars = PyUnicode_GET_LENGTH(text);
    self->b2cratio = nchars > 0 ? (double)nbytes / (double)nchars : 0.0;
    if (nchars > 0) {
        eof = false;
    }
    if (dec_buffer != NULL) {
        int rc = take_snapshot(self, dec_buffer, dec_flags, buf.buf, nbytes);
        dec_buffer = dec_flags = NULL;
        if (rc < 0) {
            PyBuffer_Release(&buf);
            goto fail;
        }
    }
    PyBuffer_Release(&buf);
    Py_DECREF(input);
    return !eof;

fail:
    Py_XDECREF(input);
    Py_XDECREF(dec_buffer);
    Py_XDECREF(dec_flags);
    return -1;
}

/* Everything up to the end. */
static PyObject *
read_all(TextIO *self)
{
    PyObject *bytes = io_call(self->buffer, KR_ID(read));
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *text = decode(self->decoder, bytes, true);
    Py_DECREF(bytes);
    if (text == NULL) {
        return NULL;
    }
    PyObject *res = take_decoded(self, -1);
    if (res == NULL) {
        Py_DECREF(text);
        return NULL;
    }
    PyUnicode_AppendAndDel(&res, text);
    textio_forget(self);
    return res;
}

PyObject *
kr_textio_read(TextIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n = -1;
    if (!_PyArg_CheckPositional("read", nargs, 0, 1) ||
        (nargs && !kr_io_arg_size(args[0], &n)) || !kr_textio_check(self) ||
        !kr_textio_check_open(self)) {
        return NULL;
    }
    if (self->decoder == NULL) {
        return kr_io_unsupported("not readable");
    }
    if (kr_textio_writeflush(self) < 0) {
        return NULL;
    }
    if (n < 0) {
        return read_all(self);
    }
    PyObject *res = take_decoded(self, n), *chunks = NULL;
    if (res == NULL) {
        return NULL;
    }
    Py_ssize_t left = n - PyUnicode_GET_LENGTH(res);
    while (left > 0) {
        int rc = read_chunk(self, left);
        if (rc < 0) {
            if (kr_io_retry_eintr()) {
                continue;
            }
            goto fail;
        }
        if (rc == 0) {
            break;
        }
        if (chunks == NULL && (chunks = PyList_New(0)) == NULL) {
            goto fail;
        }
        if (PyUnicode_GET_LENGTH(res) > 0 && PyList_Append(chunks, res) < 0) {
            goto fail;
        }
        Py_SETREF(res, take_decoded(self, left));
        if (res == NULL) {
            goto fail;
        }
        left -= PyUnicode_GET_LENGTH(res);
    }
    if (chunks != NULL) {
        PyObject *empty = PyUnicode_New(0, 0);
        PyObject *joined = NULL;
        if (empty != NULL && PyList_Append(chunks, res) == 0) {
            joined = PyUnicode_Join(empty, chunks);
        }
        Py_XDECREF(empty);
        Py_SETREF(res, joined);
        Py_DECREF(chunks);
    }
    return res;

fail:
    Py_XDECREF(res);
    Py_XDECREF(chunks);
    return NULL;
}

/* Makes sure there is decoded text, maybe all given out already (then a limit
 * of 0 reads nothing): 1, 0 at the end, -1 on error. */
static int
need_text(TextIO *self)
{
    while (self->decoded_chars == NULL ||
           PyUnicode_GET_LENGTH(self->decoded_chars) == 0) {
        int rc = read_chunk(self, 0);
        if (rc < 0) {
            if (kr_io_retry_eintr()) {
                continue;
            }
            return -1;
        }
        if (rc == 0) {
            textio_forget(self);
            return 0;
        }
    }
    return 1;
}

/* Appends `piece` (stolen) to the list *chunks, made on demand; 0 or -1. */
static int
put_aside(PyObject **chunks, PyObject *piece)
{
    if (piece == NULL ||
        (*chunks == NULL && (*chunks = PyList_New(0)) == NULL)) {
        Py_XDECREF(piece);
        return -1;
    }
    int rc = PyList_Append(*chunks, piece);
    Py_DECREF(piece);
    return rc;
}

static PyObject *
readline(TextIO *self, Py_ssize_t limit)
{
    PyObject *line = NULL, *chunks = NULL, *rest = NULL;
    Py_ssize_t start = 0, end = 0, chunked = 0, offset = 0;
    if (!kr_textio_check_open(self) || kr_textio_writeflush(self) < 0) {
        return NULL;
    }
    for (;;) {
        int rc = need_text(self);
        if (rc < 0) {
            goto fail;
        }
        if (rc == 0) {
            break;
        }
        if (rest == NULL) {
            line = Py_NewRef(self->decoded_chars);
            start = self->decoded_used;
            offset = 0;
        }
        else {
            /* an ending may straddle the chunks */
            offset = PyUnicode_GET_LENGTH(rest);
            line = PyUnicode_Concat(rest, self->decoded_chars);
            start = 0;
            Py_CLEAR(rest);
            if (line == NULL) {
                goto fail;
            }
        }
        const char *data = PyUnicode_DATA(line);
        Py_ssize_t len = PyUnicode_GET_LENGTH(line), consumed = 0;
        int kind = PyUnicode_KIND(line);
        end = kr_io_find_line_ending(self->readtranslate, self->readuniversal,
                                     self->readnl, kind, data + kind * start,
                                     data + kind * len, &consumed);
        bool found = end >= 0;
        end = start + (found ? end : consumed);
        if (limit >= 0 && end - start + chunked >= limit) {
            end = start + limit - chunked;
            found = true;
        }
        if (found) {
            break;
        }
        if (end > start) {
            chunked += end - start;
            if (put_aside(&chunks,
                          PyUnicode_Substring(line, start, end)) < 0) {
                goto fail;
            }
        }
        if (end < len) {
            rest = PyUnicode_Substring(line, end, len);
            if (rest == NULL) {
                goto fail;
            }
        }
        Py_CLEAR(line);
        textio_set_decoded(self, NULL);
    }
    if (line != NULL) {
        self->decoded_used = end - offset;
        if (start > 0 || end < PyUnicode_GET_LENGTH(line)) {
            Py_SETREF(line, PyUnicode_Substring(line, start, end));
            if (line == NULL) {
                goto fail;
            }
        }
    }
    if (rest != NULL) {
        int rc = put_aside(&chunks, rest);
        rest = NULL;
        if (rc < 0) {
            goto fail;
        }
    }
    if (chunks != NULL) {
        PyObject *empty = PyUnicode_New(0, 0);
        if (empty == NULL ||
            (line != NULL && PyList_Append(chunks, line) < 0)) {
            Py_XDECREF(empty);
            goto fail;
        }
        Py_XSETREF(line, PyUnicode_Join(empty, chunks));
        Py_DECREF(empty);
        Py_CLEAR(chunks);
        return line;
    }
    return line ? line : PyUnicode_New(0, 0);

fail:
    Py_XDECREF(chunks);
    Py_XDECREF(rest);
    Py_XDECREF(line);
    return NULL;
}

PyObject *
kr_textio_readline_method(TextIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t limit = -1;
    if (!_PyArg_CheckPositional("readline", nargs, 0, 1) ||
        (nargs && !kr_arg_ssize(args[0], &limit)) || !kr_textio_check(self)) {
        return NULL;
    }
    return readline(self, limit);
}

PyObject *
kr_textio_iternext(TextIO *self)
{
    PyObject *line;
    if (!kr_textio_check(self)) {
        return NULL;
    }
    self->telling = false;
    if (Py_IS_TYPE(self, &kr_TextIOWrapper_Type)) {
        line = readline(self, -1);
    }
    else {
        line = kr_io_call_readline((PyObject *)self, true);
    }
    if (line != NULL && PyUnicode_GET_LENGTH(line) == 0) {
        Py_CLEAR(line);
        Py_CLEAR(self->snapshot);
        self->telling = self->seekable;
    }
    return line;
}

/* A text position: a byte position where the decoder had the given flags and
 * no buffered bytes, and what to do from there. Packed into one int, which is
 * the byte position alone in the common case. */
struct cookie {
    off_t start_pos;
    int dec_flags;
    int bytes_to_feed;
    int chars_to_skip;
    char need_eof;
};

enum { COOKIE_SIZE = 21 };

static bool
parse_cookie(struct cookie *c, PyObject *obj)
{
    unsigned char buf[COOKIE_SIZE];
    PyObject *value = PyNumber_Long(obj);
    if (value == NULL) {
        return false;
    }
    int rc = _PyLong_AsByteArray((PyLongObject *)value, buf, sizeof(buf), 1, 0);
    Py_DECREF(value);
    if (rc < 0) {
        return false;
    }
    memcpy(&c->start_pos, buf, 8);
    memcpy(&c->dec_flags, buf + 8, 4);
    memcpy(&c->bytes_to_feed, buf + 12, 4);
    memcpy(&c->chars_to_skip, buf + 16, 4);
    memcpy(&c->need_eof, buf + 20, 1);
    return true;
}

static PyObject *
build_cookie(const struct cookie *c)
{
    unsigned char buf[COOKIE_SIZE];
    memcpy(buf, &c->start_pos, 8);
    memcpy(buf + 8, &c->dec_flags, 4);
    memcpy(buf + 12, &c->bytes_to_feed, 4);
    memcpy(buf + 16, &c->chars_to_skip, 4);
    memcpy(buf + 20, &c->need_eof, 1);
    return _PyLong_FromByteArray(buf, sizeof(buf), 1, 0);
}

static int
discard(PyObject *res)
{
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

/* At the very start a decoder is reset, so that it looks for a BOM. */
static int
decoder_setstate(TextIO *self, const struct cookie *c)
{
    if (c->start_pos == 0 && c->dec_flags == 0) {
        return discard(io_call(self->decoder, KR_ID(reset)));
    }
    return discard(PyObject_CallMethod(self->decoder, "setstate", "((yi))",
                                       "", c->dec_flags));
}

static PyObject *
seek_end(TextIO *self)
{
    if (discard(io_call((PyObject *)self, KR_ID(flush))) < 0) {
        return NULL;
    }
    textio_forget(self);
    if (self->decoder != NULL &&
        discard(io_call(self->decoder, KR_ID(reset))) < 0) {
        return NULL;
    }
    PyObject *res = PyObject_CallMethod(self->buffer, "seek", "ii", 0, 2);
    if (res != NULL && self->encoder != NULL) {
        int nonzero = PyObject_IsTrue(res);
        if (nonzero < 0 || kr_textio_encoder_reset(self, !nonzero) < 0) {
            Py_CLEAR(res);
        }
    }
    return res;
}

/* Decodes from the cookie's start point up to its character. */
static int
skip_chars(TextIO *self, const struct cookie *c)
{
    PyObject *input = PyObject_CallMethod(self->buffer, "read", "i",
                                          c->bytes_to_feed);
    if (input == NULL) {
        return -1;
    }
    if (!PyBytes_Check(input)) {
        PyErr_Format(PyExc_TypeError,
                     "underlying read() should have returned a bytes object, "
                     "not '%.200s'",
                     Py_TYPE(input)->tp_name);
        Py_DECREF(input);
        return -1;
    }
    PyObject *snapshot = Py_BuildValue("iO", c->dec_flags, input);
    if (snapshot == NULL) {
        Py_DECREF(input);
        return -1;
    }
    Py_XSETREF(self->snapshot, snapshot);
    PyObject *text = decode(self->decoder, input, c->need_eof);
    Py_DECREF(input);
    if (text == NULL) {
        return -1;
    }
    textio_set_decoded(self, text);
    if (PyUnicode_GET_LENGTH(text) < c->chars_to_skip) {
        PyErr_SetString(PyExc_OSError,
                        "can't restore logical file position");
        return -1;
    }
    self->decoded_used = c->chars_to_skip;
    return 0;
}

static int
seek_cookie(TextIO *self, PyObject *cookie_obj)
{
    struct cookie c;
    if (discard(io_call((PyObject *)self, KR_ID(flush))) < 0 ||
        !parse_cookie(&c, cookie_obj)) {
        return -1;
    }
    if (discard(PyObject_CallMethod(self->buffer, "seek", "L",
                                    (long long)c.start_pos)) < 0) {
        return -1;
    }
    textio_forget(self);
    if (self->decoder != NULL && decoder_setstate(self, &c) < 0) {
        return -1;
    }
    if (c.chars_to_skip) {
        if (self->decoder == NULL) {
            kr_io_unsupported("not readable");
            return -1;
        }
        if (skip_chars(self, &c) < 0) {
            return -1;
        }
    }
    else {
        self->snapshot = Py_BuildValue("iy", c.dec_flags, "");
        if (self->snapshot == NULL) {
            return -1;
        }
    }
    if (self->encoder != NULL) {
        return kr_textio_encoder_reset(self,
                                       c.start_pos == 0 && c.dec_flags == 0);
    }
    return 0;
}

/* Only a move of 0 is allowed relative to here and to the end. */
static bool
is_zero(PyObject *obj, const char *message)
{
    PyObject *zero = PyLong_FromLong(0);
    int equal = zero ? PyObject_RichCompareBool(obj, zero, Py_EQ) : -1;
    Py_XDECREF(zero);
    if (equal == 0) {
        kr_io_unsupported(message);
    }
    return equal > 0;
}

PyObject *
kr_textio_seek(TextIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    int whence = 0;
    if (!_PyArg_CheckPositional("seek", nargs, 1, 2) ||
        (nargs > 1 && !kr_arg_int(args[1], &whence)) ||
        !kr_textio_check(self) || !kr_textio_check_open(self)) {
        return NULL;
    }
    if (!self->seekable) {
        return kr_io_unsupported("underlying stream is not seekable");
    }
    PyObject *cookie = Py_NewRef(args[0]), *res = NULL;
    switch (whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        if (!is_zero(cookie, "can't do nonzero cur-relative seeks")) {
            goto done;
        }
        /* seeking to the current position drops the read-ahead */
        Py_SETREF(cookie, io_call((PyObject *)self, KR_ID(tell)));
        if (cookie == NULL) {
            goto done;
        }
        break;
    case SEEK_END:
        if (is_zero(cookie, "can't do nonzero end-relative seeks")) {
            res = seek_end(self);
        }
        goto done;
    default:
        PyErr_Format(PyExc_ValueError,
                     "invalid whence (%d, should be %d, %d or %d)", whence,
                     SEEK_SET, SEEK_CUR, SEEK_END);
        goto done;
    }
    PyObject *zero = PyLong_FromLong(0);
    int negative = zero ? PyObject_RichCompareBool(cookie, zero, Py_LT) : -1;
    Py_XDECREF(zero);
    if (negative > 0) {
        PyErr_Format(PyExc_ValueError, "negative seek position %R", cookie);
    }
    if (negative == 0 && seek_cookie(self, cookie) == 0) {
        res = Py_NewRef(cookie);
    }
done:
    Py_XDECREF(cookie);
    return res;
}

/* Feeds `n` bytes; characters that came out, or -1. */
static Py_ssize_t
feed(TextIO *self, const char *input, Py_ssize_t n)
{
    PyObject *bytes = PyBytes_FromStringAndSize(input, n);
    PyObject *text = bytes ? decode(self->decoder, bytes, false) : NULL;
    Py_XDECREF(bytes);
    if (text == NULL) {
        return -1;
    }
    Py_ssize_t len = PyUnicode_GET_LENGTH(text);
    Py_DECREF(text);
    return len;
}

/* How many bytes the decoder holds back, and its flags; -1 on error. */
static Py_ssize_t
held_back(TextIO *self, int *flags)
{
    PyObject *buffer, *flags_obj;
    if (decoder_state(self->decoder, &buffer, &flags_obj) < 0) {
        return -1;
    }
    Py_ssize_t n = PyBytes_GET_SIZE(buffer);
    *flags = (int)PyLong_AsLong(flags_obj);
    Py_DECREF(buffer);
    Py_DECREF(flags_obj);
    return *flags == -1 && PyErr_Occurred() ? -1 : n;
}

/* Guesses a safe start near the position from the ratio of bytes and
 * characters; bytes to skip, or -1. The decoder stands there. */
static Py_ssize_t
guess_start(TextIO *self, struct cookie *c, const char *input,
            Py_ssize_t *to_skip)
{
    Py_ssize_t skip = (Py_ssize_t)(self->b2cratio * (double)*to_skip);
    Py_ssize_t back = 1;
    while (skip > 0) {
        if (decoder_setstate(self, c) < 0) {
            return -1;
        }
        Py_ssize_t n = feed(self, input, skip);
        if (n < 0) {
            return -1;
        }
        if (n <= *to_skip) {
            int flags;
            Py_ssize_t held = held_back(self, &flags);
            if (held < 0) {
                return -1;
            }
            if (held == 0) {
                c->dec_flags = flags;
                *to_skip -= n;
                return skip;
            }
            skip -= held;
            back = 1;
        }
        else {
            skip -= back;
            back *= 2;
        }
    }
    return decoder_setstate(self, c) < 0 ? -1 : 0;
}

/* Fills the cookie of a position `to_skip` characters behind its start. */
static int
locate(TextIO *self, struct cookie *c, PyObject *next_input,
       Py_ssize_t to_skip)
{
    const char *input = PyBytes_AS_STRING(next_input);
    const char *end = input + PyBytes_GET_SIZE(next_input);
    Py_ssize_t skip = guess_start(self, c, input, &to_skip), decoded = 0;
    if (skip < 0) {
        return -1;
    }
    c->start_pos += skip;
    c->chars_to_skip = (int)to_skip;
    if (to_skip == 0) {
        return 0;
    }
    for (input += skip; input < end; input++) {
        int flags;
        Py_ssize_t n = feed(self, input, 1);
        if (n < 0) {
            return -1;
        }
        decoded += n;
        c->bytes_to_feed++;
        Py_ssize_t held = held_back(self, &flags);
        if (held < 0) {
            return -1;
        }
        if (held == 0 && decoded <= to_skip) {
            /* a safe start point, closer to the goal */
            c->start_pos += c->bytes_to_feed;
            to_skip -= decoded;
            c->dec_flags = flags;
            c->bytes_to_feed = 0;
            decoded = 0;
        }
        if (decoded >= to_skip) {
            break;
        }
    }
    if (input == end) {
        /* only the end of the input brings the rest out */
        PyObject *empty = PyBytes_FromStringAndSize(NULL, 0);
        PyObject *text = empty ? decode(self->decoder, empty, true) : NULL;
        Py_XDECREF(empty);
        if (text == NULL) {
            return -1;
        }
        decoded += PyUnicode_GET_LENGTH(text);
        Py_DECREF(text);
        c->need_eof = 1;
        if (decoded < to_skip) {
            PyErr_SetString(PyExc_OSError,
                            "can't reconstruct logical file position");
            return -1;
        }
    }
    c->chars_to_skip = (int)to_skip;
    return 0;
}

PyObject *
kr_textio_tell(TextIO *self, PyObject *unused)
{
    struct cookie c = {0};
    PyObject *next_input;
    if (!kr_textio_check(self) || !kr_textio_check_open(self)) {
        return NULL;
    }
    if (!self->seekable) {
        return kr_io_unsupported("underlying stream is not seekable");
    }
    if (!self->telling) {
        PyErr_SetString(PyExc_OSError,
                        "telling position disabled by next() call");
        return NULL;
    }
    if (kr_textio_writeflush(self) < 0 ||
        discard(io_call((PyObject *)self, KR_ID(flush))) < 0) {
        return NULL;
    }
    PyObject *res = io_call(self->buffer, KR_ID(tell));
    if (res == NULL || self->decoder == NULL || self->snapshot == NULL) {
        return res;
    }
    c.start_pos = kr_io_offset(res, NULL);
    Py_DECREF(res);
    if (PyErr_Occurred() ||
        !PyArg_ParseTuple(self->snapshot, "iO", &c.dec_flags, &next_input)) {
        return NULL;
    }
    if (!PyBytes_Check(next_input)) {
        PyErr_SetString(PyExc_TypeError, "illegal decoder state");
        return NULL;
    }
    c.start_pos -= PyBytes_GET_SIZE(next_input);
    if (self->decoded_used == 0) {
        return build_cookie(&c);
    }
    PyObject *saved = io_call(self->decoder, KR_ID(getstate));
    if (saved == NULL) {
        return NULL;
    }
    Py_INCREF(next_input);
    int rc = locate(self, &c, next_input, self->decoded_used);
    Py_DECREF(next_input);
    PyObject *t, *v, *tb;
    PyErr_Fetch(&t, &v, &tb);
    PyObject *restored =
        PyObject_CallMethodOneArg(self->decoder, KR_ID(setstate), saved);
    Py_DECREF(saved);
    kr_io_chain(t, v, tb);
    Py_XDECREF(restored);
    return rc < 0 || restored == NULL ? NULL : build_cookie(&c);
}
