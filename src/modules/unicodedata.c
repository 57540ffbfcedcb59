/* The unicodedata module: the Unicode 14.0 database, and 3.2.0 through the
 * differences (what IDNA 2003 needs). */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "kr_unicode_db.h"
#include "kr_unicode_names.h"
#include "objects/ucnhash.h"

enum { S_BASE = 0xAC00, L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11A7 };
enum { L_COUNT = 19, V_COUNT = 21, T_COUNT = 28 };
enum { N_COUNT = V_COUNT * T_COUNT, S_COUNT = L_COUNT * N_COUNT };

struct ucd {
    PyObject_HEAD
    const char *version;
};

static PyTypeObject ucd_type;

/* The functions of the module get the module as self. */
static int
is_old(PyObject *self)
{
    return self != NULL && Py_IS_TYPE(self, &ucd_type);
}

static int
category_of(PyObject *self, Py_UCS4 ch)
{
    if (is_old(self) && kr_uni_old_get(ch)->category != 255) {
        return kr_uni_old_get(ch)->category;
    }
    return kr_uni_get(ch)->category;
}

static int
unassigned_in_old(PyObject *self, Py_UCS4 ch)
{
    return is_old(self) &&
           strcmp(kr_uni_categories[category_of(self, ch)], "Cn") == 0;
}

/* --- arguments ------------------------------------------------------------------ */

static int
to_char(const char *name, const char *which, PyObject *arg, Py_UCS4 *ch)
{
    if (!PyUnicode_Check(arg)) {
        _PyArg_BadArgument(name, which, "a unicode character", arg);
        return -1;
    }
    if (PyUnicode_READY(arg) < 0) {
        return -1;
    }
    if (PyUnicode_GET_LENGTH(arg) != 1) {
        _PyArg_BadArgument(name, which, "a unicode character", arg);
        return -1;
    }
    *ch = PyUnicode_READ_CHAR(arg, 0);
    return 0;
}

/* (chr[, default]) */
static int
char_default(const char *name, PyObject *const *args, Py_ssize_t nargs,
             Py_UCS4 *ch)
{
    if (!_PyArg_CheckPositional(name, nargs, 1, 2)) {
        return -1;
    }
    return to_char(name, "argument 1", args[0], ch);
}

static PyObject *
default_or(PyObject *const *args, Py_ssize_t nargs, const char *message)
{
    if (nargs == 2) {
        return Py_NewRef(args[1]);
    }
    PyErr_SetString(PyExc_ValueError, message);
    return NULL;
}

/* --- properties ------------------------------------------------------------------- */

static PyObject *
ucd_decimal(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_UCS4 ch;
    if (char_default("decimal", args, nargs, &ch) < 0) {
        return NULL;
    }
    int value = kr_uni_get(ch)->decimal;
    if (is_old(self) && kr_uni_old_get(ch)->decimal != -2) {
        value = kr_uni_old_get(ch)->decimal;
    }
    return value < 0 ? default_or(args, nargs, "not a decimal")
                     : PyLong_FromLong(value);
}

static PyObject *
ucd_digit(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_UCS4 ch;
    if (char_default("digit", args, nargs, &ch) < 0) {
        return NULL;
    }
    int value = kr_uni_get(ch)->digit;
    return value < 0 ? default_or(args, nargs, "not a digit")
                     : PyLong_FromLong(value);
}

static PyObject *
ucd_numeric(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_UCS4 ch;
    if (char_default("numeric", args, nargs, &ch) < 0) {
        return NULL;
    }
    const struct kr_uni_record *r = kr_uni_get(ch);
    double value = kr_uni_numeric[r->numeric];
    int known = r->numeric != 0;
    if (is_old(self) && kr_uni_old_get(ch)->numeric_differs) {
        value = kr_uni_old_get(ch)->numeric;
        known = value != -1.0;
    }
    return known ? PyFloat_FromDouble(value)
                 : default_or(args, nargs, "not a numeric character");
}

