#!/usr/bin/python3.11
"""Source bytes with coding lines, line ends and NULs, both interpreters.

    sources.py [--krait KRAIT]

Each source is compiled as bytes and str and run as a script, some are also
piped to standard input and typed (-i). All that is written, and every field of a SyntaxError,
must be equal.
"""
import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
REFERENCE = "/usr/bin/python3.11"
FILLER = (b"# " + b"x" * 60 + b"\n") * 200
CODECS = ["latin-1", "cp1252", "utf-8", "ascii", "shift_jis", "euc-jp",
          "utf-16", "nope", "utf-8-sig", "rot13", "unicode_escape", "cp037"]
BODIES = [b"x = (\xe9,\n y\nz\n", b"'\xe9'\n\nx = 1 1\n'\xe9'\n",
          b"x = '''\xe9\n\n", b"print('a')\n", FILLER + b"'\x81'\nx = {\nq\n"]
SOURCES = [
    b"x=1\0\n", b"\0", b"x=1\n\0y=2\nprint(x)\n", b"x='a\0b'\nprint(x)\n",
    b"# a\0 print(3)\rprint(1)\nprint(2)\n", b"a = 1\0b\rprint(1)\n",
    b"print(1)\0print(2)", b"'''a\0b\nc\0'''\nprint(1)\n",
    b"#coding: latin-1\n#\0a\nprint('\xe9')\n", b"x = \\\0\n1\n",
    b"#!/\0\n#coding:latin-1\n'\xe9'\n", b"if 1:\n  x\0\n  y\n",
    b"x\n\0\n\0\n\0\nprint(1)\n", b"x=1\n\0\n\n\n", b'"""\n\0\n"""\n',
    b"x=1\n" * 30 + b"\0\nx y\n", b"\r\0\n\r\n\0x",
    b'"""' + b"a" * 20000 + b"\0" + b"b" * 20000 + b'"""\nprint(1)\n',
    b"\xff\xfe#\0\n\0", b"\xef\xbb", b"\xef\xbb\xbf", b"\xef\xbb\xbfprint(1)",
    b"\xef\xbb\xbf#coding:latin-1\n1", b"x='\xe9'", b"x = 1 +\n\xe9",
    b"# x\n# \xe9\n#coding: latin-1\n", b"# \xe9 coding: latin-1\n'\xe9'",
    b"# \xe9\n#coding: latin-1\n'\xe9'", b'\x0c# coding: latin-1\n"\xe9" x',
    b'"""x"""\n# coding: latin-1\nprint("\xe9")', b"#coding:ascii\xe9\n",
    b"#coding:" + b"a" * 100 + b"\n", b'#coding:latin-1\r"\xe9"\rx y',
    b"a = 1\rb = 2\rc\r", b"x = (1,\r\n y\r\n"]


def sources():
    return SOURCES + [b"#!/x\n# coding: " + codec.encode() + b"\n" + body
                      for codec in CODECS for body in BODIES]


# --- In the child ------------------------------------------------------------

FIELDS = ("msg", "filename", "lineno", "offset", "end_lineno", "end_offset",
          "text")


def outcome(call, *args):
    try:
        result = call(*args)
    except Exception as error:
        return [type(error).__name__, str(error),
                *(repr(getattr(error, name, None)) for name in FIELDS)]
    return result if isinstance(result, str) else repr(result.co_names)


def answers(path):
    with open(path, "rb") as f:
        data = f.read()
    for name in ("/nowhere.py", path):
        yield outcome(compile, data, name, "exec")
        yield outcome(compile, data, name, "single")
        yield outcome(compile, data.decode("latin-1"), name, "exec")
    yield outcome(compile, data, path, "eval")
    yield outcome(lambda: ast.dump(ast.parse(data)))


# What every child does with an error that ends it.
HOOK = f"""
import sys
def show_fields(kind, error, traceback):
    if isinstance(error, SyntaxError):
        print([getattr(error, name) for name in {FIELDS}], file=sys.stderr)
    sys.__excepthook__(kind, error, traceback)
sys.excepthook = show_fields
"""


# --- Asking ------------------------------------------------------------------

def run(python, args, data=b""):
    child = subprocess.run(
        [python, *args], input=data, capture_output=True, timeout=60,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd(),
             "PYTHONDONTWRITEBYTECODE": "1"})
    errors = re.sub(r"\A(Python|Krait) .*\n.*\n", "",
                    child.stderr.decode("utf-8", "replace"))
    return [child.returncode, child.stdout.decode("utf-8", "replace"), errors]


def ask(python, paths):
    found = {}
    inside = run(python, [HERE + "/sources.py", "--answer", *paths])
    found["compiled"] = json.loads(inside[1])
    for i, path in enumerate(paths):
        with open(path, "rb") as f:
            data = f.read()
        found[path] = [run(python, [path])]
        if i < len(SOURCES):
            found[path] += [run(python, ["-"], data),
                            run(python, ["-i"], data)]
    return found


def first_line_shown(theirs, ours, data):
    """Is all equal but the text, which is the reference's first line of
    decoded bytes? It finds the line by comparing addresses in two buffers."""
    return len(theirs) == 9 and theirs[:8] == ours[:8] and \
        ast.literal_eval(theirs[8]) == data.splitlines()[0].decode()


def compare(krait):
    """(number equal, [(name, source, theirs, ours)])"""
    made, different = sources(), []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("sitecustomize.py", "w", encoding="ascii") as f:
            f.write(HOOK)
        paths = [f"{folder}/s{i}.py" for i in range(len(made))]
        for path, data in zip(paths, made):
            with open(path, "wb") as f:
                f.write(data)
        ours, theirs = ask(krait, paths), ask(REFERENCE, paths)
        os.chdir("/")
    for i, (path, data) in enumerate(zip(paths, made)):
        pairs = list(zip(theirs["compiled"][i], ours["compiled"][i]))
        pairs = [(a, b) for a, b in pairs
                 if a != b and not first_line_shown(a, b, data)]
        pairs += [(a, b) for a, b in zip(theirs[path], ours[path]) if a != b]
        different += [(i, data, a, b) for a, b in pairs[:1]]
    return len(made) - len(different), different


def main():
    if sys.argv[1:2] == ["--answer"]:
        return print(json.dumps([list(answers(path))
                                 for path in sys.argv[2:]]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--krait", default=TOP + "/build/dev/krait")
    equal, different = compare(parser.parse_args().krait)
    for i, data, theirs, ours in different:
        print(f"== {i} {data[:60]!r}\n  python {theirs}\n  krait  {ours}")
    print(f"{equal} of {len(sources())} sources give the same")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
