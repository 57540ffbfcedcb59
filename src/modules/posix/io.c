/* Moving bytes through descriptors: read, write, vectors, sendfile, splice. */
#include "modules/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

/* Gives the first `n` bytes of `buffer`, which it steals. */
static PyObject *
shrunk(PyObject *buffer, Py_ssize_t n)
{
    if (n != PyBytes_GET_SIZE(buffer)) {
        _PyBytes_Resize(&buffer, n);
    }
    return buffer;
}

static PyObject *
os_read(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd;
    Py_ssize_t length;
    if (!_PyArg_CheckPositional("read", nargs, 2, 2) ||
        !kr_arg_int(args[0], &fd) || !kr_arg_ssize(args[1], &length)) {
        return NULL;
    }
    if (length < 0) {
        errno = EINVAL;
        return kr_posix_error();
    }
    PyObject *buffer = PyBytes_FromStringAndSize(NULL, length);
    if (buffer == NULL) {
        return NULL;
    }
    Py_ssize_t n = _Py_read(fd, PyBytes_AS_STRING(buffer), (size_t)length);
    if (n == -1) {
        Py_DECREF(buffer);
        return NULL;
    }
    return shrunk(buffer, n);
}

static PyObject *
os_pread(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd, length, async_err = 0;
    long long offset;
    Py_ssize_t n;
    if (!_PyArg_CheckPositional("pread", nargs, 3, 3) ||
        !kr_arg_int(args[0], &fd) || !kr_arg_int(args[1], &length) ||
        !kr_arg_longlong(args[2], &offset)) {
        return NULL;
    }
    if (length < 0) {
        errno = EINVAL;
        return kr_posix_error();
    }
    PyObject *buffer = PyBytes_FromStringAndSize(NULL, length);
    if (buffer == NULL) {
        return NULL;
    }
    POSIX_RETRY(n, pread(fd, PyBytes_AS_STRING(buffer), (size_t)length,
                         offset));
    if (n < 0) {
        Py_DECREF(buffer);
        return async_err ? NULL : kr_posix_error();
    }
    return shrunk(buffer, n);
}

static PyObject *
os_write(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd;
    Py_buffer data;
    if (!_PyArg_CheckPositional("write", nargs, 2, 2) ||
        !kr_arg_int(args[0], &fd) ||
        !kr_arg_buffer("write", "argument 2", args[1], &data)) {
        return NULL;
    }
    Py_ssize_t n = _Py_write(fd, data.buf, (size_t)data.len);
    PyBuffer_Release(&data);
    return n == -1 ? NULL : PyLong_FromSsize_t(n);
}

static PyObject *
os_pwrite(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd, async_err = 0;
    long long offset;
    Py_buffer data;
    Py_ssize_t n;
    if (!_PyArg_CheckPositional("pwrite", nargs, 3, 3) ||
        !kr_arg_int(args[0], &fd) ||
        !kr_arg_buffer("pwrite", "argument 2", args[1], &data)) {
        return NULL;
    }
    if (!kr_arg_longlong(args[2], &offset)) {
        PyBuffer_Release(&data);
        return NULL;
    }
    POSIX_RETRY(n, pwrite(fd, data.buf, (size_t)data.len, offset));
    PyBuffer_Release(&data);
    if (n < 0) {
        return async_err ? NULL : kr_posix_error();
    }
    return PyLong_FromSsize_t(n);
}

/* The buffers of one vector call. */
struct vectors {
    struct iovec *iov;
    Py_buffer *buf;
    int count;
};

static void
vectors_release(struct vectors *v)
{
    for (int i = 0; i < v->count; i++) {
        PyBuffer_Release(&v->buf[i]);
    }
    PyMem_Free(v->iov);
    PyMem_Free(v->buf);
}

static bool
vectors_take(struct vectors *v, PyObject *seq, const char *function, int type)
{
    *v = (struct vectors){NULL, NULL, 0};
    if (!PySequence_Check(seq)) {
        PyErr_Format(PyExc_TypeError, "%s() arg 2 must be a sequence",
                     function);
        return false;
    }
    Py_ssize_t n = PySequence_Size(seq);
    if (n < 0) {
        return false;
    }
    if (n > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "too many buffers");
        return false;
    }
    v->iov = PyMem_New(struct iovec, n);
    v->buf = PyMem_New(Py_buffer, n);
    if (v->iov == NULL || v->buf == NULL) {
        PyErr_NoMemory();
        vectors_release(v);
        return false;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(seq, i);
        if (item == NULL ||
            PyObject_GetBuffer(item, &v->buf[i], type) == -1) {
            Py_XDECREF(item);
            vectors_release(v);
            return false;
        }
        Py_DECREF(item);
        v->iov[i].iov_base = v->buf[i].buf;
        v->iov[i].iov_len = (size_t)v->buf[i].len;
        v->count++;
    }
    return true;
}

