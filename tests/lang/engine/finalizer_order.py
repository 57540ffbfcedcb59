"""A collection closes what a suspended generator holds before it looks at the
thing itself: its finally block runs first, wherever both are in memory."""
import gc
import warnings


def reader_with(locals_):
    """A generator function whose frames have a size of their own."""
    names = "".join(f"    v{i} = None\n" for i in range(locals_))
    scope = {}
    exec("def reader(name):\n" + names + "    f = open(name, 'rb')\n"
         "    try:\n        yield\n    finally:\n        f.close()\n", scope)
    return scope["reader"]


def leave_cycle(reader):
    gen = reader(__file__)
    next(gen)
    cycle = [gen]
    cycle.append(cycle)


gc.disable()
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for size in range(40):
        reader = reader_with(size)
        for i in range(20):
            leave_cycle(reader)
        gc.collect()
assert not seen, f"{len(seen)} files were found unclosed"
