/* Names at run time: unbound variables, class and global scopes, imports. */
#include "objects/ids.h"
#include "code/code.h"
#include "vm/support.h"

/* The exception gets the name as attribute, for "did you mean". */
static void
raise_name_error(PyObject *type, const char *format, PyObject *name)
{
    const char *text = PyUnicode_AsUTF8(name);
    if (text == NULL) {
        return;
    }
    PyErr_Format(type, format, text);
    if (type != PyExc_NameError) {
        return;
    }
    PyObject *t, *value, *tb;
    PyErr_Fetch(&t, &value, &tb);
    PyErr_NormalizeException(&t, &value, &tb);
    if (t != NULL && Py_IS_TYPE(value, (PyTypeObject *)PyExc_NameError)) {
        PyNameErrorObject *exc = (PyNameErrorObject *)value;
        if (exc->name == NULL) {
            /* the indirection through setattr would lose nothing else */
            exc->name = Py_NewRef(name);
        }
    }
    PyErr_Restore(t, value, tb);
}

#define NOT_DEFINED "name '%.200s' is not defined"

void
kr_raise_unbound_local(PyCodeObject *co, int index)
{
    raise_name_error(PyExc_UnboundLocalError,
                     "cannot access local variable '%s' where it is not "
                     "associated with a value",
                     PyTuple_GET_ITEM(co->co_localsplusnames, index));
}

void
kr_raise_unbound_deref(PyCodeObject *co, int index)
{
    if (PyErr_Occurred()) {
        return;
    }
    if (index < co->co_nlocalsplus - co->co_nfreevars) {
        kr_raise_unbound_local(co, index);
        return;
    }
    raise_name_error(PyExc_NameError,
                     "cannot access free variable '%s' where it is not "
                     "associated with a value in enclosing scope",
                     PyTuple_GET_ITEM(co->co_localsplusnames, index));
}

/* New reference; NULL without an exception if absent. */
static PyObject *
lookup(PyObject *namespace, PyObject *name)
{
    if (PyDict_CheckExact(namespace)) {
        return Py_XNewRef(PyDict_GetItemWithError(namespace, name));
    }
    PyObject *value = PyObject_GetItem(namespace, name);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
    }
    return value;
}

PyObject *
kr_load_classderef(_PyInterpreterFrame *f, int index)
{
    PyObject *name = PyTuple_GET_ITEM(f->f_code->co_localsplusnames, index);
    if (f->f_locals == NULL) {
        PyErr_Format(PyExc_SystemError, "no locals when loading %R", name);
        return NULL;
    }
    PyObject *value = lookup(f->f_locals, name);
    if (value != NULL || PyErr_Occurred()) {
        return value;
    }
    value = PyCell_GET(f->localsplus[index]);
    if (value == NULL) {
        kr_raise_unbound_deref(f->f_code, index);
    }
    return Py_XNewRef(value);
}

PyObject *
kr_load_global(_PyInterpreterFrame *f, PyObject *name)
{
    PyObject *value = lookup(f->f_globals, name);
    if (value == NULL && !PyErr_Occurred()) {
        value = lookup(f->f_builtins, name);
        if (value == NULL && !PyErr_Occurred()) {
            raise_name_error(PyExc_NameError, NOT_DEFINED, name);
        }
    }
    return value;
}

static PyObject *
no_locals(const char *doing, PyObject *name)
{
    PyErr_Format(PyExc_SystemError, "no locals %s %R", doing, name);
    return NULL;
}

PyObject *
kr_load_name(_PyInterpreterFrame *f, PyObject *name)
{
    if (f->f_locals == NULL) {
        return no_locals("when loading", name);
    }
    PyObject *value = lookup(f->f_locals, name);
    return value != NULL || PyErr_Occurred() ? value
                                             : kr_load_global(f, name);
}

int
kr_store_name(_PyInterpreterFrame *f, PyObject *name, PyObject *value)
{
    PyObject *ns = f->f_locals;
    if (ns == NULL) {
        no_locals("found when storing", name);
        return -1;
    }
    return PyDict_CheckExact(ns) ? PyDict_SetItem(ns, name, value)
                                 : PyObject_SetItem(ns, name, value);
}

