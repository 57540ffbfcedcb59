/* The type `module`: attributes, life, its Python side. */
#include "objects/module.h"

#include "base/common.h"
#include "memory/gc.h"
#include "objects/args/named.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/interp.h"
#include "objects/object.h"

#include <structmember.h>

static inline struct kr_module *
cast(PyObject *self)
{
    return (struct kr_module *)self;
}

/* ---- making ------------------------------------------------------------- */

/* Gives a new module's dict the entries that every module has. */
static int
init_dict(struct kr_module *mod, PyObject *dict, PyObject *name,
          PyObject *doc)
{
    if (PyDict_SetItem(dict, KR_ID(__name__), name) < 0
        || PyDict_SetItem(dict, KR_ID(__doc__), doc ? doc : Py_None) < 0
        || PyDict_SetItem(dict, KR_ID(__package__), Py_None) < 0
        || PyDict_SetItem(dict, KR_ID(__loader__), Py_None) < 0
        || PyDict_SetItem(dict, KR_ID(__spec__), Py_None) < 0) {
        return -1;
    }
    if (PyUnicode_CheckExact(name)) {
        Py_INCREF(name);
        Py_XSETREF(mod->md_name, name);
    }
    return 0;
}

PyObject *
PyModule_NewObject(PyObject *name)
{
    PyObject *mod = PyType_GenericAlloc(&PyModule_Type, 0);
    if (mod == NULL) {
        return NULL;
    }
    cast(mod)->md_dict = PyDict_New();
    if (cast(mod)->md_dict == NULL
        || init_dict(cast(mod), cast(mod)->md_dict, name, NULL) < 0) {
        Py_CLEAR(mod);
    }
    return mod;
}

PyObject *
PyModule_New(const char *name)
{
    PyObject *text = PyUnicode_FromString(name);
    if (text == NULL) {
        return NULL;
    }
    PyObject *mod = PyModule_NewObject(text);
    Py_DECREF(text);
    return mod;
}

static int
module_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"name", "doc", NULL};
    PyObject *name, *doc = Py_None;
    if (!kr_parse_tuple_named(args, kwds, "U|O:module", names, &name, &doc)) {
        return -1;
    }
    if (cast(self)->md_dict == NULL) {
        cast(self)->md_dict = PyDict_New();
        if (cast(self)->md_dict == NULL) {
            return -1;
        }
    }
    return init_dict(cast(self), cast(self)->md_dict, name, doc);
}

/* ---- what modules know about themselves --------------------------------- */

PyObject *
PyModule_GetDict(PyObject *m)
{
    if (!PyModule_Check(m)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return cast(m)->md_dict;
}

/* A str entry of the dict as a new reference; SystemError if there is none. */
static PyObject *
text_entry(PyObject *m, PyObject *key, const char *error)
{
    if (!PyModule_Check(m)) {
        PyErr_BadArgument();
        return NULL;
    }
    PyObject *dict = cast(m)->md_dict;
    PyObject *value = NULL;
    if (dict != NULL && PyDict_Check(dict)) {
        value = PyDict_GetItemWithError(dict, key);
    }
    if (value == NULL || !PyUnicode_Check(value)) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_SystemError, error);
        }
        return NULL;
    }
    return Py_NewRef(value);
}

PyObject *
PyModule_GetNameObject(PyObject *m)
{
    return text_entry(m, KR_ID(__name__), "nameless module");
}

const char *
PyModule_GetName(PyObject *m)
{
    PyObject *name = PyModule_GetNameObject(m);
    if (name == NULL) {
        return NULL;
    }
    Py_DECREF(name); /* the module's dict keeps it */
    return PyUnicode_AsUTF8(name);
}

PyObject *
PyModule_GetFilenameObject(PyObject *m)
{
    return text_entry(m, KR_ID(__file__), "module filename missing");
}

const char *
PyModule_GetFilename(PyObject *m)
{
    PyObject *file = PyModule_GetFilenameObject(m);
    if (file == NULL) {
        return NULL;
    }
    const char *utf8 = PyUnicode_AsUTF8(file);
    Py_DECREF(file); /* the module's dict keeps it */
    return utf8;
}

PyModuleDef *
PyModule_GetDef(PyObject *m)
{
    if (!PyModule_Check(m)) {
        PyErr_BadArgument();
        return NULL;
    }
    return cast(m)->md_def;
}

void *
PyModule_GetState(PyObject *m)
{
    if (!PyModule_Check(m)) {
        PyErr_BadArgument();
        return NULL;
    }
    return cast(m)->md_state;
}

/* ---- emptying ----------------------------------------------------------- */

