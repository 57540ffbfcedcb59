/* The `pwd` module: the user database. */
#include <Python.h>
#include <pwd.h>
#include <unistd.h>

#include "modules/accounts.h"
#include "modules/modfree.h"
#include "modules/posix/ids.h"

typedef struct {
    PyTypeObject *struct_passwd;
} pwd_state;

static PyStructSequence_Field passwd_fields[] = {
    {"pw_name", "user name"},      {"pw_passwd", "password"},
    {"pw_uid", "user id"},         {"pw_gid", "group id"},
    {"pw_gecos", "real name"},     {"pw_dir", "home directory"},
    {"pw_shell", "shell program"}, {NULL},
};

static PyStructSequence_Desc passwd_desc = {
    "pwd.struct_passwd",
    "pwd.struct_passwd: an entry of the user database.",
    passwd_fields,
    7,
};

static PyObject *
make_entry(PyObject *module, const struct passwd *p)
{
    pwd_state *state = PyModule_GetState(module);
    PyObject *v = PyStructSequence_New(state->struct_passwd);
    if (v == NULL) {
        return NULL;
    }
    PyStructSequence_SET_ITEM(v, 0, kr_accounts_text(p->pw_name));
    PyStructSequence_SET_ITEM(v, 1, kr_accounts_text(p->pw_passwd));
    PyStructSequence_SET_ITEM(v, 2, _PyLong_FromUid(p->pw_uid));
    PyStructSequence_SET_ITEM(v, 3, _PyLong_FromGid(p->pw_gid));
    PyStructSequence_SET_ITEM(v, 4, kr_accounts_text(p->pw_gecos));
    PyStructSequence_SET_ITEM(v, 5, kr_accounts_text(p->pw_dir));
    PyStructSequence_SET_ITEM(v, 6, kr_accounts_text(p->pw_shell));
    if (PyErr_Occurred()) {
        Py_CLEAR(v);
    }
    return v;
}

/* What is searched for, by name or by id if that is NULL, and found if any. */
struct query {
    char *name;
    uid_t uid;
    struct passwd entry, *found;
};

static int
attempt(void *arg, char *buf, size_t size)
{
    struct query *q = arg;
    return q->name ? getpwnam_r(q->name, &q->entry, buf, size, &q->found)
                   : getpwuid_r(q->uid, &q->entry, buf, size, &q->found);
}

/* The entry, or NULL with KeyError and what is missing, in that format. */
static PyObject *
search(PyObject *module, struct query *q, const char *format, PyObject *missing)
{
    PyObject *res = NULL;
    char *buf = kr_accounts_search(_SC_GETPW_R_SIZE_MAX, attempt, q);
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
pwd_getpwuid(PyObject *module, PyObject *uidobj)
{
    struct query q = {NULL};
    if (!_Py_Uid_Converter(uidobj, &q.uid)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Format(PyExc_KeyError, "getpwuid(): uid not found");
        }
        return NULL;
    }
    PyObject *id = _PyLong_FromUid(q.uid);
    PyObject *res =
        id ? search(module, &q, "getpwuid(): uid not found: %S", id) : NULL;
    Py_XDECREF(id);
    return res;
}

static PyObject *
pwd_getpwnam(PyObject *module, PyObject *name)
{
    struct query q = {NULL};
    if (!PyUnicode_Check(name)) {
        _PyArg_BadArgument("getpwnam", "argument", "str", name);
        return NULL;
    }
    PyObject *bytes = kr_accounts_name(name, &q.name);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *res =
        search(module, &q, "getpwnam(): name not found: %R", name);
    Py_DECREF(bytes);
    return res;
}

static PyObject *
pwd_getpwall(PyObject *module, PyObject *unused)
{
    struct passwd *p;
    PyObject *list = PyList_New(0);
    setpwent();
    while (list != NULL && (p = getpwent()) != NULL) {
        kr_accounts_add(&list, make_entry(module, p));
    }
    endpwent();
    return list;
}

static PyMethodDef pwd_methods[] = {
    {"getpwuid", pwd_getpwuid, METH_O,
     "getpwuid($module, uidobj, /)\n--\n\nThe entry of a user id."},
    {"getpwnam", pwd_getpwnam, METH_O,
     "getpwnam($module, name, /)\n--\n\nThe entry of a user name."},
    {"getpwall", pwd_getpwall, METH_NOARGS,
     "getpwall($module, /)\n--\n\nAll entries, in arbitrary order."},
    {NULL},
};

static int
pwd_exec(PyObject *module)
{
    pwd_state *state = PyModule_GetState(module);
    state->struct_passwd = PyStructSequence_NewType(&passwd_desc);
    return state->struct_passwd ? PyModule_AddType(module,
                                                   state->struct_passwd)
                                : -1;
}

static int
pwd_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((pwd_state *)PyModule_GetState(module))->struct_passwd);
    return 0;
}

static int
pwd_clear(PyObject *module)
{
    Py_CLEAR(((pwd_state *)PyModule_GetState(module))->struct_passwd);
    return 0;
}

static PyModuleDef_Slot pwd_slots[] = {{Py_mod_exec, pwd_exec}, {0, NULL}};

static PyModuleDef pwd_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pwd",
    .m_doc = "The user database: entries by id, by name, or all.",
    .m_size = sizeof(pwd_state),
    .m_methods = pwd_methods,
    .m_slots = pwd_slots,
    .m_traverse = pwd_traverse,
    .m_clear = pwd_clear,
    .m_free = kr_module_free,
};

PyMODINIT_FUNC
PyInit_pwd(void)
{
    return PyModuleDef_Init(&pwd_def);
}
