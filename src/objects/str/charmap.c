/* The charmap codec: mappings given as dict, str or EncodingMap. */
#include <Python.h>

#include "objects/str/codec_errors.h"
#include "objects/str/str.h"

/* --- decoding -------------------------------------------------------------------- */

static int
decode_with_str(struct kr_decoder *d, PyObject *mapping)
{
    int kind = STR_KIND(mapping);
    const void *data = PyUnicode_DATA(mapping);
    Py_ssize_t n = STR_LEN(mapping);
    while (d->p < d->end) {
        unsigned char c = (unsigned char)*d->p;
        Py_UCS4 ch = c < n ? PyUnicode_READ(kind, data, c) : 0xFFFE;
        if (ch != 0xFFFE) {
            d->p++;
            if (_PyUnicodeWriter_WriteChar(&d->w, ch) < 0) {
                return -1;
            }
            continue;
        }
        Py_ssize_t at = d->p - d->start;
        if (kr_decode_error(d, at, at + 1,
                            "character maps to <undefined>") < 0) {
            return -1;
        }
    }
    return 0;
}

/* Writes what the mapping has for a byte. 1: undefined, -1: error. */
static int
write_mapped(struct kr_decoder *d, PyObject *item)
{
    if (item == Py_None) {
        return 1;
    }
    if (PyLong_Check(item)) {
        long value = PyLong_AsLong(item);
        if (value == 0xFFFE) {
            return 1;
        }
        if (value < 0 || value > 0x10FFFF) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError,
                         "character mapping must be in range(0x%x)",
                         0x110000);
            return -1;
        }
        return _PyUnicodeWriter_WriteChar(&d->w, (Py_UCS4)value);
    }
    if (PyUnicode_Check(item)) {
        if (PyUnicode_READY(item) < 0) {
            return -1;
        }
        if (STR_LEN(item) == 1 && PyUnicode_READ_CHAR(item, 0) == 0xFFFE) {
            return 1;
        }
        d->w.overallocate = 1;
        return _PyUnicodeWriter_WriteStr(&d->w, item);
    }
    PyErr_SetString(PyExc_TypeError,
                    "character mapping must return integer, None or str");
    return -1;
}

