/* The socket type: life, timeouts, connecting, sending and receiving. */
#include "modules/_socket/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <structmember.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct kr_socket_state kr_socket_state = {NULL, NULL, -1};

PyObject *
kr_sock_error(void)
{
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* Waits for the socket: -1 failed (errno), 0 ready, 1 timed out. */
static int
wait_ready(Socket *s, bool writing, _PyTime_t interval, bool connect)
{
    struct pollfd pollfd = {.fd = s->fd};
    int n;
    if (s->fd < 0) {
        return 0; /* the call itself fails with EBADF */
    }
    pollfd.events = writing ? POLLOUT : POLLIN;
    if (connect) {
        pollfd.events |= POLLERR;
    }
    _PyTime_t ms = _PyTime_AsMilliseconds(interval, _PyTime_ROUND_CEILING);
    if (ms > INT_MAX) {
        ms = INT_MAX;
    }
    Py_BEGIN_ALLOW_THREADS
    n = poll(&pollfd, 1, interval < 0 ? -1 : (int)ms);
    Py_END_ALLOW_THREADS
    return n < 0 ? -1 : n == 0;
}

int
kr_sock_call(Socket *s, bool writing, sock_function func, void *data,
             bool connect, int *err, _PyTime_t timeout)
{
    _PyTime_t deadline = 0;
    bool has_timeout = timeout > 0, started = false;
    for (;;) {
        bool ok;
        if (has_timeout || connect) {
            _PyTime_t interval = timeout;
            int res = 1;
            if (has_timeout) {
                if (started) {
                    interval = deadline - _PyTime_GetMonotonicClock();
                }
                else {
                    started = true;
                    deadline =
                        _PyTime_Add(_PyTime_GetMonotonicClock(), timeout);
                }
                if (interval >= 0) {
                    res = wait_ready(s, writing, interval, connect);
                }
            }
            else {
                res = wait_ready(s, writing, timeout, connect);
            }
            if (res < 0) {
                if (err) {
                    *err = errno;
                }
                if (errno == EINTR) {
                    if (PyErr_CheckSignals()) {
                        if (err) {
                            *err = -1;
                        }
                        return -1;
                    }
                    continue;
                }
                s->errorhandler();
                return -1;
            }
            if (res == 1) {
                if (err) {
                    *err = EWOULDBLOCK;
                }
                else {
                    PyErr_SetString(PyExc_TimeoutError, "timed out");
                }
                return -1;
            }
        }
        for (;;) {
            Py_BEGIN_ALLOW_THREADS
            ok = func(s, data);
            Py_END_ALLOW_THREADS
            if (ok) {
                if (err) {
                    *err = 0;
                }
                return 0;
            }
            if (err) {
                *err = errno;
            }
            if (errno != EINTR) {
                break;
            }
            if (PyErr_CheckSignals()) {
                if (err) {
                    *err = -1;
                }
                return -1;
            }
        }
        /* poll() may say "ready" wrongly, as for a bad checksum */
        if (s->timeout > 0 && (errno == EWOULDBLOCK || errno == EAGAIN)) {
            continue;
        }
        if (!err) {
            s->errorhandler();
        }
        return -1;
    }
}

static int
set_blocking(Socket *s, bool block)
{
    int on = !block, rc;
    Py_BEGIN_ALLOW_THREADS
    rc = ioctl(s->fd, FIONBIO, &on);
    Py_END_ALLOW_THREADS
    if (rc < 0) {
        kr_sock_error();
    }
    return rc;
}

static int
init_object(Socket *s, int fd, int family, int type, int proto)
{
    s->fd = fd;
    s->family = family;
    s->type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    s->proto = proto;
    s->errorhandler = kr_sock_error;
    if (type & SOCK_NONBLOCK) {
        s->timeout = 0;
        return 0;
    }
    s->timeout = kr_socket_state.default_timeout;
    return s->timeout >= 0 ? set_blocking(s, false) : 0;
}

PyObject *
kr_sock_new(int fd, int family, int type, int proto)
{
    Socket *s = (Socket *)PyType_GenericNew(&kr_Socket_Type, NULL, NULL);
    if (s == NULL) {
        close(fd);
        return NULL;
    }
    if (init_object(s, fd, family, type, proto) < 0) {
        Py_DECREF(s);
        return NULL;
    }
    return (PyObject *)s;
}

bool
kr_sock_take_timeout(PyObject *o, _PyTime_t *out)
{
    if (o == Py_None) {
        *out = -1;
        return true;
    }
    if (_PyTime_FromSecondsObject(out, o, _PyTime_ROUND_TIMEOUT) < 0) {
        return false;
    }
    if (*out < 0) {
        PyErr_SetString(PyExc_ValueError, "Timeout value out of range");
        return false;
    }
    _PyTime_t ms = _PyTime_AsMilliseconds(*out, _PyTime_ROUND_TIMEOUT);
    if (ms > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError,
                        "timeout doesn't fit into C timeval");
        return false;
    }
    return true;
}

