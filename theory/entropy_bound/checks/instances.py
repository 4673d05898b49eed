"""Random laws and models that the checks decide."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from flint import fmpq

import toy_models as tm
from toy_models.exact import LogSum
from toy_models.exact import trajectories as exact

ROUNDING = 1e-9  # float64 sums of at most 1e5 terms of size 1; the smallest margin decided with it is 1e-4


SIZES = ((2, 3), (3, 2), (2, 4))


def laws(seed: int, count: int, sizes: Sequence[tuple[int, int]] = SIZES) -> list[exact.RationalLaw]:
    rng = np.random.default_rng(seed)
    return [exact.random_law(*sizes[k % len(sizes)], rng) for k in range(count)]


def copies(count: int) -> exact.RationalLaw:
    """One fair bit, copied."""
    return exact.RationalLaw({(0,) * count: fmpq(1, 2), (1,) * count: fmpq(1, 2)}, 2, count)


def largest(entropies: list[LogSum]) -> int:
    best = 0
    for k in range(1, len(entropies)):
        if (entropies[k] - entropies[best]).sign() > 0:
            best = k
    return best


def oracle(law: exact.RationalLaw) -> exact.Model:
    """The exact denoiser."""
    return lambda y, i: law.marginal(y, i)


def table_of(law: exact.RationalLaw) -> tm.Table:
    """The same law in float64."""
    states = product(range(law.vocab_size), repeat=law.length)
    return tm.Table(np.array([float(law.pmf.get(x, 0)) for x in states]).reshape((law.vocab_size,) * law.length))
