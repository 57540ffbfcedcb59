/* The instructions of a pickle. A pickle is not to be trusted: every pop and
 * every length is checked. */
#include "modules/_pickle/pickle.h"

static int
unpickling_error(const char *message)
{
    PyErr_SetString(kr_pickle.unpickling_error, message);
    return -1;
}

static int
underflow(unpickler *self)
{
    return unpickling_error(self->num_marks ? "unexpected MARK found"
                                            : "unpickling stack underflow");
}

/* Steals the object, NULL passes an exception on. */
static int
push(unpickler *self, PyObject *obj)
{
    if (obj == NULL) {
        return -1;
    }
    if (self->sp == self->stack_size) {
        Py_ssize_t size = self->stack_size + self->stack_size / 2 + 16;
        PyObject **stack =
            PyMem_Realloc(self->stack, (size_t)size * sizeof *stack);
        if (stack == NULL) {
            Py_DECREF(obj);
            PyErr_NoMemory();
            return -1;
        }
        self->stack = stack;
        self->stack_size = size;
    }
    self->stack[self->sp++] = obj;
    return 0;
}

static PyObject *
pop(unpickler *self)
{
    if (self->sp <= self->fence) {
        underflow(self);
        return NULL;
    }
    return self->stack[--self->sp];
}

/* Borrowed. */
static PyObject *
top(unpickler *self)
{
    if (self->sp <= self->fence) {
        underflow(self);
        return NULL;
    }
    return self->stack[self->sp - 1];
}

static PyObject *
pop_tuple(unpickler *self, Py_ssize_t from)
{
    if (from < self->fence || from > self->sp) {
        underflow(self);
        return NULL;
    }
    PyObject *tuple = PyTuple_New(self->sp - from);
    if (tuple != NULL) {
        for (Py_ssize_t i = from; i < self->sp; i++) {
            PyTuple_SET_ITEM(tuple, i - from, self->stack[i]);
        }
        self->sp = from;
    }
    return tuple;
}

static PyObject *
pop_list(unpickler *self, Py_ssize_t from)
{
    PyObject *list = PyList_New(self->sp - from);
    if (list != NULL) {
        for (Py_ssize_t i = from; i < self->sp; i++) {
            PyList_SET_ITEM(list, i - from, self->stack[i]);
        }
        self->sp = from;
    }
    return list;
}

static int
load_mark(unpickler *self)
{
    if (self->num_marks == self->marks_size) {
        Py_ssize_t size = self->marks_size * 2 + 20;
        Py_ssize_t *marks =
            PyMem_Realloc(self->marks, (size_t)size * sizeof *marks);
        if (marks == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->marks = marks;
        self->marks_size = size;
    }
    self->marks[self->num_marks++] = self->fence = self->sp;
    return 0;
}

/* Takes the last mark away: where it was, or -1. */
static Py_ssize_t
marker(unpickler *self)
{
    if (self->num_marks < 1) {
        return unpickling_error("could not find MARK");
    }
    Py_ssize_t mark = self->marks[--self->num_marks];
    self->fence = self->num_marks ? self->marks[self->num_marks - 1] : 0;
    return mark;
}

static uint64_t
le(const char *s, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++) {
        v |= (uint64_t)(unsigned char)s[i] << 8 * i;
    }
    return v;
}

/* An unsigned number of n bytes. -1 with an exception set. */
static Py_ssize_t
read_size(unpickler *self, int n, const char *what)
{
    const char *s;
    if (kr_up_read(self, &s, n) < 0) {
        return -1;
    }
    uint64_t v = le(s, n);
    if (v > PY_SSIZE_T_MAX) {
        PyErr_Format(PyExc_OverflowError,
                     "%s exceeds system's maximum size of %zd bytes", what,
                     PY_SSIZE_T_MAX);
        return -1;
    }
    return (Py_ssize_t)v;
}

/* A line with something in it, as kr_up_readline. */
static Py_ssize_t
read_line(unpickler *self, char **s)
{
    Py_ssize_t n = kr_up_readline(self, s);
    return n == 0 || n == 1 ? kr_up_truncated() : n;
}

/* ---- numbers */

static int
load_binint(unpickler *self, int n)
{
    const char *s;
    if (kr_up_read(self, &s, n) < 0) {
        return -1;
    }
    uint64_t v = le(s, n);
    return push(self, PyLong_FromLong(n == 4 ? (long)(int32_t)v : (long)v));
}

