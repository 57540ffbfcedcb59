/* Layout of Python functions, classmethod and staticmethod.
   GET macros check nothing and give borrowed references. */
#ifndef Py_FUNCOBJECT_H
#define Py_FUNCOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
/* What a function and the description to make one have in common. */
#define COMMON_FIELDS(prefix) \
    PyObject *prefix##globals; \
    PyObject *prefix##builtins; \
    PyObject *prefix##name; \
    PyObject *prefix##qualname; \
    PyObject *prefix##code; \
    PyObject *prefix##defaults; \
    PyObject *prefix##kwdefaults; \
    PyObject *prefix##closure;

typedef struct {
    COMMON_FIELDS(fc_)
} PyFrameConstructor;

typedef struct {
    PyObject_HEAD
    COMMON_FIELDS(func_)
    PyObject *func_doc;
    PyObject *func_dict;
    PyObject *func_weakreflist;
    PyObject *func_module;
    PyObject *func_annotations; /* a dict, or a tuple until asked for */
    vectorcallfunc vectorcall;
    uint32_t func_version; /* 0: none given */
} PyFunctionObject;

PyAPI_DATA(PyTypeObject) PyFunction_Type;
PyAPI_DATA(PyTypeObject) PyClassMethod_Type;
PyAPI_DATA(PyTypeObject) PyStaticMethod_Type;

#define PyFunction_Check(op) Py_IS_TYPE((op), &PyFunction_Type)

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyClassMethod_New(PyObject *);
PyAPI_FUNC(PyObject *) PyFunction_New(PyObject *, PyObject *);
PyAPI_FUNC(PyObject *) PyFunction_NewWithQualName(PyObject *, PyObject *,
    PyObject *);
PyAPI_FUNC(PyObject *) _PyFunction_Vectorcall(PyObject *, PyObject *const *,
    size_t, PyObject *);
PyAPI_FUNC(PyObject *) PyStaticMethod_New(PyObject *);

/* Give a borrowed reference. */
PyAPI_FUNC(PyObject *) PyFunction_GetAnnotations(PyObject *);
PyAPI_FUNC(PyObject *) PyFunction_GetClosure(PyObject *);
PyAPI_FUNC(PyObject *) PyFunction_GetCode(PyObject *);
PyAPI_FUNC(PyObject *) PyFunction_GetDefaults(PyObject *);
PyAPI_FUNC(PyObject *) PyFunction_GetGlobals(PyObject *);
PyAPI_FUNC(PyObject *) PyFunction_GetKwDefaults(PyObject *);
PyAPI_FUNC(PyObject *) PyFunction_GetModule(PyObject *);

/* Changing a function; -1 means failure. */
PyAPI_FUNC(int) PyFunction_SetAnnotations(PyObject *, PyObject *);
PyAPI_FUNC(int) PyFunction_SetClosure(PyObject *, PyObject *);
PyAPI_FUNC(int) PyFunction_SetDefaults(PyObject *, PyObject *);
PyAPI_FUNC(int) PyFunction_SetKwDefaults(PyObject *, PyObject *);

#define PyFunction_GET_CODE(f) (((PyFunctionObject *)(f))->func_code)
#define PyFunction_GET_GLOBALS(f) (((PyFunctionObject *)(f))->func_globals)
#define PyFunction_GET_MODULE(f) (((PyFunctionObject *)(f))->func_module)
#define PyFunction_GET_DEFAULTS(f) (((PyFunctionObject *)(f))->func_defaults)
#define PyFunction_GET_KW_DEFAULTS(f) \
    (((PyFunctionObject *)(f))->func_kwdefaults)
#define PyFunction_GET_CLOSURE(f) (((PyFunctionObject *)(f))->func_closure)
#define PyFunction_GET_ANNOTATIONS(f) \
    (((PyFunctionObject *)(f))->func_annotations)
#endif

#ifdef __cplusplus
}
#endif

#endif
