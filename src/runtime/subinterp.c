/* Interpreters besides the main one. They share the process, the heap, the
 * GIL and the built-in types; modules, sys, builtins, the import system,
 * codecs, warnings and exit functions are their own. */
#include <Python.h>

#include "objects/interp.h"
#include "runtime/config/config.h"
#include "runtime/lifecycle.h"
#include "runtime/tstate.h"

static PyStatus
fill(PyInterpreterState *interp, const PyConfig *config, int isolated)
{
    PyStatus status = kr_config_copy(&interp->config, config);
    if (PyStatus_Exception(status)) {
        return status;
    }
    interp->config._isolated_interpreter = isolated;
    status = kr_interp_init_core(interp);
    if (!PyStatus_Exception(status)) {
        status = kr_interp_init_main(interp);
    }
    return status;
}

/* Drops an interpreter that could not be completed; `old` is current again. */
static void
abandon(PyThreadState *ts, PyThreadState *old)
{
    PyInterpreterState *interp = ts->interp;
    PyErr_PrintEx(0);
    PyInterpreterState_Clear(interp);
    PyThreadState_Swap(old);
    PyInterpreterState_Delete(interp);
}

PyThreadState *
_Py_NewInterpreter(int isolated)
{
    if (!Py_IsInitialized()) {
        Py_FatalError("Py_Initialize must be called first");
    }
    PyInterpreterState *interp = PyInterpreterState_New();
    if (interp == NULL) {
        return NULL;
    }
    PyThreadState *ts = PyThreadState_New(interp);
    if (ts == NULL) {
        PyInterpreterState_Delete(interp);
        return NULL;
    }
    PyThreadState *old = PyThreadState_Swap(ts);
    PyStatus status = fill(
        interp, old != NULL ? &old->interp->config : kr_main_config(),
        isolated);
    if (PyStatus_Exception(status)) {
        abandon(ts, old);
        if (PyStatus_IsExit(status)) {
            Py_ExitStatusException(status);
        }
        return NULL;
    }
    return ts;
}

PyThreadState *
Py_NewInterpreter(void)
{
    return _Py_NewInterpreter(0);
}

void
Py_EndInterpreter(PyThreadState *ts)
{
    PyInterpreterState *interp = ts->interp;
    if (ts != kr_tstate()) {
        Py_FatalError("thread is not current");
    }
    if (ts->cframe->current_frame != NULL) {
        Py_FatalError("thread still has a frame");
    }
    interp->finalizing = 1;
    kr_wait_for_threads();
    kr_atexit_call(interp);
    if (ts != interp->threads || ts->next != NULL) {
        Py_FatalError("not the last thread");
    }
    kr_finalize_modules(interp);
    PyInterpreterState_Clear(interp);
    PyInterpreterState_Delete(interp);
}
