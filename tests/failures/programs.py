"""Small programs, each of one area, whose allocations are made to fail. A
program has the same result whenever it is called, and leaves nothing behind.
ALL maps names to functions."""
import _thread
import array
import ast
import asyncio
import base64
import binascii
import bisect
import bz2
import collections
import contextlib
import contextvars
import copy
import csv
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import gc
import hashlib
import heapq
import hmac
import importlib.util
import inspect
import io
import itertools
import json
import locale
import lzma
import marshal
import math
import operator
import os
import pickle
import random
import re
import select
import socket
import sqlite3
import statistics
import string
import struct
import symtable
import sys
import tempfile
import textwrap
import threading
import time
import tokenize
import traceback
import types
import typing
import unicodedata
import warnings
import weakref
import xml.etree.ElementTree as ElementTree
import zlib

ALL = {}

# What catches exceptions of any kind in the library or the runtime, and goes
# on with less: a traceback without a line, a callback that is not called.
LENIENT = {"exceptions", "showing_errors", "syntax_errors", "weak_references",
           "threads", "async_functions", "databases", "collecting"}

# Have a native module that is not ours, and returns NULL without exception.
FOREIGN = {"databases"}


def program(function):
    ALL[function.__name__] = function
    return function


@program
def str_methods():
    s = "Grüße an Ω 𝄞"
    return [s.upper(), s.lower(), s.title(), s.casefold(), s.swapcase(),
            s.split(), s.split("e"), s.rsplit("ü", 1), s.replace("n", "mm"),
            s.encode(), s.center(40), s.zfill(30), s.expandtabs(),
            s.partition(" "), s.rpartition("x"), "-".join(s),
            s.translate({0xfc: "ue", 0xdf: None}), "a\nb\r\nc".splitlines(),
            str.maketrans("abc", "xyz", "q"), s * 3, s + s, s[::-1], repr(s),
            ascii(s), hash(s), s.strip("G"), s.removeprefix("Gr"),
            s.count("n"), s in s + "x", s.isidentifier(), s.encode("utf-16"),
            s.encode("latin-1", "replace"), s.encode("ascii", "namereplace"),
            "%s %r %5.2f %x %c" % (s, s, 1.5, 255, "x"),
            "{0!r:>30} {1:,} {x[0]}".format(s, 12345678, x=[1]),
            f"{s:*^20} {1.5:e} {10**20:_}", "abc".format_map({})]


@program
def bytes_methods():
    b = b"some bytes \xff here"
    m = memoryview(bytearray(b))
    return [b.upper(), b.split(), b.replace(b"e", b"EE"), b.hex("-", 2),
            b.join([b"x", b"y"]), b.decode("latin-1"), b.center(40), b * 2,
            b.decode("utf-8", "replace"), bytes.fromhex("00 ff"),
            b.translate(None, b"e"), bytearray(b) + b, bytearray(b)[2:8:2],
            bytearray(b).partition(b" "), b.splitlines(), b % (), b"%b" % b,
            b"%d %5.1f" % (4, 2.5), bytes([1, 2]), bytes(range(5)), list(b),
            m[3:9].tolist(), m.tobytes(), m.cast("B", [1, 17]).tolist(),
            m.hex(), bytearray(b).pop(), b.title(), b.expandtabs(),
            bytes.maketrans(b"a", b"b"), repr(b), b.partition(b"x")]


@program
def bytearray_edit():
    b = bytearray(b"0123456789")
    b[2:4] = b"abcdef"
    b += b"xyz"
    b.extend(range(20))
    b.insert(0, 9)
    b.append(7)
    b.remove(7)
    del b[::3]
    b *= 3
    b.reverse()
    return b, b.copy(), b.find(b"x")


@program
def numbers():
    n = 3 ** 200
    return [n * n, n // 7 ** 50, n % 7 ** 50, divmod(-n, 10 ** 30), n >> 70,
            n << 70, n ^ (n >> 3), -n, ~n, str(n), int(str(n)), hex(n), oct(n),
            bin(n), int("zz" * 20, 36), pow(n, 5, 10 ** 9 + 7), n.bit_length(),
            n.to_bytes(60, "big"), int.from_bytes(b"abc" * 20, "little"),
            float(n), n / 3 ** 150, math.isqrt(n), math.gcd(n, 6 ** 30),
            math.factorial(60), math.comb(80, 33), math.perm(30), round(n, -5),
            1.5 .hex(), float.fromhex("0x1.8p3"), repr(1e300), 0.1 + 0.2,
            (0.1).as_integer_ratio(), complex("1+2j") ** 2, repr(3j),
            math.fsum([.1] * 10), math.prod(range(1, 30)), format(n, ",d"),
            format(1e10, "012,.3f"), format(2 + 3j, ".2f"), float("1e-320"),
            math.hypot(3, 4), math.dist((1, 2), (4, 6)), int(1e40), n == n + 0]


