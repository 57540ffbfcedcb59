/* The `grp` module: the group database. */
#include <Python.h>
#include <grp.h>
#include <unistd.h>

#include "modules/accounts.h"
#include "modules/kwargs.h"
#include "modules/modfree.h"
#include "modules/posix/ids.h"

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
    PyStructSequence_SET_ITEM(v, 1, kr_accounts_text(p->gr_passwd));
    PyStructSequence_SET_ITEM(v, 2, _PyLong_FromGid(p->gr_gid));
    PyStructSequence_SET_ITEM(v, 3, members);
    if (PyErr_Occurred()) {
        Py_CLEAR(v);
    }
    return v;
}

/* What is searched for, by name or by id if that is NULL, and found if any. */
struct query {
    char *name;
    gid_t gid;
    struct group entry, *found;
};

static int
attempt(void *arg, char *buf, size_t size)
{
    struct query *q = arg;
    return q->name ? getgrnam_r(q->name, &q->entry, buf, size, &q->found)
                   : getgrgid_r(q->gid, &q->entry, buf, size, &q->found);
}

/* The entry, or NULL with KeyError and what is missing, in that format. */
static PyObject *
search(PyObject *module, struct query *q, const char *format, PyObject *missing)
{
    PyObject *res = NULL;
    char *buf = kr_accounts_search(_SC_GETGR_R_SIZE_MAX, attempt, q);
    if (buf != NULL && q->found == NULL) {
        PyErr_Format(PyExc_KeyError, format, missing);
    }
    else if (buf != NULL) {
        res = make_entry(module, q->found);
    }
    PyMem_RawFree(buf);
    return res;
}

static PyObject *
grp_getgrgid(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("getgrgid", "id");
    struct query q = {NULL};
    PyObject *a[1];
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a)) {
        return NULL;
    }
    if (!_Py_Gid_Converter(a[0], &q.gid)) {
        return NULL;
    }
    PyObject *id = _PyLong_FromGid(q.gid);
    PyObject *res =
        id ? search(module, &q, "getgrgid(): gid not found: %S", id) : NULL;
    Py_XDECREF(id);
    return res;
}

static PyObject *
grp_getgrnam(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("getgrnam", "name");
    struct query q = {NULL};
    PyObject *a[1];
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a)) {
        return NULL;
    }
    if (!PyUnicode_Check(a[0])) {
        _PyArg_BadArgument("getgrnam", "argument 'name'", "str", a[0]);
        return NULL;
    }
    PyObject *bytes = kr_accounts_name(a[0], &q.name);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *res =
        search(module, &q, "getgrnam(): name not found: %R", a[0]);
    Py_DECREF(bytes);
    return res;
}

static PyObject *
grp_getgrall(PyObject *module, PyObject *unused)
{
    struct group *p;
    PyObject *list = PyList_New(0);
    setgrent();
    while (list != NULL && (p = getgrent()) != NULL) {
        kr_accounts_add(&list, make_entry(module, p));
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
    .m_free = kr_module_free,
};

PyMODINIT_FUNC
PyInit_grp(void)
{
    return PyModuleDef_Init(&grp_def);
}