static PyObject *
ucd_category(PyObject *self, PyObject *arg)
{
    Py_UCS4 ch;
    if (to_char("category", "argument", arg, &ch) < 0) {
        return NULL;
    }
    return PyUnicode_FromString(kr_uni_categories[category_of(self, ch)]);
}

static PyObject *
ucd_bidirectional(PyObject *self, PyObject *arg)
{
    Py_UCS4 ch;
    if (to_char("bidirectional", "argument", arg, &ch) < 0) {
        return NULL;
    }
    int index = kr_uni_get(ch)->bidi;
    if (is_old(self) && kr_uni_old_get(ch)->bidi != 255) {
        index = kr_uni_old_get(ch)->bidi;
    }
    return PyUnicode_FromString(kr_uni_bidis[index]);
}

static PyObject *
ucd_combining(PyObject *self, PyObject *arg)
{
    Py_UCS4 ch;
    if (to_char("combining", "argument", arg, &ch) < 0) {
        return NULL;
    }
    return PyLong_FromLong(
        unassigned_in_old(self, ch) ? 0 : kr_uni_get(ch)->combining);
}

static PyObject *
ucd_mirrored(PyObject *self, PyObject *arg)
{
    Py_UCS4 ch;
    if (to_char("mirrored", "argument", arg, &ch) < 0) {
        return NULL;
    }
    int value = kr_uni_get(ch)->mirrored;
    if (is_old(self) && kr_uni_old_get(ch)->mirrored != 255) {
        value = kr_uni_old_get(ch)->mirrored;
    }
    return PyLong_FromLong(value);
}

static PyObject *
ucd_east_asian_width(PyObject *self, PyObject *arg)
{
    Py_UCS4 ch;
    if (to_char("east_asian_width", "argument", arg, &ch) < 0) {
        return NULL;
    }
    int index = kr_uni_get(ch)->width;
    if (is_old(self) && kr_uni_old_get(ch)->width != 255) {
        index = kr_uni_old_get(ch)->width;
    }
    return PyUnicode_FromString(kr_uni_widths[index]);
}

static const struct kr_uni_decomp *
find_decomp(Py_UCS4 ch)
{
    int low = 0, high = KR_UNI_DECOMP_COUNT - 1;
    while (low <= high) {
        int mid = (low + high) / 2;
        if (kr_uni_decomps[mid].code == ch) {
            return &kr_uni_decomps[mid];
        }
        if (kr_uni_decomps[mid].code < ch) {
            low = mid + 1;
        }
        else {
            high = mid - 1;
        }
    }
    return NULL;
}

static PyObject *
ucd_decomposition(PyObject *self, PyObject *arg)
{
    Py_UCS4 ch;
    if (to_char("decomposition", "argument", arg, &ch) < 0) {
        return NULL;
    }
    char buf[256];
    size_t n = 0;
    buf[0] = '\0';
    const struct kr_uni_decomp *d = find_decomp(ch);
    if (d != NULL && !unassigned_in_old(self, ch)) {
        if (d->tag != 0) {
            n = (size_t)snprintf(buf, sizeof(buf), "%s",
                                 kr_uni_decomp_tags[d->tag]);
        }
        for (int i = 0; i < d->len; i++) {
            n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%s%04X",
                                  n > 0 ? " " : "",
                                  (unsigned)kr_uni_decomp_data[d->offset + i]);
        }
    }
    return PyUnicode_FromStringAndSize(buf, (Py_ssize_t)n);
}

/* --- normalisation ------------------------------------------------------------------ */

enum form { NFC = 1, NFKC = 3, NFD = 0, NFKD = 2 }; /* bits: compose, compat */

struct chars {
    Py_UCS4 *data;
    Py_ssize_t len, room;
};

