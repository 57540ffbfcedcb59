/* Making frames.
   Not part of Python.h. */
#ifndef Py_FRAMEOBJECT_H
#define Py_FRAMEOBJECT_H

#include "pyframe.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
#include "cpython/frameobject.h"
#endif

#ifdef __cplusplus
}
#endif

#endif
