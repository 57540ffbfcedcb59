"""A sample of tests/failures: allocations that fail, calls that do, what
these say, and what programs leave behind."""
import sys

import sanitizers

# They wait, or leave tasks and interpreters behind: only in the long run.
SLOW = {"async_functions", "subinterpreter", "threads", "databases"}


def run(report, top):
    sys.path.insert(0, f"{top}/tests/failures")
    import allocations_fail
    import calls_fail
    import cycles
    import cycles_leak
    import programs
    # a different part of each program, all of it for short ones
    names = sorted(set(programs.ALL) - SLOW)
    found = allocations_fail.check(report.krait, names, step=29, repeat=0,
                                   last=700, counts=[1])
    missing = set(names) - set(found.ends)
    report.add("programs whose allocations fail",
               "\n".join(found.bad + sorted(missing)) or None)
    for what in ("_abc", "_bisect", "_heapq", "_datetime"):
        _, problems = calls_fail.check(report.krait, what, repeat=60)
        report.add(f"odd calls of {what}", "\n".join(problems) or None)
    for what in ("types", "builtins", "array", "binascii", "itertools",
                 "_codecs", "_collections", "_csv", "_hashlib", "_imp",
                 "_struct", "_tokenize", "grp"):
        _, problems = calls_fail.check(report.krait, what, messages=True)
        report.add(f"messages of odd calls of {what}",
                   "\n".join(problems) or None)
    # a sanitizer keeps freed memory for a while and has no blocks to count
    if not sanitizers.instrumented(report.krait):
        _, problems = cycles_leak.check(
            report.krait, sorted(set(cycles.ALL) - cycles.SLOW), times=40,
            rounds=12)
        report.add("programs that leave nothing", "\n".join(problems) or None)