@program
def long_numbers():
    n = 7 ** 4500
    return hash(n * n), hash(str(n)), hash(n // 3 ** 2000), \
        hash(int(str(n)) % 11 ** 900), hash(pow(3, 65537, 10 ** 300 + 7))


@program
def lists():
    a = list(range(20))
    a.extend(x * 2 for x in range(5))
    a.append(3)
    a.insert(2, "x")
    a.remove("x")
    a += [4, 5]
    a[2:5] = [7] * 9
    del a[::4]
    a.sort(key=lambda x: -x)
    a.sort()
    a.reverse()
    return [a, a.copy(), a * 2, a + a, a[::-2], sorted(a, reverse=True),
            a.index(7), a.pop(), a.pop(0), [*a, *range(3)], list(map(str, a)),
            list(zip(a, a)), list(enumerate("ab")), list(filter(None, a)),
            list(reversed(a)), repr(a), a < a + [1], [1, [2, [3]]] == [1]]


@program
def tuples():
    t = tuple(range(10))
    return [t + t, t * 3, t[1:5], t[::-1], tuple("abc"), tuple(x for x in t),
            hash(t), repr(t), (*t, 1, *t), max(t), min(t, key=lambda x: -x),
            sum(t), sum([[1], [2]], []), any(t), all(t), slice(1, 2).indices(9),
            range(10 ** 20)[5], list(range(3, -3, -2)), repr(range(1, 5))]


@program
def dicts():
    d = {i: str(i) for i in range(20)}
    d.update(a=1, b=2)
    d |= {"c": 3}
    d.setdefault("z", []).append(1)
    d.pop("a")
    d.popitem()
    del d[3]
    e = dict(d, x=1)
    f = dict.fromkeys("abc", 0)
    f.clear()
    return [d, e, f, list(d), list(d.items()), list(d.values()), d.copy(),
            d | e, {**d, **e}, repr(d), d == e, list(reversed(d)),
            d.keys() & e.keys(), d.keys() - {1}, d.items() ^ e.items(),
            dict(zip("abc", range(3))), dict([("k", 1)]), "b" in d,
            types.MappingProxyType(e).copy()]


@program
def sets():
    s = {1, 2, 3} | set(range(10, 40))
    s.add("x")
    s.discard("x")
    s.update([1, 4], (5,))
    s.symmetric_difference_update([1, 100])
    f = frozenset(s)
    return [sorted(s | {7}), sorted(s & f), sorted(s - {2}), sorted(s ^ {3}),
            hash(f), s == f, s <= f, sorted(s.union([1], [2])), len(s.copy()),
            sorted(f.difference([3])), repr({1}), repr(frozenset([2])),
            s.isdisjoint([77]), sorted({x % 3 for x in s}),
            sorted(f.intersection(range(30)))]


@program
def classes():
    class Meta(type):
        def __new__(meta, name, bases, space, **kw):
            return super().__new__(meta, name, bases, dict(space, extra=kw))

        def __init__(cls, name, bases, space, **kw):
            super().__init__(name, bases, space)

    class Descriptor:
        def __set_name__(self, owner, name):
            self.name = name

        def __get__(self, instance, owner=None):
            return self.name if instance is None else instance.__dict__

    class A(metaclass=Meta, key=1):
        __slots__ = ("x", "y", "__dict__", "__weakref__")
        d = Descriptor()

        def __init__(self, x):
            self.x = x
            self.more = [x]

        @property
        def double(self):
            return self.x * 2

        @classmethod
        def make(cls, *args, **kw):
            return cls(*args, **kw)

        @staticmethod
        def nothing():
            return None

        def __eq__(self, other):
            return self.x == other.x

        def __add__(self, other):
            return type(self)(self.x + other.x)

        def __getattr__(self, name):
            if name.startswith("_"):
                raise AttributeError(name)
            return name * 2

    class B(A):
        def __init__(self, x):
            super().__init__(x + 1)
            self.z = x

        def __repr__(self):
            return f"B({self.x}, {self.more})"

        __hash__ = None

    b = B.make(3)
    b.y = 4
    C = type("C", (B,), {"__len__": lambda self: 3})
    return [repr(b + b), b.double, b.foo, b.d, A.d, A.extra, b == B(3),
            isinstance(b, A), len(C(1)), bool(C(1)), vars(b), sorted(dir(b)),
            [c.__name__ for c in C.__mro__], b.nothing(), C.__subclasses__(),
            A.__name__, getattr(b, "nope"), hasattr(b, "_n")]


@program
def slots_and_layout():
    class S:
        __slots__ = "a", "b"

    class I(int):
        pass

    class L(list):
        __slots__ = ("extra",)

    class T(tuple):
        pass
    s = S()
    s.a, s.b = 1, [2]
    del s.a
    x = L([1, 2])
    x.extra = 5
    i = I(7)
    i.note = "n"
    s.__class__ = type("S2", (), {"__slots__": ("a", "b")})
    I.added = 3
    I.__bases__
    return s.b, x, x.extra, i + 1, i.note, i.added, T([1, 2]) + (3,)


@program
def special_methods():
    class V:
        def __init__(self, v):
            self.v = v

        def __index__(self):
            return self.v

        def __getitem__(self, i):
            if i > 3:
                raise IndexError(i)
            return i * self.v

        def __len__(self):
            return 4

        def __contains__(self, x):
            return x == self.v

        def __call__(self, *args, **kw):
            return args, kw

        def __format__(self, spec):
            return spec + "!"

        def __iter__(self):
            return iter([1, 2])

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            return True

        def __radd__(self, other):
            return other + self.v

        def __lt__(self, other):
            return self.v < other.v

        def __hash__(self):
            return self.v

        def __bool__(self):
            return False

        def __reversed__(self):
            return iter("r")
    v = V(5)
    with v:
        raise ValueError("swallowed")
    return [v[2], len(v), 5 in v, v(1, *[2], a=3, **{"b": 4}), f"{v:x}",
            [*v], 3 + v, v < V(6), hash(v), not v, list(reversed(v)),
            range(10)[v], [0] * v, hex(v), operator.index(v), round(2.5),
            "x" * v, bytes(V(3)), sorted([V(2), V(1)])[0].v]


@program
def exceptions():
    def fail(n):
        try:
            if n:
                fail(n - 1)
            raise KeyError("deep", n)
        except KeyError as e:
            raise ValueError(f"at {n}") from e
    said = []
    try:
        fail(3)
    except ValueError as e:
        said.append(repr(e))
        said.append(repr(e.__cause__.args))
        e.add_note("a note")
        said += [line for line in traceback.format_exception(e)
                 if "File" not in line]
    try:
        try:
            raise ExceptionGroup("g", [ValueError(1), TypeError(2), OSError(3)])
        except* ValueError as g:
            said.append(str(g.exceptions))
        except* TypeError:
            raise RuntimeError("in handler")
    except ExceptionGroup as e:
        said.append(repr(e))
    for source in ("1/0", "nope", "None.x", "[][1]", "int('x')", "{}[1]",
                   "len()", "print(*1)", "(lambda a: a)(1, 2, b=3)", "a b",
                   "import nothing.at.all", "open('/nothing')", "x, y = [1]",
                   "'\\ud800'.encode()", "b'\\xff'.decode()", "1 < 'a'",
                   "object().f()", "assert 0, 'm'", "raise 3", "next(iter(()))",
                   "del q", "[] + ()", "-'x'", "str(b'', 'q')"):
        try:
            exec(source)
        except MemoryError:
            raise
        except Exception as e:
            said.append((type(e).__name__, str(e)))
    return said


@program
def os_errors():
    said = []
    for name in ("/nothing/here", "/", b"/nothing", "/etc/passwd/x"):
        for function in (open, os.listdir, os.stat, os.unlink):
            try:
                if function is os.unlink:
                    name = b"/nothing" if name == "/" else name
                x = function(name)
                said.append(type(x).__name__)
            except OSError as e:
                said.append((e.errno, e.filename, str(e)))
    return said


@program
def generators():
    def count(n):
        got = []
        try:
            for i in range(n):
                got.append((yield i))
        finally:
            got.append("end")
        return got

    def outer():
        return [(yield from count(3)), (yield from [1, 2])]
    g = outer()
    said = [next(g), g.send("a"), g.send("b")]
    try:
        while True:
            said.append(g.send(None))
    except StopIteration as e:
        said.append(e.value)
    g = count(5)
    next(g)
    try:
        g.throw(KeyError, "k")
    except KeyError as e:
        said.append(repr(e))
    g = outer()
    next(g)
    g.close()
    said.append(sum(x * x for x in range(20)))
    said.append([x + y for x in range(3) for y in range(x) if x])
    said.append({x: {y for y in range(x)} for x in range(3)})
    return said


@program
def functions():
    def f(a, /, b, *args, c=3, **kw):
        return a, b, args, c, kw

    def closure():
        n = 0

        def add(k=1):
            nonlocal n
            n += k
            return n
        return add
    add = closure()
    add()
    import_ = f.__get__(5)
    return [f(1, 2), f(1, 2, 3, 4, c=5, d=6), f(*range(5), **{"x": 1}),
            add(4), import_(2), repr(f.__defaults__), f.__kwdefaults__,
            str(inspect.signature(f)), (lambda *a, k=2: (a, k))(1, k=3),
            types.FunctionType(f.__code__, {}, "g", None, None)(1, 2, c=1),
            f.__code__.replace(co_name="h").co_name, f.__annotations__,
            functools.reduce(f, [1, 2, 3]) and 1, add.__closure__ is not None,
            sys._getframe().f_code.co_name, sorted(locals())]


@program
def matching():
    @dataclasses.dataclass
    class P:
        x: int
        y: int = 2
    said = []
    for x in (1, "a", [1, 2, 3], {"k": 1, "z": 2}, P(5), (), None, 2.5):
        match x:
            case 1 | 2:
                said.append("number")
            case str(s):
                said.append(s)
            case [a, *rest]:
                said.append((a, rest))
            case {"k": v, **rest}:
                said.append((v, rest))
            case P(x=5, y=y):
                said.append(y)
            case None:
                said.append(None)
            case other:
                said.append(other)
    return said


SOURCE = '''
"""Doc."""
from __future__ import annotations
import os, sys as system
from a.b import c as d, e
@decorator(1)
class K(Base, metaclass=M, **kw):
    x: int = 1
    def f(self, a, /, b=1, *args, c, d=2, **kw) -> int:
        nonlocal_ = lambda q: (yield)
        global G
        return super().f(a, *args, **kw) if a else [x for x in b if x][1:2]
async def g(x):
    async with a as b, c:
        async for i in x:
            await i
    return {y: z async for y, z in x}
try:
    with open(f"{name!r:>{width}}") as f: pass
except (A, B) as e: raise C from e
else: assert x, "m"
finally: del x, y[0], z.w
while a < b <= c and not d or e: break
else: pass
for (i, *j), k in l: continue
match x:
    case [1, {"a": b, **c}, K(d=1) as e] if e: pass
    case _: ...
a = b = (c := 1, *d); a += 1 @ 2 ** -3; a.b[1, ::2] //= 5
try: pass
except* E: pass
print(f"{1+1=}", b"x\\xff", "\\N{BULLET}" "y", 1_000, 0x1f, 1.5e3, ...)
'''


@program
def compiling():
    code = compile(SOURCE, "<s>", "exec", dont_inherit=True)
    return code.co_names


@program
def parsing_tree():
    tree = ast.parse(SOURCE)
    return len(ast.dump(tree)), len(ast.unparse(tree)), \
        ast.literal_eval("[1, {'a': (2, b'x')}, -3.5]"), \
        compile(tree, "<t>", "exec").co_names


@program
def syntax_errors():
    said = []
    for source in ("a b", "(1,", "def f(:", "'abc", "x = = 1", "f(a=1, 2)",
                   "  x", "if x:\ny", "1 = x", "return", "nonlocal q",
                   "def f(a, a): 0", "break", "f'{'", "f'{a b}'", "'\\N{no}'",
                   "x: int: 3", "import", "0777", "1__0", "async x", "(a for b",
                   "[a, b for c in d]", "{1: 2, **}", "del f()", "\\x",
                   "try: pass", "class A(: pass", "from __future__ import q",
                   "else: 1", "b'\u00e9'", "lambda: (yield) = 1", "]", "\t1\n 2",
                   "f(**a, *b)", "with open(x) as 1: pass", "match x:\n 1"):
        try:
            compile(source, "<s>", "exec")
        except SyntaxError as e:
            said.append((type(e).__name__, e.args))
    return said


@program
def symbol_tables():
    table = symtable.symtable(SOURCE, "s", "exec")
    return [(t.get_name(), sorted(t.get_identifiers()))
            for t in [table, *table.get_children()]]


@program
def tokenizing():
    lines = io.StringIO(SOURCE).readline
    return len(list(tokenize.generate_tokens(lines)))


@program
def running_code():
    space = {}
    exec("def f(x):\n return [y for y in range(x)]\nz = f(3)", space)
    return space["z"], eval("a + b", {"a": 1, "b": 2}), eval(
        compile("1 + 2", "<e>", "eval")), space["f"].__code__.co_positions \
        is not None, list(space["f"].__code__.co_lines()), \
        len(list(space["f"].__code__.co_positions()))


@program
def importing():
    for name in ("colorsys", "this_is_missing", "wave.missing"):
        sys.modules.pop(name, None)
        try:
            importlib.import_module(name)
        except ImportError as e:
            said = repr(e)
    from collections import abc
    from os import path as p
    return said, abc.__name__, p.__name__, sys.modules["colorsys"].rgb_to_hls(
        .2, .3, .4), importlib.util.find_spec("json").name


DATA = {"a": [1, 2.5, None, True, "text\n\u00e9"], "b": {"c": (), "d": [[]]},
        "big": 10 ** 30, "e": -1e300}


@program
def marshalling():
    data = marshal.dumps([DATA, {1, 2}, b"x", 3j, 10 ** 50, ..., frozenset()])
    return marshal.loads(data) == 1, hash(data), marshal.dumps(
        compile("x", "f", "eval")) != b"", marshal.loads(data)


class Plain:
    def __init__(self):
        self.x = 1

    def __eq__(self, other):
        return self.x == other.x

    def __repr__(self):
        return "Plain()"


@program
def pickling():
    data = [DATA, {1, 2}, b"x", bytearray(b"y"), 3j, ..., frozenset([1]), int,
            Plain(), collections.OrderedDict(a=1), datetime.date(2020, 1, 2),
            range(3), len, collections.deque([1]), OSError(1, "x")]
    data.append(data[3])
    return [pickle.loads(pickle.dumps(data, p)) for p in range(6)], \
        pickle._loads(pickle.dumps(data, 4))[0], copy.deepcopy(data[:9]), \
        copy.copy(data[8])


@program
def json_text():
    text = json.dumps(DATA, indent=1)
    return json.loads(text), json.dumps(DATA, ensure_ascii=False), \
        json.loads('[1e5, -0, "\\ud834\\udd1e", NaN, {"": {}}]', parse_float=str)


@program
def regular_expressions():
    re.purge()
    pattern = re.compile(r"(?P<a>\w+)\s*(=|:)\s*(?:(\d+)|'([^']*)')(?#c)|\bx+?")
    return [pattern.findall("a=1, b: 'two' xx é=3"), repr(pattern),
            pattern.sub(r"<\g<a>>", "k=5"), pattern.search("q = 9").groupdict(),
            re.split("[,;]", "a,b;c"), re.escape("a.b"), pattern.groupindex,
            [m.span() for m in pattern.finditer("a=1 b=2")],
            re.sub("b", lambda m: m[0] * 2, "abc"), repr(re.match("a", "ab")),
            re.fullmatch("(a|b)*c{2,3}", "ababcc").regs, copy.copy(pattern) is
            pattern, re.compile("[α-ω]+", re.I).findall("ΑΒΓ x"),
            pattern.scanner("a=1").search().end(), re.match("(a)(b)?", "a")
            .expand(r"\1-\2")]


@program
def dates():
    d = datetime.datetime(2020, 2, 29, 12, 30, 15, 99, datetime.timezone.utc)
    delta = datetime.timedelta(days=3, seconds=5.5)
    zone = datetime.timezone(datetime.timedelta(hours=-3), "X")
    return [str(d), repr(d), d + delta, d - d, delta * 2.5, delta / 3, repr(zone),
            d.isoformat(), datetime.datetime.fromisoformat(d.isoformat()),
            d.strftime("%Y %j %z %f"), d.astimezone(zone), hash(d), d.timetuple(),
            datetime.date.fromordinal(700000), d.replace(year=2024), d.date(),
            datetime.datetime.strptime("2020-01-02", "%Y-%m-%d"), d.timetz(),
            datetime.time.fromisoformat("10:20:30"), repr(delta), d.isocalendar(),
            divmod(delta, datetime.timedelta(hours=1)), d.__reduce__(),
            datetime.datetime.fromtimestamp(0, zone), d < d + delta]


@program
def decimals():
    with decimal.localcontext(decimal.Context(prec=60)) as context:
        a, b = decimal.Decimal("3.14159265358979"), decimal.Decimal(7)
        return [a * b, a / b, a ** b, a.sqrt(), a.exp(), a.ln(), str(a), hash(a),
                a.quantize(decimal.Decimal("0.01")), divmod(a, b), int(a * 9 ** 9),
                a.as_tuple(), format(a, ",.3f"), a.normalize(), repr(context),
                decimal.Decimal.from_float(.1), a.to_integral_value(), -a,
                decimal.Decimal((0, (1, 2), -1)), a.compare(b), float(a),
                context.create_decimal("1e5"), a == 3, a < 4.5, a // b, a % b,
                a.fma(b, b), a.log10(), a.as_integer_ratio(), context.copy().prec,
                decimal.Decimal(3) ** 50 % 7]


@program
def fractions_and_statistics():
    f = fractions.Fraction(3, 7)
    return [f + 1, f * f, str(f), fractions.Fraction("0.25"),
            statistics.mean([1, 2, 4]), statistics.stdev([1, 2, 4]), hash(f)]


@program
def structs():
    s = struct.Struct("<2hIq5sdx?")
    data = s.pack(1, -2, 3, 4, b"abcde", 1.5, True)
    return [data, s.unpack(data), list(struct.iter_unpack("h", b"12345678")),
            struct.calcsize("3i"), struct.pack(">e", .5), s.format,
            struct.unpack_from("3s", data, 2), struct.pack("10p", b"xy"),
            struct.pack("P", 3)]


@program
def files():
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "f")
        with open(name, "w", encoding="utf-8", newline="\r\n") as f:
            f.write("line one\nzeile \u00e9\n")
            f.writelines(["a\n", "b"])
        with open(name, encoding="utf-8") as f:
            said = [f.readline(), f.read(3), f.tell() != 0, f.read(), f.seek(0),
                    list(f), f.name == name, f.encoding]
        with open(name, "r+b") as f:
            said += [f.read(5), f.seek(2), f.write(b"XX"), f.readline(),
                     f.peek(3), f.readinto(bytearray(4))]
        with open(name, "rb", 0) as f:
            said += [f.readall(), f.tell()]
        with os.scandir(folder) as found:
            said += [e.name for e in found]
        said += os.listdir(folder)
        said += [os.stat(name).st_size, os.path.realpath(name) == name]
    return said


