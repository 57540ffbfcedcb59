/* The time module. */
#include "modules/time/time.h"


static const struct {
    const char *name;
    int value;
} constants[] = {
    {"CLOCK_REALTIME", CLOCK_REALTIME},
    {"CLOCK_MONOTONIC", CLOCK_MONOTONIC},
    {"CLOCK_MONOTONIC_RAW", CLOCK_MONOTONIC_RAW},
    {"CLOCK_PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID},
    {"CLOCK_THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID},
    {"CLOCK_BOOTTIME", CLOCK_BOOTTIME},
    {"CLOCK_TAI", CLOCK_TAI},
    {"_STRUCT_TM_ITEMS", 11},
};

static int
exec(PyObject *module)
{
    struct time_module *st = time_state(module);
    if (kr_time_init_timezone(module) < 0
        || PyModule_AddFunctions(module, kr_time_clock_methods) < 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    st->struct_time = PyStructSequence_NewType(&kr_struct_time_desc);
    return st->struct_time == NULL ? -1
                                   : PyModule_AddType(module, st->struct_time);
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(time_state(module)->struct_time);
    return 0;
}

static int
clear(PyObject *module)
{
    Py_CLEAR(time_state(module)->struct_time);
    return 0;
}

static void
free_module(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "time",
    .m_doc = "Clocks, sleeping, and the calendar.",
    .m_size = sizeof(struct time_module),
    .m_methods = kr_time_calendar_methods,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_module,
};

PyMODINIT_FUNC
PyInit_time(void)
{
    return PyModuleDef_Init(&definition);
}
