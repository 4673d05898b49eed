"""Expected denoiser calls: those that reveal at least one token."""

import numpy as np

from toy_models.door import require_pair, require_rule
from toy_models.errors import IntractableError
from toy_models.quantities.law import sampler_law
from toy_models.quantities.trajectory_kl import _advance
from toy_models.rules.kinds import EVERY_KIND
from toy_models.rules.protocol import Rule, Stage, sees_contents, stages_of
from toy_models.rules.replay_law import visited_states
from toy_models.targets.protocol import Denoiser, Target

MAX_ORDER_LENGTH = 14  # 2^L revealed sets for the calls of a rule that names no closed form


def expected_calls(target: Target, rule: Rule, denoiser: Denoiser | None = None, under: str = "q") -> float:
    """Expected denoiser calls that reveal at least one token.

    under="q": replayed along data; under="p": along what is written (a stopped run counts the calls it made).
    Content-free rules under q need only the law of the reveal counts: the rule's own `expected_calls(length)` where it
    has one, else a sum over its stages.

    >>> tm.expected_calls(tm.pairs(2, 2), tm.IndependentReveal([0.5, 0.5]))  # 1 + P(two steps)
    1.5
    """
    if under not in ("q", "p"):
        raise ValueError(f'under = {under!r}, allowed: "q", "p"')
    model = require_pair(target, denoiser)
    if under == "p":
        require_rule(rule, target.length, EVERY_KIND)
        return sampler_law(model, rule).mean_steps
    rule = require_rule(rule, target.length)
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
