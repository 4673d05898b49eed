"""Mirrored masks M1 = {U_i < t}, M2 = {U_i > 1 - t}: two masks of the same rate from the same uniforms (MIRROR).

    Var((l1 + l2)/2 | x, t) = (v/2)(1 + rho),    rho = Cov(l1, l2) / v
Per token the two indicators have covariance -min(t, 1-t)^2. Jia et al. 2025 (arXiv 2511.18159) take rho <= 0.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.targets.kernels.impossible import reveal_one_hot
from toy_models.targets.table import Table
from toy_models.validation import MASK, tokens
from toy_models.variance.loss_moments import Moments


def pair_law(t: float) -> Float[np.ndarray, "2 2"]:
    """J[a, b] = P(1[i in M1] = a, 1[i in M2] = b) of one token."""
    if not 0.0 <= t <= 1.0:
        raise ValueError(f"t = {t}, it must lie in [0, 1]")
    both, neither, one = max(2.0 * t - 1.0, 0.0), max(1.0 - 2.0 * t, 0.0), min(t, 1.0 - t)
    return np.array([[neither, one], [one, both]])


def correlation(moments: Moments, t: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    """rho(t) = E_x Cov(l1, l2 | x, t) / E_x Var(l | x, t)."""
    mean_square = moments.mean_square(t)
    return (moments.cross(t) - mean_square) / (moments.second_moment(t) - mean_square)


def additive_correlation(t: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    """-r(t) = -min(t/(1-t), (1-t)/t): rho of every loss S(M) = sum of c_i over M."""
    return -np.minimum(t / (1.0 - t), (1.0 - t) / t)


def pair_covariance(s: Float[np.ndarray, "X masks"], t: float) -> Float[np.ndarray, " X"]:
    """Cov_U(S(M1), S(M2)) per row, applying the pair law of one token after another: O(L 2^L) per row."""
    length = s.shape[1].bit_length() - 1
    joint, marginal = pair_law(t), np.array([1.0 - t, t])
    paired = s.reshape(len(s), *(2,) * length)
    mean = paired
    for axis in range(1, length + 1):
        paired = np.moveaxis(np.tensordot(paired, joint, axes=(axis, 1)), -1, axis)
    for _ in range(length):
        mean = mean @ marginal
    return (s * paired.reshape(s.shape)).sum(axis=1) - mean**2


def level_weights(s: Float[np.ndarray, "X masks"], t: float) -> Float[np.ndarray, "X sizes"]:
    """W_k = sum over |A| = k of the squared t-biased Fourier coefficients of M -> S(x, M); W_0 is the squared mean."""
    masks = s.shape[1]
    length = masks.bit_length() - 1
    out = s.copy()
    for i in range(length):
        view = out.reshape(len(s), masks >> (i + 1), 2, 1 << i)
        visible, hidden = view[:, :, 0].copy(), view[:, :, 1].copy()
        view[:, :, 0] = (1.0 - t) * visible + t * hidden
        view[:, :, 1] = np.sqrt(t * (1.0 - t)) * (hidden - visible)
    size = np.bitwise_count(np.arange(masks)).astype(int)
    return out**2 @ (size[:, None] == np.arange(length + 1)).astype(float)


def fourier_covariance(s: Float[np.ndarray, "X masks"], t: float) -> Float[np.ndarray, " X"]:
    """Cov_U(S(M1), S(M2)) = sum over k >= 1 of (-r)^k W_k: odd levels help, even levels hurt."""
    r = -float(additive_correlation(np.array([t]))[0])
    weights = level_weights(s, t)
    return weights[:, 1:] @ (-r) ** np.arange(1, weights.shape[1])


def copy_law() -> Table:
    """Two equal fair bits."""
    return Table(np.diag([0.5, 0.5]))


@dataclass(frozen=True)
class AntiCopy:
    """L = 2, V = 2: probability delta for "the other bit is the same" when it is visible, 1/2 when it is not."""

    delta: float
    vocab_size: int = 2
    length: int = 2

    def __post_init__(self):
        if not 0.0 < self.delta < 1.0:
            raise ValueError(f"delta = {self.delta}, it must lie in (0, 1)")

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        y = tokens(y, 2, 2, masks=True)
        other = y[:, ::-1]
        same = np.where(other[:, :, None] == np.arange(2), self.delta, 1.0 - self.delta)
        return reveal_one_hot(np.where(other[:, :, None] == MASK, 0.5, same), y)


def shared_parameter_gradients() -> tuple[Float[np.ndarray, "4 4 1"], Float[np.ndarray, "4"]]:
    """G(x, M), q(x) of two fair bits and one shared parameter, q_theta(x_i | x_j) ~ exp(theta x_1 x_2) at theta = 0.

    dS/dtheta is -x_1 x_2 when exactly one bit is masked, else 0 (bits +-1): equal for complementary masks.
    """
    product = np.array([1.0, -1.0, -1.0, 1.0])
    gradients = np.zeros((4, 4, 1))
    gradients[:, 1, 0] = gradients[:, 2, 0] = -product
    return gradients, np.full(4, 0.25)


@dataclass(frozen=True)
class PairMoments:
    """E_x Cov(S(M1), S(M2)), E_x Var S(M1), and D = E_x sum over i of (mean contribution of token i)^2."""

    covariance: float
    variance: float
    own: float

    @property
    def correlation(self) -> float:
        return self.covariance / self.variance

    def free_of_limits(self, t: float) -> float:
        """N = rho/r + Cov/(D u), r = min(t/(1-t), (1-t)/t), u = (min(t, 1-t)/t)^2: -2 for an additive loss at every t.

        It has the sign of rho. As t -> 0 or 1 rho -> 0 for every loss, and for two opposite words as L grows; N does
        neither. For t >= 1/2 u = r^2.
        """
        r, least = min(t / (1.0 - t), (1.0 - t) / t), min(t, 1.0 - t)
        return self.correlation / r + self.covariance / (self.own * (least / t) ** 2)


def exchangeable_pair(counts: Float[np.ndarray, " L1"], t: float) -> PairMoments:
    """Mirrored moments at the oracle of an exchangeable binary law; counts[h] = P(h ones), any L.

    S depends only on (ones masked, zeros masked): O(L^3) per h with counts[h] > 0.
    """
    from scipy.special import gammaln

    counts = np.asarray(counts, dtype=float)
    length = len(counts) - 1
    log_weight = gammaln(np.arange(length + 2) + 1.0)
    covariance = variance = own = 0.0
    word = counts * np.exp(log_weight[: length + 1] + log_weight[length::-1] - log_weight[length])  # one sequence
    for ones in np.flatnonzero(counts > 0):
        zeros = length - ones
        s, own_one, own_zero = _exchangeable_losses(word, int(ones), log_weight)
        joint_one, joint_zero = _binomial_pair(int(ones), t), _binomial_pair(int(zeros), t)
        p_one, p_zero = joint_one.sum(axis=1), joint_zero.sum(axis=1)
        mean = p_one @ s @ p_zero
        covariance += counts[ones] * float((s * (joint_one @ s @ joint_zero)).sum() - mean**2)
        variance += counts[ones] * float(p_one @ s**2 @ p_zero - mean**2)
        own += counts[ones] * float(
            (p_one @ own_one @ p_zero) ** 2 / max(ones, 1) + (p_one @ own_zero @ p_zero) ** 2 / max(zeros, 1)
        )
    return PairMoments(covariance, variance, own)


def _exchangeable_losses(word, ones, log_weight):
    """S[a, b] and its parts from the ones and from the zeros, with a ones and b zeros masked."""
    length = len(word) - 1
    zeros = length - ones
    a, b = np.meshgrid(np.arange(ones + 1), np.arange(zeros + 1), indexing="ij")
    seen_one, seen_zero = ones - a, zeros - b

    def context(one, zero):
        """P(a given context with `one` ones and `zero` zeros), summing over the masked part."""
        free = length - one - zero
        total = np.zeros(one.shape)
        for extra in range(length + 1):
            inside = (extra <= free) & (free >= 0)
            f = np.where(inside, free, 0)
            e = np.where(inside, extra, 0)
            ways = np.exp(log_weight[f] - log_weight[e] - log_weight[f - e])
            total += np.where(inside, ways * word[np.minimum(one + e, length)], 0.0)
        return total

    here = context(seen_one, seen_zero)
    with np.errstate(divide="ignore", invalid="ignore"):
        loss_one = np.where(a > 0, a * (np.log(here) - np.log(context(seen_one + 1, seen_zero))), 0.0)
        loss_zero = np.where(b > 0, b * (np.log(here) - np.log(context(seen_one, seen_zero + 1))), 0.0)
    return loss_one + loss_zero, loss_one, loss_zero


def _binomial_pair(n, t):
    """Law of (masked by M1, masked by M2) among n tokens of one kind."""
    from scipy.stats import multinomial

    law = np.zeros((n + 1, n + 1))
    j, k = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    inside = j + k <= n
    x = np.stack([j[inside], k[inside], n - j[inside] - k[inside]], axis=1)
    one = min(t, 1.0 - t)
    if n == 0:
        return np.ones((1, 1))
    law[inside] = multinomial.pmf(x, n, [one, one, 1.0 - 2.0 * one])
    return law if t <= 0.5 else law[::-1, ::-1]  # above 1/2: j, k count the tokens left visible


def noisy_repetition(length: int, flips: Float[np.ndarray, " J"]) -> Float[np.ndarray, " L1"]:
    """Count law of a word 0^L or 1^L (equally likely) with j flipped tokens, P(j) proportional to flips[j]."""
    flips = np.asarray(flips, dtype=float)
    if 2 * len(flips) > length + 1:
        raise ValueError(f"flips has {len(flips)} entries, at most (L + 1) / 2 = {(length + 1) // 2} are allowed")
    counts = np.zeros(length + 1)
    counts[: len(flips)] += flips / flips.sum() / 2
    counts[length - len(flips) + 1 :] += (flips / flips.sum() / 2)[::-1]
    return counts
