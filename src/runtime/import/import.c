/* PyImport_*: the C side of the import statement. The search itself is
 * importlib's, which runs frozen. */
#include "runtime/import/import.h"

#include <string.h>

#include "front/front.h"
#include "objects/abstract/abstract.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "objects/namespace.h"
#include "runtime/import/timing.h"

/* --- Start ------------------------------------------------------------------- */

int
kr_import_init(PyInterpreterState *interp)
{
    interp->modules = PyDict_New();
    return interp->modules == NULL ? -1 : 0;
}

/* Makes the code of _frozen_importlib without a frozen table: this is how the
 * executable that fills the table at build time starts. */
static PyObject *
compile_bootstrap(const char *file)
{
    PyObject *path = PyUnicode_FromFormat("%s/importlib/%s.py", KR_STDLIB, file);
    if (path == NULL) {
        return NULL;
    }
    PyObject *code = NULL;
    FILE *fp = fopen(PyUnicode_AsUTF8(path), "rb");
    if (fp == NULL) {
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
        Py_DECREF(path);
        return NULL;
    }
    Py_ssize_t len = 0, capacity = 1 << 18;
    char *text = PyMem_Malloc((size_t)capacity);
    if (text != NULL) {
        len = (Py_ssize_t)fread(text, 1, (size_t)capacity - 1, fp);
        text[len] = '\0';
        PyObject *name = PyUnicode_FromFormat("<frozen importlib.%s>", file);
        if (name != NULL) {
            code = kr_front_compile(text, len, name, Py_file_input, NULL, 0);
            Py_DECREF(name);
        }
        PyMem_Free(text);
    }
    fclose(fp);
    Py_DECREF(path);
    return code;
}

static int exec_frozen(PyObject *name, const struct kr_frozen_info *info,
                       PyObject *code);

/* Imports one of the two bootstrap modules. 0 or -1. */
static int
import_bootstrap(const char *module, const char *file)
{
    PyObject *name = PyUnicode_InternFromString(module);
    if (name == NULL) {
        return -1;
    }
    struct kr_frozen_info info;
    enum kr_frozen_status status = kr_frozen_find(name, &info);
    PyObject *code = status == KR_FROZEN_OK ? kr_frozen_code(&info)
                                            : compile_bootstrap(file);
    int res = -1;
    if (code != NULL) {
        info.name = name;
        info.origname = file;
        res = exec_frozen(name, &info, code);
        Py_DECREF(code);
    }
    Py_DECREF(name);
    return res;
}

/* New: module `_imp`, made without the import system. */
static PyObject *
bootstrap_imp(void)
{
    PyObject *name = PyUnicode_InternFromString("_imp");
    PyObject *attrs = Py_BuildValue("{sO}", "name", name);
    PyObject *spec = attrs == NULL ? NULL : _PyNamespace_New(attrs);
    Py_XDECREF(attrs);
    PyObject *mod = spec == NULL ? NULL : kr_builtin_module_create(name, spec);
    Py_XDECREF(spec);
    if (mod != NULL &&
        PyModule_ExecDef(mod, PyModule_GetDef(mod)) < 0) {
        Py_CLEAR(mod);
    }
    Py_XDECREF(name);
    return mod;
}

/* The lists and the cache that importlib fills and programs extend. */
static int
create_hook_lists(void)
{
    PyObject *meta_path = PyList_New(0), *hooks = PyList_New(0);
    PyObject *cache = PyDict_New();
    int res = -1;
    if (meta_path != NULL && hooks != NULL && cache != NULL) {
        res = PySys_SetObject("meta_path", meta_path) |
              PySys_SetObject("path_hooks", hooks) |
              PySys_SetObject("path_importer_cache", cache);
    }
    Py_XDECREF(meta_path);
    Py_XDECREF(hooks);
    Py_XDECREF(cache);
    return res;
}

