/* -X importtime. */
#ifndef KR_RUNTIME_IMPORT_TIMING_H
#define KR_RUNTIME_IMPORT_TIMING_H

#include <Python.h>
#include <stdbool.h>

struct kr_import_timer {
    bool on;
    _PyTime_t begin, outer;
};

/* Around an import: the second call writes its line to stderr, if that is
 * asked for. The name is a str. An exception is left alone. */
void kr_import_timer_start(struct kr_import_timer *timer);
void kr_import_timer_stop(struct kr_import_timer *timer, PyObject *name);

#endif
