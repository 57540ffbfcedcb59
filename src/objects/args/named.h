/* Parsing the arguments of our own functions. */
#ifndef KR_OBJECTS_ARGS_NAMED_H
#define KR_OBJECTS_ARGS_NAMED_H

#include <Python.h>

/* As _PyArg_ParseStackAndKeywords, with the messages of functions that
 * convert their parameters themselves: a wrong argument is told by its name,
 * and a missing one before a wrong one. */
int kr_parse_named(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                   struct _PyArg_Parser *parser, ...);

/* The same for PyArg_ParseTupleAndKeywords. */
int kr_parse_tuple_named(PyObject *args, PyObject *kwargs, const char *format,
                         char **kwlist, ...);

#endif
