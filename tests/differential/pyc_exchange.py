"""Each interpreter imports the .pyc files that the other one wrote.

    pyc_exchange.py [--krait build/dev/krait] [--all] [NAME...]

The library's sources (a sample of its modules and packages, all with --all, or
the top-level NAMEs) are compiled by one interpreter and deleted; then both
import each module from the .pyc files alone, each in a process of its own, and
must end alike: imported with the same names, or the same exception. The same
again with the roles exchanged. Exit status 1 when anything differs.
"""
import argparse
import glob
import os
import shutil
import subprocess
import sys
import tempfile

REFERENCE = "/usr/bin/python3.11"
LIBRARY = os.path.dirname(os.__file__)
SKIPPED = {"test", "tests", "idle_test", "__pycache__", "lib-dynload",
           "site-packages", "dist-packages", "sitecustomize.py"}
BIG = {"encodings", "idlelib", "lib2to3", "distutils", "asyncio"}

COMPILE = """if True:
    import compileall, os, sys
    if not compileall.compile_dir(sys.argv[1], quiet=1, legacy=True, force=1):
        sys.exit("not everything compiles")
    for folder, _, files in os.walk(sys.argv[1]):
        for name in files:
            if name.endswith(".py"):
                os.remove(os.path.join(folder, name))
"""

# Tells how the import of each module named on stdin ends, in a child process
# that has not imported it before, neither from a source nor frozen.
IMPORT = """if True:
    import posix, signal, sys
    folder, alone = sys.argv[1], sys.argv[2] == "alone"
    names = sys.stdin.read().split()
    sys.path[:] = [folder] + [p for p in sys.path
                              if p.endswith("lib-dynload") or not alone]
    sys.meta_path[:] = [m for m in sys.meta_path
                        if getattr(m, "__name__", "") != "FrozenImporter"]
    sys.argv = ["program"]

    def outcome(name):
        top = name.partition(".")[0]
        for key in [k for k in sys.modules if k.partition(".")[0] == top]:
            if not key.startswith("importlib._"):
                del sys.modules[key]
        try:
            __import__(name)
            module = sys.modules[name]
            if not str(module.__file__).startswith(folder):
                return "from elsewhere: " + str(module.__file__)
        except BaseException as e:
            return type(e).__name__ + ": " + str(e)
        return "imported " + " ".join(sorted(map(str, vars(module))))

    def in_child(name):
        r, w = posix.pipe()
        pid = posix.fork()
        if pid == 0:
            null = posix.open("/dev/null", posix.O_RDWR)
            for fd in range(3):
                posix.dup2(null, fd)
            signal.alarm(120)
            text = outcome(name).encode("utf-8", "backslashreplace")
            while text:
                text = text[posix.write(w, text):]
            posix._exit(0)
        posix.close(w)
        said = b""
        while chunk := posix.read(r, 1 << 16):
            said += chunk
        posix.close(r)
        status = posix.waitpid(pid, 0)[1]
        return said.decode() if status == 0 else f"status {status}"

    for name in names:
        print(name, in_child(name).replace("\\n", " "), flush=True)
"""


def top_level(everything, wanted):
    """The entries of the library to take."""
    entries = [e for e in sorted(os.listdir(LIBRARY)) if e not in SKIPPED and (
        e.endswith(".py") or glob.glob(f"{LIBRARY}/{e}/*.py"))]
    if wanted:
        return [e for e in entries if e.removesuffix(".py") in wanted]
    if everything:
        return entries
    return [e for e in entries if e not in BIG][::9]


def copy_sources(entries, target):
    """Copies them and returns the names of their modules."""
    names = []
    for entry in entries:
        source = os.path.join(LIBRARY, entry)
        if entry.endswith(".py"):
            shutil.copy(source, target)
            names.append(entry[:-3])
            continue
        shutil.copytree(source, os.path.join(target, entry), symlinks=False,
                        ignore=lambda _, files: SKIPPED.intersection(files))
        for folder, _, files in os.walk(os.path.join(target, entry)):
            package = os.path.relpath(folder, target).replace("/", ".")
            for name in files:
                if name.endswith(".py"):
                    names.append(f"{package}.{name[:-3]}"
                                 .removesuffix(".__init__"))
    return sorted(n for n in names if all(map(str.isidentifier, n.split("."))))


def run(python, script, *args, stdin=""):
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "BROWSER": "true",
           "TMPDIR": tempfile.gettempdir(), "HOME": "/nonexistent"}
    env |= {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
    done = subprocess.run([python, "-S", "-B", "-W", "ignore", "-c", script,
                           *args], input=stdin, text=True, env=env,
                          capture_output=True)
    if done.returncode:
        sys.exit(f"{python}: {done.stdout}{done.stderr}")
    return done.stdout


def exchange(writer, readers, entries, alone):
    """Differences between the readers of what the writer compiled."""
    with tempfile.TemporaryDirectory() as folder:
        names = copy_sources(entries, folder)
        run(writer, COMPILE, folder)
        said = [dict(line.split(" ", 1) for line in
                     run(reader, IMPORT, folder, alone,
                         stdin="\n".join(names)).splitlines())
                for reader in readers]
    different = [f"{name}\n  {said[0].get(name, '')[:600]}\n"
                 f"  {said[1].get(name, '')[:600]}"
                 for name in names if said[0].get(name) != said[1].get(name)]
    imported = sum(said[1].get(n, "").startswith("imported") for n in names)
    print(f"written by {os.path.basename(writer)}: {len(names)} modules, "
          f"{len(names) - len(different)} end alike, "
          f"{os.path.basename(readers[1])} imports {imported}", flush=True)
    return different


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--krait", default="build/dev/krait")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    krait = os.path.abspath(args.krait)
    entries = top_level(args.all, args.names)
    alone = "alone" if args.all else "with library"
    different = exchange(REFERENCE, (REFERENCE, krait), entries, alone)
    different += exchange(krait, (krait, REFERENCE), entries, alone)
    print("\n".join(different))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
