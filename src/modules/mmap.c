/* The `mmap` module: files and anonymous memory as mutable bytes. */
#include <Python.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <structmember.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modules/kwargs.h"
#include "runtime/fileutils.h"

enum { ACCESS_DEFAULT, ACCESS_READ, ACCESS_WRITE, ACCESS_COPY };

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"ACCESS_COPY", ACCESS_COPY},
    {"ACCESS_DEFAULT", ACCESS_DEFAULT},
    {"ACCESS_READ", ACCESS_READ},
    {"ACCESS_WRITE", ACCESS_WRITE},
    {"MADV_DODUMP", MADV_DODUMP},
    {"MADV_DOFORK", MADV_DOFORK},
    {"MADV_DONTDUMP", MADV_DONTDUMP},
    {"MADV_DONTFORK", MADV_DONTFORK},
    {"MADV_DONTNEED", MADV_DONTNEED},
    {"MADV_FREE", MADV_FREE},
    {"MADV_HUGEPAGE", MADV_HUGEPAGE},
    {"MADV_HWPOISON", MADV_HWPOISON},
    {"MADV_MERGEABLE", MADV_MERGEABLE},
    {"MADV_NOHUGEPAGE", MADV_NOHUGEPAGE},
    {"MADV_NORMAL", MADV_NORMAL},
    {"MADV_RANDOM", MADV_RANDOM},
    {"MADV_REMOVE", MADV_REMOVE},
    {"MADV_SEQUENTIAL", MADV_SEQUENTIAL},
    {"MADV_UNMERGEABLE", MADV_UNMERGEABLE},
    {"MADV_WILLNEED", MADV_WILLNEED},
    {"MAP_ANON", MAP_ANON},
    {"MAP_ANONYMOUS", MAP_ANONYMOUS},
    {"MAP_DENYWRITE", MAP_DENYWRITE},
    {"MAP_EXECUTABLE", MAP_EXECUTABLE},
    {"MAP_POPULATE", MAP_POPULATE},
    {"MAP_PRIVATE", MAP_PRIVATE},
    {"MAP_SHARED", MAP_SHARED},
    {"MAP_STACK", MAP_STACK},
    {"PROT_EXEC", PROT_EXEC},
    {"PROT_READ", PROT_READ},
    {"PROT_WRITE", PROT_WRITE},
};

typedef struct {
    PyObject_HEAD
    char *data; /* NULL: closed */
    Py_ssize_t size;
    Py_ssize_t pos;
    off_t offset;
    Py_ssize_t exports;
    PyObject *weakrefs;
    int fd; /* our duplicate, -1: anonymous */
    int access;
} MMap;

static bool
is_valid(MMap *self)
{
    if (self->data == NULL) {
        PyErr_SetString(PyExc_ValueError, "mmap closed or invalid");
        return false;
    }
    return true;
}

static bool
is_writable(MMap *self)
{
    if (self->access == ACCESS_READ) {
        PyErr_SetString(PyExc_TypeError,
                        "mmap can't modify a readonly memory map.");
        return false;
    }
    return true;
}

static bool
is_resizeable(MMap *self)
{
    if (self->exports > 0) {
        PyErr_SetString(PyExc_BufferError,
                        "mmap can't resize with extant pointers exported.");
        return false;
    }
    if (self->access == ACCESS_WRITE || self->access == ACCESS_DEFAULT) {
        return true;
    }
    PyErr_SetString(PyExc_TypeError,
                    "mmap can't resize a readonly or copy-on-write memory "
                    "map.");
    return false;
}

static void
unmap(MMap *self)
{
    char *data = self->data;
    int fd = self->fd;
    size_t size = (size_t)self->size;
    self->data = NULL;
    self->fd = -1;
    Py_BEGIN_ALLOW_THREADS
    if (fd >= 0) {
        (void)close(fd);
    }
    if (data != NULL) {
        munmap(data, size);
    }
    Py_END_ALLOW_THREADS
}

