/* The object behind BufferedReader, BufferedWriter and BufferedRandom.
 *
 * One buffer serves both directions. `pos` is the logical position in it; the
 * valid part for reading ends at `read_end`, the part still to be written is
 * [write_pos, write_end). -1 in an end means: no such part. `raw_pos` is where
 * the raw stream stands, counted in the buffer. */
#ifndef KR_MODULES_IO_BUFFERED_H
#define KR_MODULES_IO_BUFFERED_H

#include "modules/_io/io.h"

#include <pythread.h>

typedef struct {
    PyObject_HEAD
    PyObject *raw;
    int ok; /* usable: initialised and not detached */
    int detached;
    int readable;
    int writable;
    char finalizing;
    int fast_closed_checks; /* exact type over an exact FileIO */
    off_t abs_pos;          /* of the raw stream; -1: unknown */
    char *buffer;
    off_t pos;
    off_t raw_pos;
    off_t read_end;
    off_t write_pos;
    off_t write_end;
    PyThread_type_lock lock;
    volatile unsigned long owner; /* thread that holds the lock */
    Py_ssize_t buffer_size;
    Py_ssize_t buffer_mask; /* size - 1 if that is a power of two, else 0 */
    PyObject *dict;
    PyObject *weakrefs;
} Buffered;

static inline bool
valid_read(Buffered *self)
{
    return self->readable && self->read_end != -1;
}

static inline bool
valid_write(Buffered *self)
{
    return self->writable && self->write_end != -1;
}

static inline Py_ssize_t
read_ahead(Buffered *self)
{
    return valid_read(self) ? (Py_ssize_t)(self->read_end - self->pos) : 0;
}

/* How far the raw stream is ahead of the logical position. */
static inline off_t
raw_offset(Buffered *self)
{
    return (valid_read(self) || valid_write(self)) && self->raw_pos >= 0
               ? self->raw_pos - self->pos
               : 0;
}

static inline void
set_position(Buffered *self, off_t pos)
{
    self->pos = pos;
    if (valid_read(self) && self->read_end < pos) {
        self->read_end = pos;
    }
}

static inline void
reset_read(Buffered *self)
{
    self->read_end = -1;
}

static inline void
reset_write(Buffered *self)
{
    self->write_pos = 0;
    self->write_end = -1;
}

/* False with ValueError set when unusable. */
bool kr_buffered_check(Buffered *self);

/* As above, and also that it is open (or holds data read ahead). */
bool kr_buffered_check_open(Buffered *self, const char *message);
int kr_buffered_is_closed(Buffered *self);

/* The lock around buffer changes; false with RuntimeError on re-entry. */
bool kr_buffered_enter(Buffered *self);
void kr_buffered_leave(Buffered *self);

/* Position of the raw stream; -1 with an exception set. */
off_t kr_buffered_raw_tell(Buffered *self);
off_t kr_buffered_raw_seek(Buffered *self, off_t target, int whence);

/* One read or write of the raw stream: bytes moved, -1 with an exception, -2 if
 * it would block (errno is then that of the call). */
Py_ssize_t kr_buffered_raw_read(Buffered *self, char *start, Py_ssize_t len);
Py_ssize_t kr_buffered_raw_write(Buffered *self, const char *start,
                                 Py_ssize_t len);

/* Allocates buffer and lock; 0 or -1. */
int kr_buffered_setup(Buffered *self, PyObject *raw, Py_ssize_t size);

/* With the lock held: write out everything; 0 or -1. */
int kr_buffered_flush_unlocked(Buffered *self);
/* ... and put the raw stream at the logical position. */
int kr_buffered_flush_and_rewind(Buffered *self);

PyObject *kr_buffered_readline(Buffered *self, Py_ssize_t limit);

/* Shared tp_ functions and method entries. */
PyObject *kr_buffered_read(Buffered *, PyObject *const *, Py_ssize_t);
PyObject *kr_buffered_read1(Buffered *, PyObject *const *, Py_ssize_t);
PyObject *kr_buffered_peek(Buffered *, PyObject *const *, Py_ssize_t);
PyObject *kr_buffered_readinto(Buffered *, PyObject *);
PyObject *kr_buffered_readinto1(Buffered *, PyObject *);
PyObject *kr_buffered_readline_method(Buffered *, PyObject *const *,
                                      Py_ssize_t);
PyObject *kr_buffered_iternext(Buffered *);
PyObject *kr_buffered_write(Buffered *, PyObject *);

#endif