PyObject *
kr_sock_timeout_object(_PyTime_t timeout)
{
    if (timeout < 0) {
        Py_RETURN_NONE;
    }
    return PyFloat_FromDouble(_PyTime_AsSecondsDouble(timeout));
}

struct accept_call {
    socklen_t *len;
    sock_addr *addr;
    int fd;
};

static bool
do_accept(Socket *s, void *data)
{
    struct accept_call *c = data;
    struct sockaddr *sa = s->family == AF_ALG ? NULL : &c->addr->sa;
    c->fd = accept4(s->fd, sa, sa ? c->len : NULL, SOCK_CLOEXEC);
    return c->fd >= 0;
}

static PyObject *
sock_accept(Socket *s, PyObject *unused)
{
    sock_addr addr;
    socklen_t len;
    struct accept_call c = {&len, &addr, -1};
    if (!kr_sock_address_size(s, &len)) {
        return NULL;
    }
    memset(&addr, 0, sizeof(addr));
    if (s->family == AF_ALG) {
        len = 0;
    }
    if (kr_sock_call(s, false, do_accept, &c, false, NULL, s->timeout) < 0) {
        return NULL;
    }
    PyObject *fd = PyLong_FromLong(c.fd);
    if (fd == NULL) {
        close(c.fd);
        return NULL;
    }
    PyObject *address = kr_sock_make_address(c.fd, &addr, len, s->proto);
    PyObject *res = address ? PyTuple_Pack(2, fd, address) : NULL;
    Py_DECREF(fd);
    Py_XDECREF(address);
    return res;
}

