"""`sys.getsizeof` of a class written in Python gives a smaller number.

The table of its instances' attributes belongs to the class's shape, which
classes share, not to the class object.
"""
import sys
print(sys.getsizeof(type("A", (), {})) < 1100)
# krait: True
# python3.11: False
