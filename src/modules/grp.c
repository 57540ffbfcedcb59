/* The `grp` module: the group database. */
#include <Python.h>
#include <errno.h>
#include <grp.h>
#include <unistd.h>

#include "modules/kwargs.h"

PyAPI_FUNC(int) _Py_Gid_Converter(PyObject *o, gid_t *p);
PyAPI_FUNC(PyObject *) _PyLong_FromGid(gid_t gid);

typedef struct {
    PyTypeObject *struct_group;
} grp_state;

static PyStructSequence_Field group_fields[] = {
    {"gr_name", "group name"},
    {"gr_passwd", "password"},
    {"gr_gid", "group id"},
    {"gr_mem", "group members"},
    {NULL},
};

static PyStructSequence_Desc group_desc = {
    "grp.struct_group",
    "grp.struct_group: an entry of the group database.",
    group_fields,
    4,
};

static PyObject *
make_entry(PyObject *module, const struct group *p)
{
    grp_state *state = PyModule_GetState(module);
    PyObject *members = PyList_New(0);
    if (members == NULL) {
        return NULL;
    }
    for (char **m = p->gr_mem; *m != NULL; m++) {
        PyObject *name = PyUnicode_DecodeFSDefault(*m);
        if (name == NULL || PyList_Append(members, name) != 0) {
            Py_XDECREF(name);
            Py_DECREF(members);
            return NULL;
        }
        Py_DECREF(name);
    }
    PyObject *v = PyStructSequence_New(state->struct_group);
    if (v == NULL) {
        Py_DECREF(members);
        return NULL;
    }
    PyStructSequence_SET_ITEM(v, 0, PyUnicode_DecodeFSDefault(p->gr_name));
    PyStructSequence_SET_ITEM(v, 1,
                              p->gr_passwd
                                  ? PyUnicode_DecodeFSDefault(p->gr_passwd)
                                  : Py_NewRef(Py_None));
    PyStructSequence_SET_ITEM(v, 2, _PyLong_FromGid(p->gr_gid));
    PyStructSequence_SET_ITEM(v, 3, members);
    if (PyErr_Occurred()) {
        Py_CLEAR(v);
    }
    return v;
}

/* Looks up by name, or by id if that is NULL; see pwd.c. */
static int
lookup(const char *name, gid_t gid, struct group *entry, struct group **found,
       char **buf)
{
    long hint = sysconf(_SC_GETGR_R_SIZE_MAX);
    size_t size = hint > 0 ? (size_t)hint : 1024;
    int status = ERANGE;
    *buf = NULL;
    *found = NULL;
    while (status == ERANGE) {
        char *bigger = PyMem_RawRealloc(*buf, size);
        if (bigger == NULL) {
            return ENOMEM;
        }
        *buf = bigger;
        Py_BEGIN_ALLOW_THREADS
        status = name ? getgrnam_r(name, entry, *buf, size, found)
                      : getgrgid_r(gid, entry, *buf, size, found);
        Py_END_ALLOW_THREADS
        size *= 2;
    }
    if (status != 0) {
        *found = NULL;
    }
    return status;
}

static PyObject *
grp_getgrgid(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("getgrgid", "id");
    struct group entry, *found;
    char *buf;
    gid_t gid;
    PyObject *a[1], *res = NULL;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a)) {
        return NULL;
    }
    if (!_Py_Gid_Converter(a[0], &gid)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Format(PyExc_KeyError, "getgrgid(): gid not found: %S",
                         a[0]);
        }
        return NULL;
    }
    if (lookup(NULL, gid, &entry, &found, &buf) == ENOMEM) {
        PyErr_NoMemory();
    }
    else if (found == NULL) {
        PyObject *id = _PyLong_FromGid(gid);
        if (id != NULL) {
            PyErr_Format(PyExc_KeyError, "getgrgid(): gid not found: %S", id);
            Py_DECREF(id);
        }
    }
    else {
        res = make_entry(module, found);
    }
    PyMem_RawFree(buf);
    return res;
}

static PyObject *
grp_getgrnam(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("getgrnam", "name");
    struct group entry, *found;
    char *buf, *chars;
    PyObject *a[1], *bytes, *res = NULL;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a)) {
        return NULL;
    }
    if (!PyUnicode_Check(a[0])) {
        _PyArg_BadArgument("getgrnam", "argument 'name'", "str", a[0]);
        return NULL;
    }
    if ((bytes = PyUnicode_EncodeFSDefault(a[0])) == NULL) {
        return NULL;
    }
    if (PyBytes_AsStringAndSize(bytes, &chars, NULL) < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    if (lookup(chars, 0, &entry, &found, &buf) == ENOMEM) {
        PyErr_NoMemory();
    }
    else if (found == NULL) {
        PyErr_Format(PyExc_KeyError, "getgrnam(): name not found: %R", a[0]);
    }
    else {
        res = make_entry(module, found);
    }
    PyMem_RawFree(buf);
    Py_DECREF(bytes);
    return res;
}

static PyObject *
grp_getgrall(PyObject *module, PyObject *unused)
{
    struct group *p;
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    setgrent();
    while ((p = getgrent()) != NULL) {
        PyObject *v = make_entry(module, p);
        if (v == NULL || PyList_Append(list, v) != 0) {
            Py_XDECREF(v);
            Py_CLEAR(list);
            break;
        }
        Py_DECREF(v);
    }
    endgrent();
    return list;
}

static PyMethodDef grp_methods[] = {
    {"getgrgid", KR_CAST(grp_getgrgid), KR_FAST,
     "getgrgid($module, /, id)\n--\n\nThe entry of a group id."},
    {"getgrnam", KR_CAST(grp_getgrnam), KR_FAST,
     "getgrnam($module, /, name)\n--\n\nThe entry of a group name."},
    {"getgrall", grp_getgrall, METH_NOARGS,
     "getgrall($module, /)\n--\n\nAll entries, in arbitrary order."},
    {NULL},
};

static int
grp_exec(PyObject *module)
{
    grp_state *state = PyModule_GetState(module);
    state->struct_group = PyStructSequence_NewType(&group_desc);
    return state->struct_group ? PyModule_AddType(module, state->struct_group)
                               : -1;
}

static int
grp_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((grp_state *)PyModule_GetState(module))->struct_group);
    return 0;
}

static int
grp_clear(PyObject *module)
{
    Py_CLEAR(((grp_state *)PyModule_GetState(module))->struct_group);
    return 0;
}

static PyModuleDef_Slot grp_slots[] = {{Py_mod_exec, grp_exec}, {0, NULL}};

static PyModuleDef grp_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "grp",
    .m_doc = "The group database: entries by id, by name, or all.",
    .m_size = sizeof(grp_state),
    .m_methods = grp_methods,
    .m_slots = grp_slots,
    .m_traverse = grp_traverse,
    .m_clear = grp_clear,
};

PyMODINIT_FUNC
PyInit_grp(void)
{
    return PyModuleDef_Init(&grp_def);
}
