/* Helpers for operators, building, unpacking and matching. */
#include "vm/support.h"

#include "objects/ids.h"
#include "objects/int/int.h"
#include "objects/list.h"

static PyObject *
power(PyObject *a, PyObject *b)
{
    return PyNumber_Power(a, b, Py_None);
}

static PyObject *
inplace_power(PyObject *a, PyObject *b)
{
    return PyNumber_InPlacePower(a, b, Py_None);
}

/* By NB_ number, the oparg of BINARY_OP. */
const binaryfunc kr_binary_ops[26] = {
    PyNumber_Add,
    PyNumber_And,
    PyNumber_FloorDivide,
    PyNumber_Lshift,
    PyNumber_MatrixMultiply,
    PyNumber_Multiply,
    PyNumber_Remainder,
    PyNumber_Or,
    power,
    PyNumber_Rshift,
    PyNumber_Subtract,
    PyNumber_TrueDivide,
    PyNumber_Xor,
    PyNumber_InPlaceAdd,
    PyNumber_InPlaceAnd,
    PyNumber_InPlaceFloorDivide,
    PyNumber_InPlaceLshift,
    PyNumber_InPlaceMatrixMultiply,
    PyNumber_InPlaceMultiply,
    PyNumber_InPlaceRemainder,
    PyNumber_InPlaceOr,
    inplace_power,
    PyNumber_InPlaceRshift,
    PyNumber_InPlaceSubtract,
    PyNumber_InPlaceTrueDivide,
    PyNumber_InPlaceXor,
};

/* A bound of a slice: None or a small int; false for anything else. */
static inline bool
plain_bound(PyObject *v, Py_ssize_t missing, Py_ssize_t *at)
{
    if (PyLong_CheckExact(v) && kr_int_is_compact(v)) {
        *at = (Py_ssize_t)kr_int_compact_value(v);
        return true;
    }
    *at = missing;
    return v == Py_None;
}

static PyObject *
list_steps(PyObject *list, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    PyObject *result = PyList_New(n);
    for (Py_ssize_t i = 0; result != NULL && i < n; i++) {
        PyList_SET_ITEM(result, i,
                        Py_NewRef(PyList_GET_ITEM(list, start + i * step)));
    }
    return result;
}

int
kr_take_slice(PyObject *container, PyObject *start, PyObject *stop,
              PyObject *step, PyObject **part)
{
    Py_ssize_t by = 1, low, high;
    if (step != NULL && (!plain_bound(step, 1, &by) || by == 0)) {
        return 0;
    }
    if (!plain_bound(start, by < 0 ? PY_SSIZE_T_MAX : 0, &low) ||
        !plain_bound(stop, by < 0 ? PY_SSIZE_T_MIN : PY_SSIZE_T_MAX, &high)) {
        return 0;
    }
    if (PyList_CheckExact(container)) {
        Py_ssize_t n = PySlice_AdjustIndices(PyList_GET_SIZE(container), &low,
                                             &high, by);
        *part = by == 1 ? PyList_GetSlice(container, low, low + n)
                        : list_steps(container, low, by, n);
    }
    else if (by != 1) {
        return 0;
    }
    else if (PyTuple_CheckExact(container)) {
        Py_ssize_t n = PySlice_AdjustIndices(PyTuple_GET_SIZE(container), &low,
                                             &high, 1);
        *part = PyTuple_GetSlice(container, low, low + n);
    }
    else if (PyUnicode_CheckExact(container)) {
        Py_ssize_t n = PySlice_AdjustIndices(PyUnicode_GET_LENGTH(container),
                                             &low, &high, 1);
        *part = PyUnicode_Substring(container, low, low + n);
    }
    else {
        return 0;
    }
    return *part == NULL ? -1 : 1;
}

int
kr_put_slice(PyObject *container, PyObject *start, PyObject *stop,
             PyObject *value)
{
    Py_ssize_t low, high;
    if (!PyList_CheckExact(container) || !plain_bound(start, 0, &low) ||
        !plain_bound(stop, PY_SSIZE_T_MAX, &high)) {
        return 0;
    }
    PySlice_AdjustIndices(PyList_GET_SIZE(container), &low, &high, 1);
    return kr_list_assign_slice((PyListObject *)container, low,
                                high < low ? low : high, value) < 0
               ? -1
               : 1;
}

