"""Schedules that are optimal for a known information curve, and what a schedule costs on one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import scipy
from jaxtyping import Float, Int

from toy_models.kernel import kernel
from toy_models.quantities.information_curve import bernstein, curve, falling_curve, information_curve, reveal_curve
from toy_models.quantities.intervals import Estimate
from toy_models.quantities.sampled_curve import sizes_share, weights_share
from toy_models.targets.protocol import Target
from toy_models.validation import distribution, positive_int

WINDOWS = (1 / 3, 1 / 6, 1 / 12, 1 / 24)  # of the running mean, in distances from the nearer end


def sizes_cost(g: Float[np.ndarray, " L"], sizes: Int[np.ndarray, " N"]) -> float:
    """E KL(q || p_tau) = sum_j s_j g[N_{j-1}] - sum g of a random order cut into `sizes`.

    >>> float(tm.schedules.sizes_cost(np.array([1.0, 0.0]), np.array([2])))  # 2 g[0] - sum g
    1.0
    """
    sizes = np.asarray(sizes)
    if (sizes < 0).any() or sizes.sum() != len(g):
        raise ValueError(f"sizes must be >= 0 and sum to L = {len(g)}, they sum to {int(sizes.sum())}")
    before = np.cumsum(sizes) - sizes
    used = sizes > 0
    return float(sizes[used] @ g[before[used]] - g.sum())


def weights_cost(g: Float[np.ndarray, " L"], weights: Float[np.ndarray, " N"]) -> float:
    """E KL(q || p_tau) = L sum_j Delta_j h(a_{j-1}) - sum g of independent reveal with the given weights.

    >>> round(float(tm.schedules.weights_cost(np.array([1.0, 0.0]), np.array([0.5, 0.5]))), 12)
    0.5
    """
    weights = distribution("weights", weights)
    before = np.clip(np.cumsum(weights) - weights, 0.0, 1.0)
    return float(len(g) * (weights @ reveal_curve(g, before)) - g.sum())


@dataclass(frozen=True, eq=False)
class EstimatedSchedule:
    """The schedule that is best for an estimated information curve, and what it costs on the true one.

    schedule: sizes or weights. curve: the smoothest nonincreasing curve that the intervals of the estimate allow.
    kl: E KL(q || p_tau) of the schedule in nats, at `curve`, with an interval that is valid although the schedule was
    chosen on the same data; its confidence is 1 - L (1 - confidence of one entry of the curve), by the union bound.

    >>> g = tm.estimate_information_curve(tm.repetition(2, 4), 8, np.random.default_rng(0), 0.9999)
    >>> found = tm.optimal_sizes(g, 2)
    >>> found.schedule.tolist(), (found.curve / np.log(2)).round(12).tolist()
    ([1, 3], [1.0, 0.0, 0.0, 0.0])
    """

    schedule: Int[np.ndarray, " N"] | Float[np.ndarray, " N"]
    kl: Estimate
    curve: Float[np.ndarray, " L"]


@overload
def optimal_sizes(g: Estimate, steps: int) -> EstimatedSchedule: ...


@overload
def optimal_sizes(g: Float[np.ndarray, " L"], steps: int) -> Int[np.ndarray, " N"]: ...


def optimal_sizes(g: Float[np.ndarray, " L"] | Estimate, steps: int) -> Int[np.ndarray, " N"] | EstimatedSchedule:
    """argmin over sizes of sum_j s_j g[N_{j-1}]: the best random-order schedule with `steps` steps.

    The cost (b - a) g[a] is Monge because g is nonincreasing, so each layer is divide and conquer: O(N L log L). The
    sizes for a curve; an EstimatedSchedule for an Estimate of one.

    >>> tm.optimal_sizes(tm.information_curve(tm.repetition(2, 6)), 3).tolist()
    [1, 1, 4]
    """
    if isinstance(g, Estimate):
        fitted = _smoothed(g)
        sizes = _best_sizes(fitted, steps)
        return _estimated_schedule(sizes, sizes_share(sizes, len(fitted)), fitted, g)
    return _best_sizes(_nonincreasing(g), steps)


def _best_sizes(g: Float[np.ndarray, " L"], steps: int) -> Int[np.ndarray, " N"]:
    steps = min(positive_int("steps", steps), len(g))
    cuts = monge_path(g, np.ones(len(g)), steps)
    return np.diff(np.concatenate([[0], cuts]))


@overload
def optimal_weights(target_or_curve: Estimate, steps: int, grid: int = 2048) -> EstimatedSchedule: ...


@overload
def optimal_weights(
    target_or_curve: Target | Float[np.ndarray, " L"] | Sequence[float], steps: int, grid: int = 2048
) -> Float[np.ndarray, " N"]: ...


def optimal_weights(
    target_or_curve: Target | Estimate | Float[np.ndarray, " L"] | Sequence[float], steps: int, grid: int = 2048
) -> Float[np.ndarray, " N"] | EstimatedSchedule:
    """argmin over weights of sum_j Delta_j h(a_{j-1}): the best independent reveal with `steps` steps, shape (N,).

    Dynamic programme on a uniform grid of cuts, a quasi-Newton descent with the exact gradient, and Newton steps at its
    end, after which rounding alone moves the optimum. The weights for a target or a curve; an EstimatedSchedule for an
    Estimate of a curve.

    >>> tm.optimal_weights(tm.information_curve(tm.zero_sum(2, 2)), 2).round(3).tolist()
    [0.5, 0.5]
    """
    if isinstance(target_or_curve, Estimate):
        fitted = _smoothed(target_or_curve)
        weights = _best_weights(fitted, steps, grid)
        return _estimated_schedule(weights, weights_share(weights, len(fitted)), fitted, target_or_curve)
    g = information_curve(target_or_curve) if isinstance(target_or_curve, Target) else target_or_curve
    return _best_weights(_nonincreasing(g), steps, grid)


def _best_weights(g: Float[np.ndarray, " L"], steps: int, grid: int) -> Float[np.ndarray, " N"]:
    steps = positive_int("steps", steps)
    if steps == 1 or len(g) == 1:
        return np.eye(steps)[0]
    cells = max(grid, 4 * steps)
    h = reveal_curve(g, np.arange(cells) / cells)
    cuts = monge_path(h, np.full(cells, 1.0 / cells), steps)[:-1] / cells
    slope_of = (len(g) - 1) * np.diff(g)
    bend_of = (len(g) - 2) * np.diff(slope_of) if len(g) > 2 else np.zeros(1)

    def cost(inner):
        a = np.concatenate([[0.0], inner, [1.0]])
        values, slopes = bernstein(g, a[:-1]), bernstein(slope_of, a[1:-1])
        width = np.diff(a)
        return width @ values, values[:-1] - values[1:] + width[1:] * slopes

    def newton_step(inner, gradient):
        """The Hessian is tridiagonal: h'(a_j) beside the diagonal, -2 h'(a_j) + Delta h''(a_j) on it."""
        slopes = bernstein(slope_of, inner)
        diagonal = np.diff(inner, append=1.0) * bernstein(bend_of, inner) - 2 * slopes
        bands = np.stack([np.roll(slopes, 1), diagonal])[-len(inner) :]  # a lone cut has no neighbour
        return scipy.linalg.solveh_banded(bands, -gradient)

    found = scipy.optimize.minimize(
        cost, cuts, jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0)] * len(cuts), options={"ftol": 1e-15}
    )
    best = _follow(cost, newton_step, np.sort(found.x))
    best = best if cost(best)[0] <= cost(cuts)[0] else cuts
    return np.diff(np.concatenate([[0.0], best, [1.0]]))


def _follow(cost: Callable, newton_step: Callable, cuts: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Newton's method from a point near a minimum, for as long as the steps keep the order and halve the gradient.

    It ends where it stands at a bound or where the Hessian is not positive definite.
    """
    gradient = cost(cuts)[1]
    while True:
        try:
            moved = cuts + newton_step(cuts, gradient)
        except np.linalg.LinAlgError:
            return cuts
        if (np.diff(moved, prepend=0.0, append=1.0) < 0).any():
            return cuts
        left = cost(moved)[1]
        if not 2 * np.abs(left).max() < np.abs(gradient).max():
            return cuts
        cuts, gradient = moved, left


