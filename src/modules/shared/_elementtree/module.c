/* The module _elementtree: the types of xml.etree.ElementTree that are worth
 * having in C. */
#include "modules/shared/_elementtree/etree.h"

static struct kr_etree_state state;

struct kr_etree_state *
kr_etree(void)
{
    return &state;
}

/* ---- functions */

static PyObject *
sub_element(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyObject *parent, *tag, *attrib = NULL;
    if (!PyArg_ParseTuple(args, "O!O|O!:SubElement", &kr_element_type,
                          &parent, &tag, &PyDict_Type, &attrib)) {
        return NULL;
    }
    /* as the type's own call has it: the parent's place is the element's */
    PyObject *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    if (rest == NULL) {
        return NULL;
    }
    PyObject *child =
        PyObject_Call((PyObject *)&kr_element_type, rest, kwargs);
    Py_DECREF(rest);
    if (child != NULL && kr_element_append(KR_ELEMENT(parent), child) < 0) {
        Py_CLEAR(child);
    }
    return child;
}

static PyObject *
swap_factory(PyObject **slot, PyObject *factory)
{
    PyObject *old = *slot != NULL ? *slot : Py_NewRef(Py_None);
    *slot = factory == Py_None ? NULL : Py_NewRef(factory);
    return old;
}

static PyObject *
set_factories(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("_set_factories", nargs, 2, 2)) {
        return NULL;
    }
    for (int i = 0; i < 2; i++) {
        if (args[i] != Py_None && !PyCallable_Check(args[i])) {
            PyErr_Format(PyExc_TypeError,
                         "%s factory must be callable, not %.100s",
                         i == 0 ? "Comment" : "PI",
                         Py_TYPE(args[i])->tp_name);
            return NULL;
        }
    }
    PyObject *comment = swap_factory(&state.comment_factory, args[0]);
    PyObject *pi = swap_factory(&state.pi_factory, args[1]);
    return Py_BuildValue("NN", comment, pi);
}

static PyMethodDef functions[] = {
    {"SubElement", (PyCFunction)(void *)sub_element,
     METH_VARARGS | METH_KEYWORDS, NULL},
    {"_set_factories", (PyCFunction)(void *)set_factories, METH_FASTCALL,
     "_set_factories($module, comment_factory, pi_factory, /)\n--\n\n"
     "Set what makes comments and processing instructions.\n\n"
     "For internal use only."},
    {NULL},
};

/* ---- import */

/* The attribute of an imported module; the module itself if `attr` is NULL. */
static PyObject *
import_from(const char *module, const char *attr)
{
    PyObject *m = PyImport_ImportModule(module);
    if (m == NULL || attr == NULL) {
        return m;
    }
    PyObject *v = PyObject_GetAttrString(m, attr);
    Py_DECREF(m);
    return v;
}

/* Done once: a module imported anew works on the same classes. */
static int
fill_state(void)
{
    if (state.parse_error != NULL) {
        return 0;
    }
    const struct kr_expat_capi *expat =
        PyCapsule_Import("pyexpat.expat_CAPI", 0);
    if (expat == NULL) {
        return -1;
    }
    if (strcmp(expat->magic, KR_EXPAT_CAPI_MAGIC) != 0
        || (size_t)expat->size < sizeof(struct kr_expat_capi)) {
        PyErr_SetString(PyExc_ImportError,
                        "pyexpat version is incompatible");
        return -1;
    }
    state.expat = expat;
    Py_XSETREF(state.deepcopy, import_from("copy", "deepcopy"));
    Py_XSETREF(state.element_path,
               state.deepcopy == NULL
                   ? NULL
                   : import_from("xml.etree.ElementPath", NULL));
    if (state.element_path == NULL) {
        return -1;
    }
    state.parse_error = PyErr_NewException("xml.etree.ElementTree.ParseError",
                                           PyExc_SyntaxError, NULL);
    return state.parse_error == NULL ? -1 : 0;
}

static int
exec(PyObject *m)
{
    if (fill_state() < 0 || PyType_Ready(&kr_element_iter_type) < 0
        || PyModule_AddType(m, &kr_element_type) < 0
        || PyModule_AddType(m, &kr_builder_type) < 0
        || PyModule_AddType(m, &kr_xml_parser_type) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(m, "ParseError", state.parse_error);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0, NULL}};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_elementtree",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__elementtree(void)
{
    return PyModuleDef_Init(&module_def);
}
