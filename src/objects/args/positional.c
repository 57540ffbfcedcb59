/* PyArg_ParseTuple and its kin: positional arguments only. */
#include "objects/args/args.h"
#include "objects/args/slice.h"

#include <string.h>

struct format_info {
    const char *fname;   /* behind ':' */
    const char *message; /* behind ';' */
    int min, max;        /* number of arguments */
};

/* Counts the items of `format`. 0, or -1 with SystemError. */
static int
read_format(const char *format, struct format_info *info)
{
    int level = 0, max = 0, min = -1;
    info->fname = info->message = NULL;
    for (int end = 0; !end;) {
        char c = *format++;
        switch (c) {
        case '(':
            max += level++ == 0;
            if (level >= 30) {
                Py_FatalError("too many tuple nesting levels in argument "
                              "format string");
            }
            break;
        case ')':
            if (level == 0) {
                Py_FatalError("excess ')' in getargs format");
            }
            level--;
            break;
        case '\0':
            end = 1;
            break;
        case ':':
            info->fname = format;
            end = 1;
            break;
        case ';':
            info->message = format;
            end = 1;
            break;
        case '|':
            if (level == 0) {
                min = max;
            }
            break;
        default:
            if (level == 0 && Py_ISALPHA(c)) {
                max++;
                if (c == 'e' && (*format == 's' || *format == 't')) {
                    format++;
                }
            }
        }
    }
    if (level != 0) {
        Py_FatalError("missing ')' in getargs format");
    }
    info->max = max;
    info->min = min < 0 ? max : min;
    return 0;
}

static void
wrong_count(const struct format_info *info, Py_ssize_t len)
{
    if (info->message != NULL) {
        PyErr_SetString(PyExc_TypeError, info->message);
        return;
    }
    int bound = len < info->min ? info->min : info->max;
    PyErr_Format(PyExc_TypeError,
                 "%.150s%s takes %s %d argument%s (%zd given)",
                 info->fname == NULL ? "function" : info->fname,
                 info->fname == NULL ? "" : "()",
                 info->min == info->max ? "exactly"
                 : len < info->min      ? "at least"
                                        : "at most",
                 bound, bound == 1 ? "" : "s", len);
}

static int
parse_array(PyObject *const *args, Py_ssize_t nargs, const char *format,
            va_list *va, int flags)
{
    struct format_info info;
    read_format(format, &info);
    if (nargs < info.min || nargs > info.max) {
        wrong_count(&info, nargs);
        return 0;
    }
    struct kr_args_cleanups cleanups;
    kr_args_cleanups_init(&cleanups);
    char buffer[256];
    int levels[32];
    for (Py_ssize_t i = 0; i < nargs; i++) {
        if (*format == '|') {
            format++;
        }
        const char *msg = kr_args_convert(args[i], &format, va, flags, levels,
                                          buffer, sizeof(buffer), &cleanups);
        if (msg != NULL) {
            kr_args_set_error(i + 1, NULL, msg, levels, info.fname,
                              info.message);
            return kr_args_cleanups_finish(&cleanups, 0);
        }
    }
    if (!kr_args_is_end(*format) && *format != '(' && *format != '|' &&
        !Py_ISALPHA(*format)) {
        PyErr_Format(PyExc_SystemError, "bad format string: %.200s", format);
        return kr_args_cleanups_finish(&cleanups, 0);
    }
    return kr_args_cleanups_finish(&cleanups, 1);
}

static int
parse_tuple(PyObject *args, const char *format, va_list va, int flags)
{
    if (args == NULL || !PyTuple_Check(args)) {
        PyErr_SetString(
            PyExc_SystemError,
            "new style getargs format but argument is not a tuple");
        return 0;
    }
    va_list copy;
    va_copy(copy, va);
    int ok = parse_array(&PyTuple_GET_ITEM(args, 0), PyTuple_GET_SIZE(args),
                         format, &copy, flags);
    va_end(copy);
    return ok;
}

