/* Watching the compiler at work, for people who study it. */
#ifndef KR_FRONT_COMPILER_OBSERVER_H
#define KR_FRONT_COMPILER_OBSERVER_H

#include <Python.h>

/* `seen` gets the graph of a scope, as text, after each pass over it; both
 * strings are borrowed. It returns 0, or -1 with an exception to stop. */
struct kr_observer {
    int (*seen)(void *data, PyObject *scope, const char *pass,
                PyObject *graph);
    void *data;
};

#endif
