"""Which of CPython's test modules can't be imported, and why.

    imports.py --python build/dev/krait [--list FILE] [-j JOBS] [MODULE...]

Each module of the list (public.txt) is imported by python3.11 and by the
interpreter under test, each time in a process of its own. Prints those that
end differently, and the number of those that end alike. Exit status 1 when a
module that the reference imports can't be.
"""
import argparse
import concurrent.futures
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE = "/usr/bin/python3.11"
IMPORT = """if True:
    import importlib, sys
    try:
        importlib.import_module(sys.argv[1])
    except BaseException as e:
        print(type(e).__name__ + ":", e)
    else:
        print("imported")
"""


def outcome(python, module, timeout=120):
    """The last line that the import prints, or how the process ended."""
    try:
        done = subprocess.run(
            [python, "-W", "ignore", "-c", IMPORT, module], text=True,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
            errors="replace")
    except subprocess.TimeoutExpired:
        return f"no end after {timeout} s"
    if done.returncode or not done.stdout.strip():
        return f"status {done.returncode} {done.stderr[-200:]}".strip()
    return done.stdout.strip().splitlines()[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default="build/dev/krait")
    parser.add_argument("--list", default=os.path.join(HERE, "public.txt"))
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("modules", nargs="*")
    args = parser.parse_args()
    python = os.path.abspath(args.python)
    modules = args.modules
    if not modules:
        with open(args.list) as f:
            modules = [line.strip() for line in f
                       if line.strip() and not line.startswith("#")]

    def both(module):
        return module, outcome(REFERENCE, module), outcome(python, module)

    alike, lost = 0, 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for module, theirs, mine in pool.map(both, modules):
            alike += mine == theirs
            lost += theirs == "imported" != mine
            if mine != theirs:
                print(f"{module}\n  python3.11: {theirs}\n  {python}: {mine}",
                      flush=True)
    print(f"{len(modules)} modules, {alike} end alike, {lost} that "
          "python3.11 imports fail")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
