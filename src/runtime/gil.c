/* The lock is one atomic word; the mutex and condition are only used when a
 * thread has to wait. */
#include "runtime/gil.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/common.h"
#include "objects/interp.h"
#include "runtime/tstate.h"

/* `waiters` is raised before `locked` is looked at, and `locked` cleared
 * before `waiters` is looked at, so no wake-up is lost. */
static struct kr_gil_state {
    _Atomic int locked;
    _Atomic int waiters;
    _Atomic(PyThreadState *) last_holder;
    _Atomic unsigned long switches;
    unsigned long interval_us;
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    pthread_mutex_t switch_mutex;
    pthread_cond_t switched;
} gil = {
    .interval_us = 5000,
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .freed = PTHREAD_COND_INITIALIZER,
    .switch_mutex = PTHREAD_MUTEX_INITIALIZER,
    .switched = PTHREAD_COND_INITIALIZER,
};

static bool
try_lock(void)
{
    int expected = 0;
    return atomic_compare_exchange_strong(&gil.locked, &expected, 1);
}

static void
wait_for(pthread_cond_t *cond, pthread_mutex_t *mutex, unsigned long us)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(us / 1000000);
    until.tv_nsec += (long)(us % 1000000) * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(cond, mutex, &until);
}

static void
request_drop(void)
{
    kr_runtime_lock(); /* the holder of the GIL may end an interpreter */
    for (PyInterpreterState *i = PyInterpreterState_Head(); i != NULL;
         i = PyInterpreterState_Next(i)) {
        kr_breaker_set(i, KR_BREAK_GIL);
    }
    kr_runtime_unlock();
}

/* False: the thread must exit and does not have the lock. */
static bool
wait_locked(PyThreadState *ts)
{
    bool got = true;
    pthread_mutex_lock(&gil.mutex);
    atomic_fetch_add(&gil.waiters, 1);
    while (!try_lock()) {
        unsigned long before = atomic_load(&gil.switches);
        unsigned long us = gil.interval_us ? gil.interval_us : 1;
        wait_for(&gil.freed, &gil.mutex, us);
        if (kr_thread_must_exit(ts)) {
            got = false;
            break;
        }
        if (atomic_load(&gil.locked)
            && atomic_load(&gil.switches) == before) {
            request_drop();
        }
    }
    atomic_fetch_sub(&gil.waiters, 1);
    pthread_mutex_unlock(&gil.mutex);
    return got;
}

void
kr_gil_take(PyThreadState *ts)
{
    int saved = errno;
    bool got = !kr_thread_must_exit(ts) && (try_lock() || wait_locked(ts));
    if (KR_UNLIKELY(kr_thread_must_exit(ts))) {
        if (got) {
            kr_gil_drop(NULL);
        }
        pthread_exit(NULL);
    }
    if (atomic_load_explicit(&gil.last_holder, memory_order_relaxed) != ts) {
        pthread_mutex_lock(&gil.switch_mutex);
        atomic_store(&gil.last_holder, ts);
        atomic_fetch_add(&gil.switches, 1);
        pthread_cond_signal(&gil.switched);
        pthread_mutex_unlock(&gil.switch_mutex);
    }
    if (atomic_load(&gil.waiters) == 0) {
        kr_breaker_clear(ts->interp, KR_BREAK_GIL);
    }
    errno = saved;
}

void
kr_gil_drop(PyThreadState *ts)
{
    int saved = errno;
    /* at the end of the program `ts` may be freed as soon as we let go */
    PyInterpreterState *interp = ts == NULL ? NULL : ts->interp;
    atomic_store(&gil.locked, 0);
    if (atomic_load(&gil.waiters) > 0) {
        pthread_mutex_lock(&gil.mutex);
        pthread_cond_signal(&gil.freed);
        pthread_mutex_unlock(&gil.mutex);
    }
    if (interp != NULL
        && (atomic_load(&interp->eval_breaker) & KR_BREAK_GIL)) {
        pthread_mutex_lock(&gil.switch_mutex);
        if (atomic_load(&gil.last_holder) == ts
            && atomic_load(&gil.waiters) > 0) {
            kr_breaker_clear(interp, KR_BREAK_GIL);
            wait_for(&gil.switched, &gil.switch_mutex,
                     4 * gil.interval_us + 1000);
        }
        pthread_mutex_unlock(&gil.switch_mutex);
    }
    errno = saved;
}

void
kr_gil_after_fork(PyThreadState *ts)
{
    unsigned long interval = gil.interval_us;
    memset(&gil, 0, sizeof(gil));
    gil.interval_us = interval;
    pthread_mutex_init(&gil.mutex, NULL);
    pthread_cond_init(&gil.freed, NULL);
    pthread_mutex_init(&gil.switch_mutex, NULL);
    pthread_cond_init(&gil.switched, NULL);
    atomic_store(&gil.locked, 1);
    atomic_store(&gil.last_holder, ts);
}

void
_PyEval_SetSwitchInterval(unsigned long microseconds)
{
    gil.interval_us = microseconds;
}

unsigned long
_PyEval_GetSwitchInterval(void)
{
    return gil.interval_us;
}
