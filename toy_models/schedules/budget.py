"""Schedules that know only the step budget, or the budget and one correlation."""

from math import log

import numpy as np
from jaxtyping import Float, Int

from toy_models.validation import positive_int


def odds_geometric_weights(steps: int) -> Float[np.ndarray, " N"]:
    """Cuts equally spaced in log-odds between delta and 1 - delta, delta = 1/N^2; knows only the step budget N.

    E KL <= kappa min(TC, DTC) + delta (TC + DTC) with (kappa, delta) of `odds_geometric_bound`, kappa ~ 4 log N / N:
    between cuts next(a) - a <= kappa a (1 - a), and the two end steps have width delta. The theorem has
    TC DTC/(TC + DTC) in place of the minimum.

    >>> tm.odds_geometric_weights(4).round(4).tolist()
    [0.0625, 0.4375, 0.4375, 0.0625]
    """
    steps = positive_int("steps", steps)
    if steps <= 2:
        return np.full(steps, 1.0 / steps)
    reach = log(steps**2 - 1)
    cuts = 1.0 / (1.0 + np.exp(-np.linspace(-reach, reach, steps - 1)))
    return np.diff(np.concatenate([[0.0], cuts, [1.0]]))


def odds_geometric_bound(steps: int) -> tuple[float, float]:
    """(kappa, delta) = ((N^2 - 1)^(2/(N-2)) - 1, 1/N^2), steps >= 3.

    >>> kappa, delta = tm.schedules.odds_geometric_bound(4)
    >>> round(kappa, 12), delta  # 15 - 1, 1/16
    (14.0, 0.0625)
    """
    positive_int("steps", steps, 3)
    return float(np.expm1(2 * log(steps**2 - 1) / (steps - 2))), 1.0 / steps**2


def shrinking_sizes(length: int, zeta: int) -> list[int]:
    """floor((L - N_i) / zeta) as long as it is positive, then ones: the TC construction for a given zeta >= 2.

    >>> tm.schedules.shrinking_sizes(8, 2)
    [4, 2, 1, 1]
    """
    sizes, left = [], length
    while left // zeta > 0:
        sizes.append(left // zeta)
        left -= sizes[-1]
    return sizes + [1] * left


def tc_sizes(length: int, steps: int) -> Int[np.ndarray, " N"]:
    """Decreasing sizes floor((L - N_i) / zeta), then ones (Chen, Cong and Li 2025, Thm 9, the TC construction).

    zeta is the largest integer for which the schedule fits into `steps` steps. E KL <= TC / (zeta - 1) for zeta >= 2.

    >>> tm.tc_sizes(16, 6).tolist()
    [8, 4, 2, 1, 1]
    """
    length, steps = positive_int("length", length), positive_int("steps", steps)
    zeta = 1
    while zeta < length and len(shrinking_sizes(length, zeta + 1)) <= steps:
        zeta += 1
    return np.array(shrinking_sizes(length, zeta), dtype=np.int64)


def dtc_sizes(length: int, steps: int) -> Int[np.ndarray, " N"]:
    """The mirror image of `tc_sizes`: increasing sizes, E KL <= DTC / (zeta - 1) for zeta >= 2.

    >>> tm.dtc_sizes(16, 6).tolist()
    [1, 1, 2, 4, 8]
    """
    return tc_sizes(length, steps)[::-1].copy()
