/* The runtime under the fuzz targets. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fuzz_start(int recursion_limit, int columns)
{
    PyPreConfig pre;
    PyPreConfig_InitIsolatedConfig(&pre);
    pre.utf8_mode = 1;
    /* every block its own, so that AddressSanitizer sees its ends */
    pre.allocator = PYMEM_ALLOCATOR_MALLOC;
    PyStatus status = Py_PreInitialize(&pre);
    PyConfig config;
    if (!PyStatus_Exception(status)) {
        PyConfig_InitIsolatedConfig(&config);
        config.site_import = 0;
        config.install_signal_handlers = 0;
        config.write_bytecode = 0;
        config.use_hash_seed = 1;
        config.hash_seed = 0;
        config.code_debug_ranges = columns;
        status = Py_InitializeFromConfig(&config);
        PyConfig_Clear(&config);
    }
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    Py_SetRecursionLimit(recursion_limit);
    if (PyRun_SimpleString("import sys, warnings\n"
                           "warnings.simplefilter('ignore')\n"
                           "sys.set_int_max_str_digits(2000)\n") < 0) {
        exit(2);
    }
}

/* Results without their exception, or exceptions beside a result, are bugs of
 * the runtime even if nothing has crashed yet. */
static void
check_contract(PyObject *type, PyObject *value)
{
    if (!PyErr_GivenExceptionMatches(type, PyExc_SystemError)) {
        return;
    }
    PyObject *text = value == NULL ? NULL : PyObject_Str(value);
    const char *message = text == NULL ? NULL : PyUnicode_AsUTF8(text);
    if (message != NULL && (strstr(message, "exception set") != NULL ||
                            strstr(message, "without setting an"))) {
        fprintf(stderr, "SystemError: %s\n", message);
        abort();
    }
    PyErr_Clear();
    Py_XDECREF(text);
}

void
fuzz_done(void)
{
    static unsigned inputs;
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    if (type != NULL) {
        check_contract(type, value);
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(tb);
    if (++inputs % 256 == 0) {
        PyGC_Collect();
    }
}
