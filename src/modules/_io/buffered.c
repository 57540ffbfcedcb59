/* BufferedReader, BufferedWriter, BufferedRandom: life, position, types. */
#include "modules/_io/buffered.h"

#include <errno.h>
#include <structmember.h>

bool
kr_buffered_check(Buffered *self)
{
    if (self->ok > 0) {
        return true;
    }
    PyErr_SetString(PyExc_ValueError,
                    self->detached ? "raw stream has been detached"
                                   : "I/O operation on uninitialized object");
    return false;
}

int
kr_buffered_is_closed(Buffered *self)
{
    if (self->buffer == NULL) {
        return 1;
    }
    if (self->fast_closed_checks) {
        return kr_io_fileio_is_closed(self->raw);
    }
    return io_truth(PyObject_GetAttr(self->raw, KR_ID(closed)));
}

bool
kr_buffered_check_open(Buffered *self, const char *message)
{
    int closed = kr_buffered_is_closed(self);
    if (closed < 0) {
        return false;
    }
    if (closed && read_ahead(self) == 0) {
        PyErr_SetString(PyExc_ValueError, message);
        return false;
    }
    return true;
}

/* Somebody holds the lock: a thread to wait for, or, in a signal handler or
 * __del__, this one. */
static bool
enter_busy(Buffered *self)
{
    PyLockStatus st;
    if (self->owner == PyThread_get_thread_ident()) {
        PyErr_Format(PyExc_RuntimeError, "reentrant call inside %R", self);
        return false;
    }
    bool finalizing = _Py_IsFinalizing();
    Py_BEGIN_ALLOW_THREADS
    if (!finalizing) {
        st = (PyLockStatus)PyThread_acquire_lock(self->lock, 1);
    }
    else {
        /* a daemon thread may have died with the lock */
        st = PyThread_acquire_lock_timed(self->lock, (PY_TIMEOUT_T)1000000, 0);
    }
    Py_END_ALLOW_THREADS
    if (finalizing && st != PY_LOCK_ACQUIRED) {
        PyObject *ascii = PyObject_ASCII((PyObject *)self);
        char msg[400];
        PyOS_snprintf(msg, sizeof(msg),
                      "could not acquire lock for %.200s at interpreter "
                      "shutdown, possibly due to daemon threads",
                      ascii ? PyUnicode_AsUTF8(ascii) : "<ascii(self) failed>");
        /* known by this name */
        _Py_FatalErrorFunc("_enter_buffered_busy", msg);
    }
    return true;
}

bool
kr_buffered_enter(Buffered *self)
{
    if (!PyThread_acquire_lock(self->lock, 0) && !enter_busy(self)) {
        return false;
    }
    self->owner = PyThread_get_thread_ident();
    return true;
}

void
kr_buffered_leave(Buffered *self)
{
    self->owner = 0;
    PyThread_release_lock(self->lock);
}

/* A position that the raw stream gave; -1 with an exception set. */
static off_t
take_position(Buffered *self, PyObject *res)
{
    if (res == NULL) {
        return -1;
    }
    off_t n = kr_io_offset(res, PyExc_ValueError);
    Py_DECREF(res);
    if (n < 0) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_OSError,
                         "Raw stream returned invalid position %lld",
                         (long long)n);
        }
        return -1;
    }
    self->abs_pos = n;
    return n;
}

off_t
kr_buffered_raw_tell(Buffered *self)
{
    return take_position(self, io_call(self->raw, KR_ID(tell)));
}

/* The position if known already, else asks. */
static off_t
cached_tell(Buffered *self)
{
    return self->abs_pos != -1 ? self->abs_pos : kr_buffered_raw_tell(self);
}

off_t
kr_buffered_raw_seek(Buffered *self, off_t target, int whence)
{
    return take_position(self, PyObject_CallMethod(self->raw, "seek", "Li",
                                                   (long long)target,
                                                   whence));
}

