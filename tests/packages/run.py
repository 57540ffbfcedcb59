"""Programs and test suites of packages, under krait and under python3.11.

    tests/packages/run.py [--krait build/dev/krait] [-v] [NAME...]

Needs a network the first time: packages are fetched with pip from its
configured index into build/wheels and build/packages. Each program must print
the same and end with the same status under both, and each suite must have the
same count of passed, failed and skipped tests. Not part of `make test`.
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import tarfile
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
REFERENCE = "/usr/bin/python3.11"
FOLDER = f"{TOP}/build/packages"
LIBRARY = os.path.dirname(os.__file__)

# The last version of mypy that is Python alone.
PURE = ["pip", "black", "mypy==1.11.2", "mypy-extensions",
        "typing-extensions", "sympy", "mpmath", "click", "packaging",
        "pathspec", "platformdirs", "pytest", "iniconfig", "pluggy",
        "pygments", "attrs", "sortedcontainers"]
BINARY = ["pytokens", "hypothesis"]
# Packages over native code that others wrote, in C, C++, Cython and Rust.
USED = ["lxml", "psutil", "cffi", "pycparser", "greenlet", "cryptography",
        "pydantic", "annotated-types", "typing-inspection",
        "pillow", "regex", "orjson", "rpds-py", "tornado", "jinja2",
        "requests", "urllib3", "idna", "certifi", "charset-normalizer",
        "flask", "werkzeug", "itsdangerous", "blinker", "rich",
        "markdown-it-py", "mdurl", "pandas", "python-dateutil", "pytz",
        "tzdata", "six", "cython", "gevent", "zope.interface", "zope.event",
        "lz4", "coverage", "frozenlist", "multidict", "yarl", "propcache",
        "aiohttp", "aiosignal", "aiohappyeyeballs", "pydantic-core"]
USES = ["lxml", "psutil", "cffi", "greenlet", "cryptography", "pydantic",
        "pillow", "regex", "orjson", "rpds", "tornado", "jinja2", "flask",
        "requests", "rich", "pandas", "cython", "gevent", "zope", "lz4",
        "coverage", "aiohttp", "multidict"]
SOURCES = ["MarkupSafe", "ujson", "PyYAML", "msgpack"]

SYMPY = """if True:
    from sympy import *
    x, y = symbols("x y")
    f = Function("f")
    print(expand((x + y)**20))
    print(integrate(sin(x)*exp(x), x))
    print(factor(x**12 - 1), solve(x**3 - 2*x + 1), limit(sin(x)/x, x, 0))
    print(diff(sin(x**2), x, 3), series(exp(sin(x)), x, 0, 8))
    print(dsolve(f(x).diff(x) - f(x)), Matrix(3, 3, range(9)).eigenvals())
    print(pi.evalf(60), factorint(2**61 + 1))
