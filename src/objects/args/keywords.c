/* Arguments by position and by keyword: PyArg_ParseTupleAndKeywords and the
 * _PyArg_Parser family, for tuple + dict and for vectorcall arguments. */
#include "objects/args/args.h"
#include "objects/args/named.h"
#include "objects/immortal.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

/* Where the arguments of a call are; kwargs and kwnames exclude each other. */
struct call_args {
    PyObject *const *args;
    Py_ssize_t nargs;
    PyObject *kwargs;  /* dict or NULL */
    PyObject *kwnames; /* tuple or NULL: names of args[nargs...] */
    Py_ssize_t nkwargs;
};

/* What a function takes. */
struct signature {
    const char *fname;  /* may be NULL */
    const char *message;
    const char *format; /* first item */
    PyObject *names;    /* tuple of the keyword names, behind `pos` others */
    int pos;            /* positional-only parameters */
    int len;            /* all parameters */
    int min;            /* required ones */
    int max;            /* that can be given by position */
    bool has_bar;       /* the format has a '|', and is read for each call */
};

static const char *
shown_name(const struct signature *sig)
{
    return sig->fname == NULL ? "function" : sig->fname;
}

static const char *
parens(const struct signature *sig)
{
    return sig->fname == NULL ? "" : "()";
}

static struct call_args
make_call_args(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs,
               PyObject *kwnames)
{
    struct call_args call = {args, nargs, kwargs, kwnames, 0};
    if (kwargs != NULL) {
        call.nkwargs = PyDict_GET_SIZE(kwargs);
    }
    else if (kwnames != NULL) {
        call.nkwargs = PyTuple_GET_SIZE(kwnames);
    }
    return call;
}

/* Borrowed value of keyword `name`, or NULL; an exception may be set. */
static PyObject *
find_keyword(const struct call_args *call, PyObject *name)
{
    if (call->kwargs != NULL) {
        return PyDict_GetItemWithError(call->kwargs, name);
    }
    if (call->kwnames == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < call->nkwargs; i++) {
        if (PyTuple_GET_ITEM(call->kwnames, i) == name) {
            return call->args[call->nargs + i];
        }
    }
    for (Py_ssize_t i = 0; i < call->nkwargs; i++) {
        PyObject *given = PyTuple_GET_ITEM(call->kwnames, i);
        if (PyUnicode_Check(given) && PyUnicode_Compare(given, name) == 0) {
            return call->args[call->nargs + i];
        }
    }
    return NULL;
}

/* --- Errors of counting ------------------------------------------------------ */

static void
too_many_arguments(const struct signature *sig, const struct call_args *call)
{
    PyErr_Format(PyExc_TypeError,
                 "%.200s%s takes %s %d %sargument%s (%zd given)",
                 shown_name(sig), parens(sig), "at most", sig->len,
                 call->nargs == 0 ? "keyword " : "", sig->len == 1 ? "" : "s",
                 call->nargs + call->nkwargs);
}

static void
too_many_positional(const struct signature *sig, const struct call_args *call)
{
    if (sig->max == 0) {
        PyErr_Format(PyExc_TypeError, "%.200s%s takes no positional arguments",
                     shown_name(sig), parens(sig));
        return;
    }
    PyErr_Format(PyExc_TypeError,
                 "%.200s%s takes %s %d positional argument%s (%zd given)",
                 shown_name(sig), parens(sig),
                 sig->min < sig->max || sig->has_bar ? "at most" : "exactly",
                 sig->max, sig->max == 1 ? "" : "s", call->nargs);
}

static void
too_few_positional(const struct signature *sig, const struct call_args *call)
{
    int min = Py_MIN(sig->pos, sig->min);
    PyErr_Format(PyExc_TypeError,
                 "%.200s%s takes %s %d positional argument%s (%zd given)",
                 shown_name(sig), parens(sig),
                 min < sig->max ? "at least" : "exactly", min,
                 min == 1 ? "" : "s", call->nargs);
}

