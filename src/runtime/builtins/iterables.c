/* Built-in functions over iterables: all, any, sum, min, max, sorted, iter,
 * next, aiter, anext. */
#include "objects/args/named.h"
#include "objects/ids.h"
#include "objects/iter.h"
#include "runtime/builtins/builtins.h"

#include <Python.h>

/* Gives 1 or 0 for "all true" / "any true", -1 on failure: stops at the first
 * item whose truth is `stop`. */
static int
scan_truth(PyObject *iterable, int stop)
{
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return -1;
    }
    iternextfunc next = Py_TYPE(it)->tp_iternext;
    int found = 0;
    for (PyObject *item; !found && (item = next(it)) != NULL;) {
        int truth = PyObject_IsTrue(item);
        Py_DECREF(item);
        if (truth < 0) {
            Py_DECREF(it);
            return -1;
        }
        found = truth == stop;
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
            return -1;
        }
        PyErr_Clear();
    }
    return found ? stop : !stop;
}

static PyObject *
builtin_all(PyObject *module, PyObject *iterable)
{
    int res = scan_truth(iterable, 0);
    return res < 0 ? NULL : PyBool_FromLong(res);
}

static PyObject *
builtin_any(PyObject *module, PyObject *iterable)
{
    int res = scan_truth(iterable, 1);
    return res < 0 ? NULL : PyBool_FromLong(res);
}

/* --- sum -------------------------------------------------------------------- */

/* Adds ints while they and the total fit a long. Returns 1 when the iterator
 * ended (*result is the sum), 0 to go on with *item and *result, -1 on
 * failure. *result is consumed and replaced. */
static int
sum_ints(PyObject *it, PyObject **result, PyObject **item)
{
    int overflow;
    long total = PyLong_AsLongAndOverflow(*result, &overflow);
    if (overflow) {
        *item = NULL;
        return 0;
    }
    Py_CLEAR(*result);
    for (;;) {
        *item = PyIter_Next(it);
        if (*item == NULL) {
            if (PyErr_Occurred()) {
                return -1;
            }
            *result = PyLong_FromLong(total);
            return *result == NULL ? -1 : 1;
        }
        if (PyLong_CheckExact(*item) || PyBool_Check(*item)) {
            long b = PyLong_AsLongAndOverflow(*item, &overflow);
            long sum; /* an overflow writes the wrapped sum, too */
            if (!overflow && !__builtin_add_overflow(total, b, &sum)) {
                total = sum;
                Py_DECREF(*item);
                continue;
            }
        }
        *result = PyLong_FromLong(total);
        if (*result == NULL) {
            Py_CLEAR(*item);
            return -1;
        }
        return 0;
    }
}

static int
sum_floats(PyObject *it, PyObject **result, PyObject **item)
{
    double total = PyFloat_AS_DOUBLE(*result);
    Py_CLEAR(*result);
    for (;;) {
        *item = PyIter_Next(it);
        if (*item == NULL) {
            if (PyErr_Occurred()) {
                return -1;
            }
            *result = PyFloat_FromDouble(total);
            return *result == NULL ? -1 : 1;
        }
        if (PyFloat_CheckExact(*item)) {
            total += PyFloat_AS_DOUBLE(*item);
            Py_DECREF(*item);
            continue;
        }
        if (PyLong_Check(*item)) {
            int overflow;
            long value = PyLong_AsLongAndOverflow(*item, &overflow);
            if (!overflow) {
                total += (double)value;
                Py_DECREF(*item);
                continue;
            }
        }
        *result = PyFloat_FromDouble(total);
        if (*result == NULL) {
            Py_CLEAR(*item);
            return -1;
        }
        return 0;
    }
}

/* Adds everything the iterator gives to *result, replacing it. 0 or -1 (and
 * *result NULL). */
static int
sum_all(PyObject *it, PyObject **result)
{
    PyObject *item = NULL;
    int state = 0;
    if (PyLong_CheckExact(*result)) {
        state = sum_ints(it, result, &item);
    }
    for (;;) {
        if (state != 0) {
            return state > 0 ? 0 : -1;
        }
        if (item == NULL) {
            item = PyIter_Next(it);
            if (item == NULL) {
                if (PyErr_Occurred()) {
                    Py_CLEAR(*result);
                    return -1;
                }
                return 0;
            }
        }
        PyObject *sum = PyNumber_Add(*result, item);
        Py_CLEAR(item);
        Py_SETREF(*result, sum);
        if (sum == NULL) {
            return -1;
        }
        if (PyFloat_CheckExact(sum)) {
            state = sum_floats(it, result, &item);
        }
    }
}

