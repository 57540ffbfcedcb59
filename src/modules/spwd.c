/* The `spwd` module: the database of shadow passwords. */
#include <Python.h>
#include <errno.h>
#include <shadow.h>

#include "modules/accounts.h"

typedef struct {
    PyTypeObject *struct_spwd;
} spwd_state;

static PyStructSequence_Field spwd_fields[] = {
    {"sp_namp", "login name"},
    {"sp_pwdp", "encrypted password"},
    {"sp_lstchg", "date of last change"},
    {"sp_min", "min #days between changes"},
    {"sp_max", "max #days between changes"},
    {"sp_warn", "#days before pw expires to warn user about it"},
    {"sp_inact", "#days after pw expires until account is disabled"},
    {"sp_expire", "#days since 1970-01-01 when account expires"},
    {"sp_flag", "reserved"},
    {"sp_nam", "login name; deprecated"},
    {"sp_pwd", "encrypted password; deprecated"},
    {NULL},
};

static PyStructSequence_Desc spwd_desc = {
    "spwd.struct_spwd",
    "spwd.struct_spwd: an entry of the database of shadow passwords.",
    spwd_fields,
    9,
};

static PyObject *
make_entry(PyObject *module, const struct spwd *p)
{
    spwd_state *state = PyModule_GetState(module);
    PyObject *v = PyStructSequence_New(state->struct_spwd);
    if (v == NULL) {
        return NULL;
    }
    const long numbers[] = {p->sp_lstchg, p->sp_min,    p->sp_max,
                            p->sp_warn,   p->sp_inact,  p->sp_expire,
                            (long)p->sp_flag};
    PyStructSequence_SET_ITEM(v, 0, kr_accounts_text(p->sp_namp));
    PyStructSequence_SET_ITEM(v, 1, kr_accounts_text(p->sp_pwdp));
    for (int i = 0; i < 7; i++) {
        PyStructSequence_SET_ITEM(v, i + 2, PyLong_FromLong(numbers[i]));
    }
    PyStructSequence_SET_ITEM(v, 9, kr_accounts_text(p->sp_namp));
    PyStructSequence_SET_ITEM(v, 10, kr_accounts_text(p->sp_pwdp));
    if (PyErr_Occurred()) {
        Py_CLEAR(v);
    }
    return v;
}

static PyObject *
spwd_getspnam(PyObject *module, PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        _PyArg_BadArgument("getspnam", "argument", "str", name);
        return NULL;
    }
    char *chars;
    PyObject *bytes = kr_accounts_name(name, &chars), *res = NULL;
    if (bytes == NULL) {
        return NULL;
    }
    errno = 0;
    struct spwd *p = getspnam(chars);
    if (p != NULL) {
        res = make_entry(module, p);
    }
    else if (errno != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
    }
    else {
        PyErr_SetString(PyExc_KeyError, "getspnam(): name not found");
    }
    Py_DECREF(bytes);
    return res;
}

static PyObject *
spwd_getspall(PyObject *module, PyObject *unused)
{
    struct spwd *p;
    PyObject *list = PyList_New(0);
    setspent();
    while (list != NULL && (p = getspent()) != NULL) {
        kr_accounts_add(&list, make_entry(module, p));
    }
    endspent();
    return list;
}

static PyMethodDef spwd_methods[] = {
    {"getspnam", spwd_getspnam, METH_O,
     "getspnam($module, arg, /)\n--\n\nThe entry of a user name."},
    {"getspall", spwd_getspall, METH_NOARGS,
     "getspall($module, /)\n--\n\nAll entries, in arbitrary order."},
    {NULL},
};

static int
spwd_exec(PyObject *module)
{
    spwd_state *state = PyModule_GetState(module);
    if (PyErr_WarnEx(PyExc_DeprecationWarning,
                     "'spwd' is deprecated and slated for removal in "
                     "Python 3.13",
                     7) != 0) {
        return -1;
    }
    state->struct_spwd = PyStructSequence_NewType(&spwd_desc);
    return state->struct_spwd ? PyModule_AddType(module, state->struct_spwd)
                              : -1;
}

static int
spwd_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((spwd_state *)PyModule_GetState(module))->struct_spwd);
    return 0;
}

static int
spwd_clear(PyObject *module)
{
    Py_CLEAR(((spwd_state *)PyModule_GetState(module))->struct_spwd);
    return 0;
}

static void
spwd_free(void *module)
{
    spwd_clear(module);
}

static PyModuleDef_Slot spwd_slots[] = {{Py_mod_exec, spwd_exec}, {0, NULL}};

static PyModuleDef spwd_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "spwd",
    .m_doc = "The database of shadow passwords, which only root may read:\n"
             "entries by name, or all.",
    .m_size = sizeof(spwd_state),
    .m_methods = spwd_methods,
    .m_slots = spwd_slots,
    .m_traverse = spwd_traverse,
    .m_clear = spwd_clear,
    .m_free = spwd_free,
};

PyMODINIT_FUNC
PyInit_spwd(void)
{
    return PyModuleDef_Init(&spwd_def);
}
