/* The array module: compact sequences of numbers of one type. */
#include "modules/array/array.h"

#include "objects/ids.h"
#include "objects/unpack.h"

#include <Python.h>
#include <string.h>
#include <structmember.h>

static struct PyModuleDef definition;

struct kr_array_state *
kr_array_state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

struct kr_array_state *
kr_array_state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &definition);
    return module == NULL ? NULL : kr_array_state_of(module);
}

/* Whether op is an array; the state comes from `self`, which is one. */
bool
kr_array_is_array(PyObject *self, PyObject *op)
{
    struct kr_array_state *state = kr_array_state_of_type(Py_TYPE(self));
    if (state == NULL) {
        PyErr_Clear();
        return false;
    }
    return PyObject_TypeCheck(op, state->array_type);
}

/* ---- life */

static void
array_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (A(op)->weakreflist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    PyMem_Free(A(op)->items);
    type->tp_free(op);
    Py_DECREF(type);
}

static int
array_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

/* ---- construction */

static int
fill(PyObject *a, PyObject *initial)
{
    if (PyBytes_Check(initial) || PyByteArray_Check(initial)) {
        PyObject *v = kr_array_frombytes(a, initial);
        Py_XDECREF(v);
        return v == NULL ? -1 : 0;
    }
    if (PyUnicode_Check(initial)) {
        Py_ssize_t n = PyUnicode_AsWideChar(initial, NULL, 0);
        if (n > 1) { /* without spare room */
            A(a)->items = PyMem_Malloc((size_t)n * sizeof(wchar_t));
            if (A(a)->items == NULL) {
                PyErr_NoMemory();
                return -1;
            }
            A(a)->allocated = n - 1;
            Py_SET_SIZE(a, n - 1);
            n = PyUnicode_AsWideChar(initial, (wchar_t *)A(a)->items, n);
        }
        return n < 0 ? -1 : 0;
    }
    return kr_array_extend_iterable(a, initial);
}

/* From a list, tuple or array, without spare room. */
static PyObject *
from_sequence(PyTypeObject *type, const struct kr_array_kind *kind,
              PyObject *initial)
{
    Py_ssize_t n = PySequence_Size(initial);
    array *a = n < 0 ? NULL : kr_array_make(type, n, kind);
    if (a == NULL) {
        return NULL;
    }
    if (n > 0) {
        memset(a->items, 0, (size_t)(n * kind->itemsize));
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *v = PySequence_GetItem(initial, i);
        int err = v == NULL ? -1 : kind->set(AT(a, i), v);
        Py_XDECREF(v);
        if (err < 0) {
            Py_DECREF(a);
            return NULL;
        }
    }
    return (PyObject *)a;
}

/* Whether items are taken from it without an iterator. */
static bool
is_plain_source(struct kr_array_state *state, PyObject *initial)
{
    return PyList_Check(initial) || PyTuple_Check(initial) ||
           PyBytes_Check(initial) || PyByteArray_Check(initial) ||
           PyUnicode_Check(initial) ||
           PyObject_TypeCheck(initial, state->array_type);
}

static PyObject *
array_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    struct kr_array_state *state = kr_array_state_of_type(type);
    int c;
    PyObject *initial = NULL;
    if (state == NULL) {
        return NULL;
    }
    if ((type == state->array_type ||
         type->tp_init == state->array_type->tp_init) &&
        !_PyArg_NoKeywords("array.array", kwds)) {
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "C|O:array", &c, &initial) ||
        PySys_Audit("array.__new__", "CO", c, initial ? initial : Py_None) <
            0) {
        return NULL;
    }
    if (initial != NULL && c != 'u') {
        bool unicode_array = PyObject_TypeCheck(initial, state->array_type) &&
                             A(initial)->kind->typecode == 'u';
        if (PyUnicode_Check(initial) || unicode_array) {
            PyErr_Format(PyExc_TypeError,
                         unicode_array
                             ? "cannot use a unicode array to initialize an "
                               "array with typecode '%c'"
                             : "cannot use a str to initialize an array with "
                               "typecode '%c'",
                         c);
            return NULL;
        }
    }
    const struct kr_array_kind *kind = kr_array_find_kind(c);
    if (kind == NULL) {
        /* what the items come from is looked at before the type code */
        PyObject *it = initial == NULL || is_plain_source(state, initial)
                           ? Py_NewRef(Py_None)
                           : PyObject_GetIter(initial);
        if (it == NULL) {
            return NULL;
        }
        Py_DECREF(it);
        PyErr_SetString(PyExc_ValueError,
                        "bad typecode (must be b, B, u, h, H, i, I, l, L, q, "
                        "Q, f or d)");
        return NULL;
    }
    if (initial != NULL && (PyList_Check(initial) || PyTuple_Check(initial) ||
                            PyObject_TypeCheck(initial, state->array_type))) {
        return from_sequence(type, kind, initial);
    }
    PyObject *a = (PyObject *)kr_array_make(type, 0, kind);
    if (a != NULL && initial != NULL && fill(a, initial) < 0) {
        Py_CLEAR(a);
    }
    return a;
}

/* ---- buffer */

