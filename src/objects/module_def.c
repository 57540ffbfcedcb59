/* Modules written in C: from a PyModuleDef to a module, in one phase or in
 * several (PEP 489). */
#include "objects/module.h"

#include "base/common.h"
#include "objects/ids.h"
#include "objects/immortal.h"

PyTypeObject PyModuleDef_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "moduledef",
    .tp_basicsize = sizeof(PyModuleDef),
    .tp_flags = Py_TPFLAGS_DEFAULT,
};

const char *_Py_PackageContext = NULL;

static struct kr_module_state {
    Py_ssize_t last_index; /* numbers definitions for PyState_FindModule */
} module_state;

PyObject *
PyModuleDef_Init(PyModuleDef *def)
{
    if (PyType_Ready(&PyModuleDef_Type) < 0) {
        return NULL;
    }
    if (def->m_base.m_index == 0) {
        Py_SET_REFCNT(def, 1);
        Py_SET_TYPE(def, &PyModuleDef_Type);
        def->m_base.m_index = ++module_state.last_index;
    }
    return (PyObject *)def;
}

static int
check_api_version(const char *name, int version)
{
    if (version == PYTHON_API_VERSION || version == PYTHON_ABI_VERSION) {
        return 0;
    }
    return PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                            "Python C API version mismatch for module "
                            "%.100s: This Python has API version %d, module "
                            "%.100s has version %d.",
                            name, PYTHON_API_VERSION, name, version);
}

static int
add_methods(PyObject *module, PyObject *name, PyMethodDef *functions)
{
    for (PyMethodDef *f = functions; f->ml_name != NULL; f++) {
        if (f->ml_flags & (METH_CLASS | METH_STATIC)) {
            PyErr_SetString(PyExc_ValueError,
                            "module functions cannot set METH_CLASS or "
                            "METH_STATIC");
            return -1;
        }
        PyObject *func = PyCFunction_NewEx(f, module, name);
        if (func == NULL) {
            return -1;
        }
        int res = PyObject_SetAttrString(module, f->ml_name, func);
        Py_DECREF(func);
        if (res < 0) {
            return -1;
        }
    }
    return 0;
}

int
PyModule_AddFunctions(PyObject *m, PyMethodDef *functions)
{
    PyObject *name = PyModule_GetNameObject(m);
    if (name == NULL) {
        return -1;
    }
    int res = add_methods(m, name, functions);
    Py_DECREF(name);
    return res;
}

int
PyModule_SetDocString(PyObject *m, const char *doc)
{
    PyObject *text = PyUnicode_FromString(doc);
    if (text == NULL) {
        return -1;
    }
    int res = PyObject_SetAttr(m, KR_ID(__doc__), text);
    Py_DECREF(text);
    return res;
}

/* ---- single phase ------------------------------------------------------- */

static int
allocate_state(PyObject *m, Py_ssize_t size)
{
    if (size <= 0) {
        return 0;
    }
    void *state = PyMem_Calloc(1, (size_t)size);
    if (state == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    ((struct kr_module *)m)->md_state = state;
    return 0;
}

PyObject *
_PyModule_CreateInitialized(PyModuleDef *def, int version)
{
    if (PyModuleDef_Init(def) == NULL) {
        return NULL;
    }
    const char *name = def->m_name;
    if (check_api_version(name, version) < 0) {
        return NULL;
    }
    if (def->m_slots != NULL) {
        PyErr_Format(PyExc_SystemError,
                     "module %s: PyModule_Create is incompatible with "
                     "m_slots",
                     name);
        return NULL;
    }
    /* A module inside a package does not know its full name; the importer
     * left it here. */
    if (_Py_PackageContext != NULL) {
        const char *p = strrchr(_Py_PackageContext, '.');
        if (p != NULL && strcmp(name, p + 1) == 0) {
            name = _Py_PackageContext;
            _Py_PackageContext = NULL;
        }
    }
    PyObject *m = PyModule_New(name);
    if (m == NULL) {
        return NULL;
    }
    if (allocate_state(m, def->m_size) < 0
        || (def->m_methods != NULL
            && PyModule_AddFunctions(m, def->m_methods) < 0)
        || (def->m_doc != NULL && PyModule_SetDocString(m, def->m_doc) < 0)) {
        Py_DECREF(m);
        return NULL;
    }
    ((struct kr_module *)m)->md_def = def;
    return m;
}

PyObject *
PyModule_Create2(PyModuleDef *def, int version)
{
    return _PyModule_CreateInitialized(def, version);
}

/* ---- several phases ----------------------------------------------------- */

typedef PyObject *(*create_func)(PyObject *spec, PyModuleDef *def);

/* Reads the slots: the create function, if any, and whether there are exec
 * slots. */
static int
scan_slots(PyModuleDef *def, const char *name, create_func *create,
           bool *has_exec)
{
    for (PyModuleDef_Slot *s = def->m_slots; s && s->slot; s++) {
        if (s->slot == Py_mod_create) {
            if (*create != NULL) {
                PyErr_Format(PyExc_SystemError,
                             "module %s has multiple create slots", name);
                return -1;
            }
            *create = (create_func)s->value;
        }
        else if (s->slot < 0 || s->slot > Py_mod_exec) {
            PyErr_Format(PyExc_SystemError,
                         "module %s uses unknown slot ID %i", name, s->slot);
            return -1;
        }
        else {
            *has_exec = true;
        }
    }
    return 0;
}

static PyObject *
create_module(PyModuleDef *def, PyObject *spec, PyObject *nameobj,
              const char *name, create_func create)
{
    if (create == NULL) {
        return PyModule_NewObject(nameobj);
    }
    PyObject *m = create(spec, def);
    if (m == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_SystemError,
                         "creation of module %s failed without setting an "
                         "exception",
                         name);
        }
        return NULL;
    }
    if (PyErr_Occurred()) {
        _PyErr_FormatFromCause(PyExc_SystemError,
                               "creation of module %s raised unreported "
                               "exception",
                               name);
        Py_CLEAR(m);
    }
    return m;
}