/* Calls a method of the raw stream with a view of memory. */
static Py_ssize_t
call_raw(Buffered *self, char *start, Py_ssize_t len, bool reading)
{
    Py_buffer buf;
    PyObject *res;
    int err;
    if (PyBuffer_FillInfo(&buf, NULL, start, len, !reading,
                          reading ? PyBUF_CONTIG : PyBUF_CONTIG_RO) < 0) {
        return -1;
    }
    PyObject *view = PyMemoryView_FromBuffer(&buf);
    if (view == NULL) {
        return -1;
    }
    do {
        errno = 0;
        res = PyObject_CallMethodOneArg(
            self->raw, reading ? KR_ID(readinto) : KR_ID(write), view);
        err = errno;
    } while (res == NULL && kr_io_retry_eintr());
    Py_DECREF(view);
    if (res == NULL) {
        return -1;
    }
    if (res == Py_None) {
        Py_DECREF(res);
        errno = err;
        return -2;
    }
    Py_ssize_t n = PyNumber_AsSsize_t(res, PyExc_ValueError);
    Py_DECREF(res);
    if (reading && n == -1 && PyErr_Occurred()) {
        _PyErr_FormatFromCause(PyExc_OSError, "raw readinto() failed");
        return -1;
    }
    if (n < 0 || n > len) {
        PyErr_Format(PyExc_OSError,
                     "raw %s() returned invalid length %zd "
                     "(should have been between 0 and %zd)",
                     reading ? "readinto" : "write", n, len);
        return -1;
    }
    return n;
}

static Py_ssize_t
raw_move(Buffered *self, char *start, Py_ssize_t len, bool reading)
{
    Py_ssize_t n;
    if (!self->fast_closed_checks || !kr_io_fileio_is_plain(self->raw)) {
        n = call_raw(self, start, len, reading);
    }
    else {
        n = reading ? kr_io_fileio_read_into(self->raw, start, len)
                    : kr_io_fileio_write_from(self->raw, start, len);
    }
    if (n > 0 && self->abs_pos != -1) {
        self->abs_pos += n;
    }
    return n;
}

Py_ssize_t
kr_buffered_raw_read(Buffered *self, char *start, Py_ssize_t len)
{
    return raw_move(self, start, len, true);
}

Py_ssize_t
kr_buffered_raw_write(Buffered *self, const char *start, Py_ssize_t len)
{
    return raw_move(self, (char *)start, len, false);
}

int
kr_buffered_setup(Buffered *self, PyObject *raw, Py_ssize_t size)
{
    Py_INCREF(raw);
    Py_XSETREF(self->raw, raw);
    if (size <= 0) {
        PyErr_SetString(PyExc_ValueError,
                        "buffer size must be strictly positive");
        return -1;
    }
    self->buffer_size = size;
    PyMem_Free(self->buffer);
    self->buffer = PyMem_Malloc((size_t)size);
    if (self->buffer == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (self->lock != NULL) {
        PyThread_free_lock(self->lock);
    }
    self->lock = PyThread_allocate_lock();
    if (self->lock == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "can't allocate read lock");
        return -1;
    }
    self->owner = 0;
    self->buffer_mask = (size & (size - 1)) == 0 ? size - 1 : 0;
    if (kr_buffered_raw_tell(self) == -1) {
        PyErr_Clear();
    }
    return 0;
}

