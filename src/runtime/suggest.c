/* "Did you mean": the closest of the names that were in reach, by an edit
 * distance in which a change of case costs less than another letter. */
#include <string.h>

#include <Python.h>
#include <frameobject.h>

#include "objects/exceptions/exc.h"
#include "objects/ids.h"
#include "objects/interp.h"
#include "runtime/run.h"

#define MOVE_COST 2
#define CASE_COST 1
#define MAX_STRING_SIZE 40
#define MAX_CANDIDATES 750

static size_t
substitution_cost(char a, char b)
{
    if ((a & 31) != (b & 31)) {
        return MOVE_COST; /* not even the same letter */
    }
    if (a == b) {
        return 0;
    }
    if (Py_TOLOWER(a) == Py_TOLOWER(b)) {
        return CASE_COST;
    }
    return MOVE_COST;
}

/* Edit distance of a and b, or something above `max_cost`. After
 * Wagner and Fischer, with one row, given up early. */
static size_t
edit_distance(const char *a, size_t a_size, const char *b, size_t b_size,
              size_t max_cost)
{
    if (a == b) {
        return 0;
    }
    while (a_size && b_size && a[0] == b[0]) {
        a++, a_size--;
        b++, b_size--;
    }
    while (a_size && b_size && a[a_size - 1] == b[b_size - 1]) {
        a_size--;
        b_size--;
    }
    if (a_size == 0 || b_size == 0) {
        return (a_size + b_size) * MOVE_COST;
    }
    if (a_size > MAX_STRING_SIZE || b_size > MAX_STRING_SIZE) {
        return max_cost + 1;
    }
    if (b_size < a_size) {
        const char *t = a;
        a = b;
        b = t;
        size_t t_size = a_size;
        a_size = b_size;
        b_size = t_size;
    }
    if ((b_size - a_size) * MOVE_COST > max_cost) {
        return max_cost + 1;
    }
    size_t row[MAX_STRING_SIZE];
    for (size_t i = 0; i < a_size; i++) {
        row[i] = (i + 1) * MOVE_COST;
    }
    size_t result = 0;
    for (size_t bi = 0; bi < b_size; bi++) {
        size_t distance = result = bi * MOVE_COST;
        size_t minimum = SIZE_MAX;
        for (size_t i = 0; i < a_size; i++) {
            size_t substitute = distance + substitution_cost(b[bi], a[i]);
            distance = row[i];
            size_t insert_delete = Py_MIN(result, distance) + MOVE_COST;
            result = Py_MIN(insert_delete, substitute);
            row[i] = result;
            minimum = Py_MIN(minimum, result);
        }
        if (minimum > max_cost) {
            return max_cost + 1;
        }
    }
    return result;
}

PyAPI_FUNC(Py_ssize_t) _Py_UTF8_Edit_Cost(PyObject *a, PyObject *b,
                                          Py_ssize_t max_cost);
Py_ssize_t
_Py_UTF8_Edit_Cost(PyObject *a, PyObject *b, Py_ssize_t max_cost)
{
    Py_ssize_t a_size, b_size;
    const char *a_text = PyUnicode_AsUTF8AndSize(a, &a_size);
    const char *b_text =
        a_text == NULL ? NULL : PyUnicode_AsUTF8AndSize(b, &b_size);
    if (b_text == NULL) {
        return -1;
    }
    if (max_cost == -1) {
        max_cost = MOVE_COST * Py_MAX(a_size, b_size);
    }
    return (Py_ssize_t)edit_distance(a_text, (size_t)a_size, b_text,
                                     (size_t)b_size, (size_t)max_cost);
}

