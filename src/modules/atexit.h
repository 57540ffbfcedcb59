/* What the end of an interpreter does with the functions of atexit. */
#ifndef KR_MODULES_ATEXIT_H
#define KR_MODULES_ATEXIT_H

#include <Python.h>

/* Calls them, last registered first; errors are reported as unraisable. */
void kr_atexit_call(PyInterpreterState *interp);

/* Forgets them. */
void kr_atexit_fini(PyInterpreterState *interp);

#endif