static int
decode_with_mapping(struct kr_decoder *d, PyObject *mapping)
{
    while (d->p < d->end) {
        PyObject *key = PyLong_FromLong((unsigned char)*d->p);
        if (key == NULL) {
            return -1;
        }
        PyObject *item = PyObject_GetItem(mapping, key);
        Py_DECREF(key);
        int rc = 1;
        if (item != NULL) {
            rc = write_mapped(d, item);
            Py_DECREF(item);
        }
        else if (PyErr_ExceptionMatches(PyExc_LookupError)) {
            PyErr_Clear();
        }
        else {
            return -1;
        }
        if (rc < 0) {
            return -1;
        }
        if (rc == 0) {
            d->p++;
            continue;
        }
        Py_ssize_t at = d->p - d->start;
        if (kr_decode_error(d, at, at + 1,
                            "character maps to <undefined>") < 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *
PyUnicode_DecodeCharmap(const char *s, Py_ssize_t size, PyObject *mapping,
                        const char *errors)
{
    if (mapping == NULL) {
        return PyUnicode_DecodeLatin1(s, size, errors);
    }
    if (size == 0) {
        return kr_str_empty();
    }
    struct kr_decoder d;
    kr_decoder_init(&d, "charmap", errors, s, size);
    int rc;
    if (PyUnicode_CheckExact(mapping)) {
        rc = PyUnicode_READY(mapping);
        if (rc == 0) {
            rc = decode_with_str(&d, mapping);
        }
    }
    else {
        rc = decode_with_mapping(&d, mapping);
    }
    return rc < 0 ? kr_decoder_fail(&d) : kr_decoder_finish(&d);
}

/* --- EncodingMap ------------------------------------------------------------------- */

/* The inverse of a 256-character decoding table: three levels of 5, 4 and 7
 * bits of the character; 0xFF and 0 stand for "none". */
struct encoding_map {
    PyObject_HEAD
    unsigned char level1[32];
    int count2, count3;
    unsigned char level23[1];
};

static PyObject *
map_size(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct encoding_map *m = (struct encoding_map *)self;
    return PyLong_FromSize_t(sizeof(*m) - 1 + 16 * (size_t)m->count2 +
                             128 * (size_t)m->count3);
}

static void
map_dealloc(PyObject *self)
{
    PyObject_Free(self);
}

static PyMethodDef map_methods[] = {
    {"size", map_size, METH_NOARGS,
     "size($self, /)\n--\n\nReturn the size (in bytes) of this object."},
    {NULL},
};

PyTypeObject kr_encoding_map_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "EncodingMap",
    .tp_basicsize = sizeof(struct encoding_map),
    .tp_dealloc = map_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = map_methods,
};

static int
map_lookup(PyObject *map, Py_UCS4 c)
{
    struct encoding_map *m = (struct encoding_map *)map;
    if (c > 0xFFFF) {
        return -1;
    }
    if (c == 0) {
        return 0;
    }
    int i = m->level1[c >> 11];
    if (i == 0xFF) {
        return -1;
    }
    i = m->level23[16 * i + (int)(c >> 7 & 15)];
    if (i == 0xFF) {
        return -1;
    }
    i = m->level23[16 * m->count2 + 128 * i + (int)(c & 0x7F)];
    return i == 0 ? -1 : i;
}

/* For tables that the three levels cannot express. */
static PyObject *
build_dict(PyObject *string, Py_ssize_t length)
{
    PyObject *result = PyDict_New();
    for (Py_ssize_t i = 0; result != NULL && i < length; i++) {
        PyObject *key = PyLong_FromLong((long)PyUnicode_READ_CHAR(string, i));
        PyObject *value = PyLong_FromSsize_t(i);
        if (key == NULL || value == NULL ||
            PyDict_SetItem(result, key, value) < 0) {
            Py_CLEAR(result);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return result;
}

PyObject *
PyUnicode_BuildEncodingMap(PyObject *string)
{
    if (!PyUnicode_Check(string) || PyUnicode_READY(string) < 0 ||
        STR_LEN(string) == 0) {
        PyErr_BadArgument();
        return NULL;
    }
    Py_ssize_t length = Py_MIN(STR_LEN(string), 256);
    unsigned char level1[32], level2[512];
    memset(level1, 0xFF, sizeof(level1));
    memset(level2, 0xFF, sizeof(level2));
    int count2 = 0, count3 = 0;
    int need_dict = PyUnicode_READ_CHAR(string, 0) != 0;
    for (Py_ssize_t i = 1; i < length && !need_dict; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(string, i);
        if (ch == 0 || ch > 0xFFFF) {
            need_dict = 1;
        }
        else if (ch != 0xFFFE) {
            if (level1[ch >> 11] == 0xFF) {
                level1[ch >> 11] = (unsigned char)count2++;
            }
            if (level2[ch >> 7] == 0xFF) {
                level2[ch >> 7] = (unsigned char)count3++;
            }
        }
    }
    if (need_dict || count2 >= 0xFF || count3 >= 0xFF) {
        return build_dict(string, length);
    }
    struct encoding_map *m = PyObject_Malloc(
        sizeof(*m) + 16 * (size_t)count2 + 128 * (size_t)count3 - 1);
    if (m == NULL) {
        return PyErr_NoMemory();
    }
    PyObject_Init((PyObject *)m, &kr_encoding_map_type);
    m->count2 = count2;
    m->count3 = count3;
    memcpy(m->level1, level1, sizeof(level1));
    unsigned char *two = m->level23, *three = two + 16 * count2;
    memset(two, 0xFF, (size_t)(16 * count2));
    memset(three, 0, (size_t)(128 * count3));
    count3 = 0;
    for (Py_ssize_t i = 1; i < length; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(string, i);
        if (ch == 0xFFFE) {
            continue;
        }
        int i2 = 16 * level1[ch >> 11] + (int)(ch >> 7 & 15);
        if (two[i2] == 0xFF) {
            two[i2] = (unsigned char)count3++;
        }
        three[128 * two[i2] + (int)(ch & 0x7F)] = (unsigned char)i;
    }
    return (PyObject *)m;
}

/* --- encoding -------------------------------------------------------------------------- */

/* The mapping's answer for a character (new reference), None if undefined. */
static PyObject *
lookup(PyObject *mapping, Py_UCS4 ch)
{
    PyObject *key = PyLong_FromLong((long)ch);
    if (key == NULL) {
        return NULL;
    }
    PyObject *x = PyObject_GetItem(mapping, key);
    Py_DECREF(key);
    if (x == NULL) {
        if (PyErr_ExceptionMatches(PyExc_LookupError)) {
            PyErr_Clear();
            return Py_NewRef(Py_None);
        }
        return NULL;
    }
    if (PyLong_Check(x)) {
        long value = PyLong_AsLong(x);
        if (value < 0 || value > 255) {
            PyErr_Clear();
            PyErr_SetString(PyExc_TypeError,
                            "character mapping must be in range(256)");
            Py_CLEAR(x);
        }
    }
    else if (x != Py_None && !PyBytes_Check(x)) {
        PyErr_Format(PyExc_TypeError,
                     "character mapping must return integer, bytes or None, "
                     "not %.400s", Py_TYPE(x)->tp_name);
        Py_CLEAR(x);
    }
    return x;
}

/* Encodes one character. 0: done, 1: undefined, -1: error. */
static int
encode_one(struct kr_encoder *e, PyObject *mapping, Py_UCS4 ch)
{
    char byte;
    if (Py_IS_TYPE(mapping, &kr_encoding_map_type)) {
        int value = map_lookup(mapping, ch);
        if (value < 0) {
            return 1;
        }
        byte = (char)value;
        e->out = _PyBytesWriter_WriteBytes(&e->w, e->out, &byte, 1);
        return e->out == NULL ? -1 : 0;
    }
    PyObject *x = lookup(mapping, ch);
    if (x == NULL) {
        return -1;
    }
    if (x == Py_None) {
        Py_DECREF(x);
        return 1;
    }
    if (PyLong_Check(x)) {
        byte = (char)PyLong_AsLong(x);
        e->out = _PyBytesWriter_WriteBytes(&e->w, e->out, &byte, 1);
    }
    else {
        e->out = _PyBytesWriter_WriteBytes(&e->w, e->out, PyBytes_AS_STRING(x),
                                           PyBytes_GET_SIZE(x));
    }
    Py_DECREF(x);
    return e->out == NULL ? -1 : 0;
}

static int
is_undefined(PyObject *mapping, Py_UCS4 ch)
{
    if (Py_IS_TYPE(mapping, &kr_encoding_map_type)) {
        return map_lookup(mapping, ch) < 0;
    }
    PyObject *x = lookup(mapping, ch);
    if (x == NULL) {
        return -1;
    }
    int undefined = x == Py_None;
    Py_DECREF(x);
    return undefined;
}

static int
encode_error(struct kr_encoder *e, PyObject *mapping, Py_ssize_t *i)
{
    static const char reason[] = "character maps to <undefined>";
    Py_ssize_t to = *i + 1, next;
    for (; to < STR_LEN(e->str); to++) {
        int undefined = is_undefined(mapping, PyUnicode_READ_CHAR(e->str, to));
        if (undefined < 0) {
            return -1;
        }
        if (!undefined) {
            break;
        }
    }
    PyObject *rep = kr_encode_error(e, *i, to, reason, &next);
    if (rep == NULL) {
        return -1;
    }
    int rc = 0;
    if (PyBytes_Check(rep)) {
        e->out = _PyBytesWriter_WriteBytes(&e->w, e->out,
                                           PyBytes_AS_STRING(rep),
                                           PyBytes_GET_SIZE(rep));
        rc = e->out == NULL ? -1 : 0;
    }
    else {
        for (Py_ssize_t k = 0; rc == 0 && k < STR_LEN(rep); k++) {
            rc = encode_one(e, mapping, PyUnicode_READ_CHAR(rep, k));
            if (rc == 1) {
                /* the replacement cannot be encoded either */
                kr_encode_raise(e, *i, to, reason);
                rc = -1;
            }
        }
    }
    Py_DECREF(rep);
    *i = next;
    return rc;
}

PyObject *
_PyUnicode_EncodeCharmap(PyObject *unicode, PyObject *mapping,
                         const char *errors)
{
    if (PyUnicode_READY(unicode) < 0) {
        return NULL;
    }
    if (mapping == NULL) {
        return _PyUnicode_AsLatin1String(unicode, errors);
    }
    Py_ssize_t n = STR_LEN(unicode), i = 0;
    struct kr_encoder e;
    kr_encoder_init(&e, unicode, "charmap", errors);
    e.out = _PyBytesWriter_Alloc(&e.w, n);
    if (e.out == NULL) {
        return kr_encoder_fail(&e);
    }
    /* WriteBytes counts what is written */
    e.w.min_size = 0;
    e.w.overallocate = 1;
    while (i < n) {
        int rc = encode_one(&e, mapping, PyUnicode_READ_CHAR(unicode, i));
        if (rc == 0) {
            i++;
        }
        else if (rc < 0 || encode_error(&e, mapping, &i) < 0) {
            return kr_encoder_fail(&e);
        }
    }
    return kr_encoder_finish(&e);
}

PyObject *
PyUnicode_AsCharmapString(PyObject *unicode, PyObject *mapping)
{
    if (!PyUnicode_Check(unicode) || mapping == NULL) {
        PyErr_BadArgument();
        return NULL;
    }
    return _PyUnicode_EncodeCharmap(unicode, mapping, NULL);
}
