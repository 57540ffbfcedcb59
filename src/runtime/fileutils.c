/* Operating-system file helpers: see fileutils.h. */
#include "runtime/fileutils.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

/* The largest count that read and write are given: Linux caps transfers just
 * below 2 GiB anyway, and a negative ssize_t must stay an error. */
static size_t
clamp_count(size_t count)
{
    return count > (size_t)PY_SSIZE_T_MAX ? (size_t)PY_SSIZE_T_MAX : count;
}

/* Reads into the buffer or writes from it, again as long as signals come whose
 * handlers run well; -1 with an exception and errno set. */
static Py_ssize_t
transfer(int fd, void *buf, size_t count, bool writing)
{
    Py_ssize_t n;
    int err;
    count = clamp_count(count);
    do {
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        n = writing ? write(fd, buf, count) : read(fd, buf, count);
        err = errno;
        Py_END_ALLOW_THREADS
        if (n >= 0) {
            return n;
        }
    } while (err == EINTR && PyErr_CheckSignals() == 0);
    if (err != EINTR) {
        errno = err;
        PyErr_SetFromErrno(PyExc_OSError);
    }
    errno = err;
    return -1;
}

Py_ssize_t
_Py_read(int fd, void *buf, size_t count)
{
    return transfer(fd, buf, count, false);
}

Py_ssize_t
_Py_write(int fd, const void *buf, size_t count)
{
    return transfer(fd, (void *)buf, count, true);
}

Py_ssize_t
_Py_write_noraise(int fd, const void *buf, size_t count)
{
    Py_ssize_t n;
    count = clamp_count(count);
    do {
        errno = 0;
        n = write(fd, buf, count);
    } while (n < 0 && errno == EINTR);
    return n;
}

int
_Py_open_noraise(const char *pathname, int flags)
{
    return open(pathname, flags | O_CLOEXEC);
}

int
_Py_open(const char *pathname, int flags)
{
    int fd;
    PyObject *path = PyUnicode_DecodeFSDefault(pathname);
    if (path == NULL) {
        return -1;
    }
    int rc = PySys_Audit("open", "OOi", path, Py_None, flags);
    Py_DECREF(path);
    if (rc < 0) {
        return -1;
    }
    do {
        Py_BEGIN_ALLOW_THREADS
        fd = open(pathname, flags | O_CLOEXEC);
        Py_END_ALLOW_THREADS
        if (fd >= 0) {
            return fd;
        }
    } while (errno == EINTR && PyErr_CheckSignals() == 0);
    if (!PyErr_Occurred()) {
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, pathname);
    }
    return -1;
}

FILE *
_Py_wfopen(const wchar_t *path, const wchar_t *mode)
{
    char cmode[10];
    size_t n = wcstombs(cmode, mode, sizeof(cmode));
    if (n == (size_t)-1 || n >= sizeof(cmode)) {
        errno = EINVAL;
        return NULL;
    }
    char *cpath = Py_EncodeLocale(path, NULL);
    if (cpath == NULL) {
        return NULL;
    }
    FILE *f = fopen(cpath, cmode);
    PyMem_Free(cpath);
    if (f != NULL &&
        _Py_set_inheritable_async_safe(fileno(f), 0, NULL) < 0) {
        fclose(f);
        return NULL;
    }
    return f;
}

FILE *
_Py_fopen_obj(PyObject *path, const char *mode)
{
    PyObject *bytes;
    FILE *f;
    int err;
    if (PySys_Audit("open", "Osi", path, mode, 0) < 0 ||
        !PyUnicode_FSConverter(path, &bytes)) {
        return NULL;
    }
    do {
        Py_BEGIN_ALLOW_THREADS
        f = fopen(PyBytes_AS_STRING(bytes), mode);
        err = errno;
        Py_END_ALLOW_THREADS
    } while (f == NULL && err == EINTR && PyErr_CheckSignals() == 0);
    Py_DECREF(bytes);
    if (f == NULL) {
        if (!PyErr_Occurred()) {
            errno = err;
            PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
        }
        return NULL;
    }
    if (_Py_set_inheritable(fileno(f), 0, NULL) < 0) {
        fclose(f);
        return NULL;
    }
    return f;
}

