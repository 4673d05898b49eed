"""Scores f(i, v, pi_i) of a candidate v at position i, larger first; shape (batch, L, V) from the marginals pi.

"probability" looks at the candidate: pi_i(v). "margin" (top1 - top2) and "entropy" (-H) look at the marginal alone.
`PositionWeighted` is an object of the same kind: anything with scores(marginals) and widths(marginals, scores), what
rounding may add to a score.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from toy_models.rules.proxies import array_module, proxy_scores, rounding, tie_width
from toy_models.validation import distribution


@runtime_checkable
class Score(Protocol):
    """Scores of every candidate at every position, and what rounding may add to each.

    >>> isinstance(tm.rules.Probability(), tm.rules.Score)
    True
    """

    def scores(self, marginals) -> Any: ...

    def widths(self, marginals, scores) -> Any: ...


@dataclass(frozen=True)
class Probability:
    """f = pi_i(v): LLaDA's low-confidence remasking (arXiv 2502.09992), MaskGIT (arXiv 2202.04200).

    >>> tm.rules.Probability().scores(np.array([[[0.75, 0.25]]])).tolist()
    [[[0.75, 0.25]]]
    """

    def scores(self, marginals):
        return marginals

    def widths(self, marginals, scores):
        xp = array_module(scores)
        return xp.where(scores < 1, rounding(scores) * scores, xp.zeros_like(scores))


@dataclass(frozen=True)
class OfMarginal:
    """f = top1 - top2 ("margin") or -H ("entropy") of pi_i, the same for every candidate.

    >>> tm.rules.OfMarginal("margin").scores(np.array([[[0.75, 0.25]]])).tolist()
    [[[0.5, 0.5]]]
    """

    proxy: str

    def scores(self, marginals):
        return _spread(-proxy_scores(marginals, self.proxy), marginals)

    def widths(self, marginals, scores):
        return _spread(tie_width(marginals, proxy_scores(marginals, self.proxy), self.proxy), marginals)


@dataclass(frozen=True, eq=False)
class PositionWeighted:
    """f = exp(-decay i) min(-pi_i(v) log background(v), cap): PC-Sampler (arXiv 2508.13021).

    >>> score = tm.rules.PositionWeighted(0.0, np.array([0.5, 0.5]), cap=10.0)
    >>> (score.scores(np.array([[[0.75, 0.25]]])) / np.log(2)).round(12).tolist()
    [[[0.75, 0.25]]]
    """

    decay: float
    background: Float[np.ndarray, " V"]
    cap: float = field(default=10.0)

    def __post_init__(self):
        object.__setattr__(self, "background", distribution("background", self.background))
        if not (np.isfinite(self.decay) and self.decay >= 0):
            raise ValueError(f"decay = {self.decay}, it must be a finite number >= 0")
        if not self.cap > 0:
            raise ValueError(f"cap = {self.cap}, it must be a number > 0")
        if not (self.background > 0).all():
            raise ValueError(f"background = {self.background.tolist()}, every entry must be > 0")

    def scores(self, marginals):
        xp = array_module(marginals)
        bits = xp.asarray(-np.log(self.background), dtype=marginals.dtype)
        weight = xp.exp(-self.decay * xp.arange(marginals.shape[1], dtype=marginals.dtype))
        if xp is not np:
            bits, weight = bits.to(marginals.device), weight.to(marginals.device)
        return weight[None, :, None] * (marginals * bits).clip(max=self.cap)

    def widths(self, marginals, scores):
        return rounding(scores) * scores


SCORES = {"probability": Probability(), "margin": OfMarginal("margin"), "entropy": OfMarginal("entropy")}


def score_of(score) -> Score:
    """The score of that name, or the object itself."""
    if isinstance(score, str) and score in SCORES:
        return SCORES[score]
    if not isinstance(score, Score):
        raise ValueError(f"score = {score!r}, allowed: {', '.join(SCORES)}, or an object with scores and widths")
    return score


def _spread(values, marginals):
    xp = array_module(marginals)
    return xp.broadcast_to(values[..., None], marginals.shape)
