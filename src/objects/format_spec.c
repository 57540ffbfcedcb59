/* The format specification mini-language (PEP 3101) for the built-in types:
 *
 *   [[fill]align][sign][z][#][0][width][grouping][.precision][type]
 */
#include "objects/format_spec.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>

#include "base/common.h"
#include "objects/int/int.h"

enum grouping {
    GROUP_NONE = 0,
    GROUP_COMMA = ',',
    GROUP_UNDERSCORE = '_',
    GROUP_UNDERSCORE_FOUR = '4', /* for binary, octal and hexadecimal */
    GROUP_LOCALE = 'n',
};

struct spec {
    Py_UCS4 fill;
    Py_UCS4 align; /* < > ^ = */
    Py_UCS4 sign;  /* + - space, or 0 */
    bool no_neg_0;
    bool alternate;
    Py_ssize_t width;     /* -1: none */
    Py_ssize_t precision; /* -1: none */
    enum grouping grouping;
    Py_UCS4 type; /* 0: none */
};

/* --- Reading a specification ---------------------------------------------- */

static int
unknown_type(Py_UCS4 type, PyObject *obj)
{
    const char *format =
        type > 32 && type < 128
            ? "Unknown format code '%c' for object of type '%.200s'"
            : "Unknown format code '\\x%x' for object of type '%.200s'";
    PyErr_Format(PyExc_ValueError, format, (int)type, Py_TYPE(obj)->tp_name);
    return -1;
}

static int
bad_grouping(char separator, Py_UCS4 type)
{
    const char *format = type > 32 && type < 128
                             ? "Cannot specify '%c' with '%c'."
                             : "Cannot specify '%c' with '\\x%x'.";
    PyErr_Format(PyExc_ValueError, format, separator, (int)type);
    return -1;
}

/* Reads a decimal number at *pos; the count of digits, -1 with an exception. */
static int
read_number(PyObject *s, Py_ssize_t *pos, Py_ssize_t end, Py_ssize_t *result)
{
    Py_ssize_t n = 0;
    int digits = 0;
    for (; *pos < end; ++*pos, digits++) {
        int d = Py_UNICODE_TODECIMAL(PyUnicode_READ_CHAR(s, *pos));
        if (d < 0) {
            break;
        }
        if (n > (PY_SSIZE_T_MAX - d) / 10) {
            PyErr_Format(PyExc_ValueError,
                         "Too many decimal digits in format string");
            return -1;
        }
        n = n * 10 + d;
    }
    if (digits) {
        *result = n;
    }
    return digits;
}

static bool
is_align(Py_UCS4 c)
{
    return c == '<' || c == '>' || c == '=' || c == '^';
}

static int
invalid_spec(PyObject *s, Py_ssize_t start, Py_ssize_t end, PyObject *obj)
{
    PyObject *text = PyUnicode_Substring(s, start, end);
    if (text != NULL) {
        PyErr_Format(PyExc_ValueError,
                     "Invalid format specifier '%U' for object of type "
                     "'%.200s'",
                     text, Py_TYPE(obj)->tp_name);
        Py_DECREF(text);
    }
    return -1;
}

/* Grouping characters at *pos. */
static int
read_grouping(PyObject *s, Py_ssize_t *pos, Py_ssize_t end, struct spec *f)
{
    bool comma = *pos < end && PyUnicode_READ_CHAR(s, *pos) == ',';
    *pos += comma;
    bool underscore = *pos < end && PyUnicode_READ_CHAR(s, *pos) == '_';
    *pos += underscore;
    if (underscore && !comma && *pos < end &&
        PyUnicode_READ_CHAR(s, *pos) == ',') {
        comma = true;
    }
    if (comma && underscore) {
        PyErr_Format(PyExc_ValueError, "Cannot specify both ',' and '_'.");
        return -1;
    }
    f->grouping = comma        ? GROUP_COMMA
                  : underscore ? GROUP_UNDERSCORE
                               : GROUP_NONE;
    return 0;
}

