"""Schedules made from others: run from the other end, or linear between knots."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from toy_models.schedules.protocol import Schedule, in_unit_interval, increasing
from toy_models.validation import shown


@dataclass(frozen=True)
class MirroredSchedule(Schedule):
    """alpha(t) = 1 - inner.alpha(1 - t): the inner schedule run from its other end.

    >>> float(tm.schedules.MirroredSchedule(tm.PowerSchedule(2.0)).alpha(0.25))  # 1 - (3/4)^2
    0.4375
    """

    inner: Schedule

    def alpha(self, t):
        return 1.0 - self.inner.alpha(1.0 - in_unit_interval(t))

    def slope(self, t):
        return self.inner.slope(1.0 - in_unit_interval(t))

    def endpoint_exponents(self) -> tuple[float, float]:
        start, end = self.inner.endpoint_exponents()
        return end, start

    def log_speed(self, t, u):
        return self.inner.log_speed(u, t)


@dataclass(frozen=True)
class KnotSchedule(Schedule):
    """alpha linear between the points (times[k], values[k]); times run from 0 to 1, values never decrease.

    values[0] > 0 or values[-1] < 1 is a clipped path: it has an energy, but gives no sampler.

    >>> float(tm.schedules.KnotSchedule((0.0, 0.5, 1.0), (0.0, 0.25, 1.0)).alpha(0.75))
    0.625
    """

    times: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self):
        times, values = (tuple(float(v) for v in part) for part in (self.times, self.values))
        if len(times) != len(values) or len(times) < 2:
            raise ValueError(f"times and values need the same length >= 2, got {len(times)} and {len(values)}")
        if times[0] != 0 or times[-1] != 1 or not all(x < y for x, y in pairwise(times)):
            raise ValueError(f"times = {shown(times)}, they must increase strictly from 0 to 1")
        increasing(np.array(values), times, whole=False)
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "values", values)

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return self.times

    def alpha(self, t):
        return np.interp(in_unit_interval(t), self.times, self.values)

    def slope(self, t):
        slopes = np.diff(self.values) / np.diff(self.times)
        return slopes[np.clip(np.searchsorted(self.times, in_unit_interval(t), side="right") - 1, 0, len(slopes) - 1)]

    def log_speed(self, t, u):
        """Both alpha and 1 - alpha are measured from the nearer end of their piece."""
        times, values = np.array(self.times), np.array(self.values)
        piece = np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2)
        slope = (np.diff(values) / np.diff(times))[piece]
        alpha = values[piece] + slope * (t - times[piece])
        masked = (1.0 - values[piece + 1]) + slope * (u - (1.0 - times[piece + 1]))
        with np.errstate(divide="ignore"):
            return np.log(slope) - np.log(np.pi) - 0.5 * np.log(alpha * masked)