static void
missing_argument(const struct signature *sig, Py_ssize_t i)
{
    PyErr_Format(PyExc_TypeError,
                 "%.200s%s missing required argument '%U' (pos %zd)",
                 shown_name(sig), parens(sig),
                 PyTuple_GET_ITEM(sig->names, i - sig->pos), i + 1);
}

/* Some keyword was not used: says which one and why. */
static void
leftover_keyword(const struct signature *sig, const struct call_args *call)
{
    /* given twice? */
    for (Py_ssize_t i = sig->pos; i < Py_MIN(call->nargs, sig->len); i++) {
        PyObject *name = PyTuple_GET_ITEM(sig->names, i - sig->pos);
        PyObject *value = find_keyword(call, name);
        if (value != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "argument for %.200s%s given by name ('%U') "
                         "and position (%zd)",
                         shown_name(sig), parens(sig), name, i + 1);
            return;
        }
        if (PyErr_Occurred()) {
            return;
        }
    }
    /* unknown */
    Py_ssize_t pos = 0;
    for (Py_ssize_t j = 0; j < call->nkwargs; j++) {
        PyObject *name;
        if (call->kwargs != NULL) {
            if (!PyDict_Next(call->kwargs, &pos, &name, NULL)) {
                break;
            }
        }
        else {
            name = PyTuple_GET_ITEM(call->kwnames, j);
        }
        if (!PyUnicode_Check(name)) {
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            return;
        }
        int known = PySequence_Contains(sig->names, name);
        if (known <= 0) {
            if (known == 0) {
                PyErr_Format(PyExc_TypeError,
                             "'%S' is an invalid keyword argument for "
                             "%.200s%s",
                             name,
                             sig->fname == NULL ? "this function" : sig->fname,
                             parens(sig));
            }
            return;
        }
    }
    PyErr_Format(PyExc_TypeError, "invalid keyword argument for %.200s%s",
                 sig->fname == NULL ? "this function" : sig->fname,
                 parens(sig));
}

/* --- Parsing with a format ----------------------------------------------------- */

/* Whether no keyword is unknown; 0 with TypeError if one is. */
static int
check_known(const struct signature *sig, const struct call_args *call)
{
    Py_ssize_t used = 0;
    for (Py_ssize_t i = sig->pos; i < sig->len; i++) {
        if (find_keyword(call, PyTuple_GET_ITEM(sig->names, i - sig->pos)) !=
            NULL) {
            used += i >= call->nargs;
        }
        else if (PyErr_Occurred()) {
            return 0;
        }
    }
    if (used < call->nkwargs) {
        leftover_keyword(sig, call);
        return 0;
    }
    return 1;
}

/* Whether all required parameters are given; 0 with TypeError if not. */
static int
check_required(const struct signature *sig, const struct call_args *call)
{
    if (call->nargs < Py_MIN(sig->pos, sig->min)) {
        too_few_positional(sig, call);
        return 0;
    }
    for (Py_ssize_t i = call->nargs; i < sig->min; i++) {
        PyObject *name = PyTuple_GET_ITEM(sig->names, i - sig->pos);
        if (find_keyword(call, name) == NULL) {
            if (!PyErr_Occurred()) {
                missing_argument(sig, i);
            }
            return 0;
        }
    }
    return 1;
}