static void
mmap_dealloc(MMap *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    unmap(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static int
mmap_traverse(MMap *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static PyObject *
mmap_close(MMap *self, PyObject *unused)
{
    if (self->exports > 0) {
        PyErr_SetString(PyExc_BufferError,
                        "cannot close exported pointers exist");
        return NULL;
    }
    unmap(self);
    Py_RETURN_NONE;
}

static PyObject *
mmap_read_byte(MMap *self, PyObject *unused)
{
    if (!is_valid(self)) {
        return NULL;
    }
    if (self->pos >= self->size) {
        PyErr_SetString(PyExc_ValueError, "read byte out of range");
        return NULL;
    }
    return PyLong_FromLong((unsigned char)self->data[self->pos++]);
}

static PyObject *
take(MMap *self, Py_ssize_t n)
{
    PyObject *res = PyBytes_FromStringAndSize(self->data + self->pos, n);
    if (res != NULL) {
        self->pos += n;
    }
    return res;
}

static PyObject *
mmap_readline(MMap *self, PyObject *unused)
{
    if (!is_valid(self)) {
        return NULL;
    }
    Py_ssize_t left = self->pos < self->size ? self->size - self->pos : 0;
    if (!left) {
        return PyBytes_FromString("");
    }
    const char *start = self->data + self->pos;
    const char *nl = memchr(start, '\n', (size_t)left);
    return take(self, nl ? nl - start + 1 : left);
}

static PyObject *
mmap_read(MMap *self, PyObject *args)
{
    Py_ssize_t n = PY_SSIZE_T_MAX;
    if (!is_valid(self) ||
        !PyArg_ParseTuple(args, "|O&:read", _Py_convert_optional_to_ssize_t,
                          &n) ||
        !is_valid(self)) {
        return NULL;
    }
    Py_ssize_t left = self->pos < self->size ? self->size - self->pos : 0;
    return take(self, n < 0 || n > left ? left : n);
}

static PyObject *
find(MMap *self, PyObject *args, bool reverse)
{
    Py_ssize_t start = self->pos, end = self->size, found = -1;
    Py_buffer view;
    if (!is_valid(self) ||
        !PyArg_ParseTuple(args, reverse ? "y*|nn:rfind" : "y*|nn:find",
                          &view, &start, &end)) {
        return NULL;
    }
    if (!is_valid(self)) {
        PyBuffer_Release(&view);
        return NULL;
    }
    start = start < 0 ? Py_MAX(start + self->size, 0)
                      : Py_MIN(start, self->size);
    end = end < 0 ? Py_MAX(end + self->size, 0) : Py_MIN(end, self->size);
    Py_ssize_t n = view.len;
    const char *data = self->data;
    if (end - start >= n) {
        if (n == 0) {
            found = reverse ? end : start;
        }
        else if (!reverse) {
            const char *p = memmem(data + start, (size_t)(end - start),
                                   view.buf, (size_t)n);
            found = p ? p - data : -1;
        }
        else {
            for (Py_ssize_t i = end - n; i >= start && found < 0; i--) {
                if (memcmp(data + i, view.buf, (size_t)n) == 0) {
                    found = i;
                }
            }
        }
    }
    PyBuffer_Release(&view);
    return PyLong_FromSsize_t(found);
}

static PyObject *
mmap_find(MMap *self, PyObject *args)
{
    return find(self, args, false);
}

static PyObject *
mmap_rfind(MMap *self, PyObject *args)
{
    return find(self, args, true);
}

static PyObject *
mmap_write(MMap *self, PyObject *args)
{
    Py_buffer data;
    if (!is_valid(self) || !PyArg_ParseTuple(args, "y*:write", &data)) {
        return NULL;
    }
    PyObject *res = NULL;
    if (is_writable(self) && is_valid(self)) {
        if (self->pos > self->size || self->size - self->pos < data.len) {
            PyErr_SetString(PyExc_ValueError, "data out of range");
        }
        else {
            memcpy(self->data + self->pos, data.buf, (size_t)data.len);
            self->pos += data.len;
            res = PyLong_FromSsize_t(data.len);
        }
    }
    PyBuffer_Release(&data);
    return res;
}

static PyObject *
mmap_write_byte(MMap *self, PyObject *args)
{
    unsigned char value;
    if (!is_valid(self) || !PyArg_ParseTuple(args, "b:write_byte", &value) ||
        !is_writable(self) || !is_valid(self)) {
        return NULL;
    }
    if (self->pos >= self->size) {
        PyErr_SetString(PyExc_ValueError, "write byte out of range");
        return NULL;
    }
    self->data[self->pos++] = (char)value;
    Py_RETURN_NONE;
}

static PyObject *
mmap_size(MMap *self, PyObject *unused)
{
    struct stat st;
    if (!is_valid(self)) {
        return NULL;
    }
    if (_Py_fstat(self->fd, &st) == -1) {
        return NULL;
    }
    return PyLong_FromLongLong(st.st_size);
}

static PyObject *
mmap_resize(MMap *self, PyObject *args)
{
    Py_ssize_t size;
    if (!is_valid(self) || !PyArg_ParseTuple(args, "n:resize", &size) ||
        !is_resizeable(self)) {
        return NULL;
    }
    if (size < 0 || PY_SSIZE_T_MAX - size < self->offset) {
        PyErr_SetString(PyExc_ValueError, "new size out of range");
        return NULL;
    }
    if (self->fd != -1 && ftruncate(self->fd, self->offset + size) == -1) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    void *map =
        mremap(self->data, (size_t)self->size, (size_t)size, MREMAP_MAYMOVE);
    if (map == MAP_FAILED) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    self->data = map;
    self->size = size;
    Py_RETURN_NONE;
}

static PyObject *
mmap_tell(MMap *self, PyObject *unused)
{
    return is_valid(self) ? PyLong_FromSsize_t(self->pos) : NULL;
}

static PyObject *
mmap_flush(MMap *self, PyObject *args)
{
    Py_ssize_t offset = 0, size = self->size;
    if (!is_valid(self) ||
        !PyArg_ParseTuple(args, "|nn:flush", &offset, &size)) {
        return NULL;
    }
    if (size < 0 || offset < 0 || self->size - offset < size) {
        PyErr_SetString(PyExc_ValueError, "flush values out of range");
        return NULL;
    }
    if (self->access == ACCESS_READ || self->access == ACCESS_COPY) {
        Py_RETURN_NONE;
    }
    if (msync(self->data + offset, (size_t)size, MS_SYNC) == -1) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

static PyObject *
mmap_seek(MMap *self, PyObject *args)
{
    Py_ssize_t dist, base;
    int how = 0;
    if (!is_valid(self) || !PyArg_ParseTuple(args, "n|i:seek", &dist, &how) ||
        !is_valid(self)) {
        return NULL;
    }
    switch (how) {
    case 0:
        base = 0;
        break;
    case 1:
        base = self->pos;
        break;
    case 2:
        base = self->size;
        break;
    default:
        PyErr_SetString(PyExc_ValueError, "unknown seek type");
        return NULL;
    }
    if (dist > PY_SSIZE_T_MAX - base || base + dist > self->size ||
        base + dist < 0) {
        PyErr_SetString(PyExc_ValueError, "seek out of range");
        return NULL;
    }
    self->pos = base + dist;
    Py_RETURN_NONE;
}

static PyObject *
mmap_move(MMap *self, PyObject *args)
{
    Py_ssize_t dest, src, n;
    if (!is_valid(self) ||
        !PyArg_ParseTuple(args, "nnn:move", &dest, &src, &n) ||
        !is_writable(self) || !is_valid(self)) {
        return NULL;
    }
    if (dest < 0 || src < 0 || n < 0 || self->size - dest < n ||
        self->size - src < n) {
        PyErr_SetString(PyExc_ValueError,
                        "source, destination, or count out of range");
        return NULL;
    }
    memmove(self->data + dest, self->data + src, (size_t)n);
    Py_RETURN_NONE;
}

static PyObject *
mmap_madvise(MMap *self, PyObject *args)
{
    int option;
    Py_ssize_t start = 0, length;
    if (!is_valid(self)) {
        return NULL;
    }
    length = self->size;
    if (!PyArg_ParseTuple(args, "i|nn:madvise", &option, &start, &length) ||
        !is_valid(self)) {
        return NULL;
    }
    if (start < 0 || start >= self->size) {
        PyErr_SetString(PyExc_ValueError, "madvise start out of bounds");
        return NULL;
    }
    if (length < 0) {
        PyErr_SetString(PyExc_ValueError, "madvise length invalid");
        return NULL;
    }
    if (PY_SSIZE_T_MAX - start < length) {
        PyErr_SetString(PyExc_OverflowError, "madvise length too large");
        return NULL;
    }
    length = Py_MIN(length, self->size - start);
    if (madvise(self->data + start, (size_t)length, option) != 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

static PyObject *
mmap_enter(MMap *self, PyObject *unused)
{
    return is_valid(self) ? Py_NewRef(self) : NULL;
}

static PyObject *
mmap_exit(PyObject *self, PyObject *args)
{
    return PyObject_CallMethod(self, "close", NULL);
}

static PyObject *
mmap_get_closed(MMap *self, void *closure)
{
    return PyBool_FromLong(self->data == NULL);
}

static PyObject *
mmap_repr(MMap *self)
{
    static const char *const names[] = {"ACCESS_DEFAULT", "ACCESS_READ",
                                        "ACCESS_WRITE", "ACCESS_COPY"};
    const char *type = Py_TYPE(self)->tp_name;
    const char *access = names[self->access];
    if (self->data == NULL) {
        return PyUnicode_FromFormat("<%s closed=True>", type);
    }
    return PyUnicode_FromFormat(
        "<%s closed=False, access=%s, length=%zd, pos=%zd, offset=%lld>",
        type, access, self->size, self->pos, (long long)self->offset);
}

static int
mmap_getbuffer(MMap *self, Py_buffer *view, int flags)
{
    if (!is_valid(self) ||
        PyBuffer_FillInfo(view, (PyObject *)self, self->data, self->size,
                          self->access == ACCESS_READ, flags) < 0) {
        return -1;
    }
    self->exports++;
    return 0;
}

static void
mmap_releasebuffer(MMap *self, Py_buffer *view)
{
    self->exports--;
}

static Py_ssize_t
mmap_length(MMap *self)
{
    return is_valid(self) ? self->size : -1;
}

static PyObject *
mmap_item(MMap *self, Py_ssize_t i)
{
    if (!is_valid(self)) {
        return NULL;
    }
    if (i < 0 || i >= self->size) {
        PyErr_SetString(PyExc_IndexError, "mmap index out of range");
        return NULL;
    }
    return PyBytes_FromStringAndSize(self->data + i, 1);
}

static PyObject *
mmap_subscript(MMap *self, PyObject *item)
{
    Py_ssize_t start, stop, step, len;
    if (!is_valid(self)) {
        return NULL;
    }
    if (PyIndex_Check(item)) {
        Py_ssize_t i = PyNumber_AsSsize_t(item, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        i = i < 0 ? i + self->size : i;
        if (i < 0 || i >= self->size) {
            PyErr_SetString(PyExc_IndexError, "mmap index out of range");
            return NULL;
        }
        return is_valid(self) ? PyLong_FromLong((unsigned char)self->data[i])
                              : NULL;
    }
    if (!PySlice_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "mmap indices must be integers");
        return NULL;
    }
    if (PySlice_Unpack(item, &start, &stop, &step) < 0) {
        return NULL;
    }
    len = PySlice_AdjustIndices(self->size, &start, &stop, step);
    if (!is_valid(self)) {
        return NULL;
    }
    if (len <= 0) {
        return PyBytes_FromStringAndSize("", 0);
    }
    if (step == 1) {
        return PyBytes_FromStringAndSize(self->data + start, len);
    }
    PyObject *res = PyBytes_FromStringAndSize(NULL, len);
    for (Py_ssize_t i = 0; res != NULL && i < len; i++) {
        PyBytes_AS_STRING(res)[i] = self->data[start + i * step];
    }
    return res;
}

static int
mmap_ass_item(MMap *self, Py_ssize_t i, PyObject *v)
{
    if (!is_valid(self)) {
        return -1;
    }
    if (i < 0 || i >= self->size) {
        PyErr_SetString(PyExc_IndexError, "mmap index out of range");
        return -1;
    }
    if (v == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "mmap object doesn't support item deletion");
        return -1;
    }
    if (!PyBytes_Check(v) || PyBytes_GET_SIZE(v) != 1) {
        PyErr_SetString(PyExc_IndexError,
                        "mmap assignment must be length-1 bytes()");
        return -1;
    }
    if (!is_writable(self)) {
        return -1;
    }
    self->data[i] = PyBytes_AS_STRING(v)[0];
    return 0;
}

static int
set_index(MMap *self, PyObject *item, PyObject *value)
{
    Py_ssize_t i = PyNumber_AsSsize_t(item, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) {
        return -1;
    }
    i = i < 0 ? i + self->size : i;
    if (i < 0 || i >= self->size) {
        PyErr_SetString(PyExc_IndexError, "mmap index out of range");
        return -1;
    }
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "mmap doesn't support item deletion");
        return -1;
    }
    if (!PyIndex_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "mmap item value must be an int");
        return -1;
    }
    Py_ssize_t v = PyNumber_AsSsize_t(value, PyExc_TypeError);
    if (v == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (v < 0 || v > 255) {
        PyErr_SetString(PyExc_ValueError,
                        "mmap item value must be in range(0, 256)");
        return -1;
    }
    if (!is_valid(self)) {
        return -1;
    }
    self->data[i] = (char)v;
    return 0;
}

static int
mmap_ass_subscript(MMap *self, PyObject *item, PyObject *value)
{
    Py_ssize_t start, stop, step, len;
    Py_buffer buf;
    if (!is_valid(self) || !is_writable(self)) {
        return -1;
    }
    if (PyIndex_Check(item)) {
        return set_index(self, item, value);
    }
    if (!PySlice_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "mmap indices must be integer");
        return -1;
    }
    if (PySlice_Unpack(item, &start, &stop, &step) < 0) {
        return -1;
    }
    len = PySlice_AdjustIndices(self->size, &start, &stop, step);
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "mmap object doesn't support slice deletion");
        return -1;
    }
    if (PyObject_GetBuffer(value, &buf, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    int rc = -1;
    if (buf.len != len) {
        PyErr_SetString(PyExc_IndexError,
                        "mmap slice assignment is wrong size");
    }
    else if (is_valid(self)) {
        if (step == 1) {
            memcpy(self->data + start, buf.buf, (size_t)len);
        }
        else {
            for (Py_ssize_t i = 0; i < len; i++) {
                self->data[start + i * step] = ((char *)buf.buf)[i];
            }
        }
        rc = 0;
    }
    PyBuffer_Release(&buf);
    return rc;
}

/* Checks the flags against `access` and sets them by it; false on error. */
static bool
apply_access(int access, int *flags, int *prot)
{
    if (access != ACCESS_DEFAULT &&
        (*flags != MAP_SHARED || *prot != (PROT_WRITE | PROT_READ))) {
        PyErr_SetString(PyExc_ValueError,
                        "mmap can't specify both access and flags, prot.");
        return false;
    }
    switch (access) {
    case ACCESS_READ:
        *flags = MAP_SHARED;
        *prot = PROT_READ;
        return true;
    case ACCESS_WRITE:
        *flags = MAP_SHARED;
        *prot = PROT_READ | PROT_WRITE;
        return true;
    case ACCESS_COPY:
        *flags = MAP_PRIVATE;
        *prot = PROT_READ | PROT_WRITE;
        return true;
    case ACCESS_DEFAULT:
        return true;
    default:
        PyErr_SetString(PyExc_ValueError, "mmap invalid access parameter.");
        return false;
    }
}

/* The access that plain flags amount to. */
static int
access_of(int prot)
{
    if ((prot & PROT_READ) && (prot & PROT_WRITE)) {
        return ACCESS_DEFAULT;
    }
    return prot & PROT_WRITE ? ACCESS_WRITE : ACCESS_READ;
}

/* Fits the size to the file; false on error. */
static bool
check_size(int fd, Py_ssize_t *size, long long offset)
{
    struct stat st;
    if (fd == -1) {
        return true;
    }
    int rc;
    Py_BEGIN_ALLOW_THREADS
    rc = fstat(fd, &st);
    Py_END_ALLOW_THREADS
    if (rc == 0 && S_ISREG(st.st_mode)) {
        if (*size == 0) {
            if (st.st_size == 0) {
                PyErr_SetString(PyExc_ValueError,
                                "cannot mmap an empty file");
                return false;
            }
            if (offset >= st.st_size) {
                PyErr_SetString(PyExc_ValueError,
                                "mmap offset is greater than file size");
                return false;
            }
            *size = (Py_ssize_t)(st.st_size - offset);
        }
        else if (offset > st.st_size || st.st_size - offset < *size) {
            PyErr_SetString(PyExc_ValueError,
                            "mmap length is greater than file size");
            return false;
        }
    }
    return true;
}

static PyObject *
mmap_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *kwlist[] = {"fileno", "length", "flags", "prot",
                             "access", "offset", NULL};
    Py_ssize_t size;
    long long offset = 0;
    int fd, flags = MAP_SHARED, prot = PROT_WRITE | PROT_READ;
    int access = ACCESS_DEFAULT;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "in|iiiL", kwlist, &fd,
                                     &size, &flags, &prot, &access,
                                     &offset)) {
        return NULL;
    }
    if (PySys_Audit("mmap.__new__", "iniL", fd, size, access, offset) < 0) {
        return NULL;
    }
    if (size < 0) {
        PyErr_SetString(PyExc_OverflowError,
                        "memory mapped length must be positive");
        return NULL;
    }
    if (offset < 0) {
        PyErr_SetString(PyExc_OverflowError,
                        "memory mapped offset must be positive");
        return NULL;
    }
    if (!apply_access(access, &flags, &prot) ||
        !check_size(fd, &size, offset)) {
        return NULL;
    }
    MMap *self = (MMap *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->size = size;
    self->offset = offset;
    self->access = access == ACCESS_DEFAULT ? access_of(prot) : access;
    self->fd = -1;
    if (fd == -1) {
        flags |= MAP_ANONYMOUS;
    }
    else if ((self->fd = _Py_dup(fd)) == -1) {
        Py_DECREF(self);
        return NULL;
    }
    void *map;
    Py_BEGIN_ALLOW_THREADS
    map = mmap(NULL, (size_t)size, prot, flags, fd, offset);
    Py_END_ALLOW_THREADS
    if (map == MAP_FAILED) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_DECREF(self);
        return NULL;
    }
    self->data = map;
    return (PyObject *)self;
}