static int
load_int(unpickler *self)
{
    char *s, *end;
    Py_ssize_t n = read_line(self, &s);
    if (n < 0) {
        return -1;
    }
    errno = 0;
    long x = strtol(s, &end, 0);
    if (errno != 0 || (*end != '\n' && *end != '\0')) {
        errno = 0;
        PyObject *v = PyLong_FromString(s, NULL, 0);
        if (v == NULL) {
            PyErr_SetString(PyExc_ValueError,
                            "could not convert string to int");
        }
        return push(self, v);
    }
    /* 01 and 00 are the bools of old protocols */
    return push(self, n == 3 && (x == 0 || x == 1) ? PyBool_FromLong(x)
                                                   : PyLong_FromLong(x));
}

static int
load_long(unpickler *self)
{
    char *s;
    Py_ssize_t n = read_line(self, &s);
    if (n < 0) {
        return -1;
    }
    if (s[n - 2] == 'L') {
        s[n - 2] = '\0';
    }
    return push(self, PyLong_FromString(s, NULL, 0));
}

static int
load_counted_long(unpickler *self, int size)
{
    const char *s;
    if (kr_up_read(self, &s, size) < 0) {
        return -1;
    }
    int64_t n = size == 4 ? (int32_t)le(s, 4) : (int64_t)le(s, 1);
    if (n < 0) {
        return unpickling_error("LONG pickle has negative byte count");
    }
    if (n == 0) {
        return push(self, PyLong_FromLong(0));
    }
    if (kr_up_read(self, &s, (Py_ssize_t)n) < 0) {
        return -1;
    }
    return push(self, _PyLong_FromByteArray((const unsigned char *)s,
                                            (size_t)n, 1, 1));
}

static int
load_float(unpickler *self)
{
    char *s, *end;
    Py_ssize_t n = read_line(self, &s);
    if (n < 0) {
        return -1;
    }
    errno = 0;
    double x = PyOS_string_to_double(s, &end, PyExc_OverflowError);
    if (x == -1.0 && PyErr_Occurred()) {
        return -1;
    }
    if (*end != '\n' && *end != '\0') {
        PyErr_SetString(PyExc_ValueError, "could not convert string to float");
        return -1;
    }
    return push(self, PyFloat_FromDouble(x));
}

static int
load_binfloat(unpickler *self)
{
    const char *s;
    if (kr_up_read(self, &s, 8) < 0) {
        return -1;
    }
    double x = PyFloat_Unpack8(s, 0);
    return x == -1.0 && PyErr_Occurred() ? -1
                                         : push(self, PyFloat_FromDouble(x));
}

/* ---- strings */

static PyObject *
decode(unpickler *self, const char *s, Py_ssize_t n)
{
    if (strcmp(self->encoding, "bytes") == 0) {
        return PyBytes_FromStringAndSize(s, n);
    }
    if (strcmp(self->errors, "strict") == 0 &&
        strcmp(self->encoding, "latin1") == 0) {
        return PyUnicode_DecodeLatin1(s, n, NULL);
    }
    return PyUnicode_Decode(s, n, self->encoding, self->errors);
}

static int
load_string(unpickler *self)
{
    char *s;
    Py_ssize_t n = kr_up_readline(self, &s);
    if (n < 0) {
        return -1;
    }
    n--;
    if (n < 2 || s[0] != s[n - 1] || (s[0] != '\'' && s[0] != '"')) {
        return unpickling_error("the STRING opcode argument must be quoted");
    }
    PyObject *bytes = PyBytes_DecodeEscape(s + 1, n - 2, NULL, 0, NULL);
    if (bytes == NULL || strcmp(self->encoding, "bytes") == 0) {
        return push(self, bytes);
    }
    PyObject *str = PyUnicode_FromEncodedObject(bytes, self->encoding,
                                                self->errors);
    Py_DECREF(bytes);
    return push(self, str);
}

static int
load_binstring(unpickler *self, int size)
{
    const char *s;
    Py_ssize_t n = read_size(self, size, "BINSTRING");
    if (n < 0 || kr_up_read(self, &s, n) < 0) {
        return -1;
    }
    return push(self, decode(self, s, n));
}

static int
load_unicode(unpickler *self)
{
    char *s;
    Py_ssize_t n = kr_up_readline(self, &s);
    if (n < 1) {
        return n < 0 ? -1 : kr_up_truncated();
    }
    return push(self, PyUnicode_DecodeRawUnicodeEscape(s, n - 1, NULL));
}

