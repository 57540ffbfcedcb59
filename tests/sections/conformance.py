"""CPython's own tests against the recorded expectations, both ways.

tests/conformance/expected.json holds, for each module that the project
answers for, the cases that fail (with the reason last seen) and those that
are not judged. A new failure fails, and so does a case that passes although
it is listed. Re-mark with `tests/conformance/mark build/dev/krait`.
"""
import json
import os
import subprocess
import sys
import tempfile


def run_driver(top, krait, modules, jobs=2):
    """Results of the driver: module -> {case: status}."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "result.json")
        subprocess.run(
            [sys.executable, f"{top}/tests/conformance/driver.py", "-q",
             "--python", krait, "--json", out, "-j", str(jobs),
             "--max-time", "900", *modules],
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


def run(report, top):
    with open(f"{top}/tests/conformance/expected.json") as f:
        expected = json.load(f)
    results = run_driver(top, report.krait, sorted(expected))
    wanted = baseline(top)
    total = 0
    for module, marks in sorted(expected.items()):
        got = outcomes(results.get(module, {}))
        base = outcomes(wanted.get(module, {}))
        known, ignored = marks.get("failing", {}), marks.get("unstable", {})
        cases = [c for c, s in base.items()
                 if s == "pass" and c not in ignored]
        passed = {c for c in cases if got.get(c) == "pass"}
        total += len(passed)
        new = sorted(c for c in cases if c not in passed and c not in known)
        better = sorted(c for c in known if c in passed)
        problem = None
        if new:
            problem = "newly failing: " + " ".join(new[:20])
        elif better:
            problem = "passes now, mark it: " + " ".join(better[:20])
        report.add(f"{module}: {len(passed)} of {len(cases)}", problem)
    print(f"   {total} cases of CPython's tests pass")
