/* The opcode tables, see opcode_meta.h. */
#include "code/opcode_meta.h"

#include "kr_opcode_tables.h"

long
kr_opcode_takes_for(int op, long oparg)
{
    return kr_opcode_takes[op] < 0 ? compute_takes(op, oparg)
                                   : kr_opcode_takes[op];
}

long
kr_opcode_leaves_for(int op, long oparg)
{
    return kr_opcode_leaves[op] < 0 ? compute_leaves(op, oparg)
                                    : kr_opcode_leaves[op];
}
