/* TextIOWrapper: set-up, writing, attributes. */
#include "modules/_io/textio.h"

#include <structmember.h>

bool
kr_textio_check(TextIO *self)
{
    if (!self->ok) {
        PyErr_SetString(PyExc_ValueError,
                        self->detached
                            ? "underlying buffer has been detached"
                            : "I/O operation on uninitialized object");
        return false;
    }
    if (self->detached) {
        PyErr_SetString(PyExc_ValueError,
                        "underlying buffer has been detached");
        return false;
    }
    return true;
}

static PyObject *
get_closed(TextIO *self, void *closure)
{
    return kr_textio_check(self) ? PyObject_GetAttr(self->buffer, KR_ID(closed))
                                 : NULL;
}

bool
kr_textio_check_open(TextIO *self)
{
    if (!Py_IS_TYPE(self, &kr_TextIOWrapper_Type)) {
        return kr_io_check_closed((PyObject *)self) == 0;
    }
    int closed = self->raw != NULL ? kr_io_fileio_is_closed(self->raw)
                                   : io_truth(get_closed(self, NULL));
    if (closed > 0) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
    }
    return closed == 0;
}

static int
discard(PyObject *res)
{
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

static const char *
errors_of(TextIO *self)
{
    return PyUnicode_AsUTF8(self->errors);
}

static PyObject *
encode_ascii(TextIO *self, PyObject *text)
{
    return _PyUnicode_AsASCIIString(text, errors_of(self));
}

static PyObject *
encode_latin1(TextIO *self, PyObject *text)
{
    return _PyUnicode_AsLatin1String(text, errors_of(self));
}

static PyObject *
encode_utf8(TextIO *self, PyObject *text)
{
    return _PyUnicode_AsUTF8String(text, errors_of(self));
}

static PyObject *
encode_utf16be(TextIO *self, PyObject *text)
{
    return _PyUnicode_EncodeUTF16(text, errors_of(self), 1);
}

static PyObject *
encode_utf16le(TextIO *self, PyObject *text)
{
    return _PyUnicode_EncodeUTF16(text, errors_of(self), -1);
}

static PyObject *
encode_utf32be(TextIO *self, PyObject *text)
{
    return _PyUnicode_EncodeUTF32(text, errors_of(self), 1);
}

static PyObject *
encode_utf32le(TextIO *self, PyObject *text)
{
    return _PyUnicode_EncodeUTF32(text, errors_of(self), -1);
}

/* The byte order mark only stands at the start of the stream. */
static PyObject *
encode_utf16(TextIO *self, PyObject *text)
{
    return _PyUnicode_EncodeUTF16(text, errors_of(self),
                                  self->encoding_start_of_stream ? 0 : -1);
}

static PyObject *
encode_utf32(TextIO *self, PyObject *text)
{
    return _PyUnicode_EncodeUTF32(text, errors_of(self),
                                  self->encoding_start_of_stream ? 0 : -1);
}

static const struct {
    const char *name;
    encode_function function;
} encode_functions[] = {
    {"ascii", encode_ascii},         {"iso8859-1", encode_latin1},
    {"utf-8", encode_utf8},          {"utf-16-be", encode_utf16be},
    {"utf-16-le", encode_utf16le},   {"utf-16", encode_utf16},
    {"utf-32-be", encode_utf32be},   {"utf-32-le", encode_utf32le},
    {"utf-32", encode_utf32},
};

static bool
keeps_ascii(encode_function f)
{
    return f == encode_ascii || f == encode_latin1 || f == encode_utf8;
}

static bool
valid_newline(const char *newline)
{
    if (newline && newline[0] != '\0' && strcmp(newline, "\n") != 0 &&
        strcmp(newline, "\r") != 0 && strcmp(newline, "\r\n") != 0) {
        PyErr_Format(PyExc_ValueError, "illegal newline value: %s", newline);
        return false;
    }
    return true;
}

static int
set_newline(TextIO *self, const char *newline)
{
    PyObject *readnl = NULL;
    if (newline != NULL && (readnl = PyUnicode_FromString(newline)) == NULL) {
        return -1;
    }
    Py_XSETREF(self->readnl, readnl);
    self->readuniversal = newline == NULL || newline[0] == '\0';
    self->readtranslate = newline == NULL;
    self->writetranslate = newline == NULL || newline[0] != '\0';
    self->writenl = NULL; /* "\n" stays on this system */
    if (!self->readuniversal && strcmp(newline, "\n") != 0) {
        self->writenl = newline[1] ? "\r\n" : "\r";
    }
    return 0;
}

static int
set_decoder(TextIO *self, PyObject *codec_info, const char *errors)
{
    int readable = io_truth(io_call(self->buffer, KR_ID(readable)));
    if (readable <= 0) {
        return readable;
    }
    PyObject *decoder = _PyCodecInfo_GetIncrementalDecoder(codec_info, errors);
    if (decoder == NULL) {
        return -1;
    }
    if (self->readuniversal) {
        PyObject *wrapped = PyObject_CallFunctionObjArgs(
            (PyObject *)&kr_NewlineDecoder_Type, decoder,
            self->readtranslate ? Py_True : Py_False, NULL);
        Py_SETREF(decoder, wrapped);
        if (decoder == NULL) {
            return -1;
        }
    }
    Py_XSETREF(self->decoder, decoder);
    return 0;
}

static int
set_encoder(TextIO *self, PyObject *codec_info, const char *errors)
{
    PyObject *name;
    int writable = io_truth(io_call(self->buffer, KR_ID(writable)));
    if (writable <= 0) {
        return writable;
    }
    PyObject *encoder = _PyCodecInfo_GetIncrementalEncoder(codec_info, errors);
    if (encoder == NULL) {
        return -1;
    }
    Py_XSETREF(self->encoder, encoder);
    self->encodefunc = NULL;
    if (_PyObject_LookupAttr(codec_info, KR_ID(name), &name) < 0) {
        return -1;
    }
    if (name != NULL && PyUnicode_Check(name)) {
        for (size_t i = 0; i < Py_ARRAY_LENGTH(encode_functions); i++) {
            if (_PyUnicode_EqualToASCIIString(name,
                                              encode_functions[i].name)) {
                self->encodefunc = encode_functions[i].function;
                break;
            }
        }
    }
    Py_XDECREF(name);
    return 0;
}

int
kr_textio_encoder_reset(TextIO *self, bool start_of_stream)
{
    self->encoding_start_of_stream = start_of_stream;
    if (start_of_stream) {
        return discard(io_call(self->encoder, KR_ID(reset)));
    }
    return discard(PyObject_CallMethod(self->encoder, "setstate", "i", 0));
}

/* In the middle of a file an encoder must write no byte order mark. */
static int
fix_encoder_state(TextIO *self)
{
    if (!self->seekable || self->encoder == NULL) {
        return 0;
    }
    self->encoding_start_of_stream = true;
    int nonzero = io_truth(io_call(self->buffer, KR_ID(tell)));
    if (nonzero < 0) {
        return -1;
    }
    return nonzero ? kr_textio_encoder_reset(self, false) : 0;
}

/* Development mode finds misspelt error handlers at once. */
static int
check_errors(PyObject *errors)
{
    if (!_Py_GetConfig()->dev_mode) {
        return 0;
    }
    const char *name = PyUnicode_AsUTF8(errors);
    PyObject *handler = name ? PyCodec_LookupError(name) : NULL;
    return discard(handler);
}

/* New str: what None or "locale" stand for. */
static PyObject *
default_encoding(bool explicit_locale)
{
    if (!explicit_locale && Py_UTF8Mode) {
        return PyUnicode_FromString("utf-8");
    }
    return _Py_GetLocaleEncodingObject();
}

/* A str without NUL for the C side; NULL with an exception. */
static const char *
plain_string(PyObject *o)
{
    Py_ssize_t len;
    const char *s = PyUnicode_AsUTF8AndSize(o, &len);
    if (s != NULL && strlen(s) != (size_t)len) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        s = NULL;
    }
    return s;
}