static PyObject *
sock_setblocking(Socket *s, PyObject *arg)
{
    long flag;
    if (!kr_arg_long(arg, &flag)) {
        return NULL;
    }
    int block = flag != 0;
    s->timeout = block ? -1 : 0;
    if (set_blocking(s, block) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
sock_getblocking(Socket *s, PyObject *unused)
{
    return PyBool_FromLong(s->timeout != 0);
}

static PyObject *
sock_settimeout(Socket *s, PyObject *arg)
{
    _PyTime_t timeout;
    if (!kr_sock_take_timeout(arg, &timeout)) {
        return NULL;
    }
    s->timeout = timeout;
    /* with a timeout we wait ourselves: the calls must not block */
    if (set_blocking(s, timeout < 0) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
sock_gettimeout(Socket *s, PyObject *unused)
{
    return kr_sock_timeout_object(s->timeout);
}

static PyObject *
none_or_error(Socket *s, int rc)
{
    return rc < 0 ? s->errorhandler() : Py_NewRef(Py_None);
}

static PyObject *
sock_setsockopt(Socket *s, PyObject *args)
{
    int level, name, flag;
    unsigned int length;
    PyObject *none;
    Py_buffer value;
    if (s->family == AF_VSOCK) {
        uint64_t size;
        if (PyArg_ParseTuple(args, "iiK:setsockopt", &level, &name, &size)) {
            return none_or_error(s, setsockopt(s->fd, level, name, &size,
                                               sizeof(size)));
        }
        PyErr_Clear();
    }
    if (PyArg_ParseTuple(args, "iii:setsockopt", &level, &name, &flag)) {
        return none_or_error(
            s, setsockopt(s->fd, level, name, &flag, sizeof(flag)));
    }
    PyErr_Clear();
    if (PyArg_ParseTuple(args, "iiO!I:setsockopt", &level, &name,
                         Py_TYPE(Py_None), &none, &length)) {
        return none_or_error(
            s, setsockopt(s->fd, level, name, NULL, (socklen_t)length));
    }
    PyErr_Clear();
    if (!PyArg_ParseTuple(args, "iiy*:setsockopt", &level, &name, &value)) {
        return NULL;
    }
    int rc = setsockopt(s->fd, level, name, value.buf, (socklen_t)value.len);
    PyBuffer_Release(&value);
    return none_or_error(s, rc);
}

static PyObject *
sock_getsockopt(Socket *s, PyObject *args)
{
    int level, name;
    socklen_t len = 0;
    if (!PyArg_ParseTuple(args, "ii|i:getsockopt", &level, &name, &len)) {
        return NULL;
    }
    if (len == 0) {
        if (s->family == AF_VSOCK) {
            uint64_t value = 0;
            len = sizeof(value);
            if (getsockopt(s->fd, level, name, &value, &len) < 0) {
                return s->errorhandler();
            }
            return PyLong_FromUnsignedLong(value);
        }
        int flag = 0;
        len = sizeof(flag);
        if (getsockopt(s->fd, level, name, &flag, &len) < 0) {
            return s->errorhandler();
        }
        return PyLong_FromLong(flag);
    }
    if (s->family == AF_VSOCK) {
        PyErr_SetString(PyExc_OSError, "getsockopt string buffer not allowed");
        return NULL;
    }
    if ((int)len <= 0 || len > 1024) {
        PyErr_SetString(PyExc_OSError, "getsockopt buflen out of range");
        return NULL;
    }
    PyObject *buf = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)len);
    if (buf == NULL) {
        return NULL;
    }
    if (getsockopt(s->fd, level, name, PyBytes_AS_STRING(buf), &len) < 0) {
        Py_DECREF(buf);
        return s->errorhandler();
    }
    _PyBytes_Resize(&buf, (Py_ssize_t)len);
    return buf;
}

static PyObject *
sock_bind(Socket *s, PyObject *arg)
{
    sock_addr addr;
    int len, rc;
    if (!kr_sock_take_address(s, arg, &addr, &len, "bind") ||
        PySys_Audit("socket.bind", "OO", s, arg) < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    rc = bind(s->fd, &addr.sa, (socklen_t)len);
    Py_END_ALLOW_THREADS
    return none_or_error(s, rc);
}

static PyObject *
sock_close(Socket *s, PyObject *unused)
{
    int fd = s->fd, rc;
    if (fd != -1) {
        s->fd = -1;
        /* never retried: the number may belong to somebody else by now */
        Py_BEGIN_ALLOW_THREADS
        rc = close(fd);
        Py_END_ALLOW_THREADS
        /* the peer's reset is no news to who closes */
        if (rc < 0 && errno != ECONNRESET) {
            return s->errorhandler();
        }
    }
    Py_RETURN_NONE;
}

static PyObject *
sock_detach(Socket *s, PyObject *unused)
{
    int fd = s->fd;
    s->fd = -1;
    return PyLong_FromLong(fd);
}

static bool
finish_connect(Socket *s, void *data)
{
    int err;
    socklen_t size = sizeof(err);
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &size)) {
        return false;
    }
    errno = err;
    return err == EISCONN || err == 0;
}

/* 0, or an error number; -1 with an exception set. With `raise`, errors are
 * exceptions. */
static int
internal_connect(Socket *s, sock_addr *addr, int len, bool raise)
{
    int rc, err;
    Py_BEGIN_ALLOW_THREADS
    rc = connect(s->fd, &addr->sa, (socklen_t)len);
    Py_END_ALLOW_THREADS
    if (rc == 0) {
        return 0;
    }
    err = errno;
    bool wait;
    if (err == EINTR) {
        if (PyErr_CheckSignals()) {
            return -1;
        }
        /* an interrupted connect goes on by itself */
        wait = s->timeout != 0;
    }
    else {
        wait = s->timeout > 0 && err == EINPROGRESS;
    }
    if (!wait) {
        if (raise) {
            errno = err;
            s->errorhandler();
            return -1;
        }
        return err;
    }
    if (raise) {
        return kr_sock_call(s, true, finish_connect, NULL, true, NULL,
                            s->timeout) < 0
                   ? -1
                   : 0;
    }
    if (kr_sock_call(s, true, finish_connect, NULL, true, &err, s->timeout) <
        0) {
        return err;
    }
    return 0;
}

static PyObject *
sock_connect(Socket *s, PyObject *arg)
{
    sock_addr addr;
    int len;
    if (!kr_sock_take_address(s, arg, &addr, &len, "connect") ||
        PySys_Audit("socket.connect", "OO", s, arg) < 0 ||
        internal_connect(s, &addr, len, true) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
sock_connect_ex(Socket *s, PyObject *arg)
{
    sock_addr addr;
    int len;
    if (!kr_sock_take_address(s, arg, &addr, &len, "connect_ex") ||
        PySys_Audit("socket.connect", "OO", s, arg) < 0) {
        return NULL;
    }
    int rc = internal_connect(s, &addr, len, false);
    return rc < 0 ? NULL : PyLong_FromLong(rc);
}

static PyObject *
sock_fileno(Socket *s, PyObject *unused)
{
    return PyLong_FromLong(s->fd);
}

static PyObject *
own_address(Socket *s, int (*call)(int, struct sockaddr *, socklen_t *))
{
    sock_addr addr;
    socklen_t len;
    int rc;
    if (!kr_sock_address_size(s, &len)) {
        return NULL;
    }
    memset(&addr, 0, sizeof(addr));
    Py_BEGIN_ALLOW_THREADS
    rc = call(s->fd, &addr.sa, &len);
    Py_END_ALLOW_THREADS
    return rc < 0 ? s->errorhandler()
                  : kr_sock_make_address(s->fd, &addr, len, s->proto);
}

static int
call_getsockname(int fd, struct sockaddr *sa, socklen_t *len)
{
    return getsockname(fd, sa, len);
}

static int
call_getpeername(int fd, struct sockaddr *sa, socklen_t *len)
{
    return getpeername(fd, sa, len);
}

static PyObject *
sock_getsockname(Socket *s, PyObject *unused)
{
    return own_address(s, call_getsockname);
}

static PyObject *
sock_getpeername(Socket *s, PyObject *unused)
{
    return own_address(s, call_getpeername);
}

static PyObject *
sock_listen(Socket *s, PyObject *args)
{
    int backlog = Py_MIN(SOMAXCONN, 128), rc;
    if (!PyArg_ParseTuple(args, "|i:listen", &backlog)) {
        return NULL;
    }
    backlog = Py_MAX(backlog, 0);
    Py_BEGIN_ALLOW_THREADS
    rc = listen(s->fd, backlog);
    Py_END_ALLOW_THREADS
    return none_or_error(s, rc);
}

static PyObject *
sock_shutdown(Socket *s, PyObject *arg)
{
    int how, rc;
    if (!kr_arg_int(arg, &how)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    rc = shutdown(s->fd, how);
    Py_END_ALLOW_THREADS
    return none_or_error(s, rc);
}

/* One recv, recvfrom, send or sendto. */
struct transfer {
    char *buf;
    size_t len;
    int flags;
    sock_addr *addr;
    socklen_t addrlen;
    ssize_t result;
};

static bool
do_recv(Socket *s, void *data)
{
    struct transfer *t = data;
    t->result = recv(s->fd, t->buf, t->len, t->flags);
    return t->result >= 0;
}

static bool
do_recvfrom(Socket *s, void *data)
{
    struct transfer *t = data;
    t->result = recvfrom(s->fd, t->buf, t->len, t->flags, &t->addr->sa,
                         &t->addrlen);
    return t->result >= 0;
}

static bool
do_send(Socket *s, void *data)
{
    struct transfer *t = data;
    t->result = send(s->fd, t->buf, t->len, t->flags);
    return t->result >= 0;
}

static bool
do_sendto(Socket *s, void *data)
{
    struct transfer *t = data;
    t->result = sendto(s->fd, t->buf, t->len, t->flags, &t->addr->sa,
                       t->addrlen);
    return t->result >= 0;
}

/* Bytes received into buf, or -1 with an exception. */
static Py_ssize_t
receive(Socket *s, char *buf, Py_ssize_t len, int flags)
{
    struct transfer t = {.buf = buf, .len = (size_t)len, .flags = flags};
    if (len == 0) {
        return 0; /* some systems would wait or fail */
    }
    return kr_sock_call(s, false, do_recv, &t, false, NULL, s->timeout) < 0
               ? -1
               : t.result;
}

static PyObject *
sock_recv(Socket *s, PyObject *args)
{
    Py_ssize_t size;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "n|i:recv", &size, &flags)) {
        return NULL;
    }
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffersize in recv");
        return NULL;
    }
    PyObject *buf = PyBytes_FromStringAndSize(NULL, size);
    if (buf == NULL) {
        return NULL;
    }
    Py_ssize_t n = receive(s, PyBytes_AS_STRING(buf), size, flags);
    if (n < 0) {
        Py_DECREF(buf);
        return NULL;
    }
    if (n != size) {
        _PyBytes_Resize(&buf, n);
    }
    return buf;
}

/* The arguments of recv_into and recvfrom_into; the length to read or -1. */
static Py_ssize_t
into_arguments(PyObject *args, PyObject *kwargs, const char *format,
               const char *name, Py_buffer *buf, int *flags)
{
    static char *kwlist[] = {"buffer", "nbytes", "flags", NULL};
    Py_ssize_t n = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, kwlist, buf, &n,
                                     flags)) {
        return -1;
    }
    if (n < 0) {
        PyErr_Format(PyExc_ValueError, "negative buffersize in %s", name);
    }
    else if (n == 0) {
        return buf->len;
    }
    else if (n > buf->len) {
        PyErr_SetString(PyExc_ValueError,
                        name[4] == '_' ? "buffer too small for requested "
                                         "bytes"
                                       : "nbytes is greater than the length "
                                         "of the buffer");
    }
    else {
        return n;
    }
    PyBuffer_Release(buf);
    return -1;
}

