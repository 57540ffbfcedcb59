/* The `_posixsubprocess` module: fork and exec for subprocess.Popen.
 *
 * Between fork (vfork, when no Python code has to run there) and exec the
 * child only makes calls that are safe in a forked copy of a threaded
 * process. Its errors travel to the parent as text through a pipe. */
#include <Python.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "modules/kwargs.h"
#include "modules/posix/ids.h"
#include "runtime/fileutils.h"

/* Everything the child needs; filled before the fork. */
struct child {
    char *const *exec_array;
    char *const *argv;
    char *const *envp;
    const char *cwd;
    int p2cread, p2cwrite, c2pread, c2pwrite;
    int errread, errwrite, errpipe_read, errpipe_write;
    int close_fds, restore_signals, call_setsid;
    pid_t pgid_to_set;
    bool call_setgid, call_setgroups, call_setuid;
    gid_t gid;
    size_t groups_size;
    const gid_t *groups;
    uid_t uid;
    int umask; /* negative: unchanged */
    int allow_vfork;
    const sigset_t *child_sigmask; /* to restore; NULL after a plain fork */
    int *fds_to_keep; /* sorted */
    size_t fds_to_keep_len;
    PyObject *preexec_fn;
    PyObject *preexec_fn_args;
};

static int
close_range_noerr(int first, int last)
{
    if (first <= last) {
        _Py_closerange(first, last);
    }
    return 0;
}

/* Closes all from 3 on but those to keep. */
static void
close_fds_except(const struct child *c)
{
    int start = 3;
    for (size_t i = 0; i < c->fds_to_keep_len; i++) {
        int keep = c->fds_to_keep[i];
        if (keep < start) {
            continue;
        }
        close_range_noerr(start, keep - 1);
        start = keep + 1;
    }
    if (start > 0) {
        close_range_noerr(start, INT_MAX);
    }
}

static int
make_inheritable(const struct child *c)
{
    for (size_t i = 0; i < c->fds_to_keep_len; i++) {
        int fd = c->fds_to_keep[i];
        if (fd != c->errpipe_write &&
            _Py_set_inheritable_async_safe(fd, 1, NULL) < 0) {
            return -1;
        }
    }
    return 0;
}

/* SIGPIPE and others that Python ignores are default again. */
static void
restore_signals(void)
{
    struct sigaction sa = {.sa_handler = SIG_DFL};
    sigaction(SIGPIPE, &sa, NULL);
    sigaction(SIGXFSZ, &sa, NULL);
}

/* Puts signal handlers back and the mask, after vfork. */
static void
restore_mask(const sigset_t *mask)
{
    for (int sig = 1; sig < NSIG; sig++) {
        void (*handler)(int) = signal(sig, SIG_DFL);
        if (handler == SIG_ERR || handler == SIG_IGN ||
            handler == SIG_DFL) {
            signal(sig, handler == SIG_IGN ? SIG_IGN : SIG_DFL);
        }
    }
    pthread_sigmask(SIG_SETMASK, mask, NULL);
}

/* Moves the pipe ends to 0, 1 and 2; -1 with errno set. */
static int
set_standard_fds(struct child *c)
{
    /* a low-numbered end would be overwritten by the dup2 of another */
    if (c->c2pwrite == 0 && (c->c2pwrite = dup(c->c2pwrite)) == -1) {
        return -1;
    }
    while (c->errwrite == 0 || c->errwrite == 1) {
        if ((c->errwrite = dup(c->errwrite)) == -1) {
            return -1;
        }
    }
    const int ends[] = {c->p2cread, c->c2pwrite, c->errwrite};
    for (int i = 0; i < 3; i++) {
        if (ends[i] == i) {
            /* dup2 onto itself would keep close-on-exec */
            if (_Py_set_inheritable_async_safe(i, 1, NULL) < 0) {
                return -1;
            }
        }
        else if (ends[i] != -1 && dup2(ends[i], i) == -1) {
            return -1;
        }
    }
    return 0;
}

static int
prepare(struct child *c)
{
    if (make_inheritable(c) < 0) {
        return -1;
    }
    /* the parent's ends */
    if ((c->p2cwrite != -1 && close(c->p2cwrite) < 0) ||
        (c->c2pread != -1 && close(c->c2pread) < 0) ||
        (c->errread != -1 && close(c->errread) < 0) ||
        close(c->errpipe_read) < 0) {
        return -1;
    }
    return set_standard_fds(c);
}

