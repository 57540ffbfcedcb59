/* The dict below its methods: entries, versions, order, watchers. */
#include <Python.h>
#include <stdio.h>

#include "objects/dict.h"

static int failures;

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);         \
            failures++;                                                        \
        }                                                                      \
    } while (0)

#define D(op) ((PyDictObject *)(op))

static PyObject *
name(const char *format, int i)
{
    char text[32];
    snprintf(text, sizeof(text), format, i);
    return PyUnicode_FromString(text);
}

/* Against a plain array that says what must be there, with many deletions. */
static void
test_against_model(void)
{
    enum { N = 2000 };
    static int model[N]; /* value + 1, 0 = missing */
    unsigned seed = 12345;
    PyObject *dict = PyDict_New(), *keys[N];
    for (int i = 0; i < N; i++) {
        /* every seventh is an int, so that the table changes its form */
        keys[i] = i % 7 == 6 ? PyLong_FromLong(i) : name("k%d", i);
    }
    Py_ssize_t used = 0;
    for (int step = 0; step < 60000; step++) {
        seed = seed * 1103515245u + 12345u;
        int i = (int)(seed >> 8) % (step < 3000 ? 50 : N);
        if ((seed >> 28) % 3 != 0) {
            PyObject *value = PyLong_FromLong(step);
            CHECK(PyDict_SetItem(dict, keys[i], value) == 0);
            Py_DECREF(value);
            used += model[i] == 0;
            model[i] = step + 1;
        }
        else if (model[i] != 0) {
            CHECK(PyDict_DelItem(dict, keys[i]) == 0);
            used--;
            model[i] = 0;
        }
        else {
            CHECK(PyDict_DelItem(dict, keys[i]) < 0);
            CHECK(PyErr_ExceptionMatches(PyExc_KeyError));
            PyErr_Clear();
        }
        CHECK(PyDict_Size(dict) == used);
    }
    for (int i = 0; i < N; i++) {
        PyObject *value = PyDict_GetItemWithError(dict, keys[i]);
        CHECK((value == NULL) == (model[i] == 0));
        CHECK(value == NULL || PyLong_AsLong(value) == model[i] - 1);
    }
    Py_ssize_t pos = 0, seen = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &pos, &key, &value)) {
        seen++;
    }
    CHECK(seen == used);
    PyObject *copy = PyDict_Copy(dict);
    CHECK(PyObject_RichCompareBool(copy, dict, Py_EQ) == 1);
    Py_DECREF(copy);
    for (int i = 0; i < N; i++) {
        Py_DECREF(keys[i]);
    }
    Py_DECREF(dict);
}

static void
test_versions(void)
{
    PyObject *dict = PyDict_New(), *a = name("a%d", 0), *b = name("b%d", 0);
    uint64_t tag = kr_dict_version(D(dict));
    PyDict_SetItem(dict, a, Py_None);
    CHECK(kr_dict_version(D(dict)) != tag);
    uint32_t keys = kr_dict_keys_version(D(dict));
    CHECK(keys != 0);
    CHECK(kr_dict_keys_version(D(dict)) == keys);
    Py_ssize_t ix = kr_dict_lookup_index(D(dict), a, PyObject_Hash(a));
    CHECK(ix == 0);
    CHECK(kr_dict_entry_value(D(dict), ix) == Py_None);
    /* a new value leaves the set of keys as it is */
    tag = kr_dict_version(D(dict));
    PyDict_SetItem(dict, a, Py_True);
    CHECK(kr_dict_version(D(dict)) != tag);
    CHECK(kr_dict_keys_version_now(D(dict)) == keys);
    CHECK(kr_dict_entry_value(D(dict), ix) == Py_True);
    /* the same value is no change */
    tag = kr_dict_version(D(dict));
    PyDict_SetItem(dict, a, Py_True);
    CHECK(kr_dict_version(D(dict)) == tag);
    PyDict_SetItem(dict, b, Py_None);
    CHECK(kr_dict_keys_version(D(dict)) != keys);
    keys = kr_dict_keys_version(D(dict));
    PyDict_DelItem(dict, a);
    CHECK(kr_dict_keys_version(D(dict)) != keys);
    CHECK(kr_dict_lookup_index(D(dict), a, PyObject_Hash(a))
          == KR_DICT_EMPTY);
    Py_DECREF(a);
    Py_DECREF(b);
    Py_DECREF(dict);
}

