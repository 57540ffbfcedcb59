"""Tracing that begins or ends in a function called by C code goes on, or has
ended, when that code returns."""
import sys

events = []


def tracer(frame, event, arg):
    events.append((frame.f_code.co_name, event))
    return tracer


def begin(x):
    sys.settrace(tracer)


def end(x):
    sys.settrace(None)


def traced():
    return 1


def untraced():
    return 2


def run():
    list(map(begin, [1]))
    traced()
    sorted([1], key=end)
    untraced()


run()
print(events)
assert ("traced", "return") in events
assert not any(name == "untraced" for name, event in events)