/* Grouping goes only with some types. */
static int
check_grouping(struct spec *f)
{
    if (f->grouping == GROUP_NONE) {
        return 0;
    }
    switch (f->type) {
    case 'd':
    case 'e':
    case 'f':
    case 'g':
    case 'E':
    case 'G':
    case '%':
    case 'F':
    case '\0':
        return 0;
    case 'b':
    case 'o':
    case 'x':
    case 'X':
        if (f->grouping == GROUP_UNDERSCORE) {
            f->grouping = GROUP_UNDERSCORE_FOUR;
            return 0;
        }
        KR_FALLTHROUGH;
    default:
        return bad_grouping((char)f->grouping, f->type);
    }
}

static int
parse_spec(PyObject *obj, PyObject *s, Py_ssize_t start, Py_ssize_t end,
           struct spec *f, char default_type, char default_align)
{
    Py_ssize_t pos = start;
    bool fill_given = false, align_given = false;
    *f = (struct spec){.fill = ' ',
                       .align = (Py_UCS4)default_align,
                       .width = -1,
                       .precision = -1,
                       .type = (Py_UCS4)default_type};
#define PEEK(i) PyUnicode_READ_CHAR(s, (i))
    if (end - pos >= 2 && is_align(PEEK(pos + 1))) {
        f->fill = PEEK(pos);
        f->align = PEEK(pos + 1);
        fill_given = align_given = true;
        pos += 2;
    }
    else if (end - pos >= 1 && is_align(PEEK(pos))) {
        f->align = PEEK(pos++);
        align_given = true;
    }
    if (pos < end &&
        (PEEK(pos) == '+' || PEEK(pos) == '-' || PEEK(pos) == ' ')) {
        f->sign = PEEK(pos++);
    }
    if (pos < end && PEEK(pos) == 'z') {
        f->no_neg_0 = true;
        pos++;
    }
    if (pos < end && PEEK(pos) == '#') {
        f->alternate = true;
        pos++;
    }
    if (!fill_given && pos < end && PEEK(pos) == '0') {
        f->fill = '0';
        if (!align_given && default_align == '>') {
            f->align = '=';
        }
        pos++;
    }
    if (read_number(s, &pos, end, &f->width) < 0 ||
        read_grouping(s, &pos, end, f) < 0) {
        return -1;
    }
    if (pos < end && PEEK(pos) == '.') {
        pos++;
        int digits = read_number(s, &pos, end, &f->precision);
        if (digits < 0) {
            return -1;
        }
        if (digits == 0) {
            PyErr_Format(PyExc_ValueError,
                         "Format specifier missing precision");
            return -1;
        }
    }
    if (end - pos > 1) {
        return invalid_spec(s, start, end, obj);
    }
    if (end - pos == 1) {
        f->type = PEEK(pos);
    }
#undef PEEK
    return check_grouping(f);
}

/* --- Padding -------------------------------------------------------------- */

static int
write_fill(_PyUnicodeWriter *writer, Py_UCS4 fill, Py_ssize_t n)
{
    if (n <= 0) {
        return 0;
    }
    if (_PyUnicodeWriter_Prepare(writer, n, fill) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyUnicode_WRITE(writer->kind, writer->data, writer->pos + i, fill);
    }
    writer->pos += n;
    return 0;
}

/* How `width` beyond `n` characters is shared; '=' is the caller's matter. */
static void
share_padding(Py_ssize_t n, const struct spec *f, Py_ssize_t *left,
              Py_ssize_t *right)
{
    Py_ssize_t pad = f->width > n ? f->width - n : 0;
    *left = f->align == '>' ? pad : f->align == '^' ? pad / 2 : 0;
    *right = pad - *left;
    if (f->align == '=') {
        *right = 0;
    }
}

/* --- Locale --------------------------------------------------------------- */

/* Separators of a number; the strings are owned. */
struct separators {
    PyObject *decimal;
    PyObject *thousands;
    char grouping[16]; /* as in struct lconv */
};

