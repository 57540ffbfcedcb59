/* What `sys` tells of the implementation: versions, sizes, flags. */
#include <float.h>
#include <string.h>

#include "objects/dict.h"
#include "objects/interp.h"
#include "objects/namespace.h"
#include "runtime/config/config.h"
#include "runtime/import/import.h"
#include "runtime/sys/sys.h"

#include <structseq.h>

/* --- Version texts ------------------------------------------------------------ */

#ifdef __clang__
#define COMPILER "[Clang " __clang_version__ "]"
#else
#define COMPILER "[GCC " __VERSION__ "]"
#endif
#define KRAIT_VERSION "0.1"

const unsigned long Py_Version = PY_VERSION_HEX;

const char *
Py_GetVersion(void)
{
    return PY_VERSION " (Krait " KRAIT_VERSION ", " __DATE__ ", " __TIME__
                      ") " COMPILER;
}

const char *
Py_GetCopyright(void)
{
    return "Copyright (c) the authors of Krait.\nAll Rights Reserved.";
}

const char *
Py_GetPlatform(void)
{
    return "linux";
}

const char *
Py_GetCompiler(void)
{
    return COMPILER;
}

const char *
Py_GetBuildInfo(void)
{
    return "Krait " KRAIT_VERSION ", " __DATE__ ", " __TIME__;
}

PyAPI_FUNC(const char *) _Py_gitversion(void);
PyAPI_FUNC(const char *) _Py_gitidentifier(void);

const char *
_Py_gitversion(void)
{
    return "";
}

const char *
_Py_gitidentifier(void)
{
    return "";
}

/* --- Struct sequences ------------------------------------------------------------ */

static PyStructSequence_Field flags_fields[] = {
    {"debug", "-d"},
    {"inspect", "-i"},
    {"interactive", "-i"},
    {"optimize", "-O or -OO"},
    {"dont_write_bytecode", "-B"},
    {"no_user_site", "-s"},
    {"no_site", "-S"},
    {"ignore_environment", "-E"},
    {"verbose", "-v"},
    {"bytes_warning", "-b"},
    {"quiet", "-q"},
    {"hash_randomization", "-R"},
    {"isolated", "-I"},
    {"dev_mode", "-X dev"},
    {"utf8_mode", "-X utf8"},
    {"warn_default_encoding", "-X warn_default_encoding"},
    {"safe_path", "-P"},
    {"int_max_str_digits", "-X int_max_str_digits"},
    {NULL, NULL},
};
static PyStructSequence_Desc flags_desc = {
    "sys.flags",
    "sys.flags\n\nFlags provided through command line arguments or "
    "environment vars.",
    flags_fields, 18};

static PyStructSequence_Field version_fields[] = {
    {"major", "Major release number"},
    {"minor", "Minor release number"},
    {"micro", "Patch release number"},
    {"releaselevel", "'alpha', 'beta', 'candidate', or 'final'"},
    {"serial", "Serial release number"},
    {NULL, NULL},
};
static PyStructSequence_Desc version_desc = {
    "sys.version_info", "sys.version_info\n\nVersion information as a named "
                        "tuple.",
    version_fields, 5};

static PyStructSequence_Field hash_fields[] = {
    {"width", "width of the type used for hashing, in bits"},
    {"modulus", "prime number giving the modulus on which the hash function "
                "is based"},
    {"inf", "value to be used for hash of a positive infinity"},
    {"nan", "value to be used for hash of a nan"},
    {"imag", "multiplier used for the imaginary part of a complex number"},
    {"algorithm", "name of the algorithm for hashing of str, bytes and "
                  "memoryviews"},
    {"hash_bits", "internal output size of hash algorithm"},
    {"seed_bits", "seed size of hash algorithm"},
    {"cutoff", "small string optimization cutoff"},
    {NULL, NULL},
};
static PyStructSequence_Desc hash_desc = {
    "sys.hash_info", "hash_info\n\nParameters used for calculating hashes.",
    hash_fields, 9};

