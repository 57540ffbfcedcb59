"""`sys.getsizeof` of a `collections.deque` counts one ring, not blocks of 64.

An empty one has no buffer; any index is reached in constant time.
"""
import sys
from collections import deque
print(sys.getsizeof(deque()) < 100)
# krait: True
# python3.11: False
