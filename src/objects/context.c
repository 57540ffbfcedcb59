/* Context variables: Context, ContextVar and Token. */
#include <Python.h>
#include <structmember.h>

#include "memory/gc.h"
#include "memory/tstate.h"
#include "objects/context.h"
#include "objects/hamt.h"
#include "objects/immortal.h"

struct _pycontextobject {
    PyObject_HEAD
    PyContext *prev; /* the context that was current before */
    PyObject *vars;  /* hamt {ContextVar: value} */
    PyObject *weakrefs;
    int entered;
};

struct _pycontextvarobject {
    PyObject_HEAD
    PyObject *name;
    PyObject *fallback;
    PyObject *cached; /* borrowed; valid for the two numbers below */
    uint64_t cached_tsid;
    uint64_t cached_tsver;
    Py_hash_t hash;
};

struct _pycontexttokenobject {
    PyObject_HEAD
    PyContext *ctx;
    PyContextVar *var;
    PyObject *old; /* NULL: there was none */
    int used;
};

/* --- Token.MISSING ------------------------------------------------------- */

static PyObject *
missing_repr(PyObject *self)
{
    return PyUnicode_FromString("<Token.MISSING>");
}

static PyTypeObject missing_type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "Token.MISSING",
    .tp_basicsize = sizeof(PyObject),
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_repr = missing_repr,
};

static PyObject missing = KR_IMMORTAL_HEAD(&missing_type);

/* --- contexts ------------------------------------------------------------ */

static PyContext *
context_of(PyObject *vars)
{
    PyContext *ctx = vars == NULL ? NULL
                                  : PyObject_GC_New(PyContext, &PyContext_Type);
    if (ctx == NULL) {
        Py_XDECREF(vars);
        return NULL;
    }
    ctx->prev = NULL;
    ctx->vars = vars;
    ctx->weakrefs = NULL;
    ctx->entered = 0;
    kr_gc_track((PyObject *)ctx);
    return ctx;
}

/* The current context of the thread, borrowed; made when first needed. */
static PyContext *
current_context(PyThreadState *ts)
{
    if (ts->context == NULL) {
        ts->context = PyContext_New();
        ts->context_ver++;
    }
    return (PyContext *)ts->context;
}

PyObject *
PyContext_New(void)
{
    return (PyObject *)context_of(kr_hamt_new());
}

static int
check_context(PyObject *op)
{
    if (!PyContext_CheckExact(op)) {
        PyErr_SetString(PyExc_TypeError,
                        "an instance of Context was expected");
        return -1;
    }
    return 0;
}

PyObject *
PyContext_Copy(PyObject *op)
{
    if (check_context(op) < 0) {
        return NULL;
    }
    return (PyObject *)context_of(Py_NewRef(((PyContext *)op)->vars));
}

PyObject *
PyContext_CopyCurrent(void)
{
    PyContext *ctx = current_context(PyThreadState_Get());
    return ctx == NULL ? NULL : PyContext_Copy((PyObject *)ctx);
}

static int
context_enter(PyThreadState *ts, PyObject *op)
{
    if (check_context(op) < 0) {
        return -1;
    }
    PyContext *ctx = (PyContext *)op;
    if (ctx->entered) {
        PyErr_Format(PyExc_RuntimeError,
                     "cannot enter context: %R is already entered", ctx);
        return -1;
    }
    ctx->prev = (PyContext *)ts->context; /* takes the reference over */
    ctx->entered = 1;
    ts->context = Py_NewRef(op);
    ts->context_ver++;
    return 0;
}

static int
context_exit(PyThreadState *ts, PyObject *op)
{
    if (check_context(op) < 0) {
        return -1;
    }
    PyContext *ctx = (PyContext *)op;
    if (!ctx->entered) {
        PyErr_Format(PyExc_RuntimeError,
                     "cannot exit context: %R has not been entered", ctx);
        return -1;
    }
    if (ts->context != op) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot exit context: thread state references a "
                        "different context object");
        return -1;
    }
    PyObject *prev = (PyObject *)ctx->prev;
    ctx->prev = NULL;
    ctx->entered = 0;
    ts->context = prev;
    ts->context_ver++;
    Py_DECREF(op);
    return 0;
}

