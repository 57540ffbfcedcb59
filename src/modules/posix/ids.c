/* User, group, session and process-group ids, priorities. */
#include "modules/posix/posix.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static PyObject *
os_getuid(PyObject *module, PyObject *unused)
{
    return _PyLong_FromUid(getuid());
}

static PyObject *
os_geteuid(PyObject *module, PyObject *unused)
{
    return _PyLong_FromUid(geteuid());
}

static PyObject *
os_getgid(PyObject *module, PyObject *unused)
{
    return _PyLong_FromGid(getgid());
}

static PyObject *
os_getegid(PyObject *module, PyObject *unused)
{
    return _PyLong_FromGid(getegid());
}

static PyObject *
os_getpid(PyObject *module, PyObject *unused)
{
    return PyLong_FromLong(getpid());
}

static PyObject *
os_getppid(PyObject *module, PyObject *unused)
{
    return PyLong_FromLong(getppid());
}

static PyObject *
os_getpgrp(PyObject *module, PyObject *unused)
{
    return PyLong_FromLong(getpgrp());
}

static PyObject *
os_setpgrp(PyObject *module, PyObject *unused)
{
    return kr_posix_none_or_error(setpgid(0, 0));
}

static PyObject *
os_setsid(PyObject *module, PyObject *unused)
{
    return kr_posix_none_or_error(setsid() < 0 ? -1 : 0);
}

static PyObject *
os_getpgid(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("getpgid", "pid");
    PyObject *a[1];
    int pid;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a) ||
        !kr_arg_parsed_int(a[0], &pid)) {
        return NULL;
    }
    pid_t pgid = getpgid(pid);
    return pgid < 0 ? kr_posix_error() : PyLong_FromLong(pgid);
}

static PyObject *
os_setpgid(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int pid, pgrp;
    if (!_PyArg_CheckPositional("setpgid", nargs, 2, 2) ||
        !kr_arg_parsed_int(args[0], &pid) || !kr_arg_parsed_int(args[1], &pgrp)) {
        return NULL;
    }
    return kr_posix_none_or_error(setpgid(pid, pgrp));
}

static PyObject *
os_getsid(PyObject *module, PyObject *arg)
{
    int pid;
    if (!kr_arg_parsed_int(arg, &pid)) {
        return NULL;
    }
    pid_t sid = getsid(pid);
    return sid < 0 ? kr_posix_error() : PyLong_FromLong(sid);
}

static PyObject *
os_setuid(PyObject *module, PyObject *arg)
{
    uid_t id;
    return _Py_Uid_Converter(arg, &id) ? kr_posix_none_or_error(setuid(id))
                                       : NULL;
}

static PyObject *
os_seteuid(PyObject *module, PyObject *arg)
{
    uid_t id;
    return _Py_Uid_Converter(arg, &id) ? kr_posix_none_or_error(seteuid(id))
                                       : NULL;
}

static PyObject *
os_setgid(PyObject *module, PyObject *arg)
{
    gid_t id;
    return _Py_Gid_Converter(arg, &id) ? kr_posix_none_or_error(setgid(id))
                                       : NULL;
}

static PyObject *
os_setegid(PyObject *module, PyObject *arg)
{
    gid_t id;
    return _Py_Gid_Converter(arg, &id) ? kr_posix_none_or_error(setegid(id))
                                       : NULL;
}

static PyObject *
os_setreuid(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    uid_t r, e;
    if (!_PyArg_CheckPositional("setreuid", nargs, 2, 2) ||
        !_Py_Uid_Converter(args[0], &r) || !_Py_Uid_Converter(args[1], &e)) {
        return NULL;
    }
    return kr_posix_none_or_error(setreuid(r, e));
}

static PyObject *
os_setregid(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    gid_t r, e;
    if (!_PyArg_CheckPositional("setregid", nargs, 2, 2) ||
        !_Py_Gid_Converter(args[0], &r) || !_Py_Gid_Converter(args[1], &e)) {
        return NULL;
    }
    return kr_posix_none_or_error(setregid(r, e));
}

static PyObject *
os_setresuid(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    uid_t r, e, s;
    if (!_PyArg_CheckPositional("setresuid", nargs, 3, 3) ||
        !_Py_Uid_Converter(args[0], &r) || !_Py_Uid_Converter(args[1], &e) ||
        !_Py_Uid_Converter(args[2], &s)) {
        return NULL;
    }
    return kr_posix_none_or_error(setresuid(r, e, s));
}

static PyObject *
os_setresgid(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    gid_t r, e, s;
    if (!_PyArg_CheckPositional("setresgid", nargs, 3, 3) ||
        !_Py_Gid_Converter(args[0], &r) || !_Py_Gid_Converter(args[1], &e) ||
        !_Py_Gid_Converter(args[2], &s)) {
        return NULL;
    }
    return kr_posix_none_or_error(setresgid(r, e, s));
}

