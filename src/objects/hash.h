/* Hash functions and the secret they are keyed with. */
#ifndef KR_OBJECTS_HASH_H
#define KR_OBJECTS_HASH_H

#include <Python.h>

/* Fills the secret: from `seed` if use_seed (0 means all zeros, no
 * randomisation), else from the system's random numbers. Must run before the
 * first str is hashed. 0, or -1 if the system has no random numbers. */
int kr_hash_init(int use_seed, unsigned long seed);

/* SipHash-1-3 under a key of the caller, not the process's secret. */
uint64_t _Py_KeyedHash(uint64_t key, const void *src, Py_ssize_t size);

#endif
