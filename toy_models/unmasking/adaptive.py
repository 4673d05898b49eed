"""Rules that look at the marginals: select(marginals, masked) -> positions to reveal now.

Deterministic, batched row by row, ties broken by position (the leftmost wins), the same on numpy and torch. Every call
on a row with a masked position selects at least one.
"""

from dataclasses import dataclass

import numpy as np

from toy_models.unmasking.protocol import Adaptive, sees_drawn
from toy_models.unmasking.proxies import (
    array_module,
    boolean_mask,
    check_marginals,
    check_proxy,
    entropies,
    proxy_scores,
)
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
        masked = check_marginals(marginals, masked)
        return masked & (ranks(proxy_scores(marginals, self.proxy), masked) < self.k)


@dataclass(frozen=True)
class EntropyBounded:
    """Reveal the longest prefix U, in proxy order, with sum_U H - max_U H <= gamma (Ben-Hamu et al. 2025, eq. 2, 9).

    The excess B_k = sum of the first k entropies minus their maximum never decreases, so the prefix is found by
    counting. It always holds one token, and tokens of entropy exactly zero ride along, also at gamma = 0. With exact
    marginals one step costs at most gamma nats of total correlation. gamma in nats; inf reveals everything.
    """

    gamma: float
    proxy: str = "entropy"

    def __post_init__(self):
        check_proxy(self.proxy)
        if not self.gamma >= 0:
            raise ValueError(f"gamma = {self.gamma}, it must be a number >= 0 (in nats)")

    def select(self, marginals, masked):
        masked = check_marginals(marginals, masked)
        h = entropies(marginals)
        scores = h if self.proxy == "entropy" else proxy_scores(marginals, self.proxy)
        order = easiest_first(scores, masked)
        if array_module(h) is np:
            fits = prefix_excess(np.take_along_axis(h, order, axis=1)) <= self.gamma
            chosen = np.zeros_like(masked)
            np.put_along_axis(chosen, order, fits, axis=1)
        else:
            fits = prefix_excess(h.gather(1, order)) <= self.gamma
            chosen = masked.scatter(1, order, fits)
        return masked & chosen


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
        masked = check_marginals(marginals, masked)
        scores = proxy_scores(marginals, self.proxy)
        passes = scores <= (self.value if self.proxy == "entropy" else -self.value)
        return masked & (passes | (ranks(scores, masked) == 0))


@dataclass(frozen=True)
class SemiAutoregressive:
    """Blocks of `block` positions from left to right; inside the current block the inner rule decides."""

    block: int
    rule: Adaptive

    def __post_init__(self):
        object.__setattr__(self, "block", positive_int("block", self.block))
        if isinstance(self.rule, type) or not isinstance(self.rule, Adaptive) or sees_drawn(self.rule):
            raise ValueError(f"rule = {self.rule!r} must be adaptive (have a method select(marginals, masked))")

    def select(self, marginals, masked):
        masked = boolean_mask(masked)
        xp = array_module(masked)
        length = masked.shape[1]
        block_of = xp.arange(length) // self.block
        if xp is not np:
            block_of = block_of.to(masked.device)
        current = xp.where(masked, block_of[None], length).min(1)
        current = current if xp is np else current.values
        return self.rule.select(marginals, masked & (block_of[None] == current[:, None]))


def prefix_excess(h):
    """B_k = h_1 + ... + h_k - max(h_1, ..., h_k) along axis 1 of (batch, L), row by row.

    Summed as B_{k+1} = B_k + min(h_{k+1}, max_{j<=k} h_j): no subtraction, so B_1 = 0 and B never decreases in floats.
    """
    if array_module(h) is np:
        increments = np.minimum(h[:, 1:], np.maximum.accumulate(h, axis=1)[:, :-1])
        return np.concatenate([np.zeros_like(h[:, :1]), np.cumsum(increments, axis=1)], axis=1)
    torch = array_module(h)
    increments = torch.minimum(h[:, 1:], h.cummax(dim=1).values[:, :-1])
    return torch.cat([torch.zeros_like(h[:, :1]), increments.cumsum(dim=1)], dim=1)


def easiest_first(scores, masked):
    """Positions of each row by ascending score, ties by position, unmasked ones last."""
    xp = array_module(scores)
    worst = xp.where(masked, scores, xp.full_like(scores, float("inf")))
    return worst.argsort(axis=1, kind="stable") if xp is np else worst.argsort(dim=1, stable=True)


def ranks(scores, masked):
    """Rank of each masked position by ascending score in its row, ties by position; unmasked positions rank last."""
    order = easiest_first(scores, masked)
    return order.argsort(axis=1, kind="stable") if array_module(order) is np else order.argsort(dim=1, stable=True)
