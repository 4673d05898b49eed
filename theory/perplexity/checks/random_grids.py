"""Randomly placed grids halve the bound; the game between grids and languages."""

from functools import cache
from itertools import product
from math import ceil

import numpy as np
import sympy as sp
from flint import fmpq, fmpq_mat
from scipy.integrate import quad

import toy_models as tm
from theory.ledger.instances import all_hold
from theory.ledger.registry import Outcome, check, control, decide, tightness
from theory.perplexity.checks.instances import library_agrees, rational_repetition
from theory.perplexity.rays import at_most_for_every_language, ray_values, shifted_row_by_definition
from theory.perplexity.results import Results, uniform
from toy_models.exact import curves as ec
from toy_models.exact import decide_equal
from toy_models.quantities.trajectory_kl import curve_kl
from toy_models.schedules.optimal import weights_cost


@check("shifted-grid-halves", tier="rational")
def shifted_grid(results: Results) -> Outcome:
    """shifted-grid-halves: E over the shift of E KL <= (TC + DTC)/(2(N-1)), every language, L <= 9, N <= 8.

    The cost is the definition integrated over the shift as a polynomial; the closed row and the library agree with it.
    """
    verdicts = []
    for length, steps in product(range(2, 10), range(2, 9)):
        row = shifted_row_by_definition(length, steps)
        bound = ec.drop_row(length) * fmpq(1, 2 * (steps - 1))
        verdicts.append(at_most_for_every_language(row, bound))
        verdicts.append("PROVED" if row == ec.shifted_grid_row(length, steps) else "REFUTED")
        verdicts.append(library_agrees(tm.ShiftedReveal(steps), row))
    return all_hold(verdicts)


@tightness("shifted-grid-halves", tier="float64")
def shifted_grid_tight(results: Results) -> Outcome:
    """shifted-grid-halves: repetition comes within 2% at L = 512, N = 8."""
    g = tm.information_curve(tm.repetition(2, 512))
    ratio = curve_kl(g, tm.ShiftedReveal(8)) / (512 * (g[0] - g[-1]) / 14)
    return decide(0.97 < ratio <= 1, 1, 1 - ratio)


@control("shifted-grid-halves", tier="float64")
def shifted_grid_without_shift(results: Results) -> Outcome:
    """shifted-grid-halves claimed for the fixed uniform grid."""
    g = tm.information_curve(tm.repetition(2, 512))
    ratio = curve_kl(g, uniform(8)) / (512 * (g[0] - g[-1]) / 14)
    return decide(ratio <= 1, 1, 1 - ratio)


@control("shifted-grid-halves", tier="float64")
def shifted_grid_below_half(results: Results) -> Outcome:
    """shifted-grid-halves with the constant 1/(2N): no random grid reaches it at N = 2, where the game is worth 1/e."""
    g = tm.information_curve(tm.repetition(2, 512))
    return decide(curve_kl(g, tm.ShiftedReveal(2)) <= 512 * (g[0] - g[-1]) / 4, 1)


@check("random-offset-sizes", tier="rational")
def random_offset(results: Results) -> Outcome:
    """random-offset-sizes: boundaries r, r+s, ..: E KL <= (s-1)/2 (TC + DTC)/L, every language, L <= 12, s <= 15."""
    verdicts = []
    for length, size in product(range(2, 13), range(1, 16)):
        row = _offset_row(length, size)
        verdicts.append(at_most_for_every_language(row, ec.drop_row(length) * fmpq(size - 1, 2 * length)))
        repetition = ray_values(row)[0]  # the ray k = 1: equality iff s <= L
        verdicts.append("PROVED" if (repetition == fmpq(size - 1, 2)) == (size <= length) else "REFUTED")
        if size <= length:
            cuts = sorted({0, length, *range(size - 1, length, size)})
            sizes = np.diff(cuts).tolist()
            verdicts.append(library_agrees(tm.RandomOrder(sizes), ec.sizes_row(sizes)))
    return all_hold(verdicts)


@cache
def _offset_row(length: int, size: int) -> fmpq_mat:
    """Mean over r of the cost with the boundaries r, r + size, ..."""
    total = fmpq_mat(1, length)
    for r in range(size):
        cuts = sorted({0, length, *range(r, length, size)})
        total += ec.sizes_row(np.diff(cuts).tolist()) * fmpq(1, size)
    return total


@tightness("random-offset-sizes", tier="rational")
def random_offset_equality(results: Results) -> Outcome:
    """random-offset-sizes: equality for repetition."""
    g = ec.curve(rational_repetition(3, 4))
    return all_hold([decide_equal(g.at(_offset_row(4, 2)), g.at(ec.drop_row(4) * fmpq(1, 8)))], 0.0)


@control("random-offset-sizes", tier="rational")
def fixed_offset(results: Results) -> Outcome:
    """random-offset-sizes without the random offset."""
    g = ec.curve(rational_repetition(3, 4))
    return all_hold([g.at_most(ec.sizes_row([2, 2]), ec.drop_row(4) * fmpq(1, 8))])


def _mds_ratio(length: int, dimension: int, weights) -> float:
    """E KL / (TC + DTC) of an [L, k] MDS code: g = log q on k' < k, so the unit of entropy cancels."""
    g = (np.arange(length) < dimension).astype(np.float64)
    return weights_cost(g, weights) / length


