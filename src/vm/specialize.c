/* Choosing the special form of an instruction. See specialize.h. */
#include "vm/specialize.h"

#include <opcode.h>
#include <structmember.h>

#include "base/common.h"
#include "code/code.h"
#include "objects/dict.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "objects/shape.h"
#include "vm/function.h"

struct kr_spec_state kr_spec;

static void
chosen(_Py_CODEUNIT *instr, int opcode)
{
    instr[0] = KR_UNIT(opcode, KR_OPARG(instr[0]));
    instr[1] = KR_COUNTER(KR_MISSES, 0);
}

static void
failed(_Py_CODEUNIT *instr)
{
    int backoff = instr[1] & ((1 << KR_BACKOFF_BITS) - 1);
    backoff = backoff < KR_MAX_BACKOFF ? backoff + 1 : KR_MAX_BACKOFF;
    instr[1] = KR_COUNTER(((1 << backoff) - 1) & 0xfff, backoff);
}

static void
write_u32(_Py_CODEUNIT *p, uint32_t v)
{
    memcpy(p, &v, sizeof(v));
}

static void
write_ptr(_Py_CODEUNIT *p, PyObject *v)
{
    memcpy(p, &v, sizeof(v));
}

/* Entry index of an interned name in a dict with str keys, or -1. */
static Py_ssize_t
index_of(PyObject *dict, PyObject *name)
{
    if (dict == NULL || !PyDict_CheckExact(dict) ||
        !kr_dict_has_str_keys((PyDictObject *)dict)) {
        return -1;
    }
    Py_hash_t hash = PyObject_Hash(name);
    Py_ssize_t index =
        kr_dict_lookup_index((PyDictObject *)dict, name, hash);
    return index < 0 || index > UINT16_MAX ? -1 : index;
}

void
kr_specialize_load_global(PyObject *globals, PyObject *builtins,
                          _Py_CODEUNIT *instr, PyObject *name)
{
    /* cache: counter, index, module version (2), builtins version */
    if (!PyDict_CheckExact(globals) ||
        !kr_dict_has_str_keys((PyDictObject *)globals)) {
        goto fail;
    }
    Py_ssize_t index = index_of(globals, name);
    uint32_t version = kr_dict_keys_version((PyDictObject *)globals);
    if (version == 0) {
        goto fail;
    }
    if (index >= 0) {
        instr[2] = (_Py_CODEUNIT)index;
        write_u32(instr + 3, version);
        chosen(instr, LOAD_GLOBAL_MODULE);
        return;
    }
    index = index_of(builtins, name);
    if (index < 0) {
        goto fail;
    }
    uint32_t outer = kr_dict_keys_version((PyDictObject *)builtins);
    if (outer == 0 || outer > UINT16_MAX) {
        goto fail;
    }
    instr[2] = (_Py_CODEUNIT)index;
    write_u32(instr + 3, version);
    instr[5] = (_Py_CODEUNIT)outer;
    chosen(instr, LOAD_GLOBAL_BUILTIN);
    return;
fail:
    failed(instr);
}

/* The version of a type, assigned by looking something up; 0: none. */
static uint32_t
type_version(PyTypeObject *type, PyObject *name, PyObject **found)
{
    *found = _PyType_Lookup(type, name);
    return type->tp_flags & Py_TPFLAGS_VALID_VERSION_TAG
               ? type->tp_version_tag
               : 0;
}

static bool
module_attr(PyObject *owner, PyObject *name, uint32_t *version,
            Py_ssize_t *index)
{
    if (!PyModule_CheckExact(owner) ||
        _PyType_Lookup(&PyModule_Type, name) != NULL) {
        return false;
    }
    PyObject *dict = PyModule_GetDict(owner);
    *index = index_of(dict, name);
    *version = *index < 0 ? 0 : kr_dict_keys_version((PyDictObject *)dict);
    return *version != 0;
}

/* Whether a class attribute is a data descriptor, or may become one: the
 * holder's version does not tell when the attribute's own class changes. */
