/* stat family, statvfs, access, chmod, chown and file times. */
#include "modules/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* tp_new that PyStructSequence_NewType gave stat_result; ours wraps it. */
static struct kr_posix_stat_state {
    newfunc plain_new;
} stat_state;

static PyStructSequence_Field stat_fields[] = {
    {"st_mode", "protection bits"},
    {"st_ino", "inode"},
    {"st_dev", "device"},
    {"st_nlink", "number of hard links"},
    {"st_uid", "user ID of owner"},
    {"st_gid", "group ID of owner"},
    {"st_size", "total size, in bytes"},
    {NULL, "integer time of last access"},
    {NULL, "integer time of last modification"},
    {NULL, "integer time of last change"},
    {"st_atime", "time of last access"},
    {"st_mtime", "time of last modification"},
    {"st_ctime", "time of last change"},
    {"st_atime_ns", "time of last access in nanoseconds"},
    {"st_mtime_ns", "time of last modification in nanoseconds"},
    {"st_ctime_ns", "time of last change in nanoseconds"},
    {"st_blksize", "blocksize for filesystem I/O"},
    {"st_blocks", "number of blocks allocated"},
    {"st_rdev", "device type (if inode device)"},
    {NULL},
};

static PyStructSequence_Desc stat_desc = {
    "os.stat_result",
    "stat_result: what os.stat(), os.fstat() and os.lstat() give.\n\n"
    "As a tuple it has ten items; further values are attributes only.",
    stat_fields,
    10,
};

static PyStructSequence_Field statvfs_fields[] = {
    {"f_bsize"},  {"f_frsize"},  {"f_blocks"}, {"f_bfree"},
    {"f_bavail"}, {"f_files"},   {"f_ffree"},  {"f_favail"},
    {"f_flag"},   {"f_namemax"}, {"f_fsid"},   {NULL},
};

static PyStructSequence_Desc statvfs_desc = {
    "os.statvfs_result",
    "statvfs_result: what os.statvfs() and os.fstatvfs() give.",
    statvfs_fields,
    10,
};

/* Float times default to the integer ones, as in results rebuilt by pickle. */
static PyObject *
stat_result_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *op = stat_state.plain_new(type, args, kwargs);
    if (op == NULL) {
        return NULL;
    }
    PyStructSequence *seq = (PyStructSequence *)op;
    for (int i = 7; i <= 9; i++) {
        if (seq->ob_item[i + 3] == Py_None) {
            Py_DECREF(Py_None);
            seq->ob_item[i + 3] = Py_NewRef(seq->ob_item[i]);
        }
    }
    return op;
}

static PyObject *
time_ns(time_t sec, unsigned long nsec)
{
    if (sec > -9000000000 && sec < 9000000000) {
        return PyLong_FromLongLong((long long)sec * 1000000000 +
                                   (long long)nsec);
    }
    PyObject *s = PyLong_FromLongLong(sec);
    PyObject *billion = PyLong_FromLong(1000000000);
    PyObject *ns = PyLong_FromUnsignedLong(nsec);
    PyObject *mul = s && billion ? PyNumber_Multiply(s, billion) : NULL;
    PyObject *res = mul && ns ? PyNumber_Add(mul, ns) : NULL;
    Py_XDECREF(s);
    Py_XDECREF(billion);
    Py_XDECREF(ns);
    Py_XDECREF(mul);
    return res;
}

static void
fill_time(PyObject *v, int index, const struct timespec *ts)
{
    PyStructSequence_SET_ITEM(v, index, PyLong_FromLongLong(ts->tv_sec));
    PyStructSequence_SET_ITEM(
        v, index + 3,
        PyFloat_FromDouble((double)ts->tv_sec + 1e-9 * (double)ts->tv_nsec));
    PyStructSequence_SET_ITEM(
        v, index + 6, time_ns(ts->tv_sec, (unsigned long)ts->tv_nsec));
}

