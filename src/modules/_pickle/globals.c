/* Pickling by name (classes, functions) and by reduction. */
#include "modules/_pickle/pickle.h"

PyObject *
kr_pk_dotted_path(PyObject *obj, PyObject *name)
{
    PyObject *dot = PyUnicode_FromString(".");
    PyObject *path = dot ? PyUnicode_Split(name, dot, -1) : NULL;
    Py_XDECREF(dot);
    for (Py_ssize_t i = 0; path && i < PyList_GET_SIZE(path); i++) {
        if (_PyUnicode_EqualToASCIIString(PyList_GET_ITEM(path, i),
                                          "<locals>")) {
            if (obj == NULL) {
                PyErr_Format(PyExc_AttributeError,
                             "Can't pickle local object %R", name);
            }
            else {
                PyErr_Format(PyExc_AttributeError,
                             "Can't get local attribute %R on %R", name, obj);
            }
            Py_CLEAR(path);
        }
    }
    return path;
}

PyObject *
kr_pk_get_deep(PyObject *obj, PyObject *path, PyObject **parent)
{
    PyObject *above = NULL;
    Py_INCREF(obj);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
        PyObject *next;
        Py_XSETREF(above, obj);
        int rc =
            _PyObject_LookupAttr(above, PyList_GET_ITEM(path, i), &next);
        obj = next;
        if (rc <= 0) {
            Py_DECREF(above);
            return NULL;
        }
    }
    if (parent != NULL) {
        *parent = above;
    }
    else {
        Py_XDECREF(above);
    }
    return obj;
}

/* 1 if the module has the object by this path; -1 with an exception set. */
static int
has_object(PyObject *name, PyObject *module, PyObject *obj, PyObject *path)
{
    if (module == Py_None ||
        (PyUnicode_Check(name) &&
         _PyUnicode_EqualToASCIIString(name, "__main__"))) {
        return 0;
    }
    PyObject *found = kr_pk_get_deep(module, path, NULL);
    if (found == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    Py_DECREF(found);
    return found == obj;
}

/* The name of the module where an object is to be found. */
static PyObject *
which_module(PyObject *obj, PyObject *path)
{
    PyObject *name;
    if (_PyObject_LookupAttr(obj, KR_ID(__module__), &name) < 0) {
        return NULL;
    }
    if (name != NULL && name != Py_None) {
        return name;
    }
    Py_XDECREF(name);
    PyObject *modules = PySys_GetObject("modules");
    if (modules == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "unable to get sys.modules");
        return NULL;
    }
    /* a copy: looking for attributes may import */
    PyObject *items = PyMapping_Items(modules);
    if (items == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
            continue;
        }
        name = PyTuple_GET_ITEM(pair, 0);
        int rc = has_object(name, PyTuple_GET_ITEM(pair, 1), obj, path);
        if (rc != 0) {
            name = rc > 0 ? Py_NewRef(name) : NULL;
            Py_DECREF(items);
            return name;
        }
    }
    Py_DECREF(items);
    return PyUnicode_FromString("__main__");
}

/* What one pickled by name is known as; all owned. */
struct global {
    PyObject *name, *path, *module_name, *module, *parent;
};

static void
global_free(struct global *g)
{
    Py_XDECREF(g->name);
    Py_XDECREF(g->path);
    Py_XDECREF(g->module_name);
    Py_XDECREF(g->module);
    Py_XDECREF(g->parent);
}

/* Finds an object by its name and sees to it that it is that one. */
static int
resolve(PyObject *obj, PyObject *name, struct global *g)
{
    if (name != NULL) {
        g->name = Py_NewRef(name);
    }
    else if (_PyObject_LookupAttr(obj, KR_ID(__qualname__), &g->name) < 0) {
        return -1;
    }
    if (g->name == NULL) {
        g->name = PyObject_GetAttr(obj, KR_ID(__name__));
    }
    if (g->name == NULL) {
        return -1;
    }
    if (!PyUnicode_Check(g->name)) {
        PyErr_Format(PyExc_TypeError, "must be str, not %.200s",
                     Py_TYPE(g->name)->tp_name);
        return -1;
    }
    g->path = kr_pk_dotted_path(NULL, g->name);
    g->module_name = g->path ? which_module(obj, g->path) : NULL;
    if (g->module_name == NULL) {
        return -1;
    }
    g->module = PyImport_Import(g->module_name);
    if (g->module == NULL) {
        PyErr_Format(kr_pickle.pickling_error,
                     "Can't pickle %R: import of module %R failed", obj,
                     g->module_name);
        return -1;
    }
    PyObject *found = kr_pk_get_deep(g->module, g->path, &g->parent);
    if (found == NULL) {
        PyErr_Clear();
        PyErr_Format(kr_pickle.pickling_error,
                     "Can't pickle %R: attribute lookup %S on %S failed", obj,
                     g->name, g->module_name);
        return -1;
    }
    Py_DECREF(found);
    if (found != obj) {
        PyErr_Format(kr_pickle.pickling_error,
                     "Can't pickle %R: it's not the same object as %S.%S", obj,
                     g->module_name, g->name);
        return -1;
    }
    return 0;
}

