/* The proleptic Gregorian calendar and the local clock, on plain numbers. */
#include "modules/_datetime/internal.h"

static const int before_month[] = {0,   0,   31,  59,  90,  120, 151,
                                   181, 212, 243, 273, 304, 334};

bool
kr_dt_is_leap(int year)
{
    unsigned y = (unsigned)year;
    return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

int
kr_dt_days_in_month(int year, int month)
{
    static const unsigned char days[] = {0,  31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};
    return month == 2 && kr_dt_is_leap(year) ? 29 : days[month];
}

int
kr_dt_days_before_month(int year, int month)
{
    return before_month[month] + (month > 2 && kr_dt_is_leap(year));
}

static int
days_before_year(int year)
{
    int y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400;
}

int
kr_dt_to_ordinal(struct ymd d)
{
    return days_before_year(d.year) + kr_dt_days_before_month(d.year, d.month) +
           d.day;
}

struct ymd
kr_dt_from_ordinal(int ordinal)
{
    int n = ordinal - 1;
    int n400 = n / 146097;
    n %= 146097;
    int n100 = n / 36524;
    n %= 36524;
    int n4 = n / 1461;
    n %= 1461;
    int n1 = n / 365;
    n %= 365;
    int year = n400 * 400 + n100 * 100 + n4 * 4 + n1 + 1;
    if (n1 == 4 || n100 == 4) {
        /* the last day of a leap year or of a 400-year cycle */
        return (struct ymd){year - 1, 12, 31};
    }
    int month = (n + 50) >> 5;
    int before = kr_dt_days_before_month(year, month);
    if (before > n) {
        month--;
        before = kr_dt_days_before_month(year, month);
    }
    return (struct ymd){year, month, n - before + 1};
}

int
kr_dt_weekday(struct ymd d)
{
    return (kr_dt_to_ordinal(d) + 6) % 7;
}

int
kr_dt_iso_week1(int year)
{
    int first = days_before_year(year) + 1;
    int weekday = (first + 6) % 7;
    return first - weekday + (weekday > 3 ? 7 : 0);
}

int
kr_dt_from_iso(int year, int week, int day, struct ymd *out)
{
    if (year < MINYEAR || year > MAXYEAR) {
        return -1;
    }
    if (week <= 0 || week >= 53) {
        bool valid = false;
        if (week == 53) {
            /* long years begin on Thursday, or on Wednesday if leap */
            int first = (days_before_year(year) + 7) % 7;
            valid = first == 3 || (first == 2 && kr_dt_is_leap(year));
        }
        if (!valid) {
            return -2;
        }
    }
    if (day <= 0 || day >= 8) {
        return -3;
    }
    int ordinal = kr_dt_iso_week1(year) + (week - 1) * 7 + day - 1;
    if (ordinal < 1) {
        *out = (struct ymd){0, 12, 31 + ordinal};
        return 0;
    }
    *out = kr_dt_from_ordinal(ordinal);
    return 0;
}

int
kr_dt_check_date(int year, int month, int day)
{
    if (year < MINYEAR || year > MAXYEAR) {
        PyErr_Format(PyExc_ValueError, "year %i is out of range", year);
        return -1;
    }
    if (month < 1 || month > 12) {
        PyErr_SetString(PyExc_ValueError, "month must be in 1..12");
        return -1;
    }
    if (day < 1 || day > kr_dt_days_in_month(year, month)) {
        PyErr_SetString(PyExc_ValueError, "day is out of range for month");
        return -1;
    }
    return 0;
}

int
kr_dt_check_time(int h, int m, int s, int us, int fold)
{
    const char *message = h < 0 || h > 23   ? "hour must be in 0..23"
                          : m < 0 || m > 59 ? "minute must be in 0..59"
                          : s < 0 || s > 59 ? "second must be in 0..59"
                          : us < 0 || us > 999999
                              ? "microsecond must be in 0..999999"
                          : fold != 0 && fold != 1
                              ? "fold must be either 0 or 1"
                              : NULL;
    if (message != NULL) {
        PyErr_SetString(PyExc_ValueError, message);
        return -1;
    }
    return 0;
}

int
kr_dt_normalize_date(struct ymd *d)
{
    if (d->day >= 1 && d->day <= 28) {
        return 0;
    }
    long long ordinal =
        (long long)kr_dt_to_ordinal((struct ymd){d->year, d->month, 1}) +
        d->day - 1;
    if (ordinal < 1 || ordinal > MAXORDINAL) {
        PyErr_SetString(PyExc_OverflowError, "date value out of range");
        return -1;
    }
    *d = kr_dt_from_ordinal((int)ordinal);
    return 0;
}

/* Keeps *low in 0..factor-1 by moving multiples into *high. */
static void
carry(int *high, int *low, int factor)
{
    int q = *low / factor, r = *low % factor;
    if (r < 0) {
        r += factor;
        q--;
    }
    *low = r;
    *high += q;
}

int
kr_dt_normalize_moment(struct moment *m)
{
    carry(&m->second, &m->us, US_PER_SECOND);
    carry(&m->minute, &m->second, 60);
    carry(&m->hour, &m->minute, 60);
    carry(&m->date.day, &m->hour, 24);
    return kr_dt_normalize_date(&m->date);
}

long long
kr_dt_seconds(const struct moment *m)
{
    if (m->date.year < MINYEAR || m->date.year > MAXYEAR) {
        PyErr_Format(PyExc_ValueError, "year %i is out of range",
                     m->date.year);
        return -1;
    }
    long long days = kr_dt_to_ordinal(m->date);
    return ((days * 24 + m->hour) * 60 + m->minute) * 60 + m->second;
}

long long
kr_dt_local(long long seconds)
{
    struct tm tm;
    if (_PyTime_localtime((time_t)(seconds - EPOCH_SECONDS), &tm) != 0) {
        return -1;
    }
    struct moment m = {{tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday},
                       tm.tm_hour,
                       tm.tm_min,
                       tm.tm_sec,
                       0};
    return kr_dt_seconds(&m);
}

long long
kr_dt_local_to_seconds(const struct moment *m, int fold)
{
    long long t = kr_dt_seconds(m);
    long long lt = t == -1 ? -1 : kr_dt_local(t);
    if (lt == -1) {
        return -1;
    }
    /* try the offset in force near t, then the one a day away */
    long long a = lt - t, b;
    long long u1 = t - a, t1 = kr_dt_local(u1);
    if (t1 == -1) {
        return -1;
    }
    if (t1 == t) {
        long long u2 = fold ? u1 + SECONDS_PER_DAY : u1 - SECONDS_PER_DAY;
        lt = kr_dt_local(u2);
        if (lt == -1) {
            return -1;
        }
        b = lt - u2;
        if (a == b) {
            return u1;
        }
    }
    else {
        b = t1 - u1;
    }
    long long u2 = t - b, t2 = kr_dt_local(u2);
    if (t2 == -1) {
        return -1;
    }
    if (t2 == t) {
        return u2;
    }
    if (t1 == t) {
        return u1;
    }
    /* t falls into a gap of the local clock */
    return fold ? Py_MIN(u1, u2) : Py_MAX(u1, u2);
}
