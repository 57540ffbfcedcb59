/* The `termios` module: terminal settings. */
#include <Python.h>
#include <asm/ioctls.h>
#include <linux/serial.h>
#include <linux/tty.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "modules/kwargs.h"
#include "modules/modfree.h"

#ifndef VSWTCH
#define VSWTCH VSWTC
#endif

typedef struct {
    PyObject *error;
} termios_state;

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"B0", (long)B0},
    {"B1000000", (long)B1000000},
    {"B110", (long)B110},
    {"B115200", (long)B115200},
    {"B1152000", (long)B1152000},
    {"B1200", (long)B1200},
    {"B134", (long)B134},
    {"B150", (long)B150},
    {"B1500000", (long)B1500000},
    {"B1800", (long)B1800},
    {"B19200", (long)B19200},
    {"B200", (long)B200},
    {"B2000000", (long)B2000000},
    {"B230400", (long)B230400},
    {"B2400", (long)B2400},
    {"B2500000", (long)B2500000},
    {"B300", (long)B300},
    {"B3000000", (long)B3000000},
    {"B3500000", (long)B3500000},
    {"B38400", (long)B38400},
    {"B4000000", (long)B4000000},
    {"B460800", (long)B460800},
    {"B4800", (long)B4800},
    {"B50", (long)B50},
    {"B500000", (long)B500000},
    {"B57600", (long)B57600},
    {"B576000", (long)B576000},
    {"B600", (long)B600},
    {"B75", (long)B75},
    {"B921600", (long)B921600},
    {"B9600", (long)B9600},
    {"BRKINT", (long)BRKINT},
    {"BS0", (long)BS0},
    {"BS1", (long)BS1},
    {"BSDLY", (long)BSDLY},
    {"CBAUD", (long)CBAUD},
    {"CBAUDEX", (long)CBAUDEX},
    {"CDSUSP", (long)CDSUSP},
    {"CEOF", (long)CEOF},
    {"CEOL", (long)CEOL},
    {"CEOT", (long)CEOT},
    {"CERASE", (long)CERASE},
    {"CFLUSH", (long)CFLUSH},
    {"CIBAUD", (long)CIBAUD},
    {"CINTR", (long)CINTR},
    {"CKILL", (long)CKILL},
    {"CLNEXT", (long)CLNEXT},
    {"CLOCAL", (long)CLOCAL},
    {"CQUIT", (long)CQUIT},
    {"CR0", (long)CR0},
    {"CR1", (long)CR1},
    {"CR2", (long)CR2},
    {"CR3", (long)CR3},
    {"CRDLY", (long)CRDLY},
    {"CREAD", (long)CREAD},
    {"CRPRNT", (long)CRPRNT},
    {"CRTSCTS", (long)CRTSCTS},
    {"CS5", (long)CS5},
    {"CS6", (long)CS6},
    {"CS7", (long)CS7},
    {"CS8", (long)CS8},
    {"CSIZE", (long)CSIZE},
    {"CSTART", (long)CSTART},
    {"CSTOP", (long)CSTOP},
    {"CSTOPB", (long)CSTOPB},
    {"CSUSP", (long)CSUSP},
    {"CWERASE", (long)CWERASE},
    {"ECHO", (long)ECHO},
    {"ECHOCTL", (long)ECHOCTL},
    {"ECHOE", (long)ECHOE},
    {"ECHOK", (long)ECHOK},
    {"ECHOKE", (long)ECHOKE},
    {"ECHONL", (long)ECHONL},
    {"ECHOPRT", (long)ECHOPRT},
    {"EXTA", (long)EXTA},
    {"EXTB", (long)EXTB},
    {"FF0", (long)FF0},
    {"FF1", (long)FF1},
    {"FFDLY", (long)FFDLY},
    {"FIOASYNC", (long)FIOASYNC},
    {"FIOCLEX", (long)FIOCLEX},
    {"FIONBIO", (long)FIONBIO},
    {"FIONCLEX", (long)FIONCLEX},
    {"FIONREAD", (long)FIONREAD},
    {"FLUSHO", (long)FLUSHO},
    {"HUPCL", (long)HUPCL},
    {"ICANON", (long)ICANON},
    {"ICRNL", (long)ICRNL},
    {"IEXTEN", (long)IEXTEN},
    {"IGNBRK", (long)IGNBRK},
    {"IGNCR", (long)IGNCR},
    {"IGNPAR", (long)IGNPAR},
    {"IMAXBEL", (long)IMAXBEL},
    {"INLCR", (long)INLCR},
    {"INPCK", (long)INPCK},
    {"IOCSIZE_MASK", (long)IOCSIZE_MASK},
    {"IOCSIZE_SHIFT", (long)IOCSIZE_SHIFT},
    {"ISIG", (long)ISIG},
    {"ISTRIP", (long)ISTRIP},
    {"IUCLC", (long)IUCLC},
    {"IXANY", (long)IXANY},
    {"IXOFF", (long)IXOFF},
    {"IXON", (long)IXON},
    {"NCC", (long)NCC},
    {"NCCS", (long)NCCS},
    {"NL0", (long)NL0},
    {"NL1", (long)NL1},
    {"NLDLY", (long)NLDLY},
    {"NOFLSH", (long)NOFLSH},
    {"N_MOUSE", (long)N_MOUSE},
    {"N_PPP", (long)N_PPP},
    {"N_SLIP", (long)N_SLIP},
    {"N_STRIP", (long)N_STRIP},
    {"N_TTY", (long)N_TTY},
    {"OCRNL", (long)OCRNL},
    {"OFDEL", (long)OFDEL},
    {"OFILL", (long)OFILL},
    {"OLCUC", (long)OLCUC},
    {"ONLCR", (long)ONLCR},
    {"ONLRET", (long)ONLRET},
    {"ONOCR", (long)ONOCR},
    {"OPOST", (long)OPOST},
    {"PARENB", (long)PARENB},
    {"PARMRK", (long)PARMRK},
    {"PARODD", (long)PARODD},
    {"PENDIN", (long)PENDIN},
    {"TAB0", (long)TAB0},
    {"TAB1", (long)TAB1},
    {"TAB2", (long)TAB2},
    {"TAB3", (long)TAB3},
    {"TABDLY", (long)TABDLY},
    {"TCFLSH", (long)TCFLSH},
    {"TCGETA", (long)TCGETA},
    {"TCGETS", (long)TCGETS},
    {"TCIFLUSH", (long)TCIFLUSH},
    {"TCIOFF", (long)TCIOFF},
    {"TCIOFLUSH", (long)TCIOFLUSH},
    {"TCION", (long)TCION},
    {"TCOFLUSH", (long)TCOFLUSH},
    {"TCOOFF", (long)TCOOFF},
    {"TCOON", (long)TCOON},
    {"TCSADRAIN", (long)TCSADRAIN},
    {"TCSAFLUSH", (long)TCSAFLUSH},
    {"TCSANOW", (long)TCSANOW},
    {"TCSBRK", (long)TCSBRK},
    {"TCSBRKP", (long)TCSBRKP},
    {"TCSETA", (long)TCSETA},
    {"TCSETAF", (long)TCSETAF},
    {"TCSETAW", (long)TCSETAW},
    {"TCSETS", (long)TCSETS},
    {"TCSETSF", (long)TCSETSF},
    {"TCSETSW", (long)TCSETSW},
    {"TCXONC", (long)TCXONC},
    {"TIOCCONS", (long)TIOCCONS},
    {"TIOCEXCL", (long)TIOCEXCL},
    {"TIOCGETD", (long)TIOCGETD},
    {"TIOCGICOUNT", (long)TIOCGICOUNT},
    {"TIOCGLCKTRMIOS", (long)TIOCGLCKTRMIOS},
    {"TIOCGPGRP", (long)TIOCGPGRP},
    {"TIOCGSERIAL", (long)TIOCGSERIAL},
    {"TIOCGSOFTCAR", (long)TIOCGSOFTCAR},
    {"TIOCGWINSZ", (long)TIOCGWINSZ},
    {"TIOCINQ", (long)TIOCINQ},
    {"TIOCLINUX", (long)TIOCLINUX},
    {"TIOCMBIC", (long)TIOCMBIC},
    {"TIOCMBIS", (long)TIOCMBIS},
    {"TIOCMGET", (long)TIOCMGET},
    {"TIOCMIWAIT", (long)TIOCMIWAIT},
    {"TIOCMSET", (long)TIOCMSET},
    {"TIOCM_CAR", (long)TIOCM_CAR},
    {"TIOCM_CD", (long)TIOCM_CD},
    {"TIOCM_CTS", (long)TIOCM_CTS},
    {"TIOCM_DSR", (long)TIOCM_DSR},
    {"TIOCM_DTR", (long)TIOCM_DTR},
    {"TIOCM_LE", (long)TIOCM_LE},
    {"TIOCM_RI", (long)TIOCM_RI},
    {"TIOCM_RNG", (long)TIOCM_RNG},
    {"TIOCM_RTS", (long)TIOCM_RTS},
    {"TIOCM_SR", (long)TIOCM_SR},
    {"TIOCM_ST", (long)TIOCM_ST},
    {"TIOCNOTTY", (long)TIOCNOTTY},
    {"TIOCNXCL", (long)TIOCNXCL},
    {"TIOCOUTQ", (long)TIOCOUTQ},
    {"TIOCPKT", (long)TIOCPKT},
    {"TIOCPKT_DATA", (long)TIOCPKT_DATA},
    {"TIOCPKT_DOSTOP", (long)TIOCPKT_DOSTOP},
    {"TIOCPKT_FLUSHREAD", (long)TIOCPKT_FLUSHREAD},
    {"TIOCPKT_FLUSHWRITE", (long)TIOCPKT_FLUSHWRITE},
    {"TIOCPKT_NOSTOP", (long)TIOCPKT_NOSTOP},
    {"TIOCPKT_START", (long)TIOCPKT_START},
    {"TIOCPKT_STOP", (long)TIOCPKT_STOP},
    {"TIOCSCTTY", (long)TIOCSCTTY},
    {"TIOCSERCONFIG", (long)TIOCSERCONFIG},
    {"TIOCSERGETLSR", (long)TIOCSERGETLSR},
    {"TIOCSERGETMULTI", (long)TIOCSERGETMULTI},
    {"TIOCSERGSTRUCT", (long)TIOCSERGSTRUCT},
    {"TIOCSERGWILD", (long)TIOCSERGWILD},
    {"TIOCSERSETMULTI", (long)TIOCSERSETMULTI},
    {"TIOCSERSWILD", (long)TIOCSERSWILD},
    {"TIOCSER_TEMT", (long)TIOCSER_TEMT},
    {"TIOCSETD", (long)TIOCSETD},
    {"TIOCSLCKTRMIOS", (long)TIOCSLCKTRMIOS},
    {"TIOCSPGRP", (long)TIOCSPGRP},
    {"TIOCSSERIAL", (long)TIOCSSERIAL},
    {"TIOCSSOFTCAR", (long)TIOCSSOFTCAR},
    {"TIOCSTI", (long)TIOCSTI},
    {"TIOCSWINSZ", (long)TIOCSWINSZ},
    {"TOSTOP", (long)TOSTOP},
    {"VDISCARD", (long)VDISCARD},
    {"VEOF", (long)VEOF},
    {"VEOL", (long)VEOL},
    {"VEOL2", (long)VEOL2},
    {"VERASE", (long)VERASE},
    {"VINTR", (long)VINTR},
    {"VKILL", (long)VKILL},
    {"VLNEXT", (long)VLNEXT},
    {"VMIN", (long)VMIN},
    {"VQUIT", (long)VQUIT},
    {"VREPRINT", (long)VREPRINT},
    {"VSTART", (long)VSTART},
    {"VSTOP", (long)VSTOP},
    {"VSUSP", (long)VSUSP},
    {"VSWTC", (long)VSWTC},
    {"VSWTCH", (long)VSWTCH},
    {"VT0", (long)VT0},
    {"VT1", (long)VT1},
    {"VTDLY", (long)VTDLY},
    {"VTIME", (long)VTIME},
    {"VWERASE", (long)VWERASE},
    {"XCASE", (long)XCASE},
    {"XTABS", (long)XTABS},
};

