"""Write the tables of grammar/unicode/ from a reference Python.

    /usr/bin/python3.11 tools/unidump.py grammar/unicode

Run by hand when the Unicode version changes; the build only reads the tables.
Everything here is a fact of the Unicode Character Database (14.0.0 and 3.2.0),
asked of the running interpreter one code point at a time.
"""
import ctypes
import sys
import unicodedata as ud

api = ctypes.pythonapi
TOP = 0x110000


def predicate(name):
    f = getattr(api, name)
    f.argtypes, f.restype = [ctypes.c_uint32], ctypes.c_int
    return f


# the order is that of enum kr_uni_flag in tools/unigen.c
FLAGS = [predicate("_PyUnicode_" + n) for n in (
    "IsAlpha", "IsDecimalDigit", "IsDigit", "IsNumeric", "IsLowercase",
    "IsUppercase", "IsTitlecase", "IsPrintable", "IsWhitespace",
    "IsLinebreak", "IsXidStart", "IsXidContinue", "IsCased",
    "IsCaseIgnorable")]
UPPER, LOWER, TITLE = (predicate("_PyUnicode_To" + n) for n in (
    "Uppercase", "Lowercase", "Titlecase"))


def full(name):
    f = getattr(api, name)
    f.argtypes, f.restype = [ctypes.c_uint32, ctypes.c_void_p], ctypes.c_int
    buf = (ctypes.c_uint32 * 8)()

    def call(code):
        return tuple(buf[:f(code, buf)])
    return call


FULL = [full("_PyUnicode_To%sFull" % n)
        for n in ("Upper", "Lower", "Title", "Folded")]


def quick_check(c):
    bits = 0
    for i, form in enumerate(("NFD", "NFKD", "NFC", "NFKC")):
        if ud.normalize(form, c) != c:
            bits |= 1 << i
    return bits


def canonical(code):
    d = ud.decomposition(chr(code))
    return [] if not d or d[0] == "<" else [int(x, 16) for x in d.split()]


def composing_seconds():
    """Second characters of composites, incl. Hangul vowels and finals."""
    found = set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    excluded = []
    for code in range(TOP):
        pair = canonical(code)
        if len(pair) == 2:
            if ud.normalize("NFC", chr(pair[0]) + chr(pair[1])) == chr(code):
                found.add(pair[1])
            else:
                excluded.append(code)
    return found, excluded


