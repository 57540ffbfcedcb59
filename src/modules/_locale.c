/* The `_locale` module: settings of the C library for languages. */
#include <Python.h>
#include <errno.h>
#include <langinfo.h>
#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>

#include "modules/kwargs.h"
#include "modules/modfree.h"
#include "runtime/fileutils.h"

typedef struct {
    PyObject *error;
} locale_state;

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"LC_CTYPE", (long)LC_CTYPE},
    {"LC_TIME", (long)LC_TIME},
    {"LC_COLLATE", (long)LC_COLLATE},
    {"LC_MONETARY", (long)LC_MONETARY},
    {"LC_MESSAGES", (long)LC_MESSAGES},
    {"LC_NUMERIC", (long)LC_NUMERIC},
    {"LC_ALL", (long)LC_ALL},
    {"CHAR_MAX", (long)CHAR_MAX},
    {"DAY_1", (long)DAY_1},
    {"DAY_2", (long)DAY_2},
    {"DAY_3", (long)DAY_3},
    {"DAY_4", (long)DAY_4},
    {"DAY_5", (long)DAY_5},
    {"DAY_6", (long)DAY_6},
    {"DAY_7", (long)DAY_7},
    {"ABDAY_1", (long)ABDAY_1},
    {"ABDAY_2", (long)ABDAY_2},
    {"ABDAY_3", (long)ABDAY_3},
    {"ABDAY_4", (long)ABDAY_4},
    {"ABDAY_5", (long)ABDAY_5},
    {"ABDAY_6", (long)ABDAY_6},
    {"ABDAY_7", (long)ABDAY_7},
    {"MON_1", (long)MON_1},
    {"MON_2", (long)MON_2},
    {"MON_3", (long)MON_3},
    {"MON_4", (long)MON_4},
    {"MON_5", (long)MON_5},
    {"MON_6", (long)MON_6},
    {"MON_7", (long)MON_7},
    {"MON_8", (long)MON_8},
    {"MON_9", (long)MON_9},
    {"MON_10", (long)MON_10},
    {"MON_11", (long)MON_11},
    {"MON_12", (long)MON_12},
    {"ABMON_1", (long)ABMON_1},
    {"ABMON_2", (long)ABMON_2},
    {"ABMON_3", (long)ABMON_3},
    {"ABMON_4", (long)ABMON_4},
    {"ABMON_5", (long)ABMON_5},
    {"ABMON_6", (long)ABMON_6},
    {"ABMON_7", (long)ABMON_7},
    {"ABMON_8", (long)ABMON_8},
    {"ABMON_9", (long)ABMON_9},
    {"ABMON_10", (long)ABMON_10},
    {"ABMON_11", (long)ABMON_11},
    {"ABMON_12", (long)ABMON_12},
    {"RADIXCHAR", (long)RADIXCHAR},
    {"THOUSEP", (long)THOUSEP},
    {"CRNCYSTR", (long)CRNCYSTR},
    {"D_T_FMT", (long)D_T_FMT},
    {"D_FMT", (long)D_FMT},
    {"T_FMT", (long)T_FMT},
    {"AM_STR", (long)AM_STR},
    {"PM_STR", (long)PM_STR},
    {"CODESET", (long)CODESET},
    {"T_FMT_AMPM", (long)T_FMT_AMPM},
    {"ERA", (long)ERA},
    {"ERA_D_FMT", (long)ERA_D_FMT},
    {"ERA_D_T_FMT", (long)ERA_D_T_FMT},
    {"ERA_T_FMT", (long)ERA_T_FMT},
    {"ALT_DIGITS", (long)ALT_DIGITS},
    {"YESEXPR", (long)YESEXPR},
    {"NOEXPR", (long)NOEXPR},
    {"_DATE_FMT", (long)_DATE_FMT},
};

