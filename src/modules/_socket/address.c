/* Socket addresses: from and to Python objects, for each family. */
#include "modules/_socket/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>

#ifndef CAN_ISOTP
#define CAN_ISOTP 6
#endif
#ifndef CAN_J1939
#define CAN_J1939 7
#endif

PyObject *
kr_sock_make_ipv4(const struct in_addr *addr)
{
    char buf[INET_ADDRSTRLEN];
    if (inet_ntop(AF_INET, addr, buf, sizeof(buf)) == NULL) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyUnicode_FromString(buf);
}

PyObject *
kr_sock_make_ipv6(const struct sockaddr_in6 *addr)
{
    char buf[INET6_ADDRSTRLEN];
    if (inet_ntop(AF_INET6, &addr->sin6_addr, buf, sizeof(buf)) == NULL) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyUnicode_FromString(buf);
}

int
kr_sock_host_converter(PyObject *o, struct sock_host *out)
{
    *out = (struct sock_host){NULL, NULL};
    Py_ssize_t len;
    if (PyBytes_Check(o)) {
        out->object = Py_NewRef(o);
        out->text = PyBytes_AS_STRING(o);
        len = PyBytes_GET_SIZE(o);
    }
    else if (PyByteArray_Check(o)) {
        out->object = Py_NewRef(o);
        out->text = PyByteArray_AS_STRING(o);
        len = PyByteArray_GET_SIZE(o);
    }
    else if (PyUnicode_Check(o)) {
        if (PyUnicode_READY(o) == -1) {
            return 0;
        }
        if (PyUnicode_IS_COMPACT_ASCII(o)) {
            out->object = Py_NewRef(o);
            out->text = PyUnicode_DATA(o);
            len = PyUnicode_GET_LENGTH(o);
        }
        else {
            out->object = PyUnicode_AsEncodedString(o, "idna", NULL);
            if (out->object == NULL) {
                PyErr_SetString(PyExc_TypeError,
                                "encoding of hostname failed");
                return 0;
            }
            out->text = PyBytes_AS_STRING(out->object);
            len = PyBytes_GET_SIZE(out->object);
        }
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "str, bytes or bytearray expected, not %s",
                     Py_TYPE(o)->tp_name);
        return 0;
    }
    if (strlen(out->text) != (size_t)len) {
        Py_CLEAR(out->object);
        PyErr_SetString(PyExc_TypeError,
                        "host name must not contain null character");
        return 0;
    }
    return 1;
}

void
kr_sock_host_done(struct sock_host *host)
{
    Py_CLEAR(host->object);
}

/* Copies the one result of a look-up; the length of the raw address. */
static int
take_result(const struct addrinfo *res, sock_addr *addr)
{
    size_t n = Py_MIN((size_t)res->ai_addrlen, sizeof(*addr));
    memcpy(addr, res->ai_addr, n);
    return res->ai_family == AF_INET ? 4 : res->ai_family == AF_INET6 ? 16
                                                                      : -1;
}

static int
resolve_with(const char *name, const char *service, sock_addr *addr,
             struct addrinfo *hints, bool only_one)
{
    struct addrinfo *res;
    int error;
    Py_BEGIN_ALLOW_THREADS
    error = getaddrinfo(name, service, hints, &res);
    Py_END_ALLOW_THREADS
    if (error) {
        kr_sock_gaierror(error);
        return -1;
    }
    int n = res->ai_family == AF_INET    ? 4
            : res->ai_family == AF_INET6 ? 16
                                         : -1;
    if (n < 0) {
        PyErr_SetString(PyExc_OSError, "unsupported address family");
    }
    else if (only_one && res->ai_next != NULL) {
        PyErr_SetString(PyExc_OSError,
                        "wildcard resolved to multiple address");
        n = -1;
    }
    else {
        take_result(res, addr);
    }
    freeaddrinfo(res);
    return n;
}

