"""Programs of the standard library: same output and status as python3.11."""
import os
import re
import subprocess
import tempfile

import compare
import sanitizers

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


# A module without imports, for what looks at each call.
PLAIN = '''"""A plain module."""

LIMIT = 3


def fib(n):
    """The n-th number of Fibonacci."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def squares(n):
    for i in range(n):
        yield i * i


def main():
    total = sum(squares(LIMIT))
    try:
        [].index(total)
    except ValueError as e:
        print(e)
    print(fib(5), total, sorted([3, 1, 2]), max(squares(4)))


if __name__ == "__main__":
    main()
'''

# Commands for pdb on that module.
DEBUGGING = """b fib
b squares, n > 3
tbreak 17
c
args
where
c
p n
pp locals()
condition 1 n == 1
return
retval
c
cl 2
y
c
q
step
until
next
list
ll
longlist
whatis fib
source fib
display len("ab")
!x = 3
p x
p 1/0
jump 1
alias pi p %1 + 1
pi 4
pi x
commands 1
silent
p "there"
end
b
ignore 1 1
disable 1
enable 1
down
up
up
interact
x
exceptions
unalias pi
run
q
"""


def no_addresses(text):
    """Objects live where they like."""
    return re.sub(r"0x[0-9a-f]+", "0x...", text)


def no_times(text):
    """Takes out what differs from run to run."""
    text = re.sub(r"[\d.]+ ([nmu]?sec)", r"N \1", text)
    return re.sub(r"in \d+\.\d+s", "in Ns", text)


def no_numbers(text):
    """Without the times that profilers print; equal names in any order."""
    text = re.sub(r"\d+\.\d+", "N", no_addresses(text))
    return "\n".join(sorted(text.splitlines()))


def cases(folder):
    mod = os.path.join(folder, "mod.py")
    plain = os.path.join(folder, "plain.py")
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
    yield "timeit", ["-m", "timeit", "-n", "2", "-r", "1", "-s", "x=1", "-u",
                     "usec", "x+1"], {"normalise": no_times}
    yield "timeit error", ["-m", "timeit", "1/0"], {}
    yield "cProfile", ["-m", "cProfile", "-s", "name", plain], {
        "normalise": no_numbers}
    yield "cProfile module", ["-m", "cProfile", "-s", "name", "-m", "plain"], {
        "normalise": no_numbers, "env": {"PYTHONPATH": folder}}
    yield "profile", ["-m", "profile", "-s", "name", plain], {
        "normalise": no_numbers}
    yield "trace", ["-m", "trace", "--trace", plain], {}
    yield "trace calls", ["-m", "trace", "--trackcalls", plain], {}
    yield "json.tool sorted", ["-m", "json.tool", "--sort-keys", "--no-indent",
                               "--no-ensure-ascii", data], {}
    yield "pdb long", ["-m", "pdb", plain], {"stdin": DEBUGGING}
    yield "ensurepip", ["-m", "ensurepip", "--version"], {
        "check_stderr": False}
    yield "locale", ["-m", "locale"], {}
    yield "base64", ["-m", "base64", "-t"], {}
    yield "pickletools", ["-m", "pickletools", "-a", "-m",
                          os.path.join(folder, "data.pickle")], {}
    yield "symtable", ["-m", "symtable", mod], {}
    yield "pyclbr", ["-m", "pyclbr", mod], {}
    yield "pydoc", ["-m", "pydoc", "plain"], {"env": {"PYTHONPATH": folder}}
    yield "inspect module", ["-m", "inspect", "--details", "json:dumps"], {}
    yield "inspect", ["-i", "-q", "-c", "x = 5"], {
        "stdin": "print(x)\n", "check_stderr": False}


def sessions(folder):
    """Name and steps; a step is arguments, or (program, arguments)."""
    env = "import sys, sysconfig, site; " \
        "print(sys.prefix, sys.exec_prefix, sys.base_prefix, sys.path[-1]);" \
        "print(sysconfig.get_paths(), site.PREFIXES, site.ENABLE_USER_SITE)"
    yield "tarfile", [
        ["-m", "tarfile", "-v", "-c", "a.tar.gz", folder + "/mod.py",
         folder + "/app"],
        ["-m", "tarfile", "-e", "a.tar.gz", "out"],
        ["-c", "import os; print(sorted(map(str, os.walk('out'))))"],
        ["-m", "tarfile", "-l", "a.tar.gz"],
        ["-m", "tarfile", "-l", folder + "/mod.py"]]
    yield "zipapp", [
        ["-m", "zipapp", folder + "/app", "-o", "x.pyz", "-p", "/bin/python"],
        ["-m", "zipapp", "--info", "x.pyz"],
        ["x.pyz", "one", "two"],
        ["-m", "zipapp", "x.pyz", "-o", "x.pyz"]]
    yield "venv", [
        ["-m", "venv", "--without-pip", "env"],
        ("env/bin/python", ["-c", env]),
        ("env/bin/python3", ["-I", "-c", env]),
        ["-m", "venv", "--without-pip", "--system-site-packages", "env2"],
        ("env2/bin/python", ["-c", env]),
        ["-m", "venv", "--without-pip", "--upgrade", "env"],
        ("env/bin/python", ["-c", "import sys; print(sys.prefix)"])]
    yield "compileall", [
        ["-m", "compileall", "-f", folder],
        ["-m", "compileall", "-b", "-q", "-o", "0", "-o", "2", folder],
        ["-m", "compileall", "-f", "-d", "/virtual", "-r", "1", folder],
        ["-m", "py_compile", folder + "/mod.py", folder + "/data.json"],
        [folder + "/mod.pyc"]]
    yield "cProfile file", [
        ["-m", "cProfile", "-o", "out.prof", folder + "/plain.py"],
        ["-c", "import pstats; s = pstats.Stats('out.prof'); "
         "print(s.total_calls, s.prim_calls, sorted(s.stats))"],
        ["-m", "pstats", "nothing.prof"]]