static PyObject *
locale_setlocale(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    locale_state *state = PyModule_GetState(module);
    int category;
    const char *locale = NULL;
    if (!_PyArg_CheckPositional("setlocale", nargs, 1, 2) ||
        !kr_arg_int(args[0], &category)) {
        return NULL;
    }
    if (nargs > 1 && args[1] != Py_None) {
        Py_ssize_t len;
        if (!PyUnicode_Check(args[1])) {
            _PyArg_BadArgument("setlocale", "argument 2", "str or None",
                               args[1]);
            return NULL;
        }
        locale = PyUnicode_AsUTF8AndSize(args[1], &len);
        if (locale == NULL) {
            return NULL;
        }
        if (strlen(locale) != (size_t)len) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
            return NULL;
        }
    }
    const char *result = setlocale(category, locale);
    if (result == NULL) {
        PyErr_SetString(state->error, locale ? "unsupported locale setting"
                                             : "locale query failed");
        return NULL;
    }
    return PyUnicode_DecodeLocale(result, NULL);
}

/* A grouping string as a list of numbers, ended by 0 or CHAR_MAX. */
static PyObject *
copy_grouping(const char *s)
{
    PyObject *list = PyList_New(0);
    if (list == NULL || s[0] == '\0') {
        return list;
    }
    for (int i = 0;; i++) {
        PyObject *value = PyLong_FromLong(s[i]);
        if (value == NULL || PyList_Append(list, value) < 0) {
            Py_XDECREF(value);
            Py_DECREF(list);
            return NULL;
        }
        Py_DECREF(value);
        if (s[i] == '\0' || s[i] == CHAR_MAX) {
            return list;
        }
    }
}

/* Puts a new value into the dict; false on error. Steals `value`. */
static bool
put(PyObject *dict, const char *key, PyObject *value)
{
    if (value == NULL) {
        return false;
    }
    int rc = PyDict_SetItemString(dict, key, value);
    Py_DECREF(value);
    return rc == 0;
}

static PyObject *
locale_localeconv(PyObject *module, PyObject *unused)
{
    PyObject *dict = PyDict_New(), *point, *sep;
    if (dict == NULL) {
        return NULL;
    }
    struct lconv *lc = localeconv();
#define TEXT(s) put(dict, #s, PyUnicode_DecodeLocale(lc->s, NULL))
#define NUMBER(s) put(dict, #s, PyLong_FromLong(lc->s))
    if (!TEXT(int_curr_symbol) || !TEXT(currency_symbol) ||
        !TEXT(mon_decimal_point) || !TEXT(mon_thousands_sep) ||
        !put(dict, "mon_grouping", copy_grouping(lc->mon_grouping)) ||
        !TEXT(positive_sign) || !TEXT(negative_sign) ||
        !NUMBER(int_frac_digits) || !NUMBER(frac_digits) ||
        !NUMBER(p_cs_precedes) || !NUMBER(p_sep_by_space) ||
        !NUMBER(n_cs_precedes) || !NUMBER(n_sep_by_space) ||
        !NUMBER(p_sign_posn) || !NUMBER(n_sign_posn) ||
        _Py_GetLocaleconvNumeric(lc, &point, &sep) < 0) {
        Py_DECREF(dict);
        return NULL;
    }
#undef TEXT
#undef NUMBER
    bool ok = put(dict, "decimal_point", point);
    ok = put(dict, "thousands_sep", sep) && ok;
    if (!ok || !put(dict, "grouping", copy_grouping(lc->grouping))) {
        Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *
locale_strcoll(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("strcoll", nargs, 2, 2)) {
        return NULL;
    }
    for (int i = 0; i < 2; i++) {
        if (!PyUnicode_Check(args[i])) {
            _PyArg_BadArgument("strcoll", i ? "argument 2" : "argument 1",
                               "str", args[i]);
            return NULL;
        }
    }
    wchar_t *a = PyUnicode_AsWideCharString(args[0], NULL);
    wchar_t *b = a ? PyUnicode_AsWideCharString(args[1], NULL) : NULL;
    PyObject *res = b ? PyLong_FromLong(wcscoll(a, b)) : NULL;
    PyMem_Free(a);
    PyMem_Free(b);
    return res;
}

static PyObject *
locale_strxfrm(PyObject *module, PyObject *arg)
{
    Py_ssize_t len;
    PyObject *res = NULL;
    if (!PyUnicode_Check(arg)) {
        _PyArg_BadArgument("strxfrm", "argument", "str", arg);
        return NULL;
    }
    wchar_t *s = PyUnicode_AsWideCharString(arg, &len);
    if (s == NULL) {
        return NULL;
    }
    if (wcslen(s) != (size_t)len) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        PyMem_Free(s);
        return NULL;
    }
    size_t size = (size_t)len + 1;
    wchar_t *buf = NULL;
    for (;;) {
        wchar_t *bigger = PyMem_Resize(buf, wchar_t, size);
        if (bigger == NULL) {
            PyErr_NoMemory();
            break;
        }
        buf = bigger;
        errno = 0;
        size_t need = wcsxfrm(buf, s, size);
        if (errno && errno != ERANGE) {
            PyErr_SetFromErrno(PyExc_OSError);
            break;
        }
        if (need < size) {
            /* such keys may exceed Unicode: each unit as it is */
            res = PyUnicode_FromWideChar(buf, (Py_ssize_t)need);
            break;
        }
        size = need + 1;
    }
    PyMem_Free(buf);
    PyMem_Free(s);
    return res;
}