void
_PyModule_ClearDict(PyObject *d)
{
    /* Names with one underscore first: what the others may still use in
     * their destructors are usually public names. */
    for (int pass = 1; pass <= 2; pass++) {
        Py_ssize_t pos = 0;
        PyObject *key, *value;
        while (PyDict_Next(d, &pos, &key, &value)) {
            if (value == Py_None || !PyUnicode_Check(key)) {
                continue;
            }
            Py_ssize_t n = PyUnicode_GET_LENGTH(key);
            bool one_underscore =
                n > 0 && PyUnicode_READ_CHAR(key, 0) == '_'
                && (n == 1 || PyUnicode_READ_CHAR(key, 1) != '_');
            if (pass == 1 ? !one_underscore
                          : _PyUnicode_EQ(key, KR_ID(__builtins__))) {
                continue;
            }
            if (PyDict_SetItem(d, key, Py_None) != 0) {
                PyErr_WriteUnraisable(NULL);
            }
        }
    }
}

void
_PyModule_Clear(PyObject *m)
{
    PyObject *d = cast(m)->md_dict;
    if (d != NULL) {
        _PyModule_ClearDict(d);
    }
}

/* ---- attributes --------------------------------------------------------- */

int
_PyModuleSpec_IsInitializing(PyObject *spec)
{
    if (spec == NULL) {
        return 0;
    }
    PyObject *value;
    int res = _PyObject_LookupAttr(spec, KR_ID(_initializing), &value);
    if (res > 0) {
        res = PyObject_IsTrue(value);
        Py_DECREF(value);
    }
    if (res < 0) {
        PyErr_Clear();
        res = 0;
    }
    return res;
}

/* Whether the import system is still at work on submodule `name`. */
static KR_COLD int
is_uninitialized_submodule(PyObject *spec, PyObject *name)
{
    PyObject *list = NULL;
    if (spec == NULL ||
        _PyObject_LookupAttr(spec, KR_ID(_uninitialized_submodules), &list) <=
            0) {
        PyErr_Clear();
        return 0;
    }
    int res = PySequence_Contains(list, name);
    Py_DECREF(list);
    if (res < 0) {
        PyErr_Clear();
    }
    return res > 0;
}

/* The AttributeError, with what is known about the module. */
static KR_COLD void
missing_attribute(PyObject *self, PyObject *name)
{
    PyObject *dict = cast(self)->md_dict;
    PyObject *mod_name =
        dict == NULL ? NULL : PyDict_GetItemWithError(dict, KR_ID(__name__));
    if (mod_name == NULL || !PyUnicode_Check(mod_name)) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_AttributeError,
                         "module has no attribute '%U'", name);
        }
        return;
    }
    Py_INCREF(mod_name);
    PyObject *spec = PyDict_GetItemWithError(dict, KR_ID(__spec__));
    if (spec != NULL || !PyErr_Occurred()) {
        Py_XINCREF(spec);
        if (_PyModuleSpec_IsInitializing(spec)) {
            PyErr_Format(PyExc_AttributeError,
                         "partially initialized module '%U' has no attribute "
                         "'%U' (most likely due to a circular import)",
                         mod_name, name);
        }
        else if (is_uninitialized_submodule(spec, name)) {
            PyErr_Format(PyExc_AttributeError,
                         "cannot access submodule '%U' of module '%U' (most "
                         "likely due to a circular import)",
                         name, mod_name);
        }
        else {
            PyErr_Format(PyExc_AttributeError,
                         "module '%U' has no attribute '%U'", mod_name, name);
        }
        Py_XDECREF(spec);
    }
    Py_DECREF(mod_name);
}

PyObject *
kr_module_getattro(PyObject *self, PyObject *name)
{
    PyObject *res = kr_generic_getattr_quiet(self, name);
    if (KR_LIKELY(res != NULL) || PyErr_Occurred()) {
        return res;
    }
    PyObject *dict = cast(self)->md_dict;
    if (dict != NULL) {
        PyObject *hook = PyDict_GetItemWithError(dict, KR_ID(__getattr__));
        if (hook != NULL) {
            Py_INCREF(hook);
            res = PyObject_CallOneArg(hook, name);
            Py_DECREF(hook);
            return res;
        }
        if (PyErr_Occurred()) {
            return NULL;
        }
    }
    missing_attribute(self, name);
    return NULL;
}

static PyObject *
module_repr(PyObject *self)
{
    PyObject *importlib = kr_interp()->importlib;
    if (importlib != NULL) {
        return PyObject_CallMethodOneArg(importlib, KR_ID(_module_repr),
                                         self);
    }
    /* Before the import system is there. */
    return PyUnicode_FromFormat("<module %R>",
                                cast(self)->md_name ? cast(self)->md_name
                                                    : Py_None);
}