int
kr_sock_resolve(const char *name, sock_addr *addr, int family)
{
    struct addrinfo hints = {.ai_family = family};
    memset(addr, 0, sizeof(*addr));
    if (name[0] == '\0') {
        hints.ai_socktype = SOCK_DGRAM; /* not one for each type */
        hints.ai_flags = AI_PASSIVE;
        return resolve_with(NULL, "0", addr, &hints, true);
    }
    if (strcmp(name, "255.255.255.255") == 0 ||
        strcmp(name, "<broadcast>") == 0) {
        if (family != AF_INET && family != AF_UNSPEC) {
            PyErr_SetString(PyExc_OSError, "address family mismatched");
            return -1;
        }
        addr->in.sin_family = AF_INET;
        addr->in.sin_addr.s_addr = INADDR_BROADCAST;
        return 4;
    }
    /* numbers need no look-up; scope ids do */
    if ((family == AF_UNSPEC || family == AF_INET) &&
        inet_pton(AF_INET, name, &addr->in.sin_addr) > 0) {
        addr->in.sin_family = AF_INET;
        return 4;
    }
    if ((family == AF_UNSPEC || family == AF_INET6) &&
        strchr(name, '%') == NULL &&
        inet_pton(AF_INET6, name, &addr->in6.sin6_addr) > 0) {
        addr->in6.sin6_family = AF_INET6;
        return 16;
    }
    return resolve_with(name, NULL, addr, &hints, false);
}

static PyObject *
make_bt_address(const bt_address *a)
{
    char buf[18];
    PyOS_snprintf(buf, sizeof(buf), "%02X:%02X:%02X:%02X:%02X:%02X", a->b[5],
                  a->b[4], a->b[3], a->b[2], a->b[1], a->b[0]);
    return PyUnicode_FromString(buf);
}

static bool
take_bt_address(const char *s, bt_address *out)
{
    unsigned int b[6];
    char extra;
    if (sscanf(s, "%X:%X:%X:%X:%X:%X%c", &b[5], &b[4], &b[3], &b[2], &b[1],
               &b[0], &extra) == 6) {
        bool ok = true;
        for (int i = 0; i < 6; i++) {
            ok = ok && b[i] < 256;
            out->b[i] = (uint8_t)b[i];
        }
        if (ok) {
            return true;
        }
    }
    PyErr_SetString(PyExc_OSError, "bad bluetooth address");
    return false;
}

static PyObject *
make_unix(const struct sockaddr_un *a, size_t addrlen)
{
    size_t len = addrlen - offsetof(struct sockaddr_un, sun_path);
    if (addrlen <= offsetof(struct sockaddr_un, sun_path)) {
        return PyUnicode_New(0, 0);
    }
    if (a->sun_path[0] == 0) {
        /* abstract: any bytes, the length counts */
        return PyBytes_FromStringAndSize(a->sun_path, (Py_ssize_t)len);
    }
    return PyUnicode_DecodeFSDefaultAndSize(
        a->sun_path, (Py_ssize_t)strnlen(a->sun_path, len));
}

/* Name of an interface index; "" when it has none. */
static void
interface_name(int fd, int index, struct ifreq *ifr)
{
    memset(ifr, 0, sizeof(*ifr));
    if (index) {
        ifr->ifr_ifindex = index;
        if (ioctl(fd, SIOCGIFNAME, ifr) != 0) {
            ifr->ifr_name[0] = '\0';
        }
    }
}

static PyObject *
make_can(int fd, const struct sockaddr_can *a, int proto)
{
    struct ifreq ifr;
    interface_name(fd, a->can_ifindex, &ifr);
    switch (proto) {
    case CAN_ISOTP:
        return Py_BuildValue("O&kk", PyUnicode_DecodeFSDefault, ifr.ifr_name,
                             (unsigned long)a->can_addr.tp.rx_id,
                             (unsigned long)a->can_addr.tp.tx_id);
    case CAN_J1939:
        return Py_BuildValue("O&KIB", PyUnicode_DecodeFSDefault,
                             ifr.ifr_name,
                             (unsigned long long)a->can_addr.j1939.name,
                             (unsigned int)a->can_addr.j1939.pgn,
                             a->can_addr.j1939.addr);
    default:
        return Py_BuildValue("O&h", PyUnicode_DecodeFSDefault, ifr.ifr_name,
                             (short)a->can_family);
    }
}

