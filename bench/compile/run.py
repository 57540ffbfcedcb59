#!/usr/bin/env python3.11
"""Speed and size of the front end, in turn: run.py ref=CMD NAME=CMD ... [-n 5]

Each phase of each runtime is a process of its own that goes over the whole
standard library of the first runtime three times; its time is the least CPU
time of a pass, the table shows the least over -n processes. Peak RSS is that
of the process, with all sources in it.

  tokenize  the C tokenizer as module tokenize reaches it (_tokenize), with
            the making of a tuple for each token
  parse     source to tree: the source begins with an import of a future
            feature that does not exist, so compile() fails after the parser
  ast       the same, and the tree to objects of module ast (most of the time)
  symtable  source to symbol tables, with the objects for module symtable
  compile   source to code objects

Rates are lines per second (tokens for tokenize); ratios are subject / first,
above 1 is faster. For size, below 1 is smaller.
"""
import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PHASES = ["tokenize", "parse", "ast", "symtable", "compile"]


# --- in the measured process ------------------------------------------------

def sources(top, with_tests):
    """(name, text, lines) of the files that compile."""
    import tokenize
    skip = {"__pycache__", "site-packages", "dist-packages"}
    if not with_tests:
        skip |= {"test", "tests"}
    for d, dirs, files in os.walk(top):
        dirs[:] = sorted(x for x in dirs if x not in skip)
        for name in sorted(files):
            if not name.endswith(".py"):
                continue
            path = os.path.join(d, name)
            try:
                with tokenize.open(path) as f:
                    text = f.read()
                compile(text, path, "exec", dont_inherit=True)
            except (SyntaxError, UnicodeError, ValueError):
                continue
            yield path, text


def tokenize_all(files):
    import _tokenize
    n = 0
    for _, text in files:
        for _ in _tokenize.TokenizerIter(text):
            n += 1
    return n


def parse_all(files):
    for _, text in files:
        try:
            compile(text, "<bench>", "exec", dont_inherit=True)
        except SyntaxError:
            continue
        sys.exit("the parser's time cannot be told apart")


def ast_all(files):
    import ast
    for path, text in files:
        compile(text, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)


def symtable_all(files):
    import _symtable
    for path, text in files:
        _symtable.symtable(text, path, "exec")


def compile_all(files):
    for path, text in files:
        compile(text, path, "exec", dont_inherit=True)


def child(phase, top, with_tests, passes):
    import resource
    import time
    import warnings
    warnings.simplefilter("ignore")
    files = list(sources(top, with_tests))
    amount = sum(text.count("\n") for _, text in files)
    if phase == "parse":
        files = [(p, "from __future__ import no_such_feature\n" + text) for p, text in files]
    work = globals()[phase + "_all"]
    best = 1e9
    for _ in range(passes):
        start = time.process_time()
        tokens = work(files)
        best = min(best, time.process_time() - start)
    print(json.dumps({"files": len(files), "amount": tokens or amount, "seconds": best,
                      "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


# --- the runner --------------------------------------------------------------

def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("runtime", nargs="*", help="NAME=COMMAND; the first one is the reference")
    ap.add_argument("-n", type=int, default=3, help="processes of each phase (default 3)")
    ap.add_argument("--only", default=",".join(PHASES), help="phases, separated by commas")
    ap.add_argument("--library", default="/usr/lib/python3.11")
    ap.add_argument("--tests", action="store_true", help="the library's tests as well")
    ap.add_argument("--passes", type=int, default=3)
    ap.add_argument("--json")
    ap.add_argument("--child", help=argparse.SUPPRESS)
    a = ap.parse_args()
    if a.child:
        return child(a.child, a.library, a.tests, a.passes)
    if len(a.runtime) < 2:
        ap.error("a reference and at least one subject")

    sys.path.insert(0, os.path.dirname(HERE))
    import measure
    runtimes = []
    for text in a.runtime:
        name, _, command = text.partition("=")
        runtimes.append((name, command.split()))
    doc, bad = {}, 0
    print("%-10s %-10s %10s %9s %8s %8s %8s" % ("phase", "runtime", "per s", "seconds", "speed-up", "MiB", "MiB x"))
    for phase in a.only.split(","):
        best = {}
        for _ in range(a.n):
            for name, command in runtimes:
                args = ["--child", phase, "--library", a.library, "--passes", str(a.passes)]
                r = measure.run([*command, "-I", "-S", os.path.abspath(__file__), *args, *(["--tests"] * a.tests)], 600)
                if r.problem():
                    best[name] = {"problem": r.problem()}
                    continue
                got = json.loads(r.out)
                got["rss"] = r.rss
                old = best.get(name)
                if old is None or got["seconds"] < old["seconds"]:
                    got["rss"] = min(got["rss"], old["rss"] if old else got["rss"])
                    best[name] = got
        doc[phase] = best
        ref = best[runtimes[0][0]]
        for name, _ in runtimes:
            b = best[name]
            if "problem" in b or "problem" in ref:
                bad += 1
                print("%-10s %-10s FAIL %s" % (phase, name, b.get("problem", "the reference failed")), flush=True)
                continue
            rate = b["amount"] / b["seconds"]
            print("%-10s %-10s %10d %9.3f %8.2f %8.1f %8.2f"
                  % (phase, name, rate, b["seconds"], rate / (ref["amount"] / ref["seconds"]),
                     b["rss"] / 1024, b["rss"] / ref["rss"]), flush=True)
    first = next((b for best in doc.values() for b in best.values() if "files" in b), None)
    if first:
        print("%d files of %s" % (first["files"], a.library))
    if a.json:
        with open(a.json, "w") as f:
            json.dump(doc, f, indent=1)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
