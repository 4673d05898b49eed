"""A curve over the number of revealed tokens, and what every schedule costs on it: exact, or one draw per sequence.

Of the information curve g the excess is KL of the joint laws of (text, order); of the cross-entropy curve c of a
network costs bound its negative log-likelihood. A random order cut into s_1, s_2, ... costs sum_j s_j c[N_(j-1)].
"""

from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float, Int

from toy_models.quantities.information_curve import falling_curve
from toy_models.quantities.intervals import Estimate, exactly, simultaneous_interval, student_interval


@dataclass(frozen=True, eq=False)
class SampledCurve:
    """c[k] >= 0, k = 0..L-1: exact (one row), or one unbiased draw per sequence (two rows and more).

    >>> curve = tm.quantities.SampledCurve(np.array([[2.0, 1.0, 0.0]]))
    >>> float(curve.excess(np.array([3])).value), float(curve.cost(np.array([1, 2])).value * 3)  # (3 2 - 3)/3; 2 + 2 1
    (1.0, 4.0)
    """

    rows: Float[np.ndarray, "rows L"]
    confidence: float = 0.99

    @property
    def exact(self) -> bool:
        return len(self.rows) == 1

    @property
    def length(self) -> int:
        return self.rows.shape[1]

    @property
    def values(self) -> Estimate:
        """c with pointwise intervals (Student, asymptotic), cut at 0: no entry is negative."""
        return _cut(self.functional(np.eye(self.length)))

    @property
    def band(self) -> Estimate:
        """c with intervals that hold for all k together (union bound over Student's, asymptotic), cut at 0."""
        return exactly(self.rows[0]) if self.exact else _cut(simultaneous_interval(self.rows, self.confidence))

    @property
    def falling(self) -> Float[np.ndarray, " L"]:
        """A nonincreasing curve for optimisers: itself where exact, else smoothed (`falling_curve`)."""
        mean = self.rows.mean(axis=0)
        return np.minimum.accumulate(mean) if self.exact else falling_curve(mean)

    def functional(self, weights: Float[np.ndarray, "... L"]) -> Estimate:
        """sum over k of weights[k] c[k]; the rows of one draw share its noise, so differences are sharp."""
        per_row = self.rows @ np.moveaxis(np.asarray(weights, dtype=np.float64), -1, 0)
        if self.exact:
            return exactly(per_row[0])
        return student_interval(per_row, self.confidence)

    def cost(self, sizes: Int[np.ndarray, " N"]) -> Estimate:
        """sum_j s_j c[N_(j-1)] / L of a random order cut into `sizes`, nats per token."""
        return self.functional(sizes_share(sizes, self.length) / self.length)

    def weights_cost(self, weights: Float[np.ndarray, " N"]) -> Estimate:
        """sum_j Delta_j h_c(a_(j-1)) of independent reveal with `weights`, nats per token."""
        return self.functional(weights_share(weights, self.length) / self.length)

    def excess(self, sizes: Int[np.ndarray, " N"]) -> Estimate:
        """cost(sizes) - cost of one token per call, nats per token; E_tau KL(q || p_tau) / L where c = g."""
        return self.functional((sizes_share(sizes, self.length) - 1.0) / self.length)

    def difference(self, sizes: Int[np.ndarray, " N"], other: Int[np.ndarray, " M"]) -> Estimate:
        """cost(sizes) - cost(other), along the same rows."""
        return self.functional((sizes_share(sizes, self.length) - sizes_share(other, self.length)) / self.length)


def sizes_share(sizes: Int[np.ndarray, " N"], length: int) -> Float[np.ndarray, " L"]:
    """s_j at k = N_(j-1), 0 elsewhere: a random order cut into `sizes` costs share @ c.

    >>> tm.quantities.sizes_share(np.array([1, 0, 2]), 3).tolist()
    [1.0, 2.0, 0.0]
    """
    sizes = np.asarray(sizes)
    if (sizes < 0).any() or sizes.sum() != length:
        raise ValueError(f"sizes must be >= 0 and sum to L = {length}, they sum to {int(sizes.sum())}")
    share = np.zeros(length)
    used = sizes[sizes > 0]
    share[np.cumsum(used) - used] = used
    return share


def weights_share(weights: Float[np.ndarray, " N"], length: int) -> Float[np.ndarray, " L"]:
    """L sum_j Delta_j P(Bin(L-1, a_(j-1)) = k): independent reveal with `weights` costs share @ c.

    >>> tm.quantities.weights_share(np.array([0.5, 0.5]), 2).tolist()  # 2 (1/2 (1, 0) + 1/2 (1/2, 1/2))
    [1.5, 0.5]
    """
    weights = np.asarray(weights, dtype=np.float64)
    before = np.clip(np.cumsum(weights) - weights, 0.0, 1.0)
    return length * (weights @ scipy.stats.binom.pmf(np.arange(length), length - 1, before[:, None]))


def _cut(found: Estimate) -> Estimate:
    value, low, high = (np.maximum(part, 0.0) for part in (found.value, found.low, found.high))
    return Estimate(value, low, high, found.confidence)