/* Converts the parameters one by one. 1, or 0 with an exception set. */
static int
parse_items(const struct signature *sig, const struct call_args *call,
            va_list *va, int flags, struct kr_args_cleanups *cleanups)
{
    const char *format = sig->format;
    char buffer[512];
    int levels[32];
    Py_ssize_t nkwargs = call->nkwargs;
    if (flags & KR_ARGS_NAMED &&
        (!check_required(sig, call) ||
         (call->nkwargs > 0 && !check_known(sig, call)))) {
        return 0;
    }
    for (int i = 0; i < sig->len; i++) {
        while (*format == '|' || *format == '$') {
            format++;
        }
        PyObject *arg = NULL;
        if (i < call->nargs) {
            arg = call->args[i];
        }
        else if (nkwargs > 0 && i >= sig->pos) {
            arg = find_keyword(call, PyTuple_GET_ITEM(sig->names,
                                                      i - sig->pos));
            if (arg == NULL && PyErr_Occurred()) {
                return 0;
            }
            nkwargs -= arg != NULL;
        }
        if (arg != NULL) {
            const char *msg =
                kr_args_convert(arg, &format, va, flags, levels, buffer,
                                sizeof(buffer), cleanups);
            if (msg != NULL) {
                PyObject *name =
                    flags & KR_ARGS_NAMED && i >= sig->pos
                        ? PyTuple_GET_ITEM(sig->names, i - sig->pos)
                        : NULL;
                kr_args_set_error(i + 1, name, msg, levels, sig->fname,
                                  sig->message);
                return 0;
            }
            continue;
        }
        if (i < sig->min) {
            if (i < sig->pos) {
                too_few_positional(sig, call);
            }
            else {
                missing_argument(sig, i);
            }
            return 0;
        }
        if (nkwargs == 0 && i + 1 > sig->min && i >= call->nargs) {
            /* all that is given is converted, the rest is optional */
            return 1;
        }
        const char *msg = kr_args_skip(&format, va, flags);
        if (msg != NULL) {
            PyErr_Format(PyExc_SystemError, "%s: '%s'", msg, format);
            return 0;
        }
    }
    if (nkwargs > 0) {
        leftover_keyword(sig, call);
        return 0;
    }
    return 1;
}

static int
parse_signature(const struct signature *sig, const struct call_args *call,
                va_list *va, int flags)
{
    if (call->nargs + call->nkwargs > sig->len) {
        too_many_arguments(sig, call);
        return 0;
    }
    if (call->nargs > sig->max) {
        too_many_positional(sig, call);
        return 0;
    }
    struct kr_args_cleanups cleanups;
    kr_args_cleanups_init(&cleanups);
    int ok = parse_items(sig, call, va, flags, &cleanups);
    if (ok && call->nkwargs > 0 && call->nargs > sig->pos) {
        /* the loop stops early, so look for names given twice here */
        Py_ssize_t end = Py_MIN(call->nargs, sig->len);
        for (Py_ssize_t i = sig->pos; i < end; i++) {
            if (find_keyword(call, PyTuple_GET_ITEM(sig->names,
                                                    i - sig->pos)) != NULL) {
                leftover_keyword(sig, call);
                ok = 0;
                break;
            }
        }
    }
    return kr_args_cleanups_finish(&cleanups, ok);
}

/* Fills name, bounds and format of a signature from a format and its names;
 * `names` counts `len` keywords of which the first `pos` are "". 0, or -1
 * with SystemError. */
