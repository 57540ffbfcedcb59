/* Types made from a PyType_Spec at run time, and what C code asks of types. */
#include "base/common.h"
#include "objects/ids.h"
#include "objects/object.h"
#include "objects/type/type.h"

#include <structmember.h>

/* ---- slot ids ----------------------------------------------------------- */

#define AT(field) offsetof(PyHeapTypeObject, field)

/* Where the slot of each id is; 0 for ids that do not exist (offset 0 is the
 * reference count, which is no slot). */
static const short slot_offsets[] = {
    [Py_bf_getbuffer] = AT(as_buffer.bf_getbuffer),
    [Py_bf_releasebuffer] = AT(as_buffer.bf_releasebuffer),
    [Py_mp_ass_subscript] = AT(as_mapping.mp_ass_subscript),
    [Py_mp_length] = AT(as_mapping.mp_length),
    [Py_mp_subscript] = AT(as_mapping.mp_subscript),
    [Py_nb_absolute] = AT(as_number.nb_absolute),
    [Py_nb_add] = AT(as_number.nb_add),
    [Py_nb_and] = AT(as_number.nb_and),
    [Py_nb_bool] = AT(as_number.nb_bool),
    [Py_nb_divmod] = AT(as_number.nb_divmod),
    [Py_nb_float] = AT(as_number.nb_float),
    [Py_nb_floor_divide] = AT(as_number.nb_floor_divide),
    [Py_nb_index] = AT(as_number.nb_index),
    [Py_nb_inplace_add] = AT(as_number.nb_inplace_add),
    [Py_nb_inplace_and] = AT(as_number.nb_inplace_and),
    [Py_nb_inplace_floor_divide] = AT(as_number.nb_inplace_floor_divide),
    [Py_nb_inplace_lshift] = AT(as_number.nb_inplace_lshift),
    [Py_nb_inplace_multiply] = AT(as_number.nb_inplace_multiply),
    [Py_nb_inplace_or] = AT(as_number.nb_inplace_or),
    [Py_nb_inplace_power] = AT(as_number.nb_inplace_power),
    [Py_nb_inplace_remainder] = AT(as_number.nb_inplace_remainder),
    [Py_nb_inplace_rshift] = AT(as_number.nb_inplace_rshift),
    [Py_nb_inplace_subtract] = AT(as_number.nb_inplace_subtract),
    [Py_nb_inplace_true_divide] = AT(as_number.nb_inplace_true_divide),
    [Py_nb_inplace_xor] = AT(as_number.nb_inplace_xor),
    [Py_nb_int] = AT(as_number.nb_int),
    [Py_nb_invert] = AT(as_number.nb_invert),
    [Py_nb_lshift] = AT(as_number.nb_lshift),
    [Py_nb_multiply] = AT(as_number.nb_multiply),
    [Py_nb_negative] = AT(as_number.nb_negative),
    [Py_nb_or] = AT(as_number.nb_or),
    [Py_nb_positive] = AT(as_number.nb_positive),
    [Py_nb_power] = AT(as_number.nb_power),
    [Py_nb_remainder] = AT(as_number.nb_remainder),
    [Py_nb_rshift] = AT(as_number.nb_rshift),
    [Py_nb_subtract] = AT(as_number.nb_subtract),
    [Py_nb_true_divide] = AT(as_number.nb_true_divide),
    [Py_nb_xor] = AT(as_number.nb_xor),
    [Py_nb_matrix_multiply] = AT(as_number.nb_matrix_multiply),
    [Py_nb_inplace_matrix_multiply] = AT(as_number.nb_inplace_matrix_multiply),
    [Py_sq_ass_item] = AT(as_sequence.sq_ass_item),
    [Py_sq_concat] = AT(as_sequence.sq_concat),
    [Py_sq_contains] = AT(as_sequence.sq_contains),
    [Py_sq_inplace_concat] = AT(as_sequence.sq_inplace_concat),
    [Py_sq_inplace_repeat] = AT(as_sequence.sq_inplace_repeat),
    [Py_sq_item] = AT(as_sequence.sq_item),
    [Py_sq_length] = AT(as_sequence.sq_length),
    [Py_sq_repeat] = AT(as_sequence.sq_repeat),
    [Py_am_await] = AT(as_async.am_await),
    [Py_am_aiter] = AT(as_async.am_aiter),
    [Py_am_anext] = AT(as_async.am_anext),
    [Py_am_send] = AT(as_async.am_send),
    [Py_tp_base] = AT(ht_type.tp_base),
    [Py_tp_bases] = AT(ht_type.tp_bases),
    [Py_tp_dealloc] = AT(ht_type.tp_dealloc),
    [Py_tp_getattr] = AT(ht_type.tp_getattr),
    [Py_tp_getattro] = AT(ht_type.tp_getattro),
    [Py_tp_setattr] = AT(ht_type.tp_setattr),
    [Py_tp_setattro] = AT(ht_type.tp_setattro),
    [Py_tp_alloc] = AT(ht_type.tp_alloc),
    [Py_tp_call] = AT(ht_type.tp_call),
    [Py_tp_clear] = AT(ht_type.tp_clear),
    [Py_tp_del] = AT(ht_type.tp_del),
    [Py_tp_descr_get] = AT(ht_type.tp_descr_get),
    [Py_tp_descr_set] = AT(ht_type.tp_descr_set),
    [Py_tp_doc] = AT(ht_type.tp_doc),
    [Py_tp_hash] = AT(ht_type.tp_hash),
    [Py_tp_init] = AT(ht_type.tp_init),
    [Py_tp_is_gc] = AT(ht_type.tp_is_gc),
    [Py_tp_iter] = AT(ht_type.tp_iter),
    [Py_tp_iternext] = AT(ht_type.tp_iternext),
    [Py_tp_methods] = AT(ht_type.tp_methods),
    [Py_tp_new] = AT(ht_type.tp_new),
    [Py_tp_repr] = AT(ht_type.tp_repr),
    [Py_tp_richcompare] = AT(ht_type.tp_richcompare),
    [Py_tp_str] = AT(ht_type.tp_str),
    [Py_tp_traverse] = AT(ht_type.tp_traverse),
    [Py_tp_members] = AT(ht_type.tp_members),
    [Py_tp_getset] = AT(ht_type.tp_getset),
    [Py_tp_free] = AT(ht_type.tp_free),
    [Py_tp_finalize] = AT(ht_type.tp_finalize),
};