static int
change_identity(struct child *c)
{
    if (c->umask >= 0) {
        umask((mode_t)c->umask);
    }
    if (c->restore_signals) {
        restore_signals();
    }
    if (c->child_sigmask != NULL) {
        restore_mask(c->child_sigmask);
    }
    if (c->call_setsid && setsid() < 0) {
        return -1;
    }
    if (c->pgid_to_set >= 0 && setpgid(0, c->pgid_to_set) < 0) {
        return -1;
    }
    if (c->call_setgroups && setgroups(c->groups_size, c->groups) < 0) {
        return -1;
    }
    if (c->call_setgid && setregid(c->gid, c->gid) < 0) {
        return -1;
    }
    if (c->call_setuid && setreuid(c->uid, c->uid) < 0) {
        return -1;
    }
    return 0;
}

/* Tells the parent what failed and ends: "OSError:HEXERRNO:message". */
static void
report(int fd, int err, const char *message)
{
    char hex[sizeof(err) * 2 + 1], *p = hex + sizeof(hex);
    if (err != 0) {
        (void)!_Py_write_noraise(fd, "OSError:", 8);
        unsigned int n = (unsigned int)err;
        while (n != 0 && p > hex) {
            *--p = "0123456789ABCDEF"[n % 16];
            n /= 16;
        }
        (void)!_Py_write_noraise(fd, p, (size_t)(hex + sizeof(hex) - p));
        (void)!_Py_write_noraise(fd, ":", 1);
    }
    else {
        (void)!_Py_write_noraise(fd, "SubprocessError:0:", 18);
    }
    (void)!_Py_write_noraise(fd, message, strlen(message));
}

static _Noreturn void
run_child(struct child *c)
{
    const char *message = "";
    int err = 0;
    if (prepare(c) < 0) {
        err = errno;
        message = "noexec";
        goto fail;
    }
    if (c->cwd != NULL && chdir(c->cwd) == -1) {
        err = errno;
        message = "noexec";
        goto fail;
    }
    if (change_identity(c) < 0) {
        err = errno;
        message = "noexec";
        goto fail;
    }
    if (c->preexec_fn != Py_None && c->preexec_fn_args != NULL) {
        PyObject *res =
            PyObject_Call(c->preexec_fn, c->preexec_fn_args, NULL);
        if (res == NULL) {
            /* the exception itself can't be sent */
            message = "Exception occurred in preexec_fn.";
            errno = 0;
            goto fail;
        }
    }
    if (c->close_fds) {
        close_fds_except(c);
    }
    int saved = 0;
    for (int i = 0; c->exec_array[i] != NULL; i++) {
        if (c->envp != NULL) {
            execve(c->exec_array[i], c->argv, c->envp);
        }
        else {
            execv(c->exec_array[i], c->argv);
        }
        if (errno != ENOENT && errno != ENOTDIR && saved == 0) {
            saved = errno;
        }
    }
    err = saved ? saved : errno;
fail:
    report(c->errpipe_write, err, message);
    _exit(255);
}

static pid_t
start_child(struct child *c)
{
    sigset_t all, old;
    pid_t pid;
    /* vfork shares our memory: no Python code, no changed ids */
    bool use_vfork = c->allow_vfork && c->preexec_fn == Py_None &&
                     !c->call_setuid && !c->call_setgid &&
                     !c->call_setgroups;
    if (!use_vfork) {
        pid = fork();
        if (pid == 0) {
            if (c->preexec_fn != Py_None) {
                PyOS_AfterFork_Child();
            }
            run_child(c);
        }
        return pid;
    }
    sigfillset(&all);
    if (pthread_sigmask(SIG_BLOCK, &all, &old) != 0) {
        return -1;
    }
    c->child_sigmask = &old;
    pid = vfork();
    if (pid == 0) {
        run_child(c);
    }
    int err = errno;
    c->child_sigmask = NULL;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = err;
    return pid;
}

