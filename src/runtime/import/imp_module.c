/* Module `_imp`: what importlib needs of the runtime. */
#include "objects/args/named.h"
#include "objects/hash.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "runtime/import/import.h"

#include <string.h>

/* The global import lock is only an interface now: importlib locks each
 * module. One recursive lock serves those who still ask for it. */
static struct kr_import_lock_state {
    PyThread_type_lock lock;
    unsigned long owner;
    int level;
} kr_import_lock_state = {.owner = PYTHREAD_INVALID_THREAD_ID};

void
_PyImport_AcquireLock(void)
{
    struct kr_import_lock_state *s = &kr_import_lock_state;
    unsigned long me = PyThread_get_thread_ident();
    if (s->lock == NULL && (s->lock = PyThread_allocate_lock()) == NULL) {
        return;
    }
    if (s->owner == me) {
        s->level++;
        return;
    }
    if (!PyThread_acquire_lock(s->lock, NOWAIT_LOCK)) {
        Py_BEGIN_ALLOW_THREADS
        PyThread_acquire_lock(s->lock, WAIT_LOCK);
        Py_END_ALLOW_THREADS
    }
    s->owner = me;
    s->level = 1;
}

int
_PyImport_ReleaseLock(void)
{
    struct kr_import_lock_state *s = &kr_import_lock_state;
    if (s->lock == NULL) {
        return 0;
    }
    if (s->owner != PyThread_get_thread_ident()) {
        return -1;
    }
    if (--s->level == 0) {
        s->owner = PYTHREAD_INVALID_THREAD_ID;
        PyThread_release_lock(s->lock);
    }
    return 1;
}

static PyObject *
imp_lock_held(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(kr_import_lock_state.owner !=
                           PYTHREAD_INVALID_THREAD_ID);
}

static PyObject *
imp_acquire_lock(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    _PyImport_AcquireLock();
    Py_RETURN_NONE;
}

static PyObject *
imp_release_lock(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    if (_PyImport_ReleaseLock() < 0) {
        PyErr_SetString(PyExc_RuntimeError, "not holding the import lock");
        return NULL;
    }
    Py_RETURN_NONE;
}

/* --- Built-in and dynamic modules --------------------------------------------- */

static PyObject *
imp_create_builtin(PyObject *module, PyObject *spec)
{
    PyObject *name = PyObject_GetAttr(spec, KR_ID(name));
    if (name == NULL) {
        return NULL;
    }
    PyObject *mod = kr_builtin_module_create(name, spec);
    Py_DECREF(name);
    return mod;
}

/* Runs the exec slots of a module that is not initialised yet. */
static PyObject *
imp_exec_module(PyObject *module, PyObject *mod)
{
    if (!PyModule_Check(mod)) {
        return PyLong_FromLong(0);
    }
    PyModuleDef *def = PyModule_GetDef(mod);
    if (def == NULL || PyModule_GetState(mod) != NULL) {
        return PyLong_FromLong(0);
    }
    int res = PyModule_ExecDef(mod, def);
    if (res == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromLong(res);
}

static PyObject *
imp_is_builtin(PyObject *module, PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        _PyArg_BadArgument("is_builtin", "argument", "str", name);
        return NULL;
    }
    return PyLong_FromLong(kr_builtin_module_known(name));
}

static PyObject *
imp_create_dynamic(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("create_dynamic", nargs, 1, 2)) {
        return NULL;
    }
    return kr_dynamic_create(args[0]);
}

static PyObject *
imp_extension_suffixes(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && kr_dynamic_suffixes[i] != NULL; i++) {
        PyObject *item = PyUnicode_FromString(kr_dynamic_suffixes[i]);
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

/* --- Frozen modules ---------------------------------------------------------------- */

static PyObject *
imp_find_frozen(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                PyObject *kwnames)
{
    static const char *const keywords[] = {"", "withdata", NULL};
    static _PyArg_Parser parser = {.format = "U|$p:find_frozen",
                                   .keywords = keywords};
    PyObject *name;
    int withdata = 0;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &name, &withdata)) {
        return NULL;
    }
    struct kr_frozen_info info;
    enum kr_frozen_status status = kr_frozen_find(name, &info);
    if (status == KR_FROZEN_NOT_FOUND || status == KR_FROZEN_DISABLED ||
        status == KR_FROZEN_BAD_NAME) {
        Py_RETURN_NONE;
    }
    if (status != KR_FROZEN_OK) {
        kr_frozen_error(status, name);
        return NULL;
    }
    PyObject *data = Py_NewRef(Py_None);
    if (withdata) {
        Py_SETREF(data, PyMemoryView_FromMemory((char *)info.data, info.size,
                                                PyBUF_READ));
    }
    PyObject *res = NULL;
    if (data != NULL) {
        res = Py_BuildValue("OOz", data, info.is_package ? Py_True : Py_False,
                            info.origname);
        Py_DECREF(data);
    }
    return res;
}

