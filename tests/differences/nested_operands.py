"""Source nested nearly 200 brackets deep compiles where the reference gives up.

The reference ends with MemoryError ("too many nested parentheses" comes at 200)
when 6,000 rules of its grammar are open; ours opens fewer rules between two
brackets. Chains of thousands of unary operators or `**`, without brackets, end
with MemoryError in one and RecursionError in the other.
"""
try:
    print(eval("(1 < 1 | -1 ** " * 199 + "1" + ")" * 199))
except MemoryError:
    print("MemoryError")
# krait: False
# python3.11: MemoryError
