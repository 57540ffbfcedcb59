/* Extended attributes. */
#include "modules/posix/posix.h"

#include <errno.h>
#include <limits.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/xattr.h>

/* A descriptor already is a file: it leaves nothing to follow. */
static bool
fd_follows(const char *function, posix_path *path, int follow)
{
    if (path->fd >= 0 && !follow) {
        PyErr_Format(PyExc_ValueError,
                     "%s: cannot use fd and follow_symlinks together",
                     function);
        return false;
    }
    return true;
}

static ssize_t
get_value(posix_path *path, const char *name, int follow, void *buf,
          size_t size)
{
    ssize_t n;
    Py_BEGIN_ALLOW_THREADS
    n = path->fd >= 0 ? fgetxattr(path->fd, name, buf, size)
        : follow      ? getxattr(path->narrow, name, buf, size)
                      : lgetxattr(path->narrow, name, buf, size);
    Py_END_ALLOW_THREADS
    return n;
}

static PyObject *
read_value(posix_path *path, posix_path *name, int follow)
{
    static const Py_ssize_t sizes[] = {128, XATTR_SIZE_MAX};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(sizes); i++) {
        PyObject *res = PyBytes_FromStringAndSize(NULL, sizes[i]);
        if (res == NULL) {
            return NULL;
        }
        ssize_t n = get_value(path, name->narrow, follow,
                              PyBytes_AS_STRING(res), (size_t)sizes[i]);
        if (n >= 0) {
            if (n != sizes[i]) {
                _PyBytes_Resize(&res, n);
            }
            return res;
        }
        int err = errno;
        Py_DECREF(res);
        errno = err;
        if (err != ERANGE) {
            break;
        }
    }
    return kr_posix_path_error(path);
}

static PyObject *
os_getxattr(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("getxattr", "path", "attribute", "follow_symlinks");
    posix_path path = POSIX_PATH("getxattr", "path", false, true);
    posix_path name = POSIX_PATH("getxattr", "attribute", false, false);
    PyObject *a[3], *res = NULL;
    int follow = 1;
    if (kr_unpack(args, nargs, kwnames, &parser, 2, 2, 3, a) &&
        kr_posix_path_convert(a[0], &path) &&
        kr_posix_path_convert(a[1], &name) &&
        (a[2] == NULL || kr_arg_bool(a[2], &follow)) &&
        fd_follows("getxattr", &path, follow) &&
        PySys_Audit("os.getxattr", "OO", path.object, name.object) >= 0) {
        res = read_value(&path, &name, follow);
    }
    kr_posix_path_done(&path);
    kr_posix_path_done(&name);
    return res;
}

static PyObject *
os_setxattr(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("setxattr", "path", "attribute", "value", "flags",
              "follow_symlinks");
    posix_path path = POSIX_PATH("setxattr", "path", false, true);
    posix_path name = POSIX_PATH("setxattr", "attribute", false, false);
    PyObject *a[5], *res = NULL;
    Py_buffer value = {NULL};
    int flags = 0, follow = 1, rc;
    if (kr_unpack(args, nargs, kwnames, &parser, 3, 4, 5, a) &&
        kr_posix_path_convert(a[0], &path) &&
        kr_posix_path_convert(a[1], &name) &&
        kr_arg_buffer("setxattr", "argument 'value'", a[2], &value) &&
        (a[3] == NULL || kr_arg_int(a[3], &flags)) &&
        (a[4] == NULL || kr_arg_bool(a[4], &follow)) &&
        fd_follows("setxattr", &path, follow) &&
        PySys_Audit("os.setxattr", "OOy#i", path.object, name.object, value.buf,
                    value.len, flags) >= 0) {
        const char *n = name.narrow;
        size_t len = (size_t)value.len;
        Py_BEGIN_ALLOW_THREADS
        rc = path.fd > -1 ? fsetxattr(path.fd, n, value.buf, len, flags)
             : follow     ? setxattr(path.narrow, n, value.buf, len, flags)
                          : lsetxattr(path.narrow, n, value.buf, len, flags);
        Py_END_ALLOW_THREADS
        res = rc ? kr_posix_path_error(&path) : Py_NewRef(Py_None);
    }
    if (value.obj != NULL) {
        PyBuffer_Release(&value);
    }
    kr_posix_path_done(&path);
    kr_posix_path_done(&name);
    return res;
}