static int
load_binunicode(unpickler *self, int size)
{
    const char *s;
    Py_ssize_t n = read_size(self, size, "BINUNICODE");
    if (n < 0 || kr_up_read(self, &s, n) < 0) {
        return -1;
    }
    return push(self, PyUnicode_DecodeUTF8(s, n, "surrogatepass"));
}

/* Whether n bytes can be there at all; saves allocating what a lie asks. */
static bool
plausible(unpickler *self, Py_ssize_t n)
{
    return self->read != NULL || n <= self->in_len - self->pos ||
           n > PY_SSIZE_T_MAX - 64; /* MemoryError is right then */
}

/* A bytes object, or a bytearray, behind a size of that many bytes. */
static int
load_bytes(unpickler *self, int size, bool array)
{
    Py_ssize_t n = read_size(self, size, array ? "BYTEARRAY8" : "BINBYTES");
    if (n < 0) {
        return -1;
    }
    if (!plausible(self, n)) {
        return kr_up_truncated();
    }
    PyObject *obj = array ? PyByteArray_FromStringAndSize(NULL, n)
                          : PyBytes_FromStringAndSize(NULL, n);
    if (obj == NULL) {
        return -1;
    }
    char *data = array ? PyByteArray_AS_STRING(obj) : PyBytes_AS_STRING(obj);
    if (kr_up_read_into(self, data, n) < 0) {
        Py_DECREF(obj);
        return -1;
    }
    return push(self, obj);
}

/* ---- out-of-band buffers */

static int
load_next_buffer(unpickler *self)
{
    if (self->buffers == NULL) {
        return unpickling_error(
            "pickle stream refers to out-of-band data but no *buffers* "
            "argument was given");
    }
    PyObject *buffer = PyIter_Next(self->buffers);
    if (buffer == NULL) {
        return PyErr_Occurred()
                   ? -1
                   : unpickling_error("not enough out-of-band buffers");
    }
    return push(self, buffer);
}

static int
load_readonly_buffer(unpickler *self)
{
    PyObject *buffer = pop(self);
    PyObject *view = buffer ? PyMemoryView_FromObject(buffer) : NULL;
    if (view == NULL) {
        Py_XDECREF(buffer);
        return -1;
    }
    if (PyMemoryView_GET_BUFFER(view)->readonly) {
        Py_DECREF(view);
        return push(self, buffer);
    }
    Py_DECREF(buffer);
    PyObject *frozen = PyObject_CallMethodNoArgs(view, KR_ID(toreadonly));
    Py_DECREF(view);
    return push(self, frozen);
}

/* ---- containers */

static int
load_small_tuple(unpickler *self, int n)
{
    return self->sp - n < self->fence
               ? underflow(self)
               : push(self, pop_tuple(self, self->sp - n));
}

/* What was pushed since the mark, made into a container of a kind. */
static int
load_marked(unpickler *self, int op)
{
    Py_ssize_t mark = marker(self);
    if (mark < 0) {
        return -1;
    }
    if (mark > self->sp) {
        return underflow(self);
    }
    if (op == TUPLE) {
        return push(self, pop_tuple(self, mark));
    }
    if (op == LIST) {
        return push(self, pop_list(self, mark));
    }
    if (op == FROZENSET) {
        PyObject *items = pop_tuple(self, mark);
        PyObject *set = items ? PyFrozenSet_New(items) : NULL;
        Py_XDECREF(items);
        return push(self, set);
    }
    if ((self->sp - mark) % 2 != 0) {
        return unpickling_error("odd number of items for DICT");
    }
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = mark; dict && i + 1 < self->sp; i += 2) {
        if (PyDict_SetItem(dict, self->stack[i], self->stack[i + 1]) < 0) {
            Py_CLEAR(dict);
        }
    }
    kr_up_stack_clear(self, mark);
    return push(self, dict);
}

/* Whether items from `from` on have a container below them: the container, a
 * new reference, or NULL; *empty if there are no items. */
static PyObject *
container_below(unpickler *self, Py_ssize_t from, bool *empty)
{
    *empty = false;
    if (from > self->sp || from <= self->fence) {
        underflow(self);
        return NULL;
    }
    *empty = from == self->sp;
    return *empty ? NULL : Py_NewRef(self->stack[from - 1]);
}

