/* Code objects: checking, building, comparing, hashing and freeing them.
 *
 * Names are interned when a code object is made, so that the VM may compare
 * them by address; the instruction stream is copied behind the object. */
#include "code/code.h"

#include <opcode.h>
#include <structmember.h>

#include "base/common.h"
#include "code/code_type.h"
#include "code/opcode_meta.h"
#include "code/verify.h"
#include "objects/interp.h"

static int
check_types(struct kr_code_spec *s)
{
    if (s->argcount < s->posonlyargcount || s->posonlyargcount < 0 ||
        s->kwonlyargcount < 0 || s->stacksize < 0 || s->flags < 0) {
        return 0;
    }
    PyObject *bytes[] = {s->code, s->localspluskinds, s->linetable,
                         s->exceptiontable};
    for (size_t i = 0; i < KR_ARRAY_LEN(bytes); i++) {
        if (bytes[i] == NULL || !PyBytes_Check(bytes[i])) {
            return 0;
        }
    }
    PyObject *tuples[] = {s->consts, s->names, s->localsplusnames};
    for (size_t i = 0; i < KR_ARRAY_LEN(tuples); i++) {
        if (tuples[i] == NULL || !PyTuple_Check(tuples[i])) {
            return 0;
        }
    }
    PyObject *strings[] = {s->name, s->qualname, s->filename};
    for (size_t i = 0; i < KR_ARRAY_LEN(strings); i++) {
        if (strings[i] == NULL || !PyUnicode_Check(strings[i])) {
            return 0;
        }
    }
    return PyTuple_GET_SIZE(s->localsplusnames) ==
           PyBytes_GET_SIZE(s->localspluskinds);
}

struct local_counts {
    int locals, plain_cells, cells, frees;
};

static struct local_counts
count_locals(struct kr_code_spec *s)
{
    struct local_counts n = {0, 0, 0, 0};
    Py_ssize_t count = PyBytes_GET_SIZE(s->localspluskinds);
    for (Py_ssize_t i = 0; i < count; i++) {
        int kind = PyBytes_AS_STRING(s->localspluskinds)[i] & 255;
        n.locals += (kind & KR_LOCAL_LOCAL) != 0;
        n.cells += (kind & KR_LOCAL_CELL) != 0;
        n.plain_cells += (kind & KR_LOCAL_CELL) && !(kind & KR_LOCAL_LOCAL);
        n.frees += (kind & KR_LOCAL_FREE) != 0;
    }
    return n;
}

PyAPI_FUNC(int)
_PyCode_Validate(struct kr_code_spec *s)
{
    if (!check_types(s)) {
        PyErr_BadInternalCall();
        return -1;
    }
    Py_ssize_t size = PyBytes_GET_SIZE(s->code);
    if (size > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError,
                        "code: co_code larger than INT_MAX");
        return -1;
    }
    if (size % (Py_ssize_t)sizeof(_Py_CODEUNIT) != 0) {
        PyErr_SetString(PyExc_ValueError, "code: co_code is malformed");
        return -1;
    }
    /* frames count their variables and stack together, in an int */
    if (s->stacksize >
        INT_MAX - 64 - PyTuple_GET_SIZE(s->localsplusnames)) {
        PyErr_SetString(PyExc_OverflowError,
                        "code: co_stacksize is too large");
        return -1;
    }
    int64_t args = (int64_t)s->argcount + s->kwonlyargcount +
                   ((s->flags & CO_VARARGS) != 0) +
                   ((s->flags & CO_VARKEYWORDS) != 0);
    if (args > count_locals(s).locals) {
        PyErr_SetString(PyExc_ValueError, "code: co_varnames is too small");
        return -1;
    }
    return 0;
}

/* True for strings that could be identifiers: those are worth interning. */
static int
looks_like_name(PyObject *str)
{
    if (!PyUnicode_IS_ASCII(str)) {
        return 0;
    }
    const unsigned char *p = PyUnicode_1BYTE_DATA(str);
    const unsigned char *end = p + PyUnicode_GET_LENGTH(str);
    for (; p < end; p++) {
        if (!Py_ISALNUM(*p) && *p != '_') {
            return 0;
        }
    }
    return 1;
}

static int
intern_names(PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *name = PyTuple_GET_ITEM(tuple, i);
        if (name == NULL || !PyUnicode_CheckExact(name)) {
            PyErr_SetString(PyExc_SystemError,
                            "non-string found in code slot");
            return -1;
        }
        PyUnicode_InternInPlace(&PyTuple_GET_ITEM(tuple, i));
    }
    return 0;
}

