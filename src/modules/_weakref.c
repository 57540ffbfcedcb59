/* The _weakref module: what the weakref module is built from. */
#include <Python.h>

#include "objects/ids.h"
#include "objects/weakref.h"

static PyWeakReference *
first_ref(PyObject *object)
{
    if (!PyType_SUPPORTS_WEAKREFS(Py_TYPE(object))) {
        return NULL;
    }
    return *(PyWeakReference **)PyObject_GET_WEAKREFS_LISTPTR(object);
}

static PyObject *
getweakrefcount(PyObject *module, PyObject *object)
{
    return PyLong_FromSsize_t(_PyWeakref_GetWeakrefCount(first_ref(object)));
}

static PyObject *
getweakrefs(PyObject *module, PyObject *object)
{
    PyWeakReference *ref = first_ref(object);
    PyObject *list = PyList_New(_PyWeakref_GetWeakrefCount(ref));
    if (list == NULL) {
        return NULL;
    }
    /* the allocation may have run a collection; don't trust the count */
    ref = first_ref(object);
    Py_ssize_t n = 0;
    for (; ref != NULL && n < PyList_GET_SIZE(list); ref = ref->wr_next) {
        PyList_SET_ITEM(list, n++, Py_NewRef((PyObject *)ref));
    }
    if (n < PyList_GET_SIZE(list)) {
        Py_SET_SIZE(list, n);
    }
    return list;
}

static int
is_dead(PyObject *value)
{
    if (!PyWeakref_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "not a weakref");
        return -1;
    }
    return PyWeakref_GET_OBJECT(value) == Py_None;
}

static PyObject *
remove_dead_weakref(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("_remove_dead_weakref", nargs, 2, 2)) {
        return NULL;
    }
    if (!PyDict_Check(args[0])) {
        _PyArg_BadArgument("_remove_dead_weakref", "argument 1", "dict",
                           args[0]);
        return NULL;
    }
    if (_PyDict_DelItemIf(args[0], args[1], is_dead) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_KeyError)) {
            return NULL;
        }
        PyErr_Clear(); /* somebody else removed it */
    }
    Py_RETURN_NONE;
}

static PyObject *
make_proxy(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("proxy", nargs, 1, 2)) {
        return NULL;
    }
    return PyWeakref_NewProxy(args[0], nargs == 2 ? args[1] : NULL);
}

static PyMethodDef methods[] = {
    {"getweakrefcount", getweakrefcount, METH_O,
     "getweakrefcount($module, object, /)\n--\n\n"
     "How many weak references and proxies an object has."},
    {"getweakrefs", getweakrefs, METH_O,
     "getweakrefs($module, object, /)\n--\n\n"
     "A list of all weak references and proxies of an object."},
    {"_remove_dead_weakref", (PyCFunction)(void *)remove_dead_weakref,
     METH_FASTCALL,
     "_remove_dead_weakref($module, dct, key, /)\n--\n\n"
     "Delete key from dct if its value is a dead weak reference."},
    {"proxy", (PyCFunction)(void *)make_proxy, METH_FASTCALL,
     "proxy($module, object, callback=None, /)\n--\n\n"
     "Make a proxy that refers weakly to an object. A callback is called\n"
     "with the proxy when the object is about to die."},
    {NULL},
};

static int
exec(PyObject *module)
{
    static const struct {
        const char *name;
        PyTypeObject *type;
    } types[] = {
        {"ref", &_PyWeakref_RefType},
        {"ReferenceType", &_PyWeakref_RefType},
        {"ProxyType", &_PyWeakref_ProxyType},
        {"CallableProxyType", &_PyWeakref_CallableProxyType},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (PyModule_AddObjectRef(module, types[i].name,
                                  (PyObject *)types[i].type) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_weakref",
    .m_doc = "What weak references are made of.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__weakref(void)
{
    return PyModuleDef_Init(&definition);
}