static PyObject *
make_tipc(const struct sockaddr_tipc *a)
{
    switch (a->addrtype) {
    case TIPC_ADDR_NAMESEQ:
        return Py_BuildValue("IIIII", a->addrtype, a->addr.nameseq.type,
                             a->addr.nameseq.lower, a->addr.nameseq.upper,
                             a->scope);
    case TIPC_ADDR_NAME:
        return Py_BuildValue("IIIII", a->addrtype, a->addr.name.name.type,
                             a->addr.name.name.instance,
                             a->addr.name.name.instance, a->scope);
    case TIPC_ADDR_ID:
        return Py_BuildValue("IIIII", a->addrtype, a->addr.id.node,
                             a->addr.id.ref, 0, a->scope);
    default:
        PyErr_SetString(PyExc_ValueError, "Invalid address type");
        return NULL;
    }
}

static PyObject *
make_bluetooth(const sock_addr *addr, int proto)
{
    switch (proto) {
    case BT_L2CAP:
        return Py_BuildValue("Ni", make_bt_address(&addr->l2cap.address),
                             addr->l2cap.psm);
    case BT_RFCOMM:
        return Py_BuildValue("Ni", make_bt_address(&addr->rfcomm.address),
                             addr->rfcomm.channel);
    case BT_HCI:
        return Py_BuildValue("i", addr->hci.dev);
    case BT_SCO:
        return make_bt_address(&addr->sco.address);
    default:
        PyErr_SetString(PyExc_ValueError, "Unknown Bluetooth protocol");
        return NULL;
    }
}

PyObject *
kr_sock_make_address(int fd, const sock_addr *addr, size_t len, int proto)
{
    struct ifreq ifr;
    if (len == 0) {
        Py_RETURN_NONE; /* no address, as of a connected socket */
    }
    switch (addr->sa.sa_family) {
    case AF_INET:
        return Py_BuildValue("Ni", kr_sock_make_ipv4(&addr->in.sin_addr),
                             ntohs(addr->in.sin_port));
    case AF_INET6:
        return Py_BuildValue(
            "NiII", kr_sock_make_ipv6(&addr->in6), ntohs(addr->in6.sin6_port),
            ntohl(addr->in6.sin6_flowinfo), addr->in6.sin6_scope_id);
    case AF_UNIX:
        return make_unix(&addr->un, len);
    case AF_NETLINK:
        return Py_BuildValue("II", addr->nl.nl_pid, addr->nl.nl_groups);
    case AF_QIPCRTR:
        return Py_BuildValue("II", addr->qrtr.sq_node, addr->qrtr.sq_port);
    case AF_VSOCK:
        return Py_BuildValue("II", addr->vm.svm_cid, addr->vm.svm_port);
    case AF_PACKET:
        interface_name(fd, addr->ll.sll_ifindex, &ifr);
        return Py_BuildValue("Nibhy#",
                             PyUnicode_FromString(ifr.ifr_name),
                             ntohs(addr->ll.sll_protocol),
                             addr->ll.sll_pkttype, addr->ll.sll_hatype,
                             addr->ll.sll_addr,
                             (Py_ssize_t)addr->ll.sll_halen);
    case AF_TIPC:
        return make_tipc(&addr->tipc);
    case AF_CAN:
        return make_can(fd, &addr->can, proto);
    case AF_ALG:
        return Py_BuildValue(
            "s#s#HH", addr->alg.salg_type,
            (Py_ssize_t)strnlen((const char *)addr->alg.salg_type,
                                sizeof(addr->alg.salg_type)),
            addr->alg.salg_name,
            (Py_ssize_t)strnlen((const char *)addr->alg.salg_name,
                                sizeof(addr->alg.salg_name)),
            addr->alg.salg_feat, addr->alg.salg_mask);
    case AF_BLUETOOTH:
        return make_bluetooth(addr, proto);
    default:
        /* a family that we don't know: as it is */
        return Py_BuildValue("iy#", addr->sa.sa_family, addr->sa.sa_data,
                             (Py_ssize_t)sizeof(addr->sa.sa_data));
    }
}

static bool
need_tuple(PyObject *arg, const char *caller, const char *family)
{
    if (PyTuple_Check(arg)) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s(): %s address must be tuple, not %.500s",
                 caller, family, Py_TYPE(arg)->tp_name);
    return false;
}

