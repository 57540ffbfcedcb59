/* The _xxsubinterpreters module: interpreters within the process, and channels
 * between them. */
#include "modules/_xxsubinterpreters/module.h"

#include <string.h>

#include "objects/interp_id.h"
#include "runtime/xid.h"

static PyObject *
interp_create(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"isolated", NULL};
    int isolated = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$i:create", keywords,
                                     &isolated)) {
        return NULL;
    }
    PyThreadState *old = PyThreadState_Get();
    PyThreadState *ts = _Py_NewInterpreter(isolated);
    PyThreadState_Swap(old);
    if (ts == NULL) {
        /* what went wrong was shown over there */
        PyErr_SetString(PyExc_RuntimeError, "interpreter creation failed");
        return NULL;
    }
    PyInterpreterState *interp = PyThreadState_GetInterpreter(ts);
    PyObject *id = _PyInterpreterState_GetIDObject(interp);
    if (id == NULL) {
        PyThreadState_Swap(ts);
        Py_EndInterpreter(ts);
        PyThreadState_Swap(old);
        return NULL;
    }
    _PyInterpreterState_RequireIDRef(interp, 1);
    return id;
}

/* The only argument `id`, looked up. */
static PyInterpreterState *
take_interp(PyObject *args, PyObject *kwargs, const char *format)
{
    static char *keywords[] = {"id", NULL};
    PyObject *id;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, keywords, &id)) {
        return NULL;
    }
    return _PyInterpreterID_LookUp(id);
}

static PyObject *
interp_destroy(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyInterpreterState *interp = take_interp(args, kwargs, "O:destroy");
    if (interp == NULL) {
        return NULL;
    }
    if (interp == PyInterpreterState_Get()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot destroy the current interpreter");
        return NULL;
    }
    if (kr_subinterp_ensure_idle(interp) < 0) {
        return NULL;
    }
    PyThreadState *ts = PyInterpreterState_ThreadHead(interp);
    if (ts == NULL && (ts = PyThreadState_New(interp)) == NULL) {
        return PyErr_NoMemory();
    }
    PyThreadState *old = PyThreadState_Swap(ts);
    Py_EndInterpreter(ts);
    PyThreadState_Swap(old);
    Py_RETURN_NONE;
}

static PyObject *
interp_list_all(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyObject *list = PyList_New(0);
    PyInterpreterState *interp = PyInterpreterState_Head();
    for (; interp != NULL && list != NULL;
         interp = PyInterpreterState_Next(interp)) {
        PyObject *id = _PyInterpreterState_GetIDObject(interp);
        if (id == NULL || PyList_Insert(list, 0, id) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(id);
    }
    return list;
}

static PyObject *
interp_get_current(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return _PyInterpreterState_GetIDObject(PyInterpreterState_Get());
}

static PyObject *
interp_get_main(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return _PyInterpreterID_New(
        PyInterpreterState_GetID(PyInterpreterState_Main()));
}

static PyObject *
interp_run_string(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"id", "script", "shared", NULL};
    PyObject *id, *script, *shared = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OU|O:run_string",
                                     keywords, &id, &script, &shared)) {
        return NULL;
    }
    PyInterpreterState *interp = _PyInterpreterID_LookUp(id);
    if (interp == NULL) {
        return NULL;
    }
    Py_ssize_t len;
    const char *code = PyUnicode_AsUTF8AndSize(script, &len);
    if (code == NULL) {
        return NULL;
    }
    if (strlen(code) != (size_t)len) {
        PyErr_SetString(PyExc_ValueError,
                        "source code string cannot contain null bytes");
        return NULL;
    }
    if (kr_subinterp_run(kr_subinterp_state(module), interp, code, shared)
        < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
interp_is_running(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyInterpreterState *interp = take_interp(args, kwargs, "O:is_running");
    int running = interp == NULL ? -1 : kr_subinterp_is_running(interp);
    return running < 0 ? NULL : PyBool_FromLong(running);
}

static PyObject *
is_shareable(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"obj", NULL};
    PyObject *obj;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:is_shareable", keywords,
                                     &obj)) {
        return NULL;
    }
    if (_PyObject_CheckCrossInterpreterData(obj) == 0) {
        Py_RETURN_TRUE;
    }
    PyErr_Clear();
    Py_RETURN_FALSE;
}

