/* datetime.datetime: a date with a time of day, with or without a zone. */
#include "modules/_datetime/internal.h"

struct moment
kr_dt_moment(PyObject *o)
{
    return (struct moment){kr_dt_ymd(o), PyDateTime_DATE_GET_HOUR(o),
                           PyDateTime_DATE_GET_MINUTE(o),
                           PyDateTime_DATE_GET_SECOND(o),
                           PyDateTime_DATE_GET_MICROSECOND(o)};
}

PyObject *
kr_dt_new_datetime(const struct moment *m, PyObject *tz, int fold,
                   PyTypeObject *cls)
{
    if (kr_dt_check_date(m->date.year, m->date.month, m->date.day) < 0 ||
        kr_dt_check_time(m->hour, m->minute, m->second, m->us, fold) < 0 ||
        kr_dt_check_tzinfo(tz) < 0) {
        return NULL;
    }
    PyDateTime_DateTime *self = DT(cls->tp_alloc(cls, 0));
    if (self == NULL) {
        return NULL;
    }
    self->hashcode = -1;
    self->hastzinfo = tz != Py_None;
    unsigned char *data = self->data;
    data[0] = (unsigned char)(m->date.year >> 8);
    data[1] = (unsigned char)m->date.year;
    data[2] = (unsigned char)m->date.month;
    data[3] = (unsigned char)m->date.day;
    data[4] = (unsigned char)m->hour;
    data[5] = (unsigned char)m->minute;
    data[6] = (unsigned char)m->second;
    data[7] = (unsigned char)(m->us >> 16);
    data[8] = (unsigned char)(m->us >> 8);
    data[9] = (unsigned char)m->us;
    self->fold = (unsigned char)fold;
    self->tzinfo = tz != Py_None ? Py_NewRef(tz) : NULL;
    return (PyObject *)self;
}

PyObject *
kr_dt_make_datetime(const struct moment *m, PyObject *tz, int fold,
                    PyObject *cls)
{
    if (cls == (PyObject *)&kr_datetime_type) {
        return kr_dt_new_datetime(m, tz, fold, &kr_datetime_type);
    }
    PyObject *self = PyObject_CallFunction(
        cls, "iiiiiiiO", m->date.year, m->date.month, m->date.day, m->hour,
        m->minute, m->second, m->us, tz);
    if (self != NULL && IS_DATETIME(self)) {
        DT(self)->fold = (unsigned char)fold;
    }
    return self;
}

static char *field_names[] = {"year",   "month",       "day",    "hour", "minute",
                              "second", "microsecond", "tzinfo", "fold", NULL};

static PyObject *
datetime_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *self = kr_dt_unpickle(type, args, _PyDateTime_DATETIME_DATASIZE,
                                    2, 1, 12, "datetime");
    struct moment m = {0};
    int fold = 0;
    PyObject *tz = Py_None;
    if (self != NULL || PyErr_Occurred() ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "iii|iiiiO$i", field_names,
                                     &m.date.year, &m.date.month, &m.date.day,
                                     &m.hour, &m.minute, &m.second, &m.us, &tz,
                                     &fold)) {
        return self;
    }
    return kr_dt_new_datetime(&m, tz, fold, type);
}

/* ---- from the clock */

typedef int (*to_tm)(time_t, struct tm *);

/* Whether a local moment is the second of two that read the same; -1 with an
 * exception set. */
static int
detect_fold(const struct moment *m, time_t t)
{
    long long here = kr_dt_seconds(m);
    if (here == -1) {
        return -1;
    }
    long long probe = kr_dt_local(EPOCH_SECONDS + t - SECONDS_PER_DAY);
    if (probe == -1) {
        return -1;
    }
    long long transition = here - probe - SECONDS_PER_DAY;
    if (transition >= 0) {
        return 0;
    }
    probe = kr_dt_local(EPOCH_SECONDS + t + transition);
    return probe == -1 ? -1 : probe == here;
}

