/* Life and death of instances of heap types: allocation, traversal, clearing,
 * deallocation with finalisers and resurrection.
 *
 * Guarantees: a finaliser runs before weak references die and before any
 * attribute goes; chains of instances are freed with bounded C stack. */
#include "base/common.h"
#include "memory/gc.h"
#include "objects/object.h"
#include "objects/shape.h"
#include "objects/type/type.h"

#include <structmember.h>

/* ---- allocation --------------------------------------------------------- */

PyObject *
PyType_GenericAlloc(PyTypeObject *type, Py_ssize_t nitems)
{
    if (KR_LIKELY(kr_has_shape(type))) {
        return kr_instance_new(type);
    }
    /* One item more than asked for: a sentinel that stays zero. */
    size_t size = (size_t)_PyObject_VAR_SIZE(type, nitems + 1);
    bool gc = PyType_IS_GC(type);
    PyObject *obj = gc ? kr_gc_malloc(size, 0) : PyObject_Malloc(size);
    if (obj == NULL) {
        return PyErr_NoMemory();
    }
    memset((void *)obj, 0, size);
    if (type->tp_itemsize != 0) {
        ((PyVarObject *)obj)->ob_size = nitems;
    }
    obj->ob_type = type;
    obj->ob_refcnt = 1;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        Py_INCREF(type);
    }
    if (gc) {
        kr_gc_track(obj);
    }
    return obj;
}

PyObject *
PyType_GenericNew(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    return type->tp_alloc(type, 0);
}

/* ---- members that hold objects ------------------------------------------ */

static inline PyObject **
member_at(PyObject *self, const PyMemberDef *m)
{
    return (PyObject **)((char *)self + m->offset);
}

static int
traverse_members(PyTypeObject *type, PyObject *self, visitproc visit,
                 void *arg)
{
    PyMemberDef *m = KR_HEAP_MEMBERS(type);
    for (Py_ssize_t n = Py_SIZE(type); n > 0; n--, m++) {
        if (m->type == T_OBJECT_EX) {
            Py_VISIT(*member_at(self, m));
        }
    }
    return 0;
}

static void
clear_members(PyTypeObject *type, PyObject *self)
{
    PyMemberDef *m = KR_HEAP_MEMBERS(type);
    for (Py_ssize_t n = Py_SIZE(type); n > 0; n--, m++) {
        if (m->type == T_OBJECT_EX && !(m->flags & READONLY)) {
            Py_CLEAR(*member_at(self, m));
        }
    }
}

/* ---- the collector's view ----------------------------------------------- */

int
kr_subtype_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyTypeObject *type = Py_TYPE(self);
    PyTypeObject *base = type;
    traverseproc base_traverse;
    while ((base_traverse = base->tp_traverse) == kr_subtype_traverse) {
        if (Py_SIZE(base)) {
            int err = traverse_members(base, self, visit, arg);
            if (err) {
                return err;
            }
        }
        base = base->tp_base;
    }
    if (kr_has_shape(type)) {
        int err = kr_instance_traverse(self, visit, arg);
        if (err) {
            return err;
        }
    }
    else if (type->tp_dictoffset != base->tp_dictoffset) {
        PyObject **ptr = kr_plain_dict_ptr(self);
        if (ptr != NULL) {
            Py_VISIT(*ptr);
        }
    }
    if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE)
        && (base_traverse == NULL
            || !(base->tp_flags & Py_TPFLAGS_HEAPTYPE))) {
        /* A heap base visits the type itself. */
        Py_VISIT(type);
    }
    return base_traverse == NULL ? 0 : base_traverse(self, visit, arg);
}

int
kr_subtype_clear(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyTypeObject *base = type;
    inquiry base_clear;
    while ((base_clear = base->tp_clear) == kr_subtype_clear) {
        if (Py_SIZE(base)) {
            clear_members(base, self);
        }
        base = base->tp_base;
    }
    if (kr_has_shape(type)) {
        kr_instance_clear(self);
    }
    else if (type->tp_dictoffset != base->tp_dictoffset) {
        PyObject **ptr = kr_plain_dict_ptr(self);
        if (ptr != NULL) {
            Py_CLEAR(*ptr);
        }
    }
    return base_clear == NULL ? 0 : base_clear(self);
}

