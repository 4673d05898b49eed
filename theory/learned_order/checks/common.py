"""Tolerance and random weights that several checks share."""

from fractions import Fraction
from random import Random

ROUNDING = 1e-11  # nats; quadrature with 2200 nodes and sums of at most 10^4 terms of order one


def rational_weights(seed: int, count: int, length: int) -> list[list[Fraction]]:
    random = Random(seed)
    return [[Fraction(random.randint(1, 30), random.randint(1, 12)) for _ in range(length)] for _ in range(count)]
