"""Moments of the training loss of a Markov chain, exact denoiser, any length, from gaps between visible tokens.

Given its ends (u, v) at distance n the loss of a gap, sum over its n - 1 masked tokens of -log q(x_i | u, v), is
independent of everything outside; S(x, M) is the sum over the gaps. Virtual ends stand at 0 and L + 1.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.targets.markov import MarkovChain

NEGLIGIBLE = 1e-30  # a gap of n - 1 masked tokens has probability t^(n - 1) at most


@dataclass(frozen=True, eq=False)
class GapLosses:
    """weight, first, second[n, u, v]: P(v at distance n from u), and E loss, E loss^2 of the gap given u, v.

    u = V is the virtual left end, v = V the virtual right one; n = 1..L + 1. O(L^2 V^4) to build.

    >>> gaps = tm.variance.gap_losses(tm.repetition(2, 2))  # one token masked between the start and a visible one
    >>> float(gaps.first[2, 2, 0]), float((gaps.first[3, 2, 2] / np.log(2)).round(12))  # and both masked
    (0.0, 2.0)
    """

    length: int
    weight: Float[np.ndarray, "n U U"]
    first: Float[np.ndarray, "n U U"]
    second: Float[np.ndarray, "n U U"]


def gap_losses(chain: MarkovChain) -> GapLosses:
    """All gaps of the chain.

    >>> gaps = tm.variance.gap_losses(tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 2))
    >>> (gaps.first[3, 2, 2] / np.log(2)).round(12)  # both tokens masked, two fair bits
    np.float64(2.0)
    """
    step, size, length = chain.transition, chain.vocab_size, chain.length
    ahead = np.zeros((length + 2, size + 1, size))  # P(X at distance i = y | u)
    back = np.ones((length + 2, size, size + 1))  # P(v at distance r | y); the virtual right end is certain
    ahead[0, :size], back[0, :, :size] = np.eye(size), np.eye(size)
    ahead[1] = np.vstack([step, chain.initial])
    for i in range(1, length + 1):
        ahead[i + 1] = ahead[i] @ step
        back[i, :, :size] = step @ back[i - 1, :, :size]
    back[length + 1, :, :size] = step @ back[length, :, :size]
    shape = (length + 2, size + 1, size + 1)
    weight, first, second = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for n in range(1, length + 2):
        weight[n, :, :size], weight[n, :, size] = ahead[n], 1.0
        scale = np.divide(1.0, weight[n], out=np.zeros(shape[1:]), where=weight[n] > 0)
        before = np.zeros((size + 1, size + 1, size))  # sum over earlier tokens of loss times P(path to y)
        for i in range(1, n):
            law = ahead[i][:, None, :] * back[n - i].T[None, :, :] * scale[:, :, None]
            loss = -np.log(law, out=np.zeros(law.shape), where=law > 0)
            onward = back[n - i].T[None, :, :] * scale[:, :, None]
            first[n] += (law * loss).sum(axis=2)
            second[n] += (law * loss**2 + 2 * before * onward * loss).sum(axis=2)
            before = (before + ahead[i][:, None, :] * loss) @ step
    return GapLosses(length, weight, first, second)


def chain_moments(gaps: GapLosses, t: float) -> tuple[float, float]:
    """(E l, E l^2) of l = S/(L t), each token masked with probability t. O(L^2 V^2).

    >>> gaps = tm.variance.gap_losses(tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 2))
    >>> [round(float(m / np.log(2) ** k), 12) for k, m in enumerate(tm.variance.chain_moments(gaps, 0.5), start=1)]
    [1.0, 1.5]
    """
    if not 0.0 < t <= 1.0:
        raise ValueError(f"t = {t}, it must lie in (0, 1]")
    length, size = gaps.length, gaps.weight.shape[1] - 1
    state = np.zeros((3, length + 2, size + 1))  # P(visible at p with value u) and E[S], E[S^2] on that event
    state[0, 0, size] = 1.0
    longest = length + 1 if t == 1.0 else int(np.log(NEGLIGIBLE) / np.log(t)) + 2
    for p in range(1, length + 2):
        n = np.arange(min(p, longest), 0, -1)  # from positions p - n
        masked = t ** (n - 1.0) * (1.0 - t if p <= length else 1.0)
        columns = slice(0, size) if p <= length else slice(size, size + 1)
        weight = gaps.weight[n][:, :, columns] * masked[:, None, None]
        first, second = gaps.first[n][:, :, columns], gaps.second[n][:, :, columns]
        zero, one, two = state[:, p - len(n) : p, :, None]
        state[0, p, columns] = (zero * weight).sum(axis=(0, 1))
        state[1, p, columns] = ((one + zero * first) * weight).sum(axis=(0, 1))
        state[2, p, columns] = ((two + 2 * one * first + zero * second) * weight).sum(axis=(0, 1))
    scale = length * t
    return float(state[1, -1, size]) / scale, float(state[2, -1, size]) / scale**2
