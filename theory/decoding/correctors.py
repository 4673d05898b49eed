"""Correctors: redraw one position of a complete text from its exact conditional. Which position may depend on the text.

K(x -> x') = sum_i w_i(x) 1[x'_{-i} = x_{-i}] q(x'_i | x_{-i}), sum_i w_i(x) = 1.
"""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from flint import fmpq
from jaxtyping import Float

from toy_models.exact.trajectories import RationalLaw, State, replace
from toy_models.validation import MASK

Weights = Callable[[RationalLaw, State], list[fmpq]]


def conditional(law: RationalLaw, x: State, i: int) -> list[fmpq]:
    """q(X_i | x_{-i})."""
    return law.marginal(replace(x, (i,), (MASK,)), i)


def step(law: RationalLaw, start: dict[State, fmpq], weights: Weights) -> dict[State, fmpq]:
    """One sweep of the corrector on the law `start`, which lives on the support of `law`."""
    found: dict[State, fmpq] = {}
    for x, mass in start.items():
        for i, w in enumerate(weights(law, x)):
            if w != 0:
                for v, p in enumerate(conditional(law, x, i)):
                    if p != 0:
                        z = replace(x, (i,), (v,))
                        found[z] = found.get(z, fmpq(0)) + mass * w * p
    return found


def balance(law: RationalLaw, weights: Weights, x: State) -> fmpq:
    """sum_i E_q[w_i(X) | X_{-i} = x_{-i}]: the corrector keeps q iff this is 1 at every possible text."""
    total = fmpq(0)
    for i in range(law.length):
        for v, p in enumerate(conditional(law, x, i)):
            if p != 0:
                total += p * weights(law, replace(x, (i,), (v,)))[i]
    return total


def uniform(law: RationalLaw, x: State) -> list[fmpq]:
    """A uniformly random position."""
    return [fmpq(1, law.length)] * law.length


def one_of(scores: Sequence[fmpq]) -> list[fmpq]:
    """All weight on the lowest score, the leftmost of equals."""
    k = min(range(len(scores)), key=lambda i: (scores[i], i))
    return [fmpq(int(i == k)) for i in range(len(scores))]


def lowest_probability(law: RationalLaw, x: State) -> list[fmpq]:
    """The position whose present token is least likely given the rest."""
    return one_of([conditional(law, x, i)[x[i]] for i in range(law.length)])


def lowest_maximum(law: RationalLaw, x: State) -> list[fmpq]:
    """The position whose conditional law, which ignores its own token, has the least maximum."""
    return one_of([max(conditional(law, x, i)) for i in range(law.length)])


def lowest_margin(law: RationalLaw, x: State) -> list[fmpq]:
    """The position whose present token has the least margin to the best other token."""
    scores = []
    for i in range(law.length):
        p = conditional(law, x, i)
        other = max(value for v, value in enumerate(p) if v != x[i])
        scores.append(p[x[i]] / (p[x[i]] + other))
    return one_of(scores)


def kernel(law: RationalLaw, weights: Weights) -> Float[np.ndarray, "texts texts"]:
    """The transition matrix over the possible texts, in their order in `law.pmf`, float64."""
    texts = list(law.pmf)
    index = {x: k for k, x in enumerate(texts)}
    matrix = np.zeros((len(texts), len(texts)))
    for x in texts:
        for z, p in step(law, {x: fmpq(1)}, weights).items():
            matrix[index[x], index[z]] += float(p)
    return matrix


def parallel_kernel(law: RationalLaw, size: int) -> Float[np.ndarray, "texts texts"]:
    """`size` uniformly random positions redrawn at once, each given the old text; mass that leaves the support is
    lost.
    """
    texts = list(law.pmf)
    index = {x: k for k, x in enumerate(texts)}
    sets = list(combinations(range(law.length), size))
    matrix = np.zeros((len(texts), len(texts)))
    for x in texts:
        laws = [conditional(law, x, i) for i in range(law.length)]
        for chosen in sets:
            front = {x: fmpq(1, len(sets))}
            for i in chosen:
                front = {replace(y, (i,), (v,)): m * p for y, m in front.items() for v, p in enumerate(laws[i])}
            for z, m in front.items():
                if z in index:
                    matrix[index[x], index[z]] += float(m)
    return matrix


def distances(law: RationalLaw, matrix: np.ndarray, sweeps: int) -> Float[np.ndarray, " sweeps"]:
    """Total variation to q after 0, 1, .. sweeps that start at q; lost mass counts as distance."""
    q = np.array([float(p) for p in law.pmf.values()])
    found, p = [], q
    for _ in range(sweeps + 1):
        found.append(0.5 * (np.abs(p - q).sum() + 1 - p.sum()))
        p = p @ matrix
    return np.array(found)
