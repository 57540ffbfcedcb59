"""A tree in which None stands for a name that must be there is not compiled.

The reference forgets the error for arguments, aliases and keywords: it goes on
without them, or crashes. ValueError says which field is required.
"""
import ast
tree = ast.parse("def f(*args): pass")
tree.body[0].args.vararg.arg = None
try:
    compile(tree, "tree", "exec")
    print("compiled")
except ValueError as error:
    print(error)
# krait: field 'arg' is required for arg
# python3.11: compiled