/* Calls the method with each item. */
static int
call_each(PyObject *method, PyObject *items)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        PyObject *r =
            PyObject_CallOneArg(method, PyList_GET_ITEM(items, i));
        if (r == NULL) {
            return -1;
        }
        Py_DECREF(r);
    }
    return 0;
}

static int
extend(PyObject *list, PyObject *items)
{
    if (PyList_CheckExact(list)) {
        Py_ssize_t n = PyList_GET_SIZE(list);
        return PyList_SetSlice(list, n, n, items);
    }
    PyObject *method;
    if (_PyObject_LookupAttr(list, KR_ID(extend), &method) < 0) {
        return -1;
    }
    int rc;
    if (method != NULL) {
        PyObject *r = PyObject_CallOneArg(method, items);
        rc = r == NULL ? -1 : 0;
        Py_XDECREF(r);
    }
    else {
        method = PyObject_GetAttr(list, KR_ID(append));
        rc = method ? call_each(method, items) : -1;
    }
    Py_XDECREF(method);
    return rc;
}

static int
do_append(unpickler *self, Py_ssize_t from)
{
    bool empty;
    PyObject *list = container_below(self, from, &empty);
    if (list == NULL) {
        return empty ? 0 : -1;
    }
    int rc;
    if (self->sp - from == 1 && PyList_CheckExact(list)) {
        rc = PyList_Append(list, self->stack[from]);
        kr_up_stack_clear(self, from);
    }
    else {
        PyObject *items = pop_list(self, from);
        rc = items ? extend(list, items) : -1;
        Py_XDECREF(items);
    }
    Py_DECREF(list);
    return rc;
}

static int
do_setitems(unpickler *self, Py_ssize_t from)
{
    bool empty;
    PyObject *dict = container_below(self, from, &empty);
    if (dict == NULL) {
        return empty ? 0 : -1;
    }
    if ((self->sp - from) % 2 != 0) {
        Py_DECREF(dict);
        return unpickling_error("odd number of items for SETITEMS");
    }
    /* taken off the stack: __setitem__ can do anything */
    PyObject *items = pop_list(self, from);
    int rc = items ? 0 : -1;
    bool exact = PyDict_CheckExact(dict);
    for (Py_ssize_t i = 0; rc == 0 && i + 1 < PyList_GET_SIZE(items); i += 2) {
        PyObject *key = PyList_GET_ITEM(items, i),
                 *value = PyList_GET_ITEM(items, i + 1);
        rc = exact ? PyDict_SetItem(dict, key, value)
                   : PyObject_SetItem(dict, key, value);
    }
    Py_XDECREF(items);
    Py_DECREF(dict);
    return rc < 0 ? -1 : 0;
}

static int
load_additems(unpickler *self)
{
    Py_ssize_t mark = marker(self);
    bool empty;
    if (mark < 0) {
        return -1;
    }
    PyObject *set = container_below(self, mark, &empty);
    if (set == NULL) {
        return empty ? 0 : -1;
    }
    PyObject *items = pop_list(self, mark);
    int rc = -1;
    if (items != NULL && PySet_Check(set)) {
        rc = _PySet_Update(set, items);
    }
    else if (items != NULL) {
        PyObject *method = PyObject_GetAttr(set, KR_ID(add));
        rc = method ? call_each(method, items) : -1;
        Py_XDECREF(method);
    }
    Py_XDECREF(items);
    Py_DECREF(set);
    return rc;
}

static int
load_pop(unpickler *self)
{
    /* a mark may lie on top */
    if (self->num_marks > 0 && self->marks[self->num_marks - 1] == self->sp) {
        return marker(self) < 0 ? -1 : 0;
    }
    PyObject *item = pop(self);
    Py_XDECREF(item);
    return item == NULL ? -1 : 0;
}

/* ---- names */

static PyObject *
read_name(unpickler *self)
{
    char *s;
    Py_ssize_t n = read_line(self, &s);
    return n < 0 ? NULL : PyUnicode_DecodeUTF8(s, n - 1, "strict");
}

static PyObject *
find_class(unpickler *self, PyObject *module, PyObject *name)
{
    if (Py_IS_TYPE(self, &kr_unpickler_type)) {
        return kr_up_find_class(self, module, name);
    }
    return PyObject_CallMethodObjArgs((PyObject *)self, KR_ID(find_class),
                                      module, name, NULL);
}