static bool
str_or_none(PyObject *o, const char *function, const char *what)
{
    if (o == NULL || o == Py_None || PyUnicode_Check(o)) {
        return true;
    }
    _PyArg_BadArgument(function, what, "str or None", o);
    return false;
}

/* Codec, decoder and encoder for self->encoding and `errors`. */
static int
set_codec(TextIO *self, const char *encoding, const char *errors)
{
    PyObject *info = _PyCodec_LookupTextEncoding(encoding, "codecs.open()");
    if (info == NULL) {
        return -1;
    }
    int rc = set_decoder(self, info, errors);
    rc = rc < 0 ? rc : set_encoder(self, info, errors);
    Py_DECREF(info);
    return rc;
}

static int
inspect_buffer(TextIO *self)
{
    PyObject *buffer = self->buffer, *found;
    if (Py_IS_TYPE(buffer, &kr_BufferedReader_Type) ||
        Py_IS_TYPE(buffer, &kr_BufferedWriter_Type) ||
        Py_IS_TYPE(buffer, &kr_BufferedRandom_Type)) {
        PyObject *raw;
        if (_PyObject_LookupAttr(buffer, KR_ID(raw), &raw) < 0) {
            return -1;
        }
        if (raw != NULL && Py_IS_TYPE(raw, &kr_FileIO_Type)) {
            Py_XSETREF(self->raw, raw);
        }
        else {
            Py_XDECREF(raw);
        }
    }
    int seekable = io_truth(io_call(buffer, KR_ID(seekable)));
    if (seekable < 0) {
        return -1;
    }
    self->seekable = self->telling = seekable;
    int rc = _PyObject_LookupAttr(buffer, KR_ID(read1), &found);
    if (rc < 0) {
        return -1;
    }
    Py_XDECREF(found);
    self->has_read1 = rc;
    self->encoding_start_of_stream = false;
    return fix_encoder_state(self);
}

