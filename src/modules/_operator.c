/* The _operator module: the operators as functions, and the getters. */
#include <Python.h>

#include "base/common.h"
#include "objects/ids.h"
#include "objects/immortal.h"

/* ---- operators */

#define UNARY(name, call)                                                      \
    static PyObject *op_##name(PyObject *module, PyObject *a)                  \
    {                                                                          \
        return call(a);                                                        \
    }
#define BINARY(name, call)                                                     \
    static PyObject *op_##name(PyObject *module, PyObject *const *args,        \
                               Py_ssize_t nargs)                               \
    {                                                                          \
        if (!_PyArg_CheckPositional(#name, nargs, 2, 2)) {                     \
            return NULL;                                                       \
        }                                                                      \
        return call;                                                           \
    }
#define COMPARE(name, op)                                                      \
    BINARY(name, PyObject_RichCompare(args[0], args[1], op))

static PyObject *
truth_of(PyObject *a)
{
    int truth = PyObject_IsTrue(a);
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

static PyObject *
not_of(PyObject *a)
{
    int truth = PyObject_IsTrue(a);
    return truth < 0 ? NULL : PyBool_FromLong(!truth);
}

UNARY(truth, truth_of)
UNARY(not_, not_of)
UNARY(index, PyNumber_Index)
UNARY(neg, PyNumber_Negative)
UNARY(pos, PyNumber_Positive)
UNARY(abs, PyNumber_Absolute)
UNARY(inv, PyNumber_Invert)
UNARY(invert, PyNumber_Invert)

BINARY(add, PyNumber_Add(args[0], args[1]))
BINARY(sub, PyNumber_Subtract(args[0], args[1]))
BINARY(mul, PyNumber_Multiply(args[0], args[1]))
BINARY(matmul, PyNumber_MatrixMultiply(args[0], args[1]))
BINARY(floordiv, PyNumber_FloorDivide(args[0], args[1]))
BINARY(truediv, PyNumber_TrueDivide(args[0], args[1]))
BINARY(mod, PyNumber_Remainder(args[0], args[1]))
BINARY(lshift, PyNumber_Lshift(args[0], args[1]))
BINARY(rshift, PyNumber_Rshift(args[0], args[1]))
BINARY(and_, PyNumber_And(args[0], args[1]))
BINARY(xor, PyNumber_Xor(args[0], args[1]))
BINARY(or_, PyNumber_Or(args[0], args[1]))
BINARY(pow, PyNumber_Power(args[0], args[1], Py_None))
BINARY(iadd, PyNumber_InPlaceAdd(args[0], args[1]))
BINARY(isub, PyNumber_InPlaceSubtract(args[0], args[1]))
BINARY(imul, PyNumber_InPlaceMultiply(args[0], args[1]))
BINARY(imatmul, PyNumber_InPlaceMatrixMultiply(args[0], args[1]))
BINARY(ifloordiv, PyNumber_InPlaceFloorDivide(args[0], args[1]))
BINARY(itruediv, PyNumber_InPlaceTrueDivide(args[0], args[1]))
BINARY(imod, PyNumber_InPlaceRemainder(args[0], args[1]))
BINARY(ilshift, PyNumber_InPlaceLshift(args[0], args[1]))
BINARY(irshift, PyNumber_InPlaceRshift(args[0], args[1]))
BINARY(iand, PyNumber_InPlaceAnd(args[0], args[1]))
BINARY(ixor, PyNumber_InPlaceXor(args[0], args[1]))
BINARY(ior, PyNumber_InPlaceOr(args[0], args[1]))
BINARY(ipow, PyNumber_InPlacePower(args[0], args[1], Py_None))
BINARY(concat, PySequence_Concat(args[0], args[1]))
BINARY(iconcat, PySequence_InPlaceConcat(args[0], args[1]))
BINARY(getitem, PyObject_GetItem(args[0], args[1]))
BINARY(is_, PyBool_FromLong(args[0] == args[1]))
BINARY(is_not, PyBool_FromLong(args[0] != args[1]))
COMPARE(lt, Py_LT)
COMPARE(le, Py_LE)
COMPARE(eq, Py_EQ)
COMPARE(ne, Py_NE)
COMPARE(gt, Py_GT)
COMPARE(ge, Py_GE)

static PyObject *
contains_of(PyObject *a, PyObject *b)
{
    int found = PySequence_Contains(a, b);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

static PyObject *
index_of(PyObject *a, PyObject *b)
{
    Py_ssize_t i = PySequence_Index(a, b);
    return i < 0 ? NULL : PyLong_FromSsize_t(i);
}

static PyObject *
count_of(PyObject *a, PyObject *b)
{
    Py_ssize_t n = PySequence_Count(a, b);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

static PyObject *
delete_of(PyObject *a, PyObject *b)
{
    return PyObject_DelItem(a, b) < 0 ? NULL : Py_NewRef(Py_None);
}

BINARY(contains, contains_of(args[0], args[1]))
BINARY(indexOf, index_of(args[0], args[1]))
BINARY(countOf, count_of(args[0], args[1]))
BINARY(delitem, delete_of(args[0], args[1]))

static PyObject *
op_setitem(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("setitem", nargs, 3, 3)
        || PyObject_SetItem(args[0], args[1], args[2]) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
op_length_hint(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t value = 0;
    if (!_PyArg_CheckPositional("length_hint", nargs, 1, 2)) {
        return NULL;
    }
    if (nargs == 2) {
        PyObject *index = PyNumber_Index(args[1]);
        if (index == NULL) {
            return NULL;
        }
        value = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (value == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    value = PyObject_LengthHint(args[0], value);
    return value == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(value);
}

/* Takes as long for unequal as for equal contents. */
static bool
timing_safe_equal(const unsigned char *a, Py_ssize_t na,
                  const unsigned char *b, Py_ssize_t nb)
{
    volatile const unsigned char *left = na == nb ? a : b;
    volatile unsigned char result = na != nb;
    for (Py_ssize_t i = 0; i < nb; i++) {
        result |= left[i] ^ b[i];
    }
    return result == 0;
}

static PyObject *
op_compare_digest(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("_compare_digest", nargs, 2, 2)) {
        return NULL;
    }
    PyObject *a = args[0], *b = args[1];
    if (PyUnicode_Check(a) && PyUnicode_Check(b)) {
        if (PyUnicode_READY(a) < 0 || PyUnicode_READY(b) < 0) {
            return NULL;
        }
        if (!PyUnicode_IS_ASCII(a) || !PyUnicode_IS_ASCII(b)) {
            PyErr_SetString(PyExc_TypeError,
                            "comparing strings with non-ASCII characters is "
                            "not supported");
            return NULL;
        }
        return PyBool_FromLong(timing_safe_equal(
            PyUnicode_DATA(a), PyUnicode_GET_LENGTH(a), PyUnicode_DATA(b),
            PyUnicode_GET_LENGTH(b)));
    }
    if (!PyObject_CheckBuffer(a) && !PyObject_CheckBuffer(b)) {
        PyErr_Format(PyExc_TypeError,
                     "unsupported operand types(s) or combination of types: "
                     "'%.100s' and '%.100s'",
                     Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
        return NULL;
    }
    Py_buffer va, vb;
    if (PyObject_GetBuffer(a, &va, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    if (PyObject_GetBuffer(b, &vb, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(&va);
        return NULL;
    }
    bool equal = false, flat = va.ndim <= 1 && vb.ndim <= 1;
    if (flat) {
        equal = timing_safe_equal(va.buf, va.len, vb.buf, vb.len);
    }
    else {
        PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
    }
    PyBuffer_Release(&va);
    PyBuffer_Release(&vb);
    return flat ? PyBool_FromLong(equal) : NULL;
}

static PyObject *
op_call(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
        PyObject *kwnames)
{
    if (!_PyArg_CheckPositional("call", nargs, 1, PY_SSIZE_T_MAX)) {
        return NULL;
    }
    return PyObject_Vectorcall(args[0], args + 1, (size_t)(nargs - 1),
                               kwnames);
}

/* ---- the getters: a head, a tuple of what to get, a vectorcall */

typedef struct {
    PyObject_HEAD
    PyObject *items; /* tuple of keys; attrgetter: of str or tuples of str */
    PyObject *args;  /* attrgetter: the names as given; else NULL */
    PyObject *kwds;  /* methodcaller: dict or NULL */
    PyObject *name;  /* methodcaller */
    Py_ssize_t index; /* itemgetter: small index of the only item, or -1 */
    vectorcallfunc vectorcall;
} fetcher;

#define G(op) ((fetcher *)(op))

static void
getter_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(G(self)->items);
    Py_XDECREF(G(self)->args);
    Py_XDECREF(G(self)->kwds);
    Py_XDECREF(G(self)->name);
    Py_TYPE(self)->tp_free(self);
}

static int
getter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(G(self)->items);
    Py_VISIT(G(self)->args);
    Py_VISIT(G(self)->kwds);
    Py_VISIT(G(self)->name);
    return 0;
}

/* The repr as `text` makes it, but "type(...)" within itself. */
static PyObject *
guarded_repr(PyObject *self, reprfunc text)
{
    int status = Py_ReprEnter(self);
    if (status != 0) {
        return status < 0 ? NULL
                          : PyUnicode_FromFormat("%s(...)",
                                                 Py_TYPE(self)->tp_name);
    }
    PyObject *repr = text(self);
    Py_ReprLeave(self);
    return repr;
}

/* One object from the arguments of a call. */
static PyObject *
only_argument(const char *name, PyObject *const *args, size_t nargsf,
              PyObject *kwnames)
{
    if (!_PyArg_NoKwnames(name, kwnames)
        || !_PyArg_CheckPositional(name, PyVectorcall_NARGS(nargsf), 1, 1)) {
        return NULL;
    }
    return args[0];
}

/* ---- what itemgetter and attrgetter share */

/* The arguments it was made with; borrowed. */
static PyObject *
given(PyObject *self)
{
    return G(self)->args != NULL ? G(self)->args : G(self)->items;
}

static PyObject *
getter_text(PyObject *self)
{
    PyObject *args = given(self);
    return PyTuple_GET_SIZE(args) == 1
               ? PyUnicode_FromFormat("%s(%R)", Py_TYPE(self)->tp_name,
                                      PyTuple_GET_ITEM(args, 0))
               : PyUnicode_FromFormat("%s%R", Py_TYPE(self)->tp_name, args);
}

static PyObject *
getter_repr(PyObject *self)
{
    return guarded_repr(self, getter_text);
}

static PyObject *
getter_reduce(PyObject *self, PyObject *ignored)
{
    return PyTuple_Pack(2, Py_TYPE(self), given(self));
}

static PyMethodDef getter_methods[] = {
    {"__reduce__", getter_reduce, METH_NOARGS,
     "Return state information for pickling"},
    {NULL},
};

/* At least one argument, and no keywords. */
static bool
check_keys(const char *name, PyObject *args, PyObject *kwds)
{
    PyObject *key;
    return _PyArg_NoKeywords(name, kwds)
           && (PyTuple_GET_SIZE(args) > 1
               || PyArg_UnpackTuple(args, name, 1, 1, &key));
}

/* New: the tuple of what `get` finds in obj under each key. */
static PyObject *
get_all(PyObject *obj, PyObject *keys, binaryfunc get)
{
    Py_ssize_t n = PyTuple_GET_SIZE(keys);
    PyObject *result = PyTuple_New(n);
    for (Py_ssize_t i = 0; result != NULL && i < n; i++) {
        PyObject *val = get(obj, PyTuple_GET_ITEM(keys, i));
        if (val == NULL) {
            Py_CLEAR(result);
            break;
        }
        PyTuple_SET_ITEM(result, i, val);
    }
    return result;
}

/* ---- itemgetter */

static PyObject *
itemgetter_one(fetcher *ig, PyObject *obj)
{
    if (ig->index >= 0 && PyTuple_CheckExact(obj)
        && ig->index < PyTuple_GET_SIZE(obj)) {
        return Py_NewRef(PyTuple_GET_ITEM(obj, ig->index));
    }
    return PyObject_GetItem(obj, PyTuple_GET_ITEM(ig->items, 0));
}

static PyObject *
itemgetter_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf,
                      PyObject *kwnames)
{
    PyObject *obj = only_argument("itemgetter", args, nargsf, kwnames);
    if (obj == NULL) {
        return NULL;
    }
    PyObject *items = G(self)->items;
    return PyTuple_GET_SIZE(items) == 1
               ? itemgetter_one(G(self), obj)
               : get_all(obj, items, PyObject_GetItem);
}

static PyObject *
itemgetter_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (!check_keys("itemgetter", args, kwds)) {
        return NULL;
    }
    fetcher *ig = (fetcher *)type->tp_alloc(type, 0);
    if (ig == NULL) {
        return NULL;
    }
    ig->items = Py_NewRef(args);
    ig->index = -1;
    if (PyTuple_GET_SIZE(args) == 1
        && PyLong_CheckExact(PyTuple_GET_ITEM(args, 0))) {
        ig->index = PyLong_AsSsize_t(PyTuple_GET_ITEM(args, 0));
        if (ig->index < 0) {
            PyErr_Clear();
            ig->index = -1;
        }
    }
    ig->vectorcall = itemgetter_vectorcall;
    return (PyObject *)ig;
}

/* ---- attrgetter */

/* The name, or a tuple of its dotted parts. */
static PyObject *
split_name(PyObject *name)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name);
    if (PyUnicode_FindChar(name, '.', 0, n, 1) < 0) {
        Py_INCREF(name);
        if (PyUnicode_CheckExact(name)) {
            PyUnicode_InternInPlace(&name);
        }
        return name;
    }
    PyObject *dot = PyUnicode_FromString(".");
    PyObject *list = dot ? PyUnicode_Split(name, dot, -1) : NULL;
    Py_XDECREF(dot);
    if (list == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyUnicode_InternInPlace(&((PyListObject *)list)->ob_item[i]);
    }
    PyObject *parts = PyList_AsTuple(list);
    Py_DECREF(list);
    return parts;
}

static PyObject *
get_attr(PyObject *obj, PyObject *attr)
{
    if (PyUnicode_Check(attr)) {
        return PyObject_GetAttr(obj, attr);
    }
    Py_INCREF(obj);
    for (Py_ssize_t i = 0; obj != NULL && i < PyTuple_GET_SIZE(attr); i++) {
        Py_SETREF(obj, PyObject_GetAttr(obj, PyTuple_GET_ITEM(attr, i)));
    }
    return obj;
}

static PyObject *
attrgetter_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf,
                      PyObject *kwnames)
{
    PyObject *obj = only_argument("attrgetter", args, nargsf, kwnames);
    if (obj == NULL) {
        return NULL;
    }
    PyObject *attrs = G(self)->items;
    return PyTuple_GET_SIZE(attrs) == 1
               ? get_attr(obj, PyTuple_GET_ITEM(attrs, 0))
               : get_all(obj, attrs, get_attr);
}

static PyObject *
attrgetter_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (!check_keys("attrgetter", args, kwds)) {
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject *attrs = PyTuple_New(n);
    for (Py_ssize_t i = 0; attrs != NULL && i < n; i++) {
        PyObject *name = PyTuple_GET_ITEM(args, i);
        PyObject *parts = NULL;
        if (!PyUnicode_Check(name)) {
            PyErr_SetString(PyExc_TypeError,
                            "attribute name must be a string");
        }
        else if (PyUnicode_READY(name) == 0) {
            parts = split_name(name);
        }
        if (parts == NULL) {
            Py_CLEAR(attrs);
            break;
        }
        PyTuple_SET_ITEM(attrs, i, parts);
    }
    fetcher *ag = attrs ? (fetcher *)type->tp_alloc(type, 0) : NULL;
    if (ag == NULL) {
        Py_XDECREF(attrs);
        return NULL;
    }
    ag->items = attrs;
    ag->args = Py_NewRef(args);
    ag->vectorcall = attrgetter_vectorcall;
    return (PyObject *)ag;
}

/* ---- methodcaller */

static PyObject *
methodcaller_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf,
                        PyObject *kwnames)
{
    PyObject *obj = only_argument("methodcaller", args, nargsf, kwnames);
    if (obj == NULL) {
        return NULL;
    }
    fetcher *mc = G(self);
    if (PyTuple_GET_SIZE(mc->items) == 0 && mc->kwds == NULL) {
        return PyObject_CallMethodNoArgs(obj, mc->name);
    }
    PyObject *method = PyObject_GetAttr(obj, mc->name);
    if (method == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_Call(method, mc->items, mc->kwds);
    Py_DECREF(method);
    return result;
}

static PyObject *
methodcaller_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) < 1) {
        PyErr_SetString(PyExc_TypeError,
                        "methodcaller needs at least one argument, the "
                        "method name");
        return NULL;
    }
    PyObject *name = PyTuple_GET_ITEM(args, 0);
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "method name must be a string");
        return NULL;
    }
    fetcher *mc = (fetcher *)type->tp_alloc(type, 0);
    if (mc == NULL) {
        return NULL;
    }
    mc->vectorcall = methodcaller_vectorcall;
    Py_INCREF(name);
    if (PyUnicode_CheckExact(name)) {
        PyUnicode_InternInPlace(&name);
    }
    mc->name = name;
    mc->items = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    if (kwds != NULL && PyDict_GET_SIZE(kwds) > 0) {
        mc->kwds = PyDict_Copy(kwds);
    }
    if (mc->items == NULL || PyErr_Occurred()) {
        Py_DECREF(mc);
        return NULL;
    }
    return (PyObject *)mc;
}

