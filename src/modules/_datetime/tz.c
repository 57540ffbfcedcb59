/* datetime.tzinfo, datetime.timezone, and the calls into time zones. */
#include "modules/_datetime/internal.h"

typedef struct {
    PyObject_HEAD
    PyObject *offset;
    PyObject *name; /* or NULL */
} timezone_object;

#define TZ(op) ((timezone_object *)(op))

int
kr_dt_check_tzinfo(PyObject *o)
{
    if (o == Py_None || IS_TZINFO(o)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 "tzinfo argument must be None or of a tzinfo subclass, "
                 "not type '%s'",
                 Py_TYPE(o)->tp_name);
    return -1;
}

static PyObject *
call_offset(PyObject *tz, PyObject *name, PyObject *arg)
{
    if (tz == Py_None) {
        Py_RETURN_NONE;
    }
    PyObject *offset = PyObject_CallMethodOneArg(tz, name, arg);
    if (offset == NULL || offset == Py_None) {
        return offset;
    }
    if (!IS_DELTA(offset)) {
        PyErr_Format(PyExc_TypeError,
                     "tzinfo.%U() must return None or a timedelta, "
                     "not '%.200s'",
                     name, Py_TYPE(offset)->tp_name);
        Py_DECREF(offset);
        return NULL;
    }
    if (kr_dt_offset_too_large(offset)) {
        Py_DECREF(offset);
        PyErr_SetString(PyExc_ValueError,
                        "offset must be a timedelta strictly between "
                        "-timedelta(hours=24) and timedelta(hours=24).");
        return NULL;
    }
    return offset;
}

PyObject *
kr_dt_tz_offset(PyObject *tz, PyObject *arg)
{
    if (Py_IS_TYPE(tz, &kr_timezone_type)) {
        return Py_NewRef(TZ(tz)->offset);
    }
    return call_offset(tz, KR_ID(utcoffset), arg);
}

PyObject *
kr_dt_tz_dst(PyObject *tz, PyObject *arg)
{
    return call_offset(tz, KR_ID(dst), arg);
}

PyObject *
kr_dt_tz_name(PyObject *tz, PyObject *arg)
{
    if (tz == Py_None) {
        Py_RETURN_NONE;
    }
    PyObject *name = PyObject_CallMethodOneArg(tz, KR_ID(tzname), arg);
    if (name == NULL || name == Py_None || PyUnicode_Check(name)) {
        return name;
    }
    PyErr_Format(PyExc_TypeError,
                 "tzinfo.tzname() must return None or a string, not '%s'",
                 Py_TYPE(name)->tp_name);
    Py_DECREF(name);
    return NULL;
}

/* ---- tzinfo */

static PyObject *
not_implemented(const char *name)
{
    PyErr_Format(PyExc_NotImplementedError,
                 "a tzinfo subclass must implement %s()", name);
    return NULL;
}

static PyObject *
tzinfo_tzname(PyObject *self, PyObject *dt)
{
    return not_implemented("tzname");
}

static PyObject *
tzinfo_utcoffset(PyObject *self, PyObject *dt)
{
    return not_implemented("utcoffset");
}

static PyObject *
tzinfo_dst(PyObject *self, PyObject *dt)
{
    return not_implemented("dst");
}

static PyObject *
inconsistent(void)
{
    PyErr_SetString(PyExc_ValueError, "fromutc: tz.dst() gave inconsistent "
                                      "results; cannot convert");
    return NULL;
}

/* dt + standard offset, then + dst there. */
static PyObject *
from_utc(PyObject *dt, PyObject *offset, PyObject *dst)
{
    PyObject *standard = kr_dt_delta_from_us(
        kr_dt_delta_us(offset) - kr_dt_delta_us(dst), &kr_delta_type);
    PyObject *result = standard ? kr_dt_datetime_shift(dt, standard, 1) : NULL;
    Py_XDECREF(standard);
    if (result == NULL) {
        return NULL;
    }
    PyObject *again = kr_dt_tz_dst(kr_dt_tzinfo_of(dt), result);
    if (again == NULL) {
        Py_DECREF(result);
        return NULL;
    }
    if (again == Py_None) {
        Py_DECREF(again);
        Py_DECREF(result);
        return inconsistent();
    }
    if (kr_dt_delta_us(again) != 0) {
        Py_SETREF(result, kr_dt_datetime_shift(result, again, 1));
    }
    Py_DECREF(again);
    return result;
}

