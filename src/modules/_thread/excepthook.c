/* _thread._excepthook: how an exception that ends a thread is shown. */
#include "modules/_thread/thread.h"

#include "objects/ids.h"
#include "runtime/run.h"

static int
write_name(PyObject *file, PyObject *thread)
{
    PyObject *name = NULL;
    if (thread != Py_None
        && _PyObject_LookupAttr(thread, KR_ID(name), &name) < 0) {
        return -1;
    }
    if (name == NULL) {
        PyObject *id = PyUnicode_FromFormat("%lu",
                                            PyThread_get_thread_ident());
        int res = id == NULL ? -1 : PyFile_WriteObject(id, file, Py_PRINT_RAW);
        Py_XDECREF(id);
        return res;
    }
    int res = PyFile_WriteObject(name, file, Py_PRINT_RAW);
    Py_DECREF(name);
    return res;
}

static int
show(PyObject *file, PyObject *args)
{
    PyObject *thread = PyStructSequence_GET_ITEM(args, 3);
    if (PyFile_WriteString("Exception in thread ", file) < 0
        || write_name(file, thread) < 0
        || PyFile_WriteString(":\n", file) < 0) {
        return -1;
    }
    _PyErr_Display(file, PyStructSequence_GET_ITEM(args, 0),
                   PyStructSequence_GET_ITEM(args, 1),
                   PyStructSequence_GET_ITEM(args, 2));
    PyObject *res = PyObject_CallMethodNoArgs(file, KR_ID(flush));
    if (res == NULL) {
        return -1;
    }
    Py_DECREF(res);
    return 0;
}

PyObject *
kr_thread_excepthook(PyObject *module, PyObject *args)
{
    if (!Py_IS_TYPE(args, thread_state(module)->hook_args_type)) {
        PyErr_SetString(PyExc_TypeError, "_thread.excepthook argument type "
                                         "must be ExceptHookArgs");
        return NULL;
    }
    if (PyStructSequence_GET_ITEM(args, 0) == PyExc_SystemExit) {
        Py_RETURN_NONE;
    }
    PyObject *file = PySys_GetObject("stderr");
    PyObject *thread = PyStructSequence_GET_ITEM(args, 3);
    if (file == NULL || file == Py_None) {
        /* the thread remembers the stderr of its creation */
        if (thread == Py_None) {
            Py_RETURN_NONE;
        }
        file = PyObject_GetAttr(thread, KR_ID(_stderr));
        if (file == NULL) {
            return NULL;
        }
        if (file == Py_None) {
            return file;
        }
    }
    else {
        Py_INCREF(file);
    }
    int res = show(file, args);
    Py_DECREF(file);
    if (res < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}
