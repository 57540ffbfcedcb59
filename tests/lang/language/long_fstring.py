"""A formatted string of more parts than fit the compiler's guideline."""
parts = "".join("{x}%d" % i for i in range(40))
text = 'f"' + parts + '"'
print(eval(text, {"x": "-"}))
code = compile("def f(x):\n    return " + text + ", ''", "long", "exec")
print(code.co_consts[0].co_consts[1])
