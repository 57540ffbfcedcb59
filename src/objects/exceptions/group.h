/* Exception groups, as except* needs them. */
#ifndef KR_OBJECTS_EXCEPTIONS_GROUP_H
#define KR_OBJECTS_EXCEPTIONS_GROUP_H

#include <Python.h>

/* Makes the class ExceptionGroup, once; needs a working `type`. 0 or -1. */
int kr_exception_group_init(void);

/* The class ExceptionGroup; borrowed. */
PyObject *kr_exception_group_class(void);

/* Splits `group` by class or tuple of classes. Returns the matching part and
 * sets *rest, both new and None when empty; NULL with an exception set. */
PyObject *kr_exception_group_split(PyObject *group, PyObject *type,
                                   PyObject **rest);

/* New: BaseExceptionGroup(msg, excs). */
PyObject *_PyExc_CreateExceptionGroup(const char *msg, PyObject *excs);

/* What a try statement with except* clauses raises at its end: `excs` lists
 * what its clauses raised or left over, `orig` is what was caught. New, None
 * when there is nothing to raise. */
PyObject *_PyExc_PrepReraiseStar(PyObject *orig, PyObject *excs);

#endif
