/* An element as the sequence of its children: items and slices, read,
 * assigned and deleted. */
#include "modules/shared/_elementtree/etree.h"

static Py_ssize_t
element_length(PyObject *self)
{
    return kr_element_len(KR_ELEMENT(self));
}

static PyObject *
element_item(PyObject *self, Py_ssize_t i)
{
    struct kr_element *e = KR_ELEMENT(self);
    if (i < 0 || i >= kr_element_len(e)) {
        PyErr_SetString(PyExc_IndexError, "child index out of range");
        return NULL;
    }
    return Py_NewRef(e->extra->children[i]);
}

/* Takes out the children [at, at + n) without releasing them. */
static void
close_gap(struct kr_element_extra *x, Py_ssize_t at, Py_ssize_t n)
{
    memmove(x->children + at, x->children + at + n,
            (size_t)(x->length - at - n) * sizeof(*x->children));
    x->length -= n;
}

static int
element_set_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    struct kr_element *e = KR_ELEMENT(self);
    if (i < 0 || i >= kr_element_len(e)) {
        PyErr_SetString(PyExc_IndexError,
                        "child assignment index out of range");
        return -1;
    }
    if (value != NULL && kr_element_check(value) < 0) {
        return -1;
    }
    PyObject *old = e->extra->children[i];
    if (value != NULL) {
        e->extra->children[i] = Py_NewRef(value);
    }
    else {
        close_gap(e->extra, i, 1);
    }
    Py_DECREF(old);
    return 0;
}

/* The index that `item` means, from the end if negative: false with an
 * exception. */
static bool
to_index(struct kr_element *e, PyObject *item, Py_ssize_t *i)
{
    *i = PyNumber_AsSsize_t(item, PyExc_IndexError);
    if (*i == -1 && PyErr_Occurred()) {
        return false;
    }
    if (*i < 0) {
        *i += kr_element_len(e);
    }
    return true;
}

/* A slice in the element's bounds: false with an exception. */
struct span {
    Py_ssize_t start, stop, step, length;
};

static bool
to_span(struct kr_element *e, PyObject *slice, struct span *s)
{
    if (PySlice_Unpack(slice, &s->start, &s->stop, &s->step) < 0) {
        return false;
    }
    s->length = PySlice_AdjustIndices(kr_element_len(e), &s->start, &s->stop,
                                      s->step);
    return true;
}

static PyObject *
bad_index(void)
{
    PyErr_SetString(PyExc_TypeError, "element indices must be integers");
    return NULL;
}

static PyObject *
element_subscript(PyObject *self, PyObject *item)
{
    struct kr_element *e = KR_ELEMENT(self);
    if (PyIndex_Check(item)) {
        Py_ssize_t i;
        return to_index(e, item, &i) ? element_item(self, i) : NULL;
    }
    if (!PySlice_Check(item)) {
        return bad_index();
    }
    struct span s;
    if (!to_span(e, item, &s)) {
        return NULL;
    }
    PyObject *list = PyList_New(s.length);
    for (Py_ssize_t i = 0; list != NULL && i < s.length; i++) {
        PyObject *child = e->extra->children[s.start + i * s.step];
        PyList_SET_ITEM(list, i, Py_NewRef(child));
    }
    return list;
}

/* Deletes a slice; what it held is released when the element is whole
 * again. */
static int
delete_span(struct kr_element *e, struct span s)
{
    if (s.length == 0) {
        return 0;
    }
    if (s.step < 0) {
        s.start += (s.length - 1) * s.step;
        s.step = -s.step;
    }
    PyObject *gone = PyList_New(s.length);
    if (gone == NULL) {
        return -1;
    }
    for (Py_ssize_t i = s.length - 1; i >= 0; i--) {
        Py_ssize_t at = s.start + i * s.step;
        PyList_SET_ITEM(gone, i, e->extra->children[at]);
    }
    if (s.step == 1) {
        close_gap(e->extra, s.start, s.length);
    }
    else {
        for (Py_ssize_t i = s.length - 1; i >= 0; i--) {
            close_gap(e->extra, s.start + i * s.step, 1);
        }
    }
    Py_DECREF(gone);
    return 0;
}

/* Puts all of a list of elements at `at`. */
static int
insert_all(struct kr_element *e, Py_ssize_t at, PyObject *list)
{
    Py_ssize_t n = PyList_GET_SIZE(list), old = kr_element_len(e);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (kr_element_append(e, PyList_GET_ITEM(list, i)) < 0) {
            return -1;
        }
    }
    if (n > 0 && at < old) {
        /* the references that the appending made move to their places */
        PyObject **c = e->extra->children;
        memmove(c + at + n, c + at, (size_t)(old - at) * sizeof(*c));
        for (Py_ssize_t i = 0; i < n; i++) {
            c[at + i] = PyList_GET_ITEM(list, i);
        }
    }
    return 0;
}

static int
replace_span(struct kr_element *e, struct span s, PyObject *list)
{
    Py_ssize_t n = PyList_GET_SIZE(list);
    if (s.step == 1) {
        return delete_span(e, s) < 0
                       || insert_all(e, Py_MIN(s.start, kr_element_len(e)),
                                     list) < 0
                   ? -1
                   : 0;
    }
    if (n != s.length) {
        PyErr_Format(PyExc_ValueError,
                     "attempt to assign sequence of size %zd to extended "
                     "slice of size %zd",
                     n, s.length);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        /* the list keeps what is replaced until all is done */
        PyObject **at = e->extra->children + s.start + i * s.step;
        PyObject *old = *at;
        *at = PyList_GET_ITEM(list, i);
        PyList_SET_ITEM(list, i, old);
    }
    return 0;
}

/* The elements of a sequence as a new list: NULL with an exception. */
static PyObject *
element_list(PyObject *value)
{
    PyObject *seq = PySequence_Fast(value, "");
    if (seq == NULL) {
        PyErr_Format(PyExc_TypeError, "expected sequence, not \"%.200s\"",
                     Py_TYPE(value)->tp_name);
        return NULL;
    }
    Py_SETREF(seq, PySequence_List(seq));
    for (Py_ssize_t i = 0; seq != NULL && i < PyList_GET_SIZE(seq); i++) {
        if (kr_element_check(PyList_GET_ITEM(seq, i)) < 0) {
            Py_CLEAR(seq);
        }
    }
    return seq;
}

static int
element_set_subscript(PyObject *self, PyObject *item, PyObject *value)
{
    struct kr_element *e = KR_ELEMENT(self);
    if (PyIndex_Check(item)) {
        Py_ssize_t i;
        return to_index(e, item, &i) ? element_set_item(self, i, value) : -1;
    }
    if (!PySlice_Check(item)) {
        bad_index();
        return -1;
    }
    struct span s;
    if (value == NULL) {
        return to_span(e, item, &s) ? delete_span(e, s) : -1;
    }
    PyObject *list = element_list(value);
    if (list == NULL) {
        return -1;
    }
    int err = to_span(e, item, &s) ? replace_span(e, s, list) : -1;
    Py_DECREF(list);
    return err;
}

PySequenceMethods kr_element_as_sequence = {
    .sq_length = element_length,
    .sq_item = element_item,
    .sq_ass_item = element_set_item,
};

PyMappingMethods kr_element_as_mapping = {
    .mp_length = element_length,
    .mp_subscript = element_subscript,
    .mp_ass_subscript = element_set_subscript,
};
