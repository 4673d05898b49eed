"""Instances that the energy claims are decided on: exact laws, Beta densities, a composed schedule."""

from fractions import Fraction
from itertools import product

import numpy as np
import sympy as sp
from flint import fmpq

from toy_models.schedules.protocol import Schedule


def rational(weights) -> np.ndarray:
    """Non-negative integers as an exact law."""
    weights = np.asarray(weights)
    total = int(weights.sum())
    return np.vectorize(lambda w: fmpq(int(w), total), otypes=[object])(weights)


def full_tables() -> list[np.ndarray]:
    """Random laws of full support for n <= 3, K <= 3, skewed down to 1e-14."""
    rng = np.random.default_rng(1)
    tables = [rng.integers(1, 40, (k,) * n) ** 2 for n, k in product((1, 2, 3), (1, 2, 3)) for _ in range(2)]
    return [rational(t) for t in [*tables, np.array([[10**14, 1], [3, 10**7]])]]


def sparse_tables() -> list[np.ndarray]:
    """Laws with zeros: repetition, parity, point masses, random supports."""
    rng = np.random.default_rng(2)
    repetition = np.zeros((2, 2, 2), dtype=int)
    repetition[0, 0, 0] = repetition[1, 1, 1] = 1
    parity = (np.indices((2, 2, 2)).sum(axis=0) % 2 == 0) * 1
    random = [rng.integers(0, 3, (k,) * n) for n, k in ((2, 2), (2, 3), (3, 2), (3, 3))]
    return [rational(t) for t in [repetition, parity, np.eye(3, dtype=int), *(r for r in random if r.sum())]]


def positive_marginals(pmf) -> bool:
    """Whether every marginal law of n - 1 of the n tokens charges every value."""
    return all(v != 0 for axis in range(pmf.ndim) for v in np.ravel(pmf.sum(axis=axis)))


def polynomial_density(a: int, b: int):
    t = sp.symbols("t")
    return t ** (a - 1) * (1 - t) ** (b - 1) / sp.beta(a, b).doit().rewrite(sp.gamma)


def closed_form(p: int, q: int, a: int, b: int):
    """B(2p-a, 2q-b) B(a, b) / B(p, q)^2 as a rational number."""

    def beta(x, y):
        return sp.factorial(x - 1) * sp.factorial(y - 1) / sp.factorial(x + y - 1)

    return beta(2 * p - a, 2 * q - b) * beta(a, b) / beta(p, q) ** 2


class Composed(Schedule):
    """alpha(gamma(t)) for two smooth functions of [0, 1]."""

    def __init__(self, outer, inner):
        self.outer, self.inner = outer, inner

    def alpha(self, t):
        return self.outer.alpha(self.inner.alpha(t))

    def endpoint_exponents(self):
        outer, inner = self.outer.endpoint_exponents(), self.inner.endpoint_exponents()
        return outer[0] * inner[0], outer[1] * inner[1]

    def log_speed(self, t, u):
        near, far = t * t * (3 - 2 * t), u * u * (3 - 2 * u)
        return self.outer.log_speed(near, far) + np.log(6.0) + np.log(t) + np.log(u)


def rational_illegal_mass(support: set[tuple[int, ...]], weights: list[Fraction]) -> Fraction:
    """Mass outside `support` of independent reveal with exact conditionals of the uniform law on it, in rationals.

    Pushes mass over partially masked tuples (None for a mask); a second route to tm.sequence_error on small laws.
    """
    length = len(next(iter(support)))
    mass, left = {(None,) * length: Fraction(1)}, Fraction(1)
    for weight in weights:
        hazard, left = weight / left, left - weight
        fresh: dict[tuple, Fraction] = {}
        for state, amount in mass.items():
            agreeing = [x for x in support if all(s is None or s == v for s, v in zip(state, x, strict=True))]
            options = [token_options(state, i, agreeing, hazard) for i in range(length)]
            for choice in product(*options):
                key = tuple(v for v, _p in choice)
                share = amount
                for _v, p in choice:
                    share *= p
                if share:
                    fresh[key] = fresh.get(key, Fraction(0)) + share
        mass = {k: v for k, v in fresh.items() if compatible(k, support)}
    return 1 - sum(mass.values(), Fraction(0))


def token_options(state, i: int, agreeing, hazard: Fraction):
    """(value after the step, probability) of position i: kept, or revealed with the hazard from its exact marginal."""
    if state[i] is not None:
        return [(state[i], Fraction(1))]
    revealed = [(v, hazard * Fraction(sum(x[i] == v for x in agreeing), len(agreeing))) for v in (0, 1)]
    return [(None, 1 - hazard), *revealed]


def compatible(state, support) -> bool:
    """Whether some member of the support agrees with the revealed tokens; a state without one is lost for good."""
    return any(all(s is None or s == v for s, v in zip(state, x, strict=True)) for x in support)
