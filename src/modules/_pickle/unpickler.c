/* _pickle.Unpickler, and the module. */
#include "modules/_pickle/pickle.h"

#include "modules/kwargs.h"

#define UP(op) ((unpickler *)(op))

struct kr_pickle_state kr_pickle;

/* ---- find_class */

static int
fix_names(PyObject **module, PyObject **name)
{
    PyObject *key = PyTuple_Pack(2, *module, *name);
    if (key == NULL) {
        return -1;
    }
    PyObject *item = PyDict_GetItemWithError(kr_pickle.name_2to3, key);
    Py_DECREF(key);
    if (item != NULL) {
        if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2 ||
            !PyUnicode_Check(PyTuple_GET_ITEM(item, 0)) ||
            !PyUnicode_Check(PyTuple_GET_ITEM(item, 1))) {
            PyErr_SetString(PyExc_RuntimeError,
                            "_compat_pickle.NAME_MAPPING values should be "
                            "pairs of str");
            return -1;
        }
        *module = PyTuple_GET_ITEM(item, 0);
        *name = PyTuple_GET_ITEM(item, 1);
        return 0;
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    item = PyDict_GetItemWithError(kr_pickle.import_2to3, *module);
    if (item == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (!PyUnicode_Check(item)) {
        PyErr_Format(PyExc_RuntimeError,
                     "_compat_pickle.IMPORT_MAPPING values should be strings, "
                     "not %.200s",
                     Py_TYPE(item)->tp_name);
        return -1;
    }
    *module = item;
    return 0;
}

static PyObject *
get_deep_or_raise(PyObject *module, PyObject *name)
{
    PyObject *path = kr_pk_dotted_path(module, name);
    if (path == NULL) {
        return NULL;
    }
    PyObject *obj = kr_pk_get_deep(module, path, NULL);
    Py_DECREF(path);
    if (obj == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_AttributeError, "Can't get attribute %R on %R",
                     name, module);
    }
    return obj;
}

static PyObject *
get_or_raise(PyObject *module, PyObject *name)
{
    PyObject *obj;
    if (_PyObject_LookupAttr(module, name, &obj) == 0) {
        PyErr_Format(PyExc_AttributeError, "Can't get attribute %R on %R",
                     name, module);
    }
    return obj;
}

PyObject *
kr_up_find_class(unpickler *self, PyObject *module_name, PyObject *name)
{
    if (PySys_Audit("pickle.find_class", "OO", module_name, name) < 0 ||
        (self->proto < 3 && self->fix_imports &&
         fix_names(&module_name, &name) < 0)) {
        return NULL;
    }
    /* what the tables lend may not outlive an import */
    Py_INCREF(name);
    Py_INCREF(module_name);
    PyObject *module = PyImport_Import(module_name), *obj = NULL;
    if (module != NULL) {
        obj = self->proto >= 4 ? get_deep_or_raise(module, name)
                               : get_or_raise(module, name);
        Py_DECREF(module);
    }
    Py_DECREF(module_name);
    Py_DECREF(name);
    return obj;
}

/* ---- making one */