static void
drop_all(TextIO *self)
{
    Py_CLEAR(self->buffer);
    Py_CLEAR(self->encoding);
    Py_CLEAR(self->encoder);
    Py_CLEAR(self->decoder);
    Py_CLEAR(self->readnl);
    Py_CLEAR(self->decoded_chars);
    Py_CLEAR(self->snapshot);
    Py_CLEAR(self->errors);
    Py_CLEAR(self->raw);
    Py_CLEAR(self->pending);
}

static int
textio_init(TextIO *self, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("TextIOWrapper", "buffer", "encoding", "errors", "newline",
              "line_buffering", "write_through");
    PyObject *a[6];
    const char *encoding = NULL, *newline = NULL;
    int line_buffering = 0, write_through = 0;
    self->ok = false;
    self->detached = false;
    if (!kr_unpack_tuple(args, kwargs, &parser, 1, 6, 6, a) ||
        !str_or_none(a[1], "TextIOWrapper", "argument 'encoding'") ||
        (a[1] && a[1] != Py_None && !(encoding = plain_string(a[1]))) ||
        !str_or_none(a[3], "TextIOWrapper", "argument 'newline'") ||
        (a[3] && a[3] != Py_None && !(newline = plain_string(a[3]))) ||
        (a[4] != NULL && !kr_arg_int(a[4], &line_buffering)) ||
        (a[5] != NULL && !kr_arg_int(a[5], &write_through))) {
        return -1;
    }
    if (encoding == NULL && _Py_GetConfig()->warn_default_encoding &&
        PyErr_WarnEx(PyExc_EncodingWarning,
                     "'encoding' argument not specified", 1)) {
        return -1;
    }
    PyObject *errors = a[2];
    if (errors == NULL || errors == Py_None) {
        errors = PyUnicode_FromString("strict");
        if (errors == NULL) {
            return -1;
        }
    }
    else if (!PyUnicode_Check(errors)) {
        PyErr_Format(PyExc_TypeError,
                     "TextIOWrapper() argument 'errors' must be str or None, "
                     "not %.50s",
                     Py_TYPE(errors)->tp_name);
        return -1;
    }
    else if (check_errors(errors) < 0) {
        return -1;
    }
    else {
        Py_INCREF(errors);
    }
    const char *errors_str = plain_string(errors);
    if (errors_str == NULL || !valid_newline(newline)) {
        Py_DECREF(errors);
        return -1;
    }
    drop_all(self);
    self->decoded_used = 0;
    self->pending_count = 0;
    self->encodefunc = NULL;
    self->b2cratio = 0.0;
    self->errors = errors;
    if (encoding == NULL || strcmp(encoding, "locale") == 0) {
        self->encoding = default_encoding(encoding != NULL);
        encoding = self->encoding ? PyUnicode_AsUTF8(self->encoding) : NULL;
        if (encoding == NULL) {
            return -1;
        }
    }
    else {
        self->encoding = PyUnicode_FromString(encoding);
        if (self->encoding == NULL) {
            return -1;
        }
    }
    self->chunk_size = IO_DEFAULT_BUFFER_SIZE;
    self->line_buffering = (char)line_buffering;
    self->write_through = (char)write_through;
    self->buffer = Py_NewRef(a[0]);
    if (set_newline(self, newline) < 0 ||
        set_codec(self, encoding, errors_str) < 0 ||
        inspect_buffer(self) < 0) {
        return -1;
    }
    self->ok = true;
    return 0;
}

