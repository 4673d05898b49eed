"""Samplers that are wrong on purpose. Every check of the suite must tell them from the right one.

Each control is a denoiser (or a rule) that looks plausible and has a known defect: the named mistakes seen in practice.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.rules import IndependentReveal
from toy_models.targets.kernels.impossible import reveal_one_hot
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK


@dataclass(frozen=True, eq=False)
class Altered:
    """A denoiser whose masked marginals are changed by `change(marginals, y)`; revealed positions stay one-hot."""

    target: Denoiser
    name: str
    change: Callable[[np.ndarray, np.ndarray], np.ndarray]

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        changed = self.change(self.target.marginals(y, on_impossible), np.asarray(y))
        return reveal_one_hot(changed, np.asarray(y))


def greedy(target: Denoiser) -> Altered:
    """Temperature 0: all mass on the first most likely token."""

    def change(p, y):
        hot = np.zeros_like(p)
        np.put_along_axis(hot, p.argmax(axis=2)[..., None], 1.0, axis=2)
        return np.where(np.isnan(p), np.nan, hot)

    return Altered(target, "greedy", change)


def nucleus(target: Denoiser, mass: float = 0.98) -> Altered:
    """Keep the fewest most likely tokens that hold `mass`, renormalised (top-p)."""

    def change(p, y):
        order = np.argsort(-p, axis=2, kind="stable")
        sorted_p = np.take_along_axis(p, order, axis=2)
        keep_sorted = np.cumsum(sorted_p, axis=2) - sorted_p < mass
        keep = np.zeros_like(keep_sorted)
        np.put_along_axis(keep, order, keep_sorted, axis=2)
        kept = np.where(keep | np.isnan(p), p, 0.0)
        return kept / kept.sum(axis=2, keepdims=True)

    return Altered(target, f"nucleus {mass:g}", change)


def context_blind(target: Target) -> Altered:
    """The unconditional marginals, whatever is revealed: on any target its N-step law costs exactly TC."""
    blank = target.marginals(np.full((1, target.length), MASK))[0]
    return Altered(target, "context-blind", lambda p, y: np.broadcast_to(blank, p.shape).copy())


def swapped_rows(target: Denoiser) -> Altered:
    """Marginals of neighbouring positions exchanged (an off-by-one in the position axis)."""

    def change(p, y):
        return np.where(np.isnan(p).any(axis=(1, 2))[:, None, None], np.nan, np.roll(p, 1, axis=1))

    return Altered(target, "swapped rows", change)


def half_precision(target: Denoiser) -> Altered:
    """Marginals rounded to float16 and renormalised, as with fp16 messages."""

    def change(p, y):
        rounded = p.astype(np.float16).astype(np.float64)
        return rounded / rounded.sum(axis=2, keepdims=True)

    return Altered(target, "fp16", change)


def off_by_one(weights: Float[np.ndarray, " N"]) -> IndependentReveal:
    """A schedule read one step late: the first step reveals nothing, the last two are merged."""
    weights = np.asarray(weights, dtype=np.float64)
    if len(weights) < 2:
        raise ValueError("weights must have at least 2 steps to be read one step late")
    return IndependentReveal(np.concatenate([[0.0], weights[:-2], [weights[-2] + weights[-1]]]))
