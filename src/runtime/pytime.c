/* _PyTime_*: timestamps in nanoseconds, their conversions and the clocks. */
#include <Python.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <sys/time.h>
#include <time.h>

#define SEC_TO_NS 1000000000L
#define US_TO_NS 1000L
#define MS_TO_NS 1000000L
#define TIME_T_MIN INT64_MIN

static void
time_t_overflow(void)
{
    PyErr_SetString(PyExc_OverflowError,
                    "timestamp out of range for platform time_t");
}

static int
pytime_overflow(void)
{
    PyErr_SetString(PyExc_OverflowError,
                    "timestamp too large to convert to C _PyTime_t");
    return -1;
}

/* --- saturating arithmetic ----------------------------------------------- */

static bool
add_clamped(_PyTime_t *t, _PyTime_t add)
{
    if (__builtin_add_overflow(*t, add, t)) {
        *t = add > 0 ? _PyTime_MAX : _PyTime_MIN;
        return true;
    }
    return false;
}

static bool
mul_clamped(_PyTime_t *t, _PyTime_t k)
{
    _PyTime_t res;
    if (__builtin_mul_overflow(*t, k, &res)) {
        *t = *t < 0 ? _PyTime_MIN : _PyTime_MAX;
        return true;
    }
    *t = res;
    return false;
}

_PyTime_t
_PyTime_Add(_PyTime_t t1, _PyTime_t t2)
{
    add_clamped(&t1, t2);
    return t1;
}

_PyTime_t
_PyTime_MulDiv(_PyTime_t ticks, _PyTime_t mul, _PyTime_t div)
{
    /* ticks * mul / div without the intermediate overflow */
    _PyTime_t whole = ticks / div, rest = ticks % div;
    mul_clamped(&whole, mul);
    return _PyTime_Add(whole, rest * mul / div);
}

/* --- rounding ------------------------------------------------------------ */

static double
round_half_even(double x)
{
    double rounded = round(x);
    if (fabs(x - rounded) == 0.5) {
        rounded = 2.0 * round(x / 2.0);
    }
    return rounded;
}

static double
round_double(double x, _PyTime_round_t round)
{
    volatile double d = x; /* no excess precision */
    switch (round) {
    case _PyTime_ROUND_HALF_EVEN:
        return round_half_even(d);
    case _PyTime_ROUND_CEILING:
        return ceil(d);
    case _PyTime_ROUND_FLOOR:
        return floor(d);
    default:
        return d >= 0.0 ? ceil(d) : floor(d);
    }
}

static _PyTime_t
divide(_PyTime_t t, _PyTime_t k, _PyTime_round_t round)
{
    _PyTime_t q = t / k, r = t % k;
    if (r == 0) {
        return q;
    }
    switch (round) {
    case _PyTime_ROUND_HALF_EVEN: {
        _PyTime_t twice = 2 * (r < 0 ? -r : r);
        if (twice > k || (twice == k && (q & 1))) {
            q += t >= 0 ? 1 : -1;
        }
        return q;
    }
    case _PyTime_ROUND_CEILING:
        return t > 0 ? q + 1 : q;
    case _PyTime_ROUND_FLOOR:
        return t < 0 ? q - 1 : q;
    default:
        return t > 0 ? q + 1 : q - 1;
    }
}

/* t = q * k + r with 0 <= r < k, after rounding to the unit of k; true on
 * overflow. */
static bool
divmod(_PyTime_t t, _PyTime_t k, _PyTime_t *q, _PyTime_t *r)
{
    *q = t / k;
    *r = t % k;
    if (*r < 0) {
        *r += k;
        if (*q == _PyTime_MIN) {
            return true;
        }
        --*q;
    }
    return false;
}

/* --- from and to Python objects ------------------------------------------ */

time_t
_PyLong_AsTime_t(PyObject *obj)
{
    long long val = PyLong_AsLongLong(obj);
    if (val == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            time_t_overflow();
        }
        return -1;
    }
    return (time_t)val;
}

PyObject *
_PyLong_FromTime_t(time_t t)
{
    return PyLong_FromLongLong((long long)t);
}

static int
refuse_nan(void)
{
    PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
    return -1;
}

static bool
fits(double d)
{
    return (double)TIME_T_MIN <= d && d < -(double)TIME_T_MIN;
}

static int
object_to_denominator(PyObject *obj, time_t *sec, long *num, long den,
                      _PyTime_round_t round)
{
    if (!PyFloat_Check(obj)) {
        *sec = _PyLong_AsTime_t(obj);
        *num = 0;
        return *sec == (time_t)-1 && PyErr_Occurred() ? -1 : 0;
    }
    double d = PyFloat_AsDouble(obj), whole;
    if (isnan(d)) {
        *num = 0;
        return refuse_nan();
    }
    double part = round_double(modf(d, &whole) * (double)den, round);
    if (part >= (double)den) {
        part -= (double)den;
        whole += 1.0;
    }
    else if (part < 0) {
        part += (double)den;
        whole -= 1.0;
    }
    if (!fits(whole)) {
        time_t_overflow();
        return -1;
    }
    *sec = (time_t)whole;
    *num = (long)part;
    return 0;
}

