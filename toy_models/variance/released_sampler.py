"""What the released code of P-POTS estimates and draws, as mathematics."""

import numpy as np

from toy_models.validation import positive_int
from toy_models.variance.loss_moments import Moments
from toy_models.variance.strats import mean_between


def truncated_grid_mean(moments: Moments, cells: int, epsilon: float = 1e-3) -> float:
    """Integral over s in [1/T, 1 - 1/T] of g(t(s)), t(s) = (1 - epsilon) s + epsilon: what a truncated grid reaches."""
    cells = positive_int("cells", cells, minimum=3)
    low, high = ((1.0 - epsilon) * s + epsilon for s in (1.0 / cells, 1.0 - 1.0 / cells))
    return mean_between(moments, low, high) / (1.0 - epsilon)


def released_sampler_mean(moments: Moments, cells: int, epsilon: float = 1e-3) -> float:
    """E[l / p] of the released sampler, T = `cells`.

    A cell of the grid j/T, j = 1..T-1, is drawn with probability proportional to the mean of its two end weights and s
    uniformly in it, while the weight uses the linear interpolation p(s).

    Compare with the integral over s in [0, 1], decompose(...).mean / (1 - epsilon): the bias is about -2/T of it.
    """
    cells = positive_int("cells", cells, minimum=3)
    s = np.arange(1, cells) / cells
    at_ends = (1.0 - epsilon) * s + epsilon
    root = np.sqrt(moments.second_moment(at_ends) - moments.spread_of_mean(at_ends))
    p = root / np.trapezoid(root, s)
    chance = (p[1:] + p[:-1]) / 2
    chance /= chance.sum()
    u, w = np.polynomial.legendre.leggauss(32)
    inner = s[:-1, None] + (u + 1.0) / 2 / cells
    g = np.sqrt(moments.square_of_mean(((1.0 - epsilon) * inner + epsilon).ravel())).reshape(inner.shape)
    return float(chance @ (g / np.interp(inner, s, p)) @ w) / 2