/* 1 if the object has gone out as an extension code. */
static int
save_extension(pickler *self, PyObject *obj, struct global *g)
{
    PyObject *key = PyTuple_Pack(2, g->module_name, g->name);
    if (key == NULL) {
        return -1;
    }
    PyObject *code_obj =
        PyDict_GetItemWithError(kr_pickle.extension_registry, key);
    Py_DECREF(key);
    if (code_obj == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (!PyLong_CheckExact(code_obj)) {
        PyErr_Format(kr_pickle.pickling_error,
                     "Can't pickle %R: extension code %R isn't an integer",
                     obj, code_obj);
        return -1;
    }
    long code = PyLong_AsLong(code_obj);
    if (code <= 0 || code > 0x7fffffffL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(kr_pickle.pickling_error,
                         "Can't pickle %R: extension code %ld is out of range",
                         obj, code);
        }
        return -1;
    }
    int n = code <= 0xff ? 1 : code <= 0xffff ? 2 : 4;
    unsigned char buf[5] = {
        (unsigned char)(n == 1 ? EXT1 : n == 2 ? EXT2 : EXT4),
        (unsigned char)code, (unsigned char)(code >> 8),
        (unsigned char)(code >> 16), (unsigned char)(code >> 24)};
    return kr_pk_write(self, buf, n + 1) < 0 ? -1 : 1;
}