int
PyContext_Enter(PyObject *op)
{
    return context_enter(PyThreadState_Get(), op);
}

int
PyContext_Exit(PyObject *op)
{
    return context_exit(PyThreadState_Get(), op);
}

static PyObject *
context_run(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
            PyObject *kwnames)
{
    PyThreadState *ts = PyThreadState_Get();
    if (nargs < 1) {
        PyErr_SetString(PyExc_TypeError,
                        "run() missing 1 required positional argument");
        return NULL;
    }
    if (context_enter(ts, self) < 0) {
        return NULL;
    }
    PyObject *res = PyObject_Vectorcall(args[0], args + 1, (size_t)nargs - 1,
                                        kwnames);
    if (context_exit(ts, self) < 0) {
        Py_CLEAR(res);
    }
    return res;
}

static PyObject *
context_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args)
        || (kwargs != NULL && PyDict_GET_SIZE(kwargs))) {
        PyErr_SetString(PyExc_TypeError,
                        "Context() does not accept any arguments");
        return NULL;
    }
    return PyContext_New();
}

static int
context_clear(PyContext *self)
{
    Py_CLEAR(self->prev);
    Py_CLEAR(self->vars);
    return 0;
}

static int
context_traverse(PyContext *self, visitproc visit, void *arg)
{
    Py_VISIT(self->prev);
    Py_VISIT(self->vars);
    return 0;
}

static void
context_dealloc(PyContext *self)
{
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    context_clear(self);
    Py_TYPE(self)->tp_free(self);
}

static int
lookup(PyContext *self, PyObject *key, PyObject **value)
{
    if (!PyContextVar_CheckExact(key)) {
        PyErr_Format(PyExc_TypeError, "a ContextVar key was expected, got %R",
                     key);
        return -1;
    }
    return kr_hamt_find(self->vars, key, value);
}

static PyObject *
context_subscript(PyContext *self, PyObject *key)
{
    PyObject *value;
    int found = lookup(self, key, &value);
    if (found == 0) {
        PyErr_SetObject(PyExc_KeyError, key);
    }
    return found > 0 ? Py_NewRef(value) : NULL;
}

static int
context_contains(PyContext *self, PyObject *key)
{
    PyObject *value;
    return lookup(self, key, &value);
}

static PyObject *
context_get(PyContext *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *value;
    if (!_PyArg_CheckPositional("get", nargs, 1, 2)) {
        return NULL;
    }
    int found = lookup(self, args[0], &value);
    if (found < 0) {
        return NULL;
    }
    return Py_NewRef(found ? value : nargs > 1 ? args[1] : Py_None);
}

static Py_ssize_t
context_len(PyContext *self)
{
    return kr_hamt_len(self->vars);
}

static PyObject *
context_iter(PyContext *self)
{
    return kr_hamt_iter(self->vars, KR_HAMT_KEYS);
}

static PyObject *
context_keys(PyContext *self, PyObject *Py_UNUSED(ignored))
{
    return kr_hamt_iter(self->vars, KR_HAMT_KEYS);
}

static PyObject *
context_values(PyContext *self, PyObject *Py_UNUSED(ignored))
{
    return kr_hamt_iter(self->vars, KR_HAMT_VALUES);
}

static PyObject *
context_items(PyContext *self, PyObject *Py_UNUSED(ignored))
{
    return kr_hamt_iter(self->vars, KR_HAMT_ITEMS);
}

static PyObject *
context_copy(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyContext_Copy(self);
}

static PyObject *
context_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyContext_CheckExact(a) || !PyContext_CheckExact(b)
        || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int eq = kr_hamt_eq(((PyContext *)a)->vars, ((PyContext *)b)->vars);
    return eq < 0 ? NULL : PyBool_FromLong(op == Py_EQ ? eq : !eq);
}

#define FN(f) (PyCFunction)(void *)(f)

