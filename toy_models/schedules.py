"""Mask schedules in generation time: t runs from 0 (all masked) to 1 (all revealed), alpha(t) is the revealed fraction.

A schedule gives the reveal probabilities of an N-step sampler with independent reveal (`weights`), or whole numbers of
tokens per step (`sizes`). The papers' noise time is 1 - t.

Notation: theta = arcsin sqrt(alpha) is the angle on the quarter circle, eta = 2 theta / pi the schedule's own
interpolation function (Chen et al. 2025, arXiv 2509.13866, Condition 3.4); eta' is its density on [0, 1].
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from scipy.special import betainc, betaln

from toy_models.validation import positive_int


class Schedule:
    """Shared by all schedules: everything follows from alpha(t) and its derivative.

    A schedule of your own defines `alpha`, `slope` and `endpoint_exponents`; `log_speed` gains accuracy near the ends.
    """

    breakpoints = (0.0, 1.0)  # alpha is smooth between two neighbours

    def alpha(self, t):
        """Revealed fraction at generation time t; increasing, alpha(0) = 0, alpha(1) = 1."""
        raise NotImplementedError

    def slope(self, t):
        """d alpha / dt."""
        raise NotImplementedError

    def endpoint_exponents(self) -> tuple[float, float]:
        """(r, s) with alpha ~ t^r at 0 and 1 - alpha ~ (1-t)^s at 1, up to positive factors."""
        raise NotImplementedError(f"{type(self).__name__} does not declare endpoint_exponents() -> (r, s)")

    def log_speed(self, t, u):
        """log eta'(t) with u = 1 - t given apart, so that both ends are resolved."""
        alpha = self.alpha(t)
        with np.errstate(divide="ignore"):
            return np.log(self.slope(t)) - np.log(np.pi) - 0.5 * np.log(alpha * (1.0 - alpha))

    def angle(self, t):
        """theta(t) = arcsin sqrt(alpha(t)), from 0 to pi/2."""
        return np.arcsin(np.sqrt(self.alpha(t)))

    def rate(self, t):
        """alpha'(t) / (1 - alpha(t)): the rate at which a masked token is revealed; inf once alpha = 1."""
        slope, masked = np.asarray(self.slope(t)), np.asarray(1.0 - self.alpha(t))
        return np.divide(slope, masked, out=np.full(np.shape(slope), np.inf), where=masked > 0)

    def on_grid(self, steps: int) -> Float[np.ndarray, " knots"]:
        """alpha(j/N), j = 0..N; ValueError unless it increases from 0 to 1."""
        grid = np.arange(positive_int("steps", steps) + 1) / steps
        return increasing(np.asarray(self.alpha(grid), dtype=np.float64), grid, whole=True)

    def weights(self, steps: int) -> Float[np.ndarray, " N"]:
        """Delta_j = alpha(j/N) - alpha((j-1)/N), j = 1..N; they sum to 1."""
        return np.diff(self.on_grid(steps))

    def sizes(self, steps: int, length: int) -> Int[np.ndarray, " N"]:
        """diff(round(L alpha(j/N))): tokens revealed in each step; some may be zero, they sum to L."""
        return np.diff(np.rint(positive_int("length", length) * self.on_grid(steps)).astype(np.int64))


def increasing(alpha, times, whole: bool):
    """`alpha` if it stays in [0, 1] and never decreases (and, for `whole`, runs from 0 to 1); else ValueError."""
    wrong = np.flatnonzero(~((alpha >= 0) & (alpha <= 1)))
    if wrong.size:
        k = int(wrong[0])
        raise ValueError(f"alpha({times[k]:.6g}) = {alpha[k]}, a schedule stays in [0, 1]")
    falls = np.flatnonzero(np.diff(alpha) < 0)
    if falls.size:
        k = int(falls[0])
        raise ValueError(
            f"alpha falls from {alpha[k]:.6g} at t = {times[k]:.6g} to {alpha[k + 1]:.6g} at t = {times[k + 1]:.6g}; "
            "a schedule must not decrease"
        )
    if whole and (alpha[0] != 0 or alpha[-1] != 1):
        raise ValueError(f"alpha runs from {alpha[0]:.6g} to {alpha[-1]:.6g}, it must run from 0 to 1")
    return alpha