static int
get_separators(enum grouping kind, struct separators *sep)
{
    const char *decimal = ".", *thousands = "", *grouping = "";
    switch (kind) {
    case GROUP_NONE:
        break;
    case GROUP_COMMA:
        thousands = ",", grouping = "\3";
        break;
    case GROUP_UNDERSCORE:
        thousands = "_", grouping = "\3";
        break;
    case GROUP_UNDERSCORE_FOUR:
        thousands = "_", grouping = "\4";
        break;
    case GROUP_LOCALE: {
        struct lconv *lc = localeconv();
        decimal = lc->decimal_point;
        thousands = lc->thousands_sep;
        grouping = lc->grouping;
        break;
    }
    }
    strncpy(sep->grouping, grouping, sizeof(sep->grouping) - 1);
    sep->grouping[sizeof(sep->grouping) - 1] = '\0';
    sep->decimal = PyUnicode_DecodeLocale(decimal, NULL);
    sep->thousands =
        sep->decimal ? PyUnicode_DecodeLocale(thousands, NULL) : NULL;
    if (sep->thousands == NULL) {
        Py_CLEAR(sep->decimal);
        return -1;
    }
    return 0;
}

static void
free_separators(struct separators *sep)
{
    Py_XDECREF(sep->decimal);
    Py_XDECREF(sep->thousands);
}

/* --- Numbers -------------------------------------------------------------- */

/* An ASCII number in parts: [sign] [prefix] digits [.] rest, where `rest` is
 * what follows the dot (fraction, exponent, percent sign). */
struct number {
    Py_UCS4 sign; /* 0: none is shown */
    const char *prefix;
    Py_ssize_t n_prefix;
    const char *digits;
    Py_ssize_t n_digits;
    bool decimal;
    const char *rest;
    Py_ssize_t n_rest;
    Py_UCS4 character; /* of type c: takes the place of everything else */

    /* found by measure_number: pieces of the digits, from the right */
    char *grouped; /* digits with \1 for each separator; to be freed */
    Py_ssize_t n_grouped;   /* characters of `grouped` */
    Py_ssize_t n_separators;
    Py_ssize_t left, inside, right; /* padding */
};

/* Groups the digits with zeros in front up to min_width characters. */
static int
group_digits(struct number *n, const struct separators *sep,
             Py_ssize_t min_width)
{
    Py_ssize_t sep_len = PyUnicode_GET_LENGTH(sep->thousands);
    Py_ssize_t room = 2 * Py_MAX(n->n_digits, min_width) + 2;
    n->grouped = PyMem_Malloc(room);
    if (n->grouped == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    char *end = n->grouped + room, *p = end;
    const char *g = sep->grouping;
    Py_ssize_t left = n->n_digits, group = 0;
    for (;;) {
        if (*g == CHAR_MAX || (*g == '\0' && group == 0)) {
            group = PY_SSIZE_T_MAX; /* no further separators */
        }
        else if (*g != '\0') {
            group = *g++;
        }
        Py_ssize_t len =
            Py_MIN(group, Py_MAX(Py_MAX(left, min_width), (Py_ssize_t)1));
        Py_ssize_t take = Py_MIN(left, len);
        p -= take;
        memcpy(p, n->digits + left - take, take);
        p -= len - take;
        memset(p, '0', len - take);
        left -= take;
        min_width -= len;
        if (left <= 0 && min_width <= 0) {
            break;
        }
        *--p = '\1';
        n->n_separators++;
        min_width -= sep_len;
    }
    n->n_grouped = end - p;
    memmove(n->grouped, p, n->n_grouped);
    return 0;
}

/* Fills in what depends on width and grouping; the total length, or -1. */
static Py_ssize_t
measure_number(struct number *n, const struct spec *f,
               const struct separators *sep)
{
    Py_ssize_t sep_len = PyUnicode_GET_LENGTH(sep->thousands);
    Py_ssize_t other = (n->sign != 0) + n->n_prefix + n->n_rest +
                       (n->decimal ? PyUnicode_GET_LENGTH(sep->decimal) : 0) +
                       (n->character != 0);
    n->grouped = NULL;
    n->n_grouped = n->n_separators = 0;
    /* zeros in front of grouped digits are grouped with them */
    bool zeros = f->fill == '0' && f->align == '=';
    Py_ssize_t min_width = zeros ? f->width - other : 0;
    Py_ssize_t n_digits = n->n_digits;
    if (n->n_digits > 0 && !n->character &&
        (sep->grouping[0] != '\0' || min_width > n->n_digits)) {
        if (group_digits(n, sep, min_width) < 0) {
            return -1;
        }
        n_digits = n->n_grouped - n->n_separators + n->n_separators * sep_len;
    }
    Py_ssize_t total = other + n_digits;
    share_padding(total, f, &n->left, &n->right);
    n->inside = f->align == '=' && f->width > total ? f->width - total : 0;
    return total + n->left + n->inside + n->right;
}

static int
write_digits(_PyUnicodeWriter *writer, const struct number *n,
             const struct separators *sep, bool upper)
{
    const char *p = n->grouped ? n->grouped : n->digits;
    Py_ssize_t len = n->grouped ? n->n_grouped : n->n_digits;
    if (!upper && n->n_separators == 0) {
        return _PyUnicodeWriter_WriteASCIIString(writer, p, len);
    }
    for (Py_ssize_t i = 0; i < len; i++) {
        int err = p[i] == '\1'
                      ? _PyUnicodeWriter_WriteStr(writer, sep->thousands)
                      : _PyUnicodeWriter_WriteChar(
                            writer, upper ? Py_TOUPPER(p[i]) : p[i]);
        if (err < 0) {
            return -1;
        }
    }
    return 0;
}

static int
write_number(_PyUnicodeWriter *writer, const struct number *n,
             const struct spec *f, const struct separators *sep, bool upper)
{
    if (write_fill(writer, f->fill, n->left) < 0 ||
        (n->sign && _PyUnicodeWriter_WriteChar(writer, n->sign) < 0)) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < n->n_prefix; i++) {
        char c = n->prefix[i];
        if (_PyUnicodeWriter_WriteChar(writer, upper ? Py_TOUPPER(c) : c) < 0) {
            return -1;
        }
    }
    if (write_fill(writer, f->fill, n->inside) < 0 ||
        write_digits(writer, n, sep, upper) < 0 ||
        (n->decimal && _PyUnicodeWriter_WriteStr(writer, sep->decimal) < 0) ||
        (n->n_rest && _PyUnicodeWriter_WriteASCIIString(writer, n->rest,
                                                        n->n_rest) < 0) ||
        (n->character &&
         _PyUnicodeWriter_WriteChar(writer, n->character) < 0) ||
        write_fill(writer, f->fill, n->right) < 0) {
        return -1;
    }
    return 0;
}

