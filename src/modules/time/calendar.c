/* time: struct_time, its conversions and formats, time zones. */
#include "modules/time/time.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <wchar.h>

static PyStructSequence_Field fields[] = {
    {"tm_year", "year, for example 1993"},
    {"tm_mon", "month of year, range [1, 12]"},
    {"tm_mday", "day of month, range [1, 31]"},
    {"tm_hour", "hours, range [0, 23]"},
    {"tm_min", "minutes, range [0, 59]"},
    {"tm_sec", "seconds, range [0, 61])"},
    {"tm_wday", "day of week, range [0, 6], Monday is 0"},
    {"tm_yday", "day of year, range [1, 366]"},
    {"tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown"},
    {"tm_zone", "abbreviation of timezone name"},
    {"tm_gmtoff", "offset from UTC in seconds"},
    {NULL},
};

PyStructSequence_Desc kr_struct_time_desc = {
    .name = "time.struct_time",
    .doc = "The time as gmtime(), localtime() and strptime() give it, and\n"
           "asctime(), mktime() and strftime() take it.",
    .fields = fields,
    .n_in_sequence = 9,
};

static PyObject *
from_tm(PyObject *module, const struct tm *tm)
{
    PyObject *v = PyStructSequence_New(time_state(module)->struct_time);
    if (v == NULL) {
        return NULL;
    }
    const int numbers[] = {tm->tm_year + 1900,     tm->tm_mon + 1,
                           tm->tm_mday,            tm->tm_hour,
                           tm->tm_min,             tm->tm_sec,
                           (tm->tm_wday + 6) % 7,  tm->tm_yday + 1,
                           tm->tm_isdst};
    for (int i = 0; i < 9; i++) {
        PyStructSequence_SET_ITEM(v, i, PyLong_FromLong(numbers[i]));
    }
    PyObject *zone = PyUnicode_DecodeLocale(tm->tm_zone, "surrogateescape");
    PyStructSequence_SET_ITEM(v, 9, zone);
    PyStructSequence_SET_ITEM(v, 10, PyLong_FromLong(tm->tm_gmtoff));
    if (PyErr_Occurred()) {
        Py_DECREF(v);
        return NULL;
    }
    return v;
}

/* An optional argument of seconds; now if it is missing or None. */
static bool
seconds_arg(PyObject *args, const char *format, time_t *when)
{
    PyObject *obj = NULL;
    if (!PyArg_ParseTuple(args, format, &obj)) {
        return false;
    }
    if (obj == NULL || obj == Py_None) {
        *when = time(NULL);
        return true;
    }
    return _PyTime_ObjectToTime_t(obj, when, _PyTime_ROUND_FLOOR) == 0;
}

static PyObject *
time_gmtime(PyObject *module, PyObject *args)
{
    time_t when;
    struct tm tm;
    if (!seconds_arg(args, "|O:gmtime", &when)
        || _PyTime_gmtime(when, &tm) != 0) {
        return NULL;
    }
    tm.tm_zone = "UTC";
    tm.tm_gmtoff = 0;
    return from_tm(module, &tm);
}

static PyObject *
time_localtime(PyObject *module, PyObject *args)
{
    time_t when;
    struct tm tm;
    if (!seconds_arg(args, "|O:localtime", &when)
        || _PyTime_localtime(when, &tm) != 0) {
        return NULL;
    }
    return from_tm(module, &tm);
}

/* A tuple of nine numbers to a struct tm; `format` names the function. The
 * zone's name belongs to `args`. */
static bool
tm_arg(PyObject *module, PyObject *args, struct tm *p, const char *format)
{
    int year;
    memset(p, 0, sizeof(*p));
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError,
                        "Tuple or struct_time argument required");
        return false;
    }
    PyObject *tuple = Py_NewRef(args);
    if (Py_IS_TYPE(args, time_state(module)->struct_time)) {
        Py_DECREF(tuple);
        tuple = PyTuple_New(9);
        for (int i = 0; tuple != NULL && i < 9; i++) {
            PyTuple_SET_ITEM(tuple, i,
                             Py_NewRef(PyStructSequence_GET_ITEM(args, i)));
        }
        if (tuple == NULL) {
            return false;
        }
    }
    bool ok = PyArg_ParseTuple(tuple, format, &year, &p->tm_mon, &p->tm_mday,
                               &p->tm_hour, &p->tm_min, &p->tm_sec,
                               &p->tm_wday, &p->tm_yday, &p->tm_isdst);
    Py_DECREF(tuple);
    if (!ok) {
        return false;
    }
    if (year < INT_MIN + 1900) {
        PyErr_SetString(PyExc_OverflowError, "year out of range");
        return false;
    }
    p->tm_year = year - 1900;
    p->tm_mon--;
    p->tm_wday = (p->tm_wday + 1) % 7;
    p->tm_yday--;
    if (!Py_IS_TYPE(args, time_state(module)->struct_time)) {
        return true;
    }
    PyObject *item = PyStructSequence_GET_ITEM(args, 9);
    if (item != Py_None) {
        p->tm_zone = (char *)PyUnicode_AsUTF8(item);
        if (p->tm_zone == NULL) {
            return false;
        }
    }
    item = PyStructSequence_GET_ITEM(args, 10);
    if (item != Py_None) {
        p->tm_gmtoff = PyLong_AsLong(item);
        if (PyErr_Occurred()) {
            return false;
        }
    }
    return true;
}