/* The descriptor of the first argument; -1 with an exception. */
static int
take_fd(PyObject *o)
{
    return PyObject_AsFileDescriptor(o);
}

static PyObject *
fail(PyObject *module)
{
    termios_state *state = PyModule_GetState(module);
    return PyErr_SetFromErrno(state->error);
}

static PyObject *
none_or_fail(PyObject *module, int rc)
{
    return rc == -1 ? fail(module) : Py_NewRef(Py_None);
}

/* Control characters: bytes of length 1, but VMIN and VTIME as ints when the
 * terminal is not in canonical mode. */
static PyObject *
control_chars(const struct termios *mode)
{
    PyObject *cc = PyList_New(NCCS);
    for (int i = 0; cc != NULL && i < NCCS; i++) {
        char ch = (char)mode->c_cc[i];
        PyObject *v = !(mode->c_lflag & ICANON) && (i == VMIN || i == VTIME)
                          ? PyLong_FromLong(mode->c_cc[i])
                          : PyBytes_FromStringAndSize(&ch, 1);
        if (v == NULL) {
            Py_CLEAR(cc);
            break;
        }
        PyList_SET_ITEM(cc, i, v);
    }
    return cc;
}

static PyObject *
termios_tcgetattr(PyObject *module, PyObject *arg)
{
    struct termios mode;
    int rc, fd = take_fd(arg);
    if (fd == -1) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    rc = tcgetattr(fd, &mode);
    Py_END_ALLOW_THREADS
    if (rc == -1) {
        return fail(module);
    }
    PyObject *cc = control_chars(&mode);
    return cc == NULL
               ? NULL
               : Py_BuildValue("[kkkkiiN]", (unsigned long)mode.c_iflag,
                               (unsigned long)mode.c_oflag,
                               (unsigned long)mode.c_cflag,
                               (unsigned long)mode.c_lflag,
                               (int)cfgetispeed(&mode),
                               (int)cfgetospeed(&mode), cc);
}

