/* The atexit module: functions to call before the interpreter ends. */
#include <Python.h>

#include "objects/interp.h"
#include "runtime/lifecycle.h"

struct callback {
    PyObject *func, *args, *kwargs;
};

struct kr_atexit {
    struct callback **items; /* in the order of registration; NULL: removed */
    int len, cap;
};

static struct kr_atexit *
state_of(PyInterpreterState *interp)
{
    if (interp->atexit == NULL) {
        interp->atexit = PyMem_Calloc(1, sizeof(struct kr_atexit));
        if (interp->atexit == NULL) {
            PyErr_NoMemory();
        }
    }
    return interp->atexit;
}

static void
drop(struct kr_atexit *st, int i)
{
    struct callback *cb = st->items[i];
    if (cb != NULL) {
        st->items[i] = NULL;
        Py_DECREF(cb->func);
        Py_DECREF(cb->args);
        Py_XDECREF(cb->kwargs);
        PyMem_Free(cb);
    }
}

static void
drop_all(struct kr_atexit *st)
{
    while (st->len > 0) {
        int last = st->len - 1;
        drop(st, last);
        if (st->len == last + 1) {
            st->len = last;
        }
    }
}

void
kr_atexit_call(PyInterpreterState *interp)
{
    struct kr_atexit *st = interp->atexit;
    if (st == NULL) {
        return;
    }
    /* a function may register further ones, which are called too */
    while (st->len > 0) {
        int i = --st->len;
        struct callback *cb = st->items[i];
        st->items[i] = NULL;
        if (cb == NULL) {
            continue;
        }
        PyObject *res = PyObject_Call(cb->func, cb->args, cb->kwargs);
        if (res == NULL) {
            _PyErr_WriteUnraisableMsg("in atexit callback", cb->func);
        }
        Py_XDECREF(res);
        Py_DECREF(cb->func);
        Py_DECREF(cb->args);
        Py_XDECREF(cb->kwargs);
        PyMem_Free(cb);
    }
}

void
kr_atexit_fini(PyInterpreterState *interp)
{
    struct kr_atexit *st = interp->atexit;
    if (st != NULL) {
        drop_all(st);
        PyMem_Free(st->items);
        PyMem_Free(st);
        interp->atexit = NULL;
    }
}

static int
append(struct kr_atexit *st, struct callback *cb)
{
    if (st->len == st->cap) {
        int cap = st->cap ? st->cap * 2 : 16;
        void *items = PyMem_Realloc(st->items,
                                    (size_t)cap * sizeof(*st->items));
        if (items == NULL) {
            return -1;
        }
        st->items = items;
        st->cap = cap;
    }
    st->items[st->len++] = cb;
    return 0;
}

static PyObject *
atexit_register(PyObject *module, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) == 0) {
        PyErr_SetString(PyExc_TypeError,
                        "register() takes at least 1 argument (0 given)");
        return NULL;
    }
    PyObject *func = PyTuple_GET_ITEM(args, 0);
    if (!PyCallable_Check(func)) {
        PyErr_SetString(PyExc_TypeError,
                        "the first argument must be callable");
        return NULL;
    }
    struct kr_atexit *st = state_of(kr_interp());
    struct callback *cb = st == NULL ? NULL : PyMem_Malloc(sizeof(*cb));
    if (cb == NULL) {
        return PyErr_NoMemory();
    }
    cb->args = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    if (cb->args == NULL) {
        PyMem_Free(cb);
        return NULL;
    }
    cb->func = Py_NewRef(func);
    cb->kwargs = Py_XNewRef(kwargs);
    if (append(st, cb) < 0) {
        Py_DECREF(cb->func);
        Py_DECREF(cb->args);
        Py_XDECREF(cb->kwargs);
        PyMem_Free(cb);
        return PyErr_NoMemory();
    }
    return Py_NewRef(func);
}

static PyObject *
atexit_unregister(PyObject *module, PyObject *func)
{
    struct kr_atexit *st = state_of(kr_interp());
    if (st == NULL) {
        return NULL;
    }
    for (int i = 0; i < st->len; i++) {
        struct callback *cb = st->items[i];
        if (cb == NULL) {
            continue;
        }
        PyObject *other = Py_NewRef(cb->func);
        int eq = PyObject_RichCompareBool(other, func, Py_EQ);
        Py_DECREF(other);
        if (eq < 0) {
            return NULL;
        }
        if (eq && i < st->len && st->items[i] == cb) {
            drop(st, i);
        }
    }
    Py_RETURN_NONE;
}

static PyObject *
atexit_clear(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    struct kr_atexit *st = state_of(kr_interp());
    if (st == NULL) {
        return NULL;
    }
    drop_all(st);
    Py_RETURN_NONE;
}

static PyObject *
run_exitfuncs(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    kr_atexit_call(kr_interp());
    Py_RETURN_NONE;
}

static PyObject *
ncallbacks(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    struct kr_atexit *st = state_of(kr_interp());
    return st == NULL ? NULL : PyLong_FromLong(st->len);
}

static PyMethodDef methods[] = {
    {"register", (PyCFunction)(void *)atexit_register,
     METH_VARARGS | METH_KEYWORDS,
     "register(func, *args, **kwargs) -> func\n\n"
     "Have func(*args, **kwargs) called when the interpreter ends."},
    {"_clear", atexit_clear, METH_NOARGS,
     "_clear() -> None\n\nForget all registered functions."},
    {"unregister", atexit_unregister, METH_O,
     "unregister(func) -> None\n\n"
     "Forget every registration of a function."},
    {"_run_exitfuncs", run_exitfuncs, METH_NOARGS,
     "_run_exitfuncs() -> None\n\nCall all registered functions now."},
    {"_ncallbacks", ncallbacks, METH_NOARGS,
     "_ncallbacks() -> int\n\nHow many functions are registered."},
    {NULL},
};

static PyModuleDef_Slot slots[] = {{0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "atexit",
    .m_doc = "Functions to call when the interpreter ends:\n\n"
             "register(func, *args, **kwargs)\nunregister(func)",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_atexit(void)
{
    return PyModuleDef_Init(&definition);
}
