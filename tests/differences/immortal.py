"""`sys.getrefcount` of `None`, small ints and other shared constants is huge.

They start at 2**60 references, so that no counting can ever free them.
"""
import sys
print(sys.getrefcount(None) >= 2 ** 60, sys.getrefcount(1) >= 2 ** 60,
      sys.getrefcount(()) >= 2 ** 60)
# krait: True True True
# python3.11: False False False