/* PyArg_Parse: `arg` is the argument, or the tuple of them for "(...)". */
static int
parse_one(PyObject *arg, const char *format, va_list va, int flags)
{
    struct format_info info;
    read_format(format, &info);
    if (info.max > 1) {
        PyErr_SetString(PyExc_SystemError,
                        "old style getargs format uses new features");
        return 0;
    }
    if (info.max == 0) {
        if (arg == NULL) {
            return 1;
        }
        PyErr_Format(PyExc_TypeError, "%.200s%s takes no arguments",
                     info.fname == NULL ? "function" : info.fname,
                     info.fname == NULL ? "" : "()");
        return 0;
    }
    if (arg == NULL) {
        PyErr_Format(PyExc_TypeError, "%.200s%s takes at least one argument",
                     info.fname == NULL ? "function" : info.fname,
                     info.fname == NULL ? "" : "()");
        return 0;
    }
    struct kr_args_cleanups cleanups;
    kr_args_cleanups_init(&cleanups);
    char buffer[256];
    int levels[32] = {0};
    va_list copy;
    va_copy(copy, va);
    const char *msg = kr_args_convert(arg, &format, &copy,
                                      flags | KR_ARGS_COMPAT, levels, buffer,
                                      sizeof(buffer), &cleanups);
    va_end(copy);
    if (msg != NULL) {
        kr_args_set_error(0, NULL, msg, levels, info.fname, info.message);
    }
    return kr_args_cleanups_finish(&cleanups, msg == NULL);
}

#undef PyArg_Parse
#undef PyArg_ParseTuple
#undef PyArg_VaParse
#undef _PyArg_ParseStack

/* Each entry exists twice: the _SizeT name is what PY_SSIZE_T_CLEAN selects. */
#define DEFINE(suffix_name, first, call, flags)                                \
    PyAPI_FUNC(int) suffix_name(first, const char *format, ...);               \
    int suffix_name(first, const char *format, ...)                            \
    {                                                                          \
        va_list va;                                                            \
        va_start(va, format);                                                  \
        int ok = call(args, format, va, flags);                                \
        va_end(va);                                                            \
        return ok;                                                             \
    }
DEFINE(PyArg_Parse, PyObject *args, parse_one, 0)
DEFINE(_PyArg_Parse_SizeT, PyObject *args, parse_one, KR_ARGS_SSIZE_T)
DEFINE(PyArg_ParseTuple, PyObject *args, parse_tuple, 0)
DEFINE(_PyArg_ParseTuple_SizeT, PyObject *args, parse_tuple, KR_ARGS_SSIZE_T)
#undef DEFINE

int
PyArg_VaParse(PyObject *args, const char *format, va_list va)
{
    return parse_tuple(args, format, va, 0);
}

PyAPI_FUNC(int) _PyArg_VaParse_SizeT(PyObject *, const char *, va_list);
int
_PyArg_VaParse_SizeT(PyObject *args, const char *format, va_list va)
{
    return parse_tuple(args, format, va, KR_ARGS_SSIZE_T);
}

int
_PyArg_ParseStack(PyObject *const *args, Py_ssize_t nargs, const char *format,
                  ...)
{
    va_list va, copy;
    va_start(va, format);
    va_copy(copy, va);
    int ok = parse_array(args, nargs, format, &copy, 0);
    va_end(copy);
    va_end(va);
    return ok;
}

PyAPI_FUNC(int) _PyArg_ParseStack_SizeT(PyObject *const *, Py_ssize_t,
                                        const char *, ...);
int
_PyArg_ParseStack_SizeT(PyObject *const *args, Py_ssize_t nargs,
                        const char *format, ...)
{
    va_list va, copy;
    va_start(va, format);
    va_copy(copy, va);
    int ok = parse_array(args, nargs, format, &copy, KR_ARGS_SSIZE_T);
    va_end(copy);
    va_end(va);
    return ok;
}

/* --- Without conversion -------------------------------------------------- */