static bool
maybe_data_descriptor(PyObject *descr)
{
    return descr != NULL
           && (Py_TYPE(descr)->tp_descr_set != NULL
               || !PyType_HasFeature(Py_TYPE(descr),
                                     Py_TPFLAGS_IMMUTABLETYPE));
}

/* Offset of a __slots__ member that may be read inline, or -1. */
static Py_ssize_t
slot_offset(PyObject *descr, PyTypeObject *type)
{
    if (descr == NULL || !Py_IS_TYPE(descr, &PyMemberDescr_Type)) {
        return -1;
    }
    PyMemberDescrObject *member = (PyMemberDescrObject *)descr;
    PyMemberDef *def = member->d_member;
    if (def->type != T_OBJECT_EX || def->flags != 0 || def->offset < 0 ||
        def->offset > UINT16_MAX ||
        !PyType_IsSubtype(type, PyDescr_TYPE(descr))) {
        return -1;
    }
    return def->offset;
}

/* How to read or write attribute `name` of instances like `owner`. */
static int
instance_attr(PyObject *owner, PyTypeObject *type, PyObject *name,
              int value_op, int hint_op, Py_ssize_t *index)
{
    if (!kr_has_shape(type)) {
        return 0;
    }
    if (kr_instance_values(owner) != NULL) {
        *index = kr_shape_index(type, name);
        return *index < 0 ? 0 : value_op;
    }
    PyObject *dict = *kr_instance_dict_slot(owner);
    *index = index_of(dict, name);
    return *index < 0 ? 0 : hint_op;
}

/* Whether the attribute is the class that every object's header names. */
static bool
is_class_getter(PyObject *descr, PyObject *name)
{
    return descr != NULL && Py_IS_TYPE(descr, &PyGetSetDescr_Type) &&
           PyDescr_TYPE(descr) == &PyBaseObject_Type &&
           _PyUnicode_EqualToASCIIString(name, "__class__");
}

/* How to read or write attribute `name` of an object whose type does so in the
 * default way: a form or 0. */
static int
object_attr(PyObject *owner, PyObject *name, bool store, uint32_t *version,
            Py_ssize_t *index)
{
    PyTypeObject *type = Py_TYPE(owner);
    PyObject *descr;
    *version = type_version(type, name, &descr);
    if (*version == 0) {
        return 0;
    }
    *index = !store && is_class_getter(descr, name)
                 ? (Py_ssize_t)offsetof(PyObject, ob_type)
                 : slot_offset(descr, type);
    if (*index >= 0) {
        return store ? STORE_ATTR_SLOT : LOAD_ATTR_SLOT;
    }
    if (maybe_data_descriptor(descr)) {
        return 0;
    }
    return store ? instance_attr(owner, type, name, STORE_ATTR_INSTANCE_VALUE,
                                 STORE_ATTR_WITH_HINT, index)
                 : instance_attr(owner, type, name, LOAD_ATTR_INSTANCE_VALUE,
                                 LOAD_ATTR_WITH_HINT, index);
}

/* Takes a form of LOAD_ATTR or STORE_ATTR, unless it is 0. The cache of both:
 * counter, version (2), index. */
static void
choose_attr(_Py_CODEUNIT *instr, int op, uint32_t version, Py_ssize_t index)
{
    if (op == 0) {
        failed(instr);
        return;
    }
    write_u32(instr + 2, version);
    instr[4] = (_Py_CODEUNIT)index;
    chosen(instr, op);
}

void
kr_specialize_load_attr(PyObject *owner, _Py_CODEUNIT *instr, PyObject *name)
{
    Py_ssize_t index = -1;
    uint32_t version = 0;
    int op = 0;
    if (module_attr(owner, name, &version, &index)) {
        op = LOAD_ATTR_MODULE;
    }
    else if (Py_TYPE(owner)->tp_getattro == PyObject_GenericGetAttr &&
             !PyModule_Check(owner)) {
        op = object_attr(owner, name, false, &version, &index);
    }
    choose_attr(instr, op, version, index);
}

