/* Weak references: the ref type, and the life of the list that hangs on each
 * object that has any.
 *
 * The list begins with the shared plain ref (no callback, exact type), then
 * the shared plain proxy, if they exist; all others follow, newest first. */
#include <Python.h>
#include <structmember.h>

#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/weakref.h"

int
PyType_SUPPORTS_WEAKREFS(PyTypeObject *type)
{
    return type->tp_weaklistoffset > 0;
}

PyObject **
PyObject_GET_WEAKREFS_LISTPTR(PyObject *op)
{
    return (PyObject **)((char *)op + Py_TYPE(op)->tp_weaklistoffset);
}

static PyWeakReference **
list_of(PyObject *ob)
{
    return (PyWeakReference **)PyObject_GET_WEAKREFS_LISTPTR(ob);
}

Py_ssize_t
_PyWeakref_GetWeakrefCount(PyWeakReference *head)
{
    Py_ssize_t n = 0;
    for (; head != NULL; head = head->wr_next) {
        n++;
    }
    return n;
}

static PyObject *
ref_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf,
               PyObject *kwnames)
{
    if (!_PyArg_NoKwnames("weakref", kwnames)) {
        return NULL;
    }
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_CheckPositional("weakref", nargs, 0, 0)) {
        return NULL;
    }
    return Py_NewRef(PyWeakref_GET_OBJECT(self));
}

static void
init_ref(PyWeakReference *self, PyObject *ob, PyObject *callback)
{
    self->hash = -1;
    self->wr_object = ob;
    self->wr_prev = NULL;
    self->wr_next = NULL;
    self->wr_callback = Py_XNewRef(callback);
    self->vectorcall = ref_vectorcall;
}

static PyWeakReference *
new_ref(PyTypeObject *type, PyObject *ob, PyObject *callback)
{
    PyWeakReference *self = PyObject_GC_New(PyWeakReference, type);
    if (self != NULL) {
        init_ref(self, ob, callback);
        kr_gc_track((PyObject *)self);
    }
    return self;
}

/* Takes the reference out of its object's list and drops the callback. */
static void
clear_ref(PyWeakReference *self)
{
    PyObject *callback = self->wr_callback;
    if (self->wr_object != Py_None) {
        PyWeakReference **list = list_of(self->wr_object);
        if (*list == self) {
            *list = self->wr_next;
        }
        self->wr_object = Py_None;
        if (self->wr_prev != NULL) {
            self->wr_prev->wr_next = self->wr_next;
        }
        if (self->wr_next != NULL) {
            self->wr_next->wr_prev = self->wr_prev;
        }
        self->wr_prev = NULL;
        self->wr_next = NULL;
    }
    if (callback != NULL) {
        self->wr_callback = NULL;
        Py_DECREF(callback);
    }
}

void
_PyWeakref_ClearRef(PyWeakReference *self)
{
    PyObject *callback = self->wr_callback;
    self->wr_callback = NULL;
    clear_ref(self);
    self->wr_callback = callback;
}

static void
ref_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    clear_ref((PyWeakReference *)self);
    Py_TYPE(self)->tp_free(self);
}

static int
ref_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((PyWeakReference *)self)->wr_callback);
    return 0;
}

static int
ref_clear(PyObject *self)
{
    clear_ref((PyWeakReference *)self);
    return 0;
}

static Py_hash_t
ref_hash(PyWeakReference *self)
{
    if (self->hash != -1) {
        return self->hash;
    }
    PyObject *ob = PyWeakref_GET_OBJECT(self);
    if (ob == Py_None) {
        PyErr_SetString(PyExc_TypeError, "weak object has gone away");
        return -1;
    }
    Py_INCREF(ob);
    self->hash = PyObject_Hash(ob);
    Py_DECREF(ob);
    return self->hash;
}

static PyObject *
ref_repr(PyObject *self)
{
    PyObject *ob = PyWeakref_GET_OBJECT(self), *name, *repr;
    if (ob == Py_None) {
        return PyUnicode_FromFormat("<weakref at %p; dead>", self);
    }
    Py_INCREF(ob);
    if (_PyObject_LookupAttr(ob, KR_ID(__name__), &name) < 0) {
        Py_DECREF(ob);
        return NULL;
    }
    if (name == NULL || !PyUnicode_Check(name)) {
        repr = PyUnicode_FromFormat("<weakref at %p; to '%s' at %p>", self,
                                    Py_TYPE(ob)->tp_name, ob);
    }
    else {
        repr = PyUnicode_FromFormat("<weakref at %p; to '%s' at %p (%U)>",
                                    self, Py_TYPE(ob)->tp_name, ob, name);
    }
    Py_DECREF(ob);
    Py_XDECREF(name);
    return repr;
}

