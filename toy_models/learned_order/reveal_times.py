"""Orders from independent times: every position l has its own schedule, and sorting the times decides the order.

Notation, in noise time s = 1 - t (t the generation time of toy_models.schedules): m_l(s) = 1 - alpha_l(1 - s) is the
probability that position l is masked, T_l its masking time, P(T_l <= s) = m_l(s). Decoding order: T descending.
Integrals use the variable z = log(s / (1 - s)), in which both ends of [0, 1] are resolved down to 1e-300.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import permutations
from math import factorial

import numpy as np
from jaxtyping import Float
from numpy.polynomial import legendre

from toy_models.errors import IntractableError
from toy_models.learned_order.plackett_luce import OrderLaw
from toy_models.schedules.protocol import Schedule

NODES = 16  # Gauss-Legendre nodes per panel
MAX_NESTED = 7  # L! suffixes, each a function on the grid
ENDS = 1e-9  # accepted error of alpha at 0 and 1 and of the total mass


@dataclass(frozen=True)
class NoisePowerSchedule(Schedule):
    """m(s) = s**w, that is alpha(t) = 1 - (1 - t)**w (the family of Garg et al. 2025, arXiv 2511.19152). w > 0.

    >>> float(tm.learned_order.NoisePowerSchedule(2.0).alpha(0.5))  # 1 - (1/2)^2
    0.75
    """

    w: float

    def __post_init__(self):
        if not (np.isfinite(self.w) and self.w > 0):
            raise ValueError(f"w = {self.w}, it must be a finite number > 0")

    def alpha(self, t):
        with np.errstate(divide="ignore"):
            return -np.expm1(self.w * np.log1p(-np.asarray(t, dtype=np.float64)))

    def slope(self, t):
        return self.w * (1.0 - np.asarray(t, dtype=np.float64)) ** (self.w - 1)

    def masked(self, s):
        """m(s), accurate for tiny s, where 1 - alpha(1 - s) has no digits left."""
        return np.asarray(s, dtype=np.float64) ** self.w

    def masked_slope(self, s):
        return self.w * np.asarray(s, dtype=np.float64) ** (self.w - 1)


@dataclass(frozen=True, eq=False)
class TimeGrid:
    """Nodes s (with t = 1 - s kept apart, both accurate), weights for integrals ds, and cumulative integration."""

    s: Float[np.ndarray, " nodes"]
    t: Float[np.ndarray, " nodes"]
    ds: Float[np.ndarray, " nodes"]
    partial: Float[np.ndarray, "n n"]  # integral from the panel's left end to its nodes

    def integral(self, values: Float[np.ndarray, "... nodes"]) -> Float[np.ndarray, "..."]:
        """Integral of values ds over [0, 1]."""
        return np.asarray(values @ self.ds)

    def cumulative(self, values: Float[np.ndarray, " nodes"]) -> Float[np.ndarray, " nodes"]:
        """Integral of values ds from 0 to each node."""
        panels = values.reshape(-1, NODES)
        weights = self.ds.reshape(-1, NODES)
        before = np.concatenate([[0.0], np.cumsum((panels * weights).sum(axis=1))[:-1]])
        gauss = legendre.leggauss(NODES)[1]
        return (before[:, None] + (panels * (weights / gauss)) @ self.partial.T).ravel()


@cache
def time_grid() -> TimeGrid:
    """Panels in z = logit(s): length 1 near the middle, growing with |z|, |z| <= 700."""
    edges = [0.0]
    while edges[-1] < 700.0:
        edges.append(min(700.0, edges[-1] + max(1.0, edges[-1] / 10)))
    edges = np.concatenate([-np.array(edges[:0:-1]), np.array(edges)])
    x, gauss = legendre.leggauss(NODES)
    half = np.diff(edges) / 2
    z = (edges[:-1, None] + half[:, None] * (1 + x)).ravel()
    s, t = 1.0 / (1.0 + np.exp(-z)), 1.0 / (1.0 + np.exp(z))
    orders = np.arange(NODES)
    coefficients = (legendre.legvander(x, NODES - 1) * gauss[:, None] * (2 * orders + 1) / 2).T
    antiderivative = np.stack([legendre.legval(x, legendre.legint(np.eye(NODES)[k], lbnd=-1)) for k in orders], axis=1)
    return TimeGrid(s, t, (half[:, None] * gauss).ravel() * s * t, antiderivative @ coefficients)


def masking(schedules: Sequence[Schedule]) -> tuple[Float[np.ndarray, "L nodes"], ...]:
    """m_l(s), 1 - m_l(s) and m_l'(s) on the grid; ValueError when a schedule does not run from 0 to 1."""
    grid = time_grid()
    inside = np.minimum(grid.t, 1.0 - 2.0**-53)
    rows = []
    for index, schedule in enumerate(schedules):
        low, high = (float(schedule.alpha(np.float64(t))) for t in (0.0, 1.0))
        if not (abs(low) <= ENDS and abs(high - 1.0) <= ENDS):
            raise ValueError(f"schedules[{index}]: alpha runs from {low:.6g} to {high:.6g}, it must run from 0 to 1")
        alpha = schedule.alpha(grid.t)
        if isinstance(schedule, NoisePowerSchedule):
            masked, slope = schedule.masked(grid.s), schedule.masked_slope(grid.s)
        else:
            masked, slope = 1.0 - alpha, schedule.slope(inside)
        mass = float(grid.integral(slope))
        if (slope < 0).any() or not abs(mass - 1.0) <= ENDS:
            raise ValueError(
                f"schedules[{index}]: the slope must be >= 0 and integrate to 1, it has minimum "
                f"{float(slope.min()):.6g} and integral {mass:.12g}"
            )
        rows.append((masked, alpha, slope))
    return tuple(np.stack(part) for part in zip(*rows, strict=True))


