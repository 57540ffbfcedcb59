/* The C API of the runtime: interpreters, pending calls, configuration, and
 * helpers that only C code sees. */
#include <Python.h>

#include <string.h>

/* --- interpreters -------------------------------------------------------- */

/* run_in_new(code) -> id of the interpreter that ran it and has ended */
static PyObject *
run_in_new(PyObject *module, PyObject *code)
{
    const char *text = PyUnicode_AsUTF8(code);
    if (text == NULL) {
        return NULL;
    }
    PyThreadState *old = PyThreadState_Get();
    PyThreadState *ts = Py_NewInterpreter();
    if (ts == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "no interpreter");
        return NULL;
    }
    int64_t id = PyInterpreterState_GetID(PyThreadState_GetInterpreter(ts));
    int failed = ts != PyThreadState_Get() || PyRun_SimpleString(text) < 0;
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    failed |= dict == NULL || PyDict_GET_SIZE(dict) != 0;
    Py_EndInterpreter(ts);
    failed |= _PyThreadState_UncheckedGet() != NULL;
    PyThreadState_Swap(old);
    if (failed) {
        PyErr_SetString(PyExc_RuntimeError, "it failed");
        return NULL;
    }
    return PyLong_FromLongLong(id);
}

/* --- pending calls ------------------------------------------------------- */

static int
note(void *arg)
{
    (*(int *)arg)++;
    return 0;
}

/* pending(n) -> (how many were taken, how many were made) */
static PyObject *
pending(PyObject *module, PyObject *number)
{
    int made = 0, taken = 0;
    long n = PyLong_AsLong(number);
    for (long i = 0; i < n; i++) {
        taken += Py_AddPendingCall(note, &made) == 0;
    }
    if (Py_MakePendingCalls() < 0) {
        return NULL;
    }
    return Py_BuildValue("(ii)", taken, made);
}

/* --- configuration ------------------------------------------------------- */

PyAPI_FUNC(PyObject *) _PyConfig_AsDict(const PyConfig *config);
PyAPI_FUNC(int) _PyConfig_FromDict(PyConfig *config, PyObject *dict);
PyAPI_FUNC(PyObject *) _Py_GetConfigsAsDict(void);
PyAPI_FUNC(int) _PyInterpreterState_GetConfigCopy(PyConfig *config);

static PyObject *
configs(PyObject *module, PyObject *ignored)
{
    return _Py_GetConfigsAsDict();
}

/* through_dict(dict) -> the same after a round trip */
static PyObject *
through_dict(PyObject *module, PyObject *dict)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    PyObject *res = _PyConfig_FromDict(&config, dict) < 0
        ? NULL
        : _PyConfig_AsDict(&config);
    PyConfig_Clear(&config);
    return res;
}

/* --- helpers ------------------------------------------------------------- */

typedef struct {
    PyObject *large, *small;
} Accumulator;

PyAPI_FUNC(int) _PyAccu_Init(Accumulator *acc);
PyAPI_FUNC(int) _PyAccu_Accumulate(Accumulator *acc, PyObject *text);
PyAPI_FUNC(PyObject *) _PyAccu_Finish(Accumulator *acc);
PyAPI_FUNC(void) _PyAccu_Destroy(Accumulator *acc);

/* repeat(text, n) -> text * n */
static PyObject *
repeat(PyObject *module, PyObject *args)
{
    PyObject *text;
    Py_ssize_t n;
    Accumulator acc;
    if (!PyArg_ParseTuple(args, "Un", &text, &n) || _PyAccu_Init(&acc) < 0) {
        return NULL;
    }
    while (n-- > 0) {
        if (_PyAccu_Accumulate(&acc, text) < 0) {
            _PyAccu_Destroy(&acc);
            return NULL;
        }
    }
    return _PyAccu_Finish(&acc);
}

PyAPI_FUNC(int) _Py_str_to_int(const char *text, int *result);
PyAPI_FUNC(Py_ssize_t) _Py_UTF8_Edit_Cost(PyObject *, PyObject *, Py_ssize_t);

static PyObject *
to_int(PyObject *module, PyObject *text)
{
    int value;
    if (_Py_str_to_int(PyUnicode_AsUTF8(text), &value) < 0) {
        Py_RETURN_NONE;
    }
    return PyLong_FromLong(value);
}

static PyObject *
edit_cost(PyObject *module, PyObject *args)
{
    PyObject *a, *b;
    Py_ssize_t max = -1;
    return PyArg_ParseTuple(args, "UU|n", &a, &b, &max)
        ? PyLong_FromSsize_t(_Py_UTF8_Edit_Cost(a, b, max))
        : NULL;
}

PyMODINIT_FUNC PyInit_zlib(void);

/* The definition of a module that is not in the executable. */
static PyObject *
init_zlib(PyObject *module, PyObject *ignored)
{
    PyObject *def = PyInit_zlib();
    if (def == NULL) {
        return NULL;
    }
    return PyUnicode_FromString(((PyModuleDef *)def)->m_name);
}

static PyMethodDef methods[] = {
    {"run_in_new", run_in_new, METH_O},
    {"pending", pending, METH_O},
    {"configs", configs, METH_NOARGS},
    {"through_dict", through_dict, METH_O},
    {"repeat", repeat, METH_VARARGS},
    {"to_int", to_int, METH_O},
    {"edit_cost", edit_cost, METH_VARARGS},
    {"init_zlib", init_zlib, METH_NOARGS},
    {NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "runtime",
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit_runtime(void)
{
    return PyModuleDef_Init(&definition);
}