static PyObject *
read_class(unpickler *self)
{
    PyObject *module = read_name(self);
    PyObject *name = module ? read_name(self) : NULL;
    PyObject *cls = name ? find_class(self, module, name) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(name);
    return cls;
}

static int
load_stack_global(unpickler *self)
{
    PyObject *name = pop(self), *module = name ? pop(self) : NULL;
    int rc = -1;
    if (module == NULL || !PyUnicode_CheckExact(name) || !PyUnicode_CheckExact(module)) {
        unpickling_error("STACK_GLOBAL requires str");
    }
    else {
        rc = push(self, find_class(self, module, name));
    }
    Py_XDECREF(name);
    Py_XDECREF(module);
    return rc;
}

static int
load_extension(unpickler *self, int size)
{
    const char *s;
    if (kr_up_read(self, &s, size) < 0) {
        return -1;
    }
    long code = size == 4 ? (long)(int32_t)le(s, 4) : (long)le(s, size);
    if (code <= 0) {
        return unpickling_error("EXT specifies code <= 0");
    }
    PyObject *key = PyLong_FromLong(code), *obj = NULL;
    if (key == NULL) {
        return -1;
    }
    obj = PyDict_GetItemWithError(kr_pickle.extension_cache, key);
    if (obj != NULL || PyErr_Occurred()) {
        Py_DECREF(key);
        return push(self, Py_XNewRef(obj));
    }
    PyObject *pair = PyDict_GetItemWithError(kr_pickle.inverted_registry, key);
    if (pair == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "unregistered extension code %ld",
                         code);
        }
    }
    else if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 ||
             !PyUnicode_Check(PyTuple_GET_ITEM(pair, 0)) ||
             !PyUnicode_Check(PyTuple_GET_ITEM(pair, 1))) {
        PyErr_Format(PyExc_ValueError,
                     "_inverted_registry[%ld] isn't a 2-tuple of strings",
                     code);
    }
    else {
        Py_INCREF(pair);
        obj = find_class(self, PyTuple_GET_ITEM(pair, 0),
                         PyTuple_GET_ITEM(pair, 1));
        Py_DECREF(pair);
        if (obj != NULL &&
            PyDict_SetItem(kr_pickle.extension_cache, key, obj) < 0) {
            Py_CLEAR(obj);
        }
    }
    Py_DECREF(key);
    return push(self, obj);
}

/* ---- objects */

/* As INST and OBJ do; steals both. */
static PyObject *
instantiate(PyObject *cls, PyObject *args)
{
    PyObject *obj = NULL, *init = NULL;
    if (cls == NULL || args == NULL) {
    }
    else if (PyTuple_GET_SIZE(args) == 0 && PyType_Check(cls)) {
        /* an instance of a class without arguments for __init__ */
        if (_PyObject_LookupAttr(cls, KR_ID(__getinitargs__), &init) == 0) {
            obj = PyObject_CallMethodOneArg(cls, KR_ID(__new__), cls);
        }
        else if (init != NULL) {
            obj = PyObject_CallObject(cls, args);
        }
        Py_XDECREF(init);
    }
    else {
        obj = PyObject_CallObject(cls, args);
    }
    Py_XDECREF(cls);
    Py_XDECREF(args);
    return obj;
}

static int
load_obj(unpickler *self)
{
    Py_ssize_t mark = marker(self);
    if (mark < 0) {
        return -1;
    }
    if (self->sp - mark < 1) {
        return underflow(self);
    }
    PyObject *args = pop_tuple(self, mark + 1);
    PyObject *cls = args ? pop(self) : NULL;
    return push(self, instantiate(cls, args));
}

static int
load_inst(unpickler *self)
{
    Py_ssize_t mark = marker(self);
    if (mark < 0) {
        return -1;
    }
    PyObject *cls = read_class(self);
    if (cls == NULL) {
        return -1;
    }
    return push(self, instantiate(cls, pop_tuple(self, mark)));
}

static int
wrong_argument(const char *op, const char *what, const char *must,
               PyObject *obj)
{
    PyErr_Format(kr_pickle.unpickling_error,
                 "%s %s argument must be a %s, not %.200s", op, what, must,
                 Py_TYPE(obj)->tp_name);
    return -1;
}