PyObject *
kr_format_value(PyObject *value, PyObject *spec, int conversion)
{
    PyObject *converted = conversion == 1   ? PyObject_Str(value)
                          : conversion == 2 ? PyObject_Repr(value)
                          : conversion == 3 ? PyObject_ASCII(value)
                                            : Py_NewRef(value);
    if (converted == NULL ||
        (PyUnicode_CheckExact(converted) && spec == NULL)) {
        return converted;
    }
    PyObject *result = PyObject_Format(converted, spec);
    Py_DECREF(converted);
    return result;
}

PyObject *
kr_empty_str(void)
{
    /* the one empty string is immortal */
    PyObject *empty = PyUnicode_New(0, 0);
    Py_XDECREF(empty);
    return empty;
}

PyObject *
kr_tuple_steal(PyObject *const *items, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    if (tuple == NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_DECREF(items[i]);
        }
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTuple_SET_ITEM(tuple, i, items[i]);
    }
    return tuple;
}

PyObject *
kr_build_map(PyObject **items, Py_ssize_t n)
{
    PyObject *map = n > 5 ? _PyDict_NewPresized(n) : PyDict_New();
    for (Py_ssize_t i = 0; map != NULL && i < n; i++) {
        if (PyDict_SetItem(map, items[2 * i], items[2 * i + 1]) < 0) {
            Py_CLEAR(map);
        }
    }
    return map;
}

PyObject *
kr_build_const_key_map(PyObject **values, PyObject *keys, Py_ssize_t n)
{
    if (!PyTuple_CheckExact(keys) || PyTuple_GET_SIZE(keys) != n) {
        PyErr_SetString(PyExc_SystemError,
                        "bad BUILD_CONST_KEY_MAP keys argument");
        return NULL;
    }
    PyObject *map = n > 5 ? _PyDict_NewPresized(n) : PyDict_New();
    for (Py_ssize_t i = 0; map != NULL && i < n; i++) {
        if (PyDict_SetItem(map, PyTuple_GET_ITEM(keys, i), values[i]) < 0) {
            Py_CLEAR(map);
        }
    }
    return map;
}

int
kr_extend_list(PyObject *list, PyObject *iterable)
{
    if (!PyList_Check(list)) {
        kr_bad_operand(list);
        return -1;
    }
    PyObject *none = _PyList_Extend((PyListObject *)list, iterable);
    if (none == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) &&
            Py_TYPE(iterable)->tp_iter == NULL &&
            !PySequence_Check(iterable)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError,
                         "Value after * must be an iterable, not %.200s",
                         Py_TYPE(iterable)->tp_name);
        }
        return -1;
    }
    Py_DECREF(none);
    return 0;
}

int
kr_dict_update(PyObject *dict, PyObject *mapping)
{
    if (PyDict_Update(dict, mapping) == 0) {
        return 0;
    }
    if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not a mapping",
                     Py_TYPE(mapping)->tp_name);
    }
    return -1;
}

/* For f(**a, **b): a key given twice is a mistake in the call of `func`. */
int
kr_dict_merge(PyObject *dict, PyObject *mapping, PyObject *func)
{
    if (_PyDict_MergeEx(dict, mapping, 2) == 0) {
        return 0;
    }
    PyObject *what = NULL;
    if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        what = _PyObject_FunctionStr(func);
        if (what != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "%U argument after ** must be a mapping, not %.200s",
                         what, Py_TYPE(mapping)->tp_name);
        }
    }
    else if (PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyObject *type, *value, *tb;
        PyErr_Fetch(&type, &value, &tb);
        PyErr_NormalizeException(&type, &value, &tb);
        PyObject *args =
            value == NULL ? NULL : ((PyBaseExceptionObject *)value)->args;
        if (args != NULL && PyTuple_Check(args) &&
            PyTuple_GET_SIZE(args) == 1) {
            what = _PyObject_FunctionStr(func);
            PyObject *key = PyTuple_GET_ITEM(args, 0);
            if (what != NULL) {
                PyErr_Format(PyExc_TypeError,
                             "%U got multiple values for keyword argument "
                             "'%S'",
                             what, key);
            }
            Py_XDECREF(type);
            Py_XDECREF(value);
            Py_XDECREF(tb);
        }
        else {
            PyErr_Restore(type, value, tb);
        }
    }
    Py_XDECREF(what);
    return -1;
}

/* Items of a list or tuple of the right size, without an iterator. */
static void
unpack_array(PyObject *const *items, Py_ssize_t n, PyObject **top)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        *--top = Py_NewRef(items[i]);
    }
}