static PyObject *
sock_recv_into(Socket *s, PyObject *args, PyObject *kwargs)
{
    Py_buffer buf;
    int flags = 0;
    Py_ssize_t n = into_arguments(args, kwargs, "w*|ni:recv_into",
                                  "recv_into", &buf, &flags);
    if (n < 0) {
        return NULL;
    }
    n = receive(s, buf.buf, n, flags);
    PyBuffer_Release(&buf);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

/* As receive, with the sender's address in *addr. */
static Py_ssize_t
receive_from(Socket *s, char *buf, Py_ssize_t len, int flags,
             PyObject **address)
{
    sock_addr addr;
    struct transfer t = {
        .buf = buf, .len = (size_t)len, .flags = flags, .addr = &addr};
    *address = NULL;
    if (!kr_sock_address_size(s, &t.addrlen)) {
        return -1;
    }
    memset(&addr, 0, sizeof(addr));
    if (kr_sock_call(s, false, do_recvfrom, &t, false, NULL, s->timeout) < 0) {
        return -1;
    }
    *address = kr_sock_make_address(s->fd, &addr, t.addrlen, s->proto);
    return *address ? t.result : -1;
}

static PyObject *
sock_recvfrom(Socket *s, PyObject *args)
{
    Py_ssize_t size;
    int flags = 0;
    PyObject *address;
    if (!PyArg_ParseTuple(args, "n|i:recvfrom", &size, &flags)) {
        return NULL;
    }
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffersize in recvfrom");
        return NULL;
    }
    PyObject *buf = PyBytes_FromStringAndSize(NULL, size);
    if (buf == NULL) {
        return NULL;
    }
    Py_ssize_t n =
        receive_from(s, PyBytes_AS_STRING(buf), size, flags, &address);
    if (n < 0 || (n != size && _PyBytes_Resize(&buf, n) < 0)) {
        Py_XDECREF(buf);
        Py_XDECREF(address);
        return NULL;
    }
    return Py_BuildValue("NN", buf, address);
}

