/* FileIO: the raw stream over a file descriptor. */
#include "modules/_io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <structmember.h>
#include <unistd.h>

typedef struct {
    PyObject_HEAD
    int fd; /* -1: closed */
    unsigned int created : 1;
    unsigned int readable : 1;
    unsigned int writable : 1;
    unsigned int appending : 1;
    signed int seekable : 2; /* -1: unknown */
    unsigned int closefd : 1;
    char finalizing;
    unsigned int blksize;
    PyObject *weakrefs;
    PyObject *dict;
} FileIO;

static PyObject *
err_closed(void)
{
    PyErr_SetString(PyExc_ValueError, "I/O operation on closed file");
    return NULL;
}

static PyObject *
err_mode(const char *action)
{
    PyErr_Format(kr_io_state.unsupported_operation, "File not open for %s",
                 action);
    return NULL;
}

static int
internal_close(FileIO *self)
{
    if (self->fd < 0) {
        return 0;
    }
    int fd = self->fd, rc;
    /* first, so that another thread can't use the number any more */
    self->fd = -1;
    Py_BEGIN_ALLOW_THREADS
    rc = close(fd);
    Py_END_ALLOW_THREADS
    if (rc < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return 0;
}

PyObject *
kr_io_fileio_dealloc_warn(PyObject *op, PyObject *source)
{
    FileIO *self = (FileIO *)op;
    if (self->fd >= 0 && self->closefd) {
        PyObject *t, *v, *tb;
        PyErr_Fetch(&t, &v, &tb);
        if (PyErr_ResourceWarning(source, 1, "unclosed file %R", source) &&
            PyErr_ExceptionMatches(PyExc_Warning)) {
            PyErr_WriteUnraisable(op);
        }
        PyErr_Restore(t, v, tb);
    }
    Py_RETURN_NONE;
}

static PyObject *
fileio_close(FileIO *self, PyObject *unused)
{
    PyObject *t, *v, *tb;
    PyObject *res = PyObject_CallMethodOneArg((PyObject *)&kr_RawIOBase_Type,
                                              KR_ID(close), (PyObject *)self);
    if (!self->closefd) {
        self->fd = -1;
        return res;
    }
    PyErr_Fetch(&t, &v, &tb);
    if (self->finalizing) {
        PyObject *r =
            kr_io_fileio_dealloc_warn((PyObject *)self, (PyObject *)self);
        Py_DECREF(r);
    }
    int rc = internal_close(self);
    kr_io_chain(t, v, tb);
    if (rc < 0) {
        Py_CLEAR(res);
    }
    return res;
}

static PyObject *
fileio_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    FileIO *self = (FileIO *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->fd = -1;
        self->seekable = -1;
        self->closefd = 1;
    }
    return (PyObject *)self;
}

/* Reads the mode string into the flags of `self`; open(2) flags or -1. */
static int
parse_mode(FileIO *self, const char *mode)
{
    int rwa = 0, plus = 0, flags = 0;
    self->created = self->readable = self->writable = self->appending = 0;
    self->seekable = -1;
    for (const char *s = mode; *s; s++) {
        switch (*s) {
        case 'x':
            self->created = self->writable = 1;
            flags |= O_EXCL | O_CREAT;
            rwa++;
            break;
        case 'r':
            self->readable = 1;
            rwa++;
            break;
        case 'w':
            self->writable = 1;
            flags |= O_CREAT | O_TRUNC;
            rwa++;
            break;
        case 'a':
            self->writable = self->appending = 1;
            flags |= O_APPEND | O_CREAT;
            rwa++;
            break;
        case 'b':
            break;
        case '+':
            self->readable = self->writable = 1;
            plus++;
            break;
        default:
            PyErr_Format(PyExc_ValueError, "invalid mode: %.200s", mode);
            return -1;
        }
    }
    if (rwa != 1 || plus > 1) {
        PyErr_SetString(PyExc_ValueError,
                        "Must have exactly one of create/read/write/append "
                        "mode and at most one plus");
        return -1;
    }
    flags |= self->readable && self->writable ? O_RDWR
             : self->readable                 ? O_RDONLY
                                              : O_WRONLY;
    return flags | O_CLOEXEC;
}

