/* listdir and scandir, with the DirEntry objects that scandir gives. */
#include "modules/posix/posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <structmember.h>
#include <unistd.h>

static bool
is_dot_name(const char *name)
{
    return name[0] == '.' &&
           (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* Opens the directory of `path`; a descriptor is duplicated since closedir
 * closes it. NULL with OSError set. */
static DIR *
open_directory(posix_path *path)
{
    DIR *dir;
    int fd = -1;
    if (path->fd != -1) {
        fd = _Py_dup(path->fd);
        if (fd == -1) {
            return NULL;
        }
    }
    Py_BEGIN_ALLOW_THREADS
    dir = fd != -1 ? fdopendir(fd) : opendir(path->narrow ? path->narrow : ".");
    Py_END_ALLOW_THREADS
    if (dir == NULL) {
        int err = errno;
        if (fd != -1) {
            close(fd);
        }
        errno = err;
        kr_posix_path_error(path);
    }
    return dir;
}

/* The duplicate shares its position with the caller's descriptor. */
static void
close_directory(DIR *dir, bool from_fd)
{
    Py_BEGIN_ALLOW_THREADS
    if (from_fd) {
        rewinddir(dir);
    }
    closedir(dir);
    Py_END_ALLOW_THREADS
}

static PyObject *
list_directory(posix_path *path)
{
    bool as_str = path->fd != -1 || path->object == NULL ||
                  path->object == Py_None ||
                  !PyObject_CheckBuffer(path->object);
    DIR *dir = open_directory(path);
    if (dir == NULL) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    while (list != NULL) {
        struct dirent *ep;
        errno = 0;
        POSIX_NO_GIL(ep = readdir(dir));
        if (ep == NULL) {
            if (errno != 0) {
                kr_posix_path_error(path);
                Py_CLEAR(list);
            }
            break;
        }
        if (is_dot_name(ep->d_name)) {
            continue;
        }
        PyObject *name = as_str ? PyUnicode_DecodeFSDefault(ep->d_name)
                                : PyBytes_FromString(ep->d_name);
        if (name == NULL || PyList_Append(list, name) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(name);
    }
    close_directory(dir, path->fd != -1);
    return list;
}

static PyObject *
os_listdir(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("listdir", "path");
    posix_path path = POSIX_PATH("listdir", "path", true, true);
    PyObject *a[1], *res = NULL;
    if (kr_unpack(args, nargs, kwnames, &parser, 0, 1, 1, a) &&
        kr_posix_path_convert(a[0], &path) &&
        PySys_Audit("os.listdir", "O", path.object ? path.object : Py_None) >=
            0) {
        res = list_directory(&path);
    }
    kr_posix_path_done(&path);
    return res;
}

typedef struct {
    PyObject_HEAD
    PyObject *name;
    PyObject *path;
    PyObject *stat;  /* cached results, NULL until asked for */
    PyObject *lstat;
    PyObject *module; /* gives the types for new results */
    unsigned char d_type;
    ino_t d_ino;
    int dir_fd;
} DirEntry;

static void
entry_dealloc(DirEntry *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(self->name);
    Py_XDECREF(self->path);
    Py_XDECREF(self->stat);
    Py_XDECREF(self->lstat);
    Py_XDECREF(self->module);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

/* New reference; the file may be gone: OSError then names its path. */
static PyObject *
entry_fetch(DirEntry *self, bool follow)
{
    struct stat st;
    PyObject *bytes;
    int rc;
    if (!PyUnicode_FSConverter(self->path, &bytes)) {
        return NULL;
    }
    const char *path = PyBytes_AS_STRING(bytes);
    POSIX_NO_GIL(rc = fstatat(self->dir_fd != -1 ? self->dir_fd : AT_FDCWD,
                              path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW));
    Py_DECREF(bytes);
    if (rc != 0) {
        return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError,
                                                    self->path);
    }
    return kr_posix_stat_new(posix_get_state(self->module), &st);
}

static PyObject *
entry_get_lstat(DirEntry *self)
{
    if (self->lstat == NULL) {
        self->lstat = entry_fetch(self, false);
    }
    return Py_XNewRef(self->lstat);
}

static bool
entry_is_link(DirEntry *self, bool *out)
{
    if (self->d_type != DT_UNKNOWN) {
        *out = self->d_type == DT_LNK;
        return true;
    }
    PyObject *st = entry_get_lstat(self);
    if (st == NULL) {
        return false;
    }
    long mode = PyLong_AsLong(PyStructSequence_GET_ITEM(st, 0));
    Py_DECREF(st);
    *out = S_ISLNK(mode);
    return true;
}

static PyObject *
entry_get_stat(DirEntry *self, bool follow)
{
    bool is_link;
    if (!follow) {
        return entry_get_lstat(self);
    }
    if (self->stat == NULL) {
        if (!entry_is_link(self, &is_link)) {
            return NULL;
        }
        self->stat =
            is_link ? entry_fetch(self, true) : entry_get_lstat(self);
    }
    return Py_XNewRef(self->stat);
}

/* Is it of type `mode`? Answered from d_type when that tells. A file that
 * is gone is of no type. */
static PyObject *
entry_test_mode(DirEntry *self, bool follow, mode_t mode)
{
    bool is_link = self->d_type == DT_LNK;
    if (self->d_type != DT_UNKNOWN && !(follow && is_link)) {
        if (is_link) {
            Py_RETURN_FALSE;
        }
        return PyBool_FromLong(self->d_type ==
                               (mode == S_IFDIR ? DT_DIR : DT_REG));
    }
    PyObject *st = entry_get_stat(self, follow);
    if (st == NULL) {
        if (PyErr_ExceptionMatches(PyExc_FileNotFoundError)) {
            PyErr_Clear();
            Py_RETURN_FALSE;
        }
        return NULL;
    }
    long value = PyLong_AsLong(PyStructSequence_GET_ITEM(st, 0));
    Py_DECREF(st);
    return PyBool_FromLong((value & S_IFMT) == mode);
}

static PyObject *
entry_is_dir(DirEntry *self, PyTypeObject *cls, KR_FASTCALL_ARGS)
{
    KR_PARSER("is_dir", "follow_symlinks");
    PyObject *a[1];
    int follow = 1;
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 0, 1, a) ||
        (a[0] != NULL && !kr_arg_bool(a[0], &follow))) {
        return NULL;
    }
    return entry_test_mode(self, follow, S_IFDIR);
}

static PyObject *
entry_is_file(DirEntry *self, PyTypeObject *cls, KR_FASTCALL_ARGS)
{
    KR_PARSER("is_file", "follow_symlinks");
    PyObject *a[1];
    int follow = 1;
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 0, 1, a) ||
        (a[0] != NULL && !kr_arg_bool(a[0], &follow))) {
        return NULL;
    }
    return entry_test_mode(self, follow, S_IFREG);
}