static int
set_strings(unpickler *self, const char *encoding, const char *errors)
{
    PyMem_Free(self->encoding);
    PyMem_Free(self->errors);
    self->encoding = _PyMem_Strdup(encoding);
    self->errors = _PyMem_Strdup(errors);
    if (self->encoding == NULL || self->errors == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static int
set_file(unpickler *self, PyObject *file)
{
    PyObject *peek, *readinto, *read = NULL, *readline = NULL;
    if (_PyObject_LookupAttr(file, KR_ID(peek), &peek) < 0) {
        return -1;
    }
    Py_XSETREF(self->peek, peek);
    if (_PyObject_LookupAttr(file, KR_ID(readinto), &readinto) < 0) {
        return -1;
    }
    Py_XSETREF(self->readinto, readinto);
    if (_PyObject_LookupAttr(file, KR_ID(read), &read) < 0 ||
        _PyObject_LookupAttr(file, KR_ID(readline), &readline) < 0) {
        Py_XDECREF(read);
        return -1;
    }
    if (read == NULL || readline == NULL) {
        Py_XDECREF(read);
        Py_XDECREF(readline);
        PyErr_SetString(PyExc_TypeError,
                        "file must have 'read' and 'readline' attributes");
        return -1;
    }
    Py_XSETREF(self->read, read);
    Py_XSETREF(self->readline, readline);
    return 0;
}

static int
set_buffers(unpickler *self, PyObject *buffers)
{
    PyObject *iter = NULL;
    if (buffers != NULL && buffers != Py_None) {
        iter = PyObject_GetIter(buffers);
        if (iter == NULL) {
            return -1;
        }
    }
    Py_XSETREF(self->buffers, iter);
    return 0;
}

static void
drop_input(unpickler *self)
{
    Py_buffer view = self->buffer;
    self->buffer = (Py_buffer){NULL};
    self->in = NULL;
    self->in_len = self->pos = self->prefetched = 0;
    if (view.obj != NULL) {
        PyBuffer_Release(&view);
    }
}

static unpickler *
make(int fix_imports, const char *encoding, const char *errors,
     PyObject *buffers)
{
    unpickler *self = UP(kr_unpickler_type.tp_alloc(&kr_unpickler_type, 0));
    if (self != NULL) {
        self->fix_imports = fix_imports;
        if (set_strings(self, encoding, errors) < 0 ||
            set_buffers(self, buffers) < 0) {
            Py_CLEAR(self);
        }
    }
    return self;
}

PyObject *
kr_up_loads(PyObject *data, int fix_imports, const char *encoding,
            const char *errors, PyObject *buffers)
{
    unpickler *self = make(fix_imports, encoding, errors, buffers);
    if (self == NULL ||
        PyObject_GetBuffer(data, &self->buffer, PyBUF_CONTIG_RO) < 0) {
        Py_XDECREF(self);
        return NULL;
    }
    self->in = self->buffer.buf;
    self->in_len = self->prefetched = self->buffer.len;
    PyObject *result = kr_up_run(self);
    Py_DECREF(self);
    return result;
}

PyObject *
kr_up_load(PyObject *file, int fix_imports, const char *encoding,
           const char *errors, PyObject *buffers)
{
    unpickler *self = make(fix_imports, encoding, errors, buffers);
    PyObject *result =
        self == NULL || set_file(self, file) < 0 ? NULL : kr_up_run(self);
    Py_XDECREF(self);
    return result;
}

/* ---- Unpickler */

static int
text_argument(PyObject *o, const char *func, const char *name,
              const char **out)
{
    if (o == NULL) {
        return 0;
    }
    if (!PyUnicode_Check(o)) {
        _PyArg_BadArgument(func, name, "str", o);
        return -1;
    }
    Py_ssize_t n;
    *out = PyUnicode_AsUTF8AndSize(o, &n);
    if (*out != NULL && strlen(*out) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return -1;
    }
    return *out == NULL ? -1 : 0;
}

static int
unpickler_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    KR_PARSER("Unpickler", "file", "fix_imports", "encoding", "errors",
              "buffers");
    PyObject *in[5];
    int fix_imports = 1;
    const char *encoding = "ASCII", *errors = "strict";
    unpickler *self = UP(op);
    if (!kr_unpack_tuple(args, kwargs, &parser, 1, 1, 5, in) ||
        (in[1] != NULL && !kr_arg_bool(in[1], &fix_imports)) ||
        text_argument(in[2], "Unpickler", "argument 'encoding'", &encoding) <
            0 ||
        text_argument(in[3], "Unpickler", "argument 'errors'", &errors) < 0) {
        return -1;
    }
    drop_input(self);
    if (set_file(self, in[0]) < 0 || set_strings(self, encoding, errors) < 0 ||
        set_buffers(self, in[4]) < 0 ||
        kr_hook_init(&self->persistent_load, op, KR_ID(persistent_load)) < 0) {
        return -1;
    }
    self->fix_imports = fix_imports;
    self->proto = 0;
    self->num_marks = 0;
    self->fence = 0;
    kr_up_stack_clear(self, 0);
    kr_up_memo_clear(self);
    return 0;
}

static int
unpickler_traverse(PyObject *op, visitproc visit, void *arg)
{
    unpickler *self = UP(op);
    for (Py_ssize_t i = 0; i < self->sp; i++) {
        Py_VISIT(self->stack[i]);
    }
    for (Py_ssize_t i = 0; i < self->memo_size; i++) {
        Py_VISIT(self->memo[i]);
    }
    Py_VISIT(self->sparse_memo);
    Py_VISIT(self->persistent_load.func);
    Py_VISIT(self->read);
    Py_VISIT(self->readinto);
    Py_VISIT(self->readline);
    Py_VISIT(self->peek);
    Py_VISIT(self->buffers);
    return 0;
}

static int
unpickler_clear(PyObject *op)
{
    unpickler *self = UP(op);
    kr_up_stack_clear(self, 0);
    kr_up_memo_clear(self);
    drop_input(self);
    Py_CLEAR(self->persistent_load.func);
    Py_CLEAR(self->read);
    Py_CLEAR(self->readinto);
    Py_CLEAR(self->readline);
    Py_CLEAR(self->peek);
    Py_CLEAR(self->buffers);
    return 0;
}

static void
unpickler_dealloc(PyObject *op)
{
    unpickler *self = UP(op);
    PyObject_GC_UnTrack(op);
    unpickler_clear(op);
    PyMem_Free(self->stack);
    PyMem_Free(self->marks);
    PyMem_Free(self->line);
    PyMem_Free(self->encoding);
    PyMem_Free(self->errors);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *
unpickler_load(PyObject *op, PyObject *ignored)
{
    unpickler *self = UP(op);
    if (self->read == NULL) {
        PyErr_Format(kr_pickle.unpickling_error,
                     "Unpickler.__init__() was not called by %s.__init__()",
                     Py_TYPE(op)->tp_name);
        return NULL;
    }
    return kr_up_run(self);
}

static PyObject *
unpickler_find_class(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("find_class", nargs, 2, 2)) {
        return NULL;
    }
    return kr_up_find_class(UP(op), args[0], args[1]);
}

static PyObject *
unpickler_sizeof(PyObject *op, PyObject *ignored)
{
    unpickler *self = UP(op);
    size_t n = (size_t)Py_TYPE(op)->tp_basicsize;
    n += (size_t)self->memo_size * sizeof(PyObject *);
    n += (size_t)self->stack_size * sizeof(PyObject *);
    n += (size_t)self->marks_size * sizeof(Py_ssize_t);
    n += self->line ? strlen(self->line) + 1 : 0;
    n += self->encoding ? strlen(self->encoding) + 1 : 0;
    n += self->errors ? strlen(self->errors) + 1 : 0;
    return PyLong_FromSize_t(n);
}

static PyMethodDef unpickler_methods[] = {
    {"load", unpickler_load, METH_NOARGS,
     "load($self, /)\n--\n\nRead one pickle and return the object in it."},
    {"find_class", KR_CAST(unpickler_find_class), METH_FASTCALL,
     "find_class($self, module_name, global_name, /)\n--\n\n"
     "The object of that name in that module, which is imported.\n\n"
     "Override it to decide what a pickle may name."},
    {"__sizeof__", unpickler_sizeof, METH_NOARGS,
     "__sizeof__($self, /)\n--\n\nSize in memory, in bytes."},
    {NULL},
};

/* ---- memo proxy */

#define OWNER(op) ((unpickler *)kr_memo_proxy_owner(op))

static PyObject *
proxy_clear(PyObject *op, PyObject *ignored)
{
    kr_up_memo_clear(OWNER(op));
    Py_RETURN_NONE;
}

static PyObject *
proxy_copy(PyObject *op, PyObject *ignored)
{
    unpickler *u = OWNER(op);
    PyObject *dict = u->sparse_memo ? PyDict_Copy(u->sparse_memo)
                                    : PyDict_New();
    for (Py_ssize_t i = 0; dict && i < u->memo_size; i++) {
        if (u->memo[i] == NULL) {
            continue;
        }
        PyObject *key = PyLong_FromSsize_t(i);
        if (key == NULL || PyDict_SetItem(dict, key, u->memo[i]) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(key);
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

PyTypeObject kr_unpickler_memo_type =
    KR_MEMO_PROXY_TYPE("_pickle.UnpicklerMemoProxy", proxy_methods);

static PyObject *
get_memo(PyObject *op, void *ignored)
{
    return kr_memo_proxy_new(&kr_unpickler_memo_type, op);
}

static int
check_keys(PyObject *dict)
{
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    while (PyDict_Next(dict, &pos, &key, &value)) {
        if (!PyLong_Check(key)) {
            PyErr_SetString(PyExc_TypeError, "memo key must be integers");
            return -1;
        }
        Py_ssize_t index = PyLong_AsSsize_t(key);
        if (index < 0) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_ValueError,
                                "memo key must be positive integers.");
            }
            return -1;
        }
    }
    return 0;
}

static int
set_memo(PyObject *op, PyObject *value, void *ignored)
{
    PyObject *dict = NULL, *key, *item;
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "attribute deletion is not supported");
    }
    else if (Py_IS_TYPE(value, &kr_unpickler_memo_type)) {
        dict = proxy_copy(value, NULL);
    }
    else if (PyDict_Check(value)) {
        dict = check_keys(value) < 0 ? NULL : PyDict_Copy(value);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "'memo' attribute must be an UnpicklerMemoProxy object "
                     "or dict, not %.200s",
                     Py_TYPE(value)->tp_name);
    }
    if (dict == NULL) {
        return -1;
    }
    kr_up_memo_clear(UP(op));
    int rc = 0;
    Py_ssize_t pos = 0;
    while (rc == 0 && PyDict_Next(dict, &pos, &key, &item)) {
        rc = kr_up_memo_put(UP(op), PyLong_AsSsize_t(key), item);
    }
    Py_DECREF(dict);
    return rc;
}

