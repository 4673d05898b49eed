"""Dilated unmasking (DUS): coarse to fine, so that tokens of one call lie far apart."""

from toy_models.rules.content_free import FixedOrder
from toy_models.validation import positive_int


def Dilated(length: int, base: int = 2) -> FixedOrder:
    """Call t reveals the multiples of floor(L / base^t) that are still masked, t = 1, 2, ..., to stride 1.

    Luxembourg et al. 2025 (arXiv 2506.19037), one block. The first call reveals at least two tokens, floor(log_base L)
    calls in all: one call less than `bisection` needs, which is exact on every chain.

    >>> tm.Dilated(8).blocks
    ((0, 4), (2, 6), (1, 3, 5, 7))
    """
    length, base = positive_int("length", length), positive_int("base", base, minimum=2)
    blocks, seen, stride = [], set[int](), length // base
    while stride >= 1:
        fresh = tuple(i for i in range(0, length, stride) if i not in seen)
        blocks.append(fresh)
        seen.update(fresh)
        stride //= base
    rest = tuple(i for i in range(length) if i not in seen)
    return FixedOrder((*blocks, rest) if rest else tuple(blocks))
