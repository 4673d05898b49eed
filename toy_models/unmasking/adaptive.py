"""Rules that look at the marginals: select(marginals, masked) -> positions to reveal now.

Deterministic, batched row by row, ties broken by position (the leftmost wins), the same on numpy and torch. Every call
on a row with a masked position selects at least one.
"""

from dataclasses import dataclass

import numpy as np

from toy_models.unmasking.proxies import array_module, check_proxy, proxy_scores
from toy_models.validation import positive_int


@dataclass(frozen=True)
class TopK:
    """Reveal the k masked positions that the proxy ranks easiest."""

    k: int
    proxy: str = "confidence"

    def __post_init__(self):
        object.__setattr__(self, "k", positive_int("k", self.k))
        check_proxy(self.proxy)

    def select(self, marginals, masked):
        return masked & (ranks(proxy_scores(marginals, self.proxy), masked) < self.k)


@dataclass(frozen=True)
class Threshold:
    """Reveal every masked position whose proxy passes the value, and always the easiest one.

    confidence: max p >= value; entropy: H <= value; margin: top1 - top2 >= value.
    """

    value: float
    proxy: str = "confidence"

    def __post_init__(self):
        check_proxy(self.proxy)
        if not np.isfinite(self.value) or self.value < 0:
            raise ValueError(f"value = {self.value}, it must be a finite number >= 0")

    def select(self, marginals, masked):
        scores = proxy_scores(marginals, self.proxy)
        passes = scores <= (self.value if self.proxy == "entropy" else -self.value)
        return masked & (passes | (ranks(scores, masked) == 0))


@dataclass(frozen=True)
class SemiAutoregressive:
    """Blocks of `block` positions from left to right; inside the current block the inner rule decides."""

    block: int
    rule: object

    def __post_init__(self):
        object.__setattr__(self, "block", positive_int("block", self.block))
        if not hasattr(self.rule, "select"):
            raise ValueError(f"rule = {self.rule!r} must be adaptive (have a select method)")

    def select(self, marginals, masked):
        xp = array_module(masked)
        length = masked.shape[1]
        block_of = xp.arange(length) // self.block
        if xp is not np:
            block_of = block_of.to(masked.device)
        current = xp.where(masked, block_of[None], length).min(1)
        current = current if xp is np else current.values
        return self.rule.select(marginals, masked & (block_of[None] == current[:, None]))


def ranks(scores, masked):
    """Rank of each masked position by ascending score within its row, ties by position; unmasked positions rank last."""
    xp = array_module(scores)
    worst = xp.where(masked, scores, xp.full_like(scores, float("inf")))
    if xp is np:
        return worst.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    return worst.argsort(dim=1, stable=True).argsort(dim=1, stable=True)