/* Brings fields that may be 0 in a tuple to their least value, and refuses
 * what the C library may not be given. */
static bool
check_tm(struct tm *p)
{
    const char *wrong = NULL;
    if (p->tm_mon == -1) {
        p->tm_mon = 0;
    }
    if (p->tm_mday == 0) {
        p->tm_mday = 1;
    }
    if (p->tm_yday == -1) {
        p->tm_yday = 0;
    }
    if (p->tm_mon < 0 || p->tm_mon > 11) {
        wrong = "month out of range";
    }
    else if (p->tm_mday < 0 || p->tm_mday > 31) {
        wrong = "day of month out of range";
    }
    else if (p->tm_hour < 0 || p->tm_hour > 23) {
        wrong = "hour out of range";
    }
    else if (p->tm_min < 0 || p->tm_min > 59) {
        wrong = "minute out of range";
    }
    else if (p->tm_sec < 0 || p->tm_sec > 61) {
        wrong = "seconds out of range";
    }
    else if (p->tm_wday < 0) {
        wrong = "day of week out of range";
    }
    else if (p->tm_yday < 0 || p->tm_yday > 365) {
        wrong = "day of year out of range";
    }
    if (wrong != NULL) {
        PyErr_SetString(PyExc_ValueError, wrong);
    }
    return wrong == NULL;
}

static PyObject *
format_tm(const wchar_t *format, const struct tm *tm)
{
    size_t len = wcslen(format);
    for (size_t size = 1024;; size += size) {
        wchar_t *buf = PyMem_Malloc(size * sizeof(wchar_t));
        if (buf == NULL) {
            return PyErr_NoMemory();
        }
        size_t n = wcsftime(buf, size, format, tm);
        /* nothing was written: either it is empty or there is no room; a
         * format that gives 256 times its length is not one of ours */
        if (n > 0 || size >= 256 * len) {
            PyObject *res = PyUnicode_FromWideChar(buf, (Py_ssize_t)n);
            PyMem_Free(buf);
            return res;
        }
        PyMem_Free(buf);
    }
}

static PyObject *
time_strftime(PyObject *module, PyObject *args)
{
    PyObject *format, *tuple = NULL;
    struct tm tm;
    if (!PyArg_ParseTuple(args, "U|O:strftime", &format, &tuple)) {
        return NULL;
    }
    if (tuple == NULL) {
        if (_PyTime_localtime(time(NULL), &tm) != 0) {
            return NULL;
        }
    }
    else if (!tm_arg(module, tuple, &tm,
                     "iiiiiiiii;strftime(): illegal time tuple argument")
             || !check_tm(&tm)) {
        return NULL;
    }
    tm.tm_isdst = tm.tm_isdst < -1 ? -1 : tm.tm_isdst > 1 ? 1 : tm.tm_isdst;
    wchar_t *wide = PyUnicode_AsWideCharString(format, NULL);
    if (wide == NULL) {
        return NULL;
    }
    PyObject *res = format_tm(wide, &tm);
    PyMem_Free(wide);
    return res;
}

static PyObject *
time_strptime(PyObject *module, PyObject *args)
{
    PyObject *strptime = PyImport_ImportModule("_strptime");
    if (strptime == NULL) {
        return NULL;
    }
    PyObject *func = PyObject_GetAttrString(strptime, "_strptime_time");
    Py_DECREF(strptime);
    PyObject *res = func == NULL ? NULL : PyObject_Call(func, args, NULL);
    Py_XDECREF(func);
    return res;
}

static PyObject *
ascii_time(const struct tm *tm)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed",
                                    "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr",
                                       "May", "Jun", "Jul", "Aug",
                                       "Sep", "Oct", "Nov", "Dec"};
    return PyUnicode_FromFormat("%s %s%3d %.2d:%.2d:%.2d %d",
                                days[tm->tm_wday], months[tm->tm_mon],
                                tm->tm_mday, tm->tm_hour, tm->tm_min,
                                tm->tm_sec, 1900 + tm->tm_year);
}

