"""Exact bias and variance of four more remedies (Jia et al. 2025, arXiv 2511.18159): ISAD, SyRM, StraTS, bin-wise EMA.

c[x, M, i] = -log p(x_i | x outside M) for i in M is loss_moments.token_losses; h(t) = E_x g(x, t) / p(t).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy
from jaxtyping import Bool, Float
from scipy.special import beta as beta_function

from toy_models.validation import positive_int
from toy_models.variance.decomposition import VarianceDecomposition, decompose
from toy_models.variance.loss_moments import Moments
from toy_models.variance.timesteps import Density, quadrature, uniform


@dataclass(frozen=True)
class Estimator:
    """Mean, total variance and bias (against the integral of g over [epsilon, 1]) of one modified loss."""

    mean: float
    variance: float
    bias: float


def mask_probabilities(rates: Float[np.ndarray, " L"]) -> Float[np.ndarray, " masks"]:
    """P(M) when position i is masked independently with probability rates[i]."""
    law = np.ones(1)
    for rate in rates:
        law = np.concatenate([law * (1.0 - rate), law * rate])
    return law


def isad(
    losses: Float[np.ndarray, "X masks L"],
    probability: Float[np.ndarray, " X"],
    rare: Bool[np.ndarray, "..."],
    shift: float,
    epsilon: float = 1e-3,
) -> Estimator:
    """Loss (1/L) sum over i in M of c_i / q_i(t), q_i = min(1, t + shift) at rare positions, t elsewhere; t uniform.

    Only the inclusion probability is corrected, not the law of the other tokens' context: biased unless shift = 0.
    """
    if not 0.0 <= shift < 1.0:
        raise ValueError(f"shift = {shift}, it must lie in [0, 1)")
    length = losses.shape[2]
    if rare.shape != (length,):
        raise ValueError(f"rare has shape {rare.shape}, it must mark the {length} positions")
    t, w = quadrature(epsilon, 1.0, (1.0 - shift,))
    mean = plain = second = 0.0
    for time, weight in zip(t, w / (1.0 - epsilon), strict=True):
        rates = np.where(rare, min(1.0, time + shift), time)
        value = losses @ (1.0 / rates) / length
        law = mask_probabilities(rates)
        mean += weight * float(probability @ value @ law)
        second += weight * float(probability @ value**2 @ law)
        uniform_law = mask_probabilities(np.full(length, time))
        plain += weight * float(probability @ losses.sum(axis=2) @ uniform_law) / (length * time)
    scale = 1.0 - epsilon  # the estimand is the integral over [epsilon, 1], the mean over t is that / (1 - epsilon)
    return Estimator(mean * scale, (second - mean**2) * scale**2, (mean - plain) * scale)


def eligible_loss(losses: Float[np.ndarray, "X masks L"], eligible: Bool[np.ndarray, " L"]):
    """Masks inside the eligible set, numbered again from 0, and c restricted to them: (X, 2^P, P)."""
    kept = np.flatnonzero(eligible)
    if len(kept) == 0:
        raise ValueError("eligible marks no position, at least one is needed")
    inner = np.arange(2 ** len(kept))
    masks = sum((((inner >> j) & 1) << int(i)) for j, i in enumerate(kept))
    return losses[:, masks][:, :, kept]


def syrm(
    losses: Float[np.ndarray, "X masks L"],
    probability: Float[np.ndarray, " X"],
    response: Bool[np.ndarray, " L"],
    syntax: Bool[np.ndarray, " L"],
    epsilon: float = 1e-3,
) -> Estimator:
    """Loss (1/(P t)) sum over masked i of c_i with response and syntax tokens eligible; t uniform, the rest visible.

    The bias is against the loss with the response alone eligible: SyRM averages two objectives.
    """
    both, alone = (_eligible_moments(losses, probability, e, epsilon) for e in (response | syntax, response))
    return Estimator(both[0], both[1], both[0] - alone[0])


def _eligible_moments(losses, probability, eligible, epsilon) -> tuple[float, float]:
    total = eligible_loss(losses, eligible).sum(axis=2)
    size = int(eligible.sum())
    t, w = quadrature(epsilon, 1.0)
    law = np.stack([mask_probabilities(np.full(size, s)) for s in t]) * (w / (size * t))[:, None]
    mean = float(probability @ total @ law.sum(axis=0))
    second = float(probability @ total**2 @ (law / (size * t)[:, None]).sum(axis=0)) * (1.0 - epsilon)
    return mean, second - mean**2


def syrm_variance(
    losses: Float[np.ndarray, "X masks L"],
    probability: Float[np.ndarray, " X"],
    eligible: Bool[np.ndarray, " L"],
    t: float,
) -> tuple[float, float]:
    """Var[l | t] of l = (1/(P t)) sum over i of M_i Y_i over the P eligible tokens: by enumeration, and by the formula

        (1/(P^2 t)) sum sigma_i^2 + ((1-t)/(P^2 t)) sum mu_i^2 + (2/P^2) sum over i < j of rho_ij,
    mu_i, sigma_i^2 the mean and variance of Y_i given M_i = 1, rho_ij = E[Y_i Y_j | M_i = M_j = 1] - mu_i mu_j.
    """
    if not 0.0 < t <= 1.0:
        raise ValueError(f"t = {t}, it must lie in (0, 1]")
    y = eligible_loss(losses, eligible)
    size = y.shape[2]
    weight = probability[:, None] * mask_probabilities(np.full(size, t))
    value = y.sum(axis=2) / (size * t)
    direct = float((weight * (value - (weight * value).sum()) ** 2).sum())
    pair = np.einsum("xm,xmi,xmj->ij", weight, y, y) / t**2
    mu = np.einsum("xm,xmi->i", weight, y) / t
    square = np.diag(pair) * t  # E[Y_i^2 | M_i = 1]: only one conditioning event
    rho = pair - np.outer(mu, mu)
    off = rho.sum() - np.trace(rho)
    formula = ((square - mu**2).sum() / t + (1.0 - t) / t * (mu**2).sum() + off) / size**2
    return direct, float(formula)


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


def transcribed_strats_variance(parts: VarianceDecomposition, between: float, batch: int, strata: int) -> float:
    """sigma_t^2/n - sigma_b^2/k as transcribed in notes on the paper; right only for k = n, negative elsewhere."""
    return parts.rate_time_first / batch - between / strata


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


def power_variance(moments: Moments, exponent: float) -> float:
    """Total variance at epsilon = 0 of the noise schedule with masked fraction s^c: infinite for c <= 1.

    c sum over k of second[k]/L^2 B(k - 1/c, L - k + 1) - (integral of g)^2, B the beta function.
    """
    if exponent <= 1.0:
        return np.inf
    k = np.arange(1, moments.length + 1)
    second = moments.second[1:] @ beta_function(k - 1.0 / exponent, moments.length - k + 1.0)
    integral = beta_function(k, moments.length - k + 1.0) / moments.length
    return float(exponent * second / moments.length**2 - integral @ moments.mean_gram[1:, 1:] @ integral)


def additive_optimum(c: Float[np.ndarray, " L"]) -> float:
    """Least variance over densities on (0, 1) of the additive loss S(M) = sum of c_i over M, in closed form.

    With m = mean c, s = sum c^2 / L^2, a = m^2 - s: (m + (s/sqrt(a)) asinh(sqrt(a/s)))^2 - m^2; at a = 0 (2m)^2 - m^2.
    """
    c = np.asarray(c, dtype=float)
    mean, s = float(c.mean()), float((c**2).sum()) / len(c) ** 2
    a = max(mean**2 - s, 0.0)
    root = mean + (s / np.sqrt(a) * np.arcsinh(np.sqrt(a / s)) if a > 1e-14 * s else np.sqrt(s))
    return root**2 - mean**2
