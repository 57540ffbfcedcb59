/* Py_Initialize and Py_Finalize: builds the runtime up in the order in which
 * its parts need each other, and takes it down in CPython's order. */
#include "runtime/lifecycle.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory/gc_state.h"
#include "memory/tstate.h"
#include "objects/dict.h"
#include "objects/exceptions/exc.h"
#include "objects/hash.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "objects/type/type.h"
#include "runtime/builtins/builtins.h"
#include "runtime/config/config.h"
#include "runtime/gil.h"
#include "runtime/import/import.h"
#include "runtime/pending.h"
#include "runtime/quiet_exit.h"
#include "runtime/run.h"
#include "runtime/signal.h"
#include "runtime/sys/sys.h"
#include "runtime/tstate.h"

#define MAX_EXIT_FUNCS 32

static struct kr_lifecycle_state {
    int core_initialized, initialized, finalizing;
    int process_ends; /* right after the runtime */
    int hashes_begun;
    void (*exit_funcs[MAX_EXIT_FUNCS])(void);
    int n_exit_funcs;
} kr_lifecycle;

PyAPI_DATA(int) _Py_UnhandledKeyboardInterrupt;
int _Py_UnhandledKeyboardInterrupt = 0;

void
kr_note_interrupt(int unhandled)
{
    _Py_UnhandledKeyboardInterrupt = unhandled;
}

int
kr_interrupt_unhandled(void)
{
    return _Py_UnhandledKeyboardInterrupt;
}

void
kr_note_process_end(void)
{
    kr_lifecycle.process_ends = 1;
}

int
Py_IsInitialized(void)
{
    return kr_lifecycle.initialized;
}

PyAPI_FUNC(int) _Py_IsCoreInitialized(void);
int
_Py_IsCoreInitialized(void)
{
    return kr_lifecycle.core_initialized;
}

int
_Py_IsFinalizing(void)
{
    return kr_lifecycle.finalizing;
}

const char *
kr_runtime_stage(void)
{
    return kr_lifecycle.initialized        ? "initialized"
           : kr_lifecycle.core_initialized ? "core initialized"
                                           : kr_preinit_stage();
}

const PyConfig *
kr_main_config(void)
{
    return &PyInterpreterState_Main()->config;
}

/* --- Start --------------------------------------------------------------- */

#define FAILED(text)                                                           \
    ((PyStatus){._type = _PyStatus_TYPE_ERROR, .func = __func__,               \
                .err_msg = (text)})

/* The first interpreter and thread, attached. */
static PyStatus
create_main_interpreter(const PyConfig *config, PyThreadState **ptstate)
{
    kr_runtime_init();
    kr_set_finalizing(NULL);
    PyInterpreterState *interp = PyInterpreterState_New();
    if (interp == NULL) {
        return FAILED("can't make main interpreter");
    }
    PyStatus status = kr_config_copy(&interp->config, config);
    if (PyStatus_Exception(status)) {
        return status;
    }
    PyThreadState *tstate = PyThreadState_New(interp);
    if (tstate == NULL) {
        return FAILED("can't make first thread");
    }
    PyEval_AcquireThread(tstate);
    *ptstate = tstate;
    return PyStatus_Ok();
}

static PyStatus
init_types(void)
{
    if (kr_ids_init() < 0) {
        return FAILED("can't intern names");
    }
    if (kr_types_init() < 0) {
        return FAILED("can't initialize types");
    }
    if (kr_exceptions_init() < 0) {
        return FAILED("failed to initialize exceptions");
    }
    return PyStatus_Ok();
}

/* A stream for messages until _io is there. */
static int
install_early_stderr(void)
{
    PyObject *stream = PyFile_NewStdPrinter(fileno(stderr));
    int res = stream == NULL ? -1 : PySys_SetObject("stderr", stream);
    if (res == 0) {
        res = PySys_SetObject("__stderr__", stream);
    }
    Py_XDECREF(stream);
    return res;
}

