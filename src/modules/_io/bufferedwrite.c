/* Writing through a Buffered. */
#include "modules/_io/buffered.h"

#include <errno.h>

static void
set_blocking_error(const char *message, Py_ssize_t written)
{
    PyErr_Clear();
    PyObject *err = PyObject_CallFunction(PyExc_BlockingIOError, "isn", errno,
                                          message, written);
    if (err != NULL) {
        PyErr_SetObject(PyExc_BlockingIOError, err);
        Py_DECREF(err);
    }
}

int
kr_buffered_flush_unlocked(Buffered *self)
{
    if (valid_write(self) && self->write_pos != self->write_end) {
        /* the raw stream may be ahead by what was read */
        off_t rewind = raw_offset(self) + (self->pos - self->write_pos);
        if (rewind != 0) {
            if (kr_buffered_raw_seek(self, -rewind, 1) < 0) {
                return -1;
            }
            self->raw_pos -= rewind;
        }
        while (self->write_pos < self->write_end) {
            Py_ssize_t n =
                kr_buffered_raw_write(self, self->buffer + self->write_pos,
                                      self->write_end - self->write_pos);
            if (n == -1) {
                return -1;
            }
            if (n == -2) {
                set_blocking_error(
                    "write could not complete without blocking", 0);
                return -1;
            }
            /* the logical position may be further on: it stays */
            self->write_pos += n;
            self->raw_pos = self->write_pos;
            /* a partial write may be the work of a signal */
            if (PyErr_CheckSignals() < 0) {
                return -1;
            }
        }
    }
    reset_write(self);
    return 0;
}

/* The flush would block: keeps what fits of `src`; bytes kept or -1 with
 * BlockingIOError set. */
static Py_ssize_t
keep_unflushed(Buffered *self, const char *src, Py_ssize_t len)
{
    if (!PyErr_ExceptionMatches(PyExc_BlockingIOError)) {
        return -1;
    }
    if (self->readable) {
        reset_read(self);
    }
    memmove(self->buffer, self->buffer + self->write_pos,
            (size_t)(self->write_end - self->write_pos));
    self->write_end -= self->write_pos;
    self->raw_pos -= self->write_pos;
    self->pos -= self->write_pos;
    self->write_pos = 0;
    Py_ssize_t room = self->buffer_size - (Py_ssize_t)self->write_end;
    Py_ssize_t take = Py_MIN(len, room);
    memcpy(self->buffer + self->write_end, src, (size_t)take);
    self->write_end += take;
    self->pos += take;
    if (len <= room) {
        PyErr_Clear();
        return len;
    }
    set_blocking_error("write could not complete without blocking", room);
    return -1;
}

/* Writes what is larger than the buffer past it and buffers the rest. The
 * buffer is flushed. Bytes taken or -1. */
static Py_ssize_t
write_large(Buffered *self, const char *src, Py_ssize_t len)
{
    Py_ssize_t written = 0;
    off_t offset = raw_offset(self);
    if (offset != 0) {
        if (kr_buffered_raw_seek(self, -offset, 1) < 0) {
            return -1;
        }
        self->raw_pos -= offset;
    }
    while (len - written > self->buffer_size) {
        Py_ssize_t n =
            kr_buffered_raw_write(self, src + written, len - written);
        if (n == -1) {
            return -1;
        }
        if (n == -2) {
            memcpy(self->buffer, src + written, (size_t)self->buffer_size);
            self->raw_pos = 0;
            set_position(self, self->buffer_size);
            self->write_pos = 0;
            self->write_end = self->buffer_size;
            written += self->buffer_size;
            set_blocking_error("write could not complete without blocking",
                               written);
            return -1;
        }
        written += n;
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
    if (self->readable) {
        reset_read(self);
    }
    Py_ssize_t left = len - written;
    if (left > 0) {
        memcpy(self->buffer, src + written, (size_t)left);
    }
    self->write_pos = 0;
    self->write_end = left;
    set_position(self, left);
    self->raw_pos = 0;
    return len;
}

/* With the lock held: bytes taken or -1. */
static Py_ssize_t
write_locked(Buffered *self, const char *src, Py_ssize_t len)
{
    int closed = kr_buffered_is_closed(self);
    if (closed != 0) {
        if (closed > 0) {
            PyErr_SetString(PyExc_ValueError, "write to closed file");
        }
        return -1;
    }
    if (!valid_read(self) && !valid_write(self)) {
        self->pos = 0;
        self->raw_pos = 0;
    }
    Py_ssize_t room = self->buffer_size - (Py_ssize_t)self->pos;
    if (len <= room) {
        memcpy(self->buffer + self->pos, src, (size_t)len);
        if (!valid_write(self) || self->write_pos > self->pos) {
            self->write_pos = self->pos;
        }
        set_position(self, self->pos + len);
        if (self->write_end < self->pos) {
            self->write_end = self->pos;
        }
        return len;
    }
    if (kr_buffered_flush_unlocked(self) < 0) {
        return keep_unflushed(self, src, len);
    }
    return write_large(self, src, len);
}

PyObject *
kr_buffered_write(Buffered *self, PyObject *arg)
{
    Py_buffer buf;
    Py_ssize_t n = -1;
    if (!kr_arg_buffer("write", "argument", arg, &buf)) {
        return NULL;
    }
    if (kr_buffered_check(self) && kr_buffered_enter(self)) {
        n = write_locked(self, buf.buf, buf.len);
        kr_buffered_leave(self);
    }
    PyBuffer_Release(&buf);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}
