/* The configuration of an interpreter: PyConfig, read from the command line,
 * the environment and the place of the executable. */
#ifndef KR_RUNTIME_CONFIG_CONFIG_H
#define KR_RUNTIME_CONFIG_CONFIG_H

#include <Python.h>
#include <stddef.h>

/* An error that names the step as CPython does. */
#define KR_STATUS_ERROR(step, text)                                            \
    ((PyStatus){._type = _PyStatus_TYPE_ERROR, .func = (step),                 \
                .err_msg = (text)})

/* --- wide_list.c: lists of wide strings in raw memory; 0 or -1 --- */

PyAPI_FUNC(void) _PyWideStringList_Clear(PyWideStringList *list);
PyAPI_FUNC(int) _PyWideStringList_Copy(PyWideStringList *to,
                                       const PyWideStringList *from);
PyAPI_FUNC(PyStatus) _PyWideStringList_Extend(PyWideStringList *to,
                                              const PyWideStringList *from);
/* New list of str. */
PyAPI_FUNC(PyObject *) _PyWideStringList_AsList(const PyWideStringList *list);

/* --- config.c --- */

/* Deep copy; *to must be initialised. */
PyStatus kr_config_copy(PyConfig *to, const PyConfig *from);

/* Environment variable as wide string in raw memory, NULL when absent, empty
 * or not to be used; *failed is set when it can't be decoded. */
wchar_t *kr_config_env(const PyConfig *config, const char *name, int *failed);

/* Value behind '=' of -X name, "" for a bare one, NULL when not given. */
const wchar_t *kr_config_xoption(const PyConfig *config, const wchar_t *name);

/* Digit limit of int <-> str conversions that was asked for, -1 if none. */
int kr_config_int_max_str_digits(void);

/* The Py_*Flag globals follow the configuration of the main interpreter. */
void kr_config_publish_flags(const PyConfig *config);

/* --- env.c --- */

/* A variable of the environment; NULL when it is absent, empty or not to be
 * used. */
PyAPI_FUNC(const char *) _Py_GetEnv(int use_environment, const char *name);

/* A flag variable: raises *flag to its number, at least to 1. */
PyAPI_FUNC(void) _Py_get_env_flag(int use_environment, int *flag,
                                  const char *name);

/* The option `name` or `name=value`, whole; NULL when it was not given. */
PyAPI_FUNC(const wchar_t *) _Py_get_xoption(const PyWideStringList *options,
                                            const wchar_t *name);

/* Parses a decimal int; -1 if it is none. */
PyAPI_FUNC(int) _Py_str_to_int(const char *text, int *result);

/* --- paths.c --- */

/* Whether the runtime is a library in somebody's program; `file`, of PATH_MAX
 * bytes, gets the library's full path. */
int kr_own_library(char *file);

/* --- command_line.c --- */

/* Reads config->argv as a command line, with what it sets. An exit status
 * is returned for --help and --version. */
PyStatus kr_config_parse_command_line(PyConfig *config);

/* --- paths.c --- */

/* Fills program name, executable, prefixes and module search paths, where
 * they are not set yet. */
PyStatus kr_config_read_paths(PyConfig *config);

/* Takes over what the old setters (Py_SetPath and its like) said. */
PyStatus kr_config_use_path_setters(PyConfig *config);

/* What has to be known of the command line before it can be decoded. Unknown
 * options are passed over. */
struct kr_preoptions {
    int isolated, ignore_environment, dev_mode;
    const wchar_t *utf8; /* value of -X utf8, of the list; NULL: not given */
};
void kr_config_scan_preoptions(const PyWideStringList *args,
                               struct kr_preoptions *options);

/* --- fields.c --- */

enum kr_field_kind { KR_FIELD_INT, KR_FIELD_ULONG, KR_FIELD_WSTR,
                     KR_FIELD_LIST };

/* Every field of PyConfig; the last one has no name. */
struct kr_config_field {
    const char *name;
    size_t offset;
    enum kr_field_kind kind;
    int required; /* a string that must be set in a complete configuration */
};
extern const struct kr_config_field kr_config_fields[];

#define KR_FIELD_AT(config, f, type) ((type *)((char *)(config) + (f)->offset))

/* New dict of all fields. */
PyAPI_FUNC(PyObject *) _PyConfig_AsDict(const PyConfig *config);

/* Sets all fields from a dict. -1 with TypeError or ValueError. */
PyAPI_FUNC(int) _PyConfig_FromDict(PyConfig *config, PyObject *dict);

/* New dict with the dicts global_config, pre_config and config. */
PyAPI_FUNC(PyObject *) _Py_GetConfigsAsDict(void);

/* New dict of the old global variables. */
PyObject *kr_global_config_as_dict(void);

/* --- pth_file.c --- */

/* Takes search paths and switches from the file `program`._pth, if there is
 * one, which *found tells. */
PyStatus kr_config_read_pth(PyConfig *config, const char *program, int *found);

/* --- preconfig.c --- */

/* Arguments of a program, decoded or not; borrowed. */
typedef struct {
    Py_ssize_t argc;
    int use_bytes_argv;
    char *const *bytes_argv;
    wchar_t *const *wchar_argv;
} _PyArgv;

/* Adds the decoded arguments to an empty list. */
PyAPI_FUNC(PyStatus) _PyArgv_AsWstrList(const _PyArgv *args,
                                        PyWideStringList *list);

/* Locale, UTF-8 mode and allocator; happens once. `args` may be NULL: those of
 * the configuration, or none. */
PyAPI_FUNC(PyStatus) _Py_PreInitializeFromPyArgv(const PyPreConfig *src,
                                                 const _PyArgv *args);
PyAPI_FUNC(PyStatus) _Py_PreInitializeFromConfig(const PyConfig *config,
                                                 const _PyArgv *args);

/* How far this is, in the words of fatal errors. */
const char *kr_preinit_stage(void);

/* Forgets it, at the end of the runtime. */
void kr_preinit_reset(void);

/* What was decided; all zero before that. */
const PyPreConfig *kr_preconfig(void);
PyObject *kr_preconfig_as_dict(void);

int kr_utf8_mode(void);

/* --- legacy_locale.c --- */

/* Whether LC_CTYPE is C and may be changed; `warn`: even if it may not. */
PyAPI_FUNC(int) _Py_LegacyLocaleDetected(int warn);

/* Puts a UTF-8 locale in place of the C locale. 1 or 0. */
PyAPI_FUNC(int) _Py_CoerceLegacyLocale(int warn);

/* Whether that may have set this locale. */
PyAPI_FUNC(int) _Py_IsLocaleCoercionTarget(const char *locale);

/* setlocale with the environment's locale. */
PyAPI_FUNC(char *) _Py_SetLocaleFromEnv(int category);

/* Says on stderr that the locale is C, if PYTHONCOERCECLOCALE asks for it. */
void kr_warn_legacy_locale(void);

/* --- stdio_encoding.c --- */

/* Sets encoding and error handler of the standard streams and of file names,
 * where they are not set yet. */
PyStatus kr_config_read_encodings(PyConfig *config);

/* Gives encodings the name that their codec has. The codecs must be there. */
PyStatus kr_config_name_codecs(PyConfig *config);

/* Sets Py_FileSystemDefaultEncoding and its like. */
PyStatus kr_config_publish_encodings(const PyConfig *config);

#endif
