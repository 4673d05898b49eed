"""How often a run of drawn confidence writes an unlikely token: the lower bounds on its KL.

M is a number such that in every reachable state every mask has some token of probability >= M; e = 1 - M. A commit is
low when its score is below M: all m draws must then miss, probability <= e^m. k(x) is the least number of low commits
on any order that writes x.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from flint import fmpq

import toy_models as tm
from toy_models.exact import LogSum
from toy_models.exact.trajectories import RationalLaw, State, entropy_of, masked

FACTORS = 200  # of (e; e)_infinity: fewer factors, and rounding up, make the bound that is checked stronger


def least_confidence(law: RationalLaw) -> fmpq:
    """M = min over reachable states and masks of max_v q(v | y).

    >>> str(least_confidence(RationalLaw({(0,): fmpq(3, 4), (1,): fmpq(1, 4)}, 2, 1)))
    '3/4'
    """
    found = fmpq(1)
    for y in reachable(law):
        for i in masked(y):
            found = min(found, max(law.marginal(y, i)))
    return found


def least_conditional(law: RationalLaw) -> fmpq:
    """p_min = the least positive q(v | y) over reachable states and masks."""
    return min(p for y in reachable(law) for i in masked(y) for p in law.marginal(y, i) if p != 0)


def reachable(law: RationalLaw) -> list[State]:
    """Partial texts of positive probability, with at least one mask."""
    found = set()
    for x in law.pmf:
        for hide in product((False, True), repeat=law.length):
            if any(hide):
                found.add(tuple(tm.MASK if h else v for h, v in zip(hide, x, strict=True)))
    return sorted(found)


def low_commits(law: RationalLaw, x: State, level: fmpq) -> int:
    """k(x): the least number of tokens with q(x_i | revealed before) < level over all orders. O(2^L L)."""
    length = law.length
    best = {0: 0}
    probability = {
        s: law.probability(tuple(v if s >> i & 1 else tm.MASK for i, v in enumerate(x))) for s in range(2**length)
    }
    for s in range(1, 2**length):
        best[s] = min(
            best[s ^ 1 << i] + (probability[s] < level * probability[s ^ 1 << i]) for i in range(length) if s >> i & 1
        )
    return best[2**length - 1]


def tail(e: fmpq, k: int) -> fmpq:
    """e^{k(k+1)/2} / euler(e), at most e^{k(k+1)/2} / (e; e)_infinity."""
    return e ** (k * (k + 1) // 2) / euler(e)


def euler(e: fmpq) -> fmpq:
    """The first factors of (e; e)_infinity, rounded up to 40 digits so that the number stays short."""
    value = fmpq(1)
    for m in range(1, FACTORS + 1):
        value *= 1 - e**m
        if e**m < fmpq(1, 10**45):
            break
    scale = 10**40
    return fmpq((value * scale).ceil(), scale)


def kl_lower_bound(law: RationalLaw, level: fmpq | None = None) -> LogSum:
    """(1/2) log(1/e) E_q[k(k+1)] + log (e; e)_infinity - H(q), `euler` in place of (e; e)_infinity, hence no less."""
    level = least_confidence(law) if level is None else level
    e = 1 - level
    mean = sum((q * k * (k + 1) for x, q in law.pmf.items() for k in [low_commits(law, x, level)]), fmpq(0))
    return LogSum([(e, -mean / 2), (euler(e), fmpq(1))]) - entropy_of(law.pmf.values())


@dataclass(frozen=True)
class Bridge:
    """The least confident context of a chain: nearest revealed tokens u at distance l, v at distance r."""

    value: fmpq
    left: int
    right: int
    u: int
    v: int


def chain_confidence(initial, transition, reach: int) -> Bridge:
    """M over all contexts of a stationary two-symbol chain, distances 1, 2, .. and none, certified.

    The odds of the two symbols are (A + B s)(C + D t) / .. with s = lambda^l, t = lambda^r: monotone in s and in t. So
    beyond `reach` the least confidence lies at the ends of the interval [0, lambda^reach], unless the odds cross 1
    there, which raises.
    """
    pi, rows = [tm.exact.rational(p) for p in initial], [[tm.exact.rational(p) for p in row] for row in transition]
    eigenvalue = rows[0][0] + rows[1][1] - 1
    if not 0 < eigenvalue < 1:
        raise ValueError(f"the second eigenvalue is {eigenvalue}, this route needs it in (0, 1)")
    powers = [*(eigenvalue**d for d in range(1, reach + 1)), fmpq(0)]

    def entry(u, z, s):
        return pi[z] + ((1 if u == z else 0) - pi[z]) * s

    def odds(u, v, s, t):
        first, second = (entry(u, z, s) * entry(z, v, t) * pi[z] / pi[z] for z in (0, 1))
        return first / second

    best = Bridge(fmpq(1), 0, 0, 0, 0)
    for u, v in product((0, 1), repeat=2):
        for a, s in enumerate(powers):
            for b, t in enumerate(powers):
                o = odds(u, v, s, t)
                top = max(o, 1) / (1 + o)
                if top < best.value:
                    best = Bridge(top, a + 1, b + 1, u, v)
        for s, t in product(powers, repeat=2):  # beyond reach: corners of the boxes that touch s = 0 or t = 0
            corners = {odds(u, v, a, b) > 1 for a in _box(s, powers) for b in _box(t, powers)}
            if len(corners) > 1:
                raise ValueError(f"beyond distance {reach} the odds cross 1 at s = {s}, t = {t}: enlarge reach")
    return best


def _box(s: fmpq, powers: list[fmpq]) -> tuple[fmpq, ...]:
    """The value itself at a finite distance; the whole rest [0, lambda^reach] where it is 0."""
    return (s,) if s != 0 else (fmpq(0), powers[-2])


def transported(law: RationalLaw, x: State, window: range) -> fmpq:
    """max over orders of all positions of prod_{i in window} q(x_i | revealed before) / q(x_window). O(2^L L)."""
    length = law.length
    probability = {
        s: law.probability(tuple(v if s >> i & 1 else tm.MASK for i, v in enumerate(x))) for s in range(2**length)
    }
    best = {0: fmpq(1)}
    for s in range(1, 2**length):
        best[s] = max(
            best[s ^ 1 << i] * (probability[s] / probability[s ^ 1 << i] if i in window else 1)
            for i in range(length)
            if s >> i & 1
        )
    return best[2**length - 1] / probability[sum(1 << i for i in window)]


def edge_constant(initial, transition, terms: int = 60) -> float:
    """C = prod_d R_d (left) R_d (right), R_d = max_u max_z f / min_z f, f = P^d(u, z)/pi(z): what the edges can do."""
    pi = np.array([float(tm.exact.rational(p)) for p in initial])
    step = np.array([[float(tm.exact.rational(p)) for p in row] for row in transition])
    value, power = 1.0, np.eye(len(pi))
    worst = []
    for _ in range(terms):
        power = power @ step
        left = power / pi
        right = power / pi  # P^d(z, v)/pi(v), read along columns
        worst.append((left.max(axis=1) / left.min(axis=1)).max() * (right.max(axis=0) / right.min(axis=0)).max())
    for d in range(terms):
        value *= max(worst[d:])  # sup over all larger distances
    return float(value)
