/* The object protocol: text forms, comparison, hashing, truth, directory.
 *
 * Guarantees: every entry point checks what the slots give back, so that a
 * slot of the wrong type is a TypeError here and not a surprise elsewhere. */
#include "objects/object.h"

#include "base/common.h"
#include "memory/tstate.h"
#include "objects/ids.h"
#include "objects/int/int.h"

int _Py_SwappedOp[] = {Py_GT, Py_GE, Py_EQ, Py_NE, Py_LT, Py_LE};

/* ---- text forms --------------------------------------------------------- */

/* The result of a slot, NULL or a reference it takes over, if it is a str;
 * else TypeError. */
static PyObject *
require_str(PyObject *res, const char *method)
{
    if (res != NULL && !PyUnicode_Check(res)) {
        PyErr_Format(PyExc_TypeError, "%s returned non-string (type %.200s)",
                     method, Py_TYPE(res)->tp_name);
        Py_CLEAR(res);
    }
    return res;
}

PyObject *
PyObject_Repr(PyObject *v)
{
    if (PyErr_CheckSignals()) {
        return NULL;
    }
    if (v == NULL) {
        return PyUnicode_FromString("<NULL>");
    }
    if (Py_TYPE(v)->tp_repr == NULL) {
        return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(v)->tp_name,
                                    v);
    }
    if (Py_EnterRecursiveCall(" while getting the repr of an object")) {
        return NULL;
    }
    PyObject *res = Py_TYPE(v)->tp_repr(v);
    Py_LeaveRecursiveCall();
    return require_str(res, "__repr__");
}

PyObject *
PyObject_Str(PyObject *v)
{
    if (PyErr_CheckSignals()) {
        return NULL;
    }
    if (v == NULL) {
        return PyUnicode_FromString("<NULL>");
    }
    if (PyUnicode_CheckExact(v)) {
        return Py_NewRef(v);
    }
    if (Py_TYPE(v)->tp_str == NULL) {
        return PyObject_Repr(v);
    }
    if (Py_EnterRecursiveCall(" while getting the str of an object")) {
        return NULL;
    }
    PyObject *res = Py_TYPE(v)->tp_str(v);
    Py_LeaveRecursiveCall();
    return require_str(res, "__str__");
}

PyObject *
PyObject_ASCII(PyObject *v)
{
    PyObject *repr = PyObject_Repr(v);
    if (repr == NULL || PyUnicode_IS_ASCII(repr)) {
        return repr;
    }
    PyObject *bytes =
        PyUnicode_AsEncodedString(repr, "ascii", "backslashreplace");
    Py_DECREF(repr);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *res = PyUnicode_DecodeASCII(PyBytes_AS_STRING(bytes),
                                          PyBytes_GET_SIZE(bytes), "strict");
    Py_DECREF(bytes);
    return res;
}

