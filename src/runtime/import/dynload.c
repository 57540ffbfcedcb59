/* Extension modules in shared objects.
 *
 * Files that were linked against libpython3.11.so.1.0 must bind to this
 * process: if the runtime is no such library itself, an empty one of that
 * soname is loaded before the first of them. */
#include "runtime/import/import.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/common.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "runtime/config/config.h"

const char *const kr_dynamic_suffixes[] = {
    ".cpython-311-x86_64-linux-gnu.so",
    ".abi3.so",
    ".so",
    NULL,
};

static struct kr_dynload_state {
    int shim_loaded;
    int unknown; /* modules */
} kr_dynload_state;

/* Loads the library that only has libpython's soname; without it, extensions
 * that do not name libpython work all the same. */
static void
load_shim(void)
{
    if (kr_dynload_state.shim_loaded) {
        return;
    }
    kr_dynload_state.shim_loaded = 1;
    static const char *const places[] = {"", "../lib/krait/"};
    char path[PATH_MAX];
    if (kr_own_library(path)) {
        return;
    }
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 64);
    if (len <= 0) {
        return;
    }
    path[len] = '\0';
    char *name = strrchr(path, '/') + 1;
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        strcpy(name, places[i]);
        strcat(name, "libpython3.11.so.1.0");
        if (dlopen(path, RTLD_NOW | RTLD_GLOBAL) != NULL) {
            return;
        }
    }
}

int
kr_unknown_modules(void)
{
    return kr_dynload_state.unknown;
}

/* Whether the module is one of the standard library's whose objects do nothing
 * at their end but give back memory, or have a finalizer that says so. */
