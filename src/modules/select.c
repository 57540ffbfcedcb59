/* The `select` module: select(), poll and epoll objects. */
#include <Python.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <structmember.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include "modules/kwargs.h"
#include "modules/modfree.h"
#include "objects/ids.h"

typedef struct {
    PyTypeObject *poll_type;
    PyTypeObject *epoll_type;
} select_state;

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"EPOLLERR", (long)EPOLLERR},
    {"EPOLLET", (long)EPOLLET},
    {"EPOLLEXCLUSIVE", (long)EPOLLEXCLUSIVE},
    {"EPOLLHUP", (long)EPOLLHUP},
    {"EPOLLIN", (long)EPOLLIN},
    {"EPOLLMSG", (long)EPOLLMSG},
    {"EPOLLONESHOT", (long)EPOLLONESHOT},
    {"EPOLLOUT", (long)EPOLLOUT},
    {"EPOLLPRI", (long)EPOLLPRI},
    {"EPOLLRDBAND", (long)EPOLLRDBAND},
    {"EPOLLRDHUP", (long)EPOLLRDHUP},
    {"EPOLLRDNORM", (long)EPOLLRDNORM},
    {"EPOLLWRBAND", (long)EPOLLWRBAND},
    {"EPOLLWRNORM", (long)EPOLLWRNORM},
    {"EPOLL_CLOEXEC", (long)EPOLL_CLOEXEC},
    {"PIPE_BUF", (long)PIPE_BUF},
    {"POLLERR", (long)POLLERR},
    {"POLLHUP", (long)POLLHUP},
    {"POLLIN", (long)POLLIN},
    {"POLLMSG", (long)POLLMSG},
    {"POLLNVAL", (long)POLLNVAL},
    {"POLLOUT", (long)POLLOUT},
    {"POLLPRI", (long)POLLPRI},
    {"POLLRDBAND", (long)POLLRDBAND},
    {"POLLRDHUP", (long)POLLRDHUP},
    {"POLLRDNORM", (long)POLLRDNORM},
    {"POLLWRBAND", (long)POLLWRBAND},
    {"POLLWRNORM", (long)POLLWRNORM},
};

/* A fd_set list: the objects and their descriptors. */
struct fd_list {
    PyObject *objects[FD_SETSIZE];
    int fds[FD_SETSIZE];
    int count;
};

static void
release_list(struct fd_list *list)
{
    for (int i = 0; i < list->count; i++) {
        Py_DECREF(list->objects[i]);
    }
    list->count = 0;
}

/* Fills `set` and `list` from an iterable; the largest descriptor + 1. */
static int
take_list(PyObject *seq, fd_set *set, struct fd_list *list)
{
    int max = -1;
    list->count = 0;
    FD_ZERO(set);
    PyObject *fast =
        PySequence_Fast(seq, "arguments 1-3 must be sequences");
    if (fast == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast); i++) {
        PyObject *o = Py_NewRef(PySequence_Fast_GET_ITEM(fast, i));
        int fd = PyObject_AsFileDescriptor(o);
        if (fd < 0) {
            Py_DECREF(o);
            goto fail;
        }
        if (fd >= FD_SETSIZE) {
            PyErr_SetString(PyExc_ValueError,
                            "filedescriptor out of range in select()");
            Py_DECREF(o);
            goto fail;
        }
        if (list->count >= FD_SETSIZE) {
            PyErr_SetString(PyExc_ValueError,
                            "too many file descriptors in select()");
            Py_DECREF(o);
            goto fail;
        }
        max = Py_MAX(max, fd);
        FD_SET(fd, set);
        list->objects[list->count] = o;
        list->fds[list->count++] = fd;
    }
    Py_DECREF(fast);
    return max + 1;

fail:
    Py_DECREF(fast);
    release_list(list);
    return -1;
}

static PyObject *
ready_list(fd_set *set, struct fd_list *list)
{
    PyObject *res = PyList_New(0);
    for (int i = 0; res != NULL && i < list->count; i++) {
        if (FD_ISSET(list->fds[i], set) &&
            PyList_Append(res, list->objects[i]) < 0) {
            Py_CLEAR(res);
        }
    }
    return res;
}