static PyStatus
init_modules(PyInterpreterState *interp, PyObject *sysmod)
{
    if (PyDict_SetItemString(interp->modules, "sys", sysmod) < 0) {
        return FAILED("can't initialize sys module");
    }
    PyObject *builtins = kr_builtins_create();
    if (builtins == NULL ||
        PyDict_SetItemString(interp->modules, "builtins", builtins) < 0) {
        return FAILED("can't initialize builtins module");
    }
    interp->builtins = Py_NewRef(PyModule_GetDict(builtins));
    interp->builtins_copy = PyDict_Copy(interp->builtins);
    Py_DECREF(builtins);
    if (interp->builtins_copy == NULL || install_early_stderr() < 0) {
        return FAILED("can't initialize streams");
    }
    if (kr_sys_set_config(interp) < 0) {
        return FAILED("can't set sys attributes");
    }
    if (kr_import_install(interp, sysmod) < 0) {
        return FAILED("failed to install importlib");
    }
    return PyStatus_Ok();
}

PyStatus
kr_interp_init_core(PyInterpreterState *interp)
{
    if (kr_import_init(interp) < 0) {
        return FAILED("can't create sys.modules");
    }
    PyObject *sysmod = kr_sys_create(interp);
    if (sysmod == NULL) {
        return FAILED("can't initialize sys module");
    }
    PyStatus status = init_modules(interp, sysmod);
    Py_DECREF(sysmod);
    return status;
}

/* Loads the codecs of the standard streams and file names. */
static PyStatus
init_encodings(PyInterpreterState *interp)
{
    PyObject *codec = PyImport_ImportModule("encodings");
    if (codec == NULL) {
        return FAILED("failed to load the encodings");
    }
    Py_DECREF(codec);
    PyStatus status = kr_config_name_codecs(&interp->config);
    if (!PyStatus_Exception(status)
        && interp == PyInterpreterState_Main()) {
        status = kr_config_publish_encodings(&interp->config);
    }
    interp->fs_codec_ready = 1;
    return status;
}

static int
create_main_module(PyInterpreterState *interp)
{
    PyObject *m = PyImport_AddModule("__main__");
    if (m == NULL) {
        return -1;
    }
    PyObject *d = PyModule_GetDict(m);
    PyObject *annotations = PyDict_New();
    int res = annotations == NULL
                  ? -1
                  : PyDict_SetItemString(d, "__annotations__", annotations);
    Py_XDECREF(annotations);
    PyObject *builtins = PyDict_GetItemString(interp->modules, "builtins");
    if (res < 0 || builtins == NULL ||
        PyDict_SetItemString(d, "__builtins__", builtins) < 0) {
        return -1;
    }
    /* as long as no loader says otherwise */
    PyObject *loader =
        PyObject_GetAttrString(interp->importlib, "BuiltinImporter");
    return kr_dict_put(d, "__loader__", loader);
}

/* Switches on warnings when options ask for it. */
static int
init_warnings(void)
{
    if (!kr_has_warn_options()) {
        return 0;
    }
    PyObject *m = PyImport_ImportModule("warnings");
    if (m == NULL) {
        PyErr_Print();
    }
    Py_XDECREF(m);
    return 0;
}

/* Calls module.function() for -X options. 0 or -1. */
static int
call_module_function(const char *module, const char *function,
                     const char *format, int arg)
{
    PyObject *m = PyImport_ImportModule(module);
    PyObject *res =
        m == NULL ? NULL : PyObject_CallMethod(m, function, format, arg);
    Py_XDECREF(m);
    Py_XDECREF(res);
    return res == NULL ? -1 : 0;
}

/* What the process has once: the first interpreter sets it up. */
static PyStatus
init_process_wide(const PyConfig *config)
{
    if (kr_signal_init(config->install_signal_handlers) < 0) {
        return FAILED("can't initialize signals");
    }
    if (config->tracemalloc &&
        call_module_function("_tracemalloc", "start", "i",
                             config->tracemalloc) < 0) {
        return FAILED("can't start tracemalloc");
    }
    return PyStatus_Ok();
}

