/* time: clocks and sleeping. */
#include "modules/time/time.h"

#include <errno.h>
#include <pthread.h>

#include "objects/namespace.h"

static PyObject *
seconds(_PyTime_t t)
{
    return PyFloat_FromDouble(_PyTime_AsSecondsDouble(t));
}

/* Reads any clock of the system; `info` may be NULL. */
static int
cpu_clock(clockid_t clock, const char *name, _PyTime_t *t,
          _Py_clock_info_t *info)
{
    struct timespec ts, res;
    if (clock_gettime(clock, &ts) != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    if (info != NULL) {
        if (clock_getres(clock, &res) != 0) {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        info->implementation = name;
        info->monotonic = 1;
        info->adjustable = 0;
        info->resolution = (double)res.tv_sec + (double)res.tv_nsec * 1e-9;
    }
    return _PyTime_FromTimespec(t, &ts);
}

static int
process_clock(_PyTime_t *t, _Py_clock_info_t *info)
{
    return cpu_clock(CLOCK_PROCESS_CPUTIME_ID,
                     "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", t, info);
}

static int
thread_clock(_PyTime_t *t, _Py_clock_info_t *info)
{
    return cpu_clock(CLOCK_THREAD_CPUTIME_ID,
                     "clock_gettime(CLOCK_THREAD_CPUTIME_ID)", t, info);
}

#define CLOCK_FUNCTIONS(name, read)                                            \
    static PyObject *name(PyObject *module, PyObject *Py_UNUSED(ignored))      \
    {                                                                          \
        _PyTime_t t;                                                           \
        return read(&t, NULL) < 0 ? NULL : seconds(t);                         \
    }                                                                          \
                                                                               \
    static PyObject *name##_ns(PyObject *module, PyObject *Py_UNUSED(ignored)) \
    {                                                                          \
        _PyTime_t t;                                                           \
        return read(&t, NULL) < 0 ? NULL : _PyTime_AsNanosecondsObject(t);     \
    }

CLOCK_FUNCTIONS(time_time, _PyTime_GetSystemClockWithInfo)
CLOCK_FUNCTIONS(time_monotonic, _PyTime_GetMonotonicClockWithInfo)
CLOCK_FUNCTIONS(time_perf_counter, _PyTime_GetPerfCounterWithInfo)
CLOCK_FUNCTIONS(time_process_time, process_clock)
CLOCK_FUNCTIONS(time_thread_time, thread_clock)

static PyObject *
get_clock_info(PyObject *module, PyObject *args)
{
    static const struct {
        const char *name;
        int (*read)(_PyTime_t *, _Py_clock_info_t *);
    } clocks[] = {
        {"time", _PyTime_GetSystemClockWithInfo},
        {"monotonic", _PyTime_GetMonotonicClockWithInfo},
        {"perf_counter", _PyTime_GetPerfCounterWithInfo},
        {"process_time", process_clock},
        {"thread_time", thread_clock},
    };
    char *name;
    if (!PyArg_ParseTuple(args, "s:get_clock_info", &name)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        if (strcmp(name, clocks[i].name) != 0) {
            continue;
        }
        _PyTime_t t;
        _Py_clock_info_t info;
        if (clocks[i].read(&t, &info) < 0) {
            return NULL;
        }
        PyObject *dict = Py_BuildValue(
            "{sssNsNsd}", "implementation", info.implementation, "monotonic",
            PyBool_FromLong(info.monotonic), "adjustable",
            PyBool_FromLong(info.adjustable), "resolution", info.resolution);
        PyObject *ns = dict == NULL ? NULL : _PyNamespace_New(dict);
        Py_XDECREF(dict);
        return ns;
    }
    PyErr_SetString(PyExc_ValueError, "unknown clock");
    return NULL;
}

static PyObject *
clock_gettime_(PyObject *module, PyObject *args)
{
    int id;
    struct timespec ts;
    if (!PyArg_ParseTuple(args, "i:clock_gettime", &id)) {
        return NULL;
    }
    if (clock_gettime((clockid_t)id, &ts) != 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyFloat_FromDouble((double)ts.tv_sec + (double)ts.tv_nsec * 1e-9);
}

static PyObject *
clock_gettime_ns(PyObject *module, PyObject *args)
{
    int id;
    struct timespec ts;
    _PyTime_t t;
    if (!PyArg_ParseTuple(args, "i:clock_gettime", &id)) {
        return NULL;
    }
    if (clock_gettime((clockid_t)id, &ts) != 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return _PyTime_FromTimespec(&t, &ts) < 0 ? NULL
                                             : _PyTime_AsNanosecondsObject(t);
}

static PyObject *
set_clock(int id, _PyTime_t t)
{
    struct timespec ts;
    if (_PyTime_AsTimespec(t, &ts) < 0) {
        return NULL;
    }
    if (clock_settime((clockid_t)id, &ts) != 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

static PyObject *
clock_settime_(PyObject *module, PyObject *args)
{
    int id;
    PyObject *obj;
    _PyTime_t t;
    if (!PyArg_ParseTuple(args, "iO:clock_settime", &id, &obj)
        || _PyTime_FromSecondsObject(&t, obj, _PyTime_ROUND_FLOOR) < 0) {
        return NULL;
    }
    return set_clock(id, t);
}

static PyObject *
clock_settime_ns(PyObject *module, PyObject *args)
{
    int id;
    PyObject *obj;
    _PyTime_t t;
    if (!PyArg_ParseTuple(args, "iO:clock_settime", &id, &obj)
        || _PyTime_FromNanosecondsObject(&t, obj) < 0) {
        return NULL;
    }
    return set_clock(id, t);
}

static PyObject *
clock_getres_(PyObject *module, PyObject *args)
{
    int id;
    struct timespec ts;
    if (!PyArg_ParseTuple(args, "i:clock_getres", &id)) {
        return NULL;
    }
    if (clock_getres((clockid_t)id, &ts) != 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyFloat_FromDouble((double)ts.tv_sec + (double)ts.tv_nsec * 1e-9);
}

static PyObject *
getcpuclockid(PyObject *module, PyObject *args)
{
    unsigned long id;
    clockid_t clock;
    if (!PyArg_ParseTuple(args, "k:pthread_getcpuclockid", &id)) {
        return NULL;
    }
    int err = pthread_getcpuclockid((pthread_t)id, &clock);
    if (err != 0) {
        errno = err;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLong(clock);
}

/* --- sleeping ------------------------------------------------------------ */

static int
sleep_until(_PyTime_t deadline)
{
    struct timespec until;
    if (_PyTime_AsTimespec(deadline, &until) < 0) {
        return -1;
    }
    for (;;) {
        int err;
        Py_BEGIN_ALLOW_THREADS
        err = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        Py_END_ALLOW_THREADS
        if (err == 0) {
            return 0;
        }
        if (err != EINTR) {
            errno = err;
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
}

static PyObject *
time_sleep(PyObject *module, PyObject *obj)
{
    _PyTime_t timeout, now;
    if (_PyTime_FromSecondsObject(&timeout, obj, _PyTime_ROUND_TIMEOUT) < 0) {
        return NULL;
    }
    if (timeout < 0) {
        PyErr_SetString(PyExc_ValueError, "sleep length must be non-negative");
        return NULL;
    }
    if (_PyTime_GetMonotonicClockWithInfo(&now, NULL) < 0
        || sleep_until(_PyTime_Add(now, timeout)) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyMethodDef kr_time_clock_methods[] = {
    {"time", time_time, METH_NOARGS,
     "time() -> floating point number\n\nSeconds since the Epoch."},
    {"time_ns", time_time_ns, METH_NOARGS,
     "time_ns() -> int\n\nNanoseconds since the Epoch."},
    {"clock_gettime", clock_gettime_, METH_VARARGS,
     "clock_gettime(clk_id) -> float\n\nThe time of a clock of the system."},
    {"clock_gettime_ns", clock_gettime_ns, METH_VARARGS,
     "clock_gettime_ns(clk_id) -> int\n\n"
     "The time of a clock of the system in nanoseconds."},
    {"clock_settime", clock_settime_, METH_VARARGS,
     "clock_settime(clk_id, time)\n\nSet a clock of the system."},
    {"clock_settime_ns", clock_settime_ns, METH_VARARGS,
     "clock_settime_ns(clk_id, time)\n\n"
     "Set a clock of the system to a number of nanoseconds."},
    {"clock_getres", clock_getres_, METH_VARARGS,
     "clock_getres(clk_id) -> floating point number\n\n"
     "The resolution of a clock of the system."},
    {"pthread_getcpuclockid", getcpuclockid, METH_VARARGS,
     "pthread_getcpuclockid(thread_id) -> int\n\n"
     "The clock that measures the CPU time of a thread."},
    {"sleep", time_sleep, METH_O,
     "sleep(seconds)\n\nWait for a number of seconds."},
    {"monotonic", time_monotonic, METH_NOARGS,
     "monotonic() -> float\n\nA clock that never goes backward."},
    {"monotonic_ns", time_monotonic_ns, METH_NOARGS,
     "monotonic_ns() -> int\n\n"
     "A clock that never goes backward, in nanoseconds."},
    {"process_time", time_process_time, METH_NOARGS,
     "process_time() -> float\n\nThe CPU time of this process."},
    {"process_time_ns", time_process_time_ns, METH_NOARGS,
     "process_time() -> int\n\nThe CPU time of this process in nanoseconds."},
    {"thread_time", time_thread_time, METH_NOARGS,
     "thread_time() -> float\n\nThe CPU time of this thread."},
    {"thread_time_ns", time_thread_time_ns, METH_NOARGS,
     "thread_time() -> int\n\nThe CPU time of this thread in nanoseconds."},
    {"perf_counter", time_perf_counter, METH_NOARGS,
     "perf_counter() -> float\n\nThe finest clock, for measurements."},
    {"perf_counter_ns", time_perf_counter_ns, METH_NOARGS,
     "perf_counter_ns() -> int\n\n"
     "The finest clock, for measurements, in nanoseconds."},
    {"get_clock_info", get_clock_info, METH_VARARGS,
     "get_clock_info(name: str) -> dict\n\nWhat is known of a clock."},
    {NULL},
};
