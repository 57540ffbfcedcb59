#!/usr/bin/python3.11
"""Trees that users have changed, and what compile() says to them.

    trees.py [--krait KRAIT] [--count N] [--seed N] [--list FILE]

Each is the tree of a part of a library file in which one to three fields got
another value: none, an empty list, a number, a node of another kind, another
context or position; or were taken away. Both interpreters make the same
changes from the same seed. Compares the error, or the code object.
"""
import argparse
import ast
import collections
import copy
import hashlib
import json
import random
import sys
import tempfile
import warnings

from codeobjects import describe
import mutations

SCALARS = [None, None, [], 0, -1, 1.5, "x", "None", b"x", 1 << 70, True, ...,
           (), ("a", 1), {}, object, frozenset([1])]


def small(tree, chance):
    """A copy of some small part of the tree."""
    nodes = [n for n in ast.walk(tree)
             if sum(1 for _ in ast.walk(n)) < 12]
    return copy.deepcopy(chance.choice(nodes)) if nodes else ast.Pass()


def change(tree, chance):
    node = chance.choice(list(ast.walk(tree)))
    names = [*node._fields, *node._attributes]
    if not names:
        return
    name = chance.choice(names)
    value = getattr(node, name, None)
    kind = chance.randrange(8)
    if isinstance(value, list) and kind < 4:
        value = list(value)
        if kind == 0 and value:
            del value[chance.randrange(len(value))]
        elif kind == 1:
            value.insert(chance.randrange(len(value) + 1),
                         chance.choice([None, small(tree, chance), 1, "x"]))
        elif kind == 2 and value:
            value.append(copy.deepcopy(chance.choice(value)))
        else:
            value.reverse()
    elif kind == 4:
        if hasattr(node, name):
            delattr(node, name)
        return
    elif kind < 7:
        value = small(tree, chance)
    else:
        value = chance.choice(SCALARS)
    if isinstance(value, ast.expr_context) or name == "ctx":
        value = chance.choice([ast.Load(), ast.Store(), ast.Del()])
    setattr(node, name, value)


def outcome(seed, text):
    chance = random.Random(seed)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ["no tree"]
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        change(tree, chance)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            code = compile(tree, "tree.py", "exec", 0, True)
            found += ["code", hashlib.sha256(describe(code).encode(
                "utf-8", "backslashreplace")).hexdigest()]
        except Exception as error:
            found += [type(error).__name__, mutations.without_addresses(
                f"{error} {error.args!r}")]
        try:
            text = mutations.without_addresses(ast.unparse(tree))
            found.append(hashlib.sha256(text.encode(
                "utf-8", "backslashreplace")).hexdigest())
        except Exception as error:
            found.append(type(error).__name__)
    return found


def answer(listing, first):
    with open(listing, encoding="ascii") as f:
        for line in f.readlines()[first:]:
            name, text = json.loads(line)
            print(json.dumps([name, outcome(name, text)]), flush=True)


def compare(krait, count, seed):
    """As mutations.compare()."""
    made = []
    for i in range(count):
        chance = random.Random(f"tree {seed} {i}")
        text = mutations.excerpt(chance.choice(mutations.library()), chance)
        made.append((f"{seed} {i}", text))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as listing:
        for item in made:
            listing.write(json.dumps(item) + "\n")
        listing.flush()
        ours = mutations.ask(krait, listing.name, count, __file__)
        theirs = mutations.ask(mutations.REFERENCE, listing.name, count,
                               __file__)
    different = [(name, text, b, a) for (name, text), a, b
                 in zip(made, ours, theirs) if a != b]
    return count - len(different), different, \
        collections.Counter(b[0] for b in theirs)


if __name__ == "__main__":
    sys.exit(mutations.main(sys.modules[__name__]))
