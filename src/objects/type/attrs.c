/* Computed attributes of type objects: names, bases, documentation.
 *
 * A C docstring may begin with "name(signature)\n--\n\n": that part becomes
 * __text_signature__ and is not part of __doc__. */
#include "objects/type/attrs.h"

#include "base/common.h"
#include "objects/ids.h"
#include "objects/object.h"
#include "objects/type/type.h"

/* ---- documentation format ----------------------------------------------- */

#define SIGNATURE_END ")\n--\n\n"
#define SIGNATURE_END_LEN 6

/* Where "(" of the signature is, NULL if the text starts otherwise. */
static const char *
find_signature(const char *name, const char *doc)
{
    if (doc == NULL) {
        return NULL;
    }
    const char *dot = strrchr(name, '.');
    if (dot != NULL) {
        name = dot + 1;
    }
    size_t n = strlen(name);
    if (strncmp(doc, name, n) != 0 || doc[n] != '(') {
        return NULL;
    }
    return doc + n;
}

/* Behind the end mark; NULL if a blank line comes first. */
static const char *
skip_signature(const char *doc)
{
    for (; *doc; doc++) {
        if (*doc == SIGNATURE_END[0]
            && strncmp(doc, SIGNATURE_END, SIGNATURE_END_LEN) == 0) {
            return doc + SIGNATURE_END_LEN;
        }
        if (doc[0] == '\n' && doc[1] == '\n') {
            return NULL;
        }
    }
    return NULL;
}

static const char *
without_signature(const char *name, const char *doc)
{
    const char *sig = find_signature(name, doc);
    const char *rest = sig == NULL ? NULL : skip_signature(sig);
    return rest == NULL ? doc : rest;
}

PyObject *
_PyType_GetDocFromInternalDoc(const char *name, const char *internal_doc)
{
    const char *doc =
        internal_doc == NULL ? NULL : without_signature(name, internal_doc);
    if (doc == NULL || *doc == '\0') {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(doc);
}

PyObject *
_PyType_GetTextSignatureFromInternalDoc(const char *name,
                                        const char *internal_doc)
{
    const char *start = find_signature(name, internal_doc);
    const char *end = start == NULL ? NULL : skip_signature(start);
    if (end == NULL) {
        Py_RETURN_NONE;
    }
    /* Back to behind the closing parenthesis. */
    end -= SIGNATURE_END_LEN - 1;
    return PyUnicode_FromStringAndSize(start, end - start);
}

/* ---- names -------------------------------------------------------------- */

const char *
kr_short_name(PyTypeObject *type)
{
    const char *dot = strrchr(type->tp_name, '.');
    return dot == NULL ? type->tp_name : dot + 1;
}

const char *
_PyType_Name(PyTypeObject *type)
{
    return kr_short_name(type);
}

PyObject *
PyType_GetName(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        return Py_NewRef(((PyHeapTypeObject *)type)->ht_name);
    }
    return PyUnicode_FromString(kr_short_name(type));
}

PyObject *
PyType_GetQualName(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        return Py_NewRef(((PyHeapTypeObject *)type)->ht_qualname);
    }
    return PyType_GetName(type);
}

static PyObject *
get_name(PyObject *self, void *context)
{
    return PyType_GetName((PyTypeObject *)self);
}

static PyObject *
get_qualname(PyObject *self, void *context)
{
    return PyType_GetQualName((PyTypeObject *)self);
}

/* Whether a special attribute may be set; audits it. */
static bool
may_set(PyTypeObject *type, PyObject *value, const char *name)
{
    if (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) {
        PyErr_Format(PyExc_TypeError,
                     "cannot set '%s' attribute of immutable type '%s'", name,
                     type->tp_name);
        return false;
    }
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "cannot delete '%s' attribute of immutable type '%s'",
                     name, type->tp_name);
        return false;
    }
    return PySys_Audit("object.__setattr__", "OsO", type, name, value) == 0;
}

static int
set_name(PyObject *self, PyObject *value, void *context)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!may_set(type, value, "__name__")) {
        return -1;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "can only assign string to %s.__name__, not '%s'",
                     type->tp_name, Py_TYPE(value)->tp_name);
        return -1;
    }
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(value, &n);
    if (text == NULL) {
        return -1;
    }
    if (strlen(text) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError,
                        "type name must not contain null characters");
        return -1;
    }
    type->tp_name = text;
    Py_INCREF(value);
    Py_SETREF(((PyHeapTypeObject *)type)->ht_name, value);
    return 0;
}

