/* The sequence protocol. */
#include "objects/abstract/abstract.h"

int
PySequence_Check(PyObject *s)
{
    if (PyDict_Check(s)) {
        return 0;
    }
    return Py_TYPE(s)->tp_as_sequence && Py_TYPE(s)->tp_as_sequence->sq_item;
}

Py_ssize_t
PySequence_Size(PyObject *s)
{
    if (s == NULL) {
        kr_null_error();
        return -1;
    }
    PySequenceMethods *m = Py_TYPE(s)->tp_as_sequence;
    if (m && m->sq_length) {
        return m->sq_length(s);
    }
    if (Py_TYPE(s)->tp_as_mapping && Py_TYPE(s)->tp_as_mapping->mp_length) {
        kr_type_error("%.200s is not a sequence", s);
        return -1;
    }
    kr_type_error("object of type '%.200s' has no len()", s);
    return -1;
}

#undef PySequence_Length
Py_ssize_t
PySequence_Length(PyObject *s)
{
    return PySequence_Size(s);
}

/* The + operator, or NULL without an exception if neither side has it. */
static PyObject *
try_number_op(PyObject *a, PyObject *b,
              PyObject *(*op)(PyObject *, PyObject *))
{
    PyObject *result = op(a, b);
    if (result == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
    }
    return result;
}

/* Whether some class of sequence that is written in Python (no sq_ slots, only
 * number slots) can stand on both sides. */
static bool
both_sequences(PyObject *a, PyObject *b)
{
    return PySequence_Check(a) && PySequence_Check(b);
}

static bool
has_slot(PyObject *o, size_t offset)
{
    PyNumberMethods *nb = Py_TYPE(o)->tp_as_number;
    return nb && *(void **)((char *)nb + offset) != NULL;
}

PyObject *
PySequence_Concat(PyObject *s, PyObject *o)
{
    if (s == NULL || o == NULL) {
        return kr_null_error();
    }
    PySequenceMethods *m = Py_TYPE(s)->tp_as_sequence;
    if (m && m->sq_concat) {
        return m->sq_concat(s, o);
    }
    size_t slot = offsetof(PyNumberMethods, nb_add);
    if (both_sequences(s, o) && (has_slot(s, slot) || has_slot(o, slot))) {
        PyObject *result = try_number_op(s, o, PyNumber_Add);
        if (result != NULL || PyErr_Occurred()) {
            return result;
        }
    }
    return kr_type_error("'%.200s' object can't be concatenated", s);
}

PyObject *
PySequence_InPlaceConcat(PyObject *s, PyObject *o)
{
    if (s == NULL || o == NULL) {
        return kr_null_error();
    }
    PySequenceMethods *m = Py_TYPE(s)->tp_as_sequence;
    if (m && m->sq_inplace_concat) {
        return m->sq_inplace_concat(s, o);
    }
    if (m && m->sq_concat) {
        return m->sq_concat(s, o);
    }
    if (both_sequences(s, o)) {
        PyObject *result = try_number_op(s, o, PyNumber_InPlaceAdd);
        if (result != NULL || PyErr_Occurred()) {
            return result;
        }
    }
    return kr_type_error("'%.200s' object can't be concatenated", s);
}

/* s * count by the number protocol. */
static PyObject *
repeat_by_number(PyObject *s, Py_ssize_t count,
                 PyObject *(*op)(PyObject *, PyObject *))
{
    if (PySequence_Check(s)) {
        PyObject *n = PyLong_FromSsize_t(count);
        if (n == NULL) {
            return NULL;
        }
        PyObject *result = try_number_op(s, n, op);
        Py_DECREF(n);
        if (result != NULL || PyErr_Occurred()) {
            return result;
        }
    }
    return kr_type_error("'%.200s' object can't be repeated", s);
}

PyObject *
PySequence_Repeat(PyObject *o, Py_ssize_t count)
{
    if (o == NULL) {
        return kr_null_error();
    }
    PySequenceMethods *m = Py_TYPE(o)->tp_as_sequence;
    if (m && m->sq_repeat) {
        return m->sq_repeat(o, count);
    }
    return repeat_by_number(o, count, PyNumber_Multiply);
}