static PyObject *
from_time_t(PyObject *cls, to_tm convert, time_t t, int us, PyObject *tz)
{
    struct tm tm;
    if (convert(t, &tm) != 0) {
        return NULL;
    }
    /* a leap second is the one before it again */
    struct moment m = {{tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday},
                       tm.tm_hour,
                       tm.tm_min,
                       Py_MIN(59, tm.tm_sec),
                       us};
    int fold = 0;
    if (tz == Py_None && convert == _PyTime_localtime) {
        fold = detect_fold(&m, t);
        if (fold < 0) {
            return NULL;
        }
    }
    return kr_dt_make_datetime(&m, tz, fold, cls);
}

static PyObject *
from_timestamp(PyObject *cls, to_tm convert, PyObject *timestamp, PyObject *tz)
{
    time_t t;
    long us;
    if (_PyTime_ObjectToTimeval(timestamp, &t, &us, _PyTime_ROUND_HALF_EVEN) <
        0) {
        return NULL;
    }
    return from_time_t(cls, convert, t, (int)us, tz);
}

static PyObject *
from_now(PyObject *cls, to_tm convert, PyObject *tz)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return from_time_t(cls, convert, now.tv_sec, (int)(now.tv_nsec / 1000),
                       tz);
}

/* tz.fromutc(self) if there is a zone; steals self. */
static PyObject *
into_zone(PyObject *self, PyObject *tz)
{
    if (self == NULL || tz == Py_None) {
        return self;
    }
    PyObject *result = PyObject_CallMethodOneArg(tz, KR_ID(fromutc), self);
    Py_DECREF(self);
    return result;
}

static PyObject *
datetime_now(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"tz", NULL};
    PyObject *tz = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:now", keywords, &tz) ||
        kr_dt_check_tzinfo(tz) < 0) {
        return NULL;
    }
    return into_zone(
        from_now(cls, tz == Py_None ? _PyTime_localtime : _PyTime_gmtime, tz),
        tz);
}

static PyObject *
datetime_utcnow(PyObject *cls, PyObject *ignored)
{
    return from_now(cls, _PyTime_gmtime, Py_None);
}

PyObject *
kr_dt_datetime_fromtimestamp(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"timestamp", "tz", NULL};
    PyObject *timestamp, *tz = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:fromtimestamp",
                                     keywords, &timestamp, &tz) ||
        kr_dt_check_tzinfo(tz) < 0) {
        return NULL;
    }
    return into_zone(
        from_timestamp(cls,
                       tz == Py_None ? _PyTime_localtime : _PyTime_gmtime,
                       timestamp, tz),
        tz);
}

static PyObject *
datetime_utcfromtimestamp(PyObject *cls, PyObject *args)
{
    PyObject *timestamp;
    if (!PyArg_ParseTuple(args, "O:utcfromtimestamp", &timestamp)) {
        return NULL;
    }
    return from_timestamp(cls, _PyTime_gmtime, timestamp, Py_None);
}

/* ---- from text and parts */

static PyObject *
datetime_strptime(PyObject *cls, PyObject *args)
{
    PyObject *string, *format;
    if (!PyArg_ParseTuple(args, "UU:strptime", &string, &format)) {
        return NULL;
    }
    PyObject *module = PyImport_ImportModule("_strptime");
    if (module == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_CallMethodObjArgs(
        module, KR_ID(_strptime_datetime), cls, string, format, NULL);
    Py_DECREF(module);
    return result;
}

static PyObject *
datetime_combine(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"date", "time", "tzinfo", NULL};
    PyObject *date, *time, *tz = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!|O:combine", keywords,
                                     &kr_date_type, &date, &kr_time_type,
                                     &time, &tz)) {
        return NULL;
    }
    if (tz == NULL) {
        tz = kr_dt_tzinfo_of(time);
    }
    struct moment m = {kr_dt_ymd(date), PyDateTime_TIME_GET_HOUR(time),
                       PyDateTime_TIME_GET_MINUTE(time),
                       PyDateTime_TIME_GET_SECOND(time),
                       PyDateTime_TIME_GET_MICROSECOND(time)};
    return kr_dt_make_datetime(&m, tz, TIME(time)->fold, cls);
}

