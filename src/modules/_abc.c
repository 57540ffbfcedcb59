/* _abc: the fast part of abstract base classes (module abc).
 *
 * Each class made by ABCMeta has an _abc_data with its registry and its caches
 * of answers, all holding weak references. Negative answers are dropped when
 * any class registers something, which a counter tells. */
#include <Python.h>
#include <stdbool.h>
#include <string.h>

#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/immortal.h"

#define COLLECTION_FLAGS (Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING)

struct module_state {
    unsigned long long counter; /* grows with every register() */
};

static inline struct module_state *
state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* ---- _abc_data ---------------------------------------------------------- */

struct abc_data {
    PyObject_HEAD
    PyObject *registry; /* sets of weak references, or NULL */
    PyObject *cache;
    PyObject *negative;
    unsigned long long negative_version;
};

static int
data_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct abc_data *d = (struct abc_data *)self;
    Py_VISIT(d->registry);
    Py_VISIT(d->cache);
    Py_VISIT(d->negative);
    return 0;
}

static int
data_clear(PyObject *self)
{
    struct abc_data *d = (struct abc_data *)self;
    Py_CLEAR(d->registry);
    Py_CLEAR(d->cache);
    Py_CLEAR(d->negative);
    return 0;
}

static void
data_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    data_clear(self);
    Py_TYPE(self)->tp_free(self);
}

static PyTypeObject data_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "_abc._abc_data",
    .tp_basicsize = sizeof(struct abc_data),
    .tp_dealloc = data_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("Internal state held by ABC machinery."),
    .tp_traverse = data_traverse,
    .tp_clear = data_clear,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
};

/* The data of a class as a new reference. */
static struct abc_data *
data_of(PyObject *cls)
{
    PyObject *d = PyObject_GetAttr(cls, KR_ID(_abc_impl));
    if (d != NULL && !Py_IS_TYPE(d, &data_type)) {
        PyErr_SetString(PyExc_TypeError, "_abc_impl is set to a wrong type");
        Py_CLEAR(d);
    }
    return (struct abc_data *)d;
}

/* ---- sets of weak references -------------------------------------------- */

static int
in_weak_set(PyObject *set, PyObject *obj)
{
    if (set == NULL || PySet_GET_SIZE(set) == 0) {
        return 0;
    }
    PyObject *ref = PyWeakref_NewRef(obj, NULL);
    if (ref == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear(); /* cannot be in it then */
            return 0;
        }
        return -1;
    }
    int res = PySet_Contains(set, ref);
    Py_DECREF(ref);
    return res;
}