static PyObject *
sock_recvfrom_into(Socket *s, PyObject *args, PyObject *kwargs)
{
    Py_buffer buf;
    int flags = 0;
    PyObject *address;
    Py_ssize_t n = into_arguments(args, kwargs, "w*|ni:recvfrom_into",
                                  "recvfrom_into", &buf, &flags);
    if (n < 0) {
        return NULL;
    }
    n = receive_from(s, buf.buf, n, flags, &address);
    PyBuffer_Release(&buf);
    if (n < 0) {
        Py_XDECREF(address);
        return NULL;
    }
    return Py_BuildValue("nN", n, address);
}

static PyObject *
sock_send(Socket *s, PyObject *args)
{
    Py_buffer buf;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "y*|i:send", &buf, &flags)) {
        return NULL;
    }
    struct transfer t = {
        .buf = buf.buf, .len = (size_t)buf.len, .flags = flags};
    int rc = kr_sock_call(s, true, do_send, &t, false, NULL, s->timeout);
    PyBuffer_Release(&buf);
    return rc < 0 ? NULL : PyLong_FromSsize_t(t.result);
}

static PyObject *
sock_sendall(Socket *s, PyObject *args)
{
    Py_buffer buf;
    int flags = 0;
    _PyTime_t deadline = 0, timeout = s->timeout;
    PyObject *res = NULL;
    if (!PyArg_ParseTuple(args, "y*|i:sendall", &buf, &flags)) {
        return NULL;
    }
    bool has_timeout = timeout > 0;
    if (has_timeout) {
        deadline = _PyTime_Add(_PyTime_GetMonotonicClock(), timeout);
    }
    struct transfer t = {
        .buf = buf.buf, .len = (size_t)buf.len, .flags = flags};
    do {
        if (has_timeout && t.buf != buf.buf) {
            /* the timeout is for the whole, not for each part */
            timeout = deadline - _PyTime_GetMonotonicClock();
            if (timeout <= 0) {
                PyErr_SetString(PyExc_TimeoutError, "timed out");
                goto done;
            }
        }
        if (kr_sock_call(s, true, do_send, &t, false, NULL, timeout) < 0) {
            goto done;
        }
        t.buf += t.result;
        t.len -= (size_t)t.result;
        if (PyErr_CheckSignals()) {
            goto done;
        }
    } while (t.len > 0);
    res = Py_NewRef(Py_None);
done:
    PyBuffer_Release(&buf);
    return res;
}