static void
test_forms(void)
{
    PyObject *dict = PyDict_New(), *a = name("a%d", 0);
    PyObject *one = PyLong_FromLong(1);
    PyDict_SetItem(dict, a, one);
    CHECK(kr_dict_has_str_keys(D(dict)));
    size_t small = kr_dict_keys_size(D(dict));
    CHECK(PyDict_Contains(dict, one) == 0); /* a look changes nothing */
    CHECK(kr_dict_has_str_keys(D(dict)));
    PyDict_SetItem(dict, one, a);
    CHECK(!kr_dict_has_str_keys(D(dict)));
    CHECK(kr_dict_keys_size(D(dict)) > small);
    CHECK(PyDict_GetItem(dict, a) == one && PyDict_GetItem(dict, one) == a);
    PyDict_Clear(dict);
    CHECK(kr_dict_keys_size(D(dict)) == 0);
    Py_DECREF(one);
    Py_DECREF(a);
    Py_DECREF(dict);
}

/* Moves to both ends, with removals from both. */
static void
test_order(void)
{
    enum { N = 300 };
    PyObject *dict = PyDict_New(), *keys[N], *key;
    Py_hash_t hash;
    for (int i = 0; i < N; i++) {
        keys[i] = name("k%d", i);
        PyDict_SetItem(dict, keys[i], Py_None);
    }
    for (int i = 0; i < N; i++) {
        CHECK(kr_dict_move(D(dict), keys[i], PyObject_Hash(keys[i]), false)
              == 0);
        kr_dict_end(D(dict), false, &key, &hash);
        CHECK(key == keys[i]);
    }
    for (int i = N - 1; i >= 0; i--) {
        kr_dict_end(D(dict), false, &key, &hash);
        CHECK(key == keys[i] && hash == PyObject_Hash(key));
        CHECK(kr_dict_move(D(dict), key, hash, true) == 0);
        kr_dict_end(D(dict), true, &key, &hash);
        CHECK(key == keys[i]);
    }
    for (int i = 0; i < N; i++) {
        kr_dict_end(D(dict), false, &key, &hash);
        CHECK(key == keys[N - 1 - i]);
        CHECK(PyDict_DelItem(dict, key) == 0);
    }
    CHECK(PyDict_Size(dict) == 0);
    for (int i = 0; i < N; i++) {
        Py_DECREF(keys[i]);
    }
    Py_DECREF(dict);
}

static int events[8];

static void
watcher(enum kr_dict_event event, PyDictObject *dict, PyObject *key,
        PyObject *value)
{
    events[event]++;
}

static void
test_watchers(void)
{
    int id = kr_dict_add_watcher(watcher);
    CHECK(id >= 0);
    PyObject *dict = PyDict_New(), *a = name("a%d", 0);
    PyDict_SetItem(dict, a, Py_None);
    CHECK(events[KR_DICT_ADDED] == 0);
    kr_dict_watch(id, D(dict));
    PyDict_SetItem(dict, a, Py_True);
    CHECK(events[KR_DICT_MODIFIED] == 1);
    PyDict_DelItem(dict, a);
    CHECK(events[KR_DICT_DELETED] == 1);
    PyDict_SetItem(dict, a, Py_True);
    CHECK(events[KR_DICT_ADDED] == 1);
    PyDict_Clear(dict);
    CHECK(events[KR_DICT_CLEARED] == 1);
    kr_dict_unwatch(id, D(dict));
    PyDict_SetItem(dict, a, Py_True);
    CHECK(events[KR_DICT_ADDED] == 1);
    kr_dict_watch(id, D(dict));
    Py_DECREF(dict);
    CHECK(events[KR_DICT_DEALLOCATED] == 1);
    Py_DECREF(a);
}

/* A dict of atoms is not followed, one that holds a list is. */
static void
test_tracking(void)
{
    PyObject *dict = PyDict_New(), *list = PyList_New(0);
    CHECK(!PyObject_GC_IsTracked(dict));
    PyDict_SetItemString(dict, "a", Py_None);
    CHECK(!PyObject_GC_IsTracked(dict));
    PyDict_SetItemString(dict, "b", list);
    CHECK(PyObject_GC_IsTracked(dict));
    Py_DECREF(list);
    Py_DECREF(dict);
}

int
main(void)
{
    Py_Initialize();
    test_against_model();
    test_versions();
    test_forms();
    test_order();
    test_watchers();
    test_tracking();
    return failures != 0;
}