@check("uniform-minimax", tier="rational")
def uniform_minimax_upper(results: Results) -> Outcome:
    """uniform-minimax, upper half: E KL <= max Delta (TC + DTC) for every language, random weights, L <= 10."""
    rng, verdicts = np.random.default_rng(8), []
    for length in range(2, 11):
        for steps in (2, 3, 5):
            weights = ec.random_weights(rng, steps)
            row = ec.weights_row(length, weights)
            verdicts.append(at_most_for_every_language(row, ec.drop_row(length) * max(weights)))
            rule = tm.IndependentReveal([int(w.p) / int(w.q) for w in weights])
            verdicts.append(library_agrees(rule, row))
    return all_hold(verdicts)


@check("uniform-minimax", tier="float64")
def uniform_minimax(results: Results) -> Outcome:
    """uniform-minimax: over MDS codes of length 4000 the worst ratio reaches 0.9 max Delta and never exceeds max Delta.

    Twenty random schedules of four steps and the uniform one; codes start just right of each step's left end.
    """
    rng, length, shares = np.random.default_rng(8), 4000, []
    for weights in [np.full(4, 0.25), *rng.dirichlet(np.ones(4), size=20)]:
        starts = np.cumsum(weights) - weights
        first = [ceil(a * length + c * np.sqrt(length * a * (1 - a))) for a in starts for c in (0, 1, 2, 3)]
        dimensions = {min(max(1, k), length - 1) for k in first}
        shares.append(max(_mds_ratio(length, k, weights) for k in dimensions) / weights.max())
    holds = min(shares) > 0.9 and max(shares) <= 1 + 1e-12
    return decide(holds, len(shares), 1 - min(shares), "margin: largest share of max Delta that is not reached")


@tightness("uniform-minimax", tier="float64")
def uniform_minimax_value(results: Results) -> Outcome:
    """uniform-minimax: the value 1/N is approached by repetition."""
    ratio = 4 * _mds_ratio(4096, 1, np.full(4, 0.25))
    return decide(0.99 < ratio <= 1, 1, 1 - ratio)


@control("uniform-minimax", tier="float64")
def uniform_minimax_at_fixed_length(results: Results) -> Outcome:
    """uniform-minimax claimed at the fixed length 3: a_1 = 1 - 1/sqrt(3) is better (.2817 against .2917)."""
    worst = {a: max(_mds_ratio(3, k, np.array([a, 1 - a])) for k in (1, 2)) for a in (0.5, 1 - 3**-0.5)}
    return decide(worst[0.5] <= worst[1 - 3**-0.5], 1, worst[0.5] - worst[1 - 3**-0.5])


@check("game-number", tier="symbolic")
def game_number(results: Results) -> Outcome:
    """game-number: E_2 = 1/e, an optimal random grid and an optimal law of a, each with value 1/e; by primitives."""
    a, b, x = sp.symbols("a b x", positive=True)
    c, value = 1 - sp.exp(-1), sp.exp(-1)
    inside = -x - (1 - a) * sp.log(1 - x)  # primitive in x of (x - a)/(1 - x), the cut beyond a
    wait = inside.subs(x, c) - inside.subs(x, a) - (1 - a) * sp.log(1 - a)  # density 1/(1 - x), has mass 1 on [0, c]
    before = value * ((b - 1) / (1 - a) - sp.log(1 - a))  # primitive in a of (b - a)/(e (1 - a)^2)
    after = -value * sp.log(1 - a)  # primitive in a of (1 - a)/(e (1 - a)^2)
    cost = b * value + before.subs(a, b) - before.subs(a, 0) + after.subs(a, c) - after.subs(a, b)
    zero = (
        sp.diff(inside, x) - (x - a) / (1 - x),
        -sp.log(1 - c) - 1,
        sp.diff(before, a) - value * (b - a) / (1 - a) ** 2,
        sp.diff(after, a) - value / (1 - a),
        wait - value,
        cost - value,
    )
    holds = all(sp.simplify(sp.expand(term)) == 0 for term in zero)
    return decide(holds, len(zero), 0.0, "both players guarantee 1/e, as identities in the point a and in the cut b")


@tightness("game-number", tier="float64")
def game_bounds(results: Results) -> Outcome:
    """game-number: linear programmes on 24 cells put E_N between 1/(2N) and 1/(2(N-1)) for N = 2, 3; E_2 near 1/e."""
    values = {n: _grid_game(n, 24) for n in (2, 3)}
    inside = all(1 / (2 * n) <= v <= 1 / (2 * (n - 1)) for n, v in values.items())
    return decide(inside and abs(values[2] - np.exp(-1)) < 0.02, 2, abs(values[2] - np.exp(-1)))


def _grid_game(steps: int, cells: int) -> float:
    """Value of the game on a grid of cut points k/cells, by linear programming over random grids."""
    from itertools import combinations

    from scipy.optimize import linprog

    cuts = list(combinations(range(1, cells), steps - 1))
    payoff = np.empty((cells, len(cuts)))
    for column, inner in enumerate(cuts):
        ends = np.array([*inner, cells])
        payoff[:, column] = (ends[np.searchsorted(ends, np.arange(cells), side="right")] - np.arange(cells)) / cells
    count = len(cuts)
    found = linprog(
        np.append(np.zeros(count), 1.0),
        A_ub=np.hstack([payoff, -np.ones((cells, 1))]),
        b_ub=np.zeros(cells),
        A_eq=np.append(np.ones(count), 0.0)[None],
        b_eq=[1.0],
    )
    return float(found.fun)


@control("game-number", tier="float64")
def game_uniform_shift(results: Results) -> Outcome:
    """game-number: the uniform shift is claimed to reach 1/e at N = 2; its worst case is 1/2."""
    worst = max(quad(lambda u, a=a: (u if u > a else 1) - a, 0, 1, points=[a])[0] for a in (0.0, 0.2, 0.5))
    return decide(worst <= np.exp(-1), 3, worst - np.exp(-1))