static int
push(struct chars *out, Py_UCS4 ch)
{
    if (out->len == out->room) {
        Py_ssize_t room = out->room + out->room / 2 + 32;
        Py_UCS4 *grown = PyMem_Realloc(out->data,
                                       (size_t)room * sizeof(*grown));
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        out->data = grown;
        out->room = room;
    }
    out->data[out->len++] = ch;
    return 0;
}

/* Appends the full decomposition. Chains are at most a few steps long. */
static int
decompose(PyObject *self, Py_UCS4 ch, int compat, struct chars *out)
{
    if (ch >= S_BASE && ch < S_BASE + S_COUNT) {
        Py_UCS4 s = ch - S_BASE;
        Py_UCS4 t = T_BASE + s % T_COUNT;
        return push(out, L_BASE + s / N_COUNT) < 0 ||
                       push(out, V_BASE + s % N_COUNT / T_COUNT) < 0 ||
                       (t != T_BASE && push(out, t) < 0)
                   ? -1 : 0;
    }
    const struct kr_uni_decomp *d = NULL;
    if (kr_uni_get(ch)->normalization &
        (KR_UNI_NOT_NFD | KR_UNI_NOT_NFKD)) {
        d = find_decomp(ch);
    }
    if (is_old(self)) {
        if (unassigned_in_old(self, ch)) {
            d = NULL;
        }
        for (int i = 0; i < KR_UNI_OLD_FIX_COUNT; i++) {
            if (kr_uni_old_fixes[i][0] == ch) {
                return push(out, kr_uni_old_fixes[i][1]);
            }
        }
    }
    if (d == NULL || (d->tag != 0 && !compat)) {
        return push(out, ch);
    }
    for (int i = 0; i < d->len; i++) {
        if (decompose(self, kr_uni_decomp_data[d->offset + i], compat, out) <
            0) {
            return -1;
        }
    }
    return 0;
}

/* Canonical order: a stable sort of each run of marks by class. Runs may be
 * long in hostile input, so they are merged rather than inserted. */
