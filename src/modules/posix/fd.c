/* Descriptors: duplicate, close, pipes, flags, locks, positions, sync. */
#include "modules/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static PyObject *
os_close(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("close", "fd");
    PyObject *a[1];
    int fd, rc;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !kr_arg_int(a[0], &fd)) {
        return NULL;
    }
    /* Never retried: after EINTR the descriptor is gone on Linux. */
    POSIX_NO_GIL(rc = close(fd));
    return kr_posix_none_or_error(rc);
}

static PyObject *
os_closerange(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int low, high;
    if (!_PyArg_CheckPositional("closerange", nargs, 2, 2) ||
        !kr_arg_int(args[0], &low) || !kr_arg_int(args[1], &high)) {
        return NULL;
    }
    POSIX_NO_GIL(_Py_closerange(low, high - 1));
    Py_RETURN_NONE;
}

static PyObject *
os_dup(PyObject *module, PyObject *arg)
{
    int fd;
    if (!kr_arg_int(arg, &fd) || (fd = _Py_dup(fd)) < 0) {
        return NULL;
    }
    return PyLong_FromLong(fd);
}

static PyObject *
os_dup2(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("dup2", "fd", "fd2", "inheritable");
    PyObject *a[3];
    int fd, fd2, inheritable = 1, rc;
    if (!kr_unpack(args, nargs, kwnames, &parser, 2, 3, 3, a) ||
        !kr_arg_int(a[0], &fd) || !kr_arg_int(a[1], &fd2) ||
        (a[2] != NULL && !kr_arg_bool(a[2], &inheritable))) {
        return NULL;
    }
    if (fd < 0 || fd2 < 0) {
        errno = EBADF;
        return kr_posix_error();
    }
    if (inheritable || fd == fd2) {
        POSIX_NO_GIL(rc = dup2(fd, fd2));
        if (rc >= 0 && !inheritable && _Py_set_inheritable(rc, 0, NULL) < 0) {
            return NULL;
        }
    }
    else {
        POSIX_NO_GIL(rc = dup3(fd, fd2, O_CLOEXEC));
    }
    return rc < 0 ? kr_posix_error() : PyLong_FromLong(rc);
}

static PyObject *
os_pipe(PyObject *module, PyObject *unused)
{
    int fds[2], rc;
    POSIX_NO_GIL(rc = pipe2(fds, O_CLOEXEC));
    return rc ? kr_posix_error() : Py_BuildValue("(ii)", fds[0], fds[1]);
}

static PyObject *
os_pipe2(PyObject *module, PyObject *arg)
{
    int fds[2], flags;
    if (!kr_arg_int(arg, &flags)) {
        return NULL;
    }
    return pipe2(fds, flags) ? kr_posix_error()
                             : Py_BuildValue("(ii)", fds[0], fds[1]);
}

static PyObject *
os_isatty(PyObject *module, PyObject *arg)
{
    int fd, rc;
    if (!kr_arg_int(arg, &fd)) {
        return NULL;
    }
    POSIX_NO_GIL(rc = isatty(fd));
    return PyBool_FromLong(rc);
}

static PyObject *
os_device_encoding(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("device_encoding", "fd");
    PyObject *a[1];
    int fd;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !kr_arg_int(a[0], &fd)) {
        return NULL;
    }
    return _Py_device_encoding(fd);
}

static PyObject *
os_get_inheritable(PyObject *module, PyObject *arg)
{
    int fd, rc;
    if (!kr_arg_int(arg, &fd) || (rc = _Py_get_inheritable(fd)) < 0) {
        return NULL;
    }
    return PyBool_FromLong(rc);
}

