/* The module _sha3, over libcrypto. */
#define EVP_TYPES_ARE_PUBLIC "sha3_224"
#define ALGORITHMS                                                             \
    {"sha3_224", "SHA3-224", "_sha3.sha3_224", "sha3_224", 144, 6}, \
    {"sha3_256", "SHA3-256", "_sha3.sha3_256", "sha3_256", 136, 6}, \
    {"sha3_384", "SHA3-384", "_sha3.sha3_384", "sha3_384", 104, 6}, \
    {"sha3_512", "SHA3-512", "_sha3.sha3_512", "sha3_512", 72, 6}, \
    {"shake_128", "SHAKE128", "_sha3.shake_128", "shake_128", 168, 31, true}, \
    {"shake_256", "SHAKE256", "_sha3.shake_256", "shake_256", 136, 31, true}
#include "modules/shared/evp_module.h"

static PyMethodDef methods[] = {{NULL}};

DEFINE_MODULE(_sha3, methods)