static PyMethodDef mmap_methods[] = {
    {"close", (PyCFunction)mmap_close, METH_NOARGS, NULL},
    {"find", (PyCFunction)mmap_find, METH_VARARGS, NULL},
    {"rfind", (PyCFunction)mmap_rfind, METH_VARARGS, NULL},
    {"flush", (PyCFunction)mmap_flush, METH_VARARGS, NULL},
    {"madvise", (PyCFunction)mmap_madvise, METH_VARARGS, NULL},
    {"move", (PyCFunction)mmap_move, METH_VARARGS, NULL},
    {"read", (PyCFunction)mmap_read, METH_VARARGS, NULL},
    {"read_byte", (PyCFunction)mmap_read_byte, METH_NOARGS, NULL},
    {"readline", (PyCFunction)mmap_readline, METH_NOARGS, NULL},
    {"resize", (PyCFunction)mmap_resize, METH_VARARGS, NULL},
    {"seek", (PyCFunction)mmap_seek, METH_VARARGS, NULL},
    {"size", (PyCFunction)mmap_size, METH_NOARGS, NULL},
    {"tell", (PyCFunction)mmap_tell, METH_NOARGS, NULL},
    {"write", (PyCFunction)mmap_write, METH_VARARGS, NULL},
    {"write_byte", (PyCFunction)mmap_write_byte, METH_VARARGS, NULL},
    {"__enter__", (PyCFunction)mmap_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)mmap_exit, METH_VARARGS, NULL},
    {NULL},
};