@program
def memory_streams():
    b = io.BytesIO(b"abc\ndef\n")
    t = io.TextIOWrapper(io.BytesIO(), encoding="utf-16")
    t.write("some text\n" * 5)
    t.flush()
    t.seek(0)
    r = io.BufferedReader(io.BytesIO(b"x" * 50), 16)
    p = io.BufferedRWPair(io.BytesIO(b"in"), io.BytesIO())
    s = io.StringIO("one\r\ntwo\n", newline=None)
    b.seek(0, 2)
    b.write(b"more")
    return [b.getvalue(), b.getbuffer().tobytes(), t.read(), t.detach().tell(),
            r.read(3), r.peek(4), r.read(), p.read(), p.write(b"q"), s.readline(),
            s.read(), s.getvalue(), s.seek(0), list(s), b.readlines(),
            io.IncrementalNewlineDecoder(None, True).decode("a\r\n")]


@program
def csv_text():
    out = io.StringIO()
    w = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    w.writerow([1, "two", "th,ree", 'f"our', None])
    d = csv.DictWriter(out, ["a", "b"])
    d.writeheader()
    d.writerow({"a": 1, "b": "x\ny"})
    return out.getvalue(), list(csv.reader(io.StringIO(out.getvalue()))), list(
        csv.DictReader(["x;y", "1;2"], delimiter=";")), csv.list_dialects(), \
        csv.Sniffer().sniff("a;b;c\n1;2;3\n").delimiter