static int intern_constants(PyObject *tuple, int *modified);

/* A frozenset can't be changed in place: it is built again if one of its
 * members is to be replaced. Returns a new reference to it or to a new one. */
static PyObject *
intern_frozenset(PyObject *set, int *modified)
{
    int changed = 0;
    PyObject *items = PySequence_Tuple(set);
    if (items == NULL) {
        return NULL;
    }
    if (intern_constants(items, &changed) < 0) {
        Py_DECREF(items);
        return NULL;
    }
    PyObject *result = changed ? PyFrozenSet_New(items) : Py_NewRef(set);
    *modified |= changed;
    Py_DECREF(items);
    return result;
}

static int
intern_constants(PyObject *tuple, int *modified)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *v = PyTuple_GET_ITEM(tuple, i);
        if (PyUnicode_CheckExact(v)) {
            if (PyUnicode_READY(v) == 0 && looks_like_name(v)) {
                PyUnicode_InternInPlace(&PyTuple_GET_ITEM(tuple, i));
                *modified |= PyTuple_GET_ITEM(tuple, i) != v;
            }
        }
        else if (PyTuple_CheckExact(v)) {
            if (Py_EnterRecursiveCall(" while interning constants")) {
                return -1;
            }
            int err = intern_constants(v, modified);
            Py_LeaveRecursiveCall();
            if (err < 0) {
                return -1;
            }
        }
        else if (PyFrozenSet_CheckExact(v)) {
            if (Py_EnterRecursiveCall(" while interning constants")) {
                return -1;
            }
            PyObject *w = intern_frozenset(v, modified);
            Py_LeaveRecursiveCall();
            if (w == NULL) {
                return -1;
            }
            PyTuple_SET_ITEM(tuple, i, w);
            Py_DECREF(v);
        }
    }
    return 0;
}

static void
fill_in(PyCodeObject *co, struct kr_code_spec *s)
{
    struct local_counts n = count_locals(s);
    co->co_filename = Py_NewRef(s->filename);
    co->co_name = Py_NewRef(s->name);
    co->co_qualname = Py_NewRef(s->qualname);
    PyUnicode_InternInPlace(&co->co_name);
    PyUnicode_InternInPlace(&co->co_qualname);
    co->co_flags = s->flags;
    co->co_firstlineno = s->firstlineno;
    co->co_linetable = Py_NewRef(s->linetable);
    co->co_consts = Py_NewRef(s->consts);
    co->co_names = Py_NewRef(s->names);
    co->co_localsplusnames = Py_NewRef(s->localsplusnames);
    co->co_localspluskinds = Py_NewRef(s->localspluskinds);
    co->co_argcount = s->argcount;
    co->co_posonlyargcount = s->posonlyargcount;
    co->co_kwonlyargcount = s->kwonlyargcount;
    co->co_stacksize = s->stacksize;
    co->co_exceptiontable = Py_NewRef(s->exceptiontable);
    co->co_nlocalsplus = (int)PyTuple_GET_SIZE(s->localsplusnames);
    co->co_nlocals = n.locals;
    co->co_nplaincellvars = n.plain_cells;
    co->co_ncellvars = n.cells;
    co->co_nfreevars = n.frees;
    co->co_weakreflist = NULL;
    co->co_extra = NULL;
    co->_co_code = NULL;
    co->_co_linearray = NULL;
    co->_co_linearray_entry_size = 0;
    co->co_warmup = KR_CODE_WARMUP;
    memcpy(_PyCode_CODE(co), PyBytes_AS_STRING(s->code),
           (size_t)PyBytes_GET_SIZE(s->code));
    int first = 0;
    while (first < Py_SIZE(co) &&
           KR_OPCODE(_PyCode_CODE(co)[first]) != RESUME) {
        first++;
    }
    co->_co_firsttraceable = first;
}

