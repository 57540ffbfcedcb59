/* Module `builtins`: its function table, and the functions on one or two
 * objects. */
#include "runtime/builtins/builtins.h"

#include "objects/abstract/abstract.h"
#include "objects/args/named.h"
#include "objects/exceptions/exc.h"
#include "objects/ids.h"
#include "objects/interp.h"

/* --- One object -------------------------------------------------------------- */

static PyObject *
builtin_abs(PyObject *module, PyObject *x)
{
    return PyNumber_Absolute(x);
}

static PyObject *
builtin_ascii(PyObject *module, PyObject *obj)
{
    return PyObject_ASCII(obj);
}

static PyObject *
builtin_bin(PyObject *module, PyObject *number)
{
    return PyNumber_ToBase(number, 2);
}

static PyObject *
builtin_oct(PyObject *module, PyObject *number)
{
    return PyNumber_ToBase(number, 8);
}

static PyObject *
builtin_hex(PyObject *module, PyObject *number)
{
    return PyNumber_ToBase(number, 16);
}

static PyObject *
builtin_callable(PyObject *module, PyObject *obj)
{
    return PyBool_FromLong(PyCallable_Check(obj));
}

static PyObject *
builtin_chr(PyObject *module, PyObject *arg)
{
    int c = _PyLong_AsInt(arg);
    return c == -1 && PyErr_Occurred() ? NULL : PyUnicode_FromOrdinal(c);
}

static PyObject *
builtin_ord(PyObject *module, PyObject *c)
{
    Py_ssize_t size;
    if (PyUnicode_Check(c)) {
        size = PyUnicode_GET_LENGTH(c);
        if (size == 1) {
            return PyLong_FromLong((long)PyUnicode_READ_CHAR(c, 0));
        }
    }
    else if (PyBytes_Check(c)) {
        size = PyBytes_GET_SIZE(c);
        if (size == 1) {
            return PyLong_FromLong((unsigned char)PyBytes_AS_STRING(c)[0]);
        }
    }
    else if (PyByteArray_Check(c)) {
        size = PyByteArray_GET_SIZE(c);
        if (size == 1) {
            return PyLong_FromLong((unsigned char)PyByteArray_AS_STRING(c)[0]);
        }
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "ord() expected string of length 1, but %.200s found",
                     Py_TYPE(c)->tp_name);
        return NULL;
    }
    PyErr_Format(PyExc_TypeError,
                 "ord() expected a character, but string of length %zd found",
                 size);
    return NULL;
}

static PyObject *
builtin_hash(PyObject *module, PyObject *obj)
{
    Py_hash_t hash = PyObject_Hash(obj);
    return hash == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(hash);
}

static PyObject *
builtin_id(PyObject *module, PyObject *obj)
{
    PyObject *id = PyLong_FromVoidPtr(obj);
    if (id != NULL && PySys_Audit("builtins.id", "O", id) < 0) {
        Py_CLEAR(id);
    }
    return id;
}

static PyObject *
builtin_len(PyObject *module, PyObject *obj)
{
    Py_ssize_t size = PyObject_Size(obj);
    return size < 0 ? NULL : PyLong_FromSsize_t(size);
}

static PyObject *
builtin_repr(PyObject *module, PyObject *obj)
{
    return PyObject_Repr(obj);
}

/* --- Attributes and classes --------------------------------------------------- */

static PyObject *
builtin_getattr(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("getattr", nargs, 2, 3)) {
        return NULL;
    }
    PyObject *name = args[1];
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError,
                     "attribute name must be string, not '%.200s'",
                     Py_TYPE(name)->tp_name);
        return NULL;
    }
    if (nargs == 2) {
        return PyObject_GetAttr(args[0], name);
    }
    PyObject *value;
    if (_PyObject_LookupAttr(args[0], name, &value) == 0) {
        return Py_NewRef(args[2]);
    }
    return value;
}

static PyObject *
builtin_hasattr(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("hasattr", nargs, 2, 2)) {
        return NULL;
    }
    if (!PyUnicode_Check(args[1])) {
        PyErr_Format(PyExc_TypeError,
                     "attribute name must be string, not '%.200s'",
                     Py_TYPE(args[1])->tp_name);
        return NULL;
    }
    PyObject *value;
    int res = _PyObject_LookupAttr(args[0], args[1], &value);
    Py_XDECREF(value);
    return res < 0 ? NULL : PyBool_FromLong(res);
}