static int
set_qualname(PyObject *self, PyObject *value, void *context)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!may_set(type, value, "__qualname__")) {
        return -1;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "can only assign string to %s.__qualname__, not '%s'",
                     type->tp_name, Py_TYPE(value)->tp_name);
        return -1;
    }
    Py_INCREF(value);
    Py_SETREF(((PyHeapTypeObject *)type)->ht_qualname, value);
    return 0;
}

PyObject *
kr_type_module(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        PyObject *mod =
            PyDict_GetItemWithError(type->tp_dict, KR_ID(__module__));
        if (mod == NULL) {
            if (!PyErr_Occurred()) {
                PyErr_SetObject(PyExc_AttributeError, KR_ID(__module__));
            }
            return NULL;
        }
        return Py_NewRef(mod);
    }
    const char *dot = strrchr(type->tp_name, '.');
    if (dot == NULL) {
        return Py_NewRef(KR_ID(builtins));
    }
    PyObject *mod =
        PyUnicode_FromStringAndSize(type->tp_name, dot - type->tp_name);
    if (mod != NULL) {
        PyUnicode_InternInPlace(&mod);
    }
    return mod;
}

PyObject *
kr_type_full_name(PyTypeObject *type)
{
    PyObject *mod = kr_type_module(type);
    if (mod == NULL) {
        PyErr_Clear();
    }
    else if (!PyUnicode_Check(mod)) {
        Py_CLEAR(mod);
    }
    PyObject *name = PyType_GetQualName(type), *res = NULL;
    if (name != NULL) {
        res = mod != NULL && !_PyUnicode_EQ(mod, KR_ID(builtins))
                  ? PyUnicode_FromFormat("%U.%U", mod, name)
                  : PyUnicode_FromFormat("%s", type->tp_name);
        Py_DECREF(name);
    }
    Py_XDECREF(mod);
    return res;
}

static PyObject *
get_module(PyObject *self, void *context)
{
    return kr_type_module((PyTypeObject *)self);
}

static int
set_module(PyObject *self, PyObject *value, void *context)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!may_set(type, value, "__module__")) {
        return -1;
    }
    PyType_Modified(type);
    return PyDict_SetItem(type->tp_dict, KR_ID(__module__), value);
}

/* ---- abstract methods --------------------------------------------------- */

static PyObject *
get_abstractmethods(PyObject *self, void *context)
{
    PyTypeObject *type = (PyTypeObject *)self;
    PyObject *res = NULL;
    /* type itself has this very descriptor under the name. */
    if (type != &PyType_Type) {
        res = PyDict_GetItemWithError(type->tp_dict,
                                      KR_ID(__abstractmethods__));
    }
    if (res == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetObject(PyExc_AttributeError, KR_ID(__abstractmethods__));
        }
        return NULL;
    }
    return Py_NewRef(res);
}

static int
set_abstractmethods(PyObject *self, PyObject *value, void *context)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) {
        return may_set(type, self, "__abstractmethods__") ? 0 : -1;
    }
    int abstract = 0, res;
    if (value != NULL) {
        abstract = PyObject_IsTrue(value);
        if (abstract < 0) {
            return -1;
        }
        res = PyDict_SetItem(type->tp_dict, KR_ID(__abstractmethods__),
                             value);
    }
    else {
        res = PyDict_DelItem(type->tp_dict, KR_ID(__abstractmethods__));
        if (res < 0 && PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_SetObject(PyExc_AttributeError, KR_ID(__abstractmethods__));
        }
    }
    if (res == 0) {
        PyType_Modified(type);
        if (abstract) {
            type->tp_flags |= Py_TPFLAGS_IS_ABSTRACT;
        }
        else {
            type->tp_flags &= ~Py_TPFLAGS_IS_ABSTRACT;
        }
    }
    return res;
}

/* ---- __bases__ ---------------------------------------------------------- */

static PyObject *
get_bases(PyObject *self, void *context)
{
    return Py_NewRef(((PyTypeObject *)self)->tp_bases);
}