static PyObject *
imp_get_frozen_object(PyObject *module, PyObject *const *args,
                      Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("get_frozen_object", nargs, 1, 2)) {
        return NULL;
    }
    if (!PyUnicode_Check(args[0])) {
        _PyArg_BadArgument("get_frozen_object", "argument 1", "str", args[0]);
        return NULL;
    }
    struct kr_frozen_info info;
    if (nargs == 2 && args[1] != Py_None) {
        Py_buffer view;
        if (!PyObject_CheckBuffer(args[1])) {
            _PyArg_BadArgument("get_frozen_object", "argument 2", "bytes",
                               args[1]);
            return NULL;
        }
        if (PyObject_GetBuffer(args[1], &view, PyBUF_SIMPLE) < 0) {
            return NULL;
        }
        PyObject *code = NULL;
        memset(&info, 0, sizeof(info));
        info.name = args[0];
        info.data = view.buf;
        info.size = view.len;
        if (view.len == 0) {
            kr_frozen_error(KR_FROZEN_INVALID, args[0]);
        }
        else {
            code = kr_frozen_code(&info);
        }
        PyBuffer_Release(&view);
        return code;
    }
    enum kr_frozen_status status = kr_frozen_find(args[0], &info);
    if (status != KR_FROZEN_OK) {
        kr_frozen_error(status, args[0]);
        return NULL;
    }
    return kr_frozen_code(&info);
}

static bool
check_name(const char *function, PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        _PyArg_BadArgument(function, "argument", "str", name);
        return false;
    }
    return true;
}

static PyObject *
imp_is_frozen_package(PyObject *module, PyObject *name)
{
    struct kr_frozen_info info;
    if (!check_name("is_frozen_package", name)) {
        return NULL;
    }
    enum kr_frozen_status status = kr_frozen_find(name, &info);
    if (status != KR_FROZEN_OK && status != KR_FROZEN_EXCLUDED) {
        kr_frozen_error(status, name);
        return NULL;
    }
    return PyBool_FromLong(info.is_package);
}

static PyObject *
imp_is_frozen(PyObject *module, PyObject *name)
{
    struct kr_frozen_info info;
    if (!check_name("is_frozen", name)) {
        return NULL;
    }
    return PyBool_FromLong(kr_frozen_find(name, &info) == KR_FROZEN_OK);
}

static PyObject *
imp_init_frozen(PyObject *module, PyObject *name)
{
    if (!check_name("init_frozen", name)) {
        return NULL;
    }
    int res = PyImport_ImportFrozenModuleObject(name);
    if (res < 0) {
        return NULL;
    }
    if (res == 0) {
        Py_RETURN_NONE;
    }
    return Py_XNewRef(PyImport_AddModuleObject(name));
}

static PyObject *
imp_frozen_module_names(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return kr_frozen_names();
}

static PyObject *
imp_override_frozen(PyObject *module, PyObject *arg)
{
    long value = PyLong_AsLong(arg);
    if (value == -1 && PyErr_Occurred()) {
        return NULL;
    }
    kr_frozen_override((int)value);
    Py_RETURN_NONE;
}

/* --- Code ------------------------------------------------------------------------ */

/* Gives `code` and the code objects among its constants a new file name,
 * where it was the old one. */
static void
replace_filename(PyCodeObject *code, PyObject *old, PyObject *name)
{
    if (PyUnicode_Compare(code->co_filename, old) != 0) {
        return;
    }
    Py_INCREF(name);
    Py_XSETREF(code->co_filename, name);
    PyObject *consts = code->co_consts;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(consts); i++) {
        PyObject *item = PyTuple_GET_ITEM(consts, i);
        if (PyCode_Check(item)) {
            replace_filename((PyCodeObject *)item, old, name);
        }
    }
}

static PyObject *
imp_fix_co_filename(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("_fix_co_filename", nargs, 2, 2)) {
        return NULL;
    }
    if (!PyCode_Check(args[0])) {
        _PyArg_BadArgument("_fix_co_filename", "argument 1", "code", args[0]);
        return NULL;
    }
    if (!PyUnicode_Check(args[1])) {
        _PyArg_BadArgument("_fix_co_filename", "argument 2", "str", args[1]);
        return NULL;
    }
    PyCodeObject *code = (PyCodeObject *)args[0];
    if (PyUnicode_Compare(code->co_filename, args[1]) != 0) {
        PyObject *old = Py_NewRef(code->co_filename);
        replace_filename(code, old, args[1]);
        Py_DECREF(old);
    }
    Py_RETURN_NONE;
}

