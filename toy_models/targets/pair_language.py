"""Closed forms for the pair language: x_{2m} = K + x_{2m-1}, pairs independent, first symbols uniform on 0..K-1.

A pair whose two tokens are written in the same step is valid with probability 1/K, any other pair always; so the
probability of a valid sequence is E[K^-M], M = number of pairs inside one step.
"""

from math import lgamma

import numpy as np
from jaxtyping import Float, Int

from toy_models.rules import IndependentReveal, RandomOrder
from toy_models.targets.blocks import Blocks
from toy_models.targets.table import Table


def is_pair_language(target) -> bool:
    """Whether `target` is tm.pairs(K, length) for some K."""
    if not (isinstance(target, Blocks) and isinstance(target.target, Table) and target.target.length == 2):
        return False
    pmf, K = target.target.pmf, target.vocab_size // 2
    wanted = np.zeros_like(pmf)
    if len(pmf) == 2 * K:
        wanted[np.arange(K), K + np.arange(K)] = 1.0 / K
    return bool((pmf == wanted).all())


def pair_validity(K: int, length: int, rule: IndependentReveal | RandomOrder) -> float:
    """P(the written sequence is valid) for the oracle: E[K^-M].

    >>> tm.targets.pair_validity(2, 2, tm.IndependentReveal([0.5, 0.5]))
    0.75
    """
    if isinstance(rule, IndependentReveal):
        collision = float((rule.weights**2).sum())
        return float(np.exp(length / 2 * np.log1p(-(1 - 1 / K) * collision)))
    return float(np.array([K**-1.0]) ** np.arange(length // 2 + 1) @ collision_law(np.array(rule.sizes), length))


def collision_law(sizes: Int[np.ndarray, " N"], length: int) -> Float[np.ndarray, " M"]:
    """P(M = m), m = 0..L/2, for L/2 pairs dropped uniformly into steps of the given sizes. O(N L^2).

    Steps are taken in turn. State: pairs with both tokens still masked, and with one; a step of size s that meets u
    untouched and o open pairs takes c whole pairs, e halves of untouched ones and s - 2c - e open halves, with weight
    C(u, c) C(u-c, e) 2^e C(o, s-2c-e) / C(2u+o, s), all terms positive.
    """
    pairs = length // 2
    law = np.zeros((pairs + 1, pairs + 1))  # [untouched, collisions so far]; open = left - 2 untouched
    law[pairs, 0] = 1.0
    left = length
    lf = np.array([lgamma(k + 1) for k in range(length + 1)])

    def log_choose(n, k):
        return lf[n] - lf[k] - lf[n - k]

    for size in sizes:
        fresh = np.zeros_like(law)
        for u in np.flatnonzero(law.any(axis=1)):
            o = left - 2 * u
            for c in range(min(u, size // 2) + 1):
                e = np.arange(max(0, size - 2 * c - o), min(u - c, size - 2 * c) + 1)
                if len(e) == 0:
                    continue
                rest = size - 2 * c - e
                weight = np.exp(
                    log_choose(u, c)
                    + log_choose(u - c, e)
                    + e * np.log(2.0)
                    + log_choose(o, rest)
                    - log_choose(left, size)
                )
                shifted = np.zeros_like(law[u])
                shifted[c:] = law[u, : pairs + 1 - c]
                fresh[u - c - e] += weight[:, None] * shifted
        law, left = fresh, left - size
    return law[0] / law[0].sum()
