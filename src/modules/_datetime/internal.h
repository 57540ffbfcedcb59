/* What the files of _datetime share.
 *
 * Every object has the layout of the public datetime.h. A time or datetime is
 * always allocated whole; hastzinfo says whether its tzinfo member counts. */
#ifndef KR_MODULES_DATETIME_INTERNAL_H
#define KR_MODULES_DATETIME_INTERNAL_H

#include <Python.h>
#include <stdbool.h>
#include <time.h>

#define _PY_DATETIME_IMPL
#include <datetime.h>

#include "objects/ids.h"

#define MINYEAR 1
#define MAXYEAR 9999
#define MAXORDINAL 3652059
#define MAX_DELTA_DAYS 999999999
#define SECONDS_PER_DAY 86400
#define US_PER_SECOND 1000000
#define US_PER_DAY ((__int128)SECONDS_PER_DAY * US_PER_SECOND)

#define DATE(op) ((PyDateTime_Date *)(op))
#define TIME(op) ((PyDateTime_Time *)(op))
#define DT(op) ((PyDateTime_DateTime *)(op))
#define DELTA(op) ((PyDateTime_Delta *)(op))

extern PyTypeObject kr_date_type, kr_time_type, kr_datetime_type,
    kr_delta_type, kr_tzinfo_type, kr_timezone_type, kr_isocalendar_type;

#define IS_DATE(op) PyObject_TypeCheck(op, &kr_date_type)
#define IS_TIME(op) PyObject_TypeCheck(op, &kr_time_type)
#define IS_DATETIME(op) PyObject_TypeCheck(op, &kr_datetime_type)
#define IS_DELTA(op) PyObject_TypeCheck(op, &kr_delta_type)
#define IS_TZINFO(op) PyObject_TypeCheck(op, &kr_tzinfo_type)

/* A moment of the proleptic Gregorian calendar, as plain numbers. */
struct ymd {
    int year, month, day;
};

struct moment {
    struct ymd date;
    int hour, minute, second, us;
};

struct kr_datetime_state {
    PyObject *utc;   /* timezone.utc */
    PyObject *epoch; /* 1970-01-01 in UTC */
    PyDateTime_CAPI capi;
};
extern struct kr_datetime_state kr_datetime;

/* ---- calendar.c */
bool kr_dt_is_leap(int year);
int kr_dt_days_in_month(int year, int month);
/* Days before the 1st of the month in its year. */
int kr_dt_days_before_month(int year, int month);
/* 1 for 1 January of year 1. */
int kr_dt_to_ordinal(struct ymd d);
struct ymd kr_dt_from_ordinal(int ordinal);
/* 0 for Monday. */
int kr_dt_weekday(struct ymd d);
/* The ordinal of the Monday of ISO week 1. */
int kr_dt_iso_week1(int year);
/* The date of an ISO week date. 0, or -1 year, -2 week, -3 day out of range. */
int kr_dt_from_iso(int year, int week, int day, struct ymd *out);
/* Range checks: 0, or -1 with ValueError set. */
int kr_dt_check_date(int year, int month, int day);
int kr_dt_check_time(int h, int m, int s, int us, int fold);
/* Carries a date that is `day` days after the 0th of a month into range. -1
 * with OverflowError set. */
int kr_dt_normalize_date(struct ymd *d);
/* Carries microseconds to days up. As kr_dt_normalize_date. */
int kr_dt_normalize_moment(struct moment *m);
/* Seconds since 1 January of year 0001-01-01 minus one day; -1 with an
 * exception set when the year is out of range. */
long long kr_dt_seconds(const struct moment *m);
#define EPOCH_SECONDS ((long long)719163 * SECONDS_PER_DAY)
/* The local time at such a count of seconds, as such a count. -1 on error. */
long long kr_dt_local(long long seconds);
/* The inverse of kr_dt_local, choosing by fold. -1 with an exception set. */
long long kr_dt_local_to_seconds(const struct moment *m, int fold);

/* ---- delta.c */
/* A new timedelta; normalize carries. NULL with OverflowError set. */
PyObject *kr_dt_new_delta(int days, int seconds, int us, int normalize,
                          PyTypeObject *type);
PyObject *kr_dt_delta_from_us(__int128 us, PyTypeObject *type);
__int128 kr_dt_delta_us(PyObject *delta);
/* Whether the offset is a whole day or more. */
bool kr_dt_offset_too_large(PyObject *delta);

/* ---- tz.c */
int kr_dt_check_tzinfo(PyObject *o);
/* tzinfo.name(arg) checked to be None or a short timedelta; for tzinfo None:
 * None. New reference. */
PyObject *kr_dt_tz_offset(PyObject *tz, PyObject *arg);
PyObject *kr_dt_tz_dst(PyObject *tz, PyObject *arg);
PyObject *kr_dt_tz_name(PyObject *tz, PyObject *arg);
PyObject *kr_dt_new_timezone(PyObject *offset, PyObject *name);
PyObject *kr_dt_create_timezone(PyObject *offset, PyObject *name);
/* The local zone of a moment since the epoch. */
PyObject *kr_dt_local_zone(time_t t);

