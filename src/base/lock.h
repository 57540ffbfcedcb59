/* A one-word lock that any thread may release; waiting threads sleep in the
 * kernel. */
#ifndef KR_BASE_LOCK_H
#define KR_BASE_LOCK_H

#include <stdatomic.h>
#include <stdint.h>

/* 0: free, 1: taken, 2: taken and somebody may be waiting. */
struct kr_lock {
    _Atomic uint32_t word;
};

enum kr_lock_result {
    KR_LOCK_TIMEOUT, /* not available within the time */
    KR_LOCK_TAKEN,
    KR_LOCK_SIGNAL, /* a signal came in while waiting */
};

/* Waits at most `ns` nanoseconds (0: don't wait, negative: for ever). */
enum kr_lock_result kr_lock_timed(struct kr_lock *lock, int64_t ns,
                                  int stop_at_signal);

void kr_lock_wake(struct kr_lock *lock);

static inline int
kr_lock_try(struct kr_lock *lock)
{
    uint32_t expected = 0;
    return atomic_compare_exchange_strong(&lock->word, &expected, 1);
}

/* The lock must be taken. */
static inline void
kr_lock_release(struct kr_lock *lock)
{
    if (atomic_exchange(&lock->word, 0) == 2) {
        kr_lock_wake(lock);
    }
}

#endif
