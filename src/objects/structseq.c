/* Struct sequences: tuples with named fields, some of them reachable by name
 * only (os.stat_result, time.struct_time ...).
 *
 * The visible length is ob_size; the hidden fields follow. How many fields
 * there are in all is kept in the type's dict. */
#include "objects/structseq.h"

#include "base/common.h"
#include "memory/gc.h"
#include "objects/args/named.h"
#include "objects/ids.h"
#include "objects/immortal.h"

#include <structmember.h>

/* A field without a name is told by the address of this text. */
const char *const PyStructSequence_UnnamedField = "unnamed field";

static Py_ssize_t
count_of(PyTypeObject *type, PyObject *key)
{
    PyObject *v = PyDict_GetItemWithError(type->tp_dict, key);
    if (v == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_TypeError, "Missed attribute '%U' of type %s",
                         key, type->tp_name);
        }
        return -1;
    }
    return PyLong_AsSsize_t(v);
}

#define ALL_FIELDS(type) count_of((type), KR_ID(n_fields))
#define VISIBLE_FIELDS(type) count_of((type), KR_ID(n_sequence_fields))
#define UNNAMED_FIELDS(type) count_of((type), KR_ID(n_unnamed_fields))

PyObject *
PyStructSequence_New(PyTypeObject *type)
{
    Py_ssize_t size = ALL_FIELDS(type);
    Py_ssize_t visible = size < 0 ? -1 : VISIBLE_FIELDS(type);
    if (visible < 0) {
        return NULL;
    }
    PyStructSequence *obj =
        PyObject_GC_NewVar(PyStructSequence, type, size);
    if (obj == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        obj->ob_item[i] = NULL;
    }
    Py_SET_SIZE(obj, visible);
    return (PyObject *)obj;
}

void
PyStructSequence_SetItem(PyObject *op, Py_ssize_t i, PyObject *v)
{
    PyStructSequence_SET_ITEM(op, i, v);
}

PyObject *
PyStructSequence_GetItem(PyObject *op, Py_ssize_t i)
{
    return PyStructSequence_GET_ITEM(op, i);
}

static int
structseq_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyTypeObject *type = Py_TYPE(self);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        Py_VISIT(type);
    }
    Py_ssize_t size = ALL_FIELDS(type);
    for (Py_ssize_t i = 0; i < size; i++) {
        Py_VISIT(((PyStructSequence *)self)->ob_item[i]);
    }
    return 0;
}

static void
structseq_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    kr_gc_untrack(self);
    Py_ssize_t size = ALL_FIELDS(type);
    for (Py_ssize_t i = 0; i < size; i++) {
        Py_XDECREF(((PyStructSequence *)self)->ob_item[i]);
    }
    PyObject_GC_Del(self);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        Py_DECREF(type);
    }
}

/* ---- from Python -------------------------------------------------------- */

static bool
check_length(PyTypeObject *type, Py_ssize_t n, Py_ssize_t min, Py_ssize_t max)
{
    const char *how = NULL;
    Py_ssize_t want = min;
    if (min != max) {
        if (n < min) {
            how = "at least ";
        }
        else if (n > max) {
            how = "at most ";
            want = max;
        }
    }
    else if (n != min) {
        how = "a ";
    }
    if (how == NULL) {
        return true;
    }
    if (min != max) {
        PyErr_Format(PyExc_TypeError,
                     "%.500s() takes an %s%zd-sequence (%zd-sequence given)",
                     type->tp_name, how, want, n);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "%.500s() takes a %zd-sequence (%zd-sequence given)",
                     type->tp_name, min, n);
    }
    return false;
}

static PyObject *
structseq_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"sequence", "dict", NULL};
    PyObject *arg, *dict = NULL;
    if (!kr_parse_tuple_named(args, kwds, "O|O:structseq", names, &arg,
                              &dict)) {
        return NULL;
    }
    Py_ssize_t min = VISIBLE_FIELDS(type);
    Py_ssize_t max = min < 0 ? -1 : ALL_FIELDS(type);
    Py_ssize_t unnamed = max < 0 ? -1 : UNNAMED_FIELDS(type);
    if (unnamed < 0) {
        return NULL;
    }
    arg = PySequence_Fast(arg, "constructor requires a sequence");
    if (arg == NULL) {
        return NULL;
    }
    if (dict != NULL && !PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError,
                     "%.500s() takes a dict as second arg, if any",
                     type->tp_name);
        Py_DECREF(arg);
        return NULL;
    }
    Py_ssize_t n = PySequence_Fast_GET_SIZE(arg);
    PyStructSequence *res = NULL;
    if (check_length(type, n, min, max)) {
        res = (PyStructSequence *)PyStructSequence_New(type);
    }
    if (res == NULL) {
        Py_DECREF(arg);
        return NULL;
    }
    Py_ssize_t i = 0;
    for (; i < n; i++) {
        res->ob_item[i] = Py_NewRef(PySequence_Fast_GET_ITEM(arg, i));
    }
    Py_DECREF(arg);
    for (; i < max; i++) {
        PyObject *value = NULL;
        if (dict != NULL) {
            const char *name = type->tp_members[i - unnamed].name;
            PyObject *key = PyUnicode_FromString(name);
            if (key == NULL) {
                Py_DECREF(res);
                return NULL;
            }
            value = PyDict_GetItemWithError(dict, key);
            Py_DECREF(key);
            if (value == NULL && PyErr_Occurred()) {
                Py_DECREF(res);
                return NULL;
            }
        }
        res->ob_item[i] = Py_NewRef(value == NULL ? Py_None : value);
    }
    kr_gc_track((PyObject *)res);
    return (PyObject *)res;
}

