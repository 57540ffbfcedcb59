/* Tables of built-in and frozen modules.
   Both end with a name of NULL. */
#ifndef Py_CPYTHON_IMPORT_H
#define Py_CPYTHON_IMPORT_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
struct _inittab {
    const char *name; /* ASCII */
    PyObject *(*initfunc)(void);
};

struct _frozen {
    const char *name; /* ASCII */
    const unsigned char *code;
    int size;
    int is_package;
    PyObject *(*get_code)(void); /* NULL: read it from code */
};

PyAPI_DATA(struct _inittab *) PyImport_Inittab;
PyAPI_DATA(const struct _frozen *) PyImport_FrozenModules;

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) _PyImport_GetModuleAttr(PyObject *, PyObject *);
PyAPI_FUNC(PyObject *) _PyImport_GetModuleAttrString(const char *,
    const char *);
PyAPI_FUNC(PyObject *) _PyImport_GetModuleId(_Py_Identifier *);
PyMODINIT_FUNC PyInit__imp(void);

/* The lock and the tables; -1 means failure. */
PyAPI_FUNC(void) _PyImport_AcquireLock(void);
PyAPI_FUNC(int) PyImport_ExtendInittab(struct _inittab *);
PyAPI_FUNC(int) _PyImport_FixupBuiltin(PyObject *, const char *, PyObject *);
PyAPI_FUNC(int) _PyImport_FixupExtensionObject(PyObject *, PyObject *,
    PyObject *, PyObject *);
PyAPI_FUNC(int) _PyImport_IsInitialized(PyInterpreterState *);
PyAPI_FUNC(int) _PyImport_ReleaseLock(void);
PyAPI_FUNC(int) _PyImport_SetModule(PyObject *, PyObject *);
PyAPI_FUNC(int) _PyImport_SetModuleString(const char *, PyObject *);
#endif

#ifdef __cplusplus
}
#endif

#endif
