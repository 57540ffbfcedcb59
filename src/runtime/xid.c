/* Data that goes from one interpreter to another: plain values, copied. */
#include <Python.h>
#include <pthread.h>
#include <string.h>

#include "runtime/tstate.h"
#include "runtime/xid.h"

struct entry {
    PyTypeObject *type;
    crossinterpdatafunc get;
    struct entry *next;
};

static struct kr_xid_state {
    pthread_mutex_t mutex;
    struct entry *types;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void
fill(_PyCrossInterpreterData *data, void *value, PyObject *obj,
     PyObject *(*new_object)(_PyCrossInterpreterData *),
     void (*free_value)(void *))
{
    data->data = value;
    data->obj = Py_XNewRef(obj);
    data->new_object = new_object;
    data->free = free_value;
}

/* --- the types that are known from the start ------------------------------ */

static PyObject *
new_none(_PyCrossInterpreterData *data)
{
    return Py_NewRef(Py_None);
}

static int
share_none(PyObject *obj, _PyCrossInterpreterData *data)
{
    fill(data, NULL, NULL, new_none, NULL);
    return 0;
}

static PyObject *
new_int(_PyCrossInterpreterData *data)
{
    return PyLong_FromSsize_t((Py_ssize_t)(intptr_t)data->data);
}

static int
share_int(PyObject *obj, _PyCrossInterpreterData *data)
{
    Py_ssize_t value = PyLong_AsSsize_t(obj);
    if (value == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_SetString(PyExc_OverflowError,
                            "try sending as bytes");
        }
        return -1;
    }
    fill(data, (void *)(intptr_t)value, NULL, new_int, NULL);
    return 0;
}

struct shared_bytes {
    const char *bytes;
    Py_ssize_t len;
};

static PyObject *
new_bytes(_PyCrossInterpreterData *data)
{
    struct shared_bytes *s = data->data;
    return PyBytes_FromStringAndSize(s->bytes, s->len);
}

static int
share_bytes(PyObject *obj, _PyCrossInterpreterData *data)
{
    struct shared_bytes *s = PyMem_RawMalloc(sizeof(*s));
    if (s == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    s->bytes = PyBytes_AS_STRING(obj); /* `obj` is kept alive */
    s->len = PyBytes_GET_SIZE(obj);
    fill(data, s, obj, new_bytes, PyMem_RawFree);
    return 0;
}

struct shared_str {
    int kind;
    const void *buffer;
    Py_ssize_t len;
};

static PyObject *
new_str(_PyCrossInterpreterData *data)
{
    struct shared_str *s = data->data;
    return PyUnicode_FromKindAndData(s->kind, s->buffer, s->len);
}

static int
share_str(PyObject *obj, _PyCrossInterpreterData *data)
{
    struct shared_str *s = PyMem_RawMalloc(sizeof(*s));
    if (s == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    s->kind = (int)PyUnicode_KIND(obj);
    s->buffer = PyUnicode_DATA(obj);
    s->len = PyUnicode_GET_LENGTH(obj);
    fill(data, s, obj, new_str, PyMem_RawFree);
    return 0;
}

/* --- the registry -------------------------------------------------------- */

int
kr_xid_register(PyTypeObject *type, crossinterpdatafunc get)
{
    struct entry *e = PyMem_RawMalloc(sizeof(*e));
    if (e == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    pthread_mutex_lock(&state.mutex);
    *e = (struct entry){type, get, state.types};
    state.types = e;
    pthread_mutex_unlock(&state.mutex);
    return 0;
}

int
_PyCrossInterpreterData_RegisterClass(PyTypeObject *type,
                                      crossinterpdatafunc get)
{
    if (!PyType_Check(type)) {
        PyErr_Format(PyExc_ValueError, "only classes may be registered");
        return -1;
    }
    if (get == NULL) {
        PyErr_Format(PyExc_ValueError, "missing 'getdata' func");
        return -1;
    }
    if (kr_xid_register(type, get) < 0) {
        return -1;
    }
    Py_INCREF(type);
    return 0;
}

void
kr_xid_forget(PyTypeObject *type)
{
    struct entry *found = NULL;
    pthread_mutex_lock(&state.mutex);
    for (struct entry **p = &state.types; *p != NULL; p = &(*p)->next) {
        if ((*p)->type == type) {
            found = *p;
            *p = found->next;
            break;
        }
    }
    pthread_mutex_unlock(&state.mutex);
    PyMem_RawFree(found);
}

/* How values of a built-in type go, or NULL. */
static crossinterpdatafunc
find_known(PyTypeObject *type)
{
    return type == Py_TYPE(Py_None)   ? share_none
           : type == &PyLong_Type    ? share_int
           : type == &PyBytes_Type   ? share_bytes
           : type == &PyUnicode_Type ? share_str
                                     : NULL;
}

crossinterpdatafunc
_PyCrossInterpreterData_Lookup(PyObject *obj)
{
    crossinterpdatafunc get = NULL;
    pthread_mutex_lock(&state.mutex);
    for (struct entry *e = state.types; e != NULL; e = e->next) {
        if (e->type == Py_TYPE(obj)) {
            get = e->get;
            break;
        }
    }
    pthread_mutex_unlock(&state.mutex);
    return get != NULL ? get : find_known(Py_TYPE(obj));
}

int
_PyObject_CheckCrossInterpreterData(PyObject *obj)
{
    if (_PyCrossInterpreterData_Lookup(obj) == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError,
                         "%S does not support cross-interpreter data", obj);
        }
        return -1;
    }
    return 0;
}

int
_PyObject_GetCrossInterpreterData(PyObject *obj, _PyCrossInterpreterData *data)
{
    PyInterpreterState *interp = PyInterpreterState_Get();
    memset(data, 0, sizeof(*data));
    crossinterpdatafunc get = _PyCrossInterpreterData_Lookup(obj);
    if (get == NULL) {
        return _PyObject_CheckCrossInterpreterData(obj);
    }
    Py_INCREF(obj);
    int res = get(obj, data);
    Py_DECREF(obj);
    if (res != 0) {
        return -1;
    }
    data->interp = interp->id;
    if (data->new_object == NULL) {
        _PyCrossInterpreterData_Release(data);
        PyErr_SetString(PyExc_SystemError, "missing new_object func");
        return -1;
    }
    return 0;
}

PyObject *
_PyCrossInterpreterData_NewObject(_PyCrossInterpreterData *data)
{
    return data->new_object(data);
}

void
_PyCrossInterpreterData_Release(_PyCrossInterpreterData *data)
{
    if (data->data == NULL && data->obj == NULL) {
        return;
    }
    if (data->data != NULL && data->free != NULL) {
        data->free(data->data);
    }
    data->data = NULL;
    Py_CLEAR(data->obj);
}