PyObject *
PySequence_InPlaceRepeat(PyObject *o, Py_ssize_t count)
{
    if (o == NULL) {
        return kr_null_error();
    }
    PySequenceMethods *m = Py_TYPE(o)->tp_as_sequence;
    if (m && m->sq_inplace_repeat) {
        return m->sq_inplace_repeat(o, count);
    }
    if (m && m->sq_repeat) {
        return m->sq_repeat(o, count);
    }
    return repeat_by_number(o, count, PyNumber_InPlaceMultiply);
}

/* Makes a negative index count from the end; -1 with an exception if the
 * length can't be had. */
static int
adjust_index(PyObject *s, PySequenceMethods *m, Py_ssize_t *i)
{
    if (*i < 0 && m->sq_length) {
        Py_ssize_t len = m->sq_length(s);
        if (len < 0) {
            return -1;
        }
        *i += len;
    }
    return 0;
}

static void
not_sequence_or(PyObject *s, bool is_mapping, const char *format)
{
    kr_type_error(is_mapping ? "%.200s is not a sequence" : format, s);
}

PyObject *
PySequence_GetItem(PyObject *s, Py_ssize_t i)
{
    if (s == NULL) {
        return kr_null_error();
    }
    PySequenceMethods *m = Py_TYPE(s)->tp_as_sequence;
    if (m && m->sq_item) {
        if (adjust_index(s, m, &i) < 0) {
            return NULL;
        }
        return m->sq_item(s, i);
    }
    PyMappingMethods *mm = Py_TYPE(s)->tp_as_mapping;
    not_sequence_or(s, mm && mm->mp_subscript,
                    "'%.200s' object does not support indexing");
    return NULL;
}

static int
sequence_ass_item(PyObject *s, Py_ssize_t i, PyObject *o, const char *format)
{
    if (s == NULL) {
        kr_null_error();
        return -1;
    }
    PySequenceMethods *m = Py_TYPE(s)->tp_as_sequence;
    if (m && m->sq_ass_item) {
        if (adjust_index(s, m, &i) < 0) {
            return -1;
        }
        return m->sq_ass_item(s, i, o);
    }
    PyMappingMethods *mm = Py_TYPE(s)->tp_as_mapping;
    not_sequence_or(s, mm && mm->mp_ass_subscript, format);
    return -1;
}

int
PySequence_SetItem(PyObject *s, Py_ssize_t i, PyObject *o)
{
    return sequence_ass_item(
        s, i, o, "'%.200s' object does not support item assignment");
}

int
PySequence_DelItem(PyObject *s, Py_ssize_t i)
{
    return sequence_ass_item(s, i, NULL,
                             "'%.200s' object doesn't support item deletion");
}

static PyObject *
slice_of(Py_ssize_t i1, Py_ssize_t i2)
{
    PyObject *start = PyLong_FromSsize_t(i1);
    PyObject *stop = PyLong_FromSsize_t(i2);
    PyObject *slice = NULL;
    if (start && stop) {
        slice = PySlice_New(start, stop, NULL);
    }
    Py_XDECREF(start);
    Py_XDECREF(stop);
    return slice;
}

PyObject *
PySequence_GetSlice(PyObject *s, Py_ssize_t i1, Py_ssize_t i2)
{
    if (s == NULL) {
        return kr_null_error();
    }
    PyMappingMethods *mm = Py_TYPE(s)->tp_as_mapping;
    if (mm && mm->mp_subscript) {
        PyObject *slice = slice_of(i1, i2);
        if (slice == NULL) {
            return NULL;
        }
        PyObject *result = mm->mp_subscript(s, slice);
        Py_DECREF(slice);
        return result;
    }
    return kr_type_error("'%.200s' object is unsliceable", s);
}