static int
parse_iso(const char *s, Py_ssize_t n, struct ymd *d, struct iso_time *t)
{
    Py_ssize_t sep = n < 7 ? -1 : kr_dt_iso_separator(s, n);
    int rv = sep < 0 ? -1 : kr_dt_iso_date(s, sep, d);
    if (rv == 0 && n > sep) {
        sep += s[sep] == '\1' && s[sep + 1] == '\1' ? 2 : 1;
        rv = kr_dt_iso_time(s + sep, n - sep, t);
    }
    return rv;
}

static PyObject *
datetime_fromisoformat(PyObject *cls, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError,
                        "fromisoformat: argument must be str");
        return NULL;
    }
    Py_ssize_t n;
    struct iso_time t = {0};
    struct ymd d;
    char *s = kr_dt_iso_text(text, &n);
    if (s == NULL) {
        return NULL;
    }
    int rv = parse_iso(s, n, &d, &t);
    PyMem_Free(s);
    if (rv < 0) {
        return kr_dt_invalid_iso(text);
    }
    PyObject *zone = kr_dt_iso_zone(rv, &t);
    if (zone == NULL) {
        return NULL;
    }
    struct moment m = {d, t.hour, t.minute, t.second, t.us};
    PyObject *result = kr_dt_make_datetime(&m, zone, 0, cls);
    Py_DECREF(zone);
    return result;
}

/* ---- arithmetic */

PyObject *
kr_dt_datetime_shift(PyObject *self, PyObject *delta, int sign)
{
    struct moment m = kr_dt_moment(self);
    m.date.day += DELTA(delta)->days * sign;
    m.second += DELTA(delta)->seconds * sign;
    m.us += DELTA(delta)->microseconds * sign;
    if (kr_dt_normalize_moment(&m) < 0) {
        return NULL;
    }
    return kr_dt_make_datetime(&m, kr_dt_tzinfo_of(self), 0,
                               (PyObject *)Py_TYPE(self));
}

