/* Struct sequences: internal ways to make their types. */
#ifndef KR_OBJECTS_STRUCTSEQ_H
#define KR_OBJECTS_STRUCTSEQ_H

#include <Python.h>
#include <structseq.h>

/* Fills in and readies a static type, with further type flags. 0 or -1. */
PyAPI_FUNC(int)
_PyStructSequence_InitType(PyTypeObject *type, PyStructSequence_Desc *desc,
                           unsigned long flags);

/* A new heap type with further type flags. */
PyAPI_FUNC(PyTypeObject *)
_PyStructSequence_NewType(PyStructSequence_Desc *desc, unsigned long flags);

#endif
