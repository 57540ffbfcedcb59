/* recvmsg and sendmsg: data in several buffers, with ancillary data. */
#include "modules/_socket/socket.h"

#include <errno.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#define SOCKLEN_LIMIT ((size_t)INT_MAX)

/* CMSG_LEN and CMSG_SPACE; false when the result would be too large. */
static bool
cmsg_len(size_t length, size_t *result)
{
    if (length > SOCKLEN_LIMIT - CMSG_LEN(0)) {
        return false;
    }
    *result = CMSG_LEN(length);
    return *result <= SOCKLEN_LIMIT && *result >= length;
}

static bool
cmsg_space(size_t length, size_t *result)
{
    if (length > SOCKLEN_LIMIT - CMSG_SPACE(1)) {
        return false;
    }
    *result = CMSG_SPACE(length);
    return *result <= SOCKLEN_LIMIT && *result >= length;
}

PyObject *
kr_sock_CMSG_LEN(PyObject *module, PyObject *args)
{
    Py_ssize_t length;
    size_t result;
    if (!PyArg_ParseTuple(args, "n:CMSG_LEN", &length)) {
        return NULL;
    }
    if (length < 0 || !cmsg_len((size_t)length, &result)) {
        return PyErr_Format(PyExc_OverflowError,
                            "CMSG_LEN() argument out of range");
    }
    return PyLong_FromSize_t(result);
}

PyObject *
kr_sock_CMSG_SPACE(PyObject *module, PyObject *args)
{
    Py_ssize_t length;
    size_t result;
    if (!PyArg_ParseTuple(args, "n:CMSG_SPACE", &length)) {
        return NULL;
    }
    if (length < 0 || !cmsg_space((size_t)length, &result)) {
        return PyErr_Format(PyExc_OverflowError,
                            "CMSG_SPACE() argument out of range");
    }
    return PyLong_FromSize_t(result);
}

struct message_call {
    struct msghdr *msg;
    int flags;
    ssize_t result;
};

static bool
do_recvmsg(Socket *s, void *data)
{
    struct message_call *c = data;
    c->result = recvmsg(s->fd, c->msg, c->flags);
    return c->result >= 0;
}

static bool
do_sendmsg(Socket *s, void *data)
{
    struct message_call *c = data;
    c->result = sendmsg(s->fd, c->msg, c->flags);
    return c->result >= 0;
}

/* Descriptors that arrived in a message nobody will see are closed. */
static void
close_received_fds(struct msghdr *msg)
{
    for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        int *fds = (int *)CMSG_DATA(h);
        while (n-- > 0) {
            close(*fds++);
        }
    }
}

/* The length of one item's data within the control buffer. With a truncated
 * message the last item may reach past the end: *cut is then set. */
static size_t
item_length(struct msghdr *msg, struct cmsghdr *h, bool *cut)
{
    size_t have = (size_t)((char *)msg->msg_control + msg->msg_controllen -
                           (char *)CMSG_DATA(h));
    size_t want = h->cmsg_len < CMSG_LEN(0) ? 0 : h->cmsg_len - CMSG_LEN(0);
    if ((char *)CMSG_DATA(h) >
        (char *)msg->msg_control + msg->msg_controllen) {
        have = 0;
    }
    *cut = want > have;
    return *cut ? have : want;
}

static PyObject *
ancillary_list(struct msghdr *msg)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    for (struct cmsghdr *h = msg->msg_controllen > 0 ? CMSG_FIRSTHDR(msg)
                                                     : NULL;
         h != NULL; h = CMSG_NXTHDR(msg, h)) {
        bool cut;
        size_t n = item_length(msg, h, &cut);
        if (cut && PyErr_WarnEx(PyExc_RuntimeWarning,
                                "received malformed or improperly-truncated "
                                "ancillary data",
                                1) < 0) {
            Py_DECREF(list);
            return NULL;
        }
        PyObject *bytes = PyBytes_FromStringAndSize((char *)CMSG_DATA(h),
                                                    (Py_ssize_t)n);
        PyObject *item = bytes ? Py_BuildValue("iiN", (int)h->cmsg_level,
                                               (int)h->cmsg_type, bytes)
                               : NULL;
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_XDECREF(item);
            Py_DECREF(list);
            return NULL;
        }
        Py_DECREF(item);
        if (cut) {
            break;
        }
    }
    return list;
}

/* Receives into `iov`. `make` turns the number of bytes into the first item
 * of the result. */