/* Python 2's name for it. */
static int
fix_names(struct global *g)
{
    PyObject *key = PyTuple_Pack(2, g->module_name, g->name);
    if (key == NULL) {
        return -1;
    }
    PyObject *item = PyDict_GetItemWithError(kr_pickle.name_3to2, key);
    Py_DECREF(key);
    if (item != NULL) {
        PyObject *module, *name;
        if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2 ||
            !PyUnicode_Check(module = PyTuple_GET_ITEM(item, 0)) ||
            !PyUnicode_Check(name = PyTuple_GET_ITEM(item, 1))) {
            PyErr_SetString(PyExc_RuntimeError,
                            "_compat_pickle.REVERSE_NAME_MAPPING values "
                            "should be pairs of str");
            return -1;
        }
        Py_SETREF(g->module_name, Py_NewRef(module));
        Py_SETREF(g->name, Py_NewRef(name));
        return 0;
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    item = PyDict_GetItemWithError(kr_pickle.import_3to2, g->module_name);
    if (item == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (!PyUnicode_Check(item)) {
        PyErr_Format(PyExc_RuntimeError,
                     "_compat_pickle.REVERSE_IMPORT_MAPPING values should be "
                     "strings, not %.200s",
                     Py_TYPE(item)->tp_name);
        return -1;
    }
    Py_SETREF(g->module_name, Py_NewRef(item));
    return 0;
}

static int
write_identifier(pickler *self, PyObject *name, const char *what)
{
    PyObject *bytes = self->proto == 3 ? PyUnicode_AsUTF8String(name)
                                       : PyUnicode_AsASCIIString(name);
    if (bytes == NULL) {
        if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
            PyErr_Format(kr_pickle.pickling_error,
                         "can't pickle %s identifier '%S' using pickle "
                         "protocol %i",
                         what, name, self->proto);
        }
        return -1;
    }
    int rc =
        kr_pk_write(self, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return rc < 0 ? -1 : kr_pk_write(self, "\n", 1);
}

static int
save_resolved(pickler *self, PyObject *obj, struct global *g)
{
    if (self->proto >= 2) {
        int rc = save_extension(self, obj, g);
        if (rc != 0) {
            return rc < 0 ? -1 : 0;
        }
    }
    if (g->parent == g->module) {
        /* a path that comes back to the module is as good as its end */
        Py_SETREF(g->name, Py_NewRef(PyList_GET_ITEM(
                               g->path, PyList_GET_SIZE(g->path) - 1)));
    }
    if (self->proto >= 4) {
        if (kr_pk_save(self, g->module_name, false) < 0 ||
            kr_pk_save(self, g->name, false) < 0 ||
            kr_pk_op(self, STACK_GLOBAL) < 0) {
            return -1;
        }
    }
    else if (g->parent != g->module) {
        PyObject *last =
            PyList_GET_ITEM(g->path, PyList_GET_SIZE(g->path) - 1);
        PyObject *value =
            Py_BuildValue("(O(OO))", kr_pickle.getattr, g->parent, last);
        int rc = value ? kr_pk_save_reduce(self, value, NULL) : -1;
        Py_XDECREF(value);
        if (rc < 0) {
            return -1;
        }
    }
    else if (kr_pk_op(self, GLOBAL) < 0 ||
             (self->proto < 3 && self->fix_imports && fix_names(g) < 0) ||
             write_identifier(self, g->module_name, "module") < 0 ||
             write_identifier(self, g->name, "global") < 0) {
        return -1;
    }
    return kr_pk_memo_put(self, obj);
}

int
kr_pk_save_global(pickler *self, PyObject *obj, PyObject *name)
{
    struct global g = {NULL};
    int rc = resolve(obj, name, &g);
    if (rc == 0) {
        rc = save_resolved(self, obj, &g);
    }
    global_free(&g);
    return rc;
}

int
kr_pk_save_type(pickler *self, PyObject *obj)
{
    PyObject *single = obj == (PyObject *)Py_TYPE(Py_None)       ? Py_None
                       : obj == (PyObject *)Py_TYPE(Py_Ellipsis) ? Py_Ellipsis
                       : obj == (PyObject *)Py_TYPE(Py_NotImplemented)
                           ? Py_NotImplemented
                           : NULL;
    if (single == NULL) {
        return kr_pk_save_global(self, obj, NULL);
    }
    /* types without a name anywhere */
    PyObject *value = Py_BuildValue("O(O)", &PyType_Type, single);
    int rc = value ? kr_pk_save_reduce(self, value, obj) : -1;
    Py_XDECREF(value);
    return rc;
}

/* ---- reduce values */

static int
fail(const char *format, const char *arg)
{
    PyErr_Format(kr_pickle.pickling_error, format, arg);
    return -1;
}

static int
save_call(pickler *self, PyObject *callable, PyObject *args)
{
    return kr_pk_save(self, callable, false) < 0 ||
                   kr_pk_save(self, args, false) < 0 ||
                   kr_pk_op(self, REDUCE) < 0
               ? -1
               : 0;
}

/* Protocols 2 and 3: partial(cls.__new__, cls, *args, **kwargs)() */
static int
save_newobj_ex_old(pickler *self, PyObject *cls, PyObject *args,
                   PyObject *kwargs)
{
    PyObject *new = PyObject_GetAttr(cls, KR_ID(__new__));
    if (new == NULL) {
        return -1;
    }
    PyObject *first = Py_BuildValue("(NO)", new, cls);
    PyObject *all = first ? PySequence_Concat(first, args) : NULL;
    PyObject *partial =
        all ? PyObject_Call(kr_pickle.partial, all, kwargs) : NULL;
    PyObject *none = partial ? PyTuple_New(0) : NULL;
    int rc = none ? save_call(self, partial, none) : -1;
    Py_XDECREF(none);
    Py_XDECREF(partial);
    Py_XDECREF(all);
    Py_XDECREF(first);
    return rc;
}

static int
save_newobj_ex(pickler *self, PyObject *argtup)
{
    if (PyTuple_GET_SIZE(argtup) != 3) {
        PyErr_Format(kr_pickle.pickling_error,
                     "length of the NEWOBJ_EX argument tuple must be exactly "
                     "3, not %zd",
                     PyTuple_GET_SIZE(argtup));
        return -1;
    }
    PyObject *cls = PyTuple_GET_ITEM(argtup, 0),
             *args = PyTuple_GET_ITEM(argtup, 1),
             *kwargs = PyTuple_GET_ITEM(argtup, 2);
    if (!PyType_Check(cls)) {
        return fail("first item from NEWOBJ_EX argument tuple must be a "
                    "class, not %.200s",
                    Py_TYPE(cls)->tp_name);
    }
    if (!PyTuple_Check(args)) {
        return fail("second item from NEWOBJ_EX argument tuple must be a "
                    "tuple, not %.200s",
                    Py_TYPE(args)->tp_name);
    }
    if (!PyDict_Check(kwargs)) {
        return fail("third item from NEWOBJ_EX argument tuple must be a "
                    "dict, not %.200s",
                    Py_TYPE(kwargs)->tp_name);
    }
    if (self->proto < 4) {
        return save_newobj_ex_old(self, cls, args, kwargs);
    }
    return kr_pk_save(self, cls, false) < 0 ||
                   kr_pk_save(self, args, false) < 0 ||
                   kr_pk_save(self, kwargs, false) < 0 ||
                   kr_pk_op(self, NEWOBJ_EX) < 0
               ? -1
               : 0;
}

static int
save_newobj(pickler *self, PyObject *argtup, PyObject *obj)
{
    if (PyTuple_GET_SIZE(argtup) < 1) {
        return fail("__newobj__ arglist is empty", NULL);
    }
    PyObject *cls = PyTuple_GET_ITEM(argtup, 0), *new;
    if (_PyObject_LookupAttr(cls, KR_ID(__new__), &new) < 0) {
        return -1;
    }
    if (new == NULL) {
        return fail("args[0] from __newobj__ args has no __new__", NULL);
    }
    Py_DECREF(new);
    if (obj != NULL) {
        PyObject *actual = PyObject_GetAttr(obj, KR_ID(__class__));
        if (actual == NULL) {
            return -1;
        }
        Py_DECREF(actual);
        if (actual != cls) {
            return fail("args[0] from __newobj__ args has the wrong class",
                        NULL);
        }
    }
    if (kr_pk_save(self, cls, false) < 0) {
        return -1;
    }
    PyObject *rest = PyTuple_GetSlice(argtup, 1, PyTuple_GET_SIZE(argtup));
    int rc = rest ? kr_pk_save(self, rest, false) : -1;
    Py_XDECREF(rest);
    return rc < 0 ? -1 : kr_pk_op(self, NEWOBJ);
}

/* The instruction that makes the object. */
static int
save_constructor(pickler *self, PyObject *callable, PyObject *argtup,
                 PyObject *obj)
{
    int form = 0;
    if (self->proto >= 2) {
        PyObject *name;
        if (_PyObject_LookupAttr(callable, KR_ID(__name__), &name) < 0) {
            return -1;
        }
        if (name != NULL && PyUnicode_Check(name)) {
            form = _PyUnicode_EqualToASCIIString(name, "__newobj_ex__") ? 2
                   : _PyUnicode_EqualToASCIIString(name, "__newobj__")  ? 1
                                                                        : 0;
        }
        Py_XDECREF(name);
    }
    return form == 2   ? save_newobj_ex(self, argtup)
           : form == 1 ? save_newobj(self, argtup, obj)
                       : save_call(self, callable, argtup);
}

static int
save_state(pickler *self, PyObject *obj, PyObject *state, PyObject *setter)
{
    if (setter == NULL) {
        return kr_pk_save(self, state, false) < 0 ? -1 : kr_pk_op(self, BUILD);
    }
    if (kr_pk_save(self, setter, false) < 0 ||
        kr_pk_save(self, obj, false) < 0 ||
        kr_pk_save(self, state, false) < 0 || kr_pk_op(self, TUPLE2) < 0 ||
        kr_pk_op(self, REDUCE) < 0 || kr_pk_op(self, POP) < 0) {
        return -1;
    }
    return 0;
}

int
kr_pk_save_reduce(pickler *self, PyObject *value, PyObject *obj)
{
    Py_ssize_t n = PyTuple_GET_SIZE(value), index;
    if (n < 2 || n > 6) {
        return fail("tuple returned by __reduce__ must contain 2 through 6 "
                    "elements",
                    NULL);
    }
    PyObject *v[6] = {NULL};
    for (Py_ssize_t i = 0; i < n; i++) {
        v[i] = PyTuple_GET_ITEM(value, i);
        if (i >= 2 && v[i] == Py_None) {
            v[i] = NULL;
        }
    }
    if (!PyCallable_Check(v[0])) {
        return fail("first item of the tuple returned by __reduce__ must be "
                    "callable",
                    NULL);
    }
    if (!PyTuple_Check(v[1])) {
        return fail("second item of the tuple returned by __reduce__ must be "
                    "a tuple",
                    NULL);
    }
    if (v[3] != NULL && !PyIter_Check(v[3])) {
        return fail("fourth element of the tuple returned by __reduce__ must "
                    "be an iterator, not %s",
                    Py_TYPE(v[3])->tp_name);
    }
    if (v[4] != NULL && !PyIter_Check(v[4])) {
        return fail("fifth element of the tuple returned by __reduce__ must "
                    "be an iterator, not %s",
                    Py_TYPE(v[4])->tp_name);
    }
    if (v[5] != NULL && !PyCallable_Check(v[5])) {
        return fail("sixth element of the tuple returned by __reduce__ must "
                    "be a function, not %s",
                    Py_TYPE(v[5])->tp_name);
    }
    if (save_constructor(self, v[0], v[1], obj) < 0) {
        return -1;
    }
    if (obj != NULL) {
        if (kr_pk_in_memo(self, obj, &index)) {
            /* its own arguments led to it: take that one */
            return kr_pk_op(self, POP) < 0 ? -1 : kr_pk_memo_get(self, index);
        }
        if (kr_pk_memo_put(self, obj) < 0) {
            return -1;
        }
    }
    if ((v[3] != NULL && kr_pk_batch_list(self, v[3]) < 0) ||
        (v[4] != NULL && kr_pk_batch_dict(self, v[4]) < 0)) {
        return -1;
    }
    return v[2] != NULL ? save_state(self, obj, v[2], v[5]) : 0;
}