/* methodcaller('name', 1, a=2) */
static PyObject *
methodcaller_text(PyObject *self)
{
    fetcher *mc = G(self);
    Py_ssize_t n = PyTuple_GET_SIZE(mc->items), pos = 0;
    PyObject *parts = PyList_New(0), *key, *value, *result = NULL;
    PyObject *part = PyObject_Repr(mc->name);
    bool ok = parts != NULL && part != NULL
              && PyList_Append(parts, part) == 0;
    Py_XDECREF(part);
    for (Py_ssize_t i = 0; ok && i < n; i++) {
        part = PyObject_Repr(PyTuple_GET_ITEM(mc->items, i));
        ok = part != NULL && PyList_Append(parts, part) == 0;
        Py_XDECREF(part);
    }
    while (ok && mc->kwds != NULL
           && PyDict_Next(mc->kwds, &pos, &key, &value)) {
        part = PyUnicode_FromFormat("%U=%R", key, value);
        ok = part != NULL && PyList_Append(parts, part) == 0;
        Py_XDECREF(part);
    }
    PyObject *sep = ok ? PyUnicode_FromString(", ") : NULL;
    PyObject *text = sep ? PyUnicode_Join(sep, parts) : NULL;
    if (text != NULL) {
        result = PyUnicode_FromFormat("%s(%U)", Py_TYPE(mc)->tp_name, text);
    }
    Py_XDECREF(text);
    Py_XDECREF(sep);
    Py_XDECREF(parts);
    return result;
}