PyStatus
kr_interp_init_main(PyInterpreterState *interp)
{
    bool is_main = interp == PyInterpreterState_Main();
    const PyConfig *config = &interp->config;
    if (kr_import_install_external(interp) < 0) {
        return FAILED("failed to install the path-based importers");
    }
    if (is_main && config->faulthandler &&
        call_module_function("faulthandler", "enable", NULL, 0) < 0) {
        return FAILED("can't enable faulthandler");
    }
    PyStatus status = init_encodings(interp);
    if (!PyStatus_Exception(status) && is_main) {
        status = init_process_wide(config);
    }
    if (PyStatus_Exception(status)) {
        return status;
    }
    if (create_main_module(interp) < 0) {
        return FAILED("can't create __main__ module");
    }
    if (kr_create_streams(interp) < 0) {
        return FAILED("can't initialize sys standard streams");
    }
    PyObject *open = kr_import_attr("_io", "open");
    if (open == NULL ||
        PyDict_SetItemString(interp->builtins, "open", open) < 0) {
        return FAILED("can't set builtins.open");
    }
    Py_DECREF(open);
    init_warnings();
    if (is_main) {
        kr_warn_legacy_locale();
        kr_config_publish_flags(config);
        kr_lifecycle.initialized = 1;
    }
    if (config->site_import) {
        PyObject *site = PyImport_ImportModule("site");
        if (site == NULL) {
            return FAILED("Failed to import the site module");
        }
        Py_DECREF(site);
    }
    return PyStatus_Ok();
}

static PyStatus
initialize_core(const PyConfig *config, PyThreadState **ptstate)
{
    /* names outlive an interpreter, and with them their hashes */
    if (!kr_lifecycle.hashes_begun) {
        if (kr_hash_init(config->use_hash_seed, config->hash_seed) < 0) {
            return FAILED("failed to get random numbers to initialize Python");
        }
        kr_lifecycle.hashes_begun = 1;
    }
    PyStatus status = create_main_interpreter(config, ptstate);
    if (PyStatus_Exception(status)) {
        return status;
    }
    status = init_types();
    if (PyStatus_Exception(status)) {
        return status;
    }
    status = kr_interp_init_core((*ptstate)->interp);
    if (!PyStatus_Exception(status)) {
        kr_lifecycle.core_initialized = 1;
    }
    return status;
}

PyStatus
Py_InitializeFromConfig(const PyConfig *src)
{
    if (src == NULL) {
        return FAILED("initialization config is NULL");
    }
    if (kr_lifecycle.initialized) {
        return PyStatus_Ok();
    }
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyStatus status = kr_config_copy(&config, src);
    if (!PyStatus_Exception(status)) {
        status = PyConfig_Read(&config);
    }
    PyThreadState *tstate = NULL;
    kr_gc_hold();
    if (!PyStatus_Exception(status)) {
        status = initialize_core(&config, &tstate);
    }
    PyConfig_Clear(&config);
    if (!PyStatus_Exception(status) && tstate->interp->config._init_main) {
        status = kr_interp_init_main(tstate->interp);
    }
    kr_gc_settle();
    return status;
}

PyStatus
_Py_InitializeMain(void)
{
    if (!kr_lifecycle.core_initialized) {
        return FAILED("runtime core not initialized");
    }
    return kr_lifecycle.initialized ? PyStatus_Ok()
                                    : kr_interp_init_main(kr_interp());
}

void
Py_InitializeEx(int install_sigs)
{
    if (kr_lifecycle.initialized) {
        return;
    }
    PyConfig config;
    PyAPI_FUNC(void) _PyConfig_InitCompatConfig(PyConfig *);
    _PyConfig_InitCompatConfig(&config);
    config.install_signal_handlers = install_sigs;
    PyStatus status = kr_config_use_path_setters(&config);
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
}

void
Py_Initialize(void)
{
    Py_InitializeEx(1);
}