static PyObject *
datetime_add(PyObject *a, PyObject *b)
{
    if (IS_DATETIME(a) && IS_DELTA(b)) {
        return kr_dt_datetime_shift(a, b, 1);
    }
    if (IS_DELTA(a) && IS_DATETIME(b)) {
        return kr_dt_datetime_shift(b, a, 1);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

/* Microseconds since 31 December of year 0. */
static __int128
us_of(PyObject *self)
{
    struct moment m = kr_dt_moment(self);
    return (__int128)kr_dt_seconds(&m) * US_PER_SECOND + m.us;
}

static PyObject *
difference(PyObject *a, PyObject *b)
{
    __int128 diff = us_of(a) - us_of(b);
    if (kr_dt_tzinfo_of(a) == kr_dt_tzinfo_of(b)) {
        return kr_dt_delta_from_us(diff, &kr_delta_type);
    }
    PyObject *oa = kr_dt_utcoffset(a, NULL), *result = NULL;
    PyObject *ob = oa ? kr_dt_utcoffset(b, NULL) : NULL;
    if (ob != NULL && (oa == Py_None) != (ob == Py_None)) {
        PyErr_SetString(PyExc_TypeError, "can't subtract offset-naive and "
                                         "offset-aware datetimes");
    }
    else if (ob != NULL) {
        if (oa != ob) {
            diff -= kr_dt_delta_us(oa) - kr_dt_delta_us(ob);
        }
        result = kr_dt_delta_from_us(diff, &kr_delta_type);
    }
    Py_XDECREF(oa);
    Py_XDECREF(ob);
    return result;
}

static PyObject *
datetime_subtract(PyObject *a, PyObject *b)
{
    if (IS_DATETIME(a) && IS_DATETIME(b)) {
        return difference(a, b);
    }
    if (IS_DATETIME(a) && IS_DELTA(b)) {
        return kr_dt_datetime_shift(a, b, -1);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

/* ---- comparison */

/* Whether the offset depends on the fold: such times are equal to no time of
 * another zone (PEP 495). -1 with an exception set. */
static int
depends_on_fold(PyObject *self, PyObject *offset)
{
    struct moment m = kr_dt_moment(self);
    PyObject *flipped = kr_dt_new_datetime(&m, kr_dt_tzinfo_of(self),
                                           !DT(self)->fold, Py_TYPE(self));
    PyObject *other = flipped ? kr_dt_utcoffset(flipped, NULL) : NULL;
    Py_XDECREF(flipped);
    if (other == NULL) {
        return -1;
    }
    int differs =
        other != offset && (other == Py_None || offset == Py_None ||
                            kr_dt_delta_us(other) != kr_dt_delta_us(offset));
    Py_DECREF(other);
    return differs;
}

static PyObject *
compare_aware(PyObject *a, PyObject *b, PyObject *oa, PyObject *ob, int op)
{
    bool equality = op == Py_EQ || op == Py_NE;
    if ((oa == Py_None) != (ob == Py_None)) {
        if (equality) {
            return PyBool_FromLong(op == Py_NE);
        }
        PyErr_SetString(PyExc_TypeError, "can't compare offset-naive and "
                                         "offset-aware datetimes");
        return NULL;
    }
    __int128 x = us_of(a), y = us_of(b);
    if (oa != ob) {
        x -= kr_dt_delta_us(oa);
        y -= kr_dt_delta_us(ob);
    }
    if (equality && x == y) {
        int ex = depends_on_fold(a, oa);
        if (ex == 0) {
            ex = depends_on_fold(b, ob);
        }
        if (ex < 0) {
            return NULL;
        }
        x += ex;
    }
    Py_RETURN_RICHCOMPARE(x, y, op);
}

static PyObject *
datetime_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!IS_DATETIME(b)) {
        if (!IS_DATE(b)) {
            Py_RETURN_NOTIMPLEMENTED;
        }
        /* a date is not a datetime at midnight */
        if (op == Py_EQ || op == Py_NE) {
            return PyBool_FromLong(op == Py_NE);
        }
        return kr_dt_cmperror(a, b);
    }
    if (kr_dt_tzinfo_of(a) == kr_dt_tzinfo_of(b)) {
        int order =
            memcmp(DT(a)->data, DT(b)->data, _PyDateTime_DATETIME_DATASIZE);
        Py_RETURN_RICHCOMPARE(order, 0, op);
    }
    PyObject *oa = kr_dt_utcoffset(a, NULL);
    PyObject *ob = oa ? kr_dt_utcoffset(b, NULL) : NULL;
    PyObject *result = ob ? compare_aware(a, b, oa, ob, op) : NULL;
    Py_XDECREF(oa);
    Py_XDECREF(ob);
    return result;
}

static Py_hash_t
datetime_hash(PyObject *self)
{
    return DT(self)->hashcode != -1 ? DT(self)->hashcode
                                    : kr_dt_clock_hash(self, us_of(self));
}

/* ---- text */

static PyObject *
datetime_repr(PyObject *self)
{
    struct moment m = kr_dt_moment(self);
    char text[80];
    int n = snprintf(text, sizeof text, "(%d, %d, %d, %d, %d", m.date.year,
                     m.date.month, m.date.day, m.hour, m.minute);
    if (m.second != 0 || m.us != 0) {
        n += snprintf(text + n, sizeof text - (size_t)n, ", %d", m.second);
    }
    if (m.us != 0) {
        snprintf(text + n, sizeof text - (size_t)n, ", %d", m.us);
    }
    const char *fold = DT(self)->fold ? ", fold=1" : "";
    const char *name = Py_TYPE(self)->tp_name;
    if (!DT(self)->hastzinfo) {
        return PyUnicode_FromFormat("%s%s%s)", name, text, fold);
    }
    return PyUnicode_FromFormat("%s%s%s, tzinfo=%R)", name, text, fold,
                                DT(self)->tzinfo);
}

static PyObject *
datetime_str(PyObject *self)
{
    return PyObject_CallMethod(self, "isoformat", "s", " ");
}

static PyObject *
datetime_isoformat(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"sep", "timespec", NULL};
    int sep = 'T';
    const char *spec = NULL;
    char time[32], zone[UTC_OFFSET_SIZE] = "";
    struct moment m = kr_dt_moment(self);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Cs:isoformat", keywords,
                                     &sep, &spec) ||
        kr_dt_format_time(time, sizeof time, spec, m.hour, m.minute, m.second,
                          m.us) < 0 ||
        (DT(self)->hastzinfo &&
         kr_dt_format_offset(zone, ":", DT(self)->tzinfo, self) < 0)) {
        return NULL;
    }
    return PyUnicode_FromFormat("%04d-%02d-%02d%c%s%s", m.date.year,
                                m.date.month, m.date.day, sep, time, zone);
}

