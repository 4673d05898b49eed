"""Total correlation TC and dual total correlation DTC: the two ends of the information curve."""

from toy_models.door import require_target
from toy_models.quantities.information_curve import information_curve
from toy_models.rounding import nonnegative_measure
from toy_models.targets.protocol import Target, own_route


def total_correlation(target: Target) -> float:
    """TC = sum_i H(X_i) - H(X) = L g[0] - sum g, nats per sequence."""
    require_target(target)
    own = own_route(target, "total_correlation")
    if own is not None:
        return own
    g = information_curve(target)
    return nonnegative_measure("TC", len(g) * g[0] - g.sum(), 1.0 + len(g) * g[0])


def dual_total_correlation(target: Target) -> float:
    """DTC = H(X) - sum_i H(X_i | X_-i) = sum g - L g[L-1], nats per sequence."""
    require_target(target)
    own = own_route(target, "dual_total_correlation")
    if own is not None:
        return own
    g = information_curve(target)
    return nonnegative_measure("DTC", g.sum() - len(g) * g[-1], 1.0 + len(g) * g[0])