static bool
set_control_chars(struct termios *mode, PyObject *cc)
{
    for (int i = 0; i < NCCS; i++) {
        PyObject *v = PyList_GetItem(cc, i); /* borrowed */
        if (v == NULL) {
            return false;
        }
        if (PyBytes_Check(v) && PyBytes_GET_SIZE(v) == 1) {
            mode->c_cc[i] = (cc_t)*PyBytes_AS_STRING(v);
        }
        else if (PyLong_Check(v)) {
            long number = PyLong_AsLong(v);
            if (number == -1 && PyErr_Occurred()) {
                return false;
            }
            mode->c_cc[i] = (cc_t)number;
        }
        else {
            PyErr_SetString(PyExc_TypeError,
                            "tcsetattr: elements of attributes must be "
                            "characters or integers");
            return false;
        }
    }
    return true;
}

static PyObject *
termios_tcsetattr(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    struct termios mode;
    int when, rc, fd;
    long v[6];
    if (!_PyArg_CheckPositional("tcsetattr", nargs, 3, 3) ||
        (fd = take_fd(args[0])) == -1 || !kr_arg_int(args[1], &when)) {
        return NULL;
    }
    PyObject *list = args[2];
    if (!PyList_Check(list) || PyList_Size(list) != 7) {
        PyErr_SetString(PyExc_TypeError,
                        "tcsetattr, arg 3: must be 7 element list");
        return NULL;
    }
    /* start from the current settings: there may be fields we don't know */
    Py_BEGIN_ALLOW_THREADS
    rc = tcgetattr(fd, &mode);
    Py_END_ALLOW_THREADS
    if (rc == -1) {
        return fail(module);
    }
    for (int i = 0; i < 6; i++) {
        PyObject *item = PyList_GetItem(list, i);
        if (item == NULL || !kr_arg_long(item, &v[i])) {
            return NULL;
        }
    }
    mode.c_iflag = (tcflag_t)v[0];
    mode.c_oflag = (tcflag_t)v[1];
    mode.c_cflag = (tcflag_t)v[2];
    mode.c_lflag = (tcflag_t)v[3];
    PyObject *cc = PyList_GetItem(list, 6);
    if (cc == NULL) {
        return NULL;
    }
    if (!PyList_Check(cc) || PyList_Size(cc) != NCCS) {
        return PyErr_Format(PyExc_TypeError,
                            "tcsetattr: attributes[6] must be %d element "
                            "list",
                            NCCS);
    }
    if (!set_control_chars(&mode, cc)) {
        return NULL;
    }
    if (cfsetispeed(&mode, (speed_t)v[4]) == -1 ||
        cfsetospeed(&mode, (speed_t)v[5]) == -1) {
        return fail(module);
    }
    Py_BEGIN_ALLOW_THREADS
    rc = tcsetattr(fd, when, &mode);
    Py_END_ALLOW_THREADS
    return none_or_fail(module, rc);
}