static PyObject *
tzinfo_fromutc(PyObject *self, PyObject *dt)
{
    if (!IS_DATETIME(dt)) {
        PyErr_SetString(PyExc_TypeError,
                        "fromutc: argument must be a datetime");
        return NULL;
    }
    if (kr_dt_tzinfo_of(dt) != self) {
        PyErr_SetString(PyExc_ValueError, "fromutc: dt.tzinfo is not self");
        return NULL;
    }
    PyObject *offset = kr_dt_utcoffset(dt, NULL);
    if (offset == NULL) {
        return NULL;
    }
    if (offset == Py_None) {
        Py_DECREF(offset);
        PyErr_SetString(PyExc_ValueError,
                        "fromutc: non-None utcoffset() result required");
        return NULL;
    }
    PyObject *dst = kr_dt_tz_dst(kr_dt_tzinfo_of(dt), dt), *result = NULL;
    if (dst == Py_None) {
        PyErr_SetString(PyExc_ValueError,
                        "fromutc: non-None dst() result required");
    }
    else if (dst != NULL) {
        result = from_utc(dt, offset, dst);
    }
    Py_XDECREF(dst);
    Py_DECREF(offset);
    return result;
}

static PyObject *
tzinfo_reduce(PyObject *self, PyObject *ignored)
{
    PyObject *method, *args;
    if (_PyObject_LookupAttr(self, KR_ID(__getinitargs__), &method) < 0) {
        return NULL;
    }
    if (method != NULL) {
        args = PyObject_CallNoArgs(method);
        Py_DECREF(method);
    }
    else {
        args = PyTuple_New(0);
    }
    if (args == NULL) {
        return NULL;
    }
    PyObject *state = PyObject_CallMethodNoArgs(self, KR_ID(__getstate__));
    if (state == NULL) {
        Py_DECREF(args);
        return NULL;
    }
    return Py_BuildValue("(ONN)", Py_TYPE(self), args, state);
}

static PyMethodDef tzinfo_methods[] = {
    {"tzname", tzinfo_tzname, METH_O,
     "datetime -> name of the time zone, a str."},
    {"utcoffset", tzinfo_utcoffset, METH_O,
     "datetime -> timedelta: offset from UTC, negative west of it."},
    {"dst", tzinfo_dst, METH_O,
     "datetime -> timedelta: part of the offset due to daylight saving."},
    {"fromutc", tzinfo_fromutc, METH_O,
     "datetime in UTC -> datetime in local time."},
    {"__reduce__", tzinfo_reduce, METH_NOARGS, "-> (cls, state)"},
    {NULL},
};

PyTypeObject kr_tzinfo_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "datetime.tzinfo",
    .tp_basicsize = sizeof(PyDateTime_TZInfo),
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Abstract base class of time zones.",
    .tp_methods = tzinfo_methods,
    .tp_new = PyType_GenericNew,
};

/* ---- timezone */

PyObject *
kr_dt_create_timezone(PyObject *offset, PyObject *name)
{
    timezone_object *self =
        (timezone_object *)kr_timezone_type.tp_alloc(&kr_timezone_type, 0);
    if (self != NULL) {
        self->offset = Py_NewRef(offset);
        self->name = Py_XNewRef(name);
    }
    return (PyObject *)self;
}

PyObject *
kr_dt_new_timezone(PyObject *offset, PyObject *name)
{
    if (name == NULL && kr_dt_delta_us(offset) == 0) {
        return Py_NewRef(kr_datetime.utc);
    }
    if (kr_dt_offset_too_large(offset)) {
        PyErr_Format(PyExc_ValueError,
                     "offset must be a timedelta strictly between "
                     "-timedelta(hours=24) and timedelta(hours=24), not %R.",
                     offset);
        return NULL;
    }
    return kr_dt_create_timezone(offset, name);
}

PyObject *
kr_dt_local_zone(time_t t)
{
    struct tm tm;
    if (_PyTime_localtime(t, &tm) != 0) {
        return NULL;
    }
    PyObject *delta =
        kr_dt_new_delta(0, (int)tm.tm_gmtoff, 0, 1, &kr_delta_type);
    PyObject *name = NULL, *result = NULL;
    if (delta != NULL && tm.tm_zone != NULL) {
        name = PyUnicode_DecodeLocale(tm.tm_zone, "surrogateescape");
        if (name == NULL) {
            Py_DECREF(delta);
            return NULL;
        }
    }
    if (delta != NULL) {
        result = kr_dt_new_timezone(delta, name);
        Py_DECREF(delta);
    }
    Py_XDECREF(name);
    return result;
}

static PyObject *
timezone_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"offset", "name", NULL};
    PyObject *offset, *name = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|U:timezone", keywords,
                                     &kr_delta_type, &offset, &name)) {
        return NULL;
    }
    return kr_dt_new_timezone(offset, name);
}