static PyObject *
receive(Socket *s, struct iovec *iov, int iovlen, int flags,
        Py_ssize_t controllen, PyObject *(*make)(ssize_t, void *), void *data)
{
    sock_addr addr;
    socklen_t addrlen;
    struct msghdr msg = {0};
    struct message_call call = {.msg = &msg, .flags = flags};
    PyObject *res = NULL;
    void *control = NULL;
    if (!kr_sock_address_size(s, &addrlen)) {
        return NULL;
    }
    memset(&addr, 0, sizeof(addr));
    addr.sa.sa_family = AF_UNSPEC;
    if (controllen < 0 || (size_t)controllen > SOCKLEN_LIMIT) {
        PyErr_SetString(PyExc_ValueError,
                        "invalid ancillary data buffer length");
        return NULL;
    }
    if (controllen > 0 && !(control = PyMem_Malloc((size_t)controllen))) {
        return PyErr_NoMemory();
    }
    msg.msg_name = &addr;
    msg.msg_namelen = addrlen;
    msg.msg_iov = iov;
    msg.msg_iovlen = (size_t)iovlen;
    msg.msg_control = control;
    msg.msg_controllen = (size_t)controllen;
    if (kr_sock_call(s, false, do_recvmsg, &call, false, NULL, s->timeout) <
        0) {
        PyMem_Free(control);
        return NULL;
    }
    PyObject *list = ancillary_list(&msg);
    PyObject *first = list ? make(call.result, data) : NULL;
    if (first != NULL) {
        res = Py_BuildValue(
            "NOiN", first, list, (int)msg.msg_flags,
            kr_sock_make_address(s->fd, &addr, Py_MIN(msg.msg_namelen, addrlen),
                                 s->proto));
    }
    if (res == NULL) {
        close_received_fds(&msg);
    }
    Py_XDECREF(list);
    PyMem_Free(control);
    return res;
}

/* The buffer of recvmsg, cut to what came; leaves NULL in its place. */
static PyObject *
make_bytes(ssize_t n, void *data)
{
    PyObject **buf = data;
    if (n != PyBytes_GET_SIZE(*buf)) {
        _PyBytes_Resize(buf, n);
    }
    PyObject *res = *buf;
    *buf = NULL;
    return res;
}

PyObject *
kr_sock_recvmsg(Socket *s, PyObject *args)
{
    Py_ssize_t size, control = 0;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "n|ni:recvmsg", &size, &control, &flags)) {
        return NULL;
    }
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError,
                        "negative buffer size in recvmsg()");
        return NULL;
    }
    PyObject *buf = PyBytes_FromStringAndSize(NULL, size);
    if (buf == NULL) {
        return NULL;
    }
    struct iovec iov = {PyBytes_AS_STRING(buf), (size_t)size};
    PyObject *res = receive(s, &iov, 1, flags, control, make_bytes, &buf);
    Py_XDECREF(buf);
    return res;
}

static PyObject *
make_count(ssize_t n, void *data)
{
    return PyLong_FromSsize_t(n);
}

struct buffers {
    Py_buffer *bufs;
    struct iovec *iovs;
    Py_ssize_t count;
};

static void
release_buffers(struct buffers *b)
{
    for (Py_ssize_t i = 0; i < b->count; i++) {
        PyBuffer_Release(&b->bufs[i]);
    }
    PyMem_Free(b->bufs);
    PyMem_Free(b->iovs);
}

/* Buffers of an iterable by the argument format "w*" or "y*". */
static bool
take_buffers(struct buffers *b, PyObject *iterable, const char *format,
             const char *message, const char *function)
{
    *b = (struct buffers){NULL, NULL, 0};
    PyObject *fast = PySequence_Fast(iterable, message);
    if (fast == NULL) {
        return false;
    }
    Py_ssize_t n = PySequence_Fast_GET_SIZE(fast);
    if (n > INT_MAX) {
        PyErr_Format(PyExc_OSError, "%s() argument 1 is too long", function);
        Py_DECREF(fast);
        return false;
    }
    b->bufs = PyMem_New(Py_buffer, n + 1);
    b->iovs = PyMem_New(struct iovec, n + 1);
    bool ok = b->bufs && b->iovs;
    if (!ok) {
        PyErr_NoMemory();
    }
    while (ok && b->count < n) {
        Py_buffer *buf = &b->bufs[b->count];
        ok = PyArg_Parse(PySequence_Fast_GET_ITEM(fast, b->count), format,
                         buf);
        if (ok) {
            b->iovs[b->count].iov_base = buf->buf;
            b->iovs[b->count].iov_len = (size_t)buf->len;
            b->count++;
        }
    }
    Py_DECREF(fast);
    if (!ok) {
        release_buffers(b);
    }
    return ok;
}

