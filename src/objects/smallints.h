/* The ints -5..256, which exist once, at fixed offsets inside _PyRuntime. */
#ifndef KR_OBJECTS_SMALLINTS_H
#define KR_OBJECTS_SMALLINTS_H

#include <Python.h>

#define KR_SMALL_INT_MIN (-5)
#define KR_SMALL_INT_MAX 256

/* The runtime's data object; extensions of the standard library reach into it
 * at the recorded offsets: thread state +576, small ints from +680 on. */
extern char _PyRuntime[166688];

/* Borrowed and immortal; `i` must lie in -5..256. */
#define KR_SMALL_INT(i) ((PyObject *)(_PyRuntime + 680 + 32 * ((i) + 5)))

static inline int
kr_is_small_int(Py_ssize_t i)
{
    return i >= KR_SMALL_INT_MIN && i <= KR_SMALL_INT_MAX;
}

#endif