static PyObject *
builtin_setattr(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("setattr", nargs, 3, 3) ||
        PyObject_SetAttr(args[0], args[1], args[2]) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
builtin_delattr(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("delattr", nargs, 2, 2) ||
        PyObject_SetAttr(args[0], args[1], NULL) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
builtin_isinstance(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("isinstance", nargs, 2, 2)) {
        return NULL;
    }
    int res = PyObject_IsInstance(args[0], args[1]);
    return res < 0 ? NULL : PyBool_FromLong(res);
}

static PyObject *
builtin_issubclass(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("issubclass", nargs, 2, 2)) {
        return NULL;
    }
    int res = PyObject_IsSubclass(args[0], args[1]);
    return res < 0 ? NULL : PyBool_FromLong(res);
}

/* --- Numbers and formatting ------------------------------------------------------ */

static PyObject *
builtin_divmod(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("divmod", nargs, 2, 2)) {
        return NULL;
    }
    return PyNumber_Divmod(args[0], args[1]);
}

static PyObject *
builtin_pow(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
            PyObject *kwnames)
{
    static const char *const keywords[] = {"base", "exp", "mod", NULL};
    static _PyArg_Parser parser = {.format = "OO|O:pow", .keywords = keywords};
    PyObject *base, *exp, *mod = Py_None;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &base, &exp, &mod)) {
        return NULL;
    }
    return PyNumber_Power(base, exp, mod);
}

static PyObject *
builtin_round(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames)
{
    static const char *const keywords[] = {"number", "ndigits", NULL};
    static _PyArg_Parser parser = {.format = "O|O:round",
                                   .keywords = keywords};
    PyObject *number, *ndigits = Py_None;
    if (!kr_parse_named(args, nargs, kwnames, &parser, &number, &ndigits)) {
        return NULL;
    }
    PyObject *round = _PyObject_LookupSpecial(number, KR_ID(__round__));
    if (round == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_TypeError,
                         "type %.100s doesn't define __round__ method",
                         Py_TYPE(number)->tp_name);
        }
        return NULL;
    }
    PyObject *res = ndigits == Py_None ? PyObject_CallNoArgs(round)
                                       : PyObject_CallOneArg(round, ndigits);
    Py_DECREF(round);
    return res;
}

static PyObject *
builtin_format(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("format", nargs, 1, 2)) {
        return NULL;
    }
    if (nargs == 2 && !PyUnicode_Check(args[1])) {
        _PyArg_BadArgument("format", "argument 2", "str", args[1]);
        return NULL;
    }
    return PyObject_Format(args[0], nargs == 2 ? args[1] : NULL);
}

/* --- print ------------------------------------------------------------------------ */

/* None stands for the default; anything else must be str. 0 or -1. */
static int
check_separator(PyObject **text, const char *name)
{
    if (*text == Py_None) {
        *text = NULL;
    }
    if (*text != NULL && !PyUnicode_Check(*text)) {
        PyErr_Format(PyExc_TypeError,
                     "%s must be None or a string, not %.200s", name,
                     Py_TYPE(*text)->tp_name);
        return -1;
    }
    return 0;
}

static int
write_separator(PyObject *file, PyObject *text, const char *fallback)
{
    return text == NULL ? PyFile_WriteString(fallback, file)
                        : PyFile_WriteObject(text, file, Py_PRINT_RAW);
}

