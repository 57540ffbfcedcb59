/* Import: sys.modules, the import system's start, built-in, frozen and
 * dynamic modules. */
#ifndef KR_RUNTIME_IMPORT_IMPORT_H
#define KR_RUNTIME_IMPORT_IMPORT_H

#include <Python.h>
#include <stdbool.h>

/* Creates sys.modules. 0 or -1. */
int kr_import_init(PyInterpreterState *interp);

/* Runs _frozen_importlib and installs its importers for built-in and frozen
 * modules. 0 or -1. */
int kr_import_install(PyInterpreterState *interp, PyObject *sysmod);

/* Installs the path-based importers; the file system must be usable. */
int kr_import_install_external(PyInterpreterState *interp);

/* Drops what the import system keeps outside sys.modules. */
void kr_import_fini(void);

/* --- builtin_modules.c --- */

/* Whether `name` is in the table of built-in modules: 1, 0; -1 when it is but
 * cannot be initialised again. */
int kr_builtin_module_known(PyObject *name);

/* New: module `spec.name` from the table; None when it is not there. */
PyObject *kr_builtin_module_create(PyObject *name, PyObject *spec);

/* New tuple of all names in the table, sorted. */
PyObject *kr_builtin_module_names(void);

/* Caches of modules with single-phase initialisation, by (path, name). */
PyObject *kr_extension_find_again(PyObject *name, PyObject *path);
int kr_extension_remember(PyObject *mod, PyObject *name, PyObject *path,
                          PyObject *modules);

/* --- frozen.c --- */

struct kr_frozen_info {
    PyObject *name;
    const char *data;
    Py_ssize_t size;
    PyObject *(*get_code)(void);
    int is_package;
    const char *origname; /* NULL: as `name` */
    bool trusted; /* made by our own compiler */
};

enum kr_frozen_status {
    KR_FROZEN_OK,
    KR_FROZEN_BAD_NAME,
    KR_FROZEN_NOT_FOUND,
    KR_FROZEN_DISABLED,
    KR_FROZEN_EXCLUDED, /* no data: it exists to be skipped */
    KR_FROZEN_INVALID,  /* empty data */
};

enum kr_frozen_status kr_frozen_find(PyObject *name,
                                     struct kr_frozen_info *info);

/* Raises ImportError for a status other than KR_FROZEN_OK. */
void kr_frozen_error(enum kr_frozen_status status, PyObject *name);

/* New code object, or NULL with an exception. */
PyObject *kr_frozen_code(const struct kr_frozen_info *info);

/* New list of the names. */
PyObject *kr_frozen_names(void);

/* Overrides -X frozen_modules for tests: -1 off, 1 on, 0 as configured. */
void kr_frozen_override(int value);

/* --- dynload.c --- */

/* New module from the shared object `spec.origin`. NULL with ImportError. */
PyObject *kr_dynamic_create(PyObject *spec);

/* How many modules came from shared objects of which it is not known that
 * nothing visible happens when their objects end. */
int kr_unknown_modules(void);

/* File name endings of extension modules, NULL-terminated. */
extern const char *const kr_dynamic_suffixes[];

/* New reference to an attribute of a module, which is imported. */
PyObject *kr_import_attr(const char *modname, const char *attrname);

/* New reference to module `_imp`. */
PyObject *kr_imp_create(void);

#endif