static int
read_signature(const char *format, struct signature *sig)
{
    sig->format = format;
    sig->fname = strchr(format, ':');
    sig->message = NULL;
    if (sig->fname != NULL) {
        sig->fname++;
    }
    else if ((sig->message = strchr(format, ';')) != NULL) {
        sig->message++;
    }
    int min = INT_MAX, max = INT_MAX, n = 0, level = 0;
    for (const char *p = format; !kr_args_is_end(*p); p++) {
        if (*p == '(') {
            n += level++ == 0;
        }
        else if (*p == ')') {
            level--;
        }
        else if (*p == '|') {
            if (min != INT_MAX) {
                PyErr_SetString(PyExc_SystemError,
                                "Invalid format string (| specified twice)");
                return -1;
            }
            min = n;
            if (max != INT_MAX) {
                PyErr_SetString(PyExc_SystemError,
                                "Invalid format string ($ before |)");
                return -1;
            }
        }
        else if (*p == '$') {
            if (max != INT_MAX) {
                PyErr_SetString(PyExc_SystemError,
                                "Invalid format string ($ specified twice)");
                return -1;
            }
            max = n;
        }
        else if (level == 0 && Py_ISALPHA(*p)) {
            n++;
            if (*p == 'e' && (p[1] == 's' || p[1] == 't')) {
                p++;
            }
        }
    }
    if (n < sig->len) {
        PyErr_Format(PyExc_SystemError,
                     "more keyword list entries (%d) than format specifiers "
                     "(%d)",
                     sig->len, n);
        return -1;
    }
    if (n > sig->len) {
        PyErr_Format(PyExc_SystemError,
                     "more argument specifiers than keyword list entries "
                     "(remaining format:'%s')",
                     format);
        return -1;
    }
    sig->min = Py_MIN(min, sig->len);
    sig->max = Py_MIN(max, sig->len);
    if (max < sig->pos) {
        PyErr_SetString(PyExc_SystemError, "Empty parameter name after $");
        return -1;
    }
    return 0;
}

/* Counts the names and the leading empty ones. 0, or -1 with SystemError. */
static int
count_names(const char *const *keywords, int *len, int *pos)
{
    int n = 0;
    while (keywords[n] != NULL && keywords[n][0] == '\0') {
        n++;
    }
    *pos = n;
    for (; keywords[n] != NULL; n++) {
        if (keywords[n][0] == '\0') {
            PyErr_SetString(PyExc_SystemError, "Empty keyword parameter name");
            return -1;
        }
    }
    *len = n;
    return 0;
}

/* New tuple of interned names, from the first that is not empty. */
static PyObject *
make_names(const char *const *keywords, int len, int pos)
{
    PyObject *names = PyTuple_New(len - pos);
    for (int i = pos; names != NULL && i < len; i++) {
        PyObject *name = PyUnicode_InternFromString(keywords[i]);
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyTuple_SET_ITEM(names, i - pos, name);
    }
    return names;
}

static int
parse_keywords(PyObject *args, PyObject *kwargs, const char *format,
               char **kwlist, va_list va, int flags)
{
    if (args == NULL || !PyTuple_Check(args) ||
        (kwargs != NULL && !PyDict_Check(kwargs)) || format == NULL ||
        kwlist == NULL) {
        PyErr_BadInternalCall();
        return 0;
    }
    struct signature sig;
    const char *const *keywords = (const char *const *)kwlist;
    if (count_names(keywords, &sig.len, &sig.pos) < 0 ||
        read_signature(format, &sig) < 0) {
        return 0;
    }
    sig.has_bar = strcspn(format, "|") < strcspn(format, ":;");
    sig.names = make_names(keywords, sig.len, sig.pos);
    if (sig.names == NULL) {
        return 0;
    }
    struct call_args call = make_call_args(
        &PyTuple_GET_ITEM(args, 0), PyTuple_GET_SIZE(args), kwargs, NULL);
    va_list copy;
    va_copy(copy, va);
    int ok = parse_signature(&sig, &call, &copy, flags);
    va_end(copy);
    Py_DECREF(sig.names);
    return ok;
}

#undef PyArg_ParseTupleAndKeywords
#undef PyArg_VaParseTupleAndKeywords

int
PyArg_ParseTupleAndKeywords(PyObject *args, PyObject *kwargs,
                            const char *format, char **kwlist, ...)
{
    va_list va;
    va_start(va, kwlist);
    int ok = parse_keywords(args, kwargs, format, kwlist, va, 0);
    va_end(va);
    return ok;
}

int
kr_parse_tuple_named(PyObject *args, PyObject *kwargs, const char *format,
                     char **kwlist, ...)
{
    va_list va;
    va_start(va, kwlist);
    int ok = parse_keywords(args, kwargs, format, kwlist, va, KR_ARGS_NAMED);
    va_end(va);
    return ok;
}

