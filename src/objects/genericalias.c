/* types.GenericAlias: list[int].
 *
 * The alias passes nearly every attribute on to its origin and is called like
 * it; parameters (type variables) are found when first asked for. */
#include "objects/genericalias.h"

#include "base/common.h"
#include "memory/gc.h"
#include "objects/ids.h"
#include "objects/immortal.h"
#include "objects/object.h"

#include <structmember.h>

struct alias {
    PyObject_HEAD
    PyObject *origin;
    PyObject *args;
    PyObject *parameters;
    PyObject *weaklist;
    bool starred; /* *tuple[int] */
    vectorcallfunc vectorcall;
};

static inline struct alias *
cast(PyObject *self)
{
    return (struct alias *)self;
}

static void
alias_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    if (cast(self)->weaklist != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_XDECREF(cast(self)->origin);
    Py_XDECREF(cast(self)->args);
    Py_XDECREF(cast(self)->parameters);
    Py_TYPE(self)->tp_free(self);
}

static int
alias_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(cast(self)->origin);
    Py_VISIT(cast(self)->args);
    Py_VISIT(cast(self)->parameters);
    return 0;
}

/* ---- repr --------------------------------------------------------------- */

/* "module.qualname", or just the name for builtins; NULL without exception
 * when the object has not both. */
static PyObject *
dotted_name(PyObject *p)
{
    PyObject *qualname, *module, *res = NULL;
    if (_PyObject_LookupAttr(p, KR_ID(__qualname__), &qualname) <= 0) {
        return NULL;
    }
    if (_PyObject_LookupAttr(p, KR_ID(__module__), &module) <= 0) {
        Py_DECREF(qualname);
        return NULL;
    }
    if (module != Py_None) {
        if (PyUnicode_Check(module)
            && _PyUnicode_EQ(module, KR_ID(builtins))) {
            res = PyObject_Str(qualname);
        }
        else {
            res = PyUnicode_FromFormat("%S.%S", module, qualname);
        }
    }
    Py_DECREF(module);
    Py_DECREF(qualname);
    return res;
}

/* Whether the object is itself an alias, whose repr says it all. */
static int
looks_like_alias(PyObject *p)
{
    PyObject *tmp;
    int r = _PyObject_LookupAttr(p, KR_ID(__origin__), &tmp);
    if (r <= 0) {
        return r;
    }
    Py_DECREF(tmp);
    r = _PyObject_LookupAttr(p, KR_ID(__args__), &tmp);
    Py_XDECREF(tmp);
    return r;
}

PyObject *
kr_type_arg_repr(PyObject *p)
{
    if (p == Py_Ellipsis) {
        return PyUnicode_FromString("...");
    }
    if (Py_IS_TYPE(p, &_PyNone_Type)) {
        return PyUnicode_FromString("None");
    }
    int r = looks_like_alias(p);
    if (r < 0) {
        return NULL;
    }
    if (r == 0) {
        PyObject *name = dotted_name(p);
        if (name != NULL || PyErr_Occurred()) {
            return name;
        }
    }
    return PyObject_Repr(p);
}

/* "[a, b]" for an argument list inside an alias (Callable[[int], str]). */
static PyObject *
list_repr(PyObject *list)
{
    PyObject *parts = PyList_New(0);
    if (parts == NULL) {
        return NULL;
    }
    Py_ssize_t n = PySequence_Size(list);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(list, i);
        PyObject *text = item == NULL ? NULL : kr_type_arg_repr(item);
        Py_XDECREF(item);
        if (text == NULL || PyList_Append(parts, text) < 0) {
            Py_XDECREF(text);
            Py_DECREF(parts);
            return NULL;
        }
        Py_DECREF(text);
    }
    PyObject *comma = PyUnicode_FromString(", ");
    PyObject *joined = comma == NULL ? NULL : PyUnicode_Join(comma, parts);
    Py_XDECREF(comma);
    Py_DECREF(parts);
    PyObject *res =
        joined == NULL ? NULL : PyUnicode_FromFormat("[%U]", joined);
    Py_XDECREF(joined);
    return res;
}