static PyObject *
builtin_sum(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
            PyObject *kwnames)
{
    static const char *const keywords[] = {"", "start", NULL};
    static _PyArg_Parser parser = {.format = "O|O:sum", .keywords = keywords};
    PyObject *iterable, *start = NULL;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &iterable, &start)) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (start == NULL) {
        result = PyLong_FromLong(0);
    }
    else if (PyUnicode_Check(start)) {
        PyErr_SetString(PyExc_TypeError, "sum() can't sum strings [use "
                                         "''.join(seq) instead]");
    }
    else if (PyBytes_Check(start)) {
        PyErr_SetString(PyExc_TypeError, "sum() can't sum bytes [use "
                                         "b''.join(seq) instead]");
    }
    else if (PyByteArray_Check(start)) {
        PyErr_SetString(PyExc_TypeError, "sum() can't sum bytearray [use "
                                         "b''.join(seq) instead]");
    }
    else {
        result = Py_NewRef(start);
    }
    if (result != NULL) {
        sum_all(it, &result);
    }
    Py_DECREF(it);
    return result;
}

/* --- min and max -------------------------------------------------------------- */

struct extreme {
    int op; /* Py_LT or Py_GT */
    PyObject *keyfunc;
    PyObject *item, *value; /* best so far, owned; NULL at first */
};

/* Offers an item (stolen). 0 or -1. */
static int
offer(struct extreme *e, PyObject *item)
{
    PyObject *value = e->keyfunc != NULL
                          ? PyObject_CallOneArg(e->keyfunc, item)
                          : Py_NewRef(item);
    if (value == NULL) {
        Py_DECREF(item);
        return -1;
    }
    int better = e->value == NULL
                     ? 1
                     : PyObject_RichCompareBool(value, e->value, e->op);
    if (better > 0) {
        Py_XSETREF(e->item, item);
        Py_XSETREF(e->value, value);
        return 0;
    }
    Py_DECREF(item);
    Py_DECREF(value);
    return better;
}

static int
offer_iterable(struct extreme *e, PyObject *iterable)
{
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return -1;
    }
    PyObject *item;
    while ((item = PyIter_Next(it)) != NULL) {
        if (offer(e, item) < 0) {
            Py_DECREF(it);
            return -1;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *
min_max(PyObject *args, PyObject *kwds, int op)
{
    static char *kwlist[] = {"key", "default", NULL};
    const char *name = op == Py_LT ? "min" : "max";
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject *fallback = NULL, *keyfunc = NULL;
    if (n == 0) {
        PyErr_Format(PyExc_TypeError,
                     "%s expected at least 1 argument, got 0", name);
        return NULL;
    }
    if (kwds != NULL) {
        PyObject *empty = PyTuple_New(0);
        int ok = empty != NULL &&
                 PyArg_ParseTupleAndKeywords(
                     empty, kwds, op == Py_LT ? "|$OO:min" : "|$OO:max",
                     kwlist, &keyfunc, &fallback);
        Py_XDECREF(empty);
        if (!ok) {
            return NULL;
        }
    }
    if (n > 1 && fallback != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "Cannot specify a default for %s() with multiple "
                     "positional arguments",
                     name);
        return NULL;
    }
    struct extreme e = {op, keyfunc == Py_None ? NULL : keyfunc, NULL, NULL};
    int res = 0;
    if (n == 1) {
        res = offer_iterable(&e, PyTuple_GET_ITEM(args, 0));
    }
    for (Py_ssize_t i = 0; n > 1 && i < n && res == 0; i++) {
        res = offer(&e, Py_NewRef(PyTuple_GET_ITEM(args, i)));
    }
    Py_XDECREF(e.value);
    if (res < 0) {
        Py_XDECREF(e.item);
        return NULL;
    }
    if (e.item == NULL) {
        if (fallback != NULL) {
            return Py_NewRef(fallback);
        }
        PyErr_Format(PyExc_ValueError, "%s() arg is an empty sequence", name);
    }
    return e.item;
}

static PyObject *
builtin_min(PyObject *module, PyObject *args, PyObject *kwds)
{
    return min_max(args, kwds, Py_LT);
}

static PyObject *
builtin_max(PyObject *module, PyObject *args, PyObject *kwds)
{
    return min_max(args, kwds, Py_GT);
}

/* --- sorted, iter, next ---------------------------------------------------------- */

static PyObject *
builtin_sorted(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    if (!_PyArg_CheckPositional("sorted", nargs, 1, 1)) {
        return NULL;
    }
    PyObject *list = PySequence_List(args[0]);
    if (list == NULL) {
        return NULL;
    }
    PyObject *sort = PyObject_GetAttr(list, KR_ID(sort));
    PyObject *res = NULL;
    if (sort != NULL) {
        res = PyObject_Vectorcall(sort, args + 1, (size_t)(nargs - 1), kwnames);
        Py_DECREF(sort);
    }
    if (res == NULL) {
        Py_DECREF(list);
        return NULL;
    }
    Py_DECREF(res);
    return list;
}

static PyObject *
builtin_iter(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("iter", nargs, 1, 2)) {
        return NULL;
    }
    if (nargs == 1) {
        return PyObject_GetIter(args[0]);
    }
    if (!PyCallable_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "iter(v, w): v must be callable");
        return NULL;
    }
    return PyCallIter_New(args[0], args[1]);
}