static PyObject *
entry_stat(DirEntry *self, PyTypeObject *cls, KR_FASTCALL_ARGS)
{
    KR_PARSER("stat", "follow_symlinks");
    PyObject *a[1];
    int follow = 1;
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 0, 1, a) ||
        (a[0] != NULL && !kr_arg_bool(a[0], &follow))) {
        return NULL;
    }
    return entry_get_stat(self, follow);
}

static PyObject *
entry_is_symlink(DirEntry *self, PyObject *unused)
{
    bool is_link;
    return entry_is_link(self, &is_link) ? PyBool_FromLong(is_link) : NULL;
}

static PyObject *
entry_inode(DirEntry *self, PyObject *unused)
{
    return PyLong_FromUnsignedLongLong(self->d_ino);
}

static PyObject *
entry_fspath(DirEntry *self, PyObject *unused)
{
    return Py_NewRef(self->path);
}

static PyObject *
entry_repr(DirEntry *self)
{
    return PyUnicode_FromFormat("<DirEntry %R>", self->name);
}

static PyMethodDef entry_methods[] = {
    {"is_dir", KR_CAST(entry_is_dir), METH_METHOD | KR_FAST,
     "is_dir($self, /, *, follow_symlinks=True)\n--\n\n"
     "True if the entry is a directory."},
    {"is_file", KR_CAST(entry_is_file), METH_METHOD | KR_FAST,
     "is_file($self, /, *, follow_symlinks=True)\n--\n\n"
     "True if the entry is a regular file."},
    {"is_symlink", (PyCFunction)entry_is_symlink, METH_NOARGS,
     "is_symlink($self, /)\n--\n\nTrue if the entry is a symbolic link."},
    {"stat", KR_CAST(entry_stat), METH_METHOD | KR_FAST,
     "stat($self, /, *, follow_symlinks=True)\n--\n\n"
     "The stat_result of the entry, kept after the first call."},
    {"inode", (PyCFunction)entry_inode, METH_NOARGS,
     "inode($self, /)\n--\n\nInode number of the entry."},
    {"__fspath__", (PyCFunction)entry_fspath, METH_NOARGS,
     "__fspath__($self, /)\n--\n\nThe path of the entry."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     "See PEP 585"},
    {NULL},
};

