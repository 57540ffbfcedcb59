/* builtins.__build_class__: runs a class body in the namespace that the
 * metaclass prepares, then calls the metaclass. */
#include "runtime/builtins/builtins.h"

#include <string.h>

#include "objects/ids.h"

/* Replaces bases that are not classes by what their __mro_entries__ gives
 * (PEP 560). New tuple, or `bases` itself with a new reference. */
static PyObject *
update_bases(PyObject *bases, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *new_bases = NULL; /* list, once something was replaced */
    for (Py_ssize_t i = 0; i < nargs; i++) {
        PyObject *base = args[i], *meth = NULL, *entries;
        if (!PyType_Check(base) &&
            _PyObject_LookupAttr(base, KR_ID(__mro_entries__), &meth) < 0) {
            goto error;
        }
        if (meth == NULL) {
            if (new_bases != NULL && PyList_Append(new_bases, base) < 0) {
                goto error;
            }
            continue;
        }
        entries = PyObject_CallOneArg(meth, bases);
        Py_DECREF(meth);
        if (entries == NULL) {
            goto error;
        }
        if (!PyTuple_Check(entries)) {
            PyErr_SetString(PyExc_TypeError,
                            "__mro_entries__ must return a tuple");
            Py_DECREF(entries);
            goto error;
        }
        if (new_bases == NULL) {
            new_bases = PyList_New(i);
            for (Py_ssize_t j = 0; new_bases != NULL && j < i; j++) {
                PyList_SET_ITEM(new_bases, j, Py_NewRef(args[j]));
            }
        }
        int res = new_bases == NULL
                      ? -1
                      : PyList_SetSlice(new_bases, PyList_GET_SIZE(new_bases),
                                        PyList_GET_SIZE(new_bases), entries);
        Py_DECREF(entries);
        if (res < 0) {
            goto error;
        }
    }
    if (new_bases == NULL) {
        return Py_NewRef(bases);
    }
    PyObject *result = PyList_AsTuple(new_bases);
    Py_DECREF(new_bases);
    return result;

error:
    Py_XDECREF(new_bases);
    return NULL;
}

struct class_call {
    PyObject *func, *name, *orig_bases, *bases, *keywords, *meta;
    int is_class; /* meta is a type */
};

/* Takes `metaclass` out of the keywords, or derives it from the bases. */
static int
find_metaclass(struct class_call *c)
{
    if (c->keywords != NULL) {
        c->meta = _PyDict_GetItemWithError(c->keywords, KR_ID(metaclass));
        if (c->meta != NULL) {
            Py_INCREF(c->meta);
            if (PyDict_DelItem(c->keywords, KR_ID(metaclass)) < 0) {
                return -1;
            }
            c->is_class = PyType_Check(c->meta);
        }
        else if (PyErr_Occurred()) {
            return -1;
        }
    }
    if (c->meta == NULL) {
        if (PyTuple_GET_SIZE(c->bases) == 0) {
            c->meta = Py_NewRef((PyObject *)&PyType_Type);
        }
        else {
            c->meta = Py_NewRef(Py_TYPE(PyTuple_GET_ITEM(c->bases, 0)));
        }
        c->is_class = 1;
    }
    if (c->is_class) {
        PyTypeObject *winner =
            _PyType_CalculateMetaclass((PyTypeObject *)c->meta, c->bases);
        if (winner == NULL) {
            return -1;
        }
        Py_SETREF(c->meta, Py_NewRef(winner));
    }
    return 0;
}