static int
sort_run(Py_UCS4 *s, Py_ssize_t n)
{
    if (n < 32) {
        for (Py_ssize_t i = 1; i < n; i++) {
            Py_UCS4 ch = s[i];
            int class = kr_uni_get(ch)->combining;
            Py_ssize_t j = i;
            for (; j > 0 && kr_uni_get(s[j - 1])->combining > class; j--) {
                s[j] = s[j - 1];
            }
            s[j] = ch;
        }
        return 0;
    }
    Py_ssize_t count[257] = {0};
    Py_UCS4 *copy = PyMem_New(Py_UCS4, n);
    if (copy == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(copy, s, (size_t)n * sizeof(*s));
    for (Py_ssize_t i = 0; i < n; i++) {
        count[kr_uni_get(copy[i])->combining + 1]++;
    }
    for (int i = 1; i < 257; i++) {
        count[i] += count[i - 1];
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        s[count[kr_uni_get(copy[i])->combining]++] = copy[i];
    }
    PyMem_Free(copy);
    return 0;
}

static int
reorder(struct chars *out)
{
    for (Py_ssize_t i = 0; i < out->len;) {
        if (kr_uni_get(out->data[i])->combining == 0) {
            i++;
            continue;
        }
        Py_ssize_t start = i;
        while (i < out->len && kr_uni_get(out->data[i])->combining != 0) {
            i++;
        }
        if (sort_run(out->data + start, i - start) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The composite of a pair, or 0. */
static Py_UCS4
composite(Py_UCS4 a, Py_UCS4 b)
{
    if (a >= L_BASE && a < L_BASE + L_COUNT && b >= V_BASE &&
        b < V_BASE + V_COUNT) {
        return S_BASE + ((a - L_BASE) * V_COUNT + (b - V_BASE)) * T_COUNT;
    }
    if (a >= S_BASE && a < S_BASE + S_COUNT && (a - S_BASE) % T_COUNT == 0 &&
        b > T_BASE && b < T_BASE + T_COUNT) {
        return a + (b - T_BASE);
    }
    if (!(kr_uni_get(b)->normalization & KR_UNI_COMPOSES)) {
        return 0;
    }
    int low = 0, high = KR_UNI_PAIR_COUNT - 1;
    while (low <= high) {
        int mid = (low + high) / 2;
        const struct kr_uni_pair *p = &kr_uni_pairs[mid];
        if (p->first == a && p->second == b) {
            return p->result;
        }
        if (p->first < a || (p->first == a && p->second < b)) {
            low = mid + 1;
        }
        else {
            high = mid - 1;
        }
    }
    return 0;
}

static void
compose(struct chars *out)
{
    Py_UCS4 *s = out->data;
    Py_ssize_t n = 0, starter = -1;
    int last = 0; /* class of the last mark kept after the starter */
    for (Py_ssize_t i = 0; i < out->len; i++) {
        Py_UCS4 ch = s[i];
        int class = kr_uni_get(ch)->combining;
        if (starter >= 0 &&
            (n == starter + 1 || (last != 0 && last < class))) {
            Py_UCS4 joined = composite(s[starter], ch);
            if (joined != 0) {
                s[starter] = joined;
                continue;
            }
        }
        if (class == 0) {
            starter = n;
        }
        last = class;
        s[n++] = ch;
    }
    out->len = n;
}

/* 1: normalised, 0: not, -1: unknown. */
static int
quick_check(PyObject *self, PyObject *input, enum form form)
{
    static const uint8_t no[] = {
        [NFD] = KR_UNI_NOT_NFD,
        [NFKD] = KR_UNI_NOT_NFKD,
        [NFC] = KR_UNI_NOT_NFC,
        [NFKC] = KR_UNI_NOT_NFKC,
    };
    if (PyUnicode_IS_ASCII(input)) {
        return 1;
    }
    if (is_old(self)) {
        return -1;
    }
    int kind = PyUnicode_KIND(input), result = 1, last = 0;
    const void *s = PyUnicode_DATA(input);
    Py_ssize_t n = PyUnicode_GET_LENGTH(input);
    for (Py_ssize_t i = 0; i < n; i++) {
        const struct kr_uni_record *r = kr_uni_get(PyUnicode_READ(kind, s, i));
        if ((r->combining != 0 && last > r->combining) ||
            (r->normalization & no[form])) {
            return 0;
        }
        if ((form & 1) && (r->normalization & KR_UNI_COMPOSES)) {
            result = -1;
        }
        last = r->combining;
    }
    return result;
}

static PyObject *
normalized(PyObject *self, PyObject *input, enum form form)
{
    struct chars out = {0};
    int kind = PyUnicode_KIND(input);
    const void *s = PyUnicode_DATA(input);
    Py_ssize_t n = PyUnicode_GET_LENGTH(input);
    PyObject *result = NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, s, i);
        if (decompose(self, ch, form & 2, &out) < 0) {
            goto done;
        }
    }
    if (reorder(&out) < 0) {
        goto done;
    }
    if (form & 1) {
        compose(&out);
    }
    result = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, out.data,
                                       out.len);
done:
    PyMem_Free(out.data);
    return result;
}

/* (form, unistr) */
static int
form_args(const char *name, PyObject *const *args, Py_ssize_t nargs,
          enum form *form, int *known)
{
    static const struct {
        const char *name;
        enum form form;
    } forms[] = {{"NFC", NFC}, {"NFKC", NFKC}, {"NFD", NFD}, {"NFKD", NFKD}};
    if (!_PyArg_CheckPositional(name, nargs, 2, 2)) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        if (!PyUnicode_Check(args[i])) {
            _PyArg_BadArgument(name, i ? "argument 2" : "argument 1", "str",
                               args[i]);
            return -1;
        }
        if (PyUnicode_READY(args[i]) < 0) {
            return -1;
        }
    }
    *known = 0;
    for (int i = 0; i < 4; i++) {
        if (_PyUnicode_EqualToASCIIString(args[0], forms[i].name)) {
            *form = forms[i].form;
            *known = 1;
        }
    }
    return 0;
}

