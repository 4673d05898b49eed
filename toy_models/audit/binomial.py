"""Shares of n independent texts: exact intervals and p-values for many events at once, divergences, power.

An event A turns KL(q || p) into a number about one coin: KL(q || p) >= kl(q(A) || p(A)) (data processing).
"""

import math

import numpy as np
from jaxtyping import Float, Int
from scipy.special import betainc, betaincinv, xlogy

FINEST = 1e-4  # accuracy of `least_change`


def share_intervals(
    counts: Int[np.ndarray, "..."], n: int, tail: float
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """(low, high) of Clopper and Pearson, each missed with probability at most `tail`.

    >>> from toy_models.audit.binomial import share_intervals
    >>> low, high = share_intervals(np.array([0, 10]), 10, 0.025)
    >>> low.tolist()[0], high.tolist()[1], abs(float(high[0]) - (1 - 0.025**0.1)) < 1e-12
    (0.0, 1.0, True)
    """
    counts = np.asarray(counts)
    low = np.where(counts > 0, betaincinv(np.maximum(counts, 1), n - counts + 1.0, tail), 0.0)
    high = np.where(counts < n, betaincinv(counts + 1.0, np.maximum(n - counts, 1), 1.0 - tail), 1.0)
    return low, high


def p_values(counts: Int[np.ndarray, "..."], n: int, q: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """min(1, 2 P(a count at least as far out)) of each count under a share q.

    >>> from toy_models.audit.binomial import p_values
    >>> p_values(np.array([0, 1]), 2, np.array([0.5, 0.5])).tolist()
    [0.5, 1.0]
    """
    counts, q = np.asarray(counts), np.clip(q, 0.0, 1.0)
    above = np.where(counts > 0, betainc(np.maximum(counts, 1), n - counts + 1.0, q), 1.0)
    below = np.where(counts < n, betainc(np.maximum(n - counts, 1), counts + 1.0, 1.0 - q), 1.0)
    return np.minimum(1.0, 2.0 * np.minimum(above, below))


def coin_divergence(q, p) -> Float[np.ndarray, "..."]:
    """kl(q || p) of two coins, in nats; inf where p rules out what q allows.

    >>> from toy_models.audit.binomial import coin_divergence
    >>> round(float(coin_divergence(np.array(1.0), np.array(0.5))), 12)
    0.69314718056
    """
    q, p = np.asarray(q, dtype=np.float64), np.asarray(p, dtype=np.float64)
    with np.errstate(divide="ignore"):
        gone = ((q > 0) & (p <= 0)) | ((q < 1) & (p >= 1))
        inner = xlogy(q, q) - xlogy(q, np.where(q > 0, np.maximum(p, 1e-320), 1.0))
        inner = inner + xlogy(1 - q, 1 - q) - xlogy(1 - q, np.where(q < 1, np.maximum(1 - p, 1e-320), 1.0))
    return np.where(gone, np.inf, np.maximum(inner, 0.0))


def least_divergence(q_low, q_high, p_low, p_high) -> Float[np.ndarray, "..."]:
    """min of kl(q || p) over q in [q_low, q_high] and p in [p_low, p_high]: 0 where they meet, else at the near ends.

    >>> from toy_models.audit.binomial import least_divergence
    >>> float(least_divergence(0.4, 0.6, 0.5, 0.9)), float(least_divergence(0.9, 1.0, 0.1, 0.5)) > 0.36
    (0.0, True)
    """
    above = np.where(q_low > p_high, coin_divergence(q_low, p_high), 0.0)
    below = np.where(q_high < p_low, coin_divergence(q_high, p_low), 0.0)
    return np.asarray(np.maximum(above, below))


def least_partition_divergence(
    q: Float[np.ndarray, " cells"], low: Float[np.ndarray, " cells"], high: Float[np.ndarray, " cells"]
) -> float:
    """min of sum_j q_j log(q_j / p_j) over laws p with low <= p <= high.

    The minimum is at p_j = clip(c q_j, low_j, high_j), with the c that makes the sum one.

    >>> from toy_models.audit.binomial import least_partition_divergence
    >>> half = np.array([0.5, 0.5])
    >>> least_partition_divergence(half, np.array([0.0, 0.0]), np.array([1.0, 1.0]))
    0.0
    """
    down, up = 0.0, 1.0
    while np.clip(up * q, low, high).sum() < min(1.0, high.sum()) and up < 1e12:
        up *= 2.0
    for _ in range(200):
        middle = (down + up) / 2
        if np.clip(middle * q, low, high).sum() < 1.0:
            down = middle
        else:
            up = middle
    p = np.clip(down * q, low, high)  # sums to at most one: a larger p would only lower the divergence by rounding
    seen = q > 0
    if (p[seen] <= 0).any():
        return float("inf")
    p = p * max(1.0, 1.0 / p.sum())
    return max(0.0, float((q[seen] * np.log(q[seen] / p[seen])).sum()))


def least_change(n: int, alpha: float, power: float, promised: float = 0.5) -> float:
    """The least d such that an event of probability 1/2 that comes with 1/2 + d is found with this probability.

    Found: the exact two-sided p-value of its count against `promised` is at most alpha. Few changes are harder to find
    than one at 1/2, by a few per cent. inf: so few texts find none.

    >>> from toy_models.audit.binomial import least_change
    >>> 0.05 < least_change(1000, 0.01, 0.99) < 0.08
    True
    """
    counts = np.arange(int(n * promised), n + 1)
    found = p_values(counts, n, np.full(len(counts), promised)) <= alpha
    if not found.any():
        return math.inf
    first = int(counts[found.argmax()])
    low, high = 0.0, 0.5
    while high - low > FINEST:
        middle = (low + high) / 2
        if betainc(first, n - first + 1.0, 0.5 + middle) >= power:
            high = middle
        else:
            low = middle
    return high