def session(python, steps, start):
    """What the steps print, one after the other in one folder."""
    said = []
    with tempfile.TemporaryDirectory() as home:
        for step in steps:
            program, args = step if isinstance(step, tuple) else (python, step)
            done = subprocess.run(
                [os.path.join(home, program), *args], cwd=home, text=True,
                input="", capture_output=True, timeout=120,
                env=compare.environment(home) | {"PYTHONPYCACHEPREFIX": home})
            text = f"{args}\n{done.returncode}\n{done.stdout}{done.stderr}"
            said.append(text.replace(home, "~").replace(start, "START"))
    return re.sub(r"/\S*/(krait|python3\.11)\b", "PYTHON", "".join(said))


def session_difference(krait, steps, start):
    import difflib
    mine = session(krait, steps, start).splitlines()
    theirs = session(compare.REFERENCE, steps, start).splitlines()
    lines = list(difflib.unified_diff(theirs, mine, "python3.11", "krait",
                                      lineterm="", n=1))
    return "\n".join(lines) or None


def fetch(server, client, folder):
    """The pages that one program serves and another one fetches."""
    script = """if True:
        import sys, urllib.request, urllib.error
        for name in ("", "mod.py", "app/", "data.json", "nothing"):
            try:
                with urllib.request.urlopen(sys.argv[1] + name) as page:
                    print(page.status, page.headers["Content-Type"],
                          page.headers["Content-Length"], page.read())
            except urllib.error.HTTPError as e:
                print(e.code, e.read())
        """
    env = compare.environment(folder)
    process = subprocess.Popen(
        [server, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1",
         "--directory", folder], stdout=subprocess.PIPE, text=True, env=env,
        stderr=subprocess.PIPE)
    try:
        address = re.search(r"http://\S+/", process.stdout.readline())[0]
        pages = subprocess.run([client, "-c", script, address], text=True,
                               env=env, capture_output=True, timeout=60)
    finally:
        process.terminate()
        log = process.communicate(timeout=60)[1]
    return (pages.returncode, pages.stdout, pages.stderr,
            re.sub(r"\[.*?\]", "[time]", log))


def prepare(folder):
    import pickle
    import zipfile
    with open(os.path.join(folder, "data.pickle"), "wb") as f:
        pickle.dump({"a": [1, 2.5, None, (True, "x")], "b": {3}}, f)
    with open(os.path.join(folder, "mod.py"), "w") as f:
        f.write(SOURCE)
    with open(os.path.join(folder, "plain.py"), "w") as f:
        f.write(PLAIN)
    with open(os.path.join(folder, "data.json"), "w") as f:
        f.write('{"b": [1, 2.5, null, true], "a": {"x": "\\u00e9"}}')
    os.mkdir(os.path.join(folder, "app"))
    with open(os.path.join(folder, "app", "__main__.py"), "w") as f:
        f.write("import sys; print('main', sys.argv[1:], __name__)")
    with zipfile.ZipFile(os.path.join(folder, "app.zip"), "w") as z:
        z.write(os.path.join(folder, "app", "__main__.py"), "__main__.py")
    with zipfile.ZipFile(os.path.join(folder, "a.zip"), "w") as z:
        z.writestr(zipfile.ZipInfo("hello.txt", (2020, 1, 2, 3, 4, 6)), "hi")


def pyc_exchange(krait, top):
    """A sample; `pyc_exchange.py --all` takes the whole library."""
    done = subprocess.run(
        [compare.REFERENCE, f"{top}/tests/differential/pyc_exchange.py",
         "--krait", krait], text=True, capture_output=True, timeout=600,
        env=os.environ | sanitizers.environment())
    return done.stdout + done.stderr if done.returncode else None


def run(report, top):
    report.add("each imports the .pyc files of the other",
               pyc_exchange(report.krait, top))
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder)
        for name, args, options in cases(folder):
            report.add(name,
                       compare.difference(report.krait, args, **options))
        for name, steps in sessions(folder):
            report.add(name, session_difference(report.krait, steps, folder))
        theirs = fetch(compare.REFERENCE, compare.REFERENCE, folder)
        for server, client in ((report.krait, compare.REFERENCE),
                               (compare.REFERENCE, report.krait),
                               (report.krait, report.krait)):
            mine = fetch(server, client, folder)
            report.add(f"http.server of {os.path.basename(server)} for "
                       f"{os.path.basename(client)}",
                       None if mine == theirs else f"{mine}\n{theirs}")
