#!/usr/bin/python3.11
"""Malformed programs made from real files, and the errors of both interpreters.

    mutations.py [--krait KRAIT] [--count N] [--seed N] [--list FILE]

Each program is a function, class or first lines of a library file with one to
three changes: a token deleted, doubled, exchanged with the next, replaced or cut, a line
cut, doubled or moved, a quote, bracket or indentation changed. The same seed
gives the same programs. Some come as str, with a
byte order mark or coding line, with other line ends, or for another mode.
Compares type, message, lineno, offset, end_lineno, end_offset and text of the
error, or the code object of what still compiles, and the warnings.
"""
import argparse
import codeop
import collections
import functools
import glob
import hashlib
import io
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import tokenize
import warnings

from codeobjects import describe

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
REFERENCE = "/usr/bin/python3.11"
LIBRARY = "/usr/lib/python3.11"
SEED = 311
LONGEST = 80
LIMIT = 20
STRAY = ["(", ")", "[", "]", "{", "}", ":", ",", ".", "=", "==", ":=", "*",
         "**", "->", "@", "!", "?", "$", "\\", ";", "...", "'", '"', '"""',
         "if", "else", "for", "in", "is", "not", "and", "or", "lambda",
         "def", "class", "return", "yield", "await", "async", "import", "from",
         "as", "with", "try", "except", "finally", "raise", "del", "global",
         "nonlocal", "assert", "while", "break", "pass", "None", "True",
         "__debug__", "match", "case", "_", "print", "exec", "0", "01", "1_",
         "0x", "0b2", "1e", "1.5j", "1a", "f'{a", "f'{}'", "f'{a!x}'",
         "b'\u00e9'", "'\\N{x}'", "u'a' b'b'", "\u00e9", "\u20ac", "\xa0",
         "\ufeff", "\x00", "\x01", "\t", "\f", "#", "\n", "\r", "<>", "<<=",
         "//=", "x y", "*a", "**k", "(yield)", "f(a for b in c, d)"]


# --- Changes: each takes and returns a list of tokens or lines ---------------

def pick(items, chance):
    return chance.randrange(len(items)) if items else 0


def delete(items, chance):
    i = pick(items, chance)
    return items[:i] + items[i + 1:]


def double(items, chance):
    i = pick(items, chance)
    return items[:i] + items[i:i + 1] + items[i:]


def swap(items, chance):
    i = pick(items[1:], chance)
    return items[:i] + items[i:i + 2][::-1] + items[i + 2:]


def cut(items, chance):
    i = pick(items, chance)
    text = items[i]
    at = chance.randrange(len(text) + 1)
    kept = text[:at] if chance.random() < 0.5 else text[at:]
    return items[:i] + [kept] + items[i + 1:]


def stop(items, chance):
    return items[:pick(items, chance) + 1]


def replace(items, chance):
    i = pick(items, chance)
    return items[:i] + [chance.choice(STRAY)] + items[i + 1:]


def insert(items, chance):
    i = pick(items, chance)
    return items[:i] + [chance.choice(STRAY), " "] + items[i:]


def move(items, chance):
    i, j = pick(items, chance), pick(items, chance)
    kept = items[:i] + items[i + 1:]
    return kept[:j] + items[i:i + 1] + kept[j:]


def indent(items, chance):
    i = pick(items, chance)
    line = items[i]
    change = chance.choice([" ", "  ", "    ", "\t", "-", "--"])
    line = line[len(change):] if "-" in change else change + line
    return items[:i] + [line] + items[i + 1:]


def punctuation(signs):
    def change(text, chance):
        places = [i for i, c in enumerate(text) if c in signs]
        if not places:
            return text
        i = chance.choice(places)
        return text[:i] + chance.choice(["", text[i] * 2, *signs]) + \
            text[i + 1:]
    return change


TOKENS = [delete, delete, double, swap, cut, stop, replace, replace, insert,
          insert]
LINES = [delete, double, swap, cut, cut, stop, move, indent, indent, indent]
TEXT = [punctuation("'\""), punctuation("()[]{}"), punctuation(":,.="),
        punctuation("\\\n")]


def tokens(text):
    """The tokens with the blanks between them, joined giving the text."""
    parts, end = [], (1, 0)
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.start > end:
            (row, column), (to, until) = end, token.start
            while row < to:
                parts.append(lines[row - 1][column:])
                row, column = row + 1, 0
            parts.append(lines[row - 1][column:until]
                         if row <= len(lines) else "")
        parts.append(token.string)
        end = max(end, token.end)
    return [part for part in parts if part]


def mutate(text, chance):
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        kind = chance.random()
        if kind < 0.55:
            try:
                parts = tokens(text) or [""]
            except (tokenize.TokenError, IndentationError, IndexError):
                parts = text.split(" ")
            text = "".join(chance.choice(TOKENS)(parts, chance))
        elif kind < 0.8:
            lines = text.splitlines(keepends=True) or [""]
            text = "".join(chance.choice(LINES)(lines, chance))
        else:
            text = chance.choice(TEXT)(text, chance)
    return text


@functools.cache
def library():
    return sorted(glob.glob(LIBRARY + "/*.py") +
                  glob.glob(LIBRARY + "/asyncio/*.py") +
                  glob.glob(LIBRARY + "/test/test_*.py"))


