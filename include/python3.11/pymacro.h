/* Small macros of general use.
   Arguments may be evaluated more than once unless said otherwise. */
#ifndef Py_PYMACRO_H
#define Py_PYMACRO_H

#ifdef __cplusplus
extern "C" {
#endif

#define Py_MIN(x, y) (((y) < (x)) ? (y) : (x))
#define Py_MAX(x, y) (((y) > (x)) ? (y) : (x))
#define Py_ABS(x) ((x) >= 0 ? (x) : -(x))
#define Py_CHARMASK(c) ((unsigned char)((c) & 0xff))

#define _Py_XSTRINGIFY(x) #x
#define Py_STRINGIFY(x) _Py_XSTRINGIFY(x)

#define Py_MEMBER_SIZE(type, member) sizeof(((type *)0)->member)
#define Py_ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Refuse to compile unless cond, a constant, is true. */
#define Py_BUILD_ASSERT_EXPR(cond) (sizeof(char[(cond) ? 1 : -1]) - 1)
#define Py_BUILD_ASSERT(cond) \
    do { \
        (void)Py_BUILD_ASSERT_EXPR(cond); \
    } while (0)

/* Docstrings: empty if the build leaves them out. */
#define PyDoc_VAR(name) static const char name[]
#ifdef WITH_DOC_STRINGS
#define PyDoc_STR(str) str
#else
#define PyDoc_STR(str) ""
#endif
#define PyDoc_STRVAR(name, str) PyDoc_VAR(name) = PyDoc_STR(str)

/* Rounding to a, a power of two. */
#define _Py_SIZE_ROUND_DOWN(n, a) ((size_t)(n) & ~((size_t)(a) - 1))
#define _Py_SIZE_ROUND_UP(n, a) \
    (((size_t)(n) + ((size_t)(a) - 1)) & ~((size_t)(a) - 1))
#define _Py_ALIGN_DOWN(p, a) ((void *)((uintptr_t)(p) & ~((uintptr_t)(a) - 1)))
#define _Py_ALIGN_UP(p, a) \
    ((void *)(((uintptr_t)(p) + ((uintptr_t)(a) - 1)) \
              & ~((uintptr_t)(a) - 1)))
#define _Py_IS_ALIGNED(p, a) (((uintptr_t)(p) & ((uintptr_t)(a) - 1)) == 0)

/* A parameter that is not used: PyObject *Py_UNUSED(ignored). */
#define Py_UNUSED(name) _unused_##name __attribute__((unused))
#define Py_UNREACHABLE() __builtin_unreachable()
/* The value of expr, which then cannot be assigned to. */
#define _Py_RVALUE(expr) ((void)0, (expr))

#ifdef __cplusplus
}
#endif

#endif
