/* The exception table: which handler covers an instruction.
 *
 * Entries are sorted by start; each is four big-endian base-64 numbers (start,
 * length, target, depth * 2 + lasti), all in code units. The first byte of an
 * entry has bit 7 set, a byte with bit 6 is followed by another one. */
#include "code/code.h"

static const uint8_t *
read_number(const uint8_t *p, const uint8_t *end, int *result)
{
    unsigned value = 0;
    while (p < end) {
        unsigned byte = *p++;
        value = value << 6 | (byte & 63);
        if (!(byte & 64)) {
            break;
        }
    }
    *result = (int)value;
    return p;
}

static const uint8_t *
skip_to_entry(const uint8_t *p, const uint8_t *end)
{
    while (p < end && !(*p & 128)) {
        p++;
    }
    return p;
}

bool
kr_code_find_handler(PyCodeObject *co, int unit, int *handler, int *depth,
                     bool *push_lasti)
{
    const uint8_t *p = (const uint8_t *)PyBytes_AS_STRING(co->co_exceptiontable);
    const uint8_t *end = p + PyBytes_GET_SIZE(co->co_exceptiontable);
    while (p < end) {
        int start, length, target, last;
        p = read_number(p, end, &start);
        p = read_number(p, end, &length);
        if (start > unit) {
            return false;
        }
        if (unit < start + length) {
            p = read_number(p, end, &target);
            read_number(p, end, &last);
            *handler = target;
            *depth = last >> 1;
            *push_lasti = last & 1;
            return true;
        }
        p = skip_to_entry(p, end);
    }
    return false;
}
