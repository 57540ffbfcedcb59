/* The module _json: what json.decoder and json.encoder do in C. */
#include "modules/_json/json.h"

PyDoc_STRVAR(scanstring_doc,
"scanstring(string, end, strict=True) -> (string, end)\n"
"\n"
"Scan the string s for a JSON string. End is the index of the character\n"
"in s after the quote that started the JSON string. Without strict, control\n"
"characters may be in it. Returns it and the index behind its end quote.");

static PyObject *
scanstring(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *doc;
    Py_ssize_t end;
    int strict = 1;
    if (!PyArg_ParseTuple(args, "On|i:scanstring", &doc, &end, &strict)) {
        return NULL;
    }
    if (!kr_json_check_text(doc)) {
        return NULL;
    }
    PyObject *res = kr_json_scan_string(doc, end, strict, &end);
    return res == NULL ? NULL : Py_BuildValue("Nn", res, end);
}

static PyMethodDef module_methods[] = {
    {"encode_basestring_ascii", kr_json_encode_basestring_ascii, METH_O,
     PyDoc_STR("encode_basestring_ascii(string) -> string\n\n"
               "Return an ASCII-only JSON representation of a Python string")},
    {"encode_basestring", kr_json_encode_basestring, METH_O,
     PyDoc_STR("encode_basestring(string) -> string\n\n"
               "Return a JSON representation of a Python string")},
    {"scanstring", scanstring, METH_VARARGS, scanstring_doc},
    {NULL},
};

static int
module_exec(PyObject *module)
{
    if (PyType_Ready(&kr_json_scanner_type) < 0 ||
        PyType_Ready(&kr_json_encoder_type) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "make_scanner",
                                 (PyObject *)&kr_json_scanner_type) < 0
               ? -1
               : PyModule_AddObjectRef(module, "make_encoder",
                                       (PyObject *)&kr_json_encoder_type);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_json",
    .m_doc = PyDoc_STR("json speedups\n"),
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC
PyInit__json(void)
{
    return PyModuleDef_Init(&module_def);
}
