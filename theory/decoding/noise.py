"""What is done to the marginals before a token is drawn: truncation, temperature, and the noise of float32.

A nucleus keeps the smallest prefix of the sorted probabilities with mass >= p; two code bases keep the largest prefix
with mass <= p instead, the most likely token always. Gumbel's trick takes argmax_v w_v/E_v with E_v = -log u_v; a
float32 u is a multiple of 2^-24, and so is E_v near 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq

from toy_models.targets import gumbel_share

LATTICE = 2.0**-24  # spacing of a float32 uniform that is made of 24 random bits


def smallest_prefix(law: Sequence[fmpq], p: fmpq) -> tuple[int, ...]:
    """Tokens of the smallest prefix with mass >= p, most likely first; equal ones by index.

    >>> smallest_prefix([fmpq(3, 5), fmpq(2, 5)], fmpq(9, 10))
    (0, 1)
    """
    order = sorted(range(len(law)), key=lambda v: (-law[v], v))
    mass = fmpq(0)
    for k, v in enumerate(order, start=1):
        mass += law[v]
        if mass >= p:
            return tuple(order[:k])
    return tuple(order)


def largest_prefix(law: Sequence[fmpq], p: fmpq) -> tuple[int, ...]:
    """Tokens of the largest prefix with mass <= p, and always the most likely one.

    >>> largest_prefix([fmpq(3, 5), fmpq(2, 5)], fmpq(9, 10))
    (0,)
    """
    order = sorted(range(len(law)), key=lambda v: (-law[v], v))
    mass, k = fmpq(0), 0
    for v in order:
        mass += law[v]
        if mass > p:
            break
        k += 1
    return tuple(order[: max(k, 1)])


def truncated(law: Sequence[fmpq], kept: Sequence[int]) -> list[fmpq]:
    """The law on the kept tokens, renormalised."""
    mass = sum((law[v] for v in kept), fmpq(0))
    return [p / mass if v in kept else fmpq(0) for v, p in enumerate(law)]


def lattice_share(q: fmpq, bits: int) -> float:
    """The race itself: sum over k = 1 .. 2^bits of 2^-bits (1 - k 2^-bits)^(1/q - 1), all other noise continuous.

    >>> lattice_share(fmpq(1, 2), 1)
    0.25
    """
    n = 2**bits
    power = float(1 / q - 1)
    k = np.arange(1, n + 1)
    return float((np.exp(power * np.log1p(-k[:-1] / n)).sum() + (power == 0)) / n)


def tempered(law: Sequence[fmpq], power: int) -> list[fmpq]:
    """q^power renormalised: temperature 1/power."""
    total = sum((p**power for p in law), fmpq(0))
    return [p**power / total for p in law]


def chain_temperature_kl(transition: np.ndarray, initial: np.ndarray, temperature: float) -> tuple[float, float]:
    """(first token, each further token) of KL(q || p_T) for a stationary chain written left to right at temperature T.

    >>> first, further = chain_temperature_kl(np.full((2, 2), 0.5), np.full(2, 0.5), 0.5)
    >>> first, further
    (0.0, 0.0)
    """
    rows = [_temperature_kl(row, temperature) for row in transition]
    return _temperature_kl(initial, temperature), float(initial @ rows)


def _temperature_kl(law: np.ndarray, temperature: float) -> float:
    """KL(law || law^(1/T)/Z) = (1/T - 1) H(law) + log Z."""
    p = law[law > 0]
    return float((1 / temperature - 1) * -(p * np.log(p)).sum() + np.log((p ** (1 / temperature)).sum()))


@dataclass(frozen=True, eq=False)
class Zipf:
    """The share of tokens that the first of N equal ancestral steps writes, in float32, over what it should write."""

    vocab_size: int
    steps: tuple[int, ...]
    share: tuple[float, ...]
    information: tuple[float, ...]  # mean -log w of a written token
    entropy: float


def zipf(vocab_size: int, steps: Sequence[int]) -> Zipf:
    """Probabilities w_v ~ 1/rank; in one of N steps a mask turns into v with probability w_v/N."""
    w = 1 / np.arange(1, vocab_size + 1)
    w /= w.sum()
    share, information = [], []
    for n in steps:
        written = gumbel_share(w / n)
        share.append(float(written.sum() * n))
        information.append(float(-(written @ np.log(w)) / written.sum()))
    return Zipf(vocab_size, tuple(steps), tuple(share), tuple(information), float(-(w @ np.log(w))))


def race(q: float, points: int, size: int, rng: np.random.Generator) -> tuple[int, int]:
    """(wins, trials) of a token of probability q whose u is one of the `points` largest float32 numbers below 1.

    Everything in float32: the two scores w/(-log u) are compared as a program compares them. The token's u is drawn
    among the last `points` lattice points, which have probability points * 2^-24 together.
    """
    k = rng.integers(1, points + 1, size).astype(np.float32)
    own = np.float32(1) - k * np.float32(LATTICE)
    rest = rng.random(size, dtype=np.float32)
    rest = np.maximum(rest, np.float32(LATTICE))
    mine = np.float32(q) / -np.log(own)
    others = np.float32(1 - q) / -np.log(rest)
    return int((mine > others).sum()), size