static int
array_getbuf(PyObject *op, Py_buffer *view, int flags)
{
    static char empty[1];
    array *self = A(op);
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError,
                        "array_buffer_getbuf: view==NULL argument is "
                        "obsolete");
        return -1;
    }
    view->buf = self->items != NULL ? self->items : empty;
    view->obj = Py_NewRef(op);
    view->len = Py_SIZE(self) * self->kind->itemsize;
    view->readonly = 0;
    view->ndim = 1;
    view->itemsize = self->kind->itemsize;
    view->suboffsets = NULL;
    view->shape = NULL;
    view->strides = NULL;
    view->format = NULL;
    view->internal = NULL;
    if ((flags & PyBUF_ND) == PyBUF_ND) {
        view->shape = &((PyVarObject *)self)->ob_size;
    }
    if ((flags & PyBUF_STRIDES) == PyBUF_STRIDES) {
        view->strides = &view->itemsize;
    }
    if ((flags & PyBUF_FORMAT) == PyBUF_FORMAT) {
        view->format = (char *)self->kind->format;
    }
    self->exports++;
    return 0;
}

static void
array_releasebuf(PyObject *op, Py_buffer *view)
{
    A(op)->exports--;
}

static PyObject *
get_typecode(PyObject *op, void *ignored)
{
    return PyUnicode_FromOrdinal(A(op)->kind->typecode);
}

static PyObject *
get_itemsize(PyObject *op, void *ignored)
{
    return PyLong_FromLong(A(op)->kind->itemsize);
}

/* ---- type */

static PyGetSetDef getset[] = {
    {"typecode", get_typecode, NULL,
     "the typecode character used to create the array"},
    {"itemsize", get_itemsize, NULL, "the size, in bytes, of one array item"},
    {NULL},
};

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(array, weakreflist), READONLY},
    {NULL},
};

static PyType_Slot array_slots[] = {
    {Py_tp_dealloc, array_dealloc},
    {Py_tp_repr, kr_array_repr},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_doc,
     "array(typecode [, initializer]) -> array\n\n"
     "Return a new array whose items are restricted by typecode, and\n"
     "initialized from the optional list, bytes-like object or iterable.\n\n"
     "Type codes: b B signed and unsigned bytes, u characters, h H two\n"
     "bytes, i I four, l L and q Q eight, f d floating point."},
    {Py_tp_richcompare, kr_array_richcompare},
    {Py_tp_iter, kr_array_iter},
    {Py_tp_methods, kr_array_methods},
    {Py_tp_members, members},
    {Py_tp_getset, getset},
    {Py_tp_alloc, PyType_GenericAlloc},
    {Py_tp_new, array_new},
    {Py_tp_traverse, array_traverse},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_sq_length, kr_array_length},
    {Py_sq_concat, kr_array_concat},
    {Py_sq_repeat, kr_array_repeat},
    {Py_sq_item, kr_array_item},
    {Py_sq_ass_item, kr_array_ass_item},
    {Py_sq_contains, kr_array_contains},
    {Py_sq_inplace_concat, kr_array_inplace_concat},
    {Py_sq_inplace_repeat, kr_array_inplace_repeat},
    {Py_mp_length, kr_array_length},
    {Py_mp_subscript, kr_array_subscript},
    {Py_mp_ass_subscript, kr_array_ass_subscript},
    {Py_bf_getbuffer, array_getbuf},
    {Py_bf_releasebuffer, array_releasebuf},
    {0},
};

static PyType_Spec array_spec = {
    .name = "array.array",
    .basicsize = sizeof(array),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_SEQUENCE,
    .slots = array_slots,
};

/* ---- module */

static PyMethodDef functions[] = {
    {"_array_reconstructor", (PyCFunction)(void *)kr_array_reconstructor,
     METH_FASTCALL,
     "_array_reconstructor($module, arraytype, typecode, mformat_code, items, "
     "/)\n--\n\nInternal. Used for pickling support."},
    {NULL},
};

static int
exec(PyObject *module)
{
    struct kr_array_state *state = kr_array_state_of(module);
    state->array_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &array_spec, NULL);
    state->iter_type = (PyTypeObject *)PyType_FromModuleAndSpec(
        module, &kr_array_iter_spec, NULL);
    if (state->array_type == NULL || state->iter_type == NULL ||
        PyModule_AddObjectRef(module, "ArrayType",
                              (PyObject *)state->array_type) < 0 ||
        PyModule_AddType(module, state->array_type) < 0) {
        return -1;
    }
    /* arrays are mutable sequences to isinstance */
    PyObject *abc = PyImport_ImportModule("collections.abc");
    PyObject *sequence =
        abc ? PyObject_GetAttrString(abc, "MutableSequence") : NULL;
    Py_XDECREF(abc);
    PyObject *res = sequence ? PyObject_CallMethod(sequence, "register", "O",
                                                   state->array_type)
                             : NULL;
    Py_XDECREF(sequence);
    if (res == NULL) {
        return -1;
    }
    Py_DECREF(res);
    char codes[16];
    int n = 0;
    for (; kr_array_kinds[n].typecode; n++) {
        codes[n] = kr_array_kinds[n].typecode;
    }
    codes[n] = '\0';
    return PyModule_AddStringConstant(module, "typecodes", codes);
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    struct kr_array_state *state = kr_array_state_of(module);
    Py_VISIT(state->array_type);
    Py_VISIT(state->iter_type);
    Py_VISIT(state->reconstructor);
    return 0;
}

static int
clear(PyObject *module)
{
    struct kr_array_state *state = kr_array_state_of(module);
    Py_CLEAR(state->array_type);
    Py_CLEAR(state->iter_type);
    Py_CLEAR(state->reconstructor);
    return 0;
}

static void
free_state(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "array",
    .m_doc = "This module defines an object type which can efficiently "
             "represent\nan array of basic values: characters, integers, "
             "floating point\nnumbers.",
    .m_size = sizeof(struct kr_array_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_state,
};

PyMODINIT_FUNC
PyInit_array(void)
{
    return PyModuleDef_Init(&definition);
}