static PyStructSequence_Field asyncgen_fields[] = {
    {"firstiter", "Hook for the first iteration"},
    {"finalizer", "Hook for the finalizer"},
    {NULL, NULL},
};
PyStructSequence_Desc kr_asyncgen_hooks_desc = {
    "asyncgen_hooks", "asyncgen_hooks\n\nHooks of asynchronous generators.",
    asyncgen_fields, 2};

static PyStructSequence_Field unraisable_fields[] = {
    {"exc_type", "Exception type"},
    {"exc_value", "Exception value"},
    {"exc_traceback", "Exception traceback"},
    {"err_msg", "Error message"},
    {"object", "Object causing the exception"},
    {NULL, NULL},
};
static PyStructSequence_Desc unraisable_desc = {
    "UnraisableHookArgs",
    "UnraisableHookArgs\n\nArguments of sys.unraisablehook.",
    unraisable_fields, 5};

PyTypeObject kr_unraisable_args_type;
PyTypeObject kr_asyncgen_hooks_type;
static PyTypeObject flags_type, version_type, hash_type;

/* Structs of one kind cannot be made by hand, as sys.flags() would. */
static int
ready(PyTypeObject *type, PyStructSequence_Desc *desc, int sealed)
{
    if (type->tp_name != NULL) {
        return 0;
    }
    if (PyStructSequence_InitType2(type, desc) < 0) {
        return -1;
    }
    if (sealed) {
        type->tp_init = NULL;
        type->tp_new = NULL;
        type->tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
        if (PyDict_DelItemString(type->tp_dict, "__new__") < 0) {
            PyErr_Clear();
        }
        PyType_Modified(type);
    }
    return 0;
}

/* Fills a new struct with `n` values (stolen); NULL if any is NULL. */
static PyObject *
fill(PyTypeObject *type, PyObject **values, Py_ssize_t n)
{
    PyObject *seq = PyStructSequence_New(type);
    int ok = seq != NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        ok = ok && values[i] != NULL;
        if (seq != NULL) {
            PyStructSequence_SET_ITEM(seq, i, values[i]);
        }
        else {
            Py_XDECREF(values[i]);
        }
    }
    if (!ok) {
        Py_CLEAR(seq);
    }
    return seq;
}

PyObject *
kr_sys_flags(const PyConfig *c)
{
    if (ready(&flags_type, &flags_desc, 1) < 0) {
        return NULL;
    }
    _Py_COMP_DIAG_PUSH
    _Py_COMP_DIAG_IGNORE_DEPR_DECLS
    PyObject *values[18] = {
        PyLong_FromLong(c->parser_debug),
        PyLong_FromLong(c->inspect),
        PyLong_FromLong(c->interactive),
        PyLong_FromLong(c->optimization_level),
        PyLong_FromLong(!c->write_bytecode),
        PyLong_FromLong(!c->user_site_directory),
        PyLong_FromLong(!c->site_import),
        PyLong_FromLong(!c->use_environment),
        PyLong_FromLong(c->verbose),
        PyLong_FromLong(c->bytes_warning),
        PyLong_FromLong(c->quiet),
        PyLong_FromLong(c->use_hash_seed == 0 || c->hash_seed != 0),
        PyLong_FromLong(c->isolated),
        PyBool_FromLong(c->dev_mode),
        PyLong_FromLong(Py_UTF8Mode),
        PyLong_FromLong(c->warn_default_encoding),
        PyBool_FromLong(c->safe_path),
        PyLong_FromLong(kr_config_int_max_str_digits()),
    };
    _Py_COMP_DIAG_POP
    return fill(&flags_type, values, 18);
}

static PyObject *
make_version_info(void)
{
    if (ready(&version_type, &version_desc, 1) < 0) {
        return NULL;
    }
    PyObject *values[5] = {
        PyLong_FromLong(PY_MAJOR_VERSION), PyLong_FromLong(PY_MINOR_VERSION),
        PyLong_FromLong(PY_MICRO_VERSION), PyUnicode_FromString("final"),
        PyLong_FromLong(0)};
    return fill(&version_type, values, 5);
}

