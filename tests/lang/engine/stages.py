"""Each stage of the engine, seen from Python."""
import ast
import dis
import io
import symtable
import tokenize

for token in tokenize.generate_tokens(io.StringIO("x = 2 + 3").readline):
    print(token)
print(ast.dump(ast.parse("x = 2 + 3"), indent=4))
dis.dis(compile("a = 1\nb = 2\nc = a + b", "<example>", "exec"))


def add(a, b):
    return a + b


def greet(name, width=10):
    return f"Hello {name!r:>{width}} and {1 + 1}"


dis.dis(add)
dis.dis(greet)
print(add.__code__.co_consts, add.__code__.co_varnames, list(add.__code__.co_lines()))
table = symtable.symtable("def f(x):\n def g(): return x\n return g", "s", "exec")
print(table.get_children()[0].get_symbols())
