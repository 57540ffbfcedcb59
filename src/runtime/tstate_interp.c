/* Interpreters: the list of them, their identity and their end. */
#include <pthread.h>
#include <string.h>

#include "front/ast/ast.h"
#include "memory/gc.h"
#include "objects/interp_id.h"
#include "runtime/lifecycle.h"
#include "runtime/pending.h"
#include "runtime/tstate.h"

static struct kr_runtime_state {
    pthread_mutex_t mutex;
    int initialized;
    unsigned long main_thread;
    PyInterpreterState *head; /* newest first */
    PyInterpreterState *main;
    int64_t next_id;
    _Atomic(PyThreadState *) finalizing;
} runtime = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void
kr_runtime_init(void)
{
    if (!runtime.initialized) {
        runtime.initialized = 1;
        runtime.main_thread = PyThread_get_thread_ident();
    }
}

void
kr_runtime_lock(void)
{
    pthread_mutex_lock(&runtime.mutex);
}

void
kr_runtime_unlock(void)
{
    pthread_mutex_unlock(&runtime.mutex);
}

void
kr_runtime_after_fork(void)
{
    pthread_mutex_init(&runtime.mutex, NULL);
    runtime.main_thread = PyThread_get_thread_ident();
}

unsigned long
kr_main_thread(void)
{
    return runtime.main_thread;
}

int
_PyOS_IsMainThread(void)
{
    return runtime.initialized
           && PyThread_get_thread_ident() == runtime.main_thread;
}

void
kr_set_finalizing(PyThreadState *ts)
{
    atomic_store(&runtime.finalizing, ts);
}

PyThreadState *
kr_finalizing(void)
{
    return atomic_load(&runtime.finalizing);
}

bool
kr_thread_must_exit(PyThreadState *ts)
{
    PyThreadState *f = atomic_load_explicit(&runtime.finalizing,
                                            memory_order_relaxed);
    return f != NULL && f != ts;
}

/* --- interpreters -------------------------------------------------------- */

PyInterpreterState *
PyInterpreterState_New(void)
{
    kr_runtime_init();
    if (kr_current_tstate != NULL
        && PySys_Audit("cpython.PyInterpreterState_New", NULL) < 0) {
        return NULL;
    }
    PyInterpreterState *interp = PyMem_RawCalloc(1, sizeof(*interp));
    if (interp == NULL) {
        return NULL;
    }
    interp->recursion_limit = 1000;
    interp->id_refcount = -1;
    PyConfig_InitPythonConfig(&interp->config);
    kr_pending_init(interp);
    kr_runtime_lock();
    if (runtime.head == NULL) {
        runtime.next_id = 0; /* the main interpreter */
    }
    interp->id = runtime.next_id++;
    interp->next = runtime.head;
    runtime.head = interp;
    if (runtime.main == NULL) {
        runtime.main = interp;
    }
    kr_runtime_unlock();
    return interp;
}

PyInterpreterState *
PyInterpreterState_Get(void)
{
    PyInterpreterState *interp = PyThreadState_Get()->interp;
    if (interp == NULL) {
        Py_FatalError("no current interpreter");
    }
    return interp;
}

PyInterpreterState *
PyInterpreterState_Main(void)
{
    return runtime.main;
}

PyInterpreterState *
PyInterpreterState_Head(void)
{
    return runtime.head;
}

PyInterpreterState *
PyInterpreterState_Next(PyInterpreterState *interp)
{
    return interp->next;
}

PyThreadState *
PyInterpreterState_ThreadHead(PyInterpreterState *interp)
{
    return interp->threads;
}

int64_t
PyInterpreterState_GetID(PyInterpreterState *interp)
{
    if (interp == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "no interpreter provided");
        return -1;
    }
    return interp->id;
}

PyObject *
PyInterpreterState_GetDict(PyInterpreterState *interp)
{
    if (interp->dict == NULL) {
        interp->dict = PyDict_New();
        if (interp->dict == NULL) {
            PyErr_Clear();
        }
    }
    return interp->dict;
}