static int
write_arg(_PyUnicodeWriter *w, PyObject *arg)
{
    PyObject *text =
        PyList_Check(arg) ? list_repr(arg) : kr_type_arg_repr(arg);
    if (text == NULL) {
        return -1;
    }
    int res = _PyUnicodeWriter_WriteStr(w, text);
    Py_DECREF(text);
    return res;
}

static PyObject *
alias_repr(PyObject *self)
{
    struct alias *a = cast(self);
    Py_ssize_t n = PyTuple_GET_SIZE(a->args);
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    if ((a->starred && _PyUnicodeWriter_WriteASCIIString(&w, "*", 1) < 0)
        || write_arg(&w, a->origin) < 0
        || _PyUnicodeWriter_WriteASCIIString(&w, "[", 1) < 0) {
        goto error;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if ((i > 0 && _PyUnicodeWriter_WriteASCIIString(&w, ", ", 2) < 0)
            || write_arg(&w, PyTuple_GET_ITEM(a->args, i)) < 0) {
            goto error;
        }
    }
    if ((n == 0 && _PyUnicodeWriter_WriteASCIIString(&w, "()", 2) < 0)
        || _PyUnicodeWriter_WriteASCIIString(&w, "]", 1) < 0) {
        goto error;
    }
    return _PyUnicodeWriter_Finish(&w);
error:
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

/* ---- parameters --------------------------------------------------------- */

static int
append_once(PyObject *list, PyObject *item)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        if (PyList_GET_ITEM(list, i) == item) {
            return 0;
        }
    }
    return PyList_Append(list, item);
}

/* Adds the type variables of one argument. */
static int
collect_parameters(PyObject *list, PyObject *arg)
{
    if (PyType_Check(arg)) {
        return 0; /* classes have no free variables */
    }
    PyObject *tmp;
    int r = _PyObject_LookupAttr(arg, KR_ID(__typing_subst__), &tmp);
    if (r < 0) {
        return -1;
    }
    if (r > 0) {
        Py_DECREF(tmp);
        return append_once(list, arg);
    }
    r = _PyObject_LookupAttr(arg, KR_ID(__parameters__), &tmp);
    if (r <= 0) {
        return r;
    }
    int res = 0;
    if (PyTuple_Check(tmp)) {
        for (Py_ssize_t j = 0; res == 0 && j < PyTuple_GET_SIZE(tmp); j++) {
            res = append_once(list, PyTuple_GET_ITEM(tmp, j));
        }
    }
    Py_DECREF(tmp);
    return res;
}

PyObject *
kr_make_parameters(PyObject *args)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        if (collect_parameters(list, PyTuple_GET_ITEM(args, i)) < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    PyObject *res = PyList_AsTuple(list);
    Py_DECREF(list);
    return res;
}

static Py_ssize_t
index_of(PyObject *tuple, PyObject *item)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        if (PyTuple_GET_ITEM(tuple, i) == item) {
            return i;
        }
    }
    return -1;
}

/* An argument that is generic itself, with its parameters filled in from the
 * chosen values. */
static PyObject *
subs_nested(PyObject *obj, PyObject *params, PyObject **values)
{
    PyObject *sub;
    if (_PyObject_LookupAttr(obj, KR_ID(__parameters__), &sub) < 0) {
        return NULL;
    }
    if (sub == NULL || !PyTuple_Check(sub) || PyTuple_GET_SIZE(sub) == 0) {
        Py_XDECREF(sub);
        return Py_NewRef(obj);
    }
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < PyTuple_GET_SIZE(sub); i++) {
        PyObject *p = PyTuple_GET_ITEM(sub, i);
        Py_ssize_t at = index_of(params, p);
        int r;
        if (at < 0) {
            r = PyList_Append(list, p);
        }
        else {
            PyObject *value = values[at];
            /* A TypeVarTuple stands for all its values. */
            if (PyTuple_Check(value) && Py_TYPE(p)->tp_iter != NULL) {
                r = PyList_SetSlice(list, PyList_GET_SIZE(list),
                                    PyList_GET_SIZE(list), value);
            }
            else {
                r = PyList_Append(list, value);
            }
        }
        if (r < 0) {
            Py_CLEAR(list);
        }
    }
    Py_DECREF(sub);
    PyObject *tuple = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    if (tuple == NULL) {
        return NULL;
    }
    PyObject *res = PyObject_GetItem(obj, tuple);
    Py_DECREF(tuple);
    return res;
}

