/* What the files of the time module share. */
#ifndef KR_MODULES_TIME_H
#define KR_MODULES_TIME_H

#include <Python.h>
#include <stdbool.h>
#include <time.h>

struct time_module {
    PyTypeObject *struct_time;
};

static inline struct time_module *
time_state(PyObject *module)
{
    return (struct time_module *)PyModule_GetState(module);
}

/* Methods of the calendar (calendar.c) and of the clocks (clocks.c). */
extern PyMethodDef kr_time_calendar_methods[];
extern PyMethodDef kr_time_clock_methods[];

extern PyStructSequence_Desc kr_struct_time_desc;

/* Sets timezone, altzone, daylight and tzname in the module. */
int kr_time_init_timezone(PyObject *module);

#endif