void
kr_specialize_store_attr(PyObject *owner, _Py_CODEUNIT *instr, PyObject *name)
{
    Py_ssize_t index = -1;
    uint32_t version = 0;
    int op = 0;
    if (Py_TYPE(owner)->tp_setattro == PyObject_GenericSetAttr &&
        !PyModule_Check(owner)) {
        op = object_attr(owner, name, true, &version, &index);
    }
    choose_attr(instr, op, version, index);
}

/* cache of LOAD_METHOD: counter 1, version 2-3, dict offset 4, keys version
 * 5-6, descriptor 7-10 */
static bool
class_method(PyObject *owner, _Py_CODEUNIT *instr, PyObject *name)
{
    PyTypeObject *type = (PyTypeObject *)owner;
    if (!PyType_Check(owner) || Py_TYPE(owner) != &PyType_Type ||
        _PyType_Lookup(&PyType_Type, name) != NULL) {
        return false;
    }
    PyObject *descr;
    uint32_t version = type_version(type, name, &descr);
    if (version == 0 || descr == NULL) {
        return false;
    }
    if (!PyFunction_Check(descr)
        && (Py_TYPE(descr)->tp_descr_get != NULL
            || !PyType_HasFeature(Py_TYPE(descr),
                                  Py_TPFLAGS_IMMUTABLETYPE))) {
        return false;
    }
    write_u32(instr + 2, version);
    write_ptr(instr + 7, descr);
    chosen(instr, LOAD_METHOD_CLASS);
    return true;
}

static bool
instance_method(PyObject *owner, _Py_CODEUNIT *instr, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(owner);
    if (type->tp_getattro != PyObject_GenericGetAttr) {
        return false;
    }
    PyObject *descr;
    uint32_t version = type_version(type, name, &descr);
    if (version == 0 || descr == NULL ||
        !PyType_HasFeature(Py_TYPE(descr), Py_TPFLAGS_METHOD_DESCRIPTOR)) {
        return false;
    }
    int op;
    uint32_t keys = 0;
    if (!kr_has_shape(type)) {
        if (type->tp_dictoffset != 0) {
            return false;
        }
        op = LOAD_METHOD_NO_DICT;
    }
    else if (*kr_instance_dict_slot(owner) != NULL) {
        PyObject *dict = *kr_instance_dict_slot(owner);
        if (index_of(dict, name) >= 0 || !PyDict_CheckExact(dict) ||
            !kr_dict_has_str_keys((PyDictObject *)dict)) {
            return false;
        }
        keys = kr_dict_keys_version((PyDictObject *)dict);
        if (keys == 0) {
            return false;
        }
        op = LOAD_METHOD_WITH_DICT;
    }
    else {
        struct kr_shape *shape = kr_type_shape(type);
        if (shape == NULL || kr_shape_find(shape, name) >= 0) {
            return false; /* an instance may hide the method */
        }
        keys = shape->count;
        op = LOAD_METHOD_WITH_VALUES;
    }
    write_u32(instr + 2, version);
    write_u32(instr + 5, keys);
    write_ptr(instr + 7, descr);
    chosen(instr, op);
    return true;
}

void
kr_specialize_load_method(PyObject *owner, _Py_CODEUNIT *instr, PyObject *name)
{
    uint32_t version;
    Py_ssize_t index;
    if (module_attr(owner, name, &version, &index)) {
        write_u32(instr + 5, version);
        instr[4] = (_Py_CODEUNIT)index;
        chosen(instr, LOAD_METHOD_MODULE);
        return;
    }
    if (!class_method(owner, instr, name) &&
        !instance_method(owner, instr, name)) {
        failed(instr);
    }
}

