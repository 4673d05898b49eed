"""Mean, variance and bias of one modified training loss."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimator:
    """Mean, total variance and bias (against the integral of g over [epsilon, 1]) of one modified loss.

    >>> tm.variance.Estimator(mean=1.0, variance=0.5, bias=0.0).variance
    0.5
    """

    mean: float
    variance: float
    bias: float
