#!/usr/bin/python3.11
"""What programs leave behind when they are repeated: nothing.

    tests/failures/cycles_leak.py [--krait PATH] [--times N] [--only NAMES]

Each program of cycles.py is called N times (100), and N times more. The number
of blocks of memory and the resident pages may not grow between by one for every
second call. Caches grow for a while, so there are some rounds. Builds with a
sanitizer keep freed memory for a while, so that they tell nothing here.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)


def check(krait, names=None, times=100, rounds=8, timeout=500):
    """(number of programs, list of problems)"""
    import cycles
    names = list(names or cycles.ALL)
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [krait, f"{HERE}/cycles.py", str(times), str(rounds),
                 ",".join(names)], cwd=folder, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=timeout,
                env=dict(os.environ, PYTHONHASHSEED="0",
                         PYTHONDONTWRITEBYTECODE="1"))
        except subprocess.TimeoutExpired as e:
            seen = (e.stdout or b"").decode().count("\n")
            return seen, [f"{names[seen]} takes too long"]
    problems, n = [], 0
    for line in done.stdout.splitlines():
        name, blocks, size = json.loads(line)
        n += 1
        if blocks >= times // 2 or size >= times // 2:
            problems.append(f"{name} leaves {blocks} blocks and {size} KiB "
                            f"in {times} calls")
    if done.returncode != 0:
        problems.append(f"{names[n]}: status {done.returncode}\n"
                        f"{done.stderr[-1500:]}")
    return n, problems


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--krait", default=f"{TOP}/build/dev/krait")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--only", help="names of programs, with commas")
    args = parser.parse_args()
    names = args.only.split(",") if args.only else None
    n, problems = check(os.path.abspath(args.krait), names, args.times,
                        args.rounds)
    for text in problems:
        print(text)
    print(f"{n} programs, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
