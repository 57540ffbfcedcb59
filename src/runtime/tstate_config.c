/* The configuration that an interpreter keeps, and the runtime's beginning. */
#include <Python.h>

#include "runtime/config/config.h"
#include "runtime/tstate.h"

static int
copy_config(PyConfig *to, const PyConfig *from)
{
    PyStatus status = kr_config_copy(to, from);
    if (PyStatus_Exception(status)) {
        PyErr_SetString(PyExc_RuntimeError,
                        status.err_msg ? status.err_msg : "bad configuration");
        return -1;
    }
    return 0;
}

int
_PyInterpreterState_GetConfigCopy(PyConfig *config)
{
    return copy_config(config, &kr_interp()->config);
}

int
_PyInterpreterState_SetConfig(const PyConfig *src)
{
    return copy_config(&kr_interp()->config, src);
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
