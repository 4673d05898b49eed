"""Where a sampler stands: what exact marginals pay, in KL(q || p), for the same expected number of calls.

random order     N and N + 1 equal steps of a random order, mixed so that the calls agree
grid             the papers' sampler, every position its own step of N, N chosen by its expected calls
entropy bounded  EB-Sampler, gamma chosen by its expected calls (tables)
halving          the middle first: ceil(log2(L + 1)) calls, exact on chains
optimal front    the least KL of any adaptive rule with so many calls (tables)
"""

import math
from dataclasses import dataclass

import numpy as np

from toy_models.errors import IntractableError
from toy_models.quantities.calls import expected_calls
from toy_models.quantities.token_error import marginal_kl
from toy_models.quantities.trajectory_kl import trajectory_kl
from toy_models.rules.content_free import IndependentReveal, RandomOrder, bisection
from toy_models.rules.entropy_bounded import EntropyBounded
from toy_models.rules.policy_front import optimal_front
from toy_models.targets.protocol import Target

STATES = 3000  # (V+1)^L partially masked texts, up to which laws are enumerated
FRONT = 2**16  # (V+2)^L numbers of the recursion for the optimal front
GAMMAS = np.concatenate([[0.0], np.geomspace(1e-3, 8.0, 24)])
FINEST = 4096  # steps of the finest grid that is tried


@dataclass(frozen=True)
class Baseline:
    """kl nats for `calls` expected calls; bound: kl is the trajectory KL, an upper bound of KL(q || p)."""

    name: str
    calls: float
    kl: float
    bound: bool = False


def baselines(target: Target, calls: float) -> tuple[Baseline, ...]:
    """Those that can be computed exactly at this size, at the given expected calls.

    >>> from toy_models.audit.standing import baselines
    >>> [(b.name, b.kl < 1e-12) for b in baselines(tm.repetition(2, 3), 3.0) if b.name in ("random order", "halving")]
    [('random order', True), ('halving', True)]
    """
    small = (target.vocab_size + 1) ** target.length <= STATES
    found = [_random_order(target, calls, small), _grid(target, calls, small), _halving(target, small)]
    if small:
        found.append(_entropy_bounded(target, calls))
    if (target.vocab_size + 2) ** target.length <= FRONT:
        at = min(max(calls, 1.0), float(target.length))
        found.append(Baseline("optimal front", at, float(optimal_front(target).lower_bound(at))))
    return tuple(b for b in found if b is not None)


def even_sizes(length: int, steps: int) -> list[int]:
    """L letters in N steps, the larger ones first.

    >>> from toy_models.audit.standing import even_sizes
    >>> even_sizes(6, 4)
    [2, 2, 1, 1]
    """
    return [length // steps + (j < length % steps) for j in range(steps)]


def _loss(target: Target, rule, small: bool) -> float:
    return marginal_kl(target, rule) if small else trajectory_kl(target, rule)


def _mixed(name: str, low: tuple[float, float], high: tuple[float, float], calls: float, small: bool) -> Baseline:
    """Between two (calls, kl): a coin before each text, so that the expected calls agree; convexity of KL."""
    if high[0] <= low[0]:
        return Baseline(name, low[0], low[1], not small)
    part = min(max((calls - low[0]) / (high[0] - low[0]), 0.0), 1.0)
    at = low[0] + part * (high[0] - low[0])
    return Baseline(name, at, (1 - part) * low[1] + part * high[1], not small)


def _random_order(target: Target, calls: float, small: bool) -> Baseline | None:
    length = target.length
    ends = []
    for n in (math.floor(calls), math.ceil(calls)):
        n = min(max(n, 1), length)
        try:
            ends.append((float(n), _loss(target, RandomOrder(even_sizes(length, n)), small)))
        except (IntractableError, ValueError):
            return None
    return _mixed("random order", ends[0], ends[1], calls, small)


def _grid(target: Target, calls: float, small: bool) -> Baseline | None:
    def rule(n: int) -> IndependentReveal:
        return IndependentReveal(np.full(n, 1.0 / n))

    low, high = 1, 2
    while high < FINEST and rule(high).expected_calls(target.length) < calls:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if rule(middle).expected_calls(target.length) < calls else (low, middle)
    try:
        ends = [(rule(n).expected_calls(target.length), _loss(target, rule(n), small)) for n in (low, high)]
    except (IntractableError, ValueError):
        return None
    return _mixed("grid", ends[0], ends[1], calls, small)


def _halving(target: Target, small: bool) -> Baseline | None:
    rule = bisection(target.length)
    own = getattr(target, "as_chain", None)
    if own is not None and own() is not None:
        return Baseline("halving", float(rule.steps), 0.0)
    try:
        return Baseline("halving", float(rule.steps), _loss(target, rule, small), not small)
    except (IntractableError, ValueError):
        return None


def _entropy_bounded(target: Target, calls: float) -> Baseline:
    points = sorted(
        {(round(expected_calls(target, r), 9), marginal_kl(target, r)) for r in map(EntropyBounded, GAMMAS)}
    )
    below = max((p for p in points if p[0] <= calls + 1e-9), key=lambda p: (p[0], -p[1]), default=points[0])
    above = min((p for p in points if p[0] >= calls - 1e-9), key=lambda p: (p[0], p[1]), default=points[-1])
    return _mixed("entropy bounded", below, above, calls, True)
