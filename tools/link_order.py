#!/usr/bin/python3.11
"""The functions of a program that a profile has seen running, for lld to order by.

    llvm-profdata show --all-functions --counts FILE | tools/link_order.py PROGRAM

Put together in the program, what every start runs fills few of its pages. The
parts of these functions that seldom run go together in the same way.
"""
import re
import subprocess
import sys

NAME = re.compile(r"  (?:.*;)?(\w+):$")
SUFFIX = re.compile(r"(\.llvm\.\d+)?(\.cold)?$")


def ran(lines):
    """Names of the functions with a count other than 0."""
    seen, name = set(), None
    for line in lines:
        found = NAME.match(line)
        if found:
            name = found.group(1)
        elif "Block counts:" in line and \
                re.search(r"[1-9]", line.partition(":")[2]):
            seen.add(name)
    return seen


def symbols(program):
    """Names of the program's functions and parts of functions."""
    listing = subprocess.run(["llvm-nm-19", program], capture_output=True,
                             text=True, check=True).stdout
    return sorted({line.split()[-1] for line in listing.splitlines()
                   if " t " in line or " T " in line})


if __name__ == "__main__":
    names = ran(sys.stdin)
    chosen = [s for s in symbols(sys.argv[1]) if SUFFIX.sub("", s) in names]
    print("\n".join(sorted(chosen, key=lambda s: s.endswith(".cold"))))
