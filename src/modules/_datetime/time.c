/* datetime.time: a time of day, with or without a zone. */
#include "modules/_datetime/internal.h"

PyObject *
kr_dt_new_time(int h, int m, int s, int us, PyObject *tz, int fold,
               PyTypeObject *cls)
{
    if (kr_dt_check_time(h, m, s, us, fold) < 0 || kr_dt_check_tzinfo(tz) < 0) {
        return NULL;
    }
    PyDateTime_Time *self = TIME(cls->tp_alloc(cls, 0));
    if (self == NULL) {
        return NULL;
    }
    self->hashcode = -1;
    self->hastzinfo = tz != Py_None;
    self->data[0] = (unsigned char)h;
    self->data[1] = (unsigned char)m;
    self->data[2] = (unsigned char)s;
    self->data[3] = (unsigned char)(us >> 16);
    self->data[4] = (unsigned char)(us >> 8);
    self->data[5] = (unsigned char)us;
    self->fold = (unsigned char)fold;
    self->tzinfo = tz != Py_None ? Py_NewRef(tz) : NULL;
    return (PyObject *)self;
}

static PyObject *
time_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"hour",   "minute", "second", "microsecond",
                               "tzinfo", "fold",   NULL};
    PyObject *self =
        kr_dt_unpickle(type, args, _PyDateTime_TIME_DATASIZE, 0, 0, 23, "time");
    int h = 0, m = 0, s = 0, us = 0, fold = 0;
    PyObject *tz = Py_None;
    if (self != NULL || PyErr_Occurred() ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiiO$i", keywords, &h, &m,
                                     &s, &us, &tz, &fold)) {
        return self;
    }
    return kr_dt_new_time(h, m, s, us, tz, fold, type);
}

/* ---- text */

static PyObject *
time_repr(PyObject *self)
{
    int h = PyDateTime_TIME_GET_HOUR(self),
        m = PyDateTime_TIME_GET_MINUTE(self),
        s = PyDateTime_TIME_GET_SECOND(self),
        us = PyDateTime_TIME_GET_MICROSECOND(self);
    char text[64];
    int n = snprintf(text, sizeof text, "(%d, %d", h, m);
    if (s != 0 || us != 0) {
        n += snprintf(text + n, sizeof text - (size_t)n, ", %d", s);
    }
    if (us != 0) {
        snprintf(text + n, sizeof text - (size_t)n, ", %d", us);
    }
    const char *fold = TIME(self)->fold ? ", fold=1" : "";
    const char *name = Py_TYPE(self)->tp_name;
    if (!TIME(self)->hastzinfo) {
        return PyUnicode_FromFormat("%s%s%s)", name, text, fold);
    }
    return PyUnicode_FromFormat("%s%s, tzinfo=%R%s)", name, text,
                                TIME(self)->tzinfo, fold);
}

static PyObject *
time_str(PyObject *self)
{
    return PyObject_CallMethodNoArgs(self, KR_ID(isoformat));
}

static PyObject *
time_isoformat(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"timespec", NULL};
    char text[32 + UTC_OFFSET_SIZE], zone[UTC_OFFSET_SIZE] = "";
    const char *spec = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|s:isoformat", keywords,
                                     &spec) ||
        kr_dt_format_time(text, 32, spec, PyDateTime_TIME_GET_HOUR(self),
                          PyDateTime_TIME_GET_MINUTE(self),
                          PyDateTime_TIME_GET_SECOND(self),
                          PyDateTime_TIME_GET_MICROSECOND(self)) < 0 ||
        (TIME(self)->hastzinfo &&
         kr_dt_format_offset(zone, ":", TIME(self)->tzinfo, Py_None) < 0)) {
        return NULL;
    }
    strcat(text, zone);
    return PyUnicode_FromString(text);
}

static PyObject *
time_strftime(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"format", NULL};
    PyObject *format;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U:strftime", keywords,
                                     &format)) {
        return NULL;
    }
    PyObject *tuple = Py_BuildValue(
        "iiiiiiiii", 1900, 1, 1, PyDateTime_TIME_GET_HOUR(self),
        PyDateTime_TIME_GET_MINUTE(self), PyDateTime_TIME_GET_SECOND(self), 0,
        1, -1);
    if (tuple == NULL) {
        return NULL;
    }
    PyObject *result = kr_dt_strftime(self, format, tuple, Py_None);
    Py_DECREF(tuple);
    return result;
}

static PyObject *
time_fromisoformat(PyObject *cls, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError,
                        "fromisoformat: argument must be str");
        return NULL;
    }
    Py_ssize_t n;
    struct iso_time t;
    char *s = kr_dt_iso_text(text, &n);
    if (s == NULL) {
        return NULL;
    }
    int skip = *s == 'T';
    int rv = kr_dt_iso_time(s + skip, n - skip, &t);
    PyMem_Free(s);
    if (rv < 0) {
        return kr_dt_invalid_iso(text);
    }
    PyObject *zone = kr_dt_iso_zone(rv, &t), *result;
    if (zone == NULL) {
        return NULL;
    }
    if (cls == (PyObject *)&kr_time_type) {
        result = kr_dt_new_time(t.hour, t.minute, t.second, t.us, zone, 0,
                                &kr_time_type);
    }
    else {
        result = PyObject_CallFunction(cls, "iiiiO", t.hour, t.minute,
                                       t.second, t.us, zone);
    }
    Py_DECREF(zone);
    return result;
}

