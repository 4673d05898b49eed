"""Variances of training losses from their definitions, on small targets: what the library's shortcuts must equal.

Every sequence, every mask or pair of masks, a plain quadrature over t; no sums by mask size, no polynomial in t.
c[x, M, i] = -log p(x_i | x outside M) for i in M; l = sum over i of c / (L t). Nats per token. Cost O(V^L 4^L T).
"""

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from jaxtyping import Float

MASK = -1
GAUSS = np.polynomial.legendre.leggauss(20)


@dataclass(frozen=True, eq=False)
class Losses:
    """q(x) on the support and c[x, M, i]."""

    probability: Float[np.ndarray, " X"]
    each: Float[np.ndarray, "X masks L"]

    @property
    def length(self) -> int:
        return self.each.shape[2]

    @property
    def total(self) -> Float[np.ndarray, "X masks"]:
        return self.each.sum(axis=2)


def losses_of(target, denoiser=None) -> Losses:
    """c[x, M, i], one network call per mask."""
    model = target if denoiser is None else denoiser
    length = target.length
    x = np.array(list(product(range(target.vocab_size), repeat=length)))
    q = np.exp(target.log_prob(x))
    x, q = x[q > 0], q[q > 0]
    each = np.zeros((len(x), 2**length, length))
    for mask in range(1, 2**length):
        hidden = [i for i in range(length) if mask >> i & 1]
        y = x.copy()
        y[:, hidden] = MASK
        marginals = model.marginals(y)
        for i in hidden:
            each[:, mask, i] = -np.log(marginals[np.arange(len(x)), i, x[:, i]])
    return Losses(q, each)


def nodes(low: float, high: float, cuts: tuple = ()) -> tuple[Float[np.ndarray, " T"], Float[np.ndarray, " T"]]:
    """Points and weights of integrals over [low, high]: Gauss-Legendre in ln t, in pieces of length at most 1."""
    ends = [low, *sorted(c for c in cuts if low < c < high), high]
    points, weights = [], []
    for a, b in zip(np.log(ends[:-1]), np.log(ends[1:]), strict=True):
        grid = np.linspace(a, b, int(b - a) + 2)
        for left, right in pairwise(grid):
            t = np.exp((left + right) / 2 + (right - left) / 2 * GAUSS[0])
            points.append(t)
            weights.append(t * GAUSS[1] * (right - left) / 2)
    return np.concatenate(points), np.concatenate(weights)


def mask_law(rates) -> Float[np.ndarray, " masks"]:
    """P(M) when position i is masked with probability rates[i], independently; bit i of M is position i."""
    law = np.ones(1)
    for rate in rates:
        law = np.kron([1.0 - rate, rate], law)
    return law


def pair_law(length: int, t: float, masks: str) -> Float[np.ndarray, "masks masks"]:
    """P(M1, M2). mirror: M1 = {U < t}, M2 = {U > 1 - t} of the same uniforms; independent-pair: fresh ones."""
    one = np.outer([1.0 - t, t], [1.0 - t, t])
    if masks == "mirror":
        one = np.zeros((2, 2))
        cuts = sorted({0.0, t, 1.0 - t, 1.0})
        for a, b in pairwise(cuts):
            u = (a + b) / 2
            one[int(u < t), int(u > 1.0 - t)] += b - a
    law = np.ones((1, 1))
    for _ in range(length):
        law = np.kron(one, law)
    return law


def at_time(losses: Losses, t: float, masks: str) -> tuple[Float[np.ndarray, " X"], Float[np.ndarray, " X"]]:
    """E[l | x, t] and E[l^2 | x, t] of one mask, or of the mean of a pair."""
    value = losses.total / (losses.length * t)
    law = mask_law([t] * losses.length)
    mean, square = value @ law, value**2 @ law
    if masks != "single":
        square = (square + np.einsum("xa,ab,xb->x", value, pair_law(losses.length, t, masks), value)) / 2
    return mean, square