int
kr_import_install(PyInterpreterState *interp, PyObject *sysmod)
{
    if (create_hook_lists() < 0) {
        return -1;
    }
    if (import_bootstrap("_frozen_importlib", "_bootstrap") < 0) {
        return -1;
    }
    PyObject *importlib = PyImport_AddModule("_frozen_importlib");
    if (importlib == NULL) {
        return -1;
    }
    interp->importlib = Py_NewRef(importlib);
    interp->import_func =
        Py_XNewRef(PyDict_GetItemString(interp->builtins, "__import__"));
    PyObject *imp = bootstrap_imp();
    if (imp == NULL) {
        return -1;
    }
    int res = PyDict_SetItemString(interp->modules, "_imp", imp);
    PyObject *done = NULL;
    if (res == 0) {
        done = PyObject_CallMethod(importlib, "_install", "OO", sysmod, imp);
    }
    Py_DECREF(imp);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Puts zipimporter in front of the path hooks. 0 or -1. */
static int
install_zip_hook(void)
{
    PyObject *hooks = PySys_GetObject("path_hooks");
    PyObject *importer = kr_import_attr("zipimport", "zipimporter");
    if (importer == NULL) {
        PyErr_Clear(); /* a library without it still works */
        return 0;
    }
    int res = hooks == NULL ? -1 : PyList_Insert(hooks, 0, importer);
    Py_DECREF(importer);
    return res;
}

int
kr_import_install_external(PyInterpreterState *interp)
{
    struct kr_frozen_info info;
    PyObject *name =
        PyUnicode_InternFromString("_frozen_importlib_external");
    if (name == NULL) {
        return -1;
    }
    int bootstrapped = kr_frozen_find(name, &info) == KR_FROZEN_OK;
    Py_DECREF(name);
    if (!bootstrapped &&
        import_bootstrap("_frozen_importlib_external",
                         "_bootstrap_external") < 0) {
        return -1;
    }
    PyObject *done = PyObject_CallMethodNoArgs(
        interp->importlib, KR_ID(_install_external_importers));
    Py_XDECREF(done);
    return done == NULL ? -1 : install_zip_hook();
}

void
kr_import_fini(void)
{
}

int
_PyImport_IsInitialized(PyInterpreterState *interp)
{
    return interp->modules != NULL;
}

/* --- sys.modules -------------------------------------------------------------- */

static PyObject *
modules(void)
{
    PyInterpreterState *interp = kr_interp();
    if (interp->modules == NULL) {
        Py_FatalError("interpreter has no modules dictionary");
    }
    return interp->modules;
}

PyObject *
PyImport_GetModuleDict(void)
{
    return modules();
}

int
_PyImport_SetModule(PyObject *name, PyObject *m)
{
    return PyObject_SetItem(modules(), name, m);
}

int
_PyImport_SetModuleString(const char *name, PyObject *m)
{
    return PyMapping_SetItemString(modules(), name, m);
}

/* New reference or NULL; an exception only on a real failure. */
static PyObject *
get_module(PyObject *name)
{
    PyObject *dict = modules();
    if (PyDict_CheckExact(dict)) {
        return Py_XNewRef(PyDict_GetItemWithError(dict, name));
    }
    PyObject *mod = PyObject_GetItem(dict, name);
    if (mod == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
    }
    return mod;
}

PyObject *
PyImport_GetModule(PyObject *name)
{
    return get_module(name);
}

PyObject *
_PyImport_GetModuleId(_Py_Identifier *id)
{
    PyObject *name = _PyUnicode_FromId(id); /* borrowed */
    return name == NULL ? NULL : get_module(name);
}

/* New reference to the module `name`, made empty if it is not there. */
static PyObject *
add_module(PyObject *name)
{
    PyObject *mod = get_module(name);
    if (mod != NULL && PyModule_Check(mod)) {
        return mod;
    }
    Py_XDECREF(mod);
    if (PyErr_Occurred()) {
        return NULL;
    }
    mod = PyModule_NewObject(name);
    if (mod != NULL && PyObject_SetItem(modules(), name, mod) < 0) {
        Py_CLEAR(mod);
    }
    return mod;
}

PyObject *
PyImport_AddModuleObject(PyObject *name)
{
    PyObject *mod = add_module(name);
    /* borrowed: sys.modules holds it */
    Py_XDECREF(mod);
    return mod;
}

PyObject *
PyImport_AddModule(const char *name)
{
    PyObject *nameobj = PyUnicode_FromString(name);
    if (nameobj == NULL) {
        return NULL;
    }
    PyObject *mod = PyImport_AddModuleObject(nameobj);
    Py_DECREF(nameobj);
    return mod;
}

/* --- Executing code as a module -------------------------------------------------- */

static void
forget_module(PyObject *name)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    if (PyMapping_HasKey(modules(), name) &&
        PyMapping_DelItem(modules(), name) < 0) {
        PyErr_Clear();
    }
    PyErr_Restore(type, value, tb);
}

