"""Trains the front end: compiles part of the library, given a scale, and makes
trees of some of it. Prints how many code objects came out."""
import ast
import os
import sys
import types


def count(code):
    return 1 + sum(count(c) for c in code.co_consts if isinstance(c, types.CodeType))


def main():
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1
    top = os.path.dirname(os.__file__)
    names = sorted(n for n in os.listdir(top) if n.endswith(".py"))
    names += ["asyncio/" + n for n in sorted(os.listdir(top + "/asyncio")) if n.endswith(".py")]
    names = names[::max(1, round(0.3 / scale))]
    total = 0
    for i, name in enumerate(names):
        with open(os.path.join(top, name), "rb") as f:
            text = f.read()
        total += count(compile(text, name, "exec", dont_inherit=True))
        if i % 8 == 0:
            ast.parse(text)
    print("compile_library", total)


main()