static PyMethodDef context_methods[] = {
    {"get", FN(context_get), METH_FASTCALL,
     "get($self, key, default=None, /)\n--\n\n"
     "The value of a variable in this context, or default."},
    {"items", FN(context_items), METH_NOARGS,
     "items($self, /)\n--\n\nThe variables with their values."},
    {"keys", FN(context_keys), METH_NOARGS,
     "keys($self, /)\n--\n\nThe variables that have a value."},
    {"values", FN(context_values), METH_NOARGS,
     "values($self, /)\n--\n\nThe values of the variables."},
    {"copy", context_copy, METH_NOARGS,
     "copy($self, /)\n--\n\nA copy of this context."},
    {"run", FN(context_run), METH_FASTCALL | METH_KEYWORDS,
     "Call a function with this context as the current one."},
    {NULL},
};

static PySequenceMethods context_as_sequence = {
    .sq_contains = (objobjproc)context_contains,
};

static PyMappingMethods context_as_mapping = {
    .mp_length = (lenfunc)context_len,
    .mp_subscript = (binaryfunc)context_subscript,
};

PyTypeObject PyContext_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "_contextvars.Context",
    .tp_basicsize = sizeof(PyContext),
    .tp_dealloc = (destructor)context_dealloc,
    .tp_as_sequence = &context_as_sequence,
    .tp_as_mapping = &context_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = (traverseproc)context_traverse,
    .tp_clear = (inquiry)context_clear,
    .tp_richcompare = context_richcompare,
    .tp_weaklistoffset = offsetof(PyContext, weakrefs),
    .tp_iter = (getiterfunc)context_iter,
    .tp_methods = context_methods,
    .tp_new = context_new,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
};

/* --- variables ----------------------------------------------------------- */

static Py_hash_t
var_hash_of(void *var, PyObject *name)
{
    Py_hash_t h = PyObject_Hash(name);
    if (h == -1) {
        return -1;
    }
    h ^= _Py_HashPointer(var);
    return h == -1 ? -2 : h;
}

static PyContextVar *
var_new(PyObject *name, PyObject *fallback)
{
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError,
                        "context variable name must be a str");
        return NULL;
    }
    PyContextVar *var = PyObject_GC_New(PyContextVar, &PyContextVar_Type);
    if (var == NULL) {
        return NULL;
    }
    var->name = Py_NewRef(name);
    var->fallback = Py_XNewRef(fallback);
    var->cached = NULL;
    var->cached_tsid = 0;
    var->cached_tsver = 0;
    var->hash = var_hash_of(var, name);
    if (var->hash == -1) {
        Py_DECREF(var);
        return NULL;
    }
    kr_gc_track((PyObject *)var);
    return var;
}

PyObject *
PyContextVar_New(const char *name, PyObject *fallback)
{
    PyObject *str = PyUnicode_FromString(name);
    if (str == NULL) {
        return NULL;
    }
    PyContextVar *var = var_new(str, fallback);
    Py_DECREF(str);
    return (PyObject *)var;
}

static int
check_var(PyObject *op)
{
    if (!PyContextVar_CheckExact(op)) {
        PyErr_SetString(PyExc_TypeError,
                        "an instance of ContextVar was expected");
        return -1;
    }
    return 0;
}

int
PyContextVar_Get(PyObject *op, PyObject *fallback, PyObject **value)
{
    if (check_var(op) < 0) {
        return -1;
    }
    PyContextVar *var = (PyContextVar *)op;
    PyThreadState *ts = PyThreadState_Get();
    if (var->cached != NULL && var->cached_tsid == ts->id
        && var->cached_tsver == ts->context_ver) {
        *value = Py_NewRef(var->cached);
        return 0;
    }
    PyObject *found = NULL;
    if (ts->context != NULL) {
        int res = kr_hamt_find(((PyContext *)ts->context)->vars, op, &found);
        if (res < 0) {
            *value = NULL;
            return -1;
        }
        if (res) {
            var->cached = found;
            var->cached_tsid = ts->id;
            var->cached_tsver = ts->context_ver;
        }
    }
    if (found == NULL) {
        found = fallback != NULL ? fallback : var->fallback;
    }
    *value = Py_XNewRef(found);
    return 0;
}

static int
var_store(PyContextVar *var, PyObject *value)
{
    var->cached = NULL;
    PyThreadState *ts = PyThreadState_Get();
    PyContext *ctx = current_context(ts);
    PyObject *vars = ctx == NULL ? NULL
                                 : kr_hamt_set(ctx->vars, (PyObject *)var,
                                               value);
    if (vars == NULL) {
        return -1;
    }
    Py_SETREF(ctx->vars, vars);
    var->cached = value; /* the context has a reference */
    var->cached_tsid = ts->id;
    var->cached_tsver = ts->context_ver;
    return 0;
}

