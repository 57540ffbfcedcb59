"""The arguments of KeyError and StopIteration, whatever the key is."""
import collections
import weakref
from types import MappingProxyType


class Ordered(collections.OrderedDict):
    pass


def show(text):
    try:
        exec(text)
    except BaseException as e:
        print(text, type(e).__name__, e.args)


for key in ("None", "(1, 2)", "()", "KeyError(3)"):
    for thing in ("{}", "globals()", "collections.OrderedDict()", "Ordered()",
                  "collections.defaultdict()", "MappingProxyType({})",
                  "weakref.WeakValueDictionary()", "collections.ChainMap()"):
        show(f"{thing}[{key}]")
        show(f"del {thing}[{key}]")
        show(f"{thing}.pop({key})")
    show(f"collections.OrderedDict().move_to_end({key})")
    show(f"{{1}}.remove({key})")
    show(f"'%({key})s' % {{}}")
    show(f"raise StopIteration({key})")
    show(f"def f():\n yield 1\n return {key}\ng = f(); next(g); next(g)")
