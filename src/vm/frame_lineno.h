/* Setting f_lineno: jumps by a debugger. */
#ifndef KR_VM_FRAME_LINENO_H
#define KR_VM_FRAME_LINENO_H

#include "vm/frame.h"

/* Moves execution to the line, if the stack allows it; ValueError if not. */
int kr_frame_set_lineno(PyFrameObject *f, PyObject *value);

#endif
