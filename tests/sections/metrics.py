"""Figures of the C code: lengths of files and functions, share of comments.

A file longer than LONGEST_FILE fails; the rest is printed to be looked at.
"""
import os
import re

LONGEST_FILE = 1500
SCREEN = 60   # lines a reader sees at once
FUNCTION = re.compile(r"^([a-zA-Z_]\w*)\(.*$")
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def sources(top):
    for folder, _, files in os.walk(os.path.join(top, "src")):
        for name in sorted(files):
            if name.endswith((".c", ".h")):
                yield os.path.join(folder, name)


def functions(lines):
    """(name, length) of each function: its name starts a line, its body is
    closed by a brace at the start of a line."""
    name = start = None
    for number, line in enumerate(lines):
        found = FUNCTION.match(line)
        if found:
            name, start = found.group(1), number
        elif line.startswith("}") and name is not None:
            yield name, number - start + 1
            name = None


def measure(top):
    """Totals, too long files, and the functions sorted by length."""
    totals = {"files": 0, "lines": 0, "comment lines": 0}
    too_long, lengths = [], []
    for path in sources(top):
        with open(path) as f:
            text = f.read()
        lines = text.splitlines()
        totals["files"] += 1
        totals["lines"] += len(lines)
        totals["comment lines"] += sum(
            m.group().count("\n") + 1 for m in COMMENT.finditer(text))
        if len(lines) > LONGEST_FILE:
            too_long.append((len(lines), os.path.relpath(path, top)))
        lengths += [(n, name, os.path.relpath(path, top))
                    for name, n in functions(lines)]
    lengths.sort(reverse=True)
    return totals, too_long, lengths


def run(report, top):
    totals, too_long, lengths = measure(top)
    over = sum(1 for n, _, _ in lengths if n > SCREEN)
    print("  " + ", ".join(f"{n:,} {what}" for what, n in totals.items()))
    print(f"  {len(lengths):,} functions, median "
          f"{lengths[len(lengths) // 2][0]} lines, {over} over {SCREEN}; "
          "the longest:")
    for n, name, path in lengths[:5]:
        print(f"    {n:4} {name}, {path}")
    report.add("files are of one concept", "\n".join(
        f"{path}: {n} lines, at most {LONGEST_FILE}" for n, path in too_long)
        or None)
