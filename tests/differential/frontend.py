#!/usr/bin/python3.11
"""Asks both interpreters what they make of source files, and counts.

    frontend.py [--krait KRAIT] [--questions A,B] [--every N] [PATH...]

PATH is a file or a folder, by default the standard library with its tests. The
questions are those of questions.py; "marshal" is asked in both directions. Each
interpreter runs once for all files. Ends with one line a question, and exits
with 1 when a file differs.
"""
import argparse
import collections
import glob
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
REFERENCE = "/usr/bin/python3.11"
LIBRARY = "/usr/lib/python3.11"
CODE = ["code0", "code1", "code2", "marshal"]
MODES = ["single", "eval", "await", "annotations", "future", "typecomments",
         "functypes", "versions"]
TREES = ["tree", "tokens", "symbols", "unparse", "dis"]
ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "COLUMNS": "80",
               "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def sources(paths, every=1):
    """The .py files of the folders, without doubles."""
    found = []
    for path in paths:
        if os.path.isdir(path):
            path = os.path.abspath(path)
            found += sorted(glob.glob(path + "/**/*.py", recursive=True,
                                      include_hidden=True))
        else:
            found.append(path)
    files = [f for f in dict.fromkeys(found) if os.path.isfile(f)]
    return files[::every]


def start(python, args):
    out = tempfile.TemporaryFile()
    return out, subprocess.Popen([python, f"{HERE}/questions.py", *args],
                                 stdout=out, stderr=subprocess.STDOUT,
                                 env=ENVIRONMENT)


def answers(out, process):
    """{(question, file): digest}; what is no answer goes under None."""
    process.wait()
    found = {}
    out.seek(0)
    text = out.read().decode("utf-8", "backslashreplace")
    out.close()
    for line in text.splitlines():
        parts = line.replace("\\ ", "\0").split(" ")
        if len(parts) == 3 and len(parts[2]) == 64:
            found[parts[0], parts[1].replace("\0", " ")] = parts[2]
        else:
            found[None, "output"] = found.get((None, "output"), "") + line
    if process.returncode:
        found[None, "end"] = f"exit status {process.returncode}"
    return found


def pair(krait, questions, listing, options=((), ())):
    """What each says to the questions, both at work at once."""
    processes = [start(python, [*extra, questions, "@" + listing])
                 for python, extra in zip((krait, REFERENCE), options)]
    return [answers(*process) for process in processes]


def ask(krait, questions, listing):
    """(equal, [(question, file)] that differ), both by question."""
    equal, different = collections.Counter(), []

    def judge(mine, theirs, rename):
        for key, digest in theirs.items():
            if mine.get(key) == digest:
                equal[rename(key[0])] += 1
            else:
                different.append((rename(key[0]), key[1]))
        different.extend((rename(key[0]), f"{key[1]}: {mine[key]}"[:300])
                         for key in mine if key not in theirs)

    plain = [q for q in questions if q != "marshal"]
    if plain:
        judge(*pair(krait, ",".join(plain), listing), str)
    if "marshal" in questions:
        with tempfile.TemporaryDirectory() as folder:
            names = [("--marshal", folder, name) for name in ("ours", "theirs")]
            judge(*pair(krait, "dump", listing, names), lambda q: "dump")
            ours, back = pair(krait, "load", listing, names)
            away, theirs = pair(krait, "load", listing, names[::-1])
            judge(ours, theirs, lambda q: "marshal")
            judge(away, theirs, lambda q: "marshal, theirs read by us")
            judge(back, theirs, lambda q: "marshal, ours read by them")
            judge(ours, back, lambda q: "marshal, ours read by both")
    return equal, different


def count(krait, questions, files):
    """As ask(), for a list of files."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listing:
        listing.write("\n".join(files) + "\n")
        listing.flush()
        return ask(krait, questions, listing.name)


def compare(krait, questions, files):
    """Prints counts, returns lines about what differs."""
    equal, different = count(krait, questions, files)
    bad = collections.Counter(question for question, _ in different)
    for question in dict.fromkeys([*equal, *bad]):
        print(f"   {question}: {equal[question]} equal, {bad[question]} "
              f"different", flush=True)
    return [f"{question} {name}" for question, name in different]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--krait", default=TOP + "/build/dev/krait")
    parser.add_argument("--questions", default="all",
                        help="with commas; or code, modes, trees, all")
    parser.add_argument("--every", type=int, default=1,
                        help="take each N-th file only")
    parser.add_argument("paths", nargs="*", default=[LIBRARY])
    args = parser.parse_args()
    groups = {"code": CODE, "modes": MODES, "trees": TREES,
              "all": CODE + MODES + TREES}
    questions = [q for name in args.questions.split(",")
                 for q in groups.get(name, [name])]
    files = sources(args.paths, args.every)
    print(f"{len(files)} files")
    different = compare(args.krait, questions, files)
    print("\n".join(different[:200]))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