static int
not_enough(int got, int before, int after)
{
    if (after == -1) {
        PyErr_Format(PyExc_ValueError,
                     "not enough values to unpack (expected %d, got %d)",
                     before, got);
    }
    else {
        PyErr_Format(PyExc_ValueError,
                     "not enough values to unpack (expected at least %d, got "
                     "%d)",
                     before + after, got);
    }
    return 0;
}

/* Reads exactly `n` items; the number read, with an exception if fewer. */
static int
unpack_some(PyObject *it, int n, PyObject **top)
{
    int i = 0;
    for (; i < n; i++) {
        PyObject *item = PyIter_Next(it);
        if (item == NULL) {
            break;
        }
        *--top = item;
    }
    return i;
}

/* The starred part: a list, the last `after` items of which go on their own. */
static int
unpack_rest(PyObject *it, int before, int after, PyObject **top, int *pushed)
{
    PyObject *list = PySequence_List(it);
    if (list == NULL) {
        return 0;
    }
    *--top = list;
    ++*pushed;
    Py_ssize_t n = PyList_GET_SIZE(list);
    if (n < after) {
        PyErr_Format(PyExc_ValueError,
                     "not enough values to unpack (expected at least %d, got "
                     "%zd)",
                     before + after, before + n);
        return 0;
    }
    for (int i = 0; i < after; i++) {
        *--top = Py_NewRef(PyList_GET_ITEM(list, n - after + i));
        ++*pushed;
    }
    return PyList_SetSlice(list, n - after, n, NULL) == 0;
}

static int
too_many(PyObject *it, int before)
{
    PyObject *more = PyIter_Next(it);
    if (more == NULL) {
        return PyErr_Occurred() != NULL;
    }
    Py_DECREF(more);
    PyErr_Format(PyExc_ValueError,
                 "too many values to unpack (expected %d)", before);
    return 1;
}

int
kr_unpack_iterable(PyObject *v, int before, int after, PyObject **top)
{
    if (after == -1 && PyTuple_CheckExact(v) &&
        PyTuple_GET_SIZE(v) == before) {
        unpack_array(&PyTuple_GET_ITEM(v, 0), before, top);
        return 1;
    }
    if (after == -1 && PyList_CheckExact(v) && PyList_GET_SIZE(v) == before) {
        unpack_array(((PyListObject *)v)->ob_item, before, top);
        return 1;
    }
    PyObject *it = PyObject_GetIter(v);
    if (it == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) &&
            Py_TYPE(v)->tp_iter == NULL && !PySequence_Check(v)) {
            PyErr_Format(PyExc_TypeError,
                         "cannot unpack non-iterable %.200s object",
                         Py_TYPE(v)->tp_name);
        }
        return 0;
    }
    int pushed = unpack_some(it, before, top), ok = 0;
    if (pushed < before) {
        if (!PyErr_Occurred()) {
            not_enough(pushed, before, after);
        }
    }
    else if (after == -1) {
        ok = !too_many(it, before);
    }
    else {
        ok = unpack_rest(it, before, after, top - before, &pushed);
    }
    Py_DECREF(it);
    for (; !ok && pushed > 0; pushed--) {
        Py_DECREF(top[-pushed]);
    }
    return ok;
}

/* Values for the keys of a mapping pattern: a tuple, or None if one is
 * missing. get() is used so that a defaultdict makes no entries. */
static PyObject *
match_values(PyObject *map, PyObject *keys, PyObject *get, PyObject *dummy)
{
    Py_ssize_t n = PyTuple_GET_SIZE(keys);
    PyObject *seen = PySet_New(NULL);
    PyObject *values = PyTuple_New(n);
    for (Py_ssize_t i = 0; seen != NULL && values != NULL && i < n; i++) {
        PyObject *key = PyTuple_GET_ITEM(keys, i);
        int again = PySet_Contains(seen, key);
        if (again != 0 || PySet_Add(seen, key) < 0) {
            if (again > 0) {
                PyErr_Format(PyExc_ValueError,
                             "mapping pattern checks duplicate key (%R)", key);
            }
            Py_CLEAR(values);
            break;
        }
        PyObject *args[] = {key, dummy};
        PyObject *value = PyObject_Vectorcall(get, args, 2, NULL);
        if (value == NULL) {
            Py_CLEAR(values);
        }
        else if (value == dummy) {
            Py_DECREF(value);
            Py_SETREF(values, Py_NewRef(Py_None));
            break;
        }
        else {
            PyTuple_SET_ITEM(values, i, value);
        }
    }
    if (seen == NULL) {
        Py_CLEAR(values);
    }
    Py_XDECREF(seen);
    return values;
}