static PyObject *
get_persistent_load(PyObject *op, void *ignored)
{
    return kr_hook_get(&UP(op)->persistent_load, op, "persistent_load");
}

static int
set_persistent_load(PyObject *op, PyObject *value, void *ignored)
{
    return kr_hook_set(&UP(op)->persistent_load, value, "persistent_load");
}

static PyGetSetDef unpickler_getset[] = {
    {"memo", get_memo, set_memo},
    {"persistent_load", get_persistent_load, set_persistent_load},
    {NULL},
};

PyTypeObject kr_unpickler_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_pickle.Unpickler",
    .tp_basicsize = sizeof(unpickler),
    .tp_dealloc = unpickler_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Unpickler(file, *, fix_imports=True, encoding='ASCII', "
              "errors='strict',\n          buffers=())\n--\n\n"
              "Reads pickles from a binary file, any object with methods "
              "read(n) and readline().\n\nThe protocol is found out. "
              "fix_imports, encoding and errors are for pickles of\nPython 2; "
              "buffers gives what was pickled out of band.",
    .tp_traverse = unpickler_traverse,
    .tp_clear = unpickler_clear,
    .tp_methods = unpickler_methods,
    .tp_getset = unpickler_getset,
    .tp_init = unpickler_init,
    .tp_new = PyType_GenericNew,
};