/* Whether `a` derives from `b`, by bases where the MRO is not there yet. */
static bool
derives(PyTypeObject *a, PyTypeObject *b)
{
    for (; a != NULL; a = a->tp_base) {
        if (a == b) {
            return true;
        }
    }
    return b == &PyBaseObject_Type;
}

static int
check_new_bases(PyTypeObject *type, PyObject *bases)
{
    if (!PyTuple_Check(bases)) {
        PyErr_Format(PyExc_TypeError,
                     "can only assign tuple to %s.__bases__, not %s",
                     type->tp_name, Py_TYPE(bases)->tp_name);
        return -1;
    }
    if (PyTuple_GET_SIZE(bases) == 0) {
        PyErr_Format(PyExc_TypeError,
                     "can only assign non-empty tuple to %s.__bases__, not "
                     "()",
                     type->tp_name);
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *o = PyTuple_GET_ITEM(bases, i);
        if (!PyType_Check(o)) {
            PyErr_Format(PyExc_TypeError,
                         "%s.__bases__ must be tuple of classes, not '%s'",
                         type->tp_name, Py_TYPE(o)->tp_name);
            return -1;
        }
        PyTypeObject *base = (PyTypeObject *)o;
        if (PyType_IsSubtype(base, type)
            || (base->tp_mro != NULL && derives(base, type))) {
            PyErr_SetString(PyExc_TypeError,
                            "a __bases__ item causes an inheritance cycle");
            return -1;
        }
    }
    return 0;
}

/* New MROs for the type and all below it; what was replaced goes to `done`
 * as (type, new, old). */
static int
renew_mros(PyTypeObject *type, PyObject *done)
{
    PyObject *old = NULL;
    int res = kr_mro_install(type, &old);
    if (res <= 0) {
        return res;
    }
    PyObject *entry = PyTuple_Pack(3, type, type->tp_mro,
                                   old == NULL ? Py_None : old);
    Py_XDECREF(old);
    if (entry == NULL) {
        return -1;
    }
    res = PyList_Append(done, entry);
    Py_DECREF(entry);
    if (res < 0) {
        return -1;
    }
    PyObject *subs = kr_type_subclasses(type);
    if (subs == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; res >= 0 && i < PyList_GET_SIZE(subs); i++) {
        res = renew_mros((PyTypeObject *)PyList_GET_ITEM(subs, i), done);
    }
    Py_DECREF(subs);
    return res < 0 ? -1 : 0;
}

/* Undoes renew_mros. */
static void
restore_mros(PyObject *done)
{
    for (Py_ssize_t i = PyList_GET_SIZE(done) - 1; i >= 0; i--) {
        PyObject *entry = PyList_GET_ITEM(done, i);
        PyTypeObject *type = (PyTypeObject *)PyTuple_GET_ITEM(entry, 0);
        PyObject *mro = PyTuple_GET_ITEM(entry, 1);
        PyObject *old = PyTuple_GET_ITEM(entry, 2);
        if (type->tp_mro == mro && old != Py_None) {
            Py_INCREF(old);
            Py_SETREF(type->tp_mro, old);
            PyType_Modified(type);
        }
    }
}

static int
apply_bases(PyTypeObject *type, PyObject *new_bases, PyTypeObject *new_base)
{
    PyObject *done = PyList_New(0);
    if (done == NULL) {
        return -1;
    }
    PyObject *old_bases = type->tp_bases;
    PyTypeObject *old_base = type->tp_base;
    type->tp_bases = Py_NewRef(new_bases);
    type->tp_base = (PyTypeObject *)Py_NewRef((PyObject *)new_base);
    int res = renew_mros(type, done);
    if (res < 0) {
        PyObject *et, *ev, *tb;
        PyErr_Fetch(&et, &ev, &tb);
        restore_mros(done);
        if (type->tp_bases == new_bases) {
            type->tp_bases = old_bases;
            type->tp_base = old_base;
            Py_DECREF(new_bases);
            Py_DECREF(new_base);
        }
        else {
            Py_XDECREF(old_bases);
            Py_XDECREF(old_base);
        }
        PyErr_Restore(et, ev, tb);
        Py_DECREF(done);
        return -1;
    }
    Py_DECREF(done);
    /* mro() may have assigned __bases__ again: then that call did this. */
    if (type->tp_bases == new_bases) {
        kr_type_remove_subclasses(type, old_bases);
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(new_bases); i++) {
            PyObject *b = PyTuple_GET_ITEM(new_bases, i);
            if (kr_type_add_subclass((PyTypeObject *)b, type) < 0) {
                res = -1;
            }
        }
        kr_type_update_all_slots(type);
    }
    Py_XDECREF(old_bases);
    Py_XDECREF(old_base);
    PyType_Modified(type);
    return res;
}

