"""Integer sizes of the released samplers: how many of n masks each of N calls writes. Zeros are calls without effect.

Stated as arithmetic, the float32 rounding included where a release computes in float32: it decides whole tokens.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from toy_models.validation import positive_int


def even_split_sizes(masks: int, steps: int) -> Int[np.ndarray, " N"]:
    """floor(n / N) in each call, one more in the first n mod N (LLaDA generate.py, b7e6c35).

    >>> tm.schedules.even_split_sizes(4, 3).tolist()
    [2, 1, 1]
    """
    masks, steps = positive_int("masks", masks), positive_int("steps", steps)
    return masks // steps + (np.arange(steps) < masks % steps).astype(np.int64)


def floor_sizes(masks: int, steps: int, eps: float = 1e-3) -> Int[np.ndarray, " N"]:
    """floor(n_j (1 - s_j / t_j)), n_j the masks left, t = linspace(1, eps, N + 1) in float32; the last call takes all.

    Dream's schedule (generation_utils.py as copied in dllm ca17675). As eps > 0, n_j (1 - s_j/t_j) falls just short of
    the integer it would be at eps = 0: with n = N the first call writes nothing and the last one two tokens.

    >>> tm.schedules.floor_sizes(6, 6).tolist()
    [0, 1, 1, 1, 1, 2]
    """
    masks, steps = positive_int("masks", masks), positive_int("steps", steps)
    if not 0 <= eps < 1:
        raise ValueError(f"eps = {eps}, it must lie in [0, 1)")
    times = _linspace32(1.0, eps, steps + 1)
    left, sizes = masks, []
    for t, s in pairwise(times[:-1]):
        sizes.append(int(np.float32(left) * (np.float32(1) - s / t)))
        left -= sizes[-1]
    return np.array([*sizes, left], dtype=np.int64)


def _linspace32(start: float, stop: float, count: int) -> Float[np.ndarray, " n"]:
    """Equal steps in float32, counted from the nearer end, as tensor libraries do."""
    first, last, k = np.float32(start), np.float32(stop), np.arange(count)
    step = (last - first) / np.float32(count - 1)
    up, down = first + step * k.astype(np.float32), last - step * (count - 1 - k).astype(np.float32)
    return np.where(k < count // 2, up, down)


def rounded_sizes(masks: int, steps: int) -> Int[np.ndarray, " calls"]:
    """n_j (1 - s_j / t_j) rounded half to even, t = 1, 1 - 1/N, ..., the ratio in float32; calls of size 0 left out.

    dllm's schedule (core/samplers/utils.py, ca17675): s and t stand for 1 - alpha, alpha = 1 - s in float32, so 1/3
    loses a bit and 3 (1 - s/t) rounds down at s/t = 1/2.

    >>> tm.schedules.rounded_sizes(4, 3).tolist(), tm.schedules.rounded_sizes(6, 4).tolist()
    ([1, 1, 2], [2, 1, 2, 1])
    """
    masks, steps = positive_int("masks", masks), positive_int("steps", steps)
    left, sizes, one = masks, [], np.float32(1)
    for j in range(steps, 0, -1):
        s, t = (one - (one - np.float32(k / steps)) for k in (j - 1, j))
        sizes.append(min(left, int(np.rint(left * (1.0 - float(s / t))))))
        left -= sizes[-1]
    return np.array([s for s in sizes if s], dtype=np.int64)


def growing_sizes(masks: int, steps: int | None = None, ratio: float | None = None) -> Int[np.ndarray, " calls"]:
    """1, 2, 3, ... (or round(ratio^j)), the last size cut to what is left.

    With `steps`, sizes in the ratio 1 : 2 : .. : N, rounded: diff(round(n j (j+1) / (N (N+1)))), j = 0..N.

    >>> tm.schedules.growing_sizes(8).tolist(), tm.schedules.growing_sizes(8, ratio=2.0).tolist()
    ([1, 2, 3, 2], [1, 2, 4, 1])
    >>> tm.schedules.growing_sizes(20, 4).tolist()
    [2, 4, 6, 8]
    """
    masks = positive_int("masks", masks)
    if ratio is not None and (steps is not None or not (np.isfinite(ratio) and ratio >= 1)):
        raise ValueError(f"ratio = {ratio}, it must be a finite number >= 1, without steps")
    if steps is not None:
        steps, j = positive_int("steps", steps), np.arange(steps + 1)
        return np.diff(np.rint(masks * j * (j + 1) / (steps * (steps + 1))).astype(np.int64))
    sizes: list[int] = []
    while sum(sizes) < masks:
        size = len(sizes) + 1 if ratio is None else round(ratio ** len(sizes))
        sizes.append(min(size, masks - sum(sizes)))
    return np.array(sizes, dtype=np.int64)


def masks_left(sizes: Sequence[int] | Int[np.ndarray, " N"], masks: int) -> Int[np.ndarray, " M"]:
    """How many masks are left before the first call and after each.

    >>> tm.schedules.masks_left(tm.schedules.floor_sizes(6, 6), 6).tolist()
    [6, 6, 5, 4, 3, 2, 0]
    """
    return positive_int("masks", masks) - np.concatenate([[0], np.cumsum(np.asarray(sizes, dtype=np.int64))])


def within_budget(sizes: Sequence[int] | Int[np.ndarray, " N"], calls: int) -> Int[np.ndarray, " M"]:
    """The first `calls` sizes, the last of them grown by what the budget cuts off: one final fill, no masks left.

    A release without the fill returns texts with masks; `masks_left(sizes[:calls], n)` says how many.

    >>> tm.schedules.within_budget([1, 1, 1, 1], 2).tolist()
    [1, 3]
    """
    sizes, calls = np.asarray(sizes, dtype=np.int64), positive_int("calls", calls)
    kept = sizes[:calls].copy()
    kept[-1] += sizes[calls:].sum()
    return kept
