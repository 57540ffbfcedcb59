/* Attribute access: the protocol and object's own implementation of it.
 *
 * Order of lookup: data descriptor of the type, the instance's own attribute,
 * other descriptor of the type, plain attribute of the type. AttributeErrors
 * carry the object and the name. */
#include "objects/object.h"

#include "base/common.h"
#include "memory/tstate.h"
#include "objects/ids.h"
#include "objects/shape.h"
#include "objects/type/type.h"

/* ---- errors ------------------------------------------------------------- */

KR_COLD void
kr_attribute_error_context(PyObject *obj, PyObject *name)
{
    PyThreadState *tstate = kr_tstate();
    PyObject *type = tstate->curexc_type;
    if (type == NULL
        || !PyErr_GivenExceptionMatches(type, PyExc_AttributeError)) {
        return;
    }
    PyObject *value, *tb;
    PyErr_Fetch(&type, &value, &tb);
    PyErr_NormalizeException(&type, &value, &tb);
    if (PyErr_GivenExceptionMatches(value, PyExc_AttributeError)) {
        PyAttributeErrorObject *exc = (PyAttributeErrorObject *)value;
        if (exc->name == NULL && exc->obj == NULL) {
            exc->name = Py_NewRef(name);
            exc->obj = Py_NewRef(obj);
        }
    }
    PyErr_Restore(type, value, tb);
}

static KR_COLD PyObject *
no_attribute(PyObject *obj, PyObject *name)
{
    PyErr_Format(PyExc_AttributeError, "'%.50s' object has no attribute '%U'",
                 Py_TYPE(obj)->tp_name, name);
    kr_attribute_error_context(obj, name);
    return NULL;
}

static KR_COLD int
bad_name(PyObject *name)
{
    PyErr_Format(PyExc_TypeError,
                 "attribute name must be string, not '%.200s'",
                 Py_TYPE(name)->tp_name);
    return -1;
}

