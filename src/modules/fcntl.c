/* The `fcntl` module: fcntl, ioctl, flock and lockf. */
#include <Python.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>

#include "modules/kwargs.h"

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"DN_ACCESS", (long)DN_ACCESS},
    {"DN_ATTRIB", (long)DN_ATTRIB},
    {"DN_CREATE", (long)DN_CREATE},
    {"DN_DELETE", (long)DN_DELETE},
    {"DN_MODIFY", (long)DN_MODIFY},
    {"DN_MULTISHOT", (long)(unsigned int)DN_MULTISHOT},
    {"DN_RENAME", (long)DN_RENAME},
    {"FASYNC", (long)FASYNC},
    {"FD_CLOEXEC", (long)FD_CLOEXEC},
    {"F_ADD_SEALS", (long)F_ADD_SEALS},
    {"F_DUPFD", (long)F_DUPFD},
    {"F_DUPFD_CLOEXEC", (long)F_DUPFD_CLOEXEC},
    {"F_EXLCK", (long)F_EXLCK},
    {"F_GETFD", (long)F_GETFD},
    {"F_GETFL", (long)F_GETFL},
    {"F_GETLEASE", (long)F_GETLEASE},
    {"F_GETLK", (long)F_GETLK},
    {"F_GETLK64", (long)F_GETLK64},
    {"F_GETOWN", (long)F_GETOWN},
    {"F_GETPIPE_SZ", (long)F_GETPIPE_SZ},
    {"F_GETSIG", (long)F_GETSIG},
    {"F_GET_SEALS", (long)F_GET_SEALS},
    {"F_NOTIFY", (long)F_NOTIFY},
    {"F_OFD_GETLK", (long)F_OFD_GETLK},
    {"F_OFD_SETLK", (long)F_OFD_SETLK},
    {"F_OFD_SETLKW", (long)F_OFD_SETLKW},
    {"F_RDLCK", (long)F_RDLCK},
    {"F_SEAL_GROW", (long)F_SEAL_GROW},
    {"F_SEAL_SEAL", (long)F_SEAL_SEAL},
    {"F_SEAL_SHRINK", (long)F_SEAL_SHRINK},
    {"F_SEAL_WRITE", (long)F_SEAL_WRITE},
    {"F_SETFD", (long)F_SETFD},
    {"F_SETFL", (long)F_SETFL},
    {"F_SETLEASE", (long)F_SETLEASE},
    {"F_SETLK", (long)F_SETLK},
    {"F_SETLK64", (long)F_SETLK64},
    {"F_SETLKW", (long)F_SETLKW},
    {"F_SETLKW64", (long)F_SETLKW64},
    {"F_SETOWN", (long)F_SETOWN},
    {"F_SETPIPE_SZ", (long)F_SETPIPE_SZ},
    {"F_SETSIG", (long)F_SETSIG},
    {"F_SHLCK", (long)F_SHLCK},
    {"F_UNLCK", (long)F_UNLCK},
    {"F_WRLCK", (long)F_WRLCK},
    {"LOCK_EX", (long)LOCK_EX},
    {"LOCK_MAND", (long)LOCK_MAND},
    {"LOCK_NB", (long)LOCK_NB},
    {"LOCK_READ", (long)LOCK_READ},
    {"LOCK_RW", (long)LOCK_RW},
    {"LOCK_SH", (long)LOCK_SH},
    {"LOCK_UN", (long)LOCK_UN},
    {"LOCK_WRITE", (long)LOCK_WRITE},
};

enum { STACK_SIZE = 1024 };

static PyObject *
too_long(const char *function)
{
    PyErr_Format(PyExc_ValueError, "%s string arg too long", function);
    return NULL;
}

/* str (as UTF-8) and bytes-like arguments; 1 taken, 0 not one, -1 error. */
static int
take_bytes(PyObject *o, Py_buffer *out)
{
    if (PyUnicode_Check(o) || PyObject_CheckBuffer(o)) {
        return PyArg_Parse(o, "s*", out) ? 1 : -1;
    }
    return 0;
}

