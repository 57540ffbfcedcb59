/* Hashes of bytes (SipHash-1-3), doubles and pointers; random bytes of the
 * system. */
#include "objects/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/common.h"

_Py_HashSecret_t _Py_HashSecret;

/* --- SipHash-1-3 ---------------------------------------------------------- */

static inline uint64_t
rotl(uint64_t x, int b)
{
    return x << b | x >> (64 - b);
}

#define SIP_ROUND(v0, v1, v2, v3)                                              \
    do {                                                                       \
        v0 += v1, v2 += v3;                                                    \
        v1 = rotl(v1, 13) ^ v0, v3 = rotl(v3, 16) ^ v2;                        \
        v0 = rotl(v0, 32);                                                     \
        v2 += v1, v0 += v3;                                                    \
        v1 = rotl(v1, 17) ^ v2, v3 = rotl(v3, 21) ^ v0;                        \
        v2 = rotl(v2, 32);                                                     \
    } while (0)

static uint64_t
siphash13(uint64_t k0, uint64_t k1, const void *src, Py_ssize_t len)
{
    const unsigned char *p = src;
    uint64_t b = (uint64_t)len << 56, m;
    uint64_t v0 = k0 ^ 0x736f6d6570736575u, v1 = k1 ^ 0x646f72616e646f6du;
    uint64_t v2 = k0 ^ 0x6c7967656e657261u, v3 = k1 ^ 0x7465646279746573u;

    for (; len >= 8; len -= 8, p += 8) {
        memcpy(&m, p, 8);
        v3 ^= m;
        SIP_ROUND(v0, v1, v2, v3);
        v0 ^= m;
    }
    m = 0;
    memcpy(&m, p, (size_t)len);
    b |= m;
    v3 ^= b;
    SIP_ROUND(v0, v1, v2, v3);
    v0 ^= b;
    v2 ^= 0xff;
    SIP_ROUND(v0, v1, v2, v3);
    SIP_ROUND(v0, v1, v2, v3);
    SIP_ROUND(v0, v1, v2, v3);
    return v0 ^ v1 ^ v2 ^ v3;
}

static Py_hash_t
hash_bytes(const void *src, Py_ssize_t len)
{
    return (Py_hash_t)siphash13(_Py_HashSecret.siphash.k0,
                                _Py_HashSecret.siphash.k1, src, len);
}

uint64_t
_Py_KeyedHash(uint64_t key, const void *src, Py_ssize_t size)
{
    return siphash13(key, 0, src, size);
}

Py_hash_t
_Py_HashBytes(const void *src, Py_ssize_t len)
{
    if (len == 0) {
        return 0;
    }
    Py_hash_t x = hash_bytes(src, len);
    return x == -1 ? -2 : x;
}

static PyHash_FuncDef func_def = {hash_bytes, "siphash13", 64, 128};

PyHash_FuncDef *
PyHash_GetFuncDef(void)
{
    return &func_def;
}

/* --- Numbers and pointers ------------------------------------------------- */

Py_hash_t
_Py_HashPointerRaw(const void *p)
{
    size_t y = (size_t)p;
    /* the low bits of addresses are always 0 */
    return (Py_hash_t)(y >> 4 | y << (8 * sizeof(void *) - 4));
}

Py_hash_t
_Py_HashPointer(const void *p)
{
    Py_hash_t x = _Py_HashPointerRaw(p);
    return x == -1 ? -2 : x;
}

Py_hash_t
_Py_HashDouble(PyObject *inst, double v)
{
    if (!isfinite(v)) {
        if (isinf(v)) {
            return v > 0 ? _PyHASH_INF : -_PyHASH_INF;
        }
        return _Py_HashPointer(inst);
    }
    /* v = m * 2^e, and 2^61 is 1 modulo the prime: a rotation of 61 bits */
    int e;
    double f = frexp(fabs(v), &e);
    uint64_t m = (uint64_t)ldexp(f, 53);
    e = (e - 53) % _PyHASH_BITS;
    if (e < 0) {
        e += _PyHASH_BITS;
    }
    uint64_t x = ((m << e) & _PyHASH_MODULUS) | m >> (_PyHASH_BITS - e);
    Py_hash_t h = v < 0 ? -(Py_hash_t)x : (Py_hash_t)x;
    return h == -1 ? -2 : h;
}

/* --- Random bytes of the system ------------------------------------------- */

static int
read_urandom_device(char *buf, Py_ssize_t size)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    while (size > 0) {
        ssize_t n = read(fd, buf, (size_t)size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            close(fd);
            return -1;
        }
        buf += n;
        size -= n;
    }
    close(fd);
    return 0;
}

/* 0, or -1 with errno. Signals are handled by `on_signal`, if given. */
static int
system_random(void *buffer, Py_ssize_t size, unsigned flags,
              int (*on_signal)(void))
{
    char *p = buffer;
    while (size > 0) {
        ssize_t n = getrandom(p, (size_t)size, flags);
        if (n >= 0) {
            p += n;
            size -= n;
            continue;
        }
        if (errno == EINTR) {
            if (on_signal && on_signal() < 0) {
                return -2;
            }
            continue;
        }
        /* an old kernel, a sandbox, or no entropy yet: the device will do */
        return read_urandom_device(p, size);
    }
    return 0;
}

static int
urandom(void *buffer, Py_ssize_t size, unsigned flags)
{
    if (size < 0) {
        PyErr_Format(PyExc_ValueError, "negative argument not allowed");
        return -1;
    }
    int r = system_random(buffer, size, flags, PyErr_CheckSignals);
    if (r == -1) {
        PyErr_SetString(PyExc_NotImplementedError,
                        "/dev/urandom (or equivalent) not found");
    }
    return r < 0 ? -1 : 0;
}

int
_PyOS_URandom(void *buffer, Py_ssize_t size)
{
    return urandom(buffer, size, 0);
}

int
_PyOS_URandomNonblock(void *buffer, Py_ssize_t size)
{
    return urandom(buffer, size, GRND_NONBLOCK);
}

int
kr_hash_init(int use_seed, unsigned long seed)
{
    unsigned char *p = _Py_HashSecret.uc;
    if (!use_seed) {
        return system_random(p, sizeof(_Py_HashSecret), GRND_NONBLOCK, NULL);
    }
    memset(p, 0, sizeof(_Py_HashSecret));
    if (seed == 0) {
        return 0;
    }
    /* the same generator as everywhere, so that hashes of a seed agree */
    uint32_t x = (uint32_t)seed;
    for (size_t i = 0; i < sizeof(_Py_HashSecret); i++) {
        x = x * 214013 + 2531011;
        p[i] = (unsigned char)(x >> 16);
    }
    return 0;
}
