/* Assembles the `posix` module from its themes. */
#include "modules/posix/posix.h"

#include <string.h>
#include <unistd.h>

/* What this build can do; os.py derives its supports_* sets from it. */
static const char *const have_functions[] = {
    "HAVE_EVENTFD",
    "HAVE_FACCESSAT",
    "HAVE_FCHDIR",
    "HAVE_FCHMOD",
    "HAVE_FCHMODAT",
    "HAVE_FCHOWN",
    "HAVE_FCHOWNAT",
    "HAVE_FEXECVE",
    "HAVE_FDOPENDIR",
    "HAVE_FPATHCONF",
    "HAVE_FSTATAT",
    "HAVE_FSTATVFS",
    "HAVE_FTRUNCATE",
    "HAVE_FUTIMENS",
    "HAVE_FUTIMES",
    "HAVE_FUTIMESAT",
    "HAVE_LINKAT",
    "HAVE_LCHOWN",
    "HAVE_LSTAT",
    "HAVE_LUTIMES",
    "HAVE_MEMFD_CREATE",
    "HAVE_MKDIRAT",
    "HAVE_MKFIFOAT",
    "HAVE_MKNODAT",
    "HAVE_OPENAT",
    "HAVE_READLINKAT",
    "HAVE_RENAMEAT",
    "HAVE_SYMLINKAT",
    "HAVE_UNLINKAT",
    "HAVE_UTIMENSAT",
};

PyTypeObject *
kr_posix_add_structseq(PyObject *module, const char *name,
                       PyStructSequence_Desc *desc)
{
    PyTypeObject *type = PyStructSequence_NewType(desc);
    if (type != NULL &&
        PyModule_AddObjectRef(module, name, (PyObject *)type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

/* The environment as a dict of bytes; of a repeated name the first counts. */
static PyObject *
environ_dict(void)
{
    PyObject *dict = PyDict_New();
    if (dict == NULL || environ == NULL) {
        return dict;
    }
    for (char **e = environ; *e != NULL; e++) {
        const char *eq = strchr(*e, '=');
        if (eq == NULL) {
            continue;
        }
        PyObject *k = PyBytes_FromStringAndSize(*e, (Py_ssize_t)(eq - *e));
        PyObject *v = PyBytes_FromString(eq + 1);
        if (k == NULL || v == NULL ||
            PyDict_SetDefault(dict, k, v) == NULL) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(k);
        Py_XDECREF(v);
        if (dict == NULL) {
            return NULL;
        }
    }
    return dict;
}

static int
add_new(PyObject *module, const char *name, PyObject *value)
{
    if (value == NULL) {
        return -1;
    }
    int rc = PyModule_AddObjectRef(module, name, value);
    Py_DECREF(value);
    return rc;
}

static PyObject *
have_functions_list(void)
{
    Py_ssize_t n = Py_ARRAY_LENGTH(have_functions);
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list != NULL && i < n; i++) {
        PyObject *name = PyUnicode_InternFromString(have_functions[i]);
        if (name == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, name);
    }
    return list;
}

static int
posix_exec(PyObject *module)
{
    PyMethodDef *const tables[] = {
        kr_posix_path_methods,     kr_posix_stat_methods,
        kr_posix_file_methods,     kr_posix_fd_methods,
        kr_posix_io_methods,       kr_posix_dir_methods,
        kr_posix_process_methods,  kr_posix_exec_methods,
        kr_posix_wait_methods,     kr_posix_sched_methods,
        kr_posix_id_methods,       kr_posix_xattr_methods,
        kr_posix_terminal_methods, kr_posix_system_methods,
    };
    posix_state *state = posix_get_state(module);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(tables); i++) {
        if (PyModule_AddFunctions(module, tables[i]) < 0) {
            return -1;
        }
    }
    if (add_new(module, "environ", environ_dict()) < 0 ||
        add_new(module, "_have_functions", have_functions_list()) < 0 ||
        PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0 ||
        kr_posix_constants_exec(module) < 0 ||
        kr_posix_confname_exec(module) < 0) {
        return -1;
    }
    if (kr_posix_stat_exec(module, state) < 0 ||
        kr_posix_dir_exec(module, state) < 0 ||
        kr_posix_sched_exec(module, state) < 0 ||
        kr_posix_wait_exec(module, state) < 0 ||
        kr_posix_system_exec(module, state) < 0 ||
        kr_posix_terminal_exec(module, state) < 0) {
        return -1;
    }
    return 0;
}

/* Every object pointer of the state, for traverse and clear. */
#define STATE_OBJECTS(V)                                                       \
    V(stat_result) V(statvfs_result) V(sched_param) V(terminal_size)           \
    V(times_result) V(uname_result) V(waitid_result) V(dir_entry)              \
    V(scandir_iterator) V(struct_rusage)

static int
posix_traverse(PyObject *module, visitproc visit, void *arg)
{
    posix_state *state = posix_get_state(module);
#define V(member) Py_VISIT(state->member);
    STATE_OBJECTS(V)
#undef V
    return 0;
}

static int
posix_clear(PyObject *module)
{
    posix_state *state = posix_get_state(module);
#define V(member) Py_CLEAR(state->member);
    STATE_OBJECTS(V)
#undef V
    return 0;
}

static void
posix_free(void *module)
{
    posix_clear((PyObject *)module);
}

static PyModuleDef_Slot posix_slots[] = {
    {Py_mod_exec, posix_exec},
    {0, NULL},
};

static PyModuleDef posix_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "posix",
    .m_doc = "Access to the operating system by the POSIX standard. Use the "
             "module os, which adds to it.",
    .m_size = sizeof(posix_state),
    .m_slots = posix_slots,
    .m_traverse = posix_traverse,
    .m_clear = posix_clear,
    .m_free = posix_free,
};

PyMODINIT_FUNC
PyInit_posix(void)
{
    return PyModuleDef_Init(&posix_def);
}
