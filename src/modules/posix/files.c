/* Names in the file system: make, rename, link, remove, open, truncate, and
 * the current directory. */
#include "modules/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static PyObject *
path_result(posix_path *path, int rc)
{
    if (rc != 0) {
        return kr_posix_path_error(path);
    }
    Py_RETURN_NONE;
}

static PyObject *
os_open(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("open", "path", "flags", "mode", "dir_fd");
    posix_path path = POSIX_PATH("open", "path", false, false);
    PyObject *a[4], *res = NULL;
    int flags, mode = 0777, dir_fd, fd, async_err = 0;
    if (kr_unpack(args, nargs, kwnames, &parser, 2, 3, 4, a) &&
        kr_posix_path_convert(a[0], &path) && kr_arg_int(a[1], &flags) &&
        (a[2] == NULL || kr_arg_int(a[2], &mode)) &&
        kr_posix_arg_dir_fd(a[3], &dir_fd)) {
        flags |= O_CLOEXEC;
        if (PySys_Audit("open", "OOi", path.object, Py_None, flags) >= 0) {
            POSIX_RETRY(fd, openat(dir_fd, path.narrow, flags, mode));
            if (fd >= 0) {
                res = PyLong_FromLong(fd);
            }
            else if (!async_err) {
                kr_posix_path_error(&path);
            }
        }
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_mkdir(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("mkdir", "path", "mode", "dir_fd");
    posix_path path = POSIX_PATH("mkdir", "path", false, false);
    PyObject *a[3], *res = NULL;
    int mode = 0777, dir_fd, rc;
    if (kr_unpack(args, nargs, kwnames, &parser, 1, 2, 3, a) &&
        kr_posix_path_convert(a[0], &path) &&
        (a[1] == NULL || kr_arg_int(a[1], &mode)) &&
        kr_posix_arg_dir_fd(a[2], &dir_fd) &&
        PySys_Audit("os.mkdir", "Oii", path.object, mode,
                    POSIX_AUDIT_DIR_FD(dir_fd)) >= 0) {
        POSIX_NO_GIL(rc = mkdirat(dir_fd, path.narrow, (mode_t)mode));
        res = path_result(&path, rc);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_rmdir(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("rmdir", "path", "dir_fd");
    posix_path path = POSIX_PATH("rmdir", "path", false, false);
    PyObject *a[2], *res = NULL;
    int dir_fd, rc;
    if (kr_unpack(args, nargs, kwnames, &parser, 1, 1, 2, a) &&
        kr_posix_path_convert(a[0], &path) &&
        kr_posix_arg_dir_fd(a[1], &dir_fd) &&
        PySys_Audit("os.rmdir", "Oi", path.object,
                    POSIX_AUDIT_DIR_FD(dir_fd)) >= 0) {
        POSIX_NO_GIL(rc = unlinkat(dir_fd, path.narrow, AT_REMOVEDIR));
        res = path_result(&path, rc);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
do_unlink(_PyArg_Parser *parser, const char *name, KR_FASTCALL_ARGS)
{
    posix_path path = POSIX_PATH(name, "path", false, false);
    PyObject *a[2], *res = NULL;
    int dir_fd, rc;
    if (kr_unpack(args, nargs, kwnames, parser, 1, 1, 2, a) &&
        kr_posix_path_convert(a[0], &path) &&
        kr_posix_arg_dir_fd(a[1], &dir_fd) &&
        PySys_Audit("os.remove", "Oi", path.object,
                    POSIX_AUDIT_DIR_FD(dir_fd)) >= 0) {
        POSIX_NO_GIL(rc = unlinkat(dir_fd, path.narrow, 0));
        res = path_result(&path, rc);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_unlink(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("unlink", "path", "dir_fd");
    return do_unlink(&parser, "unlink", args, nargs, kwnames);
}

static PyObject *
os_remove(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("remove", "path", "dir_fd");
    return do_unlink(&parser, "remove", args, nargs, kwnames);
}

static PyObject *
do_rename(_PyArg_Parser *parser, const char *name, KR_FASTCALL_ARGS)
{
    posix_path src = POSIX_PATH(name, "src", false, false);
    posix_path dst = POSIX_PATH(name, "dst", false, false);
    PyObject *a[4], *res = NULL;
    int src_fd, dst_fd, rc;
    if (kr_unpack(args, nargs, kwnames, parser, 2, 2, 4, a) &&
        kr_posix_path_convert(a[0], &src) &&
        kr_posix_path_convert(a[1], &dst) &&
        kr_posix_arg_dir_fd(a[2], &src_fd) &&
        kr_posix_arg_dir_fd(a[3], &dst_fd) &&
        PySys_Audit("os.rename", "OOii", src.object, dst.object,
                    POSIX_AUDIT_DIR_FD(src_fd),
                    POSIX_AUDIT_DIR_FD(dst_fd)) >= 0) {
        POSIX_NO_GIL(rc = renameat(src_fd, src.narrow, dst_fd, dst.narrow));
        res = rc ? kr_posix_path_error2(&src, &dst) : Py_NewRef(Py_None);
    }
    kr_posix_path_done(&src);
    kr_posix_path_done(&dst);
    return res;
}

static PyObject *
os_rename(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("rename", "src", "dst", "src_dir_fd", "dst_dir_fd");
    return do_rename(&parser, "rename", args, nargs, kwnames);
}

static PyObject *
os_replace(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("replace", "src", "dst", "src_dir_fd", "dst_dir_fd");
    return do_rename(&parser, "replace", args, nargs, kwnames);
}

static PyObject *
os_link(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("link", "src", "dst", "src_dir_fd", "dst_dir_fd",
              "follow_symlinks");
    posix_path src = POSIX_PATH("link", "src", false, false);
    posix_path dst = POSIX_PATH("link", "dst", false, false);
    PyObject *a[5], *res = NULL;
    int src_fd, dst_fd, follow = 1, rc;
    if (kr_unpack(args, nargs, kwnames, &parser, 2, 2, 5, a) &&
        kr_posix_path_convert(a[0], &src) &&
        kr_posix_path_convert(a[1], &dst) &&
        kr_posix_arg_dir_fd(a[2], &src_fd) &&
        kr_posix_arg_dir_fd(a[3], &dst_fd) &&
        (a[4] == NULL || kr_arg_bool(a[4], &follow)) &&
        PySys_Audit("os.link", "OOii", src.object, dst.object,
                    POSIX_AUDIT_DIR_FD(src_fd),
                    POSIX_AUDIT_DIR_FD(dst_fd)) >= 0) {
        /* A plain link() does not follow on Linux: the default stays so. */
        if (src_fd != AT_FDCWD || dst_fd != AT_FDCWD || !follow) {
            POSIX_NO_GIL(rc = linkat(src_fd, src.narrow, dst_fd, dst.narrow,
                                     follow ? AT_SYMLINK_FOLLOW : 0));
        }
        else {
            POSIX_NO_GIL(rc = link(src.narrow, dst.narrow));
        }
        res = rc ? kr_posix_path_error2(&src, &dst) : Py_NewRef(Py_None);
    }
    kr_posix_path_done(&src);
    kr_posix_path_done(&dst);
    return res;
}

static PyObject *
os_symlink(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("symlink", "src", "dst", "target_is_directory", "dir_fd");
    posix_path src = POSIX_PATH("symlink", "src", false, false);
    posix_path dst = POSIX_PATH("symlink", "dst", false, false);
    PyObject *a[4], *res = NULL;
    int dir_fd, is_dir = 0, rc;
    if (kr_unpack(args, nargs, kwnames, &parser, 2, 3, 4, a) &&
        kr_posix_path_convert(a[0], &src) &&
        kr_posix_path_convert(a[1], &dst) &&
        (a[2] == NULL || kr_arg_bool(a[2], &is_dir)) &&
        kr_posix_arg_dir_fd(a[3], &dir_fd) &&
        PySys_Audit("os.symlink", "OOi", src.object, dst.object,
                    POSIX_AUDIT_DIR_FD(dir_fd)) >= 0) {
        POSIX_NO_GIL(rc = symlinkat(src.narrow, dir_fd, dst.narrow));
        res = rc ? kr_posix_path_error2(&src, &dst) : Py_NewRef(Py_None);
    }
    kr_posix_path_done(&src);
    kr_posix_path_done(&dst);
    return res;
}

static PyObject *
os_readlink(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("readlink", "path", "dir_fd");
    posix_path path = POSIX_PATH("readlink", "path", false, false);
    PyObject *a[2], *res = NULL;
    char target[PATH_MAX + 1];
    ssize_t n;
    int dir_fd;
    if (kr_unpack(args, nargs, kwnames, &parser, 1, 1, 2, a) &&
        kr_posix_path_convert(a[0], &path) &&
        kr_posix_arg_dir_fd(a[1], &dir_fd)) {
        POSIX_NO_GIL(n = readlinkat(dir_fd, path.narrow, target, PATH_MAX));
        if (n < 0) {
            kr_posix_path_error(&path);
        }
        else if (PyObject_CheckBuffer(path.object)) {
            res = PyBytes_FromStringAndSize(target, n);
        }
        else {
            res = PyUnicode_DecodeFSDefaultAndSize(target, n);
        }
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_mkfifo(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("mkfifo", "path", "mode", "dir_fd");
    posix_path path = POSIX_PATH("mkfifo", "path", false, false);
    PyObject *a[3], *res = NULL;
    int mode = 0666, dir_fd, rc, async_err = 0;
    if (kr_unpack(args, nargs, kwnames, &parser, 1, 2, 3, a) &&
        kr_posix_path_convert(a[0], &path) &&
        (a[1] == NULL || kr_arg_int(a[1], &mode)) &&
        kr_posix_arg_dir_fd(a[2], &dir_fd)) {
        POSIX_RETRY(rc, mkfifoat(dir_fd, path.narrow, (mode_t)mode));
        res = async_err ? NULL : kr_posix_none_or_error(rc);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_mknod(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("mknod", "path", "mode", "device", "dir_fd");
    posix_path path = POSIX_PATH("mknod", "path", false, false);
    PyObject *a[4], *res = NULL;
    int mode = 0600, dir_fd, rc, async_err = 0;
    dev_t device = 0;
    if (kr_unpack(args, nargs, kwnames, &parser, 1, 3, 4, a) &&
        kr_posix_path_convert(a[0], &path) &&
        (a[1] == NULL || kr_arg_int(a[1], &mode)) &&
        (a[2] == NULL || kr_posix_arg_dev(a[2], &device)) &&
        kr_posix_arg_dir_fd(a[3], &dir_fd)) {
        POSIX_RETRY(rc, mknodat(dir_fd, path.narrow, (mode_t)mode, device));
        res = async_err ? NULL : kr_posix_none_or_error(rc);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_truncate(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("truncate", "path", "length");
    posix_path path = POSIX_PATH("truncate", "path", false, true);
    PyObject *a[2], *res = NULL;
    long long length;
    int rc, async_err = 0;
    if (kr_unpack(args, nargs, kwnames, &parser, 2, 2, 2, a) &&
        kr_posix_path_convert(a[0], &path) && kr_arg_longlong(a[1], &length) &&
        PySys_Audit("os.truncate", "OL", path.object, length) >= 0) {
        if (path.fd != -1) {
            POSIX_RETRY(rc, ftruncate(path.fd, length));
            res = async_err ? NULL : kr_posix_none_or_error(rc);
        }
        else {
            POSIX_NO_GIL(rc = truncate(path.narrow, length));
            res = path_result(&path, rc);
        }
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_chdir(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("chdir", "path");
    posix_path path = POSIX_PATH("chdir", "path", false, true);
    PyObject *a[1], *res = NULL;
    int rc;
    if (kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) &&
        kr_posix_path_convert(a[0], &path) &&
        PySys_Audit("os.chdir", "(O)", path.object) >= 0) {
        POSIX_NO_GIL(rc = path.fd != -1 ? fchdir(path.fd)
                                        : chdir(path.narrow));
        res = path_result(&path, rc);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_fchdir(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("fchdir", "fd");
    PyObject *a[1];
    int fd, rc, async_err = 0;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !kr_posix_arg_fileno(a[0], &fd) ||
        PySys_Audit("os.chdir", "(i)", fd) < 0) {
        return NULL;
    }
    POSIX_RETRY(rc, fchdir(fd));
    return async_err ? NULL : kr_posix_none_or_error(rc);
}

static PyObject *
os_chroot(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("chroot", "path");
    posix_path path = POSIX_PATH("chroot", "path", false, false);
    PyObject *a[1], *res = NULL;
    int rc;
    if (kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) &&
        kr_posix_path_convert(a[0], &path)) {
        POSIX_NO_GIL(rc = chroot(path.narrow));
        res = path_result(&path, rc);
    }
    kr_posix_path_done(&path);
    return res;
}

/* Deep directories have longer names than PATH_MAX: the buffer grows. */
static PyObject *
current_directory(bool as_bytes)
{
    size_t size = 1024;
    char *buf = NULL, *cwd;
    for (;; size += 1024) {
        char *bigger = PyMem_RawRealloc(buf, size);
        if (bigger == NULL) {
            PyMem_RawFree(buf);
            return PyErr_NoMemory();
        }
        buf = bigger;
        POSIX_NO_GIL(cwd = getcwd(buf, size));
        if (cwd != NULL || errno != ERANGE) {
            break;
        }
    }
    PyObject *res = NULL;
    if (cwd == NULL) {
        kr_posix_error();
    }
    else {
        res = as_bytes ? PyBytes_FromString(cwd)
                       : PyUnicode_DecodeFSDefault(cwd);
    }
    PyMem_RawFree(buf);
    return res;
}

static PyObject *
os_getcwd(PyObject *module, PyObject *unused)
{
    return current_directory(false);
}

static PyObject *
os_getcwdb(PyObject *module, PyObject *unused)
{
    return current_directory(true);
}

static PyObject *
os_sync(PyObject *module, PyObject *unused)
{
    POSIX_NO_GIL(sync());
    Py_RETURN_NONE;
}

static PyObject *
os_pathconf(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("pathconf", "path", "name");
    posix_path path = POSIX_PATH("pathconf", "path", false, true);
    PyObject *a[2], *res = NULL;
    int name;
    if (kr_unpack(args, nargs, kwnames, &parser, 2, 2, 2, a) &&
        kr_posix_path_convert(a[0], &path) &&
        kr_posix_arg_pathconf(a[1], &name)) {
        errno = 0;
        long limit = path.fd != -1 ? fpathconf(path.fd, name)
                                   : pathconf(path.narrow, name);
        if (limit == -1 && errno != 0) {
            /* EINVAL is about the name, not the file */
            errno == EINVAL ? kr_posix_error() : kr_posix_path_error(&path);
        }
        else {
            res = PyLong_FromLong(limit);
        }
    }
    kr_posix_path_done(&path);
    return res;
}

PyMethodDef kr_posix_file_methods[] = {
    {"open", KR_CAST(os_open), KR_FAST,
     "open($module, /, path, flags, mode=511, *, dir_fd=None)\n--\n\n"
     "Open a file for low-level I/O; gives a descriptor."},
    {"mkdir", KR_CAST(os_mkdir), KR_FAST,
     "mkdir($module, /, path, mode=511, *, dir_fd=None)\n--\n\n"
     "Create a directory."},
    {"rmdir", KR_CAST(os_rmdir), KR_FAST,
     "rmdir($module, /, path, *, dir_fd=None)\n--\n\n"
     "Remove an empty directory."},
    {"unlink", KR_CAST(os_unlink), KR_FAST,
     "unlink($module, /, path, *, dir_fd=None)\n--\n\nRemove a file."},
    {"remove", KR_CAST(os_remove), KR_FAST,
     "remove($module, /, path, *, dir_fd=None)\n--\n\nRemove a file."},
    {"rename", KR_CAST(os_rename), KR_FAST,
     "rename($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)\n"
     "--\n\nRename a file or directory."},
    {"replace", KR_CAST(os_replace), KR_FAST,
     "replace($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)\n"
     "--\n\nRename a file or directory, replacing the destination."},
    {"link", KR_CAST(os_link), KR_FAST,
     "link($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None,\n"
     "     follow_symlinks=True)\n--\n\nCreate a hard link to a file."},
    {"symlink", KR_CAST(os_symlink), KR_FAST,
     "symlink($module, /, src, dst, target_is_directory=False, *, "
     "dir_fd=None)\n--\n\nCreate a symbolic link named dst to src."},
    {"readlink", KR_CAST(os_readlink), KR_FAST,
     "readlink($module, /, path, *, dir_fd=None)\n--\n\n"
     "What a symbolic link points to."},
    {"mkfifo", KR_CAST(os_mkfifo), KR_FAST,
     "mkfifo($module, /, path, mode=438, *, dir_fd=None)\n--\n\n"
     "Create a named pipe."},
    {"mknod", KR_CAST(os_mknod), KR_FAST,
     "mknod($module, /, path, mode=384, device=0, *, dir_fd=None)\n--\n\n"
     "Create a node in the file system."},
    {"truncate", KR_CAST(os_truncate), KR_FAST,
     "truncate($module, /, path, length)\n--\n\n"
     "Set the size of a file given by path or descriptor."},
    {"chdir", KR_CAST(os_chdir), KR_FAST,
     "chdir($module, /, path)\n--\n\nChange the current directory."},
    {"fchdir", KR_CAST(os_fchdir), KR_FAST,
     "fchdir($module, /, fd)\n--\n\n"
     "Change the current directory to an open one."},
    {"chroot", KR_CAST(os_chroot), KR_FAST,
     "chroot($module, /, path)\n--\n\nChange the root directory."},
    {"getcwd", os_getcwd, METH_NOARGS,
     "getcwd($module, /)\n--\n\nThe current directory as a str."},
    {"getcwdb", os_getcwdb, METH_NOARGS,
     "getcwdb($module, /)\n--\n\nThe current directory as bytes."},
    {"sync", os_sync, METH_NOARGS,
     "sync($module, /)\n--\n\nWrite all cached file data to disk."},
    {"pathconf", KR_CAST(os_pathconf), KR_FAST,
     "pathconf($module, /, path, name)\n--\n\n"
     "A configuration limit of a file or directory."},
    {NULL},
};
