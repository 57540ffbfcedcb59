/* _thread._local: an object with a dict of its own in each thread.
 *
 * A thread's dict belongs to a dummy object in the thread state's dict; the
 * local object keeps {weak reference to dummy: dict}, so that dicts die with
 * their thread and with the local object, whichever comes first. */
#include "modules/_thread/thread.h"

#include <structmember.h>

#include "objects/ids.h"

typedef struct {
    PyObject_HEAD
    PyObject *dict;
    PyObject *weakrefs;
} DummyObject;

typedef struct {
    PyObject_HEAD
    PyObject *key; /* in the dict of each thread state */
    PyObject *args;
    PyObject *kwargs;
    PyObject *weakrefs;
    PyObject *dummies;       /* {weakref(dummy): dict} */
    PyObject *when_dying;    /* callback of those weakrefs */
} LocalObject;

/* --- dummies ------------------------------------------------------------- */

static void
dummy_dealloc(DummyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMemberDef dummy_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(DummyObject, weakrefs),
     READONLY},
    {NULL},
};

static PyType_Slot dummy_slots[] = {
    {Py_tp_dealloc, dummy_dealloc},
    {Py_tp_doc, "The life of a thread, for the dict of a local object."},
    {Py_tp_members, dummy_members},
    {0},
};

PyType_Spec kr_dummy_spec = {
    .name = "_thread._localdummy",
    .basicsize = sizeof(DummyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION
             | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = dummy_slots,
};

/* A thread ended: its dict goes. `self_ref` is a weak reference to the local
 * object. */
static PyObject *
dummy_died(PyObject *self_ref, PyObject *dummy_ref)
{
    PyObject *op = PyWeakref_GET_OBJECT(self_ref);
    if (op == Py_None) {
        Py_RETURN_NONE;
    }
    LocalObject *self = (LocalObject *)Py_NewRef(op);
    if (self->dummies != NULL) {
        PyObject *dict = PyDict_GetItemWithError(self->dummies, dummy_ref);
        if (dict != NULL) {
            PyDict_DelItem(self->dummies, dummy_ref);
        }
        if (PyErr_Occurred()) {
            PyErr_WriteUnraisable((PyObject *)self);
        }
    }
    Py_DECREF(self);
    Py_RETURN_NONE;
}

static PyMethodDef when_dying_def = {"_localdummy_destroyed", dummy_died,
                                     METH_O};

/* --- the dict of this thread --------------------------------------------- */

/* Makes the dict of the calling thread; borrowed. */
static PyObject *
create_dict(LocalObject *self, struct thread_module *st)
{
    PyThreadState *ts = PyThreadState_Get();
    PyObject *tdict = _PyThreadState_GetDict(ts), *dict = NULL, *ref = NULL;
    if (tdict == NULL) {
        PyErr_SetString(PyExc_SystemError,
                        "Couldn't get thread-state dictionary");
        return NULL;
    }
    DummyObject *dummy
        = (DummyObject *)st->dummy_type->tp_alloc(st->dummy_type, 0);
    if (dummy == NULL) {
        return NULL;
    }
    dict = PyDict_New();
    if (dict == NULL) {
        goto done;
    }
    dummy->dict = dict;
    ref = PyWeakref_NewRef((PyObject *)dummy, self->when_dying);
    if (ref == NULL || PyDict_SetItem(self->dummies, ref, dict) < 0) {
        Py_CLEAR(dict);
        goto done;
    }
    Py_DECREF(dict); /* the dict of dummies has it */
    if (PyDict_SetItem(tdict, self->key, (PyObject *)dummy) < 0) {
        dict = NULL;
    }
done:
    Py_XDECREF(ref);
    Py_DECREF(dummy);
    return dict;
}

static struct thread_module *
find_state(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &kr_thread_module);
    return module == NULL ? NULL : thread_state(module);
}

/* The dict of the calling thread, borrowed; made, and a subclass's __init__
 * run, at its first use. */