@dataclass(frozen=True)
class Parts:
    """A, B, C, the variance itself, Var_t E_x and the mean, of a loss drawn with x, then a time or size, then masks."""

    pattern: float
    rate: float
    data: float
    total: float
    between: float
    mean: float

    def gap(self, found) -> float:
        """Largest difference from the library's decomposition `found`, every field of it."""
        pairs = [(self.pattern, found.pattern), (self.rate, found.rate), (self.data, found.data)]
        pairs += [(self.total, found.total), (self.between, found.rate_time_first), (self.mean, found.mean)]
        pairs.append((self.total - self.pattern - self.between, found.data_time_first))
        return max(abs(a - b) for a, b in pairs)


def combine(q, chance, mean, square) -> Parts:
    """Parts from E[.|x, j] and E[.^2|x, j], shapes (X, J), with j ~ chance."""
    of_x = mean @ chance
    every = float(q @ of_x)
    return Parts(
        pattern=float(q @ (square - mean**2) @ chance),
        rate=float(q @ (mean**2 @ chance - of_x**2)),
        data=float(q @ (of_x - every) ** 2),
        total=float(q @ square @ chance) - every**2,
        between=float((q @ mean) ** 2 @ chance) - every**2,
        mean=every,
    )


def parts(losses: Losses, pdf, low: float, high: float = 1.0, masks: str = "single", cuts: tuple = ()) -> Parts:
    """Parts of l / pdf(t) with t ~ pdf on [low, high]."""
    t, w = nodes(low, high, (0.5, *cuts))
    p = np.asarray(pdf(t))
    mean, square = (np.stack(rows, axis=1) for rows in zip(*(at_time(losses, s, masks) for s in t), strict=True))
    return combine(losses.probability, w * p, mean / p, square / p**2)


def size_parts(losses: Losses, weights, masks: str = "single") -> Parts:
    """Parts of S / (L k weights[k]), k ~ weights, M uniform of size k; mirror: the mean over pairs of sets of size k
    that overlap in as few positions as possible."""
    length, s = losses.length, losses.total
    mean, square = [], []
    for k in range(1, length + 1):
        sets = [m for m in range(2**length) if m.bit_count() == k]
        value = s[:, sets] / (length * k * weights[k - 1])
        mean.append(value.mean(axis=1))
        square.append((value**2).mean(axis=1))
        if masks == "mirror":
            least = max(0, 2 * k - length)
            pairs = [
                (a, b) for a in range(len(sets)) for b in range(len(sets)) if (sets[a] & sets[b]).bit_count() == least
            ]
            cross = np.mean([value[:, a] * value[:, b] for a, b in pairs], axis=0)
            square[-1] = (square[-1] + cross) / 2
    return combine(losses.probability, np.asarray(weights), np.stack(mean, axis=1), np.stack(square, axis=1))


def averaged_over_time(losses: Losses, pdf, low: float, cuts: tuple = ()) -> float:
    """Variance of E[l / pdf(t) | x, M]: the weight of the loss averaged over t given the mask."""
    t, w = nodes(low, 1.0, cuts)
    p = np.asarray(pdf(t))
    law = np.stack([mask_law([s] * losses.length) for s in t])
    chance = (w * p) @ law
    value = losses.total * ((w / (losses.length * t)) @ law) / chance
    mean = float(losses.probability @ value @ chance)
    return float(losses.probability @ value**2 @ chance) - mean**2


def conditional(losses: Losses, t) -> tuple[Float[np.ndarray, " T"], Float[np.ndarray, " T"]]:
    """E[l | t] and Var(l | t) over sequences and masks."""
    rows = [at_time(losses, s, "single") for s in t]
    mean = np.array([losses.probability @ m for m, _ in rows])
    return mean, np.array([losses.probability @ s for _, s in rows]) - mean**2


