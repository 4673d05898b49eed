"""Integer size schedules as samplers compute them: how many masks each call writes.

The rule of Dream, `int(masks * (1 - s/t))` on the grid t = linspace(1, epsilon, N + 1), the last call writing the rest;
LLaDA's even split; the rounded form of dllm; and growing sizes. Only the arithmetic is here, in our own words.
"""

from collections.abc import Sequence

import numpy as np
from flint import fmpq


def floor_sizes(length: int, steps: int, epsilon: fmpq) -> tuple[int, ...]:
    """floor(m (1 - t_{j+1}/t_j)) of the m masks left, t_j = 1 - j (1 - epsilon)/N; the last call writes all of them.

    >>> floor_sizes(6, 6, fmpq(1, 1000))
    (0, 1, 1, 1, 1, 2)
    """
    left, sizes = length, []
    for j in range(steps - 1):
        t, s = (1 - k * (1 - epsilon) / steps for k in (fmpq(j), fmpq(j + 1)))
        sizes.append(int((left * (1 - s / t)).floor()))
        left -= sizes[-1]
    return (*sizes, left)


def floor_sizes_float32(length: int, steps: int, epsilon: float) -> tuple[int, ...]:
    """The same in float32, as a program computes it.

    >>> floor_sizes_float32(6, 6, 1e-3)
    (0, 1, 1, 1, 1, 2)
    """
    times = np.linspace(1, epsilon, steps + 1, dtype=np.float32)
    left, sizes = length, []
    for j in range(steps - 1):
        sizes.append(int(np.float32(left) * (np.float32(1) - times[j + 1] / times[j])))
        left -= sizes[-1]
    return (*sizes, left)


def rounded_sizes(length: int, steps: int) -> tuple[int, ...]:
    """round(m (1 - t_{j+1}/t_j)), half to even, t_j = 1 - j/N.

    >>> rounded_sizes(6, 4)
    (2, 1, 2, 1)
    """
    left, sizes = length, []
    for j in range(steps):
        sizes.append(round_half_even(fmpq(left, steps - j)))
        left -= sizes[-1]
    return tuple(sizes)


def round_half_even(x: fmpq) -> int:
    low = int(x.floor())
    rest = x - low
    return low + (rest > fmpq(1, 2) or (rest == fmpq(1, 2) and low % 2 == 1))


def even_sizes(length: int, steps: int) -> tuple[int, ...]:
    """L // N in every call and one more in the first L % N.

    >>> even_sizes(7, 2)
    (4, 3)
    """
    return tuple(length // steps + (j < length % steps) for j in range(steps))


def growing_sizes(length: int, steps: int) -> tuple[int, ...]:
    """Sizes in proportion 1, 2, .., N, differences of the rounded partial sums L j(j+1)/(N(N+1)).

    >>> growing_sizes(10, 4)
    (1, 2, 3, 4)
    """
    ends = [round_half_even(fmpq(length * j * (j + 1), steps * (steps + 1))) for j in range(steps + 1)]
    return tuple(b - a for a, b in zip(ends, ends[1:], strict=False))


def masks_left(sizes: Sequence[int]) -> tuple[int, ...]:
    """Masks before the first call and after each.

    >>> masks_left((0, 1, 1, 1, 1, 2))
    (6, 6, 5, 4, 3, 2, 0)
    """
    left = [sum(sizes)]
    for s in sizes:
        left.append(left[-1] - s)
    return tuple(left)
