/* Module nomem: calls a function while chosen allocations fail. Works in any
 * Python 3.11.
 *
 * attempt(function, first, count, trace) -> (value, exception, failures)
 *     calls function(). Of the allocations made meanwhile, in all three domains
 *     and all threads, those numbered first ... first + count - 1 fail, counted
 *     from 1. One of value and exception is None. With a true `trace` the C
 *     stack of each failing one goes to standard error. */
#include <Python.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <unistd.h>

void __sanitizer_print_stack_trace(void) __attribute__((weak));

static struct nomem_state {
    PyMemAllocatorEx under[3];
    atomic_long seen;
    atomic_long failures;
    long first, count;
    int trace;
} state;

static void
show_stack(void)
{
    if (__sanitizer_print_stack_trace != NULL) {
        __sanitizer_print_stack_trace();
        return;
    }
    void *frames[40];
    int n = backtrace(frames, 40);
    backtrace_symbols_fd(frames, n, STDERR_FILENO);
}

static int
fails(void)
{
    long n = ++state.seen;
    if (n < state.first || n - state.first >= state.count) {
        return 0;
    }
    state.failures++;
    if (state.trace) {
        show_stack();
    }
    return 1;
}

static void *
failing_malloc(void *ctx, size_t size)
{
    PyMemAllocatorEx *a = ctx;
    return fails() ? NULL : a->malloc(a->ctx, size);
}

static void *
failing_calloc(void *ctx, size_t n, size_t size)
{
    PyMemAllocatorEx *a = ctx;
    return fails() ? NULL : a->calloc(a->ctx, n, size);
}

static void *
failing_realloc(void *ctx, void *p, size_t size)
{
    PyMemAllocatorEx *a = ctx;
    return fails() ? NULL : a->realloc(a->ctx, p, size);
}

static void
failing_free(void *ctx, void *p)
{
    PyMemAllocatorEx *a = ctx;
    a->free(a->ctx, p);
}

static void
arm(void)
{
    state.seen = state.failures = 0;
    for (int d = 0; d < 3; d++) {
        PyMem_GetAllocator((PyMemAllocatorDomain)d, &state.under[d]);
        PyMemAllocatorEx hook = {&state.under[d], failing_malloc,
                                 failing_calloc, failing_realloc,
                                 failing_free};
        PyMem_SetAllocator((PyMemAllocatorDomain)d, &hook);
    }
}

static void
disarm(void)
{
    for (int d = 0; d < 3; d++) {
        PyMem_SetAllocator((PyMemAllocatorDomain)d, &state.under[d]);
    }
}

static PyObject *
attempt(PyObject *module, PyObject *args)
{
    PyObject *function;
    if (!PyArg_ParseTuple(args, "Olli", &function, &state.first, &state.count,
                          &state.trace)) {
        return NULL;
    }
    arm();
    PyObject *value = PyObject_CallNoArgs(function);
    disarm();
    PyObject *type, *exception, *traceback;
    PyErr_Fetch(&type, &exception, &traceback);
    if (type != NULL) {
        PyErr_NormalizeException(&type, &exception, &traceback);
    }
    if ((value == NULL) == (type == NULL)) {
        Py_XDECREF(value);
        PyErr_SetString(PyExc_SystemError, value == NULL
                        ? "NULL without an exception"
                        : "a result with an exception");
        _PyErr_ChainExceptions(type, exception, traceback);
        return NULL;
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return Py_BuildValue("NNl", value ? value : Py_NewRef(Py_None),
                         exception ? exception : Py_NewRef(Py_None),
                         (long)state.failures);
}

static PyMethodDef methods[] = {
    {"attempt", attempt, METH_VARARGS, NULL},
    {NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "nomem",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit_nomem(void)
{
    return PyModule_Create(&definition);
}
