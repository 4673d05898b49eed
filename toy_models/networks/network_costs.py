"""Everything that held-out texts tell about a network and the ways to sample it, from one walk over random orders.

schedules   the bound on -log p per token of every schedule, with interval, and what it loses against the best sizes
rules       -log p and calls of deterministic rules, replayed: exact along each text
orders      left to right against a random order, one token per call: 0 text by text for an exact denoiser
learning    a lower bound on the learning error from the network alone
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from numpy.random import Generator

from toy_models.networks.cross_entropy import TwoCurves, fixed_order, two_curves
from toy_models.networks.learning_error_bound import MOST_PASSES, LearningErrorBound, learning_error_bound
from toy_models.networks.replayed import replay
from toy_models.quantities.intervals import Estimate, student_interval
from toy_models.quantities.sampled_curve import sizes_share
from toy_models.rules import EntropyBounded, SemiAutoregressive, Threshold, TopK
from toy_models.rules.protocol import Rule
from toy_models.schedules.usual import USUAL, usual_sizes
from toy_models.targets.protocol import Denoiser
from toy_models.validation import positive_int, tokens


@dataclass(frozen=True, eq=False)
class ScheduleCost:
    """A schedule asked for N calls, nats per token with intervals.

    nelbo: E -log p_tau(X) / L. excess: against one token per call. loses: against the best sizes of as many calls, both
    on texts that did not choose them; None for the best sizes themselves.
    """

    schedule: str
    asked: int
    sizes: tuple[int, ...]
    nelbo: Estimate
    excess: Estimate
    loses: Estimate | None


@dataclass(frozen=True, eq=False)
class RuleCost:
    """A deterministic rule: E -log p(X) / L and calls; against: the same minus one token per call in random order,
    best: minus the best sizes of as many calls, rounded up. Both along the same texts."""

    rule: str
    nll: Estimate
    calls: Estimate
    against: Estimate
    best: Estimate


@dataclass(frozen=True, eq=False)
class NetworkCosts:
    """left_to_right: E -log p(X) / L. order_gap: that minus a random order, along the same texts.

    order_spread: root mean square of that difference text by text, nats per token; 0 for an exact denoiser.

    >>> from toy_models.networks import network_costs
    >>> q, rng = tm.repetition(2, 4), np.random.default_rng(0)
    >>> found = network_costs(q, q.sample(8, rng), [2], rng, rules={}, windows=2)
    >>> [(row.schedule, row.sizes) for row in found.schedules]
    [('uniform', (2, 2)), ('cosine', (1, 3)), ('growing', (1, 3)), ('best', (1, 3))]
    >>> round(found.order_spread, 12), round(float(found.schedules[0].loses.value * 4 / np.log(2)), 12)
    (0.0, 1.0)
    """

    curves: TwoCurves
    schedules: tuple[ScheduleCost, ...]
    rules: tuple[RuleCost, ...]
    left_to_right: Estimate
    order_gap: Estimate
    order_spread: float
    learning: LearningErrorBound | None


def usual_rules(length: int) -> dict[str, Rule]:
    """Entropy-bounded, thresholds, top-k, blocks from left to right.

    >>> from toy_models.networks import usual_rules
    >>> list(usual_rules(64))
    ['eb:0.1', 'eb:0.5', 'threshold:0.9', 'confidence:4', 'entropy:4', 'blocks:16:4']
    """
    k = max(1, length // 16)
    block = max(k, length // 4)
    return {
        "eb:0.1": EntropyBounded(0.1),
        "eb:0.5": EntropyBounded(0.5),
        "threshold:0.9": Threshold(0.9),
        f"confidence:{k}": TopK(k),
        f"entropy:{k}": TopK(k, "entropy"),
        f"blocks:{block}:{k}": SemiAutoregressive(block, TopK(k)),
    }


def network_costs(
    denoiser: Denoiser,
    data: Int[np.ndarray, "rows L"],
    steps: Iterable[int],
    rng: Generator,
    rules: dict[str, Rule] | None = None,
    replayed: int = 16,
    windows: int = 32,
    confidence: float = 0.99,
) -> NetworkCosts:
    """All costs of the network on held-out texts: rows * L + replayed * (L + calls of the rules) rows through it.

    rules: {name: adaptive rule}, None: `usual_rules`, replayed along the first `replayed` texts. windows of two tokens
    bound the learning error; the bound is left out (None) where V makes them too many.
    """
    length = denoiser.length
    x = tokens(data, denoiser.vocab_size, length, masks=False)
    asked = sorted({positive_int("steps", n) for n in steps})
    if not asked or asked[-1] > length:
        raise ValueError(f"steps = {','.join(map(str, asked))}, allowed: 1..{length}, the length (one token per call)")
    few = x[: positive_int("replayed", replayed, 2)]
    curves = two_curves(denoiser, x, [], rng, confidence)
    schedules = [cost for n in asked for cost in _schedules(curves, n)]
    told = usual_rules(length) if rules is None else rules
    played = tuple(_rule(denoiser, name, rule, few, curves, confidence) for name, rule in told.items())
    left = fixed_order(denoiser, few, np.arange(length))
    gap = left - curves.one_order[: len(few)]
    contexts = windows * ((denoiser.vocab_size + 1) ** 2 - denoiser.vocab_size**2)
    learning = None if contexts > MOST_PASSES else learning_error_bound(denoiser, x, rng, windows, 2, confidence)
    return NetworkCosts(
        curves,
        tuple(schedules),
        played,
        student_interval(left, confidence),
        student_interval(gap, confidence),
        float(np.sqrt((gap**2).mean())),
        learning,
    )


def _schedules(curves: TwoCurves, steps: int) -> Sequence[ScheduleCost]:
    curve = curves.cross_entropy
    length, confidence = curve.length, curve.confidence
    held_out = curves.best_paid(steps)
    once = curve.rows.mean(axis=1)
    rows = []
    for schedule in USUAL:
        sizes = usual_sizes(schedule, steps, length)
        paid = curve.rows @ sizes_share(sizes, length) / length
        loses = student_interval(paid - held_out, confidence)
        rows.append(ScheduleCost(schedule, steps, tuple(sizes.tolist()), curve.cost(sizes), curve.excess(sizes), loses))
    best = tuple(curves.best_sizes(steps).tolist())
    nelbo, excess = (student_interval(part, confidence) for part in (held_out, held_out - once))
    return [*rows, ScheduleCost("best", steps, best, nelbo, excess, None)]


def _rule(denoiser: Denoiser, name: str, rule: Rule, x, curves: TwoCurves, confidence: float) -> RuleCost:
    ran = replay(denoiser, rule, x)
    calls = ran.mean_calls(confidence)
    steps = min(denoiser.length, int(np.ceil(float(calls.value))))
    return RuleCost(
        name,
        ran.per_token(confidence),
        calls,
        ran.against(curves.one_order[: len(x)], confidence),
        ran.against(curves.best_paid(steps)[: len(x)], confidence),
    )
