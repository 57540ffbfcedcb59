/* Error handlers that only the codec registry refers to by function. */
#ifndef KR_OBJECTS_CODECS_H
#define KR_OBJECTS_CODECS_H

#include <Python.h>

/* The 'surrogatepass' and 'surrogateescape' handlers: take the exception,
 * return (replacement, position) or NULL with an exception set. */
PyObject *kr_codec_surrogatepass(PyObject *exc);
PyObject *kr_codec_surrogateescape(PyObject *exc);

#endif