int
kr_delete_name(_PyInterpreterFrame *f, PyObject *name)
{
    if (f->f_locals == NULL) {
        no_locals("when deleting", name);
        return -1;
    }
    int err = PyObject_DelItem(f->f_locals, name);
    if (err != 0 && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        raise_name_error(PyExc_NameError, NOT_DEFINED, name);
    }
    return err;
}

int
kr_delete_global(_PyInterpreterFrame *f, PyObject *name)
{
    int err = PyDict_DelItem(f->f_globals, name);
    if (err != 0 && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        raise_name_error(PyExc_NameError, NOT_DEFINED, name);
    }
    return err;
}

int
kr_setup_annotations(_PyInterpreterFrame *f)
{
    PyObject *ns = f->f_locals, *name = KR_ID(__annotations__);
    if (ns == NULL) {
        PyErr_SetString(PyExc_SystemError,
                        "no locals found when setting up annotations");
        return -1;
    }
    PyObject *found = lookup(ns, name);
    if (found == NULL && !PyErr_Occurred()) {
        found = PyDict_New();
        if (found != NULL && kr_store_name(f, name, found) < 0) {
            Py_CLEAR(found);
        }
    }
    Py_XDECREF(found);
    return found == NULL ? -1 : 0;
}

PyObject *
kr_load_build_class(_PyInterpreterFrame *f)
{
    PyObject *value = lookup(f->f_builtins, KR_ID(__build_class__));
    if (value == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_NameError, "__build_class__ not found");
    }
    return value;
}

int
kr_print_expr(PyObject *value)
{
    PyObject *hook = PySys_GetObject("displayhook");
    if (hook == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.displayhook");
        return -1;
    }
    Py_INCREF(hook);
    PyObject *result = PyObject_CallOneArg(hook, value);
    Py_DECREF(hook);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

PyObject *
kr_import_name(PyThreadState *ts, _PyInterpreterFrame *f, PyObject *name,
               PyObject *fromlist, PyObject *level)
{
    PyObject *import = lookup(f->f_builtins, KR_ID(__import__));
    if (import == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ImportError, "__import__ not found");
        }
        return NULL;
    }
    PyObject *locals = f->f_locals == NULL ? Py_None : f->f_locals;
    PyObject *result;
    if (import == ts->interp->import_func) {
        Py_DECREF(import);
        int n = _PyLong_AsInt(level);
        if (n == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return PyImport_ImportModuleLevelObject(name, f->f_globals, locals,
                                                fromlist, n);
    }
    PyObject *args[] = {name, f->f_globals, locals, fromlist, level};
    result = PyObject_Vectorcall(import, args, 5, NULL);
    Py_DECREF(import);
    return result;
}

static int
is_initializing(PyObject *module)
{
    PyObject *spec = NULL, *flag = NULL;
    int result = 0;
    if (_PyObject_LookupAttr(module, KR_ID(__spec__), &spec) > 0 &&
        _PyObject_LookupAttr(spec, KR_ID(_initializing), &flag) > 0) {
        result = PyObject_IsTrue(flag) > 0;
    }
    Py_XDECREF(spec);
    Py_XDECREF(flag);
    PyErr_Clear();
    return result;
}

static void
cannot_import(PyObject *module, PyObject *package, PyObject *name)
{
    PyObject *who = package;
    PyObject *unknown = NULL;
    if (who == NULL) {
        who = unknown = PyUnicode_FromString("<unknown module name>");
        if (who == NULL) {
            return;
        }
    }
    PyObject *path = PyModule_GetFilenameObject(module);
    PyObject *text;
    if (path == NULL) {
        PyErr_Clear();
        text = PyUnicode_FromFormat(
            "cannot import name %R from %R (unknown location)", name, who);
    }
    else {
        const char *format =
            is_initializing(module)
                ? "cannot import name %R from partially initialized module "
                  "%R (most likely due to a circular import) (%S)"
                : "cannot import name %R from %R (%S)";
        text = PyUnicode_FromFormat(format, name, who, path);
    }
    if (text != NULL) {
        PyErr_SetImportErrorSubclass(PyExc_ImportError, text, package, path);
    }
    Py_XDECREF(text);
    Py_XDECREF(path);
    Py_XDECREF(unknown);
}