static PyObject *
builtin_print(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames)
{
    static const char *const keywords[] = {"sep", "end", "file", "flush", NULL};
    static _PyArg_Parser parser = {.format = "|OOOp:print",
                                   .keywords = keywords};
    PyObject *sep = NULL, *end = NULL, *file = NULL;
    int flush = 0;
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) > 4) {
        /* one of them must be wrong: let it be named */
        PyObject *buf[5];
        if (_PyArg_UnpackKeywordsWithVararg(args + nargs, 0, NULL, kwnames,
                                            &parser, 0, 0, 0, 0, buf)) {
            Py_DECREF(buf[0]);
        }
        if (PyErr_Occurred()) {
            return NULL;
        }
    }
    if (kwnames != NULL && !kr_parse_named(args + nargs, 0, kwnames, &parser,
                                           &sep, &end, &file, &flush)) {
        return NULL;
    }
    if (file == NULL || file == Py_None) {
        file = PySys_GetObject("stdout");
        if (file == NULL) {
            PyErr_SetString(PyExc_RuntimeError, "lost sys.stdout");
            return NULL;
        }
        if (file == Py_None) {
            Py_RETURN_NONE; /* no console */
        }
    }
    if (check_separator(&sep, "sep") < 0 || check_separator(&end, "end") < 0) {
        return NULL;
    }
    Py_INCREF(file);
    int res = 0;
    for (Py_ssize_t i = 0; i < nargs && res == 0; i++) {
        if (i > 0) {
            res = write_separator(file, sep, " ");
        }
        if (res == 0) {
            res = PyFile_WriteObject(args[i], file, Py_PRINT_RAW);
        }
    }
    if (res == 0) {
        res = write_separator(file, end, "\n");
    }
    if (res == 0 && flush) {
        PyObject *done = PyObject_CallMethodNoArgs(file, KR_ID(flush));
        res = done == NULL ? -1 : 0;
        Py_XDECREF(done);
    }
    Py_DECREF(file);
    if (res != 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* --- The module --------------------------------------------------------------------- */

#define FAST(f) (PyCFunction)(void (*)(void))(f)
#define BASE_DOC(name, kind, of_2748)                                          \
    name "($module, number, /)\n--\n\n"                                        \
         "Return the " kind " representation of an integer.\n\n"                \
         "   >>> " name "(2748)\n   '" of_2748 "'"

static PyMethodDef object_methods[] = {
    {"__build_class__", FAST(kr_builtin_build_class),
     METH_FASTCALL | METH_KEYWORDS,
     "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n"
     "\nInternal helper function used by the class statement."},
    {"abs", builtin_abs, METH_O,
     "abs($module, x, /)\n--\n\nReturn the absolute value of the argument."},
    {"ascii", builtin_ascii, METH_O,
     "ascii($module, obj, /)\n--\n\n"
     "Return an ASCII-only representation of an object."},
    {"bin", builtin_bin, METH_O, BASE_DOC("bin", "binary", "0b101010111100")},
    {"callable", builtin_callable, METH_O,
     "callable($module, obj, /)\n--\n\n"
     "Return whether the object is callable (i.e., some kind of function)."},
    {"chr", builtin_chr, METH_O,
     "chr($module, i, /)\n--\n\n"
     "Return a Unicode string of one character with ordinal i; "
     "0 <= i <= 0x10ffff."},
    {"delattr", FAST(builtin_delattr), METH_FASTCALL,
     "delattr($module, obj, name, /)\n--\n\n"
     "Deletes the named attribute from the given object."},
    {"divmod", FAST(builtin_divmod), METH_FASTCALL,
     "divmod($module, x, y, /)\n--\n\n"
     "Return the tuple (x//y, x%y).  Invariant: div*y + mod == x."},
    {"format", FAST(builtin_format), METH_FASTCALL,
     "format($module, value, format_spec='', /)\n--\n\n"
     "Return type(value).__format__(value, format_spec)."},
    {"getattr", FAST(builtin_getattr), METH_FASTCALL,
     "getattr(object, name[, default]) -> value\n\n"
     "The named attribute of an object; the default, if given, when there is "
     "none."},
    {"hasattr", FAST(builtin_hasattr), METH_FASTCALL,
     "hasattr($module, obj, name, /)\n--\n\n"
     "Return whether the object has an attribute with the given name."},
    {"hash", builtin_hash, METH_O,
     "hash($module, obj, /)\n--\n\n"
     "Return the hash value for the given object."},
    {"hex", builtin_hex, METH_O, BASE_DOC("hex", "hexadecimal", "0xabc")},
    {"id", builtin_id, METH_O,
     "id($module, obj, /)\n--\n\nReturn the identity of an object."},
    {"isinstance", FAST(builtin_isinstance), METH_FASTCALL,
     "isinstance($module, obj, class_or_tuple, /)\n--\n\n"
     "Return whether an object is an instance of a class or of a subclass "
     "thereof."},
    {"issubclass", FAST(builtin_issubclass), METH_FASTCALL,
     "issubclass($module, cls, class_or_tuple, /)\n--\n\n"
     "Return whether 'cls' is derived from another class or is the same "
     "class."},
    {"len", builtin_len, METH_O,
     "len($module, obj, /)\n--\n\nReturn the number of items in a container."},
    {"oct", builtin_oct, METH_O, BASE_DOC("oct", "octal", "0o5274")},
    {"ord", builtin_ord, METH_O,
     "ord($module, c, /)\n--\n\n"
     "Return the Unicode code point for a one-character string."},
    {"pow", FAST(builtin_pow), METH_FASTCALL | METH_KEYWORDS,
     "pow($module, /, base, exp, mod=None)\n--\n\n"
     "Equivalent to base**exp with 2 arguments or base**exp % mod with 3 "
     "arguments."},
    {"print", FAST(builtin_print), METH_FASTCALL | METH_KEYWORDS,
     "print($module, /, *args, sep=' ', end='\\n', file=None, flush=False)\n"
     "--\n\nPrints the values to a stream, or to sys.stdout by default."},
    {"repr", builtin_repr, METH_O,
     "repr($module, obj, /)\n--\n\n"
     "Return the canonical string representation of the object."},
    {"round", FAST(builtin_round), METH_FASTCALL | METH_KEYWORDS,
     "round($module, /, number, ndigits=None)\n--\n\n"
     "Round a number to a given precision in decimal digits."},
    {"setattr", FAST(builtin_setattr), METH_FASTCALL,
     "setattr($module, obj, name, value, /)\n--\n\n"
     "Sets the named attribute on the given object to the specified value."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef builtins_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "builtins",
    .m_doc = "Built-in functions, types, exceptions, and other objects.\n\n"
             "They are found in every program without an import; a module's\n"
             "own names and a function's locals hide them.",
    .m_size = -1,
    .m_methods = object_methods,
};

static const struct {
    const char *name;
    PyObject *value;
} constants[] = {
    {"None", Py_None},
    {"Ellipsis", Py_Ellipsis},
    {"NotImplemented", Py_NotImplemented},
    {"False", Py_False},
    {"True", Py_True},
    {"bool", (PyObject *)&PyBool_Type},
    {"memoryview", (PyObject *)&PyMemoryView_Type},
    {"bytearray", (PyObject *)&PyByteArray_Type},
    {"bytes", (PyObject *)&PyBytes_Type},
    {"classmethod", (PyObject *)&PyClassMethod_Type},
    {"complex", (PyObject *)&PyComplex_Type},
    {"dict", (PyObject *)&PyDict_Type},
    {"enumerate", (PyObject *)&PyEnum_Type},
    {"filter", (PyObject *)&PyFilter_Type},
    {"float", (PyObject *)&PyFloat_Type},
    {"frozenset", (PyObject *)&PyFrozenSet_Type},
    {"property", (PyObject *)&PyProperty_Type},
    {"int", (PyObject *)&PyLong_Type},
    {"list", (PyObject *)&PyList_Type},
    {"map", (PyObject *)&PyMap_Type},
    {"object", (PyObject *)&PyBaseObject_Type},
    {"range", (PyObject *)&PyRange_Type},
    {"reversed", (PyObject *)&PyReversed_Type},
    {"set", (PyObject *)&PySet_Type},
    {"slice", (PyObject *)&PySlice_Type},
    {"staticmethod", (PyObject *)&PyStaticMethod_Type},
    {"str", (PyObject *)&PyUnicode_Type},
    {"super", (PyObject *)&PySuper_Type},
    {"tuple", (PyObject *)&PyTuple_Type},
    {"type", (PyObject *)&PyType_Type},
    {"zip", (PyObject *)&PyZip_Type},
};

PyObject *
kr_builtins_create(void)
{
    PyObject *mod = PyModule_Create(&builtins_module);
    if (mod == NULL) {
        return NULL;
    }
    if (PyModule_AddFunctions(mod, kr_builtins_iterable_methods) < 0 ||
        PyModule_AddFunctions(mod, kr_builtins_code_methods) < 0) {
        goto error;
    }
    for (size_t i = 0; i < sizeof(constants) / sizeof(*constants); i++) {
        if (PyModule_AddObjectRef(mod, constants[i].name,
                                  constants[i].value) < 0) {
            goto error;
        }
    }
    PyObject *debug =
        kr_interp()->config.optimization_level == 0 ? Py_True : Py_False;
    if (PyModule_AddObjectRef(mod, "__debug__", debug) < 0 ||
        kr_exceptions_publish(PyModule_GetDict(mod)) < 0) {
        goto error;
    }
    return mod;

error:
    Py_DECREF(mod);
    return NULL;
}