static PyMemberDef mmap_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(MMap, weakrefs), READONLY},
    {NULL},
};

static PyGetSetDef mmap_getset[] = {
    {"closed", (getter)mmap_get_closed, NULL, NULL},
    {NULL},
};

static PyType_Slot mmap_slots[] = {
    {Py_tp_new, mmap_new},
    {Py_tp_dealloc, mmap_dealloc},
    {Py_tp_repr, mmap_repr},
    {Py_tp_doc, "mmap(fileno, length[, flags[, prot[, access[, offset]]]])\n"
                "\nA file, or memory of its own if fileno is -1, as mutable "
                "bytes."},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_methods, mmap_methods},
    {Py_tp_members, mmap_members},
    {Py_tp_getset, mmap_getset},
    {Py_tp_traverse, mmap_traverse},
    {Py_sq_length, mmap_length},
    {Py_sq_item, mmap_item},
    {Py_sq_ass_item, mmap_ass_item},
    {Py_mp_length, mmap_length},
    {Py_mp_subscript, mmap_subscript},
    {Py_mp_ass_subscript, mmap_ass_subscript},
    {Py_bf_getbuffer, mmap_getbuffer},
    {Py_bf_releasebuffer, mmap_releasebuffer},
    {0, NULL},
};

static PyType_Spec mmap_spec = {
    .name = "mmap.mmap",
    .basicsize = sizeof(MMap),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = mmap_slots,
};

static int
mmap_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &mmap_spec, NULL);
    if (type == NULL) {
        return -1;
    }
    int rc = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    if (rc < 0 || PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0) {
        return -1;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    long page = sysconf(_SC_PAGESIZE);
    if (PyModule_AddIntConstant(module, "PAGESIZE", page) < 0) {
        return -1;
    }
    return PyModule_AddIntConstant(module, "ALLOCATIONGRANULARITY", page);
}

static PyModuleDef_Slot mmap_module_slots[] = {
    {Py_mod_exec, mmap_exec},
    {0, NULL},
};

static PyModuleDef mmap_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "mmap",
    .m_doc = "Files and memory as mutable bytes.",
    .m_slots = mmap_module_slots,
};

PyMODINIT_FUNC
PyInit_mmap(void)
{
    return PyModuleDef_Init(&mmap_def);
}