static bool
valid_port(int port, const char *caller)
{
    if (port < 0 || port > 0xffff) {
        PyErr_Format(PyExc_OverflowError, "%s(): port must be 0-65535.",
                     caller);
        return false;
    }
    return true;
}

static bool
take_unix(PyObject *arg, struct sockaddr_un *a, int *len)
{
    Py_buffer path;
    PyObject *bytes = NULL;
    bool ok = false;
    if (PyUnicode_Check(arg)) {
        if ((bytes = PyUnicode_EncodeFSDefault(arg)) == NULL) {
            return false;
        }
        arg = bytes;
    }
    if (!PyArg_Parse(arg, "y*", &path)) {
        Py_XDECREF(bytes);
        return false;
    }
    bool abstract = path.len == 0 || *(const char *)path.buf == 0;
    /* a path needs its NUL, an abstract name does not */
    if ((size_t)path.len > sizeof(a->sun_path) - (abstract ? 0 : 1)) {
        PyErr_SetString(PyExc_OSError, "AF_UNIX path too long");
    }
    else {
        if (!abstract) {
            a->sun_path[path.len] = 0;
        }
        a->sun_family = AF_UNIX;
        memcpy(a->sun_path, path.buf, (size_t)path.len);
        *len = (int)path.len + (int)offsetof(struct sockaddr_un, sun_path);
        ok = true;
    }
    PyBuffer_Release(&path);
    Py_XDECREF(bytes);
    return ok;
}

/* An OverflowError of the port is said in our words. */
static void
port_overflow(const char *caller)
{
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Format(PyExc_OverflowError, "%s(): port must be 0-65535.",
                     caller);
    }
}

static bool
take_inet(Socket *s, PyObject *arg, struct sockaddr_in *a, int *len,
          const char *caller)
{
    struct sock_host host = {NULL, NULL};
    sock_addr found;
    int port;
    if (!need_tuple(arg, caller, s->family == AF_INET ? "AF_INET"
                                                      : "AF_RDS")) {
        return false;
    }
    if (!PyArg_ParseTuple(arg,
                          "O&i;AF_INET address must be a pair (host, port)",
                          kr_sock_host_converter, &host, &port)) {
        kr_sock_host_done(&host);
        port_overflow(caller);
        return false;
    }
    int rc = kr_sock_resolve(host.text, &found, AF_INET);
    kr_sock_host_done(&host);
    if (rc < 0 || !valid_port(port, caller)) {
        return false;
    }
    *a = found.in;
    a->sin_family = (sa_family_t)s->family;
    a->sin_port = htons((uint16_t)port);
    *len = sizeof(*a);
    return true;
}

static bool
take_inet6(PyObject *arg, struct sockaddr_in6 *a, int *len,
           const char *caller)
{
    struct sock_host host = {NULL, NULL};
    sock_addr found;
    unsigned int flowinfo = 0, scope_id = 0;
    int port;
    if (!need_tuple(arg, caller, "AF_INET6")) {
        return false;
    }
    if (!PyArg_ParseTuple(arg,
                          "O&i|II;AF_INET6 address must be a tuple "
                          "(host, port[, flowinfo[, scopeid]])",
                          kr_sock_host_converter, &host, &port, &flowinfo,
                          &scope_id)) {
        kr_sock_host_done(&host);
        port_overflow(caller);
        return false;
    }
    int rc = kr_sock_resolve(host.text, &found, AF_INET6);
    kr_sock_host_done(&host);
    if (rc < 0 || !valid_port(port, caller)) {
        return false;
    }
    if (flowinfo > 0xfffff) {
        PyErr_Format(PyExc_OverflowError,
                     "%s(): flowinfo must be 0-1048575.", caller);
        return false;
    }
    *a = found.in6;
    a->sin6_family = AF_INET6;
    a->sin6_port = htons((uint16_t)port);
    a->sin6_flowinfo = htonl(flowinfo);
    a->sin6_scope_id = scope_id;
    *len = sizeof(*a);
    return true;
}