/* Callback of the references: takes a dead one out of its set. */
static PyObject *
forget(PyObject *set_ref, PyObject *dead)
{
    PyObject *set = PyWeakref_GET_OBJECT(set_ref);
    if (set == Py_None) {
        Py_RETURN_NONE;
    }
    Py_INCREF(set);
    int res = PySet_Discard(set, dead);
    Py_DECREF(set);
    if (res < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef forget_def = {"_destroy", forget, METH_O, NULL};

static int
add_to_weak_set(PyObject **slot, PyObject *obj)
{
    if (*slot == NULL) {
        *slot = PySet_New(NULL);
        if (*slot == NULL) {
            return -1;
        }
    }
    PyObject *set = Py_NewRef(*slot);
    int res = -1;
    PyObject *set_ref = PyWeakref_NewRef(set, NULL);
    if (set_ref != NULL) {
        PyObject *callback = PyCFunction_NewEx(&forget_def, set_ref, NULL);
        if (callback != NULL) {
            PyObject *ref = PyWeakref_NewRef(obj, callback);
            if (ref != NULL) {
                res = PySet_Add(set, ref);
                Py_DECREF(ref);
            }
            Py_DECREF(callback);
        }
        Py_DECREF(set_ref);
    }
    Py_DECREF(set);
    return res;
}

/* ---- _abc_init ---------------------------------------------------------- */

/* Adds the abstract names among the class's own attributes. */
static int
own_abstracts(PyObject *cls, PyObject *abstracts)
{
    PyObject *ns = PyObject_GetAttr(cls, KR_ID(__dict__));
    if (ns == NULL) {
        return -1;
    }
    PyObject *items = PyMapping_Items(ns);
    Py_DECREF(ns);
    if (items == NULL) {
        return -1;
    }
    int res = 0;
    for (Py_ssize_t i = 0; res >= 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair =
            PySequence_Tuple(PyList_GET_ITEM(items, i));
        if (pair == NULL || PyTuple_GET_SIZE(pair) != 2) {
            if (pair != NULL) {
                PyErr_SetString(PyExc_TypeError,
                                "Iteration over items() should give pairs");
            }
            res = -1;
        }
        else {
            res = _PyObject_IsAbstract(PyTuple_GET_ITEM(pair, 1));
            if (res > 0) {
                res = PySet_Add(abstracts, PyTuple_GET_ITEM(pair, 0));
            }
        }
        Py_XDECREF(pair);
    }
    Py_DECREF(items);
    return res < 0 ? -1 : 0;
}

/* Adds the abstract names of one base that are still abstract here. */
static int
base_abstracts(PyObject *cls, PyObject *base, PyObject *abstracts)
{
    PyObject *names;
    int res = _PyObject_LookupAttr(base, KR_ID(__abstractmethods__), &names);
    if (res <= 0) {
        return res;
    }
    PyObject *iter = PyObject_GetIter(names);
    Py_DECREF(names);
    if (iter == NULL) {
        return -1;
    }
    PyObject *name;
    res = 0;
    while (res >= 0 && (name = PyIter_Next(iter)) != NULL) {
        PyObject *value;
        res = _PyObject_LookupAttr(cls, name, &value);
        if (res > 0) {
            res = _PyObject_IsAbstract(value);
            Py_DECREF(value);
            if (res > 0) {
                res = PySet_Add(abstracts, name);
            }
        }
        Py_DECREF(name);
    }
    Py_DECREF(iter);
    return res < 0 || PyErr_Occurred() ? -1 : 0;
}

static int
compute_abstracts(PyObject *cls)
{
    PyObject *abstracts = PyFrozenSet_New(NULL);
    if (abstracts == NULL) {
        return -1;
    }
    int res = own_abstracts(cls, abstracts);
    PyObject *bases =
        res < 0 ? NULL : PyObject_GetAttr(cls, KR_ID(__bases__));
    if (bases == NULL) {
        Py_DECREF(abstracts);
        return -1;
    }
    if (!PyTuple_Check(bases)) {
        PyErr_SetString(PyExc_TypeError, "__bases__ is not tuple");
        res = -1;
    }
    for (Py_ssize_t i = 0; res == 0 && i < PyTuple_GET_SIZE(bases); i++) {
        res = base_abstracts(cls, PyTuple_GET_ITEM(bases, i), abstracts);
    }
    if (res == 0) {
        res = PyObject_SetAttr(cls, KR_ID(__abstractmethods__), abstracts);
    }
    Py_DECREF(bases);
    Py_DECREF(abstracts);
    return res;
}

/* __abc_tpflags__ in the class body asks for pattern-matching flags. */
static int
take_flags(PyTypeObject *cls)
{
    PyObject *flags =
        PyDict_GetItemWithError(cls->tp_dict, KR_ID(__abc_tpflags__));
    if (flags == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (!PyLong_CheckExact(flags)) {
        return 0;
    }
    long value = PyLong_AsLong(flags);
    if (value == -1 && PyErr_Occurred()) {
        return -1;
    }
    if ((value & COLLECTION_FLAGS) == COLLECTION_FLAGS) {
        PyErr_SetString(PyExc_TypeError,
                        "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE "
                        "and Py_TPFLAGS_MAPPING");
        return -1;
    }
    cls->tp_flags |= (unsigned long)value & COLLECTION_FLAGS;
    return PyDict_DelItem(cls->tp_dict, KR_ID(__abc_tpflags__));
}

static PyObject *
abc_init(PyObject *module, PyObject *cls)
{
    if (compute_abstracts(cls) < 0) {
        return NULL;
    }
    PyObject *data = PyType_GenericAlloc(&data_type, 0);
    if (data == NULL) {
        return NULL;
    }
    ((struct abc_data *)data)->negative_version = state_of(module)->counter;
    int res = PyObject_SetAttr(cls, KR_ID(_abc_impl), data);
    Py_DECREF(data);
    if (res < 0 || (PyType_Check(cls) && take_flags((PyTypeObject *)cls) < 0)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- _abc_register ------------------------------------------------------ */

static void
set_flags(PyTypeObject *type, unsigned long flag)
{
    if ((type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE)
        || (type->tp_flags & COLLECTION_FLAGS) == flag) {
        return;
    }
    type->tp_flags = (type->tp_flags & ~COLLECTION_FLAGS) | flag;
    PyObject *subs = type->tp_subclasses;
    Py_ssize_t i = 0;
    PyObject *ref;
    while (subs != NULL && PyDict_Next(subs, &i, NULL, &ref)) {
        PyObject *sub = PyWeakref_GET_OBJECT(ref);
        if (sub != Py_None) {
            set_flags((PyTypeObject *)sub, flag);
        }
    }
}

static PyObject *
abc_register(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("_abc_register", nargs, 2, 2)) {
        return NULL;
    }
    PyObject *cls = args[0], *subclass = args[1];
    if (!PyType_Check(subclass)) {
        PyErr_SetString(PyExc_TypeError, "Can only register classes");
        return NULL;
    }
    int res = PyObject_IsSubclass(subclass, cls);
    if (res != 0) {
        return res < 0 ? NULL : Py_NewRef(subclass); /* already */
    }
    res = PyObject_IsSubclass(cls, subclass);
    if (res != 0) {
        if (res > 0) {
            PyErr_SetString(PyExc_RuntimeError,
                            "Refusing to create an inheritance cycle");
        }
        return NULL;
    }
    struct abc_data *data = data_of(cls);
    if (data == NULL) {
        return NULL;
    }
    res = add_to_weak_set(&data->registry, subclass);
    Py_DECREF(data);
    if (res < 0) {
        return NULL;
    }
    state_of(module)->counter++;
    if (PyType_Check(cls)) {
        unsigned long flag = PyType_GetFlags((PyTypeObject *)cls)
                             & COLLECTION_FLAGS;
        if (flag) {
            set_flags((PyTypeObject *)subclass, flag);
        }
    }
    return Py_NewRef(subclass);
}

/* ---- _abc_subclasscheck ------------------------------------------------- */

/* Asks the registered classes: 1, 0, -1. */
static int
check_registry(struct abc_data *data, PyObject *subclass)
{
    int res = in_weak_set(data->registry, subclass);
    if (res != 0 || data->registry == NULL) {
        return res;
    }
    /* A copy, since the checks may run anything. */
    PyObject *refs = PySequence_Tuple(data->registry);
    if (refs == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; res == 0 && i < PyTuple_GET_SIZE(refs); i++) {
        PyObject *cls = PyWeakref_GET_OBJECT(PyTuple_GET_ITEM(refs, i));
        if (cls == Py_None) {
            continue;
        }
        Py_INCREF(cls);
        res = PyObject_IsSubclass(subclass, cls);
        Py_DECREF(cls);
    }
    Py_DECREF(refs);
    return res;
}

static int
check_subclasses(PyObject *cls, PyObject *subclass)
{
    PyObject *subs =
        PyObject_CallMethodNoArgs(cls, KR_ID(__subclasses__));
    if (subs == NULL) {
        return -1;
    }
    if (!PyList_Check(subs)) {
        PyErr_SetString(PyExc_TypeError,
                        "__subclasses__() must return a list");
        Py_DECREF(subs);
        return -1;
    }
    int res = 0;
    for (Py_ssize_t i = 0; res == 0 && i < PyList_GET_SIZE(subs); i++) {
        PyObject *sub = Py_NewRef(PyList_GET_ITEM(subs, i));
        res = PyObject_IsSubclass(subclass, sub);
        Py_DECREF(sub);
    }
    Py_DECREF(subs);
    return res;
}

/* The answer without the caches: 1, 0, -1. */
static int
compute_answer(PyObject *cls, struct abc_data *data, PyObject *subclass)
{
    PyObject *ok = PyObject_CallMethodOneArg(cls, KR_ID(__subclasshook__),
                                             subclass);
    if (ok == NULL) {
        return -1;
    }
    Py_DECREF(ok);
    if (ok == Py_True) {
        return 1;
    }
    if (ok == Py_False) {
        return 0;
    }
    if (ok != Py_NotImplemented) {
        PyErr_SetString(PyExc_AssertionError,
                        "__subclasshook__ must return either False, True, or "
                        "NotImplemented");
        return -1;
    }
    if (PyType_IsSubtype((PyTypeObject *)subclass, (PyTypeObject *)cls)) {
        return 1;
    }
    int res = check_registry(data, subclass);
    return res != 0 ? res : check_subclasses(cls, subclass);
}

static int
subclass_check(PyObject *module, PyObject *cls, struct abc_data *data,
               PyObject *subclass)
{
    int res = in_weak_set(data->cache, subclass);
    if (res != 0) {
        return res;
    }
    unsigned long long now = state_of(module)->counter;
    if (data->negative_version < now) {
        if (data->negative != NULL && PySet_Clear(data->negative) < 0) {
            return -1;
        }
        data->negative_version = now;
    }
    else {
        res = in_weak_set(data->negative, subclass);
        if (res != 0) {
            return res < 0 ? -1 : 0;
        }
    }
    res = compute_answer(cls, data, subclass);
    if (res >= 0
        && add_to_weak_set(res ? &data->cache : &data->negative, subclass)
               < 0) {
        return -1;
    }
    return res;
}

static PyObject *
abc_subclasscheck(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("_abc_subclasscheck", nargs, 2, 2)) {
        return NULL;
    }
    if (!PyType_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError,
                        "issubclass() arg 1 must be a class");
        return NULL;
    }
    struct abc_data *data = data_of(args[0]);
    if (data == NULL) {
        return NULL;
    }
    int res = subclass_check(module, args[0], data, args[1]);
    Py_DECREF(data);
    return res < 0 ? NULL : PyBool_FromLong(res);
}

/* ---- _abc_instancecheck ------------------------------------------------- */

static PyObject *
ask_class(PyObject *cls, PyObject *subclass)
{
    return PyObject_CallMethodOneArg(cls, KR_ID(__subclasscheck__), subclass);
}

static PyObject *
instance_check(PyObject *module, PyObject *cls, struct abc_data *data,
               PyObject *instance, PyObject *subclass)
{
    int cached = in_weak_set(data->cache, subclass);
    if (cached != 0) {
        return cached < 0 ? NULL : Py_NewRef(Py_True);
    }
    PyObject *subtype = (PyObject *)Py_TYPE(instance);
    if (subtype == subclass) {
        if (data->negative_version == state_of(module)->counter) {
            cached = in_weak_set(data->negative, subclass);
            if (cached != 0) {
                return cached < 0 ? NULL : Py_NewRef(Py_False);
            }
        }
        return ask_class(cls, subclass);
    }
    /* __class__ lies: either one counts. */
    PyObject *res = ask_class(cls, subclass);
    if (res == NULL) {
        return NULL;
    }
    int yes = PyObject_IsTrue(res);
    if (yes == 0) {
        Py_DECREF(res);
        return ask_class(cls, subtype);
    }
    if (yes < 0) {
        Py_CLEAR(res);
    }
    return res;
}

static PyObject *
abc_instancecheck(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("_abc_instancecheck", nargs, 2, 2)) {
        return NULL;
    }
    struct abc_data *data = data_of(args[0]);
    if (data == NULL) {
        return NULL;
    }
    PyObject *res = NULL;
    PyObject *subclass = PyObject_GetAttr(args[1], KR_ID(__class__));
    if (subclass != NULL) {
        res = instance_check(module, args[0], data, args[1], subclass);
        Py_DECREF(subclass);
    }
    Py_DECREF(data);
    return res;
}

/* ---- debugging and tests ------------------------------------------------ */

static PyObject *
abc_reset_registry(PyObject *module, PyObject *cls)
{
    struct abc_data *data = data_of(cls);
    if (data == NULL) {
        return NULL;
    }
    int res = data->registry == NULL ? 0 : PySet_Clear(data->registry);
    Py_DECREF(data);
    if (res < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
abc_reset_caches(PyObject *module, PyObject *cls)
{
    struct abc_data *data = data_of(cls);
    if (data == NULL) {
        return NULL;
    }
    int res = data->cache == NULL ? 0 : PySet_Clear(data->cache);
    if (res == 0 && data->negative != NULL) {
        res = PySet_Clear(data->negative);
    }
    Py_DECREF(data);
    if (res < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
set_or_empty(PyObject *set)
{
    return PySet_New(set); /* NULL makes an empty one */
}

static PyObject *
abc_get_dump(PyObject *module, PyObject *cls)
{
    struct abc_data *data = data_of(cls);
    if (data == NULL) {
        return NULL;
    }
    PyObject *res = Py_BuildValue(
        "NNNK", set_or_empty(data->registry), set_or_empty(data->cache),
        set_or_empty(data->negative), data->negative_version);
    Py_DECREF(data);
    return res;
}

static PyObject *
abc_get_cache_token(PyObject *module, PyObject *unused)
{
    return PyLong_FromUnsignedLongLong(state_of(module)->counter);
}

static PyMethodDef methods[] = {
    {"get_cache_token", abc_get_cache_token, METH_NOARGS,
     PyDoc_STR("get_cache_token($module, /)\n--\n\n"
               "Token that changes with every register().")},
    {"_abc_init", abc_init, METH_O,
     PyDoc_STR("_abc_init($module, self, /)\n--\n\n"
               "Set up a class made by ABCMeta.")},
    {"_reset_registry", abc_reset_registry, METH_O,
     PyDoc_STR("_reset_registry($module, self, /)\n--\n\n"
               "Empty the registry; for tests.")},
    {"_reset_caches", abc_reset_caches, METH_O,
     PyDoc_STR("_reset_caches($module, self, /)\n--\n\n"
               "Empty both caches; for tests.")},
    {"_get_dump", abc_get_dump, METH_O,
     PyDoc_STR("_get_dump($module, self, /)\n--\n\n"
               "Registry, caches and version; for debugging.")},
    {"_abc_register", (PyCFunction)(void *)abc_register, METH_FASTCALL,
     PyDoc_STR("_abc_register($module, self, subclass, /)\n--\n\n"
               "Register a virtual subclass.")},
    {"_abc_instancecheck", (PyCFunction)(void *)abc_instancecheck,
     METH_FASTCALL,
     PyDoc_STR("_abc_instancecheck($module, self, instance, /)\n--\n\n"
               "isinstance() for classes of ABCMeta.")},
    {"_abc_subclasscheck", (PyCFunction)(void *)abc_subclasscheck,
     METH_FASTCALL,
     PyDoc_STR("_abc_subclasscheck($module, self, subclass, /)\n--\n\n"
               "issubclass() for classes of ABCMeta.")},
    {NULL},
};

static int
exec_module(PyObject *module)
{
    state_of(module)->counter = 0;
    return PyType_Ready(&data_type);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)exec_module},
    {0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_abc",
    .m_doc = PyDoc_STR("Support for the abc module."),
    .m_size = sizeof(struct module_state),
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__abc(void)
{
    return PyModuleDef_Init(&module_def);
}
