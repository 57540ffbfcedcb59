/* The module _sha256, over libcrypto. */
#define ALGORITHMS                                                             \
    {"sha256", "SHA256", "_sha256.sha256", "SHA256Type", 64}, \
    {"sha224", "SHA224", "_sha256.sha224", "SHA224Type", 64}
#include "modules/shared/evp_module.h"

CONSTRUCTOR(sha256, 0)
CONSTRUCTOR(sha224, 1)

static PyMethodDef methods[] = {
    CONSTRUCTOR_METHOD(sha256),
    CONSTRUCTOR_METHOD(sha224),
    {NULL},
};

DEFINE_MODULE(_sha256, methods)
