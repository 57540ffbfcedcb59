"""Prints one digest of the code object of each file.

Run under krait and under the reference, the outputs are equal when every field
of every code object is: codeobjects.py [-O LEVEL] FILE...
"""
import hashlib
import sys
import types

FIELDS = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars",
          "co_flags", "co_stacksize", "co_firstlineno", "co_linetable",
          "co_exceptiontable", "co_name", "co_qualname", "co_argcount",
          "co_posonlyargcount", "co_kwonlyargcount", "co_nlocals")


def describe(value):
    """A text that differs when type or value differ, at any depth."""
    if isinstance(value, types.CodeType):
        parts = [f"{name}={getattr(value, name)!r}" for name in FIELDS]
        parts.append("co_consts=" + describe(value.co_consts))
        return "code(" + ";".join(parts) + ")"
    if isinstance(value, tuple):
        return "(" + ",".join(map(describe, value)) + ")"
    if isinstance(value, frozenset):
        return "{" + ",".join(sorted(map(describe, value))) + "}"
    return f"{type(value).__name__}:{value!r}"


def digest(path, optimize):
    with open(path, "rb") as f:
        source = f.read()
    try:
        code = compile(source, path, "exec", 0, True, optimize)
    except (SyntaxError, ValueError) as error:
        return f"{type(error).__name__}: {error.args!r}"
    return hashlib.sha256(describe(code).encode("utf-8",
                                                "backslashreplace")).hexdigest()


def main(args):
    optimize = 0
    if args[:1] == ["-O"]:
        optimize, args = int(args[1]), args[2:]
    import warnings
    warnings.simplefilter("ignore")
    for path in args:
        print(path, digest(path, optimize))


if __name__ == "__main__":
    main(sys.argv[1:])
