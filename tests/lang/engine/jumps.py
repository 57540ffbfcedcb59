"""Debuggers' jumps to lines whose instructions make the frame what it is."""
import sys


def generator():
    cell = 1
    inner = lambda: cell
    yield cell
    yield inner()


def function(n):
    total = 0
    for i in range(n):
        total += i
    get = lambda: total
    return get() + n


def with_star(*args, **kwargs):
    result = [args]
    result += [kwargs]
    return (lambda: result)()


async def coroutine():
    value = 1
    get = lambda: value
    return get()


def run(target, start, to):
    """Jumps once, from line `start` to `to`, both counted from the def."""
    first = target.__code__.co_firstlineno
    done = []

    def trace(frame, event, arg):
        if frame.f_code is not target.__code__:
            return None
        if event == "line" and frame.f_lineno == first + start and not done:
            try:
                frame.f_lineno = first + to
                done.append("jumped")
            except ValueError as e:
                done.append(str(e))
        return trace

    sys.settrace(trace)
    try:
        if target is coroutine:
            try:
                target().send(None)
            except StopIteration as e:
                result = e.value
        elif target is generator:
            result = list(target())
        else:
            result = target(3)
    except Exception as e:
        result = f"{type(e).__name__}: {e}"
    finally:
        sys.settrace(None)
    return done, result


for target, lines in ((generator, 5), (function, 6), (with_star, 4),
                      (coroutine, 4)):
    for start in range(1, lines):
        for to in range(lines):
            if start != to:
                print(target.__name__, start, to, *run(target, start, to))