/* ---- clock.c: of times and datetimes */
/* The tzinfo member or None, borrowed. */
PyObject *kr_dt_tzinfo_of(PyObject *self);
void kr_dt_clock_dealloc(PyObject *self);
/* hour to fold */
extern PyGetSetDef kr_dt_clock_getset[];
/* Methods; `ignored` may be NULL. */
PyObject *kr_dt_utcoffset(PyObject *self, PyObject *ignored);
PyObject *kr_dt_dst(PyObject *self, PyObject *ignored);
PyObject *kr_dt_tzname(PyObject *self, PyObject *ignored);
PyObject *kr_dt_reduce_ex(PyObject *self, PyObject *args);
PyObject *kr_dt_reduce(PyObject *self, PyObject *ignored);
/* A new object if the arguments are a state and perhaps a tzinfo, as for
 * kr_dt_pickle_state; else NULL, perhaps with an exception set. */
PyObject *kr_dt_unpickle(PyTypeObject *type, PyObject *args, Py_ssize_t size,
                         int at, int low, int high, const char *what);
/* Computes and keeps the hash; us is the object in microseconds without its
 * offset. -1 with an exception set. */
Py_hash_t kr_dt_clock_hash(PyObject *self, __int128 us);

/* ---- format.c */
#define UTC_OFFSET_SIZE 24
/* Writes +HH<sep>MM[<sep>SS[.ffffff]] or nothing. -1 with an exception. */
int kr_dt_format_offset(char *buf, const char *sep, PyObject *tz,
                        PyObject *arg);
PyObject *kr_dt_strftime(PyObject *self, PyObject *format, PyObject *timetuple,
                         PyObject *tzarg);
/* The time of day by timespec at buf, "HH:MM..."; -1 with ValueError set. */
int kr_dt_format_time(char *buf, size_t size, const char *timespec, int h,
                      int m, int s, int us);
PyObject *kr_dt_struct_time(const struct moment *m, int dst);
PyObject *kr_dt_ctime(const struct moment *m);
/* time.NAME() */
PyObject *kr_dt_call_time(PyObject *name, PyObject *arg);
/* __format__ of date, time and datetime. */
PyObject *kr_dt_format(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *kr_dt_cmperror(PyObject *a, PyObject *b);
/* The bytes of a pickled state of `size` bytes whose byte at `at`, less the
 * fold bit if `fold`, lies in low..high; else NULL without exception (or with
 * one). Borrowed from *hold, which the caller releases. */
const unsigned char *kr_dt_pickle_state(PyObject *args, int maxargs,
                                        Py_ssize_t size, int at, int mask,
                                        int low, int high, const char *what,
                                        PyObject **hold);
PyObject *kr_dt_invalid_iso(PyObject *text);

/* ---- isoparse.c */
/* Text with every character beyond ASCII replaced by \1\1, NUL-terminated, in
 * PyMem memory; NULL without an exception if it can't be a date. */
char *kr_dt_iso_text(PyObject *str, Py_ssize_t *len);
int kr_dt_iso_date(const char *s, Py_ssize_t len, struct ymd *out);
Py_ssize_t kr_dt_iso_separator(const char *s, Py_ssize_t len);
struct iso_time {
    int hour, minute, second, us, offset, offset_us;
};
/* 0: no zone, 1: zone, < 0: malformed. */
int kr_dt_iso_time(const char *s, Py_ssize_t len, struct iso_time *out);
/* The zone of a parsed time: None, UTC or another. New reference. */
PyObject *kr_dt_iso_zone(int rv, const struct iso_time *t);

/* ---- date.c, time.c, datetime.c */
PyObject *kr_dt_new_date(int year, int month, int day, PyTypeObject *cls);
PyObject *kr_dt_new_time(int h, int m, int s, int us, PyObject *tz, int fold,
                         PyTypeObject *cls);
PyObject *kr_dt_new_datetime(const struct moment *m, PyObject *tz, int fold,
                             PyTypeObject *cls);
/* As new_*, but calls a subclass. */
PyObject *kr_dt_make_date(struct ymd d, PyObject *cls);
PyObject *kr_dt_make_datetime(const struct moment *m, PyObject *tz, int fold,
                              PyObject *cls);
struct ymd kr_dt_ymd(PyObject *date);
struct moment kr_dt_moment(PyObject *datetime);
/* datetime + sign * delta. */
PyObject *kr_dt_datetime_shift(PyObject *datetime, PyObject *delta, int sign);
PyObject *kr_dt_datetime_fromtimestamp(PyObject *cls, PyObject *args,
                                       PyObject *kwargs);
PyObject *kr_dt_date_fromtimestamp(PyObject *cls, PyObject *timestamp);

#endif