static int
change_encoding(TextIO *self, PyObject *encoding, PyObject *errors,
                bool newline_changed)
{
    PyObject *owned = NULL;
    if (encoding == Py_None && errors == Py_None && !newline_changed) {
        return 0;
    }
    if (encoding == Py_None) {
        encoding = self->encoding;
        errors = errors == Py_None ? self->errors : errors;
    }
    else {
        if (_PyUnicode_EqualToASCIIString(encoding, "locale")) {
            encoding = owned = default_encoding(false);
            if (owned == NULL) {
                return -1;
            }
        }
    }
    PyObject *errors_obj =
        errors == Py_None ? PyUnicode_FromString("strict") : Py_NewRef(errors);
    PyObject *encoding_obj = Py_NewRef(encoding);
    Py_XDECREF(owned);
    const char *c_errors = errors_obj ? plain_string(errors_obj) : NULL;
    const char *c_encoding = plain_string(encoding_obj);
    if (c_errors == NULL || c_encoding == NULL ||
        check_errors(errors_obj) < 0 ||
        set_codec(self, c_encoding, c_errors) < 0) {
        Py_XDECREF(errors_obj);
        Py_DECREF(encoding_obj);
        return -1;
    }
    Py_SETREF(self->encoding, encoding_obj);
    Py_SETREF(self->errors, errors_obj);
    return fix_encoder_state(self);
}

/* None: leave as it is. -1 on error. */
static int
optional_bool(PyObject *o, int current)
{
    int value;
    if (o == NULL || o == Py_None) {
        return current;
    }
    return kr_arg_int(o, &value) ? value != 0 : -1;
}

static PyObject *
textio_reconfigure(TextIO *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("reconfigure", "encoding", "errors", "newline",
              "line_buffering", "write_through");
    PyObject *a[5];
    const char *newline = NULL;
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 0, 5, a)) {
        return NULL;
    }
    PyObject *encoding = a[0] ? a[0] : Py_None;
    PyObject *errors = a[1] ? a[1] : Py_None;
    if (!str_or_none(encoding, "reconfigure", "argument 'encoding'") ||
        !str_or_none(errors, "reconfigure", "argument 'errors'")) {
        return NULL;
    }
    if (self->decoded_chars != NULL &&
        (encoding != Py_None || errors != Py_None || a[2] != NULL)) {
        return kr_io_unsupported("It is not possible to set the encoding or "
                                 "newline of stream after the first read");
    }
    if (a[2] != NULL && a[2] != Py_None) {
        if (!str_or_none(a[2], "reconfigure", "argument 'newline'") ||
            (newline = plain_string(a[2])) == NULL ||
            !valid_newline(newline)) {
            return NULL;
        }
    }
    int line_buffering = optional_bool(a[3], self->line_buffering);
    int write_through = optional_bool(a[4], self->write_through);
    if (line_buffering < 0 || write_through < 0 ||
        discard(io_call((PyObject *)self, KR_ID(flush))) < 0) {
        return NULL;
    }
    self->b2cratio = 0;
    if ((a[2] != NULL && set_newline(self, newline) < 0) ||
        change_encoding(self, encoding, errors, a[2] != NULL) < 0) {
        return NULL;
    }
    self->line_buffering = (char)line_buffering;
    self->write_through = (char)write_through;
    Py_RETURN_NONE;
}