def _nonincreasing(g) -> Float[np.ndarray, " L"]:
    """g as a curve that falls or stays, up to the rounding of an exact one: 1e-9 of g[0], or 1e-12 nats."""
    g = curve("g", g)
    rise = np.diff(g).max(initial=0.0)
    if rise > max(1e-9 * abs(g[0]), 1e-12):
        k = int(np.argmax(np.diff(g)))
        raise ValueError(
            f"g must not increase, but g[{k + 1}] - g[{k}] = {rise:.3g}; pass an estimated curve as its Estimate"
        )
    return np.minimum.accumulate(g)


def _smoothed(estimate: Estimate) -> Float[np.ndarray, " L"]:
    """The smoothest nonincreasing curve >= 0 (`falling_curve`) within the intervals; else the nearest to the values.

    Optima depend on slopes. Pooling adjacent violators alone keeps their noise; a running mean removes it, and its bias
    may not exceed what the intervals leave open.
    """
    values = curve("g", estimate.value)
    for window in WINDOWS:
        found = falling_curve(values, window)
        if ((estimate.low <= found) & (found <= estimate.high)).all():
            return found
    return falling_curve(values, 0.0)


def _estimated_schedule(schedule, share: Float[np.ndarray, " L"], g: Float[np.ndarray, " L"], estimate: Estimate):
    """KL = sum_k (share[k] - 1) g[k] is linear in the curve, so a band around the curve gives an interval.

    The band is tightened first by what is known of g: g[k] <= high[j] for j <= k, g[k] >= low[j] for j >= k, g >= 0.
    """
    low = np.maximum(np.maximum.accumulate(estimate.low[::-1])[::-1], 0.0)
    high = np.minimum.accumulate(estimate.high)
    up, down = np.maximum(share - 1.0, 0.0), np.maximum(1.0 - share, 0.0)
    value = np.maximum((share - 1.0) @ g, 0.0)
    confidence = max(0.0, 1.0 - len(g) * (1.0 - estimate.confidence))
    lowest, highest = (np.maximum(end, 0.0) for end in (up @ low - down @ high, up @ high - down @ low))
    cost = Estimate(np.asarray(value), np.asarray(lowest), np.asarray(highest), confidence)
    return EstimatedSchedule(schedule, cost, g)


