"""What remains of athrow() and aclose() when they are stepped by hand after
an exception came out, or with a value that is not None."""
import sys

sys.unraisablehook = lambda what: None  # some ignore GeneratorExit


async def swallowing(kind):
    while True:
        try:
            yield 1
        except kind:
            yield 2


def steps(awaitable, *steps):
    out = []
    for name, arg in steps:
        try:
            out.append(getattr(awaitable, name)(arg))
        except (Exception, GeneratorExit) as e:
            out.append(repr(e))
    return out


def started(kind):
    generator = swallowing(kind)
    steps(generator.asend(None), ("send", None))
    return generator


for kind in KeyError, ValueError, GeneratorExit:
    for make in swallowing, started:
        for name, args in (("aclose", ()), ("athrow", (ValueError,)),
                           ("athrow", (GeneratorExit,)), ("athrow", ())):
            for walk in (
                [("send", None), ("send", None), ("send", None)],
                [("send", 3), ("send", None)],
                [("throw", ValueError), ("send", None), ("send", None)],
                [("throw", GeneratorExit), ("throw", GeneratorExit)],
            ):
                generator = make(kind)
                awaitable = getattr(generator, name)(*args)
                print(kind.__name__, make.__name__, name, args, walk,
                      steps(awaitable, *walk), generator.ag_running)
                steps(generator.aclose(), ("send", None), ("send", None))