PyObject *
kr_bytes_by_method(PyObject *v)
{
    PyObject *func = _PyObject_LookupSpecial(v, KR_ID(__bytes__));
    if (func == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_CallNoArgs(func);
    Py_DECREF(func);
    if (res != NULL && !PyBytes_Check(res)) {
        PyErr_Format(PyExc_TypeError,
                     "__bytes__ returned non-bytes (type %.200s)",
                     Py_TYPE(res)->tp_name);
        Py_CLEAR(res);
    }
    return res;
}

PyObject *
PyObject_Bytes(PyObject *v)
{
    if (v == NULL) {
        return PyBytes_FromString("<NULL>");
    }
    if (PyBytes_CheckExact(v)) {
        return Py_NewRef(v);
    }
    PyObject *res = kr_bytes_by_method(v);
    return res != NULL || PyErr_Occurred() ? res : PyBytes_FromObject(v);
}

PyObject *
_PyObject_FunctionStr(PyObject *x)
{
    PyObject *qualname;
    int found = _PyObject_LookupAttr(x, KR_ID(__qualname__), &qualname);
    if (found < 0) {
        return NULL;
    }
    if (found == 0) {
        return PyObject_Str(x);
    }
    PyObject *module, *res = NULL;
    found = _PyObject_LookupAttr(x, KR_ID(__module__), &module);
    if (found > 0 && module != Py_None) {
        PyObject *builtins = KR_ID(builtins);
        int other = PyObject_RichCompareBool(module, builtins, Py_NE);
        if (other > 0) {
            res = PyUnicode_FromFormat("%S.%S()", module, qualname);
        }
        found = other < 0 ? -1 : 1;
    }
    if (found >= 0 && res == NULL && !PyErr_Occurred()) {
        res = PyUnicode_FromFormat("%S()", qualname);
    }
    Py_XDECREF(module);
    Py_DECREF(qualname);
    return res;
}

int
PyObject_Print(PyObject *op, FILE *fp, int flags)
{
    if (PyErr_CheckSignals()) {
        return -1;
    }
    clearerr(fp);
    int ret = 0;
    if (op == NULL) {
        fputs("<nil>", fp);
    }
    else if (Py_REFCNT(op) <= 0) {
        fprintf(fp, "<refcnt %zd at %p>", Py_REFCNT(op), (void *)op);
    }
    else {
        PyObject *s =
            (flags & Py_PRINT_RAW) ? PyObject_Str(op) : PyObject_Repr(op);
        PyObject *t = NULL;
        if (s != NULL) {
            t = PyUnicode_AsEncodedString(s, "utf-8", "backslashreplace");
            Py_DECREF(s);
        }
        if (t == NULL) {
            ret = -1;
        }
        else {
            fwrite(PyBytes_AS_STRING(t), 1, (size_t)PyBytes_GET_SIZE(t), fp);
            Py_DECREF(t);
        }
    }
    if (ret == 0 && ferror(fp)) {
        PyErr_SetFromErrno(PyExc_OSError);
        clearerr(fp);
        ret = -1;
    }
    return ret;
}

/* ---- comparison --------------------------------------------------------- */

static const char *const op_text[] = {"<", "<=", "==", "!=", ">", ">="};

PyObject *
kr_identity_compare(PyObject *self, PyObject *other, int op)
{
    if (op == Py_EQ && self == other) {
        Py_RETURN_TRUE;
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *
compare(PyObject *v, PyObject *w, int op)
{
    richcmpfunc f;
    PyObject *res;
    bool tried_reverse = false;
    if (!Py_IS_TYPE(v, Py_TYPE(w))
        && PyType_IsSubtype(Py_TYPE(w), Py_TYPE(v))
        && (f = Py_TYPE(w)->tp_richcompare) != NULL) {
        tried_reverse = true;
        res = f(w, v, _Py_SwappedOp[op]);
        if (res != Py_NotImplemented) {
            return res;
        }
        Py_DECREF(res);
    }
    if ((f = Py_TYPE(v)->tp_richcompare) != NULL) {
        res = f(v, w, op);
        if (res != Py_NotImplemented) {
            return res;
        }
        Py_DECREF(res);
    }
    if (!tried_reverse && (f = Py_TYPE(w)->tp_richcompare) != NULL) {
        res = f(w, v, _Py_SwappedOp[op]);
        if (res != Py_NotImplemented) {
            return res;
        }
        Py_DECREF(res);
    }
    switch (op) {
    case Py_EQ:
        return PyBool_FromLong(v == w);
    case Py_NE:
        return PyBool_FromLong(v != w);
    default:
        PyErr_Format(PyExc_TypeError,
                     "'%s' not supported between instances of '%.100s' and "
                     "'%.100s'",
                     op_text[op], Py_TYPE(v)->tp_name, Py_TYPE(w)->tp_name);
        return NULL;
    }
}

PyObject *
PyObject_RichCompare(PyObject *v, PyObject *w, int op)
{
    if (v == NULL || w == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_BadInternalCall();
        }
        return NULL;
    }
    PyTypeObject *type = Py_TYPE(v);
    if (type == Py_TYPE(w)
        && (type == &PyLong_Type || type == &PyUnicode_Type
            || type == &PyFloat_Type)) {
        return type->tp_richcompare(v, w, op); /* can't recurse or pass on */
    }
    PyThreadState *tstate = kr_tstate();
    if (kr_enter_recursive(tstate, " in comparison")) {
        return NULL;
    }
    PyObject *res = compare(v, w, op);
    kr_leave_recursive(tstate);
    return res;
}

/* v == w of two exact ints of one digit, or two exact strs: 0 or 1. -1 without
 * an exception: something else. */
static inline int
plain_equal(PyObject *v, PyObject *w)
{
    PyTypeObject *type = Py_TYPE(v);
    if (type != Py_TYPE(w)) {
        return -1;
    }
    if (type == &PyLong_Type && kr_int_is_compact(v)
        && kr_int_is_compact(w)) {
        return kr_int_compact_value(v) == kr_int_compact_value(w);
    }
    if (type == &PyUnicode_Type && PyUnicode_IS_READY(v)
        && PyUnicode_IS_READY(w)) {
        return _PyUnicode_EQ(v, w);
    }
    return -1;
}

int
PyObject_RichCompareBool(PyObject *v, PyObject *w, int op)
{
    if (v == w) {
        if (op == Py_EQ) {
            return 1;
        }
        if (op == Py_NE) {
            return 0;
        }
    }
    else if (op == Py_EQ) {
        int equal = plain_equal(v, w);
        if (equal >= 0) {
            return equal;
        }
    }
    PyObject *res = PyObject_RichCompare(v, w, op);
    if (res == NULL) {
        return -1;
    }
    int ok = PyBool_Check(res) ? res == Py_True : PyObject_IsTrue(res);
    Py_DECREF(res);
    return ok;
}

/* ---- hash and truth ----------------------------------------------------- */

Py_hash_t
PyObject_HashNotImplemented(PyObject *v)
{
    PyErr_Format(PyExc_TypeError, "unhashable type: '%.200s'",
                 Py_TYPE(v)->tp_name);
    return -1;
}

Py_hash_t
PyObject_Hash(PyObject *v)
{
    PyTypeObject *tp = Py_TYPE(v);
    if (KR_LIKELY(tp->tp_hash != NULL)) {
        return tp->tp_hash(v);
    }
    /* A static type that nobody made ready may still inherit its hash. */
    if (tp->tp_dict == NULL) {
        if (PyType_Ready(tp) < 0) {
            return -1;
        }
        if (tp->tp_hash != NULL) {
            return tp->tp_hash(v);
        }
    }
    return PyObject_HashNotImplemented(v);
}

int
PyObject_IsTrue(PyObject *v)
{
    if (v == Py_True) {
        return 1;
    }
    if (v == Py_False || v == Py_None) {
        return 0;
    }
    PyTypeObject *tp = Py_TYPE(v);
    Py_ssize_t res;
    if (tp->tp_as_number != NULL && tp->tp_as_number->nb_bool != NULL) {
        res = tp->tp_as_number->nb_bool(v);
    }
    else if (tp->tp_as_mapping != NULL
             && tp->tp_as_mapping->mp_length != NULL) {
        res = tp->tp_as_mapping->mp_length(v);
    }
    else if (tp->tp_as_sequence != NULL
             && tp->tp_as_sequence->sq_length != NULL) {
        res = tp->tp_as_sequence->sq_length(v);
    }
    else {
        return 1;
    }
    return res > 0 ? 1 : (int)res;
}

int
PyObject_Not(PyObject *v)
{
    int res = PyObject_IsTrue(v);
    return res < 0 ? res : res == 0;
}

int
PyCallable_Check(PyObject *x)
{
    return x != NULL && Py_TYPE(x)->tp_call != NULL;
}

PyObject *
PyObject_SelfIter(PyObject *obj)
{
    return Py_NewRef(obj);
}

PyObject *
_PyObject_NextNotImplemented(PyObject *self)
{
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable",
                 Py_TYPE(self)->tp_name);
    return NULL;
}

/* ---- dir() -------------------------------------------------------------- */

static PyObject *
dir_of_locals(void)
{
    PyObject *locals = PyEval_GetLocals();
    if (locals == NULL) {
        return NULL;
    }
    PyObject *names = PyMapping_Keys(locals);
    if (names == NULL) {
        return NULL;
    }
    if (!PyList_Check(names)) {
        PyErr_Format(PyExc_TypeError,
                     "dir(): expected keys() of locals to be a list, not "
                     "'%.200s'",
                     Py_TYPE(names)->tp_name);
        Py_DECREF(names);
        return NULL;
    }
    if (PyList_Sort(names) < 0) {
        Py_CLEAR(names);
    }
    return names;
}

PyObject *
PyObject_Dir(PyObject *obj)
{
    if (obj == NULL) {
        return dir_of_locals();
    }
    PyObject *func = _PyObject_LookupSpecial(obj, KR_ID(__dir__));
    if (func == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "object does not provide __dir__");
        }
        return NULL;
    }
    PyObject *names = PyObject_CallNoArgs(func);
    Py_DECREF(func);
    if (names == NULL) {
        return NULL;
    }
    PyObject *list = PySequence_List(names);
    Py_DECREF(names);
    if (list != NULL && PyList_Sort(list) < 0) {
        Py_CLEAR(list);
    }
    return list;
}

