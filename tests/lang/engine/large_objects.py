"""The collector and objects that are too large for its pools."""
import gc

gc.disable()


class Holder:
    pass


holder = Holder()
gc.collect()

# Many short-lived tuples come and go at one address; then one that is part of
# a cycle lives there. What it shares with the living must stay as it is.
items = [None] * 1000
for i in range(50):
    items[0] = []
    tuple(items)
items[0] = cycle = []
items[1] = holder.shared = ["alive"]
cycle.append(tuple(items))
items.clear()
del cycle
print(gc.collect(0), holder.shared)

# Tuples of untracked things and dicts of them are followed no longer once
# they have survived.
plain = tuple(str(i) for i in range(1000))
mixed = plain + ([],)
print(gc.is_tracked(plain), gc.is_tracked(mixed))
gc.collect()
print(gc.is_tracked(plain), gc.is_tracked(mixed))

# One that is resized while it is built.
print(len(tuple(i for i in range(5000))), gc.collect() >= 0)
