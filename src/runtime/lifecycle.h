/* Start and end of the runtime. */
#ifndef KR_RUNTIME_LIFECYCLE_H
#define KR_RUNTIME_LIFECYCLE_H

#include <Python.h>

/* The main interpreter's configuration, before it exists a default one. */
const PyConfig *kr_main_config(void);

/* Creates sys.stdin, stdout and stderr. 0 or -1. */
int kr_create_streams(PyInterpreterState *interp);

/* Fills sys, builtins and the import system of a new interpreter whose
 * configuration is set; then streams, __main__ and site. The thread is attached
 * to it. */
PyStatus kr_interp_init_core(PyInterpreterState *interp);
PyStatus kr_interp_init_main(PyInterpreterState *interp);

/* Takes the modules of the calling thread's interpreter apart. */
void kr_finalize_modules(PyInterpreterState *interp);

/* Calls the functions of module atexit; forgets them. Implemented there. */
void kr_atexit_call(PyInterpreterState *interp);
void kr_atexit_fini(PyInterpreterState *interp);

/* Flushes sys.stdout and stderr. 0, or -1 when writing failed. */
int kr_flush_streams(void);

/* Waits for the non-daemon threads. */
void kr_wait_for_threads(void);

/* How far the start has come, in the words of fatal errors. */
const char *kr_runtime_stage(void);

/* Puts the signal handlers of module faulthandler back. Implemented there. */
void kr_faulthandler_fini(void);

/* Notes that the process ends once the runtime is finalized. */
void kr_note_process_end(void);

/* Notes whether the program ended by a KeyboardInterrupt that nobody caught;
 * asks for it. */
void kr_note_interrupt(int unhandled);
int kr_interrupt_unhandled(void);

#endif