static PyObject *
builtin_next(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("next", nargs, 1, 2)) {
        return NULL;
    }
    PyObject *it = args[0];
    if (!PyIter_Check(it)) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator",
                     Py_TYPE(it)->tp_name);
        return NULL;
    }
    PyObject *res = Py_TYPE(it)->tp_iternext(it);
    if (res != NULL) {
        return res;
    }
    if (nargs > 1) {
        if (PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
                return NULL;
            }
            PyErr_Clear();
        }
        return Py_NewRef(args[1]);
    }
    if (!PyErr_Occurred()) {
        PyErr_SetNone(PyExc_StopIteration);
    }
    return NULL;
}

static PyObject *
builtin_aiter(PyObject *module, PyObject *iterable)
{
    return PyObject_GetAIter(iterable);
}

static PyObject *
builtin_anext(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("anext", nargs, 1, 2)) {
        return NULL;
    }
    PyTypeObject *type = Py_TYPE(args[0]);
    if (type->tp_as_async == NULL || type->tp_as_async->am_anext == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "'%.200s' object is not an async iterator",
                     type->tp_name);
        return NULL;
    }
    PyObject *awaitable = type->tp_as_async->am_anext(args[0]);
    if (nargs == 1 || awaitable == NULL) {
        return awaitable;
    }
    PyObject *res = PyAnextAwaitable_New(awaitable, args[1]);
    Py_DECREF(awaitable);
    return res;
}

PyMethodDef kr_builtins_iterable_methods[] = {
    {"all", builtin_all, METH_O,
     "all($module, iterable, /)\n--\n\n"
     "Return True if bool(x) is True for all values x in the iterable.\n\n"
     "If the iterable is empty, return True."},
    {"any", builtin_any, METH_O,
     "any($module, iterable, /)\n--\n\n"
     "Return True if bool(x) is True for any x in the iterable.\n\n"
     "If the iterable is empty, return False."},
    {"sum", (PyCFunction)(void (*)(void))builtin_sum,
     METH_FASTCALL | METH_KEYWORDS,
     "sum($module, iterable, /, start=0)\n--\n\n"
     "Return the sum of a 'start' value (default: 0) and an iterable of "
     "numbers."},
    {"min", (PyCFunction)(void (*)(void))builtin_min,
     METH_VARARGS | METH_KEYWORDS,
     "min(iterable, *[, default=obj, key=func]) -> value\n"
     "min(arg1, arg2, *args, *[, key=func]) -> value\n\n"
     "The smallest item of an iterable, or the smallest argument."},
    {"max", (PyCFunction)(void (*)(void))builtin_max,
     METH_VARARGS | METH_KEYWORDS,
     "max(iterable, *[, default=obj, key=func]) -> value\n"
     "max(arg1, arg2, *args, *[, key=func]) -> value\n\n"
     "The biggest item of an iterable, or the biggest argument."},
    {"sorted", (PyCFunction)(void (*)(void))builtin_sorted,
     METH_FASTCALL | METH_KEYWORDS,
     "sorted($module, iterable, /, *, key=None, reverse=False)\n--\n\n"
     "Return a new list containing all items from the iterable in ascending "
     "order."},
    {"iter", (PyCFunction)(void (*)(void))builtin_iter, METH_FASTCALL,
     "iter(iterable) -> iterator\n"
     "iter(callable, sentinel) -> iterator\n\n"
     "An iterator over an iterable, or over the results of calls until the "
     "sentinel."},
    {"next", (PyCFunction)(void (*)(void))builtin_next, METH_FASTCALL,
     "next(iterator[, default])\n\n"
     "The next item of the iterator; the default, if given, at its end."},
    {"aiter", builtin_aiter, METH_O,
     "aiter($module, async_iterable, /)\n--\n\n"
     "Return an AsyncIterator for an AsyncIterable object."},
    {"anext", (PyCFunction)(void (*)(void))builtin_anext, METH_FASTCALL,
     "anext($module, aiterator, default=<unrepresentable>, /)\n--\n\n"
     "Return the next item from the async iterator."},
    {NULL, NULL, 0, NULL},
};
