/* From special methods back to slots: after a class is made, or one of its
 * special methods is assigned, its slots and those of its subclasses follow.
 *
 * Guarantees: a slot holds the C function itself when the special method is
 * just the wrapper of that function, so Python subclasses of C types keep the
 * speed of C where they override nothing. */
#include <string.h>

#include "base/common.h"
#include "objects/ids.h"
#include "objects/type/slot_funcs.h"
#include "objects/type/type.h"

/* ---- names -------------------------------------------------------------- */

/* Whether a name stands for more than one slot, one bit for each entry of
 * kr_slotdefs, which doesn't change. */
#define MAX_SLOTDEFS 192
static struct kr_slot_update_state {
    bool known;
    uint64_t shared[MAX_SLOTDEFS / 64];
} slot_update;

static bool
is_shared(struct wrapperbase *p)
{
    if (!slot_update.known) {
        slot_update.known = true;
        for (struct wrapperbase *a = kr_slotdefs; a->name != NULL; a++) {
            size_t i = (size_t)(a - kr_slotdefs);
            kr_assert(i < MAX_SLOTDEFS, "room for all slots");
            for (struct wrapperbase *b = kr_slotdefs; b->name != NULL; b++) {
                if (a != b && a->name_strobj == b->name_strobj) {
                    slot_update.shared[i / 64] |= (uint64_t)1 << (i % 64);
                }
            }
        }
    }
    size_t i = (size_t)(p - kr_slotdefs);
    return slot_update.shared[i / 64] >> (i % 64) & 1;
}

/* Which names a type and its bases may define: a bit for each of 1024 hash
 * values. Most special methods are defined by nobody, and one look here saves
 * one into each class's dict. */
struct name_filter {
    uint64_t bits[16];
};

static inline uint64_t
filter_bit(Py_hash_t hash, size_t *word)
{
    *word = (size_t)(hash >> 6) & 15;
    return (uint64_t)1 << (hash & 63);
}

static void
filter_fill(struct name_filter *f, PyTypeObject *type)
{
    memset(f, 0, sizeof(*f));
    PyObject *mro = type->tp_mro;
    Py_ssize_t n = mro == NULL ? 0 : PyTuple_GET_SIZE(mro);
    bool all = mro == NULL;
    for (Py_ssize_t i = 0; i < n && !all; i++) {
        PyObject *dict = ((PyTypeObject *)PyTuple_GET_ITEM(mro, i))->tp_dict;
        PyObject *key;
        Py_ssize_t at = 0;
        while (dict != NULL && PyDict_Next(dict, &at, &key, NULL)) {
            if (!PyUnicode_CheckExact(key)) {
                all = true; /* may be equal to anything */
                break;
            }
            size_t word;
            uint64_t bit = filter_bit(((PyASCIIObject *)key)->hash, &word);
            f->bits[word] |= bit;
        }
    }
    if (all) {
        memset(f, 0xff, sizeof(*f));
    }
}

static inline bool
filter_has(const struct name_filter *f, PyObject *name)
{
    Py_hash_t hash = ((PyASCIIObject *)name)->hash;
    size_t word;
    return hash == -1 || (filter_bit(hash, &word) & f->bits[word]) != 0;
}

/* ---- one slot ----------------------------------------------------------- */

/* The one filled slot of `type` among all that the name of `def` stands for;
 * NULL if none or more than one is filled. */
static void **
unique_slot(PyTypeObject *type, struct wrapperbase *def)
{
    PyObject *name = def->name_strobj;
    void **res = NULL;
    if (!is_shared(def)) {
        res = kr_slot_ptr(type, def->offset);
        return res == NULL || *res == NULL ? NULL : res;
    }
    for (struct wrapperbase *p = kr_slotdefs; p->name != NULL; p++) {
        if (p->name_strobj != name) {
            continue;
        }
        void **ptr = kr_slot_ptr(type, p->offset);
        if (ptr == NULL || *ptr == NULL) {
            continue;
        }
        if (res != NULL) {
            return NULL;
        }
        res = ptr;
    }
    return res;
}

/* What is known so far about one slot. */
struct choice {
    void *generic;
    void *specific;
    bool use_generic;
};

/* A slot wrapper was found: perhaps its C function can go into the slot. */
static void
consider_wrapper(PyTypeObject *type, void **ptr, struct wrapperbase *p,
                 PyWrapperDescrObject *d, struct choice *c)
{
    void **unique = unique_slot(type, p);
    if (unique == NULL || unique == ptr) {
        c->generic = p->function;
    }
    if ((c->specific == NULL || c->specific == d->d_wrapped)
        && d->d_base->wrapper == p->wrapper
        && PyType_IsSubtype(type, PyDescr_TYPE(d))) {
        c->specific = d->d_wrapped;
    }
    else {
        /* Two methods of one slot come from different places. */
        c->use_generic = true;
    }
}

