"""Finite sums c_1 log r_1 + ... + c_k log r_k with rational c_i and positive rational r_i.

Entropies, divergences and total correlations of rational laws are such sums, so their signs can be decided: by Arb
balls when the sum is not zero, and by multiplicative independence of coprime integers when it is.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import cast

from flint import arb, ctx, fmpq, fmpz

FIRST_BITS = 128
LAST_BITS = 8192


class LogSum:
    """An exact real number sum of c log r, stored as {r: c}; r != 1, c != 0.

    >>> (tm.exact.log(2) + tm.exact.log(2) - tm.exact.log(4)).is_zero()
    True
    """

    def __init__(self, terms: Mapping[fmpq, fmpq] | Iterable[tuple[fmpq, fmpq]] = (), constant: fmpq | int = 0):
        collected: dict[fmpq, fmpq] = {}
        items = cast(Mapping[fmpq, fmpq], terms).items() if isinstance(terms, Mapping) else terms
        for r, c in items:
            if r <= 0:
                raise ValueError(f"log of {r}, the arguments of a LogSum must be positive")
            if r != 1 and c != 0:
                collected[r] = collected.get(r, fmpq(0)) + c
        self.terms = {r: c for r, c in collected.items() if c != 0}
        self.constant = fmpq(constant)

    def __add__(self, other: "LogSum") -> "LogSum":
        return LogSum([*self.terms.items(), *other.terms.items()], self.constant + other.constant)

    def __neg__(self) -> "LogSum":
        return self.scaled(fmpq(-1))

    def __sub__(self, other: "LogSum") -> "LogSum":
        return self + (-other)

    def scaled(self, factor: fmpq | int) -> "LogSum":
        return LogSum({r: c * factor for r, c in self.terms.items()}, self.constant * factor)

    def enclosure(self, bits: int = FIRST_BITS) -> arb:
        """A ball that contains the number, computed at `bits` of working precision."""
        before = ctx.prec
        ctx.prec = bits
        try:
            total = arb(self.constant)
            for r, c in self.terms.items():
                total += arb(c) * (arb(r.p).log() - arb(r.q).log())
            return total
        finally:
            ctx.prec = before

    def __float__(self) -> float:
        return float(self.enclosure())

    def is_zero(self) -> bool:
        """Decided exactly. With a rational part c0 != 0 the sum is nonzero: e^c0 is transcendental (Hermite)."""
        return self.constant == 0 and all(e == 0 for e in _exponents(self.terms).values())

    def sign(self) -> int:
        """-1, 0 or 1, decided: balls at doubling precision, with the exact zero test once they are narrow."""
        bits = FIRST_BITS
        while bits <= LAST_BITS:
            ball = self.enclosure(bits)
            if ball > 0:
                return 1
            if ball < 0:
                return -1
            if bits == 4 * FIRST_BITS and self.is_zero():
                return 0
            bits *= 2
        raise ArithmeticError(f"the sign of a LogSum is undecided at {LAST_BITS} bits")


def log(r: fmpq | Fraction | int) -> LogSum:
    """log r as a LogSum.

    >>> tm.exact.decide_equal(tm.exact.log(2) + tm.exact.log(3), tm.exact.log(6))
    'PROVED'
    """
    value = fmpq(r.numerator, r.denominator) if isinstance(r, Fraction) else fmpq(r)
    return LogSum([(value, fmpq(1))])


def _exponents(terms: Mapping[fmpq, fmpq]) -> dict[fmpz, fmpq]:
    """Exponents of the sum over a base of pairwise coprime integers > 1, whose logarithms are independent over Q."""
    base: list[fmpz] = []
    for r in terms:
        for number in (r.p, r.q):
            base = _refine(base, fmpz(number))
    result = dict.fromkeys(base, fmpq(0))
    for r, c in terms.items():
        for number, side in ((r.p, 1), (r.q, -1)):
            left = fmpz(number)
            for b in base:
                while left % b == 0:
                    left //= b
                    result[b] += side * c
    return result


def _refine(base: list[fmpz], number: fmpz) -> list[fmpz]:
    """A coprime base of base + [number]: split common factors until everything is pairwise coprime."""
    todo, result = [number], list(base)
    while todo:
        n = todo.pop()
        if n == 1:
            continue
        for position, b in enumerate(result):
            common = n.gcd(b)
            if common != 1:
                if b == n:
                    break
                del result[position]
                todo += [common, b // common, n // common]
                break
        else:
            result.append(n)
    return result
