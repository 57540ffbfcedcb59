/* Writing dates and times, and small things that several types share. */
#include "modules/_datetime/internal.h"

int
kr_dt_format_offset(char *buf, const char *sep, PyObject *tz, PyObject *arg)
{
    *buf = '\0';
    PyObject *offset = kr_dt_tz_offset(tz, arg);
    if (offset == NULL) {
        return -1;
    }
    if (offset == Py_None) {
        Py_DECREF(offset);
        return 0;
    }
    long long us = (long long)kr_dt_delta_us(offset);
    Py_DECREF(offset);
    char sign = us < 0 ? '-' : '+';
    us = us < 0 ? -us : us;
    int s = (int)(us / US_PER_SECOND);
    us %= US_PER_SECOND;
    int n = snprintf(buf, UTC_OFFSET_SIZE, "%c%02d%s%02d", sign, s / 3600, sep,
                     s / 60 % 60);
    if (s % 60 != 0 || us != 0) {
        n += snprintf(buf + n, UTC_OFFSET_SIZE - (size_t)n, "%s%02d", sep,
                      s % 60);
    }
    if (us != 0) {
        snprintf(buf + n, UTC_OFFSET_SIZE - (size_t)n, ".%06d", (int)us);
    }
    return 0;
}

int
kr_dt_format_time(char *buf, size_t size, const char *spec, int h, int m, int s,
                  int us)
{
    static const char *const names[] = {"hours", "minutes", "seconds",
                                        "milliseconds", "microseconds"};
    int kind = -1;
    if (spec == NULL || strcmp(spec, "auto") == 0) {
        kind = us == 0 ? 2 : 4;
    }
    for (int i = 0; kind < 0 && i < 5; i++) {
        if (strcmp(spec, names[i]) == 0) {
            kind = i;
        }
    }
    switch (kind) {
    case 0:
        snprintf(buf, size, "%02d", h);
        return 0;
    case 1:
        snprintf(buf, size, "%02d:%02d", h, m);
        return 0;
    case 2:
        snprintf(buf, size, "%02d:%02d:%02d", h, m, s);
        return 0;
    case 3:
        snprintf(buf, size, "%02d:%02d:%02d.%03d", h, m, s, us / 1000);
        return 0;
    case 4:
        snprintf(buf, size, "%02d:%02d:%02d.%06d", h, m, s, us);
        return 0;
    default:
        PyErr_SetString(PyExc_ValueError, "Unknown timespec value");
        return -1;
    }
}

PyObject *
kr_dt_call_time(PyObject *name, PyObject *arg)
{
    PyObject *time = PyImport_ImportModule("time");
    if (time == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_CallMethodObjArgs(time, name, arg, NULL);
    Py_DECREF(time);
    return result;
}

PyObject *
kr_dt_struct_time(const struct moment *m, int dst)
{
    struct ymd d = m->date;
    PyObject *fields =
        Py_BuildValue("iiiiiiiii", d.year, d.month, d.day, m->hour, m->minute,
                      m->second, kr_dt_weekday(d),
                      kr_dt_days_before_month(d.year, d.month) + d.day, dst);
    if (fields == NULL) {
        return NULL;
    }
    PyObject *result = kr_dt_call_time(KR_ID(struct_time), fields);
    Py_DECREF(fields);
    return result;
}

PyObject *
kr_dt_ctime(const struct moment *m)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu",
                                       "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr",
                                         "May", "Jun", "Jul", "Aug",
                                         "Sep", "Oct", "Nov", "Dec"};
    return PyUnicode_FromFormat("%s %s %2d %02d:%02d:%02d %04d",
                                days[kr_dt_weekday(m->date)],
                                months[m->date.month - 1], m->date.day, m->hour,
                                m->minute, m->second, m->date.year);
}

/* ---- strftime */