static int
open_by_name(PyObject *nameobj, const char *name, int flags)
{
    int fd, async_err = 0;
    do {
        Py_BEGIN_ALLOW_THREADS
        fd = open(name, flags, 0666);
        Py_END_ALLOW_THREADS
    } while (fd < 0 && errno == EINTR && !(async_err = PyErr_CheckSignals()));
    if (fd < 0 && !async_err) {
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, nameobj);
    }
    return fd;
}

static int
open_by_opener(PyObject *opener, PyObject *nameobj, int flags)
{
    PyObject *fdobj = PyObject_CallFunction(opener, "Oi", nameobj, flags);
    if (fdobj == NULL) {
        return -1;
    }
    if (!PyLong_Check(fdobj)) {
        Py_DECREF(fdobj);
        PyErr_SetString(PyExc_TypeError, "expected integer from opener");
        return -1;
    }
    int fd = _PyLong_AsInt(fdobj);
    Py_DECREF(fdobj);
    if (fd < 0) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "opener returned %d", fd);
        }
        return -1;
    }
    return _Py_set_inheritable(fd, 0, NULL) < 0 ? -1 : fd;
}

/* Learns the block size; directories are refused. */
static int
inspect(FileIO *self, PyObject *nameobj)
{
    struct stat st;
    int rc;
    self->blksize = IO_DEFAULT_BUFFER_SIZE;
    Py_BEGIN_ALLOW_THREADS
    rc = fstat(self->fd, &st);
    Py_END_ALLOW_THREADS
    if (rc < 0) {
        /* some special files can't be asked; a bad descriptor is an error */
        if (errno == EBADF) {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        return 0;
    }
    if (S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, nameobj);
        return -1;
    }
    if (st.st_blksize > 1) {
        self->blksize = (unsigned int)st.st_blksize;
    }
    return 0;
}

static PyObject *
do_seek(FileIO *self, PyObject *posobj, int whence, bool ignore_pipe)
{
    off_t pos = 0;
    if (posobj != NULL) {
        pos = kr_io_offset(posobj, NULL);
        if (pos == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    int fd = self->fd;
    Py_BEGIN_ALLOW_THREADS
    pos = lseek(fd, pos, whence);
    Py_END_ALLOW_THREADS
    if (self->seekable < 0) {
        self->seekable = pos >= 0;
    }
    if (pos < 0) {
        if (ignore_pipe && errno == ESPIPE) {
            pos = 0;
        }
        else {
            return PyErr_SetFromErrno(PyExc_OSError);
        }
    }
    return PyLong_FromLongLong(pos);
}

static int
fileio_open(FileIO *self, PyObject *nameobj, int fd, const char *name,
            const char *mode, int closefd, PyObject *opener)
{
    bool own = false;
    int flags = parse_mode(self, mode);
    if (flags < 0 || PySys_Audit("open", "Osi", nameobj, mode, flags) < 0) {
        goto fail;
    }
    if (fd >= 0) {
        self->fd = fd;
        self->closefd = closefd != 0;
    }
    else {
        self->closefd = 1;
        if (!closefd) {
            PyErr_SetString(PyExc_ValueError,
                            "Cannot use closefd=False with file name");
            goto fail;
        }
        self->fd = opener == Py_None ? open_by_name(nameobj, name, flags)
                                     : open_by_opener(opener, nameobj, flags);
        own = true;
        if (self->fd < 0) {
            goto fail;
        }
    }
    if (inspect(self, nameobj) < 0 ||
        PyObject_SetAttr((PyObject *)self, KR_ID(name), nameobj) < 0) {
        goto fail;
    }
    if (self->appending) {
        PyObject *pos = do_seek(self, NULL, SEEK_END, true);
        if (pos == NULL) {
            goto fail;
        }
        Py_DECREF(pos);
    }
    return 0;

fail:
    if (!own) {
        self->fd = -1;
    }
    if (self->fd >= 0) {
        PyObject *t, *v, *tb;
        PyErr_Fetch(&t, &v, &tb);
        internal_close(self);
        kr_io_chain(t, v, tb);
    }
    return -1;
}

static int
fileio_init(FileIO *self, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("FileIO", "file", "mode", "closefd", "opener");
    PyObject *a[4], *bytes = NULL;
    const char *mode = "r", *name = NULL;
    int closefd = 1;
    if (!kr_unpack_tuple(args, kwargs, &parser, 1, 4, 4, a)) {
        return -1;
    }
    if (a[1] != NULL) {
        Py_ssize_t len;
        if (!PyUnicode_Check(a[1])) {
            _PyArg_BadArgument("FileIO", "argument 'mode'", "str", a[1]);
            return -1;
        }
        mode = PyUnicode_AsUTF8AndSize(a[1], &len);
        if (mode == NULL) {
            return -1;
        }
        if (strlen(mode) != (size_t)len) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
            return -1;
        }
    }
    if (a[2] != NULL && !kr_arg_bool(a[2], &closefd)) {
        return -1;
    }
    if (self->fd >= 0) {
        if (self->closefd) {
            if (internal_close(self) < 0) {
                return -1;
            }
        }
        else {
            self->fd = -1;
        }
    }
    int fd = _PyLong_AsInt(a[0]);
    if (fd < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "negative file descriptor");
            return -1;
        }
        PyErr_Clear();
        if (!PyUnicode_FSConverter(a[0], &bytes)) {
            return -1;
        }
        name = PyBytes_AS_STRING(bytes);
    }
    int rc = fileio_open(self, a[0], fd, name, mode, closefd,
                         a[3] ? a[3] : Py_None);
    Py_XDECREF(bytes);
    return rc;
}

