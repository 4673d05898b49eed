"""The schedules that papers name: linear, cosine, sine, sine squared, smoothstep, power."""

from dataclasses import dataclass

import numpy as np

from toy_models.schedules.beta import _log_pi
from toy_models.schedules.protocol import Schedule, in_unit_interval


@dataclass(frozen=True)
class LinearSchedule(Schedule):
    """alpha(t) = t.

    >>> tm.LinearSchedule().alpha(np.array([0.0, 0.5, 1.0])).tolist()
    [0.0, 0.5, 1.0]
    """

    def alpha(self, t):
        return in_unit_interval(t) * 1.0

    def slope(self, t):
        return np.ones_like(in_unit_interval(t))

    def endpoint_exponents(self) -> tuple[float, float]:
        return 1.0, 1.0

    def log_speed(self, t, u):
        return -np.log(np.pi) - 0.5 * (np.log(t) + np.log(u))


@dataclass(frozen=True)
class CosineSchedule(Schedule):
    """alpha(t) = 1 - cos(pi t / 2)   (MaskGIT).

    >>> round(float(tm.CosineSchedule().alpha(2 / 3)), 12)  # 1 - cos(pi / 3)
    0.5
    """

    def alpha(self, t):
        t = in_unit_interval(t)
        return np.where(t == 1.0, 1.0, 2.0 * np.sin(np.pi * t / 4) ** 2)  # 2 sin^2(pi/4) rounds to 1 - 2^-53

    def slope(self, t):
        return np.pi / 2 * np.sin(np.pi * in_unit_interval(t) / 2)

    def endpoint_exponents(self) -> tuple[float, float]:
        return 2.0, 1.0

    def log_speed(self, t, u):
        return SineSchedule().log_speed(u, t)


@dataclass(frozen=True)
class SineSchedule(Schedule):
    """alpha(t) = sin(pi t / 2).

    >>> round(float(tm.SineSchedule().alpha(1 / 3)), 12)  # sin(pi / 6)
    0.5
    """

    def alpha(self, t):
        return np.sin(np.pi * in_unit_interval(t) / 2)

    def slope(self, t):
        return np.pi / 2 * np.cos(np.pi * in_unit_interval(t) / 2)

    def endpoint_exponents(self) -> tuple[float, float]:
        return 1.0, 2.0

    def log_speed(self, t, u):
        return np.log(np.cos(np.pi * u / 4)) - 0.5 * np.log(2 * np.sin(np.pi * t / 2))


@dataclass(frozen=True)
class SineSquaredSchedule(Schedule):
    """alpha(t) = sin^2(pi t / 2), the minimiser of the path energy with weight gamma = t.

    >>> round(float(tm.SineSquaredSchedule().alpha(1 / 3)), 12)  # sin^2(pi / 6)
    0.25
    """

    def alpha(self, t):
        return np.sin(np.pi * in_unit_interval(t) / 2) ** 2

    def slope(self, t):
        return np.pi / 2 * np.sin(np.pi * in_unit_interval(t))

    def endpoint_exponents(self) -> tuple[float, float]:
        return 2.0, 2.0

    def log_speed(self, t, u):
        return np.zeros_like(np.asarray(t, dtype=np.float64))

    def angle(self, t):
        return np.pi / 2 * in_unit_interval(t)


@dataclass(frozen=True)
class SmoothstepSchedule(Schedule):
    """alpha(t) = 3 t^2 - 2 t^3.

    >>> tm.schedules.SmoothstepSchedule().alpha(np.array([0.25, 0.5])).tolist()
    [0.15625, 0.5]
    """

    def alpha(self, t):
        t = in_unit_interval(t)
        return t * t * (3.0 - 2.0 * t)

    def slope(self, t):
        t = in_unit_interval(t)
        return 6.0 * t * (1.0 - t)

    def endpoint_exponents(self) -> tuple[float, float]:
        return 2.0, 2.0

    def log_speed(self, t, u):
        return _log_pi(6.0) - 0.5 * np.log((1.0 + 2.0 * u) * (1.0 + 2.0 * t))


@dataclass(frozen=True)
class PowerSchedule(Schedule):
    """alpha(t) = t^p, p > 0.

    >>> tm.PowerSchedule(2.0).alpha(np.array([0.0, 0.5, 1.0])).tolist()
    [0.0, 0.25, 1.0]
    """

    p: float

    def __post_init__(self):
        if not (np.isfinite(self.p) and self.p > 0):
            raise ValueError(f"p = {self.p}, it must be a finite number > 0")

    def alpha(self, t):
        return in_unit_interval(t) ** self.p

    def slope(self, t):
        with np.errstate(divide="ignore"):
            return self.p * in_unit_interval(t) ** (self.p - 1)

    def endpoint_exponents(self) -> tuple[float, float]:
        return float(self.p), 1.0

    def log_speed(self, t, u):
        log_t = np.where(np.asarray(t) < 0.5, np.log(t), np.log1p(-np.minimum(u, 0.75)))
        return _log_pi(self.p) + (self.p / 2 - 1) * log_t - 0.5 * np.log(-np.expm1(self.p * log_t))
