"""A baseline from past losses: the moving average of the loss in the bin of t."""

import numpy as np

from toy_models.variance.decomposition import decompose
from toy_models.variance.densities import Density, quadrature, uniform
from toy_models.variance.estimator import Estimator
from toy_models.variance.loss_moments import Moments
from toy_models.variance.strats import stratum_edges


def ema_baseline(
    moments: Moments,
    bins: int,
    coefficient: float = 1.0,
    decay: float = 0.99,
    centred: bool = True,
    density: Density | None = None,
    epsilon: float = 1e-3,
) -> Estimator:
    """Loss l - coefficient * b_bin(t), b the stationary moving average (decay) of past losses in the bin, m equal bins.

    centred subtracts the average of the bins' true means, which makes the value unbiased. The baseline does not depend
    on the parameters: the gradient, and so its variance, is the same for every coefficient.
    """
    if not 0.0 <= decay < 1.0:
        raise ValueError(f"decay = {decay}, it must lie in [0, 1)")
    density = uniform(epsilon) if density is None else density
    parts = decompose(moments, density, density.low, "single", density.high)
    edges = stratum_edges(density, bins)
    mean, variance = np.empty(bins), np.empty(bins)
    for k in range(bins):
        t, w = quadrature(edges[k], edges[k + 1], (0.5, *density.breaks))
        mean[k] = bins * float(w @ np.sqrt(moments.square_of_mean(t)))
        variance[k] = bins * float(w @ (moments.second_moment(t) / density.pdf(t))) - mean[k] ** 2
    noise = (1.0 - decay) / (1.0 + decay) * variance.mean()
    between = float(((mean - mean.mean()) ** 2).mean())
    total = parts.total + coefficient**2 * (between + noise) - 2.0 * coefficient * between
    bias = 0.0 if centred else -coefficient * float(mean.mean())
    return Estimator(parts.mean + bias, total, bias)
