/* Running programs: execv, execve, posix_spawn, posix_spawnp. */
#include "modules/posix/posix.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "modules/posix/sched.h"
#include "runtime/signal.h"

static void
free_strings(char **strings)
{
    for (char **s = strings; s != NULL && *s != NULL; s++) {
        PyMem_Free(*s);
    }
    PyMem_Free(strings);
}

static char *
copy_bytes(PyObject *bytes)
{
    size_t n = (size_t)PyBytes_GET_SIZE(bytes) + 1;
    char *copy = PyMem_Malloc(n);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    return memcpy(copy, PyBytes_AS_STRING(bytes), n);
}

/* A NULL-terminated argv; `what` begins the messages. */
static char **
make_argv(PyObject *seq, const char *what)
{
    if (!PyList_Check(seq) && !PyTuple_Check(seq)) {
        PyErr_Format(PyExc_TypeError, "%s must be a tuple or list", what);
        return NULL;
    }
    Py_ssize_t n = PySequence_Size(seq);
    if (n < 1) {
        PyErr_Format(PyExc_ValueError, "%s must not be empty", what);
        return NULL;
    }
    char **argv = PyMem_Calloc((size_t)n + 1, sizeof(char *));
    if (argv == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_ITEM(seq, i), *bytes;
        if (item == NULL) {
            free_strings(argv);
            return NULL;
        }
        int ok = PyUnicode_FSConverter(item, &bytes);
        Py_DECREF(item);
        if (ok) {
            argv[i] = copy_bytes(bytes);
            Py_DECREF(bytes);
        }
        if (!ok || argv[i] == NULL) {
            free_strings(argv);
            return NULL;
        }
    }
    if (argv[0][0] == '\0') {
        PyErr_Format(PyExc_ValueError, "%s first element cannot be empty",
                     what);
        free_strings(argv);
        return NULL;
    }
    return argv;
}

static char *
env_entry(PyObject *key, PyObject *value)
{
    PyObject *k = NULL, *v = NULL;
    char *entry = NULL;
    if (PyUnicode_FSConverter(key, &k) && PyUnicode_FSConverter(value, &v)) {
        const char *name = PyBytes_AS_STRING(k);
        size_t nk = (size_t)PyBytes_GET_SIZE(k);
        size_t nv = (size_t)PyBytes_GET_SIZE(v);
        if (nk == 0 || strchr(name + 1, '=') != NULL) {
            PyErr_SetString(PyExc_ValueError,
                            "illegal environment variable name");
        }
        else if ((entry = PyMem_Malloc(nk + nv + 2)) == NULL) {
            PyErr_NoMemory();
        }
        else {
            memcpy(entry, name, nk);
            entry[nk] = '=';
            memcpy(entry + nk + 1, PyBytes_AS_STRING(v), nv + 1);
        }
    }
    Py_XDECREF(k);
    Py_XDECREF(v);
    return entry;
}

static char **
make_env(PyObject *env)
{
    Py_ssize_t n = PyMapping_Size(env);
    if (n < 0) {
        return NULL;
    }
    PyObject *keys = PyMapping_Keys(env);
    PyObject *values = keys ? PyMapping_Values(env) : NULL;
    char **envp = NULL;
    if (values == NULL) {
        goto done;
    }
    if (!PyList_Check(keys) || !PyList_Check(values)) {
        PyErr_SetString(PyExc_TypeError,
                        "env.keys() or env.values() is not a list");
        goto done;
    }
    n = Py_MIN(PyList_GET_SIZE(keys), PyList_GET_SIZE(values));
    envp = PyMem_Calloc((size_t)n + 1, sizeof(char *));
    if (envp == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *k = PyList_GetItem(keys, i);
        PyObject *v = PyList_GetItem(values, i);
        if (k == NULL || v == NULL || (envp[i] = env_entry(k, v)) == NULL) {
            free_strings(envp);
            envp = NULL;
            break;
        }
    }
done:
    Py_XDECREF(keys);
    Py_XDECREF(values);
    return envp;
}

