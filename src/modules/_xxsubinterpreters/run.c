/* Running code in another interpreter. Everything that crosses over is plain
 * C data: the values of the names, and the text of the exception. */
#include <string.h>

#include "modules/_xxsubinterpreters/module.h"
#include "objects/dict.h"

int
kr_subinterp_is_running(PyInterpreterState *interp)
{
    PyThreadState *ts = PyInterpreterState_ThreadHead(interp);
    if (ts == NULL) {
        return 0;
    }
    if (PyThreadState_Next(ts) != NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "interpreter has more than one thread");
        return -1;
    }
    return ts->cframe->current_frame != NULL;
}

int
kr_subinterp_ensure_idle(PyInterpreterState *interp)
{
    int running = kr_subinterp_is_running(interp);
    if (running > 0) {
        PyErr_SetString(PyExc_RuntimeError, "interpreter already running");
    }
    return running == 0 ? 0 : -1;
}

/* --- names --------------------------------------------------------------- */

struct shared_name {
    char *name;
    _PyCrossInterpreterData data;
};

struct shared_names {
    Py_ssize_t len;
    struct shared_name items[];
};

static void
free_names(struct shared_names *names)
{
    if (names == NULL) {
        return;
    }
    for (Py_ssize_t i = 0; i < names->len; i++) {
        PyMem_RawFree(names->items[i].name);
        _PyCrossInterpreterData_Release(&names->items[i].data);
    }
    PyMem_RawFree(names);
}

static char *
copy_text(PyObject *str)
{
    const char *text = PyUnicode_AsUTF8(str);
    if (text == NULL) {
        return NULL;
    }
    char *copy = PyMem_RawMalloc(strlen(text) + 1);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    return strcpy(copy, text);
}

/* *result is NULL when there is nothing to share. 0 or -1. */
static int
collect_names(PyObject *shared, struct shared_names **result)
{
    *result = NULL;
    if (shared == NULL || shared == Py_None) {
        return 0;
    }
    Py_ssize_t len = PyDict_Size(shared);
    if (len == 0) {
        return 0;
    }
    if (len < 0) {
        PyErr_NoMemory(); /* what CPython says when it is no dict */
        return -1;
    }
    struct shared_names *names = PyMem_RawCalloc(
        1, sizeof(*names) + (size_t)len * sizeof(*names->items));
    if (names == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (names->len < len && PyDict_Next(shared, &pos, &key, &value)) {
        struct shared_name *item = &names->items[names->len++];
        item->name = copy_text(key);
        if (item->name == NULL
            || _PyObject_GetCrossInterpreterData(value, &item->data) != 0) {
            free_names(names);
            return -1;
        }
    }
    *result = names;
    return 0;
}

static int
apply_names(struct shared_names *names, PyObject *dict)
{
    for (Py_ssize_t i = 0; names != NULL && i < names->len; i++) {
        PyObject *value
            = _PyCrossInterpreterData_NewObject(&names->items[i].data);
        if (kr_dict_put(dict, names->items[i].name, value) < 0) {
            return -1;
        }
    }
    return 0;
}

/* --- exceptions ---------------------------------------------------------- */

struct failure {
    char *type, *message; /* raw memory; NULL: has none */
};

static char *
text_of(PyObject *obj)
{
    PyObject *str = obj == NULL ? NULL : PyObject_Str(obj);
    char *text = str == NULL ? NULL : copy_text(str);
    Py_XDECREF(str);
    PyErr_Clear();
    return text;
}

/* Takes the exception that is set apart and clears it. */
static void
take_failure(struct failure *failure)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    failure->type = text_of(type);
    failure->message = text_of(value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(tb);
}

static void
raise_failure(PyObject *type, struct failure *failure)
{
    if (failure->type != NULL && failure->message != NULL) {
        PyErr_Format(type, "%s: %s", failure->type, failure->message);
    }
    else if (failure->type != NULL || failure->message != NULL) {
        PyErr_SetString(type, failure->type ? failure->type
                                            : failure->message);
    }
    else {
        PyErr_SetNone(type);
    }
    PyMem_RawFree(failure->type);
    PyMem_RawFree(failure->message);
}

/* --- running ------------------------------------------------------------- */

/* In the interpreter that shall run the code. */
static int
run_here(PyInterpreterState *interp, const char *code,
         struct shared_names *names, struct failure *failure)
{
    PyObject *result = NULL;
    PyObject *main = _PyInterpreterState_GetMainModule(interp);
    if (main != NULL) {
        PyObject *dict = Py_NewRef(PyModule_GetDict(main));
        Py_DECREF(main);
        if (apply_names(names, dict) == 0) {
            result = PyRun_StringFlags(code, Py_file_input, dict, dict, NULL);
        }
        Py_DECREF(dict);
    }
    if (result == NULL) {
        take_failure(failure);
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

int
kr_subinterp_run(struct kr_subinterp_module *st, PyInterpreterState *interp,
                 const char *code, PyObject *shared)
{
    struct shared_names *names;
    struct failure failure = {0};
    if (kr_subinterp_ensure_idle(interp) < 0
        || collect_names(shared, &names) < 0) {
        return -1;
    }
    PyThreadState *old = NULL, *made = NULL;
    if (interp != PyInterpreterState_Get()) {
        PyThreadState *ts = PyInterpreterState_ThreadHead(interp);
        if (ts == NULL && (ts = made = PyThreadState_New(interp)) == NULL) {
            free_names(names);
            PyErr_NoMemory();
            return -1;
        }
        old = PyThreadState_Swap(ts);
    }
    int res = run_here(interp, code, names, &failure);
    if (old != NULL) {
        if (made != NULL) {
            PyThreadState_Clear(made);
        }
        PyThreadState_Swap(old);
        if (made != NULL) {
            PyThreadState_Delete(made);
        }
    }
    free_names(names);
    if (res < 0) {
        raise_failure(st->run_failed, &failure);
    }
    return res;
}
