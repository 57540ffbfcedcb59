/* What the parts of _elementtree share: the element, and the builder as the
 * parser uses it. */
#ifndef KR_MODULES_SHARED_ETREE_H
#define KR_MODULES_SHARED_ETREE_H

#include <Python.h>
#include <stdbool.h>

#include "modules/shared/expat_capi.h"

/* Attributes and children; an element without either has none of this. */
struct kr_element_extra {
    PyObject *attrib; /* dict, or NULL: none yet */
    Py_ssize_t length, allocated;
    PyObject **children; /* `few`, or a block of its own */
    PyObject *few[4];
};

struct kr_element {
    PyObject_HEAD
    PyObject *tag, *text, *tail;
    struct kr_element_extra *extra;
    PyObject *weakrefs;
};

#define KR_ELEMENT(op) ((struct kr_element *)(op))

extern PyTypeObject kr_element_type, kr_element_iter_type, kr_builder_type,
    kr_xml_parser_type;

static inline bool
kr_is_element(PyObject *op)
{
    return PyObject_TypeCheck(op, &kr_element_type);
}

static inline Py_ssize_t
kr_element_len(const struct kr_element *e)
{
    return e->extra == NULL ? 0 : e->extra->length;
}

struct kr_etree_state {
    PyObject *parse_error, *deepcopy, *element_path;
    /* callables that XML comments and processing instructions are made by, or
     * NULL */
    PyObject *comment_factory, *pi_factory;
    const struct kr_expat_capi *expat;
};

/* The module's state; valid once the module has been imported. */
struct kr_etree_state *kr_etree(void);

/* A new element; `attrib` (NULL: none) is shared, not copied. NULL with an
 * exception. */
PyObject *kr_element_new(PyObject *tag, PyObject *attrib);

/* The dict of attributes, made if need be; borrowed, NULL with an
 * exception. */
PyObject *kr_element_attrib(struct kr_element *e);

/* Appends a child, which must be an element: -1 with an exception. */
int kr_element_append(struct kr_element *e, PyObject *child);

/* TypeError unless `child` is an element: -1 then. */
int kr_element_check(PyObject *child);

/* An iterator over the tree: its elements with that tag (None: all), or its
 * texts. New reference, NULL with an exception. */
PyObject *kr_element_iter(struct kr_element *e, PyObject *tag, bool texts);

/* Methods that look for children: METH_FASTCALL | METH_KEYWORDS. */
PyObject *kr_element_find(PyObject *self, PyObject *const *args,
                          Py_ssize_t nargs, PyObject *kwnames);
PyObject *kr_element_findall(PyObject *self, PyObject *const *args,
                             Py_ssize_t nargs, PyObject *kwnames);
PyObject *kr_element_findtext(PyObject *self, PyObject *const *args,
                              Py_ssize_t nargs, PyObject *kwnames);
PyObject *kr_element_iterfind(PyObject *self, PyObject *const *args,
                              Py_ssize_t nargs, PyObject *kwnames);

/* The children as a sequence. */
extern PySequenceMethods kr_element_as_sequence;
extern PyMappingMethods kr_element_as_mapping;

/* ---- the builder */

enum kr_etree_event {
    KR_EVENT_START,
    KR_EVENT_END,
    KR_EVENT_START_NS,
    KR_EVENT_END_NS,
    KR_EVENT_COMMENT,
    KR_EVENT_PI,
    KR_EVENTS
};

struct kr_builder {
    PyObject_HEAD
    PyObject *root;
    PyObject *current;  /* the open element, NULL outside of the root */
    PyObject *last;     /* the element made or closed last */
    PyObject *tail_of;  /* what the text is the tail of; NULL: text of last */
    PyObject *data;     /* text not set yet: one object or a list of them */
    PyObject *stack;    /* list: the elements around the current one */
    PyObject *element_factory, *comment_factory, *pi_factory;
    PyObject *report;   /* called with each event, or NULL */
    PyObject *events[KR_EVENTS]; /* names of those to report, or NULL */
    bool insert_comments, insert_pis;
};

#define KR_BUILDER(op) ((struct kr_builder *)(op))

/* The parser's events. All give a new reference or NULL with an exception.
 * Attributes may be NULL; they are shared, not copied. */
PyObject *kr_builder_start(struct kr_builder *b, PyObject *tag,
                           PyObject *attrib);
PyObject *kr_builder_end(struct kr_builder *b);
PyObject *kr_builder_data(struct kr_builder *b, PyObject *data);
PyObject *kr_builder_comment(struct kr_builder *b, PyObject *text);
PyObject *kr_builder_pi(struct kr_builder *b, PyObject *target,
                        PyObject *text);
PyObject *kr_builder_close(struct kr_builder *b);

/* Reports (name of event, what) if that event is asked for: -1 with an
 * exception. */
int kr_builder_report(struct kr_builder *b, enum kr_etree_event event,
                      PyObject *what);

#endif
