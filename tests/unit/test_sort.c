/* list.sort: stability, patterns that steer the merges, failing comparisons. */
#include <Python.h>
#include <stdio.h>

#include "objects/list.h"

static int failures;

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);         \
            failures++;                                                        \
        }                                                                      \
    } while (0)

static unsigned seed = 1;

static int
random_below(int n)
{
    seed = seed * 1103515245u + 12345u;
    return (int)((seed >> 8) % (unsigned)n);
}

/* Value i of n in one of several patterns. */
static long
pattern(int kind, int i, int n)
{
    switch (kind) {
    case 0:
        return random_below(1 << 22);
    case 1:
        return i;
    case 2:
        return n - i;
    case 3:
        return i % 50;
    case 4:
        return i < n / 2 ? 2 * i : 2 * (i - n / 2) + 1;
    case 5:
        return random_below(4);
    case 6: /* sorted but for a few */
        return i % 97 == 0 ? random_below(n + 1) : i;
    default: /* runs of all lengths, up and down */
        return (i / 37) % 2 ? i % 37 : 37 - i % 37;
    }
}

/* Pairs (value, position), sorted by the value only. */
static void
test_patterns(void)
{
    PyObject *key = PyRun_String("lambda p: p[0]", Py_eval_input,
                                 PyEval_GetBuiltins(), NULL);
    CHECK(key != NULL);
    PyErr_Clear();
    static const int sizes[] = {0, 1, 2, 3, 31, 63, 64, 65, 200, 1000, 5000};
    for (int kind = 0; kind < 8; kind++) {
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            int n = sizes[s];
            for (int reverse = 0; reverse < 2; reverse++) {
                PyObject *list = PyList_New(n);
                for (int i = 0; i < n; i++) {
                    PyList_SET_ITEM(list, i,
                                    Py_BuildValue("(li)", pattern(kind, i, n),
                                                  i));
                }
                CHECK(key == NULL
                      || kr_list_sort((PyListObject *)list, key, reverse)
                             == 0);
                for (int i = 1; key != NULL && i < n; i++) {
                    PyObject *p = PyList_GET_ITEM(list, i - 1);
                    PyObject *q = PyList_GET_ITEM(list, i);
                    long a = PyLong_AsLong(PyTuple_GET_ITEM(p, 0));
                    long b = PyLong_AsLong(PyTuple_GET_ITEM(q, 0));
                    CHECK(reverse ? a >= b : a <= b);
                    CHECK(a != b
                          || PyLong_AsLong(PyTuple_GET_ITEM(p, 1))
                                 < PyLong_AsLong(PyTuple_GET_ITEM(q, 1)));
                }
                Py_DECREF(list);
            }
        }
    }
    Py_XDECREF(key);
}

/* Every kind of key that has a comparison of its own, and mixtures. */
static PyObject *
make_key(int kind, int i)
{
    long x = random_below(500);
    switch (kind) {
    case 0:
        return PyLong_FromLong(x - 250);
    case 1:
        return PyLong_FromLong((x - 250) * (1L << 40));
    case 2:
        return PyFloat_FromDouble((double)x / 3);
    case 3:
        return PyUnicode_FromFormat("%ld", x);
    case 4:
        return PyUnicode_FromFormat("%c%ld", 0x3b1, x);
    case 5:
        return Py_BuildValue("(li)", x / 10, i % 5);
    case 6:
        return Py_BuildValue("(si)", x % 2 ? "a" : "b", i);
    case 7:
        return i % 3 ? PyLong_FromLong(x) : PyFloat_FromDouble((double)x);
    default:
        return PyBytes_FromFormat("%ld", x);
    }
}

static void
test_kinds(void)
{
    for (int kind = 0; kind < 9; kind++) {
        PyObject *list = PyList_New(700);
        for (int i = 0; i < 700; i++) {
            PyList_SET_ITEM(list, i, make_key(kind, i));
        }
        CHECK(PyList_Sort(list) == 0);
        for (int i = 1; i < 700; i++) {
            CHECK(PyObject_RichCompareBool(PyList_GET_ITEM(list, i - 1),
                                           PyList_GET_ITEM(list, i), Py_LE)
                  == 1);
        }
        Py_DECREF(list);
    }
}

/* A comparison that raises loses no item. */
static void
test_failure(void)
{
    for (int at = 0; at < 600; at += 7) {
        PyObject *list = PyList_New(600);
        for (int i = 0; i < 600; i++) {
            PyObject *x = PyLong_FromLong(random_below(1000) + 1000);
            if (i == at) {
                Py_SETREF(x, PyUnicode_FromString("not a number"));
            }
            PyList_SET_ITEM(list, i, x);
        }
        PyObject *before = PyList_AsTuple(list);
        CHECK(PyList_Sort(list) < 0);
        CHECK(PyErr_ExceptionMatches(PyExc_TypeError));
        PyErr_Clear();
        CHECK(PyList_GET_SIZE(list) == 600);
        for (int i = 0; i < 600; i++) {
            PyObject *x = PyTuple_GET_ITEM(before, i);
            int found = 0;
            for (int k = 0; k < 600 && !found; k++) {
                found = PyList_GET_ITEM(list, k) == x;
            }
            CHECK(found);
        }
        Py_DECREF(before);
        Py_DECREF(list);
    }
}

int
main(void)
{
    Py_Initialize();
    test_patterns();
    test_kinds();
    test_failure();
    return failures != 0;
}
