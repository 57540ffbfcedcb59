/* Pickling tuples, lists, dicts and sets. */
#include "modules/_pickle/pickle.h"

/* ---- fast mode, which has no memo and so must look for cycles */

static int
fast_enter(pickler *self, PyObject *obj)
{
    if (!self->fast || ++self->fast_nesting < FAST_NESTING_LIMIT) {
        return 0;
    }
    if (self->fast_memo == NULL) {
        self->fast_memo = PyDict_New();
    }
    PyObject *key = self->fast_memo ? PyLong_FromVoidPtr(obj) : NULL;
    if (key == NULL) {
        return -1;
    }
    int known = PyDict_Contains(self->fast_memo, key), rc = -1;
    if (known > 0) {
        PyErr_Format(PyExc_ValueError,
                     "fast mode: can't pickle cyclic objects including object "
                     "type %.200s at %p",
                     Py_TYPE(obj)->tp_name, obj);
    }
    else if (known == 0) {
        rc = PyDict_SetItem(self->fast_memo, key, Py_None);
    }
    Py_DECREF(key);
    return rc;
}

static int
fast_leave(pickler *self, PyObject *obj, int rc)
{
    if (self->fast && self->fast_nesting-- >= FAST_NESTING_LIMIT &&
        self->fast_memo != NULL) {
        PyObject *type, *value, *tb;
        PyErr_Fetch(&type, &value, &tb);
        PyObject *key = PyLong_FromVoidPtr(obj);
        if (key == NULL || PyDict_DelItem(self->fast_memo, key) < 0) {
            PyErr_Clear();
        }
        Py_XDECREF(key);
        PyErr_Restore(type, value, tb);
    }
    return rc;
}

/* ---- tuple */

static int
save_items(pickler *self, PyObject *tuple)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (kr_pk_save(self, PyTuple_GET_ITEM(tuple, i), false) < 0) {
            return -1;
        }
    }
    return 0;
}

int
kr_pk_save_tuple(pickler *self, PyObject *obj)
{
    Py_ssize_t n = PyTuple_GET_SIZE(obj), index;
    if (n == 0) {
        return self->bin ? kr_pk_op(self, EMPTY_TUPLE)
                         : kr_pk_write(self, "(t", 2);
    }
    bool small = n <= 3 && self->proto >= 2;
    if ((!small && kr_pk_op(self, MARK) < 0) || save_items(self, obj) < 0) {
        return -1;
    }
    if (kr_pk_in_memo(self, obj, &index)) {
        /* it contains itself, and an inner visit has saved it: drop ours */
        if (!small && self->bin) {
            return kr_pk_op(self, POP_MARK) < 0 ? -1
                                                : kr_pk_memo_get(self, index);
        }
        for (Py_ssize_t i = small ? 0 : -1; i < n; i++) {
            if (kr_pk_op(self, POP) < 0) {
                return -1;
            }
        }
        return kr_pk_memo_get(self, index);
    }
    if (kr_pk_op(self, small ? TUPLE1 + (int)n - 1 : TUPLE) < 0) {
        return -1;
    }
    return kr_pk_memo_put(self, obj);
}

/* ---- list */

int
kr_pk_batch_list(pickler *self, PyObject *iter)
{
    Py_ssize_t n;
    do {
        PyObject *item = PyIter_Next(iter);
        if (item == NULL) {
            return PyErr_Occurred() ? -1 : 0;
        }
        PyObject *next = self->proto == 0 ? NULL : PyIter_Next(iter);
        if (next == NULL) {
            int rc = PyErr_Occurred() || kr_pk_save(self, item, false) < 0 ||
                             kr_pk_op(self, APPEND) < 0
                         ? -1
                         : 0;
            Py_DECREF(item);
            if (rc < 0 || self->proto > 0) {
                return rc;
            }
            n = BATCH_SIZE; /* text: one by one to the end */
            continue;
        }
        int rc = kr_pk_op(self, MARK) < 0 || kr_pk_save(self, item, false) < 0;
        Py_DECREF(item);
        for (n = 1; !rc && next != NULL;) {
            rc = kr_pk_save(self, next, false) < 0;
            Py_CLEAR(next);
            if (!rc && ++n < BATCH_SIZE) {
                next = PyIter_Next(iter);
                rc = next == NULL && PyErr_Occurred();
            }
        }
        Py_XDECREF(next);
        if (rc || kr_pk_op(self, APPENDS) < 0) {
            return -1;
        }
    } while (n == BATCH_SIZE);
    return 0;
}