static PyObject *
own_dict(PyObject *self)
{
    PyObject *dict = PyObject_GetAttr(self, KR_ID(__dict__));
    if (dict != NULL && !PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError,
                     "<module>.__dict__ is not a dictionary");
        Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *
module_dir(PyObject *self, PyObject *unused)
{
    PyObject *dict = own_dict(self);
    if (dict == NULL) {
        return NULL;
    }
    PyObject *res = NULL;
    PyObject *hook = PyDict_GetItemWithError(dict, KR_ID(__dir__));
    if (hook != NULL) {
        res = PyObject_CallNoArgs(hook);
    }
    else if (!PyErr_Occurred()) {
        res = PyDict_Keys(dict);
    }
    Py_DECREF(dict);
    return res;
}

static PyObject *
get_annotations(PyObject *self, void *context)
{
    PyObject *dict = own_dict(self);
    if (dict == NULL) {
        return NULL;
    }
    PyObject *res = PyDict_GetItemWithError(dict, KR_ID(__annotations__));
    if (res != NULL) {
        Py_INCREF(res);
    }
    else if (!PyErr_Occurred()) {
        res = PyDict_New();
        if (res != NULL
            && PyDict_SetItem(dict, KR_ID(__annotations__), res) < 0) {
            Py_CLEAR(res);
        }
    }
    Py_DECREF(dict);
    return res;
}

static int
set_annotations(PyObject *self, PyObject *value, void *context)
{
    PyObject *dict = own_dict(self);
    if (dict == NULL) {
        return -1;
    }
    int res;
    if (value != NULL) {
        res = PyDict_SetItem(dict, KR_ID(__annotations__), value);
    }
    else {
        res = PyDict_DelItem(dict, KR_ID(__annotations__));
        if (res < 0 && PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_Format(PyExc_AttributeError, "%U",
                         KR_ID(__annotations__));
        }
    }
    Py_DECREF(dict);
    return res;
}

/* ---- the type ----------------------------------------------------------- */

static void
module_dealloc(PyObject *self)
{
    struct kr_module *m = cast(self);
    kr_gc_untrack(self);
    if (m->md_weaklist != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    /* m_free may expect that the state was set up. */
    if (m->md_def != NULL && m->md_def->m_free != NULL
        && (m->md_def->m_size <= 0 || m->md_state != NULL)) {
        m->md_def->m_free(m);
    }
    Py_XDECREF(m->md_dict);
    Py_XDECREF(m->md_name);
    if (m->md_state != NULL) {
        PyMem_Free(m->md_state);
    }
    Py_TYPE(self)->tp_free(self);
}

static int
module_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct kr_module *m = cast(self);
    if (m->md_def != NULL && m->md_def->m_traverse != NULL
        && (m->md_def->m_size <= 0 || m->md_state != NULL)) {
        int res = m->md_def->m_traverse(self, visit, arg);
        if (res) {
            return res;
        }
    }
    Py_VISIT(m->md_dict);
    return 0;
}

static int
module_clear(PyObject *self)
{
    struct kr_module *m = cast(self);
    if (m->md_def != NULL && m->md_def->m_clear != NULL
        && (m->md_def->m_size <= 0 || m->md_state != NULL)) {
        int res = m->md_def->m_clear(self);
        if (res) {
            return res;
        }
    }
    Py_CLEAR(m->md_dict);
    return 0;
}

static PyMethodDef module_methods[] = {
    {"__dir__", module_dir, METH_NOARGS,
     PyDoc_STR("__dir__() -> list\nspecialized dir() implementation")},
    {NULL},
};

static PyMemberDef module_members[] = {
    {"__dict__", T_OBJECT, offsetof(struct kr_module, md_dict), READONLY},
    {NULL},
};

static PyGetSetDef module_getsets[] = {
    {"__annotations__", get_annotations, set_annotations},
    {NULL},
};

/* A module has its namespace even before __init__. */
static PyObject *
module_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *m = PyType_GenericNew(type, args, kwargs);
    if (m != NULL && (cast(m)->md_dict = PyDict_New()) == NULL) {
        Py_CLEAR(m);
    }
    return m;
}

PyTypeObject PyModule_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "module",
    .tp_basicsize = sizeof(struct kr_module),
    .tp_dealloc = module_dealloc,
    .tp_repr = module_repr,
    .tp_getattro = kr_module_getattro,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("module(name, doc=None)\n--\n\n"
                        "A module: a namespace with a name."),
    .tp_traverse = module_traverse,
    .tp_clear = module_clear,
    .tp_weaklistoffset = offsetof(struct kr_module, md_weaklist),
    .tp_methods = module_methods,
    .tp_members = module_members,
    .tp_getset = module_getsets,
    .tp_dictoffset = offsetof(struct kr_module, md_dict),
    .tp_init = module_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = module_new,
    .tp_free = PyObject_GC_Del,
};