static PyObject *
methodcaller_repr(PyObject *self)
{
    return guarded_repr(self, methodcaller_text);
}

static PyObject *
methodcaller_reduce(PyObject *self, PyObject *ignored)
{
    fetcher *mc = G(self);
    PyObject *head = PyTuple_Pack(1, mc->name);
    if (head == NULL) {
        return NULL;
    }
    if (mc->kwds == NULL) {
        PyObject *all = PySequence_Concat(head, mc->items);
        Py_DECREF(head);
        return all ? Py_BuildValue("ON", Py_TYPE(mc), all) : NULL;
    }
    Py_DECREF(head);
    PyObject *functools = PyImport_ImportModule("functools");
    PyObject *partial =
        functools ? PyObject_GetAttrString(functools, "partial") : NULL;
    Py_XDECREF(functools);
    if (partial == NULL) {
        return NULL;
    }
    PyObject *args = PyTuple_Pack(2, Py_TYPE(mc), mc->name), *made = NULL;
    if (args != NULL) {
        made = PyObject_Call(partial, args, mc->kwds);
        Py_DECREF(args);
    }
    Py_DECREF(partial);
    return made ? Py_BuildValue("NO", made, mc->items) : NULL;
}

static PyMethodDef methodcaller_methods[] = {
    {"__reduce__", methodcaller_reduce, METH_NOARGS,
     "Return state information for pickling"},
    {NULL},
};