void
kr_specialize_binary_subscr(PyObject *container, PyObject *sub,
                            _Py_CODEUNIT *instr)
{
    /* cache: counter, type version (2), function version */
    PyTypeObject *type = Py_TYPE(container);
    if (PyList_CheckExact(container) && PyLong_CheckExact(sub)) {
        chosen(instr, BINARY_SUBSCR_LIST_INT);
        return;
    }
    if (PyTuple_CheckExact(container) && PyLong_CheckExact(sub)) {
        chosen(instr, BINARY_SUBSCR_TUPLE_INT);
        return;
    }
    if (PyDict_CheckExact(container)) {
        chosen(instr, BINARY_SUBSCR_DICT);
        return;
    }
    PyObject *descr;
    uint32_t version = type_version(type, KR_ID(__getitem__), &descr);
    if (version != 0 && descr != NULL && PyFunction_Check(descr) &&
        type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        PyFunctionObject *func = (PyFunctionObject *)descr;
        PyCodeObject *co = (PyCodeObject *)func->func_code;
        uint32_t fversion = kr_function_version(func);
        if (co->co_argcount == 2 && co->co_kwonlyargcount == 0 &&
            co->co_flags & CO_OPTIMIZED &&
            !(co->co_flags & (CO_VARARGS | CO_VARKEYWORDS)) &&
            fversion != 0 && fversion <= UINT16_MAX) {
            write_u32(instr + 2, version);
            instr[4] = (_Py_CODEUNIT)fversion;
            ((PyHeapTypeObject *)type)->_spec_cache.getitem = descr;
            chosen(instr, BINARY_SUBSCR_GETITEM);
            return;
        }
    }
    failed(instr);
}

void
kr_specialize_store_subscr(PyObject *container, PyObject *sub,
                           _Py_CODEUNIT *instr)
{
    if (PyList_CheckExact(container) && PyLong_CheckExact(sub)) {
        chosen(instr, STORE_SUBSCR_LIST_INT);
    }
    else if (PyDict_CheckExact(container)) {
        chosen(instr, STORE_SUBSCR_DICT);
    }
    else {
        failed(instr);
    }
}

static int
binary_form(PyObject *left, PyObject *right, _Py_CODEUNIT *instr, int oparg,
            PyObject **locals)
{
    if (!Py_IS_TYPE(left, Py_TYPE(right))) {
        return 0;
    }
    int is_int = PyLong_CheckExact(left), is_float = PyFloat_CheckExact(left);
    switch (oparg) {
        case NB_ADD:
        case NB_INPLACE_ADD:
            if (PyUnicode_CheckExact(left)) {
                _Py_CODEUNIT next = instr[2];
                int is_store =
                    kr_opcode_deopt[KR_OPCODE(next)] == STORE_FAST &&
                    locals[KR_OPARG(next)] == left;
                return is_store ? BINARY_OP_INPLACE_ADD_UNICODE
                                : BINARY_OP_ADD_UNICODE;
            }
            return is_int     ? BINARY_OP_ADD_INT
                   : is_float ? BINARY_OP_ADD_FLOAT
                              : 0;
        case NB_SUBTRACT:
        case NB_INPLACE_SUBTRACT:
            return is_int     ? BINARY_OP_SUBTRACT_INT
                   : is_float ? BINARY_OP_SUBTRACT_FLOAT
                              : 0;
        case NB_MULTIPLY:
        case NB_INPLACE_MULTIPLY:
            return is_int     ? BINARY_OP_MULTIPLY_INT
                   : is_float ? BINARY_OP_MULTIPLY_FLOAT
                              : 0;
        default:
            return 0;
    }
}

void
kr_specialize_binary_op(PyObject *left, PyObject *right, _Py_CODEUNIT *instr,
                        int oparg, PyObject **locals)
{
    int op = binary_form(left, right, instr, oparg, locals);
    if (op == 0 && Py_IS_TYPE(left, Py_TYPE(right)) &&
        (PyLong_CheckExact(left) || PyFloat_CheckExact(left))) {
        op = BINARY_OP; /* which knows these by itself */
    }
    if (op) {
        chosen(instr, op);
    }
    else {
        failed(instr);
    }
}