static PyObject *
locale_nl_langinfo(PyObject *module, PyObject *arg)
{
    int item;
    if (!kr_arg_int(arg, &item)) {
        return NULL;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        /* the categories are small numbers, no items */
        if (constants[i].value == item && (item > LC_ALL || item == CODESET)) {
            const char *s = nl_langinfo(item);
            return PyUnicode_DecodeLocale(s ? s : "", NULL);
        }
    }
    PyErr_SetString(PyExc_ValueError, "unsupported langinfo constant");
    return NULL;
}

static const char *
text_arg(const char *function, const char *what, PyObject *o, bool nullable)
{
    Py_ssize_t len;
    if (!PyUnicode_Check(o)) {
        _PyArg_BadArgument(function, what, nullable ? "str or None" : "str",
                           o);
        return NULL;
    }
    const char *s = PyUnicode_AsUTF8AndSize(o, &len);
    if (s != NULL && strlen(s) != (size_t)len) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        s = NULL;
    }
    return s;
}

static PyObject *
locale_gettext(PyObject *module, PyObject *arg)
{
    const char *in = text_arg("gettext", "argument", arg, false);
    return in ? PyUnicode_DecodeLocale(gettext(in), NULL) : NULL;
}

static PyObject *
locale_dgettext(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    const char *domain = NULL, *in;
    if (!_PyArg_CheckPositional("dgettext", nargs, 2, 2) ||
        (args[0] != Py_None &&
         !(domain = text_arg("dgettext", "argument 1", args[0], true))) ||
        !(in = text_arg("dgettext", "argument 2", args[1], false))) {
        return NULL;
    }
    return PyUnicode_DecodeLocale(dgettext(domain, in), NULL);
}

static PyObject *
locale_dcgettext(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    const char *domain = NULL, *in;
    int category;
    if (!_PyArg_CheckPositional("dcgettext", nargs, 3, 3) ||
        (args[0] != Py_None &&
         !(domain = text_arg("dcgettext", "argument 1", args[0], true))) ||
        !(in = text_arg("dcgettext", "argument 2", args[1], false)) ||
        !kr_arg_int(args[2], &category)) {
        return NULL;
    }
    return PyUnicode_DecodeLocale(dcgettext(domain, in, category), NULL);
}

static PyObject *
locale_textdomain(PyObject *module, PyObject *arg)
{
    const char *domain = NULL;
    if (arg != Py_None &&
        !(domain = text_arg("textdomain", "argument", arg, true))) {
        return NULL;
    }
    domain = textdomain(domain);
    return domain ? PyUnicode_DecodeLocale(domain, NULL)
                  : PyErr_SetFromErrno(PyExc_OSError);
}

static PyObject *
locale_bindtextdomain(PyObject *module, PyObject *const *args,
                      Py_ssize_t nargs)
{
    locale_state *state = PyModule_GetState(module);
    const char *domain, *dir = NULL;
    PyObject *bytes = NULL;
    if (!_PyArg_CheckPositional("bindtextdomain", nargs, 2, 2) ||
        !(domain = text_arg("bindtextdomain", "argument 1", args[0],
                            false))) {
        return NULL;
    }
    if (!*domain) {
        PyErr_SetString(state->error, "domain must be a non-empty string");
        return NULL;
    }
    if (args[1] != Py_None) {
        if (!PyUnicode_FSConverter(args[1], &bytes)) {
            return NULL;
        }
        dir = PyBytes_AS_STRING(bytes);
    }
    const char *current = bindtextdomain(domain, dir);
    PyObject *res = current ? PyUnicode_DecodeLocale(current, NULL)
                            : PyErr_SetFromErrno(PyExc_OSError);
    Py_XDECREF(bytes);
    return res;
}

