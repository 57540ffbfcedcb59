/* datetime.date and what its isocalendar() returns. */
#include "modules/_datetime/internal.h"

struct ymd
kr_dt_ymd(PyObject *o)
{
    return (struct ymd){PyDateTime_GET_YEAR(o), PyDateTime_GET_MONTH(o),
                        PyDateTime_GET_DAY(o)};
}

PyObject *
kr_dt_new_date(int year, int month, int day, PyTypeObject *cls)
{
    if (kr_dt_check_date(year, month, day) < 0) {
        return NULL;
    }
    PyObject *self = cls->tp_alloc(cls, 0);
    if (self != NULL) {
        PyDateTime_Date *d = DATE(self);
        d->hashcode = -1;
        d->data[0] = (unsigned char)(year >> 8);
        d->data[1] = (unsigned char)year;
        d->data[2] = (unsigned char)month;
        d->data[3] = (unsigned char)day;
    }
    return self;
}

PyObject *
kr_dt_make_date(struct ymd d, PyObject *cls)
{
    if (cls == (PyObject *)&kr_date_type) {
        return kr_dt_new_date(d.year, d.month, d.day, &kr_date_type);
    }
    return PyObject_CallFunction(cls, "iii", d.year, d.month, d.day);
}

static PyObject *
date_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"year", "month", "day", NULL};
    PyObject *hold;
    const unsigned char *state = kr_dt_pickle_state(
        args, 1, _PyDateTime_DATE_DATASIZE, 2, 0xff, 1, 12, "date", &hold);
    if (state != NULL) {
        PyObject *self = type->tp_alloc(type, 0);
        if (self != NULL) {
            DATE(self)->hashcode = -1;
            memcpy(DATE(self)->data, state, _PyDateTime_DATE_DATASIZE);
        }
        Py_DECREF(hold);
        return self;
    }
    int year, month, day;
    if (PyErr_Occurred() ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "iii", keywords, &year,
                                     &month, &day)) {
        return NULL;
    }
    return kr_dt_new_date(year, month, day, type);
}

/* ---- constructors of other kinds */

PyObject *
kr_dt_date_fromtimestamp(PyObject *cls, PyObject *timestamp)
{
    time_t t;
    struct tm tm;
    if (_PyTime_ObjectToTime_t(timestamp, &t, _PyTime_ROUND_FLOOR) < 0 ||
        _PyTime_localtime(t, &tm) != 0) {
        return NULL;
    }
    return kr_dt_make_date(
        (struct ymd){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday}, cls);
}

static PyObject *
date_today(PyObject *cls, PyObject *ignored)
{
    PyObject *now = kr_dt_call_time(KR_ID(time), NULL);
    if (now == NULL) {
        return NULL;
    }
    PyObject *result =
        PyObject_CallMethodOneArg(cls, KR_ID(fromtimestamp), now);
    Py_DECREF(now);
    return result;
}

static PyObject *
date_fromordinal(PyObject *cls, PyObject *args)
{
    int ordinal;
    if (!PyArg_ParseTuple(args, "i:fromordinal", &ordinal)) {
        return NULL;
    }
    if (ordinal < 1) {
        PyErr_SetString(PyExc_ValueError, "ordinal must be >= 1");
        return NULL;
    }
    return kr_dt_make_date(kr_dt_from_ordinal(ordinal), cls);
}

static PyObject *
date_fromisoformat(PyObject *cls, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError,
                        "fromisoformat: argument must be str");
        return NULL;
    }
    Py_ssize_t n;
    struct ymd d;
    char *s = kr_dt_iso_text(text, &n);
    if (s == NULL) {
        return NULL;
    }
    /* CPython goes by the length in UTF-8 */
    if (PyUnicode_AsUTF8AndSize(text, &n) == NULL) {
        n = 0;
        PyErr_Clear();
    }
    int rv = n == 7 || n == 8 || n == 10 ? kr_dt_iso_date(s, n, &d) : -1;
    PyMem_Free(s);
    return rv < 0 ? kr_dt_invalid_iso(text) : kr_dt_make_date(d, cls);
}