static int
ass_slice(PyObject *s, Py_ssize_t i1, Py_ssize_t i2, PyObject *o,
          const char *format)
{
    if (s == NULL) {
        kr_null_error();
        return -1;
    }
    PyMappingMethods *mm = Py_TYPE(s)->tp_as_mapping;
    if (mm && mm->mp_ass_subscript) {
        PyObject *slice = slice_of(i1, i2);
        if (slice == NULL) {
            return -1;
        }
        int result = mm->mp_ass_subscript(s, slice, o);
        Py_DECREF(slice);
        return result;
    }
    kr_type_error(format, s);
    return -1;
}

int
PySequence_SetSlice(PyObject *s, Py_ssize_t i1, Py_ssize_t i2, PyObject *o)
{
    return ass_slice(s, i1, i2, o,
                     "'%.200s' object doesn't support slice assignment");
}

int
PySequence_DelSlice(PyObject *s, Py_ssize_t i1, Py_ssize_t i2)
{
    return ass_slice(s, i1, i2, NULL,
                     "'%.200s' object doesn't support slice deletion");
}

/* --- Copies into built-in sequences --------------------------------------- */

/* Collects what is left of `it` in a tuple whose first size is a guess. */
static PyObject *
tuple_from_iter(PyObject *it, Py_ssize_t room)
{
    PyObject *result = PyTuple_New(room);
    if (result == NULL) {
        return NULL;
    }
    for (Py_ssize_t n = 0;; n++) {
        PyObject *item = PyIter_Next(it);
        if (item == NULL) {
            if (PyErr_Occurred()) {
                Py_DECREF(result);
                return NULL;
            }
            if (n < room) {
                _PyTuple_Resize(&result, n);
            }
            return result;
        }
        if (n >= room) {
            if (room > PY_SSIZE_T_MAX / 2 - 16) {
                Py_DECREF(item);
                Py_DECREF(result);
                return PyErr_NoMemory();
            }
            room += 10 + (room >> 1);
            if (_PyTuple_Resize(&result, room) < 0) {
                Py_DECREF(item);
                return NULL;
            }
        }
        PyTuple_SET_ITEM(result, n, item);
    }
}

PyObject *
PySequence_Tuple(PyObject *v)
{
    if (v == NULL) {
        return kr_null_error();
    }
    if (PyTuple_CheckExact(v)) {
        return Py_NewRef(v);
    }
    if (PyList_CheckExact(v)) {
        return PyList_AsTuple(v);
    }
    PyObject *it = PyObject_GetIter(v);
    if (it == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    Py_ssize_t n = PyObject_LengthHint(v, 10);
    if (n >= 0) {
        result = tuple_from_iter(it, n);
    }
    Py_DECREF(it);
    return result;
}

PyObject *
PySequence_List(PyObject *v)
{
    if (v == NULL) {
        return kr_null_error();
    }
    PyObject *result = PyList_New(0);
    if (result == NULL) {
        return NULL;
    }
    PyObject *none = _PyList_Extend((PyListObject *)result, v);
    if (none == NULL) {
        Py_DECREF(result);
        return NULL;
    }
    Py_DECREF(none);
    return result;
}

PyObject *
PySequence_Fast(PyObject *v, const char *message)
{
    if (v == NULL) {
        return kr_null_error();
    }
    if (PyList_CheckExact(v) || PyTuple_CheckExact(v)) {
        return Py_NewRef(v);
    }
    PyObject *it = PyObject_GetIter(v);
    if (it == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_SetString(PyExc_TypeError, message);
        }
        return NULL;
    }
    PyObject *result = PySequence_List(it);
    Py_DECREF(it);
    return result;
}

/* --- Searching ------------------------------------------------------------ */

