"""Our code objects must equal CPython's in every field.

    python3.11 compare_code.py FILE.py ...   (with _kraitcode on PYTHONPATH)

Prints the first difference of each file, with both disassemblies' lines.
"""
import difflib
import dis
import sys
import warnings
import _kraitcode

FIELDS = ("co_name co_qualname co_filename co_flags co_argcount "
          "co_posonlyargcount co_kwonlyargcount co_firstlineno co_varnames "
          "co_cellvars co_freevars co_names co_code co_exceptiontable "
          "co_stacksize co_linetable").split()


def listing(co):
    """One line for each instruction, without addresses of objects."""
    lines = []
    for i in dis.get_instructions(co):
        p = i.positions
        text = "code" if hasattr(i.argval, "co_code") else i.argrepr
        lines.append("%d %s %s %s (%s-%s, %s-%s)" % (
            i.offset, i.opname, i.arg, text, p.lineno, p.end_lineno,
            p.col_offset, p.end_col_offset))
    return lines


def constant(value):
    """A key that keeps types and signs of zero apart."""
    if isinstance(value, tuple):
        return tuple, [constant(x) for x in value]
    if isinstance(value, frozenset):
        return frozenset, sorted(map(repr, map(constant, value)))
    return type(value), repr(value)


def difference(ours, want):
    """Text of the first difference, or None."""
    for name in FIELDS:
        a, b = getattr(ours, name), getattr(want, name)
        if a == b:
            continue
        text = "%s: %s: %r, not %r" % (want.co_qualname, name, a, b)
        if isinstance(a, bytes):
            diff = difflib.unified_diff(listing(want), listing(ours), "want",
                                        "ours", lineterm="", n=2)
            text = "\n".join([text[:300], *list(diff)[:40]])
        return text
    if len(ours.co_consts) != len(want.co_consts):
        return "%s: co_consts: %r, not %r" % (
            want.co_qualname, ours.co_consts, want.co_consts)
    for a, b in zip(ours.co_consts, want.co_consts):
        if hasattr(a, "co_code") and hasattr(b, "co_code"):
            text = difference(a, b)
            if text:
                return text
        elif constant(a) != constant(b):
            return "%s: constant %r, not %r" % (want.co_qualname, a, b)
    return None


def main(paths):
    warnings.simplefilter("ignore")
    bad = 0
    for path in paths:
        with open(path, "rb") as f:
            source = f.read()
        for optimize in (0, 2):
            try:
                want = compile(source, path, "exec", dont_inherit=True,
                               optimize=optimize)
            except (SyntaxError, ValueError):
                break
            try:
                text = difference(
                    _kraitcode.compile(source, path, optimize), want)
            except Exception as e:
                text = repr(e)
            if text:
                bad += 1
                print(path, "at level", optimize)
                print("   ", text.replace("\n", "\n    "))
                break
    print("%d files, %d differ" % (len(paths), bad))
    return bad != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
