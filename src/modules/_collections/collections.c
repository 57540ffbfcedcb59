/* The _collections module: defaultdict, named tuple fields, counting. */
#include <Python.h>
#include <structmember.h>

#include "modules/_collections/collections.h"

/* ---- defaultdict */

typedef struct {
    PyDictObject dict;
    PyObject *default_factory;
} defdict;

#define DD(op) ((defdict *)(op))

static PyTypeObject defdict_type;

static PyObject *
defdict_missing(PyObject *self, PyObject *key)
{
    PyObject *factory = DD(self)->default_factory;
    if (factory == NULL || factory == Py_None) {
        PyObject *tup = PyTuple_Pack(1, key);
        if (tup != NULL) {
            PyErr_SetObject(PyExc_KeyError, tup);
            Py_DECREF(tup);
        }
        return NULL;
    }
    PyObject *value = PyObject_CallNoArgs(factory);
    if (value != NULL && PyObject_SetItem(self, key, value) < 0) {
        Py_CLEAR(value);
    }
    return value;
}

/* type(self)(factory, source) */
static PyObject *
new_like(PyObject *self, PyObject *source)
{
    PyObject *factory = DD(self)->default_factory;
    return PyObject_CallFunctionObjArgs((PyObject *)Py_TYPE(self),
                                        factory ? factory : Py_None, source,
                                        NULL);
}

static PyObject *
defdict_copy(PyObject *self, PyObject *ignored)
{
    return new_like(self, self);
}

static PyObject *
defdict_reduce(PyObject *self, PyObject *ignored)
{
    PyObject *factory = DD(self)->default_factory;
    PyObject *args = factory == NULL || factory == Py_None
                         ? PyTuple_New(0)
                         : PyTuple_Pack(1, factory);
    PyObject *items =
        args ? PyObject_CallMethodNoArgs(self, KR_ID(items)) : NULL;
    PyObject *iter = items ? PyObject_GetIter(items) : NULL;
    PyObject *result = NULL;
    if (iter != NULL) {
        result = PyTuple_Pack(5, Py_TYPE(self), args, Py_None, Py_None, iter);
        Py_DECREF(iter);
    }
    Py_XDECREF(items);
    Py_XDECREF(args);
    return result;
}

static void
defdict_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(DD(self)->default_factory);
    PyDict_Type.tp_dealloc(self);
}

static PyObject *
defdict_repr(PyObject *self)
{
    PyObject *base = PyDict_Type.tp_repr(self), *factory = NULL;
    if (base == NULL) {
        return NULL;
    }
    if (DD(self)->default_factory == NULL) {
        factory = PyUnicode_FromString("None");
    }
    else {
        int status = Py_ReprEnter(DD(self)->default_factory);
        if (status < 0) {
            Py_DECREF(base);
            return NULL;
        }
        if (status > 0) {
            factory = PyUnicode_FromString("...");
        }
        else {
            factory = PyObject_Repr(DD(self)->default_factory);
            Py_ReprLeave(DD(self)->default_factory);
        }
    }
    PyObject *result = NULL;
    if (factory != NULL) {
        result = PyUnicode_FromFormat("%s(%U, %U)",
                                      _PyType_Name(Py_TYPE(self)), factory,
                                      base);
        Py_DECREF(factory);
    }
    Py_DECREF(base);
    return result;
}

static PyObject *
defdict_or(PyObject *left, PyObject *right)
{
    PyObject *self = PyObject_TypeCheck(left, &defdict_type) ? left : right;
    PyObject *other = self == left ? right : left;
    if (!PyDict_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *res = new_like(self, left);
    if (res != NULL && PyDict_Update(res, right) < 0) {
        Py_CLEAR(res);
    }
    return res;
}

static int
defdict_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(DD(self)->default_factory);
    return PyDict_Type.tp_traverse(self, visit, arg);
}

static int
defdict_clear(PyObject *self)
{
    Py_CLEAR(DD(self)->default_factory);
    return PyDict_Type.tp_clear(self);
}

static int
defdict_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *factory = NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n > 0) {
        factory = PyTuple_GET_ITEM(args, 0);
        if (!PyCallable_Check(factory) && factory != Py_None) {
            PyErr_SetString(PyExc_TypeError,
                            "first argument must be callable or None");
            return -1;
        }
    }
    PyObject *rest = PyTuple_GetSlice(args, n > 0 ? 1 : 0, n);
    if (rest == NULL) {
        return -1;
    }
    PyObject *old = DD(self)->default_factory;
    DD(self)->default_factory = Py_XNewRef(factory);
    int result = PyDict_Type.tp_init(self, rest, kwds);
    Py_DECREF(rest);
    Py_XDECREF(old);
    return result;
}