static PyObject *
os_set_inheritable(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd, on;
    if (!_PyArg_CheckPositional("set_inheritable", nargs, 2, 2) ||
        !kr_arg_int(args[0], &fd) || !kr_arg_int(args[1], &on) ||
        _Py_set_inheritable(fd, on, NULL) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
os_get_blocking(PyObject *module, PyObject *arg)
{
    int fd, rc;
    if (!kr_arg_int(arg, &fd) || (rc = _Py_get_blocking(fd)) < 0) {
        return NULL;
    }
    return PyBool_FromLong(rc);
}

static PyObject *
os_set_blocking(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd, on;
    if (!_PyArg_CheckPositional("set_blocking", nargs, 2, 2) ||
        !kr_arg_int(args[0], &fd) || !kr_arg_int(args[1], &on) ||
        _Py_set_blocking(fd, on) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
os_lseek(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd, how;
    long long pos;
    if (!_PyArg_CheckPositional("lseek", nargs, 3, 3) ||
        !kr_arg_int(args[0], &fd) || !kr_arg_longlong(args[1], &pos) ||
        !kr_arg_int(args[2], &how)) {
        return NULL;
    }
    POSIX_NO_GIL(pos = lseek(fd, pos, how));
    return pos < 0 ? kr_posix_error() : PyLong_FromLongLong(pos);
}

static PyObject *
os_lockf(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd, command, rc;
    long long length;
    if (!_PyArg_CheckPositional("lockf", nargs, 3, 3) ||
        !kr_arg_int(args[0], &fd) || !kr_arg_int(args[1], &command) ||
        !kr_arg_longlong(args[2], &length) ||
        PySys_Audit("os.lockf", "iiL", fd, command, length) < 0) {
        return NULL;
    }
    POSIX_NO_GIL(rc = lockf(fd, command, length));
    return kr_posix_none_or_error(rc);
}

static PyObject *
os_ftruncate(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd, rc, async_err = 0;
    long long length;
    if (!_PyArg_CheckPositional("ftruncate", nargs, 2, 2) ||
        !kr_arg_int(args[0], &fd) || !kr_arg_longlong(args[1], &length) ||
        PySys_Audit("os.truncate", "iL", fd, length) < 0) {
        return NULL;
    }
    POSIX_RETRY(rc, ftruncate(fd, length));
    return async_err ? NULL : kr_posix_none_or_error(rc);
}

static PyObject *
os_posix_fallocate(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd, rc;
    long long offset, length;
    if (!_PyArg_CheckPositional("posix_fallocate", nargs, 3, 3) ||
        !kr_arg_int(args[0], &fd) || !kr_arg_longlong(args[1], &offset) ||
        !kr_arg_longlong(args[2], &length)) {
        return NULL;
    }
    do {
        POSIX_NO_GIL(rc = posix_fallocate(fd, offset, length));
        if (rc == EINTR && PyErr_CheckSignals()) {
            return NULL;
        }
    } while (rc == EINTR);
    errno = rc;
    return kr_posix_none_or_error(-(rc != 0));
}

static PyObject *
os_posix_fadvise(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd, advice, rc;
    long long offset, length;
    if (!_PyArg_CheckPositional("posix_fadvise", nargs, 4, 4) ||
        !kr_arg_int(args[0], &fd) || !kr_arg_longlong(args[1], &offset) ||
        !kr_arg_longlong(args[2], &length) || !kr_arg_int(args[3], &advice)) {
        return NULL;
    }
    do {
        POSIX_NO_GIL(rc = posix_fadvise(fd, offset, length, advice));
        if (rc == EINTR && PyErr_CheckSignals()) {
            return NULL;
        }
    } while (rc == EINTR);
    errno = rc;
    return kr_posix_none_or_error(-(rc != 0));
}

static PyObject *
do_sync(_PyArg_Parser *parser, int (*sync_fd)(int), KR_FASTCALL_ARGS)
{
    PyObject *a[1];
    int fd, rc, async_err = 0;
    if (!kr_unpack(args, nargs, kwnames, parser, 1, 1, 1, a) ||
        !kr_posix_arg_fileno(a[0], &fd)) {
        return NULL;
    }
    POSIX_RETRY(rc, sync_fd(fd));
    return async_err ? NULL : kr_posix_none_or_error(rc);
}

static PyObject *
os_fsync(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("fsync", "fd");
    return do_sync(&parser, fsync, args, nargs, kwnames);
}

static PyObject *
os_fdatasync(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("fdatasync", "fd");
    return do_sync(&parser, fdatasync, args, nargs, kwnames);
}

static PyObject *
os_fpathconf(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd, name;
    if (!_PyArg_CheckPositional("fpathconf", nargs, 2, 2) ||
        !kr_posix_arg_fileno(args[0], &fd) ||
        !kr_posix_arg_pathconf(args[1], &name)) {
        return NULL;
    }
    errno = 0;
    long limit = fpathconf(fd, name);
    return limit == -1 && errno != 0 ? kr_posix_error()
                                     : PyLong_FromLong(limit);
}

static PyObject *
os_memfd_create(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("memfd_create", "name", "flags");
    PyObject *a[2], *name;
    unsigned int flags = MFD_CLOEXEC;
    int fd;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a) ||
        !PyUnicode_FSConverter(a[0], &name)) {
        return NULL;
    }
    if (a[1] != NULL) {
        flags = (unsigned int)PyLong_AsUnsignedLongMask(a[1]);
        if (flags == (unsigned int)-1 && PyErr_Occurred()) {
            Py_DECREF(name);
            return NULL;
        }
    }
    POSIX_NO_GIL(fd = memfd_create(PyBytes_AS_STRING(name), flags));
    Py_DECREF(name);
    return fd == -1 ? kr_posix_error() : PyLong_FromLong(fd);
}

static PyObject *
os_eventfd(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("eventfd", "initval", "flags");
    PyObject *a[2];
    unsigned int initval;
    int flags = EFD_CLOEXEC, fd;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a) ||
        !_PyLong_UnsignedInt_Converter(a[0], &initval) ||
        (a[1] != NULL && !kr_arg_int(a[1], &flags))) {
        return NULL;
    }
    POSIX_NO_GIL(fd = eventfd(initval, flags));
    return fd == -1 ? kr_posix_error() : PyLong_FromLong(fd);
}

