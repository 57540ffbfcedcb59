/* The configuration that an interpreter keeps, and the runtime's beginning. */
#include <Python.h>

#include "runtime/config/config.h"
#include "runtime/sys/sys.h"
#include "runtime/tstate.h"

/* Raises what a status says. 0 or -1. */
static int
raise_status(PyStatus status)
{
    if (!PyStatus_Exception(status)) {
        return 0;
    }
    const char *message = status.err_msg ? status.err_msg
                                         : "bad configuration";
    if (status.func != NULL) {
        PyErr_Format(PyExc_RuntimeError, "%s: %s", status.func, message);
    }
    else {
        PyErr_SetString(PyExc_RuntimeError, message);
    }
    return -1;
}

int
_PyInterpreterState_GetConfigCopy(PyConfig *config)
{
    return raise_status(kr_config_copy(config, &kr_interp()->config));
}

int
_PyInterpreterState_SetConfig(const PyConfig *src)
{
    PyInterpreterState *interp = kr_interp();
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyStatus status = kr_config_copy(&config, src);
    if (!PyStatus_Exception(status)) {
        status = PyConfig_Read(&config);
    }
    if (!PyStatus_Exception(status)) {
        status = kr_config_name_codecs(&config);
    }
    if (!PyStatus_Exception(status)) {
        status = kr_config_copy(&interp->config, &config);
    }
    PyConfig_Clear(&config);
    /* what programs see of it */
    return raise_status(status) < 0 ? -1 : kr_sys_set_config(interp);
}

PyAPI_FUNC(PyStatus) _PyRuntime_Initialize(void);
PyAPI_FUNC(void) _PyRuntime_Finalize(void);
PyAPI_FUNC(PyStatus) _PyRuntimeState_Init(void *runtime);
PyAPI_FUNC(void) _PyRuntimeState_Fini(void *runtime);
PyAPI_FUNC(PyStatus) _PyInterpreterState_Enable(void *runtime);

PyStatus
_PyRuntime_Initialize(void)
{
    kr_runtime_init();
    return PyStatus_Ok();
}

void
_PyRuntime_Finalize(void)
{
}

PyStatus
_PyRuntimeState_Init(void *runtime)
{
    kr_runtime_init();
    return PyStatus_Ok();
}

void
_PyRuntimeState_Fini(void *runtime)
{
}

PyStatus
_PyInterpreterState_Enable(void *runtime)
{
    kr_runtime_init();
    return PyStatus_Ok();
}