def monge_path(level: Float[np.ndarray, " n"], width: Float[np.ndarray, " n"], steps: int) -> Int[np.ndarray, " N"]:
    """Cuts 0 < c_1 < ... < c_N = n minimising sum_j (x(c_j) - x(c_{j-1})) level[c_{j-1}], x = running sum of width."""
    position = np.concatenate([[0.0], np.cumsum(width)])
    choice = np.zeros((steps + 1, len(level) + 1), dtype=np.int32)
    monge_layers(level, position, choice)
    cuts = np.empty(steps, dtype=np.int64)
    end = len(level)
    for layer in range(steps, 0, -1):
        cuts[layer - 1] = end
        end = choice[layer, end]
    return cuts


def _monge_layers(level, position, choice):
    """Fill choice[layer, end] = best start of the last step, by divide and conquer with an explicit stack."""
    n = len(level)
    best = np.full(n + 1, np.inf)
    best[0] = 0.0
    stack = np.empty((128, 4), dtype=np.int64)
    for layer in range(1, len(choice)):
        fresh = np.full(n + 1, np.inf)
        top = 1
        stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = layer, n, layer - 1, n - 1
        while top > 0:
            top -= 1
            low, high, first, last = stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3]
            if low > high:
                continue
            middle = (low + high) // 2
            value, where = np.inf, first
            for start in range(first, min(last, middle - 1) + 1):
                candidate = best[start] + (position[middle] - position[start]) * level[start]
                if candidate < value:
                    value, where = candidate, start
            fresh[middle] = value
            choice[layer, middle] = where
            stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = low, middle - 1, first, where
            stack[top + 1, 0], stack[top + 1, 1], stack[top + 1, 2], stack[top + 1, 3] = middle + 1, high, where, last
            top += 2
        best = fresh


monge_layers = kernel(_monge_layers)