/* ---- functions */

static PyObject *
pickle_dump(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("dump", "obj", "file", "protocol", "fix_imports",
              "buffer_callback");
    PyObject *in[5];
    int fix_imports = 1;
    if (!kr_unpack(args, nargs, kwnames, &parser, 2, 3, 5, in) ||
        (in[3] != NULL && !kr_arg_bool(in[3], &fix_imports))) {
        return NULL;
    }
    return kr_pk_dump(in[0], in[1], in[2], fix_imports, in[4]);
}

static PyObject *
pickle_dumps(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("dumps", "obj", "protocol", "fix_imports", "buffer_callback");
    PyObject *in[4];
    int fix_imports = 1;
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 2, 4, in) ||
        (in[2] != NULL && !kr_arg_bool(in[2], &fix_imports))) {
        return NULL;
    }
    return kr_pk_dumps(in[0], in[1], fix_imports, in[3]);
}

static PyObject *
pickle_load(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("load", "file", "fix_imports", "encoding", "errors", "buffers");
    PyObject *in[5];
    int fix_imports = 1;
    const char *encoding = "ASCII", *errors = "strict";
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 5, in) ||
        (in[1] != NULL && !kr_arg_bool(in[1], &fix_imports)) ||
        text_argument(in[2], "load", "argument 'encoding'", &encoding) < 0 ||
        text_argument(in[3], "load", "argument 'errors'", &errors) < 0) {
        return NULL;
    }
    return kr_up_load(in[0], fix_imports, encoding, errors, in[4]);
}

static PyObject *
pickle_loads(PyObject *module, KR_FASTCALL_ARGS)
{
    KR_PARSER("loads", "", "fix_imports", "encoding", "errors", "buffers");
    PyObject *in[5];
    int fix_imports = 1;
    const char *encoding = "ASCII", *errors = "strict";
    if (!kr_unpack(args, nargs, kwnames, &parser, 1, 1, 5, in) ||
        (in[1] != NULL && !kr_arg_bool(in[1], &fix_imports)) ||
        text_argument(in[2], "loads", "argument 'encoding'", &encoding) < 0 ||
        text_argument(in[3], "loads", "argument 'errors'", &errors) < 0) {
        return NULL;
    }
    return kr_up_loads(in[0], fix_imports, encoding, errors, in[4]);
}