PyObject *
kr_code_new(struct kr_code_spec *spec)
{
    if (_PyCode_Validate(spec) < 0) {
        return NULL;
    }
    int modified = 0;
    if (intern_names(spec->names) < 0 ||
        intern_constants(spec->consts, &modified) < 0 ||
        intern_names(spec->localsplusnames) < 0) {
        return NULL;
    }
    /* also for code that comes from a file, so that it takes no memory */
    PyObject *lines = kr_interp()->config.code_debug_ranges
                          ? Py_NewRef(spec->linetable)
                          : kr_code_without_columns(spec->linetable);
    if (lines == NULL) {
        return NULL;
    }
    Py_ssize_t units =
        PyBytes_GET_SIZE(spec->code) / (Py_ssize_t)sizeof(_Py_CODEUNIT);
    /* without instructions there is still room for KR_VERIFY */
    PyCodeObject *co =
        PyObject_NewVar(PyCodeObject, &PyCode_Type, units > 0 ? units : 1);
    if (co != NULL) {
        Py_SET_SIZE(co, units);
        _PyCode_CODE(co)[0] = 0;
        fill_in(co, spec);
        Py_SETREF(co->co_linetable, Py_NewRef(lines));
    }
    Py_DECREF(lines);
    return (PyObject *)co;
}

PyObject *
kr_code_new_foreign(struct kr_code_spec *spec)
{
    PyObject *co = kr_code_new(spec);
    if (co != NULL) {
        kr_code_distrust((PyCodeObject *)co);
    }
    return co;
}

PyAPI_FUNC(PyCodeObject *)
_PyCode_New(struct kr_code_spec *spec)
{
    return (PyCodeObject *)kr_code_new_foreign(spec);
}

/* Places of the old constructor's variables: arguments and locals, then cells
 * (merged into the argument of the same name), then free variables. */
static int
add_locals(PyObject *varnames, PyObject *cellvars, PyObject *freevars,
           PyObject **names, PyObject **kinds)
{
    Py_ssize_t nvars = PyTuple_GET_SIZE(varnames);
    Py_ssize_t total = nvars + PyTuple_GET_SIZE(cellvars) +
                       PyTuple_GET_SIZE(freevars);
    PyObject *list = PySequence_List(varnames);
    char *bits = PyMem_Calloc((size_t)total + 1, 1);
    int err = list == NULL || bits == NULL;
    for (Py_ssize_t i = 0; i < nvars && !err; i++) {
        bits[i] = KR_LOCAL_LOCAL;
    }
    for (Py_ssize_t i = 0; !err && i < PyTuple_GET_SIZE(cellvars); i++) {
        PyObject *name = PyTuple_GET_ITEM(cellvars, i);
        Py_ssize_t at = 0;
        for (; at < nvars && !err; at++) {
            int eq = PyObject_RichCompareBool(
                PyTuple_GET_ITEM(varnames, at), name, Py_EQ);
            err = eq < 0;
            if (eq != 0) {
                break;
            }
        }
        if (!err && at < nvars) {
            bits[at] |= KR_LOCAL_CELL;
        }
        else if (!err) {
            bits[PyList_GET_SIZE(list)] = KR_LOCAL_CELL;
            err = PyList_Append(list, name) < 0;
        }
    }
    for (Py_ssize_t i = 0; !err && i < PyTuple_GET_SIZE(freevars); i++) {
        bits[PyList_GET_SIZE(list)] = (char)KR_LOCAL_FREE;
        err = PyList_Append(list, PyTuple_GET_ITEM(freevars, i)) < 0;
    }
    *names = err ? NULL : PyList_AsTuple(list);
    *kinds = *names == NULL
                 ? NULL
                 : PyBytes_FromStringAndSize(bits, PyList_GET_SIZE(list));
    if (*kinds == NULL) {
        Py_CLEAR(*names);
        if (bits == NULL && !PyErr_Occurred()) {
            PyErr_NoMemory();
        }
    }
    Py_XDECREF(list);
    PyMem_Free(bits);
    return *kinds == NULL ? -1 : 0;
}

PyCodeObject *
PyCode_NewWithPosOnlyArgs(int argcount, int posonlyargcount,
                          int kwonlyargcount, int nlocals, int stacksize,
                          int flags, PyObject *code, PyObject *consts,
                          PyObject *names, PyObject *varnames,
                          PyObject *freevars, PyObject *cellvars,
                          PyObject *filename, PyObject *name,
                          PyObject *qualname, int firstlineno,
                          PyObject *linetable, PyObject *exceptiontable)
{
    if (varnames == NULL || !PyTuple_Check(varnames) || cellvars == NULL ||
        !PyTuple_Check(cellvars) || freevars == NULL ||
        !PyTuple_Check(freevars)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyTuple_GET_SIZE(varnames) != nlocals) {
        PyErr_SetString(PyExc_ValueError,
                        "code: co_nlocals != len(co_varnames)");
        return NULL;
    }
    PyObject *localnames, *kinds;
    if (add_locals(varnames, cellvars, freevars, &localnames, &kinds) < 0) {
        return NULL;
    }
    struct kr_code_spec spec = {
        .filename = filename,
        .name = name,
        .qualname = qualname,
        .flags = flags,
        .code = code,
        .firstlineno = firstlineno,
        .linetable = linetable,
        .consts = consts,
        .names = names,
        .localsplusnames = localnames,
        .localspluskinds = kinds,
        .argcount = argcount,
        .posonlyargcount = posonlyargcount,
        .kwonlyargcount = kwonlyargcount,
        .stacksize = stacksize,
        .exceptiontable = exceptiontable,
    };
    PyObject *co = kr_code_new_foreign(&spec);
    Py_DECREF(localnames);
    Py_DECREF(kinds);
    return (PyCodeObject *)co;
}