@program
def arrays():
    a = array.array("i", range(10))
    a.extend([1, 2])
    a.append(3)
    a.insert(1, 4)
    a[1:3] = array.array("i", [9] * 5)
    del a[::3]
    u = array.array("u", "text")
    d = array.array("d", [1.5])
    d.frombytes(b"12345678")
    a.byteswap()
    return [a, u.tounicode(), d, a.tolist(), a.tobytes(), a * 2, a + a, a[::2],
            a.index(a[0]), repr(u), a.buffer_info()[1], a.__reduce_ex__(3),
            bytes(memoryview(a)), a == a]


@program
def collection_types():
    d = collections.deque(range(100), 80)
    d.extendleft("abc")
    d.rotate(7)
    d.insert(3, 0) if len(d) < 80 else d.pop()
    d += [1]
    o = collections.OrderedDict((i, i) for i in range(10))
    o.move_to_end(3)
    o.popitem(False)
    n = collections.namedtuple("N", "x y", defaults=[2])
    c = collections.Counter("abracadabra")
    dd = collections.defaultdict(list)
    dd["a"].append(1)
    chain = collections.ChainMap({1: 2}, {3: 4})
    return [d, d.copy(), repr(d), o, repr(o), o | {1: 1}, list(reversed(o)),
            n(1), n(1)._replace(y=4), c, c + c, c.most_common(2), dd, dd | {1: 2},
            dict(chain), d * 2, list(reversed(d)), o == dict(o), n._make([1, 2]),
            collections.deque("abc") + collections.deque("d"), d.index(1)]


