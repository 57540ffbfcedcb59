/* Method resolution order: C3 linearisation, custom mro() methods.
 *
 * Guarantees: tp_mro is a tuple of types that starts with the type (unless a
 * metaclass says otherwise) and keeps the layout sound. */
#include "base/common.h"
#include "objects/ids.h"
#include "objects/object.h"
#include "objects/type/type.h"

/* ---- C3 ----------------------------------------------------------------- */

static bool
tail_contains(PyObject *tuple, Py_ssize_t where, PyObject *o)
{
    for (Py_ssize_t j = where + 1; j < PyTuple_GET_SIZE(tuple); j++) {
        if (PyTuple_GET_ITEM(tuple, j) == o) {
            return true;
        }
    }
    return false;
}

static int
check_duplicates(PyObject *bases)
{
    Py_ssize_t n = PyTuple_GET_SIZE(bases);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *o = PyTuple_GET_ITEM(bases, i);
        if (!tail_contains(bases, i, o)) {
            continue;
        }
        if (PyType_Check(o)) {
            PyErr_Format(PyExc_TypeError, "duplicate base class %.500s",
                         ((PyTypeObject *)o)->tp_name);
        }
        else {
            PyErr_SetString(PyExc_TypeError, "duplicate base class");
        }
        return -1;
    }
    return 0;
}

/* The heads that are left block each other: names them. */
static void
set_mro_error(PyObject **lists, Py_ssize_t n, const Py_ssize_t *remain)
{
    PyObject *names = PyList_New(0);
    PyObject *seen = PySet_New(NULL);
    if (names == NULL || seen == NULL) {
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if (remain[i] >= PyTuple_GET_SIZE(lists[i])) {
            continue;
        }
        PyObject *head = PyTuple_GET_ITEM(lists[i], remain[i]);
        int has = PySet_Contains(seen, head);
        if (has < 0 || (has == 0 && PySet_Add(seen, head) < 0)) {
            goto done;
        }
        if (has) {
            continue;
        }
        PyObject *name =
            PyType_Check(head)
                ? PyUnicode_FromString(kr_short_name((PyTypeObject *)head))
                : PyObject_Str(head);
        if (name == NULL || PyList_Append(names, name) < 0) {
            Py_XDECREF(name);
            goto done;
        }
        Py_DECREF(name);
    }
    PyObject *comma = PyUnicode_FromString(", ");
    if (comma != NULL) {
        PyObject *text = PyUnicode_Join(comma, names);
        Py_DECREF(comma);
        if (text != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "Cannot create a consistent method resolution\n"
                         "order (MRO) for bases %U",
                         text);
            Py_DECREF(text);
        }
    }
done:
    Py_XDECREF(names);
    Py_XDECREF(seen);
}

/* Appends the merge of the tuples to `acc`. */
static int
merge(PyObject *acc, PyObject **lists, Py_ssize_t n)
{
    Py_ssize_t *remain = PyMem_Calloc((size_t)n, sizeof(*remain));
    if (remain == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int res = -1;
    for (;;) {
        PyObject *candidate = NULL;
        Py_ssize_t empty = 0;
        for (Py_ssize_t i = 0; i < n && candidate == NULL; i++) {
            if (remain[i] >= PyTuple_GET_SIZE(lists[i])) {
                empty++;
                continue;
            }
            candidate = PyTuple_GET_ITEM(lists[i], remain[i]);
            for (Py_ssize_t j = 0; j < n; j++) {
                if (tail_contains(lists[j], remain[j], candidate)) {
                    candidate = NULL;
                    break;
                }
            }
        }
        if (candidate == NULL) {
            if (empty == n) {
                res = 0;
            }
            else {
                set_mro_error(lists, n, remain);
            }
            break;
        }
        if (PyList_Append(acc, candidate) < 0) {
            break;
        }
        for (Py_ssize_t j = 0; j < n; j++) {
            if (remain[j] < PyTuple_GET_SIZE(lists[j])
                && PyTuple_GET_ITEM(lists[j], remain[j]) == candidate) {
                remain[j]++;
            }
        }
    }
    PyMem_Free(remain);
    return res;
}

static int
check_bases_complete(PyObject *bases)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (base->tp_mro == NULL) {
            PyErr_Format(PyExc_TypeError,
                         "Cannot extend an incomplete type '%.100s'",
                         base->tp_name);
            return -1;
        }
    }
    return 0;
}

