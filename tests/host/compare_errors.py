"""Errors and warnings of code generation must equal CPython's, and so must the
code of the modes that files do not use.

    python3.11 compare_errors.py   (with _kraitcode on PYTHONPATH)
"""
import sys
import warnings

import _kraitcode
from compare_code import difference

START = {"exec": 257, "eval": 258, "single": 256}
TOP_LEVEL_AWAIT = 0x2000

CASES = r"""
yield
def f():\n  return\nreturn 1
await x
async def f():\n yield from x
async def f():\n yield 1\n return 2
class A:\n  yield 1
class A:\n  return 1
lambda: (await x)
def f(): await x
f(a=1, b=2, a=3)
f(__debug__=1)
__debug__ = 1
del __debug__
x.__debug__ = 1
def f(__debug__): pass
lambda *, __debug__: 1
class __debug__: pass
import __debug__
import a as __debug__
from a import __debug__
for __debug__ in x: pass
with a as __debug__: pass
__debug__: int
x.__debug__: int
(__debug__ := 1)
break
continue
if 1:\n  break
while 1:\n  def f():\n    continue
for x in y:\n  class A:\n    break
try: pass\nexcept: pass\nexcept A: pass
try: pass\nexcept* A: break
while 1:\n try: pass\n except* A: break
while 1:\n try: pass\n except* A: continue
def f():\n try: pass\n except* A: return 1
*a, *b = c
*a = b
*a
x = *a
print(*a if b else c)
del *a
[*a, *b] = c
def f():\n  from x import *
from __future__ import nothing
from __future__ import braces
x = 1\nfrom __future__ import annotations
async def f():\n  def g():\n    async with a: pass
def g():\n    async with a: pass
def g():\n    async for a in b: pass
def g():\n    [x async for x in y]
def g():\n    (x async for x in y)
async def g():\n    lambda: [x async for x in y]
async def g():\n    return [[y async for y in x] for x in z]
async def g():\n    return [await y for y in x]
[x async for x in y]
{await x for x in y}
(1)(2)
"a"(2)
[1](2)
{1:2}(2)
{x for x in y}(2)
f"{a}"(3)
(x for x in y)(1)
(lambda: 1)(1)
None[1]
1[2]
1.5[2]
{1}[2]
(x for x in y)[1]
(lambda: 1)[1]
[1]["a"]
(1,2)[3.0]
"abc"[None]
b"abc"[1.5]
f"{x}"["a"]
[1][1,2]
[x for x in y]["a"]
[1][True]
x is 1
x is not "a"
1 is x
x is () is y
x is None
assert (x, "msg")
assert (1, "msg")
assert ()
match x:\n case a: pass\n case b: pass
match x:\n case _: pass\n case b: pass
match x:\n case a | b: pass
match x:\n case [a] | [b]: pass
match x:\n case [a, a]: pass
match x:\n case [*a, *b]: pass
match x:\n case {"a": 1, "a": 2}: pass
match x:\n case {"a": b, **b}: pass
match x:\n case A(b=1, b=2): pass
match x:\n case A(__debug__=1): pass
match x:\n case __debug__: pass
match x:\n case (a, b) as a: pass
match x:\n case [a, b, *c] | [c, b, *a]: pass
match x:\n case {1: a, 2: b, **c} | [c, b, a] | A(b, c, x=a): pass
match x:\n case (1 as a) | (2 as a) if a: pass\n case _: pass
def f():\n  global x\n  class x:\n   def g(self): __class__\n  def y(): pass
class A:\n  __slots__ = 1\n  def __f(self, __x=1, *, __y=2): return self.__z, __x
x: int = 3\ny.z: a\ndef f():\n  a: b = 1\n  a.b: c\n  a[d]: e
def f(*a: *b): pass
x: (yield)
x: (a := 1)
x: await y
def f(a: (yield from b)): pass
from __future__ import annotations\nx: (yield)
from __future__ import annotations\ndef f(a: (b := 1), *c: await d) -> (yield e): pass
def f(a, a): pass
def f(a, *, a): pass
lambda a, *a: 1
def f(): a = 1; global a
def f(): print(a); global a
def f(): a: int; global a
def f(): global a; a: int
def f(a): global a
def f(): a = 1; nonlocal a
def f():\n a = 1\n def g(): print(a); nonlocal a
def f():\n a = 1\n def g(a): nonlocal a
def f():\n a = 1\n def g(): global a; nonlocal a
def f():\n a = 1\n def g():\n  nonlocal a\n  a: int
nonlocal a
global a; a = 1
a = 1; global a
def f(): nonlocal x
class A:\n  nonlocal x
def f():\n  def g(): nonlocal q
[a := 1 for a in b]
[b for a in (c := d)]
[[a for b in c] for b in (a := 1)]
[[(a := 1) for b in c] for a in d]
class A: [a := 1 for b in c]
def f(): [a := 1 for b in c]; nonlocal a
def f(): [a := 1 for b in c]; global a
[(yield) for a in b]
((yield) for a in b)
{(yield): 1 for a in b}
{(yield from c) for a in b}
[a for a in b if (yield)]
[a for a in (yield)]
def f():\n  [(await x) for x in y]
class A:\n  def f(self): return __class__, super\n  x = lambda: __class__
def f():\n  class A:\n    x = 1\n    def g(self): return x\n  x = 2
def f():\n  x = 1\n  class A:\n    print(x)\n    global x\n    x = 2
def f():\n  x = 1\n  class A:\n    nonlocal x\n    x = 2
def f():\n  def g(): return h, x\n  def h(): return g\n  return lambda: [x for h in g]
def f(x, *, __y):\n  class A:\n    def g(self): return __y, self.__z, x
def f():\n  from a import *
class A:\n  from a import *
def f():\n  import a.b.c, d.e as g\n  from . import h\n  from .. import i as j
def f(x):\n  del x\n  def g(): return x
try: a\nexcept B as c: d\nelse: e\nfinally: f
def f():\n try: return 1\n finally: return 2
def f():\n for x in y:\n  try: continue\n  finally: z
def f():\n for x in y:\n  with a, b as c: break\n else: d
def f():\n while True:\n  try:\n   with a: return b()\n  except C as e: continue\n  finally: d()
async def f():\n async with a as b, c: return d\n async for e in g: break\n else: h
try: a\nexcept* B as c: d\nexcept* E: f\nelse: g\nfinally: h
"""