/* The bytes of a pending piece: bytes, or an ASCII str as it is. */
static const char *
piece_data(PyObject *piece, Py_ssize_t *len)
{
    if (PyBytes_Check(piece)) {
        *len = PyBytes_GET_SIZE(piece);
        return PyBytes_AS_STRING(piece);
    }
    *len = PyUnicode_GET_LENGTH(piece);
    return PyUnicode_DATA(piece);
}

int
kr_textio_writeflush(TextIO *self)
{
    PyObject *pending = self->pending, *bytes, *res;
    Py_ssize_t len;
    if (pending == NULL) {
        return 0;
    }
    if (PyBytes_Check(pending)) {
        bytes = Py_NewRef(pending);
    }
    else if (PyUnicode_Check(pending)) {
        const char *data = piece_data(pending, &len);
        bytes = PyBytes_FromStringAndSize(data, len);
    }
    else {
        bytes = PyBytes_FromStringAndSize(NULL, self->pending_count);
        char *to = bytes ? PyBytes_AS_STRING(bytes) : NULL;
        for (Py_ssize_t i = 0; to && i < PyList_GET_SIZE(pending); i++) {
            const char *data =
                piece_data(PyList_GET_ITEM(pending, i), &len);
            memcpy(to, data, (size_t)len);
            to += len;
        }
    }
    if (bytes == NULL) {
        return -1;
    }
    self->pending_count = 0;
    self->pending = NULL;
    Py_DECREF(pending);
    do {
        res = PyObject_CallMethodOneArg(self->buffer, KR_ID(write), bytes);
    } while (res == NULL && kr_io_retry_eintr());
    Py_DECREF(bytes);
    return discard(res);
}

/* Puts one encoded piece (stolen) behind the pending ones; 0 or -1. */
static int
add_pending(TextIO *self, PyObject *b)
{
    Py_ssize_t len;
    piece_data(b, &len);
    if (self->pending != NULL && self->pending_count + len > self->chunk_size &&
        kr_textio_writeflush(self) < 0) {
        Py_DECREF(b);
        return -1;
    }
    if (self->pending == NULL) {
        self->pending_count = 0;
        self->pending = b;
    }
    else if (!PyList_CheckExact(self->pending)) {
        PyObject *list = PyList_New(2);
        if (list == NULL) {
            Py_DECREF(b);
            return -1;
        }
        PyList_SET_ITEM(list, 0, self->pending);
        PyList_SET_ITEM(list, 1, b);
        self->pending = list;
    }
    else {
        int rc = PyList_Append(self->pending, b);
        Py_DECREF(b);
        if (rc < 0) {
            return -1;
        }
    }
    self->pending_count += len;
    return 0;
}

static PyObject *
encode(TextIO *self, PyObject *text)
{
    PyObject *b;
    if (self->encodefunc != NULL) {
        if (PyUnicode_IS_ASCII(text) && keeps_ascii(self->encodefunc)) {
            return Py_NewRef(text);
        }
        b = self->encodefunc(self, text);
        self->encoding_start_of_stream = false;
        return b;
    }
    b = PyObject_CallMethodOneArg(self->encoder, KR_ID(encode), text);
    if (b != NULL && !PyBytes_Check(b)) {
        PyErr_Format(PyExc_TypeError,
                     "encoder should return a bytes object, not '%.200s'",
                     Py_TYPE(b)->tp_name);
        Py_CLEAR(b);
    }
    return b;
}

/* "\n" as the stream's line ending; new reference. */
static PyObject *
translate_newlines(TextIO *self, PyObject *text)
{
    PyObject *lf = PyUnicode_FromOrdinal('\n');
    PyObject *nl = lf ? PyUnicode_FromString(self->writenl) : NULL;
    PyObject *res = nl ? PyUnicode_Replace(text, lf, nl, -1) : NULL;
    Py_XDECREF(lf);
    Py_XDECREF(nl);
    return res;
}