static PyObject *
structseq_repr(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_ssize_t n = VISIBLE_FIELDS(type);
    if (n < 0) {
        return NULL;
    }
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    const char *name = type->tp_name;
    if (_PyUnicodeWriter_WriteASCIIString(&w, name, (Py_ssize_t)strlen(name))
            < 0
        || _PyUnicodeWriter_WriteChar(&w, '(') < 0) {
        goto error;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        const char *field = type->tp_members[i].name;
        if (field == NULL) {
            PyErr_Format(PyExc_SystemError,
                         "In structseq_repr(), member %zd name is NULL for "
                         "type %.500s",
                         i, type->tp_name);
            goto error;
        }
        PyObject *key = PyUnicode_FromString(field);
        PyObject *repr =
            PyObject_Repr(((PyStructSequence *)self)->ob_item[i]);
        bool ok = key != NULL && repr != NULL
                  && (i == 0
                      || _PyUnicodeWriter_WriteASCIIString(&w, ", ", 2) == 0)
                  && _PyUnicodeWriter_WriteStr(&w, key) == 0
                  && _PyUnicodeWriter_WriteChar(&w, '=') == 0
                  && _PyUnicodeWriter_WriteStr(&w, repr) == 0;
        Py_XDECREF(key);
        Py_XDECREF(repr);
        if (!ok) {
            goto error;
        }
    }
    if (_PyUnicodeWriter_WriteChar(&w, ')') < 0) {
        goto error;
    }
    return _PyUnicodeWriter_Finish(&w);

error:
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

static PyObject *
structseq_reduce(PyObject *self, PyObject *unused)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_ssize_t all = ALL_FIELDS(type);
    Py_ssize_t visible = all < 0 ? -1 : VISIBLE_FIELDS(type);
    Py_ssize_t unnamed = visible < 0 ? -1 : UNNAMED_FIELDS(type);
    if (unnamed < 0) {
        return NULL;
    }
    PyObject *tuple = PySequence_Tuple(self);
    PyObject *dict = tuple == NULL ? NULL : PyDict_New();
    PyObject *res = NULL;
    if (dict != NULL) {
        Py_ssize_t i = visible;
        for (; i < all; i++) {
            const char *name = type->tp_members[i - unnamed].name;
            PyObject *value = ((PyStructSequence *)self)->ob_item[i];
            if (PyDict_SetItemString(dict, name, value) < 0) {
                break;
            }
        }
        if (i == all) {
            res = Py_BuildValue("(O(OO))", type, tuple, dict);
        }
    }
    Py_XDECREF(tuple);
    Py_XDECREF(dict);
    return res;
}

static PyMethodDef structseq_methods[] = {
    {"__reduce__", structseq_reduce, METH_NOARGS, NULL},
    {NULL},
};

/* ---- making types ------------------------------------------------------- */

static Py_ssize_t
count_fields(PyStructSequence_Desc *desc, Py_ssize_t *unnamed)
{
    Py_ssize_t n = 0;
    *unnamed = 0;
    for (; desc->fields[n].name != NULL; n++) {
        if (desc->fields[n].name == PyStructSequence_UnnamedField) {
            ++*unnamed;
        }
    }
    return n;
}

/* Member definitions for the named fields; freed with PyMem_Free. */
static PyMemberDef *
make_members(PyStructSequence_Desc *desc, Py_ssize_t n, Py_ssize_t unnamed)
{
    PyMemberDef *members = PyMem_New(PyMemberDef, n - unnamed + 1);
    if (members == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    Py_ssize_t k = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (desc->fields[i].name == PyStructSequence_UnnamedField) {
            continue;
        }
        /* All fields are readable by name, also the hidden ones. */
        members[k++] = (PyMemberDef){
            .name = desc->fields[i].name,
            .type = T_OBJECT,
            .offset = (Py_ssize_t)offsetof(PyStructSequence, ob_item)
                      + i * (Py_ssize_t)sizeof(PyObject *),
            .flags = READONLY,
            .doc = desc->fields[i].doc,
        };
    }
    members[k].name = NULL;
    return members;
}

