"""Sequence error on a text's bigram language: how often a written text holds a pair of neighbours it never has.

Exact by the level recursion where it is cheap; else split between far ends (`chains.far_ends`) at the first distance at
which the chain has forgotten most, the error measured by a second cut; else sampled.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.chains.far_ends import FarEnds, split_levels
from toy_models.chains.level import level_flops
from toy_models.chains.recursion import exact_levels
from toy_models.chains.tables import stationary_distances
from toy_models.quantities.intervals import clopper_pearson
from toy_models.quantities.sampling import sample
from toy_models.rules import IndependentReveal
from toy_models.rules.protocol import Rule
from toy_models.targets.markov import MarkovChain

FORGOTTEN = 0.15  # delta beyond the cut
LONGEST_CUT = 48
MAX_FLOPS = 1.5e11  # some fifteen seconds
LONG = 128  # beyond it a geometric tail from SHORT on
SHORT = 96
SAMPLED = 400
CONFIDENCE = 0.99


@dataclass(frozen=True)
class PairError:
    """value with low <= SER <= high: exact (all equal), measured (both cuts), or sampled at 99 %.

    slots: the N steps of independent reveal; calls: how many of them reveal something, on average.
    """

    value: float
    low: float
    high: float
    slots: int | None
    calls: float
    how: str


def cut_of(chain: MarkovChain) -> int | None:
    """The first c with max |P^(c+1)/pi - 1| <= FORGOTTEN; None when that is far or never."""
    deltas = stationary_distances(chain, LONGEST_CUT + 1)
    if deltas is None or deltas[-1] > FORGOTTEN:
        return None
    return max(1, int(np.argmax(deltas <= FORGOTTEN)))


def log_valid(chain: MarkovChain, reveals: list[float], cut: int | None) -> tuple[Float[np.ndarray, " levels"], float]:
    """ln(1 - SER) after each level, reveals[m-1] with m steps remaining, and the proved error of the tail alone.

    cut None: exact.
    """
    n, length = chain.length + 1, np.array([chain.length])
    if cut is None:
        return np.array([np.log(w[n, -1, -1]) + n * g for w, g in exact_levels(chain, reveals, n)]), 0.0
    tail = n > LONG
    found = list(split_levels(chain, reveals, FarEnds(cut, 0.0), max(8 * cut, SHORT) if tail else n, tail))
    return np.array([part.log_valid(length)[0] for part in found]), float(np.expm1(found[-1].bound(length)[0]))


def route_of(chain: MarkovChain, levels: int) -> tuple[str, int | None]:
    """("exact", None), ("measured", cut) or ("sampled", None), whichever is cheap enough for so many levels."""
    n, v = chain.length + 1, chain.vocab_size
    if levels * level_flops(min(n, 6), v) > MAX_FLOPS:  # not even the shortest cut
        return "sampled", None
    cut = cut_of(chain)
    if levels * level_flops(n, v) <= MAX_FLOPS / 20 or (cut is not None and 2 * (cut + 2) >= n):
        return ("exact", None) if levels * level_flops(n, v) <= MAX_FLOPS else ("sampled", None)
    if cut is None:
        return ("exact", None) if levels * level_flops(n, v) <= MAX_FLOPS else ("sampled", None)
    span = n if n <= LONG else max(8 * cut, SHORT) + 3 * cut
    cost = level_flops(2 * cut + 4, v) + 3.0 * span**2 * (v + 1) ** 3
    return ("measured", cut) if levels * cost <= MAX_FLOPS else ("sampled", None)


def uniform_errors(chain: MarkovChain, largest: int, checked: int) -> tuple[list[PairError], "Route"]:
    """SER of uniform independent reveal for N = 1..largest in one sweep, and the route; empty where it is sampled.

    The second cut runs up to N = `checked`; the largest difference found there, times ten, is the interval of all.
    """
    how, cut = route_of(chain, 2 * largest)
    if how == "sampled":
        return [], Route(how, None, 0.0)
    reveals = [1.0 / m for m in range(1, largest + 1)]
    logs, gap = log_valid(chain, reveals, cut)
    value = -np.expm1(logs)
    if cut is not None:
        other = -np.expm1(log_valid(chain, reveals[:checked], cut + 2)[0])
        gap += 10.0 * float(np.abs(value[: len(other)] - other).max())
    route = Route(how, cut, gap)
    calls = [IndependentReveal(np.full(n, 1.0 / n)).expected_calls(chain.length) for n in range(1, largest + 1)]
    return [_pair(float(a), route, n, c) for n, (a, c) in enumerate(zip(value, calls, strict=True), 1)], route


@dataclass(frozen=True)
class Route:
    """How the sequence error of one chain is found, the cut and the measured error."""

    how: str
    cut: int | None
    gap: float


def _pair(value: float, route: Route, slots: int, calls: float) -> PairError:
    best = min(max(value, 0.0), 1.0) + 0.0
    return PairError(best, max(best - route.gap, 0.0), min(best + route.gap, 1.0), slots, calls, route.how)


def weights_error(chain: MarkovChain, weights, route: Route, rng: np.random.Generator) -> PairError:
    """SER of independent reveal with the given weights, by the route that served the uniform one."""
    rule = IndependentReveal(weights)
    if route.how == "sampled":
        return sampled_error(chain, rule, rng)
    reveals = [float(r) for r in rule.hazards[::-1] if r > 0]
    value = -np.expm1(log_valid(chain, reveals, route.cut)[0][-1])
    return _pair(float(value), route, rule.steps, rule.expected_calls(chain.length))


def sampled_error(chain: MarkovChain, rule: Rule, rng: np.random.Generator) -> PairError:
    """SER of any rule from at most SAMPLED runs, with its exact binomial interval; calls are their mean."""
    size = min(SAMPLED, max(100, SAMPLED * 128 // chain.vocab_size))
    runs = sample(chain, rule, size, rng)
    whole = ~runs.impossible
    wrong = int((~whole).sum() + np.isneginf(chain.log_prob(runs.tokens[whole])).sum())
    found = clopper_pearson(wrong, size, CONFIDENCE)
    slots = rule.steps if isinstance(rule, IndependentReveal) else None
    return PairError(
        float(found.value), float(found.low), float(found.high), slots, float(runs.steps.mean()), "sampled"
    )