static PyObject *
sock_sendto(Socket *s, PyObject *args)
{
    Py_buffer buf;
    PyObject *address, *res = NULL;
    sock_addr addr;
    int flags = 0, len, ok;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    switch (n) {
    case 2:
        ok = PyArg_ParseTuple(args, "y*O:sendto", &buf, &address);
        break;
    case 3:
        ok = PyArg_ParseTuple(args, "y*iO:sendto", &buf, &flags, &address);
        break;
    default:
        PyErr_Format(PyExc_TypeError,
                     "sendto() takes 2 or 3 arguments (%zd given)", n);
        ok = 0;
    }
    if (!ok) {
        return NULL;
    }
    if (kr_sock_take_address(s, address, &addr, &len, "sendto") &&
        PySys_Audit("socket.sendto", "OO", s, address) >= 0) {
        struct transfer t = {.buf = buf.buf,
                             .len = (size_t)buf.len,
                             .flags = flags,
                             .addr = &addr,
                             .addrlen = (socklen_t)len};
        if (kr_sock_call(s, true, do_sendto, &t, false, NULL, s->timeout) ==
            0) {
            res = PyLong_FromSsize_t(t.result);
        }
    }
    PyBuffer_Release(&buf);
    return res;
}

static PyObject *
sock_repr(Socket *s)
{
    return PyUnicode_FromFormat(
        "<socket object, fd=%ld, family=%d, type=%d, proto=%d>", (long)s->fd,
        s->family, s->type, s->proto);
}

static void
sock_finalize(Socket *s)
{
    PyObject *t, *v, *tb;
    PyErr_Fetch(&t, &v, &tb);
    if (s->fd != -1) {
        if (PyErr_ResourceWarning((PyObject *)s, 1, "unclosed %R", s) &&
            PyErr_ExceptionMatches(PyExc_Warning)) {
            PyErr_WriteUnraisable((PyObject *)s);
        }
        int fd = s->fd;
        s->fd = -1;
        Py_BEGIN_ALLOW_THREADS
        (void)close(fd);
        Py_END_ALLOW_THREADS
    }
    PyErr_Restore(t, v, tb);
}