struct kr_gc_lists *
kr_gc_lists(void)
{
    return &kr_interp()->gc_lists;
}

static void
clear_objects(PyInterpreterState *interp)
{
    Py_CLEAR(interp->audit_hooks);
    Py_CLEAR(interp->codec_search_path);
    Py_CLEAR(interp->codec_search_cache);
    Py_CLEAR(interp->codec_error_registry);
    Py_CLEAR(interp->modules);
    Py_CLEAR(interp->modules_by_index);
    Py_CLEAR(interp->builtins_copy);
    Py_CLEAR(interp->importlib);
    Py_CLEAR(interp->import_func);
    Py_CLEAR(interp->dict);
    Py_CLEAR(interp->before_forkers);
    Py_CLEAR(interp->after_forkers_parent);
    Py_CLEAR(interp->after_forkers_child);
    Py_CLEAR(interp->warnings.filters);
    Py_CLEAR(interp->warnings.once_registry);
    Py_CLEAR(interp->warnings.default_action);
    Py_CLEAR(interp->gc_lists.callbacks);
    Py_CLEAR(interp->gc_lists.garbage);
    kr_ast_classes_fini(interp);
    kr_gc_collect_no_fail();
    /* an interpreter that couldn't be completed may lack them */
    if (interp->sysdict != NULL) {
        PyDict_Clear(interp->sysdict);
    }
    if (interp->builtins != NULL) {
        PyDict_Clear(interp->builtins);
    }
    Py_CLEAR(interp->sysdict);
    Py_CLEAR(interp->builtins);
}

void
PyInterpreterState_Clear(PyInterpreterState *interp)
{
    PyThreadState *ts = kr_current_tstate;
    if (ts != NULL && PySys_Audit("cpython.PyInterpreterState_Clear",
                                  NULL) < 0) {
        PyErr_Clear();
    }
    for (PyThreadState *p = interp->threads; p != NULL; p = p->next) {
        PyThreadState_Clear(p);
    }
    kr_atexit_fini(interp);
    clear_objects(interp);
    PyConfig_Clear(&interp->config);
}

static void
delete_threads(PyInterpreterState *interp)
{
    while (interp->threads != NULL) {
        PyThreadState *ts = interp->threads;
        if (ts == kr_current_tstate) {
            PyThreadState_Swap(NULL);
        }
        PyThreadState_Delete(ts);
    }
}

void
PyInterpreterState_Delete(PyInterpreterState *interp)
{
    delete_threads(interp);
    kr_runtime_lock();
    PyInterpreterState **p = &runtime.head;
    while (*p != NULL && *p != interp) {
        p = &(*p)->next;
    }
    if (*p == NULL) {
        kr_runtime_unlock();
        Py_FatalError("NULL interpreter");
    }
    *p = interp->next;
    if (runtime.main == interp) {
        runtime.main = NULL;
    }
    kr_runtime_unlock();
    PyMem_RawFree(interp);
}

_PyFrameEvalFunction
_PyInterpreterState_GetEvalFrameFunc(PyInterpreterState *interp)
{
    return interp->eval_frame != NULL ? interp->eval_frame
                                      : _PyEval_EvalFrameDefault;
}

void
_PyInterpreterState_SetEvalFrameFunc(PyInterpreterState *interp,
                                     _PyFrameEvalFunction eval_frame)
{
    interp->eval_frame = eval_frame == _PyEval_EvalFrameDefault ? NULL
                                                                : eval_frame;
}

const PyConfig *
_PyInterpreterState_GetConfig(PyInterpreterState *interp)
{
    return &interp->config;
}

const PyConfig *
_Py_GetConfig(void)
{
    return &kr_interp()->config;
}

PyObject *
_PyInterpreterState_GetMainModule(PyInterpreterState *interp)
{
    if (interp->modules == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "interpreter not initialized");
        return NULL;
    }
    return PyMapping_GetItemString(interp->modules, "__main__");
}

/* --- references by id (sub-interpreters) --------------------------------- */

