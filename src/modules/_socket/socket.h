/* Shared by the files of `_socket`. */
#ifndef KR_MODULES_SOCKET_SOCKET_H
#define KR_MODULES_SOCKET_SOCKET_H

#include <Python.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* after <sys/socket.h>, which it needs */
#include <linux/can.h>

#include "modules/kwargs.h"
#include "objects/ids.h"
#include "runtime/fileutils.h"

/* Bluetooth addresses as the kernel has them; its headers are an extra
 * package. */
typedef struct {
    uint8_t b[6];
} bt_address;

struct bt_l2cap {
    sa_family_t family;
    uint16_t psm;
    bt_address address;
    uint16_t cid;
    uint8_t type;
};

struct bt_rfcomm {
    sa_family_t family;
    bt_address address;
    uint8_t channel;
};

struct bt_hci {
    sa_family_t family;
    uint16_t dev;
    uint16_t channel;
};

struct bt_sco {
    sa_family_t family;
    bt_address address;
};

enum { BT_L2CAP = 0, BT_HCI = 1, BT_SCO = 2, BT_RFCOMM = 3 };

typedef union {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_nl nl;
    struct sockaddr_ll ll;
    struct sockaddr_can can;
    struct sockaddr_alg alg;
    struct sockaddr_vm vm;
    struct sockaddr_qrtr qrtr;
    struct sockaddr_tipc tipc;
    struct bt_l2cap l2cap;
    struct bt_rfcomm rfcomm;
    struct bt_hci hci;
    struct bt_sco sco;
    struct sockaddr_storage storage;
} sock_addr;

/* The layout is part of the CAPI capsule: `_ssl` reads it. */
typedef struct {
    PyObject_HEAD
    int fd; /* -1: closed */
    int family;
    int type;
    int proto;
    PyObject *(*errorhandler)(void);
    _PyTime_t timeout; /* < 0: blocking, 0: non-blocking */
} Socket;

/* Errors of the module; static, since the type is and embedders share it. */
struct kr_socket_state {
    PyObject *herror;
    PyObject *gaierror;
    _PyTime_t default_timeout;
};
extern struct kr_socket_state kr_socket_state;
extern PyTypeObject kr_Socket_Type;

/* OSError from errno; NULL. */
PyObject *kr_sock_error(void);
PyObject *kr_sock_gaierror(int error);
PyObject *kr_sock_herror(int error);

/* Python's form of an address: new reference. */
PyObject *kr_sock_make_address(int fd, const sock_addr *addr, size_t len,
                               int proto);

/* Reads an address for the family of `s`; false with an exception. */
bool kr_sock_take_address(Socket *s, PyObject *arg, sock_addr *addr, int *len,
                          const char *caller);

/* The length of addresses of the family; false with OSError. */
bool kr_sock_address_size(Socket *s, socklen_t *len);

/* Resolves `name` into *addr; the length of the raw address or -1. */
int kr_sock_resolve(const char *name, sock_addr *addr, int family);

/* A host name argument: bytes in *out, new reference. */
struct sock_host {
    PyObject *object;
    const char *text;
};
int kr_sock_host_converter(PyObject *o, struct sock_host *out);
void kr_sock_host_done(struct sock_host *host);

PyObject *kr_sock_make_ipv4(const struct in_addr *addr);
PyObject *kr_sock_make_ipv6(const struct sockaddr_in6 *addr);

int kr_socket_add_constants(PyObject *module);
extern PyMethodDef kr_socket_name_methods[];
extern PyMethodDef kr_socket_misc_methods[];

/* Timeouts as Python gives them: None, or seconds. */
bool kr_sock_take_timeout(PyObject *o, _PyTime_t *out);
PyObject *kr_sock_timeout_object(_PyTime_t timeout);

/* A new object of an open descriptor, which it owns; NULL: closed. */
PyObject *kr_sock_new(int fd, int family, int type, int proto);

/* recvmsg, sendmsg and relatives. */
PyObject *kr_sock_recvmsg(Socket *, PyObject *);
PyObject *kr_sock_recvmsg_into(Socket *, PyObject *);
PyObject *kr_sock_sendmsg(Socket *, PyObject *);
PyObject *kr_sock_sendmsg_afalg(Socket *, PyObject *, PyObject *);
PyObject *kr_sock_CMSG_LEN(PyObject *, PyObject *);
PyObject *kr_sock_CMSG_SPACE(PyObject *, PyObject *);

/* Calls `func` when the socket is ready, within its timeout; -1 on error,
 * which *err gets instead of an exception when it is given. `func` runs
 * without the GIL; false means failure, in errno. */
typedef bool (*sock_function)(Socket *s, void *data);
int kr_sock_call(Socket *s, bool writing, sock_function func, void *data,
                 bool connect, int *err, _PyTime_t timeout);

#endif