static int
var_delete(PyContextVar *var)
{
    var->cached = NULL;
    PyContext *ctx = current_context(PyThreadState_Get());
    if (ctx == NULL) {
        return -1;
    }
    PyObject *vars = kr_hamt_without(ctx->vars, (PyObject *)var);
    if (vars == NULL) {
        return -1;
    }
    if (vars == ctx->vars) {
        Py_DECREF(vars);
        PyErr_SetObject(PyExc_LookupError, (PyObject *)var);
        return -1;
    }
    Py_SETREF(ctx->vars, vars);
    return 0;
}

static PyContextToken *
token_new(PyContext *ctx, PyContextVar *var, PyObject *old)
{
    PyContextToken *tok = PyObject_GC_New(PyContextToken,
                                          &PyContextToken_Type);
    if (tok != NULL) {
        tok->ctx = (PyContext *)Py_NewRef((PyObject *)ctx);
        tok->var = (PyContextVar *)Py_NewRef((PyObject *)var);
        tok->old = Py_XNewRef(old);
        tok->used = 0;
        kr_gc_track((PyObject *)tok);
    }
    return tok;
}

PyObject *
PyContextVar_Set(PyObject *op, PyObject *value)
{
    if (check_var(op) < 0) {
        return NULL;
    }
    PyContextVar *var = (PyContextVar *)op;
    PyContext *ctx = current_context(PyThreadState_Get());
    PyObject *old = NULL;
    if (ctx == NULL || kr_hamt_find(ctx->vars, op, &old) < 0) {
        return NULL;
    }
    PyContextToken *tok = token_new(ctx, var, old);
    if (tok != NULL && var_store(var, value) < 0) {
        Py_CLEAR(tok);
    }
    return (PyObject *)tok;
}

int
PyContextVar_Reset(PyObject *op, PyObject *token)
{
    if (check_var(op) < 0) {
        return -1;
    }
    if (!PyContextToken_CheckExact(token)) {
        PyErr_SetString(PyExc_TypeError, "an instance of Token was expected");
        return -1;
    }
    PyContextVar *var = (PyContextVar *)op;
    PyContextToken *tok = (PyContextToken *)token;
    if (tok->used) {
        PyErr_Format(PyExc_RuntimeError, "%R has already been used once", tok);
        return -1;
    }
    if (var != tok->var) {
        PyErr_Format(PyExc_ValueError,
                     "%R was created by a different ContextVar", tok);
        return -1;
    }
    if (current_context(PyThreadState_Get()) != tok->ctx) {
        PyErr_Format(PyExc_ValueError, "%R was created in a different Context",
                     tok);
        return -1;
    }
    tok->used = 1;
    return tok->old == NULL ? var_delete(var) : var_store(var, tok->old);
}

static PyObject *
var_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "default", NULL};
    PyObject *name, *fallback = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$O:ContextVar", keywords,
                                     &name, &fallback)) {
        return NULL;
    }
    return (PyObject *)var_new(name, fallback);
}

static PyObject *
var_get(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *value;
    if (!_PyArg_CheckPositional("get", nargs, 0, 1)
        || PyContextVar_Get(self, nargs ? args[0] : NULL, &value) < 0) {
        return NULL;
    }
    if (value == NULL) {
        PyErr_SetObject(PyExc_LookupError, self);
    }
    return value;
}