PyCodeObject *
PyCode_New(int argcount, int kwonlyargcount, int nlocals, int stacksize,
           int flags, PyObject *code, PyObject *consts, PyObject *names,
           PyObject *varnames, PyObject *freevars, PyObject *cellvars,
           PyObject *filename, PyObject *name, PyObject *qualname,
           int firstlineno, PyObject *linetable, PyObject *exceptiontable)
{
    return PyCode_NewWithPosOnlyArgs(
        argcount, 0, kwonlyargcount, nlocals, stacksize, flags, code, consts,
        names, varnames, freevars, cellvars, filename, name, qualname,
        firstlineno, linetable, exceptiontable);
}

/* What an empty code object runs, should it ever be called. */
static const uint8_t empty_code[] = {
    RESUME, 0, LOAD_ASSERTION_ERROR, 0, RAISE_VARARGS, 1,
};
static const uint8_t empty_lines[] = {
    128 | PY_CODE_LOCATION_INFO_NO_COLUMNS << 3 | 2, 0,
};

PyCodeObject *
PyCode_NewEmpty(const char *filename, const char *funcname, int firstlineno)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, 0);
    PyObject *tuple = PyTuple_New(0);
    PyObject *file = PyUnicode_DecodeFSDefault(filename);
    PyObject *name = PyUnicode_FromString(funcname);
    PyObject *code = PyBytes_FromStringAndSize((const char *)empty_code,
                                               sizeof(empty_code));
    PyObject *lines = PyBytes_FromStringAndSize((const char *)empty_lines,
                                                sizeof(empty_lines));
    PyObject *co = NULL;
    if (bytes && tuple && file && name && code && lines) {
        struct kr_code_spec spec = {
            .filename = file,
            .name = name,
            .qualname = name,
            .code = code,
            .firstlineno = firstlineno,
            .linetable = lines,
            .consts = tuple,
            .names = tuple,
            .localsplusnames = tuple,
            .localspluskinds = bytes,
            .exceptiontable = bytes,
            .stacksize = 1,
        };
        co = kr_code_new(&spec);
    }
    Py_XDECREF(bytes);
    Py_XDECREF(tuple);
    Py_XDECREF(file);
    Py_XDECREF(name);
    Py_XDECREF(code);
    Py_XDECREF(lines);
    return (PyCodeObject *)co;
}

PyObject *
PyCode_Optimize(PyObject *code, PyObject *Py_UNUSED(consts),
                PyObject *Py_UNUSED(names), PyObject *Py_UNUSED(lnotab))
{
    return Py_NewRef(code);
}

/* Reading back. */

void
kr_code_copy_deopted(PyCodeObject *co, _Py_CODEUNIT *to)
{
    const _Py_CODEUNIT *from = _PyCode_CODE(co);
    for (Py_ssize_t i = 0; i < Py_SIZE(co); i++) {
        _Py_CODEUNIT unit = i == 0 && kr_code_distrusted(co)
                                ? kr_code_first_unit(co)
                                : from[i];
        int op = kr_opcode_deopt[KR_OPCODE(unit)];
        to[i] = KR_UNIT(op, KR_OPARG(unit));
        for (int caches = kr_opcode_caches[op];
             caches > 0 && i + 1 < Py_SIZE(co); caches--) {
            to[++i] = CACHE;
        }
    }
}

PyObject *
PyCode_GetCode(PyCodeObject *co)
{
    if (co->_co_code == NULL) {
        PyObject *code = PyBytes_FromStringAndSize(NULL, _PyCode_NBYTES(co));
        if (code == NULL) {
            return NULL;
        }
        kr_code_copy_deopted(co, (_Py_CODEUNIT *)PyBytes_AS_STRING(code));
        co->_co_code = code;
    }
    return Py_NewRef(co->_co_code);
}