/* Bits of the mask in the cache: jump if left is less (1), equal (2), greater
 * (4); the jump goes backwards (8). */
void
kr_specialize_compare_op(PyObject *left, PyObject *right, _Py_CODEUNIT *instr,
                         int oparg)
{
    static const uint8_t true_bits[] = {
        [Py_LT] = 1, [Py_LE] = 3, [Py_EQ] = 2,
        [Py_NE] = 5, [Py_GT] = 4, [Py_GE] = 6,
    };
    int next = KR_OPCODE(instr[3]);
    int mask = true_bits[oparg];
    switch (next) {
        case POP_JUMP_FORWARD_IF_TRUE:
            break;
        case POP_JUMP_FORWARD_IF_FALSE:
            mask ^= 7;
            break;
        case POP_JUMP_BACKWARD_IF_TRUE:
            mask |= 8;
            break;
        case POP_JUMP_BACKWARD_IF_FALSE:
            mask = (mask ^ 7) | 8;
            break;
        default:
            failed(instr);
            return;
    }
    int op = 0;
    if (Py_IS_TYPE(left, Py_TYPE(right))) {
        if (PyFloat_CheckExact(left)) {
            op = COMPARE_OP_FLOAT_JUMP;
        }
        else if (PyLong_CheckExact(left) && kr_is_small(left) &&
                 kr_is_small(right)) {
            op = COMPARE_OP_INT_JUMP;
        }
        else if (PyUnicode_CheckExact(left) &&
                 (oparg == Py_EQ || oparg == Py_NE)) {
            op = COMPARE_OP_STR_JUMP;
        }
    }
    if (op == 0) {
        failed(instr);
        return;
    }
    instr[2] = (_Py_CODEUNIT)mask;
    chosen(instr, op);
}

void
kr_specialize_unpack_sequence(PyObject *seq, _Py_CODEUNIT *instr, int oparg)
{
    if (PyTuple_CheckExact(seq) && PyTuple_GET_SIZE(seq) == oparg) {
        chosen(instr, oparg == 2 ? UNPACK_SEQUENCE_TWO_TUPLE
                                 : UNPACK_SEQUENCE_TUPLE);
    }
    else if (PyList_CheckExact(seq) && PyList_GET_SIZE(seq) == oparg) {
        chosen(instr, UNPACK_SEQUENCE_LIST);
    }
    else {
        failed(instr);
    }
}

/* Calls. */

