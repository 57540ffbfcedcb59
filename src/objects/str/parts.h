/* Collects the results of split functions: the first few go into room made
 * beforehand, the rest is appended. */
#ifndef KR_OBJECTS_STR_PARTS_H
#define KR_OBJECTS_STR_PARTS_H

#include <Python.h>

struct kr_parts {
    PyObject *list;
    Py_ssize_t count;
};

enum { KR_PARTS_ROOM = 12 };

/* At most max + 1 parts will come. -1 with an exception set. */
static inline int
kr_parts_init(struct kr_parts *p, Py_ssize_t max)
{
    p->list = PyList_New(max >= KR_PARTS_ROOM ? KR_PARTS_ROOM : max + 1);
    p->count = 0;
    return p->list == NULL ? -1 : 0;
}

/* Takes the reference `part`, which may be NULL after an error. */
static inline int
kr_parts_add(struct kr_parts *p, PyObject *part)
{
    if (part == NULL) {
        return -1;
    }
    if (p->count < KR_PARTS_ROOM && p->count < PyList_GET_SIZE(p->list)) {
        PyList_SET_ITEM(p->list, p->count++, part);
        return 0;
    }
    p->count++;
    int rc = PyList_Append(p->list, part);
    Py_DECREF(part);
    return rc;
}

/* The list, reversed if wanted; NULL if `rc` says that something failed. */
static inline PyObject *
kr_parts_finish(struct kr_parts *p, int rc, int reverse)
{
    if (rc < 0) {
        Py_XDECREF(p->list);
        return NULL;
    }
    Py_SET_SIZE(p->list, p->count);
    if (reverse && PyList_Reverse(p->list) < 0) {
        Py_DECREF(p->list);
        return NULL;
    }
    return p->list;
}

#endif