static bool
take_packet(Socket *s, PyObject *arg, struct sockaddr_ll *a, int *len,
            const char *caller)
{
    struct ifreq ifr = {0};
    const char *name;
    int proto, pkttype = PACKET_HOST, hatype = 0;
    Py_buffer haddr = {NULL};
    bool ok = false;
    if (!need_tuple(arg, caller, "AF_PACKET")) {
        return false;
    }
    if (!PyArg_ParseTuple(arg,
                          "si|iiy*;AF_PACKET address must be a tuple of two "
                          "to five elements",
                          &name, &proto, &pkttype, &hatype, &haddr)) {
        return false;
    }
    strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
    if (ioctl(s->fd, SIOCGIFINDEX, &ifr) < 0) {
        s->errorhandler();
    }
    else if (haddr.buf && haddr.len > 8) {
        PyErr_SetString(PyExc_ValueError,
                        "Hardware address must be 8 bytes or less");
    }
    else if (proto < 0 || proto > 0xffff) {
        PyErr_Format(PyExc_OverflowError,
                     "%s(): proto argument must be 0-65535.", caller);
    }
    else {
        a->sll_family = AF_PACKET;
        a->sll_protocol = htons((uint16_t)proto);
        a->sll_ifindex = ifr.ifr_ifindex;
        a->sll_pkttype = (unsigned char)pkttype;
        a->sll_hatype = (unsigned short)hatype;
        if (haddr.buf) {
            memcpy(a->sll_addr, haddr.buf, (size_t)haddr.len);
            a->sll_halen = (unsigned char)haddr.len;
        }
        *len = sizeof(*a);
        ok = true;
    }
    if (haddr.obj) {
        PyBuffer_Release(&haddr);
    }
    return ok;
}

static bool
take_tipc(PyObject *arg, struct sockaddr_tipc *a, int *len,
          const char *caller)
{
    unsigned int atype, v1, v2, v3, scope = TIPC_CLUSTER_SCOPE;
    if (!need_tuple(arg, caller, "AF_TIPC") ||
        !PyArg_ParseTuple(arg,
                          "IIII|I;AF_TIPC address must be a tuple "
                          "(addr_type, v1, v2, v3[, scope])",
                          &atype, &v1, &v2, &v3, &scope)) {
        return false;
    }
    a->family = AF_TIPC;
    a->scope = (signed char)scope;
    a->addrtype = (unsigned char)atype;
    switch (atype) {
    case TIPC_ADDR_NAMESEQ:
        a->addr.nameseq.type = v1;
        a->addr.nameseq.lower = v2;
        a->addr.nameseq.upper = v3;
        break;
    case TIPC_ADDR_NAME:
        a->addr.name.name.type = v1;
        a->addr.name.name.instance = v2;
        break;
    case TIPC_ADDR_ID:
        a->addr.id.node = v1;
        a->addr.id.ref = v2;
        break;
    default:
        PyErr_SetString(PyExc_TypeError, "Invalid address type");
        return false;
    }
    *len = sizeof(*a);
    return true;
}

