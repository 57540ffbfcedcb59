"""_lsprof: counts, times and names, with a timer that ticks once a call."""
import _lsprof
import sys
from itertools import count


def name(code):
    return getattr(code, "co_name", code)


def report(profiler):
    for entry in sorted(profiler.getstats(), key=lambda e: name(e.code)):
        print(name(entry.code), *entry[1:5])
        for sub in sorted(entry.calls or (), key=lambda e: name(e.code)):
            print("   ", name(sub.code), *sub[1:])


def descend(n):
    if n:
        descend(n - 1)
        largest(n)
    return len([n])


def largest(n):
    return max([n, 1])


class Base:
    @staticmethod
    def static(x):
        return x

    def __len__(self):
        return 3


def work():
    descend(3)
    [].append(1)
    str.join("", [])
    dict.fromkeys([])
    int.from_bytes(b"", "big")
    "x".upper()
    Base.static(1)
    len(Base())
    sum(i for i in range(3))
    try:
        [].index(3)
    except ValueError:
        pass
    sys.exc_info()


ticks = count()
for options in ({}, {"subcalls": False}, {"builtins": False}):
    profiler = _lsprof.Profiler(lambda: next(ticks), 0.5, **options)
    profiler.enable()
    work()
    profiler.disable()
    print(options)
    report(profiler)
    profiler.clear()
    print(profiler.getstats())

# what runs when the measuring ends counts as ended; what ran before is not seen
profiler = _lsprof.Profiler(lambda: next(ticks))


def outer():
    profiler.enable()
    largest(1)


def inner():
    largest(2)
    profiler.disable()


outer()
inner()
report(profiler)
print(type(profiler.getstats()[0]).__name__, len(profiler.getstats()[0]))

for text in ("P(1, 2, 3, 4, 5)", "P(bad=1)", "P(None, 'x')", "P(builtins=[])",
             "P().enable(1, 2, 3)", "P().enable('a')", "P().disable(1)",
             "P().getstats(1)", "P().getstats(a=1)", "P().clear(1)"):
    try:
        print(text, eval(text, {"P": _lsprof.Profiler}))
    except TypeError as e:
        print(text, e)
sys.setprofile(None)

# a timer that fails is reported, and the time is 0
seen = []
sys.unraisablehook = lambda u: seen.append((u.exc_type, str(u.exc_value)))
profiler = _lsprof.Profiler(lambda: "late")
profiler.enable()
len("a")
profiler.disable()
print(set(seen), [e[1:5] for e in profiler.getstats()])