PyObject *
kr_sock_recvmsg_into(Socket *s, PyObject *args)
{
    Py_ssize_t control = 0;
    int flags = 0;
    PyObject *iterable;
    struct buffers b;
    if (!PyArg_ParseTuple(args, "O|ni:recvmsg_into", &iterable, &control,
                          &flags) ||
        !take_buffers(&b, iterable,
                      "w*;recvmsg_into() argument 1 must be an iterable of "
                      "single-segment read-write buffers",
                      "recvmsg_into() argument 1 must be an iterable",
                      "recvmsg_into")) {
        return NULL;
    }
    PyObject *res = receive(s, b.iovs, (int)b.count, flags, control,
                            make_count, NULL);
    release_buffers(&b);
    return res;
}

/* One item of ancillary data to be sent. */
struct ancillary {
    int level;
    int type;
    Py_buffer data;
};

static void
release_ancillary(struct ancillary *items, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        PyBuffer_Release(&items[i].data);
    }
    PyMem_Free(items);
}

/* Builds msg_control from the items; false with an exception. */
static bool
fill_control(struct msghdr *msg, struct ancillary *items, Py_ssize_t n)
{
    size_t total = 0, space;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!cmsg_space((size_t)items[i].data.len, &space)) {
            PyErr_SetString(PyExc_OSError, "ancillary data item too large");
            return false;
        }
        total += space;
        if (total > SOCKLEN_LIMIT) {
            PyErr_SetString(PyExc_OSError, "too much ancillary data");
            return false;
        }
    }
    if (total == 0) {
        return true;
    }
    /* zeroed: CMSG_NXTHDR looks at the header that is not written yet */
    msg->msg_control = PyMem_Calloc(1, total);
    if (msg->msg_control == NULL) {
        PyErr_NoMemory();
        return false;
    }
    msg->msg_controllen = total;
    struct cmsghdr *h = CMSG_FIRSTHDR(msg);
    for (Py_ssize_t i = 0; i < n; i++, h = CMSG_NXTHDR(msg, h)) {
        size_t len = (size_t)items[i].data.len;
        if (h == NULL) {
            PyErr_Format(PyExc_RuntimeError,
                         "unexpected NULL result from %s()",
                         i ? "CMSG_NXTHDR" : "CMSG_FIRSTHDR");
            return false;
        }
        h->cmsg_level = items[i].level;
        h->cmsg_type = items[i].type;
        h->cmsg_len = CMSG_LEN(len);
        memcpy(CMSG_DATA(h), items[i].data.buf, len);
    }
    return true;
}

/* Reads the ancdata argument into msg_control; false with an exception. */
static bool
take_ancillary(struct msghdr *msg, PyObject *iterable)
{
    PyObject *fast = PySequence_Fast(
        iterable, "sendmsg() argument 2 must be an iterable");
    if (fast == NULL) {
        return false;
    }
    Py_ssize_t n = PySequence_Fast_GET_SIZE(fast), taken = 0;
    struct ancillary *items = PyMem_New(struct ancillary, n + 1);
    bool ok = items != NULL;
    if (!ok) {
        PyErr_NoMemory();
    }
    while (ok && taken < n) {
        struct ancillary *item = &items[taken];
        ok = PyArg_Parse(PySequence_Fast_GET_ITEM(fast, taken),
                         "(iiy*):[sendmsg() ancillary data items]",
                         &item->level, &item->type, &item->data);
        taken += ok;
    }
    ok = ok && fill_control(msg, items, n);
    if (items != NULL) {
        release_ancillary(items, taken);
    }
    Py_DECREF(fast);
    return ok;
}

PyObject *
kr_sock_sendmsg(Socket *s, PyObject *args)
{
    PyObject *data, *cmsgs = NULL, *address = NULL, *res = NULL;
    struct msghdr msg = {0};
    struct message_call call = {.msg = &msg};
    struct buffers b;
    sock_addr addr;
    int addrlen;
    if (!PyArg_ParseTuple(args, "O|OiO:sendmsg", &data, &cmsgs, &call.flags,
                          &address)) {
        return NULL;
    }
    if (address != NULL && address != Py_None) {
        if (!kr_sock_take_address(s, address, &addr, &addrlen, "sendmsg") ||
            PySys_Audit("socket.sendmsg", "OO", s, address) < 0) {
            return NULL;
        }
        msg.msg_name = &addr;
        msg.msg_namelen = (socklen_t)addrlen;
    }
    else if (PySys_Audit("socket.sendmsg", "OO", s, Py_None) < 0) {
        return NULL;
    }
    if (!take_buffers(&b, data,
                      "y*;sendmsg() argument 1 must be an iterable of "
                      "bytes-like objects",
                      "sendmsg() argument 1 must be an iterable",
                      "sendmsg")) {
        return NULL;
    }
    msg.msg_iov = b.iovs;
    msg.msg_iovlen = (size_t)b.count;
    if ((cmsgs == NULL || take_ancillary(&msg, cmsgs)) &&
        kr_sock_call(s, true, do_sendmsg, &call, false, NULL, s->timeout) ==
            0) {
        res = PyLong_FromSsize_t(call.result);
    }
    PyMem_Free(msg.msg_control);
    release_buffers(&b);
    return res;
}