static Py_ssize_t
search_iterator(PyObject *it, PyObject *obj, int operation)
{
    Py_ssize_t n = 0; /* matches so far, or the position */
    bool wrapped = false;

    for (;;) {
        PyObject *item = PyIter_Next(it);
        if (item == NULL) {
            break;
        }
        int cmp = PyObject_RichCompareBool(item, obj, Py_EQ);
        Py_DECREF(item);
        if (cmp < 0) {
            return -1;
        }
        if (cmp > 0) {
            if (operation == PY_ITERSEARCH_CONTAINS) {
                return 1;
            }
            if (operation == PY_ITERSEARCH_INDEX) {
                if (wrapped) {
                    PyErr_SetString(PyExc_OverflowError,
                                    "index exceeds C integer size");
                    return -1;
                }
                return n;
            }
            if (n == PY_SSIZE_T_MAX) {
                PyErr_SetString(PyExc_OverflowError,
                                "count exceeds C integer size");
                return -1;
            }
            n++;
        }
        if (operation == PY_ITERSEARCH_INDEX) {
            if (n == PY_SSIZE_T_MAX) {
                wrapped = true;
            }
            else {
                n++;
            }
        }
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    if (operation == PY_ITERSEARCH_INDEX) {
        PyErr_SetString(PyExc_ValueError,
                        "sequence.index(x): x not in sequence");
        return -1;
    }
    return operation == PY_ITERSEARCH_COUNT ? n : 0;
}

Py_ssize_t
_PySequence_IterSearch(PyObject *seq, PyObject *obj, int operation)
{
    if (seq == NULL || obj == NULL) {
        kr_null_error();
        return -1;
    }
    PyObject *it = PyObject_GetIter(seq);
    if (it == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            kr_type_error("argument of type '%.200s' is not iterable", seq);
        }
        return -1;
    }
    Py_ssize_t n = search_iterator(it, obj, operation);
    Py_DECREF(it);
    return n;
}

Py_ssize_t
PySequence_Count(PyObject *s, PyObject *o)
{
    return _PySequence_IterSearch(s, o, PY_ITERSEARCH_COUNT);
}

Py_ssize_t
PySequence_Index(PyObject *s, PyObject *o)
{
    return _PySequence_IterSearch(s, o, PY_ITERSEARCH_INDEX);
}

int
PySequence_Contains(PyObject *seq, PyObject *ob)
{
    PySequenceMethods *sqm = Py_TYPE(seq)->tp_as_sequence;
    if (sqm && sqm->sq_contains) {
        return sqm->sq_contains(seq, ob);
    }
    return (int)_PySequence_IterSearch(seq, ob, PY_ITERSEARCH_CONTAINS);
}

#undef PySequence_In
int
PySequence_In(PyObject *w, PyObject *v)
{
    return PySequence_Contains(w, v);
}

/* --- Arrays of C strings -------------------------------------------------- */

void
_Py_FreeCharPArray(char *const array[])
{
    for (Py_ssize_t i = 0; array[i] != NULL; i++) {
        PyMem_Free(array[i]);
    }
    PyMem_Free((void *)array);
}

static char *
copy_bytes_item(PyObject *seq, Py_ssize_t i)
{
    char *data;
    Py_ssize_t size;
    PyObject *item = PySequence_GetItem(seq, i);
    if (item == NULL) {
        return NULL;
    }
    /* refuses embedded NULs */
    if (PyBytes_AsStringAndSize(item, &data, NULL) < 0) {
        Py_DECREF(item);
        return NULL;
    }
    size = PyBytes_GET_SIZE(item) + 1;
    char *copy = PyMem_Malloc(size);
    if (copy == NULL) {
        PyErr_NoMemory();
    }
    else {
        memcpy(copy, data, size);
    }
    Py_DECREF(item);
    return copy;
}

char *const *
_PySequence_BytesToCharpArray(PyObject *self)
{
    Py_ssize_t argc = PySequence_Size(self);
    if (argc == -1) {
        return NULL;
    }
    if (argc > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(char *) - 1) {
        PyErr_NoMemory();
        return NULL;
    }
    char **array = PyMem_Calloc(argc + 1, sizeof(char *));
    if (array == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < argc; i++) {
        array[i] = copy_bytes_item(self, i);
        if (array[i] == NULL) {
            _Py_FreeCharPArray(array);
            return NULL;
        }
    }
    return array;
}
