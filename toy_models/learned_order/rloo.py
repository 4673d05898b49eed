"""Stochastic gradients of the NELBO in log w, with their exact means and variances (power family m_l(s) = s**w_l).

J(w) = E over x, s ~ U(0, 1), M of F, F = sum_{l in M} w_l C_l / s. With e_k = w_k C_k 1[k in M] / s (direct term) and
a_k = d log P(M | s) / d log w_k (score): dJ / d log w_k = E[e_k + F a_k]. Estimators of one draw:

    direct      e_k(M)                                                  1 call; BIASED, the score left out
    score       e_k(M) + F(M) a_k(M)                                    1 call
    rloo        1/2 (F1 - F2)(a_k(M1) - a_k(M2)) + 1/2 (e_k(M1) + e_k(M2))   2 calls (Kool et al. 2019)
    antithetic  the same pair from one uniform per position, u and 1 - u (DisARM, Dong et al. 2020)  2 calls
    local       the masking of k summed out: m_k' (F(M + k) - F(M - k)) + m_k w_k C_k(M + k) / s     L + 1 calls
    orders      two independent orders, 1/2 (L1 - L2)(score1 - score2)                             2 L calls

antithetic and local are the reparametrised ones: M is a function of uniforms u_l < s**w_l, and they keep the jumps of
that function. Differentiating the loss along T_l = u_l**(1/w_l) for fixed u gives 0: the loss is piecewise constant.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.learned_order.plackett_luce import plackett_luce, positive_weights
from toy_models.learned_order.reveal_times import NoisePowerSchedule, masking, time_grid
from toy_models.learned_order.subset_losses import require_subsets

ESTIMATORS = ("direct", "score", "rloo", "antithetic", "local", "orders")
SMALLEST_TIME = 1e-150  # 1 / s^2 stays finite; the part left out is below SMALLEST_TIME ** (min w - 1)


@dataclass(frozen=True, eq=False)
class GradientMoments:
    """Exact mean and variance of one draw of an estimator of dJ / d log w; `calls`: denoiser calls of one draw.

    >>> table = tm.learned_order.sequence_cross_entropies(tm.repetition(2, 2), np.array([[0, 0], [1, 1]]))
    >>> moments = tm.learned_order.estimator_moments(table, np.array([0.5, 0.5]), [1.0, 1.0], "rloo")
    >>> moments.mean.round(9).tolist(), moments.calls
    ([0.0, 0.0], 2)
    """

    mean: Float[np.ndarray, " L"]
    variance: Float[np.ndarray, " L"]
    calls: int

    @property
    def total(self) -> float:
        """Trace of the covariance."""
        return float(self.variance.sum())


def estimator_moments(
    cross_entropies: Float[np.ndarray, "sets L batch"], probabilities: Float[np.ndarray, " batch"], weights, name: str
) -> GradientMoments:
    """Mean and variance of the estimator `name`, by enumeration of mask pairs and quadrature over s. L <= 6.

    Variance inf for min w <= 1, except for "orders", which never divides by s; of "antithetic", whose pair law has
    kinks at m = 1/2, it is accurate to about 1e-4 of itself.

    >>> table = tm.learned_order.sequence_cross_entropies(tm.repetition(2, 2), np.array([[0, 0], [1, 1]]))
    >>> half = np.array([0.5, 0.5])
    >>> tm.learned_order.estimator_moments(table, half, [1.0, 1.0], "score").mean.round(9).tolist()  # the oracle
    [0.0, 0.0]
    """
    if name not in ESTIMATORS:
        raise ValueError(f"name = {name!r}, allowed: {', '.join(ESTIMATORS)}")
    w = np.array([float(v) for v in positive_weights(weights)])
    require_subsets(len(w), "exact variance of a gradient estimator", limit=6)
    if name == "orders":
        return _order_moments(cross_entropies, probabilities, w)
    if 1.0 < w.min() < 1.1:
        raise ValueError(f"weights: the smallest is {w.min():.6g}; between 1 and 1.1 the variance is not resolved")
    context = _Context.of(cross_entropies, probabilities, w)
    if name in ("rloo", "antithetic"):
        mean, second = _pair_moments(context, name == "antithetic")
    else:
        mean, second = _single_moments(context, name)
    variance = second - mean**2 if w.min() > 1.0 else np.full(len(w), np.inf)
    return GradientMoments(mean, variance, {"rloo": 2, "antithetic": 2, "local": len(w) + 1}.get(name, 1))


@dataclass(frozen=True, eq=False)
class _Context:
    """Losses f_M = s F(M) and e_{k,M} per sequence, and the nodes with masking probabilities."""

    w: np.ndarray
    q: np.ndarray
    f: np.ndarray  # (2^L masks, batch); bit l of the mask set M: l is masked
    e: np.ndarray  # (2^L masks, L, batch)
    s: np.ndarray
    ds: np.ndarray
    masked: np.ndarray
    shown: np.ndarray

    @staticmethod
    def of(cross_entropies, q, w) -> "_Context":
        full = 2 ** len(w) - 1
        e = cross_entropies[full - np.arange(full + 1)] * w[None, :, None]
        grid = time_grid()
        keep = grid.s > SMALLEST_TIME
        masked, shown, _ = masking([NoisePowerSchedule(float(v)) for v in w])
        return _Context(w, q, e.sum(axis=1), e, grid.s[keep], grid.ds[keep], masked[:, keep], shown[:, keep])

    def mask_probability(self, mask: int) -> np.ndarray:
        bits = (mask >> np.arange(len(self.w)) & 1).astype(bool)
        return np.prod(self.masked[bits], axis=0) * np.prod(self.shown[~bits], axis=0)

    def log_slope(self) -> np.ndarray:
        """d m_k / d log w_k = w_k s^w_k log s, per position and node."""
        return self.w[:, None] * self.masked * np.log(self.s)

    def jump(self) -> np.ndarray:
        """a_k(k masked) - a_k(k shown) = d logit m_k / d log w_k = w_k log s / (1 - m_k); -1 at s = 1."""
        return self.w[:, None] * np.log(self.s) / np.where(self.shown > 0, self.shown, 1.0)


def _pair_probability(c: _Context, first: int, second: int, antithetic: bool) -> np.ndarray:
    """P(M1, M2 | s): independent, or masked where u < m and where 1 - u < m."""
    if not antithetic:
        return c.mask_probability(first) * c.mask_probability(second)
    result = np.ones_like(c.s)
    for l in range(len(c.w)):
        m, r = c.masked[l], c.shown[l]
        one, two = first >> l & 1, second >> l & 1
        if one != two:
            result = result * np.minimum(m, r)
        elif one:
            result = result * np.maximum(m - r, 0.0)
        else:
            result = result * np.maximum(r - m, 0.0)
    return result


def _pair_moments(c: _Context, antithetic: bool) -> tuple[np.ndarray, np.ndarray]:
    length, jump = len(c.w), c.jump()
    if antithetic:
        jump = jump * np.maximum(c.masked, c.shown)
    mean, second = np.zeros(length), np.zeros(length)
    for one in range(2**length):
        for two in range(2**length):
            density = _pair_probability(c, one, two, antithetic) * c.ds / c.s
            difference = c.f[one] - c.f[two]
            for k in range(length):
                direct = c.e[one, k] + c.e[two, k]
                a = jump[k] * ((one >> k & 1) - (two >> k & 1))
                mean[k] += 0.5 * float(density @ (a * (difference @ c.q) + direct @ c.q))
                moments = [difference**2 @ c.q, 2.0 * (difference * direct) @ c.q, direct**2 @ c.q]
                square = a**2 * moments[0] + a * moments[1] + moments[2]
                second[k] += 0.25 * float((density / c.s) @ square)
    return mean, second


def _single_moments(c: _Context, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Estimators alpha(s) G(x) + beta(s) D(x), divided by s, of one mask."""
    length, jump, slope = len(c.w), c.jump(), c.log_slope()
    mean, second = np.zeros(length), np.zeros(length)
    for mask in range(2**length):
        density = c.mask_probability(mask) * c.ds / c.s
        for k in range(length):
            with_k, without_k = mask | 1 << k, mask & ~(1 << k)
            if name == "local":
                loss, alpha = c.f[with_k] - c.f[without_k], slope[k]
                direct, beta = c.e[with_k, k], c.masked[k]
            else:
                loss, direct, beta = c.f[mask], c.e[mask, k], np.ones_like(c.s)
                score = jump[k] * (c.shown[k] if mask >> k & 1 else -c.masked[k])
                alpha = score if name == "score" else np.zeros_like(c.s)
            mean[k] += float(density @ (alpha * (loss @ c.q) + beta * (direct @ c.q)))
            square = alpha**2 * (loss**2 @ c.q) + beta**2 * (direct**2 @ c.q)
            square = square + 2.0 * alpha * beta * ((loss * direct) @ c.q)
            second[k] += float((density / c.s) @ square)
    return mean, second