@program
def function_tools():
    @functools.lru_cache(4)
    def f(*a, **k):
        return a, k

    @functools.singledispatch
    def g(x):
        return "object"

    @g.register
    def _(x: int):
        return "int"

    @functools.total_ordering
    class T:
        def __lt__(self, other):
            return False

    class C:
        @functools.cached_property
        def p(self):
            return 5
    for i in range(6):
        f(i, k=i)
    p = functools.partial(f, 1, b=2)
    q = functools.partial(p, 3, c=4)
    return [p(5), q.args, q.keywords, f.cache_info(), g(1), g(""), T() > T(),
            C().p,
            sorted([1, 3, 2], key=functools.cmp_to_key(lambda a, b: b - a)),
            functools.reduce(operator.add, [[1], [2]]), repr(q)[:20],
            functools.wraps(f)(lambda: 1).__name__]


@program
def iterator_tools():
    i = itertools
    return [list(x) for x in (
        i.chain([1], "ab"), i.chain.from_iterable([[1], [2]]), i.product("ab", [1, 2]),
        i.permutations("abc", 2), i.combinations("abcd", 3),
        i.combinations_with_replacement("ab", 3), i.islice(i.count(5, 2), 4),
        i.islice(i.cycle("ab"), 5), i.repeat(1, 3), i.accumulate([1, 2, 3]),
        i.starmap(pow, [(2, 3)]), i.zip_longest("abc", [1], fillvalue=0),
        i.takewhile(bool, [1, 0]), i.dropwhile(bool, [1, 0, 2]), i.pairwise("abc"),
        i.filterfalse(None, [0, 1]), i.compress("abc", [1, 0, 1]))] + [
        [(k, list(g)) for k, g in i.groupby("aabbc")],
        [list(x) for x in i.tee(iter("ab" * 40))], list(copy.copy(i.count(2.5).__reduce__())),
        i.islice(iter("abc"), 1, None).__reduce__()[1][1:]]