static PyObject *
locale_bind_textdomain_codeset(PyObject *module, PyObject *const *args,
                               Py_ssize_t nargs)
{
    const char *domain, *codeset = NULL;
    if (!_PyArg_CheckPositional("bind_textdomain_codeset", nargs, 2, 2) ||
        !(domain = text_arg("bind_textdomain_codeset", "argument 1", args[0],
                            false)) ||
        (args[1] != Py_None &&
         !(codeset = text_arg("bind_textdomain_codeset", "argument 2",
                              args[1], true)))) {
        return NULL;
    }
    codeset = bind_textdomain_codeset(domain, codeset);
    if (codeset != NULL) {
        return PyUnicode_DecodeLocale(codeset, NULL);
    }
    Py_RETURN_NONE;
}

static PyObject *
locale_getencoding(PyObject *module, PyObject *unused)
{
    return _Py_GetLocaleEncodingObject();
}

static PyMethodDef locale_methods[] = {
    {"setlocale", KR_CAST(locale_setlocale), METH_FASTCALL,
     "setlocale($module, category, locale=<unrepresentable>, /)\n--\n\n"
     "Set or query a category of the locale."},
    {"localeconv", locale_localeconv, METH_NOARGS,
     "localeconv($module, /)\n--\n\nConventions for numbers and money."},
    {"strcoll", KR_CAST(locale_strcoll), METH_FASTCALL,
     "strcoll($module, os1, os2, /)\n--\n\n"
     "Compare two strings by the locale."},
    {"strxfrm", locale_strxfrm, METH_O,
     "strxfrm($module, string, /)\n--\n\n"
     "A string whose plain order is that of the locale."},
    {"nl_langinfo", locale_nl_langinfo, METH_O,
     "nl_langinfo($module, key, /)\n--\n\nA setting of the locale."},
    {"gettext", locale_gettext, METH_O,
     "gettext($module, msg, /)\n--\n\nThe translation of a message."},
    {"dgettext", KR_CAST(locale_dgettext), METH_FASTCALL,
     "dgettext($module, domain, msg, /)\n--\n\n"
     "The translation of a message in a domain."},
    {"dcgettext", KR_CAST(locale_dcgettext), METH_FASTCALL,
     "dcgettext($module, domain, msg, category, /)\n--\n\n"
     "The translation of a message in a domain and category."},
    {"textdomain", locale_textdomain, METH_O,
     "textdomain($module, domain, /)\n--\n\nSet the text domain."},
    {"bindtextdomain", KR_CAST(locale_bindtextdomain), METH_FASTCALL,
     "bindtextdomain($module, domain, dir, /)\n--\n\n"
     "Bind a text domain to a directory."},
    {"bind_textdomain_codeset", KR_CAST(locale_bind_textdomain_codeset),
     METH_FASTCALL,
     "bind_textdomain_codeset($module, domain, codeset, /)\n--\n\n"
     "Bind a text domain to a character set."},
    {"getencoding", locale_getencoding, METH_NOARGS,
     "getencoding($module, /)\n--\n\nThe encoding of the locale."},
    {NULL},
};

static int
locale_exec(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    locale_state *state = PyModule_GetState(module);
    state->error = PyErr_NewException("locale.Error", NULL, NULL);
    return state->error
               ? PyModule_AddObjectRef(module, "Error", state->error)
               : -1;
}

static int
locale_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((locale_state *)PyModule_GetState(module))->error);
    return 0;
}

static int
locale_clear(PyObject *module)
{
    Py_CLEAR(((locale_state *)PyModule_GetState(module))->error);
    return 0;
}

static PyModuleDef_Slot locale_slots[] = {
    {Py_mod_exec, locale_exec},
    {0, NULL},
};

static PyModuleDef locale_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_locale",
    .m_doc = "Support for POSIX locales.",
    .m_size = sizeof(locale_state),
    .m_methods = locale_methods,
    .m_slots = locale_slots,
    .m_traverse = locale_traverse,
    .m_clear = locale_clear,
    .m_free = kr_module_free,
};

PyMODINIT_FUNC
PyInit__locale(void)
{
    return PyModuleDef_Init(&locale_def);
}
