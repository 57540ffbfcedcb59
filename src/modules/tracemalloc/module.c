/* The _tracemalloc module. */
#include <stdlib.h>

#include "memory/tracemalloc.h"
#include "modules/tracemalloc/tracemalloc.h"

static PyObject *
is_tracing(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(_Py_tracemalloc_config.tracing);
}

static PyObject *
clear_traces(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    if (_Py_tracemalloc_config.tracing) {
        kr_tm_clear();
    }
    Py_RETURN_NONE;
}

static PyObject *
to_trace(const struct kr_tm_trace *t)
{
    PyObject *frames = kr_tm_to_tuple(t->traceback);
    if (frames == NULL) {
        return NULL;
    }
    return Py_BuildValue("(InNI)", t->domain, (Py_ssize_t)t->size, frames,
                         (unsigned)t->traceback->total_nframe);
}

static PyObject *
get_traces(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    struct kr_tm_trace *traces;
    size_t n = 0;
    PyObject *list = PyList_New(0);
    if (list == NULL || !_Py_tracemalloc_config.tracing) {
        return list;
    }
    if (kr_tm_snapshot(&traces, &n) < 0) {
        Py_DECREF(list);
        return PyErr_NoMemory();
    }
    for (size_t i = 0; i < n; i++) {
        PyObject *trace = to_trace(&traces[i]);
        if (trace == NULL || PyList_Append(list, trace) < 0) {
            Py_XDECREF(trace);
            Py_CLEAR(list);
            break;
        }
        Py_DECREF(trace);
    }
    free(traces);
    return list;
}

static PyObject *
get_object_traceback(PyObject *module, PyObject *obj)
{
    /* the block of an instance with a managed dict is traced by the address
     * of the object */
    return _PyTraceMalloc_GetTraceback(0, (uintptr_t)obj);
}

static PyObject *
start(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int nframe = 1;
    if (!_PyArg_CheckPositional("start", nargs, 0, 1)) {
        return NULL;
    }
    if (nargs == 1) {
        nframe = _PyLong_AsInt(args[0]);
        if (nframe == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    if (kr_tm_start(nframe) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
stop(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    kr_tm_stop();
    Py_RETURN_NONE;
}

static PyObject *
get_traceback_limit(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(_Py_tracemalloc_config.max_nframe);
}

static PyObject *
get_tracemalloc_memory(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    size_t current, peak, own;
    kr_tm_get_memory(&current, &peak, &own);
    return PyLong_FromSize_t(own);
}

static PyObject *
get_traced_memory(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    size_t current, peak, own;
    kr_tm_get_memory(&current, &peak, &own);
    return Py_BuildValue("nn", (Py_ssize_t)current, (Py_ssize_t)peak);
}

static PyObject *
reset_peak(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    kr_tm_reset_peak();
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"is_tracing", is_tracing, METH_NOARGS,
     "is_tracing($module, /)\n--\n\nWhether allocations are traced."},
    {"clear_traces", clear_traces, METH_NOARGS,
     "clear_traces($module, /)\n--\n\nForget all traces."},
    {"_get_traces", get_traces, METH_NOARGS,
     "_get_traces($module, /)\n--\n\n"
     "A list of (domain, size, traceback, total_nframe) tuples."},
    {"_get_object_traceback", get_object_traceback, METH_O,
     "_get_object_traceback($module, obj, /)\n--\n\n"
     "Where an object was allocated, or None."},
    {"start", (PyCFunction)(void *)start, METH_FASTCALL,
     "start($module, nframe=1, /)\n--\n\n"
     "Trace allocations, with so many frames each."},
    {"stop", stop, METH_NOARGS,
     "stop($module, /)\n--\n\nTrace no more, and forget all traces."},
    {"get_traceback_limit", get_traceback_limit, METH_NOARGS,
     "get_traceback_limit($module, /)\n--\n\nHow many frames a trace has."},
    {"get_tracemalloc_memory", get_tracemalloc_memory, METH_NOARGS,
     "get_tracemalloc_memory($module, /)\n--\n\n"
     "How many bytes the traces take."},
    {"get_traced_memory", get_traced_memory, METH_NOARGS,
     "get_traced_memory($module, /)\n--\n\n"
     "The current and the peak size of traced blocks."},
    {"reset_peak", reset_peak, METH_NOARGS,
     "reset_peak($module, /)\n--\n\nLet the peak be the current size."},
    {NULL},
};

static PyModuleDef_Slot slots[] = {{0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_tracemalloc",
    .m_doc = "Traces of the memory that Python allocates.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__tracemalloc(void)
{
    return PyModuleDef_Init(&definition);
}
