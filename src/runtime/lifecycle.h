/* Start and end of the runtime. */
#ifndef KR_RUNTIME_LIFECYCLE_H
#define KR_RUNTIME_LIFECYCLE_H

#include <Python.h>

/* The main interpreter's configuration, before it exists a default one. */
const PyConfig *kr_main_config(void);

/* Creates sys.stdin, stdout and stderr. 0 or -1. */
int kr_create_streams(PyInterpreterState *interp);

/* Flushes sys.stdout and stderr. 0, or -1 when writing failed. */
int kr_flush_streams(void);

/* Waits for the non-daemon threads. */
void kr_wait_for_threads(void);

/* Notes whether the program ended by a KeyboardInterrupt that nobody caught;
 * asks for it. */
void kr_note_interrupt(int unhandled);
int kr_interrupt_unhandled(void);

#endif