static PyMemberDef entry_members[] = {
    {"name", T_OBJECT_EX, offsetof(DirEntry, name), READONLY,
     "file name without its directory"},
    {"path", T_OBJECT_EX, offsetof(DirEntry, path), READONLY,
     "scandir's path joined with the name"},
    {NULL},
};

static PyType_Slot entry_slots[] = {
    {Py_tp_dealloc, entry_dealloc},
    {Py_tp_repr, entry_repr},
    {Py_tp_methods, entry_methods},
    {Py_tp_members, entry_members},
    {0, NULL},
};

static PyType_Spec entry_spec = {
    .name = "posix.DirEntry",
    .basicsize = sizeof(DirEntry),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = entry_slots,
};

typedef struct {
    PyObject_HEAD
    posix_path path;
    PyObject *path_object; /* owned twin of path.object */
    PyObject *module;
    DIR *dir;
} ScandirIterator;

static void
scandir_close_dir(ScandirIterator *self)
{
    DIR *dir = self->dir;
    if (dir != NULL) {
        self->dir = NULL;
        close_directory(dir, self->path.fd != -1);
    }
}

/* "dir/name", with one slash between them; new reference. */
static PyObject *
join_name(posix_path *path, const char *name, bool as_bytes)
{
    const char *dir = path->narrow ? path->narrow : ".";
    size_t dlen = path->narrow ? (size_t)path->length : 1;
    size_t nlen = strlen(name);
    char stack[512], *buf = stack;
    if (dlen + nlen + 2 > sizeof(stack)) {
        buf = PyMem_Malloc(dlen + nlen + 2);
        if (buf == NULL) {
            return PyErr_NoMemory();
        }
    }
    memcpy(buf, dir, dlen);
    if (dlen > 0 && buf[dlen - 1] != '/') {
        buf[dlen++] = '/';
    }
    memcpy(buf + dlen, name, nlen);
    Py_ssize_t len = (Py_ssize_t)(dlen + nlen);
    PyObject *res = as_bytes ? PyBytes_FromStringAndSize(buf, len)
                             : PyUnicode_DecodeFSDefaultAndSize(buf, len);
    if (buf != stack) {
        PyMem_Free(buf);
    }
    return res;
}

static PyObject *
entry_new(ScandirIterator *it, const struct dirent *ep)
{
    PyTypeObject *type = posix_get_state(it->module)->dir_entry;
    DirEntry *entry = (DirEntry *)type->tp_alloc(type, 0);
    if (entry == NULL) {
        return NULL;
    }
    bool as_bytes = it->path.narrow && PyObject_CheckBuffer(it->path.object);
    entry->module = Py_NewRef(it->module);
    entry->d_type = ep->d_type;
    entry->d_ino = ep->d_ino;
    entry->dir_fd = it->path.fd;
    entry->name = as_bytes ? PyBytes_FromString(ep->d_name)
                           : PyUnicode_DecodeFSDefault(ep->d_name);
    if (entry->name != NULL) {
        entry->path = it->path.fd != -1
                          ? Py_NewRef(entry->name)
                          : join_name(&it->path, ep->d_name, as_bytes);
    }
    if (entry->path == NULL) {
        Py_DECREF(entry);
        return NULL;
    }
    return (PyObject *)entry;
}

