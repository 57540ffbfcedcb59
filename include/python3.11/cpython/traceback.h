/* Layout of tracebacks.
   tb_lineno is -1 until it is asked for. */
#ifndef Py_CPYTHON_TRACEBACK_H
#define Py_CPYTHON_TRACEBACK_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
typedef struct _traceback PyTracebackObject;

struct _traceback {
    PyObject_HEAD
    PyTracebackObject *tb_next;
    PyFrameObject *tb_frame;
    int tb_lasti;
    int tb_lineno;
};

PyAPI_FUNC(int) _Py_DisplaySourceLine(PyObject *, PyObject *, int, int, int *,
    PyObject **);
PyAPI_FUNC(void) _PyTraceback_Add(const char *, const char *, int);
#endif

#ifdef __cplusplus
}
#endif

#endif