static void
consider(PyTypeObject *type, void **ptr, struct wrapperbase *p,
         const struct name_filter *names, struct choice *c)
{
    int error = 0;
    PyObject *descr = filter_has(names, p->name_strobj)
                          ? kr_mro_find(type, p->name_strobj, &error)
                          : NULL;
    if (descr == NULL) {
        if (error < 0) {
            PyErr_Clear();
        }
        if (ptr == (void **)&type->tp_iternext) {
            c->specific = (void *)_PyObject_NextNotImplemented;
        }
        return;
    }
    if (Py_IS_TYPE(descr, &PyWrapperDescr_Type)
        && ((PyWrapperDescrObject *)descr)->d_base->name_strobj
               == p->name_strobj) {
        consider_wrapper(type, ptr, p, (PyWrapperDescrObject *)descr, c);
    }
    else if (Py_IS_TYPE(descr, &PyCFunction_Type)
             && PyCFunction_GET_FUNCTION(descr)
                    == (PyCFunction)(void *)kr_tp_new_wrapper
             && ptr == (void **)&type->tp_new) {
        /* The __new__ of a C type; tp_new was inherited along with it. */
        c->specific = (void *)type->tp_new;
    }
    else if (descr == Py_None && ptr == (void **)&type->tp_hash) {
        c->specific = (void *)PyObject_HashNotImplemented;
    }
    else {
        c->use_generic = true;
        c->generic = p->function;
        if (p->function == (void *)kr_slot_tp_call) {
            /* The inherited vectorcall function would bypass __call__. */
            type->tp_flags &= ~Py_TPFLAGS_HAVE_VECTORCALL;
        }
    }
}

/* Sets the slot of `p`, which is the first of its offset; gives the first of
 * the next offset. */
static struct wrapperbase *
update_one(PyTypeObject *type, struct wrapperbase *p,
           const struct name_filter *names)
{
    int offset = p->offset;
    void **ptr = kr_slot_ptr(type, offset);
    if (ptr == NULL) {
        while (p->name != NULL && p->offset == offset) {
            p++;
        }
        return p;
    }
    struct choice c = {NULL, NULL, false};
    for (; p->name != NULL && p->offset == offset; p++) {
        consider(type, ptr, p, names, &c);
    }
    *ptr = c.specific != NULL && !c.use_generic ? c.specific : c.generic;
    return p;
}

void
kr_type_fix_slots(PyTypeObject *type)
{
    struct name_filter names;
    filter_fill(&names, type);
    for (struct wrapperbase *p = kr_slotdefs; p->name != NULL;) {
        p = update_one(type, p, &names);
    }
}

/* Most offsets one name stands for: __getitem__ and the like. */
#define MAX_SAME 8

static int
update_tree(PyTypeObject *type, PyObject *name, struct wrapperbase **list)
{
    struct name_filter names;
    filter_fill(&names, type);
    for (struct wrapperbase **pp = list; *pp != NULL; pp++) {
        update_one(type, *pp, &names);
    }
    if (type->tp_subclasses == NULL) {
        return 0;
    }
    PyObject *subs = kr_type_subclasses(type);
    if (subs == NULL) {
        return -1;
    }
    int res = 0;
    for (Py_ssize_t i = 0; res == 0 && i < PyList_GET_SIZE(subs); i++) {
        PyTypeObject *sub = (PyTypeObject *)PyList_GET_ITEM(subs, i);
        PyObject *dict = sub->tp_dict;
        if (dict != NULL && PyDict_Check(dict)) {
            int own = PyDict_Contains(dict, name);
            if (own != 0) {
                res = own < 0 ? -1 : 0;
                continue; /* it overrides the name itself */
            }
        }
        res = update_tree(sub, name, list);
    }
    Py_DECREF(subs);
    return res;
}

int
kr_type_update_slot(PyTypeObject *type, PyObject *name)
{
    struct wrapperbase *list[MAX_SAME + 1];
    int n = 0;
    for (struct wrapperbase *p = kr_slotdefs; p->name != NULL; p++) {
        if (p->name_strobj != name || n == MAX_SAME) {
            continue;
        }
        struct wrapperbase *first = p;
        while (first > kr_slotdefs && first[-1].offset == p->offset) {
            first--;
        }
        list[n++] = first;
    }
    list[n] = NULL;
    return n == 0 ? 0 : update_tree(type, name, list);
}

void
kr_type_update_all_slots(PyTypeObject *type)
{
    PyType_Modified(type);
    for (struct wrapperbase *p = kr_slotdefs; p->name != NULL; p++) {
        if (kr_type_update_slot(type, p->name_strobj) < 0) {
            PyErr_Clear();
        }
    }
}