/* `shared` names the repr and the methods. */
#define GETTER(prefix, shared, doc)                                            \
    static PyTypeObject prefix##_type = {                                      \
        .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),                      \
        .tp_name = "operator." #prefix,                                        \
        .tp_basicsize = sizeof(fetcher),                                       \
        .tp_dealloc = getter_dealloc,                                          \
        .tp_vectorcall_offset = offsetof(fetcher, vectorcall),                 \
        .tp_repr = shared##_repr,                                              \
        .tp_call = PyVectorcall_Call,                                          \
        .tp_getattro = PyObject_GenericGetAttr,                                \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC                    \
                    | Py_TPFLAGS_HAVE_VECTORCALL,                              \
        .tp_doc = doc,                                                         \
        .tp_traverse = getter_traverse,                                        \
        .tp_methods = shared##_methods,                                        \
        .tp_new = prefix##_new,                                                \
        .tp_free = PyObject_GC_Del,                                            \
    }

GETTER(itemgetter, getter,
       "itemgetter(item, ...) --> itemgetter object\n\n"
       "A callable that fetches the given items from its operand.\n"
       "After f = itemgetter(2), f(r) returns r[2]; several items give a\n"
       "tuple.");
GETTER(attrgetter, getter,
       "attrgetter(attr, ...) --> attrgetter object\n\n"
       "A callable that fetches the given attributes from its operand.\n"
       "Names may be dotted; several names give a tuple.");
