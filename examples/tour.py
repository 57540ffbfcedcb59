"""A walk through Python 3.11, from values to coroutines.

Every section prints what it shows; run it with `make run`.
"""
import asyncio
import contextlib
import dataclasses
import dis
import enum
import functools
import gc
import itertools
import sys
import weakref


def section(title):
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n{title}")


def values():
    section("Values")
    big = 2 ** 127 - 1
    print(f"{big:,} is prime and has {big.bit_length()} bits")
    print(f"0.1 + 0.2 = {0.1 + 0.2!r}; 0.1 is {(0.1).as_integer_ratio()}")
    word = "Straße"
    print(word.upper(), word.encode("utf-8"), list(word)[4:])
    first, *middle, last = range(5)
    print(first, middle, last, {**{"a": 1}, "b": 2}, {n % 3 for n in range(9)})


def functions():
    section("Functions and closures")

    def counter(start=0, /, *, step=1):
        value = start

        def advance():
            nonlocal value
            value += step
            return value
        return advance

    tick = counter(10, step=5)
    print([tick() for _ in range(4)])

    @functools.lru_cache(maxsize=None)
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    print(f"fibonacci(90) = {fibonacci(90)}", fibonacci.cache_info())


class Shape(enum.Enum):
    POINT = 0
    LINE = 1
    AREA = 2


@dataclasses.dataclass(order=True, frozen=True)
class Vector:
    x: float
    y: float = 0.0

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    @property
    def length(self):
        return (self.x ** 2 + self.y ** 2) ** 0.5


class Registry(type):
    known = {}

    def __new__(meta, name, bases, namespace, **options):
        cls = super().__new__(meta, name, bases, namespace)
        meta.known[name] = options
        return cls


class Plugin(metaclass=Registry, priority=3):
    def __init_subclass__(cls, **kwargs):
        print("a new kind of plugin:", cls.__name__)


def classes():
    section("Classes")
    print(sum((Vector(3), Vector(0, 4)), Vector(0)),
          (Vector(3) + Vector(0, 4)).length)
    print(Shape.AREA, Shape(1).name, Registry.known)
    Registry("Printer", (Plugin,), {})


def describe(thing):
    match thing:
        case Vector(x=0, y=0):
            return "the origin"
        case Vector(x, y) if x == y:
            return f"on the diagonal at {x}"
        case [Shape.POINT | Shape.LINE as shape, *rest]:
            return f"a {shape.name.lower()} and {len(rest)} more"
        case {"name": str(name), **rest}:
            return f"{name}, with {rest}"
        case _:
            return "something else"


def patterns():
    section("Pattern matching")
    for thing in (Vector(0), Vector(2, 2), [Shape.LINE, 1, 2],
                  {"name": "Ada", "born": 1815}, 42):
        print(f"  {describe(thing):30} {thing!r}")


def primes():
    composites = {}
    for n in itertools.count(2):
        if n not in composites:
            yield n
            composites[n * n] = [n]
        else:
            for p in composites.pop(n):
                composites.setdefault(n + p, []).append(p)


def averager():
    total = count = 0
    average = None
    while (value := (yield average)) is not None:
        total, count = total + value, count + 1
        average = total / count
    return count


def generators():
    section("Generators")
    print(list(itertools.islice(primes(), 12)))
    results = []

    def delegate():
        results.append((yield from averager()))

    coroutine = delegate()
    next(coroutine)
    print([coroutine.send(v) for v in (10, 20, 60)])
    with contextlib.suppress(StopIteration):
        coroutine.send(None)
    print("averaged", results[0], "values")


def errors():
    section("Errors")
    try:
        try:
            {}["missing"]
        except KeyError as error:
            raise LookupError("no such entry") from error
    except LookupError as error:
        error.add_note("seen in the tour")
        print(repr(error), "from", repr(error.__cause__), error.__notes__)
    try:
        raise ExceptionGroup("several", [ValueError("a"), TypeError("b"),
                                         ValueError("c")])
    except* ValueError as group:
        print("values:", [str(e) for e in group.exceptions])
    except* TypeError as group:
        print("types:", [str(e) for e in group.exceptions])


def memory():
    section("Memory")

    class Node:
        pass

    node, gone = Node(), []
    node.me = node
    weakref.finalize(node, gone.append, "collected")
    del node
    print("cycles found:", gc.collect() > 0, gone)


async def coroutines():
    section("Coroutines")

    async def worker(name, delay, log):
        for step in range(2):
            await asyncio.sleep(delay)
            log.append(f"{name}{step}")

    async def countdown(n):
        while n:
            yield n
            n -= 1

    log = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(worker("a", 0.01, log))
        tasks.create_task(worker("b", 0.015, log))
    print(sorted(log), [n async for n in countdown(3)])


def machine():
    section("The machine below")

    def add(a, b):
        return a + b

    dis.dis(add)
    frame = sys._getframe()
    print("in", frame.f_code.co_qualname, "called from",
          frame.f_back.f_code.co_qualname)


def main():
    for show in (values, functions, classes, patterns, generators, errors,
                 memory):
        show()
    asyncio.run(coroutines())
    machine()
    print("\n" + sys.version)


if __name__ == "__main__":
    main()