/* --- End ----------------------------------------------------------------- */

void
kr_wait_for_threads(void)
{
    PyObject *threading =
        PyDict_GetItemString(kr_interp()->modules, "threading");
    if (threading == NULL) {
        PyErr_Clear();
        return;
    }
    Py_INCREF(threading);
    PyObject *res = PyObject_CallMethodNoArgs(threading, KR_ID(_shutdown));
    if (res == NULL) {
        PyErr_WriteUnraisable(threading);
    }
    Py_XDECREF(res);
    Py_DECREF(threading);
}

int
Py_AtExit(void (*func)(void))
{
    if (kr_lifecycle.n_exit_funcs >= MAX_EXIT_FUNCS) {
        return -1;
    }
    kr_lifecycle.exit_funcs[kr_lifecycle.n_exit_funcs++] = func;
    return 0;
}

/* Sets names of sys that hold user objects to None, and restores the original
 * streams and hooks. */
static void
clean_sys(PyInterpreterState *interp)
{
    static const char *const deletes[] = {
        "path", "argv", "ps1", "ps2", "last_type", "last_value",
        "last_traceback", "path_hooks", "path_importer_cache", "meta_path",
    };
    static const char *const streams[][2] = {
        {"stdin", "__stdin__"}, {"stdout", "__stdout__"},
        {"stderr", "__stderr__"},
    };
    PyObject *dict = interp->sysdict;
    if (PyDict_SetItemString(interp->builtins, "_", Py_None) < 0) {
        PyErr_Clear();
    }
    for (size_t i = 0; i < sizeof(deletes) / sizeof(*deletes); i++) {
        if (PyDict_GetItemString(dict, deletes[i]) != NULL &&
            PyDict_SetItemString(dict, deletes[i], Py_None) < 0) {
            PyErr_Clear();
        }
    }
    for (size_t i = 0; i < sizeof(streams) / sizeof(*streams); i++) {
        PyObject *value = PyDict_GetItemString(dict, streams[i][1]);
        if (PyDict_SetItemString(dict, streams[i][0],
                                 value ? value : Py_None) < 0) {
            PyErr_Clear();
        }
    }
}

/* Sets the values of sys.modules to None, keeping weak references to the
 * modules; gives the list of (name, weakref), new. */
static PyObject *
forget_modules(PyInterpreterState *interp)
{
    PyObject *list = PyList_New(0);
    PyObject *keys = PyMapping_Keys(interp->modules);
    if (list == NULL || keys == NULL) {
        Py_XDECREF(keys);
        PyErr_Clear();
        return list;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keys); i++) {
        PyObject *name = PyList_GET_ITEM(keys, i);
        PyObject *mod = PyObject_GetItem(interp->modules, name);
        if (mod == NULL) {
            PyErr_Clear();
            continue;
        }
        if (PyModule_Check(mod)) {
            PyObject *ref = PyWeakref_NewRef(mod, NULL);
            PyObject *pair = ref == NULL ? NULL : PyTuple_Pack(2, name, ref);
            if (pair == NULL || PyList_Append(list, pair) < 0) {
                PyErr_Clear();
            }
            Py_XDECREF(pair);
            Py_XDECREF(ref);
        }
        Py_DECREF(mod);
        if (PyObject_SetItem(interp->modules, name, Py_None) < 0) {
            PyErr_Clear();
        }
    }
    Py_DECREF(keys);
    return list;
}

/* Clears the dicts of modules that are still alive, newest first, except
 * sys and builtins. */
static void
clear_survivors(PyInterpreterState *interp, PyObject *list)
{
    for (Py_ssize_t i = PyList_GET_SIZE(list) - 1; i >= 0; i--) {
        PyObject *ref = PyTuple_GET_ITEM(PyList_GET_ITEM(list, i), 1);
        PyObject *mod = PyWeakref_GET_OBJECT(ref);
        if (mod == Py_None) {
            continue;
        }
        Py_INCREF(mod);
        PyObject *dict = PyModule_GetDict(mod);
        if (dict != interp->builtins && dict != interp->sysdict) {
            _PyModule_ClearDict(dict);
        }
        Py_DECREF(mod);
    }
}

