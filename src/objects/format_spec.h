/* The format specification mini-language of str, int, float and complex.
 *
 * Each writer appends obj, formatted by format_spec[start:end], and returns 0,
 * or -1 with an exception set. */
#ifndef KR_OBJECTS_FORMAT_SPEC_H
#define KR_OBJECTS_FORMAT_SPEC_H

#include <Python.h>

PyAPI_FUNC(int)
    _PyLong_FormatAdvancedWriter(_PyUnicodeWriter *writer, PyObject *obj,
                                 PyObject *format_spec, Py_ssize_t start,
                                 Py_ssize_t end);
PyAPI_FUNC(int)
    _PyFloat_FormatAdvancedWriter(_PyUnicodeWriter *writer, PyObject *obj,
                                  PyObject *format_spec, Py_ssize_t start,
                                  Py_ssize_t end);
int _PyComplex_FormatAdvancedWriter(_PyUnicodeWriter *writer, PyObject *obj,
                                    PyObject *format_spec, Py_ssize_t start,
                                    Py_ssize_t end);

/* obj.__format__(spec) by one of these; new reference, NULL with an exception
 * set. */
PyObject *kr_format_by(PyObject *obj, PyObject *spec,
                       int (*write)(_PyUnicodeWriter *, PyObject *, PyObject *,
                                    Py_ssize_t, Py_ssize_t));

#endif