#define WITH_KEYWORDS(f) (PyCFunction)(void *)f, METH_VARARGS | METH_KEYWORDS

static PyMethodDef methods[] = {
    {"create", WITH_KEYWORDS(interp_create),
     "create() -> ID\n\nMake an interpreter."},
    {"destroy", WITH_KEYWORDS(interp_destroy),
     "destroy(id)\n\nEnd an interpreter, which must not be the current one."},
    {"list_all", interp_list_all, METH_NOARGS,
     "list_all() -> [ID]\n\nThe ids of all interpreters."},
    {"get_current", interp_get_current, METH_NOARGS,
     "get_current() -> ID\n\nThe id of the current interpreter."},
    {"get_main", interp_get_main, METH_NOARGS,
     "get_main() -> ID\n\nThe id of the first interpreter."},
    {"run_string", WITH_KEYWORDS(interp_run_string),
     "run_string(id, script, shared)\n\n"
     "Run source text in module __main__ of an interpreter."},
    {"is_running", WITH_KEYWORDS(interp_is_running),
     "is_running(id) -> bool\n\nWhether the interpreter runs code."},
    {"is_shareable", WITH_KEYWORDS(is_shareable),
     "is_shareable(obj) -> bool\n\n"
     "Whether the data of an object can go to another interpreter."},
    {NULL},
};

/* --- the module ---------------------------------------------------------- */

static int
add_error(PyObject *module, PyObject **where, const char *name, PyObject *base)
{
    *where = PyErr_NewException(name, base, NULL);
    return *where == NULL ? -1
                          : PyModule_AddType(module, (PyTypeObject *)*where);
}

static int
exec(PyObject *module)
{
    struct kr_subinterp_module *st = kr_subinterp_state(module);
    return add_error(module, &st->run_failed,
                     "_xxsubinterpreters.RunFailedError", PyExc_RuntimeError)
                       < 0
                   || add_error(module, &st->channel_error,
                                "_xxsubinterpreters.ChannelError",
                                PyExc_RuntimeError)
                          < 0
                   || add_error(module, &st->not_found,
                                "_xxsubinterpreters.ChannelNotFoundError",
                                st->channel_error)
                          < 0
                   || add_error(module, &st->closed,
                                "_xxsubinterpreters.ChannelClosedError",
                                st->channel_error)
                          < 0
                   || add_error(module, &st->empty,
                                "_xxsubinterpreters.ChannelEmptyError",
                                st->channel_error)
                          < 0
                   || add_error(module, &st->not_empty,
                                "_xxsubinterpreters.ChannelNotEmptyError",
                                st->channel_error)
                          < 0
                   || PyModule_AddFunctions(module, kr_channel_methods) < 0
                   || kr_channel_id_init(module) < 0
                   || PyModule_AddType(module, &_PyInterpreterID_Type) < 0
               ? -1
               : 0;
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    struct kr_subinterp_module *st = kr_subinterp_state(module);
    Py_VISIT(st->run_failed);
    Py_VISIT(st->channel_error);
    Py_VISIT(st->not_found);
    Py_VISIT(st->closed);
    Py_VISIT(st->empty);
    Py_VISIT(st->not_empty);
    Py_VISIT(st->channel_id);
    return 0;
}

static int
clear(PyObject *module)
{
    struct kr_subinterp_module *st = kr_subinterp_state(module);
    Py_CLEAR(st->run_failed);
    Py_CLEAR(st->channel_error);
    Py_CLEAR(st->not_found);
    Py_CLEAR(st->closed);
    Py_CLEAR(st->empty);
    Py_CLEAR(st->not_empty);
    if (st->channel_id != NULL) {
        kr_xid_forget(st->channel_id);
    }
    Py_CLEAR(st->channel_id);
    return 0;
}

static void
free_module(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec},
    {0},
};

PyModuleDef kr_subinterp_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_xxsubinterpreters",
    .m_doc = "Interpreters within the process, and channels between them.",
    .m_size = sizeof(struct kr_subinterp_module),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_module,
};

PyMODINIT_FUNC
PyInit__xxsubinterpreters(void)
{
    return PyModuleDef_Init(&kr_subinterp_definition);
}