SPECIAL = [
    ("x + 1", "eval", 0), ("[a for a in b]", "eval", 0),
    ("lambda: (yield)", "eval", 0), ("x", "single", 0),
    ("x: int = 1\n", "single", 0), ("for x in y: z\n", "single", 0),
    ("1; 2", "single", 0), ("def f(): 1\n", "single", 0),
    ("if 1:\n  x: int\n", "single", 0), ("'doc'", "single", 0),
    ("await x", "exec", TOP_LEVEL_AWAIT), ("await x", "eval", TOP_LEVEL_AWAIT),
    ("async for x in y: pass", "exec", TOP_LEVEL_AWAIT),
    ("async with x: pass", "exec", TOP_LEVEL_AWAIT),
    ("[x async for x in y]", "exec", TOP_LEVEL_AWAIT),
    ("(x async for x in y)", "exec", TOP_LEVEL_AWAIT),
    ("def f(): await x", "exec", TOP_LEVEL_AWAIT),
    ("", "exec", 0), ("'doc'", "exec", 0), ("...", "exec", 0),
    ("while 1: pass", "exec", 0), ("while 0: x\nelse: y", "exec", 0),
    ("f(" + ",".join("a%d=b" % i for i in range(40)) + ")", "exec", 0),
    ("f(" + ",".join("a" * 40) + ")", "exec", 0),
    ("f(*x," + ",".join("a%d=b" % i for i in range(40)) + ",**z)", "exec", 0),
    ("x.f(" + ",".join("a" * 40) + ")", "exec", 0),
    ("{" + ",".join("a%d:b" % i for i in range(70)) + "}", "exec", 0),
    ("{" + ",".join("%d:b" % i for i in range(70)) + ",**c}", "exec", 0),
    ("[" + ",".join("a" * 40) + ",*b]", "exec", 0),
    ("{1,2,3}; [1,2,3]; (1,2,*a); {1,*b}", "exec", 0),
    ("x in {1,2,3}; x in [1,2]; x in (1,{2})", "exec", 0),
    ("f'" + "{a}b" * 20 + "'", "exec", 0),
    ("*a," * 3 + " = b", "exec", 0),
    (", ".join("a" * 300) + ", *b = c", "exec", 0),
    ("for a in b:\n " * 21 + "pass", "exec", 0),
] + [("\n".join("  " * i + "while x:" for i in range(n)) + " pass", "exec", 0)
     for n in (19, 20, 21, 22)] + [
    ("\n".join("  " * i + "with x:" for i in range(n)) + " pass", "exec", 0)
    for n in (19, 20, 21)]


def run(compiler, source, mode, flags):
    """(code or None, error, warnings)"""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        code = error = None
        try:
            code = compiler(source, mode, flags)
        except Exception as e:
            error = type(e), e.args, [
                getattr(e, name, None) for name in (
                    "msg", "filename", "lineno", "offset", "end_lineno",
                    "end_offset", "text", "print_file_and_line")]
    return code, error, [(w.category, str(w.message), w.filename, w.lineno)
                         for w in caught]


def theirs(source, mode, flags):
    return compile(source, "f.py", mode, flags, dont_inherit=True, optimize=0)


def ours(source, mode, flags):
    return _kraitcode.compile(source.encode(), "f.py", 0, START[mode], flags)


def strict(compiler):
    """With warnings as errors, whose place matters."""
    def call(source, mode, flags):
        warnings.simplefilter("error")
        return compiler(source, mode, flags)
    return call


def main():
    bad = 0
    cases = [(line.replace("\\n", "\n"), "exec", 0)
             for line in CASES.strip().splitlines()]
    for case in cases + SPECIAL:
        for wrap in (lambda f: f, strict):
            a, b = run(wrap(ours), *case), run(wrap(theirs), *case)
            text = difference(a[0], b[0]) if a[0] and b[0] else None
            if text or a[1:] != b[1:]:
                bad += 1
                print(repr(case)[:150])
                print("   ", text or "%r\n    not %r" % (a[1:], b[1:]))
                break
    print("%d cases, %d differ" % (len(cases + SPECIAL), bad))
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