/* ---- repr of recursive containers --------------------------------------- */

int
Py_ReprEnter(PyObject *obj)
{
    PyObject *dict = PyThreadState_GetDict();
    if (dict == NULL) {
        return 0; /* no place to remember: go on */
    }
    PyObject *list = PyDict_GetItemWithError(dict, KR_ID(Py_Repr));
    if (list == NULL) {
        if (PyErr_Occurred()) {
            return -1;
        }
        list = PyList_New(0);
        if (list == NULL
            || PyDict_SetItem(dict, KR_ID(Py_Repr), list) < 0) {
            Py_XDECREF(list);
            return -1;
        }
        Py_DECREF(list);
    }
    for (Py_ssize_t i = PyList_GET_SIZE(list); --i >= 0;) {
        if (PyList_GET_ITEM(list, i) == obj) {
            return 1;
        }
    }
    return PyList_Append(list, obj) < 0 ? -1 : 0;
}

void
Py_ReprLeave(PyObject *obj)
{
    PyObject *type, *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    PyObject *dict = PyThreadState_GetDict();
    PyObject *list =
        dict ? PyDict_GetItemWithError(dict, KR_ID(Py_Repr)) : NULL;
    if (list != NULL && PyList_Check(list)) {
        for (Py_ssize_t i = PyList_GET_SIZE(list); --i >= 0;) {
            if (PyList_GET_ITEM(list, i) == obj) {
                PyList_SetSlice(list, i, i + 1, NULL);
                break;
            }
        }
    }
    PyErr_Restore(type, value, tb);
}