static PyObject *
ucd_normalize(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    enum form form = NFC;
    int known;
    if (form_args("normalize", args, nargs, &form, &known) < 0) {
        return NULL;
    }
    if (PyUnicode_GET_LENGTH(args[1]) == 0) {
        return Py_NewRef(args[1]);
    }
    if (!known) {
        PyErr_SetString(PyExc_ValueError, "invalid normalization form");
        return NULL;
    }
    if (quick_check(self, args[1], form) == 1) {
        return Py_NewRef(args[1]);
    }
    return normalized(self, args[1], form);
}

static PyObject *
ucd_is_normalized(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    enum form form = NFC;
    int known;
    if (form_args("is_normalized", args, nargs, &form, &known) < 0) {
        return NULL;
    }
    if (PyUnicode_GET_LENGTH(args[1]) == 0) {
        Py_RETURN_TRUE;
    }
    if (!known) {
        PyErr_SetString(PyExc_ValueError, "invalid normalization form");
        return NULL;
    }
    int quick = quick_check(self, args[1], form);
    if (quick >= 0) {
        return PyBool_FromLong(quick);
    }
    PyObject *other = normalized(self, args[1], form);
    if (other == NULL) {
        return NULL;
    }
    int same = _PyUnicode_EQ(args[1], other);
    Py_DECREF(other);
    return PyBool_FromLong(same);
}

/* --- names --------------------------------------------------------------------------- */

static const char *const hangul[][3] = {
    {"G", "A", ""},    {"GG", "AE", "G"},  {"N", "YA", "GG"},
    {"D", "YAE", "GS"}, {"DD", "EO", "N"}, {"R", "E", "NJ"},
    {"M", "YEO", "NH"}, {"B", "YE", "D"},  {"BB", "O", "L"},
    {"S", "WA", "LG"}, {"SS", "WAE", "LM"}, {"", "OE", "LB"},
    {"J", "YO", "LS"}, {"JJ", "U", "LT"},  {"C", "WEO", "LP"},
    {"K", "WE", "LH"}, {"T", "WI", "M"},   {"P", "YU", "B"},
    {"H", "EU", "BS"}, {0, "YI", "S"},     {0, "I", "SS"},
    {0, 0, "NG"},      {0, 0, "J"},        {0, 0, "C"},
    {0, 0, "K"},       {0, 0, "T"},        {0, 0, "P"},
    {0, 0, "H"},
};

static int
is_ideograph(Py_UCS4 code)
{
    for (int i = 0; i < KR_UNI_IDEOGRAPH_COUNT; i++) {
        if (code >= kr_uni_ideographs[i][0] &&
            code <= kr_uni_ideographs[i][1]) {
            return 1;
        }
    }
    return 0;
}

/* Writes name number `index`; its length, or -1 if there is no room. */
static int
expand_name(unsigned index, char *buffer, int size)
{
    const uint8_t *p = kr_uni_name_text + kr_uni_name_start[index / 8];
    for (unsigned skip = index % 8; skip > 0; skip--) {
        while (*p++ != 0) {
        }
    }
    int n = 0;
    while (*p != 0) {
        unsigned word = *p++ - 1u;
        if (word >= KR_UNI_SHORT_WORDS) {
            word = KR_UNI_SHORT_WORDS + (word - KR_UNI_SHORT_WORDS) * 255 +
                   (*p++ - 1u);
        }
        uint32_t from = kr_uni_lexicon_offset[word];
        int len = (int)(kr_uni_lexicon_offset[word + 1] - from);
        if (n + (n > 0) + len + 1 > size) {
            return -1;
        }
        if (n > 0) {
            buffer[n++] = ' ';
        }
        memcpy(buffer + n, kr_uni_lexicon + from, (size_t)len);
        n += len;
    }
    buffer[n] = '\0';
    return n;
}

