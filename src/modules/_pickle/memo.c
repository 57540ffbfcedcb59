/* The memo of a pickler, and callables kept without a cycle. */
#include "modules/_pickle/pickle.h"

enum { MIN_SIZE = 8 };

int
kr_memo_init(struct memo *m)
{
    m->entries = PyMem_Calloc(MIN_SIZE, sizeof *m->entries);
    m->mask = MIN_SIZE - 1;
    m->used = 0;
    if (m->entries == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

void
kr_memo_free(struct memo *m)
{
    struct memo old = *m;
    m->entries = NULL;
    m->used = 0;
    if (old.entries != NULL) {
        for (size_t i = 0; i <= old.mask; i++) {
            Py_XDECREF(old.entries[i].key);
        }
        PyMem_Free(old.entries);
    }
}

void
kr_memo_clear(struct memo *m)
{
    /* a destructor may use the memo: empty it first */
    struct memo_entry *old = m->entries;
    size_t n = m->mask + 1;
    if (old == NULL || m->used == 0) {
        return;
    }
    struct memo fresh;
    if (kr_memo_init(&fresh) < 0) {
        PyErr_Clear();
        fresh = (struct memo){NULL, 0, 0};
    }
    *m = fresh;
    for (size_t i = 0; i < n; i++) {
        Py_XDECREF(old[i].key);
    }
    PyMem_Free(old);
}

static struct memo_entry *
slot(const struct memo *m, PyObject *key)
{
    size_t i = ((uintptr_t)key >> 4) * 0x9E3779B97F4A7C15u >> 20;
    for (;; i++) {
        struct memo_entry *e = &m->entries[i & m->mask];
        if (e->key == key || e->key == NULL) {
            return e;
        }
    }
}

Py_ssize_t
kr_memo_find(const struct memo *m, PyObject *key)
{
    if (m->entries == NULL) {
        return -1;
    }
    struct memo_entry *e = slot(m, key);
    return e->key != NULL ? e->index : -1;
}

static int
resize(struct memo *m, size_t size)
{
    struct memo bigger = {PyMem_Calloc(size, sizeof *m->entries), size - 1,
                          m->used};
    if (bigger.entries == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; m->entries != NULL && i <= m->mask; i++) {
        if (m->entries[i].key != NULL) {
            *slot(&bigger, m->entries[i].key) = m->entries[i];
        }
    }
    PyMem_Free(m->entries);
    *m = bigger;
    return 0;
}

int
kr_memo_copy(struct memo *to, const struct memo *from)
{
    if (kr_memo_init(to) < 0) {
        return -1;
    }
    for (size_t i = 0; from->entries != NULL && i <= from->mask; i++) {
        if (from->entries[i].key != NULL &&
            kr_memo_set(to, from->entries[i].key, from->entries[i].index) < 0) {
            kr_memo_free(to);
            return -1;
        }
    }
    return 0;
}

int
kr_memo_set(struct memo *m, PyObject *key, Py_ssize_t index)
{
    if (m->entries == NULL || m->used * 3 >= (m->mask + 1) * 2) {
        size_t size = m->entries ? (m->mask + 1) * 4 : MIN_SIZE;
        if (resize(m, size) < 0) {
            return -1;
        }
    }
    struct memo_entry *e = slot(m, key);
    if (e->key == NULL) {
        e->key = Py_NewRef(key);
        m->used++;
    }
    e->index = index;
    return 0;
}

/* ---- hooks */

int
kr_hook_init(struct hook *h, PyObject *self, PyObject *name)
{
    PyObject *func;
    if (_PyObject_LookupAttr(self, name, &func) < 0) {
        return -1;
    }
    bool is_method = false;
    if (func != NULL && PyMethod_Check(func) &&
        PyMethod_GET_SELF(func) == self) {
        Py_SETREF(func, Py_NewRef(PyMethod_GET_FUNCTION(func)));
        is_method = true;
    }
    h->is_method = is_method;
    Py_XSETREF(h->func, func);
    return 0;
}

PyObject *
kr_hook_call(struct hook *h, PyObject *self, PyObject *arg)
{
    PyObject *func = Py_NewRef(h->func);
    PyObject *args[] = {self, arg};
    PyObject *result =
        h->is_method ? PyObject_Vectorcall(func, args, 2, NULL)
                     : PyObject_Vectorcall(func, args + 1, 1, NULL);
    Py_DECREF(func);
    return result;
}

PyObject *
kr_hook_get(struct hook *h, PyObject *self, const char *name)
{
    if (h->func == NULL) {
        PyErr_SetString(PyExc_AttributeError, name);
        return NULL;
    }
    return h->is_method ? PyMethod_New(h->func, self) : Py_NewRef(h->func);
}

int
kr_hook_set(struct hook *h, PyObject *value, const char *name)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "attribute deletion is not supported");
        return -1;
    }
    if (!PyCallable_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "%s must be a callable taking one argument", name);
        return -1;
    }
    h->is_method = false;
    Py_XSETREF(h->func, Py_NewRef(value));
    return 0;
}