static PyObject *
textio_write(TextIO *self, PyObject *arg)
{
    if (!PyUnicode_Check(arg)) {
        _PyArg_BadArgument("write", "argument", "str", arg);
        return NULL;
    }
    if (PyUnicode_READY(arg) < 0 || !kr_textio_check(self) ||
        !kr_textio_check_open(self)) {
        return NULL;
    }
    if (self->encoder == NULL) {
        return kr_io_unsupported("not writable");
    }
    PyObject *text = Py_NewRef(arg);
    Py_ssize_t len = PyUnicode_GET_LENGTH(text);
    bool haslf = false, flush = false;
    if ((self->writetranslate && self->writenl != NULL) ||
        self->line_buffering) {
        haslf = PyUnicode_FindChar(text, '\n', 0, len, 1) >= 0;
    }
    if (haslf && self->writetranslate && self->writenl != NULL) {
        Py_SETREF(text, translate_newlines(self, text));
        if (text == NULL) {
            return NULL;
        }
    }
    if (self->line_buffering &&
        (haslf || PyUnicode_FindChar(text, '\r', 0,
                                     PyUnicode_GET_LENGTH(text), 1) >= 0)) {
        flush = true;
    }
    PyObject *b = encode(self, text);
    Py_DECREF(text);
    if (b == NULL || add_pending(self, b) < 0) {
        return NULL;
    }
    if ((self->pending_count >= self->chunk_size || flush ||
         self->write_through) &&
        kr_textio_writeflush(self) < 0) {
        return NULL;
    }
    if (flush && discard(io_call(self->buffer, KR_ID(flush))) < 0) {
        return NULL;
    }
    textio_forget(self);
    if (self->decoder != NULL &&
        discard(io_call(self->decoder, KR_ID(reset))) < 0) {
        return NULL;
    }
    return PyLong_FromSsize_t(len);
}

static PyObject *
textio_flush(TextIO *self, PyObject *unused)
{
    if (!kr_textio_check(self) || !kr_textio_check_open(self)) {
        return NULL;
    }
    self->telling = self->seekable;
    if (kr_textio_writeflush(self) < 0) {
        return NULL;
    }
    return io_call(self->buffer, KR_ID(flush));
}

static PyObject *
textio_detach(TextIO *self, PyObject *unused)
{
    if (!kr_textio_check(self) ||
        discard(io_call((PyObject *)self, KR_ID(flush))) < 0) {
        return NULL;
    }
    PyObject *buffer = self->buffer;
    self->buffer = NULL;
    self->detached = true;
    return buffer;
}

static PyObject *
textio_close(TextIO *self, PyObject *unused)
{
    if (!kr_textio_check(self)) {
        return NULL;
    }
    int closed =
        io_truth(PyObject_GetAttr((PyObject *)self, KR_ID(closed)));
    if (closed != 0) {
        return closed < 0 ? NULL : Py_NewRef(Py_None);
    }
    if (self->finalizing) {
        PyObject *r = PyObject_CallMethodOneArg(
            self->buffer, KR_ID(_dealloc_warn), (PyObject *)self);
        if (r == NULL) {
            PyErr_Clear();
        }
        Py_XDECREF(r);
    }
    PyObject *t, *v, *tb;
    PyObject *res = io_call((PyObject *)self, KR_ID(flush));
    PyErr_Fetch(&t, &v, &tb);
    Py_XDECREF(res);
    res = io_call(self->buffer, KR_ID(close));
    if (t != NULL) {
        kr_io_chain(t, v, tb);
        Py_CLEAR(res);
    }
    return res;
}

static PyObject *
textio_truncate(TextIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *pos = nargs ? args[0] : Py_None;
    if (!_PyArg_CheckPositional("truncate", nargs, 0, 1) ||
        !kr_textio_check(self) ||
        discard(io_call((PyObject *)self, KR_ID(flush))) < 0) {
        return NULL;
    }
    return PyObject_CallMethodOneArg(self->buffer, KR_ID(truncate), pos);
}

#define FORWARD(name, id)                                                      \
    static PyObject *textio_##name(TextIO *self, PyObject *unused)             \
    {                                                                          \
        return kr_textio_check(self) ? io_call(self->buffer, id) : NULL;       \
    }

FORWARD(fileno, KR_ID(fileno))
FORWARD(seekable, KR_ID(seekable))
FORWARD(readable, KR_ID(readable))
FORWARD(writable, KR_ID(writable))
FORWARD(isatty, KR_ID(isatty))

static PyObject *
get_name(TextIO *self, void *closure)
{
    return kr_textio_check(self) ? PyObject_GetAttr(self->buffer, KR_ID(name))
                                 : NULL;
}

