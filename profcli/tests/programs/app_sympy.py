"""sympy simplifies, integrates and expands."""

from sympy import cos, expand, factor, integrate, simplify, sin, symbols, tan

x, y, z = symbols("x y z")

print(simplify(sin(x) ** 4 - 2 * cos(x) ** 2 * sin(x) ** 2 + cos(x) ** 4))
print(simplify((sin(x) + cos(x)) ** 2 / (1 + sin(2 * x)) + tan(x) * cos(x)))
print(integrate(x**2 * sin(x) * cos(2 * x), x))
print(len(str(expand((x + y + z) ** 14))))
print(factor(expand((x + y) ** 5 * (x - z) ** 4 * (y + 2) ** 3)))