/* Number of the name of a code point, or -1. */
static int
name_index(Py_UCS4 code)
{
    int low = 0, high = KR_UNI_NAME_RUN_COUNT - 1;
    while (low <= high) {
        int mid = (low + high) / 2;
        const struct kr_uni_name_run *run = &kr_uni_name_runs[mid];
        if (code < run->code) {
            high = mid - 1;
        }
        else if (code >= run->code + run->count) {
            low = mid + 1;
        }
        else {
            return (int)(run->first_name + (code - run->code));
        }
    }
    return -1;
}

/* CPython numbers aliases from U+F0000 and sequences from U+F0200. */
enum { ALIASES_START = 0xF0000, SEQUENCES_START = 0xF0200 };
enum {
    SEQUENCES = (int)(sizeof(kr_uni_sequence_start) /
                      sizeof(kr_uni_sequence_start[0])) - KR_UNI_ALIASES
};

static int
get_name(Py_UCS4 code, char *buffer, int buflen, int with_alias_and_seq)
{
    if (code >= S_BASE && code < S_BASE + S_COUNT) {
        Py_UCS4 s = code - S_BASE;
        int n = snprintf(buffer, (size_t)buflen, "HANGUL SYLLABLE %s%s%s",
                         hangul[s / N_COUNT][0],
                         hangul[s % N_COUNT / T_COUNT][1],
                         hangul[s % T_COUNT][2]);
        return n < buflen;
    }
    if (is_ideograph(code)) {
        return snprintf(buffer, (size_t)buflen, "CJK UNIFIED IDEOGRAPH-%X",
                        (unsigned)code) < buflen;
    }
    int index = name_index(code);
    if (index < 0 && with_alias_and_seq) {
        if (code >= ALIASES_START && code < ALIASES_START + KR_UNI_ALIASES) {
            index = KR_UNI_PLAIN_NAMES + (int)(code - ALIASES_START);
        }
        else if (code >= SEQUENCES_START &&
                 code < SEQUENCES_START + (Py_UCS4)SEQUENCES) {
            index = KR_UNI_PLAIN_NAMES + KR_UNI_ALIASES +
                    (int)(code - SEQUENCES_START);
        }
    }
    return index >= 0 && expand_name((unsigned)index, buffer, buflen) >= 0;
}

/* Takes the longest part of one column that begins the text; -1 if none. */
static int
hangul_part(const char **s, const char *end, int column, int count)
{
    int best = -1;
    size_t best_len = 0;
    for (int i = 0; i < count; i++) {
        size_t len = strlen(hangul[i][column]);
        if (len <= (size_t)(end - *s) && (best < 0 || len > best_len) &&
            memcmp(*s, hangul[i][column], len) == 0) {
            best = i;
            best_len = len;
        }
    }
    *s += best_len;
    return best;
}

/* Names made by rule; 1, 0: no such name, -1: not of this sort. */
static int
ruled_code(const char *name, int n, Py_UCS4 *code)
{
    static const char syllable[] = "HANGUL SYLLABLE ";
    static const char ideograph[] = "CJK UNIFIED IDEOGRAPH-";
    int head = (int)sizeof(syllable) - 1;
    if (n >= head && memcmp(name, syllable, (size_t)head) == 0) {
        const char *s = name + head, *end = name + n;
        int l = hangul_part(&s, end, 0, L_COUNT);
        int v = hangul_part(&s, end, 1, V_COUNT);
        int t = hangul_part(&s, end, 2, T_COUNT);
        if (l < 0 || v < 0 || t < 0 || s != end) {
            return 0;
        }
        *code = (Py_UCS4)(S_BASE + (l * V_COUNT + v) * T_COUNT + t);
        return 1;
    }
    head = (int)sizeof(ideograph) - 1;
    if (n >= head && memcmp(name, ideograph, (size_t)head) == 0) {
        Py_UCS4 value = 0;
        if (n - head != 4 && n - head != 5) {
            return 0;
        }
        for (int i = head; i < n; i++) {
            char c = name[i];
            if (c >= '0' && c <= '9') {
                value = value * 16 + (Py_UCS4)(c - '0');
            }
            else if (c >= 'A' && c <= 'F') {
                value = value * 16 + (Py_UCS4)(c - 'A' + 10);
            }
            else {
                return 0;
            }
        }
        *code = value;
        return is_ideograph(value);
    }
    return -1;
}

