/* The `_socket` module: byte order, address text, pairs, and assembly. */
#include "modules/_socket/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static PyObject *
socket_close(PyObject *module, PyObject *arg)
{
    int fd, rc;
    if (!kr_arg_int(arg, &fd)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    rc = close(fd);
    Py_END_ALLOW_THREADS
    if (rc < 0 && errno != ECONNRESET) {
        return kr_sock_error();
    }
    Py_RETURN_NONE;
}

static PyObject *
socket_dup(PyObject *module, PyObject *arg)
{
    int fd;
    if (!kr_arg_parsed_int(arg, &fd) || (fd = _Py_dup(fd)) < 0) {
        return NULL;
    }
    return PyLong_FromLong(fd);
}

static PyObject *
socket_socketpair(PyObject *module, PyObject *args)
{
    int family = AF_UNIX, type = SOCK_STREAM, proto = 0, fds[2], rc;
    if (!PyArg_ParseTuple(args, "|iii:socketpair", &family, &type, &proto)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    rc = socketpair(family, type | SOCK_CLOEXEC, proto, fds);
    Py_END_ALLOW_THREADS
    if (rc < 0) {
        return kr_sock_error();
    }
    PyObject *first = kr_sock_new(fds[0], family, type, proto);
    if (first == NULL) {
        close(fds[1]);
        return NULL;
    }
    PyObject *second = kr_sock_new(fds[1], family, type, proto);
    PyObject *res = second ? PyTuple_Pack(2, first, second) : NULL;
    Py_DECREF(first);
    Py_XDECREF(second);
    return res;
}

/* A 16-bit argument of htons and ntohs. */
static bool
take_short(PyObject *args, const char *format, const char *name, uint16_t *out)
{
    int x;
    if (!PyArg_ParseTuple(args, format, &x)) {
        return false;
    }
    if (x < 0) {
        PyErr_Format(PyExc_OverflowError,
                     "%s: can't convert negative Python int to C 16-bit "
                     "unsigned integer",
                     name);
        return false;
    }
    if (x > 0xffff) {
        PyErr_Format(PyExc_OverflowError,
                     "%s: Python int too large to convert to C 16-bit "
                     "unsigned integer",
                     name);
        return false;
    }
    *out = (uint16_t)x;
    return true;
}

static PyObject *
socket_ntohs(PyObject *module, PyObject *args)
{
    uint16_t x;
    return take_short(args, "i:ntohs", "ntohs", &x)
               ? PyLong_FromUnsignedLong(ntohs(x))
               : NULL;
}

static PyObject *
socket_htons(PyObject *module, PyObject *args)
{
    uint16_t x;
    return take_short(args, "i:htons", "htons", &x)
               ? PyLong_FromUnsignedLong(htons(x))
               : NULL;
}

/* A 32-bit argument of htonl and ntohl. */
static bool
take_long(PyObject *arg, uint32_t *out)
{
    if (!PyLong_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "expected int, %s found",
                     Py_TYPE(arg)->tp_name);
        return false;
    }
    unsigned long x = PyLong_AsUnsignedLong(arg);
    if (x == (unsigned long)-1 && PyErr_Occurred()) {
        return false;
    }
    if (x > 0xffffffffUL) {
        PyErr_SetString(PyExc_OverflowError, "int larger than 32 bits");
        return false;
    }
    *out = (uint32_t)x;
    return true;
}

static PyObject *
socket_ntohl(PyObject *module, PyObject *arg)
{
    uint32_t x;
    return take_long(arg, &x) ? PyLong_FromUnsignedLong(ntohl(x)) : NULL;
}

static PyObject *
socket_htonl(PyObject *module, PyObject *arg)
{
    uint32_t x;
    return take_long(arg, &x) ? PyLong_FromUnsignedLong(htonl(x)) : NULL;
}

static PyObject *
socket_inet_aton(PyObject *module, PyObject *args)
{
    const char *text;
    struct in_addr a;
    if (!PyArg_ParseTuple(args, "s:inet_aton", &text)) {
        return NULL;
    }
    if (!inet_aton(text, &a)) {
        PyErr_SetString(PyExc_OSError,
                        "illegal IP address string passed to inet_aton");
        return NULL;
    }
    return PyBytes_FromStringAndSize((char *)&a, sizeof(a));
}

static PyObject *
socket_inet_ntoa(PyObject *module, PyObject *args)
{
    Py_buffer packed;
    struct in_addr a;
    if (!PyArg_ParseTuple(args, "y*:inet_ntoa", &packed)) {
        return NULL;
    }
    bool ok = packed.len == sizeof(a);
    if (ok) {
        memcpy(&a, packed.buf, sizeof(a));
    }
    PyBuffer_Release(&packed);
    if (!ok) {
        PyErr_SetString(PyExc_OSError, "packed IP wrong length for inet_ntoa");
        return NULL;
    }
    return kr_sock_make_ipv4(&a);
}

static PyObject *
socket_inet_pton(PyObject *module, PyObject *args)
{
    int family;
    const char *text;
    char packed[sizeof(struct in6_addr)];
    if (!PyArg_ParseTuple(args, "is:inet_pton", &family, &text)) {
        return NULL;
    }
    int rc = inet_pton(family, text, packed);
    if (rc < 0) {
        return kr_sock_error();
    }
    if (rc == 0) {
        PyErr_SetString(PyExc_OSError,
                        "illegal IP address string passed to inet_pton");
        return NULL;
    }
    if (family != AF_INET && family != AF_INET6) {
        PyErr_SetString(PyExc_OSError, "unknown address family");
        return NULL;
    }
    return PyBytes_FromStringAndSize(packed, family == AF_INET ? 4 : 16);
}

static PyObject *
socket_inet_ntop(PyObject *module, PyObject *args)
{
    int family;
    Py_buffer packed;
    char text[INET6_ADDRSTRLEN];
    PyObject *res = NULL;
    if (!PyArg_ParseTuple(args, "iy*:inet_ntop", &family, &packed)) {
        return NULL;
    }
    if (family != AF_INET && family != AF_INET6) {
        PyErr_Format(PyExc_ValueError, "unknown address family %d", family);
    }
    else if (packed.len != (family == AF_INET ? 4 : 16)) {
        PyErr_SetString(PyExc_ValueError,
                        "invalid length of packed IP address string");
    }
    else if (inet_ntop(family, packed.buf, text, sizeof(text)) == NULL) {
        kr_sock_error();
    }
    else {
        res = PyUnicode_FromString(text);
    }
    PyBuffer_Release(&packed);
    return res;
}

static PyObject *
socket_getdefaulttimeout(PyObject *module, PyObject *unused)
{
    return kr_sock_timeout_object(kr_socket_state.default_timeout);
}

static PyObject *
socket_setdefaulttimeout(PyObject *module, PyObject *arg)
{
    _PyTime_t timeout;
    if (!kr_sock_take_timeout(arg, &timeout)) {
        return NULL;
    }
    kr_socket_state.default_timeout = timeout;
    Py_RETURN_NONE;
}

PyMethodDef kr_socket_misc_methods[] = {
    {"close", socket_close, METH_O,
     "close(integer) -> None\n\nClose a socket by its descriptor."},
    {"dup", socket_dup, METH_O,
     "dup(integer) -> integer\n\nA duplicate of a socket's descriptor."},
    {"socketpair", socket_socketpair, METH_VARARGS,
     "socketpair([family[, type [, proto]]]) -> (socket object, socket "
     "object)\n\nTwo sockets connected to each other."},
    {"ntohs", socket_ntohs, METH_VARARGS,
     "ntohs(integer) -> integer\n\n16 bits from network to host order."},
    {"ntohl", socket_ntohl, METH_O,
     "ntohl(integer) -> integer\n\n32 bits from network to host order."},
    {"htons", socket_htons, METH_VARARGS,
     "htons(integer) -> integer\n\n16 bits from host to network order."},
    {"htonl", socket_htonl, METH_O,
     "htonl(integer) -> integer\n\n32 bits from host to network order."},
    {"inet_aton", socket_inet_aton, METH_VARARGS,
     "inet_aton(string) -> bytes giving packed 32-bit IP representation\n\n"
     "An IPv4 address as 4 bytes."},
    {"inet_ntoa", socket_inet_ntoa, METH_VARARGS,
     "inet_ntoa(packed_ip) -> ip_address_string\n\n"
     "4 bytes as an IPv4 address."},
    {"inet_pton", socket_inet_pton, METH_VARARGS,
     "inet_pton(af, ip) -> packed IP address string\n\n"
     "An address of a family as bytes."},
    {"inet_ntop", socket_inet_ntop, METH_VARARGS,
     "inet_ntop(af, packed_ip) -> string formatted IP address\n\n"
     "Bytes as an address of a family."},
    {"getdefaulttimeout", socket_getdefaulttimeout, METH_NOARGS,
     "getdefaulttimeout() -> timeout\n\nThe timeout of new sockets."},
    {"setdefaulttimeout", socket_setdefaulttimeout, METH_O,
     "setdefaulttimeout(timeout)\n\nSet the timeout of new sockets."},
    {"CMSG_LEN", kr_sock_CMSG_LEN, METH_VARARGS,
     "CMSG_LEN(length) -> control message length\n\n"
     "Size of an ancillary item without padding."},
    {"CMSG_SPACE", kr_sock_CMSG_SPACE, METH_VARARGS,
     "CMSG_SPACE(length) -> buffer size\n\n"
     "Size of an ancillary item with padding."},
    {NULL},
};

/* What other extensions take through the capsule. */
typedef struct {
    PyTypeObject *socket_type;
    PyObject *error;
    PyObject *timeout_error;
} SocketCAPI;

static void
free_capi(PyObject *capsule)
{
    SocketCAPI *capi = PyCapsule_GetPointer(capsule, "_socket.CAPI");
    Py_DECREF(capi->socket_type);
    Py_DECREF(capi->error);
    Py_DECREF(capi->timeout_error);
    PyMem_Free(capi);
}

static int
add_capi(PyObject *module)
{
    SocketCAPI *capi = PyMem_Calloc(1, sizeof(*capi));
    if (capi == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    capi->socket_type = (PyTypeObject *)Py_NewRef(&kr_Socket_Type);
    capi->error = Py_NewRef(PyExc_OSError);
    capi->timeout_error = Py_NewRef(PyExc_TimeoutError);
    PyObject *capsule = PyCapsule_New(capi, "_socket.CAPI", free_capi);
    if (capsule == NULL) {
        Py_DECREF(capi->socket_type);
        Py_DECREF(capi->error);
        Py_DECREF(capi->timeout_error);
        PyMem_Free(capi);
        return -1;
    }
    int rc = PyModule_AddObjectRef(module, "CAPI", capsule);
    Py_DECREF(capsule);
    return rc;
}

static int
add_error(PyObject *module, const char *name, PyObject **where)
{
    if (*where == NULL) {
        char full[40];
        PyOS_snprintf(full, sizeof(full), "socket.%s", name);
        *where = PyErr_NewException(full, PyExc_OSError, NULL);
        if (*where == NULL) {
            return -1;
        }
    }
    return PyModule_AddObjectRef(module, name, *where);
}

static int
socket_exec(PyObject *module)
{
    if (PyModule_AddFunctions(module, kr_socket_name_methods) < 0 ||
        PyModule_AddFunctions(module, kr_socket_misc_methods) < 0 ||
        PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0 ||
        PyModule_AddObjectRef(module, "timeout", PyExc_TimeoutError) < 0 ||
        add_error(module, "herror", &kr_socket_state.herror) < 0 ||
        add_error(module, "gaierror", &kr_socket_state.gaierror) < 0 ||
        PyModule_AddType(module, &kr_Socket_Type) < 0 ||
        PyModule_AddObjectRef(module, "SocketType",
                              (PyObject *)&kr_Socket_Type) < 0 ||
        add_capi(module) < 0) {
        return -1;
    }
    return kr_socket_add_constants(module);
}

static PyModuleDef_Slot socket_slots[] = {
    {Py_mod_exec, socket_exec},
    {0, NULL},
};

static PyModuleDef socket_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_socket",
    .m_doc = "The native part of the module socket.",
    .m_slots = socket_slots,
};

PyMODINIT_FUNC
PyInit__socket(void)
{
    return PyModuleDef_Init(&socket_def);
}
