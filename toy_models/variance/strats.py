"""StraTS and its neighbours: noise times spread over strata, or sharing one shift."""

from itertools import pairwise

import numpy as np
import scipy
from jaxtyping import Float

from toy_models.validation import positive_int
from toy_models.variance.decomposition import decompose
from toy_models.variance.densities import Density, quadrature, uniform
from toy_models.variance.loss_moments import Moments


def stratum_edges(density: Density, strata: int) -> Float[np.ndarray, " edges"]:
    """Points that cut the law of t into strata of equal probability."""
    strata = positive_int("strata", strata)
    inner = np.arange(1, strata) / strata
    if density.quantile is not None:
        return np.concatenate([[density.low], density.quantile(inner), [density.high]])

    def mass_below(s):
        t, w = quadrature(density.low, s, density.breaks)
        return float(w @ density.pdf(t))

    edges = [
        scipy.optimize.brentq(lambda s, level=level: mass_below(s) - level, density.low * 1.0000001, density.high)
        for level in inner
    ]
    return np.array([density.low, *edges, density.high])


def stratified_variance(
    moments: Moments,
    batch: int,
    strata: int,
    density: Density | None = None,
    epsilon: float = 1e-3,
    masks: str = "single",
) -> float:
    """Variance of a batch mean of n draws with n/k values of t in each of k strata of equal probability (StraTS).

    (total - sigma_b^2) / n, sigma_b^2 the variance of h(t) between strata; sequences and masks stay independent.
    """
    batch, strata = positive_int("batch", batch), positive_int("strata", strata)
    if batch % strata:
        raise ValueError(f"strata = {strata}, it must divide batch = {batch}")
    density = uniform(epsilon) if density is None else density
    parts = decompose(moments, density, density.low, masks, density.high)
    edges = stratum_edges(density, strata)
    means = np.array([strata * mean_between(moments, a, b) for a, b in pairwise(edges)])
    return (parts.total - float(((means - means.mean()) ** 2).mean())) / batch


def mean_between(moments: Moments, low: float, high: float) -> float:
    """Integral of E_x g(x, t) over [low, high]."""
    t, w = quadrature(low, high)
    return float(w @ np.sqrt(moments.square_of_mean(t)))


def low_discrepancy_variance(
    moments: Moments, batch: int, density: Density | None = None, epsilon: float = 1e-3
) -> float:
    """Variance of a batch mean whose times share one uniform shift: t_j = F^-1((j + u)/n), u ~ U(0, 1).

    (total - Var_t h)/n + Var_u(mean over j of h(t_j)), the second by quadrature in u.
    """
    batch = positive_int("batch", batch)
    density = uniform(epsilon) if density is None else density
    if density.quantile is None:
        raise ValueError(f"density {density.name!r} has no quantile function; use density.histogram()")
    parts = decompose(moments, density, density.low, "single", density.high)
    u, w = np.polynomial.legendre.leggauss(64)
    t = density.quantile((np.arange(batch)[:, None] + (u + 1.0) / 2) / batch)
    h = (np.sqrt(moments.square_of_mean(t.ravel())) / density.pdf(t.ravel())).reshape(t.shape).mean(axis=0)
    mean = float(w @ h) / 2
    return (parts.total - parts.rate_time_first) / batch + float(w @ (h - mean) ** 2) / 2