/* ---- comparison */

static long long
us_of_day(PyObject *self)
{
    long long s = PyDateTime_TIME_GET_HOUR(self) * 3600 +
                  PyDateTime_TIME_GET_MINUTE(self) * 60 +
                  PyDateTime_TIME_GET_SECOND(self);
    return s * US_PER_SECOND + PyDateTime_TIME_GET_MICROSECOND(self);
}

static PyObject *
compare_bytes(PyObject *a, PyObject *b, int op)
{
    int order =
        memcmp(TIME(a)->data, TIME(b)->data, _PyDateTime_TIME_DATASIZE);
    Py_RETURN_RICHCOMPARE(order, 0, op);
}

static PyObject *
compare_aware(PyObject *a, PyObject *b, PyObject *oa, PyObject *ob, int op)
{
    if (oa == ob || (oa != Py_None && ob != Py_None &&
                     kr_dt_delta_us(oa) == kr_dt_delta_us(ob))) {
        return compare_bytes(a, b, op);
    }
    if (oa != Py_None && ob != Py_None) {
        long long x = us_of_day(a) - (long long)kr_dt_delta_us(oa),
                  y = us_of_day(b) - (long long)kr_dt_delta_us(ob);
        Py_RETURN_RICHCOMPARE(x, y, op);
    }
    if (op == Py_EQ || op == Py_NE) {
        return PyBool_FromLong(op == Py_NE);
    }
    PyErr_SetString(PyExc_TypeError,
                    "can't compare offset-naive and offset-aware times");
    return NULL;
}

static PyObject *
time_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!IS_TIME(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (kr_dt_tzinfo_of(a) == kr_dt_tzinfo_of(b)) {
        return compare_bytes(a, b, op);
    }
    PyObject *oa = kr_dt_utcoffset(a, NULL);
    PyObject *ob = oa ? kr_dt_utcoffset(b, NULL) : NULL;
    PyObject *result = ob ? compare_aware(a, b, oa, ob, op) : NULL;
    Py_XDECREF(oa);
    Py_XDECREF(ob);
    return result;
}

static Py_hash_t
time_hash(PyObject *self)
{
    return TIME(self)->hashcode != -1 ? TIME(self)->hashcode
                                      : kr_dt_clock_hash(self, us_of_day(self));
}

/* ---- the rest */

static PyObject *
time_replace(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"hour",   "minute", "second", "microsecond",
                               "tzinfo", "fold",   NULL};
    int h = PyDateTime_TIME_GET_HOUR(self),
        m = PyDateTime_TIME_GET_MINUTE(self),
        s = PyDateTime_TIME_GET_SECOND(self),
        us = PyDateTime_TIME_GET_MICROSECOND(self), fold = TIME(self)->fold;
    PyObject *tz = kr_dt_tzinfo_of(self);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiiO$i:replace",
                                     keywords, &h, &m, &s, &us, &tz, &fold)) {
        return NULL;
    }
    return kr_dt_new_time(h, m, s, us, tz, fold, Py_TYPE(self));
}

static PyMethodDef time_methods[] = {
    {"isoformat", (PyCFunction)(void *)time_isoformat,
     METH_VARARGS | METH_KEYWORDS,
     "The time in ISO 8601 format, [HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\n\n"
     "The optional argument timespec tells how much to write: 'auto', "
     "'hours',\n'minutes', 'seconds', 'milliseconds' or 'microseconds'."},
    {"strftime", (PyCFunction)(void *)time_strftime,
     METH_VARARGS | METH_KEYWORDS, "format -> str, as time.strftime()."},
    {"__format__", (PyCFunction)(void *)kr_dt_format, METH_VARARGS,
     "Formats self with strftime."},
    {"utcoffset", kr_dt_utcoffset, METH_NOARGS,
     "Return self.tzinfo.utcoffset(self)."},
    {"tzname", kr_dt_tzname, METH_NOARGS, "Return self.tzinfo.tzname(self)."},
    {"dst", kr_dt_dst, METH_NOARGS, "Return self.tzinfo.dst(self)."},
    {"replace", (PyCFunction)(void *)time_replace, METH_VARARGS | METH_KEYWORDS,
     "A time with some fields replaced."},
    {"fromisoformat", time_fromisoformat, METH_O | METH_CLASS,
     "str -> time in ISO 8601 format."},
    {"__reduce_ex__", kr_dt_reduce_ex, METH_VARARGS,
     "__reduce_ex__(proto) -> (cls, state)"},
    {"__reduce__", kr_dt_reduce, METH_NOARGS, "__reduce__() -> (cls, state)"},
    {NULL},
};

PyTypeObject kr_time_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "datetime.time",
    .tp_basicsize = sizeof(PyDateTime_Time),
    .tp_dealloc = kr_dt_clock_dealloc,
    .tp_repr = time_repr,
    .tp_hash = time_hash,
    .tp_str = time_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) "
              "--> a time object\n\nAll arguments are optional. tzinfo is "
              "None or an instance of a subclass\nof tzinfo, the others are "
              "ints.",
    .tp_richcompare = time_richcompare,
    .tp_methods = time_methods,
    .tp_getset = kr_dt_clock_getset,
    .tp_new = time_new,
};