PyAPI_FUNC(int) _PyArg_ParseTupleAndKeywords_SizeT(PyObject *, PyObject *,
                                                   const char *, char **, ...);
int
_PyArg_ParseTupleAndKeywords_SizeT(PyObject *args, PyObject *kwargs,
                                   const char *format, char **kwlist, ...)
{
    va_list va;
    va_start(va, kwlist);
    int ok = parse_keywords(args, kwargs, format, kwlist, va, KR_ARGS_SSIZE_T);
    va_end(va);
    return ok;
}

int
PyArg_VaParseTupleAndKeywords(PyObject *args, PyObject *kwargs,
                              const char *format, char **kwlist, va_list va)
{
    return parse_keywords(args, kwargs, format, kwlist, va, 0);
}

PyAPI_FUNC(int) _PyArg_VaParseTupleAndKeywords_SizeT(PyObject *, PyObject *,
                                                     const char *, char **,
                                                     va_list);
int
_PyArg_VaParseTupleAndKeywords_SizeT(PyObject *args, PyObject *kwargs,
                                     const char *format, char **kwlist,
                                     va_list va)
{
    return parse_keywords(args, kwargs, format, kwlist, va, KR_ARGS_SSIZE_T);
}

int
PyArg_ValidateKeywordArguments(PyObject *kwargs)
{
    if (!PyDict_Check(kwargs)) {
        PyErr_BadInternalCall();
        return 0;
    }
    PyObject *key;
    Py_ssize_t pos = 0;
    while (PyDict_Next(kwargs, &pos, &key, NULL)) {
        if (!PyUnicode_Check(key)) {
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            return 0;
        }
    }
    return 1;
}

/* --- _PyArg_Parser: the signature is worked out once ------------------------------ */

/* Fills the parser at its first use. 0, or -1 with SystemError. */
static int
init_parser(_PyArg_Parser *parser)
{
    if (parser->kwtuple != NULL) {
        return 0;
    }
    struct signature sig;
    if (count_names(parser->keywords, &sig.len, &sig.pos) < 0) {
        return -1;
    }
    if (parser->format != NULL) {
        if (read_signature(parser->format, &sig) < 0) {
            return -1;
        }
        parser->fname = sig.fname;
        parser->custom_msg = sig.message;
        parser->min = sig.min;
        parser->max = sig.max;
    }
    parser->pos = sig.pos;
    PyObject *names = make_names(parser->keywords, sig.len, sig.pos);
    if (names == NULL) {
        return -1;
    }
    PyObject_GC_UnTrack(names);
    kr_make_immortal(names); /* lives as long as the program */
    parser->kwtuple = names;
    return 0;
}

static struct signature
parser_signature(const _PyArg_Parser *parser)
{
    return (struct signature){
        .fname = parser->fname,
        .message = parser->custom_msg,
        .format = parser->format,
        .names = parser->kwtuple,
        .pos = parser->pos,
        .len = parser->pos + (int)PyTuple_GET_SIZE(parser->kwtuple),
        .min = parser->min,
        .max = parser->max,
    };
}

static int
parse_fast(const struct call_args *call, _PyArg_Parser *parser, va_list va,
           int flags)
{
    if (init_parser(parser) < 0) {
        return 0;
    }
    struct signature sig = parser_signature(parser);
    va_list copy;
    va_copy(copy, va);
    int ok = parse_signature(&sig, call, &copy, flags);
    va_end(copy);
    return ok;
}

static int
parse_tuple_fast(PyObject *args, PyObject *kwargs, _PyArg_Parser *parser,
                 va_list va, int flags)
{
    if (args == NULL || !PyTuple_Check(args) ||
        (kwargs != NULL && !PyDict_Check(kwargs)) || parser == NULL) {
        PyErr_BadInternalCall();
        return 0;
    }
    struct call_args call = make_call_args(
        &PyTuple_GET_ITEM(args, 0), PyTuple_GET_SIZE(args), kwargs, NULL);
    return parse_fast(&call, parser, va, flags);
}