PyObject *
kr_import_from(PyObject *module, PyObject *name)
{
    PyObject *value;
    if (_PyObject_LookupAttr(module, name, &value) != 0) {
        return value;
    }
    /* In a circular import the submodule is in sys.modules already, while its
     * parent does not have the attribute yet. */
    PyObject *package = PyObject_GetAttr(module, KR_ID(__name__));
    if (package != NULL && !PyUnicode_Check(package)) {
        Py_CLEAR(package);
    }
    if (package != NULL) {
        PyObject *full = PyUnicode_FromFormat("%U.%U", package, name);
        if (full == NULL) {
            Py_DECREF(package);
            return NULL;
        }
        value = PyImport_GetModule(full);
        Py_DECREF(full);
        if (value != NULL || PyErr_Occurred()) {
            Py_DECREF(package);
            return value;
        }
    }
    PyErr_Clear();
    cannot_import(module, package, name);
    Py_XDECREF(package);
    return NULL;
}

static int
star_name_error(PyObject *module, PyObject *name, int from_dict)
{
    PyObject *modname = PyObject_GetAttr(module, KR_ID(__name__));
    if (modname != NULL && !PyUnicode_Check(modname)) {
        PyErr_Format(PyExc_TypeError,
                     "module __name__ must be a string, not %.100s",
                     Py_TYPE(modname)->tp_name);
    }
    else if (modname != NULL) {
        PyErr_Format(PyExc_TypeError, "%s in %U.%s must be str, not %.100s",
                     from_dict ? "Key" : "Item", modname,
                     from_dict ? "__dict__" : "__all__",
                     Py_TYPE(name)->tp_name);
    }
    Py_XDECREF(modname);
    return -1;
}

/* Copies one public name. */
static int
import_star_name(_PyInterpreterFrame *f, PyObject *module, PyObject *name,
                 int from_dict)
{
    if (!PyUnicode_Check(name)) {
        return star_name_error(module, name, from_dict);
    }
    if (from_dict) {
        if (PyUnicode_READY(name) < 0) {
            return -1;
        }
        if (PyUnicode_GET_LENGTH(name) > 0 &&
            PyUnicode_READ_CHAR(name, 0) == '_') {
            return 0;
        }
    }
    PyObject *value = PyObject_GetAttr(module, name);
    if (value == NULL) {
        return -1;
    }
    int err = kr_store_name(f, name, value);
    Py_DECREF(value);
    return err;
}

int
kr_import_star(_PyInterpreterFrame *f, PyObject *module)
{
    if (kr_frame_fast_to_locals(f) < 0) {
        return -1;
    }
    if (f->f_locals == NULL) {
        PyErr_SetString(PyExc_SystemError, "no locals found during 'import *'");
        return -1;
    }
    PyObject *all, *dict = NULL;
    if (_PyObject_LookupAttr(module, KR_ID(__all__), &all) < 0) {
        return -1;
    }
    int from_dict = all == NULL;
    if (from_dict) {
        if (_PyObject_LookupAttr(module, KR_ID(__dict__), &dict) < 0) {
            return -1;
        }
        if (dict == NULL) {
            PyErr_SetString(PyExc_ImportError,
                            "from-import-* object has no __dict__ and no "
                            "__all__");
            return -1;
        }
        all = PyMapping_Keys(dict);
        Py_DECREF(dict);
        if (all == NULL) {
            return -1;
        }
    }
    int err = 0;
    for (Py_ssize_t i = 0; err == 0; i++) {
        PyObject *name = PySequence_GetItem(all, i);
        if (name == NULL) {
            if (PyErr_ExceptionMatches(PyExc_IndexError)) {
                PyErr_Clear();
            }
            else {
                err = -1;
            }
            break;
        }
        err = import_star_name(f, module, name, from_dict);
        Py_DECREF(name);
    }
    Py_DECREF(all);
    kr_frame_locals_to_fast(f, 0);
    return err;
}