/* The default order, as a list or tuple. */
static PyObject *
compute(PyTypeObject *type)
{
    if (!(type->tp_flags & Py_TPFLAGS_READY) && type->tp_bases == NULL
        && PyType_Ready(type) < 0) {
        return NULL;
    }
    PyObject *bases = type->tp_bases;
    Py_ssize_t n = PyTuple_GET_SIZE(bases);
    if (check_bases_complete(bases) < 0) {
        return NULL;
    }
    if (n == 0) {
        return PyTuple_Pack(1, type); /* object itself */
    }
    if (n == 1) {
        /* The common case: the type in front of its base's order. */
        PyObject *base_mro =
            ((PyTypeObject *)PyTuple_GET_ITEM(bases, 0))->tp_mro;
        Py_ssize_t k = PyTuple_GET_SIZE(base_mro);
        PyObject *res = PyTuple_New(k + 1);
        if (res == NULL) {
            return NULL;
        }
        PyTuple_SET_ITEM(res, 0, Py_NewRef((PyObject *)type));
        for (Py_ssize_t i = 0; i < k; i++) {
            PyTuple_SET_ITEM(res, i + 1,
                             Py_NewRef(PyTuple_GET_ITEM(base_mro, i)));
        }
        return res;
    }
    if (check_duplicates(bases) < 0) {
        return NULL;
    }
    PyObject **lists = PyMem_New(PyObject *, n + 1);
    if (lists == NULL) {
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        lists[i] = ((PyTypeObject *)PyTuple_GET_ITEM(bases, i))->tp_mro;
    }
    lists[n] = bases;
    PyObject *res = PyList_New(0);
    if (res != NULL
        && (PyList_Append(res, (PyObject *)type) < 0
            || merge(res, lists, n + 1) < 0)) {
        Py_CLEAR(res);
    }
    PyMem_Free(lists);
    return res;
}

PyObject *
kr_type_mro_method(PyObject *self, PyObject *unused)
{
    PyObject *seq = compute((PyTypeObject *)self);
    if (seq != NULL && !PyList_Check(seq)) {
        Py_SETREF(seq, PySequence_List(seq));
    }
    return seq;
}

/* ---- custom mro() and installing ---------------------------------------- */

static int
check_custom(PyTypeObject *type, PyObject *mro)
{
    PyTypeObject *solid = kr_solid_base(type);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyObject *o = PyTuple_GET_ITEM(mro, i);
        if (!PyType_Check(o)) {
            PyErr_Format(PyExc_TypeError,
                         "mro() returned a non-class ('%.500s')",
                         Py_TYPE(o)->tp_name);
            return -1;
        }
        PyTypeObject *base = (PyTypeObject *)o;
        if (!PyType_IsSubtype(solid, kr_solid_base(base))) {
            PyErr_Format(PyExc_TypeError,
                         "mro() returned base with unsuitable layout "
                         "('%.500s')",
                         base->tp_name);
            return -1;
        }
    }
    return 0;
}

static PyObject *
ask(PyTypeObject *type)
{
    bool custom = !Py_IS_TYPE(type, &PyType_Type);
    PyObject *seq;
    if (custom) {
        PyObject *meth =
            _PyObject_LookupSpecial((PyObject *)type, KR_ID(mro));
        if (meth == NULL) {
            if (!PyErr_Occurred()) {
                PyErr_SetObject(PyExc_AttributeError, KR_ID(mro));
            }
            return NULL;
        }
        seq = PyObject_CallNoArgs(meth);
        Py_DECREF(meth);
    }
    else {
        seq = compute(type);
    }
    if (seq == NULL) {
        return NULL;
    }
    PyObject *tuple = PySequence_Tuple(seq);
    Py_DECREF(seq);
    if (tuple == NULL) {
        return NULL;
    }
    if (PyTuple_GET_SIZE(tuple) == 0) {
        Py_DECREF(tuple);
        PyErr_Format(PyExc_TypeError, "type MRO must not be empty");
        return NULL;
    }
    if (custom && check_custom(type, tuple) < 0) {
        Py_CLEAR(tuple);
    }
    return tuple;
}

int
kr_mro_install(PyTypeObject *type, PyObject **old)
{
    PyObject *before = type->tp_mro;
    Py_XINCREF(before);
    PyObject *mro = ask(type);
    /* mro() may have run code that set the order already. */
    bool again = type->tp_mro != before;
    if (mro == NULL || again) {
        Py_XDECREF(mro);
        Py_XDECREF(before);
        return mro == NULL ? -1 : 0;
    }
    type->tp_mro = mro;
    PyType_Modified(type);
    if (old != NULL) {
        *old = before;
    }
    else {
        Py_XDECREF(before);
    }
    Py_XDECREF(before); /* that was the type's own reference */
    return 1;
}