#undef _PyArg_ParseTupleAndKeywordsFast
#undef _PyArg_VaParseTupleAndKeywordsFast
#undef _PyArg_ParseStackAndKeywords

int
_PyArg_ParseTupleAndKeywordsFast(PyObject *args, PyObject *kwargs,
                                 struct _PyArg_Parser *parser, ...)
{
    va_list va;
    va_start(va, parser);
    int ok = parse_tuple_fast(args, kwargs, parser, va, 0);
    va_end(va);
    return ok;
}

PyAPI_FUNC(int) _PyArg_ParseTupleAndKeywordsFast_SizeT(PyObject *, PyObject *,
                                                       struct _PyArg_Parser *,
                                                       ...);
int
_PyArg_ParseTupleAndKeywordsFast_SizeT(PyObject *args, PyObject *kwargs,
                                       struct _PyArg_Parser *parser, ...)
{
    va_list va;
    va_start(va, parser);
    int ok = parse_tuple_fast(args, kwargs, parser, va, KR_ARGS_SSIZE_T);
    va_end(va);
    return ok;
}

int
_PyArg_VaParseTupleAndKeywordsFast(PyObject *args, PyObject *kwargs,
                                   struct _PyArg_Parser *parser, va_list va)
{
    return parse_tuple_fast(args, kwargs, parser, va, 0);
}

PyAPI_FUNC(int) _PyArg_VaParseTupleAndKeywordsFast_SizeT(
    PyObject *, PyObject *, struct _PyArg_Parser *, va_list);
int
_PyArg_VaParseTupleAndKeywordsFast_SizeT(PyObject *args, PyObject *kwargs,
                                         struct _PyArg_Parser *parser,
                                         va_list va)
{
    return parse_tuple_fast(args, kwargs, parser, va, KR_ARGS_SSIZE_T);
}

int
_PyArg_ParseStackAndKeywords(PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames, struct _PyArg_Parser *parser,
                             ...)
{
    struct call_args call = make_call_args(args, nargs, NULL, kwnames);
    va_list va;
    va_start(va, parser);
    int ok = parse_fast(&call, parser, va, 0);
    va_end(va);
    return ok;
}

PyAPI_FUNC(int) _PyArg_ParseStackAndKeywords_SizeT(PyObject *const *,
                                                   Py_ssize_t, PyObject *,
                                                   struct _PyArg_Parser *,
                                                   ...);
int
_PyArg_ParseStackAndKeywords_SizeT(PyObject *const *args, Py_ssize_t nargs,
                                   PyObject *kwnames,
                                   struct _PyArg_Parser *parser, ...)
{
    struct call_args call = make_call_args(args, nargs, NULL, kwnames);
    va_list va;
    va_start(va, parser);
    int ok = parse_fast(&call, parser, va, KR_ARGS_SSIZE_T);
    va_end(va);
    return ok;
}

int
kr_parse_named(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
               struct _PyArg_Parser *parser, ...)
{
    struct call_args call = make_call_args(args, nargs, NULL, kwnames);
    va_list va;
    va_start(va, parser);
    int ok = parse_fast(&call, parser, va, KR_ARGS_NAMED);
    va_end(va);
    return ok;
}

/* --- Unpacking without conversion -------------------------------------------------- */

/* Fills buf[0..] with the borrowed arguments in parameter order, NULL for
 * absent optional ones. 0, or -1 with TypeError. */
