"""Mask schedules alpha(t), the revealed fraction at generation time t: 0 is all masked, 1 is all revealed."""

import numpy as np
from jaxtyping import Float, Int

from toy_models.validation import positive_int


class Schedule:
    """Shared by all schedules: everything follows from alpha(t) and its derivative.

    A schedule of your own defines `alpha`, `slope` and `endpoint_exponents`; `log_speed` gains accuracy near the ends.

    >>> tm.LinearSchedule().weights(4).tolist(), tm.CosineSchedule().sizes(4, 8).tolist()
    ([0.25, 0.25, 0.25, 0.25], [1, 1, 3, 3])
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