static int
set_bases(PyObject *self, PyObject *value, void *context)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!may_set(type, value, "__bases__")
        || check_new_bases(type, value) < 0) {
        return -1;
    }
    PyTypeObject *base = kr_best_base(value);
    if (base == NULL
        || !kr_compatible_for_assignment(type->tp_base, base, "__bases__")) {
        return -1;
    }
    return apply_bases(type, value, base);
}

/* ---- __dict__, __doc__, __annotations__ --------------------------------- */

static PyObject *
get_dict(PyObject *self, void *context)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (type->tp_dict == NULL) {
        Py_RETURN_NONE;
    }
    return PyDictProxy_New(type->tp_dict);
}

static PyObject *
get_doc(PyObject *self, void *context)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE) && type->tp_doc != NULL) {
        return _PyType_GetDocFromInternalDoc(type->tp_name, type->tp_doc);
    }
    PyObject *doc = PyDict_GetItemWithError(type->tp_dict, KR_ID(__doc__));
    if (doc == NULL) {
        if (PyErr_Occurred()) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    descrgetfunc get = Py_TYPE(doc)->tp_descr_get;
    return get == NULL ? Py_NewRef(doc) : get(doc, NULL, self);
}

static int
set_doc(PyObject *self, PyObject *value, void *context)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!may_set(type, value, "__doc__")) {
        return -1;
    }
    PyType_Modified(type);
    return PyDict_SetItem(type->tp_dict, KR_ID(__doc__), value);
}

static PyObject *
get_text_signature(PyObject *self, void *context)
{
    PyTypeObject *type = (PyTypeObject *)self;
    return _PyType_GetTextSignatureFromInternalDoc(type->tp_name,
                                                   type->tp_doc);
}

static PyObject *
get_annotations(PyObject *self, void *context)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        PyErr_Format(PyExc_AttributeError,
                     "type object '%s' has no attribute '__annotations__'",
                     type->tp_name);
        return NULL;
    }
    PyObject *res =
        PyDict_GetItemWithError(type->tp_dict, KR_ID(__annotations__));
    if (res != NULL) {
        descrgetfunc get = Py_TYPE(res)->tp_descr_get;
        return get == NULL ? Py_NewRef(res) : get(res, NULL, self);
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    res = PyDict_New();
    if (res != NULL) {
        if (PyDict_SetItem(type->tp_dict, KR_ID(__annotations__), res) < 0) {
            Py_CLEAR(res);
        }
        else {
            PyType_Modified(type);
        }
    }
    return res;
}

static int
set_annotations(PyObject *self, PyObject *value, void *context)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) {
        PyErr_Format(PyExc_TypeError,
                     "cannot set '__annotations__' attribute of immutable "
                     "type '%s'",
                     type->tp_name);
        return -1;
    }
    int res;
    if (value != NULL) {
        res = PyDict_SetItem(type->tp_dict, KR_ID(__annotations__), value);
    }
    else {
        res = PyDict_DelItem(type->tp_dict, KR_ID(__annotations__));
        if (res < 0 && PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_SetString(PyExc_AttributeError, "__annotations__");
        }
    }
    if (res == 0) {
        PyType_Modified(type);
    }
    return res;
}

PyGetSetDef kr_type_getsets[] = {
    {"__name__", get_name, set_name},
    {"__qualname__", get_qualname, set_qualname},
    {"__bases__", get_bases, set_bases},
    {"__module__", get_module, set_module},
    {"__abstractmethods__", get_abstractmethods, set_abstractmethods},
    {"__dict__", get_dict, NULL},
    {"__doc__", get_doc, set_doc},
    {"__text_signature__", get_text_signature, NULL},
    {"__annotations__", get_annotations, set_annotations},
    {NULL},
};
