/* The location table (PEP 626/657): reading co_linetable, line numbers of
 * addresses, co_lines(), co_positions() and the old co_lnotab form.
 *
 * An entry starts with a byte of its own marker bit, a 4-bit kind and the number
 * of code units it covers; kinds 0..9 are short, 10..12 give line and two
 * column bytes, 13 has no columns, 14 is long, 15 means no location. */
#include "code/locations.h"

#include "code/code.h"

/* Locations come from .pyc files and code.replace(): every read is checked
 * against the end of the table. */
static unsigned
read_varint(const uint8_t **p, const uint8_t *limit)
{
    unsigned value = 0;
    int shift = 0;
    while (*p < limit) {
        unsigned byte = *(*p)++;
        if (shift < 32) {
            value |= (byte & 63) << shift;
        }
        shift += 6;
        if (!(byte & 64)) {
            break;
        }
    }
    return value;
}

static int
read_signed(const uint8_t **p, const uint8_t *limit)
{
    unsigned u = read_varint(p, limit);
    return u & 1 ? (int)-(u >> 1) : (int)(u >> 1);
}

static int
entry_kind(const uint8_t *p)
{
    return (*p >> 3) & 15;
}

static int
entry_bytes(const uint8_t *p)
{
    return ((*p & 7) + 1) * (int)sizeof(_Py_CODEUNIT);
}

static int
line_delta(const uint8_t *p, const uint8_t *limit)
{
    int kind = entry_kind(p);
    switch (kind) {
        case PY_CODE_LOCATION_INFO_NONE:
            return 0;
        case PY_CODE_LOCATION_INFO_NO_COLUMNS:
        case PY_CODE_LOCATION_INFO_LONG:
            p++;
            return read_signed(&p, limit);
        case PY_CODE_LOCATION_INFO_ONE_LINE0:
        case PY_CODE_LOCATION_INFO_ONE_LINE1:
        case PY_CODE_LOCATION_INFO_ONE_LINE2:
            return kind - PY_CODE_LOCATION_INFO_ONE_LINE0;
        default:
            return 0;
    }
}

void
kr_code_loc_init(struct kr_code_loc *loc, PyCodeObject *co)
{
    const char *data = PyBytes_AS_STRING(co->co_linetable);
    *loc = (struct kr_code_loc){
        .next = (const uint8_t *)data,
        .limit = (const uint8_t *)data + PyBytes_GET_SIZE(co->co_linetable),
        .computed_line = co->co_firstlineno,
        .line = -1,
        .end_line = -1,
        .col = -1,
        .end_col = -1,
    };
}

/* ---- tables without columns */

/* Copies the entry at `p` as one that has only the line; returns the end of
 * the copy, of at most LINE_ONLY bytes. */
#define LINE_ONLY 7

static uint8_t *
copy_line_only(uint8_t *out, const uint8_t *p, const uint8_t *limit)
{
    if (entry_kind(p) == PY_CODE_LOCATION_INFO_NONE) {
        *out++ = *p;
        return out;
    }
    int delta = line_delta(p, limit);
    *out++ = (uint8_t)(128 | PY_CODE_LOCATION_INFO_NO_COLUMNS << 3 | (*p & 7));
    unsigned value = delta < 0 ? (0u - (unsigned)delta) << 1 | 1
                               : (unsigned)delta << 1;
    for (; value >= 64; value >>= 6) {
        *out++ = (uint8_t)(64 | (value & 63));
    }
    *out++ = (uint8_t)value;
    return out;
}

PyObject *
kr_code_without_columns(PyObject *linetable)
{
    const uint8_t *p = (const uint8_t *)PyBytes_AS_STRING(linetable);
    const uint8_t *limit = p + PyBytes_GET_SIZE(linetable);
    /* a broken table may have an entry at each byte */
    uint8_t *buf = PyMem_Malloc((size_t)(limit - p) * LINE_ONLY + 1);
    uint8_t *out = buf;
    if (buf == NULL) {
        return PyErr_NoMemory();
    }
    while (p < limit) {
        out = copy_line_only(out, p, limit);
        do {
            p++;
        } while (p < limit && !(*p & 128));
    }
    PyObject *res = PyBytes_FromStringAndSize((char *)buf, out - buf);
    PyMem_Free(buf);
    return res;
}

static int
byte_or_zero(const uint8_t **p, const uint8_t *limit)
{
    return *p < limit ? *(*p)++ : 0;
}