static PyObject *
get_newlines(TextIO *self, void *closure)
{
    PyObject *res;
    if (!kr_textio_check(self)) {
        return NULL;
    }
    if (self->decoder == NULL) {
        Py_RETURN_NONE;
    }
    int rc = _PyObject_LookupAttr(self->decoder, KR_ID(newlines), &res);
    return rc == 0 ? Py_NewRef(Py_None) : res;
}

static PyObject *
get_errors(TextIO *self, void *closure)
{
    if (!self->ok) {
        PyErr_SetString(PyExc_ValueError,
                        "I/O operation on uninitialized object");
        return NULL;
    }
    return Py_NewRef(self->errors);
}

static PyObject *
get_chunk_size(TextIO *self, void *closure)
{
    return kr_textio_check(self) ? PyLong_FromSsize_t(self->chunk_size) : NULL;
}

static int
set_chunk_size(TextIO *self, PyObject *arg, void *closure)
{
    if (!kr_textio_check(self)) {
        return -1;
    }
    if (arg == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    Py_ssize_t n = PyNumber_AsSsize_t(arg, PyExc_ValueError);
    if (n == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (n <= 0) {
        PyErr_SetString(PyExc_ValueError,
                        "a strictly positive integer is required");
        return -1;
    }
    self->chunk_size = n;
    return 0;
}

/* " name=..." when there is one, appended to *res; 0 or -1. */
static int
append_attr(TextIO *self, PyObject **res, PyObject *id, const char *format)
{
    PyObject *value;
    if (_PyObject_LookupAttr((PyObject *)self, id, &value) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
            return -1;
        }
        PyErr_Clear();
        value = NULL;
    }
    if (value == NULL) {
        return 0;
    }
    PyObject *part = PyUnicode_FromFormat(format, value);
    Py_DECREF(value);
    if (part == NULL) {
        return -1;
    }
    PyUnicode_AppendAndDel(res, part);
    return *res == NULL ? -1 : 0;
}

static PyObject *
textio_repr(TextIO *self)
{
    if (!self->ok) {
        PyErr_SetString(PyExc_ValueError,
                        "I/O operation on uninitialized object");
        return NULL;
    }
    PyObject *res = PyUnicode_FromString("<_io.TextIOWrapper");
    if (res == NULL) {
        return NULL;
    }
    int status = Py_ReprEnter((PyObject *)self);
    if (status != 0) {
        if (status > 0) {
            PyErr_Format(PyExc_RuntimeError,
                         "reentrant call inside %s.__repr__",
                         Py_TYPE(self)->tp_name);
        }
        Py_DECREF(res);
        return NULL;
    }
    if (append_attr(self, &res, KR_ID(name), " name=%R") < 0 ||
        append_attr(self, &res, KR_ID(mode), " mode=%R") < 0) {
        Py_CLEAR(res);
    }
    else {
        PyObject *end =
            PyUnicode_FromFormat("%U encoding=%R>", res, self->encoding);
        Py_SETREF(res, end);
    }
    Py_ReprLeave((PyObject *)self);
    return res;
}

static PyObject *
textio_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return type->tp_alloc(type, 0);
}

static int
textio_traverse(TextIO *self, visitproc visit, void *arg)
{
    Py_VISIT(self->buffer);
    Py_VISIT(self->encoding);
    Py_VISIT(self->encoder);
    Py_VISIT(self->decoder);
    Py_VISIT(self->readnl);
    Py_VISIT(self->decoded_chars);
    Py_VISIT(self->pending);
    Py_VISIT(self->snapshot);
    Py_VISIT(self->errors);
    Py_VISIT(self->raw);
    Py_VISIT(self->dict);
    return 0;
}

static int
textio_clear(TextIO *self)
{
    self->ok = false;
    drop_all(self);
    Py_CLEAR(self->dict);
    return 0;
}