def batch_variance(losses: Losses, low: float, batch: int, strata: int) -> float:
    """Variance of a mean of `batch` losses, t uniform on [low, 1], batch/strata in each of `strata` equal parts."""
    edges = np.linspace(low, 1.0, strata + 1)
    total = 0.0
    for a, b in pairwise(edges):
        t, w = nodes(a, b)
        mean, variance = conditional(losses, t)
        chance = w / (b - a)
        one = float(chance @ (variance + mean**2)) - float(chance @ mean) ** 2
        total += batch / strata * one * (1.0 - low) ** 2 / batch**2
    return total


def shifted_grid_variance(losses: Losses, low: float, batch: int) -> float:
    """Variance of a mean of `batch` losses at t_j = low + (1 - low)(j + u)/batch, one u ~ U(0, 1) for all."""
    first, w = nodes(low, low + (1.0 - low) / batch)  # the time of the first draw, where l^2 is of order 1/t
    w = w * batch / (1.0 - low)
    means, inside = [], []
    for shift in (first - low) * batch / (1.0 - low):
        mean, variance = conditional(losses, low + (1.0 - low) * (np.arange(batch) + shift) / batch)
        means.append(mean.mean() * (1.0 - low))
        inside.append(variance.sum() * (1.0 - low) ** 2 / batch**2)
    means = np.array(means)
    return float(w @ inside) + float(w @ (means - w @ means) ** 2)


def moving_average_variance(losses: Losses, low: float, bins: int, coefficient: float, decay: float) -> float:
    """Variance of l - coefficient (b - E b), b <- decay b + (1 - decay) l in each bin of t, run until stationary."""
    edges = np.linspace(low, 1.0, bins + 1)
    mean, spread, noise = np.zeros(bins), np.zeros(bins), np.zeros(bins)
    for k in range(bins):
        t, w = nodes(edges[k], edges[k + 1])
        at, variance = conditional(losses, t)
        chance = w / (edges[k + 1] - edges[k])
        mean[k] = float(chance @ at) * (1.0 - low)
        spread[k] = float(chance @ (variance + at**2)) * (1.0 - low) ** 2 - mean[k] ** 2
    for _ in range(int(40.0 / (1.0 - decay))):
        noise = decay**2 * noise + (1.0 - decay) ** 2 * spread
    return float(spread.mean() + coefficient**2 * noise.mean() + (1.0 - coefficient) ** 2 * mean.var())


def shifted_rates(losses: Losses, rare, shift: float, low: float) -> tuple[float, float]:
    """Mean and variance of (1 - low)/L sum of c_i / r_i, r_i = min(1, t + shift) at rare positions and t elsewhere."""
    t, w = nodes(low, 1.0, (1.0 - shift,))
    chance = w / (1.0 - low)
    first = second = 0.0
    for s, p in zip(t, chance, strict=True):
        rates = np.where(rare, min(1.0, s + shift), s)
        value = (losses.each / rates).sum(axis=2) / losses.length * (1.0 - low)
        law = mask_law(rates)
        first += p * float(losses.probability @ value @ law)
        second += p * float(losses.probability @ value**2 @ law)
    return first, second - first**2


def released_mean(losses: Losses, cells: int, low: float) -> float:
    """Mean loss of the released sampler: a cell of the grid j/T with probability ~ the mean weight of its ends, s
    uniform in it, the loss divided by the weight interpolated linearly and normalised by the trapezoid rule."""
    grid = np.arange(1, cells) / cells
    rows = [at_time(losses, (1.0 - low) * s + low, "single") for s in grid]
    q = losses.probability
    root = np.array([np.sqrt((q @ m) ** 2 + q @ (square - m**2)) for m, square in rows])
    height = root / (((root[1:] + root[:-1]) / 2).sum() / cells)
    ends = (height[1:] + height[:-1]) / 2
    total = 0.0
    for k, chance in enumerate(ends / ends.sum()):
        s = grid[k] + (GAUSS[0] + 1) / 2 / cells
        p = height[k] + (height[k + 1] - height[k]) * (s - grid[k]) * cells
        g = conditional(losses, (1.0 - low) * s + low)[0]
        total += chance * float(GAUSS[1] @ (g / p)) / 2
    return total
