"""What the locale, UTF-8 mode and the environment make of the encodings."""
import re
import subprocess
import sys

SHOW = """
import locale, os, sys
print(sys.flags.utf8_mode, sys.flags.dev_mode, sys.getfilesystemencoding(),
      sys.getfilesystemencodeerrors())
print(*[(s.encoding, s.errors) for s in (sys.stdin, sys.stdout, sys.stderr)])
print(ascii(sys.argv[1]), ascii(os.fsdecode(b'\\xe9')), locale.getencoding(),
      locale.getpreferredencoding(), locale.setlocale(locale.LC_CTYPE),
      locale.setlocale(locale.LC_NUMERIC))
with open(0, closefd=False) as f:
    print(f.encoding)
print(os.environ.get('LC_CTYPE'))
"""

ENVIRONMENTS = [
    {},
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX"},
    {"LC_CTYPE": "C"},
    {"LANG": "C"},
    {"LC_ALL": "C", "PYTHONUTF8": "0"},
    {"LC_CTYPE": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_CTYPE": "C", "PYTHONCOERCECLOCALE": "warn"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "warn"},
    {"LC_ALL": "C.UTF-8"},
    {"LC_ALL": "nowhere"},
    {"PYTHONIOENCODING": "latin-1:replace"},
    {"PYTHONIOENCODING": ":replace"},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONUTF8": "1"},
    {"PYTHONUTF8": "2"},
    {"PYTHONDEVMODE": "1"},
    {"PYTHONMALLOC": "never"},
    {"PYTHONHASHSEED": "never"},
    {"PYTHONTRACEMALLOC": "never"},
    {"PYTHONINTMAXSTRDIGITS": "5"},
    {"PYTHONIOENCODING": "never"},
]

OPTIONS = [[], ["-X", "utf8"], ["-X", "utf8=0"], ["-X", "utf8=3"], ["-E"],
           ["-IXutf8"], ["-Xdev"], ["-Wignore", "-X", "utf8=0"],
           ["-X", "tracemalloc=2", "-X", "tracemalloc=x"]]


def show(environment, options):
    done = subprocess.run(
        [sys.executable, *options, "-c", SHOW, b"\xff\xc3\xa9"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    error = re.sub(rb"0x[0-9a-f]+", b"0x...", done.stderr)
    print(environment, options, done.returncode)
    print(done.stdout.decode("ascii"), end="")
    # what the fatal error says; the traceback is another matter
    print(error.decode("ascii").partition("\nTraceback")[0].splitlines()[:2])


for environment in ENVIRONMENTS:
    show(environment, [])
for options in OPTIONS:
    show({}, options)
    show({"LC_ALL": "C", "PYTHONUTF8": "0"}, options)