bool
kr_code_loc_next(struct kr_code_loc *loc)
{
    const uint8_t *p = loc->next, *limit = loc->limit;
    if (p >= limit) {
        return false;
    }
    int kind = entry_kind(p);
    loc->start = loc->end;
    loc->end += entry_bytes(p);
    loc->computed_line += line_delta(p, limit);
    loc->line = loc->end_line = loc->computed_line;
    loc->col = loc->end_col = -1;
    p++;
    switch (kind) {
        case PY_CODE_LOCATION_INFO_NONE:
            loc->line = loc->end_line = -1;
            break;
        case PY_CODE_LOCATION_INFO_LONG:
            read_signed(&p, limit);
            loc->end_line = loc->line + (int)read_varint(&p, limit);
            loc->col = (int)read_varint(&p, limit) - 1;
            loc->end_col = (int)read_varint(&p, limit) - 1;
            break;
        case PY_CODE_LOCATION_INFO_NO_COLUMNS:
            break;
        case PY_CODE_LOCATION_INFO_ONE_LINE0:
        case PY_CODE_LOCATION_INFO_ONE_LINE1:
        case PY_CODE_LOCATION_INFO_ONE_LINE2:
            loc->col = byte_or_zero(&p, limit);
            loc->end_col = byte_or_zero(&p, limit);
            break;
        default: {
            int second = byte_or_zero(&p, limit);
            loc->col = kind << 3 | (second >> 4 & 7);
            loc->end_col = loc->col + (second & 15);
        }
    }
    while (p < limit && !(*p & 128)) {
        p++;
    }
    loc->next = p;
    return true;
}

/* PyCodeAddressRange: the form in which thread states keep a position. */

void
kr_code_range_init(PyCodeObject *co, PyCodeAddressRange *range)
{
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(co->co_linetable);
    range->opaque.lo_next = data;
    range->opaque.limit = data + PyBytes_GET_SIZE(co->co_linetable);
    range->opaque.computed_line = co->co_firstlineno;
    range->ar_start = -1;
    range->ar_end = 0;
    range->ar_line = -1;
}

bool
kr_code_range_next(PyCodeAddressRange *range)
{
    const uint8_t *p = range->opaque.lo_next, *limit = range->opaque.limit;
    if (p >= limit) {
        return false;
    }
    range->ar_start = range->ar_end;
    range->ar_end += entry_bytes(p);
    range->opaque.computed_line += line_delta(p, limit);
    range->ar_line = entry_kind(p) == PY_CODE_LOCATION_INFO_NONE
                         ? -1
                         : range->opaque.computed_line;
    do {
        p++;
    } while (p < limit && !(*p & 128));
    range->opaque.lo_next = p;
    return true;
}

static const uint8_t *
entry_before(const uint8_t *p)
{
    do {
        p--;
    } while (!(*p & 128));
    return p;
}

/* Callers only step back to addresses that were passed before, so an earlier
 * entry exists whenever ar_start is positive. */
static void
range_back(PyCodeAddressRange *range)
{
    const uint8_t *cur = entry_before(range->opaque.lo_next);
    range->opaque.computed_line -= line_delta(cur, range->opaque.limit);
    range->opaque.lo_next = cur;
    const uint8_t *before = entry_before(cur);
    range->ar_end = range->ar_start;
    range->ar_start -= entry_bytes(before);
    range->ar_line = entry_kind(before) == PY_CODE_LOCATION_INFO_NONE
                         ? -1
                         : range->opaque.computed_line;
}

PyAPI_FUNC(int)
_PyCode_CheckLineNumber(int lasti, PyCodeAddressRange *range)
{
    while (range->ar_end <= lasti) {
        if (!kr_code_range_next(range)) {
            return -1;
        }
    }
    while (range->ar_start > lasti) {
        range_back(range);
    }
    return range->ar_line;
}

int
PyCode_Addr2Line(PyCodeObject *co, int addr)
{
    if (addr < 0) {
        return co->co_firstlineno;
    }
    PyCodeAddressRange range;
    kr_code_range_init(co, &range);
    return _PyCode_CheckLineNumber(addr, &range);
}

int
PyCode_Addr2Location(PyCodeObject *co, int addr, int *line, int *col,
                     int *end_line, int *end_col)
{
    if (addr < 0) {
        *line = *end_line = co->co_firstlineno;
        *col = *end_col = 0;
        return 1;
    }
    struct kr_code_loc loc;
    kr_code_loc_init(&loc, co);
    while (loc.end <= addr) {
        if (!kr_code_loc_next(&loc)) {
            *line = *col = *end_line = *end_col = -1;
            return 1;
        }
    }
    *line = loc.line;
    *end_line = loc.end_line;
    *col = loc.col;
    *end_col = loc.end_col;
    return 1;
}