static bool
is_harmless(const char *file, const char *symbol)
{
    static const char *const names[] = {
        "_asyncio", "_bz2",     "_contextvars", "_decimal", "_hashlib",
        "_lzma",    "_md5",     "_sha1",        "_sha256",  "_sha3",
        "_sha512",  "_ssl",     "_uuid",        "_zoneinfo", "pyexpat",
        "zlib",
    };
    const char *name = strstr(symbol, "_");
    if (strstr(file, "/lib-dynload/") == NULL || name == NULL) {
        return false;
    }
    for (size_t i = 0; i < KR_ARRAY_LEN(names); i++) {
        if (strcmp(name + 1, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Name of the init function: PyInit_x, or PyInitU_ and punycode (PEP 489).
 * New bytes, or NULL. */
static PyObject *
init_name(PyObject *fullname)
{
    Py_ssize_t size = PyUnicode_GetLength(fullname);
    Py_ssize_t dot = PyUnicode_FindChar(fullname, '.', 0, size, -1);
    if (dot < -1) {
        return NULL;
    }
    PyObject *last = PyUnicode_Substring(fullname, dot + 1, size);
    if (last == NULL) {
        return NULL;
    }
    const char *prefix = "PyInit";
    PyObject *encoded = PyUnicode_AsEncodedString(last, "ascii", NULL);
    if (encoded == NULL &&
        PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        prefix = "PyInitU";
        encoded = PyUnicode_AsEncodedString(last, "punycode", NULL);
        if (encoded != NULL) {
            for (char *p = PyBytes_AS_STRING(encoded); *p != '\0'; p++) {
                if (*p == '-') {
                    *p = '_';
                }
            }
        }
    }
    Py_DECREF(last);
    if (encoded == NULL) {
        return NULL;
    }
    PyObject *res =
        PyBytes_FromFormat("%s_%s", prefix, PyBytes_AS_STRING(encoded));
    Py_DECREF(encoded);
    return res;
}

static void
set_load_error(const char *text, PyObject *name, PyObject *path)
{
    PyObject *msg = PyUnicode_DecodeLocale(text, "surrogateescape");
    if (msg != NULL) {
        PyErr_SetImportError(msg, name, path);
        Py_DECREF(msg);
    }
}

typedef PyObject *(*init_function)(void);

/* Opens the file and finds the function. NULL with ImportError. */
static init_function
find_init(PyObject *name, PyObject *path, PyObject *path_bytes,
          const char *symbol)
{
    load_shim();
    const char *file = PyBytes_AS_STRING(path_bytes);
    char local[PATH_MAX];
    if (strchr(file, '/') == NULL) {
        /* a bare name would be searched for in the system's folders */
        snprintf(local, sizeof(local), "./%s", file);
        file = local;
    }
    PyObject *flags = PySys_GetObject("_dlopenflags");
    int mode = flags != NULL ? (int)PyLong_AsLong(flags) : RTLD_NOW;
    PyErr_Clear();
    void *handle = dlopen(file, mode);
    if (handle == NULL) {
        const char *error = dlerror();
        set_load_error(error != NULL ? error : "unknown dlopen() error", name,
                       path);
        return NULL;
    }
    if (!is_harmless(file, symbol)) {
        kr_dynload_state.unknown++;
    }
    init_function init = (init_function)dlsym(handle, symbol);
    if (init == NULL) {
        PyObject *msg = PyUnicode_FromFormat(
            "dynamic module does not define module export function (%s)",
            symbol);
        if (msg != NULL) {
            PyErr_SetImportError(msg, name, path);
            Py_DECREF(msg);
        }
    }
    return init;
}

/* What the init function gave must be a module or a definition, with an
 * exception if and only if it is NULL. Consumes a bad result. */
static PyObject *
check_result(PyObject *m, const char *symbol)
{
    if (m == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_SystemError,
                         "initialization of %s failed without raising an "
                         "exception",
                         symbol);
        }
        return NULL;
    }
    if (PyErr_Occurred()) {
        _PyErr_FormatFromCause(PyExc_SystemError,
                               "initialization of %s raised unreported "
                               "exception",
                               symbol);
        if (!PyObject_TypeCheck(m, &PyModuleDef_Type)) {
            Py_DECREF(m); /* definitions are static */
        }
        return NULL;
    }
    if (Py_TYPE(m) == NULL) {
        PyErr_Format(PyExc_SystemError,
                     "init function of %s returned uninitialized object",
                     symbol);
        return NULL;
    }
    return m;
}

static PyObject *
finish_single_phase(PyObject *m, init_function init, PyObject *name,
                    PyObject *path)
{
    PyModuleDef *def = PyModule_GetDef(m);
    if (def == NULL) {
        PyErr_Format(PyExc_SystemError,
                     "initialization of %U did not return an extension "
                     "module",
                     name);
        Py_DECREF(m);
        return NULL;
    }
    def->m_base.m_init = init;
    if (PyModule_AddObjectRef(m, "__file__", path) < 0) {
        PyErr_Clear();
    }
    if (kr_extension_remember(m, name, path, kr_interp()->modules) < 0) {
        Py_CLEAR(m);
    }
    return m;
}

PyObject *
kr_dynamic_create(PyObject *spec)
{
    PyObject *name = PyObject_GetAttr(spec, KR_ID(name));
    PyObject *path = NULL, *path_bytes = NULL, *symbol = NULL, *m = NULL;
    if (name == NULL) {
        return NULL;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "spec.name must be a string");
        goto done;
    }
    path = PyObject_GetAttr(spec, KR_ID(origin));
    if (path == NULL) {
        goto done;
    }
    m = kr_extension_find_again(name, path);
    if (m != NULL || PyErr_Occurred()) {
        goto done;
    }
    if (PySys_Audit("import", "OOOOO", name, path, Py_None, Py_None,
                    Py_None) < 0) {
        goto done;
    }
    symbol = init_name(name);
    path_bytes = PyUnicode_EncodeFSDefault(path);
    if (symbol == NULL || path_bytes == NULL) {
        goto done;
    }
    const char *symbol_text = PyBytes_AS_STRING(symbol);
    init_function init = find_init(name, path, path_bytes, symbol_text);
    if (init == NULL) {
        goto done;
    }
    const char *old_context = _Py_PackageContext;
    _Py_PackageContext = PyUnicode_AsUTF8(name);
    m = init();
    _Py_PackageContext = old_context;
    m = check_result(m, symbol_text);
    if (m == NULL) {
        goto done;
    }
    if (PyObject_TypeCheck(m, &PyModuleDef_Type)) {
        m = PyModule_FromDefAndSpec((PyModuleDef *)m, spec);
    }
    else {
        m = finish_single_phase(m, init, name, path);
    }
done:
    Py_DECREF(name);
    Py_XDECREF(path);
    Py_XDECREF(path_bytes);
    Py_XDECREF(symbol);
    return m;
}
