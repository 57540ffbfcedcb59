/* Modules and their definitions.
   A definition is static; the runtime keeps a pointer to it. */
#ifndef Py_MODULEOBJECT_H
#define Py_MODULEOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct PyModuleDef_Base {
    PyObject_HEAD
    PyObject *(*m_init)(void);
    Py_ssize_t m_index;
    PyObject *m_copy;
} PyModuleDef_Base;

#define PyModuleDef_HEAD_INIT \
    {PyObject_HEAD_INIT(_Py_NULL) _Py_NULL, 0, _Py_NULL}

#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03050000
/* A step of creating a module; the list ends with slot 0. */
struct PyModuleDef_Slot {
    int slot;
    void *value;
};
#define Py_mod_create 1
#define Py_mod_exec 2
#ifndef Py_LIMITED_API
#define _Py_mod_LAST_SLOT 2
#endif
#endif

struct PyModuleDef {
    PyModuleDef_Base m_base;
    const char *m_name;
    const char *m_doc;
    Py_ssize_t m_size; /* of the state; -1: not to be loaded twice */
    PyMethodDef *m_methods;
    PyModuleDef_Slot *m_slots;
    traverseproc m_traverse;
    inquiry m_clear;
    freefunc m_free;
};

PyAPI_DATA(PyTypeObject) PyModule_Type;
#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03050000
PyAPI_DATA(PyTypeObject) PyModuleDef_Type;
#endif

#define PyModule_Check(op) PyObject_TypeCheck((op), &PyModule_Type)
#define PyModule_CheckExact(op) Py_IS_TYPE((op), &PyModule_Type)

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyModule_GetFilenameObject(PyObject *);
PyAPI_FUNC(PyObject *) PyModule_New(const char *);

/* Give a borrowed reference. */
PyAPI_FUNC(PyObject *) PyModule_GetDict(PyObject *);

/* Name, state and definition. */
PyAPI_FUNC(PyModuleDef *) PyModule_GetDef(PyObject *);
Py_DEPRECATED(3.2) PyAPI_FUNC(const char *) PyModule_GetFilename(PyObject *);
PyAPI_FUNC(const char *) PyModule_GetName(PyObject *);
PyAPI_FUNC(void *) PyModule_GetState(PyObject *);

#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03030000
/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyModule_GetNameObject(PyObject *);
PyAPI_FUNC(PyObject *) PyModule_NewObject(PyObject *);
#endif

#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03050000
/* Give a borrowed reference. */
PyAPI_FUNC(PyObject *) PyModuleDef_Init(PyModuleDef *);
#endif

#ifndef Py_LIMITED_API
/* Name, state and definition. */
PyAPI_FUNC(void) _PyModule_Clear(PyObject *);
PyAPI_FUNC(void) _PyModule_ClearDict(PyObject *);
PyAPI_FUNC(int) _PyModuleSpec_IsInitializing(PyObject *);
#endif

#ifdef __cplusplus
}
#endif

#endif