static PyObject *
os_execv(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    posix_path path = POSIX_PATH("execv", "path", false, false);
    char **argv = NULL;
    if (_PyArg_CheckPositional("execv", nargs, 2, 2) &&
        kr_posix_path_convert(args[0], &path) &&
        (argv = make_argv(args[1], "execv() arg 2")) != NULL &&
        PySys_Audit("os.exec", "OOO", path.object, args[1], Py_None) >= 0) {
        execv(path.narrow, argv);
        kr_posix_path_error(&path);
    }
    free_strings(argv);
    kr_posix_path_done(&path);
    return NULL;
}

static PyObject *
os_execve(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("execve", "path", "argv", "env");
    posix_path path = POSIX_PATH("execve", "path", false, true);
    PyObject *a[3];
    char **argv = NULL, **envp = NULL;
    if (!kr_unpack(args, nargs, kwnames, &parser, 3, 3, 3, a) ||
        !kr_posix_path_convert(a[0], &path) ||
        (argv = make_argv(a[1], "execve: argv")) == NULL) {
        goto done;
    }
    if (!PyMapping_Check(a[2])) {
        PyErr_SetString(PyExc_TypeError,
                        "execve: environment must be a mapping object");
        goto done;
    }
    if ((envp = make_env(a[2])) == NULL ||
        PySys_Audit("os.exec", "OOO", path.object, a[1], a[2]) < 0) {
        goto done;
    }
    if (path.fd > -1) {
        fexecve(path.fd, argv, envp);
    }
    else {
        execve(path.narrow, argv, envp);
    }
    kr_posix_path_error(&path);
done:
    free_strings(argv);
    free_strings(envp);
    kr_posix_path_done(&path);
    return NULL;
}

static int
add_open_action(posix_spawn_file_actions_t *actions, PyObject *action,
                PyObject *temps)
{
    PyObject *tag, *path;
    int fd, flags;
    unsigned long mode;
    if (!PyArg_ParseTuple(
            action,
            "OiO&ik;A open file_action tuple must have 5 elements", &tag,
            &fd, PyUnicode_FSConverter, &path, &flags, &mode)) {
        return -1;
    }
    /* the list keeps the path alive until the spawn */
    int rc = PyList_Append(temps, path);
    Py_DECREF(path);
    if (rc < 0) {
        return -1;
    }
    errno = posix_spawn_file_actions_addopen(
        actions, fd, PyBytes_AS_STRING(path), flags, (mode_t)mode);
    if (errno) {
        kr_posix_error();
        return -1;
    }
    return 0;
}

static int
add_action(posix_spawn_file_actions_t *actions, PyObject *action,
           PyObject *temps)
{
    PyObject *tag;
    int fd, fd2;
    if (!PyTuple_Check(action) || !PyTuple_GET_SIZE(action)) {
        PyErr_SetString(
            PyExc_TypeError,
            "Each file_actions element must be a non-empty tuple");
        return -1;
    }
    long kind = PyLong_AsLong(PyTuple_GET_ITEM(action, 0));
    if (kind == -1 && PyErr_Occurred()) {
        return -1;
    }
    switch (kind) {
    case 0: /* POSIX_SPAWN_OPEN */
        return add_open_action(actions, action, temps);
    case 1: /* POSIX_SPAWN_CLOSE */
        if (!PyArg_ParseTuple(
                action, "Oi;A close file_action tuple must have 2 elements",
                &tag, &fd)) {
            return -1;
        }
        errno = posix_spawn_file_actions_addclose(actions, fd);
        break;
    case 2: /* POSIX_SPAWN_DUP2 */
        if (!PyArg_ParseTuple(
                action, "Oii;A dup2 file_action tuple must have 3 elements",
                &tag, &fd, &fd2)) {
            return -1;
        }
        errno = posix_spawn_file_actions_adddup2(actions, fd, fd2);
        break;
    default:
        PyErr_SetString(PyExc_TypeError, "Unknown file_actions identifier");
        return -1;
    }
    if (errno) {
        kr_posix_error();
        return -1;
    }
    return 0;
}