typedef ssize_t (*vector_call)(int, const struct iovec *, int);
typedef ssize_t (*vector_at_call)(int, const struct iovec *, int, off_t, int);

static PyObject *
do_vector(const char *name, vector_call call, int type,
          PyObject *const *args, Py_ssize_t nargs)
{
    int fd, async_err = 0;
    struct vectors v;
    Py_ssize_t n;
    if (!_PyArg_CheckPositional(name, nargs, 2, 2) ||
        !kr_arg_int(args[0], &fd) || !vectors_take(&v, args[1], name, type)) {
        return NULL;
    }
    POSIX_RETRY(n, call(fd, v.iov, v.count));
    int err = errno;
    vectors_release(&v);
    errno = err;
    if (n < 0) {
        return async_err ? NULL : kr_posix_error();
    }
    return PyLong_FromSsize_t(n);
}

static PyObject *
do_vector_at(const char *name, vector_at_call call, int type,
             PyObject *const *args, Py_ssize_t nargs)
{
    int fd, flags = 0, async_err = 0;
    long long offset;
    struct vectors v;
    Py_ssize_t n;
    if (!_PyArg_CheckPositional(name, nargs, 3, 4) ||
        !kr_arg_int(args[0], &fd) || !kr_arg_longlong(args[2], &offset) ||
        (nargs > 3 && !kr_arg_int(args[3], &flags)) ||
        !vectors_take(&v, args[1], name, type)) {
        return NULL;
    }
    POSIX_RETRY(n, call(fd, v.iov, v.count, offset, flags));
    int err = errno;
    vectors_release(&v);
    errno = err;
    if (n < 0) {
        return async_err ? NULL : kr_posix_error();
    }
    return PyLong_FromSsize_t(n);
}

static PyObject *
os_readv(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return do_vector("readv", readv, PyBUF_WRITABLE, args, nargs);
}

static PyObject *
os_writev(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return do_vector("writev", writev, PyBUF_SIMPLE, args, nargs);
}

static PyObject *
os_preadv(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return do_vector_at("preadv", preadv2, PyBUF_WRITABLE, args, nargs);
}

static PyObject *
os_pwritev(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return do_vector_at("pwritev", pwritev2, PyBUF_SIMPLE, args, nargs);
}

static PyObject *
os_sendfile(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("sendfile", "out_fd", "in_fd", "offset", "count");
    PyObject *a[4];
    int out, in, async_err = 0;
    long long at = 0;
    Py_ssize_t count, n;
    if (!kr_unpack(args, nargs, kwnames, &parser, 4, 4, 4, a) ||
        !kr_arg_int(a[0], &out) || !kr_arg_int(a[1], &in) ||
        (a[2] != Py_None && !kr_arg_longlong(a[2], &at)) ||
        !kr_arg_ssize(a[3], &count)) {
        return NULL;
    }
    off_t offset = at;
    POSIX_RETRY(n, sendfile(out, in, a[2] == Py_None ? NULL : &offset,
                            (size_t)count));
    if (n < 0) {
        return async_err ? NULL : kr_posix_error();
    }
    return PyLong_FromSsize_t(n);
}

/* An optional offset of copy_file_range and splice. */
static bool
arg_offset(PyObject *o, off_t *value, off_t **where)
{
    long long v;
    *where = NULL;
    if (o == NULL || o == Py_None) {
        return true;
    }
    if (!kr_arg_longlong(o, &v)) {
        return false;
    }
    *value = v;
    *where = value;
    return true;
}