int
_PyTime_ObjectToTime_t(PyObject *obj, time_t *sec, _PyTime_round_t round)
{
    if (!PyFloat_Check(obj)) {
        *sec = _PyLong_AsTime_t(obj);
        return *sec == (time_t)-1 && PyErr_Occurred() ? -1 : 0;
    }
    double d = PyFloat_AsDouble(obj), whole;
    if (isnan(d)) {
        return refuse_nan();
    }
    d = round_double(d, round);
    modf(d, &whole);
    if (!fits(whole)) {
        time_t_overflow();
        return -1;
    }
    *sec = (time_t)whole;
    return 0;
}

int
_PyTime_ObjectToTimespec(PyObject *obj, time_t *sec, long *nsec,
                         _PyTime_round_t round)
{
    return object_to_denominator(obj, sec, nsec, SEC_TO_NS, round);
}

int
_PyTime_ObjectToTimeval(PyObject *obj, time_t *sec, long *usec,
                        _PyTime_round_t round)
{
    return object_to_denominator(obj, sec, usec, 1000000, round);
}

_PyTime_t
_PyTime_FromSeconds(int seconds)
{
    return (_PyTime_t)seconds * SEC_TO_NS;
}

_PyTime_t
_PyTime_FromNanoseconds(_PyTime_t ns)
{
    return ns;
}

