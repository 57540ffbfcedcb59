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

/* What the compiler's instructions take from the stack, and what they leave there
 * on the way to the next instruction; -1: it depends on the oparg. */
extern const int8_t kr_opcode_takes[256], kr_opcode_leaves[256];

/* How many of those entries, from the lowest, stay what and where they are, also
 * if the instruction raises. */
extern const uint8_t kr_opcode_keeps[256];

/* The first two for the variable ones. */
long kr_opcode_takes_for(int op, long oparg);
long kr_opcode_leaves_for(int op, long oparg);

/* What the oparg is, and whether the instruction may raise; 0 for numbers that
 * the compiler does not emit. */
#define KR_OP_KNOWN 1
#define KR_OP_NAME 2
#define KR_OP_CONST 4
#define KR_OP_LOCAL 8
#define KR_OP_JUMP 16
#define KR_OP_ERR 32
extern const uint8_t kr_opcode_flags[256];

/* Bits of MAKE_FUNCTION's oparg: the parts on the stack. */
#define KR_POPCOUNT4(x)                                                        \
    (((x) & 1) + ((x) >> 1 & 1) + ((x) >> 2 & 1) + ((x) >> 3 & 1))

/* Stands for the first instruction of a code object that is not checked yet; the
 * body is in vm/ops/control.c. */
#define KR_VERIFY 254

/* One instruction of co_code_adaptive. */
#define KR_OPCODE(unit) ((unit) & 255)
#define KR_OPARG(unit) ((unit) >> 8)
#define KR_UNIT(opcode, oparg) ((_Py_CODEUNIT)((opcode) | ((oparg) << 8)))

#endif
