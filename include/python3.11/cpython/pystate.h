/* Layout of thread states, tracing, data that crosses interpreters.
   Extensions read and write thread states: the struct is ABI. */
#ifndef Py_CPYTHON_PYSTATE_H
#define Py_CPYTHON_PYSTATE_H

#include "cpython/initconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
typedef int (*Py_tracefunc)(PyObject *, PyFrameObject *, int, PyObject *);

/* Events of a trace function. */
#define PyTrace_CALL 0
#define PyTrace_EXCEPTION 1
#define PyTrace_LINE 2
#define PyTrace_RETURN 3
#define PyTrace_C_CALL 4
#define PyTrace_C_EXCEPTION 5
#define PyTrace_C_RETURN 6
#define PyTrace_OPCODE 7

typedef struct {
    PyCodeObject *code;
    PyCodeAddressRange bounds;
} PyTraceInfo;

/* One per call of the interpreter loop, on the C stack. */
typedef struct _PyCFrame {
    uint8_t use_tracing;
    struct _PyInterpreterFrame *current_frame;
    struct _PyCFrame *previous;
} _PyCFrame;

/* An exception being handled, and the one of the code outside. */
typedef struct _err_stackitem {
    PyObject *exc_value;
    struct _err_stackitem *previous_item;
} _PyErr_StackItem;

/* A piece of the stack of Python frames. */
typedef struct _stack_chunk {
    struct _stack_chunk *previous;
    size_t size;
    size_t top;
    PyObject *data[1];
} _PyStackChunk;

struct _ts {
    PyThreadState *prev;
    PyThreadState *next;
    PyInterpreterState *interp;

    int _initialized;
    int _static;
    int recursion_remaining;
    int recursion_limit;
    int recursion_headroom;

    int tracing; /* depth of trace functions running */
    int tracing_what;
    _PyCFrame *cframe;
    Py_tracefunc c_profilefunc;
    Py_tracefunc c_tracefunc;
    PyObject *c_profileobj;
    PyObject *c_traceobj;

    /* The exception being raised. */
    PyObject *curexc_type;
    PyObject *curexc_value;
    PyObject *curexc_traceback;
    /* Top of the stack of exceptions being handled. */
    _PyErr_StackItem *exc_info;

    PyObject *dict;
    int gilstate_counter;
    PyObject *async_exc; /* to raise soon; NULL: none */
    unsigned long thread_id;
    unsigned long native_thread_id;

    int trash_delete_nesting;
    PyObject *trash_delete_later;
    void (*on_delete)(void *);
    void *on_delete_data;

    int coroutine_origin_tracking_depth;
    PyObject *async_gen_firstiter;
    PyObject *async_gen_finalizer;
    PyObject *context;
    uint64_t context_ver;
    uint64_t id;
    PyTraceInfo trace_info;

    _PyStackChunk *datastack_chunk;
    PyObject **datastack_top;
    PyObject **datastack_limit;

    /* The bottoms of the two stacks above. */
    _PyErr_StackItem exc_state;
    _PyCFrame root_cframe;
};

typedef PyObject *(*_PyFrameEvalFunction)(PyThreadState *tstate,
    struct _PyInterpreterFrame *, int);

/* Data on its way to another interpreter. */
typedef struct _xid _PyCrossInterpreterData;

struct _xid {
    void *data;
    PyObject *obj;
    int64_t interp;
    PyObject *(*new_object)(_PyCrossInterpreterData *);
    void (*free)(void *);
};

typedef int (*crossinterpdatafunc)(PyObject *, _PyCrossInterpreterData *);

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) _PyCrossInterpreterData_NewObject(
    _PyCrossInterpreterData *);
PyAPI_FUNC(PyObject *) _PyInterpreterState_GetMainModule(PyInterpreterState *);
PyAPI_FUNC(PyObject *) _PyThread_CurrentExceptions(void);
PyAPI_FUNC(PyObject *) _PyThread_CurrentFrames(void);

/* Give a borrowed reference. */
PyAPI_FUNC(PyObject *) _PyThreadState_GetDict(PyThreadState *);

/* Everything else; an int of -1 means failure. */
PyAPI_FUNC(const PyConfig *) _Py_GetConfig(void);
PyAPI_FUNC(crossinterpdatafunc) _PyCrossInterpreterData_Lookup(PyObject *);
PyAPI_FUNC(int) _PyCrossInterpreterData_RegisterClass(PyTypeObject *,
    crossinterpdatafunc);
PyAPI_FUNC(void) _PyCrossInterpreterData_Release(_PyCrossInterpreterData *);
PyAPI_FUNC(int) PyGILState_Check(void);
PyAPI_FUNC(PyInterpreterState *) _PyGILState_GetInterpreterStateUnsafe(void);
PyAPI_FUNC(const PyConfig *) _PyInterpreterState_GetConfig(
    PyInterpreterState *);
PyAPI_FUNC(int) _PyInterpreterState_GetConfigCopy(struct PyConfig *);
PyAPI_FUNC(_PyFrameEvalFunction) _PyInterpreterState_GetEvalFrameFunc(
    PyInterpreterState *);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Head(void);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Main(void);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Next(PyInterpreterState *);
PyAPI_FUNC(void) _PyInterpreterState_RequireIDRef(PyInterpreterState *, int);
PyAPI_FUNC(int) _PyInterpreterState_RequiresIDRef(PyInterpreterState *);
PyAPI_FUNC(int) _PyInterpreterState_SetConfig(const struct PyConfig *);
PyAPI_FUNC(void) _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState *,
    _PyFrameEvalFunction);
PyAPI_FUNC(PyThreadState *) PyInterpreterState_ThreadHead(PyInterpreterState *);
PyAPI_FUNC(int) _PyObject_CheckCrossInterpreterData(PyObject *);
PyAPI_FUNC(int) _PyObject_GetCrossInterpreterData(PyObject *,
    _PyCrossInterpreterData *);
PyAPI_FUNC(void) PyThreadState_DeleteCurrent(void);
PyAPI_FUNC(void) PyThreadState_EnterTracing(PyThreadState *);
PyAPI_FUNC(void) PyThreadState_LeaveTracing(PyThreadState *);
PyAPI_FUNC(PyThreadState *) PyThreadState_Next(PyThreadState *);
PyAPI_FUNC(PyThreadState *) _PyThreadState_Prealloc(PyInterpreterState *);
PyAPI_FUNC(PyThreadState *) _PyThreadState_UncheckedGet(void);

#define _PyInterpreterState_Get PyInterpreterState_Get
#endif

#ifdef __cplusplus
}
#endif

#endif
