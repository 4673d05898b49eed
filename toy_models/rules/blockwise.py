"""A content-free rule inside each block, blocks from left to right; and first-hitting sampling, one token per call."""

from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from jaxtyping import Int

from toy_models.rules.content_free import RandomOrder
from toy_models.rules.protocol import ContentFree, Stage, stages_of, steps_of
from toy_models.validation import positive_int


def first_hitting(length: int) -> RandomOrder:
    """One token per call, the next position uniform among the masks: the order of L independent continuous clocks.

    Zheng et al. 2024 (arXiv 2409.02908), BD3LM's default: the time jumps to where the next token is revealed, so no
    call is empty and none writes two. Exact in L calls, where a grid of L calls is not (`IndependentReveal`).

    >>> tm.rules.first_hitting(3)
    RandomOrder(sizes=(1, 1, 1))
    """
    return RandomOrder([1] * positive_int("length", length))


@dataclass(frozen=True)
class Blockwise:
    """Blocks of `block` positions from left to right; in each the content-free rule runs anew, on the block's length.

    The content-free counterpart of `SemiAutoregressive` (which takes adaptive rules). The length must be a multiple of
    the block, so that one rule fits every block.

    >>> rule = tm.rules.Blockwise(2, tm.RandomOrder([2]))
    >>> rule.draw_steps(1, 4, np.random.default_rng(0)).tolist()
    [[0, 0, 1, 1]]
    """

    block: int
    rule: ContentFree

    def __post_init__(self):
        object.__setattr__(self, "block", positive_int("block", self.block))
        if isinstance(self.rule, type) or not isinstance(self.rule, ContentFree):
            raise ValueError(f"rule = {self.rule!r}, it must be content-free; SemiAutoregressive takes adaptive rules")

    def require_length(self, length: int) -> None:
        """Raise unless whole blocks cover the length and the rule serves a block."""
        if length % self.block:
            raise ValueError(f"block = {self.block} does not divide the length {length}")
        check = getattr(self.rule, "require_length", None)
        if check is not None:
            check(self.block)

    def stages(self, length: int) -> list[tuple[float, list[Stage]]]:
        """The product of one mixture per block, the stages of the blocks one after the other."""
        self.require_length(length)
        inner, starts = stages_of(self.rule, self.block), range(0, length, self.block)
        mixture = []
        for parts in product(inner, repeat=len(starts)):
            placed = [
                _placed(stage, at, length) for at, (_, stages) in zip(starts, parts, strict=True) for stage in stages
            ]
            mixture.append((prod(w for w, _ in parts), placed))
        return mixture

    def draw_steps(self, size: int, length: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        self.require_length(length)
        columns, after = [], np.zeros((size, 1), dtype=np.int64)
        for _ in range(length // self.block):
            steps = steps_of(self.rule, size, self.block, rng)
            columns.append(steps + after)
            after = columns[-1].max(axis=1, keepdims=True) + 1
        return np.concatenate(columns, axis=1)


def _placed(stage: Stage, start: int, length: int) -> Stage:
    """The stage of a block that starts at `start`, on the whole sequence."""
    active = np.zeros(length, dtype=bool)
    active[start : start + len(stage.active)] = stage.active
    weights = np.zeros((length + 1, length + 1))
    weights[np.arange(length + 1), 0] = 1.0
    weights[: len(stage.active) + 1, : len(stage.active) + 1] = stage.weights
    return Stage(active, weights)
