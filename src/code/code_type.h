/* What the files that make up the code type share. */
#ifndef KR_CODE_CODE_TYPE_H
#define KR_CODE_CODE_TYPE_H

#include <Python.h>

#include "base/stress.h"

/* Calls and loop turns before a code object is quickened, as co_warmup counts
 * them: up to zero. */
#define KR_CODE_WARMUP KR_IN_STRESS(-1, -8)

/* tp_dealloc of code objects. */
void kr_code_dealloc(PyObject *self);

/* Writes Py_SIZE(co) units: the instructions as compiled, caches zero. */
void kr_code_copy_deopted(PyCodeObject *co, _Py_CODEUNIT *to);

/* Bytes of extra data that tools attached. */
Py_ssize_t kr_code_extra_size(PyCodeObject *co);

#endif