/* Live references compare as their objects, dead ones by identity. */
static PyObject *
ref_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyWeakref_Check(self)
        || !PyWeakref_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *a = PyWeakref_GET_OBJECT(self);
    PyObject *b = PyWeakref_GET_OBJECT(other);
    if (a == Py_None || b == Py_None) {
        return PyBool_FromLong((self == other) == (op == Py_EQ));
    }
    Py_INCREF(a);
    Py_INCREF(b);
    PyObject *res = PyObject_RichCompare(a, b, op);
    Py_DECREF(a);
    Py_DECREF(b);
    return res;
}

/* The shared members of the list that begins with `head`. */
static void
basic_refs(PyWeakReference *head, PyWeakReference **ref,
           PyWeakReference **proxy)
{
    *ref = NULL;
    *proxy = NULL;
    if (head != NULL && head->wr_callback == NULL) {
        if (PyWeakref_CheckRefExact(head)) {
            *ref = head;
            head = head->wr_next;
        }
        if (head != NULL && head->wr_callback == NULL
            && PyWeakref_CheckProxy(head)) {
            *proxy = head;
        }
    }
}

static void
insert_after(PyWeakReference *self, PyWeakReference *prev)
{
    self->wr_prev = prev;
    self->wr_next = prev->wr_next;
    if (prev->wr_next != NULL) {
        prev->wr_next->wr_prev = self;
    }
    prev->wr_next = self;
}

static void
insert_head(PyWeakReference *self, PyWeakReference **list)
{
    self->wr_prev = NULL;
    self->wr_next = *list;
    if (*list != NULL) {
        (*list)->wr_prev = self;
    }
    *list = self;
}

static void
insert_other(PyWeakReference *self, PyWeakReference **list)
{
    PyWeakReference *ref, *proxy;
    basic_refs(*list, &ref, &proxy);
    PyWeakReference *prev = proxy != NULL ? proxy : ref;
    if (prev == NULL) {
        insert_head(self, list);
    }
    else {
        insert_after(self, prev);
    }
}

static PyWeakReference **
checked_list(PyObject *ob)
{
    if (!PyType_SUPPORTS_WEAKREFS(Py_TYPE(ob))) {
        PyErr_Format(PyExc_TypeError,
                     "cannot create weak reference to '%s' object",
                     Py_TYPE(ob)->tp_name);
        return NULL;
    }
    return list_of(ob);
}

static PyObject *
ref_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *ob, *callback = NULL;
    if (!PyArg_UnpackTuple(args, "__new__", 1, 2, &ob, &callback)) {
        return NULL;
    }
    PyWeakReference **list = checked_list(ob), *ref, *proxy;
    if (list == NULL) {
        return NULL;
    }
    if (callback == Py_None) {
        callback = NULL;
    }
    if (callback == NULL && type == &_PyWeakref_RefType) {
        return PyWeakref_NewRef(ob, NULL);
    }
    /* the allocation may run code that changes the list */
    PyWeakReference *self = (PyWeakReference *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    init_ref(self, ob, callback);
    basic_refs(*list, &ref, &proxy);
    insert_other(self, list);
    return (PyObject *)self;
}

static int
ref_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *ob, *callback = NULL;
    if (!_PyArg_NoKeywords("ref", kwargs)) {
        return -1;
    }
    return PyArg_UnpackTuple(args, "__init__", 1, 2, &ob, &callback) ? 0 : -1;
}

static PyMemberDef ref_members[] = {
    {"__callback__", T_OBJECT, offsetof(PyWeakReference, wr_callback),
     READONLY},
    {NULL},
};

static PyMethodDef ref_methods[] = {
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     "See PEP 585"},
    {NULL},
};

PyTypeObject _PyWeakref_RefType = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "weakref.ReferenceType",
    .tp_basicsize = sizeof(PyWeakReference),
    .tp_dealloc = ref_dealloc,
    .tp_vectorcall_offset = offsetof(PyWeakReference, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_repr = ref_repr,
    .tp_hash = (hashfunc)ref_hash,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC
                | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_BASETYPE,
    .tp_traverse = ref_traverse,
    .tp_clear = ref_clear,
    .tp_richcompare = ref_richcompare,
    .tp_methods = ref_methods,
    .tp_members = ref_members,
    .tp_init = ref_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = ref_new,
    .tp_free = PyObject_GC_Del,
};