static int
class_form(PyTypeObject *type, int nargs, PyObject *kwnames)
{
    if (nargs == 1 && kwnames == NULL && !(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        if (type == &PyType_Type) {
            return PRECALL_NO_KW_TYPE_1;
        }
        if (type == &PyUnicode_Type) {
            return PRECALL_NO_KW_STR_1;
        }
        if (type == &PyTuple_Type) {
            return PRECALL_NO_KW_TUPLE_1;
        }
    }
    return type->tp_vectorcall != NULL &&
                   type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE
               ? PRECALL_BUILTIN_CLASS
               : 0;
}

static bool
is_builtin(PyObject *callable, const char *name)
{
    PyObject *found =
        PyDict_GetItemString(PyThreadState_Get()->interp->builtins, name);
    return found == callable;
}

static int
builtin_form(PyCFunctionObject *callable, int nargs, PyObject *kwnames)
{
    PyObject *op = (PyObject *)callable;
    switch (PyCFunction_GET_FLAGS(callable) &
            (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O |
             METH_KEYWORDS | METH_METHOD)) {
        case METH_O:
            if (kwnames != NULL || nargs != 1) {
                return 0;
            }
            if (is_builtin(op, "len")) {
                Py_INCREF(op);
                Py_XSETREF(kr_spec.len, op);
                return PRECALL_NO_KW_LEN;
            }
            return PRECALL_NO_KW_BUILTIN_O;
        case METH_FASTCALL:
            if (kwnames != NULL) {
                return 0;
            }
            if (nargs == 2 && is_builtin(op, "isinstance")) {
                Py_INCREF(op);
                Py_XSETREF(kr_spec.isinstance, op);
                return PRECALL_NO_KW_ISINSTANCE;
            }
            return PRECALL_NO_KW_BUILTIN_FAST;
        case METH_FASTCALL | METH_KEYWORDS:
            return PRECALL_BUILTIN_FAST_WITH_KEYWORDS;
        default:
            return 0;
    }
}

static int
method_form(PyMethodDescrObject *descr, int total, PyObject *kwnames,
            int oparg)
{
    if (kwnames != NULL) {
        return 0;
    }
    switch (descr->d_method->ml_flags &
            (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O |
             METH_KEYWORDS | METH_METHOD)) {
        case METH_NOARGS:
            return total == 1 ? PRECALL_NO_KW_METHOD_DESCRIPTOR_NOARGS : 0;
        case METH_O:
            if (total != 2) {
                return 0;
            }
            if (oparg == 1 && descr->d_common.d_type == &PyList_Type &&
                strcmp(descr->d_method->ml_name, "append") == 0) {
                Py_INCREF(descr);
                Py_XSETREF(kr_spec.list_append, (PyObject *)descr);
                return PRECALL_NO_KW_LIST_APPEND;
            }
            return PRECALL_NO_KW_METHOD_DESCRIPTOR_O;
        case METH_FASTCALL:
            return PRECALL_NO_KW_METHOD_DESCRIPTOR_FAST;
        case METH_FASTCALL | METH_KEYWORDS:
            return PRECALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS;
        default:
            return 0;
    }
}

void
kr_specialize_precall(PyObject *callable, _Py_CODEUNIT *instr, int is_method,
                      int oparg, PyObject *kwnames)
{
    int total = oparg + is_method;
    int op = 0;
    /* forms that make the call themselves skip the CALL right behind */
    int followed = kr_opcode_deopt[KR_OPCODE(instr[2])] == CALL;
    if (Py_IS_TYPE(callable, &PyFunction_Type)) {
        op = PRECALL_PYFUNC;
    }
    else if (Py_IS_TYPE(callable, &PyMethod_Type)) {
        op = is_method ? 0 : PRECALL_BOUND_METHOD;
    }
    else if (!followed) {
        op = 0;
    }
    else if (PyCFunction_CheckExact(callable)) {
        op = builtin_form((PyCFunctionObject *)callable, total, kwnames);
    }
    else if (Py_IS_TYPE(callable, &PyMethodDescr_Type)) {
        op = method_form((PyMethodDescrObject *)callable, total, kwnames,
                         oparg);
    }
    else if (PyType_Check(callable)) {
        op = class_form((PyTypeObject *)callable, total, kwnames);
    }
    if (op) {
        chosen(instr, op);
    }
    else {
        failed(instr);
    }
}

void
kr_specialize_call(PyObject *callable, _Py_CODEUNIT *instr, int nargs,
                   PyObject *kwnames)
{
    /* cache: counter, function version (2), least number of arguments */
    if (!Py_IS_TYPE(callable, &PyFunction_Type) || kwnames != NULL) {
        failed(instr);
        return;
    }
    PyFunctionObject *func = (PyFunctionObject *)callable;
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    int defaults = func->func_defaults == NULL
                       ? 0
                       : (int)PyTuple_GET_SIZE(func->func_defaults);
    int least = co->co_argcount - defaults;
    uint32_t version = kr_function_version(func);
    if (version == 0 || co->co_kwonlyargcount != 0 ||
        co->co_flags & (CO_VARARGS | CO_VARKEYWORDS) ||
        !(co->co_flags & CO_OPTIMIZED) || nargs > co->co_argcount ||
        nargs < least || least < 0 || least > UINT16_MAX) {
        failed(instr);
        return;
    }
    write_u32(instr + 2, version);
    instr[4] = (_Py_CODEUNIT)least;
    chosen(instr, nargs == co->co_argcount ? CALL_PY_EXACT_ARGS
                                           : CALL_PY_WITH_DEFAULTS);
}
