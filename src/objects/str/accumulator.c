/* _PyAccu: collects many small strings that are joined at the end. */
#include <Python.h>

/* Small strings are joined now and then, so that they don't all live until
 * the end. */
#define MAX_SMALL 100000

typedef struct {
    PyObject *large; /* list of joined strings, or NULL */
    PyObject *small; /* list of strings since the last joining */
} _PyAccu;

PyAPI_FUNC(int) _PyAccu_Init(_PyAccu *acc);
PyAPI_FUNC(int) _PyAccu_Accumulate(_PyAccu *acc, PyObject *unicode);
PyAPI_FUNC(PyObject *) _PyAccu_FinishAsList(_PyAccu *acc);
PyAPI_FUNC(PyObject *) _PyAccu_Finish(_PyAccu *acc);
PyAPI_FUNC(void) _PyAccu_Destroy(_PyAccu *acc);

int
_PyAccu_Init(_PyAccu *acc)
{
    acc->large = NULL;
    acc->small = PyList_New(0);
    return acc->small == NULL ? -1 : 0;
}

static PyObject *
join(PyObject *list)
{
    PyObject *empty = PyUnicode_New(0, 0);
    PyObject *text = empty == NULL ? NULL : PyUnicode_Join(empty, list);
    Py_XDECREF(empty);
    return text;
}

static int
flush(_PyAccu *acc)
{
    Py_ssize_t n = PyList_GET_SIZE(acc->small);
    if (n == 0) {
        return 0;
    }
    if (acc->large == NULL && (acc->large = PyList_New(0)) == NULL) {
        return -1;
    }
    PyObject *text = join(acc->small);
    int res = text == NULL || PyList_SetSlice(acc->small, 0, n, NULL) < 0
                  ? -1
                  : PyList_Append(acc->large, text);
    Py_XDECREF(text);
    return res;
}

int
_PyAccu_Accumulate(_PyAccu *acc, PyObject *unicode)
{
    if (PyList_Append(acc->small, unicode) < 0) {
        return -1;
    }
    return PyList_GET_SIZE(acc->small) < MAX_SMALL ? 0 : flush(acc);
}

PyObject *
_PyAccu_FinishAsList(_PyAccu *acc)
{
    int res = flush(acc);
    Py_CLEAR(acc->small);
    if (res < 0) {
        Py_CLEAR(acc->large);
        return NULL;
    }
    PyObject *list = acc->large;
    acc->large = NULL;
    return list != NULL ? list : PyList_New(0);
}

PyObject *
_PyAccu_Finish(_PyAccu *acc)
{
    PyObject *list;
    if (acc->large == NULL) {
        list = acc->small;
        acc->small = NULL;
    }
    else {
        list = _PyAccu_FinishAsList(acc);
    }
    PyObject *text = list == NULL ? NULL : join(list);
    Py_XDECREF(list);
    return text;
}

void
_PyAccu_Destroy(_PyAccu *acc)
{
    Py_CLEAR(acc->small);
    Py_CLEAR(acc->large);
}