/* Borrowed dict of module `name`, with __builtins__ set. */
static PyObject *
module_dict_for_exec(PyObject *name)
{
    PyObject *mod = PyImport_AddModuleObject(name);
    if (mod == NULL) {
        return NULL;
    }
    PyObject *dict = PyModule_GetDict(mod);
    int res = PyDict_Contains(dict, KR_ID(__builtins__));
    if (res == 0) {
        res = PyDict_SetItem(dict, KR_ID(__builtins__), PyEval_GetBuiltins());
    }
    if (res < 0) {
        forget_module(name);
        return NULL;
    }
    return dict;
}

/* New reference to sys.modules[name] after running `code` in it. */
static PyObject *
exec_in_module(PyObject *name, PyObject *dict, PyObject *code)
{
    PyObject *res = PyEval_EvalCode(code, dict, dict);
    if (res == NULL) {
        forget_module(name);
        return NULL;
    }
    Py_DECREF(res);
    PyObject *mod = get_module(name);
    if (mod == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_ImportError,
                     "Loaded module %R not found in sys.modules", name);
    }
    return mod;
}

PyObject *
PyImport_ExecCodeModuleObject(PyObject *name, PyObject *code,
                              PyObject *pathname, PyObject *cpathname)
{
    PyObject *dict = module_dict_for_exec(name);
    if (dict == NULL) {
        return NULL;
    }
    if (pathname == NULL) {
        pathname = ((PyCodeObject *)code)->co_filename;
    }
    PyObject *external =
        PyImport_GetModuleDict() == NULL
            ? NULL
            : PyObject_GetAttrString(kr_interp()->importlib,
                                     "_bootstrap_external");
    if (external == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_CallMethod(
        external, "_fix_up_module", "OOOO", dict, name, pathname,
        cpathname == NULL ? Py_None : cpathname);
    Py_DECREF(external);
    if (res == NULL) {
        return NULL;
    }
    Py_DECREF(res);
    return exec_in_module(name, dict, code);
}

PyObject *
PyImport_ExecCodeModuleWithPathnames(const char *name, PyObject *code,
                                     const char *pathname,
                                     const char *cpathname)
{
    PyObject *nameobj = PyUnicode_FromString(name), *res = NULL;
    PyObject *pathobj = NULL, *cpathobj = NULL;
    if (nameobj == NULL) {
        return NULL;
    }
    if (cpathname != NULL &&
        (cpathobj = PyUnicode_DecodeFSDefault(cpathname)) == NULL) {
        goto done;
    }
    if (pathname != NULL) {
        pathobj = PyUnicode_DecodeFSDefault(pathname);
        if (pathobj == NULL) {
            goto done;
        }
    }
    else if (cpathobj != NULL) {
        PyObject *external = PyObject_GetAttrString(kr_interp()->importlib,
                                                    "_bootstrap_external");
        if (external != NULL) {
            pathobj = PyObject_CallMethod(external, "_get_sourcefile", "O",
                                          cpathobj);
            Py_DECREF(external);
        }
        if (pathobj == NULL) {
            PyErr_Clear();
        }
    }
    res = PyImport_ExecCodeModuleObject(nameobj, code, pathobj, cpathobj);
done:
    Py_DECREF(nameobj);
    Py_XDECREF(pathobj);
    Py_XDECREF(cpathobj);
    return res;
}

PyObject *
PyImport_ExecCodeModuleEx(const char *name, PyObject *code,
                          const char *pathname)
{
    return PyImport_ExecCodeModuleWithPathnames(name, code, pathname, NULL);
}

PyObject *
PyImport_ExecCodeModule(const char *name, PyObject *code)
{
    return PyImport_ExecCodeModuleWithPathnames(name, code, NULL, NULL);
}

static int
exec_frozen(PyObject *name, const struct kr_frozen_info *info, PyObject *code)
{
    PyObject *dict = module_dict_for_exec(name);
    if (dict == NULL) {
        return -1;
    }
    if (info->is_package) {
        PyObject *path = PyList_New(0);
        int res = path == NULL ? -1
                               : PyDict_SetItemString(dict, "__path__", path);
        Py_XDECREF(path);
        if (res < 0) {
            return -1;
        }
    }
    PyObject *mod = exec_in_module(name, dict, code);
    if (mod == NULL) {
        return -1;
    }
    PyObject *origname = info->origname == NULL
                             ? Py_NewRef(Py_None)
                             : PyUnicode_FromString(info->origname);
    int res = origname == NULL
                  ? -1
                  : PyObject_SetAttr(mod, KR_ID(__origname__), origname);
    Py_XDECREF(origname);
    Py_DECREF(mod);
    return res;
}

int
PyImport_ImportFrozenModuleObject(PyObject *name)
{
    struct kr_frozen_info info;
    enum kr_frozen_status status = kr_frozen_find(name, &info);
    if (status == KR_FROZEN_NOT_FOUND || status == KR_FROZEN_DISABLED ||
        status == KR_FROZEN_BAD_NAME) {
        return 0;
    }
    if (status != KR_FROZEN_OK) {
        kr_frozen_error(status, name);
        return -1;
    }
    PyObject *code = kr_frozen_code(&info);
    if (code == NULL) {
        return -1;
    }
    int res = exec_frozen(name, &info, code);
    Py_DECREF(code);
    return res < 0 ? -1 : 1;
}

int
PyImport_ImportFrozenModule(const char *name)
{
    PyObject *nameobj = PyUnicode_InternFromString(name);
    if (nameobj == NULL) {
        return -1;
    }
    int res = PyImport_ImportFrozenModuleObject(nameobj);
    Py_DECREF(nameobj);
    return res;
}

/* --- __import__ --------------------------------------------------------------------- */

/* Cuts the frames of importlib out of the pending traceback, unless -v. All of
 * them for ImportError, else only those that end in
 * _call_with_frames_removed. */
static void
remove_importlib_frames(void)
{
    PyObject *type, *value, *base_tb;
    PyErr_Fetch(&type, &value, &base_tb);
    if (type == NULL || kr_interp()->config.verbose) {
        PyErr_Restore(type, value, base_tb);
        return;
    }
    int always_trim = PyType_IsSubtype((PyTypeObject *)type,
                                       (PyTypeObject *)PyExc_ImportError);
    PyObject **prev_link = &base_tb, **outer_link = NULL, *tb = base_tb;
    int in_importlib = 0;
    while (tb != NULL) {
        PyTracebackObject *traceback = (PyTracebackObject *)tb;
        PyCodeObject *code = PyFrame_GetCode(traceback->tb_frame);
        int now_in = _PyUnicode_EqualToASCIIString(
                         code->co_filename, "<frozen importlib._bootstrap>") ||
                     _PyUnicode_EqualToASCIIString(
                         code->co_filename,
                         "<frozen importlib._bootstrap_external>");
        if (now_in && !in_importlib) {
            outer_link = prev_link; /* start of a chunk */
        }
        in_importlib = now_in;
        PyObject *next = (PyObject *)traceback->tb_next;
        if (in_importlib &&
            (always_trim ||
             _PyUnicode_EqualToASCIIString(code->co_name,
                                           "_call_with_frames_removed"))) {
            PyObject *old = *outer_link;
            *outer_link = Py_XNewRef(next);
            Py_XDECREF(old);
            prev_link = outer_link;
        }
        else {
            prev_link = (PyObject **)&traceback->tb_next;
        }
        Py_DECREF(code);
        tb = next;
    }
    if (always_trim && value != NULL && PyExceptionInstance_Check(value)) {
        PyException_SetTraceback(value, base_tb ? base_tb : Py_None);
    }
    PyErr_Restore(type, value, base_tb);
}

/* New: the package that relative imports in `globals` start from. */
static PyObject *
calc_package(PyObject *globals)
{
    PyObject *package = PyDict_GetItemWithError(globals, KR_ID(__package__));
    PyObject *spec = NULL;
    if (package == NULL && PyErr_Occurred()) {
        return NULL;
    }
    if (package == Py_None) {
        package = NULL;
    }
    spec = PyDict_GetItemWithError(globals, KR_ID(__spec__));
    if (spec == NULL && PyErr_Occurred()) {
        return NULL;
    }
    if (package != NULL) {
        if (!PyUnicode_Check(package)) {
            PyErr_SetString(PyExc_TypeError, "package must be a string");
            return NULL;
        }
        Py_INCREF(package);
        if (spec != NULL && spec != Py_None) {
            PyObject *parent = PyObject_GetAttr(spec, KR_ID(parent));
            int equal = parent == NULL ? -1
                                       : PyObject_RichCompareBool(
                                             package, parent, Py_EQ);
            Py_XDECREF(parent);
            if (equal < 0 ||
                (equal == 0 &&
                 PyErr_WarnEx(PyExc_ImportWarning,
                              "__package__ != __spec__.parent", 1) < 0)) {
                Py_DECREF(package);
                return NULL;
            }
        }
        return package;
    }
    if (spec != NULL && spec != Py_None) {
        package = PyObject_GetAttr(spec, KR_ID(parent));
        if (package != NULL && !PyUnicode_Check(package)) {
            PyErr_SetString(PyExc_TypeError,
                            "__spec__.parent must be a string");
            Py_CLEAR(package);
        }
        return package;
    }
    if (PyErr_WarnEx(PyExc_ImportWarning,
                     "can't resolve package from __spec__ or __package__, "
                     "falling back on __name__ and __path__",
                     1) < 0) {
        return NULL;
    }
    package = PyDict_GetItemWithError(globals, KR_ID(__name__));
    if (package == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_KeyError, "'__name__' not in globals");
        }
        return NULL;
    }
    if (!PyUnicode_Check(package)) {
        PyErr_SetString(PyExc_TypeError, "__name__ must be a string");
        return NULL;
    }
    int has_path = PyDict_Contains(globals, KR_ID(__path__));
    if (has_path < 0) {
        return NULL;
    }
    if (has_path) {
        return Py_NewRef(package);
    }
    Py_ssize_t dot = PyUnicode_FindChar(package, '.', 0,
                                        PyUnicode_GET_LENGTH(package), -1);
    if (dot == -2) {
        return NULL;
    }
    if (dot == -1) {
        PyErr_SetString(
            PyExc_ImportError,
            "attempted relative import with no known parent package");
        return NULL;
    }
    return PyUnicode_Substring(package, 0, dot);
}