static PyObject *
os_getresuid(PyObject *module, PyObject *unused)
{
    uid_t r, e, s;
    if (getresuid(&r, &e, &s) < 0) {
        return kr_posix_error();
    }
    return Py_BuildValue("(NNN)", _PyLong_FromUid(r), _PyLong_FromUid(e),
                         _PyLong_FromUid(s));
}

static PyObject *
os_getresgid(PyObject *module, PyObject *unused)
{
    gid_t r, e, s;
    if (getresgid(&r, &e, &s) < 0) {
        return kr_posix_error();
    }
    return Py_BuildValue("(NNN)", _PyLong_FromGid(r), _PyLong_FromGid(e),
                         _PyLong_FromGid(s));
}

static PyObject *
group_list(const gid_t *groups, int n)
{
    PyObject *list = PyList_New(n);
    for (int i = 0; list != NULL && i < n; i++) {
        PyObject *id = _PyLong_FromGid(groups[i]);
        if (id == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, id);
    }
    return list;
}

static PyObject *
os_getgroups(PyObject *module, PyObject *unused)
{
    int n = getgroups(0, NULL);
    if (n < 0) {
        return kr_posix_error();
    }
    gid_t *groups = PyMem_New(gid_t, n + 1);
    if (groups == NULL) {
        return PyErr_NoMemory();
    }
    n = n ? getgroups(n, groups) : 0;
    PyObject *res = n < 0 ? kr_posix_error() : group_list(groups, n);
    PyMem_Free(groups);
    return res;
}

static PyObject *
os_setgroups(PyObject *module, PyObject *arg)
{
    gid_t groups[NGROUPS_MAX];
    if (!PySequence_Check(arg)) {
        return PyErr_Format(PyExc_TypeError,
                            "setgroups argument must be a sequence");
    }
    Py_ssize_t n = PySequence_Size(arg);
    if (n < 0) {
        return NULL;
    }
    if (n > NGROUPS_MAX) {
        return PyErr_Format(PyExc_ValueError, "too many groups");
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(arg, i);
        if (item == NULL) {
            return NULL;
        }
        if (!PyLong_Check(item)) {
            PyErr_SetString(PyExc_TypeError, "groups must be integers");
            Py_DECREF(item);
            return NULL;
        }
        bool ok = _Py_Gid_Converter(item, &groups[i]);
        Py_DECREF(item);
        if (!ok) {
            return NULL;
        }
    }
    return kr_posix_none_or_error(setgroups((size_t)n, groups));
}

