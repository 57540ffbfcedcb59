"""Whatever stands in the fields of a tree, compile() ends with a code object or
an exception; the reference crashes with some."""
import ast

SOURCE = '''
import a, b.c, d as e
from f import g as h
from . import *
@decorator
def fn(x, /, y=1, *args, z: int = 2, **kw) -> int:
    global gg
    local = [(yield), (yield from x)]
    def inner():
        nonlocal local
        return local
    return call(k=1, *x, **y)
class C(B, metaclass=M):
    attr: int = 3
    def __m(self): return self.__p
try:
    raise E from None
except E as exc:
    pass
finally:
    del x.y, x[1:2, ::3]
try:
    pass
except* E:
    pass
match v:
    case {"k": kk, **rest}: pass
    case [first, *star]: pass
    case [_, *_] | (None | 1 | -1 + 2j): pass
    case P(1, kw=1) as n if n: pass
    case m.n: pass
async def af():
    async for i in j: await i
    async with k as l: pass
    return [o async for o in p if o]
while x.__p: x += 1; break
for t in {u for u in range(3)}: continue
else: assert {**a, 1: 2}, lambda w: w.attr
x = f"{a!r:>{b}}" if a < b <= c else not (d and e or ~f)
with a as (b, *c): d[(e := 1)] = {f: g for f, g in h}
'''
VALUES = [None, 1, -1, 1 << 40, "x", "None", b"x", 1.5, ..., (), [], [None], [1],
          ["x"], {}, ast.Pass(), ast.Load(), ast.Store(), ast.Add(), ast.alias("x"),
          [ast.Pass()], [ast.arg("x")],
          ast.copy_location(ast.Name("x", ast.Load()), ast.Pass(
              lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)),
          ast.Constant(("a", [])), ast.arguments()]


def end(tree):
    try:
        compile(tree, "x", "exec", 0, True)
    except (ValueError, TypeError, OverflowError, SyntaxError, RecursionError):
        pass
    except SystemError as error:
        assert str(error).startswith("Unrecognized conversion character"), error


tree = ast.parse(SOURCE)
count = 0
for node in list(ast.walk(tree)):
    for name in [*node._fields, *node._attributes]:
        kept = getattr(node, name)
        for value in VALUES:
            setattr(node, name, value)
            end(tree)
            count += 1
        if isinstance(kept, list):
            for i in range(len(kept)):
                for value in VALUES:
                    setattr(node, name, kept[:i] + [value] + kept[i + 1:])
                    end(tree)
                    count += 1
        delattr(node, name)
        end(tree)
        setattr(node, name, kept)
compile(tree, "x", "exec")
assert count > 10_000, count