static bool
take_can(Socket *s, PyObject *arg, struct sockaddr_can *a, int *len,
         const char *caller)
{
    struct ifreq ifr = {0};
    PyObject *name = NULL;
    unsigned long rx = 0, tx = 0;
    unsigned long long j_name = 0;
    unsigned int j_pgn = 0;
    unsigned char j_addr = 0;
    bool parsed;
    if (!need_tuple(arg, caller, "AF_CAN")) {
        return false;
    }
    switch (s->proto) {
    case CAN_RAW:
    case CAN_BCM:
        parsed = PyArg_ParseTuple(
            arg, "O&;AF_CAN address must be a tuple (interface, )",
            PyUnicode_FSConverter, &name);
        break;
    case CAN_ISOTP:
        parsed = PyArg_ParseTuple(arg,
                                  "O&kk;AF_CAN address must be a tuple "
                                  "(interface, rx_addr, tx_addr)",
                                  PyUnicode_FSConverter, &name, &rx, &tx);
        break;
    case CAN_J1939:
        parsed = PyArg_ParseTuple(arg,
                                  "O&KIB;AF_CAN address must be a tuple "
                                  "(ifname, j1939_name, j1939_pgn, "
                                  "j1939_addr)",
                                  PyUnicode_FSConverter, &name, &j_name,
                                  &j_pgn, &j_addr);
        break;
    default:
        PyErr_Format(PyExc_OSError, "%s(): unsupported CAN protocol",
                     caller);
        return false;
    }
    if (!parsed) {
        return false;
    }
    size_t n = (size_t)PyBytes_GET_SIZE(name);
    bool ok = false;
    if (n >= sizeof(ifr.ifr_name)) {
        PyErr_SetString(PyExc_OSError, "AF_CAN interface name too long");
    }
    else {
        memcpy(ifr.ifr_name, PyBytes_AS_STRING(name), n);
        /* the empty name stands for all interfaces */
        if (n != 0 && ioctl(s->fd, SIOCGIFINDEX, &ifr) < 0) {
            s->errorhandler();
        }
        else {
            a->can_family = AF_CAN;
            a->can_ifindex = n ? ifr.ifr_ifindex : 0;
            if (s->proto == CAN_ISOTP) {
                a->can_addr.tp.rx_id = (canid_t)rx;
                a->can_addr.tp.tx_id = (canid_t)tx;
            }
            else if (s->proto == CAN_J1939) {
                a->can_addr.j1939.name = j_name;
                a->can_addr.j1939.pgn = j_pgn;
                a->can_addr.j1939.addr = j_addr;
            }
            *len = sizeof(*a);
            ok = true;
        }
    }
    Py_DECREF(name);
    return ok;
}

static bool
take_alg(PyObject *arg, struct sockaddr_alg *a, int *len, const char *caller)
{
    const char *type, *name;
    uint16_t feat = 0, mask = 0;
    if (!need_tuple(arg, caller, "AF_ALG") ||
        !PyArg_ParseTuple(arg,
                          "ss|HH;AF_ALG address must be a tuple "
                          "(type, name[, feat[, mask]])",
                          &type, &name, &feat, &mask)) {
        return false;
    }
    if (strlen(type) >= sizeof(a->salg_type)) {
        PyErr_SetString(PyExc_ValueError, "AF_ALG type too long.");
        return false;
    }
    if (strlen(name) >= sizeof(a->salg_name)) {
        PyErr_SetString(PyExc_ValueError, "AF_ALG name too long.");
        return false;
    }
    a->salg_family = AF_ALG;
    memcpy(a->salg_type, type, strlen(type));
    memcpy(a->salg_name, name, strlen(name));
    a->salg_feat = feat;
    a->salg_mask = mask;
    *len = sizeof(*a);
    return true;
}

static bool
wrong_format(const char *caller)
{
    PyErr_Format(PyExc_OSError, "%s(): wrong format", caller);
    return false;
}

static bool
take_bluetooth(Socket *s, PyObject *arg, sock_addr *addr, int *len,
               const char *caller)
{
    const char *text;
    int number;
    switch (s->proto) {
    case BT_L2CAP:
        if (!PyArg_ParseTuple(arg, "si", &text, &number)) {
            return wrong_format(caller);
        }
        addr->l2cap.family = AF_BLUETOOTH;
        addr->l2cap.psm = (uint16_t)number;
        *len = sizeof(addr->l2cap);
        return take_bt_address(text, &addr->l2cap.address);
    case BT_RFCOMM:
        if (!PyArg_ParseTuple(arg, "si", &text, &number)) {
            return wrong_format(caller);
        }
        addr->rfcomm.family = AF_BLUETOOTH;
        addr->rfcomm.channel = (uint8_t)number;
        *len = sizeof(addr->rfcomm);
        return take_bt_address(text, &addr->rfcomm.address);
    case BT_HCI:
        if (!PyArg_ParseTuple(arg, "i", &number)) {
            return wrong_format(caller);
        }
        addr->hci.family = AF_BLUETOOTH;
        addr->hci.dev = (uint16_t)number;
        *len = sizeof(addr->hci);
        return true;
    case BT_SCO:
        if (!PyBytes_Check(arg)) {
            return wrong_format(caller);
        }
        addr->sco.family = AF_BLUETOOTH;
        *len = sizeof(addr->sco);
        return take_bt_address(PyBytes_AS_STRING(arg), &addr->sco.address);
    default:
        PyErr_Format(PyExc_OSError, "%s(): unknown Bluetooth protocol",
                     caller);
        return false;
    }
}

