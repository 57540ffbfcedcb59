/* Shared helpers of the abstract protocols.
 *
 * The error helpers set TypeError and return NULL; "%.200s" in their format is
 * replaced by the name of the object's type. */
#ifndef KR_OBJECTS_ABSTRACT_H
#define KR_OBJECTS_ABSTRACT_H

#include <Python.h>

#include "base/common.h"
#include "memory/tstate.h"
#include "objects/call.h"
#include "objects/ids.h"

/* The header's macro of this name stands for the _Py_Identifier form. */
#undef _PyObject_LookupSpecial
PyAPI_FUNC(PyObject *) _PyObject_LookupSpecial(PyObject *, PyObject *);

/* type(o).name bound to o: new reference, or NULL, with an exception only on a
 * real failure. */
static inline PyObject *
kr_lookup_special(PyObject *o, PyObject *name)
{
    return _PyObject_LookupSpecial(o, name);
}

PyObject *kr_type_error(const char *format, PyObject *o);
PyObject *kr_null_error(void);

/* Whether o has __index__; never fails. */
static inline int
kr_index_check(PyObject *o)
{
    PyNumberMethods *nb = Py_TYPE(o)->tp_as_number;
    return nb != NULL && nb->nb_index != NULL;
}

#endif
