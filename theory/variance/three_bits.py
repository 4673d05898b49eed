"""Mirrored masks at t = 1/2 on three bits: E_x Cov(S(M), S(M^c)) of whole grids of laws, and its sign in balls."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from flint import arb, fmpq
from jaxtyping import Float


def laws(levels: Sequence[int]) -> Iterator[Float[np.ndarray, "laws 8"]]:
    """Weights of all laws with entries in `levels` (ascending, from 0), up to flips of bits: q(000) is the largest."""
    tails = np.array(list(product(range(len(levels)), repeat=4)))
    values = np.array(levels, dtype=float)
    for top in range(1, len(levels)):
        below = values[tails[(tails <= top).all(axis=1)]]
        for head in product(range(top + 1), repeat=3):
            first = np.broadcast_to(values[[top, *head]], (len(below), 4))
            yield np.concatenate([first, below], axis=1)


def mirrored_moments(weights: Float[np.ndarray, "laws 8"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(E_x Cov, E_x Var, D) of S at the exact denoiser, t = 1/2; D = E sum over i of (mean contribution of token i)^2.

    S(x, M) = sum over i in M of log q(x_T) - log q(x_(T + i)), T the complement of M; N = Cov/Var + Cov/D.
    """
    q = (weights / weights.sum(axis=1, keepdims=True)).reshape(-1, 2, 2, 2)
    logs = []
    for seen in range(8):
        away = tuple(1 + i for i in range(3) if not seen >> i & 1)
        part = q.sum(axis=away, keepdims=True) if away else q
        logs.append(np.broadcast_to(np.log(part, out=np.zeros_like(part), where=part > 0), q.shape).reshape(-1, 8))
    total, own = np.zeros((8, len(q), 8)), np.zeros((3, len(q), 8))
    for mask in range(1, 8):
        for i in (i for i in range(3) if mask >> i & 1):
            cost = logs[7 ^ mask] - logs[7 ^ mask | 1 << i]
            total[mask] += cost
            own[i] += cost / 8
    mean = total.mean(axis=0)
    parts = ((total * total[::-1]).mean(axis=0) - mean**2, (total**2).mean(axis=0) - mean**2, (own**2).sum(axis=0))
    flat = q.reshape(-1, 8)
    covariance, variance, scale = ((flat * part).sum(axis=1) for part in parts)
    return covariance, variance, scale


def covariance_ball(weights: Sequence[int]) -> arb:
    """E_x Cov of one law with integer weights as a ball at the working precision."""
    whole, result = sum(weights), arb(0)
    cells = list(product((0, 1), repeat=3))
    for x, w in zip(cells, weights, strict=True):
        if w == 0:
            continue
        logs = []
        for seen in range(8):
            same = (
                v for y, v in zip(cells, weights, strict=True) if all(y[i] == x[i] for i in range(3) if seen >> i & 1)
            )
            logs.append(arb(sum(same)).log())
        total = [sum((logs[7 ^ m] - logs[7 ^ m | 1 << i] for i in range(3) if m >> i & 1), arb(0)) for m in range(8)]
        mean = sum(total, arb(0)) / 8
        cross = sum((total[m] * total[7 ^ m] for m in range(8)), arb(0)) / 8
        result += (cross - mean**2) * arb(fmpq(w, whole))
    return result