/* New: the absolute name of a relative import. */
static PyObject *
resolve_name(PyObject *name, PyObject *globals, int level)
{
    if (globals == NULL) {
        PyErr_SetString(PyExc_KeyError, "'__name__' not in globals");
        return NULL;
    }
    if (!PyDict_Check(globals)) {
        PyErr_SetString(PyExc_TypeError, "globals must be a dict");
        return NULL;
    }
    PyObject *package = calc_package(globals);
    if (package == NULL) {
        return NULL;
    }
    Py_ssize_t last = PyUnicode_GET_LENGTH(package);
    if (last == 0) {
        Py_DECREF(package);
        PyErr_SetString(
            PyExc_ImportError,
            "attempted relative import with no known parent package");
        return NULL;
    }
    for (int up = 1; up < level; up++) {
        last = PyUnicode_FindChar(package, '.', 0, last, -1);
        if (last < 0) {
            Py_DECREF(package);
            if (last == -1) {
                PyErr_SetString(
                    PyExc_ImportError,
                    "attempted relative import beyond top-level package");
            }
            return NULL;
        }
    }
    PyObject *base = PyUnicode_Substring(package, 0, last);
    Py_DECREF(package);
    if (base == NULL || PyUnicode_GET_LENGTH(name) == 0) {
        return base;
    }
    PyObject *abs_name = PyUnicode_FromFormat("%U.%U", base, name);
    Py_DECREF(base);
    return abs_name;
}