def order_scores(w: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
    """d log pi(sigma) / d log w of Plackett-Luce: 1 - w_k * sum over draws up to k of 1 / (weight still there)."""
    result = {}
    for order in plackett_luce(list(w)):
        left = np.cumsum(w[list(order)][::-1])[::-1]
        score = np.empty(len(w))
        score[list(order)] = 1.0 - w[list(order)] * np.cumsum(1.0 / left)
        result[order] = score
    return result


def _order_moments(cross_entropies, q, w) -> GradientMoments:
    law, scores = plackett_luce(list(w)), order_scores(w)
    losses, a, p = [], [], np.array(list(law.values()))
    for order in law:
        total, revealed = np.zeros(len(q)), 0
        for i in order:
            total = total + cross_entropies[revealed, i]
            revealed |= 1 << i
        losses.append(total)
        a.append(scores[order])
    losses, a = np.array(losses), np.array(a)
    mean, second = np.zeros(len(w)), np.zeros(len(w))
    for probability, loss, score in zip(p, losses, a, strict=True):
        pair = probability * p
        difference = losses - loss
        mean += 0.5 * (pair * (difference @ q)) @ (a - score)
        second += 0.25 * (pair * (difference**2 @ q)) @ (a - score) ** 2
    return GradientMoments(mean, second - mean**2, 2 * len(w))