static PyObject *
os_removexattr(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("removexattr", "path", "attribute", "follow_symlinks");
    posix_path path = POSIX_PATH("removexattr", "path", false, true);
    posix_path name = POSIX_PATH("removexattr", "attribute", false, false);
    PyObject *a[3], *res = NULL;
    int follow = 1, rc;
    if (kr_unpack(args, nargs, kwnames, &parser, 2, 2, 3, a) &&
        kr_posix_path_convert(a[0], &path) &&
        kr_posix_path_convert(a[1], &name) &&
        (a[2] == NULL || kr_arg_bool(a[2], &follow)) &&
        fd_follows("removexattr", &path, follow) &&
        PySys_Audit("os.removexattr", "OO", path.object, name.object) >= 0) {
        Py_BEGIN_ALLOW_THREADS
        rc = path.fd > -1 ? fremovexattr(path.fd, name.narrow)
             : follow     ? removexattr(path.narrow, name.narrow)
                          : lremovexattr(path.narrow, name.narrow);
        Py_END_ALLOW_THREADS
        res = rc ? kr_posix_path_error(&path) : Py_NewRef(Py_None);
    }
    kr_posix_path_done(&path);
    kr_posix_path_done(&name);
    return res;
}

/* The kernel gives the names as a run of C strings. */
static PyObject *
split_names(const char *buf, ssize_t len)
{
    PyObject *list = PyList_New(0);
    const char *end = buf + len;
    while (list != NULL && buf < end) {
        size_t n = strlen(buf);
        PyObject *name = PyUnicode_DecodeFSDefaultAndSize(buf, (Py_ssize_t)n);
        if (name == NULL || PyList_Append(list, name) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(name);
        buf += n + 1;
    }
    return list;
}

static PyObject *
list_names(posix_path *path, int follow)
{
    static const size_t sizes[] = {256, XATTR_LIST_MAX};
    const char *name = path->narrow ? path->narrow : ".";
    for (size_t i = 0; i < Py_ARRAY_LENGTH(sizes); i++) {
        char *buf = PyMem_Malloc(sizes[i]);
        ssize_t n;
        if (buf == NULL) {
            return PyErr_NoMemory();
        }
        Py_BEGIN_ALLOW_THREADS
        n = path->fd > -1 ? flistxattr(path->fd, buf, sizes[i])
            : follow      ? listxattr(name, buf, sizes[i])
                          : llistxattr(name, buf, sizes[i]);
        Py_END_ALLOW_THREADS
        if (n >= 0) {
            PyObject *res = split_names(buf, n);
            PyMem_Free(buf);
            return res;
        }
        int err = errno;
        PyMem_Free(buf);
        errno = err;
        if (err != ERANGE) {
            break;
        }
    }
    return kr_posix_path_error(path);
}

static PyObject *
os_listxattr(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("listxattr", "path", "follow_symlinks");
    posix_path path = POSIX_PATH("listxattr", "path", true, true);
    PyObject *a[2], *res = NULL;
    int follow = 1;
    if (kr_unpack(args, nargs, kwnames, &parser, 0, 1, 2, a) &&
        kr_posix_path_convert(a[0], &path) &&
        (a[1] == NULL || kr_arg_bool(a[1], &follow)) &&
        fd_follows("listxattr", &path, follow) &&
        PySys_Audit("os.listxattr", "(O)",
                    path.object ? path.object : Py_None) >= 0) {
        res = list_names(&path, follow);
    }
    kr_posix_path_done(&path);
    return res;
}

PyMethodDef kr_posix_xattr_methods[] = {
    {"getxattr", KR_CAST(os_getxattr), KR_FAST,
     "getxattr($module, /, path, attribute, *, follow_symlinks=True)\n--\n\n"
     "Value of an extended attribute."},
    {"setxattr", KR_CAST(os_setxattr), KR_FAST,
     "setxattr($module, /, path, attribute, value, flags=0, *,\n"
     "         follow_symlinks=True)\n--\n\nSet an extended attribute."},
    {"removexattr", KR_CAST(os_removexattr), KR_FAST,
     "removexattr($module, /, path, attribute, *, follow_symlinks=True)\n"
     "--\n\nRemove an extended attribute."},
    {"listxattr", KR_CAST(os_listxattr), KR_FAST,
     "listxattr($module, /, path=None, *, follow_symlinks=True)\n--\n\n"
     "Names of the extended attributes of a file."},
    {NULL},
};
