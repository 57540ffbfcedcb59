"""`sys.getsizeof` of an instance's `__dict__` differs.

It has a table of its own as soon as it is asked for; in the reference it shares
keys with other instances until a key is deleted, and grows then.
"""
import sys


class A:
    def __init__(self):
        self.x, self.y, self.z = 1, 2, 3


attributes = A().__dict__
before = sys.getsizeof(attributes)
attributes.popitem()
print(sys.getsizeof(attributes) > before)
# krait: False
# python3.11: True