PyObject *
kr_code_local_names(PyCodeObject *co, int kind)
{
    const char *kinds = PyBytes_AS_STRING(co->co_localspluskinds);
    Py_ssize_t count = 0;
    for (int i = 0; i < co->co_nlocalsplus; i++) {
        count += (kinds[i] & kind) != 0;
    }
    PyObject *names = PyTuple_New(count);
    if (names == NULL) {
        return NULL;
    }
    Py_ssize_t at = 0;
    for (int i = 0; i < co->co_nlocalsplus; i++) {
        if (kinds[i] & kind) {
            PyTuple_SET_ITEM(
                names, at++,
                Py_NewRef(PyTuple_GET_ITEM(co->co_localsplusnames, i)));
        }
    }
    return names;
}

PyObject *
PyCode_GetVarnames(PyCodeObject *co)
{
    return kr_code_local_names(co, KR_LOCAL_LOCAL);
}

PyObject *
PyCode_GetCellvars(PyCodeObject *co)
{
    return kr_code_local_names(co, KR_LOCAL_CELL);
}

PyObject *
PyCode_GetFreevars(PyCodeObject *co)
{
    return kr_code_local_names(co, KR_LOCAL_FREE);
}

/* Extra data that tools attach to code objects. */

struct code_extra {
    Py_ssize_t size;
    void *slots[];
};

/* Registered once at the start of a tool; indexes are never given back. */
static struct kr_code_extra_state {
    Py_ssize_t count;
    freefunc free[255];
} extra_state;

PyAPI_FUNC(Py_ssize_t)
_PyEval_RequestCodeExtraIndex(freefunc free)
{
    if (extra_state.count == (Py_ssize_t)KR_ARRAY_LEN(extra_state.free)) {
        return -1;
    }
    extra_state.free[extra_state.count] = free;
    return extra_state.count++;
}

int
_PyCode_GetExtra(PyObject *code, Py_ssize_t index, void **extra)
{
    if (!PyCode_Check(code)) {
        PyErr_BadInternalCall();
        return -1;
    }
    struct code_extra *data = ((PyCodeObject *)code)->co_extra;
    *extra = data == NULL || index < 0 || index >= data->size
                 ? NULL
                 : data->slots[index];
    return 0;
}

int
_PyCode_SetExtra(PyObject *code, Py_ssize_t index, void *extra)
{
    if (!PyCode_Check(code) || index < 0 || index >= extra_state.count) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyCodeObject *co = (PyCodeObject *)code;
    struct code_extra *data = co->co_extra;
    if (data == NULL || data->size <= index) {
        Py_ssize_t old = data == NULL ? 0 : data->size;
        data = PyMem_Realloc(
            data, sizeof(*data) + (size_t)extra_state.count * sizeof(void *));
        if (data == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        for (; old < extra_state.count; old++) {
            data->slots[old] = NULL;
        }
        data->size = extra_state.count;
        co->co_extra = data;
    }
    if (data->slots[index] != NULL && extra_state.free[index] != NULL) {
        extra_state.free[index](data->slots[index]);
    }
    data->slots[index] = extra;
    return 0;
}

Py_ssize_t
kr_code_extra_size(PyCodeObject *co)
{
    struct code_extra *data = co->co_extra;
    return data == NULL
               ? 0
               : (Py_ssize_t)(sizeof(*data) +
                              (size_t)data->size * sizeof(void *));
}

void
kr_code_dealloc(PyObject *self)
{
    PyCodeObject *co = (PyCodeObject *)self;
    struct code_extra *data = co->co_extra;
    if (data != NULL) {
        for (Py_ssize_t i = 0; i < data->size; i++) {
            if (data->slots[i] != NULL && extra_state.free[i] != NULL) {
                extra_state.free[i](data->slots[i]);
            }
        }
        PyMem_Free(data);
    }
    if (co->co_weakreflist != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_XDECREF(co->co_consts);
    Py_XDECREF(co->co_names);
    Py_XDECREF(co->co_localsplusnames);
    Py_XDECREF(co->co_localspluskinds);
    Py_XDECREF(co->co_filename);
    Py_XDECREF(co->co_name);
    Py_XDECREF(co->co_qualname);
    Py_XDECREF(co->co_linetable);
    Py_XDECREF(co->co_exceptiontable);
    Py_XDECREF(co->_co_code);
    PyObject_Free(co);
}
