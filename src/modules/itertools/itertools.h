/* What the files of the itertools module share.
 *
 * Every iterator here is an object head, then its references, then plain
 * data; REFS defines destruction and traversal from their number. */
#ifndef KR_MODULES_ITERTOOLS_H
#define KR_MODULES_ITERTOOLS_H

#include <Python.h>

#include "base/common.h"
#include "objects/ids.h"
#include "objects/immortal.h"

#define REFS(prefix, count, extra)                                             \
    static void prefix##_dealloc(PyObject *self)                               \
    {                                                                          \
        PyTypeObject *tp = Py_TYPE(self);                                      \
        PyObject_GC_UnTrack(self);                                             \
        PyObject **refs = (PyObject **)(self + 1);                             \
        for (int i = 0; i < (count); i++) {                                    \
            Py_XDECREF(refs[i]);                                               \
        }                                                                      \
        extra;                                                                 \
        tp->tp_free(self);                                                     \
    }                                                                          \
    static int prefix##_traverse(PyObject *self, visitproc visit, void *arg)   \
    {                                                                          \
        PyObject **refs = (PyObject **)(self + 1);                             \
        for (int i = 0; i < (count); i++) {                                    \
            Py_VISIT(refs[i]);                                                 \
        }                                                                      \
        return 0;                                                              \
    }

/* The type; what comes behind the docstring are further slots. */
#define ITERATOR(var, text, prefix, structure, methods_, doc, ...)             \
    PyTypeObject var = {                                                       \
        .ob_base = KR_IMMORTAL_VAR_HEAD(&PyType_Type, 0),                      \
        .tp_name = "itertools." text,                                          \
        .tp_basicsize = sizeof(structure),                                     \
        .tp_dealloc = prefix##_dealloc,                                        \
        .tp_getattro = PyObject_GenericGetAttr,                                \
        .tp_flags =                                                            \
            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,     \
        .tp_doc = doc,                                                         \
        .tp_traverse = prefix##_traverse,                                      \
        .tp_iter = PyObject_SelfIter,                                          \
        .tp_iternext = prefix##_next,                                          \
        .tp_methods = methods_,                                                \
        .tp_alloc = PyType_GenericAlloc,                                       \
        .tp_new = prefix##_new,                                                \
        .tp_free = PyObject_GC_Del,                                            \
        __VA_ARGS__                                                            \
    }

#define REDUCE(f)                                                              \
    {                                                                          \
        "__reduce__", f, METH_NOARGS, "Return state information for pickling." \
    }
#define SETSTATE(f)                                                            \
    {                                                                          \
        "__setstate__", f, METH_O, "Set state information for unpickling."     \
    }

extern PyTypeObject kr_it_accumulate, kr_it_chain, kr_it_combinations,
    kr_it_combinations_wr, kr_it_compress, kr_it_count, kr_it_cycle,
    kr_it_dropwhile, kr_it_filterfalse, kr_it_groupby, kr_it_grouper,
    kr_it_islice, kr_it_pairwise, kr_it_permutations, kr_it_product,
    kr_it_repeat, kr_it_starmap, kr_it_takewhile, kr_it_tee, kr_it_teedata,
    kr_it_zip_longest;

PyObject *kr_it_tee_function(PyObject *module, PyObject *const *args,
                             Py_ssize_t nargs);

/* No keyword for the type itself, or a subclass that has no own __init__. */
static inline int
it_no_keywords(PyTypeObject *type, PyTypeObject *base, const char *name,
               PyObject *kwds)
{
    if (type == base || type->tp_init == base->tp_init) {
        return _PyArg_NoKeywords(name, kwds);
    }
    return 1;
}

/* Ends an iteration: clears StopIteration, keeps other exceptions. */
static inline void
it_clear_stop(void)
{
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
    }
}

static inline PyObject *
it_next(PyObject *it)
{
    return Py_TYPE(it)->tp_iternext(it);
}

#endif
