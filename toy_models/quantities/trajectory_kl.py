"""What a sampler loses against its target: KL divergences, sequence error, cross-entropy, calls.

Every function picks the cheapest exact route that fits; `denoiser=None` means the oracle. Sizes beyond every exact
route raise IntractableError.
"""

import numpy as np
from jaxtyping import Float

from toy_models.door import by_route, own_routes, require_pair, require_rule
from toy_models.quantities import lattice
from toy_models.quantities.information_curve import bernstein, information_curve, reveal_curve, reveal_integral
from toy_models.rounding import nonnegative_measure
from toy_models.rules import IndependentReveal, RandomOrder, ShiftedReveal
from toy_models.rules.protocol import Adaptive, ContentFree, Rule, sees_contents, stages_of
from toy_models.rules.replay_law import visited_states
from toy_models.schedules.optimal import sizes_cost, weights_cost
from toy_models.targets.protocol import Denoiser, Target


def trajectory_kl(target: Target, rule: Rule, denoiser: Denoiser | None = None, method: str | None = None) -> float:
    """KL of the joint laws of (text, order) = E_q sum over steps of [total correlation + model error].

    Routes: "own" (oracle: the target's method `exact_trajectory_kl`, where it has one), "curve" (oracle and random
    order: from g, any length where g is exact), "enumeration" (any content-free or adaptive rule and denoiser, small
    L). For content-free rules this is E_tau KL(q || p_tau); for deterministic rules it equals marginal_kl. inf when the
    denoiser rules out what the target allows.

    >>> round(float(tm.trajectory_kl(tm.pairs(2, 2), tm.IndependentReveal([0.5, 0.5])) / np.log(2)), 12)  # P(same step)
    0.5
    """
    require_pair(target, denoiser)
    rule = require_rule(rule, target.length)
    routes = own_routes(target, "exact_trajectory_kl", rule) if denoiser is None else {}
    if denoiser is None and isinstance(rule, RandomOrder | IndependentReveal | ShiftedReveal):
        routes["curve"] = lambda: _excess_of_curve(information_curve(target), rule)
    routes["enumeration"] = lambda: _excess_over(target.entropy(), _path_cross_entropy(target, rule, denoiser))
    return by_route(method, routes, _case(target, rule, denoiser))


def _excess_of_curve(g: Float[np.ndarray, " L"], rule: RandomOrder | IndependentReveal | ShiftedReveal) -> float:
    return nonnegative_measure("trajectory KL", curve_kl(g, rule), 1.0 + len(g) * g[0])


def _excess_over(entropy: float, loss: float) -> float:
    return nonnegative_measure("trajectory KL", loss - entropy, 1.0 + entropy)


def _case(target: Target, rule: Rule, denoiser: Denoiser | None) -> str:
    return f"{type(rule).__name__} on {type(target).__name__} with {type(denoiser).__name__ if denoiser else 'itself'}"


def curve_kl(g: Float[np.ndarray, " L"], rule: RandomOrder | IndependentReveal | ShiftedReveal) -> float:
    """E_tau KL(q || p_tau) of a random-order rule from the information curve g.

    >>> round(float(tm.quantities.curve_kl(np.array([1.0, 0.0]), tm.RandomOrder([2]))), 12)
    1.0
    """
    if isinstance(rule, RandomOrder):
        return sizes_cost(g, np.array(rule.sizes))
    if isinstance(rule, IndependentReveal):
        return weights_cost(g, rule.weights)
    cells = rule.steps - 1  # E over U of sum_j Delta_j h(a_{j-1}), integrated in closed form
    last = (cells - 1) / cells
    tail = _tail_integral(g, last)
    total = reveal_curve(g, 0.0) / (2 * cells) + reveal_integral(g, last) + cells * tail
    return float(len(g) * total - g.sum())


def _tail_integral(g: Float[np.ndarray, " L"], a: float) -> float:
    """int_a^1 (1 - s) h(s) ds: (1 - s) h(s) has Bernstein coefficients (L - k)/L g[k] of degree L."""
    length = len(g)
    coefficients = np.append((length - np.arange(length)) / length * g, 0.0)
    sums = np.concatenate([[0.0], np.cumsum(coefficients)]) / (length + 1)
    return float(sums[-1] - bernstein(sums, np.asarray(a, dtype=np.float64)))


def _path_cross_entropy(target: Target, rule: ContentFree | Adaptive, denoiser: Denoiser | None) -> float:
    """E over (x, order) of -sum log p(x_i | revealed when i is written), by enumeration of revealed sets or states."""
    if sees_contents(rule):
        visit = visited_states(target, rule, denoiser)
        return visit.cross_entropy
    loss = lattice.subset_cross_entropies(target, denoiser)
    return float(sum(w * _stage_losses(loss, stages, target.length) for w, stages in stages_of(rule, target.length)))


def _stage_losses(loss: Float[np.ndarray, "sets L"], stages, length: int) -> float:
    """sum over stages and revealed sets T of P(T) sum_i P(i revealed now | T) loss[T, i]."""
    subsets = np.arange(2**length)
    mass = np.zeros(2**length)
    mass[0] = 1.0
    total = 0.0
    for stage in stages:
        active = np.flatnonzero(stage.active)
        masked = (1 - (subsets[:, None] >> active & 1)).sum(axis=1)
        for i in active:
            here = mass > 0  # loss is 0 where i is revealed
            chance = _inclusion(stage.weights)[masked[here]]
            relevant = chance > 0
            share, each = (mass[here] * chance)[relevant], loss[here, i][relevant]
            total += np.inf if np.isinf(each).any() else float(share @ each)
        mass = _advance(mass, masked, active, stage.weights)
    return total


def _inclusion(weights: Float[np.ndarray, "n n"]) -> Float[np.ndarray, " n"]:
    """P(a given masked position is revealed | m masked) = sum_s C(m-1, s-1) weights[m, s]."""
    from scipy.special import comb

    m, s = np.arange(len(weights))[:, None], np.arange(len(weights))[None, :]
    return (comb(m - 1, s - 1) * weights).sum(axis=1)  # C is 0 where m or s is


def _advance(mass, masked, active, weights):
    """P(T) after the stage: sum over subsets S of the active masked positions, by submask enumeration."""
    result = np.zeros_like(mass)
    full = int(sum(1 << int(i) for i in active))
    popcount = np.array([bin(s).count("1") for s in range(len(mass))])
    for before in np.flatnonzero(mass):
        free = full & ~int(before)
        reveal = free
        while True:
            result[before | reveal] += mass[before] * weights[masked[before], popcount[reveal]]
            if reveal == 0:
                break
            reveal = (reveal - 1) & free
    return result