static PyObject *
os_copy_file_range(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("copy_file_range", "src", "dst", "count", "offset_src",
              "offset_dst");
    PyObject *a[5];
    int src, dst, async_err = 0;
    Py_ssize_t count, n;
    off_t at_src, at_dst, *p_src, *p_dst;
    if (!kr_unpack(args, nargs, kwnames, &parser, 3, 5, 5, a) ||
        !kr_arg_int(a[0], &src) || !kr_arg_int(a[1], &dst) ||
        !kr_arg_ssize(a[2], &count)) {
        return NULL;
    }
    if (count < 0) {
        PyErr_SetString(PyExc_ValueError,
                        "negative value for 'count' not allowed");
        return NULL;
    }
    if (!arg_offset(a[3], &at_src, &p_src) ||
        !arg_offset(a[4], &at_dst, &p_dst)) {
        return NULL;
    }
    POSIX_RETRY(n, copy_file_range(src, p_src, dst, p_dst, (size_t)count, 0));
    if (n < 0) {
        return async_err ? NULL : kr_posix_error();
    }
    return PyLong_FromSsize_t(n);
}

static PyObject *
os_splice(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("splice", "src", "dst", "count", "offset_src", "offset_dst",
              "flags");
    PyObject *a[6];
    int src, dst, async_err = 0;
    unsigned int flags = 0;
    Py_ssize_t count, n;
    off_t at_src, at_dst, *p_src, *p_dst;
    if (!kr_unpack(args, nargs, kwnames, &parser, 3, 6, 6, a) ||
        !kr_arg_int(a[0], &src) || !kr_arg_int(a[1], &dst) ||
        !kr_arg_ssize(a[2], &count)) {
        return NULL;
    }
    if (count < 0) {
        PyErr_SetString(PyExc_ValueError,
                        "negative value for 'count' not allowed");
        return NULL;
    }
    if (!arg_offset(a[3], &at_src, &p_src) ||
        !arg_offset(a[4], &at_dst, &p_dst) ||
        (a[5] != NULL && !_PyLong_UnsignedInt_Converter(a[5], &flags))) {
        return NULL;
    }
    POSIX_RETRY(n, splice(src, p_src, dst, p_dst, (size_t)count, flags));
    if (n < 0) {
        return async_err ? NULL : kr_posix_error();
    }
    return PyLong_FromSsize_t(n);
}

PyMethodDef kr_posix_io_methods[] = {
    {"read", KR_CAST(os_read), METH_FASTCALL,
     "read($module, fd, length, /)\n--\n\nRead from a descriptor."},
    {"pread", KR_CAST(os_pread), METH_FASTCALL,
     "pread($module, fd, length, offset, /)\n--\n\n"
     "Read at an offset, leaving the file position alone."},
    {"write", KR_CAST(os_write), METH_FASTCALL,
     "write($module, fd, data, /)\n--\n\n"
     "Write to a descriptor; gives the number of bytes written."},
    {"pwrite", KR_CAST(os_pwrite), METH_FASTCALL,
     "pwrite($module, fd, buffer, offset, /)\n--\n\n"
     "Write at an offset, leaving the file position alone."},
    {"readv", KR_CAST(os_readv), METH_FASTCALL,
     "readv($module, fd, buffers, /)\n--\n\n"
     "Read into several writable buffers."},
    {"writev", KR_CAST(os_writev), METH_FASTCALL,
     "writev($module, fd, buffers, /)\n--\n\nWrite several buffers."},
    {"preadv", KR_CAST(os_preadv), METH_FASTCALL,
     "preadv($module, fd, buffers, offset, flags=0, /)\n--\n\n"
     "Read into several buffers at an offset."},
    {"pwritev", KR_CAST(os_pwritev), METH_FASTCALL,
     "pwritev($module, fd, buffers, offset, flags=0, /)\n--\n\n"
     "Write several buffers at an offset."},
    {"sendfile", KR_CAST(os_sendfile), KR_FAST,
     "sendfile($module, /, out_fd, in_fd, offset, count)\n--\n\n"
     "Copy bytes between descriptors inside the kernel."},
    {"copy_file_range", KR_CAST(os_copy_file_range), KR_FAST,
     "copy_file_range($module, /, src, dst, count, offset_src=None,\n"
     "                offset_dst=None)\n--\n\n"
     "Copy bytes between two files inside the kernel."},
    {"splice", KR_CAST(os_splice), KR_FAST,
     "splice($module, /, src, dst, count, offset_src=None, "
     "offset_dst=None,\n       flags=0)\n--\n\n"
     "Move bytes between two descriptors, one of them a pipe."},
    {NULL},
};
