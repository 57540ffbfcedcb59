/* True and False.
   Two integers, which are the only instances of bool. */
#ifndef Py_BOOLOBJECT_H
#define Py_BOOLOBJECT_H

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyBool_Type;
PyAPI_DATA(PyLongObject) _Py_FalseStruct;
PyAPI_DATA(PyLongObject) _Py_TrueStruct;

#define PyBool_Check(x) Py_IS_TYPE((x), &PyBool_Type)

#define Py_False (_PyObject_CAST(&_Py_FalseStruct))
#define Py_True (_PyObject_CAST(&_Py_TrueStruct))

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyBool_FromLong(long);

/* Identity with the two. */
PyAPI_FUNC(int) Py_IsFalse(PyObject *);
PyAPI_FUNC(int) Py_IsTrue(PyObject *);

#define Py_IsTrue(x) Py_Is((x), Py_True)
#define Py_IsFalse(x) Py_Is((x), Py_False)
#define Py_RETURN_TRUE return Py_NewRef(Py_True)
#define Py_RETURN_FALSE return Py_NewRef(Py_False)

#ifdef __cplusplus
}
#endif

#endif
