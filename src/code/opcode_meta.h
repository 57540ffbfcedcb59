/* Facts about opcodes, generated from src/vm/ops by tools/opgen. */
#ifndef KR_CODE_OPCODE_META_H
#define KR_CODE_OPCODE_META_H

#include <stdint.h>

/* The opcode as the compiler emitted it, for each possibly specialised one. */
extern const uint8_t kr_opcode_deopt[256];

/* Number of CACHE units that follow an (unspecialised) instruction. */
extern const uint8_t kr_opcode_caches[256];

/* Names, as dis prints them; NULL where the number is unused. */
extern const char *const kr_opcode_names[256];

/* One instruction of co_code_adaptive. */
#define KR_OPCODE(unit) ((unit) & 255)
#define KR_OPARG(unit) ((unit) >> 8)
#define KR_UNIT(opcode, oparg) ((_Py_CODEUNIT)((opcode) | ((oparg) << 8)))

#endif
