/* The bytes of a .pyc file to a module: loads, checks and runs it, and calls its
 * functions, all with a small set of builtins and a short time.
 *
 * Of the header, the unused byte 15 chooses: bit 0, run under a tracer that also
 * jumps (f_lineno); bit 1, raise from the tracer now and then. Whatever the
 * bytes are, the worst outcome is an exception. */
#include "fuzz.h"

#include <marshal.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define HEADER 16
#define TICK_US 20000
#define GRACE 3       /* ticks of CPU time until handlers don't count any more */
#define PATIENCE 100  /* ticks until the process gives up */
#define MAX_STACK 100000

static const char *const safe_builtins[] = {
    "abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes",
    "callable", "chr", "classmethod", "complex", "delattr", "dict", "dir",
    "divmod", "enumerate", "filter", "float", "format", "frozenset",
    "getattr", "hasattr", "hash", "hex", "id", "int", "isinstance",
    "issubclass", "iter", "len", "list", "locals", "map", "max", "memoryview",
    "min", "next", "object", "oct", "ord", "pow", "property", "range", "repr",
    "reversed", "round", "set", "setattr", "slice", "sorted", "staticmethod",
    "str", "sum", "super", "tuple", "type", "vars", "zip", "aiter", "anext",
    "globals", "__build_class__", "__name__", "__debug__", "None", "True",
    "False", "Ellipsis", "NotImplemented",
};

static struct fuzz_pyc_state {
    PyObject *builtins; /* the safe ones and all exceptions */
    PyObject *expired;  /* what is raised when time is up */
    PyObject *no_handlers; /* an empty exception table */
    PyObject *globals; /* of what runs, borrowed */
    volatile sig_atomic_t ticks;
    unsigned events, jumps, choice;
} state;

/* Takes the handlers away from all that runs: nothing holds an exception. */
static void
drop_handlers(PyFrameObject *frame)
{
    Py_XINCREF(frame);
    while (frame != NULL) {
        PyCodeObject *co = PyFrame_GetCode(frame);
        Py_INCREF(state.no_handlers);
        PyObject *old = co->co_exceptiontable;
        co->co_exceptiontable = state.no_handlers;
        Py_DECREF(old);
        Py_DECREF(co);
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    }
}

/* Time is up: from now on every poll raises. */
static int
raise_expired(void *Py_UNUSED(arg))
{
    if (state.ticks > 0) {
        if (state.ticks > GRACE) {
            drop_handlers(PyEval_GetFrame());
        }
        PyErr_SetNone(state.expired);
        Py_AddPendingCall(raise_expired, NULL);
        return -1;
    }
    return 0;
}

static void
on_tick(int Py_UNUSED(number))
{
    if (++state.ticks > PATIENCE) {
        static const char text[] = "an endless loop that catches all\n";
        (void)!write(2, text, sizeof(text) - 1);
        _exit(77);
    }
    Py_AddPendingCall(raise_expired, NULL);
}

static void
set_timer(long us)
{
    struct itimerval t = {{0, us}, {0, us}};
    setitimer(ITIMER_VIRTUAL, &t, NULL);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    fuzz_start(120, 0);
    state.builtins = PyDict_New();
    state.no_handlers = PyBytes_FromStringAndSize(NULL, 0);
    state.expired = PyErr_NewException("fuzz.Expired", NULL, NULL);
    PyObject *all = PyEval_GetBuiltins(), *name, *value;
    Py_ssize_t pos = 0;
    while (PyDict_Next(all, &pos, &name, &value)) {
        if (PyExceptionClass_Check(value)) {
            PyDict_SetItem(state.builtins, name, value);
        }
    }
    for (size_t i = 0; i < sizeof(safe_builtins) / sizeof(char *); i++) {
        value = PyDict_GetItemString(all, safe_builtins[i]);
        if (value != NULL) {
            PyDict_SetItemString(state.builtins, safe_builtins[i], value);
        }
    }
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    sigaction(SIGVTALRM, &action, NULL);
    return 0;
}

