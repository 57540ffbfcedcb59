/* Terminals: size, names, foreground groups, pseudo-terminals. */
#include "modules/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utmp.h>

static PyStructSequence_Field terminal_size_fields[] = {
    {"columns", "width of the terminal window in characters"},
    {"lines", "height of the terminal window in characters"},
    {NULL},
};

static PyStructSequence_Desc terminal_size_desc = {
    "os.terminal_size",
    "A tuple of (columns, lines) for holding terminal window size.",
    terminal_size_fields,
    2,
};

static PyObject *
os_get_terminal_size(PyObject *module, PyObject *const *args,
                     Py_ssize_t nargs)
{
    int fd = fileno(stdout);
    struct winsize w;
    if (!_PyArg_CheckPositional("get_terminal_size", nargs, 0, 1) ||
        (nargs == 1 && !kr_arg_int(args[0], &fd))) {
        return NULL;
    }
    if (ioctl(fd, TIOCGWINSZ, &w)) {
        return kr_posix_error();
    }
    PyObject *v =
        PyStructSequence_New(posix_get_state(module)->terminal_size);
    if (v == NULL) {
        return NULL;
    }
    PyStructSequence_SET_ITEM(v, 0, PyLong_FromLong(w.ws_col));
    PyStructSequence_SET_ITEM(v, 1, PyLong_FromLong(w.ws_row));
    if (PyErr_Occurred()) {
        Py_CLEAR(v);
    }
    return v;
}

static PyObject *
os_ttyname(PyObject *module, PyObject *arg)
{
    char name[256];
    int fd;
    if (!kr_arg_int(arg, &fd)) {
        return NULL;
    }
    int err = ttyname_r(fd, name, sizeof(name));
    if (err != 0) {
        errno = err;
        return kr_posix_error();
    }
    return PyUnicode_DecodeFSDefault(name);
}

static PyObject *
os_ctermid(PyObject *module, PyObject *unused)
{
    char name[L_ctermid];
    char *res = ctermid(name);
    return res == NULL ? kr_posix_error() : PyUnicode_DecodeFSDefault(res);
}

static PyObject *
os_tcgetpgrp(PyObject *module, PyObject *arg)
{
    int fd;
    if (!kr_arg_int(arg, &fd)) {
        return NULL;
    }
    pid_t pgid = tcgetpgrp(fd);
    return pgid < 0 ? kr_posix_error() : PyLong_FromLong(pgid);
}

static PyObject *
os_tcsetpgrp(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int fd, pgid;
    if (!_PyArg_CheckPositional("tcsetpgrp", nargs, 2, 2) ||
        !kr_arg_int(args[0], &fd) || !kr_arg_int(args[1], &pgid)) {
        return NULL;
    }
    return kr_posix_none_or_error(tcsetpgrp(fd, pgid));
}

static PyObject *
os_openpty(PyObject *module, PyObject *unused)
{
    int master, slave;
    if (openpty(&master, &slave, NULL, NULL, NULL) != 0) {
        return kr_posix_error();
    }
    if (_Py_set_inheritable(master, 0, NULL) < 0 ||
        _Py_set_inheritable(slave, 0, NULL) < 0) {
        close(master);
        close(slave);
        return NULL;
    }
    return Py_BuildValue("(ii)", master, slave);
}

static PyObject *
os_login_tty(PyObject *module, PyObject *arg)
{
    int fd;
    if (!kr_posix_arg_fileno(arg, &fd)) {
        return NULL;
    }
    return kr_posix_none_or_error(login_tty(fd));
}

int
kr_posix_terminal_exec(PyObject *module, posix_state *state)
{
    state->terminal_size =
        kr_posix_add_structseq(module, "terminal_size", &terminal_size_desc);
    return state->terminal_size ? 0 : -1;
}

PyMethodDef kr_posix_terminal_methods[] = {
    {"get_terminal_size", KR_CAST(os_get_terminal_size), METH_FASTCALL,
     "get_terminal_size($module, fd=<unrepresentable>, /)\n--\n\n"
     "Size of a terminal window as (columns, lines)."},
    {"ttyname", os_ttyname, METH_O,
     "ttyname($module, fd, /)\n--\n\nName of a terminal device."},
    {"ctermid", os_ctermid, METH_NOARGS,
     "ctermid($module, /)\n--\n\nName of the controlling terminal."},
    {"tcgetpgrp", os_tcgetpgrp, METH_O,
     "tcgetpgrp($module, fd, /)\n--\n\n"
     "Foreground process group of a terminal."},
    {"tcsetpgrp", KR_CAST(os_tcsetpgrp), METH_FASTCALL,
     "tcsetpgrp($module, fd, pgid, /)\n--\n\n"
     "Set the foreground process group of a terminal."},
    {"openpty", os_openpty, METH_NOARGS,
     "openpty($module, /)\n--\n\n"
     "Open a pseudo-terminal; gives (master_fd, slave_fd)."},
    {"login_tty", os_login_tty, METH_O,
     "login_tty($module, fd, /)\n--\n\n"
     "Make a terminal the controlling one of a new session."},
    {NULL},
};