static PyObject *
os_getgrouplist(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    gid_t base, *groups = NULL;
    int n = 64, rc;
    if (!_PyArg_CheckPositional("getgrouplist", nargs, 2, 2)) {
        return NULL;
    }
    if (!PyUnicode_Check(args[0])) {
        _PyArg_BadArgument("getgrouplist", "argument 1", "str", args[0]);
        return NULL;
    }
    Py_ssize_t length;
    const char *user = PyUnicode_AsUTF8AndSize(args[0], &length);
    if (user == NULL) {
        return NULL;
    }
    if (strlen(user) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    if (!_Py_Gid_Converter(args[1], &base)) {
        return NULL;
    }
    do {
        gid_t *bigger = PyMem_Resize(groups, gid_t, (size_t)n);
        if (bigger == NULL) {
            PyMem_Free(groups);
            return PyErr_NoMemory();
        }
        groups = bigger;
        int had = n;
        rc = getgrouplist(user, base, groups, &n);
        n = rc == -1 && n <= had ? had * 2 : n;
    } while (rc == -1);
    PyObject *res = group_list(groups, n);
    PyMem_Free(groups);
    return res;
}

static PyObject *
os_initgroups(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *user;
    gid_t gid;
    if (!_PyArg_CheckPositional("initgroups", nargs, 2, 2) ||
        !PyUnicode_FSConverter(args[0], &user)) {
        return NULL;
    }
    int rc = 0;
    bool ok = _Py_Gid_Converter(args[1], &gid);
    if (ok) {
        rc = initgroups(PyBytes_AS_STRING(user), gid);
    }
    Py_DECREF(user);
    return ok ? kr_posix_none_or_error(rc) : NULL;
}

static PyObject *
os_getlogin(PyObject *module, PyObject *unused)
{
    errno = 0;
    const char *name = getlogin();
    if (name == NULL) {
        if (errno == 0) {
            PyErr_SetString(PyExc_OSError, "unable to determine login name");
            return NULL;
        }
        return kr_posix_error();
    }
    return PyUnicode_DecodeFSDefault(name);
}

static PyObject *
os_getpriority(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("getpriority", "which", "who");
    PyObject *a[2];
    int which, who;
    if (!kr_unpack(args, nargs, kwnames, &parser, 2, 2, 2, a) ||
        !kr_arg_int(a[0], &which) || !kr_arg_int(a[1], &who)) {
        return NULL;
    }
    errno = 0;
    int value = getpriority((__priority_which_t)which, (id_t)who);
    return errno != 0 ? kr_posix_error() : PyLong_FromLong(value);
}

static PyObject *
os_setpriority(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("setpriority", "which", "who", "priority");
    PyObject *a[3];
    int which, who, priority;
    if (!kr_unpack(args, nargs, kwnames, &parser, 3, 3, 3, a) ||
        !kr_arg_int(a[0], &which) || !kr_arg_int(a[1], &who) ||
        !kr_arg_int(a[2], &priority)) {
        return NULL;
    }
    return kr_posix_none_or_error(
        setpriority((__priority_which_t)which, (id_t)who, priority));
}

static PyObject *
os_nice(PyObject *module, PyObject *arg)
{
    int increment;
    if (!kr_arg_int(arg, &increment)) {
        return NULL;
    }
    errno = 0;
    int value = nice(increment);
    return value == -1 && errno != 0 ? kr_posix_error()
                                     : PyLong_FromLong(value);
}

static PyObject *
os_kill(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int pid, sig;
    if (!_PyArg_CheckPositional("kill", nargs, 2, 2) ||
        !kr_arg_parsed_int(args[0], &pid) || !kr_arg_int(args[1], &sig) ||
        PySys_Audit("os.kill", "ii", pid, sig) < 0) {
        return NULL;
    }
    if (kill(pid, sig) == -1) {
        return kr_posix_error();
    }
    /* a signal sent to ourselves is handled before kill() returns */
    if (PyErr_CheckSignals()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
os_killpg(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int pgid, sig;
    if (!_PyArg_CheckPositional("killpg", nargs, 2, 2) ||
        !kr_arg_parsed_int(args[0], &pgid) || !kr_arg_int(args[1], &sig) ||
        PySys_Audit("os.killpg", "ii", pgid, sig) < 0) {
        return NULL;
    }
    if (killpg(pgid, sig) == -1) {
        return kr_posix_error();
    }
    if (PyErr_CheckSignals()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

#define NOARGS(name, doc)                                                      \
    {#name, os_##name, METH_NOARGS, #name "($module, /)\n--\n\n" doc}
#define ONE(name, params, doc)                                                 \
    {#name, os_##name, METH_O, #name "($module, " params ", /)\n--\n\n" doc}
#define POSITIONAL(name, params, doc)                                          \
    {#name, KR_CAST(os_##name), METH_FASTCALL,                                 \
     #name "($module, " params ", /)\n--\n\n" doc}
#define NAMED(name, params, doc)                                               \
    {#name, KR_CAST(os_##name), KR_FAST,                                       \
     #name "($module, /, " params ")\n--\n\n" doc}

PyMethodDef kr_posix_id_methods[] = {
    NOARGS(getuid, "Real user id of the process."),
    NOARGS(geteuid, "Effective user id of the process."),
    NOARGS(getgid, "Real group id of the process."),
    NOARGS(getegid, "Effective group id of the process."),
    NOARGS(getpid, "Id of the process."),
    NOARGS(getppid, "Id of the parent process."),
    NOARGS(getpgrp, "Id of the process group."),
    NOARGS(setpgrp, "Make the process the leader of its group."),
    NOARGS(setsid, "Start a new session."),
    NAMED(getpgid, "pid", "Process group of a process."),
    POSITIONAL(setpgid, "pid, pgrp", "Put a process into a group."),
    ONE(getsid, "pid", "Session of a process."),
    ONE(setuid, "uid", "Set the user id."),
    ONE(seteuid, "euid", "Set the effective user id."),
    ONE(setgid, "gid", "Set the group id."),
    ONE(setegid, "egid", "Set the effective group id."),
    POSITIONAL(setreuid, "ruid, euid", "Set real and effective user id."),
    POSITIONAL(setregid, "rgid, egid", "Set real and effective group id."),
    POSITIONAL(setresuid, "ruid, euid, suid",
               "Set real, effective and saved user id."),
    POSITIONAL(setresgid, "rgid, egid, sgid",
               "Set real, effective and saved group id."),
    NOARGS(getresuid, "The real, effective and saved user id."),
    NOARGS(getresgid, "The real, effective and saved group id."),
    NOARGS(getgroups, "Supplementary groups of the process."),
    ONE(setgroups, "groups", "Set the supplementary groups."),
    POSITIONAL(getgrouplist, "user, group", "Groups that a user is in."),
    POSITIONAL(initgroups, "username, gid",
               "Set the supplementary groups to those of a user."),
    NOARGS(getlogin, "Name of the user logged in on the terminal."),
    NAMED(getpriority, "which, who", "Scheduling priority."),
    NAMED(setpriority, "which, who, priority", "Set a scheduling priority."),
    ONE(nice, "increment", "Add to the priority; gives the new one."),
    POSITIONAL(kill, "pid, signal", "Send a signal to a process."),
    POSITIONAL(killpg, "pgid, signal", "Send a signal to a group."),
    {NULL},
};