static PyObject *
var_reset(PyObject *self, PyObject *token)
{
    if (!PyContextToken_CheckExact(token)) {
        PyErr_Format(PyExc_TypeError, "expected an instance of Token, got %R",
                     token);
        return NULL;
    }
    if (PyContextVar_Reset(self, token) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static int
var_clear(PyContextVar *self)
{
    Py_CLEAR(self->name);
    Py_CLEAR(self->fallback);
    self->cached = NULL;
    return 0;
}

static int
var_traverse(PyContextVar *self, visitproc visit, void *arg)
{
    Py_VISIT(self->name);
    Py_VISIT(self->fallback);
    return 0;
}

static void
var_dealloc(PyContextVar *self)
{
    PyObject_GC_UnTrack(self);
    var_clear(self);
    Py_TYPE(self)->tp_free(self);
}

static Py_hash_t
var_hash(PyContextVar *self)
{
    return self->hash;
}

static PyObject *
var_repr(PyContextVar *self)
{
    if (self->fallback != NULL) {
        return PyUnicode_FromFormat("<ContextVar name=%R default=%R at %p>",
                                    self->name, self->fallback, self);
    }
    return PyUnicode_FromFormat("<ContextVar name=%R at %p>", self->name,
                                self);
}

static PyMemberDef var_members[] = {
    {"name", T_OBJECT, offsetof(PyContextVar, name), READONLY},
    {NULL},
};

static PyMethodDef var_methods[] = {
    {"get", FN(var_get), METH_FASTCALL,
     "get($self, default=<unrepresentable>, /)\n--\n\n"
     "The value in the current context; else default, or the default of the\n"
     "variable, or LookupError."},
    {"set", PyContextVar_Set, METH_O,
     "set($self, value, /)\n--\n\n"
     "Set the value in the current context; a Token for reset()."},
    {"reset", var_reset, METH_O,
     "reset($self, token, /)\n--\n\n"
     "Bring back the value from before the set() that gave the token."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     "See PEP 585"},
    {NULL},
};

PyTypeObject PyContextVar_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "_contextvars.ContextVar",
    .tp_basicsize = sizeof(PyContextVar),
    .tp_dealloc = (destructor)var_dealloc,
    .tp_repr = (reprfunc)var_repr,
    .tp_hash = (hashfunc)var_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = (traverseproc)var_traverse,
    .tp_clear = (inquiry)var_clear,
    .tp_methods = var_methods,
    .tp_members = var_members,
    .tp_new = var_tp_new,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
};

/* --- tokens -------------------------------------------------------------- */

static PyObject *
token_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyErr_SetString(PyExc_RuntimeError,
                    "Tokens can only be created by ContextVars");
    return NULL;
}

static int
token_clear(PyContextToken *self)
{
    Py_CLEAR(self->ctx);
    Py_CLEAR(self->var);
    Py_CLEAR(self->old);
    return 0;
}

static int
token_traverse(PyContextToken *self, visitproc visit, void *arg)
{
    Py_VISIT(self->ctx);
    Py_VISIT(self->var);
    Py_VISIT(self->old);
    return 0;
}

static void
token_dealloc(PyContextToken *self)
{
    PyObject_GC_UnTrack(self);
    token_clear(self);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
token_repr(PyContextToken *self)
{
    return PyUnicode_FromFormat("<Token%s var=%R at %p>",
                                self->used ? " used" : "", self->var, self);
}

static PyObject *
token_get_var(PyContextToken *self, void *closure)
{
    return Py_NewRef((PyObject *)self->var);
}

static PyObject *
token_get_old(PyContextToken *self, void *closure)
{
    return Py_NewRef(self->old == NULL ? &missing : self->old);
}

static PyGetSetDef token_getset[] = {
    {"var", (getter)token_get_var},
    {"old_value", (getter)token_get_old},
    {NULL},
};

static PyMethodDef token_methods[] = {
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     "See PEP 585"},
    {NULL},
};

PyTypeObject PyContextToken_Type = {
    .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),
    .tp_name = "_contextvars.Token",
    .tp_basicsize = sizeof(PyContextToken),
    .tp_dealloc = (destructor)token_dealloc,
    .tp_repr = (reprfunc)token_repr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = (traverseproc)token_traverse,
    .tp_clear = (inquiry)token_clear,
    .tp_methods = token_methods,
    .tp_getset = token_getset,
    .tp_new = token_tp_new,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_GC_Del,
};

int
kr_context_init(void)
{
    if (PyType_Ready(&missing_type) < 0
        || PyDict_SetItemString(PyContextToken_Type.tp_dict, "MISSING",
                                &missing) < 0) {
        return -1;
    }
    PyType_Modified(&PyContextToken_Type);
    return 0;
}

PyObject *
_PyContext_NewHamtForTests(void)
{
    return kr_hamt_new();
}
