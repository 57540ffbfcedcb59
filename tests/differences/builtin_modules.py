"""Other modules are built in.

Modules over third-party libraries are shared objects loaded on demand, those
without are in the program: `sys.builtin_module_names` lists what is.
"""
import sys
print("zlib" in sys.builtin_module_names, "_json" in sys.builtin_module_names)
# krait: False True
# python3.11: True False