static int
load_newobj(unpickler *self, bool ex)
{
    const char *op = ex ? "NEWOBJ_EX" : "NEWOBJ";
    PyObject *kwargs = NULL, *args, *cls, *obj = NULL;
    if (ex && (kwargs = pop(self)) == NULL) {
        return -1;
    }
    args = pop(self);
    cls = args ? pop(self) : NULL;
    if (cls == NULL) {
    }
    else if (!PyType_Check(cls)) {
        wrong_argument(op, "class", "type", cls);
    }
    else if (((PyTypeObject *)cls)->tp_new == NULL) {
        PyErr_Format(kr_pickle.unpickling_error,
                     "%s class argument '%.200s' doesn't have __new__", op,
                     ((PyTypeObject *)cls)->tp_name);
    }
    else if (!PyTuple_Check(args)) {
        wrong_argument(op, "args", "tuple", args);
    }
    else if (ex && !PyDict_Check(kwargs)) {
        wrong_argument(op, "kwargs", "dict", kwargs);
    }
    else {
        PyTypeObject *type = (PyTypeObject *)cls;
        obj = type->tp_new(type, args, kwargs);
    }
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    Py_XDECREF(cls);
    return push(self, obj);
}

static int
load_reduce(unpickler *self)
{
    PyObject *args = pop(self), *callable = args ? pop(self) : NULL;
    PyObject *obj = NULL;
    if (callable != NULL) {
        obj = PyObject_CallObject(callable, args);
    }
    Py_XDECREF(callable);
    Py_XDECREF(args);
    return push(self, obj);
}

static int
set_dict(PyObject *inst, PyObject *state)
{
    if (!PyDict_Check(state)) {
        return unpickling_error("state is not a dictionary");
    }
    PyObject *dict = PyObject_GetAttr(inst, KR_ID(__dict__)), *key, *value;
    Py_ssize_t pos = 0;
    int rc = dict ? 0 : -1;
    while (rc == 0 && PyDict_Next(state, &pos, &key, &value)) {
        Py_INCREF(key);
        Py_INCREF(value);
        if (PyUnicode_CheckExact(key)) {
            /* so will the attributes of all instances share their names */
            PyUnicode_InternInPlace(&key);
        }
        rc = PyObject_SetItem(dict, key, value);
        Py_DECREF(key);
        Py_DECREF(value);
    }
    Py_XDECREF(dict);
    return rc;
}

static int
set_slots(PyObject *inst, PyObject *state)
{
    if (!PyDict_Check(state)) {
        return unpickling_error("slot state is not a dictionary");
    }
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    int rc = 0;
    while (rc == 0 && PyDict_Next(state, &pos, &key, &value)) {
        Py_INCREF(key);
        Py_INCREF(value);
        rc = PyObject_SetAttr(inst, key, value);
        Py_DECREF(key);
        Py_DECREF(value);
    }
    return rc;
}

static int
build(PyObject *inst, PyObject *state)
{
    PyObject *setstate;
    if (_PyObject_LookupAttr(inst, KR_ID(__setstate__), &setstate) < 0) {
        return -1;
    }
    if (setstate != NULL) {
        PyObject *r = PyObject_CallOneArg(setstate, state);
        Py_DECREF(setstate);
        Py_XDECREF(r);
        return r == NULL ? -1 : 0;
    }
    PyObject *slots = NULL;
    if (PyTuple_Check(state) && PyTuple_GET_SIZE(state) == 2) {
        slots = PyTuple_GET_ITEM(state, 1);
        state = PyTuple_GET_ITEM(state, 0);
    }
    if (state != Py_None && set_dict(inst, state) < 0) {
        return -1;
    }
    return slots != NULL && slots != Py_None ? set_slots(inst, slots) : 0;
}

static int
load_build(unpickler *self)
{
    if (self->sp - 2 < self->fence) {
        return underflow(self);
    }
    PyObject *state = pop(self), *inst = Py_NewRef(top(self));
    int rc = build(inst, state);
    Py_DECREF(inst);
    Py_DECREF(state);
    return rc;
}

/* ---- persistent ids */

static int
load_pid(unpickler *self, PyObject *pid)
{
    PyObject *obj =
        pid ? kr_hook_call(&self->persistent_load, (PyObject *)self, pid)
            : NULL;
    Py_XDECREF(pid);
    return push(self, obj);
}