static bool
valid_slot(int id)
{
    return id > 0 && id < (int)KR_ARRAY_LEN(slot_offsets)
           && slot_offsets[id] != 0;
}

void *
PyType_GetSlot(PyTypeObject *type, int slot)
{
    if (!valid_slot(slot)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    void **ptr = kr_slot_ptr(type, slot_offsets[slot]);
    return ptr == NULL ? NULL : *ptr;
}

/* ---- making ------------------------------------------------------------- */

/* What the slots of a spec say besides plain slots. */
struct spec_info {
    PyMemberDef *members;
    Py_ssize_t nmembers;
    PyTypeObject *base;
    PyObject *bases;
    Py_ssize_t weaklist;
    Py_ssize_t dict;
    Py_ssize_t vectorcall;
};

static int
scan_slots(PyType_Spec *spec, struct spec_info *info)
{
    for (const PyType_Slot *s = spec->slots; s->slot; s++) {
        if (!valid_slot(s->slot)) {
            PyErr_SetString(PyExc_RuntimeError, "invalid slot offset");
            return -1;
        }
        if (s->slot == Py_tp_base) {
            info->base = s->pfunc;
        }
        else if (s->slot == Py_tp_bases) {
            info->bases = s->pfunc;
        }
        else if (s->slot == Py_tp_members) {
            info->members = s->pfunc;
        }
    }
    for (PyMemberDef *m = info->members; m && m->name; m++) {
        info->nmembers++;
        if (strcmp(m->name, "__weaklistoffset__") == 0) {
            info->weaklist = m->offset;
        }
        else if (strcmp(m->name, "__dictoffset__") == 0) {
            info->dict = m->offset;
        }
        else if (strcmp(m->name, "__vectorcalloffset__") == 0) {
            info->vectorcall = m->offset;
        }
    }
    return 0;
}

/* The tuple of bases as a new reference. */
static PyObject *
choose_bases(PyObject *bases, struct spec_info *info)
{
    if (bases == NULL) {
        bases = info->bases;
    }
    if (bases == NULL) {
        PyTypeObject *base =
            info->base == NULL ? &PyBaseObject_Type : info->base;
        return PyTuple_Pack(1, base);
    }
    if (PyTuple_Check(bases)) {
        return Py_NewRef(bases);
    }
    return PyTuple_Pack(1, bases);
}

static int
set_names(PyHeapTypeObject *et, const char *name)
{
    const char *dot = strrchr(name, '.');
    et->ht_name = PyUnicode_FromString(dot == NULL ? name : dot + 1);
    if (et->ht_name == NULL) {
        return -1;
    }
    et->ht_qualname = Py_NewRef(et->ht_name);
    /* The spec may live on the caller's stack. */
    size_t n = strlen(name) + 1;
    et->_ht_tpname = PyMem_Malloc(n);
    if (et->_ht_tpname == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    et->ht_type.tp_name = memcpy(et->_ht_tpname, name, n);
    return 0;
}

static int
set_doc(PyTypeObject *type, const char *doc)
{
    if (doc == NULL) {
        type->tp_doc = NULL;
        return 0;
    }
    size_t n = strlen(doc) + 1;
    char *copy = PyObject_Malloc(n);
    if (copy == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    type->tp_doc = memcpy(copy, doc, n);
    return 0;
}

static int
copy_slots(PyHeapTypeObject *et, PyType_Spec *spec, struct spec_info *info)
{
    PyTypeObject *type = &et->ht_type;
    for (const PyType_Slot *s = spec->slots; s->slot; s++) {
        switch (s->slot) {
        case Py_tp_base:
        case Py_tp_bases:
            break; /* seen already */
        case Py_tp_doc:
            if (set_doc(type, s->pfunc) < 0) {
                return -1;
            }
            break;
        case Py_tp_members: {
            PyMemberDef *own = KR_HEAP_MEMBERS(et);
            memcpy(own, info->members,
                   sizeof(PyMemberDef) * (size_t)info->nmembers);
            type->tp_members = own;
            break;
        }
        default:
            *(void **)((char *)et + slot_offsets[s->slot]) = s->pfunc;
        }
    }
    return 0;
}

/* __module__ from the part of the name before the last dot. */
static int
set_module(PyTypeObject *type)
{
    const char *dot = strrchr(type->tp_name, '.');
    if (dot == NULL) {
        return PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                                "builtin type %.200s has no __module__ "
                                "attribute",
                                type->tp_name);
    }
    int has = PyDict_Contains(type->tp_dict, KR_ID(__module__));
    if (has != 0) {
        return has < 0 ? -1 : 0;
    }
    PyObject *mod =
        PyUnicode_FromStringAndSize(type->tp_name, dot - type->tp_name);
    if (mod == NULL) {
        return -1;
    }
    int res = PyDict_SetItem(type->tp_dict, KR_ID(__module__), mod);
    Py_DECREF(mod);
    return res;
}

static int
fill(PyHeapTypeObject *et, PyType_Spec *spec, struct spec_info *info,
     PyObject *bases, PyTypeObject *base)
{
    PyTypeObject *type = &et->ht_type;
    type->tp_flags = spec->flags | Py_TPFLAGS_HEAPTYPE;
    type->tp_as_async = &et->as_async;
    type->tp_as_number = &et->as_number;
    type->tp_as_sequence = &et->as_sequence;
    type->tp_as_mapping = &et->as_mapping;
    type->tp_as_buffer = &et->as_buffer;
    type->tp_bases = Py_NewRef(bases);
    type->tp_base = (PyTypeObject *)Py_NewRef((PyObject *)base);
    type->tp_basicsize = spec->basicsize;
    type->tp_itemsize = spec->itemsize;
    if (set_names(et, spec->name) < 0 || copy_slots(et, spec, info) < 0) {
        return -1;
    }
    if (type->tp_dealloc == NULL) {
        type->tp_dealloc = kr_subtype_dealloc;
    }
    type->tp_vectorcall_offset = info->vectorcall;
    type->tp_weaklistoffset = info->weaklist;
    type->tp_dictoffset = info->dict;
    if (PyType_Ready(type) < 0) {
        return -1;
    }
    return set_module(type);
}

PyObject *
PyType_FromModuleAndSpec(PyObject *module, PyType_Spec *spec, PyObject *bases)
{
    struct spec_info info = {0};
    if (spec->name == NULL) {
        PyErr_SetString(PyExc_SystemError,
                        "Type spec does not define the name field.");
        return NULL;
    }
    if (scan_slots(spec, &info) < 0) {
        return NULL;
    }
    bases = choose_bases(bases, &info);
    if (bases == NULL) {
        return NULL;
    }
    PyHeapTypeObject *et = NULL;
    PyTypeObject *base = kr_best_base(bases);
    if (base != NULL) {
        et = (PyHeapTypeObject *)PyType_GenericAlloc(&PyType_Type,
                                                     info.nmembers);
    }
    if (et != NULL) {
        et->ht_module = Py_XNewRef(module);
        if (fill(et, spec, &info, bases, base) < 0) {
            Py_CLEAR(et);
        }
    }
    Py_DECREF(bases);
    return (PyObject *)et;
}

PyObject *
PyType_FromSpecWithBases(PyType_Spec *spec, PyObject *bases)
{
    return PyType_FromModuleAndSpec(NULL, spec, bases);
}

PyObject *
PyType_FromSpec(PyType_Spec *spec)
{
    return PyType_FromModuleAndSpec(NULL, spec, NULL);
}

/* ---- the module of a type ----------------------------------------------- */

PyObject *
PyType_GetModule(PyTypeObject *type)
{
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        PyErr_Format(PyExc_TypeError,
                     "PyType_GetModule: Type '%s' is not a heap type",
                     type->tp_name);
        return NULL;
    }
    PyHeapTypeObject *et = (PyHeapTypeObject *)type;
    if (et->ht_module == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "PyType_GetModule: Type '%s' has no associated module",
                     type->tp_name);
    }
    return et->ht_module;
}

void *
PyType_GetModuleState(PyTypeObject *type)
{
    PyObject *m = PyType_GetModule(type);
    return m == NULL ? NULL : PyModule_GetState(m);
}

PyObject *
PyType_GetModuleByDef(PyTypeObject *type, PyModuleDef *def)
{
    PyObject *mro = type->tp_mro;
    Py_ssize_t n = mro == NULL ? 0 : PyTuple_GET_SIZE(mro);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTypeObject *t = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (!(t->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
            continue;
        }
        PyObject *m = ((PyHeapTypeObject *)t)->ht_module;
        if (m != NULL && PyModule_Check(m) && PyModule_GetDef(m) == def) {
            return m;
        }
    }
    PyErr_Format(PyExc_TypeError,
                 "PyType_GetModuleByDef: No superclass of '%s' has the "
                 "given module",
                 type->tp_name);
    return NULL;
}
