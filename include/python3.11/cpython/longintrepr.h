/* Layout of integers.
   Digits of 30 bits, the lowest first; the sign is that of ob_size. */
#ifndef Py_LONGINTREPR_H
#define Py_LONGINTREPR_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
#define PyLong_SHIFT 30
#define PyLong_BASE ((digit)1 << PyLong_SHIFT)
#define PyLong_MASK ((digit)(PyLong_BASE - 1))
#define _PyLong_DECIMAL_SHIFT 9
#define _PyLong_DECIMAL_BASE ((digit)1000000000)

typedef uint32_t digit;
typedef int32_t sdigit;
typedef uint64_t twodigits;
typedef int64_t stwodigits;

struct _longobject {
    PyObject_VAR_HEAD
    digit ob_digit[1];
};

/* Give a new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) _PyLong_Copy(PyLongObject *);

PyAPI_FUNC(PyLongObject *) _PyLong_New(Py_ssize_t);
#endif

#ifdef __cplusplus
}
#endif

#endif
