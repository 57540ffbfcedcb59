/* Makes the built-in types ready at start-up, in the order of
 * builtin_types.def. */
#include "objects/type/type.h"

#define X(type) extern PyTypeObject type;
#include "objects/builtin_types.def"
#undef X

/* In that order. */
#define X(type) &type,
static PyTypeObject *const builtin_types[] = {
#include "objects/builtin_types.def"
};
#undef X

int
kr_types_init(void)
{
    size_t n = sizeof(builtin_types) / sizeof(builtin_types[0]);
    /* Making the first types ready takes objects of later ones (tuples, ints,
     * weak references), which must be freed before their own turn comes. */
    for (size_t i = 0; i < n; i++) {
        PyTypeObject *type = builtin_types[i];
        if (type->tp_base == NULL && type->tp_free == NULL) {
            type->tp_free = type->tp_flags & Py_TPFLAGS_HAVE_GC
                                ? PyObject_GC_Del
                                : PyObject_Free;
        }
        if (type->tp_base == NULL && type->tp_alloc == NULL) {
            type->tp_alloc = PyType_GenericAlloc;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (PyType_Ready(builtin_types[i]) < 0) {
            return -1;
        }
    }
    return 0;
}
