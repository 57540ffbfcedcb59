"""The front end's answers on library files and malformed programs.

Code objects of 300 files, everything else of 40, and 300 programs and trees
made by mutation must equal the reference's. KRAIT_ALL_FILES=1 takes every file
of the library and of CPython's tests, and 5,000 programs and trees.
"""
import os
import sys

import compare


def run(report, top):
    sys.path.insert(0, f"{top}/tests/differential")
    import frontend
    import mutations
    import grammar_mutations
    import nesting
    import sources
    import trees
    every = bool(os.environ.get("KRAIT_ALL_FILES"))
    files = frontend.sources([frontend.LIBRARY])
    samples = [("code objects", ["code0", "code2"], 300),
               ("modes, trees and listings",
                ["code1", "marshal", *frontend.MODES, *frontend.TREES], 40)]
    for name, questions, count in samples:
        step = 1 if every else max(1, len(files) // count)
        print(f"   {name} of {len(files[::step])} files")
        different = frontend.compare(report.krait, questions, files[::step])
        report.add(f"{name} equal the reference's",
                   "\n".join(different) or None)
    equal, different = sources.compare(report.krait)
    print(f"   {equal} sources with coding lines, line ends and NULs")
    report.add("sources with coding lines give the reference's errors",
               "\n".join(f"{data!r}: {theirs} not {ours}"
                         for _, data, theirs, ours in different) or None)
    count = 5000 if every else 300
    different = nesting.compare(report.krait)
    report.add("deep nesting gives the reference's errors",
               "\n".join(different) or None)
    for name, tool in (("malformed programs", mutations),
                       ("otherwise malformed programs", grammar_mutations),
                       ("changed trees", trees)):
        equal, different, _ = tool.compare(report.krait, count,
                                           mutations.SEED)
        print(f"   {equal} of {count} {name} give the same")
        allowed = count // 100 if every else 0
        report.add(f"{name} give the reference's errors",
                   None if len(different) <= allowed else
                   "\n".join(f"{data!r}: {theirs} not {ours}"
                             for _, data, theirs, ours in different))
