/* What time and datetime have alike: both hold a time of day, a fold and a
 * zone, at places of their own, and hash and pickle by them. */
#include "modules/_datetime/internal.h"

/* Where they lie in an object. In a pickle, the top bit of data[fold_at] is
 * the fold. */
struct places {
    unsigned char *data, *hour, *fold;
    PyObject **tzinfo;
    Py_ssize_t size;
    int fold_at;
};

/* Most objects are exact datetimes: spare them the walk through the bases. */
static bool
is_time(PyObject *self)
{
    return !Py_IS_TYPE(self, &kr_datetime_type) && IS_TIME(self);
}

static struct places
places_of(PyObject *self)
{
    if (is_time(self)) {
        PyDateTime_Time *t = TIME(self);
        return (struct places){t->data,    t->data,        &t->fold,
                               &t->tzinfo, sizeof t->data, 0};
    }
    PyDateTime_DateTime *dt = DT(self);
    return (struct places){dt->data,    dt->data + 4,    &dt->fold,
                           &dt->tzinfo, sizeof dt->data, 2};
}

PyObject *
kr_dt_tzinfo_of(PyObject *self)
{
    return _PyDateTime_HAS_TZINFO(self) ? *places_of(self).tzinfo : Py_None;
}

void
kr_dt_clock_dealloc(PyObject *self)
{
    if (_PyDateTime_HAS_TZINFO(self)) {
        Py_XDECREF(*places_of(self).tzinfo);
    }
    Py_TYPE(self)->tp_free(self);
}

/* ---- fields */

static PyObject *
get_unit(PyObject *self, void *at)
{
    return PyLong_FromLong(places_of(self).hour[(intptr_t)at]);
}

static PyObject *
get_microsecond(PyObject *self, void *ignored)
{
    const unsigned char *us = places_of(self).hour + 3;
    return PyLong_FromLong(us[0] << 16 | us[1] << 8 | us[2]);
}

static PyObject *
get_tzinfo(PyObject *self, void *ignored)
{
    return Py_NewRef(kr_dt_tzinfo_of(self));
}

static PyObject *
get_fold(PyObject *self, void *ignored)
{
    return PyLong_FromLong(*places_of(self).fold);
}

PyGetSetDef kr_dt_clock_getset[] = {
    {"hour", get_unit, .closure = (void *)0},
    {"minute", get_unit, .closure = (void *)1},
    {"second", get_unit, .closure = (void *)2},
    {"microsecond", get_microsecond},
    {"tzinfo", get_tzinfo},
    {"fold", get_fold},
    {NULL},
};

/* ---- zone */

/* What is asked of the zone: a time of day has no say in it. */
static PyObject *
zone_arg(PyObject *self)
{
    return is_time(self) ? Py_None : self;
}

PyObject *
kr_dt_utcoffset(PyObject *self, PyObject *ignored)
{
    return kr_dt_tz_offset(kr_dt_tzinfo_of(self), zone_arg(self));
}

PyObject *
kr_dt_dst(PyObject *self, PyObject *ignored)
{
    return kr_dt_tz_dst(kr_dt_tzinfo_of(self), zone_arg(self));
}

PyObject *
kr_dt_tzname(PyObject *self, PyObject *ignored)
{
    return kr_dt_tz_name(kr_dt_tzinfo_of(self), zone_arg(self));
}

/* ---- states */

static PyObject *
from_state(PyTypeObject *type, const unsigned char *state, PyObject *tz)
{
    if (tz != Py_None && !IS_TZINFO(tz)) {
        PyErr_SetString(PyExc_TypeError, "bad tzinfo state arg");
        return NULL;
    }
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        struct places p = places_of(self);
        memcpy(p.data, state, (size_t)p.size);
        *p.fold = p.data[p.fold_at] >> 7;
        p.data[p.fold_at] &= 0x7f;
        TIME(self)->hashcode = -1; /* at the same place in all of them */
        TIME(self)->hastzinfo = tz != Py_None;
        *p.tzinfo = tz != Py_None ? Py_NewRef(tz) : NULL;
    }
    return self;
}

PyObject *
kr_dt_unpickle(PyTypeObject *type, PyObject *args, Py_ssize_t size, int at,
               int low, int high, const char *what)
{
    PyObject *hold, *tz = Py_None;
    const unsigned char *state =
        kr_dt_pickle_state(args, 2, size, at, 0x7f, low, high, what, &hold);
    if (state == NULL) {
        return NULL;
    }
    if (PyTuple_GET_SIZE(args) == 2) {
        tz = PyTuple_GET_ITEM(args, 1);
    }
    PyObject *self = from_state(type, state, tz);
    Py_DECREF(hold);
    return self;
}

static PyObject *
reduce(PyObject *self, int protocol)
{
    struct places p = places_of(self);
    PyObject *bytes = PyBytes_FromStringAndSize((char *)p.data, p.size);
    if (bytes != NULL && protocol > 3 && *p.fold) {
        PyBytes_AS_STRING(bytes)[p.fold_at] |= (char)0x80;
    }
    if (!_PyDateTime_HAS_TZINFO(self)) {
        return Py_BuildValue("O(N)", Py_TYPE(self), bytes);
    }
    return Py_BuildValue("O(NO)", Py_TYPE(self), bytes, *p.tzinfo);
}

PyObject *
kr_dt_reduce_ex(PyObject *self, PyObject *args)
{
    int protocol;
    if (!PyArg_ParseTuple(args, "i:__reduce_ex__", &protocol)) {
        return NULL;
    }
    return reduce(self, protocol);
}

PyObject *
kr_dt_reduce(PyObject *self, PyObject *ignored)
{
    return reduce(self, 2);
}

/* ---- hash */

Py_hash_t
kr_dt_clock_hash(PyObject *self, __int128 us)
{
    struct places p = places_of(self);
    Py_hash_t hash = -1;
    PyObject *plain =
        *p.fold ? from_state(Py_TYPE(self), p.data, kr_dt_tzinfo_of(self))
                : Py_NewRef(self);
    PyObject *offset = plain ? kr_dt_utcoffset(plain, NULL) : NULL;
    Py_XDECREF(plain);
    if (offset == NULL) {
        return -1;
    }
    if (offset == Py_None) {
        hash = _Py_HashBytes(p.data, p.size);
    }
    else {
        PyObject *delta =
            kr_dt_delta_from_us(us - kr_dt_delta_us(offset), &kr_delta_type);
        if (delta != NULL) {
            hash = PyObject_Hash(delta);
            Py_DECREF(delta);
        }
    }
    Py_DECREF(offset);
    TIME(self)->hashcode = hash;
    return hash;
}
