/* The `_stat` module: file modes taken apart. */
#include <Python.h>
#include <sys/stat.h>

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"SF_APPEND", 0x40000},
    {"SF_ARCHIVED", 0x10000},
    {"SF_IMMUTABLE", 0x20000},
    {"SF_NOUNLINK", 0x100000},
    {"SF_SNAPSHOT", 0x200000},
    {"ST_ATIME", 0x7},
    {"ST_CTIME", 0x9},
    {"ST_DEV", 0x2},
    {"ST_GID", 0x5},
    {"ST_INO", 0x1},
    {"ST_MODE", 0x0},
    {"ST_MTIME", 0x8},
    {"ST_NLINK", 0x3},
    {"ST_SIZE", 0x6},
    {"ST_UID", 0x4},
    {"S_ENFMT", 0x400},
    {"S_IEXEC", 0x40},
    {"S_IFBLK", 0x6000},
    {"S_IFCHR", 0x2000},
    {"S_IFDIR", 0x4000},
    {"S_IFDOOR", 0x0},
    {"S_IFIFO", 0x1000},
    {"S_IFLNK", 0xa000},
    {"S_IFPORT", 0x0},
    {"S_IFREG", 0x8000},
    {"S_IFSOCK", 0xc000},
    {"S_IFWHT", 0x0},
    {"S_IREAD", 0x100},
    {"S_IRGRP", 0x20},
    {"S_IROTH", 0x4},
    {"S_IRUSR", 0x100},
    {"S_IRWXG", 0x38},
    {"S_IRWXO", 0x7},
    {"S_IRWXU", 0x1c0},
    {"S_ISGID", 0x400},
    {"S_ISUID", 0x800},
    {"S_ISVTX", 0x200},
    {"S_IWGRP", 0x10},
    {"S_IWOTH", 0x2},
    {"S_IWRITE", 0x80},
    {"S_IWUSR", 0x80},
    {"S_IXGRP", 0x8},
    {"S_IXOTH", 0x1},
    {"S_IXUSR", 0x40},
    {"UF_APPEND", 0x4},
    {"UF_COMPRESSED", 0x20},
    {"UF_HIDDEN", 0x8000},
    {"UF_IMMUTABLE", 0x2},
    {"UF_NODUMP", 0x1},
    {"UF_NOUNLINK", 0x10},
    {"UF_OPAQUE", 0x8},
};

/* The mode argument; false with an exception set. */
static int
get_mode(PyObject *o, mode_t *out)
{
    unsigned long value = PyLong_AsUnsignedLong(o);
    if (value == (unsigned long)-1 && PyErr_Occurred()) {
        return 0;
    }
    *out = (mode_t)value;
    if (*out != value) {
        PyErr_SetString(PyExc_OverflowError, "mode out of range");
        return 0;
    }
    return 1;
}

#define TEST(name)                                                             \
    static PyObject *stat_##name(PyObject *module, PyObject *arg)              \
    {                                                                          \
        mode_t mode;                                                           \
        return get_mode(arg, &mode) ? PyBool_FromLong(name(mode)) : NULL;      \
    }

TEST(S_ISBLK)
TEST(S_ISCHR)
TEST(S_ISDIR)
TEST(S_ISFIFO)
TEST(S_ISLNK)
TEST(S_ISREG)
TEST(S_ISSOCK)

/* Kinds of files that only other systems have. */
static PyObject *
stat_never(PyObject *module, PyObject *arg)
{
    mode_t mode;
    return get_mode(arg, &mode) ? Py_NewRef(Py_False) : NULL;
}

static PyObject *
stat_S_IMODE(PyObject *module, PyObject *arg)
{
    mode_t mode;
    return get_mode(arg, &mode) ? PyLong_FromUnsignedLong(mode & 07777)
                                : NULL;
}

static PyObject *
stat_S_IFMT(PyObject *module, PyObject *arg)
{
    mode_t mode;
    return get_mode(arg, &mode) ? PyLong_FromUnsignedLong(mode & S_IFMT)
                                : NULL;
}

static char
type_letter(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return '-';
    case S_IFDIR:
        return 'd';
    case S_IFLNK:
        return 'l';
    case S_IFBLK:
        return 'b';
    case S_IFCHR:
        return 'c';
    case S_IFIFO:
        return 'p';
    case S_IFSOCK:
        return 's';
    default:
        return '?';
    }
}

static PyObject *
stat_filemode(PyObject *module, PyObject *arg)
{
    mode_t mode;
    char buf[11];
    if (!get_mode(arg, &mode)) {
        return NULL;
    }
    buf[0] = type_letter(mode);
    for (int i = 0; i < 9; i++) {
        buf[i + 1] = mode & (0400 >> i) ? "rwx"[i % 3] : '-';
    }
    /* set-id and sticky bits share the places of the x bits */
    if (mode & S_ISUID) {
        buf[3] = mode & S_IXUSR ? 's' : 'S';
    }
    if (mode & S_ISGID) {
        buf[6] = mode & S_IXGRP ? 's' : 'S';
    }
    if (mode & S_ISVTX) {
        buf[9] = mode & S_IXOTH ? 't' : 'T';
    }
    buf[10] = '\0';
    return PyUnicode_FromString(buf);
}

static PyMethodDef stat_methods[] = {
    {"S_ISBLK", stat_S_ISBLK, METH_O, "True if the mode is of this kind of file."},
    {"S_ISCHR", stat_S_ISCHR, METH_O, "True if the mode is of this kind of file."},
    {"S_ISDIR", stat_S_ISDIR, METH_O, "True if the mode is of this kind of file."},
    {"S_ISFIFO", stat_S_ISFIFO, METH_O, "True if the mode is of this kind of file."},
    {"S_ISLNK", stat_S_ISLNK, METH_O, "True if the mode is of this kind of file."},
    {"S_ISREG", stat_S_ISREG, METH_O, "True if the mode is of this kind of file."},
    {"S_ISSOCK", stat_S_ISSOCK, METH_O, "True if the mode is of this kind of file."},
    {"S_ISDOOR", stat_never, METH_O, "True if the mode is of this kind of file."},
    {"S_ISPORT", stat_never, METH_O, "True if the mode is of this kind of file."},
    {"S_ISWHT", stat_never, METH_O, "True if the mode is of this kind of file."},
    {"S_IMODE", stat_S_IMODE, METH_O, "The permission part of a mode."},
    {"S_IFMT", stat_S_IFMT, METH_O, "The file type part of a mode."},
    {"filemode", stat_filemode, METH_O, "A mode as text: '-rwxrwxrwx'."},
    {NULL},
};

static int
stat_exec(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyModuleDef_Slot stat_slots[] = {
    {Py_mod_exec, stat_exec},
    {0, NULL},
};

static PyModuleDef stat_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_stat",
    .m_doc = "Constants and tests for the mode of a file.",
    .m_methods = stat_methods,
    .m_slots = stat_slots,
};

PyMODINIT_FUNC
PyInit__stat(void)
{
    return PyModuleDef_Init(&stat_def);
}