def order_law(schedules: Sequence[Schedule]) -> OrderLaw:
    """pi(sigma) = P(T_sigma(1) > ... > T_sigma(L)) by nested cumulative integrals.

    F_k(s) = integral from 0 to s of m'_sigma(k) F_{k+1}; pi = F_1(1). About 2200 nodes for each of the e L! suffixes;
    absolute error about 1e-13 for smooth schedules. Source: Garg et al. 2025, Prop. 3.1, with the sort descending.

    >>> law = tm.learned_order.order_law([tm.learned_order.NoisePowerSchedule(w) for w in (2.0, 1.0)])
    >>> {order: round(float(p), 9) for order, p in law.items()}  # Plackett-Luce
    {(0, 1): 0.666666667, (1, 0): 0.333333333}
    """
    length = len(schedules)
    if length > MAX_NESTED:
        raise IntractableError(
            "order probabilities by nested integrals", f"L = {length}", f"L <= {MAX_NESTED}", "use nelbo_of_schedules"
        )
    grid = time_grid()
    _, _, slope = masking(schedules)
    suffixes = {(): np.ones_like(grid.s)}
    for _ in range(length - 1):
        suffixes = {
            (first, *rest): grid.cumulative(slope[first] * values)
            for rest, values in suffixes.items()
            for first in range(length)
            if first not in rest
        }
    result = {}
    for rest, values in suffixes.items():
        (first,) = set(range(length)) - set(rest)
        result[(first, *rest)] = float(grid.integral(slope[first] * values))
    return {order: result[order] for order in permutations(range(length))}


def pairwise_times(schedules: Sequence[Schedule]) -> Float[np.ndarray, "L L"]:
    """P[i, j] = P(i decoded before j) = P(T_i > T_j) = integral of m_i' m_j; 0 on the diagonal.

    >>> schedules = [tm.learned_order.NoisePowerSchedule(w) for w in (3.0, 1.0)]
    >>> tm.learned_order.pairwise_times(schedules).round(9).tolist()
    [[0.0, 0.75], [0.25, 0.0]]
    """
    masked, _, slope = masking(schedules)
    result = (slope * time_grid().ds) @ masked.T
    np.fill_diagonal(result, 0.0)
    return result


def binned_order_law(masses) -> dict:
    """Order law of independent times, each with density constant on K common bins: masses[l][b] = P(T_l in bin b).

    Inside one bin the times are exchangeable, so pi(sigma) is a sum over non-increasing bins of products divided by the
    factorials of the bin counts. Exact in Fractions. Every law of independent times is a limit of these. O(L! L^2 K).

    >>> tm.learned_order.binned_order_law([[1.0, 0.0], [0.0, 1.0]])
    {(0, 1): 0.0, (1, 0): 1.0}
    """
    rows = [list(row) for row in masses]
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]) or any(not v >= 0 for v in row) or abs(float(sum(row)) - 1.0) > ENDS:
            raise ValueError(f"masses[{index}] = {row}, it must be a probability vector over {len(rows[0])} bins")
    return {order: _binned(rows, order) for order in permutations(range(len(rows)))}


def _binned(rows: list, order: tuple[int, ...]):
    """done[k] = probability that the first k of `order` fall in order into the bins taken so far, latest bins first."""
    length, bins = len(order), len(rows[0])
    done = [Fraction(1)] + [Fraction(0)] * length
    for b in range(bins - 1, -1, -1):
        new = list(done)
        for start in range(length):
            product = done[start]
            for stop in range(start + 1, length + 1):
                product = product * rows[order[stop - 1]][b]
                new[stop] = new[stop] + product / factorial(stop - start)
        done = new
    return done[length]