/* co_lnotab: pairs of (byte delta, signed line delta). */
static int
emit_pair(PyObject **bytes, Py_ssize_t *len, int bdelta, int ldelta)
{
    if (*len + 2 > PyBytes_GET_SIZE(*bytes) &&
        _PyBytes_Resize(bytes, *len * 2 + 32) < 0) {
        return -1;
    }
    unsigned char *p = (unsigned char *)PyBytes_AS_STRING(*bytes) + *len;
    p[0] = (unsigned char)bdelta;
    p[1] = (unsigned char)ldelta;
    *len += 2;
    return 0;
}

static int
emit_delta(PyObject **bytes, Py_ssize_t *len, int bdelta, int ldelta)
{
    for (; bdelta > 255; bdelta -= 255) {
        if (emit_pair(bytes, len, 255, 0) < 0) {
            return -1;
        }
    }
    for (; ldelta > 127; ldelta -= 127, bdelta = 0) {
        if (emit_pair(bytes, len, bdelta, 127) < 0) {
            return -1;
        }
    }
    for (; ldelta < -128; ldelta += 128, bdelta = 0) {
        if (emit_pair(bytes, len, bdelta, -128) < 0) {
            return -1;
        }
    }
    return emit_pair(bytes, len, bdelta, ldelta);
}

PyObject *
kr_code_lnotab(PyCodeObject *co)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, 64);
    if (bytes == NULL) {
        return NULL;
    }
    Py_ssize_t len = 0;
    int addr = 0, line = co->co_firstlineno;
    PyCodeAddressRange range;
    kr_code_range_init(co, &range);
    while (kr_code_range_next(&range)) {
        int now = range.opaque.computed_line;
        if (now == line) {
            continue;
        }
        if (emit_delta(&bytes, &len, range.ar_start - addr, now - line) < 0) {
            Py_XDECREF(bytes);
            return NULL;
        }
        addr = range.ar_start;
        line = now;
    }
    _PyBytes_Resize(&bytes, len);
    return bytes;
}

/* The iterators of co_lines() and co_positions(). */

struct line_iter {
    PyObject_HEAD
    PyCodeObject *code;
    PyCodeAddressRange range;
};

static void
line_iter_dealloc(PyObject *self)
{
    Py_DECREF(((struct line_iter *)self)->code);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
line_iter_next(PyObject *self)
{
    PyCodeAddressRange *range = &((struct line_iter *)self)->range;
    if (!kr_code_range_next(range)) {
        return NULL;
    }
    if (range->ar_line < 0) {
        return Py_BuildValue("iiO", range->ar_start, range->ar_end, Py_None);
    }
    return Py_BuildValue("iii", range->ar_start, range->ar_end,
                         range->ar_line);
}

PyTypeObject _PyLineIterator = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "line_iterator",
    .tp_basicsize = sizeof(struct line_iter),
    .tp_dealloc = line_iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = line_iter_next,
    .tp_free = PyObject_Free,
};

PyObject *
kr_code_lines(PyCodeObject *co)
{
    struct line_iter *it = PyObject_New(struct line_iter, &_PyLineIterator);
    if (it == NULL) {
        return NULL;
    }
    it->code = (PyCodeObject *)Py_NewRef((PyObject *)co);
    kr_code_range_init(co, &it->range);
    return (PyObject *)it;
}

struct positions_iter {
    PyObject_HEAD
    PyCodeObject *code;
    struct kr_code_loc loc;
    int offset;
};

static void
positions_iter_dealloc(PyObject *self)
{
    Py_DECREF(((struct positions_iter *)self)->code);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
none_or_int(int value)
{
    return value < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(value);
}

static PyObject *
positions_iter_next(PyObject *self)
{
    struct positions_iter *it = (struct positions_iter *)self;
    if (it->offset >= it->loc.end && !kr_code_loc_next(&it->loc)) {
        return NULL;
    }
    it->offset += (int)sizeof(_Py_CODEUNIT);
    return Py_BuildValue("NNNN", none_or_int(it->loc.line),
                         none_or_int(it->loc.end_line),
                         none_or_int(it->loc.col), none_or_int(it->loc.end_col));
}

PyTypeObject _PyPositionsIterator = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "positions_iterator",
    .tp_basicsize = sizeof(struct positions_iter),
    .tp_dealloc = positions_iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = positions_iter_next,
    .tp_free = PyObject_Free,
};

PyObject *
kr_code_positions(PyCodeObject *co)
{
    struct positions_iter *it =
        PyObject_New(struct positions_iter, &_PyPositionsIterator);
    if (it == NULL) {
        return NULL;
    }
    it->code = (PyCodeObject *)Py_NewRef((PyObject *)co);
    kr_code_loc_init(&it->loc, co);
    it->offset = 0;
    return (PyObject *)it;
}