/* Whether an argument is an unpacked TypeVarTuple: 1, 0, -1. */
static int
is_unpacked(PyObject *arg)
{
    if (PyType_Check(arg)) {
        return 0;
    }
    PyObject *tmp;
    int r = _PyObject_LookupAttr(
        arg, KR_ID(__typing_is_unpacked_typevartuple__), &tmp);
    if (r > 0) {
        r = PyObject_IsTrue(tmp);
        Py_DECREF(tmp);
    }
    return r;
}

/* The subscript as a tuple, with *tuple[int, str] spread out. */
static PyObject *
spread(PyObject *item)
{
    bool is_tuple = PyTuple_Check(item);
    Py_ssize_t n = is_tuple ? PyTuple_GET_SIZE(item) : 1;
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < n; i++) {
        PyObject *one = is_tuple ? PyTuple_GET_ITEM(item, i) : item;
        int r = -1;
        PyObject *sub = NULL;
        if (PyType_Check(one)
            || _PyObject_LookupAttr(
                   one, KR_ID(__typing_unpacked_tuple_args__), &sub)
                   >= 0) {
            bool open_end =
                sub != NULL && PyTuple_Check(sub)
                && PyTuple_GET_SIZE(sub) > 0
                && PyTuple_GET_ITEM(sub, PyTuple_GET_SIZE(sub) - 1)
                       == Py_Ellipsis;
            if (sub != NULL && PyTuple_Check(sub) && !open_end) {
                Py_ssize_t at = PyList_GET_SIZE(list);
                r = PyList_SetSlice(list, at, at, sub);
            }
            else {
                r = PyList_Append(list, one);
            }
            Py_XDECREF(sub);
        }
        if (r < 0) {
            Py_CLEAR(list);
        }
    }
    PyObject *res = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    return res;
}

/* Each parameter may want to arrange the values first (ParamSpec,
 * TypeVarTuple). Takes over `item`. */
static PyObject *
prepare(PyObject *self, PyObject *parameters, PyObject *item)
{
    for (Py_ssize_t i = 0;
         item != NULL && i < PyTuple_GET_SIZE(parameters); i++) {
        PyObject *param = PyTuple_GET_ITEM(parameters, i);
        PyObject *func;
        if (_PyObject_LookupAttr(param, KR_ID(__typing_prepare_subst__),
                                 &func)
            < 0) {
            Py_CLEAR(item);
        }
        else if (func != NULL && func != Py_None) {
            PyObject *was = item;
            item = PyObject_CallFunctionObjArgs(func, self, was, NULL);
            Py_DECREF(was);
            if (item != NULL && !PyTuple_Check(item)) {
                Py_SETREF(item, PyTuple_Pack(1, item));
            }
        }
        Py_XDECREF(func);
    }
    return item;
}

/* One new argument in place of `arg`. */
static PyObject *
subs_one(PyObject *arg, PyObject *parameters, PyObject **values)
{
    if (PyType_Check(arg)) {
        return Py_NewRef(arg);
    }
    PyObject *subst;
    if (_PyObject_LookupAttr(arg, KR_ID(__typing_subst__), &subst) < 0) {
        return NULL;
    }
    if (subst == NULL) {
        return subs_nested(arg, parameters, values);
    }
    PyObject *res = NULL;
    Py_ssize_t at = index_of(parameters, arg);
    if (at >= 0) {
        res = PyObject_CallOneArg(subst, values[at]);
    }
    Py_DECREF(subst);
    return res;
}