static PyObject *
datetime_ctime(PyObject *self, PyObject *ignored)
{
    struct moment m = kr_dt_moment(self);
    return kr_dt_ctime(&m);
}

/* ---- parts */

static PyObject *
datetime_date(PyObject *self, PyObject *ignored)
{
    struct ymd d = kr_dt_ymd(self);
    return kr_dt_new_date(d.year, d.month, d.day, &kr_date_type);
}

static PyObject *
time_part(PyObject *self, PyObject *tz)
{
    struct moment m = kr_dt_moment(self);
    return kr_dt_new_time(m.hour, m.minute, m.second, m.us, tz, DT(self)->fold,
                          &kr_time_type);
}

static PyObject *
datetime_time(PyObject *self, PyObject *ignored)
{
    return time_part(self, Py_None);
}

static PyObject *
datetime_timetz(PyObject *self, PyObject *ignored)
{
    return time_part(self, kr_dt_tzinfo_of(self));
}

static PyObject *
datetime_timetuple(PyObject *self, PyObject *ignored)
{
    int flag = -1;
    if (DT(self)->hastzinfo) {
        PyObject *dst = kr_dt_tz_dst(DT(self)->tzinfo, self);
        if (dst == NULL) {
            return NULL;
        }
        if (dst != Py_None) {
            flag = kr_dt_delta_us(dst) != 0;
        }
        Py_DECREF(dst);
    }
    struct moment m = kr_dt_moment(self);
    return kr_dt_struct_time(&m, flag);
}

static PyObject *
datetime_utctimetuple(PyObject *self, PyObject *ignored)
{
    struct moment m = kr_dt_moment(self);
    PyObject *offset = kr_dt_utcoffset(self, NULL);
    if (offset == NULL) {
        return NULL;
    }
    if (offset != Py_None) {
        m.date.day -= DELTA(offset)->days;
        m.second -= DELTA(offset)->seconds;
        m.us -= DELTA(offset)->microseconds;
        if (kr_dt_normalize_moment(&m) < 0) {
            Py_DECREF(offset);
            return NULL;
        }
    }
    Py_DECREF(offset);
    return kr_dt_struct_time(&m, 0);
}

static PyObject *
datetime_timestamp(PyObject *self, PyObject *ignored)
{
    if (DT(self)->hastzinfo && DT(self)->tzinfo != Py_None) {
        PyObject *delta = difference(self, kr_datetime.epoch);
        if (delta == NULL) {
            return NULL;
        }
        PyObject *result =
            PyObject_CallMethodNoArgs(delta, KR_ID(total_seconds));
        Py_DECREF(delta);
        return result;
    }
    struct moment m = kr_dt_moment(self);
    long long seconds = kr_dt_local_to_seconds(&m, DT(self)->fold);
    if (seconds == -1) {
        return NULL;
    }
    return PyFloat_FromDouble((double)(seconds - EPOCH_SECONDS) + m.us / 1e6);
}