/* With a key of its own: not the seed of the process (PEP 552). */
static PyObject *
imp_source_hash(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                PyObject *kwnames)
{
    static const char *const keywords[] = {"key", "source", NULL};
    static _PyArg_Parser parser = {.format = "ly*:source_hash",
                                   .keywords = keywords};
    long key;
    Py_buffer source;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &key, &source)) {
        return NULL;
    }
    union {
        uint64_t x;
        char data[sizeof(uint64_t)];
    } hash;
    hash.x = _Py_KeyedHash((uint64_t)key, source.buf, source.len);
    PyBuffer_Release(&source);
    return PyBytes_FromStringAndSize(hash.data, sizeof(hash.data));
}

#define FAST(f) (PyCFunction)(void (*)(void))(f)

static PyMethodDef imp_methods[] = {
    {"extension_suffixes", imp_extension_suffixes, METH_NOARGS,
     "extension_suffixes($module, /)\n--\n\n"
     "Returns the list of file suffixes used to identify extension modules."},
    {"lock_held", imp_lock_held, METH_NOARGS,
     "lock_held($module, /)\n--\n\n"
     "Return True if the import lock is currently held, else False."},
    {"acquire_lock", imp_acquire_lock, METH_NOARGS,
     "acquire_lock($module, /)\n--\n\n"
     "Acquires the interpreter's import lock for the current thread."},
    {"release_lock", imp_release_lock, METH_NOARGS,
     "release_lock($module, /)\n--\n\n"
     "Release the interpreter's import lock."},
    {"find_frozen", FAST(imp_find_frozen), METH_FASTCALL | METH_KEYWORDS,
     "find_frozen($module, name, /, *, withdata=False)\n--\n\n"
     "Return info about the corresponding frozen module (if there is one) or "
     "None."},
    {"get_frozen_object", FAST(imp_get_frozen_object), METH_FASTCALL,
     "get_frozen_object($module, name, data=None, /)\n--\n\n"
     "Create a code object for a frozen module."},
    {"is_frozen_package", imp_is_frozen_package, METH_O,
     "is_frozen_package($module, name, /)\n--\n\n"
     "Returns True if the module name is of a frozen package."},
    {"create_builtin", imp_create_builtin, METH_O,
     "create_builtin($module, spec, /)\n--\n\nCreate an extension module."},
    {"init_frozen", imp_init_frozen, METH_O,
     "init_frozen($module, name, /)\n--\n\nInitializes a frozen module."},
    {"is_builtin", imp_is_builtin, METH_O,
     "is_builtin($module, name, /)\n--\n\n"
     "Returns True if the module name corresponds to a built-in module."},
    {"is_frozen", imp_is_frozen, METH_O,
     "is_frozen($module, name, /)\n--\n\n"
     "Returns True if the module name corresponds to a frozen module."},
    {"_frozen_module_names", imp_frozen_module_names, METH_NOARGS,
     "_frozen_module_names($module, /)\n--\n\n"
     "Returns the list of available frozen modules."},
    {"_override_frozen_modules_for_tests", imp_override_frozen, METH_O,
     "_override_frozen_modules_for_tests($module, override, /)\n--\n\n"
     "Override PyConfig.use_frozen_modules, for tests only."},
    {"create_dynamic", FAST(imp_create_dynamic), METH_FASTCALL,
     "create_dynamic($module, spec, file=<unrepresentable>, /)\n--\n\n"
     "Create an extension module."},
    {"exec_dynamic", imp_exec_module, METH_O,
     "exec_dynamic($module, mod, /)\n--\n\nInitialize an extension module."},
    {"exec_builtin", imp_exec_module, METH_O,
     "exec_builtin($module, mod, /)\n--\n\n"
     "Initialize a built-in module."},
    {"_fix_co_filename", FAST(imp_fix_co_filename), METH_FASTCALL,
     "_fix_co_filename($module, code, path, /)\n--\n\n"
     "Changes code.co_filename to specify the passed-in file path."},
    {"source_hash", FAST(imp_source_hash), METH_FASTCALL | METH_KEYWORDS,
     "source_hash($module, /, key, source)\n--\n\n"
     "Hash of a source text, as hash-based .pyc files have it."},
    {NULL, NULL, 0, NULL},
};

static int
imp_exec(PyObject *module)
{
    const wchar_t *mode = kr_interp()->config.check_hash_pycs_mode;
    PyObject *value = PyUnicode_FromWideChar(mode ? mode : L"default", -1);
    int res = PyModule_AddObjectRef(module, "check_hash_based_pycs", value);
    Py_XDECREF(value);
    return res;
}

static PyModuleDef_Slot imp_slots[] = {
    {Py_mod_exec, imp_exec},
    {0, NULL},
};

static struct PyModuleDef imp_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_imp",
    .m_doc = "(Extremely) low-level import machinery bits as used by "
             "importlib.",
    .m_size = 0,
    .m_methods = imp_methods,
    .m_slots = imp_slots,
};

PyObject *
kr_imp_create(void)
{
    return PyModuleDef_Init(&imp_module);
}

PyMODINIT_FUNC
PyInit__imp(void)
{
    return kr_imp_create();
}
