"""The written law of the uniform schedule in powers of y = 1/N: p = q (1 + psi y + O(y^2)) on the support of q.

Exact twins: p(x) is a polynomial in y of degree < L for any rational law, since the chance of an ordered partition with
k blocks is C(N, k)/N^L. For Markov chains psi is a sum over pairs and their nearest revealed neighbours.
"""

from itertools import combinations, product
from math import factorial

import numpy as np
from flint import fmpq, fmpq_poly
from jaxtyping import Float, Int

import toy_models as tm
from toy_models import exact
from toy_models.exact.curves import path_law
from toy_models.targets.kernels.stationary import stationary_law


def written_polynomials(pmf: np.ndarray) -> dict[tuple[int, ...], fmpq_poly]:
    """p(x) as a polynomial in y = 1/N for every x in the support, by definition: sum over all ordered partitions."""
    length, found = pmf.ndim, {x: fmpq_poly() for x in support(pmf)}
    for blocks in range(1, length + 1):
        chance = fmpq_poly([0, 1]) ** (length - blocks) * fmpq(1, factorial(blocks))  # C(N, k)/N^L
        for i in range(blocks):
            chance *= fmpq_poly([1, -i])
        total = sum(
            (path_law(pmf, steps) for steps in product(range(blocks), repeat=length) if len(set(steps)) == blocks),
            np.full(pmf.shape, fmpq(0), dtype=object),
        )
        for x in found:
            found[x] += chance * total[x]
    return found


def support(pmf: np.ndarray) -> list[tuple]:
    return [x for x in product(range(pmf.shape[0]), repeat=pmf.ndim) if pmf[x] != 0]


def pair_contexts(length: int):
    """(i, i', T, weight): int_0^1 a^t (1-a)^(L-2-t) da for every pair and every set T of other positions."""
    for i, j in combinations(range(length), 2):
        others = [k for k in range(length) if k not in (i, j)]
        for t in range(len(others) + 1):
            weight = fmpq(factorial(t) * factorial(length - 2 - t), factorial(length - 1))
            for revealed in combinations(others, t):
                yield i, j, revealed, weight


def psi(pmf: np.ndarray) -> dict[tuple, fmpq]:
    """psi(x) = sum_{i<i'} int_0^1 E_T [q(x_i | x_T) q(x_i' | x_T) / q(x_i, x_i' | x_T) - 1] da on the support."""
    sums, found = exact.context_sums(pmf), dict.fromkeys(support(pmf), fmpq(0))
    for x in found:

        def chance(*positions, x=x):
            return sums[tuple(t + 1 if k in positions else 0 for k, t in enumerate(x))]

        for i, j, revealed, weight in pair_contexts(pmf.ndim):
            ratio = chance(*revealed, i) * chance(*revealed, j) / (chance(*revealed) * chance(*revealed, i, j))
            found[x] += weight * (ratio - 1)
    return found


def clash_rate(pmf: np.ndarray) -> fmpq:
    """kappa_L = sum_{i<i'} int_0^1 E_T E_q P(X_i, X_i' drawn independently given X_T are impossible together) da."""
    sums, size, total = exact.context_sums(pmf), pmf.shape[0], fmpq(0)
    for i, j, revealed, weight in pair_contexts(pmf.ndim):
        for values in product(range(size), repeat=len(revealed)):
            context = [0] * pmf.ndim
            for k, v in zip(revealed, values, strict=True):
                context[k] = v + 1
            known = sums[tuple(context)]
            if known == 0:
                continue
            for v, w in product(range(size), repeat=2):
                one, other, both = list(context), list(context), list(context)
                one[i] = both[i] = v + 1
                other[j] = both[j] = w + 1
                if sums[tuple(both)] == 0:
                    total += weight * sums[tuple(one)] * sums[tuple(other)] / known
    return total


def has_product_support(pmf: np.ndarray) -> bool:
    """supp q = A_1 x ... x A_L."""
    possible = [{x[i] for x in support(pmf)} for i in range(pmf.ndim)]
    size = 1
    for values in possible:
        size *= len(values)
    return size == len(support(pmf))


def chain_psi(chain: tm.MarkovChain, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
    """psi of a stationary chain on possible texts: pairs at distance d, nearest revealed tokens at l and r or absent.

    e^b = P^(l+d)(u, x_i') P^(d+r)(x_i, v) / (P^(l+d+r)(u, v) P^d(x_i, x_i')), P^infinity = pi. O(L^4) per text.
    """
    length, law = x.shape[1], stationary_law(chain.transition)
    power = [np.linalg.matrix_power(chain.transition, n) for n in range(length)]
    total = np.zeros(len(x))
    for i, j in combinations(range(length), 2):
        d = j - i
        for left in range(i + 1):  # 0: no revealed token on the left
            u = x[:, i - left]
            above = power[left + d][u, x[:, j]] if left else law[x[:, j]]
            for right in range(length - j):
                v = x[:, j + right]
                near = power[d + right][x[:, i], v] if right else law[v]
                whole = power[left + d + right][u, v] if left and right else law[v]
                ratio = above * (near / whole if right else 1.0) / power[d][x[:, i], x[:, j]]
                masked = d - 1 + (left - 1 if left else i) + (right - 1 if right else length - 1 - j)
                ends = bool(left) + bool(right)
                weight = factorial(ends) * factorial(masked) / factorial(ends + masked + 1)
                total += weight * (ratio - 1)
    return total


def written_kl(chain: tm.MarkovChain, steps: int) -> float:
    """KL(q || p) of the uniform schedule, p(x) by the interval recursion on every possible text. O(V^L)."""
    x, log_q = possible_texts(chain)
    log_p = tm.log_likelihood(chain, tm.IndependentReveal(np.full(steps, 1 / steps)), x)
    return float(np.exp(log_q) @ (log_q - log_p))


def possible_texts(chain: tm.MarkovChain) -> tuple[Int[np.ndarray, "batch L"], Float[np.ndarray, " batch"]]:
    """All texts of positive probability and their log-probabilities."""
    x = np.indices((chain.vocab_size,) * chain.length).reshape(chain.length, -1).T
    log_q = chain.log_prob(x)
    return x[np.isfinite(log_q)], log_q[np.isfinite(log_q)]
