/* What the files of the type machinery share, and what others may use of it.
 */
#ifndef KR_OBJECTS_TYPE_TYPE_H
#define KR_OBJECTS_TYPE_TYPE_H

#include <Python.h>
#include <stdbool.h>

/* Makes every type of builtin_types.def ready, in order. 0, or -1 with an
 * exception set. */
int kr_types_init(void);

/* ---- lookup.c ----------------------------------------------------------- */

/* Gives the type a valid version tag if possible; false when tags ran out or
 * the type is not ready. */
bool kr_type_assign_version(PyTypeObject *type);

/* type.__getattribute__; the plain slot and one that can return NULL without
 * an AttributeError (quiet). New reference. */
PyObject *kr_type_getattro(PyObject *type, PyObject *name);
PyObject *kr_type_getattr(PyTypeObject *type, PyObject *name, bool quiet);

/* A function called when something that is cached about a type may change;
 * the type's version tag is still the old one. Watchers must not fail. */
typedef void (*kr_type_watcher)(PyTypeObject *type);

/* Registers a watcher for the life of the process. 0, or -1 when full. */
int kr_type_watch(kr_type_watcher func);

/* Drops all entries of the method cache. */
void kr_type_cache_clear(void);

/* Error of looking up an attribute in the dicts along the MRO, uncached:
 * borrowed value, NULL with *error 0 (missing) or -1 (exception set). */
PyObject *kr_mro_find(PyTypeObject *type, PyObject *name, int *error);

/* ---- slots.c, slot_update.c --------------------------------------------- */

/* The one slot table, in order of offset, ending with a NULL name. */
extern struct wrapperbase kr_slotdefs[];

/* Where a slot at an offset into PyHeapTypeObject is for `type`, or NULL if
 * the type lacks the sub-table. */
void **kr_slot_ptr(PyTypeObject *type, int offset);

/* Puts wrapper descriptors for the slots the type fills into its dict. */
int kr_type_add_wrappers(PyTypeObject *type);

/* Puts __new__ into the dict of a type with tp_new, if it has none. */
int kr_type_add_new(PyTypeObject *type);

/* Sets all slots of a new heap type from what its dict and bases define. */
void kr_type_fix_slots(PyTypeObject *type);

/* The dunder attribute `name` of `type` changed: updates the slots of the
 * type and of its subclasses. 0 or -1 with an exception. */
int kr_type_update_slot(PyTypeObject *type, PyObject *name);
void kr_type_update_all_slots(PyTypeObject *type);

/* C function behind every built-in __new__. */
PyObject *kr_tp_new_wrapper(PyObject *self, PyObject *args, PyObject *kwds);

/* ---- mro.c -------------------------------------------------------------- */

/* Computes and installs tp_mro. 1 installed, 0 a nested call did it already,
 * -1 failure. The old one goes to *old (new reference) if old is not NULL. */
int kr_mro_install(PyTypeObject *type, PyObject **old);

/* type.mro(): a new list. */
PyObject *kr_type_mro_method(PyObject *self, PyObject *unused);

/* ---- layout.c ----------------------------------------------------------- */

/* The nearest base that decides the C layout. Borrowed. */
PyTypeObject *kr_solid_base(PyTypeObject *type);

/* The base whose layout an heir of all `bases` extends; NULL with TypeError
 * if there is none. Borrowed. */
PyTypeObject *kr_best_base(PyObject *bases);

/* Whether instances of one may become instances of the other; TypeError
 * naming `attr` if not. */
bool kr_compatible_for_assignment(PyTypeObject *from, PyTypeObject *to,
                                  const char *attr);

/* Getsets that class statements add for __dict__ and __weakref__. */
extern PyGetSetDef kr_subtype_getset_full[];
extern PyGetSetDef kr_subtype_getset_dict[];
extern PyGetSetDef kr_subtype_getset_weak[];

/* ---- subtype.c ---------------------------------------------------------- */

void kr_subtype_dealloc(PyObject *self);
int kr_subtype_traverse(PyObject *self, visitproc visit, void *arg);
int kr_subtype_clear(PyObject *self);

/* ---- ready.c ------------------------------------------------------------ */

int kr_type_add_subclass(PyTypeObject *base, PyTypeObject *type);
void kr_type_remove_subclasses(PyTypeObject *type, PyObject *bases);
/* Every live direct subclass, as a new list. */
PyObject *kr_type_subclasses(PyTypeObject *type);

/* ---- new.c -------------------------------------------------------------- */

PyObject *kr_type_new(PyTypeObject *metatype, PyObject *args, PyObject *kwds);

/* ---- object_methods.c --------------------------------------------------- */

PyObject *kr_object_new(PyTypeObject *type, PyObject *args, PyObject *kwds);
int kr_object_init(PyObject *self, PyObject *args, PyObject *kwds);
PyObject *kr_object_reduce_ex(PyObject *self, PyObject *protocol);
PyObject *kr_object_reduce(PyObject *self, PyObject *unused);
PyObject *kr_object_getstate(PyObject *self, PyObject *unused);

/* The part of tp_name behind the last dot. */
const char *kr_short_name(PyTypeObject *type);

/* type.__module__ as a new reference. */
PyObject *kr_type_module(PyTypeObject *type);

/* "module.qualname", or tp_name if there is no module to tell or it is
 * builtins; new reference, NULL with an exception. */
PyObject *kr_type_full_name(PyTypeObject *type);

/* First member definition behind a heap type object. */
#define KR_HEAP_MEMBERS(et)                                                    \
    ((PyMemberDef *)((char *)(et) + Py_TYPE(et)->tp_basicsize))

#endif