static void
timezone_dealloc(PyObject *self)
{
    Py_CLEAR(TZ(self)->offset);
    Py_CLEAR(TZ(self)->name);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
timezone_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) ||
        !Py_IS_TYPE(other, &kr_timezone_type)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyBool_FromLong((kr_dt_delta_us(TZ(self)->offset) ==
                            kr_dt_delta_us(TZ(other)->offset)) ==
                           (op == Py_EQ));
}

static Py_hash_t
timezone_hash(PyObject *self)
{
    return PyObject_Hash(TZ(self)->offset);
}

static int
check_argument(PyObject *dt, const char *name)
{
    if (dt == Py_None || IS_DATETIME(dt)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 "%s(dt) argument must be a datetime instance or None, "
                 "not %.200s",
                 name, Py_TYPE(dt)->tp_name);
    return -1;
}

static PyObject *
timezone_repr(PyObject *self)
{
    const char *type = Py_TYPE(self)->tp_name;
    if (self == kr_datetime.utc) {
        return PyUnicode_FromFormat("%s.utc", type);
    }
    if (TZ(self)->name == NULL) {
        return PyUnicode_FromFormat("%s(%R)", type, TZ(self)->offset);
    }
    return PyUnicode_FromFormat("%s(%R, %R)", type, TZ(self)->offset,
                                TZ(self)->name);
}

static PyObject *
timezone_str(PyObject *self)
{
    if (TZ(self)->name != NULL) {
        return Py_NewRef(TZ(self)->name);
    }
    long long us = (long long)kr_dt_delta_us(TZ(self)->offset);
    if (us == 0) {
        return PyUnicode_FromString("UTC");
    }
    char sign = us < 0 ? '-' : '+';
    us = us < 0 ? -us : us;
    int s = (int)(us / US_PER_SECOND);
    us %= US_PER_SECOND;
    if (us != 0) {
        return PyUnicode_FromFormat("UTC%c%02d:%02d:%02d.%06d", sign, s / 3600,
                                    s / 60 % 60, s % 60, (int)us);
    }
    if (s % 60 != 0) {
        return PyUnicode_FromFormat("UTC%c%02d:%02d:%02d", sign, s / 3600,
                                    s / 60 % 60, s % 60);
    }
    return PyUnicode_FromFormat("UTC%c%02d:%02d", sign, s / 3600, s / 60 % 60);
}

static PyObject *
timezone_tzname(PyObject *self, PyObject *dt)
{
    return check_argument(dt, "tzname") < 0 ? NULL : timezone_str(self);
}

static PyObject *
timezone_utcoffset(PyObject *self, PyObject *dt)
{
    if (check_argument(dt, "utcoffset") < 0) {
        return NULL;
    }
    return Py_NewRef(TZ(self)->offset);
}

static PyObject *
timezone_dst(PyObject *self, PyObject *dt)
{
    if (check_argument(dt, "dst") < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
timezone_fromutc(PyObject *self, PyObject *dt)
{
    if (!IS_DATETIME(dt)) {
        PyErr_SetString(PyExc_TypeError,
                        "fromutc: argument must be a datetime");
        return NULL;
    }
    if (kr_dt_tzinfo_of(dt) != self) {
        PyErr_SetString(PyExc_ValueError, "fromutc: dt.tzinfo is not self");
        return NULL;
    }
    return kr_dt_datetime_shift(dt, TZ(self)->offset, 1);
}

static PyObject *
timezone_getinitargs(PyObject *self, PyObject *ignored)
{
    if (TZ(self)->name == NULL) {
        return PyTuple_Pack(1, TZ(self)->offset);
    }
    return PyTuple_Pack(2, TZ(self)->offset, TZ(self)->name);
}

static PyMethodDef timezone_methods[] = {
    {"tzname", timezone_tzname, METH_O,
     "The name given to the zone, or one made from its offset: "
     "'UTC(+|-)HH:MM'."},
    {"utcoffset", timezone_utcoffset, METH_O, "Return fixed offset."},
    {"dst", timezone_dst, METH_O, "Return None."},
    {"fromutc", timezone_fromutc, METH_O,
     "datetime in UTC -> datetime in local time."},
    {"__getinitargs__", timezone_getinitargs, METH_NOARGS, "pickle support"},
    {NULL},
};

PyTypeObject kr_timezone_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "datetime.timezone",
    .tp_basicsize = sizeof(timezone_object),
    .tp_dealloc = timezone_dealloc,
    .tp_repr = timezone_repr,
    .tp_hash = timezone_hash,
    .tp_str = timezone_str,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "A time zone at a fixed offset from UTC.",
    .tp_richcompare = timezone_richcompare,
    .tp_methods = timezone_methods,
    .tp_base = &kr_tzinfo_type,
    .tp_new = timezone_new,
};
