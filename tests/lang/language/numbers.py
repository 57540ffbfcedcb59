"""Arithmetic at its corners."""
import math

print(2 ** 200, -7 // 2, -7 % 3, divmod(-7, 2), divmod(7, -2), (-2) ** 3, pow(3, -1, 7))
print(10 ** 40 // 7 ** 11, (1 << 100) >> 90, -5 & 0xFF, ~12345678901234567890)
print(hex(-255), oct(8), bin(10), int("z", 36), int("0b101", 0), f"{10 ** 20:,} {255:#x}")
for x in (0.1 + 0.2, 1e16, 1e-5, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 2.5, 1e22, 123456.789):
    print(repr(x), f"{x:.3f} {x:g} {x:e} {x:.17g}", x.hex(), round(x, 2))
print(float("inf"), float("nan"), math.isqrt(10 ** 30), math.gcd(2 ** 70, 6 ** 20), math.fsum([0.1] * 10))
print((1 + 2j) ** 2, abs(3 - 4j), complex("1e3-2j"), 1j / 3, (0.5).as_integer_ratio())
print(str(7 ** 3000)[:30], len(str(7 ** 3000)), int("9" * 3000) % 97)
for text in ("1_000", "1__0", "", "0x", "1e5", "١٢"):
    try:
        print(int(text))
    except ValueError as error:
        print(error)
