/* Shared by the files of the `posix` module: state, path arguments, errors.
 *
 * Each theme (files, stat, processes, ...) lives in its own file and offers
 * one method table, which module.c adds to the module. */
#ifndef KR_MODULES_POSIX_POSIX_H
#define KR_MODULES_POSIX_POSIX_H

#include <Python.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "modules/kwargs.h"
#include "modules/posix/ids.h"
#include "objects/ids.h"
#include "runtime/fileutils.h"

typedef struct {
    PyTypeObject *stat_result;
    PyTypeObject *statvfs_result;
    PyTypeObject *sched_param;
    PyTypeObject *terminal_size;
    PyTypeObject *times_result;
    PyTypeObject *uname_result;
    PyTypeObject *waitid_result;
    PyTypeObject *dir_entry;
    PyTypeObject *scandir_iterator;
    PyObject *struct_rusage; /* resource.struct_rusage, on demand */
} posix_state;

static inline posix_state *
posix_get_state(PyObject *module)
{
    return (posix_state *)PyModule_GetState(module);
}

/* A path argument: str, bytes, os.PathLike, and where allowed a descriptor or
 * None. `narrow` is NULL and `fd` is -1 when None was given. */
typedef struct {
    const char *function;
    const char *argument;
    bool nullable;
    bool allow_fd;
    const char *narrow;
    int fd;
    Py_ssize_t length;
    PyObject *object;  /* what was passed, or what its __fspath__ gave */
    PyObject *cleanup; /* keeps `narrow` alive; owned */
    PyObject *fspath;  /* keeps `object` alive if not the caller's; owned */
} posix_path;

#define POSIX_PATH(function, argument, nullable, allow_fd)                     \
    {(function), (argument), (nullable), (allow_fd), NULL, -1, 0, NULL, NULL, NULL}

/* Converts `o` (NULL: as None); false with an exception set. The caller ends
 * with kr_posix_path_done in every case. */
bool kr_posix_path_convert(PyObject *o, posix_path *path);
void kr_posix_path_done(posix_path *path);

/* Raise OSError from errno, with the path where there is one; give NULL. */
PyObject *kr_posix_error(void);
PyObject *kr_posix_path_error(posix_path *path);
PyObject *kr_posix_path_error2(posix_path *path, posix_path *path2);

/* Audit argument for a directory descriptor: -1 stands for "none". */
#define POSIX_AUDIT_DIR_FD(fd) ((fd) == AT_FDCWD ? -1 : (fd))

/* NULL and None give AT_FDCWD; false with an exception set. */
bool kr_posix_arg_dir_fd(PyObject *o, int *out);

/* An int or an object with fileno(). */
bool kr_posix_arg_fileno(PyObject *o, int *out);

bool kr_posix_arg_dev(PyObject *o, dev_t *out);

/* bytes of a str or bytes path; a new reference in *out. */
bool kr_posix_arg_fspath(PyObject *o, PyObject **out);

/* Ends a call that returned 0 or -1: None, or OSError from errno. */
PyObject *kr_posix_none_or_error(int rc);

/* New stat_result of `st`; `module` may be any module object of ours. */
PyObject *kr_posix_stat_new(posix_state *state, const struct stat *st);

/* Calls a system function that may be interrupted: loops while it fails with
 * EINTR and no signal handler raised. `res` gets the result; the second macro
 * argument is the call. After the loop `async_err` tells of an exception. */
#define POSIX_RETRY(res, call)                                                 \
    do {                                                                       \
        Py_BEGIN_ALLOW_THREADS                                                 \
        (res) = (call);                                                        \
        Py_END_ALLOW_THREADS                                                   \
    } while ((res) < 0 && errno == EINTR &&                                    \
             !(async_err = PyErr_CheckSignals()))

#define POSIX_NO_GIL(stmt)                                                     \
    do {                                                                       \
        Py_BEGIN_ALLOW_THREADS                                                 \
        stmt;                                                                  \
        Py_END_ALLOW_THREADS                                                   \
    } while (0)

extern PyMethodDef kr_posix_path_methods[];
extern PyMethodDef kr_posix_stat_methods[];
extern PyMethodDef kr_posix_file_methods[];
extern PyMethodDef kr_posix_fd_methods[];
extern PyMethodDef kr_posix_io_methods[];
extern PyMethodDef kr_posix_dir_methods[];
extern PyMethodDef kr_posix_process_methods[];
extern PyMethodDef kr_posix_exec_methods[];
extern PyMethodDef kr_posix_wait_methods[];
extern PyMethodDef kr_posix_sched_methods[];
extern PyMethodDef kr_posix_id_methods[];
extern PyMethodDef kr_posix_xattr_methods[];
extern PyMethodDef kr_posix_terminal_methods[];
extern PyMethodDef kr_posix_system_methods[];

/* Create the types a theme owns and add the public ones; 0 or -1. */
int kr_posix_stat_exec(PyObject *module, posix_state *state);
int kr_posix_dir_exec(PyObject *module, posix_state *state);
int kr_posix_sched_exec(PyObject *module, posix_state *state);
int kr_posix_wait_exec(PyObject *module, posix_state *state);
int kr_posix_system_exec(PyObject *module, posix_state *state);
int kr_posix_terminal_exec(PyObject *module, posix_state *state);

/* Adds the integer constants, and the name tables of sysconf and co. */
int kr_posix_constants_exec(PyObject *module);
int kr_posix_confname_exec(PyObject *module);

/* Creates a struct sequence type and adds it to the module under `name`. */
PyTypeObject *kr_posix_add_structseq(PyObject *module, const char *name,
                                     PyStructSequence_Desc *desc);

/* Value of a name of sysconf/confstr/pathconf: an int or a known str. */
struct posix_conf_name {
    const char *name;
    int value;
};
bool kr_posix_arg_pathconf(PyObject *o, int *out);
bool kr_posix_arg_confstr(PyObject *o, int *out);
bool kr_posix_arg_sysconf(PyObject *o, int *out);

/* The tuple (pid, status, rusage) of wait3 and wait4. */
PyObject *kr_posix_wait_result(PyObject *module, pid_t pid, int status,
                               struct rusage *usage);

#endif