/* Initialises *actions from the list; -1 with *actions destroyed. */
static int
make_actions(PyObject *file_actions, posix_spawn_file_actions_t *actions,
             PyObject *temps)
{
    PyObject *seq = PySequence_Fast(file_actions,
                                    "file_actions must be a sequence or None");
    if (seq == NULL) {
        return -1;
    }
    errno = posix_spawn_file_actions_init(actions);
    if (errno) {
        kr_posix_error();
        Py_DECREF(seq);
        return -1;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(seq); i++) {
        PyObject *action = Py_NewRef(PySequence_Fast_GET_ITEM(seq, i));
        int rc = add_action(actions, action, temps);
        Py_DECREF(action);
        if (rc < 0) {
            Py_DECREF(seq);
            (void)posix_spawn_file_actions_destroy(actions);
            return -1;
        }
    }
    Py_DECREF(seq);
    return 0;
}

enum { SETPGROUP = 4, RESETIDS, SETSID, SETSIGMASK, SETSIGDEF, SCHEDULER };

static int
set_scheduler(PyObject *module, PyObject *scheduler,
              posix_spawnattr_t *attr, short *flags)
{
    PyObject *policy, *param_obj;
    struct sched_param param;
    if (!PyArg_ParseTuple(scheduler,
                          "OO;A scheduler tuple must have two elements",
                          &policy, &param_obj) ||
        !kr_posix_arg_sched_param(module, param_obj, &param)) {
        return -1;
    }
    if (policy != Py_None) {
        int value = _PyLong_AsInt(policy);
        if (value == -1 && PyErr_Occurred()) {
            return -1;
        }
        errno = posix_spawnattr_setschedpolicy(attr, value);
        if (errno) {
            kr_posix_error();
            return -1;
        }
        *flags |= POSIX_SPAWN_SETSCHEDULER;
    }
    errno = posix_spawnattr_setschedparam(attr, &param);
    if (errno) {
        kr_posix_error();
        return -1;
    }
    *flags |= POSIX_SPAWN_SETSCHEDPARAM;
    return 0;
}

/* Initialises *attr from the keyword arguments; -1 with it destroyed. */
static int
make_attributes(PyObject *module, PyObject **a, posix_spawnattr_t *attr)
{
    short flags = 0;
    sigset_t set;
    int on;
    errno = posix_spawnattr_init(attr);
    if (errno) {
        kr_posix_error();
        return -1;
    }
    if (a[SETPGROUP] != NULL && a[SETPGROUP] != Py_None) {
        int pgid = _PyLong_AsInt(a[SETPGROUP]);
        if (pgid == -1 && PyErr_Occurred()) {
            goto fail;
        }
        errno = posix_spawnattr_setpgroup(attr, pgid);
        if (errno) {
            goto fail_errno;
        }
        flags |= POSIX_SPAWN_SETPGROUP;
    }
    if (a[RESETIDS] != NULL) {
        if (!kr_arg_int(a[RESETIDS], &on)) {
            goto fail;
        }
        flags |= on ? POSIX_SPAWN_RESETIDS : 0;
    }
    if (a[SETSID] != NULL) {
        if (!kr_arg_int(a[SETSID], &on)) {
            goto fail;
        }
        flags |= on ? POSIX_SPAWN_SETSID : 0;
    }
    if (a[SETSIGMASK] != NULL) {
        if (!_Py_Sigset_Converter(a[SETSIGMASK], &set)) {
            goto fail;
        }
        errno = posix_spawnattr_setsigmask(attr, &set);
        if (errno) {
            goto fail_errno;
        }
        flags |= POSIX_SPAWN_SETSIGMASK;
    }
    if (a[SETSIGDEF] != NULL) {
        if (!_Py_Sigset_Converter(a[SETSIGDEF], &set)) {
            goto fail;
        }
        errno = posix_spawnattr_setsigdefault(attr, &set);
        if (errno) {
            goto fail_errno;
        }
        flags |= POSIX_SPAWN_SETSIGDEF;
    }
    if (a[SCHEDULER] != NULL && a[SCHEDULER] != Py_None &&
        set_scheduler(module, a[SCHEDULER], attr, &flags) < 0) {
        goto fail;
    }
    errno = posix_spawnattr_setflags(attr, flags);
    if (errno == 0) {
        return 0;
    }
fail_errno:
    kr_posix_error();
fail:
    (void)posix_spawnattr_destroy(attr);
    return -1;
}