/* Ties a created object to its definition; it may be of any type. */
static int
adopt(PyObject *m, PyModuleDef *def, const char *name, bool has_exec)
{
    if (PyModule_Check(m)) {
        ((struct kr_module *)m)->md_state = NULL;
        ((struct kr_module *)m)->md_def = def;
        return 0;
    }
    if (def->m_size > 0 || def->m_traverse || def->m_clear || def->m_free) {
        PyErr_Format(PyExc_SystemError,
                     "module %s is not a module object, but requests module "
                     "state",
                     name);
        return -1;
    }
    if (has_exec) {
        PyErr_Format(PyExc_SystemError,
                     "module %s specifies execution slots, but did not "
                     "create a ModuleType instance",
                     name);
        return -1;
    }
    return 0;
}

static PyObject *
from_def(PyModuleDef *def, PyObject *spec, PyObject *nameobj, int version)
{
    const char *name = PyUnicode_AsUTF8(nameobj);
    if (name == NULL || check_api_version(name, version) < 0) {
        return NULL;
    }
    if (def->m_size < 0) {
        PyErr_Format(PyExc_SystemError,
                     "module %s: m_size may not be negative for multi-phase "
                     "initialization",
                     name);
        return NULL;
    }
    create_func create = NULL;
    bool has_exec = false;
    if (scan_slots(def, name, &create, &has_exec) < 0) {
        return NULL;
    }
    PyObject *m = create_module(def, spec, nameobj, name, create);
    if (m == NULL) {
        return NULL;
    }
    if (adopt(m, def, name, has_exec) < 0
        || (def->m_methods != NULL
            && add_methods(m, nameobj, def->m_methods) < 0)
        || (def->m_doc != NULL && PyModule_SetDocString(m, def->m_doc) < 0)) {
        Py_CLEAR(m);
    }
    return m;
}

PyObject *
PyModule_FromDefAndSpec2(PyModuleDef *def, PyObject *spec, int version)
{
    if (PyModuleDef_Init(def) == NULL) {
        return NULL;
    }
    PyObject *nameobj = PyObject_GetAttr(spec, KR_ID(name));
    if (nameobj == NULL) {
        return NULL;
    }
    PyObject *m = from_def(def, spec, nameobj, version);
    Py_DECREF(nameobj);
    return m;
}

int
PyModule_ExecDef(PyObject *module, PyModuleDef *def)
{
    const char *name = PyModule_GetName(module);
    if (name == NULL) {
        return -1;
    }
    /* that there is a state, be it empty, tells later that this has run */
    if (((struct kr_module *)module)->md_state == NULL
        && allocate_state(module, Py_MAX(def->m_size, 1)) < 0) {
        return -1;
    }
    for (PyModuleDef_Slot *s = def->m_slots; s && s->slot; s++) {
        if (s->slot == Py_mod_create) {
            continue; /* done by PyModule_FromDefAndSpec */
        }
        if (s->slot != Py_mod_exec) {
            PyErr_Format(PyExc_SystemError,
                         "module %s initialized with unknown slot %i", name,
                         s->slot);
            return -1;
        }
        int res = ((int (*)(PyObject *))s->value)(module);
        if (res != 0) {
            if (!PyErr_Occurred()) {
                PyErr_Format(PyExc_SystemError,
                             "execution of module %s failed without setting "
                             "an exception",
                             name);
            }
            return -1;
        }
        if (PyErr_Occurred()) {
            _PyErr_FormatFromCause(PyExc_SystemError,
                                   "execution of module %s raised "
                                   "unreported exception",
                                   name);
            return -1;
        }
    }
    return 0;
}