def main(out):
    seconds, excluded = composing_seconds()
    records, order, runs, special, decomp = {}, [], [], [], []
    old_records, old_order, old_runs = {}, [], []
    numerics, numeric_order = {None: 0}, []
    last = last_old = None
    old = ud.ucd_3_2_0
    for code in range(TOP):
        c = chr(code)
        flags = sum(1 << i for i, f in enumerate(FLAGS) if f(code))
        value = ud.numeric(c, None)
        if value is not None and value not in numerics:
            numerics[value] = len(numerics)
            numeric_order.append(value)
        mapped = UPPER(code), LOWER(code), TITLE(code)
        key = (ud.category(c), ud.bidirectional(c) or "-", ud.combining(c),
               ud.east_asian_width(c), ud.mirrored(c), "%X" % flags,
               ud.decimal(c, -1), ud.digit(c, -1), numerics[value],
               *(m - code for m in mapped),
               quick_check(c) | (16 if code in seconds else 0))
        if key not in records:
            records[key] = len(records)
            order.append(key)
        if key != last:
            runs.append((code, records[key]))
            last = key
        fulls = [f(code) for f in FULL]
        plain = [(m,) for m in mapped]
        if fulls != plain + [(mapped[1],)]:
            special.append((code, fulls))
        d = ud.decomposition(c)
        if d:
            decomp.append((code, d, code in excluded))
        key = tuple(
            "=" if a == b else b for a, b in (
                (ud.category(c), old.category(c)),
                (ud.bidirectional(c), old.bidirectional(c) or "-"),
                (ud.mirrored(c), old.mirrored(c)),
                (ud.east_asian_width(c), old.east_asian_width(c)),
                (ud.decimal(c, -1), old.decimal(c, -1)),
                (value, old.numeric(c, -1.0)
                 if old.numeric(c, None) is not None or value is not None
                 else value)))
        if key not in old_records:
            old_records[key] = len(old_records)
            old_order.append(key)
        if key != last_old:
            old_runs.append((code, old_records[key]))
            last_old = key

    def write(name, head, lines):
        with open(out + "/" + name, "w") as f:
            for line in head.splitlines():
                f.write("# " + line + "\n")
            f.writelines(line + "\n" for line in lines)

    write("records.txt", "Unicode 14.0.0 property records: category bidi "
          "combining width mirrored\nflags(hex) decimal digit numeric# "
          "upper+ lower+ title+ normalization",
          (" ".join(map(str, r)) for r in order))
    write("numeric.txt", "Numeric values; records.txt counts them from 1",
          map(repr, numeric_order))
    write("ranges.txt", "First code point of each run, record number",
          ("%X %d" % r for r in runs))
    write("special_case.txt", "Full case mappings: code; upper; lower; title;"
          " fold", ("%X; " % code + "; ".join(
              " ".join("%X" % x for x in f) for f in fulls)
              for code, fulls in special))
    write("decomposition.txt", "Decompositions; '!' marks a pair that does "
          "not compose", ("%X%s %s" % (code, "!" if ex else "", d)
                          for code, d, ex in decomp))
    write("old_records.txt", "Unicode 3.2.0 where it differs: category bidi "
          "mirrored width decimal numeric", (" ".join(
              map(str, r)) for r in old_order))
    write("old_ranges.txt", "First code point of each run, old record number",
          ("%X %d" % r for r in old_runs))
    fixes = []
    for code in range(TOP):
        c = chr(code)
        if old.category(c) != "Cn" and ud.decomposition(c) and \
                old.normalize("NFD", c) != ud.normalize("NFD", c):
            new = old.normalize("NFD", c)
            fixes.append("%X %X" % (code, ord(new[0])) if len(new) == 1
                         else None)
    write("old_normalization.txt", "Singleton decompositions that 3.2.0 had "
          "wrong", filter(None, fixes))
    write_names(out, write)


def write_names(out, write):
    lines = []
    for code in range(TOP):
        name = ud.name(chr(code), None)
        if name is None or 0xAC00 <= code <= 0xD7A3 or \
                name == "CJK UNIFIED IDEOGRAPH-%X" % code:
            continue
        lines.append((code, name))
    text, expect, previous = [], None, ""
    for code, name in lines:
        shared = 0
        while shared < min(len(name), len(previous), 35) and \
                name[shared] == previous[shared]:
            shared += 1
        mark = "0123456789abcdefghijklmnopqrstuvwxyz"[shared]
        if code != expect:
            text.append("@%X" % code)
        text.append(mark + name[shared:])
        expect, previous = code + 1, name
    write("names.txt", "'@' sets the code point, each name line advances it.\n"
          "A name line is the count of characters shared with the name before\n"
          "(base 36) and the rest.", text)
    cjk = []
    for code in range(TOP):
        if ud.name(chr(code), "") == "CJK UNIFIED IDEOGRAPH-%X" % code:
            if cjk and cjk[-1][1] == code - 1:
                cjk[-1][1] = code
            else:
                cjk.append([code, code])
    write("ideographs.txt", "Ranges named CJK UNIFIED IDEOGRAPH-code",
          ("%X %X" % tuple(r) for r in cjk))

    class Api(ctypes.Structure):
        _fields_ = [("getname", ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_int,
            ctypes.c_int)), ("getcode", ctypes.c_void_p)]
    get = api.PyCapsule_GetPointer
    get.argtypes = [ctypes.py_object, ctypes.c_char_p]
    get.restype = ctypes.c_void_p
    table = Api.from_address(get(ud._ucnhash_CAPI,
                                 b"unicodedata._ucnhash_CAPI"))
    buf = ctypes.create_string_buffer(300)
    alias, sequence = [], []
    for code in range(0xF0000, 0xF1000):
        if table.getname(code, buf, 300, 1):
            name = buf.value.decode()
            target = ud.lookup(name)
            (alias if len(target) == 1 else sequence).append(
                "%s; %s" % (" ".join("%X" % ord(x) for x in target), name))
    write("aliases.txt", "Name aliases", alias)
    write("sequences.txt", "Named sequences", sequence)


main(sys.argv[1])
