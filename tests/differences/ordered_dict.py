"""`collections.OrderedDict` has no order besides the dict's own.

`dict.pop` and the like, called on one behind its back, leave it whole; in the
reference it raises KeyError when it is next looked through. It is also smaller.
"""
from collections import OrderedDict
od = OrderedDict(a=1, b=2)
dict.pop(od, "a")
try:
    print(list(od.items()))
except KeyError as e:
    print("KeyError:", e)
# krait: [('b', 2)]
# python3.11: KeyError: 'a'
