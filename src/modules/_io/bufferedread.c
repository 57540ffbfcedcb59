/* Reading through a Buffered. */
#include "modules/_io/buffered.h"

static Py_ssize_t
fill_buffer(Buffered *self)
{
    Py_ssize_t start = valid_read(self) ? (Py_ssize_t)self->read_end : 0;
    Py_ssize_t n =
        kr_buffered_raw_read(self, self->buffer + start,
                             self->buffer_size - start);
    if (n > 0) {
        self->read_end = start + n;
        self->raw_pos = start + n;
    }
    return n;
}

/* What was read ahead, as bytes, if it is enough; else NULL without error. */
static inline PyObject *
read_fast(Buffered *self, Py_ssize_t n)
{
    if (n > read_ahead(self)) {
        return NULL;
    }
    PyObject *res = PyBytes_FromStringAndSize(self->buffer + self->pos, n);
    if (res != NULL) {
        self->pos += n;
    }
    return res;
}

/* The rest by raw.read() calls, for raw streams without readall(). `data` is
 * what the buffer held, or NULL; steals it. */
static PyObject *
read_all_chunks(Buffered *self, PyObject *data)
{
    Py_ssize_t total = data ? PyBytes_GET_SIZE(data) : 0;
    PyObject *chunks = PyList_New(0), *res = NULL;
    if (chunks == NULL) {
        Py_XDECREF(data);
        return NULL;
    }
    for (;;) {
        if (data != NULL) {
            int rc = PyList_Append(chunks, data);
            Py_CLEAR(data);
            if (rc < 0) {
                break;
            }
        }
        data = io_call(self->raw, KR_ID(read));
        if (data == NULL) {
            break;
        }
        if (data != Py_None && !PyBytes_Check(data)) {
            PyErr_SetString(PyExc_TypeError, "read() should return bytes");
            break;
        }
        if (data == Py_None || PyBytes_GET_SIZE(data) == 0) {
            if (total == 0) {
                res = Py_NewRef(data);
            }
            else {
                PyObject *empty = PyBytes_FromStringAndSize(NULL, 0);
                res = empty ? _PyBytes_Join(empty, chunks) : NULL;
                Py_XDECREF(empty);
            }
            break;
        }
        total += PyBytes_GET_SIZE(data);
        if (self->abs_pos != -1) {
            self->abs_pos += PyBytes_GET_SIZE(data);
        }
    }
    Py_XDECREF(data);
    Py_DECREF(chunks);
    return res;
}

static PyObject *
read_all(Buffered *self)
{
    PyObject *data = NULL, *readall;
    Py_ssize_t have = read_ahead(self);
    if (have) {
        data = PyBytes_FromStringAndSize(self->buffer + self->pos, have);
        if (data == NULL) {
            return NULL;
        }
        self->pos += have;
    }
    if (self->writable && kr_buffered_flush_and_rewind(self) < 0) {
        Py_XDECREF(data);
        return NULL;
    }
    reset_read(self);
    if (_PyObject_LookupAttr(self->raw, KR_ID(readall), &readall) < 0) {
        Py_XDECREF(data);
        return NULL;
    }
    if (readall == NULL) {
        return read_all_chunks(self, data);
    }
    PyObject *rest = PyObject_CallNoArgs(readall);
    Py_DECREF(readall);
    if (rest != NULL && rest != Py_None && !PyBytes_Check(rest)) {
        PyErr_SetString(PyExc_TypeError, "readall() should return bytes");
        Py_CLEAR(rest);
    }
    if (rest == NULL || data == NULL) {
        Py_XDECREF(data);
        return rest;
    }
    if (rest != Py_None) {
        PyBytes_Concat(&data, rest);
    }
    Py_DECREF(rest);
    return data;
}

/* Ends a short read: what there is, or None when nothing came because it
 * would block (`r` is -2). Steals `res`. */