static PyObject *
os_eventfd_read(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("eventfd_read", "fd");
    PyObject *a[1];
    eventfd_t value;
    int fd, rc;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !kr_posix_arg_fileno(a[0], &fd)) {
        return NULL;
    }
    POSIX_NO_GIL(rc = eventfd_read(fd, &value));
    return rc == -1 ? kr_posix_error() : PyLong_FromUnsignedLongLong(value);
}

static PyObject *
os_eventfd_write(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("eventfd_write", "fd", "value");
    PyObject *a[2];
    unsigned long long value;
    int fd, rc;
    if (!kr_unpack(args, nargs, kwnames, &parser, 2, 2, 2, a) ||
        !kr_posix_arg_fileno(a[0], &fd) ||
        !_PyLong_UnsignedLongLong_Converter(a[1], &value)) {
        return NULL;
    }
    POSIX_NO_GIL(rc = eventfd_write(fd, value));
    return kr_posix_none_or_error(rc);
}

static PyObject *
os_pidfd_open(PyObject *module, KR_FASTCALL_ARGS)
{
    static const char *const keywords[] = {"pid", "flags", NULL};
    static _PyArg_Parser parser = {.keywords = keywords,
                                   .format = "i|O&:pidfd_open"};
    unsigned int flags = 0;
    int pid;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &pid,
                                      _PyLong_UnsignedInt_Converter, &flags)) {
        return NULL;
    }
    long fd = syscall(SYS_pidfd_open, pid, flags);
    return fd < 0 ? kr_posix_error() : PyLong_FromLong(fd);
}