PyObject *
kr_match_keys(PyObject *map, PyObject *keys)
{
    if (!PyTuple_Check(keys)) {
        kr_bad_operand(keys);
        return NULL;
    }
    if (PyTuple_GET_SIZE(keys) == 0) {
        return PyTuple_New(0);
    }
    PyObject *get = PyObject_GetAttr(map, KR_ID(get));
    PyObject *dummy =
        get == NULL ? NULL : PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    PyObject *values =
        dummy == NULL ? NULL : match_values(map, keys, get, dummy);
    Py_XDECREF(get);
    Py_XDECREF(dummy);
    return values;
}

/* One attribute of a class pattern; NULL without exception: no match. */
static PyObject *
match_attr(PyObject *subject, PyObject *type, PyObject *name, PyObject *seen)
{
    int again = PySet_Contains(seen, name);
    if (again != 0 || PySet_Add(seen, name) < 0) {
        if (again > 0) {
            PyErr_Format(PyExc_TypeError,
                         "%s() got multiple sub-patterns for attribute %R",
                         ((PyTypeObject *)type)->tp_name, name);
        }
        return NULL;
    }
    PyObject *value = PyObject_GetAttr(subject, name);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
    }
    return value;
}

/* __match_args__ (new reference), or () with *self set for the built-in types
 * whose one positional sub-pattern is the subject itself. */
static PyObject *
match_args(PyObject *type, int *self)
{
    PyObject *args;
    if (_PyObject_LookupAttr(type, KR_ID(__match_args__), &args) < 0) {
        return NULL;
    }
    if (args == NULL) {
        *self = PyType_HasFeature((PyTypeObject *)type,
                                  _Py_TPFLAGS_MATCH_SELF);
        return PyTuple_New(0);
    }
    if (!PyTuple_CheckExact(args)) {
        PyErr_Format(PyExc_TypeError,
                     "%s.__match_args__ must be a tuple (got %s)",
                     ((PyTypeObject *)type)->tp_name, Py_TYPE(args)->tp_name);
        Py_CLEAR(args);
    }
    return args;
}

static int
match_positional(PyObject *subject, PyObject *type, Py_ssize_t nargs,
                 PyObject *seen, PyObject *attrs)
{
    int self = 0;
    PyObject *args = match_args(type, &self);
    if (args == NULL) {
        return -1;
    }
    Py_ssize_t allowed = self ? 1 : PyTuple_GET_SIZE(args);
    int err = 0;
    if (allowed < nargs) {
        PyErr_Format(PyExc_TypeError,
                     "%s() accepts %zd positional sub-pattern%s (%zd given)",
                     ((PyTypeObject *)type)->tp_name, allowed,
                     allowed == 1 ? "" : "s", nargs);
        err = -1;
    }
    else if (self) {
        err = PyList_Append(attrs, subject);
    }
    for (Py_ssize_t i = 0; !self && err == 0 && i < nargs; i++) {
        PyObject *name = PyTuple_GET_ITEM(args, i);
        if (!PyUnicode_CheckExact(name)) {
            PyErr_Format(PyExc_TypeError,
                         "__match_args__ elements must be strings (got %s)",
                         Py_TYPE(name)->tp_name);
            err = -1;
            break;
        }
        PyObject *value = match_attr(subject, type, name, seen);
        err = value == NULL ? -1 : PyList_Append(attrs, value);
        Py_XDECREF(value);
    }
    Py_DECREF(args);
    return err;
}

PyObject *
kr_match_class(PyObject *subject, PyObject *type, Py_ssize_t nargs,
               PyObject *names)
{
    if (!PyTuple_Check(names)) {
        kr_bad_operand(names);
        return NULL;
    }
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "called match pattern must be a "
                                         "class");
        return NULL;
    }
    if (PyObject_IsInstance(subject, type) <= 0) {
        return NULL;
    }
    PyObject *seen = PySet_New(NULL);
    PyObject *attrs = PyList_New(0);
    int err = seen == NULL || attrs == NULL ? -1 : 0;
    if (err == 0 && nargs > 0) {
        err = match_positional(subject, type, nargs, seen, attrs);
    }
    for (Py_ssize_t i = 0; err == 0 && i < PyTuple_GET_SIZE(names); i++) {
        PyObject *value =
            match_attr(subject, type, PyTuple_GET_ITEM(names, i), seen);
        err = value == NULL ? -1 : PyList_Append(attrs, value);
        Py_XDECREF(value);
    }
    PyObject *result = err == 0 ? PyList_AsTuple(attrs) : NULL;
    Py_XDECREF(seen);
    Py_XDECREF(attrs);
    return result;
}
