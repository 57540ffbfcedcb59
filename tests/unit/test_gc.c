/* The cyclic collector, driven through the C API. */
#include <Python.h>
#include <stdio.h>

#include "memory/gc_state.h"

static int failures;

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);         \
            failures++;                                                        \
        }                                                                      \
    } while (0)

static void
test_tracking(void)
{
    PyObject *list = PyList_New(0);
    CHECK(PyObject_GC_IsTracked(list));
    CHECK(kr_gc_generation(list) == 0);
    CHECK(!PyObject_GC_IsFinalized(list));
    PyGC_Collect();
    CHECK(kr_gc_generation(list) == 2);
    PyObject_GC_UnTrack(list);
    CHECK(!PyObject_GC_IsTracked(list));
    PyObject_GC_UnTrack(list); /* allowed */
    PyObject_GC_Track(list);
    CHECK(kr_gc_generation(list) == 0);
    Py_DECREF(list);
    PyObject *n = PyLong_FromLong(123456);
    CHECK(!PyObject_GC_IsTracked(n));
    Py_DECREF(n);
}

static void
test_generations(void)
{
    PyObject *list = PyList_New(0);
    kr_gc_collect(0);
    CHECK(kr_gc_generation(list) == 1);
    kr_gc_collect(0);
    CHECK(kr_gc_generation(list) == 1);
    kr_gc_collect(1);
    CHECK(kr_gc_generation(list) == 2);
    Py_DECREF(list);
}

static void
test_cycles(void)
{
    PyGC_Collect();
    for (int i = 0; i < 1000; i++) {
        PyObject *a = PyList_New(0), *b = PyDict_New();
        PyList_Append(a, b);
        PyDict_SetItemString(b, "a", a);
        Py_DECREF(a);
        Py_DECREF(b);
    }
    Py_ssize_t n = PyGC_Collect();
    CHECK(n >= 2 && n <= 2000);
    CHECK(PyGC_Collect() == 0);
}

/* A large object, outside the pools, in a cycle. */
static void
test_large(void)
{
    PyGC_Collect();
    PyObject *tuple = PyTuple_New(5000), *list = PyList_New(0);
    for (Py_ssize_t i = 0; i < 5000; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(list));
    }
    CHECK(PyObject_GC_IsTracked(tuple));
    PyList_Append(list, tuple);
    Py_DECREF(list);
    PyGC_Collect();
    CHECK(PyTuple_GET_SIZE(tuple) == 5000); /* we still have it */
    Py_DECREF(tuple);
    CHECK(PyGC_Collect() == 2);
}

static void
run(const char *code)
{
    if (PyRun_SimpleString(code) != 0) {
        failures++;
    }
}

static void
test_python(void)
{
    run("import gc, weakref\n"
        "log = []\n"
        "class A:\n"
        "    def __del__(self): log.append('del')\n"
        "a = A(); a.me = a\n"
        "r = weakref.ref(a, lambda _: log.append('ref'))\n"
        "del a; gc.collect()\n"
        "assert log == ['ref', 'del'], log\n"
        "assert r() is None\n"
        "class B:\n"
        "    def __del__(self): keep.append(self)\n"
        "keep = []\n"
        "b = B(); b.me = b; del b; gc.collect()\n"
        "assert len(keep) == 1 and gc.is_finalized(keep[0])\n"
        "keep.clear(); gc.collect()\n"
        "assert not keep\n"
        "assert gc.garbage == []\n"
        "x = []\n"
        "assert any(o is x for o in gc.get_objects())\n"
        "y = [x]\n"
        "assert any(o is y for o in gc.get_referrers(x))\n"
        "assert gc.get_referents(y) == [x]\n"
        "gc.freeze(); assert gc.get_freeze_count() > 0; gc.unfreeze()\n"
        "assert gc.get_freeze_count() == 0\n");
}

int
main(void)
{
    Py_InitializeEx(0);
    test_tracking();
    test_generations();
    test_cycles();
    test_large();
    test_python();
    return Py_FinalizeEx() < 0 || failures != 0;
}