int
_Py_fstat_noraise(int fd, struct stat *st)
{
    return fstat(fd, st);
}

int
_Py_fstat(int fd, struct stat *st)
{
    int rc;
    Py_BEGIN_ALLOW_THREADS
    rc = fstat(fd, st);
    Py_END_ALLOW_THREADS
    if (rc != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return 0;
}

int
_Py_stat(PyObject *path, struct stat *st)
{
    PyObject *bytes = PyUnicode_EncodeFSDefault(path);
    if (bytes == NULL) {
        return -2;
    }
    const char *s = PyBytes_AsString(bytes);
    int rc = s == NULL ? -2 : stat(s, st);
    Py_DECREF(bytes);
    return rc;
}

int
_Py_get_inheritable(int fd)
{
    int flags = fcntl(fd, F_GETFD, 0);
    if (flags == -1) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return !(flags & FD_CLOEXEC);
}

/* One ioctl when the kernel takes it, else the fcntl pair (O_PATH
 * descriptors refuse the ioctl). -1 with errno set. */
static int
change_cloexec(int fd, int inheritable)
{
    if (ioctl(fd, inheritable ? FIONCLEX : FIOCLEX, NULL) == 0) {
        return 0;
    }
    if (errno != ENOTTY && errno != EACCES && errno != EBADF) {
        return -1;
    }
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0) {
        return -1;
    }
    int wanted = inheritable ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC;
    return wanted == flags ? 0 : fcntl(fd, F_SETFD, wanted);
}

int
_Py_set_inheritable_async_safe(int fd, int inheritable, int *atomic_flag_works)
{
    if (atomic_flag_works != NULL && !inheritable) {
        if (*atomic_flag_works == -1) {
            int flags = fcntl(fd, F_GETFD);
            if (flags == -1) {
                return -1;
            }
            *atomic_flag_works = (flags & FD_CLOEXEC) != 0;
        }
        if (*atomic_flag_works) {
            return 0;
        }
    }
    return change_cloexec(fd, inheritable);
}

int
_Py_set_inheritable(int fd, int inheritable, int *atomic_flag_works)
{
    int rc =
        _Py_set_inheritable_async_safe(fd, inheritable, atomic_flag_works);
    if (rc < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
    }
    return rc;
}

int
_Py_dup(int fd)
{
    int copy;
    Py_BEGIN_ALLOW_THREADS
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    Py_END_ALLOW_THREADS
    if (copy < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
    }
    return copy;
}

int
_Py_get_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL, 0);
    if (flags < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return !(flags & O_NONBLOCK);
}

