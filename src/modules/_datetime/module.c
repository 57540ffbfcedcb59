/* The module _datetime: constants, and the C API in a capsule. */
#include "modules/_datetime/internal.h"

struct kr_datetime_state kr_datetime;

/* ---- C API */

static PyObject *
capi_datetime_fold(int year, int month, int day, int h, int m, int s, int us,
                   PyObject *tz, int fold, PyTypeObject *cls)
{
    struct moment mo = {{year, month, day}, h, m, s, us};
    return kr_dt_new_datetime(&mo, tz, fold, cls);
}

static PyObject *
capi_datetime(int year, int month, int day, int h, int m, int s, int us,
              PyObject *tz, PyTypeObject *cls)
{
    return capi_datetime_fold(year, month, day, h, m, s, us, tz, 0, cls);
}

static PyObject *
capi_time(int h, int m, int s, int us, PyObject *tz, PyTypeObject *cls)
{
    return kr_dt_new_time(h, m, s, us, tz, 0, cls);
}

static PyObject *
capi_date_fromtimestamp(PyObject *cls, PyObject *args)
{
    PyObject *timestamp;
    if (!PyArg_UnpackTuple(args, "fromtimestamp", 1, 1, &timestamp)) {
        return NULL;
    }
    return kr_dt_date_fromtimestamp(cls, timestamp);
}

static void
fill_capi(PyDateTime_CAPI *api)
{
    *api = (PyDateTime_CAPI){
        .DateType = &kr_date_type,
        .DateTimeType = &kr_datetime_type,
        .TimeType = &kr_time_type,
        .DeltaType = &kr_delta_type,
        .TZInfoType = &kr_tzinfo_type,
        .TimeZone_UTC = kr_datetime.utc,
        .Date_FromDate = kr_dt_new_date,
        .DateTime_FromDateAndTime = capi_datetime,
        .Time_FromTime = capi_time,
        .Delta_FromDelta = kr_dt_new_delta,
        .TimeZone_FromTimeZone = kr_dt_new_timezone,
        .DateTime_FromTimestamp = kr_dt_datetime_fromtimestamp,
        .Date_FromTimestamp = capi_date_fromtimestamp,
        .DateTime_FromDateAndTimeAndFold = capi_datetime_fold,
        .Time_FromTimeAndFold = kr_dt_new_time,
    };
}

/* ---- set-up */

/* Puts a class attribute into a static type; steals the value. */
static int
set(PyTypeObject *type, const char *name, PyObject *value)
{
    int rc = value ? PyDict_SetItemString(type->tp_dict, name, value) : -1;
    Py_XDECREF(value);
    return rc;
}

static PyObject *
delta(int days, int seconds, int us)
{
    return kr_dt_new_delta(days, seconds, us, 0, &kr_delta_type);
}

static PyObject *
zone(int hours, int minutes)
{
    PyObject *offset =
        kr_dt_new_delta(0, (hours * 60 + minutes) * 60, 0, 1, &kr_delta_type);
    PyObject *tz = offset ? kr_dt_create_timezone(offset, NULL) : NULL;
    Py_XDECREF(offset);
    return tz;
}

static int
set_limits(void)
{
    static const struct moment min = {{1, 1, 1}, 0, 0, 0, 0},
                               max = {{MAXYEAR, 12, 31}, 23, 59, 59, 999999},
                               epoch = {{1970, 1, 1}, 0, 0, 0, 0};
    PyTypeObject *t = &kr_time_type, *d = &kr_date_type,
                 *dt = &kr_datetime_type, *td = &kr_delta_type,
                 *tz = &kr_timezone_type;
    if (set(td, "resolution", delta(0, 0, 1)) < 0 ||
        set(td, "min", delta(-MAX_DELTA_DAYS, 0, 0)) < 0 ||
        set(td, "max", delta(MAX_DELTA_DAYS, 86399, 999999)) < 0 ||
        set(d, "min", kr_dt_new_date(1, 1, 1, d)) < 0 ||
        set(d, "max", kr_dt_new_date(MAXYEAR, 12, 31, d)) < 0 ||
        set(d, "resolution", delta(1, 0, 0)) < 0 ||
        set(t, "min", kr_dt_new_time(0, 0, 0, 0, Py_None, 0, t)) < 0 ||
        set(t, "max", kr_dt_new_time(23, 59, 59, 999999, Py_None, 0, t)) < 0 ||
        set(t, "resolution", delta(0, 0, 1)) < 0 ||
        set(dt, "min", kr_dt_new_datetime(&min, Py_None, 0, dt)) < 0 ||
        set(dt, "max", kr_dt_new_datetime(&max, Py_None, 0, dt)) < 0 ||
        set(dt, "resolution", delta(0, 0, 1)) < 0) {
        return -1;
    }
    kr_datetime.utc = zone(0, 0);
    if (kr_datetime.utc == NULL ||
        set(tz, "utc", Py_NewRef(kr_datetime.utc)) < 0 ||
        set(tz, "min", zone(-23, -59)) < 0 ||
        set(tz, "max", zone(23, 59)) < 0) {
        return -1;
    }
    kr_datetime.epoch = kr_dt_new_datetime(&epoch, kr_datetime.utc, 0, dt);
    fill_capi(&kr_datetime.capi);
    return kr_datetime.epoch != NULL ? 0 : -1;
}

static int
exec(PyObject *m)
{
    PyTypeObject *types[] = {&kr_date_type,   &kr_datetime_type,
                             &kr_time_type,   &kr_delta_type,
                             &kr_tzinfo_type, &kr_timezone_type};
    kr_isocalendar_type.tp_base = &PyTuple_Type;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++) {
        if (PyModule_AddType(m, types[i]) < 0) {
            return -1;
        }
    }
    if (PyType_Ready(&kr_isocalendar_type) < 0 ||
        (kr_datetime.epoch == NULL && set_limits() < 0)) {
        return -1;
    }
    PyObject *capsule =
        PyCapsule_New(&kr_datetime.capi, PyDateTime_CAPSULE_NAME, NULL);
    int rc = capsule ? PyModule_AddObjectRef(m, "datetime_CAPI", capsule) : -1;
    Py_XDECREF(capsule);
    if (rc < 0 || PyModule_AddIntConstant(m, "MINYEAR", MINYEAR) < 0 ||
        PyModule_AddIntConstant(m, "MAXYEAR", MAXYEAR) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(m, "UTC", kr_datetime.utc);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec},
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_datetime",
    .m_doc = "The types of the module datetime, in C.",
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__datetime(void)
{
    return PyModuleDef_Init(&module);
}
