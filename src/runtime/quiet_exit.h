/* Ending without taking the runtime apart. */
#ifndef KR_RUNTIME_QUIET_EXIT_H
#define KR_RUNTIME_QUIET_EXIT_H

#include <Python.h>
#include <stdbool.h>

/* Whether nobody can notice if the objects are not destroyed. The standard
 * streams are flushed already. */
bool kr_exit_is_quiet(PyThreadState *tstate);

#endif