static int
save_item_of_list(pickler *self, PyObject *list, Py_ssize_t i)
{
    PyObject *item = Py_NewRef(PyList_GET_ITEM(list, i));
    int rc = kr_pk_save(self, item, false);
    Py_DECREF(item);
    return rc;
}

static int
batch_list_exact(pickler *self, PyObject *list)
{
    if (PyList_GET_SIZE(list) == 1) {
        return save_item_of_list(self, list, 0) < 0 ? -1
                                                    : kr_pk_op(self, APPEND);
    }
    Py_ssize_t done = 0;
    do {
        if (kr_pk_op(self, MARK) < 0) {
            return -1;
        }
        for (int n = 0; n < BATCH_SIZE && done < PyList_GET_SIZE(list); n++) {
            if (save_item_of_list(self, list, done++) < 0) {
                return -1;
            }
        }
        if (kr_pk_op(self, APPENDS) < 0) {
            return -1;
        }
    } while (done < PyList_GET_SIZE(list));
    return 0;
}

static int
save_list(pickler *self, PyObject *obj)
{
    int rc =
        self->bin ? kr_pk_op(self, EMPTY_LIST) : kr_pk_write(self, "(l", 2);
    if (rc < 0 || kr_pk_memo_put(self, obj) < 0) {
        return -1;
    }
    if (PyList_GET_SIZE(obj) == 0) {
        return 0;
    }
    if (self->proto > 0) {
        return batch_list_exact(self, obj);
    }
    PyObject *iter = PyObject_GetIter(obj);
    rc = iter ? kr_pk_batch_list(self, iter) : -1;
    Py_XDECREF(iter);
    return rc;
}

int
kr_pk_save_list(pickler *self, PyObject *obj)
{
    return fast_leave(self, obj,
                      fast_enter(self, obj) < 0 ? -1 : save_list(self, obj));
}

/* ---- dict */

static int
save_pair(pickler *self, PyObject *pair)
{
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, "dict items iterator must return "
                                         "2-tuples");
        return -1;
    }
    return save_items(self, pair);
}

int
kr_pk_batch_dict(pickler *self, PyObject *iter)
{
    Py_ssize_t n;
    do {
        PyObject *pair = PyIter_Next(iter);
        if (pair == NULL) {
            return PyErr_Occurred() ? -1 : 0;
        }
        PyObject *next = self->proto == 0 ? NULL : PyIter_Next(iter);
        if (next == NULL) {
            int rc = PyErr_Occurred() || save_pair(self, pair) < 0 ||
                             kr_pk_op(self, SETITEM) < 0
                         ? -1
                         : 0;
            Py_DECREF(pair);
            if (rc < 0 || self->proto > 0) {
                return rc;
            }
            n = BATCH_SIZE;
            continue;
        }
        int rc = kr_pk_op(self, MARK) < 0 || save_pair(self, pair) < 0;
        Py_DECREF(pair);
        for (n = 1; !rc && next != NULL;) {
            rc = save_pair(self, next) < 0;
            Py_CLEAR(next);
            if (!rc && ++n < BATCH_SIZE) {
                next = PyIter_Next(iter);
                rc = next == NULL && PyErr_Occurred();
            }
        }
        Py_XDECREF(next);
        if (rc || kr_pk_op(self, SETITEMS) < 0) {
            return -1;
        }
    } while (n == BATCH_SIZE);
    return 0;
}

static int
save_key_value(pickler *self, PyObject *key, PyObject *value)
{
    Py_INCREF(key);
    Py_INCREF(value);
    int rc =
        kr_pk_save(self, key, false) < 0 || kr_pk_save(self, value, false) < 0
            ? -1
            : 0;
    Py_DECREF(key);
    Py_DECREF(value);
    return rc;
}

