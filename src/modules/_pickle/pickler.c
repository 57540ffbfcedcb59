/* _pickle.Pickler: output with framing, dispatch by type, the memo proxy. */
#include "modules/_pickle/pickle.h"

#include <structmember.h>

#include "modules/kwargs.h"

#define PK(op) ((pickler *)(op))

/* ---- output */

static int
reserve(pickler *self, Py_ssize_t n)
{
    if (n <= self->out_size - self->out_len) {
        return 0;
    }
    if (n > PY_SSIZE_T_MAX / 2 - self->out_len) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t size = (self->out_len + n) / 2 * 3 + 64;
    char *out = PyMem_Realloc(self->out, (size_t)size);
    if (out == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->out = out;
    self->out_size = size;
    return 0;
}

int
kr_pk_write(pickler *self, const void *data, Py_ssize_t n)
{
    bool open = self->framing && self->frame_start == -1;
    if (reserve(self, n + (open ? FRAME_HEADER_SIZE : 0)) < 0) {
        return -1;
    }
    if (open) {
        /* the header is written when the length is known */
        self->frame_start = self->out_len;
        memset(self->out + self->out_len, 0, FRAME_HEADER_SIZE);
        self->out_len += FRAME_HEADER_SIZE;
    }
    memcpy(self->out + self->out_len, data, (size_t)n);
    self->out_len += n;
    return 0;
}

int
kr_pk_op(pickler *self, int op)
{
    char c = (char)op;
    return kr_pk_write(self, &c, 1);
}

static void
close_frame(pickler *self)
{
    if (!self->framing || self->frame_start == -1) {
        return;
    }
    char *head = self->out + self->frame_start;
    uint64_t len =
        (uint64_t)(self->out_len - self->frame_start - FRAME_HEADER_SIZE);
    if (len >= FRAME_SIZE_MIN) {
        head[0] = (char)FRAME;
        for (int i = 0; i < 8; i++) {
            head[1 + i] = (char)(len >> 8 * i);
        }
    }
    else {
        memmove(head, head + FRAME_HEADER_SIZE, len);
        self->out_len -= FRAME_HEADER_SIZE;
    }
    self->frame_start = -1;
}

static PyObject *
take_output(pickler *self)
{
    close_frame(self);
    return PyBytes_FromStringAndSize(self->out, self->out_len);
}

static int
flush(pickler *self)
{
    PyObject *bytes = take_output(self);
    if (bytes == NULL) {
        return -1;
    }
    self->out_len = 0;
    PyObject *r = PyObject_CallOneArg(self->write, bytes);
    Py_DECREF(bytes);
    Py_XDECREF(r);
    return r == NULL ? -1 : 0;
}

int
kr_pk_boundary(pickler *self)
{
    if (!self->framing || self->frame_start == -1 ||
        self->out_len - self->frame_start - FRAME_HEADER_SIZE <
            FRAME_SIZE_TARGET) {
        return 0;
    }
    close_frame(self);
    return self->write != NULL ? flush(self) : 0;
}

int
kr_pk_write_large(pickler *self, const void *head, Py_ssize_t head_size,
                  const void *data, Py_ssize_t size, PyObject *payload)
{
    if (size < FRAME_SIZE_TARGET) {
        return kr_pk_write(self, head, head_size) < 0
                   ? -1
                   : kr_pk_write(self, data, size);
    }
    /* goes out by itself, between two frames */
    bool framing = self->framing;
    close_frame(self);
    self->framing = false;
    int rc = kr_pk_write(self, head, head_size);
    if (rc == 0 && self->write != NULL) {
        rc = flush(self);
        PyObject *whole = payload != NULL
                              ? Py_NewRef(payload)
                              : PyBytes_FromStringAndSize(data, size);
        PyObject *r = rc == 0 && whole != NULL
                          ? PyObject_CallOneArg(self->write, whole)
                          : NULL;
        rc = r == NULL ? -1 : 0;
        Py_XDECREF(r);
        Py_XDECREF(whole);
    }
    else if (rc == 0) {
        rc = kr_pk_write(self, data, size);
    }
    self->framing = framing;
    return rc;
}

/* ---- memo */

bool
kr_pk_in_memo(pickler *self, PyObject *obj, Py_ssize_t *index)
{
    *index = kr_memo_find(&self->memo, obj);
    return *index >= 0;
}

static int
write_index(pickler *self, Py_ssize_t i, int text, int op1, int op4)
{
    char buf[32];
    if (!self->bin) {
        return kr_pk_write(self, buf,
                           snprintf(buf, sizeof buf, "%c%zd\n", text, i));
    }
    if ((uint64_t)i > 0xffffffffu) {
        PyErr_SetString(kr_pickle.pickling_error,
                        text == PUT ? "memo id too large for LONG_BINPUT"
                                    : "memo id too large for LONG_BINGET");
        return -1;
    }
    int n = i < 256 ? 1 : 4;
    buf[0] = (char)(n == 1 ? op1 : op4);
    for (int k = 0; k < n; k++) {
        buf[k + 1] = (char)(i >> 8 * k);
    }
    return kr_pk_write(self, buf, n + 1);
}

int
kr_pk_memo_put(pickler *self, PyObject *obj)
{
    if (self->fast) {
        return 0;
    }
    Py_ssize_t i = (Py_ssize_t)self->memo.used;
    if (kr_memo_set(&self->memo, obj, i) < 0) {
        return -1;
    }
    return self->proto >= 4 ? kr_pk_op(self, MEMOIZE)
                            : write_index(self, i, PUT, BINPUT, LONG_BINPUT);
}

int
kr_pk_memo_get(pickler *self, Py_ssize_t index)
{
    return write_index(self, index, GET, BINGET, LONG_BINGET);
}

/* ---- dispatch */

/* 1 if the object has gone out as a persistent id. */
static int
save_persistent(pickler *self, PyObject *obj)
{
    PyObject *pid = kr_hook_call(&self->persistent_id, (PyObject *)self, obj);
    if (pid == NULL || pid == Py_None) {
        Py_XDECREF(pid);
        return pid == NULL ? -1 : 0;
    }
    int rc = -1;
    if (self->bin) {
        rc = kr_pk_save(self, pid, true) < 0 || kr_pk_op(self, BINPERSID) < 0
                 ? -1
                 : 1;
    }
    else {
        PyObject *text = PyObject_Str(pid);
        if (text != NULL && !PyUnicode_IS_ASCII(text)) {
            PyErr_SetString(kr_pickle.pickling_error,
                            "persistent IDs in protocol 0 must be ASCII "
                            "strings");
        }
        else if (text != NULL) {
            rc = kr_pk_op(self, PERSID) < 0 ||
                         kr_pk_write(self, PyUnicode_1BYTE_DATA(text),
                                     PyUnicode_GET_LENGTH(text)) < 0 ||
                         kr_pk_write(self, "\n", 1) < 0
                     ? -1
                     : 1;
        }
        Py_XDECREF(text);
    }
    Py_DECREF(pid);
    return rc;
}

/* A function registered for the type, or NULL; owned. */
static PyObject *
find_reducer(pickler *self, PyTypeObject *type)
{
    if (self->dispatch_table == NULL) {
        return Py_XNewRef(PyDict_GetItemWithError(kr_pickle.dispatch_table,
                                                  (PyObject *)type));
    }
    PyObject *f = PyObject_GetItem(self->dispatch_table, (PyObject *)type);
    if (f == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
    }
    return f;
}

static PyObject *
call_reduce(pickler *self, PyObject *obj)
{
    PyObject *f, *r = NULL;
    if (_PyObject_LookupAttr(obj, KR_ID(__reduce_ex__), &f) < 0) {
        return NULL;
    }
    if (f != NULL) {
        PyObject *proto = PyLong_FromLong(self->proto);
        if (proto != NULL) {
            r = PyObject_CallOneArg(f, proto);
            Py_DECREF(proto);
        }
        Py_DECREF(f);
        return r;
    }
    if (_PyObject_LookupAttr(obj, KR_ID(__reduce__), &f) < 0) {
        return NULL;
    }
    if (f == NULL) {
        PyErr_Format(kr_pickle.pickling_error,
                     "can't pickle '%.200s' object: %R", Py_TYPE(obj)->tp_name,
                     obj);
        return NULL;
    }
    r = PyObject_CallNoArgs(f);
    Py_DECREF(f);
    return r;
}

static int
save_reduced(pickler *self, PyObject *value, PyObject *obj)
{
    int rc = -1;
    if (value == NULL) {
        return -1;
    }
    if (PyUnicode_Check(value)) {
        rc = kr_pk_save_global(self, obj, value);
    }
    else if (!PyTuple_Check(value)) {
        PyErr_SetString(kr_pickle.pickling_error,
                        "__reduce__ must return a string or tuple");
    }
    else {
        rc = kr_pk_save_reduce(self, value, obj);
    }
    Py_DECREF(value);
    return rc;
}

static int
save_other(pickler *self, PyObject *obj)
{
    PyTypeObject *type = Py_TYPE(obj);
    if (self->reducer_override != NULL) {
        PyObject *value = PyObject_CallOneArg(self->reducer_override, obj);
        if (value != Py_NotImplemented) {
            return save_reduced(self, value, obj);
        }
        Py_DECREF(value);
    }
    if (type == &PyType_Type) {
        return kr_pk_save_type(self, obj);
    }
    if (type == &PyFunction_Type) {
        return kr_pk_save_global(self, obj, NULL);
    }
    PyObject *f = find_reducer(self, type);
    if (f != NULL) {
        PyObject *value = PyObject_CallOneArg(f, obj);
        Py_DECREF(f);
        return save_reduced(self, value, obj);
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    if (PyType_IsSubtype(type, &PyType_Type)) {
        return kr_pk_save_global(self, obj, NULL);
    }
    return save_reduced(self, call_reduce(self, obj), obj);
}

static int
save_container(pickler *self, PyObject *obj, PyTypeObject *type)
{
    if (Py_EnterRecursiveCall(" while pickling an object")) {
        return -1;
    }
    int rc = type == &PyDict_Type           ? kr_pk_save_dict(self, obj)
             : type == &PySet_Type          ? kr_pk_save_set(self, obj)
             : type == &PyFrozenSet_Type    ? kr_pk_save_frozenset(self, obj)
             : type == &PyList_Type         ? kr_pk_save_list(self, obj)
             : type == &PyTuple_Type        ? kr_pk_save_tuple(self, obj)
             : type == &PyByteArray_Type    ? kr_pk_save_bytearray(self, obj)
             : type == &PyPickleBuffer_Type ? kr_pk_save_buffer(self, obj)
                                            : save_other(self, obj);
    Py_LeaveRecursiveCall();
    return rc;
}

int
kr_pk_save(pickler *self, PyObject *obj, bool is_pid)
{
    if (kr_pk_boundary(self) < 0) {
        return -1;
    }
    if (!is_pid && self->persistent_id.func != NULL) {
        int rc = save_persistent(self, obj);
        if (rc != 0) {
            return rc < 0 ? -1 : 0;
        }
    }
    PyTypeObject *type = Py_TYPE(obj);
    if (obj == Py_None) {
        return kr_pk_op(self, NONE);
    }
    if (type == &PyBool_Type) {
        if (self->proto >= 2) {
            return kr_pk_op(self, obj == Py_True ? NEWTRUE : NEWFALSE);
        }
        return kr_pk_write(self, obj == Py_True ? "I01\n" : "I00\n", 4);
    }
    if (type == &PyLong_Type) {
        return kr_pk_save_int(self, obj);
    }
    if (type == &PyFloat_Type) {
        return kr_pk_save_float(self, obj);
    }
    Py_ssize_t index;
    if (kr_pk_in_memo(self, obj, &index)) {
        return kr_pk_memo_get(self, index);
    }
    if (type == &PyBytes_Type) {
        return kr_pk_save_bytes(self, obj);
    }
    if (type == &PyUnicode_Type) {
        return kr_pk_save_str(self, obj);
    }
    return save_container(self, obj, type);
}

/* ---- whole pickles */

static int
dump_all(pickler *self, PyObject *obj)
{
    PyObject *override;
    if (_PyObject_LookupAttr((PyObject *)self, KR_ID(reducer_override),
                             &override) < 0) {
        return -1;
    }
    Py_XSETREF(self->reducer_override, override);
    int rc = 0;
    if (self->proto >= 2) {
        char head[] = {(char)PROTO, (char)self->proto};
        rc = kr_pk_write(self, head, 2);
        self->framing = self->proto >= 4;
    }
    if (rc == 0) {
        rc = kr_pk_save(self, obj, false);
    }
    if (rc == 0) {
        rc = kr_pk_op(self, STOP);
    }
    if (rc == 0) {
        close_frame(self);
    }
    self->framing = false;
    self->frame_start = -1;
    /* a bound method of self */
    Py_CLEAR(self->reducer_override);
    return rc;
}

static int
set_protocol(pickler *self, PyObject *protocol, int fix_imports)
{
    long proto = DEFAULT_PROTOCOL;
    if (protocol != NULL && protocol != Py_None) {
        proto = PyLong_AsLong(protocol);
        if (proto < 0) {
            if (proto == -1 && PyErr_Occurred()) {
                return -1;
            }
            proto = HIGHEST_PROTOCOL;
        }
        else if (proto > HIGHEST_PROTOCOL) {
            PyErr_Format(PyExc_ValueError, "pickle protocol must be <= %d",
                         HIGHEST_PROTOCOL);
            return -1;
        }
    }
    self->proto = (int)proto;
    self->bin = proto > 0;
    self->fix_imports = fix_imports && proto < 3;
    return 0;
}

static int
set_callback(pickler *self, PyObject *callback)
{
    if (callback == Py_None) {
        callback = NULL;
    }
    if (callback != NULL && self->proto < 5) {
        PyErr_SetString(PyExc_ValueError,
                        "buffer_callback needs protocol >= 5");
        return -1;
    }
    Py_XSETREF(self->buffer_callback, Py_XNewRef(callback));
    return 0;
}

static int
set_file(pickler *self, PyObject *file)
{
    PyObject *write;
    if (_PyObject_LookupAttr(file, KR_ID(write), &write) < 0) {
        return -1;
    }
    if (write == NULL) {
        PyErr_SetString(PyExc_TypeError, "file must have a 'write' attribute");
        return -1;
    }
    Py_XSETREF(self->write, write);
    return 0;
}

static PyObject *
pickler_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    pickler *self = PK(type->tp_alloc(type, 0));
    if (self != NULL) {
        self->frame_start = -1;
        if (kr_memo_init(&self->memo) < 0) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

/* The pickler of one call of dump() or dumps(). */
static pickler *
make(PyObject *protocol, int fix_imports, PyObject *callback)
{
    pickler *self = PK(pickler_new(&kr_pickler_type, NULL, NULL));
    if (self != NULL && (set_protocol(self, protocol, fix_imports) < 0 ||
                         set_callback(self, callback) < 0)) {
        Py_CLEAR(self);
    }
    return self;
}

PyObject *
kr_pk_dumps(PyObject *obj, PyObject *protocol, int fix_imports,
            PyObject *callback)
{
    pickler *self = make(protocol, fix_imports, callback);
    PyObject *result = NULL;
    if (self != NULL && dump_all(self, obj) == 0) {
        result = take_output(self);
    }
    Py_XDECREF(self);
    return result;
}

PyObject *
kr_pk_dump(PyObject *obj, PyObject *file, PyObject *protocol, int fix_imports,
           PyObject *callback)
{
    pickler *self = make(protocol, fix_imports, NULL);
    if (self == NULL || set_file(self, file) < 0 ||
        set_callback(self, callback) < 0 || dump_all(self, obj) < 0 ||
        flush(self) < 0) {
        Py_XDECREF(self);
        return NULL;
    }
    Py_DECREF(self);
    Py_RETURN_NONE;
}

/* ---- Pickler */

static int
pickler_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("Pickler", "file", "protocol", "fix_imports", "buffer_callback");
    pickler *self = PK(op);
    PyObject *in[4];
    int fix_imports = 1;
    if (!kr_unpack_tuple(args, kwargs, &parser, 1, 4, 4, in) ||
        (in[2] != NULL && !kr_arg_bool(in[2], &fix_imports)) ||
        set_protocol(self, in[1], fix_imports) < 0 ||
        set_file(self, in[0]) < 0 || set_callback(self, in[3]) < 0) {
        return -1;
    }
    kr_memo_clear(&self->memo);
    self->out_len = 0;
    self->frame_start = -1;
    self->fast = 0;
    self->fast_nesting = 0;
    Py_CLEAR(self->fast_memo);
    if (kr_hook_init(&self->persistent_id, op, KR_ID(persistent_id)) < 0) {
        return -1;
    }
    PyObject *table;
    if (_PyObject_LookupAttr(op, KR_ID(dispatch_table), &table) < 0) {
        return -1;
    }
    Py_XSETREF(self->dispatch_table, table);
    return 0;
}

static int
pickler_traverse(PyObject *op, visitproc visit, void *arg)
{
    pickler *self = PK(op);
    Py_VISIT(self->persistent_id.func);
    Py_VISIT(self->dispatch_table);
    Py_VISIT(self->write);
    Py_VISIT(self->reducer_override);
    Py_VISIT(self->buffer_callback);
    Py_VISIT(self->fast_memo);
    for (size_t i = 0; self->memo.entries && i <= self->memo.mask; i++) {
        Py_VISIT(self->memo.entries[i].key);
    }
    return 0;
}

static int
pickler_clear(PyObject *op)
{
    pickler *self = PK(op);
    Py_CLEAR(self->persistent_id.func);
    Py_CLEAR(self->dispatch_table);
    Py_CLEAR(self->write);
    Py_CLEAR(self->reducer_override);
    Py_CLEAR(self->buffer_callback);
    Py_CLEAR(self->fast_memo);
    kr_memo_free(&self->memo);
    return 0;
}

static void
pickler_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    pickler_clear(op);
    PyMem_Free(PK(op)->out);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *
pickler_dump(PyObject *op, PyObject *obj)
{
    pickler *self = PK(op);
    if (self->write == NULL) {
        PyErr_Format(kr_pickle.pickling_error,
                     "Pickler.__init__() was not called by %s.__init__()",
                     Py_TYPE(op)->tp_name);
        return NULL;
    }
    self->out_len = 0;
    self->frame_start = -1;
    if (dump_all(self, obj) < 0 || flush(self) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
pickler_clear_memo(PyObject *op, PyObject *ignored)
{
    kr_memo_clear(&PK(op)->memo);
    Py_RETURN_NONE;
}

static PyObject *
pickler_sizeof(PyObject *op, PyObject *ignored)
{
    pickler *self = PK(op);
    size_t size = (size_t)Py_TYPE(op)->tp_basicsize + (size_t)self->out_size;
    if (self->memo.entries != NULL) {
        size += (self->memo.mask + 1) * sizeof *self->memo.entries;
    }
    return PyLong_FromSize_t(size);
}

static PyMethodDef pickler_methods[] = {
    {"dump", pickler_dump, METH_O,
     "dump($self, obj, /)\n--\n\nWrite a pickle of obj to the file."},
    {"clear_memo", pickler_clear_memo, METH_NOARGS,
     "clear_memo($self, /)\n--\n\n"
     "Forget which objects have been pickled, so that they are again."},
    {"__sizeof__", pickler_sizeof, METH_NOARGS,
     "__sizeof__($self, /)\n--\n\nSize in memory, in bytes."},
    {NULL},
};

static PyMemberDef pickler_members[] = {
    {"bin", T_INT, offsetof(pickler, bin)},
    {"fast", T_INT, offsetof(pickler, fast)},
    {"dispatch_table", T_OBJECT_EX, offsetof(pickler, dispatch_table)},
    {NULL},
};

/* ---- memo proxy */

#define OWNER(op) ((pickler *)kr_memo_proxy_owner(op))

static PyObject *
proxy_clear(PyObject *op, PyObject *ignored)
{
    kr_memo_clear(&OWNER(op)->memo);
    Py_RETURN_NONE;
}

static PyObject *
proxy_copy(PyObject *op, PyObject *ignored)
{
    PyObject *dict = PyDict_New();
    struct memo *m = &OWNER(op)->memo;
    for (size_t i = 0; dict && m->entries && i <= m->mask; i++) {
        struct memo_entry e = m->entries[i];
        if (e.key == NULL) {
            continue;
        }
        PyObject *key = PyLong_FromVoidPtr(e.key);
        PyObject *value = key ? Py_BuildValue("nO", e.index, e.key) : NULL;
        if (value == NULL || PyDict_SetItem(dict, key, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static PyMethodDef proxy_methods[] = {
    {"clear", proxy_clear, METH_NOARGS,
     "clear($self, /)\n--\n\nRemove all items from memo."},
    {"copy", proxy_copy, METH_NOARGS,
     "copy($self, /)\n--\n\nCopy the memo to a new object."},
    {"__reduce__", kr_memo_proxy_reduce, METH_NOARGS,
     "__reduce__($self, /)\n--\n\nImplement pickling support."},
    {NULL},
};

PyTypeObject kr_pickler_memo_type =
    KR_MEMO_PROXY_TYPE("_pickle.PicklerMemoProxy", proxy_methods);

static PyObject *
get_memo(PyObject *op, void *ignored)
{
    return kr_memo_proxy_new(&kr_pickler_memo_type, op);
}

static int
memo_from_dict(struct memo *m, PyObject *dict)
{
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &pos, &key, &value)) {
        if (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != 2) {
            PyErr_SetString(PyExc_TypeError,
                            "'memo' values must be 2-item tuples");
            return -1;
        }
        Py_ssize_t index = PyLong_AsSsize_t(PyTuple_GET_ITEM(value, 0));
        if ((index == -1 && PyErr_Occurred()) ||
            kr_memo_set(m, PyTuple_GET_ITEM(value, 1), index) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
set_memo(PyObject *op, PyObject *value, void *ignored)
{
    struct memo fresh = {NULL, 0, 0};
    int rc = -1;
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "attribute deletion is not supported");
    }
    else if (Py_IS_TYPE(value, &kr_pickler_memo_type)) {
        rc = kr_memo_copy(&fresh, &OWNER(value)->memo);
    }
    else if (PyDict_Check(value)) {
        rc = kr_memo_init(&fresh) < 0 ? -1 : memo_from_dict(&fresh, value);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "'memo' attribute must be a PicklerMemoProxy object or "
                     "dict, not %.200s",
                     Py_TYPE(value)->tp_name);
    }
    if (rc == 0) {
        struct memo old = PK(op)->memo;
        PK(op)->memo = fresh;
        fresh = old;
    }
    kr_memo_free(&fresh);
    return rc;
}

static PyObject *
get_persistent_id(PyObject *op, void *ignored)
{
    return kr_hook_get(&PK(op)->persistent_id, op, "persistent_id");
}

static int
set_persistent_id(PyObject *op, PyObject *value, void *ignored)
{
    return kr_hook_set(&PK(op)->persistent_id, value, "persistent_id");
}

static PyGetSetDef pickler_getset[] = {
    {"memo", get_memo, set_memo},
    {"persistent_id", get_persistent_id, set_persistent_id},
    {NULL},
};

PyTypeObject kr_pickler_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_pickle.Pickler",
    .tp_basicsize = sizeof(pickler),
    .tp_dealloc = pickler_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Pickler(file, protocol=None, fix_imports=True, "
              "buffer_callback=None)\n--\n\n"
              "Writes pickles to a binary file, any object with a method "
              "write(bytes).\n\nThe protocol is 0 to 5; 4 is the default and "
              "a negative number means the highest.\nWith fix_imports, names "
              "of the standard library are written as Python 2 knows\nthem, "
              "in protocols before 3. The buffer_callback, which needs "
              "protocol 5, is\ncalled with each PickleBuffer; if it returns "
              "something false, the buffer is\nleft out of the pickle.",
    .tp_traverse = pickler_traverse,
    .tp_clear = pickler_clear,
    .tp_methods = pickler_methods,
    .tp_members = pickler_members,
    .tp_getset = pickler_getset,
    .tp_init = pickler_init,
    .tp_new = pickler_new,
};