/* A module found in sys.modules may still be importing in another thread:
 * waits for it. 0 or -1. */
static int
ensure_initialized(PyObject *mod, PyObject *name)
{
    PyObject *spec;
    if (_PyObject_LookupAttr(mod, KR_ID(__spec__), &spec) < 0) {
        return -1;
    }
    int busy = 0;
    if (spec != NULL && spec != Py_None) {
        PyObject *value;
        if (_PyObject_LookupAttr(spec, KR_ID(_initializing), &value) > 0) {
            busy = PyObject_IsTrue(value);
            Py_DECREF(value);
        }
    }
    Py_XDECREF(spec);
    if (busy <= 0) {
        PyErr_Clear();
        return 0;
    }
    PyObject *done = PyObject_CallMethodOneArg(
        kr_interp()->importlib, KR_ID(_lock_unlock_module), name);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *
find_and_load(PyObject *name)
{
    PyInterpreterState *interp = kr_interp();
    if (interp->importlib == NULL || interp->import_func == NULL) {
        PyErr_Format(PyExc_ImportError,
                     "%U: the import system is not installed yet", name);
        return NULL;
    }
    PyObject *path = PySys_GetObject("path");
    PyObject *meta_path = PySys_GetObject("meta_path");
    PyObject *hooks = PySys_GetObject("path_hooks");
    if (PySys_Audit("import", "OOOOO", name, Py_None,
                    path ? path : Py_None, meta_path ? meta_path : Py_None,
                    hooks ? hooks : Py_None) < 0) {
        return NULL;
    }
    PyObject *args[2] = {name, interp->import_func};
    PyObject *func = PyObject_GetAttr(interp->importlib, KR_ID(_find_and_load));
    if (func == NULL) {
        return NULL;
    }
    struct kr_import_timer timer;
    kr_import_timer_start(&timer);
    PyObject *mod = PyObject_Vectorcall(func, args, 2, NULL);
    kr_import_timer_stop(&timer, name);
    Py_DECREF(func);
    return mod;
}

/* What the statement binds without a from-list: the top package of an
 * absolute name, the matching prefix of a relative one. Steals nothing. */
static PyObject *
first_component(PyObject *mod, PyObject *name, PyObject *abs_name, int level)
{
    Py_ssize_t len = PyUnicode_GET_LENGTH(name);
    if (level != 0 && len == 0) {
        return Py_NewRef(mod);
    }
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, len, 1);
    if (dot == -2) {
        return NULL;
    }
    if (dot == -1) {
        return Py_NewRef(mod);
    }
    if (level == 0) {
        PyObject *front = PyUnicode_Substring(name, 0, dot);
        if (front == NULL) {
            return NULL;
        }
        PyObject *res =
            PyImport_ImportModuleLevelObject(front, NULL, NULL, NULL, 0);
        Py_DECREF(front);
        return res;
    }
    Py_ssize_t cut = PyUnicode_GET_LENGTH(abs_name) - (len - dot);
    PyObject *to_return = PyUnicode_Substring(abs_name, 0, cut);
    if (to_return == NULL) {
        return NULL;
    }
    PyObject *res = get_module(to_return);
    if (res == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_KeyError, "%R not in sys.modules as expected",
                     to_return);
    }
    Py_DECREF(to_return);
    return res;
}

