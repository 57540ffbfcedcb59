/* The object protocol's internal side: what the public headers do not declare.
 */
#ifndef KR_OBJECTS_OBJECT_H
#define KR_OBJECTS_OBJECT_H

#include <Python.h>

/* Special method `name` of the type of `self`, bound; NULL without exception
 * if there is none. New reference. (The public header hides this function
 * behind a macro of the same name.) */
#undef _PyObject_LookupSpecial
PyAPI_FUNC(PyObject *) _PyObject_LookupSpecial(PyObject *, PyObject *);

/* What v.__bytes__() gives, a new bytes; NULL, without an exception if there is
 * no such method. */
PyObject *kr_bytes_by_method(PyObject *v);

/* Where the __dict__ of `obj` is, for types that keep it at tp_dictoffset;
 * NULL if there is none or the type has a shape. Never fails. */
PyObject **kr_plain_dict_ptr(PyObject *obj);

/* Notes `obj` and `name` on a current AttributeError that has neither yet. */
void kr_attribute_error_context(PyObject *obj, PyObject *name);

/* Default getattr that says "missing" by NULL without an exception. */
PyObject *kr_generic_getattr_quiet(PyObject *obj, PyObject *name);

/* Comparison by identity as object does it: NotImplemented or a bool. */
PyObject *kr_identity_compare(PyObject *self, PyObject *other, int op);

PyAPI_FUNC(void)
_Py_FatalRefcountErrorFunc(const char *func, const char *msg);

PyAPI_FUNC(int) _PyType_CheckConsistency(PyTypeObject *type);

#endif
