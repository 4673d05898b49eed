"""Dual total correlation: the information that all positions share, the lower end of the information curve."""

from toy_models.door import require_target
from toy_models.quantities.information_curve import information_curve
from toy_models.rounding import nonnegative_measure
from toy_models.targets.protocol import Target, own_route


def dual_total_correlation(target: Target) -> float:
    """DTC = H(X) - sum_i H(X_i | X_-i) = sum g - L g[L-1], nats per sequence.

    >>> round(float(tm.dual_total_correlation(tm.zero_sum(2, 3)) / np.log(2)), 12)  # n - 1 bits
    2.0
    """
    require_target(target)
    own = own_route(target, "dual_total_correlation")
    if own is not None:
        return own
    g = information_curve(target)
    return nonnegative_measure("DTC", g.sum() - len(g) * g[-1], 1.0 + len(g) * g[0])