PyInterpreterState *
_PyInterpreterState_LookUpID(int64_t id)
{
    PyInterpreterState *found = NULL;
    if (id >= 0) {
        kr_runtime_lock();
        for (found = runtime.head; found != NULL && found->id != id;) {
            found = found->next;
        }
        kr_runtime_unlock();
    }
    if (found == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_RuntimeError, "unrecognized interpreter ID %lld",
                     (long long)id);
    }
    return found;
}

int
_PyInterpreterState_IDInitref(PyInterpreterState *interp)
{
    if (interp->id_refcount < 0) {
        interp->id_refcount = 0;
    }
    return 0;
}

int
_PyInterpreterState_IDIncref(PyInterpreterState *interp)
{
    _PyInterpreterState_IDInitref(interp);
    interp->id_refcount++;
    return 0;
}

void
_PyInterpreterState_IDDecref(PyInterpreterState *interp)
{
    if (--interp->id_refcount == 0 && interp->requires_idref) {
        PyThreadState *ts = interp->threads;
        if (ts == NULL && (ts = PyThreadState_New(interp)) == NULL) {
            return; /* no memory: the interpreter stays */
        }
        PyThreadState *old = PyThreadState_Swap(ts);
        Py_EndInterpreter(ts);
        PyThreadState_Swap(old);
    }
}

int
_PyInterpreterState_RequiresIDRef(PyInterpreterState *interp)
{
    return interp->requires_idref;
}

void
_PyInterpreterState_RequireIDRef(PyInterpreterState *interp, int required)
{
    interp->requires_idref = required ? 1 : 0;
}

/* --- modules by index ---------------------------------------------------- */

PyObject *
PyState_FindModule(PyModuleDef *def)
{
    PyObject *list = kr_interp()->modules_by_index;
    Py_ssize_t i = def->m_base.m_index;
    if (def->m_slots != NULL || i == 0 || list == NULL
        || i >= PyList_GET_SIZE(list)) {
        return NULL;
    }
    PyObject *module = PyList_GET_ITEM(list, i);
    return module == Py_None ? NULL : module;
}

int
_PyState_AddModule(PyThreadState *ts, PyObject *module, PyModuleDef *def)
{
    if (def == NULL) {
        return -1;
    }
    if (def->m_slots != NULL) {
        PyErr_SetString(PyExc_SystemError,
                        "PyState_AddModule called on module with slots");
        return -1;
    }
    PyInterpreterState *interp = ts->interp;
    if (interp->modules_by_index == NULL) {
        interp->modules_by_index = PyList_New(0);
        if (interp->modules_by_index == NULL) {
            return -1;
        }
    }
    PyObject *list = interp->modules_by_index;
    while (PyList_GET_SIZE(list) <= def->m_base.m_index) {
        if (PyList_Append(list, Py_None) < 0) {
            return -1;
        }
    }
    return PyList_SetItem(list, def->m_base.m_index, Py_NewRef(module));
}

int
PyState_AddModule(PyObject *module, PyModuleDef *def)
{
    if (def == NULL) {
        Py_FatalError("module definition is NULL");
    }
    if (PyState_FindModule(def) == module) {
        _Py_FatalErrorFormat(__func__, "module %p already added", module);
    }
    return _PyState_AddModule(PyThreadState_Get(), module, def);
}

int
PyState_RemoveModule(PyModuleDef *def)
{
    if (def->m_slots != NULL) {
        PyErr_SetString(PyExc_SystemError,
                        "PyState_RemoveModule called on module with slots");
        return -1;
    }
    PyObject *list = kr_interp()->modules_by_index;
    Py_ssize_t i = def->m_base.m_index;
    if (i == 0) {
        Py_FatalError("invalid module index");
    }
    if (list == NULL) {
        Py_FatalError("Interpreters module-list not accessible.");
    }
    if (i >= PyList_GET_SIZE(list)) {
        Py_FatalError("Module index out of bounds.");
    }
    return PyList_SetItem(list, i, Py_NewRef(Py_None));
}