/* New namespace from meta.__prepare__, a dict without it. */
static PyObject *
prepare_namespace(struct class_call *c)
{
    PyObject *prepare;
    if (_PyObject_LookupAttr(c->meta, KR_ID(__prepare__), &prepare) < 0) {
        return NULL;
    }
    if (prepare == NULL) {
        return PyDict_New();
    }
    PyObject *args[2] = {c->name, c->bases};
    PyObject *ns = PyObject_VectorcallDict(prepare, args, 2, c->keywords);
    Py_DECREF(prepare);
    if (ns != NULL && !PyMapping_Check(ns)) {
        PyErr_Format(PyExc_TypeError,
                     "%.200s.__prepare__() must return a mapping, not %.200s",
                     c->is_class ? ((PyTypeObject *)c->meta)->tp_name
                                 : "<metaclass>",
                     Py_TYPE(ns)->tp_name);
        Py_CLEAR(ns);
    }
    return ns;
}

/* The cell __class__ that methods use must hold the class by now. */
static int
check_class_cell(PyObject *cell, PyObject *cls, PyObject *name)
{
    PyObject *value = PyCell_GET(cell);
    if (value == cls) {
        return 0;
    }
    if (value == NULL) {
        PyErr_Format(PyExc_RuntimeError,
                     "__class__ not set defining %.200R as %.200R. Was "
                     "__classcell__ propagated to type.__new__?",
                     name, cls);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "__class__ set to %.200R defining %.200R as %.200R",
                     value, name, cls);
    }
    return -1;
}

static PyObject *
create_class(struct class_call *c)
{
    PyObject *ns = prepare_namespace(c);
    if (ns == NULL) {
        return NULL;
    }
    PyObject *cls = NULL;
    PyFunctionObject *f = (PyFunctionObject *)c->func;
    PyObject *cell = PyEval_EvalCodeEx(f->func_code, f->func_globals, ns, NULL,
                                       0, NULL, 0, NULL, 0, NULL,
                                       f->func_closure);
    if (cell == NULL) {
        goto done;
    }
    if (c->bases != c->orig_bases &&
        PyObject_SetItem(ns, KR_ID(__orig_bases__), c->orig_bases) < 0) {
        goto done;
    }
    PyObject *args[3] = {c->name, c->bases, ns};
    cls = PyObject_VectorcallDict(c->meta, args, 3, c->keywords);
    if (cls != NULL && PyType_Check(cls) && PyCell_Check(cell) &&
        check_class_cell(cell, cls, c->name) < 0) {
        Py_CLEAR(cls);
    }
done:
    Py_XDECREF(cell);
    Py_DECREF(ns);
    return cls;
}

static PyObject *
keywords_dict(PyObject *const *values, PyObject *kwnames)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != NULL && i < PyTuple_GET_SIZE(kwnames);
         i++) {
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(kwnames, i), values[i]) <
            0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

PyObject *
kr_builtin_build_class(PyObject *Py_UNUSED(self), PyObject *const *args,
                       Py_ssize_t nargs, PyObject *kwnames)
{
    if (nargs < 2) {
        PyErr_SetString(PyExc_TypeError,
                        "__build_class__: not enough arguments");
        return NULL;
    }
    if (!PyFunction_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError,
                        "__build_class__: func must be a function");
        return NULL;
    }
    if (!PyUnicode_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError,
                        "__build_class__: name is not a string");
        return NULL;
    }
    struct class_call c = {.func = args[0], .name = args[1]};
    PyObject *cls = NULL;
    c.orig_bases = PyTuple_New(nargs - 2);
    if (c.orig_bases == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 2; i < nargs; i++) {
        PyTuple_SET_ITEM(c.orig_bases, i - 2, Py_NewRef(args[i]));
    }
    c.bases = update_bases(c.orig_bases, args + 2, nargs - 2);
    if (c.bases == NULL) {
        goto done;
    }
    if (kwnames != NULL) {
        c.keywords = keywords_dict(args + nargs, kwnames);
        if (c.keywords == NULL) {
            goto done;
        }
    }
    if (find_metaclass(&c) == 0) {
        cls = create_class(&c);
    }
done:
    Py_XDECREF(c.orig_bases);
    Py_XDECREF(c.bases);
    Py_XDECREF(c.keywords);
    Py_XDECREF(c.meta);
    return cls;
}
