"""What a sampler loses against its target: KL divergences, sequence error, cross-entropy, calls.

Every function picks the cheapest exact route that fits; `denoiser=None` means the oracle. Sizes beyond every exact
route raise IntractableError.
"""

import numpy as np
from jaxtyping import Float

from toy_models import lattice
from toy_models.door import ADAPTIVE, CONTENT_FREE, DRAWN, by_route, own_routes, require_pair, require_rule
from toy_models.errors import IntractableError
from toy_models.information import bernstein, information_curve, reveal_curve, reveal_integral
from toy_models.laws import sampler_law
from toy_models.optimal_schedules import sizes_cost, weights_cost
from toy_models.policies.replay_law import visited_states
from toy_models.targets.protocol import Denoiser, Target, own_route
from toy_models.unmasking import IndependentReveal, RandomOrder, ShiftedReveal
from toy_models.unmasking.protocol import Rule, Stage, sees_contents, stages_of

MAX_ORDER_LENGTH = 14  # 2^L revealed sets for the calls of a rule that names no closed form
EVERY_KIND = (CONTENT_FREE, ADAPTIVE, DRAWN)


def trajectory_kl(target: Target, rule: Rule, denoiser: Denoiser | None = None, method: str | None = None) -> float:
    """KL of the joint laws of (text, order) = E_q sum over steps of [total correlation + model error].

    Routes: "own" (oracle: the target's method `exact_trajectory_kl`, where it has one), "curve" (oracle and random
    order: from g, any length where g is exact), "enumeration" (any content-free or adaptive rule and denoiser, small
    L). For content-free rules this is E_tau KL(q || p_tau); for deterministic rules it equals marginal_kl. inf when the
    denoiser rules out what the target allows.
    """
    require_pair(target, denoiser)
    require_rule(rule, target.length)
    routes = own_routes(target, "exact_trajectory_kl", rule) if denoiser is None else {}
    if denoiser is None and isinstance(rule, RandomOrder | IndependentReveal | ShiftedReveal):
        routes["curve"] = lambda: curve_kl(information_curve(target), rule)
    routes["enumeration"] = lambda: _path_cross_entropy(target, rule, denoiser) - target.entropy()
    return by_route(method, routes, _case(target, rule, denoiser))


def _case(target: Target, rule: Rule, denoiser: Denoiser | None) -> str:
    return f"{type(rule).__name__} on {type(target).__name__} with {type(denoiser).__name__ if denoiser else 'itself'}"


def curve_kl(g: Float[np.ndarray, " L"], rule: RandomOrder | IndependentReveal | ShiftedReveal) -> float:
    """E_tau KL(q || p_tau) of a random-order rule from the information curve g."""
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


def _path_cross_entropy(target: Target, rule: Rule, denoiser: Denoiser | None) -> float:
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
        masked = sum((1 - (subsets >> i & 1) for i in active), start=np.zeros_like(subsets))
        for i in active:
            here = mass > 0  # loss is 0 where i is revealed
            chance = _inclusion(stage.weights)[masked[here]]
            relevant = chance > 0
            total += float((mass[here] * chance)[relevant] @ loss[here, i][relevant])
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


def marginal_kl(target: Target, rule: Rule, denoiser: Denoiser | None = None) -> float:
    """KL(q || p), p the law of what is written. Independent reveal on blocks factorises; else the lattice law."""
    model = require_pair(target, denoiser)
    require_rule(rule, target.length, EVERY_KIND)
    own = own_route(target, "exact_marginal_kl", rule) if denoiser is None else None
    if own is not None:
        return own
    q = lattice.to_table(target).pmf
    p = sampler_law(model, rule).pmf
    seen = q > 0
    with np.errstate(divide="ignore"):
        return float((q[seen] * np.log(q[seen] / p[seen])).sum())


def sequence_error(target: Target, rule: Rule, denoiser: Denoiser | None = None) -> float:
    """SER = 1 - p(supp q), impossible mass included.

    The target's own route for the oracle (`exact_sequence_error`: pair language in closed form, blocks as a product,
    Markov chains by the gap recursion, at any L); else the lattice law.
    """
    model = require_pair(target, denoiser)
    require_rule(rule, target.length, EVERY_KIND)
    own = own_route(target, "exact_sequence_error", rule) if denoiser is None else None
    if own is not None:
        return own
    q = lattice.to_table(target).pmf
    law = sampler_law(model, rule)
    return float(law.pmf[q == 0].sum() + law.impossible)


def generative_cross_entropy(target: Target, rule: Rule, denoiser: Denoiser | None = None) -> float:
    """E_{x~p}[-log q(x)], what "generative perplexity" plots (nats per sequence); inf when SER > 0.

    It is not controlled by KL(q || p): a sampler that repeats one likely sentence scores best.
    """
    model = require_pair(target, denoiser)
    require_rule(rule, target.length, EVERY_KIND)
    q = lattice.to_table(target).pmf
    law = sampler_law(model, rule)
    if law.impossible > 0:
        return float("inf")
    written = law.pmf > 0
    with np.errstate(divide="ignore"):
        return float(-(law.pmf[written] * np.log(q[written])).sum())


def expected_calls(target: Target, rule: Rule, denoiser: Denoiser | None = None, under: str = "q") -> float:
    """Expected denoiser calls that reveal at least one token.

    under="q": replayed along data; under="p": along what is written (a stopped run counts the calls it made).
    Content-free rules under q need only the law of the reveal counts: the rule's own `expected_calls(length)` where it
    has one, else a sum over its stages.
    """
    if under not in ("q", "p"):
        raise ValueError(f'under = {under!r}, allowed: "q", "p"')
    model = require_pair(target, denoiser)
    require_rule(rule, target.length, EVERY_KIND if under == "p" else (CONTENT_FREE, ADAPTIVE))
    if under == "p":
        return sampler_law(model, rule).mean_steps
    if sees_contents(rule):
        return visited_states(target, rule, denoiser).calls
    own = getattr(rule, "expected_calls", None)
    if own is not None:
        return own(target.length)
    return float(sum(w * _stage_calls(stages, target.length) for w, stages in stages_of(rule, target.length)))


def _stage_calls(stages: list[Stage], length: int) -> float:
    """sum over stages of P(at least one position is revealed), over the sets T of revealed positions."""
    if length > MAX_ORDER_LENGTH:
        raise IntractableError(
            "the calls of a rule from its stages",
            f"L = {length}, hence 2^{length} revealed sets",
            f"L <= {MAX_ORDER_LENGTH}",
            "give the rule a method expected_calls(length)",
        )
    subsets = np.arange(2**length)
    mass = np.zeros(2**length)
    mass[0] = 1.0
    total = 0.0
    for stage in stages:
        active = np.flatnonzero(stage.active)
        masked = sum((1 - (subsets >> i & 1) for i in active), start=np.zeros_like(subsets))
        total += float(mass @ (1.0 - stage.weights[masked, 0]))
        mass = _advance(mass, masked, active, stage.weights)
    return total