static int
fileio_traverse(FileIO *self, visitproc visit, void *arg)
{
    Py_VISIT(self->dict);
    return 0;
}

static int
fileio_clear(FileIO *self)
{
    Py_CLEAR(self->dict);
    return 0;
}

static void
fileio_dealloc(FileIO *self)
{
    self->finalizing = 1;
    if (kr_io_finalize((PyObject *)self) < 0) {
        return;
    }
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    Py_CLEAR(self->dict);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *
fileio_fileno(FileIO *self, PyObject *unused)
{
    return self->fd < 0 ? err_closed() : PyLong_FromLong(self->fd);
}

static PyObject *
fileio_readable(FileIO *self, PyObject *unused)
{
    return self->fd < 0 ? err_closed() : PyBool_FromLong(self->readable);
}

static PyObject *
fileio_writable(FileIO *self, PyObject *unused)
{
    return self->fd < 0 ? err_closed() : PyBool_FromLong(self->writable);
}

static PyObject *
fileio_seekable(FileIO *self, PyObject *unused)
{
    if (self->fd < 0) {
        return err_closed();
    }
    if (self->seekable < 0) {
        PyObject *pos = do_seek(self, NULL, SEEK_CUR, false);
        if (pos == NULL) {
            PyErr_Clear();
        }
        Py_XDECREF(pos);
    }
    return PyBool_FromLong(self->seekable);
}

static PyObject *
fileio_readinto(FileIO *self, PyObject *arg)
{
    Py_buffer buf;
    if (self->fd < 0) {
        return err_closed();
    }
    if (!self->readable) {
        return err_mode("reading");
    }
    if (PyObject_GetBuffer(arg, &buf, PyBUF_WRITABLE) < 0) {
        PyErr_Clear();
        _PyArg_BadArgument("readinto", "argument", "read-write bytes-like object",
                           arg);
        return NULL;
    }
    Py_ssize_t n = _Py_read(self->fd, buf.buf, (size_t)buf.len);
    int err = errno;
    PyBuffer_Release(&buf);
    if (n == -1) {
        if (err == EAGAIN) {
            PyErr_Clear();
            Py_RETURN_NONE;
        }
        return NULL;
    }
    return PyLong_FromSsize_t(n);
}

/* Size for the next step of readall: proportional, so that the total copying
 * stays linear. */
static size_t
bigger_buffer(size_t current)
{
    size_t add = current > 65536 ? current >> 3 : 256 + current;
    add = add < IO_DEFAULT_BUFFER_SIZE ? IO_DEFAULT_BUFFER_SIZE : add;
    return current + add;
}

static PyObject *
fileio_readall(FileIO *self, PyObject *unused)
{
    struct stat st;
    off_t pos, end;
    if (self->fd < 0) {
        return err_closed();
    }
    Py_BEGIN_ALLOW_THREADS
    pos = lseek(self->fd, 0, SEEK_CUR);
    end = fstat(self->fd, &st) == 0 ? st.st_size : -1;
    Py_END_ALLOW_THREADS
    size_t size = IO_DEFAULT_BUFFER_SIZE;
    if (end > 0 && end >= pos && pos >= 0 && end - pos < PY_SSIZE_T_MAX) {
        /* one more, so that a short read shows the end at once */
        size = (size_t)(end - pos) + 1;
    }
    PyObject *res = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    Py_ssize_t have = 0;
    if (res == NULL) {
        return NULL;
    }
    for (;;) {
        if (have >= (Py_ssize_t)size) {
            size = bigger_buffer((size_t)have);
            if (size > PY_SSIZE_T_MAX) {
                PyErr_SetString(PyExc_OverflowError,
                                "unbounded read returned more bytes than a "
                                "Python bytes object can hold");
                Py_DECREF(res);
                return NULL;
            }
            if (_PyBytes_Resize(&res, (Py_ssize_t)size) < 0) {
                return NULL;
            }
        }
        Py_ssize_t n = _Py_read(self->fd, PyBytes_AS_STRING(res) + have,
                                size - (size_t)have);
        if (n == 0) {
            break;
        }
        if (n == -1) {
            if (errno == EAGAIN) {
                PyErr_Clear();
                if (have > 0) {
                    break;
                }
                Py_DECREF(res);
                Py_RETURN_NONE;
            }
            Py_DECREF(res);
            return NULL;
        }
        have += n;
    }
    if (have < (Py_ssize_t)size) {
        _PyBytes_Resize(&res, have);
    }
    return res;
}

static PyObject *
fileio_read(FileIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t size = -1;
    if (!_PyArg_CheckPositional("read", nargs, 0, 1) ||
        (nargs && !kr_io_arg_size(args[0], &size))) {
        return NULL;
    }
    if (self->fd < 0) {
        return err_closed();
    }
    if (!self->readable) {
        return err_mode("reading");
    }
    if (size < 0) {
        return fileio_readall(self, NULL);
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL) {
        return NULL;
    }
    Py_ssize_t n = _Py_read(self->fd, PyBytes_AS_STRING(bytes), (size_t)size);
    if (n == -1) {
        int err = errno;
        Py_DECREF(bytes);
        if (err == EAGAIN) {
            PyErr_Clear();
            Py_RETURN_NONE;
        }
        return NULL;
    }
    if (n != size) {
        _PyBytes_Resize(&bytes, n);
    }
    return bytes;
}

static PyObject *
fileio_write(FileIO *self, PyObject *arg)
{
    Py_buffer buf;
    if (!kr_arg_buffer("write", "argument", arg, &buf)) {
        return NULL;
    }
    if (self->fd < 0 || !self->writable) {
        PyBuffer_Release(&buf);
        return self->fd < 0 ? err_closed() : err_mode("writing");
    }
    Py_ssize_t n = _Py_write(self->fd, buf.buf, (size_t)buf.len);
    int err = errno;
    PyBuffer_Release(&buf);
    if (n < 0) {
        if (err == EAGAIN) {
            PyErr_Clear();
            Py_RETURN_NONE;
        }
        return NULL;
    }
    return PyLong_FromSsize_t(n);
}

static PyObject *
fileio_seek(FileIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    int whence = 0;
    if (!_PyArg_CheckPositional("seek", nargs, 1, 2) ||
        (nargs > 1 && !kr_arg_int(args[1], &whence))) {
        return NULL;
    }
    return self->fd < 0 ? err_closed()
                        : do_seek(self, args[0], whence, false);
}

static PyObject *
fileio_tell(FileIO *self, PyObject *unused)
{
    return self->fd < 0 ? err_closed() : do_seek(self, NULL, SEEK_CUR, false);
}

static PyObject *
fileio_truncate(FileIO *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *posobj = nargs ? args[0] : Py_None;
    int rc;
    if (!_PyArg_CheckPositional("truncate", nargs, 0, 1)) {
        return NULL;
    }
    if (self->fd < 0) {
        return err_closed();
    }
    if (!self->writable) {
        return err_mode("writing");
    }
    posobj = posobj == Py_None ? do_seek(self, NULL, SEEK_CUR, false)
                               : Py_NewRef(posobj);
    if (posobj == NULL) {
        return NULL;
    }
    off_t pos = kr_io_offset(posobj, NULL);
    if (pos == -1 && PyErr_Occurred()) {
        Py_DECREF(posobj);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    errno = 0;
    rc = ftruncate(self->fd, pos);
    Py_END_ALLOW_THREADS
    if (rc != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_DECREF(posobj);
        return NULL;
    }
    return posobj;
}

static PyObject *
fileio_isatty(FileIO *self, PyObject *unused)
{
    long rc;
    if (self->fd < 0) {
        return err_closed();
    }
    Py_BEGIN_ALLOW_THREADS
    rc = isatty(self->fd);
    Py_END_ALLOW_THREADS
    return PyBool_FromLong(rc);
}

static const char *
mode_string(FileIO *self)
{
    if (self->created) {
        return self->readable ? "xb+" : "xb";
    }
    if (self->appending) {
        return self->readable ? "ab+" : "ab";
    }
    if (self->readable) {
        return self->writable ? "rb+" : "rb";
    }
    return "wb";
}

static PyObject *
fileio_repr(FileIO *self)
{
    PyObject *name, *res = NULL;
    const char *closefd = self->closefd ? "True" : "False";
    if (self->fd < 0) {
        return PyUnicode_FromFormat("<_io.FileIO [closed]>");
    }
    if (_PyObject_LookupAttr((PyObject *)self, KR_ID(name), &name) < 0) {
        return NULL;
    }
    if (name == NULL) {
        return PyUnicode_FromFormat("<_io.FileIO fd=%d mode='%s' closefd=%s>",
                                    self->fd, mode_string(self), closefd);
    }
    int status = Py_ReprEnter((PyObject *)self);
    if (status == 0) {
        res = PyUnicode_FromFormat(
            "<_io.FileIO name=%R mode='%s' closefd=%s>", name,
            mode_string(self), closefd);
        Py_ReprLeave((PyObject *)self);
    }
    else if (status > 0) {
        PyErr_Format(PyExc_RuntimeError,
                     "reentrant call inside %s.__repr__",
                     Py_TYPE(self)->tp_name);
    }
    Py_DECREF(name);
    return res;
}

bool
kr_io_fileio_is_plain(PyObject *raw)
{
    /* the dictionary holds "name"; more may shadow a method */
    FileIO *self = (FileIO *)raw;
    return Py_IS_TYPE(raw, &kr_FileIO_Type) &&
           (self->dict == NULL || PyDict_GET_SIZE(self->dict) <= 1);
}

bool
kr_io_fileio_is_closed(PyObject *raw)
{
    return ((FileIO *)raw)->fd < 0;
}

/* Turns the error of a call that would block into -2. */
static Py_ssize_t
would_block(Py_ssize_t n)
{
    if (n == -1 && errno == EAGAIN) {
        PyErr_Clear();
        errno = EAGAIN;
        return -2;
    }
    return n;
}

Py_ssize_t
kr_io_fileio_read_into(PyObject *raw, char *buf, Py_ssize_t size)
{
    FileIO *self = (FileIO *)raw;
    if (self->fd < 0 || !self->readable) {
        self->fd < 0 ? err_closed() : err_mode("reading");
        return -1;
    }
    return would_block(_Py_read(self->fd, buf, (size_t)size));
}

Py_ssize_t
kr_io_fileio_write_from(PyObject *raw, const char *buf, Py_ssize_t size)
{
    FileIO *self = (FileIO *)raw;
    if (self->fd < 0 || !self->writable) {
        self->fd < 0 ? err_closed() : err_mode("writing");
        return -1;
    }
    return would_block(_Py_write(self->fd, buf, (size_t)size));
}

static PyObject *
fileio_get_closed(FileIO *self, void *closure)
{
    return PyBool_FromLong(self->fd < 0);
}

static PyObject *
fileio_get_closefd(FileIO *self, void *closure)
{
    return PyBool_FromLong(self->closefd);
}

static PyObject *
fileio_get_mode(FileIO *self, void *closure)
{
    return PyUnicode_FromString(mode_string(self));
}

static PyMethodDef fileio_methods[] = {
    {"read", KR_CAST(fileio_read), METH_FASTCALL,
     "read($self, size=-1, /)\n--\n\n"
     "Read at most size bytes in one system call; None if it would block."},
    {"readall", (PyCFunction)fileio_readall, METH_NOARGS,
     "readall($self, /)\n--\n\nRead all data up to the end."},
    {"readinto", (PyCFunction)fileio_readinto, METH_O,
     "readinto($self, buffer, /)\n--\n\nRead into a writable buffer."},
    {"write", (PyCFunction)fileio_write, METH_O,
     "write($self, b, /)\n--\n\n"
     "Write bytes; gives how many were taken, None if it would block."},
    {"seek", KR_CAST(fileio_seek), METH_FASTCALL,
     "seek($self, pos, whence=0, /)\n--\n\nMove the position."},
    {"tell", (PyCFunction)fileio_tell, METH_NOARGS,
     "tell($self, /)\n--\n\nThe position."},
    {"truncate", KR_CAST(fileio_truncate), METH_FASTCALL,
     "truncate($self, size=None, /)\n--\n\n"
     "Set the size, by default to the position."},
    {"close", (PyCFunction)fileio_close, METH_NOARGS,
     "close($self, /)\n--\n\nClose the file."},
    {"seekable", (PyCFunction)fileio_seekable, METH_NOARGS,
     "seekable($self, /)\n--\n\nTrue if the file has random access."},
    {"readable", (PyCFunction)fileio_readable, METH_NOARGS,
     "readable($self, /)\n--\n\nTrue if opened for reading."},
    {"writable", (PyCFunction)fileio_writable, METH_NOARGS,
     "writable($self, /)\n--\n\nTrue if opened for writing."},
    {"fileno", (PyCFunction)fileio_fileno, METH_NOARGS,
     "fileno($self, /)\n--\n\nThe file descriptor."},
    {"isatty", (PyCFunction)fileio_isatty, METH_NOARGS,
     "isatty($self, /)\n--\n\nTrue if the file is a terminal."},
    {"_dealloc_warn", kr_io_fileio_dealloc_warn, METH_O, NULL},
    {NULL},
};

static PyGetSetDef fileio_getset[] = {
    {"closed", (getter)fileio_get_closed, NULL,
     "True if the file is closed"},
    {"closefd", (getter)fileio_get_closefd, NULL,
     "True if the descriptor is closed with the file"},
    {"mode", (getter)fileio_get_mode, NULL, "the mode of the file"},
    {NULL},
};

static PyMemberDef fileio_members[] = {
    {"_blksize", T_UINT, offsetof(FileIO, blksize), 0, NULL},
    {"_finalizing", T_BOOL, offsetof(FileIO, finalizing), 0, NULL},
    {NULL},
};

PyTypeObject kr_FileIO_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_io.FileIO",
    .tp_base = &kr_RawIOBase_Type,
    .tp_basicsize = sizeof(FileIO),
    .tp_dealloc = (destructor)fileio_dealloc,
    .tp_repr = (reprfunc)fileio_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "FileIO(file, mode='r', closefd=True, opener=None)\n--\n\n"
              "A raw stream over a file, by name or descriptor.",
    .tp_traverse = (traverseproc)fileio_traverse,
    .tp_clear = (inquiry)fileio_clear,
    .tp_weaklistoffset = offsetof(FileIO, weakrefs),
    .tp_methods = fileio_methods,
    .tp_members = fileio_members,
    .tp_getset = fileio_getset,
    .tp_dictoffset = offsetof(FileIO, dict),
    .tp_init = (initproc)fileio_init,
    .tp_new = fileio_new,
};
