#!/usr/bin/python3.11
"""More malformed programs, as mutations.py and with its options.

Each is part of a library file with one or two changes: tokens of the grammar
put in, indentation, quotes, malformed numbers, keywords for names, characters
that look like others, long lines, line ends, f-strings and patterns.
"""
import random
import sys

import mutations

KEYWORDS = ["False", "None", "True", "and", "as", "assert", "async", "await",
            "break", "class", "continue", "def", "del", "elif", "else",
            "except", "finally", "for", "from", "global", "if", "import",
            "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
            "return", "try", "while", "with", "yield", "match", "case", "_",
            "__debug__", "print", "exec", "self", "type"]
TOKENS = KEYWORDS + list("()[]{}:,;+-*/|&<>=.%~^@ab1") + [
    "==", "!=", "<=", ">=", "<<", ">>", "**", "+=", "-=", "*=", "/=", "//",
    "@=", "->", "...", ":=", '"s"', "f'{x}'", "\n", "\n    ",
    "# type: ignore", "# type: int", "except*", "is not", "not in",
    "yield from", "async for", "async def", "await x", "lambda:", "lambda x:",
    "*a", "**b", " = ", "else:", ": pass", "as x", "if x", "for x in y"]
LOOKS = dict(zip("aeopcx(),:;\"'-=.10 *<isfK[!_n\n",
                 "\u0430\u0435\u043e\u0440\u0441\u0445\uff08\uff09\uff0c"
                 "\uff1a\u037e\u201c\u2019\u2212\uff1d\u3002\uff11\u0660\xa0"
                 "\xd7\uff1c\u0131\u017f\ufb01\u212a\u3010\u01c3\u203f\u207f"
                 "\u2028"))
NUMBERS = ["0_", "0__1", "1__0", "1_", "0x_", "0x_f", "0xg", "0x", "0b12",
           "0b", "0o8", "0o", "00", "007", "08", "0e", "1e", "1e+", "1e5_",
           "1.", ".5", "1..2", "1.e", "1_.5", "1._5", "1jj", "1j1", "1L",
           "0xfL", "0777", "1e400", "1e-400j", "0_7", "9" * 50, "1if", "1or",
           "0x1for", "0b1_", "1_e5", "1e_5", "0X1", "0B1", "0O1", "1E5J",
           "1.5.5", "1a", "1\xe9", "0x\xe9", "1_\xe9", "1e5\xe9"]
QUOTES = ['"', "'", '"""', "'''", 'f"', 'rb"', "b'", 'f"""{', 'u"', '\\"',
          "{", "}", 'f"{', 'f"{x!', 'f"{x:', '}"', "Rb'", 'bR"""']
FIELDS = TOKENS + ["{", "}", "{{", "}}", "!r", "!s", "!x", "{x}", "{x!r}",
                   "{x:>{y}}", "\\", "\\n", "\\N{DASH}", "#"]
SUBJECTS = ["x", "x, y", "*x,", "(x)", "-x", "[x]", "x.y", "{}", "x:=1", ""]
PATTERNS = ["_", "a", "1", "-1", "1+2j", '"a"', "[a, *b]", "(a)", "(a,)",
            "{1: a, **r}", "A()", "A(a, b=c)", "a.b", "1 | 2", "a as b", "*a",
            "None", "[a, *b, *c]", "{**r, 1: a}", "A(b=c, d)", "1+a", "a|_",
            "_|a", "(a as _)", "{a: b}", '{"a": 1, "a": 2}', "A(a=1,a=2)",
            'f"x"', "x.y()", "-a", "1+1", "1j+1", "a as b.c", "a as 1", "",
            "**a", "[", "(", "a,", "*_", "*a,*b"]
ENDS = ["\n"] * 6 + ["\r\n", "\r", "\n\r", "\n\f", "\f\n", "\n\n", "\t\n",
                     "\\\n", " \\\r\n", "\x0b\n", "\x1a", "\n#\r\n"]


def parts_of(text):
    try:
        return mutations.tokens(text) or [""]
    except Exception:
        return text.split(" ")


def insert_tokens(text, chance):
    parts = parts_of(text)
    for _ in range(chance.choice([1, 1, 2, 4])):
        i = mutations.pick(parts, chance)
        parts[i:i] = [" ", chance.choice(TOKENS), " "]
    return "".join(parts)


def only_tokens(text, chance):
    made = [chance.choice(TOKENS) for _ in range(chance.randrange(1, 12))]
    return " ".join(made) + "\n" + (text if chance.random() < 0.3 else "")


