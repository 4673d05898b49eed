"""The interval recursions of independent reveal as plain loops: slow twins of `recursion` and `likelihood`.

Nothing is shared with the fast routes except the definition. Values of ends: 0..V-1, or V for the virtual end.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from toy_models.targets.markov import MarkovChain


def naive_sequence_error(chain: MarkovChain, hazards: Sequence[float] | np.ndarray, length: int) -> float:
    """SER = 1 - W_N(L+1, ∗, ∗) by the triple loop over gap distance, rightmost and previous revealed token.

    `hazards` in generation order, the last one 1. O(N L^3 V^2 (V+1)^2).
    """
    weights = naive_levels(chain, hazards, length)
    return 1.0 - weights[length + 1, chain.vocab_size, chain.vocab_size]


def naive_levels(
    chain: MarkovChain, hazards: Sequence[float] | np.ndarray, length: int
) -> Float[np.ndarray, "n_plus_1 U U"]:
    """W_N(n, u, v) for n <= L+1."""
    v_size = chain.vocab_size
    wide = v_size + 1
    reach = _reach_table(chain, length + 1)
    value = np.zeros((length + 2, wide, wide))
    for u in range(wide):
        for v in range(wide):
            value[1, u, v] = reach[1][u][v] > 0
    for r in reversed(list(hazards)):
        new = np.zeros_like(value)
        old = value.tolist()
        for n in range(1, length + 2):
            for u in range(wide):
                for v in range(wide):
                    if reach[n][u][v] > 0:
                        new[n, u, v] = _fill(reach, old, r, n, u, v)
        value = new
    return value


def _fill(reach: list, value: list, r: float, n: int, u: int, v: int) -> float:
    """One gap: sum over the rightmost revealed token s and the one before it."""
    v_size = len(reach[1]) - 1
    total = (1 - r) ** (n - 1) * value[n][u][v]
    f = [[0.0] * v_size for _ in range(n)]
    for s in range(1, n):
        for x in range(v_size):
            h = (1 - r) ** (s - 1) * value[s][u][x]
            for before in range(1, s):
                for y in range(v_size):
                    h += f[before][y] * (1 - r) ** (s - before - 1) * value[s - before][y][x]
            bridge = reach[s][u][x] * reach[n - s][x][v] / reach[n][u][v]
            f[s][x] = r * bridge * h
            total += f[s][x] * (1 - r) ** (n - s - 1) * value[n - s][x][v]
    return total


def _reach_table(chain: MarkovChain, distance: int) -> list:
    """reach[n][u][v] = P^n[u, v] with virtual ends, as nested lists; each power on its own."""
    v_size = chain.vocab_size
    table = [[]]
    for n in range(1, distance + 1):
        rows = np.linalg.matrix_power(chain.transition, n).tolist()
        first = (chain.initial @ np.linalg.matrix_power(chain.transition, n - 1)).tolist()
        table.append([[*row, 1.0] for row in [*rows[:v_size], first]])
    return table


def naive_log_likelihood(chain: MarkovChain, hazards: Sequence[float] | np.ndarray, x: Int[np.ndarray, " L"]) -> float:
    """log p(x) for q(x) > 0 by the loop over gaps (l, r) of positions; 0 and L+1 are the virtual ends. O(N L^4)."""
    v_size, length = chain.vocab_size, len(x)
    reach = _reach_table(chain, length + 1)
    at = [v_size, *[int(token) for token in x], v_size]
    value = {(l, l + 1): 1.0 for l in range(length + 1)}
    for hazard in reversed(list(hazards)):
        new = {}
        for l in range(length + 1):
            for right in range(l + 1, length + 2):

                def keep(a, b, h=hazard, old=value):
                    return (1 - h) ** (b - a - 1) * old.get((a, b), 0.0)

                f, total = {l: 1.0}, keep(l, right)
                for k in range(l + 1, right):
                    bridge = reach[k - l][at[l]][at[k]] * reach[right - k][at[k]][at[right]]
                    bridge /= reach[right - l][at[l]][at[right]]
                    f[k] = hazard * bridge * sum(f[before] * keep(before, k) for before in range(l, k))
                    total += f[k] * keep(k, right)
                new[l, right] = total
        value = new
    return float(np.log(value[0, length + 1]))