static int
set_count(PyObject *dict, PyObject *key, Py_ssize_t value)
{
    PyObject *v = PyLong_FromSsize_t(value);
    int res = v == NULL ? -1 : PyDict_SetItem(dict, key, v);
    Py_XDECREF(v);
    return res;
}

/* The counts, and __match_args__ with the visible named fields. */
static int
fill_dict(PyStructSequence_Desc *desc, PyObject *dict, Py_ssize_t n,
          Py_ssize_t unnamed)
{
    if (set_count(dict, KR_ID(n_sequence_fields), desc->n_in_sequence) < 0
        || set_count(dict, KR_ID(n_fields), n) < 0
        || set_count(dict, KR_ID(n_unnamed_fields), unnamed) < 0) {
        return -1;
    }
    PyObject *names = PyList_New(0);
    if (names == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < desc->n_in_sequence; i++) {
        if (desc->fields[i].name == PyStructSequence_UnnamedField) {
            continue;
        }
        PyObject *name = PyUnicode_FromString(desc->fields[i].name);
        if (name == NULL || PyList_Append(names, name) < 0) {
            Py_XDECREF(name);
            Py_DECREF(names);
            return -1;
        }
        Py_DECREF(name);
    }
    PyObject *tuple = PyList_AsTuple(names);
    Py_DECREF(names);
    int res = tuple == NULL
                  ? -1
                  : PyDict_SetItem(dict, KR_ID(__match_args__), tuple);
    Py_XDECREF(tuple);
    return res;
}

int
_PyStructSequence_InitType(PyTypeObject *type, PyStructSequence_Desc *desc,
                           unsigned long flags)
{
    if (type->tp_flags & Py_TPFLAGS_READY) {
        return 0;
    }
    Py_ssize_t unnamed;
    Py_ssize_t n = count_fields(desc, &unnamed);
    PyMemberDef *members = make_members(desc, n, unnamed);
    if (members == NULL) {
        return -1;
    }
    type->ob_base.ob_base.ob_refcnt = KR_IMMORTAL_REFCNT;
    type->tp_name = desc->name;
    type->tp_basicsize =
        sizeof(PyStructSequence) - sizeof(PyObject *);
    type->tp_itemsize = sizeof(PyObject *);
    type->tp_dealloc = structseq_dealloc;
    type->tp_repr = structseq_repr;
    type->tp_doc = desc->doc;
    type->tp_base = &PyTuple_Type;
    type->tp_methods = structseq_methods;
    type->tp_new = structseq_new;
    type->tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | flags;
    type->tp_traverse = structseq_traverse;
    type->tp_members = members;
    if (PyType_Ready(type) < 0
        || fill_dict(desc, type->tp_dict, n, unnamed) < 0) {
        return -1;
    }
    return 0;
}

int
PyStructSequence_InitType2(PyTypeObject *type, PyStructSequence_Desc *desc)
{
    return _PyStructSequence_InitType(type, desc, 0);
}

void
PyStructSequence_InitType(PyTypeObject *type, PyStructSequence_Desc *desc)
{
    (void)PyStructSequence_InitType2(type, desc);
}

PyTypeObject *
_PyStructSequence_NewType(PyStructSequence_Desc *desc, unsigned long flags)
{
    Py_ssize_t unnamed;
    Py_ssize_t n = count_fields(desc, &unnamed);
    PyMemberDef *members = make_members(desc, n, unnamed);
    if (members == NULL) {
        return NULL;
    }
    PyType_Slot slots[] = {
        {Py_tp_dealloc, (void *)structseq_dealloc},
        {Py_tp_repr, (void *)structseq_repr},
        {Py_tp_doc, (void *)desc->doc},
        {Py_tp_methods, structseq_methods},
        {Py_tp_new, (void *)structseq_new},
        {Py_tp_members, members},
        {Py_tp_traverse, (void *)structseq_traverse},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = desc->name,
        .basicsize = sizeof(PyStructSequence) - sizeof(PyObject *),
        .itemsize = sizeof(PyObject *),
        .flags = (unsigned int)(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC
                                | flags),
        .slots = slots,
    };
    PyObject *bases = PyTuple_Pack(1, &PyTuple_Type);
    PyObject *type =
        bases == NULL ? NULL : PyType_FromSpecWithBases(&spec, bases);
    Py_XDECREF(bases);
    PyMem_Free(members); /* the type has a copy */
    if (type != NULL
        && fill_dict(desc, ((PyTypeObject *)type)->tp_dict, n, unnamed) < 0) {
        Py_CLEAR(type);
    }
    return (PyTypeObject *)type;
}

PyTypeObject *
PyStructSequence_NewType(PyStructSequence_Desc *desc)
{
    return _PyStructSequence_NewType(desc, 0);
}
