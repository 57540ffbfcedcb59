/* Tracebacks written in a crash: no allocation, no locks, only write(). */
#ifndef KR_RUNTIME_DUMP_TRACEBACK_H
#define KR_RUNTIME_DUMP_TRACEBACK_H

#include <Python.h>

/* The frames of one thread, innermost first, under a headline. */
PyAPI_FUNC(void) _Py_DumpTraceback(int fd, PyThreadState *ts);

/* All threads of an interpreter (NULL: the main one); `current` is marked.
 * Returns NULL, or what went wrong. */
PyAPI_FUNC(const char *) _Py_DumpTracebackThreads(int fd,
                                                  PyInterpreterState *interp,
                                                  PyThreadState *current);

/* The names of imported extension modules that the standard library does not
 * have. NULL: writes nothing. */
PyAPI_FUNC(void) _Py_DumpExtensionModules(int fd, PyInterpreterState *interp);

/* A str with all but printable ASCII escaped; a number; a number in hex with
 * at least `width` digits. */
PyAPI_FUNC(void) _Py_DumpASCII(int fd, PyObject *text);
PyAPI_FUNC(void) _Py_DumpDecimal(int fd, size_t value);
PyAPI_FUNC(void) _Py_DumpHexadecimal(int fd, uintptr_t value,
                                     Py_ssize_t width);

#endif
