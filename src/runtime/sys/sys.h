/* The files behind module `sys`. */
#ifndef KR_RUNTIME_SYS_SYS_H
#define KR_RUNTIME_SYS_SYS_H

#include <Python.h>

/* Makes the module and what does not depend on the configuration; sets
 * interp->sysdict. New reference or NULL. */
PyObject *kr_sys_create(PyInterpreterState *interp);

/* Sets argv, path, flags, warnoptions, ... from the configuration. 0 or -1. */
int kr_sys_set_config(PyInterpreterState *interp);

/* Sets version, platform, float_info, ... 0 or -1. */
int kr_sys_set_info(PyObject *dict);

/* New: sys.flags. */
PyObject *kr_sys_flags(const PyConfig *config);

extern PyMethodDef kr_sys_hook_methods[];

/* Whether sys.warnoptions has any. */
int kr_has_warn_options(void);

/* Calls the C audit hooks at exit and drops them. */
void kr_sys_clear_audit_hooks(void);

/* Type of the argument of sys.unraisablehook. */
extern PyTypeObject kr_unraisable_args_type;

/* Type of what sys.get_asyncgen_hooks() gives. */
extern PyTypeObject kr_asyncgen_hooks_type;

#endif