static int
layout_number(_PyUnicodeWriter *writer, struct number *n, const struct spec *f,
              bool upper)
{
    struct separators sep;
    if (get_separators(f->grouping, &sep) < 0) {
        return -1;
    }
    int err = -1;
    if (measure_number(n, f, &sep) >= 0) {
        err = write_number(writer, n, f, &sep, upper);
    }
    PyMem_Free(n->grouped);
    free_separators(&sep);
    return err;
}

/* The sign to show for a number that is negative or not. */
static Py_UCS4
sign_of(bool negative, const struct spec *f)
{
    if (negative) {
        return '-';
    }
    return f->sign == '+' || f->sign == ' ' ? f->sign : 0;
}

/* --- str ------------------------------------------------------------------ */

static int
string_error(const char *message)
{
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

static int
format_string(PyObject *value, const struct spec *f, _PyUnicodeWriter *writer)
{
    if (f->sign != 0) {
        return string_error(f->sign == ' ' ? "Space not allowed in string "
                                             "format specifier"
                                           : "Sign not allowed in string "
                                             "format specifier");
    }
    if (f->no_neg_0) {
        return string_error("Negative zero coercion (z) not allowed in string "
                            "format specifier");
    }
    if (f->alternate) {
        return string_error(
            "Alternate form (#) not allowed in string format specifier");
    }
    if (f->align == '=') {
        return string_error(
            "'=' alignment not allowed in string format specifier");
    }
    Py_ssize_t len = PyUnicode_GET_LENGTH(value), left, right;
    if (f->precision >= 0 && len > f->precision) {
        len = f->precision;
    }
    share_padding(len, f, &left, &right);
    if (write_fill(writer, f->fill, left) < 0 ||
        _PyUnicodeWriter_WriteSubstring(writer, value, 0, len) < 0) {
        return -1;
    }
    return write_fill(writer, f->fill, right);
}

/* format(obj, ''): str(obj). */
static int
write_str_of(PyObject *obj, _PyUnicodeWriter *writer)
{
    PyObject *s = PyObject_Str(obj);
    if (s == NULL) {
        return -1;
    }
    int err = _PyUnicodeWriter_WriteStr(writer, s);
    Py_DECREF(s);
    return err;
}

int
_PyUnicode_FormatAdvancedWriter(_PyUnicodeWriter *writer, PyObject *obj,
                                PyObject *format_spec, Py_ssize_t start,
                                Py_ssize_t end)
{
    struct spec f;
    if (start == end) {
        return PyUnicode_CheckExact(obj) ? _PyUnicodeWriter_WriteStr(writer, obj)
                                         : write_str_of(obj, writer);
    }
    if (parse_spec(obj, format_spec, start, end, &f, 's', '<') < 0) {
        return -1;
    }
    if (f.type != 's') {
        return unknown_type(f.type, obj);
    }
    return format_string(obj, &f, writer);
}

/* --- int ------------------------------------------------------------------ */

static int
format_character(PyObject *value, const struct spec *f,
                 _PyUnicodeWriter *writer)
{
    if (f->sign != 0) {
        return string_error("Sign not allowed with integer format "
                            "specifier 'c'");
    }
    if (f->alternate) {
        return string_error("Alternate form (#) not allowed with integer "
                            "format specifier 'c'");
    }
    long x = PyLong_AsLong(value);
    if (x == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (x < 0 || x > 0x10ffff) {
        PyErr_SetString(PyExc_OverflowError,
                        "%c arg not in range(0x110000)");
        return -1;
    }
    if (x == 0) { /* 0 says "no character" in the parts of a number */
        Py_ssize_t left, right;
        share_padding(1, f, &left, &right);
        if (f->align == '=') {
            left = f->width > 1 ? f->width - 1 : 0;
        }
        return write_fill(writer, f->fill, left) < 0 ||
                       write_fill(writer, 0, 1) < 0
                   ? -1
                   : write_fill(writer, f->fill, right);
    }
    struct number n = {.character = (Py_UCS4)x};
    struct spec plain = *f;
    plain.grouping = GROUP_NONE;
    return layout_number(writer, &n, &plain, false);
}

static int
format_long(PyObject *value, struct spec *f, _PyUnicodeWriter *writer)
{
    if (f->precision != -1) {
        return string_error("Precision not allowed in integer format "
                            "specifier");
    }
    if (f->no_neg_0) {
        return string_error("Negative zero coercion (z) not allowed in "
                            "integer format specifier");
    }
    if (f->type == 'c') {
        return format_character(value, f, writer);
    }
    int base = 10;
    switch (f->type) {
    case 'b':
        base = 2;
        break;
    case 'o':
        base = 8;
        break;
    case 'x':
    case 'X':
        base = 16;
        break;
    case 'n':
        f->grouping = GROUP_LOCALE;
        break;
    }
    if (f->sign != '+' && f->sign != ' ' && f->width == -1 && f->type != 'X' &&
        f->type != 'n' && f->grouping == GROUP_NONE) {
        return _PyLong_FormatWriter(writer, value, base,
                                    base != 10 && f->alternate);
    }
    PyObject *text = _PyLong_Format(value, base);
    if (text == NULL) {
        return -1;
    }
    const char *s = (const char *)PyUnicode_1BYTE_DATA(text);
    Py_ssize_t len = PyUnicode_GET_LENGTH(text);
    struct number n = {.sign = sign_of(*s == '-', f)};
    if (*s == '-') {
        s++, len--;
    }
    if (base != 10) {
        n.prefix = s;
        n.n_prefix = f->alternate ? 2 : 0;
        s += 2, len -= 2;
    }
    n.digits = s;
    n.n_digits = len;
    int err = layout_number(writer, &n, f, f->type == 'X');
    Py_DECREF(text);
    return err;
}

/* --- float ---------------------------------------------------------------- */

/* Splits the text of a double: [-] digits [.] rest. */
static struct number
split_number(const char *s, Py_ssize_t len, const struct spec *f)
{
    const char *end = s + len;
    struct number n = {.sign = sign_of(*s == '-', f)};
    if (*s == '-') {
        s++;
    }
    n.digits = s;
    while (s < end && isdigit((unsigned char)*s)) {
        s++;
    }
    n.n_digits = s - n.digits;
    n.decimal = s < end && *s == '.';
    n.rest = s + n.decimal;
    n.n_rest = end - n.rest;
    return n;
}

/* The text of x in the float formats; NULL with an exception. */
static char *
double_text(double x, const struct spec *f, int type, int default_precision,
            int flags)
{
    int precision = default_precision;
    if (f->precision > INT_MAX) {
        PyErr_SetString(PyExc_ValueError, "precision too big");
        return NULL;
    }
    if (f->precision >= 0) {
        precision = (int)f->precision;
        if (type == 'r') {
            type = 'g';
        }
    }
    if (f->alternate) {
        flags |= Py_DTSF_ALT;
    }
    if (f->no_neg_0) {
        flags |= Py_DTSF_NO_NEG_0;
    }
    return PyOS_double_to_string(x, (char)type, precision, flags, NULL);
}

static int
format_float(PyObject *value, struct spec *f, _PyUnicodeWriter *writer)
{
    double x = PyFloat_AsDouble(value);
    if (x == -1.0 && PyErr_Occurred()) {
        return -1;
    }
    int type = (int)f->type, default_precision = 6, flags = 0;
    bool percent = false;
    switch (f->type) {
    case '\0':
        flags = Py_DTSF_ADD_DOT_0;
        type = 'r';
        default_precision = 0;
        break;
    case 'n':
        type = 'g';
        f->grouping = GROUP_LOCALE;
        break;
    case '%':
        type = 'f';
        x *= 100;
        percent = true;
        break;
    }
    char *buf = double_text(x, f, type, default_precision, flags);
    if (buf == NULL) {
        return -1;
    }
    Py_ssize_t len = (Py_ssize_t)strlen(buf);
    if (percent) { /* its NUL is replaced: the length is known */
        buf[len++] = '%';
    }
    int err;
    if (f->sign != '+' && f->sign != ' ' && f->width == -1 && f->type != 'n' &&
        f->grouping == GROUP_NONE) {
        err = _PyUnicodeWriter_WriteASCIIString(writer, buf, len);
    }
    else {
        struct number n = split_number(buf, len, f);
        err = layout_number(writer, &n, f, false);
    }
    PyMem_Free(buf);
    return err;
}

/* --- complex -------------------------------------------------------------- */

static int
write_complex(struct number *re, struct number *im, bool skip_re, bool parens,
              const struct spec *f, _PyUnicodeWriter *writer)
{
    struct separators sep;
    struct spec plain = *f; /* padding goes around the whole */
    plain.fill = 0;
    plain.align = '<';
    plain.width = -1;
    if (get_separators(f->grouping, &sep) < 0) {
        return -1;
    }
    Py_ssize_t n_re = 0, n_im, left, right;
    int err = -1;
    if (!skip_re) {
        n_re = measure_number(re, &plain, &sep);
    }
    n_im = n_re < 0 ? -1 : measure_number(im, &plain, &sep);
    if (n_im >= 0) {
        share_padding(n_re + n_im + 1 + 2 * parens, f, &left, &right);
        err = write_fill(writer, f->fill, left);
        if (err == 0 && parens) {
            err = _PyUnicodeWriter_WriteChar(writer, '(');
        }
        if (err == 0 && !skip_re) {
            err = write_number(writer, re, &plain, &sep, false);
        }
        if (err == 0) {
            err = write_number(writer, im, &plain, &sep, false);
        }
        if (err == 0) {
            err = _PyUnicodeWriter_WriteASCIIString(writer, "j)", 1 + parens);
        }
        if (err == 0) {
            err = write_fill(writer, f->fill, right);
        }
    }
    PyMem_Free(re->grouped);
    PyMem_Free(im->grouped);
    free_separators(&sep);
    return err;
}

static int
format_complex(PyObject *value, struct spec *f, _PyUnicodeWriter *writer)
{
    if (f->fill == '0') {
        return string_error("Zero padding is not allowed in complex format "
                            "specifier");
    }
    if (f->align == '=') {
        return string_error("'=' alignment flag is not allowed in complex "
                            "format specifier");
    }
    Py_complex c = ((PyComplexObject *)value)->cval;
    int type = (int)f->type, default_precision = 6;
    bool skip_re = false, parens = false;
    if (type == '\0') {
        type = 'r';
        default_precision = 0;
        skip_re = c.real == 0.0 && !signbit(c.real);
        parens = !skip_re;
    }
    if (type == 'n') {
        type = 'g';
        f->grouping = GROUP_LOCALE;
    }
    char *re_buf = double_text(c.real, f, type, default_precision, 0);
    char *im_buf =
        re_buf ? double_text(c.imag, f, type, default_precision, 0) : NULL;
    int err = -1;
    if (im_buf != NULL) {
        struct spec signed_spec = *f;
        signed_spec.sign = '+'; /* joins the parts */
        struct number re = split_number(re_buf, strlen(re_buf), f);
        struct number im = split_number(im_buf, strlen(im_buf),
                                        skip_re ? f : &signed_spec);
        err = write_complex(&re, &im, skip_re, parens, f, writer);
    }
    PyMem_Free(re_buf);
    PyMem_Free(im_buf);
    return err;
}

/* --- Entry points --------------------------------------------------------- */

int
_PyLong_FormatAdvancedWriter(_PyUnicodeWriter *writer, PyObject *obj,
                             PyObject *format_spec, Py_ssize_t start,
                             Py_ssize_t end)
{
    struct spec f;
    if (start == end) {
        return PyLong_CheckExact(obj) ? _PyLong_FormatWriter(writer, obj, 10, 0)
                                      : write_str_of(obj, writer);
    }
    if (parse_spec(obj, format_spec, start, end, &f, 'd', '>') < 0) {
        return -1;
    }
    switch (f.type) {
    case 'b':
    case 'c':
    case 'd':
    case 'o':
    case 'x':
    case 'X':
    case 'n':
        return format_long(obj, &f, writer);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case '%': {
        PyObject *x = PyNumber_Float(obj);
        if (x == NULL) {
            return -1;
        }
        int err = format_float(x, &f, writer);
        Py_DECREF(x);
        return err;
    }
    default:
        return unknown_type(f.type, obj);
    }
}

/* With a format whose type is none or one of `types`. */
static int
write_by(_PyUnicodeWriter *writer, PyObject *obj, PyObject *format_spec,
         Py_ssize_t start, Py_ssize_t end, const char *types,
         int (*format)(PyObject *, struct spec *, _PyUnicodeWriter *))
{
    struct spec f;
    if (start == end) {
        return write_str_of(obj, writer);
    }
    if (parse_spec(obj, format_spec, start, end, &f, '\0', '>') < 0) {
        return -1;
    }
    if (f.type == '\0' ||
        (f.type < 128 && strchr(types, (int)f.type) != NULL)) {
        return format(obj, &f, writer);
    }
    return unknown_type(f.type, obj);
}

int
_PyFloat_FormatAdvancedWriter(_PyUnicodeWriter *writer, PyObject *obj,
                              PyObject *format_spec, Py_ssize_t start,
                              Py_ssize_t end)
{
    return write_by(writer, obj, format_spec, start, end, "eEfFgGn%",
                    format_float);
}

int
_PyComplex_FormatAdvancedWriter(_PyUnicodeWriter *writer, PyObject *obj,
                                PyObject *format_spec, Py_ssize_t start,
                                Py_ssize_t end)
{
    return write_by(writer, obj, format_spec, start, end, "eEfFgGn",
                    format_complex);
}

PyObject *
kr_format_by(PyObject *obj, PyObject *spec,
             int (*write)(_PyUnicodeWriter *, PyObject *, PyObject *,
                          Py_ssize_t, Py_ssize_t))
{
    if (!PyUnicode_Check(spec)) {
        _PyArg_BadArgument("__format__", "argument", "str", spec);
        return NULL;
    }
    _PyUnicodeWriter writer;
    _PyUnicodeWriter_Init(&writer);
    if (write(&writer, obj, spec, 0, PyUnicode_GET_LENGTH(spec)) < 0) {
        _PyUnicodeWriter_Dealloc(&writer);
        return NULL;
    }
    return _PyUnicodeWriter_Finish(&writer);
}