/* The name of the zone with each % doubled. */
static PyObject *
zone_name(PyObject *self, PyObject *tzarg)
{
    PyObject *tz =
        IS_DATETIME(self) || IS_TIME(self) ? kr_dt_tzinfo_of(self) : Py_None;
    if (tz == Py_None) {
        return PyUnicode_New(0, 0);
    }
    PyObject *name = kr_dt_tz_name(tz, tzarg);
    if (name == NULL) {
        return NULL;
    }
    if (name == Py_None) {
        Py_DECREF(name);
        return PyUnicode_New(0, 0);
    }
    PyObject *result = PyObject_CallMethod(name, "replace", "ss", "%", "%%");
    Py_DECREF(name);
    if (result != NULL && !PyUnicode_Check(result)) {
        PyErr_SetString(PyExc_TypeError,
                        "tzname.replace() did not return a string");
        Py_CLEAR(result);
    }
    /* a surrogate in it could not be printed */
    if (result != NULL && PyUnicode_AsUTF8(result) == NULL) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *
zone_offset(PyObject *self, PyObject *tzarg)
{
    char buf[UTC_OFFSET_SIZE] = "";
    PyObject *tz =
        IS_DATETIME(self) || IS_TIME(self) ? kr_dt_tzinfo_of(self) : Py_None;
    if (tz != Py_None && kr_dt_format_offset(buf, "", tz, tzarg) < 0) {
        return NULL;
    }
    return PyUnicode_FromString(buf);
}

static PyObject *
fraction(PyObject *self)
{
    int us = IS_DATETIME(self) ? PyDateTime_DATE_GET_MICROSECOND(self)
             : IS_TIME(self)   ? PyDateTime_TIME_GET_MICROSECOND(self)
                               : 0;
    return PyUnicode_FromFormat("%06d", us);
}

/* The format up to its first NUL, with %z, %Z and %f, which time.strftime
 * would take from elsewhere or does not know, replaced. */
static PyObject *
expand_format(PyObject *self, PyObject *format, PyObject *tzarg)
{
    _PyUnicodeWriter out;
    _PyUnicodeWriter_Init(&out);
    out.overallocate = 1;
    Py_ssize_t n = PyUnicode_GET_LENGTH(format), done = 0;
    Py_ssize_t end = PyUnicode_FindChar(format, 0, 0, n, 1);
    n = end >= 0 ? end : n;
    for (Py_ssize_t i = 0; i + 1 < n; i++) {
        if (PyUnicode_READ_CHAR(format, i) != '%') {
            continue;
        }
        Py_UCS4 c = PyUnicode_READ_CHAR(format, ++i);
        if (c != 'z' && c != 'Z' && c != 'f') {
            continue;
        }
        PyObject *part = c == 'z'   ? zone_offset(self, tzarg)
                         : c == 'Z' ? zone_name(self, tzarg)
                                    : fraction(self);
        if (part == NULL ||
            _PyUnicodeWriter_WriteSubstring(&out, format, done, i - 1) < 0 ||
            _PyUnicodeWriter_WriteStr(&out, part) < 0) {
            Py_XDECREF(part);
            _PyUnicodeWriter_Dealloc(&out);
            return NULL;
        }
        Py_DECREF(part);
        done = i + 1;
    }
    if (_PyUnicodeWriter_WriteSubstring(&out, format, done, n) < 0) {
        _PyUnicodeWriter_Dealloc(&out);
        return NULL;
    }
    return _PyUnicodeWriter_Finish(&out);
}

PyObject *
kr_dt_strftime(PyObject *self, PyObject *format, PyObject *timetuple,
               PyObject *tzarg)
{
    if (PyUnicode_READY(format) < 0 || PyUnicode_AsUTF8(format) == NULL) {
        return NULL;
    }
    PyObject *full = expand_format(self, format, tzarg);
    if (full == NULL) {
        return NULL;
    }
    PyObject *result = NULL, *time = PyImport_ImportModule("time");
    if (time != NULL) {
        result = PyObject_CallMethodObjArgs(time, KR_ID(strftime), full,
                                            timetuple, NULL);
        Py_DECREF(time);
    }
    Py_DECREF(full);
    return result;
}

PyObject *
kr_dt_format(PyObject *self, PyObject *args, PyObject *ignored)
{
    PyObject *format;
    if (!PyArg_ParseTuple(args, "U:__format__", &format)) {
        return NULL;
    }
    if (PyUnicode_GetLength(format) == 0) {
        return PyObject_Str(self);
    }
    return PyObject_CallMethodOneArg(self, KR_ID(strftime), format);
}

PyObject *
kr_dt_cmperror(PyObject *a, PyObject *b)
{
    PyErr_Format(PyExc_TypeError, "can't compare %s to %s",
                 Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
    return NULL;
}

PyObject *
kr_dt_invalid_iso(PyObject *text)
{
    if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_ValueError, "Invalid isoformat string: %R", text);
    }
    return NULL;
}

/* ---- pickles */

static bool
sane(const unsigned char *state, int at, int mask, int low, int high)
{
    int v = state[at] & mask;
    return v >= low && v <= high;
}

const unsigned char *
kr_dt_pickle_state(PyObject *args, int maxargs, Py_ssize_t size, int at,
                   int mask, int low, int high, const char *what,
                   PyObject **hold)
{
    *hold = NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n < 1 || n > maxargs) {
        return NULL;
    }
    PyObject *state = PyTuple_GET_ITEM(args, 0);
    if (PyBytes_Check(state)) {
        const unsigned char *data = (unsigned char *)PyBytes_AS_STRING(state);
        if (PyBytes_GET_SIZE(state) != size ||
            !sane(data, at, mask, low, high)) {
            return NULL;
        }
        *hold = Py_NewRef(state);
        return data;
    }
    if (!PyUnicode_Check(state) || PyUnicode_READY(state) < 0 ||
        PyUnicode_GET_LENGTH(state) != size) {
        return NULL;
    }
    /* a pickle of Python 2 read with encoding="latin1" */
    Py_UCS4 c = PyUnicode_READ_CHAR(state, at);
    int v = (int)(c & (Py_UCS4)(mask == 0x7f ? ~0x80u : ~0u));
    if (v < low || v > high) {
        return NULL;
    }
    *hold = PyUnicode_AsLatin1String(state);
    if (*hold == NULL) {
        if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
            PyErr_Format(PyExc_ValueError,
                         "Failed to encode latin1 string when unpickling a "
                         "%s object. pickle.load(data, encoding='latin1') is "
                         "assumed.",
                         what);
        }
        return NULL;
    }
    return (unsigned char *)PyBytes_AS_STRING(*hold);
}