/* Loads the submodules that a from-list names. New reference. */
static PyObject *
handle_fromlist(PyObject *mod, PyObject *fromlist)
{
    PyObject *path;
    if (_PyObject_LookupAttr(mod, KR_ID(__path__), &path) < 0) {
        return NULL;
    }
    if (path == NULL) {
        return Py_NewRef(mod);
    }
    Py_DECREF(path);
    PyInterpreterState *interp = kr_interp();
    PyObject *func =
        PyObject_GetAttr(interp->importlib, KR_ID(_handle_fromlist));
    if (func == NULL) {
        return NULL;
    }
    PyObject *args[3] = {mod, fromlist, interp->import_func};
    PyObject *res = PyObject_Vectorcall(func, args, 3, NULL);
    Py_DECREF(func);
    return res;
}

PyObject *
PyImport_ImportModuleLevelObject(PyObject *name, PyObject *globals,
                                 PyObject *locals, PyObject *fromlist,
                                 int level)
{
    (void)locals;
    if (name == NULL) {
        PyErr_SetString(PyExc_ValueError, "Empty module name");
        return NULL;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "module name must be a string");
        return NULL;
    }
    if (level < 0) {
        PyErr_SetString(PyExc_ValueError, "level must be >= 0");
        return NULL;
    }
    PyObject *abs_name, *mod = NULL, *result = NULL;
    if (level > 0) {
        abs_name = resolve_name(name, globals, level);
        if (abs_name == NULL) {
            goto done;
        }
    }
    else {
        if (PyUnicode_GET_LENGTH(name) == 0) {
            PyErr_SetString(PyExc_ValueError, "Empty module name");
            return NULL;
        }
        abs_name = Py_NewRef(name);
    }
    mod = get_module(abs_name);
    if (mod == NULL && PyErr_Occurred()) {
        goto done;
    }
    if (mod != NULL && mod != Py_None) {
        if (ensure_initialized(mod, abs_name) < 0) {
            goto done;
        }
    }
    else {
        Py_XDECREF(mod);
        mod = find_and_load(abs_name);
        if (mod == NULL) {
            goto done;
        }
    }
    int has_from = 0;
    if (fromlist != NULL && fromlist != Py_None) {
        has_from = PyObject_IsTrue(fromlist);
        if (has_from < 0) {
            goto done;
        }
    }
    result = has_from ? handle_fromlist(mod, fromlist)
                      : first_component(mod, name, abs_name, level);