void
kr_finalize_modules(PyInterpreterState *interp)
{
    clean_sys(interp);
    PyObject *list = forget_modules(interp);
    PyDict_Clear(interp->modules);
    if (interp->builtins_copy != NULL &&
        PyDict_Update(interp->builtins, interp->builtins_copy) < 0) {
        PyErr_Clear();
    }
    Py_CLEAR(interp->builtins_copy);
    kr_gc_collect_no_fail();
    kr_gc_dump_shutdown_stats();
    if (list != NULL) {
        clear_survivors(interp, list);
        Py_DECREF(list);
    }
    _PyModule_ClearDict(interp->sysdict);
    _PyModule_ClearDict(interp->builtins);
    kr_gc_collect_no_fail();
}

/* Leaves what Py_Initialize finds at the start of the process: no interpreter,
 * no thread state, nobody holds the GIL. Types and interned names stay. */
static void
drop_main_interpreter(PyInterpreterState *interp)
{
    kr_faulthandler_fini();
    PyInterpreterState_Clear(interp);
    PyInterpreterState_Delete(interp);
    kr_gil_drop(NULL);
    kr_preinit_reset();
    kr_lifecycle.finalizing = 0;
}

int
Py_FinalizeEx(void)
{
    if (!kr_lifecycle.initialized) {
        return 0;
    }
    PyThreadState *tstate = PyThreadState_Get();
    PyInterpreterState *interp = tstate->interp;
    kr_wait_for_threads();
    kr_finish_pending_calls(tstate);
    kr_atexit_call(interp);
    int malloc_stats = interp->config.malloc_stats;

    kr_lifecycle.finalizing = 1;
    interp->finalizing = 1;
    kr_set_finalizing(tstate);
    kr_lifecycle.initialized = 0;
    kr_lifecycle.core_initialized = 0;
    /* daemon threads, which end when they next ask for the GIL */
    _PyThreadState_DeleteExcept(NULL, tstate);

    int status = kr_flush_streams();
    kr_signal_fini();
    if (!kr_lifecycle.process_ends || !kr_exit_is_quiet(tstate)) {
        PyGC_Collect();
        kr_finalize_modules(interp);
        if (kr_flush_streams() < 0) {
            status = -1;
        }
    }
    if (malloc_stats) {
        PyAPI_FUNC(int) _PyObject_DebugMallocStats(FILE *);
        _PyObject_DebugMallocStats(stderr);
    }
    kr_sys_clear_audit_hooks();
    while (kr_lifecycle.n_exit_funcs > 0) {
        kr_lifecycle.exit_funcs[--kr_lifecycle.n_exit_funcs]();
    }
    fflush(stdout);
    fflush(stderr);
    if (!kr_lifecycle.process_ends) {
        drop_main_interpreter(interp);
    }
    return status;
}

void
Py_Finalize(void)
{
    Py_FinalizeEx();
}

void
Py_Exit(int sts)
{
    kr_note_process_end();
    if (Py_FinalizeEx() < 0) {
        sts = 120;
    }
    exit(sts);
}

/* --- Interactive and signals --------------------------------------------- */

int
Py_FdIsInteractive(FILE *fp, const char *filename)
{
    if (isatty(fileno(fp))) {
        return 1;
    }
    return kr_main_config()->interactive &&
           (filename == NULL || strcmp(filename, "<stdin>") == 0 ||
            strcmp(filename, "???") == 0);
}

int
_Py_FdIsInteractive(FILE *fp, PyObject *filename)
{
    if (isatty(fileno(fp))) {
        return 1;
    }
    return kr_main_config()->interactive &&
           (filename == NULL ||
            PyUnicode_CompareWithASCIIString(filename, "<stdin>") == 0 ||
            PyUnicode_CompareWithASCIIString(filename, "???") == 0);
}
