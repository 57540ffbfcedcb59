"""A pattern that begins with the string's beginning is tried there only."""
import re
import time

long = "x" * 10 ** 6
begin = time.perf_counter()
for pattern in (r"\Ay", "^y"):
    print(re.search(pattern, long), re.findall(pattern, long))
assert time.perf_counter() - begin < 5

print(re.findall("^a", "aaa"), re.findall("(?m)^a", "a\na"))
print(re.compile("^a").search("ba", 1), re.compile("^").search("ba", 1))
print(re.compile(r"\Ab|a").search("ca").span(), re.search("^", "").span())
print(re.sub("^", "-", "ab"), re.split("^", "ab"), re.search("^a*", "baa"))
print(re.search("(?:^a)?b", "cb").span(), re.search("(^a|b)", "cb").span())
