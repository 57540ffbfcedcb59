/* Shared by the files of `_io`: state, checks, helpers of the base classes. */
#ifndef KR_MODULES_IO_IO_H
#define KR_MODULES_IO_IO_H

#include <Python.h>
#include <stdbool.h>
#include <sys/types.h>

#include "modules/kwargs.h"
#include "objects/ids.h"
#include "runtime/fileutils.h"

#define IO_DEFAULT_BUFFER_SIZE 8192

/* The types are static, so what they need lies beside them. */
struct kr_io_state {
    PyObject *unsupported_operation;
};
extern struct kr_io_state kr_io_state;

extern PyTypeObject kr_IOBase_Type;
extern PyTypeObject kr_RawIOBase_Type;
extern PyTypeObject kr_BufferedIOBase_Type;
extern PyTypeObject kr_TextIOBase_Type;
extern PyTypeObject kr_FileIO_Type;
extern PyTypeObject kr_BytesIO_Type;
extern PyTypeObject kr_StringIO_Type;
extern PyTypeObject kr_BufferedReader_Type;
extern PyTypeObject kr_BufferedWriter_Type;
extern PyTypeObject kr_BufferedRWPair_Type;
extern PyTypeObject kr_BufferedRandom_Type;
extern PyTypeObject kr_TextIOWrapper_Type;
extern PyTypeObject kr_NewlineDecoder_Type;
PyAPI_DATA(PyTypeObject) _PyBytesIOBuffer_Type;

/* Raises io.UnsupportedOperation(message); gives NULL. */
PyObject *kr_io_unsupported(const char *message);

/* Checks of any stream through its public methods: 0, or -1 with ValueError
 * or UnsupportedOperation set. */
int kr_io_check_closed(PyObject *self);
int kr_io_check_seekable(PyObject *self);
int kr_io_check_readable(PyObject *self);
int kr_io_check_writable(PyObject *self);

/* First step of a stream's dealloc: runs __del__, which closes. -1 when the
 * object came back to life. */
int kr_io_finalize(PyObject *self);

/* The lock-free end of close() chains: makes the exception (type, value, tb)
 * the context of the current one, or the current one. Steals them. */
void kr_io_chain(PyObject *type, PyObject *value, PyObject *tb);

/* True when the current error is an OSError of EINTR whose signal handlers
 * ran well: the error is cleared and the caller tries again. */
bool kr_io_retry_eintr(void);

/* What the method readline of a subclass gives: new str, or new bytes. Any
 * other object is an OSError. */
PyObject *kr_io_call_readline(PyObject *self, bool text);

/* Generic line reading by peek() and read(); new bytes. */
PyObject *kr_io_readline(PyObject *self, Py_ssize_t limit);

/* Integer arguments with None for "absent": false with an exception set. */
bool kr_io_arg_size(PyObject *o, Py_ssize_t *out);

/* Parts of the pickled states of BytesIO and StringIO: what stands for the
 * instance's dictionary, a new reference; and taking the position and the
 * dictionary, the `which` item: false with an exception set. */
PyObject *kr_io_state_dict(PyObject *dict);
bool kr_io_set_position(PyObject *value, Py_ssize_t *pos);
bool kr_io_set_dict(PyObject *value, PyObject **dict, const char *which);

/* A file position of any int-like object; -1 with an exception set. */
off_t kr_io_offset(PyObject *o, PyObject *overflow_error);

/* _io.open for C callers; new reference. */
PyObject *kr_io_open(PyObject *file, const char *mode, int buffering,
                     const char *encoding, const char *errors,
                     const char *newline, int closefd, PyObject *opener);

/* Position after the line ending in [start, end) of a string of `kind`, or -1
 * with *consumed characters that can't hold one. `readnl` is the ending when
 * neither `translated` nor `universal`. */
Py_ssize_t kr_io_find_line_ending(bool translated, bool universal,
                                  PyObject *readnl, int kind, const char *start,
                                  const char *end, Py_ssize_t *consumed);

/* decode() of an exact IncrementalNewlineDecoder. */
PyObject *kr_io_newline_decode(PyObject *decoder, PyObject *input, int final);

/* Warns of a stream that nobody closed; called by the wrapping stream. */
PyObject *kr_io_fileio_dealloc_warn(PyObject *self, PyObject *source);

/* The system calls of an exact FileIO that nobody patched, for the buffer above
 * it: bytes moved, -1 with an exception, -2 when it would block. */
bool kr_io_fileio_is_plain(PyObject *raw);
bool kr_io_fileio_is_closed(PyObject *raw);
Py_ssize_t kr_io_fileio_read_into(PyObject *raw, char *buf, Py_ssize_t size);
Py_ssize_t kr_io_fileio_write_from(PyObject *raw, const char *buf,
                                   Py_ssize_t size);

/* Calls a method without arguments; new reference. */
static inline PyObject *
io_call(PyObject *self, PyObject *name)
{
    return PyObject_CallMethodNoArgs(self, name);
}

/* A stream wrapped by another says of itself that it is going away. */
#define IO_HEAP_TYPE(op) (Py_TYPE(op)->tp_flags & Py_TPFLAGS_HEAPTYPE)

/* Truth of a method or attribute result, which it consumes; -1 on error. */
static inline int
io_truth(PyObject *res)
{
    if (res == NULL) {
        return -1;
    }
    int truth = PyObject_IsTrue(res);
    Py_DECREF(res);
    return truth;
}

#endif
