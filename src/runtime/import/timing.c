/* -X importtime: how long each import took, by itself and with the imports
 * that it made. */
#include "runtime/import/timing.h"

#include "objects/interp.h"

static struct kr_import_timing_state {
    bool has_header;
    int level;       /* imports that are under way */
    _PyTime_t inner; /* spent in the imports that the current one made */
} timing;

void
kr_import_timer_start(struct kr_import_timer *timer)
{
    timer->on = kr_interp()->config.import_time > 0;
    if (!timer->on) {
        return;
    }
    if (!timing.has_header) {
        fputs("import time: self [us] | cumulative | imported package\n",
              stderr);
        timing.has_header = true;
    }
    timing.level++;
    timer->outer = timing.inner;
    timing.inner = 0;
    timer->begin = _PyTime_GetPerfCounter();
}

void
kr_import_timer_stop(struct kr_import_timer *timer, PyObject *name)
{
    if (!timer->on) {
        return;
    }
    _PyTime_t all = _PyTime_GetPerfCounter() - timer->begin;
    const char *text = PyUnicode_AsUTF8(name);
    timing.level--;
    fprintf(stderr, "import time: %9ld | %10ld | %*s%s\n",
            (long)_PyTime_AsMicroseconds(all - timing.inner,
                                         _PyTime_ROUND_CEILING),
            (long)_PyTime_AsMicroseconds(all, _PyTime_ROUND_CEILING),
            timing.level * 2, "", text == NULL ? "?" : text);
    timing.inner = timer->outer + all;
}
