"""Training noise of the pair language (L/2 copied pairs, log K = 1, exact denoiser) in closed form, epsilon = 0.

A masked pair costs 2, a token whose partner is visible nothing: S = 2 B, B the number of pairs masked whole. Even L,
per token.
"""

from fractions import Fraction
from math import sqrt

from flint import arb, fmpq


def second_moment(length: int, k: int) -> Fraction:
    """E[S^2 | k masks] from E[B | k] = k(k-1)/(2(L-1)), E[B(B-1) | k] = k(k-1)(k-2)(k-3)/(4(L-1)(L-3))."""
    one = Fraction(k * (k - 1), 2 * (length - 1))
    two = Fraction(k * (k - 1) * (k - 2) * (k - 3), 4 * (length - 1) * (length - 3))
    return 4 * (one + two)


def uniform_size(length: int) -> Fraction:
    """Var(S/k), k uniform on 1..L; at least (L + 1)/(12 (L - 1)), the variance of E[S/k | k] = (k - 1)/(L - 1)."""
    total = sum((second_moment(length, k) / k**2 for k in range(1, length + 1)), Fraction(0))
    return total / length - Fraction(1, 4)


def best_size(length: int) -> float:
    """(sum over k of sqrt(E[S^2 | k])/k / L)^2 - 1/4, the least variance over laws of k."""
    return (sum(sqrt(second_moment(length, k)) / k for k in range(1, length + 1)) / length) ** 2 - 0.25


def best_time(length: int) -> arb:
    """(integral of sqrt(s + (1 - s) t^2))^2 - 1/4, s = 2/L, the variance at p*; the integrand increases with s."""
    s = arb(fmpq(2, length))
    if length == 2:
        return arb(3) / 4
    rest = (1 - s).sqrt()
    return (arb(1) / 2 + s * (rest / s.sqrt()).asinh() / (2 * rest)) ** 2 - arb(1) / 4
