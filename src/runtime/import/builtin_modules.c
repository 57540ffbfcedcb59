/* Modules inside the executable, and the memory of modules whose
 * initialisation runs only once. */
#include "runtime/import/import.h"

#include <stdlib.h>
#include <string.h>

#include "objects/interp.h"
#include "runtime/tstate.h"

#define X(name, init) PyMODINIT_FUNC init(void);
#include "modules/modules.def"
#undef X

static struct _inittab builtin_table[] = {
#define X(name, init) {#name, init},
#include "modules/modules.def"
#undef X
    /* made by the life cycle, listed so that they count as built in */
    {"builtins", NULL},
    {"sys", NULL},
    {"_imp", kr_imp_create},
    {NULL, NULL},
};

struct _inittab *PyImport_Inittab = builtin_table;

static struct kr_inittab_state {
    struct _inittab *copy;   /* grown table, malloced */
    PyObject *extensions;    /* dict (path, name) -> PyModuleDef */
} kr_inittab_state;

int
PyImport_ExtendInittab(struct _inittab *newtab)
{
    size_t extra = 0, old = 0;
    while (newtab[extra].name != NULL) {
        extra++;
    }
    if (extra == 0) {
        return 0;
    }
    while (PyImport_Inittab[old].name != NULL) {
        old++;
    }
    struct _inittab *table =
        realloc(kr_inittab_state.copy, (old + extra + 1) * sizeof(*table));
    if (table == NULL) {
        return -1;
    }
    if (kr_inittab_state.copy != PyImport_Inittab) {
        memcpy(table, PyImport_Inittab, old * sizeof(*table));
    }
    memcpy(table + old, newtab, (extra + 1) * sizeof(*table));
    PyImport_Inittab = kr_inittab_state.copy = table;
    return 0;
}

int
PyImport_AppendInittab(const char *name, PyObject *(*initfunc)(void))
{
    struct _inittab newtab[2] = {{name, initfunc}, {NULL, NULL}};
    return PyImport_ExtendInittab(newtab);
}

static const struct _inittab *
lookup(PyObject *name)
{
    for (const struct _inittab *p = PyImport_Inittab; p->name != NULL; p++) {
        if (_PyUnicode_EqualToASCIIString(name, p->name)) {
            return p;
        }
    }
    return NULL;
}

int
kr_builtin_module_known(PyObject *name)
{
    const struct _inittab *p = lookup(name);
    if (p == NULL) {
        return 0;
    }
    return p->initfunc == NULL ? -1 : 1;
}

PyObject *
kr_builtin_module_names(void)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    for (const struct _inittab *p = PyImport_Inittab; p->name != NULL; p++) {
        PyObject *name = PyUnicode_FromString(p->name);
        int res = name == NULL ? -1 : PyList_Append(list, name);
        Py_XDECREF(name);
        if (res < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    PyObject *tuple =
        PyList_Sort(list) < 0 ? NULL : PyList_AsTuple(list);
    Py_DECREF(list);
    return tuple;
}

PyObject *
kr_builtin_module_create(PyObject *name, PyObject *spec)
{
    PyObject *mod = kr_extension_find_again(name, name);
    if (mod != NULL || PyErr_Occurred()) {
        return mod;
    }
    const struct _inittab *p = lookup(name);
    if (p == NULL) {
        Py_RETURN_NONE;
    }
    if (p->initfunc == NULL) {
        /* sys and builtins cannot be made again */
        return Py_XNewRef(PyImport_AddModuleObject(name));
    }
    const char *old_context = _Py_PackageContext;
    _Py_PackageContext = PyUnicode_AsUTF8(name);
    mod = p->initfunc();
    _Py_PackageContext = old_context;
    if (mod == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_SystemError,
                         "initialization of %s failed without raising an "
                         "exception",
                         p->name);
        }
        return NULL;
    }
    if (PyObject_TypeCheck(mod, &PyModuleDef_Type)) {
        return PyModule_FromDefAndSpec((PyModuleDef *)mod, spec);
    }
    PyModuleDef *def = PyModule_GetDef(mod);
    if (def == NULL) {
        Py_DECREF(mod);
        return NULL;
    }
    def->m_base.m_init = p->initfunc;
    if (kr_extension_remember(mod, name, name, kr_interp()->modules) < 0) {
        Py_CLEAR(mod);
    }
    return mod;
}