/* ---- deallocation ------------------------------------------------------- */

static inline PyTypeObject *
c_base(PyTypeObject *type)
{
    while (type->tp_dealloc == kr_subtype_dealloc) {
        type = type->tp_base;
    }
    return type;
}

/* Frees through the C base. The type goes last, unless the base drops it. */
static void
dealloc_by_base(PyObject *self, PyTypeObject *base)
{
    PyTypeObject *type = Py_TYPE(self); /* a finaliser may have changed it */
    bool drop = (type->tp_flags & Py_TPFLAGS_HEAPTYPE)
                && !(base->tp_flags & Py_TPFLAGS_HEAPTYPE);
    base->tp_dealloc(self);
    if (drop) {
        Py_DECREF(type);
    }
}

/* Runs tp_finalize and tp_del; false if the object came back to life. */
static bool
run_finalizers(PyObject *self, PyTypeObject *type, PyTypeObject *base)
{
    bool gc = PyType_IS_GC(type);
    if (type->tp_finalize != NULL) {
        if (gc) {
            kr_gc_track(self);
        }
        if (PyObject_CallFinalizerFromDealloc(self) < 0) {
            return false;
        }
        if (gc) {
            kr_gc_untrack(self);
        }
    }
    if (type->tp_weaklistoffset && !base->tp_weaklistoffset) {
        PyObject_ClearWeakRefs(self);
    }
    if (type->tp_del != NULL) {
        if (gc) {
            kr_gc_track(self);
        }
        type->tp_del(self);
        if (Py_REFCNT(self) > 0) {
            return false;
        }
        if (gc) {
            kr_gc_untrack(self);
        }
        if (type->tp_weaklistoffset && !base->tp_weaklistoffset) {
            /* Made by tp_del: they die without their callbacks. */
            PyWeakReference **list =
                (PyWeakReference **)((char *)self + type->tp_weaklistoffset);
            while (*list != NULL) {
                _PyWeakref_ClearRef(*list);
            }
        }
    }
    return true;
}

static void
clear_attributes(PyObject *self, PyTypeObject *type)
{
    PyTypeObject *base = type;
    while (base->tp_dealloc == kr_subtype_dealloc) {
        if (Py_SIZE(base)) {
            clear_members(base, self);
        }
        base = base->tp_base;
    }
    if (kr_has_shape(type)) {
        kr_instance_clear(self);
    }
    else if (type->tp_dictoffset && !base->tp_dictoffset) {
        PyObject **ptr = kr_plain_dict_ptr(self);
        if (ptr != NULL) {
            Py_CLEAR(*ptr);
        }
    }
}

static void
dealloc_gc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyTypeObject *base = c_base(type);
    if ((type->tp_finalize != NULL || type->tp_del != NULL
         || type->tp_weaklistoffset)
        && !run_finalizers(self, type, base)) {
        return;
    }
    clear_attributes(self, type);
    if (PyType_IS_GC(base)) {
        kr_gc_track(self); /* the base's dealloc untracks */
    }
    dealloc_by_base(self, base);
}

void
kr_subtype_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (!PyType_IS_GC(type)) {
        /* Nothing added, so there is nothing of ours to clear. */
        if (type->tp_finalize != NULL
            && PyObject_CallFinalizerFromDealloc(self) < 0) {
            return;
        }
        if (type->tp_del != NULL) {
            type->tp_del(self);
            if (Py_REFCNT(self) > 0) {
                return;
            }
        }
        dealloc_by_base(self, c_base(type));
        return;
    }
    kr_gc_untrack(self);
    Py_TRASHCAN_BEGIN(self, kr_subtype_dealloc)
    dealloc_gc(self);
    Py_TRASHCAN_END
}