int
_Py_set_blocking(int fd, int blocking)
{
    int on = !blocking;
    if (ioctl(fd, FIONBIO, &on) == 0) {
        return 0;
    }
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

PyObject *
_Py_device_encoding(int fd)
{
    int tty;
    Py_BEGIN_ALLOW_THREADS
    tty = isatty(fd);
    Py_END_ALLOW_THREADS
    if (!tty) {
        Py_RETURN_NONE;
    }
    if (Py_UTF8Mode) {
        return PyUnicode_FromString("utf-8");
    }
    return _Py_GetLocaleEncodingObject();
}

int
_Py_GetLocaleconvNumeric(struct lconv *lc, PyObject **decimal_point,
                         PyObject **thousands_sep)
{
    PyObject *point = PyUnicode_DecodeLocale(lc->decimal_point, NULL);
    PyObject *sep =
        point ? PyUnicode_DecodeLocale(lc->thousands_sep, NULL) : NULL;
    if (sep == NULL) {
        Py_XDECREF(point);
        return -1;
    }
    *decimal_point = point;
    *thousands_sep = sep;
    return 0;
}

void
_Py_closerange(int first, int last)
{
    first = first < 0 ? 0 : first;
    if (first > last || close_range(first, last, 0) == 0) {
        return;
    }
    for (int fd = first; fd <= last; fd++) {
        (void)close(fd);
    }
}

/* Decodes into the caller's buffer; false when it does not fit. */
static int
decode_into(const char *s, wchar_t *buf, size_t buflen, size_t *len)
{
    wchar_t *wide = Py_DecodeLocale(s, len);
    if (wide == NULL) {
        errno = EINVAL;
        return 0;
    }
    if (buflen <= *len) {
        PyMem_RawFree(wide);
        errno = EINVAL;
        return 0;
    }
    wcsncpy(buf, wide, *len + 1);
    PyMem_RawFree(wide);
    return 1;
}

wchar_t *
_Py_wgetcwd(wchar_t *buf, size_t buflen)
{
    char name[PATH_MAX + 1];
    size_t len;
    if (getcwd(name, sizeof(name)) == NULL ||
        !decode_into(name, buf, buflen, &len)) {
        return NULL;
    }
    return buf;
}

int
_Py_wreadlink(const wchar_t *path, wchar_t *buf, size_t buflen)
{
    char target[PATH_MAX + 1];
    char *cpath = Py_EncodeLocale(path, NULL);
    size_t len;
    if (cpath == NULL) {
        errno = EINVAL;
        return -1;
    }
    ssize_t n = readlink(cpath, target, sizeof(target));
    PyMem_Free(cpath);
    if (n < 0) {
        return -1;
    }
    if (n == (ssize_t)sizeof(target)) {
        errno = EINVAL;
        return -1;
    }
    target[n] = '\0';
    return decode_into(target, buf, buflen, &len) ? (int)len : -1;
}

wchar_t *
_Py_wrealpath(const wchar_t *path, wchar_t *resolved, size_t resolved_len)
{
    char real[PATH_MAX + 1];
    char *cpath = Py_EncodeLocale(path, NULL);
    size_t len;
    if (cpath == NULL) {
        errno = EINVAL;
        return NULL;
    }
    char *r = realpath(cpath, real);
    PyMem_Free(cpath);
    if (r == NULL || !decode_into(real, resolved, resolved_len, &len)) {
        return NULL;
    }
    return resolved;
}

size_t
kr_normpath(wchar_t *path, size_t size)
{
    wchar_t *end = path + size;
    wchar_t *in = path, *out, *floor;
    if (in == end) {
        return 0;
    }
    /* Exactly two leading slashes are a root of their own (POSIX). */
    int roots = 0;
    while (in < end && *in == L'/') {
        in++;
        roots++;
    }
    roots = roots > 2 ? 1 : roots;
    out = floor = path + roots;
    while (in < end) {
        wchar_t *step = in;
        while (in < end && *in != L'/') {
            in++;
        }
        size_t len = (size_t)(in - step);
        while (in < end && *in == L'/') {
            in++;
        }
        if (len == 1 && step[0] == L'.') {
            continue;
        }
        if (len == 2 && step[0] == L'.' && step[1] == L'.') {
            if (out == floor && roots) {
                continue;
            }
            wchar_t *last = out;
            while (last > floor && last[-1] != L'/') {
                last--;
            }
            size_t last_len = (size_t)(out - last);
            if (last_len > 0 &&
                !(last_len == 2 && last[0] == L'.' && last[1] == L'.')) {
                out = last > floor ? last - 1 : last;
                continue;
            }
        }
        if (out > floor) {
            *out++ = L'/';
        }
        wmemmove(out, step, len);
        out += len;
    }
    if (out == path) {
        *out++ = L'.';
    }
    return (size_t)(out - path);
}

wchar_t *
_Py_normpath(wchar_t *path, Py_ssize_t size)
{
    size_t len = size >= 0 ? (size_t)size : wcslen(path);
    size_t new_len = kr_normpath(path, len);
    if (new_len < len || (size < 0 && new_len > 0)) {
        path[new_len] = L'\0';
    }
    return path;
}