#undef _PyArg_CheckPositional
int
_PyArg_CheckPositional(const char *name, Py_ssize_t nargs, Py_ssize_t min,
                       Py_ssize_t max)
{
    if (nargs >= min && nargs <= max) {
        return 1;
    }
    const char *bound = min == max ? "" : nargs < min ? "at least " : "at most ";
    Py_ssize_t n = nargs < min ? min : max;
    if (name != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "%.200s expected %s%zd argument%s, got %zd", name, bound,
                     n, n == 1 ? "" : "s", nargs);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "unpacked tuple should have %s%zd element%s,"
                     " but has %zd",
                     bound, n, n == 1 ? "" : "s", nargs);
    }
    return 0;
}

static int
unpack(PyObject *const *args, Py_ssize_t nargs, const char *name,
       Py_ssize_t min, Py_ssize_t max, va_list *va)
{
    if (!_PyArg_CheckPositional(name, nargs, min, max)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        *va_arg(*va, PyObject **) = args[i];
    }
    return 1;
}

int
PyArg_UnpackTuple(PyObject *args, const char *name, Py_ssize_t min,
                  Py_ssize_t max, ...)
{
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_SystemError,
                        "PyArg_UnpackTuple() argument list is not a tuple");
        return 0;
    }
    va_list va, copy;
    va_start(va, max);
    va_copy(copy, va);
    int ok = unpack(&PyTuple_GET_ITEM(args, 0), PyTuple_GET_SIZE(args), name,
                    min, max, &copy);
    va_end(copy);
    va_end(va);
    return ok;
}

int
_PyArg_UnpackStack(PyObject *const *args, Py_ssize_t nargs, const char *name,
                   Py_ssize_t min, Py_ssize_t max, ...)
{
    va_list va, copy;
    va_start(va, max);
    va_copy(copy, va);
    int ok = unpack(args, nargs, name, min, max, &copy);
    va_end(copy);
    va_end(va);
    return ok;
}

int
kr_slice_args_parse(const char *name, PyObject *args, PyObject **sub,
                    Py_ssize_t *start, Py_ssize_t *end)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    *start = 0;
    *end = PY_SSIZE_T_MAX;
    if (n < 1 || n > 3) {
        PyErr_Format(PyExc_TypeError,
                     "%s() takes at %s %d argument%s (%zd given)", name,
                     n < 1 ? "least" : "most", n < 1 ? 1 : 3, n < 1 ? "" : "s",
                     n);
        return -1;
    }
    *sub = PyTuple_GET_ITEM(args, 0);
    PyObject *from = n > 1 ? PyTuple_GET_ITEM(args, 1) : Py_None;
    PyObject *to = n > 2 ? PyTuple_GET_ITEM(args, 2) : Py_None;
    return (from == Py_None || _PyEval_SliceIndex(from, start)) &&
                   (to == Py_None || _PyEval_SliceIndex(to, end))
               ? 0
               : -1;
}

void
_PyArg_BadArgument(const char *fname, const char *displayname,
                   const char *expected, PyObject *arg)
{
    PyErr_Format(PyExc_TypeError, "%.200s() %.200s must be %.50s, not %.50s",
                 fname, displayname, expected,
                 arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
}

#undef _PyArg_NoKeywords
int
_PyArg_NoKeywords(const char *funcname, PyObject *kwargs)
{
    if (kwargs == NULL) {
        return 1;
    }
    if (!PyDict_CheckExact(kwargs)) {
        PyErr_BadInternalCall();
        return 0;
    }
    if (PyDict_GET_SIZE(kwargs) == 0) {
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments",
                 funcname);
    return 0;
}

#undef _PyArg_NoPositional
int
_PyArg_NoPositional(const char *funcname, PyObject *args)
{
    if (args == NULL) {
        return 1;
    }
    if (!PyTuple_CheckExact(args)) {
        PyErr_BadInternalCall();
        return 0;
    }
    if (PyTuple_GET_SIZE(args) == 0) {
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "%.200s() takes no positional arguments",
                 funcname);
    return 0;
}

#undef _PyArg_NoKwnames
int
_PyArg_NoKwnames(const char *funcname, PyObject *kwnames)
{
    if (kwnames == NULL || PyTuple_GET_SIZE(kwnames) == 0) {
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", funcname);
    return 0;
}