/* Checks and copies the sorted tuple of descriptors; NULL on error. */
static int *
take_fds(PyObject *tuple, int errpipe_write, size_t *len)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    long prev = -1;
    bool seen = false;
    int *fds = PyMem_New(int, n + 1);
    if (fds == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *o = PyTuple_GET_ITEM(tuple, i);
        long fd = PyLong_Check(o) ? PyLong_AsLong(o) : -1;
        if (fd < 0 || fd <= prev || fd > INT_MAX) {
            PyErr_Clear();
            PyErr_SetString(PyExc_ValueError, "bad value(s) in fds_to_keep");
            PyMem_Free(fds);
            return NULL;
        }
        fds[i] = (int)fd;
        seen |= fd == errpipe_write;
        prev = fd;
    }
    (void)seen;
    *len = (size_t)n;
    return fds;
}

/* The groups list; false with an exception. */
static bool
take_groups(struct child *c, PyObject *list, gid_t **owned)
{
    if (list == Py_None) {
        return true;
    }
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "setgroups argument must be a list");
        return false;
    }
    Py_ssize_t n = PyList_GET_SIZE(list);
    if (n > NGROUPS_MAX) {
        PyErr_SetString(PyExc_ValueError, "too many groups");
        return false;
    }
    gid_t *groups = PyMem_New(gid_t, n + 1);
    if (groups == NULL) {
        PyErr_NoMemory();
        return false;
    }
    *owned = groups;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *o = PySequence_GetItem(list, i);
        if (o == NULL) {
            return false;
        }
        if (!PyLong_Check(o)) {
            PyErr_SetString(PyExc_TypeError, "groups must be integers");
            Py_DECREF(o);
            return false;
        }
        int ok = _Py_Gid_Converter(o, &groups[i]);
        Py_DECREF(o);
        if (!ok) {
            PyErr_SetString(PyExc_ValueError, "invalid group id");
            return false;
        }
    }
    c->groups_size = (size_t)n;
    c->groups = groups;
    c->call_setgroups = true;
    return true;
}

static void
free_strings(char *const *array)
{
    for (char *const *s = array; s != NULL && *s != NULL; s++) {
        free(*s);
    }
    free((void *)array);
}

/* A NULL-terminated array of the bytes (or paths, if `convert`) in a
 * sequence; NULL with an exception. */
static char *const *
take_strings(PyObject *seq, bool convert)
{
    PyObject *fast = PySequence_Fast(seq, "argv must be a tuple");
    if (fast == NULL) {
        return NULL;
    }
    Py_ssize_t n = PySequence_Fast_GET_SIZE(fast);
    char **array = calloc((size_t)n + 1, sizeof(char *));
    for (Py_ssize_t i = 0; array != NULL && i < n; i++) {
        if (PySequence_Fast_GET_SIZE(fast) != n) {
            PyErr_SetString(PyExc_RuntimeError,
                            "args changed during iteration");
            goto fail;
        }
        PyObject *o = PySequence_Fast_GET_ITEM(fast, i), *bytes;
        if (convert) {
            if (!PyUnicode_FSConverter(o, &bytes)) {
                goto fail;
            }
        }
        else {
            bytes = Py_NewRef(o);
        }
        char *data;
        if (PyBytes_AsStringAndSize(bytes, &data, NULL) < 0) {
            Py_DECREF(bytes);
            goto fail;
        }
        array[i] = strdup(data);
        Py_DECREF(bytes);
        if (array[i] == NULL) {
            PyErr_NoMemory();
            goto fail;
        }
    }
    Py_DECREF(fast);
    if (array == NULL) {
        PyErr_NoMemory();
    }
    return array;

fail:
    Py_DECREF(fast);
    free_strings(array);
    return NULL;
}

/* Turns off the collector for code in the child; 1 if it was on. */
static int
pause_gc(void)
{
    return PyGC_Disable();
}