/* A timeout in seconds or None (then *forever). */
static bool
take_timeout(PyObject *o, _PyTime_t *out, bool *forever, bool millis)
{
    *forever = o == NULL || o == Py_None;
    *out = -1;
    if (*forever) {
        return true;
    }
    int rc = millis ? _PyTime_FromMillisecondsObject(out, o,
                                                     _PyTime_ROUND_TIMEOUT)
                    : _PyTime_FromSecondsObject(out, o,
                                                _PyTime_ROUND_TIMEOUT);
    if (rc < 0) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_SetString(PyExc_TypeError,
                            millis ? "timeout must be an integer or None"
                                   : "timeout must be a float or None");
        }
        return false;
    }
    return true;
}

static PyObject *
select_select(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    fd_set sets[3], work[3];
    struct timeval tv, *tvp = NULL;
    _PyTime_t timeout, deadline = 0;
    bool forever;
    int max = 0, n = -1;
    PyObject *res = NULL;
    if (!_PyArg_CheckPositional("select", nargs, 3, 4) ||
        !take_timeout(nargs > 3 ? args[3] : NULL, &timeout, &forever,
                      false)) {
        return NULL;
    }
    if (!forever) {
        if (_PyTime_AsTimeval(timeout, &tv, _PyTime_ROUND_TIMEOUT) == -1) {
            return NULL;
        }
        if (tv.tv_sec < 0) {
            PyErr_SetString(PyExc_ValueError,
                            "timeout must be non-negative");
            return NULL;
        }
        tvp = &tv;
        deadline = _PyTime_Add(_PyTime_GetMonotonicClock(), timeout);
    }
    struct fd_list *lists = PyMem_Calloc(3, sizeof(*lists));
    if (lists == NULL) {
        return PyErr_NoMemory();
    }
    for (int i = 0; i < 3; i++) {
        int top = take_list(args[i], &sets[i], &lists[i]);
        if (top < 0) {
            goto done;
        }
        max = Py_MAX(max, top);
    }
    for (;;) {
        memcpy(work, sets, sizeof(work));
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        n = select(max, &work[0], &work[1], &work[2], tvp);
        Py_END_ALLOW_THREADS
        if (n >= 0 || errno != EINTR) {
            break;
        }
        if (PyErr_CheckSignals()) {
            goto done;
        }
        if (tvp != NULL) {
            timeout = deadline - _PyTime_GetMonotonicClock();
            if (timeout < 0) {
                /* nothing is ready: the sets are as before */
                memset(work, 0, sizeof(work));
                n = 0;
                break;
            }
            _PyTime_AsTimeval_clamp(timeout, &tv, _PyTime_ROUND_CEILING);
        }
    }
    if (n < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        goto done;
    }
    PyObject *r = ready_list(&work[0], &lists[0]);
    PyObject *w = ready_list(&work[1], &lists[1]);
    PyObject *x = ready_list(&work[2], &lists[2]);
    if (r && w && x) {
        res = PyTuple_Pack(3, r, w, x);
    }
    Py_XDECREF(r);
    Py_XDECREF(w);
    Py_XDECREF(x);
done:
    for (int i = 0; i < 3; i++) {
        release_list(&lists[i]);
    }
    PyMem_Free(lists);
    return res;
}

typedef struct {
    PyObject_HEAD
    PyObject *dict; /* fd: events */
    bool current;   /* ufds agrees with dict */
    int count;
    struct pollfd *ufds;
    bool running;
} Poll;

static bool
event_mask(PyObject *o, unsigned short *out)
{
    return _PyLong_UnsignedShort_Converter(o, out) != 0;
}

