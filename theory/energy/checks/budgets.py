"""The sweep over targets, budgets and schedules, by plain sums and a plain dynamic programme."""

from itertools import product

import numpy as np
from scipy.special import betainc
from scipy.stats import binom

import toy_models as tm
from theory.energy.budgets import language_curves
from theory.energy.results import Results
from theory.ledger.registry import decide, definition

CUTS = 400  # grid of reveal fractions on which the search for the optimum over weights starts
ZOOMS, AROUND = 3, 8  # then a grid four times finer around each knot: how often, and its points on either side


def sizes_kl(g: np.ndarray, sizes) -> float:
    """sum_j s_j g[N_j] - sum_k g[k]."""
    before = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return float(sum(s * g[n] for s, n in zip(sizes, before, strict=True) if s) - g.sum())


def reveal_curve(g: np.ndarray, a) -> np.ndarray:
    """h(a) = E g[Bin(L-1, a)] from the binomial table."""
    return binom.pmf(np.arange(len(g)), len(g) - 1, np.atleast_1d(a)[:, None]) @ g


def weights_kl(g: np.ndarray, knots: np.ndarray) -> float:
    """L (sum_j (a_j - a_(j-1)) h(a_(j-1)) - mean of g)."""
    return float(len(g) * (np.diff(knots) @ reveal_curve(g, knots[:-1]) - g.mean()))


def least(places: np.ndarray, values: np.ndarray, steps: int) -> tuple[float, np.ndarray]:
    """min of sum_j (x_j - x_(j-1)) v(x_(j-1)) over x_0 = 0 <= ... <= x_N = end, x on `places`, by recursion; the x."""
    price = (places[None] - places[:, None]) * values[:, None]
    price[np.tril_indices(len(places), -1)] = np.inf  # never back
    cost, onward = np.where(places == places[-1], 0.0, np.inf), []
    for _ in range(steps):
        total = price + cost
        onward.append(total.argmin(axis=1))
        cost = total[np.arange(len(places)), onward[-1]]
    path = [0]
    for chosen in reversed(onward):
        path.append(chosen[path[-1]])
    return float(cost[0]), places[path]


def least_sizes(g: np.ndarray, steps: int) -> float:
    """min of sizes_kl over all sizes."""
    return least(np.arange(len(g) + 1.0), np.append(g, 0.0), steps)[0] - float(g.sum())


def least_weights(g: np.ndarray, steps: int) -> float:
    """min of weights_kl over knots on a grid of fractions, then on finer grids around the knots found.

    It is the KL of one schedule, so an upper bound of the optimum.
    """
    cell, a = 1 / CUTS, np.linspace(0, 1, CUTS + 1)
    value, knots = least(a, reveal_curve(g, a), steps)
    for _ in range(ZOOMS):
        cell /= 4
        around = knots[:, None] + cell * np.arange(-AROUND, AROUND + 1)
        a = np.unique(np.clip(around, 0, 1))
        value, knots = least(a, reveal_curve(g, a), steps)
    return float(len(g) * (value - g.mean()))


def own_kl(g: np.ndarray, alpha: np.ndarray, rule: str) -> float:
    """The trajectory KL of a schedule given by alpha(j/N)."""
    return weights_kl(g, alpha) if rule == "independent" else sizes_kl(g, np.diff(np.rint(len(g) * alpha).astype(int)))


def beta_alpha(a: float, b: float, steps: int) -> np.ndarray:
    return np.sin(np.pi / 2 * betainc(a, b, np.arange(steps + 1) / steps)) ** 2


@definition("energy-beta-against-optimum", tier="float64")
def optimum_by_plain_recursion(res: Results):
    """Sizes: the optimum = the O(N L^2) recursion. Weights: not above the best on a grid, at most 1e-3 below it."""
    equal, above = [], []
    for row in res.budgets:
        if row.rule == "sizes":
            equal.append(abs(least_sizes(res.curves[row.target], row.steps) / row.optimum - 1))
        else:
            above.append(least_weights(res.curves[row.target], row.steps) / row.optimum - 1)
    holds = max(equal) < 1e-9 and -1e-9 < min(above) <= max(above) < 1e-3
    return decide(holds, len(equal) + len(above), max(above), "margin: relative excess of the best weights on the grid")


@definition("energy-beta-against-optimum", tier="float64")
def schedules_by_plain_sums(res: Results):
    """KL of linear, sin^2 and the best Beta by plain sums; no pair (a, b) of a coarse grid is better than the best."""
    gaps, better = [], []
    for row in res.budgets:
        g, grid = res.curves[row.target], np.arange(row.steps + 1) / row.steps
        shown = (
            (row.linear, grid),
            (row.sine_squared, np.sin(np.pi / 2 * grid) ** 2),
            (row.best_beta, beta_alpha(row.a, row.b, row.steps)),
        )
        gaps += [abs(value / own_kl(g, alpha, row.rule) - 1) for value, alpha in shown]
        coarse = [
            own_kl(g, beta_alpha(a, b, row.steps), row.rule) for a in (0.2, 0.4, 0.7) for b in (0.2, 0.4, 0.7, 1.5)
        ]
        better.append(min(coarse) / row.best_beta - 1)
        gain = row.linear - row.optimum
        gaps.append(abs(row.reached * gain - (row.linear - row.best_beta)) / row.linear if row.reached < 1 else 0.0)
    return decide(max(gaps) < 1e-9 and min(better) > -1e-9, len(gaps) + len(better), max(gaps))


@definition("energy-beta-against-optimum", tier="float64")
def curves_sum_to_entropies(res: Results):
    """Each information curve falls, starts at the entropy of one token and sums to the entropy of its target."""
    full = res.profile == "full"
    length = 1024 if full else 256
    own = language_curves(full, res.corpus)
    stay = 0.99 * np.log(0.99) + 0.01 * np.log(0.01)
    entropies = {"sticky chain, 0.99": np.log(2) - (length - 1) * stay, "copies in blocks of 8": length / 8 * np.log(2)}
    entropies["text, 2-gram"] = tm.corpus.language(2, length, res.corpus).entropy()
    gaps = [abs(res.curves[name].sum() / h - 1) for name, h in entropies.items()]
    gaps += [abs(res.curves[name][0] - np.log(2)) for name in ("sticky chain, 0.99", "copies in blocks of 8")]
    falls = [bool((np.diff(g) <= 1e-9).all()) and len(g) == length for g in res.curves.values()]
    same = own.keys() == res.curves.keys()
    return decide(max(gaps) < 1e-9 and all(falls) and same, len(gaps) + len(falls), max(gaps))


@definition("energy-beta-against-optimum", tier="float64")
def landscape_of_the_search(res: Results):
    """The drawn grid of KL over (a, b) by plain sums at nine of its points, and its best point is its least value."""
    found, g = res.search, res.curves[res.search_target]
    picked = np.linspace(0, len(found.a_grid) - 1, 3).astype(int)
    gaps = []
    for i, j in product(picked, repeat=2):
        own = own_kl(g, beta_alpha(float(found.a_grid[i]), float(found.b_grid[j]), 16), "sizes")
        gaps.append(abs(float(found.grid_kl[i, j]) / own - 1))
    best = own_kl(g, beta_alpha(found.a, found.b, 16), "sizes")
    gaps.append(abs(found.kl / best - 1))
    return decide(max(gaps) < 1e-9 and found.kl <= found.grid_kl.min() * (1 + 1e-12), len(gaps), max(gaps))