int
kr_buffered_flush_and_rewind(Buffered *self)
{
    if (kr_buffered_flush_unlocked(self) < 0) {
        return -1;
    }
    if (self->readable) {
        off_t n = kr_buffered_raw_seek(self, -raw_offset(self), 1);
        reset_read(self);
        if (n == -1) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
buffered_flush(Buffered *self, PyObject *unused)
{
    if (!kr_buffered_check(self)) {
        return NULL;
    }
    int closed = kr_buffered_is_closed(self);
    if (closed != 0) {
        if (closed > 0) {
            PyErr_SetString(PyExc_ValueError, "flush of closed file");
        }
        return NULL;
    }
    if (!kr_buffered_enter(self)) {
        return NULL;
    }
    int rc = kr_buffered_flush_and_rewind(self);
    kr_buffered_leave(self);
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
buffered_simple_flush(Buffered *self, PyObject *unused)
{
    return kr_buffered_check(self) ? io_call(self->raw, KR_ID(flush)) : NULL;
}

static PyObject *
buffered_dealloc_warn(Buffered *self, PyObject *source)
{
    if (self->ok && self->raw) {
        PyObject *r = PyObject_CallMethodOneArg(
            self->raw, KR_ID(_dealloc_warn), source);
        if (r == NULL) {
            PyErr_Clear();
        }
        Py_XDECREF(r);
    }
    Py_RETURN_NONE;
}

static PyObject *
buffered_close(Buffered *self, PyObject *unused)
{
    PyObject *t, *v, *tb;
    if (!kr_buffered_check(self) || !kr_buffered_enter(self)) {
        return NULL;
    }
    int closed = kr_buffered_is_closed(self);
    if (closed != 0) {
        kr_buffered_leave(self);
        return closed < 0 ? NULL : Py_NewRef(Py_None);
    }
    if (self->finalizing && self->raw != NULL) {
        Py_DECREF(buffered_dealloc_warn(self, (PyObject *)self));
    }
    /* flush() takes the lock itself, and may be overridden */
    kr_buffered_leave(self);
    PyObject *res = io_call((PyObject *)self, KR_ID(flush));
    PyErr_Fetch(&t, &v, &tb);
    Py_XDECREF(res);
    if (!kr_buffered_enter(self)) {
        kr_io_chain(t, v, tb);
        return NULL;
    }
    res = io_call(self->raw, KR_ID(close));
    if (self->buffer != NULL) {
        PyMem_Free(self->buffer);
        self->buffer = NULL;
    }
    if (t != NULL) {
        kr_io_chain(t, v, tb);
        Py_CLEAR(res);
    }
    self->read_end = 0;
    self->pos = 0;
    kr_buffered_leave(self);
    return res;
}

static PyObject *
buffered_detach(Buffered *self, PyObject *unused)
{
    if (!kr_buffered_check(self)) {
        return NULL;
    }
    PyObject *res = io_call((PyObject *)self, KR_ID(flush));
    if (res == NULL) {
        return NULL;
    }
    Py_DECREF(res);
    PyObject *raw = self->raw;
    self->raw = NULL;
    self->detached = 1;
    self->ok = 0;
    return raw;
}

/* Methods that ask the raw stream. */
#define FORWARD(name, id)                                                      \
    static PyObject *buffered_##name(Buffered *self, PyObject *unused)         \
    {                                                                          \
        return kr_buffered_check(self) ? io_call(self->raw, id) : NULL;        \
    }

FORWARD(seekable, KR_ID(seekable))
FORWARD(readable, KR_ID(readable))
FORWARD(writable, KR_ID(writable))
FORWARD(fileno, KR_ID(fileno))
FORWARD(isatty, KR_ID(isatty))

#define FORWARD_ATTRIBUTE(name, id)                                            \
    static PyObject *buffered_get_##name(Buffered *self, void *closure)        \
    {                                                                          \
        return kr_buffered_check(self) ? PyObject_GetAttr(self->raw, id)       \
                                       : NULL;                                 \
    }

FORWARD_ATTRIBUTE(closed, KR_ID(closed))
FORWARD_ATTRIBUTE(name, KR_ID(name))
FORWARD_ATTRIBUTE(mode, KR_ID(mode))

static PyObject *
buffered_tell(Buffered *self, PyObject *unused)
{
    if (!kr_buffered_check(self)) {
        return NULL;
    }
    off_t pos = kr_buffered_raw_tell(self);
    if (pos == -1) {
        return NULL;
    }
    pos -= raw_offset(self);
    /* a device may not know its position */
    return PyLong_FromLongLong(pos < 0 ? 0 : pos);
}

/* A move inside what was read ahead: new position, -1 if it is no such move,
 * -2 with an exception. */
static off_t
seek_in_buffer(Buffered *self, off_t target, int whence)
{
    off_t current = cached_tell(self);
    if (current == -1) {
        return -2;
    }
    Py_ssize_t ahead = read_ahead(self);
    if (ahead > 0) {
        off_t offset =
            whence == 0 ? target - (current - raw_offset(self)) : target;
        if (offset >= -self->pos && offset <= ahead) {
            self->pos += offset;
            return current - ahead + offset >= 0 ? current - ahead + offset
                                                 : -1;
        }
    }
    return -1;
}

static PyObject *
buffered_seek(Buffered *self, PyObject *const *args, Py_ssize_t nargs)
{
    int whence = 0;
    if (!_PyArg_CheckPositional("seek", nargs, 1, 2) ||
        (nargs > 1 && !kr_arg_int(args[1], &whence)) ||
        !kr_buffered_check(self)) {
        return NULL;
    }
    if ((whence < 0 || whence > 2) && whence != SEEK_HOLE &&
        whence != SEEK_DATA) {
        return PyErr_Format(PyExc_ValueError, "whence value %d unsupported",
                            whence);
    }
    if (!kr_buffered_check_open(self, "seek of closed file") ||
        kr_io_check_seekable(self->raw) < 0) {
        return NULL;
    }
    off_t target = kr_io_offset(args[0], PyExc_ValueError);
    if (target == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if ((whence == 0 || whence == 1) && self->readable) {
        off_t pos = seek_in_buffer(self, target, whence);
        if (pos != -1) {
            return pos == -2 ? NULL : PyLong_FromLongLong(pos);
        }
    }
    if (!kr_buffered_enter(self)) {
        return NULL;
    }
    PyObject *res = NULL;
    if (!self->writable || kr_buffered_flush_unlocked(self) == 0) {
        if (whence == 1) {
            target -= raw_offset(self);
        }
        off_t n = kr_buffered_raw_seek(self, target, whence);
        if (n != -1) {
            self->raw_pos = -1;
            res = PyLong_FromLongLong(n);
            if (res != NULL && self->readable) {
                reset_read(self);
            }
        }
    }
    kr_buffered_leave(self);
    return res;
}

static PyObject *
buffered_truncate(Buffered *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *pos = nargs ? args[0] : Py_None, *res = NULL;
    if (!_PyArg_CheckPositional("truncate", nargs, 0, 1) ||
        !kr_buffered_check(self) ||
        !kr_buffered_check_open(self, "truncate of closed file")) {
        return NULL;
    }
    if (!self->writable) {
        return kr_io_unsupported("truncate");
    }
    if (!kr_buffered_enter(self)) {
        return NULL;
    }
    if (kr_buffered_flush_and_rewind(self) == 0) {
        res = PyObject_CallMethodOneArg(self->raw, KR_ID(truncate), pos);
        if (res != NULL && kr_buffered_raw_tell(self) == -1) {
            PyErr_Clear();
        }
    }
    kr_buffered_leave(self);
    return res;
}

static PyObject *
buffered_sizeof(Buffered *self, PyObject *unused)
{
    Py_ssize_t n = Py_TYPE(self)->tp_basicsize;
    return PyLong_FromSsize_t(self->buffer ? n + self->buffer_size : n);
}

static PyObject *
buffered_repr(Buffered *self)
{
    PyObject *name, *res = NULL;
    const char *type = Py_TYPE(self)->tp_name;
    if (_PyObject_LookupAttr((PyObject *)self, KR_ID(name), &name) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
            return NULL;
        }
        PyErr_Clear();
        name = NULL;
    }
    if (name == NULL) {
        return PyUnicode_FromFormat("<%s>", type);
    }
    int status = Py_ReprEnter((PyObject *)self);
    if (status == 0) {
        res = PyUnicode_FromFormat("<%s name=%R>", type, name);
        Py_ReprLeave((PyObject *)self);
    }
    else if (status > 0) {
        PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__",
                     type);
    }
    Py_DECREF(name);
    return res;
}

static int
buffered_traverse(Buffered *self, visitproc visit, void *arg)
{
    Py_VISIT(self->raw);
    Py_VISIT(self->dict);
    return 0;
}

static int
buffered_clear(Buffered *self)
{
    self->ok = 0;
    Py_CLEAR(self->raw);
    Py_CLEAR(self->dict);
    return 0;
}

static void
buffered_dealloc(Buffered *self)
{
    self->finalizing = 1;
    if (kr_io_finalize((PyObject *)self) < 0) {
        return;
    }
    PyObject_GC_UnTrack(self);
    self->ok = 0;
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    PyMem_Free(self->buffer);
    self->buffer = NULL;
    if (self->lock != NULL) {
        PyThread_free_lock(self->lock);
        self->lock = NULL;
    }
    Py_CLEAR(self->raw);
    Py_CLEAR(self->dict);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* tp_init of all three: `type` is the exact one, for fast paths. */
static int
init_common(Buffered *self, PyObject *args, PyObject *kwargs,
            _PyArg_Parser *parser, PyTypeObject *type, bool read, bool write)
{
    PyObject *a[2];
    Py_ssize_t size = IO_DEFAULT_BUFFER_SIZE;
    if (!kr_unpack_tuple(args, kwargs, parser, 1, 2, 2, a) ||
        (a[1] != NULL && !kr_arg_ssize(a[1], &size))) {
        return -1;
    }
    PyObject *raw = a[0];
    self->ok = 0;
    self->detached = 0;
    if ((read && write && kr_io_check_seekable(raw) < 0) ||
        (read && kr_io_check_readable(raw) < 0) ||
        (write && kr_io_check_writable(raw) < 0)) {
        return -1;
    }
    self->readable = read;
    self->writable = write;
    if (kr_buffered_setup(self, raw, size) < 0) {
        return -1;
    }
    reset_read(self);
    if (write) {
        reset_write(self);
    }
    self->pos = 0;
    self->fast_closed_checks =
        Py_IS_TYPE(self, type) && Py_IS_TYPE(raw, &kr_FileIO_Type);
    self->ok = 1;
    return 0;
}

static int
reader_init(Buffered *self, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("BufferedReader", "raw", "buffer_size");
    return init_common(self, args, kwargs, &parser, &kr_BufferedReader_Type,
                       true, false);
}

static int
writer_init(Buffered *self, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("BufferedWriter", "raw", "buffer_size");
    return init_common(self, args, kwargs, &parser, &kr_BufferedWriter_Type,
                       false, true);
}

static int
random_init(Buffered *self, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("BufferedRandom", "raw", "buffer_size");
    return init_common(self, args, kwargs, &parser, &kr_BufferedRandom_Type,
                       true, true);
}

#define M_COMMON                                                               \
    {"detach", (PyCFunction)buffered_detach, METH_NOARGS, NULL},               \
        {"close", (PyCFunction)buffered_close, METH_NOARGS, NULL},             \
        {"seekable", (PyCFunction)buffered_seekable, METH_NOARGS, NULL},       \
        {"fileno", (PyCFunction)buffered_fileno, METH_NOARGS, NULL},           \
        {"isatty", (PyCFunction)buffered_isatty, METH_NOARGS, NULL},           \
        {"_dealloc_warn", (PyCFunction)buffered_dealloc_warn, METH_O, NULL},   \
        {"seek", KR_CAST(buffered_seek), METH_FASTCALL,                        \
         "seek($self, target, whence=0, /)\n--\n\nMove the position."},        \
        {"tell", (PyCFunction)buffered_tell, METH_NOARGS, NULL},               \
        {"truncate", KR_CAST(buffered_truncate), METH_FASTCALL,                \
         "truncate($self, pos=None, /)\n--\n\nSet the size of the file."},     \
    {"__sizeof__", (PyCFunction)buffered_sizeof, METH_NOARGS, NULL}

#define M_READ                                                                 \
    {"readable", (PyCFunction)buffered_readable, METH_NOARGS, NULL},           \
        {"read", KR_CAST(kr_buffered_read), METH_FASTCALL,                     \
         "read($self, size=-1, /)\n--\n\n"                                     \
         "Read size bytes, until the end by default."},                        \
        {"peek", KR_CAST(kr_buffered_peek), METH_FASTCALL,                     \
         "peek($self, size=0, /)\n--\n\n"                                      \
         "Bytes that come next, without moving."},                             \
        {"read1", KR_CAST(kr_buffered_read1), METH_FASTCALL,                   \
         "read1($self, size=-1, /)\n--\n\n"                                    \
         "Read with at most one raw read."},                                   \
        {"readinto", (PyCFunction)kr_buffered_readinto, METH_O,                \
         "readinto($self, buffer, /)\n--\n\nRead into a writable buffer."},    \
        {"readinto1", (PyCFunction)kr_buffered_readinto1, METH_O,              \
         "readinto1($self, buffer, /)\n--\n\n"                                 \
         "Read into a writable buffer with at most one raw read."},            \
        {"readline", KR_CAST(kr_buffered_readline_method), METH_FASTCALL,      \
         "readline($self, size=-1, /)\n--\n\nRead one line."}

#define M_WRITE                                                                \
    {"writable", (PyCFunction)buffered_writable, METH_NOARGS, NULL},           \
        {"flush", (PyCFunction)buffered_flush, METH_NOARGS, NULL},             \
        {"write", (PyCFunction)kr_buffered_write, METH_O,                      \
         "write($self, buffer, /)\n--\n\n"                                     \
         "Write bytes; gives how many, always all of them."}

static PyMethodDef reader_methods[] = {
    M_COMMON,
    M_READ,
    {"flush", (PyCFunction)buffered_simple_flush, METH_NOARGS, NULL},
    {NULL},
};

static PyMethodDef writer_methods[] = {M_COMMON, M_WRITE, {NULL}};
static PyMethodDef random_methods[] = {M_COMMON, M_READ, M_WRITE, {NULL}};

static PyMemberDef buffered_members[] = {
    {"raw", T_OBJECT, offsetof(Buffered, raw), READONLY, NULL},
    {"_finalizing", T_BOOL, offsetof(Buffered, finalizing), 0, NULL},
    {NULL},
};

static PyGetSetDef buffered_getset[] = {
    {"closed", (getter)buffered_get_closed, NULL, NULL},
    {"name", (getter)buffered_get_name, NULL, NULL},
    {"mode", (getter)buffered_get_mode, NULL, NULL},
    {NULL},
};

#define BUFFERED_TYPE(NAME, prefix, next, doc)                                 \
    PyTypeObject kr_##NAME##_Type = {                                          \
        PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "_io." #NAME,         \
        .tp_base = &kr_BufferedIOBase_Type,                                    \
        .tp_basicsize = sizeof(Buffered),                                      \
        .tp_dealloc = (destructor)buffered_dealloc,                            \
        .tp_repr = (reprfunc)buffered_repr,                                    \
        .tp_flags =                                                            \
            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,     \
        .tp_doc = #NAME "(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\n" doc,  \
        .tp_traverse = (traverseproc)buffered_traverse,                        \
        .tp_clear = (inquiry)buffered_clear,                                   \
        .tp_weaklistoffset = offsetof(Buffered, weakrefs),                     \
        .tp_iternext = (next),                                                 \
        .tp_methods = prefix##_methods,                                        \
        .tp_members = buffered_members,                                        \
        .tp_getset = buffered_getset,                                          \
        .tp_dictoffset = offsetof(Buffered, dict),                             \
        .tp_init = (initproc)prefix##_init,                                    \
        .tp_new = PyType_GenericNew,                                           \
    }

BUFFERED_TYPE(BufferedReader, reader, (iternextfunc)kr_buffered_iternext,
              "A buffer over a raw stream that is read.");
BUFFERED_TYPE(BufferedWriter, writer, NULL,
              "A buffer over a raw stream that is written.");
BUFFERED_TYPE(BufferedRandom, random, (iternextfunc)kr_buffered_iternext,
              "A buffer over a raw stream with random access.");

/* A reader and a writer as one object, as for sockets and pipes. */
typedef struct {
    PyObject_HEAD
    Buffered *reader;
    Buffered *writer;
    PyObject *dict;
    PyObject *weakrefs;
} RWPair;

static int
rwpair_init(RWPair *self, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args), size = IO_DEFAULT_BUFFER_SIZE;
    if ((Py_IS_TYPE(self, &kr_BufferedRWPair_Type) &&
         !_PyArg_NoKeywords("BufferedRWPair", kwargs)) ||
        !_PyArg_CheckPositional("BufferedRWPair", n, 2, 3) ||
        (n > 2 && !kr_arg_ssize(PyTuple_GET_ITEM(args, 2), &size))) {
        return -1;
    }
    PyObject *r = PyTuple_GET_ITEM(args, 0), *w = PyTuple_GET_ITEM(args, 1);
    if (kr_io_check_readable(r) < 0 || kr_io_check_writable(w) < 0) {
        return -1;
    }
    PyObject *reader = PyObject_CallFunction(
        (PyObject *)&kr_BufferedReader_Type, "On", r, size);
    if (reader == NULL) {
        return -1;
    }
    PyObject *writer = PyObject_CallFunction(
        (PyObject *)&kr_BufferedWriter_Type, "On", w, size);
    if (writer == NULL) {
        Py_DECREF(reader);
        return -1;
    }
    Py_XSETREF(self->reader, (Buffered *)reader);
    Py_XSETREF(self->writer, (Buffered *)writer);
    return 0;
}

static int
rwpair_traverse(RWPair *self, visitproc visit, void *arg)
{
    Py_VISIT(self->dict);
    Py_VISIT(self->reader);
    Py_VISIT(self->writer);
    return 0;
}

static int
rwpair_clear(RWPair *self)
{
    Py_CLEAR(self->reader);
    Py_CLEAR(self->writer);
    Py_CLEAR(self->dict);
    return 0;
}

static void
rwpair_dealloc(RWPair *self)
{
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    Py_CLEAR(self->reader);
    Py_CLEAR(self->writer);
    Py_CLEAR(self->dict);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* Calls a method of one half; `args` may be NULL. */
static PyObject *
rwpair_call(Buffered *half, PyObject *name, PyObject *args)
{
    if (half == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "I/O operation on uninitialized object");
        return NULL;
    }
    PyObject *func = PyObject_GetAttr((PyObject *)half, name);
    if (func == NULL) {
        return NULL;
    }
    PyObject *res = args ? PyObject_CallObject(func, args)
                         : PyObject_CallNoArgs(func);
    Py_DECREF(func);
    return res;
}

#define PAIR(name, half, id)                                                   \
    static PyObject *rwpair_##name(RWPair *self, PyObject *args)               \
    {                                                                          \
        return rwpair_call(self->half, id, args);                     \
    }

PAIR(read, reader, KR_ID(read))
PAIR(peek, reader, KR_ID(peek))
PAIR(read1, reader, KR_ID(read1))
PAIR(readinto, reader, KR_ID(readinto))
PAIR(readinto1, reader, KR_ID(readinto1))
PAIR(readable, reader, KR_ID(readable))
PAIR(write, writer, KR_ID(write))
PAIR(flush, writer, KR_ID(flush))
PAIR(writable, writer, KR_ID(writable))

static PyObject *
rwpair_close(RWPair *self, PyObject *unused)
{
    PyObject *t, *v, *tb;
    PyObject *res = rwpair_call(self->writer, KR_ID(close), NULL);
    PyErr_Fetch(&t, &v, &tb);
    Py_XDECREF(res);
    res = rwpair_call(self->reader, KR_ID(close), NULL);
    if (t != NULL) {
        kr_io_chain(t, v, tb);
        Py_CLEAR(res);
    }
    return res;
}

static PyObject *
rwpair_isatty(RWPair *self, PyObject *unused)
{
    PyObject *res = rwpair_call(self->writer, KR_ID(isatty), NULL);
    if (res != Py_False) {
        return res; /* true, or an error */
    }
    Py_DECREF(res);
    return rwpair_call(self->reader, KR_ID(isatty), NULL);
}

static PyObject *
rwpair_get_closed(RWPair *self, void *closure)
{
    if (self->writer == NULL) {
        PyErr_SetString(
            PyExc_RuntimeError,
            "the BufferedRWPair object is being garbage-collected");
        return NULL;
    }
    return PyObject_GetAttr((PyObject *)self->writer, KR_ID(closed));
}

static PyMethodDef rwpair_methods[] = {
    {"read", (PyCFunction)rwpair_read, METH_VARARGS, NULL},
    {"peek", (PyCFunction)rwpair_peek, METH_VARARGS, NULL},
    {"read1", (PyCFunction)rwpair_read1, METH_VARARGS, NULL},
    {"readinto", (PyCFunction)rwpair_readinto, METH_VARARGS, NULL},
    {"readinto1", (PyCFunction)rwpair_readinto1, METH_VARARGS, NULL},
    {"write", (PyCFunction)rwpair_write, METH_VARARGS, NULL},
    {"flush", (PyCFunction)rwpair_flush, METH_NOARGS, NULL},
    {"readable", (PyCFunction)rwpair_readable, METH_NOARGS, NULL},
    {"writable", (PyCFunction)rwpair_writable, METH_NOARGS, NULL},
    {"close", (PyCFunction)rwpair_close, METH_NOARGS, NULL},
    {"isatty", (PyCFunction)rwpair_isatty, METH_NOARGS, NULL},
    {NULL},
};

static PyGetSetDef rwpair_getset[] = {
    {"closed", (getter)rwpair_get_closed, NULL, NULL},
    {NULL},
};

PyTypeObject kr_BufferedRWPair_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_io.BufferedRWPair",
    .tp_base = &kr_BufferedIOBase_Type,
    .tp_basicsize = sizeof(RWPair),
    .tp_dealloc = (destructor)rwpair_dealloc,
    .tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "BufferedRWPair(reader, writer, "
              "buffer_size=DEFAULT_BUFFER_SIZE, /)\n--\n\n"
              "A buffered reader and a buffered writer as one stream.",
    .tp_traverse = (traverseproc)rwpair_traverse,
    .tp_clear = (inquiry)rwpair_clear,
    .tp_weaklistoffset = offsetof(RWPair, weakrefs),
    .tp_methods = rwpair_methods,
    .tp_getset = rwpair_getset,
    .tp_dictoffset = offsetof(RWPair, dict),
    .tp_init = (initproc)rwpair_init,
    .tp_new = PyType_GenericNew,
};
