/* The `xxsubtype` module: subtypes of list and dict written in C, with one
 * number more. Tests derive from them. */
#include <Python.h>
#include <structmember.h>
#include <time.h>

typedef struct {
    PyListObject list;
    int state;
} SpamList;

typedef struct {
    PyDictObject dict;
    int state;
} SpamDict;

/* The number behind either of the types. */
static int *
state_of(PyObject *self)
{
    return PyList_Check(self) ? &((SpamList *)self)->state
                              : &((SpamDict *)self)->state;
}

static PyObject *
spam_getstate(PyObject *self, PyObject *args)
{
    if (!PyArg_ParseTuple(args, ":getstate")) {
        return NULL;
    }
    return PyLong_FromLong(*state_of(self));
}

static PyObject *
spam_setstate(PyObject *self, PyObject *args)
{
    int state;
    if (!PyArg_ParseTuple(args, "i:setstate", &state)) {
        return NULL;
    }
    *state_of(self) = state;
    Py_RETURN_NONE;
}

/* What it was called with, as a tuple. */
static PyObject *
special_method(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return PyTuple_Pack(3, self != NULL ? self : Py_None, args,
                        kwargs != NULL ? kwargs : Py_None);
}

static PyObject *
get_state_attribute(PyObject *self, void *unused)
{
    return PyLong_FromLong(*state_of(self));
}

static int
spamlist_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (PyList_Type.tp_init(self, args, kwargs) < 0) {
        return -1;
    }
    *state_of(self) = 0;
    return 0;
}

static int
spamdict_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (PyDict_Type.tp_init(self, args, kwargs) < 0) {
        return -1;
    }
    *state_of(self) = 0;
    return 0;
}

static PyMethodDef spamlist_methods[] = {
    {"getstate", spam_getstate, METH_VARARGS, "getstate() -> state"},
    {"setstate", spam_setstate, METH_VARARGS, "setstate(state)"},
    {"classmeth", (PyCFunction)(void (*)(void))special_method,
     METH_VARARGS | METH_KEYWORDS | METH_CLASS, "classmeth(*args, **kw)"},
    {"staticmeth", (PyCFunction)(void (*)(void))special_method,
     METH_VARARGS | METH_KEYWORDS | METH_STATIC, "staticmeth(*args, **kw)"},
    {NULL},
};

static PyMethodDef spamdict_methods[] = {
    {"getstate", spam_getstate, METH_VARARGS, "getstate() -> state"},
    {"setstate", spam_setstate, METH_VARARGS, "setstate(state)"},
    {NULL},
};

static PyGetSetDef spamlist_getsets[] = {
    {"state", get_state_attribute, NULL,
     "an int variable for demonstration purposes", NULL},
    {NULL},
};

static PyMemberDef spamdict_members[] = {
    {"state", T_INT, offsetof(SpamDict, state), READONLY,
     "an int variable for demonstration purposes"},
    {NULL},
};

static PyTypeObject spamlist_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "xxsubtype.spamlist",
    .tp_basicsize = sizeof(SpamList),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_methods = spamlist_methods,
    .tp_getset = spamlist_getsets,
    .tp_base = &PyList_Type,
    .tp_init = spamlist_init,
};

static PyTypeObject spamdict_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "xxsubtype.spamdict",
    .tp_basicsize = sizeof(SpamDict),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_methods = spamdict_methods,
    .tp_members = spamdict_members,
    .tp_base = &PyDict_Type,
    .tp_init = spamdict_init,
};

/* bench(obj, name[, n]): the CPU time of n look-ups of an attribute. */
static PyObject *
bench(PyObject *module, PyObject *args)
{
    PyObject *object, *name;
    int n = 1000;
    if (!PyArg_ParseTuple(args, "OU|i", &object, &name, &n)) {
        return NULL;
    }
    clock_t start = clock();
    while (--n >= 0) {
        PyObject *value = PyObject_GetAttr(object, name);
        if (value == NULL) {
            return NULL;
        }
        Py_DECREF(value);
    }
    return PyFloat_FromDouble((double)(clock() - start) / CLOCKS_PER_SEC);
}

static PyMethodDef functions[] = {
    {"bench", bench, METH_VARARGS, NULL},
    {NULL},
};

static int
exec(PyObject *module)
{
    return PyModule_AddType(module, &spamlist_type) < 0
                   || PyModule_AddType(module, &spamdict_type) < 0
               ? -1
               : 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0, NULL}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "xxsubtype",
    .m_doc = "Subtypes of built-in types written in C, for tests.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_xxsubtype(void)
{
    return PyModuleDef_Init(&definition);
}
