/* Stand-in for src/objects/ids.h when one of our native modules is built as an
 * ordinary cp311 extension, to be compared with CPython inside CPython. */
#ifndef KR_HOST_OBJECTS_IDS_H
#define KR_HOST_OBJECTS_IDS_H

#include <Python.h>

#define KR_ID(name)                                                            \
    (__extension__({                                                           \
        static PyObject *kr_host_id;                                           \
        if (kr_host_id == NULL) {                                              \
            kr_host_id = PyUnicode_InternFromString(#name);                    \
        }                                                                      \
        kr_host_id;                                                            \
    }))

#endif