static int
load_persid(unpickler *self, bool binary)
{
    if (self->persistent_load.func == NULL) {
        return unpickling_error(
            "A load persistent id instruction was encountered,\n"
            "but no persistent_load function was specified.");
    }
    if (binary) {
        return load_pid(self, pop(self));
    }
    char *s;
    Py_ssize_t n = kr_up_readline(self, &s);
    if (n < 1) {
        return n < 0 ? -1 : kr_up_truncated();
    }
    PyObject *pid = PyUnicode_DecodeASCII(s, n - 1, "strict");
    if (pid == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        return unpickling_error(
            "persistent IDs in protocol 0 must be ASCII strings");
    }
    return load_pid(self, pid);
}

/* ---- memo */

static int
get(unpickler *self, Py_ssize_t index)
{
    PyObject *obj = index < 0 ? NULL : kr_up_memo_get(self, index);
    if (obj == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(kr_pickle.unpickling_error,
                         "Memo value not found at index %zd", index);
        }
        return -1;
    }
    return push(self, Py_NewRef(obj));
}

/* -1 with an exception set if the line is no number. */
static Py_ssize_t
read_index(unpickler *self)
{
    char *s;
    if (read_line(self, &s) < 0) {
        return -1;
    }
    PyObject *key = PyLong_FromString(s, NULL, 10);
    if (key == NULL) {
        return -1;
    }
    Py_ssize_t index = PyLong_AsSsize_t(key);
    Py_DECREF(key);
    return index;
}

static int
load_get(unpickler *self)
{
    Py_ssize_t index = read_index(self);
    return index == -1 && PyErr_Occurred() ? -1 : get(self, index);
}

static int
load_put(unpickler *self)
{
    Py_ssize_t index = read_index(self);
    if (index < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "negative PUT argument");
        }
        return -1;
    }
    PyObject *obj = top(self);
    return obj ? kr_up_memo_put(self, index, obj) : -1;
}

static int
load_binget(unpickler *self, int size)
{
    const char *s;
    return kr_up_read(self, &s, size) < 0 ? -1
                                          : get(self, (Py_ssize_t)le(s, size));
}

static int
load_binput(unpickler *self, int size)
{
    const char *s;
    if (kr_up_read(self, &s, size) < 0) {
        return -1;
    }
    Py_ssize_t index = (Py_ssize_t)le(s, size);
    PyObject *obj = top(self);
    return obj ? kr_up_memo_put(self, index, obj) : -1;
}

static int
load_memoize(unpickler *self)
{
    PyObject *obj = top(self);
    Py_ssize_t n = self->memo_used;
    if (self->sparse_memo != NULL) {
        n += PyDict_GET_SIZE(self->sparse_memo);
    }
    return obj ? kr_up_memo_put(self, n, obj) : -1;
}

/* ---- the rest */

static int
load_proto(unpickler *self)
{
    const char *s;
    if (kr_up_read(self, &s, 1) < 0) {
        return -1;
    }
    int proto = (unsigned char)*s;
    if (proto > HIGHEST_PROTOCOL) {
        PyErr_Format(PyExc_ValueError, "unsupported pickle protocol: %d",
                     proto);
        return -1;
    }
    self->proto = proto;
    return 0;
}

static int
load_frame(unpickler *self)
{
    const char *s;
    if (kr_up_read(self, &s, 8) < 0) {
        return -1;
    }
    uint64_t n = le(s, 8);
    if (n > PY_SSIZE_T_MAX) {
        PyErr_Format(PyExc_OverflowError,
                     "FRAME length exceeds system's maximum of %zd bytes",
                     PY_SSIZE_T_MAX);
        return -1;
    }
    if (kr_up_read(self, &s, (Py_ssize_t)n) < 0) {
        return -1;
    }
    self->pos -= (Py_ssize_t)n; /* it only had to be there */
    return 0;
}

static int
invalid_key(unsigned char c)
{
    if (c >= 0x20 && c <= 0x7e && c != '\'' && c != '\\') {
        PyErr_Format(kr_pickle.unpickling_error, "invalid load key, '%c'.", c);
    }
    else {
        PyErr_Format(kr_pickle.unpickling_error, "invalid load key, '\\x%02x'.",
                     c);
    }
    return -1;
}

