"""Wanted differences from python3.11: each is a program with its cause.

A program in tests/differences ends with comment lines that say what krait and
python3.11 print. docs/differences.md is made from them:

    tests/sections/differences.py > docs/differences.md
"""
import ast
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
FOLDER = os.path.join(TOP, "tests", "differences")
HEAD = """# Differences from CPython 3.11

Everything else that differs is an error of ours. Each entry is a test in
`tests/differences/`, which also says what both print; this page is made from
them by `tests/sections/differences.py > docs/differences.md`.
"""


def programs():
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".py"):
            path = os.path.join(FOLDER, name)
            with open(path) as f:
                yield path, f.read()


def expected(text, who):
    start = f"# {who}: "
    return "".join(line[len(start):] + "\n" for line in text.splitlines()
                   if line.startswith(start))


def page():
    parts = [HEAD]
    for path, text in programs():
        title, _, cause = ast.get_docstring(ast.parse(text)).partition("\n")
        parts.append(f"## {title.rstrip('.')}\n\n{cause.strip()} "
                     f"(`{os.path.basename(path)}`)\n")
    return "\n".join(parts)


def run(report, top):
    import compare
    for path, text in programs():
        for who, python in (("krait", report.krait),
                            ("python3.11", compare.REFERENCE)):
            status, out, err = compare.run(python, [path])
            good = status == 0 and out == expected(text, who)
            report.add(f"{os.path.basename(path)} under {who}",
                       None if good else f"exit {status}\n{out}{err}")
    with open(os.path.join(top, "docs", "differences.md")) as f:
        report.add("docs/differences.md is current",
                   None if f.read() == page() else "make it again")


if __name__ == "__main__":
    sys.stdout.write(page())