static PyObject *
scandir_next(ScandirIterator *self)
{
    while (self->dir != NULL) {
        struct dirent *ep;
        errno = 0;
        POSIX_NO_GIL(ep = readdir(self->dir));
        if (ep == NULL) {
            if (errno != 0) {
                kr_posix_path_error(&self->path);
            }
            break;
        }
        if (!is_dot_name(ep->d_name)) {
            PyObject *entry = entry_new(self, ep);
            if (entry != NULL) {
                return entry;
            }
            break;
        }
    }
    scandir_close_dir(self);
    return NULL;
}

static PyObject *
scandir_close(ScandirIterator *self, PyObject *unused)
{
    scandir_close_dir(self);
    Py_RETURN_NONE;
}

static PyObject *
scandir_enter(PyObject *self, PyObject *unused)
{
    return Py_NewRef(self);
}

static PyObject *
scandir_exit(ScandirIterator *self, PyObject *args)
{
    scandir_close_dir(self);
    Py_RETURN_NONE;
}

static void
scandir_finalize(ScandirIterator *self)
{
    PyObject *et, *ev, *tb;
    PyErr_Fetch(&et, &ev, &tb);
    if (self->dir != NULL) {
        Py_INCREF(self);
        if (PyErr_ResourceWarning((PyObject *)self, 1,
                                  "unclosed scandir iterator %R", self) &&
            PyErr_ExceptionMatches(PyExc_Warning)) {
            PyErr_WriteUnraisable((PyObject *)self);
        }
        Py_SET_REFCNT(self, Py_REFCNT(self) - 1);
        scandir_close_dir(self);
    }
    kr_posix_path_done(&self->path);
    PyErr_Restore(et, ev, tb);
}

static void
scandir_dealloc(ScandirIterator *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (PyObject_CallFinalizerFromDealloc((PyObject *)self) < 0) {
        return;
    }
    Py_XDECREF(self->path_object);
    Py_XDECREF(self->module);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef scandir_methods[] = {
    {"__enter__", scandir_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)scandir_exit, METH_VARARGS, NULL},
    {"close", (PyCFunction)scandir_close, METH_NOARGS, NULL},
    {NULL},
};

static PyType_Slot scandir_slots[] = {
    {Py_tp_dealloc, scandir_dealloc},
    {Py_tp_finalize, scandir_finalize},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, scandir_next},
    {Py_tp_methods, scandir_methods},
    {0, NULL},
};

static PyType_Spec scandir_spec = {
    .name = "posix.ScandirIterator",
    .basicsize = sizeof(ScandirIterator),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = scandir_slots,
};

static PyObject *
os_scandir(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("scandir", "path");
    PyObject *a[1];
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 1, 1, a)) {
        return NULL;
    }
    PyTypeObject *type = posix_get_state(module)->scandir_iterator;
    ScandirIterator *it = (ScandirIterator *)type->tp_alloc(type, 0);
    if (it == NULL) {
        return NULL;
    }
    it->path = (posix_path)POSIX_PATH("scandir", "path", true, true);
    it->module = Py_NewRef(module);
    it->path_object = Py_XNewRef(a[0]);
    if (!kr_posix_path_convert(a[0], &it->path) ||
        PySys_Audit("os.scandir", "O",
                    it->path.object ? it->path.object : Py_None) < 0 ||
        (it->dir = open_directory(&it->path)) == NULL) {
        Py_DECREF(it);
        return NULL;
    }
    return (PyObject *)it;
}

int
kr_posix_dir_exec(PyObject *module, posix_state *state)
{
    state->dir_entry = (PyTypeObject *)PyType_FromModuleAndSpec(
        module, &entry_spec, NULL);
    if (state->dir_entry == NULL ||
        PyModule_AddObjectRef(module, "DirEntry",
                              (PyObject *)state->dir_entry) < 0) {
        return -1;
    }
    state->scandir_iterator = (PyTypeObject *)PyType_FromModuleAndSpec(
        module, &scandir_spec, NULL);
    return state->scandir_iterator == NULL ? -1 : 0;
}

PyMethodDef kr_posix_dir_methods[] = {
    {"listdir", KR_CAST(os_listdir), KR_FAST,
     "listdir($module, /, path=None)\n--\n\n"
     "Names of the files in a directory, in no particular order."},
    {"scandir", KR_CAST(os_scandir), KR_FAST,
     "scandir($module, /, path=None)\n--\n\n"
     "An iterator over the entries of a directory."},
    {NULL},
};
