"""The game between random grids and languages in integers: what any two strategies guarantee, decided.

Cuts and points are integers in [0, scale]. A list of grids, drawn uniformly, guarantees the grid player sup_a E[next(a)
- a]; weights on points guarantee the other side the least cost of a fixed grid. E_N lies between the two.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

import toy_models as tm
from toy_models.schedules import minimax_value, minimax_weights, uniform_renewals


def worst_point(grids: Int[np.ndarray, "G R"], scale: int) -> tuple[int, int]:
    """(sum over grids of next(a) - a at the worst a, number of grids): the sup of E[next - a], times scale.

    next(a) - a falls with a but at a cut, so the worst a is 0 or a cut (next is the first cut beyond a).
    """
    points, worst = np.unique(np.concatenate([[0], grids.ravel()])), 0
    ends = np.concatenate([np.sort(grids, axis=1), np.full((len(grids), 1), scale)], axis=1)
    for a in points[points < scale]:
        first = np.argmax(ends > a, axis=1)
        worst = max(worst, int((ends[np.arange(len(ends)), first] - a).sum()))
    return worst, len(grids)


def least_cost(points: Int[np.ndarray, " n"], weights: Int[np.ndarray, " n"], cuts: int, scale: int) -> int:
    """min over grids of `cuts` cuts of sum of weights (next - point), points ascending: a cut serves best just beyond
    a point. A dynamic programme over the last point served, O(cuts n^2)."""
    mass = np.concatenate([[0], np.cumsum(weights)])
    moment = np.concatenate([[0], np.cumsum(weights * points)])
    stretch = points[:, None] * (mass[None, 1:].T - mass[None, :-1]) - (moment[1:, None] - moment[None, :-1])
    best = np.where(np.arange(len(points)) >= 0, stretch[:, 0], 0)  # one cut, just beyond point i
    huge = np.iinfo(np.int64).max // 4
    later = np.tril(np.ones_like(stretch, dtype=bool), -1)  # previous cut beyond point l < i serves points l+1..i
    for _ in range(cuts - 1):
        total = np.where(later, best[None, :] + np.roll(stretch, -1, axis=1), huge)
        best = np.minimum(best, total.min(axis=1))
    rest = scale * (mass[-1] - mass[1:]) - (moment[-1] - moment[1:])
    return int((best + rest).min())


def optimal_grids(steps: int, count: int, scale: int) -> Int[np.ndarray, "G R"]:
    """The minimax grids at the shifts (i + 1/2)/count, rounded."""
    rows = [np.cumsum(minimax_weights(steps, (i + 0.5) / count))[:-1] for i in range(count)]
    return np.rint(np.array(rows) * scale).astype(np.int64)


def optimal_points(steps: int, count: int, scale: int) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """The optimal law of a, its density on [0, X(R)] gathered on count points a unit of t; the atom at 0."""
    last = steps - 1
    whole = uniform_renewals(last)
    t = np.arange(last * count + 1) / count
    renewals = np.array([uniform_renewals(s) for s in t])
    middle = np.array([1 - uniform_renewals(last - s) / whole for s in (t[:-1] + t[1:]) / 2])
    points = np.concatenate([[0.0], middle]) * scale
    weights = np.concatenate([[1.0], np.diff(renewals)]) / whole * 2**20
    return np.rint(points).astype(np.int64), np.rint(weights).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Game:
    """Mean wait E[next(a) - a] against a, and 2 (N - 1) times the worst case, of three random schedules."""

    steps: int
    a: Float[np.ndarray, " points"]
    wait: dict[str, Float[np.ndarray, " points"]]
    numbers: Int[np.ndarray, " N"]
    value: Float[np.ndarray, " N"]  # E_N
    shifted: Float[np.ndarray, " N"]
    uniform: Float[np.ndarray, " N"]


def game_curves(steps: int, largest: int) -> Game:
    """Waits by an average over 4000 shifts."""
    a = np.linspace(0, 0.999, 400)
    shifts = (np.arange(4000) + 0.5) / 4000
    rules = {
        "uniform, fixed": [np.full(steps, 1 / steps)],
        "uniform, shifted": [tm.ShiftedReveal(steps).at_shift(u).weights for u in shifts],
        "minimax": [minimax_weights(steps, u) for u in shifts],
    }
    wait = {}
    for name, rows in rules.items():
        ends = np.cumsum(np.array(rows), axis=1)
        ends[:, -1] = 1.0
        wait[name] = np.array([(ends[np.arange(len(ends)), np.argmax(ends > x, axis=1)] - x).mean() for x in a])
    n = np.arange(2, largest + 1)
    return Game(steps, a, wait, n, np.array([minimax_value(int(k)) for k in n]), 1 / (2.0 * (n - 1)), 1.0 / n)
