"""The two-parameter family of Beta schedules (Chen et al. 2025, arXiv 2509.13866, eq. 16)."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaln

from toy_models.schedules.protocol import Schedule, in_unit_interval


def _log_pi(x):
    return np.log(x) - np.log(np.pi)


@dataclass(frozen=True)
class BetaSchedule(Schedule):
    """alpha(t) = sin^2(pi/2 I_t(a, b)), I the regularised incomplete beta function (Chen et al. 2025, eq. 16).

    >>> round(float(tm.BetaSchedule(1.0, 1.0).alpha(1 / 3)), 12)  # sin^2(pi / 6)
    0.25
    """

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
