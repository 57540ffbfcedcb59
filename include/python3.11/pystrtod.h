/* Numbers to text and back, whatever the locale.
   Text given goes to PyMem_Free. */
#ifndef Py_STRTOD_H
#define Py_STRTOD_H

#ifdef __cplusplus
extern "C" {
#endif

/* Conversions. */
PyAPI_FUNC(char *) PyOS_double_to_string(double, char, int, int, int *);
PyAPI_FUNC(double) PyOS_string_to_double(const char *, char **, PyObject *);

#ifndef Py_LIMITED_API
/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) _Py_string_to_number_with_underscores(const char *,
    Py_ssize_t, const char *, PyObject *, void *,
    PyObject *(*)(const char *, Py_ssize_t, void *));

/* Conversions. */
PyAPI_FUNC(double) _Py_parse_inf_or_nan(const char *, char **);
#endif

/* Options of PyOS_double_to_string, and the kind of number it saw. */
#define Py_DTSF_SIGN 0x01
#define Py_DTSF_ADD_DOT_0 0x02
#define Py_DTSF_ALT 0x04
#define Py_DTSF_NO_NEG_0 0x08
#define Py_DTST_FINITE 0
#define Py_DTST_INFINITE 1
#define Py_DTST_NAN 2

#ifdef __cplusplus
}
#endif

#endif