def indent(text, chance):
    lines = text.splitlines(keepends=True) or [""]
    for _ in range(chance.choice([1, 2, 5])):
        i = mutations.pick(lines, chance)
        blanks = chance.choices([" ", "  ", "    ", "\t", "\f", "        ",
                                 "\\\n"], k=chance.randrange(4))
        lines[i] = "".join(blanks) + lines[i].lstrip(" \t\f")
    return "".join(lines)


def quotes(text, chance):
    for _ in range(chance.choice([1, 1, 2])):
        places = [i for i, c in enumerate(text) if c in "\"'"]
        i = chance.choice(places) if places and chance.random() < 0.6 \
            else chance.randrange(len(text) + 1)
        text = text[:i] + chance.choice(QUOTES) + \
            text[i + (chance.random() < 0.5):]
    return text


def look_alikes(text, chance):
    for _ in range(chance.choice([1, 1, 2, 5])):
        places = [i for i, c in enumerate(text) if c in LOOKS]
        if places:
            i = chance.choice(places)
            text = text[:i] + LOOKS[text[i]] + text[i + 1:]
    return text


def exchange(wanted, words, times):
    def change(text, chance):
        parts = parts_of(text)
        places = [i for i, part in enumerate(parts) if wanted(part)]
        for _ in range(chance.choice(times)):
            i = chance.choice(places or [mutations.pick(parts, chance)])
            parts[i] = chance.choice(words)
        return "".join(parts)
    return change


def long_line(text, chance):
    parts = parts_of(text)
    i, n = mutations.pick(parts, chance), chance.choice([100, 600, 1000, 3000])
    parts.insert(i, chance.choice([
        " " * n, "a" * n, '"' + "x" * n + '"', "a+" * n + "a", "\xe9" * n,
        "(" * 90 + "a" + ")" * 90, "#" + "y" * n + "\n", "[1," * 50 + "]" * 50,
        "\\\n" * (n // 10), "1" * n, '"a" ' * n, "x," * n, "x." * n + "y"]))
    return "".join(parts)


def line_ends(text, chance):
    return "".join(chance.choice(ENDS) if c == "\n" else
                   chance.choice([" "] * 60 + ["\t", "\f"]) if c == " " else c
                   for c in text)


def fstring(text, chance):
    parts = parts_of(text)
    fields = " ".join(chance.choices(FIELDS, k=chance.randrange(6)))
    quote = chance.choice(['"', "'", '"""', "'''"])
    parts.insert(mutations.pick(parts, chance), "".join([
        " ", chance.choice(["f", "F", "rf", "fr", "Rf"]), quote,
        chance.choice(["", "a ", "{x} ", "{{ "]), "{", fields,
        chance.choice(["}", "", "}}", " }"]), quote, " "]))
    return "".join(parts)


def patterns(text, chance):
    made = [f"match {chance.choice(SUBJECTS)}:\n"]
    for _ in range(chance.randrange(1, 4)):
        made += [chance.choice(["  ", "  ", "  ", "\t", " ", ""]), "case ",
                 chance.choice(PATTERNS), chance.choice([" ", " | ", ", "]),
                 chance.choice(PATTERNS + [""] * 60),
                 chance.choice(["", " if x", " if", " if x:=1"]),
                 chance.choice([":", ":", ":", ""]),
                 chance.choice([" pass\n", "\n    pass\n", "\n"])]
    return "".join(made) + (text if chance.random() < 0.3 else "")


KINDS = [insert_tokens, insert_tokens, only_tokens, indent, quotes,
         look_alikes, exchange(lambda s: s[:1].isdigit(), NUMBERS, [1]),
         exchange(str.isidentifier, KEYWORDS, [1, 1, 2, 3]), long_line,
         line_ends, fstring, patterns]


def programs(count, seed):
    """[(name, (mode, is it str, source bytes))], the same each time."""
    files = mutations.library()
    made = []
    while len(made) < count:
        chance = random.Random(f"grammar {seed} {len(made)}")
        text = mutations.excerpt(chance.choice(files), chance)
        if chance.random() < 0.5:
            lines = text.splitlines(keepends=True)
            text = "".join(lines[:chance.randrange(1, 8)])
        for _ in range(chance.choice([1, 1, 2])):
            text = chance.choice(KINDS)(text, chance)
        made.append((f"{len(made)}", mutations.form(text, chance)))
    return made


def compare(krait, count, seed):
    """As mutations.compare()."""
    return mutations.compare(krait, count, seed, programs)


if __name__ == "__main__":
    sys.exit(mutations.main(sys.modules[__name__]))
