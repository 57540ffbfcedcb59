/* Properties of single characters: the exported _PyUnicode_Is... and _To...
 * functions over the generated database, and the ASCII tables. None fails. */
#include <Python.h>

#include "kr_unicode_db.h"
#include "objects/str/chartype.h"

const unsigned char _Py_ascii_whitespace[] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, [127] = 0,
};

#define LO (PY_CTF_LOWER)
#define UP (PY_CTF_UPPER)
#define XD (PY_CTF_XDIGIT)

const unsigned int _Py_ctype_table[256] = {
    ['\t'] = PY_CTF_SPACE,
    ['\n'] = PY_CTF_SPACE,
    ['\v'] = PY_CTF_SPACE,
    ['\f'] = PY_CTF_SPACE,
    ['\r'] = PY_CTF_SPACE,
    [' '] = PY_CTF_SPACE,
    ['0' ... '9'] = PY_CTF_DIGIT | XD,
    ['A' ... 'F'] = UP | XD,
    ['G' ... 'Z'] = UP,
    ['a' ... 'f'] = LO | XD,
    ['g' ... 'z'] = LO,
};

#define T1(n, from, delta)                                                     \
    (unsigned char)((n) >= (from) && (n) < (from) + 26 ? (n) + (delta)       \
                                                       : (n)),
#define T4(n, f, d)                                                            \
    T1(n, f, d) T1((n) + 1, f, d) T1((n) + 2, f, d) T1((n) + 3, f, d)
#define T16(n, f, d)                                                           \
    T4(n, f, d) T4((n) + 4, f, d) T4((n) + 8, f, d) T4((n) + 12, f, d)
#define T64(n, f, d)                                                           \
    T16(n, f, d) T16((n) + 16, f, d) T16((n) + 32, f, d) T16((n) + 48, f, d)

const unsigned char _Py_ctype_tolower[256] = {
    T64(0, 'A', 32) T64(64, 'A', 32) T64(128, 'A', 32) T64(192, 'A', 32)};

const unsigned char _Py_ctype_toupper[256] = {
    T64(0, 'a', -32) T64(64, 'a', -32) T64(128, 'a', -32) T64(192, 'a', -32)};

#define PREDICATE(name, flag)                                                  \
    int name(Py_UCS4 ch)                                                       \
    {                                                                          \
        return (kr_uni_get(ch)->flags & (flag)) != 0;                          \
    }

PREDICATE(_PyUnicode_IsAlpha, KR_UNI_ALPHA)
PREDICATE(_PyUnicode_IsDecimalDigit, KR_UNI_DECIMAL)
PREDICATE(_PyUnicode_IsDigit, KR_UNI_DIGIT)
PREDICATE(_PyUnicode_IsNumeric, KR_UNI_NUMERIC)
PREDICATE(_PyUnicode_IsLowercase, KR_UNI_LOWER)
PREDICATE(_PyUnicode_IsUppercase, KR_UNI_UPPER)
PREDICATE(_PyUnicode_IsTitlecase, KR_UNI_TITLE)
PREDICATE(_PyUnicode_IsPrintable, KR_UNI_PRINTABLE)
PREDICATE(_PyUnicode_IsWhitespace, KR_UNI_SPACE)
PREDICATE(_PyUnicode_IsLinebreak, KR_UNI_LINEBREAK)
PREDICATE(_PyUnicode_IsXidStart, KR_UNI_XID_START)
PREDICATE(_PyUnicode_IsXidContinue, KR_UNI_XID_CONTINUE)
PREDICATE(_PyUnicode_IsCased, KR_UNI_CASED)
PREDICATE(_PyUnicode_IsCaseIgnorable, KR_UNI_CASE_IGNORABLE)

int
_PyUnicode_ToDecimalDigit(Py_UCS4 ch)
{
    return kr_uni_get(ch)->decimal;
}

int
_PyUnicode_ToDigit(Py_UCS4 ch)
{
    return kr_uni_get(ch)->digit;
}

double
_PyUnicode_ToNumeric(Py_UCS4 ch)
{
    return kr_uni_numeric[kr_uni_get(ch)->numeric];
}

Py_UCS4
_PyUnicode_ToUppercase(Py_UCS4 ch)
{
    return ch + (Py_UCS4)kr_uni_get(ch)->upper;
}

Py_UCS4
_PyUnicode_ToLowercase(Py_UCS4 ch)
{
    return ch + (Py_UCS4)kr_uni_get(ch)->lower;
}

Py_UCS4
_PyUnicode_ToTitlecase(Py_UCS4 ch)
{
    return ch + (Py_UCS4)kr_uni_get(ch)->title;
}

static const struct kr_uni_special *
find_special(Py_UCS4 ch)
{
    int low = 0, high = KR_UNI_SPECIAL_COUNT - 1;
    while (low <= high) {
        int mid = (low + high) / 2;
        if (kr_uni_specials[mid].code == ch) {
            return &kr_uni_specials[mid];
        }
        if (kr_uni_specials[mid].code < ch) {
            low = mid + 1;
        }
        else {
            high = mid - 1;
        }
    }
    return NULL;
}

enum mapping { UPPER, LOWER, TITLE, FOLD };

static int
map_full(Py_UCS4 ch, Py_UCS4 *res, enum mapping which)
{
    const struct kr_uni_record *r = kr_uni_get(ch);
    if (r->flags & KR_UNI_SPECIAL) {
        const struct kr_uni_special *s = find_special(ch);
        if (s != NULL) {
            for (int i = 0; i < s->len[which]; i++) {
                res[i] = s->to[which][i];
            }
            return s->len[which];
        }
    }
    int32_t delta = which == UPPER ? r->upper
                    : which == TITLE ? r->title
                                     : r->lower;
    res[0] = ch + (Py_UCS4)delta;
    return 1;
}

int
_PyUnicode_ToUpperFull(Py_UCS4 ch, Py_UCS4 *res)
{
    return map_full(ch, res, UPPER);
}

int
_PyUnicode_ToLowerFull(Py_UCS4 ch, Py_UCS4 *res)
{
    return map_full(ch, res, LOWER);
}

int
_PyUnicode_ToTitleFull(Py_UCS4 ch, Py_UCS4 *res)
{
    return map_full(ch, res, TITLE);
}

int
_PyUnicode_ToFoldedFull(Py_UCS4 ch, Py_UCS4 *res)
{
    return map_full(ch, res, FOLD);
}
