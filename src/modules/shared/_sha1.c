/* The module _sha1, over libcrypto. */
#define ALGORITHMS                                                             \
    {"sha1", "SHA1", "_sha1.sha1", "SHA1Type", 64}
#include "modules/shared/evp_module.h"

CONSTRUCTOR(sha1, 0)

static PyMethodDef methods[] = {
    CONSTRUCTOR_METHOD(sha1),
    {NULL},
};

DEFINE_MODULE(_sha1, methods)