def in_unit_interval(t):
    """`t` as a float64 array; ValueError outside [0, 1]."""
    t = np.asarray(t, dtype=np.float64)
    wrong = ~((t >= 0) & (t <= 1))
    if wrong.any():
        raise ValueError(f"t = {t[wrong].flat[0]}, time runs over [0, 1]")
    return t


def _log_pi(x):
    return np.log(x) - np.log(np.pi)


@dataclass(frozen=True)
class LinearSchedule(Schedule):
    """alpha(t) = t."""

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
    """alpha(t) = 1 - cos(pi t / 2)   (MaskGIT)."""

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
    """alpha(t) = sin(pi t / 2)."""

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
    """alpha(t) = sin^2(pi t / 2), the minimiser of the path energy with weight gamma = t."""

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
    """alpha(t) = 3 t^2 - 2 t^3."""

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
    """alpha(t) = t^p, p > 0."""

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


@dataclass(frozen=True)
class BetaSchedule(Schedule):
    """alpha(t) = sin^2(pi/2 I_t(a, b)), I the regularised incomplete beta function (Chen et al. 2025, eq. 16)."""

    a: float
    b: float

    def __post_init__(self):
        for name, value in (("a", self.a), ("b", self.b)):
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} = {value}, it must be a finite number > 0")

    def alpha(self, t):
        return np.sin(self.angle(t)) ** 2

    def angle(self, t):
        return np.pi / 2 * betainc(self.a, self.b, in_unit_interval(t))

    def slope(self, t):
        """pi/2 sin(pi I) I'; at the ends the limit: 0, a finite number when the exponent is 1/2, or inf."""
        t = in_unit_interval(t)
        low, high = betainc(self.a, self.b, t), betainc(self.b, self.a, 1.0 - t)
        inside = (t > 0) & (t < 1)
        safe = np.where(inside, t, 0.5)
        value = np.pi / 2 * np.sin(np.pi * np.minimum(low, high)) * np.exp(self._log_density(safe, 1.0 - safe))
        for end, exponent in ((0.0, self.a), (1.0, self.b)):
            level = np.pi**2 * np.exp(-2 * betaln(self.a, self.b)) if exponent == 0.5 else np.inf
            value = np.where(t == end, 0.0 if exponent > 0.5 else level, value)
        return value

    def endpoint_exponents(self) -> tuple[float, float]:
        return 2.0 * self.a, 2.0 * self.b

    def log_speed(self, t, u):
        return self._log_density(t, u)

    def _log_density(self, t, u):
        return (self.a - 1) * np.log(t) + (self.b - 1) * np.log(u) - betaln(self.a, self.b)


@dataclass(frozen=True)
class MirroredSchedule(Schedule):
    """alpha(t) = 1 - inner.alpha(1 - t): the inner schedule run from its other end."""

    inner: Schedule

    def alpha(self, t):
        return 1.0 - self.inner.alpha(1.0 - in_unit_interval(t))

    def slope(self, t):
        return self.inner.slope(1.0 - in_unit_interval(t))

    def endpoint_exponents(self) -> tuple[float, float]:
        return self.inner.endpoint_exponents()[::-1]

    def log_speed(self, t, u):
        return self.inner.log_speed(u, t)


@dataclass(frozen=True)
class KnotSchedule(Schedule):
    """alpha linear between the points (times[k], values[k]); times run from 0 to 1, values never decrease.

    values[0] > 0 or values[-1] < 1 is a clipped path: it has an energy, but gives no sampler.
    """

    times: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self):
        times, values = (tuple(float(v) for v in part) for part in (self.times, self.values))
        if len(times) != len(values) or len(times) < 2:
            raise ValueError(f"times and values need the same length >= 2, got {len(times)} and {len(values)}")
        if times[0] != 0 or times[-1] != 1 or not all(x < y for x, y in pairwise(times)):
            raise ValueError(f"times = {times}, they must increase strictly from 0 to 1")
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
