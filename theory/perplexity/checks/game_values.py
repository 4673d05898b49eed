"""The value of the game between random grids and languages, 1/m(N - 1), from both sides."""

from itertools import pairwise, product
from typing import SupportsFloat, cast

import numpy as np
import sympy as sp
from flint import arb, ctx

import toy_models as tm
from theory.ledger.registry import Outcome, check, control, decide, tightness
from theory.perplexity.game import least_cost, optimal_grids, optimal_points, worst_point
from theory.perplexity.results import Results
from toy_models.schedules import minimax_value, minimax_weights, uniform_renewals
from toy_models.schedules.optimal import weights_cost

SCALE = 2**24


@check("game-values", tier="symbolic")
def renewals_of_the_uniform_law(results: Results) -> Outcome:
    """game-values: the sum is e^s on [0, 1], continuous, m'(s) = m(s) - m(s - 1) on each unit interval up to 6; at 1,
    2, 3 it is e, e^2 - e, e^3 - 2 e^2 + e/2, of reciprocals .3678794, .2140973, .1500023; the library agrees.
    """
    s, e = sp.symbols("s"), sp.E

    def piece(k: int):
        return sum(((j - s) ** j * sp.exp(s - j) / sp.factorial(j) for j in range(1, k + 1)), sp.exp(s))

    zero = [sp.simplify(sp.diff(piece(k), s) - piece(k) + piece(k - 1).subs(s, s - 1)) for k in range(1, 7)]
    zero += [sp.simplify((piece(k) - piece(k - 1)).subs(s, k)) for k in range(1, 7)]
    closed = (e, e**2 - e, e**3 - 2 * e**2 + e / 2)
    zero += [sp.simplify(piece(k).subs(s, k) - value) for k, value in enumerate(closed, start=1)]
    printed = zip(closed, (0.3678794, 0.2140973, 0.1500023), strict=True)
    holds = all(term == 0 for term in zero) and all(abs(float(1 / v) - p) < 5e-8 for v, p in printed)
    holds &= all(
        abs(uniform_renewals(x) - float(cast(SupportsFloat, piece(int(x)).subs(s, x)))) < 1e-11
        for x in (0.3, 1.0, 2.7, 4.5)
    )
    return decide(bool(holds), len(zero) + 7, 0.0)


@check("game-values", tier="rational")
def enclosed_by_two_programmes(results: Results) -> Outcome:
    """game-values: N = 2, 3, 4, 5 between what two strategies in integers guarantee: a list of grids against every a,
    weights on points against every grid (dynamic programme). Both are bounds whatever the theory says; 1/m is inside.
    """
    count, widths, holds = 400 if results.profile == "full" else 120, [], True
    for steps in (2, 3, 4, 5):
        top, grids = worst_point(optimal_grids(steps, count, SCALE), SCALE)
        points, weights = optimal_points(steps, count, SCALE)
        bottom = least_cost(points, weights, steps - 1, SCALE)
        low, high = arb(bottom) / int(weights.sum()) / SCALE, arb(top) / grids / SCALE
        value = _value(steps - 1)
        holds &= bool(low < value) and bool(value < high)
        widths.append(float(high - low))
    return decide(holds, 8, max(widths), "margin: widest bracket")


def _value(last: int) -> arb:
    """1/m(R) as a ball."""
    ctx.prec = 128
    terms = (arb(k - last) ** k * arb(last - k).exp() / arb.fac_ui(k) for k in range(last + 1))
    return 1 / sum(terms, arb(0))


@check("game-values", tier="float64")
def every_point_waits_alike(results: Results) -> Outcome:
    """game-values: E[next(a) - a] of the optimal grids by quadrature over U is 1/m(R) for each a <= X(R), less beyond;
    N = 2..8. And the E KL of every step curve is at most L/m(R) (L = 64).
    """
    nodes, weight = np.polynomial.legendre.leggauss(64)
    gaps, worst, last_gap = [], -np.inf, []
    for steps in range(2, 9):
        value, reach = minimax_value(steps), 1 - minimax_value(steps)
        for a in (0.0, 0.2 * reach, 0.77 * reach, 0.999 * reach):
            gaps.append(abs(_wait(steps, a, nodes, weight) - value))
        last_gap.append(value - _wait(steps, reach + 0.1 * (1 - reach), nodes, weight))
    u, w = np.polynomial.legendre.leggauss(64)
    for steps, k in product((3, 5), range(1, 64, 3)):
        g = (np.arange(64) < k).astype(float)
        cost = sum(b / 2 * weights_cost(g, minimax_weights(steps, (1 + x) / 2)) for x, b in zip(u, w, strict=True))
        worst = max(worst, float(cost) / 64 - minimax_value(steps))
    holds = max(gaps) < 1e-10 and min(last_gap) > 0 and worst < 1e-10
    return decide(holds, len(gaps) + len(last_gap) + 42, max(gaps), "margin: largest deviation from 1/m(R)")


def _wait(steps: int, a: float, nodes: np.ndarray, weight: np.ndarray) -> float:
    """E over U of next(a) - a, split where a cut crosses a: X is inverted by bisection."""
    whole, last = uniform_renewals(steps - 1.0), steps - 1

    def place(t: float) -> float:
        return 1.0 - uniform_renewals(last - t) / whole

    low, high = 0.0, float(last)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if place(middle) <= a else (low, middle)
    total, cut = 0.0, low % 1.0
    for left, right in pairwise((0.0, cut, 1.0)):
        for x, w in zip(nodes, weight, strict=True):
            u = (left + right) / 2 + (right - left) / 2 * x
            ends = [*(place(u + k) for k in range(last)), 1.0]
            total += w * (right - left) / 2 * (next(end for end in ends if end > a) - a)
    return total