@program
def weak_references():
    class W:
        pass
    said = []
    w = W()
    r = weakref.ref(w, lambda r: said.append("ref"))
    p = weakref.proxy(w)
    p.x = 3
    d = weakref.WeakValueDictionary(a=w)
    k = weakref.WeakKeyDictionary({w: 1})
    s = weakref.WeakSet([w])
    f = weakref.finalize(w, said.append, "finalize")
    said += [r() is w, p.x, len(d), len(k), len(s), weakref.getweakrefcount(w)]
    w = None
    said += [r(), len(d), len(k), len(s), f.alive]
    return said


@program
def collecting():
    class N:
        def __del__(self):
            said.append("del")
    said = []
    n = N()
    n.self = [n, {"n": n}]
    n = None
    r = weakref.ref(Plain())
    gc.collect()
    return said, r(), gc.is_tracked([]), gc.get_referents([1, 2]), \
        len(gc.get_referrers(said)) >= 0, gc.get_count() != (), gc.get_stats() != []


@program
def threads():
    said = []
    lock = threading.Lock()
    done = _thread.allocate_lock()

    def run(x):
        with lock:
            said.append(x)
        done.release()
    done.acquire()
    _thread.start_new_thread(run, (5,))
    if not done.acquire(timeout=0.02):
        raise MemoryError("in the thread")
    local = threading.local()
    local.x = 1
    r = _thread.RLock()
    with r, r:
        pass
    return local.x, lock.acquire(timeout=0.001), repr(r)[:10]


@program
def contexts():
    v = contextvars.ContextVar("v", default=1)
    c = contextvars.copy_context()

    def f():
        t = v.set(5)
        old = v.get()
        v.reset(t)
        v.set(old + 1)
        return old
    for i in range(20):
        c.run(contextvars.ContextVar(str(i)).set, i)

    @contextlib.contextmanager
    def manager():
        try:
            yield 3
        except KeyError:
            pass
    with manager() as m, contextlib.suppress(ValueError), \
            contextlib.ExitStack() as stack:
        stack.callback(len, "")
        raise KeyError
    return c.run(f), c[v], v.get(), len(c), len(list(c.items())), m


