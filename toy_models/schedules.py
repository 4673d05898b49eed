"""Mask schedules in generation time: t runs from 0 (all masked) to 1 (all revealed), alpha(t) is the revealed fraction.

A schedule gives the reveal probabilities of an N-step sampler with independent reveal (`weights`), or whole numbers of
tokens per step (`sizes`). The papers' noise time is 1 - t.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import betainc
from scipy.stats import beta as beta_law

from toy_models.validation import positive_int


class Schedule:
    """Shared by all schedules: everything follows from alpha(t) and its derivative."""

    def alpha(self, t):
        """Revealed fraction at generation time t; increasing, alpha(0) = 0, alpha(1) = 1."""
        raise NotImplementedError

    def slope(self, t):
        """d alpha / dt."""
        raise NotImplementedError

    def rate(self, t):
        """alpha'(t) / (1 - alpha(t)): the rate at which a masked token is revealed."""
        return self.slope(t) / (1.0 - self.alpha(t))

    def weights(self, steps: int) -> Float[np.ndarray, " N"]:
        """Delta_j = alpha(j/N) - alpha((j-1)/N), j = 1..N; they sum to 1."""
        grid = np.arange(positive_int("steps", steps) + 1) / steps
        return np.diff(self.alpha(grid))

    def sizes(self, steps: int, length: int) -> Int[np.ndarray, " N"]:
        """diff(round(L alpha(j/N))): tokens revealed in each step; some may be zero, they sum to L."""
        grid = np.arange(positive_int("steps", steps) + 1) / steps
        return np.diff(np.rint(positive_int("length", length) * self.alpha(grid)).astype(np.int64))


@dataclass(frozen=True)
class LinearSchedule(Schedule):
    """alpha(t) = t."""

    def alpha(self, t):
        return np.asarray(t, dtype=np.float64) * 1.0

    def slope(self, t):
        return np.ones_like(np.asarray(t, dtype=np.float64))


@dataclass(frozen=True)
class CosineSchedule(Schedule):
    """alpha(t) = 1 - cos(pi t / 2)   (MaskGIT)."""

    def alpha(self, t):
        return 2.0 * np.sin(np.pi * np.asarray(t) / 4) ** 2

    def slope(self, t):
        return np.pi / 2 * np.sin(np.pi * np.asarray(t) / 2)


@dataclass(frozen=True)
class SineSchedule(Schedule):
    """alpha(t) = sin(pi t / 2)."""

    def alpha(self, t):
        return np.sin(np.pi * np.asarray(t) / 2)

    def slope(self, t):
        return np.pi / 2 * np.cos(np.pi * np.asarray(t) / 2)


@dataclass(frozen=True)
class SineSquaredSchedule(Schedule):
    """alpha(t) = sin^2(pi t / 2), the minimiser of the path energy with weight gamma = t."""

    def alpha(self, t):
        return np.sin(np.pi * np.asarray(t) / 2) ** 2

    def slope(self, t):
        return np.pi / 2 * np.sin(np.pi * np.asarray(t))


@dataclass(frozen=True)
class PowerSchedule(Schedule):
    """alpha(t) = t^p, p > 0."""

    p: float

    def __post_init__(self):
        if not (np.isfinite(self.p) and self.p > 0):
            raise ValueError(f"p = {self.p}, it must be a finite number > 0")

    def alpha(self, t):
        return np.asarray(t, dtype=np.float64) ** self.p

    def slope(self, t):
        return self.p * np.asarray(t, dtype=np.float64) ** (self.p - 1)


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
        return np.sin(np.pi / 2 * betainc(self.a, self.b, np.asarray(t))) ** 2

    def slope(self, t):
        t = np.asarray(t)
        return np.pi / 2 * np.sin(np.pi * betainc(self.a, self.b, t)) * beta_law.pdf(t, self.a, self.b)
