/* Waiting for a lock, over the futex system call. */
#include "base/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t
now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Sleeps while the word is 2; until `deadline` unless that is negative. */
static long
sleep_on(struct kr_lock *lock, int64_t deadline)
{
    struct timespec ts = {deadline / 1000000000, deadline % 1000000000};
    return syscall(SYS_futex, &lock->word,
                   FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 2,
                   deadline < 0 ? NULL : &ts, NULL, FUTEX_BITSET_MATCH_ANY);
}

enum kr_lock_result
kr_lock_timed(struct kr_lock *lock, int64_t ns, int stop_at_signal)
{
    if (kr_lock_try(lock)) {
        return KR_LOCK_TAKEN;
    }
    if (ns == 0) {
        return KR_LOCK_TIMEOUT;
    }
    int64_t deadline = -1;
    if (ns > 0) {
        int64_t start = now_ns();
        deadline = ns > INT64_MAX - start ? INT64_MAX : start + ns;
    }
    while (atomic_exchange(&lock->word, 2) != 0) {
        if (sleep_on(lock, deadline) == 0) {
            continue;
        }
        if (errno == EINTR && stop_at_signal) {
            return KR_LOCK_SIGNAL;
        }
        if (errno == ETIMEDOUT) {
            return kr_lock_try(lock) ? KR_LOCK_TAKEN : KR_LOCK_TIMEOUT;
        }
    }
    return KR_LOCK_TAKEN;
}

void
kr_lock_wake(struct kr_lock *lock)
{
    syscall(SYS_futex, &lock->word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL,
            NULL, 0);
}
