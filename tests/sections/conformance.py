"""CPython's own tests against the recorded expectations, both ways.

tests/conformance/expected.json holds, for each module of the quick list, the
cases that fail (with the reason last seen) and those that are not judged,
ever ("unstable") or under a sanitizer. A new failure fails, and so does a
case that passes although it is listed. Re-mark with
`tests/conformance/mark build/dev/krait`.

With KRAIT_ALL_MODULES=1 all modules of public.txt are judged, by
expected_all.json, where a module without an entry passes in full; that takes
about ten minutes. KRAIT_RESULTS names a folder where the driver's results
and the modules' output are kept, numbered by run.
"""
import json
import os
import subprocess
import sys
import tempfile

import sanitizers


def expectations(top):
    """(file of the marks, the marks of each module to be judged)."""
    everything = bool(os.environ.get("KRAIT_ALL_MODULES"))
    name = "expected_all.json" if everything else "expected.json"
    path = f"{top}/tests/conformance/{name}"
    marks = {}
    if everything:
        with open(f"{top}/tests/conformance/public.txt") as f:
            marks = {module: {} for module in f.read().split()}
        with open(f"{top}/tests/conformance/expected.json") as f:
            for module, entry in json.load(f).items():
                marks[module] = {"unstable": entry.get("unstable", {}),
                                 "sanitizer": entry.get("sanitizer", {})}
    if os.path.exists(path):
        with open(path) as f:
            marks.update(json.load(f))
    return path, marks


def run_driver(top, krait, modules, jobs=2):
    """Results of the driver: module -> {case: status}."""
    with tempfile.TemporaryDirectory() as folder:
        out, options = os.path.join(folder, "result.json"), []
        if keep := os.environ.get("KRAIT_RESULTS"):
            os.makedirs(keep, exist_ok=True)
            run = os.path.join(keep, str(len(os.listdir(keep)) // 2 + 1))
            out, options = run + ".json", ["--logs", run]
        if len(modules) >= 100:
            options += ["--timeout", "300"]
        for pair in sanitizers.environment().items():
            options += ["--env", "=".join(pair), "--mem", "0",
                        "--timeout", "900", "--stall", "300"]
        subprocess.run(
            [sys.executable, f"{top}/tests/conformance/driver.py", "-q",
             "--python", krait, "--json", out, "-j", str(jobs),
             "--max-time", "900" if len(modules) < 100
             and not sanitizers.environment() else "7200",
             *options, *modules],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, cwd=folder)
        with open(out) as f:
            return json.load(f)["modules"]


def baseline(top):
    import gzip
    with gzip.open(f"{top}/tests/conformance/baseline_public.json.gz",
                   "rt") as f:
        return json.load(f)["modules"]


def outcomes(result):
    """case -> 'pass' or another word, from a module's entry."""
    return {name: "pass" if word == "ok" else word.split(",")[0]
            for name, word in result.get("cases", {}).items()}


def judge(result, base, marks):
    """(cases judged, those that passed, newly failing, listed but passing)."""
    got = outcomes(result)
    known, ignored = marks.get("failing", {}), marks.get("unstable", {})
    if sanitizers.environment():
        ignored = ignored | marks.get("sanitizer", {})
    cases = [c for c, s in base.items() if s == "pass" and c not in ignored]
    passed = {c for c in cases if got.get(c) == "pass"}
    new = {c for c in cases if c not in passed and c not in known}
    return cases, passed, new, {c for c in known if c in passed}


def run(report, top):
    _, expected = expectations(top)
    results = run_driver(top, report.krait, sorted(expected))
    wanted = {m: outcomes(v) for m, v in baseline(top).items()}
    first = {m: judge(results.get(m, {}), wanted.get(m, {}), marks)
             for m, marks in sorted(expected.items())}
    # what differs is run again, alone: only what differs twice counts
    again = [m for m, (_, _, new, better) in first.items() if new or better]
    second = run_driver(top, report.krait, again, jobs=1) if again else {}
    total = 0
    for module, (cases, passed, new, better) in first.items():
        if module in again:
            _, more, new2, better2 = judge(second.get(module, {}),
                                           wanted[module], expected[module])
            passed, new, better = passed | more, new & new2, better & better2
        total += len(passed)
        problem = None
        if new:
            problem = "newly failing: " + " ".join(sorted(new)[:20])
        elif better:
            problem = "passes now, mark it: " + " ".join(sorted(better)[:20])
        report.add(f"{module}: {len(passed)} of {len(cases)}", problem)
    print(f"   {total} cases of CPython's tests pass")
