#!/usr/bin/python3.11
"""Deeply nested programs: both interpreters end with the same exception.

    nesting.py [--krait KRAIT] [--all]

MemoryError (6,000 rules of the parser) and RecursionError (the phases after
it) are taken for one another: which comes first depends on how many rules
stand between two levels. Where the reference crashes, any exception is right.
"""
import argparse
import ast
import json
import os
import subprocess
import sys
import warnings

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
REFERENCE = "/usr/bin/python3.11"
LEVELS = [99, 100, 200, 201, 3000]
ALL_LEVELS = sorted(LEVELS + [50, 101, 198, 1000, 1500, 2000, 5000, 10000,
                              100000])

# before, middle and after: the outer ones are repeated
AROUND = [
    ("(", "a", ")"), ("[", "a", "]"), ("{", "a", "}"), ("{1:", "a", "}"),
    ("-", "a", ""), ("~", "1", ""), ("not ", "a", ""), ("lambda: ", "a", ""),
    ("lambda x=", "a", ":a"), ("a if b else ", "c", ""),
    ("", "a", " if b else c"), ("a if ", "b", " else c"), ("", "a", " < b"),
    ("", "a", ".b"), ("", "a", "()"), ("f(", "a", ")"), ("f(a=", "a", ")"),
    ("", "a", "[0]"), ("a[", "0", "]"), ("a[1:", "0", "]"), ("", "a", "+b"),
    ("", "1", "+1"), ("a+(", "b", ")"), ("a**", "b", ""), ("1**", "1", ""),
    ("a and ", "b", ""), ("", "", '"a" '), ("", "", 'f"{a}" '),
    ("[a for a in ", "b", "]"), ("[", "a", " for a in b]"),
    ("(", "a", " for a in b)"), ("(", "", ",)"), ("f(*", "a", ")"),
    ("(a:=", "b", ")"), ("", "a", "@b"), ("", "", "a,"), ("@a\n", "", ""),
    ("a = ", "b", ""), ("", "", "a;"), ("", "", "a\n"), ("(", "", ""),
    (")", "", ""), ("a[", "", ""), ("a if b else ", "", ""), ("not ", "", ""),
    ("-", "", ""), ("lambda: ", "", ""), ("a**", "", ""), ("", "a", ".b c "),
    ("\\\n", "a", "")]
# one line, the repeated parts in the middle
WITHIN = [
    ('f"', "{a}", '"'), ('f"{a:', "{a}", '}"'), ("[a ", "for a in b ", "]"),
    ("[a for a in b ", "if a ", "]"), ("if a: b\n", "elif c: d\n", ""),
    ("", "@a\n", "def f(): pass\n"), ("with ", "a as b, ", "c: pass"),
    ("match a:\n case ", "1|", "2: pass"), ("from ", ".", " import a"),
    ("try: a\n", "except b: c\n", "")]
# a line and what is nested in its middle
IN_LINE = [
    ("async def f():\n ", "await (", ")", ""),
    ("def f():\n ", "(yield ", ")", ""), ("del ", "(", ")", ""),
    ("for ", "[", "]", " in b: pass"), ("", "(", ",)", " = b"),
    ("match a:\n case ", "[", "]", ": pass"),
    ("match a:\n case ", "(", ")", ": pass"),
    ("match a:\n case ", "A(", ")", ": pass"), ("a: ", "(", ")", ""),
    ('f"{', "(", ")", '}"')]
BLOCKS = ["def f():", "class f:", "if a:", "while a:", "for a in b:",
          "with a:", "async def f():", "try: pass\n{}finally:",
          "if a: pass\n{}else:"]


def programs(levels):
    for n in levels:
        for before, middle, after in AROUND:
            yield before * n + middle + after * n
        for before, part, after in WITHIN:
            yield before + part * n + after
        for first, before, after, last in IN_LINE:
            yield first + before * n + "a" + after * n + last
        for head in BLOCKS if n <= 1000 else []:
            yield "".join(" " * i + head.format(" " * i) + "\n"
                          for i in range(n)) + " " * n + "pass\n"


def outcome(source, flags):
    try:
        compile(source, "program.py", "exec", flags)
    except (MemoryError, RecursionError):
        return "too deep"
    except Exception as error:
        return f"{type(error).__name__} {error}"[:200]
    return "compiled"


def answer(levels, first):
    warnings.simplefilter("ignore")
    for i, source in enumerate(programs(levels)):
        if i >= first:
            found = [outcome(source, flags) for flags in (0, ast.PyCF_ONLY_AST)]
            print(json.dumps(found), flush=True)


def ask(python, levels, count):
    found = []
    while len(found) < count:
        child = subprocess.run(
            [python, __file__, "--answer", json.dumps(levels),
             str(len(found))], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, timeout=600)
        found += map(json.loads, child.stdout.splitlines())
        if len(found) < count:
            found.append("crash")
    return found


def compare(krait, levels=LEVELS):
    """What differs, a line each."""
    made = list(programs(levels))
    theirs, ours = (ask(python, levels, len(made))
                    for python in (REFERENCE, krait))
    return [f"{source[:60]!r} of {len(source)}: {a} not {b}"
            for source, a, b in zip(made, theirs, ours)
            if a != b and (a != "crash" or b == "crash")]


def main():
    if sys.argv[1:2] == ["--answer"]:
        return answer(json.loads(sys.argv[2]), int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--krait", default=TOP + "/build/dev/krait")
    parser.add_argument("--all", action="store_true", help="more levels")
    args = parser.parse_args()
    levels = ALL_LEVELS if args.all else LEVELS
    different = compare(args.krait, levels)
    print("\n".join(different) + "\n" * bool(different) +
          f"{len(list(programs(levels)))} programs, "
          f"{len(different)} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