static PyObject *
time_asctime(PyObject *module, PyObject *args)
{
    PyObject *tuple = NULL;
    struct tm tm;
    if (!PyArg_UnpackTuple(args, "asctime", 0, 1, &tuple)) {
        return NULL;
    }
    if (tuple == NULL) {
        if (_PyTime_localtime(time(NULL), &tm) != 0) {
            return NULL;
        }
    }
    else if (!tm_arg(module, tuple, &tm,
                     "iiiiiiiii;asctime(): illegal time tuple argument")
             || !check_tm(&tm)) {
        return NULL;
    }
    return ascii_time(&tm);
}

static PyObject *
time_ctime(PyObject *module, PyObject *args)
{
    time_t when;
    struct tm tm;
    if (!seconds_arg(args, "|O:ctime", &when)
        || _PyTime_localtime(when, &tm) != 0) {
        return NULL;
    }
    return ascii_time(&tm);
}

static PyObject *
time_mktime(PyObject *module, PyObject *arg)
{
    struct tm tm;
    if (!tm_arg(module, arg, &tm,
                "iiiiiiiii;mktime(): illegal time tuple argument")) {
        return NULL;
    }
    tm.tm_wday = -1; /* stays so if mktime fails */
    time_t t = mktime(&tm);
    if (t == (time_t)-1 && tm.tm_wday == -1) {
        PyErr_SetString(PyExc_OverflowError, "mktime argument out of range");
        return NULL;
    }
    return PyFloat_FromDouble((double)t);
}

/* --- time zones ---------------------------------------------------------- */

static int
zone_at(time_t t, char *name, long *west)
{
    struct tm tm;
    if (_PyTime_localtime(t, &tm) != 0) {
        return -1;
    }
    snprintf(name, 100, "%s", tm.tm_zone ? tm.tm_zone : "   ");
    *west = -tm.tm_gmtoff;
    return 0;
}

static int
set_zone(PyObject *module, long timezone, long altzone, bool daylight,
         const char *name, const char *dst_name)
{
    if (PyModule_AddIntConstant(module, "timezone", timezone) < 0
        || PyModule_AddIntConstant(module, "altzone", altzone) < 0
        || PyModule_AddIntConstant(module, "daylight", daylight) < 0) {
        return -1;
    }
    PyObject *a = PyUnicode_DecodeLocale(name, "surrogateescape");
    PyObject *b = PyUnicode_DecodeLocale(dst_name, "surrogateescape");
    PyObject *names = a && b ? PyTuple_Pack(2, a, b) : NULL;
    Py_XDECREF(a);
    Py_XDECREF(b);
    int res = names == NULL ? -1
                            : PyModule_AddObjectRef(module, "tzname", names);
    Py_XDECREF(names);
    return res;
}

int
kr_time_init_timezone(PyObject *module)
{
    const time_t year = (365 * 24 + 6) * 3600;
    time_t start = time(NULL) / year * year;
    char winter[100], summer[100];
    long west_winter, west_summer;
    tzset();
    if (zone_at(start, winter, &west_winter) < 0
        || zone_at(start + year / 2, summer, &west_summer) < 0) {
        return -1;
    }
    if (west_winter < west_summer) {
        /* south of the equator July has the standard time */
        return set_zone(module, west_summer, west_winter, true, summer,
                        winter);
    }
    return set_zone(module, west_winter, west_summer,
                    west_winter != west_summer, winter, summer);
}

static PyObject *
time_tzset(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    PyObject *time = PyImport_ImportModule("time");
    if (time == NULL) {
        return NULL;
    }
    int res = kr_time_init_timezone(time);
    Py_DECREF(time);
    if (res < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyMethodDef kr_time_calendar_methods[] = {
    {"gmtime", time_gmtime, METH_VARARGS,
     "gmtime([seconds]) -> struct_time\n\nSeconds since the Epoch (now) in "
     "UTC."},
    {"localtime", time_localtime, METH_VARARGS,
     "localtime([seconds]) -> struct_time\n\n"
     "Seconds since the Epoch (now) in local time."},
    {"asctime", time_asctime, METH_VARARGS,
     "asctime([tuple]) -> string\n\nA time tuple (now) as text."},
    {"ctime", time_ctime, METH_VARARGS,
     "ctime(seconds) -> string\n\nSeconds since the Epoch as local text."},
    {"mktime", time_mktime, METH_O,
     "mktime(tuple) -> floating point number\n\n"
     "A local time tuple in seconds since the Epoch."},
    {"strftime", time_strftime, METH_VARARGS,
     "strftime(format[, tuple]) -> string\n\n"
     "A time tuple (now) as text of a given format."},
    {"strptime", time_strptime, METH_VARARGS,
     "strptime(string, format) -> struct_time\n\n"
     "Text of a given format as a time tuple."},
    {"tzset", time_tzset, METH_NOARGS,
     "tzset()\n\nTake the time zone from os.environ['TZ'] anew."},
    {NULL},
};
