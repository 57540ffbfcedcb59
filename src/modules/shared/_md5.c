/* The module _md5, over libcrypto. */
#define ALGORITHMS                                                             \
    {"md5", "MD5", "_md5.md5", "MD5Type", 64}
#include "modules/shared/evp_module.h"

CONSTRUCTOR(md5, 0)

static PyMethodDef methods[] = {
    CONSTRUCTOR_METHOD(md5),
    {NULL},
};

DEFINE_MODULE(_md5, methods)
