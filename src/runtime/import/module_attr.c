/* Attributes of modules imported on demand.
 *
 * A file of its own: the public header of 3.11 declares these two functions as
 * data, so they are defined where that declaration is not seen. */
#define _PyImport_GetModuleAttr kr_declared_as_data_1
#define _PyImport_GetModuleAttrString kr_declared_as_data_2
#include <Python.h>
#undef _PyImport_GetModuleAttr
#undef _PyImport_GetModuleAttrString

PyAPI_FUNC(PyObject *) _PyImport_GetModuleAttr(PyObject *, PyObject *);
PyAPI_FUNC(PyObject *) _PyImport_GetModuleAttrString(const char *, const char *);

/* New reference to modname.attrname, or NULL. */
PyObject *
_PyImport_GetModuleAttr(PyObject *modname, PyObject *attrname)
{
    PyObject *mod = PyImport_Import(modname);
    if (mod == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_GetAttr(mod, attrname);
    Py_DECREF(mod);
    return res;
}

PyObject *
_PyImport_GetModuleAttrString(const char *modname, const char *attrname)
{
    PyObject *mod = PyImport_ImportModule(modname);
    if (mod == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_GetAttrString(mod, attrname);
    Py_DECREF(mod);
    return res;
}

/* The same under a name that no header misdeclares. */
PyObject *kr_import_attr(const char *modname, const char *attrname);
PyObject *
kr_import_attr(const char *modname, const char *attrname)
{
    return _PyImport_GetModuleAttrString(modname, attrname);
}