static void
sock_dealloc(Socket *s)
{
    if (PyObject_CallFinalizerFromDealloc((PyObject *)s) < 0) {
        return;
    }
    Py_TYPE(s)->tp_free((PyObject *)s);
}

static PyObject *
sock_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Socket *s = (Socket *)type->tp_alloc(type, 0);
    if (s != NULL) {
        s->fd = -1;
        s->timeout = -1;
        s->errorhandler = kr_sock_error;
    }
    return (PyObject *)s;
}

/* Learns what is not given from an open descriptor; 0 or -1. */
static int
inspect_fd(int fd, int *family, int *type, int *proto)
{
    sock_addr addr;
    socklen_t len = sizeof(addr);
    memset(&addr, 0, sizeof(addr));
    if (getsockname(fd, &addr.sa, &len) < 0) {
        /* whatever it is, it is a socket if the family is given */
        if (*family == -1 || errno == EBADF || errno == ENOTSOCK) {
            kr_sock_error();
            return -1;
        }
    }
    else if (*family == -1) {
        *family = addr.sa.sa_family;
    }
    len = sizeof(*type);
    if (*type == -1 && getsockopt(fd, SOL_SOCKET, SO_TYPE, type, &len) < 0) {
        kr_sock_error();
        return -1;
    }
    len = sizeof(*proto);
    if (*proto == -1 &&
        getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, proto, &len) < 0) {
        kr_sock_error();
        return -1;
    }
    return 0;
}

static int
sock_init(Socket *s, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("socket", "family", "type", "proto", "fileno");
    PyObject *a[4];
    int family = -1, type = -1, proto = -1, fd;
    if (!kr_unpack_tuple(args, kwargs, &parser, 0, 4, 4, a) ||
        (a[0] != NULL && !kr_arg_int(a[0], &family)) ||
        (a[1] != NULL && !kr_arg_int(a[1], &type)) ||
        (a[2] != NULL && !kr_arg_int(a[2], &proto)) ||
        PySys_Audit("socket.__new__", "Oiii", s, family, type, proto) < 0) {
        return -1;
    }
    if (a[3] != NULL && a[3] != Py_None) {
        if (!kr_arg_int(a[3], &fd)) {
            return -1;
        }
        if (fd < 0) {
            PyErr_SetString(PyExc_ValueError, "negative file descriptor");
            return -1;
        }
        if (inspect_fd(fd, &family, &type, &proto) < 0) {
            return -1;
        }
    }
    else {
        family = family == -1 ? AF_INET : family;
        type = type == -1 ? SOCK_STREAM : type;
        proto = proto == -1 ? 0 : proto;
        Py_BEGIN_ALLOW_THREADS
        fd = socket(family, type | SOCK_CLOEXEC, proto);
        Py_END_ALLOW_THREADS
        if (fd == -1) {
            kr_sock_error();
            return -1;
        }
    }
    if (init_object(s, fd, family, type, proto) < 0) {
        close(fd);
        s->fd = -1;
        return -1;
    }
    return 0;
}