static PyObject *
this_dict(LocalObject *self)
{
    PyObject *tdict = PyThreadState_GetDict();
    if (tdict == NULL) {
        PyErr_SetString(PyExc_SystemError,
                        "Couldn't get thread-state dictionary");
        return NULL;
    }
    PyObject *dummy = PyDict_GetItemWithError(tdict, self->key);
    if (dummy != NULL) {
        return ((DummyObject *)dummy)->dict;
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    struct thread_module *st = find_state(Py_TYPE(self));
    PyObject *dict = st == NULL ? NULL : create_dict(self, st);
    if (dict == NULL) {
        return NULL;
    }
    if (Py_TYPE(self)->tp_init != PyBaseObject_Type.tp_init
        && Py_TYPE(self)->tp_init((PyObject *)self, self->args, self->kwargs)
               < 0) {
        /* the next access tries again */
        PyObject *type, *value, *tb;
        PyErr_Fetch(&type, &value, &tb);
        if (PyDict_DelItem(tdict, self->key) < 0) {
            PyErr_Clear();
        }
        PyErr_Restore(type, value, tb);
        return NULL;
    }
    return dict;
}

/* --- the type ------------------------------------------------------------ */

static PyObject *
local_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (type->tp_init == PyBaseObject_Type.tp_init
        && (PyTuple_GET_SIZE(args) > 0
            || (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0))) {
        PyErr_SetString(PyExc_TypeError,
                        "Initialization arguments are not supported");
        return NULL;
    }
    struct thread_module *st = find_state(type);
    LocalObject *self = st == NULL ? NULL
                                   : (LocalObject *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->args = Py_NewRef(args);
    self->kwargs = Py_XNewRef(kwargs);
    self->key = PyUnicode_FromFormat("thread.local.%p", self);
    self->dummies = PyDict_New();
    PyObject *ref = PyWeakref_NewRef((PyObject *)self, NULL);
    if (ref != NULL) {
        self->when_dying = PyCFunction_NewEx(&when_dying_def, ref, NULL);
        Py_DECREF(ref);
    }
    if (self->key == NULL || self->dummies == NULL || self->when_dying == NULL
        || create_dict(self, st) == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int
local_traverse(LocalObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->args);
    Py_VISIT(self->kwargs);
    Py_VISIT(self->dummies);
    return 0;
}

/* Takes the local object out of all threads. */
static int
local_clear(LocalObject *self)
{
    Py_CLEAR(self->args);
    Py_CLEAR(self->kwargs);
    Py_CLEAR(self->dummies);
    Py_CLEAR(self->when_dying);
    PyThreadState *ts = _PyThreadState_UncheckedGet();
    if (self->key == NULL || ts == NULL || ts->interp == NULL) {
        return 0;
    }
    PyObject *key = self->key;
    for (ts = PyInterpreterState_ThreadHead(ts->interp); ts != NULL;
         ts = PyThreadState_Next(ts)) {
        if (ts->dict == NULL) {
            continue;
        }
        PyObject *old = _PyDict_Pop(ts->dict, key, Py_None);
        if (old == NULL) {
            PyErr_Clear();
        }
        Py_XDECREF(old);
    }
    return 0;
}

static void
local_dealloc(LocalObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    local_clear(self);
    Py_XDECREF(self->key);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static int
is_dict_name(PyObject *name)
{
    return PyObject_RichCompareBool(name, KR_ID(__dict__), Py_EQ);
}

/* The dictionary of this thread, or the value in it: of _local itself, whose
 * attributes are no descriptors, that one goes first. */
static PyObject *
local_lookup(LocalObject *self, PyObject *name, PyObject *dict)
{
    int whole = is_dict_name(name);
    if (whole != 0) {
        return whole < 0 ? NULL : Py_NewRef(dict);
    }
    if (Py_TYPE(self)->tp_base == &PyBaseObject_Type) {
        PyObject *value = PyDict_GetItemWithError(dict, name);
        if (value != NULL || PyErr_Occurred()) {
            return Py_XNewRef(value);
        }
    }
    return _PyObject_GenericGetAttrWithDict((PyObject *)self, name, dict, 0);
}

static PyObject *
local_getattro(LocalObject *self, PyObject *name)
{
    PyObject *dict = this_dict(self);
    if (dict == NULL) {
        return NULL;
    }
    Py_INCREF(dict);
    PyObject *res = local_lookup(self, name, dict);
    Py_DECREF(dict);
    return res;
}

static int
local_setattro(LocalObject *self, PyObject *name, PyObject *value)
{
    PyObject *dict = this_dict(self);
    if (dict == NULL) {
        return -1;
    }
    Py_INCREF(dict);
    int res = -1, whole = is_dict_name(name);
    if (whole > 0) {
        PyErr_Format(PyExc_AttributeError,
                     "'%.50s' object attribute '%U' is read-only",
                     Py_TYPE(self)->tp_name, name);
    }
    else if (whole == 0) {
        res = _PyObject_GenericSetAttrWithDict((PyObject *)self, name, value,
                                               dict);
    }
    Py_DECREF(dict);
    return res;
}

static PyMemberDef local_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(LocalObject, weakrefs),
     READONLY},
    {NULL},
};

static PyType_Slot local_slots[] = {
    {Py_tp_dealloc, local_dealloc},
    {Py_tp_getattro, local_getattro},
    {Py_tp_setattro, local_setattro},
    {Py_tp_doc, "_local()\n--\n\nData that is different in each thread."},
    {Py_tp_traverse, local_traverse},
    {Py_tp_clear, local_clear},
    {Py_tp_new, local_new},
    {Py_tp_members, local_members},
    {0},
};

PyType_Spec kr_local_spec = {
    .name = "_thread._local",
    .basicsize = sizeof(LocalObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC
             | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = local_slots,
};