static int
poll_update(Poll *self)
{
    Py_ssize_t pos = 0, n = PyDict_GET_SIZE(self->dict);
    PyObject *key, *value;
    struct pollfd *ufds = PyMem_Resize(self->ufds, struct pollfd,
                                       (size_t)(n ? n : 1));
    if (ufds == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->ufds = ufds;
    self->count = (int)n;
    for (int i = 0; PyDict_Next(self->dict, &pos, &key, &value); i++) {
        ufds[i].fd = (int)PyLong_AsLong(key);
        ufds[i].events = (short)(unsigned short)PyLong_AsLong(value);
    }
    self->current = true;
    return 0;
}

static PyObject *
poll_register(Poll *self, PyObject *const *args, Py_ssize_t nargs)
{
    unsigned short mask = POLLIN | POLLPRI | POLLOUT;
    if (!_PyArg_CheckPositional("register", nargs, 1, 2)) {
        return NULL;
    }
    int fd = PyObject_AsFileDescriptor(args[0]);
    if (fd < 0 || (nargs > 1 && !event_mask(args[1], &mask))) {
        return NULL;
    }
    PyObject *key = PyLong_FromLong(fd), *value = PyLong_FromLong(mask);
    int rc = key && value ? PyDict_SetItem(self->dict, key, value) : -1;
    Py_XDECREF(key);
    Py_XDECREF(value);
    self->current = false;
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
poll_modify(Poll *self, PyObject *const *args, Py_ssize_t nargs)
{
    unsigned short mask;
    if (!_PyArg_CheckPositional("modify", nargs, 2, 2)) {
        return NULL;
    }
    int fd = PyObject_AsFileDescriptor(args[0]);
    if (fd < 0 || !event_mask(args[1], &mask)) {
        return NULL;
    }
    PyObject *key = PyLong_FromLong(fd), *value = NULL, *res = NULL;
    if (key == NULL) {
        return NULL;
    }
    if (PyDict_GetItemWithError(self->dict, key) == NULL) {
        if (!PyErr_Occurred()) {
            errno = ENOENT;
            PyErr_SetFromErrno(PyExc_OSError);
        }
    }
    else if ((value = PyLong_FromLong(mask)) != NULL &&
             PyDict_SetItem(self->dict, key, value) == 0) {
        self->current = false;
        res = Py_NewRef(Py_None);
    }
    Py_DECREF(key);
    Py_XDECREF(value);
    return res;
}

static PyObject *
poll_unregister(Poll *self, PyObject *arg)
{
    int fd = PyObject_AsFileDescriptor(arg);
    if (fd < 0) {
        return NULL;
    }
    PyObject *key = PyLong_FromLong(fd);
    int rc = key ? PyDict_DelItem(self->dict, key) : -1;
    Py_XDECREF(key);
    if (rc < 0) {
        return NULL; /* KeyError */
    }
    self->current = false;
    Py_RETURN_NONE;
}

/* Waits with poll(2), going on after signals; the count or -1. */
static int
wait_poll(Poll *self, _PyTime_t timeout, int ms)
{
    int n;
    _PyTime_t deadline =
        ms >= 0 ? _PyTime_Add(_PyTime_GetMonotonicClock(), timeout) : 0;
    for (;;) {
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        n = poll(self->ufds, (nfds_t)self->count, ms);
        Py_END_ALLOW_THREADS
        if (n >= 0) {
            return n;
        }
        if (errno != EINTR) {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (PyErr_CheckSignals()) {
            return -1;
        }
        if (ms >= 0) {
            timeout = deadline - _PyTime_GetMonotonicClock();
            if (timeout < 0) {
                return 0;
            }
            ms = (int)_PyTime_AsMilliseconds(timeout, _PyTime_ROUND_CEILING);
        }
    }
}

static PyObject *
poll_poll(Poll *self, PyObject *const *args, Py_ssize_t nargs)
{
    _PyTime_t timeout = -1, ms = -1;
    bool forever;
    if (!_PyArg_CheckPositional("poll", nargs, 0, 1) ||
        !take_timeout(nargs ? args[0] : NULL, &timeout, &forever, true)) {
        return NULL;
    }
    if (!forever) {
        ms = _PyTime_AsMilliseconds(timeout, _PyTime_ROUND_TIMEOUT);
        if (ms < INT_MIN || ms > INT_MAX) {
            PyErr_SetString(PyExc_OverflowError, "timeout is too large");
            return NULL;
        }
        ms = timeout < 0 ? -1 : ms;
    }
    if (self->running) {
        PyErr_SetString(PyExc_RuntimeError, "concurrent poll() invocation");
        return NULL;
    }
    if (!self->current && poll_update(self) < 0) {
        return NULL;
    }
    self->running = true;
    int n = wait_poll(self, timeout, (int)ms);
    self->running = false;
    if (n < 0) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && n > 0 && i < self->count; i++) {
        if (self->ufds[i].revents == 0) {
            continue;
        }
        n--;
        PyObject *pair = Py_BuildValue("ii", self->ufds[i].fd,
                                       self->ufds[i].revents & 0xffff);
        if (pair == NULL || PyList_Append(list, pair) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(pair);
    }
    return list;
}

static void
poll_dealloc(Poll *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyMem_Free(self->ufds);
    Py_XDECREF(self->dict);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef poll_methods[] = {
    {"register", KR_CAST(poll_register), METH_FASTCALL,
     "register($self, fd,\n         eventmask=select.POLLIN | "
     "select.POLLPRI | select.POLLOUT, /)\n--\n\nWatch a descriptor."},
    {"modify", KR_CAST(poll_modify), METH_FASTCALL,
     "modify($self, fd, eventmask, /)\n--\n\n"
     "Change the events of a descriptor."},
    {"unregister", (PyCFunction)poll_unregister, METH_O,
     "unregister($self, fd, /)\n--\n\nStop watching a descriptor."},
    {"poll", KR_CAST(poll_poll), METH_FASTCALL,
     "poll($self, timeout=None, /)\n--\n\n"
     "Wait for events; timeout is in milliseconds."},
    {NULL},
};

static PyType_Slot poll_slots[] = {
    {Py_tp_dealloc, poll_dealloc},
    {Py_tp_methods, poll_methods},
    {0, NULL},
};

static PyType_Spec poll_spec = {
    .name = "select.poll",
    .basicsize = sizeof(Poll),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = poll_slots,
};

static PyObject *
select_poll(PyObject *module, PyObject *unused)
{
    select_state *state = PyModule_GetState(module);
    Poll *self = (Poll *)state->poll_type->tp_alloc(state->poll_type, 0);
    if (self != NULL && (self->dict = PyDict_New()) == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

typedef struct {
    PyObject_HEAD
    int epfd; /* -1: closed */
} Epoll;

static PyObject *
epoll_closed_error(void)
{
    PyErr_SetString(PyExc_ValueError, "I/O operation on closed epoll object");
    return NULL;
}

static PyObject *
epoll_make(PyTypeObject *type, int flags, int fd)
{
    Epoll *self = (Epoll *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->epfd = fd;
    if (fd == -1) {
        Py_BEGIN_ALLOW_THREADS
        self->epfd = epoll_create1(flags | EPOLL_CLOEXEC);
        Py_END_ALLOW_THREADS
    }
    if (self->epfd < 0) {
        Py_DECREF(self);
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return (PyObject *)self;
}

static PyObject *
epoll_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("epoll", "sizehint", "flags");
    PyObject *a[2];
    int sizehint = -1, flags = 0;
    if (!kr_unpack_tuple(args, kwargs, &parser, 0, 2, 2, a) ||
        (a[0] != NULL && !kr_arg_int(a[0], &sizehint)) ||
        (a[1] != NULL && !kr_arg_int(a[1], &flags))) {
        return NULL;
    }
    if (sizehint == -1) {
        sizehint = FD_SETSIZE - 1;
    }
    else if (sizehint <= 0) {
        PyErr_SetString(PyExc_ValueError, "negative sizehint");
        return NULL;
    }
    if (flags && flags != EPOLL_CLOEXEC) {
        PyErr_SetString(PyExc_OSError, "invalid flags");
        return NULL;
    }
    return epoll_make(type, flags, -1);
}

static int
epoll_close_fd(Epoll *self)
{
    int fd = self->epfd, err = 0;
    if (fd >= 0) {
        self->epfd = -1;
        Py_BEGIN_ALLOW_THREADS
        if (close(fd) < 0) {
            err = errno;
        }
        Py_END_ALLOW_THREADS
    }
    return err;
}

static PyObject *
epoll_close(Epoll *self, PyObject *unused)
{
    errno = epoll_close_fd(self);
    if (errno) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

static void
epoll_dealloc(Epoll *self)
{
    PyTypeObject *type = Py_TYPE(self);
    (void)epoll_close_fd(self);
    freefunc release = PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

static PyObject *
epoll_fileno(Epoll *self, PyObject *unused)
{
    return self->epfd < 0 ? epoll_closed_error()
                          : PyLong_FromLong(self->epfd);
}

static PyObject *
epoll_get_closed(Epoll *self, void *closure)
{
    return PyBool_FromLong(self->epfd < 0);
}

static PyObject *
epoll_fromfd(PyTypeObject *type, PyObject *arg)
{
    int fd;
    return kr_arg_int(arg, &fd) ? epoll_make(type, 0, fd) : NULL;
}

static PyObject *
epoll_control(Epoll *self, int op, PyObject *fdobj, unsigned int events)
{
    struct epoll_event ev = {.events = events};
    int rc;
    if (self->epfd < 0) {
        return epoll_closed_error();
    }
    int fd = PyObject_AsFileDescriptor(fdobj);
    if (fd == -1) {
        return NULL;
    }
    ev.data.fd = fd;
    Py_BEGIN_ALLOW_THREADS
    rc = epoll_ctl(self->epfd, op, fd, &ev);
    Py_END_ALLOW_THREADS
    if (rc < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

static PyObject *
epoll_register(Epoll *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("register", "fd", "eventmask");
    PyObject *a[2];
    unsigned int events = EPOLLIN | EPOLLPRI | EPOLLOUT;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 2, a)) {
        return NULL;
    }
    if (a[1] != NULL) {
        events = (unsigned int)PyLong_AsUnsignedLongMask(a[1]);
        if (events == (unsigned int)-1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    return epoll_control(self, EPOLL_CTL_ADD, a[0], events);
}

static PyObject *
epoll_modify(Epoll *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("modify", "fd", "eventmask");
    PyObject *a[2];
    if (!kr_unpack(args, nargs, kwnames, &parser, 2, 2, 2, a)) {
        return NULL;
    }
    unsigned int events = (unsigned int)PyLong_AsUnsignedLongMask(a[1]);
    if (events == (unsigned int)-1 && PyErr_Occurred()) {
        return NULL;
    }
    return epoll_control(self, EPOLL_CTL_MOD, a[0], events);
}

static PyObject *
epoll_unregister(Epoll *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("unregister", "fd");
    PyObject *a[1];
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 1, a)) {
        return NULL;
    }
    return epoll_control(self, EPOLL_CTL_DEL, a[0], 0);
}

/* Waits, going on after signals; the count or -1 with an exception. */
static int
wait_epoll(Epoll *self, struct epoll_event *evs, int max, _PyTime_t timeout,
           int ms)
{
    int n;
    _PyTime_t deadline =
        timeout >= 0 ? _PyTime_Add(_PyTime_GetMonotonicClock(), timeout) : 0;
    for (;;) {
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        n = epoll_wait(self->epfd, evs, max, ms);
        Py_END_ALLOW_THREADS
        if (n >= 0) {
            return n;
        }
        if (errno != EINTR) {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (PyErr_CheckSignals()) {
            return -1;
        }
        if (timeout >= 0) {
            timeout = deadline - _PyTime_GetMonotonicClock();
            if (timeout < 0) {
                return 0;
            }
            ms = (int)_PyTime_AsMilliseconds(timeout, _PyTime_ROUND_CEILING);
        }
    }
}

static PyObject *
epoll_poll(Epoll *self, KR_FASTCALL_ARGS)
{
    KR_PARSER("poll", "timeout", "maxevents");
    PyObject *a[2], *list = NULL;
    _PyTime_t timeout, ms = -1;
    int max = -1;
    if (!kr_unpack(args, nargs, kwnames, &parser, 0, 2, 2, a) ||
        (a[1] != NULL && !kr_arg_int(a[1], &max))) {
        return NULL;
    }
    if (self->epfd < 0) {
        return epoll_closed_error();
    }
    if (a[0] != NULL && a[0] != Py_None) {
        if (_PyTime_FromSecondsObject(&timeout, a[0],
                                      _PyTime_ROUND_TIMEOUT) < 0) {
            if (PyErr_ExceptionMatches(PyExc_TypeError)) {
                PyErr_SetString(PyExc_TypeError,
                                "timeout must be an integer or None");
            }
            return NULL;
        }
        ms = _PyTime_AsMilliseconds(timeout, _PyTime_ROUND_CEILING);
        if (ms < INT_MIN || ms > INT_MAX) {
            PyErr_SetString(PyExc_OverflowError, "timeout is too large");
            return NULL;
        }
        /* any negative value: no limit */
        if (timeout < 0) {
            ms = timeout = -1;
        }
    }
    else {
        timeout = -1;
    }
    if (max == -1) {
        max = FD_SETSIZE - 1;
    }
    else if (max < 1) {
        return PyErr_Format(PyExc_ValueError,
                            "maxevents must be greater than 0, got %d", max);
    }
    struct epoll_event *evs = PyMem_New(struct epoll_event, max);
    if (evs == NULL) {
        return PyErr_NoMemory();
    }
    int n = wait_epoll(self, evs, max, timeout, (int)ms);
    if (n >= 0) {
        list = PyList_New(n);
    }
    for (int i = 0; list != NULL && i < n; i++) {
        PyObject *pair = Py_BuildValue("iI", evs[i].data.fd, evs[i].events);
        if (pair == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, pair);
    }
    PyMem_Free(evs);
    return list;
}

static PyObject *
epoll_enter(Epoll *self, PyObject *unused)
{
    return self->epfd < 0 ? epoll_closed_error() : Py_NewRef(self);
}

static PyObject *
epoll_exit(Epoll *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("__exit__", nargs, 0, 3)) {
        return NULL;
    }
    return PyObject_CallMethodNoArgs((PyObject *)self, KR_ID(close));
}

static PyMethodDef epoll_methods[] = {
    {"fromfd", (PyCFunction)epoll_fromfd, METH_O | METH_CLASS,
     "fromfd($type, fd, /)\n--\n\nAn epoll object of a descriptor."},
    {"close", (PyCFunction)epoll_close, METH_NOARGS,
     "close($self, /)\n--\n\nClose the descriptor."},
    {"fileno", (PyCFunction)epoll_fileno, METH_NOARGS,
     "fileno($self, /)\n--\n\nThe control descriptor."},
    {"modify", KR_CAST(epoll_modify), KR_FAST,
     "modify($self, /, fd, eventmask)\n--\n\n"
     "Change the events of a descriptor."},
    {"register", KR_CAST(epoll_register), KR_FAST,
     "register($self, /, fd,\n         eventmask=select.EPOLLIN | "
     "select.EPOLLPRI | select.EPOLLOUT)\n--\n\nWatch a descriptor."},
    {"unregister", KR_CAST(epoll_unregister), KR_FAST,
     "unregister($self, /, fd)\n--\n\nStop watching a descriptor."},
    {"poll", KR_CAST(epoll_poll), KR_FAST,
     "poll($self, /, timeout=None, maxevents=-1)\n--\n\n"
     "Wait for events; timeout is in seconds."},
    {"__enter__", (PyCFunction)epoll_enter, METH_NOARGS,
     "__enter__($self, /)\n--\n\n"},
    {"__exit__", KR_CAST(epoll_exit), METH_FASTCALL,
     "__exit__($self, exc_type=None, exc_value=None, exc_tb=None, /)\n"
     "--\n\n"},
    {NULL},
};

static PyGetSetDef epoll_getset[] = {
    {"closed", (getter)epoll_get_closed, NULL,
     "True if the epoll handler is closed"},
    {NULL},
};

static PyType_Slot epoll_slots[] = {
    {Py_tp_dealloc, epoll_dealloc},
    {Py_tp_doc, "select.epoll(sizehint=-1, flags=0)\n\n"
                "Watches descriptors; sizehint and flags are historical."},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_getset, epoll_getset},
    {Py_tp_methods, epoll_methods},
    {Py_tp_new, epoll_new},
    {0, NULL},
};

static PyType_Spec epoll_spec = {
    .name = "select.epoll",
    .basicsize = sizeof(Epoll),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = epoll_slots,
};

static PyMethodDef select_methods[] = {
    {"select", KR_CAST(select_select), METH_FASTCALL,
     "select($module, rlist, wlist, xlist, timeout=None, /)\n--\n\n"
     "Wait until some of the files are ready for I/O."},
    {"poll", select_poll, METH_NOARGS,
     "poll($module, /)\n--\n\nA new polling object."},
    {NULL},
};

static int
select_exec(PyObject *module)
{
    select_state *state = PyModule_GetState(module);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    state->poll_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &poll_spec, NULL);
    state->epoll_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &epoll_spec, NULL);
    if (state->poll_type == NULL || state->epoll_type == NULL ||
        PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0) {
        return -1;
    }
    return PyModule_AddType(module, state->epoll_type);
}

static int
select_traverse(PyObject *module, visitproc visit, void *arg)
{
    select_state *state = PyModule_GetState(module);
    Py_VISIT(state->poll_type);
    Py_VISIT(state->epoll_type);
    return 0;
}

static int
select_clear(PyObject *module)
{
    select_state *state = PyModule_GetState(module);
    Py_CLEAR(state->poll_type);
    Py_CLEAR(state->epoll_type);
    return 0;
}

static PyModuleDef_Slot select_slots[] = {
    {Py_mod_exec, select_exec},
    {0, NULL},
};

static PyModuleDef select_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "select",
    .m_doc = "Waiting for several files at once.",
    .m_size = sizeof(select_state),
    .m_methods = select_methods,
    .m_slots = select_slots,
    .m_traverse = select_traverse,
    .m_clear = select_clear,
    .m_free = kr_module_free,
};

PyMODINIT_FUNC
PyInit_select(void)
{
    return PyModuleDef_Init(&select_def);
}