"""
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
CASES = {
    "pip version": ["-m", "pip", "--version"],
    "pip list": ["-m", "pip", "list", "--path", f"{FOLDER}/site"],
    "pip show": ["-m", "pip", "show", "-f", "sympy"],
    "black version": ["-m", "black", "--version"],
    "black": ["-m", "black", "-q", "--diff", f"{LIBRARY}/textwrap.py"],
    "black check": ["-m", "black", "--check", f"{LIBRARY}/heapq.py"],
    "mypy": ["-m", "mypy", "--cache-dir=/dev/null", "--strict",
             f"{LIBRARY}/textwrap.py"],
    "mypy self": ["-m", "mypy", "--cache-dir=/dev/null",
                  f"{HERE}/run.py"],
    "sympy": ["-c", SYMPY],
    "markupsafe tests": [*PYTEST, "{markupsafe}/tests"],
    "simplejson tests": ["-m", "unittest", "simplejson.tests.all_tests_suite"],
    "ujson tests": [*PYTEST, "{ujson}/tests"],
    "msgpack tests": [*PYTEST, "{msgpack}/test"],
    "yaml tests": ["{pyyaml}/tests/legacy_tests/test_all.py"],
    "numpy umath tests": [*PYTEST, "--pyargs", "numpy._core.tests.test_umath"],
    "numpy multiarray tests": [*PYTEST, "--pyargs",
                               "numpy._core.tests.test_multiarray"],
}
CASES |= {f"use {name}": [f"{HERE}/uses.py", name] for name in USES}


def fetch():
    """Downloads and unpacks what is not there yet."""
    if not os.path.isdir(f"{TOP}/build/wheels/site"):
        subprocess.run([f"{TOP}/tools/fetch-wheels"], check=False)
    if os.path.exists(f"{FOLDER}/complete"):
        return
    os.makedirs(f"{FOLDER}/site", exist_ok=True)
    download = ["pip3", "download", "-q", "--no-deps",
                "--disable-pip-version-check"]
    wheels = [*download, "-d", f"{FOLDER}/wheels", "--only-binary=:all:",
              "--python-version", "3.11"]
    subprocess.run([*wheels, "--platform", "any", *PURE], check=True)
    subprocess.run([*wheels, "--platform", "manylinux2014_x86_64",
                    "--platform", "manylinux_2_28_x86_64", *BINARY, *USED],
                   check=True)
    for name in SOURCES:
        subprocess.run([*download, "-d", f"{FOLDER}/sources",
                        f"--no-binary={name}", name], check=True)
    for path in glob.glob(f"{FOLDER}/wheels/*.whl"):
        zipfile.ZipFile(path).extractall(f"{FOLDER}/site")
    for path in glob.glob(f"{FOLDER}/sources/*.tar.gz"):
        tarfile.open(path).extractall(f"{FOLDER}/sources")
    open(f"{FOLDER}/complete", "w").close()


def fill(arg):
    """{name} at the start of an argument: the folder of name's sources."""
    found = re.match(r"\{(\w+)\}", arg)
    if found is None:
        return arg
    folder = next(p for p in glob.glob(f"{FOLDER}/sources/*/")
                  if os.path.basename(p[:-1]).lower()
                  .startswith(found[1] + "-"))
    return folder.rstrip("/") + arg[found.end():]


def run(python, args, timeout):
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/tmp",
           "PYTHONPATH": f"{FOLDER}/site:{TOP}/build/wheels/site",
           "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0",
           "NO_COLOR": "1", "COLUMNS": "80"}
    start = time.time()
    try:
        done = subprocess.run([python, *map(fill, args)], env=env, text=True,
                              cwd=FOLDER, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None, "no end", timeout
    return done.returncode, done.stdout + done.stderr, time.time() - start


def essence(name, text):
    """The counts of a suite and the names of what failed; all of a program's
    output but times."""
    text = re.sub(r"\d+\.\d+ ?s(econds)?\b", "N s", text)
    text = re.sub(r"0x[0-9a-f]+", "0x...", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+", "TIME", text)
    if not name.endswith("tests"):
        return text
    lines = re.findall(r"^(?:.*\b(?:passed|failed|error|OK|Ran|TESTS|ERRORS"
                       r"|FAILURES|Passed|Skipped)\b.*|FAILED .*|ERROR .*)$",
                       text, re.M)
    return "\n".join(re.sub(r"^[.sxF]+(?=Passed)", "", line) for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--krait", default=f"{TOP}/build/dev/krait")
    parser.add_argument("--timeout", type=int, default=1800)
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    krait = os.path.abspath(args.krait)
    fetch()
    bad = 0
    for name, command in CASES.items():
        if args.names and not any(n in name for n in args.names):
            continue
        status, theirs, seconds = run(REFERENCE, command, args.timeout)
        mine_status, mine, mine_seconds = run(krait, command, args.timeout)
        theirs, mine = essence(name, theirs), essence(name, mine)
        alike = (status, theirs) == (mine_status, mine)
        bad += not alike
        print(f"{'ok  ' if alike else 'FAIL'}  {name}: {mine_seconds:.1f} s "
              f"(python3.11 {seconds:.1f} s)", flush=True)
        if args.verbose or not alike:
            print(f"python3.11: {status}\n{theirs[-3000:]}")
        if not alike:
            print(f"krait: {mine_status}\n{mine[-3000:]}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