static PyObject *
datetime_replace(PyObject *self, PyObject *args, PyObject *kwargs)
{
    struct moment m = kr_dt_moment(self);
    PyObject *tz = kr_dt_tzinfo_of(self);
    int fold = DT(self)->fold;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "|iiiiiiiO$i:replace", field_names, &m.date.year,
            &m.date.month, &m.date.day, &m.hour, &m.minute, &m.second, &m.us,
            &tz, &fold)) {
        return NULL;
    }
    return kr_dt_new_datetime(&m, tz, fold, Py_TYPE(self));
}

/* ---- astimezone */

static PyObject *
local_zone_of_naive(PyObject *self)
{
    struct moment m = kr_dt_moment(self);
    long long seconds = kr_dt_local_to_seconds(&m, DT(self)->fold);
    return seconds == -1 ? NULL
                         : kr_dt_local_zone((time_t)(seconds - EPOCH_SECONDS));
}

/* self less its offset; its zone is zone. */
static PyObject *
to_utc(PyObject *self, PyObject *offset)
{
    PyObject *result = kr_dt_datetime_shift(self, offset, -1);
    if (result == NULL) {
        return NULL;
    }
    if (!IS_DATETIME(result)) {
        PyErr_Format(PyExc_TypeError, "expected a datetime, not '%.200s'",
                     Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return NULL;
    }
    struct moment m = kr_dt_moment(result);
    Py_SETREF(result,
              kr_dt_new_datetime(&m, kr_datetime.utc, 0, Py_TYPE(result)));
    return result;
}

/* Hands a datetime in UTC to a zone; steals utc. */
static PyObject *
attach(PyObject *utc, PyObject *tz)
{
    PyObject *zone;
    if (tz == Py_None) {
        struct moment m = kr_dt_moment(utc);
        zone = kr_dt_local_zone((time_t)(kr_dt_seconds(&m) - EPOCH_SECONDS));
    }
    else {
        zone = Py_NewRef(tz);
    }
    if (zone == NULL) {
        Py_DECREF(utc);
        return NULL;
    }
    /* nobody else has seen this object */
    Py_SETREF(DT(utc)->tzinfo, Py_NewRef(zone));
    PyObject *result = PyObject_CallMethodOneArg(zone, KR_ID(fromutc), utc);
    Py_DECREF(zone);
    Py_DECREF(utc);
    return result;
}

static PyObject *
datetime_astimezone(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"tz", NULL};
    PyObject *tz = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:astimezone", keywords,
                                     &tz) ||
        kr_dt_check_tzinfo(tz) < 0) {
        return NULL;
    }
    PyObject *offset = NULL;
    if (kr_dt_tzinfo_of(self) != Py_None) {
        if (kr_dt_tzinfo_of(self) == tz) {
            return Py_NewRef(self);
        }
        offset = kr_dt_utcoffset(self, NULL);
        if (offset == NULL) {
            return NULL;
        }
        if (offset == Py_None) {
            Py_CLEAR(offset);
        }
    }
    if (offset == NULL) {
        /* naive: the local clock is meant */
        PyObject *zone = local_zone_of_naive(self);
        if (zone == NULL) {
            return NULL;
        }
        if (zone == tz) {
            Py_DECREF(zone);
            return Py_NewRef(self);
        }
        offset = kr_dt_tz_offset(zone, self);
        Py_DECREF(zone);
        if (offset == NULL) {
            return NULL;
        }
    }
    PyObject *utc = to_utc(self, offset);
    Py_DECREF(offset);
    return utc ? attach(utc, tz) : NULL;
}

#define KEYWORD_METHOD METH_VARARGS | METH_KEYWORDS