#define NOARGS(name, doc) {#name, (PyCFunction)sock_##name, METH_NOARGS, doc}
#define ONE(name, doc) {#name, (PyCFunction)sock_##name, METH_O, doc}
#define ARGS(name, doc) {#name, (PyCFunction)sock_##name, METH_VARARGS, doc}
#define NAMED(name, doc)                                                       \
    {#name, KR_CAST(sock_##name), METH_VARARGS | METH_KEYWORDS, doc}

static PyMethodDef sock_methods[] = {
    {"_accept", (PyCFunction)sock_accept, METH_NOARGS,
     "_accept() -> (integer, address info)\n\n"
     "Wait for a connection; gives its descriptor and peer."},
    ONE(bind, "bind(address)\n\nSet the local address."),
    NOARGS(close, "close()\n\nClose the socket."),
    ONE(connect, "connect(address)\n\nConnect to a remote address."),
    ONE(connect_ex, "connect_ex(address) -> errno\n\n"
                    "As connect(), with the error number as result."),
    NOARGS(detach, "detach() -> descriptor\n\n"
                   "Give up the descriptor without closing it."),
    NOARGS(fileno, "fileno() -> integer\n\nThe descriptor."),
    NOARGS(getpeername, "getpeername() -> address info\n\n"
                        "The remote address."),
    NOARGS(getsockname, "getsockname() -> address info\n\n"
                        "The local address."),
    ARGS(getsockopt, "getsockopt(level, option[, buffersize]) -> value\n\n"
                     "A socket option as int, or as bytes with a size."),
    ARGS(listen, "listen([backlog])\n\nAccept connections."),
    ARGS(recv, "recv(buffersize[, flags]) -> data\n\n"
               "Receive up to buffersize bytes."),
    NAMED(recv_into, "recv_into(buffer, [nbytes[, flags]]) -> nbytes_read\n\n"
                     "Receive into a writable buffer."),
    ARGS(recvfrom, "recvfrom(buffersize[, flags]) -> (data, address info)\n\n"
                   "Receive with the sender's address."),
    NAMED(recvfrom_into,
          "recvfrom_into(buffer[, nbytes[, flags]]) -> (nbytes, address "
          "info)\n\nReceive into a writable buffer, with the sender."),
    ARGS(send, "send(data[, flags]) -> count\n\n"
               "Send bytes; gives how many went."),
    ARGS(sendall, "sendall(data[, flags])\n\nSend all bytes."),
    ARGS(sendto, "sendto(data[, flags], address) -> count\n\n"
                 "Send bytes to an address."),
    ONE(setblocking, "setblocking(flag)\n\nSet blocking or non-blocking."),
    NOARGS(getblocking, "getblocking()\n\nTrue if the socket blocks."),
    ONE(settimeout, "settimeout(timeout)\n\nSet the timeout in seconds; "
                    "None: wait for ever."),
    NOARGS(gettimeout, "gettimeout() -> timeout\n\nThe timeout or None."),
    ARGS(setsockopt,
         "setsockopt(level, option, value: int)\n"
         "setsockopt(level, option, value: buffer)\n"
         "setsockopt(level, option, None, optlen: int)\n\n"
         "Set a socket option."),
    ONE(shutdown, "shutdown(flag)\n\nEnd one or both directions."),
    {"recvmsg", (PyCFunction)kr_sock_recvmsg, METH_VARARGS,
     "recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, "
     "msg_flags, address)\n\nReceive data and ancillary data."},
    {"recvmsg_into", (PyCFunction)kr_sock_recvmsg_into, METH_VARARGS,
     "recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, "
     "msg_flags, address)\n\nReceive into several buffers."},
    {"sendmsg", (PyCFunction)kr_sock_sendmsg, METH_VARARGS,
     "sendmsg(buffers[, ancdata[, flags[, address]]]) -> "
     "count\n\nSend data and ancillary data."},
    {"sendmsg_afalg", KR_CAST(kr_sock_sendmsg_afalg),
     METH_VARARGS | METH_KEYWORDS,
     "sendmsg_afalg([msg], *, op[, iv[, assoclen[, flags=MSG_MORE]]])\n\n"
     "Set up and feed an AF_ALG operation."},
    {NULL},
};

static PyMemberDef sock_members[] = {
    {"family", T_INT, offsetof(Socket, family), READONLY,
     "the socket family"},
    {"type", T_INT, offsetof(Socket, type), READONLY, "the socket type"},
    {"proto", T_INT, offsetof(Socket, proto), READONLY,
     "the socket protocol"},
    {NULL},
};

static PyGetSetDef sock_getset[] = {
    {"timeout", (getter)sock_gettimeout, NULL, "the socket timeout"},
    {NULL},
};

PyTypeObject kr_Socket_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_socket.socket",
    .tp_basicsize = sizeof(Socket),
    .tp_dealloc = (destructor)sock_dealloc,
    .tp_repr = (reprfunc)sock_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket "
              "object\nsocket(family=-1, type=-1, proto=-1, fileno=None) -> "
              "socket object\n\nOne end of a network connection.",
    .tp_methods = sock_methods,
    .tp_members = sock_members,
    .tp_getset = sock_getset,
    .tp_init = (initproc)sock_init,
    .tp_new = sock_tp_new,
    .tp_finalize = (destructor)sock_finalize,
};