static PyObject *
date_fromisocalendar(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"year", "week", "day", NULL};
    int year, week, day;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii:fromisocalendar",
                                     keywords, &year, &week, &day)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_SetString(PyExc_ValueError,
                            "ISO calendar component out of range");
        }
        return NULL;
    }
    struct ymd d;
    switch (kr_dt_from_iso(year, week, day, &d)) {
    case 0:
        return kr_dt_make_date(d, cls);
    case -1:
        PyErr_Format(PyExc_ValueError, "Year is out of range: %d", year);
        return NULL;
    case -2:
        PyErr_Format(PyExc_ValueError, "Invalid week: %d", week);
        return NULL;
    default:
        PyErr_Format(PyExc_ValueError,
                     "Invalid weekday: %d (range is [1, 7])", day);
        return NULL;
    }
}

/* ---- arithmetic */

static PyObject *
shift(PyObject *date, PyObject *delta, int sign)
{
    struct ymd d = kr_dt_ymd(date);
    d.day += sign * DELTA(delta)->days;
    if (kr_dt_normalize_date(&d) < 0) {
        return NULL;
    }
    return kr_dt_make_date(d, (PyObject *)Py_TYPE(date));
}

static PyObject *
date_add(PyObject *a, PyObject *b)
{
    if (!IS_DATETIME(a) && !IS_DATETIME(b)) {
        if (IS_DATE(a) && IS_DELTA(b)) {
            return shift(a, b, 1);
        }
        if (IS_DELTA(a) && IS_DATE(b)) {
            return shift(b, a, 1);
        }
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *
date_subtract(PyObject *a, PyObject *b)
{
    if (!IS_DATETIME(a) && !IS_DATETIME(b) && IS_DATE(a)) {
        if (IS_DATE(b)) {
            return kr_dt_new_delta(kr_dt_to_ordinal(kr_dt_ymd(a)) -
                                       kr_dt_to_ordinal(kr_dt_ymd(b)),
                                   0, 0, 0, &kr_delta_type);
        }
        if (IS_DELTA(b)) {
            return shift(a, b, -1);
        }
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *
date_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!IS_DATE(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int order = memcmp(DATE(a)->data, DATE(b)->data,
                       _PyDateTime_DATE_DATASIZE);
    Py_RETURN_RICHCOMPARE(order, 0, op);
}

static Py_hash_t
date_hash(PyObject *self)
{
    if (DATE(self)->hashcode == -1) {
        DATE(self)->hashcode =
            _Py_HashBytes(DATE(self)->data, _PyDateTime_DATE_DATASIZE);
    }
    return DATE(self)->hashcode;
}

/* ---- text */

static PyObject *
date_repr(PyObject *self)
{
    struct ymd d = kr_dt_ymd(self);
    return PyUnicode_FromFormat("%s(%d, %d, %d)", Py_TYPE(self)->tp_name,
                                d.year, d.month, d.day);
}

static PyObject *
date_isoformat(PyObject *self, PyObject *ignored)
{
    struct ymd d = kr_dt_ymd(self);
    return PyUnicode_FromFormat("%04d-%02d-%02d", d.year, d.month, d.day);
}

static PyObject *
date_str(PyObject *self)
{
    return PyObject_CallMethodNoArgs(self, KR_ID(isoformat));
}

static PyObject *
date_ctime(PyObject *self, PyObject *ignored)
{
    struct moment m = {.date = kr_dt_ymd(self)};
    return kr_dt_ctime(&m);
}

static PyObject *
date_strftime(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"format", NULL};
    PyObject *format;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U:strftime", keywords,
                                     &format)) {
        return NULL;
    }
    PyObject *tuple = PyObject_CallMethodNoArgs(self, KR_ID(timetuple));
    if (tuple == NULL) {
        return NULL;
    }
    PyObject *result = kr_dt_strftime(self, format, tuple, self);
    Py_DECREF(tuple);
    return result;
}

/* ---- fields and calendar */

static PyObject *
date_timetuple(PyObject *self, PyObject *ignored)
{
    struct moment m = {.date = kr_dt_ymd(self)};
    return kr_dt_struct_time(&m, -1);
}

static PyObject *
date_isoweekday(PyObject *self, PyObject *ignored)
{
    return PyLong_FromLong(kr_dt_weekday(kr_dt_ymd(self)) + 1);
}

static PyObject *
date_weekday(PyObject *self, PyObject *ignored)
{
    return PyLong_FromLong(kr_dt_weekday(kr_dt_ymd(self)));
}

static PyObject *
date_toordinal(PyObject *self, PyObject *ignored)
{
    return PyLong_FromLong(kr_dt_to_ordinal(kr_dt_ymd(self)));
}

static PyObject *
date_replace(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"year", "month", "day", NULL};
    struct ymd d = kr_dt_ymd(self);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iii:replace", keywords,
                                     &d.year, &d.month, &d.day)) {
        return NULL;
    }
    return kr_dt_new_date(d.year, d.month, d.day, Py_TYPE(self));
}

