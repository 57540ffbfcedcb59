"""Compares our parser with CPython's own: trees of files, and errors.

    python3.11 tests/host/compare_front.py FILE...   trees
    python3.11 tests/host/compare_front.py -e CASES  errors: one repr() a line
"""
import ast
import os
import sys
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../build/host"))
import _kraitfront

warnings.simplefilter("ignore")


def plain(node):
    """The tree as nested tuples, whatever its classes."""
    if isinstance(node, (ast.AST, _kraitfront.AST)):
        return (type(node).__name__,) + tuple(
            plain(getattr(node, f, "missing"))
            for f in node._fields + node._attributes)
    if isinstance(node, list):
        return [plain(n) for n in node]
    return type(node).__name__, repr(node)


def difference(a, b, path=""):
    if type(a) is not type(b) or len(a) != len(b) or not isinstance(
            a, (tuple, list)):
        return f"{path}: {str(a)[:300]} != {str(b)[:300]}"
    for i, (x, y) in enumerate(zip(a, b)):
        if x != y:
            if isinstance(x, (tuple, list)) and isinstance(y, (tuple, list)):
                return difference(x, y, f"{path}/{a[0]}.{i}"[-200:]
                                  if isinstance(a[0], str) else f"{path}[{i}]")
            return f"{path}: {a} != {b}"[:600]
    return "equal"


def outcome(parse):
    try:
        return plain(parse())
    except SyntaxError as e:
        return (type(e).__name__, e.msg, e.lineno, e.offset, e.end_lineno,
                e.end_offset, e.text)
    except Exception as e:
        return (type(e).__name__, str(e))


def check(source, name, mode="exec"):
    theirs = outcome(lambda: compile(source, name, mode, ast.PyCF_ONLY_AST))
    ours = outcome(lambda: _kraitfront.parse(
        source, name, mode, 0x800 if isinstance(source, str) else 0))
    return None if theirs == ours else difference(theirs, ours)


def main(args):
    bad = 0
    errors = args[0] == "-e"
    if errors:
        with open(args[1], encoding="utf-8") as f:
            cases = [(eval(line), "<s>") for line in f]
    else:
        cases = ((open(a, "rb").read(), a) for a in args)
    total = 0
    for source, name in cases:
        total += 1
        result = check(source, name)
        if result:
            bad += 1
            if bad <= 60:
                print(repr(source)[:100] if errors else name, result[:700])
    print(total, "cases,", bad, "different")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
