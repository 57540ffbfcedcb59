/* Filters of liblzma as mappings: {"id": ..., options}. */
#include "modules/shared/_lzma/lzma_module.h"

int
kr_lzma_uint32(PyObject *v, void *out)
{
    unsigned long long n = PyLong_AsUnsignedLongLong(v);
    if (n == (unsigned long long)-1 && PyErr_Occurred()) {
        return 0;
    }
    if (n > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError,
                        "Value too large for uint32_t type");
        return 0;
    }
    *(uint32_t *)out = (uint32_t)n;
    return 1;
}

int
kr_lzma_vli(PyObject *v, void *out)
{
    unsigned long long n = PyLong_AsUnsignedLongLong(v);
    if (n == (unsigned long long)-1 && PyErr_Occurred()) {
        return 0;
    }
    *(lzma_vli *)out = n;
    return 1;
}

/* Converter of an enumeration, which is stored as int. */
static int
to_enum(PyObject *v, void *out)
{
    uint32_t n;
    if (!kr_lzma_uint32(v, &n)) {
        return 0;
    }
    *(int *)out = (int)n;
    return 1;
}

/* ---- from a mapping ---- */

/* Parses the mapping's entries into the variables of the format: false with
 * the exception of a bad mapping. */
static bool
parse_spec(PyObject *spec, const char *kind, const char *format,
           char **keywords, ...)
{
    PyObject *none = PyTuple_New(0);
    va_list va;
    va_start(va, keywords);
    bool ok = none != NULL && PyDict_Check(spec)
              && PyArg_VaParseTupleAndKeywords(none, spec, format, keywords,
                                               va);
    va_end(va);
    Py_XDECREF(none);
    if (!ok) {
        PyErr_Format(PyExc_ValueError,
                     "Invalid filter specifier for %s filter", kind);
    }
    return ok;
}

/* A zeroed block for a filter's options, or NULL with MemoryError. */
static void *
new_options(size_t size)
{
    void *options = PyMem_Calloc(1, size);
    if (options == NULL) {
        PyErr_NoMemory();
    }
    return options;
}

static bool
preset_of(struct kr_lzma_state *st, PyObject *spec, lzma_options_lzma *options)
{
    uint32_t preset = LZMA_PRESET_DEFAULT;
    PyObject *v = PyMapping_GetItemString(spec, "preset");
    if (v != NULL) {
        int ok = kr_lzma_uint32(v, &preset);
        Py_DECREF(v);
        if (!ok) {
            return false;
        }
    }
    else if (PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
    }
    else {
        return false;
    }
    if (lzma_lzma_preset(options, preset)) {
        PyErr_Format(st->error, "Invalid compression preset: %u", preset);
        return false;
    }
    return true;
}

static void *
lzma_options(struct kr_lzma_state *st, PyObject *spec)
{
    static char *keywords[] = {"id", "preset", "dict_size", "lc",    "lp",
                               "pb", "mode",   "nice_len",  "mf",    "depth",
                               NULL};
    PyObject *id, *preset;
    lzma_options_lzma *o = new_options(sizeof(*o));
    if (o == NULL) {
        return NULL;
    }
    if (!preset_of(st, spec, o)
        || !parse_spec(spec, "LZMA", "|OOO&O&O&O&O&O&O&O&", keywords, &id,
                       &preset, kr_lzma_uint32, &o->dict_size,
                       kr_lzma_uint32, &o->lc, kr_lzma_uint32, &o->lp,
                       kr_lzma_uint32, &o->pb, to_enum, &o->mode,
                       kr_lzma_uint32, &o->nice_len, to_enum, &o->mf,
                       kr_lzma_uint32, &o->depth)) {
        PyMem_Free(o);
        return NULL;
    }
    return o;
}

static void *
delta_options(PyObject *spec)
{
    static char *keywords[] = {"id", "dist", NULL};
    PyObject *id;
    lzma_options_delta *o = new_options(sizeof(*o));
    if (o == NULL) {
        return NULL;
    }
    o->type = LZMA_DELTA_TYPE_BYTE;
    o->dist = 1;
    if (!parse_spec(spec, "delta", "|OO&", keywords, &id, kr_lzma_uint32,
                    &o->dist)) {
        PyMem_Free(o);
        return NULL;
    }
    return o;
}

