/* The module _sha512, over libcrypto. */
#define ALGORITHMS                                                             \
    {"sha512", "SHA512", "_sha512.sha512", "SHA512Type", 128}, \
    {"sha384", "SHA384", "_sha512.sha384", "SHA384Type", 128}
#include "modules/shared/evp_module.h"

CONSTRUCTOR(sha512, 0)
CONSTRUCTOR(sha384, 1)

static PyMethodDef methods[] = {
    CONSTRUCTOR_METHOD(sha512),
    CONSTRUCTOR_METHOD(sha384),
    {NULL},
};

DEFINE_MODULE(_sha512, methods)