@program
def compression():
    data = b"some data to compress " * 50
    c = zlib.compressobj(9)
    d = zlib.decompressobj()
    z = c.compress(data) + c.flush()
    b = bz2.compress(data)
    x = lzma.compress(data, preset=0)
    return [d.decompress(z, 20), d.unconsumed_tail != b"", len(d.flush()),
            zlib.decompress(z) == data, bz2.decompress(b) == data,
            lzma.decompress(x) == data, zlib.crc32(data), zlib.adler32(data),
            len(bz2.BZ2Decompressor().decompress(b, 10)),
            lzma.LZMADecompressor().decompress(x, 10)]


@program
def hashes():
    said = [hashlib.new(name, b"data").hexdigest() for name in
            ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s")]
    h = hashlib.sha256()
    h.update(b"x" * 5000)
    return said, h.copy().digest(), hmac.new(b"k", b"m", "sha256").digest(), \
        hashlib.pbkdf2_hmac("sha256", b"p", b"s", 2), hashlib.shake_128(b"a").digest(9), \
        repr(h)[:10], h.name, hashlib.scrypt(b"p", salt=b"s", n=2, r=1, p=1)


@program
def xml_trees():
    root = ElementTree.fromstring(
        "<a x='1'><b>text</b>tail<!-- c --><c y='&lt;'/><?pi x?></a>")
    e = ElementTree.SubElement(root, "d", {"k": "v"}, z="w")
    e.text = "new"
    root.insert(0, ElementTree.Element("first"))
    root.extend([copy.deepcopy(e)])
    del root[1]
    try:
        ElementTree.fromstring("<a><b></a>")
    except ElementTree.ParseError as x:
        said = str(x)
    p = ElementTree.XMLPullParser(["start", "end"])
    p.feed("<q><r/></q>")
    return [ElementTree.tostring(root), [x.tag for x in root.iter()],
            root.find("c").attrib, root.findall(".//d"), list(root.itertext()),
            root.findtext("d"), said, [(a, b.tag) for a, b in p.read_events()],
            ElementTree.canonicalize("<x b='1' a='2'/>")][0:3]


@program
def databases():
    c = sqlite3.connect(":memory:")
    c.row_factory = sqlite3.Row
    c.create_function("twice", 1, lambda x: x * 2)
    c.create_aggregate("total2", 1, type("T", (), {
        "__init__": lambda s: setattr(s, "n", 0),
        "step": lambda s, x: setattr(s, "n", s.n + x), "finalize": lambda s: s.n}))
    with c:
        c.execute("create table t (a integer, b text, c blob)")
        c.executemany("insert into t values (?, ?, ?)",
                      [(i, str(i), b"x" * i) for i in range(5)])
    said = [tuple(r) for r in c.execute("select *, twice(a) from t")]
    said += [tuple(c.execute("select total2(a) from t").fetchone())]
    try:
        c.execute("select nope")
    except sqlite3.OperationalError as e:
        if "nope" in str(e):
            said.append(str(e))
    said.append(c.execute("select a as x from t where a > :k", {"k": 3})
                .fetchone().keys())
    c.close()
    return said


@program
def async_functions():
    async def leaf(x):
        await asyncio.sleep(0)
        return x * 2

    async def numbers():
        for i in range(3):
            await asyncio.sleep(0)
            yield i

    async def main():
        t = asyncio.create_task(leaf(3))
        q = asyncio.Queue()
        await q.put(1)
        return [await asyncio.gather(leaf(1), leaf(2)), await t,
                [i async for i in numbers()], await q.get(),
                await asyncio.wait_for(leaf(5), 9)]
    asyncio._set_running_loop(None)  # run_forever may have been unable to
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: loop.stop())
    try:
        loop.call_later(0.1, loop.stop)
        return loop.run_until_complete(main())
    except RuntimeError:
        raise MemoryError("in a callback")
    finally:
        loop.close()


@program
def coroutines_by_hand():
    class Awaitable:
        def __await__(self):
            return (yield 5)

    async def f():
        return await Awaitable()

    async def g():
        try:
            yield 1
            yield await f()
        finally:
            pass
    c = f()
    said = [c.send(None)]
    try:
        c.send("r")
    except StopIteration as e:
        said.append(e.value)
    a = g()
    for step in (a.asend(None), a.asend(None), a.aclose()):
        try:
            while True:
                said.append(step.send(None))
        except StopIteration as e:
            said.append(repr(e.value))
    f().close()
    return said


@program
def tracebacks():
    try:
        json.loads("[1,")
    except ValueError as e:
        lines = traceback.TracebackException.from_exception(e).format()
        stack = traceback.extract_stack(limit=2)
        return len(list(lines)), len(stack), [
            (f.f_code.co_name, n) for f, n in traceback.walk_tb(e.__traceback__)]


@program
def showing_errors():
    old, sys.stderr = sys.stderr, io.StringIO()
    try:
        try:
            try:
                [][5]
            except IndexError:
                raise KeyError("k")
        except KeyError:
            sys.__excepthook__(*sys.exc_info())
        warnings.showwarning("w", UserWarning, "f", 1)
        return len(sys.stderr.getvalue())
    finally:
        sys.stderr = old


@program
def warned():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        warnings.warn("one")
        warnings.warn_explicit("two", UserWarning, "f", 3)
        compile("'\\q'", "f", "eval")
        return [str(w.message) for w in found]


@program
def enumerations():
    class Color(enum.Enum):
        RED = 1
        BLUE = 2

    class Flag(enum.IntFlag):
        A = enum.auto()
        B = enum.auto()
    return list(map(str, Color)), Color(1).name, repr(Flag.A | Flag.B), \
        Color["RED"].value


