"""No header is included from a higher layer, what headers declare for other
files has a prefix, what other files define is declared in headers only, and
docs/instructions.md is made of src/vm/ops."""
import os
import re

ORDER = ["base", "memory", "objects", "code", "front", "vm", "jit", "runtime",
         "modules", "cli"]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+\.h)"')
PROTOTYPE = re.compile(
    r"^(?!static\b|typedef\b|return\b)\w[\w ]*[ *](\w+)\([^{};]*\);", re.M)
PREFIX = re.compile("kr_|_?Py")
FORWARD = re.compile(
    r"^(?!static\b|typedef\b|return\b|else\b|PyMODINIT)"
    r"(?:PyAPI_FUNC\([^)]*\)\s+|\w[\w ]*[ *])\(?(\w+)\)?\([^{};]*\);", re.M)


def violations(top):
    for folder, _, files in os.walk(os.path.join(top, "src")):
        layer = os.path.relpath(folder, os.path.join(top, "src")).split("/")[0]
        for name in files:
            if not name.endswith((".c", ".h")) or layer not in ORDER:
                continue
            path = os.path.join(folder, name)
            with open(path) as f:
                for number, line in enumerate(f, 1):
                    m = INCLUDE.match(line)
                    target = m and m.group(1).split("/")[0]
                    if target in ORDER and \
                            ORDER.index(target) > ORDER.index(layer):
                        yield (f"{os.path.relpath(path, top)}:{number}: "
                               f"{layer} includes {m.group(1)}")


def unprefixed(top):
    for folder, _, files in os.walk(os.path.join(top, "src")):
        for name in files:
            if not name.endswith(".h"):
                continue
            path = os.path.join(folder, name)
            with open(path) as f:
                for symbol in PROTOTYPE.findall(f.read()):
                    if not PREFIX.match(symbol):
                        yield f"{os.path.relpath(path, top)}: {symbol}"


def foreign(top):
    ops = os.path.join(top, "src", "vm", "ops") # no C yet
    for folder, _, files in os.walk(os.path.join(top, "src")):
        for name in files:
            if not name.endswith(".c") or folder == ops:
                continue
            path = os.path.join(folder, name)
            with open(path) as f:
                text = f.read()
            for symbol in FORWARD.findall(text):
                if not re.search(rf"^\(?{symbol}\)?\(", text, re.M):
                    yield f"{os.path.relpath(path, top)}: {symbol}"


def run(report, top):
    found = list(violations(top))
    report.add("headers come from lower layers",
               "\n".join(found) if found else None)
    found = list(unprefixed(top))
    report.add("functions that files share are kr_* or Py*",
               "\n".join(found) if found else None)
    found = list(foreign(top))
    report.add("functions of other files are declared in headers",
               "\n".join(found) if found else None)
    build = os.path.dirname(report.krait)
    made = f"{build}/gen/instructions.md"
    if os.path.exists(made):
        with open(made) as new, open(f"{top}/docs/instructions.md") as kept:
            same = new.read() == kept.read()
        report.add("docs/instructions.md is true",
                   None if same else f"copy {made} there")
