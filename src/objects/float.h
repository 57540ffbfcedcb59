/* What the files of `float` share. */
#ifndef KR_OBJECTS_FLOAT_H
#define KR_OBJECTS_FLOAT_H

#include <Python.h>

#include "base/common.h"
#include "objects/float_text.h"

/* float.hex and float.fromhex, as methods. */
PyObject *kr_float_hex(PyObject *self, PyObject *ignored);
PyObject *kr_float_fromhex(PyObject *type, PyObject *string);

#endif