PyObject *
PyWeakref_NewRef(PyObject *ob, PyObject *callback)
{
    PyWeakReference **list = checked_list(ob), *ref, *proxy;
    if (list == NULL) {
        return NULL;
    }
    if (callback == Py_None) {
        callback = NULL;
    }
    basic_refs(*list, &ref, &proxy);
    if (callback == NULL && ref != NULL) {
        return Py_NewRef((PyObject *)ref);
    }
    PyWeakReference *self = new_ref(&_PyWeakref_RefType, ob, callback);
    if (self == NULL) {
        return NULL;
    }
    if (callback != NULL) {
        insert_other(self, list);
        return (PyObject *)self;
    }
    /* the allocation may have collected garbage, and that made a ref */
    basic_refs(*list, &ref, &proxy);
    if (ref != NULL) {
        self->wr_object = Py_None; /* it is in no list */
        Py_DECREF(self);
        return Py_NewRef((PyObject *)ref);
    }
    insert_head(self, list);
    return (PyObject *)self;
}

PyObject *
PyWeakref_NewProxy(PyObject *ob, PyObject *callback)
{
    PyWeakReference **list = checked_list(ob), *ref, *proxy;
    if (list == NULL) {
        return NULL;
    }
    if (callback == Py_None) {
        callback = NULL;
    }
    basic_refs(*list, &ref, &proxy);
    if (callback == NULL && proxy != NULL) {
        return Py_NewRef((PyObject *)proxy);
    }
    PyTypeObject *type = PyCallable_Check(ob) ? &_PyWeakref_CallableProxyType
                                              : &_PyWeakref_ProxyType;
    PyWeakReference *self = new_ref(type, ob, callback);
    if (self == NULL) {
        return NULL;
    }
    if (callback != NULL) {
        insert_other(self, list);
        return (PyObject *)self;
    }
    basic_refs(*list, &ref, &proxy);
    if (proxy != NULL) {
        self->wr_object = Py_None;
        Py_DECREF(self);
        return Py_NewRef((PyObject *)proxy);
    }
    if (ref != NULL) {
        insert_after(self, ref);
    }
    else {
        insert_head(self, list);
    }
    return (PyObject *)self;
}

PyObject *
PyWeakref_GetObject(PyObject *ref)
{
    if (ref == NULL || !PyWeakref_Check(ref)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyWeakref_GET_OBJECT(ref);
}

/* --- the death of an object ---------------------------------------------- */

static void
call_back(PyObject *ref, PyObject *callback)
{
    PyObject *res = PyObject_CallOneArg(callback, ref);
    if (res == NULL) {
        PyErr_WriteUnraisable(callback);
    }
    Py_XDECREF(res);
}

static void
clear_one(PyWeakReference *ref)
{
    PyObject *callback = ref->wr_callback;
    ref->wr_callback = NULL;
    clear_ref(ref);
    if (callback != NULL) {
        if (Py_REFCNT(ref) > 0) {
            Py_INCREF(ref);
            call_back((PyObject *)ref, callback);
            Py_DECREF(ref);
        }
        Py_DECREF(callback);
    }
}

/* All references are cleared before the first callback runs. */
static void
clear_many(PyWeakReference *ref, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count * 2);
    if (tuple == NULL) {
        PyErr_WriteUnraisable(NULL);
        for (PyWeakReference *next; ref != NULL; ref = next) {
            next = ref->wr_next;
            clear_ref(ref);
        }
        return;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyWeakReference *next = ref->wr_next;
        PyObject *callback = ref->wr_callback;
        ref->wr_callback = NULL;
        clear_ref(ref);
        if (Py_REFCNT(ref) > 0) {
            PyTuple_SET_ITEM(tuple, i * 2, Py_NewRef((PyObject *)ref));
            PyTuple_SET_ITEM(tuple, i * 2 + 1, callback);
        }
        else {
            Py_XDECREF(callback);
        }
        ref = next;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *callback = PyTuple_GET_ITEM(tuple, i * 2 + 1);
        if (callback != NULL) {
            call_back(PyTuple_GET_ITEM(tuple, i * 2), callback);
        }
    }
    Py_DECREF(tuple);
}

void
PyObject_ClearWeakRefs(PyObject *object)
{
    if (object == NULL || !PyType_SUPPORTS_WEAKREFS(Py_TYPE(object))
        || Py_REFCNT(object) != 0) {
        PyErr_BadInternalCall();
        return;
    }
    PyWeakReference **list = list_of(object);
    /* the shared ones have no callback */
    if (*list != NULL && (*list)->wr_callback == NULL) {
        clear_ref(*list);
        if (*list != NULL && (*list)->wr_callback == NULL) {
            clear_ref(*list);
        }
    }
    if (*list == NULL) {
        return;
    }
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    Py_ssize_t count = _PyWeakref_GetWeakrefCount(*list);
    if (count == 1) {
        clear_one(*list);
    }
    else {
        clear_many(*list, count);
    }
    PyErr_Restore(type, value, tb);
}
