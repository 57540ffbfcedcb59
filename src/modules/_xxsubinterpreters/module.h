/* The files of module _xxsubinterpreters. */
#ifndef KR_MODULES_XXSUBINTERPRETERS_H
#define KR_MODULES_XXSUBINTERPRETERS_H

#include <Python.h>

#include "modules/_xxsubinterpreters/channels.h"

struct kr_subinterp_module {
    PyObject *run_failed;
    PyObject *channel_error, *not_found, *closed, *empty, *not_empty;
    PyTypeObject *channel_id;
};

extern PyModuleDef kr_subinterp_definition;

static inline struct kr_subinterp_module *
kr_subinterp_state(PyObject *module)
{
    return PyModule_GetState(module);
}

/* --- channel_functions.c --- */

extern PyMethodDef kr_channel_methods[];

/* Raises what `status` says, which is not OK. Returns NULL. */
PyObject *kr_channel_raise(struct kr_subinterp_module *st,
                           enum kr_chan_status status, int64_t id);

/* --- channel_id.c --- */

/* Adds type ChannelID to the module. 0 or -1. */
int kr_channel_id_init(PyObject *module);

/* New ChannelID. `force`: the channel needn't exist; `resolve`: another
 * interpreter receives an object of the high-level module. */
PyObject *kr_channel_id_new(PyObject *module, int64_t id, enum kr_chan_end end,
                            int force, int resolve);

/* Argument converter: 1 or 0; *result: what the argument names. */
struct kr_channel_arg {
    PyObject *module;
    int64_t id;
    enum kr_chan_end end;
};
int kr_channel_id_convert(PyObject *arg, void *result);

/* --- run.c --- */

/* Runs code in module __main__ of `interp`, with the values of `shared` (dict,
 * None or NULL) as globals. 0; -1 with RunFailedError or another exception. */
int kr_subinterp_run(struct kr_subinterp_module *st,
                     PyInterpreterState *interp, const char *code,
                     PyObject *shared);

/* 1, 0; -1 with RuntimeError when that can't be told. */
int kr_subinterp_is_running(PyInterpreterState *interp);

/* -1 with RuntimeError when it runs. */
int kr_subinterp_ensure_idle(PyInterpreterState *interp);

#endif