/* Number of a name in any case, or -1. */
static int
find_name(const char *name, int n)
{
    char upper[256], other[256];
    if (n <= 0 || n >= (int)sizeof(upper)) {
        return -1;
    }
    uint32_t hash = 2166136261u;
    for (int i = 0; i < n; i++) {
        upper[i] = (char)Py_TOUPPER(name[i]);
        hash = (hash ^ (unsigned char)upper[i]) * 16777619u;
    }
    hash ^= hash >> 15;
    for (uint32_t i = hash % KR_UNI_NAME_HASH_SIZE;;
         i = (i + 1) % KR_UNI_NAME_HASH_SIZE) {
        unsigned index = kr_uni_name_hash[i];
        if (index == 0xFFFF) {
            return -1;
        }
        if (expand_name(index, other, sizeof(other)) == n &&
            memcmp(upper, other, (size_t)n) == 0) {
            return (int)index;
        }
    }
}

static Py_UCS4
code_of_name(int index)
{
    int low = 0, high = KR_UNI_NAME_RUN_COUNT - 1;
    while (low < high) {
        int mid = (low + high + 1) / 2;
        if (kr_uni_name_runs[mid].first_name <= index) {
            low = mid;
        }
        else {
            high = mid - 1;
        }
    }
    const struct kr_uni_name_run *run = &kr_uni_name_runs[low];
    return run->code + (Py_UCS4)(index - run->first_name);
}

/* `self` is the database to look in, NULL for the current one. */
static int
get_code_in(PyObject *self, const char *name, int namelen, Py_UCS4 *code,
            int with_named_seq)
{
    int ruled = ruled_code(name, namelen, code);
    if (ruled >= 0) {
        return ruled;
    }
    int index = find_name(name, namelen);
    if (index < 0) {
        return 0;
    }
    if (index < KR_UNI_PLAIN_NAMES) {
        *code = code_of_name(index);
        return !unassigned_in_old(self, *code);
    }
    if (is_old(self)) {
        return 0; /* it has no aliases and no sequences */
    }
    int extra = index - KR_UNI_PLAIN_NAMES;
    if (extra < KR_UNI_ALIASES) {
        *code = kr_uni_sequence_data[kr_uni_sequence_start[extra] + 1];
        return 1;
    }
    *code = (Py_UCS4)(SEQUENCES_START + extra - KR_UNI_ALIASES);
    return with_named_seq;
}

static int
get_code(const char *name, int namelen, Py_UCS4 *code, int with_named_seq)
{
    return get_code_in(NULL, name, namelen, code, with_named_seq);
}

static PyObject *
ucd_name(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_UCS4 ch;
    char name[257];
    if (char_default("name", args, nargs, &ch) < 0) {
        return NULL;
    }
    if (unassigned_in_old(self, ch) ||
        !get_name(ch, name, (int)sizeof(name), 0)) {
        return default_or(args, nargs, "no such name");
    }
    return PyUnicode_FromString(name);
}

static PyObject *
ucd_lookup(PyObject *self, PyObject *arg)
{
    const char *name;
    Py_ssize_t length;
    Py_UCS4 code;
    if (!PyArg_Parse(arg, "s#:lookup", &name, &length)) {
        return NULL;
    }
    PyObject *result = NULL;
    if (length > 256) {
        PyErr_SetString(PyExc_KeyError, "name too long");
    }
    else if (!get_code_in(self, name, (int)length, &code, 1)) {
        PyErr_Format(PyExc_KeyError, "undefined character name '%s'", name);
    }
    else if (code >= SEQUENCES_START &&
             code < SEQUENCES_START + (Py_UCS4)SEQUENCES) {
        const uint32_t *s = kr_uni_sequence_data +
                            kr_uni_sequence_start[code - SEQUENCES_START +
                                                  KR_UNI_ALIASES];
        result = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, s + 1,
                                           (Py_ssize_t)s[0]);
    }
    else {
        result = PyUnicode_FromOrdinal((int)code);
    }
    return result;
}