bool
kr_sock_take_address(Socket *s, PyObject *arg, sock_addr *addr, int *len,
                     const char *caller)
{
    unsigned int a, b;
    memset(addr, 0, sizeof(*addr));
    switch (s->family) {
    case AF_UNIX:
        return take_unix(arg, &addr->un, len);
    case AF_INET:
    case AF_RDS:
        return take_inet(s, arg, &addr->in, len, caller);
    case AF_INET6:
        return take_inet6(arg, &addr->in6, len, caller);
    case AF_NETLINK:
        if (!need_tuple(arg, caller, "AF_NETLINK") ||
            !PyArg_ParseTuple(arg,
                              "II;AF_NETLINK address must be a pair "
                              "(pid, groups)",
                              &a, &b)) {
            return false;
        }
        addr->nl.nl_family = AF_NETLINK;
        addr->nl.nl_pid = a;
        addr->nl.nl_groups = b;
        *len = sizeof(addr->nl);
        return true;
    case AF_QIPCRTR:
        if (!need_tuple(arg, caller, "AF_QIPCRTR") ||
            !PyArg_ParseTuple(arg,
                              "II;AF_QIPCRTR address must be a pair "
                              "(node, port)",
                              &a, &b)) {
            return false;
        }
        addr->qrtr.sq_family = AF_QIPCRTR;
        addr->qrtr.sq_node = a;
        addr->qrtr.sq_port = b;
        *len = sizeof(addr->qrtr);
        return true;
    case AF_VSOCK:
        if (!need_tuple(arg, caller, "AF_VSOCK") ||
            !PyArg_ParseTuple(arg,
                              "II;AF_VSOCK address must be a pair "
                              "(CID, port)",
                              &a, &b)) {
            return false;
        }
        addr->vm.svm_family = AF_VSOCK;
        addr->vm.svm_cid = a;
        addr->vm.svm_port = b;
        *len = sizeof(addr->vm);
        return true;
    case AF_PACKET:
        return take_packet(s, arg, &addr->ll, len, caller);
    case AF_TIPC:
        return take_tipc(arg, &addr->tipc, len, caller);
    case AF_CAN:
        return take_can(s, arg, &addr->can, len, caller);
    case AF_ALG:
        return take_alg(arg, &addr->alg, len, caller);
    case AF_BLUETOOTH:
        return take_bluetooth(s, arg, addr, len, caller);
    default:
        PyErr_Format(PyExc_OSError, "%s(): bad family", caller);
        return false;
    }
}

bool
kr_sock_address_size(Socket *s, socklen_t *len)
{
    static const struct {
        int family;
        socklen_t size;
    } sizes[] = {
        {AF_UNIX, sizeof(struct sockaddr_un)},
        {AF_NETLINK, sizeof(struct sockaddr_nl)},
        {AF_QIPCRTR, sizeof(struct sockaddr_qrtr)},
        {AF_VSOCK, sizeof(struct sockaddr_vm)},
        {AF_RDS, sizeof(struct sockaddr_in)},
        {AF_INET, sizeof(struct sockaddr_in)},
        {AF_INET6, sizeof(struct sockaddr_in6)},
        {AF_PACKET, sizeof(struct sockaddr_ll)},
        {AF_TIPC, sizeof(struct sockaddr_tipc)},
        {AF_CAN, sizeof(struct sockaddr_can)},
        {AF_ALG, sizeof(struct sockaddr_alg)},
    };
    if (s->family == AF_BLUETOOTH) {
        *len = s->proto == BT_L2CAP    ? sizeof(struct bt_l2cap)
               : s->proto == BT_RFCOMM ? sizeof(struct bt_rfcomm)
               : s->proto == BT_HCI    ? sizeof(struct bt_hci)
                                       : sizeof(struct bt_sco);
        return true;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(sizes); i++) {
        if (sizes[i].family == s->family) {
            *len = sizes[i].size;
            return true;
        }
    }
    PyErr_SetString(PyExc_OSError, "getsockaddrlen: bad family");
    return false;
}
