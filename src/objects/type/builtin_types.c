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
    for (size_t i = 0; i < n; i++) {
        if (PyType_Ready(builtin_types[i]) < 0) {
            return -1;
        }
    }
    return 0;
}