static int
step(unpickler *self, unsigned char op)
{
    Py_ssize_t mark;
    switch (op) {
    case NONE: return push(self, Py_NewRef(Py_None));
    case BININT: return load_binint(self, 4);
    case BININT1: return load_binint(self, 1);
    case BININT2: return load_binint(self, 2);
    case INT: return load_int(self);
    case LONG: return load_long(self);
    case LONG1: return load_counted_long(self, 1);
    case LONG4: return load_counted_long(self, 4);
    case FLOAT: return load_float(self);
    case BINFLOAT: return load_binfloat(self);
    case SHORT_BINBYTES: return load_bytes(self, 1, false);
    case BINBYTES: return load_bytes(self, 4, false);
    case BINBYTES8: return load_bytes(self, 8, false);
    case BYTEARRAY8: return load_bytes(self, 8, true);
    case NEXT_BUFFER: return load_next_buffer(self);
    case READONLY_BUFFER: return load_readonly_buffer(self);
    case SHORT_BINSTRING: return load_binstring(self, 1);
    case BINSTRING: return load_binstring(self, 4);
    case STRING: return load_string(self);
    case UNICODE: return load_unicode(self);
    case SHORT_BINUNICODE: return load_binunicode(self, 1);
    case BINUNICODE: return load_binunicode(self, 4);
    case BINUNICODE8: return load_binunicode(self, 8);
    case EMPTY_TUPLE: return push(self, PyTuple_New(0));
    case TUPLE1: return load_small_tuple(self, 1);
    case TUPLE2: return load_small_tuple(self, 2);
    case TUPLE3: return load_small_tuple(self, 3);
    case TUPLE:
    case LIST:
    case DICT:
    case FROZENSET: return load_marked(self, op);
    case EMPTY_LIST: return push(self, PyList_New(0));
    case EMPTY_DICT: return push(self, PyDict_New());
    case EMPTY_SET: return push(self, PySet_New(NULL));
    case ADDITEMS: return load_additems(self);
    case OBJ: return load_obj(self);
    case INST: return load_inst(self);
    case NEWOBJ: return load_newobj(self, false);
    case NEWOBJ_EX: return load_newobj(self, true);
    case GLOBAL: return push(self, read_class(self));
    case STACK_GLOBAL: return load_stack_global(self);
    case APPEND: return do_append(self, self->sp - 1);
    case APPENDS:
        mark = marker(self);
        return mark < 0 ? -1 : do_append(self, mark);
    case SETITEM: return do_setitems(self, self->sp - 2);
    case SETITEMS:
        mark = marker(self);
        return mark < 0 ? -1 : do_setitems(self, mark);
    case BUILD: return load_build(self);
    case DUP: return push(self, Py_XNewRef(top(self)));
    case BINGET: return load_binget(self, 1);
    case LONG_BINGET: return load_binget(self, 4);
    case GET: return load_get(self);
    case MARK: return load_mark(self);
    case BINPUT: return load_binput(self, 1);
    case LONG_BINPUT: return load_binput(self, 4);
    case PUT: return load_put(self);
    case MEMOIZE: return load_memoize(self);
    case POP: return load_pop(self);
    case POP_MARK:
        mark = marker(self);
        if (mark < 0) {
            return -1;
        }
        kr_up_stack_clear(self, mark);
        return 0;
    case PERSID: return load_persid(self, false);
    case BINPERSID: return load_persid(self, true);
    case REDUCE: return load_reduce(self);
    case PROTO: return load_proto(self);
    case FRAME: return load_frame(self);
    case EXT1: return load_extension(self, 1);
    case EXT2: return load_extension(self, 2);
    case EXT4: return load_extension(self, 4);
    case NEWTRUE: return push(self, Py_NewRef(Py_True));
    case NEWFALSE: return push(self, Py_NewRef(Py_False));
    default: return invalid_key(op);
    }
}

PyObject *
kr_up_run(unpickler *self)
{
    const char *s;
    self->num_marks = 0;
    self->fence = 0;
    self->proto = 0;
    kr_up_stack_clear(self, 0);
    for (;;) {
        if (kr_up_read(self, &s, 1) < 0) {
            if (PyErr_ExceptionMatches(kr_pickle.unpickling_error)) {
                PyErr_SetString(PyExc_EOFError, "Ran out of input");
            }
            return NULL;
        }
        unsigned char op = (unsigned char)*s;
        if (op == STOP) {
            break;
        }
        if (step(self, op) < 0) {
            return NULL;
        }
    }
    if (kr_up_skip_consumed(self) < 0) {
        return NULL;
    }
    return pop(self);
}
