"""Denoisers that see the noise time: the loss is an average over orders AND masking times, no longer over orders alone.

A time-dependent denoiser offers `at_noise_time(s)`, the denoiser in use at noise time s (Garg et al. 2025, Prop. 3.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from toy_models.learned_order.reveal_times import masking, time_grid
from toy_models.learned_order.subset_losses import require_subsets, sequence_cross_entropies
from toy_models.schedules.protocol import Schedule
from toy_models.targets.denoisers import Tempered
from toy_models.targets.protocol import Denoiser, Target


@runtime_checkable
class TimedDenoiser(Protocol):
    """A denoiser that depends on noise time."""

    def at_noise_time(self, s: float) -> Denoiser: ...


@dataclass(frozen=True, eq=False)
class TimeTempered:
    """Tempered(target, power) whose power runs linearly from `clean` at s = 0 to `noisy` at s = 1.

    >>> tm.learned_order.TimeTempered(tm.pairs(2, 2), 1.0, 0.5).vocab_size
    4
    """

    target: Target
    clean: float
    noisy: float

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    def at_noise_time(self, s: float) -> Denoiser:
        return Tempered(self.target, self.clean + (self.noisy - self.clean) * float(s))


def timed_cross_entropies(denoiser, x: Int[np.ndarray, " L"], every: int = 16) -> Float[np.ndarray, "sets L nodes"]:
    """C[T, i](s) = -log p_s(x_i | x_T) of one sequence at the nodes of the time grid.

    The denoiser is asked at Chebyshev points of s (`every` of them) and interpolated: exact to rounding for smooth
    dependence on s, and every node would be a denoiser call otherwise.
    """
    require_subsets(denoiser.length, "cross-entropies at every noise time", limit=6)
    nodes = (1.0 - np.cos(np.pi * (np.arange(every) + 0.5) / every)) / 2
    samples = np.stack([sequence_cross_entropies(denoiser.at_noise_time(float(s)), x[None])[:, :, 0] for s in nodes])
    fit = np.polynomial.chebyshev.chebfit(2 * nodes - 1, samples.reshape(every, -1), every - 1)
    values = np.polynomial.chebyshev.chebval(2 * time_grid().s - 1, fit)
    return values.reshape(*samples.shape[1:], -1)


def timed_nelbo(denoiser, schedules: Sequence[Schedule], x: Int[np.ndarray, " L"]) -> float:
    """NELBO(x) = sum_l integral m_l' / m_l E_M[1[l in M] C_s[complement of M, l]] ds, by quadrature over noise time.

    >>> model = tm.learned_order.TimeTempered(tm.repetition(2, 2), 1.0, 1.0)
    >>> schedules = [tm.LinearSchedule(), tm.LinearSchedule()]
    >>> round(float(tm.learned_order.timed_nelbo(model, schedules, np.array([0, 0])) / np.log(2)), 9)
    1.0
    """
    grid, costs = time_grid(), timed_cross_entropies(denoiser, x)
    masked, shown, slope = masking(schedules)
    total = 0.0
    for revealed in range(2**denoiser.length - 1):
        for i in range(denoiser.length):
            if not revealed >> i & 1:
                density = slope[i] * grid.ds
                for j in range(denoiser.length):
                    if j != i:
                        density = density * (shown[j] if revealed >> j & 1 else masked[j])
                total += float(density @ costs[revealed, i])
    return total


def timed_order_average(denoiser, schedules: Sequence[Schedule], x: Int[np.ndarray, " L"]) -> float:
    """The same as sum over orders of the integral over T_sigma(1) > ... > T_sigma(L) of the loss along sigma.

    Nested cumulative integrals carrying (probability, cost so far) from the smallest time up. O(L! L nodes).

    >>> model = tm.learned_order.TimeTempered(tm.repetition(2, 2), 1.0, 1.0)
    >>> schedules = [tm.LinearSchedule(), tm.LinearSchedule()]
    >>> round(float(tm.learned_order.timed_order_average(model, schedules, np.array([0, 0])) / np.log(2)), 9)
    1.0
    """
    grid, costs = time_grid(), timed_cross_entropies(denoiser, x)
    _, _, slope = masking(schedules)
    length = denoiser.length
    total = 0.0
    for order in permutations(range(length)):
        mass, cost = np.ones_like(grid.s), np.zeros_like(grid.s)
        for k in range(length - 1, -1, -1):
            revealed = sum(1 << i for i in order[:k])
            here = slope[order[k]]
            cost = grid.cumulative(here * (mass * costs[revealed, order[k]] + cost))
            mass = grid.cumulative(here * mass)
        total += float(cost[-1])
    return total