static PyMethodDef functions[] = {
    {"dump", KR_CAST(pickle_dump), KR_FAST,
     "dump($module, /, obj, file, protocol=None, *, fix_imports=True,\n"
     "     buffer_callback=None)\n--\n\n"
     "Write a pickle of obj to a binary file.\n\n"
     "As Pickler(file, protocol).dump(obj)."},
    {"dumps", KR_CAST(pickle_dumps), KR_FAST,
     "dumps($module, /, obj, protocol=None, *, fix_imports=True,\n"
     "      buffer_callback=None)\n--\n\n"
     "Return a pickle of obj as bytes."},
    {"load", KR_CAST(pickle_load), KR_FAST,
     "load($module, /, file, *, fix_imports=True, encoding='ASCII',\n"
     "     errors='strict', buffers=())\n--\n\n"
     "Read one pickle from a binary file and return the object in it.\n\n"
     "As Unpickler(file).load()."},
    {"loads", KR_CAST(pickle_loads), KR_FAST,
     "loads($module, data, /, *, fix_imports=True, encoding='ASCII',\n"
     "      errors='strict', buffers=())\n--\n\n"
     "Return the object in a pickle given as bytes."},
    {NULL},
};

/* ---- module */

static int
take(PyObject **slot, const char *module, const char *name)
{
    PyObject *m = PyImport_ImportModule(module);
    PyObject *v = m ? PyObject_GetAttrString(m, name) : NULL;
    Py_XDECREF(m);
    Py_XSETREF(*slot, v);
    return v == NULL ? -1 : 0;
}

static int
take_dict(PyObject **slot, const char *module, const char *name)
{
    if (take(slot, module, name) < 0) {
        return -1;
    }
    if (!PyDict_CheckExact(*slot)) {
        PyErr_Format(PyExc_RuntimeError, "%s.%s should be a dict, not %.200s",
                     module, name, Py_TYPE(*slot)->tp_name);
        return -1;
    }
    return 0;
}

static int
take_all(struct kr_pickle_state *st)
{
    static const char compat[] = "_compat_pickle", reg[] = "copyreg";
    return take_dict(&st->dispatch_table, reg, "dispatch_table") < 0 ||
                   take_dict(&st->extension_registry, reg,
                             "_extension_registry") < 0 ||
                   take_dict(&st->inverted_registry, reg,
                             "_inverted_registry") < 0 ||
                   take_dict(&st->extension_cache, reg, "_extension_cache") <
                       0 ||
                   take_dict(&st->name_2to3, compat, "NAME_MAPPING") < 0 ||
                   take_dict(&st->import_2to3, compat, "IMPORT_MAPPING") < 0 ||
                   take_dict(&st->name_3to2, compat,
                             "REVERSE_NAME_MAPPING") < 0 ||
                   take_dict(&st->import_3to2, compat,
                             "REVERSE_IMPORT_MAPPING") < 0 ||
                   take(&st->encode, "codecs", "encode") < 0 ||
                   take(&st->getattr, "builtins", "getattr") < 0 ||
                   take(&st->partial, "functools", "partial") < 0
               ? -1
               : 0;
}

static int
make_error(PyObject *m, PyObject **slot, const char *name, PyObject *base)
{
    Py_XSETREF(*slot, PyErr_NewException(name, base, NULL));
    return *slot ? PyModule_AddObjectRef(m, strchr(name, '.') + 1, *slot) : -1;
}

static int
exec(PyObject *m)
{
    struct kr_pickle_state *st = &kr_pickle;
    if (take_all(st) < 0 || PyType_Ready(&kr_pickler_memo_type) < 0 ||
        PyType_Ready(&kr_unpickler_memo_type) < 0 ||
        PyModule_AddType(m, &kr_pickler_type) < 0 ||
        PyModule_AddType(m, &kr_unpickler_type) < 0 ||
        PyModule_AddObjectRef(m, "PickleBuffer",
                              (PyObject *)&PyPickleBuffer_Type) < 0 ||
        make_error(m, &st->error, "_pickle.PickleError", NULL) < 0 ||
        make_error(m, &st->pickling_error, "_pickle.PicklingError",
                   st->error) < 0) {
        return -1;
    }
    return make_error(m, &st->unpickling_error, "_pickle.UnpicklingError",
                      st->error);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec},
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_pickle",
    .m_doc = "The module pickle, in C.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__pickle(void)
{
    return PyModuleDef_Init(&module_def);
}
