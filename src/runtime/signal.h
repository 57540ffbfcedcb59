/* Signals: the C handler notes them, the main thread runs Python handlers. */
#ifndef KR_RUNTIME_SIGNAL_H
#define KR_RUNTIME_SIGNAL_H

#include <Python.h>
#include <signal.h>

#define KR_NSIG 65

/* Start-up. With `install`, ignores SIGPIPE and SIGXFSZ and makes SIGINT raise
 * KeyboardInterrupt. Returns 0, or -1 with an exception set. */
int kr_signal_init(int install);

/* The end: handlers of the system come back, Python ones are dropped. */
void kr_signal_fini(void);

/* In a child process: signals that the parent got are not for us. */
void kr_signal_after_fork(void);

/* Whether the calling thread is the one that runs handlers. */
int kr_can_handle_signals(void);

/* The Python-side action of a signal: SIG_DFL or SIG_IGN as an int, a
 * callable, None for a handler of C code; borrowed, NULL before _signal is
 * imported. */
PyObject *kr_signal_action(int signum);

/* Stores a new action and gives back the old one (owned). */
PyObject *kr_signal_set_action(int signum, PyObject *action);

/* The function that the system calls. */
void kr_signal_handler(int signum);

/* signal.set_wakeup_fd without its checks; the previous descriptor. */
int kr_signal_set_wakeup_fd(int fd, int warn_on_full_buffer);

/* An action that Python code can't be called for. */
int kr_signal_is_default(PyObject *action);
int kr_signal_is_ignored(PyObject *action);

/* Converter for PyArg_Parse: an iterable of signal numbers to a sigset_t. */
PyAPI_FUNC(int) _Py_Sigset_Converter(PyObject *obj, void *addr);

#endif
