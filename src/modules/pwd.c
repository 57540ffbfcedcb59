/* The `pwd` module: the user database. */
#include <Python.h>
#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "modules/kwargs.h"

PyAPI_FUNC(int) _Py_Uid_Converter(PyObject *o, uid_t *p);
PyAPI_FUNC(PyObject *) _PyLong_FromUid(uid_t uid);
PyAPI_FUNC(PyObject *) _PyLong_FromGid(gid_t gid);

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
text_or_none(const char *s)
{
    return s ? PyUnicode_DecodeFSDefault(s) : Py_NewRef(Py_None);
}

static PyObject *
make_entry(PyObject *module, const struct passwd *p)
{
    pwd_state *state = PyModule_GetState(module);
    PyObject *v = PyStructSequence_New(state->struct_passwd);
    if (v == NULL) {
        return NULL;
    }
    PyStructSequence_SET_ITEM(v, 0, text_or_none(p->pw_name));
    PyStructSequence_SET_ITEM(v, 1, text_or_none(p->pw_passwd));
    PyStructSequence_SET_ITEM(v, 2, _PyLong_FromUid(p->pw_uid));
    PyStructSequence_SET_ITEM(v, 3, _PyLong_FromGid(p->pw_gid));
    PyStructSequence_SET_ITEM(v, 4, text_or_none(p->pw_gecos));
    PyStructSequence_SET_ITEM(v, 5, text_or_none(p->pw_dir));
    PyStructSequence_SET_ITEM(v, 6, text_or_none(p->pw_shell));
    if (PyErr_Occurred()) {
        Py_CLEAR(v);
    }
    return v;
}

/* Looks up by name, or by id if that is NULL, in a buffer that grows: the
 * status of the call, with *found NULL when there is no entry. */
static int
lookup(const char *name, uid_t uid, struct passwd *entry,
       struct passwd **found, char **buf)
{
    long hint = sysconf(_SC_GETPW_R_SIZE_MAX);
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
        status = name ? getpwnam_r(name, entry, *buf, size, found)
                      : getpwuid_r(uid, entry, *buf, size, found);
        Py_END_ALLOW_THREADS
        size *= 2;
    }
    if (status != 0) {
        *found = NULL;
    }
    return status;
}

static PyObject *
pwd_getpwuid(PyObject *module, PyObject *uidobj)
{
    struct passwd entry, *found;
    char *buf;
    uid_t uid;
    PyObject *res = NULL;
    if (!_Py_Uid_Converter(uidobj, &uid)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Format(PyExc_KeyError, "getpwuid(): uid not found");
        }
        return NULL;
    }
    if (lookup(NULL, uid, &entry, &found, &buf) == ENOMEM) {
        PyErr_NoMemory();
    }
    else if (found == NULL) {
        PyObject *id = _PyLong_FromUid(uid);
        if (id != NULL) {
            PyErr_Format(PyExc_KeyError, "getpwuid(): uid not found: %S", id);
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
pwd_getpwnam(PyObject *module, PyObject *name)
{
    struct passwd entry, *found;
    char *buf, *chars;
    PyObject *bytes, *res = NULL;
    if (!PyUnicode_Check(name)) {
        _PyArg_BadArgument("getpwnam", "argument", "str", name);
        return NULL;
    }
    if ((bytes = PyUnicode_EncodeFSDefault(name)) == NULL) {
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
        PyErr_Format(PyExc_KeyError, "getpwnam(): name not found: %R", name);
    }
    else {
        res = make_entry(module, found);
    }
    PyMem_RawFree(buf);
    Py_DECREF(bytes);
    return res;
}

static PyObject *
pwd_getpwall(PyObject *module, PyObject *unused)
{
    struct passwd *p;
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    setpwent();
    while ((p = getpwent()) != NULL) {
        PyObject *v = make_entry(module, p);
        if (v == NULL || PyList_Append(list, v) != 0) {
            Py_XDECREF(v);
            Py_CLEAR(list);
            break;
        }
        Py_DECREF(v);
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
};

PyMODINIT_FUNC
PyInit_pwd(void)
{
    return PyModuleDef_Init(&pwd_def);
}