PyObject *
kr_subs_parameters(PyObject *self, PyObject *args, PyObject *parameters,
                   PyObject *item)
{
    Py_ssize_t nparams = PyTuple_GET_SIZE(parameters);
    if (nparams == 0) {
        return PyErr_Format(PyExc_TypeError, "%R is not a generic class",
                            self);
    }
    item = prepare(self, parameters, spread(item));
    if (item == NULL) {
        return NULL;
    }
    Py_ssize_t nvalues = PyTuple_GET_SIZE(item);
    if (nvalues != nparams) {
        PyErr_Format(PyExc_TypeError,
                     "Too %s arguments for %R; actual %zd, expected %zd",
                     nvalues > nparams ? "many" : "few", self, nvalues,
                     nparams);
        Py_DECREF(item);
        return NULL;
    }
    PyObject **values = &PyTuple_GET_ITEM(item, 0);
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < PyTuple_GET_SIZE(args); i++) {
        PyObject *arg = PyTuple_GET_ITEM(args, i);
        int unpack = is_unpacked(arg);
        PyObject *one =
            unpack < 0 ? NULL
                       : subs_one(arg, parameters, values);
        int r = -1;
        if (one != NULL) {
            if (unpack && PyTuple_Check(one)) {
                Py_ssize_t end = PyList_GET_SIZE(list);
                r = PyList_SetSlice(list, end, end, one);
            }
            else {
                r = PyList_Append(list, one);
            }
            Py_DECREF(one);
        }
        if (r < 0) {
            Py_CLEAR(list);
        }
    }
    Py_DECREF(item);
    PyObject *res = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    return res;
}

static PyObject *
parameters_of(struct alias *a)
{
    if (a->parameters == NULL) {
        a->parameters = kr_make_parameters(a->args);
    }
    return a->parameters;
}

static PyObject *new_alias(PyTypeObject *type, PyObject *origin,
                           PyObject *args, bool starred);

static PyObject *
alias_getitem(PyObject *self, PyObject *item)
{
    struct alias *a = cast(self);
    if (parameters_of(a) == NULL) {
        return NULL;
    }
    PyObject *args =
        kr_subs_parameters(self, a->args, a->parameters, item);
    if (args == NULL) {
        return NULL;
    }
    PyObject *res = new_alias(Py_TYPE(self), a->origin, args, a->starred);
    Py_DECREF(args);
    return res;
}

/* ---- calling, comparing, attributes ------------------------------------- */

static Py_hash_t
alias_hash(PyObject *self)
{
    Py_hash_t a = PyObject_Hash(cast(self)->origin);
    Py_hash_t b = a == -1 ? -1 : PyObject_Hash(cast(self)->args);
    return b == -1 ? -1 : a ^ b;
}

/* The new object remembers what it was made by, if it can. */
static PyObject *
mark(PyObject *self, PyObject *obj)
{
    if (obj != NULL
        && PyObject_SetAttr(obj, KR_ID(__orig_class__), self) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)
            && !PyErr_ExceptionMatches(PyExc_TypeError)) {
            Py_DECREF(obj);
            return NULL;
        }
        PyErr_Clear();
    }
    return obj;
}

static PyObject *
alias_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf,
                 PyObject *kwnames)
{
    return mark(self, PyObject_Vectorcall(cast(self)->origin, args, nargsf,
                                          kwnames));
}

static PyObject *
alias_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    return mark(self, PyObject_Call(cast(self)->origin, args, kwds));
}

static PyObject *
alias_getattro(PyObject *self, PyObject *name)
{
    /* These are the alias's own; all else is the origin's. */
    static const char *const own[] = {
        "__class__", "__bases__", "__origin__", "__args__", "__unpacked__",
        "__parameters__", "__typing_unpacked_tuple_args__", "__mro_entries__",
        "__reduce_ex__", "__reduce__", "__copy__", "__deepcopy__",
    };
    if (PyUnicode_Check(name)) {
        for (size_t i = 0; i < KR_ARRAY_LEN(own); i++) {
            if (_PyUnicode_EqualToASCIIString(name, own[i])) {
                return PyObject_GenericGetAttr(self, name);
            }
        }
        return PyObject_GetAttr(cast(self)->origin, name);
    }
    return PyObject_GenericGetAttr(self, name);
}