/* New reference to the best of the list `dir`, or NULL. */
static PyObject *
best_match(PyObject *dir, PyObject *name)
{
    Py_ssize_t n = PyList_GET_SIZE(dir), name_size;
    const char *name_text = PyUnicode_AsUTF8AndSize(name, &name_size);
    if (name_text == NULL || n >= MAX_CANDIDATES) {
        return NULL;
    }
    size_t best_distance = SIZE_MAX;
    PyObject *best = NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyList_GET_ITEM(dir, i);
        Py_ssize_t item_size;
        const char *text =
            PyUnicode_Check(item) ? PyUnicode_AsUTF8AndSize(item, &item_size)
                                  : NULL;
        if (text == NULL) {
            return NULL;
        }
        if (PyUnicode_Compare(name, item) == 0) {
            continue;
        }
        /* no more than a third of the letters may differ */
        size_t max =
            (size_t)(name_size + item_size + 3) * MOVE_COST / 6;
        max = Py_MIN(max, best_distance - 1);
        size_t distance = edit_distance(name_text, (size_t)name_size, text,
                                        (size_t)item_size, max);
        if (distance > max) {
            continue;
        }
        if (best == NULL || distance < best_distance) {
            best = item;
            best_distance = distance;
        }
    }
    return Py_XNewRef(best);
}

static PyObject *
suggest_attribute(PyAttributeErrorObject *exc)
{
    if (exc->name == NULL || exc->obj == NULL || !PyUnicode_Check(exc->name)) {
        return NULL;
    }
    PyObject *dir = PyObject_Dir(exc->obj);
    if (dir == NULL) {
        return NULL;
    }
    PyObject *res = best_match(dir, exc->name);
    Py_DECREF(dir);
    return res;
}

/* Best match among the keys of a mapping. */
static PyObject *
match_keys(PyObject *mapping, PyObject *name)
{
    PyObject *dir = mapping == NULL ? NULL : PySequence_List(mapping);
    PyObject *res = dir == NULL ? NULL : best_match(dir, name);
    Py_XDECREF(dir);
    return res;
}

/* A bare name that is an attribute of self: then "self.name". */
static PyObject *
suggest_self(PyObject *locals, PyObject *name)
{
    PyObject *self = PyMapping_GetItemString(locals, "self");
    if (self == NULL) {
        PyErr_Clear();
        return NULL;
    }
    PyObject *value;
    int has = _PyObject_LookupAttr(self, name, &value);
    Py_XDECREF(value);
    Py_DECREF(self);
    return has > 0 ? PyUnicode_FromFormat("self.%U", name) : NULL;
}

static PyObject *
suggest_variable(PyNameErrorObject *exc)
{
    PyTracebackObject *tb = (PyTracebackObject *)exc->traceback;
    if (exc->name == NULL || !PyUnicode_Check(exc->name) || tb == NULL) {
        return NULL;
    }
    while (tb->tb_next != NULL) {
        tb = tb->tb_next;
    }
    PyFrameObject *frame = tb->tb_frame;
    PyObject *locals = PyFrame_GetLocals(frame);
    if (locals == NULL) {
        return NULL;
    }
    PyObject *res = suggest_self(locals, exc->name);
    if (res == NULL) {
        res = match_keys(locals, exc->name);
    }
    Py_DECREF(locals);
    if (res == NULL && !PyErr_Occurred()) {
        PyObject *globals = PyFrame_GetGlobals(frame);
        res = match_keys(globals, exc->name);
        Py_XDECREF(globals);
    }
    if (res == NULL && !PyErr_Occurred()) {
        PyObject *builtins = PyFrame_GetBuiltins(frame);
        res = match_keys(builtins, exc->name);
        Py_XDECREF(builtins);
    }
    return res;
}

PyObject *
kr_suggest_name(PyObject *exception)
{
    PyObject *res = NULL;
    if (Py_IS_TYPE(exception, &KR_EXC(AttributeError))) {
        res = suggest_attribute((PyAttributeErrorObject *)exception);
    }
    else if (Py_IS_TYPE(exception, &KR_EXC(NameError))) {
        res = suggest_variable((PyNameErrorObject *)exception);
    }
    PyErr_Clear();
    return res;
}