static PyObject *
subprocess_fork_exec(PyObject *module, PyObject *args)
{
    struct child c = {.pgid_to_set = -1};
    PyObject *process_args, *executables, *env, *cwd_obj, *keep, *groups_list;
    PyObject *gid_obj, *uid_obj, *cwd_bytes = NULL;
    gid_t *groups = NULL;
    int gc_was_on = 0;
    bool before = false;
    pid_t pid = -1;
    if (!PyArg_ParseTuple(
            args, "OOpO!OOiiiiiiiiiiiOOOiOp:fork_exec", &process_args,
            &executables, &c.close_fds, &PyTuple_Type, &keep, &cwd_obj, &env,
            &c.p2cread, &c.p2cwrite, &c.c2pread, &c.c2pwrite, &c.errread,
            &c.errwrite, &c.errpipe_read, &c.errpipe_write,
            &c.restore_signals, &c.call_setsid, &c.pgid_to_set, &gid_obj,
            &groups_list, &uid_obj, &c.umask, &c.preexec_fn,
            &c.allow_vfork)) {
        return NULL;
    }
    if (c.preexec_fn != Py_None &&
        PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "preexec_fn not supported within subinterpreters");
        return NULL;
    }
    PyInterpreterState *interp = PyInterpreterState_Get();
    if (_PyInterpreterState_GetConfig(interp)->_isolated_interpreter) {
        PyErr_SetString(PyExc_RuntimeError, "subprocess not supported for "
                                            "isolated subinterpreters");
        return NULL;
    }
    if (c.close_fds && c.errpipe_write < 3) {
        PyErr_SetString(PyExc_ValueError, "errpipe_write must be >= 3");
        return NULL;
    }
    c.fds_to_keep = take_fds(keep, c.errpipe_write, &c.fds_to_keep_len);
    if (c.fds_to_keep == NULL) {
        return NULL;
    }
    c.exec_array = take_strings(executables, false);
    if (c.exec_array == NULL) {
        goto done;
    }
    if (process_args != Py_None &&
        (c.argv = take_strings(process_args, true)) == NULL) {
        goto done;
    }
    if (env != Py_None && (c.envp = take_strings(env, false)) == NULL) {
        goto done;
    }
    if (cwd_obj != Py_None) {
        if (!PyUnicode_FSConverter(cwd_obj, &cwd_bytes)) {
            goto done;
        }
        c.cwd = PyBytes_AS_STRING(cwd_bytes);
    }
    if (!take_groups(&c, groups_list, &groups)) {
        goto done;
    }
    if (gid_obj != Py_None) {
        if (!_Py_Gid_Converter(gid_obj, &c.gid)) {
            goto done;
        }
        c.call_setgid = true;
    }
    if (uid_obj != Py_None) {
        if (!_Py_Uid_Converter(uid_obj, &c.uid)) {
            goto done;
        }
        c.call_setuid = true;
    }
    if (c.preexec_fn != Py_None) {
        gc_was_on = pause_gc();
        c.preexec_fn_args = PyTuple_New(0);
        if (c.preexec_fn_args == NULL) {
            goto done;
        }
        PyOS_BeforeFork();
        before = true;
    }
    pid = start_child(&c);
    int err = errno;
    if (before) {
        PyOS_AfterFork_Parent();
    }
    if (pid == -1) {
        errno = err;
        PyErr_SetFromErrno(PyExc_OSError);
    }
done:
    if (gc_was_on) {
        PyGC_Enable();
    }
    Py_XDECREF(c.preexec_fn_args);
    Py_XDECREF(cwd_bytes);
    free_strings(c.exec_array);
    free_strings(c.argv);
    free_strings(c.envp);
    PyMem_Free(groups);
    PyMem_Free(c.fds_to_keep);
    return pid == -1 ? NULL : PyLong_FromLong(pid);
}

static PyMethodDef subprocess_methods[] = {
    {"fork_exec", subprocess_fork_exec, METH_VARARGS,
     "fork_exec(args, executable_list, close_fds, pass_fds, cwd, env,\n"
     "          p2cread, p2cwrite, c2pread, c2pwrite,\n"
     "          errread, errwrite, errpipe_read, errpipe_write,\n"
     "          restore_signals, call_setsid, pgid_to_set,\n"
     "          gid, groups_list, uid, child_umask,\n"
     "          preexec_fn, allow_vfork)\n\n"
     "Start a program in a child process and give its pid. The child closes\n"
     "all descriptors but pass_fds if close_fds is true. Its errors before\n"
     "exec are written to errpipe_write as text."},
    {NULL},
};

static PyModuleDef_Slot subprocess_slots[] = {{0, NULL}};

static PyModuleDef subprocess_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_posixsubprocess",
    .m_doc = "A fork and exec for the module subprocess.",
    .m_methods = subprocess_methods,
    .m_slots = subprocess_slots,
};

PyMODINIT_FUNC
PyInit__posixsubprocess(void)
{
    return PyModuleDef_Init(&subprocess_def);
}
