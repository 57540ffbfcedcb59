/* Reading ISO 8601 dates and times, the forms that fromisoformat takes. */
#include "modules/_datetime/internal.h"

char *
kr_dt_iso_text(PyObject *str, Py_ssize_t *len)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    if (PyUnicode_READY(str) < 0) {
        return NULL;
    }
    char *text = PyMem_Malloc((size_t)n * 2 + 1);
    if (text == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t size = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c < 128 && c != 0) {
            text[size++] = (char)c;
        }
        else {
            /* two, so that it never passes for one separator */
            text[size++] = '\1';
            text[size++] = '\1';
        }
    }
    text[size] = '\0';
    *len = size;
    return text;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads exactly n digits; NULL if there are fewer. */
static const char *
digits(const char *p, int *out, Py_ssize_t n)
{
    *out = 0;
    for (Py_ssize_t i = 0; i < n; i++, p++) {
        if (!is_digit(*p)) {
            return NULL;
        }
        *out = *out * 10 + *p - '0';
    }
    return p;
}

static int
week_date(const char *start, const char *p, Py_ssize_t len, int year,
          bool dashes, struct ymd *out)
{
    int week, day = 1;
    p = digits(p, &week, 2);
    if (p == NULL) {
        return -3;
    }
    if (p - start < len) {
        if (dashes && *p++ != '-') {
            return -2;
        }
        if (digits(p, &day, 1) == NULL) {
            return -4;
        }
    }
    return kr_dt_from_iso(year, week, day, out) < 0 ? -4 : 0;
}

int
kr_dt_iso_date(const char *s, Py_ssize_t len, struct ymd *out)
{
    int year;
    const char *p = digits(s, &year, 4);
    if (p == NULL) {
        return -1;
    }
    bool dashes = *p == '-';
    p += dashes;
    if (*p == 'W') {
        return week_date(s, p + 1, len, year, dashes, out);
    }
    out->year = year;
    p = digits(p, &out->month, 2);
    if (p == NULL) {
        return -1;
    }
    if (dashes && *p++ != '-') {
        return -2;
    }
    return digits(p, &out->day, 2) == NULL ? -1 : 0;
}

Py_ssize_t
kr_dt_iso_separator(const char *s, Py_ssize_t len)
{
    if (len == 7) {
        return 7;
    }
    if (s[4] == '-') {
        if (s[5] != 'W') {
            return 10; /* YYYY-MM-DD */
        }
        if (s[8] != '-') {
            return 8; /* YYYY-Www */
        }
        if (len == 9) {
            return -1;
        }
        /* YYYY-Www-D, unless two digits follow: then the dash separates */
        return len > 10 && is_digit(s[10]) ? 8 : 10;
    }
    if (s[4] != 'W') {
        return 8; /* YYYYMMDD */
    }
    Py_ssize_t pos = 7;
    while (pos < len && is_digit(s[pos])) {
        pos++;
    }
    if (pos < 9) {
        return pos; /* YYYYWww or YYYYWwwd before another character */
    }
    return pos % 2 == 0 ? 7 : 8;
}

/* HH[:?MM[:?SS[.,f+]]]; 1 if something follows, < 0 if malformed. */
static int
read_clock(const char *p, const char *end, int *hour, int *minute, int *second,
      int *us)
{
    int *fields[] = {hour, minute, second};
    bool colons = true;
    *hour = *minute = *second = *us = 0;
    for (int i = 0; i < 3; i++) {
        p = digits(p, fields[i], 2);
        if (p == NULL) {
            return -3;
        }
        char c = *p++;
        if (i == 0) {
            colons = c == ':';
        }
        if (p >= end) {
            return c != '\0';
        }
        if (colons && c == ':') {
            continue;
        }
        if (c == '.' || c == ',') {
            break;
        }
        if (colons) {
            return -4;
        }
        p--;
    }
    Py_ssize_t n = end - p < 6 ? end - p : 6;
    p = digits(p, us, n);
    if (p == NULL) {
        return -3;
    }
    for (; n < 6; n++) {
        *us *= 10;
    }
    while (is_digit(*p)) {
        p++;
    }
    return *p != '\0';
}

int
kr_dt_iso_time(const char *s, Py_ssize_t len, struct iso_time *t)
{
    const char *end = s + len, *zone = s;
    do {
        if (*zone == '+' || *zone == '-' || *zone == 'Z') {
            break;
        }
    } while (++zone < end);
    t->offset = t->offset_us = 0;
    int rv = read_clock(s, zone, &t->hour, &t->minute, &t->second, &t->us);
    if (rv < 0) {
        return rv;
    }
    if (zone >= end) {
        return rv == 1 ? -5 : 0;
    }
    if (*zone == 'Z') {
        return zone[1] != '\0' ? -5 : 1;
    }
    int sign = *zone == '-' ? -1 : 1, h, m, sec;
    rv = read_clock(zone + 1, end, &h, &m, &sec, &t->offset_us);
    t->offset = sign * (h * 3600 + m * 60 + sec);
    t->offset_us *= sign;
    return rv != 0 ? -5 : 1;
}

PyObject *
kr_dt_iso_zone(int rv, const struct iso_time *t)
{
    if (rv != 1) {
        Py_RETURN_NONE;
    }
    if (t->offset == 0 && t->offset_us == 0) {
        return Py_NewRef(kr_datetime.utc);
    }
    PyObject *delta =
        kr_dt_new_delta(0, t->offset, t->offset_us, 1, &kr_delta_type);
    if (delta == NULL) {
        return NULL;
    }
    PyObject *zone = kr_dt_new_timezone(delta, NULL);
    Py_DECREF(delta);
    return zone;
}