PyObject *
kr_posix_stat_new(posix_state *state, const struct stat *st)
{
    PyObject *v = PyStructSequence_New(state->stat_result);
    if (v == NULL) {
        return NULL;
    }
    PyStructSequence_SET_ITEM(v, 0, PyLong_FromLong((long)st->st_mode));
    PyStructSequence_SET_ITEM(v, 1, PyLong_FromUnsignedLongLong(st->st_ino));
    PyStructSequence_SET_ITEM(v, 2, PyLong_FromUnsignedLongLong(st->st_dev));
    PyStructSequence_SET_ITEM(v, 3, PyLong_FromLong((long)st->st_nlink));
    PyStructSequence_SET_ITEM(v, 4, _PyLong_FromUid(st->st_uid));
    PyStructSequence_SET_ITEM(v, 5, _PyLong_FromGid(st->st_gid));
    PyStructSequence_SET_ITEM(v, 6, PyLong_FromLongLong(st->st_size));
    fill_time(v, 7, &st->st_atim);
    fill_time(v, 8, &st->st_mtim);
    fill_time(v, 9, &st->st_ctim);
    PyStructSequence_SET_ITEM(v, 16, PyLong_FromLong(st->st_blksize));
    PyStructSequence_SET_ITEM(v, 17, PyLong_FromLong(st->st_blocks));
    PyStructSequence_SET_ITEM(v, 18, PyLong_FromUnsignedLong(st->st_rdev));
    if (PyErr_Occurred()) {
        Py_CLEAR(v);
    }
    return v;
}

static PyObject *
do_stat(PyObject *module, const char *function, posix_path *path, int dir_fd,
        int follow)
{
    struct stat st;
    int rc;
    if (path->fd != -1 && dir_fd != AT_FDCWD) {
        PyErr_Format(PyExc_ValueError,
                     "%s: can't specify dir_fd without matching path",
                     function);
        return NULL;
    }
    if (path->fd != -1 && !follow) {
        PyErr_Format(PyExc_ValueError,
                     "%s: cannot use fd and follow_symlinks together",
                     function);
        return NULL;
    }
    if (path->fd != -1) {
        POSIX_NO_GIL(rc = fstat(path->fd, &st));
    }
    else {
        POSIX_NO_GIL(rc = fstatat(dir_fd, path->narrow, &st,
                                  follow ? 0 : AT_SYMLINK_NOFOLLOW));
    }
    if (rc != 0) {
        return kr_posix_path_error(path);
    }
    return kr_posix_stat_new(posix_get_state(module), &st);
}