typedef int (*spawn_function)(pid_t *, const char *,
                              const posix_spawn_file_actions_t *,
                              const posix_spawnattr_t *, char *const[],
                              char *const[]);

static PyObject *
run_spawn(PyObject *module, spawn_function spawn, posix_path *path,
          char **argv, char **envp, PyObject **a)
{
    posix_spawn_file_actions_t actions, *pactions = NULL;
    posix_spawnattr_t attr;
    PyObject *res = NULL;
    pid_t pid;
    PyObject *temps = PyList_New(0);
    if (temps == NULL) {
        return NULL;
    }
    if (a[3] != NULL && a[3] != Py_None) {
        if (make_actions(a[3], &actions, temps) < 0) {
            Py_DECREF(temps);
            return NULL;
        }
        pactions = &actions;
    }
    if (make_attributes(module, a, &attr) == 0) {
        int err = spawn(&pid, path->narrow, pactions, &attr, argv, envp);
        if (err) {
            errno = err;
            kr_posix_path_error(path);
        }
        else {
            res = PyLong_FromLong(pid);
        }
        (void)posix_spawnattr_destroy(&attr);
    }
    if (pactions != NULL) {
        (void)posix_spawn_file_actions_destroy(pactions);
    }
    Py_DECREF(temps);
    return res;
}

static PyObject *
do_spawn(PyObject *module, const char *name, spawn_function spawn,
         _PyArg_Parser *parser, KR_FASTCALL_ARGS)
{
    posix_path path = POSIX_PATH(name, "path", false, false);
    PyObject *a[10], *res = NULL;
    char **argv = NULL, **envp = NULL, what[32];
    if (!kr_unpack(args, nargs, kwnames, parser, 3, 3, 10, a) ||
        !kr_posix_path_convert(a[0], &path)) {
        goto done;
    }
    PyOS_snprintf(what, sizeof(what), "%s: argv", name);
    if ((argv = make_argv(a[1], what)) == NULL) {
        goto done;
    }
    if (!PyMapping_Check(a[2])) {
        PyErr_Format(PyExc_TypeError,
                     "%s: environment must be a mapping object", name);
        goto done;
    }
    if ((envp = make_env(a[2])) == NULL ||
        PySys_Audit("os.posix_spawn", "OOO", path.object, a[1], a[2]) < 0) {
        goto done;
    }
    res = run_spawn(module, spawn, &path, argv, envp, a);
done:
    free_strings(argv);
    free_strings(envp);
    kr_posix_path_done(&path);
    return res;
}

static PyObject *
os_posix_spawn(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("posix_spawn", "", "", "", "file_actions", "setpgroup",
              "resetids", "setsid", "setsigmask", "setsigdef", "scheduler");
    return do_spawn(module, "posix_spawn", posix_spawn, &parser, args, nargs,
                    kwnames);
}

static PyObject *
os_posix_spawnp(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("posix_spawnp", "", "", "", "file_actions", "setpgroup",
              "resetids", "setsid", "setsigmask", "setsigdef", "scheduler");
    return do_spawn(module, "posix_spawnp", posix_spawnp, &parser, args,
                    nargs, kwnames);
}

#define SPAWN_DOC(name, pad)                                                   \
    #name "($module, path, argv, env, /, *, file_actions=(),\n" pad            \
          "setpgroup=<unrepresentable>, resetids=False, setsid=False,\n" pad   \
          "setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)\n--\n\n"

PyMethodDef kr_posix_exec_methods[] = {
    {"execv", KR_CAST(os_execv), METH_FASTCALL,
     "execv($module, path, argv, /)\n--\n\n"
     "Replace this process by a program."},
    {"execve", KR_CAST(os_execve), KR_FAST,
     "execve($module, /, path, argv, env)\n--\n\n"
     "Replace this process by a program with a given environment."},
    {"posix_spawn", KR_CAST(os_posix_spawn), KR_FAST,
     SPAWN_DOC(posix_spawn, "            ") "Run a program as a child."},
    {"posix_spawnp", KR_CAST(os_posix_spawnp), KR_FAST,
     SPAWN_DOC(posix_spawnp, "             ")
     "Run a program, found by PATH, as a child."},
    {NULL},
};
