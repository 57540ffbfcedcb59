"""Deep nesting with no recursion limit to speak of: ends in an exception.

Each case runs in a thread with a small stack; what it may raise is
RecursionError, MemoryError, SyntaxError or ValueError.
"""
import ast
import marshal
import sys
import threading

N = 30_000
ALLOWED = (RecursionError, MemoryError, SyntaxError, ValueError)

EXPRESSIONS = [
    "a" + "+a" * N, "a" + ".a" * N, "a" + "()" * N, "a" + "[0]" * N,
    "not " * N + "a", "-" * N + "1", "lambda:" * N + "a",
    "a if b else " * N + "c", "a**" * N + "b", "(" * N + ")" * N,
    "[" * N + "]" * N, "{1:" * N + "}" * N, "f(" * N + ")" * N,
    "[x " + "for x in y " * N + "]", "a" + " and a" * N,
    "(yield " * 150 + "a" + ")" * 150, 'f"' + "{a:" * N + "}" * N + '"',
    "lambda: " * 2900 + "a", "await " * N + "a",
]
STATEMENTS = [
    "if a: pass\n" + "elif b: pass\n" * N,
    "match x:\n case " + "[" * N + "]" * N + ": pass",
    "match x:\n case " + "1|" * N + "1: pass",
    "from __future__ import annotations\nx: a" + ".b" * N,
    "from __future__ import annotations\nx: a" + "+b" * N,
    "a" + ".b" * N + " = 1", "a" + "[0]" * N + " += 1",
    "del a" + ".b" * N, "with " + "a, " * N + "b: pass",
    "a = " * N + "1", "@a\n" * N + "def f(): pass",
    "".join(" " * i + "if a:\n" for i in range(99)) + " " * 99 + "pass\n",
    "".join(" " * i + "def f():\n" for i in range(99)) + " " * 99 + "pass\n",
    "".join(" " * i + "class A:\n" for i in range(99)) + " " * 99 + "pass\n",
]
AT = {"lineno": 1, "col_offset": 0}


def wrapped(inner, wrap):
    for _ in range(N):
        inner = wrap(inner)
    return inner


def name():
    return ast.Name("a", ast.Load(), **AT)


def trees():
    none = ast.arguments([], [], None, [], [], None, [])
    yield ast.Expression(
        wrapped(name(), lambda e: ast.UnaryOp(ast.Not(), e, **AT)))
    yield ast.Expression(wrapped(name(), lambda e: ast.Lambda(none, e, **AT)))
    yield ast.Module([wrapped(
        ast.Pass(**AT), lambda s: ast.If(name(), [s], [], **AT))], [])
    yield ast.Module([wrapped(
        ast.Pass(**AT), lambda s: ast.ClassDef("A", [], [], [s], [], **AT))],
        [])
    pattern = wrapped(
        ast.MatchValue(ast.Constant(1, **AT), **AT),
        lambda p: ast.MatchSequence([p], end_lineno=1, end_col_offset=0,
                                    **AT))
    yield ast.Module([ast.Match(name(), [
        ast.match_case(pattern, None, [ast.Pass(**AT)])], **AT)], [])


def values():
    for wrap in (lambda v: (v,), lambda v: [v], lambda v: {1: v}):
        v = wrapped(0, wrap)
        yield lambda: repr(v)
        yield lambda: marshal.dumps(v)
        yield lambda: v == wrapped(0, wrap)
        yield lambda: hash(v)
        yield lambda: code().replace(co_consts=(v,))
    yield lambda: marshal.loads(b")\x01" * N + b"N")
    yield lambda: marshal.loads(b"[\x01\0\0\0" * N + b"N")
    co = wrapped(code(), lambda c: c.replace(co_consts=(c,)))
    yield lambda: hash(co)
    yield lambda: co == wrapped(code(), lambda c: c.replace(co_consts=(c,)))
    yield lambda: marshal.dumps(co)


def code():
    return (lambda: 0).__code__


def cases():
    for text in EXPRESSIONS:
        yield lambda: compile(text, "<nested>", "eval")
        yield lambda: ast.parse(text, "<nested>", "eval")
    for text in STATEMENTS:
        yield lambda: compile(text, "<nested>", "exec")
        yield lambda: ast.parse(text, "<nested>", "exec")
    for tree in trees():
        kind = "eval" if isinstance(tree, ast.Expression) else "exec"
        yield lambda: compile(tree, "<nested>", kind)
    yield from values()


def attempt(case):
    try:
        case()
    except ALLOWED:
        pass
    except TypeError as e:
        assert "unhashable" in str(e), e
    except BaseException as e:
        failed.append(e)


failed = []
threading.stack_size(512 * 1024)
for limit in (1000, 10**7):
    sys.setrecursionlimit(limit)
    for number, case in enumerate(cases()):
        print(limit, number, flush=True)
        thread = threading.Thread(target=attempt, args=(case,))
        thread.start()
        thread.join()
sys.setrecursionlimit(1000)
assert not failed, failed
