/* The opcode tables: data only, see opcode_meta.h. */
#include "code/opcode_meta.h"

#include "kr_opcode_tables.h"