/* Writes one header of the AF_ALG control data and moves on. */
static struct cmsghdr *
alg_header(struct msghdr *msg, struct cmsghdr *h, int type, const void *data,
           size_t len)
{
    if (h == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "unexpected NULL result from CMSG_NXTHDR");
        return NULL;
    }
    h->cmsg_level = SOL_ALG;
    h->cmsg_type = type;
    h->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(h), data, len);
    return h;
}

static bool
fill_alg(struct msghdr *msg, int op, const Py_buffer *iv, int assoclen)
{
    struct cmsghdr *h =
        alg_header(msg, CMSG_FIRSTHDR(msg), ALG_SET_OP, &op, sizeof(op));
    if (h != NULL && iv->buf != NULL) {
        uint32_t ivlen = (uint32_t)iv->len;
        h = CMSG_NXTHDR(msg, h);
        h = alg_header(msg, h, ALG_SET_IV, &ivlen, sizeof(ivlen));
        if (h != NULL) {
            h->cmsg_len = CMSG_LEN(sizeof(struct af_alg_iv) + ivlen);
            struct af_alg_iv *alg_iv = (void *)CMSG_DATA(h);
            memcpy(alg_iv->iv, iv->buf, ivlen);
        }
    }
    if (h != NULL && assoclen >= 0) {
        h = CMSG_NXTHDR(msg, h);
        h = alg_header(msg, h, ALG_SET_AEAD_ASSOCLEN, &assoclen,
                       sizeof(assoclen));
    }
    return h != NULL;
}

PyObject *
kr_sock_sendmsg_afalg(Socket *s, PyObject *args, PyObject *kwargs)
{
    static char *kwlist[] = {"msg", "op", "iv", "assoclen", "flags", NULL};
    PyObject *data = NULL, *assoc_obj = NULL, *res = NULL;
    struct msghdr msg = {0};
    struct message_call call = {.msg = &msg};
    struct buffers b = {NULL, NULL, 0};
    Py_buffer iv = {NULL};
    int op = -1, assoclen = -1;
    if (s->family != AF_ALG) {
        PyErr_SetString(PyExc_OSError, "algset is only supported for AF_ALG");
        return NULL;
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$O!y*O!i:sendmsg_afalg",
                                     kwlist, &data, &PyLong_Type, &assoc_obj,
                                     &iv, &PyLong_Type, &assoc_obj,
                                     &call.flags)) {
        return NULL;
    }
    PyObject *op_obj = kwargs ? PyDict_GetItemString(kwargs, "op") : NULL;
    assoc_obj = kwargs ? PyDict_GetItemString(kwargs, "assoclen") : NULL;
    if (op_obj == NULL || (op = _PyLong_AsInt(op_obj)) < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "Invalid or missing argument "
                                             "'op'");
        }
        goto done;
    }
    if (assoc_obj != NULL && (assoclen = _PyLong_AsInt(assoc_obj)) < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError,
                            "assoclen must be an integer >= 0");
        }
        goto done;
    }
    size_t total = CMSG_SPACE(sizeof(int));
    if (iv.buf != NULL) {
        total += CMSG_SPACE(sizeof(struct af_alg_iv) + (size_t)iv.len);
    }
    if (assoclen >= 0) {
        total += CMSG_SPACE(sizeof(int));
    }
    msg.msg_control = PyMem_Calloc(1, total);
    msg.msg_controllen = total;
    if (msg.msg_control == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    if (data != NULL) {
        if (!take_buffers(&b, data,
                          "y*;sendmsg() argument 1 must be an iterable of "
                          "bytes-like objects",
                          "sendmsg() argument 1 must be an iterable",
                          "sendmsg")) {
            b = (struct buffers){NULL, NULL, 0};
            goto done;
        }
        msg.msg_iov = b.iovs;
        msg.msg_iovlen = (size_t)b.count;
    }
    if (fill_alg(&msg, op, &iv, assoclen) &&
        kr_sock_call(s, true, do_sendmsg, &call, false, NULL, s->timeout) ==
            0) {
        res = PyLong_FromSsize_t(call.result);
    }
done:
    PyMem_Free(msg.msg_control);
    release_buffers(&b);
    if (iv.obj != NULL) {
        PyBuffer_Release(&iv);
    }
    return res;
}