/* Now and then jumps to another line or raises. */
static int
trace(PyObject *Py_UNUSED(self), PyFrameObject *frame, int what,
      PyObject *Py_UNUSED(arg))
{
    PyObject *globals = PyFrame_GetGlobals(frame);
    Py_DECREF(globals);
    if (globals != state.globals) {
        return 0; /* the library's locks must not stay locked */
    }
    unsigned n = ++state.events;
    if (what == PyTrace_CALL) {
        PyObject_SetAttrString((PyObject *)frame, "f_trace", state.expired);
    }
    if (n > 3000) {
        drop_handlers(frame);
    }
    if (n > 3000 || (state.choice & 2 && n % 97 == 96)) {
        PyErr_SetNone(state.expired);
        return -1;
    }
    if (what == PyTrace_LINE && n % 5 == 4 && state.jumps < 40) {
        state.jumps++;
        PyCodeObject *co = PyFrame_GetCode(frame);
        PyObject *line = PyLong_FromLong(
            co->co_firstlineno + (long)(n * 2654435761u >> 16) % 12);
        Py_DECREF(co);
        if (PyObject_SetAttrString((PyObject *)frame, "f_lineno", line) < 0) {
            PyErr_Clear();
        }
        Py_DECREF(line);
    }
    return 0;
}

/* Takes a few values out of a generator, coroutine or other iterator. */
static void
drain(PyObject *result)
{
    if (result != NULL && PyGen_Check(result)) {
        for (int i = 0; i < 6; i++) {
            PyObject *item = i == 3 ? PyObject_CallMethod(
                                          result, "throw", "O",
                                          PyExc_ValueError)
                                    : PyIter_Next(result);
            if (item == NULL) {
                break;
            }
            Py_DECREF(item);
        }
    }
    else if (result != NULL && PyCoro_CheckExact(result)) {
        Py_XDECREF(PyObject_CallMethod(result, "send", "O", Py_None));
        PyErr_Clear();
        Py_XDECREF(PyObject_CallMethod(result, "close", NULL));
    }
    Py_XDECREF(result);
    PyErr_Clear();
}

static void
call_function(PyObject *code, PyObject *globals)
{
    PyCodeObject *co = (PyCodeObject *)code;
    if (co->co_argcount > 4 || co->co_nfreevars > 0) {
        return;
    }
    PyObject *func = PyFunction_New(code, globals);
    PyObject *args = PyTuple_New(co->co_argcount);
    for (int i = 0; args != NULL && i < co->co_argcount; i++) {
        PyTuple_SET_ITEM(args, i, i == 1 ? PyUnicode_FromString("abc")
                                         : PyLong_FromLong(i + 2));
    }
    /* often enough for the special forms to be chosen */
    for (int i = 0; func != NULL && args != NULL && i < 24; i++) {
        if (state.ticks > 1) {
            break;
        }
        drain(PyObject_CallObject(func, args));
    }
    Py_XDECREF(func);
    Py_XDECREF(args);
    PyErr_Clear();
}

/* No stack that takes all memory. */
static int
is_modest(PyObject *code, int depth)
{
    PyCodeObject *co = (PyCodeObject *)code;
    if (co->co_stacksize > MAX_STACK || depth > 20) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(co->co_consts); i++) {
        PyObject *item = PyTuple_GET_ITEM(co->co_consts, i);
        if (PyCode_Check(item) && !is_modest(item, depth + 1)) {
            return 0;
        }
    }
    return 1;
}

static void
run(PyObject *code)
{
    PyObject *globals = state.globals = PyDict_New();
    PyObject *builtins = PyDict_Copy(state.builtins);
    PyDict_SetItemString(globals, "__builtins__", builtins);
    PyObject *name = PyUnicode_FromString("fuzz");
    PyDict_SetItemString(globals, "__name__", name);
    Py_DECREF(name);
    Py_DECREF(builtins);
    state.ticks = 0;
    set_timer(TICK_US);
    if (state.choice & 1) {
        PyEval_SetTrace(trace, NULL);
    }
    PyObject *result = PyEval_EvalCode(code, globals, globals);
    if (result != NULL && PyErr_Occurred()) {
        abort();
    }
    drain(result);
    PyObject *consts = ((PyCodeObject *)code)->co_consts;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(consts); i++) {
        PyObject *item = PyTuple_GET_ITEM(consts, i);
        if (PyCode_Check(item)) {
            call_function(item, globals);
        }
    }
    PyEval_SetTrace(NULL, NULL);
    set_timer(0);
    state.ticks = 0;
    PyErr_Clear();
    Py_MakePendingCalls();
    PyErr_Clear();
    PyDict_Clear(globals);
    Py_DECREF(globals);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= HEADER) {
        return -1;
    }
    state.choice = data[15];
    state.events = state.jumps = 0;
    char *copy = malloc(size - HEADER);
    memcpy(copy, data + HEADER, size - HEADER);
    PyObject *code = PyMarshal_ReadObjectFromString(
        copy, (Py_ssize_t)(size - HEADER));
    free(copy);
    if (code != NULL && PyCode_Check(code) && is_modest(code, 0)) {
        run(code);
    }
    Py_XDECREF(code);
    fuzz_done();
    return 0;
}