GETTER(methodcaller, methodcaller,
       "methodcaller(name, ...) --> methodcaller object\n\n"
       "A callable that calls the given method on its operand, with the\n"
       "other arguments.");

/* ---- module */

#define UNARY_DEF(name, doc)                                                   \
    {                                                                          \
        #name, op_##name, METH_O, #name "($module, a, /)\n--\n\n" doc          \
    }
#define BINARY_DEF(name, doc)                                                  \
    {                                                                          \
        #name, (PyCFunction)(void *)op_##name, METH_FASTCALL,                  \
            #name "($module, a, b, /)\n--\n\n" doc                             \
    }

static PyMethodDef functions[] = {
    {"truth", op_truth, METH_O,
     "truth($module, a, /)\n--\n\nReturn True if a is true, False otherwise."},
    BINARY_DEF(contains, "Same as b in a (note reversed operands)."),
    BINARY_DEF(indexOf, "Return the first index of b in a."),
    BINARY_DEF(countOf, "Return the number of items in a which are, or which "
                        "equal, b."),
    BINARY_DEF(is_, "Same as a is b."),
    BINARY_DEF(is_not, "Same as a is not b."),
    BINARY_DEF(add, "Same as a + b."),
    BINARY_DEF(sub, "Same as a - b."),
    BINARY_DEF(mul, "Same as a * b."),
    BINARY_DEF(matmul, "Same as a @ b."),
    BINARY_DEF(floordiv, "Same as a // b."),
    BINARY_DEF(truediv, "Same as a / b."),
    BINARY_DEF(mod, "Same as a % b."),
    UNARY_DEF(neg, "Same as -a."),
    UNARY_DEF(pos, "Same as +a."),
    UNARY_DEF(abs, "Same as abs(a)."),
    UNARY_DEF(inv, "Same as ~a."),
    UNARY_DEF(invert, "Same as ~a."),
    UNARY_DEF(index, "Same as a.__index__()"),
    UNARY_DEF(not_, "Same as not a."),
    BINARY_DEF(lshift, "Same as a << b."),
    BINARY_DEF(rshift, "Same as a >> b."),
    BINARY_DEF(and_, "Same as a & b."),
    BINARY_DEF(xor, "Same as a ^ b."),
    BINARY_DEF(or_, "Same as a | b."),
    BINARY_DEF(iadd, "Same as a += b."),
    BINARY_DEF(isub, "Same as a -= b."),
    BINARY_DEF(imul, "Same as a *= b."),
    BINARY_DEF(imatmul, "Same as a @= b."),
    BINARY_DEF(ifloordiv, "Same as a //= b."),
    BINARY_DEF(itruediv, "Same as a /= b."),
    BINARY_DEF(imod, "Same as a %= b."),
    BINARY_DEF(ilshift, "Same as a <<= b."),
    BINARY_DEF(irshift, "Same as a >>= b."),
    BINARY_DEF(iand, "Same as a &= b."),
    BINARY_DEF(ixor, "Same as a ^= b."),
    BINARY_DEF(ior, "Same as a |= b."),
    BINARY_DEF(concat, "Same as a + b, for a and b sequences."),
    BINARY_DEF(iconcat, "Same as a += b, for a and b sequences."),
    BINARY_DEF(getitem, "Same as a[b]."),
    {"setitem", (PyCFunction)(void *)op_setitem, METH_FASTCALL,
     "setitem($module, a, b, c, /)\n--\n\nSame as a[b] = c."},
    BINARY_DEF(delitem, "Same as del a[b]."),
    BINARY_DEF(pow, "Same as a ** b."),
    BINARY_DEF(ipow, "Same as a **= b."),
    BINARY_DEF(lt, "Same as a < b."),
    BINARY_DEF(le, "Same as a <= b."),
    BINARY_DEF(eq, "Same as a == b."),
    BINARY_DEF(ne, "Same as a != b."),
    BINARY_DEF(gt, "Same as a > b."),
    BINARY_DEF(ge, "Same as a >= b."),
    {"_compare_digest", (PyCFunction)(void *)op_compare_digest, METH_FASTCALL,
     "_compare_digest($module, a, b, /)\n--\n\n"
     "Return 'a == b', in a time that does not depend on the contents.\n\n"
     "For ASCII strings and bytes-like objects only."},
    {"length_hint", (PyCFunction)(void *)op_length_hint, METH_FASTCALL,
     "length_hint($module, obj, default=0, /)\n--\n\n"
     "Return an estimate of the number of items in obj."},
    {"call", (PyCFunction)(void *)op_call, METH_FASTCALL | METH_KEYWORDS,
     "call($module, obj, /, *args, **kwargs)\n--\n\n"
     "Same as obj(*args, **kwargs)."},
    {NULL},
};

static int
exec(PyObject *module)
{
    if (PyModule_AddType(module, &itemgetter_type) < 0
        || PyModule_AddType(module, &attrgetter_type) < 0
        || PyModule_AddType(module, &methodcaller_type) < 0) {
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_operator",
    .m_doc = "Operator interface.\n\n"
             "The operators of Python as functions.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__operator(void)
{
    return PyModuleDef_Init(&definition);
}