/* tcsendbreak, tcflush and tcflow: a descriptor and one number. */
static PyObject *
fd_and_number(PyObject *module, const char *name, int (*call)(int, int),
              PyObject *const *args, Py_ssize_t nargs)
{
    int value, rc, fd;
    if (!_PyArg_CheckPositional(name, nargs, 2, 2) ||
        (fd = take_fd(args[0])) == -1 || !kr_arg_int(args[1], &value)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    rc = call(fd, value);
    Py_END_ALLOW_THREADS
    return none_or_fail(module, rc);
}

static PyObject *
termios_tcsendbreak(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return fd_and_number(module, "tcsendbreak", tcsendbreak, args, nargs);
}

static PyObject *
termios_tcflush(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return fd_and_number(module, "tcflush", tcflush, args, nargs);
}

static PyObject *
termios_tcflow(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return fd_and_number(module, "tcflow", tcflow, args, nargs);
}

static PyObject *
termios_tcdrain(PyObject *module, PyObject *arg)
{
    int rc, fd = take_fd(arg);
    if (fd == -1) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    rc = tcdrain(fd);
    Py_END_ALLOW_THREADS
    return none_or_fail(module, rc);
}

static PyObject *
termios_tcgetwinsize(PyObject *module, PyObject *arg)
{
    struct winsize w;
    int fd = take_fd(arg);
    if (fd == -1) {
        return NULL;
    }
    if (ioctl(fd, TIOCGWINSZ, &w) == -1) {
        return fail(module);
    }
    return Py_BuildValue("(ii)", (int)w.ws_row, (int)w.ws_col);
}

static PyObject *
termios_tcsetwinsize(PyObject *module, PyObject *const *args,
                     Py_ssize_t nargs)
{
    struct winsize w;
    int fd;
    if (!_PyArg_CheckPositional("tcsetwinsize", nargs, 2, 2) ||
        (fd = take_fd(args[0])) == -1) {
        return NULL;
    }
    if (!PySequence_Check(args[1]) || PySequence_Size(args[1]) != 2) {
        PyErr_SetString(PyExc_TypeError,
                        "tcsetwinsize, arg 2: must be a two-item sequence");
        return NULL;
    }
    long v[2];
    for (int i = 0; i < 2; i++) {
        PyObject *item = PySequence_GetItem(args[1], i);
        bool ok = item != NULL && kr_arg_long(item, &v[i]);
        Py_XDECREF(item);
        if (!ok) {
            return NULL;
        }
    }
    if (ioctl(fd, TIOCGWINSZ, &w) == -1) {
        return fail(module);
    }
    w.ws_row = (unsigned short)v[0];
    w.ws_col = (unsigned short)v[1];
    if (w.ws_row != v[0] || w.ws_col != v[1]) {
        PyErr_SetString(PyExc_OverflowError,
                        "winsize value(s) out of range.");
        return NULL;
    }
    return none_or_fail(module, ioctl(fd, TIOCSWINSZ, &w));
}

static PyMethodDef termios_methods[] = {
    {"tcgetattr", termios_tcgetattr, METH_O,
     "tcgetattr($module, fd, /)\n--\n\n"
     "Settings: [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]."},
    {"tcsetattr", KR_CAST(termios_tcsetattr), METH_FASTCALL,
     "tcsetattr($module, fd, when, attributes, /)\n--\n\nChange settings."},
    {"tcsendbreak", KR_CAST(termios_tcsendbreak), METH_FASTCALL,
     "tcsendbreak($module, fd, duration, /)\n--\n\nSend a break."},
    {"tcdrain", termios_tcdrain, METH_O,
     "tcdrain($module, fd, /)\n--\n\nWait until all output is sent."},
    {"tcflush", KR_CAST(termios_tcflush), METH_FASTCALL,
     "tcflush($module, fd, queue, /)\n--\n\nDiscard queued data."},
    {"tcflow", KR_CAST(termios_tcflow), METH_FASTCALL,
     "tcflow($module, fd, action, /)\n--\n\nSuspend or resume data."},
    {"tcgetwinsize", termios_tcgetwinsize, METH_O,
     "tcgetwinsize($module, fd, /)\n--\n\nWindow size: (rows, columns)."},
    {"tcsetwinsize", KR_CAST(termios_tcsetwinsize), METH_FASTCALL,
     "tcsetwinsize($module, fd, winsize, /)\n--\n\nSet the window size."},
    {NULL},
};

static int
termios_exec(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    termios_state *state = PyModule_GetState(module);
    state->error = PyErr_NewException("termios.error", NULL, NULL);
    return state->error
               ? PyModule_AddObjectRef(module, "error", state->error)
               : -1;
}

static int
termios_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((termios_state *)PyModule_GetState(module))->error);
    return 0;
}

static int
termios_clear(PyObject *module)
{
    Py_CLEAR(((termios_state *)PyModule_GetState(module))->error);
    return 0;
}

static PyModuleDef_Slot termios_slots[] = {
    {Py_mod_exec, termios_exec},
    {0, NULL},
};

static PyModuleDef termios_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "termios",
    .m_doc = "Settings of POSIX terminals.",
    .m_size = sizeof(termios_state),
    .m_methods = termios_methods,
    .m_slots = termios_slots,
    .m_traverse = termios_traverse,
    .m_clear = termios_clear,
    .m_free = kr_module_free,
};

PyMODINIT_FUNC
PyInit_termios(void)
{
    return PyModuleDef_Init(&termios_def);
}