static int
unpack_into(const struct signature *sig, const struct call_args *call,
            int minkw, PyObject **buf)
{
    Py_ssize_t nkwargs = call->nkwargs;
    Py_ssize_t nargs = Py_MIN(call->nargs, sig->max);
    int reqlimit = minkw ? sig->max + minkw : sig->min;
    for (Py_ssize_t i = 0; i < nargs; i++) {
        buf[i] = call->args[i];
    }
    for (Py_ssize_t i = Py_MAX(nargs, 0); i < sig->len; i++) {
        PyObject *arg = NULL;
        if (nkwargs > 0 && i >= sig->pos) {
            arg = find_keyword(call,
                               PyTuple_GET_ITEM(sig->names, i - sig->pos));
            if (arg == NULL && PyErr_Occurred()) {
                return -1;
            }
            nkwargs -= arg != NULL;
        }
        buf[i] = arg;
        if (arg == NULL &&
            (i < sig->min || (i >= sig->max && i < reqlimit))) {
            if (i < sig->pos) {
                too_few_positional(sig, call);
            }
            else {
                missing_argument(sig, i);
            }
            return -1;
        }
    }
    if (nkwargs > 0) {
        leftover_keyword(sig, call);
        return -1;
    }
    return 0;
}

static int
prepare_unpack(PyObject *const *args, PyObject *kwargs, PyObject *kwnames,
               _PyArg_Parser *parser, PyObject *const *buf)
{
    if ((kwargs != NULL && !PyDict_Check(kwargs)) ||
        (kwargs != NULL && kwnames != NULL) || parser == NULL ||
        buf == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    (void)args;
    return init_parser(parser);
}

#undef _PyArg_UnpackKeywords
PyObject *const *
_PyArg_UnpackKeywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs,
                      PyObject *kwnames, struct _PyArg_Parser *parser,
                      int minpos, int maxpos, int minkw, PyObject **buf)
{
    if (prepare_unpack(args, kwargs, kwnames, parser, buf) < 0) {
        return NULL;
    }
    if (args == NULL && nargs == 0) {
        args = buf;
    }
    struct call_args call = make_call_args(args, nargs, kwargs, kwnames);
    if (call.nkwargs == 0 && minkw == 0 && minpos <= nargs &&
        nargs <= maxpos) {
        if (nargs == parser->pos + PyTuple_GET_SIZE(parser->kwtuple)) {
            return args;
        }
    }
    struct signature sig = parser_signature(parser);
    sig.min = minpos;
    sig.max = maxpos;
    if (nargs + call.nkwargs > sig.len) {
        too_many_arguments(&sig, &call);
        return NULL;
    }
    if (nargs > maxpos) {
        too_many_positional(&sig, &call);
        return NULL;
    }
    if (nargs < minpos && nargs < sig.pos) {
        too_few_positional(&sig, &call);
        return NULL;
    }
    return unpack_into(&sig, &call, minkw, buf) < 0 ? NULL : buf;
}

PyObject *const *
_PyArg_UnpackKeywordsWithVararg(PyObject *const *args, Py_ssize_t nargs,
                                PyObject *kwargs, PyObject *kwnames,
                                struct _PyArg_Parser *parser, int minpos,
                                int maxpos, int minkw, int vararg,
                                PyObject **buf)
{
    if (prepare_unpack(args, kwargs, kwnames, parser, buf) < 0) {
        return NULL;
    }
    /* buf[vararg] takes what is beyond maxpos, as a new tuple; the keyword
     * parameters follow it */
    Py_ssize_t extra = Py_MAX(nargs - maxpos, 0);
    PyObject *rest = PyTuple_New(extra);
    if (rest == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < extra; i++) {
        PyTuple_SET_ITEM(rest, i, Py_NewRef(args[maxpos + i]));
    }
    struct call_args call = make_call_args(args, nargs, kwargs, kwnames);
    struct signature sig = parser_signature(parser);
    sig.min = minpos;
    sig.max = maxpos;
    if (unpack_into(&sig, &call, minkw, buf) < 0) {
        Py_DECREF(rest);
        return NULL;
    }
    memmove(buf + vararg + 1, buf + vararg,
            (size_t)(sig.len - vararg) * sizeof(*buf));
    buf[vararg] = rest;
    return buf;
}
