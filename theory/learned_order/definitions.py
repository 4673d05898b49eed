"""Losses and gradient estimators of the topic from their definitions, on small targets.

Noise time s, m_l(s) = s**w_l; C[T, i, x] = -log p(x_i | x_T), sets as bit masks. Nats per sequence.
"""

from itertools import permutations, product

import numpy as np
from jaxtyping import Float

GAUSS = np.polynomial.legendre.leggauss(20)


def nodes(cuts=(), low: float = 1e-30) -> tuple[Float[np.ndarray, " T"], Float[np.ndarray, " T"]]:
    """Points and weights of integrals over s in [low, 1]: Gauss-Legendre in ln s, in pieces of length at most 2."""
    edges = np.unique([*np.linspace(np.log(low), 0.0, int(-np.log(low) / 2) + 2), *np.log(cuts)])
    half = np.diff(edges)[:, None] / 2
    s = np.exp(edges[:-1, None] + half * (1 + GAUSS[0])).ravel()
    return s, (half * GAUSS[1]).ravel() * s


def mask_probability(mask: int, m: Float[np.ndarray, "L T"]) -> Float[np.ndarray, " T"]:
    """P(M = mask) when position l is masked with probability m[l], independently."""
    return np.prod([m[l] if mask >> l & 1 else 1.0 - m[l] for l in range(len(m))], axis=0)


def order_loss(each: Float[np.ndarray, "sets L X"], order) -> Float[np.ndarray, " X"]:
    """L_sigma(x), one conditional after another."""
    return np.sum([each[sum(1 << j for j in order[:k]), i] for k, i in enumerate(order)], axis=0)


def one_draw(each, q, w) -> tuple[float, float]:
    """Mean and variance of F = sum over l in M of w_l C[complement of M, l](x) / s over s ~ U(0, 1), M and x."""
    length, (s, ds) = len(w), nodes()
    m = s ** np.asarray(w)[:, None]
    first = second = 0.0
    for mask in range(1, 2**length):
        loss = sum(w[l] * each[2**length - 1 - mask, l] for l in range(length) if mask >> l & 1)
        chance = mask_probability(mask, m) * ds
        first += float((chance / s).sum() * (loss @ q))
        second += float((chance / s**2).sum() * (loss**2 @ q))
    return first, second - first**2


def estimator(each, q, w, name: str) -> tuple[Float[np.ndarray, " L"], Float[np.ndarray, " L"]]:
    """Mean and variance of one draw of an estimator of dJ / d log w: every s, every pair of masks, every x."""
    w = np.asarray(w)
    length, full, (s, ds) = len(w), 2 ** len(w) - 1, nodes(0.5 ** (1 / w))  # an antithetic pair has kinks at m = 1/2
    m = s ** w[:, None]
    masks = range(2**length)
    direct = {M: np.array([w[k] * each[full - M, k] * (M >> k & 1) for k in range(length)]) for M in masks}
    hidden, shown = w[:, None] * np.log(s), -w[:, None] * np.log(s) * m / (1 - m)  # d log m, d log(1 - m), by log w
    score = {M: np.array([hidden[k] if M >> k & 1 else shown[k] for k in range(length)]) for M in masks}
    first, second = np.zeros(length), np.zeros(length)
    pairs = ((M, M) for M in masks) if name in ("direct", "score", "local") else product(masks, repeat=2)
    for one, two in pairs:
        chance = mask_probability(one, m)
        if name == "rloo":
            chance = chance * mask_probability(two, m)
        elif name == "antithetic":
            chance = np.prod([_both(m[l], one >> l & 1, two >> l & 1) for l in range(length)], axis=0)
        e, f = direct[one][:, None] / s[:, None], direct[one].sum(axis=0) / s[:, None]  # (L, T, X), (T, X)
        if name in ("direct", "score"):
            value = e + (name == "score") * f * score[one][:, :, None]
        elif name == "local":
            value = np.empty_like(e)
            for k in range(length):
                up, down = direct[one | 1 << k], direct[one & ~(1 << k)]
                jump = (up.sum(axis=0) - down.sum(axis=0)) / s[:, None]
                value[k] = (w[k] * m[k] * np.log(s))[:, None] * jump + m[k][:, None] * up[k] / s[:, None]
        else:
            other = direct[two].sum(axis=0) / s[:, None]
            scale = np.maximum(m, 1 - m) if name == "antithetic" else np.ones_like(m)
            value = 0.5 * (f - other) * ((score[one] - score[two]) * scale)[:, :, None]
            value = value + 0.5 * (e + direct[two][:, None] / s[:, None])
        first += np.einsum("ktx,t,x->k", value, chance * ds, q)
        second += np.einsum("ktx,t,x->k", value**2, chance * ds, q)
    return first, second - first**2


def _both(m, one: int, two: int):
    """P(bits) from one uniform u: the first is u < m, the second 1 - u < m."""
    if one and two:
        return np.maximum(2 * m - 1, 0.0)
    return np.minimum(m, 1 - m) if one or two else np.maximum(1 - 2 * m, 0.0)


def order_pair(each, q, w) -> tuple[Float[np.ndarray, " L"], Float[np.ndarray, " L"]]:
    """Mean and variance of (L1 - L2)(a1 - a2)/2 over two independent orders and x, a = d log pi / d log w.

    pi(sigma) is a product of fractions w_k / (weight still there), each of which has the gradient 1[k] - w / weight on
    the positions still there.
    """
    law, scores, w = {}, {}, np.asarray(w)
    for order in permutations(range(len(w))):
        law[order], scores[order] = 1.0, np.zeros(len(w))
        for k in range(len(w)):
            there = np.isin(np.arange(len(w)), order[k:])
            law[order] *= w[order[k]] / w[there].sum()
            scores[order] += (np.arange(len(w)) == order[k]) - there * w / w[there].sum()
    first, second = np.zeros(len(w)), np.zeros(len(w))
    for (one, p), (two, r) in product(law.items(), repeat=2):
        value = 0.5 * np.outer(scores[one] - scores[two], order_loss(each, one) - order_loss(each, two))
        first, second = first + p * r * value @ q, second + p * r * value**2 @ q
    return first, second - first**2