int
_PyTime_FromNanosecondsObject(_PyTime_t *tp, PyObject *obj)
{
    if (!PyLong_Check(obj)) {
        PyErr_Format(PyExc_TypeError, "expect int, got %s",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    long long ns = PyLong_AsLongLong(obj);
    if (ns == -1 && PyErr_Occurred()) {
        return PyErr_ExceptionMatches(PyExc_OverflowError) ? pytime_overflow()
                                                           : -1;
    }
    *tp = ns;
    return 0;
}

static int
from_object(_PyTime_t *tp, PyObject *obj, _PyTime_round_t round, long unit)
{
    if (PyFloat_Check(obj)) {
        double d = PyFloat_AsDouble(obj);
        if (isnan(d)) {
            return refuse_nan();
        }
        d = round_double(d * (double)unit, round);
        if (!((double)_PyTime_MIN <= d && d < -(double)_PyTime_MIN)) {
            *tp = 0;
            return pytime_overflow();
        }
        *tp = (_PyTime_t)d;
        return 0;
    }
    long long n = PyLong_AsLongLong(obj);
    if (n == -1 && PyErr_Occurred()) {
        return PyErr_ExceptionMatches(PyExc_OverflowError) ? pytime_overflow()
                                                           : -1;
    }
    *tp = n;
    return mul_clamped(tp, unit) ? pytime_overflow() : 0;
}

int
_PyTime_FromSecondsObject(_PyTime_t *tp, PyObject *obj, _PyTime_round_t round)
{
    return from_object(tp, obj, round, SEC_TO_NS);
}

int
_PyTime_FromMillisecondsObject(_PyTime_t *tp, PyObject *obj,
                               _PyTime_round_t round)
{
    return from_object(tp, obj, round, MS_TO_NS);
}

double
_PyTime_AsSecondsDouble(_PyTime_t t)
{
    if (t % SEC_TO_NS == 0) {
        return (double)(t / SEC_TO_NS); /* exact where possible */
    }
    return (double)t / 1e9;
}

PyObject *
_PyTime_AsNanosecondsObject(_PyTime_t t)
{
    return PyLong_FromLongLong(t);
}

_PyTime_t
_PyTime_AsNanoseconds(_PyTime_t t)
{
    return t;
}

_PyTime_t
_PyTime_AsMicroseconds(_PyTime_t t, _PyTime_round_t round)
{
    return divide(t, US_TO_NS, round);
}

_PyTime_t
_PyTime_AsMilliseconds(_PyTime_t t, _PyTime_round_t round)
{
    return divide(t, MS_TO_NS, round);
}

/* --- struct timeval and timespec ----------------------------------------- */

static int
from_parts(_PyTime_t *tp, _PyTime_t sec, _PyTime_t ns, bool raise)
{
    bool over = mul_clamped(&sec, SEC_TO_NS);
    over |= add_clamped(&sec, ns);
    *tp = sec;
    return over && raise ? pytime_overflow() : 0;
}

int
_PyTime_FromTimespec(_PyTime_t *tp, struct timespec *ts)
{
    return from_parts(tp, ts->tv_sec, ts->tv_nsec, true);
}

int
_PyTime_FromTimeval(_PyTime_t *tp, struct timeval *tv)
{
    return from_parts(tp, tv->tv_sec, tv->tv_usec * US_TO_NS, true);
}

int
_PyTime_AsTimeval(_PyTime_t t, struct timeval *tv, _PyTime_round_t round)
{
    _PyTime_t sec, us;
    if (divmod(divide(t, US_TO_NS, round), 1000000, &sec, &us)) {
        time_t_overflow();
        return -1;
    }
    tv->tv_sec = sec;
    tv->tv_usec = us;
    return 0;
}

void
_PyTime_AsTimeval_clamp(_PyTime_t t, struct timeval *tv, _PyTime_round_t round)
{
    _PyTime_t sec, us;
    divmod(divide(t, US_TO_NS, round), 1000000, &sec, &us);
    tv->tv_sec = sec;
    tv->tv_usec = us;
}

int
_PyTime_AsTimevalTime_t(_PyTime_t t, time_t *secs, int *us,
                        _PyTime_round_t round)
{
    struct timeval tv;
    int res = _PyTime_AsTimeval(t, &tv, round);
    if (res == 0) {
        *secs = tv.tv_sec;
        *us = (int)tv.tv_usec;
    }
    return res;
}

void
_PyTime_AsTimespec_clamp(_PyTime_t t, struct timespec *ts)
{
    _PyTime_t sec, ns;
    divmod(t, SEC_TO_NS, &sec, &ns);
    ts->tv_sec = sec;
    ts->tv_nsec = ns;
}

int
_PyTime_AsTimespec(_PyTime_t t, struct timespec *ts)
{
    _PyTime_AsTimespec_clamp(t, ts);
    return 0;
}

/* --- clocks -------------------------------------------------------------- */

static int
read_clock(clockid_t clock, const char *name, bool monotonic, _PyTime_t *tp,
           _Py_clock_info_t *info, bool raise)
{
    struct timespec ts;
    if (clock_gettime(clock, &ts) != 0) {
        if (raise) {
            PyErr_SetFromErrno(PyExc_OSError);
        }
        *tp = 0;
        return -1;
    }
    if (info != NULL) {
        struct timespec res;
        info->implementation = name;
        info->monotonic = monotonic;
        info->adjustable = !monotonic;
        info->resolution = clock_getres(clock, &res) == 0
                               ? (double)res.tv_sec + (double)res.tv_nsec * 1e-9
                               : 1e-9;
    }
    return from_parts(tp, ts.tv_sec, ts.tv_nsec, raise);
}

_PyTime_t
_PyTime_GetSystemClock(void)
{
    _PyTime_t t;
    read_clock(CLOCK_REALTIME, NULL, false, &t, NULL, false);
    return t;
}

int
_PyTime_GetSystemClockWithInfo(_PyTime_t *t, _Py_clock_info_t *info)
{
    return read_clock(CLOCK_REALTIME, "clock_gettime(CLOCK_REALTIME)", false,
                      t, info, true);
}

_PyTime_t
_PyTime_GetMonotonicClock(void)
{
    _PyTime_t t;
    read_clock(CLOCK_MONOTONIC, NULL, true, &t, NULL, false);
    return t;
}

int
_PyTime_GetMonotonicClockWithInfo(_PyTime_t *t, _Py_clock_info_t *info)
{
    return read_clock(CLOCK_MONOTONIC, "clock_gettime(CLOCK_MONOTONIC)", true,
                      t, info, true);
}

_PyTime_t
_PyTime_GetPerfCounter(void)
{
    return _PyTime_GetMonotonicClock();
}

int
_PyTime_GetPerfCounterWithInfo(_PyTime_t *t, _Py_clock_info_t *info)
{
    return _PyTime_GetMonotonicClockWithInfo(t, info);
}

_PyTime_t
_PyDeadline_Init(_PyTime_t timeout)
{
    return _PyTime_Add(_PyTime_GetMonotonicClock(), timeout);
}

_PyTime_t
_PyDeadline_Get(_PyTime_t deadline)
{
    return deadline - _PyTime_GetMonotonicClock();
}

/* --- calendar ------------------------------------------------------------ */

static int
calendar(struct tm *(*convert)(const time_t *, struct tm *), time_t t,
         struct tm *tm)
{
    errno = 0;
    if (convert(&t, tm) == NULL) {
        if (errno == 0) {
            errno = EINVAL;
        }
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return 0;
}

int
_PyTime_localtime(time_t t, struct tm *tm)
{
    return calendar(localtime_r, t, tm);
}

int
_PyTime_gmtime(time_t t, struct tm *tm)
{
    return calendar(gmtime_r, t, tm);
}