static PyMethodDef defdict_methods[] = {
    {"__missing__", defdict_missing, METH_O,
     "__missing__(key) # Called by __getitem__ for missing key; pseudo-code:\n"
     "  if self.default_factory is None: raise KeyError((key,))\n"
     "  self[key] = value = self.default_factory()\n"
     "  return value\n"},
    {"copy", defdict_copy, METH_NOARGS, "D.copy() -> a shallow copy of D."},
    {"__copy__", defdict_copy, METH_NOARGS,
     "D.copy() -> a shallow copy of D."},
    {"__reduce__", defdict_reduce, METH_NOARGS,
     "Return state information for pickling."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

static PyMemberDef defdict_members[] = {
    {"default_factory", T_OBJECT, offsetof(defdict, default_factory), 0,
     "Factory for default value called by __missing__()."},
    {NULL},
};

static PyNumberMethods defdict_as_number = {.nb_or = defdict_or};

static PyTypeObject defdict_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "collections.defaultdict",
    .tp_basicsize = sizeof(defdict),
    .tp_dealloc = defdict_dealloc,
    .tp_repr = defdict_repr,
    .tp_as_number = &defdict_as_number,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc =
        "defaultdict(default_factory=None, /, [...]) --> dict with default "
        "factory\n\n"
        "The default factory is called without arguments to produce\n"
        "a new value when a key is not present, in __getitem__ only.\n"
        "All remaining arguments are treated as for dict.",
    .tp_traverse = defdict_traverse,
    .tp_clear = defdict_clear,
    .tp_methods = defdict_methods,
    .tp_members = defdict_members,
    .tp_init = defdict_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
};

/* ---- counting */

static int
count_in_dict(PyObject *mapping, PyObject *key, PyObject *one)
{
    Py_hash_t hash = PyObject_Hash(key);
    if (hash == -1) {
        return -1;
    }
    PyObject *old = _PyDict_GetItem_KnownHash(mapping, key, hash);
    if (old == NULL) {
        return PyErr_Occurred()
                   ? -1
                   : _PyDict_SetItem_KnownHash(mapping, key, one, hash);
    }
    PyObject *sum = PyNumber_Add(old, one);
    if (sum == NULL) {
        return -1;
    }
    int err = _PyDict_SetItem_KnownHash(mapping, key, sum, hash);
    Py_DECREF(sum);
    return err;
}

static int
count_in_mapping(PyObject *mapping, PyObject *get, PyObject *key,
                 PyObject *zero, PyObject *one)
{
    PyObject *old = PyObject_CallFunctionObjArgs(get, key, zero, NULL);
    if (old == NULL) {
        return -1;
    }
    PyObject *sum = old == zero ? Py_NewRef(one) : PyNumber_Add(old, one);
    Py_DECREF(old);
    if (sum == NULL) {
        return -1;
    }
    int err = PyObject_SetItem(mapping, key, sum);
    Py_DECREF(sum);
    return err;
}

static PyObject *
count_elements(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("_count_elements", nargs, 2, 2)) {
        return NULL;
    }
    PyObject *mapping = args[0], *get = NULL, *key;
    PyObject *it = PyObject_GetIter(args[1]);
    if (it == NULL) {
        return NULL;
    }
    /* plain dicts, and subclasses that leave these methods alone */
    PyTypeObject *type = Py_TYPE(mapping);
    bool plain = PyDict_Check(mapping)
                 && _PyType_Lookup(type, KR_ID(get))
                        == _PyType_Lookup(&PyDict_Type, KR_ID(get))
                 && _PyType_Lookup(type, KR_ID(__setitem__))
                        == _PyType_Lookup(&PyDict_Type, KR_ID(__setitem__));
    PyObject *zero = PyLong_FromLong(0), *one = PyLong_FromLong(1);
    if (!plain) {
        get = PyObject_GetAttr(mapping, KR_ID(get));
    }
    if (plain || get != NULL) {
        while ((key = PyIter_Next(it)) != NULL) {
            int err = plain ? count_in_dict(mapping, key, one)
                            : count_in_mapping(mapping, get, key, zero, one);
            Py_DECREF(key);
            if (err < 0) {
                break;
            }
        }
    }
    Py_DECREF(zero);
    Py_DECREF(one);
    Py_XDECREF(get);
    Py_DECREF(it);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* ---- fields of named tuples */

typedef struct {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *doc;
} tuplegetter;

#define TG(op) ((tuplegetter *)(op))

static PyObject *
tuplegetter_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    Py_ssize_t index;
    PyObject *doc;
    if (!_PyArg_NoKeywords("_tuplegetter", kwds)
        || !_PyArg_CheckPositional("_tuplegetter", PyTuple_GET_SIZE(args), 2,
                                   2)
        || !PyArg_ParseTuple(args, "nO:_tuplegetter", &index, &doc)) {
        return NULL;
    }
    tuplegetter *self = TG(type->tp_alloc(type, 0));
    if (self != NULL) {
        self->index = index;
        self->doc = Py_NewRef(doc);
    }
    return (PyObject *)self;
}

