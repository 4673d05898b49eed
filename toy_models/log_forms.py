"""Sums of rational multiples of logarithms of positive rationals, decided exactly.

Entropies, KL divergences and total correlations of rational laws are such sums. Logarithms of distinct primes are
linearly independent over the rationals, so a sum is zero exactly when every prime's coefficient is; the sign of a
nonzero sum is read off a ball of sufficient precision.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import flint
from flint import arb, fmpq, fmpz

MAX_PRECISION = 4096


@dataclass(frozen=True)
class LogForm:
    """sum over primes p of coefficients[p] log p, in nats; zero coefficients are not kept."""

    coefficients: dict[int, fmpq] = field(default_factory=dict)

    def __add__(self, other: "LogForm") -> "LogForm":
        total = dict(self.coefficients)
        for prime, c in other.coefficients.items():
            total[prime] = total.get(prime, fmpq(0)) + c
        return LogForm({prime: c for prime, c in total.items() if c != 0})

    def __neg__(self) -> "LogForm":
        return LogForm({prime: -c for prime, c in self.coefficients.items()})

    def __sub__(self, other: "LogForm") -> "LogForm":
        return self + -other

    def scaled(self, factor: fmpq | int) -> "LogForm":
        return LogForm({prime: c * factor for prime, c in self.coefficients.items()} if factor != 0 else {})

    def is_zero(self) -> bool:
        """Exact."""
        return not self.coefficients

    def sign(self) -> int:
        """-1, 0 or 1, exact: precision is doubled until the ball excludes zero."""
        if self.is_zero():
            return 0
        precision = 64
        while precision <= MAX_PRECISION:
            ball = self.ball(precision)
            if ball > 0:
                return 1
            if ball < 0:
                return -1
            precision *= 2
        raise ArithmeticError(f"the sign of {self} is undecided at {MAX_PRECISION} bits")

    def ball(self, precision: int = 128) -> arb:
        """An enclosure of the value, computed at `precision` bits."""
        with flint.ctx.workprec(precision):
            return sum((arb(c) * arb(prime).log() for prime, c in self.coefficients.items()), arb(0))

    def __float__(self) -> float:
        return float(self.ball().mid())


def log_form(terms: Iterable[tuple[fmpq | int, fmpq | int]]) -> LogForm:
    """sum of weight * log(argument) over the (weight, argument) pairs; arguments > 0 where the weight is not 0."""
    total: dict[int, fmpq] = {}
    for weight, argument in terms:
        if weight == 0:
            continue
        argument = fmpq(argument)
        if argument <= 0:
            raise ValueError(f"log of {argument} with weight {weight}, the argument must be > 0")
        for part, sign in ((argument.p, 1), (argument.q, -1)):
            for prime, power in fmpz(part).factor():
                total[int(prime)] = total.get(int(prime), fmpq(0)) + fmpq(weight) * sign * int(power)
    return LogForm({prime: c for prime, c in total.items() if c != 0})


def entropy_form(law: Iterable[fmpq | int]) -> LogForm:
    """-sum p log p of a rational law."""
    return -log_form((p, p) for p in law if p != 0)
