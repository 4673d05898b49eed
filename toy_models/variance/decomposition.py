"""Var(l) = A + B + C: mask-pattern, mask-rate and data noise of the training loss, exactly.

With x outermost, then t, then the masks (law of total variance, twice), g = E[l | x, t], v = Var[l | x, t]:
    A = E_x E_t v          B = E_x Var_t(g)          C = Var_x(E_t g)
for l = S(x, M) / (L t p(t)), t ~ p on [epsilon, upper]. Nats per token (Jia et al. 2025, arXiv 2511.18159).
"""

from dataclasses import dataclass
from math import comb

import numpy as np
from jaxtyping import Float

from toy_models.quantities.intervals import Estimate, student_interval
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK, distribution, positive_int
from toy_models.variance import densities, p_pots
from toy_models.variance.densities import Density, check_interval, quadrature
from toy_models.variance.loss_moments import Moments, loss_moments, token_losses

CALLS = {"single": 1, "independent-pair": 2, "mirror": 2}


@dataclass(frozen=True)
class VarianceDecomposition:
    """total = pattern + rate + data = pattern + rate_time_first + data_time_first, per draw of the loss.

    >>> parts = tm.variance_decomposition(tm.pairs(2, 2))
    >>> parts.data, round(parts.total - (parts.pattern + parts.rate + parts.data), 12)
    (0.0, 0.0)
    """

    pattern: float  # A = E v
    rate: float  # B = E_x Var_t g
    data: float  # C = Var_x E_t g
    mean: float  # |E l|: the integral of g over [epsilon, upper]; for gradients the norm of the mean
    rate_time_first: float  # Var_t E_x g, the other conditioning order; the part that stratifying a batch removes
    data_time_first: float  # E_t Var_x g
    calls: int = 1  # network calls of one draw

    @property
    def total(self) -> float:
        return self.pattern + self.rate + self.data

    @property
    def per_call(self) -> float:
        """Variance of the mean of draws that together make one network call: total * calls."""
        return self.total * self.calls


def variance_decomposition(
    target: Target,
    denoiser: Denoiser | None = None,
    density: Density | str | None = None,
    epsilon: float = 1e-3,
    masks: str = "single",
    upper: float = 1.0,
) -> VarianceDecomposition:
    """A, B, C of l = S(x, M) / (L t p(t)), enumerated over x and M, integrated over t in [epsilon, upper].

    denoiser None: the oracle. density None: uniform; "optimal": the density of least variance for these masks; or a
    timesteps.Density. masks: "single", "independent-pair", "mirror" (the mean of two masks of the same x and t).
    Cost O(V^L 2^L L), "mirror" O(V^L 3^L); rounding about 1e-14 times the total.

    >>> parts = tm.variance_decomposition(tm.pairs(2, 2))
    >>> parts.data  # all sequences cost the same
    0.0
    """
    if masks not in CALLS:
        raise ValueError(f"masks = {masks!r}, allowed: {', '.join(map(repr, CALLS))}")
    check_interval(epsilon, upper)
    moments = loss_moments(target, denoiser, pairs=masks == "mirror").average
    return decompose(moments, density, epsilon, masks, upper)


def decompose(
    moments: Moments,
    density: Density | str | None = None,
    epsilon: float = 1e-3,
    masks: str = "single",
    upper: float = 1.0,
) -> VarianceDecomposition:
    """The same from moments by mask size; for gradient moments each variance is a trace.

    >>> moments = tm.variance.tabular_gradient_moments(tm.repetition(2, 2))
    >>> parts = tm.variance.decompose(moments)
    >>> round(parts.total - parts.pattern - parts.rate - parts.data, 9)
    0.0
    """
    if masks not in CALLS:
        raise ValueError(f"masks = {masks!r}, allowed: {', '.join(map(repr, CALLS))}")
    check_interval(epsilon, upper)
    density = resolve(moments, density, epsilon, masks, upper)
    density.require_positive(epsilon, upper)
    t, w = quadrature(epsilon, upper, (0.5, *density.breaks))
    p = np.asarray(density.pdf(t))
    mean_square = moments.mean_square(t)
    rho_part = densities.second_moment(moments, t, masks) - mean_square
    integral = moments.basis(t) @ w  # of b_k(t), so E_t g(x, .) = F(x) @ integral
    data = float(integral @ moments.centred @ integral)
    squared_mean = float(integral @ moments.mean_gram @ integral)
    over_p = w / p
    return VarianceDecomposition(
        pattern=float(over_p @ rho_part),
        rate=float(over_p @ mean_square) - float(integral @ moments.gram @ integral),
        data=data,
        mean=float(np.sqrt(max(squared_mean, 0.0))),
        rate_time_first=float(over_p @ moments.square_of_mean(t)) - squared_mean,
        data_time_first=float(over_p @ moments.spread_of_mean(t)),
        calls=CALLS[masks],
    )


