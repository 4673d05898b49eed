"""Extreme rays: a cost that is linear in the information curve is decided for every language by L - 1 step curves.

g is nonincreasing and nonnegative, so g = g(L-1) 1 + sum_{k=1}^{L-1} (g(k-1) - g(k)) 1[. < k] with nonnegative
coefficients, and each 1[. < k] log K is the curve of an [L, k] MDS code. A row of coefficients is nonnegative on every
curve iff its partial sums are nonnegative.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import comb

import numpy as np
from flint import fmpq, fmpq_mat, fmpq_poly
from scipy.optimize import linprog

from toy_models.exact import curves as ec


def ray_values(row: fmpq_mat) -> list[fmpq]:
    """The functional on the step curves 1[. < k], k = 1..L; the last one is the constant curve."""
    return list(accumulate(row[0, k] for k in range(row.ncols())))


def at_most_for_every_language(left: fmpq_mat, right: fmpq_mat) -> str:
    """left . g <= right . g for every language of this length, decided; a REFUTED is attained by an MDS code."""
    return "PROVED" if all(value >= 0 for value in ray_values(right - left)) else "REFUTED"


def worst_ratio(row: fmpq_mat, bound: fmpq_mat) -> fmpq:
    """sup over languages of row . g / bound . g, for a bound that is positive on every ray but the constant curve."""
    return max(cost / allowed for cost, allowed in zip(ray_values(row)[:-1], ray_values(bound)[:-1], strict=True))


def shifted_row_by_definition(length: int, steps: int) -> fmpq_mat:
    """E_U of L sum_j Delta_j h(a_{j-1}) - H on a_k = (U + k - 1)/(N - 1): polynomials in U, integrated over [0, 1]."""
    cells = steps - 1
    unit = fmpq_poly([0, 1])
    starts = [fmpq_poly([0]), *((unit + (j - 1)) * fmpq(1, cells) for j in range(1, cells + 1))]
    widths = [unit * fmpq(1, cells), *[fmpq_poly([fmpq(1, cells)])] * (cells - 1), (1 - unit) * fmpq(1, cells)]
    total = fmpq_mat(1, length)
    for k in range(length):
        shape = fmpq_poly([0, 1]) ** k * fmpq_poly([1, -1]) ** (length - 1 - k) * comb(length - 1, k)
        parts = ((width * shape(start)).integral()(fmpq(1)) for start, width in zip(starts, widths, strict=True))
        total[0, k] = sum(parts, fmpq(0))
    return total * fmpq(length) - ec.entropy_row(length)


def compositions(length: int, most: int | None = None) -> Iterator[tuple[int, ...]]:
    """Sizes s_1, .., s_N >= 1 with sum L, at most `most` of them."""
    if length == 0:
        yield ()
    elif most != 0:
        for first in range(1, length + 1):
            for rest in compositions(length - first, None if most is None else most - 1):
                yield (first, *rest)


def sizes_rays(sizes: Sequence[int]) -> list[int]:
    """Cost of the step curves k = 1..L-1 under fixed sizes: the first boundary >= k, minus k."""
    ends = list(accumulate(sizes))
    return [next(end for end in ends if end >= k) - k for k in range(1, ends[-1])]


@dataclass(frozen=True, eq=False)
class Minimax:
    """The best law over sizes with at most N steps: worst E KL/(TC + DTC) over languages, with both certificates."""

    length: int
    steps: int
    value: fmpq
    sizes: tuple[tuple[int, ...], ...]
    chances: tuple[fmpq, ...]  # of the sizes
    languages: tuple[fmpq, ...]  # a law on the rays k = 1..L-1 against which no sizes do better


def minimax_sizes(length: int, steps: int) -> Minimax:
    """min over laws on sizes of max_k c(1[. < k])/L, a finite linear programme: rational optimum, decided.

    The floating-point optimum only tells which sizes and rays carry mass; the two players are then solved for in Q and
    verified, so the value is proved by weak duality. ArithmeticError when the guess of the supports does not verify.
    """
    choices = [c for c in compositions(length, steps) if len(c) == min(steps, length)]  # more steps never cost more
    payoff = np.array([sizes_rays(c) for c in choices]).T  # (rays, choices)
    count = len(choices)
    found = linprog(
        np.append(np.zeros(count), 1.0),
        A_ub=np.hstack([payoff, -np.ones((length - 1, 1))]),
        b_ub=np.zeros(length - 1),
        A_eq=np.append(np.ones(count), 0.0)[None],
        b_eq=[1.0],
        method="highs-ds",
    )
    law, guess = found.x[:-1], -found.ineqlin.marginals
    used, rays = np.flatnonzero(law > 1e-9), np.flatnonzero(guess > 1e-9)
    part = payoff[np.ix_(rays, used)]
    for chances, languages in (
        (_equalise(part), _equalise(part.T)),
        (_rounded(law[used]), _rounded(guess[rays])),  # degenerate programmes: the vertices themselves
    ):
        upper = max(_mean(row[used], chances) for row in payoff)
        lower = min(_mean(column[rays], languages) for column in payoff.T)
        if upper == lower and all(sum(p, fmpq(0)) == 1 and min(p) >= 0 for p in (chances, languages)):
            place = dict(zip(rays.tolist(), languages, strict=True))
            against = tuple(place.get(k, fmpq(0)) for k in range(length - 1))
            return Minimax(length, steps, upper / length, tuple(choices[c] for c in used), tuple(chances), against)
    raise ArithmeticError(f"L = {length}, N = {steps}: the optimum {found.fun / length:.12g} is not certified")


def _rounded(values: np.ndarray) -> list[fmpq]:
    nearest = [Fraction(float(v)).limit_denominator(10**6) for v in values]
    return [fmpq(v.numerator, v.denominator) for v in nearest]


def _mean(values: Sequence[int], chances: Sequence[fmpq]) -> fmpq:
    return sum((int(v) * p for v, p in zip(values, chances, strict=True)), fmpq(0))


def _equalise(payoff: np.ndarray) -> list[fmpq]:
    """p with payoff p = v 1 and sum p = 1, in Q, a basic solution; all zero if there is none."""
    rows, columns = payoff.shape
    value = [fmpq(-1)] * rows + [fmpq(0)]
    system = [[fmpq(int(c)) for c in row] for row in payoff] + [[fmpq(1)] * columns]
    right = [fmpq(0)] * rows + [fmpq(1)]
    augmented = [[v, *row, r] for v, row, r in zip(value, system, right, strict=True)]
    reduced, rank = fmpq_mat(augmented).rref()
    solution = [fmpq(0)] * (columns + 2)
    for i in range(rank):
        pivot = next(j for j in range(columns + 2) if reduced[i, j] != 0)
        solution[pivot] = reduced[i, columns + 1]
    return solution[1:-1] if solution[-1] == 0 else [fmpq(0)] * columns


@dataclass(frozen=True, eq=False)
class RayCosts:
    """E KL/(TC + DTC) on every ray k = 1..L-1 of some schedules with N steps."""

    length: int
    steps: int
    rays: tuple[int, ...]
    names: tuple[str, ...]
    ratio: np.ndarray  # (schedules, rays)


def ray_costs(length: int, steps: int) -> RayCosts:
    """Equal sizes, the uniform and the shifted grid of independent reveal, and the best random sizes."""
    best = minimax_sizes(length, steps)
    mixed = [_mean(costs, best.chances) for costs in zip(*map(sizes_rays, best.sizes), strict=True)]
    rows = {
        "equal sizes": sizes_rays([length // steps] * steps),
        "uniform schedule": ray_values(ec.uniform_row(length, steps))[:-1],
        "shifted grid": ray_values(ec.shifted_grid_row(length, steps))[:-1],
        "best random sizes": mixed,
    }
    ratio = np.array([[float(int(fmpq(c).p) / int(fmpq(c).q)) / length for c in row] for row in rows.values()])
    return RayCosts(length, steps, tuple(range(1, length)), tuple(rows), ratio)