static PyObject *
date_reduce(PyObject *self, PyObject *ignored)
{
    return Py_BuildValue("O(N)", Py_TYPE(self),
                         PyBytes_FromStringAndSize(
                             (char *)DATE(self)->data,
                             _PyDateTime_DATE_DATASIZE));
}

static PyObject *
date_year(PyObject *self, void *ignored)
{
    return PyLong_FromLong(PyDateTime_GET_YEAR(self));
}

static PyObject *
date_month(PyObject *self, void *ignored)
{
    return PyLong_FromLong(PyDateTime_GET_MONTH(self));
}

static PyObject *
date_day(PyObject *self, void *ignored)
{
    return PyLong_FromLong(PyDateTime_GET_DAY(self));
}

static PyGetSetDef date_getset[] = {
    {"year", date_year},
    {"month", date_month},
    {"day", date_day},
    {NULL},
};

/* ---- IsoCalendarDate: a tuple with names */

static PyObject *
iso_make(PyTypeObject *type, int year, int week, int day)
{
    PyObject *fields = Py_BuildValue("((iii))", year, week, day);
    if (fields == NULL) {
        return NULL;
    }
    PyObject *self = PyTuple_Type.tp_new(type, fields, NULL);
    Py_DECREF(fields);
    return self;
}

static PyObject *
iso_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"year", "week", "weekday", NULL};
    int year, week, day;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii:IsoCalendarDate",
                                     keywords, &year, &week, &day)) {
        return NULL;
    }
    return iso_make(type, year, week, day);
}

static PyObject *
iso_field(PyObject *self, void *index)
{
    return Py_XNewRef(PyTuple_GetItem(self, (Py_ssize_t)index));
}

static PyGetSetDef iso_getset[] = {
    {"year", iso_field, NULL, NULL, (void *)0},
    {"week", iso_field, NULL, NULL, (void *)1},
    {"weekday", iso_field, NULL, NULL, (void *)2},
    {NULL},
};

static PyObject *
iso_repr(PyObject *self)
{
    return PyUnicode_FromFormat("%.200s(year=%S, week=%S, weekday=%S)",
                                Py_TYPE(self)->tp_name,
                                PyTuple_GET_ITEM(self, 0),
                                PyTuple_GET_ITEM(self, 1),
                                PyTuple_GET_ITEM(self, 2));
}

static PyObject *
iso_reduce(PyObject *self, PyObject *ignored)
{
    return Py_BuildValue("O((OOO))", &PyTuple_Type, PyTuple_GET_ITEM(self, 0),
                         PyTuple_GET_ITEM(self, 1), PyTuple_GET_ITEM(self, 2));
}

