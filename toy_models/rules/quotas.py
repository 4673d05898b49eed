"""How many of the ranked positions one call keeps: max{k : s_(k) >= bar_k}, s_(1) >= s_(2) >= ... the scores.

`bars(m)` are the bars of a call with m masked positions in play, not decreasing in k, bar_1 = -inf: one position is
always kept. A fixed number, integer sizes, a threshold and the factor rule are all of this form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from toy_models.validation import positive_int


@runtime_checkable
class Quota(Protocol):
    """Anything with bars(m) -> m numbers, not decreasing, the first -inf.

    >>> isinstance(tm.rules.Count(1), tm.rules.Quota)
    True
    """

    def bars(self, masked: int) -> Float[np.ndarray, " m"]: ...


@dataclass(frozen=True)
class Count:
    """k positions in every call, all of them when fewer are left.

    >>> tm.rules.Count(2).bars(3).tolist()
    [-inf, -inf, inf]
    """

    k: int

    def __post_init__(self):
        object.__setattr__(self, "k", positive_int("k", self.k))

    def bars(self, masked: int) -> Float[np.ndarray, " m"]:
        return np.where(np.arange(masked) < self.k, -np.inf, np.inf)


@dataclass(frozen=True)
class Sizes:
    """sizes[j] positions in call j. The sizes sum to the number of positions, so the masks left tell the call.

    Sizes of zero are calls that write nothing; they change no law and are not counted.

    >>> tm.rules.Sizes([1, 0, 2]).due(2), tm.rules.Sizes([1, 0, 2]).due(3)
    (2, 1)
    """

    sizes: Sequence[int]

    def __post_init__(self):
        sizes = tuple(positive_int(f"sizes[{j}]", s, minimum=0) for j, s in enumerate(self.sizes))
        if sum(sizes) == 0:
            raise ValueError(f"sizes = {sizes}, they must sum to the number of positions, at least 1")
        object.__setattr__(self, "sizes", sizes)

    def due(self, masked: int) -> int:
        """The size of the call that finds `masked` masks: the first positive one."""
        left = sum(self.sizes)
        for size in self.sizes:
            if size and left == masked:
                return size
            left -= size
        raise ValueError(f"masks = {masked}, sizes {self.sizes} never leave that many")

    def bars(self, masked: int) -> Float[np.ndarray, " m"]:
        return Count(self.due(masked)).bars(masked)


@dataclass(frozen=True)
class Above:
    """Every position whose score is at least `value`, and always the best one.

    >>> tm.rules.Above(0.9).bars(3).tolist()
    [-inf, 0.9, 0.9]
    """

    value: float

    def __post_init__(self):
        if not np.isfinite(self.value):
            raise ValueError(f"value = {self.value}, it must be finite")

    def bars(self, masked: int) -> Float[np.ndarray, " m"]:
        return np.where(np.arange(masked) == 0, -np.inf, float(self.value))


@dataclass(frozen=True)
class Factor:
    """max{k : s_(k) >= 1 - factor / (k + 1)}, at least one (the factor rule of Fast-dLLM, arXiv 2505.22618).

    >>> tm.rules.Factor(0.6).bars(3).round(12).tolist()
    [-inf, 0.8, 0.85]
    """

    factor: float

    def __post_init__(self):
        if not (np.isfinite(self.factor) and self.factor >= 0):
            raise ValueError(f"factor = {self.factor}, it must be a finite number >= 0")

    def bars(self, masked: int) -> Float[np.ndarray, " m"]:
        k = np.arange(1, masked + 1)
        return np.where(k == 1, -np.inf, 1.0 - self.factor / (k + 1))


def as_quota(keep) -> Quota:
    """An integer as `Count`, a sequence of integers as `Sizes`, anything with bars(m) as it is.

    >>> tm.rules.as_quota([2, 1])
    Sizes(sizes=(2, 1))
    """
    if hasattr(keep, "bars"):
        return keep
    if isinstance(keep, int | np.integer):
        return Count(int(keep))
    if isinstance(keep, Sequence | np.ndarray) and not isinstance(keep, str):
        return Sizes([int(s) if isinstance(s, np.integer) else s for s in keep])
    raise ValueError(f"keep = {keep!r}, allowed: an integer, a sequence of sizes, or an object with bars(m)")