static PyObject *
alias_richcompare(PyObject *self, PyObject *other, int op)
{
    if (!PyObject_TypeCheck(other, &Py_GenericAliasType)
        || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (op == Py_NE) {
        PyObject *eq = alias_richcompare(self, other, Py_EQ);
        if (eq == NULL) {
            return NULL;
        }
        Py_DECREF(eq);
        return PyBool_FromLong(eq != Py_True);
    }
    struct alias *a = cast(self), *b = cast(other);
    if (a->starred != b->starred) {
        Py_RETURN_FALSE;
    }
    int eq = PyObject_RichCompareBool(a->origin, b->origin, Py_EQ);
    if (eq < 0) {
        return NULL;
    }
    if (!eq) {
        Py_RETURN_FALSE;
    }
    return PyObject_RichCompare(a->args, b->args, Py_EQ);
}

static PyObject *
alias_mro_entries(PyObject *self, PyObject *args)
{
    return PyTuple_Pack(1, cast(self)->origin);
}

static PyObject *
alias_instancecheck(PyObject *self, PyObject *unused)
{
    PyErr_SetString(PyExc_TypeError,
                    "isinstance() argument 2 cannot be a parameterized "
                    "generic");
    return NULL;
}

static PyObject *
alias_subclasscheck(PyObject *self, PyObject *unused)
{
    PyErr_SetString(PyExc_TypeError,
                    "issubclass() argument 2 cannot be a parameterized "
                    "generic");
    return NULL;
}

static PyObject *
alias_reduce(PyObject *self, PyObject *unused)
{
    struct alias *a = cast(self);
    if (a->starred) {
        /* Pickled as next(iter(alias)). */
        PyObject *plain =
            new_alias(&Py_GenericAliasType, a->origin, a->args, false);
        PyObject *it = plain == NULL ? NULL : PyObject_GetIter(plain);
        Py_XDECREF(plain);
        if (it == NULL) {
            return NULL;
        }
        return Py_BuildValue("N(N)", _PyEval_GetBuiltin(KR_ID(next)), it);
    }
    return Py_BuildValue("O(OO)", Py_TYPE(self), a->origin, a->args);
}

static PyObject *
alias_dir(PyObject *self, PyObject *unused)
{
    PyObject *dir = PyObject_Dir(cast(self)->origin);
    if (dir == NULL) {
        return NULL;
    }
    PyObject *const extra[] = {KR_ID(__origin__), KR_ID(__args__),
                               KR_ID(__parameters__),
                               KR_ID(__mro_entries__),
                               KR_ID(__reduce_ex__), KR_ID(__reduce__),
                               KR_ID(__copy__), KR_ID(__deepcopy__)};
    for (size_t i = 0; i < KR_ARRAY_LEN(extra); i++) {
        int has = PySequence_Contains(dir, extra[i]);
        if (has < 0 || (has == 0 && PyList_Append(dir, extra[i]) < 0)) {
            Py_DECREF(dir);
            return NULL;
        }
    }
    return dir;
}

static PyMethodDef alias_methods[] = {
    {"__mro_entries__", alias_mro_entries, METH_O},
    {"__instancecheck__", alias_instancecheck, METH_O},
    {"__subclasscheck__", alias_subclasscheck, METH_O},
    {"__reduce__", alias_reduce, METH_NOARGS},
    {"__dir__", alias_dir, METH_NOARGS},
    {NULL},
};

static PyMemberDef alias_members[] = {
    {"__origin__", T_OBJECT, offsetof(struct alias, origin), READONLY},
    {"__args__", T_OBJECT, offsetof(struct alias, args), READONLY},
    {"__unpacked__", T_BOOL, offsetof(struct alias, starred), READONLY},
    {NULL},
};

static PyObject *
get_parameters(PyObject *self, void *context)
{
    return Py_XNewRef(parameters_of(cast(self)));
}

static PyObject *
get_unpacked_tuple_args(PyObject *self, void *context)
{
    struct alias *a = cast(self);
    bool yes = a->starred && a->origin == (PyObject *)&PyTuple_Type;
    return Py_NewRef(yes ? a->args : Py_None);
}

static PyGetSetDef alias_getsets[] = {
    {"__parameters__", get_parameters, NULL,
     PyDoc_STR("Type variables in the GenericAlias.")},
    {"__typing_unpacked_tuple_args__", get_unpacked_tuple_args, NULL},
    {NULL},
};

/* ---- making ------------------------------------------------------------- */

static PyObject *
new_alias(PyTypeObject *type, PyObject *origin, PyObject *args, bool starred)
{
    if (PyTuple_Check(args)) {
        Py_INCREF(args);
    }
    else {
        args = PyTuple_Pack(1, args);
        if (args == NULL) {
            return NULL;
        }
    }
    PyObject *self = PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        Py_DECREF(args);
        return NULL;
    }
    struct alias *a = cast(self);
    a->origin = Py_NewRef(origin);
    a->args = args;
    a->starred = starred;
    a->vectorcall = alias_vectorcall;
    return self;
}

