"""Programs of the standard library: same output and status as python3.11."""
import os
import re
import tempfile

import compare

SOURCE = '''"""A module to work on.

>>> add(1, 2)
3
"""
import unittest


def add(a, b):
    return a + b


def describe(name, value):
    return f"{name!r:>10} = {value:.3f} {value!s}"


class Case(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add(1, 2), 3)


if __name__ == "__main__":
    print(add(2, 3))
'''


def no_addresses(text):
    """Objects live where they like."""
    return re.sub(r"0x[0-9a-f]+", "0x...", text)


def no_times(text):
    """Takes out what differs from run to run."""
    text = re.sub(r"\\d+\\.\\d+ seconds", "N seconds", text)
    return re.sub(r"in \d+\.\d+s", "in Ns", text)


def cases(folder):
    mod = os.path.join(folder, "mod.py")
    data = os.path.join(folder, "data.json")
    archive = os.path.join(folder, "a.zip")
    yield "this", ["-m", "this"], {}
    yield "json.tool", ["-m", "json.tool", data], {}
    yield "json.tool bad", ["-m", "json.tool"], {"stdin": "{bad"}
    yield "dis", ["-m", "dis", mod], {"normalise": no_addresses}
    yield "ast", ["-m", "ast", mod], {}
    yield "tokenize", ["-m", "tokenize", mod], {}
    yield "calendar", ["-m", "calendar", "2024", "2"], {}
    yield "doctest", ["-m", "doctest", "-v", mod], {}
    yield "unittest", ["-m", "unittest", mod], {"normalise": no_times}
    yield "pdb", ["-m", "pdb", mod], {
        "stdin": "b add\nc\np __name__\nbt\nc\nq\n"}
    yield "zipfile", ["-m", "zipfile", "-l", archive], {}
    yield "compile error", ["-c", "x = (1,\ny = 2"], {}
    yield "traceback", ["-c", "def f(x):\n  return 1/x\nf(0)"], {}
    yield "exit code", ["-c", "import sys; sys.exit(3)"], {}
    yield "exit text", ["-c", "import sys; sys.exit('bye')"], {}
    yield "help", ["-c", "help(len)"], {}
    yield "stdin program", ["-"], {"stdin": "print(1 + 1)\n"}
    yield "folder", [os.path.join(folder, "app")], {}
    yield "zip program", [os.path.join(folder, "app.zip")], {}
    yield "optimised", ["-OO", "-c", "assert 0; print(__debug__)"], {}
    yield "warnings", ["-W", "error", "-c",
                       "import warnings; warnings.warn('x')"], {}
    yield "inspect", ["-i", "-q", "-c", "x = 5"], {
        "stdin": "print(x)\n", "check_stderr": False}


def prepare(folder):
    import zipfile
    with open(os.path.join(folder, "mod.py"), "w") as f:
        f.write(SOURCE)
    with open(os.path.join(folder, "data.json"), "w") as f:
        f.write('{"b": [1, 2.5, null, true], "a": {"x": "\\u00e9"}}')
    os.mkdir(os.path.join(folder, "app"))
    with open(os.path.join(folder, "app", "__main__.py"), "w") as f:
        f.write("import sys; print('main', sys.argv[1:], __name__)")
    with zipfile.ZipFile(os.path.join(folder, "app.zip"), "w") as z:
        z.write(os.path.join(folder, "app", "__main__.py"), "__main__.py")
    with zipfile.ZipFile(os.path.join(folder, "a.zip"), "w") as z:
        z.writestr(zipfile.ZipInfo("hello.txt", (2020, 1, 2, 3, 4, 6)), "hi")


def run(report, top):
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder)
        for name, args, options in cases(folder):
            report.add(name,
                       compare.difference(report.krait, args, **options))
