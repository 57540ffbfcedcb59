"""f-strings with so many parts that they are joined by a method call."""
x = 7
for n in (1, 15, 16, 29, 30, 31, 60):
    code = compile("f'" + "{x}-" * n + "'", "<f>", "eval")
    text = eval(code)
    print(n, text == "7-" * n, "" in code.co_consts, "join" in code.co_names)