def resolve(moments: Moments, density: Density | str | None, epsilon: float, masks: str, upper: float) -> Density:
    """None -> uniform, "optimal" -> the optimum for these masks, a Density -> itself."""
    if density is None or (isinstance(density, str) and density == "uniform"):
        return densities.uniform(epsilon, upper)
    if isinstance(density, str) and density == "optimal":
        return p_pots.optimal(moments, epsilon, upper, masks)
    if isinstance(density, Density):
        return density
    raise ValueError(f'density = {density!r}, allowed: None, "uniform", "optimal" or a timesteps.Density')


def size_moments(
    moments: Moments,
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k k"], Float[np.ndarray, "k k"]]:
    """For M uniform of size k = 1..L: E S^2, and the matrices E_x[G_j G_k], Cov_x(G_j, G_k), G_k = E[S | x, k]."""
    ways = np.array([comb(moments.length, k) for k in range(1, moments.length + 1)], dtype=float)
    outer = np.outer(ways, ways)
    return moments.second[1:] / ways, moments.gram[1:, 1:] / outer, moments.centred[1:, 1:] / outer


def size_decomposition(
    moments: Moments, weights: Float[np.ndarray, " L"] | None = None, masks: str = "single"
) -> VarianceDecomposition:
    """A, B, C of the estimator that draws k ~ weights on 1..L, M uniform of size k, and loses S / (L k weights[k]).

    Its mean is the integral of g over (0, 1) and every part is finite. weights None: uniform, loss S/k. masks "mirror":
    the mean over two sets of size k that overlap as little as possible; "independent-pair": over two independent sets.

    >>> moments = tm.variance.tabular_gradient_moments(tm.repetition(2, 2))
    >>> tm.variance.size_decomposition(moments).calls
    1
    """
    length = moments.length
    k = np.arange(1, length + 1)
    weights = distribution("weights", np.full(length, 1.0 / length) if weights is None else weights)
    if weights.shape != (length,) or (weights <= 0).any():
        raise ValueError(f"weights = {weights}, allowed: {length} positive numbers (sizes 1..L) with sum 1")
    _, gram, centred = size_moments(moments)
    c = 1.0 / (length * k)
    over = c**2 / weights
    mean_square = np.diag(gram)
    mean_gram = gram - centred
    squared_mean = float(c @ mean_gram @ c)
    return VarianceDecomposition(
        pattern=float(over @ (size_second_moment(moments, masks) - mean_square)),
        rate=float(over @ mean_square) - float(c @ gram @ c),
        data=float(c @ centred @ c),
        mean=float(np.sqrt(max(squared_mean, 0.0))),
        rate_time_first=float(over @ np.diag(mean_gram)) - squared_mean,
        data_time_first=float(over @ np.diag(centred)),
        calls=CALLS[masks],
    )


def size_second_moment(moments: Moments, masks: str = "single") -> Float[np.ndarray, " L"]:
    """E of the squared (mean) S given the number of masks k = 1..L."""
    length = moments.length
    second, gram, _ = size_moments(moments)
    if masks == "single":
        return second
    if masks == "independent-pair":
        return (second + np.diag(gram)) / 2
    if masks != "mirror":
        raise ValueError(f"masks = {masks!r}, allowed: {', '.join(map(repr, CALLS))}")
    if moments.disjoint is None or moments.covering is None:
        raise ValueError("these moments hold no mask pairs; compute them with pairs=True")
    cross = np.empty(length)
    for k in range(1, length + 1):
        table, part = (moments.disjoint, k) if 2 * k <= length else (moments.covering, length - k)
        cross[k - 1] = table[part, part] / (comb(length, part) * comb(length - part, part))
    return (second + cross) / 2


def optimal_size_weights(moments: Moments, masks: str = "single", stratified: bool = False) -> Float[np.ndarray, " L"]:
    """Law of the number of masks of least variance: weights[k] ~ sqrt(E[S^2 | k]) / k; stratified: sd for the root.

    >>> moments = tm.variance.tabular_gradient_moments(tm.repetition(2, 2))
    >>> round(float(tm.variance.optimal_size_weights(moments).sum()), 12)
    1.0
    """
    _, gram, centred = size_moments(moments)
    square = size_second_moment(moments, masks) - (np.diag(gram - centred) if stratified else 0.0)
    root = np.sqrt(np.maximum(square, 0.0)) / np.arange(1, moments.length + 1)
    return root / root.sum()


def sizes_from_times(moments: Moments, density: Density, epsilon: float) -> VarianceDecomposition:
    """A, B, C of the loss S/(L t p(t)) after averaging its weight over t given M (Rao-Blackwell).

    The mean is that of the draw itself and the variance at most its variance. With k masks the loss is S W_k / P_k,
    P_k = P(|M| = k), W_k = binom(L, k) times the integral of t^(k-1) (1-t)^(L-k) / L.

    >>> moments = tm.variance.tabular_gradient_moments(tm.repetition(2, 2))
    >>> uniform = tm.variance.densities.uniform(1e-3)
    >>> tm.variance.sizes_from_times(moments, uniform, 1e-3).total < tm.variance.decompose(moments).total
    True
    """
    length = moments.length
    t, w = quadrature(epsilon, 1.0, density.breaks)
    k = np.arange(1, length + 1)
    ways = np.array([comb(length, n) for n in k], dtype=float)
    chance = ways * ((t ** k[:, None] * (1.0 - t) ** (length - k[:, None])) @ (w * density.pdf(t)))
    integral = moments.basis(t)[1:] @ w * ways
    second, gram, centred = size_moments(moments)
    over = integral**2 / chance
    mean_gram = gram - centred
    squared_mean = float(integral @ mean_gram @ integral)
    return VarianceDecomposition(
        pattern=float(over @ (second - np.diag(gram))),
        rate=float(over @ np.diag(gram)) - float(integral @ gram @ integral),
        data=float(integral @ centred @ integral),
        mean=float(np.sqrt(max(squared_mean, 0.0))),
        rate_time_first=float(over @ np.diag(mean_gram)) - squared_mean,
        data_time_first=float(over @ np.diag(centred)),
    )


def arm_variance(target: Target, order: list[int] | None = None, denoiser: Denoiser | None = None) -> float:
    """C_ARM = Var_x of -(1/L) sum over i of log p(x_i | x before i in `order`); left to right by default.

    >>> tm.variance.arm_variance(tm.repetition(2, 3))  # all sequences cost the same
    0.0
    """
    order = list(range(target.length)) if order is None else list(order)
    if sorted(order) != list(range(target.length)):
        raise ValueError(f"order = {order}, it must be a permutation of 0..{target.length - 1}")
    losses, q = token_losses(target, denoiser), loss_moments(target, denoiser).probability
    hidden, total = 2**target.length - 1, np.zeros(len(q))
    for i in order:
        total += losses[:, hidden, i]
        hidden &= ~(1 << i)
    total /= target.length
    return float(q @ (total - q @ total) ** 2)


def estimate_variance(
    target: Target,
    size: int,
    rng: np.random.Generator,
    denoiser: Denoiser | None = None,
    density: Density | None = None,
    epsilon: float = 1e-2,
    masks: str = "single",
    confidence: float = 0.99,
    blocks: int = 20,
) -> Estimate:
    """Var(l) from `size` draws, for any length; the interval is Student's over `blocks` block variances.

    The fourth moment of l grows like epsilon^-3: below epsilon = 1e-2 the interval is too short for its confidence.

    >>> estimate = tm.variance.estimate_variance(tm.repetition(2, 2), 64, np.random.default_rng(0))
    >>> bool(estimate.low <= estimate.value <= estimate.high)
    True
    """
    per_block = positive_int("size", size, minimum=2 * blocks) // blocks
    density = densities.uniform(epsilon) if density is None else density
    values = np.stack([draw_losses(target, per_block, rng, denoiser, density, masks) for _ in range(blocks)])
    variances = values.var(axis=1, ddof=1)
    return student_interval(variances, confidence)


def draw_losses(
    target: Target,
    size: int,
    rng: np.random.Generator,
    denoiser: Denoiser | None,
    density: Density,
    masks: str = "single",
    coupling: str = "independent",
) -> Float[np.ndarray, " size"]:
    """`size` draws of l = S(x, M) / (L t p(t)) (the mean of two for a pair)."""
    model = target if denoiser is None else denoiser
    x = target.sample(size, rng)
    t = densities.sample_times(density, size, rng, coupling)[:, None]
    u = rng.random(x.shape)
    hidden = [u < t]
    if masks == "mirror":
        hidden.append(u > 1.0 - t)
    elif masks == "independent-pair":
        hidden.append(rng.random(x.shape) < t)
    elif masks != "single":
        raise ValueError(f"masks = {masks!r}, allowed: {', '.join(map(repr, CALLS))}")
    total = np.zeros(size)
    for mask in hidden:
        marginals = model.marginals(np.where(mask, MASK, x))
        chosen = np.take_along_axis(marginals, x[:, :, None], axis=2)[:, :, 0]
        total += np.where(mask, -np.log(chosen), 0.0).sum(axis=1)
    return total / (len(hidden) * target.length * (t * density.pdf(t))[:, 0])