static PyMethodDef datetime_methods[] = {
    {"now", (PyCFunction)(void *)datetime_now, KEYWORD_METHOD | METH_CLASS,
     "now($type, /, tz=None)\n--\n\n"
     "The current time: local and naive, or in the zone tz."},
    {"utcnow", datetime_utcnow, METH_NOARGS | METH_CLASS,
     "The current time in UTC, naive."},
    {"fromtimestamp", (PyCFunction)(void *)kr_dt_datetime_fromtimestamp,
     KEYWORD_METHOD | METH_CLASS,
     "timestamp[, tz] -> the time in zone tz (or local) at a POSIX "
     "timestamp."},
    {"utcfromtimestamp", datetime_utcfromtimestamp, METH_VARARGS | METH_CLASS,
     "The naive time in UTC at a POSIX timestamp."},
    {"strptime", datetime_strptime, METH_VARARGS | METH_CLASS,
     "string, format -> datetime, parsed as time.strptime() does."},
    {"combine", (PyCFunction)(void *)datetime_combine,
     KEYWORD_METHOD | METH_CLASS,
     "date, time -> datetime with the fields of both."},
    {"fromisoformat", datetime_fromisoformat, METH_O | METH_CLASS,
     "str -> datetime in most ISO 8601 formats."},
    {"date", datetime_date, METH_NOARGS, "The date part."},
    {"time", datetime_time, METH_NOARGS, "The time part, without zone."},
    {"timetz", datetime_timetz, METH_NOARGS, "The time part, with zone."},
    {"ctime", datetime_ctime, METH_NOARGS, "The time as ctime() writes it."},
    {"timetuple", datetime_timetuple, METH_NOARGS,
     "The fields as a time.struct_time."},
    {"timestamp", datetime_timestamp, METH_NOARGS,
     "The POSIX timestamp, a float."},
    {"utctimetuple", datetime_utctimetuple, METH_NOARGS,
     "The fields of the time in UTC as a time.struct_time."},
    {"isoformat", (PyCFunction)(void *)datetime_isoformat, KEYWORD_METHOD,
     "[sep] -> the time in ISO 8601 format, "
     "YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\n\n"
     "sep stands between date and time. The optional argument timespec tells "
     "how\nmuch to write: 'auto', 'hours', 'minutes', 'seconds', "
     "'milliseconds' or\n'microseconds'."},
    {"utcoffset", kr_dt_utcoffset, METH_NOARGS,
     "Return self.tzinfo.utcoffset(self)."},
    {"tzname", kr_dt_tzname, METH_NOARGS, "Return self.tzinfo.tzname(self)."},
    {"dst", kr_dt_dst, METH_NOARGS, "Return self.tzinfo.dst(self)."},
    {"replace", (PyCFunction)(void *)datetime_replace, KEYWORD_METHOD,
     "A datetime with some fields replaced."},
    {"astimezone", (PyCFunction)(void *)datetime_astimezone, KEYWORD_METHOD,
     "tz -> the same moment in zone tz (or the local one)."},
    {"__reduce_ex__", kr_dt_reduce_ex, METH_VARARGS,
     "__reduce_ex__(proto) -> (cls, state)"},
    {"__reduce__", kr_dt_reduce, METH_NOARGS, "__reduce__() -> (cls, state)"},
    {NULL},
};

static PyNumberMethods datetime_number = {
    .nb_add = datetime_add,
    .nb_subtract = datetime_subtract,
};

PyTypeObject kr_datetime_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "datetime.datetime",
    .tp_basicsize = sizeof(PyDateTime_DateTime),
    .tp_dealloc = kr_dt_clock_dealloc,
    .tp_repr = datetime_repr,
    .tp_as_number = &datetime_number,
    .tp_hash = datetime_hash,
    .tp_str = datetime_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "datetime(year, month, day[, hour[, minute[, second[, "
              "microsecond[,tzinfo]]]]])\n\nThe year, month and day are "
              "required. tzinfo is None or an instance of a\nsubclass of "
              "tzinfo, the others are ints.",
    .tp_richcompare = datetime_richcompare,
    .tp_methods = datetime_methods,
    .tp_getset = kr_dt_clock_getset,
    .tp_base = &kr_date_type,
    .tp_new = datetime_new,
};
