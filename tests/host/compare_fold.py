"""Folding must leave nothing for CPython to fold otherwise: what CPython
makes of our folded tree equals what it makes of the source.

    python3.11 compare_fold.py FILE.py ...   (with _kraitfront on PYTHONPATH)
"""
import ast
import sys
import _kraitfront


def convert(node):
    """The tree in CPython's own classes."""
    if isinstance(node, list):
        return [convert(x) for x in node]
    if not isinstance(node, _kraitfront.AST):
        return node
    new = getattr(ast, type(node).__name__)()
    for name in (*node._fields, *node._attributes):
        if hasattr(node, name):
            setattr(new, name, convert(getattr(node, name)))
    return new


def same(a, b):
    for name in ("co_code", "co_names", "co_linetable", "co_exceptiontable",
                 "co_qualname", "co_stacksize", "co_flags"):
        if getattr(a, name) != getattr(b, name):
            print("  ", a.co_qualname, name)
            return False
    if len(a.co_consts) != len(b.co_consts):
        return False
    return all(same(x, y) if hasattr(x, "co_code") else
               (repr(x) == repr(y) or isinstance(x, frozenset) and x == y)
               for x, y in zip(a.co_consts, b.co_consts))


bad = 0
for path in sys.argv[1:]:
    with open(path, "rb") as f:
        source = f.read()
    features = 1 << 24 if b"\nfrom __future__ import annotations" in source else 0
    want = compile(source, path, "exec", dont_inherit=True)
    tree = _kraitfront.fold(source, path, 0, features)
    if not same(compile(convert(tree), path, "exec", dont_inherit=True), want):
        bad += 1
        print("differs:", path)
print("%d files, %d differ" % (len(sys.argv) - 1, bad))
