"""Dream's size rule in exact arithmetic; the float32 sizes of the releases are in toy_models.schedules."""

from collections.abc import Sequence

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


def masks_left(sizes: Sequence[int]) -> tuple[int, ...]:
    """Masks before the first call and after each.

    >>> masks_left((0, 1, 1, 1, 1, 2))
    (6, 6, 5, 4, 3, 2, 0)
    """
    left = [sum(sizes)]
    for s in sizes:
        left.append(left[-1] - s)
    return tuple(left)