def without_addresses(text):
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def excerpt(path, chance):
    """Up to LONGEST lines of a file, from a line that starts a statement."""
    with open(path, encoding="utf-8", errors="replace") as f:
        lines = f.read().splitlines(keepends=True)
    starts = [i for i, line in enumerate(lines)
              if line[:1] not in " \t\n)]}\"'#"] or [0]
    first = chance.choice(starts)
    later = [i for i in starts if first < i <= first + LONGEST]
    last = chance.choice(later) if later else first + LONGEST
    return "".join(lines[first:last])


def form(text, chance):
    """(mode, is it str, source bytes)"""
    kind = chance.randrange(20)
    mode = {0: "single", 1: "single", 2: "eval"}.get(kind, "exec")
    if mode == "eval":
        text = text.strip()
    if kind == 3:
        text = text.replace("\n", "\r\n")
    if kind == 4:
        text = text.replace("\n", "\r", 3)
    data = text.encode("utf-8", "surrogatepass")
    if kind == 5:
        data = b"\xef\xbb\xbf" + data
    if kind == 6:
        data = chance.choice([b"# coding: utf-8\n", b"#!/x\n# coding=utf8\n",
                              b"# -*- coding: latin-1 -*-\n",
                              b"# coding: ascii\n"]) + data
    if kind == 7:
        data = text.encode("latin-1", "replace")
    return mode, kind in (0, 2, 8, 9, 10), data


def programs(count, seed):
    """[(name, (mode, is it str, source bytes))], the same each time."""
    files = library()
    made = []
    while len(made) < count:
        chance = random.Random(f"{seed} {len(made)}")
        text = mutate(excerpt(chance.choice(files), chance), chance)
        made.append((f"{len(made)}", form(text, chance)))
    return made


# --- Asking ------------------------------------------------------------------

def outcome(mode, is_text, data):
    source = data.decode("utf-8", "surrogatepass") if is_text else data
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = compile(source, "program.py", mode, 0, True)
        except Exception as error:
            names = ("msg", "lineno", "offset", "end_lineno", "end_offset",
                     "text")
            found = [type(error).__name__,
                     *(getattr(error, name, str(error)) for name in names)]
        else:
            found = ["code", hashlib.sha256(describe(result).encode(
                "utf-8", "backslashreplace")).hexdigest()]
    return found + [f"{w.lineno} {w.message}" for w in caught] + \
        typed(source, mode)


def typed(source, mode):
    """What a console makes of the text so far."""
    if not isinstance(source, str) or mode == "eval":
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = codeop.compile_command(source, "<console>", "single")
        except Exception as error:
            return [f"{type(error).__name__} {error} "
                    f"{getattr(error, 'args', None)!r}"]
    return ["incomplete" if result is None else describe(result)[:200]]


def answer(listing, first):
    """In the child: one JSON line a program, from the one numbered `first`."""
    with open(listing, encoding="ascii") as f:
        for line in f.readlines()[first:]:
            name, mode, is_text, text = json.loads(line)
            found = outcome(mode, is_text, text.encode("latin-1"))
            print(json.dumps([name, found]), flush=True)


def ask(python, listing, count, script=__file__):
    """All answers; a child that dies or hangs costs its program only."""
    found = []
    while len(found) < count:
        child = subprocess.Popen(
            [python, script, "--answer", listing, str(len(found))],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"})
        try:
            out, status = child.communicate(timeout=LIMIT + count / 20)[0], ""
        except subprocess.TimeoutExpired:
            child.kill()
            out, status = child.communicate()[0], "hang"
        lines = out.splitlines()
        if lines and not out.endswith("\n"):
            lines.pop()
        found += [json.loads(line)[1] for line in lines]
        if len(found) < count:
            found.append([status or f"crash {child.returncode}"])
    return found


def first_line_shown(theirs, ours, data):
    """Is all equal but the text, and columns in it, since the reference shows
    the first line of decoded bytes? It compares addresses in two buffers to
    find the line."""
    if len(theirs) < 7 or len(ours) != len(theirs) or b"coding" not in \
            data[:40] or theirs[6] != data.splitlines()[0].decode():
        return False
    return all(a == b or i in (3, 5, 6)
               for i, (a, b) in enumerate(zip(theirs, ours)))


def compare(krait, count, seed, make=programs):
    """(number equal, [(name, source, theirs, ours)], kinds of outcome)"""
    made = make(count, seed)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as listing:
        for name, (mode, is_text, data) in made:
            listing.write(json.dumps(
                [name, mode, is_text, data.decode("latin-1")]) + "\n")
        listing.flush()
        ours = ask(krait, listing.name, count)
        theirs = ask(REFERENCE, listing.name, count)
    different = [(name, data, b, a) for (name, data), a, b
                 in zip(made, ours, theirs)
                 if a != b and not first_line_shown(b, a, data[2])]
    return count - len(different), different, \
        collections.Counter(b[0] for b in theirs)


def main(tool):
    if sys.argv[1:2] == ["--answer"]:
        return tool.answer(sys.argv[2], int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=tool.__doc__.splitlines()[0])
    parser.add_argument("--krait", default=TOP + "/build/dev/krait")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--list", help="where to write what differs")
    args = parser.parse_args()
    equal, different, kinds = tool.compare(args.krait, args.count, args.seed)
    if args.list:
        with open(args.list, "w", encoding="utf-8") as f:
            for name, data, theirs, ours in different:
                f.write(f"== {name}\n{data!r}\n  python {theirs!r}\n"
                        f"  krait  {ours!r}\n")
    print(", ".join(f"{n} {kind}" for kind, n in kinds.most_common()))
    print(f"{equal} of {args.count} programs give the same")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
