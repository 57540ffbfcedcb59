/* Data that goes from one interpreter to another. */
#ifndef KR_RUNTIME_XID_H
#define KR_RUNTIME_XID_H

#include <Python.h>

/* Takes back _PyCrossInterpreterData_RegisterClass. Never fails. */
void kr_xid_forget(PyTypeObject *type);

#endif