static PyObject *
fcntl_fcntl(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int code, rc, async_err = 0;
    unsigned int value = 0;
    Py_buffer pstr;
    if (!_PyArg_CheckPositional("fcntl", nargs, 2, 3)) {
        return NULL;
    }
    int fd = PyObject_AsFileDescriptor(args[0]);
    if (fd < 0 || !kr_arg_int(args[1], &code) ||
        PySys_Audit("fcntl.fcntl", "iiO", fd, code,
                    nargs > 2 ? args[2] : Py_None) < 0) {
        return NULL;
    }
    if (nargs > 2) {
        int taken = take_bytes(args[2], &pstr);
        if (taken < 0) {
            return NULL;
        }
        if (taken) {
            char buf[STACK_SIZE];
            Py_ssize_t len = pstr.len;
            if (len > (Py_ssize_t)sizeof(buf)) {
                PyBuffer_Release(&pstr);
                return too_long("fcntl");
            }
            memcpy(buf, pstr.buf, (size_t)len);
            PyBuffer_Release(&pstr);
            do {
                Py_BEGIN_ALLOW_THREADS
                rc = fcntl(fd, code, buf);
                Py_END_ALLOW_THREADS
            } while (rc == -1 && errno == EINTR &&
                     !(async_err = PyErr_CheckSignals()));
            if (rc < 0) {
                return async_err ? NULL : PyErr_SetFromErrno(PyExc_OSError);
            }
            return PyBytes_FromStringAndSize(buf, len);
        }
        if (!PyArg_Parse(args[2],
                         "I;fcntl requires a file or file descriptor, an "
                         "integer and optionally a third integer or a string",
                         &value)) {
            return NULL;
        }
    }
    do {
        Py_BEGIN_ALLOW_THREADS
        rc = fcntl(fd, code, (int)value);
        Py_END_ALLOW_THREADS
    } while (rc == -1 && errno == EINTR &&
             !(async_err = PyErr_CheckSignals()));
    if (rc < 0) {
        return async_err ? NULL : PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLong(rc);
}

/* ioctl on a copy of `view`'s bytes. With `write_back` they return into the
 * view and the result is the call's, else the bytes are. */
static PyObject *
ioctl_copy(int fd, unsigned int code, Py_buffer *view, bool write_back)
{
    char buf[STACK_SIZE + 1];
    int rc;
    Py_ssize_t len = view->len;
    memcpy(buf, view->buf, (size_t)len);
    buf[len] = '\0';
    Py_BEGIN_ALLOW_THREADS
    rc = ioctl(fd, code, buf);
    Py_END_ALLOW_THREADS
    if (rc < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (write_back) {
        memcpy(view->buf, buf, (size_t)len);
        return PyLong_FromLong(rc);
    }
    return PyBytes_FromStringAndSize(buf, len);
}

/* ioctl on the caller's own buffer. */
static PyObject *
ioctl_direct(int fd, unsigned int code, Py_buffer *view)
{
    int rc;
    Py_BEGIN_ALLOW_THREADS
    rc = ioctl(fd, code, view->buf);
    Py_END_ALLOW_THREADS
    return rc < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(rc);
}

static PyObject *
fcntl_ioctl(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    unsigned int code;
    int value = 0, mutate = 1, rc;
    Py_buffer view;
    PyObject *res;
    if (!_PyArg_CheckPositional("ioctl", nargs, 2, 4)) {
        return NULL;
    }
    int fd = PyObject_AsFileDescriptor(args[0]);
    if (fd < 0) {
        return NULL;
    }
    code = (unsigned int)PyLong_AsUnsignedLongMask(args[1]);
    if (code == (unsigned int)-1 && PyErr_Occurred()) {
        return NULL;
    }
    if ((nargs > 3 && !kr_arg_bool(args[3], &mutate)) ||
        PySys_Audit("fcntl.ioctl", "iIO", fd, code,
                    nargs > 2 ? args[2] : Py_None) < 0) {
        return NULL;
    }
    if (nargs > 2) {
        PyObject *o = args[2];
        if (PyObject_CheckBuffer(o) &&
            PyObject_GetBuffer(o, &view, PyBUF_WRITABLE) == 0) {
            if (!mutate) {
                res = view.len > STACK_SIZE
                          ? too_long("ioctl")
                          : ioctl_copy(fd, code, &view, false);
            }
            else {
                res = view.len <= STACK_SIZE
                          ? ioctl_copy(fd, code, &view, true)
                          : ioctl_direct(fd, code, &view);
            }
            PyBuffer_Release(&view);
            return res;
        }
        PyErr_Clear();
        int taken = take_bytes(o, &view);
        if (taken < 0) {
            return NULL;
        }
        if (taken) {
            res = view.len > STACK_SIZE ? too_long("ioctl")
                                        : ioctl_copy(fd, code, &view, false);
            PyBuffer_Release(&view);
            return res;
        }
        if (!PyArg_Parse(o,
                         "i;ioctl requires a file or file descriptor, an "
                         "integer and optionally an integer or buffer "
                         "argument",
                         &value)) {
            return NULL;
        }
    }
    Py_BEGIN_ALLOW_THREADS
    rc = ioctl(fd, code, value);
    Py_END_ALLOW_THREADS
    return rc < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(rc);
}

static PyObject *
fcntl_flock(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int code, rc, async_err = 0;
    if (!_PyArg_CheckPositional("flock", nargs, 2, 2)) {
        return NULL;
    }
    int fd = PyObject_AsFileDescriptor(args[0]);
    if (fd < 0 || !kr_arg_int(args[1], &code) ||
        PySys_Audit("fcntl.flock", "ii", fd, code) < 0) {
        return NULL;
    }
    do {
        Py_BEGIN_ALLOW_THREADS
        rc = flock(fd, code);
        Py_END_ALLOW_THREADS
    } while (rc == -1 && errno == EINTR &&
             !(async_err = PyErr_CheckSignals()));
    if (rc < 0) {
        return async_err ? NULL : PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

static PyObject *
fcntl_lockf(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int code, whence = 0, rc, async_err = 0;
    struct flock l = {0};
    if (!_PyArg_CheckPositional("lockf", nargs, 2, 5)) {
        return NULL;
    }
    int fd = PyObject_AsFileDescriptor(args[0]);
    if (fd < 0 || !kr_arg_int(args[1], &code) ||
        (nargs > 4 && !kr_arg_int(args[4], &whence)) ||
        PySys_Audit("fcntl.lockf", "iiOOi", fd, code,
                    nargs > 2 ? args[2] : Py_None,
                    nargs > 3 ? args[3] : Py_None, whence) < 0) {
        return NULL;
    }
    if (code == LOCK_UN) {
        l.l_type = F_UNLCK;
    }
    else if (code & LOCK_SH) {
        l.l_type = F_RDLCK;
    }
    else if (code & LOCK_EX) {
        l.l_type = F_WRLCK;
    }
    else {
        PyErr_SetString(PyExc_ValueError, "unrecognized lockf argument");
        return NULL;
    }
    long long n;
    if (nargs > 3) {
        if (!kr_arg_longlong(args[3], &n)) {
            return NULL;
        }
        l.l_start = n;
    }
    if (nargs > 2) {
        if (!kr_arg_longlong(args[2], &n)) {
            return NULL;
        }
        l.l_len = n;
    }
    l.l_whence = (short)whence;
    do {
        Py_BEGIN_ALLOW_THREADS
        rc = fcntl(fd, code & LOCK_NB ? F_SETLK : F_SETLKW, &l);
        Py_END_ALLOW_THREADS
    } while (rc == -1 && errno == EINTR &&
             !(async_err = PyErr_CheckSignals()));
    if (rc < 0) {
        return async_err ? NULL : PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

static PyMethodDef fcntl_methods[] = {
    {"fcntl", KR_CAST(fcntl_fcntl), METH_FASTCALL,
     "fcntl($module, fd, cmd, arg=0, /)\n--\n\n"
     "Perform an operation on a descriptor."},
    {"ioctl", KR_CAST(fcntl_ioctl), METH_FASTCALL,
     "ioctl($module, fd, request, arg=0, mutate_flag=True, /)\n--\n\n"
     "Perform a device operation; a writable buffer may be changed."},
    {"flock", KR_CAST(fcntl_flock), METH_FASTCALL,
     "flock($module, fd, operation, /)\n--\n\n"
     "Lock a whole file with flock(2)."},
    {"lockf", KR_CAST(fcntl_lockf), METH_FASTCALL,
     "lockf($module, fd, cmd, len=0, start=0, whence=0, /)\n--\n\n"
     "Lock a part of a file with fcntl(2)."},
    {NULL},
};

static int
fcntl_exec(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyModuleDef_Slot fcntl_slots[] = {
    {Py_mod_exec, fcntl_exec},
    {0, NULL},
};

static PyModuleDef fcntl_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "fcntl",
    .m_doc = "File control and I/O control on descriptors.",
    .m_methods = fcntl_methods,
    .m_slots = fcntl_slots,
};

PyMODINIT_FUNC
PyInit_fcntl(void)
{
    return PyModuleDef_Init(&fcntl_def);
}