static int
batch_dict_exact(pickler *self, PyObject *dict)
{
    Py_ssize_t pos = 0, size = PyDict_GET_SIZE(dict);
    PyObject *key, *value;
    int n;
    if (size == 1) {
        PyDict_Next(dict, &pos, &key, &value);
        return save_key_value(self, key, value) < 0 ? -1
                                                    : kr_pk_op(self, SETITEM);
    }
    do {
        n = 0;
        if (kr_pk_op(self, MARK) < 0) {
            return -1;
        }
        while (PyDict_Next(dict, &pos, &key, &value)) {
            if (save_key_value(self, key, value) < 0) {
                return -1;
            }
            if (++n == BATCH_SIZE) {
                break;
            }
        }
        if (kr_pk_op(self, SETITEMS) < 0) {
            return -1;
        }
        if (PyDict_GET_SIZE(dict) != size) {
            PyErr_SetString(PyExc_RuntimeError,
                            "dictionary changed size during iteration");
            return -1;
        }
    } while (n == BATCH_SIZE);
    return 0;
}

static int
save_dict(pickler *self, PyObject *obj)
{
    int rc =
        self->bin ? kr_pk_op(self, EMPTY_DICT) : kr_pk_write(self, "(d", 2);
    if (rc < 0 || kr_pk_memo_put(self, obj) < 0) {
        return -1;
    }
    if (PyDict_GET_SIZE(obj) == 0) {
        return 0;
    }
    if (self->proto > 0) {
        return batch_dict_exact(self, obj);
    }
    PyObject *items = PyObject_CallMethodNoArgs(obj, KR_ID(items));
    PyObject *iter = items ? PyObject_GetIter(items) : NULL;
    rc = iter ? kr_pk_batch_dict(self, iter) : -1;
    Py_XDECREF(iter);
    Py_XDECREF(items);
    return rc;
}

int
kr_pk_save_dict(pickler *self, PyObject *obj)
{
    return fast_leave(self, obj,
                      fast_enter(self, obj) < 0 ? -1 : save_dict(self, obj));
}

/* ---- set and frozenset */

static int
reduce_to_list(pickler *self, PyObject *obj)
{
    PyObject *items = PySequence_List(obj);
    PyObject *value =
        items ? Py_BuildValue("(O(N))", Py_TYPE(obj), items) : NULL;
    int rc = value ? kr_pk_save_reduce(self, value, obj) : -1;
    Py_XDECREF(value);
    return rc;
}

int
kr_pk_save_set(pickler *self, PyObject *obj)
{
    if (self->proto < 4) {
        return reduce_to_list(self, obj);
    }
    if (kr_pk_op(self, EMPTY_SET) < 0 || kr_pk_memo_put(self, obj) < 0) {
        return -1;
    }
    Py_ssize_t size = PySet_GET_SIZE(obj), pos = 0;
    PyObject *item;
    Py_hash_t hash;
    int n;
    if (size == 0) {
        return 0;
    }
    do {
        n = 0;
        if (kr_pk_op(self, MARK) < 0) {
            return -1;
        }
        while (_PySet_NextEntry(obj, &pos, &item, &hash)) {
            Py_INCREF(item);
            int rc = kr_pk_save(self, item, false);
            Py_DECREF(item);
            if (rc < 0) {
                return -1;
            }
            if (++n == BATCH_SIZE) {
                break;
            }
        }
        if (kr_pk_op(self, ADDITEMS) < 0) {
            return -1;
        }
        if (PySet_GET_SIZE(obj) != size) {
            PyErr_SetString(PyExc_RuntimeError,
                            "set changed size during iteration");
            return -1;
        }
    } while (n == BATCH_SIZE);
    return 0;
}

static int
save_frozenset(pickler *self, PyObject *obj)
{
    if (kr_pk_op(self, MARK) < 0) {
        return -1;
    }
    PyObject *iter = PyObject_GetIter(obj), *item;
    if (iter == NULL) {
        return -1;
    }
    int rc = 0;
    while (rc == 0 && (item = PyIter_Next(iter)) != NULL) {
        rc = kr_pk_save(self, item, false);
        Py_DECREF(item);
    }
    Py_DECREF(iter);
    if (rc < 0 || PyErr_Occurred()) {
        return -1;
    }
    Py_ssize_t index;
    if (kr_pk_in_memo(self, obj, &index)) {
        return kr_pk_op(self, POP_MARK) < 0 ? -1 : kr_pk_memo_get(self, index);
    }
    return kr_pk_op(self, FROZENSET) < 0 ? -1 : kr_pk_memo_put(self, obj);
}

int
kr_pk_save_frozenset(pickler *self, PyObject *obj)
{
    if (self->proto < 4) {
        return reduce_to_list(self, obj);
    }
    return fast_leave(
        self, obj, fast_enter(self, obj) < 0 ? -1 : save_frozenset(self, obj));
}