static PyObject *
tuplegetter_get(PyObject *self, PyObject *obj, PyObject *type)
{
    Py_ssize_t index = TG(self)->index;
    if (obj == NULL) {
        return Py_NewRef(self);
    }
    if (!PyTuple_Check(obj)) {
        if (obj == Py_None) {
            return Py_NewRef(self);
        }
        PyErr_Format(PyExc_TypeError,
                     "descriptor for index '%zd' for tuple subclasses doesn't "
                     "apply to '%s' object",
                     index, Py_TYPE(obj)->tp_name);
        return NULL;
    }
    if ((size_t)index >= (size_t)PyTuple_GET_SIZE(obj)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(obj, index));
}

static int
tuplegetter_set(PyObject *self, PyObject *obj, PyObject *value)
{
    PyErr_SetString(PyExc_AttributeError, value == NULL
                                              ? "can't delete attribute"
                                              : "can't set attribute");
    return -1;
}

static int
tuplegetter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(TG(self)->doc);
    return 0;
}

static int
tuplegetter_clear(PyObject *self)
{
    Py_CLEAR(TG(self)->doc);
    return 0;
}

static void
tuplegetter_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    tuplegetter_clear(self);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
tuplegetter_reduce(PyObject *self, PyObject *ignored)
{
    return Py_BuildValue("(O(nO))", Py_TYPE(self), TG(self)->index,
                         TG(self)->doc);
}

static PyObject *
tuplegetter_repr(PyObject *self)
{
    return PyUnicode_FromFormat("%s(%zd, %R)", _PyType_Name(Py_TYPE(self)),
                                TG(self)->index, TG(self)->doc);
}

static PyMemberDef tuplegetter_members[] = {
    {"__doc__", T_OBJECT, offsetof(tuplegetter, doc), 0},
    {NULL},
};

static PyMethodDef tuplegetter_methods[] = {
    {"__reduce__", tuplegetter_reduce, METH_NOARGS, NULL},
    {NULL},
};

static PyTypeObject tuplegetter_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "_collections._tuplegetter",
    .tp_basicsize = sizeof(tuplegetter),
    .tp_dealloc = tuplegetter_dealloc,
    .tp_repr = tuplegetter_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = tuplegetter_traverse,
    .tp_clear = tuplegetter_clear,
    .tp_methods = tuplegetter_methods,
    .tp_members = tuplegetter_members,
    .tp_descr_get = tuplegetter_get,
    .tp_descr_set = tuplegetter_set,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = tuplegetter_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- module */

static PyMethodDef functions[] = {
    {"_count_elements", (PyCFunction)(void *)count_elements, METH_FASTCALL,
     "_count_elements($module, mapping, iterable, /)\n--\n\n"
     "Count elements in the iterable, updating the mapping"},
    {NULL},
};

static int
exec(PyObject *module)
{
    defdict_type.tp_base = &PyDict_Type;
    if (PyModule_AddType(module, &kr_deque_type) < 0
        || PyModule_AddType(module, &defdict_type) < 0
        || PyModule_AddType(module, &PyODict_Type) < 0
        || PyModule_AddType(module, &kr_deque_iter_type) < 0
        || PyModule_AddType(module, &kr_deque_reviter_type) < 0
        || PyModule_AddType(module, &tuplegetter_type) < 0) {
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_collections",
    .m_doc = "High performance data structures.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__collections(void)
{
    return PyModuleDef_Init(&definition);
}