@check("game-values", tier="float64")
def every_grid_pays(results: Results) -> Outcome:
    """game-values: against the optimal law of a, cost times m(R)^2 of random grids is m(R) or more, equality for the
    grids t_j = tau + j - 1; T(t, t') >= phi(t') - phi(t) - kappa of the proof on a lattice of t, t'; N = 2, 3, 4, 6.
    """
    rng, equal, least, calibrated = np.random.default_rng(75), [], np.inf, np.inf
    for last in (1, 2, 3, 5):
        whole = uniform_renewals(float(last))
        for tau in (0.01, 0.1, 0.5, 1.0):
            equal.append(abs(_cost([tau + j for j in range(last)], last) - whole))
        for _ in range(60 if results.profile == "full" else 12):
            excess = _cost(np.sort(rng.uniform(0, last, last)).tolist(), last) - whole
            if last == 1:  # one cut: every grid costs the same
                equal.append(abs(excess))
            else:
                least = min(least, excess)
        marks = np.linspace(0, last, 4 * last + 1).tolist()
        for t, later in ((a, b) for a in marks for b in [*(x for x in marks if x >= a), float("inf")]):
            slack = _triangle(t, later, last) - (_potential(later, last) - _potential(t, last)) + _slope(float(last))
            calibrated = min(calibrated, slack)
    holds = max(equal) < 1e-10 and least > 0 and calibrated > -1e-10
    return decide(holds, len(equal) + 48, least, "margin: least excess of a random grid, times m(R)^2")


def _slope(s: float) -> float:
    return uniform_renewals(s) - uniform_renewals(s - 1)


NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)


def _integral(function, low: float, high: float) -> float:
    """Gauss-Legendre between the integers, where the pieces are analytic."""
    marks = sorted({low, high, *(float(k) for k in range(int(low), int(high) + 1) if low < k < high)})
    return sum(
        (b - a) / 2 * float(w * function((a + b) / 2 + (b - a) / 2 * x))
        for a, b in pairwise(marks)
        for x, w in zip(NODES, WEIGHTS, strict=True)
    )


def _triangle(t: float, later: float, last: int) -> float:
    """T(t, t') = integral over r in [t, t') of (mass of s in [r, t')) dm(r); t' = inf: the end, with the atom s = R."""
    below = 0.0 if later > last else uniform_renewals(last - later)
    if later <= t:
        return 0.0
    atom = uniform_renewals(float(last)) - below if t == 0 else 0.0
    return atom + _integral(lambda r: (uniform_renewals(last - r) - below) * _slope(r), t, min(later, float(last)))


def _potential(t: float, last: int) -> float:
    """phi(t) = integral of m'(t) m'(R - t) + m'(R) (1[t > 0] + 1[t > R])."""
    jumps = _slope(float(last)) * ((t > 0) + (t > last))
    return _integral(lambda r: _slope(r) * _slope(last - r), 0.0, min(t, float(last))) + jumps


def _cost(cuts: list[float], last: int) -> float:
    return sum(_triangle(a, b, last) for a, b in pairwise([0.0, *cuts, float("inf")]))


@tightness("game-values", tier="float64")
def limit_form(results: Results) -> Outcome:
    """game-values: 1/E_N - (2 N - 4/3) is below 1e-3 from N = 4 on."""
    away = [abs(1 / minimax_value(n) - (2 * n - 4 / 3)) for n in range(4, 13)]
    return decide(max(away) < 1e-3, len(away), max(away))


@control("game-values", tier="rational")
def shifted_grid_is_optimal(results: Results) -> Outcome:
    """game-values: the shifted uniform grid claimed optimal for N = 3; its worst case, 1/4, exceeds the bracket."""
    top, grids = worst_point(optimal_grids(3, 120, SCALE), SCALE)
    return decide(4 * top >= grids * SCALE, 1, 0.25 - top / grids / SCALE)


@control("game-values", tier="float64")
def independent_points_of_the_grid(results: Results) -> Outcome:
    """game-values with a shift of its own for each cut in place of one common U: N = 3, some a waits longer."""
    grids = optimal_grids(3, 120, SCALE)
    mixed = np.array([(a, b) for a in grids[:, 0] for b in grids[:, 1]])
    top, count = worst_point(mixed, SCALE)
    return decide(top / count / SCALE <= minimax_value(3) + 0.003, 1, top / count / SCALE)


@control("game-values", tier="float64")
def one_more_variable(results: Results) -> Outcome:
    """game-values with m(N) in place of m(N - 1): the uniform law of a alone makes 3 steps cost 1/6 > 1/m(3)."""
    points = np.arange(400, dtype=np.int64) * (SCALE // 400)
    bottom = least_cost(points, np.ones(400, dtype=np.int64), 2, SCALE) / 400 / SCALE
    return decide(bottom <= 1 / uniform_renewals(3.0), 1, bottom)


@control("game-values", tier="float64")
def shifted_grid_on_repetition(results: Results) -> Outcome:
    """game-values: E KL <= (TC + DTC)/m(2) claimed for the shifted grid with N = 3, repetition, L = 512."""
    g = tm.information_curve(tm.repetition(2, 512))
    cost = tm.quantities.curve_kl(g, tm.ShiftedReveal(3))
    return decide(cost <= minimax_value(3) * 512 * (g[0] - g[-1]), 1)