/* --- Single-phase modules ---------------------------------------------------- */

int
kr_extension_remember(PyObject *mod, PyObject *name, PyObject *path,
                      PyObject *modules)
{
    PyModuleDef *def;
    if (mod == NULL || !PyModule_Check(mod) ||
        (def = PyModule_GetDef(mod)) == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (PyObject_SetItem(modules, name, mod) < 0) {
        return -1;
    }
    if (_PyState_AddModule(PyThreadState_Get(), mod, def) < 0) {
        PyMapping_DelItem(modules, name);
        return -1;
    }
    if (def->m_size == -1 && def->m_base.m_copy == NULL) {
        /* it can't be made again: a later import gets a copy of its dict */
        PyObject *dict = PyModule_GetDict(mod);
        def->m_base.m_copy = dict == NULL ? NULL : PyDict_Copy(dict);
        if (def->m_base.m_copy == NULL) {
            return -1;
        }
    }
    if (kr_inittab_state.extensions == NULL &&
        (kr_inittab_state.extensions = PyDict_New()) == NULL) {
        return -1;
    }
    PyObject *key = PyTuple_Pack(2, path, name);
    PyObject *value = PyLong_FromVoidPtr(def);
    int res = key == NULL || value == NULL
                  ? -1
                  : PyDict_SetItem(kr_inittab_state.extensions, key, value);
    Py_XDECREF(key);
    Py_XDECREF(value);
    return res;
}

PyObject *
kr_extension_find_again(PyObject *name, PyObject *path)
{
    if (kr_inittab_state.extensions == NULL) {
        return NULL;
    }
    PyObject *key = PyTuple_Pack(2, path, name);
    if (key == NULL) {
        return NULL;
    }
    PyObject *value =
        PyDict_GetItemWithError(kr_inittab_state.extensions, key);
    Py_DECREF(key);
    if (value == NULL) {
        return NULL;
    }
    PyModuleDef *def = PyLong_AsVoidPtr(value);
    PyObject *modules = kr_interp()->modules, *mod;
    if (def->m_size == -1) {
        if (def->m_base.m_copy == NULL) {
            return NULL;
        }
        mod = Py_XNewRef(PyImport_AddModuleObject(name));
        if (mod == NULL ||
            PyDict_Update(PyModule_GetDict(mod), def->m_base.m_copy) < 0) {
            Py_XDECREF(mod);
            return NULL;
        }
    }
    else {
        if (def->m_base.m_init == NULL) {
            return NULL;
        }
        mod = def->m_base.m_init();
        if (mod == NULL || PyObject_SetItem(modules, name, mod) < 0) {
            Py_XDECREF(mod);
            return NULL;
        }
    }
    if (_PyState_AddModule(PyThreadState_Get(), mod, def) < 0) {
        PyMapping_DelItem(modules, name);
        Py_CLEAR(mod);
    }
    return mod;
}

PyAPI_FUNC(int) _PyImport_FixupExtensionObject(PyObject *, PyObject *,
                                               PyObject *, PyObject *);
int
_PyImport_FixupExtensionObject(PyObject *mod, PyObject *name, PyObject *path,
                               PyObject *modules)
{
    return kr_extension_remember(mod, name, path, modules);
}

PyAPI_FUNC(int) _PyImport_FixupBuiltin(PyObject *, const char *, PyObject *);
int
_PyImport_FixupBuiltin(PyObject *mod, const char *name, PyObject *modules)
{
    PyObject *nameobj = PyUnicode_InternFromString(name);
    if (nameobj == NULL) {
        return -1;
    }
    int res = kr_extension_remember(mod, nameobj, nameobj, modules);
    Py_DECREF(nameobj);
    return res;
}