static void
textio_dealloc(TextIO *self)
{
    self->finalizing = 1;
    if (kr_io_finalize((PyObject *)self) < 0) {
        return;
    }
    self->ok = false;
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    textio_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef textio_methods[] = {
    {"detach", (PyCFunction)textio_detach, METH_NOARGS,
     "detach($self, /)\n--\n\nSeparate the buffer from the stream."},
    {"reconfigure", KR_CAST(textio_reconfigure), KR_FAST,
     "reconfigure($self, /, *, encoding=None, errors=None, newline=None,\n"
     "            line_buffering=None, write_through=None)\n--\n\n"
     "Change settings of the stream after a flush."},
    {"write", (PyCFunction)textio_write, METH_O,
     "write($self, text, /)\n--\n\nWrite a string; gives its length."},
    {"read", KR_CAST(kr_textio_read), METH_FASTCALL,
     "read($self, size=-1, /)\n--\n\nRead at most size characters."},
    {"readline", KR_CAST(kr_textio_readline_method), METH_FASTCALL,
     "readline($self, size=-1, /)\n--\n\nRead one line."},
    {"flush", (PyCFunction)textio_flush, METH_NOARGS,
     "flush($self, /)\n--\n\nWrite out what is pending."},
    {"close", (PyCFunction)textio_close, METH_NOARGS,
     "close($self, /)\n--\n\nFlush and close."},
    {"fileno", (PyCFunction)textio_fileno, METH_NOARGS,
     "fileno($self, /)\n--\n\nThe file descriptor."},
    {"seekable", (PyCFunction)textio_seekable, METH_NOARGS,
     "seekable($self, /)\n--\n\nTrue if the stream has random access."},
    {"readable", (PyCFunction)textio_readable, METH_NOARGS,
     "readable($self, /)\n--\n\nTrue if the stream can be read."},
    {"writable", (PyCFunction)textio_writable, METH_NOARGS,
     "writable($self, /)\n--\n\nTrue if the stream can be written."},
    {"isatty", (PyCFunction)textio_isatty, METH_NOARGS,
     "isatty($self, /)\n--\n\nTrue if the stream is a terminal."},
    {"seek", KR_CAST(kr_textio_seek), METH_FASTCALL,
     "seek($self, cookie, whence=0, /)\n--\n\n"
     "Move to a position that tell() gave."},
    {"tell", (PyCFunction)kr_textio_tell, METH_NOARGS,
     "tell($self, /)\n--\n\nThe position as an opaque number."},
    {"truncate", KR_CAST(textio_truncate), METH_FASTCALL,
     "truncate($self, pos=None, /)\n--\n\nSet the size of the file."},
    {NULL},
};

static PyMemberDef textio_members[] = {
    {"encoding", T_OBJECT, offsetof(TextIO, encoding), READONLY, NULL},
    {"buffer", T_OBJECT, offsetof(TextIO, buffer), READONLY, NULL},
    {"line_buffering", T_BOOL, offsetof(TextIO, line_buffering), READONLY,
     NULL},
    {"write_through", T_BOOL, offsetof(TextIO, write_through), READONLY,
     NULL},
    {"_finalizing", T_BOOL, offsetof(TextIO, finalizing), 0, NULL},
    {NULL},
};

static PyGetSetDef textio_getset[] = {
    {"name", (getter)get_name, NULL, NULL},
    {"closed", (getter)get_closed, NULL, NULL},
    {"newlines", (getter)get_newlines, NULL, NULL},
    {"errors", (getter)get_errors, NULL, NULL},
    {"_CHUNK_SIZE", (getter)get_chunk_size, (setter)set_chunk_size, NULL},
    {NULL},
};

PyTypeObject kr_TextIOWrapper_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_io.TextIOWrapper",
    .tp_base = &kr_TextIOBase_Type,
    .tp_basicsize = sizeof(TextIO),
    .tp_dealloc = (destructor)textio_dealloc,
    .tp_repr = (reprfunc)textio_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "TextIOWrapper(buffer, encoding=None, errors=None, "
              "newline=None,\n              line_buffering=False, "
              "write_through=False)\n--\n\n"
              "Text over a buffered binary stream.",
    .tp_traverse = (traverseproc)textio_traverse,
    .tp_clear = (inquiry)textio_clear,
    .tp_weaklistoffset = offsetof(TextIO, weakrefs),
    .tp_iternext = (iternextfunc)kr_textio_iternext,
    .tp_methods = textio_methods,
    .tp_members = textio_members,
    .tp_getset = textio_getset,
    .tp_dictoffset = offsetof(TextIO, dict),
    .tp_init = (initproc)textio_init,
    .tp_new = textio_new,
};
