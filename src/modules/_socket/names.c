/* Names of hosts, services, protocols and network interfaces. */
#include "modules/_socket/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { RESOLVE_BUFFER = 16384 };

static PyObject *
raise_pair(PyObject *type, int number, const char *text)
{
    PyObject *v = Py_BuildValue("(is)", number, text);
    if (v != NULL) {
        PyErr_SetObject(type, v);
        Py_DECREF(v);
    }
    return NULL;
}

PyObject *
kr_sock_gaierror(int error)
{
    if (error == EAI_SYSTEM) {
        return kr_sock_error();
    }
    return raise_pair(kr_socket_state.gaierror, error, gai_strerror(error));
}

PyObject *
kr_sock_herror(int error)
{
    return raise_pair(kr_socket_state.herror, error, hstrerror(error));
}

static PyObject *
socket_gethostname(PyObject *module, PyObject *unused)
{
    char buf[1024];
    int rc;
    if (PySys_Audit("socket.gethostname", NULL) < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    rc = gethostname(buf, sizeof(buf) - 1);
    Py_END_ALLOW_THREADS
    if (rc < 0) {
        return kr_sock_error();
    }
    buf[sizeof(buf) - 1] = '\0';
    return PyUnicode_DecodeFSDefault(buf);
}

static PyObject *
socket_sethostname(PyObject *module, PyObject *args)
{
    PyObject *name;
    Py_buffer buf;
    bool decoded = false;
    if (!PyArg_ParseTuple(args, "S:sethostname", &name)) {
        PyErr_Clear();
        if (!PyArg_ParseTuple(args, "O&:sethostname", PyUnicode_FSConverter,
                              &name)) {
            return NULL;
        }
        decoded = true;
    }
    int rc = -2;
    if (PySys_Audit("socket.sethostname", "(O)", name) >= 0 &&
        PyObject_GetBuffer(name, &buf, PyBUF_SIMPLE) == 0) {
        rc = sethostname(buf.buf, (size_t)buf.len);
        PyBuffer_Release(&buf);
    }
    if (decoded) {
        Py_DECREF(name);
    }
    if (rc == -2) {
        return NULL;
    }
    return rc ? kr_sock_error() : Py_NewRef(Py_None);
}

static PyObject *
socket_gethostbyname(PyObject *module, PyObject *args)
{
    struct sock_host host;
    sock_addr addr;
    PyObject *res = NULL;
    if (!PyArg_ParseTuple(args, "O&:gethostbyname", kr_sock_host_converter,
                          &host)) {
        return NULL;
    }
    if (PySys_Audit("socket.gethostbyname", "O", PyTuple_GET_ITEM(args, 0)) >=
            0 &&
        kr_sock_resolve(host.text, &addr, AF_INET) >= 0) {
        res = kr_sock_make_ipv4(&addr.in.sin_addr);
    }
    kr_sock_host_done(&host);
    return res;
}

/* (name, aliases, addresses) of a host entry. */
static PyObject *
make_host_entry(const struct hostent *h, int family)
{
    if (h->h_addrtype != family) {
        PyErr_SetString(PyExc_OSError, strerror(EAFNOSUPPORT));
        return NULL;
    }
    PyObject *names = PyList_New(0), *addresses = PyList_New(0), *item;
    bool ok = names && addresses;
    for (char **p = h->h_aliases; ok && p && *p; p++) {
        item = PyUnicode_FromString(*p);
        ok = item && PyList_Append(names, item) == 0;
        Py_XDECREF(item);
    }
    for (char **p = h->h_addr_list; ok && p && *p; p++) {
        if (family == AF_INET) {
            struct in_addr a;
            memcpy(&a, *p, sizeof(a));
            item = kr_sock_make_ipv4(&a);
        }
        else {
            struct sockaddr_in6 a = {0};
            memcpy(&a.sin6_addr, *p, sizeof(a.sin6_addr));
            item = kr_sock_make_ipv6(&a);
        }
        ok = item && PyList_Append(addresses, item) == 0;
        Py_XDECREF(item);
    }
    PyObject *res = ok ? Py_BuildValue("sOO", h->h_name, names, addresses)
                       : NULL;
    Py_XDECREF(names);
    Py_XDECREF(addresses);
    return res;
}

static PyObject *
socket_gethostbyname_ex(PyObject *module, PyObject *args)
{
    struct sock_host host;
    sock_addr addr;
    struct hostent entry, *h = NULL;
    PyObject *res = NULL;
    int err = 0;
    if (!PyArg_ParseTuple(args, "O&:gethostbyname_ex", kr_sock_host_converter,
                          &host)) {
        return NULL;
    }
    if (PySys_Audit("socket.gethostbyname", "O", PyTuple_GET_ITEM(args, 0)) >=
            0 &&
        kr_sock_resolve(host.text, &addr, AF_INET) >= 0) {
        char *buf = PyMem_Malloc(RESOLVE_BUFFER);
        if (buf == NULL) {
            PyErr_NoMemory();
        }
        else {
            Py_BEGIN_ALLOW_THREADS
            gethostbyname_r(host.text, &entry, buf, RESOLVE_BUFFER, &h, &err);
            Py_END_ALLOW_THREADS
            res = h ? make_host_entry(h, AF_INET) : kr_sock_herror(err);
            PyMem_Free(buf);
        }
    }
    kr_sock_host_done(&host);
    return res;
}

static PyObject *
socket_gethostbyaddr(PyObject *module, PyObject *args)
{
    struct sock_host host;
    sock_addr addr;
    struct hostent entry, *h = NULL;
    PyObject *res = NULL;
    int err = 0;
    if (!PyArg_ParseTuple(args, "O&:gethostbyaddr", kr_sock_host_converter,
                          &host)) {
        return NULL;
    }
    if (PySys_Audit("socket.gethostbyaddr", "O", PyTuple_GET_ITEM(args, 0)) >=
            0 &&
        kr_sock_resolve(host.text, &addr, AF_UNSPEC) >= 0) {
        bool v4 = addr.sa.sa_family == AF_INET;
        const void *raw = v4 ? (void *)&addr.in.sin_addr
                             : (void *)&addr.in6.sin6_addr;
        char *buf = PyMem_Malloc(RESOLVE_BUFFER);
        if (buf == NULL) {
            PyErr_NoMemory();
        }
        else {
            Py_BEGIN_ALLOW_THREADS
            gethostbyaddr_r(raw, v4 ? 4 : 16, addr.sa.sa_family, &entry, buf,
                            RESOLVE_BUFFER, &h, &err);
            Py_END_ALLOW_THREADS
            res = h ? make_host_entry(h, addr.sa.sa_family)
                    : kr_sock_herror(err);
            PyMem_Free(buf);
        }
    }
    kr_sock_host_done(&host);
    return res;
}

static PyObject *
socket_getservbyname(PyObject *module, PyObject *args)
{
    const char *name, *proto = NULL;
    struct servent *sp;
    int port = 0;
    if (!PyArg_ParseTuple(args, "s|s:getservbyname", &name, &proto) ||
        PySys_Audit("socket.getservbyname", "ss", name, proto) < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    sp = getservbyname(name, proto);
    port = sp ? ntohs((uint16_t)sp->s_port) : 0;
    Py_END_ALLOW_THREADS
    if (sp == NULL) {
        PyErr_SetString(PyExc_OSError, "service/proto not found");
        return NULL;
    }
    return PyLong_FromLong(port);
}

static PyObject *
socket_getservbyport(PyObject *module, PyObject *args)
{
    const char *proto = NULL;
    struct servent *sp;
    int port;
    if (!PyArg_ParseTuple(args, "i|s:getservbyport", &port, &proto)) {
        return NULL;
    }
    if (port < 0 || port > 0xffff) {
        PyErr_SetString(PyExc_OverflowError,
                        "getservbyport: port must be 0-65535.");
        return NULL;
    }
    if (PySys_Audit("socket.getservbyport", "is", port, proto) < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    sp = getservbyport(htons((uint16_t)port), proto);
    Py_END_ALLOW_THREADS
    if (sp == NULL) {
        PyErr_SetString(PyExc_OSError, "port/proto not found");
        return NULL;
    }
    return PyUnicode_FromString(sp->s_name);
}

static PyObject *
socket_getprotobyname(PyObject *module, PyObject *args)
{
    const char *name;
    struct protoent *sp;
    if (!PyArg_ParseTuple(args, "s:getprotobyname", &name)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    sp = getprotobyname(name);
    Py_END_ALLOW_THREADS
    if (sp == NULL) {
        PyErr_SetString(PyExc_OSError, "protocol not found");
        return NULL;
    }
    return PyLong_FromLong(sp->p_proto);
}

/* The list of getaddrinfo's results. */
static PyObject *
result_list(const struct addrinfo *res)
{
    PyObject *list = PyList_New(0);
    for (; list != NULL && res != NULL; res = res->ai_next) {
        sock_addr addr;
        memset(&addr, 0, sizeof(addr));
        memcpy(&addr, res->ai_addr,
               Py_MIN((size_t)res->ai_addrlen, sizeof(addr)));
        PyObject *address =
            kr_sock_make_address(-1, &addr, res->ai_addrlen, -1);
        PyObject *item =
            address ? Py_BuildValue("iiisN", res->ai_family, res->ai_socktype,
                                    res->ai_protocol,
                                    res->ai_canonname ? res->ai_canonname
                                                      : "",
                                    address)
                    : NULL;
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

/* The service as text: an int, str, bytes or None. */
static bool
service_text(PyObject *o, PyObject **keep, const char **text)
{
    *keep = NULL;
    *text = NULL;
    if (o == Py_None) {
        return true;
    }
    if (PyLong_CheckExact(o)) {
        long value = PyLong_AsLong(o);
        if (value == -1 && PyErr_Occurred()) {
            return false;
        }
        *keep = PyBytes_FromFormat("%ld", value);
        *text = *keep ? PyBytes_AS_STRING(*keep) : NULL;
    }
    else if (PyUnicode_Check(o)) {
        *text = PyUnicode_AsUTF8(o);
    }
    else if (PyBytes_Check(o)) {
        *text = PyBytes_AS_STRING(o);
    }
    else {
        PyErr_SetString(PyExc_OSError, "Int or String expected");
    }
    return *text != NULL;
}

static PyObject *
socket_getaddrinfo(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *kwlist[] = {"host",  "port",  "family", "type",
                             "proto", "flags", NULL};
    PyObject *hobj, *pobj, *idna = NULL, *keep = NULL, *list = NULL;
    int family = AF_UNSPEC, type = 0, proto = 0, flags = 0, error;
    const char *host, *service;
    struct addrinfo *results = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|iiii:getaddrinfo",
                                     kwlist, &hobj, &pobj, &family, &type,
                                     &proto, &flags)) {
        return NULL;
    }
    if (hobj == Py_None) {
        host = NULL;
    }
    else if (PyUnicode_Check(hobj)) {
        idna = PyUnicode_AsEncodedString(hobj, "idna", NULL);
        if (idna == NULL) {
            return NULL;
        }
        host = PyBytes_AS_STRING(idna);
    }
    else if (PyBytes_Check(hobj)) {
        host = PyBytes_AS_STRING(hobj);
    }
    else {
        PyErr_SetString(PyExc_TypeError,
                        "getaddrinfo() argument 1 must be string or None");
        return NULL;
    }
    if (service_text(pobj, &keep, &service) &&
        PySys_Audit("socket.getaddrinfo", "OOiii", hobj, pobj, family, type,
                    proto) >= 0) {
        struct addrinfo hints = {.ai_family = family,
                                 .ai_socktype = type,
                                 .ai_protocol = proto,
                                 .ai_flags = flags};
        Py_BEGIN_ALLOW_THREADS
        error = getaddrinfo(host, service, &hints, &results);
        Py_END_ALLOW_THREADS
        if (error) {
            kr_sock_gaierror(error);
        }
        else {
            list = result_list(results);
            freeaddrinfo(results);
        }
    }
    Py_XDECREF(idna);
    Py_XDECREF(keep);
    return list;
}

static PyObject *
socket_getnameinfo(PyObject *module, PyObject *args)
{
    PyObject *address, *name, *res = NULL;
    unsigned int flowinfo = 0, scope_id = 0;
    int flags, port, error;
    const char *host;
    char service[NI_MAXSERV], hostname[NI_MAXHOST], number[NI_MAXSERV];
    struct addrinfo *found = NULL;
    if (!PyArg_ParseTuple(args, "Oi:getnameinfo", &address, &flags)) {
        return NULL;
    }
    if (!PyTuple_Check(address)) {
        PyErr_SetString(PyExc_TypeError,
                        "getnameinfo() argument 1 must be a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(address,
                          "si|II;getnameinfo(): illegal sockaddr argument",
                          &host, &port, &flowinfo, &scope_id)) {
        return NULL;
    }
    if (flowinfo > 0xfffff) {
        PyErr_SetString(PyExc_OverflowError,
                        "getnameinfo(): flowinfo must be 0-1048575.");
        return NULL;
    }
    if (PySys_Audit("socket.getnameinfo", "(O)", address) < 0) {
        return NULL;
    }
    PyOS_snprintf(number, sizeof(number), "%d", port);
    /* numbers only: the address must not be looked up */
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_DGRAM,
                             .ai_flags = AI_NUMERICHOST};
    Py_BEGIN_ALLOW_THREADS
    error = getaddrinfo(host, number, &hints, &found);
    Py_END_ALLOW_THREADS
    if (error) {
        return kr_sock_gaierror(error);
    }
    if (found->ai_next) {
        PyErr_SetString(PyExc_OSError,
                        "sockaddr resolved to multiple addresses");
        goto done;
    }
    if (found->ai_family == AF_INET && PyTuple_GET_SIZE(address) != 2) {
        PyErr_SetString(PyExc_OSError, "IPv4 sockaddr must be 2 tuple");
        goto done;
    }
    if (found->ai_family == AF_INET6) {
        struct sockaddr_in6 *sin6 = (void *)found->ai_addr;
        sin6->sin6_flowinfo = htonl(flowinfo);
        sin6->sin6_scope_id = scope_id;
    }
    Py_BEGIN_ALLOW_THREADS
    error = getnameinfo(found->ai_addr, found->ai_addrlen, hostname,
                        sizeof(hostname), service, sizeof(service), flags);
    Py_END_ALLOW_THREADS
    if (error) {
        kr_sock_gaierror(error);
        goto done;
    }
    name = PyUnicode_DecodeFSDefault(hostname);
    res = name ? Py_BuildValue("Ns", name, service) : NULL;
done:
    freeaddrinfo(found);
    return res;
}

static PyObject *
socket_if_nameindex(PyObject *module, PyObject *unused)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    struct if_nameindex *ni = if_nameindex();
    if (ni == NULL) {
        Py_DECREF(list);
        return kr_sock_error();
    }
    for (int i = 0; ni[i].if_index != 0; i++) {
        PyObject *item =
            Py_BuildValue("IO&", ni[i].if_index, PyUnicode_DecodeFSDefault,
                          ni[i].if_name);
        if (item == NULL || PyList_Append(list, item) == -1) {
            Py_XDECREF(item);
            Py_CLEAR(list);
            break;
        }
        Py_DECREF(item);
    }
    if_freenameindex(ni);
    return list;
}

static PyObject *
socket_if_nametoindex(PyObject *module, PyObject *args)
{
    PyObject *name;
    if (!PyArg_ParseTuple(args, "O&:if_nametoindex", PyUnicode_FSConverter,
                          &name)) {
        return NULL;
    }
    unsigned long index = if_nametoindex(PyBytes_AS_STRING(name));
    Py_DECREF(name);
    if (index == 0) {
        PyErr_SetString(PyExc_OSError, "no interface with this name");
        return NULL;
    }
    return PyLong_FromUnsignedLong(index);
}

static PyObject *
socket_if_indextoname(PyObject *module, PyObject *arg)
{
    char name[IF_NAMESIZE + 1];
    unsigned long index = PyLong_AsUnsignedLong(arg);
    if (index == (unsigned long)-1) {
        return NULL;
    }
    if (if_indextoname((unsigned int)index, name) == NULL) {
        return kr_sock_error();
    }
    return PyUnicode_DecodeFSDefault(name);
}

PyMethodDef kr_socket_name_methods[] = {
    {"gethostbyname", socket_gethostbyname, METH_VARARGS,
     "gethostbyname(host) -> address\n\nThe IPv4 address of a host."},
    {"gethostbyname_ex", socket_gethostbyname_ex, METH_VARARGS,
     "gethostbyname_ex(host) -> (name, aliaslist, addresslist)\n\n"
     "Names and addresses of a host."},
    {"gethostbyaddr", socket_gethostbyaddr, METH_VARARGS,
     "gethostbyaddr(host) -> (name, aliaslist, addresslist)\n\n"
     "Names and addresses of a host given by address."},
    {"gethostname", socket_gethostname, METH_NOARGS,
     "gethostname() -> string\n\nName of this host."},
    {"sethostname", socket_sethostname, METH_VARARGS,
     "sethostname(name)\n\nSet the name of this host."},
    {"getservbyname", socket_getservbyname, METH_VARARGS,
     "getservbyname(servicename[, protocolname]) -> integer\n\n"
     "Port of a service."},
    {"getservbyport", socket_getservbyport, METH_VARARGS,
     "getservbyport(port[, protocolname]) -> string\n\n"
     "Service of a port."},
    {"getprotobyname", socket_getprotobyname, METH_VARARGS,
     "getprotobyname(name) -> integer\n\nNumber of a protocol."},
    {"getaddrinfo", KR_CAST(socket_getaddrinfo), METH_VARARGS | METH_KEYWORDS,
     "getaddrinfo(host, port [, family, type, proto, flags])\n"
     "    -> list of (family, type, proto, canonname, sockaddr)\n\n"
     "Addresses of a host and a service."},
    {"getnameinfo", socket_getnameinfo, METH_VARARGS,
     "getnameinfo(sockaddr, flags) --> (host, port)\n\n"
     "Host and service of an address."},
    {"if_nameindex", socket_if_nameindex, METH_NOARGS,
     "if_nameindex()\n\nAll network interfaces as (index, name)."},
    {"if_nametoindex", socket_if_nametoindex, METH_VARARGS,
     "if_nametoindex(if_name)\n\nIndex of a network interface."},
    {"if_indextoname", socket_if_indextoname, METH_O,
     "if_indextoname(if_index)\n\nName of a network interface."},
    {NULL},
};