/* Drops a current AttributeError; -1 if another exception is set, else 0. */
static int
forgive_attribute_error(void)
{
    PyThreadState *tstate = kr_tstate();
    if (tstate->curexc_type == NULL) {
        return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

/* ---- where the dict is -------------------------------------------------- */

PyObject **
kr_plain_dict_ptr(PyObject *obj)
{
    PyTypeObject *tp = Py_TYPE(obj);
    Py_ssize_t offset = tp->tp_dictoffset;
    if (offset == 0 || kr_has_shape(tp)) {
        return NULL;
    }
    if (offset < 0) {
        Py_ssize_t n = Py_SIZE(obj);
        if (n < 0) {
            n = -n;
        }
        offset += (Py_ssize_t)_PyObject_VAR_SIZE(tp, n);
    }
    return (PyObject **)((char *)obj + offset);
}

PyObject **
_PyObject_GetDictPtr(PyObject *obj)
{
    if (kr_has_shape(Py_TYPE(obj))) {
        if (kr_instance_detach(obj) < 0) {
            PyErr_Clear();
            return NULL;
        }
        return kr_instance_dict_slot(obj);
    }
    return kr_plain_dict_ptr(obj);
}

/* ---- object.__getattribute__ -------------------------------------------- */

/* The instance's own attribute: 1 found (new reference), 0 missing, -1. */
static inline int
own_attribute(PyObject *obj, PyObject *name, PyObject *dict, PyObject **res)
{
    if (dict == NULL) {
        if (kr_has_shape(Py_TYPE(obj))) {
            return kr_instance_get(obj, name, res);
        }
        PyObject **ptr = kr_plain_dict_ptr(obj);
        if (ptr == NULL || *ptr == NULL) {
            *res = NULL;
            return 0;
        }
        dict = *ptr;
    }
    Py_INCREF(dict);
    PyObject *found = PyDict_GetItemWithError(dict, name);
    Py_XINCREF(found);
    Py_DECREF(dict);
    *res = found;
    if (found != NULL) {
        return 1;
    }
    return PyErr_Occurred() ? -1 : 0;
}

PyObject *
_PyObject_GenericGetAttrWithDict(PyObject *obj, PyObject *name, PyObject *dict,
                                 int suppress)
{
    PyTypeObject *tp = Py_TYPE(obj);
    if (!PyUnicode_Check(name)) {
        bad_name(name);
        return NULL;
    }
    if (tp->tp_dict == NULL && PyType_Ready(tp) < 0) {
        return NULL;
    }
    Py_INCREF(name);
    PyObject *res = NULL;
    PyObject *descr = _PyType_Lookup(tp, name);
    descrgetfunc f = NULL;
    if (descr != NULL) {
        Py_INCREF(descr);
        f = Py_TYPE(descr)->tp_descr_get;
        if (f != NULL && Py_TYPE(descr)->tp_descr_set != NULL) {
            res = f(descr, obj, (PyObject *)tp);
            goto called;
        }
    }
    int own = own_attribute(obj, name, dict, &res);
    if (own < 0) {
        goto called;
    }
    if (own > 0) {
        goto done;
    }
    if (f != NULL) {
        res = f(descr, obj, (PyObject *)tp);
        goto called;
    }
    if (descr != NULL) {
        res = descr;
        descr = NULL;
        goto done;
    }
    if (!suppress) {
        no_attribute(obj, name);
    }
    goto done;

called:
    if (res == NULL && suppress) {
        forgive_attribute_error();
    }
done:
    Py_XDECREF(descr);
    Py_DECREF(name);
    return res;
}

PyObject *
PyObject_GenericGetAttr(PyObject *obj, PyObject *name)
{
    return _PyObject_GenericGetAttrWithDict(obj, name, NULL, 0);
}

PyObject *
kr_generic_getattr_quiet(PyObject *obj, PyObject *name)
{
    return _PyObject_GenericGetAttrWithDict(obj, name, NULL, 1);
}

/* ---- object.__setattr__ ------------------------------------------------- */

/* Into a dict: 0, -1 with an exception, 1 if there was nothing to delete. */
static int
set_dict_item(PyObject *dict, PyObject *name, PyObject *value)
{
    Py_INCREF(dict);
    int res = value == NULL ? PyDict_DelItem(dict, name)
                            : PyDict_SetItem(dict, name, value);
    Py_DECREF(dict);
    if (res < 0 && value == NULL
        && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        return 1;
    }
    return res;
}

/* Into the object itself; 2 if it has no place for attributes. */
static inline int
set_own(PyObject *obj, PyObject *name, PyObject *value)
{
    if (KR_LIKELY(kr_has_shape(Py_TYPE(obj)))) {
        return kr_instance_set(obj, name, value);
    }
    PyObject **ptr = kr_plain_dict_ptr(obj);
    if (ptr == NULL) {
        return 2;
    }
    if (*ptr == NULL) {
        if (value == NULL) {
            return 1;
        }
        *ptr = PyDict_New();
        if (*ptr == NULL) {
            return -1;
        }
    }
    return set_dict_item(*ptr, name, value);
}

int
_PyObject_GenericSetAttrWithDict(PyObject *obj, PyObject *name,
                                 PyObject *value, PyObject *dict)
{
    PyTypeObject *tp = Py_TYPE(obj);
    if (!PyUnicode_Check(name)) {
        return bad_name(name);
    }
    if (tp->tp_dict == NULL && PyType_Ready(tp) < 0) {
        return -1;
    }
    Py_INCREF(name);
    Py_INCREF(tp);
    int res;
    PyObject *descr = _PyType_Lookup(tp, name);
    if (descr != NULL) {
        descrsetfunc f = Py_TYPE(descr)->tp_descr_set;
        Py_INCREF(descr);
        if (f != NULL) {
            res = f(descr, obj, value);
            goto done;
        }
    }
    res = dict != NULL ? set_dict_item(dict, name, value)
                       : set_own(obj, name, value);
    if (res == 2 && descr != NULL) {
        PyErr_Format(PyExc_AttributeError,
                     "'%.50s' object attribute '%U' is read-only",
                     tp->tp_name, name);
        kr_attribute_error_context(obj, name);
        res = -1;
    }
    else if (res > 0) {
        if (PyType_IsSubtype(tp, &PyType_Type)) {
            PyErr_Format(PyExc_AttributeError,
                         "type object '%.50s' has no attribute '%U'",
                         ((PyTypeObject *)obj)->tp_name, name);
        }
        else {
            PyErr_Format(PyExc_AttributeError,
                         "'%.100s' object has no attribute '%U'",
                         tp->tp_name, name);
        }
        kr_attribute_error_context(obj, name);
        res = -1;
    }
done:
    Py_XDECREF(descr);
    Py_DECREF(tp);
    Py_DECREF(name);
    return res;
}

int
PyObject_GenericSetAttr(PyObject *obj, PyObject *name, PyObject *value)
{
    return _PyObject_GenericSetAttrWithDict(obj, name, value, NULL);
}

/* ---- the protocol ------------------------------------------------------- */

PyObject *
PyObject_GetAttr(PyObject *v, PyObject *name)
{
    PyTypeObject *tp = Py_TYPE(v);
    if (!PyUnicode_Check(name)) {
        bad_name(name);
        return NULL;
    }
    PyObject *res;
    if (KR_LIKELY(tp->tp_getattro != NULL)) {
        res = tp->tp_getattro(v, name);
    }
    else if (tp->tp_getattr != NULL) {
        const char *text = PyUnicode_AsUTF8(name);
        if (text == NULL) {
            return NULL;
        }
        res = tp->tp_getattr(v, (char *)text);
    }
    else {
        return no_attribute(v, name);
    }
    if (KR_UNLIKELY(res == NULL)) {
        kr_attribute_error_context(v, name);
    }
    return res;
}

int
_PyObject_LookupAttr(PyObject *v, PyObject *name, PyObject **result)
{
    PyTypeObject *tp = Py_TYPE(v);
    if (!PyUnicode_Check(name)) {
        *result = NULL;
        return bad_name(name);
    }
    if (tp->tp_getattro == PyObject_GenericGetAttr) {
        *result = _PyObject_GenericGetAttrWithDict(v, name, NULL, 1);
        if (*result != NULL) {
            return 1;
        }
        return PyErr_Occurred() ? -1 : 0;
    }
    if (tp->tp_getattro == kr_type_getattro) {
        *result = kr_type_getattr((PyTypeObject *)v, name, true);
        if (*result != NULL) {
            return 1;
        }
        return forgive_attribute_error();
    }
    if (tp->tp_getattro != NULL) {
        *result = tp->tp_getattro(v, name);
    }
    else if (tp->tp_getattr != NULL) {
        const char *text = PyUnicode_AsUTF8(name);
        if (text == NULL) {
            *result = NULL;
            return -1;
        }
        *result = tp->tp_getattr(v, (char *)text);
    }
    else {
        *result = NULL;
        return 0;
    }
    return *result != NULL ? 1 : forgive_attribute_error();
}

PyObject *
PyObject_GetAttrString(PyObject *v, const char *name)
{
    if (Py_TYPE(v)->tp_getattr != NULL) {
        return Py_TYPE(v)->tp_getattr(v, (char *)name);
    }
    PyObject *w = PyUnicode_FromString(name);
    if (w == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_GetAttr(v, w);
    Py_DECREF(w);
    return res;
}

int
PyObject_HasAttr(PyObject *v, PyObject *name)
{
    PyObject *res;
    if (_PyObject_LookupAttr(v, name, &res) < 0) {
        PyErr_Clear();
        return 0;
    }
    if (res == NULL) {
        return 0;
    }
    Py_DECREF(res);
    return 1;
}

int
PyObject_HasAttrString(PyObject *v, const char *name)
{
    PyObject *res = PyObject_GetAttrString(v, name);
    if (res != NULL) {
        Py_DECREF(res);
        return 1;
    }
    PyErr_Clear();
    return 0;
}

/* The object has neither slot: says what exactly it lacks. */
static KR_COLD int
cannot_set(PyObject *v, PyObject *name, PyObject *value)
{
    PyTypeObject *tp = Py_TYPE(v);
    const char *what =
        tp->tp_getattr == NULL && tp->tp_getattro == NULL
            ? "no attributes"
            : "only read-only attributes";
    PyErr_Format(PyExc_TypeError, "'%.100s' object has %s (%s .%U)",
                 tp->tp_name, what, value == NULL ? "del" : "assign to",
                 name);
    return -1;
}

int
PyObject_SetAttr(PyObject *v, PyObject *name, PyObject *value)
{
    PyTypeObject *tp = Py_TYPE(v);
    if (!PyUnicode_Check(name)) {
        return bad_name(name);
    }
    Py_INCREF(name);
    PyUnicode_InternInPlace(&name);
    int res;
    if (KR_LIKELY(tp->tp_setattro != NULL)) {
        res = tp->tp_setattro(v, name, value);
    }
    else if (tp->tp_setattr != NULL) {
        const char *text = PyUnicode_AsUTF8(name);
        res = text == NULL ? -1 : tp->tp_setattr(v, (char *)text, value);
    }
    else {
        res = cannot_set(v, name, value);
    }
    Py_DECREF(name);
    return res;
}

int
PyObject_SetAttrString(PyObject *v, const char *name, PyObject *w)
{
    if (Py_TYPE(v)->tp_setattr != NULL) {
        return Py_TYPE(v)->tp_setattr(v, (char *)name, w);
    }
    PyObject *s = PyUnicode_InternFromString(name);
    if (s == NULL) {
        return -1;
    }
    int res = PyObject_SetAttr(v, s, w);
    Py_DECREF(s);
    return res;
}

int
_PyObject_IsAbstract(PyObject *obj)
{
    if (obj == NULL) {
        return 0;
    }
    PyObject *flag;
    int res = _PyObject_LookupAttr(obj, KR_ID(__isabstractmethod__), &flag);
    if (res > 0) {
        res = PyObject_IsTrue(flag);
        Py_DECREF(flag);
    }
    return res;
}

int
_PyObject_GetMethod(PyObject *obj, PyObject *name, PyObject **method)
{
    PyTypeObject *tp = Py_TYPE(obj);
    if (tp->tp_getattro != PyObject_GenericGetAttr
        || !PyUnicode_CheckExact(name)) {
        *method = PyObject_GetAttr(obj, name);
        return 0;
    }
    *method = NULL;
    if (tp->tp_dict == NULL && PyType_Ready(tp) < 0) {
        return 0;
    }
    bool unbound = false;
    descrgetfunc f = NULL;
    PyObject *descr = _PyType_Lookup(tp, name);
    if (descr != NULL) {
        Py_INCREF(descr);
        if (PyType_HasFeature(Py_TYPE(descr), Py_TPFLAGS_METHOD_DESCRIPTOR)) {
            unbound = true;
        }
        else {
            f = Py_TYPE(descr)->tp_descr_get;
            if (f != NULL && Py_TYPE(descr)->tp_descr_set != NULL) {
                *method = f(descr, obj, (PyObject *)tp);
                goto bound;
            }
        }
    }
    int own = own_attribute(obj, name, NULL, method);
    if (own != 0) {
        Py_XDECREF(descr);
        return 0;
    }
    if (unbound) {
        *method = descr;
        return 1;
    }
    if (f != NULL) {
        *method = f(descr, obj, (PyObject *)tp);
        goto bound;
    }
    if (descr != NULL) {
        *method = descr;
        return 0;
    }
    no_attribute(obj, name);
    return 0;

bound:
    Py_DECREF(descr);
    if (*method == NULL) {
        kr_attribute_error_context(obj, name);
    }
    return 0;
}

/* ---- special methods and _Py_Identifier forms --------------------------- */

PyObject *
_PyObject_LookupSpecial(PyObject *self, PyObject *name)
{
    PyObject *res = _PyType_Lookup(Py_TYPE(self), name);
    if (res == NULL) {
        return NULL;
    }
    descrgetfunc f = Py_TYPE(res)->tp_descr_get;
    Py_INCREF(res);
    if (f == NULL) {
        return res;
    }
    PyObject *bound = f(res, self, (PyObject *)Py_TYPE(self));
    Py_DECREF(res);
    return bound;
}

PyObject *
_PyObject_LookupSpecialId(PyObject *self, _Py_Identifier *id)
{
    PyObject *name = _PyUnicode_FromId(id); /* borrowed */
    return name == NULL ? NULL : _PyObject_LookupSpecial(self, name);
}

PyObject *
_PyObject_GetAttrId(PyObject *v, _Py_Identifier *id)
{
    PyObject *name = _PyUnicode_FromId(id);
    return name == NULL ? NULL : PyObject_GetAttr(v, name);
}

int
_PyObject_SetAttrId(PyObject *v, _Py_Identifier *id, PyObject *w)
{
    PyObject *name = _PyUnicode_FromId(id);
    return name == NULL ? -1 : PyObject_SetAttr(v, name, w);
}

int
_PyObject_LookupAttrId(PyObject *v, _Py_Identifier *id, PyObject **result)
{
    PyObject *name = _PyUnicode_FromId(id);
    if (name == NULL) {
        *result = NULL;
        return -1;
    }
    return _PyObject_LookupAttr(v, name, result);
}