static PyMethodDef iso_methods[] = {
    {"__reduce__", iso_reduce, METH_NOARGS, "__reduce__() -> (cls, state)"},
    {NULL},
};

PyTypeObject kr_isocalendar_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "datetime.IsoCalendarDate",
    .tp_repr = iso_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "What date.isocalendar() returns: the tuple (year, week, "
              "weekday), with these names as attributes.",
    .tp_methods = iso_methods,
    .tp_getset = iso_getset,
    .tp_new = iso_new,
};

static PyObject *
date_isocalendar(PyObject *self, PyObject *ignored)
{
    struct ymd d = kr_dt_ymd(self);
    int year = d.year, first = kr_dt_iso_week1(year),
        today = kr_dt_to_ordinal(d);
    int days = today - first;
    if (days < 0) {
        year--;
        days = today - kr_dt_iso_week1(year);
    }
    else if (days >= 364 && today >= kr_dt_iso_week1(year + 1)) {
        year++;
        days = today - kr_dt_iso_week1(year);
    }
    return iso_make(&kr_isocalendar_type, year, days / 7 + 1, days % 7 + 1);
}

static PyMethodDef date_methods[] = {
    {"fromtimestamp", kr_dt_date_fromtimestamp, METH_O | METH_CLASS,
     "fromtimestamp($type, timestamp, /)\n--\n\n"
     "The local date at a POSIX timestamp."},
    {"fromordinal", date_fromordinal, METH_VARARGS | METH_CLASS,
     "int -> date: the day so many days after 31 December of year 0."},
    {"fromisoformat", date_fromisoformat, METH_O | METH_CLASS,
     "str -> date in ISO 8601 format."},
    {"fromisocalendar", (PyCFunction)(void *)date_fromisocalendar,
     METH_VARARGS | METH_KEYWORDS | METH_CLASS,
     "int, int, int -> date from ISO year, week number and weekday."},
    {"today", date_today, METH_NOARGS | METH_CLASS,
     "The current date or datetime: cls.fromtimestamp(time.time())."},
    {"ctime", date_ctime, METH_NOARGS, "The date as ctime() writes it."},
    {"strftime", (PyCFunction)(void *)date_strftime,
     METH_VARARGS | METH_KEYWORDS, "format -> str, as time.strftime()."},
    {"__format__", (PyCFunction)(void *)kr_dt_format, METH_VARARGS,
     "Formats self with strftime."},
    {"timetuple", date_timetuple, METH_NOARGS,
     "The fields as a time.struct_time."},
    {"isocalendar", date_isocalendar, METH_NOARGS,
     "ISO year, week number and weekday as a named tuple."},
    {"isoformat", date_isoformat, METH_NOARGS,
     "The date in ISO 8601 format, YYYY-MM-DD."},
    {"isoweekday", date_isoweekday, METH_NOARGS,
     "The day of the week; Monday is 1, Sunday is 7."},
    {"toordinal", date_toordinal, METH_NOARGS,
     "Days since 31 December of year 0: 1 January of year 1 is day 1."},
    {"weekday", date_weekday, METH_NOARGS,
     "The day of the week; Monday is 0, Sunday is 6."},
    {"replace", (PyCFunction)(void *)date_replace, METH_VARARGS | METH_KEYWORDS,
     "A date with some fields replaced."},
    {"__reduce__", date_reduce, METH_NOARGS, "__reduce__() -> (cls, state)"},
    {NULL},
};

static PyNumberMethods date_number = {
    .nb_add = date_add,
    .nb_subtract = date_subtract,
};

PyTypeObject kr_date_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "datetime.date",
    .tp_basicsize = sizeof(PyDateTime_Date),
    .tp_repr = date_repr,
    .tp_as_number = &date_number,
    .tp_hash = date_hash,
    .tp_str = date_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "date(year, month, day) --> date object",
    .tp_richcompare = date_richcompare,
    .tp_methods = date_methods,
    .tp_getset = date_getset,
    .tp_new = date_new,
};