@program
def typing_types():
    T = typing.TypeVar("T")

    class G(typing.Generic[T]):
        x: T
    return [repr(list[int]), repr(int | None), repr(dict[str, T][int]),
            repr(G[int]), typing.get_type_hints(G), (int | str) == (str | int),
            repr(typing.Optional[int]), repr(tuple[int, ...].__args__),
            isinstance(1, int | str), list[int]([1]), repr(types.GenericAlias(
                list, (T, ))[str]), (list[T] | None).__parameters__]


@program
def data_classes():
    @dataclasses.dataclass(order=True, frozen=True)
    class D:
        x: int
        y: list = dataclasses.field(default_factory=list, compare=False)
    d = D(1)
    return repr(d), d < D(2), dataclasses.asdict(d), dataclasses.replace(d, x=5), \
        hash(D(1)) == hash(d)


@program
def codecs_and_text():
    return [unicodedata.normalize("NFKD", "\u00e9\ufb01"), unicodedata.name("a"),
            unicodedata.lookup("BULLET"), base64.b64encode(b"abcd"),
            base64.b64decode("YWJj"), binascii.hexlify(b"ab"), base64.b85encode(b"x"),
            binascii.a2b_qp("a=20b"), binascii.b2a_uu(b"abc"), textwrap.wrap("a b c " * 5, 9),
            string.Template("$a").substitute(a=1), "\u00e9".encode("utf-7"),
            b"+AOk-".decode("utf-7"), "\u00e9".encode("cp437"), "é".encode("idna"),
            "äx".encode("punycode"), b"a".decode("utf-32-le", "ignore"),
            "a\u0100".encode("unicode_escape"), b"\\x41".decode("unicode_escape"),
            "日本".encode("shift_jis"), "日本".encode("gb18030"), "日".encode("iso2022_jp"),
            b"\x93\xfa".decode("cp932")]


@program
def heaps_and_bisection():
    h = [5, 3, 8, 1]
    heapq.heapify(h)
    heapq.heappush(h, 2)
    a = []
    for x in (3, 1, 2):
        bisect.insort(a, x)
    return heapq.nsmallest(2, h), heapq.heappop(h), a, list(heapq.merge([1], [0])), \
        bisect.bisect(a, 2, key=lambda x: x), heapq.heapreplace(h, 4)


@program
def random_numbers():
    r = random.Random(5)
    return r.random(), r.getrandbits(100), r.choice("abc"), r.sample(range(99), 3), \
        hash(r.getstate()), r.gauss(0, 1), r.randbytes(5)


@program
def operators():
    class M:
        def f(self, *a, **k):
            return a, k
    return operator.itemgetter(1, 0)("ab"), operator.attrgetter("real.imag")(3), \
        operator.methodcaller("f", 1, k=2)(M()), operator.concat("a", "b"), \
        repr(operator.itemgetter(slice(1))), operator.length_hint(iter([1]), 3)


@program
def sockets():
    a, b = socket.socketpair()
    with a, b:
        a.sendall(b"hello")
        b.settimeout(1)
        said = [b.recv(3), select.select([b], [a], [], 1)[2], b.recv(9)]
        a.sendmsg([b"x", b"y"])
        said.append(b.recvmsg(5)[0])
        p = select.poll()
        p.register(a, select.POLLOUT)
        said.append(len(p.poll(10)))
    said.append(socket.inet_ntoa(b"\1\2\3\4"))
    said.append(socket.getaddrinfo("127.0.0.1", 80, 0, socket.SOCK_STREAM)[0][4])
    return said


@program
def system():
    return [time.strftime("%Y", time.gmtime(0)), time.gmtime(0), os.fspath("x"),
            os.environ.get("HOME"), os.getcwd() != "", os.urandom(2) != b"",
            sys.getsizeof([]) > 0, sys.intern("a b"), locale.localeconv()["grouping"],
            sys.version_info[:2], os.path.join("a", "b"), time.asctime(time.gmtime(0)),
            len(sys._current_frames()), sys.exc_info(), os.uname()[0],
            sys.call_tracing(len, ("ab",)), sys.audit("x", 1)]


@program
def tracing():
    said = []

    def hook(frame, event, arg):
        said.append(event)
        return hook

    def f(x):
        y = x
        return y
    old = sys.gettrace(), sys.getprofile()
    try:
        sys.settrace(hook)
        f(1)
        sys.settrace(None)
        sys.setprofile(hook)
        f(len(""))
    finally:
        sys.settrace(old[0])
        sys.setprofile(old[1])
    return said[:6]


@program
def frames():
    def f():
        x = 1
        frame = sys._getframe()
        frame.f_locals["x"] = 2
        return frame, lambda: x
    frame, _ = f()
    return frame.f_locals["x"], frame.f_code.co_name, frame.f_lineno > 0, \
        repr(frame)[:6], frame.f_back is None


@program
def subinterpreter():
    import _xxsubinterpreters as interpreters
    i = interpreters.create()
    try:
        interpreters.run_string(i, "x = [1]\nimport _collections")
        channel = interpreters.channel_create()
        interpreters.channel_send(channel, b"data")
        return interpreters.channel_recv(channel)
    finally:
        interpreters.destroy(i)
