"""Total correlation: what one step that reveals everything costs, the upper end of the information curve."""

from toy_models.door import require_target
from toy_models.quantities.information_curve import information_curve
from toy_models.rounding import nonnegative_measure
from toy_models.targets.protocol import Target, own_route


def total_correlation(target: Target) -> float:
    """TC = sum_i H(X_i) - H(X) = L g[0] - sum g, nats per sequence.

    >>> round(float(tm.total_correlation(tm.zero_sum(2, 3)) / np.log(2)), 12)  # one bit, whatever the length
    1.0
    """
    require_target(target)
    own = own_route(target, "total_correlation")
    if own is not None:
        return own
    g = information_curve(target)
    return nonnegative_measure("TC", len(g) * g[0] - g.sum(), 1.0 + len(g) * g[0])
