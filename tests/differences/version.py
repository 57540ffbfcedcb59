"""`sys.version` and `platform` name Krait as the builder.

Programs that parse `sys.version` find the same shape. `sys.implementation`
says `cpython`, since wheels, caches and packages are chosen by that name, and
has one attribute more, `krait`, by which a program can tell.
"""
import platform
import sys
print("Krait" in sys.version)
print(hasattr(sys.implementation, "krait"))
print(platform.python_implementation(), sys.implementation.name)
# krait: True
# krait: True
# krait: CPython cpython
# python3.11: False
# python3.11: False
# python3.11: CPython cpython