done:
    Py_XDECREF(abs_name);
    Py_XDECREF(mod);
    if (result == NULL) {
        remove_importlib_frames();
    }
    return result;
}

PyObject *
PyImport_ImportModuleLevel(const char *name, PyObject *globals,
                           PyObject *locals, PyObject *fromlist, int level)
{
    PyObject *nameobj = PyUnicode_FromString(name);
    if (nameobj == NULL) {
        return NULL;
    }
    PyObject *mod = PyImport_ImportModuleLevelObject(nameobj, globals, locals,
                                                     fromlist, level);
    Py_DECREF(nameobj);
    return mod;
}

/* New: the module named in full, through the current __import__. */
PyObject *
PyImport_Import(PyObject *name)
{
    PyObject *globals = PyEval_GetGlobals(), *builtins, *res = NULL;
    PyObject *import = NULL, *fromlist = NULL;
    if (globals != NULL) {
        Py_INCREF(globals);
        builtins = PyObject_GetItem(globals, KR_ID(__builtins__));
    }
    else {
        builtins = PyImport_ImportModuleLevel("builtins", NULL, NULL, NULL, 0);
        globals = builtins == NULL
                      ? NULL
                      : Py_BuildValue("{OO}", KR_ID(__builtins__), builtins);
    }
    if (builtins == NULL || globals == NULL) {
        goto done;
    }
    import = PyDict_Check(builtins)
                 ? PyObject_GetItem(builtins, KR_ID(__import__))
                 : PyObject_GetAttr(builtins, KR_ID(__import__));
    if (import == NULL) {
        if (PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_SetObject(PyExc_KeyError, KR_ID(__import__));
        }
        goto done;
    }
    fromlist = PyList_New(0);
    if (fromlist == NULL) {
        goto done;
    }
    res = PyObject_CallFunction(import, "OOOOi", name, globals, globals,
                                fromlist, 0);
    if (res == NULL) {
        goto done;
    }
    Py_DECREF(res);
    res = get_module(name);
    if (res == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_KeyError, name);
    }
done:
    Py_XDECREF(globals);
    Py_XDECREF(builtins);
    Py_XDECREF(import);
    Py_XDECREF(fromlist);
    return res;
}

PyObject *
PyImport_ImportModule(const char *name)
{
    PyObject *nameobj = PyUnicode_FromString(name);
    if (nameobj == NULL) {
        return NULL;
    }
    PyObject *mod = PyImport_Import(nameobj);
    Py_DECREF(nameobj);
    return mod;
}

PyObject *
PyImport_ImportModuleNoBlock(const char *name)
{
    return PyImport_ImportModule(name);
}

PyObject *
PyImport_ReloadModule(PyObject *m)
{
    PyObject *importlib = PyImport_ImportModule("importlib");
    if (importlib == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_CallMethodOneArg(importlib, KR_ID(reload), m);
    Py_DECREF(importlib);
    return res;
}

/* --- Odds and ends -------------------------------------------------------------------- */

PyObject *
PyImport_GetImporter(PyObject *path)
{
    PyObject *cache = PySys_GetObject("path_importer_cache");
    PyObject *hooks = PySys_GetObject("path_hooks");
    if (cache == NULL || hooks == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "lost sys.path_importer_cache or sys.path_hooks");
        return NULL;
    }
    PyObject *importer = PyDict_GetItemWithError(cache, path);
    if (importer != NULL || PyErr_Occurred()) {
        return Py_XNewRef(importer);
    }
    if (PyDict_SetItem(cache, path, Py_None) != 0) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(hooks); i++) {
        importer = PyObject_CallOneArg(PyList_GET_ITEM(hooks, i), path);
        if (importer != NULL) {
            break;
        }
        if (!PyErr_ExceptionMatches(PyExc_ImportError)) {
            return NULL;
        }
        PyErr_Clear();
    }
    if (importer == NULL) {
        Py_RETURN_NONE;
    }
    if (PyDict_SetItem(cache, path, importer) < 0) {
        Py_CLEAR(importer);
    }
    return importer;
}

long
PyImport_GetMagicNumber(void)
{
    return 3495 | (long)'\r' << 16 | (long)'\n' << 24;
}

const char *
PyImport_GetMagicTag(void)
{
    return "cpython-311";
}