PyMethodDef kr_posix_fd_methods[] = {
    {"close", KR_CAST(os_close), KR_FAST,
     "close($module, /, fd)\n--\n\nClose a descriptor."},
    {"closerange", KR_CAST(os_closerange), METH_FASTCALL,
     "closerange($module, fd_low, fd_high, /)\n--\n\n"
     "Close all descriptors in [fd_low, fd_high), ignoring errors."},
    {"dup", os_dup, METH_O,
     "dup($module, fd, /)\n--\n\nA duplicate of a descriptor."},
    {"dup2", KR_CAST(os_dup2), KR_FAST,
     "dup2($module, /, fd, fd2, inheritable=True)\n--\n\n"
     "Duplicate a descriptor under a given number."},
    {"pipe", os_pipe, METH_NOARGS,
     "pipe($module, /)\n--\n\nCreate a pipe; gives (read_fd, write_fd)."},
    {"pipe2", os_pipe2, METH_O,
     "pipe2($module, flags, /)\n--\n\n"
     "Create a pipe with flags set; gives (read_fd, write_fd)."},
    {"isatty", os_isatty, METH_O,
     "isatty($module, fd, /)\n--\n\nTrue if the descriptor is a terminal."},
    {"device_encoding", KR_CAST(os_device_encoding), KR_FAST,
     "device_encoding($module, /, fd)\n--\n\n"
     "Encoding of a terminal, None for other descriptors."},
    {"get_inheritable", os_get_inheritable, METH_O,
     "get_inheritable($module, fd, /)\n--\n\n"
     "Whether child programs get the descriptor."},
    {"set_inheritable", KR_CAST(os_set_inheritable), METH_FASTCALL,
     "set_inheritable($module, fd, inheritable, /)\n--\n\n"
     "Set whether child programs get the descriptor."},
    {"get_blocking", os_get_blocking, METH_O,
     "get_blocking($module, fd, /)\n--\n\n"
     "Whether the descriptor is in blocking mode."},
    {"set_blocking", KR_CAST(os_set_blocking), METH_FASTCALL,
     "set_blocking($module, fd, blocking, /)\n--\n\n"
     "Set the blocking mode of a descriptor."},
    {"lseek", KR_CAST(os_lseek), METH_FASTCALL,
     "lseek($module, fd, position, how, /)\n--\n\n"
     "Move the position of a descriptor; gives the new one."},
    {"lockf", KR_CAST(os_lockf), METH_FASTCALL,
     "lockf($module, fd, command, length, /)\n--\n\n"
     "Apply, test or remove a POSIX lock on an open file."},
    {"ftruncate", KR_CAST(os_ftruncate), METH_FASTCALL,
     "ftruncate($module, fd, length, /)\n--\n\n"
     "Set the size of an open file."},
    {"posix_fallocate", KR_CAST(os_posix_fallocate), METH_FASTCALL,
     "posix_fallocate($module, fd, offset, length, /)\n--\n\n"
     "Make sure that a range of a file has disk space."},
    {"posix_fadvise", KR_CAST(os_posix_fadvise), METH_FASTCALL,
     "posix_fadvise($module, fd, offset, length, advice, /)\n--\n\n"
     "Announce how a range of a file will be used."},
    {"fsync", KR_CAST(os_fsync), KR_FAST,
     "fsync($module, /, fd)\n--\n\nForce a file to disk."},
    {"fdatasync", KR_CAST(os_fdatasync), KR_FAST,
     "fdatasync($module, /, fd)\n--\n\n"
     "Force the content of a file to disk, not all its metadata."},
    {"fpathconf", KR_CAST(os_fpathconf), METH_FASTCALL,
     "fpathconf($module, fd, name, /)\n--\n\n"
     "A configuration limit of an open file."},
    {"memfd_create", KR_CAST(os_memfd_create), KR_FAST,
     "memfd_create($module, /, name, flags=MFD_CLOEXEC)\n--\n\n"
     "Create an anonymous file in memory."},
    {"eventfd", KR_CAST(os_eventfd), KR_FAST,
     "eventfd($module, /, initval, flags=EFD_CLOEXEC)\n--\n\n"
     "Create a descriptor that counts events."},
    {"eventfd_read", KR_CAST(os_eventfd_read), KR_FAST,
     "eventfd_read($module, /, fd)\n--\n\nRead the count of an eventfd."},
    {"eventfd_write", KR_CAST(os_eventfd_write), KR_FAST,
     "eventfd_write($module, /, fd, value)\n--\n\n"
     "Add to the count of an eventfd."},
    {"pidfd_open", KR_CAST(os_pidfd_open), KR_FAST,
     "pidfd_open($module, /, pid, flags=0)\n--\n\n"
     "A descriptor that refers to a process."},
    {NULL},
};