/* --- module ------------------------------------------------------------------------------ */

#define ONE(name, doc) {#name, ucd_##name, METH_O,                             \
    #name "($self, chr, /)\n--\n\n" doc}
#define FAST(name, sig, doc) {#name,                                           \
    (PyCFunction)(void (*)(void))ucd_##name, METH_FASTCALL,                    \
    #name sig "\n--\n\n" doc}
#define DEFAULT "($self, chr, default=<unrepresentable>, /)"

static PyMethodDef methods[] = {
    FAST(decimal, DEFAULT, "Value of a decimal character as int."),
    FAST(digit, DEFAULT, "Value of a digit character as int."),
    FAST(numeric, DEFAULT, "Value of a numeric character as float."),
    ONE(category, "General category."),
    ONE(bidirectional, "Bidirectional class, '' if there is none."),
    ONE(combining, "Canonical combining class, 0 if there is none."),
    ONE(mirrored, "1 if the character is mirrored in bidirectional text."),
    ONE(east_asian_width, "East Asian width."),
    ONE(decomposition, "Decomposition mapping, '' if there is none."),
    FAST(name, DEFAULT, "Name of the character."),
    {"lookup", ucd_lookup, METH_O,
     "lookup($self, name, /)\n--\n\nThe character (or sequence) of a name."},
    FAST(is_normalized, "($self, form, unistr, /)",
         "Whether the string is in the normal form."),
    FAST(normalize, "($self, form, unistr, /)",
         "The normal form NFC, NFKC, NFD or NFKD of the string."),
    {NULL},
};

static PyObject *
ucd_version(PyObject *self, void *closure)
{
    return PyUnicode_FromString(((struct ucd *)self)->version);
}

static void
ucd_dealloc(PyObject *self)
{
    PyObject_Free(self);
}

static PyGetSetDef ucd_getset[] = {
    {"unidata_version", ucd_version, NULL, NULL, NULL},
    {NULL},
};

static PyTypeObject ucd_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "unicodedata.UCD",
    .tp_basicsize = sizeof(struct ucd),
    .tp_dealloc = ucd_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                Py_TPFLAGS_IMMUTABLETYPE,
    .tp_methods = methods,
    .tp_getset = ucd_getset,
};

static int
exec_module(PyObject *mod)
{
    static const _PyUnicode_Name_CAPI api = {get_name, get_code};
    if (PyModule_AddStringConstant(mod, "unidata_version", KR_UNI_VERSION) <
            0 ||
        PyModule_AddType(mod, &ucd_type) < 0) {
        return -1;
    }
    struct ucd *old = PyObject_New(struct ucd, &ucd_type);
    if (old == NULL) {
        return -1;
    }
    old->version = "3.2.0";
    if (PyModule_AddObject(mod, "ucd_3_2_0", (PyObject *)old) < 0) {
        Py_DECREF(old);
        return -1;
    }
    PyObject *capsule = PyCapsule_New((void *)(uintptr_t)&api,
                                      KR_UCNHASH_CAPSULE, NULL);
    if (capsule == NULL ||
        PyModule_AddObject(mod, "_ucnhash_CAPI", capsule) < 0) {
        Py_XDECREF(capsule);
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec_module},
    {0, NULL},
};

static struct PyModuleDef def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "unicodedata",
    .m_doc = "Properties of all Unicode characters: names, categories, "
             "normal forms.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_unicodedata(void)
{
    return PyModuleDef_Init(&def);
}
