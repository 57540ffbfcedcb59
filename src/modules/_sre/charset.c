/* Charsets, categories and operations that consume one character. */
#include "modules/_sre/chars.h"
#include "modules/_sre/sre.h"

bool
kr_sre_in_category(uint32_t category, uint32_t c)
{
    switch (category) {
    case CH_DIGIT: return ascii_digit(c);
    case CH_NOT_DIGIT: return !ascii_digit(c);
    case CH_SPACE: return ascii_space(c);
    case CH_NOT_SPACE: return !ascii_space(c);
    case CH_WORD: return ascii_word(c);
    case CH_NOT_WORD: return !ascii_word(c);
    case CH_LINEBREAK: return c == '\n';
    case CH_NOT_LINEBREAK: return c != '\n';
    case CH_LOC_WORD: return locale_word(c);
    case CH_LOC_NOT_WORD: return !locale_word(c);
    case CH_UNI_DIGIT: return Py_UNICODE_ISDECIMAL(c);
    case CH_UNI_NOT_DIGIT: return !Py_UNICODE_ISDECIMAL(c);
    case CH_UNI_SPACE: return Py_UNICODE_ISSPACE(c);
    case CH_UNI_NOT_SPACE: return !Py_UNICODE_ISSPACE(c);
    case CH_UNI_WORD: return unicode_word(c);
    case CH_UNI_NOT_WORD: return !unicode_word(c);
    case CH_UNI_LINEBREAK: return Py_UNICODE_ISLINEBREAK(c);
    case CH_UNI_NOT_LINEBREAK: return !Py_UNICODE_ISLINEBREAK(c);
    }
    return false;
}

static inline bool
in_bits(const uint32_t *bits, uint32_t c)
{
    return (bits[(c & 255) >> 5] >> (c & 31)) & 1;
}

bool
kr_sre_in_charset(const uint32_t *set, uint32_t ch)
{
    bool ok = true; /* what to say when an item holds */
    for (;;) {
        switch (*set++) {
        case OP_FAILURE:
            return !ok;
        case OP_LITERAL:
            if (ch == set[0]) {
                return ok;
            }
            set++;
            break;
        case OP_CATEGORY:
            if (kr_sre_in_category(set[0], ch)) {
                return ok;
            }
            set++;
            break;
        case OP_CHARSET:
            if (ch < 256 && in_bits(set, ch)) {
                return ok;
            }
            set += 8;
            break;
        case OP_RANGE:
            if (set[0] <= ch && ch <= set[1]) {
                return ok;
            }
            set += 2;
            break;
        case OP_RANGE_UNI_IGNORE: {
            uint32_t up = unicode_upper(ch);
            if ((set[0] <= ch && ch <= set[1]) ||
                (set[0] <= up && up <= set[1])) {
                return ok;
            }
            set += 2;
            break;
        }
        case OP_NEGATE:
            ok = !ok;
            break;
        case OP_BIGCHARSET: {
            uint32_t blocks = *set++;
            if (ch < 65536) {
                uint32_t block = ((const unsigned char *)set)[ch >> 8];
                if (in_bits(set + 64 + 8 * block, ch)) {
                    return ok;
                }
            }
            set += 64 + 8 * (size_t)blocks;
            break;
        }
        default:
            return false;
        }
    }
}

bool
kr_sre_in_set_of(uint32_t op, const uint32_t *set, uint32_t ch)
{
    switch (op) {
    case OP_IN_IGNORE:
        return kr_sre_in_charset(set, ascii_lower(ch));
    case OP_IN_UNI_IGNORE:
        return kr_sre_in_charset(set, unicode_lower(ch));
    case OP_IN_LOC_IGNORE: {
        uint32_t lo = locale_lower(ch), up = locale_upper(ch);
        return kr_sre_in_charset(set, lo) ||
               (up != lo && kr_sre_in_charset(set, up));
    }
    }
    return kr_sre_in_charset(set, ch);
}

bool
kr_sre_one(const uint32_t *pc, uint32_t ch)
{
    switch (pc[0]) {
    case OP_ANY: return ch != '\n';
    case OP_ANY_ALL: return true;
    case OP_LITERAL: return ch == pc[1];
    case OP_NOT_LITERAL: return ch != pc[1];
    case OP_LITERAL_IGNORE: return ascii_lower(ch) == pc[1];
    case OP_NOT_LITERAL_IGNORE: return ascii_lower(ch) != pc[1];
    case OP_LITERAL_UNI_IGNORE: return unicode_lower(ch) == pc[1];
    case OP_NOT_LITERAL_UNI_IGNORE: return unicode_lower(ch) != pc[1];
    case OP_LITERAL_LOC_IGNORE: return locale_same(pc[1], ch);
    case OP_NOT_LITERAL_LOC_IGNORE: return !locale_same(pc[1], ch);
    case OP_CATEGORY: return kr_sre_in_category(pc[1], ch);
    case OP_IN:
    case OP_IN_IGNORE:
    case OP_IN_UNI_IGNORE:
    case OP_IN_LOC_IGNORE:
        return kr_sre_in_set_of(pc[0], pc + 2, ch);
    }
    return false;
}

size_t
kr_sre_one_length(const uint32_t *pc)
{
    switch (pc[0]) {
    case OP_ANY:
    case OP_ANY_ALL:
        return 1;
    case OP_LITERAL:
    case OP_NOT_LITERAL:
    case OP_LITERAL_IGNORE:
    case OP_NOT_LITERAL_IGNORE:
    case OP_LITERAL_UNI_IGNORE:
    case OP_NOT_LITERAL_UNI_IGNORE:
    case OP_LITERAL_LOC_IGNORE:
    case OP_NOT_LITERAL_LOC_IGNORE:
    case OP_CATEGORY:
        return 2;
    case OP_IN:
    case OP_IN_IGNORE:
    case OP_IN_UNI_IGNORE:
    case OP_IN_LOC_IGNORE:
        return 1 + (size_t)pc[1];
    }
    return 0;
}