static PyObject *
alias_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (!_PyArg_NoKeywords("GenericAlias", kwds)
        || !_PyArg_CheckPositional("GenericAlias", PyTuple_GET_SIZE(args), 2,
                                   2)) {
        return NULL;
    }
    return new_alias(type, PyTuple_GET_ITEM(args, 0),
                     PyTuple_GET_ITEM(args, 1), false);
}

PyObject *
Py_GenericAlias(PyObject *origin, PyObject *args)
{
    return new_alias(&Py_GenericAliasType, origin, args, false);
}

/* ---- iteration: *list[int] ---------------------------------------------- */

struct alias_iter {
    PyObject_HEAD
    PyObject *obj; /* NULL when exhausted */
};

static PyObject *
iter_next(PyObject *self)
{
    struct alias_iter *it = (struct alias_iter *)self;
    if (it->obj == NULL) {
        return NULL;
    }
    struct alias *a = cast(it->obj);
    PyObject *res = new_alias(Py_TYPE(it->obj), a->origin, a->args, true);
    Py_CLEAR(it->obj);
    return res;
}

static void
iter_dealloc(PyObject *self)
{
    kr_gc_untrack(self);
    Py_XDECREF(((struct alias_iter *)self)->obj);
    PyObject_GC_Del(self);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((struct alias_iter *)self)->obj);
    return 0;
}

static int
iter_clear(PyObject *self)
{
    Py_CLEAR(((struct alias_iter *)self)->obj);
    return 0;
}

static PyObject *
iter_reduce(PyObject *self, PyObject *unused)
{
    struct alias_iter *it = (struct alias_iter *)self;
    PyObject *iter = _PyEval_GetBuiltin(KR_ID(iter));
    if (it->obj != NULL) {
        return Py_BuildValue("N(O)", iter, it->obj);
    }
    return Py_BuildValue("N(())", iter);
}

static PyMethodDef iter_methods[] = {
    {"__reduce__", iter_reduce, METH_NOARGS},
    {NULL},
};

PyTypeObject kr_genericalias_iter_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "generic_alias_iterator",
    .tp_basicsize = sizeof(struct alias_iter),
    .tp_dealloc = iter_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_clear = iter_clear,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};

static PyObject *
alias_iter(PyObject *self)
{
    struct alias_iter *it =
        PyObject_GC_New(struct alias_iter, &kr_genericalias_iter_type);
    if (it != NULL) {
        it->obj = Py_NewRef(self);
        kr_gc_track((PyObject *)it);
    }
    return (PyObject *)it;
}

static PyMappingMethods alias_as_mapping = {.mp_subscript = alias_getitem};
static PyNumberMethods alias_as_number = {.nb_or = kr_union_or};

PyTypeObject Py_GenericAliasType = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "types.GenericAlias",
    .tp_basicsize = sizeof(struct alias),
    .tp_dealloc = alias_dealloc,
    .tp_vectorcall_offset = offsetof(struct alias, vectorcall),
    .tp_repr = alias_repr,
    .tp_as_number = &alias_as_number,
    .tp_as_mapping = &alias_as_mapping,
    .tp_hash = alias_hash,
    .tp_call = alias_call,
    .tp_getattro = alias_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = PyDoc_STR("GenericAlias(origin, args, /)\n--\n\n"
                        "A parametrised type such as list[int]."),
    .tp_traverse = alias_traverse,
    .tp_richcompare = alias_richcompare,
    .tp_weaklistoffset = offsetof(struct alias, weaklist),
    .tp_iter = alias_iter,
    .tp_methods = alias_methods,
    .tp_members = alias_members,
    .tp_getset = alias_getsets,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = alias_new,
    .tp_free = PyObject_GC_Del,
};
