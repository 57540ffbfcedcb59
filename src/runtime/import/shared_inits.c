/* Init functions of modules that CPython has inside its executable and we have
 * in shared objects: found on sys.path and passed on. */
#include <dlfcn.h>
#include <stdio.h>

#include "objects/ids.h"
#include "runtime/import/import.h"

/* New bytes: the path of the module's file; NULL with ImportError. */
static PyObject *
find_file(const char *name)
{
    PyObject *finder = kr_import_attr("importlib.machinery", "PathFinder");
    PyObject *spec = finder == NULL ? NULL
                                    : PyObject_CallMethod(finder, "find_spec",
                                                          "s", name);
    Py_XDECREF(finder);
    PyObject *origin = NULL, *path = NULL;
    if (spec == Py_None) {
        PyErr_Format(PyExc_ModuleNotFoundError, "No module named '%s'", name);
    }
    else if (spec != NULL) {
        origin = PyObject_GetAttr(spec, KR_ID(origin));
    }
    if (origin != NULL) {
        path = PyUnicode_EncodeFSDefault(origin);
    }
    Py_XDECREF(origin);
    Py_XDECREF(spec);
    return path;
}

static PyObject *
pass_on(const char *name, const char *symbol)
{
    PyObject *path = find_file(name);
    if (path == NULL) {
        return NULL;
    }
    void *handle = dlopen(PyBytes_AS_STRING(path), RTLD_NOW);
    PyObject *(*init)(void) =
        handle == NULL ? NULL : (PyObject * (*)(void)) dlsym(handle, symbol);
    Py_DECREF(path);
    if (init == NULL) {
        PyErr_SetString(PyExc_ImportError, dlerror());
        return NULL;
    }
    return init();
}

#define PASS_ON(name)                                                          \
    PyMODINIT_FUNC PyInit_##name(void);                                        \
    PyMODINIT_FUNC PyInit_##name(void)                                         \
    {                                                                          \
        return pass_on(#name, "PyInit_" #name);                                \
    }

PASS_ON(_elementtree)
PASS_ON(_md5)
PASS_ON(_sha1)
PASS_ON(_sha256)
PASS_ON(_sha3)
PASS_ON(_sha512)
PASS_ON(pyexpat)
PASS_ON(zlib)