static PyObject *
short_read(PyObject *res, Py_ssize_t written, Py_ssize_t r)
{
    if (r == 0 || written > 0) {
        _PyBytes_Resize(&res, written);
        return res;
    }
    Py_DECREF(res);
    Py_RETURN_NONE;
}

static PyObject *
read_generic(Buffered *self, Py_ssize_t n)
{
    Py_ssize_t have = read_ahead(self), r;
    if (n <= have) {
        return read_fast(self, n);
    }
    PyObject *res = PyBytes_FromStringAndSize(NULL, n);
    if (res == NULL) {
        return NULL;
    }
    char *out = PyBytes_AS_STRING(res);
    Py_ssize_t written = 0;
    if (have > 0) {
        memcpy(out, self->buffer + self->pos, (size_t)have);
        written = have;
        self->pos += have;
    }
    if (self->writable && kr_buffered_flush_and_rewind(self) < 0) {
        goto fail;
    }
    reset_read(self);
    while (n > written) {
        /* whole blocks go straight to the result */
        Py_ssize_t left = n - written;
        Py_ssize_t whole = self->buffer_mask
                               ? left & ~self->buffer_mask
                               : left / self->buffer_size * self->buffer_size;
        if (whole == 0) {
            break;
        }
        r = kr_buffered_raw_read(self, out + written, whole);
        if (r == -1) {
            goto fail;
        }
        if (r == 0 || r == -2) {
            return short_read(res, written, r);
        }
        written += r;
    }
    self->pos = 0;
    self->raw_pos = 0;
    self->read_end = 0;
    while (n > written && self->read_end < self->buffer_size) {
        r = fill_buffer(self);
        if (r == -1) {
            goto fail;
        }
        if (r == 0 || r == -2) {
            return short_read(res, written, r);
        }
        r = Py_MIN(r, n - written);
        memcpy(out + written, self->buffer + self->pos, (size_t)r);
        written += r;
        self->pos += r;
    }
    if (written < n) {
        _PyBytes_Resize(&res, written);
    }
    return res;

fail:
    Py_DECREF(res);
    return NULL;
}

PyObject *
kr_buffered_read(Buffered *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n = -1;
    if (!_PyArg_CheckPositional("read", nargs, 0, 1) ||
        (nargs && !kr_io_arg_size(args[0], &n)) || !kr_buffered_check(self)) {
        return NULL;
    }
    if (n < -1) {
        PyErr_SetString(PyExc_ValueError,
                        "read length must be non-negative or -1");
        return NULL;
    }
    if (!kr_buffered_check_open(self, "read of closed file")) {
        return NULL;
    }
    PyObject *res;
    if (n >= 0 && n <= read_ahead(self)) {
        return read_fast(self, n);
    }
    if (!kr_buffered_enter(self)) {
        return NULL;
    }
    res = n == -1 ? read_all(self) : read_generic(self, n);
    kr_buffered_leave(self);
    return res;
}