static PyObject *
make_hash_info(void)
{
    if (ready(&hash_type, &hash_desc, 0) < 0) {
        return NULL;
    }
    PyHash_FuncDef *def = PyHash_GetFuncDef();
    PyObject *values[9] = {
        PyLong_FromLong(8 * (int)sizeof(Py_hash_t)),
        PyLong_FromSsize_t(_PyHASH_MODULUS),
        PyLong_FromLong(_PyHASH_INF),
        PyLong_FromLong(0),
        PyLong_FromLong(_PyHASH_IMAG),
        PyUnicode_FromString(def->name),
        PyLong_FromLong(def->hash_bits),
        PyLong_FromLong(def->seed_bits),
        PyLong_FromLong(Py_HASH_CUTOFF)};
    return fill(&hash_type, values, 9);
}

static PyObject *
make_implementation(PyObject *version_info)
{
    PyObject *attrs = Py_BuildValue(
        "{sssssOskssss}", "name", "cpython", "cache_tag", "cpython-311",
        "version", version_info, "hexversion", (unsigned long)PY_VERSION_HEX,
        "_multiarch", "x86_64-linux-gnu", "krait", KRAIT_VERSION);
    if (attrs == NULL) {
        return NULL;
    }
    PyObject *ns = _PyNamespace_New(attrs);
    Py_DECREF(attrs);
    return ns;
}

static PyObject *
make_stdlib_names(void)
{
    static const char *const names[] = {
#define X(name) #name,
#include "runtime/sys/stdlib_names.def"
#undef X
    };
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < sizeof(names) / sizeof(*names);
         i++) {
        PyObject *name = PyUnicode_InternFromString(names[i]);
        if (name == NULL || PyList_Append(list, name) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(name);
    }
    PyObject *set = list == NULL ? NULL : PyFrozenSet_New(list);
    Py_XDECREF(list);
    return set;
}

int
kr_sys_set_info(PyObject *d)
{
    if (ready(&kr_unraisable_args_type, &unraisable_desc, 0) < 0 ||
        ready(&kr_asyncgen_hooks_type, &kr_asyncgen_hooks_desc, 1) < 0) {
        return -1;
    }
    PyObject *version_info = make_version_info();
    if (version_info == NULL) {
        return -1;
    }
    int res = 0;
    res |= kr_dict_put(d, "version", PyUnicode_FromString(Py_GetVersion()));
    res |= kr_dict_put(d, "hexversion", PyLong_FromLong(PY_VERSION_HEX));
    res |= kr_dict_put(d, "_git", Py_BuildValue("(sss)", "Krait", "", ""));
    res |= kr_dict_put(d, "_framework", PyUnicode_FromString(""));
    res |= kr_dict_put(d, "api_version", PyLong_FromLong(PYTHON_API_VERSION));
    res |= kr_dict_put(d, "copyright", PyUnicode_FromString(Py_GetCopyright()));
    res |= kr_dict_put(d, "platform", PyUnicode_FromString(Py_GetPlatform()));
    res |= kr_dict_put(d, "maxsize", PyLong_FromSsize_t(PY_SSIZE_T_MAX));
    res |= kr_dict_put(d, "float_info", PyFloat_GetInfo());
    res |= kr_dict_put(d, "int_info", PyLong_GetInfo());
    res |= kr_dict_put(d, "hash_info", make_hash_info());
    res |= kr_dict_put(d, "maxunicode", PyLong_FromLong(0x10FFFF));
    res |= kr_dict_put(d, "builtin_module_names", kr_builtin_module_names());
    res |= kr_dict_put(d, "stdlib_module_names", make_stdlib_names());
    res |= kr_dict_put(d, "byteorder", PyUnicode_FromString("little"));
    res |= kr_dict_put(d, "abiflags", PyUnicode_FromString(""));
    res |= kr_dict_put(d, "float_repr_style", PyUnicode_FromString("short"));
    res |= kr_dict_put(d, "thread_info", PyThread_GetInfo());
    res |= kr_dict_put(d, "implementation", make_implementation(version_info));
    res |= kr_dict_put(d, "version_info", version_info);
    res |= kr_dict_put(d, "UnraisableHookArgs",
                       Py_NewRef((PyObject *)&kr_unraisable_args_type));
    return res;
}
