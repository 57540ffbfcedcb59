#!/usr/bin/python3.11
"""The functions that a profile has seen running, in the form that lld orders by.

    llvm-profdata show --all-functions --counts FILE | tools/link_order.py

What starting runs then stands together in the program, so that a small process
holds few of its pages.
"""
import re
import sys

NAME = re.compile(r"  (?:.*;)?(\w+):$")


def ran(lines):
    """Names of functions with a count other than 0, in the profile's order."""
    seen, name = {}, None
    for line in lines:
        found = NAME.match(line)
        if found:
            name = found.group(1)
        elif "Block counts:" in line and \
                re.search(r"[1-9]", line.partition(":")[2]):
            seen[name] = True
    return list(seen)


if __name__ == "__main__":
    for function in ran(sys.stdin):
        print(function)
        print(function + ".cold")