static void *
bcj_options(PyObject *spec)
{
    static char *keywords[] = {"id", "start_offset", NULL};
    PyObject *id;
    lzma_options_bcj *o = new_options(sizeof(*o));
    if (o != NULL
        && !parse_spec(spec, "BCJ", "|OO&", keywords, &id, kr_lzma_uint32,
                       &o->start_offset)) {
        PyMem_Free(o);
        return NULL;
    }
    return o;
}

static bool
is_bcj(lzma_vli id)
{
    return id == LZMA_FILTER_X86 || id == LZMA_FILTER_POWERPC
           || id == LZMA_FILTER_IA64 || id == LZMA_FILTER_ARM
           || id == LZMA_FILTER_ARMTHUMB || id == LZMA_FILTER_SPARC;
}

bool
kr_lzma_filter(struct kr_lzma_state *st, lzma_filter *filter, PyObject *spec)
{
    if (!PyMapping_Check(spec)) {
        PyErr_SetString(PyExc_TypeError, "Filter specifier must be a dict or "
                                         "dict-like object");
        return false;
    }
    PyObject *id = PyMapping_GetItemString(spec, "id");
    if (id == NULL) {
        if (PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_SetString(PyExc_ValueError,
                            "Filter specifier must have an \"id\" entry");
        }
        return false;
    }
    int ok = kr_lzma_vli(id, &filter->id);
    Py_DECREF(id);
    if (!ok) {
        return false;
    }
    if (filter->id == KR_FILTER_LZMA1 || filter->id == LZMA_FILTER_LZMA2) {
        filter->options = lzma_options(st, spec);
    }
    else if (filter->id == LZMA_FILTER_DELTA) {
        filter->options = delta_options(spec);
    }
    else if (is_bcj(filter->id)) {
        filter->options = bcj_options(spec);
    }
    else {
        PyErr_Format(PyExc_ValueError, "Invalid filter ID: %llu",
                     (unsigned long long)filter->id);
        return false;
    }
    return filter->options != NULL;
}

void
kr_lzma_chain_free(struct kr_filter_chain *chain)
{
    lzma_filter *f = chain->filters;
    for (; f->id != LZMA_VLI_UNKNOWN; f++) {
        PyMem_Free(f->options);
    }
}

bool
kr_lzma_chain(struct kr_lzma_state *st, struct kr_filter_chain *chain,
              PyObject *specs)
{
    Py_ssize_t n = PySequence_Length(specs);
    if (n > LZMA_FILTERS_MAX) {
        PyErr_Format(PyExc_ValueError,
                     "Too many filters - liblzma supports a maximum of %d",
                     LZMA_FILTERS_MAX);
    }
    if (n < 0 || n > LZMA_FILTERS_MAX) {
        return false;
    }
    lzma_filter *f = chain->filters;
    f->id = LZMA_VLI_UNKNOWN;
    for (Py_ssize_t i = 0; i < n; i++) {
        lzma_filter next;
        PyObject *spec = PySequence_GetItem(specs, i);
        bool ok = spec != NULL && kr_lzma_filter(st, &next, spec);
        Py_XDECREF(spec);
        if (!ok) {
            kr_lzma_chain_free(chain);
            return false;
        }
        f[i] = next;
        f[i + 1].id = LZMA_VLI_UNKNOWN;
    }
    return true;
}

/* ---- to a mapping ---- */

PyObject *
kr_lzma_filter_spec(const lzma_filter *f)
{
    unsigned long long id = f->id;
    if (f->id == KR_FILTER_LZMA1) {
        const lzma_options_lzma *o = f->options;
        return Py_BuildValue("{sKsIsIsIsI}", "id", id, "lc", o->lc, "lp",
                             o->lp, "pb", o->pb, "dict_size", o->dict_size);
    }
    if (f->id == LZMA_FILTER_LZMA2) {
        const lzma_options_lzma *o = f->options;
        return Py_BuildValue("{sKsI}", "id", id, "dict_size", o->dict_size);
    }
    if (f->id == LZMA_FILTER_DELTA) {
        const lzma_options_delta *o = f->options;
        return Py_BuildValue("{sKsI}", "id", id, "dist", o->dist);
    }
    if (is_bcj(f->id)) {
        /* no properties: no options */
        const lzma_options_bcj *o = f->options;
        return o == NULL ? Py_BuildValue("{sK}", "id", id)
                         : Py_BuildValue("{sKsI}", "id", id, "start_offset",
                                         o->start_offset);
    }
    return PyErr_Format(PyExc_ValueError, "Invalid filter ID: %llu", id);
}
