/* The configuration of an interpreter: PyConfig, read from the command line,
 * the environment and the place of the executable. */
#ifndef KR_RUNTIME_CONFIG_CONFIG_H
#define KR_RUNTIME_CONFIG_CONFIG_H

#include <Python.h>

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

/* --- command_line.c --- */

/* Reads config->argv as a command line, with what it sets. An exit status
 * is returned for --help and --version. */
PyStatus kr_config_parse_command_line(PyConfig *config);

/* --- paths.c --- */

/* Fills program name, executable, prefixes and module search paths, where
 * they are not set yet. */
PyStatus kr_config_read_paths(PyConfig *config);

/* --- preconfig.c --- */

/* Locale and UTF-8 mode; happens once. */
PyStatus kr_preinitialize(const PyConfig *config);

int kr_preinitialized(void);

int kr_utf8_mode(void);

#endif
