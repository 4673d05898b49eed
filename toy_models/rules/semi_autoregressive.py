"""Semi-autoregressive decoding: blocks from left to right, a rule inside each."""

from dataclasses import dataclass

import numpy as np

from toy_models.rules.protocol import Adaptive, sees_drawn
from toy_models.rules.proxies import array_module, boolean_mask
from toy_models.validation import positive_int


@dataclass(frozen=True)
class SemiAutoregressive:
    """Blocks of `block` positions from left to right; inside the current block the inner rule decides.

    >>> p = np.full((1, 4, 2), 0.5)
    >>> tm.SemiAutoregressive(2, tm.TopK(1)).select(p, np.array([[False, True, True, True]])).tolist()
    [[False, True, False, False]]
    """

    block: int
    rule: Adaptive

    def __post_init__(self):
        object.__setattr__(self, "block", positive_int("block", self.block))
        if isinstance(self.rule, type) or not isinstance(self.rule, Adaptive) or sees_drawn(self.rule):
            raise ValueError(f"rule = {self.rule!r} must be adaptive (have a method select(marginals, masked))")

    def select(self, marginals, masked):
        return self.rule.select(marginals, current_block(boolean_mask(masked), self.block))


def current_block(masked, block: int):
    """The masked positions of the leftmost block that holds one, row by row.

    >>> tm.rules.current_block(np.array([[False, False, True, True, True]]), 2).tolist()
    [[False, False, True, True, False]]
    """
    xp = array_module(masked)
    length = masked.shape[1]
    block_of = xp.arange(length) // block
    if xp is not np:
        block_of = block_of.to(masked.device)
    current = xp.where(masked, block_of[None], length).min(1)
    current = current if xp is np else current.values
    return masked & (block_of[None] == current[:, None])