static PyObject *
os_stat(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("stat", "path", "dir_fd", "follow_symlinks");
    posix_path path = POSIX_PATH("stat", "path", false, true);
    PyObject *a[3], *res = NULL;
    int dir_fd, follow = 1;
    if (kr_unpack(args, nargs, kwnames, &parser, 1, 1, 3, a) &&
        kr_posix_path_convert(a[0], &path) &&
        kr_posix_arg_dir_fd(a[1], &dir_fd) &&
        (a[2] == NULL || kr_arg_bool(a[2], &follow))) {
        res = do_stat(module, "stat", &path, dir_fd, follow);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_lstat(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("lstat", "path", "dir_fd");
    posix_path path = POSIX_PATH("lstat", "path", false, false);
    PyObject *a[2], *res = NULL;
    int dir_fd;
    if (kr_unpack(args, nargs, kwnames, &parser, 1, 1, 2, a) &&
        kr_posix_path_convert(a[0], &path) &&
        kr_posix_arg_dir_fd(a[1], &dir_fd)) {
        res = do_stat(module, "lstat", &path, dir_fd, 0);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_fstat(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("fstat", "fd");
    PyObject *a[1];
    struct stat st;
    int fd, rc, async_err = 0;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !kr_arg_int(a[0], &fd)) {
        return NULL;
    }
    POSIX_RETRY(rc, fstat(fd, &st));
    if (rc != 0) {
        return async_err ? NULL : kr_posix_error();
    }
    return kr_posix_stat_new(posix_get_state(module), &st);
}

static PyObject *
statvfs_new(PyObject *module, const struct statvfs *st)
{
    PyObject *v =
        PyStructSequence_New(posix_get_state(module)->statvfs_result);
    if (v == NULL) {
        return NULL;
    }
    const unsigned long values[] = {
        st->f_bsize, st->f_frsize, st->f_blocks, st->f_bfree,
        st->f_bavail, st->f_files, st->f_ffree, st->f_favail,
        st->f_flag, st->f_namemax, st->f_fsid,
    };
    for (int i = 0; i < (int)Py_ARRAY_LENGTH(values); i++) {
        PyStructSequence_SET_ITEM(v, i, PyLong_FromUnsignedLong(values[i]));
    }
    if (PyErr_Occurred()) {
        Py_CLEAR(v);
    }
    return v;
}

static PyObject *
os_fstatvfs(PyObject *module, PyObject *arg)
{
    struct statvfs st;
    int fd, rc, async_err = 0;
    if (!kr_arg_int(arg, &fd)) {
        return NULL;
    }
    POSIX_RETRY(rc, fstatvfs(fd, &st));
    if (rc != 0) {
        return async_err ? NULL : kr_posix_error();
    }
    return statvfs_new(module, &st);
}

static PyObject *
os_statvfs(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("statvfs", "path");
    posix_path path = POSIX_PATH("statvfs", "path", false, true);
    PyObject *a[1], *res = NULL;
    struct statvfs st;
    int rc;
    if (kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) &&
        kr_posix_path_convert(a[0], &path)) {
        POSIX_NO_GIL(rc = path.fd != -1 ? fstatvfs(path.fd, &st)
                                        : statvfs(path.narrow, &st));
        res = rc ? kr_posix_path_error(&path) : statvfs_new(module, &st);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_access(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("access", "path", "mode", "dir_fd", "effective_ids",
              "follow_symlinks");
    posix_path path = POSIX_PATH("access", "path", false, false);
    PyObject *a[5], *res = NULL;
    int mode, dir_fd, effective = 0, follow = 1, rc;
    if (kr_unpack(args, nargs, kwnames, &parser, 2, 2, 5, a) &&
        kr_posix_path_convert(a[0], &path) && kr_arg_int(a[1], &mode) &&
        kr_posix_arg_dir_fd(a[2], &dir_fd) &&
        (a[3] == NULL || kr_arg_bool(a[3], &effective)) &&
        (a[4] == NULL || kr_arg_bool(a[4], &follow))) {
        int flags = (follow ? 0 : AT_SYMLINK_NOFOLLOW) |
                    (effective ? AT_EACCESS : 0);
        POSIX_NO_GIL(rc = faccessat(dir_fd, path.narrow, mode, flags));
        res = PyBool_FromLong(rc == 0);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
do_chmod(posix_path *path, int mode, int dir_fd, int follow)
{
    int rc;
    if (path->fd != -1) {
        POSIX_NO_GIL(rc = fchmod(path->fd, (mode_t)mode));
    }
    else {
        POSIX_NO_GIL(rc = fchmodat(dir_fd, path->narrow, (mode_t)mode,
                                   follow ? 0 : AT_SYMLINK_NOFOLLOW));
        if (rc != 0 && !follow && (errno == ENOTSUP || errno == EOPNOTSUPP)) {
            if (dir_fd != AT_FDCWD) {
                PyErr_SetString(PyExc_ValueError,
                                "chmod: cannot use dir_fd and "
                                "follow_symlinks together");
            }
            else {
                PyErr_SetString(PyExc_NotImplementedError,
                                "chmod: follow_symlinks unavailable on this "
                                "platform");
            }
            return NULL;
        }
    }
    if (rc != 0) {
        return kr_posix_path_error(path);
    }
    Py_RETURN_NONE;
}

static PyObject *
os_chmod(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("chmod", "path", "mode", "dir_fd", "follow_symlinks");
    posix_path path = POSIX_PATH("chmod", "path", false, true);
    PyObject *a[4], *res = NULL;
    int mode, dir_fd, follow = 1;
    if (kr_unpack(args, nargs, kwnames, &parser, 2, 2, 4, a) &&
        kr_posix_path_convert(a[0], &path) && kr_arg_int(a[1], &mode) &&
        kr_posix_arg_dir_fd(a[2], &dir_fd) &&
        (a[3] == NULL || kr_arg_bool(a[3], &follow)) &&
        PySys_Audit("os.chmod", "Oii", path.object, mode,
                    POSIX_AUDIT_DIR_FD(dir_fd)) >= 0) {
        res = do_chmod(&path, mode, dir_fd, follow);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_fchmod(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("fchmod", "fd", "mode");
    PyObject *a[2];
    int fd, mode, rc, async_err = 0;
    if (!kr_unpack(args, nargs, kwnames, &parser, 2, 2, 2, a) ||
        !kr_arg_int(a[0], &fd) || !kr_arg_int(a[1], &mode) ||
        PySys_Audit("os.chmod", "iii", fd, mode, -1) < 0) {
        return NULL;
    }
    POSIX_RETRY(rc, fchmod(fd, (mode_t)mode));
    return async_err ? NULL : kr_posix_none_or_error(rc);
}

static PyObject *
do_chown(posix_path *path, uid_t uid, gid_t gid, int dir_fd, int follow)
{
    int rc;
    if (path->fd != -1 && dir_fd != AT_FDCWD) {
        PyErr_SetString(PyExc_ValueError,
                        "chown: can't specify dir_fd without matching path");
        return NULL;
    }
    if (path->fd != -1 && !follow) {
        PyErr_SetString(PyExc_ValueError,
                        "chown: cannot use fd and follow_symlinks together");
        return NULL;
    }
    if (PySys_Audit("os.chown", "OIIi", path->object, uid, gid,
                    POSIX_AUDIT_DIR_FD(dir_fd)) < 0) {
        return NULL;
    }
    if (path->fd != -1) {
        POSIX_NO_GIL(rc = fchown(path->fd, uid, gid));
    }
    else {
        POSIX_NO_GIL(rc = fchownat(dir_fd, path->narrow, uid, gid,
                                   follow ? 0 : AT_SYMLINK_NOFOLLOW));
    }
    if (rc != 0) {
        return kr_posix_path_error(path);
    }
    Py_RETURN_NONE;
}

static PyObject *
os_chown(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("chown", "path", "uid", "gid", "dir_fd", "follow_symlinks");
    posix_path path = POSIX_PATH("chown", "path", false, true);
    PyObject *a[5], *res = NULL;
    int dir_fd, follow = 1;
    uid_t uid;
    gid_t gid;
    if (kr_unpack(args, nargs, kwnames, &parser, 3, 3, 5, a) &&
        kr_posix_path_convert(a[0], &path) && _Py_Uid_Converter(a[1], &uid) &&
        _Py_Gid_Converter(a[2], &gid) && kr_posix_arg_dir_fd(a[3], &dir_fd) &&
        (a[4] == NULL || kr_arg_bool(a[4], &follow))) {
        res = do_chown(&path, uid, gid, dir_fd, follow);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_lchown(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("lchown", "path", "uid", "gid");
    posix_path path = POSIX_PATH("lchown", "path", false, false);
    PyObject *a[3], *res = NULL;
    uid_t uid;
    gid_t gid;
    if (kr_unpack(args, nargs, kwnames, &parser, 3, 3, 3, a) &&
        kr_posix_path_convert(a[0], &path) && _Py_Uid_Converter(a[1], &uid) &&
        _Py_Gid_Converter(a[2], &gid)) {
        res = do_chown(&path, uid, gid, AT_FDCWD, 0);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_fchown(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("fchown", "fd", "uid", "gid");
    PyObject *a[3];
    int fd, rc, async_err = 0;
    uid_t uid;
    gid_t gid;
    if (!kr_unpack(args, nargs, kwnames, &parser, 3, 3, 3, a) ||
        !kr_arg_int(a[0], &fd) || !_Py_Uid_Converter(a[1], &uid) ||
        !_Py_Gid_Converter(a[2], &gid) ||
        PySys_Audit("os.chown", "iIIi", fd, uid, gid, -1) < 0) {
        return NULL;
    }
    POSIX_RETRY(rc, fchown(fd, uid, gid));
    return async_err ? NULL : kr_posix_none_or_error(rc);
}

/* Splits an integer of nanoseconds; any size that fits time_t. */
static bool
split_ns(PyObject *ns, struct timespec *ts)
{
    PyObject *billion = PyLong_FromLong(1000000000);
    PyObject *pair = billion ? PyNumber_Divmod(ns, billion) : NULL;
    bool ok = false;
    Py_XDECREF(billion);
    if (pair == NULL) {
        return false;
    }
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_Format(PyExc_TypeError,
                     "%.200s.__divmod__() must return a 2-tuple, not %.200s",
                     Py_TYPE(ns)->tp_name, Py_TYPE(pair)->tp_name);
    }
    else {
        ts->tv_sec = _PyLong_AsTime_t(PyTuple_GET_ITEM(pair, 0));
        if (ts->tv_sec != -1 || !PyErr_Occurred()) {
            ts->tv_nsec = PyLong_AsLong(PyTuple_GET_ITEM(pair, 1));
            ok = ts->tv_nsec != -1 || !PyErr_Occurred();
        }
    }
    Py_DECREF(pair);
    return ok;
}

/* Fills `ts` from the times= and ns= arguments; *now when neither is given. */
static bool
utime_times(PyObject *times, PyObject *ns, struct timespec ts[2], bool *now)
{
    *now = false;
    if (times != NULL && times != Py_None && ns != NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "utime: you may specify either 'times' or 'ns' but "
                        "not both");
        return false;
    }
    if (times != NULL && times != Py_None) {
        if (!PyTuple_CheckExact(times) || PyTuple_Size(times) != 2) {
            PyErr_SetString(
                PyExc_TypeError,
                "utime: 'times' must be either a tuple of two ints or None");
            return false;
        }
        for (int i = 0; i < 2; i++) {
            if (_PyTime_ObjectToTimespec(PyTuple_GET_ITEM(times, i),
                                         &ts[i].tv_sec, &ts[i].tv_nsec,
                                         _PyTime_ROUND_FLOOR) == -1) {
                return false;
            }
        }
        return true;
    }
    if (ns != NULL) {
        if (!PyTuple_CheckExact(ns) || PyTuple_Size(ns) != 2) {
            PyErr_SetString(PyExc_TypeError,
                            "utime: 'ns' must be a tuple of two ints");
            return false;
        }
        return split_ns(PyTuple_GET_ITEM(ns, 0), &ts[0]) &&
               split_ns(PyTuple_GET_ITEM(ns, 1), &ts[1]);
    }
    *now = true;
    return true;
}

static PyObject *
do_utime(posix_path *path, PyObject *times, PyObject *ns, int dir_fd,
         int follow)
{
    struct timespec ts[2];
    bool now;
    int rc;
    if (!utime_times(times, ns, ts, &now)) {
        return NULL;
    }
    if (path->fd != -1 && dir_fd != AT_FDCWD) {
        PyErr_SetString(PyExc_ValueError,
                        "utime: can't specify dir_fd without matching path");
        return NULL;
    }
    if (path->fd != -1 && !follow) {
        PyErr_SetString(PyExc_ValueError,
                        "utime: cannot use fd and follow_symlinks together");
        return NULL;
    }
    if (PySys_Audit("os.utime", "OOOi", path->object, times ? times : Py_None,
                    ns ? ns : Py_None, POSIX_AUDIT_DIR_FD(dir_fd)) < 0) {
        return NULL;
    }
    if (path->fd != -1) {
        POSIX_NO_GIL(rc = futimens(path->fd, now ? NULL : ts));
    }
    else {
        POSIX_NO_GIL(rc = utimensat(dir_fd, path->narrow, now ? NULL : ts,
                                    follow ? 0 : AT_SYMLINK_NOFOLLOW));
    }
    if (rc < 0) {
        /* no file name: CPython leaves it out here */
        return kr_posix_error();
    }
    Py_RETURN_NONE;
}

static PyObject *
os_utime(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("utime", "path", "times", "ns", "dir_fd", "follow_symlinks");
    posix_path path = POSIX_PATH("utime", "path", false, true);
    PyObject *a[5], *res = NULL;
    int dir_fd, follow = 1;
    if (kr_unpack(args, nargs, kwnames, &parser, 1, 2, 5, a) &&
        kr_posix_path_convert(a[0], &path) &&
        kr_posix_arg_dir_fd(a[3], &dir_fd) &&
        (a[4] == NULL || kr_arg_bool(a[4], &follow))) {
        res = do_utime(&path, a[1], a[2], dir_fd, follow);
    }
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_umask(PyObject *module, PyObject *arg)
{
    int mask;
    if (!kr_arg_int(arg, &mask)) {
        return NULL;
    }
    return PyLong_FromLong((long)umask((mode_t)mask));
}

static PyObject *
os_major(PyObject *module, PyObject *arg)
{
    dev_t dev;
    return kr_posix_arg_dev(arg, &dev) ? PyLong_FromLong((long)major(dev))
                                       : NULL;
}

static PyObject *
os_minor(PyObject *module, PyObject *arg)
{
    dev_t dev;
    return kr_posix_arg_dev(arg, &dev) ? PyLong_FromLong((long)minor(dev))
                                       : NULL;
}

static PyObject *
os_makedev(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int ma, mi;
    if (!_PyArg_CheckPositional("makedev", nargs, 2, 2) ||
        !kr_arg_int(args[0], &ma) || !kr_arg_int(args[1], &mi)) {
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(
        makedev((unsigned int)ma, (unsigned int)mi));
}

int
kr_posix_stat_exec(PyObject *module, posix_state *state)
{
    stat_fields[7].name = PyStructSequence_UnnamedField;
    stat_fields[8].name = PyStructSequence_UnnamedField;
    stat_fields[9].name = PyStructSequence_UnnamedField;
    state->stat_result =
        kr_posix_add_structseq(module, "stat_result", &stat_desc);
    if (state->stat_result == NULL) {
        return -1;
    }
    stat_state.plain_new = state->stat_result->tp_new;
    state->stat_result->tp_new = stat_result_new;
    state->statvfs_result =
        kr_posix_add_structseq(module, "statvfs_result", &statvfs_desc);
    return state->statvfs_result == NULL ? -1 : 0;
}

PyMethodDef kr_posix_stat_methods[] = {
    {"stat", KR_CAST(os_stat), KR_FAST,
     "stat($module, /, path, *, dir_fd=None, follow_symlinks=True)\n--\n\n"
     "Status of a file given by path or open descriptor."},
    {"lstat", KR_CAST(os_lstat), KR_FAST,
     "lstat($module, /, path, *, dir_fd=None)\n--\n\n"
     "Status of a file, not following a symbolic link."},
    {"fstat", KR_CAST(os_fstat), KR_FAST,
     "fstat($module, /, fd)\n--\n\nStatus of an open descriptor."},
    {"statvfs", KR_CAST(os_statvfs), KR_FAST,
     "statvfs($module, /, path)\n--\n\n"
     "Status of the file system that holds a path."},
    {"fstatvfs", os_fstatvfs, METH_O,
     "fstatvfs($module, fd, /)\n--\n\n"
     "Status of the file system that holds an open file."},
    {"access", KR_CAST(os_access), KR_FAST,
     "access($module, /, path, mode, *, dir_fd=None, effective_ids=False,\n"
     "       follow_symlinks=True)\n--\n\n"
     "Whether the real user may access a path in the given way."},
    {"chmod", KR_CAST(os_chmod), KR_FAST,
     "chmod($module, /, path, mode, *, dir_fd=None, follow_symlinks=True)\n"
     "--\n\nChange the access permissions of a file."},
    {"fchmod", KR_CAST(os_fchmod), KR_FAST,
     "fchmod($module, /, fd, mode)\n--\n\n"
     "Change the access permissions of an open file."},
    {"chown", KR_CAST(os_chown), KR_FAST,
     "chown($module, /, path, uid, gid, *, dir_fd=None, "
     "follow_symlinks=True)\n--\n\nChange owner and group of a file; -1 "
     "leaves one unchanged."},
    {"fchown", KR_CAST(os_fchown), KR_FAST,
     "fchown($module, /, fd, uid, gid)\n--\n\n"
     "Change owner and group of an open file."},
    {"lchown", KR_CAST(os_lchown), KR_FAST,
     "lchown($module, /, path, uid, gid)\n--\n\n"
     "Change owner and group, not following a symbolic link."},
    {"utime", KR_CAST(os_utime), KR_FAST,
     "utime($module, /, path, times=None, *, ns=<unrepresentable>,\n"
     "      dir_fd=None, follow_symlinks=True)\n--\n\n"
     "Set the access and modification times of a file."},
    {"umask", os_umask, METH_O,
     "umask($module, mask, /)\n--\n\n"
     "Set the file mode creation mask; gives the former one."},
    {"major", os_major, METH_O,
     "major($module, device, /)\n--\n\nMajor part of a device number."},
    {"minor", os_minor, METH_O,
     "minor($module, device, /)\n--\n\nMinor part of a device number."},
    {"makedev", KR_CAST(os_makedev), METH_FASTCALL,
     "makedev($module, major, minor, /)\n--\n\n"
     "A device number from its two parts."},
    {NULL},
};