PyObject *
kr_buffered_read1(Buffered *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n = -1;
    if (!_PyArg_CheckPositional("read1", nargs, 0, 1) ||
        (nargs && !kr_arg_ssize(args[0], &n)) || !kr_buffered_check(self)) {
        return NULL;
    }
    if (n < 0) {
        n = self->buffer_size;
    }
    if (!kr_buffered_check_open(self, "read of closed file")) {
        return NULL;
    }
    if (n == 0) {
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    Py_ssize_t have = read_ahead(self);
    if (have > 0) {
        return read_fast(self, Py_MIN(have, n));
    }
    PyObject *res = PyBytes_FromStringAndSize(NULL, n);
    if (res == NULL) {
        return NULL;
    }
    if (!kr_buffered_enter(self)) {
        Py_DECREF(res);
        return NULL;
    }
    reset_read(self);
    Py_ssize_t r = kr_buffered_raw_read(self, PyBytes_AS_STRING(res), n);
    kr_buffered_leave(self);
    if (r == -1) {
        Py_DECREF(res);
        return NULL;
    }
    r = r == -2 ? 0 : r;
    if (r < n) {
        _PyBytes_Resize(&res, r);
    }
    return res;
}

PyObject *
kr_buffered_peek(Buffered *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n = 0;
    PyObject *res = NULL;
    if (!_PyArg_CheckPositional("peek", nargs, 0, 1) ||
        (nargs && !kr_arg_ssize(args[0], &n)) || !kr_buffered_check(self) ||
        !kr_buffered_check_open(self, "peek of closed file") ||
        !kr_buffered_enter(self)) {
        return NULL;
    }
    if (self->writable && kr_buffered_flush_and_rewind(self) < 0) {
        goto done;
    }
    /* at least one byte, and never more than one raw read */
    Py_ssize_t have = read_ahead(self);
    if (have > 0) {
        res = PyBytes_FromStringAndSize(self->buffer + self->pos, have);
        goto done;
    }
    reset_read(self);
    Py_ssize_t r = fill_buffer(self);
    if (r != -1) {
        self->pos = 0;
        res = PyBytes_FromStringAndSize(self->buffer, r == -2 ? 0 : r);
    }
done:
    kr_buffered_leave(self);
    return res;
}

/* With the lock held and the buffer empty: fills [written, len) of `out`. The
 * total, -1 with an exception, or -2 when nothing came without blocking. */
static Py_ssize_t
fill_target(Buffered *self, char *out, Py_ssize_t len, Py_ssize_t written,
            bool once)
{
    reset_read(self);
    self->pos = 0;
    while (written < len) {
        Py_ssize_t left = len - written, n;
        if (left > self->buffer_size) {
            n = kr_buffered_raw_read(self, out + written, left);
        }
        else if (once && written) {
            break;
        }
        else {
            n = fill_buffer(self);
            if (n > 0) {
                n = Py_MIN(n, left);
                memcpy(out + written, self->buffer + self->pos, (size_t)n);
                self->pos += n;
                written += n;
                continue;
            }
        }
        if (n == 0 || (n == -2 && written > 0)) {
            break;
        }
        if (n < 0) {
            return n;
        }
        written += n;
        if (once) {
            break;
        }
    }
    return written;
}

static PyObject *
readinto_generic(Buffered *self, Py_buffer *buf, bool once)
{
    Py_ssize_t written = 0;
    if (!kr_buffered_check(self) ||
        !kr_buffered_check_open(self, "readinto of closed file")) {
        return NULL;
    }
    Py_ssize_t have = read_ahead(self);
    if (have > 0) {
        written = Py_MIN(have, buf->len);
        memcpy(buf->buf, self->buffer + self->pos, (size_t)written);
        self->pos += written;
        if (written == buf->len) {
            return PyLong_FromSsize_t(written);
        }
    }
    if (!kr_buffered_enter(self)) {
        return NULL;
    }
    if (self->writable && kr_buffered_flush_and_rewind(self) < 0) {
        written = -1;
    }
    else {
        written = fill_target(self, buf->buf, buf->len, written, once);
    }
    kr_buffered_leave(self);
    if (written == -2) {
        Py_RETURN_NONE;
    }
    return written < 0 ? NULL : PyLong_FromSsize_t(written);
}

static PyObject *
readinto_arg(Buffered *self, PyObject *arg, const char *name, bool once)
{
    Py_buffer buf;
    if (PyObject_GetBuffer(arg, &buf, PyBUF_WRITABLE) < 0) {
        PyErr_Clear();
        _PyArg_BadArgument(name, "argument", "read-write bytes-like object",
                           arg);
        return NULL;
    }
    PyObject *res = readinto_generic(self, &buf, once);
    PyBuffer_Release(&buf);
    return res;
}

PyObject *
kr_buffered_readinto(Buffered *self, PyObject *arg)
{
    return readinto_arg(self, arg, "readinto", false);
}

PyObject *
kr_buffered_readinto1(Buffered *self, PyObject *arg)
{
    return readinto_arg(self, arg, "readinto1", true);
}

/* Appends `n` bytes at the position to *line (NULL: first); 0 or -1. */
static int
take_bytes(Buffered *self, PyObject **line, Py_ssize_t n)
{
    const char *from = self->buffer + self->pos;
    if (*line == NULL) {
        /* a block of its own: one-byte constants could not grow */
        *line = PyBytes_FromStringAndSize(NULL, n);
        if (*line != NULL) {
            memcpy(PyBytes_AS_STRING(*line), from, (size_t)n);
        }
    }
    else {
        Py_ssize_t old = PyBytes_GET_SIZE(*line);
        if (_PyBytes_Resize(line, old + n) == 0) {
            memcpy(PyBytes_AS_STRING(*line) + old, from, (size_t)n);
        }
    }
    self->pos += n;
    return *line == NULL ? -1 : 0;
}

static PyObject *
readline_locked(Buffered *self, Py_ssize_t limit)
{
    PyObject *line = NULL;
    Py_ssize_t n = read_ahead(self);
    if (n > 0) {
        if (take_bytes(self, &line, n) < 0) {
            return NULL;
        }
        limit = limit >= 0 ? limit - n : limit;
    }
    if (self->writable && kr_buffered_flush_and_rewind(self) < 0) {
        Py_XDECREF(line);
        return NULL;
    }
    while (limit != 0) {
        reset_read(self);
        n = fill_buffer(self);
        if (n == -1) {
            Py_XDECREF(line);
            return NULL;
        }
        if (n <= 0) {
            break;
        }
        self->pos = 0;
        if (limit >= 0 && n > limit) {
            n = limit;
        }
        const char *nl = memchr(self->buffer, '\n', (size_t)n);
        Py_ssize_t take = nl ? nl - self->buffer + 1 : n;
        if (take_bytes(self, &line, take) < 0) {
            return NULL;
        }
        if (nl != NULL) {
            break;
        }
        limit = limit >= 0 ? limit - n : limit;
    }
    return line ? line : PyBytes_FromStringAndSize(NULL, 0);
}

PyObject *
kr_buffered_readline(Buffered *self, Py_ssize_t limit)
{
    if (!kr_buffered_check_open(self, "readline of closed file")) {
        return NULL;
    }
    Py_ssize_t n = read_ahead(self);
    if (limit >= 0 && n > limit) {
        n = limit;
    }
    if (n > 0) {
        const char *start = self->buffer + self->pos;
        const char *nl = memchr(start, '\n', (size_t)n);
        if (nl != NULL) {
            return read_fast(self, nl - start + 1);
        }
    }
    if (n == limit) {
        return read_fast(self, n);
    }
    if (!kr_buffered_enter(self)) {
        return NULL;
    }
    PyObject *line = readline_locked(self, limit);
    kr_buffered_leave(self);
    return line;
}

PyObject *
kr_buffered_readline_method(Buffered *self, PyObject *const *args,
                            Py_ssize_t nargs)
{
    Py_ssize_t limit = -1;
    if (!_PyArg_CheckPositional("readline", nargs, 0, 1) ||
        (nargs && !kr_io_arg_size(args[0], &limit)) ||
        !kr_buffered_check(self)) {
        return NULL;
    }
    return kr_buffered_readline(self, limit);
}

PyObject *
kr_buffered_iternext(Buffered *self)
{
    PyObject *line;
    if (!kr_buffered_check(self)) {
        return NULL;
    }
    if (Py_IS_TYPE(self, &kr_BufferedReader_Type) ||
        Py_IS_TYPE(self, &kr_BufferedRandom_Type)) {
        line = kr_buffered_readline(self, -1);
    }
    else {
        line = kr_io_call_readline((PyObject *)self, false);
    }
    if (line != NULL && PyBytes_GET_SIZE(line) == 0) {
        Py_CLEAR(line);
    }
    return line;
}
