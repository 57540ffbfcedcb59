#!/usr/bin/python3.11
"""Runs the project's tests and ends with one line: N passed, N failed.

    tests/run.py [--build dev] [--only SECTION[,SECTION]] [-v]

Sections: layers, metrics, exports, units, lang, programs, differences, capi,
front, failures, install, fuzz, conformance. Each test owns its folder,
environment, time zone and hash seed. The builds asan and ubsan have one test
more: that they reported nothing.
"""
import argparse
import importlib.util
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
SECTIONS = ["layers", "metrics", "exports", "units", "lang", "programs",
            "differences", "capi", "front", "failures", "install", "fuzz",
            "conformance"]


class Report:
    """Counts results and shows progress."""

    def __init__(self, krait, verbose):
        self.krait, self.verbose = krait, verbose
        self.passed, self.failed = 0, []

    def add(self, name, problem=None):
        """One result: `problem` is None or what to show."""
        if problem is None:
            self.passed += 1
            if self.verbose:
                print(f"  ok    {name}")
            return
        self.failed.append(name)
        print(f"  FAIL  {name}")
        for line in str(problem).splitlines()[:40]:
            print(f"        {line}")

    def count(self, passed, failed_names):
        self.passed += passed
        self.failed += failed_names


def load(section):
    path = os.path.join(HERE, "sections", section + ".py")
    spec = importlib.util.spec_from_file_location(section, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="dev",
                        help="the program is build/BUILD/krait")
    parser.add_argument("--krait", help="the program, if it is another one")
    parser.add_argument("--only", default=",".join(SECTIONS))
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args()
    os.chdir(TOP)
    sys.path.insert(0, HERE)
    import sanitizers
    krait = args.krait or f"build/{args.build}/krait"
    report = Report(os.path.abspath(krait), args.verbose)
    found = sanitizers.prepare(report.krait)
    for section in args.only.split(","):
        if not os.path.exists(os.path.join(HERE, "sections", section + ".py")):
            continue
        before, bad, start = report.passed, len(report.failed), time.time()
        print(f"== {section}", flush=True)
        load(section).run(report, TOP)
        print(f"   {report.passed - before} passed, "
              f"{len(report.failed) - bad} failed, "
              f"{time.time() - start:.0f} s", flush=True)
    if found:
        report.add("the sanitizer reported nothing", sanitizers.problem(found))
    print(f"\n{report.passed} passed, {len(report.failed)} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
