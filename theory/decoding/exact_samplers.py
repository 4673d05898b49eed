"""What exactness costs: samplers whose law is q, and how many calls they make."""

from dataclasses import dataclass

import numpy as np

import toy_models as tm
from theory.decoding.regret import languages
from toy_models.quantities import lattice


@dataclass(frozen=True)
class Cost:
    """One sampler on one language: expected calls and KL(q || p); exact iff KL is 0."""

    sampler: str
    language: str
    length: int
    calls: float
    kl: float


def coarse_to_fine(length: int) -> tm.FixedOrder:
    """Position 0, then the odd multiples of 2^k for k from the largest down: 1 + ceil(log2 L) calls.

    >>> coarse_to_fine(8).blocks
    ((0,), (4,), (2, 6), (1, 3, 5, 7))
    """
    stride = 1
    blocks: list[tuple[int, ...]] = [(0,)]
    while stride < length:
        stride *= 2
    while stride > 1:
        stride //= 2
        blocks.append(tuple(range(stride, length, 2 * stride)))
    return tm.FixedOrder(tuple(blocks))


def samplers(length: int) -> dict[str, tm.Rule]:
    """name -> rule; the first three are exact on every language, the next two on chains, the last on none in
    general.
    """
    return {
        "one token per call, random order": tm.RandomOrder([1] * length),
        "one token per call, marginal confidence": tm.TopK(1),
        "entropy-bounded, γ = 0": tm.EntropyBounded(0.0),
        "coarse to fine": coarse_to_fine(length),
        "halving": tm.bisection(length),
        "dilated, as published": tm.Dilated(length),
    }


def costs(full: bool) -> tuple[Cost, ...]:
    """Every sampler on the six languages of the regret table, and the fastest exact adaptive rule."""
    found = []
    for name, target in languages(full).items():
        law = lattice.to_table(target)
        for label, rule in samplers(target.length).items():
            calls = float(tm.expected_calls(law, rule))
            found.append(Cost(label, name, target.length, calls, max(float(tm.marginal_kl(law, rule)), 0.0)))
        rule = tm.Speculative(target.length)  # its verifying call gives the conditionals of a whole draft
        calls = tm.sampler_law(law, rule).mean_steps
        found.append(Cost("speculative", name, target.length, calls, max(float(tm.marginal_kl(law, rule)), 0.0)))
        policy = tm.optimal_policy(law, 1e-6)
        found.append(Cost("fastest exact adaptive rule", name, target.length, policy.mean_steps, max(policy.kl, 0.0)))
    return tuple(found)


def fewest_fixed(target: tm.Target) -> tuple[np.ndarray, int]:
    """KL of the best fixed order with 1 .. L calls, and the least number of calls with KL 0."""
    front = tm.rules.fixed_schedule_front(lattice.to_table(target))
    kl = np.maximum([schedule.loss - target.entropy() for schedule in front], 0.0)
    return kl, int(np.argmax(kl < 1e-12)) + 1
