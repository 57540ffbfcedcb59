/* Data that goes from one interpreter to another. */
#ifndef KR_RUNTIME_XID_H
#define KR_RUNTIME_XID_H

#include <Python.h>

/* Lets instances of `type` go, as _PyCrossInterpreterData_RegisterClass does, but
 * doesn't keep the type: it has to be forgotten before it ends. -1 with an
 * exception. */
int kr_xid_register(PyTypeObject *type, crossinterpdatafunc get);

/* Takes back kr_xid_register. Never fails. */
void kr_xid_forget(PyTypeObject *type);

#endif
